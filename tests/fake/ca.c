/* ca.c - see ca.h. */
#define _GNU_SOURCE /* memmem */
#include "ca_manage.h"
#include "ca_v1.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

static const char *const paths[CA_KINDS_8555] = {"/dir",    "/nonce",  "/new-account", "/new-order", "/order/",
                                                 "/authz/", "/chall/", "/finalize/",   "/cert/"};

/* Demands what an honest CA may demand of this client. Where answers were tampered with, the client may have been led
 * astray: then the request is refused as a CA would, and the test goes on. */
bool demand(const struct ca *ca, struct request *r, bool fine, int code, const char *type)
{
    if (!ca->tampered) {
        assert_true(fine);
    } else if (!fine && r->refusal == NULL) {
        r->code = code;
        r->refusal = type;
    }
    return fine;
}

/* --- reading --------------------------------------------------------------------------------------------- */

size_t from_b64url(const char *text, size_t len, void *out, size_t cap)
{
    char padded[8192];
    unsigned char bytes[8192];
    assert_true(len < sizeof padded - 4);
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (strchr("+/=", c) != NULL) {
            fail_msg("base64, not base64url");
        }
        padded[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    size_t pad = (4 - len % 4) % 4;
    assert_true(pad < 3);
    memset(padded + len, '=', pad);
    int got = EVP_DecodeBlock(bytes, (unsigned char *)padded, (int)(len + pad));
    assert_true(got >= 0);
    assert_true((size_t)got - pad <= cap);
    memcpy(out, bytes, (size_t)got - pad);
    return (size_t)got - pad;
}

/* The text behind "name":" up to the next quote; escapes are not expected from this client. */
bool member(const char *json, const char *name, char *out, size_t cap)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(json, key);
    if (at == NULL) {
        return false;
    }
    at += strlen(key);
    size_t len = strcspn(at, "\"");
    assert_true(len < cap);
    memcpy(out, at, len);
    out[len] = '\0';
    assert_null(strstr(at + len, key)); /* not twice */
    return true;
}

static bool header(const char *head, const char *name, char *out, size_t cap)
{
    char key[64];
    snprintf(key, sizeof key, "\r\n%s: ", name);
    const char *at = strstr(head, key);
    if (at == NULL) {
        return false;
    }
    at += strlen(key);
    size_t len = strcspn(at, "\r");
    assert_true(len < cap);
    memcpy(out, at, len);
    out[len] = '\0';
    assert_null(strstr(at, key));
    return true;
}

bool ca_whole(const char *request, size_t len)
{
    const char *end = memmem(request, len, "\r\n\r\n", 4);
    const char *length = end == NULL ? NULL : memmem(request, (size_t)(end - request), "Content-Length: ", 16);
    size_t body = length == NULL ? 0 : strtoul(length + 16, NULL, 10);
    return end != NULL && len >= (size_t)(end + 4 - request) + body;
}

/* --- the signature --------------------------------------------------------------------------------------- */

static bool use_nonce(struct ca *ca, const char *nonce)
{
    char start[16] = "";
    memcpy(start, nonce, strlen(nonce) < 15 ? strlen(nonce) : 15);
    for (unsigned i = 0; i < ca->nonce_count; i++) {
        if (strcmp(ca->nonces[i], start) == 0) {
            ca->nonces[i][0] = '\0';
            return true;
        }
    }
    if (!ca->tampered) {
        fail_msg("nonce %s was never given out, or is used twice", nonce);
    }
    return false;
}

void take_jwk(const char *json, uint8_t point[65])
{
    char x[64], y[64];
    assert_non_null(strstr(json, "\"jwk\":{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\""));
    assert_true(member(json, "x", x, sizeof x) && member(json, "y", y, sizeof y));
    point[0] = 4;
    assert_int_equal(from_b64url(x, strlen(x), point + 1, 32), 32);
    assert_int_equal(from_b64url(y, strlen(y), point + 33, 32), 32);
}

/* Verifies a signature, unless it has been seen to be good: the large sweeps repeat themselves. */
bool check_signature(const uint8_t point[65], const uint8_t digest[32], const uint8_t signature[64])
{
    static uint8_t good[16384][32];
    uint8_t all[65 + 32 + 64], hash[32];
    memcpy(all, point, 65);
    memcpy(all + 65, digest, 32);
    memcpy(all + 97, signature, 64);
    SHA256(all, sizeof all, hash);
    uint8_t *slot = good[(hash[0] << 8 | hash[1]) % 16384];
    if (memcmp(slot, hash, sizeof hash) == 0) {
        return true;
    }
    EVP_PKEY *key = maker_public(point);
    bool is_good = maker_verify(key, digest, signature);
    EVP_PKEY_free(key);
    memcpy(slot, hash, is_good ? sizeof hash : 0);
    return is_good;
}

/* A refusal that an honest client may have to meet. */
static bool judge(struct request *r, bool fine, int code, const char *type)
{
    if (!fine && r->refusal == NULL) {
        r->code = code;
        r->refusal = type;
    }
    return fine;
}

