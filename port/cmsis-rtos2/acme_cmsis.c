/* acme_cmsis.c - see acme_cmsis.h. */
#include "acme_cmsis.h"

/* Ticks in a millisecond, or milliseconds in a tick. Where neither is a whole number the clock below is a little slow:
 * nothing happens too early. */
static uint32_t ticks_in_ms(void)
{
    return (osKernelGetTickFreq() + 999) / 1000;
}

static uint32_t ms_in_tick(void)
{
    uint32_t rate = osKernelGetTickFreq();
    return rate < 1000 ? 1000 / rate : 1;
}

/* By ticks that have passed, so that both counters may wrap. */
static uint32_t now_ms(struct acme_cmsis *r)
{
    uint32_t gone = osKernelGetTickCount() - r->ticks;

    gone -= gone % ticks_in_ms();
    r->ms += gone / ticks_in_ms() * ms_in_tick();
    r->ticks += gone;
    return r->ms;
}

/* Until a wake, or that long; the tick that has begun does not count. */
static void wait_ms(uint32_t ms)
{
    (void)osThreadFlagsWait(ACME_CMSIS_FLAG, osFlagsWaitAny, (ms / ms_in_tick() + 1) * ticks_in_ms());
}

void acme_cmsis_thread(void *runner)
{
    struct acme_cmsis *r = runner;

    r->ticks = osKernelGetTickCount();
    r->thread = osThreadGetId();
    (void)acme_start(r->client, ACME_KEEP, now_ms(r)); /* a client that was prepared begins */
    for (;;) {
        enum acme_progress progress = acme_tick(r->client, now_ms(r));
        if (progress == ACME_IDLE) {
            wait_ms(acme_idle_ms(r->client, now_ms(r)));
        } else if (progress == ACME_BUSY) {
            (void)osThreadYield(); /* where threads of one priority do not take turns by themselves */
        } else if (r->ended != NULL) {
            r->ended(r->ctx, progress);
        }
    }
}

void acme_cmsis_wake(struct acme_cmsis *runner)
{
    osThreadId_t thread = runner->thread;

    if (thread != NULL) {
        (void)osThreadFlagsSet(thread, ACME_CMSIS_FLAG);
    }
}
