/* judge_v1.c - see judge_v1.h. */
#define _GNU_SOURCE /* memmem */
#include "judge_v1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/sha.h>

#include "deeds_v1.h"
#include "fake/ca_more.h"

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* --- HTTP */

/* The value of a header line, which must not be there twice; NULL: it is not there. */
static const char *header(const struct boulder *b, const struct v1_request *q, const char *head, const char *name)
{
    static char value[600];
    bool found = false;
    for (const char *line = strstr(head, "\r\n"); line != NULL && line[2] != '\0'; line = strstr(line + 2, "\r\n")) {
        const char *at = line + 2;
        size_t len = strlen(name), end = strcspn(at, "\r");
        if (strncasecmp(at, name, len) == 0 && at[len] == ':' && at[len + 1] == ' ') {
            if (found) {
                boulder_wrong(b, q, "two header lines %s", name);
            }
            found = true;
            snprintf(value, sizeof value, "%.*s", (int)(end - len - 2), at + len + 2);
        }
    }
    return found ? value : NULL;
}

static void judge_head(const struct boulder *b, const struct engine *e, struct v1_request *q, const char *head,
                       size_t body_len)
{
    const char *value = header(b, q, head, "Host");
    char version[16] = "";
    if (sscanf(head, "%*s %*s %15s", version) != 1 || strcmp(version, "HTTP/1.1") != 0) {
        boulder_wrong(b, q, "its request line ends in \"%s\"", version);
    }
    if (value == NULL || strcmp(value, b->recording->host) != 0 || strcmp(e->host, b->recording->host) != 0) {
        boulder_wrong(b, q, "sent to %s, with Host: %s", e->host, value != NULL ? value : "(none)");
    }
    value = header(b, q, head, "User-Agent");
    if (value == NULL || value[0] == '\0') {
        boulder_wrong(b, q, "no User-Agent");
    }
    if (header(b, q, head, "Expect") != NULL || header(b, q, head, "Transfer-Encoding") != NULL) {
        boulder_wrong(b, q, "Expect or Transfer-Encoding, which this server answers otherwise");
    }
    value = header(b, q, head, "Content-Length");
    if (strcmp(q->method, "POST") == 0 ? value == NULL || strtoul(value, NULL, 10) != body_len : body_len > 0) {
        boulder_wrong(b, q, "a body of %zu bytes with Content-Length: %s", body_len,
                      value != NULL ? value : "(none)");
    }
}

/* --- the signature */

static void judge_nonce(const struct boulder *b, const struct v1_request *q)
{
    const char *nonce = text_in(q->protected, "nonce");
    const json_t *given = json_object_get(b->nonces, nonce);
    if (!json_is_true(given)) {
        boulder_wrong(b, q, "nonce \"%s\" %s", nonce, given == NULL ? "was never given" : "is used twice");
    }
    if (strcmp(nonce, b->last_nonce) != 0) {
        boulder_wrong(b, q, "nonce \"%s\" is not the one given last, \"%s\"", nonce, b->last_nonce);
    }
    json_object_set_new(b->nonces, nonce, json_false());
}

static void judge_key(const struct boulder *b, const struct engine *e, struct v1_request *q)
{
    const json_t *jwk = json_object_get(q->protected, "jwk");
    const char *x = text_in(jwk, "x"), *y = text_in(jwk, "y");
    uint8_t account[65], next[65] = {0}, *point = q->point;
    if (json_object_size(jwk) != 4 || strcmp(text_in(jwk, "kty"), "EC") != 0 ||
        strcmp(text_in(jwk, "crv"), "P-256") != 0 || strlen(x) != 43 || strlen(y) != 43) {
        boulder_wrong(b, q, "jwk is no P-256 key");
    }
    point[0] = 4;
    from_b64url(x, 43, point + 1, 32);
    from_b64url(y, 43, point + 33, 32);
    assert_int_equal(e->setup.account_key.ops->point(e->setup.account_key.handle, account), 0);
    if (b->deed == ACME_CHANGE_KEY && q->kind == V1_NEW_REG) { /* which of the two is it? */
        assert_int_equal(e->setup.certificate_key.ops->point(e->setup.certificate_key.handle, next), 0);
    }
    if (memcmp(account, point, sizeof account) != 0 && memcmp(next, point, sizeof next) != 0) {
        boulder_wrong(b, q, "jwk is not the account's key");
    }
}

static void judge_protected(const struct boulder *b, const struct v1_request *q)
{
    char url[800];
    snprintf(url, sizeof url, "%s%s", b->recording->base, q->path);
    const json_t *told = json_object_get(q->protected, "url");
    if (strcmp(text_in(q->protected, "alg"), "ES256") != 0) {
        boulder_wrong(b, q, "alg is not ES256");
    }
    if (told != NULL && strcmp(text_in(q->protected, "url"), url) != 0) {
        boulder_wrong(b, q, "url in the protected header is \"%s\"", text_in(q->protected, "url"));
    }
    if (json_object_size(q->protected) != (told != NULL ? 4u : 3u)) {
        boulder_wrong(b, q, "a protected header with other members than alg, jwk, nonce, url");
    }
}

