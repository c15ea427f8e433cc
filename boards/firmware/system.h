/* system.h - what runs the firmware: a loop that polls everything (loop.c), or a task of a kernel, which then has a file
 * of its own instead of loop.c. */
#ifndef FIRMWARE_SYSTEM_H
#define FIRMWARE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

/* Runs `task` for good. */
_Noreturn void system_run(void (*task)(void));

/* Starts lwIP; returns when the board has an address. */
void system_begin_network(void);

/* Gives lwIP its turn. True: something moved. */
bool system_poll(void);

/* Sleeps until something may have happened, `ms` at most. */
void system_wait(uint32_t ms);

/* The deepest the stack has been that the firmware runs on, and its size, in bytes. */
uint32_t system_stack_peak(void);
uint32_t system_stack_size(void);

/* What else there is to tell at the end of a run. */
void system_report(void);

#endif