/* Checks the flattened JWS of RFC 8555, 6.2 and leaves its payload in r. */
static void check_jws(struct ca *ca, struct request *r, const char *body)
{
    char part[3][6000];
    char json[3000], text[600], layout[18100];
    uint8_t digest[32], signature[80], point[65];

    assert_true(member(body, "protected", part[0], sizeof part[0]));
    assert_true(member(body, "payload", part[1], sizeof part[1]));
    assert_true(member(body, "signature", part[2], sizeof part[2]));
    snprintf(layout, sizeof layout, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", part[0],
             part[1], part[2]);
    assert_string_equal(body, layout); /* nothing else in it */

    json[from_b64url(part[0], strlen(part[0]), json, sizeof json - 1)] = '\0';
    assert_true(member(json, "alg", text, sizeof text));
    assert_string_equal(text, "ES256");
    assert_true(member(json, "url", text, sizeof text));
    assert_string_equal(text, r->url);
    assert_true(member(json, "nonce", text, sizeof text));
    bool good_nonce = use_nonce(ca, text);
    (void)demand(ca, r, good_nonce, 400, "badNonce");
    bool kid = member(json, "kid", text, sizeof text);
    assert_true(kid != (strstr(json, "\"jwk\":") != NULL));
    assert_true(kid == (!ca->plan->v1 && r->kind != CA_NEW_ACCOUNT));
    if (kid) {
        (void)demand(ca, r, strcmp(text, CA_URL "/account/1") == 0, 400, "accountDoesNotExist");
        memcpy(point, ca->point, sizeof point);
    } else {
        take_jwk(json, point);
        if (ca->accounts > 0 && ca->point[0] != 0 && !ca->plan->manage) {
            assert_memory_equal(point, ca->point, sizeof point); /* the account key never changes */
        }
        r->stranger = ca->accounts > 0 && ca->point[0] != 0 && memcmp(point, ca->point, sizeof point) != 0;
        memcpy(ca->point, point, r->stranger && ca->plan->manage ? 0 : sizeof point);
    }
    snprintf(layout, sizeof layout, "%s.%s", part[0], part[1]);
    SHA256((unsigned char *)layout, strlen(layout), digest);
    assert_int_equal(from_b64url(part[2], strlen(part[2]), signature, sizeof signature), 64);
    bool good = ca->plan->trusting || check_signature(point, digest, signature);
    (void)(ca->plan->manage ? judge(r, good, 400, "malformed") : demand(ca, r, good, 400, "malformed"));
    r->payload_len = from_b64url(part[1], strlen(part[1]), r->payload, sizeof r->payload - 1);
    r->payload[r->payload_len] = '\0';
}

/* True when the path, found to be of this kind, is that of an object. */
static bool exists(const struct ca *ca, const struct request *r, const char *path)
{
    char whole[400];
    if (r->kind < CA_ORDER) {
        return true;
    }
    bool two = r->kind == CA_AUTHZ || r->kind == CA_CHALLENGE;
    snprintf(whole, sizeof whole, two ? "%s%u/%u" : "%s%u", paths[r->kind], r->order, r->authz);
    return strncmp(path, whole, strlen(whole)) == 0 && !isdigit((unsigned char)path[strlen(whole)]) &&
           r->order >= 1 && r->order <= ca->order_count && r->authz < ca->plan->name_count;
}

/* Finds what a path stands for. */
static bool route(const struct ca *ca, struct request *r, const char *path)
{
    for (r->kind = CA_DIRECTORY; r->kind < CA_KINDS_8555; r->kind++) {
        size_t n = strlen(paths[r->kind]);
        bool exact = paths[r->kind][n - 1] != '/';
        if (exact ? strcspn(path, "?") == n && strncmp(path, paths[r->kind], n) == 0
                  : strncmp(path, paths[r->kind], n) == 0) {
            (void)sscanf(path + n, "%u/%u", &r->order, &r->authz);
            r->authz = r->kind == CA_CERTIFICATE ? 0 : r->authz; /* the number of an alternate chain */
            return !ca->tampered || exists(ca, r, path);         /* otherwise order_of() demands it */
        }
    }
    return ca_manage_route(ca, r, path);
}

