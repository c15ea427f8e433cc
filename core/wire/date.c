/* date.c - HTTP dates, RFC 3339 times, Retry-After. */
#include "date.h"

struct moment {
    int year, month, day, hour, minute, second;
};

/* Text being read. Once `bad` is set nothing else matters, so readers test it at the end only. */
struct cursor {
    struct acme_slice rest;
    bool bad;
};

static char peek(const struct cursor *c)
{
    return c->rest.len > 0 ? c->rest.at[0] : '\0';
}

static void skip(struct cursor *c, size_t len)
{
    c->rest = acme_slice(c->rest.at + len, c->rest.len - len);
}

static bool take(struct cursor *c, char wanted)
{
    if (peek(c) != wanted || c->rest.len == 0) {
        return false;
    }
    skip(c, 1);
    return true;
}

static void need(struct cursor *c, char wanted)
{
    if (!take(c, wanted)) {
        c->bad = true;
    }
}

/* Exactly `digits` digits. */
static int number(struct cursor *c, int digits)
{
    int value = 0;

    while (digits-- > 0) {
        char d = peek(c);
        if (!acme_is_digit(d)) {
            c->bad = true;
            return 0;
        }
        value = value * 10 + (d - '0');
        skip(c, 1);
    }
    return value;
}

static int month_name(struct cursor *c)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12 && c->rest.len >= 3; i++) {
        if (memcmp(c->rest.at, names + 3 * i, 3) == 0) {
            skip(c, 3);
            return i + 1;
        }
    }
    c->bad = true;
    return 0;
}

/* Servers are known to get the weekday wrong, so its letters are passed over. */
static void weekday(struct cursor *c)
{
    size_t letters = 0;

    while (acme_lower(peek(c)) >= 'a' && acme_lower(peek(c)) <= 'z') {
        skip(c, 1);
        letters++;
    }
    c->bad = c->bad || letters < 3 || letters > 9;
}

static void clock_time(struct cursor *c, struct moment *m)
{
    m->hour = number(c, 2);
    need(c, ':');
    m->minute = number(c, 2);
    need(c, ':');
    m->second = number(c, 2);
}

int64_t acme_date_utc(int year, int month, int day, int hour, int minute, int second)
{
    /* Years that begin in March put the leap day last; eras of 400 years (146097 days) repeat exactly. */
    int64_t y = month > 2 ? year : (int64_t)year - 1;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    int64_t days = era * 146097 + day_of_era - 719468; /* from 0000-03-01 to 1970-01-01 */

    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

static int64_t moment_utc(const struct moment *m)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = m->year % 4 == 0 && (m->year % 100 != 0 || m->year % 400 == 0);

    if (m->month < 1 || m->month > 12 || m->day < 1 || m->hour > 23 || m->minute > 59 || m->second > 60 ||
        m->day > days[m->month - 1] + (m->month == 2 && leap)) {
        return ACME_DATE_NONE;
    }
    return acme_date_utc(m->year, m->month, m->day, m->hour, m->minute, m->second);
}

/* "Nov  6 08:49:37 1994" */
static void asctime_rest(struct cursor *c, struct moment *m)
{
    m->month = month_name(c);
    need(c, ' ');
    m->day = take(c, ' ') ? number(c, 1) : number(c, 2);
    need(c, ' ');
    clock_time(c, m);
    need(c, ' ');
    m->year = number(c, 4);
}

/* "06 Nov 1994 08:49:37 GMT" or "06-Nov-94 08:49:37 GMT" */
static void gmt_rest(struct cursor *c, struct moment *m)
{
    m->day = number(c, 2);
    char between = peek(c) == '-' ? '-' : ' ';
    need(c, between);
    m->month = month_name(c);
    need(c, between);
    if (between == ' ') {
        m->year = number(c, 4);
    } else {
        int year = number(c, 2);
        m->year = year + (year >= 70 ? 1900 : 2000);
    }
    need(c, ' ');
    clock_time(c, m);
    need(c, ' ');
    need(c, 'G');
    need(c, 'M');
    need(c, 'T');
}

int64_t acme_date_http(struct acme_slice text)
{
    struct cursor c = {text, false};
    struct moment m;

    weekday(&c);
    if (take(&c, ',')) {
        need(&c, ' ');
        gmt_rest(&c, &m);
    } else {
        need(&c, ' ');
        asctime_rest(&c, &m);
    }
    return c.bad || c.rest.len > 0 ? ACME_DATE_NONE : moment_utc(&m);
}

/* Minutes east of UTC. */
static int offset(struct cursor *c)
{
    if (take(c, 'Z') || take(c, 'z')) {
        return 0;
    }
    int sign = take(c, '-') ? -1 : 1;
    if (sign > 0) {
        need(c, '+');
    }
    int hours = number(c, 2);
    need(c, ':');
    int minutes = number(c, 2);
    c->bad = c->bad || hours > 23 || minutes > 59;
    return sign * (hours * 60 + minutes);
}

int64_t acme_date_rfc3339(struct acme_slice text)
{
    struct cursor c = {text, false};
    struct moment m;

    m.year = number(&c, 4);
    need(&c, '-');
    m.month = number(&c, 2);
    need(&c, '-');
    m.day = number(&c, 2);
    if (!take(&c, 't')) {
        need(&c, 'T');
    }
    clock_time(&c, &m);
    if (take(&c, '.')) {
        (void)number(&c, 1);
        while (acme_is_digit(peek(&c))) {
            skip(&c, 1);
        }
    }
    int minutes = offset(&c);
    if (c.bad || c.rest.len > 0) {
        return ACME_DATE_NONE;
    }
    int64_t utc = moment_utc(&m);
    return utc == ACME_DATE_NONE ? utc : utc - (int64_t)minutes * 60;
}

/* Digits only, INT32_MAX when there are too many of them; -1 for anything else. */
static int32_t delta_seconds(struct acme_slice text)
{
    int32_t value = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!acme_is_digit(text.at[i])) {
            return -1;
        }
        int32_t digit = text.at[i] - '0';
        value = value > (INT32_MAX - digit) / 10 ? INT32_MAX : value * 10 + digit;
    }
    return text.len > 0 ? value : -1;
}

int32_t acme_retry_after_s(struct acme_slice retry_after, struct acme_slice date, int64_t utc)
{
    struct acme_slice text = acme_slice_trim(retry_after);
    int32_t delta = delta_seconds(text);

    if (delta >= 0) {
        return delta;
    }
    int64_t until = acme_date_http(text);
    int64_t now = acme_date_http(acme_slice_trim(date));
    if (now == ACME_DATE_NONE) {
        now = utc;
    }
    if (until == ACME_DATE_NONE || now == ACME_DATE_NONE) {
        return -1;
    }
    if (now >= until) {
        return 0;
    }
    /* compared this way round the difference cannot overflow, whatever our clock says */
    return now < until - INT32_MAX ? INT32_MAX : (int32_t)(until - now);
}
