/* plain.h - where a channel is another one when the URL says http: bytes go between its caller and struct acme_net as they
 * are. For channel.c, which does all the rest. Without ACME_CFG_PLAIN_HTTP nothing of this is left. */
#ifndef ACME_SECURE_PLAIN_H
#define ACME_SECURE_PLAIN_H

#include "channel.h"

#ifdef __cplusplus
extern "C" {
#endif

#if ACME_CFG_PLAIN_HTTP

static inline bool acme_plain(const struct acme_channel *c)
{
    return c->plain.on;
}

/* Says what the connection that is being opened will be. */
void acme_plain_begin(struct acme_channel *c, const struct acme_url *url);

/* Counts it, once it is open. */
void acme_plain_opened(struct acme_channel *c);

/* Looks whether the server has said something, of which a byte is then kept. Returns 1 yes, 0 no, or an error. */
int acme_plain_peek(struct acme_channel *c);

/* As acme_channel_send() and acme_channel_recv(), but time does not count, and an error closes nothing. */
int acme_plain_send(struct acme_channel *c, const void *data, size_t len);
int acme_plain_recv(struct acme_channel *c, void *data, size_t cap);

#else

#define acme_plain(c)                 false
#define acme_plain_begin(c, url)      ((void)(url))
#define acme_plain_opened(c)          ((void)(c))
#define acme_plain_peek(c)            0
#define acme_plain_send(c, data, len) 0
#define acme_plain_recv(c, data, cap) 0

#endif

#ifdef __cplusplus
}
#endif

#endif
