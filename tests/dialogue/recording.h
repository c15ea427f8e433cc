/* recording.h - a conversation with a server of ACME v1, recorded as JSON lines: what was asked, what was answered. */
#ifndef TESTS_DIALOGUE_RECORDING_H
#define TESTS_DIALOGUE_RECORDING_H

#include "fake/ca.h"

#include <jansson.h>

/* What a client of ACME v1 asks for. */
enum v1_kind {
    V1_DIRECTORY,
    V1_NONCE, /* HEAD of anything */
    V1_NEW_REG,
    V1_REG,
    V1_NEW_AUTHZ,
    V1_AUTHZ,
    V1_CHALLENGE,
    V1_NEW_CERT,
    V1_CERT,
    V1_ISSUER,
    V1_REVOKE,
    V1_DEACTIVATE, /* POST reg that says so: known by its payload */
    V1_KEY_CHANGE,
    V1_KINDS /* none of these */
};

/* The names of a request or a certificate, in small letters. */
struct v1_names {
    unsigned count;
    bool more; /* than there is room for */
    char name[CA_NAMES][256];
};

struct exchange {
    unsigned line; /* in the file */
    const char *step;
    unsigned ms;

    /* the request */
    enum v1_kind kind;
    const json_t *request;
    char method[16], path[600];
    json_t *protected, *payload; /* NULL: not a signed one */
    json_t *jwk;
    struct v1_names names;         /* new-authz: the one; new-cert: the request's                      */
    const struct exchange *issued; /* revoke-cert: the new-cert that gave the certificate; else NULL */
    char account[900];             /* key-change, deactivation: its URL */
    json_t *new_key;               /* key-change: the next key; else NULL                            */
    const char *not_ours;          /* why no client of ours asks just this; NULL: it may               */

    /* the answer */
    bool answered; /* there is one, and it can be given again byte by byte */
    unsigned status;
    const char *status_line;
    json_t *headers; /* pairs */
    char *body;
    size_t body_len;
    json_t *chunks;   /* sizes; NULL: not chunked      */
    json_t *document; /* the body; NULL: not JSON      */
};

#define RECORDING_MAX 1000

struct recording {
    const char *path;
    const char *name; /* of the scenario */
    char base[200];   /* http://127.0.0.1:4000 */
    const char *host; /* in it */
    char terms[300];  /* URL of the terms of service, as answers link to them */
    unsigned count, other_lines;
    struct exchange exchange[RECORDING_MAX];
    json_t *lines; /* holds all of it */
    char error[700];
};

/* False: it cannot be read, and error tells file, line and why. recording_free() in any case. */
bool recording_load(struct recording *r, const char *path);
void recording_free(struct recording *r);

/* The value of a header line of an answer; NULL: there is none. */
const char *exchange_header(const struct exchange *x, const char *name);

/* The URL of a Link of an answer, as it stands there; false: there is none. */
bool exchange_link(const struct exchange *x, const char *rel, char *url, size_t cap);

/* The status a body tells of an authorization; "" when it tells none. */
const char *exchange_status(const struct exchange *x);

const char *v1_word(enum v1_kind kind);
enum v1_kind v1_kind_of(const char *method, const char *path);
enum v1_kind v1_kind_by(enum v1_kind kind, const json_t *payload); /* that of a path, looked at more closely */
const char *v1_resource(enum v1_kind kind);                        /* `resource` of its payload; NULL: not signed */

/* Whether a client of ours may say this member there. */
bool v1_may_say(enum v1_kind kind, const char *member);

/* A part of a JWS that lies inside a payload: `protected`, `payload`. NULL: no JSON object. To be released. */
json_t *v1_inner(const json_t *jws, const char *part);

/* Names of a certificate request in base64url, judged by OpenSSL: it parses, and its signature is good. NULL: it is
 * not one. To be freed. */
X509_REQ *v1_csr(const char *base64url, struct v1_names *names);
bool v1_same_names(const struct v1_names *a, const struct v1_names *b);

/* RFC 7638 of a key that has only the members it needs. */
void v1_thumbprint(const json_t *jwk, char out[44]);
void v1_base64url(const void *bytes, size_t len, char *out);

#endif
