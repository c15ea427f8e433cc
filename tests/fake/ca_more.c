/* ca_more.c - see ca_more.h. */
#define _GNU_SOURCE /* timegm */
#include "ca_v1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/hmac.h>
#include <openssl/pem.h>

static const struct ca_no *no(int code, const char *type, const char *detail)
{
    static struct ca_no it;
    it = (struct ca_no){code, type, detail, ""};
    return &it;
}

/* --- the directory */

static const char *next_name(const char *p)
{
    p += strcspn(p, " ");
    return p + strspn(p, " ");
}

const char *ca_meta(const struct ca *ca)
{
    static char text[600];
    size_t at = (size_t)snprintf(
        text, sizeof text, "%s%s\"meta\":{",
        ca->plan->manage ? "\"revokeCert\":\"" CA_URL "/revoke\",\"keyChange\":\"" CA_URL "/key-change\"," : "",
        ca->plan->ari ? "\"renewalInfo\":\"" CA_URL "/renewal-info\"," : "");
    if (ca->plan->eab_kid != NULL) {
        at += (size_t)snprintf(text + at, sizeof text - at, "\"externalAccountRequired\":true,");
    }
    const char *p = ca->plan->profiles != NULL ? ca->plan->profiles : "";
    for (bool first = true; *p != '\0'; p = next_name(p), first = false) {
        int len = (int)strcspn(p, " ");
        at += (size_t)snprintf(text + at, sizeof text - at, "%s\"%.*s\":\"" CA_URL "/profiles#%.*s\"",
                               first ? "\"profiles\":{" : ",", len, p, len, p);
    }
    snprintf(text + at, sizeof text - at, "%s", ca->plan->profiles != NULL ? "}," : "");
    return text;
}

/* --- limits */

static const struct ca_no *limit(struct ca *ca, unsigned most, unsigned there, const char *what)
{
    static char detail[200], head[60];
    if (most == 0 || there < most || (ca->plan->limit_lasts > 0 && ca->limited >= ca->plan->limit_lasts)) {
        return NULL;
    }
    static struct ca_no it;
    ca->limited++;
    bool paused = ca->plan->limit_s == 0;
    snprintf(detail, sizeof detail, paused ? "paused %s: " CA_URL "/unpause?jwt=eyJhbGciOiJIUzI1NiJ9" : "too many %s",
             what);
    snprintf(head, sizeof head, "Retry-After: %u\r\n", ca->plan->limit_s);
    it = (struct ca_no){429, "rateLimited", detail, paused ? "" : head};
    return &it;
}

/* --- accounts */

/* Verifies the inner JWS of RFC 8555, 7.3.4: made by who knows the MAC key, for this account key and this URL. */
static bool bound(const struct ca *ca, const char *binding)
{
    char part[3][1200], json[900], text[300], both[2500];
    uint8_t key[100], mac[64], made[EVP_MAX_MD_SIZE], point[65] = {4};
    unsigned made_len = 0;
    if (!member(binding, "protected", part[0], sizeof part[0]) ||
        !member(binding, "payload", part[1], sizeof part[1]) ||
        !member(binding, "signature", part[2], sizeof part[2])) {
        return false;
    }
    json[from_b64url(part[0], strlen(part[0]), json, sizeof json - 1)] = '\0';
    bool header = member(json, "alg", text, sizeof text) && strcmp(text, "HS256") == 0 &&
                  member(json, "kid", text, sizeof text) && strcmp(text, ca->plan->eab_kid) == 0 &&
                  member(json, "url", text, sizeof text) && strcmp(text, CA_URL "/new-account") == 0 &&
                  strstr(json, "\"nonce\"") == NULL;
    json[from_b64url(part[1], strlen(part[1]), json, sizeof json - 1)] = '\0';
    if (!header || !member(json, "x", text, sizeof text) || from_b64url(text, strlen(text), point + 1, 32) != 32 ||
        !member(json, "y", text, sizeof text) || from_b64url(text, strlen(text), point + 33, 32) != 32 ||
        strstr(json, "\"kty\":\"EC\"") == NULL || memcmp(point, ca->point, sizeof point) != 0) {
        return false;
    }
    size_t key_len = from_b64url(ca->plan->eab_key, strlen(ca->plan->eab_key), key, sizeof key);
    int len = snprintf(both, sizeof both, "%s.%s", part[0], part[1]);
    HMAC(EVP_sha256(), key, (int)key_len, (unsigned char *)both, (size_t)len, made, &made_len);
    size_t mac_len = from_b64url(part[2], strlen(part[2]), mac, sizeof mac);
    return mac_len == made_len && memcmp(mac, made, mac_len) == 0;
}

