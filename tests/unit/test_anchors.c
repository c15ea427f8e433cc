/* test_anchors.c - roots from PEM: what is kept of each certificate, what is left out and counted, memory bounds,
 * damage; and the forms of PEM that every reader of it gets. */
#include "maker.h"

#include <openssl/rsa.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "roots/anchored.h"
#include "roots/constraints.h"
#include "roots/roots.h"
#include "x509/chain.h"

enum { RSA2048, P256, P384, P521, RSA1024, PLAIN, RSA5120, RSA8192, ED25519, RSA4096, KINDS };

static EVP_PKEY *keys[KINDS];
static X509 *certs[KINDS];
static char *pems[KINDS];
static char text[65536];
static _Alignas(16) unsigned char memory[32768];

/* A public key only: to make a pair takes long. */
static EVP_PKEY *public_rsa(int bits)
{
    EVP_PKEY *key = EVP_PKEY_new();
    BIGNUM *n = BN_new(), *e = BN_new();
    RSA *rsa = RSA_new();

    assert_true(BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) && BN_set_word(e, 65537));
    RSA_set0_key(rsa, n, e, NULL);
    assert_true(EVP_PKEY_assign_RSA(key, rsa));
    return key;
}

static int set_up(void **state)
{
    keys[RSA2048] = maker_rsa(2048);
    keys[P256] = maker_ec("P-256");
    keys[P384] = maker_ec("P-384");
    keys[P521] = maker_ec("P-521");
    keys[RSA1024] = maker_rsa(1024);
    keys[PLAIN] = maker_ec("P-256");
    keys[RSA5120] = public_rsa(5120);
    keys[RSA8192] = public_rsa(8192);
    keys[RSA4096] = public_rsa(4096);
    keys[ED25519] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    for (int i = 0; i < KINDS; i++) {
        static const char *const titles[] = {"R", "E", "F", "G", "W", "server.example", "5", "8", "D", "4"};
        struct maker_spec spec = {.name = titles[i], .ca = i == PLAIN ? MAKER_CA_ABSENT : MAKER_CA, .key = keys[i]};
        if (i >= RSA5120) { /* there is no private key to sign with, or no digest */
            spec.issuer = certs[P256];
            spec.issuer_key = keys[P256];
        }
        certs[i] = maker_certificate(&spec);
        pems[i] = maker_pem(certs[i]);
    }
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < KINDS; i++) {
        X509_free(certs[i]);
        EVP_PKEY_free(keys[i]);
        free(pems[i]);
    }
    return 0;
}

static size_t left[ACME_LEFT_REASONS], not_ca;

static int read_all(const char *pem, size_t len, size_t step, void *mem, size_t cap, struct acme_trust *trust)
{
    struct {
        struct acme_trust_reader r;
        unsigned char canary[4096]; /* the decoder used before wrote up to 751 bytes behind its reader */
    } guarded;
    int n;

    memset(guarded.canary, 0x5c, sizeof guarded.canary);
    acme_trust_begin(&guarded.r, mem, cap);
    for (size_t at = 0; at < len; at += step) {
        acme_trust_add(&guarded.r, pem + at, len - at < step ? len - at : step);
    }
    n = acme_trust_end(&guarded.r, trust);
    memcpy(left, guarded.r.left, sizeof left);
    not_ca = guarded.r.not_ca;
    for (size_t i = 0; i < sizeof guarded.canary; i++) {
        assert_int_equal(guarded.canary[i], 0x5c);
    }
    return n;
}

static size_t left_out(void)
{
    size_t sum = 0;

    for (int i = 0; i < ACME_LEFT_REASONS; i++) {
        sum += left[i];
    }
    return sum;
}

