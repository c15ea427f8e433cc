/* trial.c - see trial.h. */
#include "trial.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

static const char request[] = "GET /directory HTTP/1.1\r\n";
static const char answers[] = "answer of 24 bytes, one.answer of 24 bytes, two.";

struct trial trial;

static struct tls_server server;
static struct acme_channel channel;
static EVP_PKEY *keys[TRIAL_KEYS];
static X509 *certs[TRIAL_CERTS];

/* The wire: what the client has sent of the record under way, and whether the stream towards it has been cut. */
static uint8_t header[5];
static size_t header_len, record_left, edited;
static int last; /* record edited */
static bool closed, is_cut, live;

/* --- keys and certificates --- */

EVP_PKEY *trial_key(int key)
{
    return keys[key];
}

/* A public key only: to make a pair of this size takes minutes. */
static EVP_PKEY *huge_rsa(void)
{
    static const uint8_t ones[1024] = {0xff, [1023] = 1};
    RSA *rsa = RSA_new();
    EVP_PKEY *key = EVP_PKEY_new();
    BIGNUM *e = BN_new();

    BN_set_word(e, 65537);
    RSA_set0_key(rsa, BN_bin2bn(ones, sizeof ones, NULL), e, NULL);
    assert_true(EVP_PKEY_assign_RSA(key, rsa));
    return key;
}

void trial_set_up(void)
{
    for (int i = K_ROOT; i <= K_OTHER; i++) {
        keys[i] = maker_ec("P-256");
    }
    keys[K_P384] = maker_ec("P-384");
    keys[K_RSA] = maker_rsa(2048);
    keys[K_RSA_OTHER] = maker_rsa(2048);
    keys[K_RSA1024] = maker_rsa(1024);
    keys[K_RSA512] = maker_rsa(512);
    keys[K_P521] = maker_ec("P-521");
    keys[K_K256] = maker_ec("secp256k1");
    keys[K_ED25519] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    keys[K_HUGE] = huge_rsa();
}

void trial_tear_down(void)
{
    for (int i = 0; i < TRIAL_KEYS; i++) {
        EVP_PKEY_free(keys[i]);
    }
}

static void extend(X509 *x, const char *text)
{
    const char *value = strchr(text, '=');
    char name[64] = "";
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    memcpy(name, text, (size_t)(value - text));
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf(NULL, &ctx, name, value + 1);
    assert_non_null(e);
    assert_true(X509_add_ext(x, e, -1));
    X509_EXTENSION_free(e);
}

static void add_dns(X509 *x, const char *name, size_t len)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *one = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();

    ASN1_STRING_set(text, name, (int)len);
    GENERAL_NAME_set0_value(one, GEN_DNS, text);
    sk_GENERAL_NAME_push(names, one);
    assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
}

static void sign(X509 *x, EVP_PKEY *key, const struct trial_cert *c)
{
    const EVP_MD *md = c->spec.digest != NULL ? c->spec.digest : EVP_sha256();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters;

    assert_true(EVP_DigestSignInit(ctx, &parameters, EVP_PKEY_is_a(key, "ED25519") ? NULL : md, NULL, key));
    if (c->pss) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0);
    }
    assert_true(X509_sign_ctx(x, ctx) > 0);
    EVP_MD_CTX_free(ctx);
}

/* OpenSSL's maker signs first, so that everything is in its place, and what was added is signed once more. */
static X509 *make(const struct trial_cert *c, int self)
{
    struct maker_spec spec = c->spec;
    bool self_signed = c->by == self;
    EVP_PKEY *signer = self_signed ? spec.key : trial.cert[c->by].spec.key;
    X509 *x;

    signer = c->signer != NULL ? c->signer : signer == keys[K_HUGE] ? keys[K_ROOT] : signer;
    spec.issuer = self_signed ? NULL : certs[c->by];
    spec.issuer_key = keys[K_ROOT];
    spec.digest = NULL;
    x = maker_certificate(&spec);
    for (int i = 0; i < 3 && c->more[i] != NULL; i++) {
        extend(x, c->more[i]);
    }
    if (c->dns != NULL) {
        add_dns(x, c->dns, c->dns_len);
    }
    if (c->alter != NULL) {
        c->alter(x);
    }
    sign(x, signer, c);
    if (c->damage != NULL) {
        c->damage(x);
    }
    return x;
}

