/* A certificate kept for ever (ACME_KEEP), with the scripted CA, in virtual time: rounds that follow each other by
 * themselves, what they cost, and what the caller is told. */
#include "unit.h"

#include "fake/device.h"
#include "fake/ca_more.h"
#include "fault/fastkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONE      .names = {"a.example"}, .name_count = 1
#define MINUTE   INT64_C(60)
#define HOUR     INT64_C(3600)
#define DAY      INT64_C(86400)
#define BOULDERS .ari = true, .ari_of_life = true, .starts_before_s = 3600
#define URN      "urn:ietf:params:acme:error:"

static struct device w;

static struct {
    unsigned writes, issued, failed, current, explained, offers, takes, checked;
    int offer, taken; /* what the application says */
    bool deploys;
    bool net_down, no_clock, no_random, no_writes;
    bool remembers;
    unsigned random_fails; /* at that call from now on; 0: at none */
    uint32_t spread_s;
    const char *profile, *contact;
    const char *directory;
    bool disagrees;
    const char *eab_secret;
    int64_t times[64]; /* of newOrder */
    unsigned orders;
} is;

static int hook(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    switch (seam) {
    case DEVICE_OPEN:
        return is.net_down ? ACME_E_UNREACHABLE : DEVICE_GO;
    case DEVICE_UTC:
        return is.no_clock ? 0 : DEVICE_GO;
    case DEVICE_RANDOM:
        return is.no_random || (is.random_fails > 0 && --is.random_fails == 0) ? ACME_E_RANDOM : DEVICE_GO;
    case DEVICE_PUT:
    case DEVICE_COMMIT:
        is.writes += !is.no_writes;
        return is.no_writes ? ACME_E_STORE_WRITE : DEVICE_GO;
    default:
        return DEVICE_GO;
    }
}

static void heard(struct device *d, const struct acme_event *event)
{
    is.explained += event->kind == ACME_EVENT_EXPLAINED;
    bool asks = event->kind == ACME_EVENT_REQUEST && event->step == ACME_STEP_ORDER;
    if (asks && is.orders < LEN(is.times)) {
        is.times[is.orders++] = d->utc;
    }
}

static int offer(void *ctx, const struct acme_offer *o)
{
    struct device *d = ctx;
    is.offers++;
    assert_true(o->not_before < o->not_after && o->not_after > d->utc);
    assert_true(d->record[ACME_RECORD_KEY_NEXT].len > 0); /* the old pair is in use */
    return is.offer;
}

static int taken(void *ctx)
{
    struct device *d = ctx;
    is.takes++;
    if (is.checked != d->commits) { /* once a pair: it may be offered a thousand times */
        is.checked = d->commits;
        device_check_pair(d);
    }
    return is.taken;
}

static void boot(void)
{
    assert_int_equal(device_boot(&w), 0);
    w.setup.remember_looks = is.remembers;
    w.setup.spread_s = is.spread_s;
    w.setup.profile = is.profile;
    w.setup.accept_terms = !is.disagrees;
    w.setup.contacts = &is.contact;
    w.setup.contact_count = is.contact != NULL;
#if ACME_CFG_EAB
    if (is.eab_secret != NULL) {
        w.setup.binding = (struct acme_binding){"customer-7", is.eab_secret, strlen(is.eab_secret)};
    }
#endif
    w.setup.ca.directory_url = is.directory != NULL ? is.directory : w.setup.ca.directory_url;
    if (is.deploys) {
        w.setup.deploy = (struct acme_deploy){&w, offer, taken};
    }
    assert_int_equal(acme_start(&w.client, ACME_KEEP, w.now_ms), 0);
}

static void new_world(const struct ca_plan *plan)
{
    memset(&is, 0, sizeof is);
    is.offer = is.taken = 1;
    device_new(&w, plan);
    w.keys = &fastkey_ops;
    w.hook = hook;
    w.heard = heard;
    dice_seed(1);
    boot();
}

static enum acme_progress tick(void)
{
    bool over = w.client.phase == ACME_PHASE_OVER;
    enum acme_progress progress = device_tick(&w);
    is.issued += progress == ACME_ISSUED;
    is.failed += progress == ACME_FAILED;
    is.current += progress == ACME_CURRENT;
    assert_true(!over || acme_idle_ms(&w.client, w.now_ms) <= 60000);
    if (progress == ACME_ISSUED) { /* a round follows at once */
        assert_false(acme_resting(&w.client));
        assert_int_equal(acme_idle_ms(&w.client, w.now_ms), 0);
    }
    return progress;
}

/* Ticks on until something is told. */
static enum acme_progress told(void)
{
    for (unsigned i = 0; i < 400000; i++) {
        enum acme_progress progress = tick();
        if (acme_is_over(progress)) {
            return progress;
        }
    }
    fail_msg("nothing is told: phase %d, step %d", w.client.phase, w.client.flow.step);
    return ACME_IDLE;
}

static void run_for(int64_t seconds)
{
    int64_t end = w.utc + seconds;
    for (unsigned ticks = 0; w.utc < end; ticks++) {
        (void)tick();
        assert_true(ticks < 30000 + (uint64_t)seconds * 2);
    }
}

/* Months, by a device that sleeps as long as it may. */
static void pass(int64_t seconds)
{
    int64_t end = w.utc + seconds;
    for (unsigned ticks = 0; w.utc < end; ticks++) {
        uint32_t sleep_s = acme_sleep_s(&w.client);
        w.utc += sleep_s < end - w.utc ? sleep_s : end - w.utc > 0 ? end - w.utc : 0;
        (void)tick();
        assert_true(ticks < 400000);
    }
}

