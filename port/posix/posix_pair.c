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
#define _GNU_SOURCE
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

/* Copies the order's key into the slot. It is not linked: the file in the slot then has nobody else's name, and its rights
 * can be set. Without a key that is in order only if none was ever in use. */
static int copy_key(struct acme_posix_store *s, int at, int old)
{
    uint8_t key[KEY_MAX];
    int len = 0, fd, was;
    int code = acme_posix_place_record(s, ACME_RECORD_KEY_NEXT);

    code = code != 0 ? code : acme_posix_read(s->dir, s->file, O_NOFOLLOW, key, sizeof key, &len);
    if (code != 0 || len == 0 || len > KEY_MAX) {
        bool none = code == 0 && len == 0 && (old < 0 || faccessat(old, "privkey.pem", F_OK, 0) != 0);
        explicit_bzero(key, sizeof key);
        return none ? acme_posix_clear(at, "privkey.pem") : code != 0 ? code : len == 0 ? ENOENT : EFBIG;
    }
    fd = fresh(at, "privkey.pem", 0600);
    code = fd < 0 ? errno : acme_posix_write(fd, key, (size_t)len);
    explicit_bzero(key, sizeof key);
    /* Rights that an admin gave to the one in use, where nobody else can have put it. */
    was = code == 0 && old >= 0 && acme_posix_ours_alone(s->dir) ? openat(old, "privkey.pem", READ_FILE) : -1;
    if (was >= 0) {
        acme_posix_carry(was, fd, 0640);
        (void)close(was);
    }
    code = code == 0 ? acme_posix_sync(fd) : code;
    if (fd >= 0 && close(fd) != 0 && code == 0) {
        code = errno;
    }
    return code;
}

/* Makes the chain durable, with the rights of the one in use. */
static int end_chain(struct acme_posix_store *s, int at, int old)
{
    int fd = s->chain >= 0 ? s->chain : openat(at, "fullchain.pem", READ_FILE);
    int was, code;

    s->chain = -1;
    if (fd < 0) {
        return errno;
    }
    was = old >= 0 && acme_posix_ours_alone(s->dir) ? openat(old, "fullchain.pem", READ_FILE) : -1;
    if (was >= 0) {
        acme_posix_carry(was, fd, 0644);
        acme_posix_carry(old, at, 0755);
        (void)close(was);
    }
    code = acme_posix_sync(fd);
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
