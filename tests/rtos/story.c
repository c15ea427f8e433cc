/* story.c - the glue of one kernel (-DFREERTOS or -DCMSIS) with a clock and a client that are played here: does it sleep
 * as long as it may, wake when it must, and come again when it is time? Says so in TAP. */
#include <stdio.h>
#include <stdlib.h>

#ifdef FREERTOS
#include "acme_freertos.h"
#define RATE configTICK_RATE_HZ
static struct acme_freertos runner;
#else
#include "acme_cmsis.h"
#ifndef RATE
#define RATE 1000u
#endif
static struct acme_cmsis runner;
#endif

/* What the client does next, and how long after the tick before it the clock must read then. */
static const struct act {
    enum acme_progress progress;
    uint32_t after_ms, idle_ms;
    uint32_t wake_ms; /* the wait that follows is ended early; 0 no */
    const char *what;
} acts[] = {
    {ACME_BUSY, 0, 0, 0, "a round begins at once"},
    {ACME_IDLE, 0, 250, 0, "a busy client is ticked at once"},
    {ACME_IDLE, 250, 60000, 20, "an idle client is ticked when it asked for it"},
    {ACME_FAILED, 20, 0, 0, "a wake ends a wait"},
    {ACME_IDLE, 0, 60000, 3000, "what has failed is told, and the client goes on: it knows when to come again"},
    {ACME_IDLE, 3000, 60000, 0, "whatever comes, it is ticked"},
    {ACME_BUSY, 60000, 0, 0, "and when it asked for it"},
    {ACME_ISSUED, 0, 0, 0, "the next round"},
    {ACME_IDLE, 0, 1000, 0, "goes on as well"},
    {ACME_CURRENT, 1000, 0, 0, "so does"},
    {ACME_IDLE, 0, 500, 0, "one with nothing to do"},
    {ACME_BUSY, 500, 0, 0, "for ever"},
};
#define TOLD 3 /* of them */
#define ACTS (sizeof acts / sizeof acts[0])

static uint32_t ticks = UINT32_MAX - 40; /* wraps soon */
static uint64_t passed, last;            /* ticks since the start; at the act before */
static unsigned at, ends, yields, failed;

static void ok(int right, const char *what)
{
    static unsigned number;
    failed += !right;
    printf("%sok %u - %s\n", right ? "" : "not ", ++number, what);
}

/* The kernel's part. */

static int kernel; /* stands for the handle of the task */

static uint32_t wait(uint32_t span)
{
    uint32_t wake = at > 0 ? (uint32_t)((acts[at - 1].wake_ms * (uint64_t)RATE + 999) / 1000) : 0;
    uint32_t count = wake > 0 && wake < span ? wake : span;
    ticks += count;
    passed += count;
    return count < span;
}

#ifdef FREERTOS
TickType_t xTaskGetTickCount(void)
{
    return ticks;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return (TaskHandle_t)(void *)&kernel;
}

static unsigned gives;

BaseType_t xTaskNotifyGive(TaskHandle_t task)
{
    gives += task == (TaskHandle_t)(void *)&kernel;
    return 1;
}

uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t span)
{
    return clear ? wait(span) : 0;
}

void taskYIELD(void)
{
    yields++;
}
#define WAKE acme_freertos_wake
#define TASK acme_freertos_task
#else
uint32_t osKernelGetTickCount(void)
{
    return ticks;
}

uint32_t osKernelGetTickFreq(void)
{
    return RATE;
}

osThreadId_t osThreadGetId(void)
{
    return &kernel;
}

osStatus_t osThreadYield(void)
{
    yields++;
    return osOK;
}

static unsigned gives;

uint32_t osThreadFlagsSet(osThreadId_t thread, uint32_t flags)
{
    gives += thread == &kernel && flags == ACME_CMSIS_FLAG;
    return flags;
}

uint32_t osThreadFlagsWait(uint32_t flags, uint32_t options, uint32_t span)
{
    return flags == ACME_CMSIS_FLAG && options == osFlagsWaitAny ? wait(span) : 0;
}
#define WAKE acme_cmsis_wake
#define TASK acme_cmsis_thread
#endif

/* The client's part. */

static uint32_t began_ms;
static unsigned starts;

int acme_start(struct acme_client *client, enum acme_task when, uint32_t now_ms)
{
    (void)client;
    began_ms = now_ms;
    starts += when == ACME_KEEP;
    return 0;
}

static void end(void)
{
    ok(ends == TOLD, "every end of a round is told");
    ok(starts == 1, "it is begun once");
    ok(yields > 0, "others of the same priority have their turns");
    WAKE(&runner);
    ok(gives == 1, "a wake reaches the task");
    printf("1..%u\n", (unsigned)ACTS + 5);
    exit(failed > 0);
}

enum acme_progress acme_tick(struct acme_client *client, uint32_t now_ms)
{
    const struct act *act = &acts[at++];
    uint64_t ms = (passed - last) * 1000 / RATE;

    (void)client;
    ok(ms >= act->after_ms && ms <= act->after_ms + act->after_ms / 8 + 2 + 2000 / RATE && now_ms - began_ms < 100000,
       act->what);
    last = passed;
    if (at == ACTS) {
        end();
    }
    return act->progress;
}

uint32_t acme_idle_ms(const struct acme_client *client, uint32_t now_ms)
{
    (void)client, (void)now_ms;
    return acts[at - 1].idle_ms;
}

static void ended(void *ctx, enum acme_progress how)
{
    ends += ctx == &runner && how == acts[at - 1].progress;
}

int main(void)
{
    WAKE(&runner);
    ok(gives == 0, "a wake before the task is there does no harm");
    runner.ended = ended;
    runner.ctx = &runner;
    TASK(&runner);
    return 1;
}
