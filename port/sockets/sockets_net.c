/* sockets_net.c - struct acme_net: from a host name to a connection, where every address gets its turn, and its bytes. */
#define _GNU_SOURCE 1
#include "names.h"

static int failed(struct acme_sockets_net *n, int code)
{
    n->error = code;
    switch (code) {
    case ECONNREFUSED:
        return ACME_E_REFUSED;
    case ETIMEDOUT:
        return ACME_E_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return ACME_E_UNREACHABLE;
    default:
        return so_ended(code) ? ACME_E_CLOSED : ACME_E_NET;
    }
}

/* Begins to connect to an address. Returns 1 connected, 0 not yet, or an error. */
static int begin(struct acme_sockets_net *n, const struct acme_sockets_address *address)
{
    int on = 1;

    n->fd = so_stream(address->at.ss_family);
    if (n->fd < 0) {
        return failed(n, errno);
    }
    n->since_ms = n->now_ms();
    (void)so_(setsockopt)(n->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (so_(connect)(n->fd, (const struct sockaddr *)&address->at, address->len) == 0) {
        return 1;
    }
    return errno == EINPROGRESS || errno == EINTR ? 0 : failed(n, errno);
}

/* What has become of the attempt: 0 connected, or an errno. Where the stack has no SO_ERROR (Zephyr), connect() tells it. */
static int outcome(const struct acme_sockets_net *n)
{
    const struct acme_sockets_address *address = &n->list[n->at];
    int code = 0;
    socklen_t len = sizeof code;

    if (so_(getsockopt)(n->fd, SOL_SOCKET, SO_ERROR, &code, &len) == 0) {
        return code;
    }
    if (errno == ENOPROTOOPT &&
        (so_(connect)(n->fd, (const struct sockaddr *)&address->at, address->len) == 0 || errno == EISCONN)) {
        return 0;
    }
    return errno;
}

/* Looks how the attempt in hand goes. Returns as begin(). */
static int go_on(struct acme_sockets_net *n)
{
    so_pollfd ready = {.fd = n->fd, .events = POLLOUT};
    int code;

    if (so_(poll)(&ready, 1, 0) <= 0) {
        bool early = n->now_ms() - n->since_ms < ACME_SOCKETS_TURN_MS(n->count);
        return early ? 0 : failed(n, ETIMEDOUT);
    }
    code = outcome(n);
    if (code == EINPROGRESS || code == EALREADY) {
        return 0;
    }
    return code == 0 ? 1 : failed(n, code);
}

static int net_open(void *ctx, const char *host, uint16_t port)
{
    struct acme_sockets_net *n = ctx;
    int r;

    if (!n->trying) {
        r = n->find(n->find_ctx, host, port, &n->list);
        n->error = r == ACME_E_NET ? errno : 0;
        if (r <= 0) {
            return r;
        }
        n->count = (unsigned)r;
        n->trying = true;
        n->at = 0;
        n->failure = ACME_E_NET;
    }
    for (; n->at < n->count; n->at++) {
        r = n->fd < 0 ? begin(n, &n->list[n->at]) : go_on(n);
        if (r >= 0) {
            n->trying = r == 0;
            n->armed = r == 0 ? ACME_SOCKETS_WRITE : 0;
            return r;
        }
        /* What an address answered tells more than that another has no route. */
        if (n->failure == ACME_E_NET || n->failure == ACME_E_UNREACHABLE) {
            n->failure = r;
        }
        so_shut(&n->fd);
    }
    n->trying = false;
    return n->failure;
}

static int moved(struct acme_sockets_net *n, ssize_t count, short event)
{
    if (count < 0 && so_not_now(errno)) {
        n->armed = (short)(n->armed | event);
        return 0;
    }
    return count < 0 ? failed(n, errno) : (int)count;
}

static int net_send(void *ctx, const void *data, size_t len)
{
    struct acme_sockets_net *n = ctx;
    return moved(n, so_(send)(n->fd, data, so_piece(len), MSG_NOSIGNAL), ACME_SOCKETS_WRITE);
}

static int net_recv(void *ctx, void *data, size_t cap)
{
    struct acme_sockets_net *n = ctx;
    ssize_t count = cap > 0 ? so_(recv)(n->fd, data, so_piece(cap), 0) : 0;
    return count == 0 && cap > 0 ? ACME_E_CLOSED : moved(n, count, ACME_SOCKETS_READ);
}

static void net_close(void *ctx)
{
    struct acme_sockets_net *n = ctx;
    so_shut(&n->fd);
    n->armed = 0;
    n->trying = false;
}

void acme_sockets_net_init(struct acme_sockets_net *n, uint32_t (*now_ms)(void), acme_sockets_find *find,
                           void *find_ctx)
{
    static const struct acme_sockets_net none = {.net = {NULL, net_open, net_send, net_recv, net_close}, .fd = -1};
    *n = none;
    n->net.ctx = n;
    n->now_ms = now_ms;
    n->find = find;
    n->find_ctx = find_ctx;
}
