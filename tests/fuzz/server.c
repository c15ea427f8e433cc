/* server.c - see server.h. */
#define _GNU_SOURCE /* memmem */
#include "fuzz.h"
#include "server.h"

/* What can be said, as in an honest run. */
enum what {
    DIRECTORY,
    NONCE,
    ACCOUNT,
    ORDER_PENDING,
    ORDER_READY,
    ORDER_PROCESSING,
    ORDER_VALID,
    AUTHZ_PENDING, /* of the first name; then of the second */
    AUTHZ_PENDING_2,
    AUTHZ_VALID,
    AUTHZ_VALID_2,
    CHALLENGE,
    CHAIN,
    PROBLEM,
    WHATS
};

static struct said {
    char head[800], body[2400];
    size_t head_len, body_len;
} honest[WHATS];

enum framing { MEASURED, CHUNKED, TO_THE_END, LONGER };

/* The answer being made. */
static struct said said;

static const char *const states[] = {"pending", "processing", "ready",   "valid",        "invalid", "deactivated",
                                     "expired", "revoked",    "unknown", "ready\\u0000", "",        "VALID"};
static const char *const problems[] = {"badNonce",           "rateLimited",
                                       "orderNotReady",      "accountDoesNotExist",
                                       "userActionRequired", "externalAccountRequired",
                                       "malformed",          "conflict",
                                       "unauthorized",       "serverInternal",
                                       "alreadyReplaced",    "dns\\u001b[31m"};
static const unsigned codes[] = {200, 201, 202, 204, 301, 302, 307, 308, 400, 401, 403, 404,
                                 405, 409, 410, 415, 429, 500, 502, 503, 504, 100, 199, 599};
static const char *const values[] = {"null",
                                     "true",
                                     "{}",
                                     "[]",
                                     "\"\"",
                                     "-1",
                                     "99999999999",
                                     "[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]",
                                     "\"" CA_URL "/a\"",
                                     "\"https://CA.test:443/b?c=d\"",
                                     "\"https://elsewhere.test/\"",
                                     "\"http://ca.test/\"",
                                     "\"https://ca.test@elsewhere.test/\"",
                                     "[\"" CA_URL "/authz/9/9\"]",
                                     "[\"" CA_URL "/1\",\"" CA_URL "/2\",\"" CA_URL "/3\",\"" CA_URL "/1\"]",
                                     "{\"type\":\"urn:ietf:params:acme:error:connection\",\"detail\":\"\\u0007\"}",
                                     "\"b.example\"",
                                     "\"\\ud800\"",
                                     "\"http-01\""};
static const char *const headers[] = {
    "Retry-After: 1\r\n",
    "Retry-After: 86400\r\n",
    "Retry-After: 99999999999\r\n",
    "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\nDate: Wed, 21 Oct 2026 07:00:00 GMT\r\n",
    "Connection: close\r\n",
    "Location: " CA_URL "/moved\r\n",
    "Location: https://elsewhere.test/\r\n",
    "Location: /relative\r\n",
    "Replay-Nonce: a+b\r\n",
    "Replay-Nonce: again\r\n",
    "Content-Type: text/html\r\n",
    "Content-Type: application/problem+json\r\n",
    "Content-Type: application/json\r\n",
    "Content-Type: application/pem-certificate-chain\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 7\r\n",
    "X: \r\n\tfolded\r\n"};

/* --- the honest run --- */

static void learn(enum what what, const char *at, size_t head_len, size_t len)
{
    struct said *to = &honest[what];
    MUST(head_len < sizeof to->head && len - head_len - 4 < sizeof to->body);
    to->head_len = head_len + 2;
    memcpy(to->head, at, head_len + 2);
    to->body_len = len - head_len - 4;
    memcpy(to->body, at + head_len + 4, to->body_len);
}

static char *find(char *text, size_t len, const char *what)
{
    return memmem(text, len, what, strlen(what));
}

