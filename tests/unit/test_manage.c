/* What is done beside issuing, by the whole client with the scripted CA (tests/fake/ca_manage.h), in both protocols:
 * certificates revoked, accounts ended, account keys changed; refusals, lost answers, every cut and every reset. */
#include "unit.h"

#include "fake/device.h"
#include "fault/fastkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBLEM "Content-Type: application/problem+json\r\n"
#define OK      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define NEVER   (-1)

static struct device w, start; /* the world; and as it is after a certificate was issued */

/* What goes wrong: at this call into the world, from 0, the power goes; or this byte of all that is received is the last. */
static struct {
    long calls, off_at, bytes, cut_at;
    bool off;
    int failing_put, failing_get; /* records whose writing or reading fails; NEVER */
} wrong;

static int hook(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    wrong.off = wrong.off || wrong.calls++ == wrong.off_at;
    if (wrong.off || (seam == DEVICE_PUT && (int)record == wrong.failing_put) ||
        (seam == DEVICE_GET && (int)record == wrong.failing_get)) {
        return seam == DEVICE_PUT || seam == DEVICE_STORED    ? ACME_E_STORE_WRITE
               : seam == DEVICE_GET                           ? ACME_E_STORE_READ
               : seam >= DEVICE_KEY_POINT                     ? ACME_E_KEY
               : seam == DEVICE_UTC || seam == DEVICE_CONNECT ? 0
                                                              : ACME_E_CLOSED;
    }
    if (seam == DEVICE_RECV && wrong.cut_at != NEVER) {
        if (wrong.bytes == wrong.cut_at) {
            wrong.cut_at = NEVER;
            return ACME_E_CLOSED;
        }
        long left = wrong.cut_at - wrong.bytes;
        *len = (long)*len > left ? (size_t)left : *len;
        wrong.bytes += (long)*len;
    }
    return DEVICE_GO;
}

static void boot(void)
{
    memset(&wrong, 0, sizeof wrong);
    wrong.off_at = wrong.cut_at = NEVER;
    wrong.failing_put = wrong.failing_get = NEVER;
    assert_int_equal(device_boot(&w), 0);
}

static enum acme_progress run(enum acme_task what)
{
    enum acme_progress progress = ACME_BUSY;
    assert_int_equal(acme_start(&w.client, what, w.now_ms), 0);
    while (!acme_is_over(progress) && !wrong.off) {
        progress = device_tick(&w);
    }
    return progress;
}

static void demand(enum acme_progress got, enum acme_progress wanted)
{
    if (got != wanted) {
        const struct acme_failure *f = acme_failure(&w.client);
        print_message("ended with %d, error %d at step %d: %s %s\n", got, f->error, f->step, f->type, f->detail);
    }
    assert_int_equal(got, wanted);
}

static void fails(enum acme_task what, int error)
{
    demand(run(what), ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->error, error);
}

/* A CA with one account and one certificate. The issuer is shared: plans differ in what goes wrong later. */
static void issued(bool v1)
{
    static struct ca_plan plans[2];
    struct ca_plan *plan = &plans[v1];
    *plan = (struct ca_plan){.names = {"a.example"}, .name_count = 1, .v1 = v1, .manage = true};
    device_new(&w, plan);
    w.keys = &fastkey_ops;
    w.hook = hook;
    boot();
    demand(run(ACME_NOW), ACME_ISSUED);
    memset(w.ca.count, 0, sizeof w.ca.count);
    start = w;
    boot();
}

/* The same world again. Chains that are made on the way are the CA's and freed with it. */
static void again(void)
{
    for (unsigned i = start.ca.order_count; i < w.ca.order_count; i++) {
        free(w.ca.order[i].chain);
    }
    w = start;
    boot();
}

static void twist(const struct ca_twist *twists, unsigned count)
{
    static struct ca_plan plan;
    plan = *w.ca.plan;
    plan.twists = twists;
    plan.twist_count = count;
    w.ca.plan = &plan;
}

/* The account key in the store is the one the CA knows. */
static bool key_works(void)
{
    struct acme_key_p256 key;
    uint8_t point[65];
    memset(&key, 0, sizeof key);
    const char *record = w.record[ACME_RECORD_ACCOUNT_KEY].data;
    assert_int_equal(fastkey_ops.load(&key, record, w.record[ACME_RECORD_ACCOUNT_KEY].len), 0);
    assert_int_equal(fastkey_ops.point(&key, point), 0);
    return memcmp(point, w.ca.point, sizeof point) == 0;
}

