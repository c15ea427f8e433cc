/* The thread of 2016 as a race: the client answers a challenge, the CA looks at the device's web server, which takes its
 * time, then takes its own time to decide, and meanwhile the client's loop goes on at a speed of its own. How often is the
 * certificate asked for before the CA has decided?
 *
 * A whole device runs in virtual time, against the scripted CA, with both protocols: RFC 8555 (finalize) and ACME v1
 * (new-cert). An authorization becomes valid by the clock, not by being looked at. The web server answers after 0, 20, 50
 * or 200 ms; what the CA needs on top is what a Boulder of that month was measured to need. The loop ticks each 1 ms to
 * 5 s, with a jitter. A run is its number: RACE=1234 plays one, and tells. With NO_SWEEPS=1 a twentieth is
 * played, and not the client of the thread.
 *
 * That the race is one is shown by the client of the thread, which waits a while instead of polling: it is refused now
 * and then, as it was. */
#include "fake/ca_more.h"
#include "fake/device.h"
#include "fault/fastkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICKS_MAX 100000

static const unsigned answers_ms[] = {0, 20, 50, 200};
static const unsigned ticks_ms[] = {1, 3, 10, 40, 150, 600, 2000, 5000};

/* One run. */
static struct race {
    struct device d;
    unsigned answer_ms, tick_ms, busy;
    unsigned begun;                    /* challenges answered                                        */
    uint64_t now_ms, due_ms, begun_ms; /* virtual; when the authorization under validation is decided */
    const struct acme_row *rows;       /* a table to run with instead; NULL: the client's own        */
    uint64_t seed;
} race;

static bool sweeps(void)
{
    return getenv("NO_SWEEPS") == NULL;
}

static unsigned draw(unsigned below)
{
    race.seed ^= race.seed >> 12;
    race.seed ^= race.seed << 25;
    race.seed ^= race.seed >> 27;
    return (unsigned)((race.seed * 0x2545f4914f6cdd1du) >> 40) % below;
}

/* What the CA needs beside the web server's answer. 150 runs on loopback had: least 6.4 ms, median 17.6, 90 of 100 below
 * 29.3, some about a second. A busy one may need ten or a hundred times that. */
static unsigned own_time_ms(void)
{
    static const unsigned times[] = {1, 10, 100};
    unsigned of_100 = draw(100);
    return of_100 >= 98 ? 1000 + draw(34)
                        : times[race.busy] * (of_100 < 50   ? 6 + draw(12)
                                              : of_100 < 90 ? 18 + draw(12)
                                                            : 30 + draw(20));
}

/* --- the CA in time --- */

/* Decides what is due: whoever looks, or asks for a certificate, finds it decided. */
static void let_time_pass(struct ca *ca)
{
    ca->wire = race.now_ms >= race.due_ms ? CA_FETCHED : CA_ASKING;
    for (unsigned i = 0; i < ca->v1.authz_count; i++) {
        authz_moves(ca, &ca->v1.authz[i]);
    }
    for (unsigned i = 0; ca->order_count > 0 && !ca->plan->v1 && i < ca->plan->name_count; i++) {
        authz_moves(ca, &ca->order[0].authz[i]);
    }
}

static int on_seam(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    if (seam == DEVICE_RANDOM) {
        dice_fill(d->random_to, *len);
        return 0;
    }
    if (seam == DEVICE_FLUSH) {
        let_time_pass(&d->ca);
    } else if (seam == DEVICE_FLUSHED && d->ca.count[CA_CHALLENGE] > race.begun) {
        race.begun = d->ca.count[CA_CHALLENGE];
        race.begun_ms = race.now_ms;
        race.due_ms = race.now_ms + race.answer_ms + own_time_ms();
    }
    return DEVICE_GO;
}

/* In front of the core's (the linker's --wrap): the table a run is played with. */
const struct acme_row *__real_acme_row_of(const struct acme_flow *flow, enum acme_step step);
const struct acme_row *__wrap_acme_row_of(const struct acme_flow *flow, enum acme_step step);
const struct acme_row *__wrap_acme_row_of(const struct acme_flow *flow, enum acme_step step)
{
    return race.rows != NULL && flow->step > ACME_STEP_DIRECTORY ? &race.rows[step] : __real_acme_row_of(flow, step);
}

