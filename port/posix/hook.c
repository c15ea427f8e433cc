/* hook.c - starts a hook, watches over it and tells how it ended. No shell, no pipe: only its own end counts, not
 * that of what it leaves running. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "acme_config.h"
#include "child.h"
#include "hook.h"
#include "posix.h"
#include "wire/slice.h"

/* What comes back from the process that starts it; struct acme_hook_go goes there. */
struct end {
    enum { EXITED, KILLED, TOO_LONG, NOT_STARTED } how;
    int value; /* exit status, signal, seconds, errno */
};

/* Who else can put another program in the place of this one? Returns NULL, or what is wrong with a folder on the way. */
static const char *check_way(char path[PATH_MAX])
{
    struct stat is;

    for (char *slash = strrchr(path, '/'); slash != NULL; slash = strrchr(path, '/')) {
        slash[slash == path] = '\0';
        /* In a folder such as /tmp nobody can move what is root's. */
        if (stat(path, &is) != 0 || is.st_uid != 0 || ((is.st_mode & 022) != 0 && (is.st_mode & S_ISVTX) == 0)) {
            return "others may change a folder on the way to it, so root does not run it";
        }
        if (slash == path) {
            return NULL;
        }
    }
    return NULL;
}

/* `right`: X_OK of a program, R_OK of what is loaded into one. */
static const char *check_file(const char *path, int right)
{
    char resolved[PATH_MAX];
    struct stat is;
    bool root = geteuid() == 0;

    if (realpath(path, resolved) == NULL || stat(resolved, &is) != 0) {
        return errno == ENOENT ? "there is no such file" : strerror(errno);
    }
    if (!S_ISREG(is.st_mode)) {
        return "not a file";
    }
    if (faccessat(AT_FDCWD, resolved, right, AT_EACCESS) != 0) {
        return right == X_OK ? "not executable" : strerror(errno);
    }
    if ((is.st_mode & S_IWOTH) != 0) {
        return "others may write to it";
    }
    if (!root) {
        return NULL;
    }
    if (is.st_uid != 0 || (is.st_mode & S_IWGRP) != 0) {
        return "others than root may write to it, so root does not run it";
    }
    const char *wrong = check_way(resolved);
    /* The name as given may be a link: whoever can change that one chooses the program too. */
    (void)snprintf(resolved, sizeof resolved, "%s", path);
    return wrong != NULL ? wrong : check_way(resolved);
}

const char *acme_hook_check(const char *path)
{
    return path[0] != '/' ? "not an absolute path; it is one program without arguments, and no shell reads it"
                          : check_file(path, X_OK);
}

const char *acme_hook_check_module(const char *path)
{
    return path[0] != '/' ? "not an absolute path" : check_file(path, R_OK);
}

/* The process that starts it */

/* Words of its environment. */
static struct {
    char text[ACME_NAMES_MAX * 600 + 8 * ACME_POSIX_PATH_MAX + 4096];
    size_t len;
    char *at[24];
    size_t count;
    bool full;
} words;

/* Adds a word, which stays at the same place. */
__attribute__((format(printf, 1, 2))) static char *word(const char *format, ...)
{
    va_list list;
    char *at = words.text + words.len;
    int need;

    va_start(list, format);
    need = vsnprintf(at, sizeof words.text - words.len, format, list);
    va_end(list);
    words.full = words.full || need < 0 || (size_t)need >= sizeof words.text - words.len;
    words.len += words.full ? 0 : (size_t)need + 1;
    return at;
}

static void variable(const char *name, const char *value)
{
    if (value != NULL && words.count + 1 < sizeof words.at / sizeof *words.at) {
        words.at[words.count++] = word("%s=%s", name, value);
    }
}

/* The beginning of an environment, the same for all. */
static void fill_common(void)
{
    static const char *const passed[] = {"HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR"};

    words.len = words.count = 0;
    words.full = false;
    variable("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        variable(passed[i], getenv(passed[i]));
    }
}

