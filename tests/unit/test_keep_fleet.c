/* What a thousand siblings ask of each of them: looks for renewal information that come again, that do not all come in the second
 * the power is back, and a moment the CA names that is not everybody's. tests/soak has them all. */
#include "unit.h"

#include "fake/device.h"
#include "fault/fastkey.h"

#include "lifecycle/plan.h"

#include <string.h>

#define DEVICES 16

static struct device w;

static void boot(void)
{
    w.keys = &fastkey_ops;
    assert_int_equal(device_boot(&w), 0);
    assert_int_equal(acme_start(&w.client, ACME_KEEP, w.now_ms), 0);
}

static void run_until(int64_t utc)
{
    for (unsigned ticks = 0; w.utc < utc; ticks++) {
        assert_true(ticks < 100000);
        (void)device_tick(&w);
    }
}

TEST(looks_come_again_and_again)
{
    static const struct ca_plan plan = {.names = {"device.example"},
                                        .name_count = 1,
                                        .ari = true,
                                        .ari_start = 20 * MAKER_DAY,
                                        .ari_end = 21 * MAKER_DAY};
    device_new(&w, &plan);
    boot();
    run_until(MAKER_NOW + 3 * MAKER_DAY);
    assert_int_equal(w.ca.order_count, 1);
    assert_in_range(w.ca.renewal_infos, 10, 12); /* one in six hours */
}

/* The moment of the last look is stored with the window, but a day later it is no moment to come all at once. */
TEST(the_first_look_after_a_boot_is_anywhen_in_ten_minutes)
{
    static const struct ca_plan plan = {.names = {"device.example"},
                                        .name_count = 1,
                                        .ari = true,
                                        .ari_start = 20 * MAKER_DAY,
                                        .ari_end = 21 * MAKER_DAY};
    unsigned early = 0;
    device_new(&w, &plan);
    boot();
    run_until(MAKER_NOW + MAKER_DAY);
    for (unsigned i = 0; i < DEVICES; i++) {
        unsigned looks = w.ca.renewal_infos;
        w.utc += MAKER_DAY; /* without power */
        int64_t since = w.utc;
        boot();
        run_until(since + 60);
        early += w.ca.renewal_infos > looks;
        run_until(since + 620);
        assert_int_equal(w.ca.renewal_infos, looks + 1);
    }
    assert_in_range(early, 0, DEVICES / 2); /* one of ten is meant */
}

static void refused(const struct ca_twist *twist, int64_t wait_s)
{
    struct ca_plan plan = {
        .names = {"device.example"}, .name_count = 1, .shared = true, .twists = twist, .twist_count = 1};
    int64_t least = INT64_MAX, most = 0;
    for (unsigned i = 0; i < DEVICES; i++) {
        struct acme_plan when;
        device_new(&w, &plan);
        boot();
        run_until(MAKER_NOW + 60);
        assert_true(acme_plan(&w.client, &when));
        assert_int_equal(when.hold, ACME_HOLD_CA);
        least = when.hold_until < least ? when.hold_until : least;
        most = when.hold_until > most ? when.hold_until : most;
    }
    int64_t latest = wait_s + wait_s / 10 < MAKER_DAY ? wait_s + wait_s / 10 : MAKER_DAY;
    assert_true(least >= MAKER_NOW + wait_s); /* never before */
    assert_true(most <= MAKER_NOW + latest + 5);
    assert_true(wait_s == MAKER_DAY || most - least > wait_s / 40);
}

TEST(a_moment_the_ca_names_is_not_everybodys)
{
#define LIMITED(seconds)                                                                                             \
    {                                                                                                                \
        CA_NEW_ORDER, 1, CA_FOREVER, CA_SAY,                                                                         \
            "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nRetry-After: " seconds      \
            "\r\n",                                                                                                  \
            CA_BECAUSE("rateLimited")                                                                                \
    }
    static const struct ca_twist an_hour = LIMITED("3600"), a_day = LIMITED("86400"), nearly_a_day = LIMITED("82800");
    refused(&an_hour, 3600);
    refused(&nearly_a_day, 82800);
    refused(&a_day, 86400);
}
