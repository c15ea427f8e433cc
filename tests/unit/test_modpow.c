/* test_modpow.c - the boards' power modulo an RSA modulus against OpenSSL's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bn.h>

/* Here, as on a board, it takes the place of the library's. */
#include "../../boards/firmware/modpow.c"

void br_i31_decode(uint32_t *x, const void *src, size_t len);
void br_i31_encode(void *dst, size_t len, const uint32_t *x);
uint32_t br_i31_decode_mod(uint32_t *x, const void *src, size_t len, const uint32_t *m);
uint32_t br_i31_ninv31(uint32_t x);

#define WORDS 136 /* of 4096 bits */

static void power(BN_CTX *ctx, const BIGNUM *n, const uint8_t *e, size_t e_len)
{
    const size_t len = (size_t)BN_num_bytes(n);
    uint32_t m[WORDS], x[WORDS], tmp[2 * WORDS];
    uint8_t modulus[512], base[512], own[512], known[512];
    BIGNUM *b = BN_new(), *exponent = BN_bin2bn(e, (int)e_len, NULL);
    size_t words;

    BN_rand_range(b, n);
    BN_bn2bin(n, modulus);
    BN_bn2binpad(b, base, (int)len);
    br_i31_decode(m, modulus, len);
    assert_int_equal(br_i31_decode_mod(x, base, len, m), 1);
    words = (m[0] + 63) / 32;
    memset(tmp, 0xa5, sizeof tmp);
    assert_int_equal(br_i31_modpow_opt(x, e, e_len, m, br_i31_ninv31(m[1]), tmp, 2 * words - 1), 0);
    assert_int_equal(br_i31_modpow_opt(x, e, e_len, m, br_i31_ninv31(m[1]), tmp, 2 * words), 1);
    assert_int_equal(tmp[2 * words], 0xa5a5a5a5);
    br_i31_encode(own, len, x);
    if (BN_is_zero(exponent)) { /* never a signature: its padding has ones */
        memset(known, 0, sizeof known);
    } else {
        BN_mod_exp(b, b, exponent, n, ctx);
        BN_bn2binpad(b, known, (int)len);
    }
    assert_memory_equal(own, known, len);
    BN_free(b);
    BN_free(exponent);
}

static void powers(void **state)
{
    static const struct {
        uint8_t at[8];
        size_t len;
    } exponents[] = {{{1, 0, 1}, 3}, {{3}, 1},    {{0, 0, 1, 0, 1}, 5},       {{1}, 1},
                     {{2}, 1},       {{0x80}, 1}, {{0xff, 0xfe, 0x13, 7}, 4}, {{0xa5, 0, 0, 0, 0, 0, 0, 0x81}, 8},
                     {{0}, 1},       {{0}, 0}};
    static const int bits[] = {2048, 2047, 3072, 4096, 1024, 1023, 512, 93};
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new();

    (void)state;
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        BN_rand(n, bits[i], BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
        for (size_t k = 0; k < sizeof exponents / sizeof exponents[0]; k++) {
            power(ctx, n, exponents[k].at, exponents[k].len);
        }
    }
    BN_free(n);
    BN_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
