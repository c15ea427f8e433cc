/* recording.c - see recording.h. */
#define _GNU_SOURCE /* getline, memmem */
#include "recording.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/sha.h>

#include "wire/url.h"

static const struct {
    const char *word, *method, *path, *resource, *members;
} kinds[V1_KINDS] = {
    {"directory", "GET", "/directory", NULL, NULL},
    {"nonce", "HEAD", "/", NULL, NULL},
    {"new-reg", "POST", "/acme/new-reg", "new-reg", " resource contact agreement "},
    {"reg", "POST", "/acme/reg/", "reg", " resource agreement "},
    {"new-authz", "POST", "/acme/new-authz", "new-authz", " resource identifier "},
    {"authz", "GET", "/acme/authz/", NULL, NULL},
    {"challenge", "POST", "/acme/challenge/", "challenge", " resource keyAuthorization type "},
    {"new-cert", "POST", "/acme/new-cert", "new-cert", " resource csr "},
    {"cert", "GET", "/acme/cert/", NULL, NULL},
    {"issuer-cert", "GET", "/acme/issuer-cert", NULL, NULL},
    {"revoke-cert", "POST", "/acme/revoke-cert", "revoke-cert", " resource certificate reason "},
    {"deactivate", "POST", "/acme/reg/", "reg", " resource status "},
    {"key-change", "POST", "/acme/key-change", "key-change", " resource protected payload signature "}};

const char *v1_word(enum v1_kind kind)
{
    return kind < V1_KINDS ? kinds[kind].word : "nothing of ours";
}

const char *v1_resource(enum v1_kind kind)
{
    return kind < V1_KINDS ? kinds[kind].resource : NULL;
}

bool v1_may_say(enum v1_kind kind, const char *member)
{
    char word[80];
    snprintf(word, sizeof word, " %s ", member);
    return kind < V1_KINDS && kinds[kind].members != NULL && strstr(kinds[kind].members, word) != NULL;
}

enum v1_kind v1_kind_of(const char *method, const char *path)
{
    for (unsigned k = 0; k < V1_KINDS; k++) {
        size_t len = strlen(kinds[k].path);
        bool folder = kinds[k].path[len - 1] == '/';
        if (strcmp(method, kinds[k].method) == 0 && strncmp(path, kinds[k].path, len) == 0 &&
            (folder || path[len] == '\0')) {
            return (enum v1_kind)k;
        }
    }
    return V1_KINDS;
}

enum v1_kind v1_kind_by(enum v1_kind kind, const json_t *payload)
{
    const char *status = json_string_value(json_object_get(payload, "status"));
    return kind == V1_REG && status != NULL && strcmp(status, "deactivated") == 0 ? V1_DEACTIVATE : kind;
}

/* --- encodings */

void v1_base64url(const void *bytes, size_t len, char *out)
{
    EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
    size_t end = 0;
    for (; out[end] != '\0' && out[end] != '='; end++) {
        out[end] = out[end] == '+' ? '-' : out[end] == '/' ? '_' : out[end];
    }
    out[end] = '\0';
}

