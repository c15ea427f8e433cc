/* The table of RFC 8555, row by row, without engine and network: what each answer leads to. */
#include "doc.h"
#include "maker.h"

#include "protocol/tables.h"

#include <stdio.h>

#define U "https://ca.test"

static struct acme_setup setup;
static struct acme_flow flow;
static struct acme_key_p256 account_key, certificate_key;
static int shown, presents, withdraws, present_says;
static char shown_token[200], shown_key_authorization[200], shown_name[300];

static int present(void *ctx, struct acme_challenge *challenge)
{
    presents++;
    shown = present_says == 1 ? 1 : shown;
    snprintf(shown_token, sizeof shown_token, "%s", challenge->token);
    snprintf(shown_key_authorization, sizeof shown_key_authorization, "%s.%s", challenge->token,
             challenge->thumbprint);
    snprintf(shown_name, sizeof shown_name, "%s", challenge->name);
    return present_says;
}

static void withdraw(void *ctx, struct acme_challenge *challenge)
{
    withdraws++;
    shown = 0;
}

static const struct acme_solver http = {.type = "http-01", .present = present, .withdraw = withdraw};
static const struct acme_solver dns = {.type = "dns-01", .present = present, .withdraw = withdraw};
static const struct acme_solver *const solvers[] = {&http, &dns};
static const char *const names[] = {"A.example", "b.example"};

static void take(char *to, const char *url)
{
    strcpy(to, url);
}

/* In the middle of things: an order with two authorizations, at the first of them. */
static void start(enum acme_step step)
{
    static bool made;
    if (ACME_NAMES_MAX < 2) {
        skip();
    }
    if (!made) {
        assert_int_equal(acme_key_p256_ops.generate(&account_key, &maker_sys), 0);
        assert_int_equal(acme_key_p256_ops.generate(&certificate_key, &maker_sys), 0);
        made = true;
    }
    shown = presents = withdraws = 0;
    present_says = 1;
    setup = (struct acme_setup){.ca = {.directory_url = U "/dir"},
                                .account_key = {&acme_key_p256_ops, &account_key},
                                .certificate_key = {&acme_key_p256_ops, &certificate_key},
                                .names = names,
                                .name_count = 2,
                                .solvers = solvers,
                                .solver_count = 2};
    memset(&flow, 0, sizeof flow);
    flow.setup = &setup;
    assert_int_equal(acme_url_parse(&flow.hosts.directory, acme_slice_of(setup.ca.directory_url)), 0);
    take(flow.directory.new_nonce, U "/n");
    take(flow.directory.new_account, U "/a");
    take(flow.directory.new_order, U "/o");
    take(flow.account, U "/account/1");
    if (step > ACME_STEP_ORDER) {
        take(flow.order.url, U "/order/1");
        take(flow.order.finalize, U "/finalize/1");
        assert_int_equal(acme_order_add(&flow.order, U "/authz/1"), 0);
        assert_int_equal(acme_order_add(&flow.order, U "/authz/2"), ACME_NAMES_MAX > 1 ? 0 : ACME_E_NAMES);
        flow.order.authz_count = 2;
    }
    if (step >= ACME_STEP_AUTHZ && step <= ACME_STEP_AUTHZ_POLL) {
        flow.at[1] = (struct acme_validation){.stage = ACME_STAGE_VALID, .name = 2};
    }
    if (step >= ACME_STEP_RESPOND && step <= ACME_STEP_AUTHZ_POLL) {
        flow.at[0] = (struct acme_validation){
            .stage = step == ACME_STEP_RESPOND ? ACME_STAGE_SHOWN : ACME_STAGE_ASKED, .name = 1, .shown = true};
        take(flow.challenge_url, U "/chall/1");
        flow.url_of = 1;
        flow.presented = 1;
        flow.answered = 1;
        shown = 1;
    }
    flow.authorized = step >= ACME_STEP_ORDER_POLL;
    if (step == ACME_STEP_CERTIFICATE) {
        take(flow.order.certificate, U "/cert/1");
    }
    flow.step = step;
}

static int reads(const char *text, const char *location)
{
    struct acme_answer answer = {.json = doc(text), .location = acme_slice_of(location)};
    int next = acme_flow_rfc8555[flow.step].read(&flow, &answer);
    if (next == ACME_STEP_CERTIFICATE) { /* whatever happens: only for a valid order with a certificate */
        assert_int_equal(flow.order.status, ACME_STATUS_VALID);
        assert_string_not_equal(flow.order.certificate, "");
    }
    return next;
}

static int refuses(enum acme_problem_kind kind)
{
    struct acme_problem problem = {.kind = kind, .http_status = 400};
    return acme_flow_rfc8555[flow.step].refused(&flow, &problem);
}

static const char *writes(char *text, size_t cap)
{
    struct acme_out o;
    acme_out_init(&o, text, cap - 1);
    assert_int_equal(acme_flow_rfc8555[flow.step].ask(&flow, &o), 0);
    assert_false(o.overflow);
    text[o.len] = '\0';
    return text;
}

/* --- the table itself */

TEST(every_row_is_whole)
{
    for (int i = 0; i <= ACME_STEP_CERTIFICATE; i++) {
        const struct acme_row *row = &acme_flow_rfc8555[i];
        assert_true((row->method == ACME_METHOD_NONE) == (row->read == NULL));
        assert_true((row->method == ACME_METHOD_NONE) == (row->url == NULL));
        assert_int_equal(row->poll, i == ACME_STEP_AUTHZ_POLL || i == ACME_STEP_ORDER_POLL);
        assert_int_equal(row->body, i == ACME_STEP_CERTIFICATE ? ACME_BODY_CHAIN : ACME_BODY_JSON);
        assert_int_equal(row->needs_key, i == ACME_STEP_FINALIZE || i == ACME_STEP_CERTIFICATE);
        assert_int_equal(row->method == ACME_METHOD_NEW_KEY, i == ACME_STEP_ACCOUNT);
        assert_int_equal(row->method == ACME_METHOD_GET, i == ACME_STEP_DIRECTORY);
        bool elsewhere = i == ACME_STEP_RESPOND || i == ACME_STEP_FINALIZE;
        assert_true(elsewhere == (row->lost != (enum acme_step)i));
    }
}

TEST(urls_of_the_rows)
{
    static const char *const urls[ACME_STEP_COUNT] = {
        U "/dir",     U "/a",       U "/o",       U "/authz/1",    NULL,
        U "/chall/1", U "/authz/1", U "/order/1", U "/finalize/1", U "/cert/1"};
    for (int i = 0; i <= ACME_STEP_CERTIFICATE; i++) {
        start((enum acme_step)i);
        if (urls[i] != NULL) {
            assert_string_equal(acme_flow_rfc8555[i].url(&flow), urls[i]);
        }
    }
    start(ACME_STEP_ORDER);
    take(flow.order.url, U "/order/9");
    assert_string_equal(acme_flow_rfc8555[ACME_STEP_ORDER].url(&flow), U "/order/9");
    start(ACME_STEP_DIRECTORY);
    take(flow.directory_url, U "/moved");
    assert_string_equal(acme_flow_rfc8555[ACME_STEP_DIRECTORY].url(&flow), U "/moved");
}

