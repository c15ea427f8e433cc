/* The keeper with a store of the test's own: records of odd sizes, keys that live elsewhere, chains that are of no use. */
#include "maker.h"

#include "lifecycle/keeper.h"

#include <stdlib.h>
#include <string.h>

static struct {
    const char *data;
    size_t len;
    unsigned reads, writes;
} record[ACME_RECORD_COUNT];
static int put_says;
static const char unreadable[] = "";

static int store_get(void *ctx, enum acme_record which, void *buf, size_t cap)
{
    record[which].reads++;
    if (record[which].data == unreadable) {
        return ACME_E_STORE_READ;
    }
    size_t len = record[which].len < cap ? record[which].len : cap;
    if (len > 0) {
        memcpy(buf, record[which].data, len);
    }
    return (int)record[which].len;
}

static int store_put(void *ctx, enum acme_record which, const void *data, size_t len)
{
    record[which].writes++;
    return put_says;
}

static unsigned imports, exports;

static int no_export(void *handle, void *to, size_t cap)
{
    exports++;
    return ACME_E_KEY;
}

static int any_import(void *handle, const void *from, size_t len)
{
    imports++;
    return 0;
}

static char work[8192], big[8192];
static const char *const names[] = {"a.example"};
static const struct acme_store store = {.get = store_get, .put = store_put};
static struct acme_setup setup;
static struct acme_keeper keeper;

static int set_up(void **state)
{
    memset(record, 0, sizeof record);
    memset(big, 'x', sizeof big);
    imports = exports = 0;
    put_says = 0;
    setup = (struct acme_setup){.store = &store,
                                .sys = &maker_sys,
                                .ca = {.directory_url = "https://ca.test/"},
                                .names = names,
                                .name_count = 1,
                                .work = work,
                                .work_len = sizeof work};
    keeper = (struct acme_keeper){.setup = &setup, .blamed = ACME_RECORD_ORDER};
    return 0;
}

static void have(enum acme_record which, const char *data, size_t len)
{
    record[which].data = data;
    record[which].len = len;
}

/* A key in a secure element is always there; the store is not even asked. */
TEST(key_that_lives_elsewhere)
{
    static const struct acme_key_ops ops = {.save = no_export};
    struct acme_key key = {&ops, NULL};
    assert_int_equal(acme_keeper_load_key(&keeper, ACME_RECORD_ACCOUNT_KEY, &key), 1);
    assert_int_equal(record[ACME_RECORD_ACCOUNT_KEY].reads, 0);
}

/* More text than a key's file has is no key, and no part of it is looked at. */
TEST(key_record_too_long)
{
    static const struct acme_key_ops ops = {.load = any_import};
    struct acme_key key = {&ops, NULL};
    static const struct {
        size_t work_len, len;
        int result;
    } cases[] = {{8192, 4096, 1},
                 {8192, 4097, ACME_E_KEY_CORRUPT},
                 {2048, 2048, 1},
                 {2048, 2049, ACME_E_KEY_CORRUPT},
                 {2048, 0, 0}};
    for (unsigned i = 0; i < 5; i++) {
        imports = 0;
        setup.work_len = cases[i].work_len;
        have(ACME_RECORD_KEY, big, cases[i].len);
        assert_int_equal(acme_keeper_load_key(&keeper, ACME_RECORD_KEY, &key), cases[i].result);
        assert_int_equal(imports, cases[i].result == 1);
        assert_int_equal(keeper.blamed, cases[i].result < 0 ? ACME_RECORD_KEY : ACME_RECORD_ORDER);
        for (size_t at = 0; cases[i].len > 0 && at < setup.work_len; at++) {
            assert_int_equal(work[at], 0);
        }
        keeper.blamed = ACME_RECORD_ORDER;
    }
}

/* A key that was made but cannot be had as a record is not stored, and so not used. */
TEST(key_without_a_record)
{
    struct acme_key_p256 handle;
    struct acme_key_ops ops = acme_key_p256_ops;
    struct acme_key key = {&ops, &handle};
    ops.save = no_export;
    assert_int_equal(acme_keeper_make_key(&keeper, ACME_RECORD_KEY_NEXT, &key), ACME_E_KEY);
    assert_int_equal(exports, 1);
    assert_int_equal(record[ACME_RECORD_KEY_NEXT].writes, 0);
}

