/* url.h - URLs, looked at but never rewritten: a JWS must repeat them byte for byte (RFC 8555, 6.4). */
#ifndef ACME_WIRE_URL_H
#define ACME_WIRE_URL_H

#include <stdint.h>

#include "slice.h"
#include "../acme_config.h"
#include "../acme_error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_url {
    struct acme_slice authority; /* host[:port] as written, for the Host header       */
    struct acme_slice host;      /* without brackets: a DNS name or an IP address     */
    struct acme_slice target;    /* path and query as written; empty for a bare host  */
    uint16_t port;               /* when not written: 443, or 80 of http              */
    bool is_address;             /* host is an IPv4 or IPv6 literal                   */
    bool plain;                  /* http; set with ACME_CFG_PLAIN_HTTP only           */
};

/* True for http. Whether it may be used is for the caller to judge. */
static inline bool acme_url_is_plain(const struct acme_url *url)
{
    return ACME_CFG_PLAIN_HTTP && url->plain;
}

/* Splits an absolute URL, https or, with ACME_CFG_PLAIN_HTTP, http (scheme and host in any case, RFC 3986).
 * Memory: the slices point into `text`. Work: one pass over it.
 * Errors: ACME_E_URL_SCHEME for any other scheme; ACME_E_URL for user information, a fragment, an empty or
 * illegal host (labels of letters, digits, - and _; at most 253 bytes; a number as last label, hexadecimal too, in what is
 * no address in four decimal numbers), a port outside 1..65535, and any byte
 * that is not printable ASCII or is one of space " < > \ ^ ` { | } */
int acme_url_parse(struct acme_url *url, struct acme_slice text);

/* True when both have the same scheme and lead to the same host (ASCII case ignored) and port. */
bool acme_url_same_origin(const struct acme_url *a, const struct acme_url *b);

/* True when `host_port` ("host" or "host:port"; absent: the port of the URL's scheme) names the URL's origin. */
bool acme_url_at(const struct acme_url *url, const char *host_port);

/* True when text is a DNS name a certificate can be asked for: 1..253 bytes, labels of 1..63 letters, digits
 * and inner hyphens, no number (0x7f too) in the last label, no trailing dot, no wildcard (RFC 8555, 7.1.4). */
bool acme_dns_name_ok(struct acme_slice text);

/* A reference that was met at `base` made whole, in `absolute`: of the same host when it begins with one slash (RFC 3986, 4.2), or as
 * it is. Empty, with `at` NULL, when it is longer than ACME_URL_MAX. Whether it is a URL at all is not looked at. */
struct acme_slice acme_url_absolute(const struct acme_url *base, const char *reference,
                                    char absolute[ACME_URL_MAX + 1]);

#ifdef __cplusplus
}
#endif

#endif
