/* test_json.c - checked access to JSON documents. */
#include "unit.h"

#include <stdlib.h>
#include <stdio.h>

#include "acme_config.h"
#include "wire/json.h"

#define TOKEN_BYTES 16

/* A document in memory of exactly its size, so that a byte read beyond it is noticed. */
struct document {
    struct acme_json json;
    char *text;
    char *memory;
};

static int parse_bytes(struct document *d, const char *text, size_t len, size_t memory_len)
{
    d->text = malloc(len + 1);
    d->memory = malloc(memory_len + 1);
    memcpy(d->text + 1, text, len);
    return acme_json_parse(&d->json, d->text + 1, len, d->memory, memory_len);
}

static void drop(struct document *d)
{
    free(d->text);
    free(d->memory);
}

static void parse_good(struct document *d, const char *text)
{
    if (parse_bytes(d, text, strlen(text), 4096) != 0) {
        fail_msg("refused: %s", text);
    }
}

static int error_of(const char *text, size_t len)
{
    struct document d;
    int rc = parse_bytes(&d, text, len, 4096);

    if (rc < 0) { /* nothing can be read from what was refused */
        assert_false(acme_json_is_object(&d.json, 0) || acme_json_is_array(&d.json, 0));
    }
    drop(&d);
    return rc;
}

static void assert_string(const struct acme_json *json, acme_json_value value, const char *bytes, size_t len)
{
    struct acme_slice s = acme_json_string(json, value);

    assert_non_null(s.at);
    assert_int_equal(s.len, len);
    assert_memory_equal(s.at, bytes, len);
}

/* Documents that jsmn in its strict mode takes, or takes in part, and other damage. */
TEST(refuses_malformed)
{
    static const char *const rows[] = {
        "",
        " ",
        "{",
        "[",
        "}",
        "]",
        "[}",
        "{]",
        "[[}]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{\"a\":::1}",
        "{\"a\":1:2}",
        "{:1}",
        "{1:2}",
        "{a:1}",
        "{null:1}",
        "{[]:1}",
        "{{}:1}",
        "{\"a\":1,}",
        "{,}",
        "{,\"a\":1}",
        "{\"a\":1,,\"b\":2}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1;\"b\":2}",
        "{\"a\",\"b\"}",
        "{\"a\":1,\"b\"}",
        "{\"a\":\"b\":\"c\"}",
        "[1,]",
        "[,]",
        "[,1]",
        "[1,,2]",
        "[1 2]",
        "[1:2]",
        "[\"a\":1]",
        "[\"a\" \"b\"]",
        "[1]]",
        "[1],",
        "{}}",
        "{}{}",
        "{} {}",
        "[][]",
        "{\"a\":1}\"b\"",
        "{\"a\":1}x",
        "{\"a\":1} 1",
        "\"a\"",
        "1",
        "true",
        "null",
        "[tru]",
        "[truee]",
        "[True]",
        "[nul]",
        "[nulx]",
        "[nullnull]",
        "[fals]",
        "[NaN]",
        "[Infinity]",
        "[-]",
        "[--1]",
        "[+1]",
        "[01]",
        "[-01]",
        "[00]",
        "[1.]",
        "[.5]",
        "[1.e1]",
        "[1e]",
        "[1e+]",
        "[1E-]",
        "[1e1.5]",
        "[0x10]",
        "[1_000]",
        "[1a]",
        "['a']",
        "[\"a]",
        "[\"a\\\"]",
        "[\"\\x41\"]",
        "[\"\\'\"]",
        "[\"\\U0041\"]",
        "[\"\\",
        "[\"\\\"",
        "[\"\\u\"]",
        "[\"\\u12\"]",
        "[\"\\u123\"]",
        "[\"\\u123g\"]",
        "[\"\\u-123\"]",
        "[\"\\u 123\"]",
        "[\"\\u004",
        "[\"\\ud83d\"]",
        "[\"\\ud83d\\\"]",
        "[\"\\ud83dx\"]",
        "[\"\\ud83d\\n\"]",
        "[\"\\ud83d\\u0041\"]",
        "[\"\\ud83d\\ud83d\"]",
        "[\"\\ude00\"]",
        "[\"\\ude00\\ud83d\"]",
        "[\"\\uDFFF\"]",
        "[\"\\ude00\\ude00\"]",
        "[\"\\ud83d\\ue000\"]",
        "[\"\\ud83d\\ude0\"]",
        "[\"\\ud83d\\ude0",
        "[\"a\nb\"]",
        "[\"a\tb\"]",
        "[\"\x01\"]",
        "[\"\x1f\"]",
        "[\x0b]",
        "[\x0c]",
        "\xef\xbb\xbf{}",
        "\xc2\xa0{}",
        "[\x80]",
        "[\"\x80\"]",
        "[\"\xbf\"]",
        "[\"\xc3\"]",
        "[\"\xc3(\"]",
        "[\"\xc0\x80\"]",
        "[\"\xc1\xbf\"]",
        "[\"\xe0\x80\x80\"]",
        "[\"\xe0\x9f\xbf\"]",
        "[\"\xe2\x82\"]",
        "[\"\xed\xa0\x80\"]",
        "[\"\xed\xbf\xbf\"]",
        "[\"\xf0\x80\x80\x80\"]",
        "[\"\xf0\x8f\xbf\xbf\"]",
        "[\"\xf0\x9f\x98\"]",
        "[\"\xf4\x90\x80\x80\"]",
        "[\"\xf5\x80\x80\x80\"]",
        "[\"\xf8\x90\x80\x80\"]", /* as F0 90 80 80 but for a bit */
        "[\"\xfb\x8a\x8a\x8a\"]",
        "[\"\xfc\x8f\xbf\xbf\"]",
        "[\"\xff\xbf\xbf\xbf\"]",
        "[\"\xf8\x88\x80\x80\x80\"]",
        "[\"\xfe\"]",
        "[\"\xff\"]",
        "{\"a\xff\":1}",
        "// x\n{}",
        "{}/**/",
        "<html></html>",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (error_of(rows[i], strlen(rows[i])) != ACME_E_JSON) {
            fail_msg("accepted: %s", rows[i]);
        }
    }
}

