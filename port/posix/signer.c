/* signer.c - see signer.h. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "hook.h"
#include "report.h"
#include "signer.h"
#include "secure/digest.h"
#include "secure/wipe.h"

#define NOTE      ".pin-refused" /* in the state directory: marks of PIN files, a line each */
#define NOTE_MAX  2048
#define MARK_LEN  32 /* characters of a mark */
#define CLOSING_S 2

/* --- the process that signs --- */

static struct acme_token tokens[ACME_SIGNER_KEYS];

static enum acme_token_fault open_one(struct acme_token *t, const struct acme_key_uri *uri)
{
    const char *wrong = uri->pin_source[0] != '\0' ? acme_token_pin(t, uri->pin_source) : NULL;

    if (wrong != NULL) {
        (void)snprintf(t->words, sizeof t->words, "pin-source: %.300s: %s", uri->pin_source, wrong);
        return ACME_TOKEN_SETUP;
    }
    t->uri = uri;
    t->f = acme_token_load(uri->module, t->words);
    return t->f != NULL ? acme_token_open(t) : ACME_TOKEN_SETUP;
}

static void do_open(const struct acme_signer *s, struct acme_signer_result *r)
{
    for (unsigned i = 0; i < ACME_SIGNER_KEYS && r->fault == ACME_TOKEN_OK; i++) {
        if (s->keys[i].text != NULL) {
            r->failed = i;
            r->fault = open_one(&tokens[i], &s->keys[i].uri);
            memcpy(r->points[i], tokens[i].point, sizeof r->points[i]);
        }
    }
}

static void do_task(const struct acme_signer *s, struct acme_signer_result *r)
{
    const struct acme_signer_task *task = &r->task;

    if (task->open) {
        do_open(s, r);
    } else if (task->which < ACME_SIGNER_KEYS && tokens[task->which].open) {
        r->failed = task->which;
        r->fault = acme_token_sign(&tokens[task->which], task->digest, r->signature);
    } else {
        r->fault = ACME_TOKEN_SETUP;
    }
    if (r->fault != ACME_TOKEN_OK) {
        memcpy(r->words, tokens[r->failed].words, sizeof r->words);
    }
}

/* Signals are the run's affair. What a module does for too long ends the process, as the end of the run does. */
static void set_signals(pid_t run)
{
    static const int not_ours[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    struct sigaction action;
    sigset_t none;

    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    for (size_t i = 0; i < sizeof not_ours / sizeof *not_ours; i++) {
        (void)sigaction(not_ours[i], &action, NULL);
    }
    action.sa_handler = SIG_DFL;
    (void)sigaction(SIGALRM, &action, NULL);
    (void)sigaction(SIGCHLD, &action, NULL); /* modules may have children of their own */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_DUMPABLE, 0); /* the PIN is in our memory */
    if (getppid() != run) {
        _exit(1);
    }
}

__attribute__((noreturn)) static void serve(const struct acme_signer *s, int fd, pid_t run)
{
    struct acme_signer_result r;

    (void)setsid();
    set_signals(run);
    acme_child_keep_only(fd);
    memset(&r, 0, sizeof r);
    while (recv(fd, &r.task, sizeof r.task, 0) == (ssize_t)sizeof r.task) {
        (void)alarm(ACME_SIGNER_LIMIT_S);
        do_task(s, &r);
        (void)alarm(0);
        (void)send(fd, &r, sizeof r, MSG_NOSIGNAL);
        memset(&r, 0, sizeof r);
    }
    (void)alarm(CLOSING_S);
    for (unsigned i = 0; i < ACME_SIGNER_KEYS; i++) {
        if (tokens[i].f != NULL) {
            (void)tokens[i].f->finalize(NULL);
        }
    }
    acme_wipe(tokens, sizeof tokens);
    _exit(0);
}

/* --- the run --- */

static const char *const words[] = {"account_key", "key"};
static const enum acme_config_key rows[] = {ACME_KEY_ACCOUNT_KEY, ACME_KEY_KEY};

int acme_signer_check(struct acme_signer *s, const struct acme_config *config)
{
    const char *const texts[] = {config->account_key, config->key};

    s->fd = s->refused = -1;
    for (unsigned i = 0; i < ACME_SIGNER_KEYS; i++) {
        struct acme_signer_key *k = &s->keys[i];
        const char *wrong;

        memset(k, 0, sizeof *k);
        k->signer = s;
        k->text = texts[i];
        if (k->text == NULL) {
            continue;
        }
        wrong = acme_key_uri_read(&k->uri, k->text);
        if (wrong != NULL) {
            acme_report_error("%s: %s", words[i], wrong); /* without the URI: a PIN may stand in it */
            return acme_config_blame(config, rows[i]);
        }
        wrong = acme_hook_check_module(k->uri.module);
        if (wrong != NULL) {
            acme_report_error("%s: module-path: \"%.300s\": %s", words[i], k->uri.module, wrong);
            return acme_config_blame(config, rows[i]);
        }
    }
    return 0;
}

