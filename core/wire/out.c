/* out.c - bounded text writer. */
#include "out.h"

void acme_out_init(struct acme_out *o, void *buf, size_t cap)
{
    o->at = (char *)buf;
    o->cap = cap;
    o->len = 0;
    o->overflow = false;
}

void acme_out_bytes(struct acme_out *o, const void *data, size_t len)
{
    if (o->overflow || len > o->cap - o->len) {
        o->overflow = true;
        return;
    }
    if (len > 0) {
        memcpy(o->at + o->len, data, len);
        o->len += len;
    }
}

void acme_out_text(struct acme_out *o, const char *text)
{
    acme_out_bytes(o, text, strlen(text));
}

void acme_out_u32(struct acme_out *o, uint32_t value)
{
    char digits[10];
    size_t first = sizeof digits;

    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    acme_out_bytes(o, digits + first, sizeof digits - first);
}

void acme_out_json(struct acme_out *o, struct acme_slice s)
{
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', 0, 0};

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c < 0x20) {
            escape[4] = hex[c >> 4];
            escape[5] = hex[c & 15];
            acme_out_bytes(o, escape, sizeof escape);
            continue;
        }
        if (c == '"' || c == '\\') {
            acme_out_bytes(o, escape, 1);
        }
        acme_out_bytes(o, s.at + i, 1);
    }
}

void acme_out_lower(struct acme_out *o, struct acme_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = acme_lower(s.at[i]);
        acme_out_bytes(o, &c, 1);
    }
}

struct acme_slice acme_out_since(const struct acme_out *o, size_t start)
{
    return start < o->len ? acme_slice(o->at + start, o->len - start) : acme_slice(o->at, 0);
}
