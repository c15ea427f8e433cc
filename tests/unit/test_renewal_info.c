/* A look at renewal information (RFC 9773), as exchange and flow make it: what is asked, what is read, and that whatever goes wrong
 * ends it without a trace. */
#include "doc.h"
#include "maker.h"

#include "protocol/exchange.h"
#include "protocol/steps.h"
#include "protocol/tables.h"

#include <stdio.h>

#define U                "https://ca.test"
#define URN              "urn:ietf:params:acme:error:"
#define CERTID           "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"
#define WINDOW(from, to) "{\"suggestedWindow\":{\"start\":\"" from "\",\"end\":\"" to "\"}}"
#define GOOD             WINDOW("2026-10-01T00:00:00Z", "2026-10-03T00:00:00Z")
#define START            1790812800
#define DIRECTORY(more)  "{\"newNonce\":\"" U "/n\",\"newAccount\":\"" U "/a\",\"newOrder\":\"" U "/o\"" more "}"

static struct acme_setup setup;
static struct acme_flow flow;
static struct acme_exchange x;
static char work[4096], requests[600], told[200];
static const char *const names[] = {"a.example"};

static void trace(void *ctx, const struct acme_event *event)
{
    if (event->kind == ACME_EVENT_EXPLAINED) {
        assert_int_equal(event->step, ACME_STEP_RENEWAL_INFO);
        snprintf(told, sizeof told, "%.*s", (int)event->text.len, event->text.at);
    }
}

/* With an account and an order in the store, and this known of renewalInfo. */
static void begin(const char *url)
{
    setup = (struct acme_setup){.sys = &maker_sys,
                                .ca = {.directory_url = U "/dir"},
                                .names = names,
                                .name_count = 1,
                                .work = work,
                                .work_len = sizeof work,
                                .trace = trace};
    memset(&flow, 0, sizeof flow);
    flow.setup = &setup;
    assert_int_equal(acme_url_parse(&flow.hosts.directory, acme_slice_of(setup.ca.directory_url)), 0);
    strcpy(flow.account, U "/account/1");
    strcpy(flow.order.url, U "/order/1");
    strcpy(flow.info.url, url);
    strcpy(flow.info.certid, CERTID);
    flow.info.start = 1; /* of an earlier look */
    flow.info.end = 2;
    x = (struct acme_exchange){.setup = &setup, .flow = &flow};
    requests[0] = told[0] = '\0';
    acme_flow_look(&flow);
    acme_exchange_start(&x, 0);
}

/* The next request goes out on a new connection, or on the kept one: "GET host target". */
static void ask(bool fresh)
{
    bool last = false;
    assert_int_equal(acme_exchange_choose(&x, 0), 0);
    size_t at = strlen(requests);
    snprintf(requests + at, sizeof requests - at, "%s%.*s%.*s", at > 0 ? " " : "", (int)x.url.authority.len,
             x.url.authority.at, (int)x.url.target.len, x.url.target.at);
    acme_exchange_connected(&x, fresh);
    assert_int_equal(acme_exchange_ask(&x), 0);
    assert_int_equal(x.state, ACME_EXCHANGE_SEND); /* nothing is signed */
    struct acme_slice head = acme_exchange_output(&x, &last);
    assert_true(last && memcmp(head.at, "GET ", 4) == 0);
    acme_exchange_flushed(&x);
}

/* Its answer; 0: it goes on, or flow.step tells that it is over. */
static int answer(const char *head, const char *body)
{
    char text[2000];
    bool close = false;
    int len = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
    assert_in_range(len, 1, sizeof text - 1);
    int error = acme_exchange_input(&x, text, (size_t)len);
    assert_int_equal(x.state, ACME_EXCHANGE_JUDGE);
    return error != 0 ? error : acme_exchange_judge(&x, 0, &close);
}

static int look(const char *head, const char *body)
{
    ask(true);
    return answer(head, body);
}

/* As look(), once more where it is tried again. */
static int fails(const char *head, const char *body)
{
    int error = look(head, body);
    return error != 0 || flow.step == ACME_STEP_COUNT ? error : look(head, body);
}

static bool over(void)
{
    return flow.step == ACME_STEP_COUNT;
}

/* A failed look leaves all as it was, and nothing to wait for or to write. */
static void assert_no_trace(void)
{
    assert_false(over());
    assert_string_equal(flow.account, U "/account/1");
    assert_string_equal(flow.order.url, U "/order/1");
    assert_false(flow.save_order || flow.drop_order || flow.info.spend);
    assert_int_equal(flow.info.start, 0);
    assert_int_equal(flow.info.end, 0);
    assert_int_equal(x.retry_s, 0);
}

