/* issue.c - the verbs that talk to the CA, but for renew. */
#define _GNU_SOURCE
#include <string.h>

#include "kept.h"
#include "program.h"
#include "run.h"

int acme_program_issue(const struct acme_config *config)
{
    const struct acme_run_how how = {
        .when = config->force ? ACME_NOW : ACME_WHEN_DUE, .verb = "issue", .keep = ACME_KEEPS_ALL};
    return acme_run_or_try(config, &how);
}

#if ACME_CFG_MANAGE

/* A certificate is revoked at the CA it is from: what is kept beside it tells which. */
int acme_program_revoke(const struct acme_config *config)
{
    const struct acme_run_how how = {.when = ACME_REVOKE, .verb = "revoke"};
    static struct acme_config own;
    char name[254];
    int state = acme_posix_folder(config->state, NULL);

    own = *config;
    own.pool_len = 0;
    if (state >= 0 && own.names.count > 0 && acme_check_name(name, own.names.at[0]) == NULL) {
        own.names.count = 1;
        acme_small_letters(name);
        if (acme_kept_read(&own, state, name) < 0) {
            acme_report_error("%s", own.error);
            return ACME_EXIT_CONFIG;
        }
    }
    return acme_run(&own, &how);
}

/* What is the account's own affair is about no name; a set-up has to have one. */
static int work_on_account(const struct acme_config *config, enum acme_when what)
{
    const struct acme_run_how how = {.when = what, .verb = ""};
    static struct acme_config of_account;

    of_account = *config;
    if (of_account.names.count == 0) {
        of_account.names.at[of_account.names.count++] = "account.invalid";
    }
    return acme_run(&of_account, &how);
}

int acme_program_deactivate(const struct acme_config *config)
{
    if (!config->yes) {
        acme_report_error("deactivate ends the account for good, and its certificates cannot be renewed; if that is "
                          "meant, add --yes");
        return ACME_EXIT_USAGE;
    }
    return work_on_account(config, ACME_DEACTIVATE);
}

int acme_program_change_key(const struct acme_config *config)
{
    return work_on_account(config, ACME_CHANGE_KEY);
}

#endif
