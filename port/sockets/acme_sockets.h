/* acme_sockets.h - the connection and the listener over BSD sockets that do not block: POSIX, lwIP's socket API, Zephyr, NuttX.
 *
 * No thread and no allocation; each struct is the caller's memory. ACME_SOCKETS_LWIP says that the sockets are lwIP's; Zephyr's
 * compiler says so itself; without either they have their POSIX names.
 *
 *     static struct acme_sockets_found found;
 *     static struct acme_sockets_net net;
 *     acme_sockets_net_init(&net, my_now_ms, acme_sockets_lookup, &found);
 *     setup.net = &net.net;
 */
#ifndef ACME_SOCKETS_H
#define ACME_SOCKETS_H

#if defined(ACME_SOCKETS_LWIP)
#include "lwip/sockets.h"
#elif defined(__ZEPHYR__)
#include <zephyr/net/socket.h>
#if defined(NET_AF_INET) && !defined(CONFIG_NET_NAMESPACE_COMPAT_MODE) /* since 4.4 every name has a prefix */
#define ACME_SOCKETS_PREFIXED
#endif
#else
#include <sys/types.h>
#include <sys/socket.h>
#endif

#include "acme_config.h"
#include "acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The longest time one address of a host gets, in milliseconds. Many share what six take: less than ACME_NET_TIMEOUT_MS, or the
 * last would never have a turn. */
#define ACME_SOCKETS_CONNECT_MS 7000

/* The time each of `count` addresses gets. */
#define ACME_SOCKETS_TURN_MS(count) (ACME_SOCKETS_CONNECT_MS * 6U / ((count) > 6 ? (count) : 6))

struct acme_sockets_address {
#ifdef ACME_SOCKETS_PREFIXED
    struct net_sockaddr_storage at;
    net_socklen_t len;
#else
    struct sockaddr_storage at;
    socklen_t len;
#endif
};

/* Finds the addresses of host:port; called until it answers other than 0, with the same host and port, or with others when the
 * attempt was given up. *list: its own memory, which stays until it is called again. Returns how many, 0 not yet,
 * ACME_E_HOST, ACME_E_NET (errno). */
typedef int acme_sockets_find(void *ctx, const char *host, uint16_t port, const struct acme_sockets_address **list);

/* Two such functions; ctx: struct acme_sockets_found. */
#define ACME_SOCKETS_ADDRESSES 4
struct acme_sockets_found {
    struct acme_sockets_address list[ACME_SOCKETS_ADDRESSES];
};

/* An IP address only, which is read; a name is ACME_E_HOST. */
int acme_sockets_numeric(void *ctx, const char *host, uint16_t port, const struct acme_sockets_address **list);

/* Names too, by getaddrinfo(), which BLOCKS while name servers are asked, 10 s and more where they are silent: for a client in a
 * thread of its own. In a file of its own. */
int acme_sockets_lookup(void *ctx, const char *host, uint16_t port, const struct acme_sockets_address **list);

/* What the last calls waited for: the bits of poll(). 0: nothing. */
#define ACME_SOCKETS_READ  1
#define ACME_SOCKETS_WRITE 4

/* One outgoing connection. */
struct acme_sockets_net {
    struct acme_net net;
    uint32_t (*now_ms)(void);
    acme_sockets_find *find;
    void *find_ctx;
    const struct acme_sockets_address *list; /* being tried, `at` now of `count` */
    unsigned at, count;
    int fd;            /* -1: none                                           */
    short armed;       /* ACME_SOCKETS_READ, ACME_SOCKETS_WRITE              */
    bool trying;       /* the addresses are known and being tried            */
    uint32_t since_ms; /* when the attempt in hand began                     */
    int failure;       /* the most telling error of this host's addresses    */
    int error;         /* errno of the last failure; 0 none                  */
};

/* Prepares; no I/O. now_ms: as for acme_tick(). */
void acme_sockets_net_init(struct acme_sockets_net *n, uint32_t (*now_ms)(void), acme_sockets_find *find,
                           void *find_ctx);

/* Incoming connections for http-01 and tls-alpn-01. */
struct acme_sockets_listener {
    struct acme_listener listener;
    struct acme_sockets_address on;
    int fd; /* -1: none */
    int slots[ACME_HTTP01_SLOTS];
    int error;        /* errno of the last failure; 0 none                  */
    uint32_t taken_s; /* NuttX: since when the port is in use; 0: it is not */
};

/* Prepares; no I/O. `address`: the IP address to listen on, borrowed for the call; NULL: all of IPv4. "::" is IPv6, and IPv4 as well
 * where the stack does both on one socket. Returns 0, ACME_E_LISTEN (that is no address), ACME_E_SIZE: the library was compiled
 * with another ACME_HTTP01_SLOTS. */
#define acme_sockets_listener_init(l, address, port)                                                                 \
    acme_sockets_listener_init_sized((l), sizeof(struct acme_sockets_listener), (address), (port))
int acme_sockets_listener_init_sized(struct acme_sockets_listener *l, size_t size, const char *address,
                                     uint16_t port);

#ifdef __cplusplus
}
#endif

#endif
