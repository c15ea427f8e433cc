/* Does the judge of the recordings see what is wrong? Good requests, and each with one fault. */
#include "judge_v1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#define BASE "http://127.0.0.1:4000"

static struct engine e;
static struct boulder b;
static struct recording recording;
static struct exchange compared;
static char csr[4096], foreign_csr[4096], answer_text[300];

/* What a request is made of; NULL: the good one. */
struct parts {
    const char *path, *protected, *payload, *host, *head, *body;
    bool foreign_signature, cut_length;
};

static json_t *jwk_of(const struct acme_key_p256 *key)
{
    uint8_t point[65];
    char x[48], y[48];
    assert_int_equal(acme_key_p256_ops.point((void *)(uintptr_t)key, point), 0);
    v1_base64url(point + 1, 32, x);
    v1_base64url(point + 33, 32, y);
    return json_pack("{s:s,s:s,s:s,s:s}", "crv", "P-256", "kty", "EC", "x", x, "y", y);
}

static void make_csr(const struct acme_key_p256 *key, const char *san, char *out)
{
    EVP_PKEY *pair = maker_ec("P-256");
    X509_REQ *request = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    unsigned char *der = NULL;
    sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
    X509_REQ_add_extensions(request, extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_set_pubkey(request, pair);
    assert_true(X509_REQ_sign(request, pair, EVP_sha256()) > 0);
    if (key != NULL) {
        maker_import((struct acme_key_p256 *)(uintptr_t)key, pair);
    }
    int len = i2d_X509_REQ(request, &der);
    v1_base64url(der, (size_t)len, out);
    OPENSSL_free(der);
    X509_REQ_free(request);
    EVP_PKEY_free(pair);
}

static void give(const char *nonce)
{
    snprintf(b.last_nonce, sizeof b.last_nonce, "%s", nonce);
    json_object_set_new(b.nonces, nonce, json_true());
}

static int set_up(void **state)
{
    static const char *const names[] = {"a.example", "b.example"}, *const contacts[] = {"mailto:me@example.org"};
    memset(&e, 0, sizeof e);
    strcpy(recording.base, BASE);
    strcpy(recording.terms, BASE "/terms/v1");
    recording.host = "127.0.0.1:4000";
    boulder_start(&b, &recording);
    assert_int_equal(acme_key_p256_ops.generate(&e.account, &maker_sys), 0);
    make_csr(&e.certificate, "DNS:A.example,DNS:b.example", csr);
    make_csr(NULL, "DNS:a.example,DNS:b.example", foreign_csr);
    e.setup.account_key = (struct acme_key){&acme_key_p256_ops, &e.account};
    e.setup.certificate_key = (struct acme_key){&acme_key_p256_ops, &e.certificate};
    e.setup.names = names;
    e.setup.name_count = 2;
    e.setup.contacts = contacts;
    e.setup.contact_count = 1;
    strcpy(e.host, recording.host);
    b.challenge_count = 1;
    strcpy(b.challenge[0].path, "/acme/challenge/X/3");
    strcpy(b.challenge[0].token, "TOKEN");
    give("OLD");
    give("NONCE");
    return 0;
}

static int tear_down(void **state)
{
    boulder_end(&b);
    return 0;
}

static void text_json(char *out, size_t cap, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    snprintf(out, cap, "%s", text);
    free(text);
    json_decref(object);
}

static void sign(const struct parts *p, const char *protected, char *body, size_t cap)
{
    char part[2][6000], text[12100], signature[100];
    uint8_t digest[32], bytes[64];
    static struct acme_key_p256 foreign;
    v1_base64url(protected, strlen(protected), part[0]);
    v1_base64url(p->payload, strlen(p->payload), part[1]);
    snprintf(text, sizeof text, "%s.%s", part[0], part[1]);
    SHA256((unsigned char *)text, strlen(text), digest);
    assert_int_equal(acme_key_p256_ops.generate(&foreign, &maker_sys), 0);
    assert_int_equal(acme_key_p256_ops.sign(p->foreign_signature ? &foreign : &e.account, digest, bytes), 0);
    v1_base64url(bytes, 64, signature);
    snprintf(body, cap, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", part[0], part[1],
             signature);
}

static void make(const struct parts *p)
{
    char protected[3000], url[700], body[20000] = "", length[60] = "";
    if (p->payload != NULL) {
        snprintf(url, sizeof url, BASE "%s", p->path);
        text_json(
            protected, sizeof protected,
            json_pack("{s:s,s:s,s:s,s:o}", "alg", "ES256", "nonce", "NONCE", "url", url, "jwk", jwk_of(&e.account)));
        sign(p, p->protected != NULL ? p->protected : protected, body, sizeof body);
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(body) - p->cut_length);
    }
    e.request_len =
        (size_t)snprintf(e.request, sizeof e.request, "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n%s",
                         p->payload != NULL ? "POST" : "GET", p->path, p->host != NULL ? p->host : recording.host,
                         p->head != NULL ? p->head : "User-Agent: test\r\n", length, body);
    assert_true(e.request_len < sizeof e.request);
}

