/* poll.h - how long to wait: before the next poll, and after something went wrong. */
#ifndef ACME_PROTOCOL_POLL_H
#define ACME_PROTOCOL_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include "../acme_config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Milliseconds before poll number `polls` (0: the first) of an object: ACME_POLL_FIRST_MS doubling to
 * ACME_POLL_MAX_MS. The CA's Retry-After in seconds (-1: none) is a lower bound, itself bounded by
 * ACME_RETRY_AFTER_MAX_S: some CAs say a day for what is ready in minutes. */
uint32_t acme_poll_ms(uint32_t polls, int32_t retry_after_s);

/* Milliseconds before attempt number `tries` (1: the first repetition): first_ms doubling to a quarter of an
 * hour. */
uint32_t acme_backoff_ms(uint32_t tries, uint32_t first_ms);

/* True when wait_ms have passed since since_ms; right across the wrap of the millisecond counter. */
bool acme_passed(uint32_t now_ms, uint32_t since_ms, uint32_t wait_ms);

#ifdef __cplusplus
}
#endif

#endif
