/* scan.c - see scan.h. Each way to write a part of a key is a needle; all start with 8 bytes, which are hashed. */
#include "scan.h"

#include <string.h>

#define KEYS      16
#define SLOTS     16384u /* a power of two; some 330 needles a key */
#define RAW       8
#define HEX       16
#define BASE64    9 /* characters that any 8 bytes fill, however aligned */
#define FILTER(h) ((h) >> 48)

static struct {
    uint8_t text[HEX], len;
} needles[SLOTS];
static uint8_t filter[65536 / 8]; /* one bit: a needle may start so */
static uint8_t keys[KEYS][32];
static unsigned key_count;

static uint64_t hash(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word * 0x9e3779b97f4a7c15u;
}

/* The same character over and over says nothing: keys of a broken source of random bytes, and empty buffers. */
static bool is_dull(const uint8_t *text, size_t len)
{
    return memcmp(text, text + 1, len - 1) == 0;
}

static void add(const uint8_t *text, uint8_t len)
{
    uint64_t h = hash(text);
    unsigned slot = (unsigned)(h >> 20) % SLOTS;
    if (is_dull(text, len)) {
        return;
    }
    while (needles[slot].len != 0) {
        slot = (slot + 1) % SLOTS;
    }
    memcpy(needles[slot].text, text, len);
    needles[slot].len = len;
    filter[FILTER(h) / 8] |= (uint8_t)(1u << FILTER(h) % 8);
}

static void add_all(const uint8_t *text, size_t len, uint8_t window)
{
    for (size_t at = 0; at + window <= len; at++) {
        add(text + at, window);
    }
}

static void add_hex(const uint8_t scalar[32], const char *digits)
{
    uint8_t text[64];
    for (unsigned i = 0; i < 32; i++) {
        text[2 * i] = (uint8_t)digits[scalar[i] >> 4];
        text[2 * i + 1] = (uint8_t)digits[scalar[i] & 15];
    }
    add_all(text, sizeof text, HEX);
}

/* `shift` bytes of something else come first. Only characters that the key alone decides are looked for. */
static void add_base64(const uint8_t scalar[32], unsigned shift, const char last[2])
{
    static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    uint8_t bytes[35] = {0}, text[46];
    unsigned bits = (shift + 32) * 8, first = (shift * 8 + 5) / 6;
    memcpy(bytes + shift, scalar, 32);
    for (unsigned i = 0; i < bits / 6; i++) {
        unsigned at = i * 6 / 8, off = i * 6 % 8;
        unsigned six = ((unsigned)bytes[at] << 8 | bytes[at + 1]) >> (10 - off) & 63;
        text[i] = (uint8_t)(six < 62 ? common[six] : last[six - 62]);
    }
    add_all(text + first, bits / 6 - first, BASE64);
}

void scan_forget(void)
{
    memset(needles, 0, sizeof needles);
    memset(filter, 0, sizeof filter);
    key_count = 0;
}

void scan_learn(const uint8_t scalar[32])
{
    for (unsigned i = key_count; i-- > 0;) {
        if (memcmp(keys[i], scalar, 32) == 0) {
            return;
        }
    }
    if (key_count == KEYS) {
        scan_forget();
    }
    memcpy(keys[key_count++], scalar, 32);
    add_all(scalar, 32, RAW);
    add_hex(scalar, "0123456789abcdef");
    add_hex(scalar, "0123456789ABCDEF");
    for (unsigned shift = 0; shift < 3; shift++) {
        add_base64(scalar, shift, "+/");
        add_base64(scalar, shift, "-_");
    }
}

bool scan_finds(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (; len >= RAW; at++, len--) {
        uint64_t h = hash(at);
        if ((filter[FILTER(h) / 8] >> FILTER(h) % 8 & 1) == 0) {
            continue;
        }
        for (unsigned slot = (unsigned)(h >> 20) % SLOTS; needles[slot].len != 0; slot = (slot + 1) % SLOTS) {
            if (needles[slot].len <= len && memcmp(needles[slot].text, at, needles[slot].len) == 0) {
                return true;
            }
        }
    }
    return false;
}
