/* test_choice.c - several solvers, on a whole device: whose turn it is, who declines, wildcards, what a reset leaves. */
#include "unit.h"

#include "fake/device.h"
#include "fault/fastkey.h"
#include "protocol/steps.h"

#include <stdio.h>
#include <string.h>

/* A solver of the test's: what it answers, and what it was asked. */
struct one {
    struct acme_solver solver;
    int answers;     /* present(): 1, or an error                              */
    unsigned calls;  /* of present() that answer 0 first                       */
    unsigned clears; /* ticks it takes to take away what was withdrawn         */
    const char *words;
    unsigned presented, withdrawn, valid, wildcards, ticks, clearing;
    unsigned shown; /* just now */
    char names[200];
};

static struct device w;
static struct one http, dns, alpn;
static const struct acme_solver *solvers[3];
static char told[400];

static int present(void *ctx, struct acme_challenge *challenge)
{
    struct one *s = ctx;
    if (challenge->next == NULL) {
        s->presented++;
        s->wildcards += challenge->wildcard;
        assert_string_equal(challenge->type, s->solver.type);
        assert_false(challenge->valid);
        snprintf(s->names + strlen(s->names), sizeof s->names - strlen(s->names), "%s ", challenge->name);
        challenge->next = challenge;
    }
    if (s->calls > 0) {
        s->calls--;
        return 0;
    }
    if (s->answers == 1) {
        s->shown++;
        ca_publish(&w.ca, challenge);
    }
    return s->answers;
}

static void withdraw(void *ctx, struct acme_challenge *challenge)
{
    struct one *s = ctx;
    challenge->next = NULL;
    s->withdrawn++;
    s->shown -= s->shown > 0;
    s->valid += challenge->valid;
    s->clearing = s->clears;
    ca_take_back(&w.ca, challenge);
}

static bool ticks(void *ctx, uint32_t now_ms)
{
    struct one *s = ctx;
    s->ticks++;
    s->clearing -= s->clearing > 0;
    return s->clearing % 2 == 1;
}

static bool clearing(const void *ctx)
{
    return ((const struct one *)ctx)->clearing > 0;
}

static const char *words(void *ctx)
{
    return ((struct one *)ctx)->words;
}

static void heard(struct device *d, const struct acme_event *event)
{
    if (event->kind == ACME_EVENT_SOLVER) {
        snprintf(told, sizeof told, "%.*s %.*s: %.*s (%d)", (int)event->text.len, event->text.at,
                 (int)event->name.len, event->name.at, (int)event->detail.len, event->detail.at, event->error);
    }
}

static struct one one_of(struct one *s, const char *type)
{
    struct one fresh = {.answers = 1};
    fresh.solver = (struct acme_solver){.ctx = s, .type = type, .present = present, .withdraw = withdraw};
    return fresh;
}

/* The device is switched on, with these in this order. */
static int boot(unsigned count)
{
    (void)device_boot(&w);
    w.heard = heard;
    w.setup.solvers = solvers;
    w.setup.solver_count = count;
    return acme_init(&w.client, &w.setup);
}

static void new_world(const struct ca_plan *plan)
{
    device_new(&w, plan);
    w.keys = &fastkey_ops;
    told[0] = '\0';
    http = one_of(&http, "http-01");
    dns = one_of(&dns, "dns-01");
    alpn = one_of(&alpn, "tls-alpn-01");
    dns.solver.wildcards = true;
    solvers[0] = &http.solver;
    solvers[1] = &dns.solver;
    solvers[2] = &alpn.solver;
}

static enum acme_progress run_for(unsigned most)
{
    enum acme_progress progress = ACME_BUSY;
    for (unsigned i = 0; i < most && !acme_is_over(progress); i++) {
        progress = device_tick(&w);
    }
    return progress;
}

static void boot_and_start(unsigned count)
{
    assert_int_equal(boot(count), 0);
    assert_int_equal(acme_start(&w.client, ACME_NOW, w.now_ms), 0);
}

static enum acme_progress run(void)
{
    assert_int_equal(acme_start(&w.client, ACME_NOW, w.now_ms), 0);
    enum acme_progress progress = run_for(30000);
    assert_null(w.ca.published);
    return progress;
}

