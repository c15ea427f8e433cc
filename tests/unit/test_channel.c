/* test_channel.c - the channel: connections kept, replaced and noticed to be dead; time-outs; how it ends. */
#include "unit.h"

#include "tls_server.h"

#include <string.h>

#include "acme_config.h"
#include "secure/channel.h"

#define HOST "ca.example"

static struct maker_chain made;
static unsigned char memory[2048], buffer[ACME_TLS_BUFFER_MIN];
static struct acme_trust trust;
static struct tls_server server;
static struct acme_tls tls;
static struct acme_channel channel;
static uint32_t now;

static int set_up(void **state)
{
    made = maker_server("DNS:" HOST ",DNS:b.example");
    tls_server_trust(&trust, memory, sizeof memory, &made.chain[1], 1);
    return 0;
}

static int tear_down(void **state)
{
    maker_chain_free(&made);
    return 0;
}

static int begin(void **state)
{
    tls_server_init(&server, made.leaf_key, made.chain, 1, NULL);
    memset(&tls, 0, sizeof tls);
    memset(&channel, 0, sizeof channel);
    channel.net = &server.net;
    channel.sys = &maker_sys;
    channel.trust = &trust;
    channel.tls = &tls;
    channel.buffer = buffer;
    channel.buffer_len = sizeof buffer;
    now = 0xffffff00u; /* the clock wraps during the test */
    return 0;
}

static struct acme_url url_of(const char *host, uint16_t port)
{
    struct acme_url url;
    memset(&url, 0, sizeof url);
    url.host = url.authority = acme_slice_of(host);
    url.target = acme_slice_of("/");
    url.port = port;
    return url;
}

/* Opens, letting the server work in between. */
static int open_to(const char *host, uint16_t port)
{
    struct acme_url url = url_of(host, port);
    int err = 0;

    for (int i = 0; i < 1000 && err == 0; i++) {
        err = acme_channel_open(&channel, &url, now++);
        tls_server_run(&server);
    }
    return err;
}

static void ask(const char *text)
{
    size_t at = 0, len = strlen(text);
    int done = 0;

    server.request_len = 0;
    while (at < len) {
        int n = acme_channel_send(&channel, text + at, len - at, true, now++);
        assert_true(n >= 0);
        at += (size_t)n;
    }
    for (int i = 0; i < 100 && done == 0; i++) {
        done = acme_channel_flush(&channel, now++);
    }
    assert_int_equal(done, 1);
    tls_server_run(&server);
    assert_int_equal(server.request_len, len);
    assert_memory_equal(server.request, text, len);
}

static int answer(char *text, size_t cap, bool *clean)
{
    int n = 0;
    for (int i = 0; i < 100 && n == 0; i++) {
        n = acme_channel_recv(&channel, text, cap, clean, now++);
    }
    return n;
}

TEST(several_requests)
{
    char text[64];
    bool clean;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_to(i == 1 ? "CA.Example" : HOST, 443), 1); /* the same host */
        ask("a request");
        tls_server_say(&server, "an answer", 9);
        assert_int_equal(answer(text, sizeof text, &clean), 9);
        assert_memory_equal(text, "an answer", 9);
        now += 10 * ACME_NET_TIMEOUT_MS; /* idle is not silence */
    }
    assert_int_equal(server.opens, 1);
    assert_int_equal(channel.handshakes, 1);
    assert_in_range(channel.up, 301, 3000);
    assert_in_range(channel.down, 501, 3000);
    acme_channel_close(&channel);
    assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
    assert_int_equal(server.closes, 1);
    assert_true(server.bade);
    acme_channel_close(&channel);
    assert_int_equal(server.closes, 1);
    assert_int_equal(open_to(HOST, 443), 1);
    assert_true(SSL_session_reused(server.ssl));
}

/* Bytes that came before count as movement when they are worked on, or the client would sleep over them. */
TEST(work_without_the_network)
{
    struct acme_url url = url_of(HOST, 443);
    unsigned seen = 0;

    for (int i = 0; i < 1000 && channel.state != ACME_CHANNEL_OPEN; i++) {
        uint32_t up = channel.up, down = channel.down;
        unsigned at = tls.rx_at;
        assert_true(acme_channel_open(&channel, &url, now++) >= 0);
        if (tls.rx_at > at && channel.up == up && channel.down == down) {
            assert_true(channel.moved);
            seen++;
        }
        tls_server_run(&server);
    }
    assert_int_equal(channel.state, ACME_CHANNEL_OPEN);
    assert_true(seen > 0);
}

