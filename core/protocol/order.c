/* order.c - the order's life (RFC 8555, 7.1.6): what its status means to all steps that are told it, when it is given up for
 * another one, and its certificate request. */
#include "steps.h"
#include "trace.h"
#include "../jose/b64url.h"
#include "../x509/csr.h"

/* --- given up, or kept --- */

int acme_flow_reorder(struct acme_flow *f, int error)
{
    acme_flow_withdraw(f);
    if (f->reordered) {
        return error;
    }
    f->reordered = true;
    return acme_flow_leave(f, false);
}

bool acme_flow_keeps_order(const struct acme_flow *f)
{
    return f->finalized && !f->old;
}

int acme_flow_give_up(struct acme_flow *f, int error)
{
    return f->resumed && !acme_flow_keeps_order(f) ? acme_flow_reorder(f, error) : error;
}

int acme_flow_odd(struct acme_flow *f, int error)
{
    return error == ACME_E_MEMBER && ++f->tries < ACME_TRIES_MAX ? error : acme_flow_give_up(f, error);
}

/* An object that was there a moment ago is denied: a replica of the CA's database that lags, or it is really
 * gone. */
int acme_flow_not_found(struct acme_flow *f, const struct acme_problem *p)
{
    (void)p;
    if (++f->denied < ACME_TRIES_MAX) {
        return (int)f->step;
    }
    return acme_flow_give_up(f, ACME_E_PROBLEM);
}

void acme_flow_located(struct acme_flow *f, struct acme_slice location)
{
    if (!acme_is_v1(f) && f->step == ACME_STEP_ORDER && f->order.url[0] == '\0') {
        f->save_order = acme_url_keep(f->order.url, location, &f->hosts) == 0;
        f->resumed =
            f->save_order; /* some CAs list the authorizations in newOrder's answer only: then it is of no use */
    }
}

/* --- status --- */

/* Keeps the CA's words about an object that failed, for the caller's eyes. */
void acme_flow_keep_problem(struct acme_flow *f, struct acme_json *json, acme_json_value value)
{
    if (value != ACME_JSON_NONE) {
        struct acme_event about = {.step = f->step, .name = acme_flow_name(f, f->step)};
        acme_problem_tell(f->setup, &about, json, value);
        acme_problem_read(&f->problem, json, value, 0);
    }
}
/* An order that has ended is replaced once in a run when a new one may do better: it came from the store, or what failed
 * was the CA itself (Boulder, when the connection breaks while it finalizes), which may not even tell why. */
int acme_flow_replace_failed(struct acme_flow *f, int error)
{
    const struct acme_problem *p = &f->problem;
    bool theirs = p->kind == ACME_PROBLEM_SERVER || p->http_status >= 500 || (f->finalized && p->type.len == 0);
    return f->resumed || theirs ? acme_flow_reorder(f, error) : error;
}
/* One reading of an order's status for all steps that get an order (7.1.6). */
int acme_flow_by_order_status(struct acme_flow *f, struct acme_json *json)
{
    f->status = f->order.status;
    switch (f->order.status) {
    case ACME_STATUS_PENDING:
        f->finalized =
            f->finalized && (f->step != ACME_STEP_ORDER || f->requested); /* later it is a replica that lags */
        /* With every authorization valid a pending order is one the CA has not caught up with: 1 of 11
         * renewals at Let's Encrypt's staging in June 2026. */
        return f->authorized ? (int)ACME_STEP_ORDER_POLL : acme_flow_next(f);
    case ACME_STATUS_READY:
        if (f->step == ACME_STEP_ORDER && f->resumed && f->answered > 0 && acme_flow_leaves(f)) {
            return acme_flow_next(f); /* what a reset has left on show: the authorizations tell */
        }
        f->authorized = true;
        return f->step == ACME_STEP_FINALIZE ? ACME_STEP_ORDER_POLL : ACME_STEP_FINALIZE;
    case ACME_STATUS_VALID:
        f->authorized = true;
        f->tries = 0;
        return f->order.certificate[0] != '\0' ? ACME_STEP_CERTIFICATE : ACME_STEP_ORDER_POLL;
    case ACME_STATUS_PROCESSING:
        f->authorized = true;
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
    acme_flow_keep_problem(f, json, acme_json_member(json, 0, "error"));
    if (f->finalized && f->problem.type.len == 0 && ++f->tries < ACME_TRIES_MAX) {
        return ACME_STEP_ORDER_POLL; /* without a reason, and there may be a certificate: it is looked at again */
    }
    return acme_flow_replace_failed(f, ACME_E_ORDER);
}

/* --- the request for its certificate --- */

#if ACME_CFG_CSR
/* One that was made elsewhere is sent as it is. */
static bool takes_given(const struct acme_flow *f, struct acme_out *payload)
{
    acme_out_b64url(payload, f->setup->csr.at, f->setup->csr.len);
    return f->setup->csr.len > 0;
}
#else
#define takes_given(f, payload) false
#endif

int acme_flow_finalize_ask(struct acme_flow *f, struct acme_out *payload)
{
    f->requested = true;
    acme_out_text(payload, "{\"csr\":\"");
    if (takes_given(f, payload)) {
        acme_out_text(payload, "\"}");
        return 0;
    }
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

void acme_flow_finalize_lost(struct acme_flow *f)
{
    f->finalized = true;
    f->old = false;
}

/* --- where it stands --- */

int acme_flow_begin(struct acme_flow *f)
{
    f->resumed = f->order.url[0] != '\0';
    f->cached = f->account[0] != '\0';
    acme_learn_v1(f);
    if (f->cached && !f->resumed && acme_contacts_changed(f)) {
        return ACME_STEP_UPDATE;
    }
    f->cached = f->cached && !acme_flow_profile_is_new(f);
    return f->cached ? ACME_STEP_ORDER : ACME_STEP_DIRECTORY;
}

struct acme_slice acme_flow_name_of(const struct acme_flow *f, enum acme_step step, uint8_t authz)
{
    size_t name =
        (step >= ACME_STEP_AUTHZ && step <= ACME_STEP_AUTHZ_POLL) || acme_is_leave(step) ? f->at[authz].name : 0;
    if (acme_is_v1(f) && step == ACME_STEP_ORDER) { /* of the one that is asked for */
        name = authz + 1u;
    }
    return acme_slice_of(name > 0 ? f->setup->names[name - 1] : "");
}

uint32_t acme_flow_progress(const struct acme_flow *f, enum acme_step step)
{
    uint32_t stages = 0;
    for (uint8_t i = 0; i < f->order.authz_count; i++) {
        stages += f->authorized ? ACME_STAGE_VALID : f->at[i].stage;
    }
    return stages * ACME_STEP_COUNT + (uint32_t)step + acme_issuers(f);
}
