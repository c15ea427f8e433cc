/* test_plain.c - in clear: the channel without TLS, for whom it may be, and a client that talks so. Nothing of TLS is
 * there, so whatever touched it would crash. */
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme.h"
#include "secure/key_p256.h"

#define HOST "ca.example"

/* The line and the server behind it. */
static struct {
    int open_answer, recv_answer, send_answer; /* errors; 1: all is well */
    size_t room;                               /* bytes a send takes; SIZE_MAX: all  */
    const char *says;                          /* what is still to come              */
    bool ended;                                /* the server closes behind that      */
    char request[4096];
    size_t request_len;
    unsigned opens, closes;
    const char *const *answers; /* of the client's server, one a request; "": closes without a word */
} line;

static struct acme_channel channel;
static uint32_t now;

static int net_open(void *ctx, const char *host, uint16_t port)
{
    assert_true(host[0] != '\0' && port > 0);
    line.opens += line.open_answer == 1;
    line.says = line.open_answer == 1 ? "" : line.says;
    line.ended = false;
    return line.open_answer;
}

/* The client's server answers when a request is whole. */
static void answer_request(void)
{
    char *end = line.answers != NULL ? strstr(line.request, "\r\n\r\n") : NULL;
    const char *length = end != NULL ? strstr(line.request, "Content-Length: ") : NULL;

    if (end == NULL ||
        line.request_len < (size_t)(end + 4 - line.request) + (length ? strtoul(length + 16, NULL, 10) : 0)) {
        return;
    }
    line.says = *line.answers++;
    line.ended = strstr(line.says, "HTTP/1.1") == NULL;
    line.request_len = 0;
}

static int net_send(void *ctx, const void *data, size_t len)
{
    len = len < line.room ? len : line.room;
    if (line.send_answer < 0) {
        return line.send_answer;
    }
    assert_true(line.request_len + len < sizeof line.request);
    memcpy(line.request + line.request_len, data, len);
    line.request_len += len;
    line.request[line.request_len] = '\0';
    answer_request();
    return (int)len;
}

static int net_recv(void *ctx, void *data, size_t cap)
{
    size_t len = strlen(line.says);

    assert_true(cap > 0);
    len = len < cap ? len : cap;
    if (line.recv_answer < 0) {
        return line.recv_answer;
    }
    memcpy(data, line.says, len);
    line.says += len;
    return len > 0 ? (int)len : line.ended ? ACME_E_CLOSED : 0;
}

static void net_close(void *ctx)
{
    line.closes++;
}

static const struct acme_net net = {NULL, net_open, net_send, net_recv, net_close};

static int begin(void **state)
{
    memset(&line, 0, sizeof line);
    line.open_answer = line.recv_answer = line.send_answer = 1;
    line.room = SIZE_MAX;
    line.says = "";
    memset(&channel, 0, sizeof channel);
    channel.net = &net;
    now = 0xffffff00u; /* the clock wraps during the test */
    return 0;
}

static int open_at(const char *text)
{
    struct acme_url url;
    int err = acme_url_parse(&url, acme_slice_of(text));

    assert_int_equal(err, 0);
    for (int i = 0; i < 10 && err == 0; i++) {
        err = acme_channel_open(&channel, &url, now);
    }
    return err;
}

static int open_line(void)
{
    return open_at("http://" HOST ":4000/");
}

static void ask(const char *text)
{
    line.request_len = 0;
    assert_int_equal(acme_channel_send(&channel, text, strlen(text), true, now), strlen(text));
    assert_int_equal(acme_channel_flush(&channel, now), 1);
    assert_string_equal(line.request, text);
}

static int hear(char *text, size_t cap, bool *clean)
{
    int n = acme_channel_recv(&channel, text, cap - 1, clean, now);

    text[n > 0 ? n : 0] = '\0';
    return n;
}

/* --- the channel */

TEST(several_requests)
{
    char text[64];
    bool clean;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_at(i == 1 ? "HTTP://CA.Example:4000/x" : "http://" HOST ":4000/"), 1);
        ask("a request");
        line.says = "an answer";
        assert_int_equal(hear(text, sizeof text, &clean), 9);
        assert_true(channel.moved);
        assert_string_equal(text, "an answer");
        assert_int_equal(hear(text, sizeof text, &clean), 0);
        assert_false(channel.moved || clean);
        now += 10 * ACME_NET_TIMEOUT_MS; /* idle is not silence */
    }
    assert_int_equal(line.opens, 1);
    assert_int_equal(channel.handshakes, 0);
    assert_int_equal(acme_channel_connections(&channel), 1);
    assert_int_equal(channel.up, 27);
    assert_int_equal(channel.down, 27);
    acme_channel_close(&channel);
    assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
    assert_int_equal(line.closes, 1);
    assert_int_equal(channel.up, 27);
}

