/* When: the decision, which is a pure function of what is stored, the pair in use and the time. Years pass here without a
 * client: a device of a few lines obeys the plan, as acme_keep.c does. */
#include "unit.h"

#include <string.h>

#include "lifecycle/plan.h"
#include "lifecycle/renew.h"

#define MINUTE  INT64_C(60)
#define HOUR    INT64_C(3600)
#define DAY     INT64_C(86400)
#define YEAR    (365 * DAY)
#define NOW     INT64_C(1790000000)
#define TOO_FAR (DAY + DAY / 8) /* a wait of more than this was set by nobody */

static uint64_t dice = 88172645463325252u;

static uint32_t roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)(dice >> 24);
}

static int by_dice(void *ctx, void *buf, size_t len)
{
    for (uint8_t *at = buf; len-- > 0;) {
        *at++ = (uint8_t)roll();
    }
    return 0;
}

static int all_the_same(void *ctx, void *buf, size_t len)
{
    memset(buf, *(int *)ctx, len);
    return 0;
}

static int no_bytes(void *ctx, void *buf, size_t len)
{
    return ACME_E_RANDOM;
}

/* --- what is decided upon */

static struct acme_renewal renewal;
static struct acme_pair pair;
static struct acme_mark setup;
static struct acme_facts facts;
static struct acme_plan plan;

static struct acme_mark mark(char c)
{
    struct acme_mark m;
    memset(m.text, c, ACME_MARK_LEN);
    m.text[ACME_MARK_LEN] = '\0';
    return m;
}

static void use_pair(int64_t from, int64_t life)
{
    pair.not_before = from;
    pair.not_after = from + life;
    pair.same_names = true;
    pair.mark = mark('a');
}

static int set_up(void **state)
{
    memset(&renewal, 0, sizeof renewal);
    memset(&pair, 0, sizeof pair);
    setup = mark('s');
    facts = (struct acme_facts){.renewal = &renewal, .pair = &pair, .setup = &setup, .utc = NOW};
    use_pair(NOW, 90 * DAY);
    return 0;
}

static void decide(void)
{
    acme_plan_make(&plan, &facts);
}

static void decide_at(int64_t utc)
{
    facts.utc = utc;
    decide();
}

static int window(int64_t start, int64_t end)
{
    return acme_plan_window(&renewal, &pair, start, end, by_dice, NULL);
}

static const int64_t lives[] = {90 * DAY, 64 * DAY, 45 * DAY, 160 * HOUR};

/* --- by life */

TEST(a_life_is_over_at_its_share_and_up_to_a_64th_earlier)
{
    static const int64_t all[] = {1,        300,      HOUR,      12 * HOUR, DAY,      160 * HOUR, 10 * DAY - 1,
                                  10 * DAY, 90 * DAY, 398 * DAY, 20 * YEAR, 79 * YEAR};
    for (unsigned i = 0; i < LEN(all); i++) {
        use_pair(NOW, all[i]);
        for (unsigned key = 0; key < 0x10000; key += 0x1111) {
            pair.point[1] = (uint8_t)(key >> 8);
            pair.point[2] = (uint8_t)key;
            int64_t earlier = acme_renew_at(NOW, NOW + all[i]) - acme_plan_by_life(&pair);
            assert_true(earlier >= 0 && earlier <= all[i] / 64);
            assert_true(acme_plan_by_life(&pair) >= pair.not_before);
            assert_true(key > 0 || earlier == 0);
        }
    }
    use_pair(NOW, 90 * DAY);
    memset(pair.point, 0, sizeof pair.point);
    decide();
    assert_int_equal(plan.due, NOW + 60 * DAY);
    assert_int_equal(plan.why, ACME_WHY_LIFE);
    use_pair(NOW, 160 * HOUR);
    decide();
    assert_int_equal(plan.due, NOW + 80 * HOUR);
}

/* Chi-square over `n` bins, none of which is expected to hold more than another. 0.1 % of fair draws are beyond. */
static void assert_flat(const unsigned *bins, unsigned n, unsigned draws)
{
    double sum = 0, expected = (double)draws / n;
    for (unsigned i = 0; i < n; i++) {
        sum += ((double)bins[i] - expected) * ((double)bins[i] - expected) / expected;
    }
    double limit = n == 64 ? 103.4 : 149.4; /* 63 and 99 degrees of freedom; p = 0.001 */
    assert_true(n == 64 || n == 100);
    assert_true(sum < limit);
    assert_true(sum > 20); /* too good to be drawn */
}