/* Which steps concern one name, for those who are told. */
TEST(names_of_the_steps)
{
    start(ACME_STEP_AUTHZ_POLL);
    for (int i = 0; i <= ACME_STEP_CERTIFICATE; i++) {
        bool of_a_name =
            i == ACME_STEP_AUTHZ || i == ACME_STEP_PRESENT || i == ACME_STEP_RESPOND || i == ACME_STEP_AUTHZ_POLL;
        assert_int_equal(acme_flow_name(&flow, (enum acme_step)i).len, of_a_name ? strlen("A.example") : 0);
    }
}

TEST(payloads)
{
    char text[3000];
    start(ACME_STEP_ACCOUNT);
    assert_string_equal(writes(text, sizeof text), "{\"termsOfServiceAgreed\":false}");
    static const char *const contacts[] = {"mailto:a@b.example", "mailto:\"x\"@b.example"};
    setup.contacts = contacts;
    setup.contact_count = 2;
    setup.accept_terms = true;
    assert_string_equal(
        writes(text, sizeof text),
        "{\"termsOfServiceAgreed\":true,\"contact\":[\"mailto:a@b.example\",\"mailto:\\\"x\\\"@b.example\"]}");
    setup.contact_count = 1;
    assert_string_equal(writes(text, sizeof text),
                        "{\"termsOfServiceAgreed\":true,\"contact\":[\"mailto:a@b.example\"]}");
    start(ACME_STEP_ORDER);
    assert_string_equal(
        writes(text, sizeof text),
        "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"},{\"type\":\"dns\",\"value\":\"b.example\"}]}");
    take(flow.order.url, U "/order/9");
    assert_string_equal(writes(text, sizeof text), ""); /* a stored order is only looked at */
    start(ACME_STEP_RESPOND);
    assert_string_equal(writes(text, sizeof text), "{}");
    start(ACME_STEP_FINALIZE);
    assert_memory_equal(writes(text, sizeof text), "{\"csr\":\"MI", 10);
    for (size_t cap = 0; cap < strlen(text); cap += 7) { /* too little room is told, never cut */
        struct acme_out o;
        char small[3000];
        acme_out_init(&o, small, cap);
        int error = acme_flow_rfc8555[ACME_STEP_FINALIZE].ask(&flow, &o);
        assert_true(error == ACME_E_REQUEST_BIG || (error == 0 && o.overflow));
    }
}

/* --- every status at every step */

#define WORDS 11
static const char *const words[WORDS] = {
    "\"pending\"", "\"processing\"", "\"ready\"",   "\"valid\"", "\"invalid\"", "\"deactivated\"",
    "\"expired\"", "\"revoked\"",    "\"quantum\"", "7",         "null"};

static void by_status(const char *format, enum acme_step step, const int expected[WORDS], bool resumed)
{
    for (int i = 0; i < WORDS; i++) {
        char text[800];
        start(step);
        flow.resumed = resumed;
        const char *hole = strstr(format, "%s");
        snprintf(text, sizeof text, "%.*s%s%s", (int)(hole - format), format, words[i], hole + 2);
        int next = reads(text, U "/order/1");
        if (next != expected[i]) {
            print_message("step %d, status %s\n", step, words[i]);
        }
        assert_int_equal(next, expected[i]);
    }
}

#define ORDER_ALL                                                                                                    \
    "{\"status\":%s,\"authorizations\":[\"" U "/authz/1\",\"" U "/authz/2\"],\"finalize\":\"" U                      \
    "/f\",\"certificate\":\"" U "/c\"}"
#define ORDER_NONE "{\"status\":%s,\"authorizations\":[\"" U "/authz/1\",\"" U "/authz/2\"],\"finalize\":\"" U "/f\"}"

TEST(order_statuses)
{
    enum { A = ACME_STEP_AUTHZ, P = ACME_STEP_ORDER_POLL, F = ACME_STEP_FINALIZE, C = ACME_STEP_CERTIFICATE };
    enum { O = ACME_E_ORDER, M = ACME_E_MEMBER, N = ACME_STEP_ORDER };
    by_status(ORDER_ALL, ACME_STEP_ORDER, (const int[]){A, P, F, C, O, O, O, O, P, M, M}, false);
    by_status(ORDER_NONE, ACME_STEP_ORDER, (const int[]){A, P, F, P, O, O, O, O, P, M, M}, false);
    by_status(ORDER_ALL, ACME_STEP_ORDER_POLL, (const int[]){P, P, F, C, O, O, O, O, P, M, M}, false);
    by_status(ORDER_NONE, ACME_STEP_ORDER_POLL, (const int[]){P, P, F, P, O, O, O, O, P, M, M}, false);
    by_status(ORDER_ALL, ACME_STEP_FINALIZE, (const int[]){P, P, P, C, P, P, P, P, P, M, M}, false);
    by_status(ORDER_NONE, ACME_STEP_FINALIZE, (const int[]){P, P, P, P, P, P, P, P, P, M, M}, false);
    /* one that ends without a reason when the CA finalizes it is looked at once more; one of an earlier run that came to
     * nothing is replaced */
    by_status(ORDER_ALL, ACME_STEP_ORDER_POLL, (const int[]){P, P, F, C, N, N, N, N, P, M, M}, true);
    assert_string_equal(flow.order.url, U "/order/1");
}

TEST(order_poll_goes_back_to_open_authorizations)
{
    char text[400];
    start(ACME_STEP_ORDER_POLL);
    flow.authorized = false; /* the order had an unknown status before */
    snprintf(text, sizeof text, ORDER_NONE, "\"pending\"");
    assert_int_equal(reads(text, ""), ACME_STEP_AUTHZ);
}

#define AUTHZ                                                                                                        \
    "{\"status\":%s,\"identifier\":{\"type\":\"dns\",\"value\":\"a.EXAMPLE\"},\"challenges\":[{\"type\":\"tls-alpn-" \
    "01\",\"token\":\"n\",\"url\":\"" U "/t\"},{\"type\":\"http-01\",\"token\":\"tok_-1\",\"url\":\"" U              \
    "/chall/5\",\"status\":\"pending\"}]}"

TEST(authorization_statuses)
{
    enum { F = ACME_STEP_FINALIZE, S = ACME_STEP_PRESENT, P = ACME_STEP_AUTHZ_POLL, O = ACME_STEP_ORDER };
    enum { E = ACME_E_AUTHZ, M = ACME_E_MEMBER };
    by_status(AUTHZ, ACME_STEP_AUTHZ, (const int[]){S, S, S, F, E, E, E, E, S, M, M}, false);
    by_status(AUTHZ, ACME_STEP_AUTHZ, (const int[]){S, S, S, F, O, O, O, O, S, M, M}, true);
    by_status(AUTHZ, ACME_STEP_AUTHZ_POLL, (const int[]){P, P, P, F, E, E, E, E, P, M, M}, false);
    by_status(AUTHZ, ACME_STEP_AUTHZ_POLL, (const int[]){P, P, P, F, O, O, O, O, P, M, M}, true);
}

