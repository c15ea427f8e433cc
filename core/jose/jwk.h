/* jwk.h - the account's public key as a JSON Web Key (RFC 7517, 7518) and its thumbprint (RFC 7638). */
#ifndef ACME_JOSE_JWK_H
#define ACME_JOSE_JWK_H

#include <stdint.h>

#include "../wire/out.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_POINT_LEN      65 /* uncompressed P-256 point: 0x04, x, y */
#define ACME_THUMBPRINT_LEN 43 /* base64url of a SHA-256               */

#define ACME_JWK_MAX 126 /* as text, without NUL                 */

/* Appends {"crv":"P-256","kty":"EC","x":...,"y":...}: the members in the order the thumbprint wants. */
void acme_jwk_write(struct acme_out *o, const uint8_t point[ACME_POINT_LEN]);

/* Writes the 43 characters of the thumbprint, without NUL. Work: one SHA-256 of about 130 bytes. */
void acme_jwk_thumbprint(const uint8_t point[ACME_POINT_LEN], char thumbprint[ACME_THUMBPRINT_LEN]);

#ifdef __cplusplus
}
#endif

#endif
