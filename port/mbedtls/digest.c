/* digest.c - core/secure/digest.h on PSA, in the place of core/secure/digest.c. */
#include "secure/digest.h"

#include <string.h>

#include <psa/crypto.h>

void acme_sha256(const struct acme_slice *parts, size_t count, uint8_t digest[ACME_SHA256_LEN])
{
    psa_hash_operation_t sha = PSA_HASH_OPERATION_INIT;
    size_t len = 0;
    psa_status_t status = psa_crypto_init(); /* again does no harm */

    if (status == PSA_SUCCESS) {
        status = psa_hash_setup(&sha, PSA_ALG_SHA_256);
    }
    for (size_t i = 0; i < count && status == PSA_SUCCESS; i++) {
        status = parts[i].len > 0 ? psa_hash_update(&sha, (const uint8_t *)parts[i].at, parts[i].len) : status;
    }
    if (status == PSA_SUCCESS) {
        status = psa_hash_finish(&sha, digest, ACME_SHA256_LEN, &len);
    }
    if (status != PSA_SUCCESS || len != ACME_SHA256_LEN) {
        /* An accelerator that fails. What was signed over this is refused by the CA, what is compared with it is not the same. */
        (void)psa_hash_abort(&sha);
        memset(digest, 0, ACME_SHA256_LEN);
    }
}
