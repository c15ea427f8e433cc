/* slice.h - a piece of somebody else's text: pointer and length, never NUL-terminated, never owned. */
#ifndef ACME_WIRE_SLICE_H
#define ACME_WIRE_SLICE_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct acme_slice {
    const char *at;
    size_t len;
};

static inline struct acme_slice acme_slice(const void *at, size_t len)
{
    struct acme_slice s;
    s.at = (const char *)at;
    s.len = len;
    return s;
}

static inline struct acme_slice acme_slice_of(const char *text)
{
    return acme_slice(text, strlen(text));
}

static inline bool acme_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* An ASCII capital made small; anything else as it is. */
char acme_lower(char c);

/* ASCII letters only. */
bool acme_is_letter(char c);

/* A space or a tab. */
bool acme_is_blank(char c);

/* Value of a hexadecimal digit, -1 when it is none. */
int acme_hex_digit(char c);

/* True when c is printable ASCII, no blank, and not in `but`. */
bool acme_is_visible(char c, const char *but);

/* Compares with a NUL-terminated text. */
bool acme_slice_is(struct acme_slice s, const char *text);

/* Compares without regard to ASCII case, as host names, header names and media types want it. */
bool acme_slice_is_nocase(struct acme_slice s, struct acme_slice other);
bool acme_slice_is_word(struct acme_slice s, const char *word);

/* Where c is first; s.len when it is not there. */
size_t acme_slice_find(struct acme_slice s, char c);

/* Cuts what stands before the first c off *rest, and that c too; all of *rest when there is none. */
struct acme_slice acme_slice_cut(struct acme_slice *rest, char c);

/* Leaves out the spaces and tabs at both ends: optional white space as HTTP has it (RFC 9110, 5.6.3). */
void acme_slice_trim(struct acme_slice *s);

#define ACME_DECIMAL_BIG ((int64_t)UINT32_MAX + 1)

/* The number that s is: one or more digits and nothing else. Returns 0..UINT32_MAX, ACME_DECIMAL_BIG for
 * anything over that, -1 when it is not a number. */
int64_t acme_slice_decimal(struct acme_slice s);

#ifdef __cplusplus
}
#endif

#endif
