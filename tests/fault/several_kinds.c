/* several_kinds.c - what can go wrong: one row a kind. */
#define _GNU_SOURCE
#include "several.h"

#include "fastkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(kind) (1u << (kind))

#define OBJECTS                                                                                                      \
    (BIT(CA_ORDER) | BIT(CA_AUTHZ) | BIT(CA_CHALLENGE) | BIT(CA_FINALIZE) | BIT(CA_CERTIFICATE) | BIT(CA_ISSUER))
#define MAKES  (BIT(CA_FINALIZE) | BIT(CA_NEW_CERT))
#define ORDERS (BIT(CA_NEW_ORDER) | BIT(CA_ORDER) | BIT(CA_FINALIZE))
#define DOCUMENTS                                                                                                    \
    (BIT(CA_DIRECTORY) | BIT(CA_NEW_ACCOUNT) | BIT(CA_NEW_REG) | BIT(CA_NEW_AUTHZ) | BIT(CA_AUTHZ) | ORDERS)
#define SIGNED                                                                                                       \
    (BIT(CA_NEW_ORDER) | BIT(CA_ORDER) | BIT(CA_AUTHZ) | BIT(CA_CHALLENGE) | BIT(CA_FINALIZE) |                      \
     BIT(CA_CERTIFICATE) | BIT(CA_NEW_AUTHZ) | BIT(CA_NEW_CERT) | BIT(CA_REG))
#define POLLED (BIT(CA_ORDER) | BIT(CA_AUTHZ))

#define TROUBLE                                                                                                      \
    "{\"type\":\"urn:ietf:params:acme:error:serverInternal\",\"detail\":\"Error finalizing order\",\"status\":500}"

/* --- the order --- */

/* Other text in place of `len` bytes of a body. */
static void exchange(struct reply *p, char *at, size_t len, const char *text)
{
    size_t n = strlen(text);
    assert_true(strlen(p->body) + n - len < sizeof p->body);
    memmove(at + n, at + len, strlen(at + len) + 1);
    memcpy(at, text, n);
}

static struct ca_order *order_of(const struct request *r)
{
    return &several.d->ca.order[r->order - 1];
}

/* This request is not one it can be done to: it counts as not met. */
static enum ca_meddled passed_over(struct fault *f)
{
    f->done--;
    return CA_UNTOUCHED;
}

/* What is heard of it: nothing, or the server's trouble. The order's document tells the rest. */
static enum ca_meddled in_trouble(const struct fault *f, struct reply *p)
{
    p->head[0] = '\0';
    refuse(p, 500, "serverInternal", "Error finalizing order");
    return f->seed % 3 == 0 ? CA_SEVERED : CA_MEDDLED;
}

static enum ca_meddled dies_unsigned(struct fault *f, struct request *r, struct reply *p)
{
    struct ca_order *o = order_of(r);
    if (strcmp(o->status, "ready") != 0 && strcmp(o->status, "pending") != 0) {
        return passed_over(f);
    }
    o->status = "invalid";
    o->error = TROUBLE;
    return in_trouble(f, p);
}

static enum ca_meddled dies_signed(struct fault *f, struct request *r, struct reply *p)
{
    struct ca_order *o = order_of(r);
    if (o->chain == NULL || p->code >= 400) {
        return passed_over(f);
    }
    o->status = "invalid";
    o->error = TROUBLE;
    several.made[r->order - 1].lost = "the CA gave the order up after it had signed";
    return in_trouble(f, p);
}

/* The same with the order's own word for it. */
static enum ca_meddled slow_order(struct fault *f, struct request *r, struct reply *p)
{
    struct ca_order *o = order_of(r);
    if (strcmp(o->status, "valid") == 0 && !several.made[r->order - 1].used) {
        o->status = "processing";
        char *at = strstr(p->body, "\"status\":\"valid\""), *certificate = strstr(p->body, ",\"certificate\":\"");
        if (certificate != NULL) {
            exchange(p, certificate, (size_t)(strchr(certificate + 16, '"') + 1 - certificate), "");
        }
        if (at != NULL) {
            exchange(p, at, strlen("\"status\":\"valid\""), "\"status\":\"processing\"");
        }
        o->processing = f->seed % 4;
    }
    return CA_UNTOUCHED;
}

