/* plans.c - see plans.h. A fault begins at one point (a byte, a call, a tick) and is gone at the latest when the run that
 * it spoiled has ended. */
#include "plans.h"

#include "fastkey.h"

#include <string.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

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

static const char *const net_kinds[] = {"host",      "refused",      "timeout", "closed", "net", "record",
                                        "untrusted", "net-after-it", "not-now", "outage", NULL};
enum { NET_AFTER = 7, NOT_NOW = 8, NET_KINDS = 9, OUTAGE = 9 };

static unsigned net_calls(const struct honest *honest)
{
    return honest->net;
}

static int net_fault(enum device_seam seam, unsigned kind)
{
    static const int errors[NET_KINDS] = {ACME_E_HOST,          ACME_E_REFUSED, ACME_E_TIMEOUT,
                                          ACME_E_CLOSED,        ACME_E_NET,     ACME_E_TLS_RECORD,
                                          ACME_E_TLS_UNTRUSTED, ACME_E_NET,     0};
    if (kind == NET_AFTER && seam == DEVICE_FLUSH) {
        return DEVICE_GO; /* the CA gets it: see DEVICE_FLUSHED, the call after this one */
    }
    return kind == NOT_NOW && seam == DEVICE_FLUSHED ? DEVICE_GO : errors[kind];
}

static int netfail(struct trial *t, enum device_seam seam, size_t *len)
{
    (void)len;
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
    (void)honest;
    return PAIRS;
}

/* The point is a seed: for two calls, and what becomes of them. */
static void draw_pair(struct trial *t)
{
    uint64_t mix = (t->point + 1) * 0x9e3779b97f4a7c15u;
    unsigned calls = trial_honest_of(t->scene, t->dimension->real_keys)->net;
    mix ^= mix >> 29;
    mix *= 0xbf58476d1ce4e5b9u;
    t->extra[0] = (unsigned)(mix >> 50) % calls;
    t->extra[1] = t->extra[0] + 1 + (unsigned)(mix >> 34 & 0xffff) % (mix & 1 ? 8 : calls);
    t->extra[2] = (unsigned)(mix >> 20 & 0xfff) % NET_KINDS;
    t->extra[3] = (unsigned)(mix >> 4 & 0xfff) % NET_KINDS;
}

static int netpair(struct trial *t, enum device_seam seam, size_t *len)
{
    (void)len;
    bool first = t->number == t->extra[0];
    if (seam > DEVICE_RECV || (!first && t->number != t->extra[1])) {
        return DEVICE_GO;
    }
    t->fired = true;
    return net_fault(seam, t->extra[first ? 2 : 3]);
}

/* --- the store: storefail, storecut --- */

static unsigned store_calls(const struct honest *honest)
{
    return honest->store;
}

static bool is_store(enum device_seam seam)
{
    return seam >= DEVICE_GET && seam <= DEVICE_STORED;
}

static const char *const persistence[] = {"once", "on", "though-done", NULL};

static int storefail(struct trial *t, enum device_seam seam, size_t *len)
{
    (void)len;
    bool hit = is_store(seam) && (t->kind == 0 ? t->number == t->point : t->number >= t->point);
    if (t->kind == 2 && t->number == t->point && seam == DEVICE_STORED && t->d.commits == t->checked_commits) {
        t->fired = true; /* the record is there, but the port is not sure of it */
        return ACME_E_STORE_WRITE;
    }
    hit = hit && t->kind != 2;
    bool decided = seam == DEVICE_COMMIT_ORDER || seam == DEVICE_COMMIT_KEY || seam == DEVICE_STORED;
    if (!hit || decided) { /* what has taken effect has not failed */
        return DEVICE_GO;
    }
    t->fired = true;
    return seam == DEVICE_GET ? ACME_E_STORE_READ : ACME_E_STORE_WRITE;
}

static const char *const cut_kinds[] = {"at", "in-the-middle", NULL};

static int storecut(struct trial *t, enum device_seam seam, size_t *len)
{
    if (!is_store(seam)) {
        return DEVICE_GO;
    }
    if (t->kind == 1 && t->number == t->point && seam == DEVICE_APPEND) {
        *len /= 2;
        return DEVICE_GO;
    }
    if (t->number == t->point + t->kind) {
        t->fired = true;
        trial_power_off(t);
    }
    return DEVICE_GO;
}

/* --- tickcut --- */

static unsigned ticks(const struct honest *honest)
{
    return honest->ticks;
}

static const char *const tick_kinds[] = {"power", "stop", NULL};

