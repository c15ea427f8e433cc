/* kept.c - reads and writes the setup beside a certificate. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kept.h"
#include "check.h"
#include "list.h"
#include "wire/url.h"

__attribute__((format(printf, 2, 3))) static int complain(struct acme_config *c, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(c->error, sizeof c->error, format, list);
    va_end(list);
    return -1;
}

/* Whether a file may say what is to be done. Returns NULL, or why not. As root, *owner becomes who wrote it. */
static const char *believe(int fd, const char **owner)
{
    struct stat is;
    const struct passwd *user;
    static char word[64];

    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode)) {
        return "not a file";
    }
    if ((is.st_mode & 022) != 0) {
        return "others may write to it";
    }
    if (is.st_nlink > 1) {
        return "has another name elsewhere";
    }
    if (is.st_uid == geteuid() || is.st_uid == 0) {
        return NULL;
    }
    if (geteuid() != 0) {
        return "belongs to another user";
    }
    user = getpwuid(is.st_uid);
    (void)snprintf(word, sizeof word, "%s", user != NULL ? user->pw_name : "");
    *owner = word;
    return user != NULL ? NULL : "belongs to nobody known here";
}

struct twin {
    const char *file;
    char found[272];
};

/* A second file for a name, which differs in capitals only: which of the two is meant nobody can know. */
static void look_for_twin(void *ctx, int folder, const char *entry)
{
    struct twin *t = ctx;
    (void)folder;
    if (strcmp(entry, t->file) != 0 && acme_slice_is_nocase(acme_slice_of(entry), acme_slice_of(t->file))) {
        (void)snprintf(t->found, sizeof t->found, "%s", entry);
    }
}

/* The first name has to be the file's: a copy that was not edited would make one certificate twice. */
static int first_is(struct acme_config *c, const char *path, const char *name)
{
    char first[254];

    if (c->names.count == 0) {
        return complain(c, "%s: no names", path);
    }
    if (acme_check_name(first, c->names.at[0]) == NULL) {
        acme_small_letters(first);
        if (acme_slice_is_nocase(acme_slice_of(first), acme_slice_of(name))) {
            return 1;
        }
    }
    return complain(c,
                    "%s: names begin with \"%.260s\", which has a file of its own name; here they must begin with %s",
                    path, c->names.at[0], name);
}

int acme_kept_read(struct acme_config *c, int state, const char *name)
{
    static const struct {
        enum acme_config_key key;
        const char *word;
    } programs[] = {{ACME_KEY_DEPLOY_HOOK, "deploy_hook"},
                    {ACME_KEY_HOOK, "hook"},
                    {ACME_KEY_ACCOUNT_KEY, "account_key"},
                    {ACME_KEY_KEY, "key"}};
    static char path[300];
    char file[272], stored[254];
    struct twin twin = {file, ""};
    const char *owner = NULL, *why;
    int fd, code;

    acme_posix_file_name(stored, name);
    (void)snprintf(file, sizeof file, ".%s.conf", stored);
    (void)snprintf(path, sizeof path, "%s", file);
    fd = openat(state, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    code = errno;
    (void)acme_list_entries(state, look_for_twin, &twin);
    if (twin.found[0] != '\0') {
        code = fd >= 0 ? complain(c, "two config files for one name: %s and %s; one has to go", file, twin.found)
                       : complain(c, "%s: has to be called %s", twin.found, file);
    } else if (fd < 0) {
        return code == ENOENT ? 0
                              : complain(c, "cannot read %s: %s", file, code == ELOOP ? "a link" : strerror(code));
    } else if ((why = believe(fd, &owner)) != NULL) {
        code = complain(c, "%s: %s; not believed", file, why);
    } else {
        code = acme_config_kept(c, fd, path) == 0 && acme_config_check(c) == 0 ? first_is(c, path, name) : -1;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    for (size_t i = 0; code > 0 && owner != NULL && i < sizeof programs / sizeof *programs; i++) {
        if ((c->in_kept & ~(c->by_flag | c->in_file) & ((uint64_t)1 << programs[i].key)) != 0) {
            return complain(c,
                            "%s: %s is set, but it belongs to %.64s, and root runs nothing that is named there: give "
                            "it as a flag, or in a file with -c",
                            file, programs[i].word, owner);
        }
    }
    c->user = code > 0 && owner != NULL && c->user == NULL ? owner : c->user;
    if (code > 0 && owner != NULL && strcmp(c->user, owner) != 0 &&
        (c->by_flag & ((uint64_t)1 << ACME_KEY_USER)) == 0) {
        return complain(c, "%s: says user = %.64s, but belongs to %.64s", file, c->user, owner);
    }
    return code;
}

/* What the file says now, as it would be written; empty: nothing that can be read. */
static struct acme_slice said_now(struct acme_posix_store *s)
{
    static struct acme_config is;
    static char text[sizeof is.pool];
    struct acme_out o;
    int fd = openat(s->dir, s->file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    bool good;

    acme_config_init(&is);
    acme_out_init(&o, text, sizeof text);
    good = fd >= 0 && acme_config_kept(&is, fd, s->path) == 0 && acme_config_check(&is) == 0 &&
           acme_config_write(&is, &o) == NULL;
    if (fd >= 0) {
        (void)close(fd);
    }
    return acme_slice(text, good ? o.len : 0);
}

int acme_kept_write(const struct acme_config *c, const char *const *names, size_t count, struct acme_posix_store *s,
                    char error[512])
{
    static struct acme_config own;
    static char text[sizeof own.pool - 1];
    const char *wrong;
    struct acme_out o;
    struct acme_slice now;
    int code = acme_posix_place(s, ".", s->name, ".conf");

    own = *c;
    own.names.count = count;
    for (size_t i = 0; i < count; i++) {
        own.names.at[i] = names[i];
    }
    acme_out_init(&o, text, sizeof text);
    wrong = acme_config_write(&own, &o);
    if (wrong != NULL) {
        (void)snprintf(error, 512, "the setup cannot be kept for later renewals: %s does not fit into a config file",
                       wrong);
        return -1;
    }
    code = code != 0 ? code : acme_posix_store_open(s);
    now = said_now(s);
    if (code == 0 && now.len == o.len && memcmp(now.at, text, o.len) == 0) {
        return 0; /* as a person may have written it, with comments of his own */
    }
    code = code != 0 ? code : acme_posix_replace(s->dir, s->file, 0600, text, o.len);
    if (code != 0) {
        (void)snprintf(error, 512, "cannot write %.400s: %s", s->path, strerror(code));
    }
    return code == 0 ? 0 : -1;
}

int acme_kept_remove(struct acme_posix_store *s)
{
    int code = acme_posix_place(s, ".", s->name, ".conf");
    return code != 0 ? code : acme_posix_replace(s->dir, s->file, 0600, NULL, 0);
}