static bool key_is_old(void)
{
    return memcmp(w.record[ACME_RECORD_ACCOUNT_KEY].data, start.record[ACME_RECORD_ACCOUNT_KEY].data, 100) == 0;
}

static void check_effect(enum acme_task what)
{
    assert_int_equal(w.ca.managed.revocations > 0, what == ACME_REVOKE);
    assert_int_equal(w.ca.managed.deactivated || w.ca.v1.deactivated, what == ACME_DEACTIVATE);
    assert_int_equal(w.ca.managed.changes, what == ACME_CHANGE_KEY);
    assert_int_equal(w.ca.accounts, 1);
    assert_true(key_works());
    assert_int_equal(key_is_old(), what != ACME_CHANGE_KEY);
    assert_int_equal(w.record[ACME_RECORD_ACCOUNT_KEY_NEXT].len, 0);
    assert_int_equal(w.record[ACME_RECORD_ACCOUNT].len > 0, what != ACME_DEACTIVATE);
    assert_memory_equal(&w.record[ACME_RECORD_CHAIN], &start.record[ACME_RECORD_CHAIN], sizeof w.record[0]);
    assert_memory_equal(&w.record[ACME_RECORD_KEY], &start.record[ACME_RECORD_KEY], sizeof w.record[0]);
}

static const enum acme_task all[] = {ACME_REVOKE, ACME_DEACTIVATE, ACME_CHANGE_KEY, ACME_UPDATE};

/* --- when all goes well */

TEST(each_is_done_and_the_next_run_knows_it)
{
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        for (size_t i = 0; i < LEN(all); i++) {
            again();
            demand(run(all[i]), ACME_DONE);
            assert_int_equal(acme_tick(&w.client, w.now_ms), ACME_DONE); /* and stays */
            assert_int_equal(acme_failure(&w.client)->error, 0);
            check_effect(all[i]);
            boot();
            if (all[i] == ACME_DEACTIVATE) {
                fails(ACME_NOW, ACME_E_ACCOUNT);
                boot();
                demand(run(ACME_DEACTIVATE), ACME_DONE); /* what was wanted is so */
            } else {
                demand(run(ACME_NOW), ACME_ISSUED);
                device_check_pair(&w);
            }
        }
    }
}

TEST(a_reason_is_told)
{
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        w.setup.revoke_reason = 4;
        demand(run(ACME_REVOKE), ACME_DONE);
        assert_int_equal(w.ca.managed.reason, 4);
        demand(run(ACME_REVOKE), ACME_DONE); /* it is revoked already */
        assert_int_equal(w.ca.managed.revocations, 2);
    }
}

TEST(an_order_in_progress_is_left_alone)
{
    issued(false);
    static const char order[] = "nanoacme-order 1\n";
    memcpy(w.record[ACME_RECORD_ORDER].data, order, sizeof order);
    w.record[ACME_RECORD_ORDER].len = sizeof order - 1;
    demand(run(ACME_CHANGE_KEY), ACME_DONE);
    assert_int_equal(w.record[ACME_RECORD_ORDER].len, sizeof order - 1);
    demand(run(ACME_DEACTIVATE), ACME_DONE);
    assert_int_equal(w.record[ACME_RECORD_ORDER].len, 0);
}

/* Also when it was stored by a clock that was ahead, which a run that issues puts right. */
TEST(an_order_of_the_future_is_left_alone)
{
    issued(false);
    assert_int_equal(acme_start(&w.client, ACME_NOW, w.now_ms), 0);
    while (w.record[ACME_RECORD_ORDER].len == 0) {
        (void)device_tick(&w);
    }
    char stored[400];
    const size_t len = w.record[ACME_RECORD_ORDER].len;
    assert_true(len < sizeof stored);
    memcpy(stored, w.record[ACME_RECORD_ORDER].data, len);
    boot();
    w.utc -= 7200;
    demand(run(ACME_CHANGE_KEY), ACME_DONE);
    assert_int_equal(w.record[ACME_RECORD_ORDER].len, len);
    assert_memory_equal(stored, w.record[ACME_RECORD_ORDER].data, len);
    demand(run(ACME_REVOKE), ACME_DONE);
    assert_memory_equal(stored, w.record[ACME_RECORD_ORDER].data, len);
    demand(run(ACME_IF_DUE), ACME_ISSUED);
}

/* --- what is missing */