static void expect(enum acme_progress wanted)
{
    enum acme_progress got = told();
    if (got != wanted) {
        print_message("error %d at step %d: %s %s\n", acme_failure(&w.client)->error, acme_failure(&w.client)->step,
                      acme_failure(&w.client)->type, acme_failure(&w.client)->detail);
    }
    assert_int_equal(got, wanted);
}

static void expect_failure(int error)
{
    expect(ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->error, error);
}

static void boot_and(enum acme_progress wanted)
{
    boot();
    expect(wanted);
}

static struct acme_plan plan_now(void)
{
    struct acme_plan plan;
    assert_true(acme_plan(&w.client, &plan));
    return plan;
}

static const struct acme_renewal *known(void)
{
    return &w.client.keep.renewal;
}

/* Until the quiet round that follows news is over. */
static void settle(void)
{
    for (unsigned i = 0; i < 100 && acme_sleep_s(&w.client) == 0; i++) {
        enum acme_progress progress = tick();
        assert_true(!acme_is_over(progress));
    }
    assert_true(acme_sleep_s(&w.client) > 0);
}

static void settle_until_due(void)
{
    settle();
    w.utc = plan_now().due;
}

/* A device with a certificate, the news of which has just been told; and at rest. */
static void issued(const struct ca_plan *plan)
{
    new_world(plan);
    expect(ACME_ISSUED);
}

static void settled(const struct ca_plan *plan)
{
    issued(plan);
    settle();
}

/* The device is switched off, or sleeps: its counter of milliseconds stands still. */
static void sleep_on(void)
{
    w.utc += acme_sleep_s(&w.client);
}

/* --- plain */

static const struct ca_plan plain = {ONE};

TEST(it_is_kept_for_years)
{
    new_world(&plain);
    struct acme_plan plan;
    assert_false(acme_plan(&w.client, &plan)); /* not known before the pair was looked at */
    assert_int_equal(acme_sleep_s(&w.client), 0);
    expect(ACME_ISSUED);
    assert_false(acme_plan(&w.client, &plan)); /* nor is that of the one before told of a new one */
    unsigned writes = is.writes;
    for (unsigned i = 1; i < 12; i++) {
        settle();
        plan = plan_now();
        assert_int_equal(plan.why, ACME_WHY_LIFE);
        assert_int_equal(plan.hold, ACME_HOLD_NONE);
        assert_int_equal(plan.failures, 0);
        int64_t due = plan.due, life = plan.not_after - plan.not_before;
        assert_true(plan.not_after - due >= life / 3 && plan.not_after - due <= life / 3 + life / 64);
        unsigned requests = w.ca.requests;
        (i == 1 ? run_for : pass)(due - w.utc - 120);
        assert_int_equal(is.issued, i);
        assert_int_equal(w.ca.requests, requests);
        run_for(600);
        assert_int_equal(is.issued, i + 1);
        device_check_pair(&w);
    }
    assert_int_equal(is.failed, 0);
    assert_int_equal(w.ca.accounts, 1);
    assert_int_equal(w.ca.order_count, 12);
    assert_true(is.writes - writes <= 11 * 8);
    print_message("%u writes for the first issue, %.1f a renewal\n", writes, (double)(is.writes - writes) / 11);
    boot(); /* and after a reset it is current */
    expect(ACME_CURRENT);
    assert_int_equal(w.ca.order_count, 12);
}

TEST(a_device_that_sleeps_wakes_in_time)
{
    issued(&plain);
    for (unsigned i = 0; i < 8; i++) {
        settle();
        int64_t due = plan_now().due;
        uint32_t ms = w.now_ms;
        for (unsigned naps = 0; w.utc < due; naps++) {
            sleep_on();
            assert_true(naps < 10);
            if (w.utc < due) { /* a look */
                expect(ACME_CURRENT);
            }
        }
        assert_true(w.now_ms - ms < 60000);
        expect(ACME_ISSUED);
        assert_true(w.utc - due < 60);
    }
}

TEST(switched_off_and_on_it_is_the_same)
{
    issued(&plain);
    unsigned writes = is.writes, requests = w.ca.requests;
    int64_t due = 0;
    for (unsigned i = 0; i < 50; i++) {
        w.utc += DAY;
        boot_and(ACME_CURRENT);
        assert_true(acme_sleep_s(&w.client) > 0);
        assert_int_equal(plan_now().why, ACME_WHY_LIFE);
        assert_true(i == 0 || plan_now().due == due);
        due = plan_now().due;
    }
    assert_int_equal(is.writes, writes);
    assert_int_equal(w.ca.requests, requests);
    w.utc = due + 1;
    boot_and(ACME_ISSUED);
}

/* --- renewal information */

static const struct ca_plan boulder = {ONE, BOULDERS, .ari_start = 59 * DAY, .ari_end = 61 * DAY};

