/* alternate.h - other chains for the same certificate (RFC 8555, 7.4.2): alternate.c. A build without ACME_CFG_ALTERNATE has none of
 * it, and the words below that others use are "no".
 *
 * The CA's own choice has come in and is stored beside the pair in use; the links of its answer name the others. They are looked
 * at one by one, a request each, until one is what was wished; whatever goes wrong with one leaves what is stored as it is, so
 * nothing is asked for twice, and a run that ends in between begins with the certificate's URL again. */
#ifndef ACME_PROTOCOL_ALTERNATE_H
#define ACME_PROTOCOL_ALTERNATE_H

#include "../acme_setup.h"
#include "../wire/link.h"

#ifdef __cplusplus
extern "C" {
#endif

#if ACME_CFG_ALTERNATE

struct acme_flow;

struct acme_alternates {
    bool spare;              /* there is a chain to fall back on: no error ends the run          */
    uint8_t asked;           /* how many of the links were taken up                              */
    uint8_t taken;           /* which of them is stored, from 1; 0: the CA's own choice          */
    uint16_t at;             /* where the next one begins                                        */
    unsigned rank;           /* of what is stored                                                */
    int error;               /* why one was passed over; 0: none was                             */
    struct acme_links links; /* their texts lie where those of the authorizations were */
};

#define ACME_ALTERNATE_FLOW struct acme_alternates alternates;

/* Where the links of the answer to the request that has just gone out are gathered; NULL: they are of no interest. */
struct acme_links *acme_alternate_links(struct acme_flow *flow);

/* A chain has come in, or, with `error`, an alternate could not be had. `rank`: of the one that is stored. Returns ACME_STEP_ALTERNATE,
 * or ACME_STEP_COUNT: it is to be used, and the trace knows which. */
int acme_alternate_next(struct acme_flow *flow, unsigned rank, int error);

/* A chain is about to be received from its beginning: nothing to fall back on. */
#define acme_alternate_none(flow)  ((void)((flow)->alternates.spare = false))
#define acme_alternate_spare(flow) ((flow)->alternates.spare)
#define acme_is_alternate(flow)    ((flow)->step == ACME_STEP_ALTERNATE)

/* Of the row. */
const char *acme_alternate_url(const struct acme_flow *flow);

#define acme_alternate_listen(flow, reader) ((void)((reader)->links = acme_alternate_links(flow)))

#else
#define ACME_ALTERNATE_FLOW
#define acme_alternate_none(flow)           ((void)(flow))
#define acme_alternate_spare(flow)          false
#define acme_is_alternate(flow)             false
#define acme_alternate_listen(flow, reader) ((void)(flow))
#endif

#ifdef __cplusplus
}
#endif

#endif
