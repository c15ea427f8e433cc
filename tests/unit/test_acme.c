/* The whole client with the scripted CA, without TLS (tests/fake/device.h). Resets, power cuts, stored records, and what
 * acme_init() refuses. */
#include "unit.h"

#include "fake/device.h"
#include "fault/fastkey.h"
#include "x509/csr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE        .names = {"a.example"}, .name_count = 1
#define TWO        .names = {"a.example", "b.example"}, .name_count = 2
#define TWISTED(t) .twists = (t), .twist_count = LEN(t)
#define PROBLEM    "Content-Type: application/problem+json\r\n"
#define URN        "urn:ietf:params:acme:error:"
#define WORK_LEN   (sizeof w.work - DEVICE_CANARY)

static const struct ca_plan plain = {ONE};
static struct device w;                 /* the world */
static const struct acme_key_ops *keys; /* of its device; NULL: the usual ones, which cost a large sweep a minute */

/* What is wrong with it. */
static struct {
    int writes_left;   /* the power goes when none is left; -1: never               */
    bool off;          /* it went                                                    */
    int failing_write; /* this one, from 1, fails but all goes on                    */
    int writes;
    int read_error; /* record whose reading fails; -1 none                           */
    bool net_down, no_random, no_clock, append_fails;
} wrong;

/* True when a write works. */
static bool writing(void)
{
    wrong.writes++;
    if (wrong.writes == wrong.failing_write || wrong.off || wrong.writes_left == 0) {
        wrong.off = wrong.writes != wrong.failing_write;
        return false;
    }
    wrong.writes_left -= wrong.writes_left > 0 ? 1 : 0;
    return true;
}

static int hook(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    switch (seam) {
    case DEVICE_OPEN:
        return wrong.net_down ? ACME_E_UNREACHABLE : DEVICE_GO;
    case DEVICE_GET:
        return wrong.read_error == (int)record ? ACME_E_STORE_READ : DEVICE_GO;
    case DEVICE_APPEND:
        return wrong.append_fails && *len > 0 ? ACME_E_STORE_WRITE : DEVICE_GO;
    case DEVICE_PUT:
    case DEVICE_COMMIT:
    case DEVICE_COMMIT_ORDER: /* these two fail only when the power goes */
    case DEVICE_COMMIT_KEY:
        return writing() ? DEVICE_GO : ACME_E_STORE_WRITE;
    case DEVICE_RANDOM:
        return wrong.no_random ? ACME_E_RANDOM : DEVICE_GO;
    case DEVICE_UTC:
        return wrong.no_clock ? 0 : DEVICE_GO;
    default:
        return DEVICE_GO;
    }
}

/* --- running */

static void boot(void)
{
    wrong.off = false;
    wrong.writes_left = -1;
    int error = device_boot(&w);
    if (w.setup.name_count > ACME_NAMES_MAX) {
        skip();
    }
    assert_int_equal(error, 0);
}

static void new_world(const struct ca_plan *plan)
{
    memset(&wrong, 0, sizeof wrong);
    wrong.read_error = -1;
    device_new(&w, plan);
    w.hook = hook;
    w.keys = keys;
    boot();
}

static int fast_keys(void **state)
{
    keys = &fastkey_ops;
    return 0;
}

static int usual_keys(void **state)
{
    keys = NULL;
    return 0;
}

static enum acme_progress tick(void)
{
    return device_tick(&w);
}

/* Starts; and what comes of it in so many ticks, or until the CA is asked for something of that kind. */
static enum acme_progress start_for(unsigned ticks)
{
    enum acme_progress progress = ACME_BUSY;
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
    for (unsigned i = 0; i < ticks && !acme_is_over(progress); i++) {
        progress = tick();
    }
    return progress;
}

static void start_until(enum acme_task when, enum ca_kind kind)
{
    assert_int_equal(acme_start(&w.client, when, w.now_ms), 0);
    while (w.ca.count[kind] == 0) {
        tick();
    }
}

static void power_cut(void)
{
    w.ca.power_cut = true;
    boot();
}

static enum acme_progress run(enum acme_task when)
{
    enum acme_progress progress = ACME_BUSY;
    assert_int_equal(acme_start(&w.client, when, w.now_ms), 0);
    for (unsigned i = 0; !acme_is_over(progress); i++) {
        assert_true(i < 30000);
        progress = tick();
    }
    assert_int_equal(progress, acme_tick(&w.client, w.now_ms)); /* and stays */
    return progress;
}

static void demand(enum acme_progress got, enum acme_progress wanted)
{
    if (got != wanted) {
        print_message("error %d at step %d: %s %s\n", acme_failure(&w.client)->error, acme_failure(&w.client)->step,
                      acme_failure(&w.client)->type, acme_failure(&w.client)->detail);
    }
    assert_int_equal(got, wanted);
}

static unsigned finalized(void)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < w.ca.order_count; i++) {
        sum += w.ca.order[i].finalized;
    }
    return sum;
}

/* The pair in use fits together, and nothing of an order is left over. */
static void check_pair(void)
{
    device_check_pair(&w);
    assert_int_equal(w.record[ACME_RECORD_ORDER].len, 0);
    assert_int_equal(w.record[ACME_RECORD_KEY_NEXT].len, 0);
    assert_null(w.ca.published);
}

static void issues(enum acme_task when)
{
    demand(run(when), ACME_ISSUED);
    check_pair();
}

static void fails(enum acme_task when, int error)
{
    demand(run(when), ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->error, error);
}

/* --- acme_init() */

