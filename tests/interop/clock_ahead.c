/* clock_ahead.c - preloaded: it is four years later, so that a certificate for five is due. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t which, struct timespec *now)
{
    int code = (int)syscall(SYS_clock_gettime, which, now);
    now->tv_sec += which == CLOCK_REALTIME ? 4L * 365 * 86400 : 0;
    return code;
}
