/* trial_client.c - the client on trial: BearSSL, by core/secure. */
#include "trial.h"

#include <string.h>

static struct acme_tls tls;
static unsigned char buffer[ACME_TLS_BUFFER_MIN];

void trial_client_begin(struct acme_channel *channel, const struct acme_net *net, const struct acme_sys *sys,
                        char *const *anchors, size_t count)
{
    static char memory[8192];
    static struct acme_trust trust;
    struct acme_trust_reader r;

    acme_trust_begin(&r, memory, sizeof memory);
    for (size_t i = 0; i < count; i++) { /* one that its reader leaves out is not there */
        acme_trust_add(&r, anchors[i], strlen(anchors[i]));
    }
    (void)acme_trust_end(&r, &trust);
    memset(&tls, 0, sizeof tls);
    channel->net = net;
    channel->sys = sys;
    channel->trust = &trust;
    channel->tls = &tls;
    channel->buffer = buffer;
    channel->buffer_len = trial.buffer_len;
}

void trial_client_is_mute(void)
{
    assert_int_equal(acme_tls_write(&tls, "GET", 3, true), 0);
}

bool trial_client_refuses(const char *section, const char *name, int done, int error, int code)
{
    (void)section, (void)name;
    return done == error && trial.tls_code == code;
}

bool trial_client_accepts(const char *section, const char *name, bool accepted)
{
    (void)section, (void)name;
    return accepted;
}

bool trial_client_knows_addresses(void)
{
    return true;
}

bool trial_client_speaks_13(void)
{
    return false;
}
