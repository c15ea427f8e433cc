/* test_rfc2136.c - dns-01 by dynamic update, against a name server of the test's own: DNS messages, TSIG, the solver. The server
 * writes and signs its messages by itself, with OpenSSL. */
#include "unit.h"

#include "dns/rfc2136.h"

#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define DNS_NOW  1796000000
#define TXT_MAX  8
#define SECRET   "0123456789abcdef0123456789abcdef"
#define KEY_NAME "tsig.device"

/* --- a message of the test's --- */

struct wire {
    uint8_t at[1200];
    size_t len;
};

static void bytes(struct wire *w, const void *data, size_t len)
{
    assert_true(w->len + len <= sizeof w->at);
    memcpy(w->at + w->len, data, len);
    w->len += len;
}

static void number(struct wire *w, uint64_t value, unsigned len)
{
    while (len-- > 0) {
        w->at[w->len++] = (uint8_t)(value >> (8 * len));
    }
}

static void name(struct wire *w, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, ".");
        number(w, len, 1);
        bytes(w, text, len);
        text += len + (text[len] == '.');
    }
    number(w, 0, 1);
}

static void record(struct wire *w, const char *owner, unsigned type, const void *data, size_t len)
{
    name(w, owner);
    number(w, type, 2);
    number(w, 1, 2);
    number(w, 60, 4);
    number(w, len, 2);
    bytes(w, data, len);
}

/* --- the server --- */

enum how {
    SIGNED,
    UNSIGNED,
    BAD_MAC,
    OTHER_KEY,
    OTHER_ALGORITHM,
    SHORT_MAC,
    TSIG_ERROR, /* unsigned, with `tsig` as its error */
    FORWARDED,  /* the ID in the TSIG is another      */
    SILENT,
    REFUSES_PORT /* nobody listens: ICMP */
};

struct rule {
    enum how how;
    unsigned rcode, tsig;
    unsigned late; /* questions that get no answer before */
};

static struct {
    struct rule query, update;
    const char *zone;         /* whose SOA is told; NULL: none */
    bool answer;              /* in the answer section          */
    const char *alias[12][2]; /* CNAMEs                         */
    bool chained;             /* all of the aliases at once     */
    unsigned shown_after;     /* TXT queries before it is shown */
    bool truncated, forged, other_soa, bad_alias, noise, cut_txt, bad_txt;
    int64_t their_clock;
    /* what came */
    unsigned opens, queries, updates, adds, deletes, looks, closes;
    char hosts[200];
    char txt[TXT_MAX][64], at[TXT_MAX][256];
    /* what goes back */
    struct wire queue[8];
    unsigned count;
    int open_result, send_result, recv_result;
    uint16_t port;
    size_t longest;
} dns;

static int64_t utc_now;
static int utc_known, random_error;
static uint8_t request_mac[32];

static void sign_as(struct wire *w, const char *key, const char *algorithm, unsigned error, unsigned id,
                    size_t mac_len, bool good, int64_t other)
{
    struct wire vars = {.len = 0};
    uint8_t mac[32];
    unsigned len = sizeof mac;
    number(&vars, 32, 2);
    bytes(&vars, request_mac, 32);
    bytes(&vars, w->at, w->len);
    name(&vars, key);
    number(&vars, 255, 2);
    number(&vars, 0, 4);
    size_t at = vars.len;
    name(&vars, algorithm);
    for (; at < vars.len; at++) { /* canonical form */
        vars.at[at] |= vars.at[at] >= 'A' && vars.at[at] <= 'Z' ? 0x20 : 0;
    }
    number(&vars, (uint64_t)utc_now, 6);
    number(&vars, 300, 2);
    number(&vars, error, 2);
    number(&vars, other != 0 ? 6 : 0, 2);
    number(&vars, (uint64_t)other, other != 0 ? 6 : 0);
    HMAC(EVP_sha256(), SECRET, sizeof SECRET - 1, vars.at, vars.len, mac, &len);
    mac[31] ^= good ? 0 : 1;
    name(w, key);
    number(w, 250, 2);
    number(w, 255, 2);
    number(w, 0, 4);
    struct wire data = {.len = 0};
    name(&data, algorithm);
    number(&data, (uint64_t)utc_now, 6);
    number(&data, 300, 2);
    number(&data, mac_len, 2);
    bytes(&data, mac, mac_len);
    number(&data, id, 2);
    number(&data, error, 2);
    number(&data, other != 0 ? 6 : 0, 2);
    number(&data, (uint64_t)other, other != 0 ? 6 : 0);
    number(w, data.len, 2);
    bytes(w, data.at, data.len);
    w->at[11]++;
}

static void sign(struct wire *w, const struct rule *rule)
{
    unsigned id = (unsigned)w->at[0] << 8 | w->at[1];
    switch (rule->how) {
    case UNSIGNED:
        break;
    case BAD_MAC:
        sign_as(w, KEY_NAME, "hmac-sha256", rule->tsig, id, 32, false, 0);
        break;
    case OTHER_KEY:
        sign_as(w, "another.key", "hmac-sha256", 0, id, 32, true, 0);
        break;
    case OTHER_ALGORITHM:
        sign_as(w, KEY_NAME, "hmac-sha512", 0, id, 32, true, 0);
        break;
    case SHORT_MAC:
        sign_as(w, KEY_NAME, "hmac-sha256", 0, id, 16, true, 0);
        break;
    case TSIG_ERROR:
        sign_as(w, KEY_NAME, "hmac-sha256", rule->tsig, id, 0, true, 0);
        break;
    case FORWARDED:
        w->at[0] ^= 0x55; /* what was signed has the ID that the forwarder gave it */
        sign_as(w, KEY_NAME, "HMAC-sha256", 0, id ^ 0x5500, 32, true, 0);
        w->at[0] ^= 0x55;
        break;
    default:
        sign_as(w, KEY_NAME, "hmac-sha256", rule->tsig, id, 32, true, rule->tsig == 18 ? dns.their_clock : 0);
        break;
    }
}

