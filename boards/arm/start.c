/* start.c - vectors and the first instructions of a Cortex-M. */
#include <stdint.h>

#include "board.h"
#include "systick.h"

extern uint32_t stack_end[];

int main(void);
void reset(void);
void vector_pendsv(void);
void vector_systick(void);

/* A kernel has its own of these two. */
__attribute__((weak)) void vector_pendsv(void)
{
    image_fault();
}

__attribute__((weak)) void vector_systick(void)
{
    board_systick();
}

__attribute__((section(".vectors"), used)) static void *const vectors[] = {
    stack_end, reset, image_fault, image_fault, image_fault, image_fault, image_fault,   0,
    0,         0,     0,           image_fault, image_fault, 0,           vector_pendsv, vector_systick};

void reset(void)
{
    image_begin();
    (void)main();
}
