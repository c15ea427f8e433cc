/* wipe.c - see wipe.h. */
#include "wipe.h"

void acme_wipe(void *memory, size_t len)
{
    volatile unsigned char *at = memory;

    while (len-- > 0) {
        *at++ = 0;
    }
}
