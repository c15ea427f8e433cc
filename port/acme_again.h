/* acme_again.h - when a task runs the client again: the same for every kernel and for none. */
#ifndef ACME_AGAIN_H
#define ACME_AGAIN_H

#include "acme.h"

#define ACME_AGAIN_S       43200u /* after a run that ended well: the pair in use is looked at twice a day */
#define ACME_RETRY_FIRST_S 60u    /* after the first failure; then twice as long each time                */
#define ACME_RETRY_LAST_S  21600u /* and no longer                                                        */
#define ACME_RETRY_MOST_S  86400u /* what the client advises counts up to here                            */

/* Seconds until the next run, after one that ended with `how`. *failing_s is the caller's, 0 in the beginning: the wait after
 * the last failure. */
static inline uint32_t acme_again_s(const struct acme_client *client, enum acme_progress how, uint32_t *failing_s)
{
    uint32_t advice_s = acme_failure(client)->retry_s;

    if (how != ACME_FAILED) {
        *failing_s = 0;
        return ACME_AGAIN_S;
    }
    *failing_s = *failing_s == 0 ? ACME_RETRY_FIRST_S : 2 * *failing_s;
    *failing_s = *failing_s < ACME_RETRY_LAST_S ? *failing_s : ACME_RETRY_LAST_S;
    advice_s = advice_s < ACME_RETRY_MOST_S ? advice_s : ACME_RETRY_MOST_S;
    return advice_s > *failing_s ? advice_s : *failing_s;
}

#endif
