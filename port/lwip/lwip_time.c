/* lwip_time.c - lwIP's SNTP client (apps/sntp) as the source of struct acme_clock; lwipopts_acme.h leads it here. */
#include "lwip/sys.h"

#include "acme_lwip.h"

#define AGAIN_MS (3600u * 1000)
#define SOON_MS  15000u /* the protocol allows no less */
#define DOUBLE   8      /* times, then it is an hour   */

uint32_t acme_lwip_sntp_delay = SOON_MS;

static struct acme_clock *fed; /* lwIP's hook has no argument */
static unsigned refused;       /* answers in a row            */

void acme_lwip_sntp_feeds(struct acme_clock *c)
{
    fed = c;
}

void acme_lwip_sntp(int32_t seconds)
{
    bool believed = fed != NULL && acme_clock_set_sntp(fed, (uint32_t)seconds, sys_now());

    /* lwIP is content with every answer and would ask again after an hour: a router that has just started answers with
     * a time in 1970, and soon with the right one. An hour is also how long a wrong answer above the floor stands. */
    acme_lwip_sntp_delay = believed || refused >= DOUBLE ? AGAIN_MS : SOON_MS << refused;
    refused = believed ? 0 : refused + (refused < DOUBLE);
}

int acme_lwip_utc(void *ctx, int64_t *utc)
{
    int result;

    ACME_LWIP_LOCK();
    result = acme_clock_get(ctx, utc, sys_now());
    ACME_LWIP_UNLOCK();
    return result;
}
