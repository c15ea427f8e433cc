/* issue.c - the verbs that talk to the CA: all is set up, then ticks until the run is over. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "adopt.h"
#include "check.h"
#include "enter.h"
#include "program.h"
#include "report.h"
#include "roots.h"
#include "protocol/challenge_http01.h"
#include "secure/key_p256.h"

#define SYSTEM_ROOTS "/etc/ssl/certs/ca-certificates.crt"
#define PATIENCE_S   600         /* for another run in the same state directory */
#define ROOTS_MAX    (32u << 20) /* bytes: what is longer, or has no end as /dev/zero, is no file of roots */

/* All memory of a run. */
static struct {
    struct acme_client client;
    struct acme_setup setup;
    struct acme_posix_net net;
    struct acme_posix_listener listener;
    struct acme_posix_store store;
    struct acme_http01 http01;
    struct acme_webroot webroot;
    const struct acme_solver *solver;
    struct acme_key_p256 account_key, certificate_key;
    struct acme_tls tls;
    struct acme_trust trust;
    struct acme_report report;
    struct acme_checked checked;
    uint8_t work[8192];
    uint8_t tls_buffer[ACME_TLS_BUFFER_MIN];
    uint8_t anchors[256 * 1024];
} run;

/* Signals that end a run in good order: the challenge answer is taken back. */
static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
static volatile sig_atomic_t signalled;

static void on_signal(int signal)
{
    (void)signal;
    signalled = 1;
}

/* Reads the roots, if there is a use for them. Returns 0 or an exit code. */
static int read_roots(const struct acme_config *config)
{
    static struct acme_trust_reader reader;
    const char *path = config->ca_file != NULL ? config->ca_file : SYSTEM_ROOTS;
    char piece[4096], words[ACME_ROOTS_WORDS];
    ssize_t n = 1;
    size_t left, have = 0;
    int code = 0, result = 0;
    int blame = config->ca_file != NULL ? acme_config_blame(config, ACME_KEY_CA_FILE) : ACME_EXIT_CONFIG;
    int fd;

    if (run.checked.plain_host[0] != '\0' && config->ca_file == NULL && config->more_hosts.count == 0) {
        return 0; /* there is no TLS to trust anybody by */
    }
    fd = acme_config_open(path);
    acme_trust_begin(&reader, run.anchors, sizeof run.anchors);
    while (fd >= 0 && have < ROOTS_MAX && (n = read(fd, piece, sizeof piece)) > 0) {
        acme_trust_add(&reader, piece, (size_t)n);
        have += (size_t)n;
    }
    code = fd < 0 || n < 0 ? errno : have >= ROOTS_MAX ? EFBIG : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (code != 0) {
        acme_report_error("ca_file: cannot read %s: %s", path, strerror(code));
        return blame;
    }
    result = acme_trust_end(&reader, &run.trust);
    left = acme_roots_words(&reader, words);
    if (result == ACME_E_WORK_SMALL) {
        acme_report_error("ca_file: %s: its roots need more than %zu bytes", path, sizeof run.anchors);
    } else if (result < 0) {
        acme_report_error("ca_file: %s: %s: %s%s", path, acme_error_text(result).meaning, words,
                          acme_roots_trouble(&reader));
    } else if (config->verbose || (left > 0 && config->ca_file != NULL)) {
        acme_report_error("ca_file: %s: %s", path, words);
    }
    run.report.anchors_len = reader.low + (sizeof run.anchors - reader.high);
    return result < 0 ? blame : 0;
}

/* Says which record is damaged; the run goes on without it. */
static void told(const struct acme_posix_store *store, int code)
{
    acme_report_error("%s: %s; taken as absent", store->path,
                      code == ENODATA ? "empty, or not a file" : strerror(code));
}

