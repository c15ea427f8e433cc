/* acme.c - the client: the only file that sees all of it.
 *
 * A run goes through phases: what is stored is read, the pair in use is looked at, then the engine
 * (protocol/exchange.c) is driven until there is a chain, and the new pair is put in use. One tick does one
 * piece of that. Whatever must be known after a reset is written before the next request is chosen, in one
 * place: tick_flow(). */
#include "acme_keep.h"
#include "acme_manage.h"

#include "protocol/poll.h"
#include "protocol/trace.h"
#include "wire/date.h"

#define PIECE_LEN      512  /* bytes of an answer taken in one tick */
#define OTHERS_WAIT_MS 1000 /* while the clock or the application has the word */
#define NET_WAIT_MS    250  /* while the network has the word: addresses time out by ticks */
#define SERVE_WAIT_MS  20 /* while a solver has work of its own: so do a responder's slots, and others wait for them */
#define KEY_WAIT_MS    10 /* while a key is at work elsewhere */
#define AN_HOUR_S      3600
#define A_DAY_S        86400
#define ORDER_KEPT_S   129600 /* a day and a half: for an order that may have a certificate, whatever the CA says */

/* --- set-up --- */

static int chain_piece(void *ctx, const void *data, size_t len);
static int certificate_piece(void *ctx, const char *data, size_t len);

int acme_init_sized(struct acme_client *c, size_t client_size, const struct acme_setup *setup)
{
    if (c == NULL || setup == NULL) {
        return ACME_E_NULL;
    }
    if (client_size != sizeof(*c)) {
        return ACME_E_SIZE;
    }
    memset(c, 0, sizeof(*c));
    int error = acme_setup_check(setup);
    if (error != 0) {
        return error;
    }
    c->setup = setup;
    c->keeper.setup = setup;
    acme_channel_init(&c->channel, setup);
    return 0;
}

static void begin(struct acme_client *c, uint32_t now_ms)
{
    acme_stop(c);
    struct acme_exchange_counts counts = c->exchange.counts;
    uint32_t signatures = c->flow.signatures;
    uint8_t turn = acme_flow_get_turn(&c->flow);
    memset(&c->flow, 0, sizeof(c->flow));
    memset(&c->exchange, 0, sizeof(c->exchange));
    if (!acme_keeping(c)) { /* there it is told until it is over */
        memset(&c->failure, 0, sizeof(c->failure));
    }
    c->exchange.counts = counts;
    c->flow.signatures = signatures;
    c->flow.setup = c->setup;
    acme_flow_set_turn(&c->flow, turn);
    (void)acme_url_parse(&c->flow.hosts.directory, acme_slice_of(c->setup->ca.directory_url)); /* checked by init */
    c->flow.hosts.more = c->setup->ca.more_hosts;
    c->flow.hosts.more_count = c->setup->ca.more_host_count;
    c->exchange.setup = c->setup;
    c->exchange.flow = &c->flow;
    c->exchange.sink = certificate_piece;
    c->exchange.sink_ctx = c;
    memset(&c->pair, 0, sizeof(c->pair));
    c->key_ready = c->issued = false;
    c->clock_ms = now_ms;
    c->retry_utc = 0;
    c->phase = ACME_PHASE_ACCOUNT_KEY;
}

int acme_start(struct acme_client *c, enum acme_task when, uint32_t now_ms)
{
    if (c == NULL || c->setup == NULL) {
        return ACME_E_NULL;
    }
    c->when = when;
    memset(&c->failure, 0, sizeof(c->failure));
    acme_keep_start(c);
    begin(c, now_ms);
    return 0;
}

/* --- before the first request --- */

static int tick_account_key(struct acme_client *c)
{
    const struct acme_key *key = &c->setup->account_key;
    int done = acme_keeper_load_key(&c->keeper, ACME_RECORD_ACCOUNT_KEY, key);
    if (done == 0) {
        done = acme_managing(c) ? acme_managed_no_account(c)
                                : acme_keeper_make_key(&c->keeper, ACME_RECORD_ACCOUNT_KEY, key);
        acme_binding_new_key(&c->flow);
    }
    if (done == 1) {
        c->phase = ACME_PHASE_RECORDS;
    }
    return done;
}

