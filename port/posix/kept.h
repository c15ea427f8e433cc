/* kept.h - the setup a certificate was issued with: a config file beside it, STATE/.NAME.conf. */
#ifndef ACME_POSIX_KEPT_H
#define ACME_POSIX_KEPT_H

#include "config.h"
#include "posix.h"

/* Reads what is kept of the certificate `name` into `c`, whose flags and config file count more. As root, the file of another
 * user is read with `user` set to its owner: nobody gets further by it than he is. `state` is the open state directory.
 * Returns 1, 0 when there is none, -1 when it cannot be believed or understood: the message is in c->error. */
int acme_kept_read(struct acme_config *c, int state, const char *name);

/* Keeps the setup, if it is not what is kept already: atomically, durable. `names` are the certificate's. Returns 0, or -1: the message is in
 * `error`. */
int acme_kept_write(const struct acme_config *c, const char *const *names, size_t count, struct acme_posix_store *s,
                    char error[512]);

/* Forgets it. Returns 0, or errno. */
int acme_kept_remove(struct acme_posix_store *s);

#endif
