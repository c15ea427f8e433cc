/* device.h - all that lies outside a client, in one process and in virtual time: store, clock, random bytes, solver, and
 * connections to the scripted CA. It has acme_channel_* of its own, in clear, so the linker takes none of
 * secure/channel.c: programs name device.o, it is in no library.
 *
 * Where ca_plan::zone says so there are two solvers: of http-01, which takes b.example only, and of dns-01, slow, whose values lie
 * in a zone that knows of no reset.
 *
 * Nothing fails by itself. A test gives a hook, which is asked at each seam and may answer in its place.
 */
#ifndef TESTS_FAKE_DEVICE_H
#define TESTS_FAKE_DEVICE_H

#include "ca.h"

#include "acme.h"

#define DEVICE_RECORDS     ACME_RECORD_COUNT
#define DEVICE_GO          1000 /* what a hook says when the call is to be carried out */
#define DEVICE_ZONE        8
#define DEVICE_SECRET      "secret-secret-secret" /* of its binding, for a CA that wants one */
#define DEVICE_SECRET_B64  "c2VjcmV0LXNlY3JldC1zZWNyZXQ"
#define DEVICE_CANARY      64
#define DEVICE_CANARY_BYTE 0x5a

/* Where the client touches the world. */
enum device_seam {
    DEVICE_OPEN,
    DEVICE_SEND,    /* *len: how much is taken; the hook may lower it  */
    DEVICE_FLUSH,   /* the request is whole, the CA has not seen it    */
    DEVICE_FLUSHED, /* the CA has carried it out                       */
    DEVICE_RECV,    /* *len: how much is given; the hook may lower it  */
    DEVICE_GET,
    DEVICE_PUT,
    DEVICE_APPEND,
    DEVICE_COMMIT,       /* the pair in use is still the old one       */
    DEVICE_COMMIT_ORDER, /* it is the new one; ORDER is to be removed  */
    DEVICE_COMMIT_KEY,   /* KEY_NEXT is to be removed                  */
    DEVICE_STORED,       /* the call before has taken effect           */
    DEVICE_RANDOM,
    DEVICE_UTC,
    DEVICE_PRESENT, /* a solver is asked to publish, or asked again     */
    DEVICE_CONNECT, /* acme_net::open: 0 not yet, or an error */
    DEVICE_KEY_POINT,
    DEVICE_KEY_SIGN,
    DEVICE_KEY_GENERATE,
    DEVICE_KEY_IMPORT,
    DEVICE_KEY_EXPORT
};

struct device {
    /* what survives a reset */
    struct ca ca;
    struct {
        char data[8192];
        size_t len;
    } record[DEVICE_RECORDS], incoming;
    int64_t utc;
    uint32_t now_ms;
    struct {
        char text[2 * ACME_TOKEN_MAX]; /* a key authorization; empty: the place is free */
        unsigned leaving;              /* ticks until it is gone; 0: it stays           */
    } zone[DEVICE_ZONE];

    /* the program */
    struct acme_client client;
    struct acme_setup setup;
    struct acme_net net;
    struct acme_sys sys;
    struct acme_store store;
    struct acme_key_p256 account, certificate; /* handles of the usual keys */
    struct acme_tls tls;
    struct acme_trust trust;
    struct acme_solver solver, dns;
    const struct acme_solver *solvers[2];
    uint32_t present_ms; /* when the last value of the zone was asked for */
    char before[DEVICE_CANARY], work[6144 + DEVICE_CANARY], tls_buffer[1024];

    /* the connection */
    char request[8192];
    size_t request_len, answer_at;
    struct ca_answer answer;
    bool unclean; /* it ends without close_notify */

    /* the test's */
    const struct acme_key_ops *keys;                                 /* what device_key_ops does is done by these */
    void (*heard)(struct device *d, const struct acme_event *event); /* may be NULL */
    uint32_t (*sleeps)(struct device *d, uint32_t idle_ms);          /* until something comes in; may be NULL */
    int (*hook)(struct device *d, enum device_seam seam, enum acme_record record, size_t *len);
    void *hook_ctx;
    void *random_to; /* DEVICE_RANDOM: the hook may fill it itself and answer 0         */
    int64_t *utc_to; /* DEVICE_UTC: likewise, answering 1                                */

    unsigned account_keys; /* times the account key was written                         */
    unsigned commits;
    char asked[300];   /* method and URL of the last request begun */
    unsigned attempts; /* connections begun */
    unsigned stored_events, problem_events, unreadable;
    unsigned puts, operations; /* in this tick */
};

/* Nothing is left in the zone, nor on its way out of it. */
bool device_zone_is_clear(const struct device *d);

/* An empty device in the place of the one before, whose CA is freed (*d: all zero at first); the CA is new. Then device_boot(). */
void device_new(struct device *d, const struct ca_plan *plan);

/* Makes d->setup as a program would. */
void device_setup(struct device *d);

/* Switches it on: everything but the store, the CA and the time is new. Returns what acme_init() says. */
int device_boot(struct device *d);

/* One tick, and the sleep after it. Checks what acme.h promises of a tick, and the memory round the work buffer. */
enum acme_progress device_tick(struct device *d);

/* The pair in use fits together and is for the names of the plan. */
void device_check_pair(const struct device *d);

/* By the dates of the certificate in use it is time to renew it. */
bool device_pair_is_due(const struct device *d);

/* Keys that ask the hook, and count the public-key operations of a tick in d->operations; the handle is a struct acme_key_p256 of d's. */
extern const struct acme_key_ops device_key_ops;

#endif
