/* conformance.c - the contract of core/acme_port.h, clause by clause. */
#include <string.h>

#include "conformance.h"

/* How long anything may take before it counts as never. */
#ifndef PATIENCE_MS
#define PATIENCE_MS 30000
#endif
#define STREAM_LEN 200000

static const struct conformance_port *port;
static unsigned number, failures;

/* Buffers of the checks, with room behind what a call may touch. */
static char out[ACME_WORK_MIN + 64], in[ACME_WORK_MIN + 64];

static void say_number(char *text, size_t *len, unsigned value)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        text[(*len)++] = digits[--count];
    }
}

static bool check(bool ok, const char *what)
{
    char line[160] = "not ok ";
    size_t len = 7;

    if (ok) {
        memcpy(line, "ok ", 3);
        len = 3;
    }
    say_number(line, &len, ++number);
    memcpy(line + len, " - ", 3);
    len += 3;
    for (size_t i = 0; what[i] != '\0' && len < sizeof line - 1; i++) {
        line[len++] = what[i];
    }
    line[len] = '\0';
    port->say(line);
    failures += !ok;
    return ok;
}

/* The system */

static void check_random(void)
{
    uint8_t seen[40] = {0}, buf[48], before[32];
    bool same = false, beyond = false, ok = true;

    memset(before, 0, sizeof before);
    for (int turn = 0; turn < 16; turn++) {
        memset(buf, 0, sizeof buf);
        ok = port->sys->random(port->sys->ctx, buf, 40) == 0 && ok;
        same = memcmp(before, buf, sizeof before) == 0 || same;
        memcpy(before, buf, sizeof before);
        for (size_t i = 0; i < 40; i++) {
            seen[i] |= buf[i];
        }
        for (size_t i = 40; i < sizeof buf; i++) {
            beyond = buf[i] != 0 || beyond;
        }
    }
    check(ok, "random: answers 0");
    check(!same, "random: never the same twice");
    check(memchr(seen, 0, sizeof seen) == NULL, "random: fills every byte");
    check(!beyond, "random: writes nothing beyond");
}

static void check_utc(void)
{
    uint32_t start = port->now_ms();
    int64_t first = 0, second = 0;
    int r;

    while ((r = port->sys->utc(port->sys->ctx, &first)) == 0 && port->now_ms() - start < PATIENCE_MS) {
        port->wait();
    }
    check(r == 1 && first >= ACME_UTC_FLOOR, "utc: becomes known, and is after ACME_UTC_FLOOR");
    check(port->sys->utc(port->sys->ctx, &second) == 1 && second >= first, "utc: stays known, does not go back");
}

/* The store */

static int get(enum acme_record record, size_t cap)
{
    memset(in, '#', sizeof in);
    return port->store->get(port->store->ctx, record, in, cap);
}

static int put(enum acme_record record, const char *text)
{
    return port->store->put(port->store->ctx, record, text, strlen(text));
}

static bool holds(enum acme_record record, const char *text)
{
    int len = get(record, ACME_WORK_MIN);
    return len == (int)strlen(text) && memcmp(in, text, strlen(text)) == 0;
}

static int append(const char *text)
{
    return port->store->append(port->store->ctx, text, strlen(text));
}

