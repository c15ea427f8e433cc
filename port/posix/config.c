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

#define LETS_ENCRYPT "https://acme-v02.api.letsencrypt.org/directory"
#define STAGING      "https://acme-staging-v02.api.letsencrypt.org/directory"
#define FORMAT       1 /* of kept files */

enum kind { TEXT, WORDS, PORT, REASON, FORM, SWITCH };

/* Without a key it is a flag only, without a flag a key only, without a help it is not in --help. */
static const struct row {
    const char *key, *flag, *argument, *help;
    enum kind kind;
    size_t at;
} rows[ACME_KEY_COUNT] = {
#define ROW(name, key, flag, argument, kind, member, help)                                                           \
    [ACME_KEY_##name] = {key, flag, argument, help, kind, offsetof(struct acme_config, member)}
    ROW(DIRECTORY_URL, "directory_url", "--directory", "URL", TEXT, directory_url, "the CA (default: Let's Encrypt)"),
    ROW(CA_FILE, "ca_file", "--ca-file", "PEM", TEXT, ca_file,
        "trusted roots for the CA's server (default: system's)"),
    ROW(STATE, "state", "--state", "DIR", TEXT, state, "keys and certificates (default: /var/lib/nanoacme)"),
    ROW(HTTP_PORT, "http_port", "--http-port", "N", PORT, http_port, "port for validation (default: 80)"),
    ROW(WEBROOT, "webroot", "--webroot", "DIR", TEXT, webroot, "put validation answers below DIR instead"),
    ROW(USER, "user", "--user", "NAME", TEXT, user, "give up root and work as this user"),
    ROW(CONTACT, "contact", "--contact", "URI", WORDS, contacts, "where the CA may reach you, e.g. me@example.org"),
    ROW(ACCEPT_TERMS, "accept_terms", "--accept-terms", NULL, SWITCH, accept_terms,
        "agree to the CA's terms of service"),
    ROW(MORE_NAMES, "more_names", "--more-names", NULL, SWITCH, more_names,
        "take a certificate that is for other names as well"),
    ROW(REUSE_KEY, "reuse_key", "--reuse-key", NULL, SWITCH, reuse_key, "a renewal is for the key in use"),
    ROW(DEACTIVATE_AUTHZ, "deactivate_authz", "--deactivate-authz", NULL, SWITCH, deactivate_authz,
        "an order that fails leaves no open authorization at the CA"),
    ROW(FORCE, NULL, "--force", NULL, SWITCH, force, "a new certificate even if none is due"),
    ROW(JSON, NULL, "--json", NULL, SWITCH, json, "one JSON object a line"),
    ROW(VERBOSE, NULL, "-v", NULL, SWITCH, verbose, "also requests, connections and figures"),
    ROW(NAMES, "names", NULL, "NAME", WORDS, names, NULL),
    ROW(TLS_NAME, "tls_name", "--tls-name", "NAME", TEXT, tls_name,
        "name in the CA server's certificate, if not the URL's"),
    ROW(MORE_HOST, "more_host", "--more-host", "HOST", WORDS, more_hosts,
        "another host the CA's objects may live on"),
    ROW(ALLOW_PLAIN_HTTP, "allow_plain_http", "--allow-plain-http", "HOST", TEXT, plain_host,
        "the CA may be at http://HOST, without TLS: for tests"),
    ROW(PRODUCT, "product", NULL, "TEXT", TEXT, product, NULL),
    ROW(REASON, NULL, "--reason", "N", REASON, reason, "why: 1 key compromised, 4 superseded, 5 out of use"),
    ROW(YES, NULL, "--yes", NULL, SWITCH, yes, "you mean it"),
    ROW(PROFILE, "profile", "--profile", "NAME", TEXT, profile, "the CA's certificate profile to ask for"),
    ROW(PROFILE_OPTIONAL, "profile_optional", "--profile-optional", NULL, SWITCH, profile_optional,
        "without that profile the CA's default will do"),
    ROW(STAGING, NULL, "--staging", NULL, SWITCH, staging, "Let's Encrypt's staging directory, for trials"),
    ROW(DRY_RUN, NULL, "--dry-run", NULL, SWITCH, dry_run, "all of it, but what is in use stays as it is"),
    ROW(QUIET, NULL, "-q", NULL, SWITCH, quiet, "errors only"),
    ROW(METRICS, NULL, "--metrics", NULL, SWITCH, metrics, "status as text for Prometheus"),
    ROW(FORMAT, "format", NULL, "N", FORM, format, NULL),
    ROW(DEPLOY_HOOK, "deploy_hook", "--deploy-hook", "CMD", TEXT, deploy_hook,
        "a program that takes each new pair over"),
    ROW(KEY_MODE, "key_mode", "--key-mode", "MODE", TEXT, key_mode, "rights of the key, e.g. 0640 (default: 0600)"),
    ROW(KEY_GROUP, "key_group", "--key-group", "GROUP", TEXT, key_group, "a group that may read key and chain"),
    ROW(CHALLENGE, "challenge", "--challenge", "LIST", TEXT, challenge,
        "http-01, dns-01, tls-alpn-01, dns-account-01, dns-persist-01: which, in order"),
    ROW(DNS_SERVER, "dns_server", "--dns-server", "HOST[:PORT]", TEXT, dns_server,
        "dns-01: the zone's primary, which takes updates"),
    ROW(TSIG_KEY, "tsig_key", "--tsig-key", "FILE", TEXT, tsig_key, "dns-01: the key that updates are signed with"),
    ROW(DNS_ZONE, "dns_zone", "--dns-zone", "NAME", TEXT, dns_zone, "dns-01: the zone (default: looked for)"),
    ROW(DNS_RECORD, "dns_record", "--dns-record", "NAME", TEXT, dns_record,
        "dns-01: where the answer is put, if not at _acme-challenge.NAME"),
    ROW(DNS_WATCH, "dns_watch", "--dns-watch", "HOST", WORDS, dns_watch,
        "dns-01: a server of the zone that has to show it, for a minute at most"),
    ROW(TLS_PORT, "tls_port", "--tls-port", "N", PORT, tls_port,
        "port for tls-alpn-01 (default: 443); alone it is the only challenge"),
    ROW(HOOK, "hook", "--hook", "CMD", TEXT, hook, "a program that answers challenges in our place"),
    ROW(EAB_KID, "eab_kid", "--eab-kid", "ID", TEXT, eab_kid,
        "key id of your account with the CA, where it wants one"),
    ROW(EAB_KEY_FILE, "eab_key_file", "--eab-key-file", "FILE", TEXT, eab_key_file,
        "its MAC key, as the CA gives it"),
    ROW(ISSUER, NULL, "--issuer", "NAME", TEXT, issuer,
        "dns-record: what the CA calls itself (default: it is asked)"),
    ROW(UNTIL, NULL, "--until", "DATE", TEXT, until, "dns-record: the record's last day, e.g. 2027-12-31"),
    ROW(ACCOUNT_KEY, "account_key", "--account-key", "URI", TEXT, account_key,
        "pkcs11:...: the account's key is in a token"),
    ROW(KEY, "key", "--key", "URI", TEXT, key, "pkcs11:...: so is the certificate's, which stays the same"),
    ROW(PREFERRED_CHAIN, "preferred_chain", "--preferred-chain", "NAME", TEXT, preferred_chain,
        "of the CA's chains, the one to the root of this name"),
    ROW(CSR, "csr", "--csr", "FILE", TEXT, csr, "the certificate request, whose key stays elsewhere"),
#undef ROW
};

static uint64_t bit(enum acme_config_key key)
{
    return (uint64_t)1 << key;
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
    c->directory_url = LETS_ENCRYPT;
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

const char *acme_config_help(enum acme_config_key key, bool in_file)
{
    return (rows[key].key != NULL) == in_file ? rows[key].help : NULL;
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
    case FORM:
        *(uint16_t *)at = number_of(value);
        return number_of(value) == 0       ? "not a number"
               : number_of(value) > FORMAT ? "made by a later nanoacme, and left alone"
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

/* True when a word is a flag without its dashes, as in `directory` or `accept-terms`. */
static bool is_flag_word(const char *flag, const char *word)
{
    if (flag == NULL) {
        return false; /* a key of files only */
    }
    flag += strspn(flag, "-");
    word += strspn(word, "-");
    while (*word != '\0' && (*flag == *word || (*flag == '-' && *word == '_'))) {
        flag++;
        word++;
    }
    return *flag == '\0' && *word == '\0';
}

/* Says what may have been meant. */
static int unknown_key(struct acme_config *c, unsigned number, const char *key)
{
    for (unsigned i = 0; i < ACME_KEY_COUNT; i++) {
        if (is_flag_word(rows[i].flag, key) || (i == ACME_KEY_VERBOSE && strcmp(key, "verbose") == 0)) {
            return rows[i].key == NULL
                       ? complain(c, ACME_EXIT_CONFIG, "%s:%u: \"%.64s\" is for the command line only: %s",
                                  c->reading, number, key, rows[i].flag)
                       : complain(c, ACME_EXIT_CONFIG, "%s:%u: unknown key \"%.64s\"; here it is called %s",
                                  c->reading, number, key, rows[i].key);
        }
    }
    return complain(c, ACME_EXIT_CONFIG, "%s:%u: unknown key \"%.64s\"", c->reading, number, key);
}

/* What of a value would become a part of it, such as of a directory's name, though it is not meant to. NULL: nothing. */
static const char *not_meant(const char *value)
{
    size_t len = strlen(value);
    for (size_t i = 0; i + 1 < len; i++) {
        if (blank(value[i]) && value[i + 1] == '#') {
            return "a comment needs a line of its own";
        }
    }
    return (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0] ? "values stand without quotes" : NULL;
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
    } else if (key[strcspn(key, " \t")] != '\0' && row_of(key, strcspn(key, " \t")) != ACME_KEY_COUNT) {
        return complain(c, ACME_EXIT_CONFIG, "%s:%u: no = between \"%.*s\" and its value", c->reading, number,
                        (int)strcspn(key, " \t"), key);
    }
    enum acme_config_key i = row_of(key, strlen(key));
    if (i == ACME_KEY_COUNT) {
        return unknown_key(c, number, key);
    }
    if (value == NULL || *value == '\0') {
        return complain(c, ACME_EXIT_CONFIG, "%s:%u: key \"%s\" has no value", c->reading, number, key);
    }
    uint64_t *in = c->reading == c->file ? &c->in_file : &c->in_kept;
    uint64_t stays = c->by_flag | (c->reading == c->file ? 0 : c->in_file);
    if ((*in & bit(i)) != 0 && rows[i].kind != WORDS) {
        return complain(c, ACME_EXIT_CONFIG, "%s:%u: key \"%s\" is given twice", c->reading, number, key);
    }
    wrong = not_meant(value);
    *in |= bit(i);
    if (wrong == NULL && (stays & bit(i)) == 0) {
        wrong = take_values(c, (enum acme_config_key)i, value);
    }
    return wrong == NULL ? 0 : complain(c, ACME_EXIT_CONFIG, "%s:%u: %s: %s", c->reading, number, key, wrong);
}

int acme_config_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0) { /* to wait for what a writer writes is right */
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    }
    return fd;
}

