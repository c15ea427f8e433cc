/* boulder.h - a server of ACME v1 as Boulder was at the end of 2016: it judges every request, and answers it with what
 * was recorded, where the player has something recorded for it, else with an answer of its own. What it was made to
 * say it holds true from then on: recorded authorizations, challenges and certificates exist in it. */
#ifndef TESTS_DIALOGUE_BOULDER_H
#define TESTS_DIALOGUE_BOULDER_H

#include "fake/engine.h"
#include "recording.h"

#define BOULDER_AUTHZ 64

/* A request that was found to be a good one. */
struct v1_request {
    enum v1_kind kind;
    unsigned nth; /* of this kind, from 1 */
    char method[16], path[600];
    json_t *body, *protected, *payload; /* NULL: not a signed one */
    char thumbprint[44];
    uint8_t point[65];     /* of the key that signed it */
    struct v1_names names; /* as in struct exchange */
    X509_REQ *csr;
};

/* An answer on its way. Header lines that every answer has are added to those of its own. */
struct boulder_said {
    unsigned status;
    const char *type; /* of the body; NULL: there is no such line */
    char head[1500];
    const char *body;
    size_t body_len;
    char text[12000];
};

struct boulder {
    const struct recording *recording; /* the host, and the issuer's certificate if it is in there */
    char where[600];                   /* for messages */

    /* The recorded answer to a request; NULL: none. */
    const struct exchange *(*recorded)(void *ctx, const struct v1_request *q);
    void *ctx;
    bool dry;          /* the directory gives no nonce */
    size_t leaf_bytes; /* of its own certificates; 0: as it comes */

    bool registered, agreed;
    char reg[600], terms[300];
    unsigned authz_count, challenge_count, cert_count;
    struct {
        char path[600], name[256];
        enum { BOULDER_PENDING, BOULDER_VALID, BOULDER_INVALID } status;
        bool responded;
        unsigned looks;
    } authz[BOULDER_AUTHZ];
    struct {
        char path[600], token[200];
        unsigned authz;
    } challenge[4 * BOULDER_AUTHZ];
    struct {
        char path[600];
        X509 *leaf;
    } cert[16];
    const char *issuer; /* the certificate that was sent as the issuer's; NULL: none */
    size_t issuer_len;
    enum acme_task deed; /* what is done now: ACME_NOW issuing, else what acme.h has beside it */
    uint8_t point[65];   /* of the account's key                                               */
    bool deactivated, revoked;
    struct v1_names told_valid; /* names the client was told to be valid, by a body, and nothing else since */

    /* nonces */
    json_t *nonces; /* given: true; used: false */
    char last_nonce[200];
    unsigned nonces_made;

    /* what happened */
    unsigned count[V1_KINDS + 1], requests, recorded_answers, own_answers, may_have_issued;
    const struct exchange *last_recorded; /* the last answer; NULL: it was one of its own */
    uint32_t issued_at;                   /* the last of may_have_issued */
    bool last_lost;                       /* it came too late */
    enum v1_kind last_kind;
    unsigned last_status;
    uint32_t asked_at[128]; /* virtual times of the last requests */
    char out[65536];
};

void boulder_start(struct boulder *b, const struct recording *r);
void boulder_end(struct boulder *b);

/* Judges what has come in and answers it. */
struct ca_answer boulder_answer(struct boulder *b, struct engine *e);

void boulder_refuse(struct boulder_said *a, unsigned status, const char *type, const char *detail);

/* Where boulder_wrong() goes in place of failing, and what it said: for tests of the judge itself. */
extern jmp_buf *boulder_caught;
extern char boulder_said[2000];

/* Fails the test: what was being played, the request, and why. */
void boulder_wrong(const struct boulder *b, const struct v1_request *q, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

#endif
