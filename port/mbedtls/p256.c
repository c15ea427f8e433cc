/* p256.c - core/secure/p256.h on Mbed TLS, in the place of core/secure/p256.c: keys that the store of the client keeps. Keys that PSA
 * keeps are key_psa.h's. */
#include "secure/p256.h"

#include <string.h>

#include <mbedtls/version.h>
#include <psa/crypto.h>
#if MBEDTLS_VERSION_NUMBER < 0x04000000
#include <mbedtls/ecdsa.h>
#include <mbedtls/platform.h>
#include <mbedtls/psa_util.h>
#endif

#include "acme_mbedtls.h"
#include "secure/seed.h"
#include "secure/wipe.h"
#include "wire/der.h"

static bool draw(const struct acme_sys *sys, uint8_t scalar[32])
{
    uint8_t seed[ACME_SEED_LEN];
    size_t len = 0;
    /* A source that is stuck is noticed before it is hashed. */
    bool drawn = acme_seed_draw(sys, seed) && psa_crypto_init() == PSA_SUCCESS &&
                 psa_hash_compute(PSA_ALG_SHA_256, seed, sizeof seed, scalar, 32, &len) == PSA_SUCCESS && len == 32;

    acme_wipe(seed, sizeof seed);
    return drawn;
}

#if defined(MBEDTLS_ECP_RESTARTABLE) && MBEDTLS_VERSION_NUMBER < 0x04000000

/* A multiplication is cut in pieces of mbedtls_ecp_set_max_ops(). PSA in 2.28 does not cut a signature, and in no version what
 * makes a public key: these are the library's older functions, which do. The scalar is ours in any case. */

#ifndef MBEDTLS_PRIVATE /* 2.28: members have their names */
#define MBEDTLS_PRIVATE(member) member
#endif
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define WITH_SIZE(at) (at), sizeof(at)
#else
#define WITH_SIZE(at) (at)
#endif

/* How often others ask before what nobody asks for is taken as given up: more than there are clients in a firmware. */
#define PATIENCE 16

enum kind { MAKE, POINT, SIGN };

static const uint8_t none[32]; /* the digest of what is no signature */

/* What is under way: one for all keys, in the library's memory. */
static struct work {
    enum kind kind;
    const uint8_t *owner;
    uint8_t scalar[32], digest[32];
    unsigned others;
    mbedtls_ecdsa_context pair;
    mbedtls_ecp_restart_ctx multiplying;
    mbedtls_ecdsa_restart_ctx signing;
} * work;

static void forget(void)
{
    if (work != NULL) {
        mbedtls_ecdsa_restart_free(&work->signing);
        mbedtls_ecp_restart_free(&work->multiplying);
        mbedtls_ecdsa_free(&work->pair);
        acme_wipe(work, sizeof *work);
        mbedtls_free(work);
        work = NULL;
    }
}

void acme_p256_forget(const uint8_t scalar[32])
{
    if (work != NULL && (scalar == NULL || work->owner == scalar)) {
        forget();
    }
}

static bool is_under_way(enum kind kind, const uint8_t scalar[32], const uint8_t digest[32])
{
    return work != NULL && work->owner == scalar && work->kind == kind && memcmp(work->scalar, scalar, 32) == 0 &&
           memcmp(work->digest, digest, 32) == 0;
}

/* Has it under way. Returns 0, 1 another key's is, or ACME_E_KEY. */
static int have(enum kind kind, const uint8_t scalar[32], const uint8_t digest[32])
{
    if (is_under_way(kind, scalar, digest)) {
        work->others = 0;
        return 0;
    }
    if (work != NULL && work->owner != scalar && ++work->others < PATIENCE) {
        return 1;
    }
    forget();
    work = psa_crypto_init() == PSA_SUCCESS ? mbedtls_calloc(1, sizeof *work) : NULL;
    if (work == NULL) {
        return ACME_E_KEY;
    }
    work->kind = kind;
    work->owner = scalar;
    memcpy(work->scalar, scalar, 32);
    memcpy(work->digest, digest, 32);
    mbedtls_ecdsa_init(&work->pair);
    mbedtls_ecp_restart_init(&work->multiplying);
    mbedtls_ecdsa_restart_init(&work->signing);
    /* Refuses zero, and n and above. */
    return mbedtls_ecp_read_key(MBEDTLS_ECP_DP_SECP256R1, &work->pair, scalar, 32) == 0 ? 0 : ACME_E_KEY;
}

