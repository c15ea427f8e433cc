/* config.c - the table of keys and flags, and the config file's syntax: `key = value`, # begins a comment
 * line. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

enum kind { TEXT, WORDS, PORT, REASON, SWITCH };

static const struct row {
    const char *key, *flag, *argument;
    enum kind kind;
    size_t at;
} rows[ACME_KEY_COUNT] = {
    {"directory_url", "--directory", "URL", TEXT, offsetof(struct acme_config, directory_url)},
    {"ca_file", "--ca-file", "PEM", TEXT, offsetof(struct acme_config, ca_file)},
    {"state", "--state", "DIR", TEXT, offsetof(struct acme_config, state)},
    {"http_port", "--http-port", "N", PORT, offsetof(struct acme_config, http_port)},
    {"webroot", "--webroot", "DIR", TEXT, offsetof(struct acme_config, webroot)},
    {"contact", "--contact", "URI", WORDS, offsetof(struct acme_config, contacts)},
    {"accept_terms", "--accept-terms", NULL, SWITCH, offsetof(struct acme_config, accept_terms)},
    {"force", "--force", NULL, SWITCH, offsetof(struct acme_config, force)},
    {"json", "--json", NULL, SWITCH, offsetof(struct acme_config, json)},
    {"verbose", "-v", NULL, SWITCH, offsetof(struct acme_config, verbose)},
    {"names", NULL, "NAME", WORDS, offsetof(struct acme_config, names)},
    {"tls_name", "--tls-name", "NAME", TEXT, offsetof(struct acme_config, tls_name)},
    {"more_host", "--more-host", "HOST", WORDS, offsetof(struct acme_config, more_hosts)},
    {"allow_plain_http", "--allow-plain-http", "HOST", TEXT, offsetof(struct acme_config, plain_host)},
    {"product", NULL, "TEXT", TEXT, offsetof(struct acme_config, product)},
    {NULL, "--reason", "N", REASON, offsetof(struct acme_config, reason)},
    {NULL, "--yes", NULL, SWITCH, offsetof(struct acme_config, yes)},
};

static uint32_t bit(enum acme_config_key key)
{
    return (uint32_t)1 << key;
}

__attribute__((format(printf, 3, 4))) static int complain(struct acme_config *c, int code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(c->error, sizeof c->error, format, list);
    va_end(list);
    return code;
}

void acme_config_init(struct acme_config *c)
{
    memset(c, 0, sizeof *c);
    c->directory_url = "https://acme-v02.api.letsencrypt.org/directory";
    c->state = "/var/lib/nanoacme";
    c->http_port = 80;
}

enum acme_config_key acme_config_flag(const char *flag, size_t len)
{
    unsigned key = 0;
    while (key < ACME_KEY_COUNT &&
           (rows[key].flag == NULL || strlen(rows[key].flag) != len || memcmp(rows[key].flag, flag, len) != 0)) {
        key++;
    }
    return (enum acme_config_key)key;
}

const char *acme_config_flag_name(enum acme_config_key key)
{
    return rows[key].flag;
}

const char *acme_config_argument(enum acme_config_key key)
{
    return rows[key].argument;
}

/* Reads 1..65535 in plain digits; 0: it is none. */
static uint16_t number_of(const char *text)
{
    uint32_t port = 0;
    size_t i;
    for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 5; i++) {
        port = port * 10 + (uint32_t)(text[i] - '0');
    }
    return text[i] == '\0' && port <= 65535 ? (uint16_t)port : 0;
}

/* Returns 1 on, 0 off, -1 neither. */
static int switch_of(const char *text)
{
    static const char *const on[] = {"yes", "true", "1"};
    static const char *const off[] = {"no", "false", "0"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(text, on[i]) == 0) {
            return 1;
        }
        if (strcmp(text, off[i]) == 0) {
            return 0;
        }
    }
    return -1;
}

