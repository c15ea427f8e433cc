/* due.c - the core decides when; here it is asked, and its answer put into words. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "adopt.h"
#include "check.h"
#include "due.h"
#include "wire/date.h"

/* What the certificate is to be: of what is kept, or else of the flags, and then its names are those it has. */
static bool fill_setup(struct acme_setup *setup, const struct acme_config *c)
{
    static char names[ACME_NAMES_MAX][254];
    static const char *at[ACME_NAMES_MAX];
    size_t count = c->names.count < ACME_NAMES_MAX ? c->names.count : ACME_NAMES_MAX;

    memset(setup, 0, sizeof *setup);
    for (size_t i = 0; i < count; i++) {
        if (acme_check_name(names[i], c->names.at[i]) != NULL) {
            return false;
        }
        at[i] = names[i];
    }
    setup->names = at;
    setup->name_count = count;
    setup->profile = c->profile;
    setup->ca.directory_url = c->directory_url;
    return true;
}

/* The pair in use, as the client sees it: one that was revoked is none. */
static void fill_pair(struct acme_pair *pair, const struct acme_look *l, const struct acme_setup *setup,
                      bool more_names)
{
    struct acme_der der = acme_adopt_der();

    memset(pair, 0, sizeof *pair);
    if (l->wrong != NULL || l->revoked || !acme_leaf_has_key(&l->leaf)) {
        return;
    }
    pair->not_before = acme_moment(l->leaf.not_before);
    pair->not_after = acme_moment(l->leaf.not_after);
    pair->same_names = !l->setup || acme_leaf_names_are(&l->leaf, setup->names, setup->name_count, more_names);
    acme_leaf_key(&l->leaf, pair->point);
    pair->mark = acme_mark_of_leaf(der.at, der.len);
}

/* Whether the CA has a name for the certificate, by which it can be asked about it. */
static bool has_certid(const struct acme_leaf *leaf)
{
    char text[ACME_CERTID_MAX + 1];
    struct acme_out o;

    acme_out_init(&o, text, sizeof text);
    acme_certid_write(&o, leaf);
    return o.len > 0 && !o.overflow;
}

void acme_due_make(struct acme_look *l, struct acme_posix_store *s, const struct acme_config *setup_of)
{
    static char text[4 * ACME_RENEWAL_MAX];
    int len = s->store.get(s, ACME_RECORD_RENEWAL, text, sizeof text);
    struct acme_renewal renewal, asked;
    struct acme_setup setup;
    struct acme_mark mark;
    struct acme_pair pair;
    struct acme_facts facts = {.renewal = &renewal, .pair = &pair, .setup = &mark, .utc = acme_moment(time(NULL))};

    if (!fill_setup(&setup, setup_of)) {
        setup.name_count = 0;
    }
    fill_pair(&pair, l, &setup, setup_of->more_names);
    acme_renewal_read(&renewal, acme_slice(text, len > 0 && len <= (int)sizeof text ? (size_t)len : 0));
    asked =
        renewal; /* as if those of the last attempts were wanted still: that tells what the pair was issued with */
    acme_renewal_settle(&asked, &pair.mark, &renewal.wants);
    l->asked = asked.setup;
    mark = l->setup ? acme_mark_of_setup(&setup) : l->asked;
    acme_renewal_settle(&renewal, &pair.mark, &mark);
    facts.retry_utc = (uint32_t)l->until_utc; /* within a day */
    facts.order = l->order;
    facts.asks = acme_mark_known(&pair.mark) && has_certid(&l->leaf);
    facts.deploys = setup_of->deploy_hook != NULL;
    acme_plan_make(&l->plan, &facts);
}

bool acme_due_other(const struct acme_look *l, const struct acme_config *c)
{
    struct acme_setup setup;
    struct acme_mark mark;

    if (!fill_setup(&setup, c) || !acme_mark_known(&l->asked)) {
        return false;
    }
    mark = acme_mark_of_setup(&setup);
    return !acme_mark_same(&mark, &l->asked);
}

