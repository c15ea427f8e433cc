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

static void issuers(void **state)
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

/* Whatever the server sends: a text, printable and with an end. */
static void damaged(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(issuers), cmocka_unit_test(damaged)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
