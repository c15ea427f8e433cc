/* p256.c - core/secure/p256.h on PSA, in the place of core/secure/p256.c: keys that the store of the client keeps. Keys that PSA
 * keeps are key_psa.h's. */
#include "secure/p256.h"

#include <psa/crypto.h>

#include "secure/seed.h"
#include "secure/wipe.h"

bool acme_p256_draw(const struct acme_sys *sys, uint8_t scalar[32])
{
    uint8_t seed[ACME_SEED_LEN];
    size_t len = 0;
    /* A source that is stuck is noticed before it is hashed. */
    bool drawn = acme_seed_draw(sys, seed) && psa_crypto_init() == PSA_SUCCESS &&
                 psa_hash_compute(PSA_ALG_SHA_256, seed, sizeof seed, scalar, 32, &len) == PSA_SUCCESS && len == 32;

    acme_wipe(seed, sizeof seed);
    return drawn;
}

/* Gives the scalar to PSA for one use; the caller destroys it. */
static psa_status_t import(const uint8_t scalar[32], psa_key_id_t *id)
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    psa_status_t status = psa_crypto_init();

    psa_set_key_type(&a, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&a, 256);
    psa_set_key_usage_flags(&a, PSA_KEY_USAGE_SIGN_HASH);
    psa_set_key_algorithm(&a, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256));
    return status == PSA_SUCCESS ? psa_import_key(&a, scalar, 32, id) : status;
}

bool acme_p256_public(const uint8_t scalar[32], uint8_t point[65])
{
    psa_key_id_t id = 0;
    size_t len = 0;
    bool done;

    if (import(scalar, &id) != PSA_SUCCESS) { /* zero, or n and above */
        return false;
    }
    done = psa_export_public_key(id, point, 65, &len) == PSA_SUCCESS && len == 65 && point[0] == 4;
    return psa_destroy_key(id) == PSA_SUCCESS && done;
}

int acme_p256_sign(const uint8_t scalar[32], const uint8_t digest[32], uint8_t signature[64])
{
    psa_key_id_t id = 0;
    size_t len = 0;
    bool done;

    if (import(scalar, &id) != PSA_SUCCESS) {
        return ACME_E_KEY;
    }
    done = psa_sign_hash(id, PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256), digest, 32, signature, 64, &len) ==
               PSA_SUCCESS &&
           len == 64;
    return psa_destroy_key(id) == PSA_SUCCESS && done ? 0 : ACME_E_KEY;
}
