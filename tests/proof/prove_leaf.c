/* prove_leaf.c - a certificate of any bytes, and the names in it. */
#include "any.h"
#include "x509/leaf.h"

int main(void)
{
    static const char *const names[2] = {"a.example", "b.example"};
    size_t len;
    const char *text = any_text(&len);
    struct acme_leaf leaf;

    if (any_below(2) == 0) {
        return acme_leaf_parse(&leaf, (const uint8_t *)text, len) == 0 && leaf.not_after > leaf.not_before;
    }
    leaf.names = (struct acme_der){(const uint8_t *)text, len};
    return acme_leaf_names_are(&leaf, names, 2);
}
