/* test_stores.c - port/stores on media whose power goes at every byte and every call, that fill up, fade, or cannot be read. */
#include "fake/media.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shelf.h"
#include "unit.h"

enum kind { REPLACING, REMOVING, TWO_NAMES, VALUES, KINDS };

struct device {
    enum kind kind;
    struct media media;
    struct acme_files_store files;
    struct acme_kv_store kv;
};
static struct device d, then;

static bool is_secret(unsigned record)
{
    return record == ACME_RECORD_ACCOUNT_KEY || record == ACME_RECORD_KEY_NEXT || record == ACME_RECORD_KEY ||
           record == ACME_RECORD_CHAIN || record == ACME_RECORD_ACCOUNT_KEY_NEXT;
}

#define KEY_1 "key 1: as long as it takes to be more than one of the pieces that are moved at a time, which have 64\n"
#define KEY_2 "key 2, shorter\n"
#define LINE  "MIIBCgKCAQEA+xGZ/wcz9ugFpP07Nspo6U17l0YhFiFpxxU4pTk3Lifz9R3zsIsu\n"
#define TEN   LINE LINE LINE LINE LINE LINE LINE LINE LINE LINE

static const struct op story[] = {
    {PUT, ACME_RECORD_ACCOUNT_KEY, "the account key\n"},
    {PUT, ACME_RECORD_ACCOUNT, "account 1\n"},
    {PUT, ACME_RECORD_ORDER, "order 1\n"},
    {PUT, ACME_RECORD_KEY_NEXT, KEY_1},
    {PUT, ACME_RECORD_ORDER, "order 1, looked at\n"},
    {APPEND, ACME_RECORD_CHAIN, ""},
    {APPEND, ACME_RECORD_CHAIN, "leaf 1\n"},
    {PUT, ACME_RECORD_RENEWAL, "renewal 1\n"}, /* in the middle of a chain */
    {APPEND, ACME_RECORD_CHAIN, TEN TEN},
    {COMMIT, ACME_RECORD_CHAIN, "leaf 1\n" TEN TEN},
    {PUT, ACME_RECORD_ACCOUNT_KEY_NEXT, KEY_2},
    {PUT, ACME_RECORD_ACCOUNT_KEY, KEY_2},
    {PUT, ACME_RECORD_ACCOUNT_KEY_NEXT, ""},
    {PUT, ACME_RECORD_ORDER, TEN TEN},
    {PUT, ACME_RECORD_ORDER, ""},
    {PUT, ACME_RECORD_ACCOUNT, ""},
    {PUT, ACME_RECORD_ACCOUNT, "account 2\n"},
    {PUT, ACME_RECORD_ORDER, "order 2\n"},
    {PUT, ACME_RECORD_KEY_NEXT, KEY_2},
    {APPEND, ACME_RECORD_CHAIN, ""},
    {APPEND, ACME_RECORD_CHAIN, LINE},
    {APPEND, ACME_RECORD_CHAIN, LINE},
    {COMMIT, ACME_RECORD_CHAIN, LINE LINE},
    {PUT, ACME_RECORD_ORDER, "order 3\n"},
    {PUT, ACME_RECORD_KEY_NEXT, KEY_1},
    {APPEND, ACME_RECORD_CHAIN, ""},
    {APPEND, ACME_RECORD_CHAIN, "leaf 3\n"},
    {COMMIT, ACME_RECORD_CHAIN, "leaf 3\n"},
    {PUT, ACME_RECORD_RENEWAL, TEN},
};

static void restart(void)
{
    media_on(&d.media);
    memset(&d.files, 0xa5, sizeof d.files);
    memset(&d.kv, 0xa5, sizeof d.kv);
    acme_files_init(&d.files, &d.media.files);
    assert_int_equal(acme_kv_init(&d.kv, &d.media.kv), 0);
}

static void begin(enum kind kind)
{
    memset(&d, 0, sizeof d);
    d.kind = kind;
    media_new(&d.media, kind <= REMOVING);
    d.media.removes_first = kind == REMOVING;
    shelf = (struct shelf){.store = kind == VALUES ? &d.kv.store : &d.files.store,
                           .kinds = ACME_RECORD_COUNT,
                           .story = story,
                           .length = LEN(story),
                           .restart = restart,
                           .misused = &d.media.misused,
                           .which = kind};
    restart();
}

