/* exchange.h - the engine: what every request has in common, once.
 *
 * It fetches a nonce when its pocket is empty, signs, takes the nonce out of every answer, recognises problem
 * documents, signs again after badNonce, obeys Retry-After, repeats what was lost in a way that is safe,
 * waits before polls, and ends a step that takes too long. It moves no bytes itself: its owner carries them
 * between it and the network, so it runs the same over TLS, over a test, and a byte at a time.
 *
 *   WAIT -> CONNECT -> ASK -> SIGN -> SEND -> RECEIVE -> JUDGE -> WAIT ... */
#ifndef ACME_PROTOCOL_EXCHANGE_H
#define ACME_PROTOCOL_EXCHANGE_H

#include "tables.h"
#include "../wire/http.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Before another run, when costly requests were lost in this one: they may have been carried out. */
#define ACME_COSTLY_RETRY_S 3600

enum acme_exchange_state {
    ACME_EXCHANGE_WAIT,    /* until acme_exchange_due(); then acme_exchange_choose()                   */
    ACME_EXCHANGE_CONNECT, /* the owner opens a connection, then calls acme_exchange_connected()        */
    ACME_EXCHANGE_ASK,     /* acme_exchange_ask()                                                       */
    ACME_EXCHANGE_SIGN,    /* acme_exchange_sign()                                                      */
    ACME_EXCHANGE_SEND,    /* acme_exchange_output() goes out, acme_exchange_sent()                     */
    ACME_EXCHANGE_RECEIVE, /* acme_exchange_input(), acme_exchange_ended()                              */
    ACME_EXCHANGE_JUDGE    /* acme_exchange_judge()                                                     */
};

struct acme_exchange {
    const struct acme_setup *setup;
    struct acme_flow *flow;
    enum acme_exchange_state state;

    /* the request in hand */
    struct acme_url url;   /* leads into the flow                                             */
    bool for_nonce;        /* it is HEAD newNonce                                             */
    bool fresh;            /* the connection was made for it                                  */
    bool touched;          /* a byte of its answer has arrived                                */
    bool headed;           /* the whole head of its answer has                                */
    bool no_keep_alive;    /* the server closes kept connections without a word: keep none    */
    bool signing;          /* ASK, SIGN: a key is at work                                     */
    bool costly_lost;      /* a costly request may have been carried out in vain before       */
    uint8_t costly_stored; /* costly requests the store knows of                              */
    enum acme_body body;   /* what the body of its answer is                                  */
    size_t payload_len;    /* raw payload, waiting at the end of work                         */
    size_t signed_len;     /* SIGN: what is being signed, at the start of work; 0: not yet    */
    size_t output_len[2];  /* body at the start of work, head behind it                       */
    size_t sent;           /* of both together: head first, then body                         */
    size_t body_len;       /* of the answer's body, in work or gone to the sink               */
    int (*sink)(void *ctx, const char *data, size_t len);
    void *sink_ctx;

    /* waiting and giving up */
    uint32_t nonce_ms; /* when the nonce came                                                */
    uint32_t wait_since_ms, wait_ms;
    uint32_t step_since_ms;    /* when the flow last advanced                                */
    uint32_t progress;         /* acme_flow_progress() then                                  */
    uint32_t polls;            /* since then                                                 */
    uint32_t faults;           /* until what failed has succeeded                            */
    enum acme_step fault_step; /* what failed last                                           */
    uint8_t rejections;        /* badNonce in a row                                          */
    uint8_t throttles;         /* 429 or 503 in a row                                        */
    uint8_t redirects;
    int32_t retry_after_s; /* of the last answer; -1 none                                    */
    uint32_t retry_s;      /* after a failure: the CA's own wish, up to a day; 0 none        */

    struct acme_exchange_counts {
        uint32_t requests, signatures, polls, rejections; /* since start */
    } counts;

    struct acme_http_reader http;
    char nonce[ACME_NONCE_MAX + 1]; /* for the next POST; empty: none */
};

/* Begins with flow->step. The sink receives the bodies that are certificates. */
void acme_exchange_start(struct acme_exchange *x, uint32_t now_ms);

