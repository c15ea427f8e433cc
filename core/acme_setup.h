/* acme_setup.h - what the caller tells the client, and what the client tells back as it works. */
#ifndef ACME_SETUP_H
#define ACME_SETUP_H

#include "acme_config.h"
#include "acme_port.h"
#include "acme_secure_net.h"
#include "secure/key.h"
#include "wire/slice.h"
#include "x509/prefer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct acme_json;  /* wire/json.h */
struct acme_tls;   /* secure/tls.h */
struct acme_trust; /* secure/anchors.h */

/* What acme_start() should do. */
enum acme_task {
    ACME_IF_DUE, /* only what is due: nothing while the pair in use is good */
    ACME_NOW,    /* a new certificate in any case                           */
#if ACME_CFG_RENEWAL
    ACME_KEEP, /* for ever: the client renews when that is due, and decides itself when to come again. Ends never */
#endif
#if ACME_CFG_MANAGE
    /* Beside issuing. The account must be there: none is made. Each ends with ACME_DONE, or ACME_FAILED. */
    ACME_REVOKE,     /* the certificate in use, which stays in use here until there is a new one            */
    ACME_DEACTIVATE, /* the account, for good: every later run ends with ACME_E_ACCOUNT until its key is removed */
    ACME_CHANGE_KEY, /* the account gets a new key, which then takes the old one's place in the store; the
                        certificate key's handle holds it meanwhile                                       */
    ACME_UPDATE      /* the CA is told acme_setup::contacts, be they the same or not                       */
#endif
};

/* The steps of one issuance, in RFC 8555 order, and what else may be done. */
enum acme_step {
    ACME_STEP_DIRECTORY,   /* 7.1.1 read the CA's URLs                      */
    ACME_STEP_ACCOUNT,     /* 7.3   find or make the account                */
    ACME_STEP_ORDER,       /* 7.4   make the order, or take up a stored one */
    ACME_STEP_AUTHZ,       /* 7.5   look at one name's authorization        */
    ACME_STEP_PRESENT,     /* 8     publish the challenge answer            */
    ACME_STEP_RESPOND,     /* 7.5.1 tell the CA to look                     */
    ACME_STEP_AUTHZ_POLL,  /* 7.5.1 until the authorization is valid        */
    ACME_STEP_ORDER_POLL,  /* 7.4   until the order is ready, or valid      */
    ACME_STEP_FINALIZE,    /* 7.4   send the certificate request            */
    ACME_STEP_CERTIFICATE, /* 7.4.2 fetch, check and store the chain        */
#if ACME_CFG_ALTERNATE
    ACME_STEP_ALTERNATE, /* 7.4.2 look at another chain of the same certificate */
#endif
#if ACME_CFG_DEACTIVATE_AUTHZ
    ACME_STEP_DEACTIVATE_AUTHZ, /* 7.5.2 give back what is left of an order that has failed */
#endif
#if ACME_CFG_RENEWAL
    ACME_STEP_RENEWAL_INFO, /* RFC 9773: when the CA suggests to renew      */
#endif
#if ACME_CFG_MANAGE
    ACME_STEP_REVOKE,     /* 7.6   revoke the certificate in use           */
    ACME_STEP_DEACTIVATE, /* 7.3.6 deactivate the account                  */
    ACME_STEP_CHANGE_KEY, /* 7.3.5 give the account its next key           */
    ACME_STEP_TRY_KEY,    /*       until the CA takes it in all its places */
    ACME_STEP_UPDATE,     /* 7.3.2 tell the account's contacts             */
#endif
    ACME_STEP_COUNT /* how many; as a next step: the chain has come in, all is done */
};

