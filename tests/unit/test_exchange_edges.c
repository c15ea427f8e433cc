/* The engine alone, one request at a time: buffers that are too small, keys that do not answer, answers of odd sizes. */
#include "maker.h"

#include "protocol/exchange.h"
#include "protocol/poll.h"

#include <stdio.h>
#include <string.h>

#define U   "https://ca.test"
#define URN "urn:ietf:params:acme:error:"

static struct acme_setup setup;
static struct acme_flow flow;
static struct acme_exchange x;
static struct acme_key_p256 account_key, certificate_key;
static char work[8192];
static const char *const names[] = {"a.example"};
static size_t sunk; /* bytes of a chain that came through */

static int sink(void *ctx, const char *data, size_t len)
{
    sunk += len;
    return 0;
}

/* In the middle of things, with a nonce at hand, about to make the request of a step. */
static void start(enum acme_step step)
{
    if (!account_key.ready) {
        assert_int_equal(acme_key_p256_ops.generate(&account_key, &maker_sys), 0);
        assert_int_equal(acme_key_p256_ops.generate(&certificate_key, &maker_sys), 0);
    }
    sunk = 0;
    memset(work, '#', sizeof work);
    setup = (struct acme_setup){.sys = &maker_sys,
                                .ca = {.directory_url = U "/dir"},
                                .account_key = {&acme_key_p256_ops, &account_key},
                                .certificate_key = {&acme_key_p256_ops, &certificate_key},
                                .names = names,
                                .name_count = 1,
                                .work = work,
                                .work_len = 4096};
    memset(&flow, 0, sizeof flow);
    flow.setup = &setup;
    assert_int_equal(acme_url_parse(&flow.hosts.directory, acme_slice_of(setup.ca.directory_url)), 0);
    strcpy(flow.directory.new_nonce, U "/n");
    strcpy(flow.directory.new_account, U "/a");
    strcpy(flow.directory.new_order, U "/o");
    strcpy(flow.account, step == ACME_STEP_ACCOUNT ? "" : U "/account/1");
    strcpy(flow.order.url, step > ACME_STEP_ORDER ? U "/order/1" : "");
    assert_int_equal(acme_order_add(&flow.order, U "/authz/1"), 0);
    strcpy(flow.order.finalize, U "/finalize/1");
    strcpy(flow.order.certificate, U "/cert/1");
    flow.step = step;
    x = (struct acme_exchange){.setup = &setup, .flow = &flow, .sink = sink};
    acme_exchange_start(&x, 0);
    strcpy(x.nonce, "good");
    x.nonce_ms = 0;
}

/* Up to the ASK of a request. */
static void choose(void)
{
    assert_int_equal(acme_exchange_choose(&x, 0), 0);
    acme_exchange_connected(&x, true);
}

/* The whole request goes out. */
static void send_request(void)
{
    choose();
    assert_int_equal(acme_exchange_ask(&x), 0);
    if (x.state == ACME_EXCHANGE_SIGN) {
        assert_int_equal(acme_exchange_sign(&x), 0);
    }
    acme_exchange_flushed(&x);
}

/* An answer with so many letters as its body; what comes of it. */
static int answer(const char *head, size_t body, const char *text)
{
    char bytes[512];
    bool close = false;
    size_t len = text != NULL ? strlen(text) : body;

    int n = snprintf(bytes, sizeof bytes, "HTTP/1.1 %s\r\nContent-Length: %u\r\n\r\n%s", head, (unsigned)len,
                     text != NULL ? text : "");
    assert_in_range(n, 1, sizeof bytes - 1);
    int error = acme_exchange_input(&x, bytes, (size_t)n);
    memset(bytes, 'x', sizeof bytes);
    for (len = text != NULL ? 0 : len; len > 0 && error == 0;) {
        size_t piece = len < sizeof bytes ? len : sizeof bytes;
        error = acme_exchange_input(&x, bytes, piece);
        len -= piece;
    }
    if (error != 0) {
        return error;
    }
    assert_int_equal(x.state, ACME_EXCHANGE_JUDGE);
    return acme_exchange_judge(&x, 0, &close);
}

TEST(product_goes_first)
{
    bool last;
    start(ACME_STEP_DIRECTORY);
    setup.product = "gateway/3.1";
    choose();
    assert_int_equal(acme_exchange_ask(&x), 0);
    struct acme_slice head = acme_exchange_output(&x, &last);
    work[head.len] = '\0';
    assert_non_null(strstr(head.at, "\r\nUser-Agent: gateway/3.1 nanoacme/"));
    assert_true(last);
}