static int tick_records(struct acme_client *c)
{
    c->phase = ACME_PHASE_CLOCK;
    acme_keeper_recall(&c->keeper, &c->flow, &c->retry_utc);
    acme_keep_recall(c);
    return 1;
}

static int tick_clock(struct acme_client *c, uint32_t now_ms)
{
    int known = acme_time(c, &c->utc);
    if (known < 0) {
        return known;
    }
    if (known == 0) {
        return acme_passed(now_ms, c->clock_ms, ACME_STEP_BUDGET_S * 1000u) ? ACME_E_CLOCK : 0;
    }
    c->phase = acme_managing(c) && !acme_revoking(c) ? ACME_PHASE_BEGIN : ACME_PHASE_PAIR;
    return 1;
}

/* A chain that is missing or cannot be read is replaced, by way of an order; one in progress is taken up whatever the pair
 * is like. */
static int tick_pair(struct acme_client *c)
{
    bool order = c->flow.order.url[0] != '\0' && !acme_managing(c);
    int known = acme_revoking(c) ? acme_managed_leaf(c) : acme_keeper_pair(&c->keeper, &c->pair, &c->flow);
    c->phase = known == 1 && !order && !c->issued ? ACME_PHASE_PAIR_KEY : ACME_PHASE_PLAN;
    return known < 0 && !order ? known : 1;
}

/* Looks at the key in use. A damaged one is the operator's to judge and never silently replaced; one that is missing
 * or belongs to another certificate only when a new certificate was asked for in any case. */
static int tick_pair_key(struct acme_client *c)
{
    const struct acme_key *key = &c->setup->certificate_key;
    uint8_t point[ACME_POINT_LEN];
    int found = acme_keeper_load_key(&c->keeper, ACME_RECORD_KEY, key);
    if (found < 0) {
        return found;
    }
    bool ours =
        found == 1 && key->ops->point(key->handle, point) == 0 && memcmp(point, c->pair.point, sizeof(point)) == 0;
    if ((c->when == ACME_IF_DUE || acme_keeping(c)) && !ours) {
        c->keeper.blamed = ACME_RECORD_KEY;
        return ACME_E_PAIR;
    }
    c->phase = ACME_PHASE_PLAN;
    return 1;
}

#if ACME_CFG_RENEWAL
#define is_current(c) false /* acme_keep.c knows */
#else
static bool is_current(const struct acme_client *c)
{
    bool good = c->pair.same_names && c->flow.order.url[0] == '\0';
    return c->when == ACME_IF_DUE && good && c->utc < acme_keep_by_life(&c->pair);
}
#endif

static int tick_plan(struct acme_client *c, uint32_t now_ms)
{
    if (ACME_CFG_RENEWAL && !acme_managing(c)) {
        return acme_keep_plan(c, now_ms);
    }
    c->phase = ACME_PHASE_BEGIN;
    if (is_current(c)) {
        c->phase = ACME_PHASE_OVER;
        c->result = ACME_CURRENT;
    }
    return 1;
}

static int tick_begin(struct acme_client *c, uint32_t now_ms)
{
    /* The CA's wish is a day at most when it is stored: one further ahead was stored by a clock that was wrong. */
    uint32_t left_s = acme_until_s(c->utc, c->retry_utc);
    bool order = c->flow.order.url[0] != '\0';
    /* Stored by a clock that was ahead, or by an image that did not: it is counted from now. */
    if (order && (c->flow.since == 0 || c->flow.since > c->utc) && !acme_managing(c)) {
        c->flow.since = c->utc;
        c->flow.save_order = true;
    }
    c->flow.old = order && acme_until_s(c->flow.since, c->utc) >= ORDER_KEPT_S;
    if (c->when == ACME_IF_DUE && left_s > 0 && left_s <= A_DAY_S) {
        c->exchange.retry_s = left_s;
        return ACME_E_RATE_LIMITED;
    }
    int error = acme_managed_flow(c);
    if (error != 0) {
        return error;
    }
    acme_exchange_start(&c->exchange, now_ms);
    c->phase = ACME_PHASE_FLOW;
    return 1;
}

