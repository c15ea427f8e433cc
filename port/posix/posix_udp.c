/* posix_udp.c - struct acme_udp: datagrams to one address. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <unistd.h>

#include "posix.h"

static bool not_now(int code)
{
    return code == EAGAIN || code == EWOULDBLOCK || code == EINTR || code == ENOBUFS;
}

static int failed(struct acme_posix_udp *u)
{
    u->error = errno;
    return errno == ECONNREFUSED ? ACME_E_REFUSED : ACME_E_NET;
}

static int udp_open(void *ctx, const char *host, uint16_t port)
{
    struct acme_posix_udp *u = ctx;
    int done = u->fd >= 0 ? 1 : acme_posix_lookup(&u->lookup, host, port);

    if (done != 1 || u->fd >= 0) {
        return done;
    }
    const struct acme_sockets_address *to = &u->lookup.addresses[u->at++ % u->lookup.count];
    u->fd = socket(to->at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* The kernel chooses the port, and lets nobody else in. */
    if (u->fd < 0 || connect(u->fd, (const struct sockaddr *)&to->at, to->len) != 0) {
        done = failed(u);
        u->udp.close(u);
    }
    return done;
}

static int udp_send(void *ctx, const void *data, size_t len)
{
    struct acme_posix_udp *u = ctx;
    ssize_t n = send(u->fd, data, len, MSG_NOSIGNAL);
    return n >= 0 ? (int)n : not_now(errno) ? 0 : failed(u);
}

static int udp_recv(void *ctx, void *data, size_t cap)
{
    struct acme_posix_udp *u = ctx;
    ssize_t n = recv(u->fd, data, cap, MSG_TRUNC); /* tells how long it was */
    return n < 0 ? (not_now(errno) ? 0 : failed(u)) : (size_t)n > cap ? 0 : (int)n;
}

static void udp_close(void *ctx)
{
    struct acme_posix_udp *u = ctx;
    if (u->fd >= 0) {
        (void)close(u->fd);
    }
    u->fd = -1;
}

void acme_posix_udp_init(struct acme_posix_udp *u)
{
    const struct acme_udp udp = {u, udp_open, udp_send, udp_recv, udp_close};
    u->udp = udp;
    u->lookup.running = false;
    u->lookup.wake[0] = u->lookup.wake[1] = -1;
    u->lookup.host[0] = '\0';
    u->fd = -1;
    u->at = 0;
    u->error = 0;
}
