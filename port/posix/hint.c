/* hint.c - what usually lies behind an error, as far as the CA's problem type, BearSSL's number, the HTTP code or the
 * answer itself tells it. Where none of them does, acme_error.h has the usual cause. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "report.h"
#include "solvers.h"
#include "config.h"
#include "wire/address.h"

static const char another_server[] =
    "another server answered, or this one's answer did not get through unchanged: look "
    "where the name leads, IPv6 too, and at proxies before port 80";
static const char another_tls[] = "another server answered at port 443, or a proxy there does not pass acme-tls/1 "
                                  "on: look where the name leads, IPv6 too";
static const char no_address[] =
    "the name cannot be looked up: no A or AAAA record, or its name servers do not answer";
static const char contacts[] = "contacts are URIs such as mailto:admin@example.org, see --contact";
static const char a_person[] = "a person has to act: the CA's own words tell what is to be read or agreed to";
static const char a_binding[] =
    "the CA wants an external account binding: an id and a key that it gives to its customers, as --eab-kid ID and "
    "--eab-key-file FILE";
static const char own_trouble[] = "try later: a later run may well succeed";

/* Problem types by their last word: that of RFC 8555, 6.7, and of ACME v1 (urn:acme:error:). The first row that fits. */
static const struct type_row {
    const char *word;
    const char *within;     /* must stand in the CA's words, any case; NULL: nothing            */
    bool hopeless;          /* a request refused for it will be refused again                    */
    const char *validation; /* what it means when a name was to be validated; NULL: as a request */
    const char *request;
} types[] = {
    {"connection", "redirect", false,
     "a web server at port 80 of the name redirects the CA to where it does not go, such as another port than 80 and "
     "443",
     NULL},
    {"connection", "after connect", false,
     "something at port 80 of the name takes the connection and does not answer: another server, or a proxy", NULL},
    {"connection", NULL, false,
     "name does not lead here, port 80 closed or not passed on to this machine, a firewall",
     "the CA could not connect to something it needs"},
    {"unauthorized", "deactivated", true, another_server,
     "the account has been deactivated: its key in the state directory, account.pem, has to be removed for a new "
     "one"},
    {"unauthorized", NULL, false, another_server, "the CA does not let this account do that"},
    {"incorrectResponse", NULL, false, another_server, another_server},
    {"dns", NULL, false, no_address, no_address},
    {"unknownHost", NULL, false, no_address, no_address},
    {"dnssec", NULL, false, "DNSSEC of the name's zone is broken", "DNSSEC of the name's zone is broken"},
    {"caa", NULL, true, "a CAA record of the name, or of a domain above it, does not allow this CA",
     "a CAA record of the name, or of a domain above it, does not allow this CA"},
    {"tls", NULL, false, "a web server at port 80 of the name redirects the CA to https, and TLS fails there",
     "the CA met an error in TLS with a server it asked"},
    {"rateLimited", NULL, false, NULL, "a limit of the CA: its own words tell which"},
    {"rejectedIdentifier", NULL, true, NULL,
     "the CA has a rule against this name; private addresses and host names of no public domain are refused by "
     "public CAs"},
    {"unsupportedIdentifier", NULL, true, NULL,
     "the CA does not issue for names of this kind; some take addresses only with a profile, see --profile"},
    {"badCSR", NULL, true, NULL,
     "the CA does not accept the certificate request: its key is P-256, its names are those asked for; SSL.com says "
     "so "
     "of an account without --contact"},
    {"badPublicKey", NULL, true, NULL, "the CA does not accept the key: P-256 is all that is made here"},
    {"badSignatureAlgorithm", NULL, true, NULL, "the CA does not accept ES256, which is all that is spoken here"},
    {"externalAccountRequired", NULL, true, NULL, a_binding},
    {"userActionRequired", NULL, true, NULL, a_person},
    {"agreementRequired", NULL, true, NULL, a_person},
    {"invalidContact", NULL, true, NULL, contacts},
    {"unsupportedContact", NULL, true, NULL, contacts},
    {"invalidEmail", NULL, true, NULL, contacts},
    {"badRevocationReason", NULL, true, NULL, "the CA takes other reasons only: try --reason 1, 4 or 5, or none"},
    {"alreadyRevoked", NULL, true, NULL, "nothing is left to be done"},
    {"accountDoesNotExist", NULL, false, NULL, "the CA does not know the account any more"},
    {"orderNotReady", NULL, false, NULL, "the CA has not caught up with its own validations"},
    {"invalidProfile", NULL, true, NULL, "the CA does not know the certificate profile"},
    {"alreadyReplaced", NULL, false, NULL, "another order has replaced the certificate"},
    {"conflict", NULL, false, NULL, "the CA is busy with an earlier request for the same"},
    {"badNonce", NULL, false, NULL, "several CA nodes out of step"},
    {"compound", NULL, false, NULL, "for several reasons, each with its name"},
    {"serverInternal", NULL, false, own_trouble, own_trouble},
};