/* --- the certificate --- */

/* Has the key of this order at hand: the stored one after a reset, a new one otherwise. */
static int tick_key(struct acme_client *c, uint32_t now_ms)
{
    const struct acme_key *key = &c->setup->certificate_key;
    if (acme_managing(c)) {
        return acme_managed_key(c);
    }
    int done = acme_keeper_load_key(&c->keeper, ACME_RECORD_KEY_NEXT, key);
    if (done == ACME_E_KEY_CORRUPT || (done == 0 && c->flow.step == ACME_STEP_CERTIFICATE)) {
        /* The order's key is lost, and with it the use of its certificate. */
        int next = acme_flow_reorder(&c->flow, done == 0 ? ACME_E_CERT_KEY : done);
        if (next < 0) {
            return next;
        }
        acme_exchange_go(&c->exchange, (enum acme_step)next, now_ms);
        return 1;
    }
    if (done == 0) {
        done = acme_keeper_next_key(&c->keeper, key);
    }
    if (done == 1) {
        int error = key->ops->point(key->handle, c->pair.point);
        c->key_ready = error == 0;
        return error != 0 ? error : 1;
    }
    return done;
}

/* The chain's way: engine -> certificate_piece -> chain (checked, put in order) -> chain_piece -> store. */
static int certificate_piece(void *ctx, const char *data, size_t len)
{
    struct acme_client *c = ctx;
    if (acme_body_is_der(c->exchange.body)) {
        return acme_chain_der(&c->chain, data, len);
    }
    return acme_chain_read(&c->chain, data, len);
}

static int chain_piece(void *ctx, const void *data, size_t len)
{
    struct acme_client *c = ctx;
    return acme_keeper_append(&c->keeper, data, len);
}

#if ACME_CFG_ALTERNATE
/* There is a chain in the store, so what went wrong with another one does not matter, unless it was half written over it. The
 * next one is asked for, or what is stored is used. */
static int next_chain(struct acme_client *c, int error, uint32_t now_ms)
{
    if (acme_chain_torn(&c->chain)) {
        return error;
    }
    int next = acme_alternate_next(&c->flow, c->chain.rank, error);
    if (next == ACME_STEP_COUNT) {
        c->exchange.retry_s = 0;
        c->flow.step = ACME_STEP_COUNT;
        c->phase = ACME_PHASE_OFFER;
        return 1;
    }
    c->flow.step = ACME_STEP_CERTIFICATE; /* a new step each time, and no repetition that waits */
    acme_exchange_go(&c->exchange, (enum acme_step)next, now_ms);
    return 1;
}

#define begins_again(c)     (acme_is_alternate(&(c)->flow) ? (acme_chain_again(&(c)->chain), true) : false)
#define set_choice(c, want) ((want).choice = (c)->setup->chain)
#else
static int next_chain(struct acme_client *c, int error, uint32_t now_ms)
{
    (void)error;
    (void)now_ms;
    c->phase = ACME_PHASE_OFFER;
    return 1;
}

#define begins_again(c)     false
#define set_choice(c, want) ((void)0)
#endif

static int begin_chain(struct acme_client *c)
{
    if (begins_again(c)) {
        return 0;
    }
    acme_alternate_none(&c->flow);
    struct acme_chain_want want = {
        .point = c->pair.point, .names = c->setup->names, .name_count = c->setup->name_count};
    want.or_more = c->setup->more_names;
    want.utc = acme_time(c, &c->utc) == 1 ? c->utc : ACME_DATE_NONE;
    set_choice(c, want);
    acme_chain_init(&c->chain, &want, c->setup->work, c->setup->work_len, chain_piece, c);
    return chain_piece(c, NULL, 0);
}

