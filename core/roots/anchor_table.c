/* anchor_table.c - see anchor_table.h. */
#include "anchor_table.h"

#if ACME_CFG_SIGNED_ANCHORS

#include <string.h>

#include "../secure/digest.h"
#include "../secure/ec.h"
#include "constraints.h"

#define HEAD_LEN       20
#define ENTRY_LEN      10 /* of an anchor: what stands before its name */
#define SIGNATURE_LEN  64
#define RSA            1
#define RSA_BYTES_MIN  256
#define RSA_BYTES_MAX  512
#define EXPONENT_BYTES 8

static const char magic[] = "acmeROOT\1";

static size_t number(const uint8_t *at, size_t len)
{
    size_t value = 0;

    while (len-- > 0) {
        value = value << 8 | *at++;
    }
    return value;
}

/* --- reading --- */

/* Looks at what stands before the anchors, and at nothing behind it. */
static int read_head(struct acme_anchor_table *t, const void *data, size_t len)
{
    const uint8_t *at = data;

    if (len < HEAD_LEN + SIGNATURE_LEN || memcmp(at, magic, sizeof magic - 1) != 0 || at[9] > 1) {
        return ACME_E_TABLE;
    }
    t->all = acme_slice(data, number(at + 16, 4));
    t->serial = (uint32_t)number(at + 12, 4);
    t->count = number(at + 10, 2);
    t->replaces = at[9] != 0;
    t->constrained = false;
    return t->all.len < HEAD_LEN + SIGNATURE_LEN || t->all.len > len || t->count == 0 ? ACME_E_TABLE : 0;
}

/* Takes the next bytes, as BearSSL's structs want them, though it only reads them. NULL when there are not so many. */
static unsigned char *take(struct acme_der *in, size_t len)
{
    unsigned char *at = (unsigned char *)(uintptr_t)in->at;

    if (in->len < len) {
        return NULL;
    }
    in->at += len;
    in->len -= len;
    return at;
}

/* True when whoever reads the list does not read past it. */
static bool is_list(const uint8_t *list, size_t len)
{
    size_t at = 0;

    while (at + 1 < len && (list[at] == 1 || list[at] == 2)) {
        at += 2u + list[at + 1];
    }
    return at + 1 == len && list[at] == 0;
}

static bool read_anchor(br_x509_trust_anchor *a, struct acme_der *in)
{
    const uint8_t *head = take(in, ENTRY_LEN);
    unsigned char *list, *key;
    size_t list_len, key_len, exponent_len;

    if (head == NULL) {
        return false;
    }
    a->dn.len = number(head + 2, 2);
    list_len = number(head + 4, 2);
    key_len = number(head + 6, 2);
    exponent_len = number(head + 8, 2);
    a->dn.data = take(in, a->dn.len + list_len + key_len + exponent_len);
    if (a->dn.data == NULL || a->dn.len == 0 || head[0] > 1) {
        return false;
    }
    list = a->dn.data + a->dn.len;
    key = list + list_len;
    a->flags = head[0] != 0 ? BR_X509_TA_CA : 0;
    if (list_len > 0) {
        a->flags |= ACME_ANCHOR_CONSTRAINED;
        if (!is_list(list, list_len)) {
            return false;
        }
    }
    if (head[1] == RSA) {
        a->pkey.key_type = BR_KEYTYPE_RSA;
        a->pkey.key.rsa = (br_rsa_public_key){key, key_len, key + key_len, exponent_len};
        return key_len >= RSA_BYTES_MIN && key_len <= RSA_BYTES_MAX && (key[key_len - 1] & 1) != 0 &&
               exponent_len > 0 && exponent_len <= EXPONENT_BYTES;
    }
    a->pkey.key_type = BR_KEYTYPE_EC;
    a->pkey.key.ec = (br_ec_public_key){head[1], key, key_len};
    return ((head[1] == BR_EC_secp256r1 && key_len == 65) || (head[1] == BR_EC_secp384r1 && key_len == 97)) &&
           key[0] == 4 && exponent_len == 0;
}

