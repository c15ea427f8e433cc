/* wishes.c - what newOrder says beside the names: the profile (draft-ietf-acme-profiles), and the certificate it replaces
 * (RFC 9773, 5). */
#include "steps.h"
#include "trace.h"

#if ACME_CFG_RENEWAL

static bool asks_profile(const struct acme_flow *f)
{
    return f->setup->profile != NULL && f->setup->profile[0] != '\0' && !f->info.by_default;
}

/* RFC 9773, 5: only where this CA tells renewal information. */
static bool says_replaces(const struct acme_flow *f)
{
    return f->info.replaces && f->info.url[0] != '\0';
}

bool acme_flow_replaces(const struct acme_flow *f)
{
    return says_replaces(f) && f->step == ACME_STEP_ORDER && f->order.url[0] == '\0' && !acme_is_v1(f);
}

void acme_flow_wishes(struct acme_flow *f, struct acme_out *payload)
{
    if (asks_profile(f)) {
        acme_out_text(payload, ",\"profile\":\"");
        acme_out_json(payload, acme_slice_of(f->setup->profile));
        acme_out_text(payload, "\"");
    }
    if (says_replaces(f)) {
        acme_out_text(payload, ",\"replaces\":\"");
        acme_out_text(payload, f->info.certid);
        acme_out_text(payload, "\"");
    }
}

/* The CA has no such profile: its own choice, if that will do. Returns the step to go to, or ACME_E_PROFILE. */
static int without_profile(struct acme_flow *f, int step)
{
    f->info.by_default = true;
    return f->setup->profile_optional ? step : ACME_E_PROFILE;
}

/* Who says "replaces" may be told anything: that another order does so, that the certificate is not ours, or not known. */
int acme_flow_wishes_refused(struct acme_flow *f, const struct acme_problem *p)
{
    static const char *const of_names[] = {"caa", "rejectedIdentifier", "unsupportedIdentifier"};
    if (asks_profile(f) && acme_problem_is(p, "invalidProfile")) {
        return without_profile(f, ACME_STEP_ORDER);
    }
    bool names = false;
    for (size_t i = 0; i < sizeof(of_names) / sizeof(of_names[0]); i++) {
        names = names || acme_problem_is(p, of_names[i]);
    }
    if (!says_replaces(f) || names || acme_problem_is(p, "invalidProfile")) {
        return 0;
    }
    f->info.replaces = false;
    f->info.spend = true;
    return ACME_STEP_ORDER;
}

bool acme_flow_profile_is_new(const struct acme_flow *f)
{
    return f->info.anew && asks_profile(f) && !f->resumed;
}

int acme_flow_profile_listed(struct acme_flow *f, struct acme_json *json, int step)
{
    acme_json_value list = acme_json_member(json, acme_json_member(json, 0, "meta"), "profiles");
    if (!asks_profile(f) || acme_json_member(json, list, f->setup->profile) != ACME_JSON_NONE) {
        return step;
    }
    for (acme_json_value at = acme_json_key(json, list, ACME_JSON_NONE); at != ACME_JSON_NONE;
         at = acme_json_key(json, list, at)) {
        struct acme_event event = {.kind = ACME_EVENT_PROFILE, .step = f->step};
        event.text = acme_printable(json, acme_json_string(json, at));
        acme_trace(f->setup, &event);
    }
    return without_profile(f, step);
}

#endif
