/* parts.h - what certificate requests and our own certificates have in common. For this room only. Inline: an image that makes no
 * certificates has one copy of it, and no call. */
#ifndef ACME_X509_PARTS_H
#define ACME_X509_PARTS_H

#include "../wire/address.h"
#include "../wire/der.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest signature: algorithm 12, BIT STRING 3 + SEQUENCE 2 + two INTEGERs of at most 35. */
#define ACME_SIGNATURE_MAX 88

/* ecdsa-with-SHA256 (RFC 5758, 3.2), as the contents of an AlgorithmIdentifier. */
#define ACME_ECDSA_SHA256 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02

/* Writes r and s, 32 bytes each, behind their algorithm. */
static inline void acme_parts_signature(struct acme_der_out *o, const uint8_t signature[64])
{
    static const uint8_t ecdsa_with_sha256[] = {ACME_ECDSA_SHA256};
    size_t mark = o->start;

    acme_der_unsigned(o, signature + 32, 32);
    acme_der_unsigned(o, signature, 32);
    acme_der_wrap(o, ACME_DER_SEQUENCE, mark);
    acme_der_wrap_bits(o, mark);
    mark = o->start;
    acme_der_bytes(o, ecdsa_with_sha256, sizeof ecdsa_with_sha256);
    acme_der_wrap(o, ACME_DER_SEQUENCE, mark);
}

/* Writes one GeneralName: an address as its bytes, another name in small letters. */
static inline void acme_parts_name(struct acme_der_out *o, const char *name)
{
    uint8_t address[ACME_ADDRESS_MAX];
    size_t len = (size_t)acme_address_parse(acme_slice_of(name), address);
    size_t end = o->start;

    if (len > 0) {
        acme_der_bytes(o, address, len);
        acme_der_wrap(o, ACME_DER_IP_ADDRESS, end);
        return;
    }
    acme_der_bytes(o, name, strlen(name));
    for (size_t at = o->start; at < end; at++) {
        o->at[at] = (uint8_t)acme_lower((char)o->at[at]);
    }
    acme_der_wrap(o, ACME_DER_DNS_NAME, end);
}

/* Writes the extension subjectAltName (RFC 5280, 4.2.1.6), not critical. */
static inline void acme_parts_names(struct acme_der_out *o, const char *const *names, size_t name_count)
{
    static const uint8_t subject_alt_name[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
    size_t mark = o->start;

    for (size_t i = name_count; i-- > 0;) {
        acme_parts_name(o, names[i]);
    }
    acme_der_wrap(o, ACME_DER_SEQUENCE, mark);
    acme_der_wrap(o, ACME_DER_OCTET_STRING, mark);
    acme_der_bytes(o, subject_alt_name, sizeof subject_alt_name);
    acme_der_wrap(o, ACME_DER_SEQUENCE, mark);
}

#ifdef __cplusplus
}
#endif

#endif
