/* boulder.c - see boulder.h. */
#define _GNU_SOURCE /* memmem, strcasestr */
#include "boulder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "deeds_v1.h"
#include "judge_v1.h"

#define A_MINUTE 60000
#define AT_ONCE  15 /* requests within a second of virtual time, and 5 a name; more is a loop without waits */

static struct {
    EVP_PKEY *key;
    X509 *certificate;
    uint8_t *der;
    size_t der_len;
} own_issuer;

jmp_buf *boulder_caught;
char boulder_said[2000];

void boulder_wrong(const struct boulder *b, const struct v1_request *q, const char *format, ...)
{
    char text[1000];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    snprintf(boulder_said, sizeof boulder_said, "%s: request %u, %s %.200s: %s", b->where, b->requests, q->method,
             q->path, text);
    if (boulder_caught != NULL) {
        longjmp(*boulder_caught, 1);
    }
    fail_msg("%s", boulder_said);
    abort();
}

/* --- what it knows */

static const struct exchange *recorded_issuer(const struct boulder *b)
{
    for (unsigned i = 0; i < b->recording->count; i++) {
        const struct exchange *x = &b->recording->exchange[i];
        if (x->kind == V1_ISSUER && x->answered && x->status == 200 && x->body_len > 0) {
            return x;
        }
    }
    return NULL;
}

/* The path of a URL of this server. */
static const char *path_of(const struct boulder *b, const char *url)
{
    size_t n = strlen(b->recording->base);
    return url == NULL ? "" : strncmp(url, b->recording->base, n) == 0 ? url + n : url[0] == '/' ? url : "";
}