TEST(looks_come_again_and_again)
{
    settled(&boulder);
    unsigned writes = is.writes;
    run_for(7 * HOUR);
    assert_int_equal(w.ca.renewal_infos, 1); /* six hours after the issue, for want of another word */
    assert_int_equal(is.writes, writes + 1); /* the window */
    assert_int_equal(is.explained, 1);
    int64_t chosen = plan_now().chosen;
    assert_int_equal(plan_now().why, ACME_WHY_WINDOW);
    assert_int_equal(plan_now().due, chosen);
    assert_true(chosen >= plan_now().start && chosen < plan_now().end);
    run_for(10 * DAY);
    assert_in_range(w.ca.renewal_infos, 38, 43); /* each six hours */
    assert_int_equal(is.writes, writes + 1);     /* that changed nothing */
    assert_int_equal(plan_now().chosen, chosen);
    for (unsigned i = 0; i < 20; i++) { /* nor does a reboot; the first look then comes within ten minutes */
        unsigned looks = w.ca.renewal_infos;
        boot_and(ACME_CURRENT);
        assert_int_equal(plan_now().chosen, chosen);
        assert_true(plan_now().look <= w.utc + 600);
        run_for(630);
        assert_int_equal(w.ca.renewal_infos, looks + 1);
    }
    assert_int_equal(is.writes, writes + 1);
    pass(chosen - w.utc - 60);
    assert_int_equal(is.issued, 1);
    run_for(200); /* at the moment chosen, not at the next look */
    assert_int_equal(is.issued, 2);
    assert_int_equal(is.failed, 0);
    char id[128];
    ca_certid(&w.ca.order[0], id, sizeof id);
    assert_string_equal(w.ca.order[1].replaces, id);
    assert_true(is.writes - writes - 1 <= 8);
    run_for(7 * HOUR); /* and of the new one */
    assert_true(plan_now().why == ACME_WHY_WINDOW && plan_now().chosen > chosen + 50 * DAY);
}

TEST(six_days_from_end_to_end)
{
    const struct ca_plan plan = {ONE, BOULDERS, .life_s = 160 * HOUR, .ari_start = 80 * HOUR - 5760,
                                 .ari_end = 80 * HOUR + 5760};
    issued(&plan);
    for (unsigned i = 0; i < 10; i++) {
        int64_t made = w.utc;
        for (unsigned rounds = 0; is.issued < i + 2; rounds++) {
            (void)tick();
            settle();
            sleep_on();
            assert_true(rounds < 30); /* looks each six hours */
            enum acme_progress progress = told();
            assert_true(progress == ACME_ISSUED || progress == ACME_CURRENT);
        }
        assert_true(w.utc - made > 75 * HOUR && w.utc - made < 83 * HOUR);
    }
    assert_int_equal(is.failed, 0);
}

TEST(a_recall_is_obeyed_in_the_same_minute)
{
    struct ca_plan plan = boulder;
    issued(&plan);
    pass(20 * DAY);
    assert_int_equal(is.issued, 1);
    plan.ari_of_life = false;
    plan.ari_start = -3600;
    plan.ari_end = -1800;
    unsigned handshakes = acme_stats(&w.client).handshakes, requests = w.ca.requests;
    unsigned looks = w.ca.renewal_infos;
    for (unsigned i = 0; w.ca.renewal_infos == looks && i < 1000; i++) {
        run_for(60);
    }
    run_for(120);
    assert_int_equal(is.issued, 2);
    assert_int_equal(acme_stats(&w.client).handshakes, handshakes + 1); /* the look's connection serves */
    assert_int_equal(w.ca.requests + w.ca.renewal_infos - looks - requests, 8);
    unsigned orders = w.ca.order_count; /* it goes on saying so */
    unsigned writes = is.writes;
    run_for(30 * DAY);
    assert_true(w.ca.order_count - orders <= 4);
    assert_true(is.writes - writes <= 4 * 8 + 30 * 4);
}

TEST(a_window_that_never_stands_still_costs_little)
{
    const struct ca_plan plan = {ONE, .ari = true, .ari_start = DAY, .ari_end = 2 * DAY, .ari_after = "60"};
    issued(&plan);
    run_for(DAY);
    unsigned writes = is.writes;
    run_for(10 * DAY);
    assert_true(is.writes - writes <= 241);
    assert_int_equal(is.issued, 1);
}

TEST(a_failed_look_is_nothing)
{
    static const char *const answers[] = {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        CA_NO("401 Unauthorized") "Content-Length: 2\r\n\r\n{}",
        "HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
        "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
        "HTTP/1.1 503 Busy\r\nRetry-After: 40000\r\nContent-Length: 0\r\n\r\n",
        CA_NO("429 Slow") "Content-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 72\r\n\r\n"
         "{\"suggestedWindow\":{\"start\":\"2026-12-03T00:00:00Z\",\"end\":\"2026-12-02T0\"}}"),
        "garbage\r\n\r\n"};
    for (unsigned i = 0; i < LEN(answers); i++) {
        settled(&boulder);
        unsigned writes = is.writes, failures = 0;
        w.ca.no_info = answers[i];
        run_for(6 * HOUR + 60);
        assert_true(w.ca.renewal_infos > 0);
        assert_true(w.client.keep.look_failures > 0);
        run_for(2 * DAY);
        assert_true(w.client.keep.look_failures > 2);
        assert_int_equal(is.writes, writes);
        assert_int_equal(is.failed, failures);
        assert_int_equal(known()->failures, 0);
        assert_int_equal(plan_now().why, ACME_WHY_LIFE);
        assert_int_equal(acme_failure(&w.client)->error, 0);
        unsigned looks = w.ca.renewal_infos;
        run_for(4 * DAY);
        assert_true(w.ca.renewal_infos - looks <= 4 * 4 * 6); /* four looks a day; each may repeat itself */
        w.ca.no_info = NULL;                                  /* it is well again */
        run_for(DAY / 2 + HOUR);
        assert_int_equal(plan_now().why, ACME_WHY_WINDOW);
        assert_int_equal(w.client.keep.look_failures, 0);
        assert_true(plan_now().chosen > 0);
        w.ca.no_info = answers[i]; /* what it said still holds */
        run_for(DAY);
        assert_int_equal(plan_now().why, ACME_WHY_WINDOW);
        pass(plan_now().due - w.utc + 300);
        assert_int_equal(is.issued, 2);
        assert_int_equal(is.failed, 0);
    }
}

