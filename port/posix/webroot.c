/* webroot.c - http-01 answers as files of a web server. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "webroot.h"

#define MEMORY ".answer"

static const char *const way_down[] = {".well-known", "acme-challenge"};

/* The core has checked the token; a file name made of the network's words is checked once more where it is
 * used. */
static bool token_ok(const char *token)
{
    size_t len = strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    return len > 0 && len <= ACME_TOKEN_MAX && token[len] == '\0';
}

static int leave(int fd, int code)
{
    if (fd >= 0) {
        (void)close(fd);
    }
    errno = code;
    return -1;
}

/* Opens a directory's own directory; -1: errno. ELOOP: a link, and not `alone`, so that somebody else can have put it
 * there. */
static int enter(int at, const char *name, bool alone)
{
    struct stat is;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 || (errno != ELOOP && errno != ENOTDIR) || fstatat(at, name, &is, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISLNK(is.st_mode)) {
        return fd;
    }
    if (!alone) {
        return leave(-1, ELOOP);
    }
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Makes a directory that everybody may read. The rights come with it: to set them afterwards, by name or by descriptor,
 * would be to set those of whatever has been put in its place. So does the owner: what root makes in somebody else's folder is
 * made as that somebody, where that may be, who could otherwise not go on without root. */
static int make(int at, const char *name)
{
    struct stat of;
    bool others = geteuid() == 0 && fstat(at, &of) == 0 && of.st_uid != 0;
    mode_t before = umask(022);
    int code = EACCES;

    if (others) {
        (void)setfsgid(of.st_gid);
        (void)setfsuid(of.st_uid);
        code = mkdirat(at, name, 0755) == 0 ? 0 : errno;
        (void)setfsuid(geteuid());
        (void)setfsgid(getegid());
    }
    if (code == EACCES) {
        code = mkdirat(at, name, 0755) == 0 ? 0 : errno;
    }
    (void)umask(before);
    return code == EEXIST ? 0 : code;
}

int acme_webroot_open(struct acme_webroot *w)
{
    if (w->top < 0) {
        w->top = acme_posix_folder(w->directory, NULL);
    }
    (void)snprintf(w->path, sizeof w->path, "%s", w->directory);
    return w->top < 0 ? errno : 0;
}

/* Goes down as far as there are directories, or, `making` them, to the last. The number of steps goes to *depth. Returns a
 * descriptor, or -1: errno, with the path that could not be entered in w->path. */
static int go_down(struct acme_webroot *w, bool making, size_t *depth)
{
    int code = acme_webroot_open(w);
    int at = code == 0 ? fcntl(w->top, F_DUPFD_CLOEXEC, 3) : -1;

    bool alone = true;

    for (*depth = 0; at >= 0 && *depth < 2; ++*depth) {
        size_t len = strlen(w->path);
        alone = alone && acme_posix_ours_alone(at);
        (void)snprintf(w->path + len, sizeof w->path - len, "/%s", way_down[*depth]);
        code = making ? make(at, way_down[*depth]) : 0;
        int next = code == 0 ? enter(at, way_down[*depth], alone) : -1;
        code = code == 0 && next < 0 ? errno : code;
        if (next < 0 && !making && code == ENOENT) {
            return at;
        }
        (void)close(at);
        at = next;
        errno = code;
    }
    return at;
}

int acme_webroot_lowest(struct acme_webroot *w)
{
    size_t depth;
    return go_down(w, false, &depth);
}

static int publish(struct acme_webroot *w, const struct acme_challenge *challenge)
{
    size_t depth, len;
    int code = token_ok(challenge->token) ? 0 : EINVAL;

    if (w->place >= 0) {
        (void)close(w->place);
        w->place = -1;
    }
    w->path[0] = '\0';
    w->place = code == 0 ? go_down(w, true, &depth) : -1;
    if (w->place < 0) {
        return code != 0 ? code : errno;
    }
    (void)snprintf(w->token, sizeof w->token, "%s", challenge->token);
    len = strlen(w->path);
    (void)snprintf(w->path + len, sizeof w->path - len, "/%s", w->token);
    if (w->memory >= 0) {
        code = acme_posix_replace(w->memory, MEMORY, 0600, w->token, strlen(w->token));
    }
    return code != 0 ? code
                     : acme_posix_replace(w->place, w->token, 0644, challenge->key_authorization,
                                          strlen(challenge->key_authorization));
}

/* Takes the answer away, if there is one. */
static void take_back(struct acme_webroot *w)
{
    if (w->place >= 0) {
        (void)unlinkat(w->place, w->token, 0);
        (void)close(w->place);
        w->place = -1;
        if (w->memory >= 0) {
            (void)acme_posix_replace(w->memory, MEMORY, 0600, NULL, 0);
        }
    }
}

static int webroot_present(void *ctx, const struct acme_challenge *challenge)
{
    struct acme_webroot *w = ctx;
    w->error = publish(w, challenge);
    if (w->error != 0) {
        take_back(w);
    }
    return w->error == 0 ? 1 : ACME_E_SOLVER;
}

static void webroot_withdraw(void *ctx)
{
    take_back(ctx);
}

void acme_webroot_sweep(struct acme_webroot *w, int memory)
{
    size_t depth;
    char temporary[ACME_TOKEN_MAX + 8];
    int len = 0;
    int code = acme_posix_read(memory, MEMORY, O_NOFOLLOW, w->token, ACME_TOKEN_MAX, &len);

    w->memory = memory;
    w->token[len < 0 || len > ACME_TOKEN_MAX ? 0 : len] = '\0';
    if (code == 0 && len > 0 && token_ok(w->token)) {
        w->place = go_down(w, false, &depth);
        if (w->place >= 0 && depth == 2) {
            (void)snprintf(temporary, sizeof temporary, ".%s.tmp", w->token);
            (void)unlinkat(w->place, temporary, 0);
            (void)unlinkat(w->place, w->token, 0);
        }
        if (w->place >= 0) {
            (void)close(w->place);
            w->place = -1;
        }
    }
    if (code != 0 || len > 0) {
        (void)acme_posix_replace(memory, MEMORY, 0600, NULL, 0);
    }
}

void acme_webroot_init(struct acme_webroot *w, const char *directory)
{
    static const struct acme_solver solver = {NULL, "http-01", webroot_present, webroot_withdraw, NULL};
    w->solver = solver;
    w->solver.ctx = w;
    w->directory = directory;
    w->top = w->place = w->memory = -1;
    w->token[0] = w->path[0] = '\0';
    w->error = 0;
}