/* Reads an uncompressed name as text; returns what follows. */
static const uint8_t *text_of(const uint8_t *at, char *text)
{
    *text = '\0';
    for (; *at != 0; at += *at + 1) {
        strncat(text, (const char *)at + 1, *at);
        strcat(text, at[*at + 1] != 0 ? "." : "");
    }
    return at + 1;
}

/* The request is signed, as of now, with our key, in canonical form. */
static void check_signature(const uint8_t *m, size_t len)
{
    struct wire vars = {.len = 0}, tail = {.len = 0};
    uint8_t mac[32];
    unsigned mac_len = sizeof mac;
    name(&tail, KEY_NAME);
    size_t owner = tail.len, tsig = owner + 10 + 13 + 6 + 2 + 2 + 32 + 6;
    const uint8_t *at = m + len - tsig;
    assert_memory_equal(at, tail.at, owner);
    memcpy(request_mac, m + len - 6 - 32, 32);
    bytes(&vars, m, len - tsig);
    vars.at[11]--;
    bytes(&vars, tail.at, owner);
    number(&vars, 255, 2);
    number(&vars, 0, 4);
    name(&vars, "hmac-sha256");
    number(&vars, (uint64_t)utc_now, 6);
    number(&vars, 300, 2);
    number(&vars, 0, 4);
    HMAC(EVP_sha256(), SECRET, sizeof SECRET - 1, vars.at, vars.len, mac, &mac_len);
    assert_memory_equal(mac, request_mac, 32);
    assert_memory_equal(m + len - 6, m, 2); /* original ID */
}

/* One record is added or deleted, and nothing else is said. */
static void take_update(const uint8_t *m)
{
    char zone[256], owner[256];
    static const uint8_t counts[] = {0, 1, 0, 0, 0, 1, 0, 1};
    assert_memory_equal(m + 4, counts, sizeof counts);
    const uint8_t *at = text_of(m + 12, zone);
    assert_memory_equal(at, "\0\6\0\1", 4);
    at = text_of(at + 4, owner);
    assert_memory_equal(at, "\0\20", 2);
    unsigned class_ = (unsigned)at[2] << 8 | at[3];
    assert_true(class_ == 1 || class_ == 254);
    assert_memory_equal(at + 4, class_ == 1 ? "\0\0\0\74\0\54\53" : "\0\0\0\0\0\54\53", 7);
    if (dns.update.rcode != 0 || dns.update.tsig != 0) {
        return;
    }
    assert_string_equal(zone, dns.zone != NULL ? dns.zone : "example.org");
    for (unsigned i = 0; i < TXT_MAX; i++) {
        bool is = strcmp(dns.at[i], owner) == 0 && memcmp(dns.txt[i], at + 11, 43) == 0;
        if (class_ == 254 && is) {
            dns.txt[i][0] = dns.at[i][0] = '\0';
            dns.deletes++;
            return;
        }
        if (class_ == 1 && dns.at[i][0] == '\0') {
            strcpy(dns.at[i], owner);
            memcpy(dns.txt[i], at + 11, 43);
            dns.adds++;
            return;
        }
    }
}

static struct wire *new_answer(const uint8_t *m, unsigned rcode)
{
    struct wire *w = &dns.queue[dns.count++];
    char text[256];
    size_t question = (size_t)(text_of(m + 12, text) + 4 - m);
    assert_true(dns.count < LEN(dns.queue));
    w->len = 0;
    bytes(w, m, question);
    w->at[2] |= 0x80;
    w->at[2] |= dns.truncated ? 2 : 0;
    w->at[3] = (uint8_t)rcode;
    memset(w->at + 6, 0, 6);
    return w;
}

static void answer_soa(const uint8_t *m)
{
    char wanted[256];
    (void)text_of(m + 12, wanted);
    struct wire *w = new_answer(m, dns.query.rcode);
    for (unsigned i = 0; dns.alias[i][0] != NULL; i++) {
        if (strcmp(dns.alias[i][0], wanted) == 0) {
            struct wire target = {.len = 0};
            name(&target, dns.alias[i][1]);
            target.at[0] = dns.bad_alias ? 0xff : target.at[0];
            record(w, wanted, 5, target.at, target.len);
            w->at[7]++;
            strcpy(wanted, dns.alias[i][1]);
            if (!dns.chained) {
                sign(w, &dns.query);
                return;
            }
        }
    }
    if (dns.noise) {
        record(w, "elsewhere.org", 5, "\0", 1);
        record(w, wanted, 16, "\0", 1);
        w->at[7] += 2;
    }
    if (dns.other_soa) {
        record(w, "elsewhere.org", 6, "", 0);
        w->at[9]++;
    }
    if (dns.zone != NULL && dns.query.rcode != 5) {
        number(w, 0xc000, 0); /* uncompressed: the interop test has BIND's pointers */
        record(w, dns.zone, 6, "\0\0", 2);
        w->at[dns.answer ? 7 : 9]++;
    }
    sign(w, &dns.query);
}