/* The `status` member of an object (RFC 8555, 7.1.6): the only truth about it. The HTTP code is none. */
enum acme_status {
    ACME_STATUS_NONE,    /* no such member                                        */
    ACME_STATUS_UNKNOWN, /* a word of a later RFC: waited for, then ACME_E_STATUS */
    ACME_STATUS_PENDING,
    ACME_STATUS_PROCESSING,
    ACME_STATUS_READY,
    ACME_STATUS_VALID,
    ACME_STATUS_INVALID,
    ACME_STATUS_DEACTIVATED,
    ACME_STATUS_EXPIRED,
    ACME_STATUS_REVOKED
};

/* Longest key authorization: token "." thumbprint, without NUL (RFC 8555, 8.1). */
#define ACME_KEY_AUTHORIZATION_MAX (ACME_TOKEN_MAX + 1 + 43)

/* A challenge a solver has to answer. All texts are NUL-terminated, live from present() to withdraw() (the name as long as
 * the setup), and token and thumbprint hold only base64url characters. */
struct acme_challenge {
    const char *name;            /* the name being validated, as acme_setup::names has it, but without "*."     */
    const char *token;           /* RFC 8555, 8.1                                                   */
    const char *thumbprint;      /* of the account key. Key authorization: token "." thumbprint     */
    struct acme_challenge *next; /* the solver's own, for a list of what it shows                   */
#if ACME_CFG_CHOICE
    const char *type; /* the solver's, for one that answers several                      */
    bool wildcard;    /* for all names below this one                                    */
    bool valid;       /* at withdraw(): the CA has validated it                          */
#endif
#if ACME_CFG_DNS_DRAFTS
    const char *account; /* URL of the account                                           */
#endif
};

/* Publishes challenge answers of one type, one for each name of an order and all at the same time. A struct acme_http01
 * (protocol/challenge_http01.h) makes one. */
struct acme_solver {
    void *ctx;
    const char *type; /* the word in the CA's challenge objects, e.g. "http-01" */

    /* Publishes one more answer; called on every tick until it is out, which may take minutes. The struct is lent until it is
     * withdrawn. Returns 1 published, 0 not yet, or an error (ACME_E_SOLVER, ACME_E_LISTEN, one of its own), which ends the run;
     * with ACME_CFG_CHOICE also ACME_E_DECLINED: the next solver has its turn. */
    int (*present)(void *ctx, struct acme_challenge *challenge);

    /* Takes that answer away again; called once for each that present() was called for, on every way out. */
    void (*withdraw)(void *ctx, struct acme_challenge *challenge);

    /* Work of its own while answers are on show, whichever solver's, on every tick; NULL: none. Returns true when something moved. */
    bool (*tick)(void *ctx, uint32_t now_ms);

#if ACME_CFG_CHOICE
    bool wildcards; /* its challenge proves wildcard names: dns types */

    /* What it publishes outlives a reset: withdraw() is also called, in a later run and without present(), for what may have
     * been left by one; and for no answer before all of the order are judged. */
    bool lasts;

    /* True as long as what was withdrawn is still being taken away: tick() goes on until then, behind the end of a run too;
     * so it has to end by itself. NULL: withdraw() has done it all. */
    bool (*clearing)(const void *ctx);

    /* Its own words, printable ASCII, about what present() has just answered, 1 or an error; NULL or empty: it has none.
     * They go into ACME_EVENT_SOLVER, and into struct acme_failure. NULL: never any. */
    const char *(*words)(void *ctx);
#endif
#if ACME_CFG_DNS_DRAFTS
    bool standing; /* the answer stands before any challenge is made, which has no token: dns-persist-01 */
#endif
};

/* What happens, as it happens: for a log, a UART, a screen. Slices are valid during the call and hold only
 * printable ASCII. */
