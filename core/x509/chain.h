/* chain.h - a certificate chain while it streams in: checked, put in order, written out as PEM of our own.
 *
 * Only one certificate is held at a time. Nothing of the server's text is stored: each block is decoded,
 * judged and encoded anew, so comments, other PEM blocks and odd line ends never reach the store. */
#ifndef ACME_X509_CHAIN_H
#define ACME_X509_CHAIN_H

#include "leaf.h"
#include "../acme_config.h"
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

/* Ends. Returns 0, ACME_E_CERT_KEY (no certificate for our key came) or ACME_E_CERT_SYNTAX (block open,
 * none). */
int acme_chain_end(struct acme_chain *c);

#ifdef __cplusplus
}
#endif

#endif
