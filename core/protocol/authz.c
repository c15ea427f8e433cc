/* authz.c - an authorization, from the first look to its end (RFC 8555, 7.5): the same in both protocols. */
#include "steps.h"
#include "../jose/b64url.h"

/* Looks at an authorization before its challenge is answered once more: a second answer while the first is being
 * validated starts a second validation at Pebble, which may outlive the first. A few when an earlier answer may have
 * arrived; some 45 s of them when it has, and nothing has come of it (RFC 8555, 8.2: a retry is the client's to ask for). */
#define DOUBTS_MAX  4
#define SILENCE_MAX 8

/* --- AUTHZ --- */

const char *acme_flow_authz_url(const struct acme_flow *f)
{
    return f->order.authz[f->authz];
}

/* The authorization is valid: to the next, or to the certificate request.
 * The order itself is not asked for first when each name has been seen valid: it would cost every issuance a request to
 * find what finalize says as well, since orderNotReady there leads to ORDER_POLL and back. An order that lists one twice,
 * or fewer than there are names, has to say itself that it is ready. */
static int authorized(struct acme_flow *f)
{
    acme_flow_withdraw(f);
    f->seen[f->name_at / 8] |= (uint8_t)(1u << (f->name_at % 8));
    f->authz++;
    f->repeats = 0;
    if (f->authz < f->order.authz_count) {
        return ACME_STEP_AUTHZ;
    }
    size_t i = 0;
    while (i < f->setup->name_count && (f->seen[i / 8] >> (i % 8) & 1) != 0) {
        i++;
    }
    return i == f->setup->name_count ? ACME_STEP_FINALIZE : ACME_STEP_ORDER_POLL;
}

static int unauthorized(struct acme_flow *f, struct acme_json *json, acme_json_value problem)
{
    acme_flow_withdraw(f);
    acme_flow_keep_problem(f, json, problem);
    return acme_flow_replace_failed(f, ACME_E_AUTHZ);
}

/* Finds whose authorization it is among the names asked for. Those of ACME v1 were asked for one by one. */
static bool asked_for(struct acme_flow *f, struct acme_slice name)
{
    bool in_turn = acme_is_v1(f);
    for (f->name_at = in_turn ? f->authz : 0; f->name_at < f->setup->name_count; f->name_at++) {
        if (acme_slice_is_nocase(name, acme_slice_of(f->setup->names[f->name_at]))) {
            return true;
        }
        if (in_turn) {
            break;
        }
    }
    return false;
}

static int choose_challenge(struct acme_flow *f, struct acme_json *json)
{
    struct acme_authz authz;
    for (size_t i = 0; i < f->setup->solver_count; i++) {
        f->solver = f->setup->solvers[i];
        (void)acme_authz_read(&authz, json, f->solver->type); /* worked for the first solver's type already */
        if (authz.url.len == 0) {
            continue;
        }
        if (!acme_b64url_ok(authz.token, ACME_TOKEN_MAX)) {
            return ACME_E_TOKEN;
        }
        memcpy(f->token, authz.token.at, authz.token.len);
        f->token[authz.token.len] = '\0';
        /* The CA is at it: the order is a reused one, and somebody has answered its challenge. Or we may have, before
         * a reset, or before the way led back to it. */
        f->accepted = f->authz < f->answered;
        f->in_doubt = f->authz < f->answered || authz.challenge == ACME_STATUS_PROCESSING;
        int error = acme_url_keep(f->challenge_url, authz.url, &f->hosts);
        return error != 0 ? error : ACME_STEP_PRESENT;
    }
    return ACME_E_CHALLENGE_NONE;
}

