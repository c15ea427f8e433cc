/* flash_store.c - see acme_flash.h. */
#include <string.h>

#include "flash_place.h"

#define PIECE         128         /* bytes moved at a time */
#define FORMER_LAYOUT 0x31656d61u /* first word of ACCOUNT_KEY's two sectors */

static bool is_pair(unsigned record)
{
    return record == ACME_RECORD_KEY || record == ACME_RECORD_CHAIN;
}

static bool is_cache(unsigned record)
{
    return record == ACME_RECORD_ACCOUNT || record == ACME_RECORD_ORDER;
}

static int read_block(const struct acme_flash_store *s, uint32_t at, uint8_t *block)
{
    return s->device->read(s->device->ctx, at, block, BLOCK);
}

/* Whether the contents are as they were written. */
static bool is_whole(const struct acme_flash_store *s, const struct acme_flash_item *item)
{
    uint8_t piece[BLOCK];
    uint32_t crc = 0;

    for (uint32_t done = 0; done < item->len; done += BLOCK) {
        uint32_t count = item->len - done < BLOCK ? item->len - done : BLOCK;
        if (s->device->read(s->device->ctx, item->at + BLOCK + done, piece, count) != 0) {
            return false;
        }
        crc = acme_flash_crc(crc, piece, count);
    }
    return crc == item->crc;
}

/* The next item at or behind *at, which is left behind it: its kind, or ACME_FLASH_KINDS when there is none before
 * `end`. *dirty is set when there was anything else that is not blank. */
static unsigned next_item(const struct acme_flash_store *s, uint32_t *at, uint32_t end, struct acme_flash_item *item,
                          bool *dirty)
{
    uint8_t block[BLOCK];
    struct acme_flash_header h;

    while (*at < end) {
        bool readable = read_block(s, *at, block) == 0;
        item->at = *at;
        *at += BLOCK;
        if (!readable || !acme_flash_header(block, &h)) {
            *dirty = *dirty || !readable || !acme_flash_is_blank(block);
        } else if (h.kind < ACME_FLASH_KINDS && h.len <= end - *at) {
            item->len = h.len;
            item->crc = h.crc;
            *at += acme_flash_padded(h.len);
            return h.kind;
        }
    }
    return ACME_FLASH_KINDS;
}

/* Finds a whole copy of a record that is known. */
static void settle(struct acme_flash_store *s, unsigned record)
{
    struct acme_flash_item *r = &s->record[record], item = *r;
    const unsigned place = is_pair(record) ? s->pair : s->log;
    uint32_t at = acme_flash_base(s, place), end = place < s->places ? at + s->place_size : at;
    bool dirty = false;

    while (!is_whole(s, &item)) {
        unsigned kind;
        do { /* the same version, not an older one */
            kind = next_item(s, &at, end, &item, &dirty);
        } while (kind < ACME_FLASH_KINDS && (kind != record || item.len != r->len || item.crc != r->crc));
        if (kind == ACME_FLASH_KINDS) {
            r->damaged = true;
            return;
        }
    }
    r->at = item.at;
    r->damaged = false;
}

/* Looks at all there is in a place. Returns where it ends, from its beginning; what is not whole goes on to the end. */
static uint32_t scan(struct acme_flash_store *s, unsigned place)
{
    const uint32_t base = acme_flash_base(s, place), end = base + s->place_size;
    uint32_t at = base, last = base + FIRST;
    struct acme_flash_item item;
    bool dirty = false;
    unsigned kind;

    for (; (kind = next_item(s, &at, end, &item, &dirty)) < ACME_FLASH_KINDS; last = at) {
        struct acme_flash_item *r = &s->record[kind];
        if (kind >= ACME_FLASH_RECORDS && place == s->pair) {
            continue; /* it goes with the pair */
        }
        item.damaged = !is_whole(s, &item); /* its header was written last, so this came afterwards */
        dirty = dirty || item.damaged;
        if (!item.damaged || item.len != r->len || item.crc != r->crc) {
            *r = item;
        }
    }
    /* The contents begun when the power went may read as blank: their first block is not used, nor that of their header. */
    last += 2 * BLOCK - base;
    return dirty || last > s->place_size ? s->place_size : last;
}

/* Writes an item: of `data`, or, when that is NULL, of what lies at from->at. A key that is damaged stays so: its copy
 * has the checksum it should have. */
static bool put_item(struct acme_flash_store *s, struct acme_flash_writer *w, unsigned record,
                     const struct acme_flash_item *from, const uint8_t *data)
{
    uint8_t piece[PIECE] = {0};
    bool good = BLOCK + acme_flash_padded(from->len) <= s->place_size - w->at;

    if (good) {
        acme_flash_item_begin(w);
    }
    for (uint32_t done = 0, count; good && done < from->len; done += count) {
        count = from->len - done < PIECE ? from->len - done : PIECE;
        good = (data != NULL || s->device->read(s->device->ctx, from->at + BLOCK + done, piece, count) == 0 ||
                from->damaged) &&
               acme_flash_item_add(s, w, data != NULL ? data + done : piece, count) == 0;
    }
    memset(piece, 0, sizeof piece);
    good = good && (w->crc == from->crc || from->damaged);
    w->crc = from->crc;
    return good && acme_flash_item_end(s, w, record) == 0;
}

