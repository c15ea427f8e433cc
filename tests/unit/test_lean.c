/* test_lean.c - the set-up without ACME_CFG_CHECK and ACME_CFG_TRACE: what could overrun memory is refused all the same, and nothing
 * else is looked at. */
#include "unit.h"

#undef ACME_CFG_CHECK
#define ACME_CFG_CHECK 0
#undef ACME_CFG_TRACE
#define ACME_CFG_TRACE 0

#define acme_setup_check    lean_setup_check /* the others are in the library */
#define acme_channel_check  lean_channel_check
#define acme_channel_init   lean_channel_init
#define acme_channel_issuer lean_channel_issuer
#include "acme_setup.c"
#include "secure/channel_setup.c"

TEST(bounds)
{
    static const struct {
        size_t work, records, names;
        int error;
    } rows[] = {{ACME_WORK_MIN, ACME_TLS_BUFFER_SMALL, ACME_NAMES_MAX, 0},
                {ACME_WORK_MIN - 1, ACME_TLS_BUFFER_SMALL, 1, ACME_E_WORK_SMALL},
                {ACME_WORK_MIN, ACME_TLS_BUFFER_SMALL - 1, 1, ACME_E_WORK_SMALL},
                {ACME_WORK_MIN, ACME_TLS_BUFFER_SMALL, 0, ACME_E_NAMES},
                {ACME_WORK_MIN, ACME_TLS_BUFFER_SMALL, ACME_NAMES_MAX + 1, ACME_E_NAMES}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct acme_setup s = {
            .work_len = rows[i].work, .tls_buffer_len = rows[i].records, .name_count = rows[i].names};
        assert_int_equal(acme_setup_check(&s), rows[i].error);
    }
}
