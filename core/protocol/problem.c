#include "problem.h"
#include "trace.h"

static const struct acme_problem_word {
    const char *word;
    enum acme_problem_kind kind;
} words[] = {
    {"badNonce", ACME_PROBLEM_BAD_NONCE},
    {"rateLimited", ACME_PROBLEM_RATE_LIMITED},
    {"orderNotReady", ACME_PROBLEM_ORDER_NOT_READY},
    {"accountDoesNotExist", ACME_PROBLEM_NO_ACCOUNT},
    {"userActionRequired", ACME_PROBLEM_USER_ACTION},
    {"agreementRequired", ACME_PROBLEM_USER_ACTION}, /* Pebble before 2.9 */
    {"externalAccountRequired", ACME_PROBLEM_BINDING},
    {"malformed", ACME_PROBLEM_MALFORMED},
    {"conflict", ACME_PROBLEM_CONFLICT},
    {"unauthorized", ACME_PROBLEM_UNAUTHORIZED},
    {"serverInternal", ACME_PROBLEM_SERVER},
};

/* The last part decides: the prefix was urn:acme:error: in 2016 and is urn:ietf:params:acme:error: today. */
bool acme_problem_is(const struct acme_problem *problem, const char *word)
{
    struct acme_slice type = problem->type;
    size_t len = strlen(word);
    bool ends = type.len >= len && acme_slice_is(acme_slice(type.at + (type.len - len), len), word);
    return ends && (type.len == len || type.at[type.len - len - 1] == ':');
}

static enum acme_problem_kind kind_of(const struct acme_problem *problem)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (acme_problem_is(problem, words[i].word)) {
            return words[i].kind;
        }
    }
    return ACME_PROBLEM_OTHER; /* about:blank too, the type there is without one (RFC 9457, 3.1.1) */
}

struct acme_slice acme_printable(struct acme_json *json, struct acme_slice s)
{
    char *text = s.len == 0 ? NULL : json->text + (s.at - json->text);
    for (size_t i = 0; i < s.len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            text[i] = text[i] == '\n' || text[i] == '\t' ? ' ' : '?';
        }
    }
    return s;
}

void acme_problem_read(struct acme_problem *problem, struct acme_json *json, acme_json_value value,
                       uint16_t http_status)
{
    int32_t status = acme_json_number(json, acme_json_member(json, value, "status"));
    acme_json_value identifier = acme_json_member(json, value, "identifier");

    problem->type = acme_printable(json, acme_json_text(json, value, "type"));
    problem->kind = kind_of(problem);
    problem->detail = acme_printable(json, acme_json_text(json, value, "detail"));
    problem->name = acme_printable(json, acme_json_text(json, identifier, "value"));
    problem->http_status = status >= 100 && status <= 599 ? (uint16_t)status : http_status;
}

#if ACME_CFG_TRACE
void acme_problem_tell(const struct acme_setup *setup, const struct acme_event *about, struct acme_json *json,
                       acme_json_value value)
{
    acme_json_value list = acme_json_member(json, value, "subproblems");
    acme_json_value item = acme_json_first(json, list);
    struct acme_event event = *about;

    event.kind = ACME_EVENT_PROBLEM;
    while (value != ACME_JSON_NONE) {
        struct acme_problem problem;
        acme_problem_read(&problem, json, value, about->http_status);
        event.http_status = problem.http_status;
        event.text = problem.type;
        event.detail = problem.detail;
        if (problem.name.len > 0 || event.subproblem) {
            event.name = problem.name;
        }
        acme_trace(setup, &event);
        if (ACME_CFG_MANAGE && problem.kind == ACME_PROBLEM_USER_ACTION) { /* where to read them: RFC 8555, 7.3.3 */
            struct acme_event terms = {.kind = ACME_EVENT_TERMS, .step = about->step};
            terms.text = acme_printable(json, acme_json_text(json, value, "instance"));
            if (terms.text.len > 0) {
                acme_trace(setup, &terms);
            }
        }

        event.subproblem = true;
        value = item;
        item = acme_json_next(json, list, item);
    }
}
#endif
