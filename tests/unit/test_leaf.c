/* test_leaf.c - certificates made by OpenSSL: dates, key, names, serial, issuer; every truncation and byte
 * flip. */
#define _GNU_SOURCE /* memmem */
#include "maker.h"

#include <stdlib.h>
#include <string.h>

#include "lifecycle/renewal.h"
#include "x509/leaf.h"

static EVP_PKEY *leaf_key, *ca_key;
static X509 *ca;

static int set_up(void **state)
{
    struct maker_spec spec = {.name = "Test Root", .ca = MAKER_CA};
    leaf_key = maker_ec("P-256");
    ca_key = maker_ec("P-384");
    spec.key = ca_key;
    ca = maker_certificate(&spec);
    return 0;
}

static int tear_down(void **state)
{
    X509_free(ca);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(ca_key);
    return 0;
}

static uint8_t *leaf_der(const char *san, int64_t from, int64_t to, EVP_PKEY *key, size_t *len)
{
    struct maker_spec spec = {
        .san = san, .ca = MAKER_CA_FALSE, .from = from, .to = to, .key = key, .issuer = ca, .issuer_key = ca_key};
    X509 *x = maker_certificate(&spec);
    uint8_t *der = maker_der(x, len);
    X509_free(x);
    return der;
}

TEST(fields)
{
    static const char *const names[] = {"b.example", "A.example"};
    struct acme_leaf leaf;
    uint8_t point[65], *at = point, *issuer = NULL;
    size_t len;
    uint8_t *der = leaf_der("DNS:a.example,DNS:B.example", 0, 0, leaf_key, &len);
    EC_KEY *ec = EVP_PKEY_get1_EC_KEY(leaf_key);
    int issuer_len = i2d_X509_NAME(X509_get_subject_name(ca), &issuer);

    assert_int_equal(acme_leaf_parse(&leaf, der, len), 0);
    assert_int_equal(leaf.not_before, MAKER_NOW - MAKER_DAY);
    assert_int_equal(leaf.not_after, MAKER_NOW + 90 * MAKER_DAY);
    assert_int_equal(i2o_ECPublicKey(ec, &at), 65);
    assert_non_null(leaf.point);
    assert_memory_equal(leaf.point, point, 65);
    assert_int_equal(leaf.serial.len, 2);
    assert_true(leaf.serial.at[0] * 256 + leaf.serial.at[1] >= 1000);
    assert_int_equal(leaf.issuer.len, issuer_len - 2);
    assert_memory_equal(leaf.issuer.at, issuer + 2, leaf.issuer.len);
    assert_int_equal(leaf.subject.len, 0);
    assert_true(acme_leaf_names_are(&leaf, names, 2, false));
    EC_KEY_free(ec);
    OPENSSL_free(issuer);
    free(der);
}

/* UTCTime until 2049, GeneralizedTime from 2050 and before 1950, and RFC 5280's "no expiry". */
TEST(dates)
{
    static const int64_t times[][2] = {
        {-631152000 - 1, -631152000},    /* end of 1949, 1950 */
        {-1, 951782399},                 /* 1969, 2000-02-28 */
        {951782400, 951868800},          /* 2000-02-29, 2000-03-01 */
        {2524607999, 2524608000},        /* the last second of UTCTime, the first of GeneralizedTime */
        {MAKER_NOW, 253402300799},       /* 9999-12-31 23:59:59 */
        {4107542400, 4107542400 + 86400} /* 2100-02-28: no leap day */
    };
    struct acme_leaf leaf;
    size_t len;

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        uint8_t *der = leaf_der("DNS:a.example", times[i][0], times[i][1], leaf_key, &len);
        assert_int_equal(acme_leaf_parse(&leaf, der, len), 0);
        assert_int_equal(leaf.not_before, times[i][0]);
        assert_int_equal(leaf.not_after, times[i][1]);
        free(der);
    }
}

