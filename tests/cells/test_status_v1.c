/* The product of statuses on the table of ACME v1: 8 of an authorization x 13 HTTP codes x 9 forms of Retry-After, 936 cells,
 * each at three places; and 13 codes x 9 forms, 117 cells, at three more, where no status is asked for.
 *
 *   AUTHZ_POLL    the authorization, after its challenge was answered
 *   AUTHZ_LOOK    the authorization, first look after new-authz
 *   TAKEN_UP      the authorization of an earlier run, first request of this one
 *   NEW_AUTHZ, NEW_CERT, CERTIFICATE
 *
 * One answer is the cell's, all others are the scripted CA's own, and it tells the truth: what was not decided becomes
 * valid. What the client should do is in the table of rules, the first that matches. Whatever the answer says, no certificate
 * is asked for before each authorization is valid, and not a second one unless the first may have failed.
 * One cell with its exchange: CELL="place=1 authz=valid code=202 ra=3". */
#include "codes.h"

#include "fake/ca_v1.h"

#include <stdlib.h>
#include <string.h>

static struct engine e;

struct cell {
    unsigned authz, code, retry;
};

enum place { AUTHZ_POLL, AUTHZ_LOOK, TAKEN_UP, NEW_AUTHZ, NEW_CERT, CERTIFICATE, PLACES };

enum { AGAIN = CA_KINDS + 1, END };

#define AUTHZ_P (BIT(AUTHZ_POLL) | BIT(AUTHZ_LOOK) | BIT(TAKEN_UP))
#define MADE    (GOOD | BIT(C_204))