static void boot_and(unsigned count, enum acme_progress wanted)
{
    assert_int_equal(boot(count), 0);
    assert_int_equal(run(), wanted);
}

static void boot_and_fail(unsigned count, int error)
{
    boot_and(count, ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->error, error);
}

static void run_until_shown(void)
{
    for (unsigned i = 0; i < 1000 && dns.shown == 0; i++) {
        (void)device_tick(&w);
    }
}

/* One whose first solver is dns-01, and what it shows stays until all are judged. */
static void new_world_of_dns(const struct ca_plan *plan)
{
    new_world(plan);
    dns.solver.lasts = true;
    solvers[0] = &dns.solver;
}

#define ONE   .names = {"a.example"}, .name_count = 1, .shared = true
#define ALL   .types = "tls-alpn-01 dns-01 http-01"
#define EARLY 100000 /* the back-off of attempts is none of this */

/* --- whose turn it is --- */

TEST(the_first_that_the_ca_offers)
{
    static const struct ca_plan plan = {ONE, .types = "tls-alpn-01 dns-01"};
    new_world(&plan);
    boot_and(3, ACME_ISSUED);
    assert_int_equal(http.presented, 0);
    assert_int_equal(dns.presented, 1);
    assert_int_equal(dns.withdrawn, 1);
    assert_int_equal(dns.valid, 1);
    assert_int_equal(alpn.presented, 0);
}

TEST(who_declines_is_passed_over)
{
    static const struct ca_plan plan = {.names = {"a.example", "b.example"}, .name_count = 2, .shared = true, ALL};
    new_world(&plan);
    http.answers = dns.answers = ACME_E_DECLINED;
    dns.calls = 3;
    dns.words = "not here";
    dns.solver.words = words;
    boot_and(3, ACME_ISSUED);
    assert_int_equal(http.presented, 2);
    assert_int_equal(http.withdrawn, 2);
    assert_int_equal(dns.withdrawn, 2);
    assert_int_equal(alpn.presented, 2);
    assert_string_equal(told, "dns-01 a.example: not here (-99)");
    assert_int_equal(acme_failure(&w.client)->error, 0);
}

/* Some of those before it the CA does not even offer. */
TEST(who_declines_behind_others)
{
    static const struct ca_plan plan = {ONE, .types = "tls-alpn-01 dns-01"};
    new_world(&plan);
    dns.answers = ACME_E_DECLINED;
    boot_and(3, ACME_ISSUED);
    assert_int_equal(dns.presented, 1);
    assert_int_equal(alpn.presented, 1);
}

/* Round to the one that has failed before, when nobody else is left. */
TEST(who_declines_when_it_is_his_turn)
{
    static const struct ca_plan plan = {ONE, ALL, .authz_end = "invalid"}, good = {ONE, ALL};
    new_world(&plan);
    boot_and(3, ACME_FAILED);
    dns.answers = alpn.answers = ACME_E_DECLINED;
    w.ca.plan = &good;
    w.utc += EARLY;
    boot_and(3, ACME_ISSUED);
    assert_int_equal(dns.presented, 1);
    assert_int_equal(alpn.presented, 1);
    assert_int_equal(http.presented, 2);
}

TEST(when_all_decline)
{
    static const struct ca_plan plan = {ONE, ALL};
    new_world(&plan);
    http.answers = dns.answers = alpn.answers = ACME_E_DECLINED;
    boot_and_fail(3, ACME_E_CHALLENGE_NONE);
    assert_int_equal(http.presented + dns.presented + alpn.presented, 3);
}

/* Each order after a failed validation begins with the next type, also behind a reset, and the first has its turn again when one
 * has succeeded. */
