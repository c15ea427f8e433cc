/* der.h - as much DER (X.690) as keys, requests and certificates need; every read and write is bounded. */
#ifndef ACME_WIRE_DER_H
#define ACME_WIRE_DER_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum acme_der_tag {
    ACME_DER_BOOLEAN = 0x01,
    ACME_DER_INTEGER = 0x02,
    ACME_DER_BIT_STRING = 0x03,
    ACME_DER_OCTET_STRING = 0x04,
    ACME_DER_NULL = 0x05,
    ACME_DER_OID = 0x06,
    ACME_DER_UTC_TIME = 0x17,
    ACME_DER_GENERALIZED_TIME = 0x18,
    ACME_DER_SEQUENCE = 0x30,
    ACME_DER_SET = 0x31,
    ACME_DER_CONTEXT_0 = 0xa0,      /* constructed; + n for [n] */
    ACME_DER_KEY_IDENTIFIER = 0x80, /* of AuthorityKeyIdentifier */
    ACME_DER_DNS_NAME = 0x82,       /* GeneralName dNSName      */
    ACME_DER_IP_ADDRESS = 0x87      /* GeneralName iPAddress    */
};

/* A run of DER, borrowed. */
struct acme_der {
    const uint8_t *at;
    size_t len;
};

/* Takes the next element off `in`: its tag and contents. Definite lengths below 2^24 in shortest form only,
 * single-byte tags only. Returns false, and leaves `in`, at the end or when malformed. */
bool acme_der_next(struct acme_der *in, uint8_t *tag, struct acme_der *body);

/* As acme_der_next(), for an element that must have this tag. */
bool acme_der_expect(struct acme_der *in, uint8_t tag, struct acme_der *body);

/* Takes elements that must have these tags, one after the other; their contents go to body[0..count).
 * Returns false, and leaves `in`, when one is not there. */
bool acme_der_run(struct acme_der *in, const uint8_t *tags, size_t count, struct acme_der *body);

/* True when `in` is one element with this tag and nothing else; its contents go to *body, which may be `in`. */
bool acme_der_only(const struct acme_der *in, uint8_t tag, struct acme_der *body);

/* True when `der` is these bytes. */
bool acme_der_is(const struct acme_der *der, const void *data, size_t len);

/* Splits a certificate (RFC 5280, 4.1): the contents of what every one has go to part[0..ACME_CERT_PARTS), those of the
 * list of extensions to *extensions, empty when there is none. Nothing but the structure is judged.
 * Returns false when it is another. */
enum acme_cert_part {
    ACME_CERT_SERIAL,
    ACME_CERT_ALGORITHM,
    ACME_CERT_ISSUER,
    ACME_CERT_VALIDITY,
    ACME_CERT_SUBJECT,
    ACME_CERT_KEY,
    ACME_CERT_PARTS
};
bool acme_der_certificate(struct acme_der in, struct acme_der part[ACME_CERT_PARTS], struct acme_der *extensions);

/* Takes the next extension off the list: its object identifier, whether it is critical, and its value. */
bool acme_der_extension(struct acme_der *list, struct acme_der *oid, bool *critical, struct acme_der *value);

/* Writer that fills its buffer from the end to the front, so that lengths are known when they are written. */
struct acme_der_out {
    uint8_t *at; /* caller's buffer */
    size_t cap;
    size_t start;  /* first byte written; cap: none */
    bool overflow; /* sticky */
};

/* Starts writing at buf + cap; puts bytes in front of what is there. Work: the bytes. Errors: o->overflow. */
void acme_der_init(struct acme_der_out *o, void *buf, size_t cap);
void acme_der_bytes(struct acme_der_out *o, const void *data, size_t len);

/* Puts tag and length in front of everything written since `mark`, an earlier value of o->start. */
void acme_der_wrap(struct acme_der_out *o, uint8_t tag, size_t mark);

/* The same for a BIT STRING, whose number of unused bits is 0. */
void acme_der_wrap_bits(struct acme_der_out *o, size_t mark);

/* Writes a whole element. */
void acme_der_put(struct acme_der_out *o, uint8_t tag, const void *data, size_t len);

/* Writes an INTEGER holding the big-endian number of at least one byte, without its leading zeros. */
void acme_der_unsigned(struct acme_der_out *o, const uint8_t *number, size_t len);

/* SubjectPublicKeyInfo of a P-256 key up to the point (RFC 5480, 2); the point's 65 bytes follow. Parts of it
 * are what other structures want. */
#define ACME_SPKI_P256_LEN           26
#define ACME_SPKI_P256_ALGORITHM     4 /* contents of the AlgorithmIdentifier */
#define ACME_SPKI_P256_ALGORITHM_LEN 19
#define ACME_SPKI_P256_CURVE         13 /* the curve's OBJECT IDENTIFIER, whole */
#define ACME_SPKI_P256_CURVE_LEN     10
extern const uint8_t acme_spki_p256[ACME_SPKI_P256_LEN];

#ifdef __cplusplus
}
#endif

#endif
