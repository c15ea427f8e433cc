/* mbedtls_net.c - struct acme_secure_net over Mbed TLS and the TCP connection of a port. */
#include "acme_mbedtls.h"

#include <string.h>

#include <mbedtls/platform.h>
#include <psa/crypto.h>
#if MBEDTLS_VERSION_NUMBER < 0x04000000
#include <mbedtls/ecp.h>
#endif
#if defined(MBEDTLS_MEMORY_BUFFER_ALLOC_C)
#include <mbedtls/memory_buffer_alloc.h>
#endif

#include "secure/p256.h"
#include "wire/pem.h"
#include "wire/url.h"

#define SESSION_CALLS 4 /* of the library in one of ours, when what it says is no data */

/* --- what differs between versions --- */

#if MBEDTLS_VERSION_NUMBER >= 0x03000000

static bool shaken(const mbedtls_ssl_context *ssl)
{
    return mbedtls_ssl_is_handshake_over((mbedtls_ssl_context *)(uintptr_t)ssl) != 0;
}

static void set_version_and_curves(mbedtls_ssl_config *conf)
{
    static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
                                      MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
    /* PSS last: a server of TLS 1.2 takes the first of ours that it has, and with 1.2 the library refuses PSS, which it
     * offers for the sake of 1.3. */
    static const uint16_t signatures[] = {MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
                                          MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
                                          MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
                                          MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
                                          MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
                                          MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
                                          MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
                                          MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
                                          MBEDTLS_TLS1_3_SIG_NONE};

    mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(conf, groups);
    mbedtls_ssl_conf_sig_algs(conf, signatures);
}

#else

static bool shaken(const mbedtls_ssl_context *ssl)
{
    return ssl->state == MBEDTLS_SSL_HANDSHAKE_OVER;
}

static void set_version_and_curves(mbedtls_ssl_config *conf)
{
    static const mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1,
                                                  MBEDTLS_ECP_DP_NONE};
    static const int hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512, MBEDTLS_MD_NONE};

    mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(conf, curves);
    mbedtls_ssl_conf_sig_hashes(conf, hashes);
}

#endif

/* A session ticket that has come is told as if it were an error, by some versions only; it is none. */
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
#define is_ticket(code) ((code) == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
#else
#define is_ticket(code) false
#endif

/* PSA has a number of its own, and sets the other to it at each signature. */
#if defined(MBEDTLS_ECP_RESTARTABLE) && MBEDTLS_VERSION_NUMBER < 0x04000000
#define set_curve_ops(n) mbedtls_ecp_set_max_ops(n)
#else
#define set_curve_ops(n) ((void)(n))
#endif
#if defined(PSA_INTERRUPTIBLE_MAX_OPS_UNLIMITED)
#define set_psa_ops(n) psa_interruptible_set_max_ops(n)
#else
#define set_psa_ops(n) ((void)0)
#endif

/* From 4.0 on TLS takes its random numbers from PSA, and has no public names for the kinds of keys and curves: its own profiles
 * have them. */
#if MBEDTLS_VERSION_NUMBER >= 0x04000000

static const mbedtls_x509_crt_profile *profile(void)
{
    static mbedtls_x509_crt_profile ours;

    ours = mbedtls_x509_crt_profile_default; /* SHA-256, 384 and 512; RSA of 2048 bits */
    ours.allowed_pks = mbedtls_x509_crt_profile_suiteb.allowed_pks |
                       MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_SIGALG_RSA_PKCS1V15); /* ECDSA and RSA, no PSS */
    ours.allowed_curves = mbedtls_x509_crt_profile_suiteb.allowed_curves;    /* P-256 and P-384 */
    return &ours;
}

#define random_by(conf, sys) ((void)(sys))

#else

static const mbedtls_x509_crt_profile *profile(void)
{
    static const mbedtls_x509_crt_profile ours = {
        MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) | MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
            MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
        MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_RSA) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY) |
            MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA),
        MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) | MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1), 2048};

    return &ours;
}

