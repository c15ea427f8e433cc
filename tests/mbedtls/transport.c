/* transport.c - port/mbedtls as a transport, against a server without sockets: memory that is lacking, bytes that come or go one by
 * one, what may not be left out, what is said of it. */
#include "unit/tls_server.h"

#include <stdlib.h>
#include <string.h>

#include "acme_mbedtls.h"

#include <mbedtls/ecp.h>
#include <mbedtls/memory_buffer_alloc.h>
#include <mbedtls/platform.h>

#define HOST "ca.example"
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
#define LAST_VERSION TLS1_3_VERSION
#else
#define LAST_VERSION TLS1_2_VERSION
#endif

static struct maker_chain made;
static char *root_pem;
static struct tls_server server;
static struct acme_mbedtls m;
static unsigned char arena[128 * 1024];
static struct acme_sys sys;
static int version; /* the server's last */
static int utc_answer;
static int64_t utc;

static int the_time(void *ctx, int64_t *out)
{
    (void)ctx;
    *out = utc;
    return utc_answer;
}

static int set_up(void **state)
{
    (void)state;
    made = maker_server("DNS:" HOST);
    root_pem = maker_pem(made.chain[1]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    maker_chain_free(&made);
    free(root_pem);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    tls_server_init(&server, made.leaf_key, made.chain, 1, NULL);
    SSL_CTX_set_max_proto_version(server.ctx, version);
    sys = maker_sys;
    sys.utc = the_time;
    utc = MAKER_NOW;
    utc_answer = 1;
    assert_int_equal(acme_mbedtls_init(&m, &server.net, &sys, arena, sizeof arena, 0), 0);
    assert_int_equal(acme_mbedtls_trust(&m, root_pem, strlen(root_pem)), 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    acme_mbedtls_free(&m);
    return 0;
}

static int open_to(const char *name)
{
    int done = 0;

    for (int i = 0; i < 100000 && (done == 0 || done == 2); i++) {
        done = m.secure.open(m.secure.ctx, HOST, 443, name);
        tls_server_run(&server);
    }
    return done;
}

/* A question of 3000 bytes and its answer. The same bytes and length are given until they are taken. */
static int converse(void)
{
    static char question[3000], answer[3000], got[sizeof answer];
    size_t at = 0;

    memset(question, 'q', sizeof question);
    memset(answer, 'a', sizeof answer);
    server.request_len = 0;
    for (int i = 0; i < 100000 && at < sizeof question; i++) {
        int sent = m.secure.send(m.secure.ctx, question + at, sizeof question - at);
        if (sent < 0) {
            return sent;
        }
        at += (size_t)sent;
        tls_server_run(&server);
    }
    tls_server_run(&server);
    assert_int_equal(server.request_len, sizeof question);
    assert_memory_equal(server.request, question, sizeof question);
    tls_server_say(&server, answer, sizeof answer);
    at = 0;
    for (int i = 0; i < 100000 && at < sizeof answer; i++) {
        int n = m.secure.recv(m.secure.ctx, got + at, sizeof got - at);
        if (n < 0) {
            return n;
        }
        at += (size_t)n;
    }
    assert_memory_equal(got, answer, sizeof answer);
    return 1;
}

static void talks_in_pieces_of_any_size(void **state)
{
    static const size_t chunks[] = {1, 2, 7, 100, 1 << 17};

    (void)state;
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        server.chunk = chunks[i];
        assert_int_equal(open_to(HOST), 1);
        assert_int_equal(converse(), 1);
        m.secure.close(m.secure.ctx);
        m.secure.close(m.secure.ctx);
        tls_server_run(&server);
    }
    assert_true(server.bade);
}

/* A network that takes nothing for a while, and then a little. */
static unsigned turn;
static struct acme_net slow;

static int slow_send(void *ctx, const void *data, size_t len)
{
    return turn++ % 3 != 0 ? 0 : server.net.send(ctx, data, len < 5 ? len : 5);
}

static void a_full_window_loses_nothing(void **state)
{
    (void)state;
    slow = server.net;
    slow.send = slow_send;
    m.net = &slow;
    assert_int_equal(open_to(HOST), 1);
    assert_int_equal(converse(), 1);
}

static void restartable(void **state)
{
    unsigned most = 0;

    (void)state;
    for (unsigned ops = 100; ops <= 1000; ops += 900) {
        unsigned calls = 0;
        int done = 0;
        acme_mbedtls_free(&m);
        assert_int_equal(acme_mbedtls_init(&m, &server.net, &sys, NULL, 0, ops), 0);
        assert_int_equal(acme_mbedtls_trust(&m, root_pem, strlen(root_pem)), 1);
        while (done != 1) {
            done = m.secure.open(m.secure.ctx, HOST, 443, HOST);
            assert_true(done >= 0);
            tls_server_run(&server);
            calls++;
        }
        m.secure.close(m.secure.ctx);
        assert_true(calls > 20 || version == TLS1_3_VERSION); /* which is never cut */
        most = most == 0 ? calls : most;
        assert_true(calls <= most);
    }
    mbedtls_ecp_set_max_ops(0);
}

/* Nothing goes out before all is known that a certificate is judged by. */
static void nothing_is_left_out(void **state)
{
    static const char *const names[] = {NULL, "", "10.0.0.1", "::1", "ca example"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(open_to(names[i]), ACME_E_TLS_NAME);
    }
    utc_answer = 0;
    assert_int_equal(open_to(HOST), ACME_E_CLOCK);
    utc_answer = ACME_E_CLOCK;
    assert_int_equal(open_to(HOST), ACME_E_CLOCK);
    utc_answer = 1;
    utc = ACME_UTC_FLOOR - 1;
    assert_int_equal(open_to(HOST), ACME_E_CLOCK);
    utc = MAKER_NOW;
    m.anchor_count = 0;
    assert_int_equal(open_to(HOST), ACME_E_ANCHORS);
    assert_int_equal(server.opens, 0);
    assert_int_equal(m.secure.send(m.secure.ctx, "x", 1), ACME_E_CLOSED);
    assert_int_equal(m.secure.recv(m.secure.ctx, arena, 1), ACME_E_CLOSED);
}

/* As if the firmware had switched the check off, or had set a callback of its own: a connection that nobody judged. */
static void a_check_that_was_switched_off(void **state)
{
    (void)state;
    mbedtls_ssl_conf_authmode(&m.conf, MBEDTLS_SSL_VERIFY_NONE);
    assert_int_equal(open_to(HOST), ACME_E_TLS_CERT);
    mbedtls_ssl_conf_authmode(&m.conf, MBEDTLS_SSL_VERIFY_OPTIONAL);
    assert_int_equal(open_to("other.example"), ACME_E_TLS_HOST);
    mbedtls_ssl_conf_authmode(&m.conf, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_verify(&m.conf, NULL, NULL);
    assert_int_equal(open_to(HOST), ACME_E_TLS_CERT);
}

/* Too little memory is said, whatever the library calls it. */
static void arenas(void **state)
{
    char words[160], expected[80];
    size_t least = 0;

    (void)state;
    for (size_t kib = 1; kib <= 48; kib++) {
        int error = acme_mbedtls_init(&m, &server.net, &sys, arena, kib * 1024, 200);
        error = error == 0 ? acme_mbedtls_trust(&m, root_pem, strlen(root_pem)) : error;
        error = error == 1 ? open_to(HOST) : error;
        error = error == 1 ? converse() : error;
        acme_mbedtls_words(&m, words, sizeof words);
        snprintf(expected, sizeof expected, "out of memory; the arena has %zu bytes", kib * 1024);
        if (error != 1) {
            assert_true(error == ACME_E_TLS || error == ACME_E_RANDOM);
            assert_true(strcmp(words, expected) == 0 || strstr(words, "memory was lacking") != NULL);
            assert_int_equal(least, 0); /* what is enough is so for all that are larger */
        } else {
            least = least == 0 ? kib : least;
        }
        acme_mbedtls_free(&m);
    }
    print_message("# enough, on this machine: %zu KiB\n", least);
    assert_in_range(least, 16, 40);
    mbedtls_ecp_set_max_ops(0);
    assert_int_equal(acme_mbedtls_init(&m, &server.net, &sys, arena, sizeof arena, 0), 0);
}

static unsigned long allocations, failing;

static void *now_and_then(size_t count, size_t size)
{
    return ++allocations == failing ? NULL : calloc(count, size);
}

/* Whichever allocation fails, nothing is said to the server that should not be, and the next attempt succeeds. */
static void each_allocation(void **state)
{
    unsigned refused = 0, done = 0;

    (void)state;
    acme_mbedtls_free(&m);
    mbedtls_platform_set_calloc_free(now_and_then, free);
    assert_int_equal(acme_mbedtls_init(&m, &server.net, &sys, NULL, 0, 0), 0);
    assert_int_equal(acme_mbedtls_trust(&m, root_pem, strlen(root_pem)), 1);
    for (unsigned long n = 1; n <= 3000 && done < 3; n += n < 200 ? 1 : 53) {
        allocations = 0;
        failing = n;
        server.request_len = 0;
        int error = open_to(HOST);
        refused += error < 0;
        done += error == 1 && allocations < n;
        assert_true(error == 1 || error < 0);
        m.secure.close(m.secure.ctx);
        tls_server_run(&server);
        assert_int_equal(server.request_len, 0);
    }
    assert_true(refused > 50);
    failing = 0;
    assert_int_equal(open_to(HOST), 1);
    assert_int_equal(converse(), 1);
    acme_mbedtls_free(&m);
    assert_int_equal(acme_mbedtls_init(&m, &server.net, &sys, arena, sizeof arena, 0), 0);
}

static void anchors(void **state)
{
    static const char junk[] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    char both[8192];
    size_t len;
    uint8_t *der = maker_der(made.chain[1], &len);

    (void)state;
    acme_mbedtls_free(&m);
    assert_int_equal(acme_mbedtls_init(&m, &server.net, &sys, arena, sizeof arena, 0), 0);
    assert_int_equal(acme_mbedtls_trust(&m, "", 0), ACME_E_ANCHORS);
    assert_int_equal(acme_mbedtls_trust(&m, "no certificate", 14), ACME_E_ANCHORS);
    assert_int_equal(acme_mbedtls_trust(&m, junk, sizeof junk), ACME_E_ANCHORS);
    assert_int_equal(m.anchor_count, 0);
    assert_int_equal(open_to(HOST), ACME_E_ANCHORS);
    assert_int_equal(acme_mbedtls_trust(&m, root_pem, strlen(root_pem) + 1), 1); /* with its NUL */
    assert_int_equal(acme_mbedtls_trust(&m, root_pem, strlen(root_pem)), 1);
    assert_int_equal(acme_mbedtls_trust(&m, der, len), 1);
    assert_int_equal(acme_mbedtls_trust(&m, der, len - 1), ACME_E_ANCHORS);
    snprintf(both, sizeof both, "%s%s%s", root_pem, junk, root_pem);
    assert_int_equal(acme_mbedtls_trust(&m, both, strlen(both)), 2);
    assert_int_equal(m.anchor_count, 5);
    assert_int_equal(open_to(HOST), 1);
    acme_mbedtls_free(&m);
    free(der);
    assert_int_equal(acme_mbedtls_init(&m, &server.net, &sys, arena, sizeof arena, 0), 0);
}

static void ends(void **state)
{
    char byte;

    (void)state;
    assert_int_equal(open_to(HOST), 1);
    tls_server_bye(&server); /* as it should be */
    assert_int_equal(m.secure.recv(m.secure.ctx, &byte, 1), ACME_E_CLOSED);
    assert_int_equal(open_to(HOST), 1);
    server.ended = true; /* cut: what came may not be all */
    assert_int_equal(m.secure.recv(m.secure.ctx, &byte, 1), ACME_E_NET);
    assert_int_equal(m.state, ACME_MBEDTLS_OFF);
    server.open_answer = ACME_E_REFUSED;
    assert_int_equal(open_to(HOST), ACME_E_REFUSED);
    server.open_answer = 1;
    assert_int_equal(open_to(HOST), 1);
}

/* A server that splits its hello over two records: joined, or refused in words. */
static void a_message_in_two_records(void **state)
{
    static const uint8_t rest[] = {0x16, 3, 3, 0, 0};
    char words[200];
    uint8_t *hello = server.to_client;
    int done;

    (void)state;
    for (int i = 0; i < 1000 && server.tail == 0; i++) {
        assert_in_range(m.secure.open(m.secure.ctx, HOST, 443, HOST), 0, 2);
        tls_server_run(&server);
    }
    assert_true(server.head == 0 && server.tail > 100 && hello[5] == 2 && hello[3] == 0);
    memmove(hello + 20, hello + 15, server.tail - 15);
    memcpy(hello + 15, rest, sizeof rest);
    hello[19] = (uint8_t)(hello[4] - 10);
    hello[4] = 10;
    server.tail += 5;
    done = open_to(HOST);
    acme_mbedtls_words(&m, words, sizeof words);
    assert_true(MBEDTLS_VERSION_NUMBER >= 0x03060300
                    ? done == 1
                    : done == ACME_E_TLS && strstr(words, "splits a handshake message") != NULL);
}

static void words(void **state)
{
    static const struct {
        int code;
        uint32_t flags;
        const char *part;
    } rows[] = {
        {MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_NOT_TRUSTED, "not trusted"},
        {MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_EXPIRED, "has expired"},
        {MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_FUTURE, "not valid yet"},
        {MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, MBEDTLS_X509_BADCERT_CN_MISMATCH, "another name"},
        {MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, 0, "not judged"},
        {-0x3000, 0, "bundle"},
        {-0x2562, 0, "name constraints"},
        {-0x7280, 0, "cut the connection"},
        {-0x7780, 0, "alert"},
        {-0x7200, 0, "MBEDTLS_SSL_IN_CONTENT_LEN"},
        {-0x6c00, 0, "random numbers"},
        {-0x7f00, 0, "out of memory"},
        {-0x2880, 0, "out of memory"},
        {-0x3f80, 0, "out of memory"},
        {-0x4d80, 0, "out of memory"},
        {-0x0010, 0, "out of memory"},
        {-0x006a, 0, "out of memory"},
        {-0x5180, 0, "out of memory"},
        {-0x4290, 0, "out of memory"}, /* of a module and of numbers below it */
        {-0x7400, 0, "Mbed TLS failed"},
        {-0x0001, 0, "does not say why"},
    };
    char text[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        m.code = rows[i].code;
        m.flags = rows[i].flags;
        acme_mbedtls_words(&m, text, sizeof text);
        assert_non_null(strstr(text, rows[i].part));
    }
    acme_mbedtls_words(&m, text, 1);
    assert_string_equal(text, "");
}

int main(void)
{
#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(talks_in_pieces_of_any_size),
        WITH_SERVER(a_full_window_loses_nothing),
        WITH_SERVER(restartable),
        WITH_SERVER(nothing_is_left_out),
        WITH_SERVER(a_check_that_was_switched_off),
        WITH_SERVER(anchors),
        WITH_SERVER(ends),
        WITH_SERVER(a_message_in_two_records),
        WITH_SERVER(words),
        WITH_SERVER(arenas),
        WITH_SERVER(each_allocation),
    };
    int failed = 0;

    for (version = TLS1_2_VERSION; version <= LAST_VERSION; version++) {
        failed += cmocka_run_group_tests(tests, set_up, tear_down);
    }
    return failed;
}