TEST(refuses_nul_bytes)
{
    static const char text[] = "{\"ab\":[1,true]}";

    for (size_t at = 0; at < sizeof text; at++) {
        char damaged[sizeof text + 1];
        memcpy(damaged, text, at);
        damaged[at] = '\0';
        memcpy(damaged + at + 1, text + at, sizeof text - 1 - at);
        assert_int_equal(error_of(damaged, sizeof text), ACME_E_JSON);
    }
}

TEST(accepts_wellformed)
{
    static const char *const rows[] = {
        "{}",
        "[]",
        " \t\r\n{ \t\r\n} \t\r\n",
        "[[],{},[{}]]",
        "{\"\":\"\"}",
        "[0,-0,1,-1,10,0.0,-0.5,1e1,1E+1,1e-1,0e0,123.456e789]",
        "[true,false,null]",
        "[\"\x7f\"]",
        "[\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"]",
        "[\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]",
        "{\"a\" : 1 , \"b\" : [ 1 , 2 ] }",
        "{\"a\":{\"b\":{\"c\":[]}},\"d\":null}",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct document d;
        parse_good(&d, rows[i]);
        drop(&d);
    }
}

/* Every proper prefix of a document is an error, for each kind of value at its end. */
TEST(every_truncation)
{
    static const char text[] = "{\"a\":[-1.5e+3,true,null,{\"\\ud83d\\ude00\\n\":\"\xf0\x9f\x98\x80\"}],\"b\":{}}";

    for (size_t len = 0; len < sizeof text - 1; len++) {
        assert_int_equal(error_of(text, len), ACME_E_JSON);
    }
    assert_int_equal(error_of(text, sizeof text - 1), 0);
}

