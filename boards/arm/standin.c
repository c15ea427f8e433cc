/* standin.c - the emulator stands in for what these boards have not: random numbers and the time of day. On a real board
 * these are the functions to write. */
#include "board.h"
#include "semihost.h"

int board_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    return semihost_read("/dev/urandom", buf, len) ? 0 : ACME_E_RANDOM;
}

int board_utc(void *ctx, int64_t *utc)
{
    (void)ctx;
    *utc = semihost_time();
    return 1;
}

_Noreturn void board_exit(int status)
{
    semihost_exit(status);
}
