/* world.c - see world.h. */
#define _GNU_SOURCE /* memmem */
#include "world.h"

#include "fake/ca_more.h"
#include "fault/fastkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- buckets --- */

static struct bucket bucket(double most, double every_ms)
{
    return (struct bucket){.level = most, .most = most, .every_ms = every_ms};
}

static void fill(struct bucket *b, int64_t now_ms)
{
    if (now_ms > b->at_ms) {
        b->level += (double)(now_ms - b->at_ms) / b->every_ms;
        b->level = b->level < b->most ? b->level : b->most;
        b->at_ms = now_ms;
    }
}

/* Seconds to wait for one; 0: there is one. */
static unsigned wait_s(struct bucket *b, int64_t now_ms)
{
    fill(b, now_ms);
    return b->level >= 1 ? 0 : (unsigned)((1 - b->level) * b->every_ms / 1000) + 1;
}

static unsigned take(struct bucket *b, int64_t now_ms)
{
    unsigned s = wait_s(b, now_ms);
    b->level -= s == 0;
    return s;
}

/* --- what stands in front of the CA --- */

enum { AFTER_NOTHING, AFTER_CUT };

int64_t world_rule(int64_t from, int64_t to)
{
    return to - from < 10 * WORLD_DAY_S ? from + (to - from) / 2 : from + (to - from) * 2 / 3;
}

static bool asks(const struct device *d, const char *what)
{
    return strncmp(d->request, what, strlen(what)) == 0;
}

/* Answers in the CA's place. */
static int answer(struct actor *a, const char *format, ...)
{
    struct device *d = &a->d;
    va_list args;
    va_start(args, format);
    d->answer = (struct ca_answer){.at = d->ca.answer};
    d->answer.len = (size_t)vsnprintf(d->ca.answer, sizeof d->ca.answer, format, args);
    va_end(args);
    d->answer_at = 0;
    ca_lost(&d->ca, d->request, d->request_len);
    return 1;
}