static int end_chain(struct acme_client *c, uint32_t now_ms)
{
    int error = acme_chain_end(&c->chain);
    int next = error;
    if (error == 0 || acme_alternate_spare(&c->flow)) {
        return next_chain(c, error, now_ms);
    }
    if (error == ACME_E_CERT_KEY && !c->flow.finalized) { /* another client has finalized it with its own key */
        next = acme_flow_reorder(&c->flow, error);
    } else if (++c->flow.tries < ACME_TRIES_MAX) { /* empty, cut, somebody else's: a replica that lags */
        next = ACME_STEP_CERTIFICATE;
    }
    if (next < 0) {
        return next;
    }
    c->flow.step = ACME_STEP_CERTIFICATE; /* where this came from: a repetition waits */
    c->exchange.polls++;
    acme_exchange_go(&c->exchange, (enum acme_step)next, now_ms);
    return 1;
}

static int tick_offer(struct acme_client *c)
{
    int done = acme_keep_offer(c);
    if (done == 1) {
        c->phase = ACME_PHASE_COMMIT;
    }
    return done;
}

static int tick_commit(struct acme_client *c)
{
    int error = acme_keeper_commit(&c->keeper);
    if (error != 0) {
        return error;
    }
    c->pair.not_before = acme_moment(c->chain.not_before);
    c->pair.not_after = acme_moment(c->chain.not_after);
    acme_channel_close(&c->channel);
    c->issued = true;
    acme_flow_set_turn(&c->flow, 0);
    if (acme_keep_deploys(c)) {
        memset(&c->flow.order, 0, sizeof(c->flow.order));
        c->phase = ACME_PHASE_PAIR; /* which one it is has to be known */
        return 1;
    }
    acme_keep_replaced(c);
    c->phase = ACME_PHASE_OVER;
    c->result = ACME_ISSUED;
    return 1;
}

/* --- an order that is given up (protocol/leave.h) --- */

#if ACME_CFG_DEACTIVATE_AUTHZ
#define has_failed(c) ((c)->flow.failed)

/* Its authorizations are deactivated, or one of them cannot be, which is no matter: what comes behind them. */
static int leave_behind(struct acme_client *c, uint32_t now_ms)
{
    c->exchange.retry_s = 0;
    acme_exchange_go(&c->exchange, (enum acme_step)acme_flow_left(&c->flow), now_ms);
    return 1;
}

/* The run has failed with it, and that has been told and stored. Returns true while there is something left to do. */
static bool leaves(struct acme_client *c, uint32_t now_ms)
{
    c->flow.step = (enum acme_step)acme_flow_leave(&c->flow, true);
    if (c->flow.step == ACME_STEP_COUNT) {
        return false;
    }
    acme_exchange_start(&c->exchange, now_ms);
    c->phase = ACME_PHASE_FLOW;
    return true;
}
#else
#define has_failed(c)           false
#define leave_behind(c, now_ms) 0
#define leaves(c, now_ms)       false
#endif

/* Ends the run, whose failure has been told. Returns 1. */
static int end_failed(struct acme_client *c)
{
    acme_channel_close(&c->channel);
    c->phase = ACME_PHASE_OVER;
    c->result = ACME_FAILED;
    return 1;
}

/* --- driving the engine --- */

/* Failed between here and the CA: the engine decides whether another try makes sense. */
static int faulted(struct acme_client *c, int error, uint32_t now_ms)
{
    acme_channel_close(&c->channel);
    int final = acme_exchange_fault(&c->exchange, error, now_ms);
    return final != 0 ? final : 1;
}

/* Nobody tells later whether a costly request was carried out, so it is stored before it goes out. A device that loses its
 * power each time may ask twice, then once an hour. */
static int store_costly(struct acme_client *c)
{
    c->exchange.costly_stored++;
    c->retry_utc = c->retry_utc == 0 ? 1 : acme_later(c->utc, ACME_COSTLY_RETRY_S);
    return acme_keeper_retry(&c->keeper, &c->flow, c->retry_utc);
}

