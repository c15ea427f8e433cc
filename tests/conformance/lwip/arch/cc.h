/* cc.h - lwIP's compiler port for this machine: what lwIP asserts ends the run. */
#ifndef CONFORMANCE_ARCH_CC_H
#define CONFORMANCE_ARCH_CC_H

#include <stdio.h>
#include <stdlib.h>

#define LWIP_PLATFORM_ASSERT(text)                                                                                   \
    do {                                                                                                             \
        printf("not ok - lwIP: %s\n", text);                                                                         \
        abort();                                                                                                     \
    } while (0)

#endif
