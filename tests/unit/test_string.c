/* test_string.c - the memory and string functions of the Cortex-M3 boards against this machine's. */
#include "unit.h"

#include <string.h>

void *own_memcpy(void *restrict to, const void *restrict from, size_t len);
void *own_memmove(void *to, const void *from, size_t len);
void *own_memset(void *to, int value, size_t len);
int own_memcmp(const void *a, const void *b, size_t len);
void *own_memchr(const void *at, int value, size_t len);
int own_strcmp(const char *a, const char *b);
int own_strncmp(const char *a, const char *b, size_t len);
char *own_strchr(const char *at, int value);
size_t own_strlen(const char *at);

#define memcpy  own_memcpy
#define memmove own_memmove
#define memset  own_memset
#define memcmp  own_memcmp
#define memchr  own_memchr
#define strcmp  own_strcmp
#define strncmp own_strncmp
#define strchr  own_strchr
#define strlen  own_strlen
#ifdef __arm__
#include "../../boards/arm/memcpy.c"
#else /* what it does, from the lowest address upwards */
void *own_memcpy(void *restrict to, const void *restrict from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        ((volatile uint8_t *)to)[i] = ((const volatile uint8_t *)from)[i];
    }
    return to;
}
#endif
#pragma GCC diagnostic ignored "-Wunknown-pragmas" /* clang has no such pragma */
#include "../../boards/arm/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strcmp
#undef strncmp
#undef strchr
#undef strlen

#define SIZE 64

static uint8_t own[SIZE], known[SIZE];

static void begin(void)
{
    for (unsigned i = 0; i < SIZE; i++) {
        own[i] = known[i] = (uint8_t)(7 * i + 1);
    }
}

TEST(every_place_and_length)
{
    for (size_t to = 0; to < 24; to++) {
        for (size_t len = 0; len < 24; len++) {
            begin();
            assert_ptr_equal(own_memset(own + to, 0x1a5, len), own + to);
            memset(known + to, 0xa5, len);
            assert_memory_equal(own, known, SIZE);
            for (size_t from = 0; from < 24; from++) {
                begin();
                assert_ptr_equal(own_memmove(own + to, own + from, len), own + to);
                memmove(known + to, known + from, len);
                assert_memory_equal(own, known, SIZE);
            }
            begin();
            assert_ptr_equal(own_memcpy(own + to, known + 40 - to, len), own + to);
            assert_memory_equal(own + to, known + 40 - to, len);
            assert_memory_equal(own, known, to);
            assert_memory_equal(own + to + len, known + to + len, SIZE - to - len);
        }
    }
}

static int sign(int value)
{
    return value > 0 ? 1 : value < 0 ? -1 : 0;
}

TEST(order_and_search)
{
    static const char *const texts[] = {"", "a", "b", "ab", "aba", "abb", "\xff", "a\xff", "a\x7f", "a\x80"};
    const size_t count = sizeof texts / sizeof texts[0];

    for (size_t i = 0; i < count; i++) {
        const size_t len = strlen(texts[i]);
        assert_int_equal(own_strlen(texts[i]), len);
        for (size_t k = 0; k < count; k++) {
            assert_int_equal(sign(own_strcmp(texts[i], texts[k])), sign(strcmp(texts[i], texts[k])));
            for (size_t most = 0; most < 5; most++) {
                assert_int_equal(sign(own_strncmp(texts[i], texts[k], most)),
                                 sign(strncmp(texts[i], texts[k], most)));
            }
            if (len <= strlen(texts[k])) {
                assert_int_equal(sign(own_memcmp(texts[i], texts[k], len)), sign(memcmp(texts[i], texts[k], len)));
            }
        }
        for (int c = -1; c < 256; c++) {
            assert_ptr_equal(own_strchr(texts[i], c), strchr(texts[i], c));
            assert_ptr_equal(own_memchr(texts[i], c, len), memchr(texts[i], c, len));
        }
    }
}
