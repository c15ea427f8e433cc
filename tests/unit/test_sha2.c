/* test_sha2.c - the hash functions of the boards against OpenSSL's, and as BearSSL uses them. */

#include "unit.h"

#define OPENSSL_SUPPRESS_DEPRECATED /* what has a state that can be set */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

/* Here, as on a board, they take the place of the library's. */
#include "../../boards/firmware/sha2.c"

static const struct {
    const br_hash_class *own;
    const EVP_MD *(*known)(void);
    size_t digest, block;
} kinds[] = {
    {&br_sha256_vtable, EVP_sha256, 32, 64},
    {&br_sha384_vtable, EVP_sha384, 48, 128},
    {&br_sha512_vtable, EVP_sha512, 64, 128},
};

#define KINDS 3

static uint8_t text[1000];

static void fill(void)
{
    uint32_t x = 1;

    for (size_t i = 0; i < sizeof text; i++) {
        x = x * 1664525 + 1013904223;
        text[i] = (uint8_t)(x >> 24);
    }
}

/* A digest on the way leaves the context as it is, and a state that is taken up goes on. */
static void compare(size_t kind, size_t len, size_t piece)
{
    br_hash_compat_context one, other;
    uint8_t own[64], known[64], between[64];

    memset(&one, 0xa5, sizeof one);
    kinds[kind].own->init(&one.vtable);
    for (size_t at = 0; at < len; at += piece) {
        size_t count = len - at < piece ? len - at : piece;
        one.vtable->update(&one.vtable, text + at, count);
        one.vtable->out(&one.vtable, own);
        if ((at + count) % kinds[kind].block == 0) {
            assert_int_equal(one.vtable->state(&one.vtable, between), at + count);
            memset(&other, 0x5a, sizeof other);
            kinds[kind].own->init(&other.vtable);
            other.vtable->set_state(&other.vtable, between, at + count);
            one = other;
        }
    }
    one.vtable->out(&one.vtable, own);
    EVP_Digest(text, len, known, NULL, kinds[kind].known(), NULL);
    assert_memory_equal(own, known, kinds[kind].digest);
}

TEST(every_length_in_pieces)
{
    fill();
    for (size_t i = 0; i < KINDS; i++) {
        for (size_t len = 0; len < 400; len++) {
            compare(i, len, 1 + len % 150);
            compare(i, len, 64);
            compare(i, len, sizeof text);
        }
        for (size_t piece = 1; piece < 300; piece += 7) {
            compare(i, sizeof text, piece);
        }
    }
}

/* The number of bits has more than 32 of its own. */
TEST(behind_very_much)
{
    const uint64_t blocks = (uint64_t)1 << 40;
    br_sha256_context small;
    br_sha512_context large;
    uint8_t own[64], known[64];
    SHA256_CTX c;
    SHA512_CTX d;

    fill();
    br_sha256_init(&small);
    br_sha256_set_state(&small, text, blocks * 64);
    br_sha256_update(&small, text, 100);
    br_sha256_out(&small, own);
    SHA256_Init(&c);
    for (int i = 0; i < 8; i++) {
        c.h[i] = (uint32_t)text[4 * i] << 24 | (uint32_t)text[4 * i + 1] << 16 | (uint32_t)text[4 * i + 2] << 8 |
                 text[4 * i + 3];
    }
    c.Nl = (uint32_t)(blocks * 64 << 3);
    c.Nh = (uint32_t)(blocks * 64 >> 29);
    SHA256_Update(&c, text, 100);
    SHA256_Final(known, &c);
    assert_memory_equal(own, known, 32);

    br_sha512_init(&large);
    large.count = blocks * 128; /* with the first value */
    br_sha512_update(&large, text, 200);
    br_sha512_out(&large, own);
    SHA512_Init(&d);
    d.Nl = blocks * 128 << 3;
    SHA512_Update(&d, text, 200);
    SHA512_Final(known, &d);
    assert_memory_equal(own, known, 64);
}

/* It reads block and output sizes from the class, and goes by states. */
TEST(hmac)
{
    fill();
    for (size_t i = 0; i < KINDS; i++) {
        for (size_t key_len = 1; key_len < 300; key_len += 13) {
            br_hmac_key_context key;
            br_hmac_context context;
            uint8_t own[64], known[64];

            br_hmac_key_init(&key, kinds[i].own, text + 500, key_len);
            br_hmac_init(&context, &key, 0);
            br_hmac_update(&context, text, 3 * key_len);
            assert_int_equal(br_hmac_out(&context, own), kinds[i].digest);
            HMAC(kinds[i].known(), text + 500, (int)key_len, text, 3 * key_len, known, NULL);
            assert_memory_equal(own, known, kinds[i].digest);
        }
    }
}
