/* posix_wait.c - time, and sleeping until there is something to do. */
#define _GNU_SOURCE 1
#include <poll.h>
#include <time.h>

#include "posix.h"

uint32_t acme_posix_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_sec * 1000U + (uint32_t)(now.tv_nsec / 1000000);
}

struct waiting {
    struct pollfd fds[3 + ACME_HTTP01_SLOTS];
    short *armed[3 + ACME_HTTP01_SLOTS];
    nfds_t count;
};

static void add(struct waiting *w, int fd, short *armed)
{
    if (fd >= 0 && *armed != 0) {
        w->fds[w->count].fd = fd;
        w->fds[w->count].events = *armed;
        w->armed[w->count++] = armed;
    }
}

void acme_posix_wait(struct acme_posix_net *n, struct acme_posix_listener *listener, uint32_t idle_ms,
                     const sigset_t *signals)
{
    struct waiting w = {.count = 0};
    uint32_t limit = acme_posix_now_ms() - n->tcp.since_ms;
    struct timespec time;

    /* The next address is due even if the core has nothing to do. */
    if (n->tcp.fd >= 0 && n->tcp.trying) {
        uint32_t turn = ACME_SOCKETS_TURN_MS(n->tcp.count);
        limit = limit < turn ? turn - limit : 0;
        idle_ms = limit < idle_ms ? limit : idle_ms;
    }
    add(&w, n->lookup.wake[0], &n->lookup.armed);
    add(&w, n->tcp.fd, &n->tcp.armed);
    if (listener != NULL) {
        add(&w, listener->fd, &listener->armed);
        for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
            add(&w, listener->slots[i].fd, &listener->slots[i].armed);
        }
    }
    time.tv_sec = (time_t)(idle_ms / 1000);
    time.tv_nsec = (long)(idle_ms % 1000) * 1000000;
    if (ppoll(w.fds, w.count, &time, signals) <= 0) {
        return;
    }
    /* What has become possible is waited for again only when a call has found it wanting again. */
    for (nfds_t i = 0; i < w.count; i++) {
        if (w.fds[i].revents != 0) {
            *w.armed[i] = 0;
        }
    }
}
