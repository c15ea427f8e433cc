/* test_anchors.c - roots from PEM: what is kept of each certificate, what is skipped, memory bounds, damage.
 */
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secure/anchors.h"

enum { RSA2048, P256, P384, P521, RSA1024, PLAIN, KINDS };

static EVP_PKEY *keys[KINDS];
static X509 *certs[KINDS];
static char *pems[KINDS];
static char text[16384];
static _Alignas(16) unsigned char memory[8192];

static int set_up(void **state)
{
    (void)state;
    keys[RSA2048] = maker_rsa(2048);
    keys[P256] = maker_ec("P-256");
    keys[P384] = maker_ec("P-384");
    keys[P521] = maker_ec("P-521");
    keys[RSA1024] = maker_rsa(1024);
    keys[PLAIN] = maker_ec("P-256");
    for (int i = 0; i < KINDS; i++) {
        static const char *const titles[] = {"R", "E", "F", "G", "W", "server.example"};
        struct maker_spec spec = {.name = titles[i], .ca = i == PLAIN ? MAKER_CA_ABSENT : MAKER_CA, .key = keys[i]};
        certs[i] = maker_certificate(&spec);
        pems[i] = maker_pem(certs[i]);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        X509_free(certs[i]);
        EVP_PKEY_free(keys[i]);
        free(pems[i]);
    }
    return 0;
}

static int read_all(const char *pem, size_t len, size_t step, void *mem, size_t cap, struct acme_trust *trust,
                    size_t *skipped)
{
    struct acme_trust_reader r;
    int n;

    acme_trust_begin(&r, mem, cap);
    for (size_t at = 0; at < len; at += step) {
        acme_trust_add(&r, pem + at, len - at < step ? len - at : step);
    }
    n = acme_trust_end(&r, trust);
    if (skipped != NULL) {
        *skipped = r.left[ACME_LEFT_KEY];
    }
    return n;
}

static void is_anchor(const br_x509_trust_anchor *a, int kind)
{
    uint8_t *name = NULL, *point = NULL, number[512];
    int name_len = i2d_X509_NAME(X509_get_subject_name(certs[kind]), &name);

    assert_int_equal(a->dn.len, name_len);
    assert_memory_equal(a->dn.data, name, name_len);
    assert_int_equal(a->flags, kind == PLAIN ? 0 : BR_X509_TA_CA);
    if (kind == RSA2048) {
        BIGNUM *n = NULL;
        assert_true(EVP_PKEY_get_bn_param(keys[kind], "n", &n));
        assert_int_equal(a->pkey.key_type, BR_KEYTYPE_RSA);
        assert_int_equal(a->pkey.key.rsa.nlen, BN_bn2bin(n, number));
        assert_memory_equal(a->pkey.key.rsa.n, number, a->pkey.key.rsa.nlen);
        assert_int_equal(a->pkey.key.rsa.elen, 3);
        assert_memory_equal(a->pkey.key.rsa.e, "\1\0\1", 3);
        BN_free(n);
    } else {
        EC_KEY *ec = EVP_PKEY_get1_EC_KEY(keys[kind]);
        assert_int_equal(a->pkey.key_type, BR_KEYTYPE_EC);
        assert_int_equal(a->pkey.key.ec.curve, kind == P384 ? BR_EC_secp384r1 : BR_EC_secp256r1);
        assert_int_equal(a->pkey.key.ec.qlen, i2o_ECPublicKey(ec, &point));
        assert_memory_equal(a->pkey.key.ec.q, point, a->pkey.key.ec.qlen);
        OPENSSL_free(point);
        EC_KEY_free(ec);
    }
    OPENSSL_free(name);
}

