/* contacts.c - whom the CA may reach: told when the account is made, and again when they are others (RFC 8555, 7.3.2), or when
 * somebody asks for it. What the CA was told is remembered as a short digest; no digest: nothing. Of less worth than a
 * certificate: whatever comes in between, issuing goes on, and the next run tries again. */
#include "steps.h"
#include "../jose/b64url.h"
#include "../secure/digest.h"

#if ACME_TELLS_CONTACTS

static void mark_of(const struct acme_setup *s, char mark[ACME_CONTACTS_MARK + 1])
{
    uint8_t digest[ACME_SHA256_LEN] = {0};
    struct acme_out o;
    for (size_t i = 0; i < s->contact_count; i++) {
        const struct acme_slice parts[] = {acme_slice(digest, sizeof(digest)), acme_slice_of(s->contacts[i])};
        acme_sha256(parts, 2, digest);
    }
    acme_out_init(&o, mark, ACME_CONTACTS_MARK + 1);
    acme_out_b64url(&o, digest, s->contact_count > 0 ? ACME_CONTACTS_MARK * 3 / 4 : 0);
    acme_out_bytes(&o, "", 1);
}

bool acme_contacts_changed(const struct acme_flow *f)
{
    char mark[ACME_CONTACTS_MARK + 1];
    mark_of(f->setup, mark);
    return !acme_is_v1(f) && strcmp(f->manage.told, mark) != 0;
}

/* The list has those that are set up, in their order (7.1.2). */
static bool are_ours(const struct acme_json *json, acme_json_value list, const struct acme_setup *setup)
{
    acme_json_value at = acme_json_first(json, list);
    size_t i = 0;
    while (i < setup->contact_count && acme_slice_is(acme_json_string(json, at), setup->contacts[i])) {
        at = acme_json_next(json, list, at);
        i++;
    }
    return i == setup->contact_count && at == ACME_JSON_NONE;
}

/* A CA need not say what it has (Let's Encrypt since 2025): then it has what it was told. */
void acme_contacts_read(struct acme_flow *f, const struct acme_json *json, bool looked)
{
    acme_json_value list = acme_json_member(json, 0, "contact");
    bool same = list == ACME_JSON_NONE ? !looked : are_ours(json, list, f->setup);
    f->manage.told[0] = '\0';
    if (same) {
        mark_of(f->setup, f->manage.told);
    }
}

const char *acme_flow_update_url(const struct acme_flow *f)
{
    return f->account;
}

int acme_flow_update_ask(struct acme_flow *f, struct acme_out *payload)
{
    acme_out_text(payload, acme_is_v1(f) ? "{\"resource\":\"reg\"," : "{");
    acme_flow_contacts(f, payload, true);
    acme_out_text(payload, "}");
    return 0;
}

/* Back to issuing; or it was all that was asked for. */
static int go_on(const struct acme_flow *f, int error)
{
    if (acme_manage_is_on(f)) {
        return error != 0 ? error : (int)ACME_STEP_COUNT;
    }
    return acme_flow_profile_is_new(f) ? ACME_STEP_DIRECTORY : ACME_STEP_ORDER;
}

int acme_flow_update_read(struct acme_flow *f, const struct acme_answer *a)
{
    f->status = acme_status_of(acme_json_text(a->json, 0, "status"));
    mark_of(f->setup, f->manage.told);
    f->save_account = true;
    return go_on(f, 0);
}

int acme_flow_update_refused(struct acme_flow *f, const struct acme_problem *p)
{
    (void)p;
    return go_on(f, ACME_E_PROBLEM);
}

#endif