/* Forms of a time RFC 5280 does not allow: put into a good certificate in place of its UTCTime. */
TEST(bad_dates)
{
    static const char *const texts[] = {"260921123400+", "2609211234 0Z", "260021123400Z", "261321123400Z",
                                        "260900123400Z", "260932123400Z", "260921243400Z", "260921126000Z",
                                        "260921123460Z", "26092112340xZ", "x60921123400Z"};
    struct acme_leaf leaf;
    size_t len;
    uint8_t *der = leaf_der("DNS:a.example", 0, 0, leaf_key, &len);
    uint8_t *at = memmem(der, len, "\x17\x0d", 2);

    assert_non_null(at);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        memcpy(at + 2, texts[i], 13);
        assert_int_equal(acme_leaf_parse(&leaf, der, len), ACME_E_CERT_SYNTAX);
    }
    memcpy(at + 2, "260921123400Z", 13);
    assert_int_equal(acme_leaf_parse(&leaf, der, len), 0);
    free(der);
}

TEST(other_keys)
{
    EVP_PKEY *keys[] = {maker_ec("P-384"), maker_ec("secp256k1"), maker_rsa(2048)};
    struct acme_leaf leaf;
    size_t len;

    for (size_t i = 0; i < 3; i++) {
        uint8_t *der = leaf_der("DNS:a.example", 0, 0, keys[i], &len);
        assert_int_equal(acme_leaf_parse(&leaf, der, len), 0);
        assert_null(leaf.point);
        EVP_PKEY_free(keys[i]);
        free(der);
    }
}

TEST(names)
{
    static const struct {
        const char *san;
        const char *want[3];
        bool same;
    } cases[] = {
        {"DNS:a.example", {"a.example"}, true},
        {"DNS:a.example", {"b.example"}, false},
        {"DNS:a.example", {"a.example", "b.example"}, false},
        {"DNS:a.example,DNS:b.example", {"a.example"}, false},
        {"DNS:a.example,DNS:b.example", {"b.example", "a.example"}, true},
        {"DNS:a.example,DNS:b.example,DNS:c.example", {"c.example", "a.example", "b.example"}, true},
        {"DNS:a.example,DNS:a.example", {"a.example"}, true},
        {"DNS:a.example,DNS:a.example", {"a.example", "b.example"}, false},
        {"DNS:A.EXAMPLE", {"a.example"}, true},
        {"DNS:*.example", {"a.example"}, false},
        {"DNS:a.example.", {"a.example"}, false},
        {"DNS:a.exampl", {"a.example"}, false},
        {"DNS:a.example,IP:10.0.0.1", {"a.example"}, false},
        {"DNS:a.example,email:a@b.example", {"a.example"}, false},
        {"DNS:a.example,email:a.example", {"a.example"}, false},
        {"DNS:a.example,URI:https://a.example/", {"a.example"}, false},
        {"DNS:a.example,otherName:1.2.3;UTF8:a.example", {"a.example"}, false},
        {NULL, {"a.example"}, false},
        {"IP:10.0.0.1", {"10.0.0.1"}, true},
        {"IP:10.0.0.1", {"10.0.0.2"}, false},
        {"IP:10.0.0.1", {"::ffff:a00:1"}, false},
        {"IP:::ffff:a00:1", {"10.0.0.1"}, false},
        {"DNS:10.0.0.1", {"10.0.0.1"}, false},
        {"IP:2001:DB8:0:0:0:0:0:1", {"2001:db8::1"}, true},
        {"DNS:a.example,IP:10.0.0.1,IP:2001:db8::1", {"2001:db8::1", "10.0.0.1", "a.example"}, true},
        {"DNS:a.example,IP:10.0.0.1,IP:2001:db8::1", {"10.0.0.1", "a.example"}, false},
        {"DNS:a.example,IP:10.0.0.1", {"a.example", "10.0.0.1", "2001:db8::1"}, false},
        {"email:10.0.0.1", {"10.0.0.1"}, false},
    };
    struct acme_leaf leaf;
    size_t len;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *der = leaf_der(cases[i].san, 0, 0, leaf_key, &len);
        size_t count = 0;
        while (count < 3 && cases[i].want[count] != NULL) {
            count++;
        }
        assert_int_equal(acme_leaf_parse(&leaf, der, len), 0);
        assert_int_equal(acme_leaf_names_are(&leaf, cases[i].want, count, false), cases[i].same);
        bool all = cases[i].san != NULL;
        for (size_t n = 0; all && n < count; n++) { /* or more: each of them alone is there */
            all = acme_leaf_names_are(&leaf, &cases[i].want[n], 1, true);
        }
        assert_int_equal(acme_leaf_names_are(&leaf, cases[i].want, count, true), all);
        assert_true(all || !cases[i].same);
        free(der);
    }
}

