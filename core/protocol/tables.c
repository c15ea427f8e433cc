#include "tables.h"
#include "steps.h"

const struct acme_row *acme_row_of(const struct acme_flow *f, enum acme_step step)
{
    (void)f; /* in a build that has one table */
    if (acme_manage_is_on(f)) {
        return &acme_manage_rows[step];
    }
    return acme_is_v1(f) && !acme_flow_looks(f) ? &acme_flow_v1[step] : &acme_flow_rfc8555[step];
}

void acme_flow_start(struct acme_flow *f)
{
    f->step = acme_entered(f, (enum acme_step)acme_flow_begin(f));
}

void acme_flow_lost(struct acme_flow *f)
{
    if (f->step == ACME_STEP_ACCOUNT) {
        acme_binding_lost(f);
    }
    if (f->step == ACME_STEP_RESPOND) {
        acme_flow_respond_lost(f);
    }
    if (f->step == ACME_STEP_FINALIZE) {
        acme_flow_finalize_lost(f);
    }
    acme_manage_lost(f);
}
