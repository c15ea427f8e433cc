/* test_nameserver.c - what an administrator says of a name server: addresses, key files; datagrams over a socket. */
#define _GNU_SOURCE 1
#include "unit.h"

#include "nameserver.h"
#include "posix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The forms that broke other clients, and some more. */
TEST(addresses)
{
    static const struct {
        const char *word, *host;
        uint16_t port;
    } good[] = {
        {"::1", "::1", 0},
        {"[::1]", "::1", 0},
        {"[::1]:53", "::1", 53},
        {"ns.example.org", "ns.example.org", 0},
        {"ns.example.org:5353", "ns.example.org", 5353},
        {"192.0.2.1", "192.0.2.1", 0},
        {"192.0.2.1:53", "192.0.2.1", 53},
        {"ns_1:65535", "ns_1", 65535},
        {"2001:db8::53", "2001:db8::53", 0},
    };
    static const struct {
        const char *word, *wrong;
    } bad[] = {
        {"", "no host"},
        {":53", "no host"},
        {"[]:53", "no host"},
        {"[]", "no host"},
        {"[::1", "a [ without"},
        {"[::1]53", "not [ADDRESS]:PORT"},
        {"[::1]:", "no port"},
        {"ns:", "no port"},
        {"ns:0", "not a port"},
        {"ns:65536", "not a port"},
        {"ns:x", "not a port"},
        {"n s", "not a host"},
        {"ns/x", "not a host"},
        {"[ns]:53", "not an IPv6"},
        {"[192.0.2.1]", "not an IPv6"},
        {"1:2:3", "not a port"},
        {"[::1]]", "not [ADDRESS]"},
    };
    char host[254], longest[300];
    uint16_t port;
    for (size_t i = 0; i < LEN(good); i++) {
        assert_null(acme_nameserver_split(good[i].word, host, &port));
        assert_string_equal(host, good[i].host);
        assert_int_equal(port, good[i].port);
    }
    for (size_t i = 0; i < LEN(bad); i++) {
        const char *wrong = acme_nameserver_split(bad[i].word, host, &port);
        if (wrong == NULL || strstr(wrong, bad[i].wrong) != wrong) {
            print_error("%s: %s\n", bad[i].word, wrong != NULL ? wrong : "taken");
            fail();
        }
    }
    memset(longest, 'a', sizeof longest);
    longest[254] = '\0';
    assert_non_null(acme_nameserver_split(longest, host, &port));
    longest[253] = '\0';
    assert_null(acme_nameserver_split(longest, host, &port));
}

#define SECRET "MDEyMzQ1Njc4OWFiY2RlZg=="