static void cut_everywhere(enum kind kind)
{
    unsigned cuts = 0;
    begin(kind);
    for (size_t at = 0; at < LEN(story); at++) {
        media_on(&then.media);
        d.media.steps = 0;
        then = d;
        assert_int_equal(carry_out(&story[at]), 0);
        const unsigned steps = d.media.steps;
        for (unsigned cut = 1; cut <= steps; cut++) {
            const bool edge = cut < 4 || cut + 30 > steps || cut % 64 < 2;
            for (unsigned how = 0; how < MEDIA_CUTS; how++) {
                if (!edge && cut % MEDIA_CUTS != how) {
                    continue;
                }
                d = then;
                if (d.kind == VALUES) {
                    d.kv.kv = &d.media.kv;
                }
                d.media.cut_at = cut;
                d.media.how = how;
                (void)carry_out(&story[at]);
                assert_true(d.media.off);
                restart();
                check_cut(at);
                cuts++;
                if (cut % 50 == how) {
                    go_on(at);
                }
            }
        }
        d = then;
        assert_int_equal(carry_out(&story[at]), 0);
    }
    check_end();
    print_message("%u cuts\n", cuts);
}

TEST(test_cut)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        cut_everywhere(kind);
    }
}

/* Two cuts, one behind the other, while a record is replaced, and then replaced or removed: what was there before the second one is
 * there, or what it brings, and no version of before. */
TEST(test_cut_twice)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        begin(kind);
        assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "version 1\n"), 0);
        d.media.steps = 0;
        then = d;
        assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "version 2, longer\n"), 0);
        const unsigned steps = d.media.steps;
        for (unsigned n = 0; n < (steps + 1) * (steps + 8) * 2; n++) {
            const unsigned first = n / 2 / (steps + 8), second = 1 + n / 2 % (steps + 8);
            const char *last = n % 2 ? "version 3\n" : "", *now;
            d = then;
            d.media.cut_at = first;
            d.media.how = (first + second) % MEDIA_CUTS;
            (void)put(ACME_RECORD_ACCOUNT_KEY, "version 2, longer\n");
            restart();
            now = holds(ACME_RECORD_ACCOUNT_KEY, "version 1\n") ? "version 1\n" : "version 2, longer\n";
            assert_true(holds(ACME_RECORD_ACCOUNT_KEY, now));
            d.media.cut_at = second;
            d.media.how = n / 7 % MEDIA_CUTS;
            const bool done = put(ACME_RECORD_ACCOUNT_KEY, last) == 0;
            restart();
            assert_true(holds(ACME_RECORD_ACCOUNT_KEY, last) || (!done && holds(ACME_RECORD_ACCOUNT_KEY, now)));
            assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, "version 4\n"), 0);
            assert_true(holds(ACME_RECORD_ACCOUNT_KEY, "version 4\n"));
        }
        assert_int_equal(d.media.misused, 0);
    }
}

/* What is written does not stay, and nobody says so: it is noticed, or another copy serves. */
TEST(test_spoiled)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        begin(kind);
        for (size_t at = 0; at < LEN(story); at++) {
            d.media.steps = 0;
            then = d;
            assert_int_equal(carry_out(&story[at]), 0);
            const unsigned steps = d.media.steps;
            for (unsigned n = 1; n <= steps && story[at].what != APPEND; n += n > 40 && n + 40 < steps ? 37 : 1) {
                d = then;
                d.media.spoiled = n;
                const bool good = carry_out(&story[at]) == 0;
                restart();
                check_cut(at);
                assert_true(!good || story[at].what != PUT || holds(story[at].record, story[at].text));
                assert_true(!good || story[at].what != COMMIT || holds(ACME_RECORD_CHAIN, story[at].text));
            }
            d = then;
            assert_int_equal(carry_out(&story[at]), 0);
        }
    }
}