TEST(a_ca_s_wish_for_a_look_is_obeyed)
{
    settled(&boulder);
    w.ca.no_info = "HTTP/1.1 503 Busy\r\nRetry-After: 40000\r\nContent-Length: 0\r\n\r\n";
    run_for(6 * HOUR + 60);
    unsigned looks = w.ca.renewal_infos;
    assert_in_range(looks, 1, 5);
    run_for(11 * HOUR - 120);
    assert_int_equal(w.ca.renewal_infos, looks);
    run_for(900);
    assert_true(w.ca.renewal_infos > looks);
}

/* A timer runs the program now and then: when to look next is stored. */
TEST(looks_of_who_does_not_keep_running)
{
    issued(&boulder);
    is.remembers = true;
    unsigned writes = is.writes;
    for (unsigned hours = 0; hours < 48; hours++) {
        boot_and(ACME_CURRENT);
        w.utc += HOUR;
    }
    assert_in_range(w.ca.renewal_infos, 7, 9);
    assert_int_equal(is.writes, writes + w.ca.renewal_infos); /* each time the moment of the next one */
    w.ca.no_info = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    unsigned looks = w.ca.renewal_infos;
    for (unsigned minutes = 0; minutes < 24 * 60; minutes += 5) {
        boot_and(ACME_CURRENT);
        w.utc += 300;
    }
    assert_in_range(w.ca.renewal_infos - looks, 4, 100);
}

TEST(what_is_remembered_is_known_without_a_write)
{
    new_world(&boulder);
    is.remembers = true;
    boot_and(ACME_ISSUED);
    run_for(2 * DAY);
    assert_in_range(w.ca.renewal_infos, 7, 9);
}

TEST(what_was_refused_before_is_not_said_by_a_later_run)
{
    static const struct ca_twist no[] = {
        {CA_NEW_ORDER, 2, 2, CA_SAY, CA_NO("409 Conflict"), "{\"type\":\"" URN "alreadyReplaced\",\"status\":409}"},
        {CA_NEW_ORDER, 3, 3, CA_SAY, CA_NO("403 Forbidden"),
         "{\"type\":\"" URN "rejectedIdentifier\",\"status\":403}"}};
    struct ca_plan plan = boulder;
    plan.twists = no;
    plan.twist_count = 2;
    issued(&plan);
    run_for(7 * HOUR);
    pass(plan_now().due - w.utc);
    expect(ACME_FAILED);
    assert_true(known()->spent);
    boot_and(ACME_CURRENT);
    pass(2 * DAY);
    assert_int_equal(is.issued, 2);
    assert_int_equal(w.ca.count[CA_NEW_ORDER], 4);
    assert_string_equal(w.ca.order[1].replaces, "");
}

TEST(what_the_ca_refuses_for_good_is_not_said_again)
{
    static const struct ca_twist no[] = {
        {CA_NEW_ORDER, 2, 0, CA_SAY, CA_NO("409 Conflict"), "{\"type\":\"" URN "alreadyReplaced\",\"status\":409}"}};
    struct ca_plan plan = boulder;
    plan.twists = no;
    plan.twist_count = 1;
    issued(&plan);
    run_for(7 * HOUR);
    pass(plan_now().due - w.utc);
    expect(ACME_ISSUED);
    assert_int_equal(w.ca.count[CA_NEW_ORDER], 3); /* once more without it */
    assert_string_equal(w.ca.order[1].replaces, "");
    settle();
    assert_false(known()->spent); /* that was about the one before */
}

TEST(a_ca_without_renewal_information_is_asked_late)
{
    struct ca_plan plan = boulder;
    issued(&plan);
    plan.ari = false; /* the directory has none any more */
    w.ca.no_info = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    w.record[ACME_RECORD_ACCOUNT].len = 0;
    boot();
    pass(30 * DAY);
    unsigned requests = w.ca.requests;
    pass(15 * DAY);
    assert_int_equal(w.ca.requests, requests);
    pass(20 * DAY);
    assert_int_equal(is.issued, 2);
}

TEST(random_bytes_fail_while_it_looks)
{
    settled(&boulder);
    unsigned writes = is.writes;
    is.no_random = true;
    run_for(6 * HOUR + 60);
    assert_true(w.ca.renewal_infos > 0);
    assert_int_equal(is.failed, 0);
    assert_int_equal(is.writes, writes);
    is.no_random = false;
    run_for(8 * HOUR);
    assert_int_equal(plan_now().why, ACME_WHY_WINDOW);
}

/* --- failures */

TEST(it_comes_again_later_each_time)
{
    const struct ca_plan plan = {ONE, .authz_end = "invalid"};
    new_world(&plan);
    int64_t begun = w.utc;
    unsigned hour = 0, day = 0;
    for (unsigned i = 0; w.utc < begun + 10 * DAY; i++) {
        expect(ACME_FAILED);
        hour += w.utc < begun + HOUR;
        day += w.utc < begun + DAY;
        assert_true(acme_failure(&w.client)->error != 0);
        settle();
        assert_int_equal(plan_now().hold, ACME_HOLD_FAILURES);
        assert_int_equal(plan_now().failures, i + 1);
        int64_t next = known()->next;
        unsigned orders = w.ca.order_count;
        for (unsigned boots = 0; boots < 100;
             boots++) { /* of which none adds an attempt, nor makes it come earlier */
            boot_and(ACME_CURRENT);
            assert_int_equal(known()->next, next);
            w.utc += w.utc + 20 < next;
        }
        assert_int_equal(w.ca.order_count, orders);
        settle();
        sleep_on();
        assert_true(w.utc >= next);
    }
    assert_in_range(hour, 2, 3);
    assert_in_range(day, 4, 5);
    assert_in_range(w.ca.order_count, 12, 14);
    assert_int_equal(w.ca.accounts, 1);
}

