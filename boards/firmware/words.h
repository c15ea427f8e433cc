/* words.h - dates, errors and plans in words, for the UART and the page: ASCII, with nothing in it that HTML or JSON would
 * have to escape. */
#ifndef FIRMWARE_WORDS_H
#define FIRMWARE_WORDS_H

#include "acme.h"
#include "wire/out.h"

/* "2027-01-04 07:12", of UTC. Good from 1970 to 2400; what is before 1970 reads 1970. */
void words_date(struct acme_out *o, uint32_t utc);

const char *words_error(int error);

/* Why a renewal is due or will be: "the CA's window". */
const char *words_why(enum acme_why why);

/* When a renewal comes and why: "renews 2027-01-04 07:12 UTC: the CA's window", with `joint` in place of the colon. `utc`: now. */
void words_plan(struct acme_out *o, const struct acme_plan *plan, uint32_t utc, const char *joint);

#endif
