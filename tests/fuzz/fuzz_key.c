/* Records of private keys: what is taken comes back the same, and what is not leaves nothing behind.
 *
 * The curve's arithmetic is not what is looked at here, and takes half a millisecond: this one has a point that is made
 * of the scalar by writing it down twice. */
#include "fuzz.h"

#include <bearssl.h>

#include "secure/key_p256.h"

static const unsigned char *order(int curve, size_t *len)
{
    return br_ec_prime_i31.order(curve, len);
}

static size_t mulgen(unsigned char *point, const unsigned char *x, size_t len, int curve)
{
    MUST(len == 32 && curve == BR_EC_secp256r1);
    point[0] = 4;
    memcpy(point + 1, x, len);
    memcpy(point + 1 + len, x, len);
    return 65;
}

/* In place of the library's. */
const br_ec_impl br_ec_p256_m31 = {.order = order, .mulgen = mulgen};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct acme_key_ops *ops = &acme_key_p256_ops;
    static const struct acme_key_p256 none;
    static struct fuzz_memory room;
    struct acme_key_p256 key, again;

    memset(&key, 0x5a, sizeof key);
    memset(&again, 0, sizeof again);
    if (ops->load(&key, data, len) != 0) {
        MUST(!key.ready && memcmp(key.scalar, none.scalar, 32) == 0 && memcmp(key.point, none.point, 65) == 0);
        return 0;
    }
    MUST(key.ready && memcmp(key.scalar, none.scalar, 32) != 0);
    int size = ops->save(&key, fuzz_room(&room, ACME_KEY_P256_RECORD_MAX), ACME_KEY_P256_RECORD_MAX);
    MUST(size > 0 && size <= ACME_KEY_P256_RECORD_MAX);
    char *record = fuzz_room(&room, (size_t)size);
    MUST(ops->save(&key, record, (size_t)size) == size);
    MUST(ops->load(&again, record, (size_t)size) == 0);
    MUST(memcmp(key.scalar, again.scalar, 32) == 0 && memcmp(key.point, again.point, 65) == 0);
    MUST(ops->save(&key, record, (size_t)size - 1) < 0);
    return 0;
}
