/* acme_error.h - every error of the core: one table.
 *
 * Columns: name, value, is a later retry useful (1) or must a person act (0), meaning, usual cause. Values are
 * negative, in a range per layer. A program that wants the texts expands the table (port/posix does); the core itself
 * carries none, so they cost no flash. */
#ifndef ACME_ERROR_H
#define ACME_ERROR_H

#include "acme_config.h"

/* clang-format off */
#define ACME_ERRORS(X) \
    /* set-up: the caller's struct acme_setup */ \
    X(ACME_E_SIZE, -1, 0, "client compiled with other limits", "two objects saw different acme_config.h values") \
    X(ACME_E_NULL, -2, 0, "a required pointer is missing", "a member of struct acme_setup was left out") \
    X(ACME_E_NAMES, -3, 0, "a name is no DNS name, is there twice, or one too many", "wildcard, address that is not in the text CAs take, or without ACME_CFG_ADDRESSES, empty label, over ACME_NAMES_MAX") \
    X(ACME_E_WORK_SMALL, -4, 0, "a lent buffer is too small", "work below ACME_WORK_MIN, TLS record buffer below 837 bytes") \
    X(ACME_E_TLS_NAME, -5, 0, "no host name to check the CA's certificate against", "the URL has an IP address: give tls_name, a DNS name in the server's certificate; or ACME_CFG_ADDRESSES, and an address that can be read") \
    X(ACME_E_ANCHORS, -6, 0, "no usable trust anchor", "trust store empty, not PEM, or with no key of RSA 2048 to 4096, P-256 or P-384") \
    X(ACME_E_TEXT, -7, 0, "a text holds a forbidden character", "control character in product or a contact") \
    /* what is stored, and the system */ \
    X(ACME_E_STORE_READ, -20, 1, "a record cannot be read", "permissions, worn flash") \
    X(ACME_E_STORE_WRITE, -21, 1, "a record cannot be written", "directory not writable, disk or flash full") \
    X(ACME_E_KEY_CORRUPT, -22, 0, "a stored private key cannot be read as a P-256 key", "damaged or foreign file; restore or remove it") \
    X(ACME_E_PAIR, -23, 0, "the stored certificate and key do not belong together", "one of the two was replaced by hand") \
    X(ACME_E_RANDOM, -24, 1, "no entropy", "random source not ready, failed or stuck") \
    X(ACME_E_CLOCK, -25, 1, "the time is not known", "clock before the build date: set it") \
    X(ACME_E_KEY, -26, 1, "a key operation failed", "secure element not answering") \
    /* network */ \
    X(ACME_E_HOST, -30, 1, "host name not found", "name server, typing error in the URL") \
    X(ACME_E_REFUSED, -31, 1, "connection refused", "wrong port, server down") \
    X(ACME_E_UNREACHABLE, -32, 1, "network unreachable", "no route, cable, firewall") \
    X(ACME_E_TIMEOUT, -33, 1, "no answer in time", "firewall, overloaded server") \
    X(ACME_E_CLOSED, -34, 1, "connection closed", "server or middlebox ended it") \
    X(ACME_E_NET, -35, 1, "network error", "see the port") \
    X(ACME_E_LISTEN, -36, 1, "cannot listen for http-01 validation", "port taken, or no permission") \
    /* TLS; acme_failure::tls_code has the engine's own number */ \
    X(ACME_E_TLS_UNTRUSTED, -40, 1, "the CA server's certificate is not trusted", "wrong trust store, captive portal, intercepting proxy, or the server does not send its intermediate") \
    X(ACME_E_TLS_DATES, -41, 1, "the CA server's certificate has expired", "not renewed, or clock ahead") \
    X(ACME_E_TLS_HOST, -42, 1, "the CA server's certificate is for another name", "wrong URL or tls_name, captive portal; common names in it do not count, nor do addresses for a name") \
    X(ACME_E_TLS_CERT, -43, 1, "the CA server's certificate is malformed or not allowed here", "not a CA, unknown critical extension, forbidden usage") \
    X(ACME_E_TLS_SIGNATURE, -44, 1, "a signature in the CA server's chain is wrong", "wrong intermediate, tampering, or an algorithm or curve this build lacks") \
    X(ACME_E_TLS_WEAK, -45, 1, "a key in the CA server's chain is too weak", "RSA below 2048 bits") \
    X(ACME_E_TLS_ALERT, -46, 1, "the server ended TLS with an alert", "no common version or cipher suite") \
    X(ACME_E_TLS_RECORD, -47, 1, "a TLS record is damaged", "captive portal, not TLS on that port, tampering, truncation") \
    X(ACME_E_TLS_RECORD_BIG, -48, 0, "a TLS record exceeds the lent record buffer", "lend ACME_TLS_BUFFER_MIN bytes") \
    X(ACME_E_TLS_VERSION, -49, 0, "no common TLS version or suite", "server speaks TLS 1.3 only, or 1.1") \
    X(ACME_E_TLS, -50, 1, "TLS failed", "see tls_code") \
    X(ACME_E_TLS_EARLY, -51, 1, "the CA server's certificate is not valid yet", "clock behind") \
    /* HTTP */ \
    X(ACME_E_HTTP_SYNTAX, -60, 1, "the answer is not HTTP", "another protocol on that port") \
    X(ACME_E_HTTP_LONG, -61, 1, "a needed header is too long", "Location over ACME_URL_MAX") \
    X(ACME_E_HTTP_FRAMING, -62, 1, "contradictory message length", "broken or hostile server") \
    X(ACME_E_HTTP_TRUNCATED, -63, 1, "the answer ended early", "connection lost") \
    X(ACME_E_BODY_BIG, -64, 0, "the answer exceeds the work buffer", "lend more than now") \
    X(ACME_E_HTTP_STATUS, -65, 1, "unexpected HTTP status", "no ACME resource") \
    X(ACME_E_REDIRECT, -66, 1, "redirect not followed", "captive portal, signed request redirected, or more than 3 in a row") \
    /* JSON and URLs */ \
    X(ACME_E_JSON, -70, 1, "the answer is not valid JSON", "HTML page, captive portal") \
    X(ACME_E_JSON_DEPTH, -71, 1, "JSON nested too deeply", "hostile server, or raise ACME_JSON_DEPTH") \
    X(ACME_E_JSON_TOKENS, -72, 1, "JSON with too many elements for the work buffer", "lend more than now") \
    X(ACME_E_MEMBER, -73, 1, "the answer lacks a required member or header", "not an ACME server") \
    X(ACME_E_URL, -74, 0, "malformed URL", "typing error, hostile server") \
    X(ACME_E_URL_SCHEME, -75, 0, "URL is not https", "http is not allowed here") \
    X(ACME_E_URL_HOST, -76, 0, "URL leads to a host other than the directory's", "list it in more_hosts if it is meant") \
    X(ACME_E_URL_LONG, -77, 0, "URL longer than ACME_URL_MAX", "raise the limit, or ACME_NAME_TEXT") \
    /* ACME */ \
    X(ACME_E_PROBLEM, -80, 0, "the CA refused", "its own words tell why") \
    X(ACME_E_AUTHZ, -81, 1, "the CA could not validate a name", "the CA gives no reason; often the name leads elsewhere, or this machine is not reached at port 80 from outside") \
    X(ACME_E_ORDER, -82, 1, "the CA declared the order invalid", "its own words tell why") \
    X(ACME_E_CHALLENGE_NONE, -83, 0, "the CA offers no challenge we have a solver for", "see what it offers for the name, and which solvers declined") \
    X(ACME_E_TOKEN, -84, 1, "illegal challenge token", "hostile server") \
    X(ACME_E_BUDGET, -85, 1, "a step did not finish in time", "slow CA; the next run resumes") \
    X(ACME_E_NONCE, -86, 1, "the CA gives no usable nonce or rejects every one", "several CA nodes out of step") \
    X(ACME_E_ACCOUNT, -87, 0, "the account is deactivated or revoked", "ask the CA, or remove the account's key for a new one") \
    X(ACME_E_TERMS, -88, 0, "the CA's terms of service must be accepted", "set accept_terms after reading them") \
    X(ACME_E_RATE_LIMITED, -89, 1, "the CA asks to come back later", "rate limit") \
    X(ACME_E_SOLVER, -90, 1, "the challenge answer could not be published", "see the solver") \
    X(ACME_E_REQUEST_BIG, -91, 0, "a request exceeds the work buffer", "many long names: lend more") \
    X(ACME_E_EAB, -92, 0, "the CA wants an external account binding", "get a key id and a MAC key from the CA, and set them") \
    X(ACME_E_STATUS, -93, 1, "an object has an unknown status for too long", "newer or broken CA") \
    /* the certificate */ \
    X(ACME_E_CERT_KEY, -100, 1, "the certificate is for another key", "order reused by another client, hostile CA") \
    X(ACME_E_CERT_NAMES, -101, 0, "the certificate is for other names", "hostile or broken CA, or one that knows common names only") \
    X(ACME_E_CERT_DATES, -102, 1, "the certificate's dates make no sense", "expired already, or clock far ahead") \
    X(ACME_E_CERT_SYNTAX, -103, 1, "the certificate cannot be decoded", "truncated or not PEM") \
    X(ACME_E_CERT_BIG, -104, 0, "a certificate of the chain exceeds the work buffer", "lend more than now") \
    ACME_ERRORS_RENEWAL(X) \
    ACME_ERRORS_CHOICE(X) \
    ACME_ERRORS_TABLE(X) \
    ACME_ERRORS_BINDING(X) \
    ACME_ERRORS_DRAFTS(X) \
    ACME_ERRORS_ALTERNATE(X) \
    ACME_ERRORS_MANAGE(X)