/* A signature takes a device milliseconds, and here only its length matters. */
static int sign_at_once(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    memset(signature, 0xc1, 64); /* r and s as long as they get */
    return 0;
}

/* Every size of the buffer: refused before it is sent, whichever part does not fit, and not a byte is written behind. */
TEST(every_buffer)
{
    static const enum acme_step steps[] = {ACME_STEP_DIRECTORY, ACME_STEP_ACCOUNT, ACME_STEP_FINALIZE};
    struct acme_key_ops keys = acme_key_p256_ops;
    keys.sign = sign_at_once;
    for (unsigned i = 0; i < 3; i++) {
        unsigned at_ask = 0, at_sign = 0, good = 0;
        for (size_t len = 1; len < 1800; len++) {
            start(steps[i]);
            setup.account_key.ops = setup.certificate_key.ops = &keys;
            setup.work_len = len;
            choose();
            int error = acme_exchange_ask(&x);
            at_ask += error != 0;
            if (error == 0 && x.state == ACME_EXCHANGE_SIGN) {
                error = acme_exchange_sign(&x);
                at_sign += error != 0;
            }
            assert_int_equal(error, good > 0 ? 0 : error); /* what fits, fits a longer one too */
            assert_true(error == 0 || error == ACME_E_REQUEST_BIG);
            assert_true(error == 0 || x.counts.requests == 0);
            assert_int_equal(x.state == ACME_EXCHANGE_SEND, error == 0);
            assert_int_equal(work[len], '#');
            good += error == 0;
        }
        assert_true(at_ask > 0 && good > 0);
        assert_int_equal(at_sign > 0, steps[i] != ACME_STEP_DIRECTORY);
    }
}

/* Keys in hardware that stop to answer: the error is told, nothing goes out, and the nonce is still a good one. */
TEST(keys_that_do_not_answer)
{
    struct acme_key_ops ops = acme_key_p256_ops;
    start(ACME_STEP_FINALIZE);
    ops.sign = maker_mute_ops.sign;
    setup.certificate_key.ops = &ops;
    choose();
    assert_int_equal(acme_exchange_ask(&x), ACME_E_KEY);
    for (int way = 0; way < 2; way++) {
        start(ACME_STEP_ORDER);
        ops = acme_key_p256_ops;
        ops.point = way == 0 ? maker_mute_ops.point : ops.point;
        ops.sign = maker_mute_ops.sign;
        setup.account_key.ops = &ops;
        choose();
        assert_int_equal(acme_exchange_ask(&x), 0);
        assert_int_equal(acme_exchange_sign(&x), ACME_E_KEY);
        assert_int_equal(x.counts.signatures, 0);
        assert_int_equal(x.counts.requests, 0);
        assert_string_equal(x.nonce, "good");
    }
}

/* A chain without an end is given up, and the store has not seen more than the limit. */
TEST(endless_chain)
{
    start(ACME_STEP_CERTIFICATE);
    send_request();
    assert_int_equal(answer("200 OK\r\nContent-Type: application/pem-certificate-chain", 65536, NULL), 0);
    assert_int_equal(sunk, 65536);
    start(ACME_STEP_CERTIFICATE);
    send_request();
    assert_int_equal(answer("200 OK\r\nContent-Type: application/pem-certificate-chain", 70000, NULL),
                     ACME_E_CERT_BIG);
    assert_true(sunk <= 65536);
}

/* ACME v1: the certificate in new-cert's answer is of no interest, and an endless one is not read to its end. */
TEST(endless_certificate)
{
    for (unsigned i = 0; i < 2; i++) {
        bool close = false;
        start(ACME_STEP_FINALIZE);
        flow.v1 = true;
        flow.order.certificate[0] = '\0';
        strcpy(flow.directory.new_cert, U "/new-cert");
        send_request();
        int error = answer("201 Created\r\nLocation: " U "/cert/2", i == 0 ? 65536 : 70000, NULL);
        if (i == 1) {
            assert_int_equal(error, ACME_E_CERT_BIG);
            error = acme_exchange_fault(&x, error, 0);
            assert_int_equal(error == 0 ? acme_exchange_judge(&x, 0, &close) : error, 0);
        }
        assert_int_equal(error, 0);
        assert_int_equal(flow.step, ACME_STEP_CERTIFICATE);
        assert_string_equal(flow.order.certificate, U "/cert/2");
    }
}

