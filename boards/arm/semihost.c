/* semihost.c - see semihost.h. */
#include <string.h>

#include "semihost.h"

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_SEEK = 0x0a,
    SYS_TIME = 0x11,
    SYS_EXIT_EXTENDED = 0x20
};
#define APPLICATION_EXIT 0x20026

static int32_t call(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

int32_t semihost_open(const char *path, enum semihost_mode mode)
{
    const uint32_t open[] = {(uint32_t)(uintptr_t)path, (uint32_t)mode, (uint32_t)strlen(path)};
    return call(SYS_OPEN, open);
}

/* Reads or writes; both answer how many bytes are missing. */
static bool move(uint32_t operation, int32_t file, const void *at, size_t len)
{
    const uint32_t argument[] = {(uint32_t)file, (uint32_t)(uintptr_t)at, (uint32_t)len};
    return call(operation, argument) == 0;
}

static bool seek(int32_t file, uint32_t at)
{
    const uint32_t argument[] = {(uint32_t)file, at};
    return call(SYS_SEEK, argument) == 0;
}

bool semihost_read_at(int32_t file, uint32_t at, void *buf, size_t len)
{
    return seek(file, at) && move(SYS_READ, file, buf, len);
}

bool semihost_write_at(int32_t file, uint32_t at, const void *data, size_t len)
{
    return seek(file, at) && move(SYS_WRITE, file, data, len);
}

bool semihost_read(const char *path, void *buf, size_t len)
{
    const int32_t file = semihost_open(path, SEMIHOST_READ);
    bool whole = file >= 0 && move(SYS_READ, file, buf, len);

    if (file >= 0) {
        (void)call(SYS_CLOSE, &file);
    }
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
