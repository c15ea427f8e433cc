/* The whole client where its surroundings are odd: keys and solvers that fail, clocks that stop, sends that dawdle, and
 * what a program may ask it at any time. */
#include "unit.h"

#include "fake/device.h"

#include <stdio.h>
#include <string.h>

#define ONE        .names = {"a.example"}, .name_count = 1
#define TWISTED(t) .twists = (t), .twist_count = LEN(t)
#define URN        "urn:ietf:params:acme:error:"

static struct device w; /* the world */

/* What a hook says instead at one seam, so many times; whether the channel has moved bytes meanwhile. */
static struct {
    enum device_seam seam;
    int says;
    unsigned times;
    bool moved;
    uint32_t later_ms;
    unsigned named, unnamed; /* connections with another name to check, and without */
} odd;

static int hook(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    if (seam == DEVICE_OPEN) {
        const char *name = d->client.channel.tls_name;
        bool directory = acme_slice_is(d->client.exchange.url.host, CA_HOST);
        assert_true(name == NULL || (directory && strcmp(name, "ca.internal") == 0));
        odd.named += name != NULL;
        odd.unnamed += name == NULL;
    }
    if (seam != odd.seam || odd.times == 0) {
        return DEVICE_GO;
    }
    odd.times--;
    d->client.channel.moved = odd.moved;
    d->now_ms += odd.later_ms;
    return odd.says;
}

static void at_seam(enum device_seam seam, int says, unsigned times)
{
    odd.seam = seam;
    odd.says = says;
    odd.times = times;
}

static void new_world(const struct ca_plan *plan)
{
    memset(&odd, 0, sizeof odd);
    device_new(&w, plan);
    w.hook = hook;
    assert_int_equal(device_boot(&w), 0);
}

static enum acme_progress run(enum acme_task when)
{
    enum acme_progress progress = ACME_BUSY;
    assert_int_equal(acme_start(&w.client, when, w.now_ms), 0);
    for (unsigned i = 0; !acme_is_over(progress); i++) {
        assert_true(i < 30000);
        progress = device_tick(&w);
    }
    return progress;
}

static void fails_with(int error, enum acme_step step)
{
    w.record[ACME_RECORD_RENEWAL].len = 0; /* each is a first attempt */
    assert_int_equal(run(ACME_IF_DUE), ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->error, error);
    assert_int_equal(acme_failure(&w.client)->step, step);
    assert_null(w.ca.published);
}

/* --- trust */

/* Whom there is no anchor for is told in the place of the CA's words; after any other error nothing of it. */
TEST(no_anchor)
{
    static const struct ca_plan plan = {ONE};

    new_world(&plan);
    strcpy(w.tls.x509.scan.issuer, "Root YE");
    at_seam(DEVICE_OPEN, ACME_E_TLS_UNTRUSTED, 1000);
    fails_with(ACME_E_TLS_UNTRUSTED, ACME_STEP_DIRECTORY);
    assert_string_equal(acme_failure(&w.client)->detail, "Root YE");
    assert_string_equal(acme_failure(&w.client)->type, "");
    at_seam(DEVICE_OPEN, ACME_E_TLS_DATES, 1000);
    fails_with(ACME_E_TLS_DATES, ACME_STEP_DIRECTORY);
    assert_string_equal(acme_failure(&w.client)->detail, "");
}

/* --- words */

static int full_behind_an_answer(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    return seam == DEVICE_PUT && d->ca.count[CA_CHALLENGE] == 1 ? ACME_E_STORE_WRITE : DEVICE_GO;
}

/* A refusal the client gets over, and then its own store fails: the CA's words, which were of another thing and lay in memory that
 * is in use again, are not told. */
TEST(words_of_what_has_failed_only)
{
    static const struct ca_twist refusal[] = {{CA_CHALLENGE, 1, 1, CA_SAY, CA_NO("400 Bad"),
                                               "{\"type\":\"" URN
                                               "malformed\",\"detail\":\"not pending\",\"status\":400}"}};
    static const struct ca_plan plan = {.names = {"a.example", "b.example"}, .name_count = 2, TWISTED(refusal)};
    new_world(&plan);
    w.hook = full_behind_an_answer;
    fails_with(ACME_E_STORE_WRITE, ACME_STEP_RESPOND);
    assert_string_equal(acme_failure(&w.client)->type, "");
    assert_string_equal(acme_failure(&w.client)->detail, "");
    assert_int_equal(acme_failure(&w.client)->http_status, 0);
}

