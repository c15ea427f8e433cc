#include "doc.h"

#include "protocol/resource.h"

#include <stdio.h>

#define U "https://ca.test"

static struct acme_hosts hosts;
static const char *const more[] = {"cdn.test", "alt.test:8443"};

static int set_up(void **state)
{
    hosts.more = more;
    hosts.more_count = 2;
    return acme_url_parse(&hosts.directory, acme_slice_of("https://CA.test/dir"));
}

static int keep(char *kept, const char *url)
{
    memset(kept, 'x', ACME_URL_MAX + 1);
    return acme_url_keep(kept, acme_slice_of(url), &hosts);
}

TEST(urls)
{
    static const struct {
        const char *url;
        int error;
    } rows[] = {{U "/a?b=c", 0},
                {"HTTPS://ca.TEST:443/a", 0},
                {"https://cdn.test/x", 0},
                {"https://alt.test:8443/x", 0},
                {"", ACME_E_MEMBER},
                {"https://alt.test/x", ACME_E_URL_HOST},
                {"https://cdn.test:8443/x", ACME_E_URL_HOST},
                {"https://ca.test:444/", ACME_E_URL_HOST},
                {"https://ca.test.evil.test/", ACME_E_URL_HOST},
                {"https://evil.test/?https://ca.test/", ACME_E_URL_HOST},
                {"http://ca.test/", ACME_E_URL_SCHEME},
                {"/relative", ACME_E_URL_SCHEME},
                {"https://ca.test@evil.test/", ACME_E_URL},
                {"https://ca.test/#f", ACME_E_URL},
                {"https://ca.test/a b", ACME_E_URL},
                {"https://ca.test/\r\nX: y", ACME_E_URL}};
    char kept[ACME_URL_MAX + 1];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(keep(kept, rows[i].url), rows[i].error);
        assert_string_equal(kept, rows[i].error == 0 ? rows[i].url : "");
    }
    char url[ACME_URL_MAX + 2] = U "/";
    memset(url + strlen(url), 'p', sizeof url - strlen(url));
    assert_int_equal(acme_url_keep(kept, acme_slice(url, ACME_URL_MAX), &hosts), 0);
    assert_int_equal(strlen(kept), ACME_URL_MAX);
    assert_int_equal(acme_url_keep(kept, acme_slice(url, ACME_URL_MAX + 1), &hosts), ACME_E_URL_LONG);
    assert_int_equal(acme_url_keep(kept, acme_slice("https://ca.test/\0x", 18), &hosts), ACME_E_URL);
}

/* In clear only on the host of a directory in clear, on whatever port is listed. */
TEST(urls_in_clear)
{
    static const char *const listed[] = {"ca.test:8080", "cdn.test", "ca.test:443"};
    static const struct {
        const char *url;
        int error;
    } rows[] = {{"http://ca.test/a", 0},
                {"HTTP://CA.TEST:80/a", 0},
                {"http://ca.test:8080/a", 0},
                {"https://ca.test/a", 0}, /* better than asked for, where it is listed */
                {"https://cdn.test/a", 0},
                {"http://ca.test:81/a", ACME_E_URL_HOST},
                {"https://ca.test:80/a", ACME_E_URL_HOST},
                {"http://cdn.test/a", ACME_E_URL_SCHEME},
                {"http://b.test/a", ACME_E_URL_SCHEME},
                {"https://b.test/a", ACME_E_URL_HOST}};
    struct acme_hosts plain = {.more = listed, .more_count = 3};
    char kept[ACME_URL_MAX + 1];

    assert_int_equal(acme_url_parse(&plain.directory, acme_slice_of("http://CA.test/dir")), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(acme_url_keep(kept, acme_slice_of(rows[i].url), &plain), rows[i].error);
        assert_string_equal(kept, rows[i].error == 0 ? rows[i].url : "");
    }
    assert_int_equal(acme_url_parse(&plain.directory, acme_slice_of("https://ca.test/dir")), 0);
    for (size_t i = 0; i < 3; i++) { /* never down from TLS, whatever is listed */
        assert_int_equal(acme_url_keep(kept, acme_slice_of(rows[i].url), &plain), ACME_E_URL_SCHEME);
    }
}

