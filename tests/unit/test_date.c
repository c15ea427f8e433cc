/* test_date.c - dates, judged against the C library's own calendar. */
#define _DEFAULT_SOURCE
#include "unit.h"

#include <stdlib.h>
#include <stdio.h>
#include <time.h>

#include "wire/date.h"

static int64_t library_utc(int year, int month, int day, int hour, int minute, int second)
{
    struct tm tm = {0};

    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    tm.tm_hour = hour;
    tm.tm_min = minute;
    tm.tm_sec = second;
    return (int64_t)timegm(&tm);
}

/* Reads the time, and judges by the C library's calendar whether there is such a day and when it was. */
static void check_utc(int year, int month, int day, int hour, int minute, int second)
{
    char text[64];
    struct tm tm;
    time_t noon = (time_t)library_utc(year, month, day, 12, 0, 0);
    bool exists = gmtime_r(&noon, &tm) != NULL && tm.tm_mday == day;
    int64_t want = exists ? library_utc(year, month, day, hour, minute, second) : ACME_DATE_NONE;

    snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02dZ", year, month, day, hour, minute, second);
    if (acme_date_der(acme_slice_of(text), false) != want) {
        fail_msg("\"%s\"", text);
    }
}

TEST(utc_matches_timegm)
{
    check_utc(1970, 1, 1, 0, 0, 0);
    for (int year = 0; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= 31; day += day == 1 || day == 28 ? 27 : 1) {
                check_utc(year, month, day, 23, 59, 59);
            }
        }
    }
    for (int year = 1890; year < 2110; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= 31; day++) {
                check_utc(year, month, day, day % 24, day, 59 - day);
            }
        }
    }
}

/* Each form of every 8th day of two centuries, written by the C library and read back. */
TEST(forms_match_strftime)
{
    for (int64_t utc = -2208988800 + 4242; utc < 4102444800; utc += 8 * 86400 + 3661) {
        time_t t = (time_t)utc;
        struct tm *tm = gmtime(&t);
        char text[96];

        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", tm);
        assert_true(acme_date_http(acme_slice_of(text)) == utc);
        strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", tm);
        assert_true(acme_date_http(acme_slice_of(text)) == utc);
        if (tm->tm_year >= 70 && tm->tm_year < 170) {
            char day[32], hour[32];
            strftime(day, sizeof day, "%A, %d-%b", tm);
            strftime(hour, sizeof hour, "%H:%M:%S", tm);
            snprintf(text, sizeof text, "%s-%02d %s GMT", day, tm->tm_year % 100, hour);
            assert_true(acme_date_http(acme_slice_of(text)) == utc);
        }
        strftime(text, sizeof text, "%Y%m%d%H%M%SZ", tm);
        assert_true(acme_date_der(acme_slice_of(text), false) == utc);
    }
}

struct row {
    const char *text;
    int64_t utc;
};

/* Reads an exact copy, so that a byte read beyond the text is noticed. */
static int64_t read_exact(int64_t (*read)(struct acme_slice), const char *text, size_t len)
{
    char *copy = malloc(len + 1);

    memcpy(copy + 1, text, len);
    int64_t utc = read(acme_slice(copy + 1, len));
    free(copy);
    return utc;
}

static void check_rows(int64_t (*read)(struct acme_slice), const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (read_exact(read, rows[i].text, strlen(rows[i].text)) != rows[i].utc) {
            fail_msg("\"%s\"", rows[i].text);
        }
    }
}