/* BearSSL's numbers; 256 and on: the server's alert. */
static const struct tls_row {
    int code;
    const char *hint;
} tls_codes[] = {
    {51, "the certificate was signed with a key of another kind than its issuer's: wrong intermediate"},
    {52, "a wrong intermediate, tampering, or a key or signature this build lacks: P-521, Ed25519, RSA-PSS"},
    {55,
     "the server sends its chain out of order, a certificate twice, or one that does not belong there: each must be "
     "signed by the next"},
    {57,
     "a critical extension that is not read here, such as name or policy constraints of an intermediate; if that one "
     "is to be trusted, its own certificate as --ca-file is the way out"},
    {58, "a certificate of the chain signs and is no CA"},
    {59, "a certificate of the chain may not be used for this: keyUsage"},
    {62, "wrong trust store (a CA's root may change), captive portal, intercepting proxy, the server does not send "
         "its intermediate, or the "
         "root's "
         "name constraints leave the server's name out"},
    {256 + 40,
     "no cipher suite in common: the server has TLS 1.3 only, CBC or RSA key exchange only, a curve such as P-521, "
     "or it wants a client certificate, and none of these is spoken here"},
    {256 + 42, "the server wants a client certificate, which is not supported"},
    {256 + 46, "the server wants a client certificate, which is not supported"},
    {256 + 48, "the server wants a client certificate, which is not supported"},
    {256 + 49, "the server does not let this machine in"},
    {256 + 70, "server speaks TLS 1.3 only, or 1.1 and less; here it is 1.2"},
    {256 + 71, "the server wants stronger cipher suites or keys"},
    {256 + 80, "trouble of the server's own: a later run may succeed"},
    {256 + 112, "the server does not know the name it was asked by: the URL's host, or tls_name"},
    {256 + 116, "the server wants a client certificate, which is not supported"},
};

static const struct http_row {
    uint16_t first, last;
    const char *hint;
} http_codes[] = {
    {401, 401, "the server, or a proxy before it, wants a login"},
    {403, 403, "a proxy or firewall on the way refuses, or it is not an ACME resource"},
    {404, 405, "no ACME resource there: look at the directory's URL"},
    {407, 407, "a proxy on the way wants a login"},
    {410, 410, "no ACME resource there any more: look at the directory's URL"},
    {429, 429, "too many requests, says the server, or a proxy before it"},
    {501, 501, "it is not made there"},
    {502, 504, "the server is down or busy: try later"},
    {511, 511, "a captive portal: somebody has to log in to this network"},
    {500, 599, own_trouble},
};

static bool contains(const char *text, const char *word)
{
    size_t len = strlen(word);
    while (*text != '\0' && strncasecmp(text, word, len) != 0) {
        text++;
    }
    return *text != '\0';
}

static const struct type_row *row_of(const char *type, const char *detail)
{
    const char *colon = strrchr(type, ':');
    const char *word = colon != NULL ? colon + 1 : type;

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].word, word) == 0 && (types[i].within == NULL || contains(detail, types[i].within))) {
            return &types[i];
        }
    }
    return NULL;
}

static bool validates(const struct acme_failure *f)
{
    return f->error == ACME_E_AUTHZ || f->step == ACME_STEP_RESPOND || f->step == ACME_STEP_AUTHZ_POLL;
}

