/* The scripted CA by itself, asked by a small client made of OpenSSL: what the core does not ask for yet, and that the CA
 * lets no wrong request pass. */
#define _GNU_SOURCE
#include "unit.h"

#include "unit/asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/hmac.h>
#include <openssl/sha.h>

#define ONE .names = {"a.example"}, .name_count = 1
#define URN "urn:ietf:params:acme:error:"

static int new_account(void)
{
    return asker_post("/new-account", "{\"termsOfServiceAgreed\":true}");
}

static int new_order(const char *more)
{
    char payload[400];
    snprintf(payload, sizeof payload, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}]%s}", more);
    return asker_post("/new-order", payload);
}

/* Shows the key authorization of an authorization of an order. */
static void publish(unsigned order)
{
    static char shown[200];
    char jwk[300], thumbprint[60], token[60];
    uint8_t digest[32];
    char path[40];
    snprintf(path, sizeof path, "/authz/%u/0", order);
    assert_int_equal(asker_post(path, ""), 200);
    assert_true(member(strstr(said, "http-01"), "token", token, sizeof token));
    asker_jwk_of(account, jwk, sizeof jwk);
    SHA256((unsigned char *)jwk, strlen(jwk), digest);
    asker_b64url(digest, 32, thumbprint);
    snprintf(shown, sizeof shown, "%s.%s", token, thumbprint);
    ca.published = shown;
}

static int finalize(unsigned order, EVP_PKEY *key)
{
    char payload[3000], path[40];
    ca_csr(ca.plan, key, payload, sizeof payload);
    snprintf(path, sizeof path, "/finalize/%u", order);
    return asker_post(path, payload);
}

/* A new certificate; returns the number of its order. */
static unsigned issue(const char *more)
{
    char path[40];
    assert_int_equal(new_order(more), 201);
    unsigned order = ca.order_count;
    publish(order);
    snprintf(path, sizeof path, "/chall/%u/0", order);
    assert_int_equal(asker_post(path, "{}"), 200);
    snprintf(path, sizeof path, "/authz/%u/0", order);
    assert_int_equal(asker_post(path, ""), 200);
    asker_says("\"status\":\"valid\"");
    assert_int_equal(finalize(order, certificate), 200);
    return order;
}

/* --- what it plays */

TEST(it_issues_at_once)
{
    asker_begin(&(struct ca_plan){ONE});
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_account(), 200);
    asker_says("Location: " CA_URL "/account/1\r\n");
    assert_int_equal(issue(""), 1);
    asker_says("\"status\":\"valid\""); /* a synchronous CA: finalize's answer has the certificate */
    asker_says("\"certificate\":\"" CA_URL "/cert/1\"");
    assert_int_equal(asker_post("/cert/1", ""), 200);
    asker_says("-----BEGIN CERTIFICATE-----\n");
    asker_end();
}

static void bind(const char *kid, const char *key, const char *url, EVP_PKEY *of, char *payload, size_t cap)
{
    char header[300], jwk[300], part[2][600], both[1300], mac64[60];
    uint8_t mac[32], raw[60];
    size_t len = from_b64url(key, strlen(key), raw, sizeof raw);
    snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"kid\":\"%s\",\"url\":\"%s\"}", kid, url);
    asker_jwk_of(of, jwk, sizeof jwk);
    asker_b64url(header, strlen(header), part[0]);
    asker_b64url(jwk, strlen(jwk), part[1]);
    snprintf(both, sizeof both, "%s.%s", part[0], part[1]);
    HMAC(EVP_sha256(), raw, (int)len, (unsigned char *)both, strlen(both), mac, NULL);
    asker_b64url(mac, sizeof mac, mac64);
    snprintf(payload, cap,
             "{\"termsOfServiceAgreed\":true,\"externalAccountBinding\":{\"protected\":\"%s\",\"payload\":\"%s\","
             "\"signature\":\"%s\"}}",
             part[0], part[1], mac64);
}

