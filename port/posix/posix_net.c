/* posix_net.c - struct acme_net: one outgoing TCP connection. posix_connect.c opens it. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "posix.h"

static int moved(struct acme_posix_net *n, ssize_t count, short event)
{
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS)) {
        n->armed |= event;
        return 0;
    }
    return count < 0 ? acme_posix_net_failed(n, errno) : (int)count;
}

static int net_send(void *ctx, const void *data, size_t len)
{
    struct acme_posix_net *n = ctx;
    return moved(n, send(n->fd, data, len < INT16_MAX ? len : INT16_MAX, MSG_NOSIGNAL), POLLOUT);
}

static int net_recv(void *ctx, void *data, size_t cap)
{
    struct acme_posix_net *n = ctx;
    ssize_t count = cap > 0 ? recv(n->fd, data, cap < INT16_MAX ? cap : INT16_MAX, 0) : 0;
    return count == 0 && cap > 0 ? ACME_E_CLOSED : moved(n, count, POLLIN);
}

static void net_close(void *ctx)
{
    struct acme_posix_net *n = ctx;
    if (n->fd >= 0) {
        (void)close(n->fd);
    }
    n->fd = -1;
    n->armed = 0;
    n->trying = false;
}

void acme_posix_net_init(struct acme_posix_net *n)
{
    static const struct acme_posix_net none = {
        .net = {NULL, acme_posix_connect, net_send, net_recv, net_close}, .fd = -1, .lookup = {.wake = {-1, -1}}};
    *n = none;
    n->net.ctx = n;
}
