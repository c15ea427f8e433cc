/* told.c - why runs are held back. The core stores until when the CA is not to be asked; what the CA said then, such as the
 * page where a paused account is let go on, is kept here for the runs in between. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/* Whether what is there belongs to a wait that is not over. */
static bool still_counts(struct acme_posix_store *s, int64_t utc)
{
    struct acme_slice rest;
    bool ours;
    int len = 0;

    if (acme_posix_read(s->dir, s->file, O_NOFOLLOW, memory, sizeof memory - 1, &len) != 0 || len <= 0 ||
        len >= (int)sizeof memory) {
        return false;
    }
    rest = acme_slice(memory, (size_t)len);
    ours = acme_slice_is(acme_slice_cut(&rest, '\n'), FIRST_LINE);
    return ours && acme_slice_decimal(acme_slice_cut(&rest, '\n')) > utc;
}

void acme_told_keep(struct acme_report *r, bool failed)
{
    const struct acme_failure *f = acme_failure(r->client);
    int64_t utc = acme_report_utc(r);
    int len = 0;

    /* Best effort: without it the next run says less. */
    if (r->held_back || r->client->when > ACME_KEEP || acme_posix_store_open(r->store) != 0 ||
        acme_posix_place(r->store, ".", r->store->name, ".told") != 0) {
        return;
    }
    if (failed && f->retry_s == 0 && still_counts(r->store, utc)) {
        return; /* it counts for the time the core has stored, and no other */
    }
    if (failed && utc > 0) {
        len = snprintf(memory, sizeof memory, FIRST_LINE "\n%lld\n%d\n%s\n%s\n",
                       (long long)(f->retry_s > 0 ? utc + f->retry_s : 0), f->error, r->told.type, r->told.detail);
    }
    (void)acme_posix_replace(r->store->dir, r->store->file, 0600, memory,
                             len > 0 && len < (int)sizeof memory ? (size_t)len : 0);
}

static void copy(char *to, size_t cap, struct acme_slice line)
{
    (void)snprintf(to, cap, "%.*s", (int)line.len, line.at);
    for (char *c = to; *c != '\0'; c++) {
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    }
}

/* Reads all of it. Returns false when it is not there or not ours. */
static bool read_all(struct acme_posix_store *s, struct acme_told *t)
{
    int len = 0;

    memset(t, 0, sizeof *t);
    if (acme_posix_store_open(s) != 0 || acme_posix_place(s, ".", s->name, ".told") != 0 ||
        acme_posix_read(s->dir, s->file, O_NOFOLLOW, memory, sizeof memory - 1, &len) != 0 || len <= 0 ||
        len >= (int)sizeof memory) {
        return false;
    }
    struct acme_slice rest = acme_slice(memory, (size_t)len);
    bool ours = acme_slice_is(acme_slice_cut(&rest, '\n'), FIRST_LINE);
    t->until_utc = acme_slice_decimal(acme_slice_cut(&rest, '\n'));
    struct acme_slice error = acme_slice_cut(&rest, '\n');
    if (!ours || error.len < 2) {
        return false;
    }
    t->error = -(int)acme_slice_decimal(acme_slice(error.at + 1, error.len - 1));
    copy(t->type, sizeof t->type, acme_slice_cut(&rest, '\n'));
    copy(t->detail, sizeof t->detail, acme_slice_cut(&rest, '\n'));
    return true;
}

bool acme_told_read(struct acme_posix_store *s, int64_t until_utc, struct acme_told *t)
{
    bool ours = read_all(s, t);
    int64_t apart = t->until_utc - until_utc;

    if (!ours || apart < -APART_S || apart > APART_S) {
        memset(t, 0, sizeof *t);
        ours = false;
    }
    t->until_utc = until_utc;
    return ours;
}

int64_t acme_told_last(struct acme_posix_store *s, struct acme_told *t)
{
    struct stat is;
    return read_all(s, t) && fstatat(s->dir, s->file, &is, AT_SYMLINK_NOFOLLOW) == 0 ? is.st_mtime : 0;
}

void acme_told_recall(struct acme_report *r)
{
    const struct acme_failure *f = acme_failure(r->client);

    r->held_back = f->error == ACME_E_RATE_LIMITED && acme_stats(r->client).requests == 0;
    if (r->held_back) {
        (void)acme_told_read(r->store, acme_report_utc(r) + f->retry_s, &r->told);
    }
}
