/* Problem types x steps: what the client does when a request is refused with each problem there is.
 *
 * Types: the 24 of RFC 8555, section 6.7, and what else servers say. Steps: the nine kinds of requests. A cell is
 * played twice: the first request of the kind is refused and the CA then does its work; and all of them are refused. The
 * first shows what is done next, the second that there is an end. What should be done is in the table of rules, the
 * first that matches. One cell with its exchange: CELL="type=badNonce step=newOrder". */
#include "cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct engine e;

#define BIT(n) (1u << (n))
#define URN    "urn:ietf:params:acme:error:"
#define PAUSED                                                                                                       \
    "Your account is temporarily prevented from requesting certificates for a.example. Please visit: "               \
    "https://ca.test/sfe/v1/unpause?jwt=" X100 X100 X100 X100 X100
#define X100 "eyJhbGciOiJIUzI1NiJ9.eyJhbGciOiJIUzI1NiJ9.eyJhbGciOiJIUzI1NiJ9.eyJhbGciOiJIUzI1NiJ9.eyJhbGciOiJIUzI1"

/* What a type means to a client that knows it; the rules speak of these. */
enum class {
    NONCE,
    RATE,
    PAUSE,
    BROKEN,
    TERMS,
    BINDING,
    ACCOUNT,
    EARLY,
    MALFORMED,
    UNDER_WAY,
    ENDED,
    OTHER,
    UNTYPED
};

static const struct {
    const char *name;
    int code;
    enum class class;
    const char *type; /* as in the document; NULL: URN and name; "": none        */
    const char *line; /* a header line; NULL: none                               */
} types[] = {
    {"accountDoesNotExist", 400, ACCOUNT},
    {"alreadyRevoked", 400, OTHER},
    {"badCSR", 400, OTHER},
    {"badNonce", 400, NONCE},
    {"badPublicKey", 400, OTHER},
    {"badRevocationReason", 400, OTHER},
    {"badSignatureAlgorithm", 400, OTHER},
    {"caa", 403, OTHER},
    {"compound", 400, OTHER},
    {"connection", 400, OTHER},
    {"dns", 400, OTHER},
    {"externalAccountRequired", 403, BINDING},
    {"incorrectResponse", 403, OTHER},
    {"invalidContact", 400, OTHER},
    {"malformed", 400, MALFORMED},
    {"orderNotReady", 403, EARLY},
    {"rateLimited", 429, RATE, NULL, "Retry-After: 7\r\n"},
    {"rejectedIdentifier", 400, OTHER},
    {"serverInternal", 500, BROKEN},
    {"tls", 400, OTHER},
    {"unauthorized", 403, ENDED},
    {"unsupportedContact", 400, OTHER},
    {"unsupportedIdentifier", 400, OTHER},
    {"userActionRequired", 403, TERMS},
    {"alreadyReplaced", 409, OTHER}, /* RFC 9773, 7.4 */
    {"invalidProfile", 400, OTHER},  /* draft-ietf-acme-profiles */
    {"conflict", 409, UNDER_WAY},    /* Boulder since July 2026 */
    {"paused", 429, PAUSE, URN "rateLimited"},
    {"of 2016", 400, NONCE, "urn:acme:error:badNonce"},
    {"agreementRequired", 403, TERMS}, /* Pebble before 2.9 */
    {"unknown urn", 400, OTHER, "urn:example:moon:phase"},
    {"about:blank", 403, OTHER, "about:blank"},
    {"none", 404, UNTYPED, ""},
};

#define ANY   0xffffu
#define STEP  BIT
#define LOOKS (STEP(CA_AUTHZ) | STEP(CA_ORDER) | STEP(CA_CERTIFICATE))
#define MAKES (STEP(CA_NEW_ACCOUNT) | STEP(CA_NEW_ORDER))
#define HEAD  STEP(CA_NONCE)
enum { AGAIN = CA_KINDS + 1, END };

/* `then`: what is asked next, after `wait_ms`; END: nothing, the run ends with `error`. Where it goes on, `error` is what
 * it ends with when the CA never says anything else. */