TEST(http_dates)
{
    static const struct row rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Sun Nov 06 08:49:37 1994", 784111777},
        {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777}, /* it was a Sunday */
        {"Xyz, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Thu, 01-Jan-70 00:00:00 GMT", 0},
        {"Wed, 31-Dec-69 23:59:59 GMT", 3155759999},
        {"Sat, 01-Jan-00 00:00:00 GMT", 946684800},
        {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Thu, 29 Feb 2024 12:00:00 GMT", 1709208000},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
        {"Mon, 29 Feb 2100 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 29 Feb 2023 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 30 Feb 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 31 Apr 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 00 Apr 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 32 Jan 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 01 Jan 2024 24:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 01 Jan 2024 00:60:00 GMT", ACME_DATE_NONE},
        {"Wed, 01 Jan 2024 00:00:61 GMT", ACME_DATE_NONE},
        {"Wed, 01 Foo 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 01 nFe 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 01-Jan 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 01-Jan-2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 01 Jan 24 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 1 Jan 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, 01 Jan 2024 00:00:00 PST", ACME_DATE_NONE},
        {"Wed, 01 Jan 2024 00:00:00", ACME_DATE_NONE},
        {"Wed, 01 Jan 2024 00:00:00 GMT ", ACME_DATE_NONE},
        {" Wed, 01 Jan 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"We, 01 Jan 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"We1, 01 Jan 2024 00:00:00 GMT", ACME_DATE_NONE},
        {", 01 Jan 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed, -1 Jan 2024 00:00:00 GMT", ACME_DATE_NONE},
        {"Wed Jan  0 00:00:00 2024", ACME_DATE_NONE},
        {"Wed Jan   00:00:00 2024", ACME_DATE_NONE},
        {"Wed, 01-Jan--1 00:00:00 GMT", ACME_DATE_NONE},
        {"1704067200", ACME_DATE_NONE},
        {"2024-01-01T00:00:00Z", ACME_DATE_NONE},
        {"", ACME_DATE_NONE},
    };

    check_rows(acme_date_http, rows, sizeof rows / sizeof rows[0]);
    assert_true(acme_date_http(acme_slice(NULL, 0)) == ACME_DATE_NONE);
}

static int64_t utc_time(struct acme_slice text)
{
    return acme_date_der(text, true);
}

static int64_t generalized_time(struct acme_slice text)
{
    return acme_date_der(text, false);
}

/* No proper prefix of a date is one, and no byte may be replaced by a NUL. */
TEST(damaged_dates)
{
    static const struct {
        int64_t (*read)(struct acme_slice);
        const char *text;
    } rows[] = {
        {acme_date_http, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {acme_date_http, "Sunday, 06-Nov-94 08:49:37 GMT"},
        {acme_date_http, "Sun Nov  6 08:49:37 1994"},
        {utc_time, "850412232050Z"},
        {generalized_time, "19850412232050Z"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].text);
        assert_true(read_exact(rows[i].read, rows[i].text, len) != ACME_DATE_NONE);
        for (size_t at = 0; at < len; at++) {
            char text[64];
            memcpy(text, rows[i].text, len);
            text[at] = '\0';
            assert_true(read_exact(rows[i].read, text, at) == ACME_DATE_NONE);
            assert_true(read_exact(rows[i].read, text, len) == ACME_DATE_NONE);
        }
    }
}

TEST(retry_after)
{
#define NOON     "Sun, 06 Nov 1994 12:00:00 GMT"
#define NOON_UTC 784123200
    static const struct {
        const char *value, *date;
        int64_t utc;
        int32_t seconds;
    } rows[] = {
        {"120", "", ACME_DATE_NONE, 120},
        {" 120 ", NOON, 5, 120},
        {"\t0\t", "", ACME_DATE_NONE, 0},
        {"0000000000000120", "", ACME_DATE_NONE, 120},
        {"2147483646", "", ACME_DATE_NONE, INT32_MAX - 1},
        {"2147483647", "", ACME_DATE_NONE, INT32_MAX},
        {"2147483648", "", ACME_DATE_NONE, INT32_MAX},
        {"4294967297", "", ACME_DATE_NONE, INT32_MAX},
        {"99999999999999999999", "", ACME_DATE_NONE, INT32_MAX},
        {"18446744073709551617", "", ACME_DATE_NONE, INT32_MAX},
        {"", NOON, NOON_UTC, -1},
        {"-1", NOON, NOON_UTC, -1},
        {"+1", NOON, NOON_UTC, -1},
        {"1e3", NOON, NOON_UTC, -1},
        {"1.5", NOON, NOON_UTC, -1},
        {"1 2", NOON, NOON_UTC, -1},
        {"120, 120", NOON, NOON_UTC, -1},
        {"soon", NOON, NOON_UTC, -1},
        {"Sun, 06 Nov 1994 12:01:30 GMT", NOON, ACME_DATE_NONE, 90},
        {" Sun, 06 Nov 1994 12:01:30 GMT ", " " NOON " ", 5, 90}, /* our clock does not matter */
        {"Sunday, 06-Nov-94 12:01:30 GMT", NOON, ACME_DATE_NONE, 90},
        {"Sun Nov  6 12:01:30 1994", NOON, ACME_DATE_NONE, 90},
        {NOON, NOON, ACME_DATE_NONE, 0},
        {"Sun, 06 Nov 1994 11:59:59 GMT", NOON, ACME_DATE_NONE, 0},
        {"Thu, 01 Jan 1970 00:00:00 GMT", NOON, ACME_DATE_NONE, 0},
        {"Sun, 06 Nov 2994 12:00:00 GMT", NOON, ACME_DATE_NONE, INT32_MAX},
        {NOON, "", NOON_UTC - 60, 60},
        {NOON, "never", NOON_UTC - 60, 60},
        {NOON, "", NOON_UTC + 60, 0},
        {NOON, "", ACME_DATE_NONE, -1},
        {NOON, "never", ACME_DATE_NONE, -1},
        {NOON, "", INT64_MAX, 0},
        {NOON, "", INT64_MIN + 1, INT32_MAX},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int32_t got = acme_retry_after_s(acme_slice_of(rows[i].value), acme_slice_of(rows[i].date), rows[i].utc);
        if (got != rows[i].seconds) {
            fail_msg("\"%s\" at \"%s\": %d", rows[i].value, rows[i].date, (int)got);
        }
    }
    assert_int_equal(acme_retry_after_s(acme_slice(NULL, 0), acme_slice(NULL, 0), 0), -1);
}

