/* acme_freertos.h - a client in a task of FreeRTOS. README.md says how to start it. */
#ifndef ACME_FREERTOS_H
#define ACME_FREERTOS_H

#include "FreeRTOS.h"
#include "task.h"

#include "acme.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_freertos {
    struct acme_client *client; /* prepared by acme_init(); the task's alone from then on */

    /* Called by the task at the end of a round, when something has come of it: ACME_ISSUED (a new pair is in the store),
     * ACME_FAILED, or ACME_CURRENT (there is nothing to be done now). May be NULL. */
    void (*ended)(void *ctx, enum acme_progress how);
    void *ctx;

    TaskHandle_t volatile task; /* the task sets it; begins as NULL */
};

/* The task, for xTaskCreateStatic(); its argument is a struct acme_freertos. It keeps the certificate for ever (ACME_KEEP): the
 * client decides when. It uses the task's notification 0. */
void acme_freertos_task(void *runner);

/* Something came from the network: the task looks. From any other task, not from an interrupt. */
void acme_freertos_wake(struct acme_freertos *runner);

#ifdef __cplusplus
}
#endif

#endif
