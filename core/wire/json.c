/* json.c - strict grammar checker, tokens by jsmn, decoded strings. */
#include "json.h"

#include "../acme_config.h"

/* Not JSMN_STRICT: it sees only documents that were checked, and of these both make the same tokens. */
#define JSMN_STATIC
#include <jsmn.h>

/* Text being checked. */
struct text {
    const char *at;
    size_t len;
    size_t pos;
};

static int peek(const struct text *t)
{
    return t->pos < t->len ? (unsigned char)t->at[t->pos] : -1;
}

/* Takes c when it is next. */
static bool take_here(struct text *t, char c)
{
    if (peek(t) != c) {
        return false;
    }
    t->pos++;
    return true;
}

/* Skips white space, then takes c when it is next. */
static bool take(struct text *t, char c)
{
    while (peek(t) > 0 && strchr(" \t\n\r", peek(t)) != NULL) {
        t->pos++;
    }
    return take_here(t, c);
}

static bool take_word(struct text *t, const char *word)
{
    while (*word != '\0' && take_here(t, *word)) {
        word++;
    }
    return *word == '\0';
}

static bool digits(struct text *t)
{
    size_t start = t->pos;

    while (acme_is_digit((char)peek(t))) {
        t->pos++;
    }
    return t->pos > start;
}

/* RFC 8259, 6. */
static bool number(struct text *t)
{
    (void)take_here(t, '-');
    if (!take_here(t, '0') && !digits(t)) {
        return false;
    }
    if (take_here(t, '.') && !digits(t)) {
        return false;
    }
    if (!take_here(t, 'e') && !take_here(t, 'E')) {
        return true;
    }
    if (!take_here(t, '+')) {
        (void)take_here(t, '-');
    }
    return digits(t);
}

/* The rest of a string whose opening quote was taken; what stands in it is checked when it is decoded. */
static bool string_rest(struct text *t)
{
    while (!take_here(t, '"')) {
        if (peek(t) < ' ') {
            return false; /* the end of the text too */
        }
        t->pos += peek(t) == '\\' ? 2 : 1;
    }
    return true;
}

static bool scalar(struct text *t)
{
    if (take(t, '"')) {
        return string_rest(t);
    }
    switch (peek(t)) {
    case 't':
        return take_word(t, "true");
    case 'f':
        return take_word(t, "false");
    case 'n':
        return take_word(t, "null");
    default:
        return number(t);
    }
}

static bool key(struct text *t)
{
    return take(t, '"') && string_rest(t) && take(t, ':');
}

/* The whole grammar. `closer` is the stack that recursion would be: what ends each open level. */
static int check(struct text *t)
{
    char closer[ACME_JSON_DEPTH];
    size_t depth = 0;

    do { /* once a value: a key before it, if it needs one, was taken */
        bool object = take(t, '{');
        if (object || take(t, '[')) {
            if (depth == ACME_JSON_DEPTH) {
                return ACME_E_JSON_DEPTH;
            }
            closer[depth++] = object ? '}' : ']';
            if (!take(t, closer[depth - 1])) {
                if (object && !key(t)) {
                    return ACME_E_JSON;
                }
                continue;
            }
            depth--;
        } else if (depth == 0 || !scalar(t)) {
            return ACME_E_JSON;
        }
        while (depth > 0 && take(t, closer[depth - 1])) {
            depth--;
        }
        if (depth > 0 && (!take(t, ',') || (closer[depth - 1] == '}' && !key(t)))) {
            return ACME_E_JSON;
        }
    } while (depth > 0);
    (void)take(t, ' '); /* white space only: never finds one */
    return t->pos == t->len ? 0 : ACME_E_JSON;
}

/* Value of four hex digits: jsmn saw that they are, behind each "\\u". */
static int32_t hex4(const char *at)
{
    int32_t code = 0;

    for (int i = 0; i < 4; i++) {
        code = code * 16 + acme_hex_digit(at[i]);
    }
    return code;
}

static bool is_surrogate(int32_t code)
{
    return code >= 0xD800 && code <= 0xDFFF;
}

/* The next three give the code point that the string begins with and take it; -1: malformed. */

