#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "lifecycle/record.h"

#define U "https://ca.test"

static uint8_t key_byte; /* another key by another byte */
static bool no_key;

static int key_point(void *handle, uint8_t point[65])
{
    if (no_key) {
        return ACME_E_KEY;
    }
    memset(point, key_byte, 65);
    return 0;
}

static const struct acme_key_ops key_ops = {.point = key_point};
static const char *names[] = {"a.test", "b.test"};
static struct acme_setup setup;
static struct acme_flow flow;
static char text[4096];

static int set_up(void **state)
{
    setup =
        (struct acme_setup){.ca = {.directory_url = U "/dir"}, .names = (const char *const *)names, .name_count = 2};
    setup.account_key.ops = &key_ops;
    key_byte = 4;
    memset(&flow, 0, sizeof flow);
    flow.setup = &setup;
    strcpy(flow.account, U "/account/7");
    strcpy(flow.directory.new_nonce, U "/n");
    strcpy(flow.directory.new_account, U "/a");
    strcpy(flow.directory.new_order, U "/o");
    strcpy(flow.order.url, U "/order/1");
    return acme_url_parse(&flow.hosts.directory, acme_slice_of(U "/dir"));
}

static struct acme_flow blank(void)
{
    struct acme_flow f;
    memset(&f, 0, sizeof f);
    f.setup = &setup;
    f.hosts = flow.hosts;
    return f;
}

static size_t account(void)
{
    struct acme_out o;
    acme_out_init(&o, text, sizeof text);
    acme_record_account_write(&o, &flow);
    assert_false(o.overflow);
    return o.len;
}

static size_t order(uint32_t retry)
{
    struct acme_out o;
    acme_out_init(&o, text, sizeof text);
    acme_record_order_write(&o, &flow, retry);
    assert_false(o.overflow);
    return o.len;
}

/* What comes of the record with this time in it, which is left in `text`. */
static struct acme_flow order_back(uint32_t written, uint32_t *retry)
{
    size_t len = order(written);
    struct acme_flow f = blank();
    *retry = 1;
    assert_true(acme_record_order_read(&f, acme_slice(text, len), retry));
    text[len] = '\0';
    return f;
}

TEST(account_comes_back)
{
    size_t len = account();
    struct acme_flow f = blank();
    assert_true(acme_record_account_read(&f, acme_slice(text, len)));
    assert_string_equal(f.account, flow.account);
    assert_memory_equal(&f.directory, &flow.directory, sizeof f.directory);
}

TEST(order_comes_back)
{
    static const int64_t times[] = {0, 1, 1790000000, UINT32_MAX};
    for (unsigned i = 0; i < 4; i++) {
        uint32_t retry;
        struct acme_flow f = order_back(times[i], &retry);
        assert_int_equal(retry, times[i]);
        assert_string_equal(f.order.url, U "/order/1");
    }
    flow.order.url[0] = '\0'; /* only the time */
    uint32_t retry;
    struct acme_flow f = order_back(5, &retry);
    assert_string_equal(f.order.url, "");
    assert_int_equal(retry, 5);
}

static void have_authorizations(unsigned count)
{
    flow.order.authz_count = 0;
    flow.order.text_end = 0;
    for (unsigned i = 0; i < count; i++) {
        char url[80];
        snprintf(url, sizeof url, U "/authz/%u", i);
        assert_int_equal(acme_order_add(&flow.order, url), 0);
    }
}

/* An ACME v1 order whose certificate is known needs no more than that, which fits however many names there are. */
TEST(certificate_always_fits)
{
    struct acme_out o;
    strcpy(flow.directory.new_cert, U "/new-cert");
    char url[ACME_URL_MAX + 1];
    for (unsigned i = 0; i < ACME_NAMES_MAX; i++) {
        snprintf(url, sizeof url, U "/%0*u", ACME_NAME_TEXT - (int)strlen(U) - 2, i);
        assert_int_equal(acme_order_add(&flow.order, url), 0);
    }
    snprintf(flow.order.certificate, sizeof flow.order.certificate, U "/%0*u", ACME_URL_MAX - (int)strlen(U) - 1, 7u);
    acme_out_init(&o, text, ACME_WORK_MIN);
    acme_record_order_write(&o, &flow, 0);
    assert_false(o.overflow);
    struct acme_flow f = blank();
    uint32_t retry = 1;
    assert_true(acme_record_order_read(&f, acme_slice(text, o.len), &retry));
    assert_string_equal(f.order.certificate, flow.order.certificate);
    assert_int_equal(f.order.authz_count, 0);
}

