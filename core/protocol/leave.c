/* leave.c - an order that is given up: see leave.h. */
#include "steps.h"

void acme_flow_forget_order(struct acme_flow *f)
{
    memset(&f->order, 0, sizeof(f->order));
    acme_flow_look_anew(f);
    f->authz = f->answered = f->url_of = f->tries = f->denied = 0;
    f->since = 0;
    f->resumed = f->old = f->finalized = f->requested = f->save_order = false;
    f->drop_order = true;
}

#if ACME_CFG_DEACTIVATE_AUTHZ

/* The next one that is open, from the one in hand on. */
static int next(struct acme_flow *f)
{
    while (f->authz < f->order.authz_count && f->at[f->authz].stage == ACME_STAGE_VALID) {
        f->authz++;
    }
    return f->authz < f->order.authz_count ? (int)ACME_STEP_DEACTIVATE_AUTHZ : acme_flow_left(f);
}

int acme_flow_leave(struct acme_flow *f, bool failed)
{
    f->failed = failed;
    f->authz = 0;
    bool wished = f->setup->deactivate_authz && !f->authorized && !acme_is_v1(f);
    return wished ? next(f) : acme_flow_left(f);
}

int acme_flow_left(struct acme_flow *f)
{
    if (f->failed) { /* it is no more in the store either */
        return ACME_STEP_COUNT;
    }
    acme_flow_forget_order(f);
    return ACME_STEP_ORDER;
}

int acme_flow_leave_ask(struct acme_flow *f, struct acme_out *payload)
{
    (void)f;
    acme_out_text(payload, "{\"status\":\"deactivated\"}");
    return 0;
}

int acme_flow_leave_read(struct acme_flow *f, const struct acme_answer *a)
{
    f->status = acme_status_of(acme_json_text(a->json, 0, "status"));
    acme_flow_closed(f);
    return next(f);
}

/* It has ended since, or expired. */
int acme_flow_leave_refused(struct acme_flow *f, const struct acme_problem *p)
{
    (void)p;
    acme_flow_closed(f);
    return next(f);
}

#endif
