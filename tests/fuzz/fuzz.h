/* fuzz.h - what the harnesses share.
 *
 * libFuzzer hands every input over in memory of its own size, so a look past its end is noticed. What is changed in
 * place, or read in pieces, is copied to the end of a buffer here, with nothing readable before it: no heap, since a
 * harness runs some hundred thousand times a second. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <sanitizer/asan_interface.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_LEN_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What has to hold for every input. */
#define MUST(condition)                                                                                              \
    do {                                                                                                             \
        if (!(condition)) {                                                                                          \
            fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition);                               \
            abort();                                                                                                 \
        }                                                                                                            \
    } while (0)

struct fuzz_memory {
    _Alignas(8) char byte[FUZZ_LEN_MAX];
};

/* The last `len` bytes of the memory; what is before them is forbidden. */
static inline void *fuzz_room(struct fuzz_memory *memory, size_t len)
{
    char *at = memory->byte + sizeof memory->byte - len;
    size_t before = (sizeof memory->byte - len) & ~(size_t)7; /* the sanitizer knows whole words */
    size_t some = before < 64 ? before : 64;
    ASAN_UNPOISON_MEMORY_REGION(memory->byte + before, sizeof memory->byte - before);
    ASAN_POISON_MEMORY_REGION(memory->byte + before - some, some);
    return at;
}

static inline void *fuzz_copy(struct fuzz_memory *memory, const void *data, size_t len)
{
    void *at = fuzz_room(memory, len);
    if (len > 0) {
        memcpy(at, data, len);
    }
    return at;
}

/* True when a part lies in its text; one of no length may lie anywhere. */
static inline int fuzz_inside(const void *part, size_t part_len, const void *text, size_t len)
{
    const char *p = part, *t = text;
    return part_len == 0 || (p >= t && part_len <= len && p + part_len <= t + len);
}

#endif
