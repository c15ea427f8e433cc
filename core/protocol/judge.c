/* judge.c - the second half of the engine: what an answer is worth, and what is done when there was none. */
#include "exchange.h"
#include "poll.h"
#include "steps.h"
#include "trace.h"
#include "../wire/date.h"

#define REDIRECTS_MAX  3
#define THROTTLES_MAX  5
#define A_DAY_S        86400
#define COSTLY_WAIT_MS 300000u /* before a costly request whose answer was lost is sent again, once */

static const struct acme_row *row_of(const struct acme_exchange *x)
{
    return acme_row_of(x->flow, x->flow->step);
}

/* --- a try that came to nothing --- */

/* Errors that another try a moment later may not meet again. All others end the run. */
static bool is_passing(int error)
{
    switch (error) {
    case ACME_E_HOST:
    case ACME_E_REFUSED:
    case ACME_E_UNREACHABLE:
    case ACME_E_TIMEOUT:
    case ACME_E_CLOSED:
    case ACME_E_NET:
    case ACME_E_TLS_ALERT:
    case ACME_E_TLS_RECORD:
    case ACME_E_TLS:
    case ACME_E_HTTP_SYNTAX:
    case ACME_E_HTTP_FRAMING:
    case ACME_E_HTTP_TRUNCATED:
    case ACME_E_HTTP_STATUS:
    case ACME_E_REDIRECT:
    case ACME_E_JSON:
    case ACME_E_MEMBER:
    case ACME_E_NONCE:
    case ACME_E_PROBLEM:
    case ACME_E_RATE_LIMITED:
        return true;
    default:
        return false;
    }
}

int acme_exchange_fault(struct acme_exchange *x, int error, uint32_t now_ms)
{
    if (x->state == ACME_EXCHANGE_RECEIVE && acme_body_is_none(x->body)) {
        x->state = ACME_EXCHANGE_JUDGE; /* the head is in, and what was cut is of no interest */
        return 0;
    }
    bool asked = x->state >= ACME_EXCHANGE_SEND && !x->for_nonce;
    /* A server may close a connection it kept for us just as we use it again: that is no fault of its own. One that
     * does so again and again, without a word in its answers, gets a connection for each request. */
    bool dropped = x->state >= ACME_EXCHANGE_SEND && !x->fresh && !x->touched;
    bool stale = dropped && x->faults == 0;

    x->no_keep_alive = x->no_keep_alive || (dropped && !stale);
    if (!is_passing(error) || ++x->faults > (acme_flow_is_extra(x->flow) ? 1 : ACME_FAULT_TRIES)) {
        return error;
    }
    x->fault_step = x->flow->step;
    const struct acme_row *row = row_of(x);
    enum acme_step step = asked ? row->lost : x->flow->step;
    if (asked) {
        acme_flow_lost(x->flow);
    }
    if (asked && x->headed && acme_exchange_is_good(x)) {
        acme_flow_located(x->flow, acme_slice_of(x->http.answer.location));
    }
    if (x->flow->step == ACME_STEP_DIRECTORY) { /* from the beginning: what it led to may be what failed */
        x->flow->directory_url[0] = '\0';
        x->redirects = 0;
    }
    uint32_t wait_ms = stale ? 0 : acme_backoff_ms(x->faults, 1000);
    uint32_t floor_ms = x->retry_after_s > 0 ? acme_poll_ms(0, x->retry_after_s) : 0;
    if (asked && acme_costly(row)) {
        if (x->costly_lost) {
            return error;
        }
        x->costly_lost = true;
        floor_ms = COSTLY_WAIT_MS;
    }
    acme_exchange_back(x, step);
    acme_exchange_wait(x, now_ms, wait_ms > floor_ms ? wait_ms : floor_ms, error);
    return 0;
}

/* --- a refusal --- */