static void drop_line(struct said *s, char *at)
{
    size_t rest = (size_t)(s->head + s->head_len - at);
    const char *end = memchr(at, '\n', rest);
    size_t len = end == NULL ? rest : (size_t)(end + 1 - at);
    memmove(at, at + len, rest - len);
    s->head_len -= len;
}

static void replace(char *text, size_t *len, size_t cap, size_t at, size_t gone, const void *with, size_t with_len)
{
    if (at > *len || gone > *len - at || *len - gone + with_len > cap) {
        return;
    }
    memmove(text + at + with_len, text + at + gone, *len - at - gone);
    memcpy(text + at, with, with_len);
    *len = *len - gone + with_len;
}

static enum what order_says(const char *body)
{
    return strstr(body, "\"status\":\"valid\"") != NULL        ? ORDER_VALID
           : strstr(body, "\"status\":\"processing\"") != NULL ? ORDER_PROCESSING
                                                               : ORDER_PENDING;
}

void server_learn(const struct acme_client *client, struct ca_answer answer)
{
    const enum acme_step step = client->flow.step;
    unsigned second = client->flow.authz % 2;
    const char *blank = memmem(answer.at, answer.len, "\r\n\r\n", 4);
    MUST(blank != NULL);
    size_t head_len = (size_t)(blank - answer.at);
    enum what what = client->exchange.for_nonce      ? NONCE
                     : step == ACME_STEP_DIRECTORY   ? DIRECTORY
                     : step == ACME_STEP_ACCOUNT     ? ACCOUNT
                     : step == ACME_STEP_AUTHZ       ? AUTHZ_PENDING + second
                     : step == ACME_STEP_AUTHZ_POLL  ? AUTHZ_VALID + second
                     : step == ACME_STEP_RESPOND     ? CHALLENGE
                     : step == ACME_STEP_CERTIFICATE ? CHAIN
                                                     : order_says(blank);
    learn(what, answer.at, head_len, answer.len);
    struct said *s = &honest[what];
    char *length = find(s->head, s->head_len, "Content-Length");
    if (length != NULL) {
        drop_line(s, length); /* it is made anew */
    }
    if (what == ORDER_PENDING) {
        honest[ORDER_READY] = *s;
        struct said *ready = &honest[ORDER_READY];
        char *word = find(ready->body, ready->body_len, "pending");
        replace(ready->body, &ready->body_len, sizeof ready->body, (size_t)(word - ready->body), 7, "ready", 5);
    }
}

/* --- the input --- */

uint8_t server_byte(struct server *s)
{
    return s->at < s->end ? *s->at++ : 0;
}

/* A place in a text of this length. */
static size_t place(struct server *s, size_t len)
{
    size_t number = (size_t)server_byte(s) << 8 | server_byte(s);
    return number % (len + 1);
}

static const char *word(struct server *s, const char *const *words, size_t count)
{
    return words[server_byte(s) % count];
}

/* --- what a CA would say --- */

static bool all_valid(const struct server *s, const struct acme_client *client)
{
    unsigned count = client->flow.order.authz_count; /* it does not know yet when it comes back to an order */
    unsigned all = (1u << (count > 0 ? count : 2u)) - 1;
    return (s->valid & all) == all;
}

static void say_problem(const char *type, unsigned code)
{
    said.head_len = (size_t)snprintf(said.head, sizeof said.head,
                                     "HTTP/1.1 %u Sorry\r\nContent-Type: application/problem+json\r\n"
                                     "Replay-Nonce: nonce_-00000000\r\n",
                                     code);
    said.body_len = (size_t)snprintf(said.body, sizeof said.body,
                                     "{\"type\":\"urn:ietf:params:acme:error:%s\",\"detail\":\"no\",\"status\":%u,"
                                     "\"subproblems\":[{\"type\":\"x\",\"identifier\":{\"value\":\"a.example\"}}]}",
                                     type, code);
}

static enum what order_state(const struct server *s, const struct acme_client *client)
{
    return s->finalized ? ORDER_VALID : all_valid(s, client) ? ORDER_READY : ORDER_PENDING;
}

