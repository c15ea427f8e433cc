/* binding.c - external accounts (RFC 8555, 7.3.4): newAccount carries the account key a second time, in a JWS that is made with the
 * MAC key the operator has from the CA.
 *
 * Most CAs take a binding once. So a key that was stored before this run is looked up first (7.3.1), which spends nothing: the
 * account may be there since a run whose answer, or record, was lost. What comes with a lost answer in this run is looked at in
 * the same way, and once more when the binding is refused thereafter, for a replica may have lagged behind. */
#include "steps.h"
#include "../jose/jws.h"

#if ACME_CFG_EAB

static bool is_given(const struct acme_flow *f)
{
    return acme_is_bound(&f->setup->binding);
}

int acme_binding_begin(struct acme_flow *f, bool wanted)
{
    struct acme_bound *b = &f->bound;
    b->wanted = wanted;
    b->look = !b->key_is_new && (wanted || is_given(f));
    return wanted && !b->look && !is_given(f) ? (int)ACME_E_EAB : (int)ACME_STEP_ACCOUNT;
}

bool acme_binding_looks(struct acme_flow *f, struct acme_out *payload)
{
    f->bound.looks = f->bound.look;
    f->bound.carried = !f->bound.look && is_given(f);
    if (f->bound.looks) {
        acme_out_text(payload, "{\"onlyReturnExisting\":true}");
    }
    return f->bound.looks;
}

int acme_binding_add(struct acme_flow *f, struct acme_out *payload)
{
    const struct acme_binding *binding = &f->setup->binding;
    const struct acme_key *key = &f->setup->account_key;
    struct acme_jws jws = {.url = acme_slice_of(f->directory.new_account)};
    uint8_t point[ACME_POINT_LEN];
    char jwk[ACME_JWK_MAX];
    struct acme_out o;

    int error = f->bound.carried ? key->ops->point(key->handle, point) : 0;
    if (error != 0 || !f->bound.carried) {
        return error;
    }
    acme_out_init(&o, jwk, sizeof(jwk));
    acme_jwk_write(&o, point);
    jws.kid = acme_slice_of(binding->kid);
    jws.mac_key = acme_slice(binding->mac_key, binding->mac_key_len);
    acme_out_text(payload, ",\"externalAccountBinding\":");
    return acme_jws_write(payload, &jws, acme_slice(jwk, o.len));
}

int acme_binding_refused(struct acme_flow *f, const struct acme_problem *p)
{
    struct acme_bound *b = &f->bound;
    if (b->looks && (is_given(f) || p->kind != ACME_PROBLEM_UNAUTHORIZED)) { /* who says that knows the account */
        b->look = false;
        return b->wanted && !is_given(f) ? (int)ACME_E_EAB : (int)ACME_STEP_ACCOUNT;
    }
    if (!b->carried || p->kind < ACME_PROBLEM_BINDING) {
        return 0; /* of the contacts, say */
    }
    b->look = b->in_doubt;
    b->in_doubt = false;
    return b->look ? (int)ACME_STEP_ACCOUNT : (int)ACME_E_BINDING;
}

void acme_binding_lost(struct acme_flow *f)
{
    struct acme_bound *b = &f->bound;
    b->in_doubt = b->in_doubt || b->carried;
    b->look = b->look || b->carried;
}

bool acme_binding_blamed(const struct acme_flow *f)
{
    return f->step == ACME_STEP_ACCOUNT && f->bound.carried && f->problem.type.len > 0;
}

#endif