/* What has been done answers for the call; only what is cut stays. */
static int settle(int code)
{
    if (code == MBEDTLS_ERR_ECP_IN_PROGRESS) {
        return 1;
    }
    forget();
    return code == 0 ? 0 : ACME_E_KEY;
}

static int multiply(enum kind kind, const uint8_t scalar[32], uint8_t point[65])
{
    mbedtls_ecp_group *group;
    mbedtls_ecp_point *q;
    size_t len;
    int code = have(kind, scalar, none);

    if (code != 0) {
        return code > 0 ? code : settle(code);
    }
    group = &work->pair.MBEDTLS_PRIVATE(grp);
    q = &work->pair.MBEDTLS_PRIVATE(Q);
    code = mbedtls_ecp_mul_restartable(group, q, &work->pair.MBEDTLS_PRIVATE(d), &group->G, mbedtls_psa_get_random,
                                       MBEDTLS_PSA_RANDOM_STATE, &work->multiplying);
    if (code == 0) {
        code = mbedtls_ecp_point_write_binary(group, q, MBEDTLS_ECP_PF_UNCOMPRESSED, &len, point, 65);
    }
    return settle(code);
}

int acme_p256_make(const struct acme_sys *sys, uint8_t scalar[32], uint8_t point[65])
{
    return is_under_way(MAKE, scalar, none) || draw(sys, scalar) ? multiply(MAKE, scalar, point) : ACME_E_RANDOM;
}

int acme_p256_public(const uint8_t scalar[32], uint8_t point[65])
{
    return multiply(POINT, scalar, point);
}

/* r and s of a signature's DER, which is the library's own. Returns false when one of them is zero, as no signature has it: 2.28
 * does not look whether there was memory for r where it copies that. */
static bool split(const uint8_t *der, size_t len, uint8_t signature[64])
{
    static const uint8_t tags[] = {ACME_DER_INTEGER, ACME_DER_INTEGER};
    struct acme_der in = {der, len}, part[2];
    bool good = acme_der_only(&in, ACME_DER_SEQUENCE, &in) && acme_der_run(&in, tags, 2, part);

    memset(signature, 0, 64);
    for (size_t i = 0; good && i < 2; i++) {
        size_t sign = part[i].len > 32; /* a zero before a high bit */
        memcpy(signature + 32 * (i + 1) - (part[i].len - sign), part[i].at + sign, part[i].len - sign);
        good = part[i].len > 1 || part[i].at[0] != 0;
    }
    return good;
}

int acme_p256_sign(const uint8_t scalar[32], const uint8_t digest[32], uint8_t signature[64])
{
    uint8_t der[MBEDTLS_ECDSA_MAX_SIG_LEN(256)];
    size_t len = 0;
    int code = have(SIGN, scalar, digest);

    if (code != 0) {
        return code > 0 ? code : settle(code);
    }
    code =
        mbedtls_ecdsa_write_signature_restartable(&work->pair, MBEDTLS_MD_SHA256, digest, 32, WITH_SIZE(der), &len,
                                                  mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE, &work->signing);
    if (code == 0 && !split(der, len, signature)) {
        code = MBEDTLS_ERR_ECP_ALLOC_FAILED;
    }
    return settle(code);
}

#else

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

int acme_p256_public(const uint8_t scalar[32], uint8_t point[65])
{
    psa_key_id_t id = 0;
    size_t len = 0;
    bool done;

    if (import(scalar, &id) != PSA_SUCCESS) { /* zero, or n and above */
        return ACME_E_KEY;
    }
    done = psa_export_public_key(id, point, 65, &len) == PSA_SUCCESS && len == 65 && point[0] == 4;
    return psa_destroy_key(id) == PSA_SUCCESS && done ? 0 : ACME_E_KEY;
}

int acme_p256_make(const struct acme_sys *sys, uint8_t scalar[32], uint8_t point[65])
{
    return draw(sys, scalar) ? acme_p256_public(scalar, point) : ACME_E_RANDOM;
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

void acme_p256_forget(const uint8_t scalar[32])
{
    (void)scalar; /* nothing is ever under way */
}

#endif