/* --- a run --- */

static void begin(const struct ca_plan *plan, unsigned number)
{
    memset(&race, 0, sizeof race);
    race.seed = (number + 1) * 0x9e3779b97f4a7c15u;
    race.answer_ms = answers_ms[number % LEN(answers_ms)];
    race.tick_ms = ticks_ms[number / LEN(answers_ms) % LEN(ticks_ms)];
    race.busy = number / LEN(answers_ms) / LEN(ticks_ms) % 3;
    device_new(&race.d, plan);
    dice_seed(1); /* the same keys in all runs: signatures and certificates are remembered */
    race.d.hook = on_seam;
    race.d.keys = &fastkey_ops;
    assert_int_equal(device_boot(&race.d), 0);
    assert_int_equal(acme_start(&race.d.client, ACME_NOW, race.d.now_ms), 0);
}

static enum acme_progress tick(void)
{
    struct device *d = &race.d;
    enum acme_progress progress = acme_tick(&d->client, d->now_ms);
    unsigned ms = race.tick_ms / 2 + 1 + draw(race.tick_ms);
    d->now_ms += ms;
    d->utc += (race.now_ms % 1000 + ms) / 1000;
    race.now_ms += ms;
    return progress;
}

static enum acme_progress run(void)
{
    enum acme_progress progress = ACME_BUSY;
    for (unsigned ticks = 0; ticks < TICKS_MAX && !acme_is_over(progress); ticks++) {
        progress = tick();
    }
    return progress;
}

static void end(void)
{
    acme_stop(&race.d.client);
    ca_free(&race.d.ca);
}

/* --- what this client does --- */

static void never_before_valid(const struct ca_plan *plans, size_t count, enum ca_kind kind, unsigned runs)
{
    const char *only = getenv("RACE");
    unsigned number = only != NULL ? (unsigned)strtoul(only, NULL, 10) : 0, early = 0, polls = 0;
    runs = sweeps() ? runs : runs / 20;
    for (; number < runs; number++) {
        begin(&plans[number % count], number);
        enum acme_progress progress = run();
        const struct ca *ca = &race.d.ca;
        early += ca->early;
        polls += race.d.client.exchange.counts.polls;
        if (progress != ACME_ISSUED || ca->early > 0 || ca->count[kind] != 1 || only != NULL) {
            print_message("RACE=%u: answer after %u ms, tick of %u ms: %d, error %d, %u requests, %u of them for the "
                          "certificate, %u too early\n",
                          number, race.answer_ms, race.tick_ms, progress, race.d.client.failure.error, ca->requests,
                          ca->count[kind], ca->early);
            assert_int_equal(progress, ACME_ISSUED);
            assert_int_equal(ca->early, 0);
            assert_int_equal(ca->count[kind], 1);
        }
        end();
        if (only != NULL) {
            return;
        }
    }
    print_message("# %u runs, %u polls, certificate asked for too early: %u\n", runs, polls, early);
    assert_int_equal(early, 0);
    assert_true(polls > 21 * runs / 10); /* two names: many had to look more than once, or there was no race */
}

#define TWO .names = {"a.example", "b.example"}, .name_count = 2, .shared = true

static void new_cert_is_never_sent_before_valid(void **state)
{
    static const struct ca_plan plans[] = {
        {TWO, .v1 = true}, {TWO, .v1 = true, .code202 = true}, {TWO, .v1 = true, .draft = true}};
    never_before_valid(plans, LEN(plans), CA_NEW_CERT, 10000);
}

static void finalize_is_never_sent_before_valid(void **state)
{
    static const struct ca_plan plans[] = {{TWO}, {TWO, .code202 = true}};
    never_before_valid(plans, LEN(plans), CA_FINALIZE, 2500);
}

/* --- that it could --- */

/* AUTHZ_POLL that goes on after one look, whatever it saw: as one who takes the first 200 for the end. */
static int after_one_look(struct acme_flow *flow, const struct acme_answer *answer)
{
    flow->authz++;
    return ACME_STEP_FINALIZE;
}

