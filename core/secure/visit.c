/* visit.c - see visit.h. */
#include "visit.h"

#include <string.h>

#include "ec.h"
#include "inside.h"
#include "seed.h"
#include "wipe.h"

#define ALERT_LEN         7 /* a record with an alert in clear; its last byte is the alert's number */
#define ALERT_TYPE        6
#define UNRECOGNIZED_NAME 112 /* RFC 6066, 3 */

static const uint16_t suites[] = {BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                                  BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256};

/* BearSSL takes the first that is offered: who offers a word of the web as well is no validator, they offer a single one. */
#define PROTOCOLS 3
static const char *const protocols[PROTOCOLS] = {"h2", "http/1.1", "acme-tls/1"};

static struct acme_visit *visit_of(const br_ssl_server_policy_class **ctx)
{
    return (struct acme_visit *)(void *)ctx;
}

/* BearSSL has left only what both sides know: there is a suite, SHA-256 for its signature, and a curve. */
static int choose(const br_ssl_server_policy_class **ctx, const br_ssl_server_context *server,
                  br_ssl_server_choices *choices)
{
    struct acme_visit *v = visit_of(ctx);
    const struct acme_visit_host *host = v->host;
    size_t count;
    const br_suite_translated *suite = br_ssl_server_get_client_suites(server, &count);

    if (br_ssl_engine_get_selected_protocol(&v->server.eng) != protocols[PROTOCOLS - 1]) {
        return 0;
    }
    int shown = host->show(host->ctx, br_ssl_engine_get_server_name(&v->server.eng), v->certificate);
    v->shown = shown > 0;
    v->unknown = !v->shown;
    v->chain.data_len = (size_t)shown;
    v->chain.data = v->certificate + sizeof v->certificate - shown;
    choices->cipher_suite = suite[0][0];
    choices->algo_id = 0xff00 + br_sha256_ID; /* the data is hashed first */
    choices->chain = &v->chain;
    choices->chain_len = 1;
    return v->shown;
}

static size_t sign(const br_ssl_server_policy_class **ctx, unsigned algo_id, unsigned char *data, size_t hv_len,
                   size_t len)
{
    struct acme_visit *v = visit_of(ctx);
    uint8_t signature[64];

    (void)algo_id;
    (void)hv_len;
    (void)len; /* BearSSL's pad, which takes every signature */
    v->worked = true;
    if (v->host->key.ops->sign(v->host->key.handle, data, signature) != 0) {
        return 0;
    }
    memcpy(data, signature, sizeof signature);
    return br_ecdsa_raw_to_asn1(data, sizeof signature);
}

/* Without a way to agree upon a key by the certificate's: such suites are not offered. */
static const br_ssl_server_policy_class policy = {sizeof(struct acme_visit), choose, NULL, sign};

int acme_visit_start(struct acme_visit *v, const struct acme_visit_host *host)
{
    br_ssl_engine_context *eng = &v->server.eng;
    unsigned char seed[ACME_SEED_LEN];
    bool drawn = acme_seed_draw(host->sys, seed);

    memset(v, 0, sizeof *v);
    v->policy = &policy;
    v->host = host;
    br_ssl_engine_set_versions(eng, BR_TLS12, BR_TLS12);
    br_ssl_engine_set_suites(eng, suites, sizeof suites / sizeof suites[0]);
    br_ssl_engine_set_hash(eng, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_prf_sha256(eng, &br_tls12_sha256_prf);
    acme_engine_ciphers(eng);
    br_ssl_engine_set_ec(eng, &acme_ec);
    br_ssl_server_set_policy(&v->server, &v->policy);
    /* BearSSL only reads the list. */
    br_ssl_engine_set_protocol_names(eng, (const char **)(uintptr_t)protocols, PROTOCOLS);
    br_ssl_engine_set_buffer(eng, v->buffer, sizeof v->buffer, 0);
    br_ssl_engine_inject_entropy(eng, seed, sizeof seed);
    acme_wipe(seed, sizeof seed);
    /* It could only refuse what was made sure of above. */
    (void)br_ssl_server_reset(&v->server);
    return drawn ? 0 : ACME_E_RANDOM;
}

int acme_visit_pump(struct acme_visit *v, const struct acme_listener *l, unsigned slot)
{
    br_ssl_engine_context *eng = &v->server.eng;
    unsigned char *at;
    size_t len;
    int count;

    v->worked = v->took = false;
    if (!v->done && (br_ssl_engine_current_state(eng) & BR_SSL_SENDAPP) != 0) {
        v->done = true;
        br_ssl_engine_close(eng); /* close_notify */
    }
    at = br_ssl_engine_sendrec_buf(eng, &len);
    if (at != NULL) {
        if (v->unknown && len == ALERT_LEN) { /* BearSSL has handshake_failure for all that is not chosen */
            at[ALERT_TYPE] = UNRECOGNIZED_NAME;
        }
        count = l->send(l->ctx, slot, at, len);
        v->took = count > 0;
        if (v->took) {
            br_ssl_engine_sendrec_ack(eng, (size_t)count);
        }
        return count;
    }
    at = v->done ? NULL : br_ssl_engine_recvrec_buf(eng, &len);
    if (at == NULL) {
        return ACME_E_CLOSED;
    }
    count = l->recv(l->ctx, slot, at, len);
    if (count > 0) {
        bool agreed = acme_inside_agreed(&v->server);
        br_ssl_engine_recvrec_ack(eng, (size_t)count);
        v->worked = v->worked || agreed != acme_inside_agreed(&v->server);
    }
    return count;
}
