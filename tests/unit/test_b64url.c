/* test_b64url.c - base64url: RFC 4648 vectors, OpenSSL as the judge, bounds, encoding in place. */
#include "maker.h"

#include <string.h>

#include "jose/b64url.h"

/* OpenSSL's base64 turned into base64url. */
static size_t judge(char *out, const uint8_t *data, size_t len)
{
    size_t n = (size_t)EVP_EncodeBlock((unsigned char *)out, data, (int)len);
    while (n > 0 && out[n - 1] == '=') {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
    }
    return n;
}

TEST(vectors)
{
    static const char *const pairs[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},       {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"\xff\xef", "_-8"}, {"foobar", "Zm9vYmFy"}};
    char buf[16];
    struct acme_out o;

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        acme_out_init(&o, buf, sizeof buf);
        acme_out_b64url(&o, pairs[i][0], strlen(pairs[i][0]));
        assert_false(o.overflow);
        assert_true(acme_slice_is(acme_out_since(&o, 0), pairs[i][1]));
        assert_int_equal(o.len, ACME_B64URL_LEN(strlen(pairs[i][0])));
    }
}

/* Every length to 200, in every buffer from too small to roomy, directly and in place. */
TEST(lengths_and_buffers)
{
    uint8_t data[200];
    char want[300];
    char buf[400];
    struct acme_out o;

    maker_sys.random(NULL, data, sizeof data);
    for (size_t len = 0; len <= sizeof data; len++) {
        size_t n = judge(want, data, len);
        for (size_t cap = n > 6 ? n - 6 : 0; cap < n + 6; cap++) {
            memset(buf, '#', sizeof buf);
            acme_out_init(&o, buf + 5, cap + 2);
            acme_out_text(&o, "ab");
            acme_out_b64url(&o, data, len);
            assert_int_equal(o.overflow, cap < n);
            assert_int_equal(o.len, cap < n ? 2 : n + 2);
            assert_memory_equal(buf, "#####ab", 7);
            assert_true(o.overflow || memcmp(buf + 7, want, n) == 0);
            assert_int_equal(buf[5 + cap + 2], '#');

            memset(buf, '#', sizeof buf);
            acme_out_init(&o, buf, cap + 2);
            acme_out_text(&o, "ab");
            acme_out_bytes(&o, data, len);
            acme_out_b64url_since(&o, 2);
            assert_int_equal(o.overflow, cap < n);
            assert_memory_equal(buf, "ab", 2);
            assert_true(o.overflow || (o.len == n + 2 && memcmp(buf + 2, want, n) == 0));
            assert_int_equal(buf[cap + 2], '#');
        }
    }
}

TEST(alphabet_test)
{
    assert_true(acme_b64url_ok(acme_slice_of("azAZ09-_"), 8));
    assert_false(acme_b64url_ok(acme_slice_of("azAZ09-_"), 7));
    assert_false(acme_b64url_ok(acme_slice_of(""), 8));
    for (int c = 0; c < 256; c++) {
        char text[2] = {'a', (char)c};
        bool want =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        assert_int_equal(acme_b64url_ok(acme_slice(text, 2), 8), want);
    }
}
