#include "record.h"

#include "../protocol/contacts.h"

#include "../jose/b64url.h"
#include "../secure/digest.h"

#define ACCOUNT_HEAD "nanoacme-account 1"
#define ORDER_HEAD   "nanoacme-order 1"

/* --- writing --- */

static void line(struct acme_out *o, const char *key, const char *value)
{
    acme_out_text(o, key);
    acme_out_text(o, " ");
    acme_out_text(o, value);
    acme_out_text(o, "\n");
}

static void number(struct acme_out *o, const char *key, uint32_t value)
{
    acme_out_text(o, key);
    acme_out_text(o, " ");
    acme_out_u32(o, value);
    acme_out_text(o, "\n");
}

/* --- reading --- */

/* Takes the next line off `text`; false when there is no whole line. */
static bool next_line(struct acme_slice *text, struct acme_slice *got)
{
    const char *end = text->len == 0 ? NULL : memchr(text->at, '\n', text->len);
    if (end == NULL) {
        return false;
    }
    *got = acme_slice(text->at, (size_t)(end - text->at));
    *text = acme_slice(end + 1, text->len - got->len - 1);
    return true;
}

/* Takes a line "key value" off `text`; false when the next line is another. */
static bool expect(struct acme_slice *text, const char *key, struct acme_slice *value)
{
    struct acme_slice rest = *text;
    struct acme_slice got;
    size_t len = strlen(key);
    if (!next_line(&rest, &got) || got.len <= len || memcmp(got.at, key, len) != 0 || got.at[len] != ' ') {
        return false;
    }
    *value = acme_slice(got.at + len + 1, got.len - len - 1);
    *text = rest;
    return true;
}

static bool expect_same(struct acme_slice *text, const char *key, const char *wanted)
{
    struct acme_slice value;
    return expect(text, key, &value) && acme_slice_is(value, wanted);
}

static bool expect_url(struct acme_slice *text, const char *key, char kept[ACME_URL_MAX + 1],
                       const struct acme_hosts *hosts)
{
    struct acme_slice value;
    return expect(text, key, &value) && acme_url_keep(kept, value, hosts) == 0;
}

/* The line may also be missing. */
static bool may_url(struct acme_slice *text, const char *key, char kept[ACME_URL_MAX + 1],
                    const struct acme_hosts *hosts)
{
    struct acme_slice value;
    kept[0] = '\0';
    return !expect(text, key, &value) || acme_url_keep(kept, value, hosts) == 0;
}

static bool expect_line(struct acme_slice *text, const char *wanted)
{
    struct acme_slice got;
    return next_line(text, &got) && acme_slice_is(got, wanted);
}

/* --- account --- */

/* Ties a record to the account key: whoever replaces that has another account. */
static bool key_thumbprint(const struct acme_flow *flow, char text[ACME_THUMBPRINT_LEN + 1])
{
    const struct acme_key *key = &flow->setup->account_key;
    uint8_t point[ACME_POINT_LEN];
    if (key->ops->point(key->handle, point) != 0) {
        return false;
    }
    acme_jwk_thumbprint(point, text);
    text[ACME_THUMBPRINT_LEN] = '\0';
    return true;
}

#if ACME_CFG_RENEWAL

/* Where renewal information is asked for; a record without the line, as images before this one write it, does not know. */
static void write_info(struct acme_out *o, const struct acme_flow *flow)
{
    if (flow->info.none || flow->info.url[0] != '\0') {
        line(o, "renewalInfo", flow->info.none ? "none" : flow->info.url);
    }
}

/* It may lead to another host (protocol/renewal_info.c judged it when it was read). */
static bool read_info(struct acme_flow *flow, struct acme_slice *text)
{
    struct acme_slice value;
    struct acme_url url;
    flow->info.none = false;
    flow->info.url[0] = '\0';
    if (!expect(text, "renewalInfo", &value)) {
        return true;
    }
    flow->info.none = acme_slice_is(value, "none");
    if (flow->info.none) {
        return true;
    }
    if (acme_url_parse(&url, value) != 0 || value.len + 1 + ACME_CERTID_MAX > ACME_URL_MAX) {
        return false;
    }
    memcpy(flow->info.url, value.at, value.len);
    flow->info.url[value.len] = '\0';
    return true;
}

