/* The scripted CA as Boulder of December 2016, asked by a small client made of OpenSSL: what it answers is what the real
 * one was seen to answer, and it lets no wrong request pass. */
#include "unit.h"

#include "fake/ca_v1.h"
#include "unit/asker.h"

#include <stdio.h>
#include <string.h>

#define ONE .v1 = true, .names = {"a.example"}, .name_count = 1

static int new_reg(void)
{
    return asker_post("/acme/new-reg", "{\"resource\":\"new-reg\"}");
}

static int agree(void)
{
    return asker_post("/acme/reg/1", "{\"resource\":\"reg\",\"agreement\":\"" CA_V1_TERMS "\"}");
}

/* The path of the last answer's Location. */
static const char *location(void)
{
    static char path[2][200];
    static unsigned turn;
    const char *at = strstr(said, "\r\nLocation: " CA_URL);
    assert_non_null(at);
    at += strlen("\r\nLocation: " CA_URL);
    snprintf(path[++turn % 2], sizeof path[0], "%.*s", (int)strcspn(at, "\r"), at);
    return path[turn % 2];
}

static int new_authz(void)
{
    return asker_post("/acme/new-authz",
                      "{\"resource\":\"new-authz\",\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"}}");
}

/* A member's text in the last answer's challenge of a type: "uri" or "token". */
static const char *of_challenge(const char *type, const char *name)
{
    static char out[300];
    char key[60];
    snprintf(key, sizeof key, "\"type\": \"%s\"", type);
    const char *at = strstr(said, key);
    assert_non_null(at);
    snprintf(key, sizeof key, "\"%s\": \"", name);
    at = strstr(at, key);
    assert_non_null(at);
    at += strlen(key);
    snprintf(out, sizeof out, "%.*s", (int)strcspn(at, "\""), at);
    return out;
}

/* Publishes what the authorization in the last answer asks for, and answers its challenge; returns the code. */
static int answer(const char *type, bool wrongly)
{
    static char shown[200];
    char payload[300], uri[200];
    strcpy(uri, of_challenge(type, "uri") + strlen(CA_URL));
    key_authorization(&ca, of_challenge(type, "token"), shown, sizeof shown);
    snprintf(payload, sizeof payload, "{\"resource\":\"challenge\",\"keyAuthorization\":\"%s%s\"}", shown,
             wrongly ? "x" : "");
    ca.published = shown;
    return asker_post(uri, payload);
}

static int new_cert(void)
{
    char csr[3000], payload[3200];
    ca_csr(ca.plan, certificate, csr, sizeof csr);
    snprintf(payload, sizeof payload, "{\"resource\":\"new-cert\",%s", csr + 1);
    return asker_post("/acme/new-cert", payload);
}

/* An account, and a valid authorization, whose path is returned. */
static const char *authorize(void)
{
    static char path[200];
    assert_int_equal(new_reg(), 201);
    assert_int_equal(agree(), 202);
    assert_int_equal(new_authz(), 201);
    strcpy(path, location());
    assert_int_equal(answer("http-01", false), ca.plan->draft ? 200 : 202);
    while (strstr(said, "\"status\": \"valid\"") == NULL) {
        (void)asker_get("GET", path);
    }
    return path;
}

/* --- what it plays */