TEST(certificates_of_one_minute_are_not_renewed_in_one)
{
    for (unsigned life = 0; life < LEN(lives); life++) {
        unsigned bins[64] = {0};
        use_pair(NOW, lives[life]);
        int64_t last = acme_renew_at(pair.not_before, pair.not_after);
        for (unsigned i = 0; i < 64000; i++) {
            (void)by_dice(NULL, pair.point, sizeof pair.point);
            int64_t earlier = last - acme_plan_by_life(&pair);
            bins[earlier * 64 / (lives[life] / 64 + 1)]++;
        }
        assert_flat(bins, 64, 64000);
    }
}

/* --- by the CA's window */

TEST(a_moment_is_drawn_uniformly)
{
    for (unsigned life = 0; life < LEN(lives); life++) {
        unsigned bins[100] = {0};
        use_pair(NOW, lives[life]);
        int64_t middle = acme_renew_at(NOW, pair.not_after), half = lives[life] / 100; /* as Let's Encrypt has it */
        for (unsigned i = 0; i < 100000; i++) {
            memset(&renewal, 0, sizeof renewal);
            assert_int_equal(window(middle - half, middle + half), 1);
            int64_t at = renewal.chosen - (middle - half);
            assert_true(at >= 0 && at < 2 * half);
            bins[at * 100 / (2 * half)]++;
        }
        assert_flat(bins, 100, 100000);
    }
}

/* Who draws at each look is early: 82 % in the first quarter of a window of 43 hours, with looks each hour. */
TEST(looks_and_reboots_do_not_move_it)
{
    unsigned quarter[4] = {0};
    int64_t start = NOW + 60 * DAY - 21 * HOUR, end = start + 43 * HOUR;
    for (unsigned device = 0; device < 5000; device++) {
        memset(&renewal, 0, sizeof renewal);
        assert_int_equal(window(start, end), 1);
        struct acme_renewal first = renewal;
        for (unsigned look = 0; look < 50; look++) {
            struct acme_renewal stored = renewal; /* a reboot */
            renewal = stored;
            assert_int_equal(window(start, end), 0);
        }
        assert_memory_equal(&first, &renewal, sizeof renewal);
        quarter[(renewal.chosen - start) * 4 / (end - start)]++;
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_in_range(quarter[i], 1150, 1350); /* 25 +- 2 % */
    }
}

TEST(another_window_is_another_draw)
{
    int64_t start = NOW + 50 * DAY, end = NOW + 52 * DAY;
    assert_int_equal(window(start, end), 1);
    int64_t chosen = renewal.chosen;
    assert_int_equal(window(start, end), 0);
    assert_int_equal(window(start - 1, end), 1);
    assert_true(renewal.chosen != chosen); /* but for one in 170,000 */
    assert_int_equal(renewal.start, start - 1);
    chosen = renewal.chosen;
    assert_int_equal(window(start - 1, end + 1), 1);
    assert_true(renewal.chosen != chosen);
    assert_int_equal(renewal.end, end + 1);
    renewal.chosen = 0; /* stored without a choice: one is made, and 0 is none that is past */
    decide();
    assert_int_equal(plan.why, ACME_WHY_LIFE);
    assert_int_equal(plan.chosen, 0);
    assert_int_equal(window(start - 1, end + 1), 1);
    assert_true(renewal.chosen >= start - 1);
}

TEST(none_told_keeps_the_one_before)
{
    int64_t start = NOW + 50 * DAY, end = NOW + 52 * DAY;
    assert_int_equal(window(start, end), 1);
    struct acme_renewal before = renewal;
    assert_int_equal(window(0, 0), 0);
    assert_int_equal(window(end, start), 0);
    assert_int_equal(window(UINT32_MAX, 1), 0);
    assert_memory_equal(&before, &renewal, sizeof before);
}

TEST(small_and_huge_windows)
{
    int64_t start = NOW + 50 * DAY;
    for (int64_t len = 1; len <= 3; len++) {
        unsigned hit[3] = {0};
        for (unsigned i = 0; i < 600; i++) {
            memset(&renewal, 0, sizeof renewal);
            assert_int_equal(window(start, start + len), 1);
            assert_true(renewal.chosen >= start && renewal.chosen < start + len);
            hit[renewal.chosen - start]++;
        }
        for (unsigned i = 0; i < len; i++) {
            assert_in_range(hit[i], (unsigned)(600 / len * 3 / 4), 600);
        }
    }
    use_pair(NOW, 79 * YEAR);
    static const int64_t lengths[] = {(INT64_C(1) << 31) - 1, INT64_C(1) << 31, (INT64_C(1) << 31) + 1};
    for (unsigned i = 0; i < LEN(lengths); i++) {
        memset(&renewal, 0, sizeof renewal);
        assert_int_equal(window(start, start + lengths[i]), 1);
        assert_true(renewal.chosen >= start && renewal.chosen < start + lengths[i]);
    }
    static const int64_t ends[] = {INT64_C(4294000000), UINT32_MAX - 1, UINT32_MAX};
    for (unsigned i = 0; i < LEN(ends); i++) {
        memset(&renewal, 0, sizeof renewal);
        assert_int_equal(window(1, ends[i]), 1);
        assert_true(renewal.chosen >= pair.not_before && renewal.chosen < renewal.end);
        assert_true(renewal.end < pair.not_after && renewal.start == pair.not_before);
    }
}