TEST(a_failed_validation_gives_the_turn_away)
{
    static const struct ca_plan plan = {ONE, ALL, .authz_end = "invalid"}, good = {ONE, ALL};
    new_world(&plan);
    for (unsigned i = 0; i < 4; i++) {
        boot_and_fail(3, ACME_E_AUTHZ);
        assert_int_equal(http.presented, i < 3 ? 1 : 2);
        assert_int_equal(dns.presented, i < 1 ? 0 : 1);
        assert_int_equal(alpn.presented, i < 2 ? 0 : 1);
        w.utc += EARLY;
    }
    w.ca.plan = &good;
    boot_and(3, ACME_ISSUED);
    assert_int_equal(dns.presented, 2);
    w.utc += EARLY;
    boot_and(3, ACME_ISSUED);
    assert_int_equal(http.presented, 3);
}

/* The same without a reset; and with fewer solvers than the record was written with. */
TEST(a_turn_is_one_of_those_there_are)
{
    static const struct ca_plan plan = {ONE, ALL, .authz_end = "invalid"};
    new_world(&plan);
    boot_and(3, ACME_FAILED);
    w.utc += EARLY;
    assert_int_equal(run(), ACME_FAILED);
    assert_int_equal(dns.presented, 1);
    w.utc += EARLY;
    boot_and(2, ACME_FAILED);
    assert_int_equal(http.presented, 2);
}

/* What cannot be published is told in the solver's own words, and another has the next turn, in the same order. */
TEST(a_solver_that_fails)
{
    static const struct ca_plan plan = {ONE, ALL, .reuse = true};
    new_world(&plan);
    http.answers = ACME_E_SOLVER;
    http.words = "the printer is on fire";
    http.solver.words = words;
    boot_and_fail(3, ACME_E_SOLVER);
    assert_string_equal(acme_failure(&w.client)->detail, "the printer is on fire");
    assert_string_equal(told, "http-01 a.example: the printer is on fire (-90)");
    assert_int_equal(http.withdrawn, 1);
    w.utc += EARLY;
    boot_and(3, ACME_ISSUED);
    assert_int_equal(dns.presented, 1);
    assert_int_equal(w.ca.order_count, 1);
}

TEST(a_solver_with_nothing_to_say)
{
    static const struct ca_plan plan = {ONE, ALL};
    new_world(&plan);
    http.words = "";
    http.solver.words = words;
    http.calls = 100; /* and that takes its time */
    boot_and(1, ACME_ISSUED);
    assert_string_equal(told, "");
    http.words = "published, slowly";
    w.utc += EARLY;
    assert_int_equal(run(), ACME_ISSUED);
    assert_string_equal(told, "http-01 a.example: published, slowly (0)");
}

/* --- wildcards --- */

TEST(a_name_and_its_wildcard)
{
    static const struct ca_plan plan = {.names = {"example.org", "*.example.org", "b.example"},
                                        .name_count = 3,
                                        .shared = true,
                                        ALL,
                                        .authz_looks = 2};
    for (unsigned reversed = 0; reversed < 2; reversed++) {
        struct ca_plan turned = plan;
        turned.reversed = reversed == 1;
        new_world(&turned);
        boot_and(2, ACME_ISSUED);
        assert_int_equal(http.presented, 2);
        assert_int_equal(dns.presented, 1);
        assert_int_equal(dns.wildcards, 1);
        assert_string_equal(dns.names, "example.org ");
        device_check_pair(&w);
    }
}

/* As dns-01 for all: what is on show under one name stays until all are judged. */
TEST(what_lasts_stays_until_all_are_judged)
{
    static const struct ca_plan plan = {
        .names = {"example.org", "*.example.org"}, .name_count = 2, .shared = true, ALL, .timed = true};
    new_world_of_dns(&plan);
    boot_and_start(1);
    for (unsigned i = 0; i < 1000 && !w.ca.order[0].authz[1].responded; i++) {
        (void)device_tick(&w);
    }
    w.ca.order[0].authz[0].visit = CA_READ_IT;
    (void)run_for(300);
    assert_string_equal(w.ca.order[0].authz[0].status, "valid");
    assert_int_equal(dns.withdrawn, 0);
    w.ca.order[0].authz[1].visit = CA_READ_IT;
    assert_int_equal(run_for(3000), ACME_ISSUED);
    assert_int_equal(dns.withdrawn, 2);
    assert_int_equal(dns.valid, 2);
    assert_int_equal(w.ca.count[CA_ORDER], 0);
}