/* A text of the run's that is to be a word: it ends, and holds nothing but these characters. */
static bool is_word(const char *text, size_t size, bool dot)
{
    size_t len = strnlen(text, size);
    size_t good = strspn(text, dot ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
                                   : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    return len > 0 && len < size && good == len;
}

/* The run may have been taken over by whoever sent it something: nothing but what a challenge can be goes on from it. */
static bool is_challenge(const struct acme_hook_about *about, const struct acme_hook_go *go)
{
    static const char *const verbs[] = {"begin", "done", "failed"};
    static const char *const types[] = {"http-01", "dns-01", "tls-alpn-01", "dns-account-01"};
    bool verb = false, type = false, name = false;

    if (memchr(go->verb, 0, sizeof go->verb) == NULL || memchr(go->type, 0, sizeof go->type) == NULL ||
        memchr(go->name, 0, sizeof go->name) == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        verb = verb || strcmp(go->verb, verbs[i]) == 0;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        type = type || strcmp(go->type, types[i]) == 0;
    }
    for (size_t i = 0; i < about->name_count; i++) {
        const char *whole = about->names[i];
        name = name || strcmp(go->name, strncmp(whole, "*.", 2) == 0 ? whole + 2 : whole) == 0;
    }
    bool label = go->label[0] == '\0' || is_word(go->label, sizeof go->label, true);
    return verb && type && name && label && is_word(go->token, sizeof go->token, false) &&
           is_word(go->auth, sizeof go->auth, true);
}

/* Puts arguments and environment together. Returns false when they do not fit, or are none. */
static bool fill_challenge(const struct acme_hook_about *about, const struct acme_hook_go *go, char *arguments[7])
{
    const char *const texts[] = {about->path, go->verb, go->type, go->name, go->token, go->auth};

    if (!is_challenge(about, go)) {
        return false;
    }
    fill_common();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        arguments[i] = word("%s", texts[i]);
    }
    for (char *at = arguments[3]; *at != '\0'; at++) { /* as the CA has it: it is compared with zones and files */
        *at = acme_lower(*at);
    }
    arguments[6] = NULL;
    if (go->label[0] != '\0') {
        variable("NANOACME_RECORD", word("%s%s", go->label, arguments[3]));
    }
    words.at[words.count] = NULL;
    return !words.full;
}

static bool fill_deploy(const struct acme_hook_about *about, const struct acme_hook_go *go, char *arguments[7])
{
    char date[32] = "", all[ACME_NAMES_MAX * 256], cwd[PATH_MAX] = "";
    time_t at = (time_t)go->not_after;
    struct tm utc;
    size_t len = 0;
    const char *pair;

    fill_common();
    words.full = about->state[0] != '/' && getcwd(cwd, sizeof cwd) == NULL;
    all[0] = '\0';
    for (size_t i = 0; i < about->name_count && len < sizeof all; i++) {
        len += (size_t)snprintf(all + len, sizeof all - len, "%s%s", i > 0 ? " " : "", about->names[i]);
    }
    words.full = words.full || len >= sizeof all;
    if (gmtime_r(&at, &utc) != NULL) {
        date[strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc)] = '\0';
    }
    pair = word("%s%s%s/%s", cwd, cwd[0] != '\0' ? "/" : "", about->state, about->name);
    arguments[0] = word("%s", about->path);
    arguments[1] = word("deploy");
    arguments[2] = word("%s", about->name);
    arguments[3] = about->key != NULL ? word("%s", about->key) : word("%s/privkey.pem", pair);
    arguments[4] = word("%s/fullchain.pem", pair);
    arguments[5] = NULL;
    variable("NANOACME_NAME", about->name);
    variable("NANOACME_NAMES", all);
    variable("NANOACME_KEY", arguments[3]);
    variable("NANOACME_FULLCHAIN", arguments[4]);
    variable("NANOACME_REASON", go->renewed ? "renewed" : "issued");
    variable("NANOACME_NOT_AFTER", date);
    variable("RENEWED_LINEAGE", pair); /* these two as certbot has them */
    variable("RENEWED_DOMAINS", all);
    words.at[words.count] = NULL;
    return !words.full;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_child(int signal)
{
    (void)signal;
}

