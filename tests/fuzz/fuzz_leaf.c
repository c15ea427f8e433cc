/* DER certificates: every part lies in the certificate, in its order, and names that fit are really in it. */
#include "fuzz.h"

#include "x509/leaf.h"
#include "wire/date.h"

static bool letters_are(const uint8_t *at, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((at[i] >= 'A' && at[i] <= 'Z' ? at[i] + 32 : at[i]) != name[i]) {
            return false;
        }
    }
    return true;
}

static bool holds(struct acme_der in, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 2; i + len <= in.len; i++) {
        if (in.at[i - 2] == ACME_DER_DNS_NAME && in.at[i - 1] == len && letters_are(in.at + i, name, len)) {
            return true;
        }
    }
    return false;
}

static void check_order(const struct acme_leaf *leaf, const uint8_t *der, size_t len)
{
    MUST(fuzz_inside(leaf->serial.at, leaf->serial.len, der, len));
    MUST(fuzz_inside(leaf->issuer.at, leaf->issuer.len, der, len));
    MUST(fuzz_inside(leaf->subject.at, leaf->subject.len, der, len));
    MUST(fuzz_inside(leaf->names.at, leaf->names.len, der, len));
    MUST(leaf->serial.at + leaf->serial.len < leaf->issuer.at);
    MUST(leaf->issuer.at + leaf->issuer.len < leaf->subject.at);
    if (leaf->point != NULL) {
        MUST(fuzz_inside(leaf->point, 65, der, len) && leaf->point[0] == 4);
        MUST(leaf->point > leaf->subject.at + leaf->subject.len);
        MUST(leaf->names.at == NULL || leaf->names.at > leaf->point + 65);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const names[] = {"device.example", "b.example"};
    struct acme_leaf leaf;

    if (acme_leaf_parse(&leaf, data, len) != 0) {
        return 0;
    }
    check_order(&leaf, data, len);
    MUST(leaf.not_before != ACME_DATE_NONE && leaf.not_after != ACME_DATE_NONE);
    bool first = acme_leaf_names_are(&leaf, names, 1, false);
    bool both = acme_leaf_names_are(&leaf, names, 2, false);
    bool second = acme_leaf_names_are(&leaf, names + 1, 1, false);
    MUST(first + both + second <= 1);
    MUST(!(first || both) || holds(leaf.names, names[0]));
    MUST(!(second || both) || holds(leaf.names, names[1]));
    MUST(acme_leaf_names_are(&leaf, names, 0, false) == (leaf.names.len == 0));
    return 0;
}
