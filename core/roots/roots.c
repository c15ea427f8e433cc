/* roots.c - see roots.h. */
#include "roots.h"

#include <string.h>

#include "../secure/cert_scan.h"
#include "../wire/der.h"
#include "constraints.h"

#define RSA_BYTES_MIN      256
#define RSA_BYTES_MAX      512 /* BearSSL has no larger numbers */
#define RSA_EXPONENT_BYTES 8
#define ID_CE_LEN          3    /* of the object identifiers 2.5.29.x: 55 1d x */
#define KEY_CERT_SIGN      0x04 /* in the first byte of keyUsage */

/* What matters of a certificate. The runs lead into its DER. */
struct certificate {
    struct acme_der name; /* the subject's, whole */
    struct acme_der constraints;
    br_x509_pkey key;
    bool ca, may_sign;
    bool critical; /* has a critical extension that is not known */
};

/* Where the next anchor's place ends. */
static size_t behind(const struct acme_trust_reader *r)
{
    return r->low + sizeof(br_x509_trust_anchor);
}

/* --- reading one certificate --- */

/* Takes an unsigned INTEGER, without its leading zeros. */
static bool read_number(struct acme_der *in, struct acme_der *number)
{
    if (!acme_der_expect(in, ACME_DER_INTEGER, number)) {
        return false;
    }
    while (number->len > 0 && *number->at == 0) {
        number->at++;
        number->len--;
    }
    return number->len > 0;
}

/* BearSSL's structs want pointers to writable bytes, though it only reads them. */
static unsigned char *bytes_of(struct acme_der run)
{
    return (unsigned char *)(uintptr_t)run.at;
}

/* RSAPublicKey (RFC 8017, A.1.1). Returns false when it is damaged; another size is no damage. */
static bool read_rsa(struct acme_der bits, br_x509_pkey *key)
{
    struct acme_der n, e;

    if (bits.len < 1 || *bits.at != 0) {
        return false;
    }
    bits.at++;
    bits.len--;
    if (!acme_der_only(&bits, ACME_DER_SEQUENCE, &bits) || !read_number(&bits, &n) || !read_number(&bits, &e) ||
        bits.len != 0 || (n.at[n.len - 1] & 1) == 0) {
        return false;
    }
    if (n.len >= RSA_BYTES_MIN && n.len <= RSA_BYTES_MAX && e.len <= RSA_EXPONENT_BYTES) {
        key->key_type = BR_KEYTYPE_RSA;
        key->key.rsa.n = bytes_of(n);
        key->key.rsa.nlen = n.len;
        key->key.rsa.e = bytes_of(e);
        key->key.rsa.elen = e.len;
    }
    return true;
}

