/* keys.c - keys and digests on PSA: what is signed is what OpenSSL takes; keys of another kind or policy are refused in words; work
 * in pieces is the same work, whatever comes in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "acme_mbedtls.h"
#include "key_psa.h"
#include "secure/digest.h"
#include "secure/key_p256.h"
#include "secure/p256.h"

#include <mbedtls/platform.h>
#include <mbedtls/version.h>
#if MBEDTLS_VERSION_NUMBER < 0x04000000
#include <mbedtls/ecp.h>
#endif

static int random_answer, stuck;

static int numbers(void *ctx, void *buf, size_t len)
{
    static unsigned char next;

    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        ((unsigned char *)buf)[i] = stuck ? 7 : (unsigned char)(rand() ^ next++);
    }
    return random_answer;
}

static const struct acme_sys sys = {NULL, numbers, NULL};

static const uint8_t digest[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

/* OpenSSL's opinion of a raw signature. */
static bool verifies(const uint8_t point[65], const uint8_t signature[64])
{
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("group", (char[]){"P-256"}, 0),
                               OSSL_PARAM_construct_octet_string("pub", (void *)(uintptr_t)point, 65),
                               OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *from = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL), *ctx;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    EVP_PKEY *key = NULL;
    unsigned char der[80], *at = der;

    ECDSA_SIG_set0(sig, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
    int len = i2d_ECDSA_SIG(sig, &at);
    bool good =
        EVP_PKEY_fromdata_init(from) == 1 && EVP_PKEY_fromdata(from, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1;
    ctx = EVP_PKEY_CTX_new(key, NULL);
    good =
        good && EVP_PKEY_verify_init(ctx) == 1 && EVP_PKEY_verify(ctx, der, (size_t)len, digest, sizeof digest) == 1;
    EVP_PKEY_CTX_free(from);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    ECDSA_SIG_free(sig);
    return good;
}

static psa_key_id_t key_of(psa_key_type_t type, size_t bits, psa_key_usage_t usage, psa_algorithm_t algorithm)
{
    psa_key_attributes_t a = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;

    psa_set_key_type(&a, type);
    psa_set_key_bits(&a, bits);
    psa_set_key_usage_flags(&a, usage);
    psa_set_key_algorithm(&a, algorithm);
    assert_int_equal(psa_generate_key(&a, &id), PSA_SUCCESS);
    return id;
}

#define PAIR PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1)

/* Whatever policy lets it sign, that is how it signs; a thousand times, with slots for eight keys. */
static void policies(void **state)
{
    static const psa_algorithm_t good[] = {
        PSA_ALG_ECDSA(PSA_ALG_SHA_256), PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256), PSA_ALG_ECDSA(PSA_ALG_ANY_HASH),
        PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_ANY_HASH)};
    uint8_t point[65], signature[64];

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct acme_key_psa key = {.id = key_of(PAIR, 256, PSA_KEY_USAGE_SIGN_HASH, good[i])};
        assert_null(acme_key_psa_fault(&key));
        assert_int_equal(acme_key_psa_ops.point(&key, point), 0);
        for (int n = 0; n < (i == 0 ? 1000 : 3); n++) {
            assert_int_equal(acme_key_psa_ops.sign(&key, digest, signature), 0);
        }
        assert_true(verifies(point, signature));
        assert_int_equal(psa_destroy_key(key.id), PSA_SUCCESS);
        assert_string_equal(acme_key_psa_fault(&key), "PSA has no key of this id");
        assert_int_equal(acme_key_psa_ops.sign(&key, digest, signature), ACME_E_KEY);
        assert_int_equal(acme_key_psa_ops.point(&key, point), ACME_E_KEY);
    }
    assert_null(acme_key_psa_ops.generate);
}

