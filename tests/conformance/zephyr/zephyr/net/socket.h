/* socket.h - Zephyr's sockets as far as port/sockets names them: declarations only, so that it is compiled with these names. */
#ifndef CONFORMANCE_ZEPHYR_SOCKET_H
#define CONFORMANCE_ZEPHYR_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef NAMES_OF_4_4
#define sockaddr         net_sockaddr
#define sockaddr_storage net_sockaddr_storage
#define sockaddr_in      net_sockaddr_in
#define sockaddr_in6     net_sockaddr_in6
#define socklen_t        net_socklen_t
#endif

typedef uint16_t sa_family_t;
typedef size_t socklen_t;

struct in_addr {
    uint32_t s_addr;
};
struct in6_addr {
    uint8_t s6_addr[16];
};
struct sockaddr {
    sa_family_t sa_family;
    char data[22];
};
struct sockaddr_storage {
    sa_family_t ss_family;
    char data[26];
};
struct sockaddr_in {
    sa_family_t sin_family;
    uint16_t sin_port;
    struct in_addr sin_addr;
};
struct sockaddr_in6 {
    sa_family_t sin6_family;
    uint16_t sin6_port;
    struct in6_addr sin6_addr;
    uint8_t sin6_scope_id;
};
struct zsock_pollfd {
    int fd;
    short events, revents;
};
struct zsock_addrinfo {
    struct zsock_addrinfo *ai_next;
    int ai_flags, ai_family, ai_socktype, ai_protocol;
    socklen_t ai_addrlen;
    struct sockaddr *ai_addr;
};

#ifdef NAMES_OF_4_4
#define NET_AF_INET  1
#define NET_AF_INET6 2
enum { NET_SOCK_STREAM = 1, NET_IPPROTO_TCP = 6 };
#define ZSOCK_SOL_SOCKET   1
#define ZSOCK_SO_REUSEADDR 2
#define ZSOCK_SO_ERROR     4
#define ZSOCK_TCP_NODELAY  1
#define net_htons(x)       ((uint16_t)((uint16_t)(x) << 8 | (uint16_t)(x) >> 8))
#else
enum {
    AF_INET = 1,
    AF_INET6 = 2,
    SOCK_STREAM = 1,
    IPPROTO_TCP = 6,
    SOL_SOCKET = 1,
    SO_REUSEADDR = 2,
    SO_ERROR = 4,
    TCP_NODELAY = 1
};
#define htons(x) ((uint16_t)((uint16_t)(x) << 8 | (uint16_t)(x) >> 8))
#endif
#define ZSOCK_POLLOUT 4
#define ZSOCK_SHUT_WR 1

int zsock_socket(int family, int type, int proto);
int zsock_close(int sock);
int zsock_shutdown(int sock, int how);
int zsock_bind(int sock, const struct sockaddr *address, socklen_t len);
int zsock_connect(int sock, const struct sockaddr *address, socklen_t len);
int zsock_listen(int sock, int backlog);
int zsock_accept(int sock, struct sockaddr *address, socklen_t *len);
ssize_t zsock_send(int sock, const void *data, size_t len, int flags);
ssize_t zsock_recv(int sock, void *data, size_t cap, int flags);
int zsock_fcntl(int sock, int command, int flags);
int zsock_poll(struct zsock_pollfd *fds, int count, int timeout);
int zsock_getsockopt(int sock, int level, int name, void *value, socklen_t *len);
int zsock_setsockopt(int sock, int level, int name, const void *value, socklen_t len);
int zsock_inet_pton(sa_family_t family, const char *text, void *address);
int zsock_getaddrinfo(const char *host, const char *service, const struct zsock_addrinfo *hints,
                      struct zsock_addrinfo **list);
void zsock_freeaddrinfo(struct zsock_addrinfo *list);

#ifdef NAMES_OF_4_4
#undef sockaddr
#undef sockaddr_storage
#undef sockaddr_in
#undef sockaddr_in6
#undef socklen_t
#endif

#endif
