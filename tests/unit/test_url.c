/* test_url.c - https URLs and DNS names. */
#include "unit.h"

#include <stdlib.h>

#include "wire/url.h"

/* Parses an exact copy, so that a byte read beyond the text is noticed. */
static int parse(struct acme_url *url, const char *text, size_t len, char **copy)
{
    *copy = malloc(len + 1);
    memcpy(*copy + 1, text, len);
    memset(url, 0, sizeof *url);
    return acme_url_parse(url, acme_slice(*copy + 1, len));
}

TEST(splits_good_urls)
{
    static const struct {
        const char *text, *authority, *host, *target;
        unsigned port;
        bool is_address;
    } rows[] = {
        {"https://acme.example/dir", "acme.example", "acme.example", "/dir", 443, false},
        {"HTTPS://ACME.Example/Dir", "ACME.Example", "ACME.Example", "/Dir", 443, false},
        {"https://acme.example", "acme.example", "acme.example", "", 443, false},
        {"https://acme.example?a=b", "acme.example", "acme.example", "?a=b", 443, false},
        {"https://acme.example?a=b/c:d@e", "acme.example", "acme.example", "?a=b/c:d@e", 443, false},
        {"https://acme.example:14000/dir?x=1", "acme.example:14000", "acme.example", "/dir?x=1", 14000, false},
        {"https://acme.example:1", "acme.example:1", "acme.example", "", 1, false},
        {"https://acme.example:65535/", "acme.example:65535", "acme.example", "/", 65535, false},
        {"https://acme.example:00443/", "acme.example:00443", "acme.example", "/", 443, false},
        {"https://[::1]:14000/dir", "[::1]:14000", "::1", "/dir", 14000, true},
        {"https://[2001:DB8::7]", "[2001:DB8::7]", "2001:DB8::7", "", 443, true},
        {"https://[::ffff:192.0.2.1]/", "[::ffff:192.0.2.1]", "::ffff:192.0.2.1", "/", 443, true},
        {"https://192.0.2.0/", "192.0.2.0", "192.0.2.0", "/", 443, true},
        {"https://192.0.2.10/a", "192.0.2.10", "192.0.2.10", "/a", 443, true},
        {"https://0.0.0.255:8443/a", "0.0.0.255:8443", "0.0.0.255", "/a", 8443, true},
        {"https://localhost/", "localhost", "localhost", "/", 443, false},
        {"https://my_ca-1.lan/", "my_ca-1.lan", "my_ca-1.lan", "/", 443, false},
        {"https://1.2.3.4.example/", "1.2.3.4.example", "1.2.3.4.example", "/", 443, false},
        {"https://0x7f.example/", "0x7f.example", "0x7f.example", "/", 443, false},
        {"https://x.0x7g/", "x.0x7g", "x.0x7g", "/", 443, false},
        {"https://x.00x7/", "x.00x7", "x.00x7", "/", 443, false},
        {"https://x.x0/", "x.x0", "x.x0", "/", 443, false},
        {"https://h//evil.example/@x", "h", "h", "//evil.example/@x", 443, false},
        {"https://h/a%20b;c=1,2!$&'()*+~[]", "h", "h", "/a%20b;c=1,2!$&'()*+~[]", 443, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct acme_url url;
        char *copy;
        if (parse(&url, rows[i].text, strlen(rows[i].text), &copy) != 0) {
            fail_msg("refused: %s", rows[i].text);
        }
        assert_true(acme_slice_is(url.authority, rows[i].authority));
        assert_true(acme_slice_is(url.host, rows[i].host));
        assert_true(acme_slice_is(url.target, rows[i].target));
        assert_int_equal(url.port, rows[i].port);
        assert_int_equal(url.is_address, rows[i].is_address);
        free(copy);
    }
}

TEST(refuses_bad_urls)
{
    static const struct {
        const char *text;
        int error;
    } rows[] = {
        {"", ACME_E_URL_SCHEME},
        {"ftp://acme.example/", ACME_E_URL_SCHEME},
        {"httpss://acme.example/", ACME_E_URL_SCHEME},
        {" https://acme.example/", ACME_E_URL_SCHEME},
        {"//acme.example/dir", ACME_E_URL_SCHEME},
        {"/dir", ACME_E_URL_SCHEME},
        {"acme.example", ACME_E_URL_SCHEME},
        {"https", ACME_E_URL_SCHEME},
        {"https:", ACME_E_URL},
        {"https:/", ACME_E_URL},
        {"https:acme.example", ACME_E_URL},
        {"https://", ACME_E_URL},
        {"https:///dir", ACME_E_URL},
        {"https://?x", ACME_E_URL},
        {"https://ca@acme.example/", ACME_E_URL},
        {"https://ca:secret@acme.example/", ACME_E_URL},
        {"https://acme.example@evil.example/", ACME_E_URL},
        {"https://@acme.example/", ACME_E_URL},
        {"https://acme.example/#x", ACME_E_URL},
        {"https://acme.example#", ACME_E_URL},
        {"https://acme.example/\r\nX: y", ACME_E_URL},
        {"https://acme.example\r\n/", ACME_E_URL},
        {"https://acme.example/a b", ACME_E_URL},
        {"https://acme.example/a\tb", ACME_E_URL},
        {"https://acme.example/\x7f", ACME_E_URL},
        {"https://acme.example/\xc3\xa9", ACME_E_URL},
        {"https://\xc3\xa9.example/", ACME_E_URL},
        {"https://acme.example/\"", ACME_E_URL},
        {"https://acme.example/<x>", ACME_E_URL},
        {"https://acme.example\\@evil.example/", ACME_E_URL},
        {"https://acme.example/^`", ACME_E_URL},
        {"https://acme.example/{x}", ACME_E_URL},
        {"https://acme.example/a|b", ACME_E_URL},
        {"https://acme.example:/", ACME_E_URL},
        {"https://acme.example:0/", ACME_E_URL},
        {"https://acme.example:65536/", ACME_E_URL},
        {"https://acme.example:99999/", ACME_E_URL},
        {"https://acme.example:4294967739/", ACME_E_URL},
        {"https://acme.example:443x/", ACME_E_URL},
        {"https://acme.example:-1/", ACME_E_URL},
        {"https://acme.example:+443/", ACME_E_URL},
        {"https://acme.example:443:443/", ACME_E_URL},
        {"https://:443/", ACME_E_URL},
        {"https://acme.example./dir", ACME_E_URL},
        {"https://.acme.example/", ACME_E_URL},
        {"https://acme..example/", ACME_E_URL},
        {"https://./", ACME_E_URL},
        {"https://*.example/", ACME_E_URL},
        {"https://acme%2eexample/", ACME_E_URL},
        {"https://acme.example,evil/", ACME_E_URL},
        {"https://[::1/", ACME_E_URL},
        {"https://[]/", ACME_E_URL},
        {"https://[::1]x/", ACME_E_URL},
        {"https://[::1]443/", ACME_E_URL},
        {"https://[::1]:/", ACME_E_URL},
        {"https://[fe80::1%25eth0]/", ACME_E_URL},
        {"https://[v1.x]/", ACME_E_URL},
        {"https://[192.0.2.1]/", ACME_E_URL},
        {"https://[1:2]/", ACME_E_URL},
        {"https://[1:2:3:4:5:6:7:8:9:a]/", ACME_E_URL},
        {"https://[00001:00002:00003:00004:00005:00006:00007:00008]/", ACME_E_URL},
        {"https://::1/", ACME_E_URL},
        {"https://1.2.3/", ACME_E_URL},
        {"https://1.2.3.4.5/", ACME_E_URL},
        {"https://1.2.3.256/", ACME_E_URL},
        {"https://127.1/", ACME_E_URL},
        {"https://2130706433/", ACME_E_URL},
        {"https://0177.0.0.1/", ACME_E_URL},
        {"https://acme.123/", ACME_E_URL},
        /* what resolvers take for an address, in all its forms */
        {"https://0x7f000001/", ACME_E_URL},
        {"https://0X7F000001/", ACME_E_URL},
        {"https://0x7F000001./", ACME_E_URL},
        {"https://192.0x00A80001/", ACME_E_URL},
        {"https://0x7f.1/", ACME_E_URL},
        {"https://0x7f.0x0.0X0.0x1/", ACME_E_URL},
        {"https://127.0.0.0x1/", ACME_E_URL},
        {"https://1.2.3.0x/", ACME_E_URL},
        {"https://0x/", ACME_E_URL},
        {"https://017700000001/", ACME_E_URL},
        {"https://127.0.0.01/", ACME_E_URL},
        {"https://acme.0x1f/", ACME_E_URL},
        {"https://99999999999999999999999999/", ACME_E_URL},
        {"https://1.2.3.99999999999999999999999999/", ACME_E_URL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct acme_url url;
        char *copy;
        if (parse(&url, rows[i].text, strlen(rows[i].text), &copy) != rows[i].error) {
            fail_msg("accepted, or for another reason refused: %s", rows[i].text);
        }
        free(copy);
    }
}

/* Each of the 256 byte values at each place of a URL: what is accepted has no byte the header forbids. */
TEST(every_byte_everywhere)
{
    static const char good[] = "https://a.bc:8443/d?e";

    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char text[sizeof good];
            char *copy;
            struct acme_url url;
            memcpy(text, good, sizeof good);
            text[at] = (char)byte;
            bool legal = byte > 0x20 && byte < 0x7F && strchr("\"#<>\\^`{|}", byte) == NULL;
            int rc = parse(&url, text, sizeof good - 1, &copy);
            if (!legal) {
                assert_true(rc == ACME_E_URL || (at < 6 && rc == ACME_E_URL_SCHEME));
            } else if (at >= 18) {
                assert_int_equal(rc, 0);
            }
            if (rc == 0) {
                assert_true(url.port > 0 && url.host.len > 0);
            }
            free(copy);
        }
    }
}

