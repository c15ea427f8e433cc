/* token.c - see token.h. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "token.h"
#include "secure/wipe.h"

#define SLOTS 64

/* What a module means. */
static const char *meaning(ck_ulong answer)
{
    static const struct {
        ck_ulong answer;
        const char *words;
    } known[] = {
        {CK_FUNCTION_FAILED, "it failed"},
        {CK_DEVICE_ERROR, "the token does not answer well"},
        {CK_DEVICE_REMOVED, "the token has been removed"},
        {CK_KEY_TYPE_INCONSISTENT, "the key is of another kind"},
        {CK_KEY_NOT_PERMITTED, "the key is not allowed to sign"},
        {CK_MECHANISM_INVALID, "the token has no ECDSA"},
        {CK_PIN_INCORRECT, "the PIN is wrong"},
        {CK_PIN_INVALID, "the PIN has characters that it cannot have"},
        {CK_PIN_LEN_RANGE, "the PIN is too long or too short"},
        {CK_PIN_EXPIRED, "the PIN has expired: set another"},
        {CK_PIN_LOCKED, "the PIN is locked: unlock it with the token's own tool"},
        {CK_TOKEN_NOT_PRESENT, "the token has been removed"},
        {CK_NOT_LOGGED_IN, "it wants a PIN"},
        {CK_PIN_NOT_INITIALIZED, "no PIN was ever set"},
        {CK_BUFFER_TOO_SMALL, "a signature that is longer than 64 bytes"},
    };
    static char number[32];

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].answer == answer) {
            return known[i].words;
        }
    }
    (void)snprintf(number, sizeof number, "error 0x%lx", answer);
    return number;
}

/* Says what is wrong, in printable ASCII: labels may hold anything. */
__attribute__((format(printf, 3, 4))) static enum acme_token_fault
fault(struct acme_token *t, enum acme_token_fault what, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    (void)vsnprintf(t->words, sizeof t->words, format, list);
    va_end(list);
    for (char *at = t->words; *at != '\0'; at++) {
        *at = *at < ' ' || *at > '~' ? '?' : *at;
    }
    return what;
}

/* What a call has answered, and who may help. */
static enum acme_token_fault failed(struct acme_token *t, const char *what, ck_ulong answer)
{
    bool pin = answer == CK_PIN_INCORRECT || answer == CK_PIN_INVALID || answer == CK_PIN_LEN_RANGE ||
               answer == CK_PIN_EXPIRED || answer == CK_PIN_LOCKED;
    bool setup = answer == CK_KEY_TYPE_INCONSISTENT || answer == CK_KEY_NOT_PERMITTED ||
                 answer == CK_MECHANISM_INVALID || answer == CK_PIN_NOT_INITIALIZED || answer == CK_NOT_LOGGED_IN;

    return fault(t,
                 pin     ? ACME_TOKEN_PIN
                 : setup ? ACME_TOKEN_SETUP
                         : ACME_TOKEN_TROUBLE,
                 "%s: %s", what, meaning(answer));
}

const struct ck_functions *acme_token_load(const char *path, char words[400])
{
    ck_get_function_list *get = NULL;
    struct ck_functions *f = NULL;
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = module != NULL ? dlsym(module, "C_GetFunctionList") : NULL;
    ck_ulong answer;

    if (symbol == NULL) {
        const char *why = dlerror();
        (void)snprintf(words, 400, "module-path: %s", why != NULL ? why : path);
        return NULL;
    }
    memcpy(&get, &symbol, sizeof get); /* C99 has no other way from one to the other */
    answer = get(&f);
    if (answer != CK_OK || f == NULL || f->version.major != 2) {
        (void)snprintf(words, 400, "module-path: %s is not a module of PKCS #11, version 2", path);
        return NULL;
    }
    answer = f->initialize(NULL);
    if (answer != CK_OK && answer != CK_ALREADY_INITIALIZED) {
        (void)snprintf(words, 400, "module-path: %s cannot be initialized: %s", path, meaning(answer));
        return NULL;
    }
    return f;
}

/* Whether it has bytes that nobody types: what an editor has put into the file would cost one of the token's few tries. */
static bool is_odd(const char *pin, size_t len)
{
    bool odd = len >= 3 && memcmp(pin, "\xef\xbb\xbf", 3) == 0; /* the mark of UTF-8 */

    for (size_t i = 0; i < len; i++) {
        odd = odd || (unsigned char)pin[i] < ' ' || pin[i] == 0x7f;
    }
    return odd;
}

