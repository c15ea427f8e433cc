/* What somebody says to the tls-alpn-01 responder, in pieces, with time between. A certificate is shown to those who offer
 * "acme-tls/1" and call for the live name, and to nobody else: a second reader of the ClientHello says who did. All others hear
 * an alert that tells nothing, and never no_application_protocol. Nobody keeps the slot. */
#include "fuzz.h"

#include "protocol/challenge_tlsalpn01.h"

#define NAME     "a.example"
#define PROTOCOL "acme-tls/1"

static struct world {
    const uint8_t *at;
    size_t len, piece;
    uint8_t sent[2048];
    size_t sent_len;
    bool came, open, listening;
} world;

static int start(void *ctx)
{
    (void)ctx;
    world.listening = true;
    return 1;
}

static int take(void *ctx, unsigned slot)
{
    (void)ctx;
    MUST(world.listening);
    if (slot != 0 || world.came) {
        return 0;
    }
    world.came = world.open = true;
    return 1;
}

static int receive(void *ctx, unsigned slot, void *data, size_t cap)
{
    (void)ctx;
    MUST(slot == 0 && world.open && cap > 0);
    cap = cap < world.len ? cap : world.len;
    cap = cap < world.piece ? cap : world.piece;
    if (cap > 0) {
        memcpy(data, world.at, cap);
        world.at += cap;
        world.len -= cap;
    }
    return (int)cap;
}

static int give(void *ctx, unsigned slot, const void *data, size_t len)
{
    (void)ctx;
    MUST(slot == 0 && world.open && len > 0 && world.sent_len + len <= sizeof world.sent);
    memcpy(world.sent + world.sent_len, data, len);
    world.sent_len += len;
    return (int)len;
}

static void end(void *ctx, unsigned slot)
{
    (void)ctx;
    MUST(slot == 0 && world.open);
    world.open = false;
}

static void stop(void *ctx)
{
    (void)ctx;
    MUST(!world.open);
    world.listening = false;
}

/* Nothing is random, and nobody verifies a signature here. */

static int no_random(void *ctx, void *buf, size_t len)
{
    static uint8_t count;
    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)buf)[i] = (uint8_t)(i * 7 + count);
    }
    count++;
    return 0;
}

static int no_sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    (void)handle;
    memcpy(signature, digest, 32);
    memcpy(signature + 32, digest, 32);
    return 0;
}

static int no_point(void *handle, uint8_t point[65])
{
    (void)handle;
    memset(point, 4, 65);
    return 0;
}

static int no_generate(void *handle, const struct acme_sys *sys)
{
    struct acme_key_p256 *key = handle;
    (void)sys;
    key->ready = true;
    return 0;
}

static const struct acme_key_ops ops = {no_point, no_sign, no_generate, NULL, NULL};

/* --- the second reader: does a ClientHello have these, wherever they stand? --- */

struct text {
    const uint8_t *at;
    size_t len;
};

/* Takes what stands behind its length of `size` bytes; what is cut short is what there is. */
static struct text take_text(struct text *in, size_t size)
{
    struct text out = {in->at, 0};
    size_t len = 0;

    for (size_t i = 0; i < size && in->len > 0; i++, in->at++, in->len--) {
        len = len << 8 | *in->at;
    }
    out.at = in->at;
    out.len = len < in->len ? len : in->len;
    in->at += out.len;
    in->len -= out.len;
    return out;
}

static bool is(struct text t, const char *word)
{
    return t.len == strlen(word) && memcmp(t.at, word, t.len) == 0;
}

/* In any case; behind a zero, as BearSSL keeps names, it is over. */
static bool is_name(struct text t)
{
    const uint8_t *zero = t.len > 0 ? memchr(t.at, 0, t.len) : NULL;

    t.len = zero != NULL ? (size_t)(zero - t.at) : t.len;
    t.len -= t.len > 0 && t.at[t.len - 1] == '.';
    if (t.len != strlen(NAME)) {
        return false;
    }
    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = t.at[i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != NAME[i]) {
            return false;
        }
    }
    return true;
}

static void read_extension(unsigned type, struct text body, bool *named, bool *offered)
{
    struct text list = take_text(&body, 2);

    while (list.len > 0 && type == 0) {
        uint8_t kind = *list.at++;
        list.len--;
        struct text name = take_text(&list, 2);
        *named = *named || (kind == 0 && is_name(name));
    }
    while (list.len > 0 && type == 16) {
        *offered = is(take_text(&list, 1), PROTOCOL) || *offered;
    }
}

static void read_hello(const uint8_t *data, size_t len, bool *named, bool *offered)
{
    static uint8_t flat[2048];
    struct text hello = {flat, 0}, in = {data, len}, extensions;

    while (in.len > 5) { /* records of the handshake, put together; alerts may stand between */
        bool handshake = in.at[0] == 22;
        in.at += 3;
        in.len -= 3;
        struct text record = take_text(&in, 2);
        if (handshake) {
            memcpy(flat + hello.len, record.at, record.len);
            hello.len += record.len;
        }
    }
    if (hello.len < 4 + 2 + 32) {
        return;
    }
    hello.at += 4 + 2 + 32;
    hello.len -= 4 + 2 + 32;
    (void)take_text(&hello, 1); /* session */
    (void)take_text(&hello, 2); /* suites */
    (void)take_text(&hello, 1); /* compression */
    extensions = take_text(&hello, 2);
    while (extensions.len >= 4) {
        unsigned type = (unsigned)extensions.at[0] << 8 | extensions.at[1];
        extensions.at += 2;
        extensions.len -= 2;
        read_extension(type, take_text(&extensions, 2), named, offered);
    }
}

/* What was sent before the handshake was over. */
static void judge(const uint8_t *said, size_t len)
{
    bool named = false, offered = false;

    read_hello(said, len, &named, &offered);
    if (world.sent_len == 0) {
        return;
    }
    if (world.sent[0] == 22) {
        MUST(named && offered);
        return;
    }
    MUST(world.sent_len == 7 && world.sent[0] == 0x15);
    if (world.sent[5] == 1) {
        MUST(world.sent[6] == 0); /* close_notify, to who has said so, maybe before there was a version */
        return;
    }
    MUST(world.sent[1] == 3 || world.sent[6] == 70); /* there is none */
    MUST(world.sent[6] == 40 || world.sent[6] == 70 || world.sent[6] == 86 || (world.sent[6] == 112 && offered));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct acme_listener listener = {NULL, start, take, receive, give, end, stop};
    static const struct acme_sys sys = {NULL, no_random, NULL};
    static struct acme_tlsalpn01 t;
    struct acme_challenge challenge = {.name = "A.example", .token = "token", .thumbprint = "print"};
    uint32_t now_ms = 0xffffff00;

    if (len < 2) {
        return 0;
    }
    world = (struct world){.at = data + 2, .len = len - 2, .piece = data[0] + 1u};
    acme_tlsalpn01_init(&t, &listener, &sys);
    t.host.key.ops = &ops;
    for (int done = 0; done != 1;) {
        done = t.solver.present(&t, &challenge);
        (void)t.solver.tick(&t, now_ms);
    }
    for (unsigned i = 0; (world.open || !world.came) && i < 12000; i++) {
        (void)t.solver.tick(&t, now_ms);
        now_ms += data[1];
        now_ms += world.len == 0 ? 50 : 1;
    }
    MUST(!world.open);
    judge(data + 2, len - 2);
    t.solver.withdraw(&t, &challenge);
    MUST(!world.listening && t.answered == 0); /* nobody can finish who has no key */
    return 0;
}
