/* The product of statuses: 7 of an order x 8 of an authorization x 13 HTTP codes x 9 forms of Retry-After, 6,552 cells.
 *
 * A cell is played as two issuances, and in each an answer about the order and one about the authorization come with
 * the code and the Retry-After of the cell. All other answers are the scripted CA's own:
 *
 *   fresh    ... challenge, AUTHZ_POLL, finalize (too early, or accepted and processing), ORDER_POLL, ...
 *   taken up an order of an earlier run: ORDER_LOOK, then AUTHZ_LOOK, or AUTHZ_NEW when that order was of no use and
 *            a new one was asked for
 *
 * Behind an answer that ends nothing the CA tells the truth: an order or authorization that was not decided is
 * by then valid, one that had failed has failed.
 *
 * What the client should do is in the table of rules, the first that matches; which cell reaches which place follows
 * from the rules themselves. One cell with its exchange: CELL="order=ready authz=valid code=202 ra=3". */
#include "codes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct engine e;

/* --- the four sides of the product */

enum { O_PENDING, O_READY, O_PROCESSING, O_VALID, O_INVALID, O_UNKNOWN, O_ABSENT, ORDERS };

static const char *const orders[ORDERS] = {"pending", "ready", "processing", "valid", "invalid", "unknown", "absent"};

struct cell {
    unsigned order, authz, code, retry;
};

/* --- the rules */

enum place {
    AUTHZ_POLL, /* the authorization, after its challenge was answered    */
    ORDER_POLL, /* the order, after finalize                              */
    ORDER_LOOK, /* a stored order, first request of the run               */
    AUTHZ_LOOK, /* its authorization, first look                          */
    AUTHZ_NEW,  /* the same of the order that replaced it                 */
    PLACES
};

enum { AGAIN = CA_KINDS + 1, END };

#define AUTHZ_P (BIT(AUTHZ_POLL) | BIT(AUTHZ_LOOK) | BIT(AUTHZ_NEW))
#define O_OPEN  (BIT(O_PROCESSING) | BIT(O_UNKNOWN))

/* `then`: what is asked next, AGAIN: the same once more. `tick_ms`: the wait before it, our own; with `heeds` the CA's
 * Retry-After makes it longer, up to the limit of one wait (ACME_RETRY_AFTER_MAX_S). Without it the wait is that, to
 * the millisecond: Retry-After is about asking again for what was answered. `error`: what ends the run, or is told as
 * the reason of the wait. */