int acme_flow_authz_read(struct acme_flow *f, const struct acme_answer *a)
{
    struct acme_authz authz;
    int error = acme_authz_read(&authz, a->json, f->setup->solvers[0]->type);
    if (error != 0) {
        return acme_flow_odd(f, error);
    }
    if (!asked_for(f, authz.name)) { /* the URL that is stored may be that of another */
        return acme_flow_odd(f, ACME_E_MEMBER);
    }
    memcpy(f->name, authz.name.at, authz.name.len); /* fits: it equals a name acme_init() has checked */
    f->name[authz.name.len] = '\0';
    f->status = authz.status;
    switch (authz.status) {
    case ACME_STATUS_VALID:
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
    return unauthorized(f, a->json, authz.error);
}

/* --- RESPOND --- */

const char *acme_flow_respond_url(const struct acme_flow *f)
{
    return f->challenge_url;
}

int acme_flow_respond_read(struct acme_flow *f, const struct acme_answer *a)
{
    f->status = acme_status_of(acme_json_text(a->json, 0, "status"));
    f->accepted = true;
    return ACME_STEP_AUTHZ_POLL;
}

int acme_flow_respond_refused(struct acme_flow *f, const struct acme_problem *p)
{
    /* The CA is validating already, or has finished: an earlier response of ours arrived after all. Pebble
     * and older Boulders say malformed, Boulder since July 2026 conflict. Or it means what it says, and the
     * authorization will stay pending, or be invalid (serles: the failed validation is the answer). That one tells. */
    if (p->kind == ACME_PROBLEM_CONFLICT || f->accepted) {
        return ACME_STEP_AUTHZ_POLL;
    }
    acme_flow_respond_lost(f);
    if (++f->repeats < ACME_REPEATS_MAX) {
        return ACME_STEP_AUTHZ_POLL;
    }
    acme_flow_withdraw(f);
    /* serles validates before it answers, and refuses with the reason: `connection` and the like (2026-11). */
    return p->kind == ACME_PROBLEM_OTHER && p->type.len > 0 ? ACME_E_AUTHZ : ACME_E_PROBLEM;
}

void acme_flow_respond_lost(struct acme_flow *f)
{
    f->in_doubt = true;
    f->looks = 0;
}

/* --- AUTHZ_POLL --- */

/* Somebody else may have given the first answer, and ours is then in doubt after a reset: stored before it goes out. */
static int answer_again(struct acme_flow *f)
{
    if (f->answered <= f->authz) {
        f->answered = (uint8_t)(f->authz + 1);
        f->save_order = true;
    }
    return ACME_STEP_RESPOND;
}

int acme_flow_authz_poll_read(struct acme_flow *f, const struct acme_answer *a)
{
    struct acme_authz authz;
    int error = acme_authz_read(&authz, a->json, f->solver->type);
    if (error != 0) {
        return error;
    }
    f->status = authz.status;
    switch (authz.status) {
    case ACME_STATUS_VALID:
        f->in_doubt = false;
        return authorized(f);
    case ACME_STATUS_PENDING:
    case ACME_STATUS_PROCESSING:
    case ACME_STATUS_READY:
    case ACME_STATUS_UNKNOWN:
        f->in_doubt = f->in_doubt && authz.challenge != ACME_STATUS_PROCESSING;
        f->looks++;
        if (f->in_doubt && f->looks >= DOUBTS_MAX) {
            return answer_again(f);
        }
        /* step-ca (and Caddy) leave a failed validation pending, with the error inside, and try again only
         * when the challenge is answered again. */
        if (authz.challenge == ACME_STATUS_PENDING && authz.error != ACME_JSON_NONE) {
            return ++f->repeats < ACME_REPEATS_MAX ? answer_again(f) : unauthorized(f, a->json, authz.error);
        }
        if (authz.challenge == ACME_STATUS_PENDING && f->looks >= SILENCE_MAX && f->repeats + 1 < ACME_REPEATS_MAX) {
            f->repeats++;
            f->looks = 0;
            return answer_again(f);
        }
        return ACME_STEP_AUTHZ_POLL;
    case ACME_STATUS_NONE:
    case ACME_STATUS_INVALID:
    case ACME_STATUS_DEACTIVATED:
    case ACME_STATUS_EXPIRED:
    case ACME_STATUS_REVOKED:
        break;
    }
    return unauthorized(f, a->json, authz.error);
}
