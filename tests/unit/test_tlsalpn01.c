/* test_tlsalpn01.c - the tls-alpn-01 responder, over a listener of the test's own, in virtual time; its validators are OpenSSL's. */
#include "maker.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>

#include "protocol/challenge_tlsalpn01.h"

#define SLOTS      ACME_TLSALPN01_SLOTS
#define TOKEN      "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
#define THUMBPRINT "nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"
#define CLIENTS    1200
#define NEVER      UINT32_MAX

static const char acme_tls[] = "\x0a"
                               "acme-tls/1";

/* Somebody who connects: waits in the queue, says what he has, a piece at a time. */
struct client {
    SSL *ssl; /* NULL: only what stands in `say` is said, and nothing is understood */
    const uint8_t *say;
    size_t say_len, at;
    uint8_t heard[2048];
    size_t heard_len;
    bool waiting, taken, closed, leaves, deaf;
    size_t piece, stops_at; /* bytes a time; behind so many he says no more */
    uint32_t pause_ms, next_ms, delay_ms;
};

static struct {
    struct client clients[CLIENTS];
    unsigned count;
    struct client *slot[ACME_HTTP01_SLOTS];
    bool listening, not_yet, fails, no_random;
    unsigned starts, stops, signs, sends;
    uint32_t now_ms;
    SSL_CTX *ctx;
} net;

static struct acme_tlsalpn01 t;
static struct acme_challenge live[ACME_NAMES_MAX + 1];

static int fake_start(void *ctx)
{
    if (net.fails) {
        return ACME_E_LISTEN;
    }
    if (net.not_yet) {
        net.not_yet = false;
        return 0;
    }
    net.starts += !net.listening;
    net.listening = true;
    return 1;
}

static int fake_accept(void *ctx, unsigned slot)
{
    assert_true(net.listening && slot < SLOTS && net.slot[slot] == NULL);
    for (unsigned i = 0; i < net.count; i++) {
        struct client *c = &net.clients[i];
        if (c->waiting) {
            c->waiting = false;
            c->taken = true;
            c->next_ms = net.now_ms + c->delay_ms;
            net.slot[slot] = c;
            return 1;
        }
    }
    return 0;
}

static size_t says(struct client *c, uint8_t *data, size_t cap)
{
    if (c->ssl != NULL) {
        (void)SSL_do_handshake(c->ssl);
        ERR_clear_error();
        int n = BIO_read(SSL_get_wbio(c->ssl), data, (int)cap);
        return n > 0 ? (size_t)n : 0;
    }
    cap = c->say_len - c->at < cap ? c->say_len - c->at : cap;
    if (cap > 0) {
        memcpy(data, c->say + c->at, cap);
    }
    return cap;
}

static int fake_recv(void *ctx, unsigned slot, void *data, size_t cap)
{
    struct client *c = net.slot[slot];

    assert_non_null(c);
    assert_true(cap > 0);
    if (c->leaves) {
        return ACME_E_CLOSED;
    }
    if ((int32_t)(net.now_ms - c->next_ms) < 0) {
        return 0;
    }
    cap = cap < c->piece ? cap : c->piece;
    cap = cap < c->stops_at - c->at ? cap : c->stops_at - c->at;
    cap = cap > 0 ? says(c, data, cap) : 0;
    c->at += cap;
    c->next_ms = net.now_ms + c->pause_ms;
    return (int)cap;
}

static int fake_send(void *ctx, unsigned slot, const void *data, size_t len)
{
    struct client *c = net.slot[slot];

    net.sends++;
    assert_non_null(c);
    assert_true(len > 0);
    len = c->deaf ? 0 : len < c->piece ? len : c->piece;
    assert_true(c->heard_len + len <= sizeof c->heard);
    if (len > 0) {
        memcpy(c->heard + c->heard_len, data, len);
        c->heard_len += len;
        if (c->ssl != NULL) {
            assert_int_equal(BIO_write(SSL_get_rbio(c->ssl), data, (int)len), len);
            (void)SSL_do_handshake(c->ssl);
            ERR_clear_error();
            c->next_ms = net.now_ms + c->delay_ms;
        }
    }
    return (int)len;
}

