/* ca.h - a scripted CA without sockets: request bytes in, answer bytes out, and a judgement of every request.
 *
 * It keeps the rules of RFC 8555 itself (one account, orders, authorizations, one nonce a request) and a test
 * bends single answers with twists. A request that breaks a rule fails the test at once.
 */
#ifndef TESTS_FAKE_CA_H
#define TESTS_FAKE_CA_H

#include "unit/maker.h"

#include <stdbool.h>

/* A twist names only the members it needs. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define CA_HOST  "ca.test"
#define CA_URL   "https://" CA_HOST
#define CA_NAMES 8

/* The head of an answer that refuses, as in CA_NO("403 Forbidden"), and the body of one with nothing but a type. */
#define CA_NO(status)   "HTTP/1.1 " status "\r\nContent-Type: application/problem+json\r\n"
#define CA_BECAUSE(why) "{\"type\":\"urn:ietf:params:acme:error:" why "\"}"

enum ca_kind {
    CA_DIRECTORY,
    CA_NONCE,
    CA_NEW_ACCOUNT,
    CA_NEW_ORDER,
    CA_ORDER,
    CA_AUTHZ,
    CA_CHALLENGE,
    CA_FINALIZE,
    CA_CERTIFICATE,
    /* of ACME v1 only (ca_v1.h); directory, nonce, authz, challenge and certificate are of both */
    CA_NEW_REG,
    CA_REG,
    CA_NEW_AUTHZ,
    CA_NEW_CERT,
    CA_ISSUER,
    CA_REVOKE, /* of both, as is the last (ca_manage.h) */
    CA_ACCOUNT,
    CA_KEY_CHANGE,
    CA_KINDS,
    CA_KINDS_8555 = CA_NEW_REG
};

enum ca_act {
    CA_SAY,        /* the request is not carried out; head and body are the answer  */
    CA_DO_AND_SAY, /* it is, but the answer is this one                             */
    CA_CUT,        /* it is not, and the connection ends without a word             */
    CA_DO_AND_CUT, /* it is, and the connection ends without a word                 */
    CA_ADD         /* it is; header lines are added and a body, when given, instead */
};

/* What happens to requests number first..last (from 1) of a kind; last 0: only to the first. */
struct ca_twist {
    enum ca_kind kind;
    unsigned first, last;
    enum ca_act act;
    const char *head;  /* status line and header lines, or header lines; each with CR LF            */
    const char *body;  /* Content-Length is added                                                   */
    const char *nonce; /* NULL: a good one; "": none; otherwise the header's value                  */
    const char *raw;   /* the whole answer as it is                                                 */
};

#define CA_FOREVER 1000000u

struct ca_plan {
    const char *names[CA_NAMES]; /* what is to be ordered, as it has to appear                       */
    unsigned name_count;
    unsigned born_valid;     /* authorizations that are valid from the start                         */
    unsigned authz_looks;    /* looks at an authorization before its validation has ended            */
    const char *authz_end;   /* how it ends; NULL: "valid"                                           */
    const char *challenge;   /* more members of the challenge from the response on, ",\"error\":..." */
    unsigned failures;       /* validations that fail but leave the authorization pending (step-ca)  */
    unsigned lag;            /* looks at an order that stays pending though all is valid             */
    unsigned processing;     /* looks at an order that is being finalized                            */
    const char *born;        /* state of a new order; NULL: "pending"                                */
    const char *not_pending; /* type a late response is refused with; NULL: malformed             */
    bool reversed;           /* authorizations in another order than the names                       */
    bool forgetful;          /* only newOrder's answer has authorizations                            */
    bool code202;            /* Boulder before RFC 8555: 202 for authorizations and challenges       */
    bool shuffled;           /* challenge lists differ from look to look                             */
    bool minimal;            /* challenge lists shrink to the answered one                           */
    bool one_shot;           /* a validation that finds no answer has failed, as at Boulder              */
    bool close;              /* a connection takes one request                                       */
    bool mute;               /* the same, but no answer says so                                      */
    bool chunked;            /* bodies come in chunks                                                */
    bool reuse;              /* newOrder is answered with the order that is open                    */
    unsigned nonce_len;      /* 0: 16                                                                */
    const char *other_host;  /* where nonces and certificates live                                   */
    bool shared;             /* one issuer for all such plans, one certificate for equal requests     */
    /* what follows is ca_more.c's */
    const char *eab_kid, *eab_key;       /* accounts must be bound; the key in base64url              */
    bool shows_contact;                  /* newAccount's answer tells the account's contacts          */
    const char *profiles;                /* names, with a blank between: offered                      */
    bool ari;                            /* renewalInfo, and `replaces` in new orders (RFC 9773)      */
    const char *issued;                  /* certID of a certificate of an earlier run, for the same names */
    long ari_start, ari_end;             /* the window, in seconds from now                           */
    const char *ari_after;               /* its Retry-After; NULL: six hours                          */
    bool ari_of_life;                    /* it is the certificate's, in seconds from its notBefore    */
    long starts_before_s;                /* that much before it is made; 0: a day                     */
    unsigned account_limit, order_limit; /* more are refused as rateLimited; 0: no limit              */
    unsigned limit_s;                    /* Retry-After then; 0: none, as for a paused account        */
    unsigned limit_lasts;                /* refusals before it is over; 0: for ever                   */
    unsigned stale;                      /* each so manieth look at an object tells its first state   */
    unsigned starts_in;                  /* seconds until certificates are valid; 0: since a day           */
    int64_t life_s; /* of a certificate, which begins an hour ago, as Let's Encrypt's do; 0: it ends in 90 days  */
    bool begun;     /* an order is there, and all its challenges are answered             */
    bool shows_processing; /* so says the challenge while its validation is under way */
    bool trusting;         /* signatures are not verified: where other tests do, for speed */
    bool timed;            /* validators come when the test says so: ca_authz::visit        */
    bool stranger;         /* the first order was finalized long ago with another's key */
    /* what follows is ca_v1.c's */
    bool v1;             /* ACME v1 as Boulder spoke it in December 2016                             */
    bool draft;          /* as its drafts wanted it: 202 and Retry-After while there is nothing yet  */
    const char *account; /* there from an earlier run: "agreed", "idle" or "deactivated"             */
    const char *up;      /* the link to the issuer: "none", or as it is written; NULL: as Boulder's  */
    unsigned redirects;  /* records of them in a validated challenge                                 */
    const char *types;   /* challenges offered, a blank between; NULL: http-01 */
    bool zone;           /* the client has a second solver, of dns-01: device.h */
    bool tidy;           /* the client deactivates what is open of an order that it gives up */
    bool manage;         /* accounts may be ended or get another key, certificates be revoked        */
    const struct ca_twist *twists;
    unsigned twist_count;
};