TEST(random_bytes_that_are_none)
{
    int zero = 0, ones = 0xff;
    int64_t start = NOW + 50 * DAY, end = start + 43 * HOUR;
    assert_int_equal(acme_plan_window(&renewal, &pair, start, end, all_the_same, &zero), 1);
    assert_int_equal(renewal.chosen, start);
    memset(&renewal, 0, sizeof renewal);
    assert_int_equal(acme_plan_window(&renewal, &pair, start, end, all_the_same, &ones), 1);
    assert_true(renewal.chosen >= start && renewal.chosen < end);
    memset(&renewal, 0, sizeof renewal);
    assert_int_equal(acme_plan_window(&renewal, &pair, start, start + 65536, all_the_same, &ones), 1);
    assert_int_equal(renewal.chosen, start + 65535);
    memset(&renewal, 0, sizeof renewal);
    assert_int_equal(acme_plan_window(&renewal, &pair, start, end, no_bytes, NULL), ACME_E_RANDOM);
    assert_int_equal(renewal.start, 0); /* nothing was taken */
    assert_int_equal(renewal.chosen, 0);
}

TEST(windows_that_no_good_ca_has)
{
    const int64_t life = 90 * DAY, last = NOW + life - life / 10, rule = NOW + 60 * DAY;
    assert_true(last < NOW + life * 91 / 100);
    /* up to the very end: not drawn there */
    for (unsigned i = 0; i < 1000; i++) {
        memset(&renewal, 0, sizeof renewal);
        assert_int_equal(window(rule, NOW + life), 1);
        assert_true(renewal.chosen >= rule && renewal.chosen < last);
        decide_at(NOW + DAY);
        assert_true(plan.due <= rule + life / 10);
        assert_true(plan.why == (renewal.chosen <= rule + life / 10 ? ACME_WHY_WINDOW : ACME_WHY_BACKSTOP));
    }
    static const struct {
        int64_t start, end;
    } ahead[] = {{NOW + 90 * DAY, NOW + 91 * DAY}, {UINT32_MAX, UINT32_MAX}, {NOW + 30 * YEAR, NOW + 31 * YEAR}};
    for (unsigned i = 0; i < LEN(ahead); i++) {
        memset(&renewal, 0, sizeof renewal);
        assert_int_equal(window(ahead[i].start, ahead[i].end), 1);
        decide_at(NOW + DAY);
        assert_int_equal(plan.why, ACME_WHY_BACKSTOP);
        assert_int_equal(plan.due, rule + life / 10); /* 23 % left */
        assert_true(plan.chosen >= NOW && plan.chosen < last);
    }
    /* over long ago: now */
    static const struct {
        int64_t start, end;
    } past[] = {{1, 1}, {1, 2}, {NOW - YEAR, NOW - DAY}, {NOW - 3600, NOW - 1800}};
    for (unsigned i = 0; i < LEN(past); i++) {
        memset(&renewal, 0, sizeof renewal);
        assert_int_equal(window(past[i].start, past[i].end), 1);
        decide_at(NOW + DAY);
        assert_int_equal(plan.why, ACME_WHY_WINDOW);
        assert_true(plan.due <= NOW + DAY);
    }
    /* and a life that is none has no window that does harm */
    static const int64_t no_lives[] = {0, -1, -DAY, -90 * DAY};
    for (unsigned i = 0; i < LEN(no_lives); i++) {
        memset(&renewal, 0, sizeof renewal);
        use_pair(NOW, no_lives[i]);
        assert_int_equal(window(NOW, NOW + DAY), 1);
        assert_true(renewal.start < renewal.end && renewal.chosen >= renewal.start && renewal.chosen < renewal.end);
        decide();
        assert_int_equal(plan.why, ACME_WHY_EXPIRED);
    }
}

