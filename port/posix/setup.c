/* setup.c - what a run works with: from the configuration to struct acme_setup. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "roots.h"
#include "run.h"

#define SYSTEM_ROOTS "/etc/ssl/certs/ca-certificates.crt"
#define ROOTS_MAX    (32u << 20) /* bytes: what is longer, or has no end as /dev/zero, is no file of roots */

int acme_run_roots(struct acme_run *run, const struct acme_config *config)
{
    static struct acme_trust_reader reader;
    const char *path = config->ca_file != NULL ? config->ca_file : SYSTEM_ROOTS;
    char piece[4096], words[ACME_ROOTS_WORDS];
    ssize_t n = 1;
    size_t left, have = 0;
    int code = 0, result = 0;
    int blame = config->ca_file != NULL ? acme_config_blame(config, ACME_KEY_CA_FILE) : ACME_EXIT_CONFIG;
    int fd;

    if (run->checked.plain_host[0] != '\0' && config->ca_file == NULL && config->more_hosts.count == 0) {
        return 0; /* there is no TLS to trust anybody by */
    }
    fd = acme_config_open(path);
    acme_trust_begin(&reader, run->anchors, sizeof run->anchors);
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
    result = acme_trust_end(&reader, &run->trust);
    left = acme_roots_words(&reader, words);
    if (result == ACME_E_WORK_SMALL) {
        acme_report_error("ca_file: %s: its roots need more than %zu bytes", path, sizeof run->anchors);
    } else if (result < 0) {
        acme_report_error("ca_file: %s: %s: %s%s", path, acme_error_text(result).meaning, words,
                          acme_roots_trouble(&reader));
    } else if (config->verbose || (left > 0 && config->ca_file != NULL)) {
        acme_report_error("ca_file: %s: %s", path, words);
    }
    run->report.anchors_len = reader.low + (sizeof run->anchors - reader.high);
    return result < 0 ? blame : 0;
}

/* The account record is there: what made it may have been spent, and taken away. */
static bool has_account(const struct acme_config *config)
{
    int state = acme_posix_folder(config->state, NULL);
    bool has = state >= 0 && faccessat(state, "account", F_OK, AT_SYMLINK_NOFOLLOW) == 0;

    if (state >= 0) {
        (void)close(state);
    }
    return has;
}

int acme_run_binding(struct acme_run *run, const struct acme_config *config)
{
    struct acme_binding *b = &run->setup.binding;
    const char *wrong;
    int code;

    if (config->eab_kid == NULL) {
        return 0;
    }
    b->mac_key_len = acme_eab_read(run->eab_key, config->eab_key_file, &wrong, &code);
    if (b->mac_key_len > 0) {
        b->kid = config->eab_kid;
        b->mac_key = run->eab_key;
        return 0;
    }
    if ((code == ENOENT || code == EACCES) && has_account(config)) {
        return 0;
    }
    acme_report_error("eab_key_file: %s %.300s: %s", code != 0 ? "cannot read" : "no key in", config->eab_key_file,
                      wrong);
    return acme_config_blame(config, ACME_KEY_EAB_KEY_FILE);
}

