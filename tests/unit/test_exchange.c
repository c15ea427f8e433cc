/* Dialogues of the engine with the scripted CA: one test a behaviour. */
#include "fake/engine.h"

#include <stdio.h>
#include <string.h>

static struct engine e;

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define ONE        .names = {"a.example"}, .name_count = 1
#define TWO        .names = {"a.example", "b.example"}, .name_count = 2
#define TWISTED(t) .twists = (t), .twist_count = LEN(t)
#define PROBLEM    "Content-Type: application/problem+json\r\n"
#define URN        "urn:ietf:params:acme:error:"

/* Who builds with smaller limits is spared what they do not allow. */
static void needs_names(unsigned count)
{
    if (count > ACME_NAMES_MAX) {
        skip();
    }
}

static void fails_with(const struct ca_plan *plan, const struct engine_way *way, int error)
{
    engine_play(&e, plan, way);
    assert_int_equal(e.error, error);
    engine_free(&e);
}

static void counts_are(unsigned kind, unsigned count)
{
    assert_int_equal(e.ca.count[kind], count);
}

/* --- a run as it should be */

static void a_plain_run_takes_nine_requests(void **state)
{
    (void)state;
    engine_issues(&e, &(struct ca_plan){ONE}, NULL);
    assert_int_equal(e.ca.requests,
                     9); /* directory, nonce, account, order, authz, challenge, authz, finalize, certificate */
    assert_int_equal(e.connections, 1);
    assert_int_equal(e.problems, 0);
    assert_int_equal(e.elapsed_ms, ACME_POLL_FIRST_MS);
}

static void asynchronous_ca(void **state)
{
    (void)state;
    needs_names(2);
    engine_issues(&e, &(struct ca_plan){TWO, .authz_looks = 3, .processing = 4}, NULL);
    counts_are(CA_AUTHZ, 2 + 2 * 4);
    counts_are(CA_ORDER, 4);
    counts_are(CA_CHALLENGE, 2);
}

/* The bug of December 2016: 202 with a body that says pending is not a success. */
static void code_202_with_pending_is_pending(void **state)
{
    (void)state;
    engine_issues(&e, &(struct ca_plan){ONE, .code202 = true, .authz_looks = 5}, NULL);
    counts_are(CA_AUTHZ, 1 + 6);
    counts_are(CA_FINALIZE, 1);
}

static void polls_grow_to_ten_seconds(void **state)
{
    (void)state;
    engine_issues(&e, &(struct ca_plan){ONE, .authz_looks = 8}, NULL);
    const uint32_t expected[] = {500, 1000, 2000, 4000, 8000, 10000, 10000, 10000, 10000};
    assert_int_equal(e.waits, LEN(expected));
    for (unsigned i = 0; i < e.waits; i++) {
        assert_int_equal(e.wait[i].ms, expected[i]);
        assert_int_equal(e.wait[i].error, 0);
    }
}

/* --- 1-6 nonces */

static void bad_nonce_in_a_row(void **state)
{
    (void)state;
    for (unsigned times = 1; times <= 20; times++) {
        const struct ca_twist t[] = {
            {CA_NEW_ORDER, 1, times, CA_SAY, "HTTP/1.1 400 Bad\r\n" PROBLEM, "{\"type\":\"" URN "badNonce\"}"}};
        engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
        counts_are(CA_NEW_ORDER, times + 1);
        assert_int_equal(e.ca.order_count, 1);
        /* a pause after every six, each twice as long as the one before */
        uint32_t pauses = 0;
        for (unsigned i = 0; i < times / ACME_NONCE_TRIES; i++) {
            pauses += 5000u << i;
        }
        assert_int_equal(e.elapsed_ms, pauses + ACME_POLL_FIRST_MS);
        counts_are(CA_NONCE, 1 + times / ACME_NONCE_TRIES);
    }
}

static void bad_nonce_for_ever_ends(void **state)
{
    (void)state;
    const struct ca_twist t[] = {
        {CA_NEW_ORDER, 1, CA_FOREVER, CA_SAY, "HTTP/1.1 400 Bad\r\n" PROBLEM, "{\"type\":\"" URN "badNonce\"}"}};
    fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, ACME_E_NONCE);
    assert_true(e.ca.requests < 80);
}

static void bad_nonce_without_a_nonce(void **state)
{
    (void)state;
    const struct ca_twist t[] = {
        {CA_NEW_ORDER, 1, CA_FOREVER, CA_SAY, "HTTP/1.1 400 Bad\r\n" PROBLEM, "{\"type\":\"" URN "badNonce\"}", ""}};
    fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, ACME_E_NONCE);
    assert_true(e.ca.requests < 160);
}

static void error_without_nonce_asks_for_one(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_CHALLENGE, 1, 0, CA_SAY, "HTTP/1.1 500 Oh\r\n" PROBLEM, "{}", ""}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
    counts_are(CA_NONCE, 2);
}

static void success_without_nonce_asks_for_one(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_NEW_ACCOUNT, 1, 0, CA_ADD, NULL, NULL, ""},
                                 {CA_NEW_ORDER, 1, 0, CA_ADD, NULL, NULL, ""},
                                 {CA_AUTHZ, 2, 0, CA_ADD, NULL, NULL, ""}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
    counts_are(CA_NONCE, 4);
}