/* True when the CA's words are about a name, not about a request: a look at the authorization may be refused too. */
static bool is_verdict(const struct acme_failure *f)
{
    return f->error == ACME_E_AUTHZ || f->step == ACME_STEP_RESPOND;
}

/* How a validation by TLS fails. NULL: as any other. */
static const char *by_tls_port(const struct acme_report *r, const struct type_row *row)
{
    static const char *const answered[] = {"unauthorized", "incorrectResponse", "tls"};

    if (!acme_config_only_tls(r->config)) {
        return NULL;
    }
    if (strcmp(row->word, "connection") == 0) {
        return r->config->tls_port == 443
                   ? "name does not lead here, port 443 closed or not passed on to this machine, a firewall"
                   : "name does not lead here, a firewall, or nobody passes on port 443, the only one that CAs ask, "
                     "to --tls-port";
    }
    for (size_t i = 0; i < sizeof answered / sizeof *answered; i++) {
        if (strcmp(row->word, answered[i]) == 0) {
            return another_tls;
        }
    }
    return NULL;
}

static const char *by_problem(const struct acme_report *r, const struct acme_failure *f)
{
    const struct type_row *row = row_of(r->told.type, r->told.detail);

    if (f->error != ACME_E_AUTHZ && f->http_status >= 500) {
        return f->http_status == 501 ? "it is not made there" : own_trouble;
    }
    if (f->step == ACME_STEP_ACCOUNT && r->config->contacts.count == 0 && contains(r->told.detail, "contact")) {
        return "the CA wants to know whom to reach: --contact mailto:admin@example.org";
    }
    if (row ==
        NULL) { /* malformed, a type of a later RFC, or no type: acme_error.h's is for a CA that says nothing */
        return r->told.type[0] != '\0' || r->told.detail[0] != '\0' ? "its own words tell why" : NULL;
    }
    if (is_verdict(f) && by_tls_port(r, row) != NULL) {
        return by_tls_port(r, row);
    }
    return row->validation != NULL && (is_verdict(f) || row->request == NULL) ? row->validation : row->request;
}

static const char *by_tls_code(const struct acme_report *r, const struct acme_failure *f)
{
    struct acme_stats stats = acme_stats(r->client);
    bool met = stats.requests == 0 && stats.bytes_down > 300; /* its certificate came before the alert */

    if (f->tls_code == 256 + 40 && met) {
        return "the server wants a client certificate, which is not supported";
    }
    for (size_t i = 0; i < sizeof tls_codes / sizeof *tls_codes; i++) {
        if (tls_codes[i].code == f->tls_code) {
            return tls_codes[i].hint;
        }
    }
    return NULL;
}

static const char *by_http_code(uint16_t code)
{
    for (size_t i = 0; i < sizeof http_codes / sizeof *http_codes; i++) {
        if (code >= http_codes[i].first && code <= http_codes[i].last) {
            return http_codes[i].hint;
        }
    }
    return NULL;
}

static const char *by_limit(const struct acme_report *r, const struct acme_failure *f)
{
    if (f->http_status == 503) {
        return by_http_code(503);
    }
    if (f->type[0] == '\0') {
        return by_http_code(429);
    }
    return r->client->exchange.retry_after_s < 0
               ? "it gives no time: account or name are paused until somebody does what the CA's own words ask for"
               : row_of("rateLimited", "")->request;
}

static const char *by_port(const struct acme_report *r)
{
    const struct acme_posix_listener *l = acme_report_listener(r);

    return l->error == EADDRINUSE && l == r->tls_listener
               ? "another program has the port; if it can pass connections for acme-tls/1 on, --tls-port names where "
                 "to"
           : l->error == EADDRINUSE ? "another program has the port; with --webroot a web server shows the answer"
           : l->error == EACCES     ? "ports below 1024 are root's, or CAP_NET_BIND_SERVICE is needed"
                                    : NULL;
}

/* Whose answer was in vain has given its turn away. */
static bool was_by_dns(const struct acme_report *r, const struct acme_failure *f)
{
    const struct acme_setup *s = r->client->setup;
    bool found =
        contains(f->type, ":unauthorized") || contains(f->type, ":incorrectResponse") || contains(f->type, ":dns");

    if (f->error != ACME_E_AUTHZ || !found || s == NULL || s->solver_count == 0) {
        return false;
    }
    size_t last = (acme_flow_get_turn(&r->client->flow) + s->solver_count - 1) % s->solver_count;
    return strcmp(s->solvers[last]->type, "dns-01") == 0 ||
           strcmp(s->solvers[last]->type, ACME_DNSACCOUNT01_TYPE) == 0;
}