/* Either alphabet, padded or not; NULL: neither. To be freed. */
static char *decoded(const char *text, size_t *len)
{
    size_t n = strlen(text);
    while (n > 0 && text[n - 1] == '=') {
        n--;
    }
    char *copy = malloc(n + 4), *out = malloc(n + 4);
    for (size_t i = 0; i < n; i++) {
        copy[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
    }
    size_t pad = (4 - n % 4) % 4;
    memset(copy + n, '=', pad);
    int got = pad == 3 ? -1 : EVP_DecodeBlock((unsigned char *)out, (unsigned char *)copy, (int)(n + pad));
    free(copy);
    if (got < 0) {
        free(out);
        return NULL;
    }
    *len = (size_t)got - pad;
    return out;
}

void v1_thumbprint(const json_t *jwk, char out[44])
{
    uint8_t hash[32];
    char *text = json_dumps(jwk, JSON_SORT_KEYS | JSON_COMPACT), padded[48];
    SHA256((unsigned char *)(text != NULL ? text : ""), text != NULL ? strlen(text) : 0, hash);
    free(text);
    v1_base64url(hash, sizeof hash, padded);
    memcpy(out, padded, 44);
}

json_t *v1_inner(const json_t *jws, const char *part)
{
    const char *text = json_string_value(json_object_get(jws, part));
    size_t len = 0;
    char *bytes = text == NULL || strpbrk(text, "+/=\n") != NULL ? NULL : decoded(text, &len);
    json_t *object = bytes == NULL ? NULL : json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
    free(bytes);
    if (!json_is_object(object)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static void add_name(struct v1_names *names, const char *name, size_t len)
{
    for (unsigned i = 0; i < names->count; i++) {
        if (strlen(names->name[i]) == len && strncasecmp(names->name[i], name, len) == 0) {
            return;
        }
    }
    if (names->count < CA_NAMES && len < sizeof names->name[0]) {
        char *to = names->name[names->count++];
        for (size_t i = 0; i < len; i++) {
            to[i] = (char)tolower((unsigned char)name[i]);
        }
        to[len] = '\0';
    } else {
        names->more = true;
    }
}

X509_REQ *v1_csr(const char *base64url, struct v1_names *names)
{
    size_t len = 0;
    char *der = strpbrk(base64url, "+/=\n") != NULL ? NULL : decoded(base64url, &len);
    const unsigned char *at = (unsigned char *)der;
    X509_REQ *request = der == NULL ? NULL : d2i_X509_REQ(NULL, &at, (long)len);
    bool good = request != NULL && at == (unsigned char *)der + len &&
                X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) == 1;
    free(der);
    memset(names, 0, sizeof *names);
    if (!good) {
        X509_REQ_free(request);
        return NULL;
    }
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    GENERAL_NAMES *all = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);
        if (one->type == GEN_DNS) {
            add_name(names, (const char *)ASN1_STRING_get0_data(one->d.dNSName),
                     (size_t)ASN1_STRING_length(one->d.dNSName));
        }
    }
    GENERAL_NAMES_free(all);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return request;
}

