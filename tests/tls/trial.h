/* trial.h - one connection to an ACME server that is good but for one thing.
 *
 * trial_begin() describes a server that is trusted and plays by the rules; a test changes what it wants to see refused;
 * trial_run() makes the certificates, starts an OpenSSL server, opens a channel to it and has both say something.
 * What goes to the server is read record by record on the way. */
#ifndef TESTS_TLS_TRIAL_H
#define TESTS_TLS_TRIAL_H

#include "unit/tls_server.h"

#include "secure/channel.h"

#define TRIAL_HOST "ca.example"

/* Certificates of a trial. The stranger is in no chain unless sent; the anchor is what the client trusts. */
enum { ROOT, INTER, SUB, LEAF, STRANGER, ANCHOR, TRIAL_CERTS };

/* Keys, made once. */
enum {
    K_ROOT,
    K_INTER,
    K_SUB,
    K_LEAF,
    K_OTHER,
    K_P384,
    K_RSA,
    K_RSA_OTHER,
    K_RSA1024,
    K_RSA512,
    K_P521,
    K_K256,
    K_ED25519,
    K_HUGE,
    TRIAL_KEYS
};

struct trial_cert {
    struct maker_spec spec; /* but issuer and issuer_key */
    int by;                 /* the certificate whose name and key stand behind it; itself: self-signed */
    EVP_PKEY *signer;       /* another key signs in the issuer's name; NULL: the issuer's */
    const char *more[3];    /* further extensions, "name" and value as in openssl.cnf: "keyUsage=critical,cRLSign" */
    const char *dns;        /* alternative name that openssl.cnf cannot write, with its length */
    size_t dns_len;
    bool pss;                /* signed by RSA-PSS */
    void (*alter)(X509 *x);  /* before it is signed */
    void (*damage)(X509 *x); /* afterwards */
};

/* Records of the server, in the order it sends them: handshake messages by their type, then these. */
enum { SERVER_HELLO = 2, CERTIFICATE = 11, KEY_EXCHANGE = 12, HELLO_DONE = 14, CCS = 256, FINISHED, DATA, DATA2 };

struct trial_edit {
    enum { PUT, SPOIL, SPLICE, DROP, BEFORE, CUT, SWAP, AGAIN, EXTENSION } kind;
    int record;
    size_t at; /* byte of the record, its header counted, or behind the pattern */
    size_t pattern_len, remove, len;
    uint8_t pattern[32], bytes[80];
    bool done;
};

struct trial {
    /* What is good at first. */
    struct trial_cert cert[TRIAL_CERTS];
    const char *sent;       /* the chain: R I S L X, leaf first */
    const char *host;       /* whom the client asks for; NULL: "" */
    const char *trusted;    /* the client's anchors: A, or any of those */
    const char *first_host; /* asked for before, in a session that may be resumed; NULL: no such session */
    int64_t utc, later;     /* `later`: seconds between the first session and the next */
    int utc_answer;
    bool no_anchors;
    size_t buffer_len;
    int least, last; /* versions of the server */
    const char *suites, *protocol;
    char *groups;    /* as OpenSSL wants it */
    const void *raw; /* in the place of all a server says */
    size_t raw_len;
    int end; /* what recv says at a cut: ACME_E_CLOSED, ACME_E_NET, 0 */
    struct trial_edit edits[4];
    size_t edits_len;
    /* What came of it. */
    int done, tls_code;
    size_t records[256]; /* that the client sent, by type */
    size_t application;  /* bytes of application records that the client sent, whole or not */
    size_t read;         /* application bytes the client was given */
    size_t served;       /* application bytes the server got */
};

extern struct trial trial;

void trial_set_up(void);
void trial_tear_down(void);
EVP_PKEY *trial_key(int key);
void trial_begin(void);
/* Returns 1 when both have said something, or the channel's error. */
int trial_run(void);

/* The client on trial: trial_client.c, or a file that is linked before it (tests/mbedtls). Anchors are PEM, one a string. */
void trial_client_begin(struct acme_channel *channel, const struct acme_net *net, const struct acme_sys *sys,
                        char *const *anchors, size_t count);
/* The handshake is not over: nothing may be taken. */
void trial_client_is_mute(void);
/* Is this what is expected of the client? `done`: what trial_run() said of the bad server, `error` and `code`: BearSSL's way
 * to refuse it; or what it said of the good one, as 1 or not. */
bool trial_client_refuses(const char *section, const char *name, int done, int error, int code);
bool trial_client_accepts(const char *section, const char *name, bool accepted);
/* Does it look for addresses in certificates at all? One that does not opens nothing to a host that is one. */
bool trial_client_knows_addresses(void);
/* Is it to be tried with TLS 1.3? Servers whose messages are not touched on the way speak it then. */
bool trial_client_speaks_13(void);

/* Edits of what the server sends. */
void put(int record, size_t at, int byte);
void spoil(int record, size_t at); /* whatever it is, it is another byte then */
void patch(int record, const char *pattern, size_t len, size_t at, int byte);
/* Lengths of record, message and certificate follow. */
void splice(int record, size_t at, size_t remove, const char *bytes, size_t len);
void extension(const char *bytes, size_t len);
void drop(int record);
void again(int record);
void before(int record, const char *bytes, size_t len);
void cut(int record, size_t at, int end);
/* SUB's certificate is sent in the place of the leaf, without its key. */
void swap(void);
void raw(const char *bytes, size_t len);

#endif
