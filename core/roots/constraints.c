/* constraints.c - see constraints.h. */
#include "constraints.h"

#include <string.h>

#include "../acme_config.h"
#include "../secure/inside.h"
#include "../wire/slice.h"
#include "../wire/url.h"

enum { LIST_END, PERMITTED, EXCLUDED };

/* --- writing --- */

/* True for a domain: a name, a name behind a full stop, or nothing, which means every name. */
static bool is_domain(struct acme_slice text)
{
    if (text.len > 0 && text.at[0] == '.') {
        text = acme_slice(text.at + 1, text.len - 1);
    } else if (text.len == 0) {
        return true;
    }
    return acme_dns_name_ok(text);
}

bool acme_constraints_write(struct acme_der constraints, int (*put)(void *ctx, const void *data, size_t len),
                            void *ctx)
{
    static const uint8_t list_end = LIST_END;
    struct acme_der list, subtree, base;
    uint8_t tag;
    int err = put(ctx, &list_end, 1);

    for (uint8_t kind = PERMITTED; kind <= EXCLUDED; kind++) {
        if (!acme_der_expect(&constraints, (uint8_t)(ACME_DER_CONTEXT_0 + kind - PERMITTED), &list)) {
            continue;
        }
        while (err == 0 && list.len > 0) {
            if (!acme_der_expect(&list, ACME_DER_SEQUENCE, &subtree) || !acme_der_next(&subtree, &tag, &base) ||
                subtree.len != 0) {
                return false;
            }
            if (tag != ACME_DER_DNS_NAME) {
                continue;
            }
            if (!is_domain(acme_slice(base.at, base.len))) {
                return false;
            }
            uint8_t head[2] = {kind, (uint8_t)base.len}; /* of a DNS name: at most 254 with a full stop */
            err = put(ctx, base.at, base.len);
            err = err == 0 ? put(ctx, head, sizeof head) : err;
        }
    }
    return constraints.len == 0;
}

/* --- applying --- */

/* True when the host is the domain or lies below it. A full stop before a domain leaves out the domain itself when it is
 * permitted, and changes nothing when it is excluded: the narrower of what implementations do. */
static bool is_in(struct acme_slice host, struct acme_slice domain, bool itself)
{
    bool dot = domain.len > 0 && domain.at[0] == '.';
    size_t len = domain.len - dot;

    if (domain.len == 0) {
        return true;
    }
    if (host.len < len ||
        !acme_slice_is_nocase(acme_slice(host.at + host.len - len, len), acme_slice(domain.at + dot, len))) {
        return false;
    }
    return host.len == len ? itself || !dot : host.at[host.len - len - 1] == '.';
}

static const unsigned char *list_of(const br_x509_trust_anchor *anchor)
{
    return anchor->dn.data + anchor->dn.len;
}

size_t acme_constraints_len(const br_x509_trust_anchor *anchor)
{
    const unsigned char *at;

    if ((anchor->flags & ACME_ANCHOR_CONSTRAINED) == 0) {
        return 0; /* it may have no name at all, behind which nothing can be */
    }
    for (at = list_of(anchor); *at != LIST_END; at += 2 + at[1]) {
    }
    return (size_t)(at - list_of(anchor)) + 1;
}

bool acme_anchor_permits(const br_x509_trust_anchor *anchor, const char *host)
{
    bool named = false; /* permitted domains are */
    bool in_one = false;

    for (const unsigned char *at = list_of(anchor); *at != LIST_END; at += 2 + at[1]) {
        bool excluded = *at == EXCLUDED;
        bool in = is_in(acme_slice_of(host), acme_slice(at + 2, at[1]), excluded);
        if (in && excluded) {
            return false;
        }
        named = named || !excluded;
        in_one = in_one || in;
    }
    return in_one || !named;
}

bool acme_constraints_permit(const struct acme_trust *trust, const br_x509_minimal_context *chain)
{
    for (size_t i = 0; i < trust->count; i++) {
        const br_x509_trust_anchor *anchor = &trust->anchors[i];
        br_sha256_context hash;
        uint8_t name[br_sha256_SIZE];

        if ((anchor->flags & ACME_ANCHOR_CONSTRAINED) == 0) {
            continue;
        }
        br_sha256_init(&hash);
        br_sha256_update(&hash, anchor->dn.data, anchor->dn.len);
        br_sha256_out(&hash, name);
        if (memcmp(name, acme_inside_issuer(chain), sizeof name) == 0 &&
            ((ACME_CFG_ADDRESSES && acme_inside_host(chain) == NULL) ||
             !acme_anchor_permits(anchor, acme_inside_host(chain)))) {
            return false;
        }
    }
    return true;
}
