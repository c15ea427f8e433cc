/* semihost.h - the emulator's services for ARM (semihosting): for QEMU only, a real part stops at the breakpoint. */
#ifndef BOARDS_SEMIHOST_H
#define BOARDS_SEMIHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills buf from a file of the host. False: there is no such file, or it is shorter. */
bool semihost_read(const char *path, void *buf, size_t len);

/* The host's time, seconds since 1970. */
uint32_t semihost_time(void);

_Noreturn void semihost_exit(int status);

#endif
