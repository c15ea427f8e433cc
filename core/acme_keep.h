/* acme_keep.h - what acme.c does so that a certificate is kept for ever: callers need not look here. The decisions are
 * lifecycle/plan.c's; here is when they are asked for, and what is stored. Without ACME_CFG_RENEWAL the caller decides, and
 * the compiler sees it. */
#ifndef ACME_KEEP_H
#define ACME_KEEP_H

#include "acme.h"
#include "lifecycle/renew.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The time: a clock before ACME_UTC_FLOOR, or after February 2106, is out of its mind. Returns 1, 0 when it is not known, or the
 * system's error; *utc is then as it was. */
static inline int acme_time(const struct acme_client *c, uint32_t *utc)
{
    int64_t now = 0;
    int known = c->setup->sys->utc(c->setup->sys->ctx, &now);
    if (known == 1 && (now < ACME_UTC_FLOOR || now >= UINT32_MAX)) {
        return 0;
    }
    *utc = known == 1 ? (uint32_t)now : *utc;
    return known;
}

#if ACME_CFG_RENEWAL

static inline bool acme_keeping(const struct acme_client *c)
{
    return c->when == ACME_KEEP;
}

/* The run asks for renewal information only. */
static inline bool acme_looking(const struct acme_client *c)
{
    return c->flow.info.looking;
}

/* The caller begins: nothing is known yet of earlier rounds. */
void acme_keep_start(struct acme_client *c);

/* Reads what is remembered of renewing. Work: one read. */
void acme_keep_recall(struct acme_client *c);

/* Decides what the round is for, once the pair is known. Returns 1 or an error. Work: at most one write, before an attempt. */
int acme_keep_plan(struct acme_client *c, uint32_t now_ms);

#define acme_keep_by_life(pair) acme_plan_by_life(pair)

/* The application takes new pairs over. */
static inline bool acme_keep_deploys(const struct acme_client *c)
{
    return c->setup->deploy.taken != NULL;
}

/* Asks the application whether the new pair counts. Returns 1, 0 not yet, or its error. */
int acme_keep_offer(struct acme_client *c);

/* The pair was replaced: what is planned for it is not known before it was looked at. */
void acme_keep_replaced(struct acme_client *c);

/* Has the application take over the pair in use. Returns 1, 0 not yet, or its error. Work: at most one write. */
int acme_keep_deploy(struct acme_client *c);

/* Before a request: stores what the CA has refused for good. Returns 1 when it wrote, 0, or an error. */
int acme_keep_flow(struct acme_client *c);

/* The look has come to its end. Returns 1 or an error. Work: at most one write. */
int acme_keep_looked(struct acme_client *c);

/* The look has failed: of that nothing is said. Returns false when the run is no look. Work: at most one write. */
bool acme_keep_look_failed(struct acme_client *c, int error);

/* The run has failed in that enum acme_phase, as c->failure says. Work: at most one write. */
void acme_keep_failed(struct acme_client *c, int phase, uint32_t now_ms);

/* A wait the CA has asked for, and up to a tenth more: it may have told a whole fleet the same moment. */
uint32_t acme_keep_apart(struct acme_client *c, uint32_t wait_s);

/* What acme_tick() says at the end of a round: once what has come of it. */
enum acme_progress acme_keep_tell(struct acme_client *c);

/* Between rounds: true when the next one has to begin. */
bool acme_keep_wakes(struct acme_client *c, uint32_t now_ms);

/* acme_idle_ms() between rounds. */
uint32_t acme_keep_idle_ms(const struct acme_client *c, uint32_t now_ms);

#else
#define acme_keeping(c)             false
#define acme_looking(c)             false
#define acme_keep_start(c)          ((void)(c))
#define acme_keep_recall(c)         ((void)(c))
#define acme_keep_plan(c, now)      ((void)(now), 0)
#define acme_keep_by_life(pair)     acme_renew_at((pair)->not_before, (pair)->not_after)
#define acme_keep_deploys(c)        false
#define acme_keep_offer(c)          1
#define acme_keep_deploy(c)         1
#define acme_keep_replaced(c)       ((void)(c))
#define acme_keep_flow(c)           0
#define acme_keep_looked(c)         1
#define acme_keep_look_failed(c, e) false
#define acme_keep_failed(c, p, now) ((void)(p), (void)(now))
#define acme_keep_apart(c, wait_s)  (wait_s)
#define acme_keep_tell(c)           ((c)->result)
#define acme_keep_wakes(c, now)     false
#define acme_keep_idle_ms(c, now)   0
#endif

#ifdef __cplusplus
}
#endif

#endif