/* The CA has been told of the answer on show: a validator that comes after the end of the run finds nobody. */
static bool is_validated(const struct acme_flow *flow)
{
    return flow->step == ACME_STEP_AUTHZ_POLL || (flow->presented > 0 && flow->told);
}

/* The step's request makes the order. That of ACME v1 is made name by name, and its certificate counts as well. */
static bool makes_order(const struct acme_exchange *x)
{
    const struct acme_flow *flow = x->flow;
    return (flow->step == ACME_STEP_ORDER && (flow->order.url[0] == '\0' || acme_is_v1(flow))) ||
           acme_costly(row_of(x));
}

/* The CA asks for peace: too many requests, or too busy (RFC 8555, 6.6). */
static int judge_throttle(struct acme_exchange *x, uint32_t now_ms)
{
    struct acme_flow *flow = x->flow;
    int32_t wait_s = x->retry_after_s;
    if (x->http.answer.status == 503 && !x->for_nonce) {
        acme_flow_lost(flow); /* whoever is too busy to answer may have carried it out */
    }
    if (acme_flow_is_extra(flow)) {
        return ACME_E_RATE_LIMITED; /* it is not worth a wait */
    }
    if (wait_s < 0) {
        /* A paused account: only its owner can end that (Boulder, at newOrder), or a limit of 2016, which says no more.
         * From anywhere else it is a box on the way, and as good as a 503. */
        bool making = flow->step == ACME_STEP_ACCOUNT || makes_order(x);
        bool limit = making && flow->problem.kind == ACME_PROBLEM_RATE_LIMITED;
        if (x->for_nonce || !(limit || acme_costly(row_of(x)))) {
            return acme_exchange_fault(x, ACME_E_RATE_LIMITED, now_ms);
        }
        wait_s = limit ? A_DAY_S : ACME_COSTLY_RETRY_S;
    }
    if (x->throttles < UINT8_MAX) {
        x->throttles++;
    }
    uint32_t wait_ms = wait_s > 0 ? (uint32_t)wait_s * 1000u : 1000u;
    if (wait_s > ACME_RETRY_AFTER_MAX_S || x->throttles > THROTTLES_MAX) {
        uint32_t wish_s = wait_s < A_DAY_S ? (uint32_t)wait_s : A_DAY_S;
        bool spent = acme_costly(row_of(x)) && (x->for_nonce || x->http.answer.status == 503);
        x->retry_s = spent && x->retry_s > wish_s ? x->retry_s : wish_s; /* it says nothing of what was lost before */
        if (!is_validated(flow)) {
            return ACME_E_RATE_LIMITED;
        }
        uint32_t longer_ms = acme_backoff_ms(x->throttles, 1000), most_ms = ACME_RETRY_AFTER_MAX_S * 1000u;
        wait_ms = wait_s > ACME_RETRY_AFTER_MAX_S ? most_ms : longer_ms > wait_ms ? longer_ms : wait_ms;
        wait_ms = wait_ms < most_ms ? wait_ms : most_ms;
    }
    acme_exchange_wait(x, now_ms, wait_ms, ACME_E_RATE_LIMITED);
    return 0;
}

static int judge_bad_nonce(struct acme_exchange *x, uint32_t now_ms)
{
    uint32_t wait_ms = 0;
    x->rejections++;
    x->counts.rejections++;
    if (x->rejections % ACME_NONCE_TRIES == 0) {
        wait_ms = acme_backoff_ms(x->rejections / ACME_NONCE_TRIES, 5000);
        x->nonce[0] = '\0';
    }
    acme_exchange_wait(x, now_ms, wait_ms, ACME_E_NONCE);
    return 0;
}

static int advance(struct acme_exchange *x, int next, uint32_t now_ms)
{
    if (next < 0) {
        return next;
    }
    acme_exchange_go(x, (enum acme_step)next, now_ms);
    return 0;
}