const char *acme_token_pin(struct acme_token *t, const char *path)
{
    struct stat is;
    ssize_t n = -1;
    int fd = acme_config_open(path), code = errno;
    bool open = fd >= 0 && fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && (is.st_mode & 027) != 0;

    t->pin_len = 0;
    if (fd >= 0) {
        n = read(fd, t->pin, sizeof t->pin);
        code = errno;
        (void)close(fd);
    }
    if (n > 0 && t->pin[n - 1] == '\n') {
        n--;
        n -= n > 0 && t->pin[n - 1] == '\r';
    }
    bool alone = n > 0 && n < (ssize_t)sizeof t->pin && memchr(t->pin, '\n', (size_t)n) == NULL;
    bool odd = alone && is_odd(t->pin, (size_t)n);
    t->pin_len = alone && !odd && !open ? (size_t)n : 0;
    return n < 0             ? strerror(code)
           : open            ? "others may read it, or its group write to it; chmod 600"
           : n == 0          ? "no PIN in it"
           : odd             ? "a byte order mark or a control character in it, which no PIN has"
           : t->pin_len == 0 ? "more than a PIN in it: it stands alone, on one line"
                             : NULL;
}

/* True when a token's text is the one wanted, or any will do. */
static bool fits(const char *want, const ck_byte *text, size_t len)
{
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\0')) {
        len--;
    }
    return want[0] == '\0' || (strlen(want) == len && memcmp(want, text, len) == 0);
}

static const char *name_of(const struct acme_key_uri *u)
{
    return u->token[0] != '\0' ? u->token : u->serial;
}

static enum acme_token_fault find_slot(struct acme_token *t, ck_ulong *flags)
{
    const struct acme_key_uri *u = t->uri;
    ck_ulong slots[SLOTS], count = SLOTS;
    ck_ulong answer = t->f->get_slot_list(1, slots, &count);
    unsigned found = 0;

    if (answer != CK_OK) {
        return failed(t, "slots", answer);
    }
    for (ck_ulong i = 0; i < count && i < SLOTS; i++) {
        struct ck_token_info info;
        memset(&info, 0, sizeof info);
        if (t->f->get_token_info(slots[i], &info) == CK_OK && fits(u->token, info.label, sizeof info.label) &&
            fits(u->manufacturer, info.manufacturer, sizeof info.manufacturer) &&
            fits(u->model, info.model, sizeof info.model) && fits(u->serial, info.serial, sizeof info.serial)) {
            t->slot = slots[i];
            *flags = info.flags;
            found++;
        }
    }
    return found == 0
               ? fault(t, ACME_TOKEN_TROUBLE, "there is no token \"%s\" in %lu slots with one", name_of(u), count)
           : found > 1
               ? fault(t, ACME_TOKEN_SETUP, "there are %u tokens \"%s\": tell its serial too", found, name_of(u))
               : ACME_TOKEN_OK;
}

/* Once: a token that is told a wrong PIN a few times locks itself. */
static enum acme_token_fault log_in(struct acme_token *t, ck_ulong flags)
{
    bool pad = (flags & CK_PROTECTED_PATH) != 0;
    struct ck_session_info info = {0, 0, 0, 0};
    ck_ulong answer = t->f->get_session_info(t->session, &info);
    bool is_in = answer == CK_OK && (info.state == CK_STATE_USER || info.state == CK_STATE_USER_WRITE);

    if (is_in || (flags & CK_LOGIN_REQUIRED) == 0) { /* the other key in the same token has */
        return ACME_TOKEN_OK;
    }
    if ((flags & CK_PIN_IS_LOCKED) != 0) {
        return fault(t, ACME_TOKEN_SETUP, "the PIN of \"%s\" is locked: unlock it with the token's own tool",
                     name_of(t->uri));
    }
    if ((flags & CK_PIN_FINAL_TRY) != 0) {
        return fault(t, ACME_TOKEN_SETUP,
                     "the PIN of \"%s\" may be told once more only, and that is left to you: log in with the "
                     "token's own tool",
                     name_of(t->uri));
    }
    if (t->pin_len == 0 && !pad) {
        return fault(t, ACME_TOKEN_SETUP, "\"%s\" wants a PIN: put it into a file, and name that by pin-source",
                     name_of(t->uri));
    }
    answer = t->f->login(t->session, CK_USER, pad ? NULL : (ck_byte *)t->pin, pad ? 0 : t->pin_len);
    return answer == CK_OK || answer == CK_ALREADY_LOGGED_IN ? ACME_TOKEN_OK : failed(t, "login", answer);
}

