/* tls.h - TLS 1.2 client over BearSSL's sans-I/O engine, one bounded step at a time.
 *
 * Suites: ECDHE with ECDSA or RSA, ChaCha20-Poly1305 or AES-GCM; P-256 and P-384; no other. The server's
 * chain and host name are always checked: there is no switch and no way to pass an empty name. */
#ifndef ACME_SECURE_TLS_H
#define ACME_SECURE_TLS_H

#include <bearssl.h>

#include "../acme_port.h"
#include "anchors.h"
#include "cert_scan.h"
#include "inside.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_TLS_BUFFER_MIN   BR_SSL_BUFSIZE_MONO /* any server: one whole record, 16709 bytes      */
#define ACME_TLS_BUFFER_SMALL 837                 /* below this BearSSL cannot shake hands at all    */

/* Everything TLS needs beside the record buffer; caller's memory, contents private. */
struct acme_tls {
    struct acme_tls_x509 { /* forwards to `minimal` and notes what it does not tell */
        const br_x509_class *vtable;
        br_x509_minimal_context *inner;
        br_name_element dns_name;
        char dns_text;
        uint8_t behind_date; /* the byte that follows the date at which a certificate was refused */
        bool worked;         /* a public-key operation was done */
        bool other_use;      /* a certificate's extendedKeyUsage leaves out TLS servers */
        const struct acme_trust *trust;
        int64_t now;         /* when the handshake under way began, UTC seconds */
        int64_t from, until; /* when the certificates were judged; until when a session may go on without that */
        struct acme_cert_scan scan;
#if ACME_CFG_ADDRESSES
        uint8_t address[1 + ACME_ADDRESS_MAX]; /* the server's behind its length, which is 0 when it has a name  */
        bool has_address;                      /* its certificate is for that                                    */
#endif
    } x509;
    const char *protocol; /* for ALPN */
    uint8_t rx_at, rx_len;
    bool resumable;
    bool shook; /* handshake complete */
    br_ssl_client_context client;
    br_x509_minimal_context minimal;
    unsigned char rx[128]; /* ciphertext of the handshake, fed on byte by byte */
};

/* Begins a session with the server `name` (SNI and certificate check; NUL-terminated, not empty). With ACME_CFG_ADDRESSES it may
 * be an address: then no SNI goes out (RFC 6066, 3), and an iPAddress with just these bytes has to be in the certificate. With ACME_CFG_RESUME a
 * session with the same name and `trust` that was completed before in this struct is offered for resumption, for 24 hours at
 * most and not beyond the end of a certificate it was begun with. The struct must be zero before its first use.
 * Memory: `buffer` and `trust` are borrowed until the session is over.
 * Work: no public-key operation. Errors: ACME_E_RANDOM, ACME_E_CLOCK (utc not known), ACME_E_TLS_NAME,
 * ACME_E_ANCHORS, ACME_E_WORK_SMALL. */
int acme_tls_start(struct acme_tls *tls, const struct acme_trust *trust, void *buffer, size_t buffer_len,
                   const char *name, const struct acme_sys *sys);

/* Moves bytes between the engine and the network: at most one send and one recv.
 * Work: one public-key operation (ECDHE, where BearSSL does its two multiplications in one call, counts as
 * one), with two exceptions at the end of a certificate. BearSSL tries every anchor that has the issuer's
 * name and key type, so roots that share a name cost one each. And it decodes certificates in pieces of 256
 * bytes: when an EC root signed an intermediate whose key ends in its last piece, the leaf's signature and
 * the intermediate's are verified together.
 * Returns 1 something moved, 0 nothing to do now, or a negative error: the network's, or one of ACME_E_TLS_*;
 * acme_tls_code() then has BearSSL's number. When the peer has finished: ACME_E_CLOSED between two records,
 * ACME_E_TLS_RECORD within one. *up and *down grow by the bytes moved. */
int acme_tls_pump(struct acme_tls *tls, const struct acme_net *net, uint32_t *up, uint32_t *down);

/* Says close_notify if that is possible at once; only when acme_tls_ready(). The session stays resumable. */
void acme_tls_end(struct acme_tls *tls, const struct acme_net *net);

/* True when the handshake is complete and application data may flow. */
static inline bool acme_tls_ready(const struct acme_tls *tls)
{
    return tls->shook;
}

/* Gives up to len bytes of application data to the engine. Returns how many it took (0: pump first). With
 * `flush` what was taken goes out as a record. */
size_t acme_tls_write(struct acme_tls *tls, const void *data, size_t len, bool flush);

/* Takes up to cap bytes (at least one) of received application data. Returns how many. */
size_t acme_tls_read(struct acme_tls *tls, void *data, size_t cap);

/* True when everything written has gone to the network. */
static inline bool acme_tls_flushed(const struct acme_tls *tls)
{
    return acme_inside_idle_out(&tls->client.eng);
}

/* True when nothing received is waiting, neither unread data nor a part of a record. */
static inline bool acme_tls_quiet(const struct acme_tls *tls)
{
    return acme_inside_idle_in(&tls->client.eng) && tls->rx_at == tls->rx_len;
}

/* True when the peer ended the session with close_notify. */
static inline bool acme_tls_closed(const struct acme_tls *tls)
{
    return acme_inside_ended(&tls->client.eng);
}

/* After ACME_E_TLS_UNTRUSTED: who has issued the last certificate that the server sent, so whom there is no anchor for, as a
 * rule; empty: it does not say, or there is one and its name constraints leave the server out. In the server's words,
 * printable ASCII, at most ACME_ISSUER_MAX bytes. Lives until the next acme_tls_start(). */
static inline const char *acme_tls_issuer(const struct acme_tls *tls)
{
    return tls->x509.scan.issuer;
}

/* BearSSL's error number of the session, 0 when there is none; +256: alert received, +512: alert sent. */
static inline int acme_tls_code(const struct acme_tls *tls)
{
    return br_ssl_engine_last_error(&tls->client.eng);
}

#ifdef __cplusplus
}
#endif

#endif
