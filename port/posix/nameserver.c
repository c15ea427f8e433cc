/* nameserver.c - see nameserver.h. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "nameserver.h"
#include "report.h"
#include "secure/wipe.h"
#include "wire/base64.h"
#include "wire/url.h"

/* --- where it is --- */

static bool is_ipv6(const char *word)
{
    struct in6_addr at;
    return inet_pton(AF_INET6, word, &at) == 1;
}

const char *acme_nameserver_split(const char *word, char host[254], uint16_t *port)
{
    struct acme_slice rest = acme_slice_of(word), name;
    int64_t number;
    bool bracket = word[0] == '[';

    *port = 0;
    if (is_ipv6(word)) {
        (void)snprintf(host, 254, "%s", word);
        return NULL;
    }
    if (bracket) {
        rest.at++, rest.len--;
        if (acme_slice_find(rest, ']') == rest.len) {
            return "a [ without its ]";
        }
    }
    name = acme_slice_cut(&rest, bracket ? ']' : ':');
    if (name.len == 0) {
        return "no host";
    }
    if (name.len > 253) {
        return "longer than a host's name";
    }
    (void)snprintf(host, 254, "%.*s", (int)name.len, name.at);
    if (bracket ? !is_ipv6(host)
                : strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != name.len) {
        return bracket ? "not an IPv6 address in the brackets" : "not a host, with :PORT or without";
    }
    if (bracket && rest.len > 0 && *rest.at++ != ':') {
        return "not [ADDRESS]:PORT";
    }
    rest.len -= bracket && rest.len > 0;
    if (word[strlen(word) - 1] == ':') {
        return "no port behind the colon";
    }
    if (rest.len == 0) {
        return NULL;
    }
    number = acme_slice_decimal(rest);
    *port = (uint16_t)number;
    return number < 1 || number > 65535 ? "not a port number" : NULL;
}

/* --- its key --- */

/* Puts blanks in the place of comments. In the middle of a word two strokes are none: a secret may have them. */
static void blank_comments(char *text)
{
    bool quoted = false;
    for (char *at = text; *at != '\0'; at++) {
        const char *end = NULL;
        bool begins = at == text || strchr(" \t\r\n;{}\"", at[-1]) != NULL;
        quoted = quoted != (*at == '"');
        if (!quoted && (*at == '#' || (begins && at[0] == '/' && at[1] == '/'))) {
            end = at + strcspn(at, "\n");
        } else if (!quoted && at[0] == '/' && at[1] == '*') {
            const char *close = strstr(at + 2, "*/");
            end = close != NULL ? close + 2 : at + strlen(at);
        }
        for (; end != NULL && at < end; at++) {
            *at = ' ';
        }
        if (end != NULL) {
            at--;
        }
    }
}

/* Takes the next word off the text: a mark, what stands between quotes, or what goes to the next blank or mark. */
static char *next_word(char **text, char *mark)
{
    char *at = *text + strspn(*text, " \t\r\n"), *end;
    bool quoted = *at == '"';

    *mark = '\0';
    if (*at == '{' || *at == '}' || *at == ';') {
        *mark = *at;
        *text = at + 1;
        return at;
    }
    at += quoted;
    end = at + strcspn(at, quoted ? "\"" : " \t\r\n{};\"");
    if (!quoted && (*end == '{' || *end == '}' || *end == ';')) {
        static char word[600]; /* the mark stays for the next call */
        size_t len = (size_t)(end - at) < sizeof word ? (size_t)(end - at) : sizeof word - 1;
        memcpy(word, at, len);
        word[len] = '\0';
        *text = end;
        return word;
    }
    *text = *end == '\0' ? end : end + 1;
    *end = '\0';
    return at;
}

static const char *take_algorithm(const char *word)
{
    static const char *const ours[] = {"hmac-sha256", "hmac-sha256.", "sha256"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (acme_slice_is_word(acme_slice_of(word), ours[i])) {
            return NULL;
        }
    }
    return "its algorithm is another than hmac-sha256; make a key with tsig-keygen -a hmac-sha256";
}

static const char *take_name(struct acme_nameserver_key *key, const char *word)
{
    struct acme_dns_name name;
    if (strlen(word) > ACME_TSIG_NAME_MAX || !acme_dns_name_make(&name, "", word)) {
        return "its name is not a domain name";
    }
    strcpy(key->name, word);
    return NULL;
}

