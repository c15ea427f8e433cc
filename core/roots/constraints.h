/* constraints.h - name constraints of a trust anchor (RFC 5280, 4.2.1.10), applied to the host that is connected to.
 *
 * Only those of the kind dNSName are about a host name. Whoever is constrained in others only, in subjects' names or
 * addresses, may vouch for any host. */
#ifndef ACME_ROOTS_CONSTRAINTS_H
#define ACME_ROOTS_CONSTRAINTS_H

#include "../secure/anchors.h"
#include "../wire/der.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In br_x509_trust_anchor's flags, where BearSSL looks at the lowest bit only: behind the name, in the same memory,
 * stands what the anchor is constrained to, as acme_constraints_write() writes it. */
#define ACME_ANCHOR_CONSTRAINED 0x100

/* Writes the contents of nameConstraints, from the end to the front: each time `put` is called its bytes belong before
 * what it was given till then. It is a list of: 1 (permitted) or 2 (excluded), the length of a name, the name; and a 0.
 * Returns false when they cannot be applied: malformed, a minimum or maximum, or no DNS name. */
bool acme_constraints_write(struct acme_der constraints, int (*put)(void *ctx, const void *data, size_t len),
                            void *ctx);

/* The number of bytes written for this anchor; 0 when it is not constrained. */
size_t acme_constraints_len(const br_x509_trust_anchor *anchor);

/* Tells whether the anchor permits the host: it lies in one of the permitted domains, if any are named, and in no
 * excluded one. */
bool acme_anchor_permits(const br_x509_trust_anchor *anchor, const char *host);

/* For struct acme_trust: judges the chain, which BearSSL found good, by all anchors with the name of its last issuer. One that is
 * constrained to anything vouches for no address: what it says of those is not kept. */
bool acme_constraints_permit(const struct acme_trust *trust, const br_x509_minimal_context *chain);

#ifdef __cplusplus
}
#endif

#endif