TEST(wildcards_at_setup)
{
    static const struct ca_plan plan = {.names = {"*.example.org"}, .name_count = 1, ALL, .shared = true};
    static const char *const bad[] = {"*", "*.", "*example.org", "a.*.org", "*.*.org", "*.1", "**.org"};
    char word[260] = "*.";
    const char *name = word;
    new_world(&plan);
    assert_int_equal(boot(1), ACME_E_WILDCARD);
    assert_int_equal(boot(2), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        w.setup.names = &bad[i];
        assert_int_equal(acme_init(&w.client, &w.setup), ACME_E_NAMES);
    }
    w.setup.names = &name;
    for (size_t i = 2; i < 254; i++) {
        word[i] = i % 50 == 49 || i % 2 == 1 ? 'a' : (i % 50 == 48 ? '.' : 'b');
    }
    word[253] = '\0';
    assert_int_equal(acme_init(&w.client, &w.setup), 0);
    word[253] = 'a';
    word[254] = '\0';
    assert_int_equal(acme_init(&w.client, &w.setup), ACME_E_NAMES);
}

TEST(a_wildcard_has_no_other_challenge)
{
    static const struct ca_plan plan = {
        .names = {"*.example.org"}, .name_count = 1, .types = "http-01 tls-alpn-01", .shared = true};
    new_world(&plan);
    boot_and_fail(3, ACME_E_CHALLENGE_NONE);
    assert_int_equal(http.presented, 0);
}

/* --- what is left --- */

/* The power goes after each tick of a run: whatever was on show then has been withdrawn when the next run has ended. */
TEST(a_reset_leaves_nothing)
{
    static const struct ca_plan plan = {.names = {"a.example", "b.example"},
                                        .name_count = 2,
                                        .shared = true,
                                        .reuse = true,
                                        .types = "dns-01 http-01"};
    enum acme_progress progress = ACME_BUSY;
    unsigned left = 0;
    for (unsigned most = 1; progress != ACME_ISSUED; most++) {
        new_world_of_dns(&plan);
        boot_and_start(1);
        progress = run_for(most);
        if (progress != ACME_ISSUED) {
            unsigned on_show = dns.shown;
            w.ca.power_cut = true;
            dns.withdrawn = 0;
            assert_int_equal(boot(1), 0);
            /* the validators have read it while the device was off */
            for (unsigned i = 0; i < 2 && w.ca.order_count > 0; i++) {
                if (w.ca.order[0].authz[i].responded) {
                    w.ca.order[0].authz[i].status = "valid";
                    w.ca.order[0].authz[i].was_valid = true;
                    w.ca.order[0].authz[i].responded = false;
                }
            }
            assert_int_equal(run(), ACME_ISSUED);
            assert_true(dns.withdrawn >= on_show);
            left += on_show;
        }
    }
    assert_true(left > 0);
}

/* So also when the validation has failed meanwhile. And not when nothing is known of how it was asked for, or a key fails. */
TEST(a_reset_before_a_failure)
{
    static const struct ca_plan plan = {ONE, .timed = true, .reuse = true, .types = "moon-01 dns-01"};
    for (unsigned lasts = 0; lasts < 2; lasts++) {
        new_world(&plan);
        dns.solver.lasts = lasts == 1;
        solvers[0] = &http.solver;
        boot_and_start(2);
        for (unsigned i = 0; i < 1000 && !w.ca.order[0].authz[0].responded; i++) {
            (void)device_tick(&w);
        }
        w.ca.order[0].authz[0].visit = CA_FOUND_NOBODY;
        w.ca.power_cut = true;
        boot_and_start(2);
        for (unsigned i = 0; i < 1000 && strcmp(w.ca.order[0].status, "invalid") != 0; i++) {
            (void)device_tick(&w);
        }
        (void)run_for(3);
        assert_int_equal(dns.withdrawn, lasts);
        assert_int_equal(dns.valid, 0);
        acme_stop(&w.client);
    }
}

static int no_point(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    return seam == DEVICE_KEY_POINT ? ACME_E_KEY : DEVICE_GO;
}