static void fake_close(void *ctx, unsigned slot)
{
    assert_non_null(net.slot[slot]);
    net.slot[slot]->closed = true;
    net.slot[slot] = NULL;
}

static void fake_stop(void *ctx)
{
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        assert_null(net.slot[i]); /* acme_port.h: the core has closed every slot before */
    }
    net.stops += net.listening;
    net.listening = false;
}

static const struct acme_listener listener = {NULL,      fake_start, fake_accept, fake_recv,
                                              fake_send, fake_close, fake_stop};

static int random_bytes(void *ctx, void *buf, size_t len)
{
    return net.no_random ? ACME_E_RANDOM : maker_sys.random(ctx, buf, len);
}

static const struct acme_sys sys = {NULL, random_bytes, NULL};

/* The key, whose signatures are counted. */
static struct acme_key_ops counting;
static int counted_sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    net.signs++;
    return acme_key_p256_ops.sign(handle, digest, signature);
}

/* --- setting up --- */

static void set_up(void)
{
    SSL_CTX *ctx = net.ctx;

    memset(&net, 0, sizeof net);
    net.ctx = ctx;
    net.now_ms = UINT32_MAX - 5000;
    assert_int_equal(acme_tlsalpn01_init(&t, &listener, &sys), 0);
    assert_string_equal(t.solver.type, "tls-alpn-01");
    counting = acme_key_p256_ops;
    counting.sign = counted_sign;
    t.host.key.ops = &counting;
}

/* One tick; never more than one signature in it. */
static bool tick(void)
{
    unsigned before = net.signs;
    bool moved = t.solver.tick(&t, net.now_ms);

    assert_true(net.signs - before <= 1);
    return moved;
}

static void show_name(unsigned i, const char *name)
{
    int done = 0;

    live[i] = (struct acme_challenge){.name = name, .token = TOKEN, .thumbprint = THUMBPRINT};
    for (unsigned n = 0; n < 3 && done == 0; n++) {
        (void)tick();
        unsigned before = net.signs;
        done = t.solver.present(&t, &live[i]);
        assert_true(net.signs - before <= 1);
        int again = done == 0 ? t.solver.present(&t, &live[i]) : 0;
        assert_int_equal(again, 0); /* not twice in a tick */
    }
    assert_int_equal(done, 1);
}

static void tear_down(void)
{
    for (unsigned i = 0; i <= ACME_NAMES_MAX; i++) {
        t.solver.withdraw(&t, &live[i]);
    }
    for (unsigned i = 0; i < net.count; i++) {
        SSL_free(net.clients[i].ssl);
        assert_true(net.clients[i].closed || !net.clients[i].taken);
    }
    assert_false(net.listening || t.key.ready);
    memset(live, 0, sizeof live);
    net.count = 0;
}

static struct client *connects(void)
{
    struct client *c = &net.clients[net.count++];

    assert_in_range(net.count, 1, CLIENTS);
    *c = (struct client){.waiting = true, .piece = SIZE_MAX, .stops_at = SIZE_MAX};
    return c;
}

/* A TLS client. Its protocols as they are on the wire, each behind its length. */
static struct client *calls(const char *sni, const char *protocols)
{
    struct client *c = connects();

    c->ssl = SSL_new(net.ctx);
    SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(c->ssl);
    if (sni != NULL) {
        SSL_ctrl(c->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)sni);
    }
    if (protocols != NULL) {
        SSL_set_alpn_protos(c->ssl, (const unsigned char *)protocols, (unsigned)strlen(protocols));
    }
    return c;
}

/* As a program does: it sleeps when there is nothing to do. */
static void pass(uint32_t ms)
{
    for (uint32_t end_ms = net.now_ms + ms; (int32_t)(end_ms - net.now_ms) > 0;) {
        net.now_ms += tick() ? 1 : 20;
    }
}

/* --- judging --- */