static void answer_txt(const uint8_t *m)
{
    char wanted[256];
    (void)text_of(m + 12, wanted);
    struct wire *w = new_answer(m, 0);
    record(w, wanted, 16, "\5other", 6);
    record(w, wanted, 99, "\5other", 6);
    record(w, wanted, 16, "\53aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 44);
    w->at[7] += 3;
    for (unsigned i = 0; dns.looks > dns.shown_after && i < TXT_MAX; i++) {
        uint8_t data[44] = {43};
        memcpy(data + 1, dns.txt[i], 43);
        if (strcmp(dns.at[i], wanted) == 0) {
            record(w, wanted, 16, data, 44);
            record(w, wanted, 16, data, 44);
            w->at[7] += 2;
        }
    }
    w->len -= dns.cut_txt ? 120 : 0;
    w->at[12] = dns.bad_txt ? 0xff : w->at[12];
}

static void take(const uint8_t *m, size_t len)
{
    bool update = (m[2] >> 3) == 5, watch = !update && m[11] == 0;
    struct rule *rule = update ? &dns.update : &dns.query;
    assert_int_equal(m[2] & 0x87, 0); /* no answer, and no recursion wanted */
    assert_int_equal(m[3], 0);
    dns.longest = len > dns.longest ? len : dns.longest;
    dns.count = 0; /* what came before is gone with its socket */
    if (watch) {
        dns.looks++;
        answer_txt(m);
        return;
    }
    dns.queries += !update;
    dns.updates += update;
    check_signature(m, len);
    if (rule->how == SILENT || rule->how == REFUSES_PORT || rule->late > 0) {
        rule->late -= rule->late > 0;
        return;
    }
    if (dns.forged) { /* others are faster */
        static const struct rule lies[] = {{UNSIGNED, 5, 0, 0}, {BAD_MAC, 9, 0, 0}, {TSIG_ERROR, 9, 17, 0}};
        for (unsigned i = 0; i < LEN(lies); i++) {
            sign(new_answer(m, lies[i].rcode), &lies[i]);
        }
        new_answer(m, 0)->at[0] ^= 1;    /* another question's   */
        new_answer(m, 0)->at[2] = m[2];  /* no answer            */
        dns.queue[dns.count++].len = 11; /* no message           */
    }
    if (update) {
        take_update(m);
        sign(new_answer(m, rule->rcode), rule);
    } else {
        answer_soa(m);
    }
}

static int udp_open(void *ctx, const char *host, uint16_t port)
{
    assert_ptr_equal(ctx, &dns);
    if (dns.open_result != 1) {
        return dns.open_result;
    }
    dns.opens++;
    dns.port = port;
    if (strstr(dns.hosts, host) == NULL) {
        strcat(strcat(dns.hosts, host), " ");
    }
    return 1;
}

static int udp_send(void *ctx, const void *data, size_t len)
{
    if (dns.send_result <= 0) {
        return dns.send_result;
    }
    take(data, len);
    return (int)len;
}

static int udp_recv(void *ctx, void *data, size_t cap)
{
    if (dns.count == 0) {
        return dns.recv_result;
    }
    struct wire first = dns.queue[0];
    memmove(dns.queue, dns.queue + 1, sizeof dns.queue - sizeof dns.queue[0]);
    dns.count--;
    assert_true(first.len <= cap);
    memcpy(data, first.at, first.len);
    return (int)first.len;
}

static void udp_close(void *ctx)
{
    dns.closes++;
    dns.count = 0;
}

static int sys_random(void *ctx, void *buf, size_t len)
{
    static uint8_t next;
    memset(buf, ++next, len);
    return random_error;
}

static int sys_utc(void *ctx, int64_t *utc)
{
    *utc = utc_now;
    return utc_known;
}

/* --- the client --- */

static const struct acme_udp udp = {&dns, udp_open, udp_send, udp_recv, udp_close};
static const struct acme_sys sys = {NULL, sys_random, sys_utc};
static struct acme_rfc2136_zone zone;
static struct acme_rfc2136 solver;
static uint32_t now_ms;

#define THUMB "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
static struct acme_challenge one, two;

static void new_world(void)
{
    memset(&dns, 0, sizeof dns);
    dns.zone = "example.org";
    dns.open_result = dns.send_result = 1;
    utc_now = DNS_NOW;
    utc_known = 1;
    random_error = 0;
    now_ms = 0xfffffff0u;
    zone = (struct acme_rfc2136_zone){.udp = &udp, .sys = &sys, .server = "ns.example.org"};
    zone.key = (struct acme_tsig_key){"TSIG.Device.", SECRET, sizeof SECRET - 1};
    assert_int_equal(acme_rfc2136_init(&solver, &zone), 0);
    one = (struct acme_challenge){
        .name = "www.example.org", .token = "token-one", .thumbprint = THUMB, .type = "dns-01"};
    two = (struct acme_challenge){
        .name = "www.example.org", .token = "token-two", .thumbprint = THUMB, .type = "dns-01"};
}

/* Ticks until it is published, or fails. Seconds it took in *took_s. */
static int present_within(struct acme_challenge *c, uint32_t *took_s)
{
    uint32_t began = now_ms;
    int done;
    while ((done = solver.solver.present(&solver, c)) == 0) {
        now_ms += solver.solver.tick(&solver, now_ms) ? 1 : 20;
        assert_true(now_ms - began < 200000);
    }
    *took_s = (now_ms - began) / 1000;
    return done;
}

static int present(struct acme_challenge *c)
{
    uint32_t took_s;
    return present_within(c, &took_s);
}

static void takes(int wanted, uint32_t seconds)
{
    uint32_t took_s;
    assert_int_equal(present_within(&one, &took_s), wanted);
    assert_int_equal(took_s, seconds);
}

static uint32_t clear(void)
{
    uint32_t began = now_ms;
    while (solver.solver.clearing(&solver)) {
        now_ms += solver.solver.tick(&solver, now_ms) ? 1 : 20;
        assert_true(now_ms - began < 200000);
    }
    assert_false(solver.solver.tick(&solver, now_ms));
    return (now_ms - began) / 1000;
}

static uint32_t withdraw(struct acme_challenge *c)
{
    solver.solver.withdraw(&solver, c);
    return clear();
}

static const char *words(void)
{
    return solver.solver.words(&solver);
}

/* --- what works --- */

TEST(one_record)
{
    char value[44];
    uint8_t digest[32];
    char base64[48];
    new_world();
    assert_int_equal(present(&one), 1);
    assert_int_equal(dns.queries, 1);
    assert_int_equal(dns.updates, 1);
    assert_int_equal(dns.adds, 1);
    assert_int_equal(dns.port, 53);
    assert_string_equal(dns.hosts, "ns.example.org ");
    assert_string_equal(dns.at[0], "_acme-challenge.www.example.org");
    SHA256((const unsigned char *)"token-one." THUMB, strlen("token-one." THUMB), digest);
    EVP_EncodeBlock((unsigned char *)base64, digest, 32);
    for (char *c = base64; *c != '\0'; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    }
    base64[43] = '\0';
    assert_string_equal(dns.txt[0], base64);
    acme_dns01_value(&one, value);
    assert_string_equal(value, base64);
    assert_string_equal(words(), "");
    assert_int_equal(solver.solver.present(&solver, &one), 1);
    assert_int_equal(withdraw(&one), 0);
    assert_int_equal(dns.deletes, 1);
    assert_int_equal(dns.opens, 3);
    assert_true(dns.longest <= ACME_DNS_MESSAGE_MAX);
    assert_int_equal(acme_rfc2136_init_sized(&solver, 1, &zone), ACME_E_SIZE);
}

/* A name and its wildcard: two values at one name, with one look for the zone. */
TEST(two_values_at_one_name)
{
    new_world();
    zone.port = 5353;
    assert_int_equal(solver.solver.present(&solver, &one), 0);
    assert_int_equal(present(&two), 1);
    assert_int_equal(present(&one), 1);
    assert_int_equal(dns.queries, 1);
    assert_int_equal(dns.adds, 2);
    assert_int_equal(dns.port, 5353);
    solver.solver.withdraw(&solver, &one);
    solver.solver.withdraw(&solver, &two);
    (void)clear();
    assert_int_equal(dns.deletes, 2);
    assert_string_equal(dns.at[0], "");
    assert_string_equal(dns.at[1], "");
    /* later it may be in another zone */
    assert_int_equal(present(&one), 1);
    assert_int_equal(dns.queries, 2);
    struct acme_challenge other = {.name = "b.example.org", .token = "t", .thumbprint = THUMB, .type = "dns-01"};
    assert_int_equal(present(&other), 1);
    assert_int_equal(dns.queries, 3);
}

#if ACME_CFG_DNS_DRAFTS
/* dns-account-01: the same record below the account's own label, which is no place to look for the other one. */
TEST(a_label_of_the_account)
{
    new_world();
    struct acme_challenge of_account = two;
    of_account.type = "dns-account-01";
    of_account.account = "https://example.com/acme/acct/ExampleAccount";
    assert_string_equal(solver.account.type, of_account.type);
    assert_true(solver.account.wildcards && solver.account.lasts);
    assert_int_equal(present(&one), 1);
    assert_int_equal(present(&of_account), 1);
    assert_string_equal(dns.at[0], "_acme-challenge.www.example.org");
    assert_string_equal(dns.at[1], "_ujmmovf2vn55tgye._acme-challenge.www.example.org");
    assert_int_equal(dns.queries, 2);
    of_account.token = "token-three";
    assert_int_equal(present(&of_account), 1);
    assert_int_equal(dns.queries, 2);
    solver.solver.withdraw(&solver, &one);
    (void)clear();
    assert_string_equal(dns.at[0], "");
    assert_string_equal(dns.at[1], "_ujmmovf2vn55tgye._acme-challenge.www.example.org");
    /* after a reset: what was left is found again */
    assert_int_equal(acme_rfc2136_init(&solver, &zone), 0);
    assert_int_equal(withdraw(&of_account), 0);
    assert_int_equal(dns.deletes, 2);
}
#endif

/* Who takes back what is not there needs every right, changes nothing, and is told how it went. */
TEST(a_withdrawal_as_a_trial)
{
    new_world();
    (void)withdraw(&one);
    assert_int_equal(solver.error, 0);
    assert_string_equal(words(), "");
    dns.update.rcode = 5;
    (void)withdraw(&one);
    assert_int_equal(solver.error, ACME_E_DNS_REFUSED);
    assert_string_equal(words(), "_acme-challenge.www.example.org in example.org");
    dns.update = (struct rule){SIGNED, 9, 18, 0};
    dns.their_clock = DNS_NOW + 400;
    (void)withdraw(&one);
    assert_int_equal(solver.error, ACME_E_DNS_TIME);
    assert_string_equal(words(), "seconds since 1970: its clock 1796000400, ours 1796000000");
    dns.query.how = SILENT;
    (void)withdraw(&one);
    assert_int_equal(solver.error, ACME_E_DNS_SILENT);
    assert_int_equal(dns.adds, 0);
}

TEST(what_a_reset_has_left)
{
    new_world();
    assert_int_equal(present(&one), 1);
    assert_int_equal(acme_rfc2136_init(&solver, &zone), 0); /* the power was gone */
    assert_int_equal(withdraw(&one), 0);
    assert_int_equal(dns.deletes, 1);
}

TEST(one_value_at_two_names)
{
    new_world();
    two.token = one.token;
    two.name = "b.example.org";
    dns.noise = true;
    assert_int_equal(solver.solver.present(&solver, &one), 0);
    (void)solver.solver.tick(&solver, now_ms);
    assert_int_equal(solver.solver.present(&solver, &two), 0);
    solver.solver.withdraw(&solver, &two); /* while the other one is in hand */
    assert_false(solver.solver.clearing(&solver));
    assert_int_equal(present(&one), 1);
    assert_int_equal(present(&two), 1);
    assert_int_equal(dns.adds, 2);
    (void)withdraw(&two);
    assert_string_equal(dns.at[0], "_acme-challenge.www.example.org");
    assert_int_equal(dns.deletes, 1);
}

TEST(aliases)
{
    for (unsigned chained = 0; chained < 2; chained++) {
        new_world();
        dns.zone = "acme.example.net";
        dns.chained = chained == 1;
        dns.alias[0][0] = "_acme-challenge.www.example.org";
        dns.alias[0][1] = "www.more.example.net";
        dns.alias[1][0] = "www.more.example.net";
        dns.alias[1][1] = "www.acme.example.net";
        assert_int_equal(present(&one), 1);
        assert_int_equal(dns.queries, chained == 1 ? 1 : 3);
        assert_string_equal(dns.at[0], "www.acme.example.net");
        assert_string_equal(words(), "www.acme.example.net in acme.example.net");
        (void)withdraw(&one);
        assert_int_equal(dns.deletes, 1);
    }
    /* nine are too many, and a circle has no end */
    static const char *const chain[] = {
        "_acme-challenge.www.example.org", "a", "b", "c", "d", "e", "f", "g", "h", "i"};
    for (unsigned most = 8; most <= 9; most++) {
        new_world();
        dns.zone = most == 8 ? "h" : "i";
        for (unsigned i = 0; i < most; i++) {
            dns.alias[i][0] = chain[i];
            dns.alias[i][1] = chain[i + 1];
        }
        assert_int_equal(present(&one), most == 8 ? 1 : ACME_E_DNS_NO_ZONE);
    }
    new_world();
    dns.alias[0][0] = dns.alias[0][1] = "_acme-challenge.www.example.org";
    assert_int_equal(present(&one), ACME_E_DNS_NO_ZONE);
    assert_int_equal(withdraw(&one), 0);
    new_world();
    dns.alias[0][0] = "_acme-challenge.www.example.org";
    dns.alias[0][1] = "www.acme.example.net";
    dns.bad_alias = true;
    assert_int_equal(present(&one), ACME_E_DNS_NO_ZONE);
}

TEST(zones_and_records_that_are_named)
{
    new_world();
    zone.zone = "Example.org."; /* the server knows one that is closer, but this is wanted */
    dns.zone = "www.example.org";
    dns.update.rcode = 9;
    assert_int_equal(present(&one), ACME_E_DNS_NOTAUTH);
    assert_string_equal(words(), "_acme-challenge.www.example.org in example.org");
    (void)withdraw(&one);

    new_world();
    zone.zone = "example.com";
    assert_int_equal(present(&one), ACME_E_DNS_NOTZONE);
    assert_string_equal(words(), "_acme-challenge.www.example.org");
    assert_int_equal(dns.updates, 0);
    new_world();
    zone.zone = "example..com";
    assert_int_equal(present(&one), ACME_E_DNS_NAME);

    new_world();
    zone.zone = "acme.example.net";
    zone.record = "www.acme.example.net";
    dns.zone = "acme.example.net";
    assert_int_equal(present(&one), 1);
    assert_int_equal(dns.queries, 0);
    assert_string_equal(dns.at[0], "www.acme.example.net");
    new_world();
    zone.record = "x.acme.example.net";
    dns.zone = "acme.example.net";
    dns.answer = true;
    assert_int_equal(present(&one), 1);
    assert_int_equal(dns.queries, 1);
    new_world();
    zone.record = ".";
    assert_int_equal(present(&one), ACME_E_DNS_NAME);
    assert_string_equal(words(), "");

    /* the record is the zone itself; another zone's SOA is none */
    new_world();
    dns.zone = "_acme-challenge.www.example.org";
    dns.other_soa = true;
    assert_int_equal(present(&one), 1);
    new_world();
    dns.zone = NULL;
    dns.other_soa = true;
    assert_int_equal(present(&one), ACME_E_DNS_NO_ZONE);
}

TEST(names_that_are_too_long)
{
    static char longest[240], key[240];
    new_world();
    for (size_t i = 0; i < sizeof longest - 1; i++) {
        longest[i] = key[i] = i % 60 == 59 ? '.' : 'a';
    }
    longest[sizeof longest - 1] = key[sizeof key - 1] = '\0';
    one.name = longest;
    assert_int_equal(present(&one), ACME_E_DNS_NAME); /* with its label more than 255 bytes */
    memcpy(longest + 200, ".org", 5);
    memcpy(longest + 196, "wxyz", 4);
    dns.zone = "org";
    assert_int_equal(present(&one), ACME_E_DNS_NAME); /* the entry has failed already */
    (void)withdraw(&one);
    assert_int_equal(present(&one), 1);
    (void)withdraw(&one);
    zone.key.name = key; /* with that the message has no room */
    assert_int_equal(present(&one), ACME_E_DNS_NAME);
    (void)withdraw(&one);
    zone.key.name = "a..b";
    assert_int_equal(present(&one), ACME_E_DNS_NAME);
    /* the zone is as long */
    char both[256];
    snprintf(both, sizeof both, "_acme-challenge.%s", longest);
    new_world();
    one.name = longest;
    zone.zone = zone.record = both;
    assert_int_equal(present(&one), ACME_E_DNS_NAME);
}

/* --- what is refused --- */

TEST(refusals_that_are_signed)
{
    static const struct {
        struct rule rule;
        int query, update; /* errors */
    } rows[] = {
        {{SIGNED, 5, 0, 0}, ACME_E_DNS_REFUSED, ACME_E_DNS_REFUSED},
        {{SIGNED, 9, 0, 0}, ACME_E_DNS_NOTAUTH, ACME_E_DNS_NOTAUTH},
        {{SIGNED, 10, 0, 0}, ACME_E_DNS_NOTZONE, ACME_E_DNS_NOTZONE},
        {{SIGNED, 2, 0, 0}, ACME_E_DNS_FAILED, ACME_E_DNS_FAILED},
        {{SIGNED, 3, 0, 0}, 1, ACME_E_DNS_FAILED}, /* NXDOMAIN tells the zone */
        {{SIGNED, 9, 18, 0}, ACME_E_DNS_TIME, ACME_E_DNS_TIME},
        {{SIGNED, 9, 22, 0}, ACME_E_DNS_ANSWER, ACME_E_DNS_ANSWER},
    };
    for (unsigned i = 0; i < LEN(rows); i++) {
        for (unsigned update = 0; update < 2; update++) {
            new_world();
            dns.their_clock = DNS_NOW + 400;
            *(update == 1 ? &dns.update : &dns.query) = rows[i].rule;
            takes(update == 1 ? rows[i].update : rows[i].query, 0); /* it is the server's word */
            if (rows[i].rule.tsig == 18) {
                assert_string_equal(words(), "seconds since 1970: its clock 1796000400, ours 1796000000");
            }
            unsigned before = dns.updates;
            assert_int_equal(withdraw(&one), 0);
            if (update == 1 && rows[i].update != ACME_E_DNS_ANSWER) {
                assert_int_equal(dns.updates, before); /* nothing was written */
            }
        }
    }
    new_world(); /* too long, and signed */
    dns.truncated = true;
    assert_int_equal(present(&one), ACME_E_DNS_ANSWER);
}

/* What is not signed is nobody's word: a good answer that comes later counts, and if none comes it is told. */
TEST(refusals_that_are_not_signed)
{
    static const struct {
        struct rule rule;
        int error;
    } rows[] = {
        {{UNSIGNED, 5, 0, 0}, ACME_E_DNS_REFUSED},       {{UNSIGNED, 9, 0, 0}, ACME_E_DNS_NOTAUTH},
        {{UNSIGNED, 0, 0, 0}, ACME_E_DNS_ANSWER},        {{UNSIGNED, 1, 0, 0}, ACME_E_DNS_FAILED},
        {{BAD_MAC, 0, 0, 0}, ACME_E_DNS_ANSWER},         {{OTHER_KEY, 0, 0, 0}, ACME_E_DNS_ANSWER},
        {{OTHER_ALGORITHM, 0, 0, 0}, ACME_E_DNS_ANSWER}, {{SHORT_MAC, 0, 0, 0}, ACME_E_DNS_ANSWER},
        {{TSIG_ERROR, 9, 16, 0}, ACME_E_DNS_SIGNATURE},  {{TSIG_ERROR, 9, 17, 0}, ACME_E_DNS_KEY},
        {{TSIG_ERROR, 9, 18, 0}, ACME_E_DNS_TIME},
    };
    for (unsigned i = 0; i < LEN(rows); i++) {
        for (unsigned update = 0; update < 2; update++) {
            new_world();
            *(update == 1 ? &dns.update : &dns.query) = rows[i].rule;
            takes(rows[i].error, 3); /* something better may have come */
            dns.update = dns.query = (struct rule){0};
            (void)withdraw(&one);
            assert_int_equal(dns.deletes, dns.adds); /* it may have been written */
        }
    }
}

TEST(forgers_are_faster)
{
    new_world();
    dns.forged = true;
    takes(1, 0);
    assert_int_equal(withdraw(&one), 0);
    assert_int_equal(dns.deletes, 1);
    new_world();
    dns.update.how = dns.query.how = FORWARDED;
    assert_int_equal(present(&one), 1);
}

TEST(nobody_answers)
{
    new_world();
    dns.query.how = SILENT;
    takes(ACME_E_DNS_SILENT, 12);
    assert_int_equal(dns.queries, 4);
    assert_int_equal(withdraw(&one), 0); /* nothing was written */

    new_world(); /* two questions are lost, then two updates */
    dns.query.late = dns.update.late = 2;
    takes(1, 12);

    new_world(); /* the update's answer is lost: it may be there, and is taken away */
    dns.update.how = SILENT;
    assert_int_equal(present(&one), ACME_E_DNS_SILENT);
    dns.update.how = SIGNED;
    unsigned updates = dns.updates;
    assert_int_equal(withdraw(&one), 0);
    assert_int_equal(dns.updates, updates + 1);

    new_world(); /* it goes down: it is not waited for with each of the records */
    assert_int_equal(present(&one), 1);
    assert_int_equal(present(&two), 1);
    dns.update.how = dns.query.how = SILENT;
    solver.solver.withdraw(&solver, &one);
    solver.solver.withdraw(&solver, &two);
    assert_int_equal(clear(), 12);

    static const int results[] = {ACME_E_HOST, 0};
    for (unsigned i = 0; i < LEN(results); i++) {
        new_world();
        dns.open_result = results[i];
        takes(ACME_E_DNS_SILENT, 12);
        new_world();
        dns.send_result = results[i];
        takes(ACME_E_DNS_SILENT, 12);
    }
    new_world();
    dns.query.how = REFUSES_PORT;
    dns.recv_result = ACME_E_REFUSED;
    assert_int_equal(present(&one), ACME_E_DNS_SILENT);
}

TEST(trouble_of_our_own)
{
    new_world();
    random_error = ACME_E_RANDOM;
    assert_int_equal(present(&one), ACME_E_RANDOM);
    new_world();
    utc_known = 0;
    assert_int_equal(present(&one), ACME_E_CLOCK);
}

/* --- withdrawn in the middle --- */

TEST(withdrawn_at_any_time)
{
    for (unsigned ticks = 0; ticks < 30; ticks++) {
        new_world();
        dns.query.late = dns.update.late = 1;
        assert_int_equal(solver.solver.present(&solver, &one), 0);
        for (unsigned i = 0; i < ticks; i++) {
            now_ms += solver.solver.tick(&solver, now_ms) ? 1 : 1000;
        }
        (void)withdraw(&one);
        assert_int_equal(dns.adds, dns.deletes);
        /* and wanted again while it is still being taken away */
        assert_int_equal(present(&one), 1);
        solver.solver.withdraw(&solver, &one);
        assert_int_equal(solver.solver.present(&solver, &one), 0);
        (void)solver.solver.tick(&solver, now_ms);
        assert_int_equal(present(&one), 1);
        assert_int_equal(dns.adds, dns.deletes + 1);
    }
    /* refused, when it was not wanted any more */
    new_world();
    dns.update.rcode = 5;
    assert_int_equal(solver.solver.present(&solver, &one), 0);
    for (unsigned i = 0; i < 100 && dns.updates == 0; i++) {
        (void)solver.solver.tick(&solver, ++now_ms);
    }
    assert_int_equal(withdraw(&one), 0);
    assert_int_equal(dns.updates, 1);
}

TEST(more_than_there_are_places)
{
    static struct acme_challenge all[ACME_NAMES_MAX + 1];
    static char tokens[ACME_NAMES_MAX + 1][8];
    new_world();
    for (unsigned i = 0; i <= ACME_NAMES_MAX; i++) {
        snprintf(tokens[i], sizeof tokens[i], "t%u", i);
        all[i] = one;
        all[i].token = tokens[i];
        assert_int_equal(solver.solver.present(&solver, &all[i]), 0);
    }
    for (unsigned i = 0; i < 1000; i++) {
        (void)solver.solver.tick(&solver, ++now_ms);
    }
    assert_int_equal(solver.solver.present(&solver, &all[ACME_NAMES_MAX]), 0);
    assert_int_equal(withdraw(&all[ACME_NAMES_MAX]), 0);
    assert_int_equal(withdraw(&all[0]), 0);
    assert_int_equal(present(&all[ACME_NAMES_MAX]), 1);
}

/* --- other servers of the zone --- */

TEST(servers_that_are_watched)
{
    static const char *const hosts[] = {"ns1.example.org", "ns2.example.org"};
    uint32_t took_s;
    new_world();
    zone.watch = hosts;
    zone.watch_count = 2;
    dns.shown_after = 2;
    takes(1, 6);
    assert_int_equal(dns.looks, 4);
    assert_string_equal(dns.hosts, "ns.example.org ns1.example.org ns2.example.org ");
    assert_string_equal(words(), "");
    assert_int_equal(withdraw(&one), 0);
    assert_int_equal(dns.looks, 4);

    dns.shown_after = 1000; /* one that lags is named, and no failure */
    assert_int_equal(present_within(&one, &took_s), 1);
    assert_true(took_s >= 60 && took_s <= 64);
    assert_string_equal(words(), "not shown yet by ns1.example.org");
    (void)withdraw(&one);
    zone.watch_s = 5;
    for (unsigned i = 0; i < 2; i++) { /* what cannot be read shows nothing */
        dns.shown_after = 0;
        dns.cut_txt = i == 0;
        dns.bad_txt = i == 1;
        assert_int_equal(present_within(&one, &took_s), 1);
        assert_true(took_s >= 5 && took_s <= 7);
        (void)withdraw(&one);
    }
    dns.bad_txt = false;

    assert_int_equal(solver.solver.present(&solver, &one), 0); /* not wanted any more */
    for (unsigned i = 0; i < 100; i++) {
        (void)solver.solver.tick(&solver, ++now_ms);
    }
    (void)withdraw(&one);
    assert_int_equal(dns.adds, dns.deletes);
}

/* --- messages --- */

static bool reads_name(const char *message, size_t len, size_t at, const char *wanted)
{
    struct acme_dns_reader r = {(const uint8_t *)message, len, at};
    struct acme_dns_name name;
    char text[300];
    struct acme_out o;
    if (!acme_dns_read_name(&r, &name)) {
        return false;
    }
    acme_out_init(&o, text, sizeof text - 1);
    acme_dns_out_text(&o, name.at);
    text[o.len] = '\0';
    assert_string_equal(text, wanted);
    return true;
}

TEST(names_in_messages)
{
    static const char good[] = "\3WWW\7example\3org\0\1a\xc0\4\xc0\21";
    assert_true(reads_name(good, sizeof good - 1, 0, "www.example.org"));
    assert_true(reads_name(good, sizeof good - 1, 17, "a.example.org"));
    assert_true(reads_name(good, sizeof good - 1, 21, "a.example.org"));
    assert_true(reads_name("\3a\1.\0", 6, 0, "a?."));
    assert_true(reads_name("\0", 1, 0, ""));
    static const struct {
        const char *at;
        size_t len, from;
    } bad[] = {{"", 0, 0},
               {"\3ab", 3, 0},
               {"\xc0", 1, 0},
               {"\xc0\0", 2, 0},
               {"\1a\xc0\0", 4, 0},
               {"\1a\xc0\2\xc0\2", 6, 4},
               {"\x40"
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                66, 0},
               {"\1a", 2, 0},
               {"\0\0\xc0\5", 4, 2}};
    for (unsigned i = 0; i < LEN(bad); i++) {
        assert_false(reads_name(bad[i].at, bad[i].len, bad[i].from, ""));
    }
    char longest[300];
    memset(longest, 0, sizeof longest);
    for (unsigned i = 0; i < 254; i += 2) {
        longest[i] = 1;
        longest[i + 1] = 'a';
    }
    struct acme_dns_reader r = {(const uint8_t *)longest, sizeof longest, 0};
    struct acme_dns_name name;
    assert_true(acme_dns_read_name(&r, &name));
    assert_int_equal(name.len, 255);
    longest[254] = 1;
    longest[255] = 'a';
    r.at = 0;
    assert_false(acme_dns_read_name(&r, &name));
    assert_false(acme_dns_name_make(&name, "", ""));
    assert_false(acme_dns_name_make(&name, "a..", "b"));
    char text[300] = "ab";
    for (unsigned i = 0; i < 126; i++) { /* 255 bytes before the root */
        strcat(text, ".a");
    }
    assert_false(acme_dns_name_make(&name, "", text));
    text[1] = '\0';
    memmove(text + 1, ".a", 3);
    assert_true(acme_dns_name_make(&name, "", text));
    assert_true(acme_dns_name_make(&name, "a.", "b."));
}

TEST(messages_that_are_none)
{
    static const struct acme_tsig_key key = {KEY_NAME, SECRET, sizeof SECRET - 1};
    struct acme_tsig_said said;
    struct wire good = {.len = 0}, w;
    number(&good, 0x1234, 2);
    number(&good, 0xa800, 2);
    number(&good, 1, 2);
    number(&good, 0, 6);
    name(&good, "example.org");
    number(&good, 0x00060001, 4);
    sign_as(&good, KEY_NAME, "hmac-sha256", 0, 0x1234, 32, true, 0);
    w = good;
    assert_int_equal(acme_tsig_check(w.at, w.len, &key, request_mac, &said), 1);
    for (size_t len = 0; len < good.len; len++) { /* cut anywhere */
        w = good;
        assert_int_equal(acme_tsig_check(w.at, len, &key, request_mac, &said), -1);
    }
    w = good;
    w.len++; /* more than it says */
    assert_int_equal(acme_tsig_check(w.at, w.len, &key, request_mac, &said), -1);
    for (size_t at = 0; at < good.len; at++) { /* changed anywhere */
        for (unsigned bit = 0; bit < 8; bit++) {
            w = good;
            w.at[at] ^= (uint8_t)(1 << bit);
            int found = acme_tsig_check(w.at, w.len, &key, request_mac, &said);
            bool letter = (good.at[at] >= 'a' && good.at[at] <= 'z') && bit == 5 && at > good.len - 90;
            assert_true(found != 1 || at < 2 ||
                        letter); /* the head's ID is not what is signed, and capitals are no other name */
        }
    }
    w = good; /* a TSIG that is no additional record */
    w.at[7] = 1;
    w.at[11] = 0;
    assert_int_equal(acme_tsig_check(w.at, w.len, &key, request_mac, &said), 0);
    w = good; /* lengths inside that do not fit */
    w.at[good.len - 6 - 32 - 2 + 1] = 33;
    assert_int_equal(acme_tsig_check(w.at, w.len, &key, request_mac, &said), -1);
    w.at[good.len - 6 - 32 - 2 + 1] = 31;
    assert_int_equal(acme_tsig_check(w.at, w.len, &key, request_mac, &said), -1);
    struct wire little = {.len = 0}; /* far too short */
    bytes(&little, good.at, 29);
    little.at[11] = 1;
    name(&little, KEY_NAME);
    number(&little, 250, 2);
    number(&little, 255, 2);
    number(&little, 0, 4);
    number(&little, 5, 2);
    number(&little, 0, 5);
    assert_int_equal(acme_tsig_check(little.at, little.len, &key, request_mac, &said), -1);
    static const struct acme_tsig_key none = {"", SECRET, sizeof SECRET - 1};
    w = good;
    assert_int_equal(acme_tsig_check(w.at, w.len, &none, request_mac, &said), -1);
    /* the server's time in another length is none */
    struct wire time = {.len = 0};
    bytes(&time, good.at, 29);
    time.at[11] = 0;
    sign_as(&time, KEY_NAME, "hmac-sha256", 18, 0x1234, 32, true, 0);
    assert_int_equal(acme_tsig_check(time.at, time.len, &key, request_mac, &said), 1);
    assert_int_equal(said.their_utc, 0);
}
