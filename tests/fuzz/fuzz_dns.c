/* Datagrams to the solver for dns-01 by dynamic update. Each is a byte of flags, a byte of length, and the bytes of a message:
 * its head may be put right, it may be signed, time may pass. Without a signature nothing may come of any. */
#include "fuzz.h"

#include "dns/rfc2136.h"
#include "secure/hmac.h"

enum { HEAD = 1, SIGN = 2, WAIT = 4, OTHER_ID = 8 };

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const struct acme_tsig_key key = {"k.example", secret, sizeof secret - 1};
static const uint8_t *input;
static size_t input_len;
static uint8_t question[ACME_DNS_MESSAGE_MAX];
static size_t question_len;
static bool waits, vouched; /* a good answer to the update in hand has gone out, signed */
static uint8_t ids;

static int udp_open(void *ctx, const char *host, uint16_t port)
{
    (void)ctx, (void)host, (void)port;
    return 1;
}

static int udp_send(void *ctx, const void *data, size_t len)
{
    (void)ctx;
    MUST(len <= sizeof question);
    memcpy(question, data, len);
    question_len = len;
    return (int)len;
}

static void add16(struct acme_out *o, unsigned value)
{
    acme_dns_put16(o, value);
}

/* Signs what is in o as an answer to the question; false: there is no room. */
static bool sign(struct acme_out *o, uint16_t error)
{
    static const char owner[] = "\1k\7example", algorithm[] = "\13hmac-sha256";
    static const uint8_t len[] = {0, 32}, class_ttl[] = {0, 255, 0, 0, 0, 0}, time[] = {0, 0, 0x6b, 0, 0, 0, 1, 0x2c};
    const uint8_t tail[] = {(uint8_t)(error >> 8), (uint8_t)error, 0, 0};
    uint8_t mac[32];
    const struct acme_slice parts[] = {
        acme_slice(len, 2),        acme_slice(question + question_len - 6 - 32, 32),
        acme_slice(o->at, o->len), acme_slice(owner, sizeof owner),
        acme_slice(class_ttl, 6),  acme_slice(algorithm, sizeof algorithm),
        acme_slice(time, 8),       acme_slice(tail, 4),
    };
    acme_hmac_sha256(acme_slice(key.secret, key.secret_len), parts, sizeof parts / sizeof parts[0], mac);
    acme_out_bytes(o, owner, sizeof owner);
    add16(o, ACME_DNS_TSIG);
    acme_out_bytes(o, class_ttl, 6);
    add16(o, (unsigned)(sizeof algorithm + 8 + 2 + 32 + 2 + 4));
    acme_out_bytes(o, algorithm, sizeof algorithm);
    acme_out_bytes(o, time, 8);
    add16(o, 32);
    acme_out_bytes(o, mac, 32);
    acme_out_bytes(o, o->at, 2);
    acme_out_bytes(o, tail, 4);
    if (!o->overflow) {
        o->at[11]++;
    }
    return !o->overflow;
}

static int udp_recv(void *ctx, void *data, size_t cap)
{
    struct acme_rfc2136 *solver = ctx;
    struct acme_out o;
    if (input_len < 2) {
        return 0;
    }
    uint8_t flags = input[0];
    size_t len = input[1] < input_len - 2 ? input[1] : input_len - 2;
    acme_out_init(&o, data, cap);
    acme_out_bytes(&o, input + 2, len);
    input += 2 + len;
    input_len -= 2 + len;
    waits = (flags & WAIT) != 0;
    if ((flags & HEAD) != 0 && o.len >= ACME_DNS_HEAD) {
        memcpy(o.at, question, 2);
        o.at[2] = (char)(question[2] | 0x80 | (o.at[2] & 2));
    }
    if ((flags & SIGN) != 0 && o.len >= ACME_DNS_HEAD && solver->work != ACME_RFC2136_WATCH &&
        (uint8_t)o.at[11] != 255 && sign(&o, 0)) {
        bool update = solver->work == ACME_RFC2136_CHANGE && memcmp(o.at, question, 2) == 0 && (o.at[3] & 15) == 0;
        vouched = vouched || update;
    }
    if ((flags & OTHER_ID) != 0 && o.len > 0) {
        o.at[0] ^= 1;
    }
    return (int)o.len;
}

static void udp_close(void *ctx)
{
    (void)ctx;
}

static int sys_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    memset(buf, ++ids, len);
    return 0;
}

static int sys_utc(void *ctx, int64_t *utc)
{
    (void)ctx;
    *utc = 0x6b000000;
    return 1;
}

static void check_words(const struct acme_rfc2136 *solver)
{
    size_t len = strnlen(solver->words, sizeof solver->words);
    MUST(len < sizeof solver->words);
    for (size_t i = 0; i < len; i++) {
        MUST(solver->words[i] >= ' ' && solver->words[i] <= '~');
    }
}

/* Nobody who does not know the key can say anything. */
static void check_strangers(const uint8_t *data, size_t len)
{
    static struct fuzz_memory memory;
    static const uint8_t mac[32];
    struct acme_tsig_said said;
    len = len < 600 ? len : 600;
    MUST(acme_tsig_check(fuzz_copy(&memory, data, len), len, &key, mac, &said) != 1);
    MUST(said.their_utc == 0);
    for (size_t at = 0; at < len && at < 40; at++) {
        struct acme_dns_reader r = {data, len, at};
        struct acme_dns_name name;
        if (acme_dns_read_name(&r, &name)) {
            MUST(r.at > at && r.at <= len && name.len >= 1 && name.len <= ACME_DNS_NAME_MAX &&
                 name.at[name.len - 1] == 0);
            MUST(acme_dns_same(&name, &name));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const watch[] = {"ns2.example"};
    static struct acme_rfc2136 solver;
    static const struct acme_sys sys = {NULL, sys_random, sys_utc};
    static struct acme_udp udp = {&solver, udp_open, udp_send, udp_recv, udp_close};
    static struct acme_rfc2136_zone zone = {
        .udp = &udp, .sys = &sys, .server = "ns.example", .key = {"K.example.", secret, sizeof secret - 1}};
    struct acme_challenge challenge = {.name = "www.example", .token = "t", .thumbprint = "p", .type = "dns-01"};
    uint32_t now_ms = 0;
    int done = 0;

    check_strangers(data, len);
    zone.zone = len > 0 && (data[0] & 0x40) != 0 ? "example" : NULL;
    zone.watch = watch;
    zone.watch_count = len > 0 && (data[0] & 0x80) != 0 ? 1 : 0;
    input = data;
    input_len = len;
    vouched = false;
    MUST(acme_rfc2136_init(&solver, &zone) == 0);
    for (unsigned i = 0; i < 1000 && (done = solver.solver.present(&solver, &challenge)) == 0; i++) {
        waits = input_len < 2;
        (void)solver.solver.tick(&solver, now_ms);
        now_ms += waits ? 3000 : 1;
    }
    MUST(done != 0);
    MUST(done < 0 || vouched); /* a record that nobody has vouched for is not there */
    check_words(&solver);
    solver.solver.withdraw(&solver, &challenge);
    for (unsigned i = 0; i < 1000 && solver.solver.clearing(&solver); i++) {
        waits = input_len < 2;
        (void)solver.solver.tick(&solver, now_ms);
        now_ms += waits ? 3000 : 1;
    }
    MUST(!solver.solver.clearing(&solver));
    check_words(&solver);
    return 0;
}
