/* engine.c - see engine.h. */
#include "engine.h"
#include "ca_v1.h"
#include "words.h"

#include "protocol/poll.h"

#include <stdio.h>
#include <string.h>

static int present(void *ctx, struct acme_challenge *challenge)
{
    struct engine *e = ctx;
    ca_publish(&e->ca, challenge);
    e->presents++;
    return 1;
}

static void withdraw(void *ctx, struct acme_challenge *challenge)
{
    struct engine *e = ctx;
    assert_non_null(e->ca.published);
    ca_take_back(&e->ca, challenge);
    e->withdraws++;
}

static void copy(char *to, size_t cap, struct acme_slice from)
{
    snprintf(to, cap, "%.*s", (int)from.len, from.len > 0 ? from.at : "");
}

static void trace(void *ctx, const struct acme_event *event)
{
    struct engine *e = ctx;
    words_judge(event);
    if (event->kind == ACME_EVENT_WAIT && e->waits < 64) {
        e->wait[e->waits].ms = event->wait_ms;
        e->wait[e->waits].error = event->error;
        e->wait[e->waits++].step = event->step;
    } else if (event->kind == ACME_EVENT_TERMS) {
        e->terms++;
    } else if (event->kind == ACME_EVENT_PROFILE || event->kind == ACME_EVENT_EXPLAINED) {
        e->profiles += event->kind == ACME_EVENT_PROFILE;
        copy(e->told, sizeof e->told, event->text);
    } else if (event->kind == ACME_EVENT_CHAIN) {
        e->chains++;
        e->taken = event->polls;
        e->chain_error = event->error;
    } else if (event->kind == ACME_EVENT_PROBLEM) {
        copy(e->problem_type[e->problems % 8], 128, event->text);
        copy(e->problem_name[e->problems++ % 8], 128, event->name);
        copy(e->problem_detail, sizeof e->problem_detail, event->detail);
    }
}

static int keep_chain(void *ctx, const void *data, size_t len)
{
    struct engine *e = ctx;
    if (len == 0) {
        e->chain_len = 0;
        return 0;
    }
    assert_true(e->chain_len + len < sizeof e->chain);
    memcpy(e->chain + e->chain_len, data, len);
    e->chain_len += len;
    e->chain[e->chain_len] = '\0';
    return 0;
}

static int judge_chain(void *ctx, const char *data, size_t len)
{
    struct engine *e = ctx;
    if (e->way->judged && e->x.body == ACME_BODY_DER) {
        return acme_chain_der(&e->judge, data, len);
    }
    return e->way->judged ? acme_chain_read(&e->judge, data, len) : keep_chain(e, data, len);
}

/* What an earlier run has stored. */
static void resume(struct engine *e, const struct engine_way *way)
{
    struct acme_directory *directory = &e->flow.directory;
    struct acme_order *order = &e->flow.order;
    bool v1 = e->ca.plan->v1;
    strcpy(e->flow.account, v1 ? CA_URL "/acme/reg/1" : CA_URL "/account/1");
    strcpy(directory->new_nonce, v1 ? CA_URL "/acme/new-reg" : CA_URL "/nonce");
    strcpy(directory->new_account, v1 ? CA_URL "/acme/new-reg" : CA_URL "/new-account");
    strcpy(directory->new_order, v1 ? CA_URL "/acme/new-authz" : CA_URL "/new-order");
    strcpy(e->flow.info.url, e->ca.plan->ari ? CA_URL "/renewal-info" : "");
    strcpy(order->url, way->resumed != NULL ? way->resumed : "");
    e->flow.answered = way->unanswered || way->known ? 0 : (uint8_t)e->setup.name_count;
    e->flow.finalized = way->finalized;
    e->ca.accounts = 1;
    assert_int_equal(e->setup.account_key.ops->point(&e->account, e->ca.point), 0);
    if (!v1) {
        return;
    }
    e->ca.v1.agreed = true;
    strcpy(directory->new_cert, CA_URL "/acme/new-cert");
    while (strstr(way->resumed, "/order/") == NULL && order->authz_count < e->setup.name_count) {
        char url[ACME_URL_MAX + 1];
        ca_v1_authz_url(order->authz_count, url, sizeof url);
        assert_int_equal(acme_order_add(order, url), 0);
    }
    if (strstr(way->resumed, "/cert/") != NULL) {
        strcpy(order->url, directory->new_cert);
        strcpy(order->certificate, way->resumed);
    }
}

