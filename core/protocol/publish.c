/* publish.c - a challenge's answer is put on show, and taken back (RFC 8555, 8). */
#include "steps.h"
#include "../jose/b64url.h"

static int authorize_key(struct acme_flow *f)
{
    const struct acme_key *key = &f->setup->account_key;
    uint8_t point[ACME_POINT_LEN];
    char thumbprint[ACME_THUMBPRINT_LEN];
    struct acme_out o;

    int error = key->ops->point(key->handle, point);
    if (error != 0) {
        return error;
    }
    acme_jwk_thumbprint(point, thumbprint);
    acme_out_init(&o, f->key_authorization, sizeof(f->key_authorization));
    acme_out_text(&o, f->token);
    acme_out_bytes(&o, ".", 1);
    acme_out_bytes(&o, thumbprint, sizeof(thumbprint));
    acme_out_bytes(&o, "", 1);
    f->challenge.name = f->name;
    f->challenge.token = f->token;
    f->challenge.key_authorization = f->key_authorization;
    return 0;
}

int acme_flow_act(struct acme_flow *f)
{
    if (!f->presented) {
        int error = authorize_key(f);
        if (error != 0) {
            return error;
        }
        f->presented = true;
    }
    int done = f->solver->present(f->solver->ctx, &f->challenge);
    if (done < 0) {
        return done;
    }
    if (done == 0) {
        return ACME_STEP_PRESENT;
    }
    f->looks = 0;
    if (f->in_doubt) {
        return ACME_STEP_AUTHZ_POLL;
    }
    f->answered = (uint8_t)(f->authz + 1); /* stored before it goes out: what was never sent is in no doubt */
    f->save_order = true;
    return ACME_STEP_RESPOND;
}

void acme_flow_withdraw(struct acme_flow *f)
{
    if (f->presented) {
        f->presented = false;
        f->solver->withdraw(f->solver->ctx);
    }
}
