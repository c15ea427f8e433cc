/* acme_keep.c - see acme_keep.h. */
#include "acme_keep.h"

#include "acme_manage.h"

#include "wire/date.h"

#if ACME_CFG_RENEWAL

#define AWAKE_MS                                                                                                     \
    60000 /* the wall clock is looked at once a minute: counters of milliseconds stop where a device sleeps */
#define TROUBLE_S  60 /* before another try where nothing was asked of the CA: no time, no entropy, no store */
#define TROUBLES   6  /* doublings of that: an hour */
#define A_DAY_S    86400
#define FREE_TRIES 3    /* failed attempts in a row, behind which one that a person begins has to wait as well */
#define STOP_AFTER 3    /* attempts in a row that end with an error that stays: one odd answer proves nothing */
#define MOVED_S    3600 /* a CA whose window is another each time costs no more than a write an hour */
#define SETTLE_S   600  /* after a boot the first look comes within this: a fleet that is switched on at once */

static int random16(struct acme_client *c, uint16_t *number)
{
    return c->setup->sys->random(c->setup->sys->ctx, number, sizeof(*number));
}

static int store(struct acme_client *c)
{
    return acme_keeper_keep_renewal(&c->keeper, &c->keep.renewal);
}

static struct acme_facts facts_of(const struct acme_client *c, uint32_t utc)
{
    const struct acme_deploy *deploy = &c->setup->deploy;
    const struct acme_info *info = &c->flow.info;
    struct acme_facts f = {.renewal = &c->keep.renewal, .pair = &c->pair, .setup = &c->keep.setup, .utc = utc};
    f.retry_utc = c->retry_utc;
    f.order = c->flow.order.url[0] != '\0';
    f.asks = info->certid[0] != '\0' && !c->keep.mute;
    f.asks_late = info->none;
    f.deploys = deploy->taken != NULL;
    return f;
}

static bool plan_at(const struct acme_client *c, struct acme_plan *plan, uint32_t *utc)
{
    memset(plan, 0, sizeof(*plan));
    if (!c->keep.known || acme_time(c, utc) != 1) {
        return false;
    }
    struct acme_facts facts = facts_of(c, *utc);
    acme_plan_make(plan, &facts);
    return true;
}

bool acme_plan(const struct acme_client *c, struct acme_plan *plan)
{
    uint32_t utc = 0;
    return plan_at(c, plan, &utc);
}

void acme_keep_start(struct acme_client *c)
{
    memset(&c->keep, 0, sizeof(c->keep));
    c->keep.setup = acme_mark_of_setup(c->setup);
    c->keep.boot = true;
}

void acme_keep_recall(struct acme_client *c)
{
    struct acme_renewal *r = &c->keep.renewal;
    const struct acme_mark leaf = r->window; /* of the round before */
    uint32_t look = r->look;
    acme_keeper_renewal(&c->keeper, r);
    if (!c->setup->remember_looks) { /* stored on another occasion, and old */
        r->look = 0;
    }
    if (acme_mark_known(&leaf)) { /* the store may not have heard of it yet */
        acme_renewal_settle(r, &leaf, &c->keep.setup);
        r->look = r->look == 0 ? look : r->look; /* known without a write */
    }
}

/* What follows a failure waits, whatever the clock says, and be it that it jumps. */
static bool rests(const struct acme_client *c, uint32_t now_ms, uint32_t *left_ms)
{
    uint32_t rest_ms = (TROUBLE_S * 1000u) << (c->keep.trouble ? c->keep.troubles - 1 : 0);
    uint32_t gone_ms = now_ms - c->keep.over_ms;
    *left_ms = gone_ms < rest_ms ? rest_ms - gone_ms : 0;
    return c->keep.failed && *left_ms > 0;
}

/* Which solver begins is remembered while attempts fail. */
#if ACME_CFG_CHOICE
static void take_turn(struct acme_client *c)
{
    acme_flow_set_turn(&c->flow, c->keep.renewal.turn);
}

/* True when another one begins than was stored. */
static bool turned(struct acme_client *c)
{
    uint32_t before = c->keep.renewal.turn;
    c->keep.renewal.turn = acme_flow_get_turn(&c->flow);
    return c->keep.renewal.turn != before;
}
#else
#define take_turn(c) ((void)0)
#define turned(c)    false
#endif