static void check_http(struct ca *ca, struct request *r, const char *host, const char *request, size_t len)
{
    char head[4096], text[256], method[8], path[400];
    const char *end = memmem(request, len, "\r\n\r\n", 4);
    char body[8192];

    assert_non_null(end);
    size_t head_len = (size_t)(end - request) + 2;
    assert_true(head_len < sizeof head && len - head_len - 2 < sizeof body);
    memcpy(head, request, head_len);
    head[head_len] = '\0';
    memcpy(body, end + 4, len - head_len - 2);
    body[len - head_len - 2] = '\0';
    assert_int_equal(sscanf(head, "%7s %399s HTTP/1.1\r\n", method, path), 2);
    assert_true(header(head, "Host", text, sizeof text));
    assert_string_equal(text, host);
    assert_true(header(head, "User-Agent", text, sizeof text) && text[0] != '\0');
    assert_false(header(head, "Expect", text, sizeof text) || header(head, "Replay-Nonce", text, sizeof text));
    snprintf(r->url, sizeof r->url, "https://%s%s", host, path);
    r->head = strcmp(method, "HEAD") == 0;
    r->get = r->head || strcmp(method, "GET") == 0;
    bool found = ca->plan->v1 ? ca_v1_route(ca, r, path) : route(ca, r, path);
    if (!demand(ca, r, found, 404, "malformed")) {
        r->kind = CA_KINDS;
        return;
    }
    const char *wanted = ca->plan->v1              ? ca_v1_method(r)
                         : r->kind == CA_DIRECTORY ? "GET"
                         : r->kind == CA_NONCE     ? "HEAD"
                                                   : "POST";
    if (!demand(ca, r, strcmp(method, wanted) == 0, 405, "malformed")) {
        r->kind = CA_KINDS;
        return;
    }
    if (r->get) {
        assert_false(header(head, "Content-Length", text, sizeof text) || body[0] != '\0');
        return;
    }
    assert_true(header(head, "Content-Type", text, sizeof text));
    assert_string_equal(text, "application/jose+json");
    assert_true(header(head, "Content-Length", text, sizeof text));
    assert_int_equal(strtoul(text, NULL, 10), strlen(body));
    check_jws(ca, r, body);
    if (ca->plan->v1) {
        ca_v1_judge(ca, r);
    }
}

/* --- carrying out ---------------------------------------------------------------------------------------- */

void refuse(struct reply *p, int code, const char *type, const char *detail)
{
    p->code = code;
    snprintf(p->head, sizeof p->head, "Content-Type: application/problem+json\r\n");
    snprintf(p->body, sizeof p->body, "{\"type\":\"%s%s\",\"detail\":\"%s\",\"status\":%d}",
             p->v1 ? CA_V1_URN : "urn:ietf:params:acme:error:", type, detail, code);
}

static bool say_no(struct reply *p, const struct ca_no *no)
{
    if (no != NULL) {
        refuse(p, no->code, no->type, no->detail);
        size_t at = strlen(p->head);
        snprintf(p->head + at, sizeof p->head - at, "%s", no->head);
    }
    return no != NULL;
}

static const char *other(const struct ca *ca)
{
    return ca->plan->other_host != NULL ? ca->plan->other_host : CA_HOST;
}

static struct ca_order *order_of(struct ca *ca, const struct request *r)
{
    assert_true(r->order >= 1 && r->order <= ca->order_count && r->authz < ca->plan->name_count);
    return &ca->order[r->order - 1];
}

static const char *name_of(const struct ca *ca, unsigned authz)
{
    return ca->plan->names[ca->plan->reversed ? ca->plan->name_count - 1 - authz : authz];
}

static void token_of(const struct request *r, char token[44])
{
    memcpy(token, "tok-__ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk", 44);
    token[4] = r->order < 10 ? (char)('0' + r->order) : token[r->order - 4]; /* base64url */
    token[5] = (char)('a' + r->authz);
}

static void order_document(struct ca *ca, struct reply *p, unsigned number, bool all)
{
    struct ca_order *o = &ca->order[number - 1];
    size_t at =
        (size_t)snprintf(p->body, sizeof p->body, "{\"status\":\"%s\",\"expires\":null,\"identifiers\":[", o->status);
    for (unsigned i = 0; i < ca->plan->name_count; i++) {
        at += (size_t)snprintf(p->body + at, sizeof p->body - at, "%s{\"type\":\"%s\",\"value\":\"%s\"}",
                               i > 0 ? "," : "", ca_type_of(ca->plan->names[i]), ca->plan->names[i]);
    }
    at += (size_t)snprintf(p->body + at, sizeof p->body - at, "],");
    for (unsigned i = 0; all && i < ca->plan->name_count; i++) {
        at += (size_t)snprintf(p->body + at, sizeof p->body - at, "%s\"" CA_URL "/authz/%u/%u\"%s",
                               i > 0 ? "," : "\"authorizations\":[", number, i,
                               i + 1 == ca->plan->name_count ? "]," : "");
    }
    at += (size_t)snprintf(p->body + at, sizeof p->body - at, "\"finalize\":\"" CA_URL "/finalize/%u\"", number);
    if (strcmp(o->status, "valid") == 0) {
        at += (size_t)snprintf(p->body + at, sizeof p->body - at, ",\"certificate\":\"https://%s/cert/%u\"",
                               other(ca), number);
    }
    ca_order_tell(o, p->body + at, sizeof p->body - at);
}

/* What time does to an order: once a look. */
static void order_moves(const struct ca *ca, struct ca_order *o)
{
    bool all = true;
    for (unsigned i = 0; i < ca->plan->name_count; i++) {
        all = all && strcmp(o->authz[i].status, "valid") == 0;
    }
    if (strcmp(o->status, "pending") == 0 && all && o->lag-- == 0) {
        o->status = "ready";
    } else if (strcmp(o->status, "processing") == 0 && o->processing-- == 0) {
        o->status = "valid";
    }
}