TEST(a_window_beats_the_rule_within_a_tenth)
{
    for (unsigned life = 0; life < LEN(lives); life++) {
        memset(&renewal, 0, sizeof renewal);
        use_pair(NOW, lives[life]);
        memset(pair.point, 0, sizeof pair.point);
        int64_t rule = acme_renew_at(NOW, pair.not_after), most = lives[life] / 10;
        assert_int_equal(window(rule + most, rule + most + 1), 1);
        decide();
        assert_int_equal(plan.why, ACME_WHY_WINDOW);
        assert_int_equal(plan.due, rule + most);
        assert_int_equal(window(rule + most + 1, rule + most + 2), 1);
        decide();
        assert_int_equal(plan.why, ACME_WHY_BACKSTOP);
        assert_int_equal(plan.due, rule + most);
        assert_int_equal(plan.start, rule + most + 1); /* shown nevertheless */
    }
}

/* May 2026: cross-signs were recalled, and a client said that the window had begun and that it was not yet time. */
TEST(a_window_that_moves_earlier_beats_what_is_stored)
{
    renewal.tried = NOW;
    assert_int_equal(window(NOW + 59 * DAY, NOW + 61 * DAY), 1);
    decide_at(NOW + 20 * DAY);
    assert_true(plan.due > facts.utc);
    assert_int_equal(window(facts.utc - 3 * HOUR, facts.utc - HOUR), 1);
    decide();
    assert_int_equal(plan.why, ACME_WHY_WINDOW);
    assert_true(plan.due <= facts.utc);
    assert_true(plan.wake <= facts.utc);
    renewal.tried = facts.utc - 60; /* nor does an attempt that has failed put it off */
    renewal.failures = 1;
    decide();
    assert_true(plan.due <= facts.utc);
}

/* --- a device that obeys the plan */

static struct {
    unsigned orders, looks;
    int64_t utc;
    char leaf;
    int64_t life, backdated;
} world;

static void world_of(int64_t life, int64_t backdated)
{
    memset(&renewal, 0, sizeof renewal);
    memset(&world, 0, sizeof world);
    memset(&pair, 0, sizeof pair);
    world.utc = NOW;
    world.life = life;
    world.backdated = backdated;
    world.leaf = 'a';
    facts.asks = true;
}

/* The next moment that matters; an attempt succeeds, or does not. */
static void live(bool succeeds, int64_t start, int64_t end)
{
    facts.utc = world.utc;
    acme_renewal_settle(&renewal, &pair.mark, &setup);
    decide();
    assert_true(plan.wake != ACME_TIME_NEVER);
    world.utc = plan.wake > world.utc ? plan.wake : world.utc + 1; /* a round takes a moment */
    facts.utc = world.utc;
    decide();
    if (plan.due <= world.utc && plan.hold_until <= world.utc) {
        acme_plan_attempt(&renewal, &plan, &facts, (uint16_t)roll());
        world.orders++;
        if (succeeds) {
            world.leaf = (char)(world.leaf == 'z' ? 'a' : world.leaf + 1);
            use_pair(world.utc - world.backdated, world.life);
            pair.mark = mark(world.leaf);
            (void)by_dice(NULL, pair.point, sizeof pair.point);
        }
    } else if (plan.look <= world.utc) {
        world.looks++;
        if (start < end) {
            (void)window(world.utc + start, world.utc + end);
        }
        renewal.look = world.utc + acme_plan_look_s(21600, world.life, 0);
    }
}

TEST(a_ca_that_always_says_now_is_not_obeyed_without_end)
{
    static const struct {
        int64_t start, end;
    } says[] = {{-3600, -1800}, {-3600, 3600}, {-1, 1}, {-YEAR, -YEAR + 1}, {0, 60}, {-30 * DAY, 30 * DAY}};
    for (unsigned life = 0; life < LEN(lives); life++) {
        for (unsigned i = 0; i < LEN(says); i++) {
            world_of(lives[life], HOUR);
            while (world.utc < NOW + 30 * DAY) {
                live(true, says[i].start, says[i].end);
            }
            /* the first one, then after a day and a third, two days, four, eight; but lives of six days are halved anyway */
            unsigned most = lives[life] < 10 * DAY ? 15 : 5;
            assert_in_range(world.orders, 2, most);
            assert_true(world.looks < 6 * 30);
        }
    }
}

