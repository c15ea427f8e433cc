/* Scripts that are wrong: each is a clear error with file and line. And what the format means. */
#include "script.h"

#include <string.h>

#define HEAD "# A script for the test of scripts.\n"

static struct script s;

static bool reads(const char *text)
{
    if (!script_load(&s, "x.dialogue", text)) {
        return false;
    }
    for (unsigned v = 0; v < script_variants(&s); v++) {
        if (!script_variant(&s, v)) {
            return false;
        }
    }
    return true;
}

static void wrong_scripts(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"expect certificate\n", "x.dialogue:1: a script begins with a comment that says what it is"},
        {HEAD, "x.dialogue:1: it is not said how it ends"},
        {HEAD "expect error ACME_E_NO\n", "x.dialogue:2: no such error: error ACME_E_NO"},
        {HEAD "expect certificate\nexpect error ACME_E_URL\n",
         "x.dialogue:3: it can end in one way only: error ACME_E_URL"},
        {HEAD "expect order = x\n", "x.dialogue:2: not a number, or a number with s for seconds: x"},
        {HEAD "expect order = 3x\n", "x.dialogue:2: not a number, or a number with s for seconds: 3x"},
        {HEAD "expect order <> 3\n", "x.dialogue:2: not a number, or a number with s for seconds: 3"},
        {HEAD "\nwhatever\n", "x.dialogue:3: not a word of the format: whatever"},
        {HEAD "covers 7 x\n", "x.dialogue:2: not the number of a behaviour: x"},
        {HEAD "covers 100\n", "x.dialogue:2: not the number of a behaviour: 100"},
        {HEAD "ca lags 5\n", "x.dialogue:2: no such setting: lags"},
        {HEAD "ca lag\n", "x.dialogue:2: a value is missing or is no number: lag"},
        {HEAD "ca lag 5x\n", "x.dialogue:2: a value is missing or is no number: lag"},
        {HEAD "ca close 5\n", "x.dialogue:2: takes no value: close"},
        {HEAD "client quick\n", "x.dialogue:2: no such setting: quick"},
        {HEAD "on order\n", "x.dialogue:2: on KIND [RANGE]: ACT: order"},
        {HEAD "on orders 1: cut\n", "x.dialogue:2: not a kind of request: orders"},
        {HEAD "on order 0: cut\n", "x.dialogue:2: not a range of requests: 0"},
        {HEAD "on order 3-2: cut\n", "x.dialogue:2: not a range of requests: 3-2"},
        {HEAD "on order x: cut\n", "x.dialogue:2: not a range of requests: x"},
        {HEAD "on order: sing\n", "x.dialogue:2: not a thing a CA can do: sing"},
        {HEAD "on order: say\n", "x.dialogue:2: an answer begins with a status line"},
        {HEAD "on order: say\n    Retry-After: 3\n", "x.dialogue:2: an answer begins with a status line"},
        {HEAD "on order: add\n", "x.dialogue:2: nothing is added"},
        {HEAD "on order: refuse 403\n", "x.dialogue:2: refuse CODE TYPE"},
        {HEAD "on order: refuse x y\n", "x.dialogue:2: refuse CODE TYPE"},
        {HEAD "    lost\n", "x.dialogue:2: a line that belongs to nothing:     lost"},
        {HEAD "on $kind: cut\n", "x.dialogue:2: no table has this name: $kind: cut"},
        {HEAD "each kind\nexpect certificate\n", "x.dialogue:2: a table without rows"},
        {HEAD "each a | b\n    1 | 2\n    1\n", "x.dialogue:4: another number of columns than above"},
        {HEAD "each a\n    1 | 2 | 3 | 4 | 5\n", "x.dialogue:3: too many columns"},
        {HEAD "names a b c d e f g h i\n", "x.dialogue:2: too many names: i"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (reads(rows[i].text)) {
            fail_msg("this was taken: %s", rows[i].text);
        }
        assert_string_equal(s.error, rows[i].error);
    }
}