static void fill_setup(const struct acme_config *config)
{
    struct acme_setup *s = &run.setup;

    acme_posix_net_init(&run.net);
    acme_posix_store_init(&run.store, config->state, run.checked.first);
    run.store.told = told;
    acme_posix_listener_init(&run.listener, NULL, config->http_port);
    acme_http01_init(&run.http01, &run.listener.listener);
    acme_webroot_init(&run.webroot, config->webroot);
    run.solver = config->webroot != NULL ? &run.webroot.solver : &run.http01.solver;

    s->net = &run.net.net;
    s->sys = &acme_posix_sys;
    s->store = &run.store.store;
    s->ca.directory_url = config->directory_url;
    s->ca.trust = &run.trust;
    s->ca.tls_name = config->tls_name;
    s->ca.more_hosts = config->more_hosts.at;
    s->ca.more_host_count = config->more_hosts.count;
#if ACME_CFG_PLAIN_HTTP
    s->ca.plain_host = run.checked.plain_host[0] != '\0' ? run.checked.plain_host : NULL;
#endif
    s->account_key.ops = s->certificate_key.ops = &acme_key_p256_ops;
    s->account_key.handle = &run.account_key;
    s->certificate_key.handle = &run.certificate_key;
    s->names = run.checked.name_at;
    s->name_count = run.checked.name_count;
    s->contacts = run.checked.contact_at;
    s->contact_count = config->contacts.count;
    s->accept_terms = config->accept_terms;
    s->more_names = config->more_names;
    s->solvers = &run.solver;
    s->solver_count = 1;
    s->product = config->product;
#if ACME_CFG_MANAGE
    s->revoke_reason = config->reason;
#endif
    s->work = run.work;
    s->work_len = sizeof run.work;
    s->tls = &run.tls;
    s->tls_buffer = run.tls_buffer;
    s->tls_buffer_len = sizeof run.tls_buffer;
    s->trace = acme_report_event;
    s->trace_ctx = &run.report;
}

static void fill_report(const struct acme_config *config)
{
    struct acme_report *r = &run.report;
    r->json = config->json;
    const char *type = getenv("TERM");
    r->terminal = isatty(STDOUT_FILENO) && type != NULL && strcmp(type, "dumb") != 0;
    r->verbose = config->verbose;
    r->config = config;
    r->client = &run.client;
    r->net = &run.net;
    r->store = &run.store;
    r->listener = &run.listener;
    r->webroot = config->webroot != NULL ? &run.webroot : NULL;
}

/* What acme_init() did not like, with the value. Returns the exit code. */
static int explain_init(const struct acme_config *config, int error)
{
    enum acme_config_key key = ACME_KEY_DIRECTORY_URL;
    const char *word = "directory_url", *value = config->directory_url;

    if (error == ACME_E_NAMES) {
        key = ACME_KEY_NAMES;
        word = "names";
        value = config->names.at[0];
    } else if (error == ACME_E_TLS_NAME && config->tls_name != NULL) {
        key = ACME_KEY_TLS_NAME;
        word = "tls_name";
        value = config->tls_name;
    } else if (error == ACME_E_TEXT) {
        key = config->contacts.count > 0 ? ACME_KEY_CONTACT : ACME_KEY_PRODUCT;
        word = config->contacts.count > 0 ? "contact" : "product";
        value = config->contacts.count > 0 ? config->contacts.at[0] : config->product;
    }
    acme_report_error("%s: \"%.300s\": %s (%s)", word, value, acme_error_text(error).meaning,
                      acme_error_text(error).cause);
    return acme_config_blame(config, key);
}

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000U + (uint64_t)now.tv_nsec / 1000U;
}

static void catch_signals(void)
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