#if ACME_CFG_RENEWAL
#define ACME_ERRORS_RENEWAL(X) \
    X(ACME_E_OFFER, -28, 1, "the new pair was not accepted", "the application has refused it") \
    X(ACME_E_DEPLOY, -29, 1, "the new pair was not taken over", "what it is for has failed with it; it is given again by itself") \
    X(ACME_E_PROFILE, -97, 0, "the CA does not offer this certificate profile", "its own words tell which there are; choose one, or none") \
    X(ACME_E_WAIT, -98, 1, "too many attempts have failed; the next one has to wait", "see what failed; it is tried again by itself")
#else
#define ACME_ERRORS_RENEWAL(X)
#endif
#if ACME_CFG_CHOICE
#define ACME_ERRORS_CHOICE(X) \
    X(ACME_E_WILDCARD, -11, 0, "a wildcard name needs a solver for dns-01", "no other challenge proves one") \
    X(ACME_E_DECLINED, -99, 0, "the solver declines", "never the end of a run: the next solver has its turn") \
    X(ACME_E_DNS_SILENT, -110, 1, "the name server does not answer", "down, wrong address, or a firewall for UDP in between") \
    X(ACME_E_DNS_REFUSED, -111, 0, "the name server refuses the update by its policy", "allow this TSIG key to write TXT records at that name (BIND: update-policy or allow-update; others have a list of addresses as well)") \
    X(ACME_E_DNS_KEY, -112, 0, "the name server does not know the TSIG key (BADKEY)", "another name or algorithm there; compare the key statements on both sides") \
    X(ACME_E_DNS_SIGNATURE, -113, 0, "the name server finds the TSIG signature wrong (BADSIG)", "the secret is another one there") \
    X(ACME_E_DNS_TIME, -114, 1, "the name server's clock and ours are too far apart (BADTIME)", "set the one that is wrong; five minutes are allowed") \
    X(ACME_E_DNS_NOTAUTH, -115, 0, "the name server is not the primary of the zone (NOTAUTH)", "ask the zone's primary, in the view that the key belongs to, or name the zone") \
    X(ACME_E_DNS_NOTZONE, -116, 0, "the record's name is not in the zone (NOTZONE)", "name another zone, or none: then it is looked for") \
    X(ACME_E_DNS_NO_ZONE, -117, 0, "the name server has no zone for the name", "it is delegated to another server, or an alias leads elsewhere or round: ask that server, or name the record") \
    X(ACME_E_DNS_ANSWER, -118, 1, "the name server's answer cannot be trusted", "unsigned, signed with another key, cut or damaged: a box in between, or a server without TSIG") \
    X(ACME_E_DNS_FAILED, -119, 1, "the name server could not do it", "SERVFAIL, NOTIMP or the like: see its log") \
    X(ACME_E_DNS_NAME, -120, 0, "a name is too long for the DNS, or is none", "see the name, the key's name, the zone and the record's name")
