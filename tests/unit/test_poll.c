#include "unit.h"

#include "protocol/poll.h"

TEST(polls_double_up_to_a_limit)
{
    const uint32_t expected[] = {500, 1000, 2000, 4000, 8000, 10000, 10000};
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(acme_poll_ms(i, -1), expected[i]);
        assert_int_equal(acme_poll_ms(i, 0), expected[i]);
    }
    assert_int_equal(acme_poll_ms(UINT32_MAX, -1), ACME_POLL_MAX_MS);
}

TEST(retry_after_is_a_bounded_floor)
{
    assert_int_equal(acme_poll_ms(0, 3), 3000);
    assert_int_equal(acme_poll_ms(5, 3), 10000);
    assert_int_equal(acme_poll_ms(0, ACME_RETRY_AFTER_MAX_S), ACME_RETRY_AFTER_MAX_S * 1000);
    assert_int_equal(acme_poll_ms(0, ACME_RETRY_AFTER_MAX_S + 1), ACME_RETRY_AFTER_MAX_S * 1000);
    assert_int_equal(acme_poll_ms(0, INT32_MAX), ACME_RETRY_AFTER_MAX_S * 1000);
    assert_int_equal(acme_poll_ms(0, INT32_MIN), 500);
}

TEST(backoff_doubles_to_a_quarter_of_an_hour)
{
    assert_int_equal(acme_backoff_ms(1, 1000), 1000);
    assert_int_equal(acme_backoff_ms(2, 1000), 2000);
    assert_int_equal(acme_backoff_ms(5, 1000), 16000);
    assert_int_equal(acme_backoff_ms(0, 1000), 1000);
    assert_int_equal(acme_backoff_ms(11, 1000), 900000);
    assert_int_equal(acme_backoff_ms(UINT32_MAX, 5000), 900000);
    assert_int_equal(acme_backoff_ms(1, 2000000), 900000);
    assert_int_equal(acme_backoff_ms(100, 0), 0);
}

TEST(time_passes_across_the_wrap)
{
    assert_true(acme_passed(5, 5, 0));
    assert_false(acme_passed(5, 5, 1));
    assert_true(acme_passed(6, 5, 1));
    assert_false(acme_passed(4, UINT32_MAX - 4, 10));
    assert_true(acme_passed(5, UINT32_MAX - 4, 10));
}