TEST(every_prefix)
{
    static const char good[] = "https://[2001:db8::1]:8443/d?e";

    for (size_t len = 0; len < sizeof good; len++) {
        char *copy;
        struct acme_url url;
        int rc = parse(&url, good, len, &copy);
        /* complete after the bracket, and again from the first digit of the port on */
        assert_int_equal(rc == 0, len == 21 || len >= 23);
        free(copy);
    }
}

TEST(long_ones)
{
    char text[8 + 8192] = "https://";
    char *copy;
    struct acme_url url;

    memset(text + 8, 'a', 8192);
    assert_int_equal(parse(&url, text, sizeof text, &copy), ACME_E_URL);
    free(copy);
    text[9] = '/'; /* a path may be any length here: what is kept is the caller's limit */
    assert_int_equal(parse(&url, text, sizeof text, &copy), 0);
    assert_int_equal(url.target.len, 8191);
    free(copy);
    for (size_t i = 8 + 63; i < sizeof text; i += 64) {
        text[i] = '.';
    }
    text[9] = 'a';
    assert_int_equal(parse(&url, text, 8 + 253, &copy), 0);
    free(copy);
    assert_int_equal(parse(&url, text, 8 + 254, &copy), ACME_E_URL);
    free(copy);
    text[8 + 63] = 'a'; /* a label of 127 bytes */
    assert_int_equal(parse(&url, text, 8 + 253, &copy), ACME_E_URL);
    free(copy);
}

