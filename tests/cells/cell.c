/* cell.c - see cell.h. */
#include "cell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNED 32768 /* a power of two */

static struct {
    uint32_t ms;
    enum ca_kind kind;
    int reason; /* of the first wait behind it */
} asked[CELL_REQUESTS + ENGINE_REQUESTS_MAX];
static unsigned asked_count, wrongs;
static char at_work[CELL_TOKEN];
static bool playing, shown;

/* --- keys that remember */

static int generate(void *handle, const struct acme_sys *sys)
{
    static struct acme_key_p256 made[2]; /* the account's and the certificate's, in turn */
    static unsigned turn;
    struct acme_key_p256 *key = &made[turn++ % 2];
    int error = key->ready ? 0 : acme_key_p256_ops.generate(key, sys);
    *(struct acme_key_p256 *)handle = *key;
    return error;
}

static int point(void *handle, uint8_t to[65])
{
    return acme_key_p256_ops.point(handle, to);
}

static int sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    static struct {
        uint8_t digest[32], signature[64];
        bool there;
    } known[SIGNED];
    unsigned slot = ((unsigned)digest[0] << 8 | digest[1] | (unsigned)digest[2] << 16) % SIGNED;
    if (!known[slot].there || memcmp(known[slot].digest, digest, 32) != 0) {
        int error = acme_key_p256_ops.sign(handle, digest, signature);
        if (error != 0) {
            return error;
        }
        memcpy(known[slot].digest, digest, 32);
        memcpy(known[slot].signature, signature, 64);
        known[slot].there = true;
    }
    memcpy(signature, known[slot].signature, 64);
    return 0;
}

static const struct acme_key_ops keys = {.point = point, .sign = sign, .generate = generate};

/* --- playing */

const char *cell_kind(enum ca_kind kind)
{
    static const char *const words[] = {"directory", "newNonce", "newAccount",  "newOrder", "order",     "authz",
                                        "challenge", "finalize", "certificate", "newReg",   "reg",       "newAuthz",
                                        "newCert",   "issuer",   "revoke",      "account",  "keyChange", "the end"};
    return words[kind];
}

static void note(struct engine *e)
{
    asked[asked_count].ms = e->elapsed_ms;
    asked[asked_count].reason = (int)e->waits; /* which: looked up at the end */
    asked[asked_count++].kind = e->ca.last;
    if (shown) {
        print_message("--- %u ms, %s\n%.*s\n-->\n%.*s\n", e->elapsed_ms, cell_kind(e->ca.last), (int)e->request_len,
                      e->request, (int)e->answer.len, e->answer.at);
    }
}

void cell_play(struct engine *e, const struct ca_plan *plan, const char *resumed, void (*begun)(struct engine *e))
{
    const struct engine_way way = {.resumed = resumed, .whole = true, .keys = &keys, .begun = begun, .asked = note};
    asked_count = 0;
    playing = true;
    engine_play(e, plan, &way);
    playing = false;
    e->way = NULL; /* it was ours */
    for (unsigned i = 0; i < asked_count; i++) {
        unsigned wait = (unsigned)asked[i].reason;
        asked[i].reason = wait < e->waits ? e->wait[wait].error : 0;
    }
    uint32_t told = 0;
    for (unsigned i = 0; i < e->waits; i++) {
        told += e->wait[i].ms;
    }
    if (shown) {
        print_message("--- %u ms, ended with %d, to come back after %u s\n", e->elapsed_ms, e->error, e->x.retry_s);
    }
    if (e->waits < 64 && told != e->elapsed_ms) {
        cell_wrong("waited %u ms and told of %u", e->elapsed_ms, told);
    }
    if (e->error == ENGINE_ENDLESS) {
        cell_wrong("there is no end");
    }
}

int cell_place(enum ca_kind kind, unsigned nth)
{
    for (unsigned i = 0; i < asked_count; i++) {
        if (asked[i].kind == kind && --nth == 0) {
            return (int)i;
        }
    }
    return -1;
}

struct cell_next cell_next(enum ca_kind kind, unsigned nth)
{
    struct cell_next next = {.kind = CA_KINDS};
    int place = cell_place(kind, nth);
    if (place < 0) {
        return next;
    }
    next.asked = true;
    next.reason = asked[place].reason;
    for (unsigned i = (unsigned)place + 1; i < asked_count; i++) {
        if (asked[i].kind != CA_NONCE || kind == CA_NONCE) {
            next.kind = asked[i].kind;
            next.waited_ms = asked[i].ms - asked[place].ms;
            break;
        }
    }
    return next;
}

/* --- telling */

bool cell_chosen(const char *token)
{
    const char *only = getenv("CELL");
    shown = only != NULL && strcmp(only, token) == 0;
    snprintf(at_work, sizeof at_work, "%s", token);
    return only == NULL || shown;
}

void cell_wrong(const char *format, ...)
{
    char text[300];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (wrongs++ < 30) {
        print_message("CELL=\"%s\": %s\n", at_work, text);
    }
}

unsigned cell_wrongs(void)
{
    unsigned count = wrongs;
    wrongs = 0;
    return count;
}

int cell_teardown(void **state)
{
    if (playing) {
        print_message("CELL=\"%s\": the scripted CA stopped it\n", at_work);
        playing = false;
    }
    return 0;
}

bool cell_all_used(unsigned played, size_t wanted, const unsigned *used, size_t count, const char *const *why,
                   size_t step)
{
    bool one = getenv("CELL") != NULL;
    assert_int_equal(played, one ? 1 : wanted);
    for (size_t i = 0; i < count && !one; i++) {
        if (used[i] == 0) {
            fail_msg("no cell needs: %s", *(const char *const *)((const char *)why + i * step));
        }
    }
    return one;
}
