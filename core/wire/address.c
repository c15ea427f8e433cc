/* address.c - IP addresses as text. */
#include "address.h"

#define GROUPS 8            /* of 16 bits */
#define NONE   (GROUPS + 1) /* no "::" */

/* Takes a number in its shortest form off the text, of digits below `base`, small ones. Returns -1 when there is none. */
static int32_t take_number(struct acme_slice *text, int base, size_t digits)
{
    struct acme_slice number = *text;
    int32_t value = 0;
    size_t len = 0;

    for (; len < number.len && len <= digits; len++) {
        int digit = acme_hex_digit(number.at[len]);
        if (digit < 0 || digit >= base || number.at[len] != acme_lower(number.at[len])) {
            break;
        }
        value = value * base + digit;
    }
    *text = acme_slice(number.at + len, number.len - len);
    return len == 0 || len > digits || (len > 1 && number.at[0] == '0') ? -1 : value;
}

/* Takes `wanted` when it is next. */
static bool take(struct acme_slice *text, char wanted)
{
    bool is = text->len > 0 && text->at[0] == wanted;

    text->at += is;
    text->len -= is;
    return is;
}

static bool read_v4(struct acme_slice text, uint8_t *address)
{
    for (size_t i = 0; i < 4; i++) {
        if (i > 0 && !take(&text, '.')) {
            return false;
        }
        int32_t number = take_number(&text, 10, 3);
        if (number < 0 || number > 255) {
            return false;
        }
        address[i] = (uint8_t)number;
    }
    return text.len == 0;
}

/* Finds the run of zero groups that "::" stands for. Returns its length; 0 when no two are together. */
static size_t longest_run(const uint8_t *address, size_t *start)
{
    size_t longest = 1;
    size_t run = 0;

    for (size_t i = 0; i < GROUPS; i++) {
        run = address[2 * i] == 0 && address[2 * i + 1] == 0 ? run + 1 : 0;
        if (run > longest) {
            longest = run;
            *start = i + 1 - run;
        }
    }
    return longest > 1 ? longest : 0;
}

static bool is_mapped(const uint8_t *address)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291, 2.5.5.2 */

    return memcmp(address, prefix, sizeof prefix) == 0;
}

static bool read_v6(struct acme_slice text, uint8_t *address)
{
    size_t groups = 0;
    size_t gap = NONE; /* groups before "::" */
    size_t start = NONE;

    memset(address, 0, ACME_ADDRESS_MAX);
    while (text.len > 0) {
        bool colon = take(&text, ':');
        if (colon && gap == NONE && take(&text, ':')) {
            gap = groups;
        } else if (colon != (groups > 0)) {
            return false;
        }
        if (text.len == 0 && gap == groups) {
            break; /* ends with "::" */
        }
        int32_t number = groups < GROUPS ? take_number(&text, 16, 4) : -1;
        if (number < 0) {
            return false;
        }
        address[2 * groups] = (uint8_t)(number >> 8);
        address[2 * groups + 1] = (uint8_t)number;
        groups++;
    }
    if (gap < NONE) {
        memmove(address + ACME_ADDRESS_MAX - 2 * (groups - gap), address + 2 * gap, 2 * (groups - gap));
        memset(address + 2 * gap, 0, 2 * (GROUPS - groups));
    }
    size_t run = longest_run(address, &start);
    return GROUPS - groups == run && start == gap && !is_mapped(address);
}

int acme_address_parse(struct acme_slice text, uint8_t address[ACME_ADDRESS_MAX])
{
    if (text.len == 0) {
        return 0; /* it may have no address */
    }
    if (read_v4(text, address)) {
        return 4;
    }
    return read_v6(text, address) ? 16 : 0;
}
