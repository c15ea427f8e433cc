/* What is remembered of renewing: the record, and what follows from it once the pair in use is known. */
#include "maker.h"

#include "lifecycle/renewal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "nanoacme-renewal 1\n"
#define END  "end\n"

static char text[8000];

static uint32_t roll(void)
{
    static uint64_t dice = 88172645463325252u;
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)(dice >> 24);
}

static struct acme_renewal read_text(const char *record)
{
    struct acme_renewal r;
    acme_renewal_read(&r, acme_slice_of(record));
    return r;
}

static size_t write_over(const struct acme_renewal *r, struct acme_slice before)
{
    struct acme_out o;
    acme_out_init(&o, text, sizeof text - 1);
    acme_renewal_write(&o, r, before);
    assert_false(o.overflow);
    assert_true(o.len <= ACME_RENEWAL_MAX);
    text[o.len] = '\0';
    return o.len;
}

static struct acme_mark any_mark(void)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct acme_mark m = {""};
    for (unsigned i = 0; i < ACME_MARK_LEN; i++) {
        m.text[i] = letters[roll() % 64];
    }
    return m;
}

static uint32_t any_number(void)
{
    static const uint32_t special[] = {0,          1,          9,          10,         999999999, 1000000000,
                                       1000000001, 1790000000, 0x7fffffff, 0x80000000, UINT32_MAX};
    uint32_t n = roll() % 20;
    return n < 11 ? special[n] : roll();
}

/* Compared member by member; what lies between them is nobody's. */
static void assert_same(const struct acme_renewal *a, const struct acme_renewal *b)
{
    assert_string_equal(a->setup.text, b->setup.text);
    assert_string_equal(a->wants.text, b->wants.text);
    assert_string_equal(a->pair.text, b->pair.text);
    assert_string_equal(a->window.text, b->window.text);
    assert_string_equal(a->cause.text, b->cause.text);
    assert_string_equal(a->deployed.text, b->deployed.text);
    assert_int_equal(a->deploys, b->deploys);
    assert_int_equal(a->spent, b->spent);
    assert_int_equal(a->tried, b->tried);
    assert_int_equal(a->next, b->next);
    assert_int_equal(a->start, b->start);
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->chosen, b->chosen);
    assert_int_equal(a->look, b->look);
    assert_int_equal(a->deploy_next, b->deploy_next);
    assert_int_equal(a->failures, b->failures);
    assert_int_equal(a->urgent, b->urgent);
    assert_int_equal(a->deploy_failures, b->deploy_failures);
    assert_int_equal(a->stopped, b->stopped);
}

static struct acme_renewal any_renewal(void)
{
    struct acme_renewal r;
    memset(&r, 0, sizeof r);
    struct acme_mark *marks[] = {&r.setup, &r.wants, &r.pair, &r.window, &r.cause, &r.deployed};
    uint32_t *numbers[] = {&r.tried,    &r.next,   &r.start,           &r.end,    &r.chosen, &r.look, &r.deploy_next,
                           &r.failures, &r.urgent, &r.deploy_failures, &r.stopped};
    for (unsigned i = 0; i < 6; i++) {
        if (roll() % 4 > 0) {
            *marks[i] = any_mark();
        }
    }
    for (unsigned i = 0; i < 11; i++) {
        *numbers[i] = any_number();
    }
    r.deploys = roll() % 2;
    r.spent = roll() % 2;
    return r;
}

static const struct acme_renewal nothing;
static const struct acme_slice none;

TEST(every_member_comes_back)
{
    for (unsigned i = 0; i < 20000; i++) {
        struct acme_renewal r = any_renewal(), back;
        size_t len = write_over(&r, none);
        acme_renewal_read(&back, acme_slice(text, len));
        assert_same(&r, &back);
    }
}

/* Those of images that count in 64 bits: what is later than 2106 is the end of time, as everywhere. */
TEST(numbers_larger_than_ours_are_the_largest)
{
    static const char *const large[] = {"4294967295", "4294967296", "99999999999", "100000000000",
                                        "99999999999999999999999999"};
    char record[300];
    for (unsigned i = 0; i < sizeof large / sizeof large[0]; i++) {
        snprintf(record, sizeof record, HEAD "tried %s\nfailures %s\nnext 5\n" END, large[i], large[i]);
        struct acme_renewal r = read_text(record);
        assert_int_equal(r.tried, UINT32_MAX);
        assert_int_equal(r.failures, UINT32_MAX);
        assert_int_equal(r.next, 5);
    }
}