static enum ca_meddled stale_look(struct fault *f, struct request *r, struct reply *p)
{
    static const char *const words[] = {"\"status\":\"valid\"", "\"status\":\"ready\"", "\"status\": \"valid\""};
    for (unsigned i = 0; i < LEN(words); i++) {
        for (char *at = strstr(p->body, words[i]); at != NULL; at = strstr(at, words[i])) {
            exchange(p, at, strlen(words[i]), i == 2 ? "\"status\": \"pending\"" : "\"status\":\"pending\"");
        }
    }
    return CA_UNTOUCHED;
}

static enum ca_meddled wants_hours(struct fault *f, struct request *r, struct reply *p)
{
    bool under_way =
        strstr(p->body, "\"processing\"") != NULL || strstr(p->body, "pending\"") != NULL || p->code == 202;
    if (p->code < 400 && under_way) {
        strcat(p->head, "Retry-After: 7200\r\n");
    }
    return CA_UNTOUCHED;
}

/* --- lists and members --- */

/* Writes the list of authorizations anew: 0 the first twice, the last left out; 1 the last left out; 2 turned round; 3 all
 * twice; 4 empty. */
static enum ca_meddled other_list(struct fault *f, struct request *r, struct reply *p)
{
    unsigned n = several.plan.name_count, number = r->kind == CA_NEW_ORDER ? several.d->ca.order_count : r->order;
    unsigned how = f->seed % 5;
    char *list = strstr(p->body, "\"authorizations\":["), list_text[1500] = "";
    if (list == NULL || p->code >= 400) {
        return passed_over(f);
    }
    list += strlen("\"authorizations\":[");
    unsigned count = how == 4 ? 0 : how == 3 ? 2 * n : how == 1 ? n - 1 : n;
    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned which = how == 0 && i + 1 == n ? 0 : how == 2 ? n - 1 - i : i % n;
        at += (size_t)snprintf(list_text + at, sizeof list_text - at, "%s\"" CA_URL "/authz/%u/%u\"",
                               i > 0 ? "," : "", number, which);
    }
    exchange(p, list, strcspn(list, "]"), list_text);
    return CA_UNTOUCHED;
}

static enum ca_meddled less_members(struct fault *f, struct request *r, struct reply *p)
{
    static const char *const names[] = {
        "\"status\"",     "\"authorizations\"", "\"finalize\"", "\"certificate\"", "\"challenges\"",
        "\"identifier\"", "\"token\"",          "\"url\"",      "\"type\"",        "\"uri\"",
        "\"newOrder\"",   "\"newNonce\""};
    for (unsigned i = 0; i < LEN(names); i++) { /* the first that is there, from a place by the dice */
        char *at = strstr(p->body, names[(f->seed + i) % LEN(names)]);
        if (at != NULL) {
            for (char *next = at; next != NULL; next = strstr(next + 1, names[(f->seed + i) % LEN(names)])) {
                next[1] = 'x';
            }
            return CA_UNTOUCHED;
        }
    }
    return CA_UNTOUCHED;
}

static enum ca_meddled no_location(struct fault *f, struct request *r, struct reply *p)
{
    char *at = strstr(p->head, "Location: ");
    if (at != NULL) {
        char *end = strstr(at, "\r\n") + 2;
        memmove(at, end, strlen(end) + 1);
    }
    return CA_UNTOUCHED;
}