TEST(init_refuses)
{
    new_world(&plain);
#define REFUSES(expected, change)                                                                                    \
    do {                                                                                                             \
        device_setup(&w);                                                                                            \
        change;                                                                                                      \
        assert_int_equal(acme_init(&w.client, &w.setup), (expected));                                                \
        assert_int_equal(acme_start(&w.client, ACME_NOW, 0), ACME_E_NULL);                                           \
    } while (0)
    REFUSES(ACME_E_NULL, w.setup.net = NULL);
    REFUSES(ACME_E_NULL, w.setup.sys = NULL);
    REFUSES(ACME_E_NULL, w.setup.store = NULL);
    REFUSES(ACME_E_NULL, w.setup.ca.directory_url = NULL);
    REFUSES(ACME_E_NULL, w.setup.ca.trust = NULL);
    REFUSES(ACME_E_NULL, w.setup.account_key.ops = NULL);
    REFUSES(ACME_E_NULL, w.setup.certificate_key.ops = NULL);
    REFUSES(ACME_E_NULL, w.setup.names = NULL);
    REFUSES(ACME_E_NULL, w.setup.solvers = NULL);
    REFUSES(ACME_E_NULL, w.setup.solver_count = 0);
    REFUSES(ACME_E_NULL, w.solvers[0] = NULL);
    REFUSES(ACME_E_NULL, w.setup.work = NULL);
    REFUSES(ACME_E_NULL, w.setup.tls = NULL);
    REFUSES(ACME_E_NULL, w.setup.tls_buffer = NULL);
    REFUSES(ACME_E_NULL, w.setup.contact_count = 1);
    REFUSES(ACME_E_NULL, w.setup.ca.more_host_count = 1);
    REFUSES(ACME_E_WORK_SMALL, w.setup.work_len = ACME_WORK_MIN - 1);
    REFUSES(ACME_E_WORK_SMALL, w.setup.tls_buffer_len = ACME_TLS_BUFFER_SMALL - 1);
    REFUSES(ACME_E_ANCHORS, w.trust.count = 0);
    REFUSES(ACME_E_NAMES, w.setup.name_count = 0);
    REFUSES(ACME_E_NAMES, w.setup.name_count = ACME_NAMES_MAX + 1);
    REFUSES(ACME_E_KEY, w.setup.certificate_key = w.setup.account_key);
    static const char *const twice[] = {"a.example", "b.example", "A.example"};
    if (ACME_NAMES_MAX >= 3) {
        REFUSES(ACME_E_NAMES, (w.setup.names = twice, w.setup.name_count = 3));
    }
    static const char *const contacts[] = {"mailto:a@example.org", "mailto:b\r\n@example.org"};
    REFUSES(ACME_E_TEXT, (w.setup.contacts = contacts, w.setup.contact_count = 2));
    REFUSES(ACME_E_TEXT, w.setup.product = "gateway\r\nX: y");
    REFUSES(ACME_E_TEXT, w.setup.profile = "short\nlived");
#if ACME_CFG_EAB
    REFUSES(ACME_E_NULL, (w.setup.binding.kid = "kid", w.setup.binding.mac_key_len = 1));
    REFUSES(ACME_E_NULL, (w.setup.binding.kid = "kid", w.setup.binding.mac_key = "key"));
    static const struct acme_binding odd = {"kid\n", "key", 3};
    REFUSES(ACME_E_TEXT, w.setup.binding = odd);
    device_setup(&w);
    w.setup.binding = (struct acme_binding){"kid", "key", 3};
    assert_int_equal(acme_init(&w.client, &w.setup), 0);
    w.setup.binding = (struct acme_binding){"", NULL, 0}; /* none */
    assert_int_equal(acme_init(&w.client, &w.setup), 0);
#endif
    static const char *const names[] = {"",           "*.*.example", "192.0.2.01",   "0x7f000001",  "a.0X1",
                                        "localhost.", "a..example",  ".example",     "a b.example", "-a.example",
                                        "a.example.", "::01",        "a\"b.example", NULL};
    for (unsigned i = 0; i < LEN(names); i++) {
        REFUSES(ACME_E_NAMES, w.setup.names = &names[i]);
    }
    static const char *const wildcard = "*.a.example"; /* which http-01 does not prove */
    REFUSES(ACME_E_WILDCARD, w.setup.names = &wildcard);
    static const struct {
        const char *url;
        int error;
    } urls[] = {{"http://" CA_HOST "/", ACME_E_URL_SCHEME},
                {"", ACME_E_URL_SCHEME},
                {"https://", ACME_E_URL},
                {"https://u@ca.test/", ACME_E_URL},
                {"https://[1:2:3:4:5:6:192.0.2.1]/", ACME_E_TLS_NAME},
                {"https://[::1::]:14000/dir", ACME_E_TLS_NAME},
                {"https://ca.test:0/", ACME_E_URL},
                {"https://ca.test/ x", ACME_E_URL}};
    for (unsigned i = 0; i < LEN(urls); i++) {
        REFUSES(urls[i].error, w.setup.ca.directory_url = urls[i].url);
    }
    REFUSES(ACME_E_TLS_NAME, (w.setup.ca.directory_url = "https://[::ffff:192.0.2.1]/", w.setup.ca.tls_name = ""));
    static char long_url[ACME_URL_MAX + 2] = CA_URL "/";
    memset(long_url + strlen(long_url), 'x', sizeof long_url - 1 - strlen(long_url));
    REFUSES(ACME_E_URL_LONG, w.setup.ca.directory_url = long_url);
    device_setup(&w);
    assert_int_equal(acme_init(NULL, &w.setup), ACME_E_NULL);
    assert_int_equal(acme_init(&w.client, NULL), ACME_E_NULL);
    assert_int_equal(acme_init_sized(&w.client, sizeof w.client - 1, &w.setup), ACME_E_SIZE);
    assert_int_equal(acme_start(NULL, ACME_NOW, 0), ACME_E_NULL);
    w.setup.ca.directory_url = "https://[::ffff:192.0.2.1]/";
    w.setup.ca.tls_name = "ca.test";
    assert_int_equal(acme_init(&w.client, &w.setup), 0);
}

/* Names in their one text, and the CA's server at an address, in any. */
TEST(addresses)
{
    static const char *const good[] = {"192.0.2.1", "2001:db8::1", "a.example"};
    static const char *const twice[] = {"192.0.2.1", "2001:db8::1", "192.0.2.1"};
    static const char *const urls[] = {"https://192.0.2.1/", "https://[2001:DB8:0::1]:14000/dir"};
    static const char *const odd[] = {"2001:DB8::1",  "2001:db8:0::1", "[2001:db8::1]",  "2001:db8::1%eth0",
                                      "192.0.2.1:80", "192.0.2",       "::ffff:c000:201"};

    new_world(&plain);
    device_setup(&w);
    for (unsigned i = 0; i < LEN(good); i++) {
        w.setup.names = &good[i];
        assert_int_equal(acme_init(&w.client, &w.setup), 0);
    }
    for (unsigned i = 0; i < LEN(urls); i++) {
        w.setup.ca.directory_url = urls[i];
        assert_int_equal(acme_init(&w.client, &w.setup), 0);
    }
    for (unsigned i = 0; i < LEN(odd); i++) {
        REFUSES(ACME_E_NAMES, w.setup.names = &odd[i]);
    }
    if (ACME_NAMES_MAX >= 3) {
        w.setup.names = good;
        w.setup.name_count = 3;
        assert_int_equal(acme_init(&w.client, &w.setup), 0);
        REFUSES(ACME_E_NAMES, (w.setup.names = twice, w.setup.name_count = 3));
    }
}

/* An empty tls_name is none: the name to check is then the host's. */
TEST(empty_tls_name_is_none)
{
    new_world(&plain);
    w.setup.ca.tls_name = "";
    assert_int_equal(acme_init(&w.client, &w.setup), 0);
    assert_null(w.client.channel.tls_name);
}

/* --- issuing and renewing */

TEST(issue_keep_renew)
{
    static const struct ca_plan plan = {TWO, .authz_looks = 1, .processing = 1};
    int64_t from, to, at;
    new_world(&plan);
    assert_false(acme_validity(&w.client, NULL, NULL, NULL));
    issues(ACME_IF_DUE);
    assert_true(acme_validity(&w.client, &from, &to, &at));
    assert_true(from < at && at < to);
    struct acme_stats stats = acme_stats(&w.client);
    assert_int_equal(stats.requests, w.ca.requests);
    assert_int_equal(stats.keys, 2);
    assert_int_equal(stats.handshakes, 1);
    assert_int_equal(stats.signatures, w.ca.requests - 2 + 1);
    assert_int_equal(w.stored_events, 8); /* account key, attempt, account, order, answered twice, next key, chain */

    unsigned requests = w.ca.requests;
    boot();
    demand(run(ACME_IF_DUE), ACME_CURRENT);
    assert_int_equal(w.ca.requests, requests);
    w.utc = at - 2;
    demand(run(ACME_IF_DUE), ACME_CURRENT);
    w.utc = at + 1;
    /* with the account there was, and a new key */
    char old_key[300];
    memcpy(old_key, w.record[ACME_RECORD_KEY].data, sizeof old_key);
    issues(ACME_IF_DUE);
    assert_int_equal(w.ca.accounts, 1);
    assert_int_equal(w.ca.count[CA_NEW_ACCOUNT], 1);
    assert_int_equal(w.ca.count[CA_DIRECTORY], 1);
    assert_int_equal(w.ca.order_count, 2);
    assert_memory_not_equal(old_key, w.record[ACME_RECORD_KEY].data, 200);
    boot();
    w.utc = MAKER_NOW;
    demand(run(ACME_NOW), ACME_ISSUED);
    assert_int_equal(w.ca.order_count, 3);
    assert_int_equal(w.account_keys, 1);
}

TEST(other_names_are_due)
{
    struct ca_plan plan = {ONE};
    new_world(&plan);
    demand(run(ACME_IF_DUE), ACME_ISSUED);
    plan.names[0] = "z.example";
    boot();
    demand(run(ACME_IF_DUE), ACME_ISSUED);
    assert_int_equal(w.ca.order_count, 2);
}

/* --- power cuts */

