/* issue.c - the verbs that talk to the CA, but for renew. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "kept.h"
#include "program.h"
#include "run.h"

int acme_program_issue(const struct acme_config *config)
{
    const struct acme_run_how how = {
        .when = config->force ? ACME_NOW : ACME_IF_DUE, .verb = "issue", .keep = ACME_KEEPS_ALL};
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
static int work_on_account(const struct acme_config *config, enum acme_task what)
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

/* What is known here of the account: no more than its record says, and nobody is asked. */
static int show_account(const struct acme_config *config)
{
    static struct acme_posix_store store;
    static struct acme_account account;
    struct acme_out *o = acme_line();
    bool found;

    acme_posix_store_init(&store, config->state, "account.invalid");
    if (acme_posix_folder(config->state, NULL) < 0 || acme_posix_store_open(&store) != 0) {
        acme_report_error("state: cannot read %s: %s", config->state, strerror(errno));
        return ACME_EXIT_FAILED;
    }
    found = acme_account_read(&account, &store);
    const char *const shown[][3] = {{"directory", "directory", account.directory},
                                    {"url", "account", account.url},
                                    {"thumbprint", "key thumbprint", account.thumbprint}};
    if (config->json) {
        acme_line_object(o, "account");
    }
    for (size_t i = 0; found && i < sizeof shown / sizeof *shown; i++) {
        if (config->json) {
            acme_line_text(o, shown[i][0], acme_slice_of(shown[i][2]));
        } else {
            acme_out_text(o, i > 0 ? "; " : "");
            acme_out_text(o, shown[i][1]);
            acme_out_text(o, " ");
            acme_out_text(o, shown[i][2]);
        }
    }
    if (config->json) {
        acme_line_close(o);
    }
    if (!found && !config->json) {
        acme_out_text(o, "no account: the first issue makes key and account");
    }
    acme_line_end(STDOUT_FILENO);
    return found ? ACME_EXIT_NEW : ACME_EXIT_FAILED;
}

int acme_program_account(const struct acme_config *config)
{
    static struct acme_config own;
    const char *word = (config->by_flag & (uint64_t)1 << ACME_KEY_NAMES) != 0 ? config->names.at[0] : "show";

    own = *config;
    own.names.count = 0;
    if (strcmp(word, "show") == 0) {
        return show_account(&own);
    }
    if (strcmp(word, "update") == 0) {
        return work_on_account(&own, ACME_UPDATE);
    }
    acme_report_error("account %.64s: there is account show and account update", word);
    return ACME_EXIT_USAGE;
}

int acme_program_change_key(const struct acme_config *config)
{
    return work_on_account(config, ACME_CHANGE_KEY);
}

#endif
