/* Bodies in chunks: what was cut is put together again, and raw bytes mean what a second reader says they mean. */
#include "fuzz.h"

#include "acme_error.h"
#include "wire/http.h"

#define BODY_MAX 4096

static const char head[] = "HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n";
#define HEAD_LEN (sizeof head - 1)

/* A body, and how its message ended: complete, in need of more, or wrong. */
struct result {
    enum { COMPLETE, OPEN, WRONG } end;
    size_t len, used; /* of the body; of the text */
    char body[BODY_MAX];
};

static void read_ours(struct result *r, const char *text, size_t len, size_t piece)
{
    static struct fuzz_memory memory;
    struct acme_http_reader reader;
    int event = ACME_HTTP_MORE;

    r->len = r->used = 0;
    acme_http_reader_init(&reader, false);
    while (event >= 0 && event != ACME_HTTP_END && r->used < len) {
        size_t have = len - r->used < piece ? len - r->used : piece;
        size_t at = 0, used;
        const char *in = fuzz_copy(&memory, text + r->used, have);
        struct acme_slice body;
        do {
            event = acme_http_read(&reader, in + at, have - at, &used, &body);
            at += used;
            MUST(at <= have && r->len + body.len <= BODY_MAX);
            memcpy(r->body + r->len, body.at, body.len);
            r->len += body.len;
        } while (event > 0 && event != ACME_HTTP_END);
        r->used += at;
    }
    r->end = event == ACME_HTTP_END ? COMPLETE : event < 0 ? WRONG : OPEN;
    MUST(event >= 0 || event == ACME_E_HTTP_FRAMING || event == ACME_E_HTTP_SYNTAX);
}

/* --- the second reader: whole lines (RFC 9112, 7.1), as http.h tells it --- */

/* Takes a line without its end. Returns its length, or -1 when it is wrong or not whole. */
static int take_line(const char *text, size_t len, size_t *at)
{
    size_t start = *at, end;
    for (end = start; end < len && text[end] != '\n'; end++) {
        if (text[end] == '\0' || (text[end] == '\r' && end + 1 < len && text[end + 1] != '\n')) {
            return -1;
        }
    }
    if (end == len) {
        return -1;
    }
    *at = end + 1;
    return (int)(end - start) - (end > start && text[end - 1] == '\r');
}

/* The size a line begins with: 1..8 digits, blanks, and then an extension or nothing. -1: wrong. */
static int64_t size_of(const char *line, size_t len)
{
    int64_t size = 0;
    size_t digits = 0;
    while (digits < len && line[digits] != '\0' && strchr("0123456789abcdefABCDEF", line[digits]) != NULL) {
        int c = line[digits];
        size = size * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        if (++digits > 8) {
            return -1;
        }
    }
    if (digits == 0) {
        return -1;
    }
    while (digits < len && (line[digits] == ' ' || line[digits] == '\t')) {
        digits++;
    }
    return digits == len || line[digits] == ';' ? size : -1;
}

/* Returns whether the message is complete. */
static bool read_theirs(struct result *r, const char *text, size_t len)
{
    size_t at = 0;
    int64_t size;
    r->len = 0;
    do {
        size_t start = at;
        int line = take_line(text, len, &at);
        size = line < 0 ? -1 : size_of(text + start, (size_t)line);
        if (size < 0 || (size_t)size > len - at) {
            return false;
        }
        memcpy(r->body + r->len, text + at, (size_t)size);
        r->len += (size_t)size;
        at += (size_t)size;
    } while (size > 0 && take_line(text, len, &at) == 0);
    if (size > 0) {
        return false;
    }
    int trailer;
    do {
        trailer = take_line(text, len, &at);
    } while (trailer > 0);
    r->used = at;
    return trailer == 0;
}

/* --- */

struct text {
    char at[32 * 1024];
    size_t len;
};

static void put(struct text *to, const void *data, size_t len)
{
    MUST(to->len + len <= sizeof to->at);
    memcpy(to->at + to->len, data, len);
    to->len += len;
}

static void put_text(struct text *to, const char *text)
{
    put(to, text, strlen(text));
}

/* Cuts `data` into chunks of sizes, with extensions and line ends, that `how` chooses. */
static void put_chunks(struct text *to, uint8_t how, const uint8_t *data, size_t len)
{
    const char *extension = how & 1 ? " ;x=\"y;z\"" : how & 2 ? "\t" : "";
    const char *end = how & 4 ? "\n" : "\r\n";
    const char *digits = how & 8 ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t size = 1;
    for (size_t i = 0; i < len; i += size) {
        size = 1 + (data[i] ^ how) % 64u;
        size = size < len - i ? size : len - i;
        put_text(to, how & 8 ? "000000" : "");
        put(to, &digits[size / 16], 1);
        put(to, &digits[size % 16], 1);
        put_text(to, extension);
        put_text(to, end);
        put(to, data + i, size);
        put_text(to, end);
    }
    put_text(to, how & 16 ? "0" : "00000000");
    put_text(to, extension);
    put_text(to, end);
    put_text(to, how & 32 ? "X-After: all\r\n" : "");
    put_text(to, end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct result whole, pieces, theirs;
    static struct text text;

    if (len < 2 || len > 1024) {
        return 0;
    }
    bool raw = data[0] & 0x80;
    text.len = 0;
    put(&text, head, HEAD_LEN);
    if (raw) {
        put(&text, data + 2, len - 2);
    } else {
        put_chunks(&text, data[0], data + 2, len - 2);
    }
    size_t end = text.len;
    put_text(&text, raw ? "" : "HTTP"); /* the next answer */
    read_ours(&whole, text.at, text.len, sizeof text.at);
    read_ours(&pieces, text.at, text.len, 1 + data[1] % 128u);
    MUST(whole.end == pieces.end && whole.used == pieces.used && whole.len == pieces.len);
    MUST(memcmp(whole.body, pieces.body, whole.len) == 0);
    if (!raw) {
        MUST(whole.end == COMPLETE && whole.used == end && whole.len == len - 2);
        MUST(memcmp(whole.body, data + 2, len - 2) == 0);
        return 0;
    }
    bool complete = read_theirs(&theirs, text.at + HEAD_LEN, len - 2);
    MUST(complete == (whole.end == COMPLETE));
    MUST(!complete || whole.used == theirs.used + HEAD_LEN);
    MUST(!complete || (whole.len == theirs.len && memcmp(whole.body, theirs.body, whole.len) == 0));
    return 0;
}
