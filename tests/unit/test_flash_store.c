/* test_flash_store.c - port/flash on a memory whose power goes at every unit and every erase, with units of 1 to 32 bytes;
 * memory that fades, wears out, or cannot be read. */
#include "unit.h"

#include "fake/flash.h"
#include "fake/later.h"
#include "flash_place.h"
#include "shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPARSE (SLOW_MACHINE ? 11 : 1)

static const uint32_t units[] = {1, 2, 4, 8, 16, 32};

static struct flash flash;
static struct acme_flash_store s;

#define KEY_1  "key 1: as long as it takes to be more than one of the pieces that are moved at a time, which have 32\n"
#define KEY_2  "key 2, shorter\n"
#define KEY_3  "key 3: as long as it takes to be more than one of the pieces that are moved at a time, of 32 bytes\n"
#define LINE   "MIIBCgKCAQEA+xGZ/wcz9ugFpP07Nspo6U17l0YhFiFpxxU4pTk3Lifz9R3zsIsu\n"
#define BLOCKS "one block of thirty-two bytes..\n" LINE
#define TEN    LINE LINE LINE LINE LINE LINE LINE LINE LINE LINE
#define LONG   TEN TEN /* so that logs are full now and then */

static const struct op story[] = {
    {PUT, ACME_RECORD_ACCOUNT_KEY, "the account key\n"},
    {PUT, ACME_RECORD_ACCOUNT, "account 1\n"},
    {PUT, ACME_RECORD_ORDER, "order 1\n"},
    {PUT, 8, "of an image to come\n"}, /* and 15: this one does not know them */
    {PUT, ACME_RECORD_KEY_NEXT, KEY_1},
    {PUT, ACME_RECORD_ORDER, "order 1, looked at\n"},
    {APPEND, ACME_RECORD_CHAIN, ""},
    {APPEND, ACME_RECORD_CHAIN, "leaf 1\n"},
    {APPEND, ACME_RECORD_CHAIN, LINE},
    {COMMIT, ACME_RECORD_CHAIN, "leaf 1\n" LINE},
    {PUT, 6, KEY_2},
    {PUT, 15, KEY_3},
    {PUT, ACME_RECORD_ACCOUNT_KEY, KEY_2},
    {PUT, 6, ""},
    {PUT, ACME_RECORD_ORDER, LONG},
    {PUT, ACME_RECORD_ORDER, "order 2, which comes to nothing\n"},
    {PUT, ACME_RECORD_ORDER, LONG},
    {PUT, ACME_RECORD_KEY_NEXT, "no key\n"},
    {PUT, ACME_RECORD_ORDER, LONG},
    {PUT, ACME_RECORD_ORDER, ""},
    {PUT, ACME_RECORD_KEY_NEXT, ""},
    {PUT, ACME_RECORD_ACCOUNT, ""},
    {PUT, 15, ""},
    {PUT, 8, "its next version\n"},
    {PUT, ACME_RECORD_ACCOUNT, "account 2\n"},
    {PUT, ACME_RECORD_ORDER, TEN},
    {PUT, ACME_RECORD_ORDER, "order 2\n"},
    {PUT, ACME_RECORD_KEY_NEXT, KEY_2},
    {APPEND, ACME_RECORD_CHAIN, ""},
    {APPEND, ACME_RECORD_CHAIN, BLOCKS},
    {APPEND, ACME_RECORD_CHAIN, LINE},
    {APPEND, ACME_RECORD_CHAIN, LINE},
    {COMMIT, ACME_RECORD_CHAIN, BLOCKS LINE LINE},
    {PUT, ACME_RECORD_ORDER, "order 3\n"},
    {PUT, ACME_RECORD_KEY_NEXT, KEY_3},
    {APPEND, ACME_RECORD_CHAIN, ""},
    {APPEND, ACME_RECORD_CHAIN, "leaf 3\n"},
    {COMMIT, ACME_RECORD_CHAIN, "leaf 3\n"},
    {PUT, ACME_RECORD_ORDER, "order 4\n"},
    {PUT, ACME_RECORD_KEY_NEXT, KEY_1},
};

static void restart(void)
{
    flash_on(&flash);
    memset(&s, 0xa5, sizeof s);
    assert_int_equal(acme_flash_init(&s, &flash.device), 0);
}

static void begin_with(bool overwrites, uint8_t blank, uint32_t unit, bool ecc)
{
    flash_new(&flash, overwrites, blank);
    flash.device.prog_size = unit;
    flash.ecc = ecc;
    assert_int_equal(acme_flash_init(&s, &flash.device), 0);
    shelf = (struct shelf){.store = &s.store,
                           .kinds = ACME_FLASH_KINDS,
                           .story = story,
                           .length = LEN(story),
                           .restart = restart,
                           .misused = &flash.misused};
}

static void begin(void)
{
    begin_with(false, 0xff, 1, false);
}

/* --- power cuts: the story, cut at every step of it --- */

