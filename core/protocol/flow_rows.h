/* flow_rows.h - what the tables of flow.c and flow_v1.c share: an authorization is the same in both protocols. Only the
 * files with tables include it; struct acme_row tells what each kind of function does. */
#ifndef ACME_PROTOCOL_FLOW_ROWS_H
#define ACME_PROTOCOL_FLOW_ROWS_H

#include "flow.h"

#ifdef __cplusplus
extern "C" {
#endif

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

#if ACME_CFG_RENEWAL
/* Takes the directory's renewalInfo, if there is one that can be asked. */
void acme_flow_info_read(struct acme_flow *f, const struct acme_json *json);

/* In a look the directory has been read. Returns the step to go to. */
int acme_flow_info_directory(struct acme_flow *f);

/* Of the row that asks for renewal information. */
const char *acme_flow_info_url(const struct acme_flow *f);
int acme_flow_info_answer(struct acme_flow *f, const struct acme_answer *a);
int acme_flow_info_refused(struct acme_flow *f, const struct acme_problem *p);

/* Adds to newOrder's payload what is wished beside the names. */
void acme_flow_wishes(struct acme_flow *f, struct acme_out *payload);

/* newOrder was refused: for a wish, then it is asked once more without that, before anything else is concluded. Returns the
 * step to go to, ACME_E_PROFILE, or 0: it was not. */
int acme_flow_wishes_refused(struct acme_flow *f, const struct acme_problem *p);

/* Whether the directory, just read, lists the profile; one that has no profiles lists none. Returns `step`, or
 * ACME_E_PROFILE. */
int acme_flow_profile_listed(struct acme_flow *f, struct acme_json *json, int step);
#else
#define acme_flow_info_read(f, json)            ((void)(json))
#define acme_flow_info_directory(f)             ((int)(f)->step)
#define acme_flow_wishes(f, payload)            ((void)(payload))
#define acme_flow_wishes_refused(f, p)          0
#define acme_flow_profile_listed(f, json, step) (step)
#endif

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