/* Puts one value in its place. Returns NULL, or what is wrong with it. */
static const char *set(struct acme_config *c, enum acme_config_key key, const char *value)
{
    void *at = (char *)c + rows[key].at;
    struct acme_words *words = at;
    int on;

    switch (rows[key].kind) {
    case TEXT:
        *(const char **)at = value;
        return NULL;
    case WORDS:
        if (words->count == ACME_CONFIG_WORDS) {
            return "too many values";
        }
        words->at[words->count++] = value;
        return NULL;
    case PORT:
        *(uint16_t *)at = number_of(value);
        return number_of(value) == 0 ? "not a port number" : NULL;
    case REASON: /* RFC 5280, 5.3.1, which has no 7 */
        *(uint16_t *)at = number_of(value);
        return number_of(value) == 7                            ? "RFC 5280 has no reason 7"
               : number_of(value) == 0 || number_of(value) > 10 ? "not a reason from 1 to 10"
                                                                : NULL;
    case SWITCH:
        on = switch_of(value);
        *(bool *)at = on == 1;
        return on < 0 ? "neither yes nor no" : NULL;
    }
    return NULL;
}

int acme_config_take(struct acme_config *c, enum acme_config_key key, const char *value)
{
    const char *name = rows[key].flag != NULL ? rows[key].flag : rows[key].key;
    const char *wrong;

    if (rows[key].kind != SWITCH && (value == NULL || value[0] == '\0')) {
        return complain(c, ACME_EXIT_USAGE, "%s needs a value", name);
    }
    if ((c->by_flag & bit(key)) != 0 && rows[key].kind != WORDS && rows[key].kind != SWITCH) {
        return complain(c, ACME_EXIT_USAGE, "%s is given twice", name);
    }
    c->by_flag |= bit(key);
    wrong = set(c, key, rows[key].kind == SWITCH ? "yes" : value);
    return wrong == NULL ? 0 : complain(c, ACME_EXIT_USAGE, "%s %s: %s", name, value != NULL ? value : "", wrong);
}

static bool blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r';
}

/* Cuts white space off both ends. */
static char *trim(char *text)
{
    size_t len;
    while (blank(*text)) {
        text++;
    }
    for (len = strlen(text); len > 0 && blank(text[len - 1]); len--) {
        text[len - 1] = '\0';
    }
    return text;
}

/* Takes one value of the file, which for `names` and other lists may be several words. */
static const char *take_values(struct acme_config *c, enum acme_config_key key, char *value)
{
    const char *wrong = NULL;
    bool list = rows[key].kind == WORDS;

    while (wrong == NULL && *value != '\0') {
        char *end = value;
        while (*end != '\0' && !(list && blank(*end))) {
            end++;
        }
        char *next = *end == '\0' ? end : end + 1;
        *end = '\0';
        wrong = set(c, key, value);
        for (value = next; blank(*value); value++) {
        }
    }
    return wrong;
}

static enum acme_config_key row_of(const char *key, size_t len)
{
    unsigned i = 0;
    while (i < ACME_KEY_COUNT &&
           (rows[i].key == NULL || strlen(rows[i].key) != len || memcmp(rows[i].key, key, len) != 0)) {
        i++;
    }
    return (enum acme_config_key)i;
}

/* Two mistakes are worth a hint: a flag's name, and "key value" without the sign between. */
static int unknown_key(struct acme_config *c, const char *key, unsigned number)
{
    char flag[32];
    enum acme_config_key by_flag = ACME_KEY_COUNT;
    size_t first = strcspn(key, " \t");

    if (snprintf(flag, sizeof flag, "%s%s", key[0] == '-' ? "" : "--", key) < (int)sizeof flag) {
        by_flag = acme_config_flag(flag, strlen(flag));
    }
    if (by_flag != ACME_KEY_COUNT && rows[by_flag].key != NULL) {
        return complain(c, ACME_EXIT_CONFIG, "%s:%u: unknown key \"%.64s\"; the key for %s is %s", c->file, number,
                        key, flag, rows[by_flag].key);
    }
    if (key[first] != '\0' && row_of(key, first) != ACME_KEY_COUNT) {
        return complain(c, ACME_EXIT_CONFIG, "%s:%u: no = between \"%.*s\" and its value", c->file, number,
                        (int)first, key);
    }
    return complain(c, ACME_EXIT_CONFIG, "%s:%u: unknown key \"%.64s\"", c->file, number, key);
}

