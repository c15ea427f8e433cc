/* Answers of an HTTP server: the same bytes must mean the same whole and in pieces. */
#include <stdlib.h>

#include "acme_error.h"
#include "wire/http.h"

struct result {
    int end; /* last event, or an error */
    size_t body_len, used;
    uint32_t body_sum;
    struct acme_http_answer answer;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Every piece lies in memory of its own, so that a look past its end is noticed. */
static void read_all(struct result *result, const uint8_t *data, size_t len, size_t piece, bool head)
{
    struct acme_http_reader reader;

    memset(result, 0, sizeof *result);
    acme_http_reader_init(&reader, head);
    while (result->end >= 0 && result->end != ACME_HTTP_END && result->used < len) {
        size_t have = len - result->used < piece ? len - result->used : piece;
        size_t at = 0, used;
        char *in = malloc(have);
        struct acme_slice body;

        memcpy(in, data + result->used, have);
        do {
            result->end = acme_http_read(&reader, in + at, have - at, &used, &body);
            if (used > have - at || (body.len > 0 && (body.at < in + at || body.at + body.len > in + at + used))) {
                abort();
            }
            at += used;
            for (size_t i = 0; result->end == ACME_HTTP_BODY && i < body.len; i++) {
                result->body_sum = result->body_sum * 31 + (unsigned char)body.at[i];
                result->body_len++;
            }
        } while (result->end == ACME_HTTP_HEAD || result->end == ACME_HTTP_BODY);
        if (result->end == ACME_HTTP_MORE && at != have) {
            abort();
        }
        result->used += at;
        free(in);
    }
    if (result->end == ACME_HTTP_MORE) {
        result->end = acme_http_eof(&reader, true);
    }
    if (result->end == ACME_HTTP_END) {
        result->answer = reader.answer;
        if (strlen(reader.answer.nonce) > ACME_NONCE_MAX || strlen(reader.answer.location) > ACME_URL_MAX ||
            reader.answer.status < 200 || reader.answer.status > 599) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct result whole, pieces;

    if (len < 1) {
        return 0;
    }
    read_all(&whole, data + 1, len - 1, len, data[0] & 1);
    read_all(&pieces, data + 1, len - 1, 1 + (data[0] >> 1), data[0] & 1);
    if (whole.end != pieces.end || whole.used != pieces.used || whole.body_len != pieces.body_len ||
        whole.body_sum != pieces.body_sum || whole.answer.status != pieces.answer.status ||
        whole.answer.close != pieces.answer.close || whole.answer.media != pieces.answer.media ||
        strcmp(whole.answer.nonce, pieces.answer.nonce) != 0 ||
        strcmp(whole.answer.location, pieces.answer.location) != 0) {
        abort();
    }
    return 0;
}