static void long_nonces(void **state)
{
    (void)state;
    engine_issues(&e, &(struct ca_plan){ONE, .nonce_len = 51}, NULL);
    counts_are(CA_NONCE, 1);
    engine_issues(&e, &(struct ca_plan){ONE, .nonce_len = ACME_NONCE_MAX}, NULL);
    counts_are(CA_NONCE, 1);
    /* only some are too long for us: one more request each */
    char big[201];
    memset(big, 'b', 200);
    big[200] = '\0';
    const struct ca_twist t[] = {{CA_NEW_ACCOUNT, 1, 0, CA_ADD, NULL, NULL, big},
                                 {CA_AUTHZ, 1, 2, CA_ADD, NULL, NULL, big}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
    counts_are(CA_NONCE, 4);
    fails_with(&(struct ca_plan){ONE, .nonce_len = 200}, NULL, ACME_E_NONCE);
}

static void illegal_nonces_are_ignored(void **state)
{
    (void)state;
    static const char *const bad[] = {"a=", "a b", "a\"b", "a+b", "a/b", "\x80", "a.b"};
    for (unsigned i = 0; i < LEN(bad); i++) {
        const struct ca_twist t[] = {{CA_NEW_ACCOUNT, 1, 0, CA_ADD, NULL, NULL, bad[i]}};
        engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
        counts_are(CA_NONCE, 2);
    }
}

static void newnonce_without_nonce_ends(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_NONCE, 1, CA_FOREVER, CA_ADD, NULL, NULL, ""}};
    fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, ACME_E_NONCE);
    assert_true(e.ca.count[CA_NONCE] <= ACME_FAULT_TRIES + 1);
}

static void old_nonces_are_dropped(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_CHALLENGE, 1, 0, CA_ADD, "Retry-After: 60\r\n"}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
    counts_are(CA_NONCE, 2);
}

static void new_nonce_may_say_204(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_NONCE, 1, 0, CA_SAY, "HTTP/1.1 204 No Content\r\n"}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
}

/* --- 6, 60 lost answers */

static void lost_answers(void **state)
{
    (void)state;
    needs_names(2);
    for (unsigned kind = CA_DIRECTORY; kind < CA_KINDS; kind++) {
        for (unsigned after = 0; after < 2; after++) {
            for (unsigned times = 1; times <= 3; times++) {
                const struct ca_twist t[] = {{(enum ca_kind)kind, 1, times, after ? CA_DO_AND_CUT : CA_CUT}};
                const struct engine_way unclean = {.unclean = true};
                engine_issues(&e,
                              &(struct ca_plan){TWO, .authz_looks = 1, .processing = 1, TWISTED(t), .reuse = true},
                              times == 2 ? &unclean : NULL);
                assert_int_equal(e.ca.accounts, 1);
                assert_int_equal(e.ca.order_count, 1);
                assert_true(e.ca.requests < 40);
            }
        }
    }
}

static void torn_answers(void **state)
{
    (void)state;
    for (unsigned kind = CA_DIRECTORY; kind < CA_KINDS; kind++) {
        const struct ca_twist t[] = {{(enum ca_kind)kind, 1, 0, CA_SAY, NULL, NULL, NULL,
                                      "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"sta"}};
        if (kind != CA_NONCE) {
            engine_issues(&e, &(struct ca_plan){ONE, .processing = 1, TWISTED(t)}, NULL);
        }
    }
}

static void a_post_that_always_cuts_is_given_up(void **state)
{
    (void)state;
    for (unsigned kind = CA_NEW_ACCOUNT; kind < CA_KINDS; kind++) {
        const struct ca_twist t[] = {{(enum ca_kind)kind, 1, CA_FOREVER, CA_CUT}};
        engine_play(&e, &(struct ca_plan){ONE, .processing = 1, TWISTED(t)}, NULL);
        assert_int_not_equal(e.error, 0);
        assert_int_not_equal(e.error, ENGINE_ENDLESS);
        assert_true(e.ca.count[kind] <= 12);
        engine_free(&e);
    }
}

static void idle_connection_dropped(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_AUTHZ, 2, 0, CA_CUT}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
    assert_int_equal(e.elapsed_ms, ACME_POLL_FIRST_MS); /* no pause: it was the kept connection's fault */
    assert_int_equal(e.connections, 2);
}

/* A proxy in front of the CA may close after each answer without saying so: a few drops tell, then nothing is kept. */
static void connections_closed_without_a_word(void **state)
{
    (void)state;
    engine_issues(&e, &(struct ca_plan){ONE, .mute = true}, NULL);
    assert_in_range(e.connections, 10, 16);
    assert_in_range(e.elapsed_ms, 0, 6000);
}

/* --- 13 accounts */

static void account_lost(void **state)
{
    (void)state;
    static const enum ca_kind kinds[] = {CA_NEW_ORDER, CA_AUTHZ, CA_CHALLENGE, CA_FINALIZE, CA_CERTIFICATE};
    for (unsigned i = 0; i < LEN(kinds); i++) {
        const struct ca_twist t[] = {
            {kinds[i], 1, 0, CA_SAY, "HTTP/1.1 400 Bad\r\n" PROBLEM, "{\"type\":\"" URN "accountDoesNotExist\"}"}};
        engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
        counts_are(CA_NEW_ACCOUNT, 2);
        assert_true(e.flow.drop_order);
    }
    const struct ca_twist ever[] = {{CA_NEW_ORDER, 1, CA_FOREVER, CA_SAY, "HTTP/1.1 400 Bad\r\n" PROBLEM,
                                     "{\"type\":\"" URN "accountDoesNotExist\"}"}};
    fails_with(&(struct ca_plan){ONE, TWISTED(ever)}, NULL, ACME_E_ACCOUNT);
    counts_are(CA_NEW_ACCOUNT, 2);
}

static void new_terms_at_any_step(void **state)
{
    (void)state;
    static const enum ca_kind kinds[] = {CA_NEW_ACCOUNT, CA_NEW_ORDER, CA_FINALIZE};
    for (unsigned i = 0; i < LEN(kinds); i++) {
        const struct ca_twist t[] = {
            {kinds[i], 1, 0, CA_SAY, "HTTP/1.1 403 No\r\n" PROBLEM, "{\"type\":\"" URN "userActionRequired\"}"}};
        fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, ACME_E_TERMS);
    }
}

