/* posix_pair.c - key and chain change places at one moment.
 *
 *   STATE/account.pem, STATE/account      account key; account URL and directory
 *   STATE/account-next.pem                the account's next key, while it is being changed
 *   STATE/.NAME.order, STATE/.NAME.key    the order in progress and its key
 *   STATE/.NAME.a/, STATE/.NAME.b/        privkey.pem and fullchain.pem: one pair in use, room for the next
 *   STATE/NAME -> .NAME.a or .NAME.b      the pair in use
 *
 * Why a crash leaves the old pair or the new one: nothing is ever written into the directory STATE/NAME leads
 * to. The chain goes into the other one, commit() links the key beside it, makes both and their names
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

int acme_posix_place(struct acme_posix_store *s, const char *before, const char *name, const char *after)
{
    int need = snprintf(s->path, sizeof s->path, "%s/%s%s%s", s->state, before, name, after);
    return need < (int)sizeof s->path ? 0 : ENAMETOOLONG;
}

int acme_posix_store_make(struct acme_posix_store *s)
{
    int code;

    if (mkdir(s->state, 0700) == 0) {
        /* The parent must not forget it while what is in it is called durable. */
        code = acme_posix_place(s, "", "..", "");
        return code != 0 ? code : acme_posix_sync(s->path);
    }
    code = errno == EEXIST ? 0 : errno;
    (void)snprintf(s->path, sizeof s->path, "%s", s->state);
    return code;
}

int acme_posix_pair_in_use(struct acme_posix_store *s, const char **slot)
{
    static const char *const slots[] = {".a", ".b"};
    char link[264];
    int code = acme_posix_place(s, "", s->name, "");
    ssize_t len = code == 0 ? readlink(s->path, link, sizeof link) : 0;
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

/* Puts the path of a file in the slot that is not in use into s->path. */
static int place_next(struct acme_posix_store *s, const char *file, const char **slot)
{
    char after[32];
    int code = acme_posix_pair_in_use(s, slot);
    *slot = *slot != NULL && (*slot)[1] == 'a' ? ".b" : ".a";
    (void)snprintf(after, sizeof after, "%s%s", *slot, file);
    return code != 0 ? code : acme_posix_place(s, ".", s->name, after);
}

int acme_posix_pair_append(struct acme_posix_store *s, const void *data, size_t len)
{
    const char *slot;
    int anew = len == 0 ? O_CREAT | O_TRUNC : 0;
    int code = place_next(s, "", &slot);
    int fd;

    if (code == 0 && len == 0 && mkdir(s->path, 0700) != 0 && errno != EEXIST) {
        code = errno;
    }
    if (code != 0 || (code = place_next(s, "/fullchain.pem", &slot)) != 0) {
        return code;
    }
    fd = open(s->path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | anew, 0644);
    if (fd < 0) {
        return errno;
    }
    code = acme_posix_write(fd, data, len);
    return close(fd) != 0 && code == 0 ? errno : code;
}

/* True when a key that is in this store has been in use: there must then be a next one. */
static bool had_key(struct acme_posix_store *s)
{
    return acme_posix_place(s, "", s->name, "/privkey.pem") == 0 && access(s->path, F_OK) == 0;
}

/* Completes the slot that is not in use: chain and key, and that they are there, become durable. */
static int complete(struct acme_posix_store *s, const char **slot)
{
    char key[ACME_POSIX_PATH_MAX];
    int code = place_next(s, "/fullchain.pem", slot);

    if (code != 0 || (code = acme_posix_sync(s->path)) != 0 ||
        (code = acme_posix_place(s, ".", s->name, ".key")) != 0) {
        return code;
    }
    memcpy(key, s->path, sizeof key);
    if ((code = place_next(s, "/privkey.pem", slot)) != 0) {
        return code;
    }
    (void)unlink(s->path);
    if (link(key, s->path) != 0 && (errno != ENOENT || had_key(s))) {
        return errno == 0 ? EIO : errno;
    }
    if ((code = place_next(s, "", slot)) != 0) {
        return code;
    }
    code = acme_posix_sync(s->path);
    return code != 0 ? code : acme_posix_sync(s->state);
}

int acme_posix_pair_commit(struct acme_posix_store *s)
{
    char link[ACME_POSIX_PATH_MAX], target[264];
    const char *slot;
    int code = complete(s, &slot);

    if (code != 0 || (code = acme_posix_place(s, ".", s->name, ".link")) != 0) {
        return code;
    }
    memcpy(link, s->path, sizeof link);
    (void)snprintf(target, sizeof target, ".%s%s", s->name, slot);
    (void)unlink(link);
    if (symlink(target, link) != 0) {
        return errno;
    }
    if ((code = acme_posix_place(s, "", s->name, "")) != 0) {
        return code;
    }
    return rename(link, s->path) != 0 ? errno : acme_posix_sync(s->state);
}
