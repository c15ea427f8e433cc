/* flow.c - RFC 8555 as a table. Below it, in its order, what its own steps ask and how they read the answer; what several
 * tables share is in the files that steps.h names.
 *
 * Nothing here waits, repeats or looks at an HTTP code: that is the engine's (exchange.c, judge.c). A step that is not
 * finished answers with itself, and the engine comes back. */
#include "steps.h"
#include "../wire/address.h"

static const char *account_url(const struct acme_flow *f);
static int account_ask(struct acme_flow *f, struct acme_out *payload);
static int account_read(struct acme_flow *f, const struct acme_answer *a);
static int account_refused(struct acme_flow *f, const struct acme_problem *p);
static const char *order_url(const struct acme_flow *f);
static int order_ask(struct acme_flow *f, struct acme_out *payload);
static int order_read(struct acme_flow *f, const struct acme_answer *a);
static int order_refused(struct acme_flow *f, const struct acme_problem *p);
static int respond_ask(struct acme_flow *f, struct acme_out *payload);
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
                               .read = acme_flow_authz_read, .refused = acme_flow_not_found},
    [ACME_STEP_PRESENT]     = {.method = ACME_METHOD_NONE,    .lost = ACME_STEP_PRESENT},
    [ACME_STEP_RESPOND]     = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_AUTHZ_POLL,
                               .url = acme_flow_respond_url, .ask = respond_ask,
                               .read = acme_flow_respond_read, .refused = acme_flow_respond_refused},
    [ACME_STEP_AUTHZ_POLL]  = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_AUTHZ_POLL,  .poll = true,
                               .url = acme_flow_authz_url,
                               .read = acme_flow_authz_poll_read, .refused = acme_flow_not_found},
    [ACME_STEP_ORDER_POLL]  = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_ORDER_POLL,  .poll = true,
                               .url = order_url,
                               .read = order_poll_read,      .refused = acme_flow_not_found},
    [ACME_STEP_FINALIZE]    = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_ORDER_POLL,  .needs_key = true,
                               .url = finalize_url,          .ask = acme_flow_finalize_ask,
                               .read = finalize_read,        .refused = finalize_refused},
    [ACME_STEP_CERTIFICATE] = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_CERTIFICATE, .needs_key = true,
                               .url = certificate_url,       .body = ACME_BODY_CHAIN,
                               .read = certificate_read,     .refused = acme_flow_not_found},
#if ACME_CFG_ALTERNATE
    [ACME_STEP_ALTERNATE]   = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_ALTERNATE,
                               .url = acme_alternate_url,    .body = ACME_BODY_CHAIN,
                               .read = certificate_read},
#endif
#if ACME_CFG_DEACTIVATE_AUTHZ
    [ACME_STEP_DEACTIVATE_AUTHZ] = {.method = ACME_METHOD_POST, .lost = ACME_STEP_DEACTIVATE_AUTHZ,
                               .url = acme_flow_authz_url,   .ask = acme_flow_leave_ask,
                               .read = acme_flow_leave_read, .refused = acme_flow_leave_refused},
#endif
#if ACME_TELLS_CONTACTS
    [ACME_STEP_UPDATE]      = {.method = ACME_METHOD_POST,    .lost = ACME_STEP_ORDER,
                               .url = acme_flow_update_url,  .ask = acme_flow_update_ask,
                               .read = acme_flow_update_read, .refused = acme_flow_update_refused},
#endif
#if ACME_CFG_RENEWAL
    [ACME_STEP_RENEWAL_INFO] = {.method = ACME_METHOD_GET,   .lost = ACME_STEP_RENEWAL_INFO,
                               .url = acme_flow_info_url,
                               .read = acme_flow_info_answer, .refused = acme_flow_info_refused},
#endif
};
/* clang-format on */

/* --- ACCOUNT --- */

static const char *account_url(const struct acme_flow *f)
{
    return f->directory.new_account;
}

static int account_ask(struct acme_flow *f, struct acme_out *payload)
{
    if (acme_binding_looks(f, payload)) {
        return 0;
    }
    acme_out_text(payload,
                  f->setup->accept_terms ? "{\"termsOfServiceAgreed\":true" : "{\"termsOfServiceAgreed\":false");
    acme_flow_contacts(f, payload, false);
    int error = acme_binding_add(f, payload);
    acme_out_text(payload, "}");
    return error;
}