static int tick_wait(struct acme_client *c, uint32_t now_ms)
{
    struct acme_exchange *x = &c->exchange;
    if (c->flow.step == ACME_STEP_COUNT) {
        return has_failed(c)      ? end_failed(c)
               : acme_managing(c) ? acme_managed_end(c)
               : acme_looking(c)  ? acme_keep_looked(c)
                                  : end_chain(c, now_ms);
    }
    if (!acme_exchange_due(x, now_ms)) {
        return 0;
    }
    const struct acme_row *row = acme_row_of(&c->flow, c->flow.step);
    if (row->needs_key && !c->key_ready) {
        return tick_key(c, now_ms);
    }
    if (acme_costly(row) && x->costly_stored <= x->costly_lost) {
        return store_costly(c);
    }
    int error = acme_exchange_choose(x, now_ms);
    if (error != 0) {
        return error;
    }
    if (row->method != ACME_METHOD_NONE) {
        return 1;
    }
    int next = acme_flow_act(&c->flow);
    if (next < 0 || next == (int)c->flow.step) {
        return next < 0 ? next : 0;
    }
    acme_exchange_go(x, (enum acme_step)next, now_ms);
    return 1;
}

static int tick_connect(struct acme_client *c, uint32_t now_ms)
{
    struct acme_event event = {.kind = ACME_EVENT_CONNECTED, .step = c->flow.step};
    uint32_t before = acme_channel_connections(&c->channel);
    /* The other name is the directory's alone. */
    const char *name = c->setup->ca.tls_name;
    bool named = name != NULL && name[0] != '\0' && acme_url_same_origin(&c->exchange.url, &c->flow.hosts.directory);
    c->channel.tls_name = named ? name : NULL;
    int done = acme_channel_open(&c->channel, &c->exchange.url, now_ms);
    if (done < 0) {
        return faulted(c, done, now_ms);
    }
    if (done == 1) {
        bool fresh = acme_channel_connections(&c->channel) != before;
        if (fresh) {
            event.text = acme_slice_of(c->channel.host);
            acme_trace(c->setup, &event);
        }
        acme_exchange_connected(&c->exchange, fresh);
        return 1;
    }
    return c->channel.moved;
}

static int tick_ask(struct acme_client *c)
{
    struct acme_exchange *x = &c->exchange;
    int error = acme_needs_leaf(acme_row_of(&c->flow, c->flow.step)) ? acme_managed_leaf(c) : 0;
    error = error != 0 ? error : acme_exchange_ask(x);
    if (error == 0 && acme_exchange_begins_chain(x)) {
        error = begin_chain(c);
    }
    return error < 0 ? error : error == 0;
}

static int tick_send(struct acme_client *c, uint32_t now_ms)
{
    bool last = false;
    struct acme_slice out = acme_exchange_output(&c->exchange, &last);
    int done = out.len > 0 ? acme_channel_send(&c->channel, out.at, out.len, last, now_ms)
                           : acme_channel_flush(&c->channel, now_ms);
    if (done < 0) {
        return faulted(c, done, now_ms);
    }
    if (out.len > 0) {
        acme_exchange_sent(&c->exchange, (size_t)done);
    } else if (done == 1) {
        acme_exchange_flushed(&c->exchange);
    }
    return done > 0 || c->channel.moved;
}

static int tick_receive(struct acme_client *c, uint32_t now_ms)
{
    char piece[PIECE_LEN];
    bool clean = false;
    int got = acme_channel_recv(&c->channel, piece, sizeof(piece), &clean, now_ms);
    int error = 0;
    if (got > 0) {
        error = acme_exchange_input(&c->exchange, piece, (size_t)got);
    } else if (got == ACME_E_CLOSED) {
        error = acme_exchange_ended(&c->exchange, clean);
    } else {
        error = got;
    }
    return error < 0 ? faulted(c, error, now_ms) : got != 0 || c->channel.moved;
}

