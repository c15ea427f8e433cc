/* date.c - HTTP dates, RFC 3339 times, Retry-After. */
#include "date.h"

/* The numbers of a date; `codes` has the letter each of them has in a form. */
enum part { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, EAST_HOUR, EAST_MINUTE, PARTS };
static const char codes[] = "ymdhisHI";

/* Forms of dates. Further letters: w weekday, n month name, p day padded with a blank, x two-digit year,
 * f fraction, + a sign. Anything else stands for itself, in either case. */
static const char *const http_forms[] = {
    "w, d n y h:i:s GMT", /* IMF-fixdate */
    "w, d-n-x h:i:s GMT", /* RFC 850     */
    "w n p h:i:s y",      /* asctime     */
};
static const char *const rfc3339_forms[] = {"y-m-dTh:i:sfZ", "y-m-dTh:i:sf+H:I"};

/* Text being read. */
struct cursor {
    const char *at;
    size_t len;
};

static void skip(struct cursor *c, size_t len)
{
    c->at += len;
    c->len -= len;
}

/* Takes `wanted` when it is next, in either case. */
static bool take(struct cursor *c, char wanted)
{
    if (c->len == 0 || acme_lower(c->at[0]) != acme_lower(wanted)) {
        return false;
    }
    skip(c, 1);
    return true;
}

/* Reads exactly `digits` digits. Returns -1 when there are fewer. */
static int number(struct cursor *c, int digits)
{
    int value = 0;

    for (; digits > 0; digits--) {
        if (c->len == 0 || !acme_is_digit(c->at[0])) {
            return -1;
        }
        value = value * 10 + (c->at[0] - '0');
        skip(c, 1);
    }
    return value;
}

/* Servers are known to get it wrong, so its letters are passed over. */
static bool weekday(struct cursor *c)
{
    size_t letters = 0;

    while (letters < c->len && acme_lower(c->at[letters]) >= 'a' && acme_lower(c->at[letters]) <= 'z') {
        letters++;
    }
    if (letters < 3) {
        return false;
    }
    skip(c, letters);
    return true;
}

static bool fraction(struct cursor *c)
{
    bool ok = !take(c, '.') || number(c, 1) >= 0;

    while (ok && number(c, 1) >= 0) {
    }
    return ok;
}

static int month_name(struct cursor *c)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12 && c->len >= 3; i++) {
        if (memcmp(c->at, names + 3 * i, 3) == 0) {
            skip(c, 3);
            return i + 1;
        }
    }
    return -1;
}

/* Reads what one letter of a form stands for. */
static bool read_code(struct cursor *c, char code, int *part, int *sign)
{
    const char *known = strchr(codes, code);
    int value;

    if (code == 'w') {
        return weekday(c);
    }
    if (code == 'f') {
        return fraction(c);
    }
    if (code == '+') {
        *sign = take(c, '-') ? -1 : 1;
        return *sign < 0 || take(c, '+');
    }
    if (code == 'n') {
        value = part[MONTH] = month_name(c);
    } else if (code == 'x') {
        value = number(c, 2);
        part[YEAR] = value + (value >= 70 ? 1900 : 2000);
    } else if (code == 'p') {
        value = part[DAY] = number(c, take(c, ' ') ? 1 : 2);
    } else if (known != NULL) {
        value = part[known - codes] = number(c, code == 'y' ? 4 : 2);
    } else {
        return take(c, code);
    }
    return value >= 0;
}

int64_t acme_date_utc(int year, int month, int day, int hour, int minute, int second)
{
    /* Years that begin in March put the leap day last. 4000 more years, a whole number of 400-year cycles of
     * 146097 days, keep the divisions away from negative numbers. */
    int32_t y = year + 4000 - (month <= 2);
    int32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int32_t days = y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 10 * 146097 - 719468;

    return (int64_t)days * 86400 + (hour * 60 + minute) * 60 + second;
}

/* Reads all of text in one form. */
static int64_t read_form(struct acme_slice text, const char *form)
{
    static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const uint8_t most[] = {12, 31, 23, 59, 60, 23, 59}; /* from MONTH on */
    struct cursor c = {text.at, text.len};
    int part[PARTS] = {0};
    int sign = 1;

    for (; *form != '\0'; form++) {
        if (!read_code(&c, *form, part, &sign)) {
            return ACME_DATE_NONE;
        }
    }
    for (int i = MONTH; i < PARTS; i++) {
        if (part[i] > most[i - MONTH]) {
            return ACME_DATE_NONE;
        }
    }
    int year = part[YEAR];
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (c.len > 0 || part[MONTH] < 1 || part[DAY] < 1 || part[DAY] > days[part[MONTH] - 1] ||
        (part[MONTH] == 2 && part[DAY] == 29 && !leap)) {
        return ACME_DATE_NONE;
    }
    return acme_date_utc(year, part[MONTH], part[DAY], part[HOUR], part[MINUTE], part[SECOND]) -
           sign * (part[EAST_HOUR] * 60 + part[EAST_MINUTE]) * 60;
}

static int64_t read_any(struct acme_slice text, const char *const *forms, size_t count)
{
    int64_t utc = ACME_DATE_NONE;

    for (size_t i = 0; i < count && utc == ACME_DATE_NONE; i++) {
        utc = read_form(text, forms[i]);
    }
    return utc;
}

int64_t acme_date_http(struct acme_slice text)
{
    return read_any(text, http_forms, sizeof http_forms / sizeof http_forms[0]);
}

int64_t acme_date_rfc3339(struct acme_slice text)
{
    return read_any(text, rfc3339_forms, sizeof rfc3339_forms / sizeof rfc3339_forms[0]);
}

int32_t acme_retry_after_s(struct acme_slice retry_after, struct acme_slice date, int64_t utc)
{
    struct acme_slice text = acme_slice_trim(retry_after);
    int64_t delta = acme_slice_decimal(text);

    if (delta >= 0) {
        return delta < INT32_MAX ? (int32_t)delta : INT32_MAX;
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
