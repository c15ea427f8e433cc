/* trial.c - --dry-run: the whole way to a certificate, beside what is in use. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "forget.h"
#include "run.h"

#define FOLDER "/.dry-run"

/* The state directory has to be there, for the trial's is in it. Returns 0, or errno. */
static int make_state(const struct acme_config *config)
{
    bool made = false;
    int fd = acme_posix_folder(config->state, &made);
    const struct passwd *user = made && config->user != NULL ? getpwnam(config->user) : NULL;
    int code = fd < 0 || (user != NULL && fchown(fd, user->pw_uid, user->pw_gid) != 0) ? errno : 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

int acme_run_or_try(const struct acme_config *config, const struct acme_run_how *how)
{
    static struct acme_config own;
    static struct acme_posix_store store;
    static struct acme_checked checked;
    static char state[ACME_POSIX_PATH_MAX];
    struct acme_run_how trial = *how;
    int code;

    if (!config->dry_run) {
        return acme_run(config, how);
    }
    own = *config;
    own.state = state;
    acme_config_for_trial(&own);
    if (config->eab_kid != NULL) {
        acme_report_error(
            "--dry-run: a trial has an account of its own, and the CA takes what is in eab_key_file once: "
            "nothing was tried");
        return ACME_EXIT_USAGE;
    }
    trial.when = ACME_NOW;
    trial.once = false;
    trial.keep = ACME_KEEPS_NOTHING;
    trial.trial = true;
    if (snprintf(state, sizeof state, "%s" FOLDER, config->state) >= (int)sizeof state) {
        acme_report_error("state: the path is too long");
        return acme_config_blame(config, ACME_KEY_STATE);
    }
    code = make_state(config);
    if (code != 0) {
        acme_report_error("state: cannot write %s: %s", config->state, strerror(code));
        return ACME_EXIT_FAILED;
    }
    code = acme_run(&own, &trial);
    if (code == ACME_EXIT_NEW && own.names.count > 0 && acme_check_name(checked.first, own.names.at[0]) == NULL) {
        acme_small_letters(checked.first); /* the lock is still ours */
        acme_posix_store_init(&store, own.state, checked.first);
        if (acme_posix_store_open(&store) == 0) {
            (void)acme_forget(&store);
        }
    }
    return code;
}
