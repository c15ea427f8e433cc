/* flash_store.c - see acme_flash.h. */
#include <string.h>

#include "acme_flash.h"

#define HEADER ACME_FLASH_HEADER
#define COPY   (HEADER / 2)             /* where the second copy of a header is */
#define PAIR   4                        /* index of the pair                    */
#define LAST   (PAIR + ACME_CFG_MANAGE) /* behind the pair, so that this moves nothing: the account's next key */
#define MAGIC  0x31656d61u
#define PIECE  64 /* bytes moved at a time */

/* As it lies in memory, little-endian words: magic, sequence, key_len, len, crc of the contents, crc of the words before. */
enum { WORD_MAGIC, WORD_SEQUENCE, WORD_KEY_LEN, WORD_LEN, WORD_CRC, WORD_HEADER_CRC, WORDS };

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

static uint32_t get_word(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint32_t first_sector(const struct acme_flash_store *s, unsigned record, unsigned place)
{
    if (ACME_CFG_MANAGE && record > PAIR) {
        return 8 + 2 * s->device->pair_sectors + place;
    }
    return record == PAIR ? 8 + place * s->device->pair_sectors : 2 * record + place;
}

static uint32_t start(const struct acme_flash_store *s, unsigned record, unsigned place)
{
    return first_sector(s, record, place) * s->device->sector_size;
}

/* Bytes for the contents of one place. */
static uint32_t room(const struct acme_flash_store *s, unsigned record)
{
    return (record == PAIR ? s->device->pair_sectors : 1) * s->device->sector_size - HEADER;
}

/* Continues *crc over stored bytes. */
static int check(const struct acme_flash_store *s, uint32_t at, uint32_t len, uint32_t *crc)
{
    uint8_t piece[PIECE];

    while (len > 0) {
        uint32_t count = len < PIECE ? len : PIECE;
        if (s->device->read(s->device->ctx, at, piece, count) != 0) {
            return ACME_E_STORE_READ;
        }
        *crc = acme_flash_crc(*crc, piece, count);
        at += count;
        len -= count;
    }
    return 0;
}

/* Whether the words are a header that such a record can have. */
static bool is_header(const struct acme_flash_store *s, unsigned record, const uint8_t *h)
{
    return get_word(h) == MAGIC && get_word(h + 4 * WORD_HEADER_CRC) == acme_flash_crc(0, h, 4 * WORD_HEADER_CRC) &&
           get_word(h + 4 * WORD_KEY_LEN) <= room(s, record) &&
           get_word(h + 4 * WORD_LEN) <= room(s, record) - get_word(h + 4 * WORD_KEY_LEN);
}

/* Reads the contents of a record again. Work: that of the device, and of a CRC. */
static int verify(const struct acme_flash_store *s, unsigned record)
{
    const struct acme_flash_place *r = &s->record[record];
    uint32_t crc = 0;

    if (r->damaged || check(s, start(s, record, r->place) + HEADER, r->key_len + r->len, &crc) != 0 ||
        crc != r->crc) {
        return ACME_E_STORE_READ;
    }
    return 0;
}

/* Looks at one place: is there a record, is it whole? */
static int look(struct acme_flash_store *s, unsigned record, unsigned place)
{
    struct acme_flash_place *r = &s->record[record];
    uint8_t h[4 * WORDS];
    uint32_t crc = 0;

    r->place = (uint8_t)place;
    for (uint32_t copy = 0; copy <= COPY; copy += COPY) {
        if (s->device->read(s->device->ctx, start(s, record, place) + copy, h, sizeof h) != 0) {
            return ACME_E_STORE_READ;
        }
        if (is_header(s, record, h)) {
            r->sequence = get_word(h + 4 * WORD_SEQUENCE);
            r->key_len = get_word(h + 4 * WORD_KEY_LEN);
            r->len = get_word(h + 4 * WORD_LEN);
            r->crc = get_word(h + 4 * WORD_CRC);
            if (check(s, start(s, record, place) + HEADER, r->key_len + r->len, &crc) != 0) {
                return ACME_E_STORE_READ;
            }
            r->damaged = crc != r->crc; /* a header is written last, so this came afterwards */
            return 0;
        }
    }
    r->damaged = get_word(h) == MAGIC; /* so did this: the second copy is begun when the first is whole */
    return 0;
}

static unsigned worth(const struct acme_flash_place *r)
{
    return r->damaged ? 1 : r->sequence > 0 ? 2 : 0;
}

/* Finds the place that counts. */
static int find(struct acme_flash_store *s, unsigned record)
{
    static const struct acme_flash_place none = {.place = 1}; /* the first write goes to place 0 */
    struct acme_flash_place best = none;

    for (unsigned place = 0; place < 2; place++) {
        struct acme_flash_place *r = &s->record[record];
        *r = none;
        if (look(s, record, place) != 0) {
            return ACME_E_STORE_READ;
        }
        if (worth(r) > worth(&best) || (worth(r) == worth(&best) && r->sequence > best.sequence)) {
            best = *r;
        }
    }
    s->record[record] = best;
    return 0;
}

/* Writes a header and reads it back. */
static int put_header(const struct acme_flash_store *s, uint32_t at, const uint8_t *h)
{
    uint32_t stored = 0;

    if (s->device->program(s->device->ctx, at, h, 4 * WORDS) != 0 || check(s, at, 4 * WORDS, &stored) != 0 ||
        stored != acme_flash_crc(0, h, 4 * WORDS)) {
        return ACME_E_STORE_WRITE;
    }
    return 0;
}

/* Makes the contents of the place that does not count the record. Its bytes are there already. */
static int finish(struct acme_flash_store *s, unsigned record, uint32_t key_len, uint32_t len, uint32_t crc)
{
    const struct acme_flash_place *old = &s->record[record];
    const struct acme_flash_place made = {old->sequence + 1, key_len, len, crc, (uint8_t)(old->place ^ 1u), false};
    uint32_t at = start(s, record, made.place), stored = 0;
    uint8_t h[4 * WORDS];

    put_word(h + 4 * WORD_MAGIC, MAGIC);
    put_word(h + 4 * WORD_SEQUENCE, made.sequence);
    put_word(h + 4 * WORD_KEY_LEN, key_len);
    put_word(h + 4 * WORD_LEN, len);
    put_word(h + 4 * WORD_CRC, crc);
    put_word(h + 4 * WORD_HEADER_CRC, acme_flash_crc(0, h, 4 * WORD_HEADER_CRC));
    /* What was programmed is read again before it counts: worn flash is found here, not after the next reset. */
    if (check(s, at + HEADER, key_len + len, &stored) != 0 || stored != crc || put_header(s, at, h) != 0) {
        return ACME_E_STORE_WRITE;
    }
    s->record[record] = made;
    (void)put_header(s, at + COPY, h); /* against a bit that fades: it counts without it */
    return 0;
}

static int erase(struct acme_flash_store *s, unsigned record)
{
    uint32_t sector = first_sector(s, record, s->record[record].place ^ 1u);
    uint32_t count = record == PAIR ? s->device->pair_sectors : 1;

    for (uint32_t i = 0; i < count; i++) {
        if (s->device->erase(s->device->ctx, sector + i) != 0) {
            return ACME_E_STORE_WRITE;
        }
    }
    return 0;
}

static unsigned index_of(enum acme_record record)
{
    switch (record) {
    case ACME_RECORD_ACCOUNT_KEY:
        return 0;
    case ACME_RECORD_ACCOUNT:
        return 1;
    case ACME_RECORD_ORDER:
        return 2;
    case ACME_RECORD_KEY_NEXT:
        return 3;
#if ACME_CFG_MANAGE
    case ACME_RECORD_ACCOUNT_KEY_NEXT:
        return LAST;
#endif
    case ACME_RECORD_KEY:
    case ACME_RECORD_CHAIN:
        break;
    }
    return PAIR;
}

static int flash_get(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    const struct acme_flash_store *s = ctx;
    const unsigned i = index_of(record);
    const struct acme_flash_place *r = &s->record[i];
    const bool key = record == ACME_RECORD_KEY;
    uint32_t len = key ? r->key_len : r->len;
    uint32_t at = start(s, i, r->place) + HEADER + (key ? r->len : 0);

    if (verify(s, i) != 0) {
        return ACME_E_STORE_READ;
    }
    if (len > 0 && cap > 0 && s->device->read(s->device->ctx, at, buf, cap < len ? cap : len) != 0) {
        return ACME_E_STORE_READ;
    }
    return (int)len;
}

static int flash_put(void *ctx, enum acme_record record, const void *data, size_t len)
{
    struct acme_flash_store *s = ctx;
    const unsigned i = index_of(record);

    if (i == PAIR || len > room(s, i)) {
        return ACME_E_STORE_WRITE;
    }
    if (len == 0 && s->record[i].len == 0 && !s->record[i].damaged) {
        return 0; /* not there: flash wears out */
    }
    if (erase(s, i) != 0 ||
        (len > 0 &&
         s->device->program(s->device->ctx, start(s, i, s->record[i].place ^ 1u) + HEADER, data, len) != 0)) {
        return ACME_E_STORE_WRITE;
    }
    return finish(s, i, 0, (uint32_t)len, acme_flash_crc(0, data, len));
}

static int flash_append(void *ctx, const void *data, size_t len)
{
    struct acme_flash_store *s = ctx;
    uint32_t at = start(s, PAIR, s->record[PAIR].place ^ 1u) + HEADER;

    if (len == 0) {
        s->chain_len = s->chain_crc = 0;
        s->receiving = erase(s, PAIR) == 0;
        return s->receiving ? 0 : ACME_E_STORE_WRITE;
    }
    if (!s->receiving || len > room(s, PAIR) - s->chain_len ||
        s->device->program(s->device->ctx, at + s->chain_len, data, len) != 0) {
        s->receiving = false; /* a chain with a hole is none */
        return ACME_E_STORE_WRITE;
    }
    s->chain_crc = acme_flash_crc(s->chain_crc, data, len);
    s->chain_len += (uint32_t)len;
    return 0;
}

/* Copies KEY_NEXT behind the chain: it comes last. */
static int copy_key(struct acme_flash_store *s, uint32_t *crc)
{
    const unsigned next = index_of(ACME_RECORD_KEY_NEXT);
    const struct acme_flash_place *key = &s->record[next];
    uint32_t from = start(s, next, key->place) + HEADER;
    uint32_t to = start(s, PAIR, s->record[PAIR].place ^ 1u) + HEADER + s->chain_len;
    uint8_t piece[PIECE];
    int result = 0;

    for (uint32_t done = 0; done < key->len && result == 0; done += PIECE) {
        uint32_t count = key->len - done < PIECE ? key->len - done : PIECE;
        result = s->device->read(s->device->ctx, from + done, piece, count);
        if (result == 0) {
            result = s->device->program(s->device->ctx, to + done, piece, count);
            *crc = acme_flash_crc(*crc, piece, count);
        }
    }
    memset(piece, 0, sizeof piece);
    return result != 0 ? ACME_E_STORE_WRITE : 0;
}

static int flash_commit(void *ctx)
{
    struct acme_flash_store *s = ctx;
    const struct acme_flash_place *key = &s->record[index_of(ACME_RECORD_KEY_NEXT)];
    uint32_t crc = s->chain_crc;

    if (!s->receiving || verify(s, index_of(ACME_RECORD_KEY_NEXT)) != 0 || s->chain_len == 0 ||
        key->len > room(s, PAIR) - s->chain_len || (key->len == 0 && s->record[PAIR].key_len > 0) ||
        copy_key(s, &crc) != 0 || finish(s, PAIR, key->len, s->chain_len, crc) != 0) {
        s->receiving = false; /* what is behind the chain cannot be written twice */
        return ACME_E_STORE_WRITE;
    }
    s->receiving = false;
    /* Cut before these two, they describe the pair now in use: the next run gets the same certificate again. */
    if (flash_put(s, ACME_RECORD_ORDER, NULL, 0) == 0) {
        (void)flash_put(s, ACME_RECORD_KEY_NEXT, NULL, 0);
    }
    return 0;
}

int acme_flash_init_sized(struct acme_flash_store *s, size_t size, const struct acme_flash_device *device)
{
    static const struct acme_flash_store none = {.store = {NULL, flash_get, flash_put, flash_append, flash_commit}};

    if (size != sizeof *s) {
        return ACME_E_SIZE;
    }
    *s = none;
    s->store.ctx = s;
    s->device = device;
    if (device->sector_size < ACME_WORK_MIN + HEADER || device->pair_sectors < 1) {
        return ACME_E_WORK_SMALL;
    }
    for (unsigned record = 0; record <= LAST; record++) {
        if (find(s, record) != 0) {
            return ACME_E_STORE_READ;
        }
    }
    return 0;
}
