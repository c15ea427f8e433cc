#include "media.h"

#include <string.h>

/* Counts a step. Returns true when it is carried out; *then when the power goes behind it. */
static bool step(struct media *m, bool *then)
{
    *then = false;
    if (m->off) {
        return false;
    }
    if (++m->steps == m->cut_at) {
        m->off = true;
        *then = m->how % 2 == 1;
        return *then;
    }
    return m->steps != m->failing;
}

static int find(struct media *m, const char *name)
{
    for (int i = 0; i < MEDIA_FILES; i++) {
        if (strcmp(m->file[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static int media_size(void *ctx, const char *name)
{
    struct media *m = ctx;
    int i = find(m, name);
    return m->off || m->unreadable ? -1 : i < 0 ? ACME_FILES_NONE : (int)m->file[i].len;
}

static int media_read(void *ctx, const char *name, uint32_t at, void *buf, size_t len)
{
    struct media *m = ctx;
    int i = find(m, name);
    if (m->off || m->unreadable) {
        return -1;
    }
    if (i < 0 || m->file[i].open || at > m->file[i].len || len > m->file[i].len - at) {
        m->misused++;
        return -1;
    }
    memcpy(buf, m->file[i].bytes + at, len);
    return 0;
}

static int media_create(void *ctx, unsigned handle, const char *name)
{
    struct media *m = ctx;
    int i = find(m, name);
    bool then;
    m->misused += handle > 1 || m->handle[handle] >= 0 || strlen(name) > 7 || (i >= 0 && m->file[i].open);
    bool done = step(m, &then);
    if (!done) {
        return -1;
    }
    i = i < 0 ? find(m, "") : i;
    struct media_file *f = &m->file[i];
    f->len_before = f->name[0] == '\0' ? 0 : f->len;
    memcpy(f->before, f->bytes, f->len_before);
    strcpy(f->name, name);
    f->len = 0;
    f->open = true;
    m->handle[handle] = i;
    return then ? -1 : 0;
}

static int media_write(void *ctx, unsigned handle, const void *data, size_t len)
{
    struct media *m = ctx;
    bool then;
    if (m->handle[handle] < 0) {
        m->misused += !m->off;
        return -1;
    }
    struct media_file *f = &m->file[m->handle[handle]];
    for (size_t i = 0; i < len; i++) {
        if (!step(m, &then) || f->len == MEDIA_BYTES) {
            return -1;
        }
        f->bytes[f->len++] = ((const uint8_t *)data)[i] ^ (m->steps == m->spoiled ? 4 : 0);
        if (then) {
            return -1;
        }
    }
    return 0;
}

static int media_close(void *ctx, unsigned handle)
{
    struct media *m = ctx;
    bool then;
    if (m->handle[handle] < 0) {
        m->misused += !m->off;
        return -1;
    }
    bool done = step(m, &then);
    if (done || !m->off) {
        m->file[m->handle[handle]].open = false;
        m->handle[handle] = -1;
    }
    return done && !then ? 0 : -1;
}

static int media_rename(void *ctx, const char *from, const char *to)
{
    struct media *m = ctx;
    int i = find(m, from), over = find(m, to);
    bool then;
    m->misused += i < 0 || m->file[i].open || (over >= 0 && m->file[over].open);
    if (over >= 0 && m->removes_first) {
        if (!step(m, &then)) {
            return -1;
        }
        m->file[over].name[0] = '\0';
        if (then) {
            return -1;
        }
    }
    if (i < 0 || !step(m, &then)) {
        return -1;
    }
    if (over >= 0) {
        m->file[over].name[0] = '\0';
    }
    strcpy(m->file[i].name, to);
    return then ? -1 : 0;
}

static int media_remove(void *ctx, const char *name)
{
    struct media *m = ctx;
    int i = find(m, name);
    bool then;
    m->misused += i >= 0 && m->file[i].open;
    if (!step(m, &then)) {
        return -1;
    }
    if (i >= 0) {
        m->file[i].name[0] = '\0';
    }
    return then ? -1 : 0;
}

static struct media_value *value_of(struct media *m, const char *key)
{
    for (int i = 0; i < MEDIA_KEYS; i++) {
        if (strcmp(m->value[i].key, key) == 0) {
            return &m->value[i];
        }
    }
    return NULL;
}

static int media_get(void *ctx, const char *key, void *buf, size_t cap)
{
    struct media *m = ctx;
    const struct media_value *v = value_of(m, key);
    if (m->off || m->unreadable || (v != NULL && v->len > cap)) {
        return -1;
    }
    if (v != NULL) {
        memcpy(buf, v->bytes, v->len);
    }
    return v == NULL ? ACME_KV_NONE : (int)v->len;
}

static int media_set(void *ctx, const char *key, const void *value, size_t len)
{
    struct media *m = ctx;
    struct media_value *v = value_of(m, key);
    bool then;
    m->misused += strlen(key) > 11 || len == 0 || len > ACME_KV_VALUE;
    if (!step(m, &then)) {
        return -1;
    }
    v = v == NULL ? value_of(m, "") : v;
    strcpy(v->key, key);
    memcpy(v->bytes, value, len);
    v->len = (uint32_t)len;
    v->bytes[len / 2] ^= m->steps == m->spoiled ? 4 : 0;
    return then ? -1 : 0;
}

static int media_erase(void *ctx, const char *key)
{
    struct media *m = ctx;
    struct media_value *v = value_of(m, key);
    bool then;
    if (!step(m, &then)) {
        return -1;
    }
    if (v != NULL) {
        v->key[0] = '\0';
    }
    return then ? -1 : 0;
}

void media_new(struct media *m, bool renames)
{
    memset(m, 0, sizeof *m);
    m->files =
        (struct acme_files){m, media_size, media_read, media_create, media_write, media_close, NULL, media_remove};
    m->files.rename = renames ? media_rename : NULL;
    m->kv = (struct acme_kv){m, media_get, media_set, media_erase};
    m->handle[0] = m->handle[1] = -1;
}

void media_on(struct media *m)
{
    for (int i = 0; i < MEDIA_FILES; i++) {
        struct media_file *f = &m->file[i];
        if (!f->open) {
            continue;
        }
        if (m->how == MEDIA_EMPTY || (m->how == MEDIA_AS_BEFORE && f->len_before == 0)) {
            f->len = 0;
        } else if (m->how == MEDIA_GARBAGE) {
            memset(f->bytes + (f->len > 100 ? f->len - 100 : 0), 0x5a, f->len > 100 ? 100 : f->len);
        } else if (m->how == MEDIA_AS_BEFORE) {
            memcpy(f->bytes, f->before, f->len_before);
            f->len = f->len_before;
        }
        f->open = false;
    }
    m->handle[0] = m->handle[1] = -1;
    m->off = false;
    m->steps = m->cut_at = m->failing = m->spoiled = 0;
}
