/* manage.c - what is done with an account and a certificate beside issuing: revoking it (RFC 8555, 7.6), deactivating the
 * account (7.3.6), and giving it another key (7.3.5); the same in ACME v1, as Boulder had it in December 2016.
 *
 * Tables of their own on the same engine, three steps long: the directory, always fetched, so that nothing stored has to
 * know of these resources; the account, found by its key, none is made; and the step itself.
 *
 * A change of the key is the one that can lose something. The next key is stored before the CA hears of it, and stays
 * there until the CA is known to have agreed. As long as it is there every run first asks the CA which of the two it
 * knows, the old one or the next, and that one is the account's. */
#include "steps.h"
#include "tables.h"
#include "../jose/b64url.h"
#include "../jose/jws.h"

#if ACME_CFG_MANAGE

static int directory_read(struct acme_flow *f, const struct acme_answer *a);
static const char *look_url(const struct acme_flow *f);
static int look_ask(struct acme_flow *f, struct acme_out *payload);
static int look_read(struct acme_flow *f, const struct acme_answer *a);
static int look_refused(struct acme_flow *f, const struct acme_problem *p);
static const char *own_url(const struct acme_flow *f);
static const char *account_url(const struct acme_flow *f);
static int revoke_ask(struct acme_flow *f, struct acme_out *payload);
static int revoke_read(struct acme_flow *f, const struct acme_answer *a);
static int revoke_refused(struct acme_flow *f, const struct acme_problem *p);
static int deactivate_ask(struct acme_flow *f, struct acme_out *payload);
static int deactivate_read(struct acme_flow *f, const struct acme_answer *a);
static int deactivate_refused(struct acme_flow *f, const struct acme_problem *p);
static int change_ask(struct acme_flow *f, struct acme_out *payload);
static int change_read(struct acme_flow *f, const struct acme_answer *a);
static int change_refused(struct acme_flow *f, const struct acme_problem *p);
static int try_read(struct acme_flow *f, const struct acme_answer *a);
static int try_refused(struct acme_flow *f, const struct acme_problem *p);

/* How it is signed in ACME v1 is the engine's. */
const struct acme_row acme_manage_rows[ACME_STEP_COUNT] = {
    [ACME_STEP_DIRECTORY] = {.method = ACME_METHOD_GET,
                             .lost = ACME_STEP_DIRECTORY,
                             .url = acme_flow_directory_url,
                             .read = directory_read},
    [ACME_STEP_ACCOUNT] = {.method = ACME_METHOD_NEW_KEY,
                           .lost = ACME_STEP_ACCOUNT,
                           .url = look_url,
                           .ask = look_ask,
                           .read = look_read,
                           .refused = look_refused},
    [ACME_STEP_REVOKE] = {.method = ACME_METHOD_POST,
                          .lost = ACME_STEP_REVOKE,
                          .needs_leaf = true,
                          .body = ACME_BODY_NONE,
                          .url = own_url,
                          .ask = revoke_ask,
                          .read = revoke_read,
                          .refused = revoke_refused},
    [ACME_STEP_DEACTIVATE] = {.method = ACME_METHOD_POST,
                              .lost = ACME_STEP_DEACTIVATE,
                              .url = account_url,
                              .ask = deactivate_ask,
                              .read = deactivate_read,
                              .refused = deactivate_refused},
    [ACME_STEP_CHANGE_KEY] = {.method = ACME_METHOD_POST,
                              .lost = ACME_STEP_ACCOUNT,
                              .needs_key = true,
                              .body = ACME_BODY_NONE,
                              .url = own_url,
                              .ask = change_ask,
                              .read = change_read,
                              .refused = change_refused},
    [ACME_STEP_TRY_KEY] = {.method = ACME_METHOD_POST,
                           .lost = ACME_STEP_TRY_KEY,
                           .poll = true,
                           .url = account_url,
                           .read = try_read,
                           .refused = try_refused},
    [ACME_STEP_UPDATE] = {.method = ACME_METHOD_POST,
                          .lost = ACME_STEP_UPDATE,
                          .url = acme_flow_update_url,
                          .ask = acme_flow_update_ask,
                          .read = acme_flow_update_read,
                          .refused = acme_flow_update_refused},
};

