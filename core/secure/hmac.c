/* hmac.c - see hmac.h. On acme_sha256(), so that whoever has that one by other means has this one, too. */
#include "hmac.h"

#include "wipe.h"

#define BLOCK_LEN 64 /* of SHA-256 */

static void mask(uint8_t block[BLOCK_LEN], uint8_t with)
{
    for (size_t i = 0; i < BLOCK_LEN; i++) {
        block[i] ^= with;
    }
}

void acme_hmac_sha256(struct acme_slice key, const struct acme_slice *parts, size_t count,
                      uint8_t mac[ACME_SHA256_LEN])
{
    uint8_t block[BLOCK_LEN] = {0}, inner[ACME_SHA256_LEN];
    struct acme_slice all[1 + ACME_HMAC_PARTS_MAX];

    if (key.len > BLOCK_LEN) {
        acme_sha256(&key, 1, block);
    } else if (key.len > 0) {
        memcpy(block, key.at, key.len);
    }
    mask(block, 0x36);
    all[0] = acme_slice(block, BLOCK_LEN);
    memcpy(&all[1], parts, count * sizeof(*parts));
    acme_sha256(all, count + 1, inner);
    mask(block, 0x36 ^ 0x5c);
    all[1] = acme_slice(inner, sizeof(inner));
    acme_sha256(all, 2, mac);
    acme_wipe(block, sizeof(block));
    acme_wipe(inner, sizeof(inner));
}
