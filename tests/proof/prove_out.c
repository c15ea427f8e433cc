/* prove_out.c - the text writer: any text into a buffer of any size. */
#include "any.h"
#include "wire/out.h"

static char small[MOST];

int main(void)
{
    size_t len;
    struct acme_slice text = acme_slice(any_text(&len), len);
    size_t cap = (size_t)any_below(MOST + 1);
    struct acme_out o;

    //@ split cap;
    acme_out_init(&o, small + (MOST - cap), cap);
    switch (any_below(4)) {
    case 0:
        acme_out_slice(&o, text);
        break;
    case 1:
        acme_out_lower(&o, text);
        break;
    case 2:
        acme_out_json(&o, text);
        break;
    default:
        acme_out_u32(&o, (uint32_t)any_number());
        acme_out_text(&o, "text");
    }
    return acme_out_since(&o, 1).len > MOST;
}
