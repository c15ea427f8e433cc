/* alpn.c - see alpn.h. */
#include "alpn.h"

#include "../secure/digest.h"
#include "../wire/der.h"
#include "parts.h"

/* The one attribute of issuer and subject: a Name may not be empty in an issuer, and CAs compare the two byte for byte. */
#define NAME                                                                                                         \
    0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x04, 'a', 'c', 'm', 'e' /* CN=acme */

/* All of a TBSCertificate (RFC 5280, 4.1) that stands before its key. */
static const uint8_t head[] = {
    0xa0, 0x03, 0x02,
    0x01, 0x02,                    /* version 3 */
    0x02, 0x01, 0x01,              /* serial number 1 */
    0x30, 0x0a, ACME_ECDSA_SHA256, /* */
    NAME,                          /* issuer */
    0x30, 0x20,                    /* valid from 2000-01-01, for ever (RFC 5280, 4.1.2.5) */
    0x17, 0x0d, '0',
    '0',  '0',  '1',
    '0',  '1',  '0',
    '0',  '0',  '0',
    '0',  '0',  'Z', /* */
    0x18, 0x0f, '9',
    '9',  '9',  '9',
    '1',  '2',  '3',
    '1',  '2',  '3',
    '5',  '9',  '5',
    '9',  'Z', /* */
    NAME       /* subject */
};

/* acmeIdentifier (RFC 8737, 3) up to the digest. */
static const uint8_t identifier[] = {0x30, 0x31, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
                                     0x01, 0x1f, 0x01, 0x01, 0xff, 0x04, 0x22, 0x04, 0x20};

int acme_alpn_write(uint8_t *buf, const struct acme_challenge *challenge, const struct acme_key *key,
                    uint8_t signature[64], bool sign)
{
    const struct acme_slice authorization[] = {acme_slice_of(challenge->token), acme_slice_of("."),
                                               acme_slice_of(challenge->thumbprint)};
    struct acme_der_out o;
    struct acme_slice body;
    uint8_t digest[ACME_SHA256_LEN];
    uint8_t point[65];
    size_t end;
    int err = key->ops->point(key->handle, point);

    if (err < 0) {
        return err;
    }
    acme_der_init(&o, buf, ACME_ALPN_CERTIFICATE_MAX);
    if (!sign) {
        acme_parts_signature(&o, signature);
    }
    end = o.start;
    acme_sha256(authorization, 3, digest);
    acme_der_bytes(&o, digest, sizeof digest);
    acme_der_bytes(&o, identifier, sizeof identifier);
    acme_parts_names(&o, &challenge->name, 1);
    acme_der_wrap(&o, ACME_DER_SEQUENCE, end);
    acme_der_wrap(&o, ACME_DER_CONTEXT_0 + 3, end);
    acme_der_bytes(&o, point, sizeof point);
    acme_der_bytes(&o, acme_spki_p256, sizeof acme_spki_p256);
    acme_der_bytes(&o, head, sizeof head);
    acme_der_wrap(&o, ACME_DER_SEQUENCE, end);
    if (sign) {
        body = acme_slice(o.at + o.start, end - o.start);
        acme_sha256(&body, 1, digest);
        return key->ops->sign(key->handle, digest, signature);
    }
    acme_der_wrap(&o, ACME_DER_SEQUENCE, o.cap);
    return (int)(o.cap - o.start);
}
