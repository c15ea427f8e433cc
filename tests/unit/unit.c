/* unit.c - plays what the program's file has as TEST(): see unit.h. ONLY=name plays one. */
#include "unit.h"

#include <stdlib.h>

#define TESTS_MAX 120

/* The linker's: where the pointers of that section are. */
extern const struct check *const __start_checks[], *const __stop_checks[];

int main(void)
{
    static const struct check_around none;
    const struct check_around *around = &check_around != NULL ? &check_around : &none;
    static struct CMUnitTest tests[TESTS_MAX];
    size_t count = (size_t)(__stop_checks - __start_checks);
    if (count > TESTS_MAX) {
        return 1;
    }
    for (unsigned line = 0, n = 0; n < count; n++) {
        const struct check *next = NULL;
        for (size_t i = 0; i < count; i++) {
            const struct check *c = __start_checks[i];
            next = c->line > line && (next == NULL || c->line < next->line) ? c : next;
        }
        tests[n] = next->test;
        if (tests[n].setup_func == NULL && tests[n].teardown_func == NULL) {
            tests[n].setup_func = around->before;
            tests[n].teardown_func = around->after;
        }
        line = next->line;
    }
#ifndef TESTS_TARGET_CMOCKA_H
    if (getenv("ONLY") != NULL) { /* a name, * and ? may stand in it */
        cmocka_set_test_filter(getenv("ONLY"));
    }
#endif
    return _cmocka_run_group_tests("tests", tests, count, around->first, around->last);
}
