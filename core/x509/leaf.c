/* leaf.c - see leaf.h. */
#include "leaf.h"

#include "../secure/digest.h"
#include "../wire/address.h"
#include "../wire/date.h"
#include "../wire/slice.h"

#define POINT_LEN 65

static const uint8_t subject_alt_name[] = {0x55, 0x1d, 0x11};

#if ACME_CFG_RENEWAL

static const uint8_t authority_key_identifier[] = {0x55, 0x1d, 0x23};

/* Takes keyIdentifier out of the extension; what has none, or has the extension twice, is as if there were none. */
static void read_authority(struct acme_leaf *leaf, const struct acme_der *oid, const struct acme_der *value)
{
    struct acme_der list, id;
    if (!acme_der_is(oid, authority_key_identifier, sizeof authority_key_identifier)) {
        return;
    }
    bool first = leaf->authority.at == NULL;
    leaf->authority = (struct acme_der){value->at, 0};
    if (first && acme_der_only(value, ACME_DER_SEQUENCE, &list) &&
        acme_der_expect(&list, ACME_DER_KEY_IDENTIFIER, &id)) {
        leaf->authority = id;
    }
}

#else
#define read_authority(leaf, oid, value) ((void)0)
#endif

/* Takes a UTCTime or GeneralizedTime. */
static bool read_time(struct acme_der *in, int64_t *utc)
{
    struct acme_der text;
    uint8_t tag;

    if (!acme_der_next(in, &tag, &text) || (tag != ACME_DER_UTC_TIME && tag != ACME_DER_GENERALIZED_TIME)) {
        return false;
    }
    *utc = acme_date_der(acme_slice(text.at, text.len), tag == ACME_DER_UTC_TIME);
    return *utc != ACME_DATE_NONE;
}

/* Extensions: subjectAltName is looked at, of which there may be only one, and who the issuer was. */
static bool read_extensions(struct acme_leaf *leaf, struct acme_der list)
{
    struct acme_der value;
    struct acme_der oid;
    bool critical;

    while (list.len > 0) {
        if (!acme_der_extension(&list, &oid, &critical, &value)) {
            return false;
        }
        read_authority(leaf, &oid, &value);
        if (acme_der_is(&oid, subject_alt_name, sizeof subject_alt_name) &&
            (leaf->names.at != NULL || !acme_der_only(&value, ACME_DER_SEQUENCE, &leaf->names))) {
            return false;
        }
    }
    return true;
}

#if ACME_CFG_CSR

void acme_leaf_key(const struct acme_leaf *leaf, uint8_t key[ACME_LEAF_KEY_LEN])
{
    struct acme_slice whole = acme_slice(leaf->key.at, leaf->key.len);

    if (leaf->point != NULL) {
        memcpy(key, leaf->point, ACME_LEAF_KEY_LEN);
        return;
    }
    memset(key, 0, ACME_LEAF_KEY_LEN);
    acme_sha256(&whole, 1, key + 1);
}

bool acme_leaf_is_for(const struct acme_leaf *leaf, const uint8_t key[ACME_LEAF_KEY_LEN])
{
    uint8_t own[ACME_LEAF_KEY_LEN];
    acme_leaf_key(leaf, own);
    return memcmp(own, key, sizeof own) == 0;
}

#define keep_key(leaf, part) ((leaf)->key = (part))
#else
#define keep_key(leaf, part) ((void)0)
#endif

int acme_leaf_parse(struct acme_leaf *leaf, const uint8_t *der, size_t len)
{
    struct acme_der part[ACME_CERT_PARTS];
    struct acme_der extensions;
    struct acme_der in = {der, len};
    struct acme_der *validity = &part[ACME_CERT_VALIDITY];

    memset(leaf, 0, sizeof *leaf);
    if (!acme_der_certificate(in, part, &extensions) || !read_time(validity, &leaf->not_before) ||
        !read_time(validity, &leaf->not_after) || validity->len != 0 || !read_extensions(leaf, extensions)) {
        return ACME_E_CERT_SYNTAX;
    }
    leaf->serial = part[ACME_CERT_SERIAL];
    leaf->issuer = part[ACME_CERT_ISSUER];
    leaf->subject = part[ACME_CERT_SUBJECT];
    keep_key(leaf, part[ACME_CERT_KEY]);
    const uint8_t *spki = part[ACME_CERT_KEY].at - 2; /* tag and length, of which there is one form */
    if (part[ACME_CERT_KEY].len == ACME_SPKI_P256_LEN + POINT_LEN - 2 &&
        memcmp(spki, acme_spki_p256, ACME_SPKI_P256_LEN) == 0 && spki[ACME_SPKI_P256_LEN] == 0x04) {
        leaf->point = spki + ACME_SPKI_P256_LEN;
    }
    return 0;
}

/* True when a GeneralName is this name. */
static bool is_name(uint8_t tag, const struct acme_der *entry, const char *name)
{
    uint8_t address[ACME_ADDRESS_MAX];
    size_t len = (size_t)acme_address_parse(acme_slice_of(name), address);

    if (len > 0) {
        return tag == ACME_DER_IP_ADDRESS && acme_der_is(entry, address, len);
    }
    return tag == ACME_DER_DNS_NAME && acme_slice_is_word(acme_slice(entry->at, entry->len), name);
}

static bool has_name(struct acme_der list, const char *name)
{
    struct acme_der entry;
    uint8_t tag;

    while (acme_der_next(&list, &tag, &entry)) {
        if (is_name(tag, &entry, name)) {
            return true;
        }
    }
    return false;
}

bool acme_leaf_names_are(const struct acme_leaf *leaf, const char *const *names, size_t name_count, bool or_more)
{
    struct acme_der list = leaf->names;
    struct acme_der entry;
    uint8_t tag;

    for (size_t i = 0; i < name_count; i++) {
        if (!has_name(list, names[i])) {
            return false;
        }
    }
    while (list.len > 0 && !or_more) {
        size_t i = 0;
        if (!acme_der_next(&list, &tag, &entry)) {
            return false;
        }
        while (i < name_count && !is_name(tag, &entry, names[i])) {
            i++;
        }
        if (i == name_count) {
            return false;
        }
    }
    return true;
}
