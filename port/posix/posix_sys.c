/* posix_sys.c - entropy and time. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include "posix.h"

static int sys_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    for (size_t have = 0; have < len;) {
        /* Early at boot the pool is not ready yet: an error that passes, rather than a tick that blocks. */
        ssize_t got = getrandom((uint8_t *)buf + have, len - have, GRND_NONBLOCK);
        if (got < 0 && errno != EINTR) {
            return ACME_E_RANDOM;
        }
        have += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static int sys_utc(void *ctx, int64_t *utc)
{
    struct timespec now;
    (void)ctx;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < ACME_UTC_FLOOR) {
        return ACME_E_CLOCK;
    }
    *utc = now.tv_sec;
    return 1;
}

const struct acme_sys acme_posix_sys = {NULL, sys_random, sys_utc};
