/* board.c - clock, UART, and what an emulator has to stand in for: this board has neither a clock of the day, nor a
 * generator of random numbers, nor memory that keeps. */
#include "board.h"
#include "semihost.h"

#define REG(at)    (*(volatile uint32_t *)(at))
#define UART0      0x40004000 /* data, state, control, interrupt, divider */
#define SYSTICK    0xe000e010
#define CLOCK_HZ   25000000
#define SECTOR     4096
#define PAIR       4
#define FILE_BYTES (SECTOR * ACME_FLASH_SECTORS(PAIR))

const char board_name[] = "mps2-an385";
const char board_notice[] =
    "random numbers, the time of day and the records are the emulator's, for this board has none";

static volatile uint32_t milliseconds;

void board_systick(void);
void board_systick(void)
{
    milliseconds++;
}

void board_init(void)
{
    REG(UART0 + 16) = 16;
    REG(UART0 + 8) = 1;
    REG(SYSTICK + 4) = CLOCK_HZ / 1000 - 1;
    REG(SYSTICK + 8) = 0;
    REG(SYSTICK) = 7;
}

uint32_t board_now_ms(void)
{
    return milliseconds;
}

/* With -icount shift=0 one instruction takes one nanosecond of the emulator's time: 40 a count. */
uint32_t board_kilo(void)
{
    uint32_t ms, count;

    do {
        ms = milliseconds;
        count = REG(SYSTICK + 8);
    } while (ms != milliseconds);
    return ms * 1000 + (CLOCK_HZ / 1000 - 1 - count) * 40 / 1000;
}

void board_put(char c)
{
    while (REG(UART0 + 4) & 1) { /* full */
    }
    REG(UART0) = (uint8_t)c;
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

/* The records: a file beside the emulator, of the size of the flash it stands for. */

static int32_t file = -1;

int board_flash_init(void)
{
    static const char blank[64];

    file = semihost_open("records.img", SEMIHOST_UPDATE);
    if (file < 0 && (file = semihost_open("records.img", SEMIHOST_NEW)) >= 0) {
        for (uint32_t at = 0; at < FILE_BYTES; at += sizeof blank) {
            if (!semihost_write_at(file, at, blank, sizeof blank)) {
                return -1;
            }
        }
    }
    return file >= 0 ? 0 : -1;
}

static int file_read(void *ctx, uint32_t at, void *buf, size_t len)
{
    (void)ctx;
    return semihost_read_at(file, at, buf, len) ? 0 : -1;
}

static int file_erase(void *ctx, uint32_t sector)
{
    (void)ctx, (void)sector; /* a file is overwritten */
    return 0;
}

static int file_program(void *ctx, uint32_t at, const void *data, size_t len)
{
    (void)ctx;
    return semihost_write_at(file, at, data, len) ? 0 : -1;
}

const struct acme_flash_device board_flash = {NULL, SECTOR, PAIR, file_read, file_erase, file_program};