static void keys_that_will_not_do(void **state)
{
    static const struct {
        psa_key_type_t type;
        size_t bits;
        psa_key_usage_t usage;
        psa_algorithm_t algorithm;
        const char *part;
    } rows[] = {
        {PAIR, 384, PSA_KEY_USAGE_SIGN_HASH, PSA_ALG_ECDSA(PSA_ALG_SHA_256), "no key pair of P-256"},
        {PSA_KEY_TYPE_AES, 128, PSA_KEY_USAGE_ENCRYPT, PSA_ALG_GCM, "no key pair of P-256"},
        {PAIR, 256, PSA_KEY_USAGE_EXPORT, PSA_ALG_ECDSA(PSA_ALG_SHA_256), "does not let it sign"},
        {PAIR, 256, PSA_KEY_USAGE_SIGN_HASH | PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH, "for ECDH"},
        {PAIR, 256, PSA_KEY_USAGE_SIGN_HASH, PSA_ALG_ECDSA(PSA_ALG_SHA_384), "not for ECDSA with SHA-256"},
        {PAIR, 256, PSA_KEY_USAGE_SIGN_HASH, PSA_ALG_SHA_256, "not for ECDSA with SHA-256"}, /* a hash in its place */
    };
    uint8_t out[65];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct acme_key_psa key = {.id = key_of(rows[i].type, rows[i].bits, rows[i].usage, rows[i].algorithm)};
        assert_non_null(strstr(acme_key_psa_fault(&key), rows[i].part));
        assert_int_equal(acme_key_psa_ops.point(&key, out), ACME_E_KEY);
        assert_int_equal(acme_key_psa_ops.sign(&key, digest, out), ACME_E_KEY);
        assert_int_equal(psa_destroy_key(key.id), PSA_SUCCESS);
    }
}

/* Keys that the client's store keeps: made, written, read, and read from OpenSSL's. */
static void stored(void **state)
{
    struct acme_key_p256 key = {.ready = false}, other = {.ready = false};
    const struct acme_key_ops *ops = &acme_key_p256_ops;
    char record[ACME_KEY_P256_RECORD_MAX], *pem;
    uint8_t signature[64], again[64];
    BIO *bio = BIO_new(BIO_s_mem());
    EVP_PKEY *made = EVP_EC_gen("P-256");

    (void)state;
    assert_int_equal(ops->generate(&key, &sys), 0);
    int len = ops->save(&key, record, sizeof record);
    assert_true(len > 0);
    assert_int_equal(ops->load(&other, record, (size_t)len), 0);
    assert_memory_equal(key.point, other.point, 65);
    assert_int_equal(ops->sign(&key, digest, signature), 0);
    assert_int_equal(ops->sign(&other, digest, again), 0);
    assert_memory_equal(signature, again, 64); /* deterministic */
    assert_true(verifies(key.point, signature));
    assert_true(PEM_write_bio_PrivateKey(bio, made, NULL, NULL, 0, NULL, NULL) == 1);
    len = (int)BIO_get_mem_data(bio, &pem);
    assert_int_equal(ops->load(&other, pem, (size_t)len), 0);
    assert_int_equal(ops->sign(&other, digest, signature), 0);
    assert_true(verifies(other.point, signature));
    pem[100] ^= 1; /* the point is another key's then, or it is no key */
    assert_int_equal(ops->load(&other, pem, (size_t)len), ACME_E_KEY_CORRUPT);
    random_answer = ACME_E_RANDOM;
    assert_int_equal(ops->generate(&key, &sys), ACME_E_RANDOM);
    random_answer = 0;
    stuck = 1;
    assert_int_equal(ops->generate(&key, &sys), ACME_E_RANDOM);
    stuck = 0;
    EVP_PKEY_free(made);
    BIO_free(bio);
}

static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                  0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

static void a_scalar_out_of_range(void **state)
{
    uint8_t scalar[32] = {0}, point[65], signature[64];

    (void)state;
    assert_int_equal(acme_p256_public(scalar, point), ACME_E_KEY);
    assert_int_equal(acme_p256_sign(scalar, digest, signature), ACME_E_KEY);
    memcpy(scalar, order, sizeof scalar);
    assert_int_equal(acme_p256_public(scalar, point), ACME_E_KEY);
    scalar[31]--;
    assert_int_equal(acme_p256_public(scalar, point), 0);
    scalar[31] += 2;
    assert_int_equal(acme_p256_public(scalar, point), ACME_E_KEY);
}