/* The record is the administrator's to put there. */
static bool wants_record(const struct acme_report *r, const struct acme_failure *f)
{
    const struct acme_setup *s = r->client->setup;
    if (f->error != ACME_E_AUTHZ || s == NULL || s->solver_count == 0) {
        return false;
    }
    size_t last = (acme_flow_get_turn(&r->client->flow) + s->solver_count - 1) % s->solver_count;
    return strcmp(s->solvers[last]->type, ACME_DNSPERSIST01_TYPE) == 0;
}

static const char *by_situation(const struct acme_report *r, const struct acme_failure *f)
{
    if (wants_record(r, f)) {
        return "nanoacme dns-record NAME prints the record that has to be in the DNS for dns-persist-01";
    }
    if (was_by_dns(r, f)) {
        return "the CA did not find the record: a name server of the zone that lags (--dns-watch), a zone that is "
               "served elsewhere, "
               "or a resolver that remembers";
    }
    switch (f->error) {
    case ACME_E_PROBLEM:
    case ACME_E_AUTHZ:
    case ACME_E_ORDER:
        return by_problem(r, f);
    case ACME_E_EAB:
        return a_binding;
    case ACME_E_TERMS: /* those of the directory, or what any request may meet: new ones */
        return f->type[0] != '\0' && r->shown[0] == '\0' ? a_person : NULL;
    case ACME_E_RATE_LIMITED:
        return by_limit(r, f);
    case ACME_E_HTTP_STATUS:
        return by_http_code(f->http_status);
    case ACME_E_NONCE:
        return acme_stats(r->client).rejections == 0 ? "answers have no Replay-Nonce header: a proxy strips it, or "
                                                       "the server was not told to send it, as "
                                                       "Vault by allowed_response_headers"
                                                     : NULL;
    case ACME_E_BUDGET:
        return !validates(f) ? NULL
               : acme_config_only_tls(r->config)
                   ? "the CA does not say how the validation went: name does not lead here, port 443 not "
                     "reached, or slow CA; the next run resumes"
                   : "the CA does not say how the validation went: name does not lead here, port 80 not "
                     "reached, or slow CA; the next run resumes";
    case ACME_E_LISTEN:
        return by_port(r);
    default:
        return by_tls_code(r, f);
    }
}

/* What the refused answer itself shows. */
static void by_evidence(const struct acme_report *r, const struct acme_failure *f, struct acme_out *o)
{
    bool redirected = contains(r->shown, "redirect");

    switch (r->shown[0] != '\0' ? f->error : 0) {
    case ACME_E_URL_HOST:
        acme_out_text(o, r->shown);
        acme_out_text(o, redirected ? "; a captive portal, or if it is meant: --more-host "
                                    : "; if that is meant: --more-host ");
        acme_out_text(o, r->host);
        break;
    case ACME_E_URL_SCHEME:
        acme_out_text(o, r->shown);
        acme_out_text(o, redirected ? "; a captive portal"
                                    : "; the CA must know that it is reached by https, from its own URL or from the "
                                      "proxy before it");
        break;
    case ACME_E_URL:
    case ACME_E_URL_LONG:
        acme_out_text(o, r->shown);
        break;
    case ACME_E_MEMBER:
        acme_out_text(o, "what is missing is ");
        acme_out_text(o, r->shown);
        if (f->step == ACME_STEP_DIRECTORY && contains(r->shown, "no body") && r->config->tls_name != NULL) {
            acme_out_text(o,
                          "; with tls_name the server is still asked by the host of the URL, which it may not know");
        }
        acme_out_text(o, contains(r->shown, "header") ? ": a proxy strips it, or the server was not told to send it"
                                                      : "");
        break;
    case ACME_E_CHALLENGE_NONE:
        acme_out_text(o, r->shown);
        acme_out_text(o, "; only ");
        acme_out_text(o, acme_solvers_list(r->config));
        acme_out_text(o, " is spoken here");
        acme_out_text(o, r->config->hook != NULL ? ", and of these the hook may have declined some" : "");
        break;
    case ACME_E_TERMS:
        acme_out_text(o, f->type[0] != '\0' ? "a person has to act: the CA's own words tell how, and " : "");
        acme_out_text(o, r->shown);
        acme_out_text(o, f->type[0] != '\0' ? " is where" : "; after reading them: --accept-terms");
        break;
    default:
        break;
    }
}

