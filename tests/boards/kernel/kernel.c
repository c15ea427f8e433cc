/* kernel.c - see kernel.h. */
#include "kernel.h"

#define REG(at)         (*(volatile uint32_t *)(at))
#define INTERRUPT_STATE 0xe000ed04 /* the processor's registers: ICSR, and SHPR3 with the priorities below */
#define PRIORITIES      0xe000ed20
#define PEND_SWITCH     0x10000000u
#define LOWEST          0xffff0000u /* of SysTick and PendSV */
#define THUMB           0x01000000u
#define PAINT           0xa5a5a5a5u
#define FRAME_WORDS     16 /* r4-r11, then what the processor saves: r0-r3, r12, lr, pc, flags */
#define IDLE_WORDS      64

static uint32_t idle_stack[IDLE_WORDS] __attribute__((aligned(8)));
static struct kernel_task idle_task = {.stack = idle_stack, .words = IDLE_WORDS, .name = "idle"};
static struct kernel_task *tasks[1 + KERNEL_TASKS] = {&idle_task};
static unsigned task_count = 1;
static struct kernel_task *current; /* NULL before the start */

void vector_pendsv(void);
void vector_systick(void);
void board_systick(void);
uint32_t *kernel_switch(uint32_t *sp);

uint32_t kernel_off(void)
{
    uint32_t before;
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(before)::"memory");
    return before;
}

void kernel_on(uint32_t before)
{
    __asm__ volatile("msr primask, %0\n\tisb" ::"r"(before) : "memory");
}

/* Asks for another choice of the task that runs; it is made as soon as interrupts are on. */
static void choose_again(void)
{
    REG(INTERRUPT_STATE) = PEND_SWITCH;
    __asm__ volatile("dsb" ::: "memory");
}

/* --- which task runs --- */

/* Called by vector_pendsv, with the interrupted task's stack; returns that of the next. Nothing disturbs it: SysTick
 * has the same priority and there is no other interrupt. */
uint32_t *kernel_switch(uint32_t *sp)
{
    struct kernel_task *next = NULL;
    unsigned at = 0;

    current->sp = sp;
    if (sp < current->stack + 1 || current->stack[0] != PAINT) {
        kernel_panic(current->name);
    }
    while (tasks[at] != current) {
        at++;
    }
    for (unsigned i = 1; i <= task_count; i++) { /* the current one comes last: its equals have their turns first */
        struct kernel_task *task = tasks[(at + i) % task_count];
        if (!task->waits && (next == NULL || task->priority > next->priority)) {
            next = task;
        }
    }
    if (next != current && !current->waits) {
        current->preempted++;
    }
    current = next;
    return next->sp;
}

__attribute__((naked)) void vector_pendsv(void)
{
    __asm__ volatile("mrs r0, psp\n\t"
                     "stmdb r0!, {r4-r11}\n\t"
                     "mov r4, lr\n\t"
                     "bl kernel_switch\n\t"
                     "mov lr, r4\n\t"
                     "ldmia r0!, {r4-r11}\n\t"
                     "msr psp, r0\n\t"
                     "bx lr");
}

static void wake(struct kernel_task *task, bool late)
{
    task->waits = task->timed = false;
    task->late = late;
    task->on = NULL;
}

void vector_systick(void)
{
    uint32_t now;

    board_systick();
    now = kernel_now_ms();
    for (unsigned i = 0; i < task_count; i++) {
        if (tasks[i]->waits && tasks[i]->timed && (int32_t)(now - tasks[i]->until) >= 0) {
            wake(tasks[i], true);
        }
    }
    if (current != NULL) {
        choose_again();
    }
}

/* Everyone who waits for `on` looks again; so nobody is forgotten, and the highest priority is the first. */
static void wake_all(const void *on)
{
    for (unsigned i = 0; i < task_count; i++) {
        if (tasks[i]->waits && tasks[i]->on == on) {
            wake(tasks[i], false);
        }
    }
    choose_again();
}

/* --- waiting --- */

/* The end of a span; the millisecond that has begun does not count. */
static uint32_t after(uint32_t ms)
{
    return kernel_now_ms() + ms + 1;
}

/* Interrupts are off, and on meanwhile. False: the time has passed. */
static bool wait(const void *on, uint32_t ms, uint32_t until)
{
    if (ms == 0) {
        return false;
    }
    if (current == NULL || current == &idle_task) {
        kernel_panic("nobody to wait");
    }
    current->on = on;
    current->timed = ms != KERNEL_FOREVER;
    current->until = until;
    current->waits = true;
    choose_again();
    do { /* the switch happens between these two */
        kernel_on(0);
        (void)kernel_off();
    } while (current->waits);
    return !current->late;
}

/* What every function that waits begins with. */
static void off_to_wait(void)
{
    if (kernel_off() != 0) {
        kernel_panic("a wait with interrupts off");
    }
}

void kernel_sleep(uint32_t ms)
{
    off_to_wait();
    (void)wait(NULL, ms, after(ms));
    kernel_on(0);
}

