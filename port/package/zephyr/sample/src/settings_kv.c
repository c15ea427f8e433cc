/* settings_kv.c - see settings_kv.h. */
#include <stdio.h>

#include <zephyr/settings/settings.h>

#include "settings_kv.h"

#define PATH_MAX_LEN 20 /* "acme/", 11 characters, NUL */

struct found {
    void *buf;
    size_t cap;
    int len; /* ACME_KV_NONE: not yet */
};

static const char *path_of(char *path, const char *key)
{
    (void)snprintf(path, PATH_MAX_LEN, "acme/%s", key);
    return path;
}

/* Settings tells every value whose name begins with that path: the one of that name has nothing behind it. */
static int take(const char *rest, size_t len, settings_read_cb read, void *read_ctx, void *ctx)
{
    struct found *found = ctx;

    if (rest != NULL && *rest != '\0') {
        return 0;
    }
    found->len = len <= found->cap && read(read_ctx, found->buf, len) == (ssize_t)len ? (int)len : -1;
    return 1;
}

static int get(void *ctx, const char *key, void *buf, size_t cap)
{
    struct found found = {buf, cap, ACME_KV_NONE};
    char path[PATH_MAX_LEN];

    (void)ctx;
    return settings_load_subtree_direct(path_of(path, key), take, &found) == 0 ? found.len : -1;
}

static int set(void *ctx, const char *key, const void *value, size_t len)
{
    char path[PATH_MAX_LEN];

    (void)ctx;
    return settings_save_one(path_of(path, key), value, len);
}

static int erase(void *ctx, const char *key)
{
    char path[PATH_MAX_LEN];

    (void)ctx;
    return settings_delete(path_of(path, key));
}

const struct acme_kv settings_kv = {NULL, get, set, erase};
