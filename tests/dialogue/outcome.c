/* outcome.c - see outcome.h. Only what every machine prints alike: no long long, no size_t. */
#include "outcome.h"

#include <stdio.h>
#include <string.h>

static struct {
    void (*trace)(void *ctx, const struct acme_event *event); /* the engine's own */
    unsigned count;
    uint32_t hash; /* FNV-1a of all that they say */
} events;

static void add_bytes(const void *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        events.hash = (events.hash ^ ((const uint8_t *)at)[i]) * 0x01000193u;
    }
}

static void add_number(uint32_t n)
{
    const uint8_t bytes[] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    add_bytes(bytes, sizeof bytes);
}

static void add_text(struct acme_slice text)
{
    add_number((uint32_t)text.len);
    add_bytes(text.at, text.len);
}

static void watch(void *ctx, const struct acme_event *event)
{
    events.count++;
    add_number((uint32_t)event->kind);
    add_number((uint32_t)event->step);
    add_number((uint32_t)event->status);
    add_number((uint32_t)event->record);
    add_number((uint32_t)event->error);
    add_number(event->http_status);
    add_number(event->subproblem);
    add_number(event->polls);
    add_number(event->wait_ms);
    add_text(event->name);
    add_text(event->text);
    add_text(event->detail);
    events.trace(ctx, event);
}

void outcome_watch(struct engine *e)
{
    events.trace = e->setup.trace;
    events.count = 0;
    events.hash = 0x811c9dc5u;
    e->setup.trace = watch;
}

static char text[60000];
static size_t used;

#define PUT(...)  (used += (size_t)snprintf(text + used, sizeof text - used, __VA_ARGS__))
#define NUMBER(n) PUT(#n " %lu\n", (unsigned long)(n))

static void put_flow(const struct engine *e)
{
    const struct acme_flow *f = &e->flow;
    PUT("step %d, status %d, authorization %d\n", (int)f->step, (int)f->status, f->authz);
    PUT("account %s\ndirectory %s\n", f->account, f->directory_url);
    for (unsigned i = 0; i < f->order.authz_count; i++) {
        PUT("authorization %s\n", acme_order_authz(&f->order, i));
    }
    PUT("order %s\nfinalize %s\ncertificate %s\n", f->order.url, f->order.finalize, f->order.certificate);
    NUMBER(f->drop_order);
    NUMBER(f->drop_key);
    NUMBER(f->signatures);
}

static void put_exchange(const struct engine *e)
{
    const struct acme_exchange *x = &e->x;
    NUMBER(x->counts.requests);
    NUMBER(x->counts.signatures);
    NUMBER(x->counts.polls);
    NUMBER(x->counts.rejections);
    NUMBER(x->faults);
    NUMBER(x->retry_s);
    PUT("nonce %s\n", x->nonce);
}

const char *outcome_text(const struct engine *e)
{
    used = 0;
    PUT("error %d\n", e->error);
    NUMBER(e->elapsed_ms);
    NUMBER(e->now_ms);
    NUMBER(e->connections);
    NUMBER(e->ca.requests);
    NUMBER(e->presents);
    NUMBER(e->sent_hash >> 32);
    NUMBER(e->sent_hash & 0xffffffffu);
    NUMBER(events.count);
    NUMBER(events.hash);
    for (unsigned i = 0; i < e->waits; i++) {
        PUT("wait %lu, error %d, step %d\n", (unsigned long)e->wait[i].ms, e->wait[i].error, (int)e->wait[i].step);
    }
    NUMBER(e->problems);
    for (unsigned i = 0; i < e->problems && i < 8; i++) {
        PUT("problem %s %s\n", e->problem_type[i], e->problem_name[i]);
    }
    PUT("problem's detail %s\n", e->problem_detail);
    PUT("failure %s: %s\n", e->failure_type, e->failure_detail);
    put_flow(e);
    put_exchange(e);
    PUT("%s", e->chain_len > 0 ? e->chain : "");
    assert_true(used < sizeof text);
    return text;
}
