/* alpn.h - the certificate by which tls-alpn-01 is answered (RFC 8737, 3). */
#ifndef ACME_X509_ALPN_H
#define ACME_X509_ALPN_H

#include "../secure/digest.h"
#include "../secure/key.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest certificate: of a name of 253 characters. */
#define ACME_ALPN_CERTIFICATE_MAX 608

/* What one certificate is made of. Borrowed. */
struct acme_alpn {
    const char *name;      /* DNS name, or canonical text of an address (wire/address.h) */
    const uint8_t *digest; /* SHA-256 of the key authorization, 32 bytes                 */
    const uint8_t *point;  /* of its key, 65 bytes: that of the issuer too               */
};

/* Signs it; the signature, 64 bytes, makes it the same certificate each time it is written. `scratch` takes
 * ACME_ALPN_CERTIFICATE_MAX bytes. Work: one signature. Returns 0 or the key's error. */
int acme_alpn_sign(const struct acme_alpn *alpn, const struct acme_key *key, uint8_t *scratch, uint8_t signature[64]);

/* Writes it: X.509 v3, self-signed with P-256, one dNSName in small letters, or one iPAddress, the critical acmeIdentifier, dates
 * that hold whatever the clock says. Memory: the DER ends at buf + ACME_ALPN_CERTIFICATE_MAX. Work: its bytes. Returns its
 * length. */
size_t acme_alpn_write(const struct acme_alpn *alpn, const uint8_t signature[64], uint8_t *buf);

#ifdef __cplusplus
}
#endif

#endif
