/* signature.h - the end of whatever is signed with P-256 and SHA-256: algorithm and signature. For this room only. */
#ifndef ACME_X509_SIGNATURE_H
#define ACME_X509_SIGNATURE_H

#include "../wire/der.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest: algorithm 12, BIT STRING 3 + SEQUENCE 2 + two INTEGERs of at most 35. */
#define ACME_SIGNATURE_MAX 88

/* ecdsa-with-SHA256 (RFC 5758, 3.2), as the contents of an AlgorithmIdentifier. */
#define ACME_ECDSA_SHA256 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02

/* Writes r and s, 32 bytes each, behind their algorithm. Inline: who makes requests and no certificates has one copy. */
static inline void acme_signature_write(struct acme_der_out *o, const uint8_t signature[64])
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

#ifdef __cplusplus
}
#endif

#endif
