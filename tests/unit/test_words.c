/* test_words.c - what the program says, situation by situation: words that must be there, and words that would send
 * people the wrong way. Each is told twice, for people and as JSON. */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "doc.h"
#include "maker.h"
#include "report.h"
#include "webroot.h"

#define URN "urn:ietf:params:acme:error:"
#define V1  "urn:acme:error:"
#define NOW 1795000000

/* --- a run that only has an end --- */

static struct acme_client client;
static struct acme_setup setup;
static struct acme_config config;
static struct acme_posix_net net;
static struct acme_posix_store store;
static struct acme_posix_listener listener;
static struct acme_report report;
static char state[64], out[65536], err[65536];
static int64_t clock_utc;

static int utc(void *ctx, int64_t *now)
{
    *now = clock_utc;
    return clock_utc != 0;
}

static const struct acme_sys sys = {.utc = utc};

static FILE *files[2];
static int kept[2];

static void listen_in(void)
{
    for (int i = 0; i < 2; i++) {
        files[i] = tmpfile();
        assert_non_null(files[i]);
        kept[i] = dup(i + 1);
        assert_int_equal(dup2(fileno(files[i]), i + 1), i + 1);
    }
}

/* From here on what is said is listened to. */
static void begin(bool json)
{
    memset(&client, 0, sizeof client);
    memset(&report, 0, sizeof report);
    memset(&listener, 0, sizeof listener);
    memset(&net, 0, sizeof net);
    clock_utc = NOW;
    acme_config_init(&config);
    config.directory_url = "https://ca.test/dir";
    config.eab_kid = "kid-1";
    config.eab_key_file = "/etc/eab.key";
    static const char *const names[] = {"a.example", "192.168.1.1", "fd00::1"};
    setup.sys = &sys;
    setup.names = names;
    setup.name_count = 3;
    client.setup = &setup;
    client.flow.setup = &setup;
    client.exchange.counts.requests = 5;
    client.exchange.retry_after_s = -1;
    (void)acme_url_parse(&client.flow.hosts.directory, acme_slice_of(config.directory_url));
    acme_posix_store_init(&store, state, "a.example");
    report.json = json;
    report.config = &config;
    report.client = &client;
    report.net = &net;
    report.store = &store;
    report.listener = &listener;
    struct acme_event request = {.kind = ACME_EVENT_REQUEST}; /* forgets what the test before had said */
    acme_report_event(&report, &request);
    listen_in();
}

static void heard(void)
{
    char *texts[] = {out, err};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dup2(kept[i], i + 1), i + 1);
        close(kept[i]);
        rewind(files[i]);
        size_t n = fread(texts[i], 1, sizeof out - 1, files[i]);
        texts[i][n] = '\0';
        fclose(files[i]);
    }
}

/* All of it is heard, and these words are among it. */
static void is_told(const char *words)
{
    heard();
    assert_non_null(strstr(err, words));
}

static void happens(struct acme_event e)
{
    acme_report_event(&report, &e);
}

static void refuses(enum acme_step step, const char *type, const char *detail, uint16_t status, const char *name)
{
    struct acme_event e = {.kind = ACME_EVENT_PROBLEM, .step = step, .http_status = status};
    e.text = acme_slice_of(type);
    e.detail = acme_slice_of(detail);
    e.name = acme_slice_of(name);
    acme_report_event(&report, &e);
    client.failure.http_status = status;
    (void)snprintf(client.failure.type, sizeof client.failure.type, "%s", type);
    (void)snprintf(client.failure.detail, sizeof client.failure.detail, "%s", detail);
}

static void fails(int error, enum acme_step step, const char *name)
{
    client.failure.error = error;
    client.failure.step = step;
    (void)snprintf(client.failure.name, sizeof client.failure.name, "%s", name);
    acme_report_end(&report, ACME_FAILED, false);
}

/* The line that stays in a log: the last one. */
static const char *last_line(char *text)
{
    size_t len = strlen(text);
    if (len > 0 && text[len - 1] == '\n') {
        text[len - 1] = '\0';
    }
    const char *line = strrchr(text, '\n');
    return line == NULL ? text : line + 1;
}

