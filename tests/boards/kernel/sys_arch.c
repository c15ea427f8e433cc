/* sys_arch.c - lwIP's system functions (NO_SYS=0) over the kernel. */
#include "lwip/sys.h"
#include "lwip/tcpip.h"

#define LIMIT UINT16_MAX /* of a counting semaphore */

void sys_init(void)
{
}

sys_prot_t sys_arch_protect(void)
{
    return kernel_off();
}

void sys_arch_unprotect(sys_prot_t before)
{
    kernel_on(before);
}

/* lwIP waits for good with 0, and wants to know how long it took. */
static uint32_t span(u32_t timeout)
{
    return timeout > 0 ? timeout : KERNEL_FOREVER;
}

static u32_t took(uint32_t began)
{
    return kernel_now_ms() - began;
}

err_t sys_sem_new(sys_sem_t *sem, u8_t count)
{
    *sem = (sys_sem_t){count, LIMIT};
    return ERR_OK;
}

void sys_sem_free(sys_sem_t *sem)
{
    sys_sem_set_invalid(sem);
}

void sys_sem_signal(sys_sem_t *sem)
{
    kernel_give(sem);
}

u32_t sys_arch_sem_wait(sys_sem_t *sem, u32_t timeout)
{
    uint32_t began = kernel_now_ms();
    return kernel_take(sem, span(timeout)) ? took(began) : SYS_ARCH_TIMEOUT;
}

err_t sys_mutex_new(sys_mutex_t *mutex)
{
    *mutex = (sys_mutex_t){NULL};
    return ERR_OK;
}

void sys_mutex_free(sys_mutex_t *mutex)
{
    (void)mutex;
}

void sys_mutex_lock(sys_mutex_t *mutex)
{
    (void)kernel_lock(mutex, KERNEL_FOREVER);
}

void sys_mutex_unlock(sys_mutex_t *mutex)
{
    kernel_unlock(mutex);
}

err_t sys_mbox_new(sys_mbox_t *mbox, int size)
{
    *mbox = (sys_mbox_t){.valid = size <= KERNEL_MAIL};
    return mbox->valid ? ERR_OK : ERR_MEM;
}

void sys_mbox_free(sys_mbox_t *mbox)
{
    sys_mbox_set_invalid(mbox);
}

void sys_mbox_post(sys_mbox_t *mbox, void *msg)
{
    (void)kernel_post(&mbox->box, msg, KERNEL_FOREVER);
}

err_t sys_mbox_trypost(sys_mbox_t *mbox, void *msg)
{
    return kernel_post(&mbox->box, msg, 0) ? ERR_OK : ERR_MEM;
}

err_t sys_mbox_trypost_fromisr(sys_mbox_t *mbox, void *msg)
{
    return sys_mbox_trypost(mbox, msg);
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mbox, void **msg, u32_t timeout)
{
    uint32_t began = kernel_now_ms();
    void *unread;
    return kernel_fetch(&mbox->box, msg != NULL ? msg : &unread, span(timeout)) ? took(began) : SYS_ARCH_TIMEOUT;
}

u32_t sys_arch_mbox_tryfetch(sys_mbox_t *mbox, void **msg)
{
    void *unread;
    return kernel_fetch(&mbox->box, msg != NULL ? msg : &unread, 0) ? 0 : SYS_MBOX_EMPTY;
}

/* lwIP makes one thread, tcpip_thread. */
static struct kernel_task thread;

sys_thread_t sys_thread_new(const char *name, lwip_thread_fn run, void *arg, int stacksize, int prio)
{
    static uint32_t stack[TCPIP_THREAD_STACKSIZE / 4] __attribute__((aligned(8)));

    if (thread.stack != NULL || stacksize > (int)sizeof stack) {
        kernel_panic("lwIP wants another thread");
    }
    kernel_task(&thread, name, (uint8_t)prio, run, arg, stack, sizeof stack / 4);
    return &thread;
}

void kernel_check_lwip_lock(void)
{
    /* There is no lock before the thread. */
    if (thread.stack != NULL && lock_tcpip_core.owner != kernel_current()) {
        kernel_panic("lwIP used without its lock");
    }
}