static void is_anchor(const br_x509_trust_anchor *a, int kind)
{
    uint8_t *name = NULL, *point = NULL, number[512];
    int name_len = i2d_X509_NAME(X509_get_subject_name(certs[kind]), &name);

    assert_int_equal(a->dn.len, name_len);
    assert_memory_equal(a->dn.data, name, name_len);
    assert_int_equal(a->flags, kind == PLAIN ? 0 : BR_X509_TA_CA);
    if (kind == RSA2048 || kind == RSA4096) {
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

TEST(kinds)
{
    static const int kept[] = {RSA2048, P256, P384, PLAIN, RSA4096};
    struct acme_trust trust;

    strcpy(text, "# roots\n");
    for (int i = 0; i < KINDS; i++) {
        strcat(text, pems[i]);
        strcat(text, "\ncomment\n-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
    }
    for (size_t step = 1; step < 3000; step = step * 3 + 1) {
        assert_int_equal(read_all(text, strlen(text), step, memory + step % 8, 16384, &trust), 5);
        assert_int_equal(trust.count, 5);
        assert_int_equal(left[ACME_LEFT_KEY], 5);
        assert_int_equal(left_out(), 5);
        assert_int_equal(not_ca, 1);
        assert_null(trust.permits);
        for (int i = 0; i < 5; i++) {
            is_anchor(&trust.anchors[i], kept[i]);
        }
    }
}

/* Keys that are too large, before, behind and around the right root, in any pieces. */
TEST(large_keys)
{
    static const int orders[][4] = {{RSA5120, P256, -1}, {P256, RSA5120, -1},          {RSA8192, P256, -1},
                                    {P256, RSA8192, -1}, {RSA8192, P256, RSA5120, -1}, {RSA5120, RSA8192, P256, -1}};
    struct acme_trust trust;

    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        size_t count = 0;
        text[0] = '\0';
        for (; orders[o][count] >= 0; count++) {
            strcat(text, pems[orders[o][count]]);
        }
        for (size_t step = 1; step < 8192; step = step * 2 + 3) {
            assert_int_equal(read_all(text, strlen(text), step, memory, 4096, &trust), 1);
            assert_int_equal(left[ACME_LEFT_KEY], count - 1);
            assert_int_equal(left_out(), count - 1);
            is_anchor(trust.anchors, P256);
        }
    }
}

TEST(ends_without_newline)
{
    struct acme_trust trust;

    assert_int_equal(read_all(pems[P256], strlen(pems[P256]) - 1, 7, memory, sizeof memory, &trust), 1);
    is_anchor(trust.anchors, P256);
}

/* Every size: memory too small is said, nothing is written outside, and what was said to fit is right. */
TEST(every_size)
{
    struct acme_trust trust;
    size_t refused = 0;

    strcpy(text, pems[P256]);
    strcat(text, pems[RSA2048]);
    for (size_t cap = 0; cap < 1800; cap++) {
        int n;
        memset(memory, '#', 2000);
        n = read_all(text, strlen(text), 4096, memory + 16, cap, &trust);
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
    assert_in_range(refused, 1000, 1600);
    assert_int_equal(read_all(text, strlen(text), 9, NULL, 0, &trust), ACME_E_WORK_SMALL);
    assert_int_equal(read_all(pems[P256], 10, 10, memory + 1, 3, &trust), ACME_E_WORK_SMALL); /* no room to align */
}

TEST(damaged)
{
    struct acme_trust trust;
    size_t len = strlen(pems[P256]);

    assert_int_equal(read_all("", 0, 1, memory, sizeof memory, &trust), ACME_E_ANCHORS);
    assert_int_equal(read_all("nothing\n", 8, 1, memory, sizeof memory, &trust), ACME_E_ANCHORS);
    assert_int_equal(left_out(), 0);
    assert_int_equal(read_all(pems[P521], strlen(pems[P521]), 99, memory, sizeof memory, &trust), ACME_E_ANCHORS);
    assert_int_equal(left[ACME_LEFT_KEY], 1);
    for (size_t cut = 0; cut < len - 1; cut++) {
        assert_int_equal(read_all(pems[P256], cut, 99, memory, sizeof memory, &trust), ACME_E_ANCHORS);
    }
    strcpy(text, pems[P256]); /* the file ends within the second */
    strcat(text, pems[P384]);
    for (size_t cut = 11; cut < 300; cut++) {
        assert_int_equal(read_all(text, len + cut, 99, memory, sizeof memory, &trust), ACME_E_ANCHORS);
    }
}

/* A byte changed anywhere in the certificate in the middle: whatever becomes of it, it is counted, and the two around it
 * are read. */
TEST(one_damaged)
{
    struct acme_trust trust;
    size_t start = strlen(pems[P256]), len = strlen(pems[RSA2048]);

    for (size_t at = 0; at < len; at++) {
        for (int way = 0; way < 5; way++) {
            int n;
            snprintf(text, sizeof text, "%s%s%s", pems[P256], pems[RSA2048], pems[P384]);
            if (text[start + at] == "-!A\n\xff"[way]) {
                continue;
            }
            text[start + at] = "-!A\n\xff"[way];
            n = read_all(text, strlen(text), 4096, memory, sizeof memory, &trust);
            assert_true(n >= 2);
            is_anchor(&trust.anchors[0], P256);
            if (at < len - 1) { /* else text stands before the last BEGIN line */
                is_anchor(&trust.anchors[n - 1], P384);
            }
            assert_true(n + left_out() >= 3);
        }
    }
}

/* The same of its DER: a byte changed, or cut anywhere. */
TEST(damaged_der)
{
    struct acme_trust trust;
    int lens[] = {RSA2048, P384, RSA8192};

    for (size_t k = 0; k < sizeof lens / sizeof *lens; k++) {
        size_t len;
        uint8_t *der = maker_der(certs[lens[k]], &len), *copy = malloc(len);
        for (size_t at = 0; at < 2 * len; at++) {
            struct acme_out o;
            memcpy(copy, der, len);
            copy[at % len] ^= at % 3 == 0 ? 0x80 : at % 3 == 1 ? 0xff : 1;
            strcpy(text, pems[P256]);
            acme_out_init(&o, text + strlen(text), 8192);
            acme_pem_write(&o, "CERTIFICATE", copy, at < len ? len : at - len);
            text[strlen(pems[P256]) + o.len] = '\0';
            strcat(text, pems[PLAIN]);
            int n = read_all(text, strlen(text), 4096, memory, sizeof memory, &trust);
            assert_int_equal(n + (int)left_out(), 3);
            is_anchor(&trust.anchors[0], P256);
            is_anchor(&trust.anchors[n - 1], PLAIN);
        }
        free(der);
        free(copy);
    }
}

/* --- forms of PEM --- */

static char body[2][4096]; /* what is between the edges of two certificates, LF at the end of each line */

static void cut_edges(int which, const char *pem)
{
    const char *from = strchr(pem, '\n') + 1;

    snprintf(body[which], sizeof body[which], "%.*s", (int)(strstr(from, "-----END") - from), from);
}

/* Replaces LF. */
static void with_ends(const char *end)
{
    static char copy[sizeof text];
    char *to = text;

    strcpy(copy, text);
    for (const char *at = copy; *at != '\0'; at++) {
        if (*at == '\n') {
            to = stpcpy(to, end);
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
}

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

/* How two certificates are written, and how many are read of them; the rest is counted by the reader of roots, and refused
 * by that of chains. */
static const struct form {
    const char *before, *between, *behind, *ends; /* `ends` in the place of LF */
    int whole;
} pem_forms[] = {
    {BEGIN "\n", END "\n" BEGIN "\n", END "\n", "\n", 2},
    {BEGIN "\n", END "\n" BEGIN "\n", END "\n", "\r\n", 2},
    {BEGIN "\n", END "\n" BEGIN "\n", END "\n", "\r", 2},
    {BEGIN "\n", END "\n" BEGIN "\n", END "\n", " \t\n", 2},
    {BEGIN "\n", END "\n" BEGIN "\n", END "\n", "\n\n", 2},
    {BEGIN "\n", END "\n" BEGIN "\n", END "\n", " ", 2},
    {BEGIN "\n", END "\n" BEGIN "\n", END "\n", "", 2},
    {BEGIN "\n", END "\n" BEGIN "\n", END, "\n", 2},
    {"\xef\xbb\xbf" BEGIN "\n", END "\n" BEGIN "\n", END "\n", "\n", 2},
    {"\xef\xbb\xbf" BEGIN "\n", END "\n\xef\xbb\xbf" BEGIN "\n", END "\n", "\r\n", 2},
    {BEGIN "\n", END BEGIN "\n", END, "\n", 2},
    {BEGIN "\n", END " " BEGIN "\n", END "\n", "\n", 2},
    {"  " BEGIN "\n", "  " END "\n\t" BEGIN "\n", "\t" END "\n", "\n    ", 2},
    {"subject=CN = R\n-- \n" BEGIN "\n", END "\nBag Attributes: <No Attributes>\n" BEGIN "\n", END "\nbye", "\n", 2},
    {"-----BEGIN X509 CERTIFICATE-----\n", "-----END X509 CERTIFICATE-----\n-----BEGIN X.509 CERTIFICATE-----\n",
     "-----END X.509 CERTIFICATE-----\n", "\n", 2},
    {"-----BEGIN X509 CRL-----\n!!\n-----END X509 CRL-----\n" BEGIN "\n",
     END "\n-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n-----END EC PRIVATE KEY-----\n" BEGIN "\n",
     END "\n-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "\n", 2},
    {"# " BEGIN "\n# MIIB\n# " END "\n" BEGIN "\n", END "\n" BEGIN "\n", END "\n", "\n", 2},
    {BEGIN "\n", END "\n-----BEGIN TRUSTED CERTIFICATE-----\n", "-----END TRUSTED CERTIFICATE-----\n", "\n", 1},
    {BEGIN "\n", END "\n-----BEGIN PKCS7-----\n", "-----END PKCS7-----\n", "\n", 1},
    {BEGIN "\n", END "\n----BEGIN CERTIFICATE-----\n", END "\n", "\n", 1},
    {BEGIN "\n", END "\n-" BEGIN "\n", END "\n", "\n", 2},
    {BEGIN "\n", END "\n-----BEGIN CERTIFICATE----\n", END "\n", "\n", 1},
    {BEGIN "\n", END "\n" BEGIN "-\n", END "\n", "\n", 1},
    {BEGIN "\n", END "\nx" BEGIN "\n", END "\n", "\n", 1},
    {BEGIN "\n", END "\n" BEGIN "\n", "----END CERTIFICATE-----\n" BEGIN "\n" END "\n", "\n", 1},
    {BEGIN "\n", END "\n" BEGIN "\n", "-----END CERTIFICATE----\n", "\n", 1},
    {BEGIN "\n", END "\n" BEGIN "\n", "-----END CERT-----\n", "\n", 1},
    {BEGIN "\n", END "\n" BEGIN "\nProc-Type: 4\n", END "\n", "\n", 1},
    {BEGIN "\n", END "\n" BEGIN "\n\xef\xbb\xbf", END "\n", "\n", 1},
    {BEGIN "\n", END "\n" BEGIN "\n", "=" END "\n", "\n", 1},
    {BEGIN "\n", END "\n" BEGIN "\n", "AA" END "\n", "\n", 1},
    {BEGIN "\n", "\n" BEGIN "\n", END "\n", "\n", 1},
    {BEGIN "\n", END "\n" BEGIN "\n" END "\n", END "\n", "\n", 1},
};

static void write_form(const struct form *form)
{
    snprintf(text, sizeof text, "%s%s%s%s%s", form->before, body[0], form->between, body[1], form->behind);
    with_ends(form->ends);
}

/* Roots: what goes in comes out, or is counted. */
TEST(forms_of_roots)
{
    struct acme_trust trust;

    cut_edges(0, pems[P256]);
    cut_edges(1, pems[P384]);
    for (size_t i = 0; i < sizeof pem_forms / sizeof *pem_forms; i++) {
        write_form(&pem_forms[i]);
        for (size_t step = 1; step < 5000; step = step * 7 + 1) {
            int n = read_all(text, strlen(text), step, memory, sizeof memory, &trust);
            assert_int_equal(n, pem_forms[i].whole);
            assert_true(n == 2 ? left_out() == 0 : left_out() >= 1);
            is_anchor(&trust.anchors[n - 1],
                      n == 2 || trust.anchors[0].pkey.key.ec.curve == BR_EC_secp384r1 ? P384 : P256);
        }
    }
}

static unsigned stored;

static int count_ends(void *ctx, const void *data, size_t len)
{
    stored += len > 8 && memcmp(data, "-----END", 8) == 0;
    return 0;
}

/* Chains: the same forms, whole or refused. */
TEST(forms_of_chains)
{
    static const char *const names[] = {"a.example"};
    struct acme_key_p256 key;
    struct maker_spec spec = {.san = "DNS:a.example", .issuer = certs[P256], .issuer_key = keys[P256]};
    X509 *leaf;
    char *pem;

    assert_int_equal(acme_key_p256_ops.generate(&key, &maker_sys), 0);
    spec.key = maker_public(key.point);
    leaf = maker_certificate(&spec);
    pem = maker_pem(leaf);
    cut_edges(0, pem);
    cut_edges(1, pems[P256]);
    for (size_t i = 0; i < sizeof pem_forms / sizeof *pem_forms; i++) {
        write_form(&pem_forms[i]);
        for (size_t step = 1; step < 5000; step = step * 7 + 1) {
            struct acme_chain_want want = {.point = key.point, .names = names, .name_count = 1, .utc = MAKER_NOW};
            struct acme_chain chain;
            int err = 0;
            size_t len = strlen(text);

            stored = 0;
            acme_chain_init(&chain, &want, memory, 8192, count_ends, NULL);
            for (size_t at = 0; at < len && err == 0; at += step) {
                err = acme_chain_read(&chain, text + at, len - at < step ? len - at : step);
            }
            err = err == 0 ? acme_chain_end(&chain) : err;
            if (pem_forms[i].whole == 2) {
                assert_int_equal(err, 0);
                assert_int_equal(stored, 2);
            } else {
                assert_int_equal(err, ACME_E_CERT_SYNTAX);
            }
        }
    }
    free(pem);
    X509_free(leaf);
    EVP_PKEY_free(spec.key);
}

/* Keys: the certificate in front is passed over, and where there were two certificates, there is a certificate and a key. */
TEST(forms_of_keys)
{
    struct acme_key_p256 key, again;
    char record[ACME_KEY_P256_RECORD_MAX + 1];
    int len;

    assert_int_equal(acme_key_p256_ops.generate(&key, &maker_sys), 0);
    len = acme_key_p256_ops.save(&key, record, ACME_KEY_P256_RECORD_MAX);
    assert_true(len > 0);
    record[len] = '\0';
    cut_edges(0, pems[RSA2048]);
    cut_edges(1, record);
    for (size_t i = 0; i < sizeof pem_forms / sizeof *pem_forms; i++) {
        struct form form = pem_forms[i];
        char between[300];
        char behind[300];
        const char *second = strstr(form.between, BEGIN);
        int err;

        if (second == NULL || strstr(second + 1, BEGIN) != NULL || strstr(second, END) != NULL ||
            strstr(form.between, "KEY") != NULL) {
            continue; /* what is between is not END and BEGIN, or an encrypted key, which is refused */
        }
        snprintf(between, sizeof between, "%.*s-----BEGIN EC PRIVATE KEY-----%s", (int)(second - form.between),
                 form.between, second + strlen(BEGIN));
        const char *end = strstr(form.behind, END);
        snprintf(behind, sizeof behind, "%.*s-----END EC PRIVATE KEY-----%s",
                 end != NULL ? (int)(end - form.behind) : 0, form.behind, end != NULL ? end + strlen(END) : "");
        form.between = between;
        if (end != NULL) {
            form.behind = behind;
        }
        write_form(&form);
        err = acme_key_p256_ops.load(&again, text, strlen(text));
        if (form.whole == 2) {
            assert_int_equal(err, 0);
        } else {
            assert_int_equal(err, ACME_E_KEY_CORRUPT);
        }
        assert_int_equal(again.ready, err == 0);
        assert_true(err != 0 || memcmp(again.scalar, key.scalar, 32) == 0);
    }
}

AROUND(set_up, tear_down, NULL, NULL);

/* The name of who has signed the topmost certificate, as chain.c hands it on: without its own tag and length. */
static struct acme_slice name_of(int kind)
{
    static unsigned char der[256];
    unsigned char *at = der;
    int len = i2d_X509_NAME(X509_get_subject_name(certs[kind]), &at);
    assert_true(len > 2 && len < 128);
    return acme_slice((char *)der + 2, (size_t)len - 2);
}

/* Which chain leads to an anchor of a table: by all of its name, and nothing near it. */
TEST(chains_that_end_at_an_anchor)
{
    struct acme_trust_reader r;
    struct acme_trust trust, none = {.count = 0};
    unsigned char damaged[] = {0x30, 0x05, 0x31};
    const br_x509_trust_anchor bad = {.dn = {damaged, sizeof damaged}};
    const struct acme_trust torn = {.anchors = &bad, .count = 1};

    acme_trust_begin(&r, memory, sizeof memory);
    acme_trust_add(&r, pems[RSA2048], strlen(pems[RSA2048]));
    acme_trust_add(&r, pems[P256], strlen(pems[P256]));
    assert_int_equal(acme_trust_end(&r, &trust), 2);
    for (int kind = RSA2048; kind <= P384; kind++) {
        struct acme_slice name = name_of(kind);
        unsigned wanted = kind == P384 ? ACME_RANK_USELESS : 0;
        assert_int_equal(acme_prefer_anchor(&trust, name, 3), wanted);
        assert_int_equal(acme_prefer_anchor(&none, name, 3), ACME_RANK_USELESS);
        assert_int_equal(acme_prefer_anchor(&torn, name, 3), ACME_RANK_USELESS);
        for (size_t i = 0; i < name.len; i++) {
            assert_int_equal(acme_prefer_anchor(&trust, acme_slice(name.at, i), 3), ACME_RANK_USELESS);
            ((char *)(uintptr_t)name.at)[i] ^= 1;
            unsigned near = acme_prefer_anchor(&trust, name, 3);
            bool other = kind != P384 || i + 1 < name.len; /* the names differ in a letter */
            assert_true(!other || near == ACME_RANK_USELESS);
            ((char *)(uintptr_t)name.at)[i] ^= 1;
        }
    }
}