static int tick_judge(struct acme_client *c, uint32_t now_ms)
{
    bool close = false;
    int error = acme_exchange_judge(&c->exchange, now_ms, &close);
    if (close) {
        acme_channel_close(&c->channel);
    }
    return error != 0 ? error : 1;
}

static int tick_flow(struct acme_client *c, uint32_t now_ms)
{
    if (c->exchange.state == ACME_EXCHANGE_WAIT) { /* nothing is asked before what is known has been stored */
        c->key_ready = c->key_ready && !c->flow.drop_order;
        int kept = acme_keep_flow(c);
        kept = kept != 0 ? kept : acme_keeper_flow(&c->keeper, &c->flow, c->utc);
        if (kept != 0) {
            return kept;
        }
    }
    bool waits = c->exchange.state == ACME_EXCHANGE_WAIT || c->exchange.state == ACME_EXCHANGE_JUDGE;
    if (!waits && acme_exchange_overdue(&c->exchange, now_ms)) {
        return faulted(c, ACME_E_BUDGET,
                       now_ms); /* a server that says a byte now and then must not hold us for ever */
    }
    switch (c->exchange.state) {
    case ACME_EXCHANGE_WAIT:
        return tick_wait(c, now_ms);
    case ACME_EXCHANGE_CONNECT:
        return tick_connect(c, now_ms);
    case ACME_EXCHANGE_ASK:
        return tick_ask(c);
    case ACME_EXCHANGE_SIGN: {
        int error = acme_exchange_sign(&c->exchange);
        return error < 0 ? error : error == 0;
    }
    case ACME_EXCHANGE_SEND:
        return tick_send(c, now_ms);
    case ACME_EXCHANGE_RECEIVE:
        return tick_receive(c, now_ms);
    case ACME_EXCHANGE_JUDGE:
        break;
    }
    return tick_judge(c, now_ms);
}

/* --- the way out --- */

static void copy_text(char *to, size_t cap, struct acme_slice from)
{
    size_t len = from.len < cap - 1 ? from.len : cap - 1;
    if (len > 0) {
        memcpy(to, from.at, len);
    }
    to[len] = '\0';
}

/* True when the order is of no more use, whoever asks. One that may have a certificate is not dead, whatever was said of
 * it or is wrong with that: a new one each time would soon meet the CA's limit on certificates for the same names. Nor is
 * it for a server's trouble, and one that is too large has to be lent more memory. */
static bool order_is_dead(const struct acme_client *c, int error)
{
    switch (error) {
    case ACME_E_AUTHZ:
    case ACME_E_ORDER:
        return true;
    case ACME_E_PROBLEM:
    case ACME_E_CERT_KEY:
    case ACME_E_CERT_NAMES:
    case ACME_E_CERT_DATES:
    case ACME_E_CERT_SYNTAX:
        return c->flow.problem.http_status < 500 && !acme_flow_keeps_order(&c->flow);
    default:
        return false;
    }
}

/* The column of acme_error.h. */
static bool needs_a_person(int error)
{
#define PERSON(name, value, retry, meaning, cause) (retry) ? 0 : (value),
    static const int8_t all[] = {ACME_ERRORS(PERSON)};
#undef PERSON
    for (size_t i = 0; i < sizeof(all); i++) {
        if (all[i] == error) {
            return true;
        }
    }
    return false;
}

/* When another run makes sense, where the CA has not said it: what a person has to mend will not have been before
 * tomorrow, and failed validations are counted by the hour. */
static uint32_t advised_s(const struct acme_client *c, int error)
{
    if (c->exchange.retry_s > 0) {
        return c->exchange.retry_s;
    }
    switch (error) {
    case ACME_E_AUTHZ:
    case ACME_E_ORDER:
    case ACME_E_RATE_LIMITED:
    case ACME_E_CERT_KEY:
    case ACME_E_CERT_DATES:
    case ACME_E_CERT_SYNTAX:
        return AN_HOUR_S;
    case ACME_E_PROBLEM: { /* what is known by its type may pass, and so may a server's trouble */
        const struct acme_problem *p = &c->flow.problem;
        bool stays = p->kind == ACME_PROBLEM_OTHER && p->http_status < 500 && !acme_flow_keeps_order(&c->flow);
        return stays ? A_DAY_S : AN_HOUR_S;
    }
    default:
        return needs_a_person(error) ? A_DAY_S : 0;
    }
}

