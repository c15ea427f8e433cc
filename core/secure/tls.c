/* tls.c - see tls.h. */
#include "tls.h"

#include <string.h>

#include "../acme_config.h"
#include "ec.h"
#include "seed.h"
#include "wipe.h"

#define RSA_BYTES_MIN 256
#define DER_SEQUENCE  0x30
#define DAYS_TO_1970  719528 /* from year 0, as BearSSL counts */
#define RESUME_S      86400  /* RFC 5246, F.1.4 */

static const uint16_t suites[] = {
    BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,       BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,       BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384};

/* The X.509 class: br_x509_minimal does nearly everything; these note when it may have done a public-key operation,
 * which of a certificate's two dates it stopped at, whether the leaf has a DNS name beside its common name, what the
 * certificates are for and when they end. It
 * verifies where a CA's public key ends and where a certificate ends; BearSSL hands certificates over in
 * pieces of at most 256 bytes, and any piece of a CA's certificate may hold that place. */

static struct acme_tls_x509 *x509_of(const br_x509_class **ctx)
{
    return (struct acme_tls_x509 *)(void *)ctx;
}

#if ACME_CFG_ADDRESSES

/* An address as x509.address has it. Returns false when the name is none. */
static bool read_address(const char *name, uint8_t address[1 + ACME_ADDRESS_MAX])
{
    int len = acme_address_read(acme_slice_of(name), address + 1);

    address[0] = (uint8_t)(len < 0 ? -len : len);
    return len != 0;
}

static bool same_server(const struct acme_tls *tls, const char *name)
{
    uint8_t address[1 + ACME_ADDRESS_MAX];

    return read_address(name, address) ? memcmp(tls->x509.address, address, 1u + address[0]) == 0
                                       : strcmp(br_ssl_engine_get_server_name(&tls->client.eng), name) == 0;
}

/* Whom the certificate is to be for. Returns what SNI says: a name. */
static const char *aim_at(struct acme_tls *tls, const char *name)
{
    return read_address(name, tls->x509.address) ? NULL : name;
}

static void begin_addresses(struct acme_tls_x509 *x)
{
    x->scan.wanted = x->address;
}

/* The first certificate is the server's. */
static void end_addresses(struct acme_tls_x509 *x)
{
    if (acme_inside_count(x->inner) == 0) {
        x->has_address = x->scan.has_wanted;
    }
}

/* BearSSL was given no name to look for when the server has an address. */
static bool is_for_server(const struct acme_tls_x509 *x)
{
    return x->address[0] != 0 ? x->has_address : x->dns_name.status != 0;
}

#else
#define same_server(tls, name) (strcmp(br_ssl_engine_get_server_name(&(tls)->client.eng), (name)) == 0)
#define aim_at(tls, name)      (name)
#define begin_addresses(x)     ((void)0)
#define end_addresses(x)       ((void)0)
#define is_for_server(x)       ((x)->dns_name.status != 0)
#endif

static void start_chain(const br_x509_class **ctx, const char *server_name)
{
    struct acme_tls_x509 *x = x509_of(ctx);
    x->behind_date = 0;
    x->other_use = false;
    if (ACME_CFG_RESUME) {
        x->from = x->now;
        x->until = x->now + RESUME_S;
    }
    x->inner->vtable->start_chain(&x->inner->vtable, server_name);
}

static void start_cert(const br_x509_class **ctx, uint32_t length)
{
    struct acme_tls_x509 *x = x509_of(ctx);
    acme_cert_scan_begin(&x->scan);
    begin_addresses(x);
    x->inner->vtable->start_cert(&x->inner->vtable, length);
}