/* As many authorizations as there can be, and one more than that. */
TEST(authorizations_come_back)
{
    strcpy(flow.directory.new_cert, U "/new-cert");
    have_authorizations(ACME_NAMES_MAX);
    uint32_t retry;
    struct acme_flow f = order_back(0, &retry);
    assert_int_equal(f.order.authz_count, ACME_NAMES_MAX);
    assert_memory_equal(f.order.authz, flow.order.authz, sizeof f.order.authz);
    assert_memory_equal(f.order.text, flow.order.text, sizeof f.order.text);
    strcpy(text + strlen(text) - strlen("end\n"), "authz " U "/authz/9\nend\n");
    f = blank();
    assert_false(acme_record_order_read(&f, acme_slice(text, strlen(text)), &retry));
    assert_string_equal(f.order.url, "");
    assert_int_equal(f.order.authz_count, 0);
}

/* What was asked for before there was an order is not one. */
TEST(half_an_order_is_none)
{
    strcpy(flow.directory.new_cert, U "/new-cert");
    have_authorizations(1);
    flow.order.url[0] = '\0';
    uint32_t retry;
    struct acme_flow f = order_back(5, &retry);
    assert_int_equal(retry, 5);
    assert_int_equal(f.order.authz_count, 0);
}

TEST(torn_records_are_none)
{
    size_t len = account();
    for (size_t i = 0; i < len; i++) {
        struct acme_flow f = blank();
        assert_false(acme_record_account_read(&f, acme_slice(text, i)));
        assert_string_equal(f.account, "");
    }
    len = order(7);
    for (size_t i = 0; i < len; i++) {
        struct acme_flow f = blank();
        uint32_t retry = 1;
        assert_false(acme_record_order_read(&f, acme_slice(text, i), &retry));
        assert_string_equal(f.order.url, "");
        assert_int_equal(retry, 0);
    }
}

/* Whatever a bit flip makes of a record: either it is refused, or every URL kept is one that is allowed. */
TEST(flipped_bits_lead_nowhere_else)
{
    size_t len = account();
    for (size_t i = 0; i < len * 8; i++) {
        struct acme_flow f = blank();
        text[i / 8] = (char)(text[i / 8] ^ (1 << (i % 8)));
        if (acme_record_account_read(&f, acme_slice(text, len))) {
            const char *const kept[] = {f.account, f.directory.new_nonce, f.directory.new_account,
                                        f.directory.new_order};
            for (unsigned k = 0; k < 4; k++) {
                struct acme_url url;
                assert_int_equal(acme_url_parse(&url, acme_slice_of(kept[k])), 0);
                assert_true(acme_url_same_origin(&url, &f.hosts.directory));
            }
        } else {
            assert_string_equal(f.account, "");
        }
        text[i / 8] = (char)(text[i / 8] ^ (1 << (i % 8)));
    }
}

static bool reads_order(const char *record)
{
    struct acme_flow f = blank();
    uint32_t retry;
    return acme_record_order_read(&f, acme_slice_of(record), &retry);
}

/* A record as written, with one piece of it replaced. */
static bool reads_with(const char *piece, const char *other)
{
    char changed[4096];
    size_t len = order(0);
    text[len] = '\0';
    const char *at = strstr(text, piece);
    assert_non_null(at);
    (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, other, at + strlen(piece));
    return reads_order(changed);
}

