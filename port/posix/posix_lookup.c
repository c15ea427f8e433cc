/* posix_lookup.c - host names to addresses without blocking: getaddrinfo() in a thread of its own. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "posix.h"

/* Fills the addresses. Returns getaddrinfo()'s code. */
static int look(struct acme_posix_lookup *l, int flags)
{
    struct addrinfo hints = {.ai_flags = flags, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int code = getaddrinfo(l->host, l->port, &hints, &list);

    l->count = 0;
    if (code != 0) {
        return code;
    }
    for (const struct addrinfo *a = list; a != NULL && l->count < ACME_POSIX_ADDRESSES; a = a->ai_next) {
        struct acme_sockets_address *address = &l->addresses[l->count];
        if (a->ai_addrlen <= sizeof address->at) {
            memcpy(&address->at, a->ai_addr, a->ai_addrlen);
            address->len = a->ai_addrlen;
            l->count++;
        }
    }
    freeaddrinfo(list);
    return l->count > 0 ? 0 : EAI_NONAME;
}

/* Whether a descriptor can be had: without one the resolver reads no file and asks nobody, and says that there is no such name.
 * Returns 0 or errno. */
static int lack_of(const struct acme_posix_lookup *l)
{
    int fds[2] = {fcntl(l->wake[1], F_DUPFD_CLOEXEC, 0), -1}, code = 0;

    fds[1] = fds[0] >= 0 ? fcntl(l->wake[1], F_DUPFD_CLOEXEC, 0) : -1;
    code = fds[1] < 0 ? errno : 0;
    for (size_t i = 0; i < 2; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    return code;
}

static void *look_aside(void *ctx)
{
    struct acme_posix_lookup *l = ctx;
    l->code = look(l, AI_ADDRCONFIG | AI_NUMERICSERV);
    /* On a machine that has nothing but loopback AI_ADDRCONFIG hides every address, also that of localhost. */
    if (l->code != 0) {
        l->code = look(l, AI_NUMERICSERV);
    }
    l->lack = l->code != 0 ? lack_of(l) : 0;
    while (write(l->wake[1], "", 1) < 0 && errno == EINTR) {
    }
    return NULL;
}

/* Starts the thread, with every signal blocked: those are the program's. */
static int begin(struct acme_posix_lookup *l)
{
    sigset_t all, before;
    int code;

    if (l->wake[0] < 0 && pipe2(l->wake, O_CLOEXEC | O_NONBLOCK) != 0) {
        l->wake[0] = l->wake[1] = -1;
        return ACME_E_NET;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    code = pthread_create(&l->thread, NULL, look_aside, l);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    l->running = code == 0;
    l->armed = POLLIN;
    errno = code;
    return code == 0 ? 0 : ACME_E_NET;
}

int acme_posix_lookup(struct acme_posix_lookup *l, const char *host, uint16_t port)
{
    char text[sizeof l->port];
    char byte;
    bool same;

    (void)snprintf(text, sizeof text, "%u", (unsigned)port);
    if (l->running) {
        if (read(l->wake[0], &byte, 1) != 1) {
            l->armed = POLLIN;
            return 0;
        }
        (void)pthread_join(l->thread, NULL);
        l->running = false;
        same = strcmp(l->host, host) == 0 && strcmp(l->port, text) == 0;
        if (same && l->code != 0 && l->lack != 0) {
            errno = l->lack;
            return ACME_E_NET;
        }
        if (same) {
            return l->code == 0 ? 1 : ACME_E_HOST;
        }
    }
    if (strlen(host) >= sizeof l->host) {
        return ACME_E_HOST;
    }
    strcpy(l->host, host);
    strcpy(l->port, text);
    l->code = look(l, AI_NUMERICHOST | AI_NUMERICSERV);
    return l->code == 0 ? 1 : begin(l);
}