static void begin(struct engine *e, const struct ca_plan *plan, const struct engine_way *way, bool bytewise)
{
    static const struct acme_net no_net;
    memset(e, 0, sizeof *e);
    ca_init(&e->ca, plan);
    e->way = way;
    e->bytewise = bytewise;
    e->now_ms = 0xfffff000u; /* wraps soon */
    const struct acme_key_ops *keys = way->keys != NULL ? way->keys : &acme_key_p256_ops;
    assert_int_equal(keys->generate(&e->account, &maker_sys), 0);
    assert_int_equal(keys->generate(&e->certificate, &maker_sys), 0);
    e->solver = (struct acme_solver){.ctx = e, .type = "http-01", .present = present, .withdraw = withdraw};
    e->solvers[0] = &e->solver;
    e->setup = (struct acme_setup){.net = &no_net,
                                   .sys = &maker_sys,
                                   .ca = {.directory_url = CA_URL "/dir"},
                                   .account_key = {keys, &e->account},
                                   .certificate_key = {keys, &e->certificate},
                                   .names = plan->names,
                                   .name_count = plan->name_count,
                                   .accept_terms = !way->no_terms,
                                   .solvers = e->solvers,
                                   .solver_count = 1,
                                   .work = e->work,
                                   .work_len = way->work > 0 ? way->work : 6144,
                                   .trace = trace,
                                   .trace_ctx = e};
    if (way->directory_url != NULL) {
        e->setup.ca.directory_url = way->directory_url;
    }
    e->flow.setup = &e->setup;
    assert_int_equal(acme_url_parse(&e->flow.hosts.directory, acme_slice_of(e->setup.ca.directory_url)), 0);
    e->flow.hosts.more = way->more_hosts;
    e->flow.hosts.more_count = way->more_host_count;
    if (way->contact != NULL) {
        e->contacts[0] = e->contacts[1] = way->contact;
        e->setup.contacts = e->contacts;
        e->setup.contact_count = 2;
    }
    e->setup.deactivate_authz = way->tidy;
    if (way->told != NULL) {
        strcpy(e->flow.manage.told, way->told);
    }
    if (way->resumed != NULL || way->known) {
        resume(e, way);
    }
    if (way->certid != NULL) {
        snprintf(e->flow.info.certid, sizeof e->flow.info.certid, "%s", way->certid);
        e->flow.info.replaces = true;
    }
#if ACME_CFG_EAB
    if (way->eab_kid != NULL) {
        e->setup.binding = (struct acme_binding){way->eab_kid, way->eab_secret, strlen(way->eab_secret)};
    }
    e->flow.bound.key_is_new = !way->old_key && !way->known && way->resumed == NULL;
#endif
    if (way->prefers != NULL) {
        e->setup.chain.rank = strcmp(way->prefers, "shortest") == 0 ? acme_prefer_shortest : acme_prefer_name;
        e->setup.chain.ctx = way->prefers;
    }
    e->setup.profile = way->profile;
    e->setup.profile_optional = way->optional;
    if (plan->begun) {
        ca_begin(&e->ca);
    }
    e->x.setup = &e->setup;
    e->x.flow = &e->flow;
    e->x.sink = judge_chain;
    e->x.sink_ctx = e;
    if (way->begun != NULL) {
        way->begun(e);
    }
    acme_flow_start(&e->flow);
    acme_exchange_start(&e->x, e->now_ms);
}

static int fault(struct engine *e, int error)
{
    e->open = false;
    return acme_exchange_fault(&e->x, error, e->now_ms);
}

static int step_wait(struct engine *e)
{
    if (!acme_exchange_due(&e->x, e->now_ms)) {
        e->elapsed_ms += e->x.wait_ms;
        e->now_ms += e->x.wait_ms - (e->now_ms - e->x.wait_since_ms);
        assert_true(acme_exchange_due(&e->x, e->now_ms));
    }
    e->dropped = e->dropped || e->flow.drop_order;
    e->flow.save_account = e->flow.save_order = e->flow.drop_order = false; /* the keeper's part */
    int error = acme_exchange_choose(&e->x, e->now_ms);
    if (error == 0 && acme_row_of(&e->flow, e->flow.step)->method == ACME_METHOD_NONE) {
        error = acme_flow_act(&e->flow);
        if (error >= 0) {
            acme_exchange_go(&e->x, (enum acme_step)error, e->now_ms);
            error = 0;
        }
    }
    return error;
}