/* What the judge says of it; "": nothing. */
static const char *verdict(const struct parts *p, bool compare)
{
    static struct v1_request q;
    jmp_buf back;
    make(p);
    boulder_said[0] = '\0';
    boulder_caught = &back;
    if (setjmp(back) == 0) {
        judge_v1(&b, &e, &q);
        if (compare) {
            judge_v1_same(&b, &q, &compared);
        }
    }
    boulder_caught = NULL;
    judge_v1_free(&q);
    memset(&q, 0, sizeof q);
    json_object_set_new(b.nonces, "NONCE", json_true());
    return boulder_said;
}

static void good(const char *path, const char *payload)
{
    struct parts p = {.path = path, .payload = payload};
    assert_string_equal(verdict(&p, false), "");
}

static void bad(const struct parts *p, const char *why)
{
    const char *said = verdict(p, false);
    if (strstr(said, why) == NULL) {
        fail_msg("\"%s\" was to be said, not \"%s\"", why, said);
    }
}

#define NEW_REG "{\"resource\":\"new-reg\",\"contact\":[\"mailto:me@example.org\"]}"

static const char *response(const char *token, const char *thumbprint)
{
    snprintf(answer_text, sizeof answer_text, "{\"resource\":\"challenge\",\"keyAuthorization\":\"%s.%s\"}", token,
             thumbprint);
    return answer_text;
}

static const char *show(void)
{
    static char thumbprint[44], shown[100];
    json_t *jwk = jwk_of(&e.account);
    v1_thumbprint(jwk, thumbprint);
    json_decref(jwk);
    snprintf(shown, sizeof shown, "TOKEN.%s", thumbprint);
    e.ca.published = shown;
    return thumbprint;
}

static const char *new_cert(const char *request)
{
    static char text[5100];
    snprintf(text, sizeof text, "{\"resource\":\"new-cert\",\"csr\":\"%s\"}", request);
    return text;
}

static void good_requests(void **state)
{
    good("/directory", NULL);
    good("/acme/authz/X", NULL);
    good("/acme/new-reg", NEW_REG);
    good("/acme/reg/5", "{\"resource\":\"reg\",\"agreement\":\"" BASE "/terms/v1\"}");
    good("/acme/new-authz", "{\"resource\":\"new-authz\",\"identifier\":{\"type\":\"dns\",\"value\":\"b.example\"}}");
    good("/acme/challenge/X/3", response("TOKEN", show()));
    good("/acme/new-cert", new_cert(csr));
}

static void bad_heads(void **state)
{
    bad(&(struct parts){.path = "/acme/no-such-thing"}, "no such resource");
    bad(&(struct parts){.path = "/directory", .host = "other:4000"}, "with Host: other");
    bad(&(struct parts){.path = "/directory", .head = ""}, "no User-Agent");
    bad(&(struct parts){.path = "/directory", .head = "User-Agent: x\r\nExpect: 100-continue\r\n"}, "Expect");
    bad(&(struct parts){.path = "/directory", .head = "User-Agent: x\r\nuser-agent: y\r\n"}, "two header lines");
    bad(&(struct parts){.path = "/acme/new-reg", .payload = NEW_REG, .cut_length = true}, "Content-Length");
}

