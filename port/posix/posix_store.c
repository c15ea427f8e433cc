/* posix_store.c - struct acme_store: records as files. posix_pair.c tells the layout and why a crash cannot
 * tear it. */
#define _GNU_SOURCE

#include "posix.h"

static int fail(struct acme_posix_store *s, int code, int result)
{
    s->error = code;
    return code == 0 ? 0 : result;
}

int acme_posix_place_record(struct acme_posix_store *s, enum acme_record record)
{
    static const struct {
        const char *before, *after;
    } rows[] = {{"account.pem", NULL}, {"account", NULL},      {".", ".order"},           {".", ".key"},
                {"", "/privkey.pem"},  {"", "/fullchain.pem"}, {"account-next.pem", NULL}};
    bool shared = rows[record].after == NULL;
    return acme_posix_place(s, rows[record].before, shared ? "" : s->name, shared ? "" : rows[record].after);
}

static int store_get(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    struct acme_posix_store *s = ctx;
    const char *slot = "";
    int len = 0;
    bool in_pair = record == ACME_RECORD_KEY || record == ACME_RECORD_CHAIN;
    int code = in_pair ? acme_posix_pair_in_use(s, &slot) : 0;

    if (code == 0 && slot != NULL && (code = acme_posix_place_record(s, record)) == 0) {
        code = acme_posix_read(s->path, buf, cap, &len);
    }
    return code == 0 ? len : fail(s, code, ACME_E_STORE_READ);
}

static int store_put(void *ctx, enum acme_record record, const void *data, size_t len)
{
    struct acme_posix_store *s = ctx;
    int code = acme_posix_place_record(s, record);
    return fail(s, code != 0 ? code : acme_posix_replace(s->path, 0600, data, len), ACME_E_STORE_WRITE);
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

void acme_posix_store_init(struct acme_posix_store *s, const char *state, const char *name)
{
    static const struct acme_store store = {NULL, store_get, store_put, store_append, store_commit};
    s->store = store;
    s->store.ctx = s;
    s->state = state;
    s->name = name;
}