/* What follows from the pair in use. A look that is not known of comes soon after a boot, and not at once after a renewal. */
static int settle(struct acme_client *c)
{
    struct acme_renewal *r = &c->keep.renewal;
    if (!acme_mark_same(&r->window, &c->pair.mark)) {
        c->keep.mute = false;
        c->keep.look_failures = 0;
    }
    acme_renewal_settle(r, &c->pair.mark, &c->keep.setup);
    take_turn(c);
    if (r->stopped != 0) { /* a person has seen to it */
        struct acme_mark cause = acme_mark_of_cause(c->setup);
        if (!acme_mark_same(&r->cause, &cause)) {
            r->failures = r->stopped = 0;
            r->next = 0;
        }
    }
    c->keep.known = true;
    if (r->look == 0 && !c->setup->remember_looks) {
        uint16_t random = 0;
        int error = random16(c, &random);
        uint32_t life = acme_until_s(c->pair.not_before, c->pair.not_after);
        r->look =
            acme_later(c->utc, c->keep.boot ? (random * (uint32_t)SETTLE_S) >> 16 : acme_plan_look_s(-1, life, 0));
        return error;
    }
    return 0;
}

/* Stored before the first request, so that a device that loses its power in every attempt makes no more of them than one that
 * fails. */
static int attempt(struct acme_client *c, const struct acme_plan *plan, const struct acme_facts *facts)
{
    uint16_t random = 0;
    int error = random16(c, &random);
    if (error != 0) {
        return error;
    }
    acme_plan_attempt(&c->keep.renewal, plan, facts, random);
    memset(&c->failure, 0, sizeof(c->failure));
    c->flow.info.replaces = c->flow.info.certid[0] != '\0' && !c->keep.renewal.spent &&
                            (!acme_mark_known(&c->keep.renewal.setup) || plan->why != ACME_WHY_SETUP);
    c->flow.info.anew = !acme_mark_same(&c->keep.renewal.setup, &c->keep.setup);
    error = store(c);
    c->phase = error == 1 ? ACME_PHASE_BEGIN : c->phase; /* where nothing can be stored, nothing is asked */
    return error;
}

/* A fleet that is switched on for the first time: the moment is stored, so that it is drawn once. */
static int spread(struct acme_client *c)
{
    uint16_t random = 0;
    int error = random16(c, &random);
    if (error != 0) {
        return error;
    }
    uint32_t most = c->setup->spread_s < A_DAY_S ? c->setup->spread_s : A_DAY_S;
    c->keep.renewal.wants = c->keep.setup;
    c->keep.renewal.next = acme_later(c->utc, (uint32_t)(((uint64_t)most * random) >> 16));
    return store(c);
}

static int end_round(struct acme_client *c)
{
    acme_channel_close(&c->channel);
    c->keep.trouble = false;
    c->keep.troubles = 0;
    if (c->keep.renewal.failures == 0 && c->keep.renewal.deploy_failures == 0) { /* nothing is wrong any more */
        memset(&c->failure, 0, sizeof(c->failure));
    }
    c->phase = ACME_PHASE_OVER;
    c->result = c->issued ? ACME_ISSUED : ACME_CURRENT;
    return 1;
}

int acme_keep_plan(struct acme_client *c, uint32_t now_ms)
{
    struct acme_renewal *r = &c->keep.renewal;
    struct acme_plan plan;
    uint32_t left_ms;
    int error = settle(c);
    struct acme_facts facts = facts_of(c, c->utc);

    if (error != 0) {
        return error;
    }
    acme_plan_make(&plan, &facts);
    if (plan.deploy <= c->utc && !rests(c, now_ms, &left_ms)) {
        c->phase = ACME_PHASE_DEPLOY;
        return 1;
    }
    if (c->issued) {
        return end_round(c);
    }
    if (c->when == ACME_NOW) {
        return attempt(c, &plan, &facts);
    }
    if (plan.due > c->utc) {
        if (!acme_keeping(c) || plan.look > c->utc) {
            return end_round(c);
        }
        c->exchange.retry_s = 0;
        acme_flow_look(&c->flow);
        acme_exchange_start(&c->exchange, now_ms);
        c->phase = ACME_PHASE_FLOW;
        return 1;
    }
    if (acme_keeping(c)) {
        if (plan.why == ACME_WHY_NO_PAIR && c->setup->spread_s > 0 && r->tried == 0 && r->next == 0) {
            return spread(c);
        }
        bool waits = plan.hold_until > c->utc || rests(c, now_ms, &left_ms);
        return waits ? end_round(c) : attempt(c, &plan, &facts);
    }
    if (c->retry_utc > c->utc && c->retry_utc - c->utc <= A_DAY_S) { /* the CA's own wish: said there */
        c->phase = ACME_PHASE_BEGIN;
        return 1;
    }
    if (plan.hold == ACME_HOLD_FAILURES && plan.failures > FREE_TRIES) {
        c->exchange.retry_s = plan.hold_until - c->utc;
        return ACME_E_WAIT;
    }
    return attempt(c, &plan, &facts);
}

