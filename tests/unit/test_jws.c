/* test_jws.c - JWS and JWK: structure, signatures verified by OpenSSL, the payload encoded in place, buffer
 * bounds. */
#include "maker.h"

#include <stdio.h>
#include <string.h>

#include "jose/b64url.h"
#include "jose/jws.h"

static struct acme_key_p256 memory;
static const struct acme_key key = {&acme_key_p256_ops, &memory};
static uint8_t point[65];
static EVP_PKEY *theirs;

static int make_key(void **state)
{
    assert_int_equal(acme_key_p256_ops.generate(&memory, &maker_sys), 0);
    assert_int_equal(acme_key_p256_ops.point(&memory, point), 0);
    theirs = maker_public(point);
    return 0;
}

static int drop_key(void **state)
{
    EVP_PKEY_free(theirs);
    return 0;
}

static size_t decode(uint8_t *out, const char *text, size_t len)
{
    char padded[2048];
    size_t pads = (4 - len % 4) % 4;

    for (size_t i = 0; i < len; i++) {
        padded[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
    }
    memcpy(padded + len, "===", pads);
    if (len == 0) {
        return 0;
    }
    return (size_t)EVP_DecodeBlock(out, (unsigned char *)padded, (int)(len + pads)) - pads;
}

/* Takes a written JWS apart, verifies it, and gives header and payload as text. */
static void open_jws(const char *text, size_t len, char *header, char *payload)
{
    char parts[3][2048];
    char copy[4096], input[4096];
    uint8_t digest[32], signature[66]; /* EVP_DecodeBlock() writes what the padding stands for too */
    int end = 0;

    memcpy(copy, text, len);
    copy[len] = '\0';
    if (strstr(copy, "\"payload\":\"\"") != NULL) {
        parts[1][0] = '\0';
        assert_int_equal(sscanf(copy,
                                "{\"protected\":\"%2047[^\"]\",\"payload\":\"\",\"signature\":\"%2047[^\"]\"}%n",
                                parts[0], parts[2], &end),
                         2);
    } else {
        assert_int_equal(
            sscanf(copy, "{\"protected\":\"%2047[^\"]\",\"payload\":\"%2047[^\"]\",\"signature\":\"%2047[^\"]\"}%n",
                   parts[0], parts[1], parts[2], &end),
            3);
    }
    assert_int_equal(end, len);
    snprintf(input, sizeof input, "%s.%s", parts[0], parts[1]);
    EVP_Digest(input, strlen(input), digest, NULL, EVP_sha256(), NULL);
    assert_int_equal(strlen(parts[2]), 86);
    assert_int_equal(decode(signature, parts[2], 86), 64);
    assert_true(maker_verify(theirs, digest, signature));
    header[decode((uint8_t *)header, parts[0], strlen(parts[0]))] = '\0';
    payload[decode((uint8_t *)payload, parts[1], strlen(parts[1]))] = '\0';
}

static struct acme_jws request(const char *kid)
{
    struct acme_jws jws = {
        .key = &key, .point = point, .kid = acme_slice_of(kid), .nonce = acme_slice_of("nOnce_-1")};
    jws.url = acme_slice_of("https://ca.example/acme/new-order");
    return jws;
}

TEST(with_kid)
{
    struct acme_jws jws = request("https://ca.example/acct/1");
    char buf[2048], header[1024], payload[1024];
    struct acme_out o;

    acme_out_init(&o, buf, sizeof buf);
    assert_int_equal(acme_jws_write(&o, &jws, acme_slice_of("{\"a\":1}")), 0);
    open_jws(buf, o.len, header, payload);
    assert_string_equal(payload, "{\"a\":1}");
    assert_string_equal(header,
                        "{\"alg\":\"ES256\",\"nonce\":\"nOnce_-1\",\"url\":\"https://ca.example/acme/new-order\","
                        "\"kid\":\"https://ca.example/acct/1\"}");
}

TEST(with_jwk)
{
    struct acme_jws jws = request("");
    char buf[2048], header[1024], payload[1024], jwk[200], want[1024];
    struct acme_out o;

    acme_out_init(&o, jwk, sizeof jwk);
    acme_jwk_write(&o, point);
    jwk[o.len] = '\0';
    acme_out_init(&o, buf, sizeof buf);
    assert_int_equal(acme_jws_write(&o, &jws, acme_slice_of("")), 0);
    open_jws(buf, o.len, header, payload);
    assert_string_equal(payload, "");
    snprintf(want, sizeof want,
             "{\"alg\":\"ES256\",\"nonce\":\"nOnce_-1\",\"url\":\"https://ca.example/acme/new-order\",\"jwk\":%s}",
             jwk);
    assert_string_equal(header, want);
}

#if ACME_CFG_EAB
/* RFC 8555, 7.3.4: made with a MAC key, for the same URL. What does not fit is no JWS. */
TEST(with_mac)
{
    static const char want[] = /* by Python's hmac and base64 */
        "{\"protected\":"
        "\"eyJhbGciOiJIUzI1NiIsInVybCI6Imh0dHBzOi8vY2EuZXhhbXBsZS9hY21lL25ldy1hY2NvdW50Iiwia2lkIjoia2lkLTEifQ\","
        "\"payload\":\"eyJrdHkiOiJFQyJ9\",\"signature\":\"IUtuF9TL67YPei9iVl7sRn2jkb4ufhW82tEEC0iex14\"}";
    struct acme_jws jws = {.kid = acme_slice_of("kid-1"),
                           .url = acme_slice_of("https://ca.example/acme/new-account")};
    char buf[600];
    struct acme_out o;

    jws.mac_key = acme_slice_of("zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W");
    for (size_t cap = 0; cap < sizeof buf; cap++) {
        acme_out_init(&o, buf, cap);
        assert_int_equal(acme_jws_write(&o, &jws, acme_slice_of("{\"kty\":\"EC\"}")), 0);
        assert_int_equal(o.overflow, cap < sizeof want - 1);
    }
    buf[o.len] = '\0';
    assert_string_equal(buf, want);
}
#endif

/* RFC 8555, 7.3.5: the inner JWS of a key change has no nonce. */
TEST(without_nonce)
{
    struct acme_jws jws = request("k");
    char buf[2048], header[1024], payload[1024];
    struct acme_out o;

    jws.nonce.len = 0;
    acme_out_init(&o, buf, sizeof buf);
    assert_int_equal(acme_jws_write(&o, &jws, acme_slice_of("{}")), 0);
    open_jws(buf, o.len, header, payload);
    assert_null(strstr(header, "nonce"));
}

/* The payload at the end of the buffer, in every buffer size: the same JWS as from outside, or overflow. */
TEST(in_place)
{
    struct acme_jws jws = request("https://ca.example/acct/1");
    char outside[2048], buf[2048], text[301];
    struct acme_out o;

    maker_sys.random(NULL, text, sizeof text);
    for (size_t len = 0; len <= sizeof text; len += 43) {
        size_t need;
        acme_out_init(&o, outside, sizeof outside);
        assert_int_equal(acme_jws_write(&o, &jws, acme_slice(text, len)), 0);
        assert_false(o.overflow);
        need = o.len;
        for (size_t cap = len; cap < need + 9; cap++) {
            memset(buf, '#', sizeof buf);
            memcpy(buf + 8 + cap - len, text, len);
            acme_out_init(&o, buf + 8, cap);
            assert_int_equal(acme_jws_write(&o, &jws, acme_slice(buf + 8 + cap - len, len)), 0);
            assert_int_equal(o.overflow, cap < need);
            if (!o.overflow) {
                assert_int_equal(o.len, need);
                assert_memory_equal(buf + 8, outside, need); /* deterministic signatures */
            }
            assert_memory_equal(buf, "########", 8);
            assert_memory_equal(buf + 8 + cap, "########", 8);
        }
    }
}

static int no_sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    (void)handle, (void)digest, (void)signature;
    return ACME_E_KEY;
}

