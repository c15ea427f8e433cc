/* random.h - what the sample names of Zephyr's random numbers. */
#ifndef CONFORMANCE_ZEPHYR_RANDOM_H
#define CONFORMANCE_ZEPHYR_RANDOM_H

#include <stddef.h>

int sys_csrand_get(void *to, size_t len);

#endif