/* Two subjectAltNames: one could be shown to us and the other to somebody else. */
TEST(two_name_lists)
{
    struct maker_spec spec = {.san = "DNS:a.example", .key = leaf_key, .issuer = ca, .issuer_key = ca_key};
    X509 *x = maker_certificate(&spec);
    X509_EXTENSION *again = X509_EXTENSION_dup(X509_get_ext(x, X509_get_ext_by_NID(x, NID_subject_alt_name, -1)));
    struct acme_leaf leaf;
    size_t len;
    uint8_t *der;

    X509_add_ext(x, again, -1);
    X509_sign(x, ca_key, EVP_sha256());
    der = maker_der(x, &len);
    assert_int_equal(acme_leaf_parse(&leaf, der, len), ACME_E_CERT_SYNTAX);
    X509_EXTENSION_free(again);
    X509_free(x);
    free(der);
}

/* No truncation is accepted; no change of a byte makes a reader leave its memory. */
TEST(damage)
{
    static const char *const want[] = {"a.example", "b.example"};
    struct acme_leaf leaf;
    size_t len;
    uint8_t *der = leaf_der("DNS:a.example,DNS:b.example", 0, 0, leaf_key, &len);

    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *part = malloc(cut > 0 ? cut : 1);
        memcpy(part, der, cut);
        assert_int_equal(acme_leaf_parse(&leaf, part, cut), ACME_E_CERT_SYNTAX);
        free(part);
    }
    for (size_t at = 0; at < len; at++) {
        for (int way = 0; way < 11; way++) {
            static const uint8_t other[] = {0x00, 0x80, 0xff};
            uint8_t *copy = malloc(len);
            memcpy(copy, der, len);
            copy[at] = way < 8 ? (uint8_t)(der[at] ^ 1 << way) : other[way - 8];
            if (acme_leaf_parse(&leaf, copy, len) == 0) {
                (void)acme_leaf_names_are(&leaf, want, 2, false);
                assert_true(leaf.point == NULL || (leaf.point > copy && leaf.point + 65 < copy + len));
                assert_true(leaf.serial.at > copy && leaf.serial.at + leaf.serial.len < copy + len);
            }
            free(copy);
        }
    }
    {
        uint8_t *longer = malloc(len + 1);
        memcpy(longer, der, len);
        longer[len] = 0;
        assert_int_equal(acme_leaf_parse(&leaf, longer, len + 1), ACME_E_CERT_SYNTAX);
        free(longer);
    }
    free(der);
}

