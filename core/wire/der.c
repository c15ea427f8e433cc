/* der.c - see der.h. */
#include "der.h"

#include <string.h>

const uint8_t acme_spki_p256[ACME_SPKI_P256_LEN] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, /* id-ecPublicKey */
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,                   /* secp256r1      */
    0x03, 0x42, 0x00};

bool acme_der_next(struct acme_der *in, uint8_t *tag, struct acme_der *body)
{
    const uint8_t *at = in->at;
    size_t head = 2;

    if (in->len < head || (at[0] & 0x1fu) == 0x1fu) {
        return false;
    }
    size_t len = at[1];
    if (len >= 0x80) {
        size_t more = len - 0x80;
        if (more == 0 || more > 3 || more > in->len - head) {
            return false;
        }
        len = 0;
        while (head < 2 + more) {
            len = len << 8 | at[head++];
        }
        if (len < 0x80 || at[2] == 0) { /* there is a shorter form */
            return false;
        }
    }
    if (len > in->len - head) {
        return false;
    }
    /*@ split len; */ /* tests/proof: Eva follows each length by itself */
    *tag = at[0];
    body->at = at + head;
    body->len = len;
    in->at += head + len;
    in->len -= head + len;
    return true;
}

bool acme_der_run(struct acme_der *in, const uint8_t *tags, size_t count, struct acme_der *body)
{
    struct acme_der rest = *in;
    uint8_t tag;

    for (size_t i = 0; i < count; i++) {
        if (!acme_der_next(&rest, &tag, &body[i]) || tag != tags[i]) {
            return false;
        }
    }
    *in = rest;
    return true;
}

bool acme_der_expect(struct acme_der *in, uint8_t tag, struct acme_der *body)
{
    return acme_der_run(in, &tag, 1, body);
}

bool acme_der_only(const struct acme_der *in, uint8_t tag, struct acme_der *body)
{
    struct acme_der rest = *in;

    return acme_der_expect(&rest, tag, body) && rest.len == 0;
}

bool acme_der_is(const struct acme_der *der, const void *data, size_t len)
{
    return der->len == len && memcmp(der->at, data, len) == 0;
}

bool acme_der_certificate(struct acme_der in, struct acme_der part[ACME_CERT_PARTS], struct acme_der *extensions)
{
    enum { TBS, ALGORITHM, SIGNATURE, FIELDS };
    static const uint8_t whole[FIELDS] = {ACME_DER_SEQUENCE, ACME_DER_SEQUENCE, ACME_DER_BIT_STRING};
    static const uint8_t tags[ACME_CERT_PARTS] = {ACME_DER_INTEGER,  ACME_DER_SEQUENCE, ACME_DER_SEQUENCE,
                                                  ACME_DER_SEQUENCE, ACME_DER_SEQUENCE, ACME_DER_SEQUENCE};
    struct acme_der field[FIELDS];
    uint8_t tag;

    extensions->at = NULL;
    extensions->len = 0;
    if (!acme_der_only(&in, ACME_DER_SEQUENCE, &in) || !acme_der_run(&in, whole, FIELDS, field) || in.len != 0) {
        return false;
    }
    in = field[TBS];
    (void)acme_der_expect(&in, ACME_DER_CONTEXT_0, field); /* version; absent in v1 */
    if (!acme_der_run(&in, tags, ACME_CERT_PARTS, part)) {
        return false;
    }
    while (in.len > 0) {
        if (!acme_der_next(&in, &tag, field)) {
            return false;
        }
        if (tag == ACME_DER_CONTEXT_0 + 3) {
            return in.len == 0 && acme_der_only(field, ACME_DER_SEQUENCE, extensions);
        }
    }
    return true;
}

bool acme_der_extension(struct acme_der *list, struct acme_der *oid, bool *critical, struct acme_der *value)
{
    struct acme_der field;

    if (!acme_der_expect(list, ACME_DER_SEQUENCE, value) || !acme_der_expect(value, ACME_DER_OID, oid)) {
        return false;
    }
    *critical = acme_der_expect(value, ACME_DER_BOOLEAN, &field) && !acme_der_is(&field, "", 1);
    return acme_der_only(value, ACME_DER_OCTET_STRING, value);
}

void acme_der_init(struct acme_der_out *o, void *buf, size_t cap)
{
    o->at = buf;
    o->cap = cap;
    o->start = cap;
    o->overflow = false;
}

void acme_der_bytes(struct acme_der_out *o, const void *data, size_t len)
{
    if (o->overflow || len > o->start) {
        o->overflow = true;
        return;
    }
    if (len > 0) {
        o->start -= len;
        memcpy(o->at + o->start, data, len);
    }
}

static void put_byte(struct acme_der_out *o, size_t value)
{
    uint8_t byte = (uint8_t)value;

    acme_der_bytes(o, &byte, 1);
}

void acme_der_wrap(struct acme_der_out *o, uint8_t tag, size_t mark)
{
    size_t len = mark - o->start;
    uint8_t more = 0;

    if (len >= 0x80) {
        for (; len > 0; len >>= 8) {
            put_byte(o, len);
            more++;
        }
        len = 0x80u | more;
    }
    put_byte(o, len);
    put_byte(o, tag);
}

void acme_der_wrap_bits(struct acme_der_out *o, size_t mark)
{
    put_byte(o, 0);
    acme_der_wrap(o, ACME_DER_BIT_STRING, mark);
}

void acme_der_put(struct acme_der_out *o, uint8_t tag, const void *data, size_t len)
{
    size_t mark = o->start;

    acme_der_bytes(o, data, len);
    acme_der_wrap(o, tag, mark);
}

void acme_der_unsigned(struct acme_der_out *o, const uint8_t *number, size_t len)
{
    size_t mark = o->start;

    while (len > 1 && *number == 0) {
        number++;
        len--;
    }
    acme_der_bytes(o, number, len);
    if ((*number & 0x80u) != 0) {
        put_byte(o, 0);
    }
    acme_der_wrap(o, ACME_DER_INTEGER, mark);
}
