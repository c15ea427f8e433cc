/* checkup.c - the verb `check`: everything a certificate needs, tried without asking for one. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "fence.h"
#include "kept.h"
#include "program.h"
#include "reach.h"
#include "renew.h"
#include "wire/address.h"

#define APART_S       300 /* what a clock may be away from the CA's */
#define ADDRESSES_MAX 8

static struct acme_run run;
static bool all_good;

/* One line: what was tried, and how it is; a failure goes to standard error, and is told even with -q. */
__attribute__((format(printf, 4, 5))) static void say(const struct acme_config *c, bool good, const char *what,
                                                      const char *format, ...)
{
    static char text[1200];
    char head[24];
    struct acme_out *o;
    va_list list;

    all_good = all_good && good;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (good && c->quiet) {
        return;
    }
    o = acme_line();
    if (c->json) {
        acme_line_object(o, "check");
        acme_line_text(o, "name", acme_slice_of(run.checked.first));
        acme_line_text(o, "what", acme_slice_of(what));
        acme_line_number(o, "ok", good);
        acme_line_text(o, "text", acme_slice_of(text));
        acme_line_close(o);
    } else {
        (void)snprintf(head, sizeof head, "%-10s %-7s", what, good ? "ok" : "FAILED");
        acme_out_text(o, head);
        acme_out_text(o, text);
    }
    acme_line_end(STDOUT_FILENO);
}

/* --- the state directory */

