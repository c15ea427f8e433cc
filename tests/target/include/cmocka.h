/* cmocka.h - as much of cmocka as the tests use that run on a device: no mocks, no files, no signals, no heap. */
#ifndef TESTS_TARGET_CMOCKA_H
#define TESTS_TARGET_CMOCKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func, teardown_func;
    void *initial_state;
};

#define cmocka_unit_test_setup_teardown(f, setup, teardown)                                                          \
    {                                                                                                                \
#f, f, setup, teardown, NULL                                                                                 \
    }
#define cmocka_unit_test_teardown(f, teardown)                                                                       \
    {                                                                                                                \
#f, f, NULL, teardown, NULL                                                                                  \
    }
#define cmocka_unit_test(f)                                                                                          \
    {                                                                                                                \
#f, f, NULL, NULL, NULL                                                                                      \
    }
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                                    \
    shim_group(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define _cmocka_run_group_tests                        shim_group
#define cmocka_run_group_tests(tests, setup, teardown) cmocka_run_group_tests_name(#tests, tests, setup, teardown)

/* Runs a group and prints TAP. Returns how many failed. */
int shim_group(const char *name, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
               CMFixtureFunction teardown);

enum shim_end { SHIM_PASSED, SHIM_FAILED, SHIM_SKIPPED };

/* One test: until its function returns, an assertion fails, or it skips itself. */
enum shim_end shim_try(CMUnitTestFunction test, void **state);

_Noreturn void shim_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
_Noreturn void shim_skip(void);

#define fail_msg(...)      shim_fail(__FILE__, __LINE__, __VA_ARGS__)
#define fail()             fail_msg("fail()")
#define skip()             shim_skip()
#define print_message(...) printf(__VA_ARGS__)

#define SHIM_CHECK(is, text) ((is) ? (void)0 : shim_fail(__FILE__, __LINE__, "%s", text))
#define SHIM_MEMORY(a, b, len, same)                                                                                 \
    SHIM_CHECK((memcmp((const void *)(a), (const void *)(b), len) == 0) == (same), #a " and " #b)

void shim_numbers(const char *file, int line, const char *text, uintmax_t a, uintmax_t b, bool same);
void shim_strings(const char *file, int line, const char *text, const char *a, const char *b, bool same);

#define assert_true(c)                   SHIM_CHECK(c, #c)
#define assert_false(c)                  SHIM_CHECK(!(c), "not: " #c)
#define assert_null(p)                   SHIM_CHECK((p) == NULL, #p " is not NULL")
#define assert_non_null(p)               SHIM_CHECK((p) != NULL, #p " is NULL")
#define assert_ptr_equal(a, b)           SHIM_CHECK((const void *)(a) == (const void *)(b), #a " and " #b)
#define assert_int_equal(a, b)           shim_numbers(__FILE__, __LINE__, #a, (uintmax_t)(a), (uintmax_t)(b), true)
#define assert_int_not_equal(a, b)       shim_numbers(__FILE__, __LINE__, #a, (uintmax_t)(a), (uintmax_t)(b), false)
#define assert_string_equal(a, b)        shim_strings(__FILE__, __LINE__, #a, a, b, true)
#define assert_string_not_equal(a, b)    shim_strings(__FILE__, __LINE__, #a, a, b, false)
#define assert_memory_equal(a, b, n)     SHIM_MEMORY(a, b, n, true)
#define assert_memory_not_equal(a, b, n) SHIM_MEMORY(a, b, n, false)
#define assert_in_range(n, low, high)                                                                                \
    SHIM_CHECK((uintmax_t)(n) >= (uintmax_t)(low) && (uintmax_t)(n) <= (uintmax_t)(high), #n " is out of range")

#endif
