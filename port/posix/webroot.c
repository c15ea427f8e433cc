/* webroot.c - http-01 answers as files of a web server. */
#define _GNU_SOURCE 1
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

/* Which answers are there, a line each, for who comes after a run that was killed. */
static int remember(struct acme_webroot *w)
{
    char text[ACME_NAMES_MAX * (ACME_TOKEN_MAX + 1) + 1] = "";
    size_t len = 0;
    for (const struct acme_challenge *c = w->shown; c != NULL && len < sizeof text; c = c->next) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s\n", c->token);
    }
    return w->memory >= 0 ? acme_posix_replace(w->memory, MEMORY, 0600, text, len) : 0;
}

static struct acme_challenge **find(struct acme_webroot *w, const struct acme_challenge *challenge)
{
    struct acme_challenge **at = &w->shown;
    while (*at != NULL && *at != challenge) {
        at = &(*at)->next;
    }
    return at;
}

static int publish(struct acme_webroot *w, struct acme_challenge *challenge)
{
    char text[ACME_KEY_AUTHORIZATION_MAX + 1];
    size_t depth;
    int code = token_ok(challenge->token) ? 0 : EINVAL;

    if (w->shown == NULL) { /* the first one opens the way */
        if (w->place >= 0) {
            (void)close(w->place);
            w->place = -1;
        }
        w->path[0] = '\0';
        w->place = code == 0 ? go_down(w, true, &depth) : -1;
        w->path_len = strlen(w->path);
    }
    if (code != 0 || w->place < 0) {
        return code != 0 ? code : errno;
    }
    (void)snprintf(w->path + w->path_len, sizeof w->path - w->path_len, "/%s", challenge->token);
    struct acme_challenge **at = find(w, challenge);
    if (*at == NULL) {
        *at = challenge;
        challenge->next = NULL;
    }
    code = remember(w);
    (void)snprintf(text, sizeof text, "%s.%s", challenge->token, challenge->thumbprint);
    return code != 0 ? code : acme_posix_replace(w->place, challenge->token, 0644, text, strlen(text));
}

/* Takes the answer away, if it is there. */
static void take_back(struct acme_webroot *w, const struct acme_challenge *challenge)
{
    struct acme_challenge **at = find(w, challenge);
    if (*at != NULL) {
        *at = challenge->next;
        (void)unlinkat(w->place, challenge->token, 0);
        (void)remember(w);
    }
    if (w->shown == NULL && w->place >= 0) {
        (void)close(w->place);
        w->place = -1;
    }
}

static int webroot_present(void *ctx, struct acme_challenge *challenge)
{
    struct acme_webroot *w = ctx;
    w->error = publish(w, challenge);
    if (w->error != 0) {
        take_back(w, challenge);
    }
    return w->error == 0 ? 1 : ACME_E_SOLVER;
}

static void webroot_withdraw(void *ctx, struct acme_challenge *challenge)
{
    take_back(ctx, challenge);
}

static void sweep_one(struct acme_webroot *w, const char *token)
{
    char temporary[ACME_TOKEN_MAX + 8];
    (void)snprintf(temporary, sizeof temporary, ".%.*s.tmp", ACME_TOKEN_MAX, token);
    (void)unlinkat(w->place, temporary, 0);
    (void)unlinkat(w->place, token, 0);
}

void acme_webroot_sweep(struct acme_webroot *w, int memory)
{
    size_t depth = 0;
    char text[ACME_NAMES_MAX * (ACME_TOKEN_MAX + 1) + 1];
    int len = 0;
    int code = acme_posix_read(memory, MEMORY, O_NOFOLLOW, text, sizeof text - 1, &len);

    w->memory = memory;
    text[len < 0 || (size_t)len > sizeof text - 1 ? 0 : len] = '\0';
    w->place = code == 0 && text[0] != '\0' ? go_down(w, false, &depth) : -1;
    for (char *token = text, *end; w->place >= 0 && depth == 2 && token[0] != '\0'; token = end) {
        end = token + strcspn(token, "\n");
        end += *end != '\0' ? 1 : 0;
        token[strcspn(token, "\n")] = '\0';
        if (token_ok(token)) {
            sweep_one(w, token);
        }
    }
    if (w->place >= 0) {
        (void)close(w->place);
        w->place = -1;
    }
    if (code != 0 || len > 0) {
        (void)acme_posix_replace(memory, MEMORY, 0600, NULL, 0);
    }
}

void acme_webroot_init(struct acme_webroot *w, const char *directory)
{
    static const struct acme_solver solver = {
        .type = "http-01", .present = webroot_present, .withdraw = webroot_withdraw};
    w->solver = solver;
    w->solver.ctx = w;
    w->directory = directory;
    w->shown = NULL;
    w->top = w->place = w->memory = -1;
    w->path[0] = '\0';
    w->error = 0;
}