static int read_anchors(struct acme_anchor_table *t, br_x509_trust_anchor *room)
{
    struct acme_der in = {(const uint8_t *)t->all.at + HEAD_LEN, t->all.len - HEAD_LEN - SIGNATURE_LEN};
    br_x509_trust_anchor one;

    for (size_t i = 0; i < t->count; i++) {
        br_x509_trust_anchor *a = room != NULL ? &room[i] : &one;
        if (!read_anchor(a, &in)) {
            return ACME_E_TABLE;
        }
        t->constrained = t->constrained || (a->flags & ACME_ANCHOR_CONSTRAINED) != 0;
    }
    return in.len == 0 ? 0 : ACME_E_TABLE;
}

int acme_anchor_table_read(struct acme_anchor_table *t, const void *data, size_t len, br_x509_trust_anchor *room)
{
    int err = read_head(t, data, len);

    return err == 0 ? read_anchors(t, room) : err;
}

/* --- judging --- */

static bool is_signed(const struct acme_anchor_table *t, const struct acme_anchor_origin *origin)
{
    struct acme_slice most = acme_slice(t->all.at, t->all.len - SIGNATURE_LEN);
    br_ec_public_key key = {BR_EC_secp256r1, (unsigned char *)(uintptr_t)origin->key, ACME_VENDOR_KEY_LEN};
    uint8_t digest[ACME_SHA256_LEN];

    acme_sha256(&most, 1, digest);
    return ACME_ECDSA_VERIFY_RAW(&ACME_EC_P256, digest, sizeof digest, &key, most.at + most.len, SIGNATURE_LEN) == 1;
}

/* How many of the built-in anchors stay beside the table's. */
static size_t kept(const struct acme_anchor_table *t, const struct acme_anchor_origin *origin)
{
    return t->replaces ? 0 : origin->trust->count;
}

/* Nothing but the head is read before it is known who wrote the rest. */
static int judge(struct acme_anchor_table *t, const struct acme_anchor_choice *choice,
                 const struct acme_anchor_origin *origin, const void *data, size_t len)
{
    int err = read_head(t, data, len);

    if (err != 0) {
        return err;
    }
    if (t->serial <= choice->serial) {
        return ACME_E_TABLE_OLD;
    }
    if (!is_signed(t, origin)) {
        return ACME_E_TABLE_SIGNATURE;
    }
    err = read_anchors(t, NULL);
    return err == 0 && kept(t, origin) + t->count > choice->cap ? ACME_E_WORK_SMALL : err;
}

int acme_anchor_table_accept(const struct acme_anchor_choice *choice, const struct acme_anchor_origin *origin,
                             const void *data, size_t len)
{
    struct acme_anchor_table t;

    return judge(&t, choice, origin, data, len);
}

void acme_anchor_table_choose(struct acme_anchor_choice *choice, const struct acme_anchor_origin *origin,
                              const struct acme_anchor_slot *slots, size_t count, br_x509_trust_anchor *room,
                              size_t cap)
{
    memset(choice, 0, sizeof *choice);
    choice->trust = *origin->trust;
    choice->serial = origin->serial;
    choice->slot = -1;
    choice->cap = cap;
    for (size_t i = 0; i < count; i++) {
        struct acme_anchor_table t;
        int err;

        if (slots[i].len == 0 || *(const uint8_t *)slots[i].at == 0xff) {
            continue;
        }
        err = judge(&t, choice, origin, slots[i].at, slots[i].len);
        if (err == 0) {
            size_t own = kept(&t, origin);
            memcpy(room, origin->trust->anchors, own * sizeof *room);
            (void)read_anchors(&t, room + own); /* was looked at */
            choice->trust.anchors = room;
            choice->trust.count = own + t.count;
            choice->trust.permits = t.constrained ? acme_constraints_permit
                                    : own == 0    ? NULL
                                                  : origin->trust->permits;
            choice->serial = t.serial;
            choice->slot = (int)i;
        } else if (err != ACME_E_TABLE_OLD) {
            choice->error = err;
        }
    }
}

#endif
