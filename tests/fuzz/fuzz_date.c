/* Dates of HTTP, of certificates, of JSON, and Retry-After: what is read is read again from what the C library makes of it, and every second of the years 1 to 9999 is. */
#include "fuzz.h"

#include <time.h>

#include "wire/date.h"

#define FIRST (-62135596800) /* year 1 */
#define LAST  253402300799   /* year 9999 */

static void again(int64_t utc)
{
    char text[5][40];
    time_t t = (time_t)utc;
    struct tm tm;

    MUST(gmtime_r(&t, &tm) != NULL);
    int year = tm.tm_year + 1900;
    strftime(text[0], sizeof text[0], "%a, %d %b ", &tm);
    snprintf(text[0] + 12, sizeof text[0] - 12, "%04d %02d:%02d:%02d GMT", year, tm.tm_hour, tm.tm_min, tm.tm_sec);
    strftime(text[1], sizeof text[1], "%a %b %e %H:%M:%S ", &tm);
    snprintf(text[1] + 20, sizeof text[1] - 20, "%04d", year);
    snprintf(text[2], sizeof text[2], "%04d%02d%02d%02d%02d%02dZ", year, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
             tm.tm_min, tm.tm_sec);
    strftime(text[3], sizeof text[3], "%A, %d-%b-%y %H:%M:%S GMT", &tm);
    snprintf(text[4], sizeof text[4], "%04d-%02d-%02dT%02d:%02d:%02d.%uZ", year, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)utc % 1000);
    MUST(acme_date_rfc3339(acme_slice_of(text[4])) == utc);
    MUST(acme_date_http(acme_slice_of(text[0])) == utc);
    MUST(acme_date_http(acme_slice_of(text[1])) == utc);
    MUST(acme_date_der(acme_slice_of(text[2]), false) == utc);
    MUST((acme_date_der(acme_slice_of(text[2] + 2), true) == utc) == (year >= 1950 && year < 2050));
    MUST((acme_date_http(acme_slice_of(text[3])) == utc) == (year >= 1970 && year < 2070));
}

static void read_again(int64_t utc)
{
    if (utc != ACME_DATE_NONE) {
        /* years 0 to 9999, a leap second, and a day less a minute of an offset */
        MUST(utc >= FIRST - 367 * 86400 && utc <= LAST + 1 + 86340);
        if (utc >= FIRST && utc <= LAST) {
            again(utc);
        }
    }
}

static void retry_after(struct acme_slice value, struct acme_slice date)
{
    static const int64_t clocks[] = {ACME_DATE_NONE, 0, 1790000000, INT64_MAX};

    acme_slice_trim(&value);
    acme_slice_trim(&date);
    int64_t number = acme_slice_decimal(value);
    for (unsigned i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        int32_t s = acme_retry_after_s(value, date, clocks[i]);
        MUST(s >= -1);
        MUST(number < 0 || s == (number < INT32_MAX ? (int32_t)number : INT32_MAX));
        int64_t until = acme_date_http(value), now = acme_date_http(date);
        now = now == ACME_DATE_NONE ? clocks[i] : now;
        if (until != ACME_DATE_NONE && now != ACME_DATE_NONE) {
            int64_t left = now >= until ? 0 : now < until - INT32_MAX ? INT32_MAX : until - now;
            MUST(s == left);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint64_t second = 0;

    for (size_t i = 0; i < 8 && i < len; i++) {
        second = second << 8 | data[i];
    }
    if (len == 8) {
        again(FIRST + (int64_t)(second % (uint64_t)(LAST - FIRST + 1)));
        return 0;
    }
    /* a value and a Date, with a line end between them */
    const uint8_t *line = len > 0 ? memchr(data, '\n', len) : NULL;
    size_t first = line != NULL ? (size_t)(line - data) : len;
    struct acme_slice value = acme_slice(data, first);
    struct acme_slice date = acme_slice(data + (line != NULL ? first + 1 : len), line != NULL ? len - first - 1 : 0);
    read_again(acme_date_http(value));
    read_again(acme_date_rfc3339(value));
    read_again(acme_date_der(value, true));
    read_again(acme_date_der(value, false));
    retry_after(value, date);
    return 0;
}