TEST(status_words)
{
    static const char *const words[] = {"pending", "processing",  "ready",   "valid",
                                        "invalid", "deactivated", "expired", "revoked"};
    for (int i = 0; i < 8; i++) {
        assert_int_equal(acme_status_of(acme_slice_of(words[i])), ACME_STATUS_PENDING + i);
    }
    assert_int_equal(acme_status_of(acme_slice_of("Valid")), ACME_STATUS_UNKNOWN);
    assert_int_equal(acme_status_of(acme_slice_of("valid ")), ACME_STATUS_UNKNOWN);
    assert_int_equal(acme_status_of(acme_slice_of("vali")), ACME_STATUS_UNKNOWN);
    assert_int_equal(acme_status_of(acme_slice("valid\0", 6)), ACME_STATUS_UNKNOWN);
    assert_int_equal(acme_status_of(acme_slice_of("")), ACME_STATUS_UNKNOWN);
    assert_int_equal(acme_status_of(acme_slice(NULL, 0)), ACME_STATUS_NONE);
}

#define DIRECTORY(rest) "{\"newNonce\":\"" U "/n\",\"newAccount\":\"" U "/a\",\"newOrder\":\"" U "/o\"" rest "}"

TEST(directory)
{
    struct acme_directory d;
    struct acme_meta m;
    assert_int_equal(acme_directory_read(&d, &m, doc(DIRECTORY(",\"x\":[{\"newOrder\":1}],\"keyChange\":7")), &hosts),
                     0);
    assert_string_equal(d.new_nonce, U "/n");
    assert_string_equal(d.new_account, U "/a");
    assert_string_equal(d.new_order, U "/o");
    assert_int_equal(m.terms.len, 0);
    assert_false(m.account_binding);
    assert_int_equal(
        acme_directory_read(
            &d, &m, doc(DIRECTORY(",\"meta\":{\"termsOfService\":\"t\",\"externalAccountRequired\":true}")), &hosts),
        0);
    assert_int_equal(m.terms.len, 1);
    assert_true(m.account_binding);
    static const char *const metas[] = {
        DIRECTORY(",\"meta\":null"), DIRECTORY(",\"meta\":[]"), DIRECTORY(",\"meta\":\"x\""),
        DIRECTORY(",\"meta\":{\"termsOfService\":null,\"externalAccountRequired\":\"true\"}")};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(acme_directory_read(&d, &m, doc(metas[i]), &hosts), 0);
        assert_int_equal(m.terms.len, 0);
        assert_false(m.account_binding);
    }
    assert_int_equal(acme_directory_read(&d, &m, doc("{}"), &hosts), ACME_E_MEMBER);
    assert_int_equal(acme_directory_read(&d, &m, doc("[]"), &hosts), ACME_E_MEMBER);
    assert_int_equal(
        acme_directory_read(&d, &m, doc("{\"newNonce\":\"" U "/n\",\"newAccount\":\"" U "/a\"}"), &hosts),
        ACME_E_MEMBER);
    assert_int_equal(acme_directory_read(&d, &m, doc("{\"newNonce\":\"https://evil.test/\"}"), &hosts),
                     ACME_E_URL_HOST);
}

TEST(order)
{
    struct acme_order o = {0};
    if (ACME_NAMES_MAX < 2) {
        skip();
    }
    const char *first =
        "{\"status\":\"pending\",\"authorizations\":[\"" U "/1\",\"" U "/2\"],\"finalize\":\"" U "/f\"}";
    assert_int_equal(acme_order_read(&o, doc(first), &hosts), 0);
    assert_int_equal(o.authz_count, 2);
    assert_string_equal(acme_order_authz(&o, 1), U "/2");
    assert_string_equal(o.finalize, U "/f");
    assert_string_equal(o.certificate, "");
    /* later answers may leave out what is known, shuffle it, or have null there */
    assert_int_equal(
        acme_order_read(&o, doc("{\"status\":\"ready\",\"authorizations\":[\"" U "/2\",\"" U "/1\"]}"), &hosts), 0);
    assert_string_equal(acme_order_authz(&o, 0), U "/1");
    assert_int_equal(
        acme_order_read(&o, doc("{\"status\":\"valid\",\"authorizations\":null,\"certificate\":\"" U "/c\"}"),
                        &hosts),
        0);
    assert_int_equal(o.status, ACME_STATUS_VALID);
    assert_int_equal(o.authz_count, 2);
    assert_string_equal(o.finalize, U "/f");
    assert_string_equal(o.certificate, U "/c");
    assert_int_equal(
        acme_order_read(&o, doc("{\"status\":\"valid\",\"certificate\":\"https://evil.test/c\"}"), &hosts),
        ACME_E_URL_HOST);
    assert_int_equal(acme_order_read(&o, doc("{}"), &hosts), ACME_E_MEMBER);
    assert_int_equal(acme_order_read(&o, doc("{\"status\":7}"), &hosts), ACME_E_MEMBER);
}