/* Becomes the hook: nothing of ours goes with it, but standard error. Returns when that cannot be. */
static void become(char *const arguments[])
{
    struct sigaction plain;
    sigset_t none;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    memset(&plain, 0, sizeof plain);
    plain.sa_handler = SIG_DFL;
    /* The C library refuses those it keeps for itself, and sets them where it needs them. */
    for (int i = 1; i < NSIG; i++) {
        (void)sigaction(i, &plain, NULL);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 && chdir("/") == 0) {
        (void)execve(arguments[0], arguments, words.at);
    }
}

/* Starts it. Returns its process, or -1: errno. */
static pid_t start(char *const arguments[])
{
    int report[2], code = 0;
    pid_t child;
    ssize_t n;

    if (pipe2(report, O_CLOEXEC) != 0) {
        return -1;
    }
    child = fork();
    if (child == 0) {
        become(arguments);
        code = errno;
        n = write(report[1], &code, sizeof code);
        _exit(n > 0 ? 1 : 2);
    }
    code = child < 0 ? errno : 0;
    (void)close(report[1]);
    if (child > 0) {
        (void)setpgid(child, child); /* here too: whoever comes first */
        do {                         /* ends as soon as it has become the hook */
            n = read(report[0], &code, sizeof code);
        } while (n < 0 && errno == EINTR);
        if (n > 0) {
            (void)waitpid(child, NULL, 0);
        }
    }
    (void)close(report[0]);
    errno = code;
    return code != 0 ? -1 : child;
}

/* Sleeps until a child ends, the run does (true), or a moment has come. */
static bool sleep_until(int fd, int64_t until)
{
    struct pollfd run = {.fd = fd, .events = POLLIN};
    int64_t left = until - now_ms();
    struct timespec time;
    sigset_t none;

    left = left < 0 ? 0 : left;
    time.tv_sec = (time_t)(left / 1000);
    time.tv_nsec = (long)(left % 1000) * 1000000;
    (void)sigemptyset(&none);
    return ppoll(&run, 1, &time, &none) > 0;
}

/* Waits for the hook and for nothing it has started; ends it when that takes too long, or when the run has ended. */
static struct end watch(pid_t child, int fd, unsigned limit_s)
{
    int64_t until = now_ms() + (int64_t)limit_s * 1000;
    int stage = 0, status = 0;
    siginfo_t info;

    for (;;) {
        info.si_pid = 0;
        if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == child) {
            break;
        }
        if (now_ms() >= until) {
            if (stage == 2) {
                break; /* hangs in the kernel: it is reaped when it comes out of there */
            }
            (void)kill(-child, stage == 0 ? SIGTERM : SIGKILL);
            until = now_ms() + ACME_HOOK_GRACE_S * 1000;
            stage++;
        }
        if (sleep_until(stage == 0 ? fd : -1, until)) {
            until = 0;
        }
    }
    if (stage > 0) {
        (void)kill(-child, SIGKILL); /* what it has started and what did not obey; the group is still its own */
    }
    child = waitpid(child, &status, stage == 2 ? WNOHANG : 0);
    return stage > 0             ? (struct end){TOO_LONG, (int)limit_s}
           : child < 0           ? (struct end){NOT_STARTED, errno}
           : WIFSIGNALED(status) ? (struct end){KILLED, WTERMSIG(status)}
                                 : (struct end){EXITED, WEXITSTATUS(status)};
}

