/* systick.c - see systick.h. */
#include "systick.h"
#include "board.h"

#define REG(offset) (*(volatile uint32_t *)(0xe000e010u + (offset)))
enum { CONTROL = 0, RELOAD = 4, VALUE = 8 };

static volatile uint32_t milliseconds;

void board_systick(void)
{
    milliseconds++;
}

void systick_begin(void)
{
    REG(RELOAD) = board_clock_hz / 1000 - 1;
    REG(VALUE) = 0;
    REG(CONTROL) = 7;
}

uint32_t board_now_ms(void)
{
    return milliseconds;
}

/* With -icount shift=0 one instruction takes one nanosecond of the emulator's time. */
uint32_t board_kilo(void)
{
    uint32_t ms, left;

    do {
        ms = milliseconds;
        left = REG(VALUE);
    } while (ms != milliseconds);
    return ms * 1000 + (board_clock_hz / 1000 - 1 - left) * (1000000000u / board_clock_hz) / 1000;
}

void board_wait(void)
{
    __asm__ volatile("wfi"); /* the next millisecond wakes */
}
