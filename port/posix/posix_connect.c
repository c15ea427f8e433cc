/* posix_connect.c - from a host name to a connection: every address gets its turn. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "posix.h"

int acme_posix_net_failed(struct acme_posix_net *n, int code)
{
    n->error = code;
    switch (code) {
    case ECONNREFUSED:
        return ACME_E_REFUSED;
    case ETIMEDOUT:
        return ACME_E_TIMEOUT;
    case ECONNRESET:
    case EPIPE:
        return ACME_E_CLOSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return ACME_E_UNREACHABLE;
    default:
        return ACME_E_NET;
    }
}

/* Begins to connect to an address. Returns 1 connected, 0 not yet, or an error. */
static int begin(struct acme_posix_net *n, const struct acme_posix_address *address)
{
    int on = 1;

    n->fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (n->fd < 0) {
        return acme_posix_net_failed(n, errno);
    }
    n->since_ms = acme_posix_now_ms();
    (void)setsockopt(n->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(n->fd, (const struct sockaddr *)&address->at, address->len) == 0) {
        return 1;
    }
    return errno == EINPROGRESS || errno == EINTR ? 0 : acme_posix_net_failed(n, errno);
}

/* Looks how the attempt in hand goes. Returns as begin(). */
static int go_on(struct acme_posix_net *n)
{
    struct pollfd ready = {.fd = n->fd, .events = POLLOUT};
    int code = 0;
    socklen_t len = sizeof code;

    if (poll(&ready, 1, 0) <= 0) {
        bool early = acme_posix_now_ms() - n->since_ms < ACME_POSIX_TURN_MS(n->lookup.count);
        return early ? 0 : acme_posix_net_failed(n, ETIMEDOUT);
    }
    if (getsockopt(n->fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0) {
        code = errno;
    }
    return code == 0 ? 1 : acme_posix_net_failed(n, code);
}

int acme_posix_connect(void *ctx, const char *host, uint16_t port)
{
    struct acme_posix_net *n = ctx;
    int r;

    if (!n->trying) {
        r = acme_posix_lookup(&n->lookup, host, port);
        n->error = r == ACME_E_NET ? errno : 0;
        if (r <= 0) {
            return r;
        }
        n->trying = true;
        n->at = 0;
        n->failure = ACME_E_NET;
    }
    for (; n->at < n->lookup.count; n->at++) {
        r = n->fd < 0 ? begin(n, &n->lookup.addresses[n->at]) : go_on(n);
        if (r >= 0) {
            n->trying = r == 0;
            n->armed = r == 0 ? POLLOUT : 0;
            return r;
        }
        /* What an address answered tells more than that another has no route. */
        if (n->failure == ACME_E_NET || n->failure == ACME_E_UNREACHABLE) {
            n->failure = r;
        }
        if (n->fd >= 0) {
            (void)close(n->fd);
            n->fd = -1;
        }
    }
    n->trying = false;
    return n->failure;
}
