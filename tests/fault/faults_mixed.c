/* faults_mixed.c - what goes wrong often, from a seed. */
#define _GNU_SOURCE /* memmem */
#include "plans.h"

#include <string.h>

/* --- nonces: the CA refuses some of them, whatever they are, until there is a certificate: with one account, one order and
 * one finalize. When it refuses all, a run ends after a bounded number of requests that come ever more slowly, and the CA
 * thinks better of it. The point is a seed. --- */

static const char *const shares[] = {"0%", "5%", "20%", "50%", "90%", "100%", NULL};

static unsigned hundred(const struct honest *honest)
{
    return 100;
}

static void refuse_nonces(struct trial *t)
{
    static const unsigned percent[] = {0, 5, 20, 50, 90, 100};
    t->d.ca.bad_nonce_percent = percent[t->kind];
    t->d.ca.bad_nonce_seed = t->point + 1;
    t->fired = true;
}

#define IN_A_ROW 10
#define IN_A_RUN 80 /* when every one is refused */

/* Counts requests that follow a refusal within 5 s, and those of this run. */
static int nonce_patience(struct trial *t, enum device_seam seam, size_t *len)
{
    const struct ca *ca = &t->d.ca;
    if (seam != DEVICE_FLUSH) {
        return DEVICE_GO;
    }
    bool refused = t->d.answer.len > 0 && memmem(t->d.answer.at, t->d.answer.len, "badNonce", 8) != NULL;
    bool soon = t->extra[0] > 0 && t->d.now_ms - t->extra[1] < 5000;
    t->extra[0] = refused && soon ? t->extra[0] + 1 : 1;
    t->extra[1] = t->d.now_ms;
    assert_true(t->extra[0] <= IN_A_ROW);
    if (t->extra[2] != t->runs) {
        t->extra[2] = t->runs;
        t->extra[3] = ca->requests;
    }
    assert_true(ca->bad_nonce_percent < 100 || ca->requests - t->extra[3] < IN_A_RUN);
    return DEVICE_GO;
}

/* --- storm: the point is a seed; everything fails now and then, for some hundreds of calls. --- */

static const char *const weather[] = {"rain", "storm", NULL};

static unsigned storms(const struct honest *honest)
{
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
    if (row >= LEN(rows) || rows[row].seam != seam) {
        return DEVICE_GO;
    }
    if (seam == DEVICE_GET) {
        trial_cache_lost(t);
    }
    return rows[row].error;
}

/* --- the dimensions --- */

const struct dimension dimension_nonce = {
    "nonce", shares, hundred, nonce_patience, .prepare = refuse_nonces, .last_scene = EIGHT, .insists = true};
const struct dimension dimension_storm = {
    "storm", weather, storms, storm, .prepare = gather, .last_scene = EIGHT, .goes_on = true};