static int random_numbers(void *ctx, unsigned char *out, size_t len)
{
    const struct acme_sys *sys = ctx;

    return sys->random(sys->ctx, out, len) == 0 ? 0 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

#define random_by(conf, sys) mbedtls_ssl_conf_rng((conf), random_numbers, (void *)(uintptr_t)(sys))

#endif

#if defined(MBEDTLS_MEMORY_BUFFER_ALLOC_C)
#define lend(arena, len) mbedtls_memory_buffer_alloc_init((arena), (len))
#else
#define lend(arena, len) ((void)(arena))
#endif

/* It waits for the network, or cuts its work in pieces (MBEDTLS_ECP_RESTARTABLE): to be called again, and the latter at once. */
static bool waits(int code)
{
    return code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static bool works(int code)
{
    return code == MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS || code == MBEDTLS_ERR_SSL_ASYNC_IN_PROGRESS || is_ticket(code);
}

/* --- what the library asks for --- */

static int wire_send(void *ctx, const unsigned char *data, size_t len)
{
    struct acme_mbedtls *m = ctx;
    int sent = m->net->send(m->net->ctx, data, len);

    m->net_error = sent < 0 ? sent : m->net_error;
    return sent > 0 ? sent : sent == 0 ? MBEDTLS_ERR_SSL_WANT_WRITE : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int wire_recv(void *ctx, unsigned char *data, size_t cap)
{
    struct acme_mbedtls *m = ctx;
    int got = m->net->recv(m->net->ctx, data, cap);

    if (got == ACME_E_CLOSED) {
        return 0; /* its way to say so */
    }
    m->net_error = got < 0 ? got : m->net_error;
    return got > 0 ? got : got == 0 ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

/* --- a connection --- */

static void end(struct acme_mbedtls *m)
{
    m->net->close(m->net->ctx);
    mbedtls_ssl_free(&m->ssl);
    m->state = ACME_MBEDTLS_OFF;
}

/* Notes an error of the library, which ends its context, and gives ours. */
static int failed(struct acme_mbedtls *m, int code)
{
    int error = m->net_error != 0 ? m->net_error : acme_mbedtls_error(code, m->flags);

    m->code = code;
    end(m);
    return error;
}

/* The connection is there. What is set here is looked at each time: without a name nothing would be checked, silently. */
static int start(struct acme_mbedtls *m, const char *name)
{
    int code;

    mbedtls_ssl_init(&m->ssl);
    code = mbedtls_ssl_setup(&m->ssl, &m->conf);
    if (code == 0) {
        code = mbedtls_ssl_set_hostname(&m->ssl, name);
    }
    if (code != 0) {
        return failed(m, code);
    }
    mbedtls_ssl_set_bio(&m->ssl, m, wire_send, wire_recv, NULL);
    m->state = ACME_MBEDTLS_SHAKING;
    return 2;
}

static int shake(struct acme_mbedtls *m)
{
    int code = mbedtls_ssl_handshake_step(&m->ssl); /* one message a call, so that a tick stays short */

    if (waits(code)) {
        return 0;
    }
    if (code != 0 && !works(code)) {
        return failed(m, code);
    }
    if (!shaken(&m->ssl)) {
        return 2;
    }
    /* It would have failed before. A build that does not ask (authmode, a callback that replaced ours) is caught here. */
    m->flags |= mbedtls_ssl_get_verify_result(&m->ssl);
    if (m->flags != 0 || !m->judged) {
        return failed(m, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
    }
    m->state = ACME_MBEDTLS_OPEN;
    return 1;
}

/* Connects by TCP. Whom the certificate is to be for, by what it is to be judged and when: known before anything goes out. */
static int connect(struct acme_mbedtls *m, const char *host, uint16_t port, const char *name)
{
    int known = m->sys->utc(m->sys->ctx, &m->now);
    int done;

    if (name == NULL || !acme_dns_name_ok(acme_slice_of(name))) {
        return ACME_E_TLS_NAME;
    }
    if (m->anchor_count == 0) {
        return ACME_E_ANCHORS;
    }
    if (known != 1 || m->now < ACME_UTC_FLOOR) {
        return ACME_E_CLOCK;
    }
    m->code = m->net_error = 0;
    m->flags = 0;
    m->judged = false;
    m->state = ACME_MBEDTLS_CONNECTING;
    done = m->net->open(m->net->ctx, host, port);
    if (done < 0) {
        end(m);
    }
    return done == 1 ? start(m, name) : done;
}

static int net_open(void *ctx, const char *host, uint16_t port, const char *name)
{
    struct acme_mbedtls *m = ctx;

    return m->state == ACME_MBEDTLS_SHAKING ? shake(m)
           : m->state == ACME_MBEDTLS_OPEN  ? 1
                                            : connect(m, host, port, name);
}

/* The library has taken none of the bytes when it says that it waits, and wants the same again (acme_secure_net.h says so). */
static int net_send(void *ctx, const void *data, size_t len)
{
    struct acme_mbedtls *m = ctx;
    int done;

    if (m->state != ACME_MBEDTLS_OPEN) {
        return ACME_E_CLOSED;
    }
    if (len == 0) { /* would be an empty record */
        return 0;
    }
    done = mbedtls_ssl_write(&m->ssl, data, len);
    if (done >= 0 || waits(done) || works(done)) {
        return done >= 0 ? done : 0;
    }
    return failed(m, done);
}

static int net_recv(void *ctx, void *data, size_t cap)
{
    struct acme_mbedtls *m = ctx;
    int done = MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS;

    if (m->state != ACME_MBEDTLS_OPEN) {
        return ACME_E_CLOSED;
    }
    for (int i = 0; i < SESSION_CALLS && works(done); i++) {
        done = mbedtls_ssl_read(&m->ssl, data, cap);
    }
    if (done > 0 || waits(done) || works(done)) {
        return done > 0 ? done : 0;
    }
    if (done == 0 || done == MBEDTLS_ERR_SSL_CONN_EOF) { /* cut, and not ended: what came may not be all */
        m->net_error = ACME_E_NET;
    }
    return failed(m, done);
}

static void net_close(void *ctx)
{
    struct acme_mbedtls *m = ctx;

    if (m->state == ACME_MBEDTLS_OPEN) {
        (void)mbedtls_ssl_close_notify(&m->ssl);
    }
    if (m->state != ACME_MBEDTLS_OFF) {
        end(m);
    }
}

static int net_code(void *ctx)
{
    const struct acme_mbedtls *m = ctx;

    return m->code;
}

/* --- set-up --- */

static int configure(struct acme_mbedtls *m)
{
    static const int suites[] = {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
        MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
        MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
        MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        0
    };
    static const char *protocols[] = {"http/1.1", NULL};
    int code = mbedtls_ssl_config_defaults(&m->conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                           MBEDTLS_SSL_PRESET_DEFAULT);

    if (code == 0) {
        code = mbedtls_ssl_conf_alpn_protocols(&m->conf, protocols);
    }
    mbedtls_ssl_conf_authmode(&m->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&m->conf, &m->anchors, NULL);
    mbedtls_ssl_conf_verify(&m->conf, acme_mbedtls_judge, m);
    mbedtls_ssl_conf_cert_profile(&m->conf, profile());
    random_by(&m->conf, m->sys);
    mbedtls_ssl_conf_ciphersuites(&m->conf, suites);
    set_version_and_curves(&m->conf);
    return code;
}

int acme_mbedtls_init(struct acme_mbedtls *m, const struct acme_net *net, const struct acme_sys *sys, void *arena,
                      size_t arena_len, unsigned ecp_max_ops)
{
    if (m == NULL || net == NULL || sys == NULL) {
        return ACME_E_NULL;
    }
    memset(m, 0, sizeof *m);
    m->secure = (struct acme_secure_net){m, net_open, net_send, net_recv, net_close, net_code};
    m->net = net;
    m->sys = sys;
    if (arena != NULL) {
        m->arena_len = arena_len;
        lend(arena, arena_len);
    }
    if (ecp_max_ops > 0) {
        set_curve_ops(ecp_max_ops);
        set_psa_ops(ecp_max_ops);
    }
    mbedtls_ssl_config_init(&m->conf);
    mbedtls_x509_crt_init(&m->anchors);
    if (!acme_mbedtls_random_from(sys)) {
        return ACME_E_RANDOM;
    }
    m->code = configure(m);
    return m->code == 0 ? 0 : ACME_E_TLS;
}

/* The library refuses critical name constraints and passes over others: who is trusted for one domain only would be for all. */
static bool is_constrained(const unsigned char *der, size_t len)
{
    static const unsigned char oid[] = {0x06, 0x03, 0x55, 0x1d, 0x1e};

    for (; len >= sizeof oid; der++, len--) {
        if (memcmp(der, oid, sizeof oid) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes one certificate. Returns 1, 0 left out, or ACME_E_TLS without memory. */
static int take(struct acme_mbedtls *m, const void *der, size_t len, bool copy)
{
    if (is_constrained(der, len)) {
        m->left_out++;
        return 0;
    }
    m->code = copy ? mbedtls_x509_crt_parse_der(&m->anchors, der, len)
                   : mbedtls_x509_crt_parse_der_nocopy(&m->anchors, der, len);
    if (acme_mbedtls_no_memory(m->code)) {
        return ACME_E_TLS;
    }
    if (m->code != 0) {
        m->left_out++;
        return 0;
    }
    m->anchor_count++;
    return 1;
}

static int take_pem(struct acme_mbedtls *m, const char *at, size_t len, void *der)
{
    struct acme_pem pem;
    size_t used;
    int taken = 0;
    int one = 0;

    acme_pem_init(&pem, der, len);
    for (; len > 0 && one >= 0; at += used, len -= used) {
        int event = acme_pem_read(&pem, at, len, &used);
        one = 0;
        if (event == ACME_PEM_BEGIN) {
            pem.der = acme_pem_kind(&pem) == ACME_PEM_CERTIFICATE ? der : NULL;
        } else if (event == ACME_PEM_END && pem.der != NULL) {
            one = take(m, pem.der, pem.len, true);
        }
        m->left_out += event < 0;
        taken += one > 0;
    }
    m->left_out += !acme_pem_outside(&pem);
    return one < 0 ? one : taken;
}

int acme_mbedtls_trust(struct acme_mbedtls *m, const void *certificates, size_t len)
{
    const unsigned char *at = certificates;
    void *der;
    int taken;

    if (len == 0) {
        return ACME_E_ANCHORS;
    }
    if (at[0] == (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)) {
        taken = take(m, at, len, false);
    } else {
        len -= at[len - 1] == '\0';
        der = mbedtls_calloc(1, len + 1);
        m->code = der != NULL ? 0 : MBEDTLS_ERR_X509_ALLOC_FAILED;
        taken = der != NULL ? take_pem(m, certificates, len, der) : ACME_E_TLS;
        mbedtls_free(der);
    }
    return taken == 0 ? ACME_E_ANCHORS : taken;
}

void acme_mbedtls_free(struct acme_mbedtls *m)
{
    net_close(m);
    acme_p256_forget(NULL);
    mbedtls_x509_crt_free(&m->anchors);
    mbedtls_ssl_config_free(&m->conf);
    m->anchor_count = m->left_out = 0;
}
