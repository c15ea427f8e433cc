/* board.c - clocks, UART, random numbers and NOR flash of QEMU's virt machine. */
#include <string.h>

#include "board.h"
#include "virtio.h"

#define REG8(at)     (*(volatile uint8_t *)(at))
#define REG(at)      (*(volatile uint32_t *)(at))
#define UART0        0x10000000
#define CLINT        0x02000000 /* compare at 0x4000, time at 0xbff8: 10 MHz */
#define RTC          0x00101000 /* goldfish: low, then high; nanoseconds */
#define FINISHER     0x00100000
#define NOR          0x22000000 /* two 16-bit chips side by side */
#define SECTOR       0x40000
#define SECTORS      4
#define TRIES        1000000
#define RANDOM_TICKS 50000000u /* 5 s */
#define BOTH(word)   ((uint32_t)(word) << 16 | (word))

const char board_name[] = "riscv32-virt";
const char board_notice[] = "random numbers: virtio; time of day: goldfish clock; records: NOR flash";

void board_init(void)
{
    __asm__ volatile("csrs mie, %0" : : "r"(1 << 7)); /* the timer ends a wfi; nothing is interrupted */
}

static uint64_t ticks(void)
{
    uint32_t high, low;

    do {
        high = REG(CLINT + 0xbffc);
        low = REG(CLINT + 0xbff8);
    } while (high != REG(CLINT + 0xbffc));
    return (uint64_t)high << 32 | low;
}

uint32_t board_now_ms(void)
{
    return (uint32_t)(ticks() / 10000);
}

uint32_t board_kilo(void)
{
    uint32_t high, low, again;

    do {
        __asm__ volatile("csrr %0, minstreth\n csrr %1, minstret\n csrr %2, minstreth"
                         : "=r"(high), "=r"(low), "=r"(again));
    } while (high != again);
    return (uint32_t)(((uint64_t)high << 32 | low) / 1000);
}

void board_put(char c)
{
    while (!(REG8(UART0 + 5) & 0x20)) { /* full */
    }
    REG8(UART0) = (uint8_t)c;
}

void board_wait(void)
{
    uint64_t until = ticks() + 10000;

    REG(CLINT + 0x4004) = UINT32_MAX;
    REG(CLINT + 0x4000) = (uint32_t)until;
    REG(CLINT + 0x4004) = (uint32_t)(until >> 32);
    __asm__ volatile("wfi");
}

int board_random(void *ctx, void *buf, size_t len)
{
    static struct virtq queue;
    static uint8_t bytes[64];
    uint8_t *to = buf;

    (void)ctx;
    if (queue.registers == 0) {
        uint32_t registers = virtio_find(VIRTIO_ENTROPY);
        if (registers == 0 || !virtio_agree(registers)) {
            return ACME_E_RANDOM;
        }
        virtio_queue(&queue, registers, 0);
        virtio_go(registers);
    }
    while (len > 0) {
        uint32_t want = len < sizeof bytes ? (uint32_t)len : sizeof bytes, got = 0;
        uint16_t slot;
        uint64_t until = ticks() + RANDOM_TICKS; /* a busy host takes its time */

        virtio_give(&queue, 0, bytes, want, true);
        while (!virtio_take(&queue, &slot, &got) && ticks() < until) {
        }
        if (got == 0 || got > want) {
            return ACME_E_RANDOM;
        }
        memcpy(to, bytes, got);
        to += got;
        len -= got;
    }
    memset(bytes, 0, sizeof bytes);
    return 0;
}

int board_utc(void *ctx, int64_t *utc)
{
    uint64_t low = REG(RTC), high = REG(RTC + 4); /* reading low holds high */

    (void)ctx;
    *utc = (int64_t)((high << 32 | low) / 1000000000u);
    return 1;
}

_Noreturn void board_exit(int status)
{
    REG(FINISHER) = status == 0 ? 0x5555 : (uint32_t)status << 16 | 0x3333;
    for (;;) {
    }
}

/* NOR flash: commands go to both chips at once. */

static volatile uint32_t *word_at(uint32_t at)
{
    return (volatile uint32_t *)(NOR + (at & ~3u));
}

/* Waits until both are ready, and looks whether they are content. */
static int settle(volatile uint32_t *word)
{
    int result = -1;

    for (unsigned i = 0; i < TRIES; i++) {
        uint32_t status = *word;
        if ((status & BOTH(0x80)) == BOTH(0x80)) {
            result = status & BOTH(0x3a) ? -1 : 0;
            break;
        }
    }
    *word = BOTH(0x50); /* clear what was wrong */
    *word = BOTH(0xff); /* back to reading */
    return result;
}

int board_flash_init(void)
{
    *word_at(0) = BOTH(0xff);
    return 0;
}

static int nor_read(void *ctx, uint32_t at, void *buf, size_t len)
{
    (void)ctx;
    memcpy(buf, (const void *)(NOR + at), len);
    return 0;
}

static int nor_erase(void *ctx, uint32_t sector)
{
    volatile uint32_t *word = word_at(sector * SECTOR);

    (void)ctx;
    *word = BOTH(0x20);
    *word = BOTH(0xd0);
    return settle(word);
}

static int nor_program(void *ctx, uint32_t at, const void *data, size_t len)
{
    const uint8_t *from = data;
    int result = 0;

    (void)ctx;
    for (size_t done = 0; done < len && result == 0; done += 4) {
        volatile uint32_t *word = word_at(at + (uint32_t)done);
        uint32_t value;

        memcpy(&value, from + done, 4);
        *word = BOTH(0x40);
        *word = value;
        result = settle(word);
    }
    return result;
}

const struct acme_flash_device board_flash = {.size = SECTORS * SECTOR,
                                              .sector_size = SECTOR,
                                              .prog_size = 4,
                                              .read = nor_read,
                                              .program = nor_program,
                                              .erase = nor_erase};
