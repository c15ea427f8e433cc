/* prove_record.c - lines of the records of account and order: any text. What a line holds is kept or not by
 * acme_url_keep(), which prove_resource.c sees to. */
#include "any.h"
#include <string.h>

/* With a body, since of memchr() Eva only knows that its result is somewhere in the text. */
static void *find(const void *at, int c, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (((const unsigned char *)at)[i] == (unsigned char)c) {
            return (unsigned char *)at + i;
        }
    }
    return NULL;
}
#define memchr find

#include "../../core/lifecycle/record.c"

int main(void)
{
    size_t len;
    const char *text = any_text(&len);
    struct acme_slice rest = acme_slice(text, len), value;

    if (any_below(2) == 0) {
        return expect_line(&rest, "end") && expect_line(&rest, "end");
    }
    if (expect(&rest, "key", &value)) {
        must(value.len < len && rest.len < len);
        return value.len > 0 && value.at[0] + value.at[value.len - 1] == 0 && expect_same(&rest, "key", "value");
    }
    return 0;
}
