#include "exchange.h"
#include "poll.h"
#include "trace.h"
#include "../jose/jws.h"
#include "../secure/digest.h"

#define CHAIN_BYTES_MAX 65536 /* of a certificate chain as sent */
#define NONCE_AGE_MS    60000 /* an unused nonce is dropped then: CAs forget them within minutes */

static const struct acme_row *row_of(const struct acme_exchange *x)
{
    return acme_row_of(x->flow, x->flow->step);
}

void acme_exchange_wait(struct acme_exchange *x, uint32_t now_ms, uint32_t wait_ms, int error)
{
    x->signing = false;
    x->state = ACME_EXCHANGE_WAIT;
    x->wait_since_ms = now_ms;
    x->wait_ms = wait_ms;
    if (wait_ms > 0) {
        struct acme_event event = {.kind = ACME_EVENT_WAIT, .step = x->flow->step, .status = x->flow->status};
        event.polls = x->polls;
        event.wait_ms = wait_ms;
        event.error = error;
        event.name = acme_flow_name(x->flow, x->flow->step);
        acme_trace(x->setup, &event);
    }
}

static void tell_step(const struct acme_exchange *x)
{
    struct acme_event event = {.kind = ACME_EVENT_STEP, .step = x->flow->step};
    if (x->flow->step != ACME_STEP_AUTHZ) { /* whose name is not known before the answer */
        event.name = acme_flow_name(x->flow, x->flow->step);
    }
    acme_trace(x->setup, &event);
}

void acme_exchange_start(struct acme_exchange *x, uint32_t now_ms)
{
    x->progress = acme_flow_progress(x->flow, x->flow->step);
    x->step_since_ms = now_ms;
    x->polls = 0;
    x->faults = 0;
    x->rejections = 0;
    x->throttles = 0;
    x->redirects = 0;
    x->retry_after_s = -1;
    x->retry_s = 0;
    x->wait_ms = 0;
    x->state = ACME_EXCHANGE_WAIT;
    memset(&x->flow->problem, 0, sizeof(x->flow->problem));
    tell_step(x);
}

void acme_exchange_go(struct acme_exchange *x, enum acme_step step, uint32_t now_ms)
{
    step = acme_entered(x->flow, step);
    uint32_t progress = acme_flow_progress(x->flow, step);
    /* Back to the order or before it is a fresh start, and the flow allows each kind of that once. */
    bool restart =
        (step <= ACME_STEP_ORDER && step <= x->flow->step) || (acme_is_leave(step) && !acme_is_leave(x->flow->step));
    bool advance = restart || progress > x->progress;
    bool again = step == x->flow->step && !advance;

    /* Its texts lie in the work buffer, which is now free for records. */
    memset(&x->flow->problem, 0, sizeof(x->flow->problem));
    x->flow->step = step;
    if (advance) { /* going back and forth instead keeps its growing waits and its budget */
        x->progress = progress;
        x->polls = 0;
        x->faults = 0;
        x->step_since_ms = now_ms;
    }
    if (step == ACME_STEP_COUNT) {
        x->state = ACME_EXCHANGE_WAIT;
        return;
    }
    if (!again) {
        tell_step(x);
    }
    bool polling = (acme_row_of(x->flow, step)->poll && !x->flow->at_once) ||
                   again; /* PRESENT comes again without this: acme.c */
    x->flow->at_once = false;
    acme_exchange_wait(x, now_ms, polling ? acme_poll_ms(x->polls, x->retry_after_s) : 0, 0);
}

void acme_exchange_back(struct acme_exchange *x, enum acme_step step)
{
    if (step != x->flow->step) {
        x->flow->step = step;
        tell_step(x);
    }
}

/* --- WAIT, CONNECT --- */

bool acme_exchange_due(const struct acme_exchange *x, uint32_t now_ms)
{
    return acme_passed(now_ms, x->wait_since_ms, x->wait_ms);
}

bool acme_exchange_overdue(const struct acme_exchange *x, uint32_t now_ms)
{
    return acme_passed(now_ms, x->step_since_ms, ACME_STEP_BUDGET_S * 1000u);
}