/* As in test_status.c. */
static const struct rule {
    unsigned places, states, codes, retries;
    int then;
    uint32_t tick_ms;
    bool heeds;
    int error;
    const char *why;
} rules[] = {
    /* clang-format off */
    {ANY, ANY, BIT(C_429), SHORT,  AGAIN, 1000, true, ACME_E_RATE_LIMITED, "wait as told; 0 and the past mean soon, not at once"},
    {BIT(AUTHZ_POLL), ANY, BIT(C_429) | BIT(C_503), LONG, AGAIN, 1000, true, ACME_E_RATE_LIMITED, "the answer is on show, and the CA may be looking at it"},
    {ANY, ANY, BIT(C_429), LONG,   END, 0, false, ACME_E_RATE_LIMITED, "too long for one run: the next one waits as told, a day at most"},
    {BIT(NEW_CERT), ANY, BIT(C_429), SILENT, END, 0, false, ACME_E_RATE_LIMITED, "a box on the way, perhaps after the certificate was made: look again in an hour"},
    {ANY, ANY, BIT(C_429), SILENT, AGAIN, 1000, false, ACME_E_RATE_LIMITED, "a box on the way, without the CA's word: as good as a 503"},
    {BIT(NEW_CERT), ANY, BIT(C_503), SILENT | SHORT, AGAIN, 300000, false, ACME_E_HTTP_STATUS, "a certificate may have been made: once more, after minutes"},
    {ANY, ANY, BIT(C_503), SHORT,  AGAIN, 1000, true, ACME_E_RATE_LIMITED, "9110 15.6.4: too busy, wait as told"},
    {ANY, ANY, BIT(C_503), LONG,   END, 0, false, ACME_E_RATE_LIMITED, "maintenance for longer than a run: the next one waits as told"},
    {BIT(NEW_CERT), ANY, BIT(C_500), ANY,    AGAIN, 300000, true,  ACME_E_HTTP_STATUS, "the stalled CA: 500 after 15 s, and the certificate is made all the same"},
    {ANY, ANY, BIT(C_503), SILENT, AGAIN, 1000, false, ACME_E_HTTP_STATUS, "a failing server: a moment's patience, growing"},
    {ANY, ANY, BIT(C_500), ANY,    AGAIN, 1000, true, ACME_E_HTTP_STATUS, "a stalled component: proves nothing"},
    {BIT(TAKEN_UP), ANY, BIT(C_30X), ANY, CA_DIRECTORY, 0, false, 0, "the stored URLs may be old: the directory tells"},
    {BIT(NEW_CERT), ANY, BIT(C_30X), ANY,    END, 0, false, ACME_E_REDIRECT, "only the directory may move, and it is fresh; this one is not repeated lightly"},
    {ANY, ANY, BIT(C_30X), ANY,    AGAIN, 1000, true, ACME_E_REDIRECT, "the same of the others: a captive portal, a moment's patience"},
    {AUTHZ_P | BIT(CERTIFICATE), ANY, REFUSED, ANY, AGAIN, 1000, true, 0, "a stalled storage denies what is there: some times more, then it is believed"},
    {BIT(NEW_AUTHZ), ANY, REFUSED, ANY, AGAIN, 1000, true, ACME_E_HTTP_STATUS, "refused, and nobody says why: not the CA's word, a moment's patience"},
    {BIT(NEW_CERT), ANY, REFUSED, ANY, END, 0, false, ACME_E_HTTP_STATUS, "the same, but not repeated lightly"},
    {AUTHZ_P, ANY, BIT(C_204), ANY, AGAIN, 1000, true, ACME_E_MEMBER, "an object has a body; not an ACME server just now, and that proves nothing"},

    /* 200, 201, 202 are all the same: only the body's status counts. */
    {AUTHZ_P, BIT(A_VALID), GOOD, ANY, CA_NEW_CERT, 0, false, 0, "all is valid: on to the certificate, and at once"},
    {BIT(AUTHZ_POLL), A_OPEN, GOOD, ANY, AGAIN, 1000, true, 0, "not decided; the code does not say so, nor does an unknown word"},
    {BIT(AUTHZ_LOOK), BIT(A_PROCESSING), GOOD, ANY, AGAIN, 500, true, 0, "the CA is at it already: a second answer starts a second validation"},
    {BIT(AUTHZ_LOOK), A_OPEN, GOOD, ANY, CA_CHALLENGE, 0, false, 0, "the challenge is answered at once"},
    {BIT(TAKEN_UP), A_OPEN, GOOD, ANY, AGAIN, 500, true, 0, "the earlier run may have answered the challenge: look before doing it again"},
    {BIT(TAKEN_UP), A_BAD, GOOD, ANY, CA_NEW_AUTHZ, 0, false, 0, "an invalid authorization is dead: a new one is made"},
    {AUTHZ_P, A_BAD, GOOD, ANY, END, 0, false, ACME_E_AUTHZ, "final"},

    {BIT(NEW_AUTHZ), ANY, MADE, ANY, CA_AUTHZ, 0, false, 0, "its URL is all that counts; what it says of itself is looked at there"},
    {BIT(NEW_CERT), ANY, MADE, ANY, CA_CERTIFICATE, 0, false, 0, "its URL is all that counts"},
    {BIT(CERTIFICATE), ANY, MADE, LONG, END, 0, false, ACME_E_RATE_LIMITED, "longer than a run waits: the next one comes then"},
    {BIT(CERTIFICATE), ANY, MADE, ANY, AGAIN, 1000, true, 0, "no body: it is not made yet"},
    /* clang-format on */
};

static unsigned used[LEN(rules)], places_checked[PLACES], played;

static const struct rule *rule_for(const struct cell *c, enum place place)
{
    for (unsigned i = 0; i < LEN(rules); i++) {
        const struct rule *r = &rules[i];
        if (r->places & BIT(place) && r->states & BIT(c->authz) && r->codes & BIT(c->code) &&
            r->retries & BIT(c->retry)) {
            used[i]++;
            return r;
        }
    }
    fail_msg("no rule for place %d", (int)place);
    return NULL;
}

/* --- one cell --- */

static void put_authz(char *text, size_t cap, unsigned authz)
{
    char uri[200], token[64];
    const char *challenge = BIT(authz) & A_BAD ? "invalid" : authz == A_UNKNOWN ? "pending" : authzs[authz];
    ca_v1_http01(0, uri, sizeof uri, token);
    snprintf(text, cap,
             "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},\"status\":\"%s\",\"challenges\":[{"
             "\"type\":\"dns-01\",\"status\":\"pending\",\"uri\":\"x\",\"token\":\"y\"},{"
             "\"type\":\"http-01\",\"status\":\"%s\",\"uri\":\"%s\",\"token\":\"%s\"}],\"combinations\":[[0],[1]]}",
             authz == A_UNKNOWN ? "quantum" : authzs[authz], challenge, uri, token);
}

