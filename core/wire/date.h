/* date.h - the date forms ACME servers send, as seconds since 1970, and Retry-After. */
#ifndef ACME_WIRE_DATE_H
#define ACME_WIRE_DATE_H

#include <stdint.h>

#include "slice.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_DATE_NONE INT64_MIN /* not a date */

/* What is reckoned with, and stored, is 32 bits of seconds since 1970, good until February 2106: half the code on a small
 * processor; 0 is often none. A date before is 1, one after UINT32_MAX; sums and differences stay within. */
uint32_t acme_moment(int64_t utc);

static inline uint32_t acme_later(uint32_t utc, uint32_t s)
{
    return s < UINT32_MAX - utc ? utc + s : UINT32_MAX;
}

/* Seconds from one moment to a later one; 0 when it is none. */
static inline uint32_t acme_until_s(uint32_t from, uint32_t to)
{
    return to > from ? to - from : 0;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar. */
int32_t acme_date_days(int year, int month, int day);

/* Reads IMF-fixdate, RFC 850 or asctime form (RFC 9110, 5.6.7). Returns ACME_DATE_NONE for anything else. */
int64_t acme_date_http(struct acme_slice text);

/* Reads a UTCTime or GeneralizedTime in the one form RFC 5280, 4.1.2.5 allows: whole seconds, "Z". Returns
 * ACME_DATE_NONE for anything else. */
int64_t acme_date_der(struct acme_slice text, bool utc_time);

/* Reads a date and time of RFC 3339, 5.6: letters in any case, a fraction is passed over, an offset is obeyed. Returns
 * ACME_DATE_NONE for anything else, one without a zone among it. */
int64_t acme_date_rfc3339(struct acme_slice text);

/* Seconds to wait that a Retry-After value asks for (RFC 9110, 10.2.3): delta-seconds, or a date taken
 * against `date`, the answer's own Date, so that our clock does not matter; without a usable Date against
 * `utc` (ACME_DATE_NONE: unknown). Past dates give 0, huge values INT32_MAX. Returns -1: none or unusable. */
int32_t acme_retry_after_s(struct acme_slice retry_after, struct acme_slice date, int64_t utc);

#ifdef __cplusplus
}
#endif

#endif