/* Every byte value at every place: never a crash, and what is accepted can be walked. */
TEST(every_byte_everywhere)
{
    static const char text[] = "{\"a\":[1,\"\\u00e9\"],\"b\":null}";

    for (size_t at = 0; at < sizeof text - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char damaged[sizeof text];
            struct document d;
            memcpy(damaged, text, sizeof text);
            damaged[at] = (char)byte;
            if (parse_bytes(&d, damaged, sizeof text - 1, 4096) == 0) {
                acme_json_value array = acme_json_member(&d.json, 0, "a");
                acme_json_value v = acme_json_first(&d.json, array);
                int elements = 0;
                for (; v != ACME_JSON_NONE; v = acme_json_next(&d.json, array, v)) {
                    (void)acme_json_string(&d.json, v);
                    elements++;
                }
                assert_true(elements <= 2);
                assert_true(byte >= 0x20 && byte < 0x80);
            }
            drop(&d);
        }
    }
}

TEST(decodes_strings)
{
    struct document d;

    parse_good(&d, "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"url\":\"https:\\/\\/h\\/?a=1\\u0026b=2\","
                   "\"emoji\":\"<\\uD83D\\uDe00>\",\"nul\":\"x\\u0000y\",\"\\u006bey\":\"by escape\","
                   "\"wide\":\"\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud800\\udc00\\udbff\\udfff\",\"\":\"empty\","
                   "\"e\":\"\",\"raw\":\"\xf0\x9f\x98\x80\"}");
    assert_string(&d.json, acme_json_member(&d.json, 0, "a"), "\"\\/\b\f\n\r\t", 8);
    assert_string(&d.json, acme_json_member(&d.json, 0, "url"), "https://h/?a=1&b=2", 18);
    assert_string(&d.json, acme_json_member(&d.json, 0, "emoji"), "<\xf0\x9f\x98\x80>", 6);
    assert_string(&d.json, acme_json_member(&d.json, 0, "nul"), "x\0y", 3);
    assert_string(&d.json, acme_json_member(&d.json, 0, "key"), "by escape", 9);
    assert_string(&d.json, acme_json_member(&d.json, 0, "wide"),
                  "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 19);
    assert_string(&d.json, acme_json_member(&d.json, 0, ""), "empty", 5);
    assert_string(&d.json, acme_json_member(&d.json, 0, "e"), "", 0);
    assert_string(&d.json, acme_json_member(&d.json, 0, "raw"), "\xf0\x9f\x98\x80", 4);
    assert_int_equal(acme_json_member(&d.json, 0, "\\u006bey"), ACME_JSON_NONE);
    drop(&d);
}

/* All code points, written as escapes, against an encoder of this test's own. */
TEST(decodes_every_code_point)
{
    for (unsigned long code = 0; code <= 0x10FFFF; code += code < 0x11000 ? 1 : 61) {
        char text[32];
        unsigned char want[4];
        size_t len;
        struct acme_json json;
        uint32_t memory[16];

        if (code >= 0xD800 && code < 0xE000) {
            continue;
        }
        if (code < 0x10000) {
            snprintf(text, sizeof text, "[\"\\u%04lx\"]", code);
        } else {
            unsigned long v = code - 0x10000;
            snprintf(text, sizeof text, "[\"\\u%04lX\\u%04lx\"]", 0xD800 + v / 1024, 0xDC00 + v % 1024);
        }
        if (code < 0x80) {
            want[0] = (unsigned char)code;
            len = 1;
        } else if (code < 0x800) {
            want[0] = (unsigned char)(0xC0 + code / 64);
            len = 2;
        } else if (code < 0x10000) {
            want[0] = (unsigned char)(0xE0 + code / 4096);
            want[1] = (unsigned char)(0x80 + code / 64 % 64);
            len = 3;
        } else {
            want[0] = (unsigned char)(0xF0 + code / 262144);
            want[1] = (unsigned char)(0x80 + code / 4096 % 64);
            want[2] = (unsigned char)(0x80 + code / 64 % 64);
            len = 4;
        }
        if (len > 1) {
            want[len - 1] = (unsigned char)(0x80 + code % 64);
        }
        assert_int_equal(acme_json_parse(&json, text, strlen(text), memory, sizeof memory), 0);
        struct acme_slice s = acme_json_string(&json, 1);
        assert_int_equal(s.len, len);
        assert_memory_equal(s.at, want, len);
    }
}

TEST(finds_members)
{
    struct document d;

    parse_good(&d, "{\"skip\":{\"a\":\"inner\",\"x\":[{\"a\":1}]},\"a\":\"one\",\"a\":\"two\",\"n\":null,\"n\":5,"
                   "\"A\":\"big\",\"o\":{\"p\":{}},\"last\":\"a\"}");
    assert_string(&d.json, acme_json_member(&d.json, 0, "a"), "one", 3);
    assert_string(&d.json, acme_json_member(&d.json, 0, "A"), "big", 3);
    assert_int_equal(acme_json_member(&d.json, 0, "n"), ACME_JSON_NONE);
    assert_int_equal(acme_json_member(&d.json, 0, "one"), ACME_JSON_NONE);
    assert_int_equal(acme_json_member(&d.json, 0, "x"), ACME_JSON_NONE);
    assert_int_equal(acme_json_member(&d.json, 0, "las"), ACME_JSON_NONE);
    assert_string(&d.json, acme_json_member(&d.json, 0, "last"), "a", 1);
    acme_json_value o = acme_json_member(&d.json, 0, "o");
    assert_true(acme_json_is_object(&d.json, o));
    assert_false(acme_json_is_array(&d.json, o));
    acme_json_value p = acme_json_member(&d.json, o, "p");
    assert_true(acme_json_is_object(&d.json, p));
    /* an empty object must not look into what follows it */
    assert_int_equal(acme_json_member(&d.json, p, "last"), ACME_JSON_NONE);
    assert_int_equal(acme_json_member(&d.json, o, "last"), ACME_JSON_NONE);
    drop(&d);
}

TEST(walks_arrays)
{
    struct document d;
    int32_t sum = 0;
    int count = 0;

    parse_good(&d, "{\"a\":[1,[2,[3]],{\"k\":4},\"\\u0035\",6,[]],\"e\":[],\"z\":9}");
    acme_json_value a = acme_json_member(&d.json, 0, "a");
    assert_true(acme_json_is_array(&d.json, a));
    for (acme_json_value v = acme_json_first(&d.json, a); v != ACME_JSON_NONE; v = acme_json_next(&d.json, a, v)) {
        int32_t number = acme_json_number(&d.json, v);
        sum += number > 0 ? number : 0;
        count++;
    }
    assert_int_equal(count, 6);
    assert_int_equal(sum, 12);
    assert_int_equal(acme_json_first(&d.json, acme_json_member(&d.json, 0, "e")), ACME_JSON_NONE);
    drop(&d);
}

TEST(walks_names)
{
    struct document d;
    char all[32] = "";

    parse_good(&d, "{\"e\":{},\"p\":{\"a\":\"x\",\"\\u0062\":{\"no\":1},\"c\":[\"no\"],\"d\":null},\"z\":9}");
    acme_json_value p = acme_json_member(&d.json, 0, "p");
    for (acme_json_value n = acme_json_key(&d.json, p, ACME_JSON_NONE); n != ACME_JSON_NONE;
         n = acme_json_key(&d.json, p, n)) {
        struct acme_slice name = acme_json_string(&d.json, n);
        strncat(all, name.at, name.len);
    }
    assert_string_equal(all, "abcd");
    assert_int_equal(acme_json_key(&d.json, acme_json_member(&d.json, 0, "e"), ACME_JSON_NONE), ACME_JSON_NONE);
    assert_int_equal(acme_json_key(&d.json, acme_json_member(&d.json, 0, "z"), ACME_JSON_NONE), ACME_JSON_NONE);
    assert_int_equal(acme_json_key(&d.json, ACME_JSON_NONE, ACME_JSON_NONE), ACME_JSON_NONE);
    drop(&d);
}

TEST(answers_not_there)
{
    struct document d;

    parse_good(&d, "{\"s\":\"x\",\"n\":7,\"t\":true,\"f\":false,\"a\":[\"y\"]}");
    acme_json_value s = acme_json_member(&d.json, 0, "s");
    acme_json_value t = acme_json_member(&d.json, 0, "t");
    acme_json_value a = acme_json_member(&d.json, 0, "a");
    const acme_json_value odd[] = {ACME_JSON_NONE, -2, d.json.count, d.json.count + 1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_int_equal(acme_json_member(&d.json, odd[i], "s"), ACME_JSON_NONE);
        assert_int_equal(acme_json_first(&d.json, odd[i]), ACME_JSON_NONE);
        assert_int_equal(acme_json_next(&d.json, odd[i], a), ACME_JSON_NONE);
        assert_int_equal(acme_json_next(&d.json, a, odd[i]), ACME_JSON_NONE);
        assert_false(acme_json_is_object(&d.json, odd[i]));
        assert_false(acme_json_is_array(&d.json, odd[i]));
        assert_null(acme_json_string(&d.json, odd[i]).at);
        assert_int_equal(acme_json_string(&d.json, odd[i]).len, 0);
        assert_int_equal(acme_json_number(&d.json, odd[i]), -1);
        assert_false(acme_json_true(&d.json, odd[i]));
    }
    assert_int_equal(acme_json_member(&d.json, s, "s"), ACME_JSON_NONE);
    assert_int_equal(acme_json_member(&d.json, a, "y"), ACME_JSON_NONE);
    assert_int_equal(acme_json_first(&d.json, 0), ACME_JSON_NONE);
    assert_int_equal(acme_json_next(&d.json, a, s), ACME_JSON_NONE); /* not an element of it */
    assert_null(acme_json_string(&d.json, 0).at);
    assert_null(acme_json_string(&d.json, t).at);
    assert_true(acme_json_true(&d.json, t));
    assert_false(acme_json_true(&d.json, s));
    assert_false(acme_json_true(&d.json, acme_json_member(&d.json, 0, "f")));
    assert_false(acme_json_true(&d.json, acme_json_member(&d.json, 0, "n")));
    assert_int_equal(acme_json_number(&d.json, t), -1);
    drop(&d);
}

TEST(reads_numbers)
{
    static const struct {
        const char *text;
        int32_t value;
    } rows[] = {
        {"[0]", 0},
        {"[7]", 7},
        {"[2147483647]", INT32_MAX},
        {"[2147483648]", -1},
        {"[4294967297]", -1},
        {"[-1]", -1},
        {"[-0]", -1},
        {"[1.0]", -1},
        {"[1e3]", -1},
        {"[\"403\"]", 403},
        {"[\"\"]", -1},
        {"[\" 1\"]", -1},
        {"[\"1x\"]", -1},
        {"[\"-1\"]", -1},
        {"[\"007\"]", 7},
        {"[\"9999999999\"]", -1},
        {"[true]", -1},
        {"[null]", -1},
        {"[[1]]", -1},
        {"[\"\\u0031\"]", 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct document d;
        parse_good(&d, rows[i].text);
        if (acme_json_number(&d.json, 1) != rows[i].value) {
            fail_msg("%s", rows[i].text);
        }
        drop(&d);
    }
}

TEST(limits_depth)
{
    char text[20000];

    for (size_t depth = 1; depth <= 10000; depth += depth < 40 ? 1 : 1245) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(error_of(text, 2 * depth), depth <= ACME_JSON_DEPTH ? 0 : ACME_E_JSON_DEPTH);
        assert_int_equal(error_of(text, depth), depth <= ACME_JSON_DEPTH ? ACME_E_JSON : ACME_E_JSON_DEPTH);
    }
    for (size_t depth = 1; depth < 40; depth++) {
        size_t len = 0;
        for (size_t i = 0; i < depth; i++) {
            memcpy(text + len, "{\"a\":", 5);
            len += 5;
        }
        text[len++] = '1';
        memset(text + len, '}', depth);
        assert_int_equal(error_of(text, len + depth), depth <= ACME_JSON_DEPTH ? 0 : ACME_E_JSON_DEPTH);
    }
}

/* Memory from nothing to enough, at every alignment: a clean error or the whole document, nothing between. */
TEST(token_memory)
{
    static const char text[] = "{\"a\":[1,\"x\\n\"],\"b\":{\"c\":null}}"; /* 9 tokens */

    char none[] = "{}";
    struct acme_json json;

    assert_int_equal(acme_json_parse(&json, none, 2, NULL, 0), ACME_E_JSON_TOKENS);
    for (size_t offset = 0; offset < 8; offset++) {
        for (size_t len = 0; len <= 10 * TOKEN_BYTES; len++) {
            char copy[sizeof text];
            char *block = malloc(offset + len);
            size_t skipped = (4 - offset % 4) % 4; /* malloc's memory is aligned */
            memcpy(copy, text, sizeof text);
            int rc = acme_json_parse(&json, copy, sizeof text - 1, block + offset, len);
            assert_int_equal(rc, len >= skipped + 9 * TOKEN_BYTES ? 0 : ACME_E_JSON_TOKENS);
            if (rc == 0) {
                assert_int_equal(json.count, 9);
                acme_json_value array = acme_json_member(&json, 0, "a");
                acme_json_value x = acme_json_next(&json, array, acme_json_first(&json, array));
                assert_string(&json, x, "x\n", 2);
            }
            free(block);
        }
    }
}

/* Both in one buffer, as the engine does it: the tokens directly behind a text of any length. */
TEST(tokens_behind_text)
{
    for (size_t blanks = 0; blanks < 9; blanks++) {
        char buf[128];
        struct acme_json json;
        memset(buf, ' ', blanks);
        memcpy(buf + blanks, "[\"ab\"]", 6);
        assert_int_equal(acme_json_parse(&json, buf, blanks + 6, buf + blanks + 6, sizeof buf - blanks - 6), 0);
        assert_string(&json, acme_json_first(&json, 0), "ab", 2);
    }
}

/* Half a surrogate pair, and what is no other half: a letter, another escape, a high half again. */
TEST(halves_of_pairs)
{
    static const char *const bad[] = {"[\"\\ud800\"]",        "[\"\\ud800abcdefgh\"]", "[\"\\ud800\\nabcdefg\"]",
                                      "[\"\\ud800\\u0041\"]", "[\"\\ud800\\ud800\"]",  "[\"\\udc00\\udc00\"]"};
    struct document d;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(error_of(bad[i], strlen(bad[i])), ACME_E_JSON);
    }
    parse_good(&d, "[\"\\ud83d\\ude00\"]");
    assert_string(&d.json, 1, "\xf0\x9f\x98\x80", 4);
    drop(&d);
}

#if SIZE_MAX > UINT32_MAX
/* Lengths that do not fit the tokens' numbers: the text is refused unread, memory is used as far as it is needed. */
TEST(huge_lengths)
{
    char text[] = "[7]";
    _Alignas(16) char memory[2 * TOKEN_BYTES];
    struct acme_json json;

    assert_int_equal(acme_json_parse(&json, text, (size_t)INT32_MAX + 1, memory, sizeof memory), ACME_E_JSON);
    assert_int_equal(acme_json_parse(&json, text, 3, memory, SIZE_MAX), 0);
    assert_int_equal(acme_json_number(&json, acme_json_first(&json, 0)), 7);
}
#endif