static const struct rule {
    unsigned places, states, codes, retries;
    int then;
    uint32_t tick_ms;
    bool heeds;
    int error;
    const char *why;
} rules[] = {
    /* clang-format off */
    /* The code says that this is no answer: whatever the body claims, it is not believed. */
    {ANY, ANY, BIT(C_429), SHORT,  AGAIN, 1000, true, ACME_E_RATE_LIMITED, "8555 6.6: wait as told; 0 and the past mean soon, not at once"},
    {BIT(AUTHZ_POLL), ANY, BIT(C_429) | BIT(C_503), LONG, AGAIN, 1000, true, ACME_E_RATE_LIMITED, "the answer is on show, and the CA may be looking at it"},
    {ANY, ANY, BIT(C_429), LONG,   END, 0, false, ACME_E_RATE_LIMITED, "too long for one run: the next one waits as told, a day at most"},
    {ANY, ANY, BIT(C_429), SILENT, AGAIN, 1000, false, ACME_E_RATE_LIMITED, "a box on the way, without the CA's word: as good as a 503"},
    {ANY, ANY, BIT(C_503), SHORT,  AGAIN, 1000, true, ACME_E_RATE_LIMITED, "9110 15.6.4: too busy, wait as told"},
    {ANY, ANY, BIT(C_503), LONG,   END, 0, false, ACME_E_RATE_LIMITED, "maintenance for longer than a run: the next one waits as told"},
    {ANY, ANY, BIT(C_503), SILENT, AGAIN, 1000, false, ACME_E_HTTP_STATUS, "a failing server: a moment's patience, growing"},
    {ANY, ANY, BIT(C_500), ANY,    AGAIN, 1000, true, ACME_E_HTTP_STATUS, "a failing server; Boulder adds Retry-After to 500 as well"},
    {BIT(ORDER_LOOK), ANY, BIT(C_30X), ANY, CA_DIRECTORY, 0, false, 0, "the stored URLs may be old: the directory tells"},
    {ANY, ANY, BIT(C_30X), ANY,    AGAIN, 1000, true, ACME_E_REDIRECT, "8555 6.4: a signed request names its URL; the directory is fresh, so a captive portal: a moment's patience"},
    {ANY, ANY, REFUSED, ANY,       AGAIN, 1000, true, 0, "it was there a moment ago: replicas lag; three times more, then it is believed"},
    {BIT(ORDER_LOOK), ANY, BIT(C_204), ANY, AGAIN, 1000, true, ACME_E_MEMBER, "a stored order without a status: one odd answer proves nothing"},
    {ANY, ANY, BIT(C_204), ANY,    AGAIN, 1000, true, ACME_E_MEMBER, "8555 7.1: an object has a body; not an ACME server just now, and that proves nothing"},

    /* 200, 201, 202 are all the same: only the body's status counts. */
    {AUTHZ_P, BIT(A_VALID), GOOD, ANY, CA_FINALIZE, 0, false, 0, "8555 7.1.6: all is valid, on to the certificate request"},
    {BIT(AUTHZ_POLL), A_OPEN, GOOD, ANY, AGAIN, 1000, true, 0, "8555 7.5.1: not decided; an unknown word is not a decision either"},
    {BIT(AUTHZ_POLL) | BIT(AUTHZ_NEW), A_BAD, GOOD, ANY, END, 0, false, ACME_E_AUTHZ, "8555 7.1.6: final, and so is the order"},
    {BIT(AUTHZ_LOOK), A_OPEN, GOOD, ANY, AGAIN, 500, true, 0, "the earlier run may have answered the challenge: look before doing it again"},
    {BIT(AUTHZ_LOOK), A_BAD, GOOD, ANY, CA_NEW_ORDER, 0, false, 0, "what an earlier run left behind failed since; a new order may not"},
    {BIT(AUTHZ_NEW), BIT(A_PROCESSING), GOOD, ANY, AGAIN, 500, true, 0, "8555 8.2: a reused authorization the CA is at already: a second response starts a second validation"},
    {BIT(AUTHZ_NEW), A_OPEN, GOOD, ANY, CA_CHALLENGE, 0, false, 0, "8555 7.5: the challenge is answered at once"},

    {BIT(ORDER_POLL), BIT(O_PENDING) | O_OPEN, GOOD, LONG, END, 0, false, ACME_E_RATE_LIMITED, "8555 7.4: longer than a run waits: the next one comes then"},
    {BIT(ORDER_LOOK), O_OPEN, GOOD, LONG, END, 0, false, ACME_E_RATE_LIMITED, "the same"},
    {BIT(ORDER_POLL), BIT(O_PENDING) | O_OPEN, GOOD, ANY, AGAIN, 1000, true, 0, "8555 7.4: the CA is not ready, all valid or not"},
    {BIT(ORDER_LOOK), BIT(O_PENDING), GOOD, ANY, CA_AUTHZ, 0, false, 0, "8555 7.1.6: the authorizations decide"},
    {BIT(ORDER_LOOK), O_OPEN, GOOD, ANY, AGAIN, 500, true, 0, "8555 7.4: being issued, or a word for something we do not know"},
    {BIT(ORDER_POLL) | BIT(ORDER_LOOK), BIT(O_READY), GOOD, ANY, CA_FINALIZE, 0, false, 0, "8555 7.1.6"},
    {BIT(ORDER_POLL) | BIT(ORDER_LOOK), BIT(O_VALID), GOOD, ANY, CA_CERTIFICATE, 0, false, 0, "8555 7.4.2: only now is there one"},
    {BIT(ORDER_POLL), BIT(O_INVALID), GOOD, ANY, END, 0, false, ACME_E_ORDER, "8555 7.1.6: final"},
    {BIT(ORDER_POLL), BIT(O_ABSENT), GOOD, ANY, AGAIN, 1000, true, ACME_E_MEMBER, "8555 7.1.3: status is required and a string; four times more"},
    {BIT(ORDER_LOOK), BIT(O_INVALID), GOOD, ANY, CA_NEW_ORDER, 0, false, 0, "a stored order of no use is replaced once"},
    {BIT(ORDER_LOOK), BIT(O_ABSENT), GOOD, ANY, AGAIN, 1000, true, ACME_E_MEMBER, "one odd answer proves nothing: a stored order is looked at again"},
    /* clang-format on */
};