static void make_all(void)
{
    static const int order[] = {ROOT, STRANGER, INTER, SUB, LEAF, ANCHOR};

    for (int i = 0; i < TRIAL_CERTS; i++) {
        certs[order[i]] = make(&trial.cert[order[i]], order[i]);
    }
}

void trial_begin(void)
{
    const struct maker_spec ca = {.ca = MAKER_CA, .name = "Root"};

    memset(&trial, 0, sizeof trial);
    for (int i = 0; i < TRIAL_CERTS; i++) {
        trial.cert[i].spec = ca;
        trial.cert[i].by = i;
    }
    trial.cert[ROOT].spec.key = trial.cert[ANCHOR].spec.key = keys[K_ROOT];
    trial.cert[INTER].spec.name = "Inter";
    trial.cert[INTER].spec.key = keys[K_INTER];
    trial.cert[INTER].by = ROOT;
    trial.cert[SUB].spec.name = "Sub";
    trial.cert[SUB].spec.key = keys[K_SUB];
    trial.cert[SUB].by = INTER;
    trial.cert[LEAF].spec =
        (struct maker_spec){.name = "a leaf long enough for lengths of two bytes in what is signed",
                            .san = "DNS:" TRIAL_HOST,
                            .ca = MAKER_CA_FALSE,
                            .key = keys[K_LEAF]};
    trial.cert[LEAF].by = INTER;
    trial.cert[STRANGER].spec.name = "Stranger";
    trial.cert[STRANGER].spec.key = keys[K_OTHER];
    trial.sent = "LI";
    trial.trusted = "A";
    trial.host = TRIAL_HOST;
    trial.utc = MAKER_NOW;
    trial.utc_answer = 1;
    trial.buffer_len = ACME_TLS_BUFFER_MIN;
    trial.least = TLS1_VERSION;
    trial.last = TLS1_2_VERSION;
    trial.end = ACME_E_CLOSED;
}

/* --- edits --- */

static struct trial_edit *edit(int kind, int record, size_t at, const char *bytes, size_t len)
{
    struct trial_edit *e = &trial.edits[trial.edits_len++];

    assert_true(trial.edits_len <= 4 && len <= sizeof e->bytes);
    e->kind = kind;
    e->record = record;
    e->at = at;
    e->len = len;
    memcpy(e->bytes, len > 0 ? bytes : "", len);
    return e;
}

void put(int record, size_t at, int byte)
{
    edit(PUT, record, at, (char[]){(char)byte}, 1);
}

void spoil(int record, size_t at)
{
    edit(SPOIL, record, at, NULL, 0);
}

void patch(int record, const char *pattern, size_t len, size_t at, int byte)
{
    struct trial_edit *e = edit(PUT, record, at, (char[]){(char)byte}, 1);

    assert_true(len <= sizeof e->pattern);
    memcpy(e->pattern, pattern, len);
    e->pattern_len = len;
}

void splice(int record, size_t at, size_t remove, const char *bytes, size_t len)
{
    edit(SPLICE, record, at, bytes, len)->remove = remove;
}

void extension(const char *bytes, size_t len)
{
    edit(EXTENSION, SERVER_HELLO, 0, bytes, len);
}

void drop(int record)
{
    edit(DROP, record, 0, NULL, 0);
}

void again(int record)
{
    edit(AGAIN, record, 0, NULL, 0);
}

void before(int record, const char *bytes, size_t len)
{
    edit(BEFORE, record, 0, bytes, len);
}

