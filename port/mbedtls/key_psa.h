/* key_psa.h - a private key that PSA Crypto keeps, by its id: in a secure element, in protected storage, or anywhere else. Only
 * psa_ functions are called, so Mbed TLS 2.28, 3.6 and 4, TF-M and others will do. */
#ifndef ACME_KEY_PSA_H
#define ACME_KEY_PSA_H

#include "secure/key.h"

#include <psa/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where PSA signs in pieces (Mbed TLS 3.6 and 4; psa_interruptible_set_max_ops()), a signature takes many ticks. */
#if defined(PSA_INTERRUPTIBLE_MAX_OPS_UNLIMITED)
#define ACME_KEY_PSA_IN_PIECES
#endif

/* The handle of a struct acme_key: { &acme_key_psa_ops, &key }, key: { .id = id }. The key is made once by the firmware, a pair of P-256 that may
 * sign hashes (PSA_KEY_USAGE_SIGN_HASH); whether by ECDSA or deterministic ECDSA, over SHA-256 or any hash, is what its
 * policy says. The client neither makes nor stores it. */
struct acme_key_psa {
    psa_key_id_t id;
#if defined(ACME_KEY_PSA_IN_PIECES) /* private: zeros before the first use; a signature under way, and of what */
    bool signing;
    uint8_t digest[32];
    psa_sign_hash_interruptible_operation_t operation;
#endif
};

/* Gives back what a signature that was begun and given up holds; the next one does so, too. */
void acme_key_psa_forget(struct acme_key_psa *key);

/* All answer ACME_E_KEY for a key of another kind, or whose policy does not let it sign: acme_key_psa_fault() tells why. */
extern const struct acme_key_ops acme_key_psa_ops;

/* What is wrong with a key, in words for a person; NULL: nothing. */
const char *acme_key_psa_fault(const struct acme_key_psa *key);

#ifdef __cplusplus
}
#endif

#endif
