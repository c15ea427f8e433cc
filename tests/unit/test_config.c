/* test_config.c - the config file and the flags. */
#include "unit.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The program's files are in no library. */
#include "config.c"

static struct acme_config c;
static char file[64];

static int set_up(void **unused)
{
    acme_config_init(&c);
    strcpy(file, "/tmp/nanoacme-config-XXXXXX");
    return close(mkstemp(file));
}

static int tear_down(void **unused)
{
    return unlink(file);
}

static int read_bytes(const char *text, size_t len)
{
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    return acme_config_read(&c, file);
}

static int read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

/* Reading `text` fails with "FILE:<message>". */
static void refused(const char *text, const char *message)
{
    char want[256];
    acme_config_init(&c);
    assert_int_equal(read_text(text), ACME_EXIT_CONFIG);
    snprintf(want, sizeof want, "%s:%s", file, message);
    assert_string_equal(c.error, want);
}

TEST(test_defaults)
{
    assert_string_equal(c.directory_url, "https://acme-v02.api.letsencrypt.org/directory");
    assert_string_equal(c.state, "/var/lib/nanoacme");
    assert_int_equal(c.http_port, 80);
    assert_null(c.webroot);
    assert_false(c.accept_terms);
    assert_int_equal(acme_config_check(&c), 0);
}

TEST(test_every_key)
{
    assert_int_equal(read_text("# a gateway\n"
                               "\n"
                               "directory_url = https://ca.example/dir\r\n"
                               "  ca_file=/etc/roots.pem\n"
                               "state\t=\t/var/lib/x y\n"
                               "http_port = 8080\n"
                               "contact = mailto:a@example\n"
                               "contact = mailto:b@example\n"
                               "accept_terms = yes\n"
                               "user = acme\n"
                               "names = a.example  b.example\n"
                               "names = c.example\n"
                               "tls_name = ca.example\n"
                               "more_host = objects.example:8443\n"
                               "allow_plain_http = 192.0.2.1\n"
                               "product = gateway/3.1"),
                     0);
    assert_string_equal(c.directory_url, "https://ca.example/dir");
    assert_string_equal(c.ca_file, "/etc/roots.pem");
    assert_string_equal(c.state, "/var/lib/x y");
    assert_int_equal(c.http_port, 8080);
    assert_int_equal(c.contacts.count, 2);
    assert_string_equal(c.contacts.at[1], "mailto:b@example");
    assert_true(c.accept_terms);
    assert_string_equal(c.user, "acme");
    assert_int_equal(c.names.count, 3);
    assert_string_equal(c.names.at[0], "a.example");
    assert_string_equal(c.names.at[1], "b.example");
    assert_string_equal(c.names.at[2], "c.example");
    assert_string_equal(c.tls_name, "ca.example");
    assert_string_equal(c.more_hosts.at[0], "objects.example:8443");
    assert_string_equal(c.plain_host, "192.0.2.1");
    assert_string_equal(c.product, "gateway/3.1");
    assert_int_equal(acme_config_check(&c), 0);
}

TEST(test_refused)
{
    refused("# one\n\ncolour = blue\n", "3: unknown key \"colour\"");
    refused("directory = https://ca.test/\n", "1: unknown key \"directory\"; here it is called directory_url");
    refused("--directory = https://ca.test/\n", "1: unknown key \"--directory\"; here it is called directory_url");
    refused("ca-file = x\n", "1: unknown key \"ca-file\"; here it is called ca_file");
    refused("yes = yes\n", "1: \"yes\" is for the command line only: --yes");
    refused("names a.example\n", "1: no = between \"names\" and its value");
    refused("accept_terms\tyes\n", "1: no = between \"accept_terms\" and its value");
    refused("colour blue\n", "1: unknown key \"colour blue\"");
    refused("webroot = \"/x\"\n", "1: webroot: values stand without quotes");
    refused("names = \"a.example b.example\"\n", "1: names: values stand without quotes");
    refused("webroot = \"\n", "1: webroot: values stand without quotes");
    refused("= x\n", "1: unknown key \"\"");
    refused("state = /a\nstate = /b\n", "2: key \"state\" is given twice");
    refused("state\n", "1: key \"state\" has no value");
    refused("state =  \n", "1: key \"state\" has no value");
    refused("http_port = 80x\n", "1: http_port: not a port number");
    refused("http_port = 0\n", "1: http_port: not a port number");
    refused("http_port = 65536\n", "1: http_port: not a port number");
    refused("http_port = 4294967376\n", "1: http_port: not a port number");
    refused("accept_terms = perhaps\n", "1: accept_terms: neither yes nor no");
    refused("names = a b c d e f g h i j k l m n o p q\n", "1: names: too many values");
}