static unsigned used[LEN(rules)], places_checked[PLACES];

static const struct rule *rule_for(const struct cell *c, enum place place)
{
    unsigned status = place == ORDER_POLL || place == ORDER_LOOK ? c->order : c->authz;
    for (unsigned i = 0; i < LEN(rules); i++) {
        const struct rule *r = &rules[i];
        if (r->places & BIT(place) && r->states & BIT(status) && r->codes & BIT(c->code) &&
            r->retries & BIT(c->retry)) {
            return r;
        }
    }
    fail_msg("no rule for place %u", place);
    return NULL;
}

/* --- answers */

static void put_order(char *text, size_t cap, unsigned order, unsigned number, bool bare)
{
    const char *word = order == O_UNKNOWN ? "\"quantum\"" : order == O_ABSENT ? "7" : orders[order];
    const char *quote = order == O_UNKNOWN || order == O_ABSENT ? "" : "\"";
    int at = snprintf(text, cap, "{\"%s\":%s%s%s,\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}],",
                      bare ? "no status" : "status", quote, word, quote);
    at += snprintf(text + at, cap - (size_t)at,
                   "\"authorizations\":[\"" CA_URL "/authz/%u/0\"],\"finalize\":\"" CA_URL "/finalize/%u\"", number,
                   number);
    char url[64] = "";
    if (order == O_VALID) {
        snprintf(url, sizeof url, ",\"certificate\":\"" CA_URL "/cert/%u\"", number);
    }
    snprintf(text + at, cap - (size_t)at, "%s}", url);
}

static void put_authz(char *text, size_t cap, unsigned authz, unsigned number)
{
    const char *challenge = BIT(authz) & A_BAD ? "invalid" : authz == A_UNKNOWN ? "pending" : authzs[authz];
    snprintf(text, cap,
             "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},\"status\":\"%s\",\"challenges\":[{"
             "\"type\":\"http-01\",\"url\":\"" CA_URL "/chall/%u/0\",\"status\":\"%s\","
             "\"token\":\"tok-%uaABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk\"}]}",
             authz == A_UNKNOWN ? "quantum" : authzs[authz], number, challenge, number);
}

#define OK_HEAD        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define NOT_READY_HEAD "HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json\r\nRetry-After: 0\r\n"
#define NOT_READY_BODY "{\"type\":\"urn:ietf:params:acme:error:orderNotReady\",\"detail\":\"pending\"}"

/* --- one cell */

static void check_place(const struct cell *c, enum place place, enum ca_kind kind, unsigned nth)
{
    static const char *const words[PLACES] = {"authz poll", "order poll", "order look", "authz look", "authz new"};
    const struct rule *r = rule_for(c, place);
    struct cell_next next = cell_next(kind, nth);
    int64_t asked_s = retries[c->retry].seconds;
    int64_t floor_ms = (asked_s < ACME_RETRY_AFTER_MAX_S ? asked_s : ACME_RETRY_AFTER_MAX_S) * 1000;
    uint32_t wait_ms = r->heeds && floor_ms > r->tick_ms ? (uint32_t)floor_ms : r->tick_ms;
    enum ca_kind then = r->then == AGAIN ? kind : r->then == END ? CA_KINDS : (enum ca_kind)r->then;

    used[r - rules]++;
    places_checked[place]++;
    if (!next.asked) {
        cell_wrong("%s: never asked for", words[place]);
    } else if (next.kind != then || next.waited_ms != wait_ms) {
        cell_wrong("%s: %s after %u ms, not %s after %u ms: %s", words[place], cell_kind(next.kind), next.waited_ms,
                   cell_kind(then), wait_ms, r->why);
    } else if (r->then == AGAIN && next.reason != r->error) {
        cell_wrong("%s: the wait is told to be for %d, not %d", words[place], next.reason, r->error);
    }
    if (r->then == END && r->error == ACME_E_RATE_LIMITED) {
        uint32_t told_s = asked_s < 0 || asked_s > A_DAY_S ? A_DAY_S : (uint32_t)asked_s;
        if (e.x.retry_s != told_s) {
            cell_wrong("%s: to come back after %u s, not %u s", words[place], e.x.retry_s, told_s);
        }
    }
}

