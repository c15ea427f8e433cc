/* ca_more.h - what the scripted CA can play beyond RFC 8555's plain way: bound accounts, limits, profiles, renewal
 * information. ca.c asks here; each answer is a refusal or NULL. */
#ifndef TESTS_FAKE_CA_MORE_H
#define TESTS_FAKE_CA_MORE_H

#include "ca.h"

struct request {
    enum ca_kind kind;
    unsigned order, authz; /* from the path */
    char url[512];
    char payload[4096];
    size_t payload_len;
    bool head;           /* HEAD, wherever it goes */
    bool get;            /* GET, or HEAD           */
    int head_code;       /* v1: what HEAD is answered */
    int code;            /* of a refusal           */
    const char *refusal; /* NULL: none             */
    bool stranger;       /* signed by a key that is not the account's */
};

struct reply {
    int code;
    bool v1;       /* how errors are called */
    bool no_nonce; /* who answers is not the CA */
    char head[1000];
    char body[9000];
    size_t body_len; /* of one that is no text; 0: it is */
};

struct ca_no {
    int code;
    const char *type, *detail;
    const char *head; /* header lines */
};

/* What newOrder may ask for beside names. */
struct ca_wish {
    char profile[32], replaces[128];
};

/* The key identifier of the issuer in certificates that have one, as in openssl.cnf: 20 bytes. */
#define CA_KEY_ID "DER:3016801461626364656667686970717273747576777879ff"

/* Members of the directory, up to within "meta". */
const char *ca_meta(const struct ca *ca);

/* Judges newAccount's and newOrder's payloads. A payload that no client of ours may send fails the test. */
const struct ca_no *ca_account_wish(struct ca *ca, const char *payload);
const struct ca_no *ca_order_wish(struct ca *ca, const char *payload, const char *names, struct ca_wish *wish);

/* Ends an order's document. */
void ca_order_tell(const struct ca_order *o, char *to, size_t cap);

/* Answers a request for renewal information; false: it is not one. */
bool ca_renewal_info(struct ca *ca, const char *request, size_t len, struct ca_answer *answer);

/* The certID of RFC 9773, 4.1 of an order's certificate. */
void ca_certid(const struct ca_order *o, char *to, size_t cap);

/* The request of RFC 8555, 7.4 for the names of a plan; and what such a request has to be like. */
/* What a name is as an identifier, "dns" or "ip"; all of a plan's, as in openssl.cnf. */
const char *ca_type_of(const char *name);
void ca_san(const struct ca_plan *plan, char *out, size_t cap);

void ca_csr(const struct ca_plan *plan, EVP_PKEY *key, char *payload, size_t cap);
void ca_judge_csr(const struct ca *ca, X509_REQ *request);

/* A certificate's body with @leaf and @root written out; behind them /crlf (line ends) or /wide (one line). */
const char *ca_write_chain(const struct ca *ca, const struct ca_order *o, const char *body);

/* Of ca.c. */
size_t from_b64url(const char *text, size_t len, void *out, size_t cap);
bool member(const char *json, const char *name, char *out, size_t cap);
void take_jwk(const char *json, uint8_t point[65]);
bool check_signature(const uint8_t point[65], const uint8_t digest[32], const uint8_t signature[64]);
bool demand(const struct ca *ca, struct request *r, bool fine, int code, const char *type);
void refuse(struct reply *p, int code, const char *type, const char *detail);
void ca_issue(struct ca *ca, struct ca_order *o, const char *payload);

/* An order that somebody else has finalized: the same account and names, another key. */
void by_a_stranger(struct ca *ca, struct ca_order *o);

bool is_stale(const struct ca *ca, enum ca_kind kind);

/* What time does to an authorization: once a look. */
void authz_moves(const struct ca *ca, struct ca_authz *a);

/* The key authorization of a token (RFC 8555, 8.1), computed here from the account's key. */
void key_authorization(const struct ca *ca, const char *token, char *out, size_t cap);

/* What is on show is looked at: the validation of a challenge that was answered will succeed, or not. */
void begin_validation(struct ca *ca, struct ca_authz *a, const char *wanted);

#endif
