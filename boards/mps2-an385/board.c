/* board.c - clock and UART, and records in a file, for this board has no memory that keeps. A clock of the day and a
 * generator of random numbers it has neither: boards/arm/standin.c. */
#include <string.h>

#include "board.h"
#include "semihost.h"
#include "systick.h"

#define REG(at) (*(volatile uint32_t *)(at))
#define UART0   0x40004000 /* data, state, control, interrupt, divider */
#define SECTOR  4096
#define SECTORS 16

const uint32_t board_clock_hz = 25000000;
const char board_name[] = "mps2-an385";
const char board_notice[] =
    "random numbers, the time of day and the records are the emulator's, for this board has none";

void board_init(void)
{
    REG(UART0 + 16) = 16;
    REG(UART0 + 8) = 1;
    systick_begin();
}

void board_put(char c)
{
    while (REG(UART0 + 4) & 1) { /* full */
    }
    REG(UART0) = (uint8_t)c;
}

/* The records: a file beside the emulator, of the size of the flash it stands for. */

static int32_t file = -1;

/* A file is overwritten, so what is erased is written, too. */
static int file_erase(void *ctx, uint32_t sector)
{
    uint8_t blank[64];

    (void)ctx;
    memset(blank, 0xff, sizeof blank);
    for (uint32_t at = 0; at < SECTOR; at += sizeof blank) {
        if (!semihost_write_at(file, sector * SECTOR + at, blank, sizeof blank)) {
            return -1;
        }
    }
    return 0;
}

int board_flash_init(void)
{
    file = semihost_open("records.img", SEMIHOST_UPDATE);
    if (file < 0 && (file = semihost_open("records.img", SEMIHOST_NEW)) >= 0) {
        for (uint32_t sector = 0; sector < SECTORS; sector++) {
            if (file_erase(NULL, sector) != 0) {
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

static int file_program(void *ctx, uint32_t at, const void *data, size_t len)
{
    (void)ctx;
    return semihost_write_at(file, at, data, len) ? 0 : -1;
}

const struct acme_flash_device board_flash = {.size = SECTORS * SECTOR,
                                              .sector_size = SECTOR,
                                              .prog_size = 1,
                                              .read = file_read,
                                              .program = file_program,
                                              .erase = file_erase};
