/* deeds_v1.c - see deeds_v1.h. */
#include "deeds_v1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "fake/ca_more.h"

#define LOOK "{\"agreement\":\"about:blank\",\"resource\":\"new-reg\"}"

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

enum acme_task deeds_v1_of(enum v1_kind kind)
{
    return kind == V1_REVOKE       ? ACME_REVOKE
           : kind == V1_DEACTIVATE ? ACME_DEACTIVATE
           : kind == V1_KEY_CHANGE ? ACME_CHANGE_KEY
                                   : ACME_NOW;
}

/* --- judging */

/* The account is looked for in a way that cannot make one. */
static void judge_look(const struct boulder *b, const struct v1_request *q)
{
    char *text = json_dumps(q->payload, JSON_SORT_KEYS | JSON_COMPACT);
    bool good = strcmp(text, LOOK) == 0;
    free(text);
    if (!good) {
        boulder_wrong(b, q, "a registration that could be made");
    }
}

static void judge_revocation(const struct boulder *b, const struct engine *e, const struct v1_request *q)
{
    char text[12000];
    const json_t *reason = json_object_get(q->payload, "reason");
    size_t len = 0;
    assert_true(b->cert_count > 0);
    uint8_t *der = maker_der(b->cert[b->cert_count - 1].leaf, &len);
    assert_true(len < 8000);
    v1_base64url(der, len, text);
    free(der);
    if (strcmp(text_in(q->payload, "certificate"), text) != 0) {
        boulder_wrong(b, q, "certificate is not the one that was issued");
    }
    if (e->setup.revoke_reason == 0 ? reason != NULL
                                    : json_integer_value(reason) != (json_int_t)e->setup.revoke_reason) {
        boulder_wrong(b, q, "reason is not %u", e->setup.revoke_reason);
    }
}

/* The point of a JWK; false: it is none of P-256. */
static bool point_of(const json_t *jwk, uint8_t point[65])
{
    const char *x = text_in(jwk, "x"), *y = text_in(jwk, "y");
    point[0] = 4;
    return json_object_size(jwk) == 4 && strcmp(text_in(jwk, "kty"), "EC") == 0 &&
           strcmp(text_in(jwk, "crv"), "P-256") == 0 && strlen(x) == 43 && strlen(y) == 43 &&
           from_b64url(x, 43, point + 1, 32) == 32 && from_b64url(y, 43, point + 33, 32) == 32;
}

static bool inner_is_signed(const struct v1_request *q, const uint8_t point[65])
{
    char both[6000];
    uint8_t digest[32], signature[64];
    const char *text = text_in(q->payload, "signature");
    int n = snprintf(both, sizeof both, "%s.%s", text_in(q->payload, "protected"), text_in(q->payload, "payload"));
    assert_true(n > 0 && (size_t)n < sizeof both);
    SHA256((unsigned char *)both, (size_t)n, digest);
    EVP_PKEY *key = maker_public(point);
    bool good =
        strlen(text) == 86 && from_b64url(text, 86, signature, 64) == 64 && maker_verify(key, digest, signature);
    EVP_PKEY_free(key);
    return good;
}

/* What is wrong with the JWS by the next key; NULL: nothing. */
static const char *wrong_inside(const struct boulder *b, const struct engine *e, const struct v1_request *q,
                                const json_t *protected, const json_t *payload)
{
    char url[800];
    uint8_t next[65], point[65];
    const json_t *key = json_object_get(payload, "newKey");
    assert_int_equal(e->setup.certificate_key.ops->point(e->setup.certificate_key.handle, next), 0);
    snprintf(url, sizeof url, "%s%s", b->recording->base, q->path);
    if (json_object_size(protected) != 3 || strcmp(text_in(protected, "alg"), "ES256") != 0 ||
        strcmp(text_in(protected, "url"), url) != 0) {
        return "its protected header is not alg, jwk and url";
    }
    snprintf(url, sizeof url, "%s%s", b->recording->base, b->reg);
    if (json_object_size(payload) != 2 || strcmp(text_in(payload, "account"), url) != 0) {
        return "it is for another account";
    }
    if (!json_equal(key, json_object_get(protected, "jwk")) || !point_of(key, point) ||
        memcmp(point, next, sizeof next) != 0) {
        return "newKey is not the next key";
    }
    return inner_is_signed(q, point) ? NULL : "its signature is wrong";
}

static void judge_key_change(const struct boulder *b, const struct engine *e, const struct v1_request *q)
{
    json_t *protected = v1_inner(q->payload, "protected"), *payload = v1_inner(q->payload, "payload");
    const char *why = wrong_inside(b, e, q, protected, payload);
    json_decref(protected);
    json_decref(payload);
    if (why != NULL) {
        boulder_wrong(b, q, "the JWS inside: %s", why);
    }
}

void deeds_v1_judge(const struct boulder *b, const struct engine *e, const struct v1_request *q)
{
    if (q->kind == V1_NEW_REG) {
        judge_look(b, q);
    } else if (b->deed == ACME_NOW || deeds_v1_of(q->kind) != b->deed) {
        boulder_wrong(b, q, "nobody wanted %s", v1_word(q->kind));
    } else if (q->kind == V1_REVOKE) {
        judge_revocation(b, e, q);
    } else if (q->kind == V1_KEY_CHANGE) {
        judge_key_change(b, e, q);
    } else if (strcmp(q->path, b->reg) != 0) {
        boulder_wrong(b, q, "the account is at %s", b->reg);
    }
}

/* --- against what was recorded */