/* Whether there is no room for an item of a kind that is not known here. Such go on in the first half of a place, and their second
 * copies in the next fourth: the rest is left for what is written here, which would be a new log each time. */
static bool is_too_much(const struct acme_flash_store *s, const struct acme_flash_writer *w, unsigned record,
                        uint32_t len, unsigned second)
{
    return record >= ACME_FLASH_RECORDS &&
           (len > ACME_WORK_MIN || w->at + BLOCK + len > s->place_size / 4 * (2 + second));
}

/* Makes a new log of the records, `made` in place of its old one. All of it is read before it counts. */
static int new_log(struct acme_flash_store *s, unsigned record, const struct acme_flash_item *made, const void *data)
{
    uint32_t at[ACME_FLASH_KINDS] = {0}; /* of their items, in the new place */
    struct acme_flash_writer w;

    if (acme_flash_begin(s, &w) != 0) {
        return ACME_E_STORE_WRITE;
    }
    for (unsigned n = 0; n < 2 * ACME_FLASH_KINDS; n++) { /* once, then once more as far as there is room */
        const unsigned i = n % ACME_FLASH_KINDS, second = n / ACME_FLASH_KINDS;
        const struct acme_flash_item *from = i == record ? made : &s->record[i];
        if (is_pair(i) || (second && i == ACME_RECORD_ORDER)) {
            continue;
        }
        if (!second) {
            settle(s, i);
        }
        if ((from->damaged ? is_cache(i) : from->len == 0) || is_too_much(s, &w, i, from->len, second) ||
            (second && at[i] == 0)) {
            continue;
        }
        if (put_item(s, &w, i, from, i == record ? data : NULL)) {
            at[i] = w.item;
        } else if (!second && i < ACME_FLASH_RECORDS) {
            return ACME_E_STORE_WRITE;
        }
    }
    if (acme_flash_finish(s, &w, KIND_LOG) != 0) {
        return ACME_E_STORE_WRITE;
    }
    s->log = w.place;
    s->log_end = w.at;
    s->record[record] = *made;
    for (unsigned i = 0; i < ACME_FLASH_KINDS; i++) {
        if (at[i] > 0) {
            s->record[i].at = acme_flash_base(s, w.place) + at[i];
        } else if (!is_pair(i)) {
            memset(&s->record[i], 0, sizeof s->record[i]);
        }
    }
    return 0;
}

static int flash_get(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    struct acme_flash_store *s = ctx;
    struct acme_flash_item *r = &s->record[record];

    if (r->len > 0 && cap > 0) {
        settle(s, record);
        if (!r->damaged && s->device->read(s->device->ctx, r->at + BLOCK, buf, cap < r->len ? cap : r->len) != 0) {
            return ACME_E_STORE_READ;
        }
    }
    return r->damaged ? ACME_E_STORE_READ : (int)r->len;
}

static int flash_put(void *ctx, enum acme_record record, const void *data, size_t len)
{
    struct acme_flash_store *s = ctx;
    struct acme_flash_item *r = &s->record[record];
    struct acme_flash_item made = {0, (uint32_t)len, acme_flash_crc(0, data, len), false};
    struct acme_flash_writer w = {.at = s->log_end, .place = s->log, .tried = UINT8_MAX};
    const bool once = len == 0 || record == ACME_RECORD_ORDER;

    if (is_pair(record) || len > ACME_WORK_MIN) {
        return ACME_E_STORE_WRITE;
    }
    if (len == 0 && r->len == 0 && !r->damaged) {
        return 0; /* not there: flash wears out */
    }
    s->log_end = s->place_size; /* until it is known that all went well */
    if ((once ? 1 : 2) * (BLOCK + acme_flash_padded(made.len)) > s->place_size - w.at ||
        !put_item(s, &w, record, &made, data)) {
        return new_log(s, record, &made, data);
    }
    made.at = acme_flash_base(s, s->log) + w.item;
    *r = made;
    if (once || put_item(s, &w, record, &made, data)) {
        s->log_end = w.at;
    }
    return 0;
}

static int flash_append(void *ctx, const void *data, size_t len)
{
    struct acme_flash_store *s = ctx;

    if (len == 0) {
        s->receiving = false;
        s->receiving = acme_flash_begin(s, &s->incoming) == 0;
        acme_flash_item_begin(&s->incoming);
    } else if (s->receiving) { /* a chain with a hole is none */
        s->receiving = acme_flash_item_add(s, &s->incoming, data, len) == 0;
    }
    return s->receiving ? 0 : ACME_E_STORE_WRITE;
}