static int account_read(struct acme_flow *f, const struct acme_answer *a)
{
    f->status = acme_status_of(acme_json_text(a->json, 0, "status"));
    if (f->status == ACME_STATUS_DEACTIVATED || f->status == ACME_STATUS_REVOKED) {
        return ACME_E_ACCOUNT;
    }
    int error = acme_url_keep(f->account, a->location, &f->hosts);
    if (error != 0) {
        return error;
    }
    acme_contacts_read(f, a->json, acme_binding_looked(f));
    acme_flow_account_found(f);
    return acme_contacts_changed(f) ? ACME_STEP_UPDATE : ACME_STEP_ORDER;
}

static int account_refused(struct acme_flow *f, const struct acme_problem *p)
{
    (void)f; /* in a build without ACME_CFG_EAB */
    int next = acme_binding_refused(f, p);
    if (next != 0) {
        return next;
    }
    if (p->kind == ACME_PROBLEM_UNAUTHORIZED) { /* so Boulder and Pebble when it is deactivated */
        return ACME_E_ACCOUNT;
    }
    return p->kind == ACME_PROBLEM_BINDING ? ACME_E_EAB : ACME_E_PROBLEM;
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
        acme_out_text(payload, acme_is_address(f->setup->names[i]) ? "{\"type\":\"ip\",\"value\":\""
                                                                   : "{\"type\":\"dns\",\"value\":\"");
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
    acme_flow_look_anew(f);
    if (error == 0) {
        error = acme_order_read(&f->order, a->json, &f->hosts);
    }
    if (error != 0 && f->resumed) {
        return acme_flow_odd(f, error);
    }
    f->tries = 0;
    f->resumed = f->resumed || (error != 0 && f->order.url[0] != '\0'); /* as acme_flow_located() */
    return error != 0 ? error : acme_flow_by_order_status(f, a->json);
}

/* To newOrder: an account that was deactivated since it was stored, or a key that is not its own any more since an older
 * state was put back, are told as `unauthorized` or `malformed`, and both are found at the account. */
static int order_refused(struct acme_flow *f, const struct acme_problem *p)
{
    if (f->order.url[0] != '\0') {
        return acme_flow_not_found(f, p);
    }
    int without = acme_flow_wishes_refused(f, p);
    if (without != 0) {
        return without;
    }
    bool by_account = p->kind == ACME_PROBLEM_UNAUTHORIZED || p->kind == ACME_PROBLEM_MALFORMED;
    return by_account && !f->confirmed ? acme_flow_account_look(f) : ACME_E_PROBLEM;
}

/* --- RESPOND --- */

static int respond_ask(struct acme_flow *f, struct acme_out *payload)
{
    (void)f;
    acme_out_text(payload, "{}");
    return 0;
}

/* --- ORDER_POLL --- */

static int order_poll_read(struct acme_flow *f, const struct acme_answer *a)
{
    int error = acme_order_read(&f->order, a->json, &f->hosts);
    return error != 0 ? error : acme_flow_by_order_status(f, a->json);
}

/* --- FINALIZE --- */

static const char *finalize_url(const struct acme_flow *f)
{
    return f->order.finalize;
}

static int finalize_read(struct acme_flow *f, const struct acme_answer *a)
{
    acme_flow_finalize_lost(f); /* whatever the order is like: it was carried out */
    return order_poll_read(f, a);
}

/* The order tells: not ready yet, or it is, and has not been seen by whoever refused. What was refused for a reason is asked
 * for once more. */
static int finalize_refused(struct acme_flow *f, const struct acme_problem *p)
{
    bool early = p->kind == ACME_PROBLEM_ORDER_NOT_READY;
    uint8_t most = p->kind == ACME_PROBLEM_OTHER && p->type.len > 0 ? 2 : ACME_TRIES_MAX;
    if (p->type.len == 0) { /* a page in the place of the CA's answer */
        acme_flow_finalize_lost(f);
    }
    return early || ++f->tries < most ? (int)ACME_STEP_ORDER_POLL : ACME_E_PROBLEM;
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