static void digests(void **state)
{
    char text[300];
    uint8_t mine[32], theirs[32];

    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t at = 0; at <= sizeof text; at += 50) {
        struct acme_slice parts[3] = {acme_slice(text, at), acme_slice(NULL, 0),
                                      acme_slice(text + at, sizeof text - at)};
        acme_sha256(parts, 3, mine);
        SHA256((const unsigned char *)text, sizeof text, theirs);
        assert_memory_equal(mine, theirs, 32);
    }
    acme_sha256(NULL, 0, mine);
    SHA256((const unsigned char *)"", 0, theirs);
    assert_memory_equal(mine, theirs, 32);
}

/* --- in pieces --- */

static int held;              /* allocations that were not given back */
static long fails_after = -1; /* so many succeed; -1: all */

static void *count_in(size_t count, size_t size)
{
    if (fails_after == 0) {
        return NULL;
    }
    fails_after -= fails_after > 0;
    held++;
    return calloc(count, size);
}

static void count_out(void *memory)
{
    held -= memory != NULL;
    free(memory);
}

#if defined(MBEDTLS_ECP_RESTARTABLE) && MBEDTLS_VERSION_NUMBER < 0x04000000

static const struct acme_key_ops *const p256 = &acme_key_p256_ops;
static struct acme_key_p256 one, two; /* whole before each test */
static char record_one[ACME_KEY_P256_RECORD_MAX];
static int record_len;
static uint8_t whole[64], other_whole[64],
    theirs[64]; /* signatures: of one and of two, and of one over the other digest */
static const uint8_t other_digest[32] = {0x80, 2};

static void cut(unsigned ops)
{
    mbedtls_ecp_set_max_ops(ops);
#if defined(PSA_INTERRUPTIBLE_MAX_OPS_UNLIMITED)
    psa_interruptible_set_max_ops(ops > 0 ? ops : PSA_INTERRUPTIBLE_MAX_OPS_UNLIMITED);
#endif
}

static int pieces_begin(void **state)
{
    (void)state;
    cut(0);
    assert_int_equal(p256->generate(&one, &sys), 0);
    assert_int_equal(p256->generate(&two, &sys), 0);
    record_len = p256->save(&one, record_one, sizeof record_one);
    assert_int_equal(p256->sign(&one, digest, whole), 0);
    assert_int_equal(p256->sign(&two, digest, theirs), 0);
    assert_int_equal(p256->sign(&one, other_digest, other_whole), 0);
    cut(100);
    held = 0;
    return 0;
}

static int pieces_end(void **state)
{
    (void)state;
    fails_after = -1;
    acme_p256_forget(NULL);
    cut(0);
    return held == 0 ? 0 : -1;
}

/* Calls until there is an answer, which is to be 0. */
static unsigned calls_to_sign(struct acme_key_p256 *key, const uint8_t what[32], uint8_t out[64])
{
    unsigned calls = 1;
    int done;

    while ((done = p256->sign(key, what, out)) == 1) {
        calls++;
    }
    assert_int_equal(done, 0);
    assert_int_equal(held, 0);
    return calls;
}

/* What comes out is what comes out when nothing is cut, and nothing is held between two. */
static void the_same_in_pieces(void **state)
{
    struct acme_key_p256 key = {.ready = false};
    uint8_t signature[64];
    unsigned calls = 1;
    int done;

    (void)state;
    assert_in_range(calls_to_sign(&one, digest, signature), 5, 60);
    assert_memory_equal(signature, whole, 64);
    assert_in_range(calls_to_sign(&one, other_digest, signature), 5, 60);
    assert_memory_equal(signature, other_whole, 64);
    for (; (done = p256->load(&key, record_one, (size_t)record_len)) == 1; calls++) {
        assert_false(key.ready);
        assert_int_equal(p256->point(&key, signature), ACME_E_KEY);
        assert_int_equal(p256->sign(&key, digest, signature), ACME_E_KEY);
    }
    assert_int_equal(done, 0);
    assert_in_range(calls, 5, 60);
    assert_memory_equal(key.point, one.point, 65);
    for (calls = 1; (done = p256->generate(&key, &sys)) == 1; calls++) {
        assert_false(key.ready);
    }
    assert_int_equal(done, 0);
    assert_in_range(calls, 5, 60);
    assert_memory_not_equal(key.point, one.point, 65);
    calls_to_sign(&key, digest, signature);
    assert_true(verifies(key.point, signature));
}

