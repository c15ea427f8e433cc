/* ca_v1.c - see ca_v1.h. */
#include "ca_manage.h"
#include "ca_v1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#define A CA_URL "/acme"

enum { DNS_01, TLS_SNI_01, HTTP_01, TYPES };

static const struct {
    const char *path; /* with a slash behind it: of an object */
    enum ca_kind kind;
    const char *resource; /* what a payload has to call it; NULL: it is asked for by GET */
} resources[] = {
    {"/dir", CA_DIRECTORY, NULL},
    {"/acme/new-reg", CA_NEW_REG, "new-reg"},
    {"/acme/reg/", CA_REG, "reg"},
    {"/acme/new-authz", CA_NEW_AUTHZ, "new-authz"},
    {"/acme/authz/", CA_AUTHZ, NULL},
    {"/acme/challenge/", CA_CHALLENGE, "challenge"},
    {"/acme/new-cert", CA_NEW_CERT, "new-cert"},
    {"/acme/cert/", CA_CERTIFICATE, NULL},
    {"/acme/issuer-cert", CA_ISSUER, NULL},
    {"/acme/revoke-cert", CA_REVOKE, "revoke-cert"},
    {"/acme/key-change", CA_KEY_CHANGE, "key-change"},
};

static const char *resource_of(enum ca_kind kind)
{
    for (size_t i = 0; i < LEN(resources); i++) {
        if (resources[i].kind == kind) {
            return resources[i].resource;
        }
    }
    return NULL;
}

void ca_v1_init(struct ca *ca)
{
    const char *account = ca->plan->account;
    if (account != NULL) {
        ca->accounts = 1;
        ca->v1.agreed = strcmp(account, "agreed") == 0;
        ca->v1.deactivated = strcmp(account, "deactivated") == 0;
    }
}

/* --- names of objects --- */

static void cert_path(unsigned order, char out[64])
{
    snprintf(out, 64, "ff%034x", order);
}

static void token_of(unsigned authz, unsigned type, char out[64])
{
    snprintf(out, 64, "t%02u-%u-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk", authz % 100, type);
    out[43] = '\0';
}

/* Challenges are counted over all authorizations. */
static unsigned challenge_number(unsigned authz, unsigned type)
{
    return authz * TYPES + type + 1;
}

void ca_v1_http01(unsigned authz, char *uri, size_t cap, char token[64])
{
    char path[64];
    ca_v1_authz_path(authz, path);
    token_of(authz, HTTP_01, token);
    snprintf(uri, cap, A "/challenge/%s/%u", path, challenge_number(authz, HTTP_01));
}

static bool find_object(const struct ca *ca, struct request *r, const char *rest)
{
    char whole[80], name[64];
    switch (r->kind) {
    case CA_REG:
        return strcmp(rest, "1") == 0;
    case CA_CERTIFICATE:
        for (r->order = 1; r->order <= ca->order_count; r->order++) {
            cert_path(r->order, name);
            if (strcmp(rest, name) == 0) {
                return true;
            }
        }
        return false;
    default:
        for (r->authz = 0; r->authz < ca->v1.authz_count; r->authz++) {
            ca_v1_authz_path(r->authz, name);
            if (r->kind == CA_AUTHZ && strcmp(rest, name) == 0) {
                return true;
            }
            for (unsigned type = 0; r->kind == CA_CHALLENGE && type < TYPES; type++) {
                snprintf(whole, sizeof whole, "%s/%u", name, challenge_number(r->authz, type));
                if (strcmp(rest, whole) == 0) {
                    r->order = type;
                    return true;
                }
            }
        }
        return false;
    }
}

void ca_v1_begin(struct ca *ca)
{
    for (unsigned i = 0; i < ca->plan->name_count; i++) {
        bool valid = i < ca->plan->born_valid;
        ca->v1.authz[ca->v1.authz_count++] =
            (struct ca_authz){.status = valid ? "valid" : "pending",
                              .was_valid = valid,
                              .responded = i == ca->plan->born_valid, /* one at a time */
                              .looks = ca->plan->authz_looks,
                              .name = i};
    }
}