TEST(nothing_is_made_for_it)
{
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        for (size_t i = 0; i < LEN(all); i++) {
            again();
            w.record[ACME_RECORD_ACCOUNT_KEY].len = 0;
            fails(all[i], ACME_E_NO_ACCOUNT);
            assert_int_equal(acme_failure(&w.client)->record, ACME_RECORD_ACCOUNT_KEY);
            assert_int_equal(w.record[ACME_RECORD_ACCOUNT_KEY].len, 0);
            again();
            w.ca.accounts = 0; /* the CA has lost everything */
            fails(all[i], ACME_E_NO_ACCOUNT);
            assert_int_equal(w.ca.accounts, 0);
        }
        again();
        w.record[ACME_RECORD_CHAIN].len = 0;
        fails(ACME_REVOKE, ACME_E_NO_CERT);
        assert_int_equal(w.ca.count[CA_DIRECTORY], 0);
    }
}

TEST(a_certificate_has_to_fit)
{
    issued(false);
    unsigned big = 0;
    w.setup.work_len = 400;
    fails(ACME_REVOKE, ACME_E_CERT_BIG);
    again();
    for (size_t len = 860; len < 1000; len++) { /* whatever the leaf's length */
        again();
        w.setup.work_len = len;
        w.setup.revoke_reason = 1;
        enum acme_progress progress = run(ACME_REVOKE);
        assert_true(progress == ACME_DONE || acme_failure(&w.client)->error == ACME_E_REQUEST_BIG);
        big += progress != ACME_DONE;
        again();
        w.setup.work_len = len;
        progress = run(ACME_CHANGE_KEY);
        assert_true(progress == ACME_DONE || acme_failure(&w.client)->error == ACME_E_REQUEST_BIG);
        big += progress != ACME_DONE;
    }
    assert_true(big > 100);
}

TEST(keys_elsewhere_cannot_be_changed)
{
    static struct acme_key_ops fixed;
    fixed = device_key_ops;
    issued(false);
    w.setup.certificate_key.ops = &fixed; /* another kind */
    fails(ACME_CHANGE_KEY, ACME_E_KEY_FIXED);
    again();
    fixed.load = NULL;
    w.setup.certificate_key.ops = &fixed;
    fails(ACME_CHANGE_KEY, ACME_E_KEY_FIXED);
    again();
    w.setup.certificate_key.ops = &fixed;
    w.setup.account_key.ops = &fixed;
    fails(ACME_CHANGE_KEY, ACME_E_KEY_FIXED);
    again();
    w.setup.certificate_key.ops = &fixed;
    demand(run(ACME_DEACTIVATE), ACME_DONE);
}

TEST(an_account_that_has_ended_need_not_be_ended)
{
    static const struct ca_twist ended = {CA_NEW_ACCOUNT, 1, 0, CA_ADD, "", "{\"status\":\"deactivated\"}"};
    issued(false);
    again();
    twist(&ended, 1);
    demand(run(ACME_DEACTIVATE), ACME_DONE);
    assert_int_equal(w.record[ACME_RECORD_ACCOUNT].len, 0);
    assert_int_equal(w.ca.count[CA_ACCOUNT], 0);
}

/* A box on the way that lets nobody ask, for a moment: the account has not ended for that. */
TEST(an_account_has_not_ended_for_one_word)
{
    for (unsigned times = 1; times <= 4; times++) {
        const struct ca_twist no = {CA_NEW_ACCOUNT, 1, times, CA_SAY, CA_NO("403 No"), CA_BECAUSE("unauthorized")};
        issued(false);
        again();
        twist(&no, 1);
        demand(run(ACME_DEACTIVATE), ACME_DONE);
        assert_int_equal(w.ca.count[CA_NEW_ACCOUNT], times < 4 ? times + 1 : 4);
        assert_int_equal(w.ca.managed.deactivated, times < 4);
    }
}

/* --- refusals */

