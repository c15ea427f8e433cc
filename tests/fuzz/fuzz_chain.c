/* A certificate chain while it streams in: bounded, and what goes out is PEM of our own. */
#include <stdlib.h>

#include "wire/date.h"
#include "x509/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int sink(void *ctx, const void *data, size_t len)
{
    size_t *written = ctx;
    const char *text = data;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~')) {
            abort();
        }
    }
    *written += len;
    return len > 65 || (len > 0 && text[len - 1] != '\n') ? (abort(), 0) : 0;
}

/* The key in a certificate is made to be ours, so that the way behind it is open. */
static void find_point(const uint8_t *data, size_t len, uint8_t point[65])
{
    struct acme_pem pem;
    struct acme_leaf leaf;
    uint8_t der[1024];
    size_t used;

    memset(point, 4, 65);
    acme_pem_init(&pem, der, sizeof der);
    for (int event = 0; len > 0 && event >= 0; data += used, len -= used) {
        event = acme_pem_read(&pem, (const char *)data, len, &used);
        if (event == ACME_PEM_END && acme_leaf_parse(&leaf, pem.der, pem.len) == 0 && leaf.point != NULL) {
            memcpy(point, leaf.point, 65); /* of the last one */
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const names[] = {"device.example", "b.example"};
    uint8_t point[65];
    struct acme_chain_want want = {.point = point, .names = names, .utc = ACME_DATE_NONE};
    struct acme_chain chain;
    size_t written = 0;

    if (len < 2) {
        return 0;
    }
    size_t cap = 64 + (size_t)data[0] * 16;
    size_t piece = 1 + (size_t)data[1];
    uint8_t *memory = malloc(cap);
    want.name_count = data[0] % 3;
    find_point(data + 2, len - 2, point);
    acme_chain_init(&chain, &want, memory, cap, sink, &written);
    for (size_t at = 2; at < len; at += piece) {
        size_t have = len - at < piece ? len - at : piece;
        if (acme_chain_read(&chain, (const char *)data + at, have) != 0) {
            break;
        }
    }
    if (acme_chain_end(&chain) == 0 && written == 0) {
        abort();
    }
    free(memory);
    return 0;
}