static void forget_info(struct acme_flow *flow)
{
    flow->info.none = false;
    flow->info.url[0] = '\0';
}

#else
#define write_info(o, flow)   ((void)(flow))
#define read_info(flow, text) true
#define forget_info(flow)     ((void)(flow))
#endif

#if ACME_TELLS_CONTACTS

static void write_contacts(struct acme_out *o, const struct acme_flow *flow)
{
    if (acme_contacts_told(flow)[0] != '\0') {
        line(o, "contacts", acme_contacts_told(flow));
    }
}

/* The contacts the CA was told; none: no line, as images before this one write none. */
static bool read_contacts(struct acme_flow *flow, struct acme_slice *text)
{
    struct acme_slice value;
    flow->manage.told[0] = '\0';
    if (!expect(text, "contacts", &value)) {
        return true;
    }
    bool good = value.len == ACME_CONTACTS_MARK;
    memcpy(flow->manage.told, value.at, good ? value.len : 0);
    flow->manage.told[good ? value.len : 0] = '\0';
    return good;
}

#define forget_contacts(flow) ((void)((flow)->manage.told[0] = '\0'))
#else
#define write_contacts(o, flow)   ((void)(flow))
#define read_contacts(flow, text) true
#define forget_contacts(flow)     ((void)(flow))
#endif

void acme_record_account_write(struct acme_out *o, const struct acme_flow *flow)
{
    char key[ACME_THUMBPRINT_LEN + 1];
    acme_out_text(o, ACCOUNT_HEAD "\n");
    line(o, "directory", flow->setup->ca.directory_url);
    line(o, "key", key_thumbprint(flow, key) ? key : "");
    line(o, "account", flow->account);
    line(o, "newNonce", flow->directory.new_nonce);
    line(o, "newAccount", flow->directory.new_account);
    line(o, "newOrder", flow->directory.new_order);
    if (acme_directory_is_v1(&flow->directory)) {
        line(o, "newCert", flow->directory.new_cert);
    }
    write_info(o, flow);
    write_contacts(o, flow);
    acme_out_text(o, "end\n");
}

static bool read_directory(struct acme_flow *flow, struct acme_slice *text)
{
    struct acme_directory *d = &flow->directory;
    if (!expect_url(text, "newNonce", d->new_nonce, &flow->hosts) ||
        !expect_url(text, "newAccount", d->new_account, &flow->hosts) ||
        !expect_url(text, "newOrder", d->new_order, &flow->hosts)) {
        return false;
    }
    return !ACME_CFG_V1 || may_url(text, "newCert", d->new_cert, &flow->hosts);
}

bool acme_record_account_read(struct acme_flow *flow, struct acme_slice text)
{
    char key[ACME_THUMBPRINT_LEN + 1];
    bool whole = expect_line(&text, ACCOUNT_HEAD) && expect_same(&text, "directory", flow->setup->ca.directory_url) &&
                 key_thumbprint(flow, key) && expect_same(&text, "key", key) &&
                 expect_url(&text, "account", flow->account, &flow->hosts) && read_directory(flow, &text) &&
                 read_info(flow, &text) && read_contacts(flow, &text) && expect_line(&text, "end");
    if (!whole) {
        flow->account[0] = '\0';
        forget_info(flow);
        forget_contacts(flow);
    }
    return whole;
}

/* --- order --- */