/* ACME v1: new-cert is lost when the run's patience with the network is used up already: another run had better wait. */
TEST(spent_when_patience_ends)
{
    for (int asked = 0; asked < 2; asked++) {
        start(ACME_STEP_FINALIZE);
        flow.v1 = true;
        strcpy(flow.directory.new_cert, U "/new-cert");
        x.faults = ACME_FAULT_TRIES;
        if (asked == 1) {
            send_request();
        } else {
            choose();
        }
        assert_int_equal(acme_exchange_fault(&x, ACME_E_CLOSED, 0), ACME_E_CLOSED);
        assert_int_equal(x.retry_s, asked ? 3600 : 0);
    }
}

/* A document must fit; of an error page what fits is enough, since its status says it all. */
TEST(bodies_larger_than_the_buffer)
{
    start(ACME_STEP_ACCOUNT);
    send_request();
    assert_int_equal(answer("200 OK", 5000, NULL), ACME_E_BODY_BIG);
    start(ACME_STEP_ACCOUNT);
    send_request();
    assert_int_equal(answer("200 OK", setup.work_len + 1, NULL), ACME_E_BODY_BIG);
    start(ACME_STEP_ACCOUNT);
    send_request();
    assert_int_equal(answer("200 OK", setup.work_len, NULL), 0); /* it fits, whatever it is: once more */
    assert_int_equal(x.faults, 1);
    start(ACME_STEP_ACCOUNT);
    send_request();
    assert_int_equal(answer("404 Not Found", 5000, NULL), 0);
    assert_int_equal(x.faults, 1);
    assert_int_equal(work[setup.work_len], '#');
}

/* A 503 is trouble of the server's own and counted; one that says when to come back is a wish. */
TEST(busy_or_broken)
{
    start(ACME_STEP_ACCOUNT);
    send_request();
    assert_int_equal(answer("503 Unavailable", 10, NULL), 0);
    assert_int_equal(x.faults, 1);
    assert_int_equal(x.throttles, 0);
    start(ACME_STEP_ACCOUNT);
    send_request();
    assert_int_equal(answer("503 Unavailable\r\nRetry-After: 3", 10, NULL), 0);
    assert_int_equal(x.faults, 0);
    assert_int_equal(x.throttles, 1);
    assert_int_equal(x.wait_ms, 3000);
}

/* The type says what it is, whatever the status. */
TEST(rate_limit_by_its_type)
{
    start(ACME_STEP_ACCOUNT);
    send_request();
    assert_int_equal(answer("403 Forbidden\r\nContent-Type: application/problem+json\r\nRetry-After: 5", 0,
                            "{\"type\":\"" URN "rateLimited\"}"),
                     0);
    assert_int_equal(x.throttles, 1);
    assert_int_equal(x.wait_ms, 5000);
}

/* A cached URL that is gone: the directory is read once more. Of one that was read in this run that is not believed. */
TEST(cached_urls_that_are_gone)
{
    static const char *const heads[] = {"404 Not Found", "405 Not Allowed", "410 Gone", "403 Forbidden"};
    for (unsigned i = 0; i < 4; i++) {
        for (int cached = 0; cached < 2; cached++) {
            start(ACME_STEP_ORDER);
            flow.cached = cached == 1;
            send_request();
            bool again = cached == 1 && i < 3;
            assert_int_equal(answer(heads[i], 0, NULL), 0);
            assert_int_equal(flow.step, again ? ACME_STEP_DIRECTORY : ACME_STEP_ORDER);
            assert_int_equal(x.faults, again ? 0 : 1);
        }
    }
}

/* A path that fits as it is said, but is no URL we could keep. */
TEST(redirect_too_long)
{
    char head[ACME_URL_MAX + 64];
    for (int longer = 0; longer < 3; longer++) {
        int path = ACME_URL_MAX - (int)strlen(U) + longer;
        start(ACME_STEP_DIRECTORY);
        flow.account[0] = '\0'; /* with one, the directory has been the CA's before */
        send_request();
        snprintf(head, sizeof head, "301 Moved\r\nLocation: /%0*d", path - 1, 7);
        assert_int_equal(answer(head, 0, NULL), longer > 0 ? ACME_E_URL_LONG : 0);
        assert_int_equal(strlen(flow.directory_url), longer > 0 ? 0 : ACME_URL_MAX);
        assert_int_equal(x.wait_ms, 0); /* followed at once */
    }
}