/* Why the request cannot be used for what is asked for; NULL: it can. */
static const char *csr_trouble(struct acme_run *run, const struct acme_config *config)
{
    const char *why = config->key != NULL ? "its key is elsewhere; that one and key cannot be given both"
                                          : acme_csr_read(&run->csr, config->csr);
    size_t same = 0;

    if (why != NULL) {
        return why;
    }
    for (size_t i = 0; i < run->checked.name_count; i++) {
        for (size_t k = 0; k < run->csr.name_count; k++) {
            same += acme_slice_is_nocase(acme_slice_of(run->checked.name_at[i]), acme_slice_of(run->csr.names[k]));
        }
    }
    if (same != run->checked.name_count || same != run->csr.name_count) {
        return "it is for other names than those given";
    }
    const char *slot;
    int at =
        acme_posix_store_open(&run->store) == 0 && acme_posix_pair_in_use(&run->store, &slot) == 0 && slot != NULL
            ? acme_posix_pair_open(&run->store, slot)
            : -1;
    bool has_key = at >= 0 && faccessat(at, "privkey.pem", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (at >= 0) {
        (void)close(at);
    }
    return has_key ? "a private key of ours is in use for the first name; remove that pair first (nanoacme remove)"
                   : NULL;
}

int acme_run_csr(struct acme_run *run, const struct acme_config *config)
{
    if (config->csr == NULL) {
        return 0;
    }
    const char *why = csr_trouble(run, config);
    if (why != NULL) {
        acme_report_error("csr: %.300s: %s", config->csr, why);
        return acme_config_blame(config, ACME_KEY_CSR);
    }
    run->setup.csr = acme_slice(run->csr.der, run->csr.len);
    run->setup.certificate_key = run->csr.public_key;
    return 0;
}

/* Says which record is damaged; the run goes on without it. */
static void told(const struct acme_posix_store *store, int code)
{
    acme_report_error("%s: %s; taken as absent", store->path,
                      code == ENODATA ? "empty, or not a file" : strerror(code));
}

/* In files, or in tokens. */
static void fill_keys(struct acme_run *run, const struct acme_config *config)
{
    struct acme_setup *s = &run->setup;

    s->account_key.ops = s->certificate_key.ops = &acme_key_p256_ops;
    s->account_key.handle = &run->account_key;
    s->certificate_key.handle = &run->certificate_key;
    if (config->account_key != NULL) {
        s->account_key.ops = &acme_signer_ops;
        s->account_key.handle = &run->signer.keys[ACME_SIGNER_ACCOUNT];
    }
    if (config->key != NULL) {
        s->certificate_key.ops = &acme_signer_ops;
        s->certificate_key.handle = &run->signer.keys[ACME_SIGNER_CERTIFICATE];
        run->store.key_elsewhere = true;
    }
}

/* What kind of certificate. */
static void wish(struct acme_setup *s, const struct acme_config *config)
{
#if ACME_CFG_REUSE_KEY
    s->reuse_key = config->reuse_key;
#endif
#if ACME_CFG_DEACTIVATE_AUTHZ
    s->deactivate_authz = config->deactivate_authz;
#endif
#if ACME_CFG_ALTERNATE
    if (config->preferred_chain != NULL) {
        s->chain = (struct acme_chain_choice){acme_prefer_name, config->preferred_chain};
    }
#endif
#if ACME_CFG_RENEWAL
    s->profile = config->profile;
    s->profile_optional = config->profile_optional;
#endif
}

static void fill_setup(struct acme_run *run, const struct acme_config *config)
{
    struct acme_setup *s = &run->setup;

    acme_posix_net_init(&run->net);
    acme_posix_store_init(&run->store, config->state, run->checked.first);
    run->store.told = told;
    acme_posix_listener_init(&run->listener, NULL, config->http_port);
    acme_posix_listener_init(&run->tls_listener, NULL, config->tls_port);
    acme_http01_init(&run->http01, &run->listener.listener);
    acme_webroot_init(&run->webroot, config->webroot);
    (void)acme_tlsalpn01_init(&run->tlsalpn01, &run->tls_listener.listener, &acme_posix_sys);
    run->solver = config->webroot != NULL ? &run->webroot.solver : &run->http01.solver;
    acme_solvers_fill(&run->solvers, config, run->solver, &run->tlsalpn01.solver);
    if (run->solvers.tls && !run->solvers.http) {
        run->solver = &run->tlsalpn01.solver;
    }

    s->net = &run->net.tcp.net;
    s->sys = &acme_posix_sys;
    s->store = &run->store.store;
    s->ca.directory_url = config->directory_url;
    s->ca.trust = &run->trust;
    s->ca.tls_name = config->tls_name;
    s->ca.more_hosts = config->more_hosts.at;
    s->ca.more_host_count = config->more_hosts.count;
#if ACME_CFG_PLAIN_HTTP
    s->ca.plain_host = run->checked.plain_host[0] != '\0' ? run->checked.plain_host : NULL;
#endif
    fill_keys(run, config);
    s->names = run->checked.name_at;
    s->name_count = run->checked.name_count;
    s->contacts = run->checked.contact_at;
    s->contact_count = config->contacts.count;
    s->accept_terms = config->accept_terms;
    s->more_names = config->more_names;
    s->solvers = run->solvers.at;
    s->solver_count = run->solvers.count;
    wish(s, config);
    s->product = config->product;
#if ACME_CFG_MANAGE
    s->revoke_reason = config->reason;
#endif
    s->work = run->work;
    s->work_len = sizeof run->work;
    s->tls = &run->tls;
    s->tls_buffer = run->tls_buffer;
    s->tls_buffer_len = sizeof run->tls_buffer;
    s->trace = acme_report_event;
    s->trace_ctx = &run->report;
}

struct acme_posix_listener *acme_run_listener(struct acme_run *run)
{
    return run->solvers.tls && (!run->solvers.http || run->solver == &run->webroot.solver) ? &run->tls_listener
                                                                                           : &run->listener;
}

static void fill_report(struct acme_run *run, const struct acme_config *config)
{
    struct acme_report *r = &run->report;
    r->json = config->json;
    const char *type = getenv("TERM");
    r->terminal = isatty(STDOUT_FILENO) && type != NULL && strcmp(type, "dumb") != 0;
    r->verbose = config->verbose;
    r->quiet = config->quiet;
    r->config = config;
    r->client = &run->client;
    r->net = &run->net;
    r->store = &run->store;
    r->listener = acme_run_listener(run);
    r->signer = config->account_key != NULL || config->key != NULL ? run->signer.words : NULL;
    r->webroot = config->webroot != NULL ? &run->webroot : NULL;
}

void acme_run_fill(struct acme_run *run, const struct acme_config *config)
{
    fill_setup(run, config);
    fill_report(run, config);
}

int acme_run_explain(const struct acme_config *config, int error)
{
    enum acme_config_key key = ACME_KEY_DIRECTORY_URL;
    const char *word = "directory_url", *value = config->directory_url;

    if (error == ACME_E_NAMES || error == ACME_E_WILDCARD) {
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