/* The end of a span of time, as short as it can be told behind its start. */
static void say_span(struct acme_out *o, int64_t from, int64_t to)
{
    char a[40], b[40];
    struct acme_out first, second;
    size_t same = 0;

    acme_out_init(&first, a, sizeof a);
    acme_out_init(&second, b, sizeof b);
    acme_say_date(&first, from);
    acme_say_date(&second, to);
    if (to - from >= 2 * 86400 && first.len > 10 && second.len > 10) { /* days are enough */
        first.len = second.len = 10;
    }
    while (same < 10 && same < first.len && a[same] == b[same]) {
        same++;
    }
    while (same > 0 && a[same - 1] != '-' && a[same - 1] != ' ') { /* whole parts: 2027-01-03..05 */
        same--;
    }
    same = same == 8 && memcmp(a, b, 11) == 0 ? 11 : same; /* the same day: its hours */
    acme_out_bytes(o, a, first.len);
    acme_out_text(o, "..");
    acme_out_bytes(o, b + same, second.len - same);
}

static void say_why(struct acme_out *o, const struct acme_plan *p)
{
    bool short_life = p->not_after - p->not_before < 10 * 86400;

    switch (p->why) {
    case ACME_WHY_LIFE:
        acme_out_text(o, short_life ? "half of its life left" : "a third of its life left");
        break;
    case ACME_WHY_WINDOW:
    case ACME_WHY_BACKSTOP:
        acme_out_text(o, "ARI window ");
        say_span(o, p->start, p->end);
        if (p->why == ACME_WHY_BACKSTOP) {
            acme_out_text(o, " reaches beyond what is safe");
        } else {
            acme_out_text(o, ", chosen ");
            acme_say_date(o, p->chosen);
        }
        break;
    case ACME_WHY_ORDER:
        acme_out_text(o, "an order is in progress");
        break;
    case ACME_WHY_NO_PAIR:
        acme_out_text(o, "there is no certificate");
        break;
    case ACME_WHY_EXPIRED:
        acme_out_text(o, "it has expired");
        break;
    case ACME_WHY_NAMES:
        acme_out_text(o, "it is for other names than are wanted");
        break;
    case ACME_WHY_SETUP:
        acme_out_text(o, "it was asked for at another CA, or with another profile");
        break;
    }
}

void acme_due_say(struct acme_out *o, const struct acme_plan *p)
{
    if (p->due == ACME_TIME_NOW) {
        acme_out_text(o, "now");
    } else {
        acme_out_text(o, "from ");
        acme_say_date(o, p->due);
        acme_out_text(o, " UTC");
    }
    acme_out_text(o, ": ");
    say_why(o, p);
}

bool acme_due_say_hold(struct acme_out *o, const struct acme_plan *p, int64_t now)
{
    if (p->hold == ACME_HOLD_NONE || p->hold_until <= now) {
        return false;
    }
    if (p->hold == ACME_HOLD_STOPPED) {
        acme_out_text(o, "not again by itself: ");
        acme_out_text(o, acme_error_text(p->error).meaning);
        acme_out_text(o, "; goes on when the setup has changed, or with --force");
        return true;
    }
    acme_out_text(o, "not before ");
    acme_say_date(o, p->hold_until);
    acme_out_text(o, p->hold == ACME_HOLD_FAILURES ? " UTC: the attempts before have failed"
                     : p->hold == ACME_HOLD_CA     ? " UTC: the CA wants to be left alone until then"
                                                   : " UTC: a moment of this machine's own, for many come at once");
    return true;
}

const char *acme_due_word(enum acme_why why)
{
    static const char *const words[] = {"life",           "window",  "backstop", "order",
                                        "no_certificate", "expired", "names",    "setup"};
    return words[why];
}

const char *acme_due_hold_word(enum acme_hold hold)
{
    static const char *const words[] = {"none", "failures", "ca", "stopped", "spread"};
    return words[hold];
}
