/* Problem types x steps on the table of ACME v1: what the client does when a request is refused with what Boulder of December
 * 2016 had to say. `malformed` came with five codes, `unauthorized` for four reasons, and Retry-After with nothing.
 *
 * As in test_problem.c a cell is played twice, refused once and refused always. One cell with its exchange:
 * CELL="type=unauthorized step=newCert". */
#include "cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct engine e;

#define BIT(n) (1u << (n))
#define URN    "urn:acme:error:"

enum class { NONCE, RATE, BROKEN, MALFORMED, UNAUTHORIZED, OTHER };

static const struct {
    const char *name, *type;
    int code;
    enum class class;
} types[] = {
    {"badNonce", "badNonce", 400, NONCE},
    {"rateLimited", "rateLimited", 429, RATE},
    {"serverInternal", "serverInternal", 500, BROKEN},
    {"malformed 400", "malformed", 400, MALFORMED},
    {"malformed 404", "malformed", 404, MALFORMED},
    {"malformed 405", "malformed", 405, MALFORMED},
    {"malformed 409", "malformed", 409, MALFORMED},
    {"malformed 411", "malformed", 411, MALFORMED},
    {"unauthorized", "unauthorized", 403, UNAUTHORIZED},
    {"badCSR", "badCSR", 400, OTHER},
    {"caa", "caa", 403, OTHER},
    {"connection", "connection", 400, OTHER},
    {"dnssec", "dnssec", 400, OTHER},
    {"invalidEmail", "invalidEmail", 400, OTHER},
    {"rejectedIdentifier", "rejectedIdentifier", 400, OTHER},
    {"tls", "tls", 400, OTHER},
    {"unknownHost", "unknownHost", 400, OTHER},
    {"unsupportedIdentifier", "unsupportedIdentifier", 400, OTHER},
};

static const enum ca_kind steps[] = {CA_DIRECTORY, CA_NEW_REG,  CA_REG,         CA_NEW_AUTHZ, CA_AUTHZ,
                                     CA_CHALLENGE, CA_NEW_CERT, CA_CERTIFICATE, CA_ISSUER};

#define ANY   0xffffffu
#define STEP  BIT
#define MAKES (STEP(CA_NEW_REG) | STEP(CA_REG) | STEP(CA_NEW_AUTHZ) | STEP(CA_NEW_CERT))
#define LOOKS (STEP(CA_AUTHZ) | STEP(CA_CERTIFICATE) | STEP(CA_ISSUER))
enum { AGAIN = CA_KINDS + 1, END };

/* As in test_problem.c. */
static const struct rule {
    unsigned classes, steps;
    int then;
    uint32_t wait_ms;
    int error;
    const char *why;
} rules[] = {
    /* clang-format off */
    {BIT(NONCE), ANY, AGAIN, 0, ACME_E_NONCE, "at once with the new nonce; after six a pause, half an hour in all"},
    {BIT(RATE), MAKES, END, 0, ACME_E_RATE_LIMITED, "it never says when: tomorrow again"},
    {BIT(RATE), STEP(CA_CHALLENGE), CA_AUTHZ, 1000, ACME_E_RATE_LIMITED, "that server has no such limit: a box on the way, as the next"},
    {BIT(RATE), ANY, AGAIN, 1000, ACME_E_RATE_LIMITED, "as a stalled component"},
    {BIT(BROKEN), STEP(CA_CHALLENGE), CA_AUTHZ, 1000, ACME_E_PROBLEM, "the answer may have been taken: the authorization tells"},
    {BIT(BROKEN), STEP(CA_NEW_CERT), AGAIN, 300000, ACME_E_PROBLEM, "a certificate may have been made, and nobody tells its URL: once more, after minutes"},
    {BIT(BROKEN), ANY, AGAIN, 1000, ACME_E_PROBLEM, "a stalled component: a moment's patience, growing, four times"},
    {BIT(UNAUTHORIZED), STEP(CA_REG), AGAIN, 1000, ACME_E_ACCOUNT, "the account is there and we may not use it: deactivated, or a replica that lags; three times more"},
    {BIT(UNAUTHORIZED), STEP(CA_NEW_AUTHZ), AGAIN, 1000, ACME_E_PROBLEM, "no registration, as a replica says that lags, or new terms; the fourth time both are looked for at the registration, once a run"},
    {BIT(UNAUTHORIZED), STEP(CA_NEW_CERT), CA_NEW_AUTHZ, 0, ACME_E_PROBLEM, "too early, or expired, in the same words: all are asked for anew, once a run"},
    {BIT(OTHER), STEP(CA_CHALLENGE), CA_AUTHZ, 500, ACME_E_AUTHZ, "the authorization tells; for ever: it could not be validated"},
    {ANY, STEP(CA_CHALLENGE), CA_AUTHZ, 500, ACME_E_PROBLEM, "answered before, expired, or really wrong: the authorization tells"},
    {ANY, LOOKS, AGAIN, 1000, ACME_E_PROBLEM, "it was there: a storage that stalls denies it"},
    {ANY, ANY, END, 0, ACME_E_PROBLEM, "refused, and asking again would not change it"},
    /* clang-format on */
};