/* What stands in the names behind one that was asked for: another kind, or bytes that are no name at all. */
TEST(more_than_names)
{
    static const char *const names[] = {"a.example"};
    static const uint8_t good[] = {0x82, 9, 'a', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e'};
    uint8_t list[sizeof good + 4];

    struct acme_leaf leaf = {.names = {list, sizeof good}};
    memcpy(list, good, sizeof good);
    assert_true(acme_leaf_names_are(&leaf, names, 1, false));
    memcpy(list + sizeof good, "\x87\x01\x7f", 3); /* an address */
    leaf.names.len = sizeof good + 3;
    assert_false(acme_leaf_names_are(&leaf, names, 1, false));
    memcpy(list + sizeof good, "\x82\x09\x61", 3); /* cut off */
    assert_false(acme_leaf_names_are(&leaf, names, 1, false));
}

/* Adds to the length of an element, which must keep its form. Returns how long tag and length are. */
static size_t lengthen(uint8_t *element, unsigned by)
{
    size_t last = 1 + (element[1] & 0x0fu);
    unsigned low = element[last] + by;

    assert_true(element[1] == 0x82 || (element[1] == 0x81 && low <= 0xff));
    element[last] = (uint8_t)low;
    element[last - 1] = (uint8_t)(element[last - 1] + (low >> 8));
    return last + 1;
}

/* A third time behind the two of the validity. */
TEST(three_times)
{
    struct acme_leaf leaf;
    size_t len;
    uint8_t *der = leaf_der("DNS:a.example", 0, 0, leaf_key, &len);
    uint8_t *two = memmem(der, len, "\x30\x1e\x17\x0d", 4); /* both as UTCTime */

    assert_non_null(two);
    assert_int_equal(acme_leaf_parse(&leaf, der, len), 0);
    uint8_t *longer = malloc(len + 2);
    size_t at = (size_t)(two - der) + 2 + 30;
    memcpy(longer, der, at);
    memcpy(longer + at, "\x05\x00", 2);
    memcpy(longer + at + 2, der + at, len - at);
    longer[two - der + 1] = 32;
    lengthen(longer + lengthen(longer, 2), 2);
    assert_int_equal(acme_leaf_parse(&leaf, longer, len + 2), ACME_E_CERT_SYNTAX);
    free(longer);
    free(der);
}

/* An extension that is none is damage, not the end of them. */
TEST(bad_extension)
{
    struct acme_leaf leaf;
    size_t len;
    uint8_t *der = leaf_der("DNS:a.example", 0, 0, leaf_key, &len);
    uint8_t *at = memmem(der, len, "\x06\x03\x55\x1d\x11\x04", 6); /* subjectAltName */

    assert_non_null(at);
    at[5] = 0x05;
    assert_int_equal(acme_leaf_parse(&leaf, der, len), ACME_E_CERT_SYNTAX);
    free(der);
}

static void put_len(uint8_t *der, size_t len)
{
    der[2] = (uint8_t)(len >> 8);
    der[3] = (uint8_t)len;
}

/* A certificate has three parts: not one less, not one more, and nothing behind it. */
TEST(three_parts)
{
    static const uint8_t more[] = {0x05, 0x00};
    struct acme_leaf leaf;
    size_t len;
    uint8_t whole[2000];
    uint8_t *der = leaf_der(
        "DNS:a-name-that-makes-it-longer.example,DNS:another-name-like-that.example,DNS:a.third-name.example", 0, 0,
        leaf_key, &len);

    assert_true(der[1] == 0x82 && der[5] == 0x82 && len < sizeof whole - 2);
    memcpy(whole, der, len);
    memcpy(whole + len, more, sizeof more);
    assert_int_equal(acme_leaf_parse(&leaf, whole, len), 0);
    assert_int_equal(acme_leaf_parse(&leaf, whole, len + 2), ACME_E_CERT_SYNTAX);
    put_len(whole, len - 4 + 2);
    assert_int_equal(acme_leaf_parse(&leaf, whole, len + 2), ACME_E_CERT_SYNTAX);
    size_t tbs = 8 + (size_t)(der[6] << 8 | der[7]);
    size_t algorithm = 2 + (size_t)der[tbs + 1];
    for (int i = 0; i < 2; i++, tbs += algorithm) { /* neither algorithm nor signature; no signature */
        put_len(whole, tbs - 4);
        assert_int_equal(acme_leaf_parse(&leaf, whole, tbs), ACME_E_CERT_SYNTAX);
    }
    free(der);
}

/* The certID of a certificate with this serial number (hexadecimal) and these authorityKeyIdentifiers. */
static const char *certid(const char *serial, const char *key_id, const char *again)
{
    static char text[ACME_CERTID_MAX + 1];
    struct maker_spec spec = {
        .san = "DNS:a.example", .key = leaf_key, .key_id = key_id, .issuer = ca, .issuer_key = ca_key};
    X509 *x = maker_certificate(&spec);
    BIGNUM *number = NULL;
    struct acme_leaf leaf;
    struct acme_out o;
    size_t len;

    BN_hex2bn(&number, serial);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
    for (int i = 0; again != NULL && i < 2; i++) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_authority_key_identifier, again);
        assert_true(extension != NULL && X509_add_ext(x, extension, -1) == 1);
        X509_EXTENSION_free(extension);
    }
    assert_true(X509_sign(x, ca_key, EVP_sha256()) > 0);
    uint8_t *der = maker_der(x, &len);
    assert_int_equal(acme_leaf_parse(&leaf, der, len), 0); /* whatever it is: the certificate is a good one */
    acme_out_init(&o, text, sizeof text);
    acme_certid_write(&o, &leaf);
    acme_out_bytes(&o, "", 1);
    assert_false(o.overflow);
    free(der);
    BN_free(number);
    X509_free(x);
    return text;
}