static unsigned cut_everywhere(bool overwrites, uint8_t blank, uint32_t unit, bool ecc)
{
    static struct flash flash_then;
    struct acme_flash_store s_then;
    unsigned cuts = 0;

    begin_with(overwrites, blank, unit, ecc);
    for (size_t at = 0; at < LEN(story); at++) {
        flash_on(&flash);
        flash_then = flash;
        s_then = s;
        assert_int_equal(carry_out(&story[at]), 0);
        const unsigned steps = flash.steps;
        for (unsigned n = 0; n < steps * FLASH_CUTS;
             n++) { /* n: the cut, in every way at the edges of what is written */
            const unsigned cut = 1 + n / FLASH_CUTS, how = n % FLASH_CUTS;
            const bool edge = steps < 200 && (cut < 10 || cut + 5 > steps || cut * unit % BLOCK <= unit);
            if ((!edge && cut % FLASH_CUTS != how) || cut % SPARSE != 0) {
                continue;
            }
            flash = flash_then;
            s = s_then;
            flash.cut_at = cut;
            flash.how = how;
            (void)carry_out(&story[at]);
            assert_true(flash.off);
            restart();
            check_cut(at);
            cuts++;
            if (cut % FLASH_CUTS == how && (cut % 50 == 0 || cut + 2 > steps)) {
                go_on(at);
            }
        }
        flash = flash_then;
        s = s_then;
        assert_int_equal(carry_out(&story[at]), 0);
    }
    check_all(LEN(story));
    return cuts;
}

TEST(test_cut)
{
    unsigned cuts = 0;
    for (size_t i = 0; i < LEN(units); i++) {
        cuts += cut_everywhere(false, 0xff, units[i], true);
        cuts += i % 2 == 0 ? cut_everywhere(false, 0xff, units[i], false)
                           : 0; /* as many ways to be torn, fewer are seen */
    }
    cuts += cut_everywhere(false, 0x5a, 4, false); /* full of something else when it was new */
    printf("# NOR flash: %u power cuts\n", cuts);
    assert_true(cuts > 5000 / SPARSE);
}

TEST(test_cut_overwriting)
{
    unsigned cuts = cut_everywhere(true, 0, 4, false) + cut_everywhere(true, 0xff, 32, true);
    printf("# a medium that overwrites: %u power cuts\n", cuts);
    assert_true(cuts > 800 / SPARSE);
}

/* A cut, and then another within what comes next. */
TEST(test_cut_twice)
{
    static struct flash flash_then;
    for (size_t at = 0; at + 1 < LEN(story); at++) {
        for (unsigned first = 1 + at % 5; first < 30; first += 7) {
            begin_with(false, 0xff, 8, first % 2);
            for (size_t i = 0; i < at; i++) {
                assert_int_equal(carry_out(&story[i]), 0);
            }
            flash_on(&flash);
            flash.cut_at = first;
            flash.how = 1 + first % 3;
            (void)carry_out(&story[at]);
            restart();
            if (story[at].what != PUT) {
                continue; /* a chain is received anew */
            }
            flash_then = flash;
            for (unsigned second = 1; second < 30 * first; second += 9 * SPARSE) {
                flash = flash_then;
                restart();
                flash.cut_at = second;
                flash.how = 1 + second % 3;
                (void)carry_out(&story[at]);
                restart();
                check_cut(at);
            }
            go_on(at);
        }
    }
}

/* A write that fails while the power stays: it is told, or written elsewhere. */
TEST(test_failed_write)
{
    static struct flash flash_then;
    struct acme_flash_store s_then;
    begin_with(false, 0xff, 8, true);
    for (size_t at = 0; at < LEN(story); at++) {
        flash_on(&flash);
        flash_then = flash;
        s_then = s;
        assert_int_equal(carry_out(&story[at]), 0);
        const unsigned steps = flash.steps;
        for (unsigned failing = 1; failing <= steps; failing += SPARSE) {
            flash = flash_then;
            s = s_then;
            flash.failing = failing;
            assert_int_equal(carry_out(&story[at]), 0);
            check_all(at + 1);
            restart();
            if (failing % 5 == 0 || failing + 3 > steps) {
                go_on(at);
            }
        }
        flash = flash_then;
        s = s_then;
        assert_int_equal(carry_out(&story[at]), 0);
    }
}

/* --- wear --- */

static void tell_story(bool restarts)
{
    for (size_t at = 0; at < LEN(story); at++) {
        assert_int_equal(carry_out(&story[at]), 0);
        if (restarts && story[at].what != APPEND) {
            restart();
        }
        check_all(at + 1);
    }
}

/* Memory that does not keep what is programmed is found out at once, wherever it is, and another place is used. */
TEST(test_worn_bit)
{
    for (uint32_t at = 0; at < FLASH_BYTES; at += (at % FLASH_PLACE < 1200 ? 9 : 61) * SPARSE) {
        begin_with(false, 0xff, units[at % LEN(units)], at / 2 % 2);
        flash.worn = at + 1;
        tell_story(at / 4 % 2);
    }
}