/* Goes where a refusal leads. The same is asked again later each time; another order is not the same. */
static int refused(struct acme_exchange *x, int next, int error, uint32_t now_ms)
{
    bool advances = acme_flow_progress(x->flow, x->flow->step) > x->progress;
    if (next == (int)x->flow->step && !advances && !x->flow->drop_order) {
        x->polls++;
        acme_exchange_wait(x, now_ms, acme_poll_ms(x->polls, x->retry_after_s), 0);
        return 0;
    }
    return advance(x, next == ACME_E_PROBLEM ? error : next, now_ms);
}

static void read_problem(const struct acme_exchange *x, struct acme_json *json)
{
    struct acme_flow *flow = x->flow;
    struct acme_problem *problem = &flow->problem;

    acme_problem_read(problem, json, json->count > 0 ? 0 : ACME_JSON_NONE, x->http.answer.status);
    if (acme_is_v1(flow)) {
        problem->location = acme_slice_of(x->http.answer.location);
    }
    if (acme_flow_looks(flow) && problem->kind != ACME_PROBLEM_RATE_LIMITED) {
        problem->kind =
            ACME_PROBLEM_OTHER; /* nothing is signed: no word about nonces, terms and accounts is about us */
    }
}

/* Whoever asks for the account is answered with "there is none", and so beside issuing. */
#define names_account(flow)                                                                                          \
    ((flow)->step != ACME_STEP_ACCOUNT && !acme_manage_is_on(flow) && !acme_flow_is_spare(flow))

static int judge_problem(struct acme_exchange *x, struct acme_json *json, uint32_t now_ms)
{
    struct acme_flow *flow = x->flow;
    const struct acme_problem *problem = &flow->problem;
    uint16_t status = x->http.answer.status;

    read_problem(x, json);
    if (problem->kind == ACME_PROBLEM_BAD_NONCE) {
        return judge_bad_nonce(x, now_ms);
    }
    struct acme_event about = {.step = flow->step, .http_status = status, .name = acme_flow_name(flow, flow->step)};
    acme_problem_tell(x->setup, &about, json, json->count > 0 ? 0 : ACME_JSON_NONE);
    /* Whoever is too busy to answer may have carried it out: a short wait is not enough for what is costly. */
    bool costly = acme_costly(row_of(x)) && !x->for_nonce;
    int32_t least_s = costly ? ACME_RETRY_AFTER_MAX_S + 1 : 0;
    bool busy = status == 503 && x->retry_after_s >= least_s;
    if (status == 429 || problem->kind == ACME_PROBLEM_RATE_LIMITED || busy) {
        return judge_throttle(x, now_ms);
    }
    int error = problem->type.len > 0 ? ACME_E_PROBLEM : ACME_E_HTTP_STATUS;
    bool replaces = !x->for_nonce && acme_flow_replaces(flow);
    if (status >= 500 && status != 501 && !acme_binding_blamed(flow)) { /* not implemented: that will not pass */
        int fatal = acme_exchange_fault(x, error, now_ms);
        /* A CA may fail over the certificate that is named (Pebble 2.10, of a short serial number), and would each time. */
        if (fatal == 0 || !replaces || status != 500 || problem->type.len == 0) {
            return fatal;
        }
    }
    if (costly) { /* nothing was spent */
        x->retry_s = 0;
    }
    if (problem->kind == ACME_PROBLEM_USER_ACTION) { /* new terms of service: any request may meet them */
        return ACME_E_TERMS;
    }
    /* newOrder that names a certificate is refused for that, first of all: as what the account is, with the codes of what is not
     * there, and not always with a problem. */
    if (problem->kind == ACME_PROBLEM_NO_ACCOUNT && names_account(flow) && !replaces) {
        return refused(x, acme_flow_account_lost(flow), error, now_ms);
    }
    bool by_directory = x->for_nonce || flow->step < ACME_STEP_ORDER || makes_order(x);
    if (by_directory && flow->cached && flow->presented == 0 && !acme_is_leave(flow->step) &&
        !(replaces && problem->type.len > 0) && (status == 404 || status == 405 || status == 410)) {
        return advance(x, acme_flow_directory_stale(flow), now_ms);
    }
    if (by_directory && error == ACME_E_HTTP_STATUS && !costly && !replaces) { /* a page of whoever it was */
        return acme_exchange_fault(x, error, now_ms);
    }
    if (row_of(x)->refused == NULL) {
        return error;
    }
    return refused(x, row_of(x)->refused(flow, problem), error, now_ms);
}