TEST(one_request)
{
    begin("https://ari.example/renewalInfo");
    assert_int_equal(
        look("200 OK\r\nRetry-After: 21600",
             "{\"suggestedWindow\":{\"start\":\"2026-10-01T00:00:00Z\",\"end\":\"2026-10-03T00:00:00Z\"},"
             "\"explanationURL\":\"" U "/why\\u0007?\"}"),
        0);
    assert_true(over());
    assert_string_equal(requests, "ari.example/renewalInfo/" CERTID);
    assert_int_equal(flow.info.start, START);
    assert_int_equal(flow.info.end, START + 2 * 86400);
    assert_string_equal(told, U "/why??");
    assert_int_equal(x.retry_after_s, 21600);
    assert_false(flow.save_account || flow.save_order || flow.drop_order);
    assert_int_equal(x.counts.requests, 1);
    assert_int_equal(x.counts.signatures, 0);
}

/* One slash between base and certID. */
TEST(bases)
{
    static const char *const urls[] = {U "/ri", U "/ri/", U "/ri//"};
    for (unsigned i = 0; i < 3; i++) {
        begin(urls[i]);
        assert_int_equal(look("200 OK", GOOD), 0);
        assert_string_equal(requests, "ca.test/ri/" CERTID);
        assert_int_equal(x.retry_after_s, -1);
    }
    begin("https://ca.test");
    ask(true);
    assert_string_equal(requests, "ca.test/" CERTID);
}

/* The directory first where it is not known, and then what it says is stored; an account is not needed for a look. */
TEST(from_the_directory)
{
    for (int account = 0; account < 2; account++) {
        begin("");
        flow.account[0] = account ? flow.account[0] : '\0';
        assert_int_equal(look("200 OK", DIRECTORY(",\"renewalInfo\":\"" U "/ri\"")), 0);
        assert_int_equal(flow.save_account, account);
        assert_string_equal(flow.info.url, U "/ri");
        ask(false);
        assert_int_equal(answer("200 OK\r\nRetry-After: 60", GOOD), 0);
        assert_true(over());
        assert_string_equal(requests, "ca.test/dir ca.test/ri/" CERTID);
        assert_int_equal(flow.info.start, START);
        assert_int_equal(x.retry_after_s, 60);
    }
}

/* A directory without renewalInfo, or with one that is of no use: that is stored. */
TEST(no_renewal_info)
{
    static const char *const members[] = {"", ",\"renewalInfo\":null", ",\"renewalInfo\":\"\"",
                                          ",\"renewalInfo\":\"" U "/ri?a\""};
    for (unsigned i = 0; i < 8; i++) {
        char body[300];
        begin("");
        flow.info.none = i >= 4;
        snprintf(body, sizeof body, DIRECTORY("%s"), members[i % 4]);
        assert_int_equal(look("200 OK", body), 0);
        assert_true(over()); /* there is nobody to be asked */
        assert_int_equal(flow.info.end, 0);
        assert_true(flow.info.none);
        assert_string_equal(flow.info.url, "");
    }
    char longest[ACME_URL_MAX + 200], url[ACME_URL_MAX + 1] = U "/";
    size_t len = ACME_URL_MAX - ACME_CERTID_MAX;
    memset(url + strlen(url), 'a', len - strlen(url)); /* with the certificate's identifier it is one too long */
    begin("");
    snprintf(longest, sizeof longest, DIRECTORY(",\"renewalInfo\":\"%s\""), url);
    assert_int_equal(look("200 OK", longest), 0);
    assert_true(flow.info.none);
    begin("");
    assert_int_equal(look("200 OK", DIRECTORY(",\"renewalInfo\":\"http://ca.test/ri\"")), 0);
    assert_true(flow.info.none); /* from https never to http */
    begin("");
    assert_int_equal(acme_url_parse(&flow.hosts.directory, acme_slice_of("http://ca.test/dir")), 0);
    struct acme_answer plain = {.json = doc(DIRECTORY(",\"renewalInfo\":\"http://ca.test/ri\""))};
    acme_flow_info_read(&flow, plain.json);
    assert_string_equal(flow.info.url, "http://ca.test/ri"); /* a CA under test, on the same machine */
    begin("");                                               /* it has one now */
    flow.info.none = true;
    assert_int_equal(look("200 OK", DIRECTORY(",\"renewalInfo\":\"" U "/ri\"")), 0);
    assert_false(flow.info.none);
    assert_true(flow.save_account);
    begin("");
    assert_int_equal(fails("200 OK", "{}"), ACME_E_MEMBER);
    assert_false(flow.info.none || flow.save_account); /* that was no directory */
}