/* A sector that is worn out as a whole: nothing is lost, and what comes next is stored. */
TEST(test_worn_sector)
{
    for (unsigned sector = 1; sector <= FLASH_SECTORS; sector++) {
        for (enum flash_wear wear = FLASH_GOOD + 1; wear < FLASH_WEARS; wear++) {
            for (unsigned since = 0; since < LEN(story); since += 3 * SPARSE) { /* operations before it is worn */
                begin_with(false, 0xff, 8, since % 2);
                for (size_t at = 0; at < LEN(story); at++) {
                    if (at == since) {
                        flash.sector_worn = sector;
                        flash.wear = wear;
                    }
                    assert_int_equal(carry_out(&story[at]), 0);
                    if (story[at].what != APPEND) {
                        restart();
                    }
                }
                check_all(LEN(story));
                carry_out_all();
                restart();
                assert_true(holds(ACME_RECORD_CHAIN, "leaf 3\n") && holds(ACME_RECORD_KEY_NEXT, KEY_1));
                assert_int_equal(flash.misused, 0);
            }
        }
    }
}

/* Nothing works any more: it is told each time, and what was there stays. */
TEST(test_all_worn)
{
    for (unsigned how = 0; how < 2; how++) {
        begin_with(false, 0xff, 8, false);
        tell_story(false);
        if (how == 0) {
            memset(flash.programmed, true, sizeof flash.programmed); /* no unit is taken */
        }
        flash.device.prog_size = how == 0 ? 8 : 64; /* no call is */
        for (unsigned i = 0; i < 3; i++) {
            int result = put(ACME_RECORD_ACCOUNT, "other\n");
            assert_true(how == 0 || result == ACME_E_STORE_WRITE);
        }
        flash.misused = 0;
        flash.device.prog_size = 8;
        if (how == 1) {
            check_end();
        }
    }
}

/* Every sector is used as much as the others; removing nothing costs nothing. */
TEST(test_many)
{
    char text[24];
    unsigned least = UINT32_MAX, most = 0, all = 0;
    begin_with(false, 0xff, 8, true);
    tell_story(false);
    for (unsigned i = 1; i <= 2000; i++) {
        snprintf(text, sizeof text, "order %u\n", i);
        assert_int_equal(put(ACME_RECORD_ORDER, text), 0);
        if (i % 30 == 0) {
            restart();
        }
        if (i % 100 == 0) {
            assert_int_equal(bring(KEY_1, "leaf\n"), 0);
        }
        assert_true(i % 100 == 0 || holds(ACME_RECORD_ORDER, text));
    }
    for (unsigned i = 0; i < FLASH_SECTORS; i++) {
        least = flash.erases[i] < least && flash.erases[i] > 0 ? flash.erases[i] : least;
        most = flash.erases[i] > most ? flash.erases[i] : most;
        all += flash.erases[i];
    }
    printf("# 2000 small records, 20 pairs: %u erases, %u to %u a sector\n", all, least, most);
    assert_true(most <= 30 && least * 2 >= most);
    assert_int_equal(put(ACME_RECORD_ORDER, ""), 0);
    assert_int_equal(put(ACME_RECORD_ORDER, "") + put(6, ""), 0);
    flash_on(&flash);
    assert_int_equal(put(ACME_RECORD_ORDER, "") + put(6, ""), 0);
    assert_int_equal(flash.steps, 0);
    assert_int_equal(flash.misused, 0);
}

/* --- memory that fades --- */

/* One bit anywhere: no key and no certificate is lost, nor the account; of the order an older state may count. The next
 * record heals it. */
static void fade(uint32_t unit, bool ecc, bool while_on)
{
    static struct flash flash_then;
    const char *want[SHELF_KINDS];

    begin_with(false, 0xff, unit, ecc);
    tell_story(false);
    tell(want, LEN(story));
    flash_then = flash;
    for (uint32_t at = 0; at < FLASH_BYTES; at += SPARSE) {
        const uint32_t place = at / FLASH_PLACE;
        if ((place != s.log && place != s.pair) || !flash.programmed[at]) {
            continue;
        }
        struct acme_flash_store s_then = s;
        flash_flip(&flash, at, at % 8);
        if (!while_on) {
            restart();
        }
        for (unsigned i = 0; i < ACME_FLASH_KINDS; i++) {
            char buf[100];
            bool whole = (i == ACME_RECORD_ORDER || get(i, NULL, 0) == (int)strlen(want[i])) && holds(i, want[i]);
            if (!whole && i != ACME_RECORD_ORDER) {
                fail_msg("unit %u, ecc %d: record %u is lost by a bit at %u", (unsigned)unit, ecc, i, (unsigned)at);
            }
            assert_true(whole || get(i, buf, sizeof buf) < 0 || strncmp(buf, "order 3", 7) == 0 || !while_on);
        }
        if (at % 13 == 0) { /* healed: the second bit costs nothing either */
            assert_int_equal(put(ACME_RECORD_ORDER, want[ACME_RECORD_ORDER]), 0);
            if (ecc && !while_on && place == s_then.log && flash_then.bytes[at] != 0xff) { /* no padding */
                assert_true(s.log != place);
            }
            check_end();
        }
        flash = flash_then;
        restart();
    }
}

