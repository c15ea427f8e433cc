/* lwip_net.c - struct acme_net: name lookup and one outgoing connection. */
#include <string.h>

#include "lwip/dns.h"

#include "acme_lwip.h"

static void on_found(const char *name, const ip_addr_t *address, void *arg)
{
    struct acme_lwip_net *n = arg;

    /* The answer to a lookup that was given up may come while another one is under way. */
    if (n->state == ACME_LWIP_LOOKUP && strcmp(name, n->host) == 0) {
        n->state = address != NULL ? ACME_LWIP_FOUND : ACME_LWIP_NOT_FOUND;
        if (address != NULL) {
            n->address = *address;
        }
        ACME_LWIP_WAKE();
    }
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct acme_lwip_conn *c = arg;

    (void)pcb, (void)err;
    c->connected = true;
    ACME_LWIP_WAKE();
    return ERR_OK;
}

/* Which of IPv4 and IPv6 comes first; the other follows only when there is no address of that kind. */
#define OTHER_ADDRTYPE                                                                                               \
    (LWIP_DNS_ADDRTYPE_DEFAULT == LWIP_DNS_ADDRTYPE_IPV4_IPV6   ? LWIP_DNS_ADDRTYPE_IPV6_IPV4                        \
     : LWIP_DNS_ADDRTYPE_DEFAULT == LWIP_DNS_ADDRTYPE_IPV6_IPV4 ? LWIP_DNS_ADDRTYPE_IPV4_IPV6                        \
                                                                : LWIP_DNS_ADDRTYPE_DEFAULT)

/* Begins the lookup; an IP address needs none. */
static int look_up(struct acme_lwip_net *n, const char *host)
{
    n->host = host;
    n->state = ACME_LWIP_LOOKUP;
    switch (dns_gethostbyname_addrtype(host, &n->address, on_found, n,
                                       n->other ? OTHER_ADDRTYPE : LWIP_DNS_ADDRTYPE_DEFAULT)) {
    case ERR_OK:
        n->state = ACME_LWIP_FOUND;
        return 0;
    case ERR_INPROGRESS:
        return 0;
    default: /* no name server is known, or its table is full */
        n->state = ACME_LWIP_OFF;
        return ACME_E_HOST;
    }
}

static int connect_to(struct acme_lwip_net *n, uint16_t port)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(&n->address));
    err_t err;

    n->state = ACME_LWIP_OFF;
    if (pcb == NULL) {
        return ACME_E_NET;
    }
    n->state = ACME_LWIP_CONNECTING;
    acme_lwip_conn_take(&n->conn, pcb);
    err = tcp_connect(pcb, &n->address, port, on_connected);
    return err == ERR_OK ? 0 : err == ERR_RTE ? ACME_E_UNREACHABLE : ACME_E_NET;
}

static int progress(struct acme_lwip_net *n, const char *host, uint16_t port)
{
    switch (n->state) {
    case ACME_LWIP_OFF:
        return look_up(n, host);
    case ACME_LWIP_LOOKUP:
        return 0;
    case ACME_LWIP_FOUND:
        return connect_to(n, port);
    case ACME_LWIP_NOT_FOUND:
        n->state = ACME_LWIP_OFF;
        return ACME_E_HOST;
    case ACME_LWIP_CONNECTING:
        break;
    }
    return n->conn.connected ? 1 : n->conn.error;
}

/* Ends the connection or the attempt; after one that came to nothing the other kind of address goes first. */
static void end(struct acme_lwip_net *n)
{
    if (LWIP_IPV4 && LWIP_IPV6 && n->state == ACME_LWIP_CONNECTING && !n->conn.connected) {
        n->other = !n->other;
    }
    acme_lwip_conn_drop(&n->conn);
    n->state = ACME_LWIP_OFF;
}

static int net_open(void *ctx, const char *host, uint16_t port)
{
    struct acme_lwip_net *n = ctx;
    int result;

    ACME_LWIP_LOCK();
    result = progress(n, host, port);
    if (result < 0) {
        end(n);
    }
    ACME_LWIP_UNLOCK();
    return result;
}

static int net_send(void *ctx, const void *data, size_t len)
{
    struct acme_lwip_net *n = ctx;
    return acme_lwip_conn_send(&n->conn, data, len);
}

static int net_recv(void *ctx, void *data, size_t cap)
{
    struct acme_lwip_net *n = ctx;
    return acme_lwip_conn_recv(&n->conn, data, cap);
}

static void net_close(void *ctx)
{
    struct acme_lwip_net *n = ctx;

    ACME_LWIP_LOCK();
    end(n);
    ACME_LWIP_UNLOCK();
}

int acme_lwip_net_init_sized(struct acme_lwip_net *n, size_t size)
{
    static const struct acme_lwip_net none = {.net = {NULL, net_open, net_send, net_recv, net_close}};

    if (size != sizeof *n) {
        return ACME_E_SIZE;
    }
    *n = none;
    n->net.ctx = n;
    return 0;
}
