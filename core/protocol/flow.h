/* flow.h - the protocol as a table: what each step asks, and where its answer leads (RFC 8555, 7). */
#ifndef ACME_PROTOCOL_FLOW_H
#define ACME_PROTOCOL_FLOW_H

#include "alternate.h"
#include "binding.h"
#include "flow_v1.h"
#include "leave.h"
#include "manage.h"
#include "problem.h"
#include "resource.h"
#include "../jose/jwk.h"
#include "../wire/http.h"
#include "../x509/leaf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Times in all that a challenge is answered (step-ca leaves a failed one pending with an error in it), that an object which
 * should be there is asked for (replicas of the CA's database lag), or that a certificate which is not ours is looked at. */
#define ACME_TRIES_MAX 4

/* How a step's request is made. */
enum acme_method {
    ACME_METHOD_NONE,    /* no request: the step acts on this side            */
    ACME_METHOD_GET,     /* unsigned                                          */
    ACME_METHOD_NEW_KEY, /* POST signed with the public key inside (jwk)      */
    ACME_METHOD_POST     /* POST signed in the account's name (kid)           */
};

/* What the body of a good answer is. */
enum acme_body {
    ACME_BODY_JSON,
    ACME_BODY_CHAIN, /* certificates in PEM: to the sink, piece by piece as they arrive */
    ACME_BODY_DER,   /* one certificate: to the sink once it has come in whole          */
    ACME_BODY_NONE   /* of no interest                                                  */
};

/* What the engine can tell a reader. There is no HTTP code in it, so none can be judged by. */
struct acme_answer {
    struct acme_json *json;     /* the body; without any value when it was empty or is not JSON */
    struct acme_slice location; /* may be empty                                                 */
    enum acme_rel rel;          /* what `link` is to the object                                 */
    struct acme_slice link;     /* absolute; may be empty                                       */
    size_t len;                 /* of the body                                                  */
};

#if ACME_CFG_RENEWAL
/* Renewal information (RFC 9773), and what newOrder says beside the names. */
struct acme_info {
    bool looking;        /* this run asks for renewal information only: renewal_info.c                      */
    bool replaces;       /* newOrder names the certificate it replaces: certid                                  */
    bool spend;          /* the CA refused that: for the owner to store before anything else is asked           */
    bool anew;           /* more or other is wished for than when the certificate in use was made              */
    bool by_default;     /* newOrder leaves the profile out, for the CA has none of that name                   */
    bool none;           /* the directory was read and has no renewalInfo                                       */
    uint32_t start, end; /* the window told, seconds since 1970; end 0: none                                   */
    char certid[ACME_CERTID_MAX + 1]; /* of the certificate in use (RFC 9773, 4.1); empty: it has none           */
    char url[ACME_URL_MAX + 1];       /* the directory's renewalInfo; empty: not known, or none                  */
};
#endif

/* How far an authorization has come. */
enum acme_stage {
    ACME_STAGE_NEW,   /* to be looked at                   */
    ACME_STAGE_OPEN,  /* its answer is to be put on show   */
    ACME_STAGE_SHOWN, /* it is; the CA is to be told       */
    ACME_STAGE_ASKED, /* the CA is looking, or may be      */
    ACME_STAGE_VALID
};

/* One authorization of the order. Its texts are with the order's: struct acme_order. */
struct acme_validation {
    enum acme_stage stage;
    uint8_t name;    /* 1 + index in setup->names; 0: not known yet                                  */
    uint8_t solver;  /* index in setup->solvers                                                      */
    uint8_t answers; /* times its challenge was answered in vain                                     */
    uint8_t since;   /* acme_flow::polled when it was, perhaps, answered, and it has been silent since */
    bool shown;      /* its solver has the answer                                                    */
    bool in_doubt;   /* our response may not have reached the CA                                     */
    bool accepted;   /* the CA has taken a response                                                  */
#if ACME_CFG_CHOICE
    uint8_t passed; /* solvers, counted from the one that begins, that have declined or come before one that has */
#endif
    struct acme_challenge challenge; /* as given to the solver                                       */
};

/* Where the client stands with the CA. Knows no sockets, no TLS, no HTTP, no store.
 * Small members come first, here and in all large structs: what lies near the start is cheap to reach. */
struct acme_flow {
    const struct acme_setup *setup;
    enum acme_step step;
    enum acme_status status; /* of the last object read, for the trace                               */

    /* the authorizations of the order, side by side */
    uint8_t authz;     /* the one in hand: index in order.authz and at                              */
    uint8_t answered;  /* below it: a response may have gone out, in this run or before             */
    uint8_t moved;     /* polled, when one has become valid last */
    uint8_t polled;    /* polls that found one waiting; wraps                                       */
    uint8_t url_of;    /* 1 + whose challenge challenge_url is of; 0: nobody's                      */
    uint8_t presented; /* answers on show                                                          */
    bool told;         /* the CA has taken a response to one of those                               */
    bool authorized;   /* the order is past them: all are valid, or it says so                      */
    bool at_once;      /* the next poll need not wait                                               */
#if ACME_CFG_CHOICE
    uint8_t turn; /* the solver that begins: the one behind that whose validation has failed last */
#endif

    /* whatever else is being worked on: the order, finalize, the certificate */
    uint8_t tries;  /* times it was tried again                                                      */
    uint8_t denied; /* times in a row that an object, or the account, was said not to be there      */

    /* what the owner has to make durable before the next step asks anything */
    bool save_account;
    bool save_order;
    bool drop_order;
    bool drop_key; /* the key made for an order that is no more */

    bool resumed;   /* the order came from the store: it may be gone                            */
    bool finalized; /* the CA may have carried out finalize: there may be a certificate         */
    bool requested; /* finalize has gone out in this run                                        */
    bool old;       /* stored so long before this run that its certificate is given up; never once this run may
                            have had finalize carried out                                            */
    bool cached;    /* the directory came from the store: it may be out of date                 */
    bool renewed;   /* the account was looked up by its key once already                        */
    bool confirmed; /* the CA has told the account's URL in this run                            */
    bool reordered; /* a useless order was replaced once already                                */
    ACME_V1_FLOW
    ACME_BINDING_FLOW
    ACME_LEAVE_FLOW
    uint32_t signatures; /* of certificate requests                                                  */
    uint32_t since;      /* when the order was stored first, not when finalize was asked; 0: not known */

    struct acme_validation at[ACME_NAMES_MAX]; /* those of order.authz */
    struct acme_problem problem;               /* the CA's words about what failed; in work                    */
    struct acme_hosts hosts;

    char thumbprint[ACME_THUMBPRINT_LEN + 1]; /* of the account key, once an answer is on show */
    char challenge_url[ACME_URL_MAX + 1];
    char link[ACME_V1_URL];               /* terms to agree to; later where the chain goes on            */
    char account[ACME_URL_MAX + 1];       /* kid; empty: not known                                   */
    char directory_url[ACME_URL_MAX + 1]; /* where a redirect led; empty: setup->ca.directory_url    */
    struct acme_directory directory;
    struct acme_order order;
#if ACME_CFG_RENEWAL
    struct acme_info info;
#endif
    ACME_MANAGE_FLOW
    ACME_ALTERNATE_FLOW
};

struct acme_row {
    enum acme_method method;
    bool poll;           /* wait before asking, longer each time                                          */
    bool needs_key;      /* the certificate key must be at hand                                           */
    bool costly;         /* ACME v1: each time it is carried out counts against a quota                   */
    bool needs_leaf;     /* beside issuing: the certificate in use must lie at the end of the work buffer */
    enum acme_body body; /* of a good answer                                                              */
    enum acme_step lost; /* where to look when the answer was lost: the request may have been carried out */
    /* The URL to ask; NUL-terminated. */
    const char *(*url)(const struct acme_flow *flow);
    /* Writes the payload; NULL: POST-as-GET. Returns 0, an error, or 1 when a key signs it and is not done (secure/key.h): it
     * is called again. Work: at most one signature. */
    int (*ask)(struct acme_flow *flow, struct acme_out *payload);
    /* Reads a good answer. Returns the next step, or an error. */
    int (*read)(struct acme_flow *flow, const struct acme_answer *answer);
    /* Reads a refusal. Returns the next step, or an error (ACME_E_PROBLEM). NULL: ACME_E_PROBLEM. */
    int (*refused)(struct acme_flow *flow, const struct acme_problem *problem);
};

#if ACME_CFG_RENEWAL
/* Begins a look: renewal information is asked for, no more (renewal_info.c). As acme_flow_start(). */
void acme_flow_look(struct acme_flow *flow);

static inline bool acme_flow_looks(const struct acme_flow *flow)
{
    return flow->info.looking;
}

/* True when newOrder, which was asked last, names the certificate it replaces. */
bool acme_flow_replaces(const struct acme_flow *flow);
#else
#define acme_flow_looks(flow)    false
#define acme_flow_replaces(flow) false
#endif

/* What is asked for is worth no trouble: the run can do without. */
#define acme_flow_is_extra(flow) (acme_flow_looks(flow) || acme_flow_is_spare(flow))

/* ... and whatever is said of the account or the directory then is the next run's business. */
#define acme_flow_is_spare(flow) (acme_is_alternate(flow) || acme_is_leave((flow)->step))

/* The rows without a request: does some of the step's work. Returns the next step, flow->step when it is not
 * finished, or an error. Work: the solver's. */
int acme_flow_act(struct acme_flow *flow);

/* Only the head of the answer was of use: what newOrder has made is at `location`, which may be empty. */
void acme_flow_located(struct acme_flow *flow, struct acme_slice location);

/* The DNS name a step is about; empty for steps about none. */
struct acme_slice acme_flow_name_of(const struct acme_flow *flow, enum acme_step step, uint8_t authz);
#define acme_flow_name(flow, step) acme_flow_name_of((flow), (step), (flow)->authz)

/* The CA does not know our account (any request may say so): not believed at once, for a replica that lags says so of a
 * new one. Returns the step to go to, or ACME_E_PROBLEM when the account was looked up already. */
int acme_flow_account_lost(struct acme_flow *flow);

/* A URL of the stored directory (flow->cached) did not work. Returns ACME_STEP_DIRECTORY. */
int acme_flow_directory_stale(struct acme_flow *flow);

/* The order cannot give us a certificate (gone, or made for another key). Returns ACME_STEP_ORDER once, or what leads there
 * (leave.h), then `error`. */
int acme_flow_reorder(struct acme_flow *flow, int error);

/* True while the order may have a certificate, or get one, that was asked for: each counts against a quota of a few a
 * week, so this order is not given up for a word that may be a passing one, only when the CA calls it invalid, or in a run
 * that begins a day and a half after it was stored first and does not ask for the certificate itself. */
bool acme_flow_keeps_order(const struct acme_flow *flow);

/* Takes back all that is published; called on every way out. */
void acme_flow_withdraw(struct acme_flow *flow);

/* Lets the solvers do their own work while something is on show. Returns true when something moved. */
bool acme_flow_serve(struct acme_flow *flow, uint32_t now_ms);

/* True when one of them has any, on every tick. */
bool acme_flow_serves(const struct acme_flow *flow);

#if ACME_CFG_CHOICE
/* True as long as a solver takes away what was withdrawn; it is served until then. */
bool acme_flow_clears(const struct acme_flow *flow);

static inline uint8_t acme_flow_get_turn(const struct acme_flow *flow)
{
    return flow->turn;
}

/* One of another setup, or out of a record, is none. */
static inline void acme_flow_set_turn(struct acme_flow *flow, uint32_t turn)
{
    flow->turn = (uint8_t)(turn < flow->setup->solver_count ? turn : 0);
}
#else
#define acme_flow_clears(flow)         ((void)(flow), false)
#define acme_flow_get_turn(flow)       0
#define acme_flow_set_turn(flow, turn) ((void)(turn))
#endif

/* Progress made, for telling a loop from an advance: grows with every authorization and step. */
uint32_t acme_flow_progress(const struct acme_flow *flow, enum acme_step step);

#ifdef __cplusplus
}
#endif

#endif