static void account_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int error;
    } rows[] = {{URN "userActionRequired", ACME_E_TERMS},
                {"urn:acme:error:agreementRequired", ACME_E_TERMS},
                {URN "externalAccountRequired", ACME_E_EAB},
                {URN "invalidContact", ACME_E_PROBLEM}};
    for (unsigned i = 0; i < LEN(rows); i++) {
        char body[128];
        snprintf(body, sizeof body, "{\"type\":\"%s\"}", rows[i].type);
        const struct ca_twist t[] = {{CA_NEW_ACCOUNT, 1, 0, CA_SAY, "HTTP/1.1 403 No\r\n" PROBLEM, body}};
        fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, rows[i].error);
    }
    static const char *const words[] = {"deactivated", "revoked"};
    for (unsigned i = 0; i < 2; i++) {
        char body[128];
        snprintf(body, sizeof body, "{\"status\":\"%s\"}", words[i]);
        const struct ca_twist t[] = {{CA_NEW_ACCOUNT, 1, 0, CA_ADD, NULL, body}};
        fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, ACME_E_ACCOUNT);
    }
}

/* --- 18-38 orders and authorizations */

static void orders_born_in_any_state(void **state)
{
    (void)state;
    needs_names(2);
    engine_issues(&e, &(struct ca_plan){TWO, .born = "ready"}, NULL);
    counts_are(CA_AUTHZ, 0);
    assert_int_equal(e.elapsed_ms, 0);
    engine_issues(&e, &(struct ca_plan){TWO, .born_valid = 2}, NULL);
    counts_are(CA_CHALLENGE, 0);
    engine_issues(&e, &(struct ca_plan){TWO, .born_valid = 1}, NULL);
    counts_are(CA_CHALLENGE, 1);
}

static void valid_authorizations_cost_no_time(void **state)
{
    (void)state;
    needs_names(2);
    engine_issues(&e, &(struct ca_plan){TWO, .born_valid = 2}, NULL);
    assert_int_equal(e.elapsed_ms, 0);
}

static void order_that_lags(void **state)
{
    (void)state;
    needs_names(2);
    engine_issues(&e, &(struct ca_plan){TWO, .lag = 5}, NULL);
    counts_are(CA_FINALIZE, 2);
    counts_are(CA_ORDER, 5);
}

static void order_that_never_gets_ready_ends(void **state)
{
    (void)state;
    fails_with(&(struct ca_plan){ONE, .lag = CA_FOREVER}, NULL, ACME_E_BUDGET);
    assert_true(e.elapsed_ms >= ACME_STEP_BUDGET_S * 1000u);
    assert_true(e.elapsed_ms < (ACME_STEP_BUDGET_S + 60) * 1000u);
}

static void processing_for_long(void **state)
{
    (void)state;
    engine_issues(&e, &(struct ca_plan){ONE, .processing = 100}, NULL);
    counts_are(CA_FINALIZE, 1);
    fails_with(&(struct ca_plan){ONE, .processing = CA_FOREVER}, NULL, ACME_E_BUDGET);
    counts_are(CA_FINALIZE, 1);
}

static void names_and_authorizations_in_other_orders(void **state)
{
    (void)state;
    needs_names(3);
    engine_issues(&e,
                  &(struct ca_plan){.names = {"z.example", "a.example", "m.example"},
                                    .name_count = 3,
                                    .reversed = true,
                                    .shuffled = true,
                                    .minimal = true,
                                    .authz_looks = 2},
                  NULL);
}

static void later_orders_without_authorizations(void **state)
{
    (void)state;
    needs_names(2);
    engine_issues(&e, &(struct ca_plan){TWO, .forgetful = true, .processing = 2, .lag = 2}, NULL);
}

static void stepca_leaves_failures_pending(void **state)
{
    (void)state;
    engine_issues(&e, &(struct ca_plan){ONE, .failures = 3}, NULL);
    counts_are(CA_CHALLENGE, 4);
    fails_with(&(struct ca_plan){ONE, .failures = 50}, NULL, ACME_E_AUTHZ);
    counts_are(CA_CHALLENGE, 4);
    assert_string_equal(e.failure_type, URN "connection");
}

static void failed_validation_is_told_and_final(void **state)
{
    (void)state;
    const struct ca_plan plan = {
        ONE, .authz_end = "invalid",
        .challenge = ",\"error\":{\"type\":\"" URN "incorrectResponse\",\"detail\":\"got \\u201cx\\u201d\","
                     "\"subproblems\":[{\"type\":\"" URN "dns\",\"identifier\":{\"type\":\"dns\",\"value\":"
                     "\"a.example\"}},{\"type\":\"" URN "caa\"}]}"};
    fails_with(&plan, NULL, ACME_E_AUTHZ);
    counts_are(CA_CHALLENGE, 1);
    assert_int_equal(e.problems, 3);
    assert_string_equal(e.problem_type[0], URN "incorrectResponse");
    assert_string_equal(e.problem_name[1], "a.example");
    assert_string_equal(e.problem_type[2], URN "caa");
    assert_string_equal(e.failure_type, URN "incorrectResponse");
    assert_string_equal(e.failure_detail, "got ???x???");
}

static void authorization_ends_badly(void **state)
{
    (void)state;
    static const char *const words[] = {"invalid", "deactivated", "expired", "revoked"};
    for (unsigned i = 0; i < LEN(words); i++) {
        fails_with(&(struct ca_plan){ONE, .authz_end = words[i]}, NULL, ACME_E_AUTHZ);
        counts_are(CA_AUTHZ, 2);
    }
    fails_with(&(struct ca_plan){ONE, .authz_end = "quantum"}, NULL, ACME_E_STATUS);
    assert_true(e.elapsed_ms >= ACME_STEP_BUDGET_S * 1000u);
}

static void challenge_answered_already(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        /* our response arrived, its answer was lost, and the repetition is refused */
        const struct ca_twist t[] = {{CA_CHALLENGE, 1, 0, CA_DO_AND_CUT}};
        engine_issues(&e, &(struct ca_plan){ONE, .authz_looks = 3, .not_pending = i ? "conflict" : NULL, TWISTED(t)},
                      NULL);
        assert_true(e.ca.count[CA_CHALLENGE] <= 2);
    }
}

