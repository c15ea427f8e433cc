/* channel_setup.c - what a channel with TLS of our own takes from the set-up (channel.h). Apart from channel.c, which a test
 * may replace without it. */
#include <string.h>

#include "channel.h"
#include "tls.h"

#if ACME_CFG_CHECK

int acme_channel_check(const struct acme_setup *setup, bool plain)
{
    if (setup->net == NULL || setup->ca.trust == NULL || setup->tls == NULL || setup->tls_buffer == NULL) {
        return ACME_E_NULL;
    }
    if (setup->tls_buffer_len < ACME_TLS_BUFFER_SMALL) {
        return ACME_E_WORK_SMALL;
    }
    return setup->ca.trust->count == 0 && !plain ? ACME_E_ANCHORS : 0;
}

#else

int acme_channel_check(const struct acme_setup *setup, bool plain)
{
    (void)plain;
    return setup->tls_buffer_len < ACME_TLS_BUFFER_SMALL ? ACME_E_WORK_SMALL : 0;
}

#endif

void acme_channel_init(struct acme_channel *c, const struct acme_setup *setup)
{
    memset(setup->tls, 0, sizeof *setup->tls);
    c->net = setup->net;
    c->sys = setup->sys;
    c->trust = setup->ca.trust;
    c->tls = setup->tls;
    c->buffer = setup->tls_buffer;
    c->buffer_len = setup->tls_buffer_len;
}

const char *acme_channel_issuer(const struct acme_channel *c)
{
    return acme_tls_issuer(c->tls);
}
