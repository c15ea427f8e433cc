/* table.c - see table.h. */
#include "table.h"

#include "roots/constraints.h"
#include "secure/digest.h"

#define LENGTH_AT 16 /* where the length of the whole stands */

/* Appends a number of `len` bytes, big-endian. */
static void put(struct acme_out *o, size_t value, unsigned len)
{
    while (len-- > 0) {
        uint8_t byte = (uint8_t)(value >> 8 * len);
        acme_out_bytes(o, &byte, 1);
    }
}

static void put_anchor(struct acme_out *o, const br_x509_trust_anchor *a)
{
    bool rsa = a->pkey.key_type == BR_KEYTYPE_RSA;
    size_t list_len = acme_constraints_len(a);
    size_t key_len = rsa ? a->pkey.key.rsa.nlen : a->pkey.key.ec.qlen;

    put(o, (a->flags & BR_X509_TA_CA) != 0, 1);
    put(o, rsa ? 1 : (size_t)a->pkey.key.ec.curve, 1);
    put(o, a->dn.len, 2);
    put(o, list_len, 2);
    put(o, key_len, 2);
    put(o, rsa ? a->pkey.key.rsa.elen : 0, 2);
    acme_out_bytes(o, a->dn.data, a->dn.len + list_len); /* one behind the other */
    acme_out_bytes(o, rsa ? a->pkey.key.rsa.n : a->pkey.key.ec.q, key_len);
    if (rsa) {
        acme_out_bytes(o, a->pkey.key.rsa.e, a->pkey.key.rsa.elen);
    }
}

int acme_table_write(struct acme_out *o, const struct acme_trust *trust, uint32_t serial, bool replaces,
                     struct acme_key_p256 *key)
{
    size_t start = o->len;
    uint8_t digest[ACME_SHA256_LEN], signature[64];
    struct acme_out length;

    acme_out_text(o, "acmeROOT\1");
    put(o, replaces, 1);
    put(o, trust->count, 2);
    put(o, serial, 4);
    put(o, 0, 4);
    for (size_t i = 0; i < trust->count; i++) {
        put_anchor(o, &trust->anchors[i]);
    }
    if (o->overflow || o->cap - o->len < sizeof signature || trust->count > 0xffff) {
        return ACME_E_WORK_SMALL;
    }
    acme_out_init(&length, o->at + start + LENGTH_AT, 4);
    put(&length, o->len - start + sizeof signature, 4);
    struct acme_slice most = acme_out_since(o, start);
    acme_sha256(&most, 1, digest);
    int err = acme_key_p256_ops.sign(key, digest, signature);
    acme_out_bytes(o, signature, sizeof signature);
    return err;
}