static void kinds(void **state)
{
    static const int kept[] = {RSA2048, P256, P384, PLAIN};
    struct acme_trust trust;
    size_t skipped;

    (void)state;
    strcpy(text, "# roots\n");
    for (int i = 0; i < KINDS; i++) {
        strcat(text, pems[i]);
        strcat(text, "\ncomment\n-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
    }
    for (size_t step = 1; step < 3000; step = step * 3 + 1) {
        assert_int_equal(read_all(text, strlen(text), step, memory + step % 8, 4096, &trust, &skipped), 4);
        assert_int_equal(trust.count, 4);
        assert_int_equal(skipped, 2);
        for (int i = 0; i < 4; i++) {
            is_anchor(&trust.anchors[i], kept[i]);
        }
    }
}

static void ends_without_newline(void **state)
{
    struct acme_trust trust;

    (void)state;
    assert_int_equal(read_all(pems[P256], strlen(pems[P256]) - 1, 7, memory, sizeof memory, &trust, NULL), 1);
    is_anchor(trust.anchors, P256);
}

/* Every size: memory too small is said, nothing is written outside, and what was said to fit is right. */
static void every_size(void **state)
{
    struct acme_trust trust;
    size_t refused = 0;

    (void)state;
    strcpy(text, pems[P256]);
    strcat(text, pems[RSA2048]);
    for (size_t cap = 0; cap < 800; cap++) {
        int n;
        memset(memory, '#', sizeof memory);
        n = read_all(text, strlen(text), 4096, memory + 16, cap, &trust, NULL);
        assert_memory_equal(memory, "################", 16);
        assert_memory_equal(memory + 16 + cap, "################", 16);
        if (n == 2) {
            is_anchor(&trust.anchors[0], P256);
            is_anchor(&trust.anchors[1], RSA2048);
        } else {
            assert_int_equal(n, ACME_E_WORK_SMALL);
            assert_int_equal(trust.count, 0);
            refused++;
        }
    }
    assert_in_range(refused, 400, 600);
    assert_int_equal(read_all(text, strlen(text), 9, NULL, 0, &trust, NULL), ACME_E_WORK_SMALL);
}

static void damaged(void **state)
{
    struct acme_trust trust;
    size_t len = strlen(pems[P256]);

    (void)state;
    assert_int_equal(read_all("", 0, 1, memory, sizeof memory, &trust, NULL), ACME_E_ANCHORS);
    assert_int_equal(read_all("nothing\n", 8, 1, memory, sizeof memory, &trust, NULL), ACME_E_ANCHORS);
    assert_int_equal(read_all(pems[P521], strlen(pems[P521]), 99, memory, sizeof memory, &trust, NULL),
                     ACME_E_ANCHORS);
    for (size_t cut = 0; cut < len; cut++) { /* BearSSL does not look at the end of the END line */
        int n = read_all(pems[P256], cut, 99, memory, sizeof memory, &trust, NULL);
        assert_true(n == ACME_E_ANCHORS || (n == 1 && cut > len - 26));
    }
    strcpy(text, pems[P256]);
    strcat(text, pems[P384]);
    text[len + 100] = '!';
    assert_int_equal(read_all(text, strlen(text), 99, memory, sizeof memory, &trust, NULL), ACME_E_ANCHORS);
    strcpy(text, pems[P256]); /* the second block never ends */
    strcat(text, pems[P384]);
    for (size_t cut = 30; cut < 300; cut++) {
        assert_int_equal(read_all(text, len + cut, 99, memory, sizeof memory, &trust, NULL), ACME_E_ANCHORS);
    }
    for (size_t at = 0; at < len; at++) { /* in memory, whatever a byte becomes */
        strcpy(text, pems[P256]);
        text[at] ^= 3;
        (void)read_all(text, len, 99, memory, 400, &trust, NULL);
    }
}

/* The older label, and a certificate that is followed by damage while the memory is full already. */
static void other_label(void **state)
{
    struct acme_trust trust;
    char *body = strchr(pems[P256], '\n');

    (void)state;
    snprintf(text, sizeof text, "-----BEGIN X509 CERTIFICATE-----%.*s\n-----END X509 CERTIFICATE-----\n",
             (int)(strstr(body, "\n-----END") - body), body);
    assert_int_equal(read_all(text, strlen(text), 99, memory, sizeof memory, &trust, NULL), 1);
    is_anchor(trust.anchors, P256);
}

static void full_and_damaged(void **state)
{
    struct acme_trust trust;
    int full = 0;

    (void)state;
    for (size_t at = 30; at < strlen(pems[P256]) - 30; at++) {
        strcpy(text, pems[P256]);
        text[at] = '!';
        int n = read_all(text, strlen(text), 4096, memory, sizeof(br_x509_trust_anchor) + 8, &trust, NULL);
        assert_true(n == ACME_E_WORK_SMALL || n == ACME_E_ANCHORS); /* whichever came first */
        assert_int_equal(trust.count, 0);
        full += n == ACME_E_WORK_SMALL;
    }
    assert_in_range(full, 1, strlen(pems[P256]));
    assert_int_equal(read_all(pems[P256], 10, 10, memory + 1, 3, &trust, NULL),
                     ACME_E_WORK_SMALL); /* no room to align */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),   cmocka_unit_test(ends_without_newline), cmocka_unit_test(every_size),
        cmocka_unit_test(damaged), cmocka_unit_test(other_label),          cmocka_unit_test(full_and_damaged),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