TEST(the_largest_there_can_be_fits)
{
    struct acme_renewal r = any_renewal();
    r.setup = r.wants = r.pair = r.window = r.cause = r.deployed = any_mark();
    r.tried = r.next = r.start = r.end = r.chosen = r.look = r.deploy_next = UINT32_MAX;
    r.failures = r.urgent = r.deploy_failures = r.stopped = UINT32_MAX;
    r.deploys = r.spent = true;
    size_t len = write_over(&r, none);
    assert_true(len < ACME_RENEWAL_MAX / 2); /* as much again is left to other images */
}

TEST(one_that_was_cut_is_none)
{
    for (unsigned i = 0; i < 200; i++) {
        struct acme_renewal r = any_renewal(), back;
        size_t len = write_over(&r, acme_slice_of(HEAD "colour blue\n\nx\n" END));
        for (size_t cut = 0; cut < len; cut++) {
            acme_renewal_read(&back, acme_slice(text, cut));
            assert_same(&back, &nothing);
        }
    }
}

TEST(lines_come_in_any_order)
{
    char *line[40], shuffled[4096], copy[4096];
    for (unsigned round = 0; round < 200; round++) {
        struct acme_renewal r = any_renewal(), back;
        (void)write_over(&r, acme_slice_of(HEAD "colour blue\nnew-thing 1 2 3\n" END));
        unsigned count = 0;
        strcpy(copy, text + strlen(HEAD));
        for (char *at = strtok(copy, "\n"); at != NULL; at = strtok(NULL, "\n")) {
            line[count++] = at;
        }
        count--; /* "end" */
        for (unsigned i = count; i > 1; i--) {
            unsigned other = roll() % i;
            char *kept = line[i - 1];
            line[i - 1] = line[other];
            line[other] = kept;
        }
        size_t at = (size_t)snprintf(shuffled, sizeof shuffled, HEAD);
        for (unsigned i = 0; i < count; i++) {
            at += (size_t)snprintf(shuffled + at, sizeof shuffled - at, "%s\n", line[i]);
        }
        snprintf(shuffled + at, sizeof shuffled - at, END);
        back = read_text(shuffled);
        assert_same(&r, &back);
    }
}

TEST(other_records_are_none)
{
    static const char *const all[] = {"",
                                      "\n",
                                      END,
                                      "\nend\n",
                                      "failures 3\nend\n",
                                      "nanoacme-renewal 2\nfailures 3\nend\n",
                                      "nanoacme-renewal 10\nfailures 3\nend\n",
                                      "nanoacme-renewal 1 \nfailures 3\nend\n",
                                      "nanoacme-renewal\nfailures 3\nend\n",
                                      "nanoacme-order 1\nfailures 3\nend\n",
                                      "Nanoacme-renewal 1\nfailures 3\nend\n",
                                      HEAD "failures 3\nend",
                                      HEAD "failures 3\nend\n\n",
                                      HEAD "failures 3\nend \n",
                                      HEAD "failures 3\n"};
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct acme_renewal r = read_text(all[i]);
        assert_same(&r, &nothing);
        write_over(&nothing, acme_slice_of(all[i])); /* and nothing of it is carried on */
        assert_string_equal(text, HEAD END);
    }
}

TEST(a_value_that_is_none_costs_only_its_line)
{
    static const char *const numbers[] = {"",   " ",  "x",   "-1",  "+1",  "1x",  "0x10",
                                          "1 ", " 1", "1.5", "1e3", "\t1", "\xff"};
    static const char *const marks[] = {"",
                                        "AAAAAAAAAAA",
                                        "AAAAAAAAAAAAA",
                                        "AAAAAAAAAAA=",
                                        "AAAAAAAAAAA ",
                                        "AAAAAA/AAAAA",
                                        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
    static const char *const flags[] = {"", "0", "2", "true", "11", "1 ", "-1"};
    char record[300];
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(record, sizeof record, HEAD "tried %s\nfailures %s\nnext 5\nurgent 7\n" END, numbers[i], numbers[i]);
        struct acme_renewal r = read_text(record);
        assert_int_equal(r.tried, 0);
        assert_int_equal(r.failures, 0);
        assert_int_equal(r.next, 5);
        assert_int_equal(r.urgent, 7);
    }
    for (unsigned i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        snprintf(record, sizeof record, HEAD "pair %s\nsetup ABCDEFGHIJKL\n" END, marks[i]);
        struct acme_renewal r = read_text(record);
        assert_string_equal(r.pair.text, "");
        assert_string_equal(r.setup.text, "ABCDEFGHIJKL");
    }
    for (unsigned i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        snprintf(record, sizeof record, HEAD "spent %s\ndeploys 1\n" END, flags[i]);
        struct acme_renewal r = read_text(record);
        assert_false(r.spent);
        assert_true(r.deploys);
    }
    struct acme_renewal r = read_text(
        HEAD "failures 4294967296\nurgent 99999999999\nFailures 3\n failures 3\nfailures\nfailures3 \n" END);
    assert_int_equal(r.failures, UINT32_MAX); /* more than there are */
    assert_int_equal(r.urgent, UINT32_MAX);
    assert_int_equal(read_text(HEAD "next 0000000005\n" END).next, 5);
    assert_int_equal(read_text(HEAD "end\nnext 5\n" END).next, 5); /* only the last line ends it */
}

