/* test_http.c - the request writer and the answer reader, every answer in every split. */
#include "unit.h"

#include <stdlib.h>

#include "acme_error.h"
#include "acme_version.h"
#include "wire/http.h"

/* ---- the writer ---- */

static void assert_request(const char *method, const char *text, const char *type, const char *product,
                           const char *expected)
{
    struct acme_url url;
    struct acme_out o;
    char buf[512];
    struct acme_http_request request = {method, &url, type, 4294967295u, acme_slice_of(product)};

    assert_int_equal(acme_url_parse(&url, acme_slice_of(text)), 0);
    acme_out_init(&o, buf, sizeof buf);
    acme_http_write(&o, &request);
    assert_false(o.overflow);
    assert_int_equal(o.len, strlen(expected));
    assert_memory_equal(buf, expected, o.len);
    for (size_t cap = 0; cap < strlen(expected); cap++) {
        acme_out_init(&o, buf, cap);
        acme_http_write(&o, &request);
        assert_true(o.overflow);
    }
}

TEST(writes_requests)
{
    assert_request("GET", "https://Acme.Example/dir?a=b", NULL, "",
                   "GET /dir?a=b HTTP/1.1\r\nHost: Acme.Example\r\nUser-Agent: nanoacme/" ACME_VERSION "\r\n\r\n");
    assert_request("HEAD", "https://acme.example:14000", NULL, "gateway/1.2",
                   "HEAD / HTTP/1.1\r\nHost: acme.example:14000\r\nUser-Agent: gateway/1.2 nanoacme/" ACME_VERSION
                   "\r\n\r\n");
    assert_request("POST", "https://[::1]:8443?x", "application/jose+json", "",
                   "POST /?x HTTP/1.1\r\nHost: [::1]:8443\r\nUser-Agent: nanoacme/" ACME_VERSION
                   "\r\nContent-Type: application/jose+json\r\nContent-Length: 4294967295\r\n\r\n");
}

/* ---- the reader ---- */

/* What an answer was read as. */
struct result {
    int end; /* ACME_HTTP_END, ACME_HTTP_MORE or the error */
    bool head;
    struct acme_http_answer answer;
    size_t used;
    size_t body_len;
    char body[512];
};

/* Gives one piece, in memory of exactly its size, and takes every event. Returns false when reading is over.
 */
static bool give(struct acme_http_reader *r, struct result *got, const char *piece, size_t len)
{
    char *copy = malloc(len + 1);
    size_t at = 0;
    int event;

    memcpy(copy + 1, piece, len);
    do {
        size_t used;
        struct acme_slice body;
        event = acme_http_read(r, copy + 1 + at, len - at, &used, &body);
        assert_true(used <= len - at);
        if (event == ACME_HTTP_HEAD) {
            assert_false(got->head);
            got->head = true;
        } else if (event == ACME_HTTP_BODY) {
            assert_true(got->head && body.len > 0);
            assert_ptr_equal(body.at + body.len, copy + 1 + at + used);
            assert_true(got->body_len + body.len <= sizeof got->body);
            memcpy(got->body + got->body_len, body.at, body.len);
            got->body_len += body.len;
        } else {
            assert_int_equal(body.len, 0);
        }
        at += used;
    } while (event == ACME_HTTP_HEAD || event == ACME_HTTP_BODY);
    if (event == ACME_HTTP_MORE) {
        assert_int_equal(at, len);
    }
    got->end = event;
    got->used += at;
    free(copy);
    return event == ACME_HTTP_MORE;
}

/* Reads text in pieces: the first `first` bytes, then `step` at a time. */
static void read_split(struct acme_http_reader *r, struct result *got, bool head_request, struct acme_slice text,
                       size_t first, size_t step)
{
    memset(got, 0, sizeof *got);
    memset(r, 0xA5, sizeof *r);
    acme_http_reader_init(r, head_request);
    size_t piece = first;
    for (size_t at = 0; at <= text.len; at += piece, piece = step) {
        if (piece > text.len - at) {
            piece = text.len - at;
        }
        if (!give(r, got, text.at + at, piece) || at + piece == text.len) {
            break;
        }
    }
    got->answer = r->answer;
}

enum { CLEAN_EOF = 100 }; /* the message ends with the connection */