static enum ca_meddled broken_body(struct fault *f, struct request *r, struct reply *p)
{
    size_t len = p->body_len > 0 ? p->body_len : strlen(p->body);
    if (r->head) {
        return passed_over(f);
    }
    switch (f->seed % 4) {
    case 0: /* half of it */
        len /= 2;
        break;
    case 1:
        len = 0;
        break;
    case 2: /* a byte order mark before it */
        memmove(p->body + 3, p->body, len);
        memcpy(p->body, "\xef\xbb\xbf", 3);
        len += 3;
        break;
    default:
        len = (size_t)sprintf(p->body, "<html><body>Sign in to the network</body></html>");
        break;
    }
    p->body[len] = '\0';
    p->body_len = p->body_len > 0 && len > 0 ? len : 0;
    return CA_UNTOUCHED;
}

/* --- certificates --- */

static char *wrong_chain(struct fault *f, const struct ca_order *o)
{
    const char *const *names = several.plan.names;
    char san[600] = "";
    struct acme_key_p256 other;
    for (unsigned i = 0; i < several.plan.name_count; i++) {
        snprintf(san + strlen(san), sizeof san - strlen(san), "%sDNS:%s", i > 0 ? "," : "", names[i]);
    }
    switch (f->seed % 4) {
    case 0: /* another's key */
        (void)fastkey_by_dice(&other, NULL);
        return several_chain(other.point, san);
    case 1:
        strcat(san, ",DNS:more.example");
        return several_chain(o->point, san);
    case 2: /* a name is missing */
        return several_chain(o->point, several.plan.name_count > 1 ? "DNS:a.example" : "DNS:www.a.example");
    default:
        return several_chain(o->point, NULL);
    }
}

/* The certificate is right, this answer is not. */
static enum ca_meddled wrong_leaf(struct fault *f, struct request *r, struct reply *p)
{
    struct ca_order *o = order_of(r);
    if (o->chain == NULL || several.true_chain != NULL) {
        return passed_over(f);
    }
    several.true_chain = o->chain;
    several.true_order = r->order;
    o->chain = wrong_chain(f, o);
    return CA_UNTOUCHED;
}

/* The CA has made a wrong one. */
static enum ca_meddled made_wrong(struct fault *f, struct request *r, struct reply *p)
{
    struct ca *ca = &several.d->ca;
    unsigned number = r->kind == CA_NEW_CERT ? ca->order_count : r->order;
    struct ca_order *o = number > 0 ? &ca->order[number - 1] : NULL;
    if (p->code >= 400 || o == NULL || o->chain == NULL || several.made[number - 1].lost != NULL) {
        return passed_over(f);
    }
    free(o->chain);
    o->chain = wrong_chain(f, o);
    several.made[number - 1].lost = "the CA made a wrong one";
    return CA_UNTOUCHED;
}

/* --- the challenge --- */

static unsigned authz_number(const struct request *r)
{
    return several.v1 ? r->authz : (r->order - 1) * CA_NAMES + r->authz;
}

static struct ca_authz *authz_of(const struct request *r)
{
    struct ca *ca = &several.d->ca;
    return several.v1 ? &ca->v1.authz[r->authz] : &ca->order[r->order - 1].authz[r->authz];
}

/* The CA has forgotten that it was answered: it stays pending, without an error. */
static enum ca_meddled forgets_answer(struct fault *f, struct request *r, struct reply *p)
{
    struct visit *v = &several.visit[authz_number(r)];
    if (r->get || p->code >= 400 || !v->open) {
        return passed_over(f);
    }
    authz_of(r)->responded = false;
    v->open = false;
    return CA_UNTOUCHED;
}

static enum ca_meddled unreachable_listener(struct fault *f, struct request *r, struct reply *p)
{
    struct visit *v = &several.visit[authz_number(r)];
    if (r->get || p->code >= 400 || !v->open) {
        return passed_over(f);
    }
    v->broken = true;
    return CA_UNTOUCHED;
}

static enum ca_meddled slow_validator(struct fault *f, struct request *r, struct reply *p)
{
    struct visit *v = &several.visit[authz_number(r)];
    if (!v->open || v->since_ms != several.t->virtual_ms) { /* it has set out already */
        return passed_over(f);
    }
    v->due_ms += 20000 + f->seed % 400 * 1000;
    return CA_UNTOUCHED;
}

