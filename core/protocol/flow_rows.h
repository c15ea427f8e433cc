/* flow_rows.h - what the tables of flow.c and flow_v1.c share: an authorization is the same in both protocols. Only these
 * two files include it; struct acme_row tells what each kind of function does. */
#ifndef ACME_PROTOCOL_FLOW_ROWS_H
#define ACME_PROTOCOL_FLOW_ROWS_H

#include "flow.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Times a challenge is answered again (step-ca leaves a failed one pending with an error in it), or an object
 * that should be there is asked for again (replicas of the CA's database lag). */
#define ACME_REPEATS_MAX 4

const char *acme_flow_directory_url(const struct acme_flow *f);
int acme_flow_directory_read(struct acme_flow *f, const struct acme_answer *a);
const char *acme_flow_authz_url(const struct acme_flow *f);
int acme_flow_authz_read(struct acme_flow *f, const struct acme_answer *a);
const char *acme_flow_respond_url(const struct acme_flow *f);
int acme_flow_respond_read(struct acme_flow *f, const struct acme_answer *a);
int acme_flow_respond_refused(struct acme_flow *f, const struct acme_problem *p);
int acme_flow_authz_poll_read(struct acme_flow *f, const struct acme_answer *a);
int acme_flow_gone_refused(struct acme_flow *f, const struct acme_problem *p);
int acme_flow_finalize_ask(struct acme_flow *f, struct acme_out *payload);

/* Looks the account up by its key: the order stays if it is the same one. Returns the step to go to. */
int acme_flow_account_look(struct acme_flow *f);

/* The CA has told the account's URL. */
void acme_flow_account_found(struct acme_flow *f);

/* Where an ACME v1 order begins, or is taken up: the step to go to. */
int acme_flow_v1_order(struct acme_flow *f);

/* After an authorization of it has been seen valid: the step to go to. */
int acme_flow_v1_next(struct acme_flow *f);

#ifdef __cplusplus
}
#endif

#endif