struct row {
    const char *name;
    struct acme_slice text;
    int end; /* ACME_HTTP_END, CLEAN_EOF, or the error */
    bool head_request;
    unsigned status;
    const char *body;
    const char *nonce, *location, *retry_after, *date;
    enum acme_media media;
    bool close, location_long;
    size_t rest; /* bytes behind the message */
};

#define T(literal)                                                                                                   \
    {                                                                                                                \
        literal, sizeof(literal) - 1                                                                                 \
    }
#define OK     "HTTP/1.1 200 OK\r\n"
#define FIVE   "Content-Length: 5\r\n\r\nhello"
#define A10    "aaaaaaaaaa"
#define A120   A10 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define BLANKS "                                                                "

static const struct row good[] = {
#define HELLO(what, headers, ...)                                                                                    \
    {                                                                                                                \
        .name = what, .text = T(OK headers FIVE), .body = "hello", __VA_ARGS__                                       \
    }
    HELLO("plain", ""),
    {.name = "empty body", .text = T(OK "Content-Length: 0\r\n\r\n")},
    {.name = "what follows stays", .text = T(OK FIVE "HTTP/1.1"), .body = "hello", .rest = 8},
    {.name = "bare LF",
     .text = T("HTTP/1.1 200 OK\nReplay-Nonce: ab\nContent-Length: 5\n\nhello"),
     .body = "hello",
     .nonce = "ab"},
    {.name = "no reason", .text = T("HTTP/1.1 404 \r\n" FIVE), .status = 404, .body = "hello"},
    {.name = "no reason, no blank", .text = T("HTTP/1.1 404\r\n" FIVE), .status = 404, .body = "hello"},
    {.name = "reason of any bytes",
     .text = T("HTTP/1.1 599 :\xff HTTP/1.1 200\r\n" FIVE),
     .status = 599,
     .body = "hello"},
    {.name = "HTTP/1.2", .text = T("HTTP/1.2 200 OK\r\n" FIVE), .body = "hello"},
    {.name = "all headers",
     .text = T("HTTP/1.1 201 Created\r\nServer: x\r\nReplay-Nonce: oFvnlFP1wIhRlYS2jTaXbA-_\r\nLocation: "
               "https://h/acct/1\r\nRetry-After: 120\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: "
               "application/json\r\n" FIVE),
     .status = 201,
     .body = "hello",
     .nonce = "oFvnlFP1wIhRlYS2jTaXbA-_",
     .location = "https://h/acct/1",
     .retry_after = "120",
     .date = "Sun, 06 Nov 1994 08:49:37 GMT",
     .media = ACME_MEDIA_JSON},
    {.name = "any case, odd blanks",
     .text = T(OK "rEPLAY-nONCE:ab \t \r\nLOCATION: \t https://h/a b  \r\ncontent-length:\t5 \t\r\n\r\nhello"),
     .body = "hello",
     .nonce = "ab",
     .location = "https://h/a b"},
    HELLO(
        "unknown and alike names",
        "Replay-Nonce2: x\r\nReplay-Nonc: x\r\nX-Replay-Nonce: x\r\nContent-Lengths: "
        "9\r\nTransfer-Encoding-Of-A-Very-Long-Name: gzip\r\nLocationn: x\r\nA: \r\nB:\r\nSet-Cookie: " A120 A120 A120
        "\r\n"),
    HELLO("media with parameter", "Content-Type: Application/Problem+JSON ; charset=utf-8\r\n",
          .media = ACME_MEDIA_PROBLEM),
    HELLO("media with long parameter",
          "Content-Type: application/pem-certificate-chain; charset=utf-8; x=" A120 "\r\n", .media = ACME_MEDIA_PEM),
    HELLO("other media", "Content-Type: text/html\r\n", .media = ACME_MEDIA_OTHER),
    HELLO("media alike", "Content-Type: application/jsonx\r\n", .media = ACME_MEDIA_OTHER),
    HELLO("media with far tail", "Content-Type: application/json" BLANKS "x\r\n", .media = ACME_MEDIA_OTHER),
    HELLO("media, first counts", "Content-Type: application/json\r\nContent-Type: text/html\r\n",
          .media = ACME_MEDIA_JSON),
    HELLO("nonce, first counts", "Replay-Nonce: one\r\nReplay-Nonce: twotwo\r\n", .nonce = "one"),
    HELLO("nonce, first is bad", "Replay-Nonce: o+e\r\nReplay-Nonce: two\r\n"),
    HELLO("nonce with padding", "Replay-Nonce: abc=\r\n"),
    HELLO("nonce with blank", "Replay-Nonce: a b\r\n"),
    HELLO("nonce empty", "Replay-Nonce:\r\n"),
    HELLO("nonce of 128", "Replay-Nonce: " A120 "aaaaaaaa" BLANKS "\r\n", .nonce = A120 "aaaaaaaa"),
    HELLO("nonce of 129", "Replay-Nonce: " A120 "aaaaaaaaa\r\n"),
    HELLO("location of 256", "Location: " A120 A120 A10 "aaaaaa \r\n", .location = A120 A120 A10 "aaaaaa"),
    HELLO("location of 257", "Location: " A120 A120 A10 "aaaaaaa\r\n", .location_long = true),
    HELLO("location with far tail", "Location: " A120 A120 BLANKS "a\r\n", .location_long = true),
    HELLO("location, first counts", "Location: /a\r\nLocation: /b\r\n", .location = "/a"),
    HELLO("retry-after too long", "Retry-After: 1111111111222222222233333333334444444444\r\n"),
    {.name = "same length twice",
     .text = T(OK "Content-Length: 5\r\ncontent-length: 005\r\n\r\nhello"),
     .body = "hello"},
    {.name = "chunked", .text = T(OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), .body = "hello"},
    {.name = "chunks of every kind",
     .text = T(OK "transfer-encoding: CHUNKED\r\n\r\n1\r\nh\r\n0000000A;x=\"y\";z\r\n0123456789\r\n0b "
                  "\t;q\r\nabcdefghijk\r\n2 \nlo\n000;last\r\nTrailer: x\r\nReplay-Nonce: late\r\n\r\nrest"),
     .body = "h0123456789abcdefghijklo",
     .rest = 4},
    {.name = "empty chunked", .text = T(OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
    {.name = "204", .text = T("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"), .status = 204, .rest = 5},
    {.name = "304", .text = T("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"), .status = 304},
    {.name = "HEAD",
     .text = T(OK "Replay-Nonce: ab\r\nContent-Length: 5\r\n\r\nHTTP/"),
     .head_request = true,
     .nonce = "ab",
     .rest = 5},
    {.name = "HEAD without length", .text = T(OK "Replay-Nonce: ab\r\n\r\n"), .head_request = true, .nonce = "ab"},
    {.name = "HEAD chunked", .text = T(OK "Transfer-Encoding: chunked\r\n\r\n"), .head_request = true},
    {.name = "1xx do not leak",
     .text = T("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nReplay-Nonce: no\r\nLocation: "
               "/no\r\nContent-Length: 7\r\nTransfer-Encoding: gzip\r\nConnection: close\r\nContent-Type: "
               "text/html\r\n\r\n" OK "Content-Type: application/json\r\n" FIVE),
     .body = "hello",
     .media = ACME_MEDIA_JSON},
    {.name = "HTTP/1.0 1xx", .text = T("HTTP/1.0 100 Continue\r\n\r\n" OK FIVE), .body = "hello"},
    HELLO("close", "Connection: close\r\n", .close = true),
    HELLO("close in a list", "Connection: upgrade , ,\t Close ,x\r\n", .close = true),
    HELLO("close in the second", "Connection: keep-alive\r\nConnection: close\r\n", .close = true),
    HELLO("close before keep-alive", "Connection: close\r\nConnection: keep-alive\r\n", .close = true),
    HELLO("close only as a part", "Connection: closed, xclose, clos, keep-alive,\r\n"),
    HELLO("list too long", "Connection: " A120 ", x\r\n", .close = true),
    {.name = "HTTP/1.0", .text = T("HTTP/1.0 200 OK\r\n" FIVE), .body = "hello", .close = true},
    {.name = "HTTP/1.0 that stays", .text = T("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" FIVE), .body = "hello"},
    {.name = "HTTP/1.0 in doubt",
     .text = T("HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n" FIVE),
     .body = "hello",
     .close = true},
    {.name = "open body",
     .text = T(OK "Replay-Nonce: ab\r\n\r\nhello"),
     .end = CLEAN_EOF,
     .body = "hello",
     .nonce = "ab",
     .close = true},
    {.name = "open body, 500",
     .text = T("HTTP/1.0 500 x\r\nConnection: keep-alive\r\n\r\n\0\r\n"),
     .end = CLEAN_EOF,
     .status = 500,
     .close = true,
     .body = "\0\r\n"},
    HELLO("control bytes in a value", "X: \x01\x7f\xff\r\n"),
};

static const struct row bad[] = {
#define SYNTAX(what, literal)                                                                                        \
    {                                                                                                                \
        .name = what, .text = T(literal), .end = ACME_E_HTTP_SYNTAX                                                  \
    }
#define FRAMING(what, literal)                                                                                       \
    {                                                                                                                \
        .name = what, .text = T(literal), .end = ACME_E_HTTP_FRAMING                                                 \
    }
#define CHUNKS OK "Transfer-Encoding: chunked\r\n\r\n"
    SYNTAX("TLS alert", "\x15\x03\x01"),
    SYNTAX("SSH", "SSH-2.0"),
    SYNTAX("lower case", "http/1.1 200 OK\r\n\r\n"),
    SYNTAX("HTTP/2", "HTTP/2 200\r\n\r\n"),
    /* another protocol would begin (RFC 9110, 15.2.2) */
    SYNTAX("101 before an answer", "HTTP/1.1 101 Switching!\r\n\r\n" OK FIVE),
    SYNTAX("101 behind 100",
           "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n" OK FIVE),
    SYNTAX("HTTP/2.0", "HTTP/2.0 200\r\n\r\n"),
    SYNTAX("HTTP/1.x", "HTTP/1.x 200\r\n\r\n"),
    SYNTAX("ICY", "ICY 200 OK\r\n"),
    SYNTAX("empty line first", "\r\n" OK FIVE),
    SYNTAX("two blanks", "HTTP/1.1  200 OK\r\n\r\n"),
    SYNTAX("tab", "HTTP/1.1\t200 OK\r\n\r\n"),
    SYNTAX("status 20", "HTTP/1.1 20 OK\r\n\r\n"),
    SYNTAX("status 2", "HTTP/1.1 2\r\n\r\n"),
    SYNTAX("status -20", "HTTP/1.1 -20 OK\r\n\r\n"),
    SYNTAX("status 2000", "HTTP/1.1 2000 OK\r\n\r\n"),
    SYNTAX("status 200OK", "HTTP/1.1 200OK\r\n\r\n"),
    SYNTAX("status 000", "HTTP/1.1 000 x\r\n\r\n"),
    SYNTAX("status 099", "HTTP/1.1 099 x\r\n\r\n"),
    SYNTAX("status 600", "HTTP/1.1 600 x\r\n\r\n"),
    SYNTAX("status 999", "HTTP/1.1 999 x\r\n\r\n"),
    SYNTAX("bare CR in the status line", "HTTP/1.1 200 O\rK\r\n\r\n"),
    SYNTAX("two CR", "HTTP/1.1 200 OK\r\r\n\r\n"),
    SYNTAX("NUL in the status line", "HTTP/1.1 200 O\0K\r\n\r\n"),
    SYNTAX("NUL in a name", OK "Re\0play-Nonce: a\r\n\r\n"),
    SYNTAX("NUL in a value", OK "X: a\0b\r\n\r\n"),
    SYNTAX("bare CR in a value", OK "X: a\rLocation: /b\r\n\r\n"),
    SYNTAX("bare CR in a name", OK "X\r: a\r\n\r\n"),
    SYNTAX("folded line", OK "Replay-Nonce: a\r\n b\r\n\r\n"),
    SYNTAX("folded line, tab", OK "X: a\r\n\tb\r\n\r\n"),
    SYNTAX("blank before the first header", OK " X: a\r\n\r\n"),
    SYNTAX("blank before the colon", OK "Content-Length : 5\r\n\r\nhello"),
    SYNTAX("tab before the colon", OK "Content-Length\t: 5\r\n\r\nhello"),
    SYNTAX("no colon", OK "Content-Length\r\n\r\n"),
    SYNTAX("no name", OK ": 5\r\n\r\n"),
    SYNTAX("no token", OK "Content(Length: 5\r\n\r\n"),
    SYNTAX("eight bits in a name", OK "X\xff: 5\r\n\r\n"),
    SYNTAX("NUL in a chunk size", CHUNKS "5\0\r\nhello"),
    SYNTAX("bare CR in a chunk size", CHUNKS "5\r5\r\nhello"),
    SYNTAX("NUL in a trailer", CHUNKS "0\r\nX: \0\r\n\r\n"),
    SYNTAX("bare CR in a trailer", CHUNKS "0\r\nX: \rx\r\n\r\n"),
    SYNTAX("bare CR after a chunk", CHUNKS "5\r\nhello\rx"),
    FRAMING("negative", OK "Content-Length: -5\r\n\r\nhello"),
    FRAMING("negative zero", OK "Content-Length: -0\r\n\r\n"),
    FRAMING("plus", OK "Content-Length: +5\r\n\r\nhello"),
    FRAMING("empty", OK "Content-Length: \r\n\r\nhello"),
    FRAMING("hex", OK "Content-Length: 0x5\r\n\r\nhello"),
    FRAMING("exponent", OK "Content-Length: 5e0\r\n\r\nhello"),
    FRAMING("blank inside", OK "Content-Length: 1 5\r\n\r\nhello"),
    FRAMING("list", OK "Content-Length: 5, 5\r\n\r\nhello"),
    FRAMING("2^32", OK "Content-Length: 4294967296\r\n\r\nhello"),
    FRAMING("2^32+5", OK "Content-Length: 4294967301\r\n\r\nhello"),
    FRAMING("2^64", OK "Content-Length: 18446744073709551616\r\n\r\nhello"),
    FRAMING("2^64+5", OK "Content-Length: 18446744073709551621\r\n\r\nhello"),
    FRAMING("endless", OK "Content-Length: 00000" A120 "\r\n\r\nhello"),
    FRAMING("endless zeros",
            OK "Content-Length: 00000000000000000000000000000000000000000000000000000000005\r\n\r\n"),
    FRAMING("two lengths", OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    FRAMING("two lengths, 0 first", OK "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello"),
    FRAMING("length, then coding", OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    FRAMING("coding, then length", OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    FRAMING("gzip", OK "Transfer-Encoding: gzip\r\n\r\n"),
    FRAMING("gzip, chunked", OK "Transfer-Encoding: gzip, chunked\r\n\r\n"),
    FRAMING("chunked, chunked", OK "Transfer-Encoding: chunked, chunked\r\n\r\n"),
    FRAMING("chunked twice", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
    FRAMING("identity, then chunked", OK "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"),
    FRAMING("xchunked", OK "Transfer-Encoding: xchunked\r\n\r\n"),
    FRAMING("chunked;q", OK "Transfer-Encoding: chunked;q=1\r\n\r\n"),
    FRAMING("no coding", OK "Transfer-Encoding:\r\n\r\n"),
    FRAMING("chunked far away", OK "Transfer-Encoding: chunked" BLANKS "x\r\n\r\n"),
    FRAMING("chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    FRAMING("chunk size missing", CHUNKS "\r\nhello"),
    FRAMING("chunk size blank", CHUNKS " 5\r\nhello"),
    FRAMING("chunk size negative", CHUNKS "-5\r\nhello"),
    FRAMING("chunk size 0x", CHUNKS "0x5\r\nhello"),
    FRAMING("chunk size not hex", CHUNKS "5g\r\nhello"),
    FRAMING("chunk size in two", CHUNKS "5 5\r\nhello"),
    FRAMING("chunk extension without size", CHUNKS ";x\r\nhello"),
    FRAMING("chunk size of 9 digits", CHUNKS "100000000\r\nhello"),
    FRAMING("chunk size of 9 digits, small", CHUNKS "000000005\r\nhello"),
    FRAMING("chunk size of 2^64", CHUNKS "10000000000000000\r\nhello"),
    FRAMING("chunk longer than its size", CHUNKS "5\r\nhellox\r\n0\r\n\r\n"),
    FRAMING("chunk shorter than its size", CHUNKS "7\r\nhello\r\n0\r\n\r\n"),
};

static void assert_result(const struct row *row, const struct result *got)
{
    size_t body_len = row->body == NULL ? 0 : row->body[0] == '\0' ? 3 : strlen(row->body);
    const struct acme_http_answer *a = &got->answer;
    bool same = got->head && got->end == (row->end == CLEAN_EOF ? ACME_HTTP_MORE : ACME_HTTP_END) &&
                got->used == row->text.len - row->rest && a->status == (row->status > 0 ? row->status : 200) &&
                got->body_len == body_len && memcmp(got->body, row->body != NULL ? row->body : "", body_len) == 0 &&
                strcmp(a->nonce, row->nonce != NULL ? row->nonce : "") == 0 &&
                strcmp(a->location, row->location != NULL ? row->location : "") == 0 &&
                strcmp(a->retry_after, row->retry_after != NULL ? row->retry_after : "") == 0 &&
                strcmp(a->date, row->date != NULL ? row->date : "") == 0 && a->media == row->media &&
                a->close == row->close && a->location_long == row->location_long;

    if (!same) {
        fail_msg("%s: end %d, used %zu, status %d, body %zu, media %d, close %d, nonce \"%s\", location \"%s\"",
                 row->name, got->end, got->used, a->status, got->body_len, a->media, a->close, a->nonce, a->location);
    }
}

TEST(reads_good_answers_in_every_split)
{
    struct acme_http_reader r;
    struct result got;

    for (const struct row *row = good; row < good + sizeof good / sizeof good[0]; row++) {
        for (size_t first = 0; first <= row->text.len; first++) {
            read_split(&r, &got, row->head_request, row->text, first, row->text.len);
            assert_result(row, &got);
        }
        for (size_t step = 1; step < 9; step++) {
            read_split(&r, &got, row->head_request, row->text, step, step);
            assert_result(row, &got);
        }
        if (row->end == CLEAN_EOF) {
            struct acme_http_reader other = r;
            assert_int_equal(acme_http_eof(&other, false), ACME_E_HTTP_TRUNCATED);
        }
        assert_int_equal(acme_http_eof(&r, true), ACME_HTTP_END);
        assert_false(give(&r, &got, "HTTP", 4)); /* nothing behind the end is taken */
        assert_int_equal(got.end, ACME_HTTP_END);
    }
}

TEST(refuses_bad_answers_in_every_split)
{
    struct acme_http_reader r;
    struct result got;

    for (const struct row *row = bad; row < bad + sizeof bad / sizeof bad[0]; row++) {
        for (size_t first = 0; first <= row->text.len + 7; first++) {
            /* the last ones: 1..7 bytes at a time */
            size_t step = first > row->text.len ? first - row->text.len : row->text.len;
            read_split(&r, &got, false, row->text, first > row->text.len ? step : first, step);
            if (got.end != row->end) {
                fail_msg("%s: %d", row->name, got.end);
            }
            assert_false(give(&r, &got, OK, sizeof OK - 1)); /* it stays dead */
            assert_int_equal(got.end, ACME_E_HTTP_SYNTAX);
            assert_int_equal(acme_http_eof(&r, true), ACME_E_HTTP_TRUNCATED);
        }
    }
}

TEST(truncated_answers)
{
    struct acme_http_reader r;
    struct result got;

    for (const struct row *row = good; row < good + sizeof good / sizeof good[0]; row++) {
        for (size_t len = 0; len < row->text.len - row->rest; len++) {
            for (int clean = 0; clean < 2; clean++) {
                read_split(&r, &got, row->head_request, acme_slice(row->text.at, len), len, len);
                assert_int_equal(got.end, ACME_HTTP_MORE);
                bool whole = row->end == CLEAN_EOF && got.head && clean;
                assert_int_equal(acme_http_eof(&r, clean), whole ? ACME_HTTP_END : ACME_E_HTTP_TRUNCATED);
            }
        }
    }
}

/* Each byte value at each place of a small answer: the reader must end in some defined way, and the same way
 * whole and byte by byte. */
TEST(every_byte_everywhere)
{
    static const char text[] =
        "HTTP/1.1 200 O\r\nReplay-Nonce: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhi\r\n0\r\n\r\n";

    for (size_t at = 0; at < sizeof text - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char damaged[sizeof text];
            struct acme_http_reader r;
            struct result whole, bytes;
            memcpy(damaged, text, sizeof text);
            damaged[at] = (char)byte;
            read_split(&r, &whole, false, acme_slice(damaged, sizeof text - 1), sizeof text, 1);
            read_split(&r, &bytes, false, acme_slice(damaged, sizeof text - 1), 1, 1);
            assert_int_equal(whole.end, bytes.end);
            assert_int_equal(whole.used, bytes.used);
            assert_int_equal(whole.body_len, bytes.body_len);
            assert_memory_equal(whole.body, bytes.body, whole.body_len);
            if (at < 15) {
                assert_string_equal(whole.answer.nonce, whole.end == ACME_HTTP_END ? "a" : whole.answer.nonce);
            }
        }
    }
}

/* Every byte value in a nonce: RFC 8555, 6.5.1. */
TEST(nonce_alphabet)
{
    for (int byte = 1; byte < 256; byte++) {
        char text[] = OK "Replay-Nonce: a?b\r\n\r\n";
        struct acme_http_reader r;
        struct result got;
        char *mark = strchr(text, '?');
        char expected[4] = {'a', (char)byte, 'b', '\0'};
        if (byte == '\r' || byte == '\n') {
            continue;
        }
        *mark = (char)byte;
        read_split(&r, &got, true, acme_slice_of(text), sizeof text, 1);
        assert_int_equal(got.end, ACME_HTTP_END);
        bool legal = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", byte) != NULL;
        assert_string_equal(got.answer.nonce, legal ? expected : "");
    }
}

/* Repeats `line` until the reader answers something else than MORE. Returns that and how many bytes it took.
 */
static int drown(const char *start, const char *line, size_t *taken)
{
    struct acme_http_reader r;
    struct result got = {0};

    acme_http_reader_init(&r, false);
    bool alive = give(&r, &got, start, strlen(start));
    while (alive && got.used < 1000000) {
        got.body_len = 0;
        alive = give(&r, &got, line, strlen(line));
    }
    *taken = got.used;
    return got.end;
}

TEST(bounds_heads_extensions_and_trailers)
{
    static const struct {
        const char *start, *line;
    } rows[] = {
        {"HTTP/1.1 200 ", "x"},  {OK, "X: y\r\n"},
        {OK "X: ", "x"},         {OK, "x"},
        {OK "X:", " "},          {"", "HTTP/1.1 100 x\r\n\r\n"},
        {CHUNKS "5;", "x"},      {CHUNKS "0\r\n", "X: y\r\n"},
        {CHUNKS "0\r\nX:", "x"}, {OK "Location: ", "x"},
        {OK "Location: x", " "},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t taken;
        assert_int_equal(drown(rows[i].start, rows[i].line, &taken), ACME_E_HTTP_SYNTAX);
        assert_in_range(taken, 65536, 65536 + 8);
    }
}

/* A long body in chunks of a byte must not run into that limit; extensions must. */
TEST(small_chunks_have_no_limit)
{
    size_t taken;

    assert_int_equal(drown(CHUNKS, "1\r\nx\r\n", &taken), ACME_HTTP_MORE);
    assert_true(taken >= 1000000);
    assert_int_equal(drown(CHUNKS, "1;x\r\nx\r\n", &taken), ACME_E_HTTP_SYNTAX);
    assert_int_equal(drown(CHUNKS, "1                    ", &taken), ACME_E_HTTP_FRAMING);
    assert_int_equal(drown(CHUNKS "1", " ", &taken), ACME_E_HTTP_SYNTAX);
    assert_true(taken < 66000);
}

/* Lengths near 2^32 are counted down without wrapping. */
TEST(large_lengths)
{
    static const char *const starts[] = {OK "Content-Length: 4294967295\r\n\r\n", CHUNKS "FFFFFFFF\r\n"};
    char *block = calloc(1, 1 << 20);

    for (size_t i = 0; i < 2; i++) {
        struct acme_http_reader r;
        struct acme_slice body;
        struct result got = {0};
        size_t used;
        uint64_t total = 0;
        acme_http_reader_init(&r, false);
        assert_true(give(&r, &got, starts[i], strlen(starts[i])));
        while (total < UINT32_MAX && acme_http_read(&r, block, 1 << 20, &used, &body) == ACME_HTTP_BODY) {
            assert_int_equal(used, body.len);
            total += body.len;
        }
        assert_true(total == UINT32_MAX);
        assert_int_equal(acme_http_read(&r, "\r\n0\r\n\r\n", 7, &used, &body), ACME_HTTP_END);
        assert_int_equal(used, i == 0 ? 0 : 7);
    }
    free(block);
}

/* What cannot stand in a header's name ends the answer at that byte: what follows is not read as anything else. */
TEST(bad_names_end_at_once)
{
    static const char *const heads[] = {"HTTP/1.1 200 OK\r\nA ", "HTTP/1.1 200 OK\r\n ",
                                        "HTTP/1.1 200 OK\r\nA:b\r\n\t"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct acme_http_reader r;
        struct result got;
        memset(&got, 0, sizeof got);
        acme_http_reader_init(&r, false);
        assert_true(give(&r, &got, heads[i], strlen(heads[i]) - 1));
        assert_false(give(&r, &got, heads[i] + strlen(heads[i]) - 1, 1));
        assert_int_equal(got.end, ACME_E_HTTP_SYNTAX);
    }
}
