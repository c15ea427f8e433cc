/* kv_part.c - see kv_part.h. */
#include "kv_part.h"

#include <string.h>

#include "acme_flash.h"

#define HEAD 16

const char *acme_kv_key(struct acme_kv_store *s, char kind, int set, uint32_t piece)
{
    memcpy(s->key, (const char[12]){'a', 'c', 'm', 'e', '.', kind, '\0'}, sizeof s->key);
    if (set >= 0) {
        s->key[6] = (char)('a' + set);
        s->key[7] = (char)('0' + piece / 100 % 10);
        s->key[8] = (char)('0' + piece / 10 % 10);
        s->key[9] = (char)('0' + piece % 10);
    }
    return s->key;
}

bool acme_kv_set(struct acme_kv_store *s, const void *value, size_t len)
{
    return s->kv->set(s->kv->ctx, s->key, value, len) == 0 &&
           s->kv->get(s->kv->ctx, s->key, s->value, sizeof s->value) == (int)len && memcmp(s->value, value, len) == 0;
}

int acme_kv_head_read(struct acme_kv_store *s, char kind, struct acme_kv_head *h)
{
    uint8_t bytes[HEAD];
    uint32_t words[HEAD / 4] = {0};
    int len = s->kv->get(s->kv->ctx, acme_kv_key(s, kind, -1, 0), bytes, sizeof bytes);

    for (unsigned i = 0; len == HEAD && i < HEAD; i++) {
        words[i / 4] |= (uint32_t)bytes[i] << i % 4 * 8;
    }
    *h = (struct acme_kv_head){words[0], words[1], words[2], words[3]};
    if (len == ACME_KV_NONE) {
        return 0;
    }
    return len == HEAD && h->set < 2 && h->len > 0 && h->len < 999UL * ACME_KV_VALUE && h->key <= ACME_KV_VALUE
               ? 1
               : ACME_E_STORE_READ;
}

static bool write_head(struct acme_kv_store *s, char kind, const struct acme_kv_head *h)
{
    const uint32_t words[HEAD / 4] = {h->set, h->len, h->key, h->crc};
    uint8_t bytes[HEAD];

    for (unsigned i = 0; i < HEAD; i++) {
        bytes[i] = (uint8_t)(words[i / 4] >> i % 4 * 8);
    }
    (void)acme_kv_key(s, kind, -1, 0);
    return acme_kv_set(s, bytes, sizeof bytes);
}

bool acme_kv_head_write(struct acme_kv_store *s, char kind, const struct acme_kv_head *h, int was,
                        const struct acme_kv_head *old)
{
    if (write_head(s, kind, h)) {
        return true;
    }
    if (was > 0) {
        (void)write_head(s, kind, old);
    } else if (was == 0) {
        (void)s->kv->erase(s->kv->ctx, s->key);
    }
    return false;
}

/* The piece at `at` of a record: s->key names it. Returns its length. */
static uint32_t piece_at(struct acme_kv_store *s, char kind, const struct acme_kv_head *h, uint32_t at)
{
    const bool of_key = at >= h->len;
    const uint32_t left = of_key ? h->key : h->len - at;

    (void)acme_kv_key(s, kind, (int)h->set, of_key ? KEY_PIECE : at / ACME_KV_VALUE);
    return left < ACME_KV_VALUE ? left : ACME_KV_VALUE;
}

void acme_kv_drop(struct acme_kv_store *s, char kind, const struct acme_kv_head *h)
{
    for (uint32_t at = 0; at < h->len + h->key; at += piece_at(s, kind, h, at)) {
        (void)piece_at(s, kind, h, at);
        (void)s->kv->erase(s->kv->ctx, s->key);
    }
}

bool acme_kv_read(struct acme_kv_store *s, char kind, const struct acme_kv_head *h, uint32_t from, uint8_t *buf,
                  size_t cap)
{
    uint32_t crc = 0;

    for (uint32_t at = 0, count; at < h->len + h->key; at += count) {
        count = piece_at(s, kind, h, at);
        if (s->kv->get(s->kv->ctx, s->key, s->value, sizeof s->value) != (int)count) {
            return false;
        }
        crc = acme_flash_crc(crc, s->value, count);
        for (uint32_t i = 0; i < count; i++) {
            if (at + i >= from && at + i - from < cap) {
                buf[at + i - from] = s->value[i];
            }
        }
    }
    return crc == h->crc;
}
