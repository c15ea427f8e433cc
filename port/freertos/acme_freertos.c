/* acme_freertos.c - see acme_freertos.h. */
#include "acme_freertos.h"

#ifndef configTICK_RATE_HZ
#error "port/freertos needs configTICK_RATE_HZ"
#endif
#if defined(configUSE_TASK_NOTIFICATIONS) && !configUSE_TASK_NOTIFICATIONS /* FreeRTOS's default is 1 */
#error "port/freertos needs configUSE_TASK_NOTIFICATIONS=1"
#endif

/* Milliseconds are whole ticks, so their counter wraps as smoothly as that of ticks, at 2^32. No #error: rate and type are
 * often casts. A size of -1 is what the compiler says of one that will not do. */
typedef char acme_freertos_needs_configTICK_RATE_HZ_that_divides_1000[1000 % configTICK_RATE_HZ == 0 ? 1 : -1];
typedef char acme_freertos_needs_TickType_t_of_32_bits[sizeof(TickType_t) >= 4 ? 1 : -1];

static uint32_t now_ms(void)
{
    return (uint32_t)(xTaskGetTickCount() * portTICK_PERIOD_MS);
}

/* Until a wake, or that long; the tick that has begun does not count. */
static void wait_ms(uint32_t ms)
{
    (void)ulTaskNotifyTake(pdTRUE, (TickType_t)(ms / portTICK_PERIOD_MS + 1));
}

void acme_freertos_task(void *runner)
{
    struct acme_freertos *r = runner;

    r->task = xTaskGetCurrentTaskHandle();
    (void)acme_start(r->client, ACME_KEEP, now_ms()); /* a client that was prepared begins */
    for (;;) {
        enum acme_progress progress = acme_tick(r->client, now_ms());
        if (progress == ACME_IDLE) {
            wait_ms(acme_idle_ms(r->client, now_ms()));
        } else if (progress == ACME_BUSY) {
            taskYIELD(); /* where tasks of one priority do not take turns by themselves */
        } else if (r->ended != NULL) {
            r->ended(r->ctx, progress);
        }
    }
}

void acme_freertos_wake(struct acme_freertos *runner)
{
    TaskHandle_t task = runner->task;

    if (task != NULL) {
        (void)xTaskNotifyGive(task);
    }
}
