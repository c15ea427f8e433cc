/* test_flash_store.c - port/flash on a memory whose power goes at every byte and every erase; memory that fades; wear. */
#include "fake/device.h"
#include "fake/flash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define COPY       (ACME_FLASH_HEADER / 2)
#define KEY_NEXT_0 (6 * FLASH_SECTOR) /* first places */
#define PAIR_0     (8 * FLASH_SECTOR)

static struct flash flash;
static struct acme_flash_store s;

static void begin(bool overwrites, uint8_t blank)
{
    flash_new(&flash, overwrites, blank);
    assert_int_equal(acme_flash_init(&s, &flash.device), 0);
}

static void restart(void)
{
    flash_on(&flash);
    memset(&s, 0xa5, sizeof s);
    assert_int_equal(acme_flash_init(&s, &flash.device), 0);
}

static int put(enum acme_record record, const char *text)
{
    return s.store.put(s.store.ctx, record, text, strlen(text));
}

static int append(const char *text)
{
    return s.store.append(s.store.ctx, text, strlen(text));
}

static int commit(void)
{
    return s.store.commit(s.store.ctx);
}

static int get(enum acme_record record, char *text, size_t cap)
{
    return s.store.get(s.store.ctx, record, text, cap);
}

static bool holds(enum acme_record record, const char *text)
{
    char buf[600];
    int len = get(record, buf, sizeof buf);
    return len == (int)strlen(text) && memcmp(buf, text, strlen(text)) == 0;
}

/* --- power cuts: a story, cut at every step of it --- */

enum what { PUT, APPEND, COMMIT };
struct op {
    enum what what;
    enum acme_record record;
    const char *text;
};

#define KEY_1 "key 1: as long as it takes to be more than one of the pieces that are moved at a time, which have 64\n"
#define KEY_2 "key 2, shorter\n"
#define KEY_3 "key 3: as long as it takes to be more than one of the pieces that are moved at a time, of 64 bytes\n"
#define LINE  "MIIBCgKCAQEA+xGZ/wcz9ugFpP07Nspo6U17l0YhFiFpxxU4pTk3Lifz9R3zsIsu\n"

static const struct op story[] = {
    {PUT, ACME_RECORD_ACCOUNT_KEY, "the account key\n"},
    {PUT, ACME_RECORD_ACCOUNT, "account 1\n"},
    {PUT, ACME_RECORD_ORDER, "order 1\n"},
    {PUT, ACME_RECORD_KEY_NEXT, KEY_1},
    {PUT, ACME_RECORD_ORDER, "order 1, looked at\n"},
    {APPEND, ACME_RECORD_CHAIN, ""},
    {APPEND, ACME_RECORD_CHAIN, "leaf 1\n"},
    {APPEND, ACME_RECORD_CHAIN, LINE},
    {COMMIT, ACME_RECORD_CHAIN, "leaf 1\n" LINE},
    {PUT, ACME_RECORD_ACCOUNT_KEY_NEXT, KEY_2},
    {PUT, ACME_RECORD_ACCOUNT_KEY, KEY_2},
    {PUT, ACME_RECORD_ACCOUNT_KEY_NEXT, ""},
    {PUT, ACME_RECORD_ORDER, "order 2, which comes to nothing\n"},
    {PUT, ACME_RECORD_KEY_NEXT, "no key\n"},
    {PUT, ACME_RECORD_ORDER, ""},
    {PUT, ACME_RECORD_KEY_NEXT, ""},
    {PUT, ACME_RECORD_ACCOUNT, ""},
    {PUT, ACME_RECORD_ACCOUNT, "account 2\n"},
    {PUT, ACME_RECORD_ORDER, "order 2\n"},
    {PUT, ACME_RECORD_KEY_NEXT, KEY_2},
    {APPEND, ACME_RECORD_CHAIN, ""},
    {APPEND, ACME_RECORD_CHAIN, "leaf 2\n"},
    {APPEND, ACME_RECORD_CHAIN, LINE},
    {APPEND, ACME_RECORD_CHAIN, LINE},
    {COMMIT, ACME_RECORD_CHAIN, "leaf 2\n" LINE LINE},
    {PUT, ACME_RECORD_ORDER, "order 3\n"},
    {PUT, ACME_RECORD_KEY_NEXT, KEY_3},
    {APPEND, ACME_RECORD_CHAIN, ""},
    {APPEND, ACME_RECORD_CHAIN, "leaf 3\n"},
    {COMMIT, ACME_RECORD_CHAIN, "leaf 3\n"},
};