static void check_records(void)
{
    static const enum acme_record records[] = {ACME_RECORD_ACCOUNT_KEY, ACME_RECORD_ACCOUNT, ACME_RECORD_ORDER,
                                               ACME_RECORD_KEY_NEXT,    ACME_RECORD_KEY,     ACME_RECORD_CHAIN};
    bool ok = true;

    for (size_t i = 0; i < 6; i++) {
        ok = get(records[i], ACME_WORK_MIN) == 0 && ok;
    }
    check(ok, "store: begins empty, get answers 0");
    check(put(ACME_RECORD_ACCOUNT_KEY, "the account key\n") == 0, "store: puts a record");
    check(holds(ACME_RECORD_ACCOUNT_KEY, "the account key\n"), "store: gets it back");
    check(get(ACME_RECORD_ACCOUNT_KEY, 3) == 16 && memcmp(in, "the#", 4) == 0,
          "store: gets the first bytes only, and tells the whole length");
    check(get(ACME_RECORD_ACCOUNT_KEY, 0) == 16 && in[0] == '#', "store: tells the length of a record alone");
    check(put(ACME_RECORD_ACCOUNT, "first\n") == 0 && put(ACME_RECORD_ACCOUNT, "2\n") == 0 &&
              holds(ACME_RECORD_ACCOUNT, "2\n"),
          "store: replaces a record by a shorter one");
    for (size_t i = 0; i < ACME_WORK_MIN; i++) {
        out[i] = (char)('a' + i % 26);
    }
    check(port->store->put(port->store->ctx, ACME_RECORD_ORDER, out, ACME_WORK_MIN) == 0 &&
              get(ACME_RECORD_ORDER, sizeof in) == ACME_WORK_MIN && memcmp(in, out, ACME_WORK_MIN) == 0,
          "store: a record may have ACME_WORK_MIN bytes");
    port->reset();
    check(holds(ACME_RECORD_ACCOUNT_KEY, "the account key\n") && holds(ACME_RECORD_ACCOUNT, "2\n") &&
              get(ACME_RECORD_ORDER, 0) == ACME_WORK_MIN,
          "store: records outlive a reset");
    check(put(ACME_RECORD_ACCOUNT, "") == 0 && get(ACME_RECORD_ACCOUNT, 9) == 0, "store: put of nothing removes");
    check(put(ACME_RECORD_ACCOUNT, "") == 0, "store: what is not there can be removed");
    port->reset();
    check(get(ACME_RECORD_ACCOUNT, 9) == 0, "store: what was removed stays away after a reset");
#if ACME_CFG_MANAGE
    check(put(ACME_RECORD_ACCOUNT_KEY_NEXT, "next\n") == 0 && put(ACME_RECORD_ACCOUNT_KEY, "next\n") == 0 &&
              put(ACME_RECORD_ACCOUNT_KEY_NEXT, "") == 0,
          "store: the account's next key takes the old one's place");
    port->reset();
    check(holds(ACME_RECORD_ACCOUNT_KEY, "next\n") && get(ACME_RECORD_ACCOUNT_KEY_NEXT, 9) == 0,
          "store: and stays there");
#endif
}

static void check_pair(void)
{
    check(append("") == 0 && append("leaf 0\n") == 0 && port->store->commit(port->store->ctx) == 0 &&
              get(ACME_RECORD_KEY, 9) == 0 && holds(ACME_RECORD_CHAIN, "leaf 0\n"),
          "store: the chain alone is put in use when no key was ever stored");
    check(put(ACME_RECORD_KEY_NEXT, "key 1\n") == 0 && append("") == 0 && append("leaf 1\n") == 0 &&
              append("issuer 1\n") == 0,
          "store: takes a key and a chain in pieces");
    check(get(ACME_RECORD_KEY, 9) == 0 && holds(ACME_RECORD_CHAIN, "leaf 0\n"),
          "store: neither is in use before commit");
    check(port->store->commit(port->store->ctx) == 0, "store: commits");
    check(holds(ACME_RECORD_KEY, "key 1\n") && holds(ACME_RECORD_CHAIN, "leaf 1\nissuer 1\n"),
          "store: both are in use after commit");
    check(get(ACME_RECORD_KEY_NEXT, 9) == 0 && get(ACME_RECORD_ORDER, 9) == 0,
          "store: commit removes the order and its key");
    port->reset();
    check(holds(ACME_RECORD_KEY, "key 1\n") && holds(ACME_RECORD_CHAIN, "leaf 1\nissuer 1\n"),
          "store: the pair outlives a reset");
    check(put(ACME_RECORD_KEY_NEXT, "key 2\n") == 0 && append("") == 0 && append("torn") == 0,
          "store: takes the next key and chain");
    check(holds(ACME_RECORD_KEY, "key 1\n") && holds(ACME_RECORD_CHAIN, "leaf 1\nissuer 1\n"),
          "store: the pair in use is not touched by them");
    port->reset();
    check(holds(ACME_RECORD_KEY, "key 1\n") && holds(ACME_RECORD_CHAIN, "leaf 1\nissuer 1\n") &&
              holds(ACME_RECORD_KEY_NEXT, "key 2\n"),
          "store: after a reset the old pair is in use and the next key is there");
    check(append("") == 0 && append("leaf 2\n") == 0 && port->store->commit(port->store->ctx) == 0,
          "store: a chain can be started anew");
    port->reset();
    check(holds(ACME_RECORD_KEY, "key 2\n") && holds(ACME_RECORD_CHAIN, "leaf 2\n"),
          "store: the second pair is in use, without what was dropped");
    check(append("") == 0 && append("leaf 3\n") == 0 && port->store->commit(port->store->ctx) == ACME_E_STORE_WRITE &&
              holds(ACME_RECORD_KEY, "key 2\n") && holds(ACME_RECORD_CHAIN, "leaf 2\n"),
          "store: commit without a next key, after one was in use, is an error and changes nothing");
    check(put(ACME_RECORD_KEY_NEXT, "key 3\n") == 0 && append("") == 0 && append("leaf 3\n") == 0 &&
              port->store->commit(port->store->ctx) == 0 && holds(ACME_RECORD_KEY, "key 3\n") &&
              holds(ACME_RECORD_CHAIN, "leaf 3\n"),
          "store: a third pair");
    check(holds(ACME_RECORD_ACCOUNT_KEY, "the account key\n"), "store: the account key has seen nothing of it");
}

