/* clock_ahead.c - preloaded: it is four years later, so that a certificate for five is due. */
#define _GNU_SOURCE 1
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef AHEAD_S
#define AHEAD_S (4L * 365 * 86400)
#endif

int clock_gettime(clockid_t which, struct timespec *now)
{
    int code = (int)syscall(SYS_clock_gettime, which, now);
    now->tv_sec += which == CLOCK_REALTIME ? AHEAD_S : 0;
    return code;
}
