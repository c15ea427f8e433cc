/* shelf.c - see shelf.h. */
#include "shelf.h"

#include <string.h>

#include "unit.h"

struct shelf shelf;

int put(enum acme_record record, const char *text)
{
    return shelf.store->put(shelf.store->ctx, record, text, strlen(text));
}

int append(const char *text)
{
    return shelf.store->append(shelf.store->ctx, text, strlen(text));
}

int commit(void)
{
    return shelf.store->commit(shelf.store->ctx);
}

int get(enum acme_record record, char *text, size_t cap)
{
    return shelf.store->get(shelf.store->ctx, record, text, cap);
}

int bring(const char *key, const char *chain)
{
    int error = put(ACME_RECORD_KEY_NEXT, key);
    error = error != 0 ? error : append("");
    error = error != 0 ? error : append(chain);
    return error != 0 ? error : commit();
}

bool holds(enum acme_record record, const char *text)
{
    static char buf[4000];
    int len = get(record, buf, sizeof buf);
    return len == (int)strlen(text) && memcmp(buf, text, strlen(text)) == 0 && get(record, NULL, 0) == len;
}

int carry_out(const struct op *op)
{
    return op->what == PUT ? put(op->record, op->text) : op->what == APPEND ? append(op->text) : commit();
}

void carry_out_all(void)
{
    for (size_t at = 0; at < shelf.length; at++) {
        assert_int_equal(carry_out(&shelf.story[at]), 0);
    }
}

void tell(const char *want[SHELF_KINDS], size_t count)
{
    for (size_t i = 0; i < SHELF_KINDS; i++) {
        want[i] = "";
    }
    for (const struct op *op = shelf.story; op < shelf.story + count; op++) {
        if (op->what == PUT) {
            want[op->record] = op->text;
        } else if (op->what == COMMIT) {
            want[ACME_RECORD_CHAIN] = op->text;
            want[ACME_RECORD_KEY] = want[ACME_RECORD_KEY_NEXT];
            want[ACME_RECORD_ORDER] = want[ACME_RECORD_KEY_NEXT] = "";
        }
    }
}

void check_all(size_t count)
{
    const char *want[SHELF_KINDS];
    tell(want, count);
    for (unsigned i = 0; i < shelf.kinds; i++) {
        if (!holds(i, want[i])) {
            fail_msg("store %u: record %u is not what it was after operation %u", shelf.which, i, (unsigned)count);
        }
    }
    assert_int_equal(*shelf.misused, 0);
}

void check_end(void)
{
    check_all(shelf.length);
    shelf.restart();
    check_all(shelf.length);
}

void check_cut(size_t at)
{
    const char *before[SHELF_KINDS], *after[SHELF_KINDS];
    bool is_old[SHELF_KINDS];

    tell(before, at);
    tell(after, at + 1);
    for (unsigned i = 0; i < shelf.kinds; i++) {
        is_old[i] = holds(i, before[i]);
        if (!is_old[i] && !holds(i, after[i])) {
            fail_msg("store %u, operation %u, cut: record %u is neither old nor new", shelf.which, (unsigned)at, i);
        }
    }
    if (shelf.story[at].what == COMMIT) {
        assert_int_equal(is_old[ACME_RECORD_KEY], is_old[ACME_RECORD_CHAIN]);
        assert_true(!is_old[ACME_RECORD_CHAIN] || is_old[ACME_RECORD_ORDER]);
        assert_true(!is_old[ACME_RECORD_ORDER] || is_old[ACME_RECORD_KEY_NEXT]);
    }
}

/* A chain is received from its beginning; the moment of renewal may be stored meanwhile. */
static bool is_amid(const struct op *op)
{
    return op->what == COMMIT || (op->what == APPEND && op->text[0] != '\0') || op->record == ACME_RECORD_RENEWAL;
}

void go_on(size_t at)
{
    while (at > 0 && is_amid(&shelf.story[at])) {
        at--;
    }
    if (shelf.story[at].what == APPEND) { /* commit may have taken it already */
        const char *want[SHELF_KINDS];
        tell(want, at);
        assert_int_equal(put(ACME_RECORD_KEY_NEXT, want[ACME_RECORD_KEY_NEXT]), 0);
    }
    for (; at < shelf.length; at++) {
        assert_int_equal(carry_out(&shelf.story[at]), 0);
    }
    check_end();
}
