/* flow.c - RFC 8555 as a table. Below it, in its order, what each step asks and how it reads the answer.
 *
 * Nothing here waits, repeats or looks at an HTTP code: that is the engine's (exchange.c). A step that is not
 * finished answers with itself, and the engine comes back. */
#include "flow_rows.h"
#include "trace.h"
#include "../jose/b64url.h"
#include "../x509/csr.h"

/* Looks at an authorization before its challenge is answered once more: a second answer while the first is being
 * validated starts a second validation at Pebble, which may outlive the first. A few when an earlier answer may have
 * arrived; some 45 s of them when it has, and nothing has come of it (RFC 8555, 8.2: a retry is the client's to ask for). */
#define DOUBTS_MAX  4
#define SILENCE_MAX 8

static const char *account_url(const struct acme_flow *f);
static int account_ask(struct acme_flow *f, struct acme_out *payload);
static int account_read(struct acme_flow *f, const struct acme_answer *a);
static int account_refused(struct acme_flow *f, const struct acme_problem *p);
static const char *order_url(const struct acme_flow *f);
static int order_ask(struct acme_flow *f, struct acme_out *payload);
static int order_read(struct acme_flow *f, const struct acme_answer *a);
static int order_refused(struct acme_flow *f, const struct acme_problem *p);
static int respond_ask(struct acme_flow *f, struct acme_out *payload);
static int given_up(struct acme_flow *f, int error);
static int odd(struct acme_flow *f, int error);
static int order_poll_read(struct acme_flow *f, const struct acme_answer *a);
static const char *finalize_url(const struct acme_flow *f);
static int finalize_read(struct acme_flow *f, const struct acme_answer *a);
static int finalize_refused(struct acme_flow *f, const struct acme_problem *p);
static const char *certificate_url(const struct acme_flow *f);
static int certificate_read(struct acme_flow *f, const struct acme_answer *a);

/* clang-format off */
const struct acme_row acme_flow_rfc8555[ACME_STEP_COUNT] = {
    [ACME_STEP_DIRECTORY]   = {.method = ACME_METHOD_GET,     .lost = ACME_STEP_DIRECTORY,
                               .url = acme_flow_directory_url, .read = acme_flow_directory_read},
    [ACME_STEP_ACCOUNT]     = {.method = ACME_METHOD_NEW_KEY, .lost = ACME_STEP_ACCOUNT,
                               .url = account_url,           .ask = account_ask,
                               .read = account_read,         .refused = account_refused},
    [ACME_STEP_ORDER]       = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_ORDER,
                               .url = order_url,             .ask = order_ask,
                               .read = order_read,           .refused = order_refused},
    [ACME_STEP_AUTHZ]       = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_AUTHZ,
                               .url = acme_flow_authz_url,
                               .read = acme_flow_authz_read, .refused = acme_flow_gone_refused},
    [ACME_STEP_PRESENT]     = {.method = ACME_METHOD_NONE,    .lost = ACME_STEP_PRESENT},
    [ACME_STEP_RESPOND]     = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_AUTHZ_POLL,
                               .url = acme_flow_respond_url, .ask = respond_ask,
                               .read = acme_flow_respond_read, .refused = acme_flow_respond_refused},
    [ACME_STEP_AUTHZ_POLL]  = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_AUTHZ_POLL,  .poll = true,
                               .url = acme_flow_authz_url,
                               .read = acme_flow_authz_poll_read, .refused = acme_flow_gone_refused},
    [ACME_STEP_ORDER_POLL]  = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_ORDER_POLL,  .poll = true,
                               .url = order_url,
                               .read = order_poll_read,      .refused = acme_flow_gone_refused},
    [ACME_STEP_FINALIZE]    = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_ORDER_POLL,  .needs_key = true,
                               .url = finalize_url,          .ask = acme_flow_finalize_ask,
                               .read = finalize_read,        .refused = finalize_refused},
    [ACME_STEP_CERTIFICATE] = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_CERTIFICATE, .needs_key = true,
                               .url = certificate_url,       .body = ACME_BODY_CHAIN,
                               .read = certificate_read,     .refused = acme_flow_gone_refused},
