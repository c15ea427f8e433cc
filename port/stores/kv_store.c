/* kv_store.c - see acme_kv.h. */
#include <string.h>

#include "acme_flash.h"
#include "kv_part.h"

static int kv_put(void *ctx, enum acme_record record, const void *data, size_t len)
{
    struct acme_kv_store *s = ctx;
    const char kind = (char)('A' + record);
    struct acme_kv_head old, h = {0, (uint32_t)len, 0, acme_flash_crc(0, data, len)};
    bool good = record != ACME_RECORD_KEY && record != ACME_RECORD_CHAIN && len <= ACME_WORK_MIN;
    int was = good ? acme_kv_head_read(s, kind, &old) : 0;

    h.set = was > 0 ? 1 - old.set : 0;
    for (uint32_t at = 0, count; good && at < len; at += count) {
        count = h.len - at < ACME_KV_VALUE ? h.len - at : ACME_KV_VALUE;
        (void)acme_kv_key(s, kind, (int)h.set, at / ACME_KV_VALUE);
        good = acme_kv_set(s, (const uint8_t *)data + at, count);
    }
    if (good && len > 0) {
        good = acme_kv_head_write(s, kind, &h, was, &old);
    } else if (good && was != 0) {
        good = s->kv->erase(s->kv->ctx, acme_kv_key(s, kind, -1, 0)) == 0;
    }
    if (good && was > 0) {
        acme_kv_drop(s, kind, &old);
    }
    return good ? 0 : ACME_E_STORE_WRITE;
}

static int kv_get(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    struct acme_kv_store *s = ctx;
    const bool key = record == ACME_RECORD_KEY, pair = key || record == ACME_RECORD_CHAIN;
    const char kind = pair ? PAIR : (char)('A' + record);
    struct acme_kv_head h;
    int there = acme_kv_head_read(s, kind, &h);
    const uint32_t from = key ? h.len : 0, len = key ? h.key : h.len;

    if (there <= 0) {
        return there;
    }
    if (cap > 0 && !acme_kv_read(s, kind, &h, from, buf, cap < len ? cap : len)) {
        return ACME_E_STORE_READ;
    }
    return (int)len;
}

/* Sets the piece in hand. */
static bool flush(struct acme_kv_store *s, size_t len)
{
    (void)acme_kv_key(s, PAIR, s->next, (s->len - 1) / ACME_KV_VALUE);
    return acme_kv_set(s, s->out, len);
}

static int kv_append(void *ctx, const void *data, size_t len)
{
    struct acme_kv_store *s = ctx;
    struct acme_kv_head h;

    if (len == 0) {
        int there = acme_kv_head_read(s, PAIR, &h);
        s->next = there > 0 ? (uint8_t)(1 - h.set) : 0;
        s->len = s->crc = 0;
        s->receiving = true;
    }
    s->crc = acme_flash_crc(s->crc, data, len);
    for (size_t i = 0; s->receiving && i < len; i++) { /* a chain with a hole is none */
        s->out[s->len++ % ACME_KV_VALUE] = ((const uint8_t *)data)[i];
        s->receiving = s->len % ACME_KV_VALUE != 0 || flush(s, ACME_KV_VALUE);
    }
    return s->receiving ? 0 : ACME_E_STORE_WRITE;
}

static int kv_commit(void *ctx)
{
    struct acme_kv_store *s = ctx;
    const char key_next = (char)('A' + ACME_RECORD_KEY_NEXT);
    struct acme_kv_head key, now;
    int of_key = acme_kv_head_read(s, key_next, &key), of_pair = acme_kv_head_read(s, PAIR, &now);
    bool good = s->receiving && s->len > 0 && of_key >= 0 && (of_key > 0 || (of_pair >= 0 && now.key == 0)) &&
                (s->len % ACME_KV_VALUE == 0 || flush(s, s->len % ACME_KV_VALUE));

    s->receiving = false;
    key.len = of_key > 0 ? key.len : 0;
    if (good && key.len > 0) { /* the piece in hand is free now */
        good = key.len <= ACME_KV_VALUE && acme_kv_read(s, key_next, &key, 0, s->out, sizeof s->out);
        (void)acme_kv_key(s, PAIR, s->next, KEY_PIECE);
        good = good && acme_kv_set(s, s->out, key.len);
        s->crc = good ? acme_flash_crc(s->crc, s->out, key.len) : 0;
        memset(s->out, 0, sizeof s->out);
    }
    if (!good ||
        !acme_kv_head_write(s, PAIR, &(struct acme_kv_head){s->next, s->len, key.len, s->crc}, of_pair, &now)) {
        return ACME_E_STORE_WRITE;
    }
    memset(s->value, 0, sizeof s->value);
    if (of_pair > 0) {
        acme_kv_drop(s, PAIR, &now);
    }
    /* Cut before these two, they describe the pair now in use: the next run gets the same certificate again. */
    if (kv_put(s, ACME_RECORD_ORDER, NULL, 0) == 0) {
        (void)kv_put(s, ACME_RECORD_KEY_NEXT, NULL, 0);
    }
    return 0;
}

int acme_kv_init_sized(struct acme_kv_store *s, size_t size, const struct acme_kv *kv)
{
    if (size != sizeof *s) {
        return ACME_E_SIZE;
    }
    memset(s, 0, sizeof *s);
    s->store = (struct acme_store){s, kv_get, kv_put, kv_append, kv_commit};
    s->kv = kv;
    return 0;
}
