/* image.c - what the linker script knows: where the parts of the image lie, how large it is, how deep its stack has been. */
#include "board.h"
#include "firmware.h"

#define PAINT 0xa5a5a5a5u

extern uint32_t stack_begin[], stack_end[], data_begin[], data_end[], data_from[], bss_begin[], bss_end[];
extern uint8_t text_begin[], flash_end[];

/* Written so that the compiler makes no call of memset: the stack below is being painted. */
void image_begin(void)
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
}

void image_fault(void)
{
    static const char text[] = "\r\nprocessor fault\r\n";
    for (const char *c = text; *c != '\0'; c++) {
        board_put(*c);
    }
    board_exit(99);
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
    return (uint32_t)((uintptr_t)flash_end - (uintptr_t)text_begin);
}

uint32_t firmware_ram(void)
{
    return (uint32_t)((uintptr_t)bss_end - (uintptr_t)data_begin);
}