void by_a_stranger(struct ca *ca, struct ca_order *o)
{
    char payload[3000];
    EVP_PKEY *key = maker_ec("P-256");
    ca_csr(ca->plan, key, payload, sizeof payload);
    ca_issue(ca, o, payload);
    o->status = "valid";
    EVP_PKEY_free(key);
}

static void new_order(struct ca *ca, struct request *r, struct reply *p)
{
    char wanted[2400];
    size_t at = (size_t)snprintf(wanted, sizeof wanted, "{\"identifiers\":[");
    for (unsigned i = 0; i < ca->plan->name_count; i++) {
        at += (size_t)snprintf(wanted + at, sizeof wanted - at, "%s{\"type\":\"%s\",\"value\":\"%s\"}",
                               i > 0 ? "," : "", ca_type_of(ca->plan->names[i]), ca->plan->names[i]);
    }
    snprintf(wanted + at, sizeof wanted - at, "]");
    struct ca_wish wish = {0};
    if (say_no(p, ca_order_wish(ca, r->payload, wanted, &wish))) {
        return;
    }
    p->code = 201;
    const char *last = ca->order_count > 0 ? ca->order[ca->order_count - 1].status : "none";
    if (!ca->plan->reuse || (strcmp(last, "pending") != 0 && strcmp(last, "ready") != 0)) {
        assert_true(ca->order_count < sizeof ca->order / sizeof ca->order[0]);
        struct ca_order *o = &ca->order[ca->order_count++];
        o->status = ca->plan->born != NULL ? ca->plan->born : "pending";
        o->lag = ca->plan->lag;
        snprintf(o->profile, sizeof o->profile, "%s", wish.profile);
        snprintf(o->replaces, sizeof o->replaces, "%s", wish.replaces);
        for (unsigned i = 0; i < ca->plan->name_count; i++) {
            bool valid = i < ca->plan->born_valid || strcmp(o->status, "pending") != 0;
            o->authz[i].status = valid ? "valid" : "pending";
            o->authz[i].was_valid = valid;
        }
        if (ca->plan->stranger && ca->order_count == 1) {
            by_a_stranger(ca, o);
        }
    }
    order_document(ca, p, ca->order_count, true);
    snprintf(p->head, sizeof p->head, "Content-Type: application/json\r\nLocation: " CA_URL "/order/%u\r\n",
             ca->order_count);
}

static void authz_document(struct ca *ca, struct request *r, struct reply *p)
{
    struct ca_order *o = order_of(ca, r);
    char token[44], http[3000];
    const char *strange = "{\"type\":\"dns-persist-01\",\"url\":\"" CA_URL "/chall/9/9\",\"status\":\"pending\"},"
                          "{\"type\":\"moon-01\",\"parity\":[1,{\"a\":null}]}";
    token_of(r, token);
    bool responded = o->authz[r->authz].responded;
    const char *type = ca->plan->types != NULL ? ca->plan->types : "http-01";
    for (size_t at = 0; *type != '\0'; type += strcspn(type, " "), type += strspn(type, " ")) {
        at += (size_t)snprintf(
            http + at, sizeof http - at,
            "%s{\"type\":\"%.*s\",\"url\":\"" CA_URL "/chall/%u/%u\",\"status\":\"%s\",\"token\":\"%s\"%s}",
            at > 0 ? "," : "", (int)strcspn(type, " "), type, r->order, r->authz,
            responded && ca->plan->shows_processing ? "processing" : o->authz[r->authz].status, token,
            o->authz[r->authz].failures > 0 ? ",\"error\":{\"type\":\"urn:ietf:params:acme:error:connection\","
                                              "\"detail\":\"refused\",\"status\":400}"
            : (responded || strcmp(o->authz[r->authz].status, "pending") != 0) && ca->plan->challenge != NULL
                ? ca->plan->challenge
                : "");
    }
    const char *name = name_of(ca, r->authz);
    bool wildcard = name[0] == '*';
    bool alone = ca->plan->minimal && responded;
    bool last = ca->plan->shuffled && ca->count[CA_AUTHZ] % 2 == 0;
    snprintf(p->body, sizeof p->body,
             "{\"identifier\":{\"type\":\"%s\",\"value\":\"%s\"},%s\"status\":\"%s\","
             "\"challenges\":[%s%s%s%s%s]}",
             ca_type_of(name), wildcard ? name + 2 : name, wildcard ? "\"wildcard\":true," : "",
             o->authz[r->authz].status, last && !alone ? strange : "", last && !alone ? "," : "", http,
             last || alone ? "" : ",", last || alone ? "" : strange);
}

/* A replica of the CA's database that lags. */
bool is_stale(const struct ca *ca, enum ca_kind kind)
{
    return ca->plan->stale > 0 && ca->count[kind] % ca->plan->stale == 0;
}