static unsigned used[LEN(rules)], played;

static const struct rule *rule_for(unsigned type, enum ca_kind step)
{
    for (unsigned i = 0; i < LEN(rules); i++) {
        if (rules[i].classes & BIT(types[type].class) && rules[i].steps & STEP(step)) {
            used[i]++;
            return &rules[i];
        }
    }
    fail_msg("no rule for %s", types[type].name);
    return NULL;
}

static void play(unsigned type, enum ca_kind step, bool always)
{
    char head[300], body[300];
    snprintf(head, sizeof head, CA_NO("%d No"), types[type].code);
    snprintf(body, sizeof body, "{\n  \"type\": \"" URN "%s\",\n  \"detail\": \"No, because\",\n  \"status\": %d\n}",
             types[type].type, types[type].code);
    const struct ca_twist t[] = {{step, 1, always ? CA_FOREVER : 0, CA_SAY, head, body}};
    const struct ca_plan plan = {
        .names = {"a.example"}, .name_count = 1, .shared = true, .v1 = true, .twists = t, .twist_count = LEN(t)};
    cell_play(&e, &plan, NULL, NULL);
}

static void check_words(unsigned type, const struct rule *r)
{
    char urn[128];
    snprintf(urn, sizeof urn, URN "%s", types[type].type);
    bool told = types[type].class != NONCE;
    if (told != (e.problems > 0) || (told && strcmp(e.problem_type[0], urn) != 0)) {
        cell_wrong("%u problems told, the first \"%s\"", e.problems, e.problem_type[0]);
    }
    if (r->then == END && strcmp(e.failure_type, urn) != 0) {
        cell_wrong("failed with \"%s\"", e.failure_type);
    }
}

static void once(unsigned type, enum ca_kind step, const struct rule *r)
{
    play(type, step, false);
    struct cell_next next = cell_next(step, 1);
    enum ca_kind then = r->then == AGAIN ? step : r->then == END ? CA_KINDS : (enum ca_kind)r->then;
    if (!next.asked || next.kind != then || next.waited_ms != r->wait_ms) {
        cell_wrong("%s after %u ms, not %s after %u ms: %s", cell_kind(next.kind), next.waited_ms, cell_kind(then),
                   r->wait_ms, r->why);
    }
    int error = r->then == END ? r->error : 0;
    if (e.error != error || e.ca.requests > CELL_REQUESTS || e.ca.early > 0) {
        cell_wrong("ended with %d after %u requests, not %d", e.error, e.ca.requests, error);
    }
    if (e.x.retry_s != (types[type].class == RATE && r->then == END ? 86400u : 0u)) {
        cell_wrong("to come back after %u s", e.x.retry_s);
    }
    if (e.ca.accounts > 1 || e.ca.order_count > 1) {
        cell_wrong("%u accounts, %u certificates", e.ca.accounts, e.ca.order_count);
    }
    check_words(type, r);
    engine_free(&e);
}

static void always(unsigned type, enum ca_kind step, const struct rule *r)
{
    play(type, step, true);
    if (e.error != r->error) {
        cell_wrong("always: ended with %d, not %d", e.error, r->error);
    }
    if (e.ca.requests > (r->error == ACME_E_NONCE ? 100 : 36) || e.ca.order_count > 1) {
        cell_wrong("always: %u requests, %u certificates", e.ca.requests, e.ca.order_count);
    }
    if (step == CA_NEW_CERT && types[type].class != NONCE && e.ca.count[CA_NEW_CERT] > 2) {
        cell_wrong("always: new-cert was asked for %u times", e.ca.count[CA_NEW_CERT]);
    }
    engine_free(&e);
}

static void refused(void **state)
{
    enum ca_kind step = (enum ca_kind)(size_t)*state;
    for (unsigned type = 0; type < LEN(types); type++) {
        char token[CELL_TOKEN];
        snprintf(token, sizeof token, "type=%s step=%s", types[type].name, cell_kind(step));
        if (cell_chosen(token)) {
            const struct rule *r = rule_for(type, step);
            once(type, step, r);
            always(type, step, r);
            played++;
        }
    }
    assert_int_equal(cell_wrongs(), 0);
}

static void every_rule_is_of_use(void **state)
{
    CELL_ALL_USED(rules, used, played, LEN(types) * LEN(steps));
}

int main(void)
{
    static struct CMUnitTest tests[LEN(steps) + 1];
    static char names[LEN(steps)][60];
    for (unsigned i = 0; i < LEN(steps); i++) {
        snprintf(names[i], sizeof names[i], "%zu cells: %s is refused", LEN(types), cell_kind(steps[i]));
        tests[i] = (struct CMUnitTest){names[i], refused, NULL, cell_teardown, (void *)(size_t)steps[i]};
    }
    tests[LEN(steps)] = (struct CMUnitTest)cmocka_unit_test(every_rule_is_of_use);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