/* What faded is met only when the log is copied. */
TEST(test_fading_unnoticed)
{
    for (unsigned i = 0; i < 4; i++) {
        begin_with(false, 0xff, 8, i % 2);
        tell_story(true);
        flash_flip(&flash, s.record[i < 2 ? ACME_RECORD_ACCOUNT_KEY : ACME_RECORD_ACCOUNT].at + BLOCK + 1, 2);
        const unsigned log = s.log;
        for (unsigned n = 0; s.log == log; n++) {
            assert_true(n < 9);
            assert_int_equal(put(ACME_RECORD_ORDER, LONG), 0);
        }
        assert_int_equal(put(ACME_RECORD_ORDER, "order 4\n"), 0);
        check_end();
    }
}

TEST(test_fading)
{
    fade(1, false, false);
    fade(1, false, true);
    fade(8, true, false);
    fade(32, true, true);
}

/* Flips a bit in every text of the memory that is this one. */
static unsigned spoil(const char *text)
{
    const size_t len = strlen(text);
    unsigned found = 0;
    for (uint32_t at = 0; at + len <= FLASH_BYTES; at++) {
        if (memcmp(flash.bytes + at, text, len) == 0) {
            flash_flip(&flash, at + (uint32_t)len / 2, 1);
            found++;
        }
    }
    return found;
}

/* A private key of which no copy can be read is never absent, nor an older one: not at once, not after a reset, not in
 * a new log. It can be replaced and removed. */
TEST(test_damaged_keys)
{
    static const unsigned keys[] = {ACME_RECORD_ACCOUNT_KEY, ACME_RECORD_KEY_NEXT, 6};
    char buf[40];
    for (unsigned n = 0; n < 2 * LEN(keys); n++) {
        const unsigned key = keys[n / 2];
        begin_with(false, 0xff, 16, n % 2);
        assert_int_equal(put(key, "an older one\n"), 0);
        assert_int_equal(put(key, "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n"), 0);
        assert_int_equal(put(ACME_RECORD_ACCOUNT, "account\n"), 0);
        assert_int_equal(spoil("-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n"), 2);
        assert_int_equal(get(key, buf, sizeof buf), ACME_E_STORE_READ);
        restart();
        assert_int_equal(get(key, NULL, 0), ACME_E_STORE_READ);
        assert_int_equal(get(key, buf, sizeof buf), ACME_E_STORE_READ);
        assert_true(holds(ACME_RECORD_ACCOUNT, "account\n"));
        const unsigned log = s.log;
        assert_int_equal(put(ACME_RECORD_ORDER, "order\n"), 0);
        assert_true(s.log != log);
        assert_int_equal(get(key, NULL, 0), ACME_E_STORE_READ);
        restart();
        assert_int_equal(get(key, buf, sizeof buf), ACME_E_STORE_READ);
        assert_true(holds(ACME_RECORD_ACCOUNT, "account\n") && holds(ACME_RECORD_ORDER, "order\n"));
        if (key == ACME_RECORD_KEY_NEXT) {
            assert_int_equal(append("") + append("leaf\n"), 0);
            assert_int_equal(commit(), ACME_E_STORE_WRITE);
        }
        assert_int_equal(put(key, n % 2 ? "" : "new\n"), 0);
        restart();
        assert_true(holds(key, n % 2 ? "" : "new\n"));
        assert_int_equal(flash.misused, 0);
    }
}

/* A key that fades before it is put in use: its copy is. When that has faded, too, the old pair stays. */
TEST(test_faded_next_key)
{
    begin_with(false, 0xff, 8, false);
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, KEY_1) + append("") + append("leaf 1\n"), 0);
    flash_flip(&flash, s.record[ACME_RECORD_KEY_NEXT].at + BLOCK, 0);
    assert_int_equal(commit(), 0);
    assert_true(holds(ACME_RECORD_KEY, KEY_1) && holds(ACME_RECORD_CHAIN, "leaf 1\n"));
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, KEY_2) + append("") + append("leaf 2\n"), 0);
    assert_int_equal(spoil(KEY_2), 2);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    restart();
    assert_true(holds(ACME_RECORD_KEY, KEY_1) && holds(ACME_RECORD_CHAIN, "leaf 1\n"));
}

