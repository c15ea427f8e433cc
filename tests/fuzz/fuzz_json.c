/* JSON documents. A second reader, by recursion, says which are well-formed and what their strings hold; every accessor
 * can walk what was let through; and the ACME objects in it keep nothing but allowed URLs. */
#include "fuzz.h"

#include "acme_error.h"
#include "protocol/resource.h"
#include "wire/json.h"

/* --- the second reader (RFC 8259) --- */

static struct {
    const uint8_t *at, *end;
    unsigned values; /* keys too */
    bool strings_ok; /* each holds UTF-8 and right escapes */
    unsigned string_count;
    size_t text_len; /* of the strings, each with a NUL behind it */
    char text[FUZZ_LEN_MAX];
} second;

static bool value(unsigned depth);

static int byte(size_t ahead)
{
    return (size_t)(second.end - second.at) > ahead ? second.at[ahead] : -1;
}

static bool take(int c)
{
    bool is = byte(0) == c;
    second.at += is;
    return is;
}

static void blanks(void)
{
    while (take(' ') || take('\t') || take('\n') || take('\r')) {
    }
}

static void put(uint32_t code)
{
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    unsigned len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (unsigned i = len; i-- > 0;) {
        uint32_t bits = code >> (6 * (len - 1 - i));
        second.text[second.text_len + i] = (char)(i > 0 ? (bits & 0x3f) | 0x80 : bits | first[len]);
    }
    second.text_len += len;
}

static uint32_t hex4(void)
{
    uint32_t code = 0;
    for (unsigned i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef";
        int c = byte(0);
        const char *digit = c < 0 ? NULL : memchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c, 16);
        if (digit == NULL) {
            second.strings_ok = false; /* the byte may be the closing quote */
            return 0;
        }
        code = code * 16 + (uint32_t)(digit - digits);
        second.at++;
    }
    return code;
}

static void escape(void)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *simple = byte(0) > 0 ? strchr(from, byte(0)) : NULL;
    if (simple != NULL) {
        put((uint8_t)to[simple - from]);
        second.at++;
    } else if (take('u')) {
        uint32_t code = hex4();
        if (code >= 0xd800 && code < 0xdc00 && byte(0) == '\\' && byte(1) == 'u') {
            second.at += 2;
            uint32_t low = hex4();
            second.strings_ok = second.strings_ok && low >= 0xdc00 && low < 0xe000;
            code = 0x10000 + ((code - 0xd800) << 10) + (low & 0x3ff);
        } else if (code >= 0xd800 && code < 0xe000) {
            second.strings_ok = false;
        }
        put(code);
    } else {
        second.strings_ok = false;
        second.at += byte(0) >= 0; /* what a backslash stands before never ends the string */
    }
}

/* One character of more than one byte, by the table of the Unicode standard (3.9, table 3-7). */
static void utf8(void)
{
    int a = byte(0), b = byte(1), c = byte(2), d = byte(3);
    bool two = a >= 0xc2 && a <= 0xdf;
    bool three = a >= 0xe0 && a <= 0xef && b >= (a == 0xe0 ? 0xa0 : 0x80) && b <= (a == 0xed ? 0x9f : 0xbf);
    bool four = a >= 0xf0 && a <= 0xf4 && b >= (a == 0xf0 ? 0x90 : 0x80) && b <= (a == 0xf4 ? 0x8f : 0xbf);
    unsigned len = two ? 2 : three ? 3 : four ? 4 : 0;
    bool ok = len > 0 && b >= 0x80 && b <= 0xbf && (len < 3 || (c >= 0x80 && c <= 0xbf)) &&
              (len < 4 || (d >= 0x80 && d <= 0xbf));
    second.strings_ok = second.strings_ok && ok;
    memcpy(second.text + second.text_len, second.at, ok ? len : 1);
    second.text_len += ok ? len : 1;
    second.at += ok ? len : 1;
}

static bool string(void)
{
    second.values++;
    second.string_count++;
    while (!take('"')) {
        if (byte(0) < ' ') {
            return false;
        }
        if (take('\\')) {
            escape();
        } else if (byte(0) >= 0x80) {
            utf8();
        } else {
            put(*second.at++);
        }
    }
    second.text[second.text_len++] = '\0';
    return true;
}

static bool digits(void)
{
    const uint8_t *start = second.at;
    while (byte(0) >= '0' && byte(0) <= '9') {
        second.at++;
    }
    return second.at > start;
}

static bool scalar(void)
{
    static const char *const words[] = {"true", "false", "null"};
    for (unsigned i = 0; i < 3; i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(second.end - second.at) >= len && memcmp(second.at, words[i], len) == 0) {
            second.at += len;
            return true;
        }
    }
    (void)take('-');
    if (!take('0') && !digits()) {
        return false;
    }
    if (take('.') && !digits()) {
        return false;
    }
    if (take('e') || take('E')) {
        (void)(take('+') || take('-'));
        return digits();
    }
    return true;
}

static bool members(bool object, unsigned depth)
{
    do {
        blanks();
        if (object) {
            if (!take('"') || !string()) {
                return false;
            }
            blanks();
            if (!take(':')) {
                return false;
            }
        }
        if (!value(depth + 1)) {
            return false;
        }
        blanks();
    } while (take(','));
    return take(object ? '}' : ']');
}

