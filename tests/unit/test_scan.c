/* test_scan.c - the scanner for private keys finds what was planted, and nothing else. */
#include "unit.h"

#include "fake/scan.h"
#include "fake/words.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static uint8_t scalar[32];
static char text[400];

static int learn(void **state)
{
    for (unsigned i = 0; i < 32; i++) {
        scalar[i] = (uint8_t)(i * 37 + (i * i) % 11 + 191);
    }
    scan_forget();
    scan_learn(scalar);
    return 0;
}

/* Every 8 bytes of the key in a row, at every place in a text. */
TEST_WITH(finds_raw, learn, NULL)
{
    for (unsigned at = 0; at + 8 <= 32; at++) {
        for (unsigned to = 0; to <= 40; to++) {
            memset(text, 'x', sizeof text);
            memcpy(text + to, scalar + at, 8);
            assert_true(scan_finds(text, to + 8));
            assert_false(scan_finds(text, to + 7));
        }
    }
}

TEST_WITH(finds_hexadecimal, learn, NULL)
{
    for (unsigned at = 0; at + 8 <= 32; at++) {
        for (unsigned upper = 0; upper < 2; upper++) {
            int len = sprintf(text, "xyz");
            for (unsigned i = at; i < at + 8; i++) {
                len += sprintf(text + len, upper ? "%02X" : "%02x", scalar[i]);
            }
            assert_true(scan_finds(text, (size_t)len));
            assert_false(scan_finds(text, (size_t)len - 1));
        }
    }
}

/* 8 bytes among others, in base64 of each alignment and both alphabets. */
TEST_WITH(finds_base64, learn, NULL)
{
    for (unsigned at = 0; at + 8 <= 32; at++) {
        for (unsigned before = 0; before < 6; before++) {
            uint8_t bytes[17];
            memset(bytes, 0xb7, sizeof bytes);
            memcpy(bytes + before, scalar + at, 8);
            int len = EVP_EncodeBlock((unsigned char *)text, bytes, sizeof bytes);
            assert_true(scan_finds(text, (size_t)len));
            for (int i = 0; i < len; i++) {
                text[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
            }
            assert_true(scan_finds(text, (size_t)len));
        }
    }
}

TEST_WITH(finds_no_less, learn, NULL)
{
    uint8_t bytes[32];
    for (unsigned at = 0; at + 7 <= 32; at++) {
        memset(text, 'x', sizeof text);
        memcpy(text + 9, scalar + at, 7);
        assert_false(scan_finds(text, 40));
    }
    memset(bytes, 0, sizeof bytes); /* a key of nothing is in every empty buffer */
    scan_learn(bytes);
    memset(text, 0, sizeof text);
    assert_false(scan_finds(text, sizeof text));
    assert_false(scan_finds(text, 0));
}

/* Many keys, one after the other: the last ones are known, and so is a key learned twice. */
TEST_WITH(many_keys, learn, NULL)
{
    for (unsigned i = 0; i < 100; i++) {
        scalar[3] = (uint8_t)i;
        scan_learn(scalar);
        scan_learn(scalar);
        assert_true(scan_finds(scalar, 8));
    }
}

/* And so is the alphabet of what the core says. */
TEST(only_printable_words)
{
    assert_true(words_plain(" ~azAZ09", 8));
    assert_true(words_plain(NULL, 0));
    for (int c = 0; c < 256; c++) {
        const char words[3] = {'a', (char)c, 'b'};
        assert_int_equal(words_plain(words, 3), c >= 0x20 && c <= 0x7e);
    }
}
