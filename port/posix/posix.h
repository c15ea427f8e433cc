/* posix.h - the port to POSIX systems: network, system, store and http-01 listener of acme_port.h.
 *
 * Each struct is the caller's memory and carries what goes into struct acme_setup as its first member. No
 * function here allocates. One set serves one client.
 *
 *     static struct acme_posix_net net;
 *     acme_posix_net_init(&net);
 *     setup.net = &net.net;
 */
#ifndef ACME_POSIX_H
#define ACME_POSIX_H

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/socket.h>

#include "acme_config.h"
#include "acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest path of a file in the state directory, in bytes. Longer: ENAMETOOLONG, nothing is cut. */
#define ACME_POSIX_PATH_MAX 768

/* Addresses of one host that are tried, and the time each gets, in milliseconds: together less than
 * ACME_NET_TIMEOUT_MS, or the last would never have a turn. */
#define ACME_POSIX_ADDRESSES  6
#define ACME_POSIX_CONNECT_MS 7000

/* A name being looked up: getaddrinfo() blocks, so it runs in a thread whose memory this is. Must outlive the
 * thread: static, or kept until acme_posix_lookup() has answered. Contents private. */
struct acme_posix_lookup {
    pthread_t thread;
    bool running;
    short armed; /* POLLIN: the last call found it unfinished */
    int wake[2]; /* the thread writes a byte when it has finished; -1: not made yet */
    char host[254];
    char port[6];
    int code; /* of getaddrinfo(), for gai_strerror(); 0: found */
    unsigned count;
    struct acme_posix_address {
        struct sockaddr_storage at;
        socklen_t len;
    } addresses[ACME_POSIX_ADDRESSES];
};

/* Looks up host:port; called until it answers other than 0. An IP address needs no thread. One that was
 * abandoned is waited for before another begins. Returns 1 found, 0 not yet, ACME_E_HOST, ACME_E_NET (no
 * thread or pipe: errno). */
int acme_posix_lookup(struct acme_posix_lookup *l, const char *host, uint16_t port);

/* One outgoing connection. */
struct acme_posix_net {
    struct acme_net net;
    struct acme_posix_lookup lookup;
    int fd;      /* -1: none                                             */
    short armed; /* what the last calls waited for: POLLIN, POLLOUT      */
    bool trying; /* the addresses are known and being tried, `at` now */
    unsigned at;
    uint32_t since_ms; /* when the attempt in hand began                     */
    int failure;       /* the most telling error of this host's addresses    */
    int error;         /* errno of the last failure; 0 none                  */
};
void acme_posix_net_init(struct acme_posix_net *n);

/* Incoming connections for http-01. */
struct acme_posix_listener {
    struct acme_listener listener;
    const char *address; /* IP address to listen on; NULL: all, IPv6 and IPv4 */
    uint16_t port;       /* 0: one the system chooses, see acme_posix_listener_port() */
    int fd;
    short armed;
    struct {
        int fd;
        short armed;
    } slots[ACME_HTTP01_SLOTS];
    int error; /* errno of the last failure; 0 none */
};

/* Prepares; no I/O. Returns 0, or ACME_E_SIZE: the library was compiled with another ACME_HTTP01_SLOTS. */
#define acme_posix_listener_init(l, address, port)                                                                   \
    acme_posix_listener_init_sized((l), sizeof(struct acme_posix_listener), (address), (port))
int acme_posix_listener_init_sized(struct acme_posix_listener *l, size_t size, const char *address, uint16_t port);

/* The port listened on; 0: not listening. */
uint16_t acme_posix_listener_port(const struct acme_posix_listener *l);

/* Entropy of getrandom(), time of CLOCK_REALTIME. */
extern const struct acme_sys acme_posix_sys;

/* Milliseconds of CLOCK_MONOTONIC, for acme_tick(). */
uint32_t acme_posix_now_ms(void);

/* One certificate's records below a state directory; posix_store.c tells the layout. */
struct acme_posix_store {
    struct acme_store store;
    const char *state; /* borrowed: the directory               */
    const char *name;  /* borrowed: the certificate's first name, a DNS name in small letters */
    int error;         /* errno of the last failure; 0 none. EEXIST: something of that name is not ours */
    char path[ACME_POSIX_PATH_MAX]; /* what it concerned          */
};

/* Prepares; no I/O. */
void acme_posix_store_init(struct acme_posix_store *s, const char *state, const char *name);

/* Makes the state directory (0700) when it is missing; its parent must exist. Returns 0, or errno: s->path
 * says of what. */
int acme_posix_store_make(struct acme_posix_store *s);

/* Replaces a small file so that a loss of power leaves the old one or the new one: a temporary file, fsync,
 * rename, fsync of the directory. len 0 removes it. This and the next three return 0, or errno. */
int acme_posix_replace(const char *path, mode_t mode, const void *data, size_t len);

/* Reads the first min(cap, length) bytes. *len: the whole length, 0 when there is no such file. */
int acme_posix_read(const char *path, void *buf, size_t cap, int *len);

/* Writes all of it. */
int acme_posix_write(int fd, const void *data, size_t len);

/* Makes what a file holds, or a directory's entries, durable. */
int acme_posix_sync(const char *path);

/* Sleeps until something the last ticks waited for may go on, or idle_ms have passed, or a signal came
 * (`signals`: the mask to sleep with; NULL: the present one). `listener` may be NULL. Never polls for what
 * nobody waits for, so bytes that the core does not want yet cannot turn the loop into a busy one. */
void acme_posix_wait(struct acme_posix_net *n, struct acme_posix_listener *listener, uint32_t idle_ms,
                     const sigset_t *signals);

/* The port's own parts, shared between its files. */

/* struct acme_net's open. */
int acme_posix_connect(void *ctx, const char *host, uint16_t port);

/* Keeps errno and returns the core's error for it. */
int acme_posix_net_failed(struct acme_posix_net *n, int code);

/* Puts STATE/<before><name><after> into s->path; this and the next four return 0, or errno. */
int acme_posix_place(struct acme_posix_store *s, const char *before, const char *name, const char *after);

/* Puts the record's path into s->path. */
int acme_posix_place_record(struct acme_posix_store *s, enum acme_record record);

/* The slot the pair in use is in: ".a", ".b", or NULL for none. EEXIST: STATE/NAME is not ours, and left
 * alone. */
int acme_posix_pair_in_use(struct acme_posix_store *s, const char **slot);

/* Adds to the chain in the other slot (len 0: starts it); puts that slot in use. */
int acme_posix_pair_append(struct acme_posix_store *s, const void *data, size_t len);
int acme_posix_pair_commit(struct acme_posix_store *s);

#ifdef __cplusplus
}
#endif

#endif
