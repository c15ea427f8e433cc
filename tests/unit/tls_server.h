/* tls_server.h - an OpenSSL server without sockets: two streams of bytes between it and an acme_net, and
 * everything that can go wrong on the way. */
#ifndef TESTS_UNIT_TLS_SERVER_H
#define TESTS_UNIT_TLS_SERVER_H

#include "maker.h"

#include <openssl/ssl.h>

#include "roots/roots.h"

struct tls_server {
    SSL_CTX *ctx; /* survives reconnects: it holds the session cache */
    SSL *ssl;
    uint8_t to_client[1 << 17];
    size_t head, tail; /* of to_client */
    size_t sent_down;  /* bytes the client has taken, on this connection */
    size_t chunk;      /* most bytes a send or recv moves */
    size_t flip_at;    /* this byte towards the client is changed; SIZE_MAX: none */
    size_t cut_at;     /* the connection ends before this byte towards the client; SIZE_MAX: it does not */
    bool ended;        /* the server has closed its side once to_client is empty */
    bool mute;         /* the server never answers */
    bool bade;         /* the client ended the last connection with close_notify */
    uint8_t request[1 << 16];
    size_t request_len;     /* application bytes it got */
    unsigned opens, closes; /* calls of the acme_net */
    int open_answer;        /* of acme_net open: 1 connected */
    struct acme_net net;
};

/* A server with this chain, leaf first, in the place of the one before (*s: all zero at first). `suites` NULL: OpenSSL's own choice. */
void tls_server_init(struct tls_server *s, EVP_PKEY *key, X509 *const *chain, size_t count, const char *suites);

/* A new connection; net.open does it too. */
void tls_server_connect(struct tls_server *s);

/* Lets it work on what it got. */
void tls_server_run(struct tls_server *s);

/* Sends application data, close_notify, raw bytes. */
void tls_server_say(struct tls_server *s, const void *data, size_t len);
void tls_server_bye(struct tls_server *s);
void tls_server_raw(struct tls_server *s, const void *data, size_t len);

/* Anchors from these certificates; memory is the caller's. */
void tls_server_trust(struct acme_trust *trust, void *memory, size_t cap, X509 *const *roots, size_t count);

#endif
