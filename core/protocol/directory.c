/* directory.c - the CA's directory (RFC 8555, 7.1.1), where every table begins. */
#include "steps.h"
#include "trace.h"

const char *acme_flow_directory_url(const struct acme_flow *f)
{
    return f->directory_url[0] != '\0' ? f->directory_url : f->setup->ca.directory_url;
}

int acme_flow_directory_read(struct acme_flow *f, const struct acme_answer *a)
{
    struct acme_meta meta;
    bool v1 = acme_is_v1(f);
    int error = acme_directory_read(&f->directory, &meta, a->json, &f->hosts);
    if (error != 0) {
        return error;
    }
    acme_learn_v1(f);
    acme_flow_info_read(f, a->json);
    if (acme_flow_looks(f)) {
        return acme_flow_info_directory(f);
    }
    int order = ACME_STEP_ORDER;
    if (f->order.url[0] == '\0' && !acme_is_v1(f)) { /* an order that was made keeps its profile */
        order = acme_flow_profile_listed(f, a->json, order);
        if (order < 0) {
            return order;
        }
    }
    if (v1 != acme_is_v1(f)) {
        f->account[0] = '\0'; /* the CA has changed its protocol: there the account has another URL */
    }
    f->cached = false;
    f->status = ACME_STATUS_NONE;
    if (f->account[0] != '\0') {
        f->save_account = true;
        return order;
    }
    if (meta.terms.len != 0) {
        struct acme_event event = {.kind = ACME_EVENT_TERMS, .step = f->step};
        event.text = acme_printable(a->json, meta.terms);
        acme_trace(f->setup, &event);
        if (!f->setup->accept_terms) {
            return ACME_E_TERMS;
        }
    }
    return acme_binding_begin(f, meta.account_binding);
}
