/* acme_clock.h - the time of day from a source that may be wrong: a floor, and a counter of milliseconds between answers.
 *
 * A certificate is only as good as the time it is judged at, and nobody vouches for an answer of SNTP. So no time before
 * the floor is believed: the build date (ACME_UTC_FLOOR), or the last time the device has a signature for, whichever is
 * later. The beginning of the certificate in use (not_before) is such a time and is stored anyway; an answer that was believed
 * is none, for it may be wrong. Until an answer is believed the time is unknown, and the client waits.
 *
 * A floor that is wrong, by a CA whose clock was, does not stop the device for ever: one more than 20 years behind the build date
 * does not count, and a source that says the same for a whole day, the day's passing included, is right. No source is before
 * the build date. */
#ifndef ACME_CLOCK_H
#define ACME_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct acme_clock {
    int64_t floor;
    int64_t utc;     /* at at_ms; 0: not known */
    uint32_t at_ms;  /* of the counter         */
    int64_t refused; /* the last time that was not believed; 0: none */
    int64_t said;    /* what a source that is not believed has said the same since; 0: there is none */
    uint32_t said_ms;
};

/* Begins without a time. `signed_utc`: the last one there is a signature for; 0: none. */
void acme_clock_init(struct acme_clock *c, int64_t signed_utc);

/* Takes an answer. Returns false when it is not believed: what was known before stays. To be called with all answers, those that
 * are not believed included. */
bool acme_clock_set(struct acme_clock *c, int64_t utc, uint32_t now_ms);

/* The same with the 32 bits of seconds that SNTP has (RFC 4330, 3), which are 0 at 2036-02-07 06:28:16 and wrap: what is before
 * 1970 there is taken for 2104 to 2106-02-07. 0 itself comes from servers that do not know the time, and is not believed. */
bool acme_clock_set_sntp(struct acme_clock *c, uint32_t seconds, uint32_t now_ms);

/* The time has led a run to `error`: was it perhaps wrong? With ACME_E_TLS_DATES and ACME_E_TLS_EARLY the time is not known
 * any more, until the next answer. Returns true then: the source should be asked again now. */
bool acme_clock_doubt(struct acme_clock *c, int error);

/* As struct acme_sys::utc. The counter uses all 32 bits and wraps at 2^32; call it once in 24 days at least. One that has
 * gone back, as one that wraps earlier does, makes the time unknown until the next answer. */
int acme_clock_get(struct acme_clock *c, int64_t *utc, uint32_t now_ms);

#ifdef __cplusplus
}
#endif

#endif
