/* visitors.c - see visitors.h. */
#include "visitors.h"

#include "protocol/challenge_http01.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VISITORS    240
#define GIVES_UP_MS 10000u /* a validator; strangers never do */
#define AGAIN_MS    5000u
#define TRIES       4

struct visitor {
    enum { GONE, COMING, QUEUED, SERVED } state;
    bool validator;
    struct manner manner;
    char request[400], answer[500];
    size_t len, said, heard;
    uint32_t since_ms, next_ms; /* came; says or hears the next piece not before */
    struct sight {
        char path[100], expected[256];
        uint32_t called_ms;
    } sight; /* what he was sent for */
};

static struct {
    struct crowd crowd;
    struct device *device;
    struct acme_http01 http;
    struct acme_solver solver;
    struct acme_listener listener;
    bool listening;
    struct visitor all[VISITORS], *slot[ACME_HTTP01_SLOTS];
    struct sight sight; /* the answer that was called for last */
    unsigned order, called, unanswered, tries, places;
    bool ended;
    uint32_t first_ms; /* those who were called since count */
    uint32_t waited_ms, stayed_ms;
} v;

static uint32_t now(void)
{
    return v.device->now_ms;
}

static bool gives_up(const struct visitor *one)
{
    return one->validator && now() - one->since_ms >= GIVES_UP_MS;
}

static bool is_at(uint32_t ms)
{
    return (int32_t)(now() - ms) >= 0;
}

/* --- visits --- */

static void come(bool validator, const struct sight *sight, const char *request, const struct manner *manner,
                 uint32_t in_ms)
{
    for (unsigned i = 0; i < VISITORS; i++) {
        struct visitor *one = &v.all[i];
        if (one->state == GONE) {
            *one = (struct visitor){.state = COMING, .validator = validator, .manner = *manner, .sight = *sight};
            one->len = (size_t)snprintf(one->request, sizeof one->request, "%s", request);
            one->since_ms = one->next_ms = now() + in_ms;
            return;
        }
    }
}

static void come_validator(const struct sight *sight, const struct manner *manner, uint32_t in_ms)
{
    char request[300];
    snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: a.example\r\nUser-Agent: validator/1\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        sight->path);
    come(true, sight, request, manner, in_ms);
}

/* The whole answer, as strictly as can be. */
static bool is_exact(const struct visitor *one)
{
    char wanted[400];
    snprintf(
        wanted, sizeof wanted,
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\nContent-Length: %zu\r\n"
        "\r\n%s",
        strlen(one->sight.expected), one->sight.expected);
    return one->heard == strlen(wanted) && memcmp(one->answer, wanted, one->heard) == 0;
}

/* A validator that got no exact answer comes again; the CA gives up after some times, or at once. */
static void judge_answer(struct visitor *one)
{
    one->answer[one->heard] = '\0';
    one->state = GONE;
    if (!one->validator) {
        bool asks_for_it = strstr(one->request, one->sight.path) != NULL;
        assert_true(asks_for_it || strstr(one->answer, one->sight.expected) == NULL);
        assert_true(asks_for_it || strncmp(one->answer, "HTTP/1.1 404 ", one->heard < 13 ? one->heard : 13) == 0);
        if (v.crowd.hot && v.listening && v.unanswered > 0) {
            const struct visitor was = *one;
            come(false, &was.sight, was.request, &was.manner, 1);
        }
        return;
    }
    if ((int32_t)(one->sight.called_ms - v.first_ms) < 0) {
        return; /* what he was sent for is over */
    }
    if (is_exact(one)) {
        uint32_t took_ms = now() - one->sight.called_ms;
        v.waited_ms = took_ms > v.waited_ms ? took_ms : v.waited_ms;
        took_ms = now() - one->since_ms;
        v.stayed_ms = took_ms > v.stayed_ms ? took_ms : v.stayed_ms;
        v.unanswered--;
        v.device->ca.wire = v.unanswered == 0 && v.device->ca.wire == CA_ASKING ? CA_FETCHED : v.device->ca.wire;
    } else if (v.crowd.strict || v.tries++ == TRIES * v.called) {
        v.device->ca.wire = CA_FAILED;
    } else {
        const struct sight sight = one->sight;
        come_validator(&sight, &v.crowd.validator, AGAIN_MS);
    }
}

