/* string.c - newlib's own for this processor are made for speed: 1.6 KB with memcpy, for what is short or seldom here. */
#include <stdint.h>
#include <string.h>

/* Else the compiler makes a call of memset from the loop in memset. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

struct __attribute__((packed, may_alias)) word {
    uint32_t word;
};

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *put = to;
    const uint8_t *get = from;

    /* Below from, too: memcpy goes upwards, so it reads before it writes. */
    if ((uintptr_t)to - (uintptr_t)from >= len) {
        return memcpy(to, from, len);
    }
    while (len-- > 0) {
        put[len] = get[len];
    }
    return to;
}

void *memset(void *to, int value, size_t len)
{
    uint8_t *put = to;
    const struct word word = {(uint8_t)value * 0x01010101u};

    for (; len >= sizeof word; len -= sizeof word) {
        *(struct word *)put = word;
        put += sizeof word;
    }
    while (len-- > 0) {
        *put++ = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *left = a, *right = b;

    for (; len > 0; len--, left++, right++) {
        if (*left != *right) {
            return *left - *right;
        }
    }
    return 0;
}

void *memchr(const void *at, int value, size_t len)
{
    for (const uint8_t *from = at; len > 0; len--, from++) {
        if (*from == (uint8_t)value) {
            return (void *)(uintptr_t)from;
        }
    }
    return NULL;
}

int strncmp(const char *a, const char *b, size_t len)
{
    for (; len > 0; len--, a++, b++) {
        if (*a != *b || *a == '\0') {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, INT32_MAX);
}

char *strchr(const char *at, int value)
{
    for (; *at != (char)value; at++) {
        if (*at == '\0') {
            return NULL;
        }
    }
    return (char *)(uintptr_t)at;
}

size_t strlen(const char *at)
{
    const char *end = at;

    while (*end != '\0') {
        end++;
    }
    return (size_t)(end - at);
}
