/* prove_json_text.c - the grammar checker of JSON: any text. */
#include "any.h"
#include "../../core/wire/json.c"

int main(void)
{
    size_t len;
    const char *text = any_text(&len);
    struct text t = {text, len, 0};

    return check(&t);
}
