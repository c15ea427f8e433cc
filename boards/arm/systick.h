/* systick.h - milliseconds, and instructions in the emulator, from the processor's own timer. */
#ifndef BOARDS_SYSTICK_H
#define BOARDS_SYSTICK_H

#include <stdint.h>

/* The board's: how fast the timer counts. */
extern const uint32_t board_clock_hz;

void systick_begin(void);

/* A millisecond has passed: the timer's interrupt. */
void board_systick(void);

#endif
