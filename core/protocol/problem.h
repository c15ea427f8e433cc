/* problem.h - problem documents (RFC 9457; RFC 8555, 6.7). */
#ifndef ACME_PROTOCOL_PROBLEM_H
#define ACME_PROTOCOL_PROBLEM_H

#include "../acme_setup.h"
#include "../wire/json.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The types that change what we do; all others are shown and end the run. */
enum acme_problem_kind {
    ACME_PROBLEM_OTHER,
    ACME_PROBLEM_BAD_NONCE,
    ACME_PROBLEM_RATE_LIMITED,
    ACME_PROBLEM_ORDER_NOT_READY,
    ACME_PROBLEM_NO_ACCOUNT,  /* accountDoesNotExist                             */
    ACME_PROBLEM_USER_ACTION, /* userActionRequired, agreementRequired           */
    ACME_PROBLEM_BINDING,     /* externalAccountRequired; so, and with each below, a CA refuses a binding */
    ACME_PROBLEM_MALFORMED,
    ACME_PROBLEM_CONFLICT, /* Boulder since 2026: the challenge is being validated */
    ACME_PROBLEM_UNAUTHORIZED,
    ACME_PROBLEM_SERVER /* serverInternal */
};

/* Texts lead into the document and have been made printable ASCII. */
struct acme_problem {
    enum acme_problem_kind kind;
    uint16_t http_status; /* the document's, else the answer's */
    struct acme_slice type;
    struct acme_slice detail;
    struct acme_slice name;     /* identifier, in subproblems */
    struct acme_slice location; /* of what is in the way; may be empty */
};

/* Makes a text of the document safe for logs and screens, in the document itself: what could steer a terminal
 * or break a line becomes a blank or a question mark. */
struct acme_slice acme_printable(struct acme_json *json, struct acme_slice text);

/* Reads the problem at `value`; whatever is missing stays empty, so this cannot fail. The texts are made
 * printable in the document itself. */
void acme_problem_read(struct acme_problem *problem, struct acme_json *json, acme_json_value value,
                       uint16_t http_status);

/* True when its type's last part is this word. */
bool acme_problem_is(const struct acme_problem *problem, const char *word);

/* Tells the trace about the problem at `value` and each of its subproblems, whole. `about` gives step, name and HTTP status
 * for a problem that names none itself. */
#if ACME_CFG_TRACE
void acme_problem_tell(const struct acme_setup *setup, const struct acme_event *about, struct acme_json *json,
                       acme_json_value value);
#else
#define acme_problem_tell(setup, about, json, value) ((void)(about))
#endif

#ifdef __cplusplus
}
#endif

#endif
