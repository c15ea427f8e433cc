/* anchored.c - see anchored.h. */
#include "anchored.h"

#include "../wire/der.h"

#if ACME_CFG_ALTERNATE

unsigned acme_prefer_anchor(const void *trust, struct acme_slice issuer, unsigned count)
{
    const struct acme_trust *anchors = trust;

    (void)count;
    for (size_t i = 0; i < anchors->count; i++) {
        const struct acme_der whole = {anchors->anchors[i].dn.data, anchors->anchors[i].dn.len};
        struct acme_der name;
        if (acme_der_only(&whole, ACME_DER_SEQUENCE, &name) && acme_der_is(&name, issuer.at, issuer.len)) {
            return 0;
        }
    }
    return ACME_RANK_USELESS;
}

#endif
