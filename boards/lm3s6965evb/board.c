/* board.c - clock, UART, and what an emulator has to stand in for: this part has no clock of the day and no generator
 * of random numbers. On a real one, replace the last two functions. */
#include <string.h>

#include "board.h"
#include "semihost.h"

#define REG(at)     (*(volatile uint32_t *)(at))
#define UART0       REG(0x4000c000)
#define UART0_FLAGS REG(0x4000c018)
#define SYSTICK     0xe000e010
#define CLOCK_HZ    12500000 /* after reset, as QEMU counts */

const char board_name[] = "lm3s6965evb";
const char board_notice[] = "random numbers and the time of day come from the emulator, for this part has neither";

static volatile uint32_t milliseconds;

void board_systick(void);
void board_systick(void)
{
    milliseconds++;
}

void board_init(void)
{
    REG(SYSTICK + 4) = CLOCK_HZ / 1000 - 1;
    REG(SYSTICK + 8) = 0;
    REG(SYSTICK) = 7;
}

uint32_t board_now_ms(void)
{
    return milliseconds;
}

/* With -icount shift=0 one instruction takes one nanosecond of the emulator's time: 80 a count. */
uint32_t board_kilo(void)
{
    uint32_t ms, count;

    do {
        ms = milliseconds;
        count = REG(SYSTICK + 8);
    } while (ms != milliseconds);
    return ms * 1000 + (CLOCK_HZ / 1000 - 1 - count) * 80 / 1000;
}

void board_put(char c)
{
    while (UART0_FLAGS & 0x20) { /* the FIFO is full */
    }
    UART0 = (uint8_t)c;
}

void board_wait(void)
{
    __asm__ volatile("wfi"); /* the next millisecond wakes */
}

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
