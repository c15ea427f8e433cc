/* prefer.c - see prefer.h. */
#include "prefer.h"

#include "../wire/der.h"

#if ACME_CFG_ALTERNATE

unsigned acme_prefer_name(const void *name, struct acme_slice issuer, unsigned count)
{
    static const uint8_t common_name[] = {0x55, 0x04, 0x03};
    struct acme_der list = {(const uint8_t *)issuer.at, issuer.len}, set, pair, oid, text;
    uint8_t tag;

    (void)count;
    while (acme_der_expect(&list, ACME_DER_SET, &set)) {
        while (acme_der_expect(&set, ACME_DER_SEQUENCE, &pair)) {
            if (acme_der_expect(&pair, ACME_DER_OID, &oid) && acme_der_is(&oid, common_name, sizeof common_name) &&
                acme_der_next(&pair, &tag, &text) && acme_slice_is(acme_slice(text.at, text.len), name)) {
                return 0;
            }
        }
    }
    return ACME_RANK_USELESS;
}

unsigned acme_prefer_shortest(const void *ctx, struct acme_slice issuer, unsigned count)
{
    (void)ctx;
    (void)issuer;
    return count - 1; /* the leaf alone cannot be beaten */
}

#endif
