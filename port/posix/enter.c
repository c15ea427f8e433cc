/* enter.c - from all rights to those that are needed: first the descriptors, then the user, the fence and the lock. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "enter.h"
#include "fence.h"
#include "report.h"

#define LOOK_MS 100

/* Says what stands in the way of the state directory, and what may help. */
static int refuse(const struct acme_posix_store *s, const struct acme_config *config, const char *below, int code)
{
    struct stat is;
    const struct passwd *owner;

    if (code == EACCES && s->dir >= 0 && config->user != NULL) {
        acme_report_error("state: cannot write %s%s: %s; to give it to %s: chown -R %s %s", s->state, below,
                          strerror(code), config->user, config->user, s->state);
    } else if (code == EACCES && s->dir >= 0 && fstat(s->dir, &is) == 0 && is.st_uid != geteuid() &&
               (owner = getpwuid(is.st_uid)) != NULL) {
        acme_report_error(
            "state: cannot write %s%s: %s; it belongs to %s: run as that user, with --user %s or, in a unit of "
            "systemd, User=%s",
            s->state, below, strerror(code), owner->pw_name, owner->pw_name, owner->pw_name);
    } else {
        acme_report_error("state: cannot write %s%s: %s", s->state, below,
                          code == ELOOP ? "a link on the way lies in a folder that others may change, and is not "
                                          "followed: name the folder it leads to"
                                        : strerror(code));
    }
    return ACME_EXIT_FAILED;
}

/* Gives the state directory to the user, if it is new and nobody can have swapped it, and becomes that user. */
static int change_user(const struct acme_posix_store *s, const struct acme_config *config)
{
    int code = acme_fence_user(config->user, s->made ? s->dir : -1);

    if (code == 0) {
        return 0;
    }
    acme_report_error("user: cannot change to \"%.64s\": %s", config->user,
                      code == ENOENT  ? "there is no such user"
                      : code == EPERM ? "only root can, with CAP_SETUID and CAP_SETGID"
                                      : strerror(code));
    return code == ENOENT ? acme_config_blame(config, ACME_KEY_USER) : ACME_EXIT_FAILED;
}

static void fence(const struct acme_enter *e)
{
    struct acme_fence f = {.writable = {e->store->dir}, .count = 1};
    int lowest = -1;

    if (e->webroot != NULL && acme_webroot_open(e->webroot) == 0) {
        f.writable[f.count++] = e->webroot->top;
        lowest = acme_webroot_lowest(e->webroot);
        if (lowest >= 0) {
            f.writable[f.count++] = lowest; /* an administrator's link may have led out of the webroot */
        }
    }
    acme_fence_up(&f);
    if (lowest >= 0) {
        (void)close(lowest);
    }
}

/* Waits for the lock, which is ours until the program ends. */
static int take_lock(const struct acme_enter *e, const struct acme_config *config)
{
    const struct timespec pause = {0, LOOK_MS * 1000000L};
    int fd = acme_posix_store_lock(e->store);

    if (fd < 0) {
        return refuse(e->store, config, "/.lock", errno);
    }
    for (unsigned looks = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; looks++) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return refuse(e->store, config, "/.lock", errno);
        }
        if (*e->stop != 0) {
            acme_report_error("stopped by a signal");
            return ACME_EXIT_FAILED;
        }
        if (looks >= e->patience_s * 1000 / LOOK_MS) {
            acme_report_error("another nanoacme is at work in %s, for more than %u s already", e->store->state,
                              e->patience_s);
            return ACME_EXIT_FAILED;
        }
        if (looks == 20) { /* one that has nothing to do is over before that */
            acme_report_error("another nanoacme is at work in %s; waiting for it", e->store->state);
        }
        (void)nanosleep(&pause, NULL);
    }
    (void)futimens(fd, NULL); /* when somebody was at work here last is for who watches */
    return 0;
}

int acme_enter(const struct acme_enter *e, const struct acme_config *config)
{
    int code;

    if (strlen(config->state) + 300 > ACME_POSIX_PATH_MAX) {
        acme_report_error("state: path longer than %d bytes", ACME_POSIX_PATH_MAX - 300);
        return acme_config_blame(config, ACME_KEY_STATE);
    }
    e->store->made = config->user != NULL; /* in a folder that others may change the user makes it */
    code = acme_posix_store_make(e->store);
    if (code != 0 && (code != ENOENT || config->user == NULL)) {
        return refuse(e->store, config, "", code);
    }
    if (e->webroot != NULL) {
        (void)acme_webroot_open(e->webroot); /* what is wrong with it is told when it is needed */
    }
    if (config->user != NULL) {
        if (e->listener != NULL) {
            acme_posix_listener_keep(e->listener);
        }
        if (e->tls_listener != NULL) {
            acme_posix_listener_keep(e->tls_listener);
        }
        if ((code = change_user(e->store, config)) != 0) {
            return code;
        }
        e->store->made = false;
        if ((code = acme_posix_store_make(e->store)) != 0) {
            return refuse(e->store, config, "", code);
        }
    }
    fence(e);
    return take_lock(e, config);
}
