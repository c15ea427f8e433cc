/* base64.c - see base64.h. */
#include "base64.h"

/* In the order of their values; behind them what else may stand among them. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n";

static void put(struct acme_out *o, uint32_t bits, const char last[2])
{
    uint32_t value = bits & 63u;

    acme_out_bytes(o, value < 62 ? &alphabet[value] : &last[value - 62], 1);
}

void acme_out_base64(struct acme_out *o, const void *data, size_t len, const char last[2])
{
    const uint8_t *in = data;
    size_t start = o->len;
    uint32_t bits = 0;
    unsigned have = 0;

    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | in[i];
        have += 8;
        while (have >= 6) {
            have -= 6;
            put(o, bits >> have, last);
        }
    }
    if (have > 0) {
        put(o, bits << (6 - have), last);
    }
    if (o->overflow) {
        o->len = start;
    }
}

unsigned acme_base64_value(char c)
{
    const char *at = memchr(alphabet, c, sizeof alphabet - 1);

    if (at == NULL) {
        return ACME_BASE64_BAD;
    }
    return at < alphabet + ACME_BASE64_SPACE ? (unsigned)(at - alphabet) : ACME_BASE64_SPACE;
}

bool acme_is_base64url(struct acme_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!acme_is_letter(s.at[i]) && !acme_is_digit(s.at[i]) && s.at[i] != '-' && s.at[i] != '_') {
            return false;
        }
    }
    return true;
}
