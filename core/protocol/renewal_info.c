/* renewal_info.c - a look at renewal information (RFC 9773): when the CA suggests to renew the certificate in use, and why.
 *
 * A run of two steps: the directory, unless it is known where the CA tells; and the question. Nothing is signed, so it may be
 * asked on another host than the directory's, as one CA has it. A look is worth little: what fails here ends here, and
 * issuing does not hear of it. */
#include "steps.h"
#include "trace.h"
#include "../wire/date.h"

#if ACME_CFG_RENEWAL

void acme_flow_info_read(struct acme_flow *f, const struct acme_json *json)
{
    struct acme_slice text = acme_json_text(json, 0, "renewalInfo");
    struct acme_url url;
    bool asked = acme_url_parse(&url, text) == 0 && acme_slice_find(text, '?') == text.len;
    bool usable = asked && text.len + 1 + ACME_CERTID_MAX <= ACME_URL_MAX &&
                  (!acme_url_is_plain(&url) || acme_url_is_plain(&f->hosts.directory));
    size_t len = usable ? text.len : 0;
    bool known = f->info.none != usable && acme_slice_is(acme_slice(text.at, len), f->info.url);
    f->save_account = f->save_account || (acme_flow_looks(f) && f->account[0] != '\0' && !known);
    memcpy(f->info.url, text.at != NULL ? text.at : "", len);
    f->info.url[len] = '\0';
    f->info.none = !usable;
}

/* The URL of the question: exactly one slash before the certificate's name. It lies where a challenge's does otherwise. */
static int ask(struct acme_flow *f)
{
    struct acme_out o;
    size_t len = strlen(f->info.url);
    if (f->info.none) {
        return ACME_STEP_COUNT; /* there is nobody to be asked */
    }
    acme_out_init(&o, f->challenge_url, sizeof(f->challenge_url));
    while (f->info.url[len - 1] == '/') { /* it begins with a scheme */
        len--;
    }
    acme_out_bytes(&o, f->info.url, len);
    acme_out_text(&o, "/");
    acme_out_text(&o, f->info.certid);
    acme_out_bytes(&o, "", 1);
    return ACME_STEP_RENEWAL_INFO;
}

void acme_flow_look(struct acme_flow *f)
{
    f->info.looking = true;
    f->info.start = f->info.end = 0;
    f->cached = f->info.url[0] != '\0';
    f->step = f->cached ? (enum acme_step)ask(f) : ACME_STEP_DIRECTORY;
}

int acme_flow_info_directory(struct acme_flow *f)
{
    f->cached = false;
    f->status = ACME_STATUS_NONE;
    return ask(f);
}

const char *acme_flow_info_url(const struct acme_flow *f)
{
    return f->challenge_url;
}

int acme_flow_info_answer(struct acme_flow *f, const struct acme_answer *a)
{
    acme_json_value window = acme_json_member(a->json, 0, "suggestedWindow");
    int64_t start = acme_date_rfc3339(acme_json_text(a->json, window, "start"));
    int64_t end = acme_date_rfc3339(acme_json_text(a->json, window, "end"));
    struct acme_slice why = acme_json_text(a->json, 0, "explanationURL");
    f->status = ACME_STATUS_NONE;
    if (start == ACME_DATE_NONE || end == ACME_DATE_NONE || start >= end) {
        return ACME_E_MEMBER;
    }
    f->info.start = acme_moment(start);
    f->info.end = acme_moment(end);
    if (why.len > 0) {
        struct acme_event event = {.kind = ACME_EVENT_EXPLAINED, .step = f->step};
        event.text = acme_printable(a->json, why);
        acme_trace(f->setup, &event);
    }
    return ACME_STEP_COUNT;
}

/* The CA may tell it somewhere else by now. */
int acme_flow_info_refused(struct acme_flow *f, const struct acme_problem *p)
{
    bool gone = p->http_status == 404 || p->http_status == 405 || p->http_status == 410;
    return gone && f->cached ? acme_flow_directory_stale(f) : ACME_E_PROBLEM;
}

#endif
