/* acme_secure_net.h - what a port gives to the core where the platform has TLS of its own. The rules are acme_port.h's. */
#ifndef ACME_SECURE_NET_H
#define ACME_SECURE_NET_H

#include "acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One outgoing TLS connection, in the place of struct acme_net where the platform has TLS of its own: a library, a modem. The
 * core then brings none (port/secure). It is a type of its own so that no TCP connection comes here by mistake: whoever
 * fills it in answers for what secure/tls.c answers for otherwise. */
struct acme_secure_net {
    void *ctx;

    /* As in struct acme_net, and then shakes hands: TLS 1.2 or later, by a suite with forward secrecy and an AEAD cipher.
     * `name` is whom the certificate has to be for, and what is told the server (SNI): NUL-terminated, a DNS name, kept
     * between the calls. Before the answer is 1 nothing of HTTP has gone out, and all of this holds:
     *   - the chain ends in one of the transport's own anchors, which are its duty; without any it is ACME_E_ANCHORS
     *   - `name` is a dNSName of the certificate, or a wildcard's for one label; a common name does not count. Without a
     *     name it is ACME_E_TLS_NAME
     *   - no certificate that was sent is out of its dates by a known time; without one it is ACME_E_CLOCK
     *   - what vouches for another is a CA that may, and is for TLS servers where it says what for; no critical extension
     *     was passed over; RSA has 2048 bits or more, no signature is by SHA-1 or MD5
     * tests/tls has these as cases, and port/mbedtls/refusals.list is how one transport does in them.
     * Returns 1 open, 0 not yet, 2 not yet, but something moved (call again at once), an error of struct acme_net, or
     * ACME_E_TLS_*. After an error the next call starts afresh. */
    int (*open)(void *ctx, const char *host, uint16_t port, const char *name);

    /* Takes up to len bytes and sends them: what was taken does not wait for another call. After 0 the next send has the
     * same bytes and length. Returns how many, 0 not now, ACME_E_CLOSED, ACME_E_NET, ACME_E_TLS_*. */
    int (*send)(void *ctx, const void *data, size_t len);

    /* Gives up to cap bytes, those the library has already before it looks at the network. Returns how many, 0 not now,
     * ACME_E_CLOSED (the peer has ended the session, by close_notify, and all its bytes have been given), ACME_E_NET (it
     * has ended in another way), ACME_E_TLS_*. */
    int (*recv)(void *ctx, void *data, size_t cap);

    /* As in struct acme_net, with close_notify if that is possible at once. */
    void (*close)(void *ctx);

    /* The library's own number of the last error, for acme_failure::tls_code. NULL: it has none. */
    int (*code)(void *ctx);
};

#ifdef __cplusplus
}
#endif

#endif
