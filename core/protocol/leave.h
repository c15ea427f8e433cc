/* leave.h - the open authorizations of an order that is given up are deactivated (RFC 8555, 7.5.2): leave.c. A build without
 * ACME_CFG_DEACTIVATE_AUTHZ has none of it, and the words below that others use are "no".
 *
 * Whatever goes wrong with that ends nothing and begins nothing: the CA forgets them by itself, in a week or so. One that is valid
 * stays, for the next order need not have it validated again. */
#ifndef ACME_PROTOCOL_LEAVE_H
#define ACME_PROTOCOL_LEAVE_H

#include "../acme_setup.h"

#ifdef __cplusplus
extern "C" {
#endif

#if ACME_CFG_DEACTIVATE_AUTHZ

struct acme_flow;
struct acme_answer;
struct acme_out;
struct acme_problem;

/* The order is given up; nothing of it is on show. `failed`: with it the run, and that has been told. Returns
 * ACME_STEP_DEACTIVATE_AUTHZ, or, where none is open or it is not wished, as acme_flow_left(). */
int acme_flow_leave(struct acme_flow *flow, bool failed);

/* They are deactivated, or cannot be. Returns ACME_STEP_ORDER, for another order, or ACME_STEP_COUNT: the run ends. */
int acme_flow_left(struct acme_flow *flow);

/* Of the row. */
int acme_flow_leave_ask(struct acme_flow *flow, struct acme_out *payload);
int acme_flow_leave_read(struct acme_flow *flow, const struct acme_answer *answer);
int acme_flow_leave_refused(struct acme_flow *flow, const struct acme_problem *problem);

#define ACME_LEAVE_FLOW bool failed; /* see acme_flow_leave() */

#define acme_is_leave(step) ((step) == ACME_STEP_DEACTIVATE_AUTHZ)

/* The authorization in hand is not open any more. */
#define acme_flow_closed(flow) ((void)((flow)->at[(flow)->authz].stage = ACME_STAGE_VALID))

#else
#define ACME_LEAVE_FLOW
#define acme_flow_leave(flow, failed) (acme_flow_forget_order(flow), ACME_STEP_ORDER)
#define acme_is_leave(step)           false
#define acme_flow_closed(flow)        ((void)0)
#endif

#ifdef __cplusplus
}
#endif

#endif
