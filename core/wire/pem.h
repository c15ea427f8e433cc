/* pem.h - PEM blocks (RFC 7468): an incremental decoder that takes what servers really send, and a writer. */
#ifndef ACME_WIRE_PEM_H
#define ACME_WIRE_PEM_H

#include <stdint.h>

#include "../acme_error.h"
#include "out.h"

#ifdef __cplusplus
extern "C" {
#endif

enum acme_pem_event { ACME_PEM_MORE = 0, ACME_PEM_BEGIN = 1, ACME_PEM_END = 2 };

struct acme_pem {
    uint8_t *der; /* caller's buffer: contents of the block; NULL: read over them */
    size_t cap;
    size_t len;                                    /* bytes decoded so far */
    uint8_t state, label_len, matched, quad, pads; /* private, as is the next */
    uint32_t bits;
    char label[40]; /* in a block: its label, NUL-terminated, e.g. "CERTIFICATE"; private outside */
};

/* Prepares; blocks are decoded to der[0..cap), or skipped when der is NULL. */
void acme_pem_init(struct acme_pem *p, void *der, size_t cap);

/* Takes bytes, sets *used, returns at the first event. Text between blocks, and blocks with a label longer
 * than this reader keeps, are skipped; lines may end LF or CRLF and have any length; the last line need not
 * end. At ACME_PEM_END p->der[0..p->len) is the contents, to be used before the next call; at ACME_PEM_BEGIN
 * the caller may set p->der and p->cap for the block that begins. The contents of a skipped block are not
 * judged.
 * Errors: ACME_E_CERT_SYNTAX (illegal character, wrong padding, END for another label), ACME_E_CERT_BIG. */
int acme_pem_read(struct acme_pem *p, const char *in, size_t len, size_t *used);

/* True when no block is open. */
bool acme_pem_outside(const struct acme_pem *p);

/* Appends a block: 64 characters a line, LF. */
void acme_pem_write(struct acme_out *o, const char *label, const void *der, size_t len);

/* The same in pieces, for a block that is not held whole: the line that begins or ends it, and one line of
 * contents (ACME_PEM_LINE bytes, fewer in the last). */
#define ACME_PEM_LINE 48
void acme_pem_edge(struct acme_out *o, enum acme_pem_event edge, const char *label);
void acme_pem_line(struct acme_out *o, const uint8_t *der, size_t len);

#ifdef __cplusplus
}
#endif

#endif
