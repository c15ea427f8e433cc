/* renew.h - certificates that are there already, each with the setup it was issued with. */
#ifndef ACME_POSIX_RENEW_H
#define ACME_POSIX_RENEW_H

#include "list.h"
#include "run.h"

/* Puts together what the certificate `name` is renewed with: flags and config file in `base`, then what is kept beside it, then
 * the names of the certificate itself. `own` may not be `base`. Returns 0, ACME_EXIT_CURRENT: there is nothing to renew and
 * nothing to renew it with, or another exit code: a message was given. `keep` as struct acme_run_how. */
int acme_renew_setup(struct acme_config *own, const struct acme_config *base, int state, const char *name, int *keep);

/* Whether the config file, and not the command line, names a certificate: its name, in small letters. */
bool acme_renew_by_file(const struct acme_config *config, char name[254]);

/* Renews one of several, in a process of its own. */
struct acme_renew_job {
    const struct acme_config *base;
    const char *name;
    int state; /* the open state directory; -1: there is none */
};
int acme_renew_work(void *job);

/* Does `work`, given a struct acme_renew_job, for one after the other, each in a process of its own. Returns the worst exit code: a failure,
 * then something new, then nothing due. */
int acme_renew_each(const struct acme_config *config, const struct acme_list *list, int (*work)(void *job));

#endif