#else
#define ACME_ERRORS_CHOICE(X)
#endif
#if ACME_CFG_SIGNED_ANCHORS
#define ACME_ERRORS_TABLE(X) \
    X(ACME_E_TABLE, -8, 0, "the table of trust anchors is damaged", "cut on its way or while it was stored, without anchors, or of a later version") \
    X(ACME_E_TABLE_SIGNATURE, -9, 0, "the table of trust anchors is not signed by the vendor", "another key, or changed since") \
    X(ACME_E_TABLE_OLD, -10, 0, "the table of trust anchors is not newer than the one in use", "it has come before, or its serial number was not raised")
#else
#define ACME_ERRORS_TABLE(X)
#endif
#if ACME_CFG_EAB
#define ACME_ERRORS_BINDING(X) \
    X(ACME_E_BINDING, -12, 0, "the CA refused the external account binding", "wrong secret or key id, used or expired, or made for another CA: get a new one")
#else
#define ACME_ERRORS_BINDING(X)
#endif
#if ACME_CFG_DNS_DRAFTS
#define ACME_ERRORS_DRAFTS(X) \
    X(ACME_E_ISSUERS, -13, 0, "the CA's list of its own names for dns-persist-01 is malformed", "none, more than ten, or no DNS names in small letters: that challenge must not be answered")