#define AKI   "DER:30168014"
#define RFC   "69885b6b87464041e1b37b847ba0ae2cde01c8d4"
#define TEN   "00010203040506070809"
#define BYTES TEN TEN TEN

/* RFC 9773, 4.1: octets as they stand. */
TEST(certids)
{
    assert_string_equal(certid("87654321", AKI RFC, NULL), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
    assert_string_equal(certid("7f", AKI RFC, NULL), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.fw");
    assert_string_equal(certid("0", AKI RFC, NULL), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AA");
    assert_string_equal(certid("-1", AKI RFC, NULL), "aYhba4dGQEHhs3uEe6CuLN4ByNQ._w");
    assert_string_equal(certid("-80", AKI RFC, NULL), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.gA");
    assert_string_equal(certid("1", "DER:3003800161", NULL), "YQ.AQ");
    assert_string_equal(certid("1", "DER:3006800161820101", NULL), "YQ.AQ"); /* a serial number behind it */
    /* the longest: 32 bytes, and 20 behind a zero */
    assert_int_equal(strlen(certid("ff" TEN "010203040506070809", "DER:30228020" BYTES "ffff", NULL)),
                     ACME_CERTID_MAX);
}

TEST(no_certid)
{
    static const char *const key_ids[] = {NULL,
                                          "DER:3000",
                                          "DER:3003820101",
                                          "DER:300ba1068204612e62638201"
                                          "01",
                                          "DER:30028000",
                                          "DER:30428040" BYTES BYTES "ffffffff",
                                          "DER:30238021" BYTES "ffffff",
                                          "DER:0500",
                                          "DER:3003a00161",
                                          "DER:30038005ff",
                                          "DER:30038001610500"};
    for (size_t i = 0; i < sizeof key_ids / sizeof key_ids[0]; i++) {
        assert_string_equal(certid("87654321", key_ids[i], NULL), "");
    }
    assert_string_equal(certid("1", AKI RFC, AKI RFC), ""); /* three times */
    assert_string_equal(certid("1", "DER:3000", AKI RFC), "");
    assert_string_equal(certid("1", NULL, AKI RFC), "");          /* twice */
    assert_string_equal(certid("ff" TEN TEN, AKI RFC, NULL), ""); /* 22 bytes */
    struct acme_leaf leaf = {.authority = {(const uint8_t *)"a", 1}};
    struct acme_out o;
    char text[ACME_CERTID_MAX];
    acme_out_init(&o, text, sizeof text);
    acme_certid_write(&o, &leaf);
    assert_int_equal(o.len, 0);
}

AROUND(set_up, tear_down, NULL, NULL);