static void a_file_that_is_not_there(void **state)
{
    assert_false(script_load(&s, "/nowhere/x.dialogue", NULL));
    assert_string_equal(s.error, "/nowhere/x.dialogue:0: cannot be read");
}

static void what_a_script_says(void **state)
{
    assert_true(reads(HEAD "covers 7 22\n"
                           "names a.example b.example\n"
                           "ca authz_looks 4\n"
                           "ca lag forever\n"
                           "ca born ready\n"
                           "ca close\n"
                           "client unclean\n"
                           "client more_hosts one.test two.test:8443\n"
                           "on order 2-3: do, say, nonce <n*3>\n"
                           "    HTTP/1.1 200 OK\n"
                           "    A: b\n"
                           "\n"
                           "    {\"a\":\n"
                           "     1}\n"
                           "on authz 4-: cut\n"
                           "expect error ACME_E_URL\n"
                           "expect elapsed >= 30s\n"
                           "expect type urn:x\n"));
    assert_true(s.covers[7] && s.covers[22] && !s.covers[8]);
    assert_int_equal(s.plan.name_count, 2);
    assert_string_equal(s.plan.names[1], "b.example");
    assert_int_equal(s.plan.authz_looks, 4);
    assert_int_equal(s.plan.lag, CA_FOREVER);
    assert_string_equal(s.plan.born, "ready");
    assert_true(s.plan.close && !s.plan.mute && s.way.unclean);
    assert_int_equal(s.way.more_host_count, 2);
    assert_string_equal(s.way.more_hosts[1], "two.test:8443");
    assert_int_equal(s.plan.twist_count, 2);
    const struct ca_twist *t = s.plan.twists;
    assert_true(t->kind == CA_ORDER && t->first == 2 && t->last == 3 && t->act == CA_DO_AND_SAY);
    assert_string_equal(t->head, "HTTP/1.1 200 OK\r\nA: b\r\n");
    assert_string_equal(t->body, "{\"a\":\n1}");
    assert_string_equal(t->nonce, "nnn");
    assert_true(t[1].kind == CA_AUTHZ && t[1].first == 4 && t[1].last == CA_FOREVER && t[1].act == CA_CUT);
    assert_int_equal(s.outcome, ACME_E_URL);
    assert_int_equal(s.expect_count, 2);
    assert_true(s.expect[0].op == '>' && s.expect[0].number == 30000);
    assert_string_equal(s.expect[1].value, "urn:x");
}

static void tables_multiply(void **state)
{
    assert_true(reads(HEAD "each kind | text\n    order | one\n    authz |\n"
                           "each lag\n    1\n    2\n    3\n"
                           "ca lag $lag\non $kind: add, nonce none\n    A: b\n    $text\nexpect certificate\n"));
    assert_int_equal(script_variants(&s), 6);
    assert_true(script_variant(&s, 2));
    assert_string_equal(s.variant, " kind=order text=one lag=2");
    assert_int_equal(s.plan.lag, 2);
    assert_string_equal(s.plan.twists[0].head, "A: b\r\none\r\n");
    assert_true(script_variant(&s, 5));
    assert_true(s.plan.twists[0].kind == CA_AUTHZ && s.plan.lag == 3);
    assert_string_equal(s.plan.twists[0].head, "A: b\r\n"); /* an empty cell leaves no line */
    assert_string_equal(s.plan.twists[0].nonce, "");
}

static void whole_answers(void **state)
{
    assert_true(reads(HEAD "on order: raw\n    HTTP/1.1 200\n    .\n    3\n    abc\n    0\n    .\n    .\n"
                           "on authz: raw lf\n    HTTP/1.1 200\n    A: b\n    .\n    x\nexpect certificate\n"));
    assert_string_equal(s.plan.twists[0].raw, "HTTP/1.1 200\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    assert_string_equal(s.plan.twists[1].raw, "HTTP/1.1 200\nA: b\n\nx");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_scripts),      cmocka_unit_test(a_file_that_is_not_there),
        cmocka_unit_test(what_a_script_says), cmocka_unit_test(tables_multiply),
        cmocka_unit_test(whole_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
