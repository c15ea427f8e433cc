/* task.h - see FreeRTOS.h. */
#ifndef TEST_FREERTOS_TASK_H
#define TEST_FREERTOS_TASK_H

typedef struct tskTaskControlBlock *TaskHandle_t;

typedef void (*TaskFunction_t)(void *argument);
TaskHandle_t xTaskCreateStatic(TaskFunction_t function, const char *name, uint32_t stack_words, void *argument,
                               UBaseType_t priority, StackType_t *stack, StaticTask_t *task);
TickType_t xTaskGetTickCount(void);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
BaseType_t xTaskNotifyGive(TaskHandle_t task);
uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks);
void taskYIELD(void);

#endif
