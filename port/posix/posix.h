/* posix.h - the port to POSIX systems: network, system, store and http-01 listener of acme_port.h.
 *
 * Each struct is the caller's memory and carries what goes into struct acme_setup as its first member. No
 * function here allocates. One set serves one client.
 *
 *     static struct acme_posix_net net;
 *     acme_posix_net_init(&net);
 *     setup.net = &net.tcp.net;
 */
#ifndef ACME_POSIX_H
#define ACME_POSIX_H

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/socket.h>

#include "acme_config.h"
#include "acme_port.h"
#include "acme_sockets.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest path of a file in the state directory, in bytes. Longer: ENAMETOOLONG, nothing is cut. */
#define ACME_POSIX_PATH_MAX 768

/* Addresses of one host that are tried. */
#define ACME_POSIX_ADDRESSES 24

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
    int lack; /* errno: it could not look, for want of descriptors */
    unsigned count;
    struct acme_sockets_address addresses[ACME_POSIX_ADDRESSES];
};

/* Looks up host:port; called until it answers other than 0. An IP address needs no thread. One that was
 * abandoned is waited for before another begins. Returns 1 found, 0 not yet, ACME_E_HOST, ACME_E_NET (no
 * thread, pipe or descriptor: errno). */
int acme_posix_lookup(struct acme_posix_lookup *l, const char *host, uint16_t port);

/* One outgoing connection, and the look-up of its names. */
struct acme_posix_net {
    struct acme_sockets_net tcp;
    struct acme_posix_lookup lookup;
};
void acme_posix_net_init(struct acme_posix_net *n);

/* Incoming connections for http-01 and tls-alpn-01. */
struct acme_posix_listener {
    struct acme_listener listener;
    const char *address; /* IP address to listen on; NULL: all, IPv6 and IPv4 */
    uint16_t port;       /* 0: one the system chooses, see acme_posix_listener_port() */
    int fd;
    bool kept, listening; /* the port stays taken between two times of listening; it listens now */
    short armed;
    struct {
        int fd;
        short armed;
    } slots[ACME_HTTP01_SLOTS];
    int error; /* errno of the last failure; 0 none */
    int early; /* that of acme_posix_listener_keep() */
};

/* Prepares; no I/O. Returns 0, or ACME_E_SIZE: the library was compiled with another ACME_HTTP01_SLOTS. */
#define acme_posix_listener_init(l, address, port)                                                                   \
    acme_posix_listener_init_sized((l), sizeof(struct acme_posix_listener), (address), (port))
int acme_posix_listener_init_sized(struct acme_posix_listener *l, size_t size, const char *address, uint16_t port);

/* Takes the port now, for a program that will not have the right to later, and keeps it. It is open to nobody before
 * the core listens, and between two times of that. When it cannot be had, that is told by the first start(). */
void acme_posix_listener_keep(struct acme_posix_listener *l);

/* The port listened on; 0: not listening. */
uint16_t acme_posix_listener_port(const struct acme_posix_listener *l);

/* Datagrams, for dns/rfc2136.h. Has a lookup, so its memory must stay as long as that says. */
struct acme_posix_udp {
    struct acme_udp udp;
    struct acme_posix_lookup lookup;
    int fd;      /* -1: none                           */
    unsigned at; /* times it was opened                */
    int error;   /* errno of the last failure; 0 none  */
};
void acme_posix_udp_init(struct acme_posix_udp *u);

/* Entropy of getrandom(), time of CLOCK_REALTIME. */
extern const struct acme_sys acme_posix_sys;

/* Milliseconds of CLOCK_MONOTONIC, for acme_tick(). */
uint32_t acme_posix_now_ms(void);

#define ACME_POSIX_NO_GROUP ((gid_t)-1)

/* One certificate's records below a state directory; posix_store.c tells the layout. The directory is opened once,
 * and all that is done in it goes by that descriptor: whoever owns it may swap names at any time, and nothing outside
 * is written, made, removed or given other rights. */
struct acme_posix_store {
    struct acme_store store;
    const char *state;  /* borrowed: the directory               */
    char name[254];     /* the certificate's first name, as in file names: acme_posix_file_name() */
    int dir;            /* the directory; -1: not open yet       */
    int chain;          /* the chain being received; -1: none    */
    bool made;          /* acme_posix_store_make() has made the directory, where nobody else could have swapped it */
    bool key_elsewhere; /* set by who knows better: the pair's key is in no file of ours    */
    const uint8_t *key_point; /* and is this one, an uncompressed point; NULL: that is not known */
    bool due;                 /* set by who knows better: the pair in use counts as none */
    int error;                /* errno of the last failure; 0 none. EEXIST: something of that name is not ours */
    mode_t
        key_mode; /* set by who knows better: the mode of every pair's key; 0: as the one in use has it, at first 0600 */
    gid_t key_group;                /* the same: a group that reads it; ACME_POSIX_NO_GROUP: as for the one in use */
    char path[ACME_POSIX_PATH_MAX]; /* what it concerned, for words */
    const char *file;               /* the part of it below the directory */

    /* Told of a cache record that is damaged and so taken as absent: its path is in s->path. NULL: nobody. */
    void (*told)(const struct acme_posix_store *s, int code);
};

