/* prove_leaf.c - a certificate of any bytes, and the names in it. */
#include "any.h"
#include "../../core/x509/leaf.c"

int main(void)
{
    static const char *const names[2] = {"a.example", "b.example"};
    size_t len;
    const char *text = any_text(&len);
    struct acme_leaf leaf;

    struct acme_der in = {(const uint8_t *)text, len};
    int64_t utc;

    leaf.names.at = NULL;
    switch (any_below(4)) {
    case 0:
        return read_time(&in, &utc) && utc == 0;
    case 1:
        return read_extensions(&leaf, in);
    case 2:
        return acme_leaf_parse(&leaf, (const uint8_t *)text, len) == 0 && leaf.not_after > leaf.not_before;
    default:
        leaf.names = in;
        return acme_leaf_names_are(&leaf, names, 2, false);
    }
}
