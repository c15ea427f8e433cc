/* prove_base64.c - both alphabets, into a buffer of any size. */
#include "any.h"
#include "wire/base64.h"

static char small[MOST];

int main(void)
{
    size_t len;
    const char *text = any_text(&len);
    struct acme_out o;

    size_t cap = (size_t)any_below(MOST + 1);
    //@ split cap;
    acme_out_init(&o, small + (MOST - cap), cap);
    acme_out_base64(&o, text, len, "-_");
    return acme_base64_value(any_char()) > 255 || acme_is_base64url(acme_slice(text, len)) || o.overflow;
}
