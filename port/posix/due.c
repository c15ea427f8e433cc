/* due.c - the core decides when; here it is asked, and its answer put into words. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "due.h"
#include "lifecycle/renew.h"

void acme_due_make(struct acme_look *l, struct acme_posix_store *s, const struct acme_config *setup_of)
{
    (void)s;
    (void)setup_of;
    memset(&l->plan, 0, sizeof l->plan);
    l->plan.hold_until = ACME_TIME_NOW;
    l->plan.look = l->plan.deploy = ACME_TIME_NEVER;
    l->plan.due =
        l->wrong == NULL && !l->revoked ? acme_renew_at(l->leaf.not_before, l->leaf.not_after) : ACME_TIME_NOW;
    l->plan.why = l->wrong == NULL ? ACME_WHY_LIFE : ACME_WHY_NO_PAIR;
    l->plan.wake = l->plan.due;
    l->plan.not_before = l->wrong == NULL ? l->leaf.not_before : 0;
    l->plan.not_after = l->wrong == NULL ? l->leaf.not_after : 0;
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
    acme_out_bytes(o, a, first.len);
    acme_out_text(o, "..");
    acme_out_bytes(o, b + same, second.len - same);
}

void acme_due_say_why(struct acme_out *o, const struct acme_plan *p)
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
    acme_due_say_why(o, p);
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
