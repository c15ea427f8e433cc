/* explain.c - errors in words: where it happened, what it means, what usually causes it. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#include "report.h"
#include "config.h"
#include "webroot.h"

const char *acme_step_word(enum acme_step step)
{
    static const char *const words[ACME_STEP_COUNT] = {
        "directory",
        "account",
        "order",
        "authorization",
        "publish",
        "respond",
        "validation",
        "order status",
        "finalize",
        "certificate",
#if ACME_CFG_ALTERNATE
        "other chain",
#endif
#if ACME_CFG_DEACTIVATE_AUTHZ
        "deactivation",
#endif
#if ACME_CFG_RENEWAL
        "renewal info",
#endif
#if ACME_CFG_MANAGE
        "revoke",
        "deactivate",
        "change key",
        "account",
        "account update"
#endif
    };
    return step < ACME_STEP_COUNT ? words[step] : "?";
}

const char *acme_status_word(enum acme_status status)
{
    static const char *const words[] = {"",      "unknown", "pending",     "processing", "ready",
                                        "valid", "invalid", "deactivated", "expired",    "revoked"};
    return status < sizeof words / sizeof *words ? words[status] : "?";
}

const char *acme_record_word(enum acme_record record)
{
    static const char *const words[] = {"account key",          "account",         "order",
                                        "next certificate key", "certificate key", "certificate chain",
                                        "next account key",     "renewal"};
    return record < sizeof words / sizeof *words ? words[record] : "?";
}

static void say(struct acme_out *o, const char *a, const char *b, const char *c)
{
    acme_out_text(o, a);
    acme_out_text(o, b);
    acme_out_text(o, c);
}

/* Where one error stands for things that people tell apart. */
static const char *meaning_of(const struct acme_failure *f)
{
    if ((f->error == ACME_E_PROBLEM || f->error == ACME_E_HTTP_STATUS) && f->http_status >= 500) {
        return f->http_status == 501 ? "the CA cannot do what was asked" : "the CA has trouble of its own";
    }
    return acme_error_text(f->tls_code == 256 + 40 ? ACME_E_TLS_ALERT : f->error).meaning;
}

static void say_meaning(const struct acme_report *r, const struct acme_failure *f, struct acme_out *o)
{
    acme_out_text(o, meaning_of(f));
    acme_out_text(o, " (");
    acme_hint(r, o);
    acme_out_text(o, ")");
}

/* A file or port of this machine. */
static const char *system_words(int code)
{
    return code == EEXIST ? "exists and was not made by nanoacme; left alone: move it away, then run again"
           : code == ENODATA
               ? "is empty or not a file; a private key is not replaced: put a copy back, or remove it for a "
                 "new one"
           : code == ENOTEMPTY || code == EISDIR ? "a folder that is not empty is in its place: move it away"
           : code == ELOOP
               ? "is a link in a folder that others may change, and not followed: put a folder there, or give "
                 "--user"
               : strerror(code);
}

static void explain_store(const struct acme_report *r, const struct acme_failure *f, struct acme_out *o)
{
    bool tried = f->error == ACME_E_STORE_READ || f->error == ACME_E_STORE_WRITE;

    if (tried) {
        say(o, f->error == ACME_E_STORE_READ ? "cannot read " : "cannot write ", r->store->path, ": ");
        acme_out_text(o, system_words(r->store->error));
        return;
    }
    if (f->error == ACME_E_KEY_CORRUPT || f->error == ACME_E_PAIR) {
        say(o, acme_report_key(r, f->record), ": ", "");
    }
    say_meaning(r, f, o);
    acme_out_text(o, f->error == ACME_E_PAIR ? "; issue --force gets a new pair" : "");
}

static void explain_network(const struct acme_report *r, const struct acme_failure *f, struct acme_out *o)
{
    struct acme_url url;

    /* Where the last connection led or was to lead; before the first one, the directory's host. */
    acme_out_text(o, f->error > ACME_E_CLOSED ? "cannot reach " : "");
    uint16_t port = 0;
    const char *host = acme_server(r->client, &port);
    if (host[0] != '\0') {
        say(o, host, ":", "");
        acme_out_u32(o, port);
    } else if (acme_url_parse(&url, acme_slice_of(r->config->directory_url)) == 0) {
        acme_out_slice(o, url.host);
        acme_out_text(o, ":");
        acme_out_u32(o, url.port);
    }
    acme_out_text(o, ": ");
    say_meaning(r, f, o);
    if (f->error == ACME_E_HOST && r->net->lookup.code != 0) {
        say(o, ": ", gai_strerror(r->net->lookup.code), "");
    } else if (f->error == ACME_E_NET && r->net->tcp.error != 0) {
        say(o, ": ", strerror(r->net->tcp.error), "");
    }
    if (f->error == ACME_E_TLS_UNTRUSTED && f->type[0] == '\0' && f->detail[0] != '\0') {
        say(o, ": no anchor for \"", f->detail, "\"");
    }
    if (f->tls_code != 0) {
        acme_out_text(o, ", TLS code ");
        acme_out_u32(o, (uint32_t)f->tls_code);
    }
}