/* Reads an attribute. Returns its length; 0: it is not to be had, or longer. */
static size_t attribute(struct acme_token *t, ck_ulong object, ck_ulong type, void *to, size_t cap)
{
    struct ck_attribute a = {type, to, cap};
    ck_ulong answer = t->f->get_attribute(t->session, object, &a, 1);
    return answer == CK_OK && a.len != CK_UNAVAILABLE && a.len <= cap ? (size_t)a.len : 0;
}

/* Objects of a class with this label and id; empty: any. Returns how many there are, 2 being many; -1: words. */
static int find(struct acme_token *t, ck_ulong class, const char *label, const uint8_t *id, size_t id_len,
                ck_ulong *object)
{
    char text[sizeof t->uri->object];
    uint8_t bytes[sizeof t->uri->id];
    struct ck_attribute want[3] = {{CK_A_CLASS, &class, sizeof class}};
    ck_ulong objects[2], count = 0, want_count = 1, answer;

    if (label[0] != '\0') {
        (void)snprintf(text, sizeof text, "%s", label);
        want[want_count++] = (struct ck_attribute){CK_A_LABEL, text, strlen(text)};
    }
    if (id_len > 0) {
        memcpy(bytes, id, id_len);
        want[want_count++] = (struct ck_attribute){CK_A_ID, bytes, id_len};
    }
    answer = t->f->find_init(t->session, want, want_count);
    if (answer == CK_OK) {
        answer = t->f->find(t->session, objects, 2, &count);
        (void)t->f->find_final(t->session);
    }
    *object = objects[0];
    if (answer != CK_OK) {
        (void)failed(t, "looking for the key", answer);
        return -1;
    }
    return count > 2 ? 2 : (int)count;
}

/* The point of CKA_EC_POINT in each of its forms: DER OCTET STRING, BIT STRING, bare. Returns false: none of P-256. */
static bool read_point(uint8_t point[65], const uint8_t *value, size_t len)
{
    static const uint8_t octets[] = {0x04, 0x41}, bits[] = {0x03, 0x42, 0x00};
    size_t skip = len == 67 && memcmp(value, octets, sizeof octets) == 0 ? 2
                  : len == 68 && memcmp(value, bits, sizeof bits) == 0   ? 3
                                                                         : 0;
    if (len - skip != 65 || value[skip] != 0x04) {
        return false;
    }
    memcpy(point, value + skip, 65);
    return true;
}

/* The public key: of the private one, else of its twin with the same id, else with the same label. */
static enum acme_token_fault find_point(struct acme_token *t)
{
    uint8_t value[128], id[sizeof t->uri->id];
    size_t len = attribute(t, t->key, CK_A_EC_POINT, value, sizeof value);
    size_t id_len = attribute(t, t->key, CK_A_ID, id, sizeof id);
    ck_ulong twin;

    if (len == 0) {
        int found = find(t, CK_PUBLIC_KEY, id_len > 0 ? "" : t->uri->object, id, id_len, &twin);
        if (found != 1) {
            return found < 0 ? ACME_TOKEN_TROUBLE
                             : fault(t, ACME_TOKEN_SETUP,
                                     found == 0 ? "the key has no public key with the same id beside it"
                                                : "the key has several public keys with the same id beside it");
        }
        len = attribute(t, twin, CK_A_EC_POINT, value, sizeof value);
    }
    return read_point(t->point, value, len)
               ? ACME_TOKEN_OK
               : fault(t, ACME_TOKEN_SETUP, "its public key cannot be read as a point of P-256");
}

/* Looks whether the key is one that can be used. */
static enum acme_token_fault check_key(struct acme_token *t)
{
    static const uint8_t p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    uint8_t curve[128];
    ck_ulong type = 0;
    ck_byte sign = 1, always = 0;
    size_t len;