/* The last object of --json; all lines must be objects. Caller frees. */
static json_t *end_object(void)
{
    json_t *end = NULL;
    for (char *line = strtok(out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        json_decref(end);
        json_error_t why;
        end = json_loads(line, 0, &why);
        if (end == NULL) {
            fail_msg("not JSON: %s: %.300s", why.text, line);
        }
    }
    assert_non_null(end);
    assert_string_equal(json_string_value(json_object_get(end, "event")), "end");
    return end;
}

static const char *member(json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value != NULL ? value : "";
}

static void judge(const char *what, const char *text, const char *const *says, const char *const *never)
{
    for (size_t i = 0; says[i] != NULL; i++) {
        if (strstr(text, says[i]) == NULL) {
            fail_msg("%s: does not say \"%s\": %s", what, says[i], text);
        }
    }
    for (size_t i = 0; never[i] != NULL; i++) {
        if (strstr(text, never[i]) != NULL) {
            fail_msg("%s: says \"%s\": %s", what, never[i], text);
        }
    }
}

/* --- by type, TLS number and HTTP code --- */

#define HOPELESS "trying again without a change will not help"
#define PORT_80  "port 80 closed"
#define REACH    "name does not lead here, port 80 closed"
#define ELSE     "another server answered"
#define LATER    "a later run may well succeed"

static const struct row {
    const char *what;
    int error;
    enum acme_step step;
    const char *type, *detail;
    uint16_t status;
    int tls_code;
    const char *says[4], *never[5];
} rows[] = {
    /* clang-format off */
    /* validation: the cause is what the type says */
    {"nothing listens", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, URN "connection", "10.0.0.1: Fetching http://a.example/: Connection refused", 400, 0, {REACH, ", status 400"}, {"HTTP status", HOPELESS, ELSE}},
    {"nothing listens, 2016", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, V1 "connection", "Could not connect", 400, 0, {REACH}, {HOPELESS}},
    {"takes connections, never answers", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, URN "connection", "Timeout after connect (your server may be slow or overloaded)", 400, 0, {"does not answer"}, {PORT_80}},
    {"a redirect the CA does not follow", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, URN "connection", "Invalid port in redirect target. Only ports 80 and 443 are supported, not 8080", 400, 0, {"redirects the CA"}, {PORT_80}},
    {"wrong content", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, URN "unauthorized", "The key authorization file from the server did not match", 403, 0, {ELSE, ", status 403"}, {PORT_80, "HTTP status"}},
    {"404", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, V1 "unauthorized", "Invalid response from http://a.example: 404", 403, 0, {ELSE}, {PORT_80}},
    {"wrong response", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, URN "incorrectResponse", "no", 403, 0, {ELSE}, {PORT_80}},
    {"SERVFAIL", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, URN "dns", "SERVFAIL looking up A", 400, 0, {"cannot be looked up"}, {PORT_80}},
    {"no such host, 2016", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, V1 "unknownHost", "No valid IP addresses found", 400, 0, {"cannot be looked up"}, {PORT_80}},
    {"broken DNSSEC, 2016", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, V1 "dnssec", "bogus", 400, 0, {"DNSSEC"}, {PORT_80}},
    {"CAA forbids", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, URN "caa", "CAA record for a.example prevents issuance", 403, 0, {"CAA record", "does not allow this CA"}, {PORT_80}},
    {"a redirect to https that fails", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, URN "tls", "no", 400, 0, {"https"}, {PORT_80}},
    {"the CA's own trouble while validating", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, URN "serverInternal", "no", 500, 0, {LATER}, {PORT_80, HOPELESS}},
    {"refused by policy while validating", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, URN "rejectedIdentifier", "no", 400, 0, {"rule against this name"}, {PORT_80}},
    {"no reason given", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, "", "", 0, 0, {"gives no reason", "port 80"}, {PORT_80, HOPELESS, "status"}},
    {"a type of tomorrow", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, "urn:example:moon", "full", 400, 0, {"could not validate", "its own words"}, {PORT_80, "no reason"}},
    {"words without a type", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, "", "no luck", 400, 0, {"its own words"}, {PORT_80, "no reason"}},
    {"malformed", ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, V1 "malformed", "no luck", 400, 0, {"its own words"}, {PORT_80, "no reason"}},
    {"refused as the answer to the challenge", ACME_E_AUTHZ, ACME_STEP_RESPOND, URN "connection", "Connection refused", 400, 0, {"could not validate", REACH}, {HOPELESS, "the CA refused"}},
    {"a look at the authorization refused", ACME_E_PROBLEM, ACME_STEP_AUTHZ_POLL, URN "unauthorized", "not yours", 403, 0, {"does not let this account"}, {ELSE, PORT_80}},
    {"wrong content as the answer to the challenge", ACME_E_PROBLEM, ACME_STEP_RESPOND, URN "unauthorized", "wrong", 403, 0, {ELSE}, {HOPELESS}},
    {"no word for half an hour", ACME_E_BUDGET, ACME_STEP_AUTHZ_POLL, "", "", 0, 0, {"does not say how the validation went", "port 80"}, {HOPELESS}},
    {"slow elsewhere", ACME_E_BUDGET, ACME_STEP_ORDER_POLL, "", "", 0, 0, {"slow CA"}, {"port 80"}},

    /* requests: by the type, and hopeless only where it says so */
    {"500 of a CA that is down", ACME_E_PROBLEM, ACME_STEP_ACCOUNT, V1 "serverInternal", "Error creating new registration", 500, 0, {"trouble of its own", LATER, ", status 500"}, {HOPELESS, "the CA refused", "HTTP status"}},
    {"500 of a template", ACME_E_PROBLEM, ACME_STEP_FINALIZE, URN "serverInternal", "The server experienced an internal error", 500, 0, {"trouble of its own", LATER}, {HOPELESS}},
    {"501 and another type", ACME_E_PROBLEM, ACME_STEP_FINALIZE, URN "rejectedIdentifier", "not implemented", 501, 0, {"cannot do what was asked"}, {HOPELESS, "rule against"}},
    {"503 and badCSR", ACME_E_PROBLEM, ACME_STEP_FINALIZE, URN "badCSR", "later", 503, 0, {"trouble of its own"}, {HOPELESS}},
    {"599", ACME_E_PROBLEM, ACME_STEP_ORDER, "", "what", 599, 0, {LATER}, {HOPELESS}},
    {"an order that failed by the CA's fault", ACME_E_ORDER, ACME_STEP_ORDER_POLL, URN "serverInternal", "Error finalizing order", 500, 0, {LATER}, {HOPELESS, "HTTP status"}},
    {"an order that failed by CAA", ACME_E_ORDER, ACME_STEP_ORDER_POLL, URN "caa", "no", 403, 0, {"CAA record"}, {}},
    {"policy", ACME_E_PROBLEM, ACME_STEP_ORDER, URN "rejectedIdentifier", "forbidden by policy", 400, 0, {"rule against this name", "addresses asked for: 192.168.1.1, fd00::1", HOPELESS}, {"HTTP status"}},
    {"identifiers of another kind", ACME_E_PROBLEM, ACME_STEP_ORDER, URN "unsupportedIdentifier", "no", 400, 0, {"names of this kind", "addresses asked for: 192.168.1.1, fd00::1", HOPELESS}, {}},
    {"CAA at once", ACME_E_PROBLEM, ACME_STEP_ORDER, URN "caa", "no", 403, 0, {"CAA record", HOPELESS}, {"addresses"}},
    {"a request for certificates it does not like", ACME_E_PROBLEM, ACME_STEP_FINALIZE, URN "badCSR", "CN was longer than 64 bytes", 400, 0, {"certificate request", HOPELESS}, {}},
    {"a key it does not like", ACME_E_PROBLEM, ACME_STEP_ACCOUNT, URN "badPublicKey", "no", 400, 0, {"P-256", HOPELESS}, {}},
    {"an algorithm it does not like", ACME_E_PROBLEM, ACME_STEP_ACCOUNT, URN "badSignatureAlgorithm", "allowed: ['RS256']", 400, 0, {"ES256", HOPELESS}, {}},
    {"account binding, by the directory", ACME_E_EAB, ACME_STEP_DIRECTORY, "", "", 0, 0, {"external account binding", "--eab-kid ID and --eab-key-file", HOPELESS}, {}},
#if ACME_CFG_EAB
    {"a binding: Google, wrong secret", ACME_E_BINDING, ACME_STEP_ACCOUNT, URN "unauthorized", "External Account Binding JWS verification failed", 403, 0, {"refused the external account", "kid-1", HOPELESS}, {"deactivated", "secret.txt\n"}},
    {"a binding: step-ca, wrong secret", ACME_E_BINDING, ACME_STEP_ACCOUNT, URN "serverInternal", "The server experienced an internal error", 500, 0, {"may be wrong", "/etc/eab.key", HOPELESS}, {LATER, "trouble of its own"}},
    {"a binding: Sectigo, used", ACME_E_BINDING, ACME_STEP_ACCOUNT, URN "malformed", "The account is not awaiting external account binding", 400, 0, {"was used", HOPELESS}, {}},
#endif
    {"account binding, by a refusal", ACME_E_PROBLEM, ACME_STEP_ORDER, URN "externalAccountRequired", "no", 403, 0, {"external account binding", HOPELESS}, {}},
    {"a person has to act", ACME_E_PROBLEM, ACME_STEP_ORDER, URN "userActionRequired", "visit https://ca.test/act", 403, 0, {"a person has to act", HOPELESS}, {}},
    {"new terms", ACME_E_TERMS, ACME_STEP_ORDER, URN "userActionRequired", "terms", 403, 0, {"a person has to act", HOPELESS}, {"HTTP status"}},
    {"new terms, old Pebble", ACME_E_PROBLEM, ACME_STEP_ORDER, URN "agreementRequired", "terms", 403, 0, {"a person has to act"}, {}},
    {"a contact without a scheme", ACME_E_PROBLEM, ACME_STEP_ACCOUNT, URN "unsupportedContact", "contact method \"\" is not supported", 400, 0, {"mailto:", HOPELESS}, {}},
    {"a contact that is none", ACME_E_PROBLEM, ACME_STEP_ACCOUNT, URN "invalidContact", "no", 400, 0, {"mailto:", HOPELESS}, {}},
    {"a contact that is none, 2016", ACME_E_PROBLEM, ACME_STEP_ACCOUNT, V1 "invalidEmail", "no", 400, 0, {"mailto:", HOPELESS}, {}},
    {"no contact", ACME_E_PROBLEM, ACME_STEP_ACCOUNT, URN "malformed", "Contact information is missing", 400, 0, {"--contact mailto:"}, {HOPELESS}},
    {"a reason for revocation", ACME_E_PROBLEM, ACME_STEP_REVOKE, URN "badRevocationReason", "disallowed", 400, 0, {"other reasons", "--reason", HOPELESS}, {}},
    {"the account ended behind our back", ACME_E_PROBLEM, ACME_STEP_ORDER, URN "unauthorized", "Account is not valid, has status \"deactivated\"", 403, 0, {"deactivated", "account.pem", HOPELESS}, {PORT_80}},
    {"the account ended", ACME_E_ACCOUNT, ACME_STEP_ORDER, URN "unauthorized", "Account is not valid", 401, 0, {"deactivated or revoked", "remove /tmp/nanoacme-words-", "account.pem for a new one"}, {}},
    {"not allowed", ACME_E_PROBLEM, ACME_STEP_REVOKE, URN "unauthorized", "not yours", 403, 0, {"does not let this account"}, {PORT_80, HOPELESS}},
    {"right after another key", ACME_E_PROBLEM, ACME_STEP_ORDER, URN "malformed", "Unable to validate JWS :: JWS verification error", 400, 0, {"the CA refused"}, {HOPELESS}},
    {"an order that is gone", ACME_E_PROBLEM, ACME_STEP_ORDER_POLL, URN "malformed", "No order for ID", 404, 0, {"the CA refused"}, {HOPELESS}},
    {"a type of tomorrow, asked", ACME_E_PROBLEM, ACME_STEP_ORDER, "urn:example:moon", "full", 400, 0, {"its own words tell why"}, {HOPELESS}},
    {"a profile", ACME_E_PROBLEM, ACME_STEP_ORDER, URN "invalidProfile", "no", 400, 0, {"profile", HOPELESS}, {}},
    {"dns as a refusal", ACME_E_PROBLEM, ACME_STEP_ORDER, URN "dns", "no", 400, 0, {"cannot be looked up"}, {HOPELESS}},

    /* an HTTP code and nothing else */
    {"sealed", ACME_E_HTTP_STATUS, ACME_STEP_DIRECTORY, "", "", 503, 0, {"down or busy", "try later", "HTTP status 503"}, {"not an ACME", HOPELESS}},
    {"a proxy's 502", ACME_E_HTTP_STATUS, ACME_STEP_ORDER, "", "", 502, 0, {"down or busy"}, {"not an ACME", HOPELESS}},
    {"a proxy's 504", ACME_E_HTTP_STATUS, ACME_STEP_ORDER, "", "", 504, 0, {"down or busy"}, {"not an ACME", HOPELESS}},
    {"no nonces to be had", ACME_E_HTTP_STATUS, ACME_STEP_ORDER, "", "", 500, 0, {"trouble of its own", LATER}, {"not an ACME", HOPELESS}},
    {"not made", ACME_E_HTTP_STATUS, ACME_STEP_ORDER, "", "", 501, 0, {"cannot do"}, {HOPELESS}},
    {"no such page", ACME_E_HTTP_STATUS, ACME_STEP_DIRECTORY, "", "", 404, 0, {"directory's URL", "HTTP status 404"}, {HOPELESS}},
    {"a firewall's 403", ACME_E_HTTP_STATUS, ACME_STEP_DIRECTORY, "", "", 403, 0, {"proxy or firewall"}, {HOPELESS}},
    {"login", ACME_E_HTTP_STATUS, ACME_STEP_DIRECTORY, "", "", 401, 0, {"login"}, {HOPELESS}},
    {"a proxy's login", ACME_E_HTTP_STATUS, ACME_STEP_DIRECTORY, "", "", 407, 0, {"proxy", "login"}, {HOPELESS}},
    {"a portal's 511", ACME_E_HTTP_STATUS, ACME_STEP_DIRECTORY, "", "", 511, 0, {"captive portal"}, {HOPELESS}},
    {"a teapot", ACME_E_HTTP_STATUS, ACME_STEP_DIRECTORY, "", "", 418, 0, {"no ACME resource"}, {HOPELESS}},
    {"no nonce at all", ACME_E_NONCE, ACME_STEP_ORDER, "", "", 0, 0, {"Replay-Nonce", "strips", "allowed_response_headers"}, {"out of step", HOPELESS}},

    /* TLS */
    {"alert 40", ACME_E_TLS_VERSION, ACME_STEP_DIRECTORY, "", "", 0, 296, {"alert", "client certificate", "TLS 1.3 only", "CBC or RSA key exchange"}, {}},
    {"a wrong signature", ACME_E_TLS_SIGNATURE, ACME_STEP_DIRECTORY, "", "", 0, 52, {"P-521", "wrong intermediate"}, {"(tampering)"}},
    {"out of order", ACME_E_TLS_CERT, ACME_STEP_DIRECTORY, "", "", 0, 55, {"out of order", "twice", "does not belong"}, {"not a CA"}},
    {"constraints", ACME_E_TLS_CERT, ACME_STEP_DIRECTORY, "", "", 0, 57, {"name or policy constraints", "--ca-file"}, {"not a CA"}},
    {"not a CA", ACME_E_TLS_CERT, ACME_STEP_DIRECTORY, "", "", 0, 58, {"is no CA"}, {}},
    {"usage", ACME_E_TLS_CERT, ACME_STEP_DIRECTORY, "", "", 0, 59, {"keyUsage"}, {}},
    {"another code", ACME_E_TLS_CERT, ACME_STEP_DIRECTORY, "", "", 0, 34, {"malformed", "TLS code 34"}, {}},
    {"untrusted", ACME_E_TLS_UNTRUSTED, ACME_STEP_DIRECTORY, "", "", 0, 62, {"does not send its intermediate", "captive portal"}, {}},
    {"asks for a client certificate", ACME_E_TLS_ALERT, ACME_STEP_DIRECTORY, "", "", 0, 256 + 42, {"client certificate"}, {}},
    {"asks for a client certificate, as 1.3 says it", ACME_E_TLS_ALERT, ACME_STEP_DIRECTORY, "", "", 0, 256 + 116, {"client certificate"}, {}},
    {"unknown name", ACME_E_TLS_ALERT, ACME_STEP_DIRECTORY, "", "", 0, 256 + 112, {"tls_name"}, {}},
    {"1.3 only", ACME_E_TLS_VERSION, ACME_STEP_DIRECTORY, "", "", 0, 256 + 70, {"TLS 1.3 only", HOPELESS}, {"client certificate"}},
    {"a portal in clear", ACME_E_TLS_RECORD, ACME_STEP_DIRECTORY, "", "", 0, 10, {"captive portal"}, {HOPELESS}},
    {"for another name", ACME_E_TLS_HOST, ACME_STEP_DIRECTORY, "", "", 0, 56, {"common names in it do not count, nor do addresses for a name", "captive portal"}, {}},
    {"redirects", ACME_E_REDIRECT, ACME_STEP_DIRECTORY, "", "", 0, 0, {"captive portal"}, {HOPELESS}},
    /* clang-format on */
};

TEST(each_situation_has_its_words)
{
    for (size_t i = 0; i < LEN(rows); i++) {
        const struct row *r = &rows[i];
        for (int json = 0; json < 2; json++) {
            begin(json);
            if (r->type[0] != '\0' || r->detail[0] != '\0') {
                refuses(r->step, r->type, r->detail, r->status, "a.example");
            }
            client.failure.http_status = r->status;
            client.failure.tls_code = r->tls_code;
            client.failure.retry_s = json == 0 ? 86400 : 0; /* advice changes no words of hope */
            fails(r->error, r->step, "a.example");
            heard();
            if (json == 0) {
                judge(r->what, last_line(err), r->says, r->never);
                /* and the CA's own words, whole, on the line above */
                assert_true(r->detail[0] == '\0' || strstr(err, r->detail) != NULL);
                continue;
            }
            json_t *end = end_object();
            judge(r->what, member(end, "message"), r->says, r->never);
            assert_string_equal(member(end, "type"), r->type);
            assert_string_equal(member(end, "detail"), r->detail);
            assert_true(member(end, "hint")[0] != '\0' &&
                        strstr(member(end, "message"), member(end, "hint")) != NULL);
            bool worded = r->type[0] != '\0' || r->detail[0] != '\0';
            json_t *of_problem = json_object_get(end, "problem_status"),
                   *of_http = json_object_get(end, "http_status");
            assert_int_equal(json_integer_value(worded ? of_problem : of_http), r->status);
            assert_null(worded ? of_http : of_problem);
            json_decref(end);
        }
    }
}

/* A root that has left is no trouble of the network, and the server's name of it no word of the CA's. */
TEST(a_missing_anchor_has_its_name)
{
    static const char *const says[] = {"no anchor for \"Root YE\"", "not trusted", "wrong trust store",
                                       "a CA's root may change",    "TLS code 62", NULL};
    static const char *const never[] = {"the CA says", "cannot reach", HOPELESS, NULL};

    for (int json = 0; json < 2; json++) {
        begin(json);
        client.failure.tls_code = 62;
        (void)strcpy(client.failure.detail, "Root YE");
        fails(ACME_E_TLS_UNTRUSTED, ACME_STEP_DIRECTORY, "");
        heard();
        if (json == 0) {
            judge("no anchor", last_line(err), says, never);
            continue;
        }
        json_t *end = end_object();
        judge("no anchor", member(end, "message"), says, never);
        assert_string_equal(member(end, "detail"), ""); /* the CA has said nothing */
        json_decref(end);
    }
}

/* No type, with any code of the server's, at any step, is ever called hopeless. */
TEST(a_servers_trouble_is_never_hopeless)
{
    static const int errors[] = {ACME_E_PROBLEM, ACME_E_HTTP_STATUS, ACME_E_ORDER, ACME_E_AUTHZ};
    for (size_t i = 0; i < LEN(rows); i++) {
        for (unsigned k = 0; k < LEN(errors) * ACME_STEP_COUNT; k++) {
            begin(false);
            refuses(ACME_STEP_ORDER, rows[i].type, rows[i].detail, (uint16_t)(500 + i), "");
            fails(errors[k % LEN(errors)], (enum acme_step)(k / LEN(errors)), "");
            heard();
            assert_null(strstr(err, HOPELESS));
        }
    }
}

/* The record was not found: no word of port 80; and what is spoken here is what was configured. A name server's refusals have
 * words of their own, and those of the solver. */
TEST(dns_01)
{
    static const struct acme_solver dns = {.type = "dns-01"}, http = {.type = "http-01"};
    static const struct acme_solver *const solvers[] = {&dns, &http};
    static const int errors[] = {ACME_E_DNS_REFUSED, ACME_E_DNS_KEY,     ACME_E_DNS_SIGNATURE, ACME_E_DNS_TIME,
                                 ACME_E_DNS_NOTAUTH, ACME_E_DNS_NOTZONE, ACME_E_DNS_NO_ZONE,   ACME_E_DNS_ANSWER,
                                 ACME_E_DNS_FAILED,  ACME_E_DNS_NAME,    ACME_E_DNS_SILENT};
    static const char *const says[] = {"did not find the record", "--dns-watch", NULL}, *const none[] = {NULL};
    static const char *const port[] = {PORT_80, "proxies", NULL};
    for (uint8_t turn = 0; turn < 2; turn++) { /* whose answer was in vain comes before whose turn it is */
        begin(false);
        setup.solvers = solvers;
        setup.solver_count = 2;
        client.flow.turn = turn;
        refuses(ACME_STEP_AUTHZ_POLL, URN "unauthorized", "No TXT records found", 403, "a.example");
        fails(ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, "a.example");
        heard();
        judge("dns-01", last_line(err), turn == 1 ? says : none, turn == 1 ? port : says);
    }
    for (size_t i = 0; i < LEN(errors); i++) {
        const struct acme_error_text text = acme_error_text(errors[i]);
        const char *const its[] = {text.meaning, "in example.org", NULL};
        begin(false);
        happens((struct acme_event){.kind = ACME_EVENT_SOLVER,
                                    .step = ACME_STEP_PRESENT,
                                    .error = errors[i],
                                    .text = acme_slice_of("dns-01"),
                                    .detail = acme_slice_of("_acme-challenge.a.example.org in example.org")});
        fails(errors[i], ACME_STEP_PRESENT, "a.example");
        heard();
        strncat(out, err, sizeof out - strlen(out) - 1);
        judge(text.name, out, its, port);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(acme_error_text(errors[k]).meaning, text.meaning);
        }
    }
    setup.solver_count = 0;
}

