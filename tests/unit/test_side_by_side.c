/* test_side_by_side.c - several names at once, on a whole device: how long it takes and what it asks, and a reset in any mixture of
 * what is valid, pending, answered and not. */
#include "unit.h"

#include "fake/device.h"
#include "fault/fastkey.h"

#include <string.h>

static struct device w;
static uint32_t asked_ms[8]; /* when the validation of each was asked for, + 1; 0: not yet */
static uint32_t takes_ms[8]; /* how long each takes */

#define EIGHT                                                                                                        \
    .names = {"a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "g.example", "h.example"}

/* The validators come when their time has come, and must find the answer. */
static void validators(void)
{
    for (unsigned i = 0; w.ca.order_count > 0 && i < w.ca.plan->name_count; i++) {
        struct ca_authz *a = &w.ca.order[0].authz[i];
        if (a->responded && asked_ms[i] == 0) {
            asked_ms[i] = w.now_ms + 1;
        }
        if (a->responded && a->visit == CA_NOBODY_YET && w.now_ms + 1 - asked_ms[i] >= takes_ms[i]) {
            a->visit = ca_shows(&w.ca, a->wanted) ? CA_READ_IT : CA_FOUND_NOBODY;
        }
    }
}

static void new_world(const struct ca_plan *plan)
{
    memset(asked_ms, 0, sizeof asked_ms);
    device_new(&w, plan);
    w.keys = &fastkey_ops;
    assert_int_equal(device_boot(&w), 0);
}

static enum acme_progress run(unsigned ticks_max)
{
    enum acme_progress progress = ACME_BUSY;
    assert_int_equal(acme_start(&w.client, ACME_NOW, w.now_ms), 0);
    for (unsigned i = 0; i < ticks_max && !acme_is_over(progress); i++) {
        progress = device_tick(&w);
        validators();
    }
    return progress;
}

/* Each name takes the CA five seconds: all of them together take hardly longer, and no name costs more than its three requests
 * but for the looks in between. */
TEST(eight_names_wait_once)
{
    static const struct ca_plan plan = {EIGHT, .name_count = 8, .timed = true};
    for (unsigned i = 0; i < 8; i++) {
        takes_ms[i] = 5000;
    }
    new_world(&plan);
    uint32_t began = w.now_ms;
    assert_int_equal(run(30000), ACME_ISSUED);
    print_message("# %u ms, %u requests\n", (unsigned)(w.now_ms - began), w.ca.requests);
    assert_true(w.now_ms - began <= 12000);
    assert_true(w.ca.requests <= 4 + 8 * 3 + 2 + 4);
    assert_int_equal(w.ca.count[CA_CHALLENGE], 8);
    assert_int_equal(w.ca.repeats, 0);
}

/* One after the other, as a CA with one worker has it: still no name is answered twice. */
TEST(a_ca_that_takes_turns)
{
    static const struct ca_plan plan = {EIGHT, .name_count = 8, .timed = true};
    for (unsigned i = 0; i < 8; i++) {
        takes_ms[i] = 5000 * (i + 1);
    }
    new_world(&plan);
    uint32_t began = w.now_ms;
    assert_int_equal(run(30000), ACME_ISSUED);
    assert_true(w.now_ms - began <= 60000);
    assert_int_equal(w.ca.count[CA_CHALLENGE], 8);
    assert_int_equal(w.ca.repeats, 0);
}

/* The power goes after each tick of a run in which one name is valid early, one late, one in between. */
TEST(a_reset_in_any_mixture)
{
    static const struct ca_plan plan = {.names = {"a.example", "b.example", "c.example"},
                                        .name_count = 3,
                                        .timed = true,
                                        .reuse = true,
                                        .shared = true};
    takes_ms[0] = 0;
    takes_ms[1] = 9000;
    takes_ms[2] = 2000;
    enum acme_progress progress = ACME_BUSY;
    for (unsigned ticks = 1; progress != ACME_ISSUED; ticks++) {
        assert_true(ticks < 1000);
        new_world(&plan);
        progress = run(ticks);
        if (progress != ACME_ISSUED) {
            w.ca.power_cut = true;
            memset(w.ca.shown, 0, sizeof w.ca.shown);
            w.ca.published = NULL;
            for (unsigned i = 0; i < 3; i++) { /* they come again when the device is back */
                takes_ms[i] += asked_ms[i] != 0 && w.ca.order[0].authz[i].visit == CA_NOBODY_YET ? 1000 : 0;
            }
            assert_int_equal(device_boot(&w), 0);
            assert_int_equal(run(30000), ACME_ISSUED);
            assert_int_equal(w.ca.order_count, 1);
            takes_ms[0] = 0;
            takes_ms[1] = 9000;
            takes_ms[2] = 2000;
        }
        assert_null(w.ca.published);
    }
}
