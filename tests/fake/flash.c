#include "flash.h"

#include <string.h>

/* Counts a step. Returns true when it is carried out. */
static bool step(struct flash *f, bool *torn)
{
    *torn = false;
    if (f->off) {
        return false;
    }
    f->steps++;
    if (f->steps == f->cut_at) {
        f->off = true;
        *torn = f->how != FLASH_BEFORE;
        return false;
    }
    return f->steps != f->failing;
}

static int flash_read(void *ctx, uint32_t at, void *buf, size_t len)
{
    struct flash *f = ctx;
    if (f->off || f->unreadable || at > sizeof f->bytes || len > sizeof f->bytes - at) {
        return -1;
    }
    memcpy(buf, f->bytes + at, len);
    return 0;
}

static int flash_erase(void *ctx, uint32_t sector)
{
    struct flash *f = ctx;
    uint8_t *bytes = f->bytes + sector * FLASH_SECTOR;
    bool torn;

    if (sector >= FLASH_SECTORS) {
        return -1;
    }
    if (f->overwrites) {
        return f->off ? -1 : 0;
    }
    if (step(f, &torn)) {
        f->erases[sector]++;
        memset(bytes, 0xff, FLASH_SECTOR);
        return 0;
    }
    for (unsigned i = 0; torn && i < FLASH_SECTOR; i++) { /* from the front, or some bits of all */
        bytes[i] |= f->how == FLASH_TORN ? (i < FLASH_SECTOR / 2 ? 0xff : 0) : (uint8_t)(i * 37 + 11);
    }
    return -1;
}

static int flash_program(void *ctx, uint32_t at, const void *data, size_t len)
{
    struct flash *f = ctx;
    const uint8_t *from = data;

    if (at > sizeof f->bytes || len > sizeof f->bytes - at) {
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t *to = f->bytes + at + i;
        uint8_t mask = f->how == FLASH_TORN ? 0xf0 : 0x55;
        bool torn, whole = step(f, &torn);
        f->misused += whole && !f->overwrites && *to != 0xff;
        if (torn) {
            *to = f->overwrites ? (uint8_t)((*to & mask) | (from[i] & ~mask)) : (uint8_t)(*to & (from[i] | mask));
        }
        if (!whole) {
            return -1;
        }
        *to = f->overwrites ? from[i] : *to & from[i];
        *to &= at + i + 1 == f->worn ? 0xfe : 0xff;
    }
    return 0;
}

void flash_new(struct flash *f, bool overwrites, uint8_t blank)
{
    memset(f, 0, sizeof *f);
    memset(f->bytes, blank, sizeof f->bytes);
    f->overwrites = overwrites;
    f->device = (struct acme_flash_device){f, FLASH_SECTOR, FLASH_PAIR, flash_read, flash_erase, flash_program};
}

void flash_on(struct flash *f)
{
    f->off = false;
    f->steps = f->cut_at = f->failing = 0;
}
