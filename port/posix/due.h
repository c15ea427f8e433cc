/* due.h - what the core's plan says of a certificate that no client has in hand, and its words. */
#ifndef ACME_POSIX_DUE_H
#define ACME_POSIX_DUE_H

#include "look.h"

/* Makes l->plan from what is stored; `setup_of` is what the certificate is renewed with. Reads only. */
void acme_due_make(struct acme_look *l, struct acme_posix_store *s, const struct acme_config *setup_of);

/* Whether a certificate is known to have been issued with another setup than this one. */
bool acme_due_other(const struct acme_look *l, const struct acme_config *c);

/* From when on it is due, and why, as in "2027-01-04 07:12 UTC, ARI window 2027-01-03..05". */
void acme_due_say(struct acme_out *o, const struct acme_plan *plan);

/* What stands in the way of an attempt, and until when; nothing when there is nothing. `now`: seconds since 1970. Returns whether. */
bool acme_due_say_hold(struct acme_out *o, const struct acme_plan *plan, int64_t now);

/* One word for metrics and JSON. */
const char *acme_due_word(enum acme_why why);
const char *acme_due_hold_word(enum acme_hold hold);

#endif
