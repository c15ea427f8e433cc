/* key_p256.c - see key_p256.h. */
#include "key_p256.h"

#include <string.h>

#include "../wire/der.h"
#include "../wire/pem.h"
#include "p256.h"
#include "wipe.h"

static int point(void *handle, uint8_t out[65])
{
    const struct acme_key_p256 *key = handle;

    if (!key->ready) {
        return ACME_E_KEY;
    }
    memcpy(out, key->point, sizeof key->point);
    return 0;
}

static int sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    const struct acme_key_p256 *key = handle;

    return key->ready ? acme_p256_sign(key->scalar, digest, signature) : ACME_E_KEY;
}

static int generate(void *handle, const struct acme_sys *sys)
{
    struct acme_key_p256 *key = handle;
    int done = acme_p256_make(sys, key->scalar, key->point);

    key->ready = done == 0;
    if (done < 0) { /* out of range once in 2^32: this run fails then, and the next one draws anew */
        acme_key_p256_wipe(key);
        return ACME_E_RANDOM;
    }
    return done;
}

/* True when a BIT STRING holds this point, uncompressed or compressed. */
static bool same_point(struct acme_der bits, const uint8_t p[65])
{
    if (bits.len == 66) {
        return bits.at[0] == 0 && memcmp(bits.at + 1, p, 65) == 0;
    }
    return bits.len == 34 && bits.at[0] == 0 && bits.at[1] == (2 | (p[64] & 1)) &&
           memcmp(bits.at + 2, p + 1, 32) == 0;
}

/* ECPrivateKey (RFC 5915, 3). Returns 0, 1 not yet, or an error, as the next two. */
static int read_sec1(struct acme_key_p256 *key, struct acme_der in)
{
    enum { VERSION, SCALAR, FIELDS };
    static const uint8_t tags[FIELDS] = {ACME_DER_INTEGER, ACME_DER_OCTET_STRING};
    struct acme_der part[FIELDS];
    struct acme_der field;
    int done;

    if (!acme_der_only(&in, ACME_DER_SEQUENCE, &in) || !acme_der_run(&in, tags, FIELDS, part) ||
        !acme_der_is(&part[VERSION], "\1", 1) || part[SCALAR].len != sizeof key->scalar) {
        return ACME_E_KEY_CORRUPT;
    }
    memcpy(key->scalar, part[SCALAR].at, sizeof key->scalar);
    if (acme_der_expect(&in, ACME_DER_CONTEXT_0, &field) &&
        !acme_der_is(&field, acme_spki_p256 + ACME_SPKI_P256_CURVE, ACME_SPKI_P256_CURVE_LEN)) {
        return ACME_E_KEY_CORRUPT;
    }
    done = acme_p256_public(key->scalar, key->point);
    if (done != 0) {
        return done;
    }
    if (acme_der_expect(&in, ACME_DER_CONTEXT_0 + 1, &field) &&
        (!acme_der_only(&field, ACME_DER_BIT_STRING, &field) || !same_point(field, key->point))) {
        return ACME_E_KEY_CORRUPT;
    }
    key->ready = in.len == 0;
    return in.len == 0 ? 0 : ACME_E_KEY_CORRUPT;
}

/* PrivateKeyInfo (RFC 5208, 5), whose octets are an ECPrivateKey. */
static int read_pkcs8(struct acme_key_p256 *key, struct acme_der in)
{
    enum { VERSION, ALGORITHM, OCTETS, FIELDS };
    static const uint8_t tags[FIELDS] = {ACME_DER_INTEGER, ACME_DER_SEQUENCE, ACME_DER_OCTET_STRING};
    struct acme_der part[FIELDS];

    return acme_der_only(&in, ACME_DER_SEQUENCE, &in) && acme_der_run(&in, tags, FIELDS, part) &&
                   part[VERSION].len == 1 && part[VERSION].at[0] <= 1 &&
                   acme_der_is(&part[ALGORITHM], acme_spki_p256 + ACME_SPKI_P256_ALGORITHM,
                               ACME_SPKI_P256_ALGORITHM_LEN)
               ? read_sec1(key, part[OCTETS])
               : ACME_E_KEY_CORRUPT;
}

struct scratch {
    struct acme_pem pem;
    uint8_t der[256];
};

/* Reads the first key block; certificates may stand before it, and `openssl ecparam -genkey` writes an EC PARAMETERS
 * block. */
static int read_record(struct acme_key_p256 *key, struct scratch *s, struct acme_slice text)
{
    struct acme_pem *pem = &s->pem;
    bool pkcs8 = false;
    size_t used;

    for (; text.len > 0; text.at += used, text.len -= used) {
        int event = acme_pem_read(pem, text.at, text.len, &used);
        struct acme_der der;

        if (event < 0) {
            return ACME_E_KEY_CORRUPT;
        }
        if (event == ACME_PEM_BEGIN) {
            pkcs8 = strcmp(pem->label, "PRIVATE KEY") == 0;
            pem->der = pkcs8 || strcmp(pem->label, "EC PRIVATE KEY") == 0 ? s->der : NULL;
        } else if (event == ACME_PEM_END && pem->der != NULL) {
            der.at = pem->der;
            der.len = pem->len;
            return pkcs8 ? read_pkcs8(key, der) : read_sec1(key, der);
        }
    }
    return ACME_E_KEY_CORRUPT;
}

static int load(void *handle, const void *record, size_t len)
{
    struct acme_key_p256 *key = handle;
    struct scratch s;
    int done;

    key->ready = false;
    acme_pem_init(&s.pem, s.der, sizeof s.der);
    done = read_record(key, &s, acme_slice(record, len));
    acme_wipe(&s, sizeof s);
    if (done < 0) {
        acme_key_p256_wipe(key);
        return ACME_E_KEY_CORRUPT;
    }
    return done;
}

static void write_sec1(struct acme_der_out *o, const struct acme_key_p256 *key)
{
    static const uint8_t head[5] = {0x02, 0x01, 0x01, 0x04, 0x20}; /* version 1, 32 octets follow */

    acme_der_bytes(o, key->point, sizeof key->point);
    acme_der_wrap_bits(o, o->cap);
    acme_der_wrap(o, ACME_DER_CONTEXT_0 + 1, o->cap);
    acme_der_put(o, ACME_DER_CONTEXT_0, acme_spki_p256 + ACME_SPKI_P256_CURVE, ACME_SPKI_P256_CURVE_LEN);
    acme_der_bytes(o, key->scalar, sizeof key->scalar);
    acme_der_bytes(o, head, sizeof head);
    acme_der_wrap(o, ACME_DER_SEQUENCE, o->cap);
}

static int save(void *handle, void *record, size_t cap)
{
    const struct acme_key_p256 *key = handle;
    struct acme_der_out der;
    struct acme_out text;
    uint8_t memory[128];

    if (!key->ready) {
        return ACME_E_KEY;
    }
    acme_der_init(&der, memory, sizeof memory);
    write_sec1(&der, key);
    acme_out_init(&text, record, cap);
    acme_pem_write(&text, "EC PRIVATE KEY", memory + der.start, sizeof memory - der.start);
    acme_wipe(memory, sizeof memory);
    if (text.overflow) {
        acme_wipe(record, cap);
        return ACME_E_KEY;
    }
    return (int)text.len;
}

const struct acme_key_ops acme_key_p256_ops = {point, sign, generate, load, save};

void acme_key_p256_wipe(struct acme_key_p256 *key)
{
    acme_p256_forget(key->scalar);
    acme_wipe(key, sizeof *key);
}
