/* anchors.h - the root certificates an ACME server is trusted by.
 *
 * In firmware they are a constant table, made on the host by `make anchors PEM=roots.pem NAME=my_roots` and compiled in. How
 * they are read from PEM, may be constrained, or come after the image stands in the room roots: who has only such a table
 * needs nothing of it. */
#ifndef ACME_SECURE_ANCHORS_H
#define ACME_SECURE_ANCHORS_H

#include <stdbool.h>

#include <bearssl.h>

#ifdef __cplusplus
extern "C" {
#endif

struct acme_trust {
    const br_x509_trust_anchor *anchors;
    size_t count;
    /* Asked at the end of a chain of certificates that is good otherwise: may it vouch for the host? NULL: yes. It is
     * acme_constraints_permit() when an anchor has name constraints, so that firmware without one is without its code. */
    bool (*permits)(const struct acme_trust *trust, const br_x509_minimal_context *chain);
};

#ifdef __cplusplus
}
#endif

#endif