static void power_goes_after_tick(const struct ca_plan *plan, unsigned n, bool *finished)
{
    new_world(plan);
    enum acme_progress progress = start_for(n);
    *finished = progress == ACME_ISSUED;
    power_cut();
    progress = run(ACME_IF_DUE);
    if (progress != (*finished ? ACME_CURRENT : ACME_ISSUED)) {
        print_message("power cut after tick %u\n", n);
    }
    demand(progress, *finished ? ACME_CURRENT : ACME_ISSUED);
    check_pair();
    if (w.ca.accounts != 1 || finalized() != 1 || w.account_keys != 1) {
        print_message("power cut after tick %u: %u accounts, %u certificates\n", n, w.ca.accounts, finalized());
    }
    assert_int_equal(w.ca.accounts, 1);
    assert_int_equal(w.account_keys, 1);
    assert_int_equal(finalized(), 1);
}

TEST_WITH(power_cuts_after_every_tick, fast_keys, usual_keys)
{
    static const struct ca_plan plans[] = {{TWO, .authz_looks = 1, .processing = 1, .reuse = true},
                                           {ONE, .reuse = true, .lag = 1},
                                           {TWO, .authz_looks = 1, .one_shot = true}};
    for (unsigned p = 0; p < LEN(plans); p++) {
        bool finished = false;
        unsigned n = 0;
        for (; !finished; n++) {
            power_goes_after_tick(&plans[p], n, &finished);
        }
        assert_true(n > 40);
    }
}

/* After a reset the challenge may have been answered already: it is looked at again, as late as the CA wants. */
TEST(retry_after_holds_in_doubt)
{
    static const struct ca_twist t[] = {{CA_AUTHZ, 1, CA_FOREVER, CA_ADD, "Retry-After: 7\r\n"}};
    static const struct ca_plan plan = {ONE, .authz_looks = 2, TWISTED(t)};
    new_world(&plan);
    start_until(ACME_IF_DUE, CA_CHALLENGE);
    power_cut();
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
    unsigned looks = w.ca.count[CA_AUTHZ];
    while (w.ca.count[CA_AUTHZ] == looks) {
        tick();
    }
    uint32_t first_ms = w.now_ms;
    while (w.ca.count[CA_AUTHZ] == looks + 1) {
        tick();
    }
    assert_true(w.now_ms - first_ms >= 7000);
    assert_int_equal(w.ca.count[CA_CHALLENGE], 1);
}

/* A CA that leaves the list of authorizations out of later answers. */
TEST_WITH(power_cuts_with_a_forgetful_ca, fast_keys, usual_keys)
{
    static const struct ca_plan plan = {ONE, .processing = 1, .forgetful = true, .reuse = true};
    bool finished = false;
    for (unsigned n = 0; !finished; n++) {
        new_world(&plan);
        enum acme_progress progress = start_for(n);
        finished = progress == ACME_ISSUED;
        power_cut();
        progress = run(ACME_IF_DUE);
        if (progress == ACME_FAILED) {
            progress = run(ACME_IF_DUE); /* it may fail, but it may not be stuck */
        }
        demand(progress, finished ? ACME_CURRENT : ACME_ISSUED);
    }
}

TEST_WITH(power_cuts_at_every_write, fast_keys, usual_keys)
{
    static const struct ca_plan plan = {TWO, .authz_looks = 1, .processing = 1, .reuse = true};
    bool cut = true;
    for (int n = 0; cut; n++) {
        new_world(&plan);
        wrong.writes_left = n;
        enum acme_progress progress = ACME_BUSY;
        assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
        while (!wrong.off && !acme_is_over(progress)) {
            progress = tick();
        }
        cut = wrong.off;
        power_cut();
        progress = run(ACME_IF_DUE);
        assert_true(progress == ACME_ISSUED || progress == ACME_CURRENT);
        if (progress == ACME_ISSUED) {
            check_pair();
        }
        assert_int_equal(w.ca.accounts, 1);
        assert_int_equal(w.account_keys, 1);
        assert_int_equal(finalized(), 1);
        demand(run(ACME_IF_DUE), ACME_CURRENT);
    }
}

TEST_WITH(power_cuts_twice, fast_keys, usual_keys)
{
    static const struct ca_plan plan = {TWO, .authz_looks = 1, .processing = 1, .reuse = true};
    for (unsigned n = 2; n < 130; n += 9) {
        for (unsigned m = 1; m < 130; m += 11) {
            new_world(&plan);
            for (unsigned cut = 0; cut < 2; cut++) {
                (void)start_for(cut == 0 ? n : m);
                power_cut();
            }
            enum acme_progress progress = run(ACME_IF_DUE);
            assert_true(progress == ACME_ISSUED || progress == ACME_CURRENT);
            check_pair();
            assert_int_equal(finalized(), 1);
            assert_int_equal(w.ca.accounts, 1);
        }
    }
}

/* A reset between, and somebody wants other names now: a new order, and a new key. */
TEST_WITH(names_change_in_the_middle, fast_keys, usual_keys)
{
    for (unsigned n = 10; n < 60; n += 3) {
        struct ca_plan plan = {ONE, .processing = 1};
        new_world(&plan);
        (void)start_for(n);
        plan.names[0] = "z.example";
        power_cut();
        issues(ACME_IF_DUE);
    }
}

/* --- what is stored is damaged, or cannot be written */

TEST_WITH(writes_that_fail, fast_keys, usual_keys)
{
    static const struct ca_plan plan = {ONE, .reuse = true};
    static const enum acme_record order[] = {
        ACME_RECORD_ACCOUNT_KEY, ACME_RECORD_RENEWAL, ACME_RECORD_ACCOUNT,
        ACME_RECORD_ORDER,       ACME_RECORD_ORDER, /* before the challenge is answered */
        ACME_RECORD_KEY_NEXT,    ACME_RECORD_CHAIN};
    for (unsigned n = 0; n < LEN(order); n++) {
        new_world(&plan);
        wrong.failing_write = (int)n + 1;
        fails(ACME_IF_DUE, ACME_E_STORE_WRITE);
        assert_int_equal(acme_failure(&w.client)->record, order[n]);
        demand(run(ACME_IF_DUE), ACME_ISSUED); /* the same client, without a reset */
        check_pair();
        assert_int_equal(w.ca.accounts, 1);
        assert_int_equal(finalized(), 1);
        assert_int_equal(acme_failure(&w.client)->error, 0);
    }
}

/* The chain in use has become too big for the work buffer: an order that was begun is taken up all the same. */
TEST(order_beside_a_chain_too_big)
{
    static const char head[] = "-----BEGIN CERTIFICATE-----\n";
    for (int order = 0; order < 2; order++) {
        new_world(&plain);
        wrong.failing_write = order ? 6 : 1;
        demand(run(ACME_IF_DUE), ACME_FAILED);
        memset(w.record[ACME_RECORD_CHAIN].data, 'A', sizeof w.record[ACME_RECORD_CHAIN].data);
        memcpy(w.record[ACME_RECORD_CHAIN].data, head, sizeof head - 1);
        w.record[ACME_RECORD_CHAIN].len = sizeof w.record[ACME_RECORD_CHAIN].data;
        demand(run(ACME_IF_DUE), order ? ACME_ISSUED : ACME_FAILED);
        assert_int_equal(acme_failure(&w.client)->error, order ? 0 : ACME_E_CERT_BIG);
        if (order) {
            check_pair();
        }
    }
}

TEST(chain_that_cannot_be_written)
{
    new_world(&plain);
    wrong.append_fails = true;
    fails(ACME_IF_DUE, ACME_E_STORE_WRITE);
    assert_int_equal(acme_failure(&w.client)->record, ACME_RECORD_CHAIN);
    wrong.append_fails = false;
    demand(run(ACME_IF_DUE), ACME_ISSUED);
    assert_int_equal(finalized(), 1);
    check_pair();
}

TEST(reads_that_fail)
{
    for (int record = 0; record <= ACME_RECORD_CHAIN; record++) {
        new_world(&plain);
        demand(run(ACME_NOW), ACME_ISSUED);
        unsigned requests = w.ca.requests;
        boot();
        wrong.read_error = record;
        bool key = record == ACME_RECORD_ACCOUNT_KEY || record == ACME_RECORD_KEY;
        if (!key) { /* a cache: as good as none, and told */
            demand(run(ACME_IF_DUE), record == ACME_RECORD_CHAIN ? ACME_ISSUED : ACME_CURRENT);
            assert_int_equal(w.unreadable > 0, record != ACME_RECORD_KEY_NEXT); /* that was to be dropped anyway */
            continue;
        }
        fails(ACME_IF_DUE, ACME_E_STORE_READ);
        assert_int_equal(acme_failure(&w.client)->record, record);
        assert_int_equal(w.ca.requests, requests);
    }
}