TEST(another_origin)
{
    assert_int_equal(open_to(HOST, 443), 1);
    assert_int_equal(open_to(HOST, 8443), 1);
    assert_int_equal(server.opens, 2);
    assert_true(SSL_session_reused(server.ssl));
    assert_int_equal(open_to("b.example", 8443), 1);
    assert_int_equal(server.opens, 3);
    assert_int_equal(server.closes, 2);
    assert_false(SSL_session_reused(server.ssl));
}

/* The server ends an idle connection in any way, or says something unasked: a new one, before anything is
 * sent. */
TEST(dead_while_idle)
{
    for (unsigned way = 0; way < 4; way++) {
        assert_int_equal(open_to(HOST, 443), 1);
        if (way == 0) {
            tls_server_bye(&server);
        } else if (way == 1) {
            server.ended = true;
        } else if (way == 2) {
            tls_server_say(&server, "HTTP/1.1 408 Request Timeout\r\n\r\n", 32);
        } else {
            tls_server_raw(&server, "\x15\x03\x03\x00\x01\x00", 6);
        }
        assert_int_equal(open_to(HOST, 443), 1);
        assert_int_equal(server.opens, way + 2);
        ask("still works");
    }
}

TEST(ends_clean_or_not)
{
    char text[8];
    bool clean;

    for (int way = 0; way < 2; way++) {
        assert_int_equal(open_to(HOST, 443), 1);
        ask("x");
        tls_server_say(&server, "last", 4);
        if (way == 0) {
            tls_server_bye(&server);
        } else {
            server.ended = true;
        }
        assert_int_equal(answer(text, sizeof text, &clean), 4);
        assert_int_equal(answer(text, sizeof text, &clean), ACME_E_CLOSED);
        assert_int_equal(clean, way == 0);
        assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
        assert_int_equal(acme_channel_recv(&channel, text, sizeof text, &clean, now), ACME_E_CLOSED);
        assert_false(clean);
        assert_int_equal(acme_channel_send(&channel, "x", 1, true, now), ACME_E_CLOSED);
        assert_int_equal(acme_channel_flush(&channel, now), ACME_E_CLOSED);
    }
}

/* Silence in every state. */
TEST(time_outs)
{
    struct acme_url url = url_of(HOST, 443);
    char text[8];
    bool clean;

    server.open_answer = 0;
    assert_int_equal(acme_channel_open(&channel, &url, now), 0);
    assert_int_equal(acme_channel_open(&channel, &url, now + ACME_NET_TIMEOUT_MS - 1), 0);
    assert_int_equal(acme_channel_open(&channel, &url, now + ACME_NET_TIMEOUT_MS), ACME_E_TIMEOUT);
    assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
    assert_int_equal(server.closes, 1);

    server.open_answer = 1;
    server.mute = true;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(acme_channel_open(&channel, &url, now), 0);
    }
    assert_int_equal(channel.state, ACME_CHANNEL_SHAKING);
    assert_int_equal(acme_channel_open(&channel, &url, now + ACME_NET_TIMEOUT_MS - 1), 0);
    assert_int_equal(acme_channel_open(&channel, &url, now + ACME_NET_TIMEOUT_MS), ACME_E_TIMEOUT);

    server.mute = false;
    assert_int_equal(open_to(HOST, 443), 1);
    ask("x");
    now += ACME_NET_TIMEOUT_MS / 2;
    assert_int_equal(acme_channel_recv(&channel, text, sizeof text, &clean, now), 0);
    now += ACME_NET_TIMEOUT_MS;
    assert_int_equal(acme_channel_recv(&channel, text, sizeof text, &clean, now), ACME_E_TIMEOUT);
    assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
}

