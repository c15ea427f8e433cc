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

static bool outside(const struct flash *f, uint32_t at, size_t len)
{
    return at > f->device.size || len > f->device.size - at;
}

static enum flash_wear wear_at(const struct flash *f, uint32_t at)
{
    return at / f->device.sector_size + 1 == f->sector_worn ? f->wear : FLASH_GOOD;
}

static int flash_read(void *ctx, uint32_t at, void *buf, size_t len)
{
    struct flash *f = ctx;
    if (f->off || f->unreadable || outside(f, at, len) || memchr(f->broken + at, true, len) != NULL) {
        return -1;
    }
    memcpy(buf, f->bytes + at, len);
    return 0;
}

static int flash_erase(void *ctx, uint32_t sector)
{
    struct flash *f = ctx;
    const uint32_t size = f->device.sector_size, at = sector * size;
    uint8_t *bytes = f->bytes + at;
    bool torn;

    if (outside(f, at, size)) {
        f->misused++;
        return -1;
    }
    bool whole = step(f, &torn);
    f->erases[sector] += whole || torn;
    if (whole && wear_at(f, at) == FLASH_NO_ERASE) {
        return -1;
    }
    if (whole) {
        memset(bytes, 0xff, size);
        memset(f->programmed + at, false, size);
        memset(f->broken + at, false, size);
        return 0;
    }
    for (unsigned i = 0; torn && i < size; i++) { /* from the front, or some bits of all, or all but not for long */
        bytes[i] |= f->how == FLASH_TORN     ? (i < size / 2 ? 0xff : 0)
                    : f->how == FLASH_UNSEEN ? 0xff
                                             : (uint8_t)(i * 37 + 11);
        f->programmed[at + i] = !f->overwrites;
        f->broken[at + i] = f->ecc && f->how == FLASH_TORN_OTHERWISE;
    }
    return -1;
}

static bool program_unit(struct flash *f, uint32_t at, const uint8_t *from, uint32_t unit)
{
    const uint8_t mask = f->how == FLASH_TORN ? 0xf0 : 0x55;
    bool torn, whole = step(f, &torn);

    if (!whole && !torn) {
        return false;
    }
    if (!f->overwrites && memchr(f->programmed + at, true, unit) != NULL) {
        f->misused++;
        return false;
    }
    memset(f->programmed + at, !f->overwrites, unit);
    if (wear_at(f, at) == FLASH_NO_PROGRAM || wear_at(f, at) == FLASH_SILENT) {
        return wear_at(f, at) == FLASH_SILENT;
    }
    for (uint32_t i = 0; i < unit && (whole || f->how != FLASH_UNSEEN); i++) {
        uint8_t *to = f->bytes + at + i;
        const uint8_t becomes = f->overwrites ? from[i] : *to & from[i];
        *to = whole ? becomes : (uint8_t)((becomes & ~mask) | (*to & mask)); /* torn: some bits of it have changed */
        if (at + i + 1 == f->worn && (*to & 1) != 0) {
            *to &= 0xfe;
            memset(f->broken + at, f->ecc, unit);
        }
    }
    if (torn && f->ecc) {
        memset(f->broken + at, true, unit);
    } else if (f->overwrites) {
        memset(f->broken + at, false, unit);
    }
    return whole;
}

static int flash_program(void *ctx, uint32_t at, const void *data, size_t len)
{
    struct flash *f = ctx;
    const uint32_t unit = f->device.prog_size;

    if (outside(f, at, len) || at % unit != 0 || len % unit != 0) {
        f->misused++;
        return -1;
    }
    for (size_t done = 0; done < len; done += unit) {
        if (!program_unit(f, at + (uint32_t)done, (const uint8_t *)data + done, unit)) {
            return -1;
        }
    }
    return 0;
}

void flash_new(struct flash *f, bool overwrites, uint8_t blank)
{
    memset(f, 0, sizeof *f);
    memset(f->bytes, blank, sizeof f->bytes);
    memset(f->programmed, !overwrites && blank != 0xff, sizeof f->programmed);
    f->overwrites = overwrites;
    f->device = (struct acme_flash_device){.ctx = f,
                                           .size = FLASH_BYTES,
                                           .sector_size = FLASH_SECTOR,
                                           .prog_size = 1,
                                           .read = flash_read,
                                           .program = flash_program,
                                           .erase = flash_erase};
}

void flash_on(struct flash *f)
{
    f->off = false;
    f->steps = f->cut_at = f->failing = 0;
}

void flash_flip(struct flash *f, uint32_t at, unsigned bit)
{
    const uint32_t unit = f->device.prog_size;
    f->bytes[at] ^= (uint8_t)(1u << bit);
    memset(f->broken + at / unit * unit, f->ecc, unit);
}
