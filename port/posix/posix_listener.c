/* posix_listener.c - incoming connections for http-01 and tls-alpn-01. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "posix.h"

static bool not_now(int code)
{
    return code == EAGAIN || code == EWOULDBLOCK || code == EINTR || code == ECONNABORTED || code == ENOBUFS;
}

/* Takes one address. Returns a descriptor or -1. */
static int bind_to(const struct addrinfo *at)
{
    int on = 1, off = 0, code;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (at->ai_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0) {
        return fd;
    }
    code = errno;
    (void)close(fd);
    errno = code;
    return -1;
}

/* Takes the port, if it is not taken yet. Without it l->fd is -1. */
static void take_port(struct acme_posix_listener *l)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char port[6];

    if (l->fd >= 0) {
        return;
    }
    (void)snprintf(port, sizeof port, "%u", (unsigned)l->port);
    /* "::" takes IPv4 too; a kernel without IPv6 has only the other. */
    if (getaddrinfo(l->address != NULL ? l->address : "::", port, &hints, &list) == 0) {
        l->fd = bind_to(list);
        l->error = errno;
        freeaddrinfo(list);
    } else {
        l->error = EINVAL;
    }
    if (l->fd < 0 && l->address == NULL && (l->error == EAFNOSUPPORT || l->error == EADDRNOTAVAIL) &&
        getaddrinfo("0.0.0.0", port, &hints, &list) == 0) {
        l->fd = bind_to(list);
        l->error = errno;
        freeaddrinfo(list);
    }
}

void acme_posix_listener_keep(struct acme_posix_listener *l)
{
    take_port(l);
    l->kept = l->fd >= 0;
    l->early = l->fd >= 0 ? 0 : l->error;
}

static int listener_start(void *ctx)
{
    struct acme_posix_listener *l = ctx;

    if (l->listening) {
        return 1;
    }
    take_port(l);
    if (l->fd < 0) { /* what stood in the way when there was still the right to */
        l->error = l->early != 0 && l->error == EACCES ? l->early : l->error;
        return ACME_E_LISTEN;
    }
    l->listening = listen(l->fd, SOMAXCONN) == 0;
    if (!l->listening) {
        l->error = errno;
        l->listener.stop(l);
    }
    return l->listening ? 1 : ACME_E_LISTEN;
}

static int listener_accept(void *ctx, unsigned slot)
{
    struct acme_posix_listener *l = ctx;
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0 && not_now(errno)) {
        l->armed = POLLIN;
        return 0;
    }
    l->error = errno;
    l->slots[slot].fd = fd;
    l->slots[slot].armed = 0;
    return fd >= 0 ? 1 : ACME_E_NET;
}

static int moved(struct acme_posix_listener *l, unsigned slot, ssize_t n, short event)
{
    if (n < 0 && not_now(errno)) {
        l->slots[slot].armed |= event;
        return 0;
    }
    return n >= 0 ? (int)n : errno == ECONNRESET || errno == EPIPE ? ACME_E_CLOSED : ACME_E_NET;
}

static int listener_recv(void *ctx, unsigned slot, void *data, size_t cap)
{
    struct acme_posix_listener *l = ctx;
    ssize_t n = cap > 0 ? recv(l->slots[slot].fd, data, cap < INT16_MAX ? cap : INT16_MAX, 0) : 0;
    return n == 0 && cap > 0 ? ACME_E_CLOSED : moved(l, slot, n, POLLIN);
}

static int listener_send(void *ctx, unsigned slot, const void *data, size_t len)
{
    struct acme_posix_listener *l = ctx;
    ssize_t n = send(l->slots[slot].fd, data, len < INT16_MAX ? len : INT16_MAX, MSG_NOSIGNAL);
    return moved(l, slot, n, POLLOUT);
}

static void listener_close(void *ctx, unsigned slot)
{
    struct acme_posix_listener *l = ctx;
    char rest[512];

    if (l->slots[slot].fd < 0) {
        return;
    }
    /* Closing with bytes unread would make a reset of it, which can overtake the answer. */
    (void)shutdown(l->slots[slot].fd, SHUT_WR);
    for (int i = 0; i < 16 && recv(l->slots[slot].fd, rest, sizeof rest, 0) > 0; i++) {
    }
    (void)close(l->slots[slot].fd);
    l->slots[slot].fd = -1;
    l->slots[slot].armed = 0;
}

static void listener_stop(void *ctx)
{
    struct acme_posix_listener *l = ctx;
    /* A port that is kept is taken still, but shut: whoever connects is refused, and listen() opens it again. */
    bool shut = l->kept && (!l->listening || shutdown(l->fd, SHUT_RDWR) == 0);
    if (l->fd >= 0 && !shut) {
        (void)close(l->fd);
        l->fd = -1;
    }
    l->listening = false;
    l->armed = 0;
}

int acme_posix_listener_init_sized(struct acme_posix_listener *l, size_t size, const char *address, uint16_t port)
{
    static const struct acme_listener listener = {NULL,          listener_start, listener_accept, listener_recv,
                                                  listener_send, listener_close, listener_stop};
    if (size != sizeof *l) {
        return ACME_E_SIZE;
    }
    l->listener = listener;
    l->listener.ctx = l;
    l->address = address;
    l->port = port;
    l->fd = -1;
    l->kept = l->listening = false;
    l->armed = 0;
    l->error = l->early = 0;
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        l->slots[i].fd = -1;
        l->slots[i].armed = 0;
    }
    return 0;
}

uint16_t acme_posix_listener_port(const struct acme_posix_listener *l)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    socklen_t len = sizeof at;

    if (!l->listening || getsockname(l->fd, &at.any, &len) != 0) {
        return 0;
    }
    return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}