/* A cache that cannot be read is replaced, and gone when it is not. The pair in use is not given up for another. */
TEST(test_damaged_caches)
{
    char buf[40];
    begin_with(false, 0xff, 8, true);
    assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "the account key\n"), 0);
    assert_int_equal(put(ACME_RECORD_ACCOUNT, "the account\n") + put(ACME_RECORD_ORDER, "the order\n"), 0);
    assert_int_equal(spoil("the account\n") + spoil("the order\n"), 3);
    restart();
    assert_int_equal(get(ACME_RECORD_ACCOUNT, buf, sizeof buf), ACME_E_STORE_READ);
    assert_int_equal(get(ACME_RECORD_ORDER, NULL, 0), ACME_E_STORE_READ);
    assert_int_equal(put(ACME_RECORD_ORDER, "next\n"), 0);
    assert_true(holds(ACME_RECORD_ACCOUNT, "") && holds(ACME_RECORD_ORDER, "next\n"));
    restart();
    assert_true(holds(ACME_RECORD_ACCOUNT, "") && holds(ACME_RECORD_ORDER, "next\n"));
    assert_true(holds(ACME_RECORD_ACCOUNT_KEY, "the account key\n"));

    begin_with(false, 0xff, 8, true);
    assert_int_equal(bring("the first key\n", "the first leaf\n"), 0);
    assert_int_equal(bring("the second key\n", "the second leaf\n"), 0);
    assert_int_equal(spoil("the second leaf\n"), 2);
    restart();
    assert_int_equal(get(ACME_RECORD_CHAIN, buf, sizeof buf), ACME_E_STORE_READ);
    assert_true(holds(ACME_RECORD_KEY, "the second key\n"));
    assert_true(spoil("the second key\n") >= 2);
    restart();
    assert_int_equal(get(ACME_RECORD_KEY, buf, sizeof buf), ACME_E_STORE_READ);
    assert_int_equal(append("") + append("leaf 3\n"), 0);
    assert_int_equal(commit(), ACME_E_STORE_WRITE); /* without a key, when there was one */
    assert_int_equal(bring("key 3\n", "leaf 3\n"), 0);
    restart();
    assert_true(holds(ACME_RECORD_KEY, "key 3\n") && holds(ACME_RECORD_CHAIN, "leaf 3\n"));
}

/* A log that is not found though there was one is not an empty store. */
TEST(test_lost_log)
{
    char buf[40];
    for (unsigned n = 0; n < 4; n++) {
        begin_with(false, 0xff, 8, n == 1);
        assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "the account key\n"), 0);
        if (n > 1) {
            assert_int_equal(bring("key\n", "leaf\n"), 0);
        }
        const uint32_t at = s.log * FLASH_PLACE;
        flash_flip(&flash, at + 5, 0);
        flash_flip(&flash, at + BLOCK + 9, 0);
        if (n == 1) { /* of two places nothing can be read */
            flash_flip(&flash, at + FLASH_PLACE, 0);
            flash_flip(&flash, at + FLASH_PLACE + BLOCK, 0);
        } else if (n == 3) {
            flash_flip(&flash, at + BLOCK, 0); /* not even what it was */
        }
        restart();
        assert_int_equal(get(ACME_RECORD_ACCOUNT_KEY, buf, sizeof buf), ACME_E_STORE_READ);
        assert_int_equal(get(ACME_RECORD_ACCOUNT_KEY, NULL, 0), ACME_E_STORE_READ);
        assert_true(n < 2 || (holds(ACME_RECORD_KEY, "key\n") && holds(ACME_RECORD_CHAIN, "leaf\n")));
        assert_int_equal(put(ACME_RECORD_ORDER, "order\n"), 0);
        restart();
        assert_int_equal(get(ACME_RECORD_ACCOUNT_KEY, buf, sizeof buf), ACME_E_STORE_READ);
        assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "by the operator\n"), 0);
        restart();
        assert_true(holds(ACME_RECORD_ACCOUNT_KEY, "by the operator\n"));
        assert_true(n < 2 || (holds(ACME_RECORD_KEY, "key\n") && holds(ACME_RECORD_CHAIN, "leaf\n")));
    }
}

/* Nothing can be read for a while: nothing is absent, nothing is written. */
TEST(test_unreadable)
{
    char buf[8];
    begin();
    tell_story(false);
    flash.unreadable = true;
    assert_int_equal(get(ACME_RECORD_ACCOUNT_KEY, buf, sizeof buf), ACME_E_STORE_READ);
    assert_int_equal(get(ACME_RECORD_CHAIN, buf, sizeof buf), ACME_E_STORE_READ);
    assert_int_equal(put(ACME_RECORD_ORDER, "not kept\n"), ACME_E_STORE_WRITE);
    flash.unreadable = false;
    check_all(LEN(story));
    flash.unreadable = true;
    assert_int_equal(acme_flash_init(&s, &flash.device), 0);
    assert_int_equal(get(ACME_RECORD_ACCOUNT_KEY, buf, sizeof buf), ACME_E_STORE_READ);
    flash.unreadable = false;
    restart();
    check_all(LEN(story));
}

