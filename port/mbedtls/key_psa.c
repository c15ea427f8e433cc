/* key_psa.c - see key_psa.h. */
#include "key_psa.h"

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

static int sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    const struct acme_key_psa *key = handle;
    psa_algorithm_t algorithm;
    size_t len = 0;

    if (look(key, &algorithm) != NULL ||
        psa_sign_hash(key->id, algorithm, digest, 32, signature, 64, &len) != PSA_SUCCESS) {
        return ACME_E_KEY;
    }
    return len == 64 ? 0 : ACME_E_KEY; /* r and s as JWS wants them: PSA does not write DER */
}

const struct acme_key_ops acme_key_psa_ops = {point, sign, NULL, NULL, NULL};

const char *acme_key_psa_fault(const struct acme_key_psa *key)
{
    psa_algorithm_t algorithm;

    return look(key, &algorithm);
}