static void check_next(const struct cell *c, const struct rule *r, enum ca_kind kind, unsigned nth)
{
    struct cell_next next = cell_next(kind, nth);
    int64_t asked_s = retries[c->retry].seconds;
    int64_t floor_ms = (asked_s < ACME_RETRY_AFTER_MAX_S ? asked_s : ACME_RETRY_AFTER_MAX_S) * 1000;
    uint32_t wait_ms = r->heeds && floor_ms > r->tick_ms ? (uint32_t)floor_ms : r->tick_ms;
    enum ca_kind then = r->then == AGAIN ? kind : r->then == END ? CA_KINDS : (enum ca_kind)r->then;
    if (!next.asked) {
        cell_wrong("never asked for");
    } else if (next.kind != then || next.waited_ms != wait_ms) {
        cell_wrong("%s after %u ms, not %s after %u ms: %s", cell_kind(next.kind), next.waited_ms, cell_kind(then),
                   wait_ms, r->why);
    } else if (r->then == AGAIN && next.reason != r->error) {
        cell_wrong("the wait is told to be for %d, not %d", next.reason, r->error);
    }
    if (r->then == END && r->error == ACME_E_RATE_LIMITED) {
        uint32_t told_s = asked_s < 0 ? ACME_COSTLY_RETRY_S : asked_s > A_DAY_S ? A_DAY_S : (uint32_t)asked_s;
        if (e.x.retry_s != told_s) {
            cell_wrong("to come back after %u s, not %u s", e.x.retry_s, told_s);
        }
    }
}

static void check_end(int error, unsigned certificates)
{
    if (e.error != error) {
        cell_wrong("ended with %d, not %d", e.error, error);
    }
    if ((error == 0) != (e.chain_len > 0)) {
        cell_wrong("a certificate of %zu bytes", e.chain_len);
    }
    if (e.ca.early > 0) {
        cell_wrong("the certificate was asked for before all was valid");
    }
    if (e.ca.requests > CELL_REQUESTS || e.ca.order_count > certificates) {
        cell_wrong("%u requests, %u certificates", e.ca.requests, e.ca.order_count);
    }
}

static void play(const struct cell *c, enum place place)
{
    static const struct {
        enum ca_kind kind;
        unsigned nth;
    } where[PLACES] = {{CA_AUTHZ, 2},     {CA_AUTHZ, 1},    {CA_AUTHZ, 1},
                       {CA_NEW_AUTHZ, 1}, {CA_NEW_CERT, 1}, {CA_CERTIFICATE, 1}};
    char head[500], authz[700], url[200], location[300] = "";
    bool of_authz = place <= TAKEN_UP, bad = BIT(c->authz) & A_BAD;
    const struct rule *r = rule_for(c, place);
    put_head(head, sizeof head, c->code, c->retry);
    put_authz(authz, sizeof authz, c->authz);
    ca_v1_authz_url(0, url, sizeof url);
    if (place == NEW_AUTHZ && c->code != C_30X) {
        snprintf(location, sizeof location, "Location: %s\r\n", url);
    } else if (place == NEW_CERT && c->code != C_30X) {
        snprintf(location, sizeof location, "Location: " CA_URL "/acme/cert/ff%034x\r\n", 1);
    }
    strcat(head, location);
    const struct ca_twist t = {where[place].kind,
                               where[place].nth,
                               0,
                               place == CERTIFICATE ? CA_SAY : CA_DO_AND_SAY,
                               head,
                               of_authz && c->code != C_204 ? authz : NULL};
    const struct ca_plan plan = {.names = {"a.example"},
                                 .name_count = 1,
                                 .shared = true,
                                 .v1 = true,
                                 .account = place == TAKEN_UP ? NULL : "agreed",
                                 .begun = place == TAKEN_UP,
                                 .born_valid = of_authz && place != AUTHZ_POLL && c->authz == A_VALID,
                                 .authz_end = place == AUTHZ_POLL && bad ? authzs[c->authz] : NULL,
                                 .twists = &t,
                                 .twist_count = 1};
    cell_play(&e, &plan, place == TAKEN_UP ? CA_URL "/acme/new-cert" : NULL, NULL);
    check_next(c, r, where[place].kind, where[place].nth);
    bool again = place == NEW_CERT && r->then == AGAIN; /* and the first one was made */
    check_end(r->then == END ? r->error : plan.authz_end != NULL ? ACME_E_AUTHZ : 0, again ? 2 : 1);
    engine_free(&e);
    places_checked[place]++;
    played++;
}

