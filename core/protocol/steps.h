/* steps.h - what the tables have in common. Only they, the files below and the engine include it; struct acme_row tells what each
 * kind of function does. None of these files knows a table, and each calls only those named before it:
 * choice.c, validate.c, leave.c, order.c, account.c, authz.c, wishes.c and renewal_info.c, directory.c. */
#ifndef ACME_PROTOCOL_STEPS_H
#define ACME_PROTOCOL_STEPS_H

#include "contacts.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- choice.c: which solver is to answer, and what else there is to say of several --- */

#if ACME_CFG_CHOICE
/* The solver in this place of the order in which they have their turn; whether it is to answer for the authorization in hand. */
uint8_t acme_flow_solver_in(const struct acme_flow *f, uint8_t place);
bool acme_flow_takes(const struct acme_flow *f, uint8_t place);

/* Whether this one of the setup's names is what the authorization is about. */
bool acme_flow_is_about(const struct acme_flow *f, size_t name, const struct acme_authz *authz);

/* Fills in what a solver is told beside the name as it stands in the setup. */
void acme_flow_describe(struct acme_flow *f, struct acme_validation *v);

/* What present() answered: its words are told. True: it has declined; the next solver is to be looked for. */
bool acme_flow_declines(struct acme_flow *f, struct acme_validation *v, int done);

/* Its challenge was answered in vain, or its answer could not be published: the next order begins with the one behind it. */
void acme_flow_next_turn(struct acme_flow *f);

/* Some answers outlive a reset: whether this one's does; whether any solver's do. */
bool acme_flow_lasts(const struct acme_flow *f, const struct acme_validation *v);
bool acme_flow_leaves(const struct acme_flow *f);

static inline void acme_flow_say_valid(struct acme_validation *v)
{
    v->challenge.valid = true;
}
#else
#define acme_flow_solver_in(f, place)   ((void)(f), (place))
#define acme_flow_takes(f, place)       true
#define acme_flow_is_about(f, i, authz) acme_name_is((authz)->name, (f)->setup->names[i])
#define acme_flow_describe(f, v)        ((void)0)
#define acme_flow_declines(f, v, done)  false
#define acme_flow_next_turn(f)          ((void)0)
#define acme_flow_lasts(f, v)           false
#define acme_flow_leaves(f)             false
#define acme_flow_say_valid(v)          ((void)0)
#endif

/* --- validate.c: the order's authorizations side by side; the one in hand is flow->authz --- */

/* What to do next for one of them; that is then the one in hand. Returns the step to go to. */
int acme_flow_next(struct acme_flow *f);

/* Keep the token, and then the challenge's URL. Return 0 or ACME_E_URL*. */
int acme_flow_keep_token(struct acme_flow *f, struct acme_slice token);
int acme_flow_keep_challenge(struct acme_flow *f, struct acme_slice url);

/* Fills in what the solver of the authorization in hand is told, for a challenge that is not put on show. Returns 0 or an error
 * of the key. */
int acme_flow_take_up(struct acme_flow *f);

/* Takes one answer back, if it is on show; it has to be looked at again then. */
void acme_flow_take_back(struct acme_flow *f, struct acme_validation *v);

/* All have to be looked at (again); none of the answers is on show. */
void acme_flow_look_anew(struct acme_flow *f);

/* Of a row. */
const char *acme_flow_respond_url(const struct acme_flow *f);

/* --- leave.c --- */

void acme_flow_forget_order(struct acme_flow *f);

/* --- order.c --- */

/* Where a run of issuing begins, with what is known of account and order. Returns the step to go to. */
int acme_flow_begin(struct acme_flow *f);

/* The order's status, just read, in any step that is told it. Returns the step to go to, or an error. */
int acme_flow_by_order_status(struct acme_flow *f, struct acme_json *json);

/* An order that has ended is replaced once in a run when a new one may do better. Returns ACME_STEP_ORDER, or `error`. */
int acme_flow_replace_failed(struct acme_flow *f, int error);

/* The stored order could not be had, or is of no use, as often as was tried. Returns ACME_STEP_ORDER, or `error`. */
int acme_flow_give_up(struct acme_flow *f, int error);

/* So too when an answer is not what it should be, or every later run would stumble over it again. One that lacks a member is
 * asked for again first, by the engine. */
int acme_flow_odd(struct acme_flow *f, int error);

/* Keeps the CA's words about an object that failed, for the caller's eyes. */
void acme_flow_keep_problem(struct acme_flow *f, struct acme_json *json, acme_json_value value);

/* Of rows: an object that was there is denied; the certificate request; it may have been carried out. */
int acme_flow_not_found(struct acme_flow *f, const struct acme_problem *p);
int acme_flow_finalize_ask(struct acme_flow *f, struct acme_out *payload);
void acme_flow_finalize_lost(struct acme_flow *f);

/* --- authz.c --- */

const char *acme_flow_authz_url(const struct acme_flow *f);
int acme_flow_authz_read(struct acme_flow *f, const struct acme_answer *a);
int acme_flow_respond_read(struct acme_flow *f, const struct acme_answer *a);
int acme_flow_respond_refused(struct acme_flow *f, const struct acme_problem *p);
void acme_flow_respond_lost(struct acme_flow *f);
int acme_flow_authz_poll_read(struct acme_flow *f, const struct acme_answer *a);

/* --- account.c --- */

/* Looks the account up by its key: the order stays if it is the same one. Returns the step to go to. */
int acme_flow_account_look(struct acme_flow *f);

/* The CA has told the account's URL. */
void acme_flow_account_found(struct acme_flow *f);

/* Adds the list of contacts to a payload whose last member it follows (`first`: it has none yet). Inline: most builds have one
 * caller. */
static inline void acme_flow_contacts(const struct acme_flow *f, struct acme_out *payload, bool first)
{
    for (size_t i = 0; i < f->setup->contact_count; i++) {
        acme_out_text(payload, i > 0 ? "\",\"" : first ? "\"contact\":[\"" : ",\"contact\":[\"");
        acme_out_json(payload, acme_slice_of(f->setup->contacts[i]));
    }
    acme_out_text(payload, f->setup->contact_count > 0 ? "\"]" : first ? "\"contact\":[]" : "");
}

/* --- directory.c --- */

const char *acme_flow_directory_url(const struct acme_flow *f);
int acme_flow_directory_read(struct acme_flow *f, const struct acme_answer *a);

/* --- wishes.c, renewal_info.c --- */

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

/* A profile may be asked for that nobody has looked for in the directory yet: what is remembered of it does not say. */
bool acme_flow_profile_is_new(const struct acme_flow *f);
#else
#define acme_flow_info_read(f, json)            ((void)(json))
#define acme_flow_info_directory(f)             ((int)(f)->step)
#define acme_flow_wishes(f, payload)            ((void)(payload))
#define acme_flow_wishes_refused(f, p)          0
#define acme_flow_profile_listed(f, json, step) (step)
#define acme_flow_profile_is_new(f)             false
#endif

#ifdef __cplusplus
}
#endif

#endif