TEST(a_recall_of_an_old_certificate_is_obeyed_at_once)
{
    for (unsigned life = 0; life < LEN(lives); life++) {
        world_of(lives[life], HOUR);
        live(true, 0, 0);
        assert_int_equal(world.orders, 1);
        facts.utc = world.utc + lives[life] / 4;
        acme_renewal_settle(&renewal, &pair.mark, &setup);
        assert_int_equal(window(facts.utc - 3600, facts.utc - 1800), 1);
        decide();
        assert_int_equal(plan.why, ACME_WHY_WINDOW);
        assert_true(plan.due <= facts.utc);
        assert_true(plan.wake <= facts.utc);
    }
}

TEST(after_an_ordinary_renewal_urgency_is_forgotten)
{
    renewal.urgent = 7;
    decide_at(NOW + 61 * DAY);
    acme_plan_attempt(&renewal, &plan, &facts, 0);
    assert_int_equal(renewal.urgent, 0);
    set_up(NULL);
    renewal.urgent = UINT32_MAX; /* and is counted no further than there are numbers */
    renewal.tried = NOW - YEAR;
    assert_int_equal(window(0, 1), 1);
    decide_at(NOW + DAY);
    assert_int_equal(plan.why, ACME_WHY_WINDOW);
    acme_plan_attempt(&renewal, &plan, &facts, 0);
    assert_int_equal(renewal.urgent, UINT32_MAX);
    renewal.failures = 0;
    decide_at(NOW + DAY);
    assert_true(plan.due <= NOW + 71 * DAY); /* never beyond the backstop */
}

TEST(what_is_due_as_it_comes_is_not_ordered_at_once_again)
{
    static const struct {
        int64_t life, backdated;
    } cas[] = {{300, 0},        {300, 299},           {HOUR, 0},        {2 * HOUR, HOUR},      {12 * HOUR, 11 * HOUR},
               {DAY, DAY - 60}, {90 * DAY, 89 * DAY}, {DAY, DAY + 300}, {90 * DAY, 100 * DAY}, {HOUR + 300, HOUR}};
    for (unsigned i = 0; i < LEN(cas); i++) {
        world_of(cas[i].life, cas[i].backdated);
        while (world.utc < NOW + HOUR) {
            live(true, 0, 0);
        }
        assert_in_range(world.orders, 1, 4); /* the last one at the hour's end */
        /* and the clock that was ahead when it came does not hold it up */
        renewal.tried = NOW + 10 * YEAR;
        renewal.failures = 0;
        use_pair(NOW - 100 * DAY, 90 * DAY);
        decide_at(NOW);
        assert_int_equal(plan.due, ACME_TIME_NOW);
    }
}

/* --- back-off */

TEST(waits_grow_and_stay_within_what_is_left)
{
    static const uint32_t base[] = {60, 60, 600, 6000, 86400, 86400};
    for (unsigned failures = 0; failures < 6; failures++) {
        assert_int_equal(acme_plan_backoff_s(failures, 0, 0), base[failures]);
        assert_int_equal(acme_plan_backoff_s(failures, 90 * DAY, 0), base[failures]);
        assert_int_equal(acme_plan_backoff_s(failures, UINT32_MAX, 0), base[failures]);
        uint32_t most = acme_plan_backoff_s(failures, 0, 0xffff);
        assert_true(most >= base[failures] && most <= base[failures] + base[failures] / 10);
        assert_true(most > base[failures] || base[failures] < 100);
    }
    for (unsigned n = 0; n < 32; n++) { /* at every power of two, and beside it */
        for (int beside = -1; beside <= 1; beside++) {
            uint32_t failures = (UINT32_C(1) << n) + (uint32_t)beside;
            for (int64_t left = 0; left < 100 * YEAR; left = left * 3 + 2) {
                uint32_t wait = acme_plan_backoff_s(failures, left, (uint16_t)roll());
                assert_true(wait >= 60);
                assert_true(wait <= DAY + DAY / 10);
                int64_t sixth = left / 6 > 60 ? left / 6 : 60;
                assert_true(left <= 0 || wait <= sixth + sixth / 10);
            }
        }
    }
    assert_int_equal(acme_plan_backoff_s(UINT32_MAX, 0, 0), 86400);
}

/* A certificate for a day that is due at half its life must not be given four tries. */
TEST(a_short_life_is_tried_more_often)
{
    static const int64_t all[] = {HOUR, 12 * HOUR, DAY, 160 * HOUR, 45 * DAY};
    static const unsigned tries[] = {7, 13, 16, 20, 20};
    for (unsigned i = 0; i < LEN(all); i++) {
        world_of(all[i], 0);
        live(true, 0, 0);
        int64_t expires = pair.not_after, last = 0, before = 0;
        facts.asks = false;
        for (world.orders = 0; world.utc < expires;) {
            live(false, 0, 0);
            before = last;
            last = world.utc;
        }
        assert_true(world.orders >= tries[i]);
        assert_true(expires - before <= 2 * MINUTE ||
                    expires - before <= all[i] / 6); /* tried until shortly before */
        assert_true(world.orders < 200);
    }
}