#if ACME_CFG_RENEWAL
    [ACME_STEP_RENEWAL_INFO] = {.method = ACME_METHOD_GET,   .lost = ACME_STEP_RENEWAL_INFO,
                               .url = acme_flow_info_url,
                               .read = acme_flow_info_answer, .refused = acme_flow_info_refused},
#endif
};
/* clang-format on */

/* The table for what the CA speaks, and in it the step that makes the order or takes it up. */
static int order_step(struct acme_flow *f)
{
    if (ACME_CFG_V1) {
        bool v1 = f->directory.new_cert[0] != '\0';
        f->rows = v1 ? acme_flow_v1 : acme_flow_rfc8555;
        return v1 ? acme_flow_v1_order(f) : ACME_STEP_ORDER;
    }
    return ACME_STEP_ORDER;
}

static bool all_authorized(const struct acme_flow *f)
{
    return f->authz >= f->order.authz_count;
}

/* Keeps the CA's words about an object that failed, for the caller's eyes. */
static void keep_problem(struct acme_flow *f, struct acme_json *json, acme_json_value value)
{
    if (value != ACME_JSON_NONE) {
        struct acme_event about = {.step = f->step, .name = acme_flow_name(f, f->step)};
        acme_problem_tell(f->setup, &about, json, value);
        acme_problem_read(&f->problem, json, value, 0);
    }
}

/* An order that has ended is replaced once in a run when a new one may do better: it came from the store, or what failed
 * was the CA itself (Boulder, when the connection breaks while it finalizes), which may not even tell why. */
static int replace_failed(struct acme_flow *f, int error)
{
    const struct acme_problem *p = &f->problem;
    bool theirs = p->kind == ACME_PROBLEM_SERVER || p->http_status >= 500 || (f->finalized && p->type.len == 0);
    return f->resumed || theirs ? acme_flow_reorder(f, error) : error;
}

/* One reading of an order's status for all steps that get an order (7.1.6). */
static int by_order_status(struct acme_flow *f, struct acme_json *json)
{
    f->status = f->order.status;
    switch (f->order.status) {
    case ACME_STATUS_PENDING:
        f->finalized =
            f->finalized && (f->step != ACME_STEP_ORDER || f->requested); /* later it is a replica that lags */
        /* With every authorization valid a pending order is one the CA has not caught up with: 1 of 11
         * renewals at Let's Encrypt's staging in June 2026. */
        return all_authorized(f) ? ACME_STEP_ORDER_POLL : ACME_STEP_AUTHZ;
    case ACME_STATUS_READY:
        f->authz = f->order.authz_count;
        return f->step == ACME_STEP_FINALIZE ? ACME_STEP_ORDER_POLL : ACME_STEP_FINALIZE;
    case ACME_STATUS_VALID:
        f->authz = f->order.authz_count;
        f->repeats = 0;
        return f->order.certificate[0] != '\0' ? ACME_STEP_CERTIFICATE : ACME_STEP_ORDER_POLL;
    case ACME_STATUS_PROCESSING:
        f->authz = f->order.authz_count;
        return ACME_STEP_ORDER_POLL;
    case ACME_STATUS_UNKNOWN:
        return ACME_STEP_ORDER_POLL;
    case ACME_STATUS_INVALID:
    case ACME_STATUS_DEACTIVATED: /* Pebble before 2.8 */
    case ACME_STATUS_EXPIRED:
    case ACME_STATUS_REVOKED:
    case ACME_STATUS_NONE: /* acme_order_read() takes none without */
        break;
    }
    keep_problem(f, json, acme_json_member(json, 0, "error"));
    if (f->finalized && f->problem.type.len == 0 && ++f->repeats < ACME_REPEATS_MAX) {
        return ACME_STEP_ORDER_POLL; /* without a reason, and there may be a certificate: it is looked at again */
    }
    return replace_failed(f, ACME_E_ORDER);
}

/* --- DIRECTORY --- */

const char *acme_flow_directory_url(const struct acme_flow *f)
{
    return f->directory_url[0] != '\0' ? f->directory_url : f->setup->ca.directory_url;
}