static const struct refusal {
    bool v1;
    enum acme_task what;
    struct ca_twist twist;
    int error; /* 0: ACME_DONE */
} refusals[] = {
    /* what the directory lacks, or leads away */
    {false,
     ACME_REVOKE,
     {CA_DIRECTORY, 1, 0, CA_ADD, "",
      "{\"newNonce\":\"" CA_URL "/nonce\",\"newAccount\":\"" CA_URL "/new-account\",\"newOrder\":\"" CA_URL
      "/new-order\"}"},
     ACME_E_NOT_OFFERED},
    {false,
     ACME_CHANGE_KEY,
     {CA_DIRECTORY, 1, 0, CA_ADD, "",
      "{\"newNonce\":\"" CA_URL "/nonce\",\"newAccount\":\"" CA_URL "/new-account\",\"newOrder\":\"" CA_URL
      "/new-order\",\"keyChange\":null}"},
     ACME_E_NOT_OFFERED},
    {false,
     ACME_CHANGE_KEY,
     {CA_DIRECTORY, 1, 0, CA_ADD, "",
      "{\"newNonce\":\"" CA_URL "/nonce\",\"newAccount\":\"" CA_URL "/new-account\",\"newOrder\":\"" CA_URL
      "/new-order\",\"keyChange\":\"https://e.test/\"}"},
     ACME_E_URL_HOST},
    {false, ACME_REVOKE, {CA_DIRECTORY, 1, CA_FOREVER, CA_ADD, "", "{}"}, ACME_E_MEMBER},
    {true,
     ACME_CHANGE_KEY,
     {CA_DIRECTORY, 1, 0, CA_ADD, "",
      "{\"new-reg\":\"" CA_URL "/acme/new-reg\",\"new-authz\":\"" CA_URL "/acme/new-authz\",\"new-cert\":\"" CA_URL
      "/acme/new-cert\",\"revoke-cert\":\"" CA_URL "/acme/revoke-cert\"}"},
     ACME_E_NOT_OFFERED},
    /* the account */
    {false, ACME_REVOKE, {CA_NEW_ACCOUNT, 1, 0, CA_ADD, "", "{\"status\":\"revoked\"}"}, ACME_E_ACCOUNT},
    {false, ACME_REVOKE, {CA_NEW_ACCOUNT, 1, 0, CA_ADD, "", "{\"status\":\"deactivated\"}"}, ACME_E_ACCOUNT},
    {false, ACME_REVOKE, {CA_NEW_ACCOUNT, 1, CA_FOREVER, CA_SAY, OK, "{\"status\":\"valid\"}"}, ACME_E_MEMBER},
    {false,
     ACME_REVOKE,
     {CA_NEW_ACCOUNT, 1, 0, CA_SAY, CA_NO("403 No"), CA_BECAUSE("externalAccountRequired")},
     ACME_E_PROBLEM},
    {true,
     ACME_REVOKE,
     {CA_NEW_REG, 1, 0, CA_SAY, "HTTP/1.1 409 No\r\nLocation: http://e.test/\r\n" PROBLEM,
      "{\"type\":\"urn:acme:error:malformed\"}"},
     ACME_E_URL_SCHEME},
    {true,
     ACME_REVOKE,
     {CA_NEW_REG, 1, 0, CA_SAY, "HTTP/1.1 201 Made\r\nLocation: " CA_URL "/acme/reg/9\r\n", "{}"},
     ACME_E_NO_ACCOUNT},
    /* revoking */
    {false, ACME_REVOKE, {CA_REVOKE, 1, 0, CA_SAY, CA_NO("403 No"), CA_BECAUSE("unauthorized")}, ACME_E_PROBLEM},
    {false,
     ACME_REVOKE,
     {CA_REVOKE, 1, 0, CA_SAY, CA_NO("400 No"), CA_BECAUSE("badRevocationReason")},
     ACME_E_PROBLEM},
    {false, ACME_REVOKE, {CA_REVOKE, 1, 0, CA_SAY, CA_NO("409 No"), "{}"}, ACME_E_HTTP_STATUS},
    {false,
     ACME_REVOKE,
     {CA_REVOKE, 1, 0, CA_SAY, CA_NO("400 No"), CA_BECAUSE("accountDoesNotExist")},
     ACME_E_PROBLEM},
    {false,
     ACME_REVOKE,
     {CA_REVOKE, 1, 0, CA_DO_AND_SAY, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", "<p>"},
     0},
    {true,
     ACME_REVOKE,
     {CA_REVOKE, 1, 0, CA_SAY, CA_NO("404 No"),
      "{\"type\":\"urn:acme:error:malformed\""
      ",\"detail\":\"No such certificate\",\"status\":404}"},
     ACME_E_PROBLEM},
    /* deactivating */
    {false, ACME_DEACTIVATE, {CA_ACCOUNT, 1, 0, CA_SAY, OK, "{\"status\":\"valid\"}"}, ACME_E_IGNORED},
    {false, ACME_DEACTIVATE, {CA_ACCOUNT, 1, 0, CA_SAY, OK, "{\"Status\":\"deactivated\"}"}, ACME_E_IGNORED},
    {false, ACME_DEACTIVATE, {CA_ACCOUNT, 1, 0, CA_SAY, CA_NO("403 No"), CA_BECAUSE("unauthorized")}, ACME_E_ACCOUNT},
    {false, ACME_DEACTIVATE, {CA_ACCOUNT, 1, 0, CA_SAY, CA_NO("400 No"), CA_BECAUSE("malformed")}, ACME_E_PROBLEM},
    {true,
     ACME_DEACTIVATE,
     {CA_REG, 1, 0, CA_SAY, "HTTP/1.1 202 OK\r\nContent-Type: application/json\r\n", "{\"id\":1,\"Status\":\"\"}"},
     ACME_E_IGNORED},
    {true, ACME_DEACTIVATE, {CA_REG, 1, 0, CA_DO_AND_SAY, OK, "{\"status\":\"deactivated\"}"}, 0},
    /* changing the key */
    {false,
     ACME_CHANGE_KEY,
     {CA_KEY_CHANGE, 1, CA_FOREVER, CA_SAY, "HTTP/1.1 409 No\r\nLocation: " CA_URL "/account/2\r\n", ""},
     ACME_E_HTTP_STATUS},
    {true,
     ACME_CHANGE_KEY,
     {CA_KEY_CHANGE, 1, CA_FOREVER, CA_SAY, CA_NO("400 No"), "{\"type\":\"urn:acme:error:malformed\"}"},
     ACME_E_PROBLEM},
    {false,
     ACME_CHANGE_KEY,
     {CA_KEY_CHANGE, 1, CA_FOREVER, CA_SAY, CA_NO("503 No"), CA_BECAUSE("serverInternal")},
     ACME_E_PROBLEM},
    /* not offered, whatever the directory says, as step-ca and Vault */
    {false,
     ACME_CHANGE_KEY,
     {CA_KEY_CHANGE, 1, CA_FOREVER, CA_SAY, CA_NO("501 No"), CA_BECAUSE("rejectedIdentifier")},
     ACME_E_NOT_OFFERED},
    {true, ACME_CHANGE_KEY, {CA_KEY_CHANGE, 1, CA_FOREVER, CA_SAY, "HTTP/1.1 405 No\r\n", ""}, ACME_E_NOT_OFFERED},
    {false, ACME_CHANGE_KEY, {CA_KEY_CHANGE, 1, CA_FOREVER, CA_SAY, "HTTP/1.1 404 No\r\n", ""}, ACME_E_NOT_OFFERED},
    /* once: the account tells that the old key is in force, and it is asked for again */
    {false, ACME_CHANGE_KEY, {CA_KEY_CHANGE, 1, 0, CA_SAY, "HTTP/1.1 404 No\r\n", ""}, 0},
    {false, ACME_CHANGE_KEY, {CA_KEY_CHANGE, 1, 0, CA_DO_AND_SAY, "HTTP/1.1 403 No\r\n", ""}, 0},
};

TEST(refusals_end_it)
{
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        for (size_t i = 0; i < LEN(refusals); i++) {
            const struct refusal *r = &refusals[i];
            if (r->v1 != (v1 > 0)) {
                continue;
            }
            again();
            twist(&r->twist, 1);
            if (r->error == 0) {
                demand(run(r->what), ACME_DONE);
                check_effect(r->what);
                continue;
            }
            demand(run(r->what), ACME_FAILED);
            if (acme_failure(&w.client)->error != r->error) {
                fail_msg("refusal %zu ends with %d", i, acme_failure(&w.client)->error);
            }
            assert_true(key_works() && key_is_old());
            /* the CA may have agreed in spite of its words */
            bool asked_in_vain = strstr(r->twist.head, " 503 ") != NULL;
            assert_int_equal(w.record[ACME_RECORD_ACCOUNT_KEY_NEXT].len > 0, asked_in_vain);
        }
    }
}

