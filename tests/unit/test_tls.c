/* test_tls.c - TLS against an OpenSSL server: what is accepted, what is refused and as what, and how much one
 * step does. */
#include "unit.h"

#include "tls_server.h"

#include <string.h>

#include "acme_config.h"
#include "secure/tls.h"

#define HOST "ca.example"

enum { ROOT, INTER, LEAF, CERTS };

struct chain {
    EVP_PKEY *key[CERTS];
    X509 *cert[CERTS];
    char memory[4096];
    struct acme_trust trust;
};

static struct chain rsa, p256, p384, mixed;
static struct tls_server server;
static struct acme_tls tls;
static unsigned char buffer[ACME_TLS_BUFFER_MIN];

/* Public-key operations, counted in the place of BearSSL's functions. */
static unsigned operations, most, total;
static br_ecdsa_vrfy real_ecdsa;
static br_rsa_pkcs1_vrfy real_rsa;
static const br_ec_impl *real_ec;
static br_ec_impl counting_ec;

static uint32_t count_ecdsa(const br_ec_impl *impl, const void *hash, size_t hash_len, const br_ec_public_key *pk,
                            const void *sig, size_t sig_len)
{
    operations++;
    return real_ecdsa(impl, hash, hash_len, pk, sig, sig_len);
}

static uint32_t count_rsa(const unsigned char *x, size_t xlen, const unsigned char *hash_oid, size_t hash_len,
                          const br_rsa_public_key *pk, unsigned char *hash_out)
{
    operations++;
    return real_rsa(x, xlen, hash_oid, hash_len, pk, hash_out);
}

static uint32_t count_mul(unsigned char *g, size_t glen, const unsigned char *x, size_t xlen, int curve)
{
    operations++; /* mulgen() follows in the same call: ECDHE is one operation */
    return real_ec->mul(g, glen, x, xlen, curve);
}

static void count_operations(void)
{
    operations = most = total = 0;
    real_ecdsa = tls.minimal.iecdsa;
    real_rsa = tls.minimal.irsa;
    real_ec = tls.client.eng.iec;
    counting_ec = *real_ec;
    counting_ec.mul = count_mul;
    tls.client.eng.iec = &counting_ec;
    tls.client.eng.iecdsa = tls.minimal.iecdsa = count_ecdsa;
    tls.client.eng.irsavrfy = tls.minimal.irsa = count_rsa;
}

static int pump(void)
{
    uint32_t up = 0, down = 0;
    int err;

    operations = 0;
    err = acme_tls_pump(&tls, &server.net, &up, &down);
    most = operations > most ? operations : most;
    total += operations;
    return err;
}

static EVP_PKEY *new_key(int kind)
{
    return kind == 0 ? maker_rsa(2048) : maker_ec(kind == 1 ? "P-256" : "P-384");
}

static void make_chain(struct chain *c, int root, int inter, int leaf)
{
    struct maker_spec spec = {.name = "Root", .ca = MAKER_CA};

    c->key[ROOT] = spec.key = new_key(root);
    c->cert[ROOT] = maker_certificate(&spec);
    spec.name = "Inter";
    c->key[INTER] = spec.key = new_key(inter);
    spec.issuer = c->cert[ROOT];
    spec.issuer_key = c->key[ROOT];
    c->cert[INTER] = maker_certificate(&spec);
    spec = (struct maker_spec){.name = "x", .san = "DNS:www.example,DNS:" HOST, .ca = MAKER_CA_FALSE};
    c->key[LEAF] = spec.key = new_key(leaf);
    spec.issuer = c->cert[INTER];
    spec.issuer_key = c->key[INTER];
    c->cert[LEAF] = maker_certificate(&spec);
    tls_server_trust(&c->trust, c->memory, sizeof c->memory, &c->cert[ROOT], 1);
}

static struct chain *const chains[] = {&rsa, &p256, &p384, &mixed};

static int set_up(void **state)
{
    make_chain(&rsa, 0, 0, 0);
    make_chain(&p256, 1, 1, 1);
    make_chain(&p384, 2, 2, 2);
    make_chain(&mixed, 0, 2, 1); /* as Let's Encrypt's: RSA root, P-384 intermediate, P-256 leaf */
    return 0;
}

