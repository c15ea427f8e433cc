/* notify.c - sd_notify(3) without its library. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "notify.h"

/* A number of microseconds; 0: it is none. */
static uint64_t number_of(const char *text)
{
    uint64_t value = 0;
    size_t i;

    for (i = 0; text != NULL && text[i] >= '0' && text[i] <= '9' && i < 18; i++) {
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    return i > 0 && text[i] == '\0' ? value : 0;
}

/* Puts the socket's name into n->to. Returns 0, or errno. */
static int address(struct acme_notify *n, const char *name)
{
    size_t len = strlen(name);

    if (name[0] != '/' && name[0] != '@') {
        return EAFNOSUPPORT;
    }
    if (len < 2 || len >= sizeof n->to.sun_path) {
        return len < 2 ? EINVAL : ENAMETOOLONG;
    }
    memset(&n->to, 0, sizeof n->to);
    n->to.sun_family = AF_UNIX;
    memcpy(n->to.sun_path, name, len);
    if (name[0] == '@') { /* the length tells where such a name ends */
        n->to.sun_path[0] = '\0';
    } else {
        len++;
    }
    n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return 0;
}

int acme_notify_init(struct acme_notify *n)
{
    const struct timeval patience = {.tv_sec = 1};
    const char *name = getenv("NOTIFY_SOCKET");
    const char *pid = getenv("WATCHDOG_PID");
    bool for_us = pid == NULL || number_of(pid) == (uint64_t)getpid();
    int code = name != NULL ? address(n, name) : 0;

    n->fd = name != NULL && code == 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    code = name != NULL && code == 0 && n->fd < 0 ? errno : code;
    if (n->fd >=
        0) { /* a manager that is busy is waited for, but not for long: a READY=1 that is lost is a start that failed */
        (void)setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }
    n->watchdog_us = n->fd >= 0 && for_us ? number_of(getenv("WATCHDOG_USEC")) : 0;
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    return code;
}

/* Lines of VARIABLE=value. What cannot be delivered is lost. */
static void send_lines(struct acme_notify *n, const char *lines)
{
    if (n->fd >= 0) {
        (void)sendto(n->fd, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&n->to, n->to_len);
    }
}

void acme_notify_ready(struct acme_notify *n)
{
    send_lines(n, "READY=1\n");
}

void acme_notify_reloading(struct acme_notify *n)
{
    struct timespec now;
    char lines[64];

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%llu\n",
                   (unsigned long long)now.tv_sec * 1000000U + (unsigned long long)now.tv_nsec / 1000U);
    send_lines(n, lines);
}

void acme_notify_stopping(struct acme_notify *n)
{
    send_lines(n, "STOPPING=1\n");
}

void acme_notify_alive(struct acme_notify *n)
{
    if (n->watchdog_us > 0) {
        send_lines(n, "WATCHDOG=1\n");
    }
}

void acme_notify_status(struct acme_notify *n, const char *text)
{
    char line[520];
    int len = snprintf(line, sizeof line - 1, "STATUS=%.500s", text);

    for (int i = 0; i < len; i++) {
        line[i] = line[i] < ' ' || line[i] > '~' ? '?' : line[i];
    }
    line[len] = '\n';
    line[len + 1] = '\0';
    send_lines(n, line);
}