/* Terms that have changed: the CA tells where they are agreed to (RFC 8555, 7.3.3). */
TEST(new_terms_have_a_place)
{
    static const char *const says[] = {"a person has to act", "https://ca.test/agree?t=1", NULL}, *const never[] = {
                                                                                                      NULL};
    begin(false);
    refuses(ACME_STEP_ORDER, URN "userActionRequired", "terms", 403, "");
    happens((struct acme_event){.kind = ACME_EVENT_TERMS, .text = acme_slice_of("https://ca.test/agree?t=1")});
    fails(ACME_E_TERMS, ACME_STEP_ORDER, "");
    heard();
    judge("new terms", last_line(err), says, never);
}

/* --- by what the answer shows --- */

static const struct shown {
    const char *what;
    int error;
    enum acme_step step;
    const char *location, *body;
    const char *says[4], *never[3];
} shown[] = {
    /* clang-format off */
    {"leads to another host", ACME_E_URL_HOST, ACME_STEP_DIRECTORY, "", "{\"newNonce\":\"https://ca.test/n\",\"newAccount\":\"https://other.test:9500/a\",\"newOrder\":\"https://third.test/o\",\"revokeCert\":\"https://third.test/r\"}", {"newAccount is \"https://other.test:9500/a\"", "--more-host other.test:9500"}, {"more_hosts", "third.test"}},
    {"leads to another port", ACME_E_URL_HOST, ACME_STEP_ORDER, "https://ca.test:9500/order/1", "{}", {"Location is \"https://ca.test:9500/order/1\"", "--more-host ca.test:9500"}, {}},
    {"leads to another host, escaped", ACME_E_URL_HOST, ACME_STEP_DIRECTORY, "", "{\"newNonce\":\"https:\\/\\/a.test\\/n\"}", {"newNonce is \"https://a.test/n\"", "--more-host a.test"}, {}},
    {"an authorization elsewhere", ACME_E_URL_HOST, ACME_STEP_ORDER, "https://ca.test/o", "{\"status\":\"pending\",\"authorizations\":[\"https://ca.test/1\",\"https://[::1]:14000/2\"]}", {"an authorization is \"https://[::1]:14000/2\"", "--more-host [::1]:14000"}, {}},
    {"a challenge elsewhere", ACME_E_URL_HOST, ACME_STEP_AUTHZ, "", "{\"challenges\":[{\"type\":\"http-01\",\"url\":\"https://v.test/c\"}]}", {"the challenge is \"https://v.test/c\"", "--more-host v.test"}, {}},
    {"a challenge elsewhere, 2016", ACME_E_URL_HOST, ACME_STEP_AUTHZ, "", "{\"challenges\":[{\"type\":\"http-01\",\"uri\":\"https://v.test/c\"}]}", {"https://v.test/c"}, {}},
    {"a certificate elsewhere", ACME_E_URL_HOST, ACME_STEP_FINALIZE, "", "{\"status\":\"valid\",\"certificate\":\"https://files.test/c\"}", {"certificate is \"https://files.test/c\"", "--more-host files.test"}, {}},
    {"http from a proxy", ACME_E_URL_SCHEME, ACME_STEP_DIRECTORY, "", "{\"newNonce\":\"http://ca.test/n\"}", {"newNonce is \"http://ca.test/n\"", "https", "proxy"}, {"http is not allowed here"}},
    {"http in the order", ACME_E_URL_SCHEME, ACME_STEP_ORDER, "https://ca.test/o", "{\"status\":\"ready\",\"finalize\":\"http://ca.test/f\"}", {"finalize is \"http://ca.test/f\""}, {}},
    {"a URL that is none", ACME_E_URL, ACME_STEP_DIRECTORY, "", "{\"newNonce\":\"https://ca test/n\\n\\u001b[31m\\u00fc\"}", {"newNonce is \"https://ca test/n??[31m"}, {"\x1b"}},
    {"no Location, account", ACME_E_MEMBER, ACME_STEP_ACCOUNT, "", "{\"status\":\"valid\"}", {"the Location header", "strips"}, {"not an ACME server"}},
    {"no Location, order", ACME_E_MEMBER, ACME_STEP_ORDER, "", "{\"status\":\"pending\"}", {"the Location header"}, {"not an ACME server"}},
    {"no newOrder", ACME_E_MEMBER, ACME_STEP_DIRECTORY, "", "{\"newNonce\":\"https://ca.test/n\",\"newAccount\":\"https://ca.test/a\"}", {"missing is \"newOrder\""}, {}},
    {"no new-authz, 2016", ACME_E_MEMBER, ACME_STEP_DIRECTORY, "", "{\"new-cert\":\"https://ca.test/n\",\"new-reg\":\"https://ca.test/a\"}", {"missing is \"new-authz\""}, {"newNonce"}},
    {"a number for a URL", ACME_E_MEMBER, ACME_STEP_DIRECTORY, "", "{\"newNonce\":7}", {"missing is \"newNonce\""}, {}},
    {"no finalize", ACME_E_MEMBER, ACME_STEP_ORDER, "https://ca.test/o", "{\"status\":\"ready\",\"authorizations\":[\"https://ca.test/1\"]}", {"missing is \"finalize\""}, {"Location"}},
    {"no status", ACME_E_MEMBER, ACME_STEP_AUTHZ, "", "{\"identifier\":{\"value\":\"a.example\"}}", {"missing is \"status\""}, {}},
    {"an authorization for whom", ACME_E_MEMBER, ACME_STEP_AUTHZ, "", "{\"status\":\"pending\",\"identifier\":{\"value\":\"b.example\"}}", {"the authorization is for \"b.example\""}, {}},
    {"an empty page", ACME_E_MEMBER, ACME_STEP_DIRECTORY, "", NULL, {"the answer has no body"}, {}},
    {"other challenges", ACME_E_CHALLENGE_NONE, ACME_STEP_AUTHZ, "", "{\"challenges\":[{\"type\":\"dns-01\"},{\"type\":\"tls-alpn-01\"},{},{\"type\":\"device-attest-01\"}]}", {"it offers dns-01, tls-alpn-01, device-attest-01", "only http-01"}, {"wildcard"}},
    {"no challenges", ACME_E_CHALLENGE_NONE, ACME_STEP_AUTHZ, "", "{\"challenges\":[]}", {"it offers none", "only http-01"}, {"wildcard"}},
    {"a wildcard", ACME_E_CHALLENGE_NONE, ACME_STEP_AUTHZ, "", "{\"wildcard\":true,\"challenges\":[{\"type\":\"dns-01\"}]}", {"it offers dns-01", "wildcard names need dns-01"}, {}},
    /* clang-format on */
};