static int tear_down(void **state)
{
    for (int c = 0; c < 4; c++) {
        for (int i = 0; i < CERTS; i++) {
            X509_free(chains[c]->cert[i]);
            EVP_PKEY_free(chains[c]->key[i]);
        }
    }
    return 0;
}

/* Shakes hands. Before it is done nothing can be written. Returns 1 or the error. */
static int shake(void)
{
    int idle = 0;

    count_operations();
    for (int i = 0; i < 100000 && idle < 3; i++) {
        int moved;
        assert_int_equal(acme_tls_write(&tls, "secret", 6, true), 0);
        moved = pump();
        if (moved < 0) {
            assert_false(acme_tls_ready(&tls));
            tls_server_run(&server);
            assert_int_equal(server.request_len, 0);
            return moved;
        }
        tls_server_run(&server);
        if (acme_tls_ready(&tls)) {
            return 1;
        }
        idle = moved == 0 ? idle + 1 : 0;
    }
    fail_msg("handshake stands still");
    return 0;
}

static int start(const struct acme_trust *trust, const char *name, size_t buffer_len)
{
    int err = acme_tls_start(&tls, trust, buffer, buffer_len, name, &maker_sys);
    tls_server_connect(&server);
    return err;
}

static void shakes_hands(const struct acme_trust *trust)
{
    assert_int_equal(start(trust, HOST, sizeof buffer), 0);
    assert_int_equal(shake(), 1);
}

/* A fresh client against a server with this chain. */
static int try(EVP_PKEY *key, X509 *const *chain, size_t count, const struct acme_trust *trust, const char *name)
{
    memset(&tls, 0, sizeof tls);
    tls_server_init(&server, key, chain, count, NULL);
    assert_int_equal(start(trust, name, sizeof buffer), 0);
    return shake();
}

static void serve(const struct chain *c, const char *suites)
{
    X509 *list[] = {c->cert[LEAF], c->cert[INTER]};
    memset(&tls, 0, sizeof tls);
    tls_server_init(&server, c->key[LEAF], list, 2, suites);
}

static uint8_t sent[20000], got[sizeof sent];

/* Application data both ways; the server's in records of 16 KiB. */
static void talk(void)
{
    size_t at = 0;

    maker_sys.random(NULL, sent, sizeof sent);
    for (int i = 0; i < 2000000 && server.request_len < 5000; i++) {
        size_t taken = acme_tls_write(&tls, sent + at, 5000 - at, true);
        at += taken;
        assert_true(taken == 0 || !acme_tls_flushed(&tls));
        assert_true(pump() >= 0);
        tls_server_run(&server);
    }
    assert_true(acme_tls_flushed(&tls));
    assert_int_equal(server.request_len, 5000);
    assert_memory_equal(server.request, sent, 5000);
    tls_server_say(&server, sent, sizeof sent);
    at = 0;
    for (int i = 0; i < 2000000 && at < sizeof sent; i++) {
        at += acme_tls_read(&tls, got + at,
                            i % 1000 + 1 < (int)(sizeof got - at) ? (size_t)(i % 1000 + 1) : sizeof got - at);
        assert_true(pump() >= 0);
    }
    assert_memory_equal(got, sent, sizeof sent);
}