bool ca_v1_route(const struct ca *ca, struct request *r, const char *path)
{
    for (size_t i = 0; i < LEN(resources); i++) {
        size_t n = strlen(resources[i].path);
        bool object = resources[i].path[n - 1] == '/';
        if (strncmp(path, resources[i].path, n) != 0 || (!object && strchr("?", path[n]) == NULL)) {
            continue;
        }
        r->kind = resources[i].kind;
        bool found = !object || find_object(ca, r, path + n);
        bool for_post = resources[i].resource != NULL && r->kind != CA_CHALLENGE;
        if (found && r->head) { /* a nonce may be had anywhere */
            r->head_code = for_post ? 405 : 200;
            r->kind = CA_NONCE;
        }
        return found;
    }
    r->kind = CA_KINDS;
    return false;
}

const char *ca_v1_method(const struct request *r)
{
    bool post = resource_of(r->kind) != NULL && !(r->kind == CA_CHALLENGE && r->get);
    return r->head ? "HEAD" : post ? "POST" : "GET";
}

/* --- payloads --- */

/* Whether "name":"text" is the next of an object's members at *at, which moves behind it. */
static bool next_is(const char **at, const char *name)
{
    char key[64];
    size_t len = (size_t)snprintf(key, sizeof key, "\"%s\":\"", name);
    if (strchr("{,", **at) == NULL || strncmp(*at + 1, key, len) != 0) {
        return false;
    }
    *at += len + 1;
    *at += strcspn(*at, "\"") + 1;
    return true;
}

static bool next_contact(const char **at)
{
    static const char key[] = ",\"contact\":[\"", none[] = ",\"contact\":[]";
    if (strncmp(*at, none, strlen(none)) == 0) {
        *at += strlen(none);
        return true;
    }
    if (strncmp(*at, key, strlen(key)) != 0) {
        return false;
    }
    *at = strchr(*at, ']') + 1;
    return true;
}