static void order_ends_badly(void **state)
{
    (void)state;
    static const char *const bodies[] = {"{\"status\":\"invalid\",\"error\":{\"type\":\"" URN "badCSR\"}}",
                                         "{\"status\":\"invalid\"}", "{\"status\":\"deactivated\"}",
                                         "{\"status\":\"expired\"}", "{\"status\":\"revoked\"}"};
    for (unsigned i = 0; i < LEN(bodies); i++) {
        const struct ca_twist t[] = {{CA_FINALIZE, 1, 0, CA_DO_AND_SAY, "HTTP/1.1 200 OK\r\n", bodies[i]}};
        fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, ACME_E_ORDER);
        assert_string_equal(e.failure_type, i == 0 ? URN "badCSR" : "");
    }
}

static void valid_without_certificate_is_asked_again(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_FINALIZE, 1, 0, CA_DO_AND_SAY, "HTTP/1.1 200 OK\r\n", "{\"status\":\"valid\"}"}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
    counts_are(CA_ORDER, 1);
}

static void unknown_order_status_waits(void **state)
{
    (void)state;
    const struct ca_twist t[] = {
        {CA_FINALIZE, 1, 0, CA_DO_AND_SAY, "HTTP/1.1 200 OK\r\n", "{\"status\":\"quantum\"}"},
        {CA_ORDER, 1, 3, CA_DO_AND_SAY, "HTTP/1.1 200 OK\r\n", "{\"status\":\"quantum\"}"}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
    const struct ca_twist ever[] = {
        {CA_FINALIZE, 1, 0, CA_DO_AND_SAY, "HTTP/1.1 200 OK\r\n", "{\"status\":\"quantum\"}"},
        {CA_ORDER, 1, CA_FOREVER, CA_DO_AND_SAY, "HTTP/1.1 200 OK\r\n", "{\"status\":\"quantum\"}"}};
    fails_with(&(struct ca_plan){ONE, TWISTED(ever)}, NULL, ACME_E_STATUS);
}

static void finalize_refused(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_FINALIZE, 1, 0, CA_SAY, "HTTP/1.1 400 Bad\r\n" PROBLEM,
                                  "{\"type\":\"" URN "badCSR\",\"detail\":\"no\"}"}};
    fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, ACME_E_PROBLEM);
    assert_string_equal(e.failure_type, URN "badCSR");
    assert_string_equal(e.failure_detail, "no");
}

static void tokens_are_checked(void **state)
{
    (void)state;
    static const char *const tokens[] = {"../../etc/passwd", "a b", "", "a\\u0000b", "x=", "\\n"};
    char body[600];
    for (unsigned i = 0; i <= LEN(tokens); i++) {
        char longer[ACME_TOKEN_MAX + 2];
        memset(longer, 't', sizeof longer - 1);
        longer[sizeof longer - 1] = '\0';
        snprintf(
            body, sizeof body,
            "{\"status\":\"pending\",\"identifier\":{\"value\":\"a.example\"},\"challenges\":[{\"type\":\"http-01\","
            "\"url\":\"" CA_URL "/chall/1/0\",\"token\":\"%s\"}]}",
            i < LEN(tokens) ? tokens[i] : longer);
        const struct ca_twist t[] = {{CA_AUTHZ, 1, 0, CA_SAY, "HTTP/1.1 200 OK\r\n", body}};
        fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, ACME_E_TOKEN);
        assert_int_equal(e.presents, 0);
    }
}

/* The order was finalized, and finalize says that it is not ready: it is valid (Posh-ACME#401). */
static void finalize_of_a_valid_order(void **state)
{
    (void)state;
    const struct ca_twist t[] = {
        {CA_FINALIZE, 1, 0, CA_DO_AND_SAY, "HTTP/1.1 403 No\r\n" PROBLEM, "{\"type\":\"" URN "orderNotReady\"}"}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
    counts_are(CA_FINALIZE, 1);
}

/* --- 41, 52, 54 problems */

static void problem_is_told_whole(void **state)
{
    (void)state;
    char detail[1500], body[2400];
    memset(detail, 'J', sizeof detail - 1); /* a paused account's URL with a token in it */
    detail[sizeof detail - 1] = '\0';
    snprintf(body, sizeof body,
             "{\"subproblems\":[{\"type\":\"" URN
             "caa\",\"detail\":\"one\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"}},"
             "{\"type\":\"" URN "dns\",\"detail\":\"two\\u001b[2J\\r\\n\",\"identifier\":{\"value\":\"b\\u0007\"}}],"
             "\"detail\":\"%s\",\"type\":\"" URN "compound\",\"status\":\"403\"}",
             detail);
    const struct ca_twist t[] = {{CA_NEW_ORDER, 1, 0, CA_SAY, "HTTP/1.1 403 No\r\n" PROBLEM, body}};
    fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, ACME_E_PROBLEM);
    assert_int_equal(e.problems, 3);
    assert_string_equal(e.problem_type[0], URN "compound");
    assert_string_equal(e.problem_type[1], URN "caa");
    assert_string_equal(e.problem_name[1], "a.example");
    assert_string_equal(e.problem_type[2], URN "dns");
    assert_string_equal(e.problem_name[2], "b?");
    assert_string_equal(e.problem_detail, "two?[2J? ");
}

static void problems_by_body_not_by_code_or_type(void **state)
{
    (void)state;
    static const char *const heads[] = {
        ("HTTP/1.1 200 OK\r\n" PROBLEM),
        "HTTP/1.1 201 OK\r\nContent-Type: APPLICATION/Problem+JSON ;charset=utf-8\r\n",
        "HTTP/1.1 400 Bad\r\nContent-Type: application/json\r\n", "HTTP/1.1 499 Bad\r\n"};
    for (unsigned i = 0; i < LEN(heads); i++) {
        for (unsigned kind = CA_NEW_ACCOUNT; kind < CA_KINDS; kind++) {
            const struct ca_twist t[] = {
                {(enum ca_kind)kind, 1, CA_FOREVER, CA_SAY, heads[i], "{\"type\":\"" URN "rejectedIdentifier\"}"}};
            fails_with(&(struct ca_plan){ONE, .processing = 1, TWISTED(t)}, NULL, ACME_E_PROBLEM);
            assert_string_equal(e.failure_type, URN "rejectedIdentifier");
        }
    }
}

