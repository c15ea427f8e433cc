/* key_uri.c - see key_uri.h. */
#include <string.h>

#include "key_uri.h"

static int hex_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes a value of `len` characters. Returns its length, which is more than `cap` when it does not fit; -1: a % that is none. */
static long decode(uint8_t *to, size_t cap, const char *at, size_t len)
{
    size_t have = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)at[i];
        if (at[i] == '%') {
            int high = len - i > 2 ? hex_of(at[i + 1]) : -1, low = high >= 0 ? hex_of(at[i + 2]) : -1;
            if (low < 0) {
                return -1;
            }
            byte = (uint8_t)(high * 16 + low);
            i += 2;
        }
        if (have < cap) {
            to[have] = byte;
        }
        have++;
    }
    return (long)have;
}

/* A value that is a text. */
static const char *take_text(char *to, size_t size, const char *at, size_t len)
{
    long have = decode((uint8_t *)to, size - 1, at, len);

    if (have < 0) {
        return "a % in it without two hexadecimal digits";
    }
    if ((size_t)have >= size) {
        return "a value in it is too long";
    }
    to[have] = '\0';
    if (have == 0 || memchr(to, '\0', (size_t)have) != NULL) {
        return "a value in it is empty";
    }
    return NULL;
}

/* A path, or a URI of a file. */
static const char *take_path(char to[ACME_KEY_URI_PATH_MAX], const char *at, size_t len)
{
    const char *wrong = take_text(to, ACME_KEY_URI_PATH_MAX, at, len);
    size_t skip = strncmp(to, "file:", 5) != 0 ? 0 : strncmp(to, "file:///", 8) == 0 ? 7 : 5;

    if (wrong != NULL) {
        return wrong;
    }
    memmove(to, to + skip, strlen(to + skip) + 1);
    return to[0] == '|'   ? "pin-source names a program, and none is run for it: name a file"
           : to[0] != '/' ? "module-path and pin-source are absolute paths"
                          : NULL;
}

static const char *take_id(struct acme_key_uri *u, const char *at, size_t len)
{
    long have = decode(u->id, sizeof u->id, at, len);

    u->id_len = have > 0 ? (size_t)have : 0;
    return have < 0                      ? "a % in it without two hexadecimal digits"
           : have == 0                   ? "a value in it is empty"
           : (size_t)have > sizeof u->id ? "a value in it is too long"
                                         : NULL;
}

static bool is(const char *at, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(at, word, len) == 0;
}

static const char *take_pair(struct acme_key_uri *u, const char *name, size_t name_len, const char *at, size_t len,
                             bool query)
{
    const struct {
        const char *name;
        char *to;
        size_t size;
    } texts[] = {{"token", u->token, sizeof u->token},
                 {"manufacturer", u->manufacturer, sizeof u->manufacturer},
                 {"model", u->model, sizeof u->model},
                 {"serial", u->serial, sizeof u->serial},
                 {"object", u->object, sizeof u->object}};
    char *path = is(name, name_len, "module-path")  ? u->module
                 : is(name, name_len, "pin-source") ? u->pin_source
                                                    : NULL;

    for (size_t i = 0; !query && i < sizeof texts / sizeof *texts; i++) {
        if (is(name, name_len, texts[i].name)) {
            return texts[i].to[0] != '\0' ? "a word in it is there twice"
                                          : take_text(texts[i].to, texts[i].size, at, len);
        }
    }
    if (!query && is(name, name_len, "id")) {
        return u->id_len > 0 ? "a word in it is there twice" : take_id(u, at, len);
    }
    if (!query && is(name, name_len, "type")) {
        return is(at, len, "private") ? NULL : "its type is not private: a key that signs is";
    }
    if (query && path != NULL) {
        return path[0] != '\0' ? "a word in it is there twice" : take_path(path, at, len);
    }
    if (query && is(name, name_len, "pin-value")) {
        return "a PIN is not to be seen by everybody: put it into a file, and name that by pin-source";
    }
    return "a word in it is not known: token, serial, manufacturer, model, object, id, type; behind the ? "
           "module-path "
           "and pin-source";
}

const char *acme_key_uri_read(struct acme_key_uri *u, const char *text)
{
    static const char scheme[] = "pkcs11:";
    const char *wrong = NULL;
    bool query = false;

    memset(u, 0, sizeof *u);
    if (strncmp(text, scheme, sizeof scheme - 1) != 0) {
        return "not a URI that begins with pkcs11:";
    }
    text += sizeof scheme - 1;
    while (wrong == NULL && *text != '\0') {
        size_t len = strcspn(text, query ? "&" : ";?"), name_len = strcspn(text, "=");
        if (len == 0 || name_len >= len) {
            return "what stands between ; or & in it is not word=value";
        }
        wrong = take_pair(u, text, name_len, text + name_len + 1, len - name_len - 1, query);
        text += len;
        query = query || *text == '?';
        text += *text != '\0';
    }
    return wrong != NULL                                 ? wrong
           : u->token[0] == '\0' && u->serial[0] == '\0' ? "it tells neither token nor serial"
           : u->object[0] == '\0' && u->id_len == 0      ? "it tells neither object nor id"
           : u->module[0] == '\0'                        ? "it has no module-path, behind a ?"
                                                         : NULL;
}