/* "\uXXXX" or a pair of them. Half a surrogate pair is something no UTF-8 text can hold. */
static int32_t unicode_escape(struct acme_slice *s)
{
    int32_t code = hex4(s->at + 2);
    size_t used = 6;

    if (is_surrogate(code)) {
        int32_t low = s->len >= 12 && s->at[6] == '\\' && s->at[7] == 'u' ? hex4(s->at + 8) : -1;
        if (code >= 0xDC00 || !is_surrogate(low) || low < 0xDC00) {
            return -1;
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        used = 12;
    }
    s->at += used;
    s->len -= used;
    return code;
}

/* Of one byte, or of more: no overlong form, no surrogate, nothing over U+10FFFF (RFC 3629, 4). */
static int32_t utf8(struct acme_slice *s)
{
    int32_t code = (unsigned char)s->at[0];
    size_t more = code >= 0xF0 ? 3 : code >= 0xE0 ? 2 : code >= 0x80 ? 1 : 0;

    s->at++;
    s->len--;
    if (more == 0) {
        return code;
    }
    if (code < 0xC2 || s->len < more) {
        return -1;
    }
    code &= 0x7F >> more; /* with the 0 behind the 1s: F8 and up make it too large */
    for (size_t i = 0; i < more; i++) {
        if ((s->at[i] & 0xC0) != 0x80) {
            return -1;
        }
        code = code << 6 | (s->at[i] & 0x3F);
    }
    s->at += more;
    s->len -= more;
    return code >> (5 * more + 1) == 0 || is_surrogate(code) || code > 0x10FFFF ? -1 : code;
}

static int32_t character(struct acme_slice *s)
{
    static const char from[] = "bfnrt";
    static const char means[] = "\b\f\n\r\t";

    if (s->at[0] != '\\') {
        return utf8(s);
    }
    char c = s->at[1]; /* jsmn saw that there is one, and which */
    if (c == 'u') {
        return unicode_escape(s);
    }
    const char *named = strchr(from, c);
    s->at += 2;
    s->len -= 2;
    return named != NULL ? means[named - from] : c;
}

static char *put_utf8(char *to, int32_t code)
{
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;

    *to++ = (char)(more == 0 ? code : (0xF00 >> (more + 1) & 0xFF) | code >> 6 * more);
    while (more-- > 0) {
        *to++ = (char)(0x80 | (code >> 6 * more & 0x3F));
    }
    return to;
}

/* Decodes a string where it lies: no escape is shorter than what it means. Returns its new length, -1 when
 * it is malformed. */
static int decode(char *text, int len)
{
    struct acme_slice rest = acme_slice(text, (size_t)len);
    char *to = text;

    while (rest.len > 0) {
        int32_t code = character(&rest);
        if (code < 0) {
            return -1;
        }
        to = put_utf8(to, code);
    }
    return (int)(to - text);
}

int acme_json_parse(struct acme_json *json, char *text, size_t len, void *memory, size_t memory_len)
{
    struct aligned {
        char before;
        jsmntok_t token;
    };
    struct text t = {text, len, 0};
    size_t over = (size_t)((uintptr_t)memory % offsetof(struct aligned, token));
    size_t skipped = over > 0 ? offsetof(struct aligned, token) - over : 0;
    jsmn_parser parser;

    json->text = text;
    json->tokens = NULL;
    json->count = 0;
    int rc = len <= INT32_MAX ? check(&t) : ACME_E_JSON;
    if (rc < 0) {
        return rc;
    }
    if (memory == NULL || memory_len < skipped) { /* jsmn would take NULL for a wish to count */
        return ACME_E_JSON_TOKENS;
    }
    size_t room = (memory_len - skipped) / sizeof(jsmntok_t);
    jsmntok_t *tokens = (jsmntok_t *)(void *)((char *)memory + skipped);
    jsmn_init(&parser);
    int count = jsmn_parse(&parser, text, len, tokens, room < INT32_MAX ? (unsigned)room : INT32_MAX);
    if (count <= 0) {
        return count == JSMN_ERROR_NOMEM ? ACME_E_JSON_TOKENS : ACME_E_JSON;
    }
    for (int i = 0; i < count; i++) {
        if (tokens[i].type == JSMN_STRING) {
            int decoded = decode(text + tokens[i].start, tokens[i].end - tokens[i].start);
            if (decoded < 0) {
                return ACME_E_JSON;
            }
            tokens[i].end = tokens[i].start + decoded;
        }
    }
    json->tokens = tokens;
    json->count = count;
    return 0;
}

/* The token of a value of that type, NULL for anything else. */
static const jsmntok_t *token_of(const struct acme_json *json, acme_json_value value, jsmntype_t type)
{
    const jsmntok_t *tokens = (const jsmntok_t *)json->tokens;

    return value >= 0 && value < json->count && tokens[value].type == type ? tokens + value : NULL;
}

static struct acme_slice text_of(const struct acme_json *json, const jsmntok_t *token)
{
    return acme_slice(json->text + token->start, (size_t)(token->end - token->start));
}

/* The value after `value` and all it holds, when it still lies inside `parent`. Tokens lie in the order of
 * the text, so their places tell what is inside what; decoding moved only the ends of strings. */
static acme_json_value after(const struct acme_json *json, const jsmntok_t *parent, acme_json_value value)
{
    const jsmntok_t *tokens = (const jsmntok_t *)json->tokens;
    acme_json_value next = value + 1;

    while (next < json->count && tokens[next].start < tokens[value].end) {
        next++;
    }
    return next < json->count && tokens[next].start < parent->end ? next : ACME_JSON_NONE;
}

acme_json_value acme_json_key(const struct acme_json *json, acme_json_value object, acme_json_value key)
{
    const jsmntok_t *parent = token_of(json, object, JSMN_OBJECT);

    if (parent == NULL || parent->size == 0) {
        return ACME_JSON_NONE;
    }
    return key == ACME_JSON_NONE ? object + 1 : after(json, parent, key + 1);
}

acme_json_value acme_json_member(const struct acme_json *json, acme_json_value object, const char *name)
{
    for (acme_json_value at = acme_json_key(json, object, ACME_JSON_NONE); at != ACME_JSON_NONE;
         at = acme_json_key(json, object, at)) {
        if (acme_slice_is(acme_json_string(json, at), name)) {
            const jsmntok_t *word = token_of(json, at + 1, JSMN_PRIMITIVE);
            return word != NULL && json->text[word->start] == 'n' ? ACME_JSON_NONE : at + 1;
        }
    }
    return ACME_JSON_NONE;
}

acme_json_value acme_json_first(const struct acme_json *json, acme_json_value array)
{
    const jsmntok_t *parent = token_of(json, array, JSMN_ARRAY);

    return parent != NULL && parent->size > 0 ? array + 1 : ACME_JSON_NONE;
}

acme_json_value acme_json_next(const struct acme_json *json, acme_json_value array, acme_json_value element)
{
    const jsmntok_t *parent = token_of(json, array, JSMN_ARRAY);

    return parent != NULL && element > array && element < json->count ? after(json, parent, element) : ACME_JSON_NONE;
}

bool acme_json_is_object(const struct acme_json *json, acme_json_value value)
{
    return token_of(json, value, JSMN_OBJECT) != NULL;
}

bool acme_json_is_array(const struct acme_json *json, acme_json_value value)
{
    return token_of(json, value, JSMN_ARRAY) != NULL;
}

struct acme_slice acme_json_string(const struct acme_json *json, acme_json_value value)
{
    const jsmntok_t *token = token_of(json, value, JSMN_STRING);

    return token != NULL ? text_of(json, token) : acme_slice(NULL, 0);
}

struct acme_slice acme_json_text(const struct acme_json *json, acme_json_value object, const char *name)
{
    return acme_json_string(json, acme_json_member(json, object, name));
}

int32_t acme_json_number(const struct acme_json *json, acme_json_value value)
{
    const jsmntok_t *token = token_of(json, value, JSMN_PRIMITIVE);

    if (token == NULL) {
        token = token_of(json, value, JSMN_STRING);
    }
    int64_t number = token != NULL ? acme_slice_decimal(text_of(json, token)) : -1;
    return number <= INT32_MAX ? (int32_t)number : -1;
}

bool acme_json_true(const struct acme_json *json, acme_json_value value)
{
    const jsmntok_t *token = token_of(json, value, JSMN_PRIMITIVE);

    return token != NULL && json->text[token->start] == 't';
}