/* --- who is asked --- */

static enum ca_meddled another_replica(struct fault *f, struct request *r, struct reply *p)
{
    unsigned hash = 5381;
    for (const char *c = r->url; *c != '\0'; c++) {
        hash = hash * 33 + (unsigned char)*c;
    }
    for (unsigned i = 0; i < several.seen_count; i++) {
        if (several.seen[i] == hash) {
            return passed_over(f);
        }
    }
    if (several.seen_count == LEN(several.seen)) {
        return passed_over(f);
    }
    several.seen[several.seen_count++] = hash;
    refuse(p, 404, "malformed", "no such thing here");
    return CA_MEDDLED;
}

static enum ca_meddled no_such_account(struct fault *f, struct request *r, struct reply *p)
{
    if (r->get) {
        refuse(p, 404, "malformed", "no such thing");
    } else if (several.v1) {
        refuse(p, 403, "unauthorized", "No registration exists matching provided key");
    } else {
        refuse(p, 400, "accountDoesNotExist", "Account not found");
    }
    return CA_MEDDLED;
}

static enum ca_meddled says_deactivated(struct fault *f, struct request *r, struct reply *p)
{
    if (r->get) {
        return passed_over(f);
    }
    refuse(p, several.v1 || f->seed % 2 ? 403 : 401, "unauthorized",
           "Account is not valid, has status \\\"deactivated\\\"");
    return CA_MEDDLED;
}

static enum ca_meddled forgets_account(struct fault *f, struct request *r, struct reply *p)
{
    struct ca *ca = &several.d->ca;
    if (ca->accounts > 0 && several.accounts_lost == 0) {
        ca->forgot_account = true;
        several.accounts_lost++;
        several_lost("the CA lost the account");
        for (unsigned i = 0; !several.v1 && i < ca->order_count; i++) {
            ca->order[i].status = "invalid";
        }
        ca->v1.agreed = false;
        for (unsigned i = 0; i < ca->v1.authz_count; i++) {
            ca->v1.authz[i].status = "invalid";
        }
        memset(several.visit, 0, sizeof several.visit);
    }
    return CA_UNTOUCHED;
}

/* What was made up to here is gone at the CA, as orders are some days after they end. */
static enum ca_meddled purges_orders(struct fault *f, struct request *r, struct reply *p)
{
    struct ca *ca = &several.d->ca;
    several_lost("the CA purged its orders");
    several.purged_orders = ca->order_count;
    several.purged_authz = ca->v1.authz_count;
    for (unsigned i = 0; !several.v1 && i < ca->order_count; i++) {
        ca->order[i].status = "invalid"; /* none is given out again */
    }
    for (unsigned i = 0; i < ca->v1.authz_count; i++) {
        ca->v1.authz[i].status = "invalid";
    }
    return CA_UNTOUCHED;
}

/* Somebody else, or its time, has ended it. */
static enum ca_meddled authz_ends(struct fault *f, struct request *r, struct reply *p)
{
    static const char *const words[] = {"deactivated", "expired", "revoked"};
    struct ca *ca = &several.d->ca;
    if (several.v1) { /* a valid one is found so when the certificate is asked for */
        for (unsigned i = 0; i < ca->v1.authz_count; i++) {
            ca->v1.authz[i].status = "invalid";
        }
        return CA_UNTOUCHED;
    }
    struct ca_order *o = order_of(r);
    if (strcmp(o->status, "pending") != 0 && strcmp(o->status, "ready") != 0) {
        return passed_over(f);
    }
    authz_of(r)->status = words[f->seed % LEN(words)];
    authz_of(r)->responded = false;
    several.visit[authz_number(r)].open = false;
    o->status = "invalid";
    return CA_UNTOUCHED;
}

