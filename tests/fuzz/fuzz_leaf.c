/* DER certificates. */
#include <stdlib.h>
#include <string.h>

#include "x509/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void inside(struct acme_der part, const uint8_t *der, size_t len)
{
    if (part.at != NULL && (part.at < der || part.at + part.len > der + len)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const names[] = {"device.example", "b.example"};
    struct acme_leaf leaf;
    uint8_t *der = malloc(len);

    memcpy(der, data, len);
    if (acme_leaf_parse(&leaf, der, len) == 0) {
        inside(leaf.names, der, len);
        inside(leaf.serial, der, len);
        inside(leaf.issuer, der, len);
        inside(leaf.subject, der, len);
        if (leaf.point != NULL && (leaf.point < der || leaf.point + 65 > der + len)) {
            abort();
        }
        (void)acme_leaf_names_are(&leaf, names, 2);
    }
    free(der);
    return 0;
}
