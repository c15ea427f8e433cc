/* url.c - URLs and DNS names. */
#include "url.h"

#include "out.h"

#define HOST_MAX  253 /* RFC 1035, 2.3.4, without the root label */
#define LABEL_MAX 63
#define IPV6_MAX  45 /* eight groups of four, the last two as IPv4 */

static bool label_ok(struct acme_slice label, bool strict)
{
    if (label.len < 1 || label.len > LABEL_MAX) {
        return false;
    }
    if (strict && (label.at[0] == '-' || label.at[label.len - 1] == '-')) {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        char c = label.at[i];
        if (!acme_is_letter(c) && !acme_is_digit(c) && c != '-' && (strict || c != '_')) {
            return false;
        }
    }
    return true;
}

/* True for what resolvers read as a number: decimal or octal digits, or hexadecimal ones behind 0x, of which there may be
 * none (WHATWG URL, 3.5). */
static bool is_number(struct acme_slice label)
{
    bool hex = label.len >= 2 && label.at[0] == '0' && acme_lower(label.at[1]) == 'x';

    for (size_t i = hex ? 2 : 0; i < label.len; i++) {
        if (hex ? acme_hex_digit(label.at[i]) < 0 : !acme_is_digit(label.at[i])) {
            return false;
        }
    }
    return true;
}

/* Checks the labels of a host; *numeric tells whether the last one is a number. */
static bool labels_ok(struct acme_slice host, bool strict, bool *numeric)
{
    struct acme_slice rest = host;

    if (host.len < 1 || host.len > HOST_MAX || host.at[host.len - 1] == '.') {
        return false;
    }
    while (rest.len > 0) {
        struct acme_slice label = acme_slice_cut(&rest, '.');
        if (!label_ok(label, strict)) {
            return false;
        }
        *numeric = is_number(label);
    }
    return true;
}

static bool ipv4_ok(struct acme_slice host)
{
    struct acme_slice rest = host;
    unsigned parts = 0;

    while (rest.len > 0) {
        struct acme_slice label = acme_slice_cut(&rest, '.');
        int64_t value = acme_slice_decimal(label);
        /* resolvers read a leading zero as octal, and then it is another address */
        if (value < 0 || value > 255 || (label.len > 1 && label.at[0] == '0')) {
            return false;
        }
        parts++;
    }
    return parts == 4;
}

/* The port's resolver parses the address; here only what could not be one is refused, zone ids too. */
static bool ipv6_ok(struct acme_slice host)
{
    unsigned colons = 0;

    for (size_t i = 0; i < host.len; i++) {
        char c = host.at[i];
        if (acme_hex_digit(c) < 0 && c != ':' && c != '.') {
            return false;
        }
        colons += c == ':';
    }
    return host.len <= IPV6_MAX && colons >= 2 && colons <= 8;
}

/* Sets authority, host, port and is_address from "host[:port]"; the scheme is known. */
static int split_authority(struct acme_url *url, struct acme_slice text)
{
    bool bracket = text.len > 0 && text.at[0] == '[';
    bool numeric = false;
    size_t end = acme_slice_find(text, bracket ? ']' : ':'); /* of the host */
    size_t rest = bracket ? end + 1 : end;

    if (rest > text.len) {
        return ACME_E_URL;
    }
    url->authority = text;
    url->host = bracket ? acme_slice(text.at + 1, end - 1) : acme_slice(text.at, end);
    url->port = acme_url_is_plain(url) ? 80 : 443;
    if (rest < text.len) {
        int64_t port = acme_slice_decimal(acme_slice(text.at + rest + 1, text.len - rest - 1));
        if (text.at[rest] != ':' || port < 1 || port > 65535) {
            return ACME_E_URL;
        }
        url->port = (uint16_t)port;
    }
    if (bracket) {
        url->is_address = true;
        return ipv6_ok(url->host) ? 0 : ACME_E_URL;
    }
    if (!labels_ok(url->host, false, &numeric)) {
        return ACME_E_URL;
    }
    /* no top-level domain is a number (RFC 1123, 2.1): this is an address, or somebody's trick with one */
    url->is_address = numeric;
    return !numeric || ipv4_ok(url->host) ? 0 : ACME_E_URL;
}

/* Refuses the bytes that no URL may hold, and '#': a fragment is never sent. */
static bool bytes_ok(struct acme_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!acme_is_visible(text.at[i], "\"#<>\\^`{|}")) {
            return false;
        }
    }
    return true;
}

int acme_url_parse(struct acme_url *url, struct acme_slice text)
{
    static const char root[] = "https://";
    size_t start = 0;
    size_t less = 0; /* 1: without the s */

    while (start < text.len && root[start + less] != '\0' && acme_lower(text.at[start]) == root[start + less]) {
        start++;
        if (ACME_CFG_PLAIN_HTTP && start == strlen("http") && start < text.len && text.at[start] == ':') {
            less = 1;
        }
    }
    if (ACME_CFG_PLAIN_HTTP) {
        url->plain = less == 1;
    }
    if (start + less <= strlen("https")) {
        return ACME_E_URL_SCHEME;
    }
    if (start + less < strlen(root) || !bytes_ok(text)) {
        return ACME_E_URL;
    }
    size_t end = start;
    while (end < text.len && text.at[end] != '/' && text.at[end] != '?') {
        end++;
    }
    url->target = acme_slice(text.at + end, text.len - end);
    return split_authority(url, acme_slice(text.at + start, end - start));
}

bool acme_url_same_origin(const struct acme_url *a, const struct acme_url *b)
{
    return a->port == b->port && acme_url_is_plain(a) == acme_url_is_plain(b) &&
           acme_slice_is_nocase(a->host, b->host);
}

bool acme_url_at(const struct acme_url *url, const char *host_port)
{
    struct acme_url other;

    if (ACME_CFG_PLAIN_HTTP) {
        other.plain = url->plain;
    }
    return split_authority(&other, acme_slice_of(host_port)) == 0 && acme_url_same_origin(url, &other);
}

bool acme_dns_name_ok(struct acme_slice text)
{
    bool numeric = false;

    return labels_ok(text, true, &numeric) && !numeric;
}

struct acme_slice acme_url_absolute(const struct acme_url *base, const char *reference,
                                    char absolute[ACME_URL_MAX + 1])
{
    struct acme_out o;
    acme_out_init(&o, absolute, ACME_URL_MAX);
    if (reference[0] == '/' && reference[1] != '/') {
        acme_out_text(&o, acme_url_is_plain(base) ? "http://" : "https://");
        acme_out_slice(&o, base->authority);
    }
    acme_out_text(&o, reference);
    return o.overflow ? acme_slice(NULL, 0) : acme_slice(absolute, o.len);
}
