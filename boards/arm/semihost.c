/* semihost.c - see semihost.h. */
#include <string.h>

#include "semihost.h"

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_READ = 0x06, SYS_TIME = 0x11, SYS_EXIT_EXTENDED = 0x20 };
#define APPLICATION_EXIT 0x20026

static int32_t call(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

bool semihost_read(const char *path, void *buf, size_t len)
{
    const uint32_t open[] = {(uint32_t)(uintptr_t)path, 1 /* "rb" */, (uint32_t)strlen(path)};
    const int32_t file = call(SYS_OPEN, open);
    const uint32_t read[] = {(uint32_t)file, (uint32_t)(uintptr_t)buf, (uint32_t)len};
    bool whole;

    if (file < 0) {
        return false;
    }
    whole = call(SYS_READ, read) == 0; /* it answers how many are missing */
    (void)call(SYS_CLOSE, &file);
    return whole;
}

uint32_t semihost_time(void)
{
    return (uint32_t)call(SYS_TIME, NULL);
}

_Noreturn void semihost_exit(int status)
{
    const uint32_t argument[] = {APPLICATION_EXIT, (uint32_t)status};

    for (;;) {
        (void)call(SYS_EXIT_EXTENDED, argument);
    }
}
