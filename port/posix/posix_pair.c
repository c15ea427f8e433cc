/* posix_pair.c - key and chain change places at one moment.
 *
 *   STATE/account.pem, STATE/account      account key; account URL and directory
 *   STATE/account-next.pem                the account's next key, while it is being changed
 *   STATE/.NAME.order, STATE/.NAME.key    the order in progress and its key
 *   STATE/.NAME.a/, STATE/.NAME.b/        privkey.pem and fullchain.pem: one pair in use, room for the next;
 *                                         "revoked": the pair is
 *   STATE/NAME -> .NAME.a or .NAME.b      the pair in use
 *
 * Why a crash leaves the old pair or the new one: nothing is ever written into the directory STATE/NAME leads
 * to. The chain goes into the other one, commit() writes the key beside it, makes both and their names
 * durable, and only then puts a new link in the old one's place with rename(): before that moment the old
 * pair is whole, after it the new one. The order and its key go last. Cut before that, they describe the pair
 * now in use: the next run takes the order up, gets the same certificate again and commits it once more. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

#define KEY_MAX   4096 /* bytes; the core reads no more of a key either */
#define NEW_FILE  (O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
#define READ_FILE (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define FOLDER    (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char *const parts[] = {
    [ACME_POSIX_KEY] = "privkey.pem", [ACME_POSIX_CHAIN] = "fullchain.pem", [ACME_POSIX_SLOT] = "."};

int acme_posix_pair_in_use(struct acme_posix_store *s, const char **slot)
{
    static const char *const slots[] = {".a", ".b"};
    char link[264];
    int code = acme_posix_place(s, "", s->name, "");
    ssize_t len = code == 0 ? readlinkat(s->dir, s->file, link, sizeof link) : 0;
    size_t name_len = strlen(s->name);

    *slot = NULL;
    if (len < 0) {
        return errno == ENOENT ? 0 : errno == EINVAL ? EEXIST : errno;
    }
    for (size_t i = 0; i < 2 && (size_t)len == name_len + 3; i++) {
        if (link[0] == '.' && memcmp(link + 1, s->name, name_len) == 0 &&
            memcmp(link + 1 + name_len, slots[i], 2) == 0) {
            *slot = slots[i];
        }
    }
    return code != 0 ? code : *slot == NULL ? EEXIST : 0;
}

int acme_posix_pair_open(struct acme_posix_store *s, const char *slot)
{
    int code = acme_posix_place(s, slot != NULL ? "." : "", s->name, slot != NULL ? slot : "");
    if (code != 0) {
        errno = code;
        return -1;
    }
    return openat(s->dir, s->file, FOLDER);
}

/* The slot that is not in use. */
static int next_slot(struct acme_posix_store *s, const char **slot)
{
    int code = acme_posix_store_open(s);
    code = code != 0 ? code : acme_posix_pair_in_use(s, slot);
    *slot = code == 0 && *slot != NULL && (*slot)[1] == 'a' ? ".b" : ".a";
    return code;
}

/* Opens a slot that may not be there yet, or in whose place a copy has left a file or a link. */
static int make_slot(struct acme_posix_store *s, const char *slot)
{
    int fd = acme_posix_pair_open(s, slot);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) &&
        (errno == ENOENT || unlinkat(s->dir, s->file, 0) == 0) && mkdirat(s->dir, s->file, 0700) == 0) {
        fd = acme_posix_pair_open(s, slot);
        acme_posix_hand_over(s->dir, fd);
    }
    return fd;
}

/* Starts a file of a slot anew, and never by writing into what is there. */
static int fresh(int at, const char *name, mode_t mode)
{
    int code = acme_posix_clear(at, name);
    if (code != 0) {
        errno = code;
        return -1;
    }
    int fd = openat(at, name, NEW_FILE, mode);
    acme_posix_hand_over(at, fd);
    return fd;
}

int acme_posix_pair_append(struct acme_posix_store *s, const void *data, size_t len)
{
    const char *slot;
    int at, code;

    if (len > 0) {
        return s->chain < 0 ? EBADF : acme_posix_write(s->chain, data, len);
    }
    if (s->chain >= 0) {
        (void)close(s->chain);
        s->chain = -1;
    }
    if ((code = next_slot(s, &slot)) != 0) {
        return code;
    }
    at = make_slot(s, slot);
    if (at < 0) {
        return errno;
    }
    code = acme_posix_clear(at, "revoked");
    s->chain = code == 0 ? fresh(at, "fullchain.pem", 0644) : -1;
    code = code == 0 && s->chain < 0 ? errno : code;
    (void)close(at);
    return code;
}