static bool tickcut(struct trial *t)
{
    if (t->seen.ticks != t->point + 1) {
        return false;
    }
    t->over = true;
    if (t->kind == 1) {
        trial_stop_and_start(t);
    }
    return t->kind == 0;
}

/* The point is a seed: for two ticks, the second often soon after the first. */
static void draw_ticks(struct trial *t)
{
    uint64_t mix = (t->point + 1) * 0x9e3779b97f4a7c15u;
    unsigned all = trial_honest_of(t->scene, t->dimension->real_keys)->ticks;
    mix ^= mix >> 29;
    mix *= 0xbf58476d1ce4e5b9u;
    t->extra[0] = 1 + (unsigned)(mix >> 50) % all;
    t->extra[1] = t->extra[0] + 1 + (unsigned)(mix >> 34 & 0xffff) % (mix & 1 ? 12 : all);
}

static bool tickpair(struct trial *t)
{
    t->over = t->seen.ticks >= t->extra[1];
    return t->seen.ticks == t->extra[0] || t->seen.ticks == t->extra[1];
}

/* --- nonces: the CA refuses some of them, whatever they are. The point is a seed. --- */

static const char *const shares[] = {"5%", "20%", "50%", "90%", "100%", NULL};

static unsigned hundred(const struct honest *honest)
{
    (void)honest;
    return 100;
}

static void refuse_nonces(struct trial *t)
{
    static const unsigned percent[] = {5, 20, 50, 90, 100};
    t->d.ca.bad_nonce_percent = percent[t->kind];
    t->d.ca.bad_nonce_seed = t->point + 1;
    t->fired = true;
}

/* --- rngfail --- */

static const char *const rng_kinds[] = {"once", "on", "zero", "same", "two-values", NULL};

static unsigned random_calls(const struct honest *honest)
{
    return honest->random;
}

static int rngfail(struct trial *t, enum device_seam seam, size_t *len)
{
    static uint8_t before[256];
    if (seam != DEVICE_RANDOM) {
        return DEVICE_GO;
    }
    /* A key is made of two draws: one that looks good and is not does no harm beside a good one. */
    if (t->number < (t->kind == 4 ? t->point & ~1u : t->point)) {
        memcpy(before, t->fill, *len < sizeof before ? *len : sizeof before);
        return DEVICE_GO;
    }
    t->fired = true;
    if (t->kind < 2) {
        return t->kind == 1 || t->number == t->point ? ACME_E_RANDOM : DEVICE_GO;
    }
    for (size_t i = 0; i < *len; i++) {
        t->fill[i] = t->kind == 2 ? 0 : t->kind == 3 ? before[i % sizeof before] : (uint8_t)(i % 2 ? 0xaa : 0x55);
    }
    return DEVICE_GO;
}

/* --- clock, tickwrap --- */

static const char *const clock_kinds[] = {"unknown-once", "unknown",  "never-once", "+10y",      "-100d", "1970",
                                          "2106-once",    "max-once", "min-once",   "+10y-once", NULL};

static unsigned utc_calls(const struct honest *honest)
{
    return honest->utc;
}

static int clock_jumps(struct trial *t, enum device_seam seam, size_t *len)
{
    (void)len;
    static const bool lasts[] = {false, true, false, true, true, true, false, false, false, false};
    if (seam != DEVICE_UTC || (lasts[t->kind] ? t->number < t->point : t->number != t->point)) {
        return DEVICE_GO;
    }
    int64_t *utc = t->d.utc_to;
    t->fired = true;
    switch (t->kind) {
    case 0:
    case 1:
        return 0;
    case 2:
        return ACME_E_CLOCK;
    case 4:
        *utc -= 100 * MAKER_DAY;
        return 1;
    case 5:
        *utc = (int64_t)(t->d.utc % MAKER_DAY);
        return 1;
    case 6:
        *utc = INT64_C(0x100000005);
        return 1;
    case 7:
        *utc = INT64_MAX;
        return 1;
    case 8:
        *utc = INT64_MIN;
        return 1;
    default:
        *utc += INT64_C(3652) * MAKER_DAY;
        return 1;
    }
}

static unsigned wraps(const struct honest *honest)
{
    (void)honest;
    return 5000;
}

/* The millisecond counter wraps so many steps after the start. */
static void before_wrap(struct trial *t)
{
    t->d.now_ms = 0u - 3u * t->point;
}

/* --- worksize --- */

static unsigned sizes(const struct honest *honest)
{
    (void)honest;
    return 6144 / 8 + 1;
}