TEST(key_fails)
{
    const struct acme_key_ops broken = {NULL, no_sign, NULL, NULL, NULL};
    const struct acme_key broken_key = {&broken, NULL};
    struct acme_jws jws = request("k");
    char buf[2048];
    struct acme_out o;

    jws.key = &broken_key;
    acme_out_init(&o, buf, sizeof buf);
    assert_int_equal(acme_jws_write(&o, &jws, acme_slice_of("{}")), ACME_E_KEY);
}

/* RFC 7638, 3 by OpenSSL's SHA-256, over a JWK written here; x and y with leading zeros keep their 32 bytes.
 */
TEST(thumbprint)
{
    uint8_t p[65], digest[32];
    char x[64], y[64], text[200], want[64], got[ACME_THUMBPRINT_LEN + 1];
    struct acme_out o;

    for (int i = 0; i < 20; i++) {
        maker_sys.random(NULL, p, sizeof p);
        memset(p + 1, 0, (size_t)i);
        memset(p + 33, 0, (size_t)i);
        acme_out_init(&o, x, sizeof x);
        acme_out_b64url(&o, p + 1, 32);
        acme_out_init(&o, y, sizeof y);
        acme_out_b64url(&o, p + 33, 32);
        snprintf(text, sizeof text, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%.43s\",\"y\":\"%.43s\"}", x, y);
        EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL);
        acme_out_init(&o, want, sizeof want);
        acme_out_b64url(&o, digest, 32);
        got[ACME_THUMBPRINT_LEN] = '#';
        acme_jwk_thumbprint(p, got);
        assert_int_equal(o.len, ACME_THUMBPRINT_LEN);
        assert_memory_equal(got, want, ACME_THUMBPRINT_LEN);
        assert_int_equal(got[ACME_THUMBPRINT_LEN], '#');
    }
}

AROUND(make_key, drop_key, NULL, NULL);