enum acme_event_kind {
    ACME_EVENT_STEP,      /* a step begins: step, name                                                  */
    ACME_EVENT_CONNECTED, /* a new connection, TLS handshake done: text = host                          */
    ACME_EVENT_REQUEST,   /* a request goes out: text = method, detail = URL                            */
    ACME_EVENT_ANSWER,    /* its answer was read: http_status, status, polls, document; error: it was refused    */
    ACME_EVENT_WAIT,      /* nothing for wait_ms: the next poll (error 0), or a retry after error       */
    ACME_EVENT_PROBLEM,   /* the CA's problem or a subproblem: text = type, detail, name = identifier   */
    ACME_EVENT_TERMS,     /* the CA has terms of service: text = URL                                    */
    ACME_EVENT_EXPLAINED, /* renewal information: text = URL that explains its window to a person          */
    ACME_EVENT_PROFILE,   /* the CA has no profile of that name: text = one it has; one event each          */
    ACME_EVENT_SOLVER, /* ACME_CFG_CHOICE: a solver has something to say: text = its type, detail = its words, error, name */
    ACME_EVENT_CHAIN, /* ACME_CFG_ALTERNATE, where a chain is wished for: polls = which alternate is used, 0: the CA's own choice;
                          error: not as wished, for there is none (ACME_E_CHAIN), or one could not be had       */
    ACME_EVENT_STORED,    /* a record is durable: record; no step                                       */
    ACME_EVENT_UNREADABLE /* a record cannot be read, and can be had again: record, error; no step      */
};

struct acme_event {
    enum acme_event_kind kind;
    enum acme_step step;
    enum acme_status status;
    enum acme_record record;
    int error; /* enum acme_error of what went wrong; 0 nothing */
    uint16_t http_status;
    bool subproblem; /* PROBLEM: part of the one before */
    uint32_t polls;  /* how often this object was asked for so far */
    uint32_t wait_ms;
    struct acme_slice name; /* DNS name in question; may be empty */
    struct acme_slice text;
    struct acme_slice detail;
    const struct acme_json *document; /* ANSWER: wire/json.h, for whoever has more words than the core; else NULL */
};

/* The certificate authority. */
struct acme_ca {
    const char *directory_url;      /* https, or http on plain_host                                 */
    const struct acme_trust *trust; /* roots its server is trusted by                               */
    const char *
        tls_name; /* DNS name in its certificate when the URL has an address, which with ACME_CFG_ADDRESSES may be there itself; or NULL */
    const char *const *more_hosts; /* "host" or "host:port": others its objects may live on        */
    size_t more_host_count;
#if ACME_CFG_PLAIN_HTTP
    const char *plain_host; /* "host", the only one that is spoken to in clear, at http:// URLs; NULL: none. trust may
                               then be empty */
#endif
};

#if ACME_CFG_EAB
/* What binds a new account to one that the operator has with the CA (RFC 8555, 7.3.4, with HS256). */
struct acme_binding {
    const char
        *kid; /* key identifier, as the CA has given it; NULL: there is no binding                             */
    const void
        *mac_key; /* the MAC key's bytes, decoded. Needed until the CA knows the account: the caller may wipe them
                            once a run has come to its end */
    size_t mac_key_len;
};

#define acme_is_bound(binding) ((binding)->kid != NULL && (binding)->kid[0] != '\0')
#endif

#if ACME_CFG_RENEWAL
/* A new pair, before it counts: its key is in the certificate key's handle, its chain is in the store beside the one in use. */
struct acme_offer {
    int64_t not_before, not_after; /* of the leaf; seconds since 1970 */
};

/* What the application does with a new pair. Both functions are called on ticks until they are done, and must not block. */
struct acme_deploy {
    void *ctx;

    /* The pair has been verified and does not count yet; the old one is in use. Returns 1: put it in use now; 0: not yet, it is
     * offered again on later ticks, after a reset too; ACME_E_OFFER: refused, the run fails. NULL: accepted. */
    int (*offer)(void *ctx, const struct acme_offer *offer);

    /* The pair is in use in the store. Returns 1: taken over; 0: under way; an error, such as ACME_E_DEPLOY: tried again
     * after 1, 10, 100 minutes, then once a day, after a reset too, until it succeeds. NULL: there is nothing to do. */
    int (*taken)(void *ctx);
};
#endif

