/* evidence.c - what of an answer that was refused a person has to know to put it right: which member it was, where it
 * leads, what the CA offers instead. The core has no words, so the document is looked at once more as it goes by. */
#define _GNU_SOURCE 1
#include <stdio.h>

#include "check.h"
#include "report.h"
#include "wire/json.h"
#include "x509/leaf.h"

/* URLs the core reads, in its order. */
static const char *const urls[] = {"newNonce",  "newAccount", "newOrder",   "new-cert",    "new-reg",  "new-authz",
                                   "keyChange", "revokeCert", "key-change", "revoke-cert", "finalize", "certificate"};

/* Safe for screens and logs, whatever the server put there. */
static void make_printable(char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        at[i] = at[i] < ' ' || at[i] > '~' ? '?' : at[i];
    }
}

static void shown(struct acme_report *r, const char *before, struct acme_slice what, const char *after)
{
    (void)snprintf(r->shown, sizeof r->shown, "%s%.*s%s", before, (int)(what.len < 700 ? what.len : 700),
                   what.len > 0 ? what.at : "", after);
    make_printable(r->shown, strlen(r->shown));
}

/* Keeps this URL when it is what the core did not like. */
static bool is_to_blame(struct acme_report *r, const struct acme_event *e, const char *where, struct acme_slice text)
{
    char kept[ACME_URL_MAX + 1], before[64];
    struct acme_url url;

    if (text.len == 0 || acme_url_keep(kept, text, &r->client->flow.hosts) != e->error) {
        return false;
    }
    (void)snprintf(before, sizeof before, "%s is \"", where);
    shown(r, before, text, "\"");
    if (e->error == ACME_E_URL_HOST && acme_url_parse(&url, text) == 0) {
        (void)snprintf(r->host, sizeof r->host, "%.*s", (int)url.authority.len, url.authority.at);
    }
    return true;
}

static void find_url(struct acme_report *r, const struct acme_event *e)
{
    const struct acme_json *json = e->document;
    const struct acme_http_answer *http = &r->client->exchange.http.answer;
    acme_json_value list = acme_json_member(json, 0, "authorizations");
    bool found = is_to_blame(r, e, "Location", acme_slice_of(http->location));

    for (size_t i = 0; i < sizeof urls / sizeof *urls && !found; i++) {
        found = is_to_blame(r, e, urls[i], acme_json_text(json, 0, urls[i]));
    }
    for (acme_json_value at = acme_json_first(json, list); at != ACME_JSON_NONE && !found;
         at = acme_json_next(json, list, at)) {
        found = is_to_blame(r, e, "an authorization", acme_json_string(json, at));
    }
    list = acme_json_member(json, 0, "challenges");
    for (acme_json_value at = acme_json_first(json, list); at != ACME_JSON_NONE && !found;
         at = acme_json_next(json, list, at)) {
        struct acme_slice url = acme_json_text(json, at, "url");
        found = is_to_blame(r, e, "the challenge", url.len > 0 ? url : acme_json_text(json, at, "uri"));
    }
    if (!found) {
        (void)is_to_blame(r, e, "Link", acme_slice_of(http->link));
    }
}

/* What a CA offers in the place of what we can do. */
static void list_offers(struct acme_report *r, const struct acme_json *json)
{
    struct acme_out o;
    acme_json_value list = acme_json_member(json, 0, "challenges");
    bool wildcard = acme_json_true(json, acme_json_member(json, 0, "wildcard"));

    acme_out_init(&o, r->shown, sizeof r->shown - 60);
    for (acme_json_value at = acme_json_first(json, list); at != ACME_JSON_NONE;
         at = acme_json_next(json, list, at)) {
        struct acme_slice type = acme_json_text(json, at, "type");
        acme_out_text(&o, type.len == 0 ? "" : o.len == 0 ? "it offers " : ", ");
        acme_out_slice(&o, type);
    }
    if (o.len == 0) {
        acme_out_text(&o, "it offers none");
    }
    o.cap = sizeof r->shown - 1;
    acme_out_text(&o, wildcard ? "; wildcard names need dns-01" : "");
    r->shown[o.len] = '\0';
    make_printable(r->shown, o.len);
}