static void look_at_order(struct ca *ca, struct request *r, struct reply *p)
{
    struct ca_order *o = order_of(ca, r);
    order_moves(ca, o);
    const char *status = o->status;
    o->status = is_stale(ca, CA_ORDER) ? "pending" : status;
    order_document(ca, p, r->order, !ca->plan->forgetful);
    o->status = status;
}

void authz_moves(const struct ca *ca, struct ca_authz *a)
{
    if (!a->responded || a->failures > 0) {
        return;
    }
    if (ca->plan->timed) {
        if (a->visit != CA_NOBODY_YET) {
            a->status = a->visit == CA_READ_IT ? "valid" : "invalid";
            a->was_valid = a->visit == CA_READ_IT;
            a->responded = false;
        }
        return;
    }
    /* the answer is not to be taken back before the authorization has left pending */
    bool shown = ca_shows(ca, a->wanted);
    assert_true(shown || ca->power_cut || ca->tampered || ca->plan->begun);
    if (a->astray) {
        a->status = "invalid";
    } else if (!shown) {
        a->status = ca->plan->one_shot ? "invalid" : "pending";
    } else if (ca->wire == CA_FAILED) {
        a->status = "invalid";
    } else if (ca->wire != CA_ASKING && a->looks-- == 0) {
        a->status = ca->plan->authz_end != NULL ? ca->plan->authz_end : "valid";
        a->was_valid = strcmp(a->status, "valid") == 0;
        a->responded = false;
    }
}

static void look_at_authz(struct ca *ca, struct request *r, struct reply *p)
{
    struct ca_order *o = order_of(ca, r);
    authz_moves(ca, &o->authz[r->authz]);
    p->code = ca->plan->code202 ? 202 : 200;
    const char *status = o->authz[r->authz].status;
    o->authz[r->authz].status = is_stale(ca, CA_AUTHZ) ? "pending" : status;
    authz_document(ca, r, p);
    o->authz[r->authz].status = status;
    if (strcmp(o->authz[r->authz].status, "invalid") == 0) {
        o->status = "invalid";
    }
}

/* RFC 8555, 7.5.2. What is valid serves the next order as well: no client of ours throws that away, unless a reset came between. */
static void deactivate_authz(struct ca *ca, struct request *r, struct reply *p)
{
    struct ca_order *o = order_of(ca, r);
    assert_string_equal(r->payload, "{\"status\":\"deactivated\"}");
    if (strcmp(o->authz[r->authz].status, "pending") != 0) {
        refuse(p, 400, "malformed", "not pending");
        return;
    }
    o->authz[r->authz].status = "deactivated";
    o->status = "invalid";
    ca->deactivated++;
    authz_document(ca, r, p);
}

void key_authorization(const struct ca *ca, const char *token, char *out, size_t cap)
{
    char jwk[256], x[64], y[64];
    uint8_t digest[32];
    EVP_EncodeBlock((unsigned char *)x, ca->point + 1, 32);
    EVP_EncodeBlock((unsigned char *)y, ca->point + 33, 32);
    snprintf(jwk, sizeof jwk, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%.43s\",\"y\":\"%.43s\"}", x, y);
    for (char *c = strstr(jwk, "\"x\""); *c != '\0'; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    }
    SHA256((unsigned char *)jwk, strlen(jwk), digest); /* RFC 7638 */
    EVP_EncodeBlock((unsigned char *)x, digest, 32);
    for (char *c = x; *c != '\0'; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    }
    snprintf(out, cap, "%s.%.43s", token, x);
}

void begin_validation(struct ca *ca, struct ca_authz *a, const char *wanted)
{
    if (ca->tampered) { /* with the token, or of another challenge: the validation will fail */
        a->astray = !ca_shows(ca, wanted);
    } else {
        assert_true(ca_shows(ca, wanted));
    }
    snprintf(a->wanted, sizeof a->wanted, "%s", wanted);
    a->failures = a->responded ? a->failures - 1 : ca->plan->failures;
    a->responded = true;
    a->visit = CA_NOBODY_YET;
    a->looks = ca->plan->authz_looks;
}

static void take_response(struct ca *ca, struct request *r, struct reply *p)
{
    struct ca_order *o = order_of(ca, r);
    char token[44], wanted[128];

    assert_string_equal(r->payload, "{}");
    if (strcmp(o->authz[r->authz].status, "pending") != 0 ||
        (o->authz[r->authz].responded && o->authz[r->authz].failures == 0)) {
        ca->repeats += o->authz[r->authz].responded;
        bool conflict = ca->plan->not_pending != NULL;
        refuse(p, conflict ? 409 : 400, conflict ? ca->plan->not_pending : "malformed", "not pending");
        return;
    }
    token_of(r, token);
    key_authorization(ca, token, wanted, sizeof wanted);
    begin_validation(ca, &o->authz[r->authz], wanted);
    p->code = ca->plan->code202 ? 202 : 200;
    snprintf(p->body, sizeof p->body, "{\"type\":\"http-01\",\"url\":\"%s\",\"status\":\"pending\",\"token\":\"%s\"}",
             r->url, token);
}

