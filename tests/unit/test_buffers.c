/* test_buffers.c - every buffer that is lent, at every size from nothing to more than enough: what does not fit is a
 * defined error, what fits is the same as with room to spare, and the 64 bytes on either side stay as they were.
 *
 * The work buffer of a whole run is tests/fault: worksize. */
#include "unit.h"

#include "tls_server.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jose/jwk.h"
#include "jose/jws.h"
#include "lifecycle/record.h"
#include "secure/tls.h"
#include "wire/base64.h"
#include "wire/json.h"
#include "wire/pem.h"
#include "x509/chain.h"
#include "x509/csr.h"

#define CANARY 64
#define HOST   "ca.example"

static const char *const names[] = {"a.example", "b.example"};
static struct acme_key_p256 key;
static EVP_PKEY *ca_key, *leaf_key;
static X509 *root, *leaf;
static char *leaf_pem, *root_pem;

/* --- a buffer of a size, with something to hurt on either side --- */

static uint8_t room[ACME_TLS_BUFFER_MIN + 2 * CANARY];

static void *lend(size_t size)
{
    assert_true(size <= sizeof room - 2 * CANARY);
    memset(room, 0xa7, CANARY);
    memset(room + CANARY, 0x11, size);
    memset(room + CANARY + size, 0xa7, CANARY);
    return room + CANARY;
}

static void take_back(size_t size)
{
    for (size_t i = 0; i < CANARY; i++) {
        assert_int_equal(room[i], 0xa7);
        assert_int_equal(room[CANARY + size + i], 0xa7);
    }
}

/* --- texts --- */

static int quick_sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    memcpy(signature, digest, 32);
    memset(signature + 32, 0x81, 32); /* the longest DER */
    signature[0] |= 0x80;
    return 0;
}

static const struct acme_key *quick_key(void)
{
    static struct acme_key_ops ops;
    static struct acme_key quick = {&ops, &key};
    ops = acme_key_p256_ops;
    ops.sign = quick_sign;
    return &quick;
}

static void write_jws(struct acme_out *o)
{
    const struct acme_jws jws = {.key = quick_key(),
                                 .point = key.point,
                                 .kid = acme_slice_of("https://ca.example/account/1"),
                                 .nonce = acme_slice_of("nonce"),
                                 .url = acme_slice_of("https://ca.example/order/1")};
    assert_int_equal(acme_jws_write(o, &jws, acme_slice_of("{\"a\":\"a payload of some length\"}")), 0);
}

static void write_jwk_jws(struct acme_out *o)
{
    const struct acme_jws jws = {.key = quick_key(), .point = key.point, .url = acme_slice_of("https://ca.example/")};
    assert_int_equal(acme_jws_write(o, &jws, acme_slice_of("")), 0);
}

static void write_flow(struct acme_out *o, void (*write)(struct acme_out *o, const struct acme_flow *flow))
{
    static struct acme_setup setup;
    static struct acme_flow flow;
    setup.ca.directory_url = "https://ca.example/dir";
    setup.names = names;
    setup.name_count = 2;
    setup.account_key = *quick_key();
    flow.setup = &setup;
    strcpy(flow.account, "https://ca.example/account/1");
    strcpy(flow.order.url, "https://ca.example/order/1");
    write(o, &flow);
}

static void write_account(struct acme_out *o)
{
    write_flow(o, acme_record_account_write);
}

static void with_retry(struct acme_out *o, const struct acme_flow *flow)
{
    acme_record_order_write(o, flow, INT64_C(4000000000));
}

static void write_order(struct acme_out *o)
{
    write_flow(o, with_retry);
}

static void write_pem(struct acme_out *o)
{
    acme_pem_write(o, "CERTIFICATE", key.point, sizeof key.point);
}

static void write_odds(struct acme_out *o)
{
    acme_out_json(o, acme_slice_of("\"\\\x01\x1fzebra"));
    acme_out_u32(o, 4294967295u);
    acme_out_lower(o, acme_slice_of("LOUD"));
}

TEST(texts_of_every_size)
{
    static void (*const writers[])(struct acme_out *) = {write_jws,   write_jwk_jws, write_account,
                                                         write_order, write_pem,     write_odds};
    for (unsigned i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        static char whole[4096];
        struct acme_out o;
        acme_out_init(&o, whole, sizeof whole);
        writers[i](&o);
        size_t need = o.len;
        assert_true(need > 20 && !o.overflow);
        for (size_t size = 0; size < need + 20; size++) {
            acme_out_init(&o, lend(size), size);
            writers[i](&o);
            take_back(size);
            assert_true(o.len <= size);
            assert_true(o.overflow == (size < need));
            if (size >= need) {
                assert_int_equal(o.len, need);
                assert_memory_equal(o.at, whole, need);
            }
        }
    }
}