/* What should be there after the first `count` of them. */
static void tell(const char *want[DEVICE_RECORDS], size_t count)
{
    for (size_t i = 0; i < DEVICE_RECORDS; i++) {
        want[i] = "";
    }
    for (size_t i = 0; i < count; i++) {
        if (story[i].what == PUT) {
            want[story[i].record] = story[i].text;
        } else if (story[i].what == COMMIT) {
            want[ACME_RECORD_CHAIN] = story[i].text;
            want[ACME_RECORD_KEY] = want[ACME_RECORD_KEY_NEXT];
            want[ACME_RECORD_ORDER] = want[ACME_RECORD_KEY_NEXT] = "";
        }
    }
}

static int carry_out(const struct op *op)
{
    return op->what == PUT ? put(op->record, op->text) : op->what == APPEND ? append(op->text) : commit();
}

/* After a cut within number `at` everything is as before it or as after it. */
static void check_cut(size_t at)
{
    const char *before[DEVICE_RECORDS], *after[DEVICE_RECORDS];
    bool is_old[DEVICE_RECORDS];

    tell(before, at);
    tell(after, at + 1);
    for (enum acme_record i = 0; i < DEVICE_RECORDS; i++) {
        is_old[i] = holds(i, before[i]);
        if (!is_old[i] && !holds(i, after[i])) {
            fail_msg("operation %zu, step %u, cut %d: record %d is neither old nor new", at, flash.steps, flash.how,
                     i);
        }
    }
    if (story[at].what == COMMIT) {
        bool old = is_old[ACME_RECORD_CHAIN];
        assert_int_equal(is_old[ACME_RECORD_KEY], old);
        assert_true(!old || is_old[ACME_RECORD_ORDER]);
        assert_true(!is_old[ACME_RECORD_ORDER] || is_old[ACME_RECORD_KEY_NEXT]);
    }
}

/* From there on it goes on as the client does: a chain is received anew. */
static void go_on(size_t at)
{
    const char *want[DEVICE_RECORDS];

    while (story[at].what != PUT && !(story[at].what == APPEND && story[at].text[0] == '\0')) {
        at--;
    }
    if (story[at].what == APPEND) { /* commit may have taken it already */
        assert_int_equal(put(ACME_RECORD_KEY_NEXT,
                             story[at - 1].record == ACME_RECORD_KEY_NEXT ? story[at - 1].text : story[at - 2].text),
                         0);
    }
    for (; at < LEN(story); at++) {
        assert_int_equal(carry_out(&story[at]), 0);
    }
    tell(want, LEN(story));
    for (enum acme_record i = 0; i < DEVICE_RECORDS; i++) {
        assert_true(holds(i, want[i]));
    }
    assert_int_equal(flash.misused, 0);
}

static unsigned cut_everywhere(bool overwrites, uint8_t blank)
{
    static struct flash flash_then;
    struct acme_flash_store s_then;
    unsigned cuts = 0;

    begin(overwrites, blank);
    for (size_t at = 0; at < LEN(story); at++) {
        flash_on(&flash);
        flash_then = flash;
        s_then = s;
        assert_int_equal(carry_out(&story[at]), 0);
        const unsigned steps = flash.steps;
        for (unsigned cut = 1; cut <= steps; cut++) {
            for (enum flash_cut how = FLASH_BEFORE; how < FLASH_CUTS; how++, cuts++) {
                flash = flash_then;
                s = s_then;
                flash.cut_at = cut;
                flash.how = how;
                (void)carry_out(&story[at]);
                assert_true(flash.off);
                restart();
                check_cut(at);
                if (cut % 5 == 0 || cut + 2 > steps) {
                    go_on(at);
                }
            }
        }
        flash = flash_then;
        s = s_then;
        assert_int_equal(carry_out(&story[at]), 0);
    }
    assert_int_equal(flash.misused, 0);
    return cuts;
}

static void test_cut_nor(void **unused)
{
    (void)unused;
    unsigned cuts = cut_everywhere(false, 0xff);
    printf("# NOR flash: %u power cuts\n", cuts);
    assert_true(cuts > 4000);
}