/* --- a new pair --- */

int acme_keep_offer(struct acme_client *c)
{
    const struct acme_deploy *deploy = &c->setup->deploy;
    const struct acme_offer offer = {.not_before = c->chain.not_before, .not_after = c->chain.not_after};
    uint32_t utc = 0;
    acme_channel_close(&c->channel);
    bool known = acme_time(c, &utc) == 1;
    if (acme_keeping(c) && known && utc < offer.not_before && utc < c->pair.not_after) {
        /* whoever looks at it now would refuse it; the order stays for who does not keep running */
        return c->setup->remember_looks ? ACME_E_OFFER : 0;
    }
    return deploy->offer == NULL ? 1 : deploy->offer(deploy->ctx, &offer);
}

void acme_keep_replaced(struct acme_client *c)
{
    c->keep.known = false;
}

int acme_keep_deploy(struct acme_client *c)
{
    struct acme_renewal *r = &c->keep.renewal;
    const struct acme_deploy *deploy = &c->setup->deploy;
    uint16_t random = 0;
    int done = deploy->taken(deploy->ctx);
    if (done == 0) {
        return 0;
    }
    if (done > 0) {
        r->deployed = c->pair.mark;
        r->deploy_failures = 0;
        r->deploy_next = 0;
        c->phase = ACME_PHASE_PLAN;
        return store(c);
    }
    (void)random16(c, &random);
    r->deploy_failures += r->deploy_failures < UINT32_MAX;
    r->deploy_next = acme_later(c->utc, acme_plan_backoff_s(r->deploy_failures, 0, random));
    (void)store(c); /* the failure is what counts */
    return done;
}

/* --- while the CA is asked --- */

int acme_keep_flow(struct acme_client *c)
{
    struct acme_info *info = &c->flow.info;
    if (!info->spend) {
        return 0;
    }
    info->spend = false;
    c->keep.renewal.spent = true;
    return store(c);
}

int acme_keep_looked(struct acme_client *c)
{
    struct acme_renewal *r = &c->keep.renewal;
    const struct acme_sys *sys = c->setup->sys;
    const struct acme_info *info = &c->flow.info;
    int changed = acme_plan_window(r, &c->pair, info->start, info->end, sys->random, sys->ctx);
    if (changed < 0) {
        return changed;
    }
    (void)acme_time(c, &c->utc);
    c->keep.look_failures = 0;
    c->keep.mute = info->none;
    uint32_t wait_s =
        acme_plan_look_s(c->exchange.retry_after_s, acme_until_s(c->pair.not_before, c->pair.not_after), 0);
    r->look = acme_later(c->utc, changed > 0 && wait_s < MOVED_S ? MOVED_S : wait_s);
    c->flow.info.looking = false;
    c->phase = ACME_PHASE_PLAN;
    return changed > 0 || c->setup->remember_looks ? store(c) : 1;
}

#if ACME_CFG_EAB
#define is_refused_binding(error) ((error) == ACME_E_BINDING)
#else
#define is_refused_binding(error) false
#endif

/* What repetition does not change, but the setup, or the CA's mind. */
static bool stays(int error)
{
    switch (error) {
    case ACME_E_ACCOUNT:
    case ACME_E_TERMS:
    case ACME_E_EAB:
    case ACME_E_PROFILE:
    case ACME_E_CHALLENGE_NONE:
        return true;
    default:
        return is_refused_binding(error);
    }
}

