/* acme_manage.h - what acme.c does in a run that is not for issuing; callers need not look here. Without ACME_CFG_MANAGE
 * there is no such run, and the compiler sees it. */
#ifndef ACME_MANAGE_H
#define ACME_MANAGE_H

#include "acme.h"

#ifdef __cplusplus
extern "C" {
#endif

#if ACME_CFG_MANAGE

static inline bool acme_managing(const struct acme_client *c)
{
    return c->when >= ACME_REVOKE;
}

static inline bool acme_revoking(const struct acme_client *c)
{
    return c->when == ACME_REVOKE;
}

/* There is no account key, and none is made. Returns ACME_E_NO_ACCOUNT. */
int acme_managed_no_account(struct acme_client *c);

/* Chooses the flow's table: issuing, or protocol/manage.c's. Returns 0 or an error. Work: one public-key operation. */
int acme_managed_flow(struct acme_client *c);

/* Has the account's next key at hand: the stored one after a reset, a new one otherwise. Returns 1 or an error. */
int acme_managed_key(struct acme_client *c);

/* Has the certificate in use at the end of the work buffer. Returns 0 or an error. */
int acme_managed_leaf(struct acme_client *c);

/* Ends the run well. Returns 1. */
int acme_managed_end(struct acme_client *c);

/* After a failure. */
void acme_managed_clean(struct acme_client *c);

#else
#define acme_managing(c)           false
#define acme_revoking(c)           false
#define acme_managed_no_account(c) 0
#define acme_managed_flow(c)       (acme_flow_start(&(c)->flow), 0)
#define acme_managed_key(c)        0
#define acme_managed_leaf(c)       0
#define acme_managed_end(c)        0
#define acme_managed_clean(c)      ((void)(c))
#endif

#ifdef __cplusplus
}
#endif

#endif
