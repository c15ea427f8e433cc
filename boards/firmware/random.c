/* random.c - random numbers for lwIP: a generator seeded once from the board. */
#include <bearssl.h>

#include "board.h"
#include "firmware.h"

static br_hmac_drbg_context drbg;

int firmware_random_init(void)
{
    uint8_t seed[32];
    int result = board_random(NULL, seed, sizeof seed);

    br_hmac_drbg_init(&drbg, &br_sha256_vtable, seed, sizeof seed);
    return result;
}

uint32_t firmware_random32(void)
{
    uint32_t value;

    br_hmac_drbg_generate(&drbg, &value, sizeof value);
    return value;
}

uint32_t firmware_isn(const void *local_ip, uint16_t local_port, const void *remote_ip, uint16_t remote_port)
{
    /* An unpredictable one for each connection; old segments are no danger at a few connections a day. */
    (void)local_ip, (void)local_port, (void)remote_ip, (void)remote_port;
    return firmware_random32();
}