TEST(failures)
{
#define PROBLEM(type) "{\"type\":\"" URN type "\",\"detail\":\"no\"}"
#define TYPED         "\r\nContent-Type: application/problem+json"
    static const struct {
        const char *head, *body;
        int error, after;
    } rows[] = {{"401 No" TYPED, PROBLEM("unauthorized"), ACME_E_PROBLEM, -1},
                {"403 No" TYPED, PROBLEM("accountDoesNotExist"), ACME_E_PROBLEM, -1},
                {"403 No" TYPED, PROBLEM("userActionRequired"), ACME_E_PROBLEM, -1},
                {"400 No" TYPED, PROBLEM("badNonce"), ACME_E_PROBLEM, -1},
                {"400 No" TYPED, PROBLEM("malformed"), ACME_E_PROBLEM, -1},
                {"429 No\r\nRetry-After: 7200" TYPED, PROBLEM("rateLimited"), ACME_E_RATE_LIMITED, 7200},
                {"429 No\r\nRetry-After: 1", "", ACME_E_RATE_LIMITED, 1},
                {"429 No", "", ACME_E_RATE_LIMITED, -1},
                {"503 No\r\nRetry-After: 3\r\nContent-Type: text/html", "<html>", ACME_E_RATE_LIMITED, 3},
                {"503 No", "", ACME_E_HTTP_STATUS, -1},
                {"500 No" TYPED, PROBLEM("serverInternal"), ACME_E_PROBLEM, -1},
                {"501 No", "", ACME_E_HTTP_STATUS, -1},
                {"302 Away\r\nLocation: /x", "", ACME_E_REDIRECT, -1},
                {"200 OK", "", ACME_E_MEMBER, -1},
                {"200 OK", "[]", ACME_E_MEMBER, -1},
                {"200 OK\r\nContent-Type: text/html", "<html>", ACME_E_JSON, -1}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int of_directory = 0; of_directory < 2; of_directory++) {
            begin(of_directory ? "" : U "/ri");
            flow.cached = false; /* or a redirect leads to the directory */
            if (of_directory && strncmp(rows[i].head, "302", 3) == 0) {
                continue; /* it may move */
            }
            assert_int_equal(fails(rows[i].head, rows[i].body), rows[i].error);
            assert_int_equal(x.retry_after_s, rows[i].after);
            assert_in_range(x.counts.requests, 1, 2);
            assert_false(flow.save_account);
            assert_no_trace();
        }
    }
}

/* What is stored of the directory may be out of date, which is found out once. */
TEST(stale_directory)
{
    static const char *const codes[] = {"404 Not Found", "405 No", "410 Gone", "301 Moved\r\nLocation: " U "/new"};
    for (unsigned i = 0; i < 8; i++) {
        bool moved = i >= 4;
        begin(moved ? U "/old" : U "/ri");
        assert_int_equal(look(codes[i % 4], ""), 0);
        ask(false);
        assert_int_equal(answer("200 OK", DIRECTORY(",\"renewalInfo\":\"" U "/ri\"")), 0);
        ask(false);
        if (moved) {
            assert_int_equal(answer("200 OK", GOOD), 0);
            assert_true(over());
        } else {
            int error = answer(codes[i], "");
            error = error != 0 ? error : look(codes[i], "");
            assert_int_equal(error, i == 3 ? ACME_E_REDIRECT : ACME_E_HTTP_STATUS);
            assert_no_trace();
        }
        assert_in_range(x.counts.requests, 3, 4);
    }
}

