#include "unit.h"

#include "lifecycle/renew.h"

#define DAY INT64_C(86400)

TEST(a_third_or_a_half_is_left)
{
    const int64_t from = 1790000000;
    assert_int_equal(acme_renew_at(from, from + 90 * DAY), from + 60 * DAY);
    assert_int_equal(acme_renew_at(from, from + 45 * DAY), from + 30 * DAY);
    assert_int_equal(acme_renew_at(from, from + 10 * DAY), from + 10 * DAY - 10 * DAY / 3);
    assert_int_equal(acme_renew_at(from, from + 10 * DAY - 2), from + 5 * DAY - 1);
    assert_int_equal(acme_renew_at(from, from + 160 * 3600), from + 80 * 3600);
    assert_int_equal(acme_renew_at(from, from + 1), from + 1);
}

TEST(dates_that_make_no_sense_do_no_harm)
{
    assert_int_equal(acme_renew_at(100, 100), 100);
    assert_true(acme_renew_at(200, 100) <= 200);
    assert_int_equal(acme_renew_at(0, UINT32_MAX), UINT32_MAX - UINT32_MAX / 3);
}

TEST(a_third_is_exact_for_every_length_of_life)
{
    for (int64_t life = 10 * DAY; life <= UINT32_MAX; life += life / 7 + 1) {
        assert_int_equal(acme_renew_at(0, life), life - life / 3);
    }
}
