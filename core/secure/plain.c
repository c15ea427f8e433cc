/* plain.c - see plain.h. */
#include "plain.h"

#if ACME_CFG_PLAIN_HTTP

void acme_plain_begin(struct acme_channel *c, const struct acme_url *url)
{
    c->plain.on = acme_url_is_plain(url);
    c->ahead = false;
}

void acme_plain_opened(struct acme_channel *c)
{
    c->plain.connections++;
}

int acme_plain_peek(struct acme_channel *c)
{
    int got = c->ahead ? 1 : c->net->recv(c->net->ctx, &c->byte, 1);

    if (got > 0 && !c->ahead) {
        c->ahead = true;
        c->down++;
    }
    return got;
}

/* A server may answer before the request is out, and then stop reading it: so it is listened to when it takes no more. */
int acme_plain_send(struct acme_channel *c, const void *data, size_t len)
{
    int sent = c->net->send(c->net->ctx, data, len);
    int said = 0;

    if (sent > 0) {
        c->up += (uint32_t)sent;
    }
    if (sent < 0 || (size_t)sent == len) {
        return sent;
    }
    said = acme_plain_peek(c);
    if (said > 0) {
        c->cut = true;
        return (int)len;
    }
    return said < 0 ? said : sent;
}

int acme_plain_recv(struct acme_channel *c, void *data, size_t cap)
{
    int got;

    if (c->ahead) {
        memcpy(data, &c->byte, 1);
        c->ahead = false;
        return 1;
    }
    got = c->net->recv(c->net->ctx, data, cap);
    if (got > 0) {
        c->down += (uint32_t)got;
    }
    return got;
}

#endif