static int authz_at(const struct boulder *b, const char *path)
{
    for (unsigned i = 0; i < b->authz_count; i++) {
        if (strcmp(b->authz[i].path, path) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int challenge_at(const struct boulder *b, const char *path, const char *token)
{
    for (unsigned i = 0; i < b->challenge_count; i++) {
        if (strcmp(b->challenge[i].path, path) == 0 && (token == NULL || strcmp(b->challenge[i].token, token) == 0)) {
            return (int)i;
        }
    }
    return -1;
}

static X509 *cert_at(const struct boulder *b, const char *path)
{
    for (unsigned i = b->cert_count; i-- > 0;) {
        if (strcmp(b->cert[i].path, path) == 0) {
            return b->cert[i].leaf;
        }
    }
    return NULL;
}

static unsigned add_authz(struct boulder *b, const char *path, const char *name)
{
    int old = authz_at(b, path);
    if (old >= 0) {
        return (unsigned)old;
    }
    assert_true(b->authz_count < BOULDER_AUTHZ);
    snprintf(b->authz[b->authz_count].path, sizeof b->authz[0].path, "%s", path);
    snprintf(b->authz[b->authz_count].name, sizeof b->authz[0].name, "%s", name);
    return b->authz_count++;
}

static void add_challenge(struct boulder *b, unsigned authz, const char *path, const char *token)
{
    if (challenge_at(b, path, token) < 0) {
        unsigned i = b->challenge_count++;
        assert_true(i < 4 * BOULDER_AUTHZ);
        snprintf(b->challenge[i].path, sizeof b->challenge[i].path, "%s", path);
        snprintf(b->challenge[i].token, sizeof b->challenge[i].token, "%s", token);
        b->challenge[i].authz = authz;
    }
}

static void tell_valid(struct boulder *b, const char *name, bool valid)
{
    struct v1_names *t = &b->told_valid;
    unsigned i = 0;
    while (i < t->count && strcasecmp(t->name[i], name) != 0) {
        i++;
    }
    if (valid && i == t->count && t->count < CA_NAMES) {
        snprintf(t->name[t->count++], sizeof t->name[0], "%s", name);
    } else if (!valid && i < t->count) {
        memmove(t->name[i], t->name[t->count - 1], sizeof t->name[0]);
        t->count--;
    }
}

/* --- answers of its own */

void boulder_refuse(struct boulder_said *a, unsigned status, const char *type, const char *detail)
{
    a->status = status;
    a->type = "application/problem+json";
    snprintf(a->text, sizeof a->text,
             "{\n  \"type\": \"urn:acme:error:%s\",\n  \"detail\": \"%s\",\n  \"status\": %u\n}", type, detail,
             status);
}

static void add_head(struct boulder_said *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_head(struct boulder_said *a, const char *format, ...)
{
    size_t at = strlen(a->head);
    va_list list;
    va_start(list, format);
    at += (size_t)vsnprintf(a->head + at, sizeof a->head - at, format, list);
    va_end(list);
    assert_true(at < sizeof a->head);
}

static const char *payload_text(const struct v1_request *q, const char *name)
{
    const char *text = json_string_value(json_object_get(q->payload, name));
    return text != NULL ? text : "";
}

static void say_directory(struct boulder *b, struct boulder_said *a)
{
    const char *u = b->recording->base;
    bool change = b->deed == ACME_CHANGE_KEY;
    snprintf(a->text, sizeof a->text,
             "{\n%s%s%s  \"new-authz\": \"%s/acme/new-authz\",\n  \"new-cert\": \"%s/acme/new-cert\",\n"
             "  \"new-reg\": \"%s/acme/new-reg\",\n  \"revoke-cert\": \"%s/acme/revoke-cert\"\n}",
             change ? "  \"key-change\": \"" : "", change ? u : "", change ? "/acme/key-change\",\n" : "", u, u, u,
             u);
}

static void say_account(struct boulder *b, const struct v1_request *q, struct boulder_said *a, unsigned status)
{
    const char *u = b->recording->base;
    const char *agreement = payload_text(q, "agreement");
    const char *terms = b->terms;
    if (agreement[0] != '\0' && strcmp(agreement, terms) != 0) {
        boulder_wrong(b, q, "it agrees to %s; the terms are at %s", agreement, terms);
    }
    b->registered = true;
    memcpy(b->point, q->point, sizeof b->point);
    b->agreed = b->agreed || agreement[0] != '\0';
    a->status = status;
    add_head(a, "Link: <%s/acme/new-authz>;rel=\"next\"\r\nLink: <%s>;rel=\"terms-of-service\"\r\n", u, terms);
    if (status == 201) {
        add_head(a, "Location: %s%s\r\n", u, b->reg);
    }
    snprintf(a->text, sizeof a->text,
             "{\n  \"id\": 900,\n  \"key\": {\n    \"kty\": \"EC\"\n  },\n  \"contact\": [],\n%s%s%s"
             "  \"initialIp\": \"127.0.0.1\",\n  \"createdAt\": \"2026-11-23T23:58:13.408573815Z\",\n"
             "  \"Status\": \"\"\n}",
             b->agreed ? "  \"agreement\": \"" : "", b->agreed ? terms : "", b->agreed ? "\",\n" : "");
}

static void say_new_reg(struct boulder *b, const struct v1_request *q, struct boulder_said *a)
{
    if (b->registered) {
        boulder_refuse(a, 409, "malformed", "Registration key is already in use");
        add_head(a, "Location: %s%s\r\n", b->recording->base, b->reg);
        return;
    }
    say_account(b, q, a, 201);
}

static void authz_text(const struct boulder *b, unsigned i, char *to, size_t cap)
{
    static const char *const words[] = {"pending", "valid", "invalid"};
    static const char *const types[] = {"dns-01", "http-01", "tls-sni-01"};
    unsigned turn = i % 3, told = 0;
    size_t at =
        (size_t)snprintf(to, cap,
                         "{\n  \"identifier\": {\n    \"type\": \"dns\",\n    \"value\": \"%s\"\n  },\n"
                         "  \"status\": \"%s\",\n  \"expires\": \"2026-11-30T23:58:13Z\",\n  \"challenges\": [",
                         b->authz[i].name, words[b->authz[i].status]);
    const char *token = NULL, *uri = NULL;
    for (unsigned c = 0; c < b->challenge_count; c++) {
        if (b->challenge[c].authz == i && token == NULL) {
            token = b->challenge[c].token;
            uri = b->challenge[c].path;
        }
    }
    for (; told < 3; told++) {
        const char *type = types[(told + turn) % 3];
        bool ours = strcmp(type, "http-01") == 0;
        at += (size_t)snprintf(to + at, cap - at,
                               "%s\n    {\n      \"type\": \"%s\",\n      \"status\": \"%s\",\n"
                               "      \"uri\": \"%s%s%s\",\n      \"token\": \"%s%s\"\n    }",
                               told > 0 ? "," : "", type, ours ? words[b->authz[i].status] : "pending",
                               b->recording->base, uri, ours ? "" : type, token, ours ? "" : type);
    }
    snprintf(to + at, cap - at,
             "\n  ],\n  \"combinations\": [\n    [\n      0\n    ],\n    [\n      1\n    ]\n  ]\n}");
}

static void say_authz(struct boulder *b, unsigned i, struct boulder_said *a)
{
    add_head(a, "Link: <%s/acme/new-cert>;rel=\"next\"\r\n", b->recording->base);
    authz_text(b, i, a->text, sizeof a->text);
    tell_valid(b, b->authz[i].name, b->authz[i].status == BOULDER_VALID);
}

static void say_new_authz(struct boulder *b, const struct v1_request *q, struct boulder_said *a)
{
    char path[600], token[80];
    unsigned i = 0;
    if (!b->registered) {
        boulder_refuse(a, 403, "unauthorized", "No registration exists matching provided key");
        return;
    }
    if (!b->agreed) {
        boulder_refuse(a, 403, "unauthorized", "Must agree to subscriber agreement before any further actions");
        return;
    }
    while (i < b->authz_count &&
           (b->authz[i].status != BOULDER_VALID || strcasecmp(b->authz[i].name, q->names.name[0]) != 0)) {
        i++;
    }
    if (i == b->authz_count) {
        snprintf(path, sizeof path, "/acme/authz/made-by-the-player-%022u", b->authz_count);
        i = add_authz(b, path, q->names.name[0]);
        snprintf(path, sizeof path, "/acme/challenge/made-by-the-player-%022u/%u", i, 100 + i);
        snprintf(token, sizeof token, "token-of-the-player-%023u", i);
        add_challenge(b, i, path, token);
    }
    a->status = 201;
    add_head(a, "Location: %s%s\r\n", b->recording->base, b->authz[i].path);
    say_authz(b, i, a);
}

/* The second look after the response finds it valid. */
static void say_look(struct boulder *b, const struct v1_request *q, struct boulder_said *a)
{
    int i = authz_at(b, q->path);
    if (i < 0) {
        boulder_refuse(a, 404, "malformed", "Unable to find authorization");
        return;
    }
    if (b->authz[i].responded && b->authz[i].status == BOULDER_PENDING && b->authz[i].looks++ > 0) {
        b->authz[i].status = BOULDER_VALID;
    }
    say_authz(b, (unsigned)i, a);
}

static void say_challenge(struct boulder *b, const struct v1_request *q, struct boulder_said *a)
{
    int c = challenge_at(b, q->path, NULL);
    if (c < 0) {
        boulder_refuse(a, 404, "malformed", "Unable to find challenge");
        return;
    }
    unsigned i = b->challenge[c].authz;
    const char *key_authorization = payload_text(q, "keyAuthorization");
    if (b->authz[i].status == BOULDER_INVALID) {
        boulder_refuse(a, 400, "malformed", "Unable to update challenge :: Response does not complete challenge");
        return;
    }
    b->authz[i].responded = true;
    a->status = 202;
    add_head(a, "Link: <%s%s>;rel=\"up\"\r\nLocation: %s%s\r\n", b->recording->base, b->authz[i].path,
             b->recording->base, q->path);
    snprintf(a->text, sizeof a->text,
             "{\n  \"type\": \"http-01\",\n  \"status\": \"pending\",\n  \"uri\": \"%s%s\",\n  \"token\": \"%.*s\",\n"
             "  \"keyAuthorization\": \"%s\"\n}",
             b->recording->base, q->path, (int)strcspn(key_authorization, "."), key_authorization, key_authorization);
}

/* --- certificates */

static X509 *make_leaf(const struct v1_request *q, size_t padding)
{
    char san[CA_NAMES * 262] = "", text[8000];
    size_t at = 0;
    for (unsigned i = 0; i < q->names.count; i++) {
        at += (size_t)snprintf(san + at, sizeof san - at, "%sDNS:%s", i > 0 ? "," : "", q->names.name[i]);
    }
    struct maker_spec spec = {.san = san,
                              .ca = MAKER_CA_FALSE,
                              .key = X509_REQ_get0_pubkey(q->csr),
                              .issuer = own_issuer.certificate,
                              .issuer_key = own_issuer.key};
    X509 *leaf = maker_certificate(&spec);
    if (padding > 0 && padding < sizeof text) {
        memset(text, 'x', padding);
        text[padding] = '\0';
        X509_EXTENSION *comment = X509V3_EXT_conf_nid(NULL, NULL, NID_netscape_comment, text);
        assert_non_null(comment);
        X509_add_ext(leaf, comment, -1);
        X509_EXTENSION_free(comment);
        assert_true(X509_sign(leaf, own_issuer.key, EVP_sha256()) > 0);
    }
    return leaf;
}

/* A certificate for the request's key and names, as many bytes long as the recorded one if that can be had. */
static X509 *leaf_of_length(const struct v1_request *q, size_t wanted)
{
    X509 *leaf = make_leaf(q, 0);
    for (size_t padding = 1; wanted > 0 && padding < 8000;) {
        size_t len = (size_t)i2d_X509(leaf, NULL);
        if (len >= wanted) {
            break;
        }
        size_t more = wanted - len;
        padding = padding == 1 && more > 30 ? more - 30 : padding + (more > 3 ? more - 3 : 1);
        X509_free(leaf);
        leaf = make_leaf(q, padding);
    }
    return leaf;
}

static void issue(struct boulder *b, const struct v1_request *q, const char *path, size_t wanted)
{
    unsigned i = b->cert_count++;
    assert_true(i < sizeof b->cert / sizeof b->cert[0]);
    snprintf(b->cert[i].path, sizeof b->cert[i].path, "%s", path);
    b->cert[i].leaf = leaf_of_length(q, wanted);
}

static void put_leaf(struct boulder_said *a, X509 *leaf)
{
    unsigned char *at = (unsigned char *)a->text;
    assert_true((size_t)i2d_X509(leaf, NULL) <= sizeof a->text);
    a->body = a->text;
    a->body_len = (size_t)i2d_X509(leaf, &at);
}

static void say_new_cert(struct boulder *b, const struct v1_request *q, struct boulder_said *a)
{
    char path[100];
    for (unsigned n = 0; n < q->names.count; n++) {
        bool valid = false;
        for (unsigned i = 0; i < b->authz_count; i++) {
            valid =
                valid || (b->authz[i].status == BOULDER_VALID && strcasecmp(b->authz[i].name, q->names.name[n]) == 0);
        }
        if (!valid || !b->registered) {
            boulder_refuse(a, 403, "unauthorized",
                           "Error creating new cert :: Authorizations for these names not found");
            return;
        }
    }
    snprintf(path, sizeof path, "/acme/cert/ff%034u", b->cert_count);
    issue(b, q, path, b->leaf_bytes);
    a->status = 201;
    a->type = "application/pkix-cert";
    add_head(a, "Link: <%s/acme/issuer-cert>;rel=\"up\"\r\nLocation: %s%s\r\n", b->recording->base,
             b->recording->base, path);
    put_leaf(a, b->cert[b->cert_count - 1].leaf);
}

static void say_cert(struct boulder *b, const struct v1_request *q, struct boulder_said *a)
{
    X509 *leaf = cert_at(b, q->path);
    if (leaf == NULL) {
        boulder_refuse(a, 404, "malformed", "Certificate not found");
        return;
    }
    a->type = "application/pkix-cert";
    add_head(a, "Link: </acme/issuer-cert>;rel=\"up\"\r\n");
    put_leaf(a, leaf);
}

static void carry_out(struct boulder *b, const struct v1_request *q, struct boulder_said *a)
{
    a->status = 200;
    a->type = "application/json";
    if (b->deed != ACME_NOW && deeds_v1_answer(b, q, a)) {
        return;
    }
    if (q->kind == V1_DIRECTORY) {
        say_directory(b, a);
    } else if (q->kind == V1_NONCE) {
        boulder_refuse(a, 405, "malformed", "Method not allowed");
        add_head(a, "Allow: POST\r\n");
    } else if (q->kind == V1_NEW_REG) {
        say_new_reg(b, q, a);
    } else if (q->kind == V1_REG && b->registered) {
        say_account(b, q, a, 202);
    } else if (q->kind == V1_NEW_AUTHZ) {
        say_new_authz(b, q, a);
    } else if (q->kind == V1_AUTHZ) {
        say_look(b, q, a);
    } else if (q->kind == V1_CHALLENGE) {
        say_challenge(b, q, a);
    } else if (q->kind == V1_NEW_CERT) {
        say_new_cert(b, q, a);
    } else if (q->kind == V1_CERT) {
        say_cert(b, q, a);
    } else if (q->kind == V1_ISSUER) {
        const struct exchange *x = recorded_issuer(b);
        a->type = "application/pkix-cert";
        a->body = x != NULL ? x->body : (const char *)own_issuer.der;
        a->body_len = x != NULL ? x->body_len : own_issuer.der_len;
        b->issuer = a->body;
        b->issuer_len = a->body_len;
    } else {
        boulder_refuse(a, 403, "unauthorized", "No registration exists matching provided key");
    }
}

/* --- what was recorded becomes true */

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static void adopt_authz(struct boulder *b, const struct exchange *x, const char *path)
{
    const char *name = text_in(json_object_get(x->document, "identifier"), "value");
    const char *status = exchange_status(x);
    size_t k;
    json_t *challenge;
    if (status[0] == '\0') {
        return;
    }
    unsigned i = add_authz(b, path, name);
    b->authz[i].status = strcmp(status, "valid") == 0     ? BOULDER_VALID
                         : strcmp(status, "pending") == 0 ? BOULDER_PENDING
                                                          : BOULDER_INVALID;
    json_array_foreach(json_object_get(x->document, "challenges"), k, challenge)
    {
        if (strcmp(text_in(challenge, "type"), "http-01") == 0) {
            add_challenge(b, i, path_of(b, text_in(challenge, "uri")), text_in(challenge, "token"));
        }
    }
    tell_valid(b, b->authz[i].name, b->authz[i].status == BOULDER_VALID);
}

static void adopt(struct boulder *b, const struct v1_request *q, const struct exchange *x)
{
    const char *location = path_of(b, exchange_header(x, "Location"));
    bool good = x->status / 100 == 2;
    if (good && q->kind >= V1_REVOKE) {
        deeds_v1_adopt(b, q, x);
    }
    if (q->kind == V1_NEW_REG && (good || x->status == 409) && location[0] == '/') {
        b->registered = true;
        memcpy(b->point, q->point, sizeof b->point);
        snprintf(b->reg, sizeof b->reg, "%s", location);
    }
    if ((q->kind == V1_NEW_REG || q->kind == V1_REG) && good) {
        (void)exchange_link(x, "terms-of-service", b->terms, sizeof b->terms);
        b->registered = true;
        b->agreed = b->agreed || text_in(x->document, "agreement")[0] != '\0';
    } else if (q->kind == V1_NEW_AUTHZ && good && location[0] == '/') {
        adopt_authz(b, x, location);
    } else if (q->kind == V1_AUTHZ && good) {
        adopt_authz(b, x, q->path);
    } else if (q->kind == V1_CHALLENGE && good && challenge_at(b, q->path, NULL) >= 0) {
        unsigned i = b->challenge[challenge_at(b, q->path, NULL)].authz;
        b->authz[i].responded = true;
        if (strcmp(text_in(x->document, "type"), "http-01") == 0) {
            add_challenge(b, i, path_of(b, text_in(x->document, "uri")), text_in(x->document, "token"));
        }
    } else if (q->kind == V1_ISSUER && good) {
        b->issuer = x->body;
        b->issuer_len = x->body_len;
    } else if (q->kind == V1_NEW_CERT && good) {
        issue(b, q, location, x->body_len);
    }
}

/* --- onto the wire */

static const char *give_nonce(struct boulder *b, const char *recorded)
{
    if (recorded == NULL || json_object_get(b->nonces, recorded) != NULL) { /* none is given twice */
        snprintf(b->last_nonce, sizeof b->last_nonce, "made-by-the-player-%024u", ++b->nonces_made);
    } else {
        snprintf(b->last_nonce, sizeof b->last_nonce, "%s", recorded);
    }
    json_object_set_new(b->nonces, b->last_nonce, json_true());
    return b->last_nonce;
}

static size_t put(struct boulder *b, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static size_t put(struct boulder *b, size_t at, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    at += (size_t)vsnprintf(b->out + at, sizeof b->out - at, format, list);
    va_end(list);
    assert_true(at < sizeof b->out);
    return at;
}

static size_t put_bytes(struct boulder *b, size_t at, const char *bytes, size_t len)
{
    assert_true(at + len < sizeof b->out);
    memcpy(b->out + at, bytes, len);
    return at + len;
}

/* In the recorded sizes; what is longer than they are is in one more. */
static size_t put_chunks(struct boulder *b, size_t at, const json_t *sizes, const char *body, size_t len)
{
    for (size_t i = 0, from = 0; from < len; i++) {
        size_t size = (size_t)json_integer_value(json_array_get(sizes, i));
        size = size == 0 || size > len - from ? len - from : size;
        at = put(b, at, "%zx\r\n", size);
        at = put_bytes(b, at, body + from, size);
        at = put(b, at, "\r\n");
        from += size;
    }
    return put(b, at, "0\r\n\r\n");
}

static size_t put_recorded(struct boulder *b, const struct v1_request *q, const struct exchange *x, bool *close)
{
    const char *body = x->body;
    size_t len = x->body_len, at = put(b, 0, "%s\r\n", x->status_line);
    struct boulder_said replaced = {0};
    X509 *leaf = q->kind == V1_NEW_CERT && x->status == 201 ? b->cert[b->cert_count - 1].leaf
                 : q->kind == V1_CERT && x->status == 200   ? cert_at(b, q->path)
                                                            : NULL;
    if (leaf != NULL && len > 0) {
        put_leaf(&replaced, leaf);
        body = replaced.body;
        len = replaced.body_len;
    }
    *close = strncmp(x->status_line, "HTTP/1.0", 8) == 0;
    for (size_t i = 0; i < json_array_size(x->headers); i++) {
        const char *name = json_string_value(json_array_get(json_array_get(x->headers, i), 0));
        const char *value = json_string_value(json_array_get(json_array_get(x->headers, i), 1));
        if (strcasecmp(name, "Replay-Nonce") == 0) {
            at = put(b, at, "%s: %s\r\n", name, give_nonce(b, value));
        } else if (strcasecmp(name, "Content-Length") == 0 && len != x->body_len) {
            at = put(b, at, "%s: %zu\r\n", name, len);
        } else {
            at = put(b, at, "%s: %s\r\n", name, value);
        }
        *close = *close || (strcasecmp(name, "Connection") == 0 && strcasecmp(value, "close") == 0);
    }
    at = put(b, at, "\r\n");
    if (strcmp(q->method, "HEAD") == 0) {
        return at;
    }
    const char *coding = exchange_header(x, "Transfer-Encoding");
    if (coding != NULL && strcasecmp(coding, "chunked") == 0) {
        return put_chunks(b, at, x->chunks, body, len);
    }
    *close = *close || exchange_header(x, "Content-Length") == NULL;
    return put_bytes(b, at, body, len);
}

static size_t put_own(struct boulder *b, const struct v1_request *q, const struct boulder_said *a)
{
    size_t at = put(b, 0, "HTTP/1.1 %u %s\r\nBoulder-Request-Id: made-by-the-player\r\n", a->status,
                    a->status < 300 ? "OK" : "Not OK");
    at = put(b, at, "Cache-Control: public, max-age=0, no-cache\r\n%s", a->head);
    if (a->type != NULL) {
        at = put(b, at, "Content-Type: %s\r\n", a->type);
    }
    if (q->kind != V1_DIRECTORY || !b->dry) {
        at = put(b, at, "Replay-Nonce: %s\r\n", give_nonce(b, NULL));
    }
    at = put(b, at, "Date: Mon, 23 Nov 2026 23:58:13 GMT\r\nContent-Length: %zu\r\n\r\n", a->body_len);
    return strcmp(q->method, "HEAD") == 0 ? at : put_bytes(b, at, a->body, a->body_len);
}

/* --- answering */

/* Many requests in one second of virtual time are a loop without waits. */
static void judge_pace(struct boulder *b, const struct v1_request *q, const struct engine *e)
{
    const unsigned ring = sizeof b->asked_at / sizeof b->asked_at[0];
    unsigned many = AT_ONCE + 5 * (unsigned)e->setup.name_count;
    assert_true(many < ring);
    b->asked_at[b->requests % ring] = e->elapsed_ms;
    if (b->requests > many && e->elapsed_ms - b->asked_at[(b->requests - many) % ring] < 1000) {
        boulder_wrong(b, q, "more than %u requests within a second", many);
    }
}

static void judge_new_cert(struct boulder *b, const struct v1_request *q, const struct engine *e)
{
    for (unsigned i = 0; i < q->names.count; i++) {
        bool told = false;
        for (unsigned k = 0; k < b->told_valid.count; k++) {
            told = told || strcasecmp(b->told_valid.name[k], q->names.name[i]) == 0;
        }
        if (!told) {
            boulder_wrong(b, q, "new-cert before the authorization of %s was seen valid", q->names.name[i]);
        }
    }
    if (b->may_have_issued >= 2) {
        boulder_wrong(b, q, "new-cert again, after two that may have issued");
    }
    if (b->may_have_issued == 1 && e->elapsed_ms - b->issued_at < A_MINUTE) {
        boulder_wrong(b, q, "new-cert again, a moment after one that may have issued");
    }
}

static void note_answer(struct boulder *b, const struct v1_request *q, const struct exchange *x, unsigned status,
                        const struct engine *e)
{
    if (q->kind == V1_NEW_CERT && (status / 100 == 2 || status / 100 == 5)) {
        b->may_have_issued++;
        b->issued_at = e->elapsed_ms;
    }
    b->last_kind = q->kind;
    b->last_status = status;
    b->last_recorded = x;
    b->last_lost = false;
    b->recorded_answers += x != NULL;
    b->own_answers += x == NULL;
}

struct ca_answer boulder_answer(struct boulder *b, struct engine *e)
{
    struct v1_request q;
    struct ca_answer answer = {.at = b->out};
    judge_v1(b, e, &q);
    judge_pace(b, &q, e);
    if (q.kind == V1_NEW_CERT) {
        judge_new_cert(b, &q, e);
    }
    const struct exchange *x = b->recorded(b->ctx, &q);
    if (x != NULL) {
        adopt(b, &q, x);
        if (x->ms < ACME_NET_TIMEOUT_MS) { /* else the client does not wait for it */
            e->now_ms += x->ms;
            e->elapsed_ms += x->ms;
            answer.len = put_recorded(b, &q, x, &answer.close);
        }
        note_answer(b, &q, x, x->status, e);
        b->last_lost = answer.len == 0;
    } else {
        struct boulder_said a = {0};
        carry_out(b, &q, &a);
        if (a.body == NULL) {
            a.body = a.text;
            a.body_len = strlen(a.text);
        }
        answer.len = put_own(b, &q, &a);
        note_answer(b, &q, NULL, a.status, e);
    }
    judge_v1_free(&q);
    return answer;
}

void boulder_start(struct boulder *b, const struct recording *r)
{
    memset(b, 0, sizeof *b);
    b->recording = r;
    b->deed = ACME_NOW;
    b->nonces = json_object();
    strcpy(b->reg, "/acme/reg/900");
    strcpy(b->terms, r->terms);
    if (own_issuer.key == NULL) {
        own_issuer.key = maker_rsa(2048); /* its signatures are all of one length */
        struct maker_spec spec = {.name = "Issuer of the player", .ca = MAKER_CA, .key = own_issuer.key};
        own_issuer.certificate = maker_certificate(&spec);
        own_issuer.der = maker_der(own_issuer.certificate, &own_issuer.der_len);
    }
}

void boulder_end(struct boulder *b)
{
    for (unsigned i = 0; i < b->cert_count; i++) {
        X509_free(b->cert[i].leaf);
    }
    json_decref(b->nonces);
    b->nonces = NULL;
    b->cert_count = 0;
}
