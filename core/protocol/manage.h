/* manage.h - what is done beside issuing: manage.c. A build without ACME_CFG_MANAGE has none of it, and the words below that
 * others use are "no". */
#ifndef ACME_PROTOCOL_MANAGE_H
#define ACME_PROTOCOL_MANAGE_H

#include "../acme_setup.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_flow;
struct acme_row;

#if ACME_CFG_MANAGE
#define ACME_CONTACTS_MARK 8 /* characters of a short digest */

struct acme_manage {
    enum acme_task what;
    bool on;           /* its table is in force                                                      */
    bool next;         /* the certificate key's handle holds the account's next key                  */
    bool by_next;      /* the next key signs                                                         */
    bool in_doubt;     /* an earlier request may have been carried out, its answer was lost          */
    bool looked;       /* a refusal has led to the account once                                      */
    bool drop_account; /* for the keeper, as those of struct acme_flow                               */
    bool drop_next;
    bool promote;    /* the next key is to take the account key's place                            */
    bool promoted;   /* it has in the store                                                        */
    size_t leaf_len; /* of the certificate that lies at the end of the work buffer                 */
    char url[ACME_URL_MAX + 1];
    char told[ACME_CONTACTS_MARK + 1]; /* mark of the contacts the CA has from us; empty: none         */
};

/* Begins on it: `what`, or issuing once it is known which account key is in force. `next`: there is a next one, in the
 * certificate key's handle. Returns 0 or ACME_E_KEY_FIXED. */
int acme_manage_start(struct acme_flow *flow, enum acme_task what, bool next);

/* acme_flow_lost(), for its steps. */
void acme_manage_lost(struct acme_flow *flow);

#define ACME_MANAGE_FLOW struct acme_manage manage;

#define acme_manage_is_on(flow) ((flow)->manage.on)
#define acme_needs_leaf(row)    ((row)->needs_leaf)

/* The key that signs. */
#define acme_manage_key(flow) ((flow)->manage.by_next ? &(flow)->setup->certificate_key : &(flow)->setup->account_key)

#else
#define ACME_MANAGE_FLOW
#define acme_manage_is_on(flow) false
#define acme_needs_leaf(row)    false
#define acme_manage_lost(flow)  ((void)(flow))
#define acme_manage_key(flow)   (&(flow)->setup->account_key)
#endif

/* Only ACME v1 and what is done beside issuing have rows like that. */
#define acme_body_is_none(body) ((ACME_CFG_V1 || ACME_CFG_MANAGE) && (body) == ACME_BODY_NONE)

#ifdef __cplusplus
}
#endif

#endif