TEST(a_name_that_never_validates)
{
    for (unsigned seed = 0; seed < 50; seed++) {
        unsigned hour = 0, day = 0, month = 0;
        int64_t last = 0, last_wait = 0;
        world_of(90 * DAY, 0);
        facts.asks = false;
        while (world.utc < NOW + 30 * DAY) {
            for (unsigned boots = 0; boots < 34; boots++) { /* each looks at what is stored, and goes again */
                decide_at(world.utc);
                assert_true(world.orders == 0 || plan.wake > world.utc);
            }
            live(false, 0, 0);
            hour += world.utc < NOW + HOUR;
            day += world.utc < NOW + DAY;
            month++;
            assert_true(last == 0 || world.utc - last >= 60);
            assert_true(last == 0 || world.utc - last <= DAY + DAY / 10 + 1);
            assert_true(last_wait >= DAY || world.utc - last >= last_wait);
            last_wait = last == 0 ? 0 : world.utc - last;
            last = world.utc;
        }
        assert_in_range(hour, 2, 3);
        assert_in_range(day, 4, 5);
        assert_in_range(month, 27, 34);
    }
    facts.asks = true;
}

TEST(seventy_years_of_failure)
{
    world_of(90 * DAY, 0);
    facts.asks = false;
    int64_t last = world.utc;
    for (world.orders = 0; world.utc < NOW + 70 * YEAR;) {
        live(false, 0, 0);
        int64_t wait = world.utc - last;
        assert_true(world.orders == 1 || (wait >= 60 && wait <= DAY + DAY / 10 + 1));
        assert_true(renewal.failures == world.orders);
        last = world.utc;
    }
    assert_in_range(world.orders, 23000, 25700);
    renewal.failures = UINT32_MAX - 1;
    for (unsigned i = 0; i < 3; i++) {
        live(false, 0, 0);
    }
    assert_int_equal(renewal.failures, UINT32_MAX); /* and stays there */
    assert_true(renewal.next - world.utc >= DAY);
}

/* --- looks */

TEST(looks_come_when_the_ca_says)
{
    assert_int_equal(acme_plan_look_s(-1, 90 * DAY, 0), 6 * HOUR);
    assert_int_equal(acme_plan_look_s(-1, 40 * HOUR, 0), 7200); /* a twentieth */
    assert_int_equal(acme_plan_look_s(-1, HOUR, 0), 180);
    assert_int_equal(acme_plan_look_s(-1, 0, 0), 60);
    assert_int_equal(acme_plan_look_s(0, 90 * DAY, 0), 60);
    assert_int_equal(acme_plan_look_s(59, 90 * DAY, 0), 60);
    assert_int_equal(acme_plan_look_s(21600, 90 * DAY, 0), 21600);
    assert_int_equal(acme_plan_look_s(86401, 90 * DAY, 0), 86400);
    assert_int_equal(acme_plan_look_s(INT32_MAX, 90 * DAY, 0), 86400);
    static const uint32_t failed[] = {60, 600, 6000, 21600, 21600};
    for (uint32_t i = 0; i < LEN(failed); i++) {
        assert_int_equal(acme_plan_look_s(-1, 0, i + 1), failed[i]);
    }
    assert_int_equal(acme_plan_look_s(-1, 0, UINT32_MAX), 21600);
}

TEST(nobody_looks_when_it_would_be_of_no_use)
{
    facts.asks = true;
    decide();
    assert_int_equal(plan.look, 0); /* at once: none is known of */
    assert_int_equal(plan.wake, 0);
    renewal.look = NOW + HOUR;
    decide();
    assert_int_equal(plan.look, NOW + HOUR);
    assert_int_equal(plan.wake, NOW + HOUR);
    renewal.look = NOW + 2 * DAY; /* stored by a clock that was ahead */
    decide();
    assert_int_equal(plan.look, ACME_TIME_NOW);
    renewal.look = NOW + HOUR;
    facts.asks_late = true; /* it has had none to tell: shortly before the end of what is safe */
    decide();
    assert_true(plan.look > NOW + 50 * DAY && plan.look < plan.due);
    decide_at(plan.due); /* due: what the CA would say changes nothing */
    assert_int_equal(plan.look, ACME_TIME_NEVER);
    facts.asks_late = false;
    decide_at(pair.not_after); /* over */
    assert_int_equal(plan.look, ACME_TIME_NEVER);
    facts.utc = NOW;
    facts.asks = false;
    decide();
    assert_int_equal(plan.look, ACME_TIME_NEVER);
    facts.asks = true;
    pair.same_names = false;
    decide();
    assert_int_equal(plan.look, ACME_TIME_NEVER);
}