int acme_exchange_choose(struct acme_exchange *x, uint32_t now_ms)
{
    const struct acme_row *row = row_of(x);
    memset(&x->flow->problem, 0, sizeof(x->flow->problem)); /* of the answer before, to this very request */
    if (acme_exchange_overdue(x, now_ms)) {
        if (x->rejections > 0) {
            return ACME_E_NONCE;
        }
        if ((row->poll || x->flow->presented > 0) && x->retry_s > 0) {
            return ACME_E_RATE_LIMITED;
        }
        return x->flow->status == ACME_STATUS_UNKNOWN ? ACME_E_STATUS : ACME_E_BUDGET;
    }
    if (row->method == ACME_METHOD_NONE) {
        return 0;
    }
    /* A nonce that has lain here for a minute is a request wasted: CAs forget them. */
    if (acme_passed(now_ms, x->nonce_ms, NONCE_AGE_MS)) {
        x->nonce[0] = '\0';
    }
    x->for_nonce = row->method != ACME_METHOD_GET && x->nonce[0] == '\0';
    const char *url = x->for_nonce ? x->flow->directory.new_nonce : row->url(x->flow);
    x->retry_after_s = -1; /* waited for by now */
    x->state = ACME_EXCHANGE_CONNECT;
    return acme_url_parse(&x->url, acme_slice_of(url));
}

void acme_exchange_connected(struct acme_exchange *x, bool fresh)
{
    x->fresh = fresh;
    x->state = ACME_EXCHANGE_ASK;
}

/* --- ASK, SIGN --- */

/* Puts the request head behind the body and opens the gate to SEND. */
static int finish_request(struct acme_exchange *x, struct acme_out *o)
{
    bool get = x->for_nonce || row_of(x)->method == ACME_METHOD_GET;
    struct acme_http_request head = {.url = &x->url, .content_length = (uint32_t)o->len};
    struct acme_event event = {.kind = ACME_EVENT_REQUEST, .step = x->flow->step};

    head.method = x->for_nonce ? "HEAD" : get ? "GET" : "POST";
    head.content_type = get ? NULL : "application/jose+json";
    head.product = acme_slice_of(x->setup->product != NULL ? x->setup->product : "");
    x->output_len[0] = o->len;
    acme_http_write(o, &head);
    if (o->overflow) {
        return ACME_E_REQUEST_BIG;
    }
    x->output_len[1] = o->len - x->output_len[0];
    x->sent = 0;
    x->touched = x->headed = false;
    x->counts.requests++;
    x->state = ACME_EXCHANGE_SEND;
    event.text = acme_slice_of(head.method);
    event.detail = acme_slice_of(x->for_nonce ? x->flow->directory.new_nonce : row_of(x)->url(x->flow));
    event.polls = x->polls;
    acme_trace(x->setup, &event);
    return 0;
}

int acme_exchange_ask(struct acme_exchange *x)
{
    const struct acme_row *row = row_of(x);
    struct acme_out o;

    acme_out_init(&o, x->setup->work, x->setup->work_len);
    if (x->for_nonce || row->method == ACME_METHOD_GET) {
        return finish_request(x, &o);
    }
    int error = row->ask != NULL ? row->ask(x->flow, &o) : 0;
    x->signing = error > 0;
    if (error != 0) {
        return error;
    }
    if (o.overflow) {
        return ACME_E_REQUEST_BIG;
    }
    /* Out of the way of the JWS, which is written from the start of the buffer around its encoding. */
    memmove(o.at + o.cap - o.len, o.at, o.len);
    x->payload_len = o.len;
    x->signed_len = 0;
    x->state = ACME_EXCHANGE_SIGN;
    if (acme_costly(row)) {
        x->retry_s = ACME_COSTLY_RETRY_S; /* until an answer tells that nothing was spent, or what it was spent on */
    }
    return 0;
}

/* All of the JWS but its signature, and behind the room for that, at the end of work, what is to be signed. */
static int write_unsigned(struct acme_exchange *x, struct acme_out *o, void *digest)
{
    const struct acme_flow *flow = x->flow;
    bool new_key = row_of(x)->method == ACME_METHOD_NEW_KEY || acme_is_v1(flow);
    struct acme_jws jws = {.key = acme_manage_key(flow)};
    uint8_t point[ACME_POINT_LEN], sum[ACME_SHA256_LEN];

    int error = jws.key->ops->point(jws.key->handle, point);
    if (error != 0) {
        return error;
    }
    jws.point = point;
    jws.kid = acme_slice_of(new_key ? "" : flow->account);
    jws.nonce = acme_slice_of(x->nonce);
    jws.url = acme_slice_of(row_of(x)->url(flow));
    acme_jws_begin(o, &jws, acme_slice(o->at + o->cap - x->payload_len, x->payload_len), sum);
    if (o->overflow || o->cap - o->len < sizeof(sum)) { /* where a signature has even less room */
        return ACME_E_REQUEST_BIG;
    }
    memcpy(digest, sum, sizeof(sum));
    x->signed_len = o->len;
    return 0;
}

