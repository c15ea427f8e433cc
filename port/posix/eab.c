/* eab.c - see eab.h. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eab.h"
#include "config.h"
#include "secure/wipe.h"
#include "wire/base64.h"

/* 0..15, or 16: no digit. */
static unsigned hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, acme_lower(c));
    return at == NULL ? 16 : (unsigned)(at - digits);
}

static const char *decode_hex(uint8_t *key, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned value = hex_value(text[i]);
        if (value == 16) {
            return "a character that is no hexadecimal digit";
        }
        key[i / 2] = (uint8_t)(i % 2 == 0 ? value : (unsigned)key[i / 2] << 4 | value);
    }
    return len % 2 != 0 ? "an odd number of hexadecimal digits" : NULL;
}

/* Both alphabets, but one at a time: what has + and _ is a damaged text. */
static const char *decode_base64(uint8_t *key, const char *text, size_t len)
{
    bool standard = false, url = false;
    uint32_t bits = 0;

    for (size_t i = 0; i < len; i++) {
        bool is_url = text[i] == '-' || text[i] == '_';
        char c = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
        unsigned value = acme_base64_value(c);

        url = url || is_url;
        standard = standard || text[i] == '+' || text[i] == '/';
        if (value == ACME_BASE64_SPACE) {
            return "a blank or a line end within the key";
        }
        if (value >= ACME_BASE64_PADDING) {
            return "a character that is not of base64; a key in hexadecimal begins with hex:";
        }
        bits = bits << 6 | value;
        if (i % 4 != 0) {
            key[i / 4 * 3 + i % 4 - 1] = (uint8_t)(bits >> (6 - i % 4 * 2));
        }
    }
    return standard && url ? "characters of both alphabets, base64's and base64url's"
           : len % 4 == 1  ? "a length that base64 never has: it was cut, or has a character too many"
                           : NULL;
}

size_t acme_eab_decode(uint8_t key[ACME_EAB_KEY_MAX], const char *text, size_t len, const char **wrong)
{
    bool hex = len >= 4 && memcmp(text, "hex:", 4) == 0;

    len -= len > 0 && text[len - 1] == '\n';
    len -= len > 0 && text[len - 1] == '\r';
    if (hex) {
        text += 4;
        len -= len < 4 ? len : 4;
        *wrong = decode_hex(key, text, len);
    } else {
        for (unsigned i = 0; i < 2; i++) {
            len -= len > 0 && text[len - 1] == '=';
        }
        *wrong = decode_base64(key, text, len);
    }
    size_t key_len = hex ? len / 2 : len * 3 / 4;
    if (*wrong == NULL && key_len == 0) {
        *wrong = "no key in it";
    }
    return *wrong == NULL ? key_len : 0;
}

size_t acme_eab_read(uint8_t key[ACME_EAB_KEY_MAX], const char *path, const char **wrong, int *code)
{
    char text[ACME_EAB_TEXT_MAX];
    size_t have = 0, key_len = 0;
    ssize_t n = 1;
    struct stat is;
    int fd = acme_config_open(path);

    *wrong = NULL;
    *code = 0;
    if (fd >= 0 && fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && (is.st_mode & 027) != 0) {
        *wrong = "others may read it, or its group write to it; chmod 600";
    }
    while (fd >= 0 && *wrong == NULL && n > 0 && have < sizeof text) {
        n = read(fd, text + have, sizeof text - have);
        have += n > 0 ? (size_t)n : 0;
    }
    if (fd < 0 || n < 0) {
        *code = errno;
        *wrong = strerror(*code);
    } else if (have == sizeof text) {
        *wrong = "too long for a key";
    } else if (*wrong == NULL) {
        key_len = acme_eab_decode(key, text, have, wrong);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    acme_wipe(text, sizeof text);
    return key_len;
}
