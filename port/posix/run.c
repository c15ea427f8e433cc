/* run.c - a run of the client: signals, the loop, the state directory before and after. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "adopt.h"
#include "due.h"
#include "enter.h"
#include "hook.h"
#include "kept.h"
#include "look.h"
#include "run.h"
#include "secure/wipe.h"

#define PATIENCE_S 600  /* for another run in the same state directory */
#define HOOK_MS    100  /* between two looks at a hook that is under way */
#define SETTLE_MS  8000 /* after a signal, for the CA's answer: containers are killed 10 s after it */
#define ECHO_MS                                                                                                      \
    1000 /* signals of this time are one: a terminal and service managers tell the whole group, and our parent passes it on */

static struct acme_run run;
static struct acme_hook hook = {.fd = -1};

/* Signals that end a run in good order: the challenge answer is taken back. */
static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
volatile sig_atomic_t acme_signalled;

static void on_signal(int signal)
{
    (void)signal;
    acme_signalled = 1;
}

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

void acme_catch_signals(void)
{
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        /* What whoever started us has had ignored stays so, as nohup wants it. */
        if (sigaction(stops[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(stops[i], &action, NULL);
        }
    }
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
    (void)sigaction(SIGXFSZ, &action, NULL); /* a limit on the size of files is an error like a full disk */
}

/* Sleeps, `most` at the longest; a signal that comes between looking and sleeping wakes it all the same. */
static void sleep_while_idle(uint32_t most_ms)
{
    sigset_t ours, before;
    (void)sigemptyset(&ours);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        (void)sigaddset(&ours, stops[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &ours, &before);
    if (!acme_signalled) {
        uint32_t ms = acme_idle_ms(&run.client, acme_posix_now_ms());
        bool hooked = hook.under_way || run.solvers.hook.running != NULL;
        ms = hooked && ms > HOOK_MS ? HOOK_MS : ms;
        acme_posix_wait(&run.net, acme_run_listener(&run), ms < most_ms ? ms : most_ms, &before);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static enum acme_progress loop(void)
{
    enum acme_progress progress = ACME_BUSY;

    while (!acme_signalled && !acme_is_over(progress)) {
        uint64_t before = now_us(), took;
        progress = acme_tick(&run.client, acme_posix_now_ms());
        took = now_us() - before;
        if (took > run.report.longest_tick_us) {
            run.report.longest_tick_us = (uint32_t)took;
        }
        if (progress == ACME_IDLE) {
            sleep_while_idle(UINT32_MAX);
        }
    }
    return progress;
}

/* Whether one more signal has come, by somebody who does not want to wait. */
static bool is_told_again(uint32_t since_ms)
{
    if (acme_posix_now_ms() - since_ms < ECHO_MS) {
        acme_signalled = 0;
    }
    return acme_signalled != 0;
}

/* A signal has come. The CA may be looking for our answer, and its failure would be ours: so it gets a while to have done. */
static enum acme_progress settle(enum acme_progress progress)
{
    uint32_t since_ms = acme_posix_now_ms(), gone_ms = 0;

    if (acme_validating(&run.client) && !run.report.config->quiet) {
        acme_report_error(
            "stopping when the CA has looked for our answer, in %u s at most; one more signal ends it at once",
            SETTLE_MS / 1000U);
    }
    while (!is_told_again(since_ms) && !acme_is_over(progress) && gone_ms < SETTLE_MS &&
           acme_validating(&run.client)) {
        progress = acme_tick(&run.client, acme_posix_now_ms());
        if (progress == ACME_IDLE) {
            sleep_while_idle(HOOK_MS);
        }
        gone_ms = acme_posix_now_ms() - since_ms;
    }
    return progress;
}

/* What was withdrawn is taken away, which one more signal need not wait for. */
static void clear(void)
{
    uint32_t since_ms = acme_posix_now_ms();

    while (!is_told_again(since_ms) && acme_clearing(&run.client)) {
        if (acme_tick(&run.client, acme_posix_now_ms()) == ACME_IDLE) {
            sleep_while_idle(HOOK_MS);
        }
    }
}

/* Whether a run may make a new pair. */
static bool makes_pair(enum acme_task what)
{
#if ACME_CFG_RENEWAL
    return what == ACME_IF_DUE || what == ACME_NOW || what == ACME_KEEP;
#else
    return what == ACME_IF_DUE || what == ACME_NOW;
#endif
}

/* Whether a run is for a certificate that is due. */
static bool issues(enum acme_task what)
{
#if ACME_CFG_RENEWAL
    return what == ACME_IF_DUE || what == ACME_KEEP;
#else
    return what == ACME_IF_DUE;
#endif
}

/* Puts what a copy or a restore has left in order. Returns 0 or an exit code. */
static int set_right(enum acme_task what)
{
    struct acme_posix_store *s = &run.store;
    int done;

#if ACME_CFG_MANAGE
    struct stat is;
    if (what == ACME_CHANGE_KEY && fstatat(s->dir, "account.pem", &is, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(is.st_mode)) {
        acme_report_error(
            "%s/account.pem is a link, and what it leads to would keep the old key: put the key itself here first",
            s->state);
        return ACME_EXIT_FAILED;
    }
    if (what == ACME_CHANGE_KEY || what == ACME_DEACTIVATE || what == ACME_UPDATE) {
        return 0; /* about no certificate */
    }
#endif
    done = acme_adopt(s);
    if (done == -EEXIST) {
        acme_report_error(
            "%s exists and was not made by nanoacme, nor is a private key in it with its certificate; left "
            "alone: move it away, then run again",
            s->path);
    } else if (done < 0) {
        acme_report_error("cannot write %s: %s", s->path, strerror(-done));
    } else if (done > 0) {
        acme_report_error("%s: put in order; it was not the link that nanoacme makes", s->path);
    }
    if (issues(what) && acme_posix_pair_revoked(s)) {
        acme_report_error("the certificate in use was revoked: a new one is due");
        s->due = true;
    }
    return done < 0 ? ACME_EXIT_FAILED : 0;
}

/* Rights that a new pair could not be given are known before anything is asked for it. Returns 0 or an exit code. */
static int check_rights(void)
{
    struct acme_posix_store *s = &run.store;
    int code = acme_posix_pair_rights(s);
    const char *who = code != EPERM ? ""
                      : geteuid() == 0
                          ? "; root needs CAP_CHOWN for that"
                          : "; only root can, or a member of the group (SupplementaryGroups= in a unit of systemd)";

    if (code == 0) {
        return 0;
    }
    acme_report_error("%s: a new pair cannot have the owner, group and mode that %s: %s%s; the one in use stays",
                      s->path,
                      s->key_mode != 0 || s->key_group != ACME_POSIX_NO_GROUP ? "key_mode and key_group tell"
                                                                              : "the one in use has",
                      strerror(code), who);
    return ACME_EXIT_FAILED;
}

/* Has the keys in tokens found. Returns 0 or an exit code. */
static int open_keys(const struct acme_config *config)
{
    int code = acme_signer_open(&run.signer, config, run.store.dir, &acme_signalled);

    if (code != 0) {
        acme_report_error("%s", run.signer.words);
    } else if (run.store.key_elsewhere) {
        run.store.key_point = run.signer.keys[ACME_SIGNER_CERTIFICATE].point;
    }
    return code;
}

/* Takes hold of the state directory, and of what it holds. Returns 0 or an exit code. */
static int enter(const struct acme_config *config, enum acme_task what)
{
    bool serves = run.solvers.http, by_file = config->webroot != NULL;
    const struct acme_enter all = {.store = &run.store,
                                   .webroot = serves && by_file ? &run.webroot : NULL,
                                   .listener = serves && !by_file ? &run.listener : NULL,
                                   .tls_listener = run.solvers.tls ? &run.tls_listener : NULL,
                                   .stop = &acme_signalled,
                                   .patience_s = PATIENCE_S};
    int code = acme_enter(&all, config);

    code = code != 0 ? code : acme_check_room(&run.checked, config, run.store.dir);
    code = code != 0 ? code : open_keys(config);
    code = code != 0 ? code : set_right(what);
    code = code == 0 && makes_pair(what) ? check_rights() : code;
    if (code == 0 && all.webroot != NULL) {
        acme_webroot_sweep(&run.webroot, run.store.dir);
    }
    return code;
}

/* Keeps the setup beside the certificate; without it no later run would know how to renew. */
static int keep_setup(const struct acme_config *config)
{
    char error[512];

    if (acme_kept_write(config, run.checked.name_at, run.checked.name_count, &run.store, error) != 0) {
        acme_report_error("%s", error);
        return ACME_EXIT_FAILED;
    }
    return 0;
}

/* A first certificate: its setup is kept before anything is asked, for a run that is killed has to be gone on with as it was
 * begun. *first: it was not there before. Else it is kept when there is a certificate that was issued with it: what fails
 * changes nothing. Returns 0 or an exit code. */
static int keep_first(const struct acme_config *config, bool *first)
{
    struct acme_posix_store *s = &run.store;
    struct stat is;
    const char *slot;

    *first = acme_posix_place(s, ".", s->name, ".conf") == 0 &&
             fstatat(s->dir, s->file, &is, AT_SYMLINK_NOFOLLOW) != 0 && acme_posix_pair_in_use(s, &slot) == 0 &&
             slot == NULL;
    return *first ? keep_setup(config) : 0;
}

#if ACME_CFG_RENEWAL
/* The new pair is there and does not count yet: what it was issued with is kept first. */
static int offer(void *ctx, const struct acme_offer *pair)
{
    (void)pair;
    return keep_setup(ctx) == 0 ? 1 : ACME_E_OFFER;
}
#endif

#if ACME_CFG_RENEWAL
/* A pair before this one has left its key in the other slot, or a first one never had another. */
static bool had_another(void)
{
    static const char *const slots[] = {".a", ".b"};
    unsigned keys = 0;

    for (size_t i = 0; i < 2; i++) {
        int at = acme_posix_pair_open(&run.store, slots[i]);
        keys += at >= 0 && faccessat(at, run.store.key_elsewhere ? "fullchain.pem" : "privkey.pem", F_OK, 0) == 0;
        if (at >= 0) {
            (void)close(at);
        }
    }
    return keys == 2;
}

/* The new pair is in use: the hook is told, and looked after until it ends. */
static int taken(void *ctx)
{
    static char words[600];
    const struct acme_config *config = ctx;
    struct acme_leaf leaf = {.not_after = 0};
    struct acme_hook_go go = {.renewed = false};
    int result;

    if (!hook.under_way) {
        const char *slot;
        bool is_there = acme_posix_pair_in_use(&run.store, &slot) == 0 && slot != NULL;
        int at = is_there ? acme_posix_pair_open(&run.store, slot) : -1;
        if (at >= 0) {
            (void)acme_adopt_leaf(at, &leaf);
            (void)close(at);
        }
        go.renewed = had_another();
        go.not_after = leaf.not_after;
    }
    result = acme_hook_tick(&hook, &go);
    if (result < 0) {
        (void)snprintf(words, sizeof words, "%s: %s", config->deploy_hook, hook.words);
        run.report.deploy = words;
    }
    return result < 0 ? ACME_E_DEPLOY : result;
}

/* Before rights are given up: who will start the hook. Returns 0 or an exit code. */
static int start_hook(const struct acme_config *config)
{
    const struct acme_hook_about about = {.path = config->deploy_hook,
                                          .state = config->state,
                                          .name = run.checked.first,
                                          .names = run.checked.name_at,
                                          .name_count = run.checked.name_count,
                                          .key = config->key};
    int code = acme_hook_start(&hook, &about);

    if (code != 0) {
        acme_report_error("deploy_hook: cannot start a process: %s", strerror(code));
        return ACME_EXIT_FAILED;
    }
    run.setup.deploy.ctx = (void *)(uintptr_t)config;
    run.setup.deploy.taken = taken;
    return 0;
}
#endif

/* Likewise who will start the one that answers challenges. */
static int start_challenge_hook(const struct acme_config *config)
{
    const struct acme_hook_about about = {.path = config->hook,
                                          .state = config->state,
                                          .name = run.checked.first,
                                          .names = run.checked.name_at,
                                          .name_count = run.checked.name_count,
                                          .limit_s = ACME_CHALLENGE_HOOK_LIMIT_S,
                                          .challenges = true};
    int code = acme_hook_start(&run.solvers.hook.hook, &about);

    if (code != 0) {
        acme_report_error("hook: cannot start a process: %s", strerror(code));
    }
    return code != 0 ? ACME_EXIT_FAILED : 0;
}

/* After a run: what a first attempt leaves when it has come to nothing, and a setup that a run found nothing to do with. */
static void keep_last(const struct acme_config *config, const struct acme_run_how *how, enum acme_progress progress,
                      bool first)
{
    const char *slot;

    if (progress == ACME_ISSUED || (progress == ACME_CURRENT && how->keep == ACME_KEEPS_ALL)) {
        (void)keep_setup(config);
    } else if (progress == ACME_FAILED && first && !acme_look_order(&run.store) &&
               acme_posix_pair_in_use(&run.store, &slot) == 0 &&
               slot == NULL) { /* a hook that fails takes nothing back */
        (void)acme_kept_remove(&run.store);
    }
}

/* Checks, reads and opens what the run needs. Returns 0 or an exit code. */
static int prepare(const struct acme_config *config, const struct acme_run_how *how)
{
    int code = acme_check(&run.checked, config, how->verb);

    run.checked.key_group = ACME_POSIX_NO_GROUP;
    code = code == 0 && makes_pair(how->when) ? acme_check_deploy(&run.checked, config) : code;
    code = code != 0 ? code : acme_signer_check(&run.signer, config);
    code = code != 0 ? code : acme_solvers_check(&run.solvers, config);
    code = code != 0 ? code : acme_run_roots(&run, config);
    if (code != 0) {
        return code;
    }
    acme_run_fill(&run, config);
    code = acme_run_binding(&run, config);
    code = code == 0 && makes_pair(how->when) ? acme_run_csr(&run, config) : code;
    if (code != 0) {
        return code;
    }
    run.store.key_mode = run.checked.key_mode;
    run.store.key_group = run.checked.key_group;
    run.report.about = how->about;
    run.report.trial = how->trial;
#if ACME_CFG_RENEWAL
    run.setup.remember_looks = how->once;
    if (how->keep != ACME_KEEPS_NOTHING) {
        run.setup.deploy.ctx = (void *)(uintptr_t)config;
        run.setup.deploy.offer = offer;
    }
    if (config->deploy_hook != NULL && makes_pair(how->when) && !how->trial && (code = start_hook(config)) != 0) {
        return code;
    }
#endif
    code = acme_init(&run.client, &run.setup);
    if (code != 0) {
        return acme_run_explain(config, code);
    }
    if (run.solvers.hooks && makes_pair(how->when) && (code = start_challenge_hook(config)) != 0) {
        return code;
    }
    if ((code = acme_signer_start(&run.signer)) != 0) {
        acme_report_error("cannot start the process that signs: %s", strerror(code));
        return ACME_EXIT_FAILED;
    }
    acme_catch_signals();
    return enter(config, how->when);
}

/* A renewal that is due and has to wait is not well. Says until when and why, and returns it; NULL: none has to. */
static const char *waits(void)
{
    static char words[400];
    struct acme_out o;
    struct acme_plan plan;
    int64_t now = acme_report_utc(&run.report);

    acme_out_init(&o, words, sizeof words - 1);
    acme_out_text(&o, "due, but ");
    if (!acme_plan(&run.client, &plan) || plan.due > now || !acme_due_say_hold(&o, &plan, now)) {
        return NULL;
    }
    words[o.len] = '\0';
    acme_report_error("%s", words);
    return words;
}

/* What a later run as root will not take from the files of that user. */
static void warn_of_root(const struct acme_config *config)
{
    const struct {
        enum acme_config_key key;
        const char *word;
        bool used;
    } programs[] = {{ACME_KEY_DEPLOY_HOOK, "deploy_hook", hook.fd >= 0},
                    {ACME_KEY_ACCOUNT_KEY, "account_key", config->account_key != NULL},
                    {ACME_KEY_KEY, "key", config->key != NULL}};

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        if (programs[i].used && (config->by_flag & ((uint64_t)1 << programs[i].key)) != 0) {
            acme_report_error(
                "%s: renew needs it again, as a flag or with -c, since root runs nothing that is named in %s's files",
                programs[i].word, config->user);
        }
    }
}

int acme_run(const struct acme_config *config, const struct acme_run_how *how)
{
    enum acme_progress progress;
    bool stopped, first = false;
    int code = prepare(config, how);

    code = code == 0 && how->keep != ACME_KEEPS_NOTHING ? keep_first(config, &first) : code;
    if (code == 0 && first && config->user != NULL) {
        warn_of_root(config);
    }
    if (code != 0) {
        return code;
    }
    (void)acme_start(&run.client, how->when, acme_posix_now_ms());
    progress = loop();
    progress = acme_is_over(progress) ? progress : settle(progress);
    stopped = !acme_is_over(progress);
    if (stopped) {
        acme_stop(&run.client);
        clear();
    }
    acme_hook_close(&hook);
    acme_hook_close(&run.solvers.hook.hook);
    acme_signer_note(&run.signer, run.store.dir);
    acme_signer_close(&run.signer);
#if ACME_CFG_MANAGE
    if (how->when == ACME_REVOKE && !stopped && progress != ACME_FAILED && acme_posix_pair_revoke(&run.store) != 0) {
        acme_report_error("revoked, but that cannot be noted in %s", config->state);
    }
#endif
    run.report.waits = progress == ACME_CURRENT && how->once ? waits() : NULL;
    acme_report_end(&run.report, progress, stopped);
    if (how->keep != ACME_KEEPS_NOTHING) {
        keep_last(config, how, progress, first);
    }
    acme_wipe(&run.solvers.key, sizeof run.solvers.key);
    acme_key_p256_wipe(&run.account_key);
    acme_key_p256_wipe(&run.certificate_key);
    acme_wipe(run.eab_key, sizeof run.eab_key);
    return run.report.waits != NULL             ? ACME_EXIT_FAILED
           : progress == ACME_CURRENT           ? ACME_EXIT_CURRENT
           : stopped || progress == ACME_FAILED ? ACME_EXIT_FAILED
                                                : ACME_EXIT_NEW;
}