TEST(it_issues)
{
    asker_begin(&(struct ca_plan){ONE, .authz_looks = 2});
    assert_int_equal(asker_get("GET", "/dir"), 200);
    asker_says("\"new-reg\": \"" CA_URL "/acme/new-reg\"");
    asker_says("rEPLAY-nONCE:");
    asker_says_not("new-nonce");
    assert_int_equal(asker_get("HEAD", "/acme/new-reg"), 405);
    asker_says("rEPLAY-nONCE:");
    asker_says("Content-Length: 91\r\n\r\n");
    assert_int_equal(asker_get("HEAD", "/dir"), 200);
    authorize();
    assert_int_equal(new_cert(), 201);
    asker_says("Content-Type: application/pkix-cert\r\n");
    asker_says("Link: <" CA_URL "/acme/issuer-cert>;rel=\"up\"\r\n");
    const char *path = location();
    assert_int_equal(asker_get("GET", path), 200);
    asker_says("Link: </acme/issuer-cert>;rel=\"up\"\r\n");
    const uint8_t *der = (const uint8_t *)strstr(said, "\r\n\r\n") + 4, *at = der;
    X509 *leaf = d2i_X509(NULL, &at, (long)(said_len - (size_t)((const char *)der - said)));
    assert_non_null(leaf);
    assert_int_equal((const char *)at - said, said_len);
    X509_free(leaf);
    assert_int_equal(asker_get("GET", "/acme/issuer-cert"), 200);
    asker_says_not("Link:");
    assert_int_equal(new_cert(), 201); /* another one */
    assert_int_equal(ca.order_count, 2);
    assert_int_equal(ca.early, 0);
    asker_end();
}

TEST(an_account_has_to_agree)
{
    asker_begin(&(struct ca_plan){ONE});
    assert_int_equal(new_authz(), 403);
    asker_says(CA_V1_URN "unauthorized");
    asker_says("No registration exists");
    assert_int_equal(new_reg(), 201);
    asker_says("Link: <" CA_URL "/acme/new-authz>;rel=\"next\"\r\nLink: <" CA_V1_TERMS ">;rel=\"terms-of-service\"");
    asker_says("\"Status\": \"\"");
    asker_says(".408573815Z");
    asker_says_not("\"agreement\"");
    assert_int_equal(new_reg(), 409);
    asker_says(CA_V1_URN "malformed");
    assert_string_equal(location(), "/acme/reg/1");
    assert_int_equal(new_authz(), 403);
    asker_says("Must agree");
    assert_int_equal(asker_post("/acme/reg/1", "{\"resource\":\"reg\",\"agreement\":\"http://example.com/tos\"}"),
                     400);
    assert_int_equal(agree(), 202);
    asker_says("\"agreement\": \"" CA_V1_TERMS "\"");
    assert_int_equal(new_authz(), 201);
    assert_int_equal(asker_post("/acme/reg/1", "{\"resource\":\"reg\",\"status\":\"deactivated\"}"), 200);
    asker_says("\"Status\": \"deactivated\"");
    assert_int_equal(new_authz(), 403);
    assert_int_equal(ca.accounts, 1);
    asker_end();
}

TEST(accounts_of_an_earlier_run)
{
    static const struct {
        const char *account;
        int code;
    } rows[] = {{"agreed", 201}, {"idle", 403}, {"deactivated", 403}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        asker_begin(&(struct ca_plan){ONE, .account = rows[i].account});
        assert_int_equal(new_reg(), 409);
        assert_int_equal(new_authz(), rows[i].code);
        asker_end();
    }
    asker_begin(&(struct ca_plan){ONE});
    assert_int_equal(
        asker_post("/acme/new-reg", "{\"resource\":\"new-reg\",\"agreement\":\"http://example.com/tos\"}"), 400);
    assert_int_equal(asker_post("/acme/new-reg", "{\"resource\":\"new-reg\",\"contact\":[\"mailto:a@a.example\"],"
                                                 "\"agreement\":\"" CA_V1_TERMS "\"}"),
                     201);
    assert_int_equal(new_authz(), 201);
    asker_end();
}

