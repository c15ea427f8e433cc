/* ca_manage.c - see ca_manage.h. */
#include "ca_manage.h"
#include "ca_v1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/sha.h>

bool ca_manage_route(const struct ca *ca, struct request *r, const char *path)
{
    r->kind = !ca->plan->manage                  ? CA_KINDS
              : strcmp(path, "/account/1") == 0  ? CA_ACCOUNT
              : strcmp(path, "/revoke") == 0     ? CA_REVOKE
              : strcmp(path, "/key-change") == 0 ? CA_KEY_CHANGE
                                                 : CA_KINDS;
    return r->kind != CA_KINDS;
}

bool ca_manage_looked(const struct ca *ca, const struct request *r, struct reply *p)
{
    bool there = ca->accounts > 0 && !ca->forgot_account && !r->stranger;
    if (there && ca->managed.deactivated) {
        refuse(p, 403, "unauthorized", "An account with the provided public key exists but is deactivated");
        return true;
    }
    bool looks = strcmp(r->payload, "{\"onlyReturnExisting\":true}") == 0;
    if (looks && !there) {
        refuse(p, 400, "accountDoesNotExist", "no account for this key");
        return true;
    }
    assert_false(r->stranger); /* nobody wants a second account */
    if (looks) {
        snprintf(p->head, sizeof p->head, "Content-Type: application/json\r\nLocation: " CA_URL "/account/1\r\n");
        snprintf(p->body, sizeof p->body, "{\"status\":\"valid\"}");
    }
    return looks;
}

bool ca_manage_ended(const struct ca *ca, const struct request *r, struct reply *p)
{
    if (r->kind <= CA_NEW_ACCOUNT || !ca->managed.deactivated) {
        return false;
    }
    refuse(p, 403, "unauthorized", "Account is not valid, has status \\\"deactivated\\\"");
    return true;
}

/* --- the key --- */

void ca_manage_key(struct ca *ca, struct request *r, struct reply *p)
{
    char part[3][2000], json[1200], text[400], both[4100], layout[6200];
    uint8_t point[65], named[65], digest[32], signature[80];
    bool v1 = ca->plan->v1;
    assert_true(member(r->payload, "protected", part[0], sizeof part[0]));
    assert_true(member(r->payload, "payload", part[1], sizeof part[1]));
    assert_true(member(r->payload, "signature", part[2], sizeof part[2]));
    snprintf(layout, sizeof layout, "{%s\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}",
             v1 ? "\"resource\":\"key-change\"," : "", part[0], part[1], part[2]);
    assert_string_equal(r->payload, layout);
    json[from_b64url(part[0], strlen(part[0]), json, sizeof json - 1)] = '\0';
    assert_true(member(json, "alg", text, sizeof text) && strcmp(text, "ES256") == 0);
    assert_true(member(json, "url", text, sizeof text));
    assert_string_equal(text, r->url); /* RFC 8555, 7.3.5: the same as outside */
    assert_null(strstr(json, "\"nonce\""));
    assert_null(strstr(json, "\"kid\""));
    take_jwk(json, point);
    snprintf(both, sizeof both, "%s.%s", part[0], part[1]);
    SHA256((unsigned char *)both, strlen(both), digest);
    assert_int_equal(from_b64url(part[2], strlen(part[2]), signature, sizeof signature), 64);
    assert_true(check_signature(point, digest, signature));

    char *key = json;
    json[from_b64url(part[1], strlen(part[1]), json, sizeof json - 1)] = '\0';
    assert_true(member(json, "account", text, sizeof text));
    assert_string_equal(text, v1 ? CA_URL "/acme/reg/1" : CA_URL "/account/1");
    assert_non_null(key = strstr(json, v1 ? "\"newKey\":" : "\"oldKey\":"));
    memcpy(key, "   \"jwk\"", 8);
    take_jwk(json, named);
    assert_memory_equal(named, v1 ? point : ca->point, sizeof named);
    assert_true(memcmp(point, ca->point, sizeof point) != 0);
    memcpy(ca->point, point, sizeof point);
    ca->managed.changes++;
    snprintf(p->head, sizeof p->head, v1 ? "Content-Type: application/json\r\n" : "");
    snprintf(p->body, sizeof p->body, v1 ? "{\"id\":1}" : "");
}

/* --- the certificate --- */

void ca_manage_revoke(struct ca *ca, struct request *r, struct reply *p)
{
    char text[4000], layout[4200], reason[40] = "";
    uint8_t der[3000], mine[3000], *at = mine;
    assert_true(member(r->payload, "certificate", text, sizeof text));
    const char *why = strstr(r->payload, ",\"reason\":");
    ca->managed.reason = why == NULL ? 0 : (unsigned)atoi(why + 10);
    snprintf(reason, sizeof reason, ",\"reason\":%u", ca->managed.reason);
    snprintf(layout, sizeof layout, "{%s\"certificate\":\"%s\"%s}",
             ca->plan->v1 ? "\"resource\":\"revoke-cert\"," : "", text, why == NULL ? "" : reason);
    assert_string_equal(r->payload, layout);
    assert_true(why == NULL || ca->managed.reason > 0);
    size_t len = from_b64url(text, strlen(text), der, sizeof der);
    unsigned last = ca->order_count; /* whose certificate was made: a later order may be under way */
    while (last > 0 && ca->order[last - 1].chain == NULL) {
        last--;
    }
    assert_true(last > 0);
    struct ca_order *o = &ca->order[last - 1];
    BIO *bio = BIO_new_mem_buf(o->chain, -1);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_int_equal(i2d_X509(leaf, &at), len);
    assert_memory_equal(der, mine, len);
    X509_free(leaf);
    BIO_free(bio);
    if (ca->managed.revocations++ > 0) {
        refuse(p, ca->plan->v1 ? 409 : 400, ca->plan->v1 ? "malformed" : "alreadyRevoked",
               "Certificate already revoked");
        return;
    }
    p->head[0] = '\0'; /* no body, and nothing to call it by */
}

/* --- RFC 8555 */

void ca_manage(struct ca *ca, struct request *r, struct reply *p)
{
    switch (r->kind) {
    case CA_ACCOUNT:
        if (r->payload[0] == '\0') {
            snprintf(p->body, sizeof p->body, "{\"status\":\"valid\"}");
            break;
        }
        if (strncmp(r->payload, "{\"contact\":[", 12) == 0) {
            snprintf(ca->managed.contact, sizeof ca->managed.contact, "%.*s", (int)strlen(r->payload) - 2,
                     r->payload + 1);
            ca->managed.updates++;
            snprintf(p->body, sizeof p->body, "{\"status\":\"valid\",%s}", ca->managed.contact);
            break;
        }
        assert_string_equal(r->payload, "{\"status\":\"deactivated\"}");
        ca->managed.deactivated = true;
        snprintf(p->body, sizeof p->body, "{\"status\":\"deactivated\",\"orders\":\"" CA_URL "/orders/1\"}");
        break;
    case CA_REVOKE:
        ca_manage_revoke(ca, r, p);
        break;
    default:
        ca_manage_key(ca, r, p);
        break;
    }
}