TEST(the_last_authorization_leads_to_finalize)
{
    char text[600];
    snprintf(text, sizeof text, AUTHZ, "\"valid\"");
    start(ACME_STEP_AUTHZ_POLL);
    flow.tries = 3; /* what was counted before is over with it */
    assert_int_equal(reads(text, ""), ACME_STEP_FINALIZE);
    assert_int_equal(flow.tries, 0);
    assert_int_equal(withdraws, 1);
    assert_int_equal(shown, 0);
    start(ACME_STEP_AUTHZ);
    assert_int_equal(reads(text, ""), ACME_STEP_FINALIZE);
    /* the last of the list, but not of the names: the order has to say that it is ready */
    start(ACME_STEP_AUTHZ);
    flow.order.authz_count = 1;
    assert_int_equal(reads(text, ""), ACME_STEP_ORDER_POLL);
    assert_int_equal(withdraws, 0);
}

TEST(answers_stay_until_the_authorization_has_left_pending)
{
    for (int i = 0; i < WORDS - 2; i++) {
        char text[600];
        snprintf(text, sizeof text, AUTHZ, words[i]);
        start(ACME_STEP_AUTHZ_POLL);
        (void)reads(text, "");
        bool open = i < 3 || i == 8;
        assert_int_equal(withdraws, open ? 0 : 1);
        assert_int_equal(flow.presented, open);
    }
}

TEST(account_statuses)
{
    enum { N = ACME_STEP_ORDER, E = ACME_E_ACCOUNT };
    by_status("{\"status\":%s}", ACME_STEP_ACCOUNT, (const int[]){N, N, N, N, N, E, N, E, N, N, N}, false);
    start(ACME_STEP_ACCOUNT);
    assert_int_equal(reads("{}", U "/account/77"), ACME_STEP_ORDER);
    assert_string_equal(flow.account, U "/account/77");
    assert_true(flow.save_account);
    static const struct {
        const char *location;
        int error;
    } rows[] = {{"", ACME_E_MEMBER}, {"https://evil.test/1", ACME_E_URL_HOST}, {"/account/1", ACME_E_URL_SCHEME}};
    for (unsigned i = 0; i < 3; i++) {
        start(ACME_STEP_ACCOUNT);
        assert_int_equal(reads("{}", rows[i].location), rows[i].error);
        assert_string_equal(flow.account, "");
        assert_false(flow.save_account);
    }
}

TEST(a_new_order_needs_its_location)
{
    char text[400];
    snprintf(text, sizeof text, ORDER_NONE, "\"pending\"");
    start(ACME_STEP_ORDER);
    assert_int_equal(reads(text, U "/order/5"), ACME_STEP_AUTHZ);
    assert_string_equal(flow.order.url, U "/order/5");
    assert_true(flow.save_order);
    start(ACME_STEP_ORDER);
    assert_int_equal(reads(text, ""), ACME_E_MEMBER);
    start(ACME_STEP_ORDER);
    assert_int_equal(reads(text, "https://evil.test/"), ACME_E_URL_HOST);
    assert_false(flow.save_order);
    start(ACME_STEP_ORDER); /* a stored one does not, and keeps its own */
    take(flow.order.url, U "/order/5");
    assert_int_equal(reads(text, U "/order/6"), ACME_STEP_AUTHZ);
    assert_string_equal(flow.order.url, U "/order/5");
    assert_false(flow.save_order);
    start(
        ACME_STEP_ORDER); /* a directory that moved leads back here in the middle: all authorizations are looked at */
    take(flow.order.url, U "/order/5");
    flow.authz = 1;
    assert_int_equal(reads(text, ""), ACME_STEP_AUTHZ);
    assert_int_equal(flow.authz, 0);
}

/* --- challenges */

TEST(challenge_lists)
{
#define LIST(list) "{\"status\":\"pending\",\"identifier\":{\"value\":\"a.example\"},\"challenges\":" list "}"
    static const struct {
        const char *text;
        int next;
    } rows[] = {
        {LIST("[{\"type\":\"http-01\",\"url\":\"" U "/1\",\"token\":\"t\"}]"), ACME_STEP_PRESENT},
        {LIST("[{\"type\":\"dns-01\",\"url\":\"" U "/2\",\"token\":\"t\"}]"), ACME_STEP_PRESENT},
        {LIST("[{\"type\":\"moon-01\",\"url\":\"" U "/3\",\"token\":\"t\"}]"), ACME_E_CHALLENGE_NONE},
        {LIST("[{\"type\":\"HTTP-01\",\"url\":\"" U "/3\",\"token\":\"t\"}]"), ACME_E_CHALLENGE_NONE},
        {LIST("[{\"type\":\"http-01\",\"token\":\"t\"},{\"type\":\"dns-01\",\"url\":\"" U "/2\",\"token\":\"t\"}]"),
         ACME_STEP_PRESENT},
        {LIST("[]"), ACME_E_CHALLENGE_NONE},
        {LIST("null"), ACME_E_MEMBER},
        {LIST("[{\"type\":\"http-01\",\"url\":\"" U "/1\"}]"), ACME_E_TOKEN},
        {LIST("[{\"type\":\"http-01\",\"url\":\"" U "/1\",\"token\":7}]"), ACME_E_TOKEN},
        {LIST("[{\"type\":\"http-01\",\"url\":\"" U "/1\",\"token\":\"a/../b\"}]"), ACME_E_TOKEN},
        {LIST("[{\"type\":\"http-01\",\"url\":\"https://evil.test/1\",\"token\":\"t\"}]"), ACME_E_URL_HOST},
        {LIST("[{\"type\":\"http-01\",\"url\":\"http://ca.test/1\",\"token\":\"t\"}]"), ACME_E_URL_SCHEME},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start(ACME_STEP_AUTHZ);
        assert_int_equal(reads(rows[i].text, ""), rows[i].next);
        assert_int_equal(presents, 0);
    }
}

TEST(the_first_solver_that_fits_is_taken)
{
    start(ACME_STEP_AUTHZ);
    assert_int_equal(reads(LIST("[{\"type\":\"dns-01\",\"url\":\"" U
                                "/2\",\"token\":\"d\"},{\"type\":\"http-01\",\"url\":\"" U "/1\",\"token\":\"h\"}]"),
                           ""),
                     ACME_STEP_PRESENT);
    assert_int_equal(flow.at[0].solver, 0);
    assert_string_equal(flow.order.text + flow.order.authz[0].token, "h");
    assert_string_equal(flow.challenge_url, U "/1");
}

