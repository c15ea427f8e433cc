/* test_clock.c - the clock of port/lwip: what it believes, and how it goes on by a counter that wraps. */
#include "unit.h"

#include "acme_clock.h"
#include "acme_config.h"
#include "acme_error.h"

#define STORED (ACME_UTC_FLOOR + 5000000)
#define Y2001  978307200
#define Y20    INT64_C(631152000) /* 20 years */
#define HOUR   3600
#define Y2036  INT64_C(2085978496) /* SNTP's seconds begin again  */
#define Y2038  INT64_C(2147483648) /* 31 bits do not hold it, 32 do */
#define Y2106  INT64_C(4294967296) /* nor do 32                   */

static struct acme_clock c;

static void expect(int64_t want, uint32_t now_ms)
{
    int64_t utc = -7;
    assert_int_equal(acme_clock_get(&c, &utc, now_ms), want != 0);
    assert_int_equal(utc, want != 0 ? want : -7);
}

TEST(test_unknown)
{
    acme_clock_init(&c, 0);
    expect(0, 0);
    expect(0, 0xffffffffu);
    acme_clock_init(&c, STORED); /* a stored time is a floor, not the time */
    expect(0, 0);
}

TEST(test_floor)
{
    static const struct {
        int64_t stored, utc;
        bool believed;
    } rows[] = {
        {0, 0, false},
        {0, -1, false},
        {0, Y2001, false},
        {0, ACME_UTC_FLOOR - 1, false},
        {0, ACME_UTC_FLOOR, true},
        {Y2001, Y2001 + 1, false}, /* a stored time cannot lower the floor */
        {Y2001, ACME_UTC_FLOOR, true},
        {STORED, ACME_UTC_FLOOR, false},
        {STORED, STORED - 1, false},
        {STORED, STORED, true},
        {STORED, 4102444800, true}, /* 2100: lies ahead can be lived through, see test_correction */
        {INT64_MIN, INT64_MIN, false},
        {ACME_UTC_FLOOR + Y20, ACME_UTC_FLOOR + Y20 - 1, false},
        {ACME_UTC_FLOOR + Y20 + 1, ACME_UTC_FLOOR, true}, /* what is stored is out of its mind */
        {INT64_MAX, ACME_UTC_FLOOR, true},
        {0, 2147483648, true}, /* 2038 */
        {0, UINT32_MAX, true}, /* 2106 */
        {0, INT64_C(4294967296) + ACME_UTC_FLOOR, true},
        {0, 99999999999, true},
        {0, 100000000000, false},
        {0, INT64_MAX, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        acme_clock_init(&c, rows[i].stored);
        assert_int_equal(acme_clock_set(&c, rows[i].utc, 17), rows[i].believed);
        expect(rows[i].believed ? rows[i].utc : 0, 17);
        assert_int_equal(c.refused, rows[i].believed ? 0 : rows[i].utc);
    }
}

TEST(test_goes_on)
{
    acme_clock_init(&c, 0);
    assert_true(acme_clock_set(&c, STORED, 0xfffffc00u));
    expect(STORED, 0xfffffc00u);
    expect(STORED, 0xfffffc00u + 999);
    expect(STORED + 1, 0xfffffc00u + 1000);
    expect(STORED + 2, 0xfffffc00u + 2000); /* the counter has wrapped */
}

/* Years by a counter that wraps every 49 days, looked at every 24 days and less; odd intervals lose nothing. */
TEST(test_wraps)
{
    uint64_t passed_ms = 0;
    acme_clock_init(&c, 0);
    assert_true(acme_clock_set(&c, STORED, 4000000000u));
    for (unsigned i = 0; i < 80; i++) {
        passed_ms += 2147483647u - i * 17777777u;
        expect(STORED + (int64_t)(passed_ms / 1000), 4000000000u + (uint32_t)passed_ms);
    }
    assert_true(passed_ms > UINT64_C(3) * 365 * 86400 * 1000);
}

/* A counter that does not use all 32 bits, micros() / 1000 for one, goes back when it wraps: no time is better than one
 * weeks ahead. */
TEST(test_wraps_early)
{
    static const uint32_t last[] = {4294967, 0xffffff, 0x3fffffff, 0x7fffffff};
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++) {
        acme_clock_init(&c, 0);
        assert_true(acme_clock_set(&c, STORED, last[i] - 5000));
        expect(STORED + 5, last[i]);
        expect(0, 0);
        expect(0, last[i]); /* and stays so */
        assert_true(acme_clock_set(&c, STORED + 60, 55000));
        expect(STORED + 61, 56000);
    }
}