/* What was probably meant is said. */
TEST(test_refused_with_a_hint)
{
    refused("directory = x\n", "1: unknown key \"directory\"; here it is called directory_url");
    refused("ca-file = x\n", "1: unknown key \"ca-file\"; here it is called ca_file");
    refused("accept-terms = yes\n", "1: unknown key \"accept-terms\"; here it is called accept_terms");
    refused("names a.example\n", "1: no = between \"names\" and its value");
    refused("force = yes\n", "1: \"force\" is for the command line only: --force");
    refused("json = yes\n", "1: \"json\" is for the command line only: --json");
    refused("verbose = yes\n", "1: \"verbose\" is for the command line only: -v");
    refused("v = yes\n", "1: \"v\" is for the command line only: -v");
    refused("yes = yes\n", "1: \"yes\" is for the command line only: --yes");
    refused("reason = 1\n", "1: \"reason\" is for the command line only: --reason");
    refused("webroot = \"/srv\"\n", "1: webroot: values stand without quotes");
    refused("webroot = '/srv'\n", "1: webroot: values stand without quotes");
    refused("names = \"a.example b.example\"\n", "1: names: values stand without quotes");
    refused("webroot = /srv # mine\n", "1: webroot: a comment needs a line of its own");
    refused("webroot = /srv\t# mine\n", "1: webroot: a comment needs a line of its own");
    refused("webroot = /srv \t#mine\n", "1: webroot: a comment needs a line of its own");
    refused("state = /a\rstate = /b\r", "2: key \"state\" is given twice");
    acme_config_init(&c);
    assert_int_equal(read_text("webroot = /srv/a#b \n"), 0);
    assert_string_equal(c.webroot, "/srv/a#b");
}

TEST(test_line_ends_and_mark)
{
    assert_int_equal(read_text("\xef\xbb\xbfstate = /a\r\n# x\rwebroot = /b\r\rproduct = c"), 0);
    assert_string_equal(c.state, "/a");
    assert_string_equal(c.webroot, "/b");
    assert_string_equal(c.product, "c");
    acme_config_init(&c);
    assert_int_equal(read_text("\xef\xbb"), ACME_EXIT_CONFIG);
}

/* Each flag is shown once, with a text of its own; a key without a flag is not. */
TEST(test_help)
{
    for (unsigned i = 0; i < ACME_KEY_COUNT; i++) {
        const char *in = acme_config_help(i, true), *out = acme_config_help(i, false);
        assert_true((in != NULL) + (out != NULL) == (rows[i].flag != NULL));
        assert_true(rows[i].key != NULL || rows[i].flag != NULL);
    }
    assert_non_null(strstr(acme_config_help(ACME_KEY_FORCE, false), "none is due"));
}

TEST(test_not_a_text)
{
    static char big[20000];
    memset(big, '#', sizeof big);
    assert_int_equal(read_bytes(big, sizeof big), ACME_EXIT_CONFIG);
    assert_non_null(strstr(c.error, file));
    acme_config_init(&c);
    assert_int_equal(read_bytes("state = /a\0b\n", 13), ACME_EXIT_CONFIG);
    acme_config_init(&c);
    assert_int_equal(acme_config_read(&c, "/nonexistent/file"), ACME_EXIT_CONFIG);
    assert_string_equal(c.error, "cannot read /nonexistent/file: No such file or directory");
    acme_config_init(&c);
    assert_int_equal(read_text(""), 0);
}

