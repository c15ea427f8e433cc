/* posix_place.c - where a record is, and the folder that all of them are in. posix_pair.c tells the layout. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "posix.h"

int acme_posix_place(struct acme_posix_store *s, const char *before, const char *name, const char *after)
{
    int need = snprintf(s->path, sizeof s->path, "%s/%s%s%s", s->state, before, name, after);
    if (need >= (int)sizeof s->path) {
        return ENAMETOOLONG;
    }
    s->file = s->path + strlen(s->state) + 1;
    return 0;
}

int acme_posix_place_record(struct acme_posix_store *s, enum acme_record record)
{
    static const struct {
        const char *before, *after;
    } rows[] = {
        {"account.pem", NULL},  {"account", NULL},          {".", ".order"}, {".", ".key"}, {"", "/privkey.pem"},
        {"", "/fullchain.pem"}, {"account-next.pem", NULL}, {".", ".renew"}};
    bool shared = rows[record].after == NULL;
    return acme_posix_place(s, rows[record].before, shared ? "" : s->name, shared ? "" : rows[record].after);
}

int acme_posix_store_open(struct acme_posix_store *s)
{
    if (s->dir < 0) {
        s->dir = acme_posix_folder(s->state, NULL);
    }
    if (s->dir < 0) {
        (void)snprintf(s->path, sizeof s->path, "%s", s->state);
    }
    return s->dir < 0 ? errno : 0;
}

int acme_posix_store_make(struct acme_posix_store *s)
{
    if (s->dir < 0) {
        s->dir = acme_posix_folder(s->state, &s->made);
    }
    (void)snprintf(s->path, sizeof s->path, "%s", s->state);
    return s->dir < 0 ? errno : 0;
}
