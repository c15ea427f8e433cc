/* seed.c - see seed.h. */
#include "seed.h"

#include <string.h>

#define HALF (ACME_SEED_LEN / 2)

bool acme_seed_draw(const struct acme_sys *sys, uint8_t seed[ACME_SEED_LEN])
{
    if (sys->random(sys->ctx, seed, HALF) != 0 || sys->random(sys->ctx, seed + HALF, HALF) != 0) {
        return false;
    }
    return memcmp(seed, seed + 1, HALF - 1) != 0 && memcmp(seed + HALF, seed + HALF + 1, HALF - 1) != 0 &&
           memcmp(seed, seed + HALF, HALF) != 0;
}
