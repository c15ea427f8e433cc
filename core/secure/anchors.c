/* anchors.c - see anchors.h. */
#include "anchors.h"

#include <string.h>

#define RSA_BYTES_MIN 256

/* Anchors begin at the start, one after the other; the name being collected stands behind the place of the next
 * one. Returns where it ends. */
static size_t name_end(const struct acme_trust_reader *r)
{
    return r->low + sizeof(br_x509_trust_anchor) + r->name_len;
}

/* Tells whether len bytes fit between the name and what was kept; keeps the error. */
static bool fits(struct acme_trust_reader *r, size_t len)
{
    if (r->error == 0 && (name_end(r) > r->high || len > r->high - name_end(r))) {
        r->error = ACME_E_WORK_SMALL;
    }
    return r->error == 0;
}

static void name_bytes(void *ctx, const void *data, size_t len)
{
    struct acme_trust_reader *r = ctx;

    if (fits(r, len)) {
        memcpy(r->memory + name_end(r), data, len);
        r->name_len += len;
    }
}

static void certificate_bytes(void *ctx, const void *data, size_t len)
{
    struct acme_trust_reader *r = ctx;

    br_x509_decoder_push(&r->x509, data, len);
}

/* Copies to the upper end of the memory. */
static unsigned char *keep(struct acme_trust_reader *r, const void *data, size_t len)
{
    if (!fits(r, len)) {
        return NULL;
    }
    r->high -= len;
    return memcpy(r->memory + r->high, data, len);
}

/* Keys acme_tls can use: what the chain may hold, an anchor may be. */
static bool usable(const br_x509_pkey *key)
{
    if (key->key_type == BR_KEYTYPE_RSA) {
        return key->key.rsa.nlen >= RSA_BYTES_MIN;
    }
    return key->key.ec.curve == BR_EC_secp256r1 || key->key.ec.curve == BR_EC_secp384r1; /* there is no third type */
}

static void end_certificate(struct acme_trust_reader *r)
{
    const br_x509_pkey *key = br_x509_decoder_get_pkey(&r->x509);
    br_x509_trust_anchor *anchor = (br_x509_trust_anchor *)(void *)(r->memory + r->low);
    br_x509_pkey *kept = &anchor->pkey;

    if (!fits(r, 0)) {
        return;
    }
    if (key == NULL || !usable(key)) {
        r->skipped++;
        return;
    }
    *kept = *key;
    if (key->key_type == BR_KEYTYPE_RSA) {
        kept->key.rsa.n = keep(r, key->key.rsa.n, key->key.rsa.nlen);
        kept->key.rsa.e = keep(r, key->key.rsa.e, key->key.rsa.elen);
    } else {
        kept->key.ec.q = keep(r, key->key.ec.q, key->key.ec.qlen);
    }
    if (r->error != 0) {
        return;
    }
    r->high -= r->name_len;
    anchor->dn.data = memmove(r->memory + r->high, r->memory + name_end(r) - r->name_len, r->name_len);
    anchor->dn.len = r->name_len;
    anchor->flags = br_x509_decoder_isCA(&r->x509) ? BR_X509_TA_CA : 0;
    r->low += sizeof *anchor;
    r->count++;
}

static void event(struct acme_trust_reader *r, int what)
{
    const char *label;

    if (what == BR_PEM_BEGIN_OBJ) {
        label = br_pem_decoder_name(&r->pem);
        r->in_block = true;
        r->in_certificate = strcmp(label, "CERTIFICATE") == 0 || strcmp(label, "X509 CERTIFICATE") == 0;
        br_pem_decoder_setdest(&r->pem, r->in_certificate ? certificate_bytes : NULL, r);
        r->name_len = 0;
        br_x509_decoder_init(&r->x509, name_bytes, r);
    } else if (what == BR_PEM_END_OBJ) {
        if (r->in_certificate) {
            end_certificate(r);
        }
        r->in_block = false;
        r->in_certificate = false;
    } else if (what == BR_PEM_ERROR && r->error == 0) {
        r->error = ACME_E_ANCHORS;
    }
}

void acme_trust_begin(struct acme_trust_reader *r, void *memory, size_t cap)
{
    size_t pad = (size_t)(-(uintptr_t)memory % sizeof(void *));

    memset(r, 0, sizeof *r);
    br_pem_decoder_init(&r->pem);
    if (memory == NULL || cap < pad) {
        r->error = ACME_E_WORK_SMALL;
        return;
    }
    r->memory = (unsigned char *)memory + pad;
    r->high = cap - pad;
}

void acme_trust_add(struct acme_trust_reader *r, const void *pem, size_t len)
{
    const unsigned char *at = pem;

    while (len > 0 && r->error == 0) {
        size_t used = br_pem_decoder_push(&r->pem, at, len);
        at += used;
        len -= used;
        event(r, br_pem_decoder_event(&r->pem));
    }
}

int acme_trust_end(struct acme_trust_reader *r, struct acme_trust *trust)
{
    acme_trust_add(r, "\n", 1); /* BearSSL wants the last line ended */
    trust->anchors = NULL;
    trust->count = 0;
    if (r->error == 0 && (r->in_block || r->count == 0)) {
        r->error = ACME_E_ANCHORS;
    }
    if (r->error != 0) {
        return r->error;
    }
    trust->anchors = (const br_x509_trust_anchor *)(const void *)r->memory;
    trust->count = r->count;
    return (int)r->count;
}
