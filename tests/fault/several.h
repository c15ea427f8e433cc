/* several.h - several faults at once, over several runs of one device: the case, and what its kinds of faults may touch. */
#ifndef TESTS_FAULT_SEVERAL_H
#define TESTS_FAULT_SEVERAL_H

#include "fake/ca_more.h"
#include "trial.h"

#define SEVERAL_FAULTS    4
#define SEVERAL_RUNS      6  /* in which something may go wrong */
#define SEVERAL_GOOD_RUNS 2  /* after that, of which one must end with a certificate */
#define SEVERAL_ORDERS    40 /* as many as the scripted CA can make */

enum moment {
    AT_REQUEST, /* the CA does not get it                          */
    AT_ANSWER,  /* it has carried it out                           */
    AT_CONNECT, /* of connections: `error`, or 0 for silence       */
    AT_PRESENT, /* the solver says so                              */
    AT_TICK,    /* of the run; act() is given no request           */
    AT_GET,     /* of a cache's record: `error`                    */
    AT_PUT,     /* of any record, and of a commit: `error`         */
    BEFORE_RUN  /* the device is off; act() is given no request    */
};

/* What the judge may excuse by it. */
enum excuse {
    NO_EXCUSE = 0,
    ENDS_RUN = 1,       /* the CA has asked for it: a run may end at once, whatever is under way     */
    A_DAY = 2,          /* it may advise a day                                                       */
    NEEDS_PERSON = 4,   /* nothing else can be concluded from it                                     */
    LASTS_PERSON = 8,   /* the same, when it strikes oftener than what passes within a run           */
    ANSWERS_TWICE = 16, /* the challenge is to be answered again                                     */
    LOSES_POWER = 32,   /* what the client knows, or shows, is gone                                  */
    OLD_STATE = 64,     /* records are not what the client left                                      */
    LEAVES_ORDERS = 128 /* newOrder's answer cannot be read, so each time it is asked an order is left */
};

struct fault;

struct fault_kind {
    const char *name;
    enum moment when;
    unsigned steps;  /* bits of enum ca_kind; 0: any     */
    unsigned tables; /* OF_8555, OF_V1                   */
    unsigned excuses;
    /* An answer in place of the CA's: its code, a problem's type (NULL: a page, by somebody else), more header lines. */
    int code;
    const char *type, *head;
    int error;
    enum ca_meddled (*act)(struct fault *f, struct request *r, struct reply *p); /* NULL: only that answer */
};

enum { OF_8555 = 1, OF_V1 = 2, OF_BOTH = 3 };

/* One of a case. */
struct fault {
    const struct fault_kind *kind;
    unsigned run;       /* in which it happens, from 0; BEFORE_RUN: before which          */
    enum ca_kind step;  /* at which request                                               */
    unsigned skip;      /* so many of that step, in that run, go well; AT_TICK: so many ticks */
    unsigned times;     /* CA_FOREVER: all of the run                                     */
    unsigned seed;      /* for what a kind has to choose                                  */
    unsigned met, done; /* so often its step was reached, and it has struck, in its run   */
};

/* A certificate, by its order's place. */
struct made {
    bool counted, used;
    const char *lost;     /* why there is no way to it, by no fault of the client's; NULL: there is one */
    unsigned denied_runs; /* in which a fault stood before it                         */
    unsigned denied_run;  /* the last of them, plus one                               */
    int64_t utc;
};

/* A validation under way. */
struct visit {
    bool open, broken; /* broken: the listener cannot be reached, for the fault's sake */
    uint64_t due_ms, since_ms;
    unsigned run;
    bool cut; /* the power went meanwhile */
};

struct several {
    struct trial *t;
    struct device *d;
    struct ca_plan plan;
    struct fault fault[SEVERAL_FAULTS];
    unsigned fault_count, ill_runs;
    uint64_t dice;
    bool v1;

    unsigned run;    /* number, from 0                     */
    unsigned tick;   /* in this run                        */
    bool restarts;   /* the power goes, or the program ends the run, behind this tick */
    unsigned struck; /* excuses of what has struck in this run                        */
    bool lasting;    /* something struck more than three times in this run           */
    bool struck_any;
    int64_t skew; /* the device's clock before the true time */
    bool jumped;  /* it was another one at some time         */
    unsigned delay_ms, patience_s;
    unsigned accounts_lost, purged_orders, purged_authz;
    unsigned last_told, orders_told; /* in this run: newOrder was answered, and the answer not lost */
    unsigned requests_before, repeats_before;
    unsigned good_runs, wasted;
    struct made made[SEVERAL_ORDERS];
    struct visit visit[SEVERAL_ORDERS * CA_NAMES];
    unsigned told_valid[SEVERAL_ORDERS]; /* by the name's place, a bit each; ACME v1: only [0]     */
    unsigned visits, real_failures, wasted_validations;
    struct {
        bool there;
        char record[DEVICE_RECORDS][4096];
        size_t len[DEVICE_RECORDS];
    } before[SEVERAL_RUNS]; /* what was stored when a run began */
    char *true_chain;       /* of the order whose chain a fault has exchanged for one answer */
    unsigned true_order;
    unsigned seen[64]; /* hashes of URLs another replica has denied once */
    unsigned seen_count;

    unsigned charges;
    char first[400], last[400]; /* charge */
    char story[1u << 17];
    size_t story_len;
};

extern struct several several;

extern const struct fault_kind fault_kinds[];
extern const unsigned fault_kind_count;

/* Certificates that were made and not used are lost to the client from here on: nobody's fault but the world's. */
void several_lost(const char *why);

/* A chain for this key and these names, as the CA would issue it; the caller frees it. NULL names: none. */
char *several_chain(const uint8_t point[65], const char *san);

#endif