/* A Location that is too long matters where it is the answer, not beside a refusal. */
TEST(location_too_long)
{
    char head[ACME_URL_MAX + 100];
    for (int good = 0; good < 2; good++) {
        start(ACME_STEP_ACCOUNT);
        send_request();
        snprintf(head, sizeof head, "%s\r\nLocation: " U "/%0*d", good ? "201 Created" : "403 Forbidden",
                 ACME_URL_MAX, 7);
        assert_int_equal(answer(head, 0, "{\"status\":\"valid\"}"), good ? ACME_E_HTTP_LONG : 0);
        assert_string_equal(flow.account, "");
    }
}

static struct acme_event told; /* the last answer, and the wait that follows */
static char told_name[32];
static unsigned told_polls;

static void tell(void *ctx, const struct acme_event *event)
{
    if (event->kind == ACME_EVENT_ANSWER) {
        told = *event;
        snprintf(told_name, sizeof told_name, "%.*s", (int)event->name.len, event->name.at);
    } else if (event->kind == ACME_EVENT_WAIT) {
        told_polls = event->polls;
    }
}

TEST(answers_are_told_with_the_name)
{
    start(ACME_STEP_AUTHZ_POLL);
    setup.trace = tell;
    static const struct acme_solver solver = {.type = "http-01"};
    static const struct acme_solver *const all[] = {&solver};
    setup.solvers = all;
    flow.at[0] = (struct acme_validation){.stage = ACME_STAGE_ASKED, .name = 1};
    assert_int_equal(acme_order_add(&flow.order, U "/authz/1"), 0);
    flow.order.authz_count = 1;
    acme_exchange_start(&x, 0);
    send_request();
    assert_int_equal(answer("200 OK", 0,
                            "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},"
                            "\"challenges\":[{\"type\":\"http-01\",\"token\":\"t\",\"url\":\"" U
                            "/chall/1\",\"status\":\"pending\"}]}"),
                     0);
    assert_int_equal(told.step, ACME_STEP_AUTHZ_POLL);
    assert_int_equal(told.http_status, 200);
    assert_int_equal(told.error, 0);
    assert_string_equal(told_name, "a.example");
    assert_int_equal(told.polls, 1);
    assert_int_equal(told_polls, 1);
}

/* What the CA wished for has been waited for when the next request goes out: a fault then has a wait of its own. */
TEST(a_wish_counts_once)
{
    start(ACME_STEP_ORDER);
    x.retry_after_s = 30;
    send_request();
    assert_int_equal(acme_exchange_fault(&x, ACME_E_CLOSED, 0), 0);
    assert_in_range(x.wait_ms, 1, 10000);
}

/* Too busy, or led astray: it may have been carried out all the same. Not by whoever was asked for a nonce only. */
TEST(too_busy_to_say_that_it_is_done)
{
    static const char *const heads[] = {"503 Busy\r\nRetry-After: 2", "302 Found\r\nLocation: https://portal.test/",
                                        "429 Slow\r\nRetry-After: 2"};
    for (unsigned i = 0; i < 3; i++) {
        for (int nonce = 0; nonce < 2; nonce++) {
            start(ACME_STEP_FINALIZE);
            flow.cached = true;
            if (nonce) {
                x.nonce[0] = '\0';
            }
            send_request();
            assert_int_equal(answer(heads[i], 0, NULL), 0);
            assert_int_equal(flow.finalized, i < 2 && !nonce);
        }
    }
}

