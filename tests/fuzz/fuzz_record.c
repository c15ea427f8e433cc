/* Records of account and order: what is read whole comes out as it was; what is not leaves nothing behind. */
#include "fuzz.h"

#include "lifecycle/record.h"

/* A record names the account key. */
static int point(void *handle, uint8_t to[ACME_POINT_LEN])
{
    (void)handle;
    memset(to, 4, ACME_POINT_LEN);
    return 0;
}

static void check_account(struct acme_flow *flow, struct acme_slice text)
{
    static char again[5 * ACME_URL_MAX + 256];
    struct acme_out o;

    if (!acme_record_account_read(flow, text)) {
        MUST(flow->account[0] == '\0');
        return;
    }
    acme_out_init(&o, again, sizeof again);
    acme_record_account_write(&o, flow);
    MUST(!o.overflow && o.len <= text.len && memcmp(again, text.at, o.len) == 0);
}

static void check_order(struct acme_flow *flow, struct acme_slice text)
{
    static char again[2 * ACME_URL_MAX + 128], url[ACME_URL_MAX + 1];
    uint32_t retry_utc = 1, retry_again = 1;
    struct acme_out o;

    if (!acme_record_order_read(flow, text, &retry_utc)) {
        MUST(flow->order.url[0] == '\0' && retry_utc == 0);
        return;
    }
    MUST(retry_utc >= 0 && retry_utc <= UINT32_MAX);
    acme_out_init(&o, again, sizeof again);
    acme_record_order_write(&o, flow, retry_utc);
    MUST(!o.overflow && o.len <= text.len); /* zeros before a number are not written again */
    strcpy(url, flow->order.url);
    MUST(acme_record_order_read(flow, acme_slice(again, o.len), &retry_again));
    MUST(retry_again == retry_utc && strcmp(url, flow->order.url) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const names[] = {"a.example", "b.example"};
    static const struct acme_key_ops ops = {.point = point};
    static const struct acme_setup setup = {
        .ca = {.directory_url = "https://ca/d"}, .account_key = {.ops = &ops}, .names = names, .name_count = 2};
    static struct acme_flow flow;

    memset(&flow, 0, sizeof flow);
    flow.setup = &setup;
    (void)acme_url_parse(&flow.hosts.directory, acme_slice_of(setup.ca.directory_url));
    check_account(&flow, acme_slice(data, len));
    check_order(&flow, acme_slice(data, len));
    return 0;
}
