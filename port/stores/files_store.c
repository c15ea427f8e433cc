/* files_store.c - see acme_files.h. */
#include <string.h>

#include "acme_flash.h"
#include "files_part.h"

static int files_put(void *ctx, enum acme_record record, const void *data, size_t len)
{
    struct acme_files_store *s = ctx;
    const char kind = (char)('A' + record);
    struct acme_files_part p;
    bool good;

    if (record == ACME_RECORD_KEY || record == ACME_RECORD_CHAIN || len > ACME_WORK_MIN) {
        return ACME_E_STORE_WRITE;
    }
    const int now = acme_files_in_use(s, kind, &p);
    const char other = now == 'A' ? 'B' : 'A';
    if (len == 0) { /* an older version must not come back: it goes first, and of two that are none B */
        const char last = now > 0 ? (char)now : 'A';
        good = s->files->remove(s->files->ctx, acme_files_name(s, kind, last == 'A' ? 'B' : 'A')) == 0 &&
               s->files->remove(s->files->ctx, acme_files_name(s, kind, last)) == 0;
    } else if (s->files->rename != NULL) {
        good = acme_files_settle(s, kind, now) && acme_files_write(s, kind, 'B', 0, data, len) &&
               acme_files_replace(s, kind);
    } else {
        good = acme_files_write(s, kind, other, p.sequence + 1, data, len);
        if (good) { /* against what fades: it counts without it */
            (void)acme_files_write(s, kind, other == 'A' ? 'B' : 'A', p.sequence + 1, data, len);
        }
    }
    return good ? 0 : ACME_E_STORE_WRITE;
}

static int files_get(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    struct acme_files_store *s = ctx;
    const bool key = record == ACME_RECORD_KEY, pair = key || record == ACME_RECORD_CHAIN;
    const bool cache = record == ACME_RECORD_ACCOUNT || record == ACME_RECORD_ORDER || record == ACME_RECORD_RENEWAL;
    const char kind = pair ? PAIR : (char)('A' + record);
    struct acme_files_part p;
    const int copy = acme_files_in_use(s, kind, &p);
    const uint32_t from = key ? p.len - p.key : 0, len = key ? p.key : p.len - p.key;

    if (copy <= 0) {
        return cache ? 0 : copy;
    }
    if (cap > 0 && len > 0 &&
        s->files->read(s->files->ctx, acme_files_name(s, kind, (char)copy), from, buf, cap < len ? cap : len) != 0) {
        return ACME_E_STORE_READ;
    }
    return (int)len;
}

static bool add(struct acme_files_store *s, const void *data, size_t len)
{
    s->crc = acme_flash_crc(s->crc, data, len);
    s->len += (uint32_t)len;
    return s->files->write(s->files->ctx, 1, data, len) == 0;
}

static void give_up(struct acme_files_store *s)
{
    if (s->receiving) {
        (void)s->files->close(s->files->ctx, 1);
    }
    s->receiving = false;
}

static int files_append(void *ctx, const void *data, size_t len)
{
    struct acme_files_store *s = ctx;
    struct acme_files_part p;

    if (len == 0) {
        give_up(s);
        s->len = s->crc = 0;
        const int now = acme_files_in_use(s, PAIR, &p);
        s->copy = s->files->rename != NULL || now == 'A' ? 'B' : 'A';
        s->receiving = acme_files_settle(s, PAIR, now) &&
                       s->files->create(s->files->ctx, 1, acme_files_name(s, PAIR, s->copy)) == 0;
    } else if (s->receiving && !add(s, data, len)) { /* a chain with a hole is none */
        give_up(s);
    }
    return s->receiving ? 0 : ACME_E_STORE_WRITE;
}

/* Adds KEY_NEXT behind the chain. */
static bool add_key(struct acme_files_store *s, char copy, uint32_t len)
{
    const char kind = (char)('A' + ACME_RECORD_KEY_NEXT);
    uint8_t piece[PIECE];
    bool good = true;

    for (uint32_t at = 0, count; good && at < len; at += count) {
        count = len - at < PIECE ? len - at : PIECE;
        good = s->files->read(s->files->ctx, acme_files_name(s, kind, copy), at, piece, count) == 0 &&
               add(s, piece, count);
    }
    memset(piece, 0, sizeof piece);
    return good;
}

static int files_commit(void *ctx)
{
    struct acme_files_store *s = ctx;
    struct acme_files_part key, now;
    const int of_key = acme_files_in_use(s, (char)('A' + ACME_RECORD_KEY_NEXT), &key),
              of_pair = acme_files_in_use(s, PAIR, &now);
    bool good = s->receiving && s->len > 0 && of_key >= 0 && (of_key > 0 || (of_pair >= 0 && now.key == 0)) &&
                add_key(s, (char)of_key, of_key > 0 ? key.len : 0);

    if (!good) {
        give_up(s);
        return ACME_E_STORE_WRITE;
    }
    s->receiving = false; /* it is closed below */
    const struct acme_files_part next = {s->len, of_key > 0 ? key.len : 0, now.sequence + 1, s->crc};
    if (!acme_files_finish(s, 1, PAIR, s->copy, &next) ||
        (s->files->rename != NULL && !acme_files_replace(s, PAIR))) {
        return ACME_E_STORE_WRITE;
    }
    if (s->files->rename == NULL && s->files->size(s->files->ctx, acme_files_name(s, PAIR, 'B')) == ACME_FILES_NONE &&
        s->files->create(s->files->ctx, 0, s->name) == 0) { /* from now on an A that is damaged is damaged */
        (void)s->files->close(s->files->ctx, 0);
    }
    /* Cut before these two, they describe the pair now in use: the next run gets the same certificate again. */
    if (files_put(s, ACME_RECORD_ORDER, NULL, 0) == 0) {
        (void)files_put(s, ACME_RECORD_KEY_NEXT, NULL, 0);
    }
    return 0;
}

void acme_files_init(struct acme_files_store *s, const struct acme_files *files)
{
    memset(s, 0, sizeof *s);
    s->store = (struct acme_store){s, files_get, files_put, files_append, files_commit};
    s->files = files;
}