static void errors_without_a_problem(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "<html>no</html>", "[]", "{}", "{\"type\":7}", "{\"type\":null}"};
    for (unsigned i = 0; i < LEN(bodies); i++) {
        const struct ca_twist t[] = {{CA_NEW_ORDER, 1, 0, CA_SAY, "HTTP/1.1 403 No\r\n" PROBLEM, bodies[i]}};
        fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, ACME_E_HTTP_STATUS);
    }
}

/* --- 44-49 throttling and failing servers */

static void rate_limited(void **state)
{
    (void)state;
    static const struct {
        const char *after;
        uint32_t retry_s; /* 0: waited for */
        uint32_t wait_ms;
    } rows[] = {{"Retry-After: 7\r\n", 0, 7000},
                {"Retry-After: 300\r\n", 0, 300000},
                {"Date: Mon, 21 Sep 2020 10:00:00 GMT\r\nRetry-After: Mon, 21 Sep 2020 10:00:40 GMT\r\n", 0, 40000},
                {"Retry-After: 0\r\n", 0, 1000},
                {"Retry-After: 301\r\n", 301, 0},
                {"Retry-After: 86400\r\n", 86400, 0},
                {"Retry-After: 99999999999999\r\n", 86400, 0},
                {"Retry-After: -1\r\n", 86400, 0},
                {"", 86400, 0}};
    for (unsigned i = 0; i < LEN(rows); i++) {
        char head[256];
        snprintf(head, sizeof head, "HTTP/1.1 429 Slow\r\n" PROBLEM "%s", rows[i].after);
        const struct ca_twist t[] = {{CA_NEW_ORDER, 1, 0, CA_SAY, head, "{\"type\":\"" URN "rateLimited\"}"}};
        const struct ca_plan plan = {ONE, TWISTED(t)};
        if (rows[i].retry_s == 0) {
            engine_issues(&e, &plan, NULL);
            assert_int_equal(e.wait[0].ms, rows[i].wait_ms);
            assert_int_equal(e.wait[0].error, ACME_E_RATE_LIMITED);
        } else {
            fails_with(&plan, NULL, ACME_E_RATE_LIMITED);
            assert_int_equal(e.x.retry_s, rows[i].retry_s);
        }
    }
}

static void throttled_for_ever_ends(void **state)
{
    (void)state;
    static const char *const nonces[] = {NULL, ""};
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned kind = CA_DIRECTORY; kind < CA_KINDS; kind++) {
            if (kind == CA_NONCE && nonces[i] == NULL) {
                continue; /* an error that brings what was asked for is none */
            }
            const struct ca_twist t[] = {{(enum ca_kind)kind, 1, CA_FOREVER, CA_SAY,
                                          "HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Type: text/html\r\n",
                                          "<html>", nonces[i]}};
            fails_with(&(struct ca_plan){ONE, .processing = 1, TWISTED(t)}, NULL, ACME_E_RATE_LIMITED);
            assert_true(e.ca.count[kind] < 10);
        }
    }
}

static void busy_once_is_waited_for(void **state)
{
    (void)state;
    for (unsigned kind = CA_DIRECTORY; kind < CA_KINDS; kind++) {
        const struct ca_twist t[] = {{(enum ca_kind)kind, 1, 2, CA_SAY,
                                      "HTTP/1.1 503 Busy\r\nRetry-After: 20\r\nContent-Type: text/html\r\n", "<html>",
                                      ""}};
        engine_issues(&e, &(struct ca_plan){ONE, .processing = 1, TWISTED(t)}, NULL);
        assert_true(e.elapsed_ms >= 40000);
    }
}

static void server_error_is_tried_again(void **state)
{
    (void)state;
    for (unsigned kind = CA_DIRECTORY; kind < CA_KINDS; kind++) {
        const struct ca_twist t[] = {{(enum ca_kind)kind, 1, 3, CA_SAY,
                                      "HTTP/1.1 500 Oh\r\nRetry-After: 60\r\n" PROBLEM,
                                      "{\"type\":\"" URN "serverInternal\"}"}};
        engine_issues(&e, &(struct ca_plan){ONE, .processing = 1, TWISTED(t)}, NULL);
        assert_true(e.elapsed_ms >= 3 * 60000);
    }
}

static void failing_server_is_given_up(void **state)
{
    (void)state;
    static const char *const nonces[] = {NULL, ""};
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned kind = CA_DIRECTORY; kind < CA_KINDS; kind++) {
            if (kind == CA_NONCE && nonces[i] == NULL) {
                continue; /* an error that brings what was asked for is none */
            }
            const struct ca_twist t[] = {{(enum ca_kind)kind, 1, CA_FOREVER, CA_SAY,
                                          "HTTP/1.1 502 Oh\r\nContent-Type: text/html\r\n", "<html>", nonces[i]}};
            fails_with(&(struct ca_plan){ONE, .processing = 1, TWISTED(t)}, NULL, ACME_E_HTTP_STATUS);
            assert_true(e.ca.count[kind] < 12);
        }
    }
}

static void no_stale_words_after_a_network_failure(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_NEW_ORDER, 1, CA_FOREVER, CA_SAY,
                                  "HTTP/1.1 500 Oh\r\nConnection: close\r\n" PROBLEM,
                                  "{\"type\":\"" URN "serverInternal\",\"detail\":\"sorry\"}"}};
    const struct engine_way way = {.down_after = 5};
    fails_with(&(struct ca_plan){ONE, .close = true, TWISTED(t)}, &way, ACME_E_REFUSED);
    assert_true(e.failure_type[0] == '\0' || strcmp(e.failure_type, URN "serverInternal") == 0);
    assert_true(e.failure_detail[0] == '\0' || strcmp(e.failure_detail, "sorry") == 0);
}

