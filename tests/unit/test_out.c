/* test_out.c - the bounded writer. */
#include "unit.h"

#include <stdlib.h>

#include "wire/out.h"

static void assert_text(const struct acme_out *o, const char *expected)
{
    assert_int_equal(o->len, strlen(expected));
    assert_memory_equal(o->at, expected, o->len);
}

TEST(writes_all_kinds)
{
    char buf[64];
    struct acme_out o;

    acme_out_init(&o, buf, sizeof buf);
    acme_out_text(&o, "a");
    acme_out_bytes(&o, "b\0c", 3);
    acme_out_slice(&o, acme_slice_of("de"));
    acme_out_slice(&o, acme_slice(NULL, 0));
    acme_out_lower(&o, acme_slice_of("EXAMPLE-9.Com_[@{"));
    assert_false(o.overflow);
    assert_int_equal(o.len, 23);
    assert_memory_equal(buf, "ab\0cdeexample-9.com_[@{", 23);
    struct acme_slice s = acme_out_since(&o, 4);
    assert_ptr_equal(s.at, buf + 4);
    assert_int_equal(s.len, 19);
    assert_int_equal(acme_out_since(&o, 23).len, 0);
    assert_int_equal(acme_out_since(&o, 24).len, 0);
}

TEST(writes_numbers)
{
    static const struct {
        uint32_t value;
        const char *text;
    } rows[] = {
        {0, "0"}, {9, "9"}, {10, "10"}, {65535, "65535"}, {1000000000, "1000000000"}, {UINT32_MAX, "4294967295"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buf[10];
        struct acme_out o;
        acme_out_init(&o, buf, sizeof buf);
        acme_out_u32(&o, rows[i].value);
        assert_false(o.overflow);
        assert_text(&o, rows[i].text);
    }
}

TEST(escapes_json)
{
    char buf[64];
    struct acme_out o;

    acme_out_init(&o, buf, sizeof buf);
    acme_out_json(&o, acme_slice("\"\\/\0\n\x1f\x20\x7f\xc3\xa9", 10));
    assert_false(o.overflow);
    assert_text(&o, "\\\"\\\\/\\u0000\\u000a\\u001f \x7f\xc3\xa9");
}

/* Every capacity from nothing to enough: overflow exactly when it does not fit, and a prefix made of whole
 * appends that is never touched again. */
TEST(overflow_sticks)
{
    static const char whole[] = "GET 4711\\u0001\\\"x";

    for (size_t cap = 0; cap <= sizeof whole; cap++) {
        char *buf = malloc(cap + 1);
        struct acme_out o;
        buf[cap] = '#';
        acme_out_init(&o, buf, cap);
        acme_out_text(&o, "GET ");
        acme_out_u32(&o, 4711);
        acme_out_json(&o, acme_slice_of("\x01\""));
        acme_out_lower(&o, acme_slice_of("X"));
        assert_int_equal(o.overflow, cap < sizeof whole - 1);
        assert_true(o.len <= cap);
        assert_memory_equal(buf, whole, o.len);
        assert_int_equal(buf[cap], '#');
        size_t len = o.len;
        if (o.overflow) {
            acme_out_bytes(&o, "", 0);
            acme_out_text(&o, "z");
            assert_int_equal(o.len, len);
            assert_true(o.overflow);
        }
        free(buf);
    }
}

TEST(survives_huge_lengths)
{
    char buf[4];
    struct acme_out o;

    acme_out_init(&o, buf, sizeof buf);
    acme_out_text(&o, "ab");
    acme_out_bytes(&o, "x", SIZE_MAX);
    assert_true(o.overflow);
    assert_text(&o, "ab");
}