int acme_flow_directory_read(struct acme_flow *f, const struct acme_answer *a)
{
    struct acme_meta meta;
    const struct acme_row *rows = f->rows;
    int error = acme_directory_read(&f->directory, &meta, a->json, &f->hosts);
    if (error != 0) {
        return error;
    }
    acme_flow_info_read(f, a->json);
    if (acme_flow_looks(f)) {
        return acme_flow_info_directory(f);
    }
    int order = order_step(f);
    if (f->order.url[0] == '\0' && f->rows == acme_flow_rfc8555) { /* an order that was made keeps its profile */
        order = acme_flow_profile_listed(f, a->json, order);
        if (order < 0) {
            return order;
        }
    }
    if (ACME_CFG_V1 && f->rows != rows) {
        f->account[0] = '\0'; /* the CA has changed its protocol: there the account has another URL */
    }
    f->cached = false;
    f->status = ACME_STATUS_NONE;
    if (f->account[0] != '\0') {
        f->save_account = true;
        return order;
    }
    if (meta.terms.len != 0) {
        struct acme_event event = {.kind = ACME_EVENT_TERMS, .step = f->step};
        event.text = acme_printable(a->json, meta.terms);
        acme_trace(f->setup, &event);
        if (!f->setup->accept_terms) {
            return ACME_E_TERMS;
        }
    }
    return meta.account_binding ? ACME_E_EAB : ACME_STEP_ACCOUNT;
}

/* --- ACCOUNT --- */

static const char *account_url(const struct acme_flow *f)
{
    return f->directory.new_account;
}

static int account_ask(struct acme_flow *f, struct acme_out *payload)
{
    acme_out_text(payload,
                  f->setup->accept_terms ? "{\"termsOfServiceAgreed\":true" : "{\"termsOfServiceAgreed\":false");
    for (size_t i = 0; i < f->setup->contact_count; i++) {
        acme_out_text(payload, i == 0 ? ",\"contact\":[\"" : "\",\"");
        acme_out_json(payload, acme_slice_of(f->setup->contacts[i]));
    }
    acme_out_text(payload, f->setup->contact_count > 0 ? "\"]}" : "}");
    return 0;
}

static int account_read(struct acme_flow *f, const struct acme_answer *a)
{
    f->status = acme_status_of(acme_json_text(a->json, 0, "status"));
    if (f->status == ACME_STATUS_DEACTIVATED || f->status == ACME_STATUS_REVOKED) {
        return ACME_E_ACCOUNT;
    }
    int error = acme_url_keep(f->account, a->location, &f->hosts);
    if (error == 0) {
        acme_flow_account_found(f);
    }
    return error != 0 ? error : ACME_STEP_ORDER;
}

static int account_refused(struct acme_flow *f, const struct acme_problem *p)
{
    (void)f;
    if (p->kind == ACME_PROBLEM_UNAUTHORIZED) { /* so Boulder and Pebble when it is deactivated */
        return ACME_E_ACCOUNT;
    }
    return p->kind == ACME_PROBLEM_BINDING ? ACME_E_EAB : ACME_E_PROBLEM;
}

static void forget_order(struct acme_flow *f)
{
    memset(&f->order, 0, sizeof(f->order));
    memset(f->seen, 0, sizeof(f->seen));
    f->authz = f->answered = f->repeats = f->denied = 0;
    f->since = 0;
    f->resumed = f->old = f->finalized = f->requested = f->in_doubt = f->save_order = false;
    f->drop_order = true;
}

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
        forget_order(f); /* it belonged to the lost account */
    }
}

int acme_flow_directory_stale(struct acme_flow *f)
{
    f->cached = false;
    acme_flow_withdraw(f);
    return ACME_STEP_DIRECTORY;
}

/* --- ORDER --- */

static const char *order_url(const struct acme_flow *f)
{
    return f->order.url[0] != '\0' ? f->order.url : f->directory.new_order;
}

static int order_ask(struct acme_flow *f, struct acme_out *payload)
{
    if (f->order.url[0] != '\0') {
        return 0; /* taken up from the store: only looked at */
    }
    for (size_t i = 0; i < f->setup->name_count; i++) {
        acme_out_text(payload, i == 0 ? "{\"identifiers\":[" : ",");
        acme_out_text(payload, "{\"type\":\"dns\",\"value\":\"");
        acme_out_lower(payload, acme_slice_of(f->setup->names[i]));
        acme_out_text(payload, "\"}");
    }
    acme_out_text(payload, "]");
    acme_flow_wishes(f, payload);
    acme_out_text(payload, "}");
    return 0;
}