static void append(const br_x509_class **ctx, const unsigned char *buf, size_t len)
{
    struct acme_tls_x509 *x = x509_of(ctx);
    bool good = acme_inside_good(x->inner);
    if (good && acme_inside_count(x->inner) > 0) {
        x->worked = true;
    }
    if (good) {
        acme_cert_scan(&x->scan, buf, len);
    }
    x->inner->vtable->append(&x->inner->vtable, buf, len);
    /* BearSSL has one number for both dates. It stops right behind the wrong one, which may end its piece. */
    if (acme_inside_expired(x->inner) && x->behind_date == 0 && (!good || acme_inside_left(x->inner) > 0)) {
        x->behind_date = good ? acme_inside_next(x->inner) : buf[0];
    }
}

static void end_cert(const br_x509_class **ctx)
{
    struct acme_tls_x509 *x = x509_of(ctx);
    x->worked = true;
    x->other_use = x->other_use || x->scan.other_use;
    end_addresses(x);
    if (ACME_CFG_RESUME && x->scan.sequences > 0 &&
        x->scan.not_after < x->until) { /* what is behind the anchor's place was not looked at */
        x->until = x->scan.not_after;
    }
    x->inner->vtable->end_cert(&x->inner->vtable);
}

static unsigned end_chain(const br_x509_class **ctx)
{
    struct acme_tls_x509 *x = x509_of(ctx);
    unsigned err = x->inner->vtable->end_chain(&x->inner->vtable);
    if (err != 0) {
        return err;
    }
    /* BearSSL takes the common name where there is no alternative name; RFC 9525, 6.4, does not. */
    if (!is_for_server(x)) {
        return BR_ERR_X509_BAD_SERVER_NAME;
    }
    /* A CA for mail or code is not trusted to have looked at host names. */
    if (x->other_use) {
        return BR_ERR_X509_FORBIDDEN_KEY_USAGE;
    }
    if (x->trust->permits == NULL || x->trust->permits(x->trust, x->inner)) {
        return 0;
    }
    x->scan.issuer[0] = '\0'; /* there is an anchor, but it may not vouch for this host */
    return BR_ERR_X509_NOT_TRUSTED;
}

/* Asked for before the signature of ServerKeyExchange is verified. */
static const br_x509_pkey *get_pkey(const br_x509_class *const *ctx, unsigned *usages)
{
    struct acme_tls_x509 *x = (struct acme_tls_x509 *)(void *)(uintptr_t)ctx;
    x->worked = true;
    return x->inner->vtable->get_pkey(&x->inner->vtable, usages);
}

static const unsigned char any_dns_name[] = {0,
                                             2}; /* BearSSL's way to say: the first alternative name of that kind */

static const br_x509_class forwarding = {
    sizeof(struct acme_tls_x509), start_chain, start_cert, append, end_cert, end_chain, get_pkey};

static void set_ciphers(br_ssl_engine_context *eng)
{
    acme_engine_ciphers(eng);
    br_ssl_engine_set_prf_sha256(eng, &br_tls12_sha256_prf);
    br_ssl_engine_set_prf_sha384(eng, &br_tls12_sha384_prf);
    br_ssl_engine_set_suites(eng, suites, sizeof suites / sizeof suites[0]);
}

/* Sets both contexts up for TLS 1.2 and what this client accepts. Renegotiation is off: it would allow a
 * server to show another certificate in the middle. */