int acme_manage_start(struct acme_flow *f, enum acme_task what, bool next)
{
    const struct acme_key *key = &f->setup->account_key;
    struct acme_manage *m = &f->manage;

    m->what = what;
    m->on = true;
    m->next = next;
    m->in_doubt = next && what == ACME_CHANGE_KEY;
    f->step = ACME_STEP_DIRECTORY;
    bool movable = key->ops->load != NULL && key->ops == f->setup->certificate_key.ops;
    return what == ACME_CHANGE_KEY && !movable ? ACME_E_KEY_FIXED : 0;
}

void acme_manage_lost(struct acme_flow *f)
{
    f->manage.in_doubt = f->manage.in_doubt || f->step == ACME_STEP_DEACTIVATE || f->step == ACME_STEP_CHANGE_KEY;
}

/* --- DIRECTORY --- */

static int directory_read(struct acme_flow *f, const struct acme_answer *a)
{
    struct acme_meta meta;
    const char *resource = NULL;
    int error = acme_directory_read(&f->directory, &meta, a->json, &f->hosts);
    if (error != 0) {
        return error;
    }
    acme_learn_v1(f);
    f->status = ACME_STATUS_NONE;
    f->account[0] = '\0';
    if (f->manage.what == ACME_REVOKE) {
        resource = acme_is_v1(f) ? "revoke-cert" : "revokeCert";
    } else if (f->manage.what == ACME_CHANGE_KEY) {
        resource = acme_is_v1(f) ? "key-change" : "keyChange";
    }
    if (resource != NULL) {
        struct acme_slice url = acme_json_text(a->json, 0, resource);
        error = url.at == NULL ? ACME_E_NOT_OFFERED : acme_url_keep(f->manage.url, url, &f->hosts);
    }
    return error != 0 ? error : ACME_STEP_ACCOUNT;
}

/* --- ACCOUNT: does the CA know the key? --- */

static const char *look_url(const struct acme_flow *f)
{
    return f->directory.new_account;
}

/* ACME v1 has no way to ask without making a registration. But it looks for one before it looks at the terms agreed to,
 * and makes none with terms that are not its own. */
static int look_ask(struct acme_flow *f, struct acme_out *payload)
{
    (void)f; /* in a build without ACME v1 */
    acme_out_text(payload, acme_is_v1(f) ? "{\"resource\":\"new-reg\",\"agreement\":\"about:blank\"}"
                                         : "{\"onlyReturnExisting\":true}");
    return 0;
}

/* To the table of issuing, with an account or without. */
static int leave(struct acme_flow *f)
{
    f->manage.on = false;
    f->save_account = f->account[0] != '\0';
    return acme_flow_begin(f);
}

static int known(struct acme_flow *f)
{
    struct acme_manage *m = &f->manage;
    memset(&f->problem, 0, sizeof(f->problem)); /* ACME v1's good news: its texts lie where the keeper will work */
    m->promote = m->by_next;
    if (m->what == ACME_REVOKE) {
        return ACME_STEP_REVOKE;
    }
    if (m->what == ACME_UPDATE) {
        return ACME_STEP_UPDATE;
    }
    if (m->what == ACME_DEACTIVATE) { /* what is forgotten are caches, of no use to whoever comes after a reset */
        m->drop_account = true;
        f->drop_order = true;
        return ACME_STEP_DEACTIVATE;
    }
    if (m->what == ACME_CHANGE_KEY) {
        return m->by_next ? ACME_STEP_COUNT : ACME_STEP_CHANGE_KEY;
    }
    return leave(f);
}

static int unknown(struct acme_flow *f)
{
    struct acme_manage *m = &f->manage;
    if (m->next && !m->by_next) {
        m->by_next = true;
        return ACME_STEP_ACCOUNT;
    }
    m->by_next = false;
    return m->what >= ACME_REVOKE ? ACME_E_NO_ACCOUNT
                                  : leave(f); /* lost with all keys: a new one is made with the old */
}