/* A CA that takes names only, or not these addresses, says so of the whole order. */
static void say_addresses(const struct acme_report *r, const struct acme_failure *f, struct acme_out *o)
{
    const struct acme_setup *s = r->client->setup;
    bool about_names =
        contains(r->told.type, "rejectedIdentifier") || contains(r->told.type, "unsupportedIdentifier");
    const char *between = "; addresses asked for: ";

    for (size_t i = 0; f->error == ACME_E_PROBLEM && about_names && i < s->name_count; i++) {
        if (acme_is_address(s->names[i])) {
            acme_out_text(o, between);
            acme_out_text(o, s->names[i]);
            between = ", ";
        }
    }
}

/* Why a binding was refused: the CAs' words are few, and mean different things. */
static void by_binding(const struct acme_report *r, const struct acme_failure *f, struct acme_out *o)
{
    acme_out_text(o, f->http_status >= 500
                         ? "the secret may be wrong, to which step-ca answers like this: compare what is in "
                         : "the key id is unknown or was used, or the secret is wrong: compare what is in ");
    acme_out_text(o, r->config->eab_key_file);
    acme_out_text(o, " with what the CA has given for key id ");
    acme_out_text(o, r->config->eab_kid);
    acme_out_text(o, "; most CAs take one once, for one account, some within days (Google: 7): get a new one");
}

void acme_hint(const struct acme_report *r, struct acme_out *o)
{
    const struct acme_failure *f = acme_failure(r->client);
    const char *hint = r->held_back ? "nobody was asked, --force asks all the same" : by_situation(r, f);
    size_t start = o->len;

#if ACME_CFG_MANAGE
    hint = f->error == ACME_E_NO_ACCOUNT && acme_stats(r->client).requests == 0
               ? "nobody was asked: the first issue makes key and account"
               : hint;
#endif
    if (hint == NULL) {
        by_evidence(r, f, o);
        if (f->error == ACME_E_BINDING) {
            by_binding(r, f, o);
        }
        if (f->error == ACME_E_ACCOUNT) {
            acme_out_text(o, "ask the CA, or remove ");
            acme_out_text(o, acme_report_key(r, ACME_RECORD_ACCOUNT_KEY));
            acme_out_text(o, " for a new one");
        }
        if (f->error == ACME_E_KEY && r->signer != NULL) {
            acme_out_text(o, r->signer);
        }
#if ACME_CFG_RENEWAL
        if (f->error == ACME_E_DEPLOY && r->deploy != NULL) {
            acme_out_text(o, "deploy_hook: ");
            acme_out_text(o, r->deploy);
            acme_out_text(o, "; the pair is in use, and the hook is run again by itself");
        }
#endif
        if (f->error == ACME_E_CERT_NAMES) {
            (void)acme_evidence_names(r->client, o);
            acme_out_text(o, "; where the CA adds names: --more-names");
        }
    }
    if (o->len == start) {
        acme_out_text(o, hint != NULL ? hint : acme_error_text(f->error).cause);
    }
    say_addresses(r, f, o);
}

bool acme_retry_helps(const struct acme_report *r)
{
    const struct acme_failure *f = acme_failure(r->client);
    const struct type_row *row = row_of(r->told.type, r->told.detail);

    if (f->error == ACME_E_BINDING) {
        return false; /* whatever its code */
    }
    if (f->http_status >= 500) {
        return true; /* whatever it says: the trouble is the server's (RFC 9110, 15.6) */
    }
    if (f->error == ACME_E_PROBLEM) { /* only where the type says so: an order that is gone, say, is made anew */
        return row == NULL || !row->hopeless;
    }
    return acme_error_text(f->error).retry;
}