static void bad_signatures(void **state)
{
    char protected[2000];
    struct parts p = {.path = "/acme/new-reg", .payload = NEW_REG, .protected = protected};
    static const struct {
        const char *alg, *nonce, *url, *more, *why;
    } cases[] = {{"RS256", "NONCE", BASE "/acme/new-reg", NULL, "alg is not"},
                 {"ES256", "OTHER", BASE "/acme/new-reg", NULL, "never given"},
                 {"ES256", "OLD", BASE "/acme/new-reg", NULL, "not the one given last"},
                 {"ES256", "NONCE", BASE "/acme/reg/1", NULL, "url in the protected"},
                 {"ES256", "NONCE", BASE "/acme/new-reg", "kid", "other members"},
                 {"ES256", "NONCE", BASE "/acme/new-reg", "jwk", "no P-256 key"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *object = json_pack("{s:s,s:s,s:s,s:o}", "alg", cases[i].alg, "nonce", cases[i].nonce, "url",
                                   cases[i].url, "jwk", jwk_of(&e.account));
        if (cases[i].more != NULL) {
            json_object_set_new(object, cases[i].more, json_string("1"));
        }
        text_json(protected, sizeof protected, object);
        bad(&p, cases[i].why);
    }
    text_json(protected, sizeof protected,
              json_pack("{s:s,s:s,s:o}", "alg", "ES256", "nonce", "NONCE", "jwk", jwk_of(&e.certificate)));
    bad(&p, "not the account's key");
    bad(&(struct parts){.path = p.path, .payload = NEW_REG, .foreign_signature = true}, "signature is wrong");
    json_object_set_new(b.nonces, "NONCE", json_false());
    bad(&(struct parts){.path = p.path, .payload = NEW_REG}, "used twice");
}

static void bad_payloads(void **state)
{
    const char *thumbprint = show();
    char wrong[5000];
    bad(&(struct parts){.path = "/acme/new-reg", .payload = "{\"resource\":\"reg\"}"}, "resource is \"reg\"");
    bad(&(struct parts){.path = "/acme/new-reg", .payload = "{\"resource\":\"new-reg\"}"}, "contact is not");
    bad(&(struct parts){.path = "/acme/new-reg", .payload = "{\"resource\":\"new-reg\",\"x\":1}"}, "a member x");
    bad(&(struct parts){.path = "/acme/new-reg", .payload = "[]"}, "no JSON object");
    bad(&(struct parts){.path = "/acme/new-authz",
                        .payload = "{\"resource\":\"new-authz\",\"identifier\":{\"type\":\"dns\",\"value\":\"c\"}}"},
        "not asked for");
    bad(&(struct parts){.path = "/acme/challenge/X/3", .payload = response("OTHER", thumbprint)}, "another token");
    bad(&(struct parts){.path = "/acme/challenge/X/4", .payload = response("TOKEN", thumbprint)}, "another token");
    bad(&(struct parts){.path = "/acme/challenge/X/3", .payload = response("TOKEN", "x")}, "thumbprint");
    snprintf(wrong, sizeof wrong,
             "{\"resource\":\"challenge\",\"type\":\"dns-01\",\"keyAuthorization\":\"TOKEN.%s\"}", thumbprint);
    bad(&(struct parts){.path = "/acme/challenge/X/3", .payload = wrong}, "type is not");
    e.ca.published = NULL;
    bad(&(struct parts){.path = "/acme/challenge/X/3", .payload = response("TOKEN", thumbprint)}, "not on show");
    bad(&(struct parts){.path = "/acme/new-cert", .payload = new_cert(foreign_csr)}, "not for the certificate's key");
    snprintf(wrong, sizeof wrong, "%s=", csr);
    bad(&(struct parts){.path = "/acme/new-cert", .payload = new_cert(wrong)}, "no certificate request");
    snprintf(wrong, sizeof wrong, "%s", csr);
    wrong[strlen(wrong) - 6] ^= 1;
    bad(&(struct parts){.path = "/acme/new-cert", .payload = new_cert(wrong)}, "no certificate request");
    e.setup.name_count = 1;
    bad(&(struct parts){.path = "/acme/new-cert", .payload = new_cert(csr)}, "other names");
}

/* --- what is done beside issuing */

#define LOOK       "{\"resource\":\"new-reg\",\"agreement\":\"about:blank\"}"
#define DEACTIVATE "{\"resource\":\"reg\",\"status\":\"deactivated\"}"
#define KEY_CHANGE "/acme/key-change"

static const char *revocation(X509 *leaf, const char *more)
{
    static char text[6000];
    char certificate[5000];
    size_t len = 0;
    uint8_t *der = maker_der(leaf, &len);
    v1_base64url(der, len, certificate);
    free(der);
    snprintf(text, sizeof text, "{\"resource\":\"revoke-cert\",\"certificate\":\"%s\"%s}", certificate, more);
    return text;
}

static X509 *leaf_of(const char *san)
{
    EVP_PKEY *key = maker_ec("P-256");
    X509 *leaf = maker_certificate(&(struct maker_spec){.san = san, .ca = MAKER_CA_FALSE, .key = key});
    EVP_PKEY_free(key);
    return leaf;
}

static void revocations(void **state)
{
    X509 *other = leaf_of("DNS:a.example");
    b.cert[b.cert_count++].leaf = leaf_of("DNS:a.example");
    X509 *leaf = b.cert[0].leaf;
    bad(&(struct parts){.path = "/acme/revoke-cert", .payload = revocation(leaf, "")}, "nobody wanted revoke-cert");
    b.deed = ACME_REVOKE;
    good("/acme/new-reg", LOOK);
    good("/acme/revoke-cert", revocation(leaf, ""));
    bad(&(struct parts){.path = "/acme/new-reg", .payload = NEW_REG}, "that could be made");
    bad(&(struct parts){.path = "/acme/revoke-cert", .payload = revocation(other, "")}, "certificate is not");
    bad(&(struct parts){.path = "/acme/revoke-cert", .payload = revocation(leaf, ",\"reason\":0")}, "reason is not");
    bad(&(struct parts){.path = "/acme/revoke-cert", .payload = revocation(leaf, ",\"more\":0")}, "a member more");
    bad(&(struct parts){.path = "/acme/new-cert", .payload = new_cert(csr)}, "nobody wanted new-cert");
    bad(&(struct parts){.path = "/acme/reg/5", .payload = DEACTIVATE}, "nobody wanted deactivate");
    e.setup.revoke_reason = 4;
    good("/acme/revoke-cert", revocation(leaf, ",\"reason\":4"));
    bad(&(struct parts){.path = "/acme/revoke-cert", .payload = revocation(leaf, "")}, "reason is not 4");
    X509_free(other);
}

static void deactivations(void **state)
{
    bad(&(struct parts){.path = "/acme/reg/5", .payload = DEACTIVATE}, "nobody wanted deactivate");
    b.deed = ACME_DEACTIVATE;
    strcpy(b.reg, "/acme/reg/5");
    good("/acme/reg/5", DEACTIVATE);
    bad(&(struct parts){.path = "/acme/reg/6", .payload = DEACTIVATE}, "the account is at /acme/reg/5");
    bad(&(struct parts){.path = "/acme/reg/5", .payload = "{\"resource\":\"reg\"}"}, "nobody wanted reg");
}

/* The JWS inside; NULL: the good one. */
static const char *change(const char *url, const char *account, const struct acme_key_p256 *named,
                          const struct acme_key_p256 *signer)
{
    static char text[6000];
    char protected[900], payload[900], part[2][1300], both[2700], signature[100];
    uint8_t digest[32], bytes[64];
    text_json(protected, sizeof protected,
              json_pack("{s:s,s:s,s:o}", "alg", "ES256", "url", url != NULL ? url : BASE KEY_CHANGE, "jwk",
                        jwk_of(&e.certificate)));
    text_json(payload, sizeof payload,
              json_pack("{s:s,s:o}", "account", account != NULL ? account : BASE "/acme/reg/5", "newKey",
                        jwk_of(named != NULL ? named : &e.certificate)));
    v1_base64url(protected, strlen(protected), part[0]);
    v1_base64url(payload, strlen(payload), part[1]);
    snprintf(both, sizeof both, "%s.%s", part[0], part[1]);
    SHA256((unsigned char *)both, strlen(both), digest);
    assert_int_equal(
        acme_key_p256_ops.sign((void *)(uintptr_t)(signer != NULL ? signer : &e.certificate), digest, bytes), 0);
    v1_base64url(bytes, 64, signature);
    snprintf(text, sizeof text,
             "{\"resource\":\"key-change\",\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", part[0],
             part[1], signature);
    return text;
}

static void key_changes(void **state)
{
    char by_next[2000];
    b.deed = ACME_CHANGE_KEY;
    strcpy(b.reg, "/acme/reg/5");
    good(KEY_CHANGE, change(NULL, NULL, NULL, NULL));
    bad(&(struct parts){.path = KEY_CHANGE, .payload = change(BASE "/acme/x", NULL, NULL, NULL)}, "alg, jwk and url");
    bad(&(struct parts){.path = KEY_CHANGE, .payload = change(NULL, BASE "/acme/reg/6", NULL, NULL)},
        "another account");
    bad(&(struct parts){.path = KEY_CHANGE, .payload = change(NULL, NULL, &e.account, NULL)}, "not the next key");
    bad(&(struct parts){.path = KEY_CHANGE, .payload = change(NULL, NULL, NULL, &e.account)},
        "inside: its signature");
    bad(&(struct parts){.path = KEY_CHANGE, .payload = "{\"resource\":\"key-change\"}"}, "inside");
    text_json(by_next, sizeof by_next,
              json_pack("{s:s,s:s,s:o}", "alg", "ES256", "nonce", "NONCE", "jwk", jwk_of(&e.certificate)));
    bad(&(struct parts){.path = KEY_CHANGE, .payload = change(NULL, NULL, NULL, NULL), .protected = by_next},
        "jwk is not the account's key");
    bad(&(struct parts){.path = "/acme/new-reg", .payload = LOOK, .protected = by_next}, "the signature is wrong");
    b.deed = ACME_REVOKE; /* only while the key changes there are two */
    bad(&(struct parts){.path = "/acme/new-reg", .payload = LOOK, .protected = by_next}, "not the account's key");
}

/* Our request beside a recorded one. */
static void other_meaning(void **state)
{
    static const struct {
        const char *path, *payload, *why;
    } cases[] = {
        {"/acme/new-reg", NEW_REG, ""},
        {"/acme/new-reg", "{\"resource\":\"new-reg\",\"contact\":[\"mailto:me@example.org\"],\"agreement\":1}", ""},
        {"/acme/reg/1", NEW_REG, "line 7"},
        {"/acme/new-reg", "{\"resource\":\"new-reg\",\"contact\":[]}", "said contact: []"},
        {"/acme/new-reg", "{\"resource\":\"new-reg\"}", "did not say contact"},
        {"/acme/new-reg", "{\"resource\":\"new-reg\",\"contact\":[\"mailto:me@example.org\"],\"more\":1}",
         "said more: 1, ours nothing"}};
    struct parts p = {.path = "/acme/new-reg", .payload = NEW_REG};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(&compared, 0, sizeof compared);
        compared.line = 7;
        compared.step = "step";
        strcpy(compared.method, "POST");
        strcpy(compared.path, cases[i].path);
        compared.payload = json_loads(cases[i].payload, 0, NULL);
        const char *said = verdict(&p, true);
        json_decref(compared.payload);
        assert_true(cases[i].why[0] != '\0' ? strstr(said, cases[i].why) != NULL : said[0] == '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_heads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_signatures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_payloads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(revocations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deactivations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(key_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_meaning, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
