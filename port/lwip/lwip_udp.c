/* lwip_udp.c - struct acme_udp: datagrams to one address. Who has no use for it links nothing of it. */
#include <string.h>

#include "lwip/dns.h"

#include "acme_lwip.h"

#define FIRST_PORT 49152u /* those that are nobody's (RFC 6335, 6) */
#define PORT_TRIES 8

static void on_found(const char *name, const ip_addr_t *address, void *arg)
{
    struct acme_lwip_udp *u = arg;

    if (u->state == ACME_LWIP_LOOKUP && strcmp(name, u->host) == 0) { /* else that of one that was given up */
        u->state = address != NULL ? ACME_LWIP_FOUND : ACME_LWIP_NOT_FOUND;
        if (address != NULL) {
            u->address = *address;
        }
        ACME_LWIP_WAKE();
    }
}

/* lwIP lets only those through that come from where the pcb leads. One waits; whoever floods us fills no more than that. */
static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    struct acme_lwip_udp *u = arg;

    (void)pcb, (void)from, (void)port;
    if (u->received != NULL) {
        (void)pbuf_free(p);
        return;
    }
    u->received = p;
    ACME_LWIP_WAKE();
}

static void end(struct acme_lwip_udp *u)
{
    if (u->received != NULL) {
        (void)pbuf_free(u->received);
    }
    if (u->pcb != NULL) {
        udp_remove(u->pcb);
    }
    u->received = NULL;
    u->pcb = NULL;
    u->state = ACME_LWIP_OFF;
}

static int look_up(struct acme_lwip_udp *u, const char *host)
{
    u->host = host;
    u->state = ACME_LWIP_LOOKUP;
    switch (dns_gethostbyname(host, &u->address, on_found, u)) {
    case ERR_OK:
        u->state = ACME_LWIP_FOUND;
        return 0;
    case ERR_INPROGRESS:
        return 0;
    default: /* no name server is known, or its table is full */
        return ACME_E_HOST;
    }
}

/* lwIP's own choice of a port goes up by one each time, which anybody can guess. */
static int connect_to(struct acme_lwip_udp *u, uint16_t port)
{
    err_t err = ERR_USE;
    ip_addr_t any;

    ip_addr_set_any(IP_IS_V6(&u->address), &any);
    u->pcb = udp_new_ip_type(IP_GET_TYPE(&u->address));
    if (u->pcb == NULL) {
        return ACME_E_NET;
    }
    for (unsigned i = 0; i < PORT_TRIES && err == ERR_USE; i++) {
        err = udp_bind(u->pcb, &any, (u16_t)(FIRST_PORT + LWIP_RAND() % (65536u - FIRST_PORT)));
    }
    if (err != ERR_OK || udp_connect(u->pcb, &u->address, port) != ERR_OK) {
        return ACME_E_NET;
    }
    udp_recv(u->pcb, on_datagram, u);
    u->state = ACME_LWIP_CONNECTING;
    return 1;
}

static int progress(struct acme_lwip_udp *u, const char *host, uint16_t port)
{
    switch (u->state) {
    case ACME_LWIP_OFF:
        return look_up(u, host);
    case ACME_LWIP_LOOKUP:
        return 0;
    case ACME_LWIP_FOUND:
        return connect_to(u, port);
    case ACME_LWIP_NOT_FOUND:
        return ACME_E_HOST;
    case ACME_LWIP_CONNECTING:
        break;
    }
    return 1;
}

static int lwip_udp_open(void *ctx, const char *host, uint16_t port)
{
    struct acme_lwip_udp *u = ctx;
    int result;

    ACME_LWIP_LOCK();
    result = progress(u, host, port);
    if (result < 0) {
        end(u);
    }
    ACME_LWIP_UNLOCK();
    return result;
}

static int lwip_udp_send(void *ctx, const void *data, size_t len)
{
    struct acme_lwip_udp *u = ctx;
    int result = ACME_E_NET;

    ACME_LWIP_LOCK();
    struct pbuf *p = u->pcb != NULL ? pbuf_alloc(PBUF_TRANSPORT, (u16_t)len, PBUF_RAM) : NULL;
    if (p != NULL) {
        (void)pbuf_take(p, data, (u16_t)len);
        err_t err = udp_send(u->pcb, p);
        result = err == ERR_OK ? (int)len : err == ERR_MEM ? 0 : ACME_E_NET;
        (void)pbuf_free(p);
    } else if (u->pcb != NULL) {
        result = 0;
    }
    ACME_LWIP_UNLOCK();
    return result;
}

static int lwip_udp_recv(void *ctx, void *data, size_t cap)
{
    struct acme_lwip_udp *u = ctx;
    int result = u->pcb != NULL ? 0 : ACME_E_NET;

    ACME_LWIP_LOCK();
    if (u->received != NULL) {
        if (u->received->tot_len <= cap) {
            result = pbuf_copy_partial(u->received, data, u->received->tot_len, 0);
        }
        (void)pbuf_free(u->received);
        u->received = NULL;
    }
    ACME_LWIP_UNLOCK();
    return result;
}

static void lwip_udp_close(void *ctx)
{
    struct acme_lwip_udp *u = ctx;

    ACME_LWIP_LOCK();
    end(u);
    ACME_LWIP_UNLOCK();
}

int acme_lwip_udp_init_sized(struct acme_lwip_udp *u, size_t size)
{
    static const struct acme_lwip_udp none = {
        .udp = {NULL, lwip_udp_open, lwip_udp_send, lwip_udp_recv, lwip_udp_close}};

    if (size != sizeof *u) {
        return ACME_E_SIZE;
    }
    *u = none;
    u->udp.ctx = u;
    return 0;
}
