/* enter.h - takes hold of all that a run needs, and gives up the rest. */
#ifndef ACME_POSIX_ENTER_H
#define ACME_POSIX_ENTER_H

#include <signal.h>

#include "config.h"
#include "webroot.h"

struct acme_enter {
    struct acme_posix_store *store;
    struct acme_webroot *webroot;                        /* NULL: not in use */
    struct acme_posix_listener *listener, *tls_listener; /* NULL: not in use */
    const volatile sig_atomic_t *stop;                   /* not 0: no more waiting */
    unsigned patience_s; /* how long to wait for another run on the same state directory */
};

/* Opens the state directory, the webroot and, if another user is to be changed to, the port; changes to that user; puts up the
 * fence; then waits until the state directory is ours alone. Returns 0, or an exit code when a message was given. */
int acme_enter(const struct acme_enter *e, const struct acme_config *config);

#endif