TEST(a_failed_day_costs_one_write)
{
    settled(&plain);
    w.utc = plan_now().due;
    is.net_down = true;
    run_for(3 * DAY);
    unsigned writes = is.writes, failed = is.failed;
    run_for(10 * DAY);
    assert_in_range(is.failed - failed, 8, 12); /* once a day, told once each */
    assert_int_equal(is.writes - writes, is.failed - failed);
    is.net_down = false;
    run_for(DAY + 3 * HOUR);
    assert_int_equal(is.issued, 2);
    settle();
    assert_int_equal(plan_now().failures, 0);
    assert_int_equal(plan_now().hold, ACME_HOLD_NONE);
}

TEST(what_the_ca_wishes_is_obeyed)
{
    const struct ca_plan plan = {ONE, .order_limit = 1, .limit_s = 50000, .limit_lasts = 3};
    settled(&plan);
    w.utc = plan_now().due;
    int64_t begun = w.utc;
    expect_failure(ACME_E_RATE_LIMITED);
    settle();
    assert_int_equal(plan_now().hold, ACME_HOLD_CA);
    assert_in_range(plan_now().hold_until, begun + 50000, begun + 55100);
    boot_and(ACME_CURRENT);
    assert_int_equal(plan_now().hold, ACME_HOLD_CA);
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0); /* by hand it is told */
    expect_failure(ACME_E_RATE_LIMITED);
    assert_int_equal(w.ca.limited, 1);
    boot();
    run_for(3 * 55000 + 1000);
    assert_int_equal(w.ca.limited, 3);
    run_for(2 * DAY);
    assert_int_equal(is.issued, 2);
}

TEST(errors_that_stay_end_it_until_somebody_acts)
{
    static const struct ca_twist terms[] = {{CA_NEW_ACCOUNT, 1, CA_FOREVER, CA_SAY, CA_NO("403 No"),
                                             "{\"type\":\"" URN "externalAccountRequired\",\"status\":403}"}};
    const struct ca_plan plan = {ONE, .twists = terms, .twist_count = 1};
    for (unsigned act = 0; act < 3; act++) {
        new_world(&plan);
        for (unsigned i = 0; i < 3; i++) {
            expect_failure(ACME_E_EAB);
            settle();
            assert_int_equal(plan_now().hold, i < 2 ? ACME_HOLD_FAILURES : ACME_HOLD_STOPPED);
            assert_true(i == 2 || plan_now().hold_until >= w.utc + DAY - 60);
            w.utc = i < 2 ? plan_now().hold_until : w.utc;
        }
        assert_int_equal(plan_now().error, ACME_E_EAB);
        assert_int_equal(acme_sleep_s(&w.client), UINT32_MAX);
        unsigned requests = w.ca.requests;
        run_for(3 * DAY);
        for (unsigned i = 0; i < 50; i++) {
            w.utc += DAY;
            boot_and(ACME_CURRENT);
            assert_int_equal(plan_now().hold, ACME_HOLD_STOPPED);
        }
        assert_int_equal(w.ca.requests, requests);
        assert_int_equal(acme_failure(&w.client)->error, 0);
        if (act == 0) {
            is.profile = "other"; /* the setup */
        } else if (act == 1) {
            is.disagrees = true; /* what was agreed to */
        } else {
            w.record[ACME_RECORD_ACCOUNT_KEY].len = 0; /* the account's key was removed for a new one */
            w.account_keys = 0;
            w.ca.point[0] = 0;
        }
        boot_and(ACME_FAILED); /* it is tried anew */
        assert_true(w.ca.requests > requests);
        settle();
        assert_int_equal(plan_now().failures, 1);
    }
}

#if ACME_CFG_EAB
/* A wrong secret: three requests for an account in all, however long a timer runs. With the right one it goes on at once. */
TEST(a_refused_binding_is_not_repeated)
{
    const struct ca_plan plan = {ONE, .eab_kid = "customer-7", .eab_key = DEVICE_SECRET_B64};
    new_world(&plan);
    is.eab_secret = "another";
    boot();
    for (unsigned i = 0; i < 3; i++) {
        expect_failure(ACME_E_BINDING);
        assert_true(acme_failure(&w.client)->retry_s >= DAY);
        settle();
        w.utc = i < 2 ? plan_now().hold_until : w.utc;
    }
    assert_int_equal(plan_now().hold, ACME_HOLD_STOPPED);
    assert_int_equal(plan_now().error, ACME_E_BINDING);
    unsigned requests = w.ca.requests;
    for (unsigned i = 0; i < 50; i++) {
        w.utc += DAY;
        boot_and(ACME_CURRENT);
    }
    assert_int_equal(w.ca.requests, requests);
    is.eab_secret = "secret-secret-secret";
    boot_and(ACME_ISSUED);
    assert_int_equal(w.ca.accounts, 1);
}
#endif

