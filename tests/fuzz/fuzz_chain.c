/* A certificate chain while it streams in: bounded, the same in any pieces, and what goes out is PEM of our own, which
 * reads as itself. */
#include "fuzz.h"

#include "wire/date.h"
#include "x509/chain.h"

struct output {
    int end;
    size_t len;
    char text[FUZZ_LEN_MAX * 2];
};

static int sink(void *ctx, const void *data, size_t len)
{
    struct output *to = ctx;
    const char *text = data;

    MUST(len > 1 && len <= 65 && text[len - 1] == '\n');
    for (size_t i = 0; i + 1 < len; i++) {
        MUST(text[i] >= ' ' && text[i] <= '~');
    }
    MUST(to->len + len <= sizeof to->text);
    memcpy(to->text + to->len, text, len);
    to->len += len;
    return 0;
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

static void read_chain(struct output *to, const struct acme_chain_want *want, size_t cap, const void *data,
                       size_t len, size_t piece)
{
    static struct fuzz_memory lent, memory;
    struct acme_chain chain;

    to->len = 0;
    to->end = 0;
    acme_chain_init(&chain, want, fuzz_room(&lent, cap), cap, sink, to);
    for (size_t at = 0; at < len && to->end == 0; at += piece) {
        size_t have = len - at < piece ? len - at : piece;
        to->end = acme_chain_read(&chain, fuzz_copy(&memory, (const char *)data + at, have), have);
        MUST(chain.held <= cap);
    }
    if (to->end == 0) {
        to->end = acme_chain_end(&chain);
        MUST((to->end == 0) == (chain.have_leaf && acme_pem_outside(&chain.pem)));
    }
    MUST(chain.have_leaf == (to->len > 0));
    MUST(!chain.have_leaf || chain.not_after > chain.not_before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const names[] = {"device.example", "b.example"};
    static struct output whole, pieces, again;
    uint8_t point[65];
    struct acme_chain_want want = {.point = point, .names = names, .utc = ACME_DATE_NONE};

    if (len < 2 || len > FUZZ_LEN_MAX) {
        return 0;
    }
    size_t cap = 64 + (size_t)data[0] * 16;
    want.name_count = data[0] % 3;
    find_point(data + 2, len - 2, point);
    read_chain(&whole, &want, cap, data + 2, len - 2, len);
    read_chain(&pieces, &want, cap, data + 2, len - 2, 1 + (size_t)data[1]);
    MUST(whole.end == pieces.end && whole.len == pieces.len && memcmp(whole.text, pieces.text, whole.len) == 0);
    if (whole.end == 0 && whole.len <= FUZZ_LEN_MAX) {
        read_chain(&again, &want, cap, whole.text, whole.len, whole.len);
        MUST(again.end == 0 && again.len == whole.len && memcmp(again.text, whole.text, whole.len) == 0);
    }
    return 0;
}
