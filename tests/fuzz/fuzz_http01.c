/* Requests to the http-01 responder, on all its slots at once, in any mixture with time and failures. The answer is given
 * to those who ask for the live path, and to nobody else: a second reader of whole requests says who did. */
#include "fuzz.h"

#include "protocol/challenge_http01.h"

/* What the listener does is read from the input. */
static struct world {
    const uint8_t *at;
    size_t len, sent;
    struct {
        bool open, answered;
        size_t len, sent;
        char request[1024];
    } slot[ACME_HTTP01_SLOTS];
    bool listening, withdrawn;
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
    MUST(world.listening && slot < ACME_HTTP01_SLOTS && world.slot[slot].open);
}

static int start(void *ctx)
{
    (void)ctx;
    world.listening = true;
    return 1;
}

static int take(void *ctx, unsigned slot)
{
    (void)ctx;
    MUST(world.listening && slot < ACME_HTTP01_SLOTS && !world.slot[slot].open);
    world.slot[slot].open = next() & 1;
    world.slot[slot].len = world.slot[slot].sent = 0;
    world.slot[slot].answered = false;
    return world.slot[slot].open ? 1 : next() & 1 ? ACME_E_NET : 0;
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
    MUST(!world.slot[slot].answered); /* one request a connection */
    for (int i = 0; i < got; i++) {
        uint8_t byte = next();
        ((uint8_t *)data)[i] = byte;
        if (world.slot[slot].len < sizeof world.slot[slot].request) {
            world.slot[slot].request[world.slot[slot].len++] = (char)byte;
        }
    }
    return got;
}

static const char *const tokens[] = {"tok", "token"};

/* Which answer the request line asks for: GET, its path, a blank. -1: none. */
static int asks_for(const char *request, size_t len)
{
    for (int i = 0; i < 2; i++) {
        char line[64];
        int need = snprintf(line, sizeof line, "GET /.well-known/acme-challenge/%s ", tokens[i]);
        if (len >= (size_t)need && memcmp(request, line, (size_t)need) == 0) {
            return i;
        }
    }
    return -1;
}

static int give(void *ctx, unsigned slot, const void *data, size_t len)
{
    static const char yes[] = "HTTP/1.1 200 OK\r\n", no[] = "HTTP/1.1 404 Not Found\r\n";
    const char *text = data;
    int put = moved(len);
    (void)ctx;
    check(slot);
    MUST(len > 0 && memchr(data, '\0', len) == NULL);
    if (world.slot[slot].sent == 0) { /* the whole answer */
        int asked = asks_for(world.slot[slot].request, world.slot[slot].len);
        bool found = len > sizeof yes && memcmp(text, yes, sizeof yes - 1) == 0;
        char rest[32] = "0\r\n\r\n";
        MUST(found ? asked >= 0 : len > sizeof no && memcmp(text, no, sizeof no - 1) == 0);
        MUST(found || asked < 0 || (asked == 0 && world.withdrawn));
        if (found) {
            snprintf(rest, sizeof rest, "\r\n\r\n%s.print", tokens[asked]);
        }
        MUST(memcmp(text + len - strlen(rest), rest, strlen(rest)) == 0);
        world.slot[slot].answered = true;
    }
    world.slot[slot].sent += put > 0 ? (size_t)put : 0;
    return put;
}

static void end(void *ctx, unsigned slot)
{
    (void)ctx;
    check(slot);
    world.slot[slot].open = false;
}

static void stop(void *ctx)
{
    (void)ctx;
    world.listening = false;
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        MUST(!world.slot[i].open);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct acme_listener listener = {NULL, start, take, receive, give, end, stop};
    struct acme_challenge challenge[] = {{.name = "a.example", .token = "tok", .thumbprint = "print"},
                                         {.name = "b.example", .token = "token", .thumbprint = "print"}};
    struct acme_http01 http01;
    uint32_t now_ms = 0xffffff00;

    if (len > sizeof world.slot[0].request) {
        return 0;
    }
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        world.slot[i].open = false;
    }
    world.at = data;
    world.len = len;
    world.withdrawn = false;
    acme_http01_init(&http01, &listener);
    for (unsigned i = 0; i < 2; i++) {
        (void)http01.solver.present(&http01, &challenge[i]);
    }
    while (world.len > 0) {
        if (world.len == len / 2) { /* in the middle of requests */
            http01.solver.withdraw(&http01, &challenge[0]);
            world.withdrawn = true;
        }
        (void)http01.solver.tick(&http01, now_ms);
        now_ms += next() * 8u;
    }
    http01.solver.withdraw(&http01, &challenge[1]);
    http01.solver.withdraw(&http01, &challenge[0]); /* or once more */
    return 0;
}