/* Nobody waits for ever. Called whenever time may have passed. */
static void let_time_pass(void)
{
    for (unsigned i = 0; i < VISITORS; i++) {
        struct visitor *one = &v.all[i];
        if (one->state == COMING && is_at(one->since_ms)) {
            one->state = QUEUED;
            if (!v.listening) { /* refused */
                judge_answer(one);
            }
        } else if (one->state == QUEUED && gives_up(one)) {
            judge_answer(one);
        }
    }
}

/* --- the listener --- */

static int start(void *ctx)
{
    bool was = v.listening;
    v.listening = true;
    return was; /* takes two calls */
}

static void stop(void *ctx)
{
    v.listening = false;
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        assert_null(v.slot[i]); /* acme_port.h: the core has closed every slot before */
    }
    for (unsigned i = 0; i < VISITORS; i++) {
        if (v.all[i].state == QUEUED) {
            judge_answer(&v.all[i]);
        }
    }
}

static int take(void *ctx, unsigned slot)
{
    struct visitor *first = NULL;
    assert_true(v.listening && slot < ACME_HTTP01_SLOTS && v.slot[slot] == NULL);
    let_time_pass();
    for (unsigned i = 0; i < VISITORS; i++) {
        bool sooner = first == NULL || (int32_t)(v.all[i].since_ms - first->since_ms) < 0;
        first = v.all[i].state == QUEUED && sooner ? &v.all[i] : first;
    }
    if (first != NULL) {
        first->state = SERVED;
        v.slot[slot] = first;
    }
    return first != NULL;
}

/* What becomes of the next bytes of a visit, of which there are *len. Returns 1 they move, 0 not now, or an error. */
static int move(struct visitor *one, size_t *len)
{
    const struct crowd *c = &v.crowd;
    if (gives_up(one)) {
        return ACME_E_CLOSED;
    }
    if (!is_at(one->next_ms)) {
        return 0;
    }
    if (one->validator && c->end != VISIT_GOES_ON && !v.ended && v.places <= c->end_at &&
        v.places + *len > c->end_at) {
        *len = c->end_at - v.places;
        if (*len == 0) {
            v.ended = true;
            one->next_ms = now() + (c->end == VISIT_PAUSE ? 300 : c->end == VISIT_STALL ? GIVES_UP_MS : 0);
            return c->end == VISIT_RST ? ACME_E_NET : c->end == VISIT_FIN ? ACME_E_CLOSED : 0;
        }
    }
    size_t piece = one->said == 0 && one->manner.burst > 0 ? one->manner.burst : one->manner.piece;
    *len = *len < piece ? *len : piece;
    one->next_ms = now() + one->manner.pause_ms;
    v.places += one->validator ? (unsigned)*len : 0;
    return 1;
}

static size_t said_at_last(const struct visitor *one)
{
    return one->manner.silent_at > 0 && one->manner.silent_at < one->len ? one->manner.silent_at : one->len;
}

static int hear(void *ctx, unsigned slot, void *data, size_t cap)
{
    struct visitor *one = v.slot[slot];
    assert_non_null(one);
    size_t end = said_at_last(one);
    size_t len = end - one->said < cap ? end - one->said : cap;
    if (len == 0 && one->manner.leaves) {
        return ACME_E_CLOSED;
    }
    int how = len > 0 ? move(one, &len) : gives_up(one) ? ACME_E_CLOSED : 0;
    if (how != 1) {
        return how;
    }
    memcpy(data, one->request + one->said, len);
    one->said += len;
    return (int)len;
}

static int tell(void *ctx, unsigned slot, const void *data, size_t len)
{
    struct visitor *one = v.slot[slot];
    assert_non_null(one);
    assert_true(len > 0 && one->heard + len < sizeof one->answer);
    int how = one->manner.deaf ? 0 : move(one, &len);
    if (how != 1) {
        return how;
    }
    memcpy(one->answer + one->heard, data, len);
    one->heard += len;
    return (int)len;
}

static void hang_up(void *ctx, unsigned slot)
{
    struct visitor *one = v.slot[slot];
    assert_non_null(one);
    v.slot[slot] = NULL;
    v.places += one->validator;
    judge_answer(one);
}

/* --- the solver: the responder's own, and a note of what is on show --- */

static int present(void *ctx, struct acme_challenge *challenge)
{
    int done = v.http.solver.present(v.http.solver.ctx, challenge);
    if (done == 1) {
        ca_publish(&v.device->ca, challenge);
    }
    return done;
}

static void withdraw(void *ctx, struct acme_challenge *challenge)
{
    v.http.solver.withdraw(v.http.solver.ctx, challenge);
    ca_take_back(&v.device->ca, challenge);
    assert_true(v.listening == (v.device->ca.published != NULL));
}