static void retry_after_while_polling(void **state)
{
    (void)state;
    static const struct {
        const char *after;
        uint32_t wait_ms;
    } rows[] = {{"Retry-After: 3\r\n", 3000},
                {"Retry-After: 0\r\n", 500},
                {"Retry-After: -4\r\n", 500},
                {"Retry-After: soon\r\n", 500},
                {"Retry-After: 86400\r\n", 300000},
                {"Date: Mon, 21 Sep 2020 10:00:00 GMT\r\nRetry-After: Mon, 21 Sep 2020 10:00:09 GMT\r\n", 9000},
                {"Date: Mon, 21 Sep 2020 10:00:00 GMT\r\nRetry-After: Mon, 21 Sep 2020 09:00:00 GMT\r\n", 500}};
    for (unsigned i = 0; i < LEN(rows); i++) {
        const struct ca_twist t[] = {{CA_CHALLENGE, 1, 0, CA_ADD, rows[i].after},
                                     {CA_FINALIZE, 1, 0, CA_ADD, rows[i].after}};
        engine_issues(&e, &(struct ca_plan){ONE, .processing = 1, TWISTED(t)}, NULL);
        assert_int_equal(e.waits, 2);
        assert_int_equal(e.wait[0].ms, rows[i].wait_ms);
        assert_int_equal(e.wait[1].ms, rows[i].wait_ms);
    }
}

static void retry_after_where_nothing_is_polled(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_DIRECTORY, 1, 0, CA_ADD, "Retry-After: 50\r\n"},
                                 {CA_NEW_ACCOUNT, 1, 0, CA_ADD, "Retry-After: 50\r\n"},
                                 {CA_NEW_ORDER, 1, 0, CA_ADD, "Retry-After: 50\r\n"},
                                 {CA_AUTHZ, 2, 0, CA_ADD, "Retry-After: 50\r\n"},
                                 {CA_FINALIZE, 1, 0, CA_ADD, "Retry-After: 50\r\n"}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
    assert_int_equal(e.elapsed_ms, ACME_POLL_FIRST_MS);
}

/* --- 57-69 HTTP */

static void every_answer_closes(void **state)
{
    (void)state;
    engine_issues(&e, &(struct ca_plan){ONE, .close = true}, NULL);
    assert_int_equal(e.connections, e.ca.requests);
    assert_int_equal(e.elapsed_ms, ACME_POLL_FIRST_MS);
}

static void odd_framing(void **state)
{
    (void)state;
    static const char dir[] = "{\"newNonce\":\"" CA_URL "/nonce\",\"newAccount\":\"" CA_URL
                              "/new-account\",\"newOrder\":\"" CA_URL "/new-order\"}";
    static const char *const heads[] = {
        "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200\nX-Long: ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"};
    char raw[9000];
    for (unsigned i = 0; i < LEN(heads); i++) {
        size_t at = (size_t)snprintf(raw, sizeof raw, "%s", heads[i]);
        if (i == 2) {
            memset(raw + at, 'h', 6000);
            strcpy(raw + at + 6000, "\n\n");
        }
        if (i == 3) { /* in two chunks, with an extension and a trailer */
            snprintf(raw + at, sizeof raw - at, "A;x=\"y\"\r\n%.10s\r\n%zX\r\n%s\r\n0\r\nX: y\r\n\r\n", dir,
                     strlen(dir) - 10, dir + 10);
        } else {
            strcat(raw, dir);
        }
        const struct ca_twist t[] = {{CA_DIRECTORY, 1, 0, CA_SAY, NULL, NULL, NULL, raw}};
        engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
        /* without close_notify a body that ends with the connection is not whole */
        const struct engine_way way = {.unclean = true};
        engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, &way);
        counts_are(CA_DIRECTORY, i == 3 ? 1 : 2);
    }
}

static void directory_redirects(void **state)
{
    (void)state;
    static const char *const more[] = {"other.test"};
    static const struct {
        const char *location;
        int error;
    } rows[] = {{"/dir", 0},
                {CA_URL "/dir", 0},
                {"https://CA.test:443/dir", ACME_OK},
                {"//" CA_HOST "/dir", ACME_E_URL_SCHEME}, /* a form nobody uses: refused */
                {"http://" CA_HOST "/dir", ACME_E_URL_SCHEME},
                {"https://elsewhere.test/dir", ACME_E_URL_HOST},
                {"https://" CA_HOST "@elsewhere.test/dir", ACME_E_URL},
                {"https://" CA_HOST ":444/dir", ACME_E_URL_HOST},
                {"https://other.test/dir", 0},
                {"", ACME_E_REDIRECT}};
    static const unsigned codes[] = {301, 302, 303, 307, 308};
    for (unsigned i = 0; i < LEN(rows); i++) {
        char head[256];
        snprintf(head, sizeof head, "HTTP/1.1 %u Moved\r\n%s%s%s", codes[i % 5],
                 rows[i].location[0] ? "Location: " : "", rows[i].location, rows[i].location[0] ? "\r\n" : "");
        const struct ca_twist t[] = {{CA_DIRECTORY, 1, 0, CA_SAY, head, "<a>"}};
        const struct engine_way way = {.more_hosts = more, .more_host_count = 1};
        engine_play(&e, &(struct ca_plan){ONE, TWISTED(t)}, &way);
        if (e.error != rows[i].error) {
            print_message("redirect to %s\n", rows[i].location);
        }
        assert_int_equal(e.error, rows[i].error);
        engine_free(&e);
    }
    const struct ca_twist thrice[] = {{CA_DIRECTORY, 1, 3, CA_SAY, "HTTP/1.1 302 Moved\r\nLocation: /dir\r\n"}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(thrice)}, NULL);
    const struct ca_twist ever[] = {
        {CA_DIRECTORY, 1, CA_FOREVER, CA_SAY, "HTTP/1.1 302 Moved\r\nLocation: /dir\r\n"}};
    fails_with(&(struct ca_plan){ONE, TWISTED(ever)}, NULL, ACME_E_REDIRECT);
    counts_are(CA_DIRECTORY, 4);
}

static void signed_requests_follow_no_redirect(void **state)
{
    (void)state;
    for (unsigned kind = CA_NONCE; kind < CA_KINDS; kind++) {
        const struct ca_twist t[] = {
            {(enum ca_kind)kind, 1, 0, CA_SAY, "HTTP/1.1 307 Moved\r\nLocation: " CA_URL "/dir\r\n"}};
        fails_with(&(struct ca_plan){ONE, .processing = 1, TWISTED(t)}, NULL, ACME_E_REDIRECT);
    }
}