/* --- sizes, and what is refused --- */

TEST(test_devices)
{
    static const uint32_t sectors[] = {256, 512, 2048, FLASH_BYTES / 4, FLASH_BYTES / 3};
    static const uint32_t wrong[][3] = {{FLASH_BYTES, FLASH_SECTOR, 0},
                                        {FLASH_BYTES, FLASH_SECTOR, 3},
                                        {FLASH_BYTES, FLASH_SECTOR, 64},
                                        {FLASH_BYTES - 1, FLASH_SECTOR, 8},
                                        {FLASH_BYTES, FLASH_BYTES / 2, 8},
                                        {FLASH_BYTES, FLASH_BYTES, 8},
                                        {FLASH_BYTES, FLASH_BYTES + 32, 8},
                                        {FLASH_BYTES, 8188, 4},
                                        {FLASH_SECTOR, FLASH_SECTOR / 8, 8},
                                        {0, FLASH_SECTOR, 8},
                                        {FLASH_BYTES, 0, 8}};
    for (size_t i = 0; i < LEN(wrong); i++) {
        begin();
        flash.device.size = wrong[i][0];
        flash.device.sector_size = wrong[i][1];
        flash.device.prog_size = wrong[i][2];
        assert_int_equal(acme_flash_init(&s, &flash.device), ACME_E_WORK_SMALL);
    }
    for (size_t i = 0; i < LEN(sectors); i++) {
        flash_new(&flash, false, 0xff);
        flash.device.sector_size = sectors[i];
        flash.device.prog_size = 8;
        if (FLASH_BYTES / sectors[i] > FLASH_SECTORS) {
            continue; /* the memory counts no more */
        }
        restart();
        assert_int_equal(s.places, i + 1 == LEN(sectors) ? 3 : 4);
        tell_story(true);
    }
    /* with three places a record that makes a new log ends a chain being received */
    assert_int_equal(append("") + append("leaf\n"), 0);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(put(ACME_RECORD_ORDER, LONG), 0);
    }
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(append("") + append("leaf\n") + commit(), 0);
    assert_true(holds(ACME_RECORD_CHAIN, "leaf\n") && holds(ACME_RECORD_KEY, KEY_1));
    assert_int_equal(flash.misused, 0);
}

TEST(test_sizes)
{
    static char big[FLASH_PLACE];
    const unsigned room = FLASH_PLACE - 4 * BLOCK; /* headers: of the place, twice, and of the chain; the key's */
    memset(big, 'x', sizeof big);
    begin_with(false, 0xff, 32, true);
    assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, KEY_1), 0);
    for (unsigned i = 0; i < 3; i++) { /* every record at its longest */
        assert_int_equal(s.store.put(&s, ACME_RECORD_ORDER, big, ACME_WORK_MIN), 0);
        assert_int_equal(s.store.put(&s, ACME_RECORD_ACCOUNT, big, ACME_WORK_MIN), 0);
        assert_int_equal(s.store.put(&s, ACME_RECORD_KEY_NEXT, big, 512), 0);
        assert_int_equal(s.store.put(&s, 6, big, 512), 0);
        assert_int_equal(get(ACME_RECORD_ORDER, NULL, 0), ACME_WORK_MIN);
        assert_int_equal(s.store.put(&s, ACME_RECORD_ORDER, big, ACME_WORK_MIN + 1), ACME_E_STORE_WRITE);
        restart();
        assert_int_equal(get(ACME_RECORD_ORDER, NULL, 0), ACME_WORK_MIN);
        assert_int_equal(get(ACME_RECORD_ACCOUNT, big, ACME_WORK_MIN), ACME_WORK_MIN);
        assert_true(holds(ACME_RECORD_ACCOUNT_KEY, KEY_1));
    }
    assert_int_equal(put(ACME_RECORD_KEY, "not to be put"), ACME_E_STORE_WRITE);
    assert_int_equal(put(ACME_RECORD_CHAIN, "not to be put"), ACME_E_STORE_WRITE);

    /* the chain may fill what the key leaves, not more */
    begin();
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 1\n"), 0);
    assert_int_equal(append("") + s.store.append(&s, big, room - 31), 0);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(append("") + s.store.append(&s, big, room - 32), 0);
    assert_int_equal(commit(), 0);
    restart();
    assert_int_equal(get(ACME_RECORD_CHAIN, NULL, 0), room - 32);
    assert_true(holds(ACME_RECORD_KEY, "key 1\n"));

    /* one that was too large cannot be put in use without its end */
    assert_int_equal(put(ACME_RECORD_KEY_NEXT, "key 2\n"), 0);
    assert_int_equal(append("") + s.store.append(&s, big, room + 32), 0);
    assert_int_equal(append(LINE), ACME_E_STORE_WRITE);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(append("") + s.store.append(&s, big, room - 100), 0);
    assert_int_equal(s.store.append(&s, big, 164), ACME_E_STORE_WRITE);
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(append("more"), ACME_E_STORE_WRITE);
    assert_true(holds(ACME_RECORD_KEY, "key 1\n"));
    assert_int_equal(get(ACME_RECORD_CHAIN, NULL, 0), room - 32);
    assert_int_equal(flash.misused, 0);
}