TEST(damaged_keys_are_never_replaced)
{
    static const enum acme_record records[] = {ACME_RECORD_ACCOUNT_KEY, ACME_RECORD_KEY};
    for (unsigned i = 0; i < 2; i++) {
        new_world(&plain);
        demand(run(ACME_NOW), ACME_ISSUED);
        boot();
        w.record[records[i]].data[60] ^= 1;
        struct device *kept = malloc(sizeof w);
        memcpy(kept, &w, sizeof w);
        fails(ACME_IF_DUE, ACME_E_KEY_CORRUPT);
        assert_int_equal(acme_failure(&w.client)->record, records[i]);
        assert_memory_equal(kept->record, w.record, sizeof w.record);
        assert_int_equal(kept->ca.requests, w.ca.requests);
        free(kept);
    }
}

TEST(foreign_pair)
{
    new_world(&plain);
    demand(run(ACME_NOW), ACME_ISSUED);
    boot();
    w.record[ACME_RECORD_KEY] = w.record[ACME_RECORD_ACCOUNT_KEY];
    fails(ACME_IF_DUE, ACME_E_PAIR);
    w.record[ACME_RECORD_KEY].len = 0;
    fails(ACME_IF_DUE, ACME_E_PAIR);
}

TEST(damaged_caches_are_had_again)
{
    static const enum acme_record records[] = {ACME_RECORD_ACCOUNT, ACME_RECORD_ORDER, ACME_RECORD_CHAIN};
    for (unsigned i = 0; i < LEN(records); i++) {
        for (unsigned cut = 0; cut < 4; cut++) {
            new_world(&plain);
            demand(run(ACME_NOW), ACME_ISSUED);
            boot();
            if (records[i] == ACME_RECORD_ORDER) {
                strcpy(w.record[ACME_RECORD_ORDER].data,
                       "nanoacme-order 1\ndirectory " CA_URL "/dir\nname a.example\nretry 0\n");
                w.record[ACME_RECORD_ORDER].len = strlen(w.record[ACME_RECORD_ORDER].data);
            }
            w.record[records[i]].len -= cut;
            w.record[records[i]].data[20 + cut] ^= cut < 3 ? 8 : 0;
            demand(run(ACME_NOW), ACME_ISSUED);
            assert_int_equal(w.ca.accounts, 1);
            check_pair();
        }
    }
}

TEST(next_key_is_damaged)
{
    static const struct ca_plan plan = {ONE, .processing = 3};
    new_world(&plan);
    start_until(ACME_NOW, CA_FINALIZE);
    power_cut();
    w.record[ACME_RECORD_KEY_NEXT].data[60] ^= 1;
    demand(run(ACME_IF_DUE), ACME_ISSUED); /* with another order: the old one's certificate is of no use */
    assert_int_equal(w.ca.order_count, 2);
    check_pair();
}

TEST(stored_order_is_gone_or_invalid)
{
    static const struct ca_twist gone[] = {{CA_ORDER, 1, 4, CA_SAY, CA_NO("404 Gone"), CA_BECAUSE("malformed")}};
    static const struct ca_twist invalid[] = {
        {CA_ORDER, 1, 0, CA_SAY, "HTTP/1.1 200 OK\r\n", "{\"status\":\"invalid\"}"}};
    static const struct ca_plan plans[] = {{ONE, TWISTED(gone)}, {ONE, TWISTED(invalid)}};
    for (unsigned i = 0; i < 2; i++) {
        new_world(&plans[i]);
        start_until(ACME_NOW, CA_AUTHZ);
        boot();
        demand(run(ACME_IF_DUE), ACME_ISSUED);
        assert_int_equal(w.ca.order_count, 2);
        assert_int_equal(w.ca.count[CA_NEW_ACCOUNT], 1);
        check_pair();
    }
}

/* --- failures */

TEST(rate_limit_outlives_a_reset)
{
    static const struct ca_twist t[] = {{CA_NEW_ORDER, 1, 0, CA_SAY,
                                         "HTTP/1.1 429 Slow\r\nRetry-After: 7200\r\n" PROBLEM,
                                         "{\"type\":\"" URN "rateLimited\",\"detail\":\"too many\"}"}};
    static const struct ca_plan plan = {ONE, TWISTED(t)};
    new_world(&plan);
    fails(ACME_IF_DUE, ACME_E_RATE_LIMITED);
    assert_int_equal(acme_failure(&w.client)->retry_s, 7200);
    assert_int_equal(acme_failure(&w.client)->http_status, 429);
    assert_string_equal(acme_failure(&w.client)->type, URN "rateLimited");
    assert_string_equal(acme_failure(&w.client)->detail, "too many");
    unsigned requests = w.ca.requests;
    boot();
    w.utc += 3600;
    fails(ACME_IF_DUE, ACME_E_RATE_LIMITED);
    assert_in_range(acme_failure(&w.client)->retry_s, 3590, 3610);
    assert_int_equal(w.ca.requests, requests);
    w.utc += 3700;
    demand(run(ACME_IF_DUE), ACME_ISSUED);
}

TEST(rate_limit_in_the_middle_keeps_the_order)
{
    static const enum ca_kind kinds[] = {CA_AUTHZ, CA_CHALLENGE, CA_FINALIZE, CA_ORDER, CA_CERTIFICATE};
    for (unsigned i = 0; i < LEN(kinds); i++) {
        const struct ca_twist t[] = {{kinds[i], 1, 0, CA_SAY, "HTTP/1.1 429 Slow\r\nRetry-After: 7200\r\n", ""}};
        const struct ca_plan plan = {ONE, .processing = 1, TWISTED(t)};
        new_world(&plan);
        demand(run(ACME_IF_DUE), ACME_FAILED);
        assert_null(w.ca.published);
        power_cut();
        w.utc += 7300;
        demand(run(ACME_IF_DUE), ACME_ISSUED);
        assert_int_equal(w.ca.order_count, 1);
        assert_int_equal(finalized(), 1);
        check_pair();
    }
}

TEST(rate_limit_gives_way_to_now)
{
    static const struct ca_twist t[] = {{CA_NEW_ORDER, 1, 0, CA_SAY, CA_NO("429 Slow"), CA_BECAUSE("rateLimited")}};
    static const struct ca_plan plan = {ONE, TWISTED(t)};
    new_world(&plan);
    demand(run(ACME_IF_DUE), ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->retry_s, 86400);
    demand(run(ACME_IF_DUE), ACME_FAILED);
    demand(run(ACME_NOW), ACME_ISSUED);
    w.record[ACME_RECORD_CHAIN].len = 0; /* lost: what an earlier run was told counts no more */
    demand(run(ACME_IF_DUE), ACME_ISSUED);
}

/* The time to come back is counted from the answer, not from when the run began. */
TEST(rate_limit_counts_from_the_answer)
{
    static const struct ca_twist t[] = {
        {CA_NEW_ORDER, 1, 4, CA_SAY, "HTTP/1.1 429 Slow\r\nRetry-After: 300\r\n", ""},
        {CA_NEW_ORDER, 5, 0, CA_SAY, "HTTP/1.1 429 Slow\r\nRetry-After: 7200\r\n", ""}};
    static const struct ca_plan plan = {ONE, TWISTED(t)};
    new_world(&plan);
    demand(run(ACME_IF_DUE), ACME_FAILED);
    boot();
    demand(run(ACME_IF_DUE), ACME_FAILED);
    assert_in_range(acme_failure(&w.client)->retry_s, 7100, 7200);
}