static int order_read(struct acme_flow *f, const struct acme_answer *a)
{
    int error = 0;
    if (f->order.url[0] == '\0') {
        error = acme_url_keep(f->order.url, a->location, &f->hosts);
        f->save_order = error == 0;
    }
    f->authz = 0;
    if (error == 0) {
        error = acme_order_read(&f->order, a->json, &f->hosts);
    }
    if (error != 0 && f->resumed) {
        return odd(f, error);
    }
    f->repeats = 0;
    f->resumed = f->resumed || (error != 0 && f->order.url[0] != '\0'); /* as acme_flow_located() */
    return error != 0 ? error : by_order_status(f, a->json);
}

/* To newOrder: an account that was deactivated since it was stored, or a key that is not its own any more since an older
 * state was put back, are told as `unauthorized` or `malformed`, and both are found at the account. */
static int order_refused(struct acme_flow *f, const struct acme_problem *p)
{
    if (f->order.url[0] != '\0') {
        return acme_flow_gone_refused(f, p);
    }
    int without = acme_flow_wishes_refused(f, p);
    if (without != 0) {
        return without;
    }
    bool by_account = p->kind == ACME_PROBLEM_UNAUTHORIZED || p->kind == ACME_PROBLEM_MALFORMED;
    return by_account && !f->confirmed ? acme_flow_account_look(f) : ACME_E_PROBLEM;
}

int acme_flow_reorder(struct acme_flow *f, int error)
{
    acme_flow_withdraw(f);
    if (f->reordered) {
        return error;
    }
    f->reordered = true;
    forget_order(f);
    return ACME_STEP_ORDER;
}

bool acme_flow_keeps_order(const struct acme_flow *f)
{
    return f->finalized && !f->old;
}

/* The stored order could not be had, or is of no use, as often as was tried. */
static int given_up(struct acme_flow *f, int error)
{
    return f->resumed && !acme_flow_keeps_order(f) ? acme_flow_reorder(f, error) : error;
}

/* So too when an answer is not what it should be, or every later run would stumble over it again. One that lacks a member is
 * asked for again first, by the engine. */
static int odd(struct acme_flow *f, int error)
{
    return error == ACME_E_MEMBER && ++f->repeats < ACME_REPEATS_MAX ? error : given_up(f, error);
}

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
    if (ACME_CFG_V1 && f->rows == acme_flow_v1) {
        return acme_flow_v1_next(f);
    }
    if (!all_authorized(f)) {
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
    keep_problem(f, json, problem);
    return replace_failed(f, ACME_E_AUTHZ);
}

