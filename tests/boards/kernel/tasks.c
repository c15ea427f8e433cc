/* tasks.c - the firmware as one task of a kernel, beside lwIP's own, one that moves frames, and one that does nothing
 * but count, to see that nobody has to wait for the client. It takes the place of boards/firmware/loop.c. */
#include "lwip/dhcp.h"
#include "lwip/tcpip.h"

#include "board.h"
#include "firmware.h"
#include "kernel.h"
#include "say.h"
#include "system.h"

/* Priorities; lwIP's thread has 3. The client has no more than the one that counts: they take turns. */
enum { COUNTS = 1, CLIENT = 1, FRAMES = 2 };

#define STACK(name, bytes) static uint32_t name[(bytes) / 4] __attribute__((aligned(8)))

static struct kernel_task client_task, frames_task, counts_task;
STACK(client_stack, 5120);
STACK(frames_stack, 512);
STACK(counts_stack, 256);
static struct netif netif;
static struct kernel_semaphore came = {0, 1};
static volatile uint32_t counter;
static uint32_t counted_meanwhile; /* most during one tick of the client */

uint32_t kernel_now_ms(void)
{
    return board_now_ms();
}

_Noreturn void kernel_panic(const char *why)
{
    (void)kernel_off();
    say("kernel: ", why);
    board_exit(98);
}

void kernel_wake_client(void)
{
    kernel_give(&came);
}

static void run_client(void *arg)
{
    void (*const *run)(void) = arg;

    for (;;) {
        (*run)();
    }
}

static void run_counts(void *arg)
{
    (void)arg;
    for (;;) {
        counter++;
    }
}

/* The Ethernet port is polled; one with an interrupt would wake this task instead. */
static void run_frames(void *arg)
{
    (void)arg;
    for (;;) {
        if (!board_netif_poll(&netif)) {
            kernel_sleep(1);
        }
    }
}

#define START(task, name, priority, run, arg, stack)                                                                 \
    kernel_task(&(task), name, priority, run, arg, stack, sizeof(stack) / sizeof(stack)[0])

_Noreturn void system_run(void (*task)(void))
{
    static void (*run)(void);

    run = task;
    START(client_task, "client", CLIENT, run_client, &run, client_stack);
    START(counts_task, "counts", COUNTS, run_counts, NULL, counts_stack);
    kernel_start();
}

void system_begin_network(void)
{
    bool found = false;

    tcpip_init(NULL, NULL);
    LOCK_TCPIP_CORE();
    (void)netif_add(&netif, NULL, NULL, NULL, NULL, board_netif_init, tcpip_input);
    netif_set_default(&netif);
    netif_set_up(&netif);
    (void)dhcp_start(&netif);
    UNLOCK_TCPIP_CORE();
    START(frames_task, "frames", FRAMES, run_frames, NULL, frames_stack);
    while (!found) {
        kernel_sleep(1);
        LOCK_TCPIP_CORE();
        found = dhcp_supplied_address(&netif);
        UNLOCK_TCPIP_CORE();
    }
    say("address ", ip4addr_ntoa(netif_ip4_addr(&netif)));
}

bool system_poll(void)
{
    return false; /* others do that */
}

void system_wait(uint32_t ms)
{
    (void)kernel_take(&came, ms);
}

uint32_t system_stack_peak(void)
{
    return kernel_stack_peak(&client_task);
}

uint32_t system_stack_size(void)
{
    return sizeof client_stack;
}

static void task_figure(const struct kernel_task *task, const char *label, uint32_t value)
{
    struct acme_out *o = say_begin();

    acme_out_text(o, "task ");
    acme_out_text(o, task->name);
    acme_out_text(o, label);
    acme_out_u32(o, value);
    say_end();
}

void system_report(void)
{
    const struct kernel_task *task;

    for (unsigned i = 0; (task = kernel_task_number(i)) != NULL; i++) {
        task_figure(task, ": stack_size ", task->words * 4);
        task_figure(task, ": stack_peak ", kernel_stack_peak(task));
        task_figure(task, ": preempted ", task->preempted);
    }
    say_figure("stack_peak_interrupts", board_stack_peak());
    say_figure("counted", counter);
    say_figure("counted_in_one_tick", counted_meanwhile);
}

/* The linker puts these two around the client's tick: how far the other task came during it. */
enum acme_progress __real_acme_tick(struct acme_client *client, uint32_t now_ms);
enum acme_progress __wrap_acme_tick(struct acme_client *client, uint32_t now_ms);

enum acme_progress __wrap_acme_tick(struct acme_client *client, uint32_t now_ms)
{
    uint32_t before = counter;
    enum acme_progress progress = __real_acme_tick(client, now_ms);
    uint32_t count = counter - before;

    if (count > counted_meanwhile) {
        counted_meanwhile = count;
    }
    return progress;
}