TEST(accounts_are_bound)
{
    static const char key[] = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    static const char url[] = CA_URL "/new-account";
    char payload[2000];
    asker_begin(&(struct ca_plan){ONE, .eab_kid = "kid-1", .eab_key = key});
    assert_int_equal(asker_get("GET", "/dir"), 200);
    asker_says("\"externalAccountRequired\":true");
    assert_int_equal(new_account(), 403);
    asker_says(URN "externalAccountRequired");
    const struct {
        const char *kid, *key, *url;
        EVP_PKEY *of;
    } bad[] = {{"kid-2", key, url, account},
               {"kid-1", "AAAA", url, account},
               {"kid-1", key, CA_URL "/new-order", account},
               {"kid-1", key, url, certificate}};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bind(bad[i].kid, bad[i].key, bad[i].url, bad[i].of, payload, sizeof payload);
        assert_int_equal(asker_post("/new-account", payload), 403);
        asker_says(URN "unauthorized");
    }
    assert_int_equal(ca.accounts, 0);
    bind("kid-1", key, url, account, payload, sizeof payload);
    assert_int_equal(asker_post("/new-account", payload), 201);
    asker_end();
}

TEST(limits_hold)
{
    asker_begin(&(struct ca_plan){ONE, .order_limit = 2, .limit_s = 3600, .limit_lasts = 2});
    assert_int_equal(new_account(), 201);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(new_order(""), 201);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(new_order(""), 429);
        asker_says(URN "rateLimited");
        asker_says("Retry-After: 3600\r\n");
    }
    assert_int_equal(new_order(""), 201); /* the wait is over */
    asker_end();
}

TEST(an_account_is_paused)
{
    asker_begin(&(struct ca_plan){ONE, .order_limit = 1});
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_order(""), 201);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(new_order(""), 429);
        asker_says("/unpause?jwt=");
        asker_says_not("Retry-After");
    }
    asker_end();
}

TEST(new_accounts_are_limited)
{
    asker_begin(&(struct ca_plan){ONE, .account_limit = 1, .limit_s = 10800});
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_account(), 200); /* it is there: not a new one */
    ca.forgot_account = true;
    assert_int_equal(new_account(), 429);
    asker_says("Retry-After: 10800\r\n");
    asker_end();
}

TEST(profiles_are_offered)
{
    asker_begin(&(struct ca_plan){ONE, .profiles = "classic shortlived"});
    assert_int_equal(asker_get("GET", "/dir"), 200);
    asker_says("\"meta\":{\"profiles\":{\"classic\":\"" CA_URL "/profiles#classic\",\"shortlived\":");
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_order(",\"profile\":\"short\""), 400);
    asker_says(URN "invalidProfile");
    assert_int_equal(ca.order_count, 0);
    assert_int_equal(new_order(",\"profile\":\"shortlived\""), 201);
    asker_says("\"profile\":\"shortlived\"");
    assert_int_equal(asker_post("/order/1", ""), 200);
    asker_says("\"profile\":\"shortlived\"");
    assert_int_equal(new_order(""), 201);
    asker_says_not("\"profile\"");
    asker_end();
}

TEST(no_profile_is_offered)
{
    asker_begin(&(struct ca_plan){ONE});
    assert_int_equal(asker_get("GET", "/dir"), 200);
    asker_says_not("profiles");
    asker_says_not("renewalInfo");
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_order(",\"profile\":\"classic\""), 400);
    asker_end();
}

TEST(renewal_information)
{
    char id[128], path[200];
    maker_serial = 0x80; /* its first byte is 00 */
    asker_begin(&(struct ca_plan){ONE, .ari = true, .ari_start = -3600, .ari_end = 7200});
    assert_int_equal(asker_get("GET", "/dir"), 200);
    asker_says("\"renewalInfo\":\"" CA_URL "/renewal-info\"");
    assert_int_equal(new_account(), 201);
    maker_serial = 0x80;
    (void)issue("");
    ca_certid(&ca.order[0], id, sizeof id);
    assert_string_equal(id, "YWJjZGVmZ2hpcHFyc3R1dnd4ef8.AIA");
    snprintf(path, sizeof path, "/renewal-info/%s", id);
    assert_int_equal(asker_get("GET", path), 200);
    asker_says("\"suggestedWindow\":{\"start\":\"2026-09-21T13:13:20Z\",\"end\":\"2026-09-21T16:13:20Z\"}");
    asker_says("Retry-After: 21600\r\n");
    asker_says_not("rEPLAY-nONCE");
    assert_int_equal(asker_get("GET", "/renewal-info/YWJj.AA"), 404);
    asker_says(URN "malformed");
    assert_int_equal(ca.renewal_infos, 2);
    asker_end();
}