static void configure(struct acme_tls *tls, const struct acme_trust *trust, int64_t utc)
{
    static const br_hash_class *const hashes[] = {&br_sha256_vtable, &br_sha384_vtable, &br_sha512_vtable};
    br_ssl_engine_context *eng = &tls->client.eng;
    /* 86400 = 128 * 675; a division of 64 bits would bring much code with it */
    uint32_t days = (uint32_t)(utc >> 7) / 675;

    br_ssl_client_zero(&tls->client);
    br_x509_minimal_init(&tls->minimal, &br_sha256_vtable, trust->anchors, trust->count);
    br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
    for (int i = 0; i < 3; i++) {
        br_ssl_engine_set_hash(eng, br_sha256_ID + i, hashes[i]);
        br_x509_minimal_set_hash(&tls->minimal, br_sha256_ID + i, hashes[i]);
    }
    set_ciphers(eng);
    br_ssl_engine_set_ec(eng, &acme_ec);
    br_ssl_engine_set_ecdsa(eng, &ACME_ECDSA_VERIFY);
    br_ssl_engine_set_rsavrfy(eng, &ACME_RSA_VERIFY);
    br_x509_minimal_set_ecdsa(&tls->minimal, &acme_ec, &ACME_ECDSA_VERIFY);
    br_x509_minimal_set_rsa(&tls->minimal, &ACME_RSA_VERIFY);
    br_x509_minimal_set_minrsa(&tls->minimal, RSA_BYTES_MIN);
    br_x509_minimal_set_time(&tls->minimal, days + DAYS_TO_1970, (uint32_t)(utc - (int64_t)days * 86400));
    tls->x509.vtable = &forwarding;
    tls->x509.inner = &tls->minimal;
    /* Its text is of no use; that there is one is. */
    tls->x509.dns_name = (br_name_element){any_dns_name, &tls->x509.dns_text, sizeof tls->x509.dns_text, 0};
    br_x509_minimal_set_name_elements(&tls->minimal, &tls->x509.dns_name, 1);
    br_ssl_engine_set_x509(eng, &tls->x509.vtable);
    tls->protocol = "http/1.1";
    br_ssl_engine_set_protocol_names(eng, &tls->protocol, 1);
    br_ssl_engine_add_flags(eng, BR_OPT_NO_RENEGOTIATION | BR_OPT_FAIL_ON_ALPN_MISMATCH);
}

int acme_tls_start(struct acme_tls *tls, const struct acme_trust *trust, void *buffer, size_t buffer_len,
                   const char *name, const struct acme_sys *sys)
{
    br_ssl_session_parameters session;
    unsigned char seed[ACME_SEED_LEN];
    int64_t utc = 0;

    if (name == NULL || name[0] == '\0' || strlen(name) >= sizeof tls->client.eng.server_name) {
        return ACME_E_TLS_NAME;
    }
    if (trust == NULL || trust->count == 0) {
        return ACME_E_ANCHORS;
    }
    if (buffer_len < ACME_TLS_BUFFER_SMALL) {
        return ACME_E_WORK_SMALL;
    }
    if (sys->utc(sys->ctx, &utc) != 1 || utc < ACME_UTC_FLOOR) {
        return ACME_E_CLOCK;
    }
    if (!acme_seed_draw(sys, seed)) {
        acme_wipe(seed, sizeof seed);
        return ACME_E_RANDOM;
    }
    /* A clock that was set back does not make a session younger. */
    bool resume = ACME_CFG_RESUME && tls->resumable && tls->x509.trust == trust && utc >= tls->x509.from &&
                  utc <= tls->x509.until && same_server(tls, name);
    if (ACME_CFG_RESUME) {
        br_ssl_engine_get_session_parameters(&tls->client.eng, &session);
    }
    tls->x509.trust = trust;
    tls->x509.now = utc;
    configure(tls, trust, utc);
    if (resume) {
        br_ssl_engine_set_session_parameters(&tls->client.eng, &session);
    }
    if (ACME_CFG_RESUME) {
        acme_wipe(&session, sizeof session);
    }
    tls->rx_at = 0;
    tls->rx_len = 0;
    tls->resumable = false;
    tls->shook = false;
    br_ssl_engine_set_buffer(&tls->client.eng, buffer, buffer_len, 0);
    br_ssl_engine_inject_entropy(&tls->client.eng, seed, sizeof seed);
    acme_wipe(seed, sizeof seed);
    /* Whatever it could refuse was made sure of above; an error of its own would stay for acme_tls_pump() to tell. */
    (void)br_ssl_client_reset(&tls->client, aim_at(tls, name), resume);
    return 0;
}

