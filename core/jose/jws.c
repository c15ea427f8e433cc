/* jws.c - see jws.h. */
#include "jws.h"

#include "../secure/digest.h"
#if ACME_CFG_EAB
#include "../secure/hmac.h"
#endif
#include "b64url.h"

static void member(struct acme_out *o, const char *name, struct acme_slice value)
{
    acme_out_text(o, name);
    acme_out_json(o, value);
    acme_out_text(o, "\"");
}

#if ACME_CFG_EAB
#define is_mac(jws) ((jws)->key == NULL)
#else
#define is_mac(jws)                         false
#define acme_hmac_sha256(key, parts, n, to) ((void)0)
#endif

/* The protected header. RFC 8555, 6.2: jwk or kid, never both; a JWS inside another one (7.3.5) has no nonce. */
static void protected_header(struct acme_out *o, const struct acme_jws *jws)
{
    acme_out_text(o, is_mac(jws) ? "{\"alg\":\"HS256\"" : "{\"alg\":\"ES256\"");
    if (jws->nonce.len > 0) {
        member(o, ",\"nonce\":\"", jws->nonce);
    }
    member(o, ",\"url\":\"", jws->url);
    if (jws->kid.len > 0) {
        member(o, ",\"kid\":\"", jws->kid);
    } else {
        acme_out_text(o, ",\"jwk\":");
        acme_jwk_write(o, jws->point);
    }
    acme_out_text(o, "}");
}

/* Writes what is signed, and tells where it lies. */
static void signing_input(struct acme_out *o, const struct acme_jws *jws, struct acme_slice payload,
                          struct acme_slice parts[3])
{
    size_t cap = o->cap;
    size_t mark;

    /* A payload at the end of this buffer must survive until it is encoded. What does not fit in front of it
     * would not fit at all, for encoding makes nothing shorter. */
    if (payload.len > 0 && payload.at == o->at + cap - payload.len) {
        o->cap -= payload.len;
    }
    acme_out_text(o, "{\"protected\":\"");
    mark = o->len;
    protected_header(o, jws);
    acme_out_b64url_since(o, mark);
    parts[0] = acme_out_since(o, mark);
    acme_out_text(o, "\",\"payload\":\"");
    o->cap = cap;
    mark = o->len;
    acme_out_b64url(o, payload.at, payload.len);
    parts[1] = acme_slice_of(".");
    parts[2] = acme_out_since(o, mark);
}

static void append(struct acme_out *o, const uint8_t *signature, size_t len)
{
    acme_out_text(o, "\",\"signature\":\"");
    acme_out_b64url(o, signature, len);
    acme_out_text(o, "\"}");
}

void acme_jws_begin(struct acme_out *o, const struct acme_jws *jws, struct acme_slice payload,
                    uint8_t digest[ACME_SHA256_LEN])
{
    struct acme_slice parts[3];
    signing_input(o, jws, payload, parts);
    acme_sha256(parts, 3, digest);
}

void acme_jws_end(struct acme_out *o, const uint8_t signature[64])
{
    append(o, signature, 64);
}

int acme_jws_write(struct acme_out *o, const struct acme_jws *jws, struct acme_slice payload)
{
    struct acme_slice parts[3];
    uint8_t digest[ACME_SHA256_LEN];
    uint8_t signature[64];

    signing_input(o, jws, payload, parts);
    if (o->overflow) {
        return 0;
    }
    if (is_mac(jws)) {
        acme_hmac_sha256(jws->mac_key, parts, 3, signature);
        append(o, signature, ACME_SHA256_LEN);
        return 0;
    }
    acme_sha256(parts, 3, digest);
    int error = jws->key->ops->sign(jws->key->handle, digest, signature);
    if (error == 0) {
        acme_jws_end(o, signature);
    }
    return error;
}