TEST(what_an_answer_shows_is_named)
{
    static const struct acme_json nothing = {0};
    for (size_t i = 0; i < LEN(shown) * 2; i++) {
        const struct shown *s = &shown[i / 2];
        begin(i % 2 > 0);
        strcpy(client.exchange.http.answer.location, s->location);
        if (s->step == ACME_STEP_ORDER && s->location[0] != '\0' && s->error != ACME_E_URL_HOST) {
            strcpy(client.flow.order.url, s->location);
        }
        happens((struct acme_event){.kind = ACME_EVENT_ANSWER,
                                    .step = s->step,
                                    .error = s->error,
                                    .http_status = 200,
                                    .document = s->body != NULL ? doc(s->body) : &nothing});
        fails(s->error, s->step, "");
        heard();
        if (i % 2 == 0) {
            judge(s->what, last_line(err), s->says, s->never);
            assert_null(strstr(out, "done"));
        } else {
            json_t *end = end_object();
            judge(s->what, member(end, "message"), s->says, s->never);
            json_decref(end);
        }
    }
}

TEST(a_list_without_end_stays_within_bounds)
{
    static char many[4000] = "{\"challenges\":[{}";
    while (strlen(many) < sizeof many - 100) {
        strcat(many, ",{\"type\":\"a-challenge-with-a-long-name-01\"}");
    }
    strcat(many, "]}");
    begin(false);
    happens((struct acme_event){
        .kind = ACME_EVENT_ANSWER, .step = ACME_STEP_AUTHZ, .error = ACME_E_CHALLENGE_NONE, .document = doc(many)});
    fails(ACME_E_CHALLENGE_NONE, ACME_STEP_AUTHZ, "");
    is_told("only http-01");
    assert_true(strlen(err) < 1200);
}