TEST(by_hand_it_goes_until_the_fourth_failure)
{
    const struct ca_plan plan = {ONE, .authz_end = "invalid"};
    new_world(&plan);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
        expect_failure(ACME_E_AUTHZ);
        assert_int_equal(w.ca.order_count, i + 1);
        w.utc += 5;
    }
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
    expect_failure(ACME_E_WAIT);
    assert_in_range(acme_failure(&w.client)->retry_s, 86000, 97000);
    assert_int_equal(w.ca.order_count, 4);
    assert_int_equal(acme_start(&w.client, ACME_NOW, w.now_ms), 0);
    expect_failure(ACME_E_AUTHZ);
    assert_int_equal(w.ca.order_count, 5);
    assert_int_equal(known()->failures, 5);
    w.utc += 2 * DAY;
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
    expect_failure(ACME_E_AUTHZ);
}

TEST(a_store_that_takes_nothing)
{
    settled(&plain);
    w.utc = plan_now().due;
    is.no_writes = true;
    unsigned requests = w.ca.requests;
    run_for(10 * HOUR);
    assert_int_equal(w.ca.requests, requests); /* what cannot be remembered is not asked for */
    assert_in_range(is.failed, 10, 30);
    assert_int_equal(acme_failure(&w.client)->error, ACME_E_STORE_WRITE);
    assert_int_equal(acme_failure(&w.client)->record, ACME_RECORD_RENEWAL);
    is.no_writes = false;
    run_for(HOUR);
    assert_int_equal(is.issued, 2);
}

/* --- time */

TEST(without_the_time_nothing_is_done)
{
    settled(&boulder);
    unsigned requests = w.ca.requests, writes = is.writes;
    is.no_clock = true;
    struct acme_plan plan;
    assert_false(acme_plan(&w.client, &plan));
    assert_int_equal(acme_sleep_s(&w.client), 0);
    run_for(3 * DAY);
    assert_int_equal(w.ca.requests, requests);
    assert_int_equal(is.writes, writes);
    assert_int_equal(acme_failure(&w.client)->error, ACME_E_CLOCK);
    assert_true(is.failed < 3 * 60);
    is.no_clock = false;
    unsigned ticks = acme_stats(&w.client).ticks, current = is.current;
    run_for(HOUR);
    assert_int_equal(plan_now().hold, ACME_HOLD_NONE);
    assert_true(is.current - current <= 2); /* once its last wait is over, and for a look */
    assert_true(acme_stats(&w.client).ticks - ticks < 400);
    pass(65 * DAY);
    assert_int_equal(is.issued, 2);
    /* and 365 boots without it: no request, no write */
    is.no_clock = true;
    requests = w.ca.requests;
    writes = is.writes;
    for (unsigned i = 0; i < 365; i++) {
        boot();
        run_for(30);
    }
    assert_int_equal(w.ca.requests, requests);
    assert_int_equal(is.writes, writes);
}

TEST(clocks_that_jump)
{
    static const int64_t jumps[] = {-20 * 365 * DAY, -365 * DAY,     -DAY,           -HOUR, HOUR, DAY,
                                    30 * DAY,        10 * 365 * DAY, 100 * 365 * DAY};
    for (unsigned i = 0; i < LEN(jumps); i++) {
        for (unsigned failing = 0; failing < 2; failing++) {
            settled(&plain);
            int64_t right = w.utc;
            uint32_t before = w.now_ms;
            is.net_down = failing;
            w.utc += jumps[i];
            run_for(DAY / 2);
            right += (uint32_t)(w.now_ms - before) / 1000;
            w.utc = right; /* the time is right again */
            is.net_down = false;
            run_for(DAY + 3 * HOUR);
            if (plan_now().due <= w.utc) {
                run_for(2 * DAY);
            }
            assert_true(plan_now().due > w.utc);
            assert_true(plan_now().wake > w.utc);
            device_check_pair(&w);
            assert_true(w.ca.order_count <= 4); /* no storm */
            int64_t due = plan_now().due;
            unsigned issued = is.issued;
            pass(due - w.utc + HOUR);
            assert_int_equal(is.issued, issued + 1);
        }
    }
}

TEST(a_clock_out_of_its_mind_is_none)
{
    static const int64_t clocks[] = {INT64_MAX, INT64_MIN, INT64_C(100000000000), 0, -1};
    settled(&plain);
    int64_t right = w.utc;
    unsigned requests = w.ca.requests;
    for (unsigned i = 0; i < LEN(clocks); i++) {
        boot();
        for (unsigned ticks = 0; ticks < 500; ticks++) {
            w.utc = clocks[i];
            (void)acme_tick(&w.client, w.now_ms);
            w.now_ms += 60000;
        }
        struct acme_plan plan;
        assert_false(acme_plan(&w.client, &plan));
        assert_int_equal(w.ca.requests, requests);
        w.utc = right;
    }
    boot_and(ACME_CURRENT);
}

TEST(the_counter_wraps)
{
    for (uint32_t before = 0; before < 70000; before += 5500) {
        const struct ca_plan plan = {ONE, .authz_end = "invalid"};
        new_world(&plan);
        w.now_ms = 0u - before;
        expect(ACME_FAILED);
        int64_t next = known()->next;
        expect(ACME_FAILED);
        assert_true(is.times[1] >= next && is.times[1] < next + 130);
    }
}

/* --- the application */

TEST(it_takes_what_it_is_given)
{
    new_world(&plain);
    is.deploys = true;
    boot_and(ACME_ISSUED);
    assert_int_equal(is.offers, 1);
    assert_int_equal(is.takes, 1);
    settle();
    assert_false(plan_now().deploy_pending);
    boot_and(ACME_CURRENT);
    assert_int_equal(is.takes, 1); /* once */
    w.utc = plan_now().due;
    expect(ACME_ISSUED);
    assert_int_equal(is.takes, 2);
}