/* A key that is made is drawn once, and one that was being read is never taken for one that was drawn. */
static void made_is_drawn(void **state)
{
    struct acme_key_p256 key = {.ready = false};
    uint8_t scalar[32];
    int done;

    (void)state;
    assert_int_equal(p256->load(&key, record_one, (size_t)record_len), 1);
    assert_int_equal(p256->generate(&key, &sys), 1);
    assert_memory_not_equal(key.scalar, one.scalar, 32);
    memcpy(scalar, key.scalar, 32);
    while ((done = p256->generate(&key, &sys)) == 1) {
        assert_memory_equal(key.scalar, scalar, 32);
    }
    assert_int_equal(done, 0);
    assert_memory_equal(key.scalar, scalar, 32);
    assert_int_equal(p256->generate(&key, &sys), 1); /* the next one is another */
    assert_memory_not_equal(key.scalar, scalar, 32);
    acme_key_p256_wipe(&key);
    random_answer = ACME_E_RANDOM;
    assert_int_equal(p256->generate(&key, &sys), ACME_E_RANDOM);
    random_answer = 0;
}

/* Given up at each piece, for another digest, by the key being wiped, or by a record that is damaged: the next one is right. */
static void given_up_in_the_middle(void **state)
{
    struct acme_key_p256 key;
    uint8_t signature[64];
    unsigned all = calls_to_sign(&one, digest, signature);

    (void)state;
    for (unsigned n = 1; n < all; n++) {
        for (unsigned i = 0; i < n; i++) {
            assert_int_equal(p256->sign(&one, digest, signature), 1);
        }
        assert_int_equal(calls_to_sign(&one, other_digest, signature), calls_to_sign(&one, other_digest, theirs));
        assert_memory_equal(signature, other_whole, 64);
        key = one;
        for (unsigned i = 0; i < n; i++) {
            assert_int_equal(p256->sign(&key, digest, signature), 1);
        }
        assert_true(held > 0);
        acme_key_p256_wipe(&key);
        assert_int_equal(held, 0);
        assert_int_equal(p256->sign(&key, digest, signature), ACME_E_KEY);
    }
    assert_int_equal(p256->load(&key, record_one, (size_t)record_len), 1);
    assert_int_equal(p256->load(&key, record_one, 60), ACME_E_KEY_CORRUPT);
    assert_int_equal(held, 0);
}

/* A run that was forgotten holds memory until somebody else has asked for long enough, or all is given back. */
static void forgotten(void **state)
{
    uint8_t signature[64];
    unsigned alone = calls_to_sign(&two, digest, signature);

    (void)state;
    assert_memory_equal(signature, theirs, 64);
    assert_int_equal(p256->sign(&one, digest, signature), 1);
    assert_in_range(calls_to_sign(&two, digest, signature), alone + 4, alone + 20);
    assert_memory_equal(signature, theirs, 64);
    assert_int_equal(p256->sign(&one, digest, signature), 1);
    acme_p256_forget(two.scalar); /* is none of it */
    assert_true(held > 0);
    acme_p256_forget(NULL);
    assert_int_equal(held, 0);
}

/* Two clients in turn: neither starves. */
static void two_in_turn(void **state)
{
    uint8_t signature[2][64];
    int done[2] = {1, 1};

    (void)state;
    for (unsigned i = 0; i < 200 && (done[0] == 1 || done[1] == 1); i++) {
        done[0] = done[0] == 1 ? p256->sign(&one, digest, signature[0]) : done[0];
        done[1] = done[1] == 1 ? p256->sign(&two, digest, signature[1]) : done[1];
    }
    assert_true(done[0] == 0 && done[1] == 0);
    assert_memory_equal(signature[0], whole, 64);
    assert_memory_equal(signature[1], theirs, 64);
}