/* For plans that share: making keys and certificates is most of what a small dialogue costs. */
static struct {
    EVP_PKEY *issuer_key;
    X509 *issuer;
    char *payload, *chain;
    uint8_t point[65];
    int64_t from, to;
} shared;

void ca_issue(struct ca *ca, struct ca_order *o, const char *payload)
{
    if (ca->plan->shared && shared.payload != NULL && strcmp(shared.payload, payload) == 0) {
        o->chain = strdup(shared.chain);
        memcpy(o->point, shared.point, sizeof o->point);
        o->from = shared.from;
        o->to = shared.to;
        return;
    }
    char csr[2400], san[2400] = "";
    uint8_t der[2000];
    const uint8_t *at = der;
    assert_true(strncmp(payload, "{\"csr\":\"", 8) == 0 && strcmp(payload + strlen(payload) - 2, "\"}") == 0);
    assert_true(member(payload, "csr", csr, sizeof csr));
    X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)from_b64url(csr, strlen(csr), der, sizeof der));
    assert_non_null(request);
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    assert_int_equal(X509_REQ_verify(request, key), 1);
    ca_judge_csr(ca, request);
    ca_san(ca->plan, san, sizeof san);
    int64_t utc = ca->utc != 0 ? ca->utc : MAKER_NOW;
    int64_t life_s = ca->plan->life_s;
    o->from = utc + (ca->plan->starts_in > 0         ? (int64_t)ca->plan->starts_in
                     : ca->plan->starts_before_s > 0 ? -ca->plan->starts_before_s
                     : life_s > 0                    ? -3600
                                                     : -MAKER_DAY);
    o->to = life_s > 0 ? o->from + life_s : utc + 90 * MAKER_DAY;
    struct maker_spec spec = {.san = san,
                              .from = o->from,
                              .to = o->to,
                              .key = key,
                              .key_id = ca->plan->ari ? CA_KEY_ID : NULL,
                              .issuer = ca->issuer,
                              .issuer_key = ca->issuer_key};
    unsigned char *point = NULL;
    assert_int_equal(EVP_PKEY_get1_encoded_public_key(key, &point), sizeof o->point);
    memcpy(o->point, point, sizeof o->point);
    OPENSSL_free(point);
    X509 *leaf = maker_certificate(&spec);
    char *pem = maker_pem(leaf), *root = maker_pem(ca->issuer);
    o->chain = malloc(strlen(pem) + strlen(root) + 1);
    assert_non_null(o->chain);
    sprintf(o->chain, "%s%s", pem, root);
    free(pem);
    free(root);
    X509_free(leaf);
    X509_REQ_free(request);
    if (ca->plan->shared && shared.chain == NULL) {
        shared.payload = strdup(payload);
        shared.chain = strdup(o->chain);
        memcpy(shared.point, o->point, sizeof o->point);
        shared.from = o->from;
        shared.to = o->to;
    }
}

static void finalize(struct ca *ca, struct request *r, struct reply *p)
{
    struct ca_order *o = order_of(ca, r);
    bool early = false;
    for (unsigned i = 0; i < ca->plan->name_count; i++) {
        early = early || !o->authz[i].was_valid;
    }
    ca->early += early;
    order_moves(ca, o);
    if (strcmp(o->status, "ready") != 0) {
        refuse(p, 403, "orderNotReady", o->status);
        return;
    }
    ca_issue(ca, o, r->payload);
    o->finalized++;
    o->processing = ca->plan->processing;
    o->status = "processing";
    order_moves(ca, o);
    order_document(ca, p, r->order, !ca->plan->forgetful);
}

