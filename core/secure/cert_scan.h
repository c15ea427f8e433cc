/* cert_scan.h - what BearSSL does not tell of a certificate, read while its bytes go by: when it ends, whether its
 * extendedKeyUsage (RFC 5280, 4.2.1.12) leaves out TLS servers, who has issued it, and whether it is for an address.
 *
 * Nothing is judged here that BearSSL judges: it refuses what is no certificate, and reads lengths the same way. */
#ifndef ACME_SECURE_CERT_SCAN_H
#define ACME_SECURE_CERT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../wire/address.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_ISSUER_MAX 63
#define ACME_SCAN_TEXT                                                                                               \
    (ACME_CFG_ADDRESSES ? 18 : 16) /* a length, the longest text, and a byte more of one too long */

struct acme_cert_scan {
    uint32_t len;   /* private, as all to `text`: length of the element under way, then what is left of it */
    uint32_t usage; /* bytes left of extendedKeyUsage, or of the issuer */
    uint8_t state, tag, more, sequences, times;
    bool in_extensions, in_issuer, is_usage, unserved;
    uint8_t text
        [ACME_SCAN_TEXT]; /* an object identifier, a time or an address, of which the first bytes are kept, behind their number */
    bool other_use;    /* extendedKeyUsage is there, and neither serverAuth nor anyExtendedKeyUsage is in it */
    int64_t not_after; /* seconds since 1970; ACME_DATE_NONE: not read, or not to be read */
    /* The issuer's common name, or else its organization: what is printable ASCII of its first bytes, NUL-terminated. For
     * people: whoever made the certificate chose it. */
    char issuer[ACME_ISSUER_MAX + 1];
    uint8_t issuer_len; /* private, as the next */
    bool in_name;       /* what comes next is a part of it */
#if ACME_CFG_ADDRESSES
    uint8_t names;   /* private: how far into subjectAltName it is                            */
    bool has_wanted; /* the address that is looked for is among its names                     */
    const uint8_t
        *wanted; /* that address behind its length, borrowed; set behind acme_cert_scan_begin(), NULL: none */
#endif
};

/* Begins a certificate. */
void acme_cert_scan_begin(struct acme_cert_scan *s);

/* Takes the next bytes. Work: looks at each once. */
void acme_cert_scan(struct acme_cert_scan *s, const uint8_t *der, size_t len);

#ifdef __cplusplus
}
#endif

#endif
