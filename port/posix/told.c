/* told.c - why runs are held back. The core stores until when the CA is not to be asked; what the CA said then, such as the
 * page where a paused account is let go on, is kept here for the runs in between. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"
#include "config.h"

#define FIRST_LINE "nanoacme words 1"

/* Between the core's look at the clock and ours. */
#define APART_S 120

static char memory[sizeof((struct acme_told *)0)->type + sizeof((struct acme_told *)0)->detail + 80];

int64_t acme_report_utc(const struct acme_report *r)
{
    const struct acme_sys *sys = r->client->setup->sys;
    int64_t utc = 0;
    return sys->utc(sys->ctx, &utc) == 1 ? utc : 0;
}

void acme_told_keep(struct acme_report *r, bool failed)
{
    const struct acme_failure *f = acme_failure(r->client);
    int64_t utc = acme_report_utc(r);
    int len = 0;

    if (r->held_back || r->client->when > ACME_NOW || (failed && f->retry_s == 0)) {
        return; /* what is there stays true: it counts for the time the core has stored, and no other */
    }
    if (failed && f->retry_s > 0 && utc > 0) {
        len = snprintf(memory, sizeof memory, FIRST_LINE "\n%lld\n%d\n%s\n%s\n", (long long)(utc + f->retry_s),
                       f->error, r->told.type, r->told.detail);
    }
    /* Best effort: without it the next run says less. */
    if (acme_posix_store_open(r->store) == 0 && acme_posix_place(r->store, ".", r->store->name, ".told") == 0) {
        (void)acme_posix_replace(r->store->dir, r->store->file, 0600, memory,
                                 len > 0 && len < (int)sizeof memory ? (size_t)len : 0);
    }
}

static void copy(char *to, size_t cap, struct acme_slice line)
{
    (void)snprintf(to, cap, "%.*s", (int)line.len, line.at);
    for (char *c = to; *c != '\0'; c++) {
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    }
}

bool acme_told_read(struct acme_posix_store *s, int64_t until_utc, struct acme_told *t)
{
    int len = 0;

    memset(t, 0, sizeof *t);
    t->until_utc = until_utc;
    if (acme_posix_store_open(s) != 0 || acme_posix_place(s, ".", s->name, ".told") != 0 ||
        acme_posix_read(s->dir, s->file, O_NOFOLLOW, memory, sizeof memory - 1, &len) != 0 || len <= 0 ||
        len >= (int)sizeof memory) {
        return false;
    }
    struct acme_slice rest = acme_slice(memory, (size_t)len);
    bool ours = acme_slice_is(acme_slice_cut(&rest, '\n'), FIRST_LINE);
    int64_t apart = acme_slice_decimal(acme_slice_cut(&rest, '\n')) - until_utc;
    struct acme_slice error = acme_slice_cut(&rest, '\n');
    if (!ours || apart < -APART_S || apart > APART_S || error.len < 2) {
        return false;
    }
    t->error = -(int)acme_slice_decimal(acme_slice(error.at + 1, error.len - 1));
    copy(t->type, sizeof t->type, acme_slice_cut(&rest, '\n'));
    copy(t->detail, sizeof t->detail, acme_slice_cut(&rest, '\n'));
    return true;
}

void acme_told_recall(struct acme_report *r)
{
    const struct acme_failure *f = acme_failure(r->client);

    r->held_back = f->error == ACME_E_RATE_LIMITED && acme_stats(r->client).requests == 0;
    if (r->held_back) {
        (void)acme_told_read(r->store, acme_report_utc(r) + f->retry_s, &r->told);
    }
}
