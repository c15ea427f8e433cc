/* cmocka.c - see include/cmocka.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static jmp_buf way_out;

_Noreturn void shim_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    printf("# %s:%d: ", file, line);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    longjmp(way_out, SHIM_FAILED);
}

_Noreturn void shim_skip(void)
{
    longjmp(way_out, SHIM_SKIPPED);
}

void shim_numbers(const char *file, int line, const char *text, uintmax_t a, uintmax_t b, bool same)
{
    if ((a == b) != same) {
        shim_fail(file, line, "%s: %#lx%08lx and %#lx%08lx", text, (unsigned long)(a >> 32),
                  (unsigned long)(a & 0xffffffffu), (unsigned long)(b >> 32), (unsigned long)(b & 0xffffffffu));
    }
}

void shim_strings(const char *file, int line, const char *text, const char *a, const char *b, bool same)
{
    if ((strcmp(a, b) == 0) != same) {
        shim_fail(file, line, "%s: \"%s\" and \"%s\"", text, a, b);
    }
}

enum shim_end shim_try(CMUnitTestFunction test, void **state)
{
    int end = setjmp(way_out);
    if (end == 0) {
        test(state);
    }
    return (enum shim_end)end;
}

int shim_group(const char *name, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
               CMFixtureFunction teardown)
{
    static void *group;
    static size_t i, failed;

    if (setup != NULL && setup(&group) != 0) {
        printf("not ok 1 - %s: cannot begin\n1..1\n", name);
        return 1;
    }
    for (i = 0, failed = 0; i < count; i++) {
        void *state = tests[i].initial_state != NULL ? tests[i].initial_state : group;
        bool begun = tests[i].setup_func == NULL || tests[i].setup_func(&state) == 0;
        enum shim_end end = begun ? shim_try(tests[i].test_func, &state) : SHIM_FAILED;
        if (tests[i].teardown_func != NULL && tests[i].teardown_func(&state) != 0) {
            end = SHIM_FAILED;
        }
        failed += end == SHIM_FAILED;
        printf("%s %u - %s%s\n", end == SHIM_FAILED ? "not ok" : "ok", (unsigned)i + 1, tests[i].name,
               end == SHIM_SKIPPED ? " # SKIP by itself" : "");
    }
    if (teardown != NULL && teardown(&group) != 0) {
        failed++;
    }
    printf("1..%u\n", (unsigned)count);
    return (int)failed;
}
