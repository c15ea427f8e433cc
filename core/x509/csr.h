/* csr.h - the certificate request of finalize (RFC 2986; RFC 8555, 7.4). */
#ifndef ACME_X509_CSR_H
#define ACME_X509_CSR_H

#include "../secure/key.h"
#include "../wire/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes a PKCS #10 request: empty subject, all names in subjectAltName in their order, as dNSName (lower case)
 * or iPAddress, P-256 key, signed with ECDSA and SHA-256.
 * Memory: the DER ends at buf + cap; *start is where it begins.
 * Work: one signature, one SHA-256 of the request.
 * Returns 0, ACME_E_REQUEST_BIG, or what the key's sign() does: after 1 the same call is to be made again. */
int acme_csr_write(void *buf, size_t cap, size_t *start, const struct acme_key *key, const char *const *names,
                   size_t name_count);

#ifdef __cplusplus
}
#endif

#endif