static void lend_less(struct trial *t)
{
    t->d.setup.work_len = 8 * t->point;
    t->fired = true;
}

/* --- storm: the point is a seed; everything fails now and then, for some hundreds of calls. --- */

static const char *const weather[] = {"rain", "storm", NULL};

static unsigned storms(const struct honest *honest)
{
    (void)honest;
    return 5000;
}

static void gather(struct trial *t)
{
    t->extra[0] = t->point * 2654435761u + 1;
    t->d.ca.bad_nonce_percent = 5;
    t->d.ca.bad_nonce_seed = t->point;
}

static unsigned draw(struct trial *t, unsigned n)
{
    t->extra[0] = t->extra[0] * 1664525u + 1013904223u;
    return (t->extra[0] >> 12) % n;
}

static int storm(struct trial *t, enum device_seam seam, size_t *len)
{
    static const struct {
        enum device_seam seam;
        int error;
    } rows[] = {{DEVICE_OPEN, ACME_E_HOST},
                {DEVICE_OPEN, ACME_E_REFUSED},
                {DEVICE_OPEN, ACME_E_TLS_UNTRUSTED},
                {DEVICE_SEND, ACME_E_NET},
                {DEVICE_SEND, 0},
                {DEVICE_FLUSH, ACME_E_CLOSED},
                {DEVICE_FLUSH, 0},
                {DEVICE_FLUSHED, ACME_E_NET},
                {DEVICE_FLUSHED, ACME_E_TIMEOUT},
                {DEVICE_RECV, ACME_E_CLOSED},
                {DEVICE_RECV, ACME_E_TLS_RECORD},
                {DEVICE_RECV, 0},
                {DEVICE_GET, ACME_E_STORE_READ},
                {DEVICE_PUT, ACME_E_STORE_WRITE},
                {DEVICE_APPEND, ACME_E_STORE_WRITE},
                {DEVICE_COMMIT, ACME_E_STORE_WRITE},
                {DEVICE_RANDOM, ACME_E_RANDOM},
                {DEVICE_UTC, 0}};
    t->fired = true;
    if (t->extra[1]++ > 600) {
        t->over = true;
        t->d.ca.bad_nonce_percent = 0;
        return DEVICE_GO;
    }
    unsigned one_in = t->kind == 0 ? 60 : 15;
    if (draw(t, one_in * 6) == 0) {
        trial_power_off(t);
    }
    if (seam == DEVICE_SEND || seam == DEVICE_RECV) {
        *len = draw(t, 4) == 0 && *len > 1 ? 1 + draw(t, (unsigned)*len) : *len;
    }
    const unsigned row = draw(t, LEN(rows) * one_in / 4);
    return row < LEN(rows) && rows[row].seam == seam ? rows[row].error : DEVICE_GO;
}

const struct dimension dimensions[] = {
    {"rxcut", ends, received, rxcut, .last_scene = ROUGH},
    {"txcut", ends, sent, txcut, .last_scene = ROUGH},
    {"rxsplit", once, received, rxsplit, .last_scene = ROUGH, .same = true},
    {"txsplit", once, sent, txsplit, .last_scene = ROUGH, .same = true},
    {"netfail", net_kinds, net_calls, netfail, .last_scene = ROUGH},
    {"netpair", once, pairs, netpair, .prepare = draw_pair, .last_scene = ROUGH},
    {"storefail", persistence, store_calls, storefail, .last_scene = ROUGH},
    {"storecut", cut_kinds, store_calls, storecut, .last_scene = ROUGH},
    {"tickcut", tick_kinds, ticks, .after_tick = tickcut, .last_scene = ROUGH},
    {"tickpair", once, pairs, .after_tick = tickpair, .prepare = draw_ticks, .last_scene = ROUGH},
    {"nonce", shares, hundred, .prepare = refuse_nonces, .last_scene = EIGHT},
    {"rngfail", rng_kinds, random_calls, rngfail, .last_scene = ROUGH, .real_keys = true, .must_fail = true},
    {"clock", clock_kinds, utc_calls, clock_jumps, .last_scene = ROUGH},
    {"tickwrap", once, wraps, .prepare = before_wrap, .last_scene = ROUGH, .same = true},
    {"storm", weather, storms, storm, .prepare = gather, .last_scene = EIGHT, .goes_on = true},
    {"worksize", once, sizes, .prepare = lend_less, .last_scene = EIGHT},
};
const unsigned dimension_count = LEN(dimensions);
