/* account.c - what is known from the store only and turns out to be wrong: the account, which is then looked up by its key
 * (RFC 8555, 7.3.1), and the directory, which is read anew. */
#include "steps.h"

int acme_flow_account_lost(struct acme_flow *f)
{
    if (++f->denied < ACME_REPEATS_MAX) {
        return (int)f->step;
    }
    acme_flow_withdraw(f);
    if (f->renewed) {
        return ACME_E_PROBLEM;
    }
    return acme_flow_account_look(f);
}

int acme_flow_account_look(struct acme_flow *f)
{
    f->renewed = true;
    f->repeats = f->denied = 0;
    memcpy(f->challenge_url, f->account, sizeof(f->challenge_url)); /* nothing is being validated now */
    f->account[0] = '\0';
    return ACME_STEP_DIRECTORY;
}

void acme_flow_account_found(struct acme_flow *f)
{
    f->save_account = f->confirmed = true;
    if (f->renewed && strcmp(f->challenge_url, f->account) != 0) {
        acme_flow_forget_order(f); /* it belonged to the lost account */
    }
}

int acme_flow_directory_stale(struct acme_flow *f)
{
    f->cached = false;
    acme_flow_withdraw(f);
    return ACME_STEP_DIRECTORY;
}
