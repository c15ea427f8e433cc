/* sys_arch.h - lwIP's names for what the kernel has. */
#ifndef KERNEL_ARCH_SYS_ARCH_H
#define KERNEL_ARCH_SYS_ARCH_H

#include "kernel.h"

typedef struct kernel_semaphore sys_sem_t;
typedef struct kernel_mutex sys_mutex_t;
typedef struct {
    struct kernel_mailbox box;
    bool valid;
} sys_mbox_t;
typedef struct kernel_task *sys_thread_t;
typedef uint32_t sys_prot_t;

#define sys_sem_valid(s)         ((s)->limit > 0)
#define sys_sem_set_invalid(s)   ((s)->limit = 0)
#define sys_mutex_valid(m)       ((void)(m), true)
#define sys_mutex_set_invalid(m) ((void)(m))
#define sys_mbox_valid(b)        ((b)->valid)
#define sys_mbox_set_invalid(b)  ((b)->valid = false)
#define sys_msleep(ms)           kernel_sleep(ms)

#endif
