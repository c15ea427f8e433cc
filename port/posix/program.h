/* program.h - the verbs of the program. */
#ifndef ACME_POSIX_PROGRAM_H
#define ACME_POSIX_PROGRAM_H

#include "config.h"

/* Each returns the exit code. The messages have been given. */
int acme_program_issue(const struct acme_config *config);
int acme_program_renew(const struct acme_config *config);
int acme_program_daemon(const struct acme_config *config);
int acme_program_check(const struct acme_config *config);
int acme_program_remove(const struct acme_config *config);
int acme_program_revoke(const struct acme_config *config);
int acme_program_deactivate(const struct acme_config *config);
int acme_program_account(const struct acme_config *config);
int acme_program_change_key(const struct acme_config *config);
int acme_program_status(const struct acme_config *config);
int acme_program_version(const struct acme_config *config);

/* Reads the command line, and the config file it names, and does what they say. Returns the exit code. */
int acme_program_run(struct acme_config *config, int argc, char **argv);

#endif
