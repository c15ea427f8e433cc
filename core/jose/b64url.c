/* b64url.c - see b64url.h. */
#include "b64url.h"

#include "../wire/base64.h"

void acme_out_b64url(struct acme_out *o, const void *data, size_t len)
{
    acme_out_base64(o, data, len, "-_");
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
    return s.len > 0 && s.len <= max && acme_is_base64url(s);
}