int acme_exchange_sign(struct acme_exchange *x)
{
    const struct acme_key *key = acme_manage_key(x->flow);
    uint8_t signature[64];
    struct acme_out o;

    acme_out_init(&o, x->setup->work, x->setup->work_len);
    const void *digest = o.at + o.cap - ACME_SHA256_LEN;
    int error = x->signed_len == 0 ? write_unsigned(x, &o, o.at + o.cap - ACME_SHA256_LEN) : 0;
    error = error != 0 ? error : key->ops->sign(key->handle, digest, signature);
    x->signing = error > 0;
    if (error != 0) {
        return error;
    }
    o.len = x->signed_len;
    acme_jws_end(&o, signature);
    x->counts.signatures++;
    x->nonce[0] = '\0'; /* used up, whatever becomes of the request */
    return o.overflow ? ACME_E_REQUEST_BIG : finish_request(x, &o);
}

/* --- SEND, RECEIVE --- */

struct acme_slice acme_exchange_output(const struct acme_exchange *x, bool *last)
{
    const char *work = x->setup->work;
    size_t body = x->output_len[0];
    size_t head = x->output_len[1];

    *last = x->sent >= head || body == 0;
    if (x->sent < head) {
        return acme_slice(work + body + x->sent, head - x->sent);
    }
    return acme_slice(work + (x->sent - head), body - (x->sent - head));
}

void acme_exchange_sent(struct acme_exchange *x, size_t len)
{
    x->sent += len;
}

void acme_exchange_flushed(struct acme_exchange *x)
{
    acme_http_reader_init(&x->http, x->for_nonce);
    acme_alternate_listen(x->flow, &x->http);
    x->body_len = 0;
    x->body = ACME_BODY_JSON;
    x->state = ACME_EXCHANGE_RECEIVE;
}

bool acme_exchange_is_good(const struct acme_exchange *x)
{
    const struct acme_http_answer *answer = &x->http.answer;
    return answer->status < 300 && answer->media != ACME_MEDIA_PROBLEM;
}

static int take_body(struct acme_exchange *x, struct acme_slice piece)
{
    size_t room = x->setup->work_len - x->body_len;
    if (acme_body_is_none(x->body)) {
        x->body_len += piece.len;
        return x->body_len > CHAIN_BYTES_MAX ? ACME_E_CERT_BIG : 0; /* which acme_exchange_fault() forgives */
    }
    if (x->body == ACME_BODY_CHAIN) {
        x->body_len += piece.len;
        return x->body_len > CHAIN_BYTES_MAX ? ACME_E_CERT_BIG : x->sink(x->sink_ctx, piece.at, piece.len);
    }
    if (piece.len > room && acme_exchange_is_good(x)) {
        return ACME_E_BODY_BIG;
    }
    piece.len = piece.len < room ? piece.len : room; /* an error page: its status says enough */
    memcpy((char *)x->setup->work + x->body_len, piece.at, piece.len);
    x->body_len += piece.len;
    return 0;
}

int acme_exchange_input(struct acme_exchange *x, const char *data, size_t len)
{
    int event = 0;
    x->touched = true;
    do { /* the end may follow the last byte without taking one */
        size_t used = 0;
        struct acme_slice piece = acme_slice(NULL, 0);
        event = acme_http_read(&x->http, data, len, &used, &piece);
        int error = event < 0 ? event : 0;

        data += used;
        len -= used;
        if (event == ACME_HTTP_HEAD) {
            x->headed = true;
            if (!x->for_nonce && acme_exchange_is_good(x)) {
                x->body = row_of(x)->body;
            }
        } else if (event == ACME_HTTP_BODY) {
            error = take_body(x, piece);
        }
        if (error != 0) {
            return error;
        }
    } while (event != ACME_HTTP_MORE && event != ACME_HTTP_END);
    if (event == ACME_HTTP_END) {
        x->http.answer.close = x->http.answer.close || len > 0; /* bytes nobody asked for: do not go on here */
        x->state = ACME_EXCHANGE_JUDGE;
    }
    return 0;
}

int acme_exchange_ended(struct acme_exchange *x, bool clean)
{
    int event = x->touched ? acme_http_eof(&x->http, clean) : ACME_E_CLOSED;
    if (event < 0) {
        return event;
    }
    x->http.answer.close = true;
    x->state = ACME_EXCHANGE_JUDGE;
    return 0;
}
