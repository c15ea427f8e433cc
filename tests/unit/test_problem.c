#include "doc.h"

#include "protocol/problem.h"

#include <stdio.h>

#define URN "urn:ietf:params:acme:error:"

static struct acme_problem read_problem(const char *text, uint16_t status)
{
    struct acme_problem problem;
    acme_problem_read(&problem, doc(text), 0, status);
    return problem;
}

TEST(kinds)
{
    static const struct {
        const char *type;
        enum acme_problem_kind kind;
    } rows[] = {{URN "badNonce", ACME_PROBLEM_BAD_NONCE},
                {"urn:acme:error:badNonce", ACME_PROBLEM_BAD_NONCE},
                {"badNonce", ACME_PROBLEM_BAD_NONCE},
                {URN "rateLimited", ACME_PROBLEM_RATE_LIMITED},
                {URN "orderNotReady", ACME_PROBLEM_ORDER_NOT_READY},
                {URN "accountDoesNotExist", ACME_PROBLEM_NO_ACCOUNT},
                {URN "userActionRequired", ACME_PROBLEM_USER_ACTION},
                {URN "agreementRequired", ACME_PROBLEM_USER_ACTION},
                {URN "externalAccountRequired", ACME_PROBLEM_BINDING},
                {URN "malformed", ACME_PROBLEM_MALFORMED},
                {URN "conflict", ACME_PROBLEM_CONFLICT},
                {URN "unauthorized", ACME_PROBLEM_UNAUTHORIZED},
                {URN "badnonce", ACME_PROBLEM_OTHER},
                {URN "badNonces", ACME_PROBLEM_OTHER},
                {URN, ACME_PROBLEM_OTHER},
                {"about:blank", ACME_PROBLEM_OTHER},
                {"", ACME_PROBLEM_OTHER}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "{\"type\":\"%s\"}", rows[i].type);
        assert_int_equal(read_problem(text, 400).kind, rows[i].kind);
    }
}

TEST(whatever_is_missing_stays_empty)
{
    static const char *const texts[] = {"{}", "[]", "{\"type\":1,\"detail\":[],\"status\":{},\"identifier\":\"x\"}",
                                        "{\"type\":null,\"detail\":null,\"status\":null,\"identifier\":null}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct acme_problem p = read_problem(texts[i], 418);
        assert_int_equal(p.kind, ACME_PROBLEM_OTHER);
        assert_int_equal(p.type.len + p.detail.len + p.name.len, 0);
        assert_int_equal(p.http_status, 418);
    }
    struct acme_problem p;
    struct acme_json none = {.text = NULL};
    acme_problem_read(&p, &none, ACME_JSON_NONE, 500);
    assert_int_equal(p.type.len, 0);
    assert_int_equal(p.http_status, 500);
}

TEST(status_of_the_document_when_it_is_one)
{
    assert_int_equal(read_problem("{\"status\":403}", 400).http_status, 403);
    assert_int_equal(read_problem("{\"status\":\"403\"}", 400).http_status, 403);
    assert_int_equal(read_problem("{\"status\":99}", 400).http_status, 400);
    assert_int_equal(read_problem("{\"status\":100}", 400).http_status, 100);
    assert_int_equal(read_problem("{\"status\":599}", 400).http_status, 599);
    assert_int_equal(read_problem("{\"status\":600}", 400).http_status, 400);
    assert_int_equal(read_problem("{\"status\":65936}", 400).http_status, 400);
    assert_int_equal(read_problem("{\"status\":-403}", 400).http_status, 400);
}

TEST(texts_cannot_steer_a_terminal)
{
    struct acme_problem p = read_problem(
        "{\"detail\":\" ~\\u001b[31m\\nb\\tc\\u0000\\u007f\\u00e9\\ud83d\\ude00\",\"type\":\"x\\r:badNonce\"}", 400);
    const char *wanted = " ~?[31m b c????????";
    assert_int_equal(p.detail.len, strlen(wanted));
    assert_memory_equal(p.detail.at, wanted, p.detail.len);
    assert_memory_equal(p.type.at, "x?:badNonce", 11);
}

static struct {
    unsigned count;
    char text[8][64], name[8][64];
    bool sub[8];
    uint16_t status[8];
} told;

static void trace(void *ctx, const struct acme_event *event)
{
    assert_int_equal(event->kind, ACME_EVENT_PROBLEM);
    assert_int_equal(event->step, ACME_STEP_ORDER);
    unsigned i = told.count++;
    assert_true(i < 8);
    snprintf(told.text[i], 64, "%.*s", (int)event->text.len, event->text.len > 0 ? event->text.at : "");
    snprintf(told.name[i], 64, "%.*s", (int)event->name.len, event->name.len > 0 ? event->name.at : "");
    told.sub[i] = event->subproblem;
    told.status[i] = event->http_status;
}

TEST(every_subproblem_is_told)
{
    static const struct acme_setup setup = {.trace = trace};
    static const struct acme_setup silent = {.trace = NULL};
    const struct acme_event about = {.step = ACME_STEP_ORDER, .http_status = 400, .name = {"about.test", 10}};
    const char *text = "{\"subproblems\":[{\"type\":\"one\",\"identifier\":{\"value\":\"a\"}},7,[],{\"type\":\"two\","
                       "\"status\":404}],\"type\":\"all\"}";
    memset(&told, 0, sizeof told);
    struct acme_json *json = doc(text);
    acme_problem_tell(&setup, &about, json, 0);
    assert_int_equal(told.count, 5);
    assert_string_equal(told.text[0], "all");
    assert_false(told.sub[0]);
    assert_string_equal(told.name[0], "about.test"); /* it names none itself; its parts are about other names */
    assert_string_equal(told.name[4], "");
    assert_string_equal(told.text[1], "one");
    assert_string_equal(told.name[1], "a");
    assert_true(told.sub[1]);
    assert_string_equal(told.text[4], "two");
    assert_int_equal(told.status[4], 404);
    assert_int_equal(told.status[1], 400);
    acme_problem_tell(&silent, &about, json, 0);

    memset(&told, 0, sizeof told);
    acme_problem_tell(&setup, &about, doc("{\"subproblems\":{\"a\":1}}"), 0);
    assert_int_equal(told.count, 1);
    acme_problem_tell(&setup, &about, json, ACME_JSON_NONE);
    assert_int_equal(told.count, 1);
}

/* The last part of a type is what it is called by, whatever stands before it. */
TEST(words_of_types)
{
    static const struct {
        const char *type, *word;
        bool is;
    } rows[] = {
        {URN "caa", "caa", true},           {"caa", "caa", true},   {":caa", "caa", true}, {URN "xcaa", "caa", false},
        {URN "caa:more", "caa", false},     {"xcaa", "caa", false}, {"aa", "caa", false},  {"", "caa", false},
        {"urn:acme:error:caa", "caa", true}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct acme_problem p = {.type = acme_slice_of(rows[i].type)};
        assert_int_equal(acme_problem_is(&p, rows[i].word), rows[i].is);
    }
    struct acme_problem none = {0};
    assert_false(acme_problem_is(&none, "caa"));
}
