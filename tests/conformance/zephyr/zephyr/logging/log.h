/* log.h - what the sample names of Zephyr's log. */
#ifndef CONFORMANCE_ZEPHYR_LOG_H
#define CONFORMANCE_ZEPHYR_LOG_H

#include <stdio.h>

#define LOG_LEVEL_INF                    3
#define LOG_MODULE_REGISTER(name, level) enum { log_of_##name = level }
#define LOG_INF(...)                     (void)printf(__VA_ARGS__)
#define LOG_WRN(...)                     (void)printf(__VA_ARGS__)
#define LOG_ERR(...)                     (void)printf(__VA_ARGS__)

#endif