TEST(requests_of_every_size)
{
    static uint8_t whole[1024];
    size_t start = 0;
    assert_int_equal(acme_csr_write(whole, sizeof whole, &start, quick_key(), names, 2), 0);
    size_t need = sizeof whole - start;
    unsigned fits = 0;
    for (size_t size = 0; size < sizeof whole; size++) {
        uint8_t *at = lend(size);
        int error = acme_csr_write(at, size, &start, quick_key(), names, 2);
        take_back(size);
        assert_true(error == 0 || error == ACME_E_REQUEST_BIG);
        assert_true(size >= need || error != 0);
        if (error == 0) {
            fits++;
            assert_int_equal(size - start, need);
            assert_memory_equal(at + start, whole + sizeof whole - need, need);
        }
    }
    assert_true(fits > 400);
}

/* --- keys --- */

TEST(key_records_of_every_size)
{
    static char whole[512];
    int need = acme_key_p256_ops.save(&key, whole, sizeof whole);
    assert_in_range(need, 200, 300);
    for (size_t size = 0; size <= sizeof whole; size++) {
        char *at = lend(size);
        int len = acme_key_p256_ops.save(&key, at, size);
        take_back(size);
        assert_true(len == ((int)size < need ? ACME_E_KEY : need));
        assert_true(len < 0 || memcmp(at, whole, (size_t)need) == 0);
    }
    for (size_t size = 0; size <= (size_t)need; size++) { /* and what a torn one is */
        struct acme_key_p256 got = {.ready = true};
        memcpy(lend(size), whole, size);
        int error = acme_key_p256_ops.load(&got, room + CANARY, size);
        take_back(size);
        assert_true(error == ACME_E_KEY_CORRUPT || (size + 1 >= (size_t)need && error == 0));
        assert_true(error == 0 ? memcmp(got.scalar, key.scalar, 32) == 0 : !got.ready);
    }
}

/* --- what is read --- */

TEST(tokens_of_every_size)
{
    static const char document[] = "{\"a\":[1,2,{\"b\":null}],\"c\":\"d\",\"e\":{\"f\":true,\"g\":[[],[]]}}";
    unsigned good = 0;
    for (size_t size = 0; size < 800; size++) {
        for (unsigned skew = 0; skew < 4; skew++) {
            struct acme_json json;
            char text[sizeof document];
            memcpy(text, document, sizeof document);
            char *at = lend(size + skew);
            int error = acme_json_parse(&json, text, sizeof document - 1, at + skew, size);
            take_back(size + skew);
            assert_true(error == 0 || error == ACME_E_JSON_TOKENS);
            assert_true(error != 0 || acme_slice_is(acme_json_text(&json, 0, "c"), "d"));
            good += error == 0;
        }
    }
    assert_true(good > 800 && good < 3000);
}

static char stored[8192];
static size_t stored_len;

static int keep(void *ctx, const void *data, size_t len)
{
    assert_true(stored_len + len < sizeof stored);
    memcpy(stored + stored_len, data, len);
    stored_len += len;
    return 0;
}

/* A chain, in the right order and in the wrong one, which needs room to wait. */
TEST(chains_in_every_size)
{
    for (unsigned turned = 0; turned < 2; turned++) {
        char text[8192];
        unsigned good = 0;
        snprintf(text, sizeof text, "%s%s", turned ? root_pem : leaf_pem, turned ? leaf_pem : root_pem);
        for (size_t size = 0; size < 2400; size++) {
            struct acme_chain_want want = {.point = key.point, .names = names, .name_count = 2, .utc = MAKER_NOW};
            struct acme_chain chain;
            stored_len = 0;
            acme_chain_init(&chain, &want, lend(size), size, keep, NULL);
            int error = acme_chain_read(&chain, text, strlen(text));
            error = error == 0 ? acme_chain_end(&chain) : error;
            take_back(size);
            assert_true(error == 0 || error == ACME_E_CERT_BIG);
            assert_true(error != 0 ||
                        (stored_len >= strlen(leaf_pem) && memcmp(stored, leaf_pem, strlen(leaf_pem)) == 0));
            good += error == 0;
        }
        assert_true(good > 500 && good < 2300);
    }
}

static uint8_t *der_of(const char *text, size_t *len)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    uint8_t *der = maker_der(certificate, len);
    X509_free(certificate);
    BIO_free(bio);
    return der;
}

TEST(pem_in_every_size)
{
    size_t len = 0;
    uint8_t *der = der_of(leaf_pem, &len);
    for (size_t size = 0; size < len + 20; size++) {
        struct acme_pem pem;
        int event = 0;
        uint8_t *at = lend(size);
        acme_pem_init(&pem, at, size);
        for (size_t i = 0, used = 0; i < strlen(leaf_pem) && event >= 0 && event != ACME_PEM_END; i += used) {
            event = acme_pem_read(&pem, leaf_pem + i, strlen(leaf_pem) - i, &used);
        }
        take_back(size);
        assert_int_equal(event, size < len ? ACME_E_CERT_BIG : ACME_PEM_END);
        assert_true(size < len || (pem.len == len && memcmp(at, der, len) == 0));
    }
    free(der);
}

