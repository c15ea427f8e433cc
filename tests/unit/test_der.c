/* test_der.c - DER: lengths and tags at their edges, reading bounds, and the writer against OpenSSL's
 * encoder. */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "wire/der.h"

/* Reads from memory of exactly this size, so that the sanitizer sees every byte too far. */
static bool next(const void *data, size_t len, uint8_t *tag, struct acme_der *body, size_t *left)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    struct acme_der in = {copy, len};
    bool ok;

    memcpy(copy, data, len);
    ok = acme_der_next(&in, tag, body);
    *left = in.len;
    if (!ok) {
        assert_ptr_equal(in.at, copy);
        assert_int_equal(in.len, len);
    } else {
        assert_ptr_equal(in.at, body->at + body->len);
    }
    free(copy);
    return ok;
}

TEST(edges)
{
    static const struct {
        const char *der;
        size_t len;
        int body; /* -1: refused */
    } cases[] = {
        {"", 0, -1},
        {"\x30", 1, -1},
        {"\x30\x00", 2, 0},
        {"\x30\x01", 2, -1},
        {"\x30\x01x", 3, 1},
        {"\x30\x80", 2, -1},                 /* indefinite */
        {"\x30\x81\x00", 3, -1},             /* not shortest */
        {"\x30\x81\x01x", 4, -1},            /* not shortest */
        {"\x30\x82\x00\x80", 4, -1},         /* not shortest */
        {"\x30\x84\x00\x00\x00\x00", 6, -1}, /* too long a length */
        {"\x30\x83\x01\x00\x00", 5, -1},     /* contents missing */
        {"\x30\x81", 2, -1},
        {"\x30\x82\x01", 3, -1},
        {"\x30\xff", 2, -1},
        {"\x1f\x01x", 3, -1}, /* tag of several bytes */
        {"\xbf\x01x", 3, -1},
        {"\xa3\x01xy", 4, 1},
    };
    struct acme_der body;
    uint8_t tag;
    size_t left;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool ok = next(cases[i].der, cases[i].len, &tag, &body, &left);
        assert_int_equal(ok, cases[i].body >= 0);
        if (ok) {
            assert_int_equal(tag, (uint8_t)cases[i].der[0]);
            assert_int_equal(body.len, cases[i].body);
        }
    }
}

/* Forms of a length that are wrong although all the contents are there. */
TEST(longer_than_needed)
{
    static const char *const heads[] = {"\x30\x81\x7f", "\x30\x82\x01\x00", "\x30\x82\x00\xff",
                                        "\x30\x83\x00\x01\x00", "\x30\x81\x80"};
    static const size_t lens[] = {3, 4, 4, 5, 3};
    static const int good[] = {0, 1, 0, 0, 1};
    struct acme_der body;
    char data[300];
    uint8_t tag;
    size_t left;

    for (int i = 0; i < 5; i++) {
        memset(data, 0, sizeof data);
        memcpy(data, heads[i], lens[i]);
        assert_int_equal(next(data, sizeof data, &tag, &body, &left), good[i]);
    }
}

TEST(expect_leaves_input)
{
    static const uint8_t data[] = {0x02, 0x01, 0x05, 0x05, 0x00};
    struct acme_der in = {data, sizeof data};
    struct acme_der body;

    assert_false(acme_der_expect(&in, ACME_DER_SEQUENCE, &body));
    assert_ptr_equal(in.at, data);
    assert_true(acme_der_expect(&in, ACME_DER_INTEGER, &body));
    assert_int_equal(body.at[0], 5);
    assert_true(acme_der_expect(&in, ACME_DER_NULL, &body));
    assert_false(acme_der_expect(&in, ACME_DER_NULL, &body));
}

#ifndef NO_OPENSSL
/* Lengths around every change of form, written and read back, compared with OpenSSL's octet strings; every
 * buffer that is too small overflows and stays in its bounds. */
