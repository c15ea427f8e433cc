/* test_states.c - what other images have stored (tests/states) is taken: the account, the pair in use, the order in progress; and
 * nothing is asked for anew. In flash after every erase and every block, as a cut leaves it; as files step by step. */
#define _GNU_SOURCE /* memmem */
#include "unit.h"

#include "fake/device.h"
#include "fake/flash.h"
#include "posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATES "tests/states/"
#define LATER  1795870000 /* an hour after they were written */
#define PACE   11 /* lines of a tape to a start of the client in the middle of a call; the store is read after each */

static const struct ca_plan plan = {.names = {"a.example"}, .name_count = 1};
static struct device w;
static unsigned writes;

/* The value of a record's line; "" when there is none. */
static const char *line_of(enum acme_record record, const char *key)
{
    static char values[4][300];
    static unsigned turn;
    char *value = values[turn = (turn + 1) % 4], line[40];
    int len = snprintf(line, sizeof line, "\n%s ", key);
    const char *at = memmem(w.record[record].data, w.record[record].len, line, (size_t)len);
    value[0] = '\0';
    if (at != NULL) {
        (void)sscanf(at + len, "%299[^\n]", value);
    }
    return value;
}

static bool there(enum acme_record record)
{
    return w.record[record].len > 0;
}

static char asked[300]; /* the first signed request: method and URL */

/* The scripted CA gives a nonce, whatever the other one called that URL. What is signed goes nowhere. */
static int hook(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    static const char other[] = "/nonce-plz", here[] = "/nonce";
    writes += seam == DEVICE_PUT || seam == DEVICE_COMMIT;
    if (seam != DEVICE_FLUSH || strncmp(d->asked, "GET ", 4) == 0) {
        return DEVICE_GO;
    }
    if (strncmp(d->asked, "HEAD ", 5) != 0) {
        strcpy(asked, d->asked);
        return ACME_E_CLOSED;
    }
    if (d->record[ACME_RECORD_ACCOUNT].len == 0) {
        return DEVICE_GO;
    }
    assert_string_equal(d->asked + 5, line_of(ACME_RECORD_ACCOUNT, "newNonce"));
    char *path = memmem(d->request, d->request_len, other, strlen(other));
    assert_non_null(path);
    size_t rest = d->request_len - (size_t)(path + strlen(other) - d->request);
    memcpy(path, here, strlen(here));
    memmove(path + strlen(here), path + strlen(other), rest);
    d->request_len -= strlen(other) - strlen(here);
    return DEVICE_GO;
}

static void boot(enum acme_task when)
{
    w.utc = LATER;
    w.hook = hook;
    writes = 0;
    asked[0] = '\0';
    assert_int_equal(device_boot(&w), 0);
    assert_int_equal(acme_start(&w.client, when, w.now_ms), 0);
}

/* A run now: it goes on with the order there is, or asks for one. Nobody is asked for a directory or an account, if they are known. */
static void goes_on(void)
{
    char wanted[320];
    const char *order = line_of(ACME_RECORD_ORDER, "order"), *account = line_of(ACME_RECORD_ACCOUNT, "account");
    bool known = account[0] != '\0';
    (void)snprintf(wanted, sizeof wanted, "POST %s",
                   !known             ? CA_URL "/new-account"
                   : order[0] != '\0' ? order
                                      : line_of(ACME_RECORD_ACCOUNT, "newOrder"));
    boot(ACME_NOW);
    for (unsigned i = 0; i < 1000 && asked[0] == '\0'; i++) {
        enum acme_progress progress = device_tick(&w);
        assert_true(!acme_is_over(progress));
    }
    assert_string_equal(asked, wanted);
    assert_string_equal(w.client.flow.account, known ? account : "");
    assert_int_equal(w.ca.requests, known ? 1 : 2);
    assert_int_equal(w.unreadable, 0);
}

/* At rest: the pair is in use and renewed by its life; attempts of an image in between are none of it. */
static void rests(void)
{
    struct acme_plan now;
    enum acme_progress progress = ACME_BUSY;
    boot(ACME_KEEP);
    for (unsigned i = 0; i < 100 && progress == ACME_BUSY; i++) {
        progress = device_tick(&w);
    }
    assert_int_equal(progress, ACME_CURRENT);
    assert_true(acme_plan(&w.client, &now));
    int64_t life = now.not_after - now.not_before;
    assert_int_equal(now.why, ACME_WHY_LIFE);
    assert_int_equal(now.hold, ACME_HOLD_NONE);
    assert_int_equal(now.failures, 0);
    assert_in_range(now.not_after - now.due, life / 3, life / 3 + life / 64);
    assert_int_equal(w.ca.requests, 0);
    assert_int_equal(writes, 0);
}

/* The first look asks the directory where renewal information is; the account stays. */
static void looks(void)
{
    char account[300];
    int64_t end = w.utc + 700;
    (void)strcpy(account, line_of(ACME_RECORD_ACCOUNT, "account"));
    while (w.utc < end) {
        enum acme_progress progress = device_tick(&w);
        assert_true(!acme_is_over(progress) || progress == ACME_CURRENT);
    }
    assert_int_equal(w.ca.requests, 1);
    assert_string_equal(asked, "");
    assert_string_equal(line_of(ACME_RECORD_ACCOUNT, "account"), account);
    assert_string_equal(line_of(ACME_RECORD_ACCOUNT, "renewalInfo"), "none");
}