static void test_cut_overwriting(void **unused)
{
    (void)unused;
    unsigned cuts = cut_everywhere(true, 0) + cut_everywhere(true, 0xff);
    printf("# a medium that overwrites: %u power cuts\n", cuts);
    assert_true(cuts > 8000);
}

/* A write that fails while the power stays is told, and the old record stays in use. */
static void test_failed_write(void **unused)
{
    (void)unused;
    begin(false, 0xff);
    for (unsigned failing = 1;; failing++) {
        flash_new(&flash, false, 0xff);
        restart();
        assert_int_equal(put(ACME_RECORD_ACCOUNT, "old\n"), 0);
        flash_on(&flash);
        flash.failing = failing;
        int result = put(ACME_RECORD_ACCOUNT, "new\n");
        if (flash.steps < failing) {
            break;
        }
        assert_true(result == 0 || result == ACME_E_STORE_WRITE);
        assert_true(holds(ACME_RECORD_ACCOUNT, result == 0 ? "new\n" : "old\n"));
        assert_int_equal(put(ACME_RECORD_ACCOUNT, "newer\n"), 0);
        restart();
        assert_true(holds(ACME_RECORD_ACCOUNT, "newer\n"));
        assert_int_equal(flash.misused, 0);
    }
}

/* Memory that does not keep what is programmed is found out at once, wherever it is. */
static void test_worn(void **unused)
{
    unsigned noticed = 0;
    (void)unused;
    for (uint32_t at = 0; at < ACME_FLASH_HEADER + 4; at++) {
        begin(false, 0xff);
        assert_int_equal(put(ACME_RECORD_ACCOUNT, "old\n"), 0);
        flash.worn = 3 * FLASH_SECTOR + at + 1;
        int result = put(ACME_RECORD_ACCOUNT, "new\n");
        noticed += result != 0;
        assert_true(holds(ACME_RECORD_ACCOUNT, result == 0 ? "new\n" : "old\n"));
        restart();
        assert_true(holds(ACME_RECORD_ACCOUNT, result == 0 ? "new\n" : "old\n"));
    }
    assert_in_range(noticed, 8, 20); /* bytes of one header and of the text that should have had the bit */
}

/* --- memory that fades --- */

static void flip(uint32_t at, unsigned bit)
{
    flash.bytes[at] ^= (uint8_t)(1u << bit);
}

/* The only place that was ever written: no bit of it makes the record absent. */
static void test_fading(void **unused)
{
    char buf[32];
    const uint32_t contents = sizeof "the account key\n" - 1;
    (void)unused;
    begin(false, 0xff);
    assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "the account key\n"), 0);
    for (uint32_t at = 0; at < ACME_FLASH_HEADER + contents; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            flip(at, bit);
            if (at >= ACME_FLASH_HEADER) {
                assert_int_equal(get(ACME_RECORD_ACCOUNT_KEY, buf, sizeof buf), ACME_E_STORE_READ);
            }
            restart();
            if (at < ACME_FLASH_HEADER) {
                assert_true(holds(ACME_RECORD_ACCOUNT_KEY, "the account key\n"));
            } else {
                assert_int_equal(get(ACME_RECORD_ACCOUNT_KEY, buf, sizeof buf), ACME_E_STORE_READ);
                assert_int_equal(get(ACME_RECORD_ACCOUNT_KEY, NULL, 0), ACME_E_STORE_READ);
            }
            flip(at, bit);
        }
    }
    for (uint32_t at = 4; at < 24; at++) { /* both headers, behind the mark they begin with */
        flip(at, 3);
        flip(at + COPY, 5);
        restart();
        assert_int_equal(get(ACME_RECORD_ACCOUNT_KEY, buf, sizeof buf), ACME_E_STORE_READ);
        flip(at, 3);
        flip(at + COPY, 5);
    }
    restart();
    assert_true(holds(ACME_RECORD_ACCOUNT_KEY, "the account key\n"));
}

/* With a record before it, that one counts again, and the next write takes the faded place. */
static void test_fading_back(void **unused)
{
    (void)unused;
    begin(false, 0xff);
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 1\n"), 0);
    assert_int_equal(append("") + append("leaf 1\n") + commit(), 0);
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 2\n"), 0);
    assert_int_equal(append("") + append("leaf 2\n") + commit(), 0);
    flip(PAIR_0 + FLASH_PAIR * FLASH_SECTOR + ACME_FLASH_HEADER + 8, 0); /* in key 2 */
    char buf[8];
    assert_int_equal(get(ACME_RECORD_KEY, buf, sizeof buf), ACME_E_STORE_READ);
    restart();
    assert_true(holds(ACME_RECORD_KEY, "key 1\n") && holds(ACME_RECORD_CHAIN, "leaf 1\n"));
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 3\n"), 0);
    assert_int_equal(append("") + append("leaf 3\n") + commit(), 0);
    restart();
    assert_true(holds(ACME_RECORD_KEY, "key 3\n") && holds(ACME_RECORD_CHAIN, "leaf 3\n"));
}

