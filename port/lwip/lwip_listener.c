/* lwip_listener.c - struct acme_listener: a few incoming connections. */
#include "acme_lwip.h"

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct acme_lwip_listener *l = arg;

    if (err == ERR_OK && pcb != NULL) {
        for (unsigned i = 0; i < l->slots; i++) {
            struct acme_lwip_conn *c = &l->conns[i];
            if (c->pcb == NULL && c->error == 0) {
                acme_lwip_conn_take(c, pcb);
                tcp_backlog_delayed(pcb); /* it counts until it is dropped, so no more come than there is room for */
                c->connected = c->waiting = true;
                ACME_LWIP_WAKE();
                return ERR_OK;
            }
        }
    }
    return ERR_MEM; /* lwIP then ends it */
}

static int listener_start(void *ctx)
{
    struct acme_lwip_listener *l = ctx;
    struct tcp_pcb *pcb = NULL, *listening = NULL;

    ACME_LWIP_LOCK();
    if (l->pcb == NULL && (pcb = tcp_new_ip_type(IPADDR_TYPE_ANY)) != NULL) {
        tcp_setprio(pcb, TCP_PRIO_MIN + 1); /* strangers' connections make room for our own, when lwIP has no more */
        ip_set_option(pcb, SOF_REUSEADDR);  /* connections of the last time may still be on their way out */
        if (tcp_bind(pcb, IP_ANY_TYPE, l->port) == ERR_OK) {
            listening = tcp_listen_with_backlog(pcb, l->slots);
        }
        if (listening == NULL) {
            (void)tcp_close(pcb);
        } else {
            l->pcb = listening;
            tcp_arg(listening, l);
            tcp_accept(listening, on_accept);
        }
    }
    ACME_LWIP_UNLOCK();
    return l->pcb != NULL ? 1 : ACME_E_LISTEN;
}

/* A connection that waits in another slot's place moves into this one. */
static struct acme_lwip_conn *waiting(struct acme_lwip_listener *l, unsigned slot)
{
    struct acme_lwip_conn *to = &l->conns[slot];

    for (unsigned i = 0; i < l->slots && !to->waiting; i++) {
        struct acme_lwip_conn *from = &l->conns[i];
        if (from->waiting) {
            *to = *from;
            from->pcb = NULL;
            from->received = NULL;
            from->error = 0;
            from->waiting = false;
            if (to->pcb != NULL) {
                tcp_arg(to->pcb, to);
            }
        }
    }
    return to->waiting ? to : NULL;
}

static int listener_accept(void *ctx, unsigned slot)
{
    struct acme_lwip_listener *l = ctx;
    struct acme_lwip_conn *c;

    if (slot >= l->slots) {
        return 0;
    }
    ACME_LWIP_LOCK();
    c = waiting(l, slot);
    if (c != NULL) {
        c->waiting = false;
    }
    ACME_LWIP_UNLOCK();
    return c != NULL ? 1 : 0;
}

static int listener_recv(void *ctx, unsigned slot, void *data, size_t cap)
{
    struct acme_lwip_listener *l = ctx;
    return acme_lwip_conn_recv(&l->conns[slot], data, cap);
}

static int listener_send(void *ctx, unsigned slot, const void *data, size_t len)
{
    struct acme_lwip_listener *l = ctx;
    return acme_lwip_conn_send(&l->conns[slot], data, len);
}

static void listener_close(void *ctx, unsigned slot)
{
    struct acme_lwip_listener *l = ctx;

    ACME_LWIP_LOCK();
    acme_lwip_conn_shed(&l->conns[slot]);
    ACME_LWIP_UNLOCK();
}

static void listener_stop(void *ctx)
{
    struct acme_lwip_listener *l = ctx;

    ACME_LWIP_LOCK();
    if (l->pcb != NULL) {
        (void)tcp_close(l->pcb);
        l->pcb = NULL;
    }
    for (unsigned i = 0; i < l->slots; i++) { /* those the core has not seen */
        acme_lwip_conn_shed(&l->conns[i]);
    }
    ACME_LWIP_UNLOCK();
}

bool acme_lwip_listener_awaited(const struct acme_lwip_listener *l)
{
    bool awaited = false;

    ACME_LWIP_LOCK();
    for (unsigned i = 0; i < l->slots; i++) {
        awaited = awaited || l->conns[i].waiting;
    }
    ACME_LWIP_UNLOCK();
    return awaited;
}

int acme_lwip_listener_init_sized(struct acme_lwip_listener *l, size_t size, uint16_t port, uint8_t slots)
{
    static const struct acme_lwip_listener none = {.listener = {NULL, listener_start, listener_accept, listener_recv,
                                                                listener_send, listener_close, listener_stop}};

    if (size != sizeof *l) {
        return ACME_E_SIZE;
    }
    *l = none;
    l->listener.ctx = l;
    l->port = port;
    l->slots = slots < ACME_HTTP01_SLOTS ? slots : ACME_HTTP01_SLOTS;
    return 0;
}