bool deeds_v1_same(const struct v1_request *q, const struct exchange *x)
{
    if (q->kind == V1_REVOKE) {
        return x->issued != NULL; /* ours in its place: judge_revocation() */
    }
    json_t *ours = v1_inner(q->payload, "payload"), *theirs = v1_inner(x->payload, "payload");
    bool same = json_object_size(ours) == json_object_size(theirs) &&
                strcmp(text_in(ours, "account"), text_in(theirs, "account")) == 0 &&
                (json_object_get(ours, "newKey") != NULL) == (json_object_get(theirs, "newKey") != NULL);
    json_decref(ours);
    json_decref(theirs);
    return same;
}

/* --- answering */

static void change_key(struct boulder *b, const struct v1_request *q)
{
    json_t *payload = v1_inner(q->payload, "payload");
    bool good = point_of(json_object_get(payload, "newKey"), b->point);
    json_decref(payload);
    assert_true(good);
}

static void say_account(const struct boulder *b, struct boulder_said *a)
{
    snprintf(a->text, sizeof a->text,
             "{\n  \"id\": 900,\n  \"key\": {\n    \"kty\": \"EC\"\n  },\n  \"contact\": [],\n"
             "  \"initialIp\": \"127.0.0.1\",\n  \"createdAt\": \"2026-11-23T23:58:13Z\",\n  \"Status\": \"%s\"\n}",
             b->deactivated ? "deactivated" : "valid");
}

bool deeds_v1_answer(struct boulder *b, const struct v1_request *q, struct boulder_said *a)
{
    bool known = b->registered && memcmp(q->point, b->point, sizeof b->point) == 0;
    if (q->payload == NULL || (q->kind == V1_NEW_REG && known)) {
        return false;
    }
    if (q->kind == V1_NEW_REG) {
        boulder_refuse(a, 400, "malformed", "Provided agreement URL [about:blank] does not match current agreement");
    } else if (!known) {
        boulder_refuse(a, 403, "unauthorized", "No registration exists matching provided key");
    } else if (b->deactivated) {
        boulder_refuse(a, 403, "unauthorized", "Account is not valid, has status \\\"deactivated\\\"");
    } else if (q->kind == V1_REVOKE && b->revoked) {
        boulder_refuse(a, 409, "malformed", "Certificate already revoked");
    } else if (q->kind == V1_REVOKE) {
        b->revoked = true;
        a->type = NULL;
    } else if (q->kind == V1_DEACTIVATE) {
        b->deactivated = true;
        say_account(b, a);
    } else {
        change_key(b, q);
        say_account(b, a);
    }
    return true;
}

static bool tells_deactivated(const struct exchange *x)
{
    return strcmp(text_in(x->document, "status"), "deactivated") == 0 ||
           strcmp(text_in(x->document, "Status"), "deactivated") == 0;
}

void deeds_v1_adopt(struct boulder *b, const struct v1_request *q, const struct exchange *x)
{
    if (q->kind == V1_KEY_CHANGE) {
        change_key(b, q);
    }
    b->revoked = b->revoked || q->kind == V1_REVOKE;
    b->deactivated = b->deactivated || (q->kind == V1_DEACTIVATE && tells_deactivated(x));
}

/* --- a run */

void deeds_v1_begin(struct boulder *b, struct engine *e, const struct exchange *x)
{
    static uint8_t *der;
    const char *reg = strstr(x->account, "/acme/reg/");
    b->deed = deeds_v1_of(x->kind);
    if (reg != NULL && x->not_ours == NULL) {
        snprintf(b->reg, sizeof b->reg, "%s", reg);
    }
    e->setup.revoke_reason = (unsigned)json_integer_value(json_object_get(x->payload, "reason"));
    if (b->deed == ACME_CHANGE_KEY) {
        assert_int_equal(e->setup.certificate_key.ops->generate(&e->certificate, e->setup.sys), 0);
    }
    free(der);
    der = maker_der(b->cert[b->cert_count - 1].leaf, &e->leaf_len);
    e->leaf = der;
    e->now_ms += 3600000; /* some other time */
    e->elapsed_ms += 3600000;
    engine_manage(e, b->deed);
}

/* The server's last word is that it is done. */
static bool is_done(const struct boulder *b)
{
    bool good = b->last_status / 100 == 2, told = b->last_recorded == NULL || tells_deactivated(b->last_recorded);
    return b->last_kind == V1_REVOKE
               ? good || b->last_status == 409
               : good && (b->last_kind == V1_KEY_CHANGE || (b->last_kind == V1_DEACTIVATE && told));
}

void deeds_v1_end(const struct boulder *b, struct engine *e)
{
    if (e->error != 0) {
        if (is_done(b) && !b->last_lost) {
            fail_msg("%s: not done, after %s, %u", b->where, v1_word(b->last_kind), b->last_status);
        }
        return;
    }
    bool ended = b->last_kind == V1_DEACTIVATE && b->last_status == 403; /* by a request whose answer was lost */
    bool known = b->deed == ACME_CHANGE_KEY && b->last_kind == V1_NEW_REG && b->last_status == 409;
    if (!is_done(b) && !ended && !known) {
        fail_msg("%s: said to be done after %s, %u", b->where, v1_word(b->last_kind), b->last_status);
    }
    if (b->deed == ACME_CHANGE_KEY) {
        assert_true(e->flow.manage.promote);
        if (memcmp(b->point, e->certificate.point, sizeof b->point) != 0) {
            fail_msg("%s: the account has another key", b->where);
        }
        e->account = e->certificate;
    }
}
