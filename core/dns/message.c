/* message.c - see message.h. */
#include "message.h"

void acme_dns_put16(struct acme_out *o, unsigned value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
    acme_out_bytes(o, bytes, sizeof(bytes));
}

void acme_dns_put32(struct acme_out *o, unsigned high, unsigned low)
{
    acme_dns_put16(o, high);
    acme_dns_put16(o, low);
}

/* --- names --- */

#define LABEL_MAX 63

/* Adds a label, or with length 0 the root. */
static bool add_label(struct acme_dns_name *name, const char *at, size_t len)
{
    if (len > LABEL_MAX || name->len + 1 + len > sizeof(name->at)) {
        return false;
    }
    name->at[name->len++] = (uint8_t)len;
    for (size_t i = 0; i < len; i++) {
        name->at[name->len++] = (uint8_t)acme_lower(at[i]);
    }
    return true;
}

static bool add_labels(struct acme_dns_name *name, const char *text)
{
    struct acme_slice rest = acme_slice_of(text);
    bool good = true;
    while (good && rest.len > 0) {
        struct acme_slice label = acme_slice_cut(&rest, '.');
        good = label.len > 0 && add_label(name, label.at, label.len);
    }
    return good;
}

bool acme_dns_name_make(struct acme_dns_name *name, const char *before, const char *text)
{
    name->len = 0;
    return add_labels(name, before) && add_labels(name, text) && name->len > 0 && add_label(name, NULL, 0);
}

size_t acme_dns_within(const struct acme_dns_name *name, const struct acme_dns_name *domain)
{
    size_t at = 0;
    while (at < name->len && (name->len - at != domain->len || memcmp(name->at + at, domain->at, domain->len) != 0)) {
        at += name->at[at] + 1u;
    }
    return at;
}

void acme_dns_out_text(struct acme_out *o, const uint8_t *name)
{
    for (size_t len = *name; len > 0; len = *name) {
        for (name++; len > 0; len--, name++) {
            char c = (char)*name;
            acme_out_bytes(o, acme_is_visible(c, "") ? &c : "?", 1);
        }
        acme_out_text(o, *name != 0 ? "." : "");
    }
}

/* --- reading --- */

bool acme_dns_read_name(struct acme_dns_reader *r, struct acme_dns_name *name)
{
    size_t at = r->at, floor = r->at; /* each jump leads further back, so it comes to an end */
    bool jumped = false;
    name->len = 0;
    while (at < r->len) {
        uint8_t len = r->message[at++];
        bool pointer = len >= 0xc0;
        if (pointer && at < r->len) {
            size_t to = (size_t)(len & 0x3f) << 8 | r->message[at++];
            r->at = jumped ? r->at : at;
            jumped = true;
            if (to >= floor) {
                return false;
            }
            at = floor = to;
            continue;
        }
        if (len > r->len - at || !add_label(name, (const char *)r->message + at, len)) {
            return false;
        }
        at += len;
        if (len == 0) {
            r->at = jumped ? r->at : at;
            return true;
        }
    }
    return false;
}

bool acme_dns_read_questions(struct acme_dns_reader *r)
{
    struct acme_dns_name name;
    bool good = r->len >= ACME_DNS_HEAD;
    r->at = ACME_DNS_HEAD;
    for (unsigned i = 0; good && i < acme_dns_get16(r->message + 4); i++) {
        good = acme_dns_read_name(r, &name) && r->len - r->at >= 4;
        r->at += 4;
    }
    return good;
}

bool acme_dns_read_record(struct acme_dns_reader *r, struct acme_dns_record *record)
{
    record->start = r->at;
    if (!acme_dns_read_name(r, &record->owner) || r->len - r->at < 10) {
        return false;
    }
    const uint8_t *at = r->message + r->at;
    record->type = acme_dns_get16(at);
    record->class_ = acme_dns_get16(at + 2);
    record->data = r->at + 10;
    record->data_len = acme_dns_get16(at + 8);
    r->at = record->data + record->data_len;
    return r->at <= r->len;
}
