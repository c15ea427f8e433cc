#include "renew.h"

/* Without a division of 64 bits: the function for it would be a small processor's only use of 0.8 KB of library. */
static int64_t third(int64_t life)
{
    uint32_t high = (uint32_t)(life >> 16), low = (uint32_t)(life & 0xffff);
    return ((int64_t)(high / 3) << 16) + ((high % 3) << 16 | low) / 3;
}

int64_t acme_renew_at(int64_t not_before, int64_t not_after)
{
    const int64_t short_life_s = 10 * 86400;
    int64_t life = not_after - not_before;
    return not_after - (life < short_life_s ? life / 2 : third(life));
}
