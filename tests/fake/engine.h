/* engine.h - the core's engine (protocol/exchange.h) talking to the scripted CA in virtual time. */
#ifndef TESTS_FAKE_ENGINE_H
#define TESTS_FAKE_ENGINE_H

#include "ca.h"
#include "protocol/exchange.h"
#include "x509/chain.h"

#define ENGINE_ENDLESS      1 /* outcome of a run that was stopped after ENGINE_REQUESTS_MAX */
#define ENGINE_REQUESTS_MAX 400

struct engine;

/* What may differ from the usual; all zero is the usual. */
struct engine_way {
    const char *directory_url;
    bool unanswered;     /* no challenge of the stored order was answered                                        */
    bool finalized;      /* finalize of the stored order may have been carried out                              */
    const char *resumed; /* URL of a stored order; the account is known then. ACME v1: new-cert, or a certificate */
    const char *const *more_hosts;
    size_t more_host_count;
    unsigned work;       /* bytes lent; 0: 6144 */
    bool known;          /* the account and the directory are stored, and no order                               */
    const char *certid;  /* of the certificate in use, which the order is to replace                             */
    const char *profile; /* asked for                                                                            */
    bool optional;       /* ... or the CA's own choice                                                           */
    bool old_key;        /* the account key is from the store; so it is with `known` and `resumed`               */
    const char *prefers; /* name of the root its chain is to lead to, or "shortest"                             */
    const char *told;    /* mark of the contacts the CA has, as it is stored                                    */
    const char *eab_kid, *eab_secret; /* of the binding; the MAC key's bytes as text                             */
    unsigned down_after;              /* requests after which no connection can be opened */
    bool unclean;                     /* connections end without close_notify             */
    bool no_terms;
    bool tidy;                       /* authorizations of an order that is given up are deactivated */
    const char *contact;             /* of the account: one, twice */
    bool judged;                     /* the chain is read and put in order, as acme.c does; else kept as it is */
    bool whole;                      /* whole pieces only: a large sweep has no time for both          */
    const struct acme_key_ops *keys; /* of both keys; NULL: the usual ones, made anew                  */
    void (*begun)(struct engine *e); /* may change what is there before the first request              */
    struct ca_answer (*server)(struct engine *e); /* answers in place of the scripted CA; counts ca.requests */
    void (*asked)(struct engine *e);              /* a request has been answered: ca.last, request, answer          */
    bool (*then)(struct engine *e);               /* at a good end; true: it goes on, engine_manage() was called */
    void (*before_step)(struct engine *e);        /* may look at everything, and leaves it as it was           */
};

struct engine {
    struct ca ca;
    struct acme_setup setup;
    struct acme_flow flow;
    struct acme_exchange x;
    struct acme_key_p256 account, certificate;
    struct acme_solver solver;
    const struct acme_solver *solvers[1];
    const char *contacts[2];
    const struct engine_way *way;
    char work[8192]; /* setup.work_len of them are lent */
    uint32_t now_ms;
    bool bytewise, open;
    bool dropped;     /* an order was given up */
    const void *leaf; /* DER of the certificate in use, for engine_manage() */
    size_t leaf_len;
    struct acme_chain judge; /* of the chain, as acme.c has it */
    bool over;
    bool dead; /* the CA has closed the open connection, and the client has not seen it yet */
    char host[254];
    char request[8192];
    size_t request_len, answer_at;
    struct ca_answer answer;

    /* the outcome */
    int error;
    uint32_t elapsed_ms;
    unsigned connections, presents, withdraws;
    uint64_t sent_hash; /* of all bytes sent */
    enum ca_kind asked[ENGINE_REQUESTS_MAX];
    unsigned waits;
    struct {
        uint32_t ms;
        int error;
        enum acme_step step;
    } wait[64];
    unsigned terms;    /* told: where terms of service are */
    unsigned chains;   /* told: which one is used, of several */
    unsigned taken;    /* ... the CA's own choice, or which alternate */
    int chain_error;   /* ... and why it is not as wished */
    unsigned profiles; /* told, when the one asked for is not among them */
    char told[128];    /* the last text of a profile or an explanation   */
    unsigned problems;
    char problem_type[8][128], problem_name[8][128], problem_detail[2048]; /* the detail of the last one */
    char failure_type[64], failure_detail[256]; /* as acme.c's fail() takes them, printable or not */
    char chain[16384];
    size_t chain_len;
};

/* Runs to the end: a byte at a time, then in whole pieces, and compares the outcomes. The state of the second
 * run stays in *e, for the test to look at and engine_free(). */
void engine_play(struct engine *e, const struct ca_plan *plan, const struct engine_way *way);
void engine_free(struct engine *e);

#if ACME_CFG_MANAGE
/* Begins a run of protocol/manage.c with what there is: the keys and, to be revoked, e->leaf. */
void engine_manage(struct engine *e, enum acme_task what);
#endif

/* One run, a byte at a time or in whole pieces. */
void engine_run(struct engine *e, const struct ca_plan *plan, const struct engine_way *way, bool bytewise);

#endif