/* An update, the way back, and again, as in a loop of boots: neither image forgets what the other one knows. */
TEST(lines_of_other_images_stay)
{
    static const char other[] = "colour blue\nlater-thing 17 x  y\nanother\n";
    char theirs[1024], record[8200] = HEAD "failures 3\n"
                                           "colour blue\nlater-thing 17 x  y\nanother\n" END;
    for (unsigned flip = 0; flip < 1000; flip++) {
        struct acme_renewal r = read_text(record);
        assert_int_equal(r.failures, 3 + flip);
        r.failures++;
        r.next = any_number();
        (void)write_over(&r, acme_slice_of(record));
        const char *at = strstr(text, "colour");
        assert_non_null(at);
        assert_string_equal(at, (snprintf(theirs, sizeof theirs, "%s" END, other), theirs));
        /* the other image knows its own lines and `failures`; ours are unknown to it, and go behind */
        char *end = strstr(text, other);
        *end = '\0';
        snprintf(record, sizeof record, HEAD "%s%s" END, other, text + strlen(HEAD));
    }
}

TEST(what_is_too_long_is_left_out)
{
    char record[8192] = HEAD;
    struct acme_renewal r = any_renewal();
    r.failures = 5;
    for (unsigned i = 0; i < 200; i++) {
        snprintf(record + strlen(record), sizeof record - strlen(record), "other-%03u a value\n", i);
    }
    strcat(record, END);
    for (unsigned round = 0; round < 20; round++) { /* it does not grow */
        size_t len = write_over(&r, acme_slice_of(record));
        assert_true(len > ACME_RENEWAL_MAX - 40);
        assert_non_null(strstr(text, "other-000 a value\n"));
        assert_int_equal(read_text(text).failures, 5);
        strcpy(record, text);
    }
    for (size_t length = 0; length < 2000; length += 1 + length / 300) { /* one line of any length */
        size_t at = (size_t)snprintf(record, sizeof record, HEAD);
        memset(record + at, 'z', length);
        snprintf(record + at + length, sizeof record - at - length, "\nafter 1\n" END);
        size_t len = write_over(&nothing, acme_slice_of(record));
        assert_true((strstr(text, "zz") != NULL) == (length > 1 && len > strlen(HEAD "after 1\n" END)));
        bool full = len > ACME_RENEWAL_MAX - strlen("after 1\n");
        assert_true(full || strstr(text, "after 1\n") != NULL);
    }
}

TEST(garbage_does_no_harm)
{
    char record[600];
    for (unsigned i = 0; i < 20000; i++) {
        struct acme_renewal r = any_renewal(), back;
        size_t len = write_over(&r, none);
        memcpy(record, text, len);
        for (unsigned damages = 1 + roll() % 4; damages > 0; damages--) {
            record[strlen(HEAD) + roll() % (len - strlen(HEAD))] = (char)roll();
        }
        acme_renewal_read(&back, acme_slice(record, len));
        (void)write_over(&back, acme_slice(record, len));
    }
}

/* --- what follows */

static struct acme_mark mark(char c)
{
    struct acme_mark m = {""};
    memset(m.text, c, ACME_MARK_LEN);
    return m;
}

TEST(another_certificate_is_a_success)
{
    struct acme_mark old = mark('o'), new = mark('n'), setup = mark('s');
    struct acme_renewal r = nothing;
    r.pair = r.window = old;
    r.wants = setup;
    r.failures = 4;
    r.stopped = 88;
    r.next = r.deploy_next = 77;
    r.deploy_failures = 3;
    r.start = 1;
    r.end = 3;
    r.chosen = 2;
    r.look = 9;
    r.spent = true;
    struct acme_renewal before = r;
    acme_renewal_settle(&r, &new, &setup); /* nothing was tried */
    assert_int_equal(r.failures, 4);
    r = before;
    r.tried = before.tried = 50;
    acme_renewal_settle(&r, &old, &setup);
    assert_same(&r, &before);
    acme_renewal_settle(&r, &new, &setup);
    assert_int_equal(r.failures, 0);
    assert_int_equal(r.stopped, 0);
    assert_int_equal(r.next, 0);
    assert_int_equal(r.deploy_failures, 0);
    assert_int_equal(r.deploy_next, 0);
    assert_int_equal(r.start + r.end + r.chosen + r.look, 0); /* gone with its certificate */
    assert_false(r.spent);
    assert_string_equal(r.window.text, new.text);
    assert_string_equal(r.setup.text, setup.text);
    assert_string_equal(r.pair.text, new.text);
    struct acme_renewal once = r;
    acme_renewal_settle(&r, &new, &setup);
    assert_same(&once, &r);
    r = before; /* none can be read: that is no success */
    acme_renewal_settle(&r, &(struct acme_mark){""}, &setup);
    assert_int_equal(r.failures, 4);
    assert_int_equal(r.next, 77);
    assert_string_equal(r.window.text, "");
}