/* Only the directory may move (RFC 8555, 6.4 forbids it for everything signed). */
static int judge_redirect(struct acme_exchange *x, uint32_t now_ms)
{
    struct acme_flow *flow = x->flow;
    const char *location = x->http.answer.location;

    bool signs = x->for_nonce || flow->step != ACME_STEP_DIRECTORY;
    if (signs && flow->cached && flow->presented == 0 && !acme_flow_is_spare(flow)) {
        if (!x->for_nonce) {
            acme_flow_lost(flow);
        }
        return advance(x, acme_flow_directory_stale(flow), now_ms);
    }
    if (signs || ++x->redirects > REDIRECTS_MAX || location[0] == '\0') { /* or a captive portal, for a moment */
        bool costly = acme_costly(row_of(x)) && !x->for_nonce;
        return costly ? ACME_E_REDIRECT : acme_exchange_fault(x, ACME_E_REDIRECT, now_ms);
    }
    char absolute[ACME_URL_MAX + 1];
    struct acme_slice url = acme_url_absolute(&x->url, location, absolute);
    int error = url.at == NULL ? ACME_E_URL_LONG : acme_url_keep(flow->directory_url, url, &flow->hosts);
    if (error != 0 && flow->account[0] != '\0') { /* it was the CA's directory before: a portal in the CA's place */
        return acme_exchange_fault(x, ACME_E_REDIRECT, now_ms);
    }
    acme_exchange_wait(x, now_ms, 0, 0);
    return error;
}

/* --- a good answer --- */

/* Lets the flow read an answer of which more counts than its JSON. */
static int read_with_links(struct acme_exchange *x, struct acme_answer *answer)
{
    const struct acme_http_answer *http = &x->http.answer;
    char link[ACME_URL_MAX + 1];
    answer->rel = http->rel;
    answer->link = acme_url_absolute(&x->url, http->rel != ACME_REL_NONE ? http->link : "", link);
    answer->len = x->body_len;
    if (acme_body_is_der(x->body) && x->body_len > 0) {
        bool cut = http->rel == ACME_REL_NONE && http->link_long; /* the chain may end there */
        int error = cut ? ACME_E_HTTP_LONG : x->sink(x->sink_ctx, x->setup->work, x->body_len);
        if (error != 0) {
            return error;
        }
    }
    return row_of(x)->read(x->flow, answer);
}

/* What an answer of use puts an end to. What failed has to succeed itself, or finalize with 500 and a good look at the order would
 * go round for ever. */
static void credit(struct acme_exchange *x, enum acme_step step, int next)
{
    if (step == x->fault_step) {
        x->faults = 0;
    }
    x->rejections = 0;
    x->throttles = 0;
    x->flow->denied = 0;
    if (next >= 0) {
        x->retry_s = 0;
    }
}