TEST(certificate_times)
{
    static const struct row two_digits[] = {
        {"700101000000Z", 0},
        {"491231235959Z", 2524607999},
        {"500101000000Z", -631152000},
        {"240229000000Z", 1709164800},
        {"230229000000Z", ACME_DATE_NONE},
        {"700101000060Z", ACME_DATE_NONE},
        {"700101000000z", ACME_DATE_NONE},
        {"700101000000", ACME_DATE_NONE},
        {"7001010000Z", ACME_DATE_NONE},
        {"700101000000+0000", ACME_DATE_NONE},
        {"19700101000000Z", ACME_DATE_NONE},
    };
    static const struct row four_digits[] = {
        {"19700101000000Z", 0},
        {"99991231235959Z", 253402300799},
        {"19491231235959Z", -631152001},
        {"20240229000000Z", 1709164800},
        {"00000101000000Z", -62167219200},
        {"20000229000000Z", 951782400},
        {"19000229000000Z", ACME_DATE_NONE},
        {"20260001000000Z", ACME_DATE_NONE},
        {"20261301000000Z", ACME_DATE_NONE},
        {"20269901000000Z", ACME_DATE_NONE},
        {"20260100000000Z", ACME_DATE_NONE},
        {"20260132000000Z", ACME_DATE_NONE},
        {"20260101240000Z", ACME_DATE_NONE},
        {"20260101006000Z", ACME_DATE_NONE},
        {"2026-101000000Z", ACME_DATE_NONE},
        {"2026-01-01T00:00:00Z", ACME_DATE_NONE},
        {"19700101000000.5Z", ACME_DATE_NONE},
        {"19700101000000z", ACME_DATE_NONE},
        {"1970010100000 Z", ACME_DATE_NONE},
        {"700101000000Z", ACME_DATE_NONE},
    };

    check_rows(utc_time, two_digits, sizeof two_digits / sizeof two_digits[0]);
    check_rows(generalized_time, four_digits, sizeof four_digits / sizeof four_digits[0]);
}