TEST(orders_that_lack_what_they_need)
{
    static const char *const texts[] = {"{\"status\":\"pending\",\"finalize\":\"" U "/f\"}",
                                        "{\"status\":\"pending\",\"finalize\":\"" U "/f\",\"authorizations\":[]}",
                                        "{\"status\":\"pending\",\"finalize\":\"" U "/f\",\"authorizations\":{}}",
                                        "{\"status\":\"pending\",\"finalize\":\"" U "/f\",\"authorizations\":[7]}",
                                        "{\"status\":\"pending\",\"authorizations\":[\"" U "/1\"]}"};
    for (unsigned i = 0; i < 5; i++) {
        struct acme_order o = {0};
        assert_int_equal(acme_order_read(&o, doc(texts[i]), &hosts), ACME_E_MEMBER);
    }
    char text[4000] = "{\"status\":\"pending\",\"finalize\":\"" U "/f\",\"authorizations\":[";
    for (unsigned i = 0; i <= ACME_NAMES_MAX; i++) {
        sprintf(text + strlen(text), "%s\"" U "/%u\"", i > 0 ? "," : "", i);
    }
    strcat(text, "]}");
    struct acme_order o = {0};
    assert_int_equal(acme_order_read(&o, doc(text), &hosts), ACME_E_NAMES);
}

/* An order looked at again after a reset needs only what its state leaves to be done. */
TEST(orders_that_need_less)
{
    static const char *const texts[] = {
        "{\"status\":\"processing\"}", "{\"status\":\"valid\",\"certificate\":\"" U "/c\",\"authorizations\":null}",
        "{\"status\":\"ready\",\"finalize\":\"" U "/f\"}", "{\"status\":\"invalid\"}"};
    for (unsigned i = 0; i < 4; i++) {
        struct acme_order o = {0};
        assert_int_equal(acme_order_read(&o, doc(texts[i]), &hosts), 0);
    }
}

TEST(authorization)
{
    struct acme_authz a;
    const char *text =
        "{\"status\":\"pending\",\"identifier\":{\"value\":\"a.test\",\"type\":\"dns\"},\"challenges\":[7,null,[],{},"
        "{\"type\":\"dns-persist-01\",\"url\":\"" U
        "/9\"},{\"type\":\"http-01\",\"status\":\"processing\",\"token\":\"t\","
        "\"url\":\"" U "/1\",\"error\":{\"type\":\"x\"}},{\"type\":\"http-01\",\"url\":\"" U "/2\"}]}";
    assert_int_equal(acme_authz_read(&a, doc(text), "http-01"), 0);
    assert_int_equal(a.status, ACME_STATUS_PENDING);
    assert_true(acme_slice_is(a.name, "a.test"));
    assert_true(acme_slice_is(a.url, U "/1"));
    assert_true(acme_slice_is(a.token, "t"));
    assert_int_equal(a.challenge, ACME_STATUS_PROCESSING);
    assert_int_not_equal(a.error, ACME_JSON_NONE);
    assert_int_equal(acme_authz_read(&a, doc(text), "dns-01"), 0);
    assert_null(a.url.at);
    assert_int_equal(a.error, ACME_JSON_NONE);
    assert_int_equal(acme_authz_read(&a, doc(text), "dns-persist-01"), 0);
    assert_null(a.token.at);
    assert_int_equal(acme_authz_read(&a, doc(text), "http-0"), 0);
    assert_null(a.url.at);
    /* The reason of an invalid authorization: ours, else that of whatever other challenge has one. */
#define NAMED       "\"identifier\":{\"value\":\"a\"},\"challenges\":["
#define OURS(more)  "{\"type\":\"http-01\",\"url\":\"" U "/1\"" more "}"
#define OTHER(more) "{\"type\":\"dns-01\",\"url\":\"" U "/2\"" more "}"
#define ERROR(word) ",\"error\":{\"type\":\"" word "\"}"
    static const struct {
        const char *text, *type;
    } reasons[] = {
        {"{\"status\":\"invalid\"," NAMED OTHER(ERROR("other")) "," OURS("") "]}", "other"},
        {"{\"status\":\"invalid\"," NAMED OURS("") "," OTHER(ERROR("other")) "]}", "other"},
        {"{\"status\":\"invalid\"," NAMED OTHER(",\"error\":null") "," OTHER(ERROR("other")) "]}", "other"},
        {"{\"status\":\"invalid\"," NAMED OTHER(ERROR("other")) "," OURS(ERROR("ours")) "]}", "ours"},
        {"{\"status\":\"invalid\"," NAMED OURS(ERROR("ours")) "," OTHER(ERROR("other")) "]}", "ours"},
        {"{\"status\":\"invalid\"," NAMED OURS("") "," OTHER("") "]}", NULL},
        /* one that is still open is not over because another challenge has an error in it */
        {"{\"status\":\"pending\"," NAMED OTHER(ERROR("other")) "," OURS("") "]}", NULL},
    };
    for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        struct acme_json *json = doc(reasons[i].text);
        assert_int_equal(acme_authz_read(&a, json, "http-01"), 0);
        struct acme_slice type = acme_json_text(json, a.error, "type");
        assert_true(reasons[i].type == NULL ? type.at == NULL : acme_slice_is(type, reasons[i].type));
    }
    static const char *const bad[] = {"{}",
                                      "[]",
                                      "{\"status\":\"valid\"}",
                                      "{\"identifier\":{\"value\":\"a\"}}",
                                      "{\"status\":\"valid\",\"identifier\":\"a\"}",
                                      "{\"status\":\"valid\",\"identifier\":{\"value\":\"\"}}"};
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(acme_authz_read(&a, doc(bad[i]), "http-01"), ACME_E_MEMBER);
    }
    assert_int_equal(
        acme_authz_read(
            &a, doc("{\"status\":\"valid\",\"identifier\":{\"value\":\"a\"},\"challenges\":{\"type\":\"http-01\"}}"),
            "http-01"),
        0);
    assert_null(a.url.at);
}

