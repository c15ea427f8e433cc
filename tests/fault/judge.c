/* judge.c - see judge.h. */
#include "judge.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

jmp_buf judge_end;
char judge_words[512];

static char said[256]; /* by fail_msg() just before it fails */

__attribute__((noreturn, format(printf, 3, 4))) static void condemn(const char *file, int line, const char *format,
                                                                    ...)
{
    va_list args;
    size_t at = (size_t)snprintf(judge_words, sizeof judge_words, "%s:%d: ", file, line);
    va_start(args, format);
    vsnprintf(judge_words + at, sizeof judge_words - at, format, args);
    va_end(args);
    longjmp(judge_end, 1);
}

void print_error(const char *const format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(said, sizeof said, format, args);
    va_end(args);
    said[strcspn(said, "\n")] = '\0';
}

void _fail(const char *const file, const int line)
{
    condemn(file, line, "%s", said);
}

void _assert_true(const LargestIntegralType result, const char *const expression, const char *const file,
                  const int line)
{
    if (!result) {
        condemn(file, line, "%s", expression);
    }
}

void _assert_int_equal(const LargestIntegralType a, const LargestIntegralType b, const char *const file,
                       const int line)
{
    if (a != b) {
        condemn(file, line, "%lld is not %lld", (long long)a, (long long)b);
    }
}

void _assert_string_equal(const char *const a, const char *const b, const char *const file, const int line)
{
    if (strcmp(a, b) != 0) {
        condemn(file, line, "\"%.150s\" is not \"%.150s\"", a, b);
    }
}

void _assert_memory_equal(const void *const a, const void *const b, const size_t size, const char *const file,
                          const int line)
{
    if (memcmp(a, b, size) != 0) {
        condemn(file, line, "%zu bytes differ", size);
    }
}