/* Whichever allocation fails: no key, nothing held, and the next one is right. */
static void memory_is_lacking(void **state)
{
    uint8_t signature[64];
    int done = ACME_E_KEY;

    (void)state;
    for (long n = 0; done != 0; n++) {
        fails_after = n;
        while ((done = p256->sign(&one, digest, signature)) == 1) {
        }
        assert_true(done == 0 || done == ACME_E_KEY);
        assert_int_equal(held, 0);
        assert_in_range(n, 0, 5000);
    }
    fails_after = -1;
    assert_memory_equal(signature, whole, 64);
}

#endif

#if defined(ACME_KEY_PSA_IN_PIECES) && defined(MBEDTLS_ECP_RESTARTABLE) && MBEDTLS_VERSION_NUMBER < 0x04000000

/* A key that PSA keeps: in pieces, another digest, destroyed in the middle, given up. */
static void psa_in_pieces(void **state)
{
    struct acme_key_psa key = {.id = key_of(PAIR, 256, PSA_KEY_USAGE_SIGN_HASH, PSA_ALG_ECDSA(PSA_ALG_SHA_256))};
    uint8_t point[65], signature[64];
    unsigned calls;
    int before = held, done;

    (void)state;
    assert_int_equal(acme_key_psa_ops.point(&key, point), 0);
    for (int n = 0; n < 2; n++) {
        for (calls = 1; (done = acme_key_psa_ops.sign(&key, digest, signature)) == 1; calls++) {
        }
        assert_int_equal(done, 0);
        assert_in_range(calls, 5, 60);
        assert_true(verifies(point, signature));
        assert_int_equal(held, before);
    }
    assert_int_equal(acme_key_psa_ops.sign(&key, other_digest, signature), 1);
    while ((done = acme_key_psa_ops.sign(&key, digest, signature)) == 1) {
    }
    assert_true(done == 0 && verifies(point, signature));
    assert_int_equal(acme_key_psa_ops.sign(&key, digest, signature), 1);
    acme_key_psa_forget(&key);
    assert_int_equal(held, before);
    assert_int_equal(acme_key_psa_ops.sign(&key, digest, signature), 1);
    assert_int_equal(psa_destroy_key(key.id), PSA_SUCCESS);
    assert_int_equal(acme_key_psa_ops.sign(&key, digest, signature), ACME_E_KEY);
    assert_int_equal(held, before - 1); /* and its key material */
    held = 0;
}

#endif

static int begin(void **state)
{
    (void)state;
    mbedtls_platform_set_calloc_free(count_in, count_out);
    return acme_mbedtls_random_from(&sys) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    mbedtls_psa_crypto_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies),
        cmocka_unit_test(keys_that_will_not_do),
        cmocka_unit_test(stored),
        cmocka_unit_test(a_scalar_out_of_range),
        cmocka_unit_test(digests),
#if defined(MBEDTLS_ECP_RESTARTABLE) && MBEDTLS_VERSION_NUMBER < 0x04000000
#define IN_PIECES(f) cmocka_unit_test_setup_teardown(f, pieces_begin, pieces_end)
        IN_PIECES(the_same_in_pieces),
        IN_PIECES(made_is_drawn),
        IN_PIECES(given_up_in_the_middle),
        IN_PIECES(forgotten),
        IN_PIECES(two_in_turn),
        IN_PIECES(memory_is_lacking),
#endif
#if defined(ACME_KEY_PSA_IN_PIECES) && defined(MBEDTLS_ECP_RESTARTABLE) && MBEDTLS_VERSION_NUMBER < 0x04000000
        IN_PIECES(psa_in_pieces),
#endif
    };
    return cmocka_run_group_tests(tests, begin, end);
}
