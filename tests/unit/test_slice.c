/* test_slice.c - looking at pieces of text. */
#include "unit.h"

#include <stdlib.h>

#include "wire/slice.h"

TEST(compares)
{
    assert_true(acme_slice_is(acme_slice_of("abc"), "abc"));
    assert_false(acme_slice_is(acme_slice_of("abc"), "abd"));
    assert_false(acme_slice_is(acme_slice_of("abc"), "ab"));
    assert_true(acme_slice_is(acme_slice(NULL, 0), ""));
    assert_true(acme_slice_is_nocase(acme_slice_of("aZ[`"), acme_slice_of("Az[`")));
    assert_false(acme_slice_is_nocase(acme_slice_of("["), acme_slice_of("{")));
    assert_false(acme_slice_is_nocase(acme_slice_of("a"), acme_slice_of("ab")));
}

TEST(trims)
{
    assert_true(acme_slice_is_word(acme_slice_of("Keep-ALIVE"), "keep-alive"));
    assert_false(acme_slice_is_word(acme_slice_of("close"), "closed"));
    struct acme_slice s = acme_slice_of(" \ta b\t ");
    acme_slice_trim(&s);
    assert_true(acme_slice_is(s, "a b"));
    s = acme_slice_of(" \t ");
    acme_slice_trim(&s);
    assert_int_equal(s.len, 0);
    s = acme_slice(NULL, 0);
    acme_slice_trim(&s);
    assert_int_equal(s.len, 0);
}

TEST(finds)
{
    assert_int_equal(acme_slice_find(acme_slice_of("a.b.c"), '.'), 1);
    assert_int_equal(acme_slice_find(acme_slice_of("abc"), '.'), 3);
    assert_int_equal(acme_slice_find(acme_slice("a\0b", 3), 'b'), 2);
    assert_int_equal(acme_slice_find(acme_slice(NULL, 0), '.'), 0);
}

TEST(cuts)
{
    struct acme_slice rest = acme_slice_of("a,,bc");
    assert_true(acme_slice_is(acme_slice_cut(&rest, ','), "a"));
    assert_true(acme_slice_is(rest, ",bc"));
    assert_int_equal(acme_slice_cut(&rest, ',').len, 0);
    assert_true(acme_slice_is(acme_slice_cut(&rest, ','), "bc"));
    assert_int_equal(rest.len, 0);
    assert_int_equal(acme_slice_cut(&rest, ',').len, 0);
}

TEST(knows_characters)
{
    static const char hex[] = "0123456789abcdefABCDEF";

    for (int c = 0; c < 256; c++) {
        bool capital = c >= 'A' && c <= 'Z';
        assert_int_equal((unsigned char)acme_lower((char)c), capital ? c - 'A' + 'a' : c);
        assert_int_equal(acme_is_letter((char)c), capital || (c >= 'a' && c <= 'z'));
        assert_int_equal(acme_is_blank((char)c), c == ' ' || c == '\t');
        assert_int_equal(acme_is_visible((char)c, "x;"), c > 0x20 && c < 0x7f && c != 'x' && c != ';');
        const char *at = memchr(hex, c, sizeof hex - 1);
        int value = at == NULL ? -1 : (int)(at - hex);
        assert_int_equal(acme_hex_digit((char)c), value > 15 ? value - 6 : value);
    }
}

TEST(reads_decimals)
{
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {
        {"0", 0},
        {"000", 0},
        {"0000000000000042", 42},
        {"4294967295", UINT32_MAX},
        {"4294967296", ACME_DECIMAL_BIG},
        {"4294967300", ACME_DECIMAL_BIG},
        {"42949672950", ACME_DECIMAL_BIG},
        {"42949672960", ACME_DECIMAL_BIG}, /* wraps to 0 on the way */
        {"4294967296001", ACME_DECIMAL_BIG},
        {"10000000000000000000000000", ACME_DECIMAL_BIG},
        {"18446744073709551617", ACME_DECIMAL_BIG},
        {"99999999999999999999x", -1},
        {"", -1},
        {"-1", -1},
        {"+1", -1},
        {" 1", -1},
        {"1 ", -1},
        {"1.0", -1},
        {"0x1", -1},
        {"/", -1},
        {":", -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (acme_slice_decimal(acme_slice_of(rows[i].text)) != rows[i].value) {
            fail_msg("\"%s\"", rows[i].text);
        }
    }
    assert_true(acme_slice_decimal(acme_slice("12", 1)) == 1);
    assert_true(acme_slice_decimal(acme_slice(NULL, 0)) == -1);
}
