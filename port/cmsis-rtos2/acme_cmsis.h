/* acme_cmsis.h - a client in a thread of a kernel with the CMSIS-RTOS2 interface. README.md says how to start it. */
#ifndef ACME_CMSIS_H
#define ACME_CMSIS_H

#include "cmsis_os2.h"

#include "acme.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ACME_CMSIS_FLAG
#define ACME_CMSIS_FLAG 1u /* the thread flag for a wake */
#endif

struct acme_cmsis {
    struct acme_client *client; /* prepared by acme_init(); the thread's alone from then on */

    /* Called by the thread at the end of a round, when something has come of it: ACME_ISSUED (a new pair is in the store),
     * ACME_FAILED, or ACME_CURRENT (there is nothing to be done now). May be NULL. */
    void (*ended)(void *ctx, enum acme_progress how);
    void *ctx;

    volatile osThreadId_t thread; /* the thread sets it; begins as NULL */
    uint32_t ticks, ms;           /* of the kernel, and of the client, when the clock was last read */
};

/* The thread, for osThreadNew(); its argument is a struct acme_cmsis. It keeps the certificate for ever (ACME_KEEP): the client
 * decides when. */
void acme_cmsis_thread(void *runner);

/* Something came from the network: the thread looks. From any other thread. */
void acme_cmsis_wake(struct acme_cmsis *runner);

#ifdef __cplusplus
}
#endif

#endif
