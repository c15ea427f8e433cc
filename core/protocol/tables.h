/* tables.h - which table is in force: that of RFC 8555 (flow.c), of ACME v1 (flow_v1.c), or of what is done beside issuing
 * (manage.c). What the run is for and what the CA speaks tell it, at each step anew; no table knows of another. */
#ifndef ACME_PROTOCOL_TABLES_H
#define ACME_PROTOCOL_TABLES_H

#include "flow.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Indexed by enum acme_step. ACME v1: Boulder in December 2016, and the drafts it came from. */
extern const struct acme_row acme_flow_rfc8555[ACME_STEP_COUNT];
extern const struct acme_row acme_flow_v1[ACME_STEP_COUNT];
extern const struct acme_row acme_manage_rows[ACME_STEP_COUNT];

/* The row of a step, in the table in force. */
const struct acme_row *acme_row_of(const struct acme_flow *flow, enum acme_step step);

/* Begins, with what the caller has put into directory, account and order from the store. */
void acme_flow_start(struct acme_flow *flow);

/* Notes that the step's request may have been carried out: its answer was lost, or somebody else's. */
void acme_flow_lost(struct acme_flow *flow);

#ifdef __cplusplus
}
#endif

#endif
