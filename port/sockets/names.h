/* names.h - what each system calls its sockets; for the files of this folder only. */
#ifndef ACME_SOCKETS_NAMES_H
#define ACME_SOCKETS_NAMES_H

#include "acme_sockets.h"

#include <errno.h>
#include <string.h>

#if defined(ACME_SOCKETS_LWIP)

#include "lwip/netdb.h"

#define so_(name) lwip_##name
#if !LWIP_SOCKET || !LWIP_SOCKET_POLL
#error "port/sockets needs lwIP's LWIP_SOCKET and LWIP_SOCKET_POLL; port/lwip needs neither"
#endif
#define SO_IPV6    LWIP_IPV6
#define SO_RESOLVE LWIP_DNS
typedef struct pollfd so_pollfd;
typedef struct addrinfo so_addrinfo;

#elif defined(__ZEPHYR__)

#include <fcntl.h>

#define so_(name) zsock_##name
typedef struct zsock_pollfd so_pollfd;
typedef struct zsock_addrinfo so_addrinfo;
#ifndef POLLOUT
#define POLLOUT ZSOCK_POLLOUT
#endif
#ifndef SHUT_WR
#define SHUT_WR ZSOCK_SHUT_WR
#endif
#ifdef ACME_SOCKETS_PREFIXED
#define sockaddr     net_sockaddr
#define sockaddr_in  net_sockaddr_in
#define sockaddr_in6 net_sockaddr_in6
#define socklen_t    net_socklen_t
#undef htons
#undef AF_INET
#undef AF_INET6
#undef SOCK_STREAM
#undef IPPROTO_TCP
#undef SOL_SOCKET
#undef SO_REUSEADDR
#undef SO_ERROR
#undef TCP_NODELAY
#define htons        net_htons
#define AF_INET      NET_AF_INET
#define AF_INET6     NET_AF_INET6
#define SOCK_STREAM  NET_SOCK_STREAM
#define IPPROTO_TCP  NET_IPPROTO_TCP
#define SOL_SOCKET   ZSOCK_SOL_SOCKET
#define SO_REUSEADDR ZSOCK_SO_REUSEADDR
#define SO_ERROR     ZSOCK_SO_ERROR
#define TCP_NODELAY  ZSOCK_TCP_NODELAY
#endif

#else /* POSIX, NuttX */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#if defined(__NuttX__) && defined(CONFIG_NET_TCP) && !defined(CONFIG_NET_TCP_NO_STACK) &&                            \
    (!defined(CONFIG_NET_SOCKOPTS) || !defined(CONFIG_NET_TCPBACKLOG) || !defined(CONFIG_NET_TCP_WRITE_BUFFERS))
/* SO_ERROR would not be there, accept() and send() would block, whatever O_NONBLOCK says. */
#error "port/sockets needs NuttX's NET_SOCKOPTS, NET_TCPBACKLOG and NET_TCP_WRITE_BUFFERS"
#endif

#if defined(__NuttX__) && !defined(CONFIG_NET_TCP_WAIT_TIMEOUT)
#define CONFIG_NET_TCP_WAIT_TIMEOUT 0
#endif

#define so_(name) name
typedef struct pollfd so_pollfd;
typedef struct addrinfo so_addrinfo;

#endif

#ifndef SO_IPV6
#define SO_IPV6    1
#define SO_RESOLVE 1 /* there is getaddrinfo() */
#endif

#ifndef MSG_NOSIGNAL /* where there are no signals */
#define MSG_NOSIGNAL 0
#endif

#if EWOULDBLOCK == EAGAIN /* a compiler that looks closely wants to hear it once */
#define SO_AGAIN(code) ((code) == EAGAIN)
#else
#define SO_AGAIN(code) ((code) == EAGAIN || (code) == EWOULDBLOCK)
#endif

/* True for an errno that says not now. */
static inline bool so_not_now(int code)
{
    return SO_AGAIN(code) || code == EINTR || code == ENOBUFS || code == ECONNABORTED;
}

/* A port that was closed a moment ago is in use for as long as one of its connections is remembered, where SO_REUSEADDR is taken
 * and does nothing: true so long. *since_s: when it was first seen, 0 not yet. */
#if defined(__NuttX__)
static inline bool so_remembered(uint32_t *since_s)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    if (*since_s == 0) {
        *since_s = (uint32_t)at.tv_sec + 1;
    }
    return (uint32_t)at.tv_sec + 1 - *since_s <= CONFIG_NET_TCP_WAIT_TIMEOUT + 1;
}
#else
#define so_remembered(since_s) false
#endif

/* True for an errno that says that the peer has ended it; NuttX says of a reset that nobody is connected. */
static inline bool so_ended(int code)
{
    return code == ECONNRESET || code == EPIPE || code == ENOTCONN;
}

static inline void so_shut(int *fd)
{
    if (*fd >= 0) {
        (void)so_(close)(*fd);
    }
    *fd = -1;
}

/* Makes a descriptor one that does not block, and that no other program inherits. -1, errno: it is closed. */
static inline int so_unblocked(int fd)
{
    int code;

    if (fd < 0) {
        return -1;
    }
#ifdef FD_CLOEXEC
    (void)so_(fcntl)(fd, F_SETFD, FD_CLOEXEC);
#endif
    if (so_(fcntl)(fd, F_SETFL, O_NONBLOCK) == 0) {
        return fd;
    }
    code = errno;
    so_shut(&fd);
    errno = code;
    return -1;
}

/* A new one; where the system can, it is so from the beginning. */
#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
static inline int so_stream(int family)
{
    return so_(socket)(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
}
#else
static inline int so_stream(int family)
{
    return so_unblocked(so_(socket)(family, SOCK_STREAM, IPPROTO_TCP));
}
#endif

/* No call moves more: some stacks take an int. */
static inline size_t so_piece(size_t len)
{
    return len < INT16_MAX ? len : INT16_MAX;
}

#endif