TEST(windows)
{
    static const struct {
        const char *body;
        int64_t start, end;
    } rows[] = {{"{}", 0, 0},
                {"{\"suggestedWindow\":null}", 0, 0},
                {"{\"suggestedWindow\":\"now\"}", 0, 0},
                {"{\"suggestedWindow\":{}}", 0, 0},
                {"{\"suggestedWindow\":{\"start\":\"2026-10-01T00:00:00Z\"}}", 0, 0},
                {"{\"suggestedWindow\":{\"end\":\"2026-10-01T00:00:00Z\"}}", 0, 0},
                {"{\"suggestedWindow\":{\"start\":1790812800,\"end\":1790812801}}", 0, 0},
                {WINDOW("2026-10-03T00:00:00Z", "2026-10-01T00:00:00Z"), 0, 0},
                {WINDOW("2026-10-01T00:00:00Z", "2026-10-01T00:00:00Z"), 0, 0},
                {WINDOW("2026-10-01T00:00:00", "2026-10-03T00:00:00"), 0, 0},
                {WINDOW("2026-10-01T00:00:00", "2026-10-03T00:00:00Z"), 0, 0},
                {WINDOW("soon", "2026-10-03T00:00:00Z"), 0, 0},
                {WINDOW("2026-10-01T00:00:00Z", "2026-10-01T00:00:01Z"), START, START + 1},
                {WINDOW("2026-10-01T00:00:00.123456789Z", "2026-10-01T02:00:00+01:00"), START, START + 3600},
                {WINDOW("1970-01-01T00:00:00Z", "2106-02-07T06:28:16Z"), 1, UINT32_MAX},
                {WINDOW("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"), 1, UINT32_MAX}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(U "/ri");
        bool good = rows[i].end != 0;
        assert_int_equal(fails("200 OK", rows[i].body), good ? 0 : ACME_E_MEMBER);
        assert_int_equal(over(), good);
        assert_int_equal(flow.info.start, rows[i].start);
        assert_int_equal(flow.info.end, rows[i].end);
        assert_string_equal(told, "");
    }
}

/* The network: a look is tried once more at most. */
TEST(network)
{
    static const int errors[] = {ACME_E_HOST, ACME_E_REFUSED, ACME_E_TIMEOUT, ACME_E_CLOSED, ACME_E_TLS_UNTRUSTED};
    for (unsigned i = 0; i < 5; i++) {
        begin(U "/ri");
        assert_int_equal(acme_exchange_choose(&x, 0), 0); /* no connection */
        assert_int_equal(acme_exchange_fault(&x, errors[i], 0), i < 4 ? 0 : errors[i]);
        if (i < 4) {
            ask(true); /* no answer */
            assert_int_equal(acme_exchange_fault(&x, errors[i], 0), errors[i]);
        }
        assert_no_trace();
    }
}

/* An order that was made keeps its profile: it is taken up, whatever the directory lists. */
TEST(profile_of_a_stored_order)
{
    for (int stored = 0; stored < 2; stored++) {
        begin("");
        flow.info.looking = false;
        setup.profile = "short";
        flow.order.url[0] = stored ? flow.order.url[0] : '\0';
        struct acme_answer a = {.json = doc(DIRECTORY(",\"meta\":{\"profiles\":{\"classic\":\"\"}}"))};
        assert_int_equal(acme_row_of(&flow, ACME_STEP_DIRECTORY)->read(&flow, &a),
                         stored ? (int)ACME_STEP_ORDER : ACME_E_PROFILE);
    }
}

/* Only the request for a new order says what it replaces; an empty profile is none. */
TEST(who_says_what_it_replaces)
{
    begin(U "/ri");
    flow.info.looking = false;
    flow.info.replaces = true;
    flow.order.url[0] = '\0';
    flow.step = ACME_STEP_ORDER;
    assert_true(acme_flow_replaces(&flow));
    flow.step = ACME_STEP_AUTHZ;
    assert_false(acme_flow_replaces(&flow));
    flow.step = ACME_STEP_ORDER;
    strcpy(flow.order.url, U "/order/1");
    assert_false(acme_flow_replaces(&flow));
    flow.order.url[0] = '\0';
#if ACME_CFG_V1
    flow.v1 = true;
    assert_false(acme_flow_replaces(&flow));
    assert_ptr_equal(acme_row_of(&flow, ACME_STEP_ORDER), &acme_flow_v1[ACME_STEP_ORDER]);
    flow.info.looking = true; /* which ACME v1 has no row for */
    assert_ptr_equal(acme_row_of(&flow, ACME_STEP_RENEWAL_INFO), &acme_flow_rfc8555[ACME_STEP_RENEWAL_INFO]);
    flow.v1 = flow.info.looking = false;
#endif
    setup.profile = "";
    struct acme_answer a = {.json = doc(DIRECTORY(""))};
    assert_int_equal(acme_row_of(&flow, ACME_STEP_DIRECTORY)->read(&flow, &a), ACME_STEP_ORDER);
}
