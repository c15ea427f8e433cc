/* p256.c - see p256.h: BearSSL's. */
#include "p256.h"

#include "ec.h"
#include "seed.h"
#include "wipe.h"

static bool draw(const struct acme_sys *sys, uint8_t scalar[32])
{
    br_hmac_drbg_context drbg;
    uint8_t seed[ACME_SEED_LEN];
    bool drawn = acme_seed_draw(sys, seed);

    if (drawn) {
        br_hmac_drbg_init(&drbg, &br_sha256_vtable, seed, sizeof seed);
        br_hmac_drbg_generate(&drbg, scalar, 32);
        acme_wipe(&drbg, sizeof drbg);
    }
    acme_wipe(seed, sizeof seed);
    return drawn;
}

static bool in_range(const uint8_t scalar[32])
{
    size_t len;
    const unsigned char *n = ACME_EC_P256.order(BR_EC_secp256r1, &len);
    unsigned any = 0;
    unsigned borrow = 0;

    for (size_t i = 32; i-- > 0;) {
        any |= scalar[i];
        borrow = ((unsigned)scalar[i] - n[i] - borrow) >> 8 & 1u;
    }
    return any != 0 && borrow != 0;
}

int acme_p256_public(const uint8_t scalar[32], uint8_t point[65])
{
    if (!in_range(scalar)) {
        return ACME_E_KEY;
    }
    (void)ACME_EC_P256.mulgen(point, scalar, 32, BR_EC_secp256r1);
    return 0;
}

int acme_p256_make(const struct acme_sys *sys, uint8_t scalar[32], uint8_t point[65])
{
    return draw(sys, scalar) ? acme_p256_public(scalar, point) : ACME_E_RANDOM;
}

int acme_p256_sign(const uint8_t scalar[32], const uint8_t digest[32], uint8_t signature[64])
{
    /* BearSSL's struct points to bytes that are not const; it does not change them. */
    br_ec_private_key key = {BR_EC_secp256r1, (unsigned char *)(uintptr_t)scalar, 32};

    return ACME_ECDSA_SIGN(&ACME_EC_P256, &br_sha256_vtable, digest, &key, signature) == 64 ? 0 : ACME_E_KEY;
}

void acme_p256_forget(const uint8_t scalar[32])
{
    (void)scalar; /* nothing is ever under way */
}
