/* cmsis_os2.h - what the glue of port/cmsis-rtos2 needs of the kernel, declared here: the kernel itself is the user's. */
#ifndef TEST_CMSIS_OS2_H
#define TEST_CMSIS_OS2_H

#include <stdint.h>

typedef void *osThreadId_t;
typedef enum { osOK = 0, osError = -1 } osStatus_t;

typedef enum { osPriorityLow = 8 } osPriority_t;
typedef struct {
    const char *name;
    uint32_t attr_bits;
    void *cb_mem;
    uint32_t cb_size;
    void *stack_mem;
    uint32_t stack_size;
    osPriority_t priority;
} osThreadAttr_t;
typedef void (*osThreadFunc_t)(void *argument);

osThreadId_t osThreadNew(osThreadFunc_t function, void *argument, const osThreadAttr_t *attr);

#define osFlagsWaitAny 0x00000000U

uint32_t osKernelGetTickCount(void);
uint32_t osKernelGetTickFreq(void);
osThreadId_t osThreadGetId(void);
osStatus_t osThreadYield(void);
uint32_t osThreadFlagsSet(osThreadId_t thread, uint32_t flags);
uint32_t osThreadFlagsWait(uint32_t flags, uint32_t options, uint32_t timeout);

#endif