static const struct rule {
    unsigned classes, steps;
    int then;
    uint32_t wait_ms;
    int error;
    const char *why;
} rules[] = {
    /* clang-format off */
    /* Said of any request. */
    {BIT(RATE), ANY, AGAIN, 7000, ACME_E_RATE_LIMITED, "8555 6.6: as long as told, five times, then the run gives way"},
    {BIT(PAUSE), MAKES, END, 0, ACME_E_RATE_LIMITED, "Boulder: no Retry-After, only the account's owner can end that; tomorrow again"},
    {BIT(PAUSE), STEP(CA_CHALLENGE), CA_AUTHZ, 1000, ACME_E_RATE_LIMITED, "elsewhere it is a box on the way: as the next"},
    {BIT(PAUSE), STEP(CA_FINALIZE), CA_ORDER, 1000, ACME_E_RATE_LIMITED, "as the next"},
    {BIT(PAUSE), ANY, AGAIN, 1000, ACME_E_RATE_LIMITED, "as the next"},
    {BIT(BROKEN), STEP(CA_CHALLENGE), CA_AUTHZ, 1000, ACME_E_PROBLEM, "the response may have been taken: the authorization tells"},
    {BIT(BROKEN), STEP(CA_FINALIZE), CA_ORDER, 1000, ACME_E_PROBLEM, "the request may have been carried out: the order tells"},
    {BIT(BROKEN), HEAD, AGAIN, 1000, ACME_E_HTTP_STATUS, "a moment's patience; an answer to HEAD has no document"},
    {BIT(BROKEN), ANY, AGAIN, 1000, ACME_E_PROBLEM, "a moment's patience, growing, four times"},

    /* An answer to HEAD has no body, so the code is all there is. */
    {ANY, HEAD, AGAIN, 1000, ACME_E_HTTP_STATUS, "9110 9.3.2: no document, so a page of whoever it was; a directory read just now can not be old"},

    {BIT(NONCE), STEP(CA_DIRECTORY), AGAIN, 0, ACME_E_NONCE, "makes no sense for what is not signed; no harm in asking again"},
    {BIT(NONCE), ANY, AGAIN, 0, ACME_E_NONCE, "8555 6.5: at once with the new nonce; after six a pause, half an hour in all"},
    {BIT(TERMS), ANY, END, 0, ACME_E_TERMS, "8555 7.3.3: a person has to act"},
    {BIT(ACCOUNT), STEP(CA_NEW_ACCOUNT), END, 0, ACME_E_PROBLEM, "an endpoint that makes none (DigiCert): there is nothing to look up"},
    {BIT(ACCOUNT), ANY, AGAIN, 1000, ACME_E_PROBLEM, "replicas lag; the fourth time newAccount finds it by its key (8555 7.3.1), once a run"},

    /* Said of one. */
    {BIT(BINDING), STEP(CA_NEW_ACCOUNT), END, 0, ACME_E_EAB, "8555 7.3.4: a person has to get a binding"},
    {BIT(ENDED), STEP(CA_NEW_ACCOUNT), END, 0, ACME_E_ACCOUNT, "Boulder, Pebble: the key's account was deactivated; a person has to act"},
    {BIT(UNDER_WAY), STEP(CA_CHALLENGE), CA_AUTHZ, 500, ACME_E_BUDGET, "8555 7.5.1: it is being validated, believe that: the authorization tells"},
    {BIT(UNTYPED), STEP(CA_CHALLENGE), CA_AUTHZ, 500, ACME_E_HTTP_STATUS, "the authorization tells what that meant, as the next"},
    {BIT(OTHER), STEP(CA_CHALLENGE), CA_AUTHZ, 500, ACME_E_AUTHZ, "as the next; serles has validated in vain before it answers, and says why"},
    {ANY, STEP(CA_CHALLENGE), CA_AUTHZ, 500, ACME_E_PROBLEM, "Pebble, older Boulders: it was answered before; if it still waits after four looks, it was not: again, three times"},
    {BIT(EARLY), STEP(CA_FINALIZE), CA_ORDER, 500, ACME_E_BUDGET, "8555 7.4: not ready although all is valid: the order tells when"},
    {BIT(UNTYPED), STEP(CA_FINALIZE), CA_ORDER, 500, ACME_E_HTTP_STATUS, "as the next"},
    {ANY, STEP(CA_FINALIZE), CA_ORDER, 500, ACME_E_PROBLEM, "whoever says so may not have seen the order, which tells; once more is enough"},

    /* All others. */
    {BIT(UNTYPED), STEP(CA_DIRECTORY) | MAKES, AGAIN, 1000, ACME_E_HTTP_STATUS, "9457 4.2.1: no type is about:blank: not the CA's word, a moment's patience"},
    {BIT(UNTYPED), LOOKS, AGAIN, 1000, ACME_E_HTTP_STATUS, "it is there, we were told its URL: replicas lag; three times more"},
    {ANY, LOOKS, AGAIN, 1000, ACME_E_PROBLEM, "it is there, we were told its URL: replicas lag; three times more"},
    {ANY, STEP(CA_DIRECTORY) | MAKES, END, 0, ACME_E_PROBLEM, "8555 6.7: refused, and asking again would not change it"},
    /* clang-format on */
};