TEST(broken_server_costs_no_order)
{
    static const enum ca_kind kinds[] = {CA_AUTHZ, CA_CHALLENGE, CA_ORDER, CA_CERTIFICATE};
    for (unsigned i = 0; i < LEN(kinds); i++) {
        const struct ca_twist t[] = {{kinds[i], 1, 5, CA_SAY, CA_NO("500 Oh"), CA_BECAUSE("serverInternal")}};
        const struct ca_plan plan = {ONE, .processing = 1, TWISTED(t)};
        new_world(&plan);
        enum acme_progress progress = run(ACME_IF_DUE);
        if (progress == ACME_FAILED) {
            progress = run(ACME_IF_DUE);
        }
        demand(progress, ACME_ISSUED);
        assert_int_equal(w.ca.order_count, 1);
    }
}

TEST(no_words_of_a_request_in_a_failure)
{
    static const struct ca_twist t[] = {
        {CA_NEW_ORDER, 1, 0, CA_SAY, CA_NO("500 Oh"), "{\"type\":\"" URN "serverInternal\",\"detail\":\"sorry\"}"},
        {CA_NEW_ORDER, 2, CA_FOREVER, CA_CUT}};
    static const struct ca_plan plan = {ONE, TWISTED(t)};
    new_world(&plan);
    fails(ACME_IF_DUE, ACME_E_CLOSED);
    assert_string_equal(acme_failure(&w.client)->type, "");
    assert_string_equal(acme_failure(&w.client)->detail, "");
}

TEST(failed_validation_names_the_name)
{
    static const struct ca_plan plan = {ONE, .authz_end = "invalid",
                                        .challenge =
                                            ",\"error\":{\"type\":\"" URN "connection\",\"detail\":\"refused\"}"};
    new_world(&plan);
    fails(ACME_IF_DUE, ACME_E_AUTHZ);
    assert_string_equal(acme_failure(&w.client)->name, "a.example");
    assert_string_equal(acme_failure(&w.client)->type, URN "connection");
    assert_string_equal(acme_failure(&w.client)->detail, "refused");
    assert_int_equal(acme_failure(&w.client)->step, ACME_STEP_AUTHZ_POLL);
    assert_int_equal(w.record[ACME_RECORD_ORDER].len, 0); /* it can never become valid */
    assert_null(w.ca.published);
}

/* Who is to stop sees whether the CA may be looking: not before it was told, and again when a reset has come in between. */
TEST(validation_under_way_is_told)
{
    static const struct ca_plan plan = {ONE, .authz_looks = 1};
    for (int reset = 0; reset < 2; reset++) {
        unsigned before = 0, under_way = 0;
        new_world(&plan);
        assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
        while (reset > 0 && w.ca.count[CA_CHALLENGE] == 0) {
            tick();
        }
        if (reset > 0) {
            power_cut();
            assert_false(acme_validating(&w.client));
            assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
        }
        for (enum acme_progress progress = ACME_BUSY; !acme_is_over(progress); progress = tick()) {
            bool shown = w.client.flow.presented > 0;
            before += shown && !acme_validating(&w.client);
            under_way += acme_validating(&w.client);
            assert_true(shown || !acme_validating(&w.client));
            assert_true(w.ca.count[CA_CHALLENGE] == 0 || !shown || acme_validating(&w.client));
        }
        assert_true(under_way > 0);
        assert_int_equal(before > 0, reset == 0);
        assert_false(acme_validating(&w.client));
    }
}

/* --- an order that is given up */

#define FAILS_AT_B                                                                                                   \
    {                                                                                                                \
        CA_AUTHZ, 5, 5, CA_SAY, "HTTP/1.1 200 OK\r\n", INVALID_B                                                     \
    }
#define INVALID_B                                                                                                    \
    "{\"status\":\"invalid\",\"identifier\":{\"type\":\"dns\",\"value\":\"b.example\"},\"challenges\":[{\"type\":"   \
    "\"http-01\","                                                                                                   \
    "\"url\":\"" CA_URL "/challenge/1/1\",\"token\":\"tok\",\"error\":{\"type\":\"" URN                              \
    "dns\",\"detail\":\"no b\"}}]}"

/* Of three names the first is valid, the second has failed: the third is given back, and nothing else. */
static void fails_at_b(enum acme_task when)
{
    w.setup.deactivate_authz = true;
    fails(when, ACME_E_AUTHZ);
    assert_string_equal(acme_failure(&w.client)->type, URN "dns");
    assert_string_equal(acme_failure(&w.client)->detail, "no b");
    assert_string_equal(acme_failure(&w.client)->name, "b.example");
    assert_int_equal(acme_failure(&w.client)->step, ACME_STEP_AUTHZ_POLL);
    assert_int_equal(acme_failure(&w.client)->retry_s, 3600);
    assert_int_equal(w.record[ACME_RECORD_ORDER].len, 0);
    assert_null(w.ca.published);
}

TEST(what_is_open_of_a_failed_order_is_deactivated)
{
    static const struct ca_twist t[] = {FAILS_AT_B};
    static const struct ca_plan plan = {{"a.example", "b.example", "c.example"}, 3, TWISTED(t)};
    new_world(&plan);
    fails_at_b(ACME_IF_DUE);
    assert_int_equal(w.ca.deactivated, 1);
    assert_string_equal(w.ca.order[0].authz[0].status, "valid");
    assert_string_equal(w.ca.order[0].authz[2].status, "deactivated");
    assert_int_equal(w.attempts, 1);
    assert_int_equal(w.ca.count[CA_AUTHZ], 6);
    new_world(&plan);
    w.setup.deactivate_authz = false;
    demand(run(ACME_IF_DUE), ACME_FAILED);
    assert_int_equal(w.ca.count[CA_AUTHZ], 5);
    static const struct ca_plan v1 = {{"a.example", "b.example"}, 2, .authz_end = "invalid", .v1 = true};
    new_world(&v1); /* a CA of 2016 forgets them in a week */
    w.setup.deactivate_authz = true;
    fails(ACME_IF_DUE, ACME_E_AUTHZ);
    assert_int_equal(w.ca.deactivated, 0);
}

/* Whatever goes wrong with that: the run ends soon with what it has failed with, and nothing else is begun. */
TEST(what_cannot_be_deactivated_is_left)
{
    static const struct ca_twist says[] = {
        {CA_AUTHZ, 6, CA_FOREVER, CA_CUT},
        {CA_AUTHZ, 6, CA_FOREVER, CA_DO_AND_CUT},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, CA_NO("500 No"), CA_BECAUSE("serverInternal")},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, "HTTP/1.1 503 No\r\nRetry-After: 3\r\n", ""},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, "HTTP/1.1 429 No\r\nRetry-After: 86400\r\n" PROBLEM,
         CA_BECAUSE("rateLimited")},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, CA_NO("400 No"), CA_BECAUSE("accountDoesNotExist")},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, CA_NO("403 No"), CA_BECAUSE("userActionRequired")},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, CA_NO("403 No"), CA_BECAUSE("unauthorized")},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, "HTTP/1.1 404 No\r\n", "gone"},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, "HTTP/1.1 302 No\r\nLocation: " CA_URL "/elsewhere\r\n", ""},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, "HTTP/1.1 200 OK\r\n", "<html>"},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, "HTTP/1.1 200 OK\r\n", ""},
        {CA_AUTHZ, 6, CA_FOREVER, CA_SAY, CA_NO("400 No"), CA_BECAUSE("badNonce")},
        {CA_NONCE, 2, CA_FOREVER, CA_SAY, "HTTP/1.1 404 No\r\n", ""},
    };
    for (size_t i = 0; i < LEN(says); i++) {
        for (unsigned known = 0; known < 2; known++) { /* account and directory are from the store */
            struct ca_twist t[] = {FAILS_AT_B, says[i]};
            t[0].first = t[0].last = 5 + 6 * known;
            t[1].first += 6 * known;
            if (says[i].kind == CA_NONCE) { /* there is none for it */
                t[0].nonce = "";
                t[1].first = 2 + known;
            }
            const struct ca_plan plan = {{"a.example", "b.example", "c.example"}, 3, TWISTED(t)};
            new_world(&plan);
            if (known > 0) {
                demand(run(ACME_NOW), ACME_ISSUED);
            }
            fails_at_b(ACME_NOW);
            assert_int_equal(w.ca.count[CA_NEW_ORDER], 1 + known);
            assert_int_equal(w.ca.count[CA_NEW_ACCOUNT], 1);
            assert_int_equal(w.ca.count[CA_DIRECTORY], 1);
        }
    }
}