/* What tells this PIN for this token from the next one that is put into the file. */
static void mark_pin_file(struct acme_signer_key *k)
{
    struct stat is;
    char text[160] = "";

    if (k->uri.pin_source[0] != '\0' && stat(k->uri.pin_source, &is) == 0) {
        (void)snprintf(text, sizeof text, "%lld %lld %lld %lld %ld", (long long)is.st_dev, (long long)is.st_ino,
                       (long long)is.st_size, (long long)is.st_mtim.tv_sec, (long)is.st_mtim.tv_nsec);
    }
    const struct acme_slice parts[] = {acme_slice(k->uri.token, sizeof k->uri.token),
                                       acme_slice(k->uri.serial, sizeof k->uri.serial),
                                       acme_slice_of(k->uri.module),
                                       acme_slice("", 1),
                                       acme_slice_of(k->uri.pin_source),
                                       acme_slice("", 1),
                                       acme_slice_of(text)};
    acme_sha256(parts, sizeof parts / sizeof *parts, k->pin_file);
}

int acme_signer_start(struct acme_signer *s)
{
    pid_t run = getpid();
    int pair[2], code;

    if (s->keys[ACME_SIGNER_ACCOUNT].text == NULL && s->keys[ACME_SIGNER_CERTIFICATE].text == NULL) {
        return 0;
    }
    for (unsigned i = 0; i < ACME_SIGNER_KEYS; i++) {
        mark_pin_file(&s->keys[i]);
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return errno;
    }
    s->process = fork();
    if (s->process == 0) {
        (void)close(pair[0]);
        serve(s, pair[1], run);
    }
    code = errno;
    (void)close(pair[1]);
    if (s->process < 0) {
        (void)close(pair[0]);
        return code;
    }
    s->fd = pair[0];
    return 0;
}

/* A line of the note. */
static void mark_text(const struct acme_signer_key *k, char text[MARK_LEN + 2])
{
    for (unsigned i = 0; i < MARK_LEN / 2; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", k->pin_file[i]);
    }
    text[MARK_LEN] = '\n';
    text[MARK_LEN + 1] = '\0';
}

static size_t read_note(int state, const char *file, char note[NOTE_MAX + 1])
{
    int len = 0;
    bool good = state >= 0 && acme_posix_read(state, file, O_NOFOLLOW, note, NOTE_MAX, &len) == 0 && len > 0 &&
                len <= NOTE_MAX;
    note[good ? len : 0] = '\0';
    return good ? (size_t)len : 0;
}

/* A trial has a folder of its own within the state directory; but the token's patience is one for both. */
static bool is_noted(const struct acme_signer_key *k, int state)
{
    static const char *const files[] = {NOTE, "../" NOTE, ".dry-run/" NOTE};
    char note[NOTE_MAX + 1], mark[MARK_LEN + 2];
    bool found = false;

    mark_text(k, mark);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)read_note(state, files[i], note);
        found = found || strstr(note, mark) != NULL;
    }
    return found;
}

/* The oldest makes room. */
static void note_refusal(const struct acme_signer_key *k, int state)
{
    char note[NOTE_MAX + 1], mark[MARK_LEN + 2];
    size_t len = read_note(state, NOTE, note), skip = 0;

    mark_text(k, mark);
    if (strstr(note, mark) != NULL) {
        return;
    }
    while (len - skip + MARK_LEN + 1 > NOTE_MAX) {
        skip += strcspn(note + skip, "\n") + 1;
    }
    memmove(note, note + skip, len - skip);
    memcpy(note + len - skip, mark, MARK_LEN + 1);
    if (state < 0 || acme_posix_replace(state, NOTE, 0600, note, len - skip + MARK_LEN + 1) != 0) {
        acme_report_error("that the PIN was refused cannot be noted: the next run tries it again");
    }
}

void acme_signer_note(const struct acme_signer *s, int state)
{
    if (s->refused >= 0) {
        note_refusal(&s->keys[s->refused], state);
    }
}

/* Waits for what comes back. Returns 1, 0 when a signal came first, or -1: the process has ended. */
static int wait_for(struct acme_signer *s, struct acme_signer_result *r, const volatile sig_atomic_t *stop)
{
    struct pollfd at = {.fd = s->fd, .events = POLLIN};
    int ready = 0;

    while (ready <= 0 && *stop == 0) {
        ready = poll(&at, 1, 100);
    }
    return ready <= 0 ? 0 : recv(s->fd, r, sizeof *r, 0) == (ssize_t)sizeof *r ? 1 : -1;
}

static void ended(struct acme_signer *s, const char *word)
{
    (void)snprintf(s->words, sizeof s->words,
                   "%s%sthe process that signs has ended: its module has crashed, or took longer than %d s", word,
                   word[0] != '\0' ? ": " : "", ACME_SIGNER_LIMIT_S);
}

/* Keeps what went wrong. */
static void keep_fault(struct acme_signer *s, const struct acme_signer_result *r)
{
    unsigned which = r->failed < ACME_SIGNER_KEYS ? r->failed : 0;
    const char *file = s->keys[which].uri.pin_source;

    (void)snprintf(s->words, sizeof s->words, "%s: %.399s", words[which], r->words);
    if (r->fault == ACME_TOKEN_PIN) {
        size_t len = strlen(s->words);
        s->refused = (int)which;
        (void)snprintf(s->words + len, sizeof s->words - len, "; not tried again %swith --force",
                       file[0] != '\0' ? "before its file is written anew, or " : "but ");
    }
}