/* A step that fails, as on a full medium: the call says so or all is well, and nothing is lost. */
TEST(test_failed_step)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        begin(kind);
        for (size_t at = 0; at < LEN(story); at++) {
            d.media.steps = 0;
            then = d;
            assert_int_equal(carry_out(&story[at]), 0);
            const unsigned steps = d.media.steps;
            for (unsigned failing = 1; failing <= steps; failing += failing > 40 && failing + 40 < steps ? 37 : 1) {
                d = then;
                d.media.failing = failing;
                const bool good = carry_out(&story[at]) == 0;
                restart();
                if (good && story[at].what == PUT) {
                    assert_true(holds(story[at].record, story[at].text));
                }
                check_cut(at);
            }
            d = then;
            assert_int_equal(carry_out(&story[at]), 0);
        }
    }
}

/* The bytes of everything that is stored, one by one, fade. A key is what it was, or an error; never absent, never another. */
TEST(test_fading)
{
    const char *want[SHELF_KINDS];
    tell(want, LEN(story));
    for (unsigned kind = 0; kind < KINDS; kind++) {
        begin(kind);
        carry_out_all();
        assert_int_equal(put(ACME_RECORD_KEY_NEXT, want[ACME_RECORD_KEY_NEXT] = KEY_2), 0);
        then = d;
        for (unsigned n = 0; n < MEDIA_FILES + MEDIA_KEYS; n++) {
            const struct media *m = &then.media;
            const bool file = n < MEDIA_FILES;
            const uint32_t len = file ? m->file[n].name[0] != '\0' ? m->file[n].len : 0
                                 : m->value[n - MEDIA_FILES].key[0] != '\0' ? m->value[n - MEDIA_FILES].len
                                                                            : 0;
            for (uint32_t i = 0; i <= len && len > 0; i++) { /* len: it is cut to nothing */
                d = then;
                if (i < len) {
                    *(file ? &d.media.file[n].bytes[i] : &d.media.value[n - MEDIA_FILES].bytes[i]) ^=
                        (uint8_t)(1u << i % 8);
                } else {
                    *(file ? &d.media.file[n].len : &d.media.value[n - MEDIA_FILES].len) = 0;
                }
                restart();
                for (unsigned r = 0; r < ACME_RECORD_COUNT; r++) {
                    char buf[4000];
                    const bool right = holds(r, want[r]);
                    const int is = get(r, buf, sizeof buf);
                    if (!right && is != ACME_E_STORE_READ && (is != 0 || is_secret(r)) &&
                        !(kind == TWO_NAMES && (r == ACME_RECORD_KEY || r == ACME_RECORD_CHAIN))) {
                        fail_msg("kind %u, byte %u of %u: record %u is %d", kind, i, n, r, is);
                    }
                    if (kind == TWO_NAMES && r != ACME_RECORD_KEY && r != ACME_RECORD_CHAIN) {
                        assert_true(right); /* the other copy serves */
                    }
                    assert_true(is != 0 || want[r][0] == '\0' || !is_secret(r));
                }
            }
        }
    }
}

/* Without a replacing rename an older pair takes the place of one that fades: key and chain of one time, and both whole. */
TEST(test_fading_pair)
{
    begin(TWO_NAMES);
    carry_out_all();
    for (unsigned n = 0; n < MEDIA_FILES; n++) {
        if (strncmp(d.media.file[n].name, "ACME1.A", 7) == 0) {
            d.media.file[n].bytes[2] ^= 1;
        }
    }
    assert_true(holds(ACME_RECORD_CHAIN, LINE LINE) && holds(ACME_RECORD_KEY, KEY_2));
    assert_int_equal(append(""), 0); /* into the place of the damaged one */
    restart();
    assert_true(holds(ACME_RECORD_CHAIN, LINE LINE) && holds(ACME_RECORD_KEY, KEY_2));
}

/* The first pair, alone, fades: it is not taken for none. */
TEST(test_fading_first_pair)
{
    begin(TWO_NAMES);
    assert_int_equal(bring(KEY_1, LINE), 0);
    for (unsigned n = 0; n < MEDIA_FILES; n++) {
        if (strcmp(d.media.file[n].name, "ACME1.A") == 0) {
            d.media.file[n].bytes[2] ^= 1;
        }
    }
    assert_int_equal(get(ACME_RECORD_KEY, NULL, 0), ACME_E_STORE_READ);
    assert_int_equal(get(ACME_RECORD_CHAIN, NULL, 0), ACME_E_STORE_READ);
}