/* One word for all the names, so that a record stays small however many they are. */
static void names_word(const struct acme_flow *flow, char word[ACME_B64URL_LEN(ACME_SHA256_LEN) + 1])
{
    uint8_t digest[ACME_SHA256_LEN] = {0};
    struct acme_out o;
    for (size_t i = 0; i < flow->setup->name_count; i++) {
        struct acme_slice parts[2] = {acme_slice(digest, sizeof(digest)), acme_slice_of(flow->setup->names[i])};
        acme_sha256(parts, 2, digest);
    }
    acme_out_init(&o, word, ACME_B64URL_LEN(ACME_SHA256_LEN) + 1);
    acme_out_b64url(&o, digest, sizeof(digest));
    acme_out_bytes(&o, "", 1);
}

/* An ACME v1 order is what we make of it: the authorizations that were asked for one by one; then the certificate, behind
 * which they are of no more use, and so many that the record might not fit. */
static void write_v1_order(struct acme_out *o, const struct acme_order *order)
{
    if (order->certificate[0] != '\0') {
        line(o, "certificate", order->certificate);
        return;
    }
    for (uint8_t i = 0; i < order->authz_count; i++) {
        line(o, "authz", acme_order_authz(order, i));
    }
}

static bool read_v1_order(struct acme_order *order, struct acme_slice *text, const struct acme_hosts *hosts)
{
    char url[ACME_URL_MAX + 1] = "-";
    bool good = true;
    while (good && url[0] != '\0') {
        good = may_url(text, "authz", url, hosts) && (url[0] == '\0' || acme_order_add(order, url) == 0);
    }
    return good && may_url(text, "certificate", order->certificate, hosts);
}

void acme_record_order_write(struct acme_out *o, const struct acme_flow *flow, uint32_t retry_utc)
{
    char names[ACME_B64URL_LEN(ACME_SHA256_LEN) + 1];
    names_word(flow, names);
    acme_out_text(o, ORDER_HEAD "\n");
    line(o, "directory", flow->setup->ca.directory_url);
    line(o, "names", names);
    acme_out_text(o, "retry ");
    acme_out_u32(o, retry_utc);
    acme_out_text(o, "\n");
    if (flow->order.url[0] != '\0') {
        line(o, "order", flow->order.url);
        if (flow->since > 0) {
            number(o, "since", flow->since);
        }
        if (flow->answered > 0) {
            number(o, "answered", flow->answered);
        }
        if (acme_directory_is_v1(&flow->directory)) {
            write_v1_order(o, &flow->order);
        }
    }
    acme_out_text(o, "end\n");
}

static bool read_number(struct acme_slice text, uint32_t most, uint32_t *value)
{
    int64_t number = acme_slice_decimal(text);
    *value = (uint32_t)number;
    return number >= 0 && number <= most;
}

bool acme_record_order_read(struct acme_flow *flow, struct acme_slice text, uint32_t *retry_utc)
{
    char names[ACME_B64URL_LEN(ACME_SHA256_LEN) + 1];
    struct acme_slice value;
    names_word(flow, names);
    bool whole = expect_line(&text, ORDER_HEAD) && expect_same(&text, "directory", flow->setup->ca.directory_url) &&
                 expect_same(&text, "names", names) && expect(&text, "retry", &value);

    whole = whole && read_number(value, UINT32_MAX, retry_utc);
    if (whole && expect(&text, "order", &value)) {
        whole = acme_url_keep(flow->order.url, value, &flow->hosts) == 0;
    }
    if (whole && expect(&text, "since", &value)) {
        whole = read_number(value, UINT32_MAX, &flow->since);
    }
    if (whole && expect(&text, "answered", &value)) {
        uint32_t answered = 0;
        whole = read_number(value, ACME_NAMES_MAX, &answered) && answered > 0;
        flow->answered = (uint8_t)answered;
    }
    whole = whole && (!ACME_CFG_V1 || read_v1_order(&flow->order, &text, &flow->hosts)) && expect_line(&text, "end");
    if (!whole) {
        memset(&flow->order, 0, sizeof(flow->order));
        flow->answered = 0;
        flow->since = 0;
        *retry_utc = 0;
    }
    return whole;
}
