/* tls_server.c - see tls_server.h. */
#include "tls_server.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

static void move_out(struct tls_server *s)
{
    int n;

    if (s->head == s->tail) {
        s->head = s->tail = 0;
    }
    do {
        n = BIO_read(SSL_get_wbio(s->ssl), s->to_client + s->tail, (int)(sizeof s->to_client - s->tail));
        s->tail += n > 0 ? (size_t)n : 0;
    } while (n > 0);
}

void tls_server_run(struct tls_server *s)
{
    int n;

    if (s->mute || s->ssl == NULL) {
        return;
    }
    do {
        n = SSL_read(s->ssl, s->request + s->request_len, (int)(sizeof s->request - s->request_len));
        s->request_len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    if (n <= 0 && SSL_get_error(s->ssl, n) == SSL_ERROR_SSL) {
        s->ended = true;
    }
    ERR_clear_error();
    move_out(s);
}

void tls_server_say(struct tls_server *s, const void *data, size_t len)
{
    assert_int_equal(SSL_write(s->ssl, data, (int)len), len);
    move_out(s);
}

void tls_server_bye(struct tls_server *s)
{
    SSL_shutdown(s->ssl);
    move_out(s);
    s->ended = true;
}

void tls_server_raw(struct tls_server *s, const void *data, size_t len)
{
    memcpy(s->to_client + s->tail, data, len);
    s->tail += len;
}

/* As a well-behaved server does: without close_notify OpenSSL forgets the session. */
static void drop(struct tls_server *s)
{
    if (s->ssl != NULL && SSL_is_init_finished(s->ssl)) {
        SSL_shutdown(s->ssl);
    }
    ERR_clear_error();
    SSL_free(s->ssl);
    s->ssl = NULL;
}

static int net_open(void *ctx, const char *host, uint16_t port)
{
    struct tls_server *s = ctx;

    assert_non_null(host);
    assert_true(port != 0);
    s->opens++;
    if (s->open_answer == 1) {
        tls_server_connect(s);
    }
    return s->open_answer;
}

static int net_send(void *ctx, const void *data, size_t len)
{
    struct tls_server *s = ctx;
    int n = (int)(len < s->chunk ? len : s->chunk);

    assert_true(len > 0);
    if (s->ssl == NULL) {
        return ACME_E_CLOSED;
    }
    assert_int_equal(BIO_write(SSL_get_rbio(s->ssl), data, n), n);
    return n;
}

static int net_recv(void *ctx, void *data, size_t cap)
{
    struct tls_server *s = ctx;
    size_t n = s->tail - s->head;

    assert_true(cap > 0);
    n = n < s->chunk ? n : s->chunk;
    n = n < cap ? n : cap;
    n = n < s->cut_at - s->sent_down ? n : s->cut_at - s->sent_down;
    if (s->ssl == NULL || s->cut_at == s->sent_down) {
        return ACME_E_CLOSED;
    }
    if (n == 0) {
        return s->ended ? ACME_E_CLOSED : 0;
    }
    memcpy(data, s->to_client + s->head, n);
    if (s->flip_at >= s->sent_down && s->flip_at - s->sent_down < n) {
        ((uint8_t *)data)[s->flip_at - s->sent_down] ^= 1;
    }
    s->head += n;
    s->sent_down += n;
    return (int)n;
}

static void net_close(void *ctx)
{
    struct tls_server *s = ctx;
    tls_server_run(s);
    s->bade = s->ssl != NULL && (SSL_get_shutdown(s->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
    s->closes++;
    drop(s);
}

void tls_server_init(struct tls_server *s, EVP_PKEY *key, X509 *const *chain, size_t count, const char *suites)
{
    drop(s);
    SSL_CTX_free(s->ctx);
    memset(s, 0, sizeof *s);
    s->ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(s->ctx, 0);
    SSL_CTX_set_max_proto_version(s->ctx, TLS1_2_VERSION);
    SSL_CTX_set_session_id_context(s->ctx, (const unsigned char *)"t", 1);
    assert_int_equal(SSL_CTX_use_certificate(s->ctx, chain[0]), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(s->ctx, key), 1);
    for (size_t i = 1; i < count; i++) {
        assert_int_equal(SSL_CTX_add1_chain_cert(s->ctx, chain[i]), 1);
    }
    SSL_CTX_set_mode(s->ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_options(s->ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (suites != NULL) {
        assert_int_equal(SSL_CTX_set_cipher_list(s->ctx, suites), 1);
    }
    s->chunk = s->flip_at = s->cut_at = SIZE_MAX;
    s->open_answer = 1;
    s->net = (struct acme_net){s, net_open, net_send, net_recv, net_close};
}

void tls_server_connect(struct tls_server *s)
{
    drop(s);
    s->ssl = SSL_new(s->ctx);
    SSL_set_bio(s->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(s->ssl), -1);
    SSL_set_accept_state(s->ssl);
    s->head = s->tail = s->sent_down = s->request_len = 0;
    s->ended = false;
}

void tls_server_trust(struct acme_trust *trust, void *memory, size_t cap, X509 *const *roots, size_t count)
{
    struct acme_trust_reader r;

    acme_trust_begin(&r, memory, cap);
    for (size_t i = 0; i < count; i++) {
        char *pem = maker_pem(roots[i]);
        acme_trust_add(&r, pem, strlen(pem));
        free(pem);
    }
    assert_int_equal(acme_trust_end(&r, trust), count);
}