TEST(good)
{
    static const char *const suites[][2] = {{"ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
                                            {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
                                            {"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"}};
    static const size_t chunks[] = {1, 100, SIZE_MAX};

    for (int c = 0; c < 4; c++) {
        for (int suite = 0; suite < 3; suite++) {
            serve(chains[c], suites[suite][c != 0]);
            server.chunk = chunks[suite];
            assert_int_equal(start(&chains[c]->trust, suite == 1 ? "CA.example" : HOST, sizeof buffer), 0);
            assert_int_equal(shake(), 1);
            assert_string_equal(SSL_get_cipher_name(server.ssl), suites[suite][c != 0]);
            assert_string_equal(SSL_get_servername(server.ssl, TLSEXT_NAMETYPE_host_name),
                                suite == 1 ? "CA.example" : HOST);
            assert_int_equal(total, 4); /* leaf, intermediate, key exchange signature, ECDHE */
            /* One operation a step; two only at the end of an EC intermediate that an EC root signed (tls.h).
             */
            assert_in_range(most, 1, c == 1 || c == 2 ? 2 : 1);
            talk();
            assert_int_equal(acme_tls_code(&tls), 0);
        }
    }
}

/* The bound of tls.h where BearSSL does two verifications in one call: intermediates of every length that EC
 * roots signed. Under an RSA root the signature alone is longer than a piece, and it stays one. */
TEST(small_intermediates)
{
    char root_name[65] = "";
    unsigned ones = 0, twos = 0;

    memset(root_name, 'r', 64);
    for (int ec_root = 0; ec_root < 2; ec_root++) {
        EVP_PKEY *root_key = ec_root ? p256.key[ROOT] : rsa.key[ROOT];
        struct maker_spec root = {.name = root_name, .ca = MAKER_CA, .key = root_key};
        X509 *root_cert = maker_certificate(&root);
        struct acme_trust trust;
        char memory[2048];

        tls_server_trust(&trust, memory, sizeof memory, &root_cert, 1);
        for (size_t len = 1; len <= 64; len += 3) {
            char name[65] = "";
            struct maker_spec inter = {.name = memset(name, 'n', len),
                                       .ca = MAKER_CA,
                                       .key = p256.key[INTER],
                                       .issuer = root_cert,
                                       .issuer_key = root_key};
            struct maker_spec leaf = {.san = "DNS:" HOST, .key = p256.key[LEAF], .issuer_key = p256.key[INTER]};
            X509 *list[2];
            list[1] = leaf.issuer = maker_certificate(&inter);
            list[0] = maker_certificate(&leaf);
            assert_int_equal(try(p256.key[LEAF], list, 2, &trust, HOST), 1);
            assert_int_equal(total, 4);
            assert_in_range(most, 1, ec_root ? 2 : 1);
            ones += ec_root && most == 1;
            twos += ec_root && most == 2;
            X509_free(list[0]);
            X509_free(list[1]);
        }
        X509_free(root_cert);
    }
    assert_true(ones > 0 && twos > 0); /* else what tls.h says about it is not true any more */
}

static int first_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                          unsigned int in_len, void *arg)
{
    (void)ssl, (void)arg;
    assert_int_equal(in_len, 9); /* nothing else is offered */
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

TEST(protocol_offered)
{
    const unsigned char *protocol;
    unsigned len;

    serve(&mixed, NULL);
    SSL_CTX_set_alpn_select_cb(server.ctx, first_protocol, NULL);
    shakes_hands(&mixed.trust);
    SSL_get0_alpn_selected(server.ssl, &protocol, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(protocol, "http/1.1", 8);
}

/* A server that wants to shake hands again in the middle is told no. */
TEST(no_renegotiation)
{
    int err = 0;

    serve(&mixed, NULL);
    shakes_hands(&mixed.trust);
    total = 0;
    SSL_renegotiate(server.ssl);
    for (int i = 0; i < 100 && err >= 0; i++) {
        SSL_do_handshake(server.ssl);
        tls_server_run(&server);
        err = pump();
    }
    assert_int_equal(total, 0);
    assert_int_equal(SSL_total_renegotiations(server.ssl), 1); /* asked for, */
    assert_true(err < 0);                                      /* and given up by OpenSSL */
}

/* P-384 for the key exchange too. */
TEST(other_curve)
{
    serve(&rsa, NULL);
    SSL_CTX_set1_groups_list(server.ctx, "P-384");
    shakes_hands(&rsa.trust);
}

/* BearSSL asks for smaller records when the buffer is small. */
TEST(small_buffer)
{
    serve(&mixed, NULL);
    assert_int_equal(start(&mixed.trust, HOST, ACME_TLS_BUFFER_SMALL), 0);
    assert_int_equal(shake(), 1);
    talk();
    tls_server_raw(&server, "\x17\x03\x03\x40\x00", 5);
    assert_int_equal(pump(), ACME_E_TLS_RECORD_BIG);
}

/* A leaf by the intermediate of `mixed`, with something wrong. */
static int refused(struct maker_spec spec, const char *name)
{
    X509 *list[2] = {NULL, mixed.cert[INTER]};
    int err;

    spec.key = spec.key != NULL ? spec.key : mixed.key[LEAF];
    spec.issuer = mixed.cert[INTER];
    spec.issuer_key = spec.issuer_key != NULL ? spec.issuer_key : mixed.key[INTER];
    list[0] = maker_certificate(&spec);
    err = try(spec.key, list, 2, &mixed.trust, name);
    X509_free(list[0]);
    return err;
}

TEST(wrong_names)
{
    const struct maker_spec spec = {.name = HOST, .san = "DNS:other.example,DNS:*.wild.example"};
    const struct maker_spec address = {.name = "x", .san = "IP:10.0.0.1"};

    assert_int_equal(refused(spec, "other.example"), 1);
    assert_int_equal(refused(spec, "a.wild.example"), 1);
    assert_int_equal(refused(spec, HOST), ACME_E_TLS_HOST); /* a common name does not count beside a SAN */
    assert_int_equal(refused(spec, "other.example.org"), ACME_E_TLS_HOST);
    assert_int_equal(refused(spec, "wild.example"), ACME_E_TLS_HOST);
    assert_int_equal(refused(spec, "a.b.wild.example"), ACME_E_TLS_HOST);
    assert_int_equal(refused(address, "10.0.0.2"), ACME_E_TLS_HOST);
    assert_int_equal(refused(address, HOST), ACME_E_TLS_HOST);
    assert_int_equal(refused(address, "10.0.0.1"), 1);
}

/* An address is no server name (RFC 6066, 3): none goes out. A session with it goes on, but with no other. */
TEST(addresses)
{
    static const char *const hosts[] = {"10.0.0.1", "10.0.0.1", "2001:db8::1", "2001:DB8::1", HOST, "2001:db8::1"};
    static const bool resumes[] = {false, true, false, true, false, false};
    struct maker_spec spec = {.san = "IP:10.0.0.1,IP:2001:db8::1,DNS:" HOST};
    X509 *list[2] = {NULL, p256.cert[INTER]};

    spec.key = p256.key[LEAF];
    spec.issuer = p256.cert[INTER];
    spec.issuer_key = p256.key[INTER];
    list[0] = maker_certificate(&spec);
    tls_server_init(&server, spec.key, list, 2, NULL);
    memset(&tls, 0, sizeof tls);
    for (unsigned i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        assert_int_equal(start(&p256.trust, hosts[i], sizeof buffer), 0);
        assert_int_equal(shake(), 1);
        assert_int_equal(SSL_session_reused(server.ssl), resumes[i]);
        const char *name = SSL_get_servername(server.ssl, TLSEXT_NAMETYPE_host_name);
        assert_true(strcmp(hosts[i], HOST) == 0 ? strcmp(name, HOST) == 0 : name == NULL);
        talk();
        acme_tls_end(&tls, &server.net);
        tls_server_run(&server);
    }
    X509_free(list[0]);
}

TEST(wrong_dates)
{
    const struct maker_spec expired = {.san = "DNS:" HOST, .from = MAKER_NOW - 100, .to = MAKER_NOW - 1};
    const struct maker_spec early = {.san = "DNS:" HOST, .from = MAKER_NOW + 1, .to = MAKER_NOW + 100};
    const struct maker_spec edge = {.san = "DNS:" HOST, .from = MAKER_NOW, .to = MAKER_NOW};

    assert_int_equal(refused(expired, HOST), ACME_E_TLS_DATES);
    assert_int_equal(refused(early, HOST), ACME_E_TLS_EARLY);
    assert_int_equal(refused(edge, HOST), 1);
}

TEST(wrong_trust)
{
    struct maker_spec spec = {.name = "x", .san = "DNS:" HOST, .key = p256.key[LEAF]};
    X509 *self = maker_certificate(&spec);
    X509 *list[] = {p256.cert[LEAF], p256.cert[INTER], p256.cert[ROOT]};
    struct acme_trust other;
    char memory[2048];

    assert_int_equal(try(p256.key[LEAF], &self, 1, &p256.trust, HOST), ACME_E_TLS_UNTRUSTED);
    assert_int_equal(acme_tls_code(&tls), BR_ERR_X509_NOT_TRUSTED);
    assert_string_equal(acme_tls_issuer(&tls), "x");
    assert_int_equal(try(p256.key[LEAF], list, 1, &p256.trust, HOST), ACME_E_TLS_UNTRUSTED); /* no intermediate */
    assert_string_equal(acme_tls_issuer(&tls), "Inter");
    assert_int_equal(try(p256.key[LEAF], list, 3, &p256.trust, HOST), 1);
    /* Another root, of another name and of the same name. */
    spec = (struct maker_spec){.name = "Other Root", .ca = MAKER_CA, .key = p384.key[ROOT]};
    list[2] = maker_certificate(&spec);
    tls_server_trust(&other, memory, sizeof memory, &list[2], 1);
    assert_int_equal(try(p256.key[LEAF], list, 2, &other, HOST), ACME_E_TLS_UNTRUSTED);
    assert_string_equal(acme_tls_issuer(&tls), "Root");
    assert_int_equal(try(p256.key[LEAF], list, 2, &p384.trust, HOST), ACME_E_TLS_UNTRUSTED);
    assert_int_equal(try(p256.key[LEAF], list, 2, &rsa.trust, HOST), ACME_E_TLS_UNTRUSTED);
    X509_free(list[2]);
    X509_free(self);
}

TEST(not_a_ca)
{
    for (int ca = MAKER_CA; ca <= MAKER_CA_ABSENT; ca++) {
        struct maker_spec inter = {.name = "I",
                                   .ca = (enum maker_ca)ca,
                                   .key = rsa.key[INTER],
                                   .issuer = rsa.cert[ROOT],
                                   .issuer_key = rsa.key[ROOT]};
        struct maker_spec leaf = {.san = "DNS:" HOST, .key = rsa.key[LEAF], .issuer_key = rsa.key[INTER]};
        X509 *list[2];
        list[1] = leaf.issuer = maker_certificate(&inter);
        list[0] = maker_certificate(&leaf);
        assert_int_equal(try(rsa.key[LEAF], list, 2, &rsa.trust, HOST), ca == MAKER_CA ? 1 : ACME_E_TLS_CERT);
        X509_free(list[0]);
        X509_free(list[1]);
    }
}

TEST(wrong_signatures)
{
    const struct maker_spec other_signer = {.san = "DNS:" HOST, .issuer_key = p384.key[INTER]};
    const struct maker_spec sha1 = {.san = "DNS:" HOST, .digest = EVP_sha1()};

    assert_int_equal(refused(other_signer, HOST), ACME_E_TLS_SIGNATURE);
    assert_int_equal(refused(sha1, HOST), ACME_E_TLS_CERT);
    for (int c = 0; c < 4; c++) {
        X509 *list[] = {X509_dup(chains[c]->cert[LEAF]), chains[c]->cert[INTER]};
        const ASN1_BIT_STRING *sig;
        X509_get0_signature(&sig, NULL, list[0]);
        sig->data[sig->length - 1] ^= 1;
        assert_int_equal(try(chains[c]->key[LEAF], list, 2, &chains[c]->trust, HOST), ACME_E_TLS_SIGNATURE);
        X509_free(list[0]);
    }
}

TEST(weak_key)
{
    struct maker_spec spec = {.san = "DNS:" HOST, .key = maker_rsa(1024)};
    assert_int_equal(refused(spec, HOST), ACME_E_TLS_WEAK);
    EVP_PKEY_free(spec.key);
}

/* Every byte the server sends up to the end of the handshake changed, one after the other: never ready. (A
 * byte of its Finished record's explicit nonce, tag or contents is among them.) */
TEST(tampered_handshake)
{
    size_t len;

    serve(&p256, NULL);
    shakes_hands(&p256.trust);
    len = server.sent_down;
    for (size_t at = 0; at < len; at += at < 100 || at + 120 > len ? 1 : 7) {
        int err;
        memset(&tls, 0, sizeof tls);
        assert_int_equal(start(&p256.trust, HOST, sizeof buffer), 0);
        server.flip_at = at;
        count_operations();
        for (int i = 0, idle = 0; i < 100000 && idle < 5; i++) {
            err = pump();
            tls_server_run(&server);
            if (at >= server.sent_down && acme_tls_ready(&tls)) {
                break; /* signatures of fewer bytes: the handshake was over before this one */
            }
            assert_false(acme_tls_ready(&tls));
            if (err < 0) {
                break;
            }
            idle = err == 0 ? idle + 1 : 0; /* a length made longer: it waits for the rest */
        }
        assert_int_equal(acme_tls_write(&tls, "secret", 6, true), acme_tls_ready(&tls) ? 6 : 0);
        assert_int_equal(server.request_len, 0);
    }
}

TEST(tampered_data)
{
    char data[64];

    for (size_t at = 0; at < 40; at++) {
        int err = 0;
        serve(&mixed, NULL);
        shakes_hands(&mixed.trust);
        server.flip_at = server.sent_down + at;
        tls_server_say(&server, "answer of 30 bytes for tampering", 32);
        server.ended = true;
        for (int i = 0; i < 100 && err >= 0; i++) {
            err = pump();
            assert_int_equal(acme_tls_read(&tls, data, sizeof data), 0);
        }
        assert_int_equal(err, ACME_E_TLS_RECORD);
    }
}

/* The stream cut after every byte of the handshake: closed between records, damaged within one. */
TEST(truncated)
{
    size_t len;

    serve(&p256, NULL);
    shakes_hands(&p256.trust);
    len = server.sent_down;
    for (size_t at = 0; at < len; at += 1 + at / 100) {
        int err;
        memset(&tls, 0, sizeof tls);
        assert_int_equal(start(&p256.trust, HOST, sizeof buffer), 0);
        server.cut_at = at;
        err = shake();
        assert_true(err == ACME_E_TLS_RECORD || err == ACME_E_CLOSED || (err == 1 && at >= server.sent_down));
        assert_true(at != 0 || err == ACME_E_CLOSED);
        assert_true(at == 0 || at > 60 || err == ACME_E_TLS_RECORD);
    }
}

TEST(truncated_data)
{
    char data[64];

    for (size_t at = 0; at <= 61; at++) { /* a record of 32 bytes takes 5 + 16 + 32 with ChaCha20, 8 more with GCM */
        size_t read = 0;
        int err = 0;
        serve(&mixed, "ECDHE-ECDSA-AES128-GCM-SHA256");
        shakes_hands(&mixed.trust);
        server.cut_at = server.sent_down + at;
        tls_server_say(&server, "answer of 32 bytes for cutting..", 32);
        for (int i = 0; i < 100 && err >= 0; i++) {
            err = pump();
            read += acme_tls_read(&tls, data, sizeof data);
        }
        assert_int_equal(err, at == 0 || at == 61 ? ACME_E_CLOSED : ACME_E_TLS_RECORD);
        assert_int_equal(read, at == 61 ? 32 : 0);
        assert_false(acme_tls_closed(&tls));
    }
}

static int refuse_name(SSL *ssl, int *alert, void *arg)
{
    (void)ssl, (void)arg;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int shake_with(int least, int last, const char *suites)
{
    serve(&rsa, suites);
    SSL_CTX_set_min_proto_version(server.ctx, least);
    SSL_CTX_set_max_proto_version(server.ctx, last);
    assert_int_equal(start(&rsa.trust, HOST, sizeof buffer), 0);
    return shake();
}

TEST(wrong_versions)
{
    assert_int_equal(shake_with(TLS1_VERSION, TLS1_1_VERSION, NULL), ACME_E_TLS_VERSION);
    assert_int_equal(shake_with(TLS1_3_VERSION, TLS1_3_VERSION, NULL), ACME_E_TLS_VERSION);
    assert_int_equal(shake_with(TLS1_2_VERSION, TLS1_2_VERSION, "AES128-GCM-SHA256"), ACME_E_TLS_VERSION);
    assert_int_equal(shake_with(TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256"), ACME_E_TLS_VERSION);
    assert_int_equal(shake_with(TLS1_2_VERSION, TLS1_3_VERSION, NULL), 1);
}

TEST(other_ends)
{
    serve(&rsa, NULL);
    SSL_CTX_set_tlsext_servername_callback(server.ctx, refuse_name);
    assert_int_equal(start(&rsa.trust, HOST, sizeof buffer), 0);
    assert_int_equal(shake(), ACME_E_TLS_ALERT);
    assert_int_equal(acme_tls_code(&tls), 256 + 112);
    /* Not TLS at all. */
    server.mute = true;
    assert_int_equal(start(&rsa.trust, HOST, sizeof buffer), 0);
    tls_server_raw(&server, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    assert_int_equal(shake(), ACME_E_TLS_RECORD);
}

static int no_random(void *ctx, void *buf, size_t len)
{
    memset(buf, 1, len);
    return ACME_E_RANDOM;
}

/* A source that sticks after the keys were made: in one byte, in a whole draw, in the second draw only. */
enum { STUCK_BYTE, STUCK_DRAW, STUCK_LATER, STUCK_WAYS };
static int stuck_at;
static int stuck_random(void *ctx, void *buf, size_t len)
{
    static int draws;
    uint8_t *to = buf;

    memset(buf, 0x5a, len);
    draws++;
    for (size_t i = 0; i < len && (stuck_at == STUCK_DRAW || (stuck_at == STUCK_LATER && draws % 2 == 1)); i++) {
        to[i] = (uint8_t)i;
    }
    return stuck_at == STUCK_WAYS ? maker_sys.random(NULL, buf, len) : 0;
}

static int64_t clock_says;
static int clock_answer;
static int set_clock(void *ctx, int64_t *utc)
{
    *utc = clock_says;
    return clock_answer;
}

TEST(refused_starts)
{
    struct acme_sys sys = maker_sys;
    const struct acme_trust nothing = {NULL, 0, NULL};
    char long_name[300];

    memset(&tls, 0, sizeof tls);
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[299] = '\0';
    assert_int_equal(acme_tls_start(&tls, &rsa.trust, buffer, sizeof buffer, "", &sys), ACME_E_TLS_NAME);
    assert_int_equal(acme_tls_start(&tls, &rsa.trust, buffer, sizeof buffer, NULL, &sys), ACME_E_TLS_NAME);
    assert_int_equal(acme_tls_start(&tls, &rsa.trust, buffer, sizeof buffer, long_name, &sys), ACME_E_TLS_NAME);
    assert_int_equal(acme_tls_start(&tls, &nothing, buffer, sizeof buffer, HOST, &sys), ACME_E_ANCHORS);
    assert_int_equal(acme_tls_start(&tls, NULL, buffer, sizeof buffer, HOST, &sys), ACME_E_ANCHORS);
    assert_int_equal(acme_tls_start(&tls, &rsa.trust, buffer, ACME_TLS_BUFFER_SMALL - 1, HOST, &sys),
                     ACME_E_WORK_SMALL);
    sys.random = no_random;
    assert_int_equal(acme_tls_start(&tls, &rsa.trust, buffer, sizeof buffer, HOST, &sys), ACME_E_RANDOM);
    sys.random = stuck_random;
    for (stuck_at = 0; stuck_at < STUCK_WAYS; stuck_at++) {
        assert_int_equal(acme_tls_start(&tls, &rsa.trust, buffer, sizeof buffer, HOST, &sys), ACME_E_RANDOM);
    }
    assert_int_equal(acme_tls_start(&tls, &rsa.trust, buffer, sizeof buffer, HOST, &sys), 0);
    sys = maker_sys;
    sys.utc = set_clock;
    clock_says = MAKER_NOW;
    for (clock_answer = 0; clock_answer <= 1; clock_answer++) {
        assert_int_equal(acme_tls_start(&tls, &rsa.trust, buffer, sizeof buffer, HOST, &sys),
                         clock_answer == 1 ? 0 : ACME_E_CLOCK);
    }
    clock_answer = 1;
    clock_says = ACME_UTC_FLOOR - 1;
    assert_int_equal(acme_tls_start(&tls, &rsa.trust, buffer, sizeof buffer, HOST, &sys), ACME_E_CLOCK);
    clock_answer = ACME_E_CLOCK;
    assert_int_equal(acme_tls_start(&tls, &rsa.trust, buffer, sizeof buffer, HOST, &sys), ACME_E_CLOCK);
}

/* The same name again: no certificate and no public-key operation. Another name, or a failure before: all
 * anew. */
TEST(resumption)
{
    int err;

    serve(&mixed, NULL);
    for (int i = 0; i < 4; i++) {
        bool resumed = i == 1 || i == 3;
        assert_int_equal(start(&mixed.trust, i >= 2 ? "www.example" : HOST, sizeof buffer), 0);
        assert_int_equal(shake(), 1);
        assert_int_equal(SSL_session_reused(server.ssl), resumed);
        assert_int_equal(total, resumed ? 0 : 4);
        talk();
        acme_tls_end(&tls, &server.net);
        tls_server_run(&server);
        assert_true(SSL_get_shutdown(server.ssl) & SSL_RECEIVED_SHUTDOWN);
    }
    assert_int_equal(start(&mixed.trust, "www.example", sizeof buffer), 0);
    server.flip_at = 90;
    assert_true(shake() < 0);
    server.flip_at = SIZE_MAX;
    assert_int_equal(start(&mixed.trust, "www.example", sizeof buffer), 0);
    assert_int_equal(shake(), 1);
    assert_false(SSL_session_reused(server.ssl));
    /* A session in which a record was damaged is not resumed either (RFC 5246, 7.2.2). */
    server.flip_at = server.sent_down + 20;
    tls_server_say(&server, "answer", 6);
    while ((err = pump()) >= 0) {
    }
    assert_int_equal(err, ACME_E_TLS_RECORD);
    server.flip_at = SIZE_MAX;
    assert_int_equal(start(&mixed.trust, "www.example", sizeof buffer), 0);
    assert_int_equal(shake(), 1);
    assert_false(SSL_session_reused(server.ssl));
}

/* A session goes on for a day at most, counted from when the server was judged, however often it was resumed; with the
 * anchors it was judged by; and never when the clock was set back. */
TEST(resumption_ends)
{
    static const struct {
        int64_t later; /* seconds behind the first session */
        bool other_trust, resumed;
    } rows[] = {
        {0, false, true},   {1, false, true},           {MAKER_DAY, false, true}, {MAKER_DAY + 1, false, false},
        {-1, false, false}, {-MAKER_DAY, false, false}, {10, true, false},        {60 * MAKER_DAY, false, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct acme_sys sys = maker_sys;
        struct acme_trust copy = mixed.trust;
        sys.utc = set_clock;
        clock_answer = 1;
        serve(&mixed, NULL);
        memset(&tls, 0, sizeof tls);
        for (int n = 0; n < 3; n++) { /* the second is resumed, in the middle of the day */
            bool last = n == 2;
            clock_says = MAKER_NOW + (last                          ? rows[i].later
                                      : n == 1 && rows[i].later > 0 ? rows[i].later / 2 % MAKER_DAY
                                                                    : 0);
            assert_int_equal(acme_tls_start(&tls, last && rows[i].other_trust ? &copy : &mixed.trust, buffer,
                                            sizeof buffer, HOST, &sys),
                             0);
            tls_server_connect(&server);
            assert_int_equal(shake(), 1);
            assert_int_equal(SSL_session_reused(server.ssl), n == 0 ? false : n == 1 ? true : rows[i].resumed);
            acme_tls_end(&tls, &server.net);
            tls_server_run(&server);
        }
    }
}

/* The server's close_notify: seen, and what came before it is still read. */
TEST(clean_end)
{
    char data[8];
    int err = 0;

    serve(&mixed, NULL);
    shakes_hands(&mixed.trust);
    tls_server_say(&server, "last", 4);
    tls_server_bye(&server);
    assert_int_equal(pump(), 1);
    assert_false(acme_tls_closed(&tls));
    while (acme_tls_read(&tls, data, sizeof data) == 0) {
        assert_int_equal(pump(), 1);
    }
    assert_memory_equal(data, "last", 4);
    for (int i = 0; i < 10 && !acme_tls_closed(&tls); i++) {
        err = pump();
    }
    assert_true(err >= 0);
    assert_true(acme_tls_closed(&tls));
    assert_int_equal(acme_tls_code(&tls), 0);
}

/* The end is said, but not with something unread: BearSSL 0.6 takes that for more data, and does not come to its end. */
TEST(an_end_with_something_unread)
{
    for (int unread = 0; unread < 2; unread++) {
        serve(&mixed, NULL);
        shakes_hands(&mixed.trust);
        if (unread) {
            tls_server_say(&server, "late", 4);
            assert_int_equal(pump(), 1);
        }
        acme_tls_end(&tls, &server.net);
        tls_server_run(&server);
        assert_int_equal((SSL_get_shutdown(server.ssl) & SSL_RECEIVED_SHUTDOWN) != 0, !unread);
    }
}

AROUND(set_up, tear_down, NULL, NULL);