static struct acme_url of(const char *text)
{
    struct acme_url url;

    assert_int_equal(acme_url_parse(&url, acme_slice_of(text)), 0);
    return url;
}

/* http is the same with another port. */
TEST(in_clear)
{
    static const struct {
        const char *text, *host;
        int port, error;
    } rows[] = {
        {"http://acme.example/dir", "acme.example", 80, 0},
        {"HTTP://[::1]:4000", "::1", 4000, 0},
        {"https://acme.example/dir", "acme.example", 443, 0},
        {"http", "", 0, ACME_E_URL_SCHEME},
        {"httpx://acme.example/", "", 0, ACME_E_URL_SCHEME},
        {"htt://acme.example/", "", 0, ACME_E_URL_SCHEME},
        {"http:", "", 0, ACME_E_URL},
        {"http:/acme.example/", "", 0, ACME_E_URL},
        {"http:s//acme.example/", "", 0, ACME_E_URL},
        {"http://", "", 0, ACME_E_URL},
        {"http://user@acme.example/", "", 0, ACME_E_URL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct acme_url url;
        char *copy;
        assert_int_equal(parse(&url, rows[i].text, strlen(rows[i].text), &copy), rows[i].error);
        if (rows[i].error == 0) {
            assert_int_equal(url.port, rows[i].port);
            assert_true(acme_slice_is(url.host, rows[i].host));
            assert_int_equal(acme_url_is_plain(&url), rows[i].port != 443);
        }
        free(copy);
    }
    struct acme_url tls = of("https://acme.example:80/x"), plain = of("http://acme.example/x");
    assert_false(acme_url_same_origin(&tls, &plain));
    assert_false(acme_url_same_origin(&plain, &tls));
    assert_true(acme_url_same_origin(&plain, &plain));
    assert_true(acme_url_at(&plain, "acme.example"));
    assert_true(acme_url_at(&plain, "acme.example:80"));
    assert_false(acme_url_at(&plain, "acme.example:443"));
    assert_false(acme_url_at(&tls, "acme.example"));
}

TEST(compares_origins)
{
    struct acme_url a = of("https://acme.example/x");
    struct acme_url same = of("HTTPS://ACME.EXAMPLE:443");
    struct acme_url port = of("https://acme.example:444/x");
    struct acme_url host = of("https://acme.examplf/x");
    struct acme_url longer = of("https://acme.example.org/x");

    assert_true(acme_url_same_origin(&a, &same));
    assert_false(acme_url_same_origin(&a, &port));
    assert_false(acme_url_same_origin(&a, &host));
    assert_false(acme_url_same_origin(&a, &longer));
}

TEST(is_at_host_port)
{
    struct acme_url a = of("https://acme.example/x");
    struct acme_url b = of("https://acme.example:14000/x");
    struct acme_url c = of("https://[::1]:14000/x");

    assert_true(acme_url_at(&a, "acme.example"));
    assert_true(acme_url_at(&a, "Acme.Example:443"));
    assert_false(acme_url_at(&a, "acme.example:14000"));
    assert_false(acme_url_at(&a, "acme.exampl"));
    assert_false(acme_url_at(&a, ""));
    assert_false(acme_url_at(&a, "https://acme.example"));
    assert_false(acme_url_at(&a, "acme.example:"));
    assert_true(acme_url_at(&b, "acme.example:14000"));
    assert_false(acme_url_at(&b, "acme.example"));
    assert_true(acme_url_at(&c, "[::1]:14000"));
    assert_false(acme_url_at(&c, "[::1]"));
    assert_false(acme_url_at(&c, "[::1"));
}

TEST(judges_dns_names)
{
    static const char *const good[] = {
        "a.example", "A-1.Example", "xn--bcher-kva.example", "localhost", "1.2.3.4.a", "0a.b", "0x1.b", "a.0xg",
        "a.0y1",     "a.0-x"};
    static const char *const bad[] = {
        "",      ".",          "a.example.", ".a",         "a..b",       "*.a",         "a_b.c",
        "-a.b",  "a-.b",       "a.b-",       "192.0.2.1",  "a.1",        "1",           "a b",
        "a/b",   "::1",        "a.b:80",     "0x7f000001", "0X7f000001", "0x7f000001.", "a.0x1",
        "a.0XF", "0x",         "a.0x",       "0177",       "a.00",       "2130706433",  "a.99999999999999999999",
        "a.b\n", "\xc3\xa9.b", "[::1]"};
    char name[256];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(acme_dns_name_ok(acme_slice_of(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (acme_dns_name_ok(acme_slice_of(bad[i]))) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    assert_false(acme_dns_name_ok(acme_slice("a\0b", 3)));
    memset(name, 'a', sizeof name);
    assert_true(acme_dns_name_ok(acme_slice(name, 63)));
    assert_false(acme_dns_name_ok(acme_slice(name, 64)));
    name[63] = name[127] = name[191] = '.';
    assert_true(acme_dns_name_ok(acme_slice(name, 253)));
    assert_false(acme_dns_name_ok(acme_slice(name, 254)));
}