/* --- lost requests and answers */

TEST(what_is_lost_is_asked_for_again)
{
    static const enum ca_act acts[] = {CA_CUT, CA_DO_AND_CUT};
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        for (unsigned n = 0; n < CA_KINDS * LEN(acts) * LEN(all); n++) {
            const struct ca_twist t = {(enum ca_kind)(n / LEN(acts) % CA_KINDS), 1, 0, acts[n % LEN(acts)]};
            enum acme_task what = all[n / LEN(acts) / CA_KINDS];
            again();
            twist(&t, 1);
            demand(run(what), ACME_DONE);
            check_effect(what);
        }
    }
}

/* A captive portal says 200 to everything: what was never carried out must not be taken for done, nor a key be replaced. */
TEST(a_page_of_a_box_on_the_way)
{
    static const char *const heads[] = {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n",
                                        "HTTP/1.1 204 No Content\r\n", "HTTP/1.1 202 Accepted\r\n"};
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        for (unsigned n = 0; n < LEN(heads) * 2 * 2; n++) {
            enum acme_task what = n % 2 == 0 ? ACME_CHANGE_KEY : ACME_REVOKE;
            bool lasts = n / 2 % 2 == 1;
            const char *head = heads[n / 4];
            const struct ca_twist t = {what == ACME_REVOKE ? CA_REVOKE : CA_KEY_CHANGE,
                                       1,
                                       lasts ? CA_FOREVER : 0,
                                       CA_SAY,
                                       head,
                                       strstr(head, " 204 ") != NULL ? NULL : "<p>Welcome</p>",
                                       .nonce = ""};
            again();
            twist(&t, 1);
            if (!lasts) {
                demand(run(what), ACME_DONE);
                check_effect(what);
                continue;
            }
            fails(what, ACME_E_NONCE);
            assert_int_equal(w.ca.managed.revocations, 0);
            assert_true(key_works() && key_is_old());
        }
    }
}

