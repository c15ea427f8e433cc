/* sockets_lookup.c - names by getaddrinfo(), which blocks. */
#define _GNU_SOURCE 1
#include "names.h"

#if SO_RESOLVE

int acme_sockets_lookup(void *ctx, const char *host, uint16_t port, const struct acme_sockets_address **list)
{
    struct acme_sockets_found *found = ctx;
    so_addrinfo hints, *first = NULL;
    uint16_t swapped = htons(port);
    int count = 0;

    if (acme_sockets_numeric(ctx, host, port, list) == 1) {
        return 1;
    }
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (so_(getaddrinfo)(host, NULL, &hints, &first) != 0 || first == NULL) {
        return ACME_E_HOST;
    }
    for (const so_addrinfo *a = first; a != NULL && count < ACME_SOCKETS_ADDRESSES; a = a->ai_next) {
        struct acme_sockets_address *to = &found->list[count];
        if ((a->ai_family == AF_INET || (SO_IPV6 && a->ai_family == AF_INET6)) && a->ai_addrlen <= sizeof to->at) {
            memcpy(&to->at, a->ai_addr, a->ai_addrlen);
            to->len = (socklen_t)a->ai_addrlen;
            /* The port is at the same place in both. */
            memcpy((uint8_t *)&to->at + offsetof(struct sockaddr_in, sin_port), &swapped, sizeof swapped);
            count++;
        }
    }
    so_(freeaddrinfo)(first);
    return count > 0 ? count : ACME_E_HOST;
}

#endif
