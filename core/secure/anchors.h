/* anchors.h - the root certificates an ACME server is trusted by.
 *
 * On a host they are read from PEM at run time into memory the caller lends. In firmware they are a constant
 * table, made on the host by `make anchors PEM=roots.pem NAME=my_roots` and compiled in. */
#ifndef ACME_SECURE_ANCHORS_H
#define ACME_SECURE_ANCHORS_H

#include <stdbool.h>

#include <bearssl.h>

#include "../acme_error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_trust {
    const br_x509_trust_anchor *anchors;
    size_t count;
};

/* Reads certificates of a PEM file piece by piece. The caller owns all of it; `memory` holds the anchors
 * afterwards and must live as long as `trust` is used. */
struct acme_trust_reader {
    unsigned char *memory; /* anchors grow up from the start, names and keys down from the end */
    size_t cap;
    size_t low, high;
    size_t count;
    size_t skipped;  /* certificates with keys TLS does not use (P-521, DSA, RSA outside 2048..4096 bits) */
    size_t name_len; /* bytes of the name being collected */
    int error;
    bool in_block, in_certificate;
    br_pem_decoder_context pem;
    br_x509_decoder_context x509;
};

/* Begins. `memory` takes about 650 bytes for each RSA-4096 root and 250 for each EC root. */
void acme_trust_begin(struct acme_trust_reader *r, void *memory, size_t cap);

/* Takes the next piece of the file. Work: its bytes. Errors are kept for acme_trust_end(). */
void acme_trust_add(struct acme_trust_reader *r, const void *pem, size_t len);

/* Ends. Returns the number of anchors, ACME_E_ANCHORS (none, damaged PEM) or ACME_E_WORK_SMALL (memory full). */
int acme_trust_end(struct acme_trust_reader *r, struct acme_trust *trust);

#ifdef __cplusplus
}
#endif

#endif