TEST(key_texts)
{
    static const char *const good[] = {
        "key \"TSIG_Device.\" {\n\talgorithm hmac-sha256;\n\tsecret \"" SECRET "\";\n};\n",
        "key TSIG_Device. { secret " SECRET "; algorithm \"HMAC-SHA256.\"; };",
        "// of the device\n# and\n/* more\n of it */ key\"TSIG_Device.\"{algorithm hmac-sha256;secret\"" SECRET
        "\";};",
        "hmac-sha256:TSIG_Device.:" SECRET,
        "HMAC-SHA256.:TSIG_Device.:" SECRET "\n",
        "SHA256:TSIG_Device.:" SECRET "\r\n",
        "  TSIG_Device.:" SECRET " # all of it\n",
    };
    static const struct {
        const char *text, *wrong;
    } bad[] = {
        {"", "neither a key"},
        {"name", "neither a key"},
        {"keyname " SECRET, "neither a key"},
        {"hmac-md5:n:" SECRET, "its algorithm"},
        {"key \"n\" { algorithm hmac-md5; secret \"" SECRET "\"; };", "its algorithm"},
        {"key \"n\" { algorithm hmac-sha512; secret \"" SECRET "\"; };", "its algorithm"},
        {"key \"n\" { algorithm hmac-sha256; secret \"\"; };", "its secret is empty"},
        {"key \"n\" { algorithm hmac-sha256; secret \"a\"; };", "its secret is not in base64, whole"},
        {"n:MDE", "its secret is not in base64, whole"},
        {"n:M===", "its secret is not in base64, whole"},
        {"n:MD=x", "its secret is not in base64, whole"},
        {"n:M-E=", "its secret is not in base64"},
        {"n:", "its secret is empty"},
        {"n::x", "its algorithm"},
        {":" SECRET, "its name"},
        {"a..b:" SECRET, "its name"},
        {"key \"\" { algorithm hmac-sha256; secret \"" SECRET "\"; };", "its name"},
        {"key { algorithm hmac-sha256; };", "not a key"},
        {"key \"n\" algorithm hmac-sha256; };", "not a key"},
        {"key \"n\" { algorithm hmac-sha256 };", "not a key"},
        {"key \"n\" { algorithm hmac-sha256; secret \"" SECRET "\" };", "not a key"},
        {"key \"n\" { algorithm ; };", "not a key"},
        {"key \"n\" { colour red; };", "not a key"},
        {"key \"n\" { secret \"" SECRET "\"; };", "not a key"},
        {"key \"n\" { algorithm hmac-sha256; };", "not a key"},
        {"key \"n\" { algorithm hmac-sha256; secret \"" SECRET "\"; }", "not a key"},
        {"key \"n\" { algorithm hmac-sha256; secret \"" SECRET "\";", "not a key"},
        {"key \"n\" { algorithm hmac-sha256; secret \"" SECRET "\"; }; key \"m\" {", "more than one key"},
        {"/* never ends key", "neither a key"},
        {"key", "neither a key"},
    };
    char text[600];
    struct acme_nameserver_key key;
    for (size_t i = 0; i < LEN(good); i++) {
        memset(&key, 0, sizeof key);
        snprintf(text, sizeof text, "%s", good[i]);
        const char *wrong = acme_nameserver_key_parse(&key, text);
        if (wrong != NULL) {
            print_error("%s: %s\n", good[i], wrong);
            fail();
        }
        assert_string_equal(key.name, "TSIG_Device.");
        assert_int_equal(key.secret_len, 16);
        assert_memory_equal(key.secret, "0123456789abcdef", 16);
    }
    for (size_t i = 0; i < LEN(bad); i++) {
        snprintf(text, sizeof text, "%s", bad[i].text);
        const char *wrong = acme_nameserver_key_parse(&key, text);
        if (wrong == NULL || strstr(wrong, bad[i].wrong) != wrong) {
            print_error("%s: %s\n", bad[i].text, wrong != NULL ? wrong : "taken");
            fail();
        }
    }
    /* Whatever a secret's base64 has in it, in either form, with and without a comment behind it. */
    static const char *const strokes[] = {"//8=", "/w==", "A//B", "AA//", "//////8=", "ab//cd//"};
    static const struct {
        const char *before, *behind;
    } forms[] = {
        {"n:", ""},         {"hmac-sha256:n:", ""},  {"key \"n\" { algorithm hmac-sha256; secret \"", "\"; };"},
        {"n:", " // mine"}, {"n:", "\n# mine, too"}, {"/* mine */ n:", ""}};
    for (size_t i = 0; i < LEN(strokes); i++) {
        uint8_t secret[8];
        char plain[128];
        int len = EVP_DecodeBlock(secret, (const unsigned char *)strokes[i], (int)strlen(strokes[i]));
        for (const char *at = strokes[i]; *at != '\0'; at++) {
            len -= *at == '=';
        }
        for (size_t f = 0; f < LEN(forms); f++) {
            snprintf(plain, sizeof plain, "%s%s%s", forms[f].before, strokes[i], forms[f].behind);
            assert_null(acme_nameserver_key_parse(&key, plain));
            assert_int_equal(key.secret_len, len);
            assert_memory_equal(key.secret, secret, (size_t)len);
        }
    }
    snprintf(text, sizeof text, "n:");
    memset(text + 2, 'A', 176);
    text[178] = '\0';
    assert_non_null(strstr(acme_nameserver_key_parse(&key, text), "longer"));
    memset(text, 'a', 300);
    snprintf(text + 300, sizeof text - 300, ":" SECRET);
    assert_non_null(strstr(acme_nameserver_key_parse(&key, text), "its name"));
}