TEST(every_cut_of_every_answer)
{
    long cuts = 0;
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        for (size_t i = 0; i < LEN(all); i++) {
            bool was_cut = true;
            for (long cut = 0; was_cut; cut++, cuts++) {
                again();
                wrong.cut_at = cut;
                demand(run(all[i]), ACME_DONE);
                check_effect(all[i]);
                was_cut = wrong.cut_at == NEVER;
            }
        }
    }
    assert_true(cuts > 4000);
}

/* --- the change of a key, cut short */

/* Whatever was cut short, `then` is done, and with a key that works. */
static void comes_to_an_end(enum acme_task then, const char *when)
{
    boot();
    enum acme_progress progress = run(then);
    if (progress != (then == ACME_NOW ? ACME_ISSUED : ACME_DONE) || !key_works() || w.ca.accounts != 1) {
        fail_msg("%s, then %d: %d, error %d", when, then, progress, acme_failure(&w.client)->error);
    }
    size_t next =
        w.record[ACME_RECORD_ACCOUNT_KEY_NEXT].len; /* one that was never asked for stays for the next change */
    assert_true(next == 0 || (w.ca.managed.changes == 0 && then != ACME_CHANGE_KEY));
    assert_int_equal(w.ca.managed.changes + (then == ACME_CHANGE_KEY ? 0 : 1) > 0, 1);
    assert_int_equal(key_is_old(), w.ca.managed.changes == 0);
}

TEST(a_reset_anywhere_leaves_a_key_that_works)
{
    static const enum acme_task then[] = {ACME_CHANGE_KEY, ACME_NOW, ACME_REVOKE, ACME_DEACTIVATE};
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        unsigned changed = 0, unchanged = 0;
        bool off = true;
        for (long at = 0; off; at++) {
            for (size_t i = 0; i < LEN(then); i++) {
                char when[60];
                snprintf(when, sizeof when, "power cut at call %ld", at);
                again();
                wrong.off_at = at;
                (void)run(ACME_CHANGE_KEY);
                off = wrong.off;
                changed += w.ca.managed.changes > 0;
                unchanged += w.ca.managed.changes == 0;
                comes_to_an_end(then[i], when);
            }
        }
        assert_true(changed > 40 && unchanged > 100);
    }
}

/* The power goes twice: in the change, and in what comes after it. */
TEST(two_resets_in_a_row)
{
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        const struct ca_twist lost = {v1 > 0 ? CA_KEY_CHANGE : CA_KEY_CHANGE, 1, CA_FOREVER, CA_DO_AND_CUT};
        static struct device half;
        twist(&lost, 1);
        wrong.off_at = NEVER;
        (void)acme_start(&w.client, ACME_CHANGE_KEY, w.now_ms);
        while (w.ca.managed.changes == 0) { /* the CA has agreed, and nobody knows */
            (void)device_tick(&w);
        }
        w.ca.plan = start.ca.plan;
        half = w;
        bool off = true;
        for (long at = 0; off; at++) {
            for (int i = 0; i < 2; i++) {
                for (unsigned k = start.ca.order_count; k < w.ca.order_count; k++) {
                    free(w.ca.order[k].chain);
                }
                w = half;
                boot();
                wrong.off_at = at;
                (void)run(i == 0 ? ACME_CHANGE_KEY : ACME_NOW);
                off = wrong.off;
                w.ca.power_cut = true;
                comes_to_an_end(ACME_NOW, "twice");
            }
        }
    }
}