static json_t *part_of(const struct boulder *b, const struct v1_request *q, const char *name)
{
    const char *text = text_in(q->body, name);
    char bytes[8192];
    if (text[0] == '\0') {
        boulder_wrong(b, q, "no member %s in the JWS", name);
    }
    size_t len = from_b64url(text, strlen(text), bytes, sizeof bytes);
    json_t *object = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        boulder_wrong(b, q, "%s is no JSON object", name);
    }
    return object;
}

static void judge_jws(const struct boulder *b, const struct engine *e, struct v1_request *q, const char *body,
                      size_t len)
{
    char signed_text[10000];
    uint8_t digest[32], signature[64];
    q->body = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
    if (json_object_size(q->body) != 3) {
        boulder_wrong(b, q, "not a flattened JWS: %.*s", (int)len, body);
    }
    q->protected = part_of(b, q, "protected");
    q->payload = part_of(b, q, "payload");
    judge_protected(b, q);
    judge_nonce(b, q);
    judge_key(b, e, q);
    v1_thumbprint(json_object_get(q->protected, "jwk"), q->thumbprint);
    int n = snprintf(signed_text, sizeof signed_text, "%s.%s", text_in(q->body, "protected"),
                     text_in(q->body, "payload"));
    assert_true(n > 0 && (size_t)n < sizeof signed_text);
    SHA256((unsigned char *)signed_text, (size_t)n, digest);
    const char *text = text_in(q->body, "signature");
    EVP_PKEY *key = maker_public(q->point);
    bool good =
        strlen(text) == 86 && from_b64url(text, 86, signature, 64) == 64 && maker_verify(key, digest, signature);
    EVP_PKEY_free(key);
    if (!good) {
        boulder_wrong(b, q, "the signature is wrong");
    }
}

/* --- the payload */

static void judge_members(const struct boulder *b, const struct v1_request *q)
{
    const char *name;
    json_t *value;
    if (strcmp(text_in(q->payload, "resource"), v1_resource(q->kind)) != 0) {
        boulder_wrong(b, q, "resource is \"%s\"", text_in(q->payload, "resource"));
    }
    json_object_foreach((json_t *)q->payload, name, value)
    {
        if (!v1_may_say(q->kind, name)) {
            boulder_wrong(b, q, "a member %s in the payload", name);
        }
    }
}

static void judge_contact(const struct boulder *b, const struct engine *e, const struct v1_request *q)
{
    const json_t *contact = json_object_get(q->payload, "contact");
    bool same = json_array_size(contact) == e->setup.contact_count;
    for (size_t i = 0; same && i < json_array_size(contact); i++) {
        const char *one = json_string_value(json_array_get(contact, i));
        same = one != NULL && strcmp(one, e->setup.contacts[i]) == 0;
    }
    if (!same) {
        boulder_wrong(b, q, "contact is not what the client was given");
    }
}

static void judge_identifier(const struct boulder *b, const struct engine *e, struct v1_request *q)
{
    const json_t *identifier = json_object_get(q->payload, "identifier");
    const char *name = text_in(identifier, "value");
    bool wanted = false;
    for (size_t i = 0; i < e->setup.name_count; i++) {
        wanted = wanted || strcasecmp(e->setup.names[i], name) == 0;
    }
    if (!wanted || json_object_size(identifier) != 2 || strcmp(text_in(identifier, "type"), "dns") != 0) {
        boulder_wrong(b, q, "identifier \"%s\" was not asked for", name);
    }
    q->names.count = 1;
    snprintf(q->names.name[0], sizeof q->names.name[0], "%s", name);
}

static void judge_response(const struct boulder *b, const struct engine *e, const struct v1_request *q)
{
    const char *told = text_in(q->payload, "keyAuthorization");
    size_t token = strcspn(told, ".");
    bool known = false;
    for (unsigned i = 0; i < b->challenge_count; i++) {
        known = known || (strcmp(b->challenge[i].path, q->path) == 0 && strlen(b->challenge[i].token) == token &&
                          strncmp(b->challenge[i].token, told, token) == 0);
    }
    if (!known) {
        boulder_wrong(b, q, "keyAuthorization \"%s\" has another token than this challenge", told);
    }
    if (told[token] != '.' || strcmp(told + token + 1, q->thumbprint) != 0) {
        boulder_wrong(b, q, "keyAuthorization \"%s\" does not end in the thumbprint %s", told, q->thumbprint);
    }
    const json_t *type = json_object_get(q->payload, "type");
    if (type != NULL && strcmp(text_in(q->payload, "type"), "http-01") != 0) {
        boulder_wrong(b, q, "type is not http-01");
    }
    if (!ca_shows(&e->ca, told)) {
        boulder_wrong(b, q, "the answer is not on show");
    }
}

