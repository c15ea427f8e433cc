/* anchored.h - of a CA's chains, one that the owner's own devices will believe (RFC 8555, 7.4.2): linked only where it is named. */
#ifndef ACME_ROOTS_ANCHORED_H
#define ACME_ROOTS_ANCHORED_H

#include "../acme_setup.h"
#include "../secure/anchors.h"

#ifdef __cplusplus
extern "C" {
#endif

#if ACME_CFG_ALTERNATE

/* For acme_chain_choice::rank, with a struct acme_trust as its ctx: the chain leads to one of these anchors, be it that the anchor
 * itself was sent. Names are compared, just their bytes, and no signature is verified: a name that the CA has made up changes
 * nothing but which of its own chains is used. The anchors are those of whoever will look at the certificate; they need not be the
 * ones that the CA's server is judged by.
 * Returns 0, or ACME_RANK_USELESS. Work: a comparison an anchor. */
unsigned acme_prefer_anchor(const void *trust, struct acme_slice issuer, unsigned count);

#endif

#ifdef __cplusplus
}
#endif

#endif