static void explain_solver(const struct acme_report *r, const struct acme_failure *f, struct acme_out *o)
{
    if (f->detail[0] != '\0') { /* its own words */
        say(o, "the answer could not be published: ", f->detail, "");
        return;
    }
    if (r->webroot != NULL) {
        say(o, "cannot write ", r->webroot->path, ": ");
        acme_out_text(o, system_words(r->webroot->error));
        return;
    }
    if (f->error == ACME_E_LISTEN) {
        acme_out_text(o, "port ");
        acme_out_u32(o, r->listener->port);
        acme_out_text(o, ": ");
    }
    say_meaning(r, f, o);
    if (r->listener->error != 0) {
        say(o, ": ", strerror(r->listener->error), "");
    }
}

static void say_until(int64_t utc, struct acme_out *o)
{
    acme_say_date(o, utc);
    acme_out_text(o, " UTC");
}

static void explain_advice(const struct acme_report *r, const struct acme_failure *f, struct acme_out *o)
{
    int64_t utc = acme_report_utc(r);
    bool helps = acme_retry_helps(r);

    if (f->retry_s > 0 && (helps || r->client->exchange.retry_s > 0)) { /* the CA's is stored */
        acme_out_text(o, "; try again in ");
        acme_out_u32(o, f->retry_s);
        acme_out_text(o, " s");
        if (utc > 0) {
            acme_out_text(o, ", after ");
            say_until(utc + f->retry_s, o);
        }
        if (r->client->exchange.retry_after_s > 86400 && f->retry_s == 86400) {
            acme_out_text(o, " (a day is the longest that is stored; the CA asks for ");
            acme_out_u32(o, (uint32_t)r->client->exchange.retry_after_s / 86400);
            acme_out_text(o, " days)");
        }
    } else if (!helps) {
        acme_out_text(o, "; trying again without a change will not help");
    }
}

/* Nobody was asked: an earlier run has stored until when that is so. */
static void explain_wait(const struct acme_report *r, struct acme_out *o)
{
    const struct acme_told *t = &r->told;

    acme_out_text(o, "waiting until ");
    say_until(t->until_utc, o);
    acme_out_text(o, ", as an earlier run has stored, because ");
    acme_out_text(o, t->error == 0 ? "the CA asked for it or a certificate may have been made whose answer was lost"
                     : t->error == ACME_E_RATE_LIMITED
                         ? "the CA asked for it"
                         : "a certificate may have been made whose answer was lost, and another one would count too");
    if (t->type[0] != '\0' || t->detail[0] != '\0') {
        say(o, "; it said: ", t->type, t->type[0] != '\0' && t->detail[0] != '\0' ? ": " : "");
        acme_out_text(o, t->detail);
    }
    acme_out_text(o, "; ");
    acme_hint(r, o);
}

#if ACME_CFG_MANAGE
/* There is no key, so no account either. */
static void explain_no_key(const struct acme_report *r, struct acme_out *o)
{
    (void)acme_posix_place_record(r->store, ACME_RECORD_ACCOUNT_KEY);
    say(o, "there is no account key here, ", r->store->path, ", so no account; ");
    acme_hint(r, o);
}
#endif

void acme_explain(const struct acme_report *r, struct acme_out *o)
{
    const struct acme_failure *f = acme_failure(r->client);
    const struct acme_told *t = &r->told;
    bool in_step = f->error > ACME_E_STORE_READ || f->error < ACME_E_KEY;

    if (r->held_back) {
        explain_wait(r, o);
        return;
    }
#if ACME_CFG_RENEWAL
    in_step = in_step && f->error != ACME_E_DEPLOY; /* that is between us and the hook */
#endif
#if ACME_CFG_MANAGE
    if (f->error == ACME_E_NO_ACCOUNT && acme_stats(r->client).requests == 0) {
        explain_no_key(r, o);
        return;
    }
#endif
    if (in_step) {
        acme_out_text(o, acme_step_word(f->step));
        say(o, f->name[0] != '\0' ? " of " : "", f->name, ": ");
    }
    if (f->error <= ACME_E_STORE_READ && f->error >= ACME_E_KEY) {
        explain_store(r, f, o);
    } else if (f->error == ACME_E_SOLVER || f->error == ACME_E_LISTEN) {
        explain_solver(r, f, o);
    } else if (f->error <= ACME_E_HOST && f->error >= ACME_E_TLS_EARLY) {
        explain_network(r, f, o);
    } else {
        say_meaning(r, f, o);
    }
    bool worded = t->type[0] != '\0' || t->detail[0] != '\0';
    if (!r->problem_said && worded) {
        say(o, "; the CA says: ", t->type, t->type[0] != '\0' && t->detail[0] != '\0' ? ": " : "");
        acme_out_text(o, t->detail);
    }
    if (f->http_status != 0) { /* a problem document has its own, and that counts (RFC 9457, 3.1.2) */
        acme_out_text(o, worded ? ", status " : ", HTTP status ");
        acme_out_u32(o, f->http_status);
    }
    explain_advice(r, f, o);
}