static bool work(void *ctx, uint32_t now_ms)
{
    let_time_pass();
    return v.http.solver.tick(v.http.solver.ctx, now_ms);
}

/* A program sleeps until bytes come, or can go, or a connection waits for a slot. */
static uint32_t sleeps(struct device *d, uint32_t idle_ms)
{
    bool room = false;
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        room = room || v.slot[i] == NULL;
    }
    for (unsigned i = 0; i < VISITORS; i++) {
        const struct visitor *one = &v.all[i];
        bool moves = one->state == COMING || (one->state == QUEUED && room && v.listening) ||
                     (one->state == SERVED && (!is_at(one->next_ms) || one->said < said_at_last(one)));
        uint32_t in_ms = (int32_t)(one->next_ms - d->now_ms) > 0 ? one->next_ms - d->now_ms : 0;
        idle_ms = moves && in_ms < idle_ms ? in_ms : idle_ms;
    }
    return idle_ms;
}

/* --- from outside --- */

void visitors_boot(struct device *d)
{
    for (unsigned i = 0; i < VISITORS; i++) {
        if (v.all[i].state > COMING) { /* the power is gone, and so are they; validators come again */
            v.all[i].heard = 0;
            judge_answer(&v.all[i]);
        }
    }
    memset(v.slot, 0, sizeof v.slot);
    v.listening = false;
    v.listener = (struct acme_listener){NULL, start, take, hear, tell, hang_up, stop};
    acme_http01_init(&v.http, &v.listener);
    v.solver = (struct acme_solver){.type = "http-01", .present = present, .withdraw = withdraw, .tick = work};
    v.device = d;
    d->solvers[0] = &v.solver;
    d->sleeps = sleeps;
}

void visitors_invite(const struct crowd *crowd)
{
    memset(v.all, 0, sizeof v.all);
    v.crowd = *crowd;
    v.places = v.unanswered = 0;
    v.ended = false;
    v.waited_ms = v.stayed_ms = 0;
}

/* %s is the live path; %t lacks its last character. */
static void come_strangers(void)
{
    for (unsigned i = 0; i < v.crowd.strangers; i++) {
        char request[400];
        const char *saying = v.crowd.sayings[(i + v.crowd.seed) % v.crowd.saying_count];
        const char *place = strchr(saying, '%');
        int len = place == NULL ? 0 : (int)strlen(v.sight.path) - (place[1] == 't');
        int before = place == NULL ? (int)strlen(saying) : (int)(place - saying);
        snprintf(request, sizeof request, "%.*s%.*s%s", before, saying, len, v.sight.path,
                 place == NULL ? "" : place + 2);
        come(false, &v.sight, request, &v.crowd.stranger, 0);
    }
}

void visitors_called(struct device *d)
{
    unsigned order = 0, authz = 0;
    if (sscanf(d->request, "POST /chall/%u/%u ", &order, &authz) != 2 ||
        !d->ca.order[order - 1].authz[authz].responded || strncmp(d->answer.at, "HTTP/1.1 20", 11) != 0) {
        return;
    }
    /* what the CA has found it to be: see take_response() there */
    snprintf(v.sight.expected, sizeof v.sight.expected, "%s", d->ca.order[order - 1].authz[authz].wanted);
    snprintf(v.sight.path, sizeof v.sight.path, "/.well-known/acme-challenge/%.*s",
             (int)strcspn(v.sight.expected, "."), v.sight.expected);
    /* several names of an order are called for at once, and it is the same crowd */
    bool more = d->ca.wire == CA_ASKING && v.order == order && v.unanswered > 0;
    v.order = order;
    v.unanswered = (more ? v.unanswered : 0) + v.crowd.validators;
    v.called = (more ? v.called : 0) + v.crowd.validators; /* each is tried so often */
    v.tries = more ? v.tries : 0;
    v.sight.called_ms = now();
    v.first_ms = more ? v.first_ms : now();
    d->ca.wire = CA_ASKING;
    if (!more) {
        come_strangers();
    }
    for (unsigned i = 0; i < v.crowd.validators; i++) {
        come_validator(&v.sight, &v.crowd.validator,
                       1 + (v.crowd.spread_ms > 0 ? i * v.crowd.spread_ms / v.crowd.validators : i % 3));
    }
}

unsigned visitors_places(void)
{
    return v.places;
}

uint32_t visitors_waited_ms(void)
{
    return v.waited_ms;
}

uint32_t visitors_stayed_ms(void)
{
    return v.stayed_ms;
}