/* --- keys */

static struct acme_key_ops ops; /* those of the device, and what the test changes */

TEST(keys_that_do_not_answer)
{
    static const struct ca_plan plan = {ONE};
    new_world(&plan);
    ops = device_key_ops;
    ops.sign = maker_mute_ops.sign;
    w.setup.account_key.ops = &ops;
    fails_with(ACME_E_KEY, ACME_STEP_ACCOUNT);
    assert_int_equal(w.ca.accounts, 0);

    new_world(&plan);
    w.setup.certificate_key.ops = &ops; /* the request for the certificate is not signed */
    fails_with(ACME_E_KEY, ACME_STEP_FINALIZE);
    assert_int_equal(w.ca.count[CA_FINALIZE], 0);
    assert_true(w.record[ACME_RECORD_ORDER].len > 0); /* and may be, in the next run */
    w.setup.certificate_key.ops = &device_key_ops;
    assert_int_equal(run(ACME_IF_DUE), ACME_ISSUED);
    assert_int_equal(w.ca.order_count, 1);

    ops = device_key_ops; /* the key in use does not tell whose it is: no reason to replace it unasked */
    ops.point = maker_mute_ops.point;
    w.setup.certificate_key.ops = &ops;
    unsigned requests = w.ca.requests;
    assert_int_equal(run(ACME_IF_DUE), ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->error, ACME_E_PAIR);
    assert_int_equal(w.ca.requests, requests);
    assert_int_equal(run(ACME_NOW), ACME_FAILED); /* nor of use when a new one is made */
    assert_int_equal(acme_failure(&w.client)->error, ACME_E_KEY);
    assert_int_equal(w.commits, 1);
}

/* --- solvers */

static int no_present(void *ctx, struct acme_challenge *challenge)
{
    struct device *d = ctx;
    ca_publish(&d->ca, challenge); /* half done: it has to be taken back */
    return ACME_E_SOLVER;
}

TEST(solver_that_fails)
{
    static const struct ca_plan plan = {ONE};
    new_world(&plan);
    w.solver.present = no_present;
    fails_with(ACME_E_SOLVER, ACME_STEP_PRESENT);
    assert_string_equal(acme_failure(&w.client)->name, "a.example");
    assert_int_equal(w.ca.count[CA_CHALLENGE], 0);
}

static unsigned solver_ticks, solver_works;

static bool solver_tick(void *ctx, uint32_t now_ms)
{
    struct device *d = ctx;
    assert_int_equal(now_ms, d->now_ms);
    assert_true(d->client.flow.presented);
    return ++solver_ticks % 3 == 0 && solver_works++ < 1000;
}

/* A solver with work of its own is ticked while its answer is on show, and the client never sleeps longer than it may. */
TEST(solver_with_work)
{
    static const struct ca_plan plan = {ONE, .authz_looks = 4};
    enum acme_progress progress = ACME_BUSY;
    unsigned short_sleeps = 0;
    new_world(&plan);
    w.solver.tick = solver_tick;
    solver_ticks = solver_works = 0;
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
    while (!acme_is_over(progress)) {
        unsigned works = solver_works;
        progress = device_tick(&w);
        assert_true(works == solver_works || progress == ACME_BUSY);
        if (w.client.flow.presented) {
            uint32_t idle = acme_idle_ms(&w.client, w.now_ms);
            assert_true(idle <= 20);
            short_sleeps += idle == 20;
        }
    }
    assert_int_equal(progress, ACME_ISSUED);
    assert_true(solver_ticks > 10 && solver_works > 3);
    assert_true(short_sleeps > 0);
}

/* --- time */

TEST(clock_that_is_broken)
{
    static const struct ca_plan plan = {ONE};
    new_world(&plan);
    at_seam(DEVICE_UTC, ACME_E_CLOCK, 1);
    fails_with(ACME_E_CLOCK, ACME_STEP_DIRECTORY);
    assert_int_equal(w.ca.requests, 0);
}

static const struct ca_twist throttled[] = {
    {CA_NEW_ORDER, 1, 1, CA_SAY, CA_NO("429 Slow") "Retry-After: 40000\r\n", CA_BECAUSE("rateLimited")}};

