/* Answers of an HTTP server: the same bytes mean the same whole and in pieces, and what is kept of them is harmless. */
#include "fuzz.h"

#include "acme_error.h"
#include "wire/base64.h"
#include "wire/http.h"

struct result {
    int end; /* last event, or an error */
    size_t body_len, used;
    uint32_t body_sum;
    struct acme_http_answer answer;
    struct acme_links links;
    char targets[300];
};

/* One piece, in memory of its own. */
static void read_piece(struct acme_http_reader *reader, struct result *result, const char *in, size_t have)
{
    size_t at = 0, used;
    struct acme_slice body;

    do {
        result->end = acme_http_read(reader, in + at, have - at, &used, &body);
        MUST(used <= have - at);
        MUST(fuzz_inside(body.at, body.len, in + at, used));
        MUST(result->end == ACME_HTTP_BODY ? body.len > 0 : body.len == 0);
        at += used;
        for (size_t i = 0; i < body.len; i++) {
            result->body_sum = result->body_sum * 31 + (unsigned char)body.at[i];
        }
        result->body_len += body.len;
    } while (result->end == ACME_HTTP_HEAD || result->end == ACME_HTTP_BODY);
    MUST(result->end != ACME_HTTP_MORE || at == have);
    result->used += at;
}

static void read_all(struct result *result, const uint8_t *data, size_t len, size_t piece, bool head)
{
    static struct fuzz_memory memory;
    struct acme_http_reader reader;

    memset(result, 0, sizeof *result);
    acme_http_reader_init(&reader, head);
    acme_links_init(&result->links, result->targets, sizeof result->targets);
    reader.links = &result->links;
    while (result->end >= 0 && result->end != ACME_HTTP_END && result->used < len) {
        size_t have = len - result->used < piece ? len - result->used : piece;
        read_piece(&reader, result, fuzz_copy(&memory, data + result->used, have), have);
    }
    if (result->end == ACME_HTTP_MORE) {
        result->end = acme_http_eof(&reader, true);
    }
    if (result->end == ACME_HTTP_END) {
        result->answer = reader.answer;
    }
}

/* No kept text is longer than it may be, or can end a line. */
static void harmless(const char *text, size_t size)
{
    MUST(memchr(text, '\0', size) != NULL);
    MUST(strpbrk(text, "\r\n") == NULL);
}

/* A Location that passes for a URL makes a request of four lines, whatever is in it. */
static void asked_for(const char *location)
{
    char head[ACME_URL_MAX * 2 + 128];
    struct acme_url url;
    struct acme_http_request request = {.method = "GET", .url = &url};
    struct acme_out o;
    unsigned lines = 0, blanks = 0;

    if (acme_url_parse(&url, acme_slice_of(location)) != 0) {
        return;
    }
    acme_out_init(&o, head, sizeof head);
    acme_http_write(&o, &request);
    MUST(!o.overflow && memcmp(o.at, "GET /", 5) == 0 && memcmp(o.at + o.len - 4, "\r\n\r\n", 4) == 0);
    for (size_t i = 0; i < o.len; i++) {
        MUST((o.at[i] >= ' ' && o.at[i] <= '~') || o.at[i] == '\r' || o.at[i] == '\n');
        lines += o.at[i] == '\n';
        blanks += lines == 0 && o.at[i] == ' ';
    }
    MUST(lines == 4 && blanks == 2);
}

static void check_answer(const struct acme_http_answer *a)
{
    MUST(a->status >= 200 && a->status <= 599);
    harmless(a->nonce, sizeof a->nonce);
    harmless(a->location, sizeof a->location);
    harmless(a->retry_after, sizeof a->retry_after);
    harmless(a->date, sizeof a->date);
    MUST(acme_is_base64url(acme_slice_of(a->nonce)));
    MUST(!a->location_long || a->location[0] == '\0');
    asked_for(a->location);
}

/* Targets of links to alternates: as many as there are said to be, each a line's part. */
static void check_links(const struct result *r)
{
    const char *at = r->targets;

    MUST(r->links.count <= ACME_ALTERNATES_MAX && r->links.len <= sizeof r->targets &&
         r->links.end <= sizeof r->targets);
    for (unsigned i = 0; i < r->links.count; i++, at += strlen(at) + 1) {
        MUST(at < r->targets + r->links.len);
        harmless(at, r->links.len - (size_t)(at - r->targets));
        MUST(strchr(at, '>') == NULL);
        asked_for(at);
    }
    MUST(at == r->targets + r->links.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct result whole, pieces;

    if (len < 1 || len > FUZZ_LEN_MAX) {
        return 0;
    }
    read_all(&whole, data + 1, len - 1, len, data[0] & 1);
    read_all(&pieces, data + 1, len - 1, 1 + (data[0] >> 1), data[0] & 1);
    MUST(whole.end == pieces.end && whole.used == pieces.used);
    MUST(whole.body_len == pieces.body_len && whole.body_sum == pieces.body_sum);
    MUST(whole.answer.status == pieces.answer.status && whole.answer.media == pieces.answer.media);
    MUST(whole.answer.close == pieces.answer.close && whole.answer.location_long == pieces.answer.location_long);
    MUST(strcmp(whole.answer.nonce, pieces.answer.nonce) == 0);
    MUST(strcmp(whole.answer.location, pieces.answer.location) == 0);
    MUST(strcmp(whole.answer.retry_after, pieces.answer.retry_after) == 0);
    MUST(strcmp(whole.answer.date, pieces.answer.date) == 0);
    MUST(memcmp(whole.targets, pieces.targets, sizeof whole.targets) == 0 && whole.links.count == pieces.links.count);
    check_links(&whole);
    if (whole.end == ACME_HTTP_END) {
        check_answer(&whole.answer);
    }
    return 0;
}
