/* start.c - the first instructions. */
#include "board.h"

int main(void);
void reset(void);

__asm__(".section .start,\"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        "    la sp, stack_end\n"
        "    la t0, trap_entry\n"
        "    csrw mtvec, t0\n"
        "    j reset\n"
        ".balign 4\n"
        "trap_entry:\n"
        "    la sp, stack_end\n"
        "    j image_fault\n"
        ".text\n");

void reset(void)
{
    image_begin();
    (void)main();
}