static int step_connect(struct engine *e)
{
    char host[254];
    copy(host, sizeof host, e->x.url.authority);
    bool kept = e->open && strcmp(host, e->host) == 0;
    if (!kept) {
        e->connections++;
        if (e->way->down_after > 0 && e->ca.requests >= e->way->down_after) {
            return fault(e, ACME_E_REFUSED);
        }
    }
    strcpy(e->host, host);
    e->open = true;
    e->dead = kept && e->ca.plan->mute;
    e->request_len = 0;
    acme_exchange_connected(&e->x, !kept);
    return 0;
}

#if ACME_CFG_MANAGE
void engine_manage(struct engine *e, enum acme_task what)
{
    struct acme_hosts hosts = e->flow.hosts;
    e->open = e->over = false;
    memset(&e->flow, 0, sizeof e->flow);
    e->flow.setup = &e->setup;
    e->flow.hosts = hosts;
    memset(&e->x, 0, sizeof e->x);
    e->x.setup = &e->setup;
    e->x.flow = &e->flow;
    assert_int_equal(acme_manage_start(&e->flow, what, false), 0);
    acme_exchange_start(&e->x, e->now_ms);
}

/* The certificate's place, where the keeper puts it. */
static void lend_leaf(struct engine *e)
{
    assert_true(e->leaf_len > 0 && e->leaf_len <= e->setup.work_len);
    memcpy(e->work + e->setup.work_len - e->leaf_len, e->leaf, e->leaf_len);
    e->flow.manage.leaf_len = e->leaf_len;
}
#else
#define lend_leaf(e) ((void)(e))
#endif

static int step_ask(struct engine *e)
{
    if (acme_needs_leaf(acme_row_of(&e->flow, e->flow.step))) {
        lend_leaf(e);
    }
    int error = acme_exchange_ask(&e->x);
    if (error == 0 && acme_is_alternate(&e->flow) && !e->x.for_nonce) {
        acme_chain_again(&e->judge);
    } else if (error == 0 && acme_exchange_begins_chain(&e->x)) {
        acme_alternate_none(&e->flow);
        e->chain_len = 0;
        static uint8_t point[65];
        assert_int_equal(e->setup.certificate_key.ops->point(&e->certificate, point), 0);
        struct acme_chain_want want = {
            .point = point, .names = e->setup.names, .name_count = e->setup.name_count, .utc = MAKER_NOW};
        want.choice = e->setup.chain;
        acme_chain_init(&e->judge, &want, e->work, e->setup.work_len, keep_chain, e);
    }
    return error;
}

/* What acme.c does when a chain has come in, or an alternate could not be had. */
static int next_chain(struct engine *e, int error)
{
    int next = acme_alternate_next(&e->flow, e->judge.rank, error);
    e->over = next == ACME_STEP_COUNT;
    if (!e->over) {
        e->flow.step = ACME_STEP_CERTIFICATE;
        acme_exchange_go(&e->x, (enum acme_step)next, e->now_ms);
    }
    return 0;
}

/* What it does when one of them has. */
static int step_chain(struct engine *e)
{
    if (acme_manage_is_on(&e->flow)) {
        e->over = true;
        return 0;
    }
    int error = e->way->judged ? acme_chain_end(&e->judge) : 0, next = error;
    if (error == 0 || acme_alternate_spare(&e->flow)) {
        return next_chain(e, error);
    }
    if (error == ACME_E_CERT_KEY && !e->flow.finalized) {
        next = acme_flow_reorder(&e->flow, error);
    } else if (error != 0 && ++e->flow.tries < ACME_TRIES_MAX) {
        next = ACME_STEP_CERTIFICATE;
    }
    if (next > 0) {
        e->flow.step = ACME_STEP_CERTIFICATE;
        e->x.polls++;
        acme_exchange_go(&e->x, (enum acme_step)next, e->now_ms);
        return 0;
    }
    e->over = true;
    return next;
}