static void carry_out(struct ca *ca, struct request *r, struct reply *p)
{
    p->code = 200;
    snprintf(p->head, sizeof p->head, "Content-Type: application/json; charset=utf-8\r\n");
    if (r->kind > CA_NEW_ACCOUNT && (ca->accounts == 0 || ca->forgot_account)) {
        refuse(p, 400, "accountDoesNotExist", "unknown kid");
        return;
    }
    if (ca_manage_ended(ca, r, p)) {
        return;
    }
    if (r->kind == CA_AUTHZ && r->payload[0] != '\0') {
        deactivate_authz(ca, r, p);
        return;
    }
    if (r->kind == CA_ORDER || r->kind == CA_AUTHZ || r->kind == CA_CERTIFICATE) {
        assert_string_equal(r->payload, ""); /* POST-as-GET */
    }
    switch (r->kind) {
    case CA_DIRECTORY:
        snprintf(p->body, sizeof p->body,
                 "{\"Xq7-random\":\"https://elsewhere.test/\",\"newNonce\":\"https://%s/nonce\",\"newAccount\":"
                 "\"" CA_URL "/new-account\",\n \"newOrder\" : \"https:\\/\\/" CA_HOST
                 "\\/new\\u002dorder\",%s\"termsOfService\":null,\"x\":[1,[2],{}]}}",
                 other(ca), ca_meta(ca));
        break;
    case CA_NONCE:
        break;
    case CA_NEW_ACCOUNT:
        if (ca_manage_looked(ca, r, p)) {
            break;
        }
        if (say_no(p, ca_account_wish(ca, r->payload))) {
            break;
        }
        p->code = ca->accounts > 0 && !ca->forgot_account ? 200 : 201;
        ca->accounts += p->code == 201;
        ca->forgot_account = false;
        snprintf(p->head, sizeof p->head, "Content-Type: application/json\r\nLocation: " CA_URL "/account/1\r\n");
        snprintf(p->body, sizeof p->body, "{\"status\":\"valid\",%s%s\"orders\":\"" CA_URL "/orders/1\"}",
                 ca->plan->shows_contact ? ca->managed.contact : "",
                 ca->plan->shows_contact && ca->managed.contact[0] != '\0' ? "," : "");
        break;
    case CA_NEW_ORDER:
        new_order(ca, r, p);
        break;
    case CA_ORDER:
        look_at_order(ca, r, p);
        break;
    case CA_AUTHZ:
        look_at_authz(ca, r, p);
        break;
    case CA_CHALLENGE:
        take_response(ca, r, p);
        break;
    case CA_FINALIZE:
        finalize(ca, r, p);
        break;
    case CA_CERTIFICATE:
        if (strcmp(order_of(ca, r)->status, "valid") != 0) {
            if (ca->tampered) {
                refuse(p, 404, "malformed", "no certificate yet");
                break;
            }
            fail_msg("the certificate was asked for while the order is %s", order_of(ca, r)->status);
        }
        snprintf(p->head, sizeof p->head, "Content-Type: application/pem-certificate-chain\r\n");
        snprintf(p->body, sizeof p->body, "%s", order_of(ca, r)->chain);
        break;
    default:
        ca_manage(ca, r, p);
        break;
    }
}

/* --- answering ------------------------------------------------------------------------------------------- */

static void give_nonce(struct ca *ca, enum ca_kind kind, const struct ca_twist *twist, char *out, size_t cap)
{
    char nonce[400];
    out[0] = '\0';
    if (kind == CA_DIRECTORY && !ca->plan->v1) {
        return; /* nobody has to, and few do */
    }
    if (twist != NULL && twist->nonce != NULL) {
        if (twist->nonce[0] != '\0') {
            snprintf(out, cap, "Replay-Nonce: %s\r\n", twist->nonce);
        }
        return;
    }
    assert_true(ca->nonce_count < sizeof ca->nonces / sizeof ca->nonces[0]);
    snprintf(ca->nonces[ca->nonce_count], sizeof ca->nonces[0], "nonce_-%08u", ca->nonce_count);
    size_t len = ca->plan->nonce_len > 15 ? ca->plan->nonce_len : ca->plan->v1 ? 43 : 15;
    memset(nonce, 'n', len);
    nonce[len] = '\0';
    memcpy(nonce, ca->nonces[ca->nonce_count++], 15);
    snprintf(out, cap, "rEPLAY-nONCE:\t%s \r\n", nonce);
}

static const struct ca_twist *twist_for(const struct ca *ca, enum ca_kind kind)
{
    for (unsigned i = 0; i < ca->plan->twist_count; i++) {
        const struct ca_twist *t = &ca->plan->twists[i];
        unsigned last = t->last == 0 ? t->first : t->last;
        if (t->kind == kind && ca->count[kind] >= t->first && ca->count[kind] <= last) {
            return t;
        }
    }
    return NULL;
}

/* The body in chunks of many sizes, with an extension and a trailer. */
static size_t put_chunks(char *to, size_t cap, const char *body, size_t len)
{
    size_t at = 0, size = 1;
    for (size_t i = 0; i < len; i += size, size = size * 3 % 251) {
        size = size < len - i ? size : len - i;
        at += (size_t)snprintf(to + at, cap - at, "%zX;x=y\r\n", size);
        assert_true(at + size + 2 < cap);
        memcpy(to + at, body + i, size);
        memcpy(to + at + size, "\r\n", 2);
        at += size + 2;
    }
    return at + (size_t)snprintf(to + at, cap - at, "0\r\nX-After: all\r\n\r\n");
}