/* A wish further ahead than a day was stored by a clock that was wrong. */
TEST(wish_of_a_wrong_clock)
{
    static const struct ca_plan plan = {ONE, TWISTED(throttled)};
    new_world(&plan);
    fails_with(ACME_E_RATE_LIMITED, ACME_STEP_ORDER);
    unsigned requests = w.ca.requests;
    w.utc -= 20000;
    assert_int_equal(run(ACME_IF_DUE), ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->error, ACME_E_RATE_LIMITED);
    assert_int_equal(w.ca.requests, requests);
    w.utc -= 40000; /* more than a day before now */
    assert_int_equal(run(ACME_IF_DUE), ACME_ISSUED);
}

/* The clock stops in the middle of a run: the wait counts from its beginning. */
TEST(clock_that_stops)
{
    static const struct ca_plan plan = {ONE, TWISTED(throttled)};
    char retry[32];
    new_world(&plan);
    enum acme_progress progress = ACME_BUSY;
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
    while (w.client.phase != ACME_PHASE_FLOW) {
        assert_true(device_tick(&w) <= ACME_BUSY);
    }
    int64_t began = w.client.utc;
    at_seam(DEVICE_UTC, 0, 1000);
    while (!acme_is_over(progress)) {
        progress = device_tick(&w);
    }
    assert_int_equal(acme_failure(&w.client)->error, ACME_E_RATE_LIMITED);
    snprintf(retry, sizeof retry, "\nretry %lld\n", (long long)began + 40000);
    w.record[ACME_RECORD_ORDER].data[w.record[ACME_RECORD_ORDER].len] = '\0';
    assert_non_null(strstr(w.record[ACME_RECORD_ORDER].data, retry));
}

/* --- the network */

/* A server that lets bytes trickle for ever, in either direction: the step's time ends it. */
TEST(bytes_that_trickle)
{
    static const enum device_seam seams[] = {DEVICE_FLUSH, DEVICE_RECV};
    static const struct ca_plan plan = {ONE};
    for (unsigned i = 0; i < LEN(seams); i++) {
        new_world(&plan);
        at_seam(seams[i], 0, 30000);
        odd.moved = true;
        odd.later_ms = 1000;
        uint32_t before = w.now_ms;
        fails_with(ACME_E_BUDGET, ACME_STEP_DIRECTORY);
        assert_in_range(w.now_ms - before, ACME_STEP_BUDGET_S * 1000u, ACME_STEP_BUDGET_S * 1000u + 5000u);
    }
}

/* While bytes move there may be more to do at once: the client is busy; without them it may sleep. */
TEST(busy_while_bytes_move)
{
    static const enum device_seam seams[] = {DEVICE_FLUSH, DEVICE_RECV};
    static const struct ca_plan plan = {ONE};
    for (unsigned i = 0; i < 2 * LEN(seams); i++) {
        enum acme_progress progress = ACME_BUSY;
        new_world(&plan);
        at_seam(seams[i / 2], 0, 1);
        odd.moved = i % 2 == 1;
        assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
        while (odd.times > 0) {
            progress = device_tick(&w);
        }
        assert_int_equal(progress, odd.moved ? ACME_BUSY : ACME_IDLE);
    }
}

/* The other name to check is the directory's alone, wherever else the CA's objects live. */
TEST(other_name_for_the_directory)
{
    static const char *const more[] = {"cdn.test"};
    static const struct ca_plan plan = {ONE, .other_host = "cdn.test"};
    static const char *const tls_names[] = {NULL, "", "ca.internal"};
    for (unsigned i = 0; i < 3; i++) {
        new_world(&plan);
        w.setup.ca.more_hosts = more;
        w.setup.ca.more_host_count = 1;
        w.setup.ca.tls_name = tls_names[i];
        assert_int_equal(acme_init(&w.client, &w.setup), 0);
        assert_int_equal(run(ACME_IF_DUE), ACME_ISSUED);
        assert_int_equal(odd.named > 0, i == 2);
        assert_true(odd.unnamed > 0);
    }
}

/* --- looking in */

TEST(problem_names_the_name)
{
    static const struct ca_twist t[] = {
        {CA_NEW_ORDER, 1, 1, CA_SAY, CA_NO("400 No"),
         "{\"type\":\"" URN "rejectedIdentifier\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"}}"}};
    static const struct ca_plan plan = {ONE, TWISTED(t)};
    new_world(&plan);
    fails_with(ACME_E_PROBLEM, ACME_STEP_ORDER);
    assert_string_equal(acme_failure(&w.client)->name, "a.example");
}