TEST(octet_strings)
{
    static const size_t lengths[] = {0, 1, 127, 128, 129, 255, 256, 257, 65535, 65536, 70000};
    static uint8_t data[70000], buf[70032];

    maker_sys.random(NULL, data, sizeof data);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t len = lengths[i];
        ASN1_OCTET_STRING *theirs = ASN1_OCTET_STRING_new();
        unsigned char *want = NULL;
        int want_len;
        struct acme_der body;
        uint8_t tag;
        size_t left;

        ASN1_OCTET_STRING_set(theirs, data, (int)len);
        want_len = i2d_ASN1_OCTET_STRING(theirs, &want);
        for (size_t cap = len; cap < (size_t)want_len + 3; cap++) {
            struct acme_der_out o;
            memset(buf, '#', sizeof buf);
            acme_der_init(&o, buf + 8, cap);
            acme_der_put(&o, ACME_DER_OCTET_STRING, data, len);
            assert_int_equal(o.overflow, cap < (size_t)want_len);
            assert_memory_equal(buf, "########", 8);
            assert_memory_equal(buf + 8 + cap, "########", 8);
            if (!o.overflow) {
                assert_int_equal(cap - o.start, want_len);
                assert_memory_equal(buf + 8 + o.start, want, want_len);
            }
        }
        assert_true(next(want, (size_t)want_len, &tag, &body, &left));
        assert_int_equal(body.len, len);
        assert_int_equal(left, 0);
        OPENSSL_free(want);
        ASN1_OCTET_STRING_free(theirs);
    }
}

TEST(integers)
{
    static const char *const numbers[] = {"0", "1", "7F", "80", "FF", "100", "7FFF", "8000", "FFFFFFFFFFFFFFFFFF"};
    uint8_t number[32], buf[64];

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        BIGNUM *n = NULL;
        ASN1_INTEGER *theirs;
        unsigned char *want = NULL;
        int want_len;
        struct acme_der_out o;

        BN_hex2bn(&n, numbers[i]);
        BN_bn2binpad(n, number, sizeof number);
        theirs = BN_to_ASN1_INTEGER(n, NULL);
        want_len = i2d_ASN1_INTEGER(theirs, &want);
        acme_der_init(&o, buf, sizeof buf);
        acme_der_unsigned(&o, number, sizeof number);
        assert_int_equal(sizeof buf - o.start, want_len);
        assert_memory_equal(buf + o.start, want, want_len);
        OPENSSL_free(want);
        ASN1_INTEGER_free(theirs);
        BN_free(n);
    }
}

/* The constant is what OpenSSL writes in front of a P-256 point. */
TEST(public_key_prefix)
{
    EVP_PKEY *key = maker_ec("P-256");
    unsigned char *der = NULL;

    assert_int_equal(i2d_PUBKEY(key, &der), ACME_SPKI_P256_LEN + 65);
    assert_memory_equal(der, acme_spki_p256, ACME_SPKI_P256_LEN);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}
#endif

TEST(runs)
{
    static const uint8_t tags[] = {ACME_DER_INTEGER, ACME_DER_OCTET_STRING};
    static const char both[] = "\x02\x01\x05\x04\x02xy";
    struct acme_der part[2];

    for (size_t len = 0; len < sizeof both; len++) {
        struct acme_der in = {(const uint8_t *)both, len};
        bool whole = len == sizeof both - 1;
        assert_int_equal(acme_der_run(&in, tags, 2, part), whole);
        assert_int_equal(in.len, whole ? 0 : len);
    }
    assert_true(acme_der_is(&part[0], "\5", 1));
    assert_true(acme_der_is(&part[1], "xy", 2));
    assert_false(acme_der_is(&part[1], "xz", 2));
    assert_false(acme_der_is(&part[1], "xyz", 3));
    struct acme_der swapped = {(const uint8_t *)"\x04\x00\x02\x01\x05", 5};
    assert_false(acme_der_run(&swapped, tags, 2, part));
    assert_int_equal(swapped.len, 5);

    struct acme_der two = {(const uint8_t *)both, sizeof both - 1};
    struct acme_der one = {(const uint8_t *)both, 3};
    assert_false(acme_der_only(&two, ACME_DER_INTEGER, part));
    assert_true(acme_der_only(&one, ACME_DER_INTEGER, part));
    assert_false(acme_der_only(&one, ACME_DER_OCTET_STRING, part));
}