TEST(authorizations_for_names_nobody_asked_for)
{
    static const char *const strange[] = {"c.example",   "xa.example", "a.example.",
                                          "*.a.example", "a.exampl",   "A.EXAMPLE\\u0000"};
    for (unsigned i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        char text[300];
        snprintf(text, sizeof text, "{\"status\":\"pending\",\"identifier\":{\"value\":\"%s\"},\"challenges\":[]}",
                 strange[i]);
        start(ACME_STEP_AUTHZ);
        assert_int_equal(reads(text, ""), ACME_E_MEMBER);
    }
    start(ACME_STEP_AUTHZ); /* but in any order */
    flow.at[1].stage = ACME_STAGE_NEW;
    assert_int_equal(reads("{\"status\":\"valid\",\"identifier\":{\"value\":\"B.example\"}}", ""), ACME_STEP_AUTHZ);
    assert_int_equal(flow.at[0].name, 2);
    assert_int_equal(flow.authz, 1);
}

TEST(presenting_takes_its_time)
{
    char text[600];
    snprintf(text, sizeof text, AUTHZ, "\"pending\"");
    start(ACME_STEP_AUTHZ);
    flow.step = (enum acme_step)reads(text, "");
    present_says = 0;
    assert_int_equal(acme_flow_act(&flow), ACME_STEP_PRESENT);
    assert_int_equal(acme_flow_act(&flow), ACME_STEP_PRESENT);
    present_says = 1;
    assert_int_equal(acme_flow_act(&flow), ACME_STEP_RESPOND);
    assert_int_equal(presents, 3);
    assert_string_equal(shown_token, "tok_-1");
    assert_string_equal(shown_name, "A.example"); /* as it was asked for */
    char thumbprint[ACME_THUMBPRINT_LEN], wanted[200];
    acme_jwk_thumbprint(account_key.point, thumbprint);
    snprintf(wanted, sizeof wanted, "tok_-1.%.43s", thumbprint);
    assert_string_equal(shown_key_authorization, wanted);
    acme_flow_withdraw(&flow);
    acme_flow_withdraw(&flow);
    assert_int_equal(withdraws, 1);
    start(ACME_STEP_AUTHZ);
    flow.step = (enum acme_step)reads(text, "");
    present_says = ACME_E_LISTEN;
    assert_int_equal(acme_flow_act(&flow), ACME_E_LISTEN);
    acme_flow_withdraw(&flow);
    assert_int_equal(withdraws, 1);
}

TEST(the_longest_token_fits)
{
    char token[ACME_TOKEN_MAX + 1], text[500];
    memset(token, 'T', ACME_TOKEN_MAX);
    token[ACME_TOKEN_MAX] = '\0';
    snprintf(text, sizeof text, LIST("[{\"type\":\"http-01\",\"url\":\"" U "/1\",\"token\":\"%s\"}]"), token);
    start(ACME_STEP_AUTHZ);
    flow.step = (enum acme_step)reads(text, "");
    assert_int_equal(flow.step, ACME_STEP_PRESENT);
    assert_int_equal(acme_flow_act(&flow), ACME_STEP_RESPOND);
    assert_int_equal(strlen(shown_key_authorization), ACME_KEY_AUTHORIZATION_MAX);
}

TEST(a_challenge_in_process_is_not_answered)
{
    start(ACME_STEP_AUTHZ);
    flow.step = (enum acme_step)reads(
        LIST("[{\"type\":\"http-01\",\"url\":\"" U "/1\",\"token\":\"t\",\"status\":\"processing\"}]"), "");
    assert_int_equal(flow.step, ACME_STEP_PRESENT);
    assert_int_equal(acme_flow_act(&flow), ACME_STEP_AUTHZ_POLL);
    assert_int_equal(presents, 1);
}

TEST(pending_with_an_error_is_answered_again)
{
    const char *text =
        "{\"status\":\"pending\",\"identifier\":{\"value\":\"a.example\"},\"challenges\":[{\"type\":\"http-01\","
        "\"status\":"
        "\"pending\",\"url\":\"" U "/1\",\"error\":{\"type\":\"urn:ietf:params:acme:error:connection\"}}]}";
    start(ACME_STEP_AUTHZ_POLL);
    int next = ACME_STEP_RESPOND;
    unsigned again = 0;
    for (; next == ACME_STEP_RESPOND && again < 50; again++) {
        flow.step = ACME_STEP_AUTHZ_POLL;
        next = reads(text, "");
    }
    assert_int_equal(next, ACME_E_AUTHZ);
    assert_in_range(again, 3, 6);
    assert_int_equal(withdraws, 1);
    assert_true(acme_slice_is(flow.problem.type, "urn:ietf:params:acme:error:connection"));
    /* while the CA is still at it (processing) the error is an old one */
    start(ACME_STEP_AUTHZ_POLL);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(reads("{\"status\":\"pending\",\"identifier\":{\"value\":\"a.example\"},\"challenges\":[{"
                               "\"type\":\"http-01\",\"status\":"
                               "\"processing\",\"url\":\"" U "/1\",\"error\":{}}]}",
                               ""),
                         ACME_STEP_AUTHZ_POLL);
    }
}

/* Where there is no room for a challenge's URL beside all tokens, its authorization is looked at once more. */
TEST(long_urls_are_learned_twice)
{
    char token[ACME_TOKEN_MAX + 1], text[3000], url[2][ACME_URL_MAX + 1];
    memset(token, 'T', ACME_TOKEN_MAX);
    token[ACME_TOKEN_MAX] = '\0';
    start(ACME_STEP_AUTHZ);
    flow.at[1] = (struct acme_validation){.stage = ACME_STAGE_NEW};
    flow.order.text_end = sizeof flow.order.text - 1 - 2 * sizeof token;
    for (int i = 0; i < 2; i++) {
        memset(url[i], '5' + i, ACME_URL_MAX);
        memcpy(url[i], U "/", strlen(U "/"));
        url[i][ACME_URL_MAX] = '\0';
    }
    for (int i = 0; i < 4; i++) { /* both; then each again before it is answered, but for the one looked at last */
        assert_int_equal(flow.authz, i % 2);
        snprintf(text, sizeof text,
                 "{\"status\":\"pending\",\"identifier\":{\"value\":\"%s\"},\"challenges\":[{\"type\":\"dns-01\","
                 "\"token\":\"d\",\"url\":\"%s\"},{\"type\":\"http-01\",\"token\":\"%s\",\"url\":\"%s\"}]}",
                 names[i % 2], url[0], token, url[i % 2]);
        flow.step = ACME_STEP_AUTHZ;
        flow.step = (enum acme_step)reads(text, "");
        if (i == 1) {
            assert_int_equal(flow.step, ACME_STEP_PRESENT);
            assert_int_equal(acme_flow_act(&flow), ACME_STEP_AUTHZ);
            assert_int_equal(presents, 2);
        } else if (i > 1) {
            assert_int_equal(flow.step, ACME_STEP_RESPOND);
            assert_string_equal(acme_flow_rfc8555[ACME_STEP_RESPOND].url(&flow), url[i % 2]);
            assert_int_equal(flow.answered, i - 1);
            assert_int_equal(reads("{}", ""), i == 2 ? ACME_STEP_AUTHZ : ACME_STEP_AUTHZ_POLL);
        }
    }
    assert_int_equal(presents, 2);
    flow.step = ACME_STEP_AUTHZ_POLL; /* and a poll tells it, should it be answered again */
    flow.authz = 0;
    flow.at[0].in_doubt = true;
    flow.polled = 100;
    assert_int_equal(
        reads("{\"status\":\"pending\",\"identifier\":{\"value\":\"a.example\"},\"challenges\":[{\"type\":"
              "\"http-01\",\"url\":\"" U "/again\",\"token\":\"T\"}]}",
              ""),
        ACME_STEP_RESPOND);
    assert_string_equal(acme_flow_rfc8555[ACME_STEP_RESPOND].url(&flow), U "/again");
}

