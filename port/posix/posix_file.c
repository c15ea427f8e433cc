/* posix_file.c - files that a loss of power cannot tear, by the descriptor of their folder. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

#ifdef O_PATH
#define ON_THE_WAY (O_PATH | O_DIRECTORY | O_CLOEXEC) /* to go through a folder takes no right to read it */
#else
#define ON_THE_WAY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif
#define LINKS_MAX 20

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
        int left = fchown(fd, of.st_uid, of.st_gid);
        (void)left; /* it stays root's then */
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

/* Reads the link `name` into `text`, if nobody else can have put it there: the folder is ours alone, or as /tmp is, where
 * what is ours stays. Returns its length, or -1: errno. */
static ssize_t read_link(int at, const char *name, char text[ACME_POSIX_PATH_MAX])
{
    struct stat folder, is;
    ssize_t len = readlinkat(at, name, text, ACME_POSIX_PATH_MAX);

    if (len < 0) {
        errno = errno == EINVAL ? ENOTDIR : errno;
    } else if (len == ACME_POSIX_PATH_MAX) {
        errno = ENAMETOOLONG;
    } else if (acme_posix_ours_alone(at) ||
               (fstat(at, &folder) == 0 && folder.st_uid == 0 && (folder.st_mode & S_ISVTX) != 0 &&
                fstatat(at, name, &is, AT_SYMLINK_NOFOLLOW) == 0 && (is.st_uid == 0 || is.st_uid == geteuid()))) {
        return len;
    } else {
        errno = ELOOP;
    }
    return -1;
}

/* Puts a link's text in the place of the part of the path at `name`, `len` bytes, and of all before it. */
static bool put_link(char path[ACME_POSIX_PATH_MAX], const char *name, size_t len, const char *text, size_t text_len)
{
    size_t rest = strlen(name + len) + 1;

    if (text_len + rest > ACME_POSIX_PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    memmove(path + text_len, name + len, rest);
    memcpy(path, text, text_len);
    return true;
}

/* Opens for reading what is open for the way. */
static int to_read(int at)
{
    return openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Makes a folder and opens it. The one above must not forget it while what is in it is called durable. */
static int make_folder(int at, const char *name, bool *made)
{
    bool alone = acme_posix_ours_alone(at);
    bool is_new = (alone || !*made) && mkdirat(at, name, 0700) == 0;
    int up = is_new ? to_read(at) : -1;
    int code = up >= 0 ? acme_posix_sync(up) : errno;

    if (up >= 0) {
        (void)close(up);
    }
    *made = is_new && alone;
    errno = code;
    return code == 0 || code == EEXIST || (is_new && code == EACCES) ? openat(at, name, ON_THE_WAY | O_NOFOLLOW) : -1;
}

int acme_posix_folder(const char *of, bool *made)
{
    char path[ACME_POSIX_PATH_MAX], text[ACME_POSIX_PATH_MAX], part[256];
    char *name = path;
    unsigned links = 0;
    int at, next;

    errno = of[0] == '\0' ? ENOENT : ENAMETOOLONG;
    if (of[0] == '\0' || snprintf(path, sizeof path, "%s", of) >= (int)sizeof path) {
        return -1;
    }
    at = open(path[0] == '/' ? "/" : ".", ON_THE_WAY);
    while (at >= 0 && *(name += strspn(name, "/")) != '\0') {
        size_t len = strcspn(name, "/");
        bool last = name[len + strspn(name + len, "/")] == '\0';
        ssize_t link = 0;

        errno = ENAMETOOLONG;
        next = snprintf(part, sizeof part, "%.*s", (int)len, name) < (int)sizeof part
                   ? openat(at, part, ON_THE_WAY | O_NOFOLLOW)
                   : -1;
        if (next < 0 && errno == ENOENT && last && made != NULL) {
            next = make_folder(at, part, made);
        } else if (next < 0 && (errno == ENOTDIR || errno == ELOOP) && (link = read_link(at, part, text)) > 0) {
            if (++links > LINKS_MAX) {
                errno = EMLINK;
            } else if (put_link(path, name, len, text, (size_t)link)) {
                next = path[0] == '/' ? open("/", ON_THE_WAY) : fcntl(at, F_DUPFD_CLOEXEC, 3);
                len = 0;
                name = path;
            }
        }
        int code = errno;
        (void)close(at);
        errno = code;
        at = next;
        name += len;
    }
    if (at < 0) {
        return -1;
    }
    next = to_read(at);
    int code = errno;
    (void)close(at);
    errno = code;
    return next;
}
