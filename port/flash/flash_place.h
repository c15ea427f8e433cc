/* flash_place.h - places of a flash store, and writing into them; between the files of port/flash.
 *
 * Everything in a place begins at a multiple of ACME_FLASH_BLOCK: the header of the place, its second copy, then items:
 * a header and contents. A header is written behind what it is the header of. */
#ifndef ACME_FLASH_PLACE_H
#define ACME_FLASH_PLACE_H

#include "acme_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BLOCK ACME_FLASH_BLOCK
#define FIRST (2 * BLOCK) /* item of a place */

/* Kinds of header: an enum acme_record, or one of a place. */
#define KIND_LOG  16
#define KIND_PAIR 17

/* Sequence number of a place that was never finished; with it, for RAM only, when it was begun. */
#define UNFINISHED 0x80000000u

struct acme_flash_header {
    uint32_t kind;
    uint32_t sequence; /* of a place; 0 in items */
    uint32_t len, crc; /* of the contents; 0 for a place */
};

uint32_t acme_flash_word(const uint8_t *from);

/* Bytes that contents of `len` take. */
static inline uint32_t acme_flash_padded(uint32_t len)
{
    return (len + BLOCK - 1) / BLOCK * BLOCK;
}

static inline uint32_t acme_flash_base(const struct acme_flash_store *s, unsigned place)
{
    return place * s->place_size;
}

bool acme_flash_is_blank(const uint8_t *block);

/* Whether the block is a header. h->kind is told of a damaged one, too. */
bool acme_flash_header(const uint8_t *block, struct acme_flash_header *h);

/* Chooses a place that is in no use, and erases it. Returns 0, or ACME_E_STORE_WRITE. */
int acme_flash_begin(struct acme_flash_store *s, struct acme_flash_writer *w);

/* An item is begun, gets its contents in pieces, and is ended. What does not stay in this place is written in another,
 * with all that was written before, as long as there is one. Return 0, or ACME_E_STORE_WRITE. */
void acme_flash_item_begin(struct acme_flash_writer *w);
int acme_flash_item_add(struct acme_flash_store *s, struct acme_flash_writer *w, const void *data, size_t len);
int acme_flash_item_end(struct acme_flash_store *s, struct acme_flash_writer *w, uint32_t kind);

/* The place counts from here on. */
int acme_flash_finish(struct acme_flash_store *s, struct acme_flash_writer *w, uint32_t kind);

#ifdef __cplusplus
}
#endif

#endif
