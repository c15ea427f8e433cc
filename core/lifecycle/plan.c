#include "plan.h"

#include "renew.h"
#include "../wire/date.h"

#if ACME_CFG_RENEWAL

#define A_MINUTE_S 60
#define AN_HOUR_S  3600
#define A_DAY_S    86400
#define LEAST_S    1200 /* three certificates an hour, whatever a CA makes */
#define RETRY_MOST_S                                                                                                 \
    (A_DAY_S + A_DAY_S / 8) /* a time to wait for that is further ahead was stored by a wrong clock */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t life_s(const struct acme_pair *pair)
{
    return acme_until_s(pair->not_before, pair->not_after);
}

uint32_t acme_plan_by_life(const struct acme_pair *pair)
{
    uint32_t key = (uint32_t)(pair->point[1] << 8 | pair->point[2]); /* a random number that needs no record */
    uint32_t earlier = (uint32_t)(((uint64_t)(life_s(pair) >> 6) * key) >> 16);
    return acme_renew_at(pair->not_before, pair->not_after) - earlier;
}

/* A certificate that is new by our clock is not renewed because the CA says so: the window may be the one of its predecessor, or
 * the CA says "now" of each it makes. When it says so again and again: after two days, four, eight. A recall of what was
 * made in good time is obeyed at once. */
static uint32_t not_again_before(const struct acme_renewal *r, const struct acme_pair *pair)
{
    uint32_t life = life_s(pair);
    uint32_t wait = most(AN_HOUR_S, life >> 6), longer = least(2 * A_DAY_S, life >> 3);
    if (r->failures > 0 || r->tried == 0) {
        return ACME_TIME_NOW; /* it was due, and is being tried */
    }
    for (uint32_t i = 0; i < r->urgent && longer < life; i++) {
        wait = most(wait, longer);
        longer = longer < life / 2 ? longer * 2 : life;
    }
    return acme_later(r->tried, wait);
}

/* A certificate that is due, or over, as it comes is no reason to ask for the next one at once, and for ever: half of what was
 * left of it then, and twenty minutes at least, are its life. */
static uint32_t not_at_once_before(const struct acme_renewal *r, const struct acme_pair *pair, uint32_t utc)
{
    if (r->failures > 0 || r->tried == 0 || r->tried > utc ||
        acme_plan_by_life(pair) > acme_later(r->tried, LEAST_S)) {
        return ACME_TIME_NOW;
    }
    return acme_later(r->tried, most(acme_until_s(r->tried, pair->not_after) / 2, LEAST_S));
}

static bool has_window(const struct acme_renewal *r)
{
    return r->start < r->end && r->chosen != 0;
}

static void plan_due(struct acme_plan *p, const struct acme_facts *f)
{
    const struct acme_renewal *r = f->renewal;
    const struct acme_pair *pair = f->pair;
    p->due = ACME_TIME_NOW;
    if (!acme_mark_known(&pair->mark)) {
        p->why = ACME_WHY_NO_PAIR;
        return;
    }
    p->not_before = pair->not_before;
    p->not_after = pair->not_after;
    if (!pair->same_names) {
        p->why = ACME_WHY_NAMES;
    } else if (acme_mark_known(&r->setup) && !acme_mark_same(&r->setup, f->setup)) {
        p->why = ACME_WHY_SETUP;
    } else if (f->utc >= pair->not_after) {
        p->why = ACME_WHY_EXPIRED;
        p->due = not_at_once_before(r, pair, f->utc);
    } else if (f->order) {
        p->why = ACME_WHY_ORDER;
    } else {
        p->why = ACME_WHY_LIFE;
        p->due = most(acme_plan_by_life(pair), not_at_once_before(r, pair, f->utc));
        if (has_window(r)) {
            uint32_t moment = most(r->chosen, not_again_before(r, pair));
            uint32_t backstop = p->due + life_s(pair) / 10;
            p->why = moment <= backstop ? ACME_WHY_WINDOW : ACME_WHY_BACKSTOP;
            p->due = least(moment, backstop);
            p->start = r->start;
            p->end = r->end;
            p->chosen = r->chosen;
        }
    }
}

static void plan_hold(struct acme_plan *p, const struct acme_facts *f)
{
    const struct acme_renewal *r = f->renewal;
    p->failures = r->failures;
    p->hold_until = ACME_TIME_NOW;
    if (r->next > f->utc && r->next - f->utc <= RETRY_MOST_S) {
        p->hold = r->failures > 0 ? ACME_HOLD_FAILURES : ACME_HOLD_SPREAD;
        p->hold_until = r->next;
    }
    if (f->retry_utc > f->utc && f->retry_utc - f->utc <= A_DAY_S && f->retry_utc > p->hold_until) {
        p->hold = ACME_HOLD_CA;
        p->hold_until = f->retry_utc;
    }
    if (r->stopped != 0) {
        p->hold = ACME_HOLD_STOPPED;
        p->hold_until = ACME_TIME_NEVER;
        p->error = -(int)r->stopped;
    }
}