/* Writes the key behind the chain, once more both as far as there is room, and the header. */
static bool finish_pair(struct acme_flash_store *s, struct acme_flash_item *chain, struct acme_flash_item *key)
{
    struct acme_flash_writer *w = &s->incoming;

    *chain = (struct acme_flash_item){w->item, w->len, w->crc, false};
    if (w->len == 0 || acme_flash_item_end(s, w, ACME_RECORD_CHAIN) != 0) {
        return false;
    }
    chain->at += acme_flash_base(s, w->place);
    for (unsigned n = 0; n < 2 && key->len > 0; n++) {
        if (put_item(s, w, ACME_RECORD_KEY, &s->record[ACME_RECORD_KEY_NEXT], NULL)) {
            key->at = w->item;
        } else if (n == 0) {
            return false;
        }
    }
    (void)put_item(s, w, ACME_RECORD_CHAIN, chain, NULL);
    if (acme_flash_finish(s, w, KIND_PAIR) != 0) {
        return false;
    }
    chain->at = FIRST + acme_flash_base(s, w->place);
    key->at += acme_flash_base(s, w->place);
    return true;
}

static int flash_commit(void *ctx)
{
    struct acme_flash_store *s = ctx;
    const struct acme_flash_item *used = &s->record[ACME_RECORD_KEY];
    struct acme_flash_item chain, key;
    bool good = s->receiving;

    settle(s, ACME_RECORD_KEY_NEXT);
    key = s->record[ACME_RECORD_KEY_NEXT];
    good = good && !key.damaged && (key.len > 0 || used->len == 0) && finish_pair(s, &chain, &key);
    s->receiving = false; /* nor is it taken up again when it failed */
    if (!good) {
        return ACME_E_STORE_WRITE;
    }
    s->pair = s->incoming.place;
    s->record[ACME_RECORD_CHAIN] = chain;
    s->record[ACME_RECORD_KEY] = key;
    /* Cut before these two, they describe the pair now in use: the next run gets the same certificate again. */
    if (flash_put(s, ACME_RECORD_ORDER, NULL, 0) == 0) {
        (void)flash_put(s, ACME_RECORD_KEY_NEXT, NULL, 0);
    }
    return 0;
}

/* Finds the log and the pair, and what is in them. */
static void find(struct acme_flash_store *s)
{
    unsigned unreadable = 0;
    bool was_log = false;

    s->log = s->pair = s->places;
    s->log_end = s->place_size;
    for (unsigned n = 0; n < 2U * s->places; n++) {
        const uint8_t p = (uint8_t)(n / 2);
        uint8_t block[BLOCK];
        struct acme_flash_header h;
        s->sequence[p] = n % 2 == 0 ? UNFINISHED : s->sequence[p];
        if (read_block(s, acme_flash_base(s, p) + n % 2 * BLOCK, block) != 0) {
            unreadable++;
        } else if (acme_flash_header(block, &h) && h.kind >= KIND_LOG) {
            uint8_t *newest = h.kind == KIND_LOG ? &s->log : &s->pair;
            s->sequence[p] = h.sequence;
            if (*newest == s->places || h.sequence > s->sequence[*newest]) {
                *newest = p;
            }
            if (h.sequence > s->latest) {
                s->latest = h.sequence;
            }
        } else if (n % 2 == 1 && h.kind == KIND_LOG) {
            was_log = true; /* the second copy is begun when the first is whole */
        }
    }
    if (s->pair < s->places) {
        (void)scan(s, s->pair);
    }
    if (s->log < s->places) {
        s->log_end = scan(s, s->log);
    } else if (was_log || s->pair < s->places || unreadable > 2) { /* a cut in the first erase of all leaves two */
        for (unsigned i = 0; i < ACME_FLASH_RECORDS; i++) {
            if (!is_cache(i) && !is_pair(i)) {
                s->record[i].crc = 1; /* there were keys, or may have been */
                s->record[i].damaged = true;
            }
        }
    }
}

int acme_flash_init(struct acme_flash_store *s, const struct acme_flash_device *device)
{
    const uint32_t sectors = device->sector_size > 0 ? device->size / device->sector_size : 0;
    uint8_t word[4];

    memset(s, 0, sizeof *s);
    s->store = (struct acme_store){s, flash_get, flash_put, flash_append, flash_commit};
    s->device = device;
    s->places = sectors < ACME_FLASH_PLACES ? 3 : ACME_FLASH_PLACES;
    s->place_size = sectors / s->places * device->sector_size;
    if (s->place_size < ACME_FLASH_PLACE_MIN || device->sector_size % BLOCK != 0 || device->prog_size == 0 ||
        BLOCK % device->prog_size != 0) {
        return ACME_E_WORK_SMALL;
    }
    find(s);
    for (uint32_t sector = 0; sector < 2 && s->log == s->places; sector++) {
        if (device->read(device->ctx, sector * device->sector_size, word, sizeof word) == 0 &&
            acme_flash_word(word) == FORMER_LAYOUT) {
            return ACME_E_STORE_READ;
        }
    }
    return 0;
}