const struct ca_no *ca_account_wish(struct ca *ca, const char *payload)
{
    static const char agreed[] = "{\"termsOfServiceAgreed\":true";
    static const char binding[] = ",\"externalAccountBinding\":{";
    assert_true(strncmp(payload, agreed, strlen(agreed)) == 0);
    const char *rest = payload + strlen(agreed);
    const char *end = strncmp(rest, ",\"contact\":[", 12) == 0 ? strstr(rest, "\"]") : NULL;
    bool known = ca->accounts > 0 && !ca->forgot_account;
    if (end != NULL) {
        if (!known) {
            snprintf(ca->managed.contact, sizeof ca->managed.contact, "%.*s", (int)(end + 1 - rest), rest + 1);
        }
        rest = end + 2;
    }
    bool binds = strncmp(rest, binding, strlen(binding)) == 0;
    if (ca->plan->eab_kid == NULL || !binds) {
        assert_string_equal(rest, "}");
    }
    if (known) {
        return NULL;
    }
    if (ca->plan->eab_kid != NULL && !binds) {
        return no(403, "externalAccountRequired", "bind the account");
    }
    if (binds && !bound(ca, rest)) {
        return no(403, "unauthorized", "the binding is not good");
    }
    return limit(ca, ca->plan->account_limit, ca->accounts, "new accounts");
}

/* --- orders */

static bool offered(const struct ca *ca, const char *profile)
{
    const char *p = ca->plan->profiles != NULL ? ca->plan->profiles : "";
    for (; *p != '\0'; p = next_name(p)) {
        if (strcspn(p, " ") == strlen(profile) && strncmp(p, profile, strlen(profile)) == 0) {
            return true;
        }
    }
    return false;
}

/* Certificates are read once: looks for renewal information are many. */
static bool is_certid(struct ca_order *o, const char *certid)
{
    if (o->chain != NULL && o->certid[0] == '\0') {
        ca_certid(o, o->certid, sizeof o->certid);
    }
    return o->certid[0] != '\0' && strcmp(o->certid, certid) == 0;
}

/* A certificate is replaced by one order, unless that one failed (RFC 9773, 5). */
static const struct ca_no *replaceable(struct ca *ca, const char *certid)
{
    bool ours = ca->plan->issued != NULL && strcmp(ca->plan->issued, certid) == 0;
    for (unsigned i = 0; i < ca->order_count; i++) {
        ours = ours || is_certid(&ca->order[i], certid);
        if (strcmp(ca->order[i].replaces, certid) == 0 && strcmp(ca->order[i].status, "invalid") != 0) {
            return no(409, "alreadyReplaced", "another order replaces it");
        }
    }
    return ours ? NULL : no(404, "malformed", "no such certificate");
}

const struct ca_no *ca_order_wish(struct ca *ca, const char *payload, const char *names, struct ca_wish *wish)
{
    assert_memory_equal(payload, names, strlen(names));
    const char *rest = payload + strlen(names);
    bool profile = member(rest, "profile", wish->profile, sizeof wish->profile);
    bool replaces = member(rest, "replaces", wish->replaces, sizeof wish->replaces);
    size_t len = 1 + (profile ? strlen(",\"profile\":\"\"") + strlen(wish->profile) : 0) +
                 (replaces ? strlen(",\"replaces\":\"\"") + strlen(wish->replaces) : 0);
    assert_int_equal(strlen(rest), len); /* nothing else in it */
    assert_int_equal(rest[len - 1], '}');
    if (profile && !offered(ca, wish->profile)) {
        return no(400, "invalidProfile", "not offered");
    }
    if (replaces && !ca->plan->ari) { /* so HARICA; a client is not to send it then (RFC 9773, 5) */
        return no(400, "malformed", "unknown member");
    }
    const struct ca_no *refusal = replaces ? replaceable(ca, wish->replaces) : NULL;
    return refusal != NULL ? refusal : limit(ca, ca->plan->order_limit, ca->order_count, "new orders");
}

void ca_begin(struct ca *ca)
{
    if (ca->plan->v1) {
        ca_v1_begin(ca);
        return;
    }
    struct ca_order *o = &ca->order[ca->order_count++];
    o->status = "pending";
    o->lag = ca->plan->lag;
    for (unsigned i = 0; i < ca->plan->name_count; i++) {
        o->authz[i].status = "pending";
        o->authz[i].responded = true;
        o->authz[i].looks = ca->plan->authz_looks;
        o->authz[i].failures = ca->plan->failures;
    }
}