TEST(another_origin)
{
    struct acme_url url;

    assert_int_equal(open_line(), 1);
    assert_int_equal(open_at("http://" HOST "/"), 1);
    assert_int_equal(channel.port, 80);
    assert_int_equal(open_at("http://b.example/"), 1);
    assert_int_equal(open_at("http://192.0.2.1/"), 1); /* no certificate, no name to check */
    assert_int_equal(line.opens, 4);
    assert_int_equal(line.closes, 3);
    assert_int_equal(acme_channel_connections(&channel), 4);
    /* The same host and port with TLS is another place. */
    assert_int_equal(acme_url_parse(&url, acme_slice_of("https://192.0.2.1:80/")), 0);
    assert_int_equal(acme_channel_open(&channel, &url, now), ACME_CFG_ADDRESSES ? 0 : ACME_E_TLS_NAME);
    assert_int_equal(line.closes, 4);
    channel.tls_name = HOST;
    line.open_answer = 0;
    assert_int_equal(acme_channel_open(&channel, &url, now), 0);
    assert_int_equal(acme_channel_open(&channel, &url, now), 0);
    assert_int_equal(open_at("http://192.0.2.1:80/"), 0);
    line.open_answer = 1;
    assert_int_equal(open_at("http://192.0.2.1:80/"), 1);
    assert_int_equal(channel.handshakes, 0);
}

/* The server ends an idle connection in any way, or says something unasked: a new one, before anything is sent. */
TEST(dead_while_idle)
{
    char text[64];
    bool clean;

    for (unsigned way = 0; way < 3; way++) {
        assert_int_equal(open_line(), 1);
        line.ended = way == 0;
        line.says = way == 1 ? "HTTP/1.1 408 Request Timeout\r\n\r\n" : "";
        line.recv_answer = way == 2 ? ACME_E_NET : 1;
        struct acme_url url;
        assert_int_equal(acme_url_parse(&url, acme_slice_of("http://" HOST ":4000/")), 0);
        assert_int_equal(acme_channel_open(&channel, &url, now), 0);
        line.recv_answer = 1;
        assert_int_equal(open_line(), 1);
        assert_int_equal(line.opens, way + 2);
        ask("still works");
        line.says = "yes";
        assert_int_equal(hear(text, sizeof text, &clean), 3);
        assert_string_equal(text, "yes"); /* and not the 4 of 408 */
    }
}

TEST(ends)
{
    static const int ways[] = {ACME_E_CLOSED, ACME_E_NET, ACME_E_TIMEOUT};
    char text[8];
    bool clean;

    for (int way = 0; way < 3; way++) {
        assert_int_equal(open_line(), 1);
        ask("x");
        line.says = "last";
        assert_int_equal(hear(text, sizeof text, &clean), 4);
        assert_false(clean);
        line.ended = way == 0;
        line.recv_answer = way == 1 ? ACME_E_NET : 1;
        now += way == 2 ? ACME_NET_TIMEOUT_MS - 1 : 0;
        assert_int_equal(hear(text, sizeof text, &clean), way == 2 ? 0 : ways[way]);
        now += 1;
        assert_true(way == 2 || clean == (way == 0));
        assert_int_equal(way == 2 ? hear(text, sizeof text, &clean) : ways[way], ways[way]);
        assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
        assert_int_equal(channel.tls_code, 0);
        assert_int_equal(line.closes, way + 1);
        assert_int_equal(hear(text, sizeof text, &clean), ACME_E_CLOSED);
        assert_false(clean);
        assert_int_equal(acme_channel_send(&channel, "x", 1, true, now), ACME_E_CLOSED);
        assert_int_equal(acme_channel_flush(&channel, now), ACME_E_CLOSED);
        line.recv_answer = 1;
    }
}

TEST(not_opened)
{
    line.open_answer = ACME_E_REFUSED;
    assert_int_equal(open_line(), ACME_E_REFUSED);
    line.open_answer = 0;
    assert_int_equal(open_line(), 0);
    now += ACME_NET_TIMEOUT_MS;
    assert_int_equal(open_line(), ACME_E_TIMEOUT);
    assert_int_equal(line.closes, 2);
    assert_int_equal(acme_channel_connections(&channel), 0);
}