static const struct {
    int16_t code;
    int16_t error;
} errors[] = {
    {BR_ERR_UNSUPPORTED_VERSION, ACME_E_TLS_VERSION},
    {BR_ERR_RECV_FATAL_ALERT + BR_ALERT_PROTOCOL_VERSION, ACME_E_TLS_VERSION},
    {BR_ERR_RECV_FATAL_ALERT + BR_ALERT_HANDSHAKE_FAILURE, ACME_E_TLS_VERSION},
    {BR_ERR_SEND_FATAL_ALERT + BR_ALERT_PROTOCOL_VERSION, ACME_E_TLS_VERSION},
    {BR_ERR_BAD_VERSION, ACME_E_TLS_RECORD},
    {BR_ERR_BAD_LENGTH, ACME_E_TLS_RECORD},
    {BR_ERR_TOO_LARGE, ACME_E_TLS_RECORD_BIG},
    {BR_ERR_BAD_MAC, ACME_E_TLS_RECORD},
    {BR_ERR_NO_RANDOM, ACME_E_RANDOM},
    {BR_ERR_UNKNOWN_TYPE, ACME_E_TLS_RECORD},
    {BR_ERR_UNEXPECTED, ACME_E_TLS_RECORD},
    {BR_ERR_BAD_FINISHED, ACME_E_TLS_RECORD},
    {BR_ERR_BAD_SIGNATURE, ACME_E_TLS_SIGNATURE},
    {BR_ERR_WRONG_KEY_USAGE, ACME_E_TLS_CERT},
    {BR_ERR_X509_BAD_SIGNATURE, ACME_E_TLS_SIGNATURE},
    {BR_ERR_X509_WRONG_KEY_TYPE, ACME_E_TLS_SIGNATURE},
    {BR_ERR_X509_TIME_UNKNOWN, ACME_E_CLOCK},
    {BR_ERR_X509_EXPIRED, ACME_E_TLS_DATES},
    {BR_ERR_X509_BAD_SERVER_NAME, ACME_E_TLS_HOST},
    {BR_ERR_X509_WEAK_PUBLIC_KEY, ACME_E_TLS_WEAK},
    {BR_ERR_X509_NOT_TRUSTED, ACME_E_TLS_UNTRUSTED},
};

static int error_of(const struct acme_tls *tls, int code)
{
    /* BearSSL gives one number to a server of another version and to what is no TLS record at all. */
    if (code == BR_ERR_UNSUPPORTED_VERSION && acme_inside_major(&tls->client.eng) != 3) {
        return ACME_E_TLS_RECORD;
    }
    /* Behind the first date comes the second, behind that the subject's name. */
    if (code == BR_ERR_X509_EXPIRED && tls->x509.behind_date != DER_SEQUENCE) {
        return ACME_E_TLS_EARLY;
    }
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (errors[i].code == code) {
            return errors[i].error;
        }
    }
    if (code > BR_ERR_X509_OK && code < 64) {
        return ACME_E_TLS_CERT;
    }
    return code >= BR_ERR_RECV_FATAL_ALERT ? ACME_E_TLS_ALERT : ACME_E_TLS;
}

/* Notes what the last bytes brought about. Returns 0 or the engine's error. A session that failed is not
 * resumed (RFC 5246, 7.2.2). */
static int judge(struct acme_tls *tls)
{
    unsigned state = br_ssl_engine_current_state(&tls->client.eng);
    int code = acme_tls_code(tls);

    if (code != 0) {
        tls->resumable = false;
        return error_of(tls, code);
    }
    if ((state & (BR_SSL_SENDAPP | BR_SSL_RECVAPP)) != 0 && !tls->shook) {
        tls->shook = true;
        tls->resumable = true;
    }
    return 0;
}

/* Gives waiting ciphertext to the engine, byte by byte, so that no byte is read behind one that cost a
 * public-key operation. */
