/* faults_net.c - the connection ends, comes in pieces, or its calls fail. */
#include "plans.h"

/* --- the connection ends: rxcut, txcut --- */

enum { RST, FIN, UNCLEAN, STALL };

static const char *const ends[] = {"rst", "fin", "unclean", "stall", NULL};

/* What a client sees of a connection that has ended. */
static int dead_end(struct trial *t, enum device_seam seam)
{
    struct device *d = &t->d;
    if (seam == DEVICE_OPEN) {
        t->dead = d->client.channel.state == ACME_CHANNEL_OPEN; /* not yet noticed, or another connection */
        t->over = !t->dead;
        return DEVICE_GO;
    }
    bool refused = t->kind == RST || (t->kind == STALL && seam != DEVICE_SEND);
    d->unclean = t->kind == UNCLEAN;
    if (seam != DEVICE_RECV && !refused) { /* the network takes it, nobody gets it */
        return seam == DEVICE_FLUSH ? 1 : DEVICE_GO;
    }
    if (t->kind != STALL) {
        return t->kind == RST ? ACME_E_NET : ACME_E_CLOSED;
    }
    if (!t->extra[0]) {
        t->extra[0] = 1;
        t->stall_ms = d->now_ms;
    }
    return d->now_ms - t->stall_ms >= ACME_NET_TIMEOUT_MS ? ACME_E_TIMEOUT : 0;
}

static unsigned received(const struct honest *honest)
{
    return honest->received;
}

static unsigned sent(const struct honest *honest)
{
    return honest->sent;
}

/* Where the client is in the stream it receives; before the first answer: nowhere. */
static unsigned place_received(const struct trial *t)
{
    return t->answering ? t->seen.received + (unsigned)t->d.answer_at : t->seen.received - 1;
}

static int rxcut(struct trial *t, enum device_seam seam, size_t *len)
{
    unsigned place = place_received(t);
    if (seam > DEVICE_RECV) {
        return DEVICE_GO;
    }
    if (!t->fired && place == t->point) {
        t->fired = t->dead = true;
    }
    if (t->dead) {
        return dead_end(t, seam);
    }
    if (seam == DEVICE_RECV && t->answering && t->point > place && *len > t->point - place) {
        *len = t->point - place;
    }
    return DEVICE_GO;
}

static int txcut(struct trial *t, enum device_seam seam, size_t *len)
{
    if (seam != DEVICE_SEND && seam != DEVICE_FLUSH && !t->dead) {
        return DEVICE_GO;
    }
    if (seam > DEVICE_RECV) {
        return DEVICE_GO;
    }
    unsigned place = t->seen.sent + (unsigned)t->d.request_len;
    if (!t->fired && place == t->point) {
        t->fired = t->dead = true;
    }
    if (t->dead) {
        return dead_end(t, seam);
    }
    if (seam == DEVICE_SEND && t->point > place && *len > t->point - place) {
        *len = t->point - place;
    }
    return DEVICE_GO;
}

/* --- pieces: rxsplit, txsplit. Point 0: a byte at a time; any other: a pause before that byte. Nothing may change. --- */

static const char *const once[] = {"once", NULL};

static int split(struct trial *t, size_t *len, unsigned place)
{
    if (t->point == 0) {
        t->extra[0] = !t->extra[0];
        *len = *len > 1 ? 1 : *len;
        return t->extra[0] ? 0 : DEVICE_GO; /* a byte, and nothing, and a byte */
    }
    if (place<t->point && * len> t->point - place) {
        *len = t->point - place;
    } else if (place == t->point && t->extra[0]++ == 0) {
        return 0;
    }
    return DEVICE_GO;
}

static int rxsplit(struct trial *t, enum device_seam seam, size_t *len)
{
    return seam == DEVICE_RECV ? split(t, len, place_received(t)) : DEVICE_GO;
}

static int txsplit(struct trial *t, enum device_seam seam, size_t *len)
{
    return seam == DEVICE_SEND ? split(t, len, t->seen.sent + (unsigned)t->d.request_len) : DEVICE_GO;
}

/* --- calls of the network fail: netfail, netpair --- */

static const char *const net_kinds[] = {"host",   "refused",   "timeout", "closed", "net",
                                        "record", "untrusted", "not-now", "outage", NULL};
enum { NOT_NOW = 7, NET_KINDS = 8, OUTAGE = 8 };

static unsigned net_calls(const struct honest *honest)
{
    return honest->net;
}

static int net_fault(enum device_seam seam, unsigned kind)
{
    static const int errors[NET_KINDS] = {ACME_E_HOST, ACME_E_REFUSED,    ACME_E_TIMEOUT,       ACME_E_CLOSED,
                                          ACME_E_NET,  ACME_E_TLS_RECORD, ACME_E_TLS_UNTRUSTED, 0};
    return kind == NOT_NOW && seam == DEVICE_FLUSHED ? DEVICE_GO : errors[kind]; /* sent is sent */
}

static int netfail(struct trial *t, enum device_seam seam, size_t *len)
{
    if (seam > DEVICE_RECV || (t->kind == OUTAGE ? t->number < t->point : t->number != t->point)) {
        return DEVICE_GO;
    }
    t->fired = true;
    if (t->kind == OUTAGE) { /* until the run has given up */
        return seam == DEVICE_OPEN ? ACME_E_UNREACHABLE : ACME_E_NET;
    }
    return net_fault(seam, t->kind);
}

#define PAIRS 4000

static unsigned pairs(const struct honest *honest)
{
    return PAIRS;
}

/* The point is a seed: for two calls, and what becomes of them. */
static void draw_pair(struct trial *t)
{
    uint64_t mix = trial_mix(t->point);
    unsigned calls = trial_honest_of(t->scene, t->dimension)->net;
    t->extra[0] = (unsigned)(mix >> 50) % calls;
    t->extra[1] = t->extra[0] + 1 + (unsigned)(mix >> 34 & 0xffff) % (mix & 1 ? 8 : calls);
    t->extra[2] = (unsigned)(mix >> 20 & 0xfff) % NET_KINDS;
    t->extra[3] = (unsigned)(mix >> 4 & 0xfff) % NET_KINDS;
}

static int netpair(struct trial *t, enum device_seam seam, size_t *len)
{
    bool first = t->number == t->extra[0];
    if (seam > DEVICE_RECV || (!first && t->number != t->extra[1])) {
        return DEVICE_GO;
    }
    t->fired = true;
    return net_fault(seam, t->extra[first ? 2 : 3]);
}

/* --- the dimensions --- */

const struct dimension dimension_rxcut = {"rxcut", ends, received, rxcut, .last_scene = THREE, .one_run = true};
const struct dimension dimension_txcut = {"txcut", ends, sent, txcut, .last_scene = THREE, .one_run = true};
const struct dimension dimension_rxsplit = {"rxsplit", once, received, rxsplit, .last_scene = THREE, .same = true};
const struct dimension dimension_txsplit = {"txsplit", once, sent, txsplit, .last_scene = THREE, .same = true};
const struct dimension dimension_netfail = {"netfail", net_kinds, net_calls, netfail, .last_scene = THREE};
const struct dimension dimension_netpair = {"netpair",           once,         pairs, netpair, .prepare = draw_pair,
                                            .last_scene = THREE, .twice = true};
