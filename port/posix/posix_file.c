/* posix_file.c - files that a loss of power cannot tear. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

int acme_posix_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    /* EINVAL: a file system that cannot do this for directories has no more to offer. */
    int code = fd < 0 || (fsync(fd) != 0 && errno != EINVAL) ? errno : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

/* Makes the directory entry of `path` durable. */
static int sync_entry(const char *path)
{
    char directory[ACME_POSIX_PATH_MAX];
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    int need = snprintf(directory, sizeof directory, "%.*s", len, slash == NULL ? "." : path);
    return need < (int)sizeof directory ? acme_posix_sync(directory) : ENAMETOOLONG;
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

int acme_posix_replace(const char *path, mode_t mode, const void *data, size_t len)
{
    char temporary[ACME_POSIX_PATH_MAX + 8];
    int fd, code;

    if (len == 0) {
        return unlink(path) == 0 ? sync_entry(path) : errno == ENOENT ? 0 : errno;
    }
    if (snprintf(temporary, sizeof temporary, "%s.tmp", path) >= (int)sizeof temporary) {
        return ENAMETOOLONG;
    }
    /* What a crash left is nobody's: one process at a time works here. */
    (void)unlink(temporary);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno;
    }
    code = acme_posix_write(fd, data, len);
    if (code == 0 && (fchmod(fd, mode) != 0 || fsync(fd) != 0)) {
        code = errno;
    }
    if (close(fd) != 0 && code == 0) {
        code = errno;
    }
    if (code == 0 && rename(temporary, path) != 0) {
        code = errno;
    }
    if (code != 0) {
        (void)unlink(temporary);
        return code;
    }
    return sync_entry(path);
}

int acme_posix_read(const char *path, void *buf, size_t cap, int *len)
{
    struct stat is;
    ssize_t n = 1;
    int code = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *len = 0;
    if (fd < 0) {
        return errno == ENOENT ? 0 : errno;
    }
    /* An empty file is damage, not absence: to call it absent would replace a key without a word. */
    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode) || is.st_size == 0 || is.st_size > INT32_MAX) {
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
