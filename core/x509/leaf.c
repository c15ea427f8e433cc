/* leaf.c - see leaf.h. */
#include "leaf.h"

#include "../wire/date.h"
#include "../wire/slice.h"

#define POINT_LEN 65

static const uint8_t subject_alt_name[] = {0x55, 0x1d, 0x11};

/* Value of two digits, -1 when they are none. */
static int two_digits(const uint8_t *at)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9') {
        return -1;
    }
    return (at[0] - '0') * 10 + (at[1] - '0');
}

/* Takes a UTCTime or GeneralizedTime in the one form RFC 5280, 4.1.2.5 allows: whole seconds, "Z". */
static bool read_time(struct acme_der *in, int64_t *utc)
{
    static const uint8_t least[6] = {0, 1, 1, 0, 0, 0};
    static const uint8_t most[6] = {99, 12, 31, 23, 59, 59};
    struct acme_der text;
    uint8_t tag;
    int century;
    int part[6];

    if (!acme_der_next(in, &tag, &text)) {
        return false;
    }
    if (tag == ACME_DER_GENERALIZED_TIME && text.len == 15) {
        century = two_digits(text.at);
        text.at += 2;
    } else if (tag == ACME_DER_UTC_TIME && text.len == 13) {
        century = text.at[0] >= '5' ? 19 : 20;
    } else {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        part[i] = two_digits(text.at + 2 * i);
        if (part[i] < least[i] || part[i] > most[i]) {
            return false;
        }
    }
    if (century < 0 || text.at[12] != 'Z') {
        return false;
    }
    *utc = acme_date_utc(century * 100 + part[0], part[1], part[2], part[3], part[4], part[5]);
    return true;
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
        if (!acme_der_expect(&extension, ACME_DER_OCTET_STRING, &field) || extension.len != 0) {
            return false;
        }
        if (oid.len != sizeof subject_alt_name || memcmp(oid.at, subject_alt_name, oid.len) != 0) {
            continue;
        }
        if (leaf->names.at != NULL || !acme_der_expect(&field, ACME_DER_SEQUENCE, &leaf->names) ||
            field.len != 0) {
            return false;
        }
    }
    return true;
}

/* TBSCertificate (RFC 5280, 4.1). */
static bool read_tbs(struct acme_leaf *leaf, struct acme_der in)
{
    struct acme_der whole;
    struct acme_der field;
    uint8_t tag;

    (void)acme_der_expect(&in, ACME_DER_CONTEXT_0, &field); /* version; absent in v1 */
    if (!acme_der_expect(&in, ACME_DER_INTEGER, &leaf->serial) ||
        !acme_der_expect(&in, ACME_DER_SEQUENCE, &field) || /* signature algorithm, again at the end */
        !acme_der_expect(&in, ACME_DER_SEQUENCE, &leaf->issuer) ||
        !acme_der_expect(&in, ACME_DER_SEQUENCE, &field) || !read_time(&field, &leaf->not_before) ||
        !read_time(&field, &leaf->not_after) || field.len != 0 ||
        !acme_der_expect(&in, ACME_DER_SEQUENCE, &leaf->subject)) {
        return false;
    }
    whole = in;
    if (!acme_der_expect(&in, ACME_DER_SEQUENCE, &field)) {
        return false;
    }
    if (whole.len - in.len == ACME_SPKI_P256_LEN + POINT_LEN &&
        memcmp(whole.at, acme_spki_p256, ACME_SPKI_P256_LEN) == 0 && whole.at[ACME_SPKI_P256_LEN] == 0x04) {
        leaf->point = whole.at + ACME_SPKI_P256_LEN;
    }
    while (in.len > 0) {
        if (!acme_der_next(&in, &tag, &field)) {
            return false;
        }
        if (tag == ACME_DER_CONTEXT_0 + 3) {
            struct acme_der list;
            return in.len == 0 && acme_der_expect(&field, ACME_DER_SEQUENCE, &list) && field.len == 0 &&
                   read_extensions(leaf, list);
        }
    }
    return true;
}

int acme_leaf_parse(struct acme_leaf *leaf, const uint8_t *der, size_t len)
{
    struct acme_der in;
    struct acme_der certificate;
    struct acme_der tbs;
    struct acme_der field;

    memset(leaf, 0, sizeof *leaf);
    in.at = der;
    in.len = len;
    if (!acme_der_expect(&in, ACME_DER_SEQUENCE, &certificate) || in.len != 0 ||
        !acme_der_expect(&certificate, ACME_DER_SEQUENCE, &tbs) || !read_tbs(leaf, tbs) ||
        !acme_der_expect(&certificate, ACME_DER_SEQUENCE, &field) ||
        !acme_der_expect(&certificate, ACME_DER_BIT_STRING, &field) || certificate.len != 0) {
        return ACME_E_CERT_SYNTAX;
    }
    return 0;
}

/* True when one of the GeneralNames is this DNS name. */
static bool has_name(struct acme_der list, struct acme_slice name)
{
    struct acme_der entry;
    uint8_t tag;

    while (acme_der_next(&list, &tag, &entry)) {
        if (tag == ACME_DER_DNS_NAME && acme_slice_is_nocase(acme_slice(entry.at, entry.len), name)) {
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
        if (!has_name(list, acme_slice_of(names[i]))) {
            return false;
        }
    }
    while (list.len > 0) {
        size_t i = 0;
        if (!acme_der_next(&list, &tag, &entry) || tag != ACME_DER_DNS_NAME) {
            return false;
        }
        while (i < name_count &&
               !acme_slice_is_nocase(acme_slice(entry.at, entry.len), acme_slice_of(names[i]))) {
            i++;
        }
        if (i == name_count) {
            return false;
        }
    }
    return true;
}