TEST(test_order_of_calls)
{
    begin();
    assert_int_equal(commit(), ACME_E_STORE_WRITE);
    assert_int_equal(append("no beginning"), ACME_E_STORE_WRITE);
    assert_int_equal(append(""), 0);
    assert_int_equal(commit(), ACME_E_STORE_WRITE); /* nothing received */
    assert_int_equal(append("") + append("leaf 0\n") + commit(), 0);
    assert_true(holds(ACME_RECORD_CHAIN, "leaf 0\n"));
    restart();
    assert_true(holds(ACME_RECORD_CHAIN, "leaf 0\n"));
    assert_int_equal(bring("key 1\n", "leaf 1\n"), 0);
    assert_int_equal(append("") + append("leaf 2\n"), 0);
    assert_int_equal(commit(), ACME_E_STORE_WRITE); /* without a key, when there was one */
    assert_int_equal(commit(), ACME_E_STORE_WRITE); /* nor is it taken up again */
    assert_true(holds(ACME_RECORD_CHAIN, "leaf 1\n") && holds(ACME_RECORD_KEY, "key 1\n"));
    assert_int_equal(flash.misused, 0);
}

/* A length that leads beyond the place, with a right checksum: of a memory that was divided otherwise. */
TEST(test_foreign_header)
{
    static const uint32_t lengths[] = {FLASH_PLACE - 3 * BLOCK + 1, FLASH_PLACE, UINT32_MAX - 31, UINT32_MAX};
    for (size_t i = 0; i < LEN(lengths); i++) {
        begin();
        assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "the account key\n") + put(ACME_RECORD_ORDER, "order\n"), 0);
        uint8_t *h = flash.bytes + s.record[ACME_RECORD_ORDER].at;
        for (size_t byte = 0; byte < 4; byte++) {
            h[8 + byte] = (uint8_t)(lengths[i] >> 8 * byte);
        }
        uint32_t crc = acme_flash_crc(0, h, 16);
        for (size_t byte = 0; byte < 4; byte++) {
            h[16 + byte] = (uint8_t)(crc >> 8 * byte);
        }
        restart();
        assert_int_equal(get(ACME_RECORD_ORDER, NULL, 0), 0);
        assert_true(holds(ACME_RECORD_ACCOUNT_KEY, "the account key\n"));
    }
}

/* The layout of before 2026-12 has an account key that this one cannot find: it is not taken for an empty store. */
TEST(test_former_layout)
{
    for (uint32_t sector = 0; sector < 3; sector++) {
        begin();
        memcpy(flash.bytes + sector * FLASH_SECTOR, "ame1", 4);
        assert_int_equal(acme_flash_init(&s, &flash.device), sector < 2 ? ACME_E_STORE_READ : 0);
    }
    assert_int_equal(acme_flash_crc(0, "123456789", 9), 0xcbf43926);
}

static uint32_t moves(void)
{
    return s.latest;
}

/* Records of an image to come, and then of this one only: what the other has noted is there when it comes back, the last version
 * of each kind. */
TEST(test_guests)
{
    static char text[8][40];
    for (unsigned unit = 0; unit < LEN(units); unit++) {
        begin_with(false, 0xff, units[unit], unit % 2);
        assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, KEY_1), 0);
        for (unsigned i = 0; i < 8; i++) {
            assert_int_equal(put(8 + i, "an older version\n"), 0);
            snprintf(text[i], sizeof text[i], "kind %u of an image to come\n", 8 + i);
            assert_int_equal(put(8 + i, i == 3 ? "" : text[i]), 0);
        }
        const uint32_t begun = moves();
        for (unsigned n = 0; n < 30; n++) {
            assert_int_equal(put(ACME_RECORD_ORDER, n % 2 ? LONG : "order\n"), 0);
            if (n % 7 == 0) {
                assert_int_equal(bring(KEY_2, "leaf\n"), 0);
            }
            if (n % 3 == 0) {
                restart();
            }
        }
        assert_true(moves() - begun > 8);
        for (unsigned i = 0; i < 8; i++) {
            assert_true(holds(8 + i, i == 3 ? "" : text[i]));
        }
        assert_true(holds(ACME_RECORD_ACCOUNT_KEY, KEY_1));
        assert_int_equal(flash.misused, 0);
    }
}

