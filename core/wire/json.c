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

/* Value of four hex digits, negative when they are not. */
static int32_t hex4(const char *at)
{
    int32_t code = 0;

    for (int i = 0; i < 4; i++) {
        int digit = acme_hex_digit(at[i]);
        if (digit < 0) {
            return -1;
        }
        code = code * 16 + digit;
    }
    return code;
}

/* The code point of "\uXXXX" or of a pair of them, at most `len` bytes at `at`; *used: its bytes. -1: not
 * one, or half a surrogate pair, which no UTF-8 text can hold. */
static int32_t unicode_escape(const char *at, size_t len, size_t *used)
{
    int32_t code = len >= 6 ? hex4(at + 2) : -1;

    *used = 6;
    if (code < 0xD800 || code > 0xDFFF) {
        return code;
    }
    int32_t low = code < 0xDC00 && len >= 12 && at[6] == '\\' && at[7] == 'u' ? hex4(at + 8) : -1;
    *used = 12;
    return low >= 0xDC00 && low <= 0xDFFF ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : -1;
}

static bool escape_ok(struct text *t)
{
    size_t left = t->len - t->pos; /* at least the backslash */
    size_t used = 2;

    if (left < 2) {
        return false;
    }
    char c = t->at[t->pos + 1];
    if (c == 'u') {
        if (unicode_escape(t->at + t->pos, left, &used) < 0) {
            return false;
        }
    } else if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL) {
        return false;
    }
    t->pos += used;
    return true;
}

/* One character of more than a byte: no overlong form, no surrogate, nothing over U+10FFFF (RFC 3629, 4). */
static bool utf8_ok(struct text *t)
{
    static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
    int first = peek(t);
    int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    int32_t code = first & (0x3F >> more);

    if (first < 0xC2 || first > 0xF4) {
        return false;
    }
    t->pos++;
    for (int i = 0; i < more; i++) {
        int next = peek(t);
        if (next < 0x80 || next > 0xBF) {
            return false;
        }
        code = code << 6 | (next & 0x3F);
        t->pos++;
    }
    return code >= least[more] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

/* The rest of a string whose opening quote was taken. */
static bool string_rest(struct text *t)
{
    for (;;) {
        int c = peek(t);
        if (c < ' ') {
            return false; /* the end of the text too */
        }
        if (c == '"') {
            t->pos++;
            return true;
        }
        if (c == '\\') {
            if (!escape_ok(t)) {
                return false;
            }
        } else if (c < 0x80) {
            t->pos++;
        } else if (!utf8_ok(t)) {
            return false;
        }
    }
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

static char *put_utf8(char *to, int32_t code)
{
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;

    *to++ = (char)(more == 0 ? code : (0xF00 >> (more + 1) & 0xFF) | code >> 6 * more);
    while (more-- > 0) {
        *to++ = (char)(0x80 | (code >> 6 * more & 0x3F));
    }
    return to;
}

/* Decodes a checked string where it lies: no escape is shorter than what it means. Returns its new length. */
static size_t decode(char *text, size_t len)
{
    static const char from[] = "bfnrt";
    static const char means[] = "\b\f\n\r\t";
    char *to = text;

    for (size_t i = 0; i < len;) {
        size_t used = 1;
        if (text[i] != '\\') {
            *to++ = text[i];
        } else if (text[i + 1] == 'u') {
            to = put_utf8(to, unicode_escape(text + i, len - i, &used));
        } else {
            const char *named = strchr(from, text[i + 1]);
            *to++ = named != NULL ? means[named - from] : text[i + 1];
            used = 2;
        }
        i += used;
    }
    return (size_t)(to - text);
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
    size_t room = memory_len > skipped ? (memory_len - skipped) / sizeof(jsmntok_t) : 0;
    jsmntok_t *tokens = (jsmntok_t *)(void *)((char *)memory + skipped);
    if (tokens == NULL) { /* jsmn takes it for a wish to count */
        return ACME_E_JSON_TOKENS;
    }
    jsmn_init(&parser);
    int count = jsmn_parse(&parser, text, len, tokens, room < INT32_MAX ? (unsigned)room : INT32_MAX);
    if (count <= 0) {
        return count == JSMN_ERROR_NOMEM ? ACME_E_JSON_TOKENS : ACME_E_JSON;
    }
    for (int i = 0; i < count; i++) {
        if (tokens[i].type == JSMN_STRING) {
            size_t raw = (size_t)(tokens[i].end - tokens[i].start);
            tokens[i].end = tokens[i].start + (int)decode(text + tokens[i].start, raw);
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

acme_json_value acme_json_member(const struct acme_json *json, acme_json_value object, const char *name)
{
    const jsmntok_t *parent = token_of(json, object, JSMN_OBJECT);

    if (parent == NULL || parent->size == 0) {
        return ACME_JSON_NONE;
    }
    for (acme_json_value at = object + 1; at != ACME_JSON_NONE; at = after(json, parent, at + 1)) {
        const jsmntok_t *member = token_of(json, at, JSMN_STRING);
        if (member != NULL && acme_slice_is(text_of(json, member), name)) {
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
