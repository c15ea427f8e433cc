/* test_cert_scan.c - what is read of a certificate while it goes by: its issuer's name, for people. */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "secure/cert_scan.h"

static EVP_PKEY *key;

static int set_up(void **state)
{
    key = maker_ec("P-256");
    return 0;
}

static int tear_down(void **state)
{
    EVP_PKEY_free(key);
    return 0;
}

struct part {
    const char *field;
    int type;
    const char *value;
    int len; /* 0: to its end */
};
#define PARTS 4

static uint8_t *make(const struct part *parts, size_t *len)
{
    struct maker_spec spec = {.name = "Subject", .ca = MAKER_CA, .key = key};
    X509 *x = maker_certificate(&spec);
    X509_NAME *name = X509_NAME_new();
    uint8_t *der;

    for (int i = 0; i < PARTS && parts[i].field != NULL; i++) {
        const struct part *p = &parts[i];
        assert_true(X509_NAME_add_entry_by_txt(name, p->field, p->type, (const uint8_t *)p->value,
                                               p->len != 0 ? p->len : (int)strlen(p->value), -1, 0));
    }
    assert_true(X509_set_issuer_name(x, name) && X509_sign(x, key, EVP_sha256()) > 0);
    der = maker_der(x, len);
    X509_NAME_free(name);
    X509_free(x);
    return der;
}

static void scan_in(struct acme_cert_scan *s, const uint8_t *der, size_t len, size_t piece)
{
    acme_cert_scan_begin(s);
    for (size_t at = 0; at < len; at += piece) {
        acme_cert_scan(s, der + at, len - at < piece ? len - at : piece);
    }
}

#define UTF8  V_ASN1_UTF8STRING
#define SIXTY "123456789012345678901234567890123456789012345678901234567890"