int acme_signer_open(struct acme_signer *s, const struct acme_config *config, int state,
                     const volatile sig_atomic_t *stop)
{
    const struct acme_signer_task task = {.open = true};
    struct acme_signer_result r;
    int got;

    if (s->fd < 0) {
        return 0;
    }
    for (unsigned i = 0; i < ACME_SIGNER_KEYS && !config->force; i++) {
        if (s->keys[i].text != NULL && is_noted(&s->keys[i], state)) {
            (void)snprintf(s->words, sizeof s->words,
                           "%s: the token has refused the PIN in %.300s; it is not tried again, for that would lock "
                           "it, before that file is written anew, or with --force",
                           words[i], s->keys[i].uri.pin_source);
            return acme_config_blame(config, rows[i]);
        }
    }
    (void)send(s->fd, &task, sizeof task, MSG_NOSIGNAL);
    got = wait_for(s, &r, stop);
    if (got <= 0) {
        ended(s, s->keys[0].text != NULL ? words[0] : words[1]);
        if (got == 0) {
            (void)snprintf(s->words, sizeof s->words, "stopped by a signal");
        }
        return ACME_EXIT_FAILED;
    }
    if (r.fault != ACME_TOKEN_OK) {
        keep_fault(s, &r);
        acme_signer_note(s, state);
        return r.fault == ACME_TOKEN_TROUBLE ? ACME_EXIT_FAILED
                                             : acme_config_blame(config, rows[r.failed < 2 ? r.failed : 0]);
    }
    for (unsigned i = 0; i < ACME_SIGNER_KEYS; i++) {
        memcpy(s->keys[i].point, r.points[i], sizeof r.points[i]);
    }
    if (memcmp(r.points[0], r.points[1], sizeof r.points[0]) == 0) {
        (void)snprintf(s->words, sizeof s->words, "key: the same as account_key; they must differ (RFC 8555, 11.1)");
        return acme_config_blame(config, ACME_KEY_KEY);
    }
    return 0;
}

void acme_signer_close(struct acme_signer *s)
{
    const struct timespec pause = {0, 10000000};

    if (s->fd < 0) {
        return;
    }
    (void)close(s->fd);
    s->fd = -1;
    for (unsigned i = 0; i < CLOSING_S * 100 && waitpid(s->process, NULL, WNOHANG) == 0; i++) {
        (void)nanosleep(&pause, NULL);
    }
}

/* --- the keys' operations --- */

static int point(void *handle, uint8_t to[65])
{
    const struct acme_signer_key *k = handle;

    memcpy(to, k->point, sizeof k->point);
    return k->point[0] == 0x04 ? 0 : ACME_E_KEY;
}

/* What comes for a key while another one is asked was given up: it is asked for anew when it is wanted again. */
static void pass_over(struct acme_signer *s, const struct acme_signer_result *r)
{
    struct acme_signer_key *other = &s->keys[r->task.which < ACME_SIGNER_KEYS ? r->task.which : 0];

    if (memcmp(other->digest, r->task.digest, sizeof other->digest) == 0) {
        other->asked = false;
    }
}

/* Takes what has come for this key and digest. */
static int take(struct acme_signer_key *k, uint8_t signature[64])
{
    struct acme_signer *s = k->signer;
    struct acme_signer_result r;

    for (;;) {
        ssize_t n = recv(s->fd, &r, sizeof r, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return 1;
        }
        if (n != (ssize_t)sizeof r) {
            k->asked = false;
            ended(s, words[k - s->keys]);
            return ACME_E_KEY;
        }
        if (r.task.which != (unsigned)(k - s->keys) || memcmp(r.task.digest, k->digest, sizeof k->digest) != 0) {
            pass_over(s, &r);
            continue;
        }
        k->asked = false;
        if (r.fault != ACME_TOKEN_OK) {
            keep_fault(s, &r);
            return ACME_E_KEY;
        }
        memcpy(signature, r.signature, sizeof r.signature);
        return 0;
    }
}

static int sign(void *handle, const uint8_t digest[32], uint8_t signature[64])
{
    struct acme_signer_key *k = handle;
    struct acme_signer_task task = {.which = (unsigned)(k - k->signer->keys)};

    if (k->asked && memcmp(k->digest, digest, sizeof k->digest) == 0) {
        return take(k, signature);
    }
    memcpy(task.digest, digest, sizeof task.digest);
    memcpy(k->digest, digest, sizeof k->digest);
    k->asked = send(k->signer->fd, &task, sizeof task, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof task;
    if (!k->asked && errno != EAGAIN && errno != EINTR) {
        ended(k->signer, words[task.which]);
        return ACME_E_KEY;
    }
    return 1;
}

const struct acme_key_ops acme_signer_ops = {point, sign, NULL, NULL, NULL};