/* --- why, and what comes first */

TEST(what_comes_first)
{
    renewal.setup = setup;
    struct acme_mark other = mark('o');
    decide();
    assert_int_equal(plan.why, ACME_WHY_LIFE);
    assert_int_equal(plan.not_before, NOW);
    assert_int_equal(plan.not_after, NOW + 90 * DAY);
    facts.order = true;
    decide();
    assert_int_equal(plan.why, ACME_WHY_ORDER);
    assert_int_equal(plan.due, ACME_TIME_NOW);
    facts.utc = pair.not_after;
    decide();
    assert_int_equal(plan.why, ACME_WHY_EXPIRED);
    assert_int_equal(plan.due, ACME_TIME_NOW);
    facts.setup = &other;
    decide();
    assert_int_equal(plan.why, ACME_WHY_SETUP);
    assert_int_equal(plan.due, ACME_TIME_NOW);
    pair.same_names = false;
    decide();
    assert_int_equal(plan.why, ACME_WHY_NAMES);
    assert_int_equal(plan.due, ACME_TIME_NOW);
    pair.mark.text[0] = '\0';
    decide();
    assert_int_equal(plan.why, ACME_WHY_NO_PAIR);
    assert_int_equal(plan.due, ACME_TIME_NOW);
    assert_int_equal(plan.not_after, 0);
    /* with what a pair was asked for is not known of one that another image has got */
    set_up(NULL);
    facts.setup = &other;
    decide();
    assert_int_equal(plan.why, ACME_WHY_LIFE);
}

TEST(what_is_in_the_way)
{
    decide_at(NOW + 61 * DAY);
    assert_int_equal(plan.hold, ACME_HOLD_NONE);
    assert_int_equal(plan.hold_until, ACME_TIME_NOW);
    renewal.next = facts.utc + 100;
    decide();
    assert_int_equal(plan.hold, ACME_HOLD_SPREAD);
    renewal.failures = 2;
    decide();
    assert_int_equal(plan.hold, ACME_HOLD_FAILURES);
    assert_int_equal(plan.hold_until, facts.utc + 100);
    assert_int_equal(plan.wake, facts.utc + 100);
    assert_int_equal(plan.failures, 2);
    facts.retry_utc = facts.utc + 50; /* the later one counts */
    decide();
    assert_int_equal(plan.hold, ACME_HOLD_FAILURES);
    facts.retry_utc = facts.utc + DAY;
    decide();
    assert_int_equal(plan.hold, ACME_HOLD_CA);
    assert_int_equal(plan.hold_until, facts.utc + DAY);
    facts.retry_utc = facts.utc + DAY + 1; /* a wrong clock has stored that */
    decide();
    assert_int_equal(plan.hold, ACME_HOLD_FAILURES);
    renewal.stopped = (uint32_t)-ACME_E_TERMS;
    decide();
    assert_int_equal(plan.hold, ACME_HOLD_STOPPED);
    assert_int_equal(plan.error, ACME_E_TERMS);
    assert_int_equal(plan.wake, ACME_TIME_NEVER);
    facts.deploys = renewal.deploys = true; /* but the application still has to take the pair over */
    renewal.deploy_next = facts.utc + 5;
    decide();
    assert_true(plan.deploy_pending);
    assert_int_equal(plan.wake, facts.utc + 5);
    renewal.deploy_next = facts.utc + TOO_FAR + 1;
    decide();
    assert_int_equal(plan.deploy, ACME_TIME_NOW);
    renewal.deployed = pair.mark;
    decide();
    assert_false(plan.deploy_pending);
    renewal.deployed.text[0] = '\0';
    pair.mark.text[0] = '\0'; /* there is none */
    decide();
    assert_false(plan.deploy_pending);
    pair.mark = mark('a');
    renewal.deploys = false; /* it was there before anybody wanted to know */
    decide();
    assert_false(plan.deploy_pending);
    renewal.deploys = true;
    facts.deploys = false;
    decide();
    assert_false(plan.deploy_pending);
    assert_int_equal(plan.deploy, ACME_TIME_NEVER);
}