/* A medium that cannot be read is no empty one, and nothing is made in use over it. */
TEST(test_unreadable)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        begin(kind);
        assert_int_equal(put(ACME_RECORD_ACCOUNT_KEY, KEY_1) + bring(KEY_2, LINE), 0);
        assert_int_equal(put(ACME_RECORD_KEY_NEXT, KEY_1) + append("") + append(LINE LINE), 0);
        d.media.unreadable = true;
        for (unsigned r = 0; r < ACME_RECORD_COUNT; r++) {
            assert_true(get(r, NULL, 0) == ACME_E_STORE_READ || !is_secret(r));
        }
        assert_int_equal(commit(), ACME_E_STORE_WRITE);
        d.media.unreadable = false;
        restart();
        assert_true(holds(ACME_RECORD_ACCOUNT_KEY, KEY_1) && holds(ACME_RECORD_KEY, KEY_2) &&
                    holds(ACME_RECORD_CHAIN, LINE));
    }
}

/* Calls in an order the client does not make. */
TEST(test_order_of_calls)
{
    static char big[ACME_WORK_MIN + 1];
    for (unsigned kind = 0; kind < KINDS; kind++) {
        begin(kind);
        assert_int_equal(append("a line\n"), ACME_E_STORE_WRITE);
        assert_int_equal(commit(), ACME_E_STORE_WRITE);
        assert_int_equal(append(""), 0);
        assert_int_equal(commit(), ACME_E_STORE_WRITE); /* nothing received */
        assert_int_equal(commit(), ACME_E_STORE_WRITE);
        assert_int_equal(append("") + append("") + append("leaf\n") + commit(), 0); /* a key elsewhere */
        assert_int_equal(append("more\n"), ACME_E_STORE_WRITE);
        assert_int_equal(append("") + append("leaf 2\n") + commit(), 0);
        assert_true(holds(ACME_RECORD_CHAIN, "leaf 2\n") && holds(ACME_RECORD_KEY, ""));
        assert_int_equal(bring(KEY_1, "leaf 3\n"), 0);
        assert_int_equal(append("") + append("leaf 4\n"), 0);
        assert_int_equal(commit(), ACME_E_STORE_WRITE); /* a key was in use: another is needed */
        assert_true(holds(ACME_RECORD_CHAIN, "leaf 3\n") && holds(ACME_RECORD_KEY, KEY_1));
        assert_int_equal(put(ACME_RECORD_KEY, KEY_1), ACME_E_STORE_WRITE);
        assert_int_equal(put(ACME_RECORD_CHAIN, KEY_1), ACME_E_STORE_WRITE);
        assert_int_equal(shelf.store->put(shelf.store->ctx, ACME_RECORD_ORDER, big, sizeof big), ACME_E_STORE_WRITE);
        assert_int_equal(d.media.misused, 0);
    }
    assert_int_equal(acme_kv_init_sized(&d.kv, 1, &d.media.kv), ACME_E_SIZE);
}

/* A chain of every length around the ends of pieces. */
TEST(test_lengths)
{
    static char chain[3 * ACME_KV_VALUE + 3], read[sizeof chain];
    memset(chain, 'c', sizeof chain);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (size_t len = 1; len < sizeof chain;
             len += len % ACME_KV_VALUE < 2 || len % ACME_KV_VALUE > ACME_KV_VALUE - 3 ? 1 : 170) {
            begin(kind);
            assert_int_equal(put(ACME_RECORD_KEY_NEXT, KEY_1) + append(""), 0);
            assert_int_equal(shelf.store->append(shelf.store->ctx, chain, len / 2),
                             len / 2 > 0 ? 0 : shelf.store->append(shelf.store->ctx, chain, 0));
            assert_int_equal(shelf.store->append(shelf.store->ctx, chain, len - len / 2) + commit(), 0);
            restart();
            assert_int_equal(get(ACME_RECORD_CHAIN, read, sizeof read), len);
            assert_memory_equal(read, chain, len);
            memset(read, '#', sizeof read);
            assert_int_equal(get(ACME_RECORD_CHAIN, read, len - 1), len);
            assert_int_equal(read[len - 1], '#');
            assert_true(holds(ACME_RECORD_KEY, KEY_1));
        }
    }
}