void acme_plan_make(struct acme_plan *p, const struct acme_facts *f)
{
    const struct acme_renewal *r = f->renewal;
    memset(p, 0, sizeof(*p));
    plan_due(p, f);
    plan_hold(p, f);
    p->look = p->deploy = ACME_TIME_NEVER;
    if (f->asks && p->why <= ACME_WHY_BACKSTOP && p->due > f->utc) {
        p->look = acme_until_s(f->utc, r->look) <= RETRY_MOST_S ? r->look : ACME_TIME_NOW;
        p->look = f->asks_late ? most(p->look, acme_until_s(life_s(f->pair) / 10, p->due)) : p->look;
    }
    p->deploy_pending =
        f->deploys && r->deploys && acme_mark_known(&f->pair->mark) && !acme_mark_same(&r->deployed, &f->pair->mark);
    if (p->deploy_pending) {
        p->deploy = acme_until_s(f->utc, r->deploy_next) <= RETRY_MOST_S ? r->deploy_next : ACME_TIME_NOW;
    }
    p->wake = least(least(most(p->due, p->hold_until), p->look), p->deploy);
}

uint32_t acme_plan_backoff_s(uint32_t failures, uint32_t left_s, uint16_t random)
{
    static const uint32_t waits_s[] = {A_MINUTE_S, 10 * A_MINUTE_S, 100 * A_MINUTE_S, A_DAY_S};
    uint32_t wait = waits_s[failures == 0 ? 0 : failures > 3 ? 3 : failures - 1];
    if (left_s > 0) {
        wait = most(least(wait, left_s / 6), A_MINUTE_S);
    }
    return wait + ((wait / 10 * random) >> 16);
}

void acme_plan_attempt(struct acme_renewal *r, const struct acme_plan *p, const struct acme_facts *f, uint16_t random)
{
    uint32_t life = acme_until_s(p->not_before, p->not_after);
    /* It had to wait; or long before its life would ask for it, in a window that was over before we were told, or of a young
     * certificate. */
    bool early = f->utc < acme_renew_at(p->not_before, p->not_after) - life / 10;
    bool urgent = (p->chosen != 0 && p->chosen < p->due) ||
                  (p->why == ACME_WHY_WINDOW && early && (p->end <= f->utc || f->utc < p->not_before + (life >> 2)));
    if (r->failures == 0) { /* it counts once, however often it is tried */
        r->urgent = !urgent ? 0 : r->urgent < UINT32_MAX ? r->urgent + 1 : r->urgent;
    }
    r->failures += r->failures < UINT32_MAX;
    r->tried = f->utc;
    r->next = acme_later(f->utc, acme_plan_backoff_s(r->failures, acme_until_s(f->utc, p->not_after), random));
    r->wants = *f->setup;
    r->pair = f->pair->mark;
    r->stopped = 0;
    if (f->deploys && !r->deploys) {
        r->deploys = true;
        r->deployed = f->pair->mark;
    }
}

/* --- renewal information --- */

/* A number below `below`, each as likely as any other. */
static int draw(uint32_t below, uint32_t *number, int (*random)(void *ctx, void *buf, size_t len), void *ctx)
{
    uint32_t mask = below - 1;
    for (unsigned shift = 1; shift < 32; shift *= 2) {
        mask |= mask >> shift;
    }
    for (unsigned tries = 0; tries < 64; tries++) { /* each does with a chance of one half at least */
        int error = random(ctx, number, sizeof(*number));
        if (error != 0) {
            return error;
        }
        *number &= mask;
        if (*number < below) {
            return 0;
        }
    }
    *number = below - 1; /* a source that is stuck */
    return 0;
}

int acme_plan_window(struct acme_renewal *r, const struct acme_pair *pair, uint32_t start, uint32_t end,
                     int (*random)(void *ctx, void *buf, size_t len), void *random_ctx)
{
    uint32_t last = pair->not_after - life_s(pair) / 10;
    uint32_t at = 0;
    if (end == 0 || start > end) {
        return 0; /* a CA that has none just now: what it said before still holds */
    }
    start = least(most(start, pair->not_before), last - 1);
    end = most(least(end, last), start + 1);
    if (r->start == start && r->end == end && r->chosen != 0) {
        return 0;
    }
    int error = draw(end - start, &at, random, random_ctx);
    if (error != 0) {
        return error;
    }
    r->start = start;
    r->end = end;
    r->chosen = start + at;
    return 1;
}

uint32_t acme_plan_look_s(int32_t retry_after_s, uint32_t life_s, uint32_t failures)
{
    if (failures > 0) {
        return failures > 3 ? 6 * AN_HOUR_S : acme_plan_backoff_s(failures, 0, 0);
    }
    uint32_t wait = retry_after_s >= 0 ? (uint32_t)retry_after_s : least(6 * AN_HOUR_S, life_s / 20);
    return most(least(wait, A_DAY_S), A_MINUTE_S);
}

#endif
