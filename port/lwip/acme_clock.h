/* acme_clock.h - the time of day from a source that may be wrong: a floor, and a counter of milliseconds between answers.
 *
 * A certificate is only as good as the time it is judged at, and nobody vouches for an answer of SNTP. So no time before
 * the floor is believed: the build date (ACME_UTC_FLOOR), or the last good time the device has stored, whichever is
 * later. Good is a time at which a run has ended well, for then the CA's certificate was valid; the beginning of the
 * certificate in use (not_before) is such a time and is stored anyway. Until an answer is believed the time is unknown,
 * and the client waits. */
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
};

/* Begins without a time. `stored_utc`: the last good one; 0: none. */
void acme_clock_init(struct acme_clock *c, int64_t stored_utc);

/* Takes an answer. Returns false when it is not believed: what was known before stays. */
bool acme_clock_set(struct acme_clock *c, int64_t utc, uint32_t now_ms);

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