static void write_answer(struct ca *ca, const struct request *r, const struct reply *p, const struct ca_twist *t,
                         struct ca_answer *answer)
{
    char nonce[500], line[64];
    bool say = t != NULL && (t->act == CA_SAY || t->act == CA_DO_AND_SAY);
    nonce[0] = '\0';
    if (!p->no_nonce) {
        give_nonce(ca, r->kind, t, nonce, sizeof nonce);
    }
    snprintf(line, sizeof line, "HTTP/1.1 %d Fine\r\n", p->code);
    const char *own = t == NULL || t->body == NULL          ? NULL
                      : r->kind == CA_CERTIFICATE && !p->v1 ? ca_write_chain(ca, order_of(ca, r), t->body)
                                                            : t->body;
    const char *body = own != NULL ? own : say ? "" : p->body;
    size_t len = own == NULL && !say && p->body_len > 0 ? p->body_len : strlen(body);
    size_t at = (size_t)snprintf(ca->answer, sizeof ca->answer, "%s%s%s%s%s", say ? "" : line, say ? "" : p->head,
                                 t != NULL && t->head != NULL ? t->head : "", nonce,
                                 ca->plan->close ? "Connection: close\r\n" : "");
    assert_true(at + len + 60 < sizeof ca->answer);
    if (!r->head && (ca->plan->chunked || (p->v1 && len > CA_V1_CHUNKS))) {
        at += (size_t)snprintf(ca->answer + at, sizeof ca->answer - at, "Transfer-Encoding: chunked\r\n\r\n");
        answer->len = at + put_chunks(ca->answer + at, sizeof ca->answer - at, body, len);
        assert_true(answer->len < sizeof ca->answer - 1);
        return;
    }
    at += (size_t)snprintf(ca->answer + at, sizeof ca->answer - at, "Content-Length: %zu\r\n\r\n", len);
    len = r->head ? 0 : len;
    memcpy(ca->answer + at, body, len);
    answer->len = at + len;
    ca->answer[answer->len] = '\0';
}

struct ca_answer ca_answer(struct ca *ca, const char *host, const char *request, size_t len)
{
    struct request r = {0};
    struct reply p = {.v1 = ca->plan->v1};
    struct ca_answer answer = {.at = ca->answer, .close = ca->plan->close};

    if (ca_renewal_info(ca, request, len, &answer)) {
        return answer;
    }
    check_http(ca, &r, host, request, len);
    ca->requests++;
    if (r.kind < CA_KINDS) {
        ca->count[r.kind]++;
    }
    ca->last = r.kind;
    const struct ca_twist *t = r.refusal != NULL ? NULL : twist_for(ca, r.kind);
    enum ca_meddled meddled = CA_UNTOUCHED;
    ca->bad_nonce_seed = ca->bad_nonce_seed * 1664525u + 1013904223u;
    if (r.kind > CA_NONCE && !r.get && (ca->bad_nonce_seed >> 16) % 100 < ca->bad_nonce_percent) {
        refuse(&p, 400, "badNonce", "not today");
        t = NULL;
    } else if (r.refusal != NULL) {
        refuse(&p, r.code, r.refusal, "led astray");
    } else if (ca->meddle != NULL && (meddled = ca->meddle(ca, &r, &p, false)) != CA_UNTOUCHED) {
        t = NULL;
    } else if (t == NULL || t->act == CA_DO_AND_SAY || t->act == CA_DO_AND_CUT || t->act == CA_ADD) {
        (ca->plan->v1 ? ca_v1_carry_out : carry_out)(ca, &r, &p);
        meddled = ca->meddle != NULL ? ca->meddle(ca, &r, &p, true) : CA_UNTOUCHED;
    }
    if (meddled == CA_SEVERED || (t != NULL && (t->act == CA_CUT || t->act == CA_DO_AND_CUT))) {
        answer.close = true;
        return answer;
    }
    if (t != NULL && t->raw != NULL) {
        answer.len = strlen(t->raw);
        answer.close = true;
        memcpy(ca->answer, t->raw, answer.len);
        return answer;
    }
    write_answer(ca, &r, &p, t, &answer);
    return answer;
}

void ca_lost(struct ca *ca, const char *request, size_t len)
{
    char text[6000], nonce[600];
    const char *at = memmem(request, len, "\"protected\":\"", 13);
    const char *end = at == NULL ? NULL : memchr(at + 13, '"', len - (size_t)(at + 13 - request));
    if (end != NULL) {
        text[from_b64url(at + 13, (size_t)(end - at - 13), text, sizeof text - 1)] = '\0';
        assert_true(member(text, "nonce", nonce, sizeof nonce));
        (void)use_nonce(ca, nonce);
    }
}

void ca_init(struct ca *ca, const struct ca_plan *plan)
{
    memset(ca, 0, sizeof *ca);
    ca->plan = plan;
    ca_v1_init(ca);
    if (!plan->shared || shared.issuer == NULL) {
        ca->issuer_key = maker_ec("P-256");
        struct maker_spec root = {.name = "Test Root", .ca = MAKER_CA, .key = ca->issuer_key};
        ca->issuer = maker_certificate(&root);
    }
    if (plan->shared) {
        shared.issuer_key = shared.issuer == NULL ? ca->issuer_key : shared.issuer_key;
        shared.issuer = shared.issuer == NULL ? ca->issuer : shared.issuer;
        ca->issuer_key = shared.issuer_key;
        ca->issuer = shared.issuer;
        EVP_PKEY_up_ref(ca->issuer_key);
        X509_up_ref(ca->issuer);
    }
}

void ca_free(struct ca *ca)
{
    for (unsigned i = 0; i < ca->order_count; i++) {
        free(ca->order[i].chain);
    }
    X509_free(ca->issuer);
    EVP_PKEY_free(ca->issuer_key);
    ca->order_count = 0;
    ca->issuer = NULL;
    ca->issuer_key = NULL;
}
