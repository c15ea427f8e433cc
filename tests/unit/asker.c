/* asker.c - see asker.h. */
#include "asker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/sha.h>

struct ca ca;
EVP_PKEY *account, *certificate;
char said[16384];
size_t said_len;
struct wrong wrong;
static char nonce[200];

void asker_b64url(const void *in, size_t len, char *out)
{
    EVP_EncodeBlock((unsigned char *)out, in, (int)len);
    for (char *c = out; *c != '\0'; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
    }
}

/* Asks, and returns the code. */
static int ask(const char *request)
{
    struct ca_answer answer = ca_answer(&ca, CA_HOST, request, strlen(request));
    memcpy(said, answer.at, answer.len);
    said[answer.len] = '\0';
    said_len = answer.len;
    const char *at = strstr(said, "rEPLAY-nONCE:\t");
    if (at != NULL) {
        snprintf(nonce, sizeof nonce, "%.*s", (int)strcspn(at + 14, " \r"), at + 14);
    }
    return atoi(said + strlen("HTTP/1.1 "));
}

int asker_get(const char *method, const char *path)
{
    char request[400];
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: " CA_HOST "\r\nUser-Agent: test\r\n\r\n", method,
             path);
    return ask(request);
}

void asker_jwk_of(EVP_PKEY *key, char *out, size_t cap)
{
    unsigned char *point = NULL;
    char x[60], y[60];
    assert_int_equal(EVP_PKEY_get1_encoded_public_key(key, &point), 65);
    asker_b64url(point + 1, 32, x);
    asker_b64url(point + 33, 32, y);
    OPENSSL_free(point);
    snprintf(out, cap, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
}

static void sign(const char *text, char *out)
{
    uint8_t digest[32], raw[64];
    EC_KEY *ec = EVP_PKEY_get1_EC_KEY(account);
    SHA256((const unsigned char *)text, strlen(text), digest);
    ECDSA_SIG *sig = ECDSA_do_sign(digest, 32, ec);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
    raw[9] ^= wrong.signature ? 1 : 0;
    asker_b64url(raw, sizeof raw, out);
    ECDSA_SIG_free(sig);
    EC_KEY_free(ec);
}

int asker_post(const char *path, const char *payload)
{
    char jwk[300], header[900], part[2][6000], both[12100], signature[100], body[12500], request[13500], who[400];
    bool fresh = ca.plan->v1 || strcmp(path, "/new-account") == 0;
    if (nonce[0] == '\0') {
        (void)asker_get("HEAD", ca.plan->v1 ? "/acme/new-reg" : "/nonce");
    }
    asker_jwk_of(account, jwk, sizeof jwk);
    snprintf(who, sizeof who, fresh || wrong.both ? "\"jwk\":%s" : "\"kid\":\"" CA_URL "/account/%s\"",
             fresh || wrong.both ? jwk
             : wrong.kid         ? "2"
                                 : "1");
    snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"nonce\":\"%s\",\"url\":\"" CA_URL "%s%s\",%s%s}", nonce,
             path, wrong.url ? "x" : "", who, wrong.both ? ",\"kid\":\"" CA_URL "/account/1\"" : "");
    if (!wrong.nonce) {
        nonce[0] = '\0';
    }
    asker_b64url(header, strlen(header), part[0]);
    asker_b64url(payload, strlen(payload), part[1]);
    snprintf(both, sizeof both, "%s.%s", part[0], part[1]);
    sign(both, signature);
    snprintf(body, sizeof body, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", part[0], part[1],
             signature);
    snprintf(request, sizeof request,
             "POST %s HTTP/1.1\r\nHost: " CA_HOST "\r\nUser-Agent: test\r\nContent-Type: application/%sjson\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             path, wrong.media ? "" : "jose+", strlen(body), body);
    char kept[200];
    strcpy(kept, nonce);
    int code = ask(request);
    if (wrong.nonce) {
        strcpy(nonce, kept);
    }
    return code;
}

void asker_says(const char *text)
{
    if (strstr(said, text) == NULL) {
        fail_msg("%s is not in: %s", text, said);
    }
}

void asker_says_not(const char *text)
{
    assert_null(strstr(said, text));
}

void asker_begin(const struct ca_plan *plan)
{
    ca_init(&ca, plan);
    nonce[0] = '\0';
    memset(&wrong, 0, sizeof wrong);
}

void asker_end(void)
{
    ca_free(&ca);
}

int asker_keys(void **state)
{
    account = maker_ec("P-256");
    certificate = maker_ec("P-256");
    return 0;
}

int asker_no_keys(void **state)
{
    EVP_PKEY_free(account);
    EVP_PKEY_free(certificate);
    return 0;
}

static const struct mistake *mistake;

static void make_mistake(void **state)
{
    wrong = mistake->wrong;
    if (mistake->does != NULL) {
        mistake->does();
    } else if (mistake->payload != NULL) {
        (void)asker_post(mistake->path, mistake->payload);
    } else {
        (void)asker_get("GET", mistake->path);
    }
}

static void is_noticed(const struct mistake *what)
{
    mistake = what;
    pid_t child = fork();
    if (child == 0) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(make_mistake)};
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL) {
            _exit(77);
        }
        _exit(cmocka_run_group_tests(tests, NULL, NULL));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1); /* one test failed */
}

void asker_is_noticed(const struct mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        is_noticed(&mistakes[i]);
    }
}
