/* channel.c - see channel.h. */
#include "channel.h"

#include <string.h>

#include "plain.h"
#include "tls.h"
#include "../wire/address.h"

/* Ends the connection and gives the reason on. */
static int fail(struct acme_channel *c, int err)
{
    if (!acme_plain(c) && (c->state == ACME_CHANNEL_SHAKING || c->state == ACME_CHANNEL_OPEN)) {
        c->tls_code = acme_tls_code(c->tls);
    }
    c->net->close(c->net->ctx);
    c->state = ACME_CHANNEL_CLOSED;
    return err;
}

/* One step of TLS. Returns as acme_tls_pump(), or ACME_E_TIMEOUT. */
static int step(struct acme_channel *c, uint32_t now_ms)
{
    return acme_channel_note(c, acme_tls_pump(c->tls, c->net, &c->up, &c->down), now_ms);
}

static bool leads_to(const struct acme_channel *c, const struct acme_url *url)
{
    return c->port == url->port && acme_plain(c) == acme_url_is_plain(url) && acme_slice_is_word(url->host, c->host);
}

static int begin(struct acme_channel *c, const struct acme_url *url, uint32_t now_ms)
{
    uint8_t address[ACME_ADDRESS_MAX];

    if (url->host.len == 0 || url->host.len >= sizeof c->host) {
        return ACME_E_URL;
    }
    if (url->is_address && c->tls_name == NULL && !acme_url_is_plain(url) &&
        acme_address_read(url->host, address) == 0) {
        return ACME_E_TLS_NAME;
    }
    memcpy(c->host, url->host.at, url->host.len);
    c->host[url->host.len] = '\0';
    c->port = url->port;
    c->moved_ms = now_ms;
    c->tls_code = 0;
    c->cut = false;
    c->state = ACME_CHANNEL_CONNECTING;
    c->moved = true;
    acme_plain_begin(c, url);
    return 0;
}

static int connect_step(struct acme_channel *c, uint32_t now_ms)
{
    int done = c->net->open(c->net->ctx, c->host, c->port);

    c->moved = done > 0;
    if (done == 0) {
        return now_ms - c->moved_ms >= ACME_NET_TIMEOUT_MS ? fail(c, ACME_E_TIMEOUT) : 0;
    }
    if (done > 0 && acme_plain(c)) {
        acme_plain_opened(c);
        c->state = ACME_CHANNEL_OPEN;
        return 1;
    }
    if (done > 0) {
        done = acme_tls_start(c->tls, c->trust, c->buffer, c->buffer_len, c->tls_name != NULL ? c->tls_name : c->host,
                              c->sys);
    }
    if (done < 0) {
        return fail(c, done);
    }
    c->moved_ms = now_ms;
    c->state = ACME_CHANNEL_SHAKING;
    return 0;
}

static int shake_step(struct acme_channel *c, uint32_t now_ms)
{
    int moved = step(c, now_ms);

    if (moved < 0) {
        return fail(c, moved);
    }
    if (acme_tls_closed(c->tls)) {
        return fail(c, ACME_E_CLOSED);
    }
    if (!acme_tls_ready(c->tls)) {
        return 0;
    }
    c->handshakes++;
    c->state = ACME_CHANNEL_OPEN;
    return 1;
}

/* Looks whether a kept connection can take another request. The server may have ended it while it was idle,
 * or sent something nobody asked for (a 408, say), which must not be taken for the next answer. Returns 1
 * yes, 0 look again, ACME_E_CLOSED no. */
static int look(struct acme_channel *c, uint32_t now_ms)
{
    int moved;

    c->moved_ms = now_ms;
    if (acme_plain(c)) {
        return acme_plain_peek(c) == 0 ? 1 : ACME_E_CLOSED;
    }
    moved = step(c, now_ms);
    if (moved < 0 || acme_tls_closed(c->tls) || (moved == 0 && !acme_tls_quiet(c->tls))) {
        return ACME_E_CLOSED;
    }
    return moved == 0;
}

int acme_channel_open(struct acme_channel *c, const struct acme_url *url, uint32_t now_ms)
{
    if (c->state != ACME_CHANNEL_CLOSED && !leads_to(c, url)) {
        acme_channel_close(c);
    }
    if (c->state == ACME_CHANNEL_OPEN) {
        int good = c->cut ? ACME_E_CLOSED : look(c, now_ms);
        if (good >= 0) {
            return good;
        }
        acme_channel_close(c);
    }
    if (c->state == ACME_CHANNEL_CLOSED) {
        return begin(c, url, now_ms);
    }
    return c->state == ACME_CHANNEL_CONNECTING ? connect_step(c, now_ms) : shake_step(c, now_ms);
}

int acme_channel_send(struct acme_channel *c, const void *data, size_t len, bool last, uint32_t now_ms)
{
    size_t taken;
    size_t unread;
    int moved;

    if (c->state != ACME_CHANNEL_OPEN) {
        return ACME_E_CLOSED;
    }
    if (acme_plain(c)) {
        moved = acme_channel_note(c, acme_plain_send(c, data, len), now_ms);
        return moved < 0 ? fail(c, moved) : moved;
    }
    taken = acme_tls_write(c->tls, data, len, false);
    if (last && taken == len) {
        (void)acme_tls_write(c->tls, NULL, 0, true);
    }
    if (taken < len && br_ssl_engine_recvapp_buf(&c->tls->client.eng, &unread) != NULL) {
        c->cut = true;
        return (int)len;
    }
    moved = step(c, now_ms);
    if (moved < 0) {
        return fail(c, moved);
    }
    return acme_tls_closed(c->tls) ? fail(c, ACME_E_CLOSED) : (int)taken;
}

int acme_channel_flush(struct acme_channel *c, uint32_t now_ms)
{
    int moved;

    if (c->state != ACME_CHANNEL_OPEN) {
        return ACME_E_CLOSED;
    }
    c->moved = false;
    if (acme_plain(c) || acme_tls_flushed(c->tls)) {
        return 1;
    }
    (void)acme_tls_write(c->tls, NULL, 0, true);
    moved = step(c, now_ms);
    if (moved < 0) {
        return fail(c, moved);
    }
    return acme_tls_flushed(c->tls);
}

int acme_channel_recv(struct acme_channel *c, void *data, size_t cap, bool *clean, uint32_t now_ms)
{
    size_t len;
    int moved = 0;

    *clean = false;
    c->moved = false;
    if (c->state != ACME_CHANNEL_OPEN) {
        return ACME_E_CLOSED;
    }
    if (acme_plain(c)) { /* TCP has no other end than a clean one, and HTTP/1.0 servers end their answers so */
        moved = acme_plain_recv(c, data, cap);
        *clean = moved == ACME_E_CLOSED;
        moved = acme_channel_note(c, moved, now_ms);
        return moved < 0 ? fail(c, moved) : moved;
    }
    len = acme_tls_read(c->tls, data, cap);
    if (len == 0 && !acme_tls_closed(c->tls)) {
        moved = step(c, now_ms);
        len = moved < 0 ? 0 : acme_tls_read(c->tls, data, cap);
    }
    if (len == 0 && acme_tls_closed(c->tls)) {
        *clean = true;
        moved = ACME_E_CLOSED;
    }
    if (moved < 0) {
        return fail(c, moved);
    }
    return (int)len;
}

void acme_channel_close(struct acme_channel *c)
{
    if (c->state == ACME_CHANNEL_OPEN && !acme_plain(c)) {
        acme_tls_end(c->tls, c->net);
    }
    if (c->state != ACME_CHANNEL_CLOSED) {
        (void)fail(c, 0);
    }
}