/* Padded standard base64. */
static const char *take_secret(struct acme_nameserver_key *key, const char *word)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t len = strlen(word), chars = 0;

    key->secret_len = 0;
    for (; chars < len && word[chars] != '='; chars++) {
        unsigned value = acme_base64_value(word[chars]);
        if (value >= 64) {
            return "its secret is not in base64";
        }
        bits = bits << 6 | value;
        have += 6;
        if (have >= 8) {
            if (key->secret_len == sizeof key->secret) {
                return "its secret is longer than 128 bytes";
            }
            have -= 8;
            key->secret[key->secret_len++] = (uint8_t)(bits >> have);
        }
    }
    if (len - chars > 2 || word[chars + strspn(word + chars, "=")] != '\0' || len % 4 != 0) {
        return "its secret is not in base64, whole and with its padding";
    }
    return key->secret_len == 0 ? "its secret is empty" : NULL;
}

/* key "NAME" { algorithm A; secret "S"; }; behind the first word. */
static const char *parse_statement(struct acme_nameserver_key *key, char *text)
{
    static const char shape[] =
        "not a key as tsig-keygen prints it: key \"NAME\" { algorithm hmac-sha256; secret \"...\"; };";
    const char *wrong;
    bool algorithm = false, secret = false;
    char mark, *word = next_word(&text, &mark);

    wrong = mark != '\0' ? shape : take_name(key, word);
    (void)next_word(&text, &mark);
    wrong = wrong == NULL && mark != '{' ? shape : wrong;
    while (wrong == NULL) {
        char what[16];
        word = next_word(&text, &mark);
        if (mark == '}') {
            break;
        }
        (void)snprintf(what, sizeof what, "%s", word);
        word = next_word(&text, &mark);
        if (mark != '\0' || what[0] == '\0') {
            return shape;
        }
        bool is_algorithm = strcmp(what, "algorithm") == 0, is_secret = strcmp(what, "secret") == 0;
        wrong = is_algorithm ? take_algorithm(word) : is_secret ? take_secret(key, word) : shape;
        algorithm = algorithm || is_algorithm;
        secret = secret || is_secret;
        (void)next_word(&text, &mark);
        wrong = wrong == NULL && mark != ';' ? shape : wrong;
    }
    (void)next_word(&text, &mark);
    if (wrong == NULL && (!algorithm || !secret || mark != ';' || text[strspn(text, " \t\r\n")] != '\0')) {
        return !algorithm || !secret ? shape : mark == ';' ? "more than one key" : shape;
    }
    return wrong;
}

/* [hmac-sha256:]NAME:SECRET */
static const char *parse_line(struct acme_nameserver_key *key, char *text)
{
    const char *wrong = NULL;
    char *second, *third;

    text += strspn(text, " \t\r\n");
    text[strcspn(text, " \t\r\n")] = '\0';
    second = strchr(text, ':');
    if (second == NULL) {
        return "neither a key as tsig-keygen prints it nor hmac-sha256:NAME:SECRET";
    }
    *second++ = '\0';
    third = strchr(second, ':');
    if (third != NULL) {
        *third++ = '\0';
        wrong = take_algorithm(text);
        text = second;
        second = third;
    }
    wrong = wrong != NULL ? wrong : take_name(key, text);
    return wrong != NULL ? wrong : take_secret(key, second);
}

const char *acme_nameserver_key_parse(struct acme_nameserver_key *key, char *text)
{
    char *at;

    blank_comments(text);
    at = text + strspn(text, " \t\r\n");
    if (strncmp(at, "key", 3) == 0 && strchr(" \t\r\n\"", at[3]) != NULL && at[3] != '\0') {
        return parse_statement(key, at + 3);
    }
    return parse_line(key, at);
}

int acme_nameserver_key_read(struct acme_nameserver_key *key, const char *path)
{
    static char text[4096];
    struct stat is;
    const char *wrong = NULL;
    ssize_t n = 1;
    size_t have = 0;
    int fd = acme_config_open(path), code = fd < 0 ? errno : 0;

    while (fd >= 0 && n > 0 && have < sizeof text - 1) {
        n = read(fd, text + have, sizeof text - 1 - have);
        code = n < 0 ? errno : 0;
        have += n > 0 ? (size_t)n : 0;
    }
    text[have] = '\0';
    if (code == 0 && (fstat(fd, &is) != 0 || (is.st_mode & 07) != 0)) {
        wrong = "everybody on this machine can read it: chmod o= it first, and think of another key";
    } else if (code == 0) {
        wrong = have == sizeof text - 1 || strlen(text) != have ? "not a text of less than 4 KB"
                                                                : acme_nameserver_key_parse(key, text);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    acme_wipe(text, sizeof text);
    if (code != 0 || wrong != NULL) {
        acme_report_error("tsig_key: %s: %s", path, code != 0 ? strerror(code) : wrong);
    }
    return code != 0 || wrong != NULL ? ACME_EXIT_CONFIG : 0;
}
