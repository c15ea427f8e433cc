/* slice.c - looking at pieces of text. */
#include "slice.h"

char acme_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool acme_is_letter(char c)
{
    char lower = acme_lower(c);

    return lower >= 'a' && lower <= 'z';
}

bool acme_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

int acme_hex_digit(char c)
{
    char lower = acme_lower(c);

    if (acme_is_digit(c)) {
        return c - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool acme_is_visible(char c, const char *but)
{
    return c > ' ' && c <= '~' && strchr(but, c) == NULL;
}

bool acme_slice_is(struct acme_slice s, const char *text)
{
    /* an empty slice may have no address, which memcmp() must not see */
    return s.len == strlen(text) && (s.len == 0 || memcmp(s.at, text, s.len) == 0);
}

bool acme_slice_is_nocase(struct acme_slice s, struct acme_slice other)
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

bool acme_slice_is_word(struct acme_slice s, const char *word)
{
    return acme_slice_is_nocase(s, acme_slice_of(word));
}

size_t acme_slice_find(struct acme_slice s, char c)
{
    size_t i = 0;

    while (i < s.len && s.at[i] != c) {
        i++;
    }
    return i;
}

struct acme_slice acme_slice_cut(struct acme_slice *rest, char c)
{
    struct acme_slice head = acme_slice(rest->at, acme_slice_find(*rest, c));
    size_t taken = head.len + (head.len < rest->len);

    rest->at += taken;
    rest->len -= taken;
    return head;
}

void acme_slice_trim(struct acme_slice *s)
{
    while (s->len > 0 && acme_is_blank(s->at[s->len - 1])) {
        s->len--;
    }
    while (s->len > 0 && acme_is_blank(s->at[0])) {
        s->at++;
        s->len--;
    }
}

int64_t acme_slice_decimal(struct acme_slice s)
{
    uint32_t value = 0;
    bool big = false;

    for (size_t i = 0; i < s.len; i++) {
        if (!acme_is_digit(s.at[i])) {
            return -1;
        }
        uint32_t digit = (uint32_t)(s.at[i] - '0');
        big = big || value > (UINT32_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    if (s.len == 0) {
        return -1;
    }
    return big ? ACME_DECIMAL_BIG : (int64_t)value;
}
