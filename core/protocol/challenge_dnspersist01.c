/* challenge_dnspersist01.c - see challenge_dnspersist01.h. */
#include "challenge_dnspersist01.h"

#include "../jose/b64url.h"
#include "../secure/digest.h"

#if ACME_CFG_DNS_DRAFTS

/* --- the solver --- */

static int present(void *ctx, struct acme_challenge *challenge)
{
    (void)ctx;
    (void)challenge;
    return 1;
}

static void withdraw(void *ctx, struct acme_challenge *challenge)
{
    (void)ctx;
    (void)challenge;
}

const struct acme_solver acme_dnspersist01 = {
    .type = ACME_DNSPERSIST01_TYPE, .present = present, .withdraw = withdraw, .wildcards = true, .standing = true};

/* --- the CA's names --- */

/* An A-label name in small letters: it goes into a zone file as it is. */
static bool is_issuer(struct acme_slice name)
{
    bool good = name.len > 0 && name.len <= ACME_ISSUER_NAME_MAX && name.at[name.len - 1] != '.';
    while (good && name.len > 0) {
        struct acme_slice label = acme_slice_cut(&name, '.');
        good = label.len > 0 && label.len <= 63 && label.at[0] != '-' && label.at[label.len - 1] != '-';
        for (size_t i = 0; i < label.len; i++) {
            char c = label.at[i];
            good = good && ((c >= 'a' && c <= 'z') || acme_is_digit(c) || c == '-');
        }
    }
    return good;
}

unsigned acme_dnspersist01_issuers(const struct acme_json *json, acme_json_value list, struct acme_slice *first)
{
    unsigned count = 0;
    for (acme_json_value at = acme_json_first(json, list); at != ACME_JSON_NONE;
         at = acme_json_next(json, list, at)) {
        struct acme_slice name = acme_json_string(json, at);
        if (count == ACME_ISSUERS_MAX || !is_issuer(name)) {
            return 0;
        }
        *first = count++ == 0 ? name : *first;
    }
    return count;
}

unsigned acme_dnspersist01_challenge(const struct acme_json *json, acme_json_value challenge,
                                     struct acme_slice *first)
{
    acme_json_value list = acme_json_member(json, challenge, "issuerDomainNames");
    if (list == ACME_JSON_NONE) {
        list = acme_json_member(json, challenge, "issuer-domain-names");
    }
    return acme_dnspersist01_issuers(json, list, first);
}

/* --- the record --- */

/* What the value of a parameter may have (RFC 8659, 4.2), but for what would have to be escaped in a zone file. */
static bool is_plain(struct acme_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!acme_is_visible(text.at[i], ";\"\\")) {
            return false;
        }
    }
    return true;
}

/* The name's and the account's own, so that nobody sees from the zone which names have one account (-02, 4.1). */
static void write_hashed(struct acme_out *o, const struct acme_dnspersist01 *record)
{
    const char len = (char)strlen(record->name);
    const struct acme_slice parts[] = {
        acme_slice(&len, 1),
        acme_slice_of(record->name),
        acme_slice_of(record->thumbprint),
        acme_slice_of(record->account),
    };
    uint8_t digest[ACME_SHA256_LEN];
    acme_sha256(parts, sizeof(parts) / sizeof(parts[0]), digest);
    acme_out_slice(o, record->hashed);
    acme_out_text(o, "sha-256/");
    acme_out_b64url(o, digest, sizeof(digest));
}

int acme_dnspersist01_value(struct acme_out *o, const struct acme_dnspersist01 *record)
{
    if (!is_plain(acme_slice_of(record->account)) || !is_plain(record->hashed)) {
        return ACME_E_TEXT;
    }
    acme_out_slice(o, record->issuer);
    acme_out_text(o, "; accounturi=");
    if (record->hashed.len > 0) {
        write_hashed(o, record);
    } else {
        acme_out_text(o, record->account);
    }
    acme_out_text(o, record->wildcard ? "; policy=wildcard" : "");
    if (record->until != 0) {
        acme_out_text(o, "; persistUntil=");
        acme_out_u32(o, record->until);
    }
    return 0;
}

#endif