static bool has_name(const struct v1_names *names, const char *name)
{
    for (unsigned i = 0; i < names->count; i++) {
        if (strcasecmp(names->name[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool v1_same_names(const struct v1_names *a, const struct v1_names *b)
{
    bool same = a->count == b->count;
    for (unsigned i = 0; same && i < a->count; i++) {
        same = has_name(b, a->name[i]);
    }
    return same;
}

/* --- reading */

static bool complain(struct recording *r, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool complain(struct recording *r, unsigned line, const char *format, ...)
{
    char text[400];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    snprintf(r->error, sizeof r->error, "%.200s:%u: %s", r->path, line, text);
    return false;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

const char *exchange_header(const struct exchange *x, const char *name)
{
    for (size_t i = 0; i < json_array_size(x->headers); i++) {
        const json_t *pair = json_array_get(x->headers, i);
        if (strcasecmp(json_string_value(json_array_get(pair, 0)), name) == 0) {
            return json_string_value(json_array_get(pair, 1));
        }
    }
    return NULL;
}

bool exchange_link(const struct exchange *x, const char *rel, char *url, size_t cap)
{
    char want[100];
    snprintf(want, sizeof want, "rel=\"%s\"", rel);
    for (size_t i = 0; i < json_array_size(x->headers); i++) {
        const json_t *pair = json_array_get(x->headers, i);
        const char *value = json_string_value(json_array_get(pair, 1));
        if (strcasecmp(json_string_value(json_array_get(pair, 0)), "Link") == 0 && value[0] == '<' &&
            strstr(value, want) != NULL) {
            snprintf(url, cap, "%.*s", (int)strcspn(value + 1, ">"), value + 1);
            return true;
        }
    }
    return false;
}

const char *exchange_status(const struct exchange *x)
{
    return x->document != NULL && json_object_get(x->document, "challenges") != NULL ? text_of(x->document, "status")
                                                                                     : "";
}

static bool are_pairs(const json_t *headers)
{
    for (size_t i = 0; i < json_array_size(headers); i++) {
        const json_t *pair = json_array_get(headers, i);
        if (json_array_size(pair) != 2 || !json_is_string(json_array_get(pair, 0)) ||
            !json_is_string(json_array_get(pair, 1))) {
            return false;
        }
    }
    return json_is_array(headers);
}

/* Bytes of the head as it went over the wire. */
static size_t head_bytes(const struct exchange *x)
{
    size_t n = strlen(x->status_line) + 4;
    for (size_t i = 0; i < json_array_size(x->headers); i++) {
        const json_t *pair = json_array_get(x->headers, i);
        n += json_string_length(json_array_get(pair, 0)) + json_string_length(json_array_get(pair, 1)) + 4;
    }
    return n;
}

/* The answer as it can be given again. One that cannot, because bytes of it were not recorded, is left unanswered. */
static void read_answer(struct exchange *x, const json_t *response)
{
    const json_t *body = json_object_get(response, "body");
    const char *base64 = json_string_value(json_object_get(response, "body_base64_der"));
    x->status_line = text_of(response, "status_line");
    x->status = (unsigned)json_integer_value(json_object_get(response, "status"));
    x->headers = json_object_get(response, "headers");
    x->chunks = json_object_get(response, "chunk_sizes");
    x->headers = are_pairs(x->headers) ? x->headers : NULL;
    if (x->headers == NULL || sscanf(x->status_line, "HTTP/1.%*u %u", &x->status) != 1) {
        return;
    }
    if (base64 == NULL) {
        base64 = json_string_value(json_object_get(response, "body_base64"));
    }
    if (base64 != NULL) {
        x->body = decoded(base64, &x->body_len);
    } else {
        x->body_len = json_string_length(body);
        x->body = malloc(x->body_len + 1);
        memcpy(x->body, x->body_len > 0 ? json_string_value(body) : "", x->body_len);
        x->document = x->body_len > 0 ? json_loadb(x->body, x->body_len, 0, NULL) : NULL;
    }
    const json_t *bytes = json_object_get(response, "body_bytes"), *head = json_object_get(response, "header_bytes");
    x->answered = x->body != NULL && (bytes == NULL || json_integer_value(bytes) == (json_int_t)x->body_len) &&
                  (head == NULL || json_integer_value(head) == (json_int_t)head_bytes(x));
}

/* What we may say of an account: addresses of a person, and yes to the terms that the server has. */
static const char *own_account(const struct exchange *x, const struct recording *r)
{
    const json_t *contact = json_object_get(x->payload, "contact");
    const char *agreement = json_string_value(json_object_get(x->payload, "agreement"));
    for (size_t i = 0; i < json_array_size(contact); i++) {
        const char *one = json_string_value(json_array_get(contact, i));
        if (one == NULL || strncmp(one, "mailto:", 7) != 0 || strchr(one, '@') == NULL) {
            return "no address of a person";
        }
    }
    if (agreement != NULL && strcmp(agreement, r->terms) != 0) {
        return "other terms than the server has";
    }
    bool looks_or_agrees = json_object_size(x->payload) == (agreement != NULL ? 2u : 1u);
    return x->kind == V1_REG && !looks_or_agrees ? "another change of the account than to agree" : NULL;
}

static const char *own_identifier(struct exchange *x)
{
    const json_t *identifier = json_object_get(x->payload, "identifier");
    const char *name = text_of(identifier, "value");
    if (json_object_size(identifier) != 2 || strcmp(text_of(identifier, "type"), "dns") != 0 || strlen(name) > 255) {
        return "not the identifier of a DNS name";
    }
    add_name(&x->names, name, strlen(name));
    return acme_dns_name_ok(acme_slice_of(name)) ? NULL : "not a DNS name";
}

static const char *own_csr(struct exchange *x)
{
    X509_REQ *request = v1_csr(text_of(x->payload, "csr"), &x->names);
    X509_REQ_free(request);
    if (request == NULL || x->names.count == 0) {
        return "not a certificate request with DNS names";
    }
    return x->names.more || x->names.count > ACME_NAMES_MAX ? "more names than a client of ours asks for" : NULL;
}

/* The key authorization of its own key for an http-01 challenge. */
static const char *own_response(const struct exchange *x)
{
    char thumbprint[44];
    const json_t *type = json_object_get(x->payload, "type");
    const char *dot = strchr(text_of(x->payload, "keyAuthorization"), '.');
    v1_thumbprint(x->jwk, thumbprint);
    if (type != NULL && strcmp(text_of(x->payload, "type"), "http-01") != 0) {
        return "another type of challenge";
    }
    return dot == NULL || strcmp(dot + 1, thumbprint) != 0 ? "not the key authorization of its key" : NULL;
}

/* The URL of the account a key is of; "": nobody told; NULL: of none. */
static const char *account_of(const struct recording *r, const json_t *jwk)
{
    const char *url = NULL;
    for (unsigned i = 0; i < r->count; i++) {
        const struct exchange *x = &r->exchange[i];
        const char *location = x->kind == V1_NEW_REG ? exchange_header(x, "Location") : NULL;
        if (x->status / 100 == 2 && json_equal(x->new_key, jwk)) {
            return x->account;
        }
        if ((x->status / 100 == 2 || x->status == 409) && x->kind != V1_REVOKE && json_equal(x->jwk, jwk)) {
            url = location != NULL ? location : url != NULL ? url : "";
        }
    }
    return url;
}

/* A certificate that the recording tells of. */
static const char *own_certificate(struct exchange *x, const struct recording *r)
{
    const char *text = text_of(x->payload, "certificate");
    const json_t *reason = json_object_get(x->payload, "reason");
    size_t len = 0;
    char *der = strpbrk(text, "+/=\n") != NULL ? NULL : decoded(text, &len);
    for (unsigned i = 0; i < r->count && der != NULL && x->issued == NULL; i++) {
        const struct exchange *one = &r->exchange[i];
        bool same = one->kind == V1_NEW_CERT && one->status == 201 && one->body_len == len;
        x->issued = same && len > 0 && memcmp(one->body, der, len) == 0 ? one : NULL;
    }
    free(der);
    if (x->issued == NULL || x->issued->not_ours != NULL) {
        return x->issued == NULL ? "not a certificate that was issued before" : "a certificate that is not ours";
    }
    x->names = x->issued->names;
    return reason != NULL && (!json_is_integer(reason) || json_integer_value(reason) == 0) ? "a reason we do not give"
                                                                                           : NULL;
}

/* A JWS of another key, which says whose account it is for. */
static const char *own_key_change(struct exchange *x)
{
    json_t *protected = v1_inner(x->payload, "protected"), *payload = v1_inner(x->payload, "payload");
    json_t *key = json_object_get(payload, "newKey");
    bool good = json_object_size(payload) == 2 && json_object_get(payload, "account") != NULL &&
                json_object_size(key) == 4 && json_equal(key, json_object_get(protected, "jwk"));
    x->new_key = good ? json_incref(key) : NULL;
    snprintf(x->account, sizeof x->account, "%s", text_of(payload, "account"));
    json_decref(protected);
    json_decref(payload);
    return good ? NULL : "another form of a change of the key";
}

/* What is done beside issuing. */
static const char *own_deed(struct exchange *x, const struct recording *r)
{
    const char *url = account_of(r, x->jwk);
    if (url == NULL) {
        return "not signed by the key of an account";
    }
    if (x->kind == V1_REVOKE) {
        return own_certificate(x, r);
    }
    if (x->kind == V1_DEACTIVATE) {
        strcpy(x->account, r->base);
        strcat(x->account, x->path);
    }
    const char *wrong = x->kind == V1_KEY_CHANGE ? own_key_change(x) : NULL;
    return wrong == NULL && url[0] != '\0' && strcmp(x->account, url) != 0 ? "for another account" : wrong;
}

static const char *own_payload(struct exchange *x, const struct recording *r)
{
    const char *name;
    json_t *value;
    if (!json_is_object(x->payload) || strcmp(text_of(x->payload, "resource"), v1_resource(x->kind)) != 0) {
        return "another payload than its resource has";
    }
    json_object_foreach(x->payload, name, value)
    {
        if (!v1_may_say(x->kind, name)) {
            return "a member in its payload that we do not say";
        }
    }
    return x->kind == V1_NEW_AUTHZ   ? own_identifier(x)
           : x->kind == V1_NEW_CERT  ? own_csr(x)
           : x->kind == V1_CHALLENGE ? own_response(x)
           : x->kind >= V1_REVOKE    ? own_deed(x, r)
                                     : own_account(x, r);
}

/* Whether a client of ours may ask just this; if not, why. */
static const char *ask_of_ours(struct exchange *x, const json_t *request, const struct recording *r)
{
    const json_t *headers = json_object_get(request, "headers"), *jws = json_object_get(request, "jws_decoded");
    bool host = false;
    if (strstr(text_of(request, "line"), " HTTP/1.1") == NULL) {
        return "not HTTP/1.1";
    }
    for (size_t i = 0; are_pairs(headers) && i < json_array_size(headers); i++) {
        const char *name = json_string_value(json_array_get(json_array_get(headers, i), 0));
        const char *value = json_string_value(json_array_get(json_array_get(headers, i), 1));
        host = host || (strcasecmp(name, "Host") == 0 && strcmp(value, r->host) == 0);
        if (strcasecmp(name, "Expect") == 0 || strcasecmp(name, "Transfer-Encoding") == 0) {
            return name;
        }
    }
    if (!host || x->kind == V1_KINDS) {
        return host ? "nothing we ask for" : "another Host";
    }
    if (v1_resource(x->kind) == NULL) {
        return x->kind == V1_NONCE && strcmp(x->path, "/acme/new-reg") != 0 ? "a nonce from elsewhere" : NULL;
    }
    if (jws == NULL || json_object_get(jws, "header") != NULL || !json_is_object(x->protected) ||
        json_object_size(x->protected) != (json_object_get(x->protected, "url") != NULL ? 4u : 3u) ||
        x->jwk == NULL || json_object_get(x->protected, "nonce") == NULL) {
        return "another form of signature";
    }
    return own_payload(x, r);
}

static bool read_exchange(struct recording *r, unsigned line, const json_t *object)
{
    const json_t *request = json_object_get(object, "request"), *response = json_object_get(object, "response");
    struct exchange *x = &r->exchange[r->count];
    if (r->count == RECORDING_MAX) {
        return complain(r, line, "more than %u exchanges", RECORDING_MAX);
    }
    if (!json_is_object(request)) {
        r->other_lines++;
        return true;
    }
    if (sscanf(text_of(request, "line"), "%15s %599s", x->method, x->path) != 2) {
        return complain(r, line, "request without a line \"METHOD path HTTP/1.1\"");
    }
    r->count++;
    x->line = line;
    x->step = text_of(object, "step");
    x->ms = (unsigned)json_number_value(json_object_get(object, "ms"));
    x->kind = v1_kind_of(x->method, x->path);
    x->request = request;
    const json_t *jws = json_object_get(request, "jws_decoded");
    x->protected = json_object_get(jws, "protected");
    x->payload = json_object_get(jws, "payload");
    x->jwk = json_object_get(x->protected, "jwk");
    x->kind = v1_kind_by(x->kind, x->payload);
    read_answer(x, response);
    return true;
}

static bool read_first(struct recording *r, const json_t *object)
{
    r->name = text_of(object, "scenario");
    snprintf(r->base, sizeof r->base, "%s", text_of(object, "base_url"));
    if (r->name[0] == '\0' || r->base[0] == '\0') {
        return complain(r, 1, "not a recording: its first line has no \"scenario\" and \"base_url\"");
    }
    struct acme_url url;
    if (acme_url_parse(&url, acme_slice_of(r->base)) != 0 ||
        strlen(strstr(r->base, "://") + 3) != url.authority.len) {
        return complain(r, 1, "base_url is not \"http://host:port\"");
    }
    r->host = strstr(r->base, "://") + 3;
    return true;
}

/* What is ours. A nonce that no answer gave, or that was used before, is not: the probe did it on purpose. */
static void judge_requests(struct recording *r)
{
    json_t *given = json_object();
    for (unsigned i = 0; i < r->count && r->terms[0] == '\0'; i++) {
        (void)exchange_link(&r->exchange[i], "terms-of-service", r->terms, sizeof r->terms);
    }
    if (r->terms[0] == '\0') {
        snprintf(r->terms, sizeof r->terms, "%s/terms/v1", r->base);
    }
    for (unsigned i = 0; i < r->count; i++) {
        struct exchange *x = &r->exchange[i];
        x->not_ours = ask_of_ours(x, x->request, r);
        const char *used = text_of(x->protected, "nonce");
        const char *next = exchange_header(x, "Replay-Nonce");
        if (x->not_ours == NULL && x->protected != NULL && !json_is_true(json_object_get(given, used))) {
            x->not_ours = "a nonce that was not given, or used before";
        }
        json_object_set_new(given, used, json_false());
        if (next != NULL) {
            json_object_set_new(given, next, json_true());
        }
    }
    json_decref(given);
}

bool recording_load(struct recording *r, const char *path)
{
    char *text = NULL;
    size_t cap = 0;
    ssize_t len;
    memset(r, 0, sizeof *r);
    r->path = path;
    r->lines = json_array();
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return complain(r, 0, "cannot be read");
    }
    bool good = true;
    for (unsigned line = 1; good && (len = getline(&text, &cap, file)) >= 0; line++) {
        json_error_t wrong;
        if (line > 1 && strspn(text, " \t\r\n") == (size_t)len) {
            continue;
        }
        json_t *object = json_loadb(text, (size_t)len, JSON_ALLOW_NUL, &wrong);
        json_array_append_new(r->lines, object);
        if (!json_is_object(object)) {
            good = complain(r, line, "not a recording, which has one JSON object a line: %.200s",
                            object == NULL ? wrong.text : "no JSON object");
        } else {
            good = line == 1 ? read_first(r, object) : read_exchange(r, line, object);
        }
    }
    free(text);
    fclose(file);
    if (good && r->name == NULL) {
        good = complain(r, 1, "not a recording: it is empty");
    }
    if (good) {
        judge_requests(r);
    }
    return good;
}

void recording_free(struct recording *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        free(r->exchange[i].body);
        json_decref(r->exchange[i].document);
        json_decref(r->exchange[i].new_key);
    }
    json_decref(r->lines);
    r->count = 0;
    r->lines = NULL;
}