bool acme_keep_look_failed(struct acme_client *c, int error)
{
    struct acme_renewal *r = &c->keep.renewal;
    if (!acme_looking(c)) {
        return false;
    }
    if (error == ACME_E_RATE_LIMITED) {
        c->keep.look_failures = UINT8_MAX; /* whoever has too much to do is left alone at once */
    } else {
        c->keep.look_failures = (uint8_t)(c->keep.look_failures + (c->keep.look_failures < UINT8_MAX));
    }
    c->keep.mute = c->flow.info.none;
    /* Who does not keep running does not know how often it has failed. */
    uint32_t wait_s = acme_plan_look_s(-1, 0, c->setup->remember_looks ? FREE_TRIES : c->keep.look_failures);
    uint32_t wish_s = acme_plan_look_s(c->exchange.retry_after_s, 0, 0);
    r->look = acme_later(c->utc, wait_s > wish_s ? wait_s : wish_s);
    c->flow.info.looking = false;
    (void)end_round(c);
    if (c->setup->remember_looks) {
        (void)store(c);
    }
    return true;
}

void acme_keep_failed(struct acme_client *c, int phase, uint32_t now_ms)
{
    struct acme_renewal *r = &c->keep.renewal;
    int error = c->failure.error;
    c->keep.over_ms = now_ms;
    c->keep.trouble = phase < ACME_PHASE_BEGIN;
    if (!c->keep.trouble) {
        c->keep.troubles = 0;
    } else if (c->keep.troubles < TROUBLES) {
        c->keep.troubles++;
    }
    if (phase != ACME_PHASE_FLOW || acme_managing(c)) {
        return;
    }
    bool other = turned(c);
    if (stays(error)) {
        uint32_t tomorrow = acme_later(c->utc, A_DAY_S);
        r->next = r->next > tomorrow ? r->next : tomorrow;
        r->stopped = r->failures >= STOP_AFTER ? (uint32_t)-error : 0;
        r->cause = acme_mark_of_cause(c->setup);
    }
    if (other || stays(error)) {
        (void)store(c);
    }
}

uint32_t acme_keep_apart(struct acme_client *c, uint32_t wait_s)
{
    uint16_t random = 0; /* without it: when the CA said */
    if (acme_keeping(c)) {
        (void)random16(c, &random);
    }
    wait_s += ((wait_s / 10) * random) >> 16;
    return wait_s < A_DAY_S ? wait_s : A_DAY_S; /* what is stored for later than that is not believed */
}

/* --- between rounds --- */

enum acme_progress acme_keep_tell(struct acme_client *c)
{
    bool news = !c->keep.told && !(c->keep.quiet && c->result == ACME_CURRENT);
    if (!acme_keeping(c) || c->phase == ACME_PHASE_OFF) {
        return c->result;
    }
    c->keep.told = true;
    if (c->result != ACME_CURRENT) {
        c->keep.failed = c->result == ACME_FAILED;
        c->keep.trouble = c->keep.trouble && c->keep.failed;
    }
    return news ? c->result : ACME_IDLE;
}

/* Seconds until something matters; 0 when that is now, or is not known; UINT32_MAX: nothing will. */
static uint32_t left_s(const struct acme_client *c)
{
    struct acme_plan plan;
    uint32_t utc = 0;
    bool known = plan_at(c, &plan, &utc);
    return !known ? 0 : plan.wake == ACME_TIME_NEVER ? UINT32_MAX : acme_until_s(utc, plan.wake);
}

bool acme_keep_wakes(struct acme_client *c, uint32_t now_ms)
{
    uint32_t left_ms;
    /* What has just ended is followed by a round that only looks what comes next. */
    bool again = c->result != ACME_CURRENT && !c->keep.trouble;
    if (!again) {
        if (rests(c, now_ms, &left_ms)) {
            return false;
        }
        if (!c->keep.trouble && left_s(c) > 0) {
            return false;
        }
        c->keep.failed = false;
    }
    c->keep.quiet = again;
    c->keep.boot = c->keep.told = c->keep.known = false;
    return true;
}

bool acme_resting(const struct acme_client *c)
{
    return acme_keeping(c) && c->phase == ACME_PHASE_OVER && !acme_clearing(c) &&
           (c->result == ACME_CURRENT || c->keep.trouble);
}

uint32_t acme_keep_idle_ms(const struct acme_client *c, uint32_t now_ms)
{
    uint32_t left_ms;
    if (!acme_resting(c)) {
        return 0;
    }
    if (rests(c, now_ms, &left_ms)) {
        return left_ms < AWAKE_MS ? left_ms : AWAKE_MS;
    }
    uint32_t left = left_s(c);
    return left < AWAKE_MS / 1000 ? left * 1000u : AWAKE_MS;
}

uint32_t acme_sleep_s(const struct acme_client *c)
{
    return acme_resting(c) && !c->keep.trouble ? left_s(c) : 0;
}

#endif
