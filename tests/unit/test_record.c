#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "lifecycle/record.h"

#define U "https://ca.test"

static const char *names[] = {"a.test", "b.test"};
static struct acme_setup setup;
static struct acme_flow flow;
static char text[4096];

static int set_up(void **state)
{
    (void)state;
    setup =
        (struct acme_setup){.ca = {.directory_url = U "/dir"}, .names = (const char *const *)names, .name_count = 2};
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

static size_t order(int64_t retry)
{
    struct acme_out o;
    acme_out_init(&o, text, sizeof text);
    acme_record_order_write(&o, &flow, retry);
    assert_false(o.overflow);
    return o.len;
}

static void account_comes_back(void **state)
{
    (void)state;
    size_t len = account();
    struct acme_flow f = blank();
    assert_true(acme_record_account_read(&f, acme_slice(text, len)));
    assert_string_equal(f.account, flow.account);
    assert_memory_equal(&f.directory, &flow.directory, sizeof f.directory);
}

static void order_comes_back(void **state)
{
    (void)state;
    static const int64_t times[] = {0, 1, 1790000000, 999999999999};
    for (unsigned i = 0; i < 4; i++) {
        size_t len = order(times[i]);
        struct acme_flow f = blank();
        int64_t retry = -1;
        assert_true(acme_record_order_read(&f, acme_slice(text, len), &retry));
        assert_int_equal(retry, times[i]);
        assert_string_equal(f.order.url, U "/order/1");
    }
    flow.order.url[0] = '\0'; /* only the time */
    size_t len = order(5);
    struct acme_flow f = blank();
    int64_t retry = -1;
    assert_true(acme_record_order_read(&f, acme_slice(text, len), &retry));
    assert_string_equal(f.order.url, "");
    assert_int_equal(retry, 5);
    len = order(-5);
    assert_true(acme_record_order_read(&f, acme_slice(text, len), &retry));
    assert_int_equal(retry, 0);
}

static void torn_records_are_none(void **state)
{
    (void)state;
    size_t len = account();
    for (size_t i = 0; i < len; i++) {
        struct acme_flow f = blank();
        assert_false(acme_record_account_read(&f, acme_slice(text, i)));
        assert_string_equal(f.account, "");
    }
    len = order(7);
    for (size_t i = 0; i < len; i++) {
        struct acme_flow f = blank();
        int64_t retry = -1;
        assert_false(acme_record_order_read(&f, acme_slice(text, i), &retry));
        assert_string_equal(f.order.url, "");
        assert_int_equal(retry, 0);
    }
}

/* Whatever a bit flip makes of a record: either it is refused, or every URL kept is one that is allowed. */
static void flipped_bits_lead_nowhere_else(void **state)
{
    (void)state;
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
    int64_t retry;
    return acme_record_order_read(&f, acme_slice_of(record), &retry);
}

static void only_this_order_of_this_version(void **state)
{
    (void)state;
#define HEAD "nanoacme-order 1\ndirectory " U "/dir\n"
    assert_true(reads_order(HEAD "name a.test\nname b.test\nretry 0\norder " U "/order/1\nend\n"));
    assert_false(reads_order("nanoacme-order 2\ndirectory " U "/dir\nname a.test\nname b.test\nretry 0\nend\n"));
    assert_false(reads_order("nanoacme-order 1\ndirectory " U "/other\nname a.test\nname b.test\nretry 0\nend\n"));
    assert_false(reads_order(HEAD "name b.test\nname a.test\nretry 0\nend\n"));
    assert_false(reads_order(HEAD "name a.test\nretry 0\nend\n"));
    assert_false(reads_order(HEAD "name a.test\nname b.test\nname c.test\nretry 0\nend\n"));
    assert_false(reads_order(HEAD "name a.test\nname b.test\nretry x\nend\n"));
    assert_false(reads_order(HEAD "name a.test\nname b.test\nretry 9999999999999\nend\n"));
    assert_false(reads_order(HEAD "name a.test\nname b.test\nretry 0\norder https://evil.test/\nend\n"));
    assert_false(reads_order(HEAD "name a.test\nname b.test\nretry 0\norder http://ca.test/\nend\n"));
    assert_false(reads_order(HEAD "name a.test\nname b.test\nretry 0\nnews 1\nend\n"));
    assert_false(reads_order(""));
    assert_false(reads_order("\n"));
}

static void too_little_room_is_told(void **state)
{
    (void)state;
    size_t len = account();
    struct acme_out o;
    acme_out_init(&o, text, len - 1);
    acme_record_account_write(&o, &flow);
    assert_true(o.overflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(account_comes_back, set_up),
        cmocka_unit_test_setup(order_comes_back, set_up),
        cmocka_unit_test_setup(torn_records_are_none, set_up),
        cmocka_unit_test_setup(flipped_bits_lead_nowhere_else, set_up),
        cmocka_unit_test_setup(only_this_order_of_this_version, set_up),
        cmocka_unit_test_setup(too_little_room_is_told, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
