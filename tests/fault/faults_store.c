/* faults_store.c - the store. What acme_port.h has it promise, and so what a client may rely on:
 *
 *   put      a loss of power at any moment leaves the old record or the new one; once it has said 0, the new one
 *   append   nothing: the chain being received is begun anew after a reset, whatever there is of it
 *   commit   key and chain change together, at one moment; then ORDER goes, and KEY_NEXT after it. Once it has said 0,
 *            the new pair is in use for good
 *
 * storefail and storecut stay within that, with each outcome it allows. storetorn and storelost do not: the store tears a
 * record, forgets what it has promised to keep, or keeps the later of two writes and not the earlier. No client can do
 * well then, but this one must not crash, must not use a pair that does not fit, must not use what is torn, and must come
 * to a certificate again. Only a torn account key is for a person to look at (posix_store keeps the promise:
 * tests/unit/test_posix_store.c). */
#include "plans.h"

#include <string.h>

/* --- storefail, storecut: within the promise --- */

static unsigned store_calls(const struct honest *honest)
{
    return honest->store;
}

static bool is_store(enum device_seam seam)
{
    return seam >= DEVICE_GET && seam <= DEVICE_STORED;
}

static const char *const persistence[] = {"once", "on", "though-done", NULL};

static int storefail(struct trial *t, enum device_seam seam, size_t *len)
{
    bool hit = is_store(seam) && (t->kind == 0 ? t->number == t->point : t->number >= t->point);
    if (t->kind == 2 && t->number == t->point && seam == DEVICE_STORED && t->d.commits == t->checked_commits) {
        t->fired = true; /* the record is there, but the port is not sure of it */
        return ACME_E_STORE_WRITE;
    }
    hit = hit && t->kind != 2;
    bool decided = seam == DEVICE_COMMIT_ORDER || seam == DEVICE_COMMIT_KEY || seam == DEVICE_STORED;
    if (!hit || decided) { /* what has taken effect has not failed */
        return DEVICE_GO;
    }
    t->fired = true;
    return seam == DEVICE_GET ? ACME_E_STORE_READ : ACME_E_STORE_WRITE;
}

static const char *const cut_kinds[] = {"at", "in-the-middle", NULL};

static int storecut(struct trial *t, enum device_seam seam, size_t *len)
{
    if (!is_store(seam)) {
        return DEVICE_GO;
    }
    if (t->kind == 1 && t->number == t->point && seam == DEVICE_APPEND) {
        *len /= 2;
        return DEVICE_GO;
    }
    if (t->number == t->point + t->kind) {
        t->fired = true;
        trial_power_off(t);
    }
    return DEVICE_GO;
}

/* --- storetorn: power off inside a write, of which the first k bytes get through, for every k; of a line of the chain
 * none, half, and all but one. What was there before is gone, or shows behind them as in a file written over. --- */

static const char *const torn_kinds[] = {"torn", "overlaid", NULL};

static unsigned written(const struct honest *honest)
{
    return honest->written;
}

static char before[sizeof((struct device *)0)->record[0].data]; /* the record that is torn */

static void lay_over(struct trial *t)
{
    size_t len = t->d.record[t->record].len;
    if (t->kind == 1 && t->extra[1] > len) {
        memcpy(t->d.record[t->record].data + len, before + len, t->extra[1] - len);
        t->d.record[t->record].len = t->extra[1];
    }
}

/* Without its key, an account is nobody's: the CA will see another client. */
static void account_gone(struct trial *t)
{
    if (t->d.record[ACME_RECORD_ACCOUNT_KEY].len == 0) {
        t->d.account_keys = 0;
        t->d.ca.accounts = 0;
    }
}

static int storetorn(struct trial *t, enum device_seam seam, size_t *len)
{
    if (seam == DEVICE_STORED && t->fired) {
        if (t->extra[0] == DEVICE_PUT) {
            lay_over(t);
        }
        account_gone(t);
        trial_power_off(t);
    }
    if (t->fired || t->units == 0 || t->point < t->place || t->point - t->place >= t->units) {
        return DEVICE_GO;
    }
    unsigned k = t->point - t->place;
    t->fired = true;
    t->extra[0] = seam;
    if (seam == DEVICE_PUT) {
        t->extra[1] = (unsigned)t->d.record[t->record].len;
        memcpy(before, t->d.record[t->record].data, t->extra[1]);
        *len = k;
    } else if (k < 2) { /* a line of the chain; 0 would begin it anew */
        *len = k == 0 ? 1 : *len > 2 ? *len / 2 : *len;
    } else {
        *len -= *len > 1;
    }
    return DEVICE_GO;
}

/* --- storelost: the power goes after a tick, and the last writes, which were said to be durable, are not --- */

static const char *const lost_kinds[] = {"last", "last-but-one", "last-two", "switch-alone", NULL};

#define BIT(record) (1u << (record))

static struct {
    unsigned records; /* touched: a set of BIT()s */
    __typeof__(((struct device *)0)->record[0]) was[DEVICE_RECORDS];
} writes[2]; /* by number, even and odd */

static unsigned ticks(const struct honest *honest)
{
    return honest->ticks;
}

static int note_write(struct trial *t, enum device_seam seam, size_t *len)
{
    if (seam == DEVICE_PUT || seam == DEVICE_COMMIT) {
        unsigned i = t->extra[0]++ % 2;
        unsigned all =
            BIT(ACME_RECORD_KEY) | BIT(ACME_RECORD_CHAIN) | BIT(ACME_RECORD_ORDER) | BIT(ACME_RECORD_KEY_NEXT);
        writes[i].records = seam == DEVICE_PUT ? BIT(t->record) : all;
        memcpy(writes[i].was, t->d.record, sizeof writes[i].was);
    }
    return DEVICE_GO;
}

static void undo(struct trial *t, unsigned number, unsigned but)
{
    unsigned records = writes[number % 2].records & ~but;
    for (unsigned i = 0; i < DEVICE_RECORDS; i++) {
        if ((records & BIT(i)) != 0) {
            t->d.record[i] = writes[number % 2].was[i];
        }
    }
}

static bool storelost(struct trial *t)
{
    if (t->seen.ticks != t->point + 1) {
        return false;
    }
    unsigned done = t->extra[0];
    t->over = true;
    if (t->kind == 3 && done > 0) { /* of a commit, only the removals have come through */
        undo(t, done - 1, ~(BIT(ACME_RECORD_KEY) | BIT(ACME_RECORD_CHAIN)));
    } else if (t->kind != 1 && done > 0) {
        undo(t, done - 1, 0);
    }
    if ((t->kind == 1 || t->kind == 2) && done > 1) {
        undo(t, done - 2, t->kind == 1 ? writes[(done - 1) % 2].records : 0);
    }
    account_gone(t);
    return true;
}

/* --- the dimensions --- */

const struct dimension dimension_storefail = {"storefail", persistence, store_calls, storefail, .last_scene = THREE};
const struct dimension dimension_storecut = {"storecut", cut_kinds, store_calls, storecut, .last_scene = THREE};
const struct dimension dimension_storetorn = {"storetorn",         torn_kinds,        written,      storetorn,
                                              .last_scene = THREE, .spare_orders = 1, .tears = true};
const struct dimension dimension_storelost = {"storelost",       lost_kinds,        ticks,
                                              note_write,        storelost,         .last_scene = THREE,
                                              .spare_orders = 2, .to_the_end = true};