TEST(key_files)
{
    struct acme_nameserver_key key;
    char path[] = "/tmp/nanoacme-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "n:" SECRET, 26), 26);
    assert_int_equal(acme_nameserver_key_read(&key, path), 0);
    assert_int_equal(fchmod(fd, 0640), 0);
    assert_int_equal(acme_nameserver_key_read(&key, path), 0);
    assert_int_equal(fchmod(fd, 0604), 0);
    assert_int_equal(acme_nameserver_key_read(&key, path), 78);
    assert_int_equal(fchmod(fd, 0600), 0);
    assert_int_equal(ftruncate(fd, 30), 0); /* with zeros */
    assert_int_equal(acme_nameserver_key_read(&key, path), 78);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(acme_nameserver_key_read(&key, path), 78);
    assert_int_equal(ftruncate(fd, 10000), 0);
    assert_int_equal(acme_nameserver_key_read(&key, path), 78);
    close(fd);
    unlink(path);
    assert_int_equal(acme_nameserver_key_read(&key, path), 78);
    assert_int_equal(acme_nameserver_key_read(&key, "/"), 78);
}

/* --- datagrams --- */

static int until(struct acme_posix_udp *u, const char *host, uint16_t port)
{
    int done;
    while ((done = u->udp.open(u->udp.ctx, host, port)) == 0) {
        struct pollfd wait = {.fd = u->lookup.wake[0], .events = POLLIN};
        (void)poll(&wait, 1, 1000);
    }
    return done;
}

static int next(struct acme_posix_udp *u, void *data, size_t cap)
{
    struct pollfd wait = {.fd = u->fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 5000), 1);
    return u->udp.recv(u->udp.ctx, data, cap);
}

TEST(datagrams)
{
    static struct acme_posix_udp u;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}, from, strange;
    socklen_t len = sizeof at;
    char data[16];
    int server = socket(AF_INET, SOCK_DGRAM, 0), stranger = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&at, &len), 0);
    uint16_t port = ntohs(at.sin_port);

    acme_posix_udp_init(&u);
    assert_int_equal(u.udp.send(&u, "x", 1), ACME_E_NET); /* nothing is open */
    assert_int_equal(u.udp.recv(&u, data, sizeof data), ACME_E_NET);
    u.udp.close(&u);
    assert_int_equal(until(&u, "127.0.0.1", port), 1);
    assert_int_equal(until(&u, "127.0.0.1", port), 1);
    assert_int_equal(u.udp.recv(&u, data, sizeof data), 0);
    assert_int_equal(u.udp.send(&u, "hello", 5), 5);
    len = sizeof from;
    assert_int_equal(recvfrom(server, data, sizeof data, 0, (struct sockaddr *)&from, &len), 5);
    /* from elsewhere, to the same port */
    strange = from;
    assert_int_equal(sendto(stranger, "forged", 6, 0, (struct sockaddr *)&strange, sizeof strange), 6);
    assert_int_equal(sendto(server, "0123456789abcdefg", 17, 0, (struct sockaddr *)&from, sizeof from), 17);
    assert_int_equal(sendto(server, "there", 5, 0, (struct sockaddr *)&from, sizeof from), 5);
    assert_int_equal(next(&u, data, sizeof data), 0); /* too long: dropped */
    assert_int_equal(next(&u, data, sizeof data), 5);
    assert_memory_equal(data, "there", 5);
    assert_int_equal(u.udp.recv(&u, data, sizeof data), 0);
    /* nobody is there any more */
    close(server);
    assert_int_equal(u.udp.send(&u, "hello", 5), 5);
    assert_int_equal(next(&u, data, sizeof data), ACME_E_REFUSED);
    assert_int_equal(u.error, ECONNREFUSED);
    u.udp.close(&u);
    assert_int_equal(u.fd, -1);
    assert_int_equal(until(&u, "localhost", port), 1); /* by a lookup */
    u.udp.close(&u);
    assert_int_equal(until(&u, "no such name", port), ACME_E_HOST);
    assert_int_equal(until(&u, "255.255.255.255", port), ACME_E_NET); /* no right to that */
    close(stranger);
}
