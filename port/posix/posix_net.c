/* posix_net.c - struct acme_net: port/sockets, whose names are looked up aside. */
#define _GNU_SOURCE 1
#include "posix.h"

static int find(void *ctx, const char *host, uint16_t port, const struct acme_sockets_address **list)
{
    struct acme_posix_lookup *l = ctx;
    int found = acme_posix_lookup(l, host, port);

    *list = l->addresses;
    return found == 1 ? (int)l->count : found;
}

void acme_posix_net_init(struct acme_posix_net *n)
{
    static const struct acme_posix_lookup none = {.wake = {-1, -1}};

    n->lookup = none;
    acme_sockets_net_init(&n->tcp, acme_posix_now_ms, find, &n->lookup);
}