/* Words that are as long as the place for them, one more, one less: cut, and nothing behind them is touched. */
TEST(words_that_just_fit)
{
    char body[200];
    const int room = (int)sizeof acme_failure(&w.client)->type;
    for (int len = room - 2; len <= room + 1; len++) {
        snprintf(body, sizeof body, "{\"type\":\"x:%0*d\",\"detail\":\"why\"}", len - 2, 0);
        const struct ca_twist t[] = {{CA_NEW_ORDER, 1, 1, CA_SAY, CA_NO("400 No"), body}};
        const struct ca_plan plan = {ONE, TWISTED(t)};
        new_world(&plan);
        fails_with(ACME_E_PROBLEM, ACME_STEP_ORDER);
        assert_int_equal(strlen(acme_failure(&w.client)->type), len < room ? len : room - 1);
        assert_string_equal(acme_failure(&w.client)->detail, "why");
    }
}

/* A program may ask for anything at any time, and for as little as it likes. */
TEST(questions_at_any_time)
{
    static const struct ca_plan plan = {ONE, .authz_looks = 1};
    enum acme_progress progress = ACME_BUSY;
    int64_t at[3] = {0};
    uint16_t port = 7;
    unsigned signs = 0;
    new_world(&plan);
    assert_int_equal(acme_idle_ms(&w.client, w.now_ms), 0);
    assert_string_equal(acme_server(&w.client, &port), "");
    assert_int_equal(port, 0);
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
    assert_int_equal(acme_idle_ms(&w.client, w.now_ms), 0);
    while (!acme_is_over(progress)) {
        uint32_t idle = acme_idle_ms(&w.client, w.now_ms);
        uint32_t ticks = acme_stats(&w.client).ticks;
        if (w.client.phase == ACME_PHASE_FLOW && w.client.exchange.state == ACME_EXCHANGE_SIGN) {
            assert_int_equal(idle, 0); /* nothing to wait for */
            signs++;
        }
        /* a second, whether they have an answer or not */
        bool clock = w.client.phase == ACME_PHASE_CLOCK || w.client.phase == ACME_PHASE_OFFER;
        progress = device_tick(&w);
        assert_int_equal(acme_stats(&w.client).ticks, ticks + 1);
        assert_true(idle <= 250 || clock || progress == ACME_IDLE); /* a longer sleep is only for a wait */
    }
    assert_int_equal(progress, ACME_ISSUED);
    assert_true(signs > 5);
    assert_int_equal(acme_idle_ms(&w.client, w.now_ms), 0);
    assert_string_equal(acme_server(&w.client, NULL), CA_HOST);
    assert_true(acme_validity(&w.client, NULL, NULL, NULL));
    for (unsigned i = 0; i < 3; i++) {
        assert_true(acme_validity(&w.client, i == 0 ? &at[0] : NULL, i == 1 ? &at[1] : NULL, i == 2 ? &at[2] : NULL));
    }
    assert_true(at[0] < at[2] && at[2] < at[1]);
}

/* A client that is all zero was never prepared. */
TEST(never_prepared)
{
    static const struct ca_plan plan = {ONE};
    new_world(&plan);
    memset(&w.client, 0, sizeof w.client);
    acme_stop(&w.client);
    assert_int_equal(acme_tick(&w.client, 0), ACME_IDLE);
    assert_int_equal(acme_start(&w.client, ACME_NOW, 0), ACME_E_NULL);
}

TEST(setups)
{
    static const char *const beyond[] = {"mailto:a@example.org\x7f"};
    static const char *const more[] = {"cdn.test"};
    static const struct ca_plan plan = {ONE};
    new_world(&plan);
    w.setup.contacts = beyond;
    w.setup.contact_count = 1;
    assert_int_equal(acme_init(&w.client, &w.setup), ACME_E_TEXT);
    w.setup.contact_count = 0;
    w.setup.product = " ~"; /* the first and the last that are printed */
    assert_int_equal(acme_init(&w.client, &w.setup), 0);
    w.setup.ca.more_hosts = more;
    w.setup.ca.more_host_count = 1;
    assert_int_equal(acme_init(&w.client, &w.setup), 0);
    ops = device_key_ops; /* the same handle of two kinds of keys is two keys */
    w.setup.account_key.ops = &ops;
    w.setup.certificate_key.handle = w.setup.account_key.handle;
    assert_int_equal(acme_init(&w.client, &w.setup), 0);
    w.setup.account_key.ops = w.setup.certificate_key.ops;
    assert_int_equal(acme_init(&w.client, &w.setup), ACME_E_KEY);
}