void cut(int record, size_t at, int end)
{
    edit(CUT, record, at, NULL, 0);
    trial.end = end;
}

void swap(void)
{
    edit(SWAP, CERTIFICATE, 0, NULL, 0);
}

void raw(const char *bytes, size_t len)
{
    trial.raw = bytes;
    trial.raw_len = len;
}

static size_t get(const uint8_t *at, int bytes)
{
    size_t value = 0;

    while (bytes-- > 0) {
        value = value << 8 | *at++;
    }
    return value;
}

static void grow(uint8_t *at, int bytes, size_t by)
{
    size_t value = get(at, bytes) + by;

    while (bytes-- > 0) {
        at[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

/* Replaces bytes of the stream behind `at`. */
static void replace(uint8_t *at, size_t remove, const void *bytes, size_t len)
{
    uint8_t *end = server.to_client + server.tail;

    assert_true(at + remove <= end && server.tail + len < sizeof server.to_client);
    memmove(at + len, at + remove, (size_t)(end - at) - remove);
    memcpy(at, len > 0 ? bytes : "", len);
    server.tail = server.tail - remove + len;
}

/* Replaces bytes of a handshake record and corrects every length around them. */
static void fit(uint8_t *record, size_t at, size_t remove, const void *bytes, size_t len)
{
    size_t by = len - remove; /* may wrap, as do the sums */

    replace(record + at, remove, bytes, len);
    grow(record + 3, 2, by);
    grow(record + 6, 3, by);
    if (record[5] == CERTIFICATE && at >= 15) {
        grow(record + 9, 3, by);
        grow(record + 12, 3, by);
    }
}

static size_t find(const uint8_t *record, size_t len, const struct trial_edit *e)
{
    size_t at = 0;

    while (at + e->pattern_len <= len && memcmp(record + at, e->pattern, e->pattern_len) != 0) {
        at++;
    }
    return at + e->pattern_len;
}

static void stop(size_t at)
{
    server.tail = at;
    server.mute = is_cut = true;
}

static void apply(struct trial_edit *e, uint8_t *record)
{
    size_t len = 5 + get(record + 3, 2);
    size_t at = e->at + (e->pattern_len > 0 ? find(record, len, e) : 0);
    uint8_t copy[256], *der;

    if (e->at == SIZE_MAX) { /* the end of the message, or of the leaf in it */
        at = record[5] == CERTIFICATE ? 15 + get(record + 12, 3) : len;
    }
    if (at >
        len) { /* there is nothing of the kind: the edit stays undone, and that is a failure unless it is listed */
        return;
    }
    e->done = true;
    if (e->kind == PUT) {
        record[at] = e->bytes[0];
    } else if (e->kind == SPOIL) {
        record[at] ^= 0x55;
    } else if (e->kind == SPLICE) {
        fit(record, at, e->remove, e->bytes, e->len);
    } else if (e->kind == EXTENSION) {
        grow(record + 9 + 70, 2, e->len); /* behind version, random, a session id of 32 bytes, suite, compression */
        fit(record, len, 0, e->bytes, e->len);
    } else if (e->kind == DROP) {
        replace(record, len, NULL, 0);
    } else if (e->kind == BEFORE) {
        replace(record, 0, e->bytes, e->len);
    } else if (e->kind == AGAIN) {
        assert_true(len <= sizeof copy);
        memcpy(copy, record, len);
        replace(record, 0, copy, len);
    } else if (e->kind == SWAP) {
        der = maker_der(certs[SUB], &len);
        fit(record, 15, get(record + 12, 3), der, len);
        free(der);
    } else {
        stop((size_t)(record - server.to_client) + at);
    }
}

/* Which record this is. What comes in cipher is known by its place. */
static int name_of(const uint8_t *record)
{
    switch (record[0]) {
    case SSL3_RT_CHANGE_CIPHER_SPEC:
        return CCS;
    case SSL3_RT_HANDSHAKE:
        return last == CCS ? FINISHED : record[5];
    case SSL3_RT_APPLICATION_DATA:
        return last == DATA ? DATA2 : DATA;
    default:
        return 0;
    }
}

/* Edits the records that have come from the server since. */
static void meddle(void)
{
    while (live && !is_cut && edited < server.tail) {
        uint8_t *record = server.to_client + edited;
        size_t left = server.tail;
        last = name_of(record);
        for (size_t i = 0; i < trial.edits_len; i++) {
            if (trial.edits[i].record == last && !trial.edits[i].done) {
                apply(&trial.edits[i], record);
            }
        }
        edited += 5 + get(server.to_client + edited + 3, 2);
        /* What was put before or taken out moves what is still to be looked at: the rest is left as it is. */
        if (server.tail != left) {
            edited = server.tail;
        }
    }
}

/* --- the wire --- */

static int wire_open(void *ctx, const char *host, uint16_t port)
{
    closed = is_cut = false;
    header_len = record_left = edited = 0;
    last = 0;
    return server.net.open(server.net.ctx, host, port);
}

/* Notes what the bytes are that the client sends. */
static void note(const uint8_t *at, size_t len)
{
    for (; len > 0; len--, at++) {
        if (record_left > 0) {
            record_left--;
        } else {
            header[header_len++] = *at;
        }
        trial.records[header[0]] += header_len == 5;
        if (header_len == 5) {
            record_left = get(header + 3, 2);
            header_len = 0;
        }
        trial.application += header[0] == SSL3_RT_APPLICATION_DATA;
    }
}

static int wire_send(void *ctx, const void *data, size_t len)
{
    int sent = server.net.send(server.net.ctx, data, len);

    assert_false(closed);
    if (live && sent > 0) {
        note(data, (size_t)sent);
    }
    return sent;
}

static int wire_recv(void *ctx, void *data, size_t cap)
{
    return is_cut && server.head == server.tail ? trial.end : server.net.recv(server.net.ctx, data, cap);
}

static void wire_close(void *ctx)
{
    closed = true;
    server.net.close(server.net.ctx);
}

static int the_time(void *ctx, int64_t *utc)
{
    *utc = trial.utc;
    return trial.utc_answer;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned int in_len, void *arg)
{
    (void)ssl, (void)in, (void)in_len, (void)arg;
    *out = (const unsigned char *)trial.protocol;
    *out_len = (unsigned char)strlen(trial.protocol);
    return SSL_TLSEXT_ERR_OK;
}

static int cert_of(char letter)
{
    return letter == 'L'   ? LEAF
           : letter == 'I' ? INTER
           : letter == 'S' ? SUB
           : letter == 'R' ? ROOT
           : letter == 'A' ? ANCHOR
                           : STRANGER;
}

/* Sets the client up with what it trusts. */
static void start_client(const struct acme_net *net, const struct acme_sys *sys)
{
    char *pem[8];
    size_t count = 0;

    for (const char *at = trial.trusted; *at != '\0' && !trial.no_anchors; at++) {
        assert_true(count < 8);
        pem[count++] = maker_pem(certs[cert_of(*at)]);
    }
    memset(&channel, 0, sizeof channel);
    trial_client_begin(&channel, net, sys, pem, count);
    while (count > 0) {
        free(pem[--count]);
    }
}

static void start_server(void)
{
    X509 *chain[16];
    size_t count = 0;

    for (const char *at = trial.sent; *at != '\0'; at++) {
        chain[count++] = certs[cert_of(*at)];
    }
    tls_server_init(&server, trial.cert[LEAF].spec.key, chain, count, trial.suites);
    SSL_CTX_set_min_proto_version(server.ctx, trial.least);
    SSL_CTX_set_max_proto_version(server.ctx, trial.last);
    if (trial.groups != NULL) {
        SSL_CTX_set1_groups_list(server.ctx, trial.groups);
    }
    if (trial.protocol != NULL) {
        SSL_CTX_set_alpn_select_cb(server.ctx, choose_protocol, NULL);
    }
}

/* --- the client --- */

static uint32_t now, steps;

/* Lets the server work and the edits be made. Time passes only when nobody does anything. */
static void serve(void)
{
    if (live && trial.raw != NULL && trial.records[SSL3_RT_HANDSHAKE] > 0 && !is_cut) {
        tls_server_raw(&server, trial.raw, trial.raw_len);
        stop(server.tail);
    }
    edited = server.head == server.tail ? 0 : edited; /* the server's buffer begins anew */
    tls_server_run(&server);
    meddle();
    trial.served = server.request_len;
    assert_true(++steps < 100000);
    now += channel.moved ? 0 : 500;
}

/* Before the handshake is over nothing may be said, and nothing is taken. */
static int connect_to(const char *host)
{
    static const struct acme_url url = {.host = {TRIAL_HOST, sizeof TRIAL_HOST - 1}, .port = 443};
    int done;

    channel.tls_name = host;
    do {
        done = acme_channel_open(&channel, &url, now);
        if (done < 1) {
            trial_client_is_mute();
        }
        if (done == 0) {
            serve();
        }
    } while (done == 0);
    return done;
}

/* The server speaks first: whatever is wrong with its words is seen before the client has said one. */
static int converse(void)
{
    char got[sizeof answers];
    bool clean;
    int n = 0;

    edited = server.head == server.tail ? 0 : edited;
    for (size_t at = 0; at < 48; at += 24) {
        tls_server_say(&server, answers + at, 24);
    }
    meddle();
    while (trial.read < 48 && n >= 0) {
        n = acme_channel_recv(&channel, got, sizeof got, &clean, now);
        assert_true(n <= 0 || (trial.read + (size_t)n <= 48 && memcmp(got, answers + trial.read, (size_t)n) == 0));
        trial.read += n > 0 ? (size_t)n : 0;
        serve();
    }
    if (n >= 0) {
        n = acme_channel_send(&channel, request, sizeof request - 1, true, now);
        assert_true(n < 0 || n == sizeof request - 1);
    }
    while (n >= 0 && trial.served < sizeof request - 1) {
        n = acme_channel_flush(&channel, now);
        serve();
    }
    assert_true(n < 0 || memcmp(server.request, request, sizeof request - 1) == 0);
    return n < 0 ? n : 1;
}

int trial_run(void)
{
    static const struct acme_sys base = {NULL, NULL, the_time};
    struct acme_sys sys = base;
    struct acme_net net = {NULL, wire_open, wire_send, wire_recv, wire_close};
    int done = 1;

    sys.random = maker_sys.random;
    if (trial_client_speaks_13() && trial.edits_len == 0 && trial.raw == NULL && trial.suites == NULL &&
        trial.last == TLS1_2_VERSION) {
        trial.last = TLS1_3_VERSION;
    }
    make_all();
    start_client(&net, &sys);
    start_server();
    live = false;
    if (trial.first_host != NULL) {
        assert_int_equal(connect_to(trial.first_host), 1);
        acme_channel_close(&channel);
        trial.utc += trial.later;
    }
    live = true;
    steps = 0;
    done = connect_to(trial.host);
    done = done == 1 ? converse() : done;
    trial.done = done;
    trial.tls_code = channel.tls_code;
    assert_int_equal(channel.state, done == 1 ? ACME_CHANNEL_OPEN : ACME_CHANNEL_CLOSED);
    assert_true(done == 1 || acme_channel_send(&channel, request, sizeof request - 1, true, now) == ACME_E_CLOSED);
    acme_channel_close(&channel);
    for (int i = 0; i < TRIAL_CERTS; i++) {
        X509_free(certs[i]);
    }
    ERR_clear_error();
    return done;
}