TEST(a_redirect_is_named)
{
    static const struct {
        int error;
        const char *location, *says[3], *never[2];
    } cases[] = {
        {ACME_E_URL_HOST,
         "https://portal.test/login",
         {"redirect's Location is \"https://portal.test/login\"", "captive portal"},
         {}},
        {ACME_E_URL_SCHEME,
         "http://portal.test/login",
         {"redirect's Location is \"http://portal.test/login\"", "captive portal"},
         {}},
    };
    for (size_t i = 0; i < LEN(cases); i++) {
        begin(false);
        client.exchange.http.answer.status = 302;
        strcpy(client.exchange.http.answer.location, cases[i].location);
        fails(cases[i].error, ACME_STEP_DIRECTORY, "");
        heard();
        judge("a redirect", last_line(err), cases[i].says, cases[i].never);
    }
}

TEST(names_of_a_wrong_certificate_are_named)
{
    static const struct {
        const char *san, *says[2], *never[2];
    } cases[] = {
        {NULL, {"no subjectAltName"}, {"hostile"}},
        {"DNS:other.example,DNS:a.example,IP:10.0.0.1,IP:2001:DB8:0::1,email:a@b.example",
         {"it is for other.example, a.example, 10.0.0.1, 2001:db8::1, a name of another kind"},
         {"hostile"}},
    };
    EVP_PKEY *key = maker_ec("P-256");
    for (size_t i = 0; i < LEN(cases); i++) {
        size_t len;
        X509 *made = maker_certificate(&(struct maker_spec){.name = "a.example", .san = cases[i].san, .key = key});
        uint8_t *der = maker_der(made, &len);
        for (int v1 = 0; v1 < 2; v1++) {
            begin(false);
            client.chain.memory = der;
            client.chain.cap = len;
            client.chain.pem.len = v1 ? 0 : len;
            client.exchange.body = v1 ? ACME_BODY_DER : ACME_BODY_CHAIN;
            client.exchange.body_len = v1 ? len : 0;
            fails(ACME_E_CERT_NAMES, ACME_STEP_CERTIFICATE, "");
            heard();
            judge("a certificate for others", last_line(err), cases[i].says, cases[i].never);
        }
        begin(false); /* overwritten by now */
        client.chain.memory = (uint8_t[]){1, 2, 3};
        client.chain.cap = client.chain.pem.len = 3;
        fails(ACME_E_CERT_NAMES, ACME_STEP_CERTIFICATE, "");
        is_told("for other names");
        free(der);
        X509_free(made);
    }
    EVP_PKEY_free(key);
}

/* --- refusals that are answers --- */

