#ifndef INTERIM
#define INTERIM
#include <stdint.h>
#include <stdbool.h>
#define ACME_TIME_NOW   INT64_MIN /* now, and ever since */
#define ACME_TIME_NEVER INT64_MAX

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
    int64_t due;                   /* renewal is due from then on                                        */
    int64_t hold_until;            /* and there is no attempt before; ACME_TIME_NOW: nothing in the way  */
    int64_t look;                  /* when the CA is asked for renewal information next                  */
    int64_t deploy;                /* when the application is told of the pair in use again              */
    int64_t wake;                  /* the next moment that matters: the earliest of these                */
    int64_t start, end, chosen;    /* the window in force, and the moment drawn in it         */
    int64_t not_before, not_after; /* of the pair in use                                      */
    uint32_t failures;             /* attempts in a row that failed                           */
    int error;                     /* ACME_HOLD_STOPPED: which                                */
    enum acme_why why;
    enum acme_hold hold;
    bool deploy_pending; /* the application has not taken the pair in use over yet                */
};

#endif
