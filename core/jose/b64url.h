/* b64url.h - base64url without padding (RFC 4648, 5; RFC 7515, 2). */
#ifndef ACME_JOSE_B64URL_H
#define ACME_JOSE_B64URL_H

#include <stdint.h>

#include "../wire/out.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Characters that len bytes take. */
#define ACME_B64URL_LEN(len) (((len)*4u + 2u) / 3u)

/* Appends data encoded. Work: len. */
void acme_out_b64url(struct acme_out *o, const void *data, size_t len);

/* Replaces what was written since `start` by its encoding. The raw bytes are moved to the end of the buffer
 * and encoded forward from there, so no second buffer is needed. */
void acme_out_b64url_since(struct acme_out *o, size_t start);

/* True when s is 1..max characters of the alphabet: the test for nonces and tokens (RFC 8555, 6.5.1, 8.3). */
bool acme_b64url_ok(struct acme_slice s, size_t max);

#ifdef __cplusplus
}
#endif

#endif
