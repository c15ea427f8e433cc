#include "renew.h"

#include "../wire/date.h"

uint32_t acme_renew_at(uint32_t not_before, uint32_t not_after)
{
    const uint32_t short_life_s = 10 * 86400;
    uint32_t life = acme_until_s(not_before, not_after);
    return not_after - (life < short_life_s ? life / 2 : life / 3);
}