static void foreign_hosts(void **state)
{
    (void)state;
    fails_with(&(struct ca_plan){ONE, .other_host = "elsewhere.test"}, NULL, ACME_E_URL_HOST);
    assert_int_equal(e.ca.requests, 1);
    static const char *const more[] = {"cdn.test:8443", "Other.test"};
    const struct engine_way way = {.more_hosts = more, .more_host_count = 2};
    engine_issues(&e, &(struct ca_plan){ONE, .other_host = "other.test"}, &way);
    assert_true(e.connections > 1);
    engine_issues(&e, &(struct ca_plan){ONE, .other_host = "cdn.test:8443"}, &way);
    fails_with(&(struct ca_plan){ONE, .other_host = "cdn.test"}, &way, ACME_E_URL_HOST);
    fails_with(&(struct ca_plan){ONE, .other_host = "other.test.evil.test"}, &way, ACME_E_URL_HOST);
}

static void directory_is_not_json(void **state)
{
    (void)state;
    static const char *const bodies[] = {"<html>Sign in</html>", "", "[]", "{\"newNonce\":7}",
                                         "{\"newNonce\":null}",  "{"};
    static const int errors[] = {ACME_E_JSON,   ACME_E_MEMBER, ACME_E_MEMBER,
                                 ACME_E_MEMBER, ACME_E_MEMBER, ACME_E_JSON};
    for (unsigned i = 0; i < LEN(bodies); i++) {
        const struct ca_twist t[] = {
            {CA_DIRECTORY, 1, 0, CA_SAY, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", bodies[i]}};
        fails_with(&(struct ca_plan){ONE, TWISTED(t)}, NULL, errors[i]);
    }
}

static void deep_and_big_answers(void **state)
{
    (void)state;
    char body[8000];
    memset(body, '[', 100);
    body[100] = '\0';
    const struct ca_twist deep[] = {{CA_NEW_ORDER, 1, 0, CA_SAY, "HTTP/1.1 201 OK\r\n", body}};
    fails_with(&(struct ca_plan){ONE, TWISTED(deep)}, NULL, ACME_E_JSON_DEPTH);
    memset(body, ' ', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    const struct ca_twist big[] = {{CA_NEW_ORDER, 1, 0, CA_SAY, "HTTP/1.1 201 OK\r\n", body}};
    fails_with(&(struct ca_plan){ONE, TWISTED(big)}, NULL, ACME_E_BODY_BIG);
    strcpy(body, "[");
    for (unsigned i = 0; i < 900; i++) {
        strcat(body, i == 0 ? "1" : ",1");
    }
    strcat(body, "]");
    const struct ca_twist many[] = {{CA_NEW_ORDER, 1, 0, CA_SAY, "HTTP/1.1 201 OK\r\n", body}};
    fails_with(&(struct ca_plan){ONE, TWISTED(many)}, NULL, ACME_E_JSON_TOKENS);
}

static void long_urls(void **state)
{
    (void)state;
    char url[ACME_URL_MAX + 2] = CA_URL "/";
    char text[1200];
    memset(url + strlen(url), 'u', sizeof url - strlen(url) - 1);
    url[sizeof url - 1] = '\0';
    snprintf(text, sizeof text, "HTTP/1.1 201 OK\r\nLocation: %s\r\n", url);
    const struct ca_twist location[] = {{CA_NEW_ACCOUNT, 1, 0, CA_SAY, text, "{\"status\":\"valid\"}"}};
    fails_with(&(struct ca_plan){ONE, TWISTED(location)}, NULL, ACME_E_HTTP_LONG);
    snprintf(text, sizeof text, "{\"status\":\"pending\",\"authorizations\":[\"%s\"],\"finalize\":\"" CA_URL "/f\"}",
             url);
    const struct ca_twist authz[] = {{CA_NEW_ORDER, 1, 0, CA_ADD, NULL, text}};
    fails_with(&(struct ca_plan){ONE, TWISTED(authz)}, NULL, ACME_E_URL_LONG);
    counts_are(CA_AUTHZ, 0);
}

static void stale_directory_is_read_again(void **state)
{
    (void)state;
    /* a stored order that is gone, and a newOrder URL that moved */
    const struct ca_twist t[] = {
        {CA_ORDER, 1, 0, CA_SAY, "HTTP/1.1 404 Gone\r\n" PROBLEM, "{\"type\":\"" URN "malformed\"}"},
        {CA_NEW_ORDER, 1, 0, CA_SAY, "HTTP/1.1 404 Gone\r\n", "gone"}};
    const struct engine_way way = {.resumed = CA_URL "/order/1"};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, &way);
    counts_are(CA_DIRECTORY, 1);
    counts_are(CA_NEW_ORDER, 2);
    const struct ca_twist nonce[] = {
        {CA_ORDER, 1, 0, CA_SAY, "HTTP/1.1 404 Gone\r\n" PROBLEM, "{\"type\":\"" URN "malformed\"}"},
        {CA_NONCE, 1, 0, CA_SAY, "HTTP/1.1 405 No\r\n", "", ""}};
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(nonce)}, &way);
    counts_are(CA_DIRECTORY, 1);
}

/* --- 82 the certificate */

static void certificate_is_late(void **state)
{
    (void)state;
    static const char *const heads[] = {"HTTP/1.1 404 Not yet\r\n" PROBLEM, "HTTP/1.1 403 Not yet\r\n"};
    for (unsigned i = 0; i < 2; i++) {
        const struct ca_twist t[] = {{CA_CERTIFICATE, 1, 3, CA_SAY, heads[i], "{\"type\":\"" URN "malformed\"}"}};
        engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
        counts_are(CA_CERTIFICATE, 4);
        assert_true(e.elapsed_ms >= ACME_POLL_FIRST_MS + 3 * ACME_POLL_FIRST_MS);
        assert_true(e.elapsed_ms >= 3000); /* replicas lag for seconds, not for halves of one */
    }
    const struct ca_twist ever[] = {
        {CA_CERTIFICATE, 1, CA_FOREVER, CA_SAY, heads[0], "{\"type\":\"" URN "malformed\"}"}};
    fails_with(&(struct ca_plan){ONE, TWISTED(ever)}, NULL, ACME_E_PROBLEM);
    assert_true(e.ca.count[CA_CERTIFICATE] < 10);
}