static enum what authz_state(struct server *s, unsigned number)
{
    s->valid |= s->responded & (uint8_t)(1u << number);
    return ((s->valid >> number & 1u) != 0 ? AUTHZ_VALID : AUTHZ_PENDING) + number % 2;
}

static enum what by_step(struct server *s, const struct acme_client *client)
{
    unsigned number = client->flow.authz % 8u;
    switch (client->flow.step) {
    case ACME_STEP_DIRECTORY:
        return DIRECTORY;
    case ACME_STEP_ACCOUNT:
        return ACCOUNT;
    case ACME_STEP_ORDER:
        if (client->flow.order.url[0] == '\0') {
            s->finalized = false;
            s->responded = s->valid = 0;
            return ORDER_PENDING;
        }
        return order_state(s, client);
    case ACME_STEP_AUTHZ:
    case ACME_STEP_AUTHZ_POLL:
        return authz_state(s, number);
    case ACME_STEP_RESPOND:
        s->responded |= (uint8_t)(1u << number);
        return CHALLENGE;
    case ACME_STEP_ORDER_POLL:
        return order_state(s, client);
    case ACME_STEP_FINALIZE:
        s->finalized = s->finalized || all_valid(s, client);
        return s->finalized ? ORDER_PROCESSING : PROBLEM;
    case ACME_STEP_CERTIFICATE:
        return CHAIN;
    case ACME_STEP_PRESENT:
    case ACME_STEP_ALTERNATE:
    case ACME_STEP_DEACTIVATE_AUTHZ:
    case ACME_STEP_RENEWAL_INFO: /* not asked for here, as the next ones */
    case ACME_STEP_REVOKE:
    case ACME_STEP_DEACTIVATE:
    case ACME_STEP_CHANGE_KEY:
    case ACME_STEP_TRY_KEY:
    case ACME_STEP_UPDATE:
    case ACME_STEP_COUNT:
        break;
    }
    abort();
}

static void say(enum what what)
{
    said = honest[what];
    if (what == PROBLEM) {
        say_problem("orderNotReady", 403);
    }
}

/* --- what the input makes of it --- */

static void change_status(struct server *s)
{
    const char *key = "\"status\":\"";
    unsigned skip = server_byte(s) % 4;
    const char *to = word(s, states, LEN(states));
    char *at = said.body;
    for (;;) {
        at = find(at, said.body_len - (size_t)(at - said.body), key);
        if (at == NULL) {
            return;
        }
        at += strlen(key);
        if (skip-- == 0) {
            break;
        }
    }
    char *end = memchr(at, '"', said.body_len - (size_t)(at - said.body));
    if (end != NULL) {
        replace(said.body, &said.body_len, sizeof said.body, (size_t)(at - said.body), (size_t)(end - at), to,
                strlen(to));
    }
}

/* The value behind one of the colons becomes another. */
static void change_value(struct server *s)
{
    unsigned skip = server_byte(s) % 24;
    const char *to = word(s, values, LEN(values));
    for (size_t i = 0; i + 1 < said.body_len; i++) {
        if (said.body[i] == '"' && said.body[i + 1] == ':' && skip-- == 0) {
            size_t start = i + 2, end = start;
            while (end < said.body_len && strchr(",}]", said.body[end]) == NULL) {
                end++;
            }
            replace(said.body, &said.body_len, sizeof said.body, start, end - start, to, strlen(to));
            return;
        }
    }
}

static void insert(struct server *s, char *text, size_t *len, size_t cap)
{
    size_t at = place(s, *len);
    size_t gone = server_byte(s) % 32u, more = server_byte(s) % 64u;
    size_t left = (size_t)(s->end - s->at);
    more = more < left ? more : left;
    gone = gone < *len - at ? gone : *len - at;
    replace(text, len, cap, at, gone, s->at, more);
    s->at += more;
}

static void change_code(struct server *s)
{
    char text[4];
    snprintf(text, sizeof text, "%03u", codes[server_byte(s) % LEN(codes)]);
    replace(said.head, &said.head_len, sizeof said.head, strlen("HTTP/1.1 "), 3, text, 3);
}

