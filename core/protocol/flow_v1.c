/* flow_v1.c - ACME v1 as a table: Boulder in December 2016, and drafts -01 to -04 of what became RFC 8555.
 *
 * The same engine, the same steps; what differs is told here. There are no orders: an order is what we make of it, an
 * authorization for each name (ORDER asks for them one by one), then one request for the certificate. Every request
 * carries the key, and says in its payload what it is for. Objects are read with GET.
 *
 * That server's HTTP codes say nothing: it answers 200 to an authorization that is pending and 202 to a challenge that
 * is valid, the drafts want it the other way round. So the table can be this short: only the body's `status` counts,
 * as in RFC 8555, and the certificate is asked for when each authorization has said `valid`. Too early, the server
 * answers 403, in the same words as to one who will never get it. */
#include "steps.h"
#include "tables.h"
#include "trace.h"

#if ACME_CFG_V1

/* Looks at an object that the server denies, before it is believed to be gone: a server whose database does not
 * answer says 404 after 15 s, and finds it again later. */
#define LOOKS_MAX 8

/* Links followed from the certificate upwards. */
#define ISSUERS_MAX 4

static const char *account_url(const struct acme_flow *f);
static int account_ask(struct acme_flow *f, struct acme_out *payload);
static int account_read(struct acme_flow *f, const struct acme_answer *a);
static int account_refused(struct acme_flow *f, const struct acme_problem *p);
static const char *order_url(const struct acme_flow *f);
static int order_ask(struct acme_flow *f, struct acme_out *payload);
static int order_read(struct acme_flow *f, const struct acme_answer *a);
static int order_refused(struct acme_flow *f, const struct acme_problem *p);
static int denied(struct acme_flow *f, const struct acme_problem *p);
static int respond_ask(struct acme_flow *f, struct acme_out *payload);
static const char *finalize_url(const struct acme_flow *f);
static int finalize_ask(struct acme_flow *f, struct acme_out *payload);
static int finalize_read(struct acme_flow *f, const struct acme_answer *a);
static int finalize_refused(struct acme_flow *f, const struct acme_problem *p);
static const char *certificate_url(const struct acme_flow *f);
static int certificate_read(struct acme_flow *f, const struct acme_answer *a);

/* clang-format off */
const struct acme_row acme_flow_v1[ACME_STEP_COUNT] = {
    [ACME_STEP_DIRECTORY]   = {.method = ACME_METHOD_GET,     .lost = ACME_STEP_DIRECTORY,
                               .url = acme_flow_directory_url, .read = acme_flow_directory_read},
    [ACME_STEP_ACCOUNT]     = {.method = ACME_METHOD_NEW_KEY, .lost = ACME_STEP_ACCOUNT,
                               .url = account_url,           .ask = account_ask,
                               .read = account_read,         .refused = account_refused},
    [ACME_STEP_ORDER]       = {.method = ACME_METHOD_NEW_KEY, .lost = ACME_STEP_ORDER,
                               .url = order_url,             .ask = order_ask,
                               .read = order_read,           .refused = order_refused},
    [ACME_STEP_AUTHZ]       = {.method = ACME_METHOD_GET,     .lost = ACME_STEP_AUTHZ,
                               .url = acme_flow_authz_url,
                               .read = acme_flow_authz_read, .refused = denied},
    [ACME_STEP_PRESENT]     = {.method = ACME_METHOD_NONE,    .lost = ACME_STEP_PRESENT},
    [ACME_STEP_RESPOND]     = {.method = ACME_METHOD_NEW_KEY, .lost = ACME_STEP_AUTHZ_POLL,
                               .url = acme_flow_respond_url, .ask = respond_ask,
                               .read = acme_flow_respond_read, .refused = acme_flow_respond_refused},
    [ACME_STEP_AUTHZ_POLL]  = {.method = ACME_METHOD_GET,     .lost = ACME_STEP_AUTHZ_POLL,  .poll = true,
                               .url = acme_flow_authz_url,
                               .read = acme_flow_authz_poll_read, .refused = denied},
    [ACME_STEP_FINALIZE]    = {.method = ACME_METHOD_NEW_KEY, .lost = ACME_STEP_FINALIZE,    .needs_key = true,
                               .url = finalize_url,          .body = ACME_BODY_NONE,         .costly = true,
                               .ask = finalize_ask,
                               .read = finalize_read,        .refused = finalize_refused},
    [ACME_STEP_CERTIFICATE] = {.method = ACME_METHOD_GET,     .lost = ACME_STEP_CERTIFICATE, .needs_key = true,
                               .url = certificate_url,       .body = ACME_BODY_DER,
                               .read = certificate_read,     .refused = denied},
};
/* clang-format on */