void ca_order_tell(const struct ca_order *o, char *to, size_t cap)
{
    const char *p = o->profile, *r = o->replaces;
    const char *e = o->error;
    snprintf(to, cap, "%s%s%s%s%s%s%s%s}", p[0] ? ",\"profile\":\"" : "", p, p[0] ? "\"" : "",
             r[0] ? ",\"replaces\":\"" : "", r, r[0] ? "\"" : "", e != NULL ? ",\"error\":" : "", e != NULL ? e : "");
}

/* --- renewal information */

static void to_b64url(const uint8_t *in, size_t len, char *out)
{
    EVP_EncodeBlock((unsigned char *)out, in, (int)len);
    for (char *c = out; *c != '\0'; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
    }
}

void ca_certid(const struct ca_order *o, char *to, size_t cap)
{
    char id[80], serial[80];
    uint8_t der[60], *at = der;
    BIO *bio = BIO_new_mem_buf(o->chain, -1);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    const ASN1_OCTET_STRING *key = leaf != NULL ? X509_get0_authority_key_id(leaf) : NULL;
    to[0] = '\0';
    if (key != NULL) {
        to_b64url(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), id);
        int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(leaf), &at); /* tag, length, and the bytes that count */
        to_b64url(der + 2, (size_t)len - 2, serial);
        snprintf(to, cap, "%s.%s", id, serial);
    }
    X509_free(leaf);
    BIO_free(bio);
}

/* --- certificates */

/* An address is told by its last part: no top-level domain is a number. */
static bool is_address(const char *name)
{
    const char *dot = strrchr(name, '.');
    return strchr(name, ':') != NULL || (dot != NULL && dot[1] >= '0' && dot[1] <= '9');
}

const char *ca_type_of(const char *name)
{
    return is_address(name) ? "ip" : "dns";
}

void ca_san(const struct ca_plan *plan, char *out, size_t cap)
{
    size_t at = 0;
    for (unsigned i = 0; i < plan->name_count; i++) {
        at += (size_t)snprintf(out + at, cap - at, "%s%s:%s", i > 0 ? "," : "",
                               is_address(plan->names[i]) ? "IP" : "DNS", plan->names[i]);
    }
}

void ca_csr(const struct ca_plan *plan, EVP_PKEY *key, char *payload, size_t cap)
{
    char san[2400], text[3000];
    uint8_t der[2000], *at = der;
    X509_REQ *request = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    ca_san(plan, san, sizeof san);
    sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
    X509_REQ_add_extensions(request, extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_set_pubkey(request, key);
    assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
    assert_true(i2d_X509_REQ(request, NULL) < (int)sizeof der);
    int len = i2d_X509_REQ(request, &at);
    X509_REQ_free(request);
    to_b64url(der, (size_t)len, text);
    assert_true((size_t)snprintf(payload, cap, "{\"csr\":\"%s\"}", text) < cap);
}

void ca_judge_csr(const struct ca *ca, X509_REQ *request)
{
    uint8_t *point = NULL;
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    assert_int_equal(sk_X509_EXTENSION_num(extensions), 1); /* no must-staple, nothing else */
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    assert_int_equal(sk_GENERAL_NAME_num(names), ca->plan->name_count);
    for (unsigned i = 0; i < ca->plan->name_count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, (int)i);
        if (is_address(ca->plan->names[i])) {
            ASN1_OCTET_STRING *address = a2i_IPADDRESS(ca->plan->names[i]);
            assert_int_equal(name->type, GEN_IPADD);
            assert_int_equal(ASN1_OCTET_STRING_cmp(name->d.iPAddress, address), 0);
            ASN1_OCTET_STRING_free(address);
            continue;
        }
        assert_int_equal(name->type, GEN_DNS);
        assert_string_equal((const char *)ASN1_STRING_get0_data(name->d.dNSName), ca->plan->names[i]);
    }
    assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(request)), 0);
    assert_int_equal(X509_REQ_get_signature_nid(request), NID_ecdsa_with_SHA256);
    assert_int_equal(EVP_PKEY_get1_encoded_public_key(X509_REQ_get0_pubkey(request), &point), 65);
    assert_true(memcmp(point, ca->point, 65) != 0);
    OPENSSL_free(point);
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

