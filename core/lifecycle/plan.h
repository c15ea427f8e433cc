/* plan.h - when: the one place that decides when a certificate is renewed, when an attempt has to wait, and when the CA is
 * asked for renewal information (RFC 9773). Pure functions of what is stored, the pair in use, and the time. */
#ifndef ACME_LIFECYCLE_PLAN_H
#define ACME_LIFECYCLE_PLAN_H

#include "renewal.h"
#include "../jose/jwk.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is known of the pair in use from its leaf certificate; all zero: there is none. */
struct acme_pair {
    uint32_t not_before, not_after;
    bool same_names; /* it is for the names in the setup, and no others */
    uint8_t point[ACME_POINT_LEN];
#if ACME_CFG_RENEWAL
    struct acme_mark mark; /* empty: there is no pair */
#endif
};

#if ACME_CFG_RENEWAL

#define ACME_TIME_NOW   0 /* now, and ever since */
#define ACME_TIME_NEVER UINT32_MAX

/* Why a renewal is due, or will be. */
enum acme_why {
    ACME_WHY_LIFE,     /* the share of its life that is left: a third, half under ten days     */
    ACME_WHY_WINDOW,   /* the moment drawn in the window the CA suggests                       */
    ACME_WHY_BACKSTOP, /* there is such a window, but it reaches beyond what is safe           */
    ACME_WHY_ORDER,    /* an order is in progress                                              */
    ACME_WHY_NO_PAIR,  /* there is no certificate                                              */
    ACME_WHY_EXPIRED,
    ACME_WHY_NAMES, /* it is for other names than those of the setup                        */
    ACME_WHY_SETUP  /* it was asked for at another directory, or with another profile       */
};

/* Why an attempt has to wait though a renewal is due. */
enum acme_hold {
    ACME_HOLD_NONE,
    ACME_HOLD_FAILURES, /* attempts have failed                                           */
    ACME_HOLD_CA,       /* the CA wants to be left alone until then (Retry-After)         */
    ACME_HOLD_STOPPED,  /* what failed does not change by repetition, but by the setup    */
    ACME_HOLD_SPREAD    /* a fleet is not to come all at once (acme_setup::spread_s)      */
};

/* Times are seconds since 1970, ACME_TIME_NOW or ACME_TIME_NEVER; those of the window and the pair 0 when there is none. */
struct acme_plan {
    uint32_t due;                   /* renewal is due from then on                                        */
    uint32_t hold_until;            /* and there is no attempt before; ACME_TIME_NOW: nothing in the way  */
    uint32_t look;                  /* when the CA is asked for renewal information next                  */
    uint32_t deploy;                /* when the application is told of the pair in use again              */
    uint32_t wake;                  /* the next moment that matters: the earliest of these                */
    uint32_t start, end, chosen;    /* the window in force, and the moment drawn in it         */
    uint32_t not_before, not_after; /* of the pair in use                                      */
    uint32_t failures;              /* attempts in a row that failed                           */
    int error;                      /* ACME_HOLD_STOPPED: which                                */
    enum acme_why why;
    enum acme_hold hold;
    bool deploy_pending; /* the application has not taken the pair in use over yet                */
};

/* What a plan is made from. Borrowed for the call. */
struct acme_facts {
    const struct acme_renewal *renewal; /* settled                                                    */
    const struct acme_pair *pair;       /* in use                                                     */
    const struct acme_mark *setup;      /* of the setup in force                                      */
    uint32_t utc;                       /* now                                                        */
    uint32_t retry_utc;                 /* the CA does not want to see us before; 0: it has not said  */
    bool order;                         /* one is in progress                                         */
    bool asks;                          /* the CA may be asked for renewal information about it       */
    bool asks_late;                     /* it had none to tell: asked once more, shortly before       */
    bool deploys;                       /* there is an application that takes certificates over       */
};

void acme_plan_make(struct acme_plan *plan, const struct acme_facts *facts);

/* When the pair is due by its life alone: acme_renew_at(), and up to a sixty-fourth of the life earlier, drawn from its public
 * key, so that certificates made in one minute are not renewed in one. */
uint32_t acme_plan_by_life(const struct acme_pair *pair);

/* Seconds until the next attempt, after that many in a row, when `left_s` of a certificate's life is left (0:
 * nothing to lose): 1, 10, 100 minutes, then a day, but at most a sixth of what is left, and not under a minute; and up to
 * a tenth more, as `random` says. */
uint32_t acme_plan_backoff_s(uint32_t failures, uint32_t left_s, uint16_t random);

/* Notes the beginning of an attempt, as a failure until the certificate in use is another: to be stored before its first
 * request. */
void acme_plan_attempt(struct acme_renewal *r, const struct acme_plan *plan, const struct acme_facts *facts,
                       uint16_t random);

/* Takes a window the CA has told for the pair in use, seconds since 1970; end 0: none. One that is new has a moment
 * drawn in it, uniformly, by `random` (an endless source of 32 bits; it returns 0 or an error); one that is known keeps
 * its own. It is cut to the certificate's life without its last tenth. Returns 1 when something is to be stored, 0, or the
 * source's error, and then nothing was taken. */
int acme_plan_window(struct acme_renewal *r, const struct acme_pair *pair, uint32_t start, uint32_t end,
                     int (*random)(void *ctx, void *buf, size_t len), void *random_ctx);

/* Seconds until the next look, after one that went well: what the CA said (Retry-After; -1: nothing), a minute to a day;
 * a twentieth of the life, six hours at most, when it said nothing. After `failures` in a row: 1, 10, 100 minutes, then
 * six hours. */
uint32_t acme_plan_look_s(int32_t retry_after_s, uint32_t life_s, uint32_t failures);

#endif

#ifdef __cplusplus
}
#endif

#endif
