/* link.h - the Link header (RFC 8288): what an answer is related to. For ACME v1, and for alternate chains. */
#ifndef ACME_WIRE_LINK_H
#define ACME_WIRE_LINK_H

#include "slice.h"
#include "../acme_config.h"

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

#define ACME_ALTERNATES_MAX 8 /* that are kept, of an answer */

/* The targets of links with rel="alternate", gathered as their bytes go by: however long a line, however many a line has. */
struct acme_links {
    char *text; /* lent: targets as sent, NUL-terminated, one behind the other */
    uint16_t cap;
    uint16_t len;  /* of those that are kept                 */
    uint16_t end;  /* of the one being read                  */
    uint8_t count; /* how many are kept                      */
    uint8_t state; /* private, as all below: what comes next */
    uint8_t rel;
    uint8_t word_len;
    bool quoted, escaped;
    char word[32]; /* one parameter without its quotes; a longer one is of no interest */
};

#if ACME_CFG_ALTERNATE
/* Begins with no target. `cap`: bytes lent, at most 65535. */
void acme_links_init(struct acme_links *l, char *text, size_t cap);

/* Takes a byte of a header's value; '\n' ends the value, and may come any number of times. What has no room is left out, and
 * all that is kept may still be no URL at all. Work: the byte. */
void acme_links_read(struct acme_links *l, char c);
#endif

#ifdef __cplusplus
}
#endif

#endif