/* They take half a place at most, and never that of what is ours. Of what fits the one that fades serves from its copy. */
TEST(test_guests_are_bounded)
{
    static char big[ACME_WORK_MIN];
    memset(big, 'x', sizeof big);
    begin_with(false, 0xff, 8, true);
    assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, KEY_1) + put(8, "small\n"), 0);
    for (unsigned i = 9; i < 16; i++) {
        assert_int_equal(s.store.put(&s, (enum acme_record)i, big, 700), 0);
    }
    for (unsigned n = 0; n < 6; n++) { /* every record of ours at its longest */
        assert_int_equal(s.store.put(&s, ACME_RECORD_ORDER, big, ACME_WORK_MIN), 0);
        assert_int_equal(s.store.put(&s, ACME_RECORD_ACCOUNT, big, ACME_WORK_MIN), 0);
        assert_int_equal(s.store.put(&s, ACME_RECORD_RENEWAL, big, 1024), 0);
        restart();
        assert_int_equal(get(ACME_RECORD_ORDER, NULL, 0), ACME_WORK_MIN);
        assert_true(holds(ACME_RECORD_ACCOUNT_KEY, KEY_1));
    }
    begin_with(false, 0xff, 8, true);
    assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, KEY_1), 0);
    for (unsigned i = 8; i < 16; i++) {
        assert_int_equal(s.store.put(&s, (enum acme_record)i, big, 700), 0);
    }
    for (unsigned n = 0, kept; n < 6; n++) { /* with small ones there is room for some, always the same */
        const uint32_t begun = moves();
        while (moves() == begun) {
            assert_int_equal(put(ACME_RECORD_ORDER, LONG), 0);
        }
        kept = 0;
        for (unsigned i = 8; i < 16; i++) {
            kept += get(i, NULL, 0) == 700;
        }
        assert_int_equal(kept, 2);
        assert_int_equal(get(8, NULL, 0) + get(9, NULL, 0), 1400);
        restart();
    }
    flash_flip(&flash, s.record[8].at + BLOCK + 3, 1);
    restart();
    assert_int_equal(get(8, big, sizeof big), 700);
    assert_int_equal(flash.misused, 0);
}

/* An image to come has filled the log as it likes, and is put aside; then it is back. This one finds and keeps what is its own, does
 * not make a new log each time for want of room, and leaves of the other's records whole ones or none. */
TEST(test_image_to_come)
{
    static char big[ACME_WORK_MIN], read[ACME_WORK_MIN];
    memset(big, 'x', sizeof big);
    for (unsigned size = 8; size <= sizeof big; size += 136) {
        uint32_t begun;
        begin_with(false, 0xff, 8, true);
        assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, KEY_1) + put(ACME_RECORD_KEY_NEXT, KEY_2), 0);
        assert_int_equal(append("") + append("leaf 1\n") + commit() + put(ACME_RECORD_RENEWAL, TEN), 0);
        assert_int_equal(later_init(&s, &flash.device), 0);
        assert_int_equal(put(8, "small\n"), 0);
        for (unsigned i = 9; i < ACME_FLASH_KINDS; i++) { /* as long as there is room even for the most of ours */
            (void)s.store.put(s.store.ctx, (enum acme_record)i, big, size);
        }
        assert_true(holds(ACME_RECORD_ACCOUNT_KEY, KEY_1) && holds(ACME_RECORD_RENEWAL, TEN) && holds(8, "small\n"));
        restart();
        begun = moves();
        for (unsigned n = 0; n < 40; n++) {
            assert_int_equal(put(ACME_RECORD_ORDER, n % 2 ? "order 1\n" : "order 2\n"), 0);
        }
        assert_true(moves() - begun <= 4);
        assert_true(holds(ACME_RECORD_ACCOUNT_KEY, KEY_1) && holds(ACME_RECORD_RENEWAL, TEN));
        assert_true(holds(ACME_RECORD_KEY, KEY_2) && holds(ACME_RECORD_CHAIN, "leaf 1\n"));
        assert_int_equal(later_init(&s, &flash.device), 0);
        assert_true(holds(ACME_RECORD_ACCOUNT_KEY, KEY_1) && holds(ACME_RECORD_ORDER, "order 1\n") &&
                    holds(8, "small\n"));
        for (unsigned i = 9; i < ACME_FLASH_KINDS; i++) {
            int len = get(i, read, sizeof read);
            assert_true(len == 0 || (len == (int)size && memcmp(read, big, size) == 0));
            assert_true(len > 0 || size > 200);
        }
        assert_int_equal(flash.misused, 0);
    }
}

/* What an image to come keeps beside the pair goes with the pair. */
TEST(test_guest_of_the_pair)
{
    struct acme_flash_writer w;
    begin_with(false, 0xff, 8, false);
    assert_int_equal(bring(KEY_1, "leaf 1\n"), 0);
    w = s.incoming; /* behind the chain's last copy */
    acme_flash_item_begin(&w);
    assert_int_equal(acme_flash_item_add(&s, &w, "beside\n", 7) + acme_flash_item_end(&s, &w, 9), 0);
    restart();
    assert_true(holds(ACME_RECORD_KEY, KEY_1) && holds(ACME_RECORD_CHAIN, "leaf 1\n") && holds(9, ""));
}
