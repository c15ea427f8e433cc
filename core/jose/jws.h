/* jws.h - the flattened JSON Web Signature every ACME POST is (RFC 7515, 7.2.2; RFC 8555, 6.2): ES256; HS256 for an external account. */
#ifndef ACME_JOSE_JWS_H
#define ACME_JOSE_JWS_H

#include "../secure/key.h"
#include "../wire/out.h"
#include "jwk.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_jws {
    const struct acme_key *key; /* account key                                         */
    const uint8_t *point;       /* its public point, ACME_POINT_LEN bytes              */
    struct acme_slice kid;      /* account URL, or of a MAC key; empty: send the jwk   */
    struct acme_slice nonce;
    struct acme_slice url; /* exactly the URL the request goes to                 */
#if ACME_CFG_EAB
    struct acme_slice mac_key; /* in the place of `key`, which is NULL then (HS256)   */
#endif
};

/* Writes the signed body into o. `payload` (may be empty: POST-as-GET) may lie in o's own buffer, at its very
 * end (at + cap), from where it is encoded forward without a second buffer; the result then only has to fit
 * as a whole. An empty nonce is left out, as a JWS inside another one wants it (RFC 8555, 7.3.4 and 7.3.5).
 * Work: one signature, one SHA-256 of the body. Returns 0, or what the key's sign() does; overflow is in o. */
int acme_jws_write(struct acme_out *o, const struct acme_jws *jws, struct acme_slice payload);

/* The same in two parts, for a key that takes its time: all before the signature, and what is to be signed. Nothing is to be
 * signed when o has overflowed. */
void acme_jws_begin(struct acme_out *o, const struct acme_jws *jws, struct acme_slice payload, uint8_t digest[32]);
void acme_jws_end(struct acme_out *o, const uint8_t signature[64]);

#ifdef __cplusplus
}
#endif

#endif