/* Finds whose authorization it is among the names asked for. Those of ACME v1 were asked for one by one. */
static bool asked_for(struct acme_flow *f, struct acme_slice name)
{
    bool v1 = ACME_CFG_V1 && f->rows == acme_flow_v1;
    for (f->name_at = v1 ? f->authz : 0; f->name_at < f->setup->name_count; f->name_at++) {
        if (acme_slice_is_nocase(name, acme_slice_of(f->setup->names[f->name_at]))) {
            return true;
        }
        if (v1) {
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
        return odd(f, error);
    }
    if (!asked_for(f, authz.name)) { /* the URL that is stored may be that of another */
        return odd(f, ACME_E_MEMBER);
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

/* --- PRESENT --- */

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

/* --- RESPOND --- */

const char *acme_flow_respond_url(const struct acme_flow *f)
{
    return f->challenge_url;
}

static int respond_ask(struct acme_flow *f, struct acme_out *payload)
{
    f->in_doubt = false;
    acme_out_text(payload, "{}");
    return 0;
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
    acme_flow_lost(f);
    if (++f->repeats < ACME_REPEATS_MAX) {
        return ACME_STEP_AUTHZ_POLL;
    }
    acme_flow_withdraw(f);
    /* serles validates before it answers, and refuses with the reason: `connection` and the like (2026-11). */
    return p->kind == ACME_PROBLEM_OTHER && p->type.len > 0 ? ACME_E_AUTHZ : ACME_E_PROBLEM;
}

void acme_flow_lost(struct acme_flow *f)
{
    if (f->step == ACME_STEP_RESPOND) {
        f->in_doubt = true;
        f->looks = 0;
    }
    if (f->step == ACME_STEP_FINALIZE) {
        f->finalized = true;
        f->old = false;
    }
    acme_manage_lost(f);
}

void acme_flow_located(struct acme_flow *f, struct acme_slice location)
{
    if (f->rows == acme_flow_rfc8555 && f->step == ACME_STEP_ORDER && f->order.url[0] == '\0') {
        f->save_order = acme_url_keep(f->order.url, location, &f->hosts) == 0;
        f->resumed =
            f->save_order; /* some CAs list the authorizations in newOrder's answer only: then it is of no use */
    }
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

/* --- ORDER_POLL --- */

static int order_poll_read(struct acme_flow *f, const struct acme_answer *a)
{
    int error = acme_order_read(&f->order, a->json, &f->hosts);
    return error != 0 ? error : by_order_status(f, a->json);
}

/* An object that was there a moment ago is denied: a replica of the CA's database that lags, or it is really
 * gone. */
int acme_flow_gone_refused(struct acme_flow *f, const struct acme_problem *p)
{
    (void)p;
    if (++f->denied < ACME_REPEATS_MAX) {
        return (int)f->step;
    }
    return given_up(f, ACME_E_PROBLEM);
}

/* --- FINALIZE --- */

static const char *finalize_url(const struct acme_flow *f)
{
    return f->order.finalize;
}

int acme_flow_finalize_ask(struct acme_flow *f, struct acme_out *payload)
{
    f->requested = true;
    acme_out_text(payload, "{\"csr\":\"");
    /* The request is built at the end of the buffer and encoded forward from there. */
    char *free = payload->at + payload->len;
    size_t room = payload->cap - payload->len;
    size_t start = 0;
    int error = acme_csr_write(free, room, &start, &f->setup->certificate_key, f->setup->names, f->setup->name_count);
    if (error != 0) {
        return error;
    }
    f->signatures++;
    acme_out_b64url(payload, free + start, room - start);
    acme_out_text(payload, "\"}");
    return 0;
}

static int finalize_read(struct acme_flow *f, const struct acme_answer *a)
{
    acme_flow_lost(f); /* whatever the order is like: it was carried out */
    return order_poll_read(f, a);
}

/* The order tells: not ready yet, or it is, and has not been seen by whoever refused. What was refused for a reason is asked
 * for once more. */
static int finalize_refused(struct acme_flow *f, const struct acme_problem *p)
{
    bool early = p->kind == ACME_PROBLEM_ORDER_NOT_READY;
    uint8_t most = p->kind == ACME_PROBLEM_OTHER && p->type.len > 0 ? 2 : ACME_REPEATS_MAX;
    if (p->type.len == 0) { /* a page in the place of the CA's answer */
        acme_flow_lost(f);
    }
    return early || ++f->repeats < most ? (int)ACME_STEP_ORDER_POLL : ACME_E_PROBLEM;
}

/* --- CERTIFICATE --- */

static const char *certificate_url(const struct acme_flow *f)
{
    return f->order.certificate;
}

static int certificate_read(struct acme_flow *f, const struct acme_answer *a)
{
    (void)a;
    f->status = ACME_STATUS_NONE;
    return ACME_STEP_COUNT; /* the chain itself was judged as it came in */
}

void acme_flow_start(struct acme_flow *f)
{
    f->resumed = f->order.url[0] != '\0';
    f->cached = f->account[0] != '\0';
    f->step = f->cached ? (enum acme_step)order_step(f) : ACME_STEP_DIRECTORY;
}

struct acme_slice acme_flow_name(const struct acme_flow *f, enum acme_step step)
{
    enum acme_step first = ACME_CFG_V1 && f->rows == acme_flow_v1 ? ACME_STEP_ORDER : ACME_STEP_AUTHZ;
    bool of_a_name = step >= first && step <= ACME_STEP_AUTHZ_POLL;
    return acme_slice_of(of_a_name ? f->name : "");
}

uint32_t acme_flow_progress(const struct acme_flow *f, enum acme_step step)
{
    uint32_t steps = f->authz * (uint32_t)ACME_STEP_COUNT + (uint32_t)step;
    return ACME_CFG_V1 ? steps + f->issuers : steps;
}
