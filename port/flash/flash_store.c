/* flash_store.c - see acme_flash.h. */
#include <string.h>

#include "flash_place.h"

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

/* The next item at or behind *at, which is left behind it: its kind, or ACME_FLASH_RECORDS when there is none before
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
        if (readable && acme_flash_header(block, &h) && h.kind < ACME_FLASH_RECORDS && h.len <= end - *at) {
            item->len = h.len;
            item->crc = h.crc;
            *at += acme_flash_padded(h.len);
            return h.kind;
        }
        *dirty = *dirty || !readable || !acme_flash_is_blank(block);
    }
    return ACME_FLASH_RECORDS;
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
        } while (kind < ACME_FLASH_RECORDS && (kind != record || item.len != r->len || item.crc != r->crc));
        if (kind == ACME_FLASH_RECORDS) {
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
    uint32_t at = base + FIRST, last = at;
    struct acme_flash_item item;
    bool dirty = false;
    unsigned kind;

    for (; (kind = next_item(s, &at, end, &item, &dirty)) < ACME_FLASH_RECORDS; last = at) {
        struct acme_flash_item *r = &s->record[kind];
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

static bool put_item(struct acme_flash_store *s, struct acme_flash_writer *w, unsigned record, const void *data,
                     uint32_t len)
{
    if (!acme_flash_fits(s, w, len)) {
        return false;
    }
    acme_flash_item_begin(w);
    return acme_flash_item_add(s, w, data, len) == 0 && acme_flash_item_end(s, w, record) == 0;
}

/* A key that is damaged stays so: its copy has the checksum it should have. */
static bool copy_item(struct acme_flash_store *s, struct acme_flash_writer *w, unsigned record,
                      const struct acme_flash_item *from)
{
    uint8_t piece[BLOCK] = {0};
    bool good = acme_flash_fits(s, w, from->len);

    if (good) {
        acme_flash_item_begin(w);
    }
    for (uint32_t done = 0; done < from->len && good; done += BLOCK) {
        uint32_t count = from->len - done < BLOCK ? from->len - done : BLOCK;
        good = (s->device->read(s->device->ctx, from->at + BLOCK + done, piece, count) == 0 || from->damaged) &&
               acme_flash_item_add(s, w, piece, count) == 0;
    }
    memset(piece, 0, sizeof piece);
    good = good && (w->crc == from->crc || from->damaged);
    w->crc = from->crc;
    return good && acme_flash_item_end(s, w, record) == 0;
}