/* A name as it is in file names: as it is, but that an IPv6 address has no colons, which separate paths in lists and hosts from
 * files: 2001_db8__1. No DNS name has underscores. */
void acme_posix_file_name(char file[254], const char *name);

/* Prepares; no I/O. `name`: the certificate's first name, a DNS name in small letters or an address, of at most 253 bytes; it is
 * copied. */
void acme_posix_store_init(struct acme_posix_store *s, const char *state, const char *name);

/* Makes the state directory (0700) when it is missing, and opens it, if it is not open yet; its parent must exist. s->made
 * as acme_posix_folder() has it. Returns 0, or errno: s->path says of what. */
int acme_posix_store_make(struct acme_posix_store *s);

/* Opens the state directory, if it is not open yet. Returns 0, or errno. */
int acme_posix_store_open(struct acme_posix_store *s);

/* Opens STATE/.lock, for flock(); what is no file there is taken away, but for a folder with something in it. -1: errno. */
int acme_posix_store_lock(const struct acme_posix_store *s);

/* Closes what is open. */
void acme_posix_store_close(struct acme_posix_store *s);

/* Replaces a small file so that a loss of power leaves the old one or the new one: a temporary file, fsync,
 * rename, fsync of the directory `dir`. len 0 removes it. Removes an empty directory that is in the way. This and the
 * next five return 0, or errno. */
int acme_posix_replace(int dir, const char *name, mode_t mode, const void *data, size_t len);

/* Reads the first min(cap, length) bytes. *len: the whole length, 0 when there is no such file. ENODATA: it is empty,
 * or not a file; with O_NOFOLLOW in `flags` also: it
 * has other names, in a folder that is not ours alone. */
int acme_posix_read(int dir, const char *name, int flags, void *buf, size_t cap, int *len);

/* Removes a name, an empty directory too; one that is not there is no error. */
int acme_posix_clear(int dir, const char *name);

/* Writes all of it. */
int acme_posix_write(int fd, const void *data, size_t len);

/* Makes what a file holds, or a directory's entries, durable. */
int acme_posix_sync(int fd);

/* Opens a directory. A link on the way is followed only when nobody but root and the user we run as can have put it
 * there: who owns a folder above the directory could lead us anywhere. With `made` the last one is made (0700) when it is
 * missing, and *made tells that it was and that nobody else could have swapped it since; true before, it is made only where
 * that is so. -1: errno; ELOOP: a link that is not followed; EMLINK: more than 20. */
int acme_posix_folder(const char *path, bool *made);

/* True when nobody but root and the user we run as can change the directory's entries. */
bool acme_posix_ours_alone(int dir);

/* What root makes in somebody else's folder belongs to that somebody, who could otherwise not go on without root. */
void acme_posix_hand_over(int dir, int fd);

/* Sleeps until something the last ticks waited for may go on, or idle_ms have passed, or a signal came
 * (`signals`: the mask to sleep with; NULL: the present one). `listener` may be NULL. Never polls for what
 * nobody waits for, so bytes that the core does not want yet cannot turn the loop into a busy one. */
void acme_posix_wait(struct acme_posix_net *n, struct acme_posix_listener *listener, uint32_t idle_ms,
                     const sigset_t *signals);

/* The port's own parts, shared between its files. */

/* Puts STATE/<before><name><after> into s->path, and s->file; this and the next six return 0, or errno. */
int acme_posix_place(struct acme_posix_store *s, const char *before, const char *name, const char *after);

/* The same for a record. */
int acme_posix_place_record(struct acme_posix_store *s, enum acme_record record);

/* The slot the pair in use is in: ".a", ".b", or NULL for none. EEXIST: STATE/NAME is not ours, and left
 * alone. */
int acme_posix_pair_in_use(struct acme_posix_store *s, const char **slot);

/* Opens a slot, or with NULL the folder STATE/NAME itself, which must not be a link; -1: errno. */
int acme_posix_pair_open(struct acme_posix_store *s, const char *slot);

/* Adds to the chain in the other slot (len 0: starts it); puts that slot in use. */
int acme_posix_pair_append(struct acme_posix_store *s, const void *data, size_t len);
int acme_posix_pair_commit(struct acme_posix_store *s);

/* Gives a new part of a pair its owner, group and mode: as s->key_mode and s->key_group say, else as `was` has them, which it
 * takes the place of (-1: nothing), but a key never more than 0640. EPERM and others: somebody would lose a right to read. */
enum acme_posix_part { ACME_POSIX_KEY, ACME_POSIX_CHAIN, ACME_POSIX_SLOT };
int acme_posix_pair_give(const struct acme_posix_store *s, int was, int to, enum acme_posix_part part);

/* Does that with the pair in use, for s->key_mode and s->key_group count at once; lets the group pass through the state
 * directory; then tries on an empty file whether the next pair can be given the same rights. */
int acme_posix_pair_rights(struct acme_posix_store *s);

/* Makes STATE/NAME, whatever it is, the link to a slot. */
int acme_posix_pair_link(struct acme_posix_store *s, const char *slot);

/* Notes beside the pair in use that it was revoked, and tells it again. The note goes with the pair. */
int acme_posix_pair_revoke(struct acme_posix_store *s);
bool acme_posix_pair_revoked(struct acme_posix_store *s);

#ifdef __cplusplus
}
#endif

#endif