struct request;
struct reply;

/* What ca::meddle says. */
enum ca_meddled {
    CA_UNTOUCHED, /* all goes its way                                     */
    CA_MEDDLED,   /* the reply is what it says, whatever was or was not done */
    CA_SEVERED    /* the connection ends without a word                   */
};

struct ca_authz {
    const char *status;
    bool responded;
    enum { CA_NOBODY_YET, CA_READ_IT, CA_FOUND_NOBODY } visit; /* where ca_plan::timed: set by the test */
    unsigned looks, failures;
    bool astray;                     /* what was on show was not what belongs there */
    bool was_valid;                  /* at some time                                */
    char wanted[2 * ACME_TOKEN_MAX]; /* the key authorization that was asked for last */
    unsigned name;                   /* v1 only: its place in the plan              */
};

struct ca_order {
    const char *status;
    unsigned lag, processing, finalized;
    struct ca_authz authz[CA_NAMES];
    char *chain;
    uint8_t point[65]; /* of the request's key */
    int64_t from, to;  /* of its certificate   */
    char certid[128];  /* RFC 9773, 4.1; empty: not asked for yet */
    char profile[32], replaces[128];
    const char *error; /* the document's member, as it is written; NULL: none */
};

#define CA_SHOWN_MAX 32

struct ca {
    const struct ca_plan *plan;
    const char *published;                        /* one of the key authorizations on show just now; NULL: none */
    char shown[CA_SHOWN_MAX][2 * ACME_TOKEN_MAX]; /* all that ca_publish() was told of */
    enum {
        CA_SHOWN,
        CA_ASKING,
        CA_FETCHED,
        CA_FAILED
    } wire; /* CA_SHOWN: `published` is looked at; else somebody asks */
    unsigned count[CA_KINDS];
    unsigned requests, accounts, order_count;
    enum ca_kind last;                          /* what was asked last                              */
    unsigned deactivated;                       /* authorizations, at the client's wish             */
    unsigned repeats;                           /* challenge responses while a validation was under way */
    int64_t utc;                                /* now; 0: MAKER_NOW                                */
    unsigned bad_nonce_percent, bad_nonce_seed; /* nonces refused without a reason */
    bool forgot_account;                        /* set: the account is unknown until newAccount */
    bool tampered;                              /* with answers: who was led astray by them is refused, not failed */
    bool power_cut;            /* the client was switched off: an answer may be gone from where it was shown */
    struct ca_order order[40]; /* v1: one a certificate that was issued                               */
    uint8_t point[65];         /* of the account key */
    struct {
        struct ca_authz authz[100];
        unsigned authz_count;
        bool agreed, deactivated;
    } v1;
    struct {
        unsigned revocations, changes;
        unsigned reason; /* of the last revocation */
        bool deactivated;
        unsigned updates;
        char contact[300]; /* as a member of the account, as it was told last; told anew it is a new account's */
    } managed;
    unsigned early; /* finalize or new-cert was asked for before all authorizations had been valid   */
    unsigned limited, renewal_infos;
    const char *no_info; /* answer to who asks for renewal information; NULL: it is told */
    char nonces[4096][16];
    unsigned nonce_count;
    EVP_PKEY *issuer_key;
    X509 *issuer;
    /* May take a request from the CA, before it is carried out, or change the answer, after; NULL: nobody does. */
    enum ca_meddled (*meddle)(struct ca *ca, struct request *r, struct reply *p, bool done);
    char answer[16384];
};

struct ca_answer {
    const char *at;
    size_t len;
    bool close; /* the connection ends behind it */
};

struct acme_challenge; /* acme_setup.h */

/* For solvers: the answer is on show, or no more. */
void ca_publish(struct ca *ca, const struct acme_challenge *challenge);
void ca_take_back(struct ca *ca, const struct acme_challenge *challenge);
void ca_show(struct ca *ca, const char *key_authorization, bool on);
bool ca_shows(const struct ca *ca, const char *key_authorization);

void ca_init(struct ca *ca, const struct ca_plan *plan);
void ca_free(struct ca *ca);

/* Makes the first order, in progress: what an earlier run left. */
void ca_begin(struct ca *ca);

/* True when request[0..len) is whole. */
bool ca_whole(const char *request, size_t len);

/* Judges and answers one request that came over a connection to `host`. */
struct ca_answer ca_answer(struct ca *ca, const char *host, const char *request, size_t len);

/* A request was sent but lost on its way: its nonce must not be seen again. It need not be whole. */
void ca_lost(struct ca *ca, const char *request, size_t len);

#endif
