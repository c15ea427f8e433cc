/* test_tls_edges.c - TLS and the channel where the network stops and starts: sends that take nothing or fail, bytes that
 * wait, a request cut in two. */
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
static struct acme_net net;      /* the server's, with failures in between */
static int send_says, recv_says; /* instead of what the server says; 1: nothing */
static uint32_t now;

static int net_open(void *ctx, const char *host, uint16_t port)
{
    return server.net.open(ctx, host, port);
}

static int net_send(void *ctx, const void *data, size_t len)
{
    return send_says != 1 ? send_says : server.net.send(ctx, data, len);
}

static int net_recv(void *ctx, void *data, size_t cap)
{
    return recv_says != 1 ? recv_says : server.net.recv(ctx, data, cap);
}

static void net_close(void *ctx)
{
    server.net.close(ctx);
}

static int set_up(void **state)
{
    made = maker_server("DNS:" HOST);
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
    net = (struct acme_net){&server, net_open, net_send, net_recv, net_close};
    memset(&tls, 0, sizeof tls);
    channel = (struct acme_channel){
        .net = &net, .sys = &maker_sys, .trust = &trust, .tls = &tls, .buffer = buffer, .buffer_len = sizeof buffer};
    send_says = recv_says = 1;
    now = 0xffffff00u;
    return 0;
}

static struct acme_url url_of_host(void)
{
    struct acme_url url = {.port = 443};
    url.host = url.authority = acme_slice_of(HOST);
    url.target = acme_slice_of("/");
    return url;
}

static int open_once(void)
{
    struct acme_url url = url_of_host();
    int done = acme_channel_open(&channel, &url, now++);
    tls_server_run(&server);
    return done;
}

static void open_it(void)
{
    int done = 0;
    for (int i = 0; i < 1000 && done == 0; i++) {
        done = open_once();
    }
    assert_int_equal(done, 1);
}

/* The network takes nothing for a while: nothing is lost, and the handshake goes on where it stood. */
TEST_WITH(sends_that_take_nothing, begin, NULL)
{
    send_says = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(open_once(), 0);
    }
    assert_int_equal(channel.up, 0);
    assert_false(channel.moved);
    send_says = 1;
    open_it();
}

/* Errors of the network are handed on as they are, in the handshake and after it, and end the connection. */
TEST_WITH(sends_and_receives_that_fail, begin, NULL)
{
    char text[8];
    bool clean = true;

    assert_int_equal(open_once(), 0);
    assert_int_equal(open_once(), 0);
    send_says = ACME_E_NET;
    assert_int_equal(open_once(), ACME_E_NET);
    assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
    send_says = 1;
    open_it();
    recv_says = ACME_E_NET;
    assert_int_equal(acme_channel_recv(&channel, text, sizeof text, &clean, now), ACME_E_NET);
    assert_false(clean);
    assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
    assert_int_equal(channel.tls_code, 0);
    recv_says = 1;
    open_it();
    assert_int_equal(server.opens, 3);
}

/* The connection breaks when the end of a request is to go out. */
TEST_WITH(flush_that_fails, begin, NULL)
{
    open_it();
    send_says = 0;
    assert_int_equal(acme_channel_send(&channel, "request", 7, true, now), 7);
    assert_int_equal(acme_channel_flush(&channel, now), 0);
    send_says = ACME_E_CLOSED;
    assert_int_equal(acme_channel_flush(&channel, now), ACME_E_CLOSED);
    assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
    assert_int_equal(server.request_len, 0);
}

/* More than one record holds: a part is taken, and what is not the whole is not flushed as if it were. Every byte
 * arrives once. */
TEST_WITH(request_longer_than_a_record, begin, NULL)
{
    static uint8_t data[40000];
    size_t at = 0;
    bool parted = false;
    int done = 0;

    maker_sys.random(NULL, data, sizeof data);
    open_it();
    while (at < sizeof data) {
        int n = acme_channel_send(&channel, data + at, sizeof data - at, true, now++);
        assert_true(n >= 0);
        parted = parted || (n > 0 && (size_t)n < sizeof data - at);
        at += (size_t)n;
    }
    assert_true(parted);
    for (int i = 0; i < 100 && done == 0; i++) {
        done = acme_channel_flush(&channel, now++);
    }
    assert_int_equal(done, 1);
    tls_server_run(&server);
    assert_int_equal(server.request_len, sizeof data);
    assert_memory_equal(server.request, data, sizeof data);
}

/* Head and body of a request are one piece to the server. */
TEST_WITH(request_in_two_parts, begin, NULL)
{
    int done = 0;

    open_it();
    assert_int_equal(acme_channel_send(&channel, "head", 4, false, now++), 4);
    assert_int_equal(acme_channel_send(&channel, "body", 4, true, now++), 4);
    for (int i = 0; i < 100 && done == 0; i++) {
        done = acme_channel_flush(&channel, now++);
    }
    assert_int_equal(done, 1);
    tls_server_run(&server);
    assert_int_equal(server.request_len, 8);
    assert_memory_equal(server.request, "headbody", 8);
}

/* The server's goodbye was read together with the last bytes: the next look finds the end without the network. */
TEST_WITH(end_that_is_known, begin, NULL)
{
    char text[8];
    bool clean = false;

    open_it();
    tls_server_bye(&server);
    for (int i = 0; i < 10 && !acme_tls_closed(&tls); i++) {
        uint32_t up = 0, down = 0;
        assert_true(acme_tls_pump(&tls, &net, &up, &down) >= 0);
    }
    recv_says = ACME_E_NET; /* nobody asks any more */
    assert_int_equal(acme_channel_recv(&channel, text, sizeof text, &clean, now), ACME_E_CLOSED);
    assert_true(clean);
    assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
}

/* Quiet is only a session with nothing in either place where bytes can wait. */
TEST(quiet)
{
    memset(&tls, 0, sizeof tls);
    assert_true(acme_tls_quiet(&tls));
    tls.rx_len = 1;
    assert_false(acme_tls_quiet(&tls));
    tls.rx_at = 1;
    assert_true(acme_tls_quiet(&tls));
    tls.client.eng.ixa = 1;
    assert_false(acme_tls_quiet(&tls));
}

/* Bytes right behind the server's Finished wait until ours is on its way: one buffer serves both directions. */
TEST_WITH(bytes_behind_finished, begin, NULL)
{
    int err = 0;

    open_it();
    acme_channel_close(&channel);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_once(), 0); /* connected, ClientHello; the server has answered with all it has */
    }
    assert_true(server.tail > 0);
    uint32_t up = channel.up;
    tls_server_raw(&server, "no record", 9);
    for (int i = 0; i < 20 && err == 0; i++) {
        struct acme_url url = url_of_host();
        err = acme_channel_open(&channel, &url, now++);
    }
    assert_true(err == 1 || err == ACME_E_TLS_RECORD); /* Finished was seen before, or with, the damage */
    assert_true(channel.up > up);
    if (err == 1) {
        assert_int_equal(open_once(), 0); /* and then it is not used */
        assert_int_not_equal(channel.state, ACME_CHANNEL_OPEN);
    }
}

AROUND(set_up, tear_down, NULL, NULL);
