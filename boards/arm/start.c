/* start.c - vectors, the first instructions, and what the linker script knows. */
#include <stdint.h>

#include "board.h"
#include "firmware.h"

#define PAINT 0xa5a5a5a5u

extern uint32_t stack_begin[], stack_end[], data_begin[], data_end[], data_from[], bss_begin[], bss_end[];
extern uint8_t flash_end[];

int main(void);
void reset(void);
void board_systick(void);
void vector_pendsv(void);
void vector_systick(void);

static void fault(void)
{
    static const char text[] = "\r\nprocessor fault\r\n";
    for (const char *c = text; *c != '\0'; c++) {
        board_put(*c);
    }
    board_exit(99);
}

/* A kernel has its own of these two. */
__attribute__((weak)) void vector_pendsv(void)
{
    fault();
}

__attribute__((weak)) void vector_systick(void)
{
    board_systick();
}

__attribute__((section(".vectors"), used)) static void *const vectors[] = {
    stack_end, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, vector_pendsv, vector_systick};

/* Written so that the compiler makes no call of memset: the stack below is being painted. */
void reset(void)
{
    uint32_t *here = __builtin_frame_address(0);

    for (volatile uint32_t *at = stack_begin; at < here - 16; at++) {
        *at = PAINT;
    }
    for (volatile uint32_t *to = data_begin, *from = data_from; to < data_end; to++, from++) {
        *to = *from;
    }
    for (volatile uint32_t *at = bss_begin; at < bss_end; at++) {
        *at = 0;
    }
    (void)main();
}

uint32_t board_stack_size(void)
{
    return (uint32_t)((uintptr_t)stack_end - (uintptr_t)stack_begin);
}

uint32_t board_stack_peak(void)
{
    const uint32_t *at = stack_begin;

    while (at < stack_end && *at == PAINT) {
        at++;
    }
    return (uint32_t)((uintptr_t)stack_end - (uintptr_t)at);
}

uint32_t firmware_flash(void)
{
    return (uint32_t)(uintptr_t)flash_end;
}

uint32_t firmware_ram(void)
{
    return (uint32_t)((uintptr_t)bss_end - (uintptr_t)data_begin);
}