TEST(another_setup_begins_anew)
{
    struct acme_mark old = mark('o'), setup = mark('s'), other = mark('t');
    struct acme_renewal r = nothing;
    r.tried = 50;
    r.pair = r.window = old;
    r.wants = r.setup = setup;
    r.failures = 4;
    r.stopped = 88;
    r.next = 77;
    r.deploy_failures = 2;
    r.deploy_next = 66;
    r.chosen = 5;
    acme_renewal_settle(&r, &old, &other);
    assert_int_equal(r.failures, 0);
    assert_int_equal(r.stopped, 0);
    assert_int_equal(r.next, 0);
    assert_int_equal(r.deploy_next, 66); /* that is about the pair */
    assert_int_equal(r.chosen, 5);
    assert_string_equal(r.setup.text, setup.text);
}

static int of_byte(void *handle, uint8_t point[65])
{
    memset(point, *(const char *)handle, 65);
    return 0;
}

TEST(a_setup_has_a_mark)
{
    static const char *const names[] = {"a.example", "b.example"}, *const turned[] = {"B.example", "a.EXAMPLE"};
    static const char *const others[] = {"a.example", "c.example"};
    struct acme_setup s = {.names = names, .name_count = 2, .ca = {.directory_url = "https://ca.test/dir"}};
    struct acme_mark all[8];
    all[0] = acme_mark_of_setup(&s);
    s.names = turned;
    struct acme_mark same = acme_mark_of_setup(&s);
    assert_true(acme_mark_same(&all[0], &same));
    s.profile = "";
    same = acme_mark_of_setup(&s);
    assert_true(acme_mark_same(&all[0], &same));
    s.profile = "shortlived";
    all[1] = acme_mark_of_setup(&s);
    s.profile = NULL;
    s.names = others;
    all[2] = acme_mark_of_setup(&s);
    s.name_count = 1;
    all[3] = acme_mark_of_setup(&s);
    s.ca.directory_url = "https://ca.test/dir2";
    all[4] = acme_mark_of_setup(&s);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(strlen(all[i].text), ACME_MARK_LEN);
        for (unsigned j = 0; j < i; j++) {
            assert_false(acme_mark_same(&all[i], &all[j]));
        }
    }
    struct acme_mark leaf = acme_mark_of_leaf("abc", 3), leaf2 = acme_mark_of_leaf("abd", 3);
    assert_string_equal(leaf.text, "ungWv48Bz-pB"); /* FIPS 180-2's first example */
    assert_false(acme_mark_same(&leaf, &leaf2));
}

TEST(what_a_person_changes_has_a_mark)
{
    static char byte = 'a';
    static const struct acme_key_ops ops = {.point = of_byte};
    static const struct acme_solver http = {.type = "http-01"}, dns = {.type = "dns-01"};
    static const struct acme_solver *const two[] = {&http, &dns}, *const turned[] = {&dns, &http};
    struct acme_setup s = {.account_key = {&ops, &byte}, .solvers = two, .solver_count = 1};
    struct acme_mark all[8];
    unsigned count = 5;
    byte = 'a';
    all[0] = acme_mark_of_cause(&s);
    s.accept_terms = true;
    all[1] = acme_mark_of_cause(&s);
    s.solver_count = 2;
    all[2] = acme_mark_of_cause(&s);
    s.solvers = turned;
    struct acme_mark same = acme_mark_of_cause(&s);
    assert_true(acme_mark_same(&all[2], &same));
    s.profile_optional = true;
    all[3] = acme_mark_of_cause(&s);
    byte = 'b';
    all[4] = acme_mark_of_cause(&s);
#if ACME_CFG_EAB
    s.binding = (struct acme_binding){"", NULL, 0}; /* none */
    same = acme_mark_of_cause(&s);
    assert_true(acme_mark_same(&all[4], &same));
    s.binding = (struct acme_binding){"kid", "secret", 6};
    all[count++] = acme_mark_of_cause(&s);
    s.binding.mac_key = "Secret";
    all[count++] = acme_mark_of_cause(&s);
    s.binding.kid = "kie";
    all[count++] = acme_mark_of_cause(&s);
#endif
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < i; j++) {
            assert_false(acme_mark_same(&all[i], &all[j]));
        }
    }
}