/* Makes a new log of the records, with this one in place of the old. All of it is read before it counts. */
static int new_log(struct acme_flash_store *s, unsigned record, const void *data, uint32_t len)
{
    struct acme_flash_item made[ACME_FLASH_RECORDS] = {{0, 0, 0, false}};
    struct acme_flash_writer w;

    if (acme_flash_begin(s, &w) != 0) {
        return ACME_E_STORE_WRITE;
    }
    for (unsigned n = 0; n < 2 * ACME_FLASH_RECORDS; n++) {
        const unsigned i = n % ACME_FLASH_RECORDS, second = n / ACME_FLASH_RECORDS;
        const struct acme_flash_item *old = &s->record[i];
        bool good;
        if (!second && i != record && !is_pair(i)) {
            settle(s, i);
        }
        if (is_pair(i) || (second && i == ACME_RECORD_ORDER) ||
            (i == record    ? len == 0
             : old->damaged ? is_cache(i)
                            : old->len == 0)) {
            continue;
        }
        good = i == record ? put_item(s, &w, i, data, len) : copy_item(s, &w, i, old);
        if (!good && !second) {
            return ACME_E_STORE_WRITE;
        }
        if (!good) {
            break; /* it does without */
        }
        made[i] = (struct acme_flash_item){w.item, w.len, w.crc, i != record && old->damaged};
    }
    if (acme_flash_finish(s, &w, KIND_LOG) != 0) {
        return ACME_E_STORE_WRITE;
    }
    s->log = w.place;
    s->log_end = w.at;
    for (unsigned i = 0; i < ACME_FLASH_RECORDS; i++) {
        if (!is_pair(i)) {
            made[i].at += acme_flash_base(s, w.place);
            s->record[i] = made[i];
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
    struct acme_flash_writer w = {.at = s->log_end, .place = s->log, .tried = UINT8_MAX};
    const uint32_t count = (uint32_t)len, copies = len == 0 || record == ACME_RECORD_ORDER ? 1 : 2;

    if (is_pair(record) || len > ACME_WORK_MIN) {
        return ACME_E_STORE_WRITE;
    }
    if (len == 0 && r->len == 0 && !r->damaged) {
        return 0; /* not there: flash wears out */
    }
    s->log_end = s->place_size; /* until it is known that all went well */
    if (copies * (BLOCK + acme_flash_padded(count)) > s->place_size - w.at || !put_item(s, &w, record, data, count)) {
        return new_log(s, record, data, count);
    }
    *r = (struct acme_flash_item){acme_flash_base(s, s->log) + w.item, w.len, w.crc, false};
    if (copies == 1 || put_item(s, &w, record, data, count)) {
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
    const struct acme_flash_item *next = &s->record[ACME_RECORD_KEY_NEXT];

    if (w->len == 0 || acme_flash_item_end(s, w, ACME_RECORD_CHAIN) != 0) {
        return false;
    }
    *chain = (struct acme_flash_item){w->item, w->len, w->crc, false};
    *key = (struct acme_flash_item){0, 0, 0, false};
    if (next->len > 0) {
        if (!copy_item(s, w, ACME_RECORD_KEY, next)) {
            return false;
        }
        *key = (struct acme_flash_item){w->item, w->len, w->crc, false};
        (void)copy_item(s, w, ACME_RECORD_KEY, next);
    }
    chain->at += acme_flash_base(s, w->place);
    (void)copy_item(s, w, ACME_RECORD_CHAIN, chain);
    chain->at = FIRST;
    return acme_flash_finish(s, w, KIND_PAIR) == 0;
}

static int flash_commit(void *ctx)
{
    struct acme_flash_store *s = ctx;
    const struct acme_flash_item *next = &s->record[ACME_RECORD_KEY_NEXT], *used = &s->record[ACME_RECORD_KEY];
    struct acme_flash_item chain, key;
    bool good = s->receiving;

    settle(s, ACME_RECORD_KEY_NEXT);
    good = good && !next->damaged && (next->len > 0 || (used->len == 0 && !used->damaged)) &&
           finish_pair(s, &chain, &key);
    s->receiving = false; /* nor is it taken up again when it failed */
    if (!good) {
        return ACME_E_STORE_WRITE;
    }
    s->pair = s->incoming.place;
    chain.at += acme_flash_base(s, s->pair);
    key.at += acme_flash_base(s, s->pair);
    s->record[ACME_RECORD_CHAIN] = chain;
    s->record[ACME_RECORD_KEY] = key;
    /* Cut before these two, they describe the pair now in use: the next run gets the same certificate again. */
    if (flash_put(s, ACME_RECORD_ORDER, NULL, 0) == 0) {
        (void)flash_put(s, ACME_RECORD_KEY_NEXT, NULL, 0);
    }
    return 0;
}

/* Looks at the header of a place. Returns how many of its copies are good, or -1 when neither can be read. */
static int look(struct acme_flash_store *s, unsigned place, struct acme_flash_header *h, bool *was_log)
{
    uint8_t block[BLOCK];
    int good = 0, unreadable = 0;

    for (uint32_t at = 0; at < FIRST; at += BLOCK) {
        struct acme_flash_header copy;
        if (read_block(s, acme_flash_base(s, place) + at, block) != 0) {
            unreadable++;
        } else if (acme_flash_header(block, &copy) && copy.kind >= KIND_LOG) {
            good++;
            *h = copy;
        } else if (at > 0 && copy.kind == KIND_LOG) {
            *was_log = true; /* the second copy is begun when the first is whole */
        }
    }
    return unreadable == 2 ? -1 : good;
}

/* Finds the log and the pair, and what is in them. */
static void find(struct acme_flash_store *s)
{
    int whole = 0, unreadable = 0;
    bool was_log = false;

    s->log = s->pair = s->places;
    s->log_end = s->place_size;
    for (uint8_t p = 0; p < s->places; p++) {
        struct acme_flash_header h = {0, 0, 0, 0};
        int good = look(s, p, &h, &was_log);
        uint8_t *newest = good > 0 && h.kind == KIND_LOG ? &s->log : &s->pair;
        unreadable += good < 0;
        s->sequence[p] = UINT32_MAX;
        if (good > 0) {
            s->sequence[p] = h.sequence;
            if (*newest == s->places || h.sequence > s->sequence[*newest]) {
                *newest = p;
                whole = newest == &s->log ? good : whole;
            }
        }
    }
    if (s->pair < s->places) {
        (void)scan(s, s->pair);
    }
    if (s->log < s->places) {
        uint32_t end = scan(s, s->log);
        s->log_end = whole == 2 ? end : s->log_end;
    } else if (was_log || s->pair < s->places || unreadable > 1) { /* a cut in the first erase of all leaves one */
        for (unsigned i = 0; i < ACME_FLASH_RECORDS; i++) {
            if (!is_cache(i) && !is_pair(i)) {
                s->record[i] = (struct acme_flash_item){0, 0, 1, true}; /* there were keys, or may have been */
            }
        }
    }
}

int acme_flash_init(struct acme_flash_store *s, const struct acme_flash_device *device)
{
    static const struct acme_flash_store none = {.store = {NULL, flash_get, flash_put, flash_append, flash_commit}};
    const uint32_t sectors = device->size / device->sector_size;
    uint8_t word[4];

    *s = none;
    s->store.ctx = s;
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