static void product(enum place place, unsigned authz)
{
    struct cell c = {.authz = authz};
    for (c.code = 0; c.code < CODES; c.code++) {
        for (c.retry = 0; c.retry < RETRIES; c.retry++) {
            char token[CELL_TOKEN];
            snprintf(token, sizeof token, "place=%d authz=%s code=%s ra=%s", (int)place, authzs[authz], codes[c.code],
                     retries[c.retry].name);
            if (cell_chosen(token)) {
                play(&c, place);
            }
        }
    }
}

static void of_an_authorization(void **state)
{
    for (unsigned authz = 0; authz < AUTHZS; authz++) {
        product((enum place)(size_t)*state, authz);
    }
    assert_int_equal(cell_wrongs(), 0);
}

static void of_another_object(void **state)
{
    product((enum place)(size_t)*state, A_PENDING);
    assert_int_equal(cell_wrongs(), 0);
}

static void every_rule_is_of_use(void **state)
{
    if (CELL_ALL_USED(rules, used, played, 3 * 936 + 3 * 117)) {
        return;
    }
    for (unsigned i = 0; i < PLACES; i++) {
        assert_int_equal(places_checked[i], i <= TAKEN_UP ? 936 : 117);
    }
}

/* --- named cells --- */

/* The thread: its challenge was 202 with pending, then 202 with valid, and its authorization 200 all along. The drafts
 * wanted 202, then 200. In all three worlds new-cert follows the body that says valid, at once, and not before. */
static void of_2016_three_worlds(void **state)
{
    for (unsigned world = 0; world < 3; world++) {
        for (unsigned looks = 0; looks <= 8; looks++) {
            const struct ca_plan plan = {.names = {"a.example"},
                                         .name_count = 1,
                                         .shared = true,
                                         .v1 = true,
                                         .code202 = world == 1,
                                         .draft = world == 2,
                                         .authz_looks = looks};
            char token[CELL_TOKEN];
            snprintf(token, sizeof token, "2016 world=%u looks=%u", world, looks);
            if (!cell_chosen(token)) {
                continue;
            }
            cell_play(&e, &plan, NULL, NULL);
            assert_int_equal(e.error, 0);
            assert_int_equal(e.ca.early, 0);
            assert_int_equal(e.ca.count[CA_CHALLENGE], looks < 8 ? 1 : 2); /* 45 s of silence */
            assert_int_equal(e.ca.count[CA_NEW_CERT], 1);
            assert_int_equal(e.ca.count[CA_AUTHZ], looks + 2);
            assert_int_equal(cell_next(CA_AUTHZ, looks + 2).kind, CA_NEW_CERT);
            assert_int_equal(cell_next(CA_AUTHZ, looks + 2).waited_ms, 0);
            engine_free(&e);
        }
    }
    assert_int_equal(cell_wrongs(), 0);
}

#define PLACE(word, test, place)                                                                                     \
    {                                                                                                                \
        word, test, NULL, cell_teardown, (void *)(size_t)(place)                                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLACE("936 cells: the authorization, polled", of_an_authorization, AUTHZ_POLL),
        PLACE("936 cells: the authorization, looked at", of_an_authorization, AUTHZ_LOOK),
        PLACE("936 cells: the authorization of an earlier run", of_an_authorization, TAKEN_UP),
        PLACE("117 cells: new-authz", of_another_object, NEW_AUTHZ),
        PLACE("117 cells: new-cert", of_another_object, NEW_CERT),
        PLACE("117 cells: the certificate", of_another_object, CERTIFICATE),
        cmocka_unit_test(every_rule_is_of_use),
        cmocka_unit_test_teardown(of_2016_three_worlds, cell_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
