/* prefer.h - which of the chains is wished for, where a CA has several for one certificate (RFC 8555, 7.4.2). */
#ifndef ACME_X509_PREFER_H
#define ACME_X509_PREFER_H

#include <limits.h>

#include "../acme_config.h"
#include "../wire/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

#if ACME_CFG_ALTERNATE

#define ACME_RANK_USELESS UINT_MAX

/* A wish. All zero: the CA's own choice will do, and no other is asked for. */
struct acme_chain_choice {
    /* How near a chain comes to what is wished: 0 it is just that, and no other is asked for; else the less the better;
     * ACME_RANK_USELESS: not wished at all. Where two are as good, the one the CA has named first is taken, and first of all its own
     * choice. `issuer`: contents of the issuer Name, DER, of the topmost certificate that was sent, which is the name of the root
     * it leads to. `count`: certificates, the leaf is one. Called for each certificate; the last answer counts. */
    unsigned (*rank)(const void *ctx, struct acme_slice issuer, unsigned count);
    const void *ctx;
};

/* For rank: the common name of the topmost issuer is `name`, a NUL-terminated text: just these bytes. */
unsigned acme_prefer_name(const void *name, struct acme_slice issuer, unsigned count);

/* For rank: the chain leads to an anchor of a table: acme_prefer_anchor(), roots/anchored.h. */

/* For rank: the fewer certificates the better; all that are offered are looked at. ctx: NULL. */
unsigned acme_prefer_shortest(const void *ctx, struct acme_slice issuer, unsigned count);

#endif

#ifdef __cplusplus
}
#endif

#endif
