/* challenge_tlsalpn01.h - tls-alpn-01 (RFC 8737): a responder on the port's listener, for port 443. */
#ifndef ACME_PROTOCOL_CHALLENGE_TLSALPN01_H
#define ACME_PROTOCOL_CHALLENGE_TLSALPN01_H

#include "../acme_setup.h"
#include "../secure/key_p256.h"
#include "../secure/visit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One answer on show. */
struct acme_tlsalpn01_live {
    struct acme_challenge *challenge; /* NULL: none        */
    uint8_t signature[64];            /* of its certificate */
};

struct acme_tlsalpn01_slot {
    bool taken;
    uint8_t looks;                      /* for bytes, so far                           */
    uint32_t opened_ms, since_ms;       /* he came; he has had the word               */
    const struct acme_challenge *shown; /* whose certificate he has seen; NULL: nobody's */
    struct acme_visit visit;
};

/* Serves any number of live answers to any number of validators, ACME_TLSALPN01_SLOTS at a time, and listens only while one is
 * live. Who offers "acme-tls/1" and calls for a live name (RFC 8738: an address by its arpa name) is shown the certificate; then he
 * is hung up on. Another name: unrecognized_name. Another protocol, or none: handshake_failure. When slots are short, who
 * has not called for a live name loses his first; the more of them come, the sooner. The certificates' key is made when the first
 * answer goes on show, and wiped with the last. Caller's memory, contents private. */
struct acme_tlsalpn01 {
    const struct acme_listener *listener;
    struct acme_solver solver; /* give &tlsalpn01.solver to acme_setup::solvers */
    struct acme_visit_host host;
    struct acme_key_p256 key;
    struct acme_tlsalpn01_live live[ACME_NAMES_MAX];
    uint8_t next;         /* the slot that is looked at first                 */
    uint8_t taken;        /* slots                                            */
    uint8_t count;        /* of answers on show                               */
    bool worked;          /* a public-key operation was done in this tick     */
    uint32_t answered;    /* times a live answer was seen, since init         */
    uint32_t came_ms;     /* when somebody came last                          */
    uint16_t grace_ms[2]; /* for who has not called for a live name yet, for who has */
    struct acme_tlsalpn01_slot slots[ACME_TLSALPN01_SLOTS];
};

/* Makes the solver. `listener` and `sys` are borrowed for good. Returns 0, or ACME_E_SIZE: the library was compiled with another
 * ACME_TLSALPN01_SLOTS or ACME_NAMES_MAX, and nothing was touched. */
#define acme_tlsalpn01_init(t, listener, sys)                                                                        \
    acme_tlsalpn01_init_sized((t), sizeof(struct acme_tlsalpn01), (listener), (sys))
int acme_tlsalpn01_init_sized(struct acme_tlsalpn01 *t, size_t size, const struct acme_listener *listener,
                              const struct acme_sys *sys);

/* What a validator calls for by SNI when it validates this name: the name itself, or in `text`, for which an address is written
 * backwards, its arpa name (RFC 8738, 6). */
#define ACME_ARPA_MAX 73 /* 32 digits, each with a dot, "ip6.arpa" */
struct acme_slice acme_tlsalpn01_host(char text[ACME_ARPA_MAX], const char *name);

/* True while an answer is on show, and the listener is in use. */
static inline bool acme_tlsalpn01_busy(const struct acme_tlsalpn01 *t)
{
    return t->count > 0;
}

#ifdef __cplusplus
}
#endif

#endif
