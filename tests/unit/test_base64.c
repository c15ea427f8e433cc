/* test_base64.c - both alphabets against OpenSSL, all or nothing, characters one by one. */
#include "maker.h"

#include <string.h>

#include "wire/base64.h"

/* OpenSSL's base64 without padding, its last two characters replaced. */
static size_t judge(char *out, const uint8_t *data, size_t len, const char *last)
{
    size_t n = (size_t)EVP_EncodeBlock((unsigned char *)out, data, (int)len);
    while (n > 0 && out[n - 1] == '=') {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = out[i] == '+' ? last[0] : out[i] == '/' ? last[1] : out[i];
    }
    return n;
}

TEST(encodes)
{
    static const char *const lasts[] = {"+/", "-_"};
    uint8_t data[100];
    char want[140];
    char buf[140];
    struct acme_out o;

    maker_sys.random(NULL, data, sizeof data);
    for (size_t len = 0; len <= sizeof data; len++) {
        for (size_t i = 0; i < 2; i++) {
            size_t n = judge(want, data, len, lasts[i]);
            acme_out_init(&o, buf, n);
            acme_out_base64(&o, data, len, lasts[i]);
            assert_false(o.overflow);
            assert_int_equal(o.len, n);
            assert_memory_equal(buf, want, n);
            if (n > 0) {
                acme_out_init(&o, buf, n - 1);
                acme_out_base64(&o, data, len, lasts[i]);
                assert_true(o.overflow);
                assert_int_equal(o.len, 0);
            }
        }
    }
}

TEST(values)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (int c = 0; c < 256; c++) {
        const char *at = memchr(alphabet, c, 64);
        unsigned want = ACME_BASE64_BAD;
        if (at != NULL) {
            want = (unsigned)(at - alphabet);
        } else if (c == '=') {
            want = ACME_BASE64_PADDING;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            want = ACME_BASE64_SPACE;
        }
        assert_int_equal(acme_base64_value((char)c), want);
        bool url = at != NULL ? c != '+' && c != '/' : c == '-' || c == '_';
        assert_int_equal(acme_is_base64url(acme_slice((char[]){'a', (char)c}, 2)), url);
    }
    assert_true(acme_is_base64url(acme_slice(NULL, 0)));
}
