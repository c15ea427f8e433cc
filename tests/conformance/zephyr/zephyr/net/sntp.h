/* sntp.h - what the sample names of Zephyr's SNTP. */
#ifndef CONFORMANCE_ZEPHYR_SNTP_H
#define CONFORMANCE_ZEPHYR_SNTP_H

#include <stdint.h>

struct sntp_time {
    uint64_t seconds;
    uint32_t fraction;
};

int sntp_simple(const char *server, uint32_t timeout, struct sntp_time *time);

#endif
