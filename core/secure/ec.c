/* ec.c - see ec.h. */
#include "ec.h"

static const br_ec_impl *of(int curve)
{
    return curve == BR_EC_secp256r1 ? &ACME_EC_P256 : &ACME_EC_PRIME;
}

static int point_ok(size_t len, int curve)
{
    return len == (curve == BR_EC_secp256r1 ? 65u : 97u);
}

/* What the next three tell is the same in both. */

static const unsigned char *generator(int curve, size_t *len)
{
    return ACME_EC_PRIME.generator(curve, len);
}

static const unsigned char *order(int curve, size_t *len)
{
    return ACME_EC_PRIME.order(curve, len);
}

static size_t xoff(int curve, size_t *len)
{
    return ACME_EC_PRIME.xoff(curve, len);
}

static uint32_t mul(unsigned char *point, size_t len, const unsigned char *x, size_t x_len, int curve)
{
    return point_ok(len, curve) ? of(curve)->mul(point, len, x, x_len, curve) : 0;
}

static size_t mulgen(unsigned char *point, const unsigned char *x, size_t x_len, int curve)
{
    return of(curve)->mulgen(point, x, x_len, curve);
}

static uint32_t muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x, size_t x_len,
                       const unsigned char *y, size_t y_len, int curve)
{
    return point_ok(len, curve) ? of(curve)->muladd(a, b, len, x, x_len, y, y_len, curve) : 0;
}

const br_ec_impl acme_ec = {
    ((uint32_t)1 << BR_EC_secp256r1) | ((uint32_t)1 << BR_EC_secp384r1), generator, order, xoff, mul, mulgen, muladd};