/* Whether a folder may be made there. Returns 0, or errno. */
static int can_be_made(const char *state)
{
    char parent[ACME_POSIX_PATH_MAX];
    char *end;
    int fd, code;

    (void)snprintf(parent, sizeof parent, "%s", state);
    for (end = parent + strlen(parent); end > parent + 1 && end[-1] == '/'; end--) {
        end[-1] = '\0';
    }
    end = strrchr(parent, '/');
    if (end == NULL) {
        (void)snprintf(parent, sizeof parent, ".");
    } else {
        end[end == parent ? 1 : 0] = '\0';
    }
    fd = acme_posix_folder(parent, NULL);
    code = fd < 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0 ? errno : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

static void check_state(const struct acme_config *c)
{
    static const char name[] = ".check";
    struct acme_posix_store *s = &run.store;
    int code = acme_posix_store_open(s);

    if (code == ENOENT) {
        code = can_be_made(c->state);
        say(c, code == 0, "state",
            code == 0 ? "%s is not there yet, and can be made%s"
                      : "%s cannot be made: %s; make it, and give "
                        "it to the user nanoacme runs as",
            c->state, code == 0 ? "" : strerror(code));
        return;
    }
    code = code != 0 ? code : acme_posix_replace(s->dir, name, 0600, "check\n", 6);
    code = code != 0 ? code : acme_posix_replace(s->dir, name, 0600, NULL, 0);
    if (code != 0) {
        say(c, false, "state",
            "cannot write in %s: %s; it has to belong to the user nanoacme runs as, %u now: chown -R", c->state,
            strerror(code), (unsigned)geteuid());
    } else if (faccessat(s->dir, "account.pem", F_OK, 0) == 0 &&
               faccessat(s->dir, "account.pem", R_OK, AT_EACCESS) != 0) {
        say(c, false, "state", "cannot read %s/account.pem: %s; it belongs to another user", c->state,
            strerror(errno));
    } else {
        say(c, true, "state", "%s can be read and written", c->state);
    }
}

/* --- keys in tokens */

static void check_keys(const struct acme_config *c)
{
    if (run.signer.fd >= 0) {
        int code = acme_signer_open(&run.signer, c, run.store.dir, &acme_signalled);
        say(c, code == 0, "keys", "%s", code == 0 ? "found in their tokens" : run.signer.words);
        acme_signer_close(&run.signer);
    }
}

/* --- the CA */

static void check_clock(const struct acme_config *c, const struct acme_reached *r)
{
    int64_t utc = 0, apart;

    if (acme_posix_sys.utc(acme_posix_sys.ctx, &utc) != 1 || utc < ACME_UTC_FLOOR) {
        say(c, false, "clock", "the time is not known (before this program was made): set it, or wait for NTP");
    } else if (r->date == 0) {
        say(c, true, "clock", "not compared: the CA %s", r->http_status == 0 ? "was not reached" : "told no time");
    } else {
        apart = utc - r->date;
        say(c, apart >= -APART_S && apart <= APART_S, "clock",
            apart >= -APART_S && apart <= APART_S ? "%lld s %s the CA's"
                                                  : "%lld s %s the CA's: set it, as by timedatectl set-ntp true",
            (long long)(apart < 0 ? -apart : apart), apart < 0 ? "behind" : "ahead of");
    }
}

static void check_ca(const struct acme_config *c)
{
    static struct acme_reached r;
    bool tls;

    acme_reach_ca(&run, &r);
    tls = r.error > ACME_E_TLS_UNTRUSTED || r.error < ACME_E_TLS_EARLY;
    if (run.checked.plain_host[0] != '\0') {
        say(c, true, "tls", "none: %s is spoken to in clear", run.checked.plain_host);
    } else if (r.http_status != 0) {
        say(c, true, "tls", "%s is who it says, by %s", r.host,
            c->ca_file != NULL ? c->ca_file : "the system's roots");
    } else if (!tls) {
        say(c, false, "tls", "%s: %s; %s", r.host, acme_error_text(r.error).meaning, acme_error_text(r.error).cause);
    }
    if (r.error != 0) {
        say(c, false, "directory", "%s: %s; %s", run.setup.ca.directory_url, acme_error_text(r.error).meaning,
            tls ? acme_error_text(r.error).cause : "as above");
    } else if (r.http_status != 200 || !r.is_directory) {
        say(c, false, "directory", "%s: HTTP %u%s%s, and no ACME directory; see the CA's documentation for its URL",
            run.setup.ca.directory_url, (unsigned)r.http_status, r.location[0] != '\0' ? " to " : "", r.location);
    } else {
        say(c, true, "directory", "%s", run.setup.ca.directory_url);
    }
    check_clock(c, &r);
}

/* --- this machine, as the CA sees it */

static const char *port_of(const struct acme_config *c)
{
    return acme_config_only_tls(c) ? "port 443" : "port 80";
}

static void say_address(const struct acme_config *c, const char *name, const struct acme_reach_at *at)
{
    switch (at->what) {
    case ACME_REACH_OK:
        say(c, true, port_of(c), "%s: reached at %s", name, at->address);
        break;
    case ACME_REACH_REDIRECT:
        say(c, true, port_of(c), "%s: %s leads on to %s, where a CA follows", name, at->address, at->text);
        break;
    case ACME_REACH_OTHER:
        say(c, false, port_of(c), "%s: at %s somebody else answers (%s); the name has to lead here%s", name,
            at->address, at->text,
            acme_config_only_tls(c) ? ", or whoever has port 443 there has to pass connections for acme-tls/1 on"
            : c->webroot != NULL    ? ", and the web server has to serve the webroot there"
                                    : ", or a web server there has to pass on "
                                      "/.well-known/acme-challenge/");
        break;
    case ACME_REACH_SILENT:
        say(c, false, port_of(c), "%s: %s takes the connection and does not answer", name, at->address);
        break;
    case ACME_REACH_NOT:
        say(c, false, port_of(c),
            "%s: %s: %s; a firewall, a router that passes the port on to nobody, or an old address of the name (a "
            "router may also "
            "not lead back in from here)",
            name, at->address, acme_error_text(at->error).meaning);
        break;
    }
}

/* Why the answer could not be put up. */
static void say_solver(const struct acme_config *c, int error)
{
    if (error == ACME_E_LISTEN) {
        say(c, false, port_of(c), "cannot listen on port %u: %s; stop who has it%s",
            (unsigned)acme_run_listener(&run)->port, strerror(acme_run_listener(&run)->error),
            acme_config_only_tls(c) ? "" : ", or let its web server answer by --webroot");
    } else {
        say(c, false, port_of(c), "cannot write %s: %s", run.webroot.path, strerror(run.webroot.error));
    }
}

static void check_name(const struct acme_config *c, const char *name)
{
    static struct acme_reach_at at[ADDRESSES_MAX];
    int count;

    memset(at, 0, sizeof at);
    count = acme_reach_us(&run, name, at, ADDRESSES_MAX);
    if (count == ACME_E_HOST || count == ACME_E_NET) {
        say(c, false, port_of(c), "%s: %s; give the name an address in the DNS", name,
            acme_error_text(count).meaning);
    } else if (count < 0) {
        say_solver(c, count);
    }
    for (int i = 0; i < count; i++) {
        say_address(c, name, &at[i]);
    }
}

/* --- the name server, which is to write for us */

/* Deletes a record that nobody has, with the name, the key and the zone of a run: that needs every right an answer needs, and
 * changes nothing. Returns 0 or an error; r->words tells more. */
static int try_update(struct acme_rfc2136 *r, const char *type, const char *account, const char *name)
{
    struct acme_challenge nobodys = {
        .name = name, .token = "nanoacme-check", .thumbprint = "", .type = type, .account = account};

    r->words[0] = '\0';
    r->solver.withdraw(r, &nobodys);
    while (r->solver.clearing(r) && !acme_signalled) {
        acme_posix_wait(&run.net, NULL, r->solver.tick(r, acme_posix_now_ms()) ? 0 : 20, NULL);
    }
    return r->error;
}

static void check_updates(const struct acme_config *c, const char *type, const char *name)
{
    static struct acme_account account;
    struct acme_rfc2136 *r = &run.solvers.rfc2136;
    int error;

    if (strcmp(type, ACME_DNSACCOUNT01_TYPE) == 0 && !acme_account_read(&account, &run.store)) {
        say(c, true, type, "%s: not tried: the record's name has the account in it, and there is none yet", name);
        return;
    }
    error = try_update(r, type, account.url, name);
    if (error == 0) {
        say(c, true, type, "%s: %s takes updates%s%s", name, c->dns_server, r->words[0] != '\0' ? ", of " : "",
            r->words);
    } else {
        say(c, false, type, "%s: %s: %s; %s%s%s", name, c->dns_server, acme_error_text(error).meaning,
            acme_error_text(error).cause, r->words[0] != '\0' ? ": " : "", r->words);
    }
}

static void check_nameserver(const struct acme_config *c)
{
    for (size_t k = 0; k < run.solvers.count; k++) {
        const struct acme_solver *s = run.solvers.at[k];
        for (size_t i = 0; s->ctx == &run.solvers.rfc2136 && i < run.checked.name_count && !acme_signalled; i++) {
            const char *name = run.checked.names[i];
            if (!acme_is_address(name) && run.solvers.rfc2136.error != ACME_E_DNS_SILENT) {
                check_updates(c, s->type, strncmp(name, "*.", 2) == 0 ? name + 2 : name);
            }
        }
    }
}

/* --- all of it */

/* The user that a run would become. Returns false when that is not possible. */
static bool become(const struct acme_config *c)
{
    int code;

    if (c->user == NULL) {
        return true;
    }
    (void)acme_posix_store_open(&run.store);
    if (c->webroot != NULL) {
        (void)acme_webroot_open(&run.webroot);
    } else if (run.solvers.http) {
        acme_posix_listener_keep(&run.listener);
    }
    if (run.solvers.tls) {
        acme_posix_listener_keep(&run.tls_listener);
    }
    code = acme_fence_user(c->user, -1);
    if (code != 0) {
        say(c, false, "user", "cannot change to %s: %s", c->user,
            code == ENOENT ? "there is no such user" : strerror(code));
    }
    return code == 0;
}

static int check(const struct acme_config *c)
{
    int code = acme_check(&run.checked, c, "check");

    all_good = true;
    code = code != 0 ? code : acme_signer_check(&run.signer, c);
    code = code != 0 ? code : acme_solvers_check(&run.solvers, c);
    code = code != 0 ? code : acme_run_roots(&run, c);
    if (code == 0) {
        acme_run_fill(&run, c);
        code = acme_init(&run.client, &run.setup);
        code = code != 0 ? acme_run_explain(c, code) : 0;
    }
    say(c, code == 0, "config", code == 0 ? "names, hosts and roots can be used" : "as above");
    if (code != 0) {
        return code;
    }
    code = acme_signer_start(&run.signer);
    if (code != 0) {
        say(c, false, "keys", "cannot start the process that signs: %s", strerror(code));
    }
    acme_catch_signals();
    if (become(c)) {
        check_state(c);
        check_keys(c);
        check_ca(c);
        check_nameserver(c);
        bool reached = run.solvers.http || run.solvers.tls;
        for (size_t i = 0; reached && i < run.checked.name_count && !acme_signalled; i++) {
            check_name(c, run.checked.names[i]);
        }
    }
    return all_good && !acme_signalled ? ACME_EXIT_NEW : ACME_EXIT_FAILED;
}

static int check_one(const struct acme_config *base, int state, const char *name)
{
    static struct acme_config own;
    int keep = 0;
    int code = acme_renew_setup(&own, base, state, name, &keep);
    return code == 0 ? check(&own) : ACME_EXIT_FAILED;
}

static int check_work(void *job)
{
    const struct acme_renew_job *j = job;
    acme_line_about(j->name);
    if (!j->base->quiet && !j->base->json) {
        struct acme_out *o = acme_line();
        acme_out_text(o, j->name);
        acme_line_end(STDOUT_FILENO);
    }
    return check_one(j->base, j->state, j->name);
}

int acme_program_check(const struct acme_config *config)
{
    static struct acme_config own;
    static struct acme_list list;
    char name[254];
    int code;

    if (config->names.count == 0) {
        code = acme_list_open(&list, config->state);
        if (code == 0 && list.count > 0) {
            return acme_renew_each(config, &list, check_work) == ACME_EXIT_NEW ? 0 : ACME_EXIT_FAILED;
        }
        acme_report_error("check needs at least one NAME: there are no certificates in %s", config->state);
        return ACME_EXIT_USAGE;
    }
    own = *config;
    own.pool_len = 0;
    list.folder = acme_posix_folder(config->state, NULL);
    if (list.folder >= 0 && acme_check_name(name, own.names.at[0]) == NULL) {
        acme_small_letters(name);
        if (acme_kept_read(&own, list.folder, name) < 0) {
            say(config, false, "config", "%s", own.error);
            return ACME_EXIT_CONFIG;
        }
    }
    return check(&own);
}