TEST(issuers)
{
    static const struct {
        struct part parts[PARTS];
        const char *name;
    } rows[] = {
        {{{"CN", UTF8, "Root YE", 0}}, "Root YE"},
        {{{"C", UTF8, "US", 0}, {"O", UTF8, "ISRG", 0}, {"CN", UTF8, "Root YE", 0}}, "Root YE"},
        {{{"CN", UTF8, "Root YE", 0}, {"O", UTF8, "ISRG", 0}, {"C", UTF8, "US", 0}}, "Root YE"},
        {{{"O", UTF8, "A longer organization", 0}, {"CN", V_ASN1_PRINTABLESTRING, "CA", 0}}, "CA"},
        {{{"C", UTF8, "US", 0}, {"O", V_ASN1_PRINTABLESTRING, "An organization", 0}, {"OU", UTF8, "Unit", 0}},
         "An organization"},
        {{{"OU", UTF8, "Unit", 0}, {"street", UTF8, "Road", 0}}, ""},
        {{{NULL, 0, NULL, 0}}, ""},
        {{{"emailAddress", V_ASN1_IA5STRING, "a@b.example", 0}, {"CN", UTF8, "After an odd one", 0}},
         "After an odd one"},
        {{{"CN", UTF8, "a\x1b[31mb\x7f\r\n%s\xc3\xa9", 0}}, "a[31mb%s"},
        {{{"CN", V_ASN1_BMPSTRING, "\0R\0o\0o\0t", 8}}, "Root"},
        {{{"CN", UTF8, SIXTY "1234", 0}}, SIXTY "123"},
        {{{"O", UTF8, SIXTY "1234", 0}, {"CN", UTF8, "x", 0}}, "x"},
        {{{"CN", UTF8, "first", 0}, {"CN", UTF8, "last", 0}}, "last"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len;
        uint8_t *der = make(rows[i].parts, &len);
        for (size_t piece = 1; piece <= len; piece = piece * 3 + 1) {
            struct acme_cert_scan s;
            scan_in(&s, der, len, piece);
            assert_string_equal(s.issuer, rows[i].name);
            assert_true(s.not_after == MAKER_NOW + 90 * MAKER_DAY && !s.other_use);
        }
        free(der);
    }
}

/* A certificate with these extensions, as in openssl.cnf but for their order and number. */
static uint8_t *make_with(const char *const *values, size_t *len)
{
    struct maker_spec spec = {.name = "Subject", .ca = MAKER_CA, .key = key};
    X509 *x = maker_certificate(&spec);
    uint8_t *der;

    for (; *values != NULL; values++) {
        const char *value = strchr(*values, '=') + 1;
        char name[32] = "";
        memcpy(name, *values, (size_t)(value - 1 - *values));
        X509_EXTENSION *e = X509V3_EXT_conf(NULL, NULL, name, value);
        assert_non_null(e);
        assert_true(X509_add_ext(x, e, -1));
        X509_EXTENSION_free(e);
    }
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    der = maker_der(x, len);
    X509_free(x);
    return der;
}

TEST(addresses)
{
    static const uint8_t v4[] = {4, 10, 0, 0, 1};
    static const uint8_t v6[] = {16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    static const struct {
        const uint8_t *wanted;
        bool has, other_use;
        const char *values[4];
    } rows[] = {
        {v4, true, false, {"subjectAltName=IP:10.0.0.1"}},
        {v4, false, false, {"subjectAltName=IP:10.0.0.2"}},
        {v6, true, false, {"subjectAltName=DNS:a.example,IP:10.0.0.1,IP:2001:db8::1,email:a@b.example"}},
        {v6, false, false, {"subjectAltName=IP:10.0.0.1,IP:2001:db8::2"}},
        {NULL, false, false, {"subjectAltName=IP:10.0.0.1"}},
        {v4, true, true, {"extendedKeyUsage=emailProtection", "subjectAltName=critical,IP:10.0.0.1"}},
        {v4, true, true, {"subjectAltName=critical,IP:10.0.0.1", "extendedKeyUsage=emailProtection"}},
        {v4, true, false, {"extendedKeyUsage=serverAuth", "subjectAltName=critical,IP:10.0.0.1", "1.2.3.4=DER:0500"}},
        {v4, false, true, {"extendedKeyUsage=emailProtection", "subjectAltName=RID:1.3.6.1.5.5.7.3.1"}},
        {v4, false, false, {"issuerAltName=IP:10.0.0.1", "1.2.3.4=DER:300687040a000001"}},
        /* what is no list, is elsewhere in it, or comes twice */
        {v4, false, false, {"2.5.29.17=DER:87040a000001"}},
        {v4, false, false, {"2.5.29.17=DER:0400"}},
        {v4, false, false, {"2.5.29.17=DER:3000"}},
        {v4, false, false, {"2.5.29.17=DER:3008300687040a000001"}},
        {v4, false, false, {"2.5.29.17=DER:3008a30687040a000001"}},
        {v4, true, false, {"2.5.29.17=DER:300ea30687040a00000187040a000001"}},
        {v4, false, false, {"2.5.29.17=DER:3008870087020a00"}},
        {v4, false, false, {"2.5.29.17=DER:300687040a000001", "2.5.29.17=DER:300687040a000002"}},
        {v4, true, false, {"2.5.29.17=DER:300687040a000002", "2.5.29.17=DER:300687040a000001"}},
        {v4, false, false, {"2.5.29.17=DER:300687040a000001", "2.5.29.17=DER:3000"}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len;
        uint8_t *der = make_with(rows[i].values, &len);
        for (size_t piece = 1; piece <= len; piece = piece * 3 + 1) {
            struct acme_cert_scan s;
            acme_cert_scan_begin(&s);
            s.wanted = rows[i].wanted;
            for (size_t at = 0; at < len; at += piece) {
                acme_cert_scan(&s, der + at, len - at < piece ? len - at : piece);
            }
            if (s.has_wanted != rows[i].has || s.other_use != rows[i].other_use) {
                fail_msg("row %zu, pieces of %zu", i, piece);
            }
            assert_true(s.not_after == MAKER_NOW + 90 * MAKER_DAY);
        }
        free(der);
    }
}

/* Whatever the server sends: a text, printable and with an end. */
TEST(damaged)
{
    static const struct part parts[PARTS] = {{"O", UTF8, "ISRG", 0}, {"CN", UTF8, "Root YE", 0}};
    size_t len;
    uint8_t *der = make(parts, &len);

    for (size_t at = 0; at < len; at++) {
        uint8_t good = der[at];
        for (int value = 0; value < 256; value += at < 120 ? 1 : 51) {
            struct acme_cert_scan s;
            der[at] = (uint8_t)value;
            scan_in(&s, der, len, len);
            assert_non_null(memchr(s.issuer, '\0', sizeof s.issuer));
            for (const char *c = s.issuer; *c != '\0'; c++) {
                assert_true(*c >= ' ' && *c <= '~');
            }
        }
        der[at] = good;
    }
    free(der);
}

AROUND(set_up, tear_down, NULL, NULL);