/* The account is deactivated already, which may be what is wanted. */
static int ended(struct acme_flow *f)
{
    f->status = ACME_STATUS_DEACTIVATED;
    if (f->manage.what != ACME_DEACTIVATE) {
        return ACME_E_ACCOUNT;
    }
    f->manage.drop_account = true;
    f->drop_order = true;
    return ACME_STEP_COUNT;
}

static int look_read(struct acme_flow *f, const struct acme_answer *a)
{
    if (acme_is_v1(f)) { /* it is made after all: the key had none */
        return unknown(f);
    }
    f->status = acme_status_of(acme_json_text(a->json, 0, "status"));
    if (f->status == ACME_STATUS_DEACTIVATED || f->status == ACME_STATUS_REVOKED) {
        return ended(f);
    }
    int error = acme_url_keep(f->account, a->location, &f->hosts);
    return error != 0 ? error : known(f);
}

static int look_refused(struct acme_flow *f, const struct acme_problem *p)
{
    if (p->kind ==
        ACME_PROBLEM_UNAUTHORIZED) { /* so Boulder and Pebble when it is deactivated; or a list of who may ask */
        return ++f->denied < ACME_TRIES_MAX ? (int)ACME_STEP_ACCOUNT : ended(f);
    }
    if (acme_is_v1(f) && p->location.len > 0) {
        int error = acme_url_keep(f->account, p->location, &f->hosts);
        return error != 0 ? error : known(f);
    }
    return p->kind == (acme_is_v1(f) ? ACME_PROBLEM_MALFORMED : ACME_PROBLEM_NO_ACCOUNT) ? unknown(f)
                                                                                         : ACME_E_PROBLEM;
}

/* --- REVOKE --- */

static const char *own_url(const struct acme_flow *f)
{
    return f->manage.url;
}

static int revoke_ask(struct acme_flow *f, struct acme_out *payload)
{
    size_t len = f->manage.leaf_len; /* at the end of the buffer, and encoded forward from there */
    acme_out_text(payload,
                  acme_is_v1(f) ? "{\"resource\":\"revoke-cert\",\"certificate\":\"" : "{\"certificate\":\"");
    acme_out_b64url(payload, payload->at + payload->cap - len, len);
    acme_out_text(payload, "\"");
    if (f->setup->revoke_reason != 0) { /* RFC 5280 wants 0 to be left out */
        acme_out_text(payload, ",\"reason\":");
        acme_out_u32(payload, (uint32_t)f->setup->revoke_reason);
    }
    acme_out_text(payload, "}");
    return 0;
}

static int revoke_read(struct acme_flow *f, const struct acme_answer *a)
{
    (void)a;
    f->status = ACME_STATUS_REVOKED;
    return ACME_STEP_COUNT;
}

/* It is revoked already: an earlier request of ours, perhaps, whose answer was lost. */
static int revoke_refused(struct acme_flow *f, const struct acme_problem *p)
{
    return acme_problem_is(p, "alreadyRevoked") || (acme_is_v1(f) && p->http_status == 409) ? revoke_read(f, NULL)
                                                                                            : ACME_E_PROBLEM;
}

/* --- DEACTIVATE --- */

static const char *account_url(const struct acme_flow *f)
{
    return f->account;
}

static int deactivate_ask(struct acme_flow *f, struct acme_out *payload)
{
    (void)f; /* in a build without ACME v1 */
    acme_out_text(payload, acme_is_v1(f) ? "{\"resource\":\"reg\",\"status\":\"deactivated\"}"
                                         : "{\"status\":\"deactivated\"}");
    return 0;
}

static int deactivate_read(struct acme_flow *f, const struct acme_answer *a)
{
    struct acme_slice status = acme_json_text(a->json, 0, "status");
    if (acme_is_v1(f) && status.at == NULL) {
        status = acme_json_text(a->json, 0,
                                "Status"); /* so that Boulder, which leaves all as it was when this is switched off */
    }
    f->status = acme_status_of(status);
    return f->status == ACME_STATUS_DEACTIVATED ? ACME_STEP_COUNT : ACME_E_IGNORED;
}

