/* date.c - HTTP dates, the times of certificates, Retry-After. */
#include "date.h"

#include "../acme_config.h"

/* What a date is made of. */
enum part { CENTURY, YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, PARTS };

enum kind { HTTP, UTC_TIME, GENERALIZED_TIME, LOCAL_TIME };

/* Forms of dates. Capitals stand for numbers of two digits, as told below, and W for a weekday, N for a month
 * name. Anything else stands for itself, small letters for capitals too. */
static const struct {
    const char *form;
    uint8_t kind;
    uint8_t pivot; /* two-digit years from it on are of the 20th century */
} forms[] = {
    {"W, D N CY H:I:L gmt", HTTP, 0}, /* IMF-fixdate */
    {"W, D-N-Y H:I:L gmt", HTTP, 70}, /* RFC 850     */
    {"W N P H:I:L CY", HTTP, 0},      /* asctime     */
    {"YMDHISZ", UTC_TIME, 50},        /* RFC 5280, 4.1.2.5.1 */
    {"CYMDHISZ", GENERALIZED_TIME, 0},
#if ACME_CFG_RENEWAL
    {"CY-M-DtH:I:L", LOCAL_TIME, 0}, /* RFC 3339, without its zone */
#endif
};

static const struct {
    char code;
    uint8_t part;
    uint8_t most;
} numbers[] = {
    {'C', CENTURY, 99}, {'Y', YEAR, 99},   {'M', MONTH, 12},  {'D', DAY, 31},
    {'P', DAY, 31}, /* a blank may stand for its first digit */
    {'H', HOUR, 23},    {'I', MINUTE, 59}, {'S', SECOND, 59}, {'L', SECOND, 60}, /* a leap second may be */
};

static void skip(struct acme_slice *text, size_t len)
{
    text->at += len;
    text->len -= len;
}

/* Takes `wanted` when it is next. */
static bool take(struct acme_slice *text, char wanted)
{
    if (text->len == 0 || (text->at[0] != wanted && acme_lower(text->at[0]) != wanted)) {
        return false;
    }
    skip(text, 1);
    return true;
}

/* Takes a number of two digits. Returns -1 when it is none. */
static int number(struct acme_slice *text, bool padded)
{
    if (text->len < 2 || !acme_is_digit(text->at[1])) {
        return -1;
    }
    char tens = padded && text->at[0] == ' ' ? '0' : text->at[0];
    if (!acme_is_digit(tens)) {
        return -1;
    }
    skip(text, 2);
    return (tens - '0') * 10 + (text->at[-1] - '0');
}

/* Passes over letters. Returns how many there were. */
static size_t letters(struct acme_slice *text)
{
    size_t before = text->len;

    while (text->len > 0 && acme_is_letter(text->at[0])) {
        skip(text, 1);
    }
    return before - text->len;
}

static int month_name(struct acme_slice *text)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12 && text->len >= 3; i++) {
        if (memcmp(text->at, names + 3 * i, 3) == 0) {
            skip(text, 3);
            return i + 1;
        }
    }
    return 0;
}

/* Reads what one letter of a form stands for. */
static bool read_code(struct acme_slice *text, char code, int part[PARTS])
{
    if (code == 'W') {
        return letters(text) >= 3; /* servers are known to get it wrong */
    }
    if (code == 'N') {
        part[MONTH] = month_name(text);
        return true; /* 0 is found out in the end */
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (numbers[i].code == code) {
            int value = number(text, code == 'P');
            part[numbers[i].part] = value;
            return value >= 0 && value <= numbers[i].most;
        }
    }
    return take(text, code);
}

/* Days since 1970 of a day in the proleptic Gregorian calendar; the 13th month is the next January. */
int32_t acme_date_days(int year, int month, int day)
{
    /* Years that begin in March put the leap day last. 4000 more years, a whole number of 400-year cycles of
     * 146097 days, keep the divisions away from negative numbers. */
    int32_t y = year + 4000 - (month <= 2);
    int32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 10 * 146097 - 719468;
}

/* Reads all of text in one form. */
static int64_t read_form(struct acme_slice text, const char *form, int pivot)
{
    int part[PARTS] = {[CENTURY] = -1};

    for (; *form != '\0'; form++) {
        if (!read_code(&text, *form, part)) {
            return ACME_DATE_NONE;
        }
    }
    if (part[CENTURY] < 0) {
        part[CENTURY] = part[YEAR] < pivot ? 20 : 19;
    }
    int year = part[CENTURY] * 100 + part[YEAR];
    if (text.len > 0 || part[MONTH] < 1 || part[DAY] < 1 ||
        acme_date_days(year, part[MONTH], part[DAY]) >= acme_date_days(year, part[MONTH] + 1, 1)) {
        return ACME_DATE_NONE;
    }
    int minutes = part[HOUR] * 60 + part[MINUTE];
    return (int64_t)acme_date_days(year, part[MONTH], part[DAY]) * 86400 + minutes * 60 + part[SECOND];
}

static int64_t read_kind(struct acme_slice text, enum kind kind)
{
    int64_t utc = ACME_DATE_NONE;

    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && utc == ACME_DATE_NONE; i++) {
        if (forms[i].kind == kind) {
            utc = read_form(text, forms[i].form, forms[i].pivot);
        }
    }
    return utc;
}

int64_t acme_date_http(struct acme_slice text)
{
    return read_kind(text, HTTP);
}

int64_t acme_date_der(struct acme_slice text, bool utc_time)
{
    return read_kind(text, utc_time ? UTC_TIME : GENERALIZED_TIME);
}

#if ACME_CFG_RENEWAL
int64_t acme_date_rfc3339(struct acme_slice text)
{
    const size_t len = sizeof("2026-11-28T07:00:00") - 1;
    int64_t utc = read_kind(acme_slice(text.at, text.len < len ? 0 : len), LOCAL_TIME);
    if (utc == ACME_DATE_NONE) {
        return utc;
    }
    skip(&text, len);
    if (take(&text, '.')) {
        do {
            if (text.len == 0 || !acme_is_digit(text.at[0])) {
                return ACME_DATE_NONE;
            }
            skip(&text, 1);
        } while (text.len > 0 && acme_is_digit(text.at[0]));
    }
    if (take(&text, 'z')) {
        return text.len == 0 ? utc : ACME_DATE_NONE;
    }
    bool west = take(&text, '-');
    if (!west && !take(&text, '+')) {
        return ACME_DATE_NONE;
    }
    int hours = number(&text, false);
    int minutes = take(&text, ':') ? number(&text, false) : -1;
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || text.len > 0) {
        return ACME_DATE_NONE;
    }
    int32_t ahead = (hours * 60 + minutes) * 60;
    return west ? utc + ahead : utc - ahead;
}
#endif

uint32_t acme_moment(int64_t utc)
{
    return utc < 1 ? 1 : utc < UINT32_MAX ? (uint32_t)utc : UINT32_MAX;
}

int32_t acme_retry_after_s(struct acme_slice retry_after, struct acme_slice date, int64_t utc)
{
    acme_slice_trim(&retry_after);
    acme_slice_trim(&date);
    int64_t delta = acme_slice_decimal(retry_after);

    if (delta >= 0) {
        return delta < INT32_MAX ? (int32_t)delta : INT32_MAX;
    }
    int64_t until = acme_date_http(retry_after);
    int64_t now = acme_date_http(date);
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
