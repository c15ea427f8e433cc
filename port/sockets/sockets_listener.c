/* sockets_listener.c - struct acme_listener: incoming connections for http-01 and tls-alpn-01. */
#define _GNU_SOURCE 1
#include "names.h"

static int listener_start(void *ctx)
{
    struct acme_sockets_listener *l = ctx;
    int on = 1;

    if (l->fd >= 0) {
        return 1;
    }
    l->fd = so_stream(l->on.at.ss_family);
    if (l->fd >= 0) {
        (void)so_(setsockopt)(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    if (l->fd < 0 || so_(bind)(l->fd, (const struct sockaddr *)&l->on.at, l->on.len) != 0 ||
        so_(listen)(l->fd, ACME_HTTP01_SLOTS) != 0) {
        l->error = errno;
        so_shut(&l->fd);
        return l->error == EADDRINUSE && so_remembered(&l->taken_s) ? 0 : ACME_E_LISTEN;
    }
    l->taken_s = 0;
    return 1;
}

static int listener_accept(void *ctx, unsigned slot)
{
    struct acme_sockets_listener *l = ctx;
    int fd = so_(accept)(l->fd, NULL, NULL);

    if (fd < 0 && so_not_now(errno)) {
        return 0;
    }
    l->slots[slot] = so_unblocked(fd);
    l->error = errno;
    return l->slots[slot] >= 0 ? 1 : ACME_E_NET;
}

static int moved(ssize_t count)
{
    if (count >= 0) {
        return (int)count;
    }
    return so_not_now(errno) ? 0 : so_ended(errno) ? ACME_E_CLOSED : ACME_E_NET;
}

static int listener_recv(void *ctx, unsigned slot, void *data, size_t cap)
{
    struct acme_sockets_listener *l = ctx;
    ssize_t count = cap > 0 ? so_(recv)(l->slots[slot], data, so_piece(cap), 0) : 0;
    return count == 0 && cap > 0 ? ACME_E_CLOSED : moved(count);
}

static int listener_send(void *ctx, unsigned slot, const void *data, size_t len)
{
    struct acme_sockets_listener *l = ctx;
    return moved(so_(send)(l->slots[slot], data, so_piece(len), MSG_NOSIGNAL));
}

static void listener_close(void *ctx, unsigned slot)
{
    struct acme_sockets_listener *l = ctx;
    char rest[128];

    if (l->slots[slot] >= 0) {
        /* Closing with bytes unread would make a reset of it, which can overtake the answer. */
        (void)so_(shutdown)(l->slots[slot], SHUT_WR);
        for (int i = 0; i < 64 && so_(recv)(l->slots[slot], rest, sizeof rest, 0) > 0; i++) {
        }
    }
    so_shut(&l->slots[slot]);
}

static void listener_stop(void *ctx)
{
    struct acme_sockets_listener *l = ctx;
    so_shut(&l->fd);
}

int acme_sockets_listener_init_sized(struct acme_sockets_listener *l, size_t size, const char *address, uint16_t port)
{
    static const struct acme_listener listener = {NULL,          listener_start, listener_accept, listener_recv,
                                                  listener_send, listener_close, listener_stop};
    const struct acme_sockets_address *list;
    struct acme_sockets_found found;

    if (size != sizeof *l) {
        return ACME_E_SIZE;
    }
    l->listener = listener;
    l->listener.ctx = l;
    l->error = 0;
    l->taken_s = 0;
    l->fd = -1;
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        l->slots[i] = -1;
    }
    if (acme_sockets_numeric(&found, address != NULL ? address : "0.0.0.0", port, &list) != 1) {
        return ACME_E_LISTEN;
    }
    l->on = list[0];
    return 0;
}
