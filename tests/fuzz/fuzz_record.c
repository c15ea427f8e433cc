/* Records of account and order: what is read whole must come out as it was. */
#include <stdlib.h>

#include "lifecycle/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A record may name the account key. */
static int point(void *handle, uint8_t to[ACME_POINT_LEN])
{
    (void)handle;
    memset(to, 4, ACME_POINT_LEN);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const names[] = {"a.example", "b.example"};
    static const struct acme_key_ops ops = {.point = point};
    static const struct acme_setup setup = {
        .ca = {.directory_url = "https://ca/d"}, .account_key = {.ops = &ops}, .names = names, .name_count = 2};
    struct acme_flow *flow = calloc(1, sizeof *flow);
    char *text = malloc(len);
    char again[4096];
    int64_t retry_utc = -1;
    struct acme_out o;

    memcpy(text, data, len);
    flow->setup = &setup;
    (void)acme_url_parse(&flow->hosts.directory, acme_slice_of(setup.ca.directory_url));
    if (acme_record_account_read(flow, acme_slice(text, len))) {
        acme_out_init(&o, again, sizeof again);
        acme_record_account_write(&o, flow);
        if (o.overflow || o.len > len || memcmp(again, text, o.len) != 0) {
            abort();
        }
    } else if (flow->account[0] != '\0') {
        abort();
    }
    if (acme_record_order_read(flow, acme_slice(text, len), &retry_utc)) {
        struct acme_slice written;
        acme_out_init(&o, again, sizeof again);
        acme_record_order_write(&o, flow, retry_utc);
        written = acme_out_since(&o, 0);
        if (o.overflow || retry_utc < 0 || written.len > len) {
            abort();
        }
    } else if (flow->order.url[0] != '\0' || retry_utc != 0) {
        abort();
    }
    free(text);
    free(flow);
    return 0;
}