/* In whatever order a CA lists them, and however often: it is the same order for us. */
TEST(authorizations_are_sorted)
{
    static const char *const lists[] = {"1\",\"" U "/2\",\"" U "/3", "3\",\"" U "/2\",\"" U "/1",
                                        "2\",\"" U "/3\",\"" U "/1", "3\",\"" U "/1\",\"" U "/2",
                                        "2\",\"" U "/2\",\"" U "/1\",\"" U "/3\",\"" U "/1"};
    if (ACME_NAMES_MAX < 3) {
        skip();
    }
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct acme_order o = {0};
        char text[300];
        snprintf(text, sizeof text,
                 "{\"status\":\"pending\",\"finalize\":\"" U "/f\",\"authorizations\":[\"" U "/%s\"]}", lists[i]);
        assert_int_equal(acme_order_read(&o, doc(text), &hosts), 0);
        assert_int_equal(o.authz_count, 3);
        assert_string_equal(acme_order_authz(&o, 0), U "/1");
        assert_string_equal(acme_order_authz(&o, 1), U "/2");
        assert_string_equal(acme_order_authz(&o, 2), U "/3");
    }
}

/* URLs of all names share the room; one alone may be as long as any. */
TEST(urls_that_do_not_fit_together)
{
    static char text[ACME_NAMES_MAX * (ACME_URL_MAX + 4) + 200];
    for (int len = ACME_NAME_TEXT - 2; len <= ACME_URL_MAX; len++) {
        for (unsigned count = 1; count <= ACME_NAMES_MAX; count++) {
            struct acme_order o = {0};
            int at =
                snprintf(text, sizeof text, "{\"status\":\"pending\",\"finalize\":\"" U "/f\",\"authorizations\":[");
            for (unsigned i = 0; i < count; i++) {
                at += snprintf(text + at, sizeof text - (size_t)at, "%s\"" U "/%0*u\"", i == 0 ? "" : ",",
                               len - (int)strlen(U "/"), i);
            }
            snprintf(text + at, sizeof text - (size_t)at, "]}");
            bool fits = 1 + count * ((unsigned)len + 1) <= sizeof o.text;
            assert_true(fits || count > 1);
            assert_int_equal(acme_order_read(&o, doc(text), &hosts), fits ? 0 : ACME_E_URL_LONG);
            assert_int_equal(o.authz_count, fits ? count : 0);
        }
    }
}

AROUND(set_up, NULL, NULL, NULL);
