/* webroot.h - a solver for http-01 that puts the answer where a web server already serves it. */
#ifndef ACME_POSIX_WEBROOT_H
#define ACME_POSIX_WEBROOT_H

#include "acme_setup.h"
#include "posix.h"

struct acme_webroot {
    struct acme_solver solver;      /* goes into acme_setup::solvers */
    const char *directory;          /* borrowed: what the server serves as "/" */
    int top;                        /* the directory; -1: not open */
    int place;                      /* acme-challenge in it, while an answer is there; -1: none is */
    int memory;                     /* borrowed: where a file remembers the tokens; -1: nowhere */
    struct acme_challenge *shown;   /* the answers that are there */
    char path[ACME_POSIX_PATH_MAX]; /* of the last answer, or of what went wrong, for words */
    size_t path_len;                /* of acme-challenge in it */
    int error;                      /* errno of the last failure. ELOOP: a link that is not followed */
};

/* Makes the solver. It writes DIRECTORY/.well-known/acme-challenge/TOKEN (0644; missing directories 0755) and
 * removes that file again. The directory may belong to somebody else, who may change its entries at any time: all is
 * done by descriptors from it down, no rights of anything are changed, and a link below it is followed only when nobody
 * but root and the user we run as can have put it there. */
void acme_webroot_init(struct acme_webroot *w, const char *directory);

/* Opens the directory. Returns 0, or errno with the path in w->path. present() does it too. */
int acme_webroot_open(struct acme_webroot *w);

/* Opens the lowest directory on the way to the answers that is there, for who needs to know where they will be written;
 * the caller closes it. -1: errno. */
int acme_webroot_lowest(struct acme_webroot *w);

/* Remembers in the directory `memory`, from now on, which answer is there, and removes the one that a run which was killed
 * has left. */
void acme_webroot_sweep(struct acme_webroot *w, int memory);

#endif
