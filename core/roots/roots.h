/* roots.h - trust anchors read from PEM at run time, into memory the caller lends: for hosts, and for the tool that makes
 * firmware's tables. */
#ifndef ACME_ROOTS_ROOTS_H
#define ACME_ROOTS_ROOTS_H

#include "../acme_error.h"
#include "../secure/anchors.h"
#include "../wire/pem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why a certificate is left out. */
enum acme_trust_left {
    ACME_LEFT_KEY,     /* its key is none that TLS uses here: P-521, Ed25519, DSA, RSA outside 2048..4096 bits */
    ACME_LEFT_DAMAGED, /* damaged PEM or DER */
    ACME_LEFT_USE, /* a CA that may not sign certificates (keyUsage), or extendedKeyUsage leaves out TLS servers */
    ACME_LEFT_CRITICAL, /* an unknown critical extension, or name constraints that cannot be applied */
    ACME_LEFT_FORM,     /* in a form that is not read: TRUSTED CERTIFICATE, PKCS #7 */
    ACME_LEFT_REASONS
};

/* Reads certificates of a PEM file piece by piece. The caller owns all of it; `memory` holds the anchors
 * afterwards and must live as long as `trust` is used. */
struct acme_trust_reader {
    unsigned char *memory; /* anchors grow up from the start, names and keys down from the end */
    size_t low, high;
    size_t count;
    size_t left[ACME_LEFT_REASONS]; /* certificates that were left out */
    size_t not_ca;                  /* of `count`: no CA, so trusted as a server's own certificate only */
    bool constrained;               /* an anchor has name constraints */
    int error;
    struct acme_pem pem;
};

/* Begins. `memory` takes about 650 bytes for each RSA-4096 root and 250 for each EC root, and while reading the
 * certificate itself (2 KB). */
void acme_trust_begin(struct acme_trust_reader *r, void *memory, size_t cap);

/* Takes the next piece of the file. One certificate that is no good does not spoil the others: it is counted in `left`.
 * Work: its bytes. Errors are kept for acme_trust_end(). */
void acme_trust_add(struct acme_trust_reader *r, const void *pem, size_t len);

/* Ends. Returns the number of anchors, ACME_E_ANCHORS (none, or the file ends within one) or ACME_E_WORK_SMALL (memory
 * full). */
int acme_trust_end(struct acme_trust_reader *r, struct acme_trust *trust);

#ifdef __cplusplus
}
#endif

#endif
