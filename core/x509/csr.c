/* csr.c - see csr.h. */
#include "csr.h"

#include "../acme_error.h"
#include "../secure/digest.h"
#include "../wire/der.h"
#include "parts.h"

static const uint8_t extension_request[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};

/* [0] attributes: one extensionRequest with one subjectAltName (RFC 2985, 5.4.2). */
static void write_names(struct acme_der_out *o, const char *const *names, size_t name_count)
{
    size_t mark = o->start;

    acme_parts_names(o, names, name_count);
    acme_der_wrap(o, ACME_DER_SEQUENCE, mark);
    acme_der_wrap(o, ACME_DER_SET, mark);
    acme_der_bytes(o, extension_request, sizeof extension_request);
    acme_der_wrap(o, ACME_DER_SEQUENCE, mark);
    acme_der_wrap(o, ACME_DER_CONTEXT_0, mark);
}

/* CertificationRequestInfo (RFC 2986, 4.1). RFC 8555, 7.4 lets the names stand in subjectAltName alone; a
 * common name would be limited to 64 bytes. */
static void write_info(struct acme_der_out *o, const uint8_t point[65], const char *const *names, size_t name_count)
{
    static const uint8_t head[] = {0x02, 0x01, 0x00, 0x30, 0x00}; /* version 0, empty subject */

    write_names(o, names, name_count);
    acme_der_bytes(o, point, 65);
    acme_der_bytes(o, acme_spki_p256, sizeof acme_spki_p256);
    acme_der_bytes(o, head, sizeof head);
    acme_der_wrap(o, ACME_DER_SEQUENCE, o->cap);
}

int acme_csr_write(void *buf, size_t cap, size_t *start, const struct acme_key *key, const char *const *names,
                   size_t name_count)
{
    struct acme_der_out o;
    struct acme_der_out tail;
    struct acme_slice info;
    uint8_t tail_memory[ACME_SIGNATURE_MAX];
    uint8_t signature[64];
    uint8_t digest[ACME_SHA256_LEN];
    uint8_t point[65];
    size_t tail_len;
    int err = key->ops->point(key->handle, point);

    if (err < 0) {
        return err;
    }
    acme_der_init(&o, buf, cap);
    write_info(&o, point, names, name_count);
    if (o.overflow) {
        return ACME_E_REQUEST_BIG;
    }
    info = acme_slice(o.at + o.start, cap - o.start);
    acme_sha256(&info, 1, digest);
    err = key->ops->sign(key->handle, digest, signature);
    if (err != 0) {
        return err;
    }
    acme_der_init(&tail, tail_memory, sizeof tail_memory);
    acme_parts_signature(&tail, signature);
    tail_len = sizeof tail_memory - tail.start;
    if (tail_len > o.start) {
        return ACME_E_REQUEST_BIG;
    }
    /* The signature stands behind what it signs, and its length was not known before. */
    o.start -= tail_len;
    memmove(o.at + o.start, info.at, info.len);
    memcpy(o.at + o.start + info.len, tail_memory + tail.start, tail_len);
    acme_der_wrap(&o, ACME_DER_SEQUENCE, cap);
    *start = o.start;
    return o.overflow ? ACME_E_REQUEST_BIG : 0;
}