static int step_send(struct engine *e)
{
    bool last = false;
    struct acme_slice out = acme_exchange_output(&e->x, &last);
    if (out.len == 0) {
        assert_true(last);
        assert_true(ca_whole(e->request, e->request_len));
        if (e->dead) {
            return fault(e, ACME_E_CLOSED);
        }
        e->answer =
            e->way->server != NULL ? e->way->server(e) : ca_answer(&e->ca, e->host, e->request, e->request_len);
        e->asked[e->ca.requests - 1] = e->ca.last;
        if (e->way->asked != NULL) {
            e->way->asked(e);
        }
        e->answer_at = 0;
        acme_exchange_flushed(&e->x);
        return 0;
    }
    size_t len = e->bytewise ? 1 : out.len;
    assert_true(e->request_len + len <= sizeof e->request);
    memcpy(e->request + e->request_len, out.at, len);
    e->request_len += len;
    for (size_t i = 0; i < len; i++) {
        e->sent_hash = (e->sent_hash ^ (uint8_t)out.at[i]) * 0x100000001b3u;
    }
    acme_exchange_sent(&e->x, len);
    return 0;
}

static int step_receive(struct engine *e)
{
    size_t rest = e->answer.len - e->answer_at;
    size_t len = e->bytewise && rest > 0 ? 1 : rest;
    int error = 0;
    if (len > 0) {
        error = acme_exchange_input(&e->x, e->answer.at + e->answer_at, len);
        e->answer_at += len;
    } else if (e->answer.close) {
        error = acme_exchange_ended(&e->x, !e->way->unclean);
        e->open = false;
    } else {
        error = ACME_E_TIMEOUT; /* the client waits for more, the server for the client */
        e->now_ms += ACME_NET_TIMEOUT_MS;
        e->elapsed_ms += ACME_NET_TIMEOUT_MS;
    }
    return error == 0 ? 0 : fault(e, error);
}

static int step(struct engine *e)
{
    switch (e->x.state) {
    case ACME_EXCHANGE_WAIT:
        return step_wait(e);
    case ACME_EXCHANGE_CONNECT:
        return step_connect(e);
    case ACME_EXCHANGE_ASK:
        return step_ask(e);
    case ACME_EXCHANGE_SIGN:
        return acme_exchange_sign(&e->x);
    case ACME_EXCHANGE_SEND:
        return step_send(e);
    case ACME_EXCHANGE_RECEIVE:
        return step_receive(e);
    case ACME_EXCHANGE_JUDGE: {
        bool close = false;
        int error = acme_exchange_judge(&e->x, e->now_ms, &close);
        e->open = e->open && !close && !e->answer.close;
        return error;
    }
    }
    return 0;
}

void engine_run(struct engine *e, const struct ca_plan *plan, const struct engine_way *way, bool bytewise)
{
    begin(e, plan, way, bytewise);
    while (e->error == 0 && !e->over) {
        if (way->before_step != NULL) {
            way->before_step(e);
        }
        e->error = e->flow.step == ACME_STEP_COUNT ? step_chain(e) : step(e);
        if (e->error < 0 && acme_alternate_spare(&e->flow)) {
            e->error = next_chain(e, e->error);
        }
        if (e->error < 0 && acme_is_leave(e->flow.step)) {
            acme_exchange_go(&e->x, (enum acme_step)acme_flow_left(&e->flow), e->now_ms);
            e->error = 0;
        }
        if (e->ca.requests >= ENGINE_REQUESTS_MAX) {
            e->error = ENGINE_ENDLESS;
        }
        if (e->error == 0 && e->over && way->then != NULL) {
            e->over = !way->then(e);
        }
    }
    copy(e->failure_type, sizeof e->failure_type, e->flow.problem.type);
    copy(e->failure_detail, sizeof e->failure_detail, e->flow.problem.detail);
    acme_flow_withdraw(&e->flow);
    assert_int_equal(e->presents, e->withdraws);
    assert_null(e->ca.published);
}

void engine_play(struct engine *e, const struct ca_plan *plan, const struct engine_way *way)
{
    static const struct engine_way usual;
    way = way != NULL ? way : &usual;
    if (way->whole) {
        engine_run(e, plan, way, false);
        return;
    }
    engine_run(e, plan, way, true);
    int error = e->error;
    unsigned requests = e->ca.requests, waits = e->waits, problems = e->problems;
    uint32_t elapsed = e->elapsed_ms;
    engine_free(e);
    engine_run(e, plan, way, false);
    assert_int_equal(error, e->error);
    assert_int_equal(requests, e->ca.requests);
    assert_int_equal(waits, e->waits);
    assert_int_equal(problems, e->problems);
    assert_int_equal(elapsed, e->elapsed_ms);
}

void engine_free(struct engine *e)
{
    ca_free(&e->ca);
}
