/* pem.h - PEM blocks (RFC 7468): an incremental decoder that takes what servers really send, and a writer. */
#ifndef ACME_X509_PEM_H
#define ACME_X509_PEM_H

#include <stdint.h>

#include "../acme_error.h"
#include "../wire/out.h"

enum acme_pem_event { ACME_PEM_MORE = 0, ACME_PEM_BEGIN = 1, ACME_PEM_END = 2 };

struct acme_pem {
    uint8_t *der;   /* caller's buffer: contents of the block       */
    size_t cap;
    size_t len;     /* bytes decoded so far                         */
    char label[24]; /* of the current block, NUL-terminated, e.g. "CERTIFICATE" */
    /* private */
    uint8_t state, label_len, matched, quad, pads;
    uint32_t bits;
};

/* Prepares; a new block is decoded to der[0..cap). */
void acme_pem_init(struct acme_pem *p, void *der, size_t cap);

/* Takes bytes, sets *used, returns at the first event. Text between blocks is skipped; lines may end LF or CRLF and
 * have any length; the last line need not end. At ACME_PEM_END p->der[0..p->len) is the contents, to be used before the
 * next call; at ACME_PEM_BEGIN the caller may set p->der and p->cap for the block that begins.
 * Errors: ACME_E_CERT_SYNTAX (illegal character, wrong padding, END for another label), ACME_E_CERT_BIG. */
int acme_pem_read(struct acme_pem *p, const char *in, size_t len, size_t *used);

/* True when no block is open. */
bool acme_pem_outside(const struct acme_pem *p);

/* Appends a block: 64 characters a line, LF. */
void acme_pem_write(struct acme_out *o, const char *label, const void *der, size_t len);

#endif
