/* forget.c - the verb `remove`. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "enter.h"
#include "forget.h"
#include "program.h"
#include "report.h"

static const char *const slots[] = {".a", ".b"};

/* Removes what a pair consists of, and its folder. What somebody else has put there stays. */
static int remove_slot(struct acme_posix_store *s, const char *slot, bool *found)
{
    static const char *const files[] = {"privkey.pem", "fullchain.pem", "revoked", ".privkey.pem.tmp"};
    int at = acme_posix_pair_open(s, slot);
    int code = 0;

    if (at < 0) {
        return errno == ENOENT ? 0 : errno == ENOTDIR || errno == ELOOP ? EEXIST : errno;
    }
    *found = true;
    for (size_t i = 0; code == 0 && i < sizeof files / sizeof *files; i++) {
        code = acme_posix_clear(at, files[i]);
    }
    (void)close(at);
    if (code == 0 && unlinkat(s->dir, s->file, AT_REMOVEDIR) != 0) {
        code = errno == ENOTEMPTY ? EEXIST : errno;
    }
    return code;
}

/* Removes STATE/.NAME<end>. */
static int remove_file(struct acme_posix_store *s, const char *end, bool *found)
{
    struct stat is;
    int code = acme_posix_place(s, ".", s->name, end);

    if (code != 0 || fstatat(s->dir, s->file, &is, AT_SYMLINK_NOFOLLOW) != 0) {
        return code != 0 ? code : errno == ENOENT ? 0 : errno;
    }
    *found = true;
    return acme_posix_clear(s->dir, s->file);
}

int acme_forget(struct acme_posix_store *s)
{
    static const char *const files[] = {".conf", ".order", ".key", ".renew", ".told", ".link"};
    const char *slot;
    bool found = false;
    int code = acme_posix_pair_in_use(s, &slot);

    for (size_t i = 0; code == 0 && i < sizeof files / sizeof *files; i++) {
        code = remove_file(s, files[i], &found);
    }
    if (code == 0 && slot != NULL && (code = acme_posix_place(s, "", s->name, "")) == 0) {
        found = true;
        code = acme_posix_clear(s->dir, s->file);
    }
    for (size_t i = 0; code == 0 && i < 2; i++) {
        code = remove_slot(s, slots[i], &found);
    }
    code = code == 0 ? acme_posix_sync(s->dir) : code;
    return code == 0 && !found ? ENOENT : code;
}

int acme_program_remove(const struct acme_config *config)
{
    static struct acme_posix_store store;
    static volatile sig_atomic_t never;
    const struct acme_enter all = {.store = &store, .stop = &never, .patience_s = 600};
    char name[254];
    int code;

    if (config->names.count != 1 || acme_config_blame(config, ACME_KEY_NAMES) == ACME_EXIT_CONFIG) {
        acme_report_error("remove needs one NAME; see nanoacme --help");
        return ACME_EXIT_USAGE;
    }
    code = acme_check_stored(name, config->names.at[0]);
    if (code != 0) {
        return code;
    }
    if (!config->yes) {
        acme_report_error("remove takes the certificate, its key and its setup away; if that is meant, add --yes");
        return ACME_EXIT_USAGE;
    }
    acme_posix_store_init(&store, config->state, name);
    code = acme_posix_store_open(&store);
    if (code == ENOENT) {
        acme_report_error("there is no %s", config->state);
        return ACME_EXIT_FAILED;
    }
    acme_posix_store_close(&store);
    code = acme_enter(&all, config);
    if (code != 0) {
        return code;
    }
    code = acme_forget(&store);
    if (code == ENOENT) {
        acme_report_error("there is no certificate %s in %s", name, config->state);
    } else if (code == EEXIST) {
        acme_report_error("%s was not made by nanoacme, or holds what was not; left alone: move that away",
                          store.path);
    } else if (code != 0) {
        acme_report_error("cannot remove %s: %s", store.path, strerror(code));
    } else if (!config->quiet) {
        struct acme_out *o = acme_line();
        acme_out_text(o, "removed      ");
        acme_out_text(o, name);
        acme_out_text(o, "; it is valid still, and can no longer be revoked from here");
        acme_line_end(STDOUT_FILENO);
    }
    return code == 0 ? ACME_EXIT_NEW : ACME_EXIT_FAILED;
}