TEST(an_attempt_is_noted_as_a_failure)
{
    facts.deploys = true;
    decide_at(NOW + 61 * DAY);
    renewal.stopped = 5;
    acme_plan_attempt(&renewal, &plan, &facts, 0);
    assert_int_equal(renewal.failures, 1);
    assert_int_equal(renewal.tried, facts.utc);
    assert_int_equal(renewal.next, facts.utc + 60);
    assert_int_equal(renewal.stopped, 0);
    assert_string_equal(renewal.wants.text, setup.text);
    assert_string_equal(renewal.pair.text, pair.mark.text);
    assert_true(renewal.deploys);
    assert_string_equal(renewal.deployed.text, pair.mark.text); /* who was there before has it */
    renewal.deployed = mark('d');
    acme_plan_attempt(&renewal, &plan, &facts, 0xffff);
    assert_int_equal(renewal.failures, 2);
    assert_in_range(renewal.next, facts.utc + 650, facts.utc + 660);
    assert_string_equal(renewal.deployed.text, mark('d').text);
}

/* --- clocks */

TEST(times_of_wrong_clocks_hold_nobody_up)
{
    static const int64_t clocks[] = {1767225600,
                                     NOW - YEAR,
                                     NOW - DAY,
                                     NOW - 1,
                                     NOW + 1,
                                     NOW + 30,
                                     NOW + DAY,
                                     NOW + 2 * DAY,
                                     NOW + YEAR,
                                     INT64_C(2147483647),
                                     INT64_C(2147483648),
                                     INT64_C(4294967295)};
    for (unsigned pair_in_use = 0; pair_in_use < 2; pair_in_use++) {
        for (unsigned wrong = 0; wrong < LEN(clocks); wrong++) {
            for (unsigned failures = 0; failures < 6; failures++) {
                set_up(NULL);
                use_pair(NOW - 61 * DAY, 90 * DAY);
                pair.mark.text[0] = pair_in_use ? 'a' : '\0';
                facts.asks = facts.deploys = true;
                renewal.failures = failures;
                decide_at(clocks[wrong]);
                acme_plan_attempt(&renewal, &plan, &facts, (uint16_t)roll());
                renewal.look = clocks[wrong] + DAY;
                renewal.deploy_next = clocks[wrong] + DAY;
                renewal.deployed.text[0] = '\0';
                facts.retry_utc = clocks[wrong] + DAY;
                decide_at(NOW); /* the time is known */
                assert_true(plan.due <= NOW);
                assert_true(plan.hold_until <= NOW + TOO_FAR);
                assert_true(plan.look <= NOW + TOO_FAR || plan.look == ACME_TIME_NEVER);
                assert_true(plan.deploy <= NOW + TOO_FAR || plan.deploy == ACME_TIME_NEVER);
                assert_true(plan.wake <= NOW + TOO_FAR);
                acme_plan_attempt(&renewal, &plan, &facts, (uint16_t)roll());
                assert_true(renewal.next >= NOW + 60 && renewal.next <= NOW + TOO_FAR);
            }
        }
    }
}

/* A window told, and a pair got, when the clock was wrong: it is renewed in time all the same. */
TEST(a_pair_got_by_a_wrong_clock_is_renewed_in_time)
{
    static const int64_t off[] = {-56 * YEAR, -YEAR, -30 * DAY, 30 * DAY, YEAR, 12 * YEAR, 79 * YEAR};
    for (unsigned i = 0; i < LEN(off); i++) {
        for (unsigned life = 0; life < LEN(lives); life++) {
            world_of(lives[life], HOUR);
            live(true, 0, 0);
            renewal.tried += off[i];
            int64_t latest = acme_renew_at(pair.not_before, pair.not_after) + lives[life] / 64 + lives[life] / 10;
            for (world.orders = 0; world.orders == 0;) {
                live(true, -3600, -1800);
                assert_true(world.utc <= latest + 1);
            }
        }
    }
}

TEST(years_that_are_special)
{
    static const int64_t when[] = {INT64_C(2147483648), INT64_C(4102444800),
                                   INT64_C(4260000000)}; /* 2038, 2100, 2104 */
    for (unsigned i = 0; i < LEN(when); i++) {
        for (int64_t before = -40; before <= 40; before += 5) {
            world_of(90 * DAY, HOUR);
            world.utc = when[i] + before * DAY;
            live(true, -HOUR, HOUR);
            assert_int_equal(world.orders, 1);
            for (world.orders = 0; world.orders == 0;) {
                live(true, 0, 0);
            }
            int64_t age = world.utc - (when[i] + before * DAY);
            assert_true(age >= 58 * DAY && age <= 61 * DAY);
        }
    }
}

AROUND(NULL, NULL, set_up, NULL);
