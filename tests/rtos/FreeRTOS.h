/* FreeRTOS.h - what the glue of port/freertos needs of the kernel, declared here: the kernel itself is the user's. */
#ifndef TEST_FREERTOS_H
#define TEST_FREERTOS_H

#include <stdint.h>

typedef uint32_t TickType_t;
typedef long BaseType_t;
typedef unsigned long UBaseType_t;

#define configTICK_RATE_HZ ((TickType_t)250)
#define portTICK_PERIOD_MS ((TickType_t)1000 / configTICK_RATE_HZ)
#define pdTRUE             ((BaseType_t)1)

#endif