/* True when he has seen a certificate for this name, with everything a CA looks at. */
static bool has_seen(const struct client *c, const char *name)
{
    const unsigned char *protocol;
    uint8_t digest[32];
    unsigned protocol_len;
    X509 *x = SSL_is_init_finished(c->ssl) ? SSL_get_peer_certificate(c->ssl) : NULL;

    if (x == NULL) {
        return false;
    }
    SSL_get0_alpn_selected(c->ssl, &protocol, &protocol_len);
    assert_int_equal(protocol_len, 10);
    assert_memory_equal(protocol, "acme-tls/1", 10);
    SHA256((const unsigned char *)TOKEN "." THUMBPRINT, strlen(TOKEN "." THUMBPRINT), digest);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(x, 1));
    assert_int_equal(ASN1_STRING_length(value), 34);
    assert_memory_equal(ASN1_STRING_get0_data(value) + 2, digest, 32);
    bool is = X509_check_host(x, name, 0, 0, NULL) == 1 || X509_check_ip_asc(x, name, 0) == 1;
    assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
    X509_free(x);
    assert_int_equal(SSL_get_shutdown(c->ssl) & SSL_SENT_SHUTDOWN, 0);
    return is;
}

/* The alert in clear that is all he has heard; -1: he has heard something else. */
static int alert(const struct client *c)
{
    bool is = c->heard_len == 7 && memcmp(c->heard, "\x15\3\3\0\2\2", 6) == 0;
    return is ? c->heard[6] : c->heard_len == 0 ? 0 : -1;
}

/* --- tests --- */