/* A server that answers before the request is out is listened to, and the connection is not used again. */
TEST(early_answer)
{
    char text[8];
    bool clean;

    assert_int_equal(open_line(), 1);
    line.room = 1;
    assert_int_equal(acme_channel_send(&channel, "a", 1, false, now), 1);
    assert_int_equal(channel.up, 1);
    line.room = 2;
    assert_int_equal(acme_channel_send(&channel, "head and more", 13, false, now), 2);
    assert_true(channel.moved);
    line.room = 0;
    assert_int_equal(acme_channel_send(&channel, "d and more", 10, false, now), 0);
    assert_false(channel.moved);
    assert_int_equal(channel.up, 3);
    line.says = "no!";
    assert_int_equal(acme_channel_send(&channel, "d and more", 10, false, now), 10);
    assert_true(channel.moved);
    assert_int_equal(acme_channel_send(&channel, "body", 4, true, now), 4);
    assert_int_equal(acme_channel_flush(&channel, now), 1);
    assert_int_equal(line.request_len, 3);
    memset(text, '#', sizeof text);
    assert_int_equal(acme_channel_recv(&channel, text, sizeof text, &clean, now), 1);
    assert_memory_equal(text, "n#", 2); /* not a byte more */
    for (int i = 2; i <= 3; i++) {      /* byte by byte from here on */
        assert_int_equal(hear(text, 2, &clean), 1);
        assert_int_equal(text[0], "no!"[i - 1]);
        assert_int_equal(channel.down, i);
    }
    assert_int_equal(open_line(), 1); /* what is sent now must not be taken for the rest */
    assert_int_equal(line.opens, 2);
    line.room = SIZE_MAX;
    ask("next");
    assert_int_equal(open_line(), 1);
    assert_int_equal(line.opens, 2);
}

TEST(broken_while_sending)
{
    for (unsigned way = 0; way < 3; way++) {
        assert_int_equal(open_line(), 1);
        line.send_answer = way == 0 ? ACME_E_NET : 1;
        line.room = 0;
        line.ended = way == 1;
        now += way == 2 ? ACME_NET_TIMEOUT_MS : 0;
        assert_int_equal(acme_channel_send(&channel, "request", 7, true, now), way == 0   ? ACME_E_NET
                                                                               : way == 1 ? ACME_E_CLOSED
                                                                                          : ACME_E_TIMEOUT);
        assert_int_equal(channel.state, ACME_CHANNEL_CLOSED);
        assert_int_equal(line.closes, way + 1);
    }
}

/* --- the client */

static struct acme_client client;
static struct acme_setup setup;
static struct acme_trust nobody;
static struct acme_key_p256 account_key, certificate_key;
static struct acme_tls tls;
static char work[4096], tls_buffer[1024], heard[4096];
static const char *const names[] = {"a.example"};

static int get_nothing(void *ctx, enum acme_record record, void *buf, size_t cap)
{
    (void)ctx, (void)record, (void)buf, (void)cap;
    return 0;
}

static int put_nowhere(void *ctx, enum acme_record record, const void *data, size_t len)
{
    (void)ctx, (void)record, (void)data, (void)len;
    return 0;
}

static void listen_to(void *ctx, const struct acme_event *e)
{
    static const char *const words[] = {[ACME_EVENT_CONNECTED] = "connected",
                                        [ACME_EVENT_REQUEST] = "request",
                                        [ACME_EVENT_WAIT] = "wait",
                                        [ACME_EVENT_STORED] = NULL};
    size_t at = strlen(heard);

    if (words[e->kind] != NULL) {
        snprintf(heard + at, sizeof heard - at, "%s %.*s %.*s\n", words[e->kind], (int)e->text.len, e->text.at,
                 (int)e->detail.len, e->detail.at);
    }
}

static void set_up_client(const char *directory, const char *plain_host)
{
    static const struct acme_store store = {NULL, get_nothing, put_nowhere, NULL, NULL};
    static const struct acme_solver solver = {.type = "http-01"};
    static const struct acme_solver *const solvers[] = {&solver};

    heard[0] = '\0';
    setup = (struct acme_setup){.net = &net,
                                .sys = &maker_sys,
                                .store = &store,
                                .ca = {.directory_url = directory, .trust = &nobody, .plain_host = plain_host},
                                .account_key = {&acme_key_p256_ops, &account_key},
                                .certificate_key = {&acme_key_p256_ops, &certificate_key},
                                .names = names,
                                .name_count = 1,
                                .solvers = solvers,
                                .solver_count = 1,
                                .work = work,
                                .work_len = sizeof work,
                                .tls = &tls,
                                .tls_buffer = tls_buffer,
                                .tls_buffer_len = sizeof tls_buffer,
                                .trace = listen_to};
}