static void check_end(int error, unsigned orders_made)
{
    if (e.error != error) {
        cell_wrong("ended with %d, not %d", e.error, error);
    }
    if ((error == 0) != (e.chain_len > 0) || e.ca.count[CA_CERTIFICATE] != (error == 0 ? 1 : 0)) {
        cell_wrong("a certificate of %zu bytes, asked for %u times", e.chain_len, e.ca.count[CA_CERTIFICATE]);
    }
    if (e.ca.requests > CELL_REQUESTS || e.ca.count[CA_NEW_ORDER] != orders_made) {
        cell_wrong("%u requests, %u orders", e.ca.requests, e.ca.count[CA_NEW_ORDER]);
    }
}

static void fresh(const struct cell *c)
{
    char head[400], authz[500], order[500];
    bool accepted = c->order == O_PROCESSING || c->order == O_VALID, bad = BIT(c->authz) & A_BAD;
    bool dead = c->order == O_INVALID || c->order == O_ABSENT;
    put_head(head, sizeof head, c->code, c->retry);
    put_authz(authz, sizeof authz, c->authz, 1);
    put_order(order, sizeof order, c->order, 1, false);
    const struct ca_twist t[] = {
        {CA_AUTHZ, 2, 0, CA_DO_AND_SAY, head, c->code == C_204 ? NULL : authz},
        {CA_ORDER, 1, 0, CA_DO_AND_SAY, head, c->code == C_204 ? NULL : order},
        {CA_FINALIZE, accepted ? 0 : 1, 0, CA_SAY, NOT_READY_HEAD, NOT_READY_BODY},
        {CA_ORDER, dead ? 2 : 0, CA_FOREVER, CA_SAY, OK_HEAD, order},
    };
    const struct ca_plan plan = {.names = {"a.example"},
                                 .name_count = 1,
                                 .shared = true,
                                 .authz_end = bad ? authzs[c->authz] : NULL,
                                 .processing = accepted ? 1 : 0,
                                 .twists = t,
                                 .twist_count = dead ? 4 : 3};
    cell_play(&e, &plan, NULL, NULL);
    const struct rule *r = rule_for(c, AUTHZ_POLL);
    check_place(c, AUTHZ_POLL, CA_AUTHZ, 2);
    int error = r->then == END ? r->error : bad ? ACME_E_AUTHZ : 0;
    if (error == 0) {
        check_place(c, ORDER_POLL, CA_ORDER, 1);
        r = rule_for(c, ORDER_POLL);
        error = r->then == END ? r->error : c->order == O_INVALID ? ACME_E_ORDER : dead ? ACME_E_MEMBER : 0;
    } else if (e.ca.count[CA_FINALIZE] + e.ca.count[CA_ORDER] > 0) {
        cell_wrong("went on without a valid authorization");
    }
    check_end(error, 1);
    engine_free(&e);
}

/* What an earlier run has left at the CA. */
static const struct cell *left_behind;

