/* chain.h - a certificate chain while it streams in: checked, put in order, written out as PEM of our own.
 *
 * Only one certificate is held at a time. Nothing of the server's text is stored: each block is decoded,
 * judged and encoded anew, so comments, other PEM blocks and odd line ends never reach the store. */
#ifndef ACME_X509_CHAIN_H
#define ACME_X509_CHAIN_H

#include "leaf.h"
#include "prefer.h"
#include "../acme_config.h"
#include "../secure/digest.h"
#include "../wire/pem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the certificate must be. Pointers are borrowed for the whole download. */
struct acme_chain_want {
    const uint8_t *point;     /* our public key, 65 bytes           */
    const char *const *names; /* the names asked for                */
    size_t name_count;
    bool or_more; /* it may be for others as well             */
    int64_t utc;  /* now; ACME_DATE_NONE when not known */
#if ACME_CFG_ALTERNATE
    struct acme_chain_choice choice; /* among several chains */
#endif
};

struct acme_chain {
    /* Receives the chain: the leaf first, every call one line of PEM. Returns 0 or an error. */
    int (*sink)(void *ctx, const void *data, size_t len);
    void *sink_ctx;
    uint8_t *memory; /* lent: certificates that came before the leaf, then the one being decoded */
    size_t cap;
    size_t held;    /* bytes of complete certificates waiting for the leaf */
    unsigned count; /* certificates written so far */
    bool have_leaf;
    int64_t not_before, not_after; /* of the leaf */
    struct acme_chain_want want;
    struct acme_pem pem;
#if ACME_CFG_ALTERNATE
    unsigned rank;                 /* of the chain that was written; 0 also when there is no wish */
    bool again;                    /* an alternate is coming in                                   */
    bool counting;                 /* nothing is written: where would it end                      */
    bool torn;                     /* what was written is none of the two                         */
    uint8_t leaf[ACME_SHA256_LEN]; /* digest                                                      */
#endif
};

/* Prepares for a chain. `memory` must take the largest certificate, and those that come before the leaf.
 * These are written behind the leaf in the order they certify each other; what comes after it, as it comes. */
void acme_chain_init(struct acme_chain *c, const struct acme_chain_want *want, void *memory, size_t cap,
                     int (*sink)(void *ctx, const void *data, size_t len), void *sink_ctx);

/* Takes the next bytes. Work: decoding them, writing at most the certificates they complete.
 * Errors: the sink's; ACME_E_CERT_SYNTAX, ACME_E_CERT_BIG (for the leaf: also when its PEM would not fit into
 * `memory`); for the leaf ACME_E_CERT_NAMES and ACME_E_CERT_DATES (already expired, or ends before it begins; a start
 * in the future is accepted: a CA's clock may be ahead of ours). */
int acme_chain_read(struct acme_chain *c, const char *in, size_t len);

/* ACME v1. Takes a whole certificate in DER, in the place of acme_chain_read(): the leaf first, then its issuers. `der` may lie
 * in `memory`. Errors: as above, and ACME_E_CERT_KEY when the first is not for our key. */
int acme_chain_der(struct acme_chain *c, const void *der, size_t len);

#if ACME_CFG_ALTERNATE
/* Begins anew with an alternate, behind an acme_chain_end() that answered 0. It has to begin with the same leaf
 * (else ACME_E_CERT_KEY), and is held until acme_chain_end(), so all of it in DER must fit into `memory` (ACME_E_CERT_BIG); an error
 * before leaves what was written as it is. At the end it is written in its place, from a call of the sink with no bytes on, when
 * it is nearer to the wish; an error of the sink is then told by `torn`. */
void acme_chain_again(struct acme_chain *c);
#define acme_chain_torn(c) ((c)->torn)
#endif

/* Ends. Returns 0, ACME_E_CERT_KEY (no certificate for our key came) or ACME_E_CERT_SYNTAX (block open,
 * none). */
int acme_chain_end(struct acme_chain *c);

#ifdef __cplusplus
}
#endif

#endif
