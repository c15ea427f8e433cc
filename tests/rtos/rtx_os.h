/* rtx_os.h - see cmsis_os2.h: RTX5's control block of a thread. */
#ifndef TEST_RTX_OS_H
#define TEST_RTX_OS_H

#include <stdint.h>

typedef struct {
    uint8_t opaque[80];
} osRtxThread_t;

#endif