/* The thread's: after the challenge was answered, nobody looks. */
static int without_a_look(struct acme_flow *flow, const struct acme_answer *answer)
{
    return after_one_look(flow, answer);
}

static const struct ca_plan one[] = {{.names = {"a.example"}, .name_count = 1},
                                     {.names = {"a.example"}, .name_count = 1, .v1 = true}};

/* Plays with a bent table until a certificate was asked for; after the 202 nothing is asked for `wait_ms`. True when that was
 * too early. */
static bool plays_too_early(bool v1, const struct acme_row *rows, unsigned number, unsigned wait_ms)
{
    const enum ca_kind kind = v1 ? CA_NEW_CERT : CA_FINALIZE;
    begin(&one[v1], number);
    race.rows = rows;
    while (race.d.ca.count[kind] == 0) {
        enum acme_progress progress = ACME_BUSY;
        if (race.d.client.flow.step == ACME_STEP_FINALIZE && race.now_ms < race.begun_ms + wait_ms) {
            race.d.now_ms++;
            race.now_ms++;
        } else {
            progress = tick();
        }
        assert_true(!acme_is_over(progress));
    }
    bool early = race.d.ca.early > 0;
    end();
    return early;
}

static void who_looks_only_once_is_caught(void **state)
{
    const struct acme_row *const tables[] = {acme_flow_rfc8555, acme_flow_v1};
    const unsigned runs = sweeps() ? 200 : 100;
    for (unsigned v1 = 0; v1 < 2; v1++) {
        struct acme_row rows[ACME_STEP_COUNT];
        unsigned early = 0;
        memcpy(rows, tables[v1], sizeof rows);
        rows[ACME_STEP_AUTHZ_POLL].read = after_one_look;
        for (unsigned number = 0; number < runs; number++) {
            early += plays_too_early(v1 == 1, rows, number, 0);
        }
        print_message("# %s: one look and on: %u of %u too early\n", v1 == 1 ? "v1" : "RFC 8555", early, runs);
        assert_true(early > 0);
        early = 0; /* and the true table is not, played the same way */
        for (unsigned number = 0; number < runs; number++) {
            early += plays_too_early(v1 == 1, tables[v1], number, 0);
        }
        assert_int_equal(early, 0);
    }
}

/* The table of the measured server: share of new-cert answered 403, by what the web server takes (down) and how long the
 * client waits after the 202 (across). A wait of any length only moves the odds. */
static void of_2016_waiting_instead_of_polling_is_a_lottery(void **state)
{
    static const unsigned waits_ms[] = {0, 10, 20, 50, 100, 250};
    unsigned early[LEN(answers_ms)][LEN(waits_ms)] = {{0}};
    struct acme_row rows[ACME_STEP_COUNT];
    memcpy(rows, acme_flow_v1, sizeof rows);
    rows[ACME_STEP_RESPOND].read = without_a_look;
    for (unsigned a = 0; a < LEN(answers_ms); a++) {
        for (unsigned w = 0; w < LEN(waits_ms); w++) {
            for (unsigned number = 0; number < 40;
                 number++) { /* the tick is 1 ms: such a client waits for the network only */
                early[a][w] +=
                    plays_too_early(true, rows, number * 3 * LEN(answers_ms) * LEN(ticks_ms) + a, waits_ms[w]);
            }
        }
        print_message("# answers after %3u ms: %2u %2u %2u %2u %2u %2u of 40 refused\n", answers_ms[a], early[a][0],
                      early[a][1], early[a][2], early[a][3], early[a][4], early[a][5]);
    }
    assert_true(early[0][0] > 0);                     /* even with a web server that answers at once */
    assert_true(early[1][2] > 0 && early[1][2] < 40); /* luck */
    assert_int_equal(early[3][4], 40);                /* a slow device: never in time */
    assert_true(early[3][5] < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_cert_is_never_sent_before_valid),
        cmocka_unit_test(finalize_is_never_sent_before_valid),
        cmocka_unit_test(who_looks_only_once_is_caught),
        cmocka_unit_test(of_2016_waiting_instead_of_polling_is_a_lottery),
    };
    return _cmocka_run_group_tests("race", tests, LEN(tests) - (sweeps() ? 0 : 1), NULL, NULL);
}
