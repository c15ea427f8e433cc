/* unit.h - cmocka, and a test that is listed by being written. The program's main() is in unit.c. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Each test of a program is in one file: they are played by their lines. */
struct check {
    struct CMUnitTest test;
    unsigned line;
};

/* TEST(what_it_shows) { ... }; with TEST_WITH set-up and tear-down of its own. */
#define TEST_WITH(name, set_up, tear_down)                                                                           \
    static void name(void **test_state);                                                                             \
    static const struct check name##_check = {{#name, name, set_up, tear_down, NULL}, __LINE__};                     \
    static const struct check *const name##_listed __attribute__((section("checks"), used)) = &name##_check;         \
    static void name(void **test_state)
#define TEST(name) TEST_WITH(name, NULL, NULL)

/* In an emulator: sweeps go in larger steps there. */
#if defined TESTS_TARGET_CMOCKA_H || defined __s390x__
#define SLOW_MACHINE 1
#else
#define SLOW_MACHINE 0
#endif

/* What is done before and after all tests of the program, and around each one that has nothing of its own. */
struct check_around {
    CMFixtureFunction first, last, before, after;
};
#define AROUND(first, last, before, after) const struct check_around check_around = {first, last, before, after}
extern const struct check_around check_around __attribute__((weak));

#endif
