/* flash_place.c - see flash_place.h. */
#include <string.h>

#include "flash_place.h"

#define MAGIC 0x326d6500u /* 2: the layout; the lowest byte is the kind. No text has it. */

/* As it lies in memory, little-endian words; erased bytes behind them. */
enum { WORD_MAGIC, WORD_SEQUENCE, WORD_LEN, WORD_CRC, WORD_HEADER_CRC };

uint32_t acme_flash_crc(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;

    crc = ~crc;
    while (len-- > 0) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

static void put_word(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> 8 * i);
    }
}

uint32_t acme_flash_word(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

bool acme_flash_is_blank(const uint8_t *block)
{
    unsigned i = 0;

    while (i < BLOCK && block[i] == 0xff) {
        i++;
    }
    return i == BLOCK;
}

bool acme_flash_header(const uint8_t *block, struct acme_flash_header *h)
{
    h->kind = acme_flash_word(block) ^ MAGIC;
    h->sequence = acme_flash_word(block + 4 * WORD_SEQUENCE);
    h->len = acme_flash_word(block + 4 * WORD_LEN);
    h->crc = acme_flash_word(block + 4 * WORD_CRC);
    return h->kind <= KIND_PAIR &&
           acme_flash_word(block + 4 * WORD_HEADER_CRC) == acme_flash_crc(0, block, 4 * WORD_HEADER_CRC);
}

/* Programs whole blocks and reads them back: worn flash is found here, not after the next reset. */
static bool program(const struct acme_flash_store *s, uint32_t at, const uint8_t *data, uint32_t len)
{
    uint8_t stored[BLOCK];

    if (s->device->program(s->device->ctx, at, data, len) != 0) {
        return false;
    }
    for (uint32_t done = 0; done < len; done += BLOCK) {
        if (s->device->read(s->device->ctx, at + done, stored, BLOCK) != 0 ||
            memcmp(stored, data + done, BLOCK) != 0) {
            return false;
        }
    }
    return true;
}

static bool erase(const struct acme_flash_store *s, unsigned place)
{
    uint32_t count = s->place_size / s->device->sector_size;

    for (uint32_t i = 0; i < count; i++) {
        if (s->device->erase(s->device->ctx, place * count + i) != 0) {
            return false;
        }
    }
    return true;
}

/* Chooses a place that has not been tried, the one that rests longest. One in which something was begun and never finished
 * is the last choice: it may be worn. */
static bool next_place(struct acme_flash_store *s, struct acme_flash_writer *w)
{
    for (;;) {
        unsigned best = s->places;
        for (unsigned p = 0; p < s->places; p++) {
            bool used = p == s->log || p == s->pair || (s->receiving && p == s->incoming.place) || w->tried >> p & 1;
            if (!used && (best == s->places || s->sequence[p] < s->sequence[best])) {
                best = p;
            }
        }
        if (best == s->places) {
            if (!s->receiving || w == &s->incoming || w->tried == UINT8_MAX) {
                return false;
            }
            s->receiving = false; /* a record matters more than a chain that can be had again */
            continue;
        }
        s->sequence[best] = UNFINISHED | ++s->latest;
        w->tried |= (uint8_t)(1u << best);
        w->place = (uint8_t)best;
        if (erase(s, best)) {
            return true;
        }
    }
}

/* Copies what a place holds, but for one block; a header that is still to come is no part of it. */
static bool copy(const struct acme_flash_store *s, uint32_t from, uint32_t to, uint32_t len, uint32_t but)
{
    uint8_t block[BLOCK];

    for (uint32_t at = FIRST; at < len; at += BLOCK) {
        if (at == but) {
            continue;
        }
        if (s->device->read(s->device->ctx, from + at, block, BLOCK) != 0 ||
            (!acme_flash_is_blank(block) && !program(s, to + at, block, BLOCK))) {
            return false;
        }
    }
    return true;
}

/* Writes into the place, or, when that does not stay, into the next one. */
static int put(struct acme_flash_store *s, struct acme_flash_writer *w, uint32_t at, const uint8_t *data,
               uint32_t len)
{
    uint32_t from = acme_flash_base(s, w->place);

    if (len > s->place_size - at) {
        return ACME_E_STORE_WRITE;
    }
    while (!program(s, acme_flash_base(s, w->place) + at, data, len)) {
        do {
            if (!next_place(s, w)) {
                return ACME_E_STORE_WRITE;
            }
        } while (!copy(s, from, acme_flash_base(s, w->place), w->at, at));
        from = acme_flash_base(s, w->place);
    }
    return 0;
}

static int put_header(struct acme_flash_store *s, struct acme_flash_writer *w, uint32_t at,
                      const struct acme_flash_header *h)
{
    memset(w->block, 0xff, BLOCK);
    put_word(w->block, h->kind ^ MAGIC);
    put_word(w->block + 4 * WORD_SEQUENCE, h->sequence);
    put_word(w->block + 4 * WORD_LEN, h->len);
    put_word(w->block + 4 * WORD_CRC, h->crc);
    put_word(w->block + 4 * WORD_HEADER_CRC, acme_flash_crc(0, w->block, 4 * WORD_HEADER_CRC));
    return put(s, w, at, w->block, BLOCK);
}

int acme_flash_begin(struct acme_flash_store *s, struct acme_flash_writer *w)
{
    w->at = FIRST;
    w->tried = 0;
    return next_place(s, w) ? 0 : ACME_E_STORE_WRITE;
}

void acme_flash_item_begin(struct acme_flash_writer *w)
{
    w->item = w->at;
    w->at += BLOCK;
    w->len = w->crc = 0;
    w->fill = 0;
}

int acme_flash_item_add(struct acme_flash_store *s, struct acme_flash_writer *w, const void *data, size_t len)
{
    const uint8_t *from = data;

    w->crc = acme_flash_crc(w->crc, data, len);
    w->len += (uint32_t)len;
    while (len > 0) {
        const bool whole = w->fill == 0 && len >= BLOCK;
        uint32_t count = whole ? (uint32_t)len / BLOCK * BLOCK : BLOCK - (uint32_t)w->fill;
        if (count > len) {
            count = (uint32_t)len;
        }
        if (!whole) {
            memcpy(w->block + w->fill, from, count);
            w->fill = (uint8_t)(w->fill + count);
        }
        if (whole || w->fill == BLOCK) {
            uint32_t bytes = whole ? count : BLOCK;
            if (put(s, w, w->at, whole ? from : w->block, bytes) != 0) {
                return ACME_E_STORE_WRITE;
            }
            w->at += bytes;
            w->fill = 0;
        }
        from += count;
        len -= count;
    }
    return 0;
}

int acme_flash_item_end(struct acme_flash_store *s, struct acme_flash_writer *w, uint32_t kind)
{
    const struct acme_flash_header h = {.kind = kind, .len = w->len, .crc = w->crc};

    if (w->fill > 0) {
        memset(w->block + w->fill, 0xff, (size_t)(BLOCK - w->fill));
        if (put(s, w, w->at, w->block, BLOCK) != 0) {
            return ACME_E_STORE_WRITE;
        }
        w->at += BLOCK;
    }
    return put_header(s, w, w->item, &h);
}

int acme_flash_finish(struct acme_flash_store *s, struct acme_flash_writer *w, uint32_t kind)
{
    const struct acme_flash_header h = {.kind = kind, .sequence = ++s->latest};

    if (put_header(s, w, 0, &h) != 0) {
        return ACME_E_STORE_WRITE;
    }
    s->sequence[w->place] = h.sequence;
    w->tried = UINT8_MAX;
    (void)put_header(s, w, BLOCK, &h); /* against a bit that fades: it counts without it */
    return 0;
}
