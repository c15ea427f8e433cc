/* visit.h - TLS 1.2 from the other side: a visitor is shown a certificate that was made for him, and has seen all there is.
 *
 * He has to offer "acme-tls/1" by ALPN (RFC 8737, 6.2), and no word of the web, for then he wants another server.
 * ECDHE-ECDSA with P-256 or P-384, AES-GCM or ChaCha20-Poly1305; no other. A record buffer of a few hundred bytes does: in a
 * handshake only the last record is encrypted, and BearSSL takes the others in pieces. */
#ifndef ACME_SECURE_VISIT_H
#define ACME_SECURE_VISIT_H

#include <bearssl.h>

#include "key.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_VISIT_BUFFER          837 /* below this BearSSL cannot shake hands at all */
#define ACME_VISIT_CERTIFICATE_MAX 608

/* What visits have in common. Borrowed as long as there are any. */
struct acme_visit_host {
    const struct acme_sys *sys;
    struct acme_key key; /* of every certificate, P-256 */

    /* Makes the certificate for whom the visitor calls (SNI; empty: nobody), so that its DER ends at
     * buf + ACME_VISIT_CERTIFICATE_MAX. Returns its length; 0 or less: he is sent away with unrecognized_name. */
    int (*show)(void *ctx, const char *name, uint8_t *buf);
    void *ctx;
};

/* One visitor; caller's memory, contents private. About 5 KB. */
struct acme_visit {
    const br_ssl_server_policy_class *policy;
    const struct acme_visit_host *host;
    bool worked;  /* the last pump has done a public-key operation */
    bool took;    /* in the last pump he has taken bytes                */
    bool shown;   /* a certificate */
    bool unknown; /* whom he called for */
    bool done;    /* handshake complete */
    br_x509_certificate chain;
    br_ssl_server_context server;
    uint8_t certificate[ACME_VISIT_CERTIFICATE_MAX];
    uint8_t buffer[ACME_VISIT_BUFFER];
};

/* Begins a visit. Work: no public-key operation. Returns 0 or ACME_E_RANDOM. */
int acme_visit_start(struct acme_visit *v, const struct acme_visit_host *host);

/* Moves bytes between the visitor, who is in this slot, and the engine: one send or one recv.
 * Work: one public-key operation at most, v->worked tells; the ephemeral key and the signature under it, which BearSSL makes in one
 * call, count as one.
 * Returns 1 something moved, 0 nothing to do now, ACME_E_CLOSED when the visit is over (v->done: he has seen the
 * certificate), or the listener's error. */
int acme_visit_pump(struct acme_visit *v, const struct acme_listener *listener, unsigned slot);

#ifdef __cplusplus
}
#endif

#endif