TEST(refused)
{
    struct acme_url url = url_of("10.0.2.2", 14000);
    static char long_host[255];

    server.open_answer = ACME_E_REFUSED;
    assert_int_equal(open_to(HOST, 443), ACME_E_REFUSED);
    server.open_answer = 1;
    assert_int_equal(open_to("other.example", 443), ACME_E_TLS_HOST);
    assert_int_equal(channel.tls_code, BR_ERR_X509_BAD_SERVER_NAME);
    assert_int_equal(server.closes, 2);
    memset(long_host, 'a', 254);
    assert_int_equal(open_to(long_host, 443), ACME_E_URL);
    assert_int_equal(open_to("", 443), ACME_E_URL);

    /* An address that is not in the certificate. */
    url.is_address = true;
    int done = 0;
    for (int i = 0; i < 1000 && done == 0; i++) {
        done = acme_channel_open(&channel, &url, now);
        tls_server_run(&server);
    }
    assert_int_equal(done, ACME_E_TLS_HOST);
    assert_int_equal(server.closes, 3);

    /* One that is in no certificate, as it cannot be read: another name to check is needed. */
    url = url_of("::ffff:10.0.2.2", 14000);
    url.is_address = true;
    assert_int_equal(acme_channel_open(&channel, &url, now), ACME_E_TLS_NAME);
    assert_int_equal(server.opens, 3);
    channel.tls_name = HOST;
    for (int i = 0; i < 1000 && acme_channel_open(&channel, &url, now) == 0; i++) {
        tls_server_run(&server);
    }
    assert_int_equal(channel.state, ACME_CHANNEL_OPEN);
    assert_int_equal(channel.tls_code, 0); /* what it was before is over */
    assert_string_equal(SSL_get_servername(server.ssl, TLSEXT_NAMETYPE_host_name), HOST);
}

/* What goes wrong while a request is on its way out is told, and the channel closed. */
TEST(broken_while_sending)
{
    static const char junk[] = "\x17\x03\x03\x00\x20 thirty-two bytes of nothing good";

    for (int way = 0; way < 4; way++) {
        int err = 0;
        assert_int_equal(open_to(HOST, 443), 1);
        if (way < 2) {
            tls_server_raw(&server, junk, sizeof junk - 1);
        } else {
            tls_server_bye(&server);
        }
        if (way % 2 != 0) {
            server.chunk = 1;
            assert_int_equal(acme_channel_send(&channel, "request", 7, true, now), 7);
        }
        for (int i = 0; i < 1000 && err >= 0; i++) {
            err = way % 2 == 0 ? acme_channel_send(&channel, "request", 7, true, now)
                               : acme_channel_flush(&channel, now);
            if (err == 1 && way % 2 != 0) {
                err = acme_channel_send(&channel, "", 0, true, now);
            }
        }
        assert_int_equal(err, way < 2 ? ACME_E_TLS_RECORD : ACME_E_CLOSED);
        assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
        server.chunk = SIZE_MAX;
    }
}

/* The same in the step that sends the last byte: the flush tells of it, not the call after it. */
TEST(broken_while_flushing)
{
    assert_int_equal(open_to(HOST, 443), 1);
    server.chunk = 0;
    assert_int_equal(acme_channel_send(&channel, "request", 7, true, now), 7);
    assert_int_equal(acme_channel_flush(&channel, now), 0);
    tls_server_raw(&server, "\x17\x03\x03\xff\xff", 5); /* longer than any record */
    server.chunk = SIZE_MAX;
    assert_int_equal(acme_channel_flush(&channel, now), ACME_E_TLS_RECORD);
    assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
}

/* With a small buffer a request takes several records, and a server may answer (413, say) after the first. */
TEST(early_answer)
{
    static char request[3000], text[64];
    size_t at = 0;
    bool clean;

    channel.buffer_len = ACME_TLS_BUFFER_SMALL;
    assert_int_equal(open_to(HOST, 443), 1);
    memset(request, 'r', sizeof request);
    for (int i = 0; i < 100 && at < sizeof request; i++) {
        int n = acme_channel_send(&channel, request + at, sizeof request - at, true, now);
        assert_true(n >= 0);
        at += (size_t)n;
        if (i == 2) {
            tls_server_say(&server, "no", 2);
        }
    }
    assert_int_equal(at, sizeof request);
    assert_int_equal(acme_channel_flush(&channel, now), 1);
    assert_int_equal(answer(text, sizeof text, &clean), 2);
    tls_server_run(&server);
    assert_in_range(server.request_len, 1, sizeof request - 1);
    assert_int_equal(open_to(HOST, 443), 1); /* what is sent now must not be taken for the rest */
    assert_int_equal(server.opens, 2);
    ask("next");
}

/* A server that ends the session in the middle of the handshake, politely or not. */
TEST(ended_while_shaking)
{
    struct acme_url url = url_of(HOST, 443);
    int err = 0;

    server.mute = true;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(acme_channel_open(&channel, &url, now), 0);
    }
    tls_server_raw(&server, "\x15\x03\x03\x00\x02\x01\x00", 7); /* close_notify */
    for (int i = 0; i < 10 && err == 0; i++) {
        err = acme_channel_open(&channel, &url, now);
    }
    assert_int_equal(err, ACME_E_CLOSED);
    assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
}

AROUND(set_up, tear_down, begin, NULL);
