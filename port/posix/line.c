/* line.c - lines of text and of JSON in one bounded buffer. */
#define _GNU_SOURCE 1
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

/* The CA's longest text, in a message and as it is, twice for what JSON escapes, and the figures. */
static char memory[40960];
static struct acme_out line;

struct acme_out *acme_line(void)
{
    acme_out_init(&line, memory, sizeof memory - 1);
    return &line;
}

struct acme_out *acme_line_now(void)
{
    return &line;
}

/* On a terminal: what is under way, to be written over by the next line. */
static bool held;

void acme_line_hold(const char *text)
{
    char hold[64];
    int len = snprintf(hold, sizeof hold, "%s ...", text);
    if (len > 0 && len < (int)sizeof hold) {
        held = acme_posix_write(STDOUT_FILENO, hold, (size_t)len) == 0;
    }
}

static void let_go(void)
{
    static const char erase[] = "\r\033[K"; /* to the start of the line, and what stands there away (ECMA-48, EL) */
    if (held) {
        held = false;
        (void)acme_posix_write(STDOUT_FILENO, erase, sizeof erase - 1);
    }
}

void acme_lines_write(int fd, const struct acme_out *lines)
{
    let_go();
    (void)acme_posix_write(fd, lines->at, lines->len);
}

void acme_line_end(int fd)
{
    let_go();
    if (line.overflow && memory[0] == '{') {
        acme_out_init(&line, memory, sizeof memory - 1);
        acme_out_text(&line, "{\"event\":\"overflow\"}");
    }
    memory[line.len++] = '\n';
    (void)acme_posix_write(fd, memory, line.len);
}

/* The last message, for acme_line_way_out(). */
static char last[10240] = "nanoacme: "; /* with the CA's longest text */
static bool ended;
static const char *about;

void acme_line_about(const char *name)
{
    about = name;
}

void acme_report_error(const char *format, ...)
{
    va_list list;
    size_t len;

    int lead = about != NULL ? snprintf(last + 10, sizeof last - 12, "%s: ", about) : 0;
    va_start(list, format);
    (void)vsnprintf(last + 10 + lead, sizeof last - 12 - (size_t)lead, format, list);
    va_end(list);
    for (len = 0; last[len] != '\0'; len++) { /* what was typed must not break the line, nor steer a terminal */
        last[len] = (unsigned char)last[len] < ' ' || last[len] == 0x7f ? '?' : last[len];
    }
    last[len++] = '\n';
    last[len] = '\0';
    let_go();
    (void)acme_posix_write(STDERR_FILENO, last, len);
}

void acme_say_date(struct acme_out *o, int64_t utc)
{
    /* Days to a civil date by counting from 1 March 0000, so that the leap day is a year's last. */
    int64_t day = utc / 86400, rest = utc % 86400;
    char text[32];

    if (rest < 0) {
        rest += 86400;
        day--;
    }
    day += 719468;
    int64_t era = day / 146097, in_era = day % 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * in_year + 2) / 153;
    int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);

    (void)snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d", (int)(year + era * 400 + (month <= 2)), month,
                   (int)(in_year - (153 * shifted + 2) / 5 + 1), (int)(rest / 3600), (int)(rest / 60 % 60));
    acme_out_text(o, text);
}

void acme_line_object(struct acme_out *o, const char *event)
{
    ended = ended || strcmp(event, "end") == 0;
    acme_out_text(o, "{\"event\":\"");
    acme_out_text(o, event);
    acme_out_text(o, "\"");
}

static void member_name(struct acme_out *o, const char *member)
{
    char before = o->len > 0 ? o->at[o->len - 1] : '{';
    acme_out_text(o, before == '{' ? "\"" : ",\"");
    acme_out_text(o, member);
    acme_out_text(o, "\":");
}

/* Length of the UTF-8 character (RFC 3629) at the start of the text; 0: it is none. */
static size_t character(const unsigned char *at, size_t len)
{
    size_t need = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;

    if (need > len || (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f)) {
        return 0;
    }
    for (size_t i = 1; i < need; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return need;
}

void acme_line_text(struct acme_out *o, const char *member, struct acme_slice value)
{
    if (value.len == 0) {
        return;
    }
    member_name(o, member);
    acme_out_text(o, "\"");
    for (size_t at = 0; at < value.len;) { /* JSON is UTF-8 (RFC 8259, 8.1); a path may be anything */
        size_t len = character((const unsigned char *)value.at + at, value.len - at);
        if (len > 0) {
            acme_out_json(o, acme_slice(value.at + at, len));
        } else {
            acme_out_text(o, "\\ufffd");
        }
        at += len > 0 ? len : 1;
    }
    acme_out_text(o, "\"");
}

void acme_line_number(struct acme_out *o, const char *member, int64_t value)
{
    char text[24];
    member_name(o, member);
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    acme_out_text(o, text);
}

void acme_line_close(struct acme_out *o)
{
    acme_out_text(o, "}");
}

void acme_line_way_out(const char *result)
{
    struct acme_out *o;
    size_t len = strlen(last);

    if (ended) {
        return;
    }
    o = acme_line();
    acme_line_object(o, "end");
    acme_line_text(o, "result", acme_slice_of(result));
    if (strcmp(result, "failed") == 0 && len > 11) {
        acme_line_text(o, "message", acme_slice(last + 10, len - 11));
    }
    acme_line_close(o);
    acme_line_end(STDOUT_FILENO);
}
