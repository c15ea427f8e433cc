/* address.c - see address.h. */
#include "address.h"

#if ACME_CFG_ADDRESSES

#define NONE  (ACME_ADDRESS_MAX + 1) /* no "::" so far */
#define NEVER (NONE + 1)             /* none may be    */

/* Puts zeros in the place of "::", which has `gap` bytes of `len` before it, and tells whether it is where it should be. */
static bool fill(uint8_t *address, size_t len, size_t gap)
{
    size_t longest = 2;
    size_t start = NONE;
    size_t run = 0;

    if (gap != NONE) {
        memmove(address + ACME_ADDRESS_MAX - (len - gap), address + gap, len - gap);
        memset(address + gap, 0, ACME_ADDRESS_MAX - len);
    }
    for (size_t i = 0; i < ACME_ADDRESS_MAX; i += 2) {
        run = (address[i] | address[i + 1]) == 0 ? run + 2 : 0;
        if (run > longest) {
            longest = run;
            start = i + 2 - run;
        }
    }
    bool mapped = start == 0 && longest == 10 && (address[10] & address[11]) == 0xff; /* RFC 4291, 2.5.5.2 */
    return start == gap && (gap == NONE || longest == ACME_ADDRESS_MAX - len) && !mapped;
}

int acme_address_read(struct acme_slice text, uint8_t address[ACME_ADDRESS_MAX])
{
    const bool v6 = acme_slice_find(text, ':') < text.len;
    const char between = v6 ? ':' : '.';
    const size_t size = v6 ? 16 : 4;
    size_t gap = v6 ? NONE : NEVER;
    size_t len = 0;
    size_t digits = 0;
    unsigned number = 0;
    bool canonical = true;

    for (size_t i = 0; i <= text.len; i++) {
        char c = i < text.len ? text.at[i] : between;
        int digit = acme_hex_digit(c);
        if (digit >= 0 && (v6 || digit < 10)) {
            canonical = canonical && c == acme_lower(c) && (digits == 0 || number > 0); /* no leading zeros */
            number = number * (v6 ? 16 : 10) + (unsigned)digit;
            digits++;
            if (number > (v6 ? 0xffff : 0xff) || len == size) {
                return 0;
            }
        } else if (c != between) {
            return 0;
        } else if (digits > 0) {
            address[len] = (uint8_t)(number >> 8);
            len += v6;
            address[len++] = (uint8_t)number;
            number = 0;
            digits = 0;
        } else if (i == text.len ? gap != len : i > 0 && gap != NONE) {
            return 0;
        } else if (i > 0) {
            gap = len;
        }
    }
    /* only "::" may be the beginning */
    if ((text.at[0] == between) != (gap == 0) || (len == size) == (gap < NONE)) {
        return 0;
    }
    canonical = (!v6 || fill(address, len, gap)) && canonical;
    return canonical ? (int)size : -(int)size;
}

bool acme_is_address(const char *name)
{
    uint8_t address[ACME_ADDRESS_MAX];

    return acme_address_read(acme_slice_of(name), address) > 0;
}

bool acme_name_is(struct acme_slice theirs, const char *ours)
{
    uint8_t a[ACME_ADDRESS_MAX], b[ACME_ADDRESS_MAX];
    int len = acme_address_read(acme_slice_of(ours), a);

    if (len == 0) {
        return acme_slice_is_word(theirs, ours);
    }
    int other = acme_address_read(theirs, b);
    return (other == len || other == -len) && memcmp(a, b, (size_t)len) == 0;
}

#endif
