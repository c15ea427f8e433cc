/* adopt.c - copies follow links, make them absolute or lose them; what they carry is a pair all the same. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "adopt.h"
#include "secure/key_p256.h"
#include "secure/wipe.h"
#include "wire/pem.h"

#define FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char *const slots[] = {".a", ".b"};
static const char *const files[] = {"privkey.pem", "fullchain.pem", "revoked"};

static uint8_t der[8192];
static size_t der_len;

struct acme_der acme_adopt_der(void)
{
    const struct acme_der whole = {der, der_len};
    return whole;
}

const char *acme_adopt_leaf(int folder, struct acme_leaf *leaf)
{
    static char chain[16384];
    struct acme_pem pem;
    size_t at = 0, used = 0;
    int event = 0, len;
    int code = acme_posix_read(folder, "fullchain.pem", 0, chain, sizeof chain, &len);

    if (code != 0 || len == 0) {
        return code == 0 ? "no certificate" : code == ENODATA ? "damaged: empty" : strerror(code);
    }
    len = len < (int)sizeof chain ? len : (int)sizeof chain;
    acme_pem_init(&pem, der, sizeof der);
    while (event != ACME_PEM_END && event >= 0 && at < (size_t)len) {
        event = acme_pem_read(&pem, chain + at, (size_t)len - at, &used);
        at += used;
    }
    der_len = event == ACME_PEM_END ? pem.len : 0;
    return event == ACME_PEM_END && acme_leaf_parse(leaf, der, pem.len) == 0 ? NULL : "damaged: not a certificate";
}

/* A pair of whose key no file of ours knows. */
static bool is_for(const struct acme_posix_store *s, int folder, struct acme_leaf *leaf)
{
    return faccessat(folder, "privkey.pem", F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
           acme_adopt_leaf(folder, leaf) == NULL && leaf->point != NULL &&
           (s->key_point == NULL || memcmp(leaf->point, s->key_point, 65) == 0);
}

bool acme_adopt_whole(const struct acme_posix_store *s, int folder, struct acme_leaf *leaf)
{
    if (s->key_elsewhere) {
        return is_for(s, folder, leaf);
    }
    static struct acme_key_p256 key;
    char text[4096];
    uint8_t point[65];
    int len = 0;
    bool whole = acme_posix_read(folder, "privkey.pem", O_NOFOLLOW, text, sizeof text, &len) == 0 && len > 0 &&
                 len <= (int)sizeof text && acme_key_p256_ops.load(&key, text, (size_t)len) == 0 &&
                 acme_key_p256_ops.point(&key, point) == 0 && acme_adopt_leaf(folder, leaf) == NULL &&
                 leaf->point != NULL && memcmp(leaf->point, point, sizeof point) == 0;
    acme_wipe(text, sizeof text);
    acme_key_p256_wipe(&key);
    return whole;
}

/* The whole pair in the slots that is valid from the latest; NULL: none. */
static const char *best_slot(struct acme_posix_store *s)
{
    const char *best = NULL;
    int64_t from = 0;

    for (size_t i = 0; i < 2; i++) {
        struct acme_leaf leaf;
        int at = acme_posix_pair_open(s, slots[i]);
        if (at >= 0 && acme_adopt_whole(s, at, &leaf) && (best == NULL || leaf.not_before > from)) {
            best = slots[i];
            from = leaf.not_before;
        }
        if (at >= 0) {
            (void)close(at);
        }
    }
    return best;
}

/* Removes a folder with what a pair consists of. What holds more than that is left, under the name .NAME.old. */
static int remove_folder(struct acme_posix_store *s, const char *name)
{
    char aside[272];
    int at = openat(s->dir, name, FOLDER);

    if (at < 0) {
        return acme_posix_clear(s->dir, name);
    }
    for (size_t i = 0; i < 3; i++) {
        (void)acme_posix_clear(at, files[i]);
    }
    (void)close(at);
    if (unlinkat(s->dir, name, AT_REMOVEDIR) == 0) {
        return 0;
    }
    (void)snprintf(aside, sizeof aside, ".%s.old", s->name);
    return renameat(s->dir, name, s->dir, aside) == 0 ? 0 : errno;
}

/* Copies a file with its rights; one that is not there is no error. */
static int copy(const struct acme_posix_store *s, int from, int to, const char *name)
{
    char piece[4096];
    ssize_t n = 1;
    int code = acme_posix_clear(to, name);
    int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int out;

    if (in < 0 || code != 0) {
        code = code != 0 ? code : errno == ENOENT ? 0 : errno;
        if (in >= 0) {
            (void)close(in);
        }
        return code;
    }
    out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    code = out < 0 ? errno : 0;
    while (code == 0 && n > 0) {
        n = read(in, piece, sizeof piece);
        code = n < 0 ? errno : acme_posix_write(out, piece, (size_t)n);
    }
    acme_wipe(piece, sizeof piece);
    if (code == 0) {
        (void)acme_posix_pair_give(s, in, out, name == files[0] ? ACME_POSIX_KEY : ACME_POSIX_CHAIN);
        code = acme_posix_sync(out);
    }
    (void)close(in);
    if (out >= 0) {
        (void)close(out);
    }
    return code;
}

/* Puts two names in each other's place at one moment. */
static int exchange(int dir, const char *a, const char *b)
{
#ifdef SYS_renameat2
    return syscall(SYS_renameat2, dir, a, dir, b, 2) == 0 ? 0 : errno;
#else
    (void)dir, (void)a, (void)b;
    return ENOSYS;
#endif
}

/* Makes the pair in the folder STATE/NAME, open as `from`, the one in use: a copy in a slot first, then the switch. */
static int adopt_folder(struct acme_posix_store *s, int from)
{
    char slot[272], link[272], old[272];
    int at, code;

    (void)snprintf(slot, sizeof slot, ".%s.a", s->name);
    (void)snprintf(link, sizeof link, ".%s.link", s->name);
    (void)snprintf(old, sizeof old, ".%s.old", s->name);
    code = remove_folder(s, slot);
    code = code != 0 ? code : remove_folder(s, link);
    code = code == 0 && mkdirat(s->dir, slot, 0700) != 0 ? errno : code;
    at = code == 0 ? openat(s->dir, slot, FOLDER) : -1;
    code = code == 0 && at < 0 ? errno : code;
    for (size_t i = 0; code == 0 && i < 3; i++) {
        code = copy(s, from, at, files[i]);
    }
    if (at >= 0) {
        (void)acme_posix_pair_give(s, from, at, ACME_POSIX_SLOT);
        code = code == 0 ? acme_posix_sync(at) : code;
        (void)close(at);
    }
    if (code != 0 || symlinkat(slot, s->dir, link) != 0 || (code = acme_posix_sync(s->dir)) != 0) {
        return code != 0 ? code : errno;
    }
    code = exchange(s->dir, s->name, link);
    if (code == 0) {
        code = acme_posix_sync(s->dir);
        return code != 0 ? code : remove_folder(s, link);
    }
    /* A file system that cannot exchange: a cut between these two is what best_slot() is for. */
    if (renameat(s->dir, s->name, s->dir, old) != 0 || renameat(s->dir, link, s->dir, s->name) != 0) {
        return errno;
    }
    code = acme_posix_sync(s->dir);
    return code != 0 ? code : remove_folder(s, old);
}

/* The slot a link of another form leads to: its last part is the slot's name. NULL: none of ours. */
static const char *slot_of(const struct acme_posix_store *s, const char *link)
{
    const char *last = strrchr(link, '/');
    size_t len = strlen(s->name);

    for (size_t i = 0; last != NULL && i < 2; i++) {
        if (last[1] == '.' && strncmp(last + 2, s->name, len) == 0 && strcmp(last + 2 + len, slots[i]) == 0) {
            return slots[i];
        }
    }
    return NULL;
}

static int put_in_order(struct acme_posix_store *s, const char *slot)
{
    int code = acme_posix_pair_link(s, slot);
    return code == 0 ? 1 : -code;
}

/* STATE/NAME is a link, but not of the form that we write. */
static int adopt_link(struct acme_posix_store *s)
{
    char link[4096];
    struct stat is;
    ssize_t len = readlinkat(s->dir, s->name, link, sizeof link - 1);
    const char *slot;

    link[len > 0 ? len : 0] = '\0';
    slot = slot_of(s, link);
    if (slot != NULL) {
        int at = acme_posix_pair_open(s, slot);
        if (at >= 0) {
            (void)close(at);
            return put_in_order(s, slot);
        }
    }
    if (fstatat(s->dir, s->name, &is, 0) != 0 && errno == ENOENT) { /* leads nowhere: worth nothing to anybody */
        slot = best_slot(s);
        return put_in_order(s, slot != NULL ? slot : slots[0]);
    }
    return -EEXIST;
}

int acme_adopt(struct acme_posix_store *s)
{
    const char *slot;
    char link[272];
    struct acme_leaf leaf;
    struct stat is;
    int at, code = acme_posix_pair_in_use(s, &slot);

    (void)snprintf(link, sizeof link, ".%s.link", s->name);
    if (code == 0 && slot != NULL) { /* as it should be; or cut off behind the exchange */
        return fstatat(s->dir, link, &is, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(is.st_mode) ? -remove_folder(s, link)
                                                                                           : 0;
    }
    if (code == 0) {
        slot = best_slot(s);
        return slot != NULL ? put_in_order(s, slot) : 0;
    }
    if (code != EEXIST || fstatat(s->dir, s->name, &is, AT_SYMLINK_NOFOLLOW) != 0) {
        return -code;
    }
    if (S_ISLNK(is.st_mode)) {
        code = adopt_link(s);
    } else if (S_ISDIR(is.st_mode) && unlinkat(s->dir, s->name, AT_REMOVEDIR) == 0) {
        slot = best_slot(s);
        code = slot != NULL ? put_in_order(s, slot) : 1;
    } else {
        at = acme_posix_pair_open(s, NULL);
        code = at >= 0 && acme_adopt_whole(s, at, &leaf) ? 1 : -EEXIST;
        if (code == 1) {
            code = adopt_folder(s, at);
            code = code == 0 ? 1 : -code;
        }
        if (at >= 0) {
            (void)close(at);
        }
    }
    (void)acme_posix_place(s, "", s->name, "");
    return code;
}
