/* maker_system.c - what of maker.h needs no OpenSSL, so that it can be had on a device. */
#include "maker.h"

static int some_bytes(void *ctx, void *buf, size_t len)
{
    static uint64_t state = 88172645463325252u;
    uint8_t *at = buf;

    while (len-- > 0) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *at++ = (uint8_t)(state >> 24);
    }
    return 0;
}

static int the_time(void *ctx, int64_t *utc)
{
    *utc = MAKER_NOW;
    return 1;
}

const struct acme_sys maker_sys = {NULL, some_bytes, the_time};

static int mute_point(void *handle, uint8_t point[65])
{
    return ACME_E_KEY;
}

static int mute_sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    return ACME_E_KEY;
}

const struct acme_key_ops maker_mute_ops = {.point = mute_point, .sign = mute_sign};