/* --- ACCOUNT: new-reg, then the registration itself until the terms are agreed to --- */

static const char *account_url(const struct acme_flow *f)
{
    return f->account[0] != '\0' ? f->account : f->directory.new_account;
}

static int account_ask(struct acme_flow *f, struct acme_out *payload)
{
    const char *end = "}";
    if (f->account[0] == '\0') {
        f->link[0] = '\0';
        acme_out_text(payload, "{\"resource\":\"new-reg\"");
        for (size_t i = 0; i < f->setup->contact_count; i++) {
            acme_out_text(payload, i == 0 ? ",\"contact\":[\"" : "\",\"");
            acme_out_json(payload, acme_slice_of(f->setup->contacts[i]));
            end = "\"]}";
        }
    } else {
        acme_out_text(payload, "{\"resource\":\"reg\"");
        if (f->link[0] != '\0') {
            acme_out_text(payload, ",\"agreement\":\"");
            acme_out_json(payload, acme_slice_of(f->link));
            end = "\"}";
        }
    }
    acme_out_text(payload, end);
    return 0;
}

/* Answers whether the terms the server links to have still to be agreed to, or ACME_E_TERMS. */
static int must_agree(struct acme_flow *f, const struct acme_answer *a)
{
    bool told = f->link[0] != '\0'; /* this is the answer to our agreement; not every server repeats it */
    size_t len = a->rel == ACME_REL_TERMS ? a->link.len : 0;

    if (len > 0) {
        memcpy(f->link, a->link.at, len);
    }
    f->link[len] = '\0';
    if (len == 0 || told || acme_slice_is(acme_json_text(a->json, 0, "agreement"), f->link)) {
        return 0;
    }
    struct acme_event event = {.kind = ACME_EVENT_TERMS, .step = f->step, .text = a->link};
    acme_trace(f->setup, &event);
    return f->setup->accept_terms ? 1 : ACME_E_TERMS;
}

static int account_read(struct acme_flow *f, const struct acme_answer *a)
{
    f->status = acme_status_of(acme_json_text(a->json, 0, "status"));
    if (f->status == ACME_STATUS_DEACTIVATED) {
        return ACME_E_ACCOUNT;
    }
    int error = f->account[0] == '\0' ? acme_url_keep(f->account, a->location, &f->hosts) : 0;
    int more = error == 0 ? must_agree(f, a) : error;
    if (more != 0) {
        return more < 0 ? more : ACME_STEP_ACCOUNT;
    }
    acme_flow_account_found(f);
    return ACME_STEP_ORDER;
}

/* The key has a registration already: the refusal tells where. Its terms are looked at there. */
static int account_refused(struct acme_flow *f, const struct acme_problem *p)
{
    if (f->account[0] != '\0') {
        if (p->kind != ACME_PROBLEM_UNAUTHORIZED) {
            return ACME_E_PROBLEM;
        }
        int next = acme_flow_account_lost(f);
        return next == ACME_E_PROBLEM ? ACME_E_ACCOUNT : next;
    }
    if (p->location.len == 0) {
        return ACME_E_PROBLEM;
    }
    int error = acme_url_keep(f->account, p->location, &f->hosts);
    return error != 0 ? error : ACME_STEP_ACCOUNT;
}

/* --- ORDER: an authorization for each name, each validated before the next is asked for ---
 *
 * A server allows an account so many that are pending, and for a week; one that is valid is none of them. */

enum acme_step acme_flow_v1_enter(struct acme_flow *f, enum acme_step step)
{
    if (!acme_is_v1(f) || acme_manage_is_on(f) || (step != ACME_STEP_ORDER && step != ACME_STEP_ORDER_POLL)) {
        return step;
    }
    f->issuers = 0;
    if (f->order.certificate[0] != '\0') {
        f->authorized = f->finalized = true;
        return ACME_STEP_CERTIFICATE;
    }
    if (f->order.authz_count == 0) { /* none, or one of RFC 8555 */
        f->order.url[0] = '\0';
    } else if (!f->authorized) { /* taken up again */
        return (enum acme_step)acme_flow_next(f);
    }
    f->authz = f->order.authz_count;
    return f->authz < f->setup->name_count ? ACME_STEP_ORDER : ACME_STEP_FINALIZE;
}

static const char *order_url(const struct acme_flow *f)
{
    return f->directory.new_order;
}

static int order_ask(struct acme_flow *f, struct acme_out *payload)
{
    acme_out_text(payload, "{\"resource\":\"new-authz\",\"identifier\":{\"type\":\"dns\",\"value\":\"");
    acme_out_lower(payload, acme_slice_of(f->setup->names[f->authz]));
    acme_out_text(payload, "\"}}");
    return 0;
}

