/* sockets_numeric.c - an IP address as text, and nothing else. */
#define _GNU_SOURCE 1
#include "names.h"

static bool four(struct acme_sockets_address *to, const char *host, uint16_t port)
{
    struct sockaddr_in at;

    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    to->len = sizeof at;
    if (so_(inet_pton)(AF_INET, host, &at.sin_addr) != 1) {
        return false;
    }
    memcpy(&to->at, &at, sizeof at);
    return true;
}

#if SO_IPV6
static bool six(struct acme_sockets_address *to, const char *host, uint16_t port)
{
    struct sockaddr_in6 at;

    memset(&at, 0, sizeof at);
    at.sin6_family = AF_INET6;
    at.sin6_port = htons(port);
    to->len = sizeof at;
    if (so_(inet_pton)(AF_INET6, host, &at.sin6_addr) != 1) {
        return false;
    }
    memcpy(&to->at, &at, sizeof at);
    return true;
}
#else
#define six(to, host, port) false
#endif

int acme_sockets_numeric(void *ctx, const char *host, uint16_t port, const struct acme_sockets_address **list)
{
    struct acme_sockets_found *found = ctx;

    *list = found->list;
    return four(&found->list[0], host, port) || six(&found->list[0], host, port) ? 1 : ACME_E_HOST;
}
