/* files_part.c - see files_part.h. */
#include "files_part.h"

#include <string.h>

#include "acme_flash.h"

#define MAGIC   0x31666d61u
#define TRAILER 20U

enum state { MISSING, UNREADABLE, DAMAGED, WHOLE };

static uint32_t word(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

const char *acme_files_name(struct acme_files_store *s, char kind, char copy)
{
    memcpy(s->name, (const char[8]){'A', 'C', 'M', 'E', kind, '.', copy, '\0'}, sizeof s->name);
    return s->name;
}

static enum state look(struct acme_files_store *s, char kind, char copy, struct acme_files_part *p)
{
    const struct acme_files *f = s->files;
    const char *name = acme_files_name(s, kind, copy);
    uint8_t piece[PIECE];
    uint32_t crc = 0;
    int size = f->size(f->ctx, name);

    memset(p, 0, sizeof *p);
    if (size < 0) {
        return size == ACME_FILES_NONE ? MISSING : UNREADABLE;
    }
    if ((uint32_t)size < TRAILER || (s->receiving && kind == PAIR && copy == s->copy)) { /* or is being written */
        return DAMAGED;
    }
    p->len = (uint32_t)size - TRAILER;
    if (f->read(f->ctx, name, p->len, piece, TRAILER) != 0) {
        return UNREADABLE;
    }
    *p = (struct acme_files_part){p->len, word(piece + 4), word(piece + 8), word(piece + 12)};
    if (word(piece) != MAGIC || word(piece + 16) != acme_flash_crc(0, piece, 16) || p->key > p->len) {
        return DAMAGED;
    }
    for (uint32_t at = 0, count; at < p->len; at += count) {
        count = p->len - at < PIECE ? p->len - at : PIECE;
        if (f->read(f->ctx, name, at, piece, count) != 0) {
            return UNREADABLE;
        }
        crc = acme_flash_crc(crc, piece, count);
    }
    return crc == p->crc ? WHOLE : DAMAGED;
}

int acme_files_in_use(struct acme_files_store *s, char kind, struct acme_files_part *p)
{
    struct acme_files_part b = {0};
    bool replaces = s->files->rename != NULL;
    const enum state of_a = look(s, kind, 'A', p),
                     of_b = replaces && of_a != MISSING ? MISSING : look(s, kind, 'B', &b);
    /* The one that is written first may never have been finished, as long as there is no other. */
    const enum state first = replaces ? of_b : of_a, other = replaces ? of_a : of_b;

    if (of_b == WHOLE && (of_a != WHOLE || b.sequence > p->sequence)) {
        *p = b;
        return 'B';
    }
    if (of_a == WHOLE) {
        return 'A';
    }
    return other == MISSING && (first == MISSING || first == DAMAGED) ? 0 : ACME_E_STORE_READ;
}

bool acme_files_finish(struct acme_files_store *s, unsigned handle, char kind, char copy,
                       const struct acme_files_part *p)
{
    const uint32_t words[] = {MAGIC, p->key, p->sequence, p->crc, 0};
    uint8_t trailer[TRAILER];
    struct acme_files_part stored;

    for (unsigned i = 0; i < TRAILER; i++) {
        uint32_t value = i < 16 ? words[i / 4] : acme_flash_crc(0, trailer, 16);
        trailer[i] = (uint8_t)(value >> i % 4 * 8);
    }
    bool good = s->files->write(s->files->ctx, handle, trailer, TRAILER) == 0;
    good = s->files->close(s->files->ctx, handle) == 0 && good;
    return good && look(s, kind, copy, &stored) == WHOLE && stored.crc == p->crc && stored.sequence == p->sequence;
}

bool acme_files_replace(struct acme_files_store *s, char kind)
{
    const char from[8] = {'A', 'C', 'M', 'E', kind, '.', 'B', '\0'};
    return s->files->rename(s->files->ctx, from, acme_files_name(s, kind, 'A')) == 0;
}

bool acme_files_settle(struct acme_files_store *s, char kind, int now)
{
    return s->files->rename == NULL || now != 'B' || acme_files_replace(s, kind);
}

bool acme_files_write(struct acme_files_store *s, char kind, char copy, uint32_t sequence, const void *data,
                      size_t len)
{
    const struct acme_files *f = s->files;
    const struct acme_files_part p = {(uint32_t)len, 0, sequence, acme_flash_crc(0, data, len)};

    if (f->create(f->ctx, 0, acme_files_name(s, kind, copy)) != 0) {
        return false;
    }
    if (f->write(f->ctx, 0, data, len) != 0) {
        (void)f->close(f->ctx, 0);
        return false;
    }
    return acme_files_finish(s, 0, kind, copy, &p);
}
