/* kernel.h - what the sample names of Zephyr's kernel: declarations only. */
#ifndef CONFORMANCE_ZEPHYR_KERNEL_H
#define CONFORMANCE_ZEPHYR_KERNEL_H

#include <stdint.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))

int64_t k_uptime_get(void);
uint32_t k_uptime_get_32(void);
void k_yield(void);
int32_t k_msleep(int32_t ms);

#endif
