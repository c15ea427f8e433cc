/* base64.h - what both alphabets of base64 (RFC 4648, 4 and 5) have in common. */
#ifndef ACME_WIRE_BASE64_H
#define ACME_WIRE_BASE64_H

#include <stdint.h>

#include "out.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Appends data encoded, all of it or nothing, without padding. `last`: the characters for 62 and 63.
 * The data may be the end of this very buffer: what is written reaches what is still to be read only with
 * the last of it. Work: len. */
void acme_out_base64(struct acme_out *o, const void *data, size_t len, const char last[2]);

enum { ACME_BASE64_PADDING = 64, ACME_BASE64_SPACE = 65, ACME_BASE64_BAD = 255 };

/* Value of a character in the alphabet of RFC 4648, 4: 0..63, or one of the above; SPACE for white space. */
unsigned acme_base64_value(char c);

/* True when s has characters of the alphabet of RFC 4648, 5 only, or none. */
bool acme_is_base64url(struct acme_slice s);

#ifdef __cplusplus
}
#endif

#endif
