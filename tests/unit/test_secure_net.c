/* test_secure_net.c - the channel over TLS of the platform (port/secure): what it hands on, what it keeps, what it ends. */
#include "unit.h"

#include <string.h>

#include "acme.h"
#include "secure/channel.h"

/* The platform: answers as it is told, and notes what it was asked. */
static struct {
    int open, send, recv, code; /* the next answers */
    char host[300], name[300];
    uint16_t port;
    unsigned opened, closed;
    char text[64];
} p;

static int p_open(void *ctx, const char *host, uint16_t port, const char *name)
{
    assert_ptr_equal(ctx, &p);
    p.opened++;
    strcpy(p.host, host);
    strcpy(p.name, name);
    p.port = port;
    return p.open;
}

static int p_send(void *ctx, const void *data, size_t len)
{
    if (p.send > 0) {
        assert_true((size_t)p.send <= len);
        memcpy(p.text, data, (size_t)p.send);
    }
    return p.send;
}

static int p_recv(void *ctx, void *data, size_t cap)
{
    if (p.recv > 0) {
        p.recv = (size_t)p.recv < cap ? p.recv : (int)cap;
        memset(data, 'a', (size_t)p.recv);
    }
    return p.recv;
}

static void p_close(void *ctx)
{
    p.closed++;
}

static int p_code(void *ctx)
{
    return p.code;
}

static struct acme_secure_net net = {&p, p_open, p_send, p_recv, p_close, p_code};
static struct acme_channel c;
static uint32_t now;

static int begin(void **state)
{
    memset(&p, 0, sizeof p);
    memset(&c, 0, sizeof c);
    net.code = p_code;
    acme_channel_init(&c, &(const struct acme_setup){.secure_net = &net});
    now = 0xffffff00u;
    return 0;
}

static struct acme_url url_of(const char *text)
{
    struct acme_url url;

    assert_int_equal(acme_url_parse(&url, acme_slice_of(text)), 0);
    return url;
}

static int open_to(const char *text)
{
    struct acme_url url = url_of(text);
    return acme_channel_open(&c, &url, now);
}

static void opened(void)
{
    p.open = 1;
    assert_int_equal(open_to("https://ca.example/"), 0);
    assert_int_equal(open_to("https://ca.example/"), 1);
}

TEST(hands_host_and_name_on)
{
    assert_int_equal(open_to("https://ca.example:14000/dir"), 0);
    assert_true(c.moved);
    assert_int_equal(p.opened, 0);
    assert_int_equal(open_to("https://ca.example:14000/dir"), 0);
    assert_false(c.moved);
    assert_string_equal(p.host, "ca.example");
    assert_string_equal(p.name, "ca.example");
    assert_int_equal(p.port, 14000);
    p.open = 2; /* not yet, but at once again */
    assert_int_equal(open_to("https://ca.example:14000/dir"), 0);
    assert_true(c.moved);
    p.open = 1;
    assert_int_equal(open_to("https://ca.example:14000/dir"), 1);
    assert_int_equal(acme_channel_connections(&c), 1);
    acme_channel_close(&c);
    acme_channel_close(&c);
    assert_int_equal(p.closed, 1);
    c.tls_name = "lab.example";
    assert_int_equal(open_to("https://10.0.0.1/"), 0);
    assert_int_equal(open_to("https://10.0.0.1/"), 1);
    assert_string_equal(p.host, "10.0.0.1");
    assert_string_equal(p.name, "lab.example");
}

TEST(refuses_before_it_connects)
{
    struct acme_url url = url_of("https://ca.example/");
    char host[254];

    assert_int_equal(open_to("https://10.0.0.1/"), ACME_E_TLS_NAME);
    assert_int_equal(open_to("http://ca.example/"), ACME_E_URL_SCHEME);
    url.host.len = 0;
    assert_int_equal(acme_channel_open(&c, &url, now), ACME_E_URL);
    memset(host, 'a', sizeof host);
    url.host = acme_slice(host, sizeof host);
    assert_int_equal(acme_channel_open(&c, &url, now), ACME_E_URL);
    assert_int_equal(p.opened, 0);
}

TEST(ends_with_the_reason)
{
    p.open = ACME_E_TLS_UNTRUSTED;
    p.code = -0x2700;
    assert_int_equal(open_to("https://ca.example/"), 0);
    assert_int_equal(open_to("https://ca.example/"), ACME_E_TLS_UNTRUSTED);
    assert_int_equal(c.tls_code, -0x2700);
    assert_string_equal(acme_channel_issuer(&c), "");
    assert_int_equal(p.closed, 1);
    assert_int_equal(c.state, ACME_CHANNEL_CLOSED);
    net.code = NULL;
    assert_int_equal(open_to("https://ca.example/"), 0);
    assert_int_equal(c.tls_code, 0);
    assert_int_equal(open_to("https://ca.example/"), ACME_E_TLS_UNTRUSTED);
    assert_int_equal(c.tls_code, 0);
}