/* One certificate of PEM text, in one of three layouts. Returns how long its name in the body is. */
static size_t write_block(const char *pem, size_t len, const char *name, char *out, size_t cap)
{
    bool crlf = strncmp(name, "/crlf", 5) == 0, wide = strncmp(name, "/wide", 5) == 0;
    size_t at = strlen(out), width = 0;
    for (size_t i = 0; i < len && at + 3 < cap; i++) {
        bool end = pem[i] == '\n', inside = width == 64 || (i + 1 < len && pem[i + 1] == '-' && width > 0);
        width = end ? 0 : width + 1;
        if (!end) {
            out[at++] = pem[i];
        } else if (!wide || !inside || pem[i + 1] == '-') {
            at += (size_t)snprintf(out + at, cap - at, crlf ? "\r\n" : "\n");
        }
    }
    out[at - (crlf ? 2 : 1)] = '\0'; /* the last line end is the body's own */
    return crlf || wide ? 5 : 0;
}

/* The issuer once more, certified by another root. */
static size_t write_cross(const struct ca *ca, char *out, size_t cap)
{
    static const EVP_PKEY *of;
    static char *pem; /* the same each time, as long as the issuer is */
    if (of != ca->issuer_key) {
        struct maker_spec other = {.name = "Other Root", .ca = MAKER_CA, .key = maker_ec("P-256")};
        struct maker_spec cross = {.name = "Test Root", .ca = MAKER_CA, .key = ca->issuer_key};
        cross.issuer = maker_certificate(&other);
        cross.issuer_key = other.key;
        X509 *made = maker_certificate(&cross);
        free(pem);
        pem = maker_pem(made);
        of = ca->issuer_key;
        X509_free(made);
        X509_free(cross.issuer);
        EVP_PKEY_free(other.key);
    }
    return write_block(pem, strlen(pem), "", out, cap);
}

const char *ca_write_chain(const struct ca *ca, const struct ca_order *o, const char *body)
{
    static char out[16000];
    if (o->chain == NULL || strchr(body, '@') == NULL) {
        return body;
    }
    static const char end[] = "-----END CERTIFICATE-----\n";
    const char *root = strstr(o->chain, end) + strlen(end);
    out[0] = '\0';
    while (*body != '\0') {
        size_t at = strlen(out);
        if (strncmp(body, "@leaf", 5) == 0) {
            body += 5 + write_block(o->chain, (size_t)(root - o->chain), body + 5, out, sizeof out);
        } else if (strncmp(body, "@root", 5) == 0) {
            body += 5 + write_block(root, strlen(root), body + 5, out, sizeof out);
        } else if (strncmp(body, "@cross", 6) == 0) {
            body += 6 + write_cross(ca, out, sizeof out);
        } else {
            out[at] = *body++;
            out[at + 1] = '\0';
        }
    }
    return out;
}

static void put_time(char out[24], int64_t utc)
{
    time_t t = (time_t)utc;
    struct tm tm;
    (void)gmtime_r(&t, &tm);
    (void)strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool ca_renewal_info(struct ca *ca, const char *request, size_t len, struct ca_answer *answer)
{
    static const char start[] = "GET /renewal-info/";
    char asked[200] = "", from[24], to[24], body[400];
    if (!ca->plan->ari || len < strlen(start) || memcmp(request, start, strlen(start)) != 0) {
        return false;
    }
    const char *at = request + strlen(start);
    snprintf(asked, sizeof asked, "%.*s", (int)strcspn(at, " "), at);
    assert_memory_equal(at + strlen(asked), " HTTP/1.1\r\n", 11);
    bool found = false;
    int64_t utc = ca->utc != 0 ? ca->utc : MAKER_NOW;
    for (unsigned i = 0; i < ca->order_count; i++) {
        if (is_certid(&ca->order[i], asked)) {
            found = true;
            utc = ca->plan->ari_of_life ? ca->order[i].from : utc;
        }
    }
    if (ca->no_info != NULL) {
        ca->renewal_infos++;
        answer->len = (size_t)snprintf(ca->answer, sizeof ca->answer, "%s", ca->no_info);
        return true;
    }
    put_time(from, utc + ca->plan->ari_start);
    put_time(to, utc + ca->plan->ari_end);
    snprintf(body, sizeof body,
             found ? "{\"suggestedWindow\":{\"start\":\"%s\",\"end\":\"%s\"},\"explanationURL\":\"" CA_URL "/why\"}"
                   : "{\"type\":\"urn:ietf:params:acme:error:malformed\",\"status\":404}",
             from, to);
    ca->renewal_infos++;
    answer->len = (size_t)snprintf(ca->answer, sizeof ca->answer,
                                   "HTTP/1.1 %s\r\nContent-Type: application/%s\r\nRetry-After: %s\r\n"
                                   "Content-Length: %zu\r\n\r\n%s",
                                   found ? "200 OK" : "404 Not Found", found ? "json" : "problem+json",
                                   ca->plan->ari_after != NULL ? ca->plan->ari_after : "21600", strlen(body), body);
    return true;
}
