/* ca_v1.h - the scripted CA as Boulder was in December 2016: ACME v1, before there were orders. ca.c asks here when the plan
 * says `v1`; the names of what it does are those of its own source.
 *
 * There is no order: authorizations are kept by themselves, and each certificate that was issued is one of ca->order, with
 * the same chain a client has to end with.
 */
#ifndef TESTS_FAKE_CA_V1_H
#define TESTS_FAKE_CA_V1_H

#include "ca_more.h"

#define CA_V1_URN    "urn:acme:error:"
#define CA_V1_CHUNKS 2048 /* longer bodies come in chunks: Go's server does not count so far */
#define CA_V1_TERMS  CA_URL "/terms/v1"

/* What a plan says of an earlier time. */
void ca_v1_init(struct ca *ca);

/* Makes the authorizations of an order in progress: what an earlier run left. And the URL of one. */
void ca_v1_begin(struct ca *ca);
void ca_v1_authz_path(unsigned authz, char out[64]);
void ca_v1_authz_url(unsigned authz, char *out, size_t cap);

/* The http-01 challenge of an authorization. */
void ca_v1_http01(unsigned authz, char *uri, size_t cap, char token[64]);

/* Finds what a path stands for, and how it may be asked for. False: there is no such thing. */
bool ca_v1_route(const struct ca *ca, struct request *r, const char *path);
const char *ca_v1_method(const struct request *r);

/* Judges a payload by its layout: `resource` first or last, and nothing that has no business there. */
void ca_v1_judge(struct ca *ca, struct request *r);

void ca_v1_carry_out(struct ca *ca, struct request *r, struct reply *p);

#endif