/* The key in use that is asked for again and cannot be read: no new one is made in its place. */
TEST(key_in_use_unreadable)
{
    struct acme_key_p256 handle;
    struct acme_key key = {&acme_key_p256_ops, &handle};
    setup.reuse_key = true;
    have(ACME_RECORD_KEY, big, 100);
    assert_int_equal(acme_keeper_next_key(&keeper, &key), ACME_E_KEY_CORRUPT);
    assert_int_equal(keeper.blamed, ACME_RECORD_KEY);
    assert_int_equal(record[ACME_RECORD_KEY_NEXT].writes, 0);
    setup.reuse_key = false;
}

/* A record longer than the work buffer is none of ours: it counts as absent. */
TEST(records_too_long)
{
    struct acme_flow flow;
    uint32_t retry_utc = 7;
    memset(&flow, 0, sizeof flow);
    flow.setup = &setup;
    strcpy(flow.account, "https://ca.test/account/1");
    setup.work_len = 2048;
    have(ACME_RECORD_ACCOUNT, big, 2049);
    have(ACME_RECORD_ORDER, big, 2049);
    have(ACME_RECORD_KEY_NEXT, big, 200);
    acme_keeper_recall(&keeper, &flow, &retry_utc);
    assert_string_equal(flow.account, "");
    assert_string_equal(flow.order.url, "");
    assert_int_equal(retry_utc, 0);
    assert_true(flow.drop_key); /* a key without an order */
}

/* Whether finalize of a stored order may have gone out: its key is made just before. One that lives elsewhere tells nothing. */
TEST(an_order_and_its_key)
{
    static const struct acme_key_ops stored = {.load = any_import}, elsewhere = {.save = no_export};
    struct acme_flow flow;
    struct acme_out o;
    uint32_t retry_utc;
    for (int i = 0; i < 3; i++) { /* no key, a key, one that lives elsewhere */
        memset(&flow, 0, sizeof flow);
        flow.setup = &setup;
        assert_int_equal(acme_url_parse(&flow.hosts.directory, acme_slice_of("https://ca.test/")), 0);
        strcpy(flow.order.url, "https://ca.test/o/1");
        acme_out_init(&o, big, sizeof big);
        acme_record_order_write(&o, &flow, 0);
        have(ACME_RECORD_ORDER, big, o.len);
        have(ACME_RECORD_KEY_NEXT, "key", i == 1 ? 3 : 0);
        setup.certificate_key.ops = i == 2 ? &elsewhere : &stored;
        memset(&flow.order, 0, sizeof flow.order);
        acme_keeper_recall(&keeper, &flow, &retry_utc);
        assert_string_equal(flow.order.url, "https://ca.test/o/1");
        assert_int_equal(flow.finalized, i > 0);
        assert_false(flow.drop_key);
    }
}

#if ACME_CFG_V1
/* A record that the work buffer does not hold is not written in part. */
TEST(an_order_too_long_to_be_written)
{
    struct acme_flow flow;
    memset(&flow, 0, sizeof flow);
    flow.setup = &setup;
    strcpy(flow.directory.new_cert, "https://ca.test/new-cert");
    strcpy(flow.order.url, flow.directory.new_cert);
    char url[ACME_URL_MAX + 1] = "";
    memset(url, 'u', ACME_NAMES_TEXT / ACME_NAMES_MAX - 1);
    while (flow.order.authz_count < ACME_NAMES_MAX) {
        assert_int_equal(acme_order_add(&flow.order, url), 0);
    }
    setup.work_len = ACME_NAMES_TEXT;
    assert_int_equal(acme_keeper_retry(&keeper, &flow, 0), ACME_E_WORK_SMALL);
    assert_int_equal(keeper.blamed, ACME_RECORD_ORDER);
    setup.work_len += 1024;
    assert_int_equal(acme_keeper_retry(&keeper, &flow, 0), 1);
}
#endif

#ifndef NO_OPENSSL
/* Chains in use that tell nothing are as good as none. One whose leaf is longer than the work buffer is said to be. */
TEST(chains_of_no_use)
{
    struct acme_pair pair;
    static struct acme_flow flow;
    static const char no_certificate[] = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    struct maker_spec spec = {.san = "DNS:a.example", .ca = MAKER_CA_FALSE};
    for (int rsa = 0; rsa < 2; rsa++) {
        spec.key = rsa ? maker_rsa(2048) : maker_ec("P-256");
        X509 *leaf = maker_certificate(&spec);
        char *pem = maker_pem(leaf);
        have(ACME_RECORD_CHAIN, pem, strlen(pem));
        setup.work_len = sizeof work;
        assert_int_equal(acme_keeper_pair(&keeper, &pair, &flow),
                         rsa && !ACME_CFG_CSR ? 0 : 1); /* RSA may be of a request made elsewhere */
        assert_true(rsa || pair.same_names);
        assert_int_equal(keeper.blamed, ACME_RECORD_ORDER);
        setup.work_len = 400;
        assert_int_equal(acme_keeper_pair(&keeper, &pair, &flow), ACME_E_CERT_BIG);
        assert_int_equal(keeper.blamed, ACME_RECORD_CHAIN);
        keeper.blamed = ACME_RECORD_ORDER;
        free(pem);
        X509_free(leaf);
        EVP_PKEY_free(spec.key);
    }
    have(ACME_RECORD_CHAIN, no_certificate, sizeof no_certificate - 1);
    assert_int_equal(acme_keeper_pair(&keeper, &pair, &flow), 0);
    have(ACME_RECORD_CHAIN, "", 0);
    assert_int_equal(acme_keeper_pair(&keeper, &pair, &flow), 0);
    assert_int_equal(keeper.blamed, ACME_RECORD_ORDER);
}
#endif

