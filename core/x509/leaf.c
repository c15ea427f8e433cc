/* leaf.c - see leaf.h. */
#include "leaf.h"

#include "../wire/date.h"
#include "../wire/slice.h"

#define POINT_LEN 65

static const uint8_t subject_alt_name[] = {0x55, 0x1d, 0x11};

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

/* Extensions: only subjectAltName is looked at, and there may be only one. */
static bool read_extensions(struct acme_leaf *leaf, struct acme_der list)
{
    struct acme_der extension;
    struct acme_der field;
    struct acme_der oid;

    while (list.len > 0) {
        if (!acme_der_expect(&list, ACME_DER_SEQUENCE, &extension) ||
            !acme_der_expect(&extension, ACME_DER_OID, &oid)) {
            return false;
        }
        (void)acme_der_expect(&extension, ACME_DER_BOOLEAN, &field); /* critical */
        if (!acme_der_only(&extension, ACME_DER_OCTET_STRING, &field)) {
            return false;
        }
        if (acme_der_is(&oid, subject_alt_name, sizeof subject_alt_name) &&
            (leaf->names.at != NULL || !acme_der_only(&field, ACME_DER_SEQUENCE, &leaf->names))) {
            return false;
        }
    }
    return true;
}

/* TBSCertificate (RFC 5280, 4.1). */
static bool read_tbs(struct acme_leaf *leaf, struct acme_der in)
{
    enum { SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, KEY, FIELDS };
    static const uint8_t tags[FIELDS] = {ACME_DER_INTEGER,  ACME_DER_SEQUENCE, ACME_DER_SEQUENCE,
                                         ACME_DER_SEQUENCE, ACME_DER_SEQUENCE, ACME_DER_SEQUENCE};
    struct acme_der part[FIELDS];
    struct acme_der field;
    uint8_t tag;

    (void)acme_der_expect(&in, ACME_DER_CONTEXT_0, &field); /* version; absent in v1 */
    if (!acme_der_run(&in, tags, FIELDS, part) || !read_time(&part[VALIDITY], &leaf->not_before) ||
        !read_time(&part[VALIDITY], &leaf->not_after) || part[VALIDITY].len != 0) {
        return false;
    }
    leaf->serial = part[SERIAL];
    leaf->issuer = part[ISSUER];
    leaf->subject = part[SUBJECT];
    const uint8_t *spki = part[KEY].at - 2; /* tag and length, of which there is one form */
    if (part[KEY].len == ACME_SPKI_P256_LEN + POINT_LEN - 2 &&
        memcmp(spki, acme_spki_p256, ACME_SPKI_P256_LEN) == 0 && spki[ACME_SPKI_P256_LEN] == 0x04) {
        leaf->point = spki + ACME_SPKI_P256_LEN;
    }
    while (in.len > 0) {
        if (!acme_der_next(&in, &tag, &field)) {
            return false;
        }
        if (tag == ACME_DER_CONTEXT_0 + 3) {
            struct acme_der list;
            return in.len == 0 && acme_der_only(&field, ACME_DER_SEQUENCE, &list) && read_extensions(leaf, list);
        }
    }
    return true;
}

int acme_leaf_parse(struct acme_leaf *leaf, const uint8_t *der, size_t len)
{
    enum { TBS, ALGORITHM, SIGNATURE, FIELDS };
    static const uint8_t tags[FIELDS] = {ACME_DER_SEQUENCE, ACME_DER_SEQUENCE, ACME_DER_BIT_STRING};
    struct acme_der part[FIELDS];
    struct acme_der in = {der, len};

    memset(leaf, 0, sizeof *leaf);
    if (!acme_der_only(&in, ACME_DER_SEQUENCE, &in) || !acme_der_run(&in, tags, FIELDS, part) || in.len != 0 ||
        !read_tbs(leaf, part[TBS])) {
        return ACME_E_CERT_SYNTAX;
    }
    return 0;
}

/* True when one of the GeneralNames is this DNS name. */
static bool has_name(struct acme_der list, const char *name)
{
    struct acme_der entry;
    uint8_t tag;

    while (acme_der_next(&list, &tag, &entry)) {
        if (tag == ACME_DER_DNS_NAME && acme_slice_is_word(acme_slice(entry.at, entry.len), name)) {
            return true;
        }
    }
    return false;
}

bool acme_leaf_names_are(const struct acme_leaf *leaf, const char *const *names, size_t name_count)
{
    struct acme_der list = leaf->names;
    struct acme_der entry;
    uint8_t tag;

    for (size_t i = 0; i < name_count; i++) {
        if (!has_name(list, names[i])) {
            return false;
        }
    }
    while (list.len > 0) {
        size_t i = 0;
        if (!acme_der_next(&list, &tag, &entry) || tag != ACME_DER_DNS_NAME) {
            return false;
        }
        while (i < name_count && !acme_slice_is_word(acme_slice(entry.at, entry.len), names[i])) {
            i++;
        }
        if (i == name_count) {
            return false;
        }
    }
    return true;
}
