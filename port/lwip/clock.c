/* clock.c - see acme_clock.h. */
#include "acme_clock.h"
#include "acme_config.h"
#include "acme_error.h"

void acme_clock_init(struct acme_clock *c, int64_t stored_utc)
{
    c->floor = stored_utc > ACME_UTC_FLOOR ? stored_utc : ACME_UTC_FLOOR;
    c->utc = c->refused = 0;
    c->at_ms = 0;
}

bool acme_clock_set(struct acme_clock *c, int64_t utc, uint32_t now_ms)
{
    if (utc < c->floor) {
        c->refused = utc;
        return false;
    }
    /* Back and forth above the floor is allowed: a wrong answer must not outlive the right one. */
    c->utc = utc;
    c->at_ms = now_ms;
    return true;
}

bool acme_clock_doubt(struct acme_clock *c, int error)
{
    bool doubted = error == ACME_E_TLS_DATES || error == ACME_E_TLS_EARLY;

    if (doubted) {
        c->utc = 0;
    }
    return doubted;
}

int acme_clock_get(struct acme_clock *c, int64_t *utc, uint32_t now_ms)
{
    uint32_t seconds = (now_ms - c->at_ms) / 1000;

    if (now_ms - c->at_ms > INT32_MAX) { /* back: that would be weeks ahead */
        c->utc = 0;
    }
    if (c->utc == 0) {
        return 0;
    }
    /* The seconds that have passed are taken over, so that the counter may wrap again and again. */
    c->utc += seconds;
    c->at_ms += seconds * 1000;
    *utc = c->utc;
    return 1;
}
