/* Problem documents: what a log or a screen is told of them is printable, part of the document, and the same each time. */
#include "fuzz.h"

#include "protocol/problem.h"

static struct {
    const char *text;
    size_t len;
    unsigned events;
    struct acme_slice first[3]; /* type, detail, name of the problem itself */
    uint16_t status;
} told;

static void printable(struct acme_slice s)
{
    MUST(fuzz_inside(s.at, s.len, told.text, told.len));
    for (size_t i = 0; i < s.len; i++) {
        MUST(s.at[i] >= ' ' && s.at[i] <= '~');
    }
}

static void trace(void *ctx, const struct acme_event *event)
{
    (void)ctx;
    MUST(event->kind == ACME_EVENT_PROBLEM && event->subproblem == (told.events > 0));
    MUST(event->http_status >= 100 && event->http_status <= 599);
    if (event->name.len != strlen("about.example") || memcmp(event->name.at, "about.example", event->name.len) != 0) {
        printable(event->name);
    }
    printable(event->text);
    printable(event->detail);
    if (told.events++ == 0) {
        told.first[0] = event->text;
        told.first[1] = event->detail;
        told.first[2] = event->name;
        told.status = event->http_status;
    }
}

static bool same(struct acme_slice a, struct acme_slice b)
{
    return a.len == b.len && (a.len == 0 || a.at == b.at);
}

/* The kind is told by the type's last word. */
static void check_kind(const struct acme_problem *problem)
{
    static const char *const words[] = {[ACME_PROBLEM_BAD_NONCE] = "badNonce",
                                        [ACME_PROBLEM_RATE_LIMITED] = "rateLimited",
                                        [ACME_PROBLEM_ORDER_NOT_READY] = "orderNotReady",
                                        [ACME_PROBLEM_NO_ACCOUNT] = "accountDoesNotExist",
                                        [ACME_PROBLEM_BINDING] = "externalAccountRequired",
                                        [ACME_PROBLEM_MALFORMED] = "malformed",
                                        [ACME_PROBLEM_CONFLICT] = "conflict",
                                        [ACME_PROBLEM_UNAUTHORIZED] = "unauthorized"};
    struct acme_slice type = problem->type;
    for (unsigned kind = 0; kind < sizeof words / sizeof words[0]; kind++) {
        size_t len = words[kind] == NULL ? 0 : strlen(words[kind]);
        bool ends = len > 0 && type.len >= len && memcmp(type.at + type.len - len, words[kind], len) == 0 &&
                    (type.len == len || type.at[type.len - len - 1] == ':');
        MUST(len == 0 || ends == (problem->kind == kind));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct acme_setup setup = {.trace = trace};
    static const struct acme_event about = {.http_status = 418, .name = {"about.example", 13}};
    static struct fuzz_memory memory;
    static char tokens[4096];
    struct acme_problem problem;
    struct acme_json json;

    if (len > FUZZ_LEN_MAX) {
        return 0;
    }
    memset(&told, 0, sizeof told);
    char *text = fuzz_copy(&memory, data, len);
    if (acme_json_parse(&json, text, len, tokens, sizeof tokens) != 0) {
        return 0;
    }
    told.text = text;
    told.len = len;
    acme_problem_tell(&setup, &about, &json, 0);
    MUST(told.events >= 1 && told.events <= (unsigned)json.count);
    acme_problem_read(&problem, &json, 0, 418);
    MUST(same(problem.type, told.first[0]) && same(problem.detail, told.first[1]));
    MUST(problem.name.len == 0 || same(problem.name, told.first[2]));
    MUST(problem.http_status == told.status);
    check_kind(&problem);
    return 0;
}
