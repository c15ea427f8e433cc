/* choice.c - several solvers: which one is to answer for a name, what it is told and tells, and what outlives a reset. */
#include "steps.h"
#include "trace.h"
#include "../wire/address.h"

#if ACME_CFG_CHOICE

static bool is_wildcard(const char *name)
{
    return name[0] == '*';
}

static const struct acme_solver *solver_of(const struct acme_flow *f, const struct acme_validation *v)
{
    return f->setup->solvers[v->solver];
}

/* --- whose turn it is --- */

uint8_t acme_flow_solver_in(const struct acme_flow *f, uint8_t place)
{
    size_t at = (size_t)f->turn + place;
    return (uint8_t)(at < f->setup->solver_count ? at : at - f->setup->solver_count);
}

bool acme_flow_takes(const struct acme_flow *f, uint8_t place)
{
    const struct acme_validation *v = &f->at[f->authz];
    bool wildcard = is_wildcard(f->setup->names[v->name - 1]);
    return place >= v->passed && (!wildcard || f->setup->solvers[acme_flow_solver_in(f, place)]->wildcards);
}

void acme_flow_next_turn(struct acme_flow *f)
{
    acme_flow_set_turn(f, f->at[f->authz].solver + 1u);
}

/* --- what is asked, and answered --- */

#if ACME_CFG_DNS_DRAFTS
static void tell_account(const struct acme_flow *f, struct acme_validation *v)
{
    v->challenge.account = f->account;
}
#else
#define tell_account(f, v) ((void)0)
#endif

bool acme_flow_is_about(const struct acme_flow *f, size_t name, const struct acme_authz *authz)
{
    const char *text = f->setup->names[name];
    bool wildcard = is_wildcard(text);
    return wildcard == authz->wildcard && acme_name_is(authz->name, wildcard ? text + 2 : text);
}

void acme_flow_describe(struct acme_flow *f, struct acme_validation *v)
{
    v->challenge.type = solver_of(f, v)->type;
    v->challenge.wildcard = is_wildcard(v->challenge.name);
    v->challenge.name += v->challenge.wildcard ? 2 : 0;
    v->challenge.valid = false;
    tell_account(f, v);
}

bool acme_flow_declines(struct acme_flow *f, struct acme_validation *v, int done)
{
    const struct acme_solver *solver = solver_of(f, v);
    const char *words = solver->words != NULL && done != 0 ? solver->words(solver->ctx) : NULL;
    if (words != NULL && words[0] != '\0') {
        struct acme_event event = {.kind = ACME_EVENT_SOLVER, .step = f->step, .error = done < 0 ? done : 0};
        event.name = acme_slice_of(f->setup->names[v->name - 1]);
        event.text = acme_slice_of(solver->type);
        event.detail = acme_slice_of(words);
        acme_trace(f->setup, &event);
        if (done < 0) {
            f->problem.detail = event.detail; /* for whoever is told why the run has failed */
        }
    }
    if (done == ACME_E_DECLINED) {
        uint8_t place = v->passed;
        while (acme_flow_solver_in(f, place) != v->solver) {
            place++;
        }
        v->passed = (uint8_t)(place + 1);
    }
    return done == ACME_E_DECLINED;
}

/* --- what outlives a reset, or a run --- */

bool acme_flow_lasts(const struct acme_flow *f, const struct acme_validation *v)
{
    return solver_of(f, v)->lasts;
}

bool acme_flow_leaves(const struct acme_flow *f)
{
    for (size_t i = 0; i < f->setup->solver_count; i++) {
        if (f->setup->solvers[i]->lasts) {
            return true;
        }
    }
    return false;
}

bool acme_flow_clears(const struct acme_flow *f)
{
    for (size_t i = 0; f->setup != NULL && i < f->setup->solver_count; i++) {
        const struct acme_solver *solver = f->setup->solvers[i];
        if (solver->clearing != NULL && solver->clearing(solver->ctx)) {
            return true;
        }
    }
    return false;
}

#endif