/* URLs are kept in arrays of one size: it is the URL that has every length. */
TEST(urls_of_every_length)
{
    struct acme_hosts hosts = {.more = NULL};
    assert_int_equal(acme_url_parse(&hosts.directory, acme_slice_of("https://ca.example/dir")), 0);
    for (size_t len = 0; len < 2 * ACME_URL_MAX; len++) {
        char url[2 * ACME_URL_MAX + 1];
        memset(url, 'u', sizeof url);
        memcpy(url, "https://ca.example/", len < 19 ? len : 19);
        char *kept = lend(ACME_URL_MAX + 1);
        int error = acme_url_keep(kept, acme_slice(url, len), &hosts);
        take_back(ACME_URL_MAX + 1);
        assert_true(len <= ACME_URL_MAX || error == ACME_E_URL_LONG);
        assert_true(len > ACME_URL_MAX || len < 18 || error == 0);
        assert_true(error != 0 || (strlen(kept) == len && memcmp(kept, url, len) == 0));
    }
}

/* --- TLS --- */

static struct tls_server server;
static struct acme_trust trust;
static char trust_memory[4096];

/* Shakes hands, asks and gets an answer of 3000 bytes. Returns 1 or the error. */
static int talk(size_t size)
{
    static struct acme_tls tls;
    char answer[3000], got[3000];
    size_t have = 0;
    uint32_t up = 0, down = 0;
    bool asked = false;
    memset(&tls, 0, sizeof tls);
    memset(answer, 'x', sizeof answer);
    tls_server_connect(&server);
    int error = acme_tls_start(&tls, &trust, lend(size), size, HOST, &maker_sys);
    for (unsigned idle = 0; error >= 0 && idle < 3;) {
        error = acme_tls_pump(&tls, &server.net, &up, &down);
        tls_server_run(&server);
        idle = error == 0 ? idle + 1 : 0;
        if (acme_tls_ready(&tls) && !asked) {
            asked = acme_tls_write(&tls, "GET", 3, true) == 3;
            idle = 0;
        } else if (asked && server.request_len == 3) {
            tls_server_say(&server, answer, sizeof answer);
            server.request_len = 0;
            idle = 0;
        }
        have += acme_tls_read(&tls, got + have, sizeof got - have);
        if (have == sizeof got) {
            assert_memory_equal(got, answer, sizeof got);
            return 1;
        }
    }
    return error < 0 ? error : ACME_E_TIMEOUT;
}

TEST(tls_in_every_size)
{
    unsigned good = 0, small = 0;
    tls_server_init(&server, leaf_key, &leaf, 1, NULL);
    tls_server_trust(&trust, trust_memory, sizeof trust_memory, &root, 1);
    for (size_t size = 0; size <= ACME_TLS_BUFFER_MIN; size += size < ACME_TLS_BUFFER_SMALL + 8 ? 1 : 331) {
        int how = talk(size);
        take_back(size);
        assert_true(size >= ACME_TLS_BUFFER_SMALL || how == ACME_E_WORK_SMALL);
        assert_true(how == 1 || how == ACME_E_WORK_SMALL || how <= ACME_E_TLS_UNTRUSTED || how == ACME_E_CLOSED);
        good += how == 1;
        small += how != 1;
    }
    assert_int_equal(talk(ACME_TLS_BUFFER_MIN), 1);
    take_back(ACME_TLS_BUFFER_MIN);
    assert_true(good > 10 && small >= ACME_TLS_BUFFER_SMALL);
}

static int set_up(void **state)
{
    ca_key = maker_ec("P-256");
    struct maker_spec spec = {.name = "Root", .ca = MAKER_CA, .key = ca_key};
    root = maker_certificate(&spec);
    assert_int_equal(acme_key_p256_ops.generate(&key, &maker_sys), 0);
    EVP_PKEY *ours = maker_public(key.point);
    spec =
        (struct maker_spec){.san = "DNS:a.example,DNS:b.example", .key = ours, .issuer = root, .issuer_key = ca_key};
    X509 *issued = maker_certificate(&spec);
    leaf_pem = maker_pem(issued);
    root_pem = maker_pem(root);
    X509_free(issued);
    EVP_PKEY_free(ours);
    leaf_key = maker_ec("P-256");
    spec.san = "DNS:" HOST;
    spec.key = leaf_key;
    leaf = maker_certificate(&spec);
    return 0;
}

static int tear_down(void **state)
{
    free(leaf_pem);
    free(root_pem);
    X509_free(leaf);
    X509_free(root);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(ca_key);
    return 0;
}

AROUND(set_up, tear_down, NULL, NULL);