static void drop_header(struct server *s)
{
    unsigned skip = server_byte(s) % 6;
    char *at = said.head;
    do {
        at = memchr(at, '\n', (size_t)(said.head + said.head_len - at));
        at = at == NULL || at + 1 == said.head + said.head_len ? NULL : at + 1;
    } while (at != NULL && skip-- > 0);
    if (at != NULL) {
        drop_line(&said, at);
    }
}

static void add_header(struct server *s)
{
    const char *line = word(s, headers, LEN(headers));
    replace(said.head, &said.head_len, sizeof said.head, said.head_len, 0, line, strlen(line));
}

static void change_body(struct server *s)
{
    insert(s, said.body, &said.body_len, sizeof said.body);
}

static void change_head(struct server *s)
{
    insert(s, said.head, &said.head_len, sizeof said.head);
}

static void say_other(struct server *s)
{
    say((enum what)(server_byte(s) % WHATS));
}

static void refuse(struct server *s)
{
    const char *type = word(s, problems, LEN(problems));
    say_problem(type, codes[server_byte(s) % LEN(codes)]);
}

/* --- what comes with it --- */

static void deliver(struct server *s)
{
    static const int endings[] = {0, ACME_E_CLOSED, ACME_E_NET, ACME_E_TIMEOUT, ACME_E_TLS, 1};
    s->piece = 1 + server_byte(s);
    s->ending = endings[server_byte(s) % LEN(endings)];
}

static void hang_up(struct server *s)
{
    s->refusals = server_byte(s) % 8u;
}

static void fail_store(struct server *s)
{
    s->store_fails = 1 + server_byte(s) % 4u;
}

static void cut_power(struct server *s)
{
    s->cut_in = 1 + server_byte(s) % 32u;
}

static void (*const changes[])(struct server *s) = {
    change_status, change_value, change_body, change_head, change_code, drop_header, add_header,
    say_other,     refuse,       deliver,     hang_up,     fail_store,  cut_power};

static void put(struct server *s, const void *data, size_t len)
{
    memcpy(s->answer + s->len, data, len);
    s->len += len;
}

/* Head, length, body; how the length is told is the input's to say, too. */
static void assemble(struct server *s, bool no_body, enum framing framing)
{
    char line[64];
    char *nonce = find(said.head, said.head_len, "nonce_-");
    if (nonce != NULL && said.head + said.head_len - nonce > 15) {
        snprintf(line, sizeof line, "%08u", ++s->nonces);
        memcpy(nonce + 7, line, 8);
    }
    if (framing == CHUNKED) {
        snprintf(line, sizeof line, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", said.body_len);
    } else if (framing == TO_THE_END) {
        snprintf(line, sizeof line, "\r\n");
        s->ending = s->ending == 0 ? ACME_E_CLOSED : s->ending;
    } else {
        snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", framing == LONGER ? 4294967295u : said.body_len);
    }
    s->len = 0;
    put(s, said.head, said.head_len);
    put(s, line, strlen(line));
    if (!no_body) {
        put(s, said.body, said.body_len);
        put(s, "\r\n0\r\n\r\n", framing == CHUNKED ? 7 : 0);
    }
}

void server_answer(struct server *s, const struct acme_client *client)
{
    enum framing framing = MEASURED;
    bool cut = false;
    s->piece = sizeof s->answer;
    s->ending = 0;
    say(client->exchange.for_nonce ? NONCE : by_step(s, client));
    for (uint8_t order = server_byte(s); order != 0; order = server_byte(s)) {
        unsigned which = order % (LEN(changes) + 3);
        if (which < LEN(changes)) {
            changes[which](s);
        } else if (which == LEN(changes)) {
            framing = (enum framing)(server_byte(s) % 4);
        } else if (which == LEN(changes) + 1) {
            cut = true;
        } else { /* anything at all */
            said.head_len = said.body_len = 0;
            insert(s, said.head, &said.head_len, sizeof said.head);
        }
    }
    assemble(s, client->exchange.for_nonce, framing);
    if (cut) {
        s->len = place(s, s->len);
    }
}