/* Everything a client works with. The struct and all it points to are the caller's, are borrowed by
 * acme_init(), and must stay until the client is no longer used. Zero means "none" for every optional member. */
struct acme_setup {
    /* the ports */
    const struct acme_net *net; /* TCP; in an image with port/secure: NULL, and secure_net */
    const struct acme_sys *sys;
    const struct acme_store *store;

    struct acme_ca ca;

    /* the keys: must differ (RFC 8555, 11.1) */
    struct acme_key account_key;
    struct acme_key certificate_key;

    /* what is wanted */
    const char *const
        *names; /* 1..ACME_NAMES_MAX DNS names; with ACME_CFG_CHOICE also wildcards: "*.example.org"; with
                                 ACME_CFG_ADDRESSES also addresses (wire/address.h) */
    size_t name_count;
    const char *const *contacts; /* URIs such as "mailto:...", optional */
    size_t contact_count;
    bool accept_terms; /* the operator agrees to the CA's terms of service */
    bool more_names;   /* the certificate may be for names that were not asked for as well: private CAs add some */
#if ACME_CFG_EAB
    struct acme_binding binding; /* for a CA that wants an external account; zero: none */
#endif
#if ACME_CFG_REUSE_KEY
    bool
        reuse_key; /* a new certificate is for the key in use, if there is one; a key that lives elsewhere is so anyway */
#endif

#if ACME_CFG_DEACTIVATE_AUTHZ
    bool deactivate_authz; /* what is still open of an order that is given up is deactivated, a request each */
#endif

#if ACME_CFG_ALTERNATE
    struct acme_chain_choice
        chain; /* which of its chains, where the CA has several (x509/prefer.h); zero: its own choice */
#endif

#if ACME_CFG_CSR
    struct acme_slice
        csr; /* certificate request, DER, for just these names; its key is certificate_key, of which only point() is called,
                              for another key than P-256 what acme_leaf_key() makes of it; empty: requests are our own */
#endif

#if ACME_CFG_RENEWAL
    const char *profile;   /* certificate profile asked for (draft-ietf-acme-profiles); NULL: the CA's own choice  */
    bool profile_optional; /* the CA's own choice will do when it has no such profile                              */
    bool remember_looks;   /* for who does not keep running: when to ask for renewal information next is stored    */
    uint32_t spread_s;     /* a fleet that is switched on at once: its first orders come within this many seconds  */
    struct acme_deploy
        deploy; /* what the application does with a new pair; zero: nothing                           */
#endif

    const struct acme_solver *const *solvers; /* in order of preference; at most 255 */
    size_t solver_count;

#if ACME_CFG_MANAGE
    unsigned
        revoke_reason; /* why a certificate is revoked (RFC 5280, 5.3.1: 1 key compromised, 4 superseded, 5 out of
                               use); 0: not told */
#endif

    const char *product; /* goes in front of ours in User-Agent, e.g. "gateway/3.1"; optional */

    /* memory lent */
    void *work; /* one request or one answer; at least ACME_WORK_MIN bytes */
    size_t work_len;
    struct acme_tls *tls; /* this and the next two not in an image with port/secure, nor ca.trust */
    void *tls_buffer;     /* ACME_TLS_BUFFER_MIN bytes for any server (secure/tls.h) */
    size_t tls_buffer_len;

    /* told what happens; optional. It must not call back into the client. */
    void (*trace)(void *ctx, const struct acme_event *event);
    void *trace_ctx;

    /* TLS by the platform, in the place of net and of TLS of our own: for an image with port/secure, else ignored */
    const struct acme_secure_net *secure_net;
};

/* Checks every size, pointer, name, text and URL; without ACME_CFG_CHECK only what could overrun memory. acme_init() calls it.
 * Work: the texts' bytes, no I/O.
 * Returns 0, or what acme_init() returns. */
int acme_setup_check(const struct acme_setup *setup);

#ifdef __cplusplus
}
#endif

#endif