TEST(order_reused_with_a_foreign_key)
{
    /* the CA answers newOrder with an order that somebody has finalized */
    static const struct ca_twist t[] = {
        {CA_NEW_ORDER, 1, CA_FOREVER, CA_DO_AND_SAY, "HTTP/1.1 201 OK\r\nLocation: " CA_URL "/order/1\r\n",
         "{\"status\":\"valid\",\"authorizations\":[\"" CA_URL "/authz/1/0\"],\"finalize\":\"" CA_URL
         "/finalize/1\",\"certificate\":\"" CA_URL "/cert/1\"}"}};
    static const struct ca_plan plan = {ONE, .reuse = true, TWISTED(t)};
    new_world(&plan);
    fails(ACME_IF_DUE, ACME_E_CERT_KEY);
    assert_int_equal(w.ca.count[CA_NEW_ORDER], 2);
    assert_int_equal(w.ca.count[CA_CERTIFICATE], 0);
}

TEST(certificates_that_are_refused)
{
    static const struct {
        const char *body;
        int error;
        unsigned asked;
    } rows[] = {{"", ACME_E_CERT_SYNTAX, 4}, {"<html>", ACME_E_CERT_SYNTAX, 4}};
    for (unsigned i = 0; i < LEN(rows); i++) {
        const struct ca_twist t[] = {{CA_CERTIFICATE, 1, CA_FOREVER, CA_SAY,
                                      "HTTP/1.1 200 OK\r\nContent-Type: application/pem-certificate-chain\r\n",
                                      rows[i].body}};
        struct ca_plan plan = {ONE, TWISTED(t)};
        new_world(&plan);
        uint32_t began = w.now_ms;
        fails(ACME_IF_DUE, rows[i].error);
        assert_int_equal(w.ca.count[CA_CERTIFICATE], rows[i].asked);
        assert_true(w.now_ms - began > 2000); /* not in one breath */
        assert_int_equal(w.record[ACME_RECORD_CHAIN].len, 0);
        /* the certificate is there and counts for the CA's limits: the next run fetches it, with the key */
        plan.twist_count = 0;
        boot();
        demand(run(ACME_IF_DUE), ACME_ISSUED);
        assert_int_equal(finalized(), 1);
    }
}

/* A chain of OpenSSL's making for the key of the order in progress, or for another. */
static char *a_chain(bool our_key, const char *san, int64_t to)
{
    EVP_PKEY *key = our_key ? maker_public(w.certificate.point) : maker_ec("P-256");
    struct maker_spec spec = {.san = san,
                              .from = MAKER_NOW - 90 * MAKER_DAY,
                              .to = to,
                              .key = key,
                              .issuer = w.ca.issuer,
                              .issuer_key = w.ca.issuer_key};
    X509 *leaf = maker_certificate(&spec);
    char *pem = maker_pem(leaf);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return pem;
}

TEST(certificates_for_somebody_else)
{
    static const struct {
        bool our_key;
        const char *san;
        int64_t to;
        int error;       /* of the run; 0: it made another order and has its certificate */
        unsigned orders; /* when the next run is through */
    } rows[] = {{false, "DNS:a.example", MAKER_NOW + MAKER_DAY, 0, 1}, /* once: a replica that lags */
                {true, "DNS:b.example", MAKER_NOW + MAKER_DAY, ACME_E_CERT_NAMES, 1},
                {true, "DNS:a.example,DNS:b.example", MAKER_NOW + MAKER_DAY, ACME_E_CERT_NAMES, 1},
                {true, "DNS:a.example", MAKER_NOW - MAKER_DAY, ACME_E_CERT_DATES, 1}};
    for (unsigned i = 0; i < LEN(rows); i++) {
        struct ca_twist t = {CA_CERTIFICATE, 1, 0, CA_SAY,
                             "HTTP/1.1 200 OK\r\nContent-Type: application/pem-certificate-chain\r\n"};
        const struct ca_plan plan = {ONE, .processing = 2, .twists = &t, .twist_count = 1};
        new_world(&plan);
        start_until(ACME_IF_DUE, CA_FINALIZE);
        char *pem = a_chain(rows[i].our_key, rows[i].san, rows[i].to);
        t.body = pem;
        enum acme_progress progress = ACME_BUSY;
        while (!acme_is_over(progress)) {
            progress = tick();
        }
        demand(progress, rows[i].error == 0 ? ACME_ISSUED : ACME_FAILED);
        assert_int_equal(acme_failure(&w.client)->error, rows[i].error);
        if (rows[i].error != 0) {
            assert_int_equal(w.record[ACME_RECORD_CHAIN].len, 0);
            demand(run(ACME_IF_DUE), ACME_ISSUED);
        }
        assert_int_equal(w.ca.order_count, rows[i].orders);
        check_pair();
        free(pem);
    }
}

/* Another client of the account finalizes the order before we do: its certificate is of no use, and a new order is made. */
TEST(an_order_finalized_by_another)
{
    struct ca_twist t[] = {
        {CA_FINALIZE, 1, 0, CA_SAY, CA_NO("403 No"), CA_BECAUSE("orderNotReady")},
        {CA_ORDER, 1, 0, CA_SAY, "HTTP/1.1 200 OK\r\n",
         "{\"status\":\"valid\",\"certificate\":\"" CA_URL "/cert/1\",\"authorizations\":[]}"},
        {CA_CERTIFICATE, 1, 0, CA_SAY, "HTTP/1.1 200 OK\r\nContent-Type: application/pem-certificate-chain\r\n"}};
    const struct ca_plan plan = {ONE, TWISTED(t)};
    new_world(&plan);
    char *pem = a_chain(false, "DNS:a.example", MAKER_NOW + MAKER_DAY);
    t[2].body = pem;
    demand(run(ACME_IF_DUE), ACME_ISSUED);
    assert_int_equal(w.ca.order_count, 2);
    check_pair();
    free(pem);
}

/* A CA that adds names to those asked for: refused, which costs one certificate however often it is tried; when they are
 * welcome that one is taken, and is in date like any other. */
TEST(more_names_where_they_are_welcome)
{
    struct ca_twist t = {CA_CERTIFICATE, 1, CA_FOREVER, CA_SAY,
                         "HTTP/1.1 200 OK\r\nContent-Type: application/pem-certificate-chain\r\n"};
    const struct ca_plan plan = {ONE, .processing = 2, .twists = &t, .twist_count = 1};
    new_world(&plan);
    start_until(ACME_IF_DUE, CA_FINALIZE);
    char *pem = a_chain(true, "DNS:www.a.example,DNS:a.example,IP:10.0.0.1", MAKER_NOW + 90 * MAKER_DAY);
    t.body = pem;
    enum acme_progress progress = ACME_BUSY;
    while (!acme_is_over(progress)) {
        progress = tick();
    }
    for (unsigned n = 0; n < 14; n++) {
        demand(progress, ACME_FAILED);
        assert_int_equal(acme_failure(&w.client)->error, ACME_E_CERT_NAMES);
        assert_int_equal(acme_failure(&w.client)->retry_s, 86400);
        progress = run(n % 2 == 0 || n > 2 ? ACME_NOW : ACME_IF_DUE); /* which would wait from the fourth on */
    }
    w.setup.more_names = true;
    demand(run(ACME_NOW), ACME_ISSUED);
    assert_int_equal(w.ca.order_count, 1);
    unsigned requests = w.ca.requests;
    demand(run(ACME_IF_DUE), ACME_CURRENT);
    assert_int_equal(w.ca.requests, requests);
    free(pem);
}

