/* alpn.h - the certificate by which tls-alpn-01 is answered (RFC 8737, 3). */
#ifndef ACME_X509_ALPN_H
#define ACME_X509_ALPN_H

#include "../acme_setup.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest certificate: of a name of 253 characters. */
#define ACME_ALPN_CERTIFICATE_MAX 608

/* Writes the certificate: X.509 v3, self-signed with P-256, one dNSName in small letters, or one iPAddress, the critical
 * acmeIdentifier, dates that hold whatever the clock says. It takes two calls. With `sign` the signature is made, 64 bytes, which are
 * kept; without it the certificate is written, any number of times: its DER ends at buf + ACME_ALPN_CERTIFICATE_MAX.
 * Work: two SHA-256; with `sign` one signature. Returns the certificate's length, 0 with `sign`, or the key's error. */
int acme_alpn_write(uint8_t *buf, const struct acme_challenge *challenge, const struct acme_key *key,
                    uint8_t signature[64], bool sign);

#ifdef __cplusplus
}
#endif

#endif