/* --- ACME v1: what a certificate costs */

#define NOT_FOUND CA_NO("404 Not Found"), "{\"type\":\"urn:acme:error:malformed\"}"

/* A certificate, or its issuer's, is denied for whole runs. The next one looks for it again and asks for no other. */
TEST(certificate_that_is_denied)
{
    static const struct ca_twist twists[] = {{CA_CERTIFICATE, 1, CA_FOREVER, CA_SAY, NOT_FOUND},
                                             {CA_ISSUER, 1, CA_FOREVER, CA_SAY, NOT_FOUND}};
    for (unsigned i = 0; i < 3; i++) { /* the third: of RFC 8555 */
        struct ca_plan plan = {ONE, .v1 = i < 2, .twists = &twists[i % 2], .twist_count = 1};
        new_world(&plan);
        for (unsigned runs = 0; runs < 14; runs++) {
            fails_with(ACME_E_PROBLEM, ACME_STEP_CERTIFICATE);
            assert_in_range(acme_failure(&w.client)->retry_s, 3600, 86400);
        }
        plan.twist_count = 0;
        assert_int_equal(run(ACME_IF_DUE), ACME_ISSUED);
        assert_int_equal(w.ca.count[plan.v1 ? CA_NEW_CERT : CA_FINALIZE], 1);
        assert_int_equal(w.ca.count[plan.v1 ? CA_NEW_AUTHZ : CA_NEW_ORDER], 1);
    }
}

/* What a run advises: an hour where it may pass, a day where it will not without a person. */
TEST(advice)
{
#define SAYS(code, type)                                                                                             \
    "HTTP/1.1 " code " No\r\nContent-Type: application/problem+json\r\n", "{\"type\":\"urn:x:" type "\"}"
    static const struct {
        struct ca_twist twist;
        uint32_t retry_s;
    } rows[] = {{{CA_NEW_ORDER, 1, CA_FOREVER, CA_SAY, SAYS("403", "rejectedIdentifier")}, 86400},
                {{CA_NEW_ORDER, 1, CA_FOREVER, CA_SAY, SAYS("500", "rejectedIdentifier")}, 3600},
                {{CA_NEW_ORDER, 1, CA_FOREVER, CA_SAY, SAYS("400", "malformed")}, 3600},
                {{CA_CERTIFICATE, 1, CA_FOREVER, CA_SAY, SAYS("403", "brandNew")}, 3600},
                {{CA_NEW_ACCOUNT, 1, CA_FOREVER, CA_SAY, SAYS("403", "externalAccountRequired")}, 86400},
                {{CA_DIRECTORY, 1, CA_FOREVER, CA_SAY, "HTTP/1.1 200 OK\r\n", "{"}, 0}};
    for (unsigned i = 0; i < LEN(rows); i++) {
        const struct ca_plan plan = {ONE, .twists = &rows[i].twist, .twist_count = 1};
        new_world(&plan);
        assert_int_equal(run(ACME_IF_DUE), ACME_FAILED);
        assert_int_equal(acme_failure(&w.client)->retry_s, rows[i].retry_s);
    }
#undef SAYS
}

/* When it is not found for a day and a half, another is asked for. */
TEST(certificate_that_is_gone)
{
    for (int v1 = 0; v1 < 2; v1++) {
        const struct ca_twist twist = {CA_CERTIFICATE, 1, v1 ? 24 : 12, CA_SAY, NOT_FOUND};
        const struct ca_plan plan = {ONE, .v1 = v1 > 0, .twists = &twist, .twist_count = 1};
        new_world(&plan);
        for (unsigned day = 0; day < 2; day++) {
            fails_with(ACME_E_PROBLEM, ACME_STEP_CERTIFICATE);
            w.utc += 86400;
        }
        assert_int_equal(w.ca.count[v1 ? CA_NEW_CERT : CA_FINALIZE], 1);
        assert_int_equal(run(ACME_IF_DUE), ACME_ISSUED);
        assert_int_equal(w.ca.count[v1 ? CA_NEW_CERT : CA_FINALIZE], 2);
    }
}

