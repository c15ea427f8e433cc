/* b64url.c - see b64url.h. */
#include "b64url.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void acme_out_b64url(struct acme_out *o, const void *data, size_t len)
{
    const uint8_t *in = data;
    uint32_t bits = 0;
    unsigned have = 0;

    if (o->overflow || len > (o->cap - o->len) / 4 * 3 + 2 || ACME_B64URL_LEN(len) > o->cap - o->len) {
        o->overflow = true;
        return;
    }
    /* Three bytes are read before their four characters are written, and what is written reaches what is
     * still to be read only with the last of them: data may be the end of this very buffer. */
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | in[i];
        have += 8;
        if (have < 24 && i + 1 < len) {
            continue;
        }
        bits <<= 24 - have;
        for (unsigned at = 18; have > 0; at -= 6) {
            o->at[o->len++] = alphabet[bits >> at & 63];
            have = have > 6 ? have - 6 : 0;
        }
        bits = 0;
    }
}

void acme_out_b64url_since(struct acme_out *o, size_t start)
{
    size_t len = o->len - start;
    char *end;

    if (o->overflow) {
        return;
    }
    end = o->at + o->cap - len;
    memmove(end, o->at + start, len);
    o->len = start;
    acme_out_b64url(o, end, len);
}

bool acme_b64url_ok(struct acme_slice s, size_t max)
{
    if (s.len == 0 || s.len > max) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (memchr(alphabet, s.at[i], sizeof alphabet - 1) == NULL) {
            return false;
        }
    }
    return true;
}
