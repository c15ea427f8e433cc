/* channel.h - one secure byte stream to host:port: TCP by the port, TLS by tls.h, kept between requests.
 *
 * Where the platform has TLS of its own, port/secure has the same functions over struct acme_secure_net. Which of the two
 * an image has is decided by what is linked.
 *
 * With ACME_CFG_PLAIN_HTTP a URL may say http. Then there is no TLS, and all else is the same. Whether it may is not judged
 * here: acme_setup.c and protocol/resource.c do. */
#ifndef ACME_SECURE_CHANNEL_H
#define ACME_SECURE_CHANNEL_H

#include "../acme_config.h"
#include "../acme_error.h"
#include "../acme_setup.h"
#include "../wire/url.h"
#if ACME_CFG_BEARSSL
#include "tls.h" /* for who lends a struct acme_tls; nothing here needs it */
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct acme_channel {
    const struct acme_net *net;
    const struct acme_sys *sys;
    const struct acme_trust *trust;
    struct acme_tls *tls; /* caller's memory, as is `buffer` */
    void *buffer;
    size_t buffer_len;
    const char *tls_name; /* name to check when it differs from the host; NULL: the host */
    enum { ACME_CHANNEL_CLOSED, ACME_CHANNEL_CONNECTING, ACME_CHANNEL_SHAKING, ACME_CHANNEL_OPEN } state;
    bool cut;   /* a part of the last request was not sent */
    bool moved; /* the last call moved bytes: there may be more to do at once */
    bool ahead; /* a byte has been read to see whether there is one: the next */
    uint8_t byte;
    uint32_t moved_ms;   /* when a byte last moved */
    uint32_t handshakes; /* completed, since init */
    uint32_t up, down;   /* bytes on the wire, since init */
    int tls_code;        /* of the last TLS error */
    uint16_t port;       /* of the open or opening connection, as is `host` */
    char host[254];
    const struct acme_secure_net *secure; /* in the place of net, and of all up to buffer_len: port/secure */
#if ACME_CFG_PLAIN_HTTP
    struct acme_plain {
        bool on;              /* no TLS on the open or opening connection */
        uint32_t connections; /* opened, since init */
    } plain;
#endif
};

/* Connections opened since init, with TLS or without. */
#if ACME_CFG_PLAIN_HTTP
static inline uint32_t acme_channel_connections(const struct acme_channel *c)
{
    return c->handshakes + c->plain.connections;
}
#else
static inline uint32_t acme_channel_connections(const struct acme_channel *c)
{
    return c->handshakes;
}
#endif

/* Notes what a step has moved. Returns that, with silence turned into a time-out. */
static inline int acme_channel_note(struct acme_channel *c, int moved, uint32_t now_ms)
{
    c->moved = moved > 0;
    if (moved > 0) {
        c->moved_ms = now_ms;
    } else if (moved == 0 && now_ms - c->moved_ms >= ACME_NET_TIMEOUT_MS) {
        moved = ACME_E_TIMEOUT;
    }
    return moved;
}

/* What a channel needs of the set-up: is it there? `plain`: the directory is spoken to in clear. Returns 0, ACME_E_NULL,
 * ACME_E_WORK_SMALL, ACME_E_ANCHORS, or ACME_E_URL_SCHEME; without ACME_CFG_CHECK only what could overrun memory.
 * acme_channel_init() takes it. `c` is zero before. */
int acme_channel_check(const struct acme_setup *setup, bool plain);
void acme_channel_init(struct acme_channel *c, const struct acme_setup *setup);

/* Makes the channel lead to url's origin: connects and shakes hands where needed, keeps an open connection to
 * the same host and port, closes another. To be called until it says 1, before each request, and not while
 * one is under way: a connection on which the server has said something unasked is closed and made anew.
 * Returns 1 open, 0 not yet (call again), or a negative error: the channel is then closed.
 * Work: one step of acme_tls_pump(). A silence of ACME_NET_TIMEOUT_MS is ACME_E_TIMEOUT. */
int acme_channel_open(struct acme_channel *c, const struct acme_url *url, uint32_t now_ms);

/* As acme_net's send and recv, through TLS. `last`: no more bytes belong to this request.
 * Send returns the bytes taken; when the answer comes before the request is out it takes and drops the rest,
 * for the server has made up its mind, and the connection is not used again (RFC 9112, 9.5).
 * acme_channel_flush() tells when they are out: 1 yes, 0 not yet, or an error.
 * Receive returns bytes, 0 not now, ACME_E_CLOSED (*clean: with close_notify, or in clear), ACME_E_TIMEOUT, or
 * another error. All close the channel on an error.
 * Work: one step of acme_tls_pump() each. */
int acme_channel_send(struct acme_channel *c, const void *data, size_t len, bool last, uint32_t now_ms);
int acme_channel_flush(struct acme_channel *c, uint32_t now_ms);
int acme_channel_recv(struct acme_channel *c, void *data, size_t cap, bool *clean, uint32_t now_ms);

/* Closes the connection; the TLS session stays resumable. */
void acme_channel_close(struct acme_channel *c);

/* After ACME_E_TLS_UNTRUSTED: whom there is no anchor for, as acme_tls_issuer(); empty: not known. */
const char *acme_channel_issuer(const struct acme_channel *c);

#ifdef __cplusplus
}
#endif

#endif