#define OPEN_AT(name, url, token)                                                                                    \
    "{\"status\":\"pending\",\"identifier\":{\"value\":\"" name "\"},\"challenges\":[{\"type\":\"http-01\","         \
    "\"token\":\"" token "\",\"url\":\"" url "\"}]}"

/* What is told again is not kept again, however often; and where not even a token fits, it is said. */
TEST(texts_are_kept_once)
{
    start(ACME_STEP_AUTHZ);
    flow.at[1] = (struct acme_validation){.stage = ACME_STAGE_NEW};
    assert_int_equal(reads(OPEN_AT("a.example", U "/1", "one"), ""), ACME_STEP_AUTHZ);
    flow.step = ACME_STEP_AUTHZ;
    assert_int_equal(reads(OPEN_AT("b.example", U "/2", "two"), ""), ACME_STEP_PRESENT);
    assert_int_equal(acme_flow_act(&flow), ACME_STEP_RESPOND);
    assert_string_equal(acme_flow_rfc8555[ACME_STEP_RESPOND].url(&flow), U "/1");
    assert_string_equal(flow.at[0].challenge.token, "one");
    assert_string_equal(flow.at[1].challenge.token, "two");
    uint16_t end = flow.order.text_end;
    for (unsigned i = 0; i < 500; i++) {
        flow.at[0].stage = flow.at[1].stage = ACME_STAGE_NEW;
        flow.step = ACME_STEP_AUTHZ;
        flow.authz = 0;
        assert_int_equal(reads(OPEN_AT("a.example", U "/1", "one"), ""), ACME_STEP_AUTHZ);
        assert_int_equal(flow.order.text_end, end);
    }
    flow.order.text_end = sizeof flow.order.text - ACME_TOKEN_MAX / 2;
    flow.step = ACME_STEP_AUTHZ;
    assert_int_equal(reads(OPEN_AT("b.example", U "/2", "another"), ""), ACME_STEP_PRESENT);
    assert_string_equal(flow.order.text + flow.order.authz[1].token, "another");
    flow.order.text_end = sizeof flow.order.text - 7; /* a byte less than it needs */
    flow.at[0].stage = ACME_STAGE_NEW;
    flow.authz = 0;
    flow.step = ACME_STEP_AUTHZ;
    assert_int_equal(reads(OPEN_AT("a.example", U "/1", "third"), ""), ACME_STEP_PRESENT);
    flow.order.text_end = sizeof flow.order.text - 6;
    flow.at[0].stage = ACME_STAGE_NEW;
    flow.step = ACME_STEP_AUTHZ;
    assert_int_equal(reads(OPEN_AT("a.example", U "/1", "other"), ""), ACME_E_URL_LONG);
}

/* A CA that offers a DNS challenge for an address, which has no place in the DNS, is not taken at its word (RFC 8738, 7). */
TEST(no_dns_solver_sees_an_address)
{
    static const char *const mixed[] = {"192.0.2.1", "2001:db8::1"};
    static const char both[] =
        "{\"status\":\"pending\",\"identifier\":{\"type\":\"ip\",\"value\":\"192.0.2.1\"},\"challenges\":["
        "{\"type\":\"dns-01\",\"url\":\"" U "/c/1\",\"token\":\"t\"},"
        "{\"type\":\"http-01\",\"url\":\"" U "/c/2\",\"token\":\"t\"}]}";
    static const char dns_only[] =
        "{\"status\":\"pending\",\"identifier\":{\"type\":\"ip\",\"value\":\"192.0.2.1\"},\"challenges\":["
        "{\"type\":\"dns-01\",\"url\":\"" U "/c/1\",\"token\":\"t\"}]}";
    static const struct acme_solver *const dns_first[] = {&dns, &http};

    start(ACME_STEP_AUTHZ);
    setup.names = mixed;
    setup.solvers = dns_first;
    assert_int_equal(reads(both, ""), ACME_STEP_PRESENT);
    assert_int_equal(flow.at[0].solver, 1);
    start(ACME_STEP_AUTHZ);
    setup.names = mixed;
    setup.solvers = dns_first;
    assert_int_equal(reads(dns_only, ""), ACME_E_CHALLENGE_NONE);
}

/* Looked at once more for its URL: of several challenges the one whose answer is on show. */
TEST(the_url_is_of_the_solver_at_work)
{
    start(ACME_STEP_AUTHZ);
    flow.at[0] = (struct acme_validation){.stage = ACME_STAGE_SHOWN, .name = 1, .solver = 1, .shown = true};
    flow.presented = 1;
    assert_int_equal(reads(LIST("[{\"type\":\"http-01\",\"url\":\"" U "/http\",\"token\":\"t\"},"
                                "{\"type\":\"dns-01\",\"url\":\"" U "/dns\",\"token\":\"t\"}]"),
                           ""),
                     ACME_STEP_RESPOND);
    assert_string_equal(acme_flow_rfc8555[ACME_STEP_RESPOND].url(&flow), U "/dns");
    assert_int_equal(flow.at[0].solver, 1);
}

/* --- lost answers and refusals */

TEST(a_lost_response_is_repeated_once_it_proves_lost)
{
    char text[600], payload[16];
    snprintf(text, sizeof text, AUTHZ, "\"pending\"");
    start(ACME_STEP_RESPOND);
    acme_flow_lost(&flow);
    assert_int_equal(acme_flow_rfc8555[flow.step].lost, ACME_STEP_AUTHZ_POLL);
    flow.step = ACME_STEP_AUTHZ_POLL;
    acme_flow_lost(&flow);
    assert_int_equal(acme_flow_rfc8555[flow.step].lost, ACME_STEP_AUTHZ_POLL);
    unsigned looks = 1; /* a few, for the response may just not show yet */
    while (reads(text, "") == ACME_STEP_AUTHZ_POLL) {
        assert_true(++looks < 8);
    }
    flow.step = ACME_STEP_RESPOND;
    assert_string_equal(writes(payload, sizeof payload), "{}");
    assert_int_equal(reads("{}", ""), ACME_STEP_AUTHZ_POLL);
    flow.step = ACME_STEP_AUTHZ_POLL;
    assert_int_equal(reads(text, ""), ACME_STEP_AUTHZ_POLL);
}

