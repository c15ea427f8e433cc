/* slice.h - a piece of somebody else's text: pointer and length, never NUL-terminated, never owned. */
#ifndef ACME_WIRE_SLICE_H
#define ACME_WIRE_SLICE_H

#include <stddef.h>
#include <stdbool.h>
#include <string.h>

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

static inline bool acme_slice_is(struct acme_slice s, const char *text)
{
    /* an empty slice may have no address, which memcmp() must not see */
    return s.len == strlen(text) && (s.len == 0 || memcmp(s.at, text, s.len) == 0);
}

static inline char acme_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool acme_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Compares without regard to ASCII case, as host names, header names and media types want it. */
static inline bool acme_slice_is_nocase(struct acme_slice s, struct acme_slice other)
{
    if (s.len != other.len) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (acme_lower(s.at[i]) != acme_lower(other.at[i])) {
            return false;
        }
    }
    return true;
}

/* Where c is first; s.len when it is not there. */
static inline size_t acme_slice_find(struct acme_slice s, char c)
{
    size_t i = 0;

    while (i < s.len && s.at[i] != c) {
        i++;
    }
    return i;
}

/* Without the spaces and tabs at both ends: optional white space as HTTP has it (RFC 9110, 5.6.3). */
static inline struct acme_slice acme_slice_trim(struct acme_slice s)
{
    while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t')) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

#endif