TEST(silence_is_a_time_out)
{
    char data[8];
    bool clean;

    assert_int_equal(open_to("https://ca.example/"), 0);
    now += ACME_NET_TIMEOUT_MS - 1;
    p.open = 2;
    assert_int_equal(open_to("https://ca.example/"), 0);
    p.open = 0;
    now += ACME_NET_TIMEOUT_MS - 1;
    assert_int_equal(open_to("https://ca.example/"), 0);
    now++;
    assert_int_equal(open_to("https://ca.example/"), ACME_E_TIMEOUT);
    opened();
    now += ACME_NET_TIMEOUT_MS - 1;
    assert_int_equal(acme_channel_recv(&c, data, sizeof data, &clean, now), 0);
    now++;
    assert_int_equal(acme_channel_recv(&c, data, sizeof data, &clean, now), ACME_E_TIMEOUT);
    assert_false(clean);
    opened();
    now += ACME_NET_TIMEOUT_MS;
    assert_int_equal(acme_channel_send(&c, "abc", 3, true, now), ACME_E_TIMEOUT);
}

TEST(moves_bytes)
{
    char data[8];
    bool clean = true;

    assert_int_equal(acme_channel_send(&c, "abc", 3, true, now), ACME_E_CLOSED);
    assert_int_equal(acme_channel_flush(&c, now), ACME_E_CLOSED);
    assert_int_equal(acme_channel_recv(&c, data, sizeof data, &clean, now), ACME_E_CLOSED);
    assert_false(clean);
    opened();
    p.send = 2;
    assert_int_equal(acme_channel_send(&c, "abc", 3, true, now), 2);
    assert_true(c.moved);
    assert_memory_equal(p.text, "ab", 2);
    assert_int_equal(acme_channel_flush(&c, now), 1);
    assert_false(c.moved);
    p.recv = 5;
    assert_int_equal(acme_channel_recv(&c, data, sizeof data, &clean, now), 5);
    assert_false(clean);
    assert_int_equal(c.up, 2);
    assert_int_equal(c.down, 5);
    p.recv = ACME_E_CLOSED;
    assert_int_equal(acme_channel_recv(&c, data, sizeof data, &clean, now), ACME_E_CLOSED);
    assert_true(clean);
    assert_int_equal(p.closed, 1);
    opened();
    p.recv = ACME_E_NET; /* cut, and not ended */
    assert_int_equal(acme_channel_recv(&c, data, sizeof data, &clean, now), ACME_E_NET);
    assert_false(clean);
    opened();
    p.send = ACME_E_CLOSED;
    assert_int_equal(acme_channel_send(&c, "abc", 3, true, now), ACME_E_CLOSED);
    assert_int_equal(c.state, ACME_CHANNEL_CLOSED);
}

/* What comes before the request is out ends the request; nothing of it is lost. */
TEST(an_early_answer)
{
    char data[8];
    bool clean;

    opened();
    p.send = 0;
    assert_int_equal(acme_channel_send(&c, "abc", 3, true, now), 0);
    p.recv = 1;
    assert_int_equal(acme_channel_send(&c, "abc", 3, true, now), 3);
    assert_int_equal(acme_channel_recv(&c, data, sizeof data, &clean, now), 1);
    assert_int_equal(data[0], 'a');
    assert_int_equal(c.down, 1);
    assert_int_equal(open_to("https://ca.example/"), 0); /* a new one */
    assert_int_equal(p.closed, 1);
    assert_int_equal(open_to("https://ca.example/"), 1);
    p.recv = ACME_E_NET;
    assert_int_equal(acme_channel_send(&c, "abc", 3, true, now), ACME_E_NET);
}

TEST(a_kept_connection)
{
    opened();
    now += 10 * ACME_NET_TIMEOUT_MS; /* idle between two requests */
    assert_int_equal(open_to("https://ca.example/other"), 1);
    assert_false(c.moved);
    assert_int_equal(p.opened, 1);
    p.recv = 1; /* words nobody asked for */
    assert_int_equal(open_to("https://ca.example/"), 0);
    assert_int_equal(open_to("https://ca.example/"), 1);
    assert_int_equal(p.opened, 2);
    p.recv = ACME_E_CLOSED;
    assert_int_equal(open_to("https://ca.example/"), 0);
    assert_int_equal(open_to("https://ca.example/"), 1);
    p.recv = 0;
    assert_int_equal(open_to("https://ca.example:444/"), 0);
    assert_int_equal(open_to("https://ca.example:444/"), 1);
    assert_int_equal(open_to("https://b.example:444/"), 0);
    assert_int_equal(open_to("https://b.example:444/"), 1);
    assert_int_equal(acme_channel_connections(&c), 5);
    assert_int_equal(open_to("http://b.example:444/"), ACME_E_URL_SCHEME);
    assert_int_equal(p.closed, 5);
    c.ahead = true; /* a byte that was seen and not yet taken */
    c.state = ACME_CHANNEL_OPEN;
    assert_int_equal(open_to("https://b.example:444/"), 0);
}

TEST(the_set_up)
{
    struct acme_setup s = {.secure_net = &net};
    struct acme_secure_net bad = net;

    assert_int_equal(acme_channel_check(&s, false), 0);
    assert_int_equal(acme_channel_check(&s, true), ACME_E_URL_SCHEME);
    s.secure_net = NULL;
    assert_int_equal(acme_channel_check(&s, false), ACME_E_NULL);
    s.secure_net = &bad;
#define WITHOUT(member) (bad = net, bad.member = NULL, acme_channel_check(&s, false))
    assert_int_equal(WITHOUT(open), ACME_E_NULL);
    assert_int_equal(WITHOUT(send), ACME_E_NULL);
    assert_int_equal(WITHOUT(recv), ACME_E_NULL);
    assert_int_equal(WITHOUT(close), ACME_E_NULL);
    assert_int_equal(WITHOUT(code), 0);
}

AROUND(NULL, NULL, begin, NULL);
