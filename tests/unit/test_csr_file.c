/* test_csr_file.c - requests that were made elsewhere, as OpenSSL makes them: names and key; each truncation and each damaged byte is
 * read within its bounds, and gives names that can be asked for or words. */
#include "maker.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "csr.h"
#include "x509/leaf.h"

/* DER that the caller frees. */
static uint8_t *make(EVP_PKEY *key, const char *san, const char *common_name, size_t *len)
{
    X509_REQ *request = X509_REQ_new();
    uint8_t *der = NULL;

    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    if (common_name != NULL) {
        (void)X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "O", MBSTRING_ASC,
                                         (const uint8_t *)"Org", -1, -1, 0);
        (void)X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
                                         (const uint8_t *)common_name, -1, -1, 0);
    }
    if (san != NULL) {
        X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
        X509_EXTENSION *usage = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "critical,digitalSignature");
        STACK_OF(X509_EXTENSION) *all = sk_X509_EXTENSION_new_null();
        (void)X509_REQ_add1_attr_by_txt(request, "challengePassword", MBSTRING_ASC, (const uint8_t *)"x", 1);
        (void)sk_X509_EXTENSION_push(all, usage);
        (void)sk_X509_EXTENSION_push(all, names);
        assert_int_equal(X509_REQ_add_extensions(request, all), 1);
        sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
    }
    assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
    int got = i2d_X509_REQ(request, &der);
    assert_true(got > 0);
    *len = (size_t)got;
    X509_REQ_free(request);
    return der;
}

static struct acme_csr csr;

TEST(names_and_keys)
{
    EVP_PKEY *keys[] = {maker_ec("P-256"), maker_ec("P-384"), maker_rsa(2048)};
    for (size_t i = 0; i < 3; i++) {
        size_t len;
        uint8_t point[65],
            *der = make(keys[i], "DNS:a.example,DNS:*.b.example,IP:192.0.2.1,IP:2001:DB8::1", "A.example", &len);
        assert_null(acme_csr_take(&csr, der, len));
        assert_int_equal(csr.name_count, 4);
        assert_string_equal(csr.names[0], "a.example");
        assert_string_equal(csr.names[1], "*.b.example");
        assert_string_equal(csr.names[2], "192.0.2.1");
        assert_string_equal(csr.names[3], "2001:db8::1");
        assert_int_equal(csr.len, len);
        assert_int_equal(csr.key[0], i == 0 ? 4 : 0);
        const struct acme_key *key = &csr.public_key;
        assert_int_equal(key->ops->point(key->handle, point), 0);
        assert_memory_equal(point, csr.key, 65);
        assert_int_equal(key->ops->sign(key->handle, point, point), ACME_E_KEY);
        assert_true(key->ops->load == NULL && key->ops->save == NULL && key->ops->generate == NULL);

        struct maker_spec spec = {.san = "DNS:a.example",
                                  .key = keys[i]}; /* the certificate's key is found to be it */
        X509 *made = maker_certificate(&spec);
        struct acme_leaf leaf;
        size_t cert_len;
        uint8_t *cert = maker_der(made, &cert_len);
        assert_int_equal(acme_leaf_parse(&leaf, cert, cert_len), 0);
        assert_true(acme_leaf_is_for(&leaf, csr.key));
        csr.key[5] ^= 1;
        assert_false(acme_leaf_is_for(&leaf, csr.key));
        free(cert);
        X509_free(made);
        OPENSSL_free(der);
        EVP_PKEY_free(keys[i]);
    }
}

TEST(refused_with_words)
{
    static const struct {
        const char *san, *common_name, *words;
    } rows[] = {
        {NULL, "a.example", "common name alone"},
        {"DNS:a.example", "b.example", "not among"},
        {"DNS:a.example,email:a@example", NULL, "something else"},
        {"DNS:a.example,URI:http://a.example/", NULL, "something else"},
        {"DNS:1,DNS:2,DNS:3,DNS:4,DNS:5,DNS:6,DNS:7,DNS:8,DNS:9", NULL, "too many"},
    };
    EVP_PKEY *key = maker_rsa(1024);
    size_t short_len;
    uint8_t *short_rsa = make(key, "DNS:a.example", NULL, &short_len);
    const char *short_why = acme_csr_take(&csr, short_rsa, short_len);
    assert_true(short_why != NULL && strstr(short_why, "2048 bits") != NULL);
    OPENSSL_free(short_rsa);
    EVP_PKEY_free(key);
    key = maker_ec("P-256");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len;
        uint8_t *der = make(key, rows[i].san, rows[i].common_name, &len);
        const char *why = acme_csr_take(&csr, der, len);
        assert_non_null(why);
        assert_non_null(strstr(why, rows[i].words));
        OPENSSL_free(der);
    }
    assert_non_null(acme_csr_take(&csr, "", 0));
    assert_non_null(
        acme_csr_take(&csr, "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n", 76));
    assert_non_null(strstr(acme_csr_take(&csr, "-----BEGIN PRIVATE KEY-----\nAA==\n", 33), "private key"));
    assert_string_equal(acme_csr_read(&csr, "/nonexistent/csr"), "No such file or directory");
    EVP_PKEY_free(key);
}

/* Cut anywhere it is none; damaged anywhere it is one with names, or words. */
TEST(hostile_requests)
{
    EVP_PKEY *key = maker_ec("P-256");
    size_t len;
    uint8_t *der = make(key, "DNS:a.example,IP:192.0.2.1", "a.example", &len);

    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut + 1);
        memcpy(copy, der, cut);
        assert_non_null(acme_csr_take(&csr, copy, cut));
        free(copy);
    }
    for (size_t at = 0; at < len; at++) {
        static const uint8_t bytes[] = {0x00, 0x01, 0x30, 0x31, 0x7f, 0x80, 0x82, 0x87, 0xff};
        uint8_t was = der[at];
        for (size_t i = 0; i < sizeof bytes; i++) {
            der[at] = bytes[i];
            if (acme_csr_take(&csr, der, len) == NULL) {
                assert_in_range(csr.name_count, 1, ACME_NAMES_MAX);
                for (size_t n = 0; n < csr.name_count; n++) {
                    assert_in_range(strlen(csr.names[n]), 1, 253);
                }
            }
        }
        der[at] = was;
    }
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}