static void judge_csr(const struct boulder *b, const struct engine *e, struct v1_request *q)
{
    uint8_t point[65];
    struct v1_names wanted = {.count = (unsigned)e->setup.name_count};
    q->csr = v1_csr(text_in(q->payload, "csr"), &q->names);
    if (q->csr == NULL) {
        boulder_wrong(b, q, "csr is no certificate request, or its signature is wrong");
    }
    for (unsigned i = 0; i < wanted.count; i++) {
        snprintf(wanted.name[i], sizeof wanted.name[0], "%s", e->setup.names[i]);
    }
    if (!v1_same_names(&q->names, &wanted)) {
        boulder_wrong(b, q, "csr has other names than were asked for");
    }
    assert_int_equal(e->setup.certificate_key.ops->point(e->setup.certificate_key.handle, point), 0);
    EVP_PKEY *key = maker_public(point);
    bool same = EVP_PKEY_eq(key, X509_REQ_get0_pubkey(q->csr)) == 1;
    EVP_PKEY_free(key);
    if (!same) {
        boulder_wrong(b, q, "csr is not for the certificate's key");
    }
}

static void judge_payload(const struct boulder *b, const struct engine *e, struct v1_request *q)
{
    judge_members(b, q);
    if (q->kind >= V1_REVOKE || b->deed != ACME_NOW) {
        deeds_v1_judge(b, e, q);
    } else if (q->kind == V1_NEW_REG) {
        judge_contact(b, e, q);
    } else if (q->kind == V1_NEW_AUTHZ) {
        judge_identifier(b, e, q);
    } else if (q->kind == V1_CHALLENGE) {
        judge_response(b, e, q);
    } else if (q->kind == V1_NEW_CERT) {
        judge_csr(b, e, q);
    }
}

void judge_v1(struct boulder *b, const struct engine *e, struct v1_request *q)
{
    static char head[8192];
    const char *end = memmem(e->request, e->request_len, "\r\n\r\n", 4);
    memset(q, 0, sizeof *q);
    b->requests++;
    assert_non_null(end);
    size_t head_len = (size_t)(end - e->request) + 2;
    memcpy(head, e->request, head_len);
    head[head_len] = '\0';
    if (sscanf(head, "%15s %599s", q->method, q->path) != 2) {
        boulder_wrong(b, q, "no request line: %.80s", head);
    }
    q->kind = v1_kind_of(q->method, q->path);
    if (q->kind == V1_KINDS) {
        boulder_wrong(b, q, "there is no such resource");
    }
    size_t body_len = e->request_len - head_len - 2;
    judge_head(b, e, q, head, body_len);
    if (v1_resource(q->kind) != NULL) {
        judge_jws(b, e, q, end + 4, body_len);
        q->kind = v1_kind_by(q->kind, q->payload);
        judge_payload(b, e, q);
    }
    q->nth = ++b->count[q->kind];
}

void judge_v1_free(struct v1_request *q)
{
    json_decref(q->body);
    json_decref(q->protected);
    json_decref(q->payload);
    X509_REQ_free(q->csr);
}

/* --- against what was recorded */

static bool same_member(const struct v1_request *q, const struct exchange *x, const char *name, const json_t *theirs)
{
    const json_t *ours = json_object_get(q->payload, name);
    if (strcmp(name, "csr") == 0) {
        return v1_same_names(&q->names, &x->names);
    }
    if (strcmp(name, "identifier") == 0) {
        return v1_same_names(&q->names, &x->names);
    }
    if (strcmp(name, "keyAuthorization") == 0) {
        const char *a = text_in(q->payload, name), *b = text_in(x->payload, name);
        return strcspn(a, ".") == strcspn(b, ".") && strncmp(a, b, strcspn(a, ".")) == 0;
    }
    if (q->kind == V1_KEY_CHANGE || strcmp(name, "certificate") == 0) {
        return deeds_v1_same(q, x);
    }
    if (ours == NULL) { /* said by ours in a request of its own; and what the server does not want to know */
        return (q->kind == V1_NEW_REG && strcmp(name, "agreement") == 0) || strcmp(name, "type") == 0;
    }
    return json_equal(ours, theirs);
}

static void show(const json_t *value, char *out, size_t cap)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    snprintf(out, cap, "%s", text != NULL ? text : "nothing");
    free(text);
}

void judge_v1_same(const struct boulder *b, const struct v1_request *q, const struct exchange *x)
{
    const char *name;
    json_t *value;
    if (strcmp(q->method, x->method) != 0 || strcmp(q->path, x->path) != 0) {
        boulder_wrong(b, q, "line %u (%s) asked %s %s", x->line, x->step, x->method, x->path);
    }
    json_object_foreach((json_t *)x->payload, name, value)
    {
        if (!same_member(q, x, name, value)) {
            char theirs[300], ours[300];
            show(value, theirs, sizeof theirs);
            show(json_object_get(q->payload, name), ours, sizeof ours);
            boulder_wrong(b, q, "line %u (%s) said %s: %s, ours %s", x->line, x->step, name, theirs, ours);
        }
    }
    json_object_foreach((json_t *)q->payload, name, value)
    {
        if (json_object_get(x->payload, name) == NULL && strcmp(name, "type") != 0) {
            boulder_wrong(b, q, "line %u (%s) did not say %s", x->line, x->step, name);
        }
    }
}
