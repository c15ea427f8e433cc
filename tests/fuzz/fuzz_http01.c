/* Requests to the http-01 responder, on all its slots at once, in any mixture with time and failures. The answer is given
 * to those who ask for the live path, and to nobody else: a second reader of whole requests says who did. */
#include "fuzz.h"

#include "protocol/challenge_http01.h"

#define PATH "/.well-known/acme-challenge/tok"

/* What the listener does is read from the input. */
static struct world {
    const uint8_t *at;
    size_t len, sent;
    struct {
        bool open, answered;
        size_t len, sent;
        char request[1024];
    } slot[ACME_HTTP01_SLOTS];
    bool listening;
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

/* True when the request line asks for the live path, with GET or HEAD. */
static bool asks_for_it(const char *request, size_t len, bool head)
{
    const char *end = memchr(request, '\n', len);
    size_t left = end == NULL ? len : (size_t)(end - request);
    size_t word = head ? 5 : 4;

    if (left < word || memcmp(request, head ? "HEAD " : "GET ", word) != 0) {
        return false;
    }
    request += word;
    left -= word;
    if (left > 0 && request[0] != '/') { /* with scheme and authority */
        for (size_t i = 0; i < 7; i++) {
            if (i == left || (request[i] | (i < 4 ? 0x20 : 0)) != "http://"[i]) {
                return false;
            }
        }
        request += 7;
        left -= 7;
        while (left > 0 && request[0] != '/' && request[0] != ' ' && request[0] != '?') {
            request++;
            left--;
        }
    }
    return left > strlen(PATH) && memcmp(request, PATH " ", sizeof PATH) == 0;
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
        const char *request = world.slot[slot].request;
        bool head = request[0] == 'H';
        bool found = asks_for_it(request, world.slot[slot].len, head);
        MUST(len > sizeof no && memcmp(text, found ? yes : no, found ? sizeof yes - 1 : sizeof no - 1) == 0);
        const char *body = found ? "9\r\n\r\ntok.print" : "10\r\n\r\nnot found\n";
        size_t body_len = head ? strcspn(body, "\n") + 3 : strlen(body);
        MUST(memcmp(text + len - body_len, body, body_len) == 0);
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
    acme_http01_init(&http01, &listener);
    for (unsigned i = 0; i < 2; i++) {
        (void)http01.solver.present(&http01, &challenge[i]);
    }
    while (world.len > 0) {
        if (world.len == len / 2) { /* in the middle of requests */
            http01.solver.withdraw(&http01, &challenge[0]);
        }
        (void)http01.solver.tick(&http01, now_ms);
        now_ms += next() * 8u;
    }
    http01.solver.withdraw(&http01, &challenge[1]);
    http01.solver.withdraw(&http01, &challenge[0]); /* or once more */
    return 0;
}
