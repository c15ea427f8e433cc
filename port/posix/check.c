/* check.c - names, contacts and hosts: right, or refused with the reason, before an order is made for them. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "hook.h"
#include "posix.h"
#include "report.h"
#include "wire/address.h"
#include "wire/url.h"

/* True when a resolver takes the word for an IPv4 address: its last part is a number, which may be hexadecimal, and a dot may
 * stand behind. */
static bool is_number(const char *word)
{
    size_t len = strlen(word);
    size_t at;

    len -= len > 1 && word[len - 1] == '.';
    for (at = len; at > 0 && word[at - 1] != '.'; at--) {
    }
    bool hex = word[at] == '0' && acme_lower(word[at + 1]) == 'x';
    at += hex ? 2 : 0;
    return (hex || at < len) && at + strspn(word + at, hex ? "0123456789abcdefABCDEF" : "0123456789") == len;
}

static bool is_ascii(const char *word)
{
    while (*word != '\0' && (unsigned char)*word < 0x80) {
        word++;
    }
    return *word == '\0';
}

void acme_address_text(const uint8_t *address, size_t len, char text[INET6_ADDRSTRLEN])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, none[12] = {0};

    text[0] = '\0';
    if (len == 4) {
        (void)inet_ntop(AF_INET, address, text, INET6_ADDRSTRLEN);
    } else if (len == 16 && memcmp(address, mapped, sizeof mapped) == 0) {
        (void)inet_ntop(AF_INET, address + 12, text, INET6_ADDRSTRLEN);
    } else if (len == 16) {
        (void)inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
    }
    if (len == 16 && memcmp(address, none, sizeof none) == 0 && strchr(text, '.') != NULL) {
        /* the C library still writes these as ::1.2.3.4 */
        (void)snprintf(text, INET6_ADDRSTRLEN, "::%x:%x", address[12] << 8 | address[13],
                       address[14] << 8 | address[15]);
    }
}

/* An address, but not in the text that CAs take: what that is. NULL: it is none. */
static const char *other_text(const char *word)
{
    static char why[128];
    char text[INET6_ADDRSTRLEN], inner[64];
    uint8_t address[ACME_ADDRESS_MAX];
    size_t len = strlen(word);
    bool bracket = len > 2 && word[0] == '[' && word[len - 1] == ']';

    (void)snprintf(inner, sizeof inner, "%.*s", (int)(bracket ? len - 2 : len), word + bracket);
    if (strlen(inner) + (bracket ? 2 : 0) != len) {
        return NULL;
    }
    size_t bytes = inet_pton(AF_INET6, inner, address) == 1             ? 16
                   : bracket && inet_pton(AF_INET, inner, address) == 1 ? 4
                                                                        : 0;
    if (bytes == 0) {
        return NULL;
    }
    acme_address_text(address, bytes, text);
    (void)snprintf(why, sizeof why, "not the text that CAs take for this address; write %s", text);
    return why;
}

/* Why a word that is no name is none: what was probably meant. */
static const char *why_not(const char *word)
{
    const char *other = other_text(word);
    return other != NULL               ? other
           : !is_ascii(word)           ? "not in ASCII; write the name in its xn-- form"
           : strchr(word, '/') != NULL ? "a URL or a path; give the host's name alone"
           : strchr(word, ',') != NULL ? "a comma; names are given one by one, with blanks between"
           : strchr(word, '*') != NULL ? "a * stands for one label in front only, as in *.example.org"
           : strchr(word, '_') != NULL ? "an underscore, which no host name has"
           : strchr(word, '@') != NULL ? "an e-mail address; that is for --contact"
           : strchr(word, ':') != NULL ? "a port, or a damaged address; give the name or the address alone"
           : strlen(word) > 253        ? "longer than a DNS name"
           : is_number(word) ? "an address to a resolver, but not four decimal numbers without leading zeros"
                             : "not a DNS name, nor an address";
}

const char *acme_check_name(char name[254], const char *word)
{
    size_t len = strlen(word);

    if (len > 1 && word[len - 1] == '.' && word[len - 2] != '.') { /* the root: the same name (RFC 1034, 3.1) */
        len--;
    }
    size_t less = word[0] == '*' && word[1] == '.' && len > 2 ? 2 : 0;
    if (acme_is_address(word)) {
        len = strlen(word);
    } else if (len > 253 || !acme_dns_name_ok(acme_slice(word + less, len - less))) {
        return why_not(word);
    }
    memcpy(name, word, len);
    name[len] = '\0';
    return NULL;
}

bool acme_is_stored_name(const char *name)
{
    return acme_dns_name_ok(acme_slice_of(name[0] == '_' && name[1] == '.' ? name + 2 : name));
}

void acme_small_letters(char *name)
{
    *name = *name == '*' ? '_' : *name; /* which no host's name begins with, and no shell takes for anything else */
    for (; *name != '\0'; name++) {
        *name = acme_lower(*name);
    }
}

