/* world.h - devices, their clients ticking for ever, and one CA with its limits, in virtual time: for years of one device, and
 * for a fleet behind one address. The scripted CA of tests/fake carries requests out and judges them; here is what
 * stands in front of it: faults, outages, the load balancer, rate limits, and the windows of renewal information. */
#ifndef TESTS_SOAK_WORLD_H
#define TESTS_SOAK_WORLD_H

#include "fake/device.h"

#define WORLD_DAY_S   86400
#define WORLD_DAY_MS  (WORLD_DAY_S * 1000LL)
#define WORLD_SPANS   4
#define WORLD_MINUTES (3660u * 1440u)

/* Filled at a steady rate up to `most`. Let's Encrypt's, as published and as Boulder has them (2026-08). */
struct bucket {
    double level, most;
    double every_ms; /* one more in so many milliseconds */
    int64_t at_ms;
};

/* The accounts of a fleet. */
enum world_accounts {
    WORLD_OWN,     /* each device makes its own          */
    WORLD_PREMADE, /* each has its own, made in a factory */
    WORLD_SHARED   /* one for all                        */
};

struct world_plan {
    unsigned devices;
    int64_t life_s;  /* of certificates                                                     */
    bool ari;        /* the CA has renewal information                                      */
    bool one_domain; /* all names are below one registered domain, and there is no override */
    enum world_accounts accounts;
    unsigned fail_percent; /* exchanges that fail, each in one of six ways                        */
    int64_t reboot_s;      /* devices are switched off and on that often; 0: never                */
    uint32_t spread_s;     /* acme_setup::spread_s                                                */
    int64_t power_up_s;    /* devices are switched on within this; 0: all at once                 */
    struct {
        int64_t from_ms, to_ms;
        int error;       /* what connecting says then */
    } span[WORLD_SPANS]; /* when the CA cannot be reached */
    int64_t recall_ms;   /* all certificates made before are to be replaced, told from then on; 0: never  */
};

/* One certificate that was in use. */
struct world_use {
    int64_t from, to;       /* its dates                                     */
    int64_t since_s, end_s; /* in use from .. to, seconds since the beginning */
};

struct actor {
    struct device d;
    struct world *world;
    struct ca_plan plan;
    char name[64];
    int64_t wake_ms, now_ms, answer_ms, reboot_ms;
    uint32_t idle_ms, skew_ms;
    bool refused;          /* the connection under way will be          */
    int after;             /* what becomes of the answer under way      */
    unsigned orders;       /* made, beside those the CA still remembers */
    struct world_use use;  /* the certificate in use; to 0: none        */
    bool recalled, exempt; /* the order under way is exempt from limits */
    int64_t start, end;    /* the window the CA has for it              */
    int64_t recalled_at;   /* when that was the CA's answer first       */
    char certid[128];      /* of it; empty: not known                   */
    struct bucket orders_of_own, same_names;
    bool had_certificate;
};

struct world {
    struct world_plan plan;
    struct actor *actors;
    struct actor **queue; /* a heap by wake_ms */
    unsigned queued;
    int64_t now_ms;          /* since the beginning, which is MAKER_NOW */
    int64_t refused_from_ms; /* refusals before are not counted */
    struct bucket accounts, orders, domain, nonce_rps, directory_rps, account_rps;
    struct {
        unsigned exchanges, failed, looks, handshakes, orders, accounts, certificates, reboots;
        unsigned balancer, limits; /* refused with 503, 429 */
        unsigned writes, appends, most_writes;
        unsigned rounds_failed;
    } sum;
    uint16_t *minutes; /* requests that came to the CA's address, in each minute         */
    uint16_t *knocks;  /* connections that were tried                                    */
    void (*used)(struct world *w, const struct actor *a, const struct world_use *use); /* it has been replaced */
    void (*ordered)(struct world *w, const struct actor *a, int64_t at_s);             /* an order was made   */
};

void world_begin(struct world *w, const struct world_plan *plan);
void world_run(struct world *w, int64_t until_ms);
void world_end(struct world *w);

/* Renewal by the rule, as Let's Encrypt's windows are centred on it. */
int64_t world_rule(int64_t from, int64_t to);

/* Whether the CA could not be reached at some time of [from_s, to_s). */
bool world_was_away(const struct world *w, int64_t from_s, int64_t to_s);

#endif
