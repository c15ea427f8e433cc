/* channel.c - the channel of core/secure/channel.h over TLS that the platform has (struct acme_secure_net), in the place of
 * core/secure/channel.c and channel_setup.c. All three functions of trust, host name, anchors, dates, are the transport's. */
#include "secure/channel.h"

#include <string.h>

int acme_channel_check(const struct acme_setup *setup, bool plain)
{
    const struct acme_secure_net *n = setup->secure_net;

    if (plain) {
        return ACME_E_URL_SCHEME; /* there is no connection without TLS */
    }
    return n == NULL || n->open == NULL || n->send == NULL || n->recv == NULL || n->close == NULL ? ACME_E_NULL : 0;
}

void acme_channel_init(struct acme_channel *c, const struct acme_setup *setup)
{
    c->secure = setup->secure_net;
}

const char *acme_channel_issuer(const struct acme_channel *c)
{
    (void)c;
    return "";
}

/* Ends the connection and gives the reason on. */
static int fail(struct acme_channel *c, int err)
{
    const struct acme_secure_net *n = c->secure;

    if (err < 0 && n->code != NULL) {
        c->tls_code = n->code(n->ctx);
    }
    n->close(n->ctx);
    c->state = ACME_CHANNEL_CLOSED;
    return err;
}

/* Notes what a step has moved. Returns that, or what it fails with. */
static int note(struct acme_channel *c, int moved, uint32_t now_ms)
{
    moved = acme_channel_note(c, moved, now_ms);
    return moved < 0 ? fail(c, moved) : moved;
}

/* Looks whether the server has said something, of which a byte is then kept. Returns 1 yes, 0 no, or an error. */
static int peek(struct acme_channel *c)
{
    int got = c->ahead ? 1 : c->secure->recv(c->secure->ctx, &c->byte, 1);

    if (got > 0 && !c->ahead) {
        c->ahead = true;
        c->down++;
    }
    return got;
}

static int begin(struct acme_channel *c, const struct acme_url *url, uint32_t now_ms)
{
    if (acme_url_is_plain(url)) {
        return ACME_E_URL_SCHEME;
    }
    if (url->host.len == 0 || url->host.len >= sizeof c->host) {
        return ACME_E_URL;
    }
    if (url->is_address && c->tls_name == NULL) {
        return ACME_E_TLS_NAME;
    }
    memcpy(c->host, url->host.at, url->host.len);
    c->host[url->host.len] = '\0';
    c->port = url->port;
    c->moved_ms = now_ms;
    c->tls_code = 0;
    c->cut = c->ahead = false;
    c->state = ACME_CHANNEL_CONNECTING;
    c->moved = true;
    return 0;
}

static int connect_step(struct acme_channel *c, uint32_t now_ms)
{
    int done = note(c, c->secure->open(c->secure->ctx, c->host, c->port, c->tls_name != NULL ? c->tls_name : c->host),
                    now_ms);

    if (done != 1) {
        return done < 0 ? done : 0;
    }
    c->handshakes++;
    c->state = ACME_CHANNEL_OPEN;
    return 1;
}

int acme_channel_open(struct acme_channel *c, const struct acme_url *url, uint32_t now_ms)
{
    bool same = c->port == url->port && !acme_url_is_plain(url) && acme_slice_is_word(url->host, c->host);

    /* A kept connection on which the server has ended, or has said what nobody asked for, is of no more use. */
    if (c->state != ACME_CHANNEL_CLOSED && (!same || (c->state == ACME_CHANNEL_OPEN && (c->cut || peek(c) != 0)))) {
        acme_channel_close(c);
    }
    if (c->state == ACME_CHANNEL_OPEN) {
        c->moved_ms = now_ms;
        c->moved = false;
        return 1;
    }
    return c->state == ACME_CHANNEL_CLOSED ? begin(c, url, now_ms) : connect_step(c, now_ms);
}

int acme_channel_send(struct acme_channel *c, const void *data, size_t len, bool last, uint32_t now_ms)
{
    int sent;
    int said;

    (void)last;
    if (c->state != ACME_CHANNEL_OPEN) {
        return ACME_E_CLOSED;
    }
    sent = c->secure->send(c->secure->ctx, data, len);
    if (sent > 0) {
        c->up += (uint32_t)sent;
    }
    /* A server may answer before the request is out, and then stop reading it: so it is listened to when it takes no more. */
    if (sent == 0) {
        said = peek(c);
        if (said > 0) {
            c->cut = true;
            sent = (int)len;
        } else if (said < 0) {
            sent = said;
        }
    }
    return note(c, sent, now_ms);
}

int acme_channel_flush(struct acme_channel *c, uint32_t now_ms)
{
    (void)now_ms;
    if (c->state != ACME_CHANNEL_OPEN) {
        return ACME_E_CLOSED;
    }
    c->moved = false;
    return 1;
}

int acme_channel_recv(struct acme_channel *c, void *data, size_t cap, bool *clean, uint32_t now_ms)
{
    int got;

    *clean = false;
    c->moved = false;
    if (c->state != ACME_CHANNEL_OPEN) {
        return ACME_E_CLOSED;
    }
    if (c->ahead) {
        memcpy(data, &c->byte, 1);
        c->ahead = false;
        return 1;
    }
    got = c->secure->recv(c->secure->ctx, data, cap);
    if (got > 0) {
        c->down += (uint32_t)got;
    }
    *clean = got == ACME_E_CLOSED;
    return note(c, got, now_ms);
}

void acme_channel_close(struct acme_channel *c)
{
    if (c->state != ACME_CHANNEL_CLOSED) {
        (void)fail(c, 0);
    }
}
