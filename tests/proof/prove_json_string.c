/* prove_json_string.c - decoding a string, with what jsmn has seen to: each backslash is followed by a letter it knows. */
#include "any.h"
#include "../../core/wire/json.c"

int main(void)
{
    char text[MOST + 1];
    size_t len = 0;

    Frama_C_make_unknown(text, sizeof text);
    while (len < MOST && any_below(4) > 0) {
        if (any_below(2) == 0) {
            text[len] = any_char();
            if (text[len] == '\\') {
                return 0;
            }
            len++;
        } else if (len + 2 <= MOST) {
            text[len++] = '\\';
            text[len++] = "\"/\\bfnrtu"[any_below(9)];
        }
    }
    return decode(text, (int)len);
}
