/* issue.c - the verbs that talk to the CA: all is set up, then ticks until the run is over. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "program.h"
#include "report.h"
#include "roots.h"
#include "webroot.h"
#include "protocol/challenge_http01.h"
#include "secure/key_p256.h"

#define SYSTEM_ROOTS "/etc/ssl/certs/ca-certificates.crt"

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
    char name[254];       /* the first name in small letters: what the certificate is stored as */
    char plain_host[254]; /* the CA's, when it is spoken to without TLS; empty: it is not */
    int lock;
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
    size_t left;
    int code = 0, result = 0;
    int fd;

    if (run.plain_host[0] != '\0' && config->ca_file == NULL && config->more_hosts.count == 0) {
        return 0; /* there is no TLS to trust anybody by */
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    acme_trust_begin(&reader, run.anchors, sizeof run.anchors);
    while (fd >= 0 && (n = read(fd, piece, sizeof piece)) > 0) {
        acme_trust_add(&reader, piece, (size_t)n);
    }
    code = fd < 0 || n < 0 ? errno : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (code != 0) {
        acme_report_error("ca_file: cannot read %s: %s", path, strerror(code));
        return ACME_EXIT_CONFIG;
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
    return result < 0 ? ACME_EXIT_CONFIG : 0;
}

/* Makes the state directory ours alone. Returns 0 or an exit code. */
static int take_state(const struct acme_config *config)
{
    char path[ACME_POSIX_PATH_MAX];
    int code;

    if (snprintf(path, sizeof path, "%s/.lock", config->state) >= (int)sizeof path) {
        acme_report_error("state: path longer than %zu bytes", sizeof path - 7);
        return ACME_EXIT_CONFIG;
    }
    code = acme_posix_store_make(&run.store);
    if (code != 0) {
        acme_report_error("state: cannot write %s: %s", run.store.path, strerror(code));
        return ACME_EXIT_FAILED;
    }
    run.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (run.lock < 0) {
        acme_report_error("state: cannot write %s: %s", path, strerror(errno));
        return ACME_EXIT_FAILED;
    }
    if (flock(run.lock, LOCK_EX | LOCK_NB) != 0) {
        acme_report_error("another nanoacme is at work in %s; not waiting for it", config->state);
        return ACME_EXIT_FAILED;
    }
    return 0;
}

static void fill_setup(const struct acme_config *config)
{
    struct acme_setup *s = &run.setup;

    acme_posix_net_init(&run.net);
    acme_posix_store_init(&run.store, config->state, run.name);
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
    s->ca.plain_host = run.plain_host[0] != '\0' ? run.plain_host : NULL;
#endif
    s->account_key.ops = s->certificate_key.ops = &acme_key_p256_ops;
    s->account_key.handle = &run.account_key;
    s->certificate_key.handle = &run.certificate_key;
    s->names = config->names.at;
    s->name_count = config->names.count;
    s->contacts = config->contacts.at;
    s->contact_count = config->contacts.count;
    s->accept_terms = config->accept_terms;
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

/* Checks the names, which are also file names, before anything is touched. Returns 0 or an exit code. */
static int check_names(const struct acme_config *config, const char *verb)
{
    int code = acme_config_blame(config, ACME_KEY_NAMES);
    size_t i;

    if (config->names.count == 0) {
        acme_report_error("%s needs at least one NAME; see nanoacme --help", verb);
        return ACME_EXIT_USAGE;
    }
    if (config->names.count > ACME_NAMES_MAX) {
        acme_report_error("names: more than %d in one certificate", ACME_NAMES_MAX);
        return code;
    }
    for (i = 0; i < config->names.count; i++) {
        if (!acme_dns_name_ok(acme_slice_of(config->names.at[i]))) {
            acme_report_error("names: \"%.260s\" is not a DNS name (no wildcard, no address)", config->names.at[i]);
            return code;
        }
        for (size_t k = 0; k < i; k++) {
            if (acme_slice_is_word(acme_slice_of(config->names.at[i]), config->names.at[k])) {
                acme_report_error("names: \"%s\" is given twice", config->names.at[i]);
                return code;
            }
        }
    }
    for (i = 0; config->names.at[0][i] != '\0'; i++) {
        run.name[i] = acme_lower(config->names.at[0][i]);
    }
    return 0;
}

/* Checks the other hosts: one that is written otherwise would never match. Returns 0 or an exit code. */
static int check_hosts(const struct acme_config *config)
{
    for (size_t i = 0; i < config->more_hosts.count; i++) {
        char text[300];
        struct acme_url url;
        const char *host = config->more_hosts.at[i];
        int need = snprintf(text, sizeof text, "https://%s", host);
        if (need >= (int)sizeof text || acme_url_parse(&url, acme_slice_of(text)) != 0 || url.target.len > 0) {
            acme_report_error("more_host: \"%.260s\" is not HOST or HOST:PORT", host);
            return acme_config_blame(config, ACME_KEY_MORE_HOST);
        }
    }
    return 0;
}

/* True for this machine itself, where nobody can listen in on the way. */
static bool is_loopback(const struct acme_url *url)
{
    bool ipv4 = url->is_address && url->host.len > 4 && memcmp(url->host.at, "127.", 4) == 0;
    return ipv4 || acme_slice_is_word(url->host, "localhost") || acme_slice_is(url->host, "::1");
}

/* Reads the host that is named for http, written as in a URL, but without a port. The text has to stay. */
static bool read_host(struct acme_slice *host, char text[300], const char *word)
{
    struct acme_url url;
    bool good = snprintf(text, 300, "http://%s", word) < 300 && acme_url_parse(&url, acme_slice_of(text)) == 0;

    if (!good || url.authority.len != strlen(word) ||
        url.authority.at + url.authority.len > url.host.at + url.host.len + (word[0] == '[' ? 1 : 0)) {
        return false;
    }
    *host = url.host;
    return true;
}

/* Decides whether a directory without TLS may be used, and warns when it is. Returns 0 or an exit code. */
static int check_plain(const struct acme_config *config)
{
    struct acme_slice allowed = {NULL, 0};
    struct acme_url url;
    char text[300];

    if (config->plain_host != NULL && !read_host(&allowed, text, config->plain_host)) {
        acme_report_error("allow_plain_http: \"%.260s\" is not HOST, without a port", config->plain_host);
        return acme_config_blame(config, ACME_KEY_ALLOW_PLAIN_HTTP);
    }
    if (acme_url_parse(&url, acme_slice_of(config->directory_url)) != 0 || !acme_url_is_plain(&url)) {
        return 0; /* acme_init() judges it */
    }
    if (!is_loopback(&url) && !acme_slice_is_nocase(url.host, allowed)) {
        acme_report_error(
            "directory_url: \"%.300s\" is not https; for tests, --allow-plain-http HOST names a host for "
            "which that is good enough",
            config->directory_url);
        return acme_config_blame(config, ACME_KEY_DIRECTORY_URL);
    }
    memcpy(run.plain_host, url.host.at, url.host.len); /* at most 253 bytes */
    acme_report_error("warning: http, not https: whoever is on the way to %s can read and change everything",
                      run.plain_host);
    return 0;
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

static int work(const struct acme_config *config, enum acme_when what, const char *verb)
{
    enum acme_progress progress;
    bool stopped;
    int code = check_names(config, verb);

    code = code != 0 ? code : check_hosts(config);
    code = code != 0 ? code : check_plain(config);
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
    code = take_state(config);
    if (code != 0) {
        return code;
    }
    catch_signals();
    (void)acme_start(&run.client, what, acme_posix_now_ms());
    progress = loop();
    stopped = progress == ACME_BUSY || progress == ACME_IDLE;
    if (stopped) {
        acme_stop(&run.client);
    }
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
