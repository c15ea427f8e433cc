/* authz.c - an authorization, from the first look to its end (RFC 8555, 7.5): the same in both protocols. */
#include "steps.h"
#include "../jose/b64url.h"
#include "challenge_dnspersist01.h"
#include "../wire/address.h"

/* Looks at an authorization before its challenge is answered once more: a second answer while the first is being
 * validated starts a second validation at Pebble, which may outlive the first. A few when an earlier answer may have
 * arrived; some 45 s of them when it has, and nothing has come of it (RFC 8555, 8.2: a retry is the client's to ask for). Where
 * several names take turns, after a turn more, in which none of them has become valid. */
#define DOUBTS_MAX  4
#define SILENCE_MAX 8

/* --- AUTHZ --- */

const char *acme_flow_authz_url(const struct acme_flow *f)
{
    return acme_order_authz(&f->order, f->authz);
}

static struct acme_validation *in_hand(struct acme_flow *f)
{
    return &f->at[f->authz];
}

static int authorized(struct acme_flow *f)
{
    acme_flow_say_valid(in_hand(f));
    if (!acme_flow_lasts(f, in_hand(f))) {
        acme_flow_take_back(f, in_hand(f));
    }
    in_hand(f)->stage = ACME_STAGE_VALID;
    f->tries = 0;
    f->moved = f->polled;
    int next = acme_flow_next(f);
    f->at_once = next == ACME_STEP_AUTHZ_POLL; /* what its answer waited for has been waited for */
    return next;
}

/* One that fails ends it for all. */
static int unauthorized(struct acme_flow *f, struct acme_json *json, acme_json_value problem)
{
    acme_flow_next_turn(f);
    acme_flow_withdraw(f);
    if (f->status != ACME_STATUS_PENDING) { /* step-ca leaves it so */
        acme_flow_closed(f);
    }
    acme_flow_keep_problem(f, json, problem);
    return acme_flow_replace_failed(f, ACME_E_AUTHZ);
}

/* Finds whose authorization it is among the names asked for. Those of ACME v1 were asked for one by one. */
static bool asked_for(struct acme_flow *f, const struct acme_authz *authz)
{
    size_t first = acme_is_v1(f) ? f->authz : 0, behind = acme_is_v1(f) ? f->authz + 1u : f->setup->name_count;
    for (size_t i = first; i < behind; i++) {
        if (acme_flow_is_about(f, i, authz)) {
            in_hand(f)->name = (uint8_t)(i + 1);
            return true;
        }
    }
    return false;
}

/* An address has no place in the DNS (RFC 8738, 7). */
static bool suits(const struct acme_solver *solver, const char *name)
{
    return !acme_is_address(name) || strncmp(solver->type, "dns-", 4) != 0;
}

#if ACME_CFG_DNS_DRAFTS
/* One whose list of issuers is malformed must not be answered, but another may. */
static bool is_sound(const struct acme_solver *solver, const struct acme_authz *authz, const struct acme_json *json,
                     int *none)
{
    struct acme_slice first;
    bool sound = !solver->standing || acme_dnspersist01_challenge(json, authz->at, &first) > 0;
    *none = sound ? *none : ACME_E_ISSUERS;
    return sound;
}

/* Where there is no token none is kept, whatever is said of one. */
static bool takes_token(const struct acme_solver *solver, struct acme_authz *authz)
{
    authz->token = solver->standing ? acme_slice("", 0) : authz->token;
    return solver->standing || acme_b64url_ok(authz->token, ACME_TOKEN_MAX);
}
#else
#define is_sound(solver, authz, json, none) true
#define takes_token(solver, authz)          acme_b64url_ok((authz)->token, ACME_TOKEN_MAX)
#endif

