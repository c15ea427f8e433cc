/* acme.h - nanoacme: an ACME client (RFC 8555) in static memory.
 *
 * Rules that hold for every function
 *   - The caller owns all memory. Nothing is allocated, so there is nothing to free. What is in struct acme_client is
 *     private, and in the header only for its size; the functions tell what a caller may know.
 *   - Nothing blocks. Work happens in acme_tick(), a bounded amount at a time: at most one public-key operation, at
 *     most one send and one receive on the connection, at most one record written.
 *   - Time is an argument: a millisecond counter that may start anywhere, must not stand still, and uses all 32 bits: it
 *     wraps at 2^32 and nowhere else (32-bit microseconds divided by 1000 do not).
 *   - No function may be called from an interrupt, nor for the same client from two contexts at once. Clients are
 *     independent of each other: there are no globals.
 *   - Errors are negative (acme_error.h).
 *
 * A program; secure/key_p256.h gives keys in RAM, protocol/challenge_http01.h a responder, for its setup
 *
 *     static struct acme_client client;
 *     static const struct acme_setup setup = { ... };           see acme_setup.h
 *
 *     if (acme_init(&client, &setup) == 0 && acme_start(&client, ACME_IF_DUE, now_ms()) == 0) {
 *         do {
 *             progress = acme_tick(&client, now_ms());
 *             if (progress == ACME_IDLE) sleep_until_network_or(acme_idle_ms(&client, now_ms()));
 *         } while (!acme_is_over(progress));
 *     }
 *
 * After ACME_ISSUED the pair is in the program's own store: ACME_RECORD_KEY and ACME_RECORD_CHAIN, both PEM.
 */
#ifndef ACME_H
#define ACME_H

#include "acme_setup.h"
#include "acme_version.h"
#include "lifecycle/keeper.h"
#include "protocol/exchange.h"
#include "secure/channel.h"
#include "x509/chain.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What acme_tick() did. */
enum acme_progress {
    ACME_IDLE,    /* nothing to do until bytes arrive or acme_idle_ms() has passed */
    ACME_BUSY,    /* more can be done at once: tick again                         */
    ACME_ISSUED,  /* a new pair is in use. The run is over                        */
    ACME_CURRENT, /* there is nothing to be done now. The run is over             */
    ACME_FAILED,  /* see acme_failure(). The run is over; acme_start() may follow */
#if ACME_CFG_MANAGE
    ACME_DONE /* what was asked for beside issuing is done. The run is over   */
#endif
};

/* True for what ends a run: all but the first two. */
static inline bool acme_is_over(enum acme_progress progress)
{
    return progress != ACME_IDLE && progress != ACME_BUSY;
}

/* Why a run failed. The first failure counts and stays until the next acme_start(). */
struct acme_failure {
    int error;                        /* enum acme_error                                               */
    enum acme_step step;              /* where; meaningful unless `record` or set-up is to blame       */
    enum acme_record record;          /* for ACME_E_STORE_*, ACME_E_KEY_CORRUPT, ACME_E_PAIR           */
    int tls_code;                     /* BearSSL's number, for ACME_E_TLS*; 0 none                     */
    uint16_t http_status;             /* of the CA's answer; 0 none                                    */
    uint32_t retry_s;                 /* the CA's wish, or our advice (an hour where a validation or an
                                         order failed, a day where a person has to act), before another
                                         run; 0: any time, but not at once again and again              */
    char name[254];                   /* DNS name concerned; empty: none                               */
    char type[64];                    /* the CA's problem type; empty: the CA said nothing             */
    char detail[ACME_DETAIL_MAX + 1]; /* the CA's own words, printable ASCII, cut at the end. With
                                         ACME_E_TLS_UNTRUSTED and no type: the name of the issuer there
                                         is no anchor for; empty: not known                            */
};

/* What was done since acme_init(). */
struct acme_stats {
    uint32_t requests;   /* HTTP requests, newNonce included           */
    uint32_t handshakes; /* TLS                                        */
    uint32_t bytes_up;   /* on the wire, TLS included                  */
    uint32_t bytes_down;
    uint32_t signatures; /* JWS and certificate requests               */
    uint32_t keys;       /* key pairs made                             */
    uint32_t polls;      /* of authorizations and orders               */
    uint32_t rejections; /* nonces refused by the CA                   */
    uint32_t writes;     /* records and commits                        */
    uint32_t ticks;
};