TEST(test_full_pool)
{
    static char text[sizeof c.pool - 1];
    /* The longest file there may be, without a line end. */
    memset(text, 'x', sizeof text);
    memcpy(text, "product = ", 10);
    assert_int_equal(read_bytes(text, sizeof text), 0);
    assert_int_equal(strlen(c.product), sizeof text - 10);
}

TEST(test_flags)
{
    assert_int_equal(acme_config_flag("--directory", 11), ACME_KEY_DIRECTORY_URL);
    assert_int_equal(acme_config_flag("--directory=x", 11), ACME_KEY_DIRECTORY_URL);
    assert_int_equal(acme_config_flag("--direct", 8), ACME_KEY_COUNT);
    assert_int_equal(acme_config_flag("-v", 2), ACME_KEY_VERBOSE);
    assert_int_equal(acme_config_take(&c, ACME_KEY_STATE, "/a"), 0);
    assert_int_equal(acme_config_take(&c, ACME_KEY_STATE, "/b"), ACME_EXIT_USAGE);
    assert_string_equal(c.error, "--state is given twice");
    assert_int_equal(acme_config_take(&c, ACME_KEY_WEBROOT, NULL), ACME_EXIT_USAGE);
    assert_int_equal(acme_config_take(&c, ACME_KEY_WEBROOT, ""), ACME_EXIT_USAGE);
    assert_string_equal(c.error, "--webroot needs a value");
    assert_int_equal(acme_config_take(&c, ACME_KEY_HTTP_PORT, "-1"), ACME_EXIT_USAGE);
    assert_string_equal(c.error, "--http-port -1: not a port number");
    assert_int_equal(acme_config_take(&c, ACME_KEY_REASON, "5"), 0);
    assert_int_equal(c.reason, 5);
    acme_config_init(&c);
    static const char *const no_reasons[] = {"0", "7", "11", "x"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(acme_config_take(&c, ACME_KEY_REASON, no_reasons[i]), ACME_EXIT_USAGE);
        assert_int_equal(strstr(c.error, "RFC 5280 has no reason 7") != NULL, no_reasons[i][0] == '7');
        acme_config_init(&c);
    }
    assert_false(c.yes);
    assert_int_equal(acme_config_take(&c, ACME_KEY_YES, NULL), 0);
    assert_true(c.yes);
    assert_int_equal(acme_config_take(&c, ACME_KEY_VERBOSE, NULL), 0);
    assert_int_equal(acme_config_take(&c, ACME_KEY_VERBOSE, NULL), 0);
    assert_true(c.verbose);
}

TEST(test_flags_win)
{
    assert_int_equal(acme_config_take(&c, ACME_KEY_STATE, "/flag"), 0);
    assert_int_equal(acme_config_take(&c, ACME_KEY_NAMES, "flag.example"), 0);
    assert_int_equal(read_text("state = /file\nnames = a.example b.example\nwebroot = /www\n"), 0);
    assert_string_equal(c.state, "/flag");
    assert_int_equal(c.names.count, 1);
    assert_string_equal(c.names.at[0], "flag.example");
    assert_int_equal(acme_config_blame(&c, ACME_KEY_STATE), ACME_EXIT_USAGE);
    assert_int_equal(acme_config_blame(&c, ACME_KEY_NAMES), ACME_EXIT_USAGE);
    assert_int_equal(acme_config_blame(&c, ACME_KEY_WEBROOT), ACME_EXIT_CONFIG);
}