/* `unauthorized`: so says the CA to an account that is deactivated. By us, when an answer was lost; or earlier, since ACME v1
 * finds an account that has ended like any other. */
static int deactivate_refused(struct acme_flow *f, const struct acme_problem *p)
{
    if (p->kind != ACME_PROBLEM_UNAUTHORIZED) {
        return ACME_E_PROBLEM;
    }
    return f->manage.in_doubt || acme_is_v1(f) ? ended(f) : ACME_E_ACCOUNT; /* whose look at it does not tell */
}

/* --- CHANGE_KEY --- */

/* A JWS by the next key inside the one by the old key: each agrees to the other. */
static int change_ask(struct acme_flow *f, struct acme_out *payload)
{
    const struct acme_key *old = &f->setup->account_key;
    struct acme_jws inner = {.key = &f->setup->certificate_key, .url = acme_slice_of(f->manage.url)};
    uint8_t point[ACME_POINT_LEN], old_point[ACME_POINT_LEN];
    struct acme_out o;

    int error = inner.key->ops->point(inner.key->handle, point);
    if (error == 0) {
        error = old->ops->point(old->handle, old_point);
    }
    if (error != 0) {
        return error;
    }
    f->manage.next = true;
    inner.point = point;
    acme_out_init(&o, payload->at, payload->cap);
    acme_out_text(&o, "{\"account\":\"");
    acme_out_json(&o, acme_slice_of(f->account));
    acme_out_text(&o, acme_is_v1(f) ? "\",\"newKey\":" : "\",\"oldKey\":");
    acme_jwk_write(&o, acme_is_v1(f) ? point : old_point);
    acme_out_text(&o, "}"); /* fits: acme_config.h demands far more of the work buffer */
    memmove(o.at + o.cap - o.len, o.at, o.len);
    struct acme_slice text = acme_slice(o.at + o.cap - o.len, o.len);
    acme_out_text(payload, acme_is_v1(f) ? "{\"resource\":\"key-change\"" : "");
    size_t brace = payload->len;
    error = acme_jws_write(payload, &inner, text);
    if (brace > 0) {
        payload->at[brace] = ','; /* the same object goes on */
    }
    f->signatures += error == 0;
    return error;
}

static int change_read(struct acme_flow *f, const struct acme_answer *a)
{
    (void)a;
    f->status = ACME_STATUS_NONE;
    f->tries = 0;
    f->manage.promote = true;
    return acme_is_v1(f) ? ACME_STEP_COUNT : ACME_STEP_TRY_KEY;
}

/* 404, 405, 501: there is no such thing there, whatever the directory says (step-ca, Vault). */
static bool is_missing(const struct acme_problem *p)
{
    return p->http_status == 404 || p->http_status == 405 || p->http_status == 501;
}

/* One odd answer proves nothing: a box on the way may have said it in the CA's place. Which key is the account's now is
 * found there, once, before the next key is dropped; and it is kept when an earlier request may still be under way. */
static int change_refused(struct acme_flow *f, const struct acme_problem *p)
{
    struct acme_manage *m = &f->manage;
    if (!m->looked) {
        m->looked = true;
        return ACME_STEP_ACCOUNT;
    }
    m->drop_next = !m->in_doubt;
    return is_missing(p) ? ACME_E_NOT_OFFERED : ACME_E_PROBLEM;
}

/* --- TRY_KEY --- */

/* The keeper has put the next key in the account key's place, and it signs. Boulder remembers the one before for some
 * seconds, in each of its front ends, and would refuse whatever is asked for next. */
static int try_read(struct acme_flow *f, const struct acme_answer *a)
{
    (void)a;
    f->status = ACME_STATUS_NONE;
    return ACME_STEP_COUNT;
}

static int try_refused(struct acme_flow *f, const struct acme_problem *p)
{
    (void)p;
    return ++f->tries < ACME_TRIES_MAX ? (int)ACME_STEP_TRY_KEY : try_read(f, NULL);
}

#endif
