/* check.c - is the kernel one? Its promises one by one, on the board, without lwIP and the client; says so in TAP. */
#include "board.h"
#include "kernel.h"

#define STACK_WORDS 160
#define ROUNDS      300
#define BURN_MS     100

enum { LOW, TWIN, MIDDLE, HIGH, WORKERS };

/* A worker does its job whenever it is told. */
static struct worker {
    struct kernel_task task;
    struct kernel_semaphore start, done;
    void (*job)(unsigned me);
    volatile uint32_t count;
} workers[WORKERS];
static const uint8_t priorities[WORKERS] = {1, 1, 2, 3};
static uint32_t stacks[WORKERS + 1][STACK_WORDS] __attribute__((aligned(8)));

static struct kernel_task director;
static struct kernel_semaphore gate, signal;
static struct kernel_mutex mutex;
static struct kernel_mailbox box;
static volatile bool burning;
static volatile uint32_t first, second, wrong; /* the first two are the same for whoever has the mutex */
static unsigned number, failed;

uint32_t kernel_now_ms(void)
{
    return board_now_ms();
}

static void print(const char *text)
{
    while (*text != '\0') {
        board_put(*text++);
    }
}

static void ok(bool right, const char *what)
{
    char digits[] = {(char)('0' + ++number / 10), (char)('0' + number % 10), '\0'};

    failed += !right;
    print(right ? "ok " : "not ok ");
    print(digits);
    print(" - ");
    print(what);
    print("\n");
}

_Noreturn void kernel_panic(const char *why)
{
    (void)kernel_off();
    print("kernel: ");
    print(why);
    print("\n");
    board_exit(98);
}

static void run_worker(void *arg)
{
    struct worker *w = arg;

    for (;;) {
        (void)kernel_take(&w->start, KERNEL_FOREVER);
        w->job((unsigned)(w - workers));
        kernel_give(&w->done);
    }
}

static void start(unsigned worker, void (*job)(unsigned me))
{
    workers[worker].job = job;
    kernel_give(&workers[worker].start);
}

static bool ended(unsigned worker)
{
    return kernel_take(&workers[worker].done, 2000);
}

static void burn(unsigned me)
{
    while (burning) {
        workers[me].count++;
    }
}

static void slices(void)
{
    uint32_t began = kernel_now_ms(), took, a, b;

    workers[LOW].count = workers[TWIN].count = 0;
    burning = true;
    start(LOW, burn);
    start(TWIN, burn);
    kernel_sleep(BURN_MS);
    took = kernel_now_ms() - began;
    a = workers[LOW].count;
    b = workers[TWIN].count;
    ok(took >= BURN_MS && took <= BURN_MS + 2, "a sleep ends in time though two tasks of lower priority compute");
    ok(a > 0 && b > 0 && a / 4 * 5 > b && b / 4 * 5 > a, "tasks of one priority have as much each");
    workers[MIDDLE].count = 0;
    start(MIDDLE, burn);
    a = workers[LOW].count;
    kernel_sleep(BURN_MS);
    ok(workers[LOW].count == a && workers[MIDDLE].count > 0, "a task of lower priority has nothing meanwhile");
    burning = false;
    ok(ended(LOW) && ended(TWIN) && ended(MIDDLE), "they end");
}

static void pass_gate(unsigned me)
{
    (void)me;
    (void)kernel_take(&gate, KERNEL_FOREVER);
    first = second + 1;
}

static void open_gate(unsigned me)
{
    (void)me;
    second = 7;
    kernel_give(&gate);
    second = 9; /* too late for the other: it was running by then */
}

static void semaphores(void)
{
    uint32_t began = kernel_now_ms(), took;
    bool taken = kernel_take(&signal, 20);

    took = kernel_now_ms() - began;
    ok(!taken && took >= 20 && took <= 22, "a semaphore is waited for as long as was said");
    for (int i = 0; i < 5; i++) {
        kernel_give(&signal);
    }
    ok(kernel_take(&signal, 0) && kernel_take(&signal, 0) && !kernel_take(&signal, 0), "it counts to its limit");
    start(HIGH, pass_gate);
    start(LOW, open_gate);
    ok(ended(HIGH) && ended(LOW) && first == 8 && second == 9, "who waits with a higher priority goes on at once");
}

static void change_both(unsigned me)
{
    (void)me;
    for (unsigned i = 0; i < ROUNDS; i++) {
        (void)kernel_lock(&mutex, KERNEL_FOREVER);
        wrong += first != second;
        first++;
        for (volatile int k = 0; k < 2000; k++) { /* the turn ends in here now and then */
        }
        second++;
        kernel_unlock(&mutex);
    }
}

