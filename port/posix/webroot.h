/* webroot.h - a solver for http-01 that puts the answer where a web server already serves it. */
#ifndef ACME_POSIX_WEBROOT_H
#define ACME_POSIX_WEBROOT_H

#include "acme_setup.h"
#include "posix.h"

struct acme_webroot {
    struct acme_solver solver;      /* goes into acme_setup::solvers */
    const char *directory;          /* borrowed: what the server serves as "/" */
    char path[ACME_POSIX_PATH_MAX]; /* of the answer, or of what went wrong */
    int error;                      /* errno of the last failure */
};

/* Makes the solver. It writes DIRECTORY/.well-known/acme-challenge/TOKEN (0644; missing directories 0755) and
 * removes that file again. */
void acme_webroot_init(struct acme_webroot *w, const char *directory);

#endif