static int judge_good(struct acme_exchange *x, struct acme_json *json, uint32_t now_ms)
{
    struct acme_answer answer = {.json = json, .location = acme_slice_of(x->http.answer.location)};
    bool poll = row_of(x)->poll;

    if (x->for_nonce) { /* no merit of the request that waits for it: its own troubles stay counted */
        acme_exchange_wait(x, now_ms, 0, 0);
        return 0;
    }
    /* Where nothing but the code tells that it was done, it must be the CA's: a box on the way has no nonce (RFC 8555, 6.5). */
    if (acme_body_is_none(row_of(x)->body) && !acme_costly(row_of(x)) && x->http.answer.nonce[0] == '\0') {
        return acme_exchange_fault(x, ACME_E_NONCE, now_ms);
    }
    enum acme_step step = x->flow->step;
    uint8_t authz = x->flow->authz; /* the reader goes on to another */
    int next = acme_is_v1(x->flow) ? read_with_links(x, &answer) : row_of(x)->read(x->flow, &answer);
    bool again = acme_is_v1(x->flow) && next == (int)step; /* it is not there yet */
    bool odd = is_passing(next) && !acme_costly(row_of(x));
    if (!odd) {
        credit(x, step, next);
        x->polls += poll || again ? 1u : 0u; /* later each time */
        x->counts.polls += poll ? 1u : 0u;
    }
    struct acme_event event = {.kind = ACME_EVENT_ANSWER, .step = step, .status = x->flow->status};
    event.http_status = x->http.answer.status;
    event.polls = x->polls;
    event.error = next < 0 ? next : 0;
    event.document = json;
    event.name = acme_flow_name_of(x->flow, step, authz);
    acme_trace(x->setup, &event);
    if (odd) { /* which, once, proves nothing */
        return acme_exchange_fault(x, next, now_ms);
    }
    bool polled = again || next == (int)ACME_STEP_AUTHZ_POLL || next == (int)ACME_STEP_ORDER_POLL;
    bool looked = acme_flow_looks(x->flow) && next == (int)ACME_STEP_COUNT; /* it tells when to look again */
    if (!polled && !looked &&
        next != (int)ACME_STEP_PRESENT) { /* which may lead to a poll, when we have responded before */
        x->retry_after_s = -1;            /* it was meant for polling what was answered */
    }
    if (polled && x->retry_after_s > ACME_RETRY_AFTER_MAX_S) { /* longer than a run waits: the next one's business */
        x->retry_s = x->retry_after_s < A_DAY_S ? (uint32_t)x->retry_after_s : A_DAY_S;
        if (x->flow->presented == 0) {
            return ACME_E_RATE_LIMITED;
        }
    }
    return advance(x, next, now_ms);
}

int acme_exchange_judge(struct acme_exchange *x, uint32_t now_ms, bool *close)
{
    const struct acme_http_answer *answer = &x->http.answer;
    struct acme_json json = {.text = x->setup->work};
    int64_t utc = ACME_DATE_NONE;

    bool good = acme_exchange_is_good(x) || (acme_is_v1(x->flow) && x->for_nonce && answer->status == 405 &&
                                             answer->nonce[0] != '\0'); /* it is all we want */

    *close = answer->close || x->no_keep_alive;
    if (answer->nonce[0] != '\0') {
        memcpy(x->nonce, answer->nonce, sizeof(x->nonce));
        x->nonce_ms = now_ms;
    }
    if (x->setup->sys->utc(x->setup->sys->ctx, &utc) != 1) {
        utc = ACME_DATE_NONE;
    }
    x->retry_after_s = acme_retry_after_s(acme_slice_of(answer->retry_after), acme_slice_of(answer->date), utc);
    if (answer->status >= 300 && answer->status < 400) {
        return judge_redirect(x, now_ms);
    }
    if (x->for_nonce && good && answer->nonce[0] == '\0') {
        return acme_exchange_fault(x, ACME_E_NONCE, now_ms);
    }
    if (x->body_len > 0 && x->body == ACME_BODY_JSON) { /* never for a nonce: HEAD has no body */
        char *work = x->setup->work;
        int error = acme_json_parse(&json, work, x->body_len, work + x->body_len, x->setup->work_len - x->body_len);
        if (error != 0 && good) {
            return is_passing(error) ? acme_exchange_fault(x, error, now_ms) : error;
        }
        json.count = error == 0 ? json.count : 0; /* an error page: the status says enough */
    }
    if (answer->location_long && good) {
        return ACME_E_HTTP_LONG;
    }
    return good ? judge_good(x, &json, now_ms) : judge_problem(x, &json, now_ms);
}