static bool value(unsigned depth)
{
    blanks();
    if (take('"')) {
        return string();
    }
    second.values++;
    bool object = byte(0) == '{';
    if (!object && byte(0) != '[') {
        return scalar();
    }
    second.at++;
    if (depth == ACME_JSON_DEPTH) {
        return false;
    }
    blanks();
    return take(object ? '}' : ']') || members(object, depth);
}

static bool well_formed(const uint8_t *data, size_t len)
{
    second.at = data;
    second.end = data + len;
    second.values = second.string_count = 0;
    second.text_len = 0;
    second.strings_ok = true;
    blanks();
    if (byte(0) != '{' && byte(0) != '[') {
        return false;
    }
    bool whole = value(0);
    blanks();
    return whole && second.at == second.end;
}

/* --- what was let through --- */

static void look(struct acme_json *json, acme_json_value at, size_t len)
{
    static const char *const names[] = {"status", "url", "a", "", "error"};
    int32_t number = acme_json_number(json, at);

    MUST(number >= -1);
    MUST(!(acme_json_is_object(json, at) && acme_json_is_array(json, at)));
    MUST(!acme_json_true(json, at) || number == -1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        acme_json_value member = acme_json_member(json, at, names[i]);
        MUST(member == ACME_JSON_NONE || (member > at && member < json->count && acme_json_is_object(json, at)));
        struct acme_slice text = acme_json_text(json, at, names[i]);
        MUST(fuzz_inside(text.at, text.len, json->text, len));
    }
    acme_json_value last = at;
    for (acme_json_value e = acme_json_first(json, at); e != ACME_JSON_NONE; e = acme_json_next(json, at, e)) {
        MUST(e > last && e < json->count && acme_json_is_array(json, at)); /* forward, or a loop never ends */
        last = e;
    }
}

/* The strings come in the order of the text: each is what the second reader made of it. */
static void compare_strings(const struct acme_json *json, size_t len)
{
    const char *at = second.text;
    unsigned count = 0;
    for (acme_json_value v = 0; v < json->count; v++) {
        struct acme_slice text = acme_json_string(json, v);
        if (text.at != NULL) {
            MUST(fuzz_inside(text.at, text.len, json->text, len));
            MUST(memcmp(text.at, at, text.len) == 0 && at[text.len] == '\0');
            at += text.len + 1;
            count++;
        }
    }
    MUST(count == second.string_count && at == second.text + second.text_len);
}

static void allowed(const char *kept, const struct acme_hosts *hosts)
{
    struct acme_url url;
    if (kept[0] != '\0') {
        MUST(acme_url_parse(&url, acme_slice_of(kept)) == 0);
        MUST(acme_url_same_origin(&url, &hosts->directory) || acme_url_at(&url, hosts->more[0]));
    }
}

static void read_objects(const struct acme_json *json, size_t len)
{
    static const char *const more[] = {"b:8443"};
    static struct acme_order order;
    static struct acme_directory directory;
    struct acme_hosts hosts = {.more = more, .more_count = 1};
    struct acme_meta meta;
    struct acme_authz authz;

    (void)acme_url_parse(&hosts.directory, acme_slice_of("https://a/"));
    memset(&order, 0, sizeof order);
    memset(&directory, 0, sizeof directory);
    if (acme_directory_read(&directory, &meta, json, &hosts) == 0) {
        MUST(directory.new_nonce[0] != '\0' && directory.new_account[0] != '\0' && directory.new_order[0] != '\0');
        MUST(fuzz_inside(meta.terms.at, meta.terms.len, json->text, len));
    }
    allowed(directory.new_nonce, &hosts);
    allowed(directory.new_account, &hosts);
    allowed(directory.new_order, &hosts);
    if (acme_order_read(&order, json, &hosts) == 0) {
        MUST(order.status != ACME_STATUS_NONE && order.authz_count <= ACME_NAMES_MAX);
        MUST(order.authz_count > 0 || order.status != ACME_STATUS_PENDING);
    }
    allowed(order.finalize, &hosts);
    allowed(order.certificate, &hosts);
    for (unsigned i = 0; i < order.authz_count; i++) {
        MUST(order.authz[i].url != 0);
        allowed(acme_order_authz(&order, i), &hosts);
    }
    if (acme_authz_read(&authz, json, "http-01") == 0) {
        MUST(authz.status != ACME_STATUS_NONE && authz.name.len > 0);
        MUST(fuzz_inside(authz.name.at, authz.name.len, json->text, len));
        MUST(fuzz_inside(authz.url.at, authz.url.len, json->text, len));
        MUST(fuzz_inside(authz.token.at, authz.token.len, json->text, len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz_memory memory;
    struct acme_json json;

    if (len < 1 || len > FUZZ_LEN_MAX / 4) {
        return 0;
    }
    size_t room = (size_t)data[0] * 16;
    size_t text_len = len - 1;
    char *text = fuzz_room(&memory, text_len + room);
    if (text_len > 0) {
        memcpy(text, data + 1, text_len);
    }
    bool shape = well_formed(data + 1, text_len);
    int error = acme_json_parse(&json, text, text_len, text + text_len, room);
    if (error == ACME_E_JSON_TOKENS) {
        MUST(shape && room < second.values * 16 + 15);
        return 0;
    }
    MUST((error == 0) == (shape && second.strings_ok));
    if (error == 0) {
        MUST(json.count == (int)second.values && room >= second.values * 16);
        compare_strings(&json, text_len);
        for (acme_json_value at = ACME_JSON_NONE; at <= json.count; at++) {
            look(&json, at, text_len);
        }
        read_objects(&json, text_len);
    }
    return 0;
}