TEST(an_authorization_becomes_valid)
{
    char path[200], uri[200];
    asker_begin(&(struct ca_plan){ONE, .authz_looks = 1});
    assert_int_equal(new_reg(), 201);
    assert_int_equal(agree(), 202);
    assert_int_equal(new_authz(), 201);
    asker_says(".423607818Z");
    strcpy(path, location());
    strcpy(uri, of_challenge("http-01", "uri") + strlen(CA_URL));
    assert_int_equal(asker_get("GET", path), 200); /* from the first moment */
    asker_says("\"combinations\"");
    assert_int_equal(asker_get("GET", uri), 202); /* for ever */
    assert_int_equal(new_cert(), 403);
    asker_says("Authorizations for these names not found or expired: a.example");
    assert_int_equal(ca.early, 1);
    assert_int_equal(asker_get("GET", path), 200);
    assert_int_equal(answer("http-01", false), 202);
    asker_says("\"status\": \"pending\"");
    assert_int_equal(asker_get("GET", path), 200);
    asker_says_not("\"valid\"");
    assert_int_equal(asker_get("GET", path), 200);
    asker_says("\"status\": \"valid\"");
    asker_says("\"status\": \"pending\""); /* the challenges that were not tried */
    asker_says("\"validationRecord\"");
    assert_int_equal(asker_get("GET", uri), 202);
    asker_says("\"status\": \"valid\"");
    assert_int_equal(new_authz(), 201); /* used again */
    asker_says("\"status\": \"valid\"");
    assert_string_equal(location(), path);
    assert_int_equal(answer("http-01", true), 202); /* nothing is looked at */
    assert_int_equal(ca.v1.authz_count, 1);
    asker_end();
}

TEST(a_pending_one_is_not_used_again)
{
    asker_begin(&(struct ca_plan){ONE, .account = "agreed"});
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(new_authz(), 201);
        assert_int_equal(ca.v1.authz_count, i);
    }
    asker_end();
    asker_begin(&(struct ca_plan){ONE, .account = "agreed", .born_valid = 1});
    assert_int_equal(new_authz(), 201);
    asker_says("\"status\": \"valid\"");
    assert_int_equal(new_cert(), 201);
    assert_int_equal(ca.early, 0);
    asker_end();
}

TEST(an_invalid_one_is_dead)
{
    char path[200];
    asker_begin(&(struct ca_plan){ONE, .account = "agreed", .authz_end = "invalid"});
    assert_int_equal(new_authz(), 201);
    strcpy(path, location());
    assert_int_equal(answer("http-01", false), 202);
    assert_int_equal(asker_get("GET", path), 200);
    asker_says("\"status\": \"invalid\"");
    asker_says("\"status\": 403");
    assert_int_equal(answer("http-01", false), 400);
    assert_int_equal(asker_get("GET", path), 200);
    assert_int_equal(answer("dns-01", false), 500);
    assert_int_equal(new_cert(), 403);
    asker_end();
}

TEST(challenges_are_shuffled)
{
    unsigned first = 0;
    asker_begin(&(struct ca_plan){ONE, .account = "agreed"});
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(new_authz(), 201);
        first += strstr(said, "\"type\": \"http-01\"") < strstr(said, "\"type\": \"dns-01\"");
    }
    assert_true(first > 0 && first < 6);
    asker_end();
}

TEST(as_the_drafts_want_it)
{
    char path[200];
    asker_begin(&(struct ca_plan){ONE, .draft = true, .authz_looks = 1, .processing = 1});
    assert_int_equal(new_reg(), 201);
    assert_int_equal(agree(), 202);
    assert_int_equal(new_authz(), 201);
    strcpy(path, location());
    assert_int_equal(asker_get("GET", path), 202);
    asker_says("Retry-After: 3\r\n");
    assert_int_equal(answer("http-01", false), 200);
    assert_int_equal(asker_get("GET", path), 202);
    assert_int_equal(asker_get("GET", path), 200);
    assert_int_equal(new_cert(), 201);
    asker_says("Content-Length: 0\r\n\r\n");
    strcpy(path, location());
    assert_int_equal(asker_get("GET", path), 202);
    asker_says("Retry-After: 2\r\n");
    assert_int_equal(asker_get("GET", path), 200);
    asker_says("application/pkix-cert");
    asker_end();
    asker_begin(&(struct ca_plan){ONE, .draft = true, .code202 = true});
    authorize();
    assert_int_equal(new_cert(), 202);
    asker_end();
}