static bool feed(struct acme_tls *tls)
{
    br_ssl_engine_context *eng = &tls->client.eng;
    bool moved = false;
    size_t len;

    tls->x509.worked = false;
    while (tls->rx_at < tls->rx_len && !tls->x509.worked) {
        unsigned char *to = br_ssl_engine_recvrec_buf(eng, &len);
        if (to == NULL) { /* something is to be sent or read first: one buffer serves both ways; after an error too */
            break;
        }
        *to = tls->rx[tls->rx_at++];
        br_ssl_engine_recvrec_ack(eng, 1);
        moved = true;
    }
    return moved;
}

static int pump_out(struct acme_tls *tls, const struct acme_net *net, uint32_t *up)
{
    br_ssl_engine_context *eng = &tls->client.eng;
    size_t len;
    const unsigned char *at = br_ssl_engine_sendrec_buf(eng, &len);
    int sent;

    if (at == NULL) {
        return 0;
    }
    sent = net->send(net->ctx, at, len);
    if (sent > 0) {
        *up += (uint32_t)sent;
        br_ssl_engine_sendrec_ack(eng, (size_t)sent);
    }
    return sent;
}

/* The peer has finished. Between two records that is for the caller to judge; within one it is damage. */
static int cut(const struct acme_tls *tls)
{
    return acme_inside_idle_in(&tls->client.eng) ? ACME_E_CLOSED : ACME_E_TLS_RECORD;
}

static int pump_in(struct acme_tls *tls, const struct acme_net *net, uint32_t *down)
{
    br_ssl_engine_context *eng = &tls->client.eng;
    size_t len;
    unsigned char *at = br_ssl_engine_recvrec_buf(eng, &len);
    int got = 0;

    if (tls->rx_at == tls->rx_len && at != NULL) {
        got = net->recv(net->ctx, tls->shook ? at : tls->rx, tls->shook ? len : sizeof tls->rx);
        if (got < 0) {
            return got == ACME_E_CLOSED ? cut(tls) : got;
        }
        *down += (uint32_t)got;
        if (tls->shook && got > 0) {
            br_ssl_engine_recvrec_ack(eng, (size_t)got);
        } else {
            tls->rx_at = 0;
            tls->rx_len = (uint8_t)got;
        }
    }
    return feed(tls) || got > 0;
}

int acme_tls_pump(struct acme_tls *tls, const struct acme_net *net, uint32_t *up, uint32_t *down)
{
    int sent = pump_out(tls, net, up);
    int got;
    int err;

    if (sent < 0) {
        return sent;
    }
    got = pump_in(tls, net, down);
    err = judge(tls);
    if (err < 0 || got < 0) {
        return err < 0 ? err : got;
    }
    return sent > 0 || got > 0;
}

void acme_tls_end(struct acme_tls *tls, const struct acme_net *net)
{
    br_ssl_engine_context *eng = &tls->client.eng;
    uint32_t up = 0;
    size_t len;

    if (br_ssl_engine_recvapp_buf(eng, &len) == NULL) {
        br_ssl_engine_close(eng);
        (void)pump_out(tls, net, &up);
    }
}

size_t acme_tls_write(struct acme_tls *tls, const void *data, size_t len, bool flush)
{
    size_t room;
    unsigned char *at = br_ssl_engine_sendapp_buf(&tls->client.eng, &room);

    if (at == NULL) {
        return 0;
    }
    len = len < room ? len : room;
    if (len > 0) {
        memcpy(at, data, len);
        br_ssl_engine_sendapp_ack(&tls->client.eng, len);
    }
    if (flush) {
        br_ssl_engine_flush(&tls->client.eng, 0);
    }
    return len;
}

size_t acme_tls_read(struct acme_tls *tls, void *data, size_t cap)
{
    size_t len;
    const unsigned char *at = br_ssl_engine_recvapp_buf(&tls->client.eng, &len);

    if (at == NULL) {
        return 0;
    }
    len = len < cap ? len : cap;
    memcpy(data, at, len);
    br_ssl_engine_recvapp_ack(&tls->client.eng, len);
    return len;
}