/* The record of an order that may have a certificate does not say since when it is there: an older image has written it. It is as
 * good as one of now. */
TEST(order_of_an_older_image)
{
    static const struct ca_twist twist = {CA_CERTIFICATE, 1, 8, CA_SAY, NOT_FOUND};
    for (int v1 = 0; v1 < 2; v1++) {
        const struct ca_plan plan = {ONE, .v1 = v1 > 0, .twists = &twist, .twist_count = 1};
        char since[32];
        new_world(&plan);
        fails_with(ACME_E_PROBLEM, ACME_STEP_CERTIFICATE);
        char *text = w.record[ACME_RECORD_ORDER].data;
        text[w.record[ACME_RECORD_ORDER].len] = '\0';
        char *at = strstr(text, "since ");
        assert_non_null(at);
        memmove(at, strchr(at, '\n') + 1, strlen(strchr(at, '\n')));
        w.record[ACME_RECORD_ORDER].len = strlen(text);
        w.utc += 7200;
        snprintf(since, sizeof since, "\nsince %lld", (long long)w.utc / 10000); /* to three hours */
        if (v1 == 0) {
            fails_with(ACME_E_PROBLEM, ACME_STEP_CERTIFICATE);
            text[w.record[ACME_RECORD_ORDER].len] = '\0';
            assert_non_null(strstr(text, since));
            w.utc += 7200;
        }
        assert_int_equal(run(ACME_IF_DUE), ACME_ISSUED);
        assert_int_equal(w.ca.count[v1 ? CA_NEW_CERT : CA_FINALIZE], 1);
    }
}

/* The power goes when the CA has made the certificate and nobody here knows. */
static bool power_gone;

static int power_fails(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    const struct acme_exchange *x = &d->client.exchange;
    power_gone = power_gone || (seam == DEVICE_FLUSHED && d->client.flow.step == ACME_STEP_FINALIZE && !x->for_nonce);
    return DEVICE_GO;
}

/* Boots, and runs until the power is gone or the run is over. */
static enum acme_progress boot(void)
{
    enum acme_progress progress = ACME_BUSY;
    power_gone = false;
    assert_int_equal(device_boot(&w), 0);
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
    while (!power_gone && !acme_is_over(progress)) {
        progress = device_tick(&w);
    }
    return progress;
}

/* A device that is cut off there at every boot asks for two certificates, then for one an hour. */
TEST(certificates_lost_with_the_power)
{
    static const struct ca_plan plan = {ONE, .v1 = true};
    new_world(&plan);
    w.hook = power_fails;
    for (unsigned asked = 1; asked <= 4; asked++) {
        (void)boot();
        assert_true(power_gone);
        assert_int_equal(w.ca.count[CA_NEW_CERT], asked);
        if (asked > 1) {
            assert_int_equal(boot(), ACME_FAILED);
            assert_int_equal(acme_failure(&w.client)->error, ACME_E_RATE_LIMITED);
            assert_in_range(acme_failure(&w.client)->retry_s, 3000, 3600);
            assert_int_equal(w.ca.count[CA_NEW_CERT], asked);
            w.utc += 3601;
        }
    }
    w.hook = hook;
    w.utc += 100000; /* after the fourth attempt in a row a day and a tenth */
    assert_int_equal(boot(), ACME_ISSUED);
    assert_int_equal(w.ca.count[CA_NEW_CERT], 5);
    assert_int_equal(w.ca.count[CA_NEW_AUTHZ], 1);
}

/* The body of new-cert's answer comes so slowly that the step's time is over; its head has told where the certificate is. */
static int dawdle(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    bool body =
        seam == DEVICE_RECV && d->client.flow.step == ACME_STEP_FINALIZE && d->client.exchange.body == ACME_BODY_NONE;
    d->now_ms += body ? 10000 : 0;
    return body ? 0 : DEVICE_GO;
}

TEST(certificate_that_dawdles)
{
    static const struct ca_plan plan = {ONE, .v1 = true};
    new_world(&plan);
    w.hook = dawdle;
    assert_int_equal(run(ACME_IF_DUE), ACME_ISSUED);
    assert_int_equal(w.ca.count[CA_NEW_CERT], 1);
}
