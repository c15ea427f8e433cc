/* link.h - the Link header (RFC 8288): what an answer is related to. Only ACME v1 needs it. */
#ifndef ACME_WIRE_LINK_H
#define ACME_WIRE_LINK_H

#include "slice.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The relations that mean anything to this client. */
enum acme_rel {
    ACME_REL_NONE,
    ACME_REL_UP,   /* the issuer's certificate, seen from a certificate    */
    ACME_REL_TERMS /* the terms of service, seen from an ACME v1 account */
};

/* Finds the first link of a header line that has one of these relations: *target is what stands between < and >, at
 * least a byte, all of them printable and none that a URL must not hold. ACME_REL_NONE: there is no such link.
 * Memory: *target leads into `line`. Work: the line's bytes. */
enum acme_rel acme_link_find(struct acme_slice line, struct acme_slice *target);

#ifdef __cplusplus
}
#endif

#endif