__attribute__((noreturn)) static void serve(const struct acme_hook_about *about, int fd)
{
    static const int not_ours[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE}; /* the run decides, and its end is ours */
    struct sigaction action;
    sigset_t held;
    struct acme_hook_go go;

    (void)setsid();
    memset(&action, 0, sizeof action);
    action.sa_handler = on_child;
    (void)sigaction(SIGCHLD, &action, NULL);
    action.sa_handler = SIG_IGN;
    for (size_t i = 0; i < sizeof not_ours / sizeof *not_ours; i++) {
        (void)sigaction(not_ours[i], &action, NULL);
    }
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &held, NULL);
    acme_child_keep_only(fd);
    while (recv(fd, &go, sizeof go, 0) == (ssize_t)sizeof go) {
        char *arguments[7];
        struct end end = {NOT_STARTED, ENAMETOOLONG};
        pid_t child = -1;

        while (waitpid(-1, NULL, WNOHANG) > 0) { /* one that came out of the kernel late */
        }
        if (about->challenges ? fill_challenge(about, &go, arguments) : fill_deploy(about, &go, arguments)) {
            child = start(arguments);
            end.value = errno;
        }
        if (child > 0) {
            end = watch(child, fd, about->limit_s != 0 ? about->limit_s : ACME_HOOK_LIMIT_S);
        }
        (void)send(fd, &end, sizeof end, MSG_NOSIGNAL);
    }
    _exit(0);
}

/* The run */

int acme_hook_start(struct acme_hook *h, const struct acme_hook_about *about)
{
    int pair[2];

    h->fd = -1;
    h->under_way = false;
    h->words[0] = '\0';
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return errno;
    }
    h->starter = fork();
    if (h->starter == 0) {
        (void)close(pair[0]);
        serve(about, pair[1]);
    }
    int code = errno;
    (void)close(pair[1]);
    if (h->starter < 0) {
        (void)close(pair[0]);
        return code;
    }
    h->fd = pair[0];
    return 0;
}

/* Says how it ended. Returns 1 when that is well, else -1. */
static int judge(struct acme_hook *h, const struct end *end)
{
    static const char interpreter[] =
        "it is not there any more, or what the first line of the script names to run it is not";
    char *to = h->words;
    size_t room = sizeof h->words;

    switch (end->how) {
    case EXITED:
        h->status = end->value;
        (void)snprintf(to, room, "exit status %d%s", end->value,
                       end->value == 126   ? ", by which shells mean a command that may not be executed"
                       : end->value == 127 ? ", by which shells mean a command that was not found"
                                           : "");
        return end->value == 0 ? 1 : -1;
    case KILLED:
        (void)snprintf(to, room, "killed by signal %d (%s)", end->value, strsignal(end->value));
        return -1;
    case TOO_LONG:
        (void)snprintf(to, room, "not done after %d s, and ended", end->value);
        return -1;
    case NOT_STARTED:
        (void)snprintf(to, room, "cannot be started: %s",
                       end->value == ENOEXEC  ? "not a program; a script begins with a line such as #!/bin/sh"
                       : end->value == ENOENT ? interpreter
                       : end->value == EACCES ? "no right to execute it, or what the first line of the script names"
                                              : strerror(end->value));
        return -1;
    }
    return -1;
}

int acme_hook_tick(struct acme_hook *h, const struct acme_hook_go *go)
{
    struct end end;
    ssize_t n;

    h->status = -1;
    if (!h->under_way) {
        h->under_way = h->fd >= 0 && send(h->fd, go, sizeof *go, MSG_NOSIGNAL) == (ssize_t)sizeof *go;
        if (h->under_way) {
            return 0;
        }
        n = 0;
    } else {
        n = recv(h->fd, &end, sizeof end, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return 0;
        }
    }
    h->under_way = false;
    if (n != (ssize_t)sizeof end) {
        (void)snprintf(h->words, sizeof h->words, "cannot be started: the process that does it has ended");
        return -1;
    }
    return judge(h, &end);
}

void acme_hook_close(struct acme_hook *h)
{
    if (h->fd < 0) {
        return;
    }
    (void)close(h->fd);
    h->fd = -1;
    h->under_way = false;
    while (waitpid(h->starter, NULL, 0) < 0 && errno == EINTR) {
    }
}