TEST(long_bodies_come_in_chunks)
{
    asker_begin(&(struct ca_plan){ONE, .redirects = 10});
    authorize();
    asker_says("Transfer-Encoding: chunked\r\n");
    assert_true(said_len > 4000);
    asker_end();
}

TEST(the_link_up)
{
    asker_begin(&(struct ca_plan){ONE, .up = "none"});
    authorize();
    assert_int_equal(new_cert(), 201);
    asker_says_not("rel=\"up\"");
    assert_null(strstr(strstr(ca.order[0].chain, "-----END"), "-----BEGIN"));
    asker_end();
    asker_begin(&(struct ca_plan){ONE, .up = "/acme/issuer-cert"});
    authorize();
    assert_int_equal(new_cert(), 201);
    asker_says("Link: </acme/issuer-cert>;rel=\"up\"\r\n");
    asker_end();
}

TEST(certificates_are_revoked_once)
{
    char payload[4000];
    asker_begin(&(struct ca_plan){ONE});
    authorize();
    assert_int_equal(new_cert(), 201);
    const char *der = strstr(said, "\r\n\r\n") + 4;
    size_t at = (size_t)snprintf(payload, sizeof payload, "{\"resource\":\"revoke-cert\",\"certificate\":\"");
    asker_b64url(der, said_len - (size_t)(der - said), payload + at);
    strcat(payload, "\"}");
    assert_int_equal(asker_post("/acme/revoke-cert", payload), 200);
    asker_says("Content-Length: 0\r\n\r\n");
    assert_int_equal(asker_post("/acme/revoke-cert", payload), 409);
    assert_int_equal(asker_post("/acme/revoke-cert", "{\"resource\":\"revoke-cert\",\"certificate\":\"AAAA\"}"), 404);
    asker_end();
}

/* --- what it does not let pass */

static void nonce_twice(void)
{
    (void)asker_get("HEAD", "/dir");
    wrong.nonce = true;
    (void)new_reg();
    (void)agree();
}

static void wrong_key_authorization(void)
{
    (void)new_authz();
    (void)answer("http-01", true);
}

static void another_challenge(void)
{
    (void)new_authz();
    (void)answer("dns-01", false);
}

static void signed_look(void)
{
    (void)new_authz();
    (void)asker_post(location(), "");
}

static void new_nonce(void)
{
    (void)asker_get("HEAD", "/acme/new-nonce");
}

TEST(mistakes_are_noticed)
{
#define REG "/acme/new-reg"
    static const struct mistake all[] = {
        {{0}, REG, "{\"resource\":\"reg\"}"},
        {{0}, REG, "{}"},
        {{0}, REG, "{\"resource\":\"new-reg\",\"termsOfServiceAgreed\":true}"},
        {{.both = true}, REG, "{\"resource\":\"new-reg\"}"},
        {{.signature = true}, REG, "{\"resource\":\"new-reg\"}"},
        {{.url = true}, REG, "{\"resource\":\"new-reg\"}"},
        {{0},
         "/acme/new-authz",
         "{\"resource\":\"new-authz\",\"identifier\":{\"type\":\"dns\",\"value\":\"b.example\"}}"},
        {{0}, "/acme/reg/1", NULL},
        {{0}, "/acme/authz/a00-cyMZVMzLOtJDrEBIXYedQWDRaCi5HSMN3ouPTRl", NULL},
        {{0}, "/acme/cert/ff0000000000000000000000000000000001", NULL},
        {.does = nonce_twice},
        {.does = wrong_key_authorization},
        {.does = another_challenge},
        {.does = signed_look},
        {.does = new_nonce}};
    asker_begin(&(struct ca_plan){ONE});
    assert_int_equal(new_reg(), 201);
    assert_int_equal(agree(), 202);
    asker_is_noticed(all, LEN(all));
    asker_end();
}

AROUND(asker_keys, asker_no_keys, NULL, NULL);