TEST(a_refusal_that_is_an_answer_is_no_error)
{
    static const char in_use[] = "Registration key is already in use";
    for (int i = 0; i < 4; i++) {
        bool json = i & 1, verbose = i & 2;
        begin(json);
        report.verbose = verbose;
        refuses(ACME_STEP_ACCOUNT, V1 "malformed", in_use, 409, "");
        happens((struct acme_event){.kind = ACME_EVENT_STEP, .step = ACME_STEP_REVOKE});
        happens((struct acme_event){.kind = ACME_EVENT_REQUEST, .step = ACME_STEP_REVOKE});
        refuses(ACME_STEP_REVOKE, V1 "malformed", "Certificate already revoked", 409, "");
        client.when = ACME_REVOKE;
        acme_report_end(&report, ACME_DONE, false);
        heard();
        assert_int_equal(strstr(json ? out : err, in_use) != NULL, verbose);
        assert_int_equal(strstr(json ? out : err, "already revoked") != NULL, verbose);
        assert_true(verbose || err[0] == '\0');
        assert_true(json || strstr(out, "revoked") != NULL); /* and this is said */
        if (json) {
            json_decref(end_object());
        }
    }
}

TEST(the_end_of_each_verb_is_said)
{
    static const struct {
        enum acme_task when;
        const char *says[3], *never[1];
    } cases[] = {{ACME_REVOKE, {"revoked", "fullchain.pem"}, {}},
                 {ACME_DEACTIVATE, {"deactivated", "account.pem"}, {}},
                 {ACME_CHANGE_KEY, {"changed", "account.pem"}, {}}};
    for (size_t i = 0; i < LEN(cases); i++) {
        begin(false);
        client.when = cases[i].when;
        acme_report_end(&report, ACME_DONE, false);
        heard();
        judge("a verb", out, cases[i].says, cases[i].never);
        assert_string_equal(err, "");
    }
}

TEST(what_something_comes_of_is_told)
{
    begin(false); /* a wait comes of it */
    refuses(ACME_STEP_ORDER, URN "serverInternal", "down", 500, "");
    happens((struct acme_event){
        .kind = ACME_EVENT_WAIT, .step = ACME_STEP_ORDER, .error = ACME_E_PROBLEM, .wait_ms = 60000});
    is_told("serverInternal: down");
    assert_non_null(strstr(out, "the CA has trouble of its own, again in 60 s"));
    assert_null(strstr(out, "the CA refused"));

    begin(false); /* nothing: it was an answer, and what came then has another cause */
    refuses(ACME_STEP_ACCOUNT, V1 "malformed", "in use", 409, "");
    happens((struct acme_event){.kind = ACME_EVENT_STEP, .step = ACME_STEP_ORDER});
    happens((struct acme_event){
        .kind = ACME_EVENT_WAIT, .step = ACME_STEP_ORDER, .error = ACME_E_CLOSED, .wait_ms = 1000});
    memset(client.failure.type, 0, sizeof client.failure.type);
    memset(client.failure.detail, 0, sizeof client.failure.detail);
    client.failure.http_status = 0;
    fails(ACME_E_CLOSED, ACME_STEP_ORDER, "");
    heard();
    assert_null(strstr(err, "in use"));
    assert_null(strstr(err, "status"));
    begin(false);
    refuses(ACME_STEP_ACCOUNT, V1 "malformed", "in use", 409, "");
    memset(client.failure.type, 0, sizeof client.failure.type);
    memset(client.failure.detail, 0, sizeof client.failure.detail);
    fails(ACME_E_STORE_WRITE, ACME_STEP_ORDER, "");
    heard();
    assert_null(strstr(err, "in use"));

    begin(false); /* it was an answer, and the next request is refused */
    refuses(ACME_STEP_ACCOUNT, V1 "malformed", "in use", 409, "");
    happens((struct acme_event){.kind = ACME_EVENT_REQUEST, .step = ACME_STEP_REVOKE});
    refuses(ACME_STEP_REVOKE, V1 "unauthorized", "not yours", 403, "");
    fails(ACME_E_PROBLEM, ACME_STEP_REVOKE, "");
    heard();
    assert_null(strstr(err, "in use"));
    assert_non_null(strstr(err, "not yours"));

    begin(false); /* an answer that is refused, and its parts */
    refuses(ACME_STEP_AUTHZ_POLL, URN "compound", "quite a few", 403, "a.example");
    struct acme_event part = {.kind = ACME_EVENT_PROBLEM, .step = ACME_STEP_AUTHZ_POLL, .subproblem = true};
    part.text = acme_slice_of(URN "caa");
    part.detail = acme_slice_of("no");
    happens(part);
    happens((struct acme_event){.kind = ACME_EVENT_ANSWER,
                                .step = ACME_STEP_AUTHZ_POLL,
                                .error = ACME_E_AUTHZ,
                                .status = ACME_STATUS_INVALID,
                                .polls = 2});
    assert_string_equal(report.told.type, URN "compound");
    fails(ACME_E_AUTHZ, ACME_STEP_AUTHZ_POLL, "a.example");
    is_told("part of it: " URN "caa: no");
    assert_non_null(strstr(out, "invalid, poll 2"));
    assert_null(strstr(last_line(err), "quite a few")); /* once is enough */
}

TEST(the_same_words_are_said_once)
{
    for (int json = 0; json < 2; json++) {
        begin(json);
        for (int i = 0; i < 8; i++) {
            happens((struct acme_event){.kind = ACME_EVENT_REQUEST, .step = ACME_STEP_AUTHZ});
            refuses(ACME_STEP_AUTHZ, V1 "malformed", "Expired authorization", 404, "");
            happens((struct acme_event){
                .kind = ACME_EVENT_WAIT, .step = ACME_STEP_AUTHZ, .error = ACME_E_PROBLEM, .wait_ms = 1000});
        }
        heard();
        char *words = json ? out : err, *first = strstr(words, "Expired");
        assert_non_null(first);
        assert_null(strstr(first + 1, "Expired"));
    }
}

/* --- waits --- */

#define PAUSED                                                                                                       \
    "Your account is temporarily prevented from requesting certificates for a.example and possibly others. Please "  \
    "visit: https://ca.test/sfe/v1/unpause?jwt=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."                                \
    "eyJpc3MiOiJXRkUiLCJzdWIiOiIxIiwiYXVkIjpbIlNGRSBVbnBhdXNlIl0sImV4cCI6MTc5NjIwOTYwMCwiaWF0IjoxNzk1MDAwMDAwLCJ2"   \
    "IjoidjEiLCJpIjoiYS5leGFtcGxlIiwiZG9tYWlucyI6WyJhLmV4YW1wbGUiXX0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk"

static void paused(bool json, const char *detail)
{
    begin(json);
    refuses(ACME_STEP_ORDER, URN "rateLimited", detail, 429, "");
    client.failure.detail[200] = '\0'; /* the core keeps a part of it */
    client.failure.retry_s = 86400;
    fails(ACME_E_RATE_LIMITED, ACME_STEP_ORDER, "");
    heard();
}

static void held_back(bool json, int64_t later_s)
{
    begin(json);
    clock_utc = NOW + later_s;
    client.exchange.counts.requests = 0;
    client.failure.retry_s = (uint32_t)(86400 - later_s);
    fails(ACME_E_RATE_LIMITED, ACME_STEP_DIRECTORY, "");
    heard();
}

static const char *const nobody[] = {"waiting until 2026-11-19 11:06 UTC", "as an earlier run has stored",
                                     "nobody was asked", "--force asks all the same", NULL};
static const char *const the_ca[] = {"the CA asks", "retry_s", "directory:", "rate limit", HOPELESS, NULL};