static unsigned used[LEN(rules)];

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

static const char *type_of(unsigned type, char *text, size_t cap)
{
    snprintf(text, cap, "%s%s", types[type].type == NULL ? URN : types[type].type,
             types[type].type == NULL ? types[type].name : "");
    return text;
}

static void play(unsigned type, enum ca_kind step, bool always)
{
    char head[300], body[1000], urn[128], member[160] = "";
    if (type_of(type, urn, sizeof urn)[0] != '\0') {
        snprintf(member, sizeof member, "\"type\":\"%s\",", urn);
    }
    snprintf(head, sizeof head, "HTTP/1.1 %d No\r\nContent-Type: application/problem+json\r\n%s", types[type].code,
             types[type].line != NULL ? types[type].line : "");
    snprintf(body, sizeof body, "{%s\"detail\":\"%s\",\"status\":%d}", member,
             types[type].class == PAUSE ? PAUSED : "No, because", types[type].code);
    const char *nonce = step == CA_NONCE ? "" : NULL; /* or it would be taken, and that were all */
    bool at_it = types[type].class == UNDER_WAY && step == CA_CHALLENGE && !always; /* as it says */
    const struct ca_twist t[] = {
        {step, 1, always ? CA_FOREVER : 0, at_it ? CA_DO_AND_SAY : CA_SAY, head, body, nonce}};
    const struct ca_plan plan = {
        .names = {"a.example"}, .name_count = 1, .processing = 1, .shared = true, .twists = t, .twist_count = LEN(t)};
    cell_play(&e, &plan, NULL, NULL);
}

/* The CA's words reach the trace, and those that ended the run its failure. */
static void check_words(unsigned type, enum ca_kind step, const struct rule *r)
{
    char urn[128];
    type_of(type, urn, sizeof urn);
    bool told = types[type].class != NONCE && step != CA_NONCE;
    if (told != (e.problems > 0) || (told && strcmp(e.problem_type[0], urn) != 0)) {
        cell_wrong("%u problems told, the first \"%s\"", e.problems, e.problem_type[0]);
    }
    if (told && types[type].class == PAUSE && strcmp(e.problem_detail, PAUSED) != 0) {
        cell_wrong("told \"%s\"", e.problem_detail);
    }
    if (r->then == END && strncmp(e.failure_type, step == CA_NONCE ? "" : urn, sizeof e.failure_type - 1) != 0) {
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
    if (e.error != error || e.ca.requests > CELL_REQUESTS) {
        cell_wrong("ended with %d after %u requests, not %d", e.error, e.ca.requests, error);
    }
    uint32_t retry_s = types[type].class == PAUSE && r->then == END ? 86400 : 0;
    if (e.x.retry_s != retry_s) {
        cell_wrong("to come back after %u s, not %u s", e.x.retry_s, retry_s);
    }
    if (e.ca.accounts != (e.error == 0 ? 1 : e.ca.accounts) || e.ca.accounts > 1) {
        cell_wrong("%u accounts", e.ca.accounts);
    }
    check_words(type, step, r);
    engine_free(&e);
}

static void always(unsigned type, enum ca_kind step, const struct rule *r)
{
    /* what ends with the step's budget asks every ten seconds for half an hour, or asks two things */
    unsigned limit = r->error == ACME_E_BUDGET ? 380 : r->error == ACME_E_NONCE ? 100 : 36;
    play(type, step, true);
    if (e.error != r->error) {
        cell_wrong("always: ended with %d, not %d", e.error, r->error);
    }
    if (e.ca.requests > limit) {
        cell_wrong("always: %u requests", e.ca.requests);
    }
    engine_free(&e);
}

static unsigned played;

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
    CELL_ALL_USED(rules, used, played, LEN(types) * CA_KINDS_8555);
}

#define STEP_TEST(word, kind)                                                                                        \
    {                                                                                                                \
        "33 cells: " word " is refused", refused, NULL, cell_teardown, (void *)(size_t)(kind)                        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        STEP_TEST("the directory", CA_DIRECTORY),
        STEP_TEST("newNonce", CA_NONCE),
        STEP_TEST("newAccount", CA_NEW_ACCOUNT),
        STEP_TEST("newOrder", CA_NEW_ORDER),
        STEP_TEST("the authorization", CA_AUTHZ),
        STEP_TEST("the challenge", CA_CHALLENGE),
        STEP_TEST("the order", CA_ORDER),
        STEP_TEST("finalize", CA_FINALIZE),
        STEP_TEST("the certificate", CA_CERTIFICATE),
        cmocka_unit_test(every_rule_is_of_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
