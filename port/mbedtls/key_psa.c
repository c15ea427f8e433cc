/* key_psa.c - see key_psa.h. */
#include "key_psa.h"

#include <string.h>

/* The algorithm that the key's policy lets it sign a SHA-256 digest by; 0: none. */
static psa_algorithm_t algorithm_of(psa_algorithm_t policy)
{
    psa_algorithm_t hash = PSA_ALG_IS_ECDSA(policy) ? PSA_ALG_SIGN_GET_HASH(policy) : PSA_ALG_NONE;

    if (hash != PSA_ALG_SHA_256 && hash != PSA_ALG_ANY_HASH) {
        return PSA_ALG_NONE;
    }
    return PSA_ALG_IS_DETERMINISTIC_ECDSA(policy) ? PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256)
                                                  : PSA_ALG_ECDSA(PSA_ALG_SHA_256);
}

/* Looks at the key. Returns what is wrong with it, or NULL and its algorithm. */
static const char *look(const struct acme_key_psa *key, psa_algorithm_t *algorithm)
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    const char *fault = NULL;

    *algorithm = PSA_ALG_NONE;
    if (psa_crypto_init() != PSA_SUCCESS) {
        return "PSA Crypto does not begin: no entropy, as a rule";
    }
    if (psa_get_key_attributes(key->id, &a) != PSA_SUCCESS) {
        return "PSA has no key of this id";
    }
    *algorithm = algorithm_of(psa_get_key_algorithm(&a));
    if (psa_get_key_type(&a) != PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1) || psa_get_key_bits(&a) != 256) {
        fault = "the key is no key pair of P-256";
    } else if ((psa_get_key_usage_flags(&a) & PSA_KEY_USAGE_SIGN_HASH) == 0) {
        fault = "the key's policy does not let it sign hashes";
    } else if (*algorithm == PSA_ALG_NONE) {
        fault = PSA_ALG_IS_ECDH(psa_get_key_algorithm(&a))
                    ? "the key's policy is for ECDH, not for ECDSA with SHA-256"
                    : "the key's policy is not for ECDSA with SHA-256";
    }
    psa_reset_key_attributes(&a);
    return fault;
}

static int point(void *handle, uint8_t out[65])
{
    const struct acme_key_psa *key = handle;
    psa_algorithm_t algorithm;
    size_t len = 0;

    if (look(key, &algorithm) != NULL || psa_export_public_key(key->id, out, 65, &len) != PSA_SUCCESS) {
        return ACME_E_KEY;
    }
    return len == 65 && out[0] == 4 ? 0 : ACME_E_KEY;
}

#if defined(ACME_KEY_PSA_IN_PIECES)

void acme_key_psa_forget(struct acme_key_psa *key)
{
    (void)psa_sign_hash_abort(&key->operation); /* one that has not begun, or has ended: no harm */
    key->signing = false;
}

/* Another digest: what was begun has been given up. */
static psa_status_t make(struct acme_key_psa *key, psa_algorithm_t algorithm, const uint8_t digest[32],
                         uint8_t out[64], size_t *len)
{
    psa_status_t status = PSA_SUCCESS;

    if (!key->signing || memcmp(key->digest, digest, 32) != 0) {
        acme_key_psa_forget(key);
        status = psa_sign_hash_start(&key->operation, key->id, algorithm, digest, 32);
        if (status ==
            PSA_ERROR_NOT_SUPPORTED) { /* a secure element's driver, or the library without restartable curves */
            acme_key_psa_forget(key);
            return psa_sign_hash(key->id, algorithm, digest, 32, out, 64, len);
        }
        memcpy(key->digest, digest, 32);
        key->signing = true;
    }
    if (status == PSA_SUCCESS) {
        status = psa_sign_hash_complete(&key->operation, out, 64, len);
    }
    if (status != PSA_OPERATION_INCOMPLETE) {
        acme_key_psa_forget(key);
    }
    return status;
}

#else

#define PSA_OPERATION_INCOMPLETE ((psa_status_t)-248)

void acme_key_psa_forget(struct acme_key_psa *key)
{
    (void)key;
}

static psa_status_t make(const struct acme_key_psa *key, psa_algorithm_t algorithm, const uint8_t digest[32],
                         uint8_t out[64], size_t *len)
{
    return psa_sign_hash(key->id, algorithm, digest, 32, out, 64, len);
}

#endif

static int sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    struct acme_key_psa *key = handle;
    psa_algorithm_t algorithm;
    psa_status_t status;
    size_t len = 0;

    if (look(key, &algorithm) != NULL) { /* gone in the middle, for one */
        acme_key_psa_forget(key);
        return ACME_E_KEY;
    }
    status = make(key, algorithm, digest, signature, &len);
    if (status == PSA_OPERATION_INCOMPLETE) {
        return 1;
    }
    return status == PSA_SUCCESS && len == 64 ? 0
                                              : ACME_E_KEY; /* r and s as JWS wants them: PSA does not write DER */
}

const struct acme_key_ops acme_key_psa_ops = {point, sign, NULL, NULL, NULL};

const char *acme_key_psa_fault(const struct acme_key_psa *key)
{
    psa_algorithm_t algorithm;

    return look(key, &algorithm);
}
