/* prove_slice.c - looking at pieces of text. */
#include "any.h"
#include "wire/slice.h"

int main(void)
{
    size_t len;
    struct acme_slice s = acme_slice(any_text(&len), len);
    s.len = len;
    switch (any_below(6)) {
    case 0:
        acme_slice_trim(&s);
        return (int)s.len;
    case 1:
        return acme_slice_cut(&s, any_char()).len > MOST;
    case 2:
        return acme_slice_decimal(s) > ACME_DECIMAL_BIG;
    case 3:
        return acme_slice_is(s, "word") || acme_slice_is_word(s, "word");
    case 4:
        return acme_is_visible(any_char(), "#") || acme_hex_digit(any_char()) > 15;
    default:
        return acme_slice_find(s, any_char()) > len;
    }
}