static enum ca_meddled refuses_nonces(struct fault *f, struct request *r, struct reply *p)
{
    if (r->get) {
        return passed_over(f);
    }
    refuse(p, 400, "badNonce", "JWS has an invalid anti-replay nonce");
    return CA_MEDDLED;
}

static enum ca_meddled severs(struct fault *f, struct request *r, struct reply *p)
{
    return CA_SEVERED;
}

/* --- the device --- */

static enum ca_meddled power_goes(struct fault *f, struct request *r, struct reply *p)
{
    several.restarts = true;
    return CA_UNTOUCHED;
}

static void change_record(unsigned record, unsigned how)
{
    struct device *d = several.d;
    size_t len = d->record[record].len;
    if (len == 0) {
        return;
    }
    switch (how % 3) {
    case 0:
        d->record[record].len = 0;
        break;
    case 1: /* torn */
        d->record[record].len = len / 2;
        break;
    default: /* of a later version, or rotten */
        d->record[record].data[0] ^= 1;
        break;
    }
}

static enum ca_meddled loses_order(struct fault *f, struct request *r, struct reply *p)
{
    change_record(ACME_RECORD_ORDER, f->seed);
    several_lost("the order's record was lost");
    return CA_UNTOUCHED;
}

static enum ca_meddled loses_account(struct fault *f, struct request *r, struct reply *p)
{
    change_record(ACME_RECORD_ACCOUNT, f->seed);
    return CA_UNTOUCHED;
}

static enum ca_meddled loses_next_key(struct fault *f, struct request *r, struct reply *p)
{
    several.d->record[ACME_RECORD_KEY_NEXT].len = 0; /* a damaged one is never taken as absent */
    several_lost("the next key's record was lost");
    return CA_UNTOUCHED;
}

static enum ca_meddled older_state(struct fault *f, struct request *r, struct reply *p)
{
    struct device *d = several.d;
    unsigned from = f->seed % (several.run + 1);
    if (!several.before[from].there || several.before[from].len[ACME_RECORD_ACCOUNT_KEY] == 0) {
        return CA_UNTOUCHED;
    }
    bool same = true;
    for (unsigned i = 0; i < DEVICE_RECORDS; i++) {
        size_t len = several.before[from].len[i];
        bool matters = i == ACME_RECORD_ORDER || i == ACME_RECORD_KEY_NEXT;
        same = same && (!matters || (len == d->record[i].len &&
                                     memcmp(d->record[i].data, several.before[from].record[i], len) == 0));
        memcpy(d->record[i].data, several.before[from].record[i], len);
        d->record[i].len = len;
    }
    if (!same) {
        several_lost("an older state was restored");
    }
    return CA_UNTOUCHED;
}

static enum ca_meddled clock_jumps(struct fault *f, struct request *r, struct reply *p)
{
    static const int64_t jumps[] = {3600,           -3600,          MAKER_DAY,      -MAKER_DAY,
                                    20 * MAKER_DAY, -9 * MAKER_DAY, 100 * MAKER_DAY};
    several.jumped = true;
    several.skew += jumps[f->seed % LEN(jumps)];
    if (jumps[f->seed % LEN(jumps)] >= MAKER_DAY) {
        several_lost("the clock says that it is old");
    }
    several.d->utc += jumps[f->seed % LEN(jumps)];
    return CA_UNTOUCHED;
}