static int choose_challenge(struct acme_flow *f, struct acme_json *json)
{
    struct acme_validation *v = in_hand(f);
    struct acme_authz authz;
    bool known = v->stage != ACME_STAGE_NEW; /* it is looked at for the challenge's URL again */
    int none = ACME_E_CHALLENGE_NONE;
    for (uint8_t place = 0; place < f->setup->solver_count; place++) {
        uint8_t i = acme_flow_solver_in(f, place);
        (void)acme_authz_read(&authz, json, f->setup->solvers[i]->type); /* worked for the first one's already */
        if (authz.url.len == 0 || (known ? i != v->solver : !acme_flow_takes(f, place)) ||
            !suits(f->setup->solvers[i], f->setup->names[v->name - 1]) ||
            !is_sound(f->setup->solvers[i], &authz, json, &none)) {
            continue;
        }
        if (!takes_token(f->setup->solvers[i], &authz)) {
            return ACME_E_TOKEN;
        }
        if (!known) {
            int full = acme_flow_keep_token(f, authz.token);
            if (full != 0) {
                return full;
            }
            v->solver = i;
            v->stage = ACME_STAGE_OPEN;
            /* The CA is at it: the order is a reused one, and somebody has answered its challenge. Or we may have, before
             * a reset, or before the way led back to it. */
            v->accepted = f->authz < f->answered;
            v->in_doubt = v->accepted || authz.challenge == ACME_STATUS_PROCESSING;
            f->told = f->told || v->accepted;
        }
        int error = acme_flow_keep_challenge(f, authz.url);
        return error != 0 ? error : acme_flow_next(f);
    }
    return none;
}

#if ACME_CFG_CHOICE
/* An authorization is no longer open, in a run that took its order up: what a reset may have left on show is withdrawn. The
 * challenge that was answered is still there, and tells which. */
static void clear_left(struct acme_flow *f, struct acme_json *json)
{
    struct acme_validation *v = in_hand(f);
    struct acme_authz authz;
    for (uint8_t i = 0; f->resumed && !v->shown && i < f->setup->solver_count; i++) {
        const struct acme_solver *solver = f->setup->solvers[i];
        (void)acme_authz_read(&authz, json, solver->type);
        if (solver->lasts && acme_b64url_ok(authz.token, ACME_TOKEN_MAX) &&
            acme_flow_keep_token(f, authz.token) == 0) {
            v->solver = i;
            if (acme_flow_take_up(f) == 0) {
                v->challenge.valid = f->status == ACME_STATUS_VALID;
                solver->withdraw(solver->ctx, &v->challenge);
            }
        }
    }
}
#else
#define clear_left(f, json) ((void)(json))
#endif

int acme_flow_authz_read(struct acme_flow *f, const struct acme_answer *a)
{
    struct acme_authz authz;
    int error = acme_authz_read(&authz, a->json, f->setup->solvers[0]->type);
    if (error != 0) {
        return acme_flow_odd(f, error);
    }
    if (!asked_for(f, &authz)) { /* the URL that is stored may be that of another */
        return acme_flow_odd(f, ACME_E_MEMBER);
    }
    f->status = authz.status;
    switch (authz.status) {
    case ACME_STATUS_VALID:
        clear_left(f, a->json);
        return authorized(f);
    case ACME_STATUS_PENDING:
    case ACME_STATUS_PROCESSING:
    case ACME_STATUS_READY:
    case ACME_STATUS_UNKNOWN:
        return choose_challenge(f, a->json);
    case ACME_STATUS_NONE:
    case ACME_STATUS_INVALID:
    case ACME_STATUS_DEACTIVATED:
    case ACME_STATUS_EXPIRED:
    case ACME_STATUS_REVOKED:
        break;
    }
    clear_left(f, a->json);
    return unauthorized(f, a->json, authz.error);
}

/* --- RESPOND --- */

int acme_flow_respond_read(struct acme_flow *f, const struct acme_answer *a)
{
    struct acme_validation *v = in_hand(f);
    f->status = acme_status_of(acme_json_text(a->json, 0, "status"));
    v->stage = ACME_STAGE_ASKED;
    v->accepted = f->told = true;
    v->in_doubt = false;
    return acme_flow_next(f);
}

