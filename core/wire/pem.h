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

/* What a block's label says: a certificate (RFC 7468, 5), certificates in a form that is not read here, which must
 * not be left out silently (OpenSSL's TRUSTED CERTIFICATE, PKCS #7), anything else. */
enum acme_pem_kind { ACME_PEM_OTHER, ACME_PEM_CERTIFICATE, ACME_PEM_WRAPPED };

struct acme_pem {
    uint8_t *der; /* caller's buffer: contents of the block; NULL: they are read over */
    size_t cap;
    size_t len;                                    /* bytes decoded so far */
    uint8_t state, label_len, matched, quad, pads; /* private, as is the next */
    uint32_t bits;
    char label[40]; /* in a block: its label, NUL-terminated, e.g. "CERTIFICATE"; private outside */
};

/* Prepares; blocks are decoded to der[0..cap), or skipped when der is NULL. */
void acme_pem_init(struct acme_pem *p, void *der, size_t cap);

/* Takes bytes, sets *used, returns at the first event. Text between blocks is skipped; a BEGIN or END line may stand
 * behind blanks, a byte order mark or more dashes, and anything may follow it on its line, the next BEGIN line too; lines may end
 * LF, CR or CRLF and have any length; the last need not end. At ACME_PEM_END p->der[0..p->len) is the contents, to be
 * used before the next call; at ACME_PEM_BEGIN the caller may set p->der and p->cap for the block that begins. The
 * contents of a skipped block are not judged.
 * Errors: ACME_E_CERT_SYNTAX (illegal character, wrong padding, an END line missing, for another label, or without its
 * BEGIN line), ACME_E_CERT_BIG. Each damaged block is one error; whoever reads on comes to the blocks behind it. Where
 * the rest of it is still to come, p->der is NULL from the error to its ACME_PEM_END. */
int acme_pem_read(struct acme_pem *p, const char *in, size_t len, size_t *used);

/* Judges the label, from ACME_PEM_BEGIN to ACME_PEM_END. */
enum acme_pem_kind acme_pem_kind(const struct acme_pem *p);

/* True when no block is open, nor a BEGIN line begun. */
bool acme_pem_outside(const struct acme_pem *p);

/* Appends a block with the label `name`: 64 characters a line, LF. */
void acme_pem_write(struct acme_out *o, const char *name, const void *der, size_t len);

/* The same in pieces, for a block that is not held whole: the line that begins or ends it, and one line of
 * contents (ACME_PEM_LINE bytes, fewer in the last). */
#define ACME_PEM_LINE 48
void acme_pem_edge(struct acme_out *o, enum acme_pem_event edge, const char *name);
void acme_pem_line(struct acme_out *o, const uint8_t *der, size_t len);

#ifdef __cplusplus
}
#endif

#endif