TEST(a_pause_says_what_it_is_and_where_to_go)
{
    static const char *const says[] = {PAUSED, "until somebody does what",
                                       "try again in 86400 s, after 2026-11-19 11:06 UTC", NULL};
    static const char *const never[] = {"retry_s", HOPELESS, "HTTP status", NULL};
    paused(false, PAUSED);
    judge("a pause", err, says, never);
    paused(true, PAUSED);
    json_t *end = end_object();
    judge("a pause", member(end, "message"), says, never);
    assert_string_equal(member(end, "detail"), PAUSED);
    json_decref(end);

    static const char *const again[] = {PAUSED, "because the CA asked for it", URN "rateLimited", NULL};
    held_back(false, 3600);
    judge("the next run", err, nobody, the_ca);
    judge("the next run", err, again, never);
    held_back(true, 7200);
    end = end_object();
    judge("the next run", member(end, "message"), nobody, the_ca);
    assert_string_equal(member(end, "detail"), PAUSED);
    assert_int_equal(json_integer_value(json_object_get(end, "held_until")), NOW + 86400);
    assert_string_equal(member(end, "hint"), "nobody was asked, --force asks all the same");
    json_decref(end);

    paused(true, "x"); /* what was kept is replaced */
    held_back(false, 60);
    assert_null(strstr(err, "unpause"));
}

TEST(words_are_whole_whatever_they_hold)
{
    static char longest[7900];
    for (size_t i = 0; i + 1 < sizeof longest; i++) {
        longest[i] = i % 3 == 0 ? '"' : i % 3 == 1 ? '\\' : 'x'; /* twice as long in JSON */
    }
    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            paused(true, longest);
        } else {
            held_back(true, 60);
        }
        json_t *end = end_object();
        assert_string_equal(member(end, "detail"), longest);
        assert_non_null(strstr(member(end, "message"), longest));
        json_decref(end);
    }
    paused(false, longest);
    assert_non_null(strstr(err, longest));
}

/* It is a cache: whatever is there instead, the run says that it waits, and why it may be. */
TEST(kept_words_may_be_missing)
{
    static const char *const files_of[] = {NULL,
                                           "",
                                           "nanoacme words 1",
                                           "nanoacme words 1\n",
                                           "nanoacme words 2\n1795086400\n-89\ntype\ndetail\n",
                                           "nanoacme words 1\n1\n-89\ntype\ndetail\n",
                                           "nanoacme words 1\n1795086400\n\ntype\ndetail\n",
                                           "nanoacme words 1\nxyz\n-89\ntype\ndetail\n",
                                           "directory"};
    char path[128];
    (void)snprintf(path, sizeof path, "%s/.a.example.told", state);
    for (size_t i = 0; i < LEN(files_of); i++) {
        (void)unlink(path);
        if (files_of[i] != NULL && strcmp(files_of[i], "directory") == 0) {
            assert_int_equal(mkdir(path, 0700), 0);
        } else if (files_of[i] != NULL) {
            FILE *f = fopen(path, "w");
            assert_non_null(f);
            fputs(files_of[i], f);
            fclose(f);
        }
        held_back(false, 60);
        judge("kept words", err, nobody, the_ca);
        assert_non_null(strstr(err, "the CA asked for it or a certificate may have been made"));
        assert_null(strstr(err, "detail"));
    }
    assert_int_equal(rmdir(path), 0);
    FILE *f = fopen(path, "w"); /* as it is, and what would steer a terminal */
    assert_non_null(f);
    fputs("nanoacme words 1\n1795086400\n-89\n\033[31mtype\n\001d\303\274tail\n", f);
    fclose(f);
    held_back(true, 60);
    json_t *end = end_object();
    assert_string_equal(member(end, "type"), "?[31mtype");
    assert_string_equal(member(end, "detail"), "?d??tail");
    json_decref(end);
}

TEST(our_own_wait_is_not_the_cas)
{
    static const char *const says[] = {"a certificate may have been made whose answer was lost", NULL};
    begin(false);
    client.failure.retry_s = 86400;
    fails(ACME_E_CLOSED, ACME_STEP_FINALIZE, "");
    is_told("try again in 86400 s, after");
    held_back(false, 60);
    judge("our own wait", err, nobody, the_ca);
    judge("our own wait", err, says, the_ca);

    begin(false); /* a certificate, and all of it is past */
    acme_report_end(&report, ACME_ISSUED, false);
    heard();
    char path[128];
    (void)snprintf(path, sizeof path, "%s/.a.example.told", state);
    assert_int_equal(access(path, F_OK), -1);
}

TEST(kinds_of_limits)
{
    static const struct {
        const char *type;
        uint16_t status;
        int32_t retry_after_s;
        const char *says[3], *never[3];
    } cases[] = {
        {URN "rateLimited", 429, 5437, {"its own words tell which", "try again in 5437 s"}, {"paused", "retry_s"}},
        {URN "rateLimited", 429, -1, {"paused"}, {"retry_s"}},
        {V1 "rateLimited", 429, -1, {"paused"}, {"retry_s"}},
        {"", 429, -1, {"proxy", "HTTP status 429"}, {"paused", "its own words"}},
        {"", 503, 5437, {"down or busy"}, {"paused", "limit of the CA"}},
        {URN "serverInternal", 503, 5437, {"down or busy"}, {"paused", HOPELESS}},
    };
    for (size_t i = 0; i < LEN(cases); i++) {
        begin(false);
        if (cases[i].type[0] != '\0') {
            refuses(ACME_STEP_ORDER, cases[i].type, "too many", cases[i].status, "");
        }
        client.failure.http_status = cases[i].status;
        client.failure.retry_s = 5437;
        client.exchange.retry_after_s = cases[i].retry_after_s;
        fails(ACME_E_RATE_LIMITED, ACME_STEP_ORDER, "");
        heard();
        judge("a limit", last_line(err), cases[i].says, cases[i].never);
    }
    begin(false); /* longer than what is stored */
    refuses(ACME_STEP_ORDER, URN "rateLimited", "retry after 2027-02-27", 429, "");
    client.failure.retry_s = 86400;
    client.exchange.retry_after_s = 91 * 86400;
    fails(ACME_E_RATE_LIMITED, ACME_STEP_ORDER, "");
    heard();
    assert_non_null(strstr(last_line(err), "the CA asks for 91 days"));

    begin(false); /* hopeless, but the next run is held back until then */
    refuses(ACME_STEP_ORDER, URN "rejectedIdentifier", "not today", 403, "");
    client.failure.retry_s = client.exchange.retry_s = 5437;
    fails(ACME_E_PROBLEM, ACME_STEP_ORDER, "");
    heard();
    assert_non_null(strstr(last_line(err), "try again in 5437 s"));

    clock_utc = 0; /* no date without a clock */
    begin(false);
    clock_utc = 0;
    client.failure.retry_s = 60;
    fails(ACME_E_RATE_LIMITED, ACME_STEP_ORDER, "");
    is_told("try again in 60 s");
    assert_null(strstr(err, "UTC"));
}

/* --- lines on the way --- */

