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

/* A key that is read or made in pieces. */
static struct {
    unsigned waits, asked;
    unsigned ended, pieces;
    const void *handle; /* at work; its point is asked of nobody meanwhile */
} piecemeal;

static bool not_yet(const void *handle)
{
    bool waits = piecemeal.asked++ < piecemeal.waits;
    assert_true(piecemeal.handle == NULL || piecemeal.handle == handle);
    piecemeal.handle = waits ? handle : NULL;
    piecemeal.asked = waits ? piecemeal.asked : 0;
    piecemeal.ended += !waits;
    piecemeal.pieces += waits;
    return waits;
}

static int load(void *handle, const void *record, size_t len)
{
    return not_yet(handle) ? 1 : fastkey_ops.load(handle, record, len);
}

static int generate(void *handle, const struct acme_sys *random)
{
    return not_yet(handle) ? 1 : fastkey_ops.generate(handle, random);
}

static int point(void *handle, uint8_t out[65])
{
    assert_ptr_not_equal(piecemeal.handle, handle);
    return fastkey_ops.point(handle, out);
}

static struct acme_key_ops slow_ops;

static void new_world(const struct ca_plan *plan, unsigned waits)
{
    memset(&slow, 0, sizeof slow);
    slow.waits = waits;
    slow_ops = fastkey_ops;
    slow_ops.sign = sign;
    slow_ops.load = load;
    slow_ops.generate = generate;
    slow_ops.point = point;
    memset(&piecemeal, 0, sizeof piecemeal);
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

/* --- read and made in pieces --- */

static void boot_anew(void)
{
    piecemeal.handle = NULL;
    piecemeal.asked = 0;
    assert_int_equal(device_boot(&w), 0);
}

/* An order, a look at what is there, and an order with the same key: as many keys, writes and requests as with a fast one. */
static void life(unsigned waits, bool reuse, unsigned figures[4])
{
    static const struct ca_plan plan = {.names = {"a.example"}, .name_count = 1};
    new_world(&plan, 0);
    piecemeal.waits = waits;
    assert_int_equal(run(ACME_NOW, 10000), ACME_ISSUED);
    boot_anew();
    assert_int_equal(run(ACME_IF_DUE, 10000), ACME_CURRENT);
    w.setup.reuse_key = reuse;
    assert_int_equal(run(ACME_NOW, 10000), ACME_ISSUED);
    figures[0] = w.ca.requests;
    figures[1] = acme_stats(&w.client).keys;
    figures[2] = acme_stats(&w.client).writes;
    figures[3] = piecemeal.ended;
    assert_int_equal(piecemeal.pieces, waits * piecemeal.ended);
    ca_free(&w.ca);
}

TEST(keys_in_pieces)
{
    for (int reuse = 0; reuse < 2; reuse++) {
        unsigned fast[4], slowly[4];
        life(0, reuse != 0, fast);
        life(7, reuse != 0, slowly);
        assert_memory_equal(fast, slowly, sizeof fast);
    }
}

TEST(another_account_key_in_pieces)
{
    static const struct ca_plan plan = {.names = {"a.example"}, .name_count = 1, .manage = true};
    new_world(&plan, 0);
    piecemeal.waits = 5;
    assert_int_equal(run(ACME_NOW, 10000), ACME_ISSUED);
    assert_int_equal(run(ACME_CHANGE_KEY, 10000), ACME_DONE);
    boot_anew();
    assert_int_equal(run(ACME_NOW, 10000), ACME_ISSUED);
    ca_free(&w.ca);
}

/* Wherever the power goes, in a key, or between the requests of a change: one order, one account, and a key that is there or is not. */
static void cut_while_keys_are_made(bool change)
{
    static const struct ca_plan plan = {.names = {"a.example"}, .name_count = 1, .manage = true};
    for (unsigned at = 1;; at++) {
        enum acme_progress progress = ACME_BUSY;
        new_world(&plan, 0);
        piecemeal.waits = 3;
        if (change) {
            assert_int_equal(run(ACME_NOW, 10000), ACME_ISSUED);
        }
        unsigned before = piecemeal.pieces + (change ? w.ca.requests : 0);
        assert_int_equal(acme_start(&w.client, change ? ACME_CHANGE_KEY : ACME_IF_DUE, w.now_ms), 0);
        while (!acme_is_over(progress) && piecemeal.pieces + (change ? w.ca.requests : 0) - before < at) {
            progress = device_tick(&w);
        }
        if (acme_is_over(progress)) {
            assert_true(at > 5 && (progress == ACME_ISSUED || progress == ACME_DONE));
            break;
        }
        w.ca.power_cut = true;
        boot_anew();
        progress = run(change ? ACME_CHANGE_KEY : ACME_IF_DUE, 10000);
        assert_int_equal(progress, change ? ACME_DONE : ACME_ISSUED);
        assert_int_equal(w.ca.order_count, 1);
        ca_free(&w.ca);
    }
    ca_free(&w.ca);
}

TEST(a_reset_while_a_key_is_made)
{
    cut_while_keys_are_made(false);
}

TEST(a_reset_while_an_account_key_is_changed)
{
    cut_while_keys_are_made(true);
}