static void fail(struct acme_client *c, int error, uint32_t now_ms)
{
    struct acme_failure *failure = &c->failure;
    const struct acme_problem *problem = &c->flow.problem;
    enum acme_phase phase = c->phase;

    if (acme_keep_look_failed(c, error)) {
        return;
    }

    failure->error = error;
    failure->record = c->keeper.blamed;
    failure->step = c->flow.step < ACME_STEP_COUNT ? c->flow.step : ACME_STEP_CERTIFICATE;
    failure->tls_code = error <= ACME_E_TLS_UNTRUSTED && error >= ACME_E_TLS_EARLY ? c->channel.tls_code : 0;
    failure->http_status = problem->http_status;
    failure->retry_s = advised_s(c, error);
    copy_text(failure->type, sizeof(failure->type), problem->type);
    copy_text(failure->detail, sizeof(failure->detail), problem->detail);
    if (error == ACME_E_TLS_UNTRUSTED) { /* in the handshake: the CA has said nothing to this request */
        copy_text(failure->detail, sizeof(failure->detail), acme_slice_of(acme_channel_issuer(&c->channel)));
    }
    copy_text(failure->name, sizeof(failure->name),
              problem->name.len > 0 ? problem->name : acme_flow_name(&c->flow, c->flow.step));

    bool talked = c->phase == ACME_PHASE_FLOW && !acme_managing(c);
    bool dead = talked && order_is_dead(c, error);
    acme_flow_withdraw(&c->flow);
    acme_managed_clean(c);
    /* Best effort from here on: the failure above is what counts. */
    if (dead) {
        c->flow.order.url[0] = '\0';
        (void)acme_keeper_forget(&c->keeper);
    }
    if (talked && c->exchange.retry_s > 0) { /* the CA's wish is stored, our advice is the caller's to follow */
        (void)acme_time(c, &c->utc);         /* the answer came just now */
        (void)acme_keeper_retry(&c->keeper, &c->flow, acme_later(c->utc, acme_keep_apart(c, failure->retry_s)));
    }
    acme_keep_failed(c, (int)phase, now_ms);
    if (!dead || !leaves(c, now_ms)) {
        (void)end_failed(c);
    }
}

void acme_stop(struct acme_client *c)
{
    if (c->setup == NULL) {
        return;
    }
    acme_flow_withdraw(&c->flow);
    acme_channel_close(&c->channel);
    c->phase = ACME_PHASE_OFF;
    c->result = ACME_IDLE;
}

/* --- ticking --- */

/* Returns 1 when something was done, 0 when there is nothing to do, or a final error. */
static int tick(struct acme_client *c, uint32_t now_ms)
{
    switch (c->phase) {
    case ACME_PHASE_ACCOUNT_KEY:
        return tick_account_key(c);
    case ACME_PHASE_RECORDS:
        return tick_records(c);
    case ACME_PHASE_CLOCK:
        return tick_clock(c, now_ms);
    case ACME_PHASE_PAIR:
        return tick_pair(c);
    case ACME_PHASE_PAIR_KEY:
        return tick_pair_key(c);
    case ACME_PHASE_PLAN:
        return tick_plan(c, now_ms);
    case ACME_PHASE_BEGIN:
        return tick_begin(c, now_ms);
    case ACME_PHASE_FLOW: {
        int done = tick_flow(c, now_ms);
        if (done < 0 && acme_is_leave(c->flow.step)) {
            return leave_behind(c, now_ms);
        }
        return done < 0 && acme_alternate_spare(&c->flow) ? next_chain(c, done, now_ms) : done;
    }
    case ACME_PHASE_OFFER:
        return tick_offer(c);
    case ACME_PHASE_COMMIT:
        return tick_commit(c);
    case ACME_PHASE_DEPLOY:
        return acme_keep_deploy(c);
    case ACME_PHASE_OFF:
    case ACME_PHASE_OVER:
        break;
    }
    return 0;
}