/* A renewal for the key in use: that one is stored as the order's, so whatever happens on the way it is the pair's again. */
TEST(key_in_use_again)
{
    char first[600];

    new_world(&plain);
    w.setup.reuse_key = true;
    demand(run(ACME_NOW), ACME_ISSUED); /* there is none yet */
    size_t len = w.record[ACME_RECORD_KEY].len;
    assert_in_range(len, 1, sizeof first);
    memcpy(first, w.record[ACME_RECORD_KEY].data, len);
    for (int n = 0; n < 3; n++) {
        w.setup.reuse_key = n < 2;
        if (n == 1) { /* a reset between key and certificate */
            assert_int_equal(acme_start(&w.client, ACME_NOW, w.now_ms), 0);
            while (w.ca.count[CA_FINALIZE] < 3) {
                tick();
            }
        }
        demand(run(ACME_NOW), ACME_ISSUED);
        assert_int_equal(w.record[ACME_RECORD_KEY].len, len);
        assert_int_equal(memcmp(first, w.record[ACME_RECORD_KEY].data, len) == 0, n < 2);
        check_pair();
    }
}

/* Another chain is wished for. Once the CA's own is stored beside the pair in use, whatever goes wrong with the others is no end of
 * the run; but one that was half written over it is, and the next run fetches the certificate again. */
TEST(another_chain)
{
    static const struct ca_twist links[] = {
        {CA_CERTIFICATE, 1, CA_FOREVER, CA_ADD, "Link: </cert/1/1>;rel=\"alternate\"\r\n"},
    };
    static char cross[20] = "@leaf\n@cross\n";
    const struct ca_twist other[] = {
        {CA_CERTIFICATE, 1, 1, CA_ADD, "Link: </cert/1/1>;rel=\"alternate\"\r\n"},
        {CA_CERTIFICATE, 2, 2, CA_ADD, "", cross},
        {CA_CERTIFICATE, 3, 3, CA_ADD, "Link: </cert/1/1>;rel=\"alternate\"\r\n"},
        {CA_CERTIFICATE, 4, 4, CA_ADD, "", cross},
    };
    static const struct ca_plan none = {ONE, TWISTED(links)};
    const struct ca_plan plan = {ONE, TWISTED(other)};
    enum { FITS_NOT, FITS, NO_NET, TORN, RESET, CASES };

    for (int i = 0; i < CASES; i++) {
        new_world(i == FITS_NOT ? &none : &plan);
        w.setup.chain = (struct acme_chain_choice){acme_prefer_name, "Other Root"};
        assert_int_equal(acme_start(&w.client, ACME_NOW, w.now_ms), 0);
        while (w.client.flow.step != ACME_STEP_ALTERNATE) {
            tick();
        }
        wrong.append_fails = i == TORN;
        if (i == NO_NET) {
            acme_channel_close(&w.client.channel);
            wrong.net_down = true;
        }
        enum acme_progress end = ACME_IDLE;
        while (i != RESET && !acme_is_over(end)) {
            end = tick();
        }
        wrong.append_fails = wrong.net_down = false;
        if (i == TORN) {
            demand(end, ACME_FAILED);
            assert_int_equal(acme_failure(&w.client)->error, ACME_E_STORE_WRITE);
        }
        if (i == TORN || i == RESET) {
            end = run(ACME_NOW); /* the same order */
        }
        demand(end, ACME_ISSUED);
        assert_int_equal(finalized(), 1);
        assert_int_equal(w.ca.order_count, 1);
        const char *order = w.ca.order[0].chain;
        bool own = w.record[ACME_RECORD_CHAIN].len == strlen(order) &&
                   memcmp(w.record[ACME_RECORD_CHAIN].data, order, strlen(order)) == 0;
        assert_int_equal(own, i == FITS_NOT || i == NO_NET);
        int64_t from = 0, to = 0;
        assert_true(acme_validity(&w.client, &from, &to, NULL));
        assert_true(to > from && from > 0);
    }
}

static int point_of_given(void *handle, uint8_t point[65])
{
    return acme_key_p256_ops.point(handle, point);
}

/* The request was made elsewhere: it is sent as it is, no key is made or stored, and its renewal is for the same. */
TEST(request_of_another)
{
    static const struct acme_key_ops elsewhere = {.point = point_of_given, .sign = NULL};
    static struct acme_key_p256 key;
    static uint8_t csr[1024];
    size_t start;

    new_world(&plain);
    const struct acme_key whole = {&acme_key_p256_ops, &key};
    assert_int_equal(acme_key_p256_ops.generate(&key, w.setup.sys), 0);
    assert_int_equal(acme_csr_write(csr, sizeof csr, &start, &whole, w.setup.names, w.setup.name_count), 0);
    w.setup.csr = acme_slice(csr + start, sizeof csr - start);
    w.setup.certificate_key = (struct acme_key){&elsewhere, &key};
    assert_int_equal(acme_start(&w.client, ACME_NOW, w.now_ms), 0);
    while (w.client.phase != ACME_PHASE_COMMIT) { /* where a real store leaves the key out: test_csr.py */
        assert_false(acme_is_over(tick()));
    }
    assert_int_equal(finalized(), 1);
    assert_int_equal(w.record[ACME_RECORD_KEY].len + w.record[ACME_RECORD_KEY_NEXT].len, 0);
    assert_int_equal(acme_stats(&w.client).signatures, w.client.exchange.counts.signatures);
    acme_stop(&w.client);
}

TEST(network_down)
{
    new_world(&plain);
    wrong.net_down = true;
    uint32_t began = w.now_ms;
    fails(ACME_IF_DUE, ACME_E_UNREACHABLE);
    assert_int_equal(acme_failure(&w.client)->step, ACME_STEP_DIRECTORY);
    assert_true(w.now_ms - began >= 1000 + 2000 + 4000 + 8000);
    wrong.net_down = false;
    demand(run(ACME_IF_DUE), ACME_ISSUED);
}

TEST(no_entropy_no_key)
{
    new_world(&plain);
    wrong.no_random = true;
    fails(ACME_IF_DUE, ACME_E_RANDOM);
    assert_int_equal(w.record[ACME_RECORD_ACCOUNT_KEY].len, 0);
    assert_int_equal(w.ca.requests, 0);
}

TEST(clock_is_waited_for)
{
    new_world(&plain);
    wrong.no_clock = true;
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
    for (unsigned i = 0; i < 100; i++) {
        tick();
    }
    assert_int_equal(w.ca.requests, 0);
    wrong.no_clock = false;
    w.utc = ACME_UTC_FLOOR - 1;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(acme_tick(&w.client, w.now_ms), ACME_IDLE);
        assert_true(acme_idle_ms(&w.client, w.now_ms) > 0);
    }
    w.utc = MAKER_NOW;
    for (enum acme_progress progress = ACME_BUSY; progress != ACME_ISSUED; progress = tick()) {
        assert_int_not_equal(progress, ACME_FAILED);
    }
    boot();
    wrong.no_clock = true;
    fails(ACME_IF_DUE, ACME_E_CLOCK);
}

TEST(stop_and_go_on)
{
    static const struct ca_plan plan = {TWO, .authz_looks = 2, .processing = 2, .reuse = true};
    for (unsigned n = 1; n < 150; n += 7) {
        new_world(&plan);
        (void)start_for(n);
        w.ca.power_cut = true;
        acme_stop(&w.client);
        assert_null(w.ca.published);
        assert_int_equal(acme_tick(&w.client, w.now_ms), ACME_IDLE);
        enum acme_progress progress = run(ACME_IF_DUE);
        assert_true(progress == ACME_ISSUED || progress == ACME_CURRENT);
        assert_int_equal(finalized(), 1);
        assert_int_equal(w.ca.accounts, 1);
    }
}

TEST(account_lost_at_the_ca)
{
    new_world(&plain);
    demand(run(ACME_IF_DUE), ACME_ISSUED);
    w.ca.forgot_account = true;
    boot();
    demand(run(ACME_NOW), ACME_ISSUED);
    assert_int_equal(w.ca.accounts, 2);
    assert_int_equal(w.account_keys, 1); /* with the key there was */
    check_pair();
}