TEST(lost_answers_of_the_others)
{
    for (int i = 0; i <= ACME_STEP_CERTIFICATE; i++) {
        start((enum acme_step)i);
        int next = (int)acme_flow_rfc8555[flow.step].lost;
        acme_flow_lost(&flow);
        assert_int_equal(next, i == ACME_STEP_RESPOND    ? ACME_STEP_AUTHZ_POLL
                               : i == ACME_STEP_FINALIZE ? ACME_STEP_ORDER_POLL
                                                         : i);
    }
}

#if ACME_CFG_EAB
static int no_point(void *handle, uint8_t to[65])
{
    return ACME_E_KEY;
}

/* A solver whose answers outlive a reset: an order that is taken up ready has its authorizations looked at, if one may have been
 * answered; what they show is withdrawn, unless there is no room left for its token. */
TEST(what_lasts_is_looked_for)
{
    static const struct acme_solver lasting = {
        .type = "dns-01", .present = present, .withdraw = withdraw, .lasts = true, .wildcards = true};
    static const struct acme_solver *const one[] = {&lasting};
    static const char ready[] =
        "{\"status\":\"ready\",\"finalize\":\"" U "/f\",\"authorizations\":[\"" U "/authz/1\",\"" U "/authz/2\"]}";
    static const char valid[] =
        "{\"status\":\"valid\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},"
        "\"challenges\":[{\"type\":\"dns-01\",\"url\":\"" U "/c/1\",\"token\":\"token\",\"status\":\"valid\"}]}";
    for (uint8_t answered = 0; answered < 2; answered++) {
        start(ACME_STEP_AUTHZ);
        setup.solvers = one;
        setup.solver_count = 1;
        flow.step = ACME_STEP_ORDER;
        flow.resumed = true;
        flow.answered = answered;
        assert_int_equal(reads(ready, ""), answered == 0 ? ACME_STEP_FINALIZE : ACME_STEP_AUTHZ);
    }
    for (uint8_t room = 0; room < 2; room++) {
        start(ACME_STEP_AUTHZ);
        setup.solvers = one;
        setup.solver_count = 1;
        flow.resumed = true;
        flow.order.text_end = (uint16_t)(room != 0 ? flow.order.text_end : sizeof flow.order.text);
        (void)reads(valid, "");
        assert_int_equal(withdraws, room);
    }
}

/* A CA that does not say that it wants a binding, and a key that may have been bound. */
TEST(a_binding_nobody_asked_for)
{
    start(ACME_STEP_DIRECTORY);
    setup.binding = (struct acme_binding){"kid", "key", 3};
    assert_int_equal(acme_binding_begin(&flow, false), ACME_STEP_ACCOUNT);
    assert_true(flow.bound.look);
    flow.bound.key_is_new = true;
    assert_int_equal(acme_binding_begin(&flow, false), ACME_STEP_ACCOUNT);
    assert_false(flow.bound.look);
}

/* A key in a secure element that does not answer, just when the binding is to be written. */
TEST(a_binding_needs_the_key)
{
    static const struct acme_key_ops dead = {.point = no_point};
    char text[2000];
    struct acme_out o;
    for (int given = 0; given < 3; given++) { /* an empty id is none */
        start(ACME_STEP_ACCOUNT);
        const struct acme_key key = setup.account_key;
        setup.account_key.ops = &dead;
        setup.binding = (struct acme_binding){given == 2 ? "" : given ? "kid" : NULL, "key", 3};
        acme_out_init(&o, text, sizeof text);
        assert_int_equal(acme_flow_rfc8555[ACME_STEP_ACCOUNT].ask(&flow, &o), given == 1 ? ACME_E_KEY : 0);
        setup.account_key = key;
        setup.binding.kid = NULL;
    }
}
#endif

TEST(refusals)
{
    for (int kind = ACME_PROBLEM_OTHER; kind <= ACME_PROBLEM_SERVER; kind++) {
        enum acme_problem_kind k = (enum acme_problem_kind)kind;
        start(ACME_STEP_ACCOUNT);
        assert_int_equal(refuses(k), k == ACME_PROBLEM_BINDING        ? ACME_E_EAB
                                     : k == ACME_PROBLEM_UNAUTHORIZED ? ACME_E_ACCOUNT
                                                                      : ACME_E_PROBLEM);
        start(ACME_STEP_ORDER);
        flow.confirmed = true;
        assert_int_equal(refuses(k), ACME_E_PROBLEM);
        start(ACME_STEP_ORDER); /* of the account nothing is known but what was stored */
        bool by_account = k == ACME_PROBLEM_MALFORMED || k == ACME_PROBLEM_UNAUTHORIZED;
        assert_int_equal(refuses(k), by_account ? (int)ACME_STEP_DIRECTORY : ACME_E_PROBLEM);
        start(ACME_STEP_RESPOND);
        for (int again = 0; again < 3; again++) { /* the authorization tells */
            assert_int_equal(refuses(k), ACME_STEP_AUTHZ_POLL);
        }
        assert_int_equal(withdraws, 0);
        bool conflict = k == ACME_PROBLEM_CONFLICT;
        assert_int_equal(refuses(k), conflict ? (int)ACME_STEP_AUTHZ_POLL : ACME_E_PROBLEM);
        assert_int_equal(withdraws, conflict ? 0 : 1);
        start(ACME_STEP_FINALIZE);
        for (int again = 0; again < 3; again++) { /* the order tells whether that was meant */
            assert_int_equal(refuses(k), ACME_STEP_ORDER_POLL);
        }
        assert_int_equal(refuses(k), k == ACME_PROBLEM_ORDER_NOT_READY ? (int)ACME_STEP_ORDER_POLL : ACME_E_PROBLEM);
    }
    static const enum acme_step gone[] = {ACME_STEP_AUTHZ, ACME_STEP_AUTHZ_POLL, ACME_STEP_ORDER_POLL,
                                          ACME_STEP_CERTIFICATE};
    for (unsigned i = 0; i < 4; i++) {
        /* 2: it may have a certificate; 3: but for longer than one waits for that */
        for (int resumed = 0; resumed < 4; resumed++) {
            start(gone[i]);
            flow.resumed = resumed > 0;
            flow.finalized = resumed > 1;
            flow.old = resumed > 2;
            int next = (int)gone[i];
            unsigned times = 0;
            for (; next == (int)gone[i] && times < 50; times++) {
                next = refuses(ACME_PROBLEM_OTHER);
            }
            assert_int_equal(next, resumed % 2 != 0 ? (int)ACME_STEP_ORDER : ACME_E_PROBLEM);
            assert_in_range(times, 3, 6);
        }
    }
}

/* finalize may have been carried out: whoever says otherwise afterwards is a replica that lags, or a box on the way. */
TEST(what_may_be_paid_stays_so)
{
    static const char pending[] = "{\"status\":\"pending\",\"finalize\":\"" U "/finalize/1\"}";
    static const enum acme_step looks[] = {ACME_STEP_ORDER, ACME_STEP_ORDER_POLL, ACME_STEP_FINALIZE};
    for (unsigned i = 0; i < 3; i++) {
        for (int requested = 0; requested < 2; requested++) {
            start(ACME_STEP_FINALIZE);
            flow.finalized = true;
            flow.requested = requested == 1;
            flow.step = looks[i];
            (void)reads(pending, U "/order/1");
            assert_int_equal(flow.finalized, i > 0 || requested); /* at a first look it was never finalized */
        }
    }
    start(ACME_STEP_FINALIZE);
    flow.old = true;
    acme_flow_lost(&flow);
    assert_true(flow.finalized && !flow.old && acme_flow_keeps_order(&flow));
    start(ACME_STEP_FINALIZE); /* a page in the place of the CA's words */
    flow.old = true;
    assert_int_equal(refuses(ACME_PROBLEM_OTHER), ACME_STEP_ORDER_POLL);
    assert_true(flow.finalized && !flow.old);
}