static int say(struct actor *a, int status, unsigned retry_s, const char *body)
{
    char retry[40] = "";
    if (retry_s > 0) {
        snprintf(retry, sizeof retry, "Retry-After: %u\r\n", retry_s);
    }
    bool problem = body[0] == '{';
    return answer(a, "HTTP/1.1 %d x\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                  problem ? "application/problem+json" : "text/html", retry, strlen(body), body);
}

static void put_time(char out[24], int64_t utc)
{
    time_t t = (time_t)utc;
    struct tm tm;
    (void)gmtime_r(&t, &tm);
    (void)strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The window of the certificate in use, as Boulder makes it: 2 % of the life round the rule's moment; of one that is recalled,
 * an hour to half an hour ago. */
static void set_window(struct actor *a, int64_t utc)
{
    const struct world *w = a->world;
    const struct world_use *u = &a->use;
    a->recalled = w->plan.recall_ms > 0 && w->now_ms >= w->plan.recall_ms && u->since_s * 1000 < w->plan.recall_ms;
    a->start = a->recalled ? utc - 3600 : world_rule(u->from, u->to) - (u->to - u->from) / 100;
    a->end = a->recalled ? utc - 1800 : world_rule(u->from, u->to) + (u->to - u->from) / 100;
}

static int look(struct actor *a)
{
    char asked[128], from[24], to[24], body[300];
    const char *end = strchr(a->d.request + 4, ' ');
    const char *id = (const char *)memrchr(a->d.request, '/', (size_t)(end - a->d.request)) + 1;
    snprintf(asked, sizeof asked, "%.*s", (int)(end - id), id);
    a->world->sum.looks++;
    const struct ca *ca = &a->d.ca;
    if (a->certid[0] == '\0' && ca->order_count > 0 && ca->order[ca->order_count - 1].chain != NULL) {
        ca_certid(&ca->order[ca->order_count - 1], a->certid, sizeof a->certid);
    }
    assert_string_equal(asked, a->certid);
    set_window(a, a->d.utc);
    put_time(from, a->start);
    put_time(to, a->end);
    snprintf(body, sizeof body, "{\"suggestedWindow\":{\"start\":\"%s\",\"end\":\"%s\"}}", from, to);
    unsigned after = 21600 - 4320 + dice_below(8640); /* Boulder's */
    return answer(
        a, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRetry-After: %u\r\nContent-Length: %zu\r\n\r\n%s",
        after, strlen(body), body);
}

/* What the account's owner asks for, from the request's JWS. */
static bool says(const struct device *d, const char *words)
{
    char json[4096];
    const char *at = memmem(d->request, d->request_len, "\"payload\":\"", 11);
    if (at == NULL) {
        return false;
    }
    const char *end = memchr(at + 11, '"', d->request_len - (size_t)(at + 11 - d->request));
    json[from_b64url(at + 11, (size_t)(end - at - 11), json, sizeof json - 1)] = '\0';
    return strstr(json, words) != NULL;
}

static int limited(struct actor *a, unsigned s, const char *what)
{
    char body[200];
    if (s == 0) {
        return DEVICE_GO;
    }
    snprintf(body, sizeof body, "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"too many %s\"}",
             what);
    a->world->sum.limits++;
    return say(a, 429, s, body);
}

static struct bucket *orders_of(struct actor *a)
{
    return a->world->plan.accounts == WORLD_SHARED ? &a->world->orders : &a->orders_of_own;
}

/* A renewal by renewal information is exempt from all limits, one for the same names from those on orders and on the
 * registered domain (Boulder, 2026-08). */
static int limit_order(struct actor *a)
{
    struct world *w = a->world;
    a->exempt = false;
    if (says(&a->d, "\"replaces\"")) {
        set_window(a, a->d.utc);
        a->exempt = a->start <= a->d.utc && a->d.utc < a->end;
    }
    if (a->exempt) {
        return DEVICE_GO;
    }
    unsigned s = a->had_certificate ? 0 : wait_s(orders_of(a), w->now_ms);
    unsigned domain_s = a->had_certificate || !w->plan.one_domain ? 0 : wait_s(&w->domain, w->now_ms);
    unsigned same_s = wait_s(&a->same_names, w->now_ms);
    s = s > domain_s ? s : domain_s;
    s = s > same_s ? s : same_s;
    if (s == 0 && !a->had_certificate) {
        (void)take(orders_of(a), w->now_ms);
    }
    return limited(a, s, "orders or certificates");
}

/* Counted when the certificate is made. */
static void count_certificate(struct actor *a)
{
    if (!a->exempt) {
        (void)take(&a->same_names, a->world->now_ms);
        if (!a->had_certificate && a->world->plan.one_domain) {
            (void)take(&a->world->domain, a->world->now_ms);
        }
    }
}

static int limit(struct actor *a)
{
    struct world *w = a->world;
    const struct device *d = &a->d;
    struct bucket *rps = asks(d, "HEAD /nonce")         ? &w->nonce_rps
                         : asks(d, "GET /dir")          ? &w->directory_rps
                         : asks(d, "POST /new-account") ? &w->account_rps
                                                        : NULL;
    unsigned s = rps != NULL ? take(rps, w->now_ms) : 0;
    if (s > 0) {
        w->sum.balancer++;
        return say(a, 503, s, "<html>busy</html>");
    }
    if (asks(d, "POST /new-account") && d->ca.accounts == 0) {
        return limited(a, take(&w->accounts, w->now_ms), "new accounts from this address");
    }
    return asks(d, "POST /new-order") ? limit_order(a) : DEVICE_GO;
}

/* --- faults --- */

static int away(const struct world *w)
{
    for (unsigned i = 0; i < WORLD_SPANS; i++) {
        if (w->now_ms >= w->plan.span[i].from_ms && w->now_ms < w->plan.span[i].to_ms) {
            return w->plan.span[i].error;
        }
    }
    return 0;
}

bool world_was_away(const struct world *w, int64_t from_s, int64_t to_s)
{
    for (unsigned i = 0; i < WORLD_SPANS; i++) {
        if (w->plan.span[i].to_ms > from_s * 1000 && w->plan.span[i].from_ms < to_s * 1000) {
            return true;
        }
    }
    return false;
}

static bool unlucky(struct world *w)
{
    bool is = dice_below(100) < w->plan.fail_percent;
    w->sum.failed += is;
    return is;
}

/* An exchange that fails without having been carried out, or whose answer will. */
static int spoil(struct actor *a)
{
    static const int troubles[] = {500, 502, 503, 504};
    switch (dice_below(5)) {
    case 0: /* on its way there */
        ca_lost(&a->d.ca, a->d.request, a->d.request_len);
        return ACME_E_CLOSED;
    case 1: /* on its way back */
        a->after = AFTER_CUT;
        return DEVICE_GO;
    case 2:
        return say(a, troubles[dice_below(4)], 0,
                   dice_below(2) == 0 ? "oops" : "{\"type\":\"urn:ietf:params:acme:error:serverInternal\"}");
    case 3:
        return say(a, 503, 1 + dice_below(600), "<html>busy</html>");
    default:
        return dice_below(2) == 0 ? answer(a, "SSH-2.0-OpenSSH_9.2p1\r\n\r\n")
                                  : say(a, 200, 0, "<html><title>Welcome to our hotel</title></html>");
    }
}

static int flush(struct actor *a)
{
    struct world *w = a->world;
    unsigned minute = (unsigned)(w->now_ms / 60000);
    w->sum.exchanges++;
    if (minute < WORLD_MINUTES && w->minutes[minute] < UINT16_MAX) {
        w->minutes[minute]++;
    }
    a->answer_ms = a->now_ms + 30 + dice_below(150);
    a->after = AFTER_NOTHING;
    a->d.request[a->d.request_len] = '\0';
    if (away(w) != 0) {
        ca_lost(&a->d.ca, a->d.request, a->d.request_len);
        return ACME_E_CLOSED;
    }
    int answered = limit(a);
    if (answered != DEVICE_GO) {
        return answered;
    }
    answered = unlucky(w) ? spoil(a) : DEVICE_GO;
    return answered == DEVICE_GO && asks(&a->d, "GET /renewal-info/") ? look(a) : answered;
}

static void count_done(struct actor *a)
{
    bool made = a->d.answer.len > 12 && memcmp(a->d.answer.at + 9, "201", 3) == 0;
    bool good = a->d.answer.len > 12 && memcmp(a->d.answer.at + 9, "200", 3) == 0;
    if (made && asks(&a->d, "POST /new-order")) {
        a->world->sum.orders++;
        if (a->world->ordered != NULL) {
            a->world->ordered(a->world, a, a->d.utc - MAKER_NOW);
        }
    }
    a->world->sum.accounts += made && asks(&a->d, "POST /new-account");
    if (good && asks(&a->d, "POST /finalize/")) {
        count_certificate(a);
    }
}

static int connect_to(struct actor *a)
{
    struct world *w = a->world;
    unsigned minute = (unsigned)(w->now_ms / 60000);
    if (minute < WORLD_MINUTES && w->knocks[minute] < UINT16_MAX) {
        w->knocks[minute]++;
    }
    int error = away(w);
    if (error == 0 && dice_below(6) == 0 && unlucky(w)) { /* one of six ways */
        error = ACME_E_REFUSED;
    }
    w->sum.handshakes += error == 0;
    return error != 0 ? error : DEVICE_GO;
}

static int front(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    struct actor *a = d->hook_ctx;
    switch (seam) {
    case DEVICE_CONNECT:
        return connect_to(a);
    case DEVICE_FLUSH:
        return flush(a);
    case DEVICE_FLUSHED:
        count_done(a);
        return a->after == AFTER_CUT ? ACME_E_CLOSED : DEVICE_GO;
    case DEVICE_RECV:
        return a->now_ms < a->answer_ms ? 0 : DEVICE_GO;
    case DEVICE_RANDOM:
        dice_fill(d->random_to, *len);
        return 0;
    case DEVICE_PUT:
    case DEVICE_COMMIT:
        a->world->sum.writes++;
        return DEVICE_GO;
    case DEVICE_APPEND:
        a->world->sum.appends++;
        return DEVICE_GO;
    default:
        (void)record;
        return DEVICE_GO;
    }
}

/* --- devices --- */

static uint32_t sleeps(struct device *d, uint32_t idle_ms)
{
    ((struct actor *)d->hook_ctx)->idle_ms = idle_ms;
    return idle_ms;
}

static void set_time(struct actor *a)
{
    a->d.now_ms = (uint32_t)a->now_ms + a->skew_ms;
    a->d.utc = MAKER_NOW + a->now_ms / 1000;
}

static void boot(struct actor *a)
{
    set_time(a);
    a->skew_ms = dice_below(UINT32_MAX); /* a counter starts anywhere */
    set_time(a);
    assert_int_equal(device_boot(&a->d), 0);
    a->d.ca.power_cut = a->world->plan.reboot_s > 0;
    a->d.setup.spread_s = a->world->plan.spread_s;
    assert_int_equal(acme_start(&a->d.client, ACME_KEEP, a->d.now_ms), 0);
    a->world->sum.reboots++;
}

static void take_in_use(struct actor *a)
{
    const struct ca *ca = &a->d.ca;
    const struct ca_order *o = &ca->order[ca->order_count - 1];
    device_check_pair(&a->d);
    int64_t at_s = a->now_ms / 1000;
    a->use.end_s = at_s;
    if (a->use.to != 0 && a->world->used != NULL) {
        a->world->used(a->world, a, &a->use);
    }
    a->use = (struct world_use){.from = o->from, .to = o->to, .since_s = at_s};
    a->certid[0] = '\0';
    a->had_certificate = true;
    a->world->sum.certificates++;
}

/* The CA remembers the last certificate, and no nonce: nothing is under way. */
static void tidy(struct actor *a)
{
    struct ca *ca = &a->d.ca;
    if (ca->order_count < 2 || a->d.record[ACME_RECORD_ORDER].len > 0) {
        return;
    }
    struct ca_order last = ca->order[ca->order_count - 1];
    ca->order[ca->order_count - 1].chain = NULL;
    for (unsigned i = 0; i + 1 < ca->order_count; i++) {
        free(ca->order[i].chain);
    }
    memset(ca->order, 0, sizeof ca->order);
    ca->order[0] = last;
    a->orders += ca->order_count - 1;
    ca->order_count = 1;
    if (ca->nonce_count > 2000) {
        ca->nonce_count = 0;
    }
}

/* Ticks until there is nothing to do. */
static void play(struct actor *a)
{
    a->now_ms = a->wake_ms;
    if (a->world->plan.reboot_s > 0 && a->now_ms >= a->reboot_ms) {
        a->reboot_ms += a->world->plan.reboot_s * 1000;
        boot(a);
    }
    for (unsigned ticks = 0;; ticks++) {
        assert_true(ticks < 100000);
        set_time(a);
        a->idle_ms = 0;
        enum acme_progress progress = device_tick(&a->d);
        if (progress == ACME_ISSUED) {
            take_in_use(a);
            tidy(a);
        }
        a->world->sum.rounds_failed += progress == ACME_FAILED;
        if (progress == ACME_IDLE) {
            break;
        }
        a->now_ms++;
        a->world->now_ms = a->now_ms;
    }
    uint32_t sleep_s = acme_sleep_s(&a->d.client);
    a->wake_ms = a->now_ms + a->idle_ms;
    if (sleep_s > 60) {
        a->wake_ms = a->now_ms - a->now_ms % 1000 + sleep_s * 1000LL;
    }
    if (a->world->plan.reboot_s > 0 && a->wake_ms > a->reboot_ms) {
        a->wake_ms = a->reboot_ms;
    }
}

/* --- the queue --- */

static void sink(struct world *w, unsigned i)
{
    for (;;) {
        unsigned least = i;
        for (unsigned child = 2 * i + 1; child <= 2 * i + 2 && child < w->queued; child++) {
            least = w->queue[child]->wake_ms < w->queue[least]->wake_ms ? child : least;
        }
        if (least == i) {
            return;
        }
        struct actor *a = w->queue[i];
        w->queue[i] = w->queue[least];
        w->queue[least] = a;
        i = least;
    }
}

void world_run(struct world *w, int64_t until_ms)
{
    while (w->queue[0]->wake_ms < until_ms) {
        w->now_ms = w->queue[0]->wake_ms;
        play(w->queue[0]);
        sink(w, 0);
    }
    w->now_ms = until_ms;
}

/* A fleet's account, or one made in a factory: its key is there, and the CA knows it. */
static void give_account(struct actor *a, struct acme_key_p256 *key)
{
    struct device *d = &a->d;
    char record[200];
    int len = fastkey_ops.save(key, record, sizeof record);
    assert_true(len > 0);
    memcpy(d->record[ACME_RECORD_ACCOUNT_KEY].data, record, (size_t)len);
    d->record[ACME_RECORD_ACCOUNT_KEY].len = (size_t)len;
    memcpy(d->ca.point, key->point, sizeof d->ca.point);
    d->ca.accounts = 1;
}

void world_begin(struct world *w, const struct world_plan *plan)
{
    struct acme_key_p256 key;
    memset(w, 0, sizeof *w);
    w->plan = *plan;
    w->actors = calloc(plan->devices, sizeof *w->actors);
    w->queue = calloc(plan->devices, sizeof(struct actor *));
    w->minutes = calloc(WORLD_MINUTES, sizeof *w->minutes);
    w->knocks = calloc(WORLD_MINUTES, sizeof *w->knocks);
    assert_true(w->actors != NULL && w->queue != NULL && w->minutes != NULL && w->knocks != NULL);
    w->accounts = bucket(10, 18 * 60000);
    w->orders = bucket(300, 36000);
    w->domain = bucket(50, 202 * 60000);
    w->nonce_rps = bucket(20, 50);
    w->directory_rps = bucket(40, 25);
    w->account_rps = bucket(5, 200);
    assert_int_equal(fastkey_by_dice(&key, NULL), 0);
    for (unsigned i = 0; i < plan->devices; i++) {
        struct actor *a = &w->actors[i];
        a->world = w;
        snprintf(a->name, sizeof a->name, "d%04u.fleet.test", i);
        a->plan = (struct ca_plan){
            .names = {a->name}, .name_count = 1, .life_s = plan->life_s, .ari = plan->ari, .shared = true};
        device_new(&a->d, &a->plan);
        a->d.keys = &fastkey_ops;
        a->d.hook = front;
        a->d.hook_ctx = a;
        a->d.sleeps = sleeps;
        a->orders_of_own = bucket(300, 36000);
        a->same_names = bucket(5, 34 * 3600000.0);
        if (plan->accounts != WORLD_OWN) {
            if (plan->accounts == WORLD_PREMADE) {
                assert_int_equal(fastkey_by_dice(&key, NULL), 0);
            }
            give_account(a, &key);
        }
        a->wake_ms = plan->power_up_s > 0 ? dice_below((uint32_t)plan->power_up_s) * 1000LL : 0;
        a->now_ms = a->wake_ms;
        a->reboot_ms = a->wake_ms + plan->reboot_s * 1000;
        boot(a);
        w->queue[w->queued++] = a;
    }
    w->sum.reboots = 0;
    for (unsigned i = w->queued; i-- > 0;) {
        sink(w, i);
    }
}

void world_end(struct world *w)
{
    for (unsigned i = 0; i < w->plan.devices; i++) {
        ca_free(&w->actors[i].d.ca);
    }
    free(w->actors);
    free(w->queue);
    free(w->minutes);
    free(w->knocks);
}