/* A replica that has half of a chain: it is asked for again, with the nonce at hand, and the halves are not mixed. */
TEST(half_a_chain_is_had_again)
{
    static const struct ca_twist t[] = {{CA_CERTIFICATE, 1, 1, CA_SAY,
                                         "HTTP/1.1 200 OK\r\nContent-Type: application/pem-certificate-chain\r\n",
                                         "-----BEGIN CERTIFICATE-----\nMIIBAAAA\n"}};
    static const struct ca_plan plan = {ONE, TWISTED(t)};
    new_world(&plan);
    demand(run(ACME_IF_DUE), ACME_ISSUED);
    assert_int_equal(w.ca.order_count, 1);
    check_pair();
}

static unsigned steps_told;

static void count_steps(void *ctx, const struct acme_event *event)
{
    steps_told += event->kind == ACME_EVENT_STEP;
}

/* What is lent may hold anything; what is set up reaches those who need it. */
TEST(set_up_is_passed_on)
{
    static const char *const more[] = {"objects.test"};
    static struct acme_tls nothing;
    new_world(&plain);
    memset(&w.tls, 0xa5, sizeof w.tls);
    w.setup.ca.more_hosts = more;
    w.setup.ca.more_host_count = 1;
    w.setup.trace = count_steps;
    steps_told = 0;
    assert_int_equal(acme_init(&w.client, &w.setup), 0);
    assert_memory_equal(&w.tls, &nothing, sizeof nothing);
    demand(run(ACME_IF_DUE), ACME_ISSUED);
    assert_ptr_equal(w.client.flow.hosts.more, more);
    assert_int_equal(w.client.flow.hosts.more_count, 1);
    assert_true(steps_told >= 8);
}

/* The smallest buffer acme_init() takes serves one name; for more it may be too small, which is then said. */
TEST_WITH(small_work_buffers, fast_keys, usual_keys)
{
    static const struct ca_plan one = {ONE, .processing = 1};
    static const struct ca_plan eight = {.names = {"a.example", "b.example", "c.example", "d.example", "e.example",
                                                   "f.example", "g.example", "h.example"},
                                         .name_count = 8,
                                         .processing = 1};
    for (size_t len = ACME_WORK_MIN; len <= WORK_LEN; len += 512) {
        new_world(&one);
        w.setup.work_len = len;
        issues(ACME_IF_DUE);
        new_world(&eight);
        w.setup.work_len = len;
        enum acme_progress progress = run(ACME_IF_DUE);
        int error = acme_failure(&w.client)->error;
        assert_true(progress == ACME_ISSUED || error == ACME_E_REQUEST_BIG || error == ACME_E_BODY_BIG ||
                    error == ACME_E_JSON_TOKENS || error == ACME_E_CERT_BIG);
        assert_true(progress == ACME_ISSUED || len < 4096);
        for (size_t i = len; i < sizeof w.work; i++) {
            assert_int_equal(w.work[i], DEVICE_CANARY_BYTE);
        }
    }
}

/* Whatever a CA answers, once or for ever: the run ends, and when the CA has come to its senses the next run
 * gets a certificate, with the same account key. */
TEST_WITH(nothing_gets_stuck, fast_keys, usual_keys)
{
#define OK "HTTP/1.1 200 OK\r\n"
    static const struct ca_twist kinds[] = {
        {CA_KINDS, 0, 0, CA_CUT},
        {CA_KINDS, 0, 0, CA_DO_AND_CUT},
        {CA_KINDS, 0, 0, CA_SAY, .raw = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"status\":\"va"},
        {CA_KINDS, 0, 0, CA_DO_AND_SAY, .raw = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"status\":\"va"},
        {CA_KINDS, 0, 0, CA_SAY, .raw = "SSH-2.0-x\r\n"},
        {CA_KINDS, 0, 0, CA_SAY, OK, ""},
        {CA_KINDS, 0, 0, CA_SAY, OK, "{}"},
        {CA_KINDS, 0, 0, CA_SAY, OK, "<html>"},
        {CA_KINDS, 0, 0, CA_DO_AND_SAY, OK, "<html>"},
        {CA_KINDS, 0, 0, CA_DO_AND_SAY, OK, "{}", ""},
        {CA_KINDS, 0, 0, CA_SAY, OK, "{\"status\":\"pending\"}"},
        {CA_KINDS, 0, 0, CA_SAY, OK, "{\"status\":\"processing\"}"},
        {CA_KINDS, 0, 0, CA_SAY, OK, "{\"status\":\"ready\"}"},
        {CA_KINDS, 0, 0, CA_SAY, OK, "{\"status\":\"invalid\"}"},
        {CA_KINDS, 0, 0, CA_SAY, OK, "{\"status\":\"quantum\"}"},
        {CA_KINDS, 0, 0, CA_SAY, "HTTP/1.1 301 Moved\r\nLocation: /dir\r\n", ""},
        {CA_KINDS, 0, 0, CA_SAY, CA_NO("400 Bad"), CA_BECAUSE("badNonce"), ""},
        {CA_KINDS, 0, 0, CA_SAY, CA_NO("400 Bad"), CA_BECAUSE("malformed")},
        {CA_KINDS, 0, 0, CA_SAY, CA_NO("403 Bad"), CA_BECAUSE("unauthorized")},
        {CA_KINDS, 0, 0, CA_SAY, CA_NO("403 Bad"), CA_BECAUSE("orderNotReady")},
        {CA_KINDS, 0, 0, CA_SAY, CA_NO("400 Bad"), CA_BECAUSE("accountDoesNotExist")},
        {CA_KINDS, 0, 0, CA_SAY, "HTTP/1.1 404 Gone\r\n", "gone"},
        {CA_KINDS, 0, 0, CA_SAY, CA_NO("409 Conflict"), CA_BECAUSE("conflict")},
        {CA_KINDS, 0, 0, CA_SAY, "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\n", ""},
        {CA_KINDS, 0, 0, CA_SAY, "HTTP/1.1 429 Slow\r\n", "", ""},
        {CA_KINDS, 0, 0, CA_SAY, CA_NO("500 Oh"), CA_BECAUSE("serverInternal"), ""},
        {CA_KINDS, 0, 0, CA_DO_AND_SAY, CA_NO("500 Oh"), CA_BECAUSE("serverInternal")},
        {CA_KINDS, 0, 0, CA_SAY, "HTTP/1.1 503 Busy\r\nRetry-After: 600\r\n", "<html>"},
        {CA_KINDS, 0, 0, CA_ADD, "Retry-After: 86400\r\nConnection: close\r\n"}};
    unsigned worst = 0;
    for (unsigned i = 0; i < LEN(kinds); i++) {
        for (unsigned kind = CA_DIRECTORY; kind < CA_KINDS_8555; kind++) {
            for (unsigned last = 1; last <= CA_FOREVER; last *= 1000) {
                struct ca_twist twist = kinds[i];
                struct ca_plan plan = {ONE, .processing = 1, .reuse = i % 2 == 0, .twists = &twist, .twist_count = 1};
                twist.kind = (enum ca_kind)kind;
                twist.first = 1;
                twist.last = last;
                new_world(&plan);
                enum acme_progress progress = run(ACME_IF_DUE);
                worst = w.ca.requests > worst ? w.ca.requests : worst;
                if (w.ca.requests > 400) {
                    print_message("twist %u, request kind %u, last %u: %u requests\n", i, kind, last, w.ca.requests);
                }
                assert_true(w.ca.requests <= 400); /* half an hour, two requests in ten seconds, and a few more */
                if (progress == ACME_FAILED) {
                    plan.twist_count = 0;
                    w.utc += 2 * 86400;
                    power_cut();
                    progress = run(ACME_IF_DUE);
                }
                if (progress != ACME_ISSUED) {
                    print_message("twist %u, request kind %u, last %u\n", i, kind, last);
                }
                demand(progress, ACME_ISSUED);
                check_pair();
                assert_int_equal(w.account_keys, 1);
            }
        }
    }
    assert_true(worst > 100); /* it has been at the limit */
}