/* A record that cannot be read is replaced in the other place: until that is whole it stays unreadable, not absent. */
static void test_replacing_what_faded(void **unused)
{
    char buf[8];
    (void)unused;
    begin(false, 0xff);
    for (unsigned cut = 1;; cut++) {
        flash_new(&flash, false, 0xff);
        restart();
        assert_int_equal(put(ACME_RECORD_ORDER, "order\n"), 0);
        flip(4 * FLASH_SECTOR + ACME_FLASH_HEADER, 0);
        restart();
        flash.cut_at = cut;
        (void)put(ACME_RECORD_ORDER, "next\n");
        if (!flash.off) {
            break;
        }
        restart();
        int len = get(ACME_RECORD_ORDER, buf, sizeof buf);
        assert_true(len == ACME_E_STORE_READ || (len == 5 && memcmp(buf, "next\n", 5) == 0));
    }
    assert_true(holds(ACME_RECORD_ORDER, "next\n"));
    restart();
    assert_true(holds(ACME_RECORD_ORDER, "next\n"));
    flip(5 * FLASH_SECTOR + ACME_FLASH_HEADER, 0); /* now both */
    restart();
    assert_int_equal(get(ACME_RECORD_ORDER, buf, sizeof buf), ACME_E_STORE_READ);
    assert_int_equal(put(ACME_RECORD_ORDER, ""), 0); /* and what cannot be read can be removed */
    restart();
    assert_int_equal(get(ACME_RECORD_ORDER, buf, sizeof buf), 0);
}

/* A key that fades before it is put in use is noticed: the old pair stays. */
static void test_faded_next_key(void **unused)
{
    (void)unused;
    begin(false, 0xff);
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 1\n"), 0);
    assert_int_equal(append("") + append("leaf 1\n") + commit(), 0);
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 2\n"), 0); /* the removal took the second place */
    assert_int_equal(append("") + append("leaf 2\n"), 0);
    flip(KEY_NEXT_0 + ACME_FLASH_HEADER, 0);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_true(holds(ACME_RECORD_KEY, "key 1\n") && holds(ACME_RECORD_CHAIN, "leaf 1\n"));
    restart();
    assert_true(holds(ACME_RECORD_KEY, "key 1\n") && holds(ACME_RECORD_CHAIN, "leaf 1\n"));
}

static void test_unreadable(void **unused)
{
    char buf[8];
    (void)unused;
    begin(false, 0xff);
    assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "key\n"), 0);
    flash.unreadable = true;
    assert_int_equal(get(ACME_RECORD_ACCOUNT_KEY, buf, sizeof buf), ACME_E_STORE_READ);
    assert_int_equal(acme_flash_init(&s, &flash.device), ACME_E_STORE_READ);
    flash.unreadable = false;
    restart();
    assert_true(holds(ACME_RECORD_ACCOUNT_KEY, "key\n"));
}

/* --- what is refused --- */

