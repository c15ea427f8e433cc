/* test_tls_only.c - what firmware is made of: without ACME_CFG_PLAIN_HTTP there is no http, whatever anybody says. The
 * program and all other tests are built with it. */
#include "unit.h"

#undef ACME_CFG_PLAIN_HTTP
#define ACME_CFG_PLAIN_HTTP 0

/* The other ones are in the library. */
#define acme_url_parse       tls_only_url_parse
#define acme_url_same_origin tls_only_url_same_origin
#define acme_url_at          tls_only_url_at
#define acme_dns_name_ok     tls_only_dns_name_ok
#define acme_url_absolute    tls_only_url_absolute
#define acme_setup_check     tls_only_setup_check
#define acme_channel_check   tls_only_channel_check
#define acme_channel_init    tls_only_channel_init
#define acme_channel_issuer  tls_only_channel_issuer
#include "acme_setup.c"
#include "secure/channel_setup.c"
#include "wire/url.c"

TEST(urls)
{
    static const char *const plain[] = {"http://acme.example/dir", "http://127.0.0.1:4000/", "HTTP:", "http"};
    struct acme_url url = {.plain = true}; /* nothing sets it, and nothing believes it */

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        assert_int_equal(acme_url_parse(&url, acme_slice_of(plain[i])), ACME_E_URL_SCHEME);
    }
    assert_int_equal(acme_url_parse(&url, acme_slice_of("https://acme.example/dir")), 0);
    assert_int_equal(url.port, 443);
    assert_false(acme_url_is_plain(&url));
    assert_true(acme_url_at(&url, "acme.example:443"));
}

TEST(setup)
{
    static const struct acme_net net;
    static const struct acme_sys sys;
    static const struct acme_store store;
    static const struct acme_trust trust = {.count = 1}, nobody;
    static const struct acme_key_ops ops;
    static const struct acme_solver solver;
    static const struct acme_solver *const solvers[] = {&solver};
    static const char *const names[] = {"a.example"};
    static struct acme_tls tls;
    static char work[ACME_WORK_MIN], buffer[ACME_TLS_BUFFER_SMALL];
    struct acme_setup s = {.net = &net, .sys = &sys, .store = &store, .account_key = {&ops, work}};

    s.certificate_key = (struct acme_key){&ops, buffer};
    s.names = names;
    s.name_count = s.solver_count = 1;
    s.solvers = solvers;
    s.work = work;
    s.work_len = sizeof work;
    s.tls = &tls;
    s.tls_buffer = buffer;
    s.tls_buffer_len = sizeof buffer;
    s.ca.trust = &trust;
    s.ca.directory_url = "https://acme.example/dir";
    assert_int_equal(acme_setup_check(&s), 0);
    s.ca.directory_url = "http://localhost/dir";
    assert_int_equal(acme_setup_check(&s), ACME_E_URL_SCHEME);
    s.ca.trust = &nobody;
    assert_int_equal(acme_setup_check(&s), ACME_E_ANCHORS);
}