static const struct line {
    const char *what;
    struct acme_event e;
    const char *says[3], *never[3];
} lines[] = {
    /* clang-format off */
    {"terms, 2016", {.kind = ACME_EVENT_ANSWER, .step = ACME_STEP_ACCOUNT, .polls = 1}, {"account        done"}, {"poll"}},
    {"next name, 2016", {.kind = ACME_EVENT_ANSWER, .step = ACME_STEP_ORDER, .polls = 1}, {"done"}, {"poll"}},
    {"issuer, 2016", {.kind = ACME_EVENT_ANSWER, .step = ACME_STEP_CERTIFICATE, .polls = 1}, {"done"}, {"poll"}},
    {"looked at once", {.kind = ACME_EVENT_ANSWER, .step = ACME_STEP_AUTHZ, .status = ACME_STATUS_VALID, .polls = 1}, {"valid"}, {"poll"}},
    {"polled", {.kind = ACME_EVENT_ANSWER, .step = ACME_STEP_AUTHZ_POLL, .status = ACME_STATUS_PENDING, .polls = 3}, {"pending, poll 3"}, {}},
    {"polled order", {.kind = ACME_EVENT_ANSWER, .step = ACME_STEP_ORDER_POLL, .status = ACME_STATUS_PROCESSING, .polls = 3}, {"processing, poll 3"}, {}},
    {"a poll", {.kind = ACME_EVENT_WAIT, .step = ACME_STEP_AUTHZ_POLL, .status = ACME_STATUS_PENDING, .wait_ms = 1500}, {"pending, next look in 1.5 s"}, {}},
    {"a failing server", {.kind = ACME_EVENT_WAIT, .step = ACME_STEP_ORDER_POLL, .error = ACME_E_PROBLEM, .wait_ms = 60000}, {"trouble of its own, again in 60 s"}, {"refused"}},
    {"a failing proxy", {.kind = ACME_EVENT_WAIT, .step = ACME_STEP_ORDER, .error = ACME_E_HTTP_STATUS, .wait_ms = 1000}, {"trouble of its own, again in 1.0 s"}, {"unexpected"}},
    {"a limit", {.kind = ACME_EVENT_WAIT, .step = ACME_STEP_FINALIZE, .error = ACME_E_RATE_LIMITED, .wait_ms = 300000}, {"come back later, again in 300 s"}, {"another"}},
    {"a lost certificate", {.kind = ACME_EVENT_WAIT, .step = ACME_STEP_FINALIZE, .error = ACME_E_CLOSED, .wait_ms = 300000}, {"connection closed", "may have been made", "again in 300 s"}, {}},
    {"a failing new-cert", {.kind = ACME_EVENT_WAIT, .step = ACME_STEP_FINALIZE, .error = ACME_E_PROBLEM, .wait_ms = 300000}, {"may have been made"}, {"refused"}},
    {"terms not accepted", {.kind = ACME_EVENT_ANSWER, .step = ACME_STEP_ACCOUNT, .error = ACME_E_TERMS}, {}, {"done"}},
    {"deactivate ignored", {.kind = ACME_EVENT_ANSWER, .step = ACME_STEP_DEACTIVATE, .status = ACME_STATUS_UNKNOWN, .error = ACME_E_IGNORED}, {}, {"unknown", "done"}},
    {"deactivate ignored, by its status", {.kind = ACME_EVENT_ANSWER, .step = ACME_STEP_DEACTIVATE, .status = ACME_STATUS_VALID, .error = ACME_E_IGNORED}, {"valid"}, {"done"}},
    /* clang-format on */
};

TEST(each_line_says_what_it_is)
{
    for (size_t i = 0; i < LEN(lines); i++) {
        begin(false);
        happens(lines[i].e);
        heard();
        judge(lines[i].what, out, lines[i].says, lines[i].never);
        begin(true);
        happens(lines[i].e);
        heard();
        json_t *line = json_loads(out, 0, NULL);
        assert_non_null(line);
        assert_int_equal(member(line, "error")[0] != '\0', lines[i].e.error != 0);
        json_decref(line);
    }
}

TEST(a_stop_says_what_it_costs)
{
    for (int paid = 0; paid < 3; paid++) {
        begin(false);
        if (paid > 0) {
            happens((struct acme_event){
                .kind = ACME_EVENT_WAIT, .step = ACME_STEP_FINALIZE, .error = ACME_E_CLOSED, .wait_ms = 300000});
        }
        if (paid > 1) { /* it went out again */
            happens((struct acme_event){.kind = ACME_EVENT_REQUEST, .step = ACME_STEP_FINALIZE});
        }
        acme_report_end(&report, ACME_IDLE, true);
        is_told("the next run goes on");
        assert_int_equal(strstr(err, "another one") != NULL, paid == 1);
    }
}

/* --- this side --- */

TEST(this_machines_own_affairs)
{
    static const char *const no_key[] = {"no account key here", "account.pem", "nobody was asked", NULL};
    static const char *const known[] = {"the CA knows no account for this key", NULL};
    static const char *const asked[] = {"nobody was asked", NULL}, *const place[] = {"directory:", "the CA knows",
                                                                                     NULL};
    begin(false);
    client.exchange.counts.requests = 0;
    fails(ACME_E_NO_ACCOUNT, ACME_STEP_DIRECTORY, "");
    heard();
    judge("no key", last_line(err), no_key, place);
    begin(false);
    fails(ACME_E_NO_ACCOUNT, ACME_STEP_ACCOUNT, "");
    heard();
    judge("a key nobody knows", last_line(err), known, asked);

    static const struct {
        int code;
        const char *says;
    } ports[] = {{EADDRINUSE, "--webroot"}, {EACCES, "CAP_NET_BIND_SERVICE"}, {ENOMEM, "port taken"}};
    for (size_t i = 0; i < LEN(ports); i++) {
        begin(false);
        listener.port = 80;
        listener.error = ports[i].code;
        fails(ACME_E_LISTEN, ACME_STEP_PRESENT, "a.example");
        is_told(ports[i].says);
        assert_non_null(strstr(err, strerror(ports[i].code)));
        assert_non_null(strstr(err, "port 80"));
    }

    static const char *const hook[] = {"not taken over", "/a/hook: exit status 3; the pair is in use",
                                       "run again by itself", NULL};
    static const char *const not_the_ca[] = {"certificate:", "the CA", NULL};
    begin(false);
    report.deploy = "/a/hook: exit status 3";
    fails(ACME_E_DEPLOY, ACME_STEP_CERTIFICATE, "");
    heard();
    judge("a hook that fails", last_line(err), hook, not_the_ca);

    begin(false);
    happens((struct acme_event){.kind = ACME_EVENT_TERMS, .text = acme_slice_of("https://ca.test/terms")});
    happens((struct acme_event){.kind = ACME_EVENT_ANSWER, .step = ACME_STEP_DIRECTORY, .error = ACME_E_TERMS});
    fails(ACME_E_TERMS, ACME_STEP_DIRECTORY, "");
    heard();
    assert_non_null(strstr(last_line(err), "https://ca.test/terms; after reading them: --accept-terms"));
    assert_null(strstr(out, "done"));

    begin(false); /* the server had shown its certificate before it broke off */
    client.exchange.counts.requests = 0;
    client.channel.down = 2000;
    client.failure.tls_code = 296;
    fails(ACME_E_TLS_VERSION, ACME_STEP_DIRECTORY, "");
    is_told("client certificate");
    assert_null(strstr(err, "TLS 1.3"));

    begin(false); /* asked by another name than it knows */
    config.tls_name = "ca.test";
    static const struct acme_json nothing = {0};
    happens((struct acme_event){
        .kind = ACME_EVENT_ANSWER, .step = ACME_STEP_DIRECTORY, .error = ACME_E_MEMBER, .document = &nothing});
    fails(ACME_E_MEMBER, ACME_STEP_DIRECTORY, "");
    is_told("by the host of the URL");

    begin(false); /* nonces came, and every one was refused */
    client.exchange.counts.rejections = 6;
    fails(ACME_E_NONCE, ACME_STEP_ORDER, "");
    is_told("out of step");
}

static int make_state(void **unused)
{
    strcpy(state, "/tmp/nanoacme-words-XXXXXX");
    return mkdtemp(state) == NULL;
}

static int remove_state(void **unused)
{
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf %s", state);
    return system(command);
}

AROUND(make_state, remove_state, NULL, NULL);
