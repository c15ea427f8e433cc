/* forget.h - takes a certificate and all that lies beside it out of a state directory. */
#ifndef ACME_POSIX_FORGET_H
#define ACME_POSIX_FORGET_H

#include "posix.h"

/* Removes it, the kept setup first, so that no later run renews what is half gone. What is not ours is left: then EEXIST, and
 * s->path tells what. The store is open, and ours alone. Returns 0, ENOENT when there was nothing, or another errno. */
int acme_forget(struct acme_posix_store *s);

#endif