int acme_flow_respond_refused(struct acme_flow *f, const struct acme_problem *p)
{
    struct acme_validation *v = in_hand(f);
    /* The CA is validating already, or has finished: an earlier response of ours arrived after all. Pebble
     * and older Boulders say malformed, Boulder since July 2026 conflict. Or it means what it says, and the
     * authorization will stay pending, or be invalid (serles: the failed validation is the answer). That one tells. */
    if (p->kind == ACME_PROBLEM_CONFLICT || v->accepted) {
        v->stage = ACME_STAGE_ASKED;
        v->in_doubt = false;
        return acme_flow_next(f);
    }
    acme_flow_respond_lost(f);
    if (++v->answers < ACME_TRIES_MAX) {
        return acme_flow_next(f);
    }
    acme_flow_withdraw(f);
    /* serles validates before it answers, and refuses with the reason: `connection` and the like (2026-11). */
    return p->kind == ACME_PROBLEM_OTHER && p->type.len > 0 ? ACME_E_AUTHZ : ACME_E_PROBLEM;
}

void acme_flow_respond_lost(struct acme_flow *f)
{
    struct acme_validation *v = in_hand(f);
    v->stage = ACME_STAGE_ASKED;
    v->since = f->polled;
    v->in_doubt = true;
}

/* --- AUTHZ_POLL --- */

/* Somebody else may have given the first answer, and ours is then in doubt after a reset: stored before it goes out. */
static int answer_again(struct acme_flow *f, const struct acme_authz *authz)
{
    if (acme_flow_respond_url(f)[0] == '\0') { /* there was no room for it */
        (void)acme_flow_keep_challenge(f, authz->url);
    }
    in_hand(f)->stage = ACME_STAGE_SHOWN;
    return acme_flow_next(f);
}

int acme_flow_authz_poll_read(struct acme_flow *f, const struct acme_answer *a)
{
    struct acme_validation *v = in_hand(f);
    struct acme_authz authz;
    uint8_t looks, still;
    int error = acme_authz_read(&authz, a->json, f->setup->solvers[v->solver]->type);
    if (error != 0) {
        return error;
    }
    f->status = authz.status;
    switch (authz.status) {
    case ACME_STATUS_VALID:
        return authorized(f);
    case ACME_STATUS_PENDING:
    case ACME_STATUS_PROCESSING:
    case ACME_STATUS_READY:
    case ACME_STATUS_UNKNOWN:
        v->in_doubt = v->in_doubt && authz.challenge != ACME_STATUS_PROCESSING;
        looks = (uint8_t)(++f->polled - v->since);
        still = (uint8_t)(f->polled - f->moved);
        still = still < looks ? still : looks;
        if (v->in_doubt && looks >= DOUBTS_MAX) {
            return answer_again(f, &authz);
        }
        if (authz.challenge != ACME_STATUS_PENDING) {
            return acme_flow_next(f);
        }
        /* step-ca (and Caddy) leave a failed validation pending, with the error inside, and try again only
         * when the challenge is answered again. */
        if (authz.error != ACME_JSON_NONE) {
            return ++v->answers < ACME_TRIES_MAX ? answer_again(f, &authz) : unauthorized(f, a->json, authz.error);
        }
        if (still >= SILENCE_MAX + f->presented - 1 && v->answers + 1 < ACME_TRIES_MAX) {
            v->answers++;
            v->since = f->polled;
            return answer_again(f, &authz);
        }
        return acme_flow_next(f);
    case ACME_STATUS_NONE:
    case ACME_STATUS_INVALID:
    case ACME_STATUS_DEACTIVATED:
    case ACME_STATUS_EXPIRED:
    case ACME_STATUS_REVOKED:
        break;
    }
    return unauthorized(f, a->json, authz.error);
}
