/* sockets_numeric.c - an IP address as text, and nothing else. */
#define _GNU_SOURCE
#include "names.h"

int acme_sockets_numeric(void *ctx, const char *host, uint16_t port, const struct acme_sockets_address **list)
{
    struct acme_sockets_found *found = ctx;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    memset(&v4, 0, sizeof v4);
    memset(&v6, 0, sizeof v6);
    *list = found->list;
    if (so_(inet_pton)(AF_INET, host, &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        found->list[0].len = sizeof v4;
        memcpy(&found->list[0].at, &v4, sizeof v4);
        return 1;
    }
    if (so_(inet_pton)(AF_INET6, host, &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        found->list[0].len = sizeof v6;
        memcpy(&found->list[0].at, &v6, sizeof v6);
        return 1;
    }
    return ACME_E_HOST;
}