int acme_check_stored(char name[254], const char *word)
{
    bool stored = strlen(word) < 254 && acme_is_stored_name(word); /* as it is told: _.example.org */
    const char *why = stored ? NULL : acme_check_name(name, word);
    if (stored) {
        strcpy(name, word);
    }
    if (why != NULL) {
        acme_report_error("names: \"%.260s\": %s", word, why);
        return ACME_EXIT_USAGE;
    }
    acme_small_letters(name);
    return 0;
}

/* The names are also file names. */
static int check_names(struct acme_checked *c, const struct acme_config *config, const char *verb)
{
    static const char *const ours[] = {"account", "account.pem", "account-next.pem"};
    int code = acme_config_blame(config, ACME_KEY_NAMES);
    const char *why;
    size_t i;

    if (config->names.count == 0) {
        acme_report_error("%s needs at least one NAME; see nanoacme --help", verb);
        return ACME_EXIT_USAGE;
    }
    if (config->names.count > ACME_NAMES_MAX) {
        acme_report_error("names: more than %d in one certificate", ACME_NAMES_MAX);
        return code;
    }
    for (i = 0; i < config->names.count; i++) {
        why = acme_check_name(c->names[i], config->names.at[i]);
        for (size_t k = 0; why == NULL && k < i; k++) {
            why = acme_slice_is_word(acme_slice_of(c->names[i]), c->names[k]) ? "given twice" : NULL;
        }
        if (why != NULL) {
            acme_report_error("names: \"%.260s\": %s", config->names.at[i], why);
            return code;
        }
        c->name_at[i] = c->names[i];
    }
    c->name_count = config->names.count;
    memcpy(c->first, c->names[0], sizeof c->first);
    acme_small_letters(c->first);
    for (i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (strcmp(c->first, ours[i]) == 0) {
            acme_report_error("names: \"%s\": the state directory has a file of that name; give another name first",
                              config->names.at[0]);
            return code;
        }
    }
    return 0;
}

int acme_check_room(const struct acme_checked *c, const struct acme_config *config, int state)
{
    static const char longest[] = "..order.tmp"; /* what the longest of its files has beside the name */
    long most = fpathconf(state, _PC_NAME_MAX);

    if (most > 0 && strlen(c->first) + sizeof longest - 1 > (size_t)most) {
        acme_report_error("names: \"%s\": longer than the %ld bytes that the file system of %s leaves for it; give a "
                          "shorter name first",
                          c->first, most - (long)(sizeof longest - 1), config->state);
        return acme_config_blame(config, ACME_KEY_NAMES);
    }
    return 0;
}

/* A contact is a URL (RFC 8555, 7.3); what is meant by an e-mail address is plain. */
static int check_contacts(struct acme_checked *c, const struct acme_config *config)
{
    for (size_t i = 0; i < config->contacts.count; i++) {
        const char *word = config->contacts.at[i];
        bool has_scheme = strchr(word, ':') != NULL;
        const char *at = strchr(word, '@');

        c->contact_at[i] = word;
        if (!is_ascii(word)) {
            acme_report_error("contact: \"%.260s\" is not in ASCII; write its domain in the xn-- form", word);
            return acme_config_blame(config, ACME_KEY_CONTACT);
        }
        if (!has_scheme && at != NULL && at != word && at[1] != '\0' && strlen(word) <= 254) {
            (void)snprintf(c->contacts[i], sizeof c->contacts[i], "mailto:%s", word);
            c->contact_at[i] = c->contacts[i];
        } else if (!has_scheme) {
            acme_report_error("contact: \"%.260s\" is neither an e-mail address nor a URL", word);
            return acme_config_blame(config, ACME_KEY_CONTACT);
        }
    }
    return 0;
}

/* Checks the other hosts: one that is written otherwise would never match. Returns 0 or an exit code. */
static int check_hosts(const struct acme_config *config)
{
    for (size_t i = 0; i < config->more_hosts.count; i++) {
        char text[300];
        struct acme_url url;
        const char *host = config->more_hosts.at[i];
        int need = snprintf(text, sizeof text, "https://%s", host);
        if (need >= (int)sizeof text || acme_url_parse(&url, acme_slice_of(text)) != 0 || url.target.len > 0) {
            acme_report_error("more_host: \"%.260s\" is not HOST or HOST:PORT", host);
            return acme_config_blame(config, ACME_KEY_MORE_HOST);
        }
    }
    return 0;
}

/* True for this machine itself, where nobody can listen in on the way. */
static bool is_loopback(const struct acme_url *url)
{
    bool ipv4 = url->is_address && url->host.len > 4 && memcmp(url->host.at, "127.", 4) == 0;
    return ipv4 || acme_slice_is_word(url->host, "localhost") || acme_slice_is(url->host, "::1");
}

/* Reads the host that is named for http, written as in a URL, but without a port. The text has to stay. */
static bool read_host(struct acme_slice *host, char text[300], const char *word)
{
    struct acme_url url;
    bool good = snprintf(text, 300, "http://%s", word) < 300 && acme_url_parse(&url, acme_slice_of(text)) == 0;

    if (!good || url.authority.len != strlen(word) ||
        url.authority.at + url.authority.len > url.host.at + url.host.len + (word[0] == '[' ? 1 : 0)) {
        return false;
    }
    *host = url.host;
    return true;
}

