/* alternate.c - see alternate.h. */
#include "flow.h"
#include "trace.h"

#if ACME_CFG_ALTERNATE

/* The order's texts are of no more use: its authorizations are all valid, and a later look at the order reads them anew. */
struct acme_links *acme_alternate_links(struct acme_flow *f)
{
    if (f->setup->chain.rank == NULL || f->step != ACME_STEP_CERTIFICATE || acme_is_v1(f)) {
        return NULL;
    }
    f->order.authz_count = 0;
    f->order.text_end = 0;
    memset(&f->alternates, 0, sizeof(f->alternates));
    f->alternates.rank = ACME_RANK_USELESS;
    acme_links_init(&f->alternates.links, f->order.text + 1, sizeof(f->order.text) - 1);
    return &f->alternates.links;
}

/* Has the URL of the next link ready. Returns 0 or an error: it leads to another host, or nowhere, or round. */
static int take_up(struct acme_flow *f)
{
    struct acme_alternates *a = &f->alternates;
    const char *text = a->links.text, *link = text + a->at;
    char absolute[ACME_URL_MAX + 1];
    struct acme_url base;

    a->asked++;
    a->at = (uint16_t)(a->at + strlen(link) + 1);
    for (; text != link; text += strlen(text) + 1) {
        if (strcmp(text, link) == 0) {
            return ACME_E_URL;
        }
    }
    (void)acme_url_parse(&base, acme_slice_of(f->order.certificate)); /* it was asked for */
    struct acme_slice url = acme_url_absolute(&base, link, absolute);
    f->url_of = 0; /* challenge_url is nobody's now */
    int error = url.at == NULL ? ACME_E_URL_LONG : acme_url_keep(f->challenge_url, url, &f->hosts);
    return error == 0 && strcmp(f->challenge_url, f->order.certificate) == 0 ? ACME_E_URL : error;
}

static void tell(const struct acme_flow *f)
{
    const struct acme_alternates *a = &f->alternates;
    struct acme_event event = {.kind = ACME_EVENT_CHAIN, .step = ACME_STEP_ALTERNATE, .polls = a->taken};

    if (a->rank == ACME_RANK_USELESS) {
        event.error = a->error != 0 ? a->error : ACME_E_CHAIN;
    }
    acme_trace(f->setup, &event);
}

int acme_alternate_next(struct acme_flow *f, unsigned rank, int error)
{
    struct acme_alternates *a = &f->alternates;

    memset(&f->problem, 0, sizeof(f->problem)); /* of an alternate: no failure of the run */
    if (f->setup->chain.rank == NULL || acme_is_v1(f)) {
        return ACME_STEP_COUNT;
    }
    if (rank < a->rank) {
        a->rank = rank;
        a->taken = a->asked;
    }
    a->error = error != 0 ? error : a->error;
    a->spare = true;
    while (rank > 0 && a->asked < a->links.count) {
        error = take_up(f);
        if (error == 0) {
            return ACME_STEP_ALTERNATE;
        }
        a->error = error;
    }
    a->spare = false;
    tell(f);
    return ACME_STEP_COUNT;
}

const char *acme_alternate_url(const struct acme_flow *f)
{
    return f->challenge_url;
}

#endif
