/* der.c - see der.h. */
#include "der.h"

#include <string.h>

const uint8_t acme_spki_p256[ACME_SPKI_P256_LEN] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, /* id-ecPublicKey */
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,                   /* secp256r1      */
    0x03, 0x42, 0x00};

/* Bytes of the length field at `at`, 0 when it is cut, indefinite, too long or not in shortest form. */
static size_t read_length(const uint8_t *at, size_t avail, size_t *len)
{
    size_t more;
    size_t value = 0;

    if (avail == 0) {
        return 0;
    }
    if (at[0] < 0x80) {
        *len = at[0];
        return 1;
    }
    more = at[0] & 0x7fu;
    if (more == 0 || more > 3 || more >= avail || at[1] == 0) {
        return 0;
    }
    for (size_t i = 1; i <= more; i++) {
        value = value << 8 | at[i];
    }
    if (value < 0x80) {
        return 0;
    }
    *len = value;
    return 1 + more;
}

bool acme_der_next(struct acme_der *in, uint8_t *tag, struct acme_der *body)
{
    size_t len = 0;
    size_t head;

    if (in->len < 2 || (in->at[0] & 0x1fu) == 0x1fu) {
        return false;
    }
    head = read_length(in->at + 1, in->len - 1, &len);
    if (head == 0 || len > in->len - 1 - head) {
        return false;
    }
    *tag = in->at[0];
    body->at = in->at + 1 + head;
    body->len = len;
    in->at = body->at + len;
    in->len -= 1 + head + len;
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

bool acme_der_only(struct acme_der in, uint8_t tag, struct acme_der *body)
{
    return acme_der_expect(&in, tag, body) && in.len == 0;
}

bool acme_der_is(const struct acme_der *der, const void *data, size_t len)
{
    return der->len == len && memcmp(der->at, data, len) == 0;
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

void acme_der_wrap(struct acme_der_out *o, uint8_t tag, size_t mark)
{
    size_t len = mark - o->start;
    uint8_t head[5];
    size_t at = sizeof head;

    for (size_t rest = len; rest > 0 && at > 2; rest >>= 8) {
        head[--at] = (uint8_t)rest;
    }
    if (len < 0x80) {
        at = sizeof head;
        head[--at] = (uint8_t)len;
    } else {
        size_t more = sizeof head - at;
        head[--at] = (uint8_t)(0x80u | more);
    }
    head[--at] = tag;
    acme_der_bytes(o, head + at, sizeof head - at);
}

static void zero(struct acme_der_out *o)
{
    acme_der_bytes(o, "", 1);
}

void acme_der_wrap_bits(struct acme_der_out *o, size_t mark)
{
    zero(o);
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
    if (len == 0 || (*number & 0x80u) != 0) {
        zero(o);
    }
    acme_der_wrap(o, ACME_DER_INTEGER, mark);
}