/* Decides whether a directory without TLS may be used, and warns when it is. Returns 0 or an exit code. */
static int check_plain(struct acme_checked *c, const struct acme_config *config)
{
    struct acme_slice allowed = {NULL, 0};
    struct acme_url url;
    char text[300];

    if (config->plain_host != NULL && !read_host(&allowed, text, config->plain_host)) {
        acme_report_error("allow_plain_http: \"%.260s\" is not HOST, without a port", config->plain_host);
        return acme_config_blame(config, ACME_KEY_ALLOW_PLAIN_HTTP);
    }
    if (acme_url_parse(&url, acme_slice_of(config->directory_url)) != 0 || !acme_url_is_plain(&url)) {
        return 0; /* acme_init() judges it */
    }
    if (!is_loopback(&url) && !acme_slice_is_nocase(url.host, allowed)) {
        acme_report_error(
            "directory_url: \"%.300s\" is not https; for tests, --allow-plain-http HOST names a host for "
            "which that is good enough",
            config->directory_url);
        return acme_config_blame(config, ACME_KEY_DIRECTORY_URL);
    }
    memcpy(c->plain_host, url.host.at, url.host.len); /* at most 253 bytes */
    acme_report_error("warning: http, not https: whoever is on the way to %s can read and change everything",
                      c->plain_host);
    return 0;
}

/* The mode of the key in octal. A key is never for everybody, and nobody but us writes to it. */
static int check_mode(struct acme_checked *c, const struct acme_config *config)
{
    static const mode_t good[] = {0400, 0440, 0600, 0640};
    const char *word = config->key_mode;
    mode_t mode = 0;
    size_t i;

    c->key_mode = 0;
    for (i = 0; word != NULL && i < 4 && word[i] >= '0' && word[i] <= '7'; i++) {
        mode = mode << 3 | (mode_t)(word[i] - '0');
    }
    for (size_t k = 0; word != NULL && word[i] == '\0' && k < sizeof good / sizeof *good; k++) {
        c->key_mode = mode == good[k] ? mode : c->key_mode;
    }
    if (word == NULL || c->key_mode != 0) {
        return 0;
    }
    acme_report_error("key_mode: \"%.64s\" is not 0400, 0440, 0600 or 0640", word);
    return acme_config_blame(config, ACME_KEY_KEY_MODE);
}

static int check_group(struct acme_checked *c, const struct acme_config *config)
{
    const char *word = config->key_group;
    const struct group *group;
    unsigned long number;

    c->key_group = ACME_POSIX_NO_GROUP;
    if (word == NULL) {
        return 0;
    }
    errno = 0;
    group = getgrnam(word);
    if (group != NULL) {
        c->key_group = group->gr_gid;
        return 0;
    }
    int code = errno;
    number = strtoul(word, NULL, 10);
    if (word[strspn(word, "0123456789")] == '\0' && number < UINT32_MAX) {
        c->key_group = (gid_t)number;
        return 0;
    }
    acme_report_error("key_group: \"%.64s\": %s", word,
                      code == 0 || code == ENOENT ? "there is no such group" : strerror(code));
    return acme_config_blame(config, ACME_KEY_KEY_GROUP);
}

static int check_hook(const struct acme_config *config)
{
    const char *wrong = config->deploy_hook != NULL ? acme_hook_check(config->deploy_hook) : NULL;

    if (wrong == NULL) {
        return 0;
    }
    acme_report_error("deploy_hook: \"%.300s\": %s", config->deploy_hook, wrong);
    return acme_config_blame(config, ACME_KEY_DEPLOY_HOOK);
}

/* One is of no use without the other. */
static int check_binding(const struct acme_config *config)
{
    bool kid = config->eab_kid != NULL;

    for (const char *at = kid ? config->eab_kid : ""; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~') {
            acme_report_error("eab_kid: a character in it that no CA gives: copy it again");
            return acme_config_blame(config, ACME_KEY_EAB_KID);
        }
    }
    if (kid == (config->eab_key_file != NULL)) {
        return 0;
    }
    acme_report_error(kid ? "eab_kid: the CA has given a key with it: its file is eab_key_file"
                          : "eab_key_file: the CA has given an id with the key: it is eab_kid");
    return acme_config_blame(config, kid ? ACME_KEY_EAB_KID : ACME_KEY_EAB_KEY_FILE);
}

int acme_check(struct acme_checked *c, const struct acme_config *config, const char *verb)
{
    int code = check_names(c, config, verb);

    code = code != 0 ? code : check_contacts(c, config);
    code = code != 0 ? code : check_hosts(config);
    code = code != 0 ? code : check_binding(config);
    if (code == 0 && config->profile_optional && config->profile == NULL) {
        acme_report_error("profile_optional is about a profile, and none is named");
        code = acme_config_blame(config, ACME_KEY_PROFILE_OPTIONAL);
    }
    return code != 0 ? code : check_plain(c, config);
}

int acme_check_deploy(struct acme_checked *c, const struct acme_config *config)
{
    int code = check_mode(c, config);

    code = code != 0 ? code : check_group(c, config);
    return code != 0 ? code : check_hook(config);
}
