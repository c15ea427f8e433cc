/* fastkey.c - see fastkey.h. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "fastkey.h"

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

static uint64_t state = 1; /* of the dice */
static EC_KEY *tool;       /* takes the scalar of whoever signs */

static void use(const uint8_t scalar[32])
{
    if (tool == NULL) {
        tool = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    }
    BIGNUM *number = BN_bin2bn(scalar, 32, NULL);
    EC_KEY_set_private_key(tool, number);
    BN_free(number);
}

/* A key that is read at each look has the same point each time. */
static int publish(struct acme_key_p256 *key)
{
    static struct {
        uint8_t scalar[32], point[65];
    } known[4096];
    unsigned slot = (unsigned)(key->scalar[1] << 8 | key->scalar[2]) % 4096;
    if (known[slot].point[0] == 4 && memcmp(known[slot].scalar, key->scalar, 32) == 0) {
        memcpy(key->point, known[slot].point, 65);
        key->ready = true;
        return 0;
    }
    use(key->scalar);
    const EC_GROUP *group = EC_KEY_get0_group(tool);
    EC_POINT *point = EC_POINT_new(group);
    EC_POINT_mul(group, point, EC_KEY_get0_private_key(tool), NULL, NULL, NULL);
    size_t len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, key->point, 65, NULL);
    EC_POINT_free(point);
    key->ready = len == 65;
    memcpy(known[slot].scalar, key->scalar, 32);
    memcpy(known[slot].point, key->point, 65);
    return key->ready ? 0 : ACME_E_KEY;
}

static int fast_point(void *handle, uint8_t point[65])
{
    const struct acme_key_p256 *key = handle;
    memcpy(point, key->point, 65);
    return key->ready ? 0 : ACME_E_KEY;
}

/* The nonce of a signature comes from what is signed, so the same again is the same again, and can be remembered. */
static int fast_sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    static struct {
        uint8_t scalar[32], digest[32], signature[64];
    } made[16384];
    const struct acme_key_p256 *key = handle;
    const BIGNUM *r, *s;
    unsigned slot = (unsigned)(digest[0] << 8 | digest[1]) % 16384;
    if (!key->ready) {
        return ACME_E_KEY;
    }
    if (memcmp(made[slot].scalar, key->scalar, 32) != 0 || memcmp(made[slot].digest, digest, 32) != 0) {
        uint64_t kept = state, seed;
        memcpy(&seed, digest, sizeof seed);
        dice_seed(seed);
        use(key->scalar);
        ECDSA_SIG *sig = ECDSA_do_sign(digest, 32, tool);
        state = kept;
        ECDSA_SIG_get0(sig, &r, &s);
        BN_bn2binpad(r, made[slot].signature, 32);
        BN_bn2binpad(s, made[slot].signature + 32, 32);
        ECDSA_SIG_free(sig);
        memcpy(made[slot].scalar, key->scalar, 32);
        memcpy(made[slot].digest, digest, 32);
    }
    memcpy(signature, made[slot].signature, 64);
    return 0;
}

static int fast_generate(void *handle, const struct acme_sys *sys)
{
    struct acme_key_p256 *key = handle;
    int error = sys->random(sys->ctx, key->scalar, 32);
    key->scalar[0] &= 0x7f; /* below the order */
    key->scalar[31] |= 1;
    return error != 0 ? error : publish(key);
}

#define RECORD "FAST PRIVATE KEY "

static int fast_import(void *handle, const void *record, size_t len)
{
    struct acme_key_p256 *key = handle;
    const char *at = (const char *)record + strlen(RECORD);
    if (len != strlen(RECORD) + 65 || memcmp(record, RECORD, strlen(RECORD)) != 0) {
        return ACME_E_KEY_CORRUPT;
    }
    static const char digits[] = "0123456789abcdef";
    uint8_t scalar[32] = {0};
    for (unsigned i = 0; i < 64; i++) {
        const char *digit = memchr(digits, at[i], 16);
        if (digit == NULL) {
            return ACME_E_KEY_CORRUPT;
        }
        scalar[i / 2] = (uint8_t)(scalar[i / 2] << 4 | (digit - digits));
    }
    memcpy(key->scalar, scalar, sizeof scalar);
    return publish(key);
}

static int fast_export(void *handle, void *record, size_t cap)
{
    const struct acme_key_p256 *key = handle;
    char text[sizeof RECORD + 66];
    int len = snprintf(text, sizeof text, RECORD);
    for (unsigned i = 0; i < 32; i++) {
        len += snprintf(text + len, sizeof text - (size_t)len, "%02x", key->scalar[i]);
    }
    text[len++] = '\n';
    if ((size_t)len > cap) {
        return ACME_E_KEY;
    }
    memcpy(record, text, (size_t)len);
    return len;
}

const struct acme_key_ops fastkey_ops = {fast_point, fast_sign, fast_generate, fast_import, fast_export};

/* --- dice (xorshift64*) */

static uint64_t roll(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1du;
}

void dice_fill(void *buf, size_t len)
{
    uint8_t *at = buf;
    while (len-- > 0) {
        *at++ = (uint8_t)(roll() >> 56);
    }
}

uint32_t dice_below(uint32_t n)
{
    return (uint32_t)(roll() >> 32) % n;
}

static int for_openssl(unsigned char *buf, int len)
{
    dice_fill(buf, (size_t)len);
    return 1;
}

static int always(void)
{
    return 1;
}

void dice_seed(uint64_t seed)
{
    static const RAND_METHOD method = {.bytes = for_openssl, .pseudorand = for_openssl, .status = always};
    RAND_set_rand_method(&method);
    state = (seed + 1) * 0x9e3779b97f4a7c15u;
}

static int roll_for_key(void *ctx, void *buf, size_t len)
{
    dice_fill(buf, len);
    return 0;
}

int fastkey_by_dice(void *handle, const struct acme_sys *sys)
{
    static const struct acme_sys dice = {.random = roll_for_key};
    return fastkey_ops.generate(handle, &dice);
}