/* The network: the connection talks to slot 0 of the listener. */

static int open_until(const char *host, uint16_t at)
{
    uint32_t start = port->now_ms();
    int r;
    while ((r = port->net->open(port->net->ctx, host, at)) == 0 && port->now_ms() - start < PATIENCE_MS) {
        port->wait();
    }
    return r;
}

static int accept_until(void)
{
    uint32_t start = port->now_ms();
    int r;
    while ((r = port->listener->accept(port->listener->ctx, 0)) == 0 && port->now_ms() - start < PATIENCE_MS) {
        port->wait();
    }
    return r;
}

static int start_until(void)
{
    uint32_t start = port->now_ms();
    int r;
    while ((r = port->listener->start(port->listener->ctx)) == 0 && port->now_ms() - start < PATIENCE_MS) {
        port->wait();
    }
    return r;
}

/* One end of the connection. */
struct end {
    bool slot;
};

static int end_send(struct end e, const void *data, size_t len)
{
    return e.slot ? port->listener->send(port->listener->ctx, 0, data, len)
                  : port->net->send(port->net->ctx, data, len);
}

static int end_recv(struct end e, void *data, size_t cap)
{
    return e.slot ? port->listener->recv(port->listener->ctx, 0, data, cap)
                  : port->net->recv(port->net->ctx, data, cap);
}

/* Receives until something comes. */
static int recv_until(struct end e, void *data, size_t cap)
{
    uint32_t start = port->now_ms();
    int r;
    while ((r = end_recv(e, data, cap)) == 0 && port->now_ms() - start < PATIENCE_MS) {
        port->wait();
    }
    return r;
}

static char pattern(uint32_t at)
{
    return (char)((at * 7 + at / 251) & 0xff);
}

/* Sends a long stream one way, faster than it is read. Returns true when it arrives whole. */
static bool stream(struct end from, struct end to)
{
    uint32_t sent = 0, got = 0, start = port->now_ms();

    while (got < STREAM_LEN && port->now_ms() - start < PATIENCE_MS) {
        uint32_t left = STREAM_LEN - sent;
        size_t len = left < ACME_WORK_MIN ? left : ACME_WORK_MIN;
        for (size_t i = 0; i < len; i++) {
            out[i] = pattern(sent + (uint32_t)i);
        }
        int r = len > 0 ? end_send(from, out, len) : 0;
        if (r < 0 || (size_t)r > len) {
            return false;
        }
        sent += (uint32_t)r;
        if (r > 0) {
            continue; /* first fill all there is between the two */
        }
        in[777] = '#';
        r = end_recv(to, in, 777);
        if (r < 0 || r > 777 || in[777] != '#') {
            return false;
        }
        for (int i = 0; i < r; i++) {
            if (in[i] != pattern(got + (uint32_t)i)) {
                return false;
            }
        }
        got += (uint32_t)r;
        if (r == 0) {
            port->wait();
        }
    }
    return got == STREAM_LEN;
}