TEST(it_was_there_before_there_was_an_application)
{
    issued(&plain);
    is.deploys = true;
    boot_and(ACME_CURRENT);
    assert_int_equal(is.takes, 0);
    w.utc = plan_now().due;
    expect(ACME_ISSUED);
    assert_int_equal(is.takes, 1);
}

TEST(it_is_not_ready_yet)
{
    new_world(&plain);
    is.deploys = true;
    is.offer = 0;
    boot();
    run_for(2 * HOUR);
    assert_int_equal(is.issued, 0);
    assert_true(is.offers > 1000);
    assert_int_equal(acme_sleep_s(&w.client), 0);
    boot(); /* it is offered again */
    is.offers = 0;
    run_for(2 * HOUR);
    assert_true(is.offers > 0);
    assert_int_equal(w.ca.order_count, 1);
    is.offer = 1;
    is.taken = 0;
    run_for(HOUR);
    assert_true(is.takes > 1000);
    assert_int_equal(is.issued, 0);
    assert_int_equal(w.commits, 1);
    is.taken = 1;
    expect(ACME_ISSUED);
    assert_int_equal(w.ca.order_count, 1);
}

TEST(it_refuses)
{
    new_world(&plain);
    is.deploys = true;
    is.offer = ACME_E_OFFER;
    boot();
    expect_failure(ACME_E_OFFER);
    run_for(3 * HOUR);
    assert_int_equal(w.commits, 0);
    assert_int_equal(w.ca.order_count, 1); /* nothing is thrown away */
    assert_int_equal(is.failed, 4);
    is.offer = 1;
    run_for(DAY + 3 * HOUR);
    assert_int_equal(is.issued, 1);
    assert_int_equal(w.ca.order_count, 1);
}

TEST(it_cannot_take_it_over)
{
    new_world(&plain);
    is.deploys = true;
    is.taken = ACME_E_NET;
    boot();
    int64_t begun = w.utc;
    expect_failure(ACME_E_NET);
    assert_int_equal(w.commits, 1);
    assert_true(plan_now().deploy_pending);
    assert_in_range(plan_now().deploy, begun + 60, begun + 90);
    assert_int_equal(plan_now().failures, 0);
    unsigned takes = is.takes;
    for (unsigned i = 0; i < 100; i++) {
        boot_and(ACME_CURRENT);
    }
    assert_int_equal(is.takes, takes);
    run_for(HOUR);
    assert_int_equal(is.takes, 3);
    run_for(2 * HOUR);
    assert_int_equal(is.takes, 4);
    pass(30 * DAY);
    assert_true(is.takes <= 33);
    assert_int_equal(w.ca.order_count, 1);
    pass(32 * DAY); /* renewed meanwhile: the newest is what counts */
    assert_int_equal(w.commits, 2);
    assert_true(plan_now().deploy_pending);
    is.taken = 1;
    takes = is.takes;
    run_for(DAY + 3 * HOUR);
    assert_int_equal(is.takes, takes + 1);
    assert_false(plan_now().deploy_pending);
    assert_int_equal(acme_failure(&w.client)->error, 0);
    pass(10 * DAY);
    assert_int_equal(is.takes, takes + 1);
}

TEST(nothing_can_be_stored_of_it)
{
    new_world(&plain);
    is.deploys = true;
    is.taken = ACME_E_NET;
    boot_and(ACME_FAILED);
    settle();
    is.no_writes = true;
    unsigned takes = is.takes;
    run_for(DAY);
    assert_true(is.takes - takes <= 24 * 60); /* a minute lies between */
    is.taken = 1;
    takes = is.takes;
    run_for(DAY);
    assert_true(is.takes - takes < 60);
    is.no_writes = false;
    run_for(2 * HOUR);
    assert_false(plan_now().deploy_pending);
}

TEST(a_pair_that_is_not_valid_yet_waits)
{
    struct ca_plan plan = plain;
    settled(&plan);
    plan.starts_in = 7200;
    w.utc = plan_now().due;
    run_for(HOUR);
    assert_int_equal(w.commits, 1); /* the old one serves */
    assert_int_equal(w.ca.order_count, 2);
    boot();
    run_for(30 * MINUTE);
    assert_int_equal(w.commits, 1);
    assert_int_equal(w.ca.order_count, 2);
    run_for(HOUR);
    assert_int_equal(w.commits, 2);
    assert_int_equal(w.ca.order_count, 2);
    assert_int_equal(is.failed, 0);
    /* who does not keep running comes again */
    settle();
    is.remembers = true;
    w.utc = plan_now().due;
    boot();
    expect_failure(ACME_E_OFFER);
    w.utc += 3 * HOUR;
    boot_and(ACME_ISSUED);
    assert_int_equal(w.ca.order_count, 3);
    /* with nothing to lose it is put in use */
    issued(&plan);
}

/* --- a fleet */

