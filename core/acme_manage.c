/* acme_manage.c - see acme_manage.h. What is asked of the CA is protocol/manage.c. */
#include "acme_manage.h"

#if ACME_CFG_MANAGE

int acme_managed_no_account(struct acme_client *c)
{
    c->keeper.blamed = ACME_RECORD_ACCOUNT_KEY;
    return ACME_E_NO_ACCOUNT;
}

/* The two writes that end a change were cut apart. */
static bool is_in_place(const struct acme_setup *s)
{
    uint8_t point[2][ACME_POINT_LEN];
    return s->account_key.ops->point(s->account_key.handle, point[0]) == 0 &&
           s->certificate_key.ops->point(s->certificate_key.handle, point[1]) == 0 &&
           memcmp(point[0], point[1], ACME_POINT_LEN) == 0;
}

/* A next account key that an earlier run has left has to be seen to whatever is asked for. */
int acme_managed_flow(struct acme_client *c)
{
    int next = acme_keeper_next_account_key(&c->keeper, false);
    if (next < 0 || next == ACME_KEEPER_AGAIN) {
        return next;
    }
    if (next == 1 && is_in_place(c->setup)) {
        c->flow.manage.drop_next = true;
        next = 0;
    }
    if (next == 1 || acme_managing(c)) {
        return acme_manage_start(&c->flow, c->when, next == 1);
    }
    acme_flow_start(&c->flow);
    return 0;
}

int acme_managed_key(struct acme_client *c)
{
    int done = acme_keeper_next_account_key(&c->keeper, true);
    c->key_ready = done == 1;
    return done;
}

int acme_managed_leaf(struct acme_client *c)
{
    return acme_keeper_leaf(&c->keeper, &c->flow.manage.leaf_len);
}

int acme_managed_end(struct acme_client *c)
{
    acme_channel_close(&c->channel);
    c->phase = ACME_PHASE_OVER;
    c->result = ACME_DONE;
    return 1;
}

void acme_managed_clean(struct acme_client *c)
{
    if (c->flow.manage.drop_next) { /* best effort: the failure is what counts */
        (void)acme_keeper_flow(&c->keeper, &c->flow, c->utc);
    }
}

#endif