/* clang-format off */
const struct fault_kind fault_kinds[] = {
    /* answers in place of the CA's */
    {"404 malformed",         AT_REQUEST, OBJECTS,   OF_BOTH, LASTS_PERSON, 404, "malformed"},
    {"404 malformed",         AT_REQUEST, BIT(CA_CERTIFICATE) | BIT(CA_ORDER), OF_BOTH, LASTS_PERSON, 404, "malformed"},
    {"400 malformed",         AT_REQUEST, OBJECTS,   OF_BOTH, NEEDS_PERSON, 400, "malformed"},
    {"403 unauthorized",      AT_REQUEST, OBJECTS,   OF_8555, NEEDS_PERSON, 403, "unauthorized"},
    {"500 page",              AT_REQUEST, 0,         OF_BOTH, NO_EXCUSE, 500, NULL},
    {"502 page",              AT_REQUEST, 0,         OF_BOTH, NO_EXCUSE, 502, NULL},
    {"503 page, Retry-After", AT_REQUEST, 0,         OF_BOTH, NO_EXCUSE, 503, NULL, "Retry-After: 30\r\n"},
    {"500 serverInternal",    AT_REQUEST, 0,         OF_BOTH, NO_EXCUSE, 500, "serverInternal"},
    {"500 when done",         AT_ANSWER,  0,         OF_BOTH, NO_EXCUSE, 500, "serverInternal"},
    {"504 page when done",    AT_ANSWER,  0,         OF_BOTH, NO_EXCUSE, 504, NULL},
    {"501 page",              AT_REQUEST, 0,         OF_BOTH, NO_EXCUSE, 501, NULL},
    {"404 page",              AT_REQUEST, 0,         OF_BOTH, NO_EXCUSE, 404, NULL},
    {"405 page",              AT_REQUEST, 0,         OF_BOTH, NO_EXCUSE, 405, NULL},
    {"429 page",              AT_REQUEST, 0,         OF_BOTH, NO_EXCUSE, 429, NULL},
    {"429 page",              AT_REQUEST, POLLED,    OF_BOTH, NO_EXCUSE, 429, NULL},
    {"429 rateLimited",       AT_REQUEST, SIGNED,    OF_BOTH, ENDS_RUN | A_DAY, 429, "rateLimited"},
    {"429 rateLimited, 60 s", AT_REQUEST, SIGNED,    OF_BOTH, NO_EXCUSE, 429, "rateLimited", "Retry-After: 60\r\n"},
    {"429 rateLimited, 2 h",  AT_REQUEST, SIGNED,    OF_BOTH, ENDS_RUN, 429, "rateLimited", "Retry-After: 7200\r\n"},
    {"503, Retry-After 2 h",  AT_REQUEST, SIGNED,    OF_BOTH, ENDS_RUN, 503, NULL, "Retry-After: 7200\r\n"},
    {"another replica",       AT_REQUEST, OBJECTS,   OF_BOTH, NO_EXCUSE, .act = another_replica},
    {"no such account",       AT_REQUEST, SIGNED,    OF_BOTH, LASTS_PERSON, .act = no_such_account},
    {"says deactivated",      AT_REQUEST, SIGNED,    OF_BOTH, ENDS_RUN | NEEDS_PERSON, .act = says_deactivated},
    {"account forgotten",     AT_REQUEST, SIGNED,    OF_BOTH, ENDS_RUN | LASTS_PERSON, .act = forgets_account},
    {"orders purged",         BEFORE_RUN, 0,         OF_BOTH, NEEDS_PERSON, .act = purges_orders},
    {"authz ends",            AT_REQUEST, BIT(CA_AUTHZ), OF_8555, ENDS_RUN, .act = authz_ends},
    {"authz ends",            AT_REQUEST, BIT(CA_NEW_CERT), OF_V1, ENDS_RUN | NEEDS_PERSON, .act = authz_ends},
    {"nonce refused",         AT_REQUEST, SIGNED,    OF_BOTH, NO_EXCUSE, .act = refuses_nonces},
    /* connections */
    {"cut before",            AT_REQUEST, 0,         OF_BOTH, NO_EXCUSE, .act = severs},
    {"cut when done",         AT_ANSWER,  0,         OF_BOTH, NO_EXCUSE, .act = severs},
    {"cut when done",         AT_ANSWER,  MAKES,     OF_BOTH, NO_EXCUSE, .act = severs},
    {"no connection",         AT_CONNECT, 0,         OF_BOTH, NO_EXCUSE, .error = ACME_E_REFUSED},
    {"no host",               AT_CONNECT, 0,         OF_BOTH, NO_EXCUSE, .error = ACME_E_HOST},
    /* what the answer says */
    {"order dies unsigned",   AT_REQUEST, BIT(CA_FINALIZE), OF_8555, NO_EXCUSE, .act = dies_unsigned},
    {"order dies signed",     AT_ANSWER,  BIT(CA_FINALIZE), OF_8555, NO_EXCUSE, .act = dies_signed},
    {"order processing",      AT_ANSWER,  BIT(CA_FINALIZE) | BIT(CA_ORDER), OF_8555, NO_EXCUSE, .act = slow_order},
    {"stale look",            AT_ANSWER,  POLLED,    OF_BOTH, ANSWERS_TWICE, .act = stale_look},
    {"Retry-After 2 h",       AT_ANSWER,  POLLED | BIT(CA_FINALIZE) | BIT(CA_CERTIFICATE), OF_BOTH, ENDS_RUN, .act = wants_hours},
    {"another list",          AT_ANSWER,  ORDERS,    OF_8555, NO_EXCUSE, .act = other_list},
    {"member missing",        AT_ANSWER,  DOCUMENTS, OF_BOTH, NEEDS_PERSON, .act = less_members},
    {"no Location",           AT_ANSWER,  BIT(CA_NEW_ACCOUNT) | BIT(CA_NEW_ORDER) | BIT(CA_NEW_REG) | BIT(CA_NEW_AUTHZ) | BIT(CA_NEW_CERT),
                                                     OF_BOTH, NEEDS_PERSON | LEAVES_ORDERS, .act = no_location},
    {"broken body",           AT_ANSWER,  DOCUMENTS | BIT(CA_CERTIFICATE) | BIT(CA_NEW_CERT) | BIT(CA_ISSUER),
                                                     OF_BOTH, LEAVES_ORDERS, .act = broken_body},
    {"wrong leaf",            AT_REQUEST, BIT(CA_CERTIFICATE), OF_BOTH, NO_EXCUSE, .act = wrong_leaf},
    {"wrong leaf made",       AT_ANSWER,  MAKES,     OF_BOTH, NO_EXCUSE, .act = made_wrong},
    /* the challenge */
    {"answer forgotten",      AT_ANSWER,  BIT(CA_CHALLENGE), OF_BOTH, ANSWERS_TWICE, .act = forgets_answer},
    {"listener not reached",  AT_ANSWER,  BIT(CA_CHALLENGE), OF_BOTH, ENDS_RUN, .act = unreachable_listener},
    {"slow validator",        AT_ANSWER,  BIT(CA_CHALLENGE), OF_BOTH, NO_EXCUSE, .act = slow_validator},
    {"listener busy",         AT_PRESENT, 0,         OF_BOTH, ENDS_RUN, .error = ACME_E_LISTEN},
    /* the device */
    {"power goes",            AT_TICK,    0,         OF_BOTH, LOSES_POWER, .act = power_goes},
    {"power goes",            AT_TICK,    0,         OF_BOTH, LOSES_POWER, .act = power_goes},
    {"cache unreadable",      AT_GET,     0,         OF_BOTH, OLD_STATE, .error = ACME_E_STORE_READ},
    {"cannot be written",     AT_PUT,     0,         OF_BOTH, ENDS_RUN, .error = ACME_E_STORE_WRITE},
    {"order lost",            BEFORE_RUN, 0,         OF_BOTH, OLD_STATE, .act = loses_order},
    {"account record lost",   BEFORE_RUN, 0,         OF_BOTH, OLD_STATE, .act = loses_account},
    {"next key lost",         BEFORE_RUN, 0,         OF_BOTH, OLD_STATE, .act = loses_next_key},
    {"older state",           BEFORE_RUN, 0,         OF_BOTH, OLD_STATE, .act = older_state},
    {"clock jumps",           BEFORE_RUN, 0,         OF_BOTH, NO_EXCUSE, .act = clock_jumps},
};
/* clang-format on */
const unsigned fault_kind_count = LEN(fault_kinds);