/* A time that a certificate of the CA does not agree with. */
TEST(test_doubt)
{
    static const struct {
        int error;
        bool doubted;
    } rows[] = {{ACME_E_TLS_DATES, true},
                {ACME_E_TLS_EARLY, true},
                {0, false},
                {ACME_E_TLS_NAME, false},
                {ACME_E_TIMEOUT, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        acme_clock_init(&c, STORED);
        assert_true(acme_clock_set(&c, 4102444800, 0));
        assert_int_equal(acme_clock_doubt(&c, rows[i].error), rows[i].doubted);
        expect(rows[i].doubted ? 0 : 4102444801, 1000);
        assert_true(acme_clock_set(&c, STORED + 7, 2000)); /* the floor is where it was */
        expect(STORED + 7, 2000);
        assert_false(acme_clock_set(&c, STORED - 1, 3000));
    }
}

TEST(test_no_way_back)
{
    acme_clock_init(&c, STORED);
    assert_true(acme_clock_set(&c, STORED + 100, 0));
    assert_false(acme_clock_set(&c, STORED - 1, 5000));
    expect(STORED + 105, 5000); /* as if it had not been said */
    assert_false(acme_clock_set(&c, Y2001, 6000));
    expect(STORED + 106, 6000);
}

/* What lies above the floor may be put right, in both directions. */
TEST(test_correction)
{
    acme_clock_init(&c, STORED);
    assert_true(acme_clock_set(&c, 4102444800, 0));
    expect(4102444801, 1000);
    assert_true(acme_clock_set(&c, STORED + 50, 2000));
    expect(STORED + 51, 3000);
    assert_true(acme_clock_set(&c, STORED + 9000, 4000));
    expect(STORED + 9000, 4999);
}

/* A floor that is years ahead, and a source that says otherwise: once for each row, every hour. */
TEST(test_wrong_floor)
{
    static const struct {
        const char *what;
        int64_t utc;     /* the first answer                                        */
        int step_s;      /* how much later each one is than the one before             */
        int odd;         /* so many hours from the beginning something else is said; 0: never */
        int64_t odd_utc; /* namely this */
        int believed;    /* after so many hours; 0: never */
    } rows[] = {
        {"the right time", STORED, HOUR, 0, 0, 24},
        {"the right time, by a fast crystal", STORED, HOUR + 1, 0, 0, 24},
        {"the build date", ACME_UTC_FLOOR, HOUR, 0, 0, 24},
        {"the same moment again and again", STORED, 0, 0, 0, 0},
        {"a clock that runs at double speed", STORED, 2 * HOUR, 0, 0, 0},
        {"before the build", ACME_UTC_FLOOR - 100 * HOUR, HOUR, 0, 0, 0},
        {"a lie in between", STORED, HOUR, 12, STORED + 999 * HOUR, 37},
        {"a router without a time in between", STORED, HOUR, 12, Y2001, 37},
        {"one that is believed in between", STORED, HOUR, 12, STORED + Y20 / 2, 37},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int believed = 0;
        acme_clock_init(&c, STORED + Y20 / 4);
        for (int hour = 0; hour < 60 && believed == 0; hour++) {
            const bool odd = hour != 0 && hour == rows[i].odd;
            int64_t utc = odd ? rows[i].odd_utc : rows[i].utc + (int64_t)hour * rows[i].step_s;
            if (acme_clock_set(&c, utc, 4200000000u + (uint32_t)hour * HOUR * 1000) && !odd) {
                believed = hour;
                expect(utc, 4200000000u + (uint32_t)hour * HOUR * 1000);
                assert_true(acme_clock_set(&c, utc - HOUR, 0)); /* the floor has come down, and not to the ground */
                assert_false(acme_clock_set(&c, ACME_UTC_FLOOR - 1, 0));
            }
        }
        if (believed != rows[i].believed) {
            fail_msg("%s: believed after %d hours", rows[i].what, believed);
        }
    }
}

/* 2038 and 2106 are days like others. */
TEST(test_eras)
{
    static const int64_t ends[] = {INT32_MAX, UINT32_MAX};
    for (size_t i = 0; i < 2; i++) {
        acme_clock_init(&c, 0);
        assert_true(acme_clock_set(&c, ends[i] - 1, UINT32_MAX - 500));
        expect(ends[i] + 1, 1999);
        assert_true(acme_clock_set(&c, ends[i] + 5, 3000));
        expect(ends[i] + 6, 4000);
    }
}

/* SNTP's 32 bits, as a time server counts them: all seconds from 1970 to 2106, and nothing else. */
TEST(test_sntp)
{
    static const struct {
        uint32_t seconds;
        int64_t utc; /* 0: not believed */
    } rows[] = {
        {0, 0}, /* a server without the time */
        {1, Y2036 + 1},
        {UINT32_MAX, Y2036 - 1},
        {(uint32_t)(Y2038 - 1 - Y2036), Y2038 - 1},
        {(uint32_t)(Y2038 - Y2036), Y2038},
        {INT32_MAX, Y2036 + INT32_MAX}, /* 2104: more than 31 bits of them */
        {(uint32_t)INT32_MAX + 1, Y2036 + INT32_MAX + 1},
        {(uint32_t)(Y2106 - 1 - Y2036), Y2106 - 1},
        {(uint32_t)(Y2106 - Y2036), 0}, /* 1970 */
        {(uint32_t)(Y2001 - Y2036), 0},
        {(uint32_t)(ACME_UTC_FLOOR - 1 - Y2036), 0},
        {(uint32_t)(ACME_UTC_FLOOR - Y2036), ACME_UTC_FLOOR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        acme_clock_init(&c, 0);
        assert_int_equal(acme_clock_set_sntp(&c, rows[i].seconds, 5), rows[i].utc != 0);
        expect(rows[i].utc, 5);
    }
}