/* Who is shown what (RFC 8737, 3). */
TEST(hellos)
{
    static const struct {
        const char *sni, *protocols;
        int alert;        /* 0: the certificate of */
        const char *name; /* this one             */
    } rows[] = {
        {"dev.example.org", acme_tls, 0, "dev.example.org"},
        {"DEV.Example.org", acme_tls, 0, "dev.example.org"},
        {"dev.example.org.", acme_tls, 0, "dev.example.org"},
        {"b.example", acme_tls, 0, "b.example"},
        {"1.2.0.192.in-addr.arpa", acme_tls, 0, "192.0.2.1"},
        {"1.2.0.192.IN-ADDR.arpa.", acme_tls, 0, "192.0.2.1"},
        {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", acme_tls, 0, "2001:db8::1"},
        {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.IP6.arpa.", acme_tls, 0, "2001:db8::1"},
        {"192.0.2.1", acme_tls, 112, NULL},
        {"2.2.0.192.in-addr.arpa", acme_tls, 112, NULL},
        {"other.example", acme_tls, 112, NULL},
        {"example.org", acme_tls, 112, NULL},
        {"xdev.example.org", acme_tls, 112, NULL},
        {"dev.example.org..", acme_tls, 112, NULL},
        {"dev.example.or", acme_tls, 112, NULL},
        {".", acme_tls, 112, NULL},
        {NULL, acme_tls, 112, NULL},
        {"dev.example.org", NULL, 40, NULL},
        {"dev.example.org", "\x08http/1.1", 40, NULL},
        {"dev.example.org", "\2h2\x08http/1.1", 40, NULL},
        {"dev.example.org",
         "\2h2\x0a"
         "acme-tls/1",
         40, NULL},
        {"dev.example.org",
         "\x0a"
         "acme-tls/1\2h2",
         40, NULL},
        {"dev.example.org",
         "\x0a"
         "ACME-TLS/1",
         40, NULL},
        {"dev.example.org",
         "\x0b"
         "acme-tls/1x",
         40, NULL},
        {"dev.example.org",
         "\x09"
         "acme-tls/",
         40, NULL},
        {"other.example", "\2h2", 40, NULL},
        {NULL, NULL, 40, NULL},
    };

    for (size_t piece = 1; piece < 10000; piece = piece == 1 ? 100 : 10000) {
        set_up();
        show_name(0, "Dev.Example.org");
        show_name(1, "b.example");
        show_name(2, "192.0.2.1");
        show_name(3, "2001:db8::1");
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct client *c = calls(rows[i].sni, rows[i].protocols);
            const uint32_t answered = t.answered;
            c->piece = piece;
            pass(1700); /* at the end of which there is patience again */
            assert_true(c->closed);
            assert_int_equal(t.answered - answered, rows[i].alert == 0);
            if (rows[i].alert == 0) {
                assert_true(has_seen(c, rows[i].name));
                assert_int_equal(SSL_read(c->ssl, &(char){0}, 1), 0); /* he is hung up on, politely */
                assert_int_equal(SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
            } else {
                assert_int_equal(alert(c), rows[i].alert);
            }
        }
        tear_down();
    }
}

/* What is no ClientHello is no work, and nobody learns anything by it. */
TEST(no_hello)
{
    static const struct {
        const char *say;
        size_t len;
    } rows[] = {{"GET / HTTP/1.1\r\nHost: dev.example.org\r\n\r\n", 40},
                {"\x16\3\1\x40\1", 5},
                {"\x17\3\3\0\1x", 6},
                {"\x16\3\1\0\4\2\0\0\0", 9},
                {"\x15\3\1\0\2\2\x28", 7}};

    set_up();
    show_name(0, "dev.example.org");
    const unsigned signs = net.signs;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct client *c = connects();
        c->say = (const uint8_t *)rows[i].say;
        c->say_len = rows[i].len;
        pass(100);
        assert_true(c->closed && c->heard_len == 0);
    }
    struct client *gone = connects();
    gone->leaves = true;
    pass(100);
    assert_true(gone->closed);
    assert_int_equal(net.signs, signs);
    assert_int_equal(t.answered, 0);
    tear_down();
}

TEST(listens_only_while_something_is_live)
{
    struct acme_challenge *c = &live[0];

    set_up();
    *c = (struct acme_challenge){.name = "a.example", .token = TOKEN, .thumbprint = THUMBPRINT};
    assert_false(tick());
    net.fails = true;
    assert_int_equal(t.solver.present(&t, c), ACME_E_LISTEN);
    t.solver.withdraw(&t, c);
    net.fails = false;
    net.not_yet = true;
    assert_int_equal(t.solver.present(&t, c), 0);
    assert_false(net.listening || tick());
    connects();
    assert_int_equal(t.solver.present(&t, c), 0); /* the key */
    assert_true(net.listening && t.key.ready);
    assert_true(tick());
    assert_false(net.clients[0].taken || acme_tlsalpn01_busy(&t));
    assert_int_equal(t.solver.present(&t, c), 1);
    assert_int_equal(t.solver.present(&t, c), 1); /* the same once more is nothing new */
    assert_true(acme_tlsalpn01_busy(&t));
    pass(40);
    assert_true(net.clients[0].taken);
    t.solver.withdraw(&t, c); /* in the middle of a visit */
    assert_true(net.clients[0].closed && !net.listening && !t.key.ready);
    assert_int_equal(net.stops, 1);
    /* withdrawn before it was out */
    assert_int_equal(t.solver.present(&t, c), 0);
    t.solver.withdraw(&t, c);
    assert_false(net.listening || t.key.ready);
    tear_down();
}

/* Each challenge has a key of its own session. */
TEST(the_key_is_new_each_time)
{
    uint8_t point[65];

    set_up();
    show_name(0, "a.example");
    memcpy(point, t.key.point, 65);
    show_name(1, "b.example");
    assert_memory_equal(point, t.key.point, 65);
    tear_down();
    for (size_t i = 0; i < sizeof t.key; i++) {
        assert_int_equal(((const uint8_t *)&t.key)[i], 0);
    }
    show_name(0, "a.example");
    assert_memory_not_equal(point, t.key.point, 65);
    tear_down();
}

TEST(what_goes_wrong)
{
    set_up();
    live[0] = (struct acme_challenge){.name = "a.example", .token = TOKEN, .thumbprint = THUMBPRINT};
    net.no_random = true;
    assert_int_equal(t.solver.present(&t, &live[0]), ACME_E_RANDOM);
    net.no_random = false;
    t.solver.withdraw(&t, &live[0]);
    show_name(0, "a.example");
    net.no_random = true; /* no session without it */
    struct client *c = calls("a.example", acme_tls);
    pass(50);
    assert_true(c->closed && c->heard_len == 0);
    net.no_random = false;
    counting.sign = maker_mute_ops.sign; /* a key that does not answer */
    c = calls("a.example", acme_tls);
    pass(50);
    assert_true(c->closed && !has_seen(c, "a.example"));
    live[1] = (struct acme_challenge){.name = "b.example", .token = TOKEN, .thumbprint = THUMBPRINT};
    (void)tick();
    assert_int_equal(t.solver.present(&t, &live[1]), ACME_E_KEY);
    tear_down();
    set_up();
    for (unsigned i = 0; i < ACME_NAMES_MAX; i++) {
        show_name(i, "a.example");
    }
    (void)tick();
    live[ACME_NAMES_MAX] = live[0];
    assert_int_equal(t.solver.present(&t, &live[ACME_NAMES_MAX]), ACME_E_SOLVER);
    tear_down();
}

TEST(compiled_with_other_limits)
{
    memset(&t, 0x5a, sizeof t);
    assert_int_equal(acme_tlsalpn01_init_sized(&t, sizeof t - 1, &listener, &sys), ACME_E_SIZE);
    for (size_t i = 0; i < sizeof t; i++) {
        assert_int_equal(((const uint8_t *)&t)[i], 0x5a);
    }
}

/* Who has seen the certificate of what is taken back is sent away, the others are not. */
TEST(one_is_taken_back)
{
    if (SLOTS < 2) {
        skip();
    }
    set_up();
    show_name(0, "a.example");
    show_name(1, "b.example");
    struct client *mine = calls("a.example", acme_tls), *others = calls("b.example", acme_tls);
    struct client *early = connects();
    mine->delay_ms = others->delay_ms = 100; /* one way there and back */
    pass(150);
    t.solver.withdraw(&t, &live[0]);
    t.solver.withdraw(&t, &live[0]);
    assert_true(mine->closed && !others->closed && !early->closed && net.listening);
    struct client *late = calls("a.example", acme_tls);
    pass(300);
    assert_true(others->closed && has_seen(others, "b.example"));
    assert_int_equal(alert(late), 112);
    tear_down();
}

/* A long tick is nobody's fault, nor are the public-key operations for others. */
TEST(a_long_tick_is_nobodys_fault)
{
    set_up();
    show_name(0, "a.example");
    for (unsigned i = 0; i < 2 * SLOTS; i++) {
        calls("a.example", acme_tls);
    }
    for (unsigned i = 0; i < 200; i++) {
        (void)tick();
        net.now_ms += t.worked ? 500 : 1; /* a small processor */
    }
    assert_int_equal(t.answered, 2 * SLOTS);
    tear_down();
}

/* Alone nobody is hurried, but nobody stays for ever. */
TEST(slow_but_alone)
{
    uint8_t hello[600];

    if (SLOTS < 3) {
        skip();
    }
    set_up();
    show_name(0, "a.example");
    struct client *model = calls("a.example", acme_tls);
    size_t len = says(model, hello, sizeof hello);
    model->waiting = false;
    struct client *slow = calls("a.example", acme_tls), *silent = connects();
    slow->piece = 50;
    slow->pause_ms = 200;
    pass(5000);
    assert_true(slow->closed && has_seen(slow, "a.example") && !silent->closed);
    pass(4900);
    assert_false(silent->closed);
    pass(200);
    assert_true(silent->closed);
    struct client *drip = connects(), *stalls = connects(), *deaf = connects();
    drip->say = stalls->say = deaf->say = hello;
    drip->say_len = stalls->say_len = deaf->say_len = len;
    drip->piece = 1;
    drip->pause_ms = 100;
    deaf->deaf = true;
    pass(9900);
    assert_false(drip->closed || stalls->closed || deaf->closed);
    pass(200);
    assert_true(drip->closed && stalls->closed && deaf->closed);
    assert_int_equal(t.answered, 1);
    tear_down();
}

enum manner { SILENT, DRIPS, GARBAGE, ALMOST, STRANGER, STALLS, DEAF, MANNERS };

static void comes(enum manner manner, const uint8_t *hello, size_t len)
{
    struct client *c = connects();

    c->say = hello;
    c->say_len = len;
    switch (manner) {
    case SILENT:
        c->say_len = 0;
        break;
    case DRIPS:
        c->piece = 1;
        c->pause_ms = 30;
        break;
    case GARBAGE:
        c->say = (const uint8_t *)"GET / HTTP/1.1\r\n\r\n";
        c->say_len = 18;
        break;
    case ALMOST:
        c->stops_at = len - 1;
        break;
    case STRANGER:
        c->say_len = 0;
        c->delay_ms = 100000;
        break;
    case STALLS:
        break;
    case DEAF:
        c->deaf = true;
        break;
    case MANNERS:
        break;
    }
}

/* Comes with so many strangers before 16 validators, of whom each is some way away. Returns how long the validators had to wait,
 * or NEVER. */
static uint32_t crowd(enum manner manner, unsigned strangers, uint32_t delay_ms)
{
    uint8_t hello[600];
    struct client *validators[16];

    set_up();
    show_name(0, "a.example");
    struct client *model = calls("a.example", acme_tls);
    size_t len = says(model, hello, sizeof hello);
    model->waiting = false;
    for (unsigned i = 0; i < strangers; i++) {
        comes(manner == MANNERS ? (enum manner)(i % STALLS) : manner, hello, len);
    }
    for (unsigned i = 0; i < 16; i++) {
        validators[i] = calls("a.example", acme_tls);
        validators[i]->delay_ms = delay_ms;
    }
    uint32_t began_ms = net.now_ms, waited_ms = NEVER;
    for (unsigned seen = 0; seen < 16 && net.now_ms - began_ms < 60000;) {
        pass(20);
        seen = 0;
        for (unsigned i = 0; i < 16; i++) {
            seen += validators[i]->closed && has_seen(validators[i], "a.example");
        }
        waited_ms = seen == 16 ? net.now_ms - began_ms : NEVER;
    }
    tear_down();
    return waited_ms;
}

/* A thousand who say nothing, drip, talk nonsense or stop a byte before the end, and sixteen validators behind them: all sixteen
 * find their answer, before a CA gives up after 10 s. */
TEST(a_thousand_strangers)
{
    if (SLOTS < 4) { /* they take longer then */
        skip();
    }
    for (enum manner manner = SILENT; manner <= MANNERS; manner++) {
        if (manner == STALLS || manner == DEAF) {
            continue;
        }
        assert_in_range(crowd(manner, 1000, 20), 1, 9500);
    }
}

/* Who calls for the live name and then stalls costs a signature, and looks like a validator: he is waited for, but ever shorter. */
TEST(some_who_know_the_name)
{
    if (SLOTS < 4) {
        skip();
    }
    assert_in_range(crowd(STALLS, 40, 200), 1000, 9500);
    assert_in_range(crowd(DEAF, 40, 200), 1000, 9500);
}

/* Once nobody has come for a second there is patience again. */
TEST(patience_comes_back)
{
    set_up();
    show_name(0, "a.example");
    for (unsigned i = 0; i < 60; i++) {
        connects();
    }
    pass(5000);
    for (unsigned i = 0; i < SLOTS; i++) {
        connects();
    }
    pass(400);
    for (unsigned i = 0; i < net.count; i++) {
        assert_int_equal(net.clients[i].closed, i < 60);
    }
    tear_down();
}

static int make_client(void **state)
{
    net.ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(net.ctx, SSL_VERIFY_NONE, NULL);
    return net.ctx == NULL;
}

static int free_client(void **state)
{
    SSL_CTX_free(net.ctx);
    return 0;
}

AROUND(make_client, free_client, NULL, NULL);