/* Denials are counted by themselves, in a row; what was tried again before, and for another reason, is none. */
TEST(denials_are_counted_in_a_row)
{
    start(ACME_STEP_AUTHZ_POLL);
    flow.tries = 3;
    for (int again = 0; again < 3; again++) {
        assert_int_equal(refuses(ACME_PROBLEM_OTHER), ACME_STEP_AUTHZ_POLL);
    }
    assert_int_equal(refuses(ACME_PROBLEM_OTHER), ACME_E_PROBLEM);
}

/* A stored order is not given up for an answer that lacks a member, but when it does again and again. */
TEST(a_stored_order_is_looked_at_again)
{
    static const char *const odd[] = {"{}", "{\"status\":\"pending\"}"};
    for (unsigned i = 0; i < 2; i++) {
        start(ACME_STEP_ORDER);
        take(flow.order.url, U "/order/1");
        flow.resumed = true;
        for (int again = 0; again < 3; again++) {
            assert_int_equal(reads(odd[i], ""), ACME_E_MEMBER);
            assert_string_equal(flow.order.url, U "/order/1");
        }
        assert_int_equal(reads(odd[i], ""), ACME_STEP_ORDER);
        assert_string_equal(flow.order.url, "");
    }
    start(ACME_STEP_ORDER); /* what will not do at the next look either needs none */
    take(flow.order.url, U "/order/1");
    flow.resumed = true;
    assert_int_equal(reads("{\"status\":\"pending\",\"finalize\":\"https://elsewhere.test/f\","
                           "\"authorizations\":[\"" U "/authz/1\"]}",
                           ""),
                     ACME_STEP_ORDER);
    assert_string_equal(flow.order.url, "");
}

/* Where newOrder's order is, is worth its body; of anything else, or on another host, it is not. */
TEST(a_location_is_enough)
{
    for (int step = 0; step <= ACME_STEP_CERTIFICATE; step++) {
        start((enum acme_step)step);
        bool known = flow.order.url[0] != '\0';
        acme_flow_located(&flow, acme_slice_of(U "/order/7"));
        assert_int_equal(flow.save_order, step == ACME_STEP_ORDER);
        assert_string_equal(flow.order.url, step == ACME_STEP_ORDER ? U "/order/7" : known ? U "/order/1" : "");
    }
    for (int named = 0; named < 2;
         named++) { /* so it is where the body lacks something, and the order need be of no use */
        start(ACME_STEP_ORDER);
        assert_int_equal(reads("{}", named ? U "/order/7" : ""), ACME_E_MEMBER);
        assert_int_equal(flow.resumed, named);
        assert_int_equal(flow.save_order, named);
    }
    static const char *const bad[] = {"", "https://else.test/order/7", "/order/7"};
    for (unsigned i = 0; i < 3; i++) {
        start(ACME_STEP_ORDER);
        acme_flow_located(&flow, acme_slice_of(bad[i]));
        assert_false(flow.save_order);
        assert_string_equal(flow.order.url, "");
    }
}

/* The first answer was somebody else's. Ours is stored before it goes out, whatever it goes out for. */
TEST(answers_again_are_stored_first)
{
    for (int known = 0; known < 2; known++) {
        start(ACME_STEP_AUTHZ_POLL);
        flow.answered = (uint8_t)known;
        flow.at[0].in_doubt = true;
        int next = ACME_STEP_AUTHZ_POLL;
        for (int looks = 0; looks < 10 && next == ACME_STEP_AUTHZ_POLL; looks++) {
            next = reads("{\"status\":\"pending\",\"identifier\":{\"value\":\"a.example\"},\"challenges\":[{\"type\":"
                         "\"http-01\",\"url\":\"" U "/chall/1\",\"token\":\"tok\",\"status\":\"pending\"}]}",
                         "");
        }
        assert_int_equal(next, ACME_STEP_RESPOND);
        assert_int_equal(flow.answered, 1);
        assert_int_equal(flow.save_order, known == 0);
    }
}

TEST(an_order_is_replaced_once)
{
    start(ACME_STEP_AUTHZ_POLL);
    flow.resumed = true;
    assert_int_equal(acme_flow_reorder(&flow, ACME_E_ORDER), ACME_STEP_ORDER);
    assert_string_equal(flow.order.url, "");
    assert_int_equal(flow.order.authz_count, 0);
    assert_int_equal(flow.authz, 0);
    assert_true(flow.drop_order);
    assert_false(flow.resumed || flow.save_order || flow.presented);
    assert_int_equal(withdraws, 1);
    assert_int_equal(acme_flow_reorder(&flow, ACME_E_ORDER), ACME_E_ORDER);
}

/* A replica that lags says so of a new account: looked at again, then the account is looked up by its key. */
TEST(an_account_is_looked_up_once)
{
    for (int same = 0; same < 2; same++) {
        start(ACME_STEP_AUTHZ_POLL);
        flow.resumed = flow.at[0].in_doubt = true;
        for (int again = 0; again < 3; again++) {
            assert_int_equal(acme_flow_account_lost(&flow), ACME_STEP_AUTHZ_POLL);
            assert_int_equal(withdraws, 0);
        }
        assert_int_equal(acme_flow_account_lost(&flow), ACME_STEP_DIRECTORY);
        assert_string_equal(flow.account, "");
        assert_int_equal(withdraws, 1);
        flow.step = ACME_STEP_ACCOUNT;
        assert_int_equal(reads("{\"status\":\"valid\"}", same ? U "/account/1" : U "/account/2"), ACME_STEP_ORDER);
        assert_true(flow.save_account);
        assert_int_equal(flow.drop_order, !same); /* it belonged to the lost account */
        assert_int_equal(flow.resumed, same);
        assert_string_equal(flow.order.url, same ? U "/order/1" : "");
        flow.denied = 3;
        assert_int_equal(acme_flow_account_lost(&flow), ACME_E_PROBLEM);
    }
}

TEST(a_stale_directory_is_read_once)
{
    const char *text = "{\"newNonce\":\"" U "/n2\",\"newAccount\":\"" U "/a2\",\"newOrder\":\"" U "/o2\"}";
    start(ACME_STEP_ORDER);
    acme_flow_start(&flow);
    assert_int_equal(flow.step, ACME_STEP_ORDER);
    assert_true(flow.cached);
    assert_int_equal(acme_flow_directory_stale(&flow), ACME_STEP_DIRECTORY);
    assert_false(flow.cached);
    flow.step = ACME_STEP_DIRECTORY;
    assert_int_equal(reads(text, ""), ACME_STEP_ORDER); /* the account is known */
    assert_true(flow.save_account);
    assert_string_equal(flow.directory.new_order, U "/o2");
}

