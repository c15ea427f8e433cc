/* FreeRTOS.h - what the glue of port/freertos needs of the kernel, declared here: the kernel itself is the user's. */
#ifndef TEST_FREERTOS_H
#define TEST_FREERTOS_H

#include <stdint.h>

#ifndef TICK_TYPE
#define TICK_TYPE uint32_t
#endif
typedef TICK_TYPE TickType_t;
typedef long BaseType_t;
typedef unsigned long UBaseType_t;

typedef uint32_t StackType_t;
typedef struct {
    void *opaque[20];
} StaticTask_t;
#define tskIDLE_PRIORITY ((UBaseType_t)0)

#ifndef RATE_HZ
#define RATE_HZ 250
#endif
#ifndef WITHOUT_RATE
#define configTICK_RATE_HZ ((TickType_t)RATE_HZ)
#endif
#define portTICK_PERIOD_MS ((TickType_t)1000 / configTICK_RATE_HZ)
#define pdTRUE             ((BaseType_t)1)

#endif