static void finalize_that_fails_for_ever_is_not_hammered(void **state)
{
    (void)state;
    const struct ca_twist t[] = {
        {CA_FINALIZE, 1, CA_FOREVER, CA_SAY, "HTTP/1.1 500 Oh\r\n" PROBLEM, "{\"type\":\"" URN "serverInternal\"}"}};
    engine_play(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
    assert_int_not_equal(e.error, ENGINE_ENDLESS);
    assert_true(e.ca.count[CA_FINALIZE] < 12);
    engine_free(&e);
}

/* Faults count in a row: a radio link that loses every other answer is slow, not broken. */
static void flaky_network_while_polling(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_ORDER, 1, 0, CA_CUT},         {CA_ORDER, 3, 0, CA_DO_AND_CUT},
                                 {CA_ORDER, 5, 0, CA_CUT},         {CA_ORDER, 7, 0, CA_DO_AND_CUT},
                                 {CA_ORDER, 9, 10, CA_CUT},        {CA_ORDER, 12, 13, CA_CUT},
                                 {CA_ORDER, 15, 0, CA_DO_AND_CUT}, {CA_FINALIZE, 1, 0, CA_DO_AND_CUT}};
    engine_issues(&e, &(struct ca_plan){ONE, .processing = 12, TWISTED(t)}, NULL);
    counts_are(CA_FINALIZE, 1);
}

static void terms_have_to_be_accepted(void **state)
{
    (void)state;
    const struct ca_twist t[] = {{CA_DIRECTORY, 1, 0, CA_SAY, "HTTP/1.1 200 OK\r\n",
                                  "{\"meta\":{\"termsOfService\":\"https://law.test/\"},\"newNonce\":\"" CA_URL
                                  "/nonce\",\"newAccount\":\"" CA_URL "/new-account\",\"newOrder\":\"" CA_URL
                                  "/new-order\"}"}};
    const struct engine_way way = {.no_terms = true};
    fails_with(&(struct ca_plan){ONE, TWISTED(t)}, &way, ACME_E_TERMS);
    engine_issues(&e, &(struct ca_plan){ONE, TWISTED(t)}, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_run_takes_nine_requests),
        cmocka_unit_test(asynchronous_ca),
        cmocka_unit_test(code_202_with_pending_is_pending),
        cmocka_unit_test(polls_grow_to_ten_seconds),
        cmocka_unit_test(bad_nonce_in_a_row),
        cmocka_unit_test(bad_nonce_for_ever_ends),
        cmocka_unit_test(bad_nonce_without_a_nonce),
        cmocka_unit_test(error_without_nonce_asks_for_one),
        cmocka_unit_test(success_without_nonce_asks_for_one),
        cmocka_unit_test(long_nonces),
        cmocka_unit_test(illegal_nonces_are_ignored),
        cmocka_unit_test(newnonce_without_nonce_ends),
        cmocka_unit_test(old_nonces_are_dropped),
        cmocka_unit_test(new_nonce_may_say_204),
        cmocka_unit_test(lost_answers),
        cmocka_unit_test(torn_answers),
        cmocka_unit_test(a_post_that_always_cuts_is_given_up),
        cmocka_unit_test(idle_connection_dropped),
        cmocka_unit_test(connections_closed_without_a_word),
        cmocka_unit_test(new_terms_at_any_step),
        cmocka_unit_test(account_lost),
        cmocka_unit_test(account_refusals),
        cmocka_unit_test(orders_born_in_any_state),
        cmocka_unit_test(valid_authorizations_cost_no_time),
        cmocka_unit_test(order_that_lags),
        cmocka_unit_test(order_that_never_gets_ready_ends),
        cmocka_unit_test(processing_for_long),
        cmocka_unit_test(names_and_authorizations_in_other_orders),
        cmocka_unit_test(later_orders_without_authorizations),
        cmocka_unit_test(stepca_leaves_failures_pending),
        cmocka_unit_test(failed_validation_is_told_and_final),
        cmocka_unit_test(authorization_ends_badly),
        cmocka_unit_test(challenge_answered_already),
        cmocka_unit_test(order_ends_badly),
        cmocka_unit_test(valid_without_certificate_is_asked_again),
        cmocka_unit_test(unknown_order_status_waits),
        cmocka_unit_test(finalize_refused),
        cmocka_unit_test(finalize_of_a_valid_order),
        cmocka_unit_test(tokens_are_checked),
        cmocka_unit_test(problem_is_told_whole),
        cmocka_unit_test(problems_by_body_not_by_code_or_type),
        cmocka_unit_test(errors_without_a_problem),
        cmocka_unit_test(rate_limited),
        cmocka_unit_test(throttled_for_ever_ends),
        cmocka_unit_test(busy_once_is_waited_for),
        cmocka_unit_test(server_error_is_tried_again),
        cmocka_unit_test(failing_server_is_given_up),
        cmocka_unit_test(no_stale_words_after_a_network_failure),
        cmocka_unit_test(retry_after_while_polling),
        cmocka_unit_test(retry_after_where_nothing_is_polled),
        cmocka_unit_test(every_answer_closes),
        cmocka_unit_test(odd_framing),
        cmocka_unit_test(directory_redirects),
        cmocka_unit_test(signed_requests_follow_no_redirect),
        cmocka_unit_test(foreign_hosts),
        cmocka_unit_test(directory_is_not_json),
        cmocka_unit_test(deep_and_big_answers),
        cmocka_unit_test(long_urls),
        cmocka_unit_test(stale_directory_is_read_again),
        cmocka_unit_test(certificate_is_late),
        cmocka_unit_test(finalize_that_fails_for_ever_is_not_hammered),
        cmocka_unit_test(flaky_network_while_polling),
        cmocka_unit_test(terms_have_to_be_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
