/* trial.h - one case: a client is run in a scene, one thing goes wrong, and the invariants are judged after every tick. */
#ifndef TESTS_FAULT_TRIAL_H
#define TESTS_FAULT_TRIAL_H

#include "fake/device.h"

enum scene_name { ISSUE, RENEWAL, NO_REUSE, ROUGH, THREE, EIGHT, SOLVERS, V1_ISSUE, V1_RENEWAL, V1_DRAFT, SCENES };

struct scene {
    const char *name;
    struct ca_plan plan;
    bool renewal; /* begins with a pair in use that is due                                  */
    unsigned
        orders; /* the CA may be left with at most so many, and one finalize; ACME v1: with so many certificates */
};

extern const struct scene scenes[SCENES];

/* Honest runs are made with either kind of keys, and with the client's own responder. */
enum trial_mode { FAST_KEYS, OWN_KEYS, LISTENS, MODES };

/* What an honest run of a scene consists of: the sizes of the dimensions. Positions in a stream count one more for each
 * message, since its end and the next one's start differ: there the CA has, or has not, been asked. */
struct honest {
    unsigned received, sent; /* positions                    */
    unsigned net, store, random, utc, connects, solvers, keys, ticks, requests;
    unsigned visited; /* places in what validators say and hear */
    unsigned written; /* bytes of records, and a few places of each line of the chain: see storetorn */
    uint64_t output;  /* hash of all that was sent    */
};

/* What cases of several runs add up to. */
struct tally {
    unsigned runs, requests, accounts, orders;
    unsigned made, used, lost, wasted;           /* certificates: several.h                    */
    unsigned visits, unreachable, wasted_visits; /* validations begun; failed for real; for us */
};

struct trial;

struct dimension {
    const char *name;
    const char *const *kinds; /* of faults at one point; NULL ends the list */
    unsigned (*size)(const struct honest *honest);
    int (*hook)(struct trial *t, enum device_seam seam, size_t *len); /* NULL: never asked */
    bool (*after_tick)(struct trial *t); /* true: the power goes here; may be NULL. Sets t->over when all is done */
    void (*prepare)(struct trial *t);    /* after boot; may be NULL                 */
    enum scene_name first_scene, last_scene;
    unsigned thin; /* in a sample so many times less of it: it repeats another in other scenes; 0: not */
    bool real_keys;
    bool same;                      /* what is sent must not differ from an honest run            */
    bool twice;                     /* two faults: two answers to newOrder may be lost               */
    bool one_run;                   /* the run itself overcomes it                                   */
    bool must_fail;                 /* no certificate while the fault lasts                         */
    unsigned spare_orders;          /* what was stored of an order is lost, so another is made */
    bool listens;                   /* the client's own responder, and validators who come to it: visitors.h */
    bool tears;                     /* a record may be left that is neither old nor new                */
    bool to_the_end;                /* after_tick is asked after the last tick, too                    */
    bool insists;                   /* it lasts until there is a certificate, and costs no second order */
    bool two_runs;                  /* the fault may spoil a second run                           */
    bool goes_on;                   /* a run that fails, or a power cut, does not end the fault     */
    void (*play)(struct trial *t);  /* in place of all this: a case that judges itself; may be NULL */
    void (*tell)(void);             /* its story                                               */
    void (*add)(struct tally *sum); /* what it cost                                            */
};

struct trial {
    struct device d;
    const struct scene *scene;
    const struct dimension *dimension; /* NULL: honest */
    unsigned point, kind;
    struct honest seen, end; /* so far, and when the certificate was there */
    unsigned number;         /* of this call among those of its sort (net, store, connects, ...), from 0 */
    enum acme_record record;
    unsigned place, units; /* what this write is in seen.written; units 0: it is none */
    uint8_t *fill;         /* DEVICE_RANDOM: where to, and how much */

    bool fired;                             /* the fault has begun                                    */
    bool over;                              /* and it is gone: the run it spoiled has ended           */
    bool dead;                              /* the connection has                                     */
    uint32_t stall_ms;                      /* since when a dead connection is silent; 0 not yet asked */
    unsigned extra[6];                      /* the dimension's own                                    */
    bool tampered;                          /* with the answer on its way: what it says binds nobody  */
    unsigned spare_orders, spare_finalized; /* of this case: orders that may be lost with answers */
    bool cache_lost;                        /* of this case: trial_cache_lost()                    */

    bool answering;   /* the CA's answer is on its way                          */
    bool key_touched; /* in this tick */
    bool powered_off;
    unsigned boots, runs;
    uint64_t virtual_ms, fault_ms; /* since the start, and at the fault's last sign */
    bool fetched;                  /* ACME v1: the new certificate has been asked for by its URL */
    char polled[300];              /* the request that was told to come back later   */
    uint32_t polled_ms, retry_after_ms;
    unsigned checked_commits;
    unsigned base_orders, base_finalized, base_asked, finalized_checked;
    struct {
        char request[1600], answer[1600];
    } message[2]; /* by number, even and odd */
};

/* Bits out of a seed, the same each time. */
uint64_t trial_mix(unsigned seed);

/* Ends the tick as a power cut does; does not return. */
void trial_power_off(struct trial *t) __attribute__((noreturn));

/* A read of the store has failed, perhaps the order's: that is a cache, so another order is made. */
void trial_cache_lost(struct trial *t);

/* The program ends the run and begins another, without a reset. */
void trial_stop_and_start(struct trial *t);

/* Plays a case. Returns true when no invariant failed; otherwise judge_words tells which. */
bool trial_play(struct trial *t, const struct scene *scene, const struct dimension *dimension, unsigned point,
                unsigned kind);

/* What an honest run shows. It must not fail; false when it does. */
bool trial_honest(struct trial *t, enum scene_name scene, enum trial_mode mode);
const struct honest *trial_honest_of(const struct scene *scene, const struct dimension *dimension);

#endif