enum acme_progress acme_tick(struct acme_client *c, uint32_t now_ms)
{
    c->ticks++;
    if (acme_keeping(c) && c->phase == ACME_PHASE_OVER && !acme_clearing(c) && acme_keep_wakes(c, now_ms)) {
        begin(c, now_ms);
    }
    bool served = acme_flow_serve(&c->flow, now_ms);
    int done = tick(c, now_ms);
    if (done < 0) {
        fail(c, done, now_ms);
    }
    if ((c->phase == ACME_PHASE_OFF || c->phase == ACME_PHASE_OVER) && !acme_clearing(c)) {
        return acme_keep_tell(c);
    }
    return done != 0 || served ? ACME_BUSY : ACME_IDLE;
}

uint32_t acme_idle_ms(const struct acme_client *c, uint32_t now_ms)
{
    const struct acme_exchange *x = &c->exchange;
    if (acme_clearing(c) && (c->phase == ACME_PHASE_OFF || c->phase == ACME_PHASE_OVER)) {
        return SERVE_WAIT_MS;
    }
    switch (c->phase) {
    case ACME_PHASE_CLOCK:
    case ACME_PHASE_OFFER:
    case ACME_PHASE_DEPLOY:
        return OTHERS_WAIT_MS;
    case ACME_PHASE_OVER:
        return acme_keeping(c) ? acme_keep_idle_ms(c, now_ms) : 0;
    case ACME_PHASE_FLOW:
        break;
    default:
        return 0;
    }
    bool presenting = x->state == ACME_EXCHANGE_WAIT && c->flow.step == ACME_STEP_PRESENT;
    bool network =
        x->state == ACME_EXCHANGE_CONNECT || x->state == ACME_EXCHANGE_SEND || x->state == ACME_EXCHANGE_RECEIVE;
    uint32_t idle_ms = presenting || network ? NET_WAIT_MS : x->signing ? KEY_WAIT_MS : 0;
    if (x->state == ACME_EXCHANGE_WAIT && !acme_exchange_due(x, now_ms)) {
        idle_ms = x->wait_ms - (now_ms - x->wait_since_ms);
    }
    return acme_flow_serves(&c->flow) && idle_ms > SERVE_WAIT_MS ? SERVE_WAIT_MS : idle_ms;
}

/* --- looking in --- */

const struct acme_failure *acme_failure(const struct acme_client *c)
{
    return &c->failure;
}

struct acme_stats acme_stats(const struct acme_client *c)
{
    struct acme_stats stats;
    stats.ticks = c->ticks;
    stats.writes = c->keeper.writes;
    stats.keys = c->keeper.keys;
    stats.requests = c->exchange.counts.requests;
    stats.polls = c->exchange.counts.polls;
    stats.rejections = c->exchange.counts.rejections;
    stats.signatures = c->exchange.counts.signatures + c->flow.signatures;
    stats.handshakes = c->channel.handshakes;
    stats.bytes_up = c->channel.up;
    stats.bytes_down = c->channel.down;
    return stats;
}

const char *acme_server(const struct acme_client *c, uint16_t *port)
{
    if (port != NULL) {
        *port = c->channel.port;
    }
    return c->channel.host;
}

bool acme_validity(const struct acme_client *c, int64_t *not_before, int64_t *not_after, int64_t *renew_at)
{
    if (c->pair.not_after == 0) {
        return false;
    }
    if (not_before != NULL) {
        *not_before = c->pair.not_before;
    }
    if (not_after != NULL) {
        *not_after = c->pair.not_after;
    }
    if (renew_at != NULL) {
        *renew_at = acme_keep_by_life(&c->pair);
    }
    return true;
}