TEST(renewal_information_says_when)
{
    static const char *const after[] = {"60", "Mon, 21 Sep 2026 20:00:00 GMT", "-1", "99999999999"};
    for (unsigned i = 0; i < 4; i++) {
        char head[80];
        asker_begin(&(struct ca_plan){ONE, .ari = true, .ari_start = 10, .ari_end = 5, .ari_after = after[i]});
        assert_int_equal(asker_get("GET", "/renewal-info/x.y"), 404);
        snprintf(head, sizeof head, "Retry-After: %s\r\n", after[i]);
        asker_says(head);
        asker_end();
    }
}

/* One of an earlier run; and none at all, where renewal information is not offered (RFC 9773, 5). */
TEST(replaces_by_plan)
{
    for (int ari = 0; ari < 2; ari++) {
        asker_begin(&(struct ca_plan){ONE, .ari = ari == 1, .issued = "YWJj.AA"});
        assert_int_equal(new_account(), 201);
        assert_int_equal(new_order(",\"replaces\":\"YWJj.AA\""), ari ? 201 : 400);
        assert_int_equal(new_order(",\"replaces\":\"YWJj.AB\""), ari ? 404 : 400);
        asker_says(URN "malformed");
        asker_end();
    }
}

TEST(replaced_once)
{
    char id[128], more[200];
    asker_begin(&(struct ca_plan){ONE, .ari = true});
    assert_int_equal(new_account(), 201);
    (void)issue("");
    ca_certid(&ca.order[0], id, sizeof id);
    assert_int_equal(new_order(",\"replaces\":\"YWJj.AA\""), 404);
    asker_says(URN "malformed");
    snprintf(more, sizeof more, ",\"replaces\":\"%s\"", id);
    assert_int_equal(new_order(more), 201);
    asker_says("\"replaces\":\"");
    assert_int_equal(new_order(more), 409);
    asker_says(URN "alreadyReplaced");
    assert_int_equal(new_order(""), 201);
    ca.order[1].status = "invalid"; /* the order that replaced it has failed: another may */
    assert_int_equal(new_order(more), 201);
    asker_end();
}

TEST(stale_reads)
{
    asker_begin(&(struct ca_plan){ONE, .born_valid = 1, .stale = 2});
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_order(""), 201);
    assert_int_equal(finalize(1, certificate), 200);
    assert_int_equal(asker_post("/order/1", ""), 200);
    asker_says("{\"status\":\"valid\"");
    assert_int_equal(asker_post("/order/1", ""), 200);
    asker_says("{\"status\":\"pending\"");
    asker_says_not("\"certificate\"");
    assert_int_equal(asker_post("/order/1", ""), 200);
    asker_says("{\"status\":\"valid\"");
    asker_end();
}

TEST(a_failed_validation_stays_pending)
{
    asker_begin(&(struct ca_plan){ONE, .failures = 1, .not_pending = "conflict"});
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_order(""), 201);
    publish(1);
    assert_int_equal(asker_post("/chall/1/0", "{}"), 200);
    assert_int_equal(asker_post("/authz/1/0", ""), 200);
    asker_says("\"error\":{\"type\":\"" URN "connection\"");
    asker_says("\"status\":\"pending\"");
    assert_int_equal(asker_post("/chall/1/0", "{}"), 200);
    assert_int_equal(asker_post("/chall/1/0", "{}"), 409); /* it is being validated */
    asker_says(URN "conflict");
    assert_int_equal(asker_post("/authz/1/0", ""), 200);
    asker_says("\"status\":\"valid\"");
    asker_end();
}

TEST(not_ready_though_all_is_valid)
{
    asker_begin(&(struct ca_plan){ONE, .born_valid = 1, .lag = 2, .processing = 1});
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_order(""), 201);
    assert_int_equal(finalize(1, certificate), 403);
    asker_says(URN "orderNotReady");
    assert_int_equal(asker_post("/order/1", ""), 200);
    asker_says("\"status\":\"pending\"");
    assert_int_equal(finalize(1, certificate), 200);
    asker_says("\"status\":\"processing\"");
    assert_int_equal(asker_post("/order/1", ""), 200);
    asker_says("\"status\":\"valid\"");
    asker_end();
}