TEST(a_write_that_fails_ends_the_run_and_loses_nothing)
{
    static const enum acme_record records[] = {ACME_RECORD_ACCOUNT_KEY, ACME_RECORD_ACCOUNT_KEY_NEXT,
                                               ACME_RECORD_ACCOUNT};
    issued(false);
    for (size_t i = 0; i < LEN(records); i++) {
        again();
        wrong.failing_put = (int)records[i];
        fails(ACME_CHANGE_KEY, ACME_E_STORE_WRITE);
        assert_int_equal(acme_failure(&w.client)->record, records[i]);
        comes_to_an_end(ACME_NOW, "failed write");
    }
}

TEST(a_read_that_fails_ends_the_run)
{
    static const struct {
        enum acme_task what;
        enum acme_record record;
    } reads[] = {{ACME_REVOKE, ACME_RECORD_CHAIN},
                 {ACME_NOW, ACME_RECORD_ACCOUNT_KEY_NEXT},
                 {ACME_CHANGE_KEY, ACME_RECORD_ACCOUNT_KEY_NEXT},
                 {ACME_DEACTIVATE, ACME_RECORD_ACCOUNT_KEY}};
    issued(false);
    for (size_t i = 0; i < LEN(reads); i++) {
        again();
        wrong.failing_get = (int)reads[i].record;
        fails(reads[i].what, ACME_E_STORE_READ);
        assert_int_equal(acme_failure(&w.client)->record, reads[i].record);
        assert_int_equal(w.ca.count[CA_DIRECTORY], 0);
    }
    again(); /* and when the certificate was there a moment ago */
    assert_int_equal(acme_start(&w.client, ACME_REVOKE, w.now_ms), 0);
    while (w.ca.count[CA_NEW_ACCOUNT] == 0) {
        (void)device_tick(&w);
    }
    wrong.failing_get = ACME_RECORD_CHAIN;
    enum acme_progress progress = ACME_BUSY;
    while (!acme_is_over(progress)) {
        progress = device_tick(&w);
    }
    demand(progress, ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->error, ACME_E_STORE_READ);
    assert_int_equal(w.ca.managed.revocations, 0);
}

/* --- a next key that was left behind */

TEST(a_damaged_next_key_is_not_absent)
{
    issued(false);
    strcpy(w.record[ACME_RECORD_ACCOUNT_KEY_NEXT].data, "a key?");
    w.record[ACME_RECORD_ACCOUNT_KEY_NEXT].len = 6;
    fails(ACME_NOW, ACME_E_KEY_CORRUPT);
    assert_int_equal(acme_failure(&w.client)->record, ACME_RECORD_ACCOUNT_KEY_NEXT);
}

/* Leaves a next key the CA has not heard of. */
static void leave_next(void)
{
    const struct ca_twist down = {CA_KEY_CHANGE, 1, CA_FOREVER, CA_CUT};
    again();
    twist(&down, 1);
    fails(ACME_CHANGE_KEY, ACME_E_CLOSED);
    assert_true(w.record[ACME_RECORD_ACCOUNT_KEY_NEXT].len > 0);
    w.ca.plan = start.ca.plan;
    memset(w.ca.count, 0, sizeof w.ca.count);
    boot();
}

TEST(a_next_key_is_kept_and_used_later)
{
    static char kept[200];
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        leave_next();
        memcpy(kept, w.record[ACME_RECORD_ACCOUNT_KEY_NEXT].data, sizeof kept);
        demand(run(ACME_IF_DUE), ACME_CURRENT); /* what is not due asks nothing */
        assert_int_equal(w.ca.count[CA_DIRECTORY], 0);
        demand(run(ACME_NOW), ACME_ISSUED);
        assert_true(key_works() && key_is_old());
        demand(run(ACME_CHANGE_KEY), ACME_DONE);
        assert_true(key_works());
        assert_memory_equal(w.record[ACME_RECORD_ACCOUNT_KEY].data, kept, sizeof kept);
    }
}

/* The CA knows neither key: a new account is made, with the old one. */
TEST(lost_by_the_ca_altogether)
{
    for (int v1 = 0; v1 < 2; v1++) {
        issued(v1 > 0);
        leave_next();
        w.ca.accounts = 0;
        fails(ACME_REVOKE, ACME_E_NO_ACCOUNT);
        demand(run(ACME_NOW), ACME_ISSUED);
        assert_int_equal(w.ca.accounts, 1);
        assert_true(key_works() && key_is_old());
    }
}

