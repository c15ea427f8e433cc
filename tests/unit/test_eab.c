/* test_eab.c - the key of an external account, as CAs and editors write it. */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "eab.h"

static uint8_t key[ACME_EAB_KEY_MAX];

static size_t decode(const char *text, const char **wrong)
{
    memset(key, 0xa5, sizeof key);
    return acme_eab_decode(key, text, strlen(text), wrong);
}

/* The bytes fb ff be 01 in all the forms there are. */
TEST(one_key_in_all_its_forms)
{
    static const char *const forms[] = {
        "-_--AQ",       "-_--AQ==",     "+/++AQ",       "+/++AQ==",         "-_--AQ=",   "-_--AQ\n",
        "+/++AQ==\r\n", "hex:fbffbe01", "hex:FBFFBE01", "hex:FbFfBe01\r\n", "-_--AQ==\n"};
    const char *wrong;

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        assert_int_equal(decode(forms[i], &wrong), 4);
        assert_memory_equal(key, "\xfb\xff\xbe\x01", 4);
        assert_null(wrong);
    }
}

TEST(each_fault_has_its_words)
{
    static const char *const faults[][2] = {{"", "no key"},
                                            {"\n", "no key"},
                                            {"==", "no key"},
                                            {"hex:", "no key"},
                                            {"hex:\r\n", "no key"},
                                            {"hex:abc", "odd number"},
                                            {"hex:0x12", "no hexadecimal digit"},
                                            {"hex:12 34", "no hexadecimal digit"},
                                            {"+_AA", "both alphabets"},
                                            {"-/AA", "both alphabets"},
                                            {"AAAA AAAA", "a blank"},
                                            {"AAAA\nAAAA", "a blank"},
                                            {"AAAA\n\n", "a blank"},
                                            {" AAAA", "a blank"},
                                            {"AAAA\t", "a blank"},
                                            {"AA=A", "not of base64"},
                                            {"AAAA===", "not of base64"},
                                            {"AA:A", "begins with hex:"},
                                            {"AAAAA", "a length that"},
                                            {"A", "a length that"},
                                            {"AAAA\xc3\xa4", "not of base64"}};
    const char *wrong;

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        assert_int_equal(decode(faults[i][0], &wrong), 0);
        assert_non_null(wrong);
        if (strstr(wrong, faults[i][1]) == NULL) {
            fail_msg("\"%s\": %s", faults[i][0], wrong);
        }
    }
    assert_int_equal(acme_eab_decode(key, "AA\0A", 4, &wrong), 0);
}

/* 64 hexadecimal digits are good base64url too: without the word that is what they are. ZeroSSL's have 86 characters. */
TEST(lengths)
{
    unsigned char text[600];
    uint8_t bytes[400];
    const char *wrong;

    assert_int_equal(decode("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", &wrong), 48);
    for (size_t len = 1; len <= sizeof bytes; len++) {
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (uint8_t)(len * 31 + i * 7);
        }
        assert_int_equal(EVP_EncodeBlock(text, bytes, (int)len), (len + 2) / 3 * 4);
        assert_int_equal(decode((char *)text, &wrong), len);
        assert_memory_equal(key, bytes, len);
    }
}

TEST(files)
{
    static const struct {
        mode_t mode;
        bool good;
    } modes[] = {{0600, true}, {0400, true}, {0640, true}, {0440, true}, {0644, false}, {0660, false}, {0604, false}};
    char path[] = "/tmp/nanoacme-eab-XXXXXX";
    const char *wrong;
    int fd = mkstemp(path), code = 0;

    assert_int_equal(write(fd, "-_--AQ==\n", 9), 9);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(fchmod(fd, modes[i].mode), 0);
        assert_int_equal(acme_eab_read(key, path, &wrong, &code), modes[i].good ? 4 : 0);
        assert_true(modes[i].good || strstr(wrong, "chmod 600") != NULL);
        assert_int_equal(code, 0);
    }
    assert_int_equal(fchmod(fd, 0600), 0);
    assert_int_equal(ftruncate(fd, ACME_EAB_TEXT_MAX), 0);
    assert_int_equal(acme_eab_read(key, path, &wrong, &code), 0);
    assert_string_equal(wrong, "too long for a key");
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(acme_eab_read(key, path, &wrong, &code), 0);
    assert_int_equal(code, ENOENT);
    assert_int_equal(acme_eab_read(key, "/tmp", &wrong, &code), 0);
    assert_int_equal(code, EISDIR);
}