static int take_line(struct acme_config *c, char *line, unsigned number)
{
    char *key = trim(line);
    char *value = strchr(key, '=');
    const char *wrong;

    if (*key == '\0' || *key == '#') {
        return 0;
    }
    if (value != NULL) {
        *value++ = '\0';
        value = trim(value);
        key = trim(key);
    }
    enum acme_config_key i = row_of(key, strlen(key));
    if (i == ACME_KEY_COUNT) {
        return unknown_key(c, key, number);
    }
    if (value == NULL || *value == '\0') {
        return complain(c, ACME_EXIT_CONFIG, "%s:%u: key \"%s\" has no value", c->file, number, key);
    }
    if ((c->in_file & bit(i)) != 0 && rows[i].kind != WORDS) {
        return complain(c, ACME_EXIT_CONFIG, "%s:%u: key \"%s\" is given twice", c->file, number, key);
    }
    if (strstr(value, " #") != NULL) { /* it would become a part of the value, such as a directory of that name */
        return complain(c, ACME_EXIT_CONFIG, "%s:%u: %s: a comment needs a line of its own", c->file, number, key);
    }
    if (value[0] == '"' && value[strlen(value) - 1] == '"') { /* so would these */
        return complain(c, ACME_EXIT_CONFIG, "%s:%u: %s: values stand without quotes", c->file, number, key);
    }
    c->in_file |= bit(i);
    if ((c->by_flag & bit(i)) != 0) {
        return 0;
    }
    wrong = take_values(c, i, value);
    return wrong == NULL ? 0 : complain(c, ACME_EXIT_CONFIG, "%s:%u: %s: %s", c->file, number, key, wrong);
}

int acme_config_read(struct acme_config *c, const char *path)
{
    ssize_t n = 1;
    unsigned number = 0;
    int code = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    c->file = path;
    while (fd >= 0 && n > 0 && c->pool_len < sizeof c->pool) {
        n = read(fd, c->pool + c->pool_len, sizeof c->pool - c->pool_len);
        c->pool_len += n > 0 ? (size_t)n : 0;
    }
    if (fd < 0 || n < 0) {
        code = complain(c, ACME_EXIT_CONFIG, "cannot read %s: %s", path, strerror(errno));
    } else if (c->pool_len == sizeof c->pool || memchr(c->pool, '\0', c->pool_len) != NULL) {
        code = complain(c, ACME_EXIT_CONFIG, "%s: not a text of less than %zu bytes", path, sizeof c->pool);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    for (char *line = c->pool; code == 0 && line < c->pool + c->pool_len;) {
        char *end = line;
        while (end < c->pool + c->pool_len && *end != '\n') {
            end++;
        }
        *end = '\0';
        code = take_line(c, line, ++number);
        line = end + 1;
    }
    return code;
}

int acme_config_blame(const struct acme_config *c, enum acme_config_key key)
{
    return (c->in_file & ~c->by_flag & bit(key)) != 0 ? ACME_EXIT_CONFIG : ACME_EXIT_USAGE;
}

int acme_config_check(struct acme_config *c)
{
    uint32_t both = bit(ACME_KEY_HTTP_PORT) | bit(ACME_KEY_WEBROOT);

    /* A flag chooses the way to answer against the file. */
    if ((c->by_flag & both) == bit(ACME_KEY_HTTP_PORT)) {
        c->webroot = NULL;
    } else if ((c->by_flag & both) == both || ((c->by_flag & both) == 0 && (c->in_file & both) == both)) {
        return complain(c, acme_config_blame(c, ACME_KEY_WEBROOT), "http_port and webroot exclude each other");
    }
    for (size_t i = 0; i < c->names.count; i++) {
        if (strlen(c->names.at[i]) > 253) {
            return complain(c, acme_config_blame(c, ACME_KEY_NAMES), "%.64s...: longer than a DNS name",
                            c->names.at[i]);
        }
    }
    return 0;
}
