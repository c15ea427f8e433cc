/* Requests to the http-01 responder, on all its slots at once, in any mixture with time and failures. */
#include <stdlib.h>
#include <string.h>

#include "protocol/challenge_http01.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What the listener does is read from the input. */
static struct world {
    const uint8_t *at;
    size_t len;
    bool open[ACME_HTTP01_SLOTS];
} world;

static uint8_t next(void)
{
    if (world.len == 0) {
        return 0;
    }
    world.len--;
    return *world.at++;
}

static void check(unsigned slot)
{
    if (slot >= ACME_HTTP01_SLOTS || !world.open[slot]) {
        abort();
    }
}

static int start(void *ctx)
{
    (void)ctx;
    return 1;
}

static int take(void *ctx, unsigned slot)
{
    (void)ctx;
    if (slot >= ACME_HTTP01_SLOTS || world.open[slot]) {
        abort();
    }
    world.open[slot] = next() & 1;
    return world.open[slot] ? 1 : next() & 1 ? ACME_E_NET : 0;
}

static int moved(size_t most)
{
    uint8_t how = next();
    if (how >= 250) {
        return how & 1 ? ACME_E_NET : ACME_E_CLOSED;
    }
    return (int)(how < most ? how : most);
}

static int receive(void *ctx, unsigned slot, void *data, size_t cap)
{
    int got = moved(cap);
    (void)ctx;
    check(slot);
    for (int i = 0; i < got; i++) {
        ((uint8_t *)data)[i] = next();
    }
    return got;
}

static int give(void *ctx, unsigned slot, const void *data, size_t len)
{
    int put = moved(len);
    (void)ctx;
    check(slot);
    if (len > 0 && memchr(data, '\0', len) != NULL) {
        abort();
    }
    return put;
}

static void end(void *ctx, unsigned slot)
{
    (void)ctx;
    check(slot);
    world.open[slot] = false;
}

static void stop(void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        if (world.open[i]) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct acme_listener listener = {NULL, start, take, receive, give, end, stop};
    static const struct acme_challenge challenge = {"a.example", "tok", "tok.print"};
    struct acme_http01 http01;
    uint32_t now_ms = 0xffffff00;

    memset(&world, 0, sizeof world);
    world.at = data;
    world.len = len;
    acme_http01_init(&http01, &listener);
    (void)http01.solver.present(&http01, &challenge);
    while (world.len > 0) {
        (void)http01.solver.tick(&http01, now_ms);
        now_ms += next() * 8u;
    }
    http01.solver.withdraw(&http01);
    return 0;
}
