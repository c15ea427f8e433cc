/* clock.c - see acme_clock.h. */
#include "acme_clock.h"
#include "acme_config.h"
#include "acme_error.h"

#define YEARS_20_S 631152000
#define TO_2036_S  2085978496u /* from 1970 to where SNTP's seconds are 0 */
#define A_DAY_S    86400u
#define SAME_S     60                   /* two clocks drift apart by less in a day   */
#define CEILING    INT64_C(99999999999) /* year 5138: nothing that says so is a clock */

void acme_clock_init(struct acme_clock *c, int64_t signed_utc)
{
    bool counts = signed_utc > ACME_UTC_FLOOR && signed_utc - ACME_UTC_FLOOR <= YEARS_20_S;

    *c = (struct acme_clock){.floor = counts ? signed_utc : ACME_UTC_FLOOR};
}

/* Whether the source has said so for a day, though it is before the floor: then the floor is wrong. */
static bool insists(struct acme_clock *c, int64_t utc, uint32_t now_ms)
{
    uint32_t gone_s = (now_ms - c->said_ms) / 1000;
    int64_t apart = utc - c->said - (int64_t)gone_s;

    if (utc < ACME_UTC_FLOOR) {
        c->said = 0;
    } else if (c->said == 0 || apart < -SAME_S || apart > SAME_S) {
        c->said = utc;
        c->said_ms = now_ms;
    }
    return c->said != 0 && now_ms - c->said_ms >= A_DAY_S * 1000;
}

bool acme_clock_set(struct acme_clock *c, int64_t utc, uint32_t now_ms)
{
    if (utc > CEILING || (utc < c->floor && !insists(c, utc, now_ms))) {
        c->refused = utc;
        return false;
    }
    /* Back and forth above the floor is allowed: a wrong answer must not outlive the right one. */
    c->floor = utc < c->floor ? c->said : c->floor;
    c->said = 0;
    c->utc = utc;
    c->at_ms = now_ms;
    return true;
}

bool acme_clock_set_sntp(struct acme_clock *c, uint32_t seconds, uint32_t now_ms)
{
    return seconds != 0 && acme_clock_set(c, (int64_t)(uint32_t)(TO_2036_S + seconds), now_ms);
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
