/* validate.c - the authorizations of an order side by side: all are looked at, all answers are put on show, all are told to the
 * CA, then each is asked for in turn until it is valid (RFC 8555, 7.5.1 and 8). Which is next, and what is on show. */
#include "steps.h"
#include "../jose/b64url.h"

static const struct acme_solver *solver_of(const struct acme_flow *f, const struct acme_validation *v)
{
    return f->setup->solvers[v->solver];
}

/* --- texts: they lie with the order's --- */

int acme_flow_keep_token(struct acme_flow *f, struct acme_slice token)
{
    return acme_order_keep(&f->order, &f->order.authz[f->authz].token, token, 0) ? 0 : ACME_E_URL_LONG;
}

/* Where there is room, also for the tokens that are still to come: then it is not asked for again before it is answered. */
int acme_flow_keep_challenge(struct acme_flow *f, struct acme_slice url)
{
    int error = acme_url_keep(f->challenge_url, url, &f->hosts);
    f->url_of = error == 0 ? (uint8_t)(f->authz + 1) : 0;
    if (error == 0) {
        size_t token = strlen(f->order.text + f->order.authz[f->authz].token) + 1;
        size_t spare = acme_is_v1(f) ? sizeof(f->order.text) : token * (f->order.authz_count - 1u - f->authz);
        (void)acme_order_keep(&f->order, &f->order.authz[f->authz].challenge, url, spare);
    }
    return error;
}

const char *acme_flow_respond_url(const struct acme_flow *f)
{
    return f->url_of == f->authz + 1 ? f->challenge_url : f->order.text + f->order.authz[f->authz].challenge;
}

/* --- which is next --- */

/* The first authorization in this stage from `from` on, round to it; it is then the one in hand. */
static bool find(struct acme_flow *f, enum acme_stage stage, unsigned from)
{
    unsigned at = from;
    for (unsigned i = 0; i < f->order.authz_count; i++, at++) {
        at = at < f->order.authz_count ? at : 0;
        if (f->at[at].stage == stage) {
            f->authz = (uint8_t)at;
            return true;
        }
    }
    return false;
}

/* The order itself is not asked for first when each name has been seen valid: it would cost every issuance a request to
 * find what finalize says as well, since orderNotReady there leads to ORDER_POLL and back. An order that lists fewer
 * than there are names, or more, has to say itself that it is ready. */
static int all_valid(struct acme_flow *f)
{
    if (ACME_CFG_CHOICE) {
        acme_flow_withdraw(f); /* what had to stay until all are judged */
    }
    f->authorized = true;
    return f->order.authz_count == f->setup->name_count ? ACME_STEP_FINALIZE : ACME_STEP_ORDER_POLL;
}

int acme_flow_next(struct acme_flow *f)
{
    int stage = ACME_STAGE_NEW;
    while (stage < ACME_STAGE_VALID &&
           !find(f, (enum acme_stage)stage, stage == ACME_STAGE_ASKED ? f->authz + 1u : 0)) {
        stage++;
    }
    if (stage == ACME_STAGE_VALID) {
        return all_valid(f);
    }
    if (stage == ACME_STAGE_SHOWN) {
        if (acme_flow_respond_url(f)[0] == '\0') {
            return ACME_STEP_AUTHZ; /* there was no room for it */
        }
        if (f->answered <= f->authz) { /* stored before it goes out: what was never sent is in no doubt */
            f->answered = (uint8_t)(f->authz + 1);
            f->save_order = true;
        }
    }
    return ACME_STEP_AUTHZ + stage; /* the steps are in the order of the stages */
}

/* --- PRESENT --- */

static int make_thumbprint(struct acme_flow *f)
{
    const struct acme_key *key = &f->setup->account_key;
    uint8_t point[ACME_POINT_LEN];
    int error = key->ops->point(key->handle, point);
    if (error == 0) {
        acme_jwk_thumbprint(point, f->thumbprint); /* behind it the struct has a zero */
    }
    return error;
}

static void fill_challenge(struct acme_flow *f)
{
    struct acme_validation *v = &f->at[f->authz];
    v->challenge.name = f->setup->names[v->name - 1];
    v->challenge.token = f->order.text + f->order.authz[f->authz].token;
    v->challenge.thumbprint = f->thumbprint;
    acme_flow_describe(f, v);
}

#if ACME_CFG_CHOICE
int acme_flow_take_up(struct acme_flow *f)
{
    fill_challenge(f);
    return make_thumbprint(f);
}
#endif

/* Every answer that is not out yet gets its turn, for each may take long. */
int acme_flow_act(struct acme_flow *f)
{
    int error = make_thumbprint(f);
    for (uint8_t i = 0; error == 0 && i < f->order.authz_count; i++) {
        struct acme_validation *v = &f->at[i];
        if (v->stage != ACME_STAGE_OPEN) {
            continue;
        }
        f->authz = i;
        fill_challenge(f);
        if (!v->shown) {
            v->shown = true;
            f->presented++;
        }
        int done = solver_of(f, v)->present(solver_of(f, v)->ctx, &v->challenge);
        if (acme_flow_declines(f, v, done)) {
            acme_flow_take_back(f, v);
            continue;
        }
        if (done < 0) {
            acme_flow_next_turn(f);
            return done;
        }
        if (done > 0) {
            v->stage = v->in_doubt ? ACME_STAGE_ASKED : ACME_STAGE_SHOWN;
            v->since = f->polled;
        }
    }
    return error != 0 ? error : acme_flow_next(f);
}

void acme_flow_take_back(struct acme_flow *f, struct acme_validation *v)
{
    if (v->shown) {
        v->shown = false;
        v->stage = ACME_STAGE_NEW;
        f->told = --f->presented > 0 && f->told;
        solver_of(f, v)->withdraw(solver_of(f, v)->ctx, &v->challenge);
    }
}

void acme_flow_withdraw(struct acme_flow *f)
{
    for (uint8_t i = 0; i < ACME_NAMES_MAX; i++) {
        acme_flow_take_back(f, &f->at[i]);
    }
    f->told = false;
}

void acme_flow_look_anew(struct acme_flow *f)
{
    for (uint8_t i = 0; i < ACME_NAMES_MAX; i++) {
        f->at[i].stage = ACME_STAGE_NEW;
        f->at[i].answers = 0;
    }
    f->authorized = false;
}

/* --- the solvers' own work --- */

static bool works(const struct acme_flow *f)
{
    return f->presented > 0 || acme_flow_clears(f);
}

bool acme_flow_serves(const struct acme_flow *f)
{
    for (size_t i = 0; works(f) && i < f->setup->solver_count; i++) {
        if (f->setup->solvers[i]->tick != NULL) {
            return true;
        }
    }
    return false;
}

bool acme_flow_serve(struct acme_flow *f, uint32_t now_ms)
{
    bool moved = false, at_work = works(f);
    for (size_t i = 0; at_work && i < f->setup->solver_count; i++) {
        const struct acme_solver *solver = f->setup->solvers[i];
        if (solver->tick != NULL && solver->tick(solver->ctx, now_ms)) {
            moved = true;
        }
    }
    return moved;
}