static int read_from(struct acme_config *c, int fd, const char *path)
{
    ssize_t n = 1;
    unsigned number = 0;
    int code = 0;

    c->reading = path;
    while (fd >= 0 && n > 0 && c->pool_len < sizeof c->pool) {
        n = read(fd, c->pool + c->pool_len, sizeof c->pool - c->pool_len);
        c->pool_len += n > 0 ? (size_t)n : 0;
    }
    if (fd < 0 || n < 0) {
        code = complain(c, ACME_EXIT_CONFIG, "cannot read %s: %s", path, strerror(errno));
    } else if (c->pool_len == sizeof c->pool || memchr(c->pool, '\0', c->pool_len) != NULL) {
        code = complain(c, ACME_EXIT_CONFIG, "%s: not a text of less than %zu bytes", path, sizeof c->pool);
    }
    /* Some editors put U+FEFF in front, which nobody sees. */
    char *line = c->pool + (c->pool_len >= 3 && memcmp(c->pool, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
    while (code == 0 && line < c->pool + c->pool_len) {
        char *end = line;
        while (end < c->pool + c->pool_len && *end != '\n' && (*end != '\r' || end[1] == '\n')) {
            end++;
        }
        *end = '\0';
        code = take_line(c, line, ++number);
        line = end + 1;
    }
    return code;
}

int acme_config_read(struct acme_config *c, const char *path)
{
    int fd = acme_config_open(path);
    c->file = path;
    int code = read_from(c, fd, path);
    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

int acme_config_kept(struct acme_config *c, int fd, const char *path)
{
    return read_from(c, fd, path);
}

/* True when take_line() reads back what is written of this value. */
static bool can_be_read(const char *value, bool list)
{
    size_t len = strlen(value);
    bool good = len > 0 && !blank(value[0]) && !blank(value[len - 1]) && not_meant(value) == NULL;

    for (size_t i = 0; i < len; i++) {
        good = good && (unsigned char)value[i] != '\n' && value[i] != '\r' && !(list && blank(value[i]));
    }
    return good;
}

static void write_pair(struct acme_out *o, const char *key, const char *folder, const char *value)
{
    acme_out_text(o, key);
    acme_out_text(o, " = ");
    acme_out_text(o, folder);
    acme_out_text(o, folder[0] != '\0' ? "/" : "");
    acme_out_text(o, value);
    acme_out_text(o, "\n");
}

const char *acme_config_write(const struct acme_config *c, struct acme_out *o)
{
    const char *wrong = NULL;
    char cwd[4096], number[8];

    acme_out_text(o, "# What this certificate was issued with, and is renewed with. May be edited.\nformat = 1\n");
    for (unsigned i = 0; i < ACME_KEY_COUNT; i++) {
        const void *at = (const char *)c + rows[i].at;
        const struct acme_words *words = at;
        const char *value = rows[i].kind == TEXT ? *(const char *const *)at : NULL;
        bool is_path = i == ACME_KEY_CA_FILE || i == ACME_KEY_WEBROOT || i == ACME_KEY_TSIG_KEY ||
                       i == ACME_KEY_EAB_KEY_FILE || i == ACME_KEY_CSR;
        bool bare = is_path && value != NULL && value[0] != '/';

        if (rows[i].key == NULL || i == ACME_KEY_STATE || i == ACME_KEY_FORMAT) {
            continue;
        }
        if (bare && getcwd(cwd, sizeof cwd) == NULL) {
            wrong = rows[i].key;
        }
        if (value != NULL) {
            wrong = can_be_read(value, false) && (!bare || can_be_read(cwd, false)) ? wrong : rows[i].key;
            write_pair(o, rows[i].key, bare ? cwd : "", value);
        }
        for (size_t k = 0; rows[i].kind == WORDS && k < words->count; k++) {
            wrong = can_be_read(words->at[k], true) ? wrong : rows[i].key;
            acme_out_text(o, k == 0 ? rows[i].key : "");
            acme_out_text(o, k == 0 ? " = " : " ");
            acme_out_text(o, words->at[k]);
            acme_out_text(o, k + 1 == words->count ? "\n" : "");
        }
        bool used = i == ACME_KEY_TLS_PORT ? c->tls_port != 0 && (c->webroot == NULL || c->challenge != NULL)
                                           : c->webroot == NULL && !acme_config_only_tls(c);
        if (rows[i].kind == PORT && used) {
            (void)snprintf(number, sizeof number, "%u", (unsigned)*(const uint16_t *)at);
            write_pair(o, rows[i].key, "", number);
        }
        if (rows[i].kind == SWITCH && *(const bool *)at) {
            write_pair(o, rows[i].key, "", "yes");
        }
    }
    return o->overflow ? "all of it" : wrong;
}

int acme_config_blame(const struct acme_config *c, enum acme_config_key key)
{
    return ((c->in_file | c->in_kept) & ~c->by_flag & bit(key)) != 0 ? ACME_EXIT_CONFIG : ACME_EXIT_USAGE;
}

/* True when the list of challenges names this type. */
static bool lists(const struct acme_config *c, const char *type)
{
    return c->challenge != NULL && strstr(c->challenge, type) != NULL; /* no type's word is part of another's */
}

bool acme_config_only_tls(const struct acme_config *c)
{
    return c->tls_port != 0 && !lists(c, "http-01");
}

void acme_config_for_trial(struct acme_config *c)
{
    c->directory_url = strcmp(c->directory_url, LETS_ENCRYPT) == 0 ? STAGING : c->directory_url;
}

int acme_config_check(struct acme_config *c)
{
    const uint64_t ways = bit(ACME_KEY_HTTP_PORT) | bit(ACME_KEY_WEBROOT) |
                          (c->challenge == NULL ? bit(ACME_KEY_TLS_PORT) : 0),
                   levels[] = {c->by_flag, c->in_file, c->in_kept};
    uint64_t chosen = 0;

    /* What counts more chooses the way to answer against what counts less. */
    for (size_t i = 0; i < 3 && chosen == 0; i++) {
        chosen = levels[i] & ways;
    }
    if ((chosen & (chosen - 1)) != 0) {
        return complain(
            c, acme_config_blame(c, (chosen & bit(ACME_KEY_WEBROOT)) != 0 ? ACME_KEY_WEBROOT : ACME_KEY_TLS_PORT),
            "http_port, webroot and tls_port exclude each other");
    }
    c->webroot = chosen == 0 || chosen == bit(ACME_KEY_WEBROOT) ? c->webroot : NULL;
    c->tls_port = chosen == 0 || chosen == bit(ACME_KEY_TLS_PORT) || c->challenge != NULL ? c->tls_port : 0;
    if (c->tls_port == 0 && lists(c, "tls-alpn-01")) {
        c->tls_port = 443;
    }
    if (c->quiet && c->verbose) {
        return complain(c, ACME_EXIT_USAGE, "-q and -v exclude each other");
    }
    if (c->staging && (c->by_flag & bit(ACME_KEY_DIRECTORY_URL)) != 0) {
        return complain(c, ACME_EXIT_USAGE, "--staging and --directory exclude each other");
    }
    if (c->staging) {
        c->directory_url = STAGING;
        c->by_flag |= bit(ACME_KEY_DIRECTORY_URL);
        c->staging = false; /* said; this is called again when more has been read */
    }
    for (size_t i = 0; i < c->names.count; i++) {
        size_t len = strlen(c->names.at[i]);
        if (len > 254 || (len == 254 && c->names.at[i][253] != '.')) {
            return complain(c, acme_config_blame(c, ACME_KEY_NAMES), "%.64s...: longer than a DNS name",
                            c->names.at[i]);
        }
    }
    return 0;
}