/* One authorization, as an answer to this flow. */
static int look(struct acme_flow *f, const char *document)
{
    static uint32_t tokens[400];
    static char text[600];
    struct acme_json json = {.text = text};
    snprintf(text, sizeof text, "%s", document);
    assert_int_equal(acme_json_parse(&json, text, strlen(text), (char *)tokens, sizeof tokens), 0);
    const struct acme_answer answer = {.json = &json};
    return acme_flow_authz_read(f, &answer);
}

#define VALID(token)                                                                                                 \
    "{\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"},\"status\":\"valid\",\"challenges\":[{\"type\":"     \
    "\"dns-01\","                                                                                                    \
    "\"url\":\"https://ca.test/c\",\"status\":\"valid\",\"token\":\"" token "\"}]}"

/* What a reset may have left is withdrawn once; with a token that is one, and when the key tells its thumbprint. */
TEST(what_is_withdrawn_without_having_been_shown)
{
    static const struct ca_plan plan = {ONE, .types = "dns-01"};
    new_world_of_dns(&plan);
    boot_and_start(1);
    run_until_shown();
    struct acme_flow *f = &w.client.flow;
    f->resumed = true;
    assert_int_equal(look(f, VALID("abc")),
                     ACME_STEP_FINALIZE); /* on show: with all others, by acme_flow_withdraw() */
    assert_int_equal(dns.withdrawn, 1);
    assert_int_equal(look(f, VALID("a b")), ACME_STEP_FINALIZE);
    assert_int_equal(dns.withdrawn, 1);
    w.hook = no_point;
    assert_int_equal(look(f, VALID("abc")), ACME_STEP_FINALIZE);
    assert_int_equal(dns.withdrawn, 1);
    w.hook = NULL;
    assert_int_equal(look(f, VALID("abc")), ACME_STEP_FINALIZE);
    assert_int_equal(dns.withdrawn, 2);
    assert_int_equal(dns.valid, 2);
    f->resumed = false;
    assert_int_equal(look(f, VALID("abc")), ACME_STEP_FINALIZE);
    assert_int_equal(dns.withdrawn, 2);
    acme_stop(&w.client);
}

/* A run is not over before all is taken away; nor is a stop. */
TEST(a_run_waits_for_what_is_taken_away)
{
    static const struct ca_plan plan = {ONE, ALL, .authz_end = "invalid"}, good = {ONE, ALL};
    new_world(&plan);
    dns.solver.tick = ticks;
    dns.solver.clearing = clearing;
    dns.clears = 500;
    solvers[0] = &dns.solver;
    assert_int_equal(boot(1), 0);
    assert_false(acme_clearing(&w.client));
    assert_int_equal(run(), ACME_FAILED);
    assert_true(dns.ticks >= 500);
    assert_int_equal(dns.clearing, 0);

    /* a stop, and whoever ticks on */
    w.utc += EARLY;
    w.ca.plan = &good;
    assert_int_equal(acme_start(&w.client, ACME_NOW, w.now_ms), 0);
    run_until_shown();
    acme_stop(&w.client);
    assert_true(acme_clearing(&w.client));
    unsigned count = 0;
    for (; acme_clearing(&w.client); count++) {
        enum acme_progress progress = acme_tick(&w.client, w.now_ms);
        assert_int_equal(progress, count % 2 == 0 && count < 499 ? ACME_BUSY : ACME_IDLE);
        assert_int_equal(acme_idle_ms(&w.client, w.now_ms), count < 499 ? 20 : 0);
    }
    assert_int_equal(count, 500);
    assert_int_equal(acme_tick(&w.client, w.now_ms), ACME_IDLE);

    /* and rounds that follow each other */
    w.utc += EARLY;
    w.ca.plan = &plan;
    w.record[ACME_RECORD_RENEWAL].len = 0;
    assert_int_equal(acme_start(&w.client, ACME_KEEP, w.now_ms), 0);
    bool seen = false;
    for (unsigned i = 0; i < 20000 && !seen; i++) {
        seen = device_tick(&w) == ACME_FAILED;
        assert_true(!acme_clearing(&w.client) || !acme_resting(&w.client));
    }
    assert_true(seen);
    assert_int_equal(dns.clearing, 0);
}
