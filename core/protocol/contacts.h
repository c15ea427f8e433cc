/* contacts.h - whom the CA may reach: contacts.c. It is part of what is done beside issuing; a build without that has none of it,
 * and the words below that others use are "no". */
#ifndef ACME_PROTOCOL_CONTACTS_H
#define ACME_PROTOCOL_CONTACTS_H

#include "flow.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_TELLS_CONTACTS ACME_CFG_MANAGE

#if ACME_TELLS_CONTACTS

/* The contacts that are set up are other than those the CA was told. */
bool acme_contacts_changed(const struct acme_flow *flow);

/* newAccount has answered; `looked`: it was only looked for. */
void acme_contacts_read(struct acme_flow *flow, const struct acme_json *account, bool looked);

/* The mark of those it was told, NUL-terminated; empty: none. */
#define acme_contacts_told(flow) ((flow)->manage.told)

/* Of the rows that tell them. */
const char *acme_flow_update_url(const struct acme_flow *f);
int acme_flow_update_ask(struct acme_flow *f, struct acme_out *payload);
int acme_flow_update_read(struct acme_flow *f, const struct acme_answer *a);
int acme_flow_update_refused(struct acme_flow *f, const struct acme_problem *p);

#else
#define acme_contacts_changed(flow)            false
#define acme_contacts_read(flow, json, looked) ((void)(flow))
#define ACME_STEP_UPDATE                       ACME_STEP_ORDER /* there is no such step */
#endif

#ifdef __cplusplus
}
#endif

#endif
