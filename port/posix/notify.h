/* notify.h - tells the service manager how it goes: the protocol of sd_notify(3), a datagram to a socket. */
#ifndef ACME_POSIX_NOTIFY_H
#define ACME_POSIX_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct acme_notify {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un to;
    socklen_t to_len;
    uint64_t watchdog_us; /* how often WATCHDOG=1 is wanted, at least; 0: not at all */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment: they are not for programs that we
 * start. A socket's name that begins with @ is an abstract one. Returns 0, or errno: there is a socket, but none of that kind. */
int acme_notify_init(struct acme_notify *n);

/* READY=1; RELOADING=1 with the time it was sent at, as systemd wants it; STOPPING=1; WATCHDOG=1 if that is wanted. */
void acme_notify_ready(struct acme_notify *n);
void acme_notify_reloading(struct acme_notify *n);
void acme_notify_stopping(struct acme_notify *n);
void acme_notify_alive(struct acme_notify *n);

/* STATUS=, for a person; what is no printable ASCII becomes a question mark, and it is cut at 500 characters. */
void acme_notify_status(struct acme_notify *n, const char *text);

#endif