/* SubjectPublicKeyInfo. Leaves key_type 0 for a key that is of no use. Returns false when it is damaged. */
static bool read_key(struct acme_der in, br_x509_pkey *key)
{
    static const uint8_t rsa[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
    static const uint8_t p384[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                   0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
    struct acme_der algorithm, bits;
    int curve = 0;

    if (!acme_der_expect(&in, ACME_DER_SEQUENCE, &algorithm) || !acme_der_only(&in, ACME_DER_BIT_STRING, &bits)) {
        return false;
    }
    if (algorithm.len >= sizeof rsa && memcmp(algorithm.at, rsa, sizeof rsa) == 0) {
        return read_rsa(bits, key);
    }
    if (acme_der_is(&algorithm, acme_spki_p256 + ACME_SPKI_P256_ALGORITHM, ACME_SPKI_P256_ALGORITHM_LEN)) {
        curve = BR_EC_secp256r1;
    } else if (acme_der_is(&algorithm, p384, sizeof p384)) {
        curve = BR_EC_secp384r1;
    }
    if (curve != 0 && bits.len == (curve == BR_EC_secp256r1 ? 66u : 98u) && bits.at[0] == 0 && bits.at[1] == 4) {
        key->key_type = BR_KEYTYPE_EC;
        key->key.ec.curve = curve;
        key->key.ec.q = bytes_of(bits) + 1;
        key->key.ec.qlen = bits.len - 1;
    }
    return true;
}

static bool read_extension(struct certificate *c, unsigned id, struct acme_der value)
{
    struct acme_der field;

    switch (id) {
    case 15: /* keyUsage */
        if (!acme_der_only(&value, ACME_DER_BIT_STRING, &field)) {
            return false;
        }
        c->may_sign = field.len >= 2 && (field.at[1] & KEY_CERT_SIGN) != 0;
        return true;
    case 19: /* basicConstraints */
        if (!acme_der_only(&value, ACME_DER_SEQUENCE, &value)) {
            return false;
        }
        c->ca = acme_der_expect(&value, ACME_DER_BOOLEAN, &field) && !acme_der_is(&field, "", 1);
        return true;
    case 30: /* nameConstraints */
        return acme_der_only(&value, ACME_DER_SEQUENCE, &c->constraints);
    default:
        return true;
    }
}

/* Returns false when the certificate is damaged. */
static bool read_certificate(struct certificate *c, struct acme_der der)
{
    /* Extensions of RFC 5280 that say nothing that is not done here, nor against the certificate as an anchor. Policies
     * are never asked for. extendedKeyUsage is read by acme_cert_scan(). */
    static const char known[] = {9, 14, 15, 17, 18, 19, 30, 31, 32, 33, 35, 36, 37, 46, 54};
    struct acme_der part[ACME_CERT_PARTS];
    struct acme_der list, oid, value;
    uint64_t seen = 0;
    bool critical;

    memset(c, 0, sizeof *c);
    c->may_sign = true;
    if (!acme_der_certificate(der, part, &list) || !read_key(part[ACME_CERT_KEY], &c->key)) {
        return false;
    }
    c->name.at = part[ACME_CERT_VALIDITY].at + part[ACME_CERT_VALIDITY].len;
    c->name.len = (size_t)(part[ACME_CERT_SUBJECT].at - c->name.at) + part[ACME_CERT_SUBJECT].len;
    while (list.len > 0) {
        if (!acme_der_extension(&list, &oid, &critical, &value)) {
            return false;
        }
        if (oid.len == ID_CE_LEN && memcmp(oid.at, "\x55\x1d", 2) == 0 && oid.at[2] < 64 &&
            memchr(known, oid.at[2], sizeof known) != NULL) {
            if ((seen >> oid.at[2] & 1) != 0 || !read_extension(c, oid.at[2], value)) {
                return false;
            }
            seen |= (uint64_t)1 << oid.at[2];
        } else if (critical) {
            c->critical = true;
        }
    }
    return true;
}

/* --- keeping it --- */

/* Copies to the upper end of the memory, behind the certificate that is being read. */
static unsigned char *keep(struct acme_trust_reader *r, const void *data, size_t len)
{
    if (r->error == 0 && len > r->high - behind(r) - r->pem.len) {
        r->error = ACME_E_WORK_SMALL;
    }
    if (r->error != 0) {
        return NULL;
    }
    r->high -= len;
    return memcpy(r->memory + r->high, data, len);
}

static int keep_constraint(void *ctx, const void *data, size_t len)
{
    return keep(ctx, data, len) == NULL ? ACME_E_WORK_SMALL : 0;
}

/* Keeps an anchor's parts: what it is constrained to lies behind its name, without a pointer of its own. */
static void keep_anchor(struct acme_trust_reader *r, const struct certificate *c)
{
    br_x509_trust_anchor *anchor = (br_x509_trust_anchor *)(void *)(r->memory + r->low);
    size_t high = r->high;

    anchor->flags = c->ca ? BR_X509_TA_CA : 0;
    if (c->ca && c->constraints.len > 0) {
        if (!acme_constraints_write(c->constraints, keep_constraint, r)) {
            r->left[ACME_LEFT_CRITICAL]++;
            r->high = high;
            return;
        }
        anchor->flags |= ACME_ANCHOR_CONSTRAINED;
        r->constrained = true;
    }
    anchor->dn.data = keep(r, c->name.at, c->name.len);
    anchor->dn.len = c->name.len;
    anchor->pkey = c->key;
    if (c->key.key_type == BR_KEYTYPE_RSA) {
        anchor->pkey.key.rsa.n = keep(r, c->key.key.rsa.n, c->key.key.rsa.nlen);
        anchor->pkey.key.rsa.e = keep(r, c->key.key.rsa.e, c->key.key.rsa.elen);
    } else {
        anchor->pkey.key.ec.q = keep(r, c->key.key.ec.q, c->key.key.ec.qlen);
    }
    if (r->error == 0) {
        r->low += sizeof *anchor;
        r->count++;
        r->not_ca += !c->ca;
    }
}

/* Judges a certificate that was decoded. */
static void take(struct acme_trust_reader *r)
{
    struct acme_der der = {r->pem.der, r->pem.len};
    struct acme_cert_scan scan;
    struct certificate c;

    acme_cert_scan_begin(&scan);
    acme_cert_scan(&scan, der.at, der.len);
    if (!read_certificate(&c, der)) {
        r->left[ACME_LEFT_DAMAGED]++;
    } else if (c.key.key_type == 0) {
        r->left[ACME_LEFT_KEY]++;
    } else if ((c.ca && !c.may_sign) || scan.other_use) {
        r->left[ACME_LEFT_USE]++;
    } else if (c.critical) {
        r->left[ACME_LEFT_CRITICAL]++;
    } else {
        keep_anchor(r, &c);
    }
}

/* A block begins. A certificate is decoded behind the place of its anchor. */
static void begin_block(struct acme_trust_reader *r)
{
    enum acme_pem_kind kind = acme_pem_kind(&r->pem);

    r->left[ACME_LEFT_FORM] += kind == ACME_PEM_WRAPPED;
    r->pem.der = NULL;
    if (kind == ACME_PEM_CERTIFICATE) {
        if (behind(r) > r->high) {
            r->error = ACME_E_WORK_SMALL;
            return;
        }
        r->pem.der = r->memory + behind(r);
        r->pem.cap = r->high - behind(r);
    }
}

void acme_trust_begin(struct acme_trust_reader *r, void *memory, size_t cap)
{
    size_t pad = (size_t)(-(uintptr_t)memory % sizeof(void *));

    memset(r, 0, sizeof *r);
    acme_pem_init(&r->pem, NULL, 0);
    if (memory == NULL || cap < pad) {
        r->error = ACME_E_WORK_SMALL;
        return;
    }
    r->memory = (unsigned char *)memory + pad;
    r->high = cap - pad;
}

void acme_trust_add(struct acme_trust_reader *r, const void *pem, size_t len)
{
    const char *at = pem;
    size_t used;

    for (; len > 0 && r->error == 0; at += used, len -= used) {
        int event = acme_pem_read(&r->pem, at, len, &used);
        if (event == ACME_PEM_BEGIN) {
            begin_block(r);
        } else if (event == ACME_PEM_END && r->pem.der != NULL) {
            take(r);
        } else if (event == ACME_E_CERT_BIG) {
            r->error = ACME_E_WORK_SMALL;
        } else if (event < 0) {
            r->left[ACME_LEFT_DAMAGED]++;
        }
    }
}

int acme_trust_end(struct acme_trust_reader *r, struct acme_trust *trust)
{
    memset(trust, 0, sizeof *trust);
    /* What is behind the end of a file that was cut cannot be counted. */
    if (r->error == 0 && (!acme_pem_outside(&r->pem) || r->count == 0)) {
        r->error = ACME_E_ANCHORS;
    }
    if (r->error != 0) {
        return r->error;
    }
    trust->anchors = (const br_x509_trust_anchor *)(const void *)r->memory;
    trust->count = r->count;
    trust->permits = r->constrained ? acme_constraints_permit : NULL;
    return (int)r->count;
}