/* WAIT: true when it is over. */
bool acme_exchange_due(const struct acme_exchange *x, uint32_t now_ms);

/* True when the step has used up its time (ACME_STEP_BUDGET_S), whatever is going on. */
bool acme_exchange_overdue(const struct acme_exchange *x, uint32_t now_ms);

/* WAIT -> CONNECT: chooses the request, HEAD newNonce first when a nonce is lacking, and sets url. For rows
 * without a request the state stays WAIT. Returns 0 or ACME_E_URL*; when the step has used up its time, what it went for:
 * ACME_E_NONCE, ACME_E_RATE_LIMITED, ACME_E_STATUS, or else ACME_E_BUDGET. */
int acme_exchange_choose(struct acme_exchange *x, uint32_t now_ms);

/* CONNECT -> ASK. `fresh`: the connection was opened just now, not kept from before. */
void acme_exchange_connected(struct acme_exchange *x, bool fresh);

/* ASK -> SIGN, or SEND when nothing is to be signed: lets the flow write the payload. Returns 0, an error, or 1: a key is
 * not done, call again. Work: at most one signature. */
int acme_exchange_ask(struct acme_exchange *x);

/* After acme_exchange_ask(): the answer will be a chain or its first certificate, for which the sink must be ready. */
static inline bool acme_exchange_begins_chain(const struct acme_exchange *x)
{
    enum acme_body body = acme_row_of(x->flow, x->flow->step)->body;
    bool first = acme_body_is_der(body) && acme_issuers(x->flow) == 0;
    return (body == ACME_BODY_CHAIN && !x->for_nonce) || first;
}

/* SIGN -> SEND: the JWS and the request head. Returns 0, an error, or 1: the key is not done, call again. Work: one
 * signature. */
int acme_exchange_sign(struct acme_exchange *x);

/* SEND: the next run of bytes, empty when all are taken; *last: nothing follows it. The owner tells how many
 * it took, and at last that all have left: -> RECEIVE. */
struct acme_slice acme_exchange_output(const struct acme_exchange *x, bool *last);
void acme_exchange_sent(struct acme_exchange *x, size_t len);
void acme_exchange_flushed(struct acme_exchange *x);

/* RECEIVE: takes bytes of the answer; at its end -> JUDGE. Returns 0 or an error, to be told to
 * acme_exchange_fault(). */
int acme_exchange_input(struct acme_exchange *x, const char *data, size_t len); /* len: at least one */

/* RECEIVE: the connection ended. -> JUDGE when that ends the answer, else an error as above. */
int acme_exchange_ended(struct acme_exchange *x, bool clean);

/* JUDGE -> WAIT: the answer is complete; decides, lets the flow read it, and advances. Returns 0 or a final
 * error. *close: the connection must not be used again. */
int acme_exchange_judge(struct acme_exchange *x, uint32_t now_ms, bool *close);

/* Any state -> WAIT: the exchange came to nothing, with `error`. Goes where the row's `lost` says, with a growing wait.
 * Returns 0, or `error` when it is final. For the owner's use when connection, TLS or framing failed, and that connection must
 * be closed; acme_exchange_judge() has the same done with an odd answer, whose connection stays. */
int acme_exchange_fault(struct acme_exchange *x, int error, uint32_t now_ms);

/* --- what the engine's two files share --- */

/* The answer's head tells of success. */
bool acme_exchange_is_good(const struct acme_exchange *x);

/* Any state -> WAIT for wait_ms; with an error, because of it. */
void acme_exchange_wait(struct acme_exchange *x, uint32_t now_ms, uint32_t wait_ms, int error);

/* The step to go on with is another one; no advance. */
void acme_exchange_back(struct acme_exchange *x, enum acme_step step);

/* Goes on with `step`, as flow and owner decide outside an exchange (PRESENT, CERTIFICATE). */
void acme_exchange_go(struct acme_exchange *x, enum acme_step step, uint32_t now_ms);

#ifdef __cplusplus
}
#endif

#endif