static void hold(unsigned me)
{
    uint32_t until = kernel_now_ms() + 10;

    (void)me;
    (void)kernel_lock(&mutex, KERNEL_FOREVER);
    kernel_give(&signal);
    while ((int32_t)(kernel_now_ms() - until) < 0) {
    }
    kernel_unlock(&mutex);
}

static void want(unsigned me)
{
    if (kernel_lock(&mutex, BURN_MS)) {
        workers[me].count = 1;
        kernel_unlock(&mutex);
    }
}

static void mutexes(void)
{
    first = second = wrong = 0;
    start(LOW, change_both);
    start(TWIN, change_both);
    ok(ended(LOW) && ended(TWIN) && wrong == 0 && first == 2 * ROUNDS && second == first, "a mutex has one owner");
    ok(workers[LOW].task.preempted > 0 && workers[TWIN].task.preempted > 0, "which is stopped in the middle");

    /* LOW has what HIGH wants, and MIDDLE would let neither go on. */
    workers[HIGH].count = 0;
    burning = true;
    start(LOW, hold);
    (void)kernel_take(&signal, KERNEL_FOREVER);
    start(MIDDLE, burn);
    start(HIGH, want);
    (void)ended(HIGH);
    ok(workers[HIGH].count == 1, "an owner has the priority of who waits");
    ok(workers[LOW].task.priority == 1, "and gives it back");
    burning = false;
    ok(ended(LOW) && ended(MIDDLE), "they end");
}

static void post_all(unsigned me)
{
    for (uintptr_t i = 1; i <= ROUNDS; i++) {
        (void)kernel_post(&box, (void *)(i << 8 | me), KERNEL_FOREVER);
    }
}

static void mailboxes(void)
{
    uintptr_t last[WORKERS] = {0};
    unsigned count = 0, odd = 0;
    void *mail = NULL;

    for (uintptr_t i = 0; i < KERNEL_MAIL; i++) {
        odd += !kernel_post(&box, &box, 0);
    }
    ok(odd == 0 && !kernel_post(&box, &box, 0) && !kernel_post(&box, &box, 10), "a mailbox is full when it is");
    while (kernel_fetch(&box, &mail, 0)) {
        count++;
    }
    ok(count == KERNEL_MAIL && mail == &box && !kernel_fetch(&box, &mail, 10), "and empty");
    start(LOW, post_all);
    start(HIGH, post_all);
    for (count = 0; kernel_fetch(&box, &mail, 50); count++) {
        unsigned from = (uintptr_t)mail & 0xff;
        odd += from >= WORKERS || (uintptr_t)mail >> 8 != ++last[from];
    }
    ok(count == 2 * ROUNDS && odd == 0 && ended(LOW) && ended(HIGH), "nothing is lost, and the order is kept");
}

static uint32_t outer_was, inner_was, moved;

static void shut(unsigned me)
{
    uint32_t count, opened;

    (void)me;
    first = 0;
    outer_was = kernel_off();
    inner_was = kernel_off();
    kernel_on(inner_was);
    count = workers[TWIN].count;
    kernel_give(&gate);                      /* HIGH waits there */
    for (uint32_t i = 0; i < 1000000; i++) { /* milliseconds pass */
        __asm__ volatile("" ::: "memory");
    }
    opened = first;
    moved = workers[TWIN].count - count + opened;
    kernel_on(outer_was);
    second = first;
}

static void sections(void)
{
    burning = true;
    start(TWIN, burn);
    start(HIGH, pass_gate);
    kernel_sleep(2);
    start(LOW, shut);
    ok(ended(LOW) && outer_was == 0 && inner_was == 1 && moved == 0, "with interrupts off nobody else runs");
    ok(second > 0 && ended(HIGH), "and then at once who should");
    burning = false;
    ok(ended(TWIN), "they end");
}

static void run_director(void *arg)
{
    (void)arg;
    slices();
    semaphores();
    mutexes();
    mailboxes();
    sections();
    ok(kernel_stack_peak(&director) < sizeof stacks[0] && kernel_stack_peak(&workers[LOW].task) > 64,
       "the depth of stacks is known");
    print("1..");
    print((const char[]){(char)('0' + number / 10), (char)('0' + number % 10), '\n', '\0'});
    board_exit(failed > 0);
}

int main(void)
{
    board_init();
    gate.limit = 1;
    signal.limit = 2;
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].start.limit = workers[i].done.limit = 1;
        kernel_task(&workers[i].task, "worker", priorities[i], run_worker, &workers[i], stacks[i], STACK_WORDS);
    }
    kernel_task(&director, "director", 5, run_director, NULL, stacks[WORKERS], STACK_WORDS);
    kernel_start();
}