/* What the flow has learned is stored one record at a time; the store's own error ends the run, whichever it was. */
TEST(what_the_flow_has_learned)
{
    static const enum acme_record order[] = {ACME_RECORD_ORDER, ACME_RECORD_KEY_NEXT, ACME_RECORD_ACCOUNT};
    static struct acme_key_p256 account_key;
    struct acme_flow flow;
    assert_int_equal(acme_key_p256_ops.generate(&account_key, &maker_sys), 0);
    for (unsigned failing = 0; failing < 4; failing++) {
        set_up(NULL);
        setup.account_key = (struct acme_key){&acme_key_p256_ops, &account_key};
        memset(&flow, 0, sizeof flow);
        flow.setup = &setup;
        flow.drop_order = flow.save_account = true;
        for (unsigned i = 0; i < 3; i++) {
            put_says = i == failing ? ACME_E_STORE_WRITE : 0;
            assert_int_equal(acme_keeper_flow(&keeper, &flow, MAKER_NOW), i == failing ? ACME_E_STORE_WRITE : 1);
            assert_int_equal(record[order[i]].writes, 1);
            assert_true(i != failing || keeper.blamed == order[i]);
        }
        put_says = failing == 3 ? ACME_E_STORE_WRITE : 0;
        flow.save_order = true;
        assert_int_equal(acme_keeper_flow(&keeper, &flow, MAKER_NOW), failing == 3 ? ACME_E_STORE_WRITE : 1);
        assert_int_equal(record[ACME_RECORD_ORDER].writes, 2);
        assert_int_equal(acme_keeper_flow(&keeper, &flow, MAKER_NOW), 0);
    }
}

/* A next account key that is gone, or cannot be read, just when it is to take its place. */
TEST(next_account_key_is_gone)
{
    static const struct acme_key_ops ops = {.load = any_import};
    struct acme_flow flow;
    setup.account_key = setup.certificate_key = (struct acme_key){&ops, NULL};
    for (int i = 0; i < 2; i++) {
        memset(&flow, 0, sizeof flow);
        flow.setup = &setup;
        flow.manage.promote = true;
        have(ACME_RECORD_ACCOUNT_KEY_NEXT, i == 0 ? NULL : unreadable, 0);
        assert_int_equal(acme_keeper_flow(&keeper, &flow, MAKER_NOW),
                         i == 0 ? ACME_E_KEY_CORRUPT : ACME_E_STORE_READ);
        assert_int_equal(keeper.blamed, ACME_RECORD_ACCOUNT_KEY_NEXT);
        assert_int_equal(record[ACME_RECORD_ACCOUNT_KEY].writes, 0);
    }
    flow.manage.promoted = true; /* it was written, and is not there */
    assert_int_equal(acme_keeper_flow(&keeper, &flow, MAKER_NOW), ACME_E_KEY_CORRUPT);
    assert_int_equal(keeper.blamed, ACME_RECORD_ACCOUNT_KEY);
    assert_int_equal(record[ACME_RECORD_ACCOUNT_KEY_NEXT].writes, 0);
}

#if ACME_CFG_RENEWAL
/* One that is too long to be carried on loses the lines it had, and is written all the same. */
TEST(a_renewal_record_too_long)
{
    static const struct acme_renewal renewal = {.tried = MAKER_NOW};
    for (size_t len = sizeof work / 2 - 1; len < sizeof work / 2 + 2; len++) {
        have(ACME_RECORD_RENEWAL, big, len);
        assert_int_equal(acme_keeper_keep_renewal(&keeper, &renewal), 1);
    }
    assert_int_equal(record[ACME_RECORD_RENEWAL].writes, 3);
}
#endif

AROUND(NULL, NULL, set_up, NULL);