int acme_posix_pair_give(const struct acme_posix_store *s, int was, int to, enum acme_posix_part part)
{
    static const mode_t most[] = {0640, 0644, 0755}, by_group[] = {0040, 0040, 0050};
    struct stat old, is;
    mode_t mode;
    bool told = s->key_group != ACME_POSIX_NO_GROUP;

    if (fstat(to, &is) != 0 || fstat(was >= 0 ? was : to, &old) != 0) {
        return errno;
    }
    if (S_ISREG(is.st_mode) && is.st_nlink > 1) {
        return EMLINK; /* none that we made: it may be anybody's file from elsewhere */
    }
    mode = was >= 0 ? old.st_mode & most[part] : old.st_mode & 0777;
    old.st_gid = told ? s->key_group : old.st_gid;
    /* Who may read the key has to come to it, and needs the chain. */
    if (s->key_mode != 0 ? (s->key_mode & 0040) != 0 : told) {
        mode |= by_group[part];
    }
    if (part == ACME_POSIX_KEY && s->key_mode != 0) {
        mode = s->key_mode;
    }
    /* The owner goes last, for then we may have no more right to the mode. A group or an owner that may do no more than others
     * is no loss; and root reads all. */
    if (old.st_gid != is.st_gid && fchown(to, (uid_t)-1, old.st_gid) != 0 &&
        (told || (mode >> 3 & ~mode & 07) != 0)) {
        return errno;
    }
    if (mode != (is.st_mode & 0777) && fchmod(to, mode) != 0) {
        return errno;
    }
    return old.st_uid != is.st_uid && fchown(to, old.st_uid, (gid_t)-1) != 0 && old.st_uid != 0 &&
                   (mode >> 6 & ~mode & 05) != 0
               ? errno
               : 0;
}

/* The same for a part of the next pair: what an admin gave to the one in use counts where nobody else can have put it. */
static int give(const struct acme_posix_store *s, int old, int to, enum acme_posix_part part)
{
    bool ours = old >= 0 && acme_posix_ours_alone(s->dir);
    int was = ours ? openat(old, parts[part], part == ACME_POSIX_SLOT ? FOLDER : READ_FILE) : -1;
    int code = acme_posix_pair_give(s, was, to, part);

    if (was >= 0) {
        (void)close(was);
    }
    return code;
}

/* Copies the order's key into the slot. It is not linked: the file in the slot then has nobody else's name, and its rights
 * can be set. Without a key that is in order only if none was ever in use. */
static int copy_key(struct acme_posix_store *s, int at, int old)
{
    uint8_t key[KEY_MAX];
    int len = 0, fd;
    int code = acme_posix_place_record(s, ACME_RECORD_KEY_NEXT);

    if (s->key_elsewhere) {
        return acme_posix_clear(at, "privkey.pem");
    }
    code = code != 0 ? code : acme_posix_read(s->dir, s->file, O_NOFOLLOW, key, sizeof key, &len);
    if (code != 0 || len == 0 || len > KEY_MAX) {
        bool none = code == 0 && len == 0 && (old < 0 || faccessat(old, "privkey.pem", F_OK, 0) != 0);
        explicit_bzero(key, sizeof key);
        return none ? acme_posix_clear(at, "privkey.pem") : code != 0 ? code : len == 0 ? ENOENT : EFBIG;
    }
    fd = fresh(at, "privkey.pem", 0600);
    code = fd < 0 ? errno : acme_posix_write(fd, key, (size_t)len);
    explicit_bzero(key, sizeof key);
    code = code != 0 ? code : give(s, old, fd, ACME_POSIX_KEY);
    code = code != 0 ? code : acme_posix_sync(fd);
    if (fd >= 0 && close(fd) != 0 && code == 0) {
        code = errno;
    }
    return code;
}

/* Makes the chain durable, with the rights of the one in use. */
static int end_chain(struct acme_posix_store *s, int at, int old)
{
    int fd = s->chain >= 0 ? s->chain : openat(at, "fullchain.pem", READ_FILE);
    int code;

    s->chain = -1;
    if (fd < 0) {
        return errno;
    }
    code = give(s, old, fd, ACME_POSIX_CHAIN);
    code = code != 0 ? code : give(s, old, at, ACME_POSIX_SLOT);
    code = code != 0 ? code : acme_posix_sync(fd);
    return close(fd) != 0 && code == 0 ? errno : code;
}

/* Completes the slot that is not in use: chain and key, and that they are there, become durable. */
static int complete(struct acme_posix_store *s, const char **slot)
{
    const char *in_use;
    int old, at, code = next_slot(s, slot);

    code = code != 0 ? code : acme_posix_pair_in_use(s, &in_use);
    if (code != 0) {
        return code;
    }
    old = in_use != NULL ? acme_posix_pair_open(s, in_use) : -1;
    at = acme_posix_pair_open(s, *slot);
    code = at < 0 ? errno : end_chain(s, at, old);
    code = code != 0 ? code : copy_key(s, at, old);
    code = code != 0 ? code : acme_posix_sync(at);
    if (at >= 0) {
        (void)close(at);
    }
    if (old >= 0) {
        (void)close(old);
    }
    return code != 0 ? code : acme_posix_sync(s->dir);
}

