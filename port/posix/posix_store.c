/* posix_store.c - struct acme_store: records as files. posix_pair.c tells the layout and why a crash cannot
 * tear it. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

static int fail(struct acme_posix_store *s, int code, int result)
{
    s->error = code;
    return code == 0 ? 0 : result;
}

int acme_posix_store_lock(const struct acme_posix_store *s)
{
    static const char lock[] = ".lock";
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    struct stat is;
    int fd = openat(s->dir, lock, flags, 0600);

    if (fd >= 0 ? fstat(fd, &is) != 0 || S_ISREG(is.st_mode) : errno != EISDIR && errno != ELOOP && errno != ENXIO) {
        return fd;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    int code = acme_posix_clear(s->dir, lock);
    errno = code;
    return code == 0 ? openat(s->dir, lock, flags, 0600) : -1;
}

/* Whether losing the record costs requests only: what is damaged is then as good as absent. A key without its order is of
 * no more use either. */
static bool is_cache(struct acme_posix_store *s, enum acme_record record)
{
    char byte;
    int len = 0;

    if (record != ACME_RECORD_KEY_NEXT) {
        return record == ACME_RECORD_ACCOUNT || record == ACME_RECORD_ORDER || record == ACME_RECORD_CHAIN ||
               record == ACME_RECORD_RENEWAL;
    }
    return acme_posix_place_record(s, ACME_RECORD_ORDER) == 0 &&
           (acme_posix_read(s->dir, s->file, 0, &byte, 1, &len) != 0 || len == 0);
}

static int get(struct acme_posix_store *s, enum acme_record record, void *buf, size_t cap, int *len)
{
    const char *slot = "", *file;
    bool in_pair = record == ACME_RECORD_KEY || record == ACME_RECORD_CHAIN;
    int code = acme_posix_store_open(s);
    int at;

    *len = 0;
    if (code != 0) {
        return code == ENOENT ? 0 : code;
    }
    if ((in_pair && (code = acme_posix_pair_in_use(s, &slot)) != 0) || slot == NULL ||
        (code = acme_posix_place_record(s, record)) != 0) {
        return code;
    }
    if (!in_pair) {
        return acme_posix_read(s->dir, s->file, 0, buf, cap, len);
    }
    file = strrchr(s->path, '/') + 1;
    at = acme_posix_pair_open(s, slot);
    if (at < 0) {
        return errno == ENOENT ? 0 : errno;
    }
    code = acme_posix_place_record(s, record);
    code = code != 0 ? code : acme_posix_read(at, file, 0, buf, cap, len);
    (void)close(at);
    return code;
}

static int store_get(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    struct acme_posix_store *s = ctx;
    int len;
    int code = get(s, record, buf, cap, &len);

    if (record == ACME_RECORD_CHAIN && s->due) {
        return 0;
    }
    s->error = code;
    if (code == 0 || code == EEXIST) { /* EEXIST: not ours to judge */
        return code == 0 ? len : ACME_E_STORE_READ;
    }
    bool cache = s->dir >= 0 && is_cache(s, record);
    (void)acme_posix_place_record(s, record);
    if (cache && s->told != NULL) {
        s->told(s, code);
    }
    if (cache && record == ACME_RECORD_KEY_NEXT) { /* before there is an order again, and it counts as that one's */
        (void)acme_posix_clear(s->dir, s->file);
    }
    return cache ? 0 : ACME_E_STORE_READ;
}

static int store_put(void *ctx, enum acme_record record, const void *data, size_t len)
{
    struct acme_posix_store *s = ctx;
    int code = acme_posix_place_record(s, record);
    code = code != 0 ? code : acme_posix_store_open(s);
    return fail(s, code != 0 ? code : acme_posix_replace(s->dir, s->file, 0600, data, len), ACME_E_STORE_WRITE);
}

static int store_append(void *ctx, const void *data, size_t len)
{
    return fail(ctx, acme_posix_pair_append(ctx, data, len), ACME_E_STORE_WRITE);
}

static int store_commit(void *ctx)
{
    int code = acme_posix_pair_commit(ctx);
    if (code == 0) {
        /* The new pair is in use whether these succeed or not, and what they leave does no harm. */
        (void)store_put(ctx, ACME_RECORD_ORDER, NULL, 0);
        (void)store_put(ctx, ACME_RECORD_KEY_NEXT, NULL, 0);
    }
    return fail(ctx, code, ACME_E_STORE_WRITE);
}

void acme_posix_file_name(char file[254], const char *name)
{
    size_t i = 0;

    for (; name[i] != '\0' && i < 253; i++) {
        file[i] = name[i];
        if (name[i] == ':') {
            file[i] = '_';
        }
    }
    file[i] = '\0';
}

void acme_posix_store_init(struct acme_posix_store *s, const char *state, const char *name)
{
    static const struct acme_store store = {NULL, store_get, store_put, store_append, store_commit};
    s->store = store;
    s->store.ctx = s;
    s->state = state;
    acme_posix_file_name(s->name, name);
    s->dir = s->chain = -1;
    s->made = s->due = s->key_elsewhere = false;
    s->key_point = NULL;
    s->key_mode = 0;
    s->key_group = ACME_POSIX_NO_GROUP;
    s->error = 0;
    s->path[0] = '\0';
    s->file = s->path;
    s->told = NULL;
}

void acme_posix_store_close(struct acme_posix_store *s)
{
    int *const open[] = {&s->dir, &s->chain};
    for (size_t i = 0; i < 2; i++) {
        if (*open[i] >= 0) {
            (void)close(*open[i]);
        }
        *open[i] = -1;
    }
}