TEST(only_this_order_of_this_version)
{
    assert_true(reads_with("retry 0\n", "retry 0\n"));
    assert_true(reads_with("retry 0\n", "retry 4294967295\n"));
    assert_false(reads_with("order 1", "order 2"));
    assert_false(reads_with("/dir", "/other"));
    assert_false(reads_with("names ", "names x"));
    assert_false(reads_with("names ", "name "));
    assert_false(reads_with("retry 0\n", ""));
    assert_false(reads_with("retry 0\n", "retry x\n"));
    assert_false(reads_with("retry 0\n", "retry 4294967296\n"));
    assert_true(reads_with("end\n", "answered 1\nend\n"));
    assert_false(reads_with("end\n", "answered 0\nend\n"));
    assert_false(reads_with("end\n", "answered 101\nend\n"));
    assert_false(reads_with("end\n", "answered one\nend\n"));
    assert_true(reads_with("end\n", "since 4294967295\nend\n"));
    assert_false(reads_with("end\n", "since 4294967296\nend\n"));
    assert_false(reads_with("end\n", "since x\nend\n"));
    assert_false(reads_with(U "/order/1", "https://evil.test/"));
    assert_false(reads_with(U "/order/1", "http://ca.test/"));
    assert_false(reads_with("end\n", "news 1\nend\n"));
    assert_false(reads_with("end\n", "end"));
    assert_false(reads_order(""));
    assert_false(reads_order("\n"));
}

/* The end of time is a moment far ahead there too, which the next run does not believe; never one long past. */
TEST(a_moment_after_2106)
{
    struct acme_flow f = blank();
    uint32_t retry = 1;
    flow.since = UINT32_MAX;
    size_t len = order(UINT32_MAX);
    assert_true(acme_record_order_read(&f, acme_slice(text, len), &retry));
    assert_true(f.since == UINT32_MAX && retry == UINT32_MAX);
}

TEST(other_names_are_another_order)
{
    static const char *const other[] = {"b.test", "a.test", "c.test"};
    size_t len = order(0);
    for (size_t first = 0; first < 2; first++) {
        for (size_t count = 1; first + count <= 3; count++) {
            struct acme_flow f = blank();
            uint32_t retry;
            setup.names = other + first;
            setup.name_count = count;
            assert_false(acme_record_order_read(&f, acme_slice(text, len), &retry));
            assert_string_equal(f.order.url, "");
        }
    }
}

/* The account of one key is of no use to another. */
TEST(another_key_has_another_account)
{
    size_t len = account();
    struct acme_flow f = blank();
    key_byte = 5;
    assert_false(acme_record_account_read(&f, acme_slice(text, len)));
    assert_string_equal(f.account, "");
}

TEST(too_little_room_is_told)
{
    size_t len = account();
    struct acme_out o;
    acme_out_init(&o, text, len - 1);
    acme_record_account_write(&o, &flow);
    assert_true(o.overflow);
}

/* A secure element that does not answer: the record is no help then, and one written meanwhile is nobody's. */
TEST(a_key_that_does_not_answer)
{
    size_t len = account();
    struct acme_flow f = blank();
    no_key = true;
    assert_false(acme_record_account_read(&f, acme_slice(text, len)));
    assert_string_equal(f.account, "");
    len = account();
    no_key = false;
    f = blank();
    assert_false(acme_record_account_read(&f, acme_slice(text, len)));
    assert_string_equal(f.account, "");
}

/* An order of ACME v1: authorizations, as many as were made, or the certificate once there is one. */
TEST(an_order_of_v1_comes_back)
{
    strcpy(flow.directory.new_cert, U "/new-cert");
    strcpy(flow.order.url, U "/new-cert");
    for (unsigned made = 0; made <= ACME_NAMES_MAX; made++) {
        have_authorizations(made);
        strcpy(flow.order.certificate, made % 2 == 0 ? U "/cert/1" : "");
        uint32_t retry;
        struct acme_flow f = order_back(7, &retry);
        unsigned kept = made % 2 == 0 ? 0 : made;
        assert_int_equal(f.order.authz_count, kept);
        for (unsigned i = 0; i < kept; i++) {
            assert_string_equal(acme_order_authz(&f.order, i), acme_order_authz(&flow.order, i));
        }
        assert_string_equal(f.order.certificate, flow.order.certificate);
        for (size_t cut = 0; text[cut] != '\0'; cut++) { /* torn, it is none */
            struct acme_flow g = blank();
            assert_false(acme_record_order_read(&g, acme_slice(text, cut), &retry));
            assert_int_equal(g.order.authz_count, 0);
            assert_string_equal(g.order.certificate, "");
        }
    }
}

