/* out.h - bounded text writer with a sticky overflow flag.
 *
 * Builders write without looking and test `overflow` once at the end: after an overflow nothing more is
 * written, so the text before it is intact and nothing is ever cut silently. */
#ifndef ACME_WIRE_OUT_H
#define ACME_WIRE_OUT_H

#include <stdint.h>

#include "slice.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_out {
    char *at;      /* caller's buffer, borrowed */
    size_t cap;    /* its size in bytes         */
    size_t len;    /* bytes written             */
    bool overflow; /* something did not fit     */
};

/* Starts writing at buf. */
void acme_out_init(struct acme_out *o, void *buf, size_t cap);

/* Append bytes, a NUL-terminated text, a slice, a decimal number. Work: the bytes written. */
void acme_out_bytes(struct acme_out *o, const void *data, size_t len);
void acme_out_text(struct acme_out *o, const char *text);
void acme_out_u32(struct acme_out *o, uint32_t value);

static inline void acme_out_slice(struct acme_out *o, struct acme_slice s)
{
    acme_out_bytes(o, s.at, s.len);
}

/* Appends s as the inside of a JSON string: quotes, backslashes and controls escaped (RFC 8259, 7). */
void acme_out_json(struct acme_out *o, struct acme_slice s);

/* Appends s with its ASCII capitals made small. */
void acme_out_lower(struct acme_out *o, struct acme_slice s);

/* What was written since `start` bytes. */
struct acme_slice acme_out_since(const struct acme_out *o, size_t start);

#ifdef __cplusplus
}
#endif

#endif