static void leave(struct engine *engine)
{
    static const char *const truth[ORDERS] = {"pending", "ready", "processing", "valid",
                                              "invalid", "ready", "invalid"};
    const struct cell *c = left_behind;
    struct ca_order *o = &engine->ca.order[0];
    engine->ca.order_count = 1;
    o->status = truth[c->order];
    o->authz[0].status = c->order != O_PENDING ? "valid" : BIT(c->authz) & A_OPEN ? "pending" : authzs[c->authz];
    o->lag = 2; /* a pending order stays so until finalize */
    if (c->order == O_PROCESSING || c->order == O_VALID) {
        o->chain = strdup("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    }
}

static void taken_up(const struct cell *c)
{
    char head[400], authz[500], order[500];
    const struct rule *look = rule_for(c, ORDER_LOOK);
    bool dead = c->order == O_INVALID || c->order == O_ABSENT, bad = BIT(c->authz) & A_BAD;
    bool ended = look->then == END;
    bool anew = !ended && (look->then == CA_NEW_ORDER || dead), old = !ended && !anew && c->order == O_PENDING;
    put_head(head, sizeof head, c->code, c->retry);
    put_authz(authz, sizeof authz, c->authz, anew ? 2 : 1);
    put_order(order, sizeof order, c->order, 1, true);
    if (c->order != O_ABSENT) {
        put_order(order, sizeof order, c->order, 1, false);
    }
    const struct ca_twist t[] = {
        {CA_ORDER, 1, 0, CA_DO_AND_SAY, head, c->code == C_204 ? NULL : order},
        {CA_AUTHZ, anew || old ? 1 : 0, 0, CA_DO_AND_SAY, head, c->code == C_204 ? NULL : authz},
        {CA_ORDER, dead ? 2 : 0, dead ? CA_FOREVER : 0, CA_SAY, OK_HEAD, order},
        {CA_AUTHZ, anew && bad ? 2 : 0, anew && bad ? CA_FOREVER : 0, CA_SAY, OK_HEAD, authz},
    };
    const struct ca_plan plan = {.names = {"a.example"},
                                 .name_count = 1,
                                 .shared = true,
                                 .born_valid = anew && c->authz == A_VALID ? 1 : 0,
                                 .twists = t,
                                 .twist_count = LEN(t)};
    left_behind = c;
    cell_play(&e, &plan, CA_URL "/order/1", leave);
    check_place(c, ORDER_LOOK, CA_ORDER, 1);
    int error = ended ? look->error : 0;
    if (old || anew) {
        const struct rule *r = rule_for(c, old ? AUTHZ_LOOK : AUTHZ_NEW);
        check_place(c, old ? AUTHZ_LOOK : AUTHZ_NEW, CA_AUTHZ, 1);
        error = r->then == END ? r->error : anew && bad ? ACME_E_AUTHZ : 0;
        anew = anew || (error == 0 && bad);
    }
    check_end(error, anew ? 1 : 0);
    engine_free(&e);
}

/* --- all cells */

static unsigned played;

static void authorization_is(void **state)
{
    struct cell c = {.authz = (unsigned)(size_t)*state};
    for (c.order = 0; c.order < ORDERS; c.order++) {
        for (c.code = 0; c.code < CODES; c.code++) {
            for (c.retry = 0; c.retry < RETRIES; c.retry++) {
                char token[CELL_TOKEN];
                snprintf(token, sizeof token, "order=%s authz=%s code=%s ra=%s", orders[c.order], authzs[c.authz],
                         codes[c.code], retries[c.retry].name);
                if (cell_chosen(token)) {
                    fresh(&c);
                    taken_up(&c);
                    played++;
                }
            }
        }
    }
    assert_int_equal(cell_wrongs(), 0);
}

static void every_rule_is_of_use(void **state)
{
    if (CELL_ALL_USED(rules, used, played, 6552)) {
        return;
    }
    for (unsigned i = 0; i < PLACES; i++) {
        assert_true(places_checked[i] > 300);
    }
}

/* --- named cells */

static void of_2016_202_with_pending_then_202_with_valid(void **state)
{
    char pending[500], valid[500];
    put_authz(pending, sizeof pending, A_PENDING, 1);
    put_authz(valid, sizeof valid, A_VALID, 1);
    for (unsigned times = 0; times <= 8; times++) {
        const char *head = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n";
        const struct ca_twist t[] = {{CA_AUTHZ, times == 0 ? 0 : 2, times + 1, CA_SAY, head, pending},
                                     {CA_AUTHZ, times + 2, 0, CA_DO_AND_SAY, head, valid}};
        const struct ca_plan plan = {.names = {"a.example"},
                                     .name_count = 1,
                                     .shared = true,
                                     .code202 = true,
                                     .twists = t,
                                     .twist_count = LEN(t)};
        char token[CELL_TOKEN];
        snprintf(token, sizeof token, "2016 pending=%u", times);
        if (!cell_chosen(token)) {
            continue;
        }
        cell_play(&e, &plan, NULL, NULL);
        assert_int_equal(e.error, 0);
        assert_int_equal(e.ca.count[CA_NEW_ORDER], 1);
        assert_int_equal(e.ca.count[CA_FINALIZE], 1);
        assert_int_equal(e.ca.count[CA_CHALLENGE], times < 8 ? 1 : 2); /* 45 s of silence */
        assert_int_equal(e.ca.count[CA_AUTHZ], times + 2);
        /* the certificate is asked for straight after the answer that said valid, and not before */
        assert_true(cell_place(CA_FINALIZE, 1) > cell_place(CA_AUTHZ, times + 2));
        assert_int_equal(cell_next(CA_AUTHZ, times + 2).kind, CA_FINALIZE);
        assert_int_equal(cell_next(CA_AUTHZ, times + 2).waited_ms, 0);
        engine_free(&e);
    }
    assert_int_equal(cell_wrongs(), 0);
}

/* Let's Encrypt's staging, June 2026: finalize is refused although all authorizations are valid. */
static void of_2026_order_not_ready_though_all_is_valid(void **state)
{
    for (unsigned refused = 1; refused <= 5; refused++) {
        for (unsigned lag = 0; lag <= 5; lag++) {
            const struct ca_twist t[] = {{CA_FINALIZE, 1, refused, CA_SAY, NOT_READY_HEAD, NOT_READY_BODY}};
            const struct ca_plan plan = {.names = {"a.example"},
                                         .name_count = 1,
                                         .shared = true,
                                         .lag = lag,
                                         .twists = t,
                                         .twist_count = LEN(t)};
            char token[CELL_TOKEN];
            snprintf(token, sizeof token, "2026 refused=%u lag=%u", refused, lag);
            if (!cell_chosen(token)) {
                continue;
            }
            cell_play(&e, &plan, NULL, NULL);
            assert_int_equal(e.error, 0);
            assert_int_equal(e.ca.count[CA_NEW_ORDER], 1);
            assert_int_equal(e.ca.count[CA_FINALIZE], refused + 1);
            assert_int_equal(e.ca.count[CA_ORDER], refused + lag);
            uint32_t before_ms = 0;
            for (unsigned i = 1; i <= refused; i++) { /* the order is looked at each time, later and later */
                struct cell_next next = cell_next(CA_FINALIZE, i);
                assert_int_equal(next.kind, CA_ORDER);
                assert_true(next.waited_ms >= ACME_POLL_FIRST_MS && next.waited_ms > before_ms);
                before_ms = next.waited_ms < ACME_POLL_MAX_MS ? next.waited_ms : ACME_POLL_MAX_MS - 1;
            }
            engine_free(&e);
        }
    }
    assert_int_equal(cell_wrongs(), 0);
}

#define GROUP(word, authz)                                                                                           \
    {                                                                                                                \
        "819 cells: the authorization is " word, authorization_is, NULL, cell_teardown, (void *)(size_t)(authz)      \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        GROUP("pending", A_PENDING),
        GROUP("processing", A_PROCESSING),
        GROUP("valid", A_VALID),
        GROUP("invalid", A_INVALID),
        GROUP("deactivated", A_DEACTIVATED),
        GROUP("expired", A_EXPIRED),
        GROUP("revoked", A_REVOKED),
        GROUP("unknown", A_UNKNOWN),
        cmocka_unit_test(every_rule_is_of_use),
        cmocka_unit_test_teardown(of_2016_202_with_pending_then_202_with_valid, cell_teardown),
        cmocka_unit_test_teardown(of_2026_order_not_ready_though_all_is_valid, cell_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