#else
#define ACME_ERRORS_DRAFTS(X)
#endif
#if ACME_CFG_ALTERNATE
#define ACME_ERRORS_ALTERNATE(X) \
    X(ACME_E_CHAIN, -106, 0, "the CA offers no chain as it is wished for", "another root by now, or another spelling: its own choice is used; never the end of a run")
#else
#define ACME_ERRORS_ALTERNATE(X)
#endif
#if ACME_CFG_MANAGE
#define ACME_ERRORS_MANAGE(X) \
    X(ACME_E_KEY_FIXED, -27, 0, "the account key cannot be changed from here", "it lives outside the store, as in a secure element") \
    X(ACME_E_NO_ACCOUNT, -94, 0, "the CA knows no account for this key", "another directory or state than the one it was made with") \
    X(ACME_E_NOT_OFFERED, -95, 0, "the CA does not offer this", "its directory lacks the resource") \
    X(ACME_E_IGNORED, -96, 0, "the CA answered, but did not do it", "switched off there; ask the CA") \
    X(ACME_E_NO_CERT, -105, 0, "there is no certificate in use", "nothing was issued, or for another first name")
#else
#define ACME_ERRORS_MANAGE(X)
#endif
/* clang-format on */

enum acme_error {
#define ACME_ERROR_ENUM(name, value, retry, meaning, cause) name = value,
    ACME_ERRORS(ACME_ERROR_ENUM)
#undef ACME_ERROR_ENUM
        ACME_OK = 0
};

#endif