int acme_posix_pair_link(struct acme_posix_store *s, const char *slot)
{
    char link[272], target[264];
    int code = acme_posix_place(s, ".", s->name, ".link");

    if (code != 0 || (code = acme_posix_clear(s->dir, s->file)) != 0) {
        return code;
    }
    (void)snprintf(link, sizeof link, "%s", s->file);
    (void)snprintf(target, sizeof target, ".%s%s", s->name, slot);
    if (symlinkat(target, s->dir, link) != 0) {
        return errno;
    }
    if ((code = acme_posix_place(s, "", s->name, "")) != 0) {
        return code;
    }
    return renameat(s->dir, link, s->dir, s->file) != 0 ? errno : acme_posix_sync(s->dir);
}

int acme_posix_pair_commit(struct acme_posix_store *s)
{
    const char *slot;
    int code = complete(s, &slot);
    return code != 0 ? code : acme_posix_pair_link(s, slot);
}

/* Opens the folder of the pair in use; -1: none. */
static int in_use(struct acme_posix_store *s)
{
    const char *slot;
    return acme_posix_store_open(s) != 0 || acme_posix_pair_in_use(s, &slot) != 0 || slot == NULL
               ? -1
               : acme_posix_pair_open(s, slot);
}

int acme_posix_pair_revoke(struct acme_posix_store *s)
{
    int at = in_use(s);
    int code = at < 0 ? ENOENT : acme_posix_replace(at, "revoked", 0644, "revoked\n", 8);
    if (at >= 0) {
        (void)close(at);
    }
    return code;
}

bool acme_posix_pair_revoked(struct acme_posix_store *s)
{
    int at = in_use(s);
    bool revoked = at >= 0 && faccessat(at, "revoked", F_OK, 0) == 0;
    if (at >= 0) {
        (void)close(at);
    }
    return revoked;
}

/* Gives the parts of the pair in use what is told now. Where others may change the folders they could be anything. */
static int right_in_use(const struct acme_posix_store *s, int at)
{
    struct stat is;
    int code = 0;

    for (unsigned part = ACME_POSIX_KEY; code == 0 && part <= ACME_POSIX_SLOT; part++) {
        bool slot = part == ACME_POSIX_SLOT;
        int fd = openat(at, parts[part], slot ? FOLDER : READ_FILE);
        if (fd >= 0 && fstat(fd, &is) == 0 && (slot || (S_ISREG(is.st_mode) && is.st_nlink == 1))) {
            code = acme_posix_pair_give(s, -1, fd, (enum acme_posix_part)part);
        }
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return code;
}

/* Who reads the key has to come through the state directory, where names and all else keep their own rights. */
static int let_pass(struct acme_posix_store *s, gid_t group)
{
    struct stat is;

    if (fstat(s->dir, &is) != 0 || (is.st_mode & 0001) != 0 || (is.st_gid == group && (is.st_mode & 0010) != 0)) {
        return 0;
    }
    if (fchmod(s->dir, (is.st_mode & 07777) | (is.st_gid == group ? 0010 : 0001)) == 0) {
        return 0;
    }
    int code = errno;
    (void)snprintf(s->path, sizeof s->path, "%s", s->state);
    return code;
}

/* Whether a part of the pair in use has other rights than those that all we make has. */
static bool is_given(const struct acme_posix_store *s, int at)
{
    struct stat is;
    bool given = s->key_mode != 0 || s->key_group != ACME_POSIX_NO_GROUP;

    for (unsigned part = ACME_POSIX_KEY; at >= 0 && part <= ACME_POSIX_SLOT; part++) {
        given = given || (fstatat(at, parts[part], &is, AT_SYMLINK_NOFOLLOW) == 0 &&
                          (is.st_uid != geteuid() || is.st_gid != getegid()));
    }
    return given;
}

/* Gives an empty file the rights of each part of the next pair. */
static int try_next(struct acme_posix_store *s, int at)
{
    int code = acme_posix_place(s, ".", s->name, ".try");

    for (unsigned part = ACME_POSIX_KEY; code == 0 && part <= ACME_POSIX_SLOT; part++) {
        int fd = fresh(s->dir, s->file, 0600);
        code = fd < 0 ? errno : give(s, at, fd, (enum acme_posix_part)part);
        if (fd >= 0) {
            (void)close(fd);
            (void)acme_posix_clear(s->dir, s->file);
        }
    }
    return code;
}

int acme_posix_pair_rights(struct acme_posix_store *s)
{
    struct stat is;
    bool told = s->key_mode != 0 || s->key_group != ACME_POSIX_NO_GROUP;
    bool reads = s->key_mode != 0 ? (s->key_mode & 0040) != 0 : told;
    int at = in_use(s);
    int code = acme_posix_place(s, "", s->name, "");

    if (code == 0 && told && at >= 0 && acme_posix_ours_alone(s->dir) && acme_posix_ours_alone(at)) {
        code = right_in_use(s, at);
    }
    if (code == 0 && reads) {
        gid_t group = at >= 0 && fstat(at, &is) == 0 ? is.st_gid : getegid();
        code = let_pass(s, s->key_group != ACME_POSIX_NO_GROUP ? s->key_group : group);
    }
    if (code == 0 && is_given(s, at)) {
        code = try_next(s, at);
    }
    if (at >= 0) {
        (void)close(at);
    }
    return code;
}
