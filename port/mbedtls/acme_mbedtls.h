/* acme_mbedtls.h - the connection to the CA over Mbed TLS 2.28, 3.6 or 4.0, for firmware that has it already. README.md has the set-up. */
#ifndef ACME_MBEDTLS_H
#define ACME_MBEDTLS_H

#include "acme_secure_net.h"

#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All members are private. Contexts and buffers are allocated when a connection begins (mbedtls_calloc: the library's arena, or
 * the firmware's allocator) and are given back when it ends, so that nothing but the anchors is held in between. */
struct acme_mbedtls {
    struct acme_secure_net secure; /* goes into acme_setup::secure_net */
    const struct acme_net *net;
    const struct acme_sys *sys;
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config conf;
    mbedtls_x509_crt anchors;
    size_t anchor_count, left_out, arena_len;
    enum { ACME_MBEDTLS_OFF, ACME_MBEDTLS_CONNECTING, ACME_MBEDTLS_SHAKING, ACME_MBEDTLS_OPEN } state;
    int64_t now;    /* UTC seconds when the handshake under way began */
    int code;       /* the library's number of the last error */
    uint32_t flags; /* and of a chain that was refused: MBEDTLS_X509_BADCERT_* */
    int net_error;  /* what the port said, when it was that */
    bool judged;    /* the server's own certificate was looked at in this handshake */
};

/* Prepares. `net` is the TCP connection of a port, `sys` gives random numbers and the time: both are borrowed.
 * `arena`: memory for all of Mbed TLS (MBEDTLS_MEMORY_BUFFER_ALLOC_C), that is of the whole firmware; NULL: it has an allocator.
 * Returns 0, ACME_E_NULL, ACME_E_RANDOM (no entropy), or ACME_E_TLS (memory).
 * `ecp_max_ops`: with MBEDTLS_ECP_RESTARTABLE, how much of a curve's work one call does, for the whole firmware
 * (mbedtls_ecp_set_max_ops before 4.0, psa_interruptible_set_max_ops where there is that); 0: left as it is. */
int acme_mbedtls_init(struct acme_mbedtls *m, const struct acme_net *net, const struct acme_sys *sys, void *arena,
                      size_t arena_len, unsigned ecp_max_ops);

/* Adds trust anchors: one certificate in DER, which is borrowed and may be in flash, or PEM with any number of them, with a NUL
 * behind it or without; the library's own reader of PEM is not needed. One that Mbed TLS does not read, or that has
 * name constraints, which it does not apply, is left out and counted. Returns how many were taken, ACME_E_ANCHORS when none was, or ACME_E_TLS (memory). */
int acme_mbedtls_trust(struct acme_mbedtls *m, const void *certificates, size_t len);

/* What the last error was, for a person, as "out of memory; the arena has 16384 bytes". NUL-terminated, cut at cap. The file of
 * its own stays out of an image that does not call it. */
void acme_mbedtls_words(const struct acme_mbedtls *m, char *text, size_t cap);

/* Gives all back. */
void acme_mbedtls_free(struct acme_mbedtls *m);

/* --- between the files of this folder --- */

/* From where random numbers come, for psa_crypto_init() too (random.c). False: it has none now. */
bool acme_mbedtls_random_from(const struct acme_sys *sys);

/* The library's question about each certificate of a chain (judge.c); ctx: struct acme_mbedtls. */
int acme_mbedtls_judge(void *ctx, mbedtls_x509_crt *crt, int depth, uint32_t *flags);

/* Our error for a number of the library's, with `flags` of the chain (judge.c). */
int acme_mbedtls_error(int code, uint32_t flags);

/* The part of a number that says of what module it is: before 4.0 one may be made of two, with one of a module below. */
#if MBEDTLS_VERSION_NUMBER >= 0x04000000
#define ACME_MBEDTLS_MODULE(code) (code)
#else
#define ACME_MBEDTLS_MODULE(code) (-(-(code)&0xff80))
#endif

/* True when the number says that memory was lacking: before 4.0 each of its modules has its own. */
bool acme_mbedtls_no_memory(int code);

#ifdef __cplusplus
}
#endif

#endif
