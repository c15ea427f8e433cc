/* posix_file.c - files that a loss of power cannot tear, by the descriptor of their folder. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

int acme_posix_sync(int fd)
{
    /* EINVAL: a file system that cannot do this for directories has no more to offer. */
    return fsync(fd) != 0 && errno != EINVAL ? errno : 0;
}

int acme_posix_write(int fd, const void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, (const char *)data + done, len - done);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return n == 0 ? EIO : errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int acme_posix_clear(int dir, const char *name)
{
    int code = unlinkat(dir, name, 0) == 0 ? 0 : errno;
    if (code == EISDIR || code == EPERM) { /* EPERM: what POSIX has for a directory */
        code = unlinkat(dir, name, AT_REMOVEDIR) == 0 ? 0 : errno == ENOTDIR ? code : errno;
    }
    return code == ENOENT ? 0 : code;
}

/* Begins with a dot, as no DNS name does: a temporary file never has the name of somebody's certificate. */
static int temporary_of(char text[272], const char *name)
{
    return snprintf(text, 272, "%s%s.tmp", name[0] == '.' ? "" : ".", name) < 272 ? 0 : ENAMETOOLONG;
}

void acme_posix_hand_over(int dir, int fd)
{
    struct stat of;
    if (fd >= 0 && geteuid() == 0 && fstat(dir, &of) == 0 && of.st_uid != 0) {
        (void)fchown(fd, of.st_uid, of.st_gid);
    }
}

int acme_posix_replace(int dir, const char *name, mode_t mode, const void *data, size_t len)
{
    char temporary[272];
    int fd, code = temporary_of(temporary, name);

    if (len == 0 || code != 0) {
        code = code != 0 ? code : acme_posix_clear(dir, name);
        return code != 0 ? code : acme_posix_sync(dir);
    }
    /* What a crash left is nobody's: one process at a time works here. */
    if ((code = acme_posix_clear(dir, temporary)) != 0) {
        return code;
    }
    fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno;
    }
    acme_posix_hand_over(dir, fd);
    code = acme_posix_write(fd, data, len);
    if (code == 0 && (fchmod(fd, mode) != 0 || fsync(fd) != 0)) {
        code = errno;
    }
    if (close(fd) != 0 && code == 0) {
        code = errno;
    }
    if (code == 0 && renameat(dir, temporary, dir, name) != 0) {
        code = errno;
        if (code == EISDIR && (code = acme_posix_clear(dir, name)) == 0) {
            code = renameat(dir, temporary, dir, name) != 0 ? errno : 0;
        }
    }
    if (code != 0) {
        (void)unlinkat(dir, temporary, 0);
        return code;
    }
    return acme_posix_sync(dir);
}

int acme_posix_read(int dir, const char *name, int flags, void *buf, size_t cap, int *len)
{
    struct stat is;
    ssize_t n = 1;
    int code = 0;
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);

    *len = 0;
    if (fd < 0) {
        return errno == ENOENT ? 0 : errno;
    }
    /* An empty file is damage, not absence: to call it absent would replace a key without a word. */
    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode) || is.st_size == 0 || is.st_size > INT32_MAX) {
        code = ENODATA;
    }
    /* In somebody else's folder what must be ours has no other name: it could be a secret from elsewhere, to be copied to
     * where more may read it. */
    if (code == 0 && flags != 0 && is.st_nlink > 1 && !acme_posix_ours_alone(dir)) {
        code = ENODATA;
    }
    for (size_t have = 0; code == 0 && n > 0 && have < cap; have += (size_t)n) {
        n = read(fd, (char *)buf + have, cap - have);
        code = n < 0 ? errno : 0;
    }
    (void)close(fd);
    *len = code == 0 ? (int)is.st_size : 0;
    return code;
}

bool acme_posix_ours_alone(int dir)
{
    struct stat is;
    return fstat(dir, &is) == 0 && (is.st_uid == 0 || is.st_uid == geteuid()) && (is.st_mode & 022) == 0;
}

void acme_posix_carry(int from, int to, mode_t most)
{
    struct stat old, new;

    if (fstat(from, &old) != 0 || fstat(to, &new) != 0) {
        return;
    }
    bool same = old.st_uid == new.st_uid &&old.st_gid == new.st_gid;
    if (same || fchown(to, old.st_uid, old.st_gid) == 0 || fchown(to, (uid_t)-1, old.st_gid) == 0) {
        (void)fchmod(to, old.st_mode & most);
    }
}
