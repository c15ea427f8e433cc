/* test_slow_key.c - keys that take many ticks for a signature, as a secure element on a slow bus does: nothing is signed twice, nothing
 * is asked of the CA that a fast key would not ask, and one that never ends does not hold the client for ever. */
#include "unit.h"

#include "fake/device.h"
#include "fault/fastkey.h"

#include <string.h>

static struct device w;
static struct {
    void *handle; /* at work; NULL: none */
    uint8_t digest[32];
    unsigned asked, waits;
    unsigned begun, done;
    int fails; /* what it answers at the end instead */
} slow;

static int sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    if (slow.handle != handle || memcmp(slow.digest, digest, 32) != 0) {
        slow.handle = handle;
        memcpy(slow.digest, digest, 32);
        slow.asked = 0;
        slow.begun++;
    }
    if (slow.asked++ < slow.waits) {
        return 1;
    }
    slow.handle = NULL;
    slow.done++;
    return slow.fails != 0 ? slow.fails : fastkey_ops.sign(handle, digest, signature);
}

static struct acme_key_ops slow_ops;

static void new_world(const struct ca_plan *plan, unsigned waits)
{
    memset(&slow, 0, sizeof slow);
    slow.waits = waits;
    slow_ops = fastkey_ops;
    slow_ops.sign = sign;
    device_new(&w, plan);
    w.keys = &slow_ops;
    assert_int_equal(device_boot(&w), 0);
}

/* At most so many ticks. While the key is at work there is a wait, and no long one. */
static enum acme_progress run(enum acme_task when, unsigned ticks_max)
{
    enum acme_progress progress = ACME_BUSY;
    assert_int_equal(acme_start(&w.client, when, w.now_ms), 0);
    for (unsigned i = 0; i < ticks_max && !acme_is_over(progress); i++) {
        progress = device_tick(&w);
        if (slow.handle != NULL && progress == ACME_IDLE) {
            assert_in_range(acme_idle_ms(&w.client, w.now_ms), 1, 20);
        }
        assert_true(slow.handle == NULL || progress != ACME_BUSY || w.client.flow.presented > 0 || slow.asked == 1);
    }
    return progress;
}

static void each_is_made_once(bool v1)
{
    struct ca_plan plan = {.names = {"a.example", "b.example"}, .name_count = 2, .v1 = v1};
    new_world(&plan, 0);
    assert_int_equal(run(ACME_NOW, 10000), ACME_ISSUED);
    unsigned signatures = slow.done, requests = w.ca.requests;

    new_world(&plan, 30); /* 300 ms */
    assert_int_equal(run(ACME_NOW, 10000), ACME_ISSUED);
    assert_int_equal(slow.begun, signatures);
    assert_int_equal(slow.done, signatures);
    assert_int_equal(acme_stats(&w.client).signatures, signatures);
    assert_int_equal(w.ca.requests, requests);
}

TEST(an_order)
{
    each_is_made_once(false);
}

TEST(an_order_of_acme_v1)
{
    each_is_made_once(true);
}

/* One key signs inside what the other one signs. */
TEST(another_account_key)
{
    static const struct ca_plan plan = {.names = {"a.example"}, .name_count = 1, .manage = true};
    new_world(&plan, 5);
    assert_int_equal(run(ACME_NOW, 10000), ACME_ISSUED);
    assert_int_equal(run(ACME_CHANGE_KEY, 10000), ACME_DONE);
    assert_int_equal(slow.begun, slow.done);
    assert_int_equal(acme_stats(&w.client).signatures, slow.done);
}

TEST(one_that_fails_late)
{
    static const struct ca_plan plan = {.names = {"a.example"}, .name_count = 1};
    new_world(&plan, 5);
    slow.fails = ACME_E_KEY;
    assert_int_equal(run(ACME_NOW, 10000), ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->error, ACME_E_KEY);
}

TEST(one_that_never_ends)
{
    static const struct ca_plan plan = {.names = {"a.example"}, .name_count = 1};
    new_world(&plan, UINT32_MAX);
    uint32_t began = w.now_ms;
    assert_int_equal(run(ACME_NOW, 10000000), ACME_FAILED);
    assert_int_equal(acme_failure(&w.client)->error, ACME_E_BUDGET);
    assert_true(w.now_ms - began <= (ACME_STEP_BUDGET_S + 60) * 1000u);
}

/* The power goes while it is at work: whatever it was to sign, the run behind that makes no second order. */
TEST(a_reset_meanwhile)
{
    static const struct ca_plan plan = {.names = {"a.example"}, .name_count = 1};
    for (unsigned at = 1;; at++) {
        enum acme_progress progress = ACME_BUSY;
        new_world(&plan, 5);
        assert_int_equal(acme_start(&w.client, ACME_IF_DUE, w.now_ms), 0);
        while (!acme_is_over(progress) && (slow.begun < at || slow.asked < 3)) {
            progress = device_tick(&w);
        }
        if (progress == ACME_ISSUED) {
            assert_true(at > 6);
            break;
        }
        slow.handle = NULL;
        w.ca.power_cut = true;
        assert_int_equal(device_boot(&w), 0);
        assert_int_equal(run(ACME_IF_DUE, 10000), ACME_ISSUED);
        assert_int_equal(w.ca.order_count, 1);
    }
}
