/* semihost.h - the emulator's services for ARM (semihosting): for QEMU only, a real part stops at the breakpoint. */
#ifndef BOARDS_SEMIHOST_H
#define BOARDS_SEMIHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills buf from a file of the host. False: there is no such file, or it is shorter. */
bool semihost_read(const char *path, void *buf, size_t len);

enum semihost_mode { SEMIHOST_READ = 1, SEMIHOST_UPDATE = 3, SEMIHOST_NEW = 7 };

/* Opens a file of the host. Returns its handle, -1 when that does not work. */
int32_t semihost_open(const char *path, enum semihost_mode mode);

/* Move bytes at a place of the file. False: not all of them. */
bool semihost_read_at(int32_t file, uint32_t at, void *buf, size_t len);
bool semihost_write_at(int32_t file, uint32_t at, const void *data, size_t len);

/* The host's time, seconds since 1970. */
uint32_t semihost_time(void);

_Noreturn void semihost_exit(int status);

#endif