/* A device that has what a store holds. */
static void take(const struct acme_store *store)
{
    device_new(&w, &plan);
    w.keys = &acme_key_p256_ops;
    for (unsigned i = 0; i < DEVICE_RECORDS; i++) {
        int len = store->get(store->ctx, i, w.record[i].data, sizeof w.record[i].data);
        assert_in_range(len, 0, sizeof w.record[i].data);
        w.record[i].len = (size_t)len;
    }
}

/* --- files */

static void take_folder(const char *name)
{
    char root[] = "/tmp/nanoacme-states-XXXXXX", path[80], command[300];
    struct acme_posix_store s;
    assert_non_null(mkdtemp(root));
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    (void)snprintf(command, sizeof command, "cp -R " STATES "posix/%s %s && chmod -R go= %s", name, root, root);
    assert_int_equal(system(command), 0);
    acme_posix_store_init(&s, path, plan.names[0]);
    take(&s.store);
    acme_posix_store_close(&s);
    (void)snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

TEST(folders_are_taken)
{
    static const struct {
        const char *name;
        bool order, key_next;
    } rows[] = {{"at-rest", false, false},
                {"answered", true, false},
                {"finalized", true, true},
                {"receiving", true, true},
                {"put-back", false, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        take_folder(rows[i].name);
        assert_int_equal(there(ACME_RECORD_ORDER), rows[i].order);
        assert_int_equal(there(ACME_RECORD_KEY_NEXT), rows[i].key_next);
        assert_string_not_equal(line_of(ACME_RECORD_ACCOUNT, "account"), "");
        device_check_pair(&w);
        if (rows[i].order) {
            assert_string_equal(line_of(ACME_RECORD_ORDER, "answered"), "1");
        } else {
            rests();
        }
        goes_on();
    }
    take_folder("at-rest");
    rests();
    looks();
}

/* --- flash */

static struct flash flash;
static struct {
    bool account_key, account, pair; /* are stored: `done` was said */
    struct {
        char data[400];
        size_t len;
    } key, used; /* the account's, and the one in use */
} seen;

static void carry_out(const char *line)
{
    unsigned at;
    char hex[2 * ACME_FLASH_BLOCK + 1];
    if (sscanf(line, "erase %u", &at) == 1) {
        memset(flash.bytes + at * FLASH_SECTOR, 0xff, FLASH_SECTOR);
    } else if (sscanf(line, "program %u %64s", &at, hex) == 2) {
        for (unsigned i = 0; i < ACME_FLASH_BLOCK; i++) {
            assert_int_equal(sscanf(hex + 2 * i, "%2hhx", &flash.bytes[at + i]), 1);
        }
    }
    seen.account_key = seen.account_key || strcmp(line, "done put account-key\n") == 0;
    seen.account = seen.account || strcmp(line, "done put account\n") == 0;
    seen.pair = seen.pair || strcmp(line, "done commit chain\n") == 0;
}

/* Whether this is another key than the last time. */
static bool changed(enum acme_record record, char *data, size_t *len)
{
    bool same = *len == w.record[record].len && memcmp(data, w.record[record].data, *len) == 0;
    *len = w.record[record].len;
    assert_true(*len <= sizeof seen.key.data);
    memcpy(data, w.record[record].data, *len);
    return !same;
}

static void holds(void)
{
    static struct acme_flash_store s;
    bool had = seen.key.len > 0;
    assert_int_equal(acme_flash_init(&s, &flash.device), 0);
    take(&s.store);
    assert_true(there(ACME_RECORD_ACCOUNT_KEY) || !seen.account_key);
    assert_true(there(ACME_RECORD_ACCOUNT) || !seen.account);
    assert_true(there(ACME_RECORD_KEY) || !seen.pair);
    assert_int_equal(there(ACME_RECORD_KEY), there(ACME_RECORD_CHAIN));
    assert_true(!changed(ACME_RECORD_ACCOUNT_KEY, seen.key.data, &seen.key.len) || !had);
    if (changed(ACME_RECORD_KEY, seen.used.data, &seen.used.len)) {
        device_check_pair(&w);
    }
}

static void play(const char *tape, unsigned runs)
{
    char line[200];
    unsigned lines = 0, starts = 0;
    FILE *f = fopen(tape, "r");
    assert_non_null(f);
    memset(&seen, 0, sizeof seen);
    flash_new(&flash, false, 0xff);
    while (fgets(line, sizeof line, f) != NULL) {
        bool over = strcmp(line, "run over\n") == 0, said = strncmp(line, "done ", 5) == 0;
        carry_out(line);
        holds();
        runs -= over;
        if (over) {
            rests();
        }
        if (over || said || ++lines % PACE == 0) {
            goes_on();
            starts++;
        }
    }
    (void)fclose(f);
    assert_int_equal(runs, 0);
    print_message("%s: %u erases and blocks, %u starts\n", tape, lines, starts);
}

TEST(flash_is_taken)
{
    play(STATES "upgrade.tape", 2);
    holds();
    rests();
    looks();
}

TEST(flash_is_taken_back)
{
    play(STATES "put-back.tape", 3);
}
