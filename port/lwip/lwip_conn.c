/* lwip_conn.c - one TCP connection of lwIP's raw API: callbacks note, the caller moves. */
#include "acme_lwip.h"

#include "lwip/priv/tcp_priv.h" /* tcp_abandon() */

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct acme_lwip_conn *c = arg;

    (void)pcb, (void)err;
    if (p == NULL) {
        c->error = ACME_E_CLOSED;
    } else if (c->received == NULL) {
        c->received = p;
    } else {
        pbuf_cat(c->received, p);
    }
    ACME_LWIP_WAKE();
    return ERR_OK;
}

/* There is room again. */
static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    (void)arg, (void)pcb, (void)len;
    ACME_LWIP_WAKE();
    return ERR_OK;
}

/* The pcb is gone when lwIP tells this. */
static void on_error(void *arg, err_t err)
{
    struct acme_lwip_conn *c = arg;

    c->pcb = NULL;
    if (c->error == 0) {
        c->error = c->connected ? ACME_E_CLOSED : err == ERR_RST ? ACME_E_REFUSED : ACME_E_TIMEOUT;
    }
    ACME_LWIP_WAKE();
}

void acme_lwip_conn_take(struct acme_lwip_conn *c, struct tcp_pcb *pcb)
{
    c->pcb = pcb;
    c->received = NULL;
    c->error = 0;
    c->connected = c->waiting = c->spoke = false;
    tcp_arg(pcb, c);
    tcp_recv(pcb, on_recv);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_nagle_disable(pcb); /* a record is whole when it is given to us */
}

int acme_lwip_conn_send(struct acme_lwip_conn *c, const void *data, size_t len)
{
    int result;

    ACME_LWIP_LOCK();
    result = c->error != 0 ? c->error : ACME_E_NET;
    if (c->pcb != NULL) {
        u16_t room = tcp_sndbuf(c->pcb), count = len < room ? (u16_t)len : room;
        /* Memory for segments may be short though the window is not: then fewer bytes go, or none for now. */
        err_t err = ERR_MEM;
        while (count > 0 && (err = tcp_write(c->pcb, data, count, TCP_WRITE_FLAG_COPY)) == ERR_MEM) {
            count /= 2;
        }
        result = count == 0 || err == ERR_MEM ? 0 : err == ERR_OK ? count : ACME_E_CLOSED;
        c->spoke = c->spoke || result > 0;
        (void)tcp_output(c->pcb);
    }
    ACME_LWIP_UNLOCK();
    return result;
}

int acme_lwip_conn_recv(struct acme_lwip_conn *c, void *data, size_t cap)
{
    int result;

    ACME_LWIP_LOCK();
    if (c->received != NULL) {
        u16_t count = pbuf_copy_partial(c->received, data, cap < INT16_MAX ? (u16_t)cap : INT16_MAX, 0);
        c->received = pbuf_free_header(c->received, count);
        if (c->pcb != NULL) {
            tcp_recved(c->pcb, count);
        }
        result = count;
    } else {
        result = c->error != 0 ? c->error : c->pcb != NULL ? 0 : ACME_E_NET;
    }
    ACME_LWIP_UNLOCK();
    return result;
}

static void drop(struct acme_lwip_conn *c, bool silently)
{
    struct tcp_pcb *pcb = c->pcb;

    if (c->received != NULL) {
        if (pcb != NULL) { /* lwIP answers a close with a reset while something is unread: it would overtake us */
            tcp_recved(pcb, c->received->tot_len);
        }
        (void)pbuf_free(c->received);
    }
    if (pcb != NULL) {
        tcp_arg(pcb, NULL);
        tcp_recv(pcb, NULL);
        tcp_err(pcb, NULL);
        tcp_backlog_accepted(pcb);
        tcp_setprio(pcb,
                    TCP_PRIO_MIN); /* a peer that never closes his side keeps it for 20 s, or until it is needed */
        if (silently) {
            tcp_abandon(pcb, 0);
        } else if (tcp_close(pcb) != ERR_OK) {
            tcp_abort(pcb);
        }
    }
    c->pcb = NULL;
    c->received = NULL;
    c->error = 0;
    c->connected = c->waiting = c->spoke = false;
}

void acme_lwip_conn_drop(struct acme_lwip_conn *c)
{
    drop(c, false);
}

void acme_lwip_conn_shed(struct acme_lwip_conn *c)
{
    drop(c, !c->spoke);
}