/* Once it is known which key is in force, a run is like any other: an account that is lost then is made anew. */
TEST(issuing_goes_on_as_ever)
{
    static const struct ca_twist lost = {
        CA_NEW_ORDER, 1, 4, CA_SAY, CA_NO("400 No"), CA_BECAUSE("accountDoesNotExist")};
    issued(false);
    leave_next();
    twist(&lost, 1);
    demand(run(ACME_NOW), ACME_ISSUED);
    assert_int_equal(w.ca.count[CA_NEW_ACCOUNT], 2);
    assert_true(key_works());
}

/* In doubt, a refusal leads to the account, once; and what the CA may have agreed to stays. */
TEST(a_refusal_in_doubt)
{
    static const struct ca_twist no = {CA_KEY_CHANGE,          1, CA_FOREVER, CA_SAY, CA_NO("400 No"),
                                       CA_BECAUSE("malformed")};
    issued(false);
    leave_next();
    twist(&no, 1);
    fails(ACME_CHANGE_KEY, ACME_E_PROBLEM);
    assert_int_equal(w.ca.count[CA_KEY_CHANGE], 2);
    assert_int_equal(w.ca.count[CA_NEW_ACCOUNT], 2);
    assert_true(w.record[ACME_RECORD_ACCOUNT_KEY_NEXT].len > 0);
    /* and so it does when a box on the way has it that there is no such thing here: it may be the account's by now */
    static const struct ca_twist none = {CA_KEY_CHANGE, 1, CA_FOREVER, CA_SAY, CA_NO("501 No"), "{}"};
    twist(&none, 1);
    fails(ACME_CHANGE_KEY, ACME_E_NOT_OFFERED);
    assert_true(w.record[ACME_RECORD_ACCOUNT_KEY_NEXT].len > 0);
    assert_true(key_works() && key_is_old());
}

/* The CA has agreed, and takes the key it had before for some seconds more: the run goes on until it takes the new one. If it
 * never does, the key was changed all the same. */
TEST(a_new_key_that_is_not_taken_yet)
{
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        const struct ca_twist late = {
            CA_ACCOUNT, 1, for_ever ? CA_FOREVER : 3, CA_SAY, CA_NO("400 No"), CA_BECAUSE("malformed")};
        issued(false);
        uint32_t began_ms = w.now_ms;
        twist(&late, 1);
        demand(run(ACME_CHANGE_KEY), ACME_DONE);
        assert_int_equal(w.ca.count[CA_ACCOUNT], 4);
        assert_true(w.now_ms - began_ms >= 7000);
        check_effect(ACME_CHANGE_KEY);
    }
}

/* Other contacts are told by the next run that asks for something, once; and when somebody wants it, whatever they are. */
TEST(contacts_are_told_once)
{
    static const char *const one[] = {"mailto:a@example.org"}, *const two[] = {"mailto:a@example.org", "tel:+1"};
    issued(false);
    const struct {
        const char *const *contacts;
        size_t count;
        unsigned updates;
    } turns[] = {{NULL, 0, 0}, {one, 1, 1}, {one, 1, 1}, {two, 2, 2}, {two, 2, 2}, {NULL, 0, 3}, {NULL, 0, 3}};
    for (size_t i = 0; i < LEN(turns); i++) {
        boot();
        w.setup.contacts = turns[i].contacts;
        w.setup.contact_count = turns[i].count;
        demand(run(ACME_NOW), ACME_ISSUED);
        assert_int_equal(w.ca.managed.updates, turns[i].updates);
    }
    assert_string_equal(w.ca.managed.contact, "\"contact\":[]");
    for (unsigned i = 0; i < 2; i++) {
        boot();
        w.setup.contacts = one;
        w.setup.contact_count = 1;
        demand(run(ACME_UPDATE), ACME_DONE);
        assert_int_equal(w.ca.managed.updates, 4 + i);
    }
    boot();
    w.setup.contacts = one;
    w.setup.contact_count = 1;
    demand(run(ACME_NOW), ACME_ISSUED);
    assert_int_equal(w.ca.managed.updates, 5);
}

/* What the CA does not like ends a run that is for nothing else. */
TEST(contacts_that_are_refused)
{
    static const struct ca_twist no = {CA_ACCOUNT,
                                       1,
                                       1,
                                       CA_SAY,
                                       CA_NO("400 No"),
                                       "{\"type\":\"urn:ietf:params:acme:error:invalidContact\",\"status\":400}"};
    issued(false);
    twist(&no, 1);
    fails(ACME_UPDATE, ACME_E_PROBLEM);
    demand(run(ACME_UPDATE), ACME_DONE);
}