/* While the CA looks at the answer it stays on show: nothing but the step's time ends that. */
TEST(an_answer_stays_on_show)
{
    static const char *const heads[] = {"429 Slow\r\nRetry-After: 7200", "503 Busy\r\nRetry-After: 7200",
                                        "302 Found\r\nLocation: https://portal.test/", "404 Not Found"};
    for (unsigned i = 0; i < 4; i++) {
        for (int nonce = i == 3; nonce < 2; nonce++) {
            start(ACME_STEP_AUTHZ_POLL);
            flow.cached = true;
            flow.presented = 1;
            if (nonce) {
                x.nonce[0] = '\0';
            }
            send_request();
            assert_int_equal(answer(heads[i], 0, NULL), 0);
            assert_int_equal(flow.step, ACME_STEP_AUTHZ_POLL);
            assert_true(flow.presented);
            assert_true(x.wait_ms <= ACME_RETRY_AFTER_MAX_S * 1000u && x.wait_ms > 0);
        }
    }
    /* asked again and again, but not at the pace of a server that says a second for ever */
    start(ACME_STEP_AUTHZ_POLL);
    flow.presented = 1;
    for (unsigned n = 0; n < 300; n++) {
        strcpy(x.nonce, "good");
        send_request();
        assert_int_equal(answer("429 Slow\r\nRetry-After: 1", 0, NULL), 0);
        assert_true(n < 10 || x.wait_ms >= 60000);
    }
    flow.presented = 0;
    /* nor when it is answered again; a first answer that was never taken leaves nobody alone */
    for (int accepted = 0; accepted < 2; accepted++) {
        start(ACME_STEP_RESPOND);
        strcpy(flow.challenge_url, U "/chall/1");
        flow.presented = 1;
        flow.told = accepted == 1;
        flow.url_of = 1;
        send_request();
        assert_int_equal(answer("429 Slow\r\nRetry-After: 7200", 0, NULL), accepted ? 0 : ACME_E_RATE_LIMITED);
        assert_int_equal(x.retry_s, 7200);
        if (accepted) {
            assert_int_equal(x.wait_ms, ACME_RETRY_AFTER_MAX_S * 1000u);
            assert_int_equal(acme_exchange_choose(&x, ACME_STEP_BUDGET_S * 1000u), ACME_E_RATE_LIMITED);
        }
        flow.presented = 0;
    }
}

/* The directory moves for a moment: to nowhere, or into a portal's arms. It is asked for again where the set-up says. */
TEST(a_move_that_leads_nowhere)
{
    start(ACME_STEP_DIRECTORY);
    send_request();
    assert_int_equal(answer("302 Found\r\nLocation: /maintenance", 0, NULL), 0);
    assert_string_equal(flow.directory_url, U "/maintenance");
    send_request();
    assert_int_equal(answer("200 OK", 0, "<html>"), 0);
    assert_string_equal(flow.directory_url, "");
    assert_int_equal(x.redirects, 0);
    for (int known = 0; known < 2; known++) { /* known: the CA's directory was read there before */
        start(ACME_STEP_DIRECTORY);
        flow.account[0] = known ? 'h' : '\0';
        send_request();
        assert_int_equal(answer("302 Found\r\nLocation: https://portal.test/", 0, NULL), known ? 0 : ACME_E_URL_HOST);
        assert_int_equal(x.faults, known);
    }
}

/* The body of newOrder's answer is broken, or ends early: its head has told where the order is. */
TEST(an_order_with_a_broken_body)
{
    static const char *const bodies[] = {"{\"status\":", "", "{}", "<html>"};
    for (unsigned i = 0; i < 4; i++) {
        start(ACME_STEP_ORDER);
        send_request();
        assert_int_equal(answer("201 Created\r\nLocation: " U "/order/9", 0, bodies[i]), 0);
        assert_string_equal(flow.order.url, U "/order/9");
        assert_true(flow.save_order);
        assert_int_equal(flow.step, ACME_STEP_ORDER);
    }
    static const char cut[] = "HTTP/1.1 201 Created\r\nLocation: " U "/order/9\r\nContent-Length: 400\r\n\r\n{\"st";
    start(ACME_STEP_ORDER);
    send_request();
    assert_int_equal(acme_exchange_input(&x, cut, sizeof cut - 1), 0);
    assert_int_equal(acme_exchange_fault(&x, acme_exchange_ended(&x, false), 0), 0);
    assert_string_equal(flow.order.url, U "/order/9");
    start(ACME_STEP_ORDER); /* the place itself is cut: a URL like another */
    send_request();
    assert_int_equal(acme_exchange_input(&x, cut, strlen("HTTP/1.1 201 Created\r\nLocation: " U "/ord")), 0);
    assert_int_equal(acme_exchange_fault(&x, ACME_E_CLOSED, 0), 0);
    assert_string_equal(flow.order.url, "");
    start(ACME_STEP_ORDER); /* of a refusal it tells nothing */
    send_request();
    assert_int_equal(answer("500 Broken\r\nLocation: " U "/order/9", 0, ""), 0);
    assert_string_equal(flow.order.url, "");
}

TEST(budget)
{
    start(ACME_STEP_ORDER);
    assert_false(acme_exchange_overdue(&x, ACME_STEP_BUDGET_S * 1000u - 1));
    assert_true(acme_exchange_overdue(&x, ACME_STEP_BUDGET_S * 1000u));
}