TEST(an_order_of_a_stranger)
{
    unsigned char *point = NULL;
    asker_begin(&(struct ca_plan){ONE, .stranger = true});
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_order(""), 201);
    asker_says("\"status\":\"valid\"");
    assert_int_equal(EVP_PKEY_get1_encoded_public_key(certificate, &point), 65);
    assert_memory_not_equal(ca.order[0].point, point, 65);
    OPENSSL_free(point);
    assert_int_equal(new_order(""), 201);
    asker_says("\"status\":\"pending\"");
    asker_end();
}

TEST(orders_are_used_again)
{
    asker_begin(&(struct ca_plan){ONE, .reuse = true});
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_order(""), 201);
    assert_int_equal(new_order(""), 201);
    asker_says("Location: " CA_URL "/order/1\r\n");
    assert_int_equal(ca.order_count, 1);
    asker_end();
}

TEST(chains_in_other_layouts)
{
    static struct ca_order o;
    static char leaf[] = "-----BEGIN CERTIFICATE-----\nAAAA\nBB==\n-----END CERTIFICATE-----\n"
                         "-----BEGIN CERTIFICATE-----\nCCCC\n-----END CERTIFICATE-----\n";
    o.chain = leaf;
    assert_string_equal(ca_write_chain(NULL, &o, "x\n@root\n@leaf"),
                        "x\n-----BEGIN CERTIFICATE-----\nCCCC\n-----END CERTIFICATE-----\n"
                        "-----BEGIN CERTIFICATE-----\nAAAA\nBB==\n-----END CERTIFICATE-----");
    assert_string_equal(ca_write_chain(NULL, &o, "@root/crlf."),
                        "-----BEGIN CERTIFICATE-----\r\nCCCC\r\n-----END CERTIFICATE-----.");
    assert_string_equal(ca_write_chain(NULL, &o, "none"), "none");
}

/* --- what it does not let pass */

static void nonce_twice(void)
{
    (void)asker_get("HEAD", "/nonce");
    wrong.nonce = true;
    (void)new_order("");
    (void)new_order("");
}

static void response_with_a_payload(void)
{
    publish(1);
    (void)asker_post("/chall/1/0", "{\"keyAuthorization\":\"x\"}");
}

static void response_without_an_answer(void)
{
    publish(1);
    ca.published = NULL;
    (void)asker_post("/chall/1/0", "{}");
}

static void wrong_answer(void)
{
    publish(1);
    ca.published = "token.thumbprint";
    (void)asker_post("/chall/1/0", "{}");
}

static void request_with_the_account_key(void)
{
    ca.order[0].status = "ready";
    (void)finalize(1, account);
}

static void request_for_other_names(void)
{
    static const struct ca_plan other = {.names = {"a.example", "b.example"}, .name_count = 2};
    char payload[3000];
    ca.order[0].status = "ready";
    ca_csr(&other, certificate, payload, sizeof payload);
    (void)asker_post("/finalize/1", payload);
}

TEST(mistakes_are_noticed)
{
#define ORDER(name, more) "/new-order", "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"" name "\"}]" more "}"
    static const struct mistake all[] = {{{.signature = true}, ORDER("a.example", "")},
                                         {{.url = true}, ORDER("a.example", "")},
                                         {{.both = true}, ORDER("a.example", "")},
                                         {{.kid = true}, ORDER("a.example", "")},
                                         {{.media = true}, ORDER("a.example", "")},
                                         {.does = nonce_twice},
                                         {{0}, ORDER("b.example", "")},
                                         {{0}, ORDER("a.example", ",\"notAfter\":\"2026-11-24T00:00:00Z\"")},
                                         {{0}, "/order/1", "{}"},
                                         {{0}, "/order/1", NULL},
                                         {{0}, "/cert/1", ""},
                                         {.does = response_with_a_payload},
                                         {.does = response_without_an_answer},
                                         {.does = wrong_answer},
                                         {.does = request_with_the_account_key},
                                         {.does = request_for_other_names}};
    asker_begin(&(struct ca_plan){ONE});
    assert_int_equal(new_account(), 201);
    assert_int_equal(new_order(""), 201);
    asker_is_noticed(all, LEN(all));
    assert_int_equal(asker_post(ORDER("a.example", "")), 201); /* no mistake */
    assert_int_equal(ca.order_count, 2);
    asker_end();
}

AROUND(asker_keys, asker_no_keys, NULL, NULL);