static bool is_asked_for(const struct ca *ca, const char *name, unsigned *which)
{
    for (*which = 0; *which < ca->plan->name_count; ++*which) {
        if (strcmp(ca->plan->names[*which], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The name of {"identifier":{"type":"dns","value":NAME}}, behind the resource. */
static bool identifier(const char **at, char *name, size_t cap)
{
    static const char key[] = ",\"identifier\":{\"type\":\"dns\",\"value\":\"";
    if (strncmp(*at, key, strlen(key)) != 0) {
        return false;
    }
    *at += strlen(key);
    snprintf(name, cap, "%.*s", (int)strcspn(*at, "\""), *at);
    *at += strlen(name) + 2; /* the quote and the brace */
    return true;
}

/* Every name has had a valid authorization: a client that asks for the certificate may know so. */
static bool all_were_valid(const struct ca *ca)
{
    unsigned valid = 0;
    for (unsigned i = 0; i < ca->v1.authz_count; i++) {
        valid |= ca->v1.authz[i].was_valid ? 1u << ca->v1.authz[i].name : 0;
    }
    return valid == (1u << ca->plan->name_count) - 1;
}

void ca_v1_judge(struct ca *ca, struct request *r)
{
    char resource[32], name[300] = "";
    const char *at = r->payload;
    assert_true(member(r->payload, "resource", resource, sizeof resource));
    assert_string_equal(resource, resource_of(r->kind));
    if (ca->plan->manage && r->kind >= CA_REVOKE) {
        return; /* ca_manage.c judges it */
    }
    bool first = next_is(&at, "resource"); /* or last */
    switch (r->kind) {
    case CA_NEW_REG:
    case CA_REG:
        (void)next_contact(&at);
        (void)next_is(&at, "agreement");
        (void)next_is(&at, "status");
        break;
    case CA_NEW_AUTHZ:
        assert_true(identifier(&at, name, sizeof name));
        assert_true(is_asked_for(ca, name, &r->authz));
        break;
    case CA_CHALLENGE:
        (void)next_is(&at, "type");
        assert_true(next_is(&at, "keyAuthorization"));
        break;
    case CA_NEW_CERT:
        assert_true(next_is(&at, "csr"));
        ca->early += !all_were_valid(ca);
        break;
    default:
        assert_true(next_is(&at, "certificate"));
        break;
    }
    assert_true(first || next_is(&at, "resource"));
    assert_string_equal(at, "}"); /* nothing else in it */
}

/* --- documents --- */

static void headers(struct reply *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void headers(struct reply *p, const char *format, ...)
{
    size_t at = strlen(p->head);
    va_list list;
    va_start(list, format);
    vsnprintf(p->head + at, sizeof p->head - at, format, list);
    va_end(list);
}

static void b64url(const uint8_t *in, int len, char *out)
{
    EVP_EncodeBlock((unsigned char *)out, in, len);
    for (char *c = out; *c != '\0'; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
    }
}

static void account_document(const struct ca *ca, struct reply *p, bool fresh)
{
    char x[60], y[60];
    b64url(ca->point + 1, 32, x);
    b64url(ca->point + 33, 32, y);
    headers(p, "Content-Type: application/json\r\nLink: <" A "/new-authz>;rel=\"next\"\r\n"
               "Link: <" CA_V1_TERMS ">;rel=\"terms-of-service\"\r\n");
    snprintf(p->body, sizeof p->body,
             "{\n  \"id\": 1,\n  \"key\": {\n    \"kty\": \"EC\",\n    \"crv\": \"P-256\",\n    \"x\": \"%s\",\n"
             "    \"y\": \"%s\"\n  },\n  \"contact\": [],\n%s  \"initialIp\": \"127.0.0.1\",\n"
             "  \"createdAt\": \"2016-12-15T23:58:13%sZ\",\n  \"Status\": \"%s\"\n}",
             x, y, ca->v1.agreed ? "  \"agreement\": \"" CA_V1_TERMS "\",\n" : "", fresh ? ".408573815" : "",
             ca->v1.deactivated ? "deactivated" : "");
}

/* The records of a validation, one for each redirect and one for where it ended. */
static size_t put_records(const struct ca *ca, const char *name, char *to, size_t cap)
{
    size_t at = (size_t)snprintf(to, cap, ",\n      \"validationRecord\": [");
    for (unsigned i = 0; i <= ca->plan->redirects; i++) {
        at += (size_t)snprintf(to + at, cap - at,
                               "%s\n        {\n          \"url\": \"http://%s/.well-known/acme-challenge/%u\",\n"
                               "          \"hostname\": \"%s\",\n          \"port\": \"5002\",\n"
                               "          \"addressesResolved\": [\n            \"127.0.0.1\"\n          ],\n"
                               "          \"addressUsed\": \"127.0.0.1\"\n        }",
                               i > 0 ? "," : "", name, i, name);
    }
    return at + (size_t)snprintf(to + at, cap - at, "\n      ]");
}

static size_t put_challenge(const struct ca *ca, unsigned authz, unsigned type, char *to, size_t cap)
{
    static const char *const types[] = {"dns-01", "tls-sni-01", "http-01"};
    const struct ca_authz *a = &ca->v1.authz[authz];
    char path[64], token[64], key[200];
    /* the others stay pending whatever becomes of the one */
    bool tried = type == HTTP_01 && (a->responded || a->astray || strcmp(a->status, "pending") != 0);
    bool failed = tried && strcmp(a->status, "invalid") == 0, done = tried && strcmp(a->status, "valid") == 0;
    ca_v1_authz_path(authz, path);
    token_of(authz, type, token);
    size_t at = (size_t)snprintf(to, cap, "    {\n      \"type\": \"%s\",\n      \"status\": \"%s\",\n", types[type],
                                 failed ? "invalid"
                                 : done ? "valid"
                                        : "pending");
    at += (size_t)snprintf(to + at, cap - at, "%s",
                           failed ? "      \"error\": {\n        \"type\": \"" CA_V1_URN "unauthorized\",\n"
                                    "        \"detail\": \"Invalid response from http://a.example: 404\",\n"
                                    "        \"status\": 403\n      },\n"
                                  : "");
    at += (size_t)snprintf(to + at, cap - at, "      \"uri\": \"" A "/challenge/%s/%u\",\n      \"token\": \"%s\"",
                           path, challenge_number(authz, type), token);
    if (tried) {
        key_authorization(ca, token, key, sizeof key);
        at += (size_t)snprintf(to + at, cap - at, ",\n      \"keyAuthorization\": \"%s\"%s", key,
                               ca->plan->challenge != NULL ? ca->plan->challenge : "");
    }
    if (done) {
        at += put_records(ca, ca->plan->names[a->name], to + at, cap - at);
    }
    return at + (size_t)snprintf(to + at, cap - at, "\n    }");
}

static void authz_document(const struct ca *ca, unsigned authz, struct reply *p, bool fresh)
{
    static const unsigned char orders[6][TYPES] = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}, {0, 2, 1}, {2, 1, 0}, {1, 0, 2}};
    const struct ca_authz *a = &ca->v1.authz[authz];
    unsigned shuffle = authz + (ca->plan->shuffled ? ca->count[CA_AUTHZ] : 0);
    const unsigned char *order = orders[shuffle % 6];
    bool valid = strcmp(a->status, "valid") == 0;
    size_t at = (size_t)snprintf(p->body, sizeof p->body,
                                 "{\n  \"identifier\": {\n    \"type\": \"dns\",\n    \"value\": \"%s\"\n  },\n"
                                 "  \"status\": \"%s\",\n  \"expires\": \"%s%sZ\",\n  \"challenges\": [\n",
                                 ca->plan->names[a->name], a->status,
                                 valid ? "2027-02-22T00:00:27" : "2026-11-30T23:58:13", fresh ? ".423607818" : "");
    for (unsigned i = 0; i < TYPES; i++) {
        at += put_challenge(ca, authz, order[i], p->body + at, sizeof p->body - at);
        at += (size_t)snprintf(p->body + at, sizeof p->body - at, i + 1 < TYPES ? ",\n" : "\n  ],\n");
    }
    at += (size_t)snprintf(p->body + at, sizeof p->body - at, "  \"combinations\": [\n");
    for (unsigned i = 0; i < TYPES; i++) {
        at += (size_t)snprintf(p->body + at, sizeof p->body - at, "    [\n      %u\n    ]%s\n",
                               (order[i] + shuffle) % TYPES, i + 1 < TYPES ? "," : "");
    }
    at += (size_t)snprintf(p->body + at, sizeof p->body - at, "  ]\n}");
    assert_true(at < sizeof p->body);
    headers(p, "Content-Type: application/json\r\nLink: <" A "/new-cert>;rel=\"next\"\r\n");
}

static void certificate_document(const struct ca *ca, const struct ca_order *o, struct reply *p, bool relative)
{
    const char *up = ca->plan->up != NULL ? ca->plan->up : relative ? "/acme/issuer-cert" : A "/issuer-cert";
    BIO *bio = BIO_new_mem_buf(o->chain, -1);
    char *name, *header;
    unsigned char *der;
    long len;
    assert_int_equal(PEM_read_bio(bio, &name, &header, &der, &len), 1);
    assert_true((size_t)len < sizeof p->body);
    memcpy(p->body, der, (size_t)len);
    p->body_len = (size_t)len;
    headers(p, "Content-Type: application/pkix-cert\r\n");
    if (strcmp(up, "none") != 0) {
        headers(p, "Link: <%s>;rel=\"up\"\r\n", up);
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
}

/* --- carrying out --- */

static void new_reg(struct ca *ca, struct request *r, struct reply *p)
{
    char terms[300];
    if (ca->accounts > 0 && !ca->forgot_account && !r->stranger) {
        refuse(p, 409, "malformed", "Registration key is already in use");
        headers(p, "Location: " A "/reg/1\r\n");
        return;
    }
    bool agrees = member(r->payload, "agreement", terms, sizeof terms);
    if (agrees && strcmp(terms, CA_V1_TERMS) != 0) {
        refuse(p, 400, "malformed", "Provided agreement URL does not match current agreement URL");
        return;
    }
    assert_false(r->stranger); /* nobody wants a second registration */
    ca->accounts += ca->accounts == 0;
    ca->forgot_account = false;
    ca->v1.agreed = agrees;
    p->code = 201;
    account_document(ca, p, true);
    headers(p, "Location: " A "/reg/1\r\n");
}

static void reg(struct ca *ca, struct request *r, struct reply *p)
{
    char terms[300], status[32];
    bool agrees = member(r->payload, "agreement", terms, sizeof terms);
    if (agrees && strcmp(terms, CA_V1_TERMS) != 0) {
        refuse(p, 400, "malformed", "Provided agreement URL does not match current agreement URL");
        return;
    }
    ca->v1.agreed = ca->v1.agreed || agrees;
    if (member(r->payload, "status", status, sizeof status)) {
        assert_string_equal(status, "deactivated");
        ca->v1.deactivated = true;
    }
    p->code = ca->v1.deactivated ? 200 : 202;
    account_document(ca, p, false);
}

static void new_authz(struct ca *ca, struct request *r, struct reply *p)
{
    unsigned i = 0;
    char path[64];
    while (i < ca->v1.authz_count &&
           (ca->v1.authz[i].name != r->authz || strcmp(ca->v1.authz[i].status, "valid") != 0)) {
        i++;
    }
    if (i == ca->v1.authz_count) { /* a pending one is not used again */
        assert_true(i < LEN(ca->v1.authz));
        bool valid = r->authz < ca->plan->born_valid;
        ca->v1.authz[i] =
            (struct ca_authz){.status = valid ? "valid" : "pending", .was_valid = valid, .name = r->authz};
        ca->v1.authz_count++;
    }
    p->code = 201;
    authz_document(ca, i, p, true);
    ca_v1_authz_path(i, path);
    headers(p, "Location: " A "/authz/%s\r\n", path);
}

static void look_at_authz(struct ca *ca, struct request *r, struct reply *p)
{
    struct ca_authz *a = &ca->v1.authz[r->authz];
    authz_moves(ca, a);
    const char *status = a->status;
    a->status = is_stale(ca, CA_AUTHZ) ? "pending" : status;
    bool waits = ca->plan->draft && strcmp(a->status, "pending") == 0;
    p->code = waits || ca->plan->code202 ? 202 : 200;
    if (waits) {
        headers(p, "Retry-After: 3\r\n");
    }
    authz_document(ca, r->authz, p, false);
    a->status = status;
}

static void challenge(struct ca *ca, struct request *r, struct reply *p)
{
    struct ca_authz *a = &ca->v1.authz[r->authz];
    char token[64], wanted[200], said[200], path[64];
    token_of(r->authz, r->order, token);
    if (!r->get) {
        key_authorization(ca, token, wanted, sizeof wanted);
        (void)member(r->payload, "keyAuthorization", said, sizeof said);
        if (strcmp(a->status, "invalid") == 0) { /* it is dead */
            refuse(p, r->order == HTTP_01 ? 400 : 500, r->order == HTTP_01 ? "malformed" : "serverInternal",
                   "Response does not complete challenge");
            return;
        }
        bool valid = strcmp(a->status, "valid") == 0; /* then nothing is looked at */
        if (!demand(ca, r, r->order == HTTP_01 && (valid || strcmp(said, wanted) == 0), 400, "malformed")) {
            refuse(p, 400, "malformed", "Provided key authorization was incorrect");
            return;
        }
        ca->repeats += a->responded && a->failures == 0;
        if (!valid && (!a->responded || a->failures > 0)) {
            begin_validation(ca, a, wanted);
        }
    }
    p->code = ca->plan->draft && !r->get ? 200 : 202;
    (void)put_challenge(ca, r->authz, r->order, p->body, sizeof p->body);
    ca_v1_authz_path(r->authz, path);
    headers(p, "Content-Type: application/json\r\nLocation: %s\r\nLink: <" A "/authz/%s>;rel=\"up\"\r\n", r->url,
            path);
}

/* The names without a valid authorization, for the words of the refusal. */
static bool missing(const struct ca *ca, char *out, size_t cap)
{
    size_t at = 0;
    out[0] = '\0';
    for (unsigned name = 0; name < ca->plan->name_count; name++) {
        bool valid = false;
        for (unsigned i = 0; i < ca->v1.authz_count; i++) {
            valid = valid || (ca->v1.authz[i].name == name && strcmp(ca->v1.authz[i].status, "valid") == 0);
        }
        if (!valid) {
            at += (size_t)snprintf(out + at, cap - at, "%s%s", at > 0 ? ", " : "", ca->plan->names[name]);
        }
    }
    return at > 0;
}

static void new_cert(struct ca *ca, struct request *r, struct reply *p)
{
    char names[2400], detail[2600], csr[2400], payload[2500], path[64];
    if (missing(ca, names, sizeof names)) {
        snprintf(detail, sizeof detail,
                 "Error creating new cert :: Authorizations for these names not found or expired: %s", names);
        refuse(p, 403, "unauthorized", detail);
        return;
    }
    assert_true(member(r->payload, "csr", csr, sizeof csr));
    snprintf(payload, sizeof payload, "{\"csr\":\"%s\"}", csr);
    assert_true(ca->order_count < LEN(ca->order));
    struct ca_order *o = &ca->order[ca->order_count++];
    if (ca->plan->stranger && ca->order_count == 1) {
        by_a_stranger(ca, o);
    } else {
        ca_issue(ca, o, payload);
    }
    if (ca->plan->up != NULL && strcmp(ca->plan->up, "none") == 0) {
        *(strstr(o->chain, "-----END CERTIFICATE-----\n") + strlen("-----END CERTIFICATE-----\n")) = '\0';
    }
    o->status = "valid";
    o->finalized = 1;
    o->processing = ca->plan->processing;
    p->code = ca->plan->draft && ca->plan->code202 ? 202 : 201;
    cert_path(ca->order_count, path);
    headers(p, "Location: " A "/cert/%s\r\n", path);
    if (!ca->plan->draft) {
        certificate_document(ca, o, p, false);
    }
}

static void look_at_certificate(struct ca *ca, struct request *r, struct reply *p)
{
    struct ca_order *o = &ca->order[r->order - 1];
    if (o->processing > 0) {
        o->processing--;
        p->code = 202;
        headers(p, "Retry-After: 2\r\n");
        return;
    }
    certificate_document(ca, o, p, true);
}

static void issuer(const struct ca *ca, struct reply *p)
{
    uint8_t *at = (uint8_t *)p->body;
    p->body_len = (size_t)i2d_X509(ca->issuer, &at);
    headers(p, "Content-Type: application/pkix-cert\r\n");
}

static void revoke(struct ca *ca, struct request *r, struct reply *p)
{
    char text[4000], mine[4000];
    assert_true(member(r->payload, "certificate", text, sizeof text));
    for (unsigned i = 0; i < ca->order_count; i++) {
        struct ca_order *o = &ca->order[i];
        struct reply its = {0};
        certificate_document(ca, o, &its, false);
        b64url((uint8_t *)its.body, (int)its.body_len, mine);
        if (strcmp(text, mine) == 0) {
            bool again = strcmp(o->status, "revoked") == 0;
            o->status = "revoked";
            if (again) {
                refuse(p, 409, "malformed", "Certificate already revoked");
            }
            return;
        }
    }
    refuse(p, 404, "malformed", "No such certificate");
}

/* What stands between a signed request and what it asks for. */
static bool is_refused(const struct ca *ca, const struct request *r, struct reply *p)
{
    if (r->get || r->kind == CA_NEW_REG) {
        return false;
    }
    const char *detail =
        ca->accounts == 0 || ca->forgot_account || r->stranger ? "No registration exists matching provided key"
        : ca->v1.deactivated                  ? "Account is not valid, has status \\\"deactivated\\\""
        : !ca->v1.agreed && r->kind != CA_REG ? "Must agree to subscriber agreement before any further actions"
                                              : NULL;
    if (detail != NULL) {
        refuse(p, 403, "unauthorized", detail);
    }
    return detail != NULL;
}

void ca_v1_carry_out(struct ca *ca, struct request *r, struct reply *p)
{
    p->code = 200;
    if (is_refused(ca, r, p)) {
        return;
    }
    switch (r->kind) {
    case CA_DIRECTORY:
        headers(p, "Content-Type: application/json\r\n");
        snprintf(p->body, sizeof p->body,
                 "{\n  \"new-authz\": \"" A "/new-authz\",\n  \"new-cert\": \"" A "/new-cert\",\n  \"new-reg\": \"" A
                 "/new-reg\",\n  \"revoke-cert\": \"" A "/revoke-cert\"%s\n}",
                 ca->plan->manage ? ",\n  \"key-change\": \"" A "/key-change\"" : "");
        break;
    case CA_NONCE:
        p->code = r->head_code;
        headers(p, "Content-Type: application/%s\r\n%s", p->code == 405 ? "problem+json" : "json",
                p->code == 405 ? "Allow: POST\r\n" : "");
        memset(p->body, ' ', 91); /* counted, and not sent */
        break;
    case CA_NEW_REG:
        new_reg(ca, r, p);
        break;
    case CA_REG:
        reg(ca, r, p);
        break;
    case CA_NEW_AUTHZ:
        new_authz(ca, r, p);
        break;
    case CA_AUTHZ:
        look_at_authz(ca, r, p);
        break;
    case CA_CHALLENGE:
        challenge(ca, r, p);
        break;
    case CA_NEW_CERT:
        new_cert(ca, r, p);
        break;
    case CA_CERTIFICATE:
        look_at_certificate(ca, r, p);
        break;
    case CA_ISSUER:
        issuer(ca, p);
        break;
    case CA_KEY_CHANGE:
        ca_manage_key(ca, r, p);
        break;
    default:
        (ca->plan->manage ? ca_manage_revoke : revoke)(ca, r, p);
        break;
    }
    headers(p, "Boulder-Request-Id: 8Gcww6eBwqbNSvgnyPh4jdEm_eKzi69W41OFN4v6Kps\r\n"
               "Cache-Control: public, max-age=0, no-cache\r\n");
}