/* What the answer says of the authorization, which may be an old one and valid, is left to AUTHZ. */
static int order_read(struct acme_flow *f, const struct acme_answer *a)
{
    struct acme_order *order = &f->order;
    int error = acme_url_keep(f->challenge_url, a->location, &f->hosts); /* which is of nobody now */
    f->url_of = 0;
    error = error == 0 ? acme_order_add(order, f->challenge_url) : error;
    if (error != 0) {
        return error;
    }
    f->status = ACME_STATUS_NONE;
    f->authorized = false;
    memcpy(order->url, f->directory.new_cert, sizeof(order->url));
    f->save_order = true;
    f->tries = 0;
    return ACME_STEP_AUTHZ;
}

/* `unauthorized`: no such registration, or there are new terms. Both are found at the registration. */
static int order_refused(struct acme_flow *f, const struct acme_problem *p)
{
    return p->kind == ACME_PROBLEM_UNAUTHORIZED ? acme_flow_account_lost(f) : ACME_E_PROBLEM;
}

/* --- AUTHZ, RESPOND, AUTHZ_POLL --- */

/* Not believed at once. Then: expired authorizations are denied too, so new ones are made. In the place of a certificate, which
 * counts, another is asked for when it is not found for a day and a half; never for want of its issuer's. */
static int denied(struct acme_flow *f, const struct acme_problem *p)
{
    (void)p;
    if (++f->denied < LOOKS_MAX) {
        return (int)f->step;
    }
    bool counts = f->step == ACME_STEP_CERTIFICATE && (!f->resumed || acme_flow_keeps_order(f));
    return counts ? ACME_E_PROBLEM : acme_flow_reorder(f, ACME_E_PROBLEM);
}

static int respond_ask(struct acme_flow *f, struct acme_out *payload)
{
    const struct acme_challenge *challenge = &f->at[f->authz].challenge;
    acme_out_text(payload, "{\"resource\":\"challenge\",\"type\":\"");
    acme_out_text(payload, f->setup->solvers[f->at[f->authz].solver]->type);
    acme_out_text(payload, "\",\"keyAuthorization\":\"");
    acme_out_text(payload, challenge->token);
    acme_out_text(payload, ".");
    acme_out_text(payload, challenge->thumbprint);
    acme_out_text(payload, "\"}");
    return 0;
}

/* --- FINALIZE: new-cert --- */

static const char *finalize_url(const struct acme_flow *f)
{
    return f->directory.new_cert;
}

static int finalize_ask(struct acme_flow *f, struct acme_out *payload)
{
    int error = acme_flow_finalize_ask(f, payload);
    if (error == 0 && !payload->overflow) {
        payload->len--; /* the brace */
        acme_out_text(payload, ",\"resource\":\"new-cert\"}");
    }
    return error;
}

/* The answer is the certificate. It is fetched from its URL all the same, once that is stored: whatever happens from
 * here on, no second one is asked for. Each counts against a quota of a few a week. */
static int finalize_read(struct acme_flow *f, const struct acme_answer *a)
{
    f->status = ACME_STATUS_NONE;
    acme_flow_finalize_lost(f); /* it was carried out */
    f->tries = 0;
    int error = acme_url_keep(f->order.certificate, a->location, &f->hosts);
    f->save_order = error == 0;
    return error != 0 ? error : ACME_STEP_CERTIFICATE;
}

/* `unauthorized`, though each has been valid: one has expired since, or was withdrawn. The server does not say which;
 * it gives back those that are still good. */
static int finalize_refused(struct acme_flow *f, const struct acme_problem *p)
{
    return p->kind == ACME_PROBLEM_UNAUTHORIZED ? acme_flow_reorder(f, ACME_E_PROBLEM) : ACME_E_PROBLEM;
}

/* --- CERTIFICATE: our own, then upwards --- */

static const char *certificate_url(const struct acme_flow *f)
{
    return f->issuers > 0 ? f->link : f->order.certificate;
}

static int certificate_read(struct acme_flow *f, const struct acme_answer *a)
{
    f->status = ACME_STATUS_NONE;
    if (a->len == 0) { /* the drafts: it is not made yet */
        return ACME_STEP_CERTIFICATE;
    }
    if (a->rel != ACME_REL_UP || f->issuers == ISSUERS_MAX || acme_slice_is(a->link, certificate_url(f))) {
        return ACME_STEP_COUNT;
    }
    int error = acme_url_keep(f->link, a->link, &f->hosts);
    f->issuers++;
    f->resumed = f->old = false; /* it is not gone, whatever becomes of its issuer's */
    return error != 0 ? error : ACME_STEP_CERTIFICATE;
}

#endif
