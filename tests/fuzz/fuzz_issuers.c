/* What a CA says of itself for dns-persist-01: a challenge, or a directory. A second reader tells which lists are good; no record has
 * more parameters than were meant, nor what would end a line of a zone file. */
#include "fuzz.h"

#include "protocol/challenge_dnspersist01.h"

/* The rule for names again, from the end: letters, digits and hyphens, a hyphen never beside a dot or an end. */
static bool good_name(struct acme_slice s)
{
    size_t run = 0;
    if (s.len == 0 || s.len > 253) {
        return false;
    }
    for (size_t i = s.len; i-- > 0;) {
        char c = s.at[i];
        bool edge = i == 0 || s.at[i - 1] == '.' || run == 0;
        if (c == '.') {
            if (run == 0) {
                return false;
            }
            run = 0;
        } else if (strchr("abcdefghijklmnopqrstuvwxyz0123456789", c) == NULL || c == '\0') {
            if (c != '-' || edge) {
                return false;
            }
            run++;
        } else {
            run++;
        }
        if (run > 63) {
            return false;
        }
    }
    return run > 0;
}

static unsigned good_list(const struct acme_json *json, acme_json_value list)
{
    unsigned count = 0;
    bool good = acme_json_is_array(json, list);
    for (acme_json_value at = acme_json_first(json, list); at != ACME_JSON_NONE;
         at = acme_json_next(json, list, at)) {
        good = good_name(acme_json_string(json, at)) && good;
        count++;
    }
    return good && count <= 10 ? count : 0;
}

static void make_record(struct acme_slice issuer, struct acme_slice hashed, struct acme_slice account)
{
    static char url[FUZZ_LEN_MAX + 1], text[2 * FUZZ_LEN_MAX + 400];
    struct acme_dnspersist01 record = {
        .name = "example.org", .issuer = issuer, .account = url, .hashed = hashed, .thumbprint = "thumb"};
    struct acme_out o;
    unsigned ends = 0;

    memcpy(url, account.len > 0 ? account.at : "", account.len);
    url[account.len] = '\0';
    for (unsigned i = 0; i < 4; i++, ends = 0) {
        record.wildcard = i % 2 == 1;
        record.until = i / 2;
        acme_out_init(&o, text, sizeof text);
        if (acme_dnspersist01_value(&o, &record) != 0) {
            return;
        }
        MUST(!o.overflow);
        for (size_t k = 0; k < o.len; k++) {
            MUST(o.at[k] >= ' ' && o.at[k] <= '~' && o.at[k] != '"' && o.at[k] != '\\');
            MUST(o.at[k] != ' ' || (k > 0 && o.at[k - 1] == ';'));
            ends += o.at[k] == ';';
        }
        MUST(ends == 1u + record.wildcard + (record.until != 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz_memory memory;
    static char tokens[4096];
    struct acme_json json;
    struct acme_slice first = {NULL, 0};

    if (len > FUZZ_LEN_MAX) {
        return 0;
    }
    char *text = fuzz_copy(&memory, data, len);
    if (acme_json_parse(&json, text, len, tokens, sizeof tokens) != 0) {
        return 0;
    }
    acme_json_value list = acme_json_member(&json, 0, "issuerDomainNames");
    list = list != ACME_JSON_NONE ? list : acme_json_member(&json, 0, "issuer-domain-names");
    unsigned count = acme_dnspersist01_challenge(&json, 0, &first);
    MUST(count == good_list(&json, list));
    if (count > 0) {
        MUST(good_name(first) && fuzz_inside(first.at, first.len, text, len));
        make_record(first, acme_json_text(&json, 0, "accountHashPrefix"), acme_json_text(&json, 0, "accounturi"));
    }
    return 0;
}