    if (attribute(t, t->key, CK_A_KEY_TYPE, &type, sizeof type) != sizeof type || type != CK_EC) {
        return fault(t, ACME_TOKEN_SETUP, "the key is not P-256, nor on any elliptic curve");
    }
    len = attribute(t, t->key, CK_A_EC_PARAMS, curve, sizeof curve);
    if (len != sizeof p256 || memcmp(curve, p256, sizeof p256) != 0) {
        return fault(t, ACME_TOKEN_SETUP, "the key is not P-256");
    }
    if (attribute(t, t->key, CK_A_SIGN, &sign, sizeof sign) == sizeof sign && sign == 0) {
        return fault(t, ACME_TOKEN_SETUP, "the key is not allowed to sign (CKA_SIGN)");
    }
    (void)attribute(t, t->key, CK_A_ALWAYS_AUTHENTICATE, &always, sizeof always);
    t->always = always != 0;
    return find_point(t);
}

enum acme_token_fault acme_token_open(struct acme_token *t)
{
    const struct acme_key_uri *u = t->uri;
    ck_ulong flags = 0, answer;
    enum acme_token_fault result;

    if (t->open) {
        (void)t->f->close_session(t->session);
        t->open = false;
    }
    result = find_slot(t, &flags);
    if (result != ACME_TOKEN_OK) {
        return result;
    }
    answer = t->f->open_session(t->slot, CK_SERIAL_SESSION, NULL, NULL, &t->session);
    if (answer != CK_OK) {
        return failed(t, "session", answer);
    }
    t->open = true;
    result = log_in(t, flags);
    if (result != ACME_TOKEN_OK) {
        return result;
    }
    switch (find(t, CK_PRIVATE_KEY, u->object, u->id, u->id_len, &t->key)) {
    case 1:
        return check_key(t);
    case 0:
        return fault(t, ACME_TOKEN_SETUP, "there is no private key of that %s in \"%s\"",
                     u->object[0] == '\0' ? "id"
                     : u->id_len == 0     ? "label"
                                          : "label and id",
                     name_of(u));
    case 2:
        return fault(t, ACME_TOKEN_SETUP, "there are several private keys of that %s in \"%s\": tell %s too",
                     u->object[0] != '\0' ? "label" : "id", name_of(u),
                     u->object[0] != '\0' ? "the id" : "the label");
    default:
        return ACME_TOKEN_TROUBLE;
    }
}

/* One signature. *lost: session or handle are of no use any more. */
static enum acme_token_fault sign_once(struct acme_token *t, const uint8_t digest[32], uint8_t signature[64],
                                       bool *lost)
{
    struct ck_mechanism ecdsa = {CK_ECDSA, NULL, 0};
    uint8_t data[32], made[256];
    ck_ulong len = sizeof made;
    ck_ulong answer = t->f->sign_init(t->session, &ecdsa, t->key);

    memcpy(data, digest, sizeof data);
    if (answer == CK_OK && t->always) {
        answer = t->f->login(t->session, CK_CONTEXT_SPECIFIC, t->pin_len > 0 ? (ck_byte *)t->pin : NULL, t->pin_len);
    }
    if (answer == CK_OK) {
        answer = t->f->sign(t->session, data, sizeof data, made, &len);
    }
    *lost = answer == CK_KEY_HANDLE_INVALID || answer == CK_OBJECT_HANDLE_INVALID ||
            answer == CK_SESSION_HANDLE_INVALID || answer == CK_SESSION_CLOSED || answer == CK_NOT_LOGGED_IN ||
            answer == CK_DEVICE_REMOVED || answer == CK_TOKEN_NOT_PRESENT;
    if (answer != CK_OK) {
        return failed(t, "signing", answer);
    }
    if (len != 64) {
        return fault(t, ACME_TOKEN_SETUP, "a signature of %lu bytes, where one of P-256 has 64", len);
    }
    memcpy(signature, made, 64);
    return ACME_TOKEN_OK;
}

enum acme_token_fault acme_token_sign(struct acme_token *t, const uint8_t digest[32], uint8_t signature[64])
{
    uint8_t before[sizeof t->point];
    bool lost = false;
    enum acme_token_fault result = sign_once(t, digest, signature, &lost);

    if (result == ACME_TOKEN_OK || !lost) {
        return result;
    }
    memcpy(before, t->point, sizeof before);
    result = acme_token_open(t);
    if (result == ACME_TOKEN_OK && memcmp(before, t->point, sizeof before) != 0) {
        return fault(t, ACME_TOKEN_SETUP, "the token has another key now");
    }
    return result == ACME_TOKEN_OK ? sign_once(t, digest, signature, &lost) : result;
}