TEST(for_whom)
{
    static const struct {
        const char *directory, *host;
        int error;
    } rows[] = {
        {"http://ca.example/d", "ca.example", 0},
        {"HTTP://CA.example:4000/d", "ca.EXAMPLE", 0},
        {"http://127.0.0.1:4000/d", "127.0.0.1", 0}, /* no name to check is needed, and no roots */
        {"http://[::1]:4000/d", "::1", 0},
        {"http://ca.example/d", NULL, ACME_E_ANCHORS},
        {"http://ca.example/d", "ca.example.org", ACME_E_ANCHORS},
        {"http://ca.example/d", "", ACME_E_ANCHORS},
        {"https://ca.example/d", "ca.example", ACME_E_ANCHORS},
        {"http:/ca.example/d", "ca.example", ACME_E_ANCHORS},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_up_client(rows[i].directory, rows[i].host);
        assert_int_equal(acme_init(&client, &setup), rows[i].error);
    }
    /* With roots at hand it is no better. */
    nobody.count = 1;
    set_up_client("http://ca.example/d", NULL);
    assert_int_equal(acme_init(&client, &setup), ACME_E_URL_SCHEME);
    set_up_client("http://192.0.2.1/d", "192.0.2.2");
    assert_int_equal(acme_init(&client, &setup), ACME_E_URL_SCHEME);
    set_up_client("https://192.0.2.1/d", "192.0.2.1");
    assert_int_equal(acme_init(&client, &setup), ACME_CFG_ADDRESSES ? 0 : ACME_E_TLS_NAME);
    nobody.count = 0;
}

static enum acme_progress run(const char *const *answers)
{
    enum acme_progress progress = ACME_BUSY;

    line.answers = answers;
    assert_int_equal(acme_init(&client, &setup), 0);
    assert_int_equal(acme_start(&client, ACME_NOW, now), 0);
    for (int i = 0; i < 1000 && !acme_is_over(progress); i++) {
        progress = acme_tick(&client, now);
        now += progress == ACME_IDLE ? acme_idle_ms(&client, now) : 0;
    }
    return progress;
}

#define C         "http://ca.example:4000"
#define DIRECTORY "{\"newNonce\":\"" C "/n\",\"newAccount\":\"" C "/a\",\"newOrder\":\"" C "/o\"}"
#define REFUSAL                                                                                                      \
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json\r\nContent-Length: 34\r\n\r\n"                 \
    "{\"type\":\"urn:x\",\"detail\":\"enough\"}"
#define NONCE "HTTP/1.1 200 OK\r\nReplay-Nonce: abc\r\n\r\n"

/* Redirects stay in clear, bodies may end with the connection, and what a dropped connection means depends on whether it
 * was a new one. */
TEST(talks)
{
    static const char *const answers[] = {
        "HTTP/1.0 302 Found\r\nLocation: /d2\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" DIRECTORY,
        NONCE,
        "", /* on a kept connection: it is made anew at once */
        NONCE,
        REFUSAL,
    };

    set_up_client(C "/d", "ca.example");
    assert_int_equal(run(answers), ACME_FAILED);
    assert_string_equal(acme_failure(&client)->detail, "enough");
    assert_string_equal(heard, "connected ca.example \n"
                               "request GET " C "/d\n"
                               "connected ca.example \n"
                               "request GET " C "/d2\n"
                               "connected ca.example \n"
                               "request HEAD " C "/n\n"
                               "request POST " C "/a\n"
                               "connected ca.example \n"
                               "request HEAD " C "/n\n"
                               "request POST " C "/a\n");
    assert_int_equal(acme_stats(&client).handshakes, 0);
    assert_int_equal(acme_stats(&client).requests, 6);
    assert_int_equal(line.opens, 4);
    assert_string_equal(acme_server(&client, NULL), "ca.example");
}

/* On a new connection it is a fault, and waited for. */
TEST(dropped_at_once)
{
#define GONE "HTTP/1.0 404 Not Found\r\n\r\n"
    static const char *const answers[] = {"", GONE, GONE, GONE, GONE};
#define AGAIN                                                                                                        \
    "wait  \n"                                                                                                       \
    "connected ca.example \n"                                                                                        \
    "request GET " C "/d\n"

    set_up_client(C "/d", "ca.example");
    assert_int_equal(run(answers), ACME_FAILED);
    assert_string_equal(heard, "connected ca.example \n"
                               "request GET " C "/d\n" AGAIN AGAIN AGAIN AGAIN);
}

/* From a directory in clear nothing leads to another host in clear; from one with TLS nothing at all. */
TEST(leads_nowhere_else)
{
    static const char *const away[][1] = {{"HTTP/1.0 302 Found\r\nLocation: http://b.example:4000/d\r\n\r\n"},
                                          {"HTTP/1.0 302 Found\r\nLocation: http://ca.example/d\r\n\r\n"},
                                          {"HTTP/1.0 302 Found\r\nLocation: https://ca.example:4000/d\r\n\r\n"}};
    static const int errors[] = {ACME_E_URL_SCHEME, ACME_E_URL_HOST, ACME_E_URL_HOST};

    for (size_t i = 0; i < 3; i++) {
        set_up_client(C "/d", "ca.example");
        assert_int_equal(run(away[i]), ACME_FAILED);
        assert_int_equal(acme_failure(&client)->error, errors[i]);
    }
    assert_int_equal(line.opens, 3);
}

AROUND(NULL, NULL, begin, NULL);
