/* csr.h - a certificate request that was made elsewhere (--csr). */
#ifndef ACME_POSIX_CSR_H
#define ACME_POSIX_CSR_H

#include "acme_setup.h"

enum { ACME_CSR_MAX = 8192 };

/* What is known of a request. Its names lead into `text`. */
struct acme_csr {
    uint8_t der[ACME_CSR_MAX];
    size_t len;
    uint8_t key[65]; /* as acme_leaf_key() has it */
    const char *names[ACME_NAMES_MAX];
    size_t name_count;
    char text[ACME_NAMES_MAX][254];
    struct acme_key public_key; /* for acme_setup::certificate_key: it is known, and signs nothing */
};

/* Takes a request, PEM or DER: at most ACME_CSR_MAX bytes. NULL, or why it is none. Its signature is the CA's to judge. */
const char *acme_csr_take(struct acme_csr *csr, const void *data, size_t len);

/* The same of a file. */
const char *acme_csr_read(struct acme_csr *csr, const char *path);

#endif
