/* board.c - clock and UART. What this part has not, a clock of the day and a generator of random numbers, is in
 * boards/arm/standin.c. */
#include "board.h"
#include "systick.h"

#define REG(at)     (*(volatile uint32_t *)(at))
#define UART0       REG(0x4000c000)
#define UART0_FLAGS REG(0x4000c018)

const uint32_t board_clock_hz = 12500000; /* after reset, as QEMU counts */
const char board_name[] = "lm3s6965evb";
const char board_notice[] = "random numbers and the time of day come from the emulator, for this part has neither";

void board_init(void)
{
    systick_begin();
}

void board_put(char c)
{
    while (UART0_FLAGS & 0x20) { /* the FIFO is full */
    }
    UART0 = (uint8_t)c;
}
