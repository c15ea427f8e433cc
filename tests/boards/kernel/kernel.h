/* kernel.h - a small pre-emptive kernel for Cortex-M3, to show the firmware as one task of several. It is a test bench,
 * not a product: use the kernel you have.
 *
 * The ready task of the highest priority runs, tasks of the same priority in turns of a millisecond. A task is
 * interrupted anywhere. Nothing is allocated; tasks never end. Functions that wait are for tasks with interrupts on,
 * the others may also be called from an interrupt. */
#ifndef TEST_KERNEL_H
#define TEST_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_TASKS   6
#define KERNEL_MAIL    16 /* pointers in a mailbox */
#define KERNEL_FOREVER UINT32_MAX

struct kernel_task {
    uint32_t *sp; /* while it does not run */
    uint32_t *stack;
    uint32_t words;
    const char *name;
    uint8_t priority, base; /* now; without what a mutex lends */
    bool waits, timed, late;
    const void *on;     /* what it waits for; NULL: for the time alone */
    uint32_t until;     /* while `timed`                               */
    uint32_t preempted; /* how often it was stopped while it could run */
};

struct kernel_semaphore {
    uint32_t count, limit;
};

struct kernel_mutex {
    struct kernel_task *owner;
};

struct kernel_mailbox {
    void *mail[KERNEL_MAIL];
    uint8_t first, count;
};

/* Makes a task; before or after kernel_start(). Priorities are 1 and more, for the idle task has 0. Memory: the caller's, for good. `words` is the stack's size. */
void kernel_task(struct kernel_task *task, const char *name, uint8_t priority, void (*run)(void *), void *arg,
                 uint32_t *stack, uint32_t words);

/* Runs the tasks; the stack of main() is the interrupts' from now on. */
_Noreturn void kernel_start(void);

struct kernel_task *kernel_current(void); /* NULL before the start */
void kernel_sleep(uint32_t ms);

/* No interrupt, so no other task, from off() to on() with the value it returned; they nest. */
uint32_t kernel_off(void);
void kernel_on(uint32_t before);

/* These begin as zeros, but for `limit`. A semaphore counts up to that. take() returns false when `ms` have passed; 0 does not wait. */
void kernel_give(struct kernel_semaphore *s);
bool kernel_take(struct kernel_semaphore *s, uint32_t ms);

/* For one owner at a time, who has at least the priority of those that wait; not to be locked twice. */
bool kernel_lock(struct kernel_mutex *m, uint32_t ms);
void kernel_unlock(struct kernel_mutex *m);

/* Pointers, first in first out. */
bool kernel_post(struct kernel_mailbox *b, void *mail, uint32_t ms);
bool kernel_fetch(struct kernel_mailbox *b, void **mail, uint32_t ms);

/* The deepest a task's stack has been, in bytes. */
uint32_t kernel_stack_peak(const struct kernel_task *task);

/* Every task by number, the idle task first; NULL after the last. */
const struct kernel_task *kernel_task_number(unsigned number);

/* The user's: milliseconds since the start, and the end when a rule above is broken. */
uint32_t kernel_now_ms(void);
_Noreturn void kernel_panic(const char *why);

#endif