/* --- semaphore --- */

void kernel_give(struct kernel_semaphore *s)
{
    uint32_t before = kernel_off();

    if (s->count < s->limit) {
        s->count++;
        wake_all(s);
    }
    kernel_on(before);
}

bool kernel_take(struct kernel_semaphore *s, uint32_t ms)
{
    uint32_t until = after(ms);
    bool taken;

    off_to_wait();
    while (s->count == 0 && wait(s, ms, until)) {
    }
    taken = s->count > 0;
    s->count -= taken;
    kernel_on(0);
    return taken;
}

/* --- mutex --- */

bool kernel_lock(struct kernel_mutex *m, uint32_t ms)
{
    uint32_t until = after(ms);
    bool locked;

    off_to_wait();
    if (m->owner == current) {
        kernel_panic("a mutex locked twice");
    }
    do {
        if (m->owner != NULL && m->owner->priority < current->priority) {
            m->owner->priority = current->priority; /* lent, so that nobody in between holds us up */
        }
    } while (m->owner != NULL && wait(m, ms, until));
    locked = m->owner == NULL;
    if (locked) {
        m->owner = current;
    }
    kernel_on(0);
    return locked;
}

void kernel_unlock(struct kernel_mutex *m)
{
    uint32_t before = kernel_off();

    if (m->owner != current) {
        kernel_panic("a mutex unlocked by another");
    }
    current->priority = current->base; /* also when it holds another: good enough for a test bench */
    m->owner = NULL;
    wake_all(m);
    kernel_on(before);
}

/* --- mailbox --- */

bool kernel_post(struct kernel_mailbox *b, void *mail, uint32_t ms)
{
    uint32_t until = after(ms);
    uint32_t before = kernel_off();
    bool posted;

    if (before != 0 && ms > 0) {
        kernel_panic("a wait with interrupts off");
    }
    while (b->count == KERNEL_MAIL && wait(b, ms, until)) {
    }
    posted = b->count < KERNEL_MAIL;
    if (posted) {
        b->mail[(b->first + b->count) % KERNEL_MAIL] = mail;
        b->count++;
        wake_all(b);
    }
    kernel_on(before);
    return posted;
}

bool kernel_fetch(struct kernel_mailbox *b, void **mail, uint32_t ms)
{
    uint32_t until = after(ms);
    bool fetched;

    off_to_wait();
    while (b->count == 0 && wait(b, ms, until)) {
    }
    fetched = b->count > 0;
    if (fetched) {
        *mail = b->mail[b->first];
        b->first = (uint8_t)((b->first + 1) % KERNEL_MAIL);
        b->count--;
        wake_all(b);
    }
    kernel_on(0);
    return fetched;
}

/* --- tasks --- */

static void ended(void)
{
    kernel_panic("a task returned");
}

static void paint(uint32_t *stack, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++) {
        stack[i] = PAINT;
    }
}

static void add(struct kernel_task *task)
{
    uint32_t before = kernel_off();

    if (task_count == 1 + KERNEL_TASKS) {
        kernel_panic("too many tasks");
    }
    tasks[task_count++] = task;
    if (current != NULL) {
        choose_again();
    }
    kernel_on(before);
}

void kernel_task(struct kernel_task *task, const char *name, uint8_t priority, void (*run)(void *), void *arg,
                 uint32_t *stack, uint32_t words)
{
    uint32_t *sp = stack + words - FRAME_WORDS;

    *task =
        (struct kernel_task){.stack = stack, .words = words, .name = name, .priority = priority, .base = priority};
    paint(stack, words);
    sp[8] = (uint32_t)(uintptr_t)arg;
    sp[13] = (uint32_t)(uintptr_t)ended;
    sp[14] = (uint32_t)(uintptr_t)run & ~1u;
    sp[15] = THUMB;
    task->sp = sp;
    add(task);
}

static void idle(void)
{
    for (;;) {
        __asm__ volatile("wfi");
    }
}

_Noreturn void kernel_start(void)
{
    paint(idle_stack, IDLE_WORDS);
    REG(PRIORITIES) |= LOWEST;
    (void)kernel_off();
    current = &idle_task; /* this is it from now on */
    choose_again();
    __asm__ volatile("msr psp, %0\n\t"
                     "msr control, %1\n\t"
                     "isb\n\t"
                     "cpsie i\n\t"
                     "bx %2" ::"r"(idle_stack + IDLE_WORDS),
                     "r"(2), "r"(idle)
                     : "memory");
    __builtin_unreachable();
}

struct kernel_task *kernel_current(void)
{
    return current;
}

uint32_t kernel_stack_peak(const struct kernel_task *task)
{
    uint32_t free = 0;

    while (free < task->words && task->stack[free] == PAINT) {
        free++;
    }
    return (task->words - free) * 4;
}

const struct kernel_task *kernel_task_number(unsigned number)
{
    return number < task_count ? tasks[number] : NULL;
}