TEST(a_fleet_comes_spread)
{
    unsigned quarter[4] = {0};
    for (unsigned i = 0; i < 200; i++) {
        new_world(&plain);
        is.spread_s = 4000;
        dice_seed(i);
        boot_and(ACME_CURRENT);
        assert_int_equal(plan_now().hold, ACME_HOLD_SPREAD);
        int64_t at = plan_now().hold_until;
        assert_true(at >= MAKER_NOW && at < MAKER_NOW + 4000 + 5);
        boot(); /* drawn once */
        expect(ACME_CURRENT);
        assert_int_equal(plan_now().hold_until, at);
        quarter[(at - MAKER_NOW) / 1002]++;
        if (i < 3) {
            expect(ACME_ISSUED);
            assert_true(w.utc >= at && w.utc < at + 60);
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_in_range(quarter[i], 30, 70);
    }
    new_world(&plain);
    is.spread_s = UINT32_MAX; /* a day at most */
    boot_and(ACME_CURRENT);
    assert_true(plan_now().hold_until <= w.utc + DAY);
    run_for(DAY + 60);
    assert_int_equal(is.issued, 1);
}

/* Who was there already, and failed, is not put off by that. */
TEST(a_fleet_that_failed_is_spread_no_more)
{
    for (unsigned call = 1; call < 4; call++) {
        new_world(&plain);
        is.spread_s = 100;
        boot();
        is.random_fails = call;
        enum acme_progress first = told();
        is.random_fails = 0;
        assert_true(first == ACME_FAILED || first == ACME_CURRENT);
        run_for(HOUR);
        assert_int_equal(is.issued, 1);
    }
    new_world(&plain);
    is.spread_s = 100;
    is.net_down = true;
    boot_and(ACME_CURRENT);
    expect(ACME_FAILED);
    is.net_down = false;
    boot_and(ACME_CURRENT);
    assert_int_equal(plan_now().hold, ACME_HOLD_FAILURES);
    run_for(HOUR);
    assert_int_equal(is.issued, 1);
}

TEST(without_random_bytes)
{
    new_world(&plain);
    is.spread_s = 100;
    is.no_random = true;
    boot();
    expect_failure(ACME_E_RANDOM);
    w.client.keep.renewal.look = w.utc + DAY;
    is.no_random = false;
    run_for(HOUR);
    assert_int_equal(is.issued, 1);
    settle_until_due();
    is.no_random = true;
    expect(ACME_FAILED);
    is.no_random = false;
    expect(ACME_ISSUED);
    is.no_random = true; /* when the next look is to be drawn */
    boot();
    expect_failure(ACME_E_RANDOM);
}

/* --- another setup */

TEST(another_setup_is_due_now)
{
    const struct ca_plan plan = {ONE, .profiles = "classic shortlived"};
    settled(&plan);
    is.profile = "shortlived";
    boot_and(ACME_ISSUED);
    assert_string_equal(w.ca.order[1].profile, "shortlived");
    settle();
    assert_int_equal(plan_now().why, ACME_WHY_LIFE);
    boot_and(ACME_CURRENT);
    is.directory = CA_URL "/dir?2";
    boot_and(ACME_ISSUED);
    boot_and(ACME_CURRENT);
    assert_int_equal(w.ca.order_count, 3);
}

/* What a CA offers is remembered with its directory only as far as it was asked for: a new wish is looked for there, once. */
TEST(a_new_profile_is_looked_for)
{
    const struct ca_plan none = {ONE, .manage = true}, some = {ONE, .manage = true, .profiles = "classic shortlived"};
    settled(&none);
    is.profile = "shortlived";
    boot();
    expect_failure(ACME_E_PROFILE);
    assert_int_equal(w.ca.count[CA_DIRECTORY], 2);
    assert_int_equal(w.ca.order_count, 1);
    w.ca.plan = &some;
    w.utc += 2 * DAY;
    boot_and(ACME_ISSUED);
    assert_string_equal(w.ca.order[1].profile, "shortlived");
    assert_int_equal(w.ca.count[CA_DIRECTORY], 3);
    settle_until_due();
    boot_and(ACME_ISSUED);
    assert_int_equal(w.ca.count[CA_DIRECTORY], 3);
#if ACME_CFG_MANAGE
    settle(); /* with something else to tell first */
    is.profile = "classic";
    is.contact = "mailto:a@example.org";
    boot_and(ACME_ISSUED);
    assert_int_equal(w.ca.managed.updates, 1);
    assert_string_equal(w.ca.order[3].profile, "classic");
    assert_int_equal(w.ca.count[CA_DIRECTORY], 4);
#endif
}

/* An order that is made keeps what it was made with. */
TEST(an_order_keeps_its_profile)
{
    const struct ca_plan plan = {ONE, .profiles = "classic shortlived"};
    settled(&plan);
    w.utc = plan_now().due;
    while (w.record[ACME_RECORD_ORDER].len == 0) {
        (void)tick();
    }
    is.profile = "classic";
    boot_and(ACME_ISSUED);
    assert_int_equal(w.ca.order_count, 2);
    assert_string_equal(w.ca.order[1].profile, "");
    assert_int_equal(w.ca.count[CA_DIRECTORY], 1);
}

/* The certificate that another CA would replace is not known there. */
TEST(another_ca_is_not_told_what_is_replaced)
{
    issued(&boulder);
    run_for(7 * HOUR);
    is.directory = CA_URL "/dir?2";
    boot_and(ACME_ISSUED);
    assert_string_equal(w.ca.order[1].replaces, "");
}

TEST(the_one_who_runs_once_does_not_rest)
{
    new_world(&plain);
    assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
    expect(ACME_ISSUED);
    assert_false(acme_resting(&w.client));
    assert_int_equal(acme_sleep_s(&w.client), 0);
}

TEST(stopped_by_hand)
{
    issued(&plain);
    acme_stop(&w.client);
    assert_int_equal(acme_tick(&w.client, w.now_ms), ACME_IDLE);
    boot_and(ACME_CURRENT);
}
