/* any.h - arbitrary input for Eva: bytes and numbers of which nothing is known. */
#ifndef TESTS_PROOF_ANY_H
#define TESTS_PROOF_ANY_H

#include <__fc_builtin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef MOST
#define MOST 64 /* bytes of input */
#endif

static char any_bytes[MOST];

/* Any text of up to MOST bytes. It ends with its array, so that no look past its end is allowed; each length is
 * followed by itself, or Eva could not tell the two apart. */
static inline char *any_text(size_t *len)
{
    size_t n = (size_t)Frama_C_interval(0, MOST);
    Frama_C_make_unknown(any_bytes, MOST);
    //@ split n;
    *len = n;
    return any_bytes + (MOST - n);
}

static inline int any_below(int n)
{
    return Frama_C_interval(0, n - 1);
}

static inline char any_char(void)
{
    return Frama_C_char_interval(-128, 127);
}

static inline int64_t any_number(void)
{
    return Frama_C_long_long_interval(INT64_MIN, INT64_MAX);
}

/* What has to hold; an alarm where it might not. */
static inline void must(bool holds)
{
    //@ assert holds;
    (void)holds;
}

#endif