TEST(test_port_or_webroot)
{
    assert_int_equal(read_text("http_port = 80\nwebroot = /www\n"), 0);
    assert_int_equal(acme_config_check(&c), ACME_EXIT_CONFIG);
    acme_config_init(&c);
    assert_int_equal(acme_config_take(&c, ACME_KEY_HTTP_PORT, "80"), 0);
    assert_int_equal(acme_config_take(&c, ACME_KEY_WEBROOT, "/www"), 0);
    assert_int_equal(acme_config_check(&c), ACME_EXIT_USAGE);
    acme_config_init(&c);
    assert_int_equal(acme_config_take(&c, ACME_KEY_HTTP_PORT, "80"), 0);
    assert_int_equal(read_text("webroot = /www\n"), 0);
    assert_int_equal(acme_config_check(&c), 0);
    assert_null(c.webroot);
    acme_config_init(&c);
    assert_int_equal(acme_config_take(&c, ACME_KEY_HTTP_PORT, "80"), 0);
    assert_int_equal(acme_config_take(&c, ACME_KEY_TLS_PORT, "443"), 0);
    assert_int_equal(acme_config_check(&c), ACME_EXIT_USAGE);
    acme_config_init(&c);
    assert_int_equal(read_text("tls_port = 443\nwebroot = /www\n"), 0);
    assert_int_equal(acme_config_check(&c), ACME_EXIT_CONFIG);
    acme_config_init(&c);
    assert_int_equal(acme_config_take(&c, ACME_KEY_TLS_PORT, "443"), 0);
    assert_int_equal(read_text("webroot = /www\n"), 0);
    assert_int_equal(acme_config_check(&c), 0);
    assert_null(c.webroot);
    assert_int_equal(c.tls_port, 443);
    acme_config_init(&c);
    assert_int_equal(acme_config_take(&c, ACME_KEY_WEBROOT, "/www"), 0);
    assert_int_equal(read_text("tls_port = 443\n"), 0);
    assert_int_equal(acme_config_check(&c), 0);
    assert_string_equal(c.webroot, "/www");
    assert_int_equal(c.tls_port, 0);
}

TEST(test_long_name)
{
    char name[256];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(acme_config_take(&c, ACME_KEY_NAMES, name), 0);
    assert_int_equal(acme_config_check(&c), ACME_EXIT_USAGE);
}

/* What excludes each other, by flag. */
TEST(test_exclude)
{
    static const struct {
        enum acme_config_key a, b;
        const char *value;
    } pairs[] = {{ACME_KEY_QUIET, ACME_KEY_VERBOSE, NULL},
                 {ACME_KEY_STAGING, ACME_KEY_DIRECTORY_URL, "https://ca.example/"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        acme_config_init(&c);
        assert_int_equal(acme_config_take(&c, pairs[i].a, NULL), 0);
        assert_int_equal(acme_config_check(&c), 0);
        acme_config_init(&c);
        assert_int_equal(acme_config_take(&c, pairs[i].a, NULL), 0);
        assert_int_equal(acme_config_take(&c, pairs[i].b, pairs[i].value), 0);
        assert_int_equal(acme_config_check(&c), ACME_EXIT_USAGE);
        assert_non_null(strstr(c.error, "exclude each other"));
    }
}

/* A trial goes to the staging directory of the CA that has one. */
TEST(test_trial)
{
    acme_config_init(&c);
    acme_config_for_trial(&c);
    assert_string_equal(c.directory_url, "https://acme-staging-v02.api.letsencrypt.org/directory");
    c.directory_url = "https://ca.example/";
    acme_config_for_trial(&c);
    assert_string_equal(c.directory_url, "https://ca.example/");
    acme_config_init(&c);
    assert_int_equal(acme_config_take(&c, ACME_KEY_STAGING, NULL), 0);
    assert_int_equal(read_text("directory_url = https://ca.example/\n"), 0);
    assert_int_equal(acme_config_check(&c), 0);
    assert_int_equal(acme_config_check(&c), 0); /* again, as after a kept file */
    assert_string_equal(c.directory_url, "https://acme-staging-v02.api.letsencrypt.org/directory");
}

AROUND(NULL, NULL, set_up, tear_down);
