/* sd.c - an SD card on SSI0 as memory for the records. Sectors of 4 KiB; a block of the card has 512 bytes and is
 * overwritten, so what is erased is written, too. The block used last is kept in RAM. */
#include <string.h>

#include "board.h"

#define REG(at)  (*(volatile uint32_t *)(at))
#define SSI      0x40008000
#define SSI_CR0  REG(SSI + 0x00)
#define SSI_CR1  REG(SSI + 0x04)
#define SSI_DR   REG(SSI + 0x08)
#define SSI_SR   REG(SSI + 0x0c)
#define SSI_CPSR REG(SSI + 0x10)
#define RCGC1    REG(0x400fe104)
#define RCGC2    REG(0x400fe108)
#define PORTA    0x40004000
#define PORTD    0x40007000
#define SELECT   REG(PORTD + (1 << 2)) /* pin 0 alone */

#define BLOCK   512
#define TRIES   20000
#define SECTOR  4096
#define SECTORS 16

static uint8_t block[BLOCK];
static uint32_t loaded = UINT32_MAX; /* where it comes from */

static uint8_t exchange(uint8_t byte)
{
    SSI_DR = byte;
    while (!(SSI_SR & 4)) { /* nothing has come in yet */
    }
    return (uint8_t)SSI_DR;
}

/* Sends a command and returns the first byte of its answer; 0xff: none. */
static uint8_t command(uint8_t number, uint32_t argument, uint8_t crc)
{
    uint8_t answer = 0xff;

    SELECT = 0;
    (void)exchange(0xff);
    (void)exchange(0x40 | number);
    for (int shift = 24; shift >= 0; shift -= 8) {
        (void)exchange((uint8_t)(argument >> shift));
    }
    (void)exchange(crc);
    for (int i = 0; i < 16 && (answer & 0x80); i++) {
        answer = exchange(0xff);
    }
    return answer;
}

static void release(void)
{
    SELECT = 1;
    (void)exchange(0xff);
}

static int await(uint8_t wanted)
{
    for (int i = 0; i < TRIES; i++) {
        if (exchange(0xff) == wanted) {
            return 0;
        }
    }
    return -1;
}

int board_flash_init(void)
{
    uint8_t answer = 0xff;

    RCGC1 |= 1 << 4;
    RCGC2 |= 1 << 0 | 1 << 3;
    REG(PORTA + 0x420) |= 0x34; /* PA2, PA4, PA5: clock, in, out */
    REG(PORTA + 0x51c) |= 0x3c;
    REG(PORTD + 0x400) |= 1;
    REG(PORTD + 0x51c) |= 1;
    SSI_CR1 = 0;
    SSI_CPSR = 2;
    SSI_CR0 = 7;
    SSI_CR1 = 2;
    SELECT = 1;
    for (int i = 0; i < 10; i++) {
        (void)exchange(0xff);
    }
    (void)command(0, 0, 0x95);
    release();
    (void)command(8, 0x1aa, 0x87);
    release();
    for (int i = 0; i < TRIES && answer != 0; i++) {
        (void)command(55, 0, 1);
        release();
        answer = command(41, 0x40000000, 1);
        release();
    }
    (void)command(16, BLOCK, 1);
    release();
    return answer == 0 ? 0 : -1;
}

/* A card of standard capacity: addresses are bytes. */
static int read_block(uint32_t at)
{
    int result;

    if (at == loaded) {
        return 0;
    }
    loaded = UINT32_MAX;
    result = command(17, at, 1) == 0 && await(0xfe) == 0 ? 0 : -1;
    for (int i = 0; i < BLOCK + 2 && result == 0; i++) {
        uint8_t byte = exchange(0xff);
        if (i < BLOCK) {
            block[i] = byte;
        }
    }
    release();
    loaded = result == 0 ? at : loaded;
    return result;
}

static int write_block(uint32_t at)
{
    int result = command(24, at, 1) == 0 ? 0 : -1;

    if (result == 0) {
        (void)exchange(0xff);
        (void)exchange(0xfe);
        for (int i = 0; i < BLOCK; i++) {
            (void)exchange(block[i]);
        }
        (void)exchange(0xff); /* no CRC is asked for in this mode */
        (void)exchange(0xff);
        result = (exchange(0xff) & 0x1f) == 5 && await(0xff) == 0 ? 0 : -1;
    }
    release();
    loaded = UINT32_MAX; /* what the store reads back comes from the card */
    return result;
}

static int sd_read(void *ctx, uint32_t at, void *buf, size_t len)
{
    uint8_t *to = buf;
    int result = 0;

    (void)ctx;
    while (len > 0 && result == 0) {
        uint32_t from = at % BLOCK, count = BLOCK - from < len ? BLOCK - from : (uint32_t)len;
        result = read_block(at - from);
        memcpy(to, block + from, count);
        at += count;
        to += count;
        len -= count;
    }
    return result;
}

static int sd_erase(void *ctx, uint32_t sector)
{
    int result = 0;

    (void)ctx;
    memset(block, 0xff, BLOCK);
    for (uint32_t at = 0; at < SECTOR && result == 0; at += BLOCK) {
        result = write_block(sector * SECTOR + at);
    }
    return result;
}

static int sd_program(void *ctx, uint32_t at, const void *data, size_t len)
{
    const uint8_t *from = data;
    int result = 0;

    (void)ctx;
    while (len > 0 && result == 0) {
        uint32_t to = at % BLOCK, count = BLOCK - to < len ? BLOCK - to : (uint32_t)len;
        result = read_block(at - to);
        memcpy(block + to, from, count);
        result = result != 0 ? result : write_block(at - to);
        at += count;
        from += count;
        len -= count;
    }
    return result;
}

const struct acme_flash_device board_flash = {.size = SECTORS * SECTOR,
                                              .sector_size = SECTOR,
                                              .prog_size = 1,
                                              .read = sd_read,
                                              .program = sd_program,
                                              .erase = sd_erase};
