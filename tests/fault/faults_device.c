/* faults_device.c - power, records that are lost, random bytes, clock and memory. */
#include "plans.h"

#include <string.h>

static const char *const once[] = {"once", NULL};

#define PAIRS 4000

static unsigned pairs(const struct honest *honest)
{
    return PAIRS;
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
    uint64_t mix = trial_mix(t->point);
    unsigned all = trial_honest_of(t->scene, t->dimension)->ticks;
    t->extra[0] = 1 + (unsigned)(mix >> 50) % all;
    t->extra[1] = t->extra[0] + 1 + (unsigned)(mix >> 34 & 0xffff) % (mix & 1 ? 12 : all);
}

static bool tickpair(struct trial *t)
{
    t->over = t->seen.ticks >= t->extra[1];
    return t->seen.ticks == t->extra[0] || t->seen.ticks == t->extra[1];
}

/* --- recordlost: the power goes after a tick, and one record does not survive it. Private keys in use are not here: what
 * to do about them is for a person to say. --- */

static const char *const lost_kinds[] = {"account-gone",  "account-damaged",  "order-gone", "order-damaged",
                                         "next-key-gone", "next-key-damaged", NULL};

static bool recordlost(struct trial *t)
{
    if (t->seen.ticks != t->point + 1) {
        return false;
    }
    static const enum acme_record records[] = {ACME_RECORD_ACCOUNT, ACME_RECORD_ORDER, ACME_RECORD_KEY_NEXT};
    enum acme_record lost = records[t->kind / 2];
    size_t len = t->d.record[lost].len;
    t->over = true;
    if (t->kind % 2 == 0) {
        t->d.record[lost].len = 0;
    } else if (len > 0) {
        t->d.record[lost].data[(t->point * 7919u) % len] ^= (char)0x80;
    }
    return true;
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
    return 6144 + 1;
}

static void lend_less(struct trial *t)
{
    t->d.setup.work_len = t->point;
    t->fired = true;
}

/* --- the dimensions --- */

const struct dimension dimension_tickcut = {"tickcut", tick_kinds, ticks, .after_tick = tickcut, .last_scene = THREE};
const struct dimension dimension_tickpair = {
    "tickpair", once, pairs, .after_tick = tickpair, .prepare = draw_ticks, .last_scene = THREE, .twice = true};
const struct dimension dimension_recordlost = {"recordlost",        lost_kinds,       ticks, .after_tick = recordlost,
                                               .last_scene = THREE, .spare_orders = 1};
const struct dimension dimension_rngfail = {"rngfail",           rng_kinds,         random_calls,     rngfail,
                                            .last_scene = THREE, .real_keys = true, .must_fail = true};
const struct dimension dimension_clock = {"clock", clock_kinds, utc_calls, clock_jumps, .last_scene = THREE};
const struct dimension dimension_tickwrap = {"tickwrap",          once,        wraps, .prepare = before_wrap,
                                             .last_scene = THREE, .same = true};
const struct dimension dimension_worksize = {"worksize", once, sizes, .prepare = lend_less, .last_scene = EIGHT};