static void test_sizes(void **unused)
{
    static char big[FLASH_PAIR * FLASH_SECTOR];
    const size_t room = FLASH_PAIR * FLASH_SECTOR - ACME_FLASH_HEADER;
    (void)unused;
    begin(false, 0xff);
    struct acme_flash_device small = flash.device;
    small.sector_size = FLASH_SECTOR - 1;
    assert_int_equal(acme_flash_init(&s, &small), ACME_E_WORK_SMALL);
    small = flash.device;
    small.pair_sectors = 0;
    assert_int_equal(acme_flash_init(&s, &small), ACME_E_WORK_SMALL);
    restart();
    memset(big, 'x', sizeof big);
    assert_int_equal(s.store.put(&s, ACME_RECORD_ORDER, big, ACME_WORK_MIN), 0);
    assert_int_equal(get(ACME_RECORD_ORDER, NULL, 0), ACME_WORK_MIN);
    assert_int_equal(s.store.put(&s, ACME_RECORD_ORDER, big, ACME_WORK_MIN + 1), ACME_E_STORE_WRITE);
    assert_int_equal(get(ACME_RECORD_ORDER, NULL, 0), ACME_WORK_MIN);
    assert_int_equal(put(ACME_RECORD_KEY, "not to be put"), ACME_E_STORE_WRITE);
    assert_int_equal(put(ACME_RECORD_CHAIN, "not to be put"), ACME_E_STORE_WRITE);

    /* the chain may fill what the key leaves, not more */
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 1\n"), 0);
    assert_int_equal(append("") + s.store.append(&s, big, room - 5), 0);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(append("") + s.store.append(&s, big, room - 6), 0);
    assert_int_equal(commit(), 0);
    restart();
    assert_int_equal(get(ACME_RECORD_CHAIN, NULL, 0), room - 6);
    assert_true(holds(ACME_RECORD_KEY, "key 1\n"));

    /* one that was too large cannot be put in use without its end */
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 2\n"), 0);
    assert_int_equal(append("") + s.store.append(&s, big, room), 0);
    assert_int_equal(append("more"), ACME_E_STORE_WRITE);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(append("") + s.store.append(&s, big, room - 100), 0);
    assert_int_equal(s.store.append(&s, big, 101), ACME_E_STORE_WRITE);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(append("more"), ACME_E_STORE_WRITE);
    assert_true(holds(ACME_RECORD_KEY, "key 1\n"));
    assert_int_equal(get(ACME_RECORD_CHAIN, NULL, 0), room - 6);
}

static void test_order_of_calls(void **unused)
{
    (void)unused;
    begin(false, 0xff);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(append("no beginning"), ACME_E_STORE_WRITE);
    assert_int_equal(append(""), 0);
    assert_int_equal(commit(), ACME_E_STORE_WRITE); /* nothing received */
    assert_int_equal(append("") + append("leaf 0\n") + commit(), 0);
    assert_true(holds(ACME_RECORD_CHAIN, "leaf 0\n"));
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 1\n"), 0);
    assert_int_equal(append("") + append("leaf 1\n") + commit(), 0);
    assert_int_equal(append("") + append("leaf 2\n"), 0);
    assert_int_equal(commit(), ACME_E_STORE_WRITE); /* without a key, when there was one */
    assert_true(holds(ACME_RECORD_CHAIN, "leaf 1\n") && holds(ACME_RECORD_KEY, "key 1\n"));
    flip(PAIR_0 + FLASH_PAIR * FLASH_SECTOR + ACME_FLASH_HEADER, 0);
    flip(PAIR_0 + ACME_FLASH_HEADER, 0); /* nor when neither can be read any more */
    restart();
    assert_int_equal(append("") + append("leaf 2\n"), 0);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
}

/* A commit that fails half-way is not taken up again: its bytes are programmed already. */
static void test_commit_once(void **unused)
{
    (void)unused;
    begin(false, 0xff);
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 1\n"), 0);
    assert_int_equal(append("") + append("leaf 1\n"), 0);
    flash.failing = flash.steps + 10;
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(flash.misused, 0);
    assert_int_equal(append("") + append("leaf 1\n") + commit(), 0);
    restart();
    assert_true(holds(ACME_RECORD_KEY, "key 1\n") && holds(ACME_RECORD_CHAIN, "leaf 1\n"));
    assert_int_equal(flash.misused, 0);
}

/* A header that leads beyond its place, with a right checksum: of a memory that was divided otherwise. */
static void test_foreign_header(void **unused)
{
    uint8_t *h = flash.bytes + PAIR_0 + FLASH_PAIR * FLASH_SECTOR;
    const uint32_t room = FLASH_PAIR * FLASH_SECTOR - ACME_FLASH_HEADER;
    const uint32_t lengths[][2] = {{0, room + 1}, {room + 1, 0}, {room, 1}, {2, UINT32_MAX}, {UINT32_MAX, 2}};
    (void)unused;
    for (size_t i = 0; i < LEN(lengths); i++) {
        begin(false, 0xff);
        const uint32_t words[] = {0x31656d61, 9, lengths[i][0], lengths[i][1], 0};
        for (size_t byte = 0; byte < sizeof words; byte++) {
            h[byte] = (uint8_t)(words[byte / 4] >> 8 * (byte % 4));
        }
        uint32_t crc = acme_flash_crc(0, h, sizeof words);
        for (size_t byte = 0; byte < 4; byte++) {
            h[sizeof words + byte] = (uint8_t)(crc >> 8 * byte);
        }
        restart();
        assert_int_equal(get(ACME_RECORD_CHAIN, NULL, 0), 0);
    }
}