/* The CA may have taken the answer to the challenge before it redirected: it is looked at first, not answered again. */
TEST(what_was_answered_is_looked_at_first)
{
    char text[600];
    snprintf(text, sizeof text, AUTHZ, "\"pending\"");
    for (int answered = 0; answered < 2; answered++) {
        start(ACME_STEP_AUTHZ_POLL);
        acme_flow_start(&flow);
        flow.step = ACME_STEP_AUTHZ_POLL;
        flow.answered = (uint8_t)answered;
        assert_int_equal(acme_flow_directory_stale(&flow), ACME_STEP_DIRECTORY);
        assert_int_equal(withdraws, 1);
        flow.step = ACME_STEP_AUTHZ;
        assert_int_equal(reads(text, ""), ACME_STEP_PRESENT);
        assert_int_equal(acme_flow_act(&flow), answered ? ACME_STEP_AUTHZ_POLL : ACME_STEP_RESPOND);
        assert_int_equal(flow.save_order, !answered); /* stored before it goes out */
        assert_int_equal(flow.answered, 1);
    }
}

TEST(directories)
{
#define DIRECTORY(meta)                                                                                              \
    "{\"newNonce\":\"" U "/n\",\"newAccount\":\"" U "/a\",\"newOrder\":\"" U "/o\",\"meta\":" meta "}"
    for (int accept = 0; accept < 2; accept++) {
        for (int known = 0; known < 2; known++) {
            start(ACME_STEP_DIRECTORY);
            flow.account[0] = known ? 'h' : '\0';
            setup.accept_terms = accept == 1;
#if ACME_CFG_EAB
            flow.bound.key_is_new = true; /* or the CA would be asked whether it knows the account */
#endif
            assert_int_equal(reads(DIRECTORY("{}"), ""), known ? ACME_STEP_ORDER : ACME_STEP_ACCOUNT);
            assert_int_equal(reads(DIRECTORY("{\"termsOfService\":\"x\"}"), ""), known    ? (int)ACME_STEP_ORDER
                                                                                 : accept ? (int)ACME_STEP_ACCOUNT
                                                                                          : ACME_E_TERMS);
            assert_int_equal(reads(DIRECTORY("{\"externalAccountRequired\":true}"), ""),
                             known ? (int)ACME_STEP_ORDER : ACME_E_EAB);
        }
    }
}

/* The CA has changed its protocol since the directory was stored: the account is known by another URL. */
TEST(directories_of_another_protocol)
{
    static const char *const other[] = {DIRECTORY("{}"), "{\"new-reg\":\"" U "/r\",\"new-authz\":\"" U
                                                         "/z\",\"new-cert\":\"" U "/c\"}"};
    for (int v1 = 0; v1 < 2; v1++) {
        start(ACME_STEP_FINALIZE);
        flow.v1 = v1 == 0;
        flow.cached = true;
        flow.step = ACME_STEP_DIRECTORY;
        setup.accept_terms = true;
        assert_int_equal(reads(other[v1], ""), ACME_STEP_ACCOUNT);
        assert_ptr_equal(acme_row_of(&flow, flow.step), &(v1 == 1 ? acme_flow_v1 : acme_flow_rfc8555)[flow.step]);
        assert_string_equal(flow.account, "");
    }
}

TEST(runs_begin_where_they_can)
{
    start(ACME_STEP_ORDER);
    acme_flow_start(&flow);
    assert_int_equal(flow.step, ACME_STEP_ORDER);
    assert_false(flow.resumed);
    assert_true(flow.cached);
    take(flow.order.url, U "/order/1");
    acme_flow_start(&flow);
    assert_true(flow.resumed);
    flow.account[0] = '\0';
    acme_flow_start(&flow);
    assert_int_equal(flow.step, ACME_STEP_DIRECTORY);
}

TEST(progress_grows_along_the_way)
{
    uint32_t last = 0;
    start(ACME_STEP_AUTHZ);
    flow.at[1].stage = ACME_STAGE_NEW;
    for (int step = ACME_STEP_AUTHZ; step <= ACME_STEP_AUTHZ_POLL; step++) { /* and in it with each of the two */
        for (int i = 0; i < 2; i++) {
            assert_true(acme_flow_progress(&flow, (enum acme_step)step) > last);
            last = acme_flow_progress(&flow, (enum acme_step)step);
            flow.at[i].stage++;
        }
    }
    assert_int_equal(flow.at[1].stage, ACME_STAGE_VALID);
    assert_true(acme_flow_progress(&flow, ACME_STEP_FINALIZE) > last);
}

/* A key in hardware that stops to answer: nothing is shown and nothing is asked. */
TEST(keys_that_do_not_answer)
{
    start(ACME_STEP_PRESENT);
    setup.account_key.ops = &maker_mute_ops;
    assert_int_equal(acme_flow_act(&flow), ACME_E_KEY);
    assert_int_equal(presents, 0);
    assert_false(flow.presented);

    char text[2000];
    struct acme_out o;
    start(ACME_STEP_FINALIZE);
    setup.certificate_key.ops = &maker_mute_ops;
    acme_out_init(&o, text, sizeof text);
    assert_int_equal(acme_flow_rfc8555[ACME_STEP_FINALIZE].ask(&flow, &o), ACME_E_KEY);
    assert_int_equal(flow.signatures, 0);
}

/* A challenge we may have answered before a reset: once the CA is seen at work on it there is no doubt. */
TEST(no_doubt_while_it_is_processed)
{
    start(ACME_STEP_AUTHZ_POLL);
    flow.at[0].in_doubt = true;
    assert_int_equal(
        reads("{\"status\":\"pending\",\"identifier\":{\"value\":\"a.example\"},\"challenges\":[{\"type\":"
              "\"http-01\",\"status\":\"processing\",\"url\":\"" U "/chall/1\",\"token\":\"tok\"}]}",
              ""),
        ACME_STEP_AUTHZ_POLL);
    assert_false(flow.at[0].in_doubt);
}

/* Answered, and nothing comes of it: the CA may wait to be asked for another try (RFC 8555, 8.2). Not for ever. */
TEST(a_silent_challenge_is_answered_again)
{
    char text[600];
    unsigned looks = 0, answers = 0;
    snprintf(text, sizeof text, AUTHZ, "\"pending\"");
    start(ACME_STEP_AUTHZ_POLL);
    for (; looks < 100; looks++) {
        int next = reads(text, "");
        answers += next == ACME_STEP_RESPOND;
        flow.at[0].stage = ACME_STAGE_ASKED; /* it was answered */
        assert_true(next == ACME_STEP_AUTHZ_POLL || next == ACME_STEP_RESPOND);
        assert_int_equal(answers, looks < 7 ? 0 : looks < 15 ? 1 : looks < 23 ? 2 : 3);
    }
}