static void check_bytes(void)
{
    struct end net = {false}, slot = {true};
    int r;

    check(end_recv(net, in, 8) == 0 && end_recv(slot, in, 8) == 0, "net: nothing there is 0, not an end");
    check(end_send(net, "hello", 5) == 5 && recv_until(slot, in, 2) == 2 && memcmp(in, "he", 2) == 0 &&
              recv_until(slot, in, 64) == 3 && memcmp(in, "llo", 3) == 0,
          "net: bytes go out, and can be had in pieces");
    check(end_send(slot, "world", 5) == 5 && recv_until(net, in, 64) == 5 && memcmp(in, "world", 5) == 0,
          "net: bytes come in");
    check(stream(net, slot), "net: a long stream goes out whole, more than fits at once");
    check(stream(slot, net), "net: a long stream comes in whole");
    check(end_send(slot, "last", 4) == 4, "listener: takes the last bytes");
    port->listener->close(port->listener->ctx, 0);
    check(recv_until(net, in, 64) == 4 && memcmp(in, "last", 4) == 0, "listener: close lets them out first");
    check(recv_until(net, in, 64) == ACME_E_CLOSED, "net: then the end is ACME_E_CLOSED");
    check(end_recv(net, in, 64) == ACME_E_CLOSED, "net: and stays that");
    for (int i = 0; i < 100 && (r = end_send(net, "more", 4)) >= 0; i++) {
        port->wait();
    }
    check(r == ACME_E_CLOSED || r == ACME_E_NET, "net: sending to nobody becomes an error, and kills nobody");
    port->net->close(port->net->ctx);
    port->net->close(port->net->ctx);
}

static void check_again(uint16_t at)
{
    struct end net = {false}, slot = {true};

    (void)port->net->open(port->net->ctx, port->address, at);
    port->net->close(port->net->ctx);
    /* The listener may or may not have seen it. */
    port->wait();
    if (port->listener->accept(port->listener->ctx, 0) == 1) {
        port->listener->close(port->listener->ctx, 0);
    }
    check(open_until(port->address, at) == 1 && accept_until() == 1,
          "net: opens again after two closes and an attempt given up");
    port->net->close(port->net->ctx);
    check(recv_until(slot, in, 64) == ACME_E_CLOSED, "listener: sees that the peer has closed");
    port->listener->close(port->listener->ctx, 0);
    /* Who closes first remembers the connection for a while, and listens again all the same. */
    check(open_until(port->address, at) == 1 && accept_until() == 1 && end_send(net, "ask", 3) == 3 &&
              recv_until(slot, in, 3) == 3 && end_send(slot, "end", 3) == 3,
          "listener: answers");
    port->listener->close(port->listener->ctx, 0);
    check(recv_until(net, in, 64) == 3 && recv_until(net, in, 64) == ACME_E_CLOSED, "listener: and closes first");
    port->net->close(port->net->ctx);
    if (port->name != NULL) {
        check(open_until(port->name, at) == 1 && accept_until() == 1, "net: opens by name");
        port->net->close(port->net->ctx);
        port->listener->close(port->listener->ctx, 0);
    }
    if (port->unknown != NULL) {
        check(open_until(port->unknown, at) == ACME_E_HOST, "net: an unknown name is ACME_E_HOST");
        (void)port->net->open(port->net->ctx, port->unknown, at);
        port->net->close(port->net->ctx);
        check(open_until(port->address, at) == 1 && accept_until() == 1,
              "net: a lookup that was given up is not taken for the next one");
        port->net->close(port->net->ctx);
        port->listener->close(port->listener->ctx, 0);
    }
}

static void check_network(void)
{
    uint16_t at;

    if (!check(start_until() == 1, "listener: starts")) {
        return;
    }
    at = port->listening();
    check(port->listener->start(port->listener->ctx) == 1, "listener: may be started when it listens already");
    check(port->listener->accept(port->listener->ctx, 0) == 0, "listener: nobody waiting is 0");
    if (check(open_until(port->address, at) == 1, "net: opens by address") &&
        check(accept_until() == 1, "listener: accepts")) {
        check_bytes();
        check_again(at);
    }
    port->listener->stop(port->listener->ctx);
    check(open_until(port->address, at) == ACME_E_REFUSED, "listener: stops listening; net: ACME_E_REFUSED");
    check(open_until(port->address, at) == ACME_E_REFUSED, "net: starts afresh after an error");
    port->net->close(port->net->ctx);
    check(start_until() == 1, "listener: starts again");
    port->listener->stop(port->listener->ctx);
}

unsigned conformance_run(const struct conformance_port *p)
{
    char plan[16] = "1..";
    size_t len = 3;

    port = p;
    number = failures = 0;
    check_random();
    check_utc();
    check_records();
    check_pair();
    check_network();
    say_number(plan, &len, number);
    plan[len] = '\0';
    port->say(plan);
    return failures;
}