/* Of JSON (RFC 3339). The last column is the difference to the first date in seconds, or that it is none. */
#define BAD 1000000000
TEST(dates_with_a_zone)
{
    static const struct {
        const char *text;
        int64_t ahead;
    } rows[] = {{"2026-11-28T12:34:56Z", 0},
                {"2026-11-28t12:34:56z", 0},
                {"2026-11-28T12:34:56.1Z", 0},
                {"2026-11-28T12:34:56.123456789Z", 0},
                {"2026-11-28T12:34:56.99999999999999999999999999z", 0},
                {"2026-11-28T12:34:56+00:00", 0},
                {"2026-11-28T12:34:56-00:00", 0},
                {"2026-11-28T13:34:56+01:00", 0},
                {"2026-11-28T13:34:56.1+01:00", 0},
                {"2026-11-28T12:04:56-00:30", 0},
                {"2026-11-29T12:33:56+23:59", 0},
                {"2026-11-27T12:35:56.0-23:59", 0},
                {"2026-11-28T12:34:60Z", 4}, /* a leap second may be */
                {"2026-11-28T24:00:00Z", BAD},
                {"2026-11-28T12:60:56Z", BAD},
                {"2026-11-28T12:34:61Z", BAD},
                {"2026-02-29T12:34:56Z", BAD},
                {"2026-13-28T12:34:56Z", BAD},
                {"2026-00-28T12:34:56Z", BAD},
                {"2026-11-00T12:34:56Z", BAD},
                {"2026-11-28T12:34:56", BAD}, /* when is that? */
                {"2026-11-28T12:34:56.1", BAD},
                {"2026-11-28T12:34:56.Z", BAD},
                {"2026-11-28T12:34:56,1Z", BAD},
                {"2026-11-28 12:34:56Z", BAD},
                {"2026-11-28T12:34Z", BAD},
                {"2026-11-28", BAD},
                {"", BAD},
                {"26-11-28T12:34:56Z", BAD},
                {"2026-11-28T12:34:56ZZ", BAD},
                {"2026-11-28T12:34:56Z ", BAD},
                {" 2026-11-28T12:34:56Z", BAD},
                {"2026-11-28T12:34:56+24:00", BAD},
                {"2026-11-28T12:34:56+01:60", BAD},
                {"2026-11-28T12:34:56+0100", BAD},
                {"2026-11-28T12:34:56+01", BAD},
                {"2026-11-28T12:34:56+01:0", BAD},
                {"2026-11-28T12:34:56+1:00", BAD},
                {"2026-11-28T12:34:56+01:00Z", BAD},
                {"2026-11-28T12:34:56+-1:00", BAD},
                {"2026-11-28T12:34:56*01:00", BAD}};
    int64_t first = library_utc(2026, 11, 28, 12, 34, 56);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t utc = acme_date_rfc3339(acme_slice_of(rows[i].text));
        if (utc != (rows[i].ahead == BAD ? ACME_DATE_NONE : first + rows[i].ahead)) {
            fail_msg("\"%s\"", rows[i].text);
        }
    }
    assert_int_equal(acme_date_rfc3339(acme_slice_of("0000-01-01T00:00:00+23:59")),
                     library_utc(0, 1, 1, 0, 0, 0) - 86340);
    assert_int_equal(acme_date_rfc3339(acme_slice_of("9999-12-31T23:59:60-23:59")), 253402300800 + 86340);
    assert_int_equal(acme_date_http(acme_slice_of(rows[0].text)), ACME_DATE_NONE); /* each form in its place */
    assert_int_equal(acme_date_der(acme_slice_of(rows[0].text), false), ACME_DATE_NONE);
    for (size_t len = 0; len < strlen(rows[8].text); len++) {
        assert_int_equal(acme_date_rfc3339(acme_slice(rows[8].text, len)), ACME_DATE_NONE);
    }
}

TEST(moments_of_32_bits)
{
    assert_int_equal(acme_moment(INT64_MIN), 1); /* 0 is none */
    assert_int_equal(acme_moment(0), 1);
    assert_int_equal(acme_moment(1790000000), 1790000000);
    assert_int_equal(acme_moment(UINT32_MAX), UINT32_MAX);
    assert_int_equal(acme_moment(INT64_MAX), UINT32_MAX);
    assert_int_equal(acme_later(1790000000, 60), 1790000060);
    assert_int_equal(acme_later(UINT32_MAX - 60, 60), UINT32_MAX);
    assert_int_equal(acme_later(UINT32_MAX - 60, 61), UINT32_MAX);
    assert_int_equal(acme_later(UINT32_MAX, UINT32_MAX), UINT32_MAX);
    assert_int_equal(acme_until_s(60, 90), 30);
    assert_int_equal(acme_until_s(60, 60), 0);
    assert_int_equal(acme_until_s(90, 60), 0);
}
