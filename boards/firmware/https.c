/* https.c - one connection at a time, TLS 1.2 with the pair in use, one page. */
#include <string.h>

#include "board.h"
#include "firmware.h"
#include "page.h"
#include "wire/pem.h"

/* As the client's: boards/README.md. */
#if ACME_BEARSSL_I15
#define CURVE (ACME_BEARSSL_ONE_EC ? &br_ec_prime_i15 : &br_ec_p256_m15)
#define SIGN  &br_ecdsa_i15_sign_asn1
#else
#define CURVE (ACME_BEARSSL_ONE_EC ? &br_ec_prime_i31 : &br_ec_p256_m31)
#define SIGN  &br_ecdsa_i31_sign_asn1
#endif

#define CERTIFICATES 4

/* A visit has steps: the first flight of TLS, the second, the request, the taking of the answer. So long may the visitor
 * take for his part of one; while another one waits, no longer than honest ones need who are far away, and the first flight
 * follows right behind the connection. What we compute meanwhile does not count. */
#define STEP_MS       15000
#define STEP_SHORT_MS 2000
#define STEP_FIRST_MS 250

static const uint16_t suites[] = {BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                                  BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256};

static struct {
    br_x509_certificate chain[CERTIFICATES];
    size_t chain_len;
    br_ec_private_key key;
    bool on, connected;
    unsigned step;
    uint32_t step_ms; /* when it began */
    /* the request */
    char target[24];
    uint8_t target_len, blanks, ends;
    bool in_target, answering;
    /* the answer */
    unsigned piece;
    struct page page;
    char text[PAGE_PIECE_MAX];
    size_t text_len, text_at;
} https;

/* Decodes the chain in use into the work buffer; its text passes through the record buffer. */
static bool load_chain(void)
{
    const struct acme_store *store = &firmware.store.store;
    const char *text = (const char *)firmware.record_buffer;
    int len = store->get(store->ctx, ACME_RECORD_CHAIN, firmware.record_buffer, sizeof firmware.record_buffer);
    size_t at = 0, used = 0, room = 0;
    struct acme_pem pem;

    https.chain_len = 0;
    if (len <= 0 || (size_t)len > sizeof firmware.record_buffer) {
        return false;
    }
    acme_pem_init(&pem, firmware.work, sizeof firmware.work);
    while (at < (size_t)len && https.chain_len < CERTIFICATES) {
        int event = acme_pem_read(&pem, text + at, (size_t)len - at, &used);
        at += used;
        if (event < 0) {
            return false;
        }
        if (event == ACME_PEM_END) {
            https.chain[https.chain_len].data = firmware.work + room;
            https.chain[https.chain_len++].data_len = pem.len;
            room += pem.len;
            acme_pem_init(&pem, firmware.work + room, sizeof firmware.work - room);
        }
    }
    return https.chain_len > 0;
}

static bool load_key(void)
{
    const struct acme_store *store = &firmware.store.store;
    int len = store->get(store->ctx, ACME_RECORD_KEY, firmware.record_buffer, ACME_KEY_P256_RECORD_MAX);
    int result = len > 0 && len <= ACME_KEY_P256_RECORD_MAX
                     ? acme_key_p256_ops.load(&firmware.certificate_key, firmware.record_buffer, (size_t)len)
                     : ACME_E_KEY_CORRUPT;

    memset(firmware.record_buffer, 0, ACME_KEY_P256_RECORD_MAX);
    https.key.curve = BR_EC_secp256r1;
    https.key.x = firmware.certificate_key.scalar;
    https.key.xlen = sizeof firmware.certificate_key.scalar;
    return result == 0;
}

bool https_start(void)
{
    const struct acme_listener *l = &firmware.https.listener;

    if (!load_key() || !load_chain()) {
        return false;
    }
    page_certificate(&https.page, https.chain[0].data, https.chain[0].data_len);
    https.connected = false;
    https.on = l->start(l->ctx) == 1;
    return https.on;
}

int https_take(void *ctx)
{
    const struct acme_store *store = &firmware.store.store;

    (void)ctx;
    return load_key() && store->get(store->ctx, ACME_RECORD_CHAIN, NULL, 0) > 0 ? 1 : ACME_E_DEPLOY;
}

static void hang_up(void)
{
    const struct acme_listener *l = &firmware.https.listener;

    if (https.connected) {
        l->close(l->ctx, 0);
    }
    https.connected = false;
}

void https_stop(void)
{
    const struct acme_listener *l = &firmware.https.listener;

    if (https.on) {
        hang_up();
        l->stop(l->ctx);
        https.on = false;
        memset(&firmware.tls, 0, sizeof firmware.tls);
    }
}

/* A new session for the connection that has just come. */
static bool greet(uint32_t now_ms)
{
    br_ssl_server_context *server = &firmware.tls.server;
    br_ssl_engine_context *eng = &server->eng;
    unsigned char seed[32];

    if (board_random(NULL, seed, sizeof seed) != 0) {
        return false;
    }
    br_ssl_server_zero(server);
    br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
    br_ssl_engine_set_suites(eng, suites, sizeof suites / sizeof suites[0]);
    br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_prf_sha256(eng, &br_tls12_sha256_prf);
    br_ssl_engine_set_default_aes_gcm(eng);
    br_ssl_engine_set_default_chapol(eng);
    br_ssl_engine_set_ec(eng, CURVE);
    br_ssl_server_set_single_ec(server, https.chain, https.chain_len, &https.key, BR_KEYTYPE_SIGN, 0, CURVE, SIGN);
    br_ssl_engine_set_buffer(eng, firmware.record_buffer, sizeof firmware.record_buffer, 0);
    br_ssl_engine_inject_entropy(eng, seed, sizeof seed);
    https.target_len = https.blanks = https.ends = 0;
    https.in_target = https.answering = false;
    https.piece = 0;
    https.text_len = https.text_at = 0;
    https.step = 0;
    https.step_ms = now_ms;
    https.connected = true;
    return br_ssl_server_reset(server) == 1;
}

