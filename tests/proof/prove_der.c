/* prove_der.c - elements out of any bytes; elements into a buffer of any size. */
#include "any.h"
#include "wire/der.h"

static uint8_t small[MOST];

static int read(void)
{
    static const uint8_t tags[3] = {ACME_DER_SEQUENCE, ACME_DER_OID, ACME_DER_NULL};
    size_t len;
    const char *text = any_text(&len);
    struct acme_der in = {(const uint8_t *)text, len}, body, run[3];
    uint8_t tag;
    int count = 0;

    if (any_below(2) == 0) {
        return acme_der_run(&in, tags, 3, run) || acme_der_only(&in, ACME_DER_INTEGER, &in);
    }
    while (acme_der_next(&in, &tag, &body)) {
        if (body.len > 0 && body.at[0] + body.at[body.len - 1] == tag) { /* the last byte is there */
            count++;
        }
    }
    return count;
}

static int write(void)
{
    size_t len;
    const char *text = any_text(&len);
    size_t cap = (size_t)any_below(MOST + 1);
    struct acme_der_out o;

    //@ split cap;
    acme_der_init(&o, small + (MOST - cap), cap);
    acme_der_unsigned(&o, (const uint8_t *)text, len);
    acme_der_wrap_bits(&o, o.cap);
    acme_der_put(&o, ACME_DER_OCTET_STRING, text, len);
    acme_der_wrap(&o, ACME_DER_SEQUENCE, o.cap);
    return o.overflow;
}

int main(void)
{
    return any_below(2) == 0 ? read() : write();
}