/* Numbers go on from what is there, whichever place it is in. */
static void test_many(void **unused)
{
    char text[24];
    (void)unused;
    begin(false, 0xff);
    for (unsigned i = 1; i <= 50; i++) {
        snprintf(text, sizeof text, "account %u\n", i);
        assert_int_equal(put(ACME_RECORD_ACCOUNT, text), 0);
        if (i % 3 == 0) {
            restart();
        }
        assert_true(holds(ACME_RECORD_ACCOUNT, text));
    }
    assert_int_equal(flash.erases[2], 25);
    assert_int_equal(flash.erases[3], 25);
    assert_int_equal(put(ACME_RECORD_ORDER, ""), 0); /* removing nothing costs nothing */
    assert_int_equal(flash.erases[4] + flash.erases[5], 0);
    assert_int_equal(flash.misused, 0);
}

#ifndef NO_OPENSSL
/* --- wear: what the client itself does to the memory --- */

static struct device w;
static struct acme_store own; /* the device's: what the flash answers has to be the same */

static int both_get(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    static char text[8192];
    int len = own.get(ctx, record, text, cap);
    assert_int_equal(s.store.get(s.store.ctx, record, buf, cap), len);
    assert_memory_equal(buf != NULL ? buf : text, text, (size_t)len < cap ? (size_t)len : cap);
    return len;
}

static int both_put(void *ctx, enum acme_record record, const void *data, size_t len)
{
    assert_int_equal(s.store.put(s.store.ctx, record, data, len), 0);
    return own.put(ctx, record, data, len);
}

static int both_append(void *ctx, const void *data, size_t len)
{
    assert_int_equal(s.store.append(s.store.ctx, data, len), 0);
    return own.append(ctx, data, len);
}

static int both_commit(void *ctx)
{
    assert_int_equal(s.store.commit(s.store.ctx), 0);
    return own.commit(ctx);
}

static void issue(void)
{
    enum acme_progress progress;

    restart();
    assert_int_equal(device_boot(&w), 0);
    own = w.store;
    w.store = (struct acme_store){&w, both_get, both_put, both_append, both_commit};
    assert_int_equal(acme_start(&w.client, ACME_NOW, w.now_ms), 0);
    while ((progress = device_tick(&w)) == ACME_BUSY || progress == ACME_IDLE) {
    }
    assert_int_equal(progress, ACME_ISSUED);
    device_check_pair(&w);
}

static void test_wear(void **unused)
{
    static const struct ca_plan plan = {.names = {"a.example"}, .name_count = 1, .authz_looks = 2, .processing = 2};
    const unsigned renewals = 6; /* as many as the scripted CA has room for */
    unsigned worst = 0, all = 0;
    (void)unused;
    begin(false, 0xff);
    device_new(&w, &plan);
    issue();
    memset(flash.erases, 0, sizeof flash.erases);
    for (unsigned i = 0; i < renewals; i++) {
        issue();
    }
    ca_free(&w.ca);
    for (unsigned i = 0; i < FLASH_SECTORS; i++) {
        worst = flash.erases[i] > worst ? flash.erases[i] : worst;
        all += flash.erases[i];
    }
    printf("# %u renewals: %u erases, %u of the sector most used\n", renewals, all, worst);
    assert_true(worst <= renewals + 1);
    assert_true(all <= 8 * renewals);
    assert_int_equal(flash.misused, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_nor),        cmocka_unit_test(test_cut_overwriting),
        cmocka_unit_test(test_failed_write),   cmocka_unit_test(test_fading),
        cmocka_unit_test(test_fading_back),    cmocka_unit_test(test_replacing_what_faded),
        cmocka_unit_test(test_faded_next_key), cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_sizes),          cmocka_unit_test(test_order_of_calls),
        cmocka_unit_test(test_commit_once),    cmocka_unit_test(test_foreign_header),
        cmocka_unit_test(test_worn),           cmocka_unit_test(test_many),
#ifndef NO_OPENSSL
        cmocka_unit_test(test_wear),
#endif
    };
    return cmocka_run_group_tests_name("flash_store", tests, NULL, NULL);
}
