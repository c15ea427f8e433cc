/* Reads recordings: what is in them, what is not one, and whose the requests are. */
#include "recording.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct recording r;

#define FIRST "{\"scenario\":\"s\",\"base_url\":\"http://127.0.0.1:4000\",\"more\":1}\n"
#define HEAD  "\"headers\":[[\"Host\",\"127.0.0.1:4000\"]]"

static bool load(const char *text)
{
    static char path[] = "/tmp/recording-XXXXXX";
    strcpy(path, "/tmp/recording-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    bool good = recording_load(&r, path);
    unlink(path);
    return good;
}

static int end(void **state)
{
    recording_free(&r);
    return 0;
}

static void tolerates(void **state)
{
    assert_true(load(
        FIRST "{\"note\":{\"x\":1}}\n\n{\"n\":1,\"new\":[],\"request\":{\"line\":\"GET /directory HTTP/1.1\"," HEAD
              "},\"response\":{\"status_line\":\"HTTP/1.1 200 OK\",\"headers\":[[\"X\",\"y\"]],"
              "\"body\":\"{}\",\"future\":null}}\n{\"request\":{\"line\":\"GET /x HTTP/1.1\"}}"));
    assert_int_equal(r.count, 2);
    assert_int_equal(r.other_lines, 1);
    assert_int_equal(r.exchange[0].line, 4);
    assert_true(r.exchange[0].answered && r.exchange[0].status == 200 && r.exchange[0].kind == V1_DIRECTORY);
    assert_null(r.exchange[0].not_ours);
    assert_string_equal(exchange_header(&r.exchange[0], "x"), "y");
    assert_false(r.exchange[1].answered);
    assert_non_null(r.exchange[1].not_ours);
}

static void refuses(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {{"", ":1: not a recording: it is empty"},
                 {"hello\n", ":1: not a recording, "},
                 {"[]\n", ":1: not a recording, which has one JSON object a line: no JSON object"},
                 {"{\"runs\":1}\n", ":1: not a recording: its first line"},
                 {"{\"scenario\":\"s\",\"base_url\":\"http://a:0\"}", ":1: base_url is not"},
                 {"{\"scenario\":\"s\",\"base_url\":\"http://a/b\"}", ":1: base_url is not"},
                 {FIRST "{\"n\":\n", ":2: not a recording, "},
                 {FIRST "{\"request\":{}}\n", ":2: request without a line"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(load(cases[i].text));
        assert_non_null(strstr(r.error, cases[i].why));
        assert_true(strncmp(r.error, "/tmp/recording-", 15) == 0);
        recording_free(&r);
    }
    assert_false(recording_load(&r, "/nowhere/x.jsonl"));
    assert_non_null(strstr(r.error, "cannot be read"));
}

/* An answer of which bytes are missing is not given again. */
static void missing_bytes(void **state)
{
    static const char *const wrong[] = {"\"body_bytes\":3", "\"header_bytes\":3", "\"headers\":5",
                                        "\"status_line\":\"HTP\"", "\"body_base64_der\":\"A\""};
    char text[700];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text,
                 FIRST "{\"request\":{\"line\":\"GET /directory HTTP/1.1\"},\"response\":{"
                       "\"status_line\":\"HTTP/1.1 200 OK\",\"headers\":[],\"body\":\"ab\",%s}}\n",
                 wrong[i]);
        assert_true(load(text));
        assert_false(r.exchange[0].answered);
        recording_free(&r);
    }
}

/* All that was recorded can be given again, byte by byte. */
static void whole_folder(void **state)
{
    glob_t found = {0};
    unsigned count = 0;
    assert_int_equal(glob("tests/dialogue/boulder-2016/*.jsonl", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        assert_true(recording_load(&r, found.gl_pathv[i]));
        for (unsigned k = 0; k < r.count; k++) {
            assert_true(r.exchange[k].answered);
            count++;
        }
        recording_free(&r);
    }
    globfree(&found);
    assert_true(count >= 257);
}

static const struct exchange *line(unsigned n)
{
    for (unsigned i = 0; i < r.count; i++) {
        if (r.exchange[i].line == n) {
            return &r.exchange[i];
        }
    }
    fail_msg("no exchange in line %u", n);
    return NULL;
}

static void whose_requests(void **state)
{
    assert_true(recording_load(&r, "tests/dialogue/boulder-2016/07-nonce-and-malformed.jsonl"));
    static const unsigned odd[] = {2, 6, 8, 12, 17, 19, 22, 24, 25, 26, 27, 28, 30, 39, 45, 46, 47};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_non_null(line(odd[i])->not_ours);
    }
    assert_null(line(3)->not_ours);
    assert_null(line(5)->not_ours);
    assert_null(line(7)->not_ours);
    assert_null(line(20)->not_ours); /* `url` in the protected header, as later drafts want it */
    assert_string_equal(r.terms, "http://127.0.0.1:4000/terms/v1");
}

/* Revocations and the like: by the key of an account, of a certificate that was issued, for the account of the key. */
static void whose_deeds(void **state)
{
    assert_true(recording_load(&r, "tests/dialogue/boulder-2016/09-revoke.jsonl"));
    static const unsigned odd[] = {11, 15, 22, 23, 24, 25};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        assert_int_equal(line(odd[i])->kind, V1_REVOKE);
        assert_non_null(line(odd[i])->not_ours);
    }
    assert_null(line(10)->not_ours);
    assert_ptr_equal(line(12)->issued, line(8));
    assert_ptr_equal(line(27)->issued, line(26));
    assert_string_equal(line(12)->names.name[0], "le.wtf");
    recording_free(&r);
    assert_true(recording_load(&r, "tests/dialogue/boulder-2016/made/account-and-key.jsonl"));
    assert_string_equal(line(14)->not_ours, "for another account");
    assert_null(line(16)->not_ours);
    assert_true(json_equal(line(16)->new_key, line(19)->jwk));
    assert_int_equal(line(17)->kind, V1_REG);
    assert_int_equal(line(18)->kind, V1_KINDS);
    assert_int_equal(line(19)->kind, V1_DEACTIVATE);
    assert_null(line(19)->not_ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(tolerates, end),      cmocka_unit_test_teardown(refuses, end),
        cmocka_unit_test_teardown(missing_bytes, end),  cmocka_unit_test_teardown(whole_folder, end),
        cmocka_unit_test_teardown(whose_requests, end), cmocka_unit_test_teardown(whose_deeds, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