/* One client: one certificate. Size by configuration: `make size` prints it. */
struct acme_client {
    const struct acme_setup *setup;
    enum acme_phase {
        ACME_PHASE_OFF,
        ACME_PHASE_ACCOUNT_KEY, /* read or make the account key                   */
        ACME_PHASE_RECORDS,     /* read what is known of account and order        */
        ACME_PHASE_CLOCK,       /* wait until the time is known                   */
        ACME_PHASE_PAIR,        /* the chain in use: for these names, until when  */
        ACME_PHASE_PAIR_KEY,    /* the key in use: does it belong to the chain    */
        ACME_PHASE_PLAN,        /* what is due, and may be begun now              */
        ACME_PHASE_BEGIN,       /* is the CA's own wait over                      */
        ACME_PHASE_FLOW,        /* talk to the CA                                 */
        ACME_PHASE_OFFER,       /* may the new pair be put in use                 */
        ACME_PHASE_COMMIT,      /* put the new pair in use                        */
        ACME_PHASE_DEPLOY,      /* the application takes the pair in use over     */
        ACME_PHASE_OVER
    } phase;
    enum acme_progress result;
    enum acme_task when;
    bool key_ready;        /* certificate_key holds the key of this order          */
    bool issued;           /* a new pair was put in use in this run                */
    uint32_t ticks;        /* since acme_init()                                    */
    uint32_t clock_ms;     /* since when the clock has been waited for             */
    uint32_t utc;          /* now, as of the run's beginning or the last answer that counted by it */
    uint32_t retry_utc;    /* the CA does not want to see us before; 0             */
    struct acme_pair pair; /* in use; its key and dates become those of the new one */
#if ACME_CFG_RENEWAL
    struct acme_keep {
        uint32_t over_ms;      /* when a round failed last                              */
        uint8_t look_failures; /* in a row                                              */
        uint8_t troubles;      /* in a row: rounds that failed before the CA was asked  */
        bool trouble;          /* the last round was one of those                       */
        bool failed;           /* a round has failed, and nothing was begun since       */
        bool known;            /* the pair has been looked at in this round             */
        bool boot;             /* it is the first round                                 */
        bool quiet;            /* the round follows another at once, to see what is next */
        bool told;             /* the caller knows how the round has ended              */
        bool mute;             /* the CA has no renewal information                     */
        struct acme_renewal renewal;
        struct acme_mark setup;
    } keep;
#endif
    struct acme_keeper keeper;
    struct acme_exchange exchange;
    struct acme_channel channel;
    struct acme_chain chain;
    struct acme_failure failure;
    struct acme_flow flow;
};

/* Prepares a client. Checks every size and pointer of the setup, every name and URL; does no I/O.
 * Memory: `setup` and all it leads to are borrowed as long as the client is used.
 * Returns 0, or ACME_E_SIZE, ACME_E_NULL, ACME_E_KEY (one key for both), ACME_E_NAMES, ACME_E_WORK_SMALL,
 * ACME_E_TLS_NAME, ACME_E_ANCHORS, ACME_E_TEXT, ACME_E_URL*. */
#define acme_init(client, setup) acme_init_sized((client), sizeof(struct acme_client), (setup))
int acme_init_sized(struct acme_client *client, size_t client_size, const struct acme_setup *setup);

/* Begins a run: obtains a certificate, renews it, or takes up what a reset interrupted (same account, same
 * order, same key). An order in progress is taken up whatever `when` says. To be called after every reset and then once
 * or twice a day, for what is not due costs no request; after a failure no sooner than acme_failure::retry_s says.
 * With ACME_CFG_MANAGE also what enum acme_task has beside issuing.
 * Work: none; ticks do it. Returns 0, or ACME_E_NULL when the client was not prepared. */
int acme_start(struct acme_client *client, enum acme_task when, uint32_t now_ms);

/* Does the next piece of work. Returns how it went; what ends a run repeats until acme_start(). */
enum acme_progress acme_tick(struct acme_client *client, uint32_t now_ms);

/* Milliseconds during which a tick would do nothing unless bytes arrive: for sleeping. 0 when there is work. */
uint32_t acme_idle_ms(const struct acme_client *client, uint32_t now_ms);

/* Ends a run early: closes the connection, takes the challenge answer back. What is stored stays, so the next
 * acme_start() goes on with the same order. Work: at most one send. */
void acme_stop(struct acme_client *client);

/* The CA may be looking for an answer that is on show: who calls acme_stop() now pays with a failed validation, and with the order. Who
 * can wait ticks on for some seconds, until this is false. */
static inline bool acme_validating(const struct acme_client *client)
{
    return client->flow.presented > 0 && (client->flow.told || client->flow.answered > 0);
}

/* ACME_CFG_CHOICE: a solver is still taking away what was withdrawn. A run is not over before, so this is for who has called
 * acme_stop(): ticked on until it is false, nothing stays behind. */
static inline bool acme_clearing(const struct acme_client *client)
{
    return acme_flow_clears(&client->flow);
}

#if ACME_CFG_RENEWAL
/* What is due when, and why: for a screen, a page, a log. False when it is not known: before the pair was looked at, a
 * new one included, or without the time. Work: none to speak of. */
bool acme_plan(const struct acme_client *client, struct acme_plan *plan);

/* ACME_KEEP: true between rounds. What was lent (work, tls, tls_buffer, the keys' handles) may then be used for something
 * else until acme_idle_ms() is 0; and no later is the client to be ticked again. */
bool acme_resting(const struct acme_client *client);

/* ACME_KEEP: seconds during which the device may sleep, or be switched off, without missing anything; when it is woken, or
 * has booted, the caller ticks on (or starts anew). 0 while there is work. At least once in acme_idle_ms() the client
 * looks at the clock by itself. */
uint32_t acme_sleep_s(const struct acme_client *client);
#endif

/* The failure after ACME_FAILED; error is 0 otherwise. Memory: the client's, good until the next acme_start(). */
const struct acme_failure *acme_failure(const struct acme_client *client);

/* What was done so far. */
struct acme_stats acme_stats(const struct acme_client *client);

/* The host the client talks to, or tried last; empty: none yet. `port` may be NULL. Memory: the client's, good until
 * the next tick. */
const char *acme_server(const struct acme_client *client, uint16_t *port);

/* Ends of the pair in use, as of the last run, and when its life asks for another; false when none is known. Seconds since
 * 1970, UINT32_MAX for what is later than February 2106; any pointer may be NULL. */
bool acme_validity(const struct acme_client *client, int64_t *not_before, int64_t *not_after, int64_t *renew_at);

#ifdef __cplusplus
}
#endif

#endif