TEST(a_damaged_order_of_v1_is_none)
{
    strcpy(flow.directory.new_cert, U "/new-cert");
    strcpy(flow.order.url, U "/new-cert");
    have_authorizations(3);
    assert_true(reads_with("authz " U "/authz/2", "authz " U "/authz/3"));
    assert_false(reads_with("authz " U "/authz/1", "authz https://elsewhere.test/authz/1"));
    assert_false(reads_with("authz " U "/authz/2", "authz "));
    assert_false(reads_with("authz " U "/authz/2", "authz " U "/authz/ 2"));
    assert_true(reads_with("end\n", "certificate " U "/cert/1\nend\n"));
    strcpy(flow.order.certificate, U "/cert/1");
    assert_false(reads_with("certificate " U "/cert/1", "certificate https://elsewhere.test/cert/1"));
    assert_false(reads_with("certificate " U "/cert/1", "certificate x"));
    assert_false(reads_with("certificate ", "more "));
}

#if ACME_CFG_MANAGE
/* The contacts the CA was told: a line when there are any; a mark of another length is damage. */
TEST(contacts_come_back)
{
    static const char *const marks[] = {"", "AbCd-_12", "short", "AbCd-_1"};
    for (int i = 0; i < 4; i++) {
        strcpy(flow.manage.told, marks[i]);
        size_t len = account();
        text[len] = '\0';
        assert_int_equal(strstr(text, "contacts") != NULL, i > 0);
        struct acme_flow f = blank();
        strcpy(f.manage.told, "old");
        assert_int_equal(acme_record_account_read(&f, acme_slice(text, len)), i < 2);
        assert_string_equal(f.manage.told, i < 2 ? marks[i] : "");
        for (size_t cut = 0; cut < len; cut++) {
            f = blank();
            assert_false(acme_record_account_read(&f, acme_slice(text, cut)));
            assert_string_equal(f.manage.told, "");
        }
    }
    flow.manage.told[0] = '\0';
}
#endif

/* What is known of renewalInfo: where it is, that there is none, or nothing, as in a record of an older image. */
TEST(renewal_info_comes_back)
{
    for (int i = 0; i < 6; i++) {
        flow.directory.new_cert[0] = '\0';
        strcpy(flow.directory.new_cert, i < 3 ? "" : U "/c");
        flow.info.none = i % 3 == 1;
        strcpy(flow.info.url, i % 3 == 2 ? "https://ari.test/ri/" : "");
        size_t len = account();
        text[len] = '\0';
        assert_int_equal(strstr(text, "renewalInfo") != NULL, i % 3 > 0);
        struct acme_flow f = blank();
        assert_true(acme_record_account_read(&f, acme_slice(text, len)));
        assert_int_equal(f.info.none, flow.info.none);
        assert_string_equal(f.info.url, flow.info.url);
        for (size_t cut = 0; cut < len; cut++) {
            f = blank();
            assert_false(acme_record_account_read(&f, acme_slice(text, cut)));
            assert_false(f.info.none);
            assert_string_equal(f.info.url, "");
        }
    }
    static char long_one[ACME_URL_MAX + 1] = "https://ari.test/"; /* no room for the certificate's identifier */
    memset(long_one + strlen(long_one), 'a', ACME_URL_MAX - strlen(long_one));
    static const char *const bad[] = {"ftp://ari.test/ri", "https://ari.test/#x", "None", long_one};
    for (int i = 0; i < 4; i++) {
        strcpy(flow.info.url, bad[i]);
        size_t len = account();
        struct acme_flow f = blank();
        assert_false(acme_record_account_read(&f, acme_slice(text, len)));
        assert_string_equal(f.account, "");
    }
}

AROUND(NULL, NULL, set_up, NULL);
