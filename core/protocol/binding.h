/* binding.h - external accounts (RFC 8555, 7.3.4): binding.c. A build without ACME_CFG_EAB has none of it, and the words below
 * that others use are "no". */
#ifndef ACME_PROTOCOL_BINDING_H
#define ACME_PROTOCOL_BINDING_H

#include "../acme_setup.h"
#include "../wire/out.h"
#include "problem.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_flow;

#if ACME_CFG_EAB
struct acme_bound {
    bool key_is_new; /* the account key was made in this run: no CA can know it                   */
    bool wanted;     /* the CA makes no account without a binding                                 */
    bool look;       /* the CA is to be asked whether it knows the key                            */
    bool looks;      /* newAccount, as asked last, makes none: onlyReturnExisting (7.3.1)         */
    bool carried;    /* it carried the binding                                                    */
    bool in_doubt;   /* a binding has gone out, and the answer was lost: it may be spent          */
};

#define ACME_BINDING_FLOW struct acme_bound bound;

/* The account key was made just now. */
#define acme_binding_new_key(flow) ((void)((flow)->bound.key_is_new = true))

/* The directory was read, there is no account yet; `wanted`: its externalAccountRequired. Returns the step to go to, or
 * ACME_E_EAB. */
int acme_binding_begin(struct acme_flow *flow, bool wanted);

/* newAccount's payload begins: true when it is written, and only asks whether the account is there. */
bool acme_binding_looks(struct acme_flow *flow, struct acme_out *payload);

/* Adds the binding, if there is one, to newAccount's payload behind its other members. Returns 0, or the key's error. */
int acme_binding_add(struct acme_flow *flow, struct acme_out *payload);

/* newAccount was refused. Returns the step to go to, an error, or 0: that is nothing to the binding. */
int acme_binding_refused(struct acme_flow *flow, const struct acme_problem *problem);

/* Its answer was lost. */
void acme_binding_lost(struct acme_flow *flow);

/* The account just found was only looked for: it was told nothing. */
#define acme_binding_looked(flow) ((flow)->bound.looks)

/* The problem just read, whatever its code, is about one: step-ca answers 500 to a wrong secret, which is no trouble of its own. */
bool acme_binding_blamed(const struct acme_flow *flow);

#else
#define ACME_BINDING_FLOW
#define acme_binding_new_key(flow)       ((void)(flow))
#define acme_binding_begin(flow, wanted) ((wanted) ? (int)ACME_E_EAB : (int)ACME_STEP_ACCOUNT)
#define acme_binding_looks(flow, out)    ((void)(flow), false)
#define acme_binding_add(flow, out)      0
#define acme_binding_refused(flow, p)    0
#define acme_binding_lost(flow)          ((void)(flow))
#define acme_binding_looked(flow)        false
#define acme_binding_blamed(flow)        false
#endif

#ifdef __cplusplus
}
#endif

#endif
