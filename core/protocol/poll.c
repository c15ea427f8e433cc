#include "poll.h"

uint32_t acme_poll_ms(uint32_t polls, int32_t retry_after_s)
{
    uint32_t wait = ACME_POLL_FIRST_MS;
    for (uint32_t i = 0; i < polls && wait < ACME_POLL_MAX_MS; i++) {
        wait *= 2;
    }
    if (wait > ACME_POLL_MAX_MS) {
        wait = ACME_POLL_MAX_MS;
    }
    uint32_t floor_s = retry_after_s < 0 ? 0 : (uint32_t)retry_after_s;
    if (floor_s > ACME_RETRY_AFTER_MAX_S) {
        floor_s = ACME_RETRY_AFTER_MAX_S;
    }
    return wait > floor_s * 1000u ? wait : floor_s * 1000u;
}

uint32_t acme_backoff_ms(uint32_t tries, uint32_t first_ms)
{
    const uint32_t longest = 15u * 60u * 1000u;
    uint32_t wait = first_ms;
    for (uint32_t i = 1; i < tries && wait < longest; i++) {
        wait *= 2;
    }
    return wait < longest ? wait : longest;
}

bool acme_passed(uint32_t now_ms, uint32_t since_ms, uint32_t wait_ms)
{
    return now_ms - since_ms >= wait_ms;
}