/* Reads the request: its target, then the empty line at its end. */
static void hear(const unsigned char *data, size_t len)
{
    for (size_t i = 0; i < len && !https.answering; i++) {
        char c = (char)data[i];
        if (c == ' ' && https.blanks < 2) {
            https.blanks++;
            https.in_target = https.blanks == 1;
        } else if (https.in_target && https.target_len < sizeof https.target) {
            https.target[https.target_len++] = c;
        }
        https.ends = c == '\n' ? https.ends + 1 : c == '\r' ? https.ends : 0;
        https.answering = https.ends == 2;
    }
}

static bool target_is(const char *text)
{
    return https.target_len == strlen(text) && memcmp(https.target, text, https.target_len) == 0;
}

/* Makes the next piece of the answer. False: that was all. */
static bool speak(void)
{
    const bool json = target_is("/status.json"), found = json || target_is("/");
    struct acme_out o;

    acme_out_init(&o, https.text, sizeof https.text);
    if (https.piece == 0) {
        acme_out_text(&o, found ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 404 Not Found\r\n");
        acme_out_text(&o, json ? "Content-Type: application/json\r\n" : "Content-Type: text/html; charset=utf-8\r\n");
        acme_out_text(&o, "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:\r\n"
                          "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
        status_look(&https.page);
    } else if (!(found ? page_piece(&o, &https.page, https.piece - 1, json) : page_missing(&o, https.piece - 1))) {
        return false;
    }
    https.piece++;
    https.text_len = o.len;
    https.text_at = 0;
    return true;
}

static void answer(br_ssl_engine_context *eng)
{
    size_t room = 0;
    unsigned char *to = br_ssl_engine_sendapp_buf(eng, &room);
    size_t left = https.text_len - https.text_at, count = left < room ? left : room;

    memcpy(to, https.text + https.text_at, count);
    br_ssl_engine_sendapp_ack(eng, count);
    https.text_at += count;
    if (https.text_at == https.text_len && !speak()) {
        br_ssl_engine_flush(eng, 0);
        br_ssl_engine_close(eng);
    }
}

/* Moves bytes one way or the other. */
static bool pump(br_ssl_engine_context *eng)
{
    const struct acme_listener *l = &firmware.https.listener;
    unsigned state = br_ssl_engine_current_state(eng);
    unsigned char *at;
    size_t len;
    int count = 0;

    if (state & BR_SSL_SENDREC) {
        at = br_ssl_engine_sendrec_buf(eng, &len);
        if ((count = l->send(l->ctx, 0, at, len)) > 0) {
            br_ssl_engine_sendrec_ack(eng, (size_t)count);
        }
    } else if (state & BR_SSL_RECVAPP) {
        at = br_ssl_engine_recvapp_buf(eng, &len);
        hear(at, len);
        br_ssl_engine_recvapp_ack(eng, len);
        count = 1;
    } else if (https.answering && (state & BR_SSL_SENDAPP)) {
        answer(eng);
        count = 1;
    } else if (state & BR_SSL_RECVREC) {
        at = br_ssl_engine_recvrec_buf(eng, &len);
        if ((count = l->recv(l->ctx, 0, at, len)) > 0) {
            br_ssl_engine_recvrec_ack(eng, (size_t)count);
        }
    }
    if (count < 0 || (state & BR_SSL_CLOSED)) {
        hang_up();
    }
    return count > 0;
}

/* How far the visit has come. */
static unsigned step_of(unsigned state)
{
    return https.answering ? 3 : state & BR_SSL_SENDAPP ? 2 : state & BR_SSL_SENDREC ? 1 : 0;
}

static bool takes_too_long(uint32_t now_ms)
{
    uint32_t gone_ms = now_ms - https.step_ms;

    if (!acme_lwip_listener_awaited(&firmware.https)) {
        return gone_ms > STEP_MS;
    }
    return gone_ms > (https.step == 0 ? STEP_FIRST_MS : STEP_SHORT_MS);
}

bool https_tick(uint32_t now_ms)
{
    const struct acme_listener *l = &firmware.https.listener;
    br_ssl_engine_context *eng = &firmware.tls.server.eng;
    unsigned step;
    bool moved;

    if (!https.on) {
        return false;
    }
    if (!https.connected) {
        if (l->accept(l->ctx, 0) != 1) {
            return false;
        }
        if (!greet(now_ms)) {
            l->close(l->ctx, 0);
            https.connected = false;
        }
        return true;
    }
    moved = pump(eng);
    step = step_of(br_ssl_engine_current_state(eng));
    if (step > https.step) {
        https.step = step;
        https.step_ms = board_now_ms();
    } else if (https.connected && takes_too_long(now_ms)) {
        hang_up();
    }
    return moved;
}

bool https_busy(void)
{
    return https.on && https.connected;
}

bool https_knock(bool open)
{
    const struct acme_listener *l = &firmware.https.listener;

    if (!open || https.chain_len == 0) {
        l->stop(l->ctx);
        return false;
    }
    return l->start(l->ctx) == 1 && acme_lwip_listener_awaited(&firmware.https);
}