/* The first that is not there of what the step needs. */
static void find_missing(struct acme_report *r, const struct acme_event *e)
{
    static const char *const directory[] = {"newNonce", "newAccount", "newOrder"};
    static const char *const v1_directory[] = {"new-reg", "new-authz"};
    static const char *const order[] = {"status", "authorizations", "finalize"};
    static const char *const authz[] = {"status", "identifier"};
    static const char *const nothing[] = {"status"};
    const struct acme_json *json = e->document;
    bool v1 = acme_json_member(json, 0, "new-cert") != ACME_JSON_NONE &&
              acme_json_member(json, 0, "newOrder") == ACME_JSON_NONE;
    bool located = e->step == ACME_STEP_ACCOUNT ||
                   (e->step == ACME_STEP_ORDER && r->client->flow.order.url[0] == '\0') ||
                   (e->step == ACME_STEP_FINALIZE && r->client->flow.directory.new_cert[0] != '\0');
    const char *const *names = nothing;
    size_t count = 1;

    if (located && r->client->exchange.http.answer.location[0] == '\0') {
        shown(r, "", acme_slice_of("the Location header"), "");
        return;
    }
    if (json->count == 0) {
        shown(r, "", acme_slice_of("everything: the answer has no body"), "");
        return;
    }
    if (e->step == ACME_STEP_DIRECTORY) {
        names = v1 ? v1_directory : directory;
        count = v1 ? 2 : 3;
    } else if (e->step == ACME_STEP_ORDER || e->step == ACME_STEP_ORDER_POLL || e->step == ACME_STEP_FINALIZE) {
        names = order;
        count = 3;
    } else if (e->step == ACME_STEP_AUTHZ || e->step == ACME_STEP_AUTHZ_POLL) {
        names = authz;
        count = 2;
    }
    for (size_t i = 0; i < count; i++) {
        acme_json_value value = acme_json_member(json, 0, names[i]);
        bool there = acme_json_string(json, value).len > 0 || acme_json_is_array(json, value) ||
                     acme_json_is_object(json, value);
        if (!there) {
            shown(r, "\"", acme_slice_of(names[i]), "\"");
            return;
        }
    }
    struct acme_slice name = acme_json_text(json, acme_json_member(json, 0, "identifier"), "value");
    if (e->step == ACME_STEP_AUTHZ && name.len > 0) {
        shown(r, "a name that was asked for; the authorization is for \"", name, "\"");
    }
}

void acme_evidence_look(struct acme_report *r, const struct acme_event *e)
{
    switch (e->document == NULL ? 0 : e->error) {
    case ACME_E_URL:
    case ACME_E_URL_SCHEME:
    case ACME_E_URL_HOST:
    case ACME_E_URL_LONG:
        find_url(r, e);
        break;
    case ACME_E_MEMBER:
        find_missing(r, e);
        break;
    case ACME_E_CHALLENGE_NONE:
        list_offers(r, e->document);
        break;
    default:
        break;
    }
}

void acme_evidence_late(struct acme_report *r)
{
    const struct acme_failure *f = acme_failure(r->client);
    const struct acme_http_answer *http = &r->client->exchange.http.answer;
    struct acme_event about = {.kind = ACME_EVENT_ANSWER, .step = f->step, .error = f->error};
    bool redirected = http->status >= 300 && http->status < 400;

    if (f->error <= ACME_E_URL && f->error >= ACME_E_URL_LONG && r->shown[0] == '\0') {
        (void)is_to_blame(r, &about, redirected ? "the redirect's Location" : "Location",
                          acme_slice_of(http->location));
    }
}

bool acme_evidence_names(const struct acme_client *c, struct acme_out *o)
{
    const struct acme_chain *chain = &c->chain;
    const uint8_t *der = chain->memory + chain->held;
    struct acme_leaf leaf;
    struct acme_der name;
    uint8_t tag;
    size_t start = o->len;

    /* Still where it was judged: the end of a run writes no more than the order's record over its beginning. */
    bool v1 = c->exchange.body == ACME_BODY_DER;
    size_t len = v1 ? c->exchange.body_len : chain->pem.len;
    if (chain->memory == NULL || chain->held > chain->cap || len > chain->cap - chain->held ||
        acme_leaf_parse(&leaf, der, len) != 0) {
        return false;
    }
    while (acme_der_next(&leaf.names, &tag, &name) && o->len - start < 300) {
        acme_out_text(o, o->len == start ? "it is for " : ", ");
        if (tag == ACME_DER_DNS_NAME) {
            acme_out_bytes(o, name.at, name.len < 253 ? name.len : 253);
        } else if (tag == ACME_DER_IP_ADDRESS && (name.len == 4 || name.len == 16)) {
            char address[INET6_ADDRSTRLEN];
            acme_address_text(name.at, name.len, address);
            acme_out_text(o, address);
        } else {
            acme_out_text(o, "a name of another kind");
        }
    }
    if (o->len == start) {
        acme_out_text(o, "it has no subjectAltName, and a common name does not count");
    }
    make_printable(o->at + start, o->len - start);
    return true;
}