/* Sleeps; a signal that comes between looking and sleeping wakes it all the same. */
static void sleep_while_idle(void)
{
    sigset_t ours, before;
    (void)sigemptyset(&ours);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        (void)sigaddset(&ours, stops[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &ours, &before);
    if (!signalled) {
        acme_posix_wait(&run.net, &run.listener, acme_idle_ms(&run.client, acme_posix_now_ms()), &before);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static enum acme_progress loop(void)
{
    enum acme_progress progress = ACME_BUSY;

    while (!signalled && (progress == ACME_BUSY || progress == ACME_IDLE)) {
        uint64_t before = now_us(), took;
        progress = acme_tick(&run.client, acme_posix_now_ms());
        took = now_us() - before;
        if (took > run.report.longest_tick_us) {
            run.report.longest_tick_us = (uint32_t)took;
        }
        if (progress == ACME_IDLE) {
            sleep_while_idle();
        }
    }
    return progress;
}

/* Puts what a copy or a restore has left in order. Returns 0 or an exit code. */
static int set_right(enum acme_when what)
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
    if (what == ACME_CHANGE_KEY || what == ACME_DEACTIVATE) {
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
    if (what == ACME_WHEN_DUE && acme_posix_pair_revoked(s)) {
        acme_report_error("the certificate in use was revoked: a new one is due");
        s->due = true;
    }
    return done < 0 ? ACME_EXIT_FAILED : 0;
}

/* Takes hold of the state directory, and of what it holds. Returns 0 or an exit code. */
static int enter(const struct acme_config *config, enum acme_when what)
{
    const struct acme_enter all = {.store = &run.store,
                                   .webroot = config->webroot != NULL ? &run.webroot : NULL,
                                   .listener = &run.listener,
                                   .stop = &signalled,
                                   .patience_s = PATIENCE_S};
    int code = acme_enter(&all, config);

    code = code != 0 ? code : acme_check_room(&run.checked, config, run.store.dir);
    code = code != 0 ? code : set_right(what);
    if (code == 0 && config->webroot != NULL) {
        acme_webroot_sweep(&run.webroot, run.store.dir);
    }
    return code;
}

static int work(const struct acme_config *config, enum acme_when what, const char *verb)
{
    enum acme_progress progress;
    bool stopped;
    int code = acme_check(&run.checked, config, verb);

    code = code != 0 ? code : read_roots(config);
    if (code != 0) {
        return code;
    }
    fill_setup(config);
    fill_report(config);
    code = acme_init(&run.client, &run.setup);
    if (code != 0) {
        return explain_init(config, code);
    }
    catch_signals();
    code = enter(config, what);
    if (code != 0) {
        return code;
    }
    (void)acme_start(&run.client, what, acme_posix_now_ms());
    progress = loop();
    stopped = progress == ACME_BUSY || progress == ACME_IDLE;
    if (stopped) {
        acme_stop(&run.client);
    }
#if ACME_CFG_MANAGE
    if (what == ACME_REVOKE && !stopped && progress != ACME_FAILED && acme_posix_pair_revoke(&run.store) != 0) {
        acme_report_error("revoked, but that cannot be noted in %s", config->state);
    }
#endif
    acme_report_end(&run.report, progress, stopped);
    acme_key_p256_wipe(&run.account_key);
    acme_key_p256_wipe(&run.certificate_key);
    return progress == ACME_CURRENT             ? ACME_EXIT_CURRENT
           : stopped || progress == ACME_FAILED ? ACME_EXIT_FAILED
                                                : ACME_EXIT_NEW;
}

int acme_program_issue(const struct acme_config *config)
{
    return work(config, config->force ? ACME_NOW : ACME_WHEN_DUE, "issue");
}

#if ACME_CFG_MANAGE

int acme_program_revoke(const struct acme_config *config)
{
    return work(config, ACME_REVOKE, "revoke");
}

/* What is the account's own affair is about no name; a set-up has to have one. */
static int work_on_account(const struct acme_config *config, enum acme_when what)
{
    static struct acme_config of_account;
    of_account = *config;
    if (of_account.names.count == 0) {
        of_account.names.at[of_account.names.count++] = "account.invalid";
    }
    return work(&of_account, what, "");
}

int acme_program_deactivate(const struct acme_config *config)
{
    if (!config->yes) {
        acme_report_error("deactivate ends the account for good, and its certificates cannot be renewed; if that is "
                          "meant, add --yes");
        return ACME_EXIT_USAGE;
    }
    return work_on_account(config, ACME_DEACTIVATE);
}

int acme_program_change_key(const struct acme_config *config)
{
    return work_on_account(config, ACME_CHANGE_KEY);
}

#endif
