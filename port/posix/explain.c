/* explain.c - errors in words: where it happened, what it means, what usually causes it. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#include "report.h"
#include "config.h"
#include "webroot.h"

struct acme_error_text acme_error_text(int error)
{
    switch (error) {
#define ACME_ERROR_CASE(name, value, retry, meaning, cause)                                                          \
    case name:                                                                                                       \
        return (struct acme_error_text){#name, meaning, cause, retry != 0};
        ACME_ERRORS(ACME_ERROR_CASE)
#undef ACME_ERROR_CASE
    default:
        return (struct acme_error_text){"ACME_E_?", "unknown error", "a newer core than this program", true};
    }
}

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
#if ACME_CFG_MANAGE
        "revoke",
        "deactivate",
        "change key"
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
                                        "next account key"};
    return record < sizeof words / sizeof *words ? words[record] : "?";
}

static void say(struct acme_out *o, const char *a, const char *b, const char *c)
{
    acme_out_text(o, a);
    acme_out_text(o, b);
    acme_out_text(o, c);
}

static void say_meaning(struct acme_out *o, int error)
{
    struct acme_error_text text = acme_error_text(error);
    say(o, text.meaning, " (", text.cause);
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
        (void)acme_posix_place_record(r->store, f->record);
        say(o, r->store->path, ": ", "");
    }
    say_meaning(o, f->error);
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
    say_meaning(o, f->error);
    if (f->error == ACME_E_HOST && r->net->lookup.code != 0) {
        say(o, ": ", gai_strerror(r->net->lookup.code), "");
    } else if (f->error == ACME_E_NET && r->net->error != 0) {
        say(o, ": ", strerror(r->net->error), "");
    }
    if (f->tls_code != 0) {
        acme_out_text(o, ", TLS code ");
        acme_out_u32(o, (uint32_t)f->tls_code);
    }
}

static void explain_solver(const struct acme_report *r, const struct acme_failure *f, struct acme_out *o)
{
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
    say_meaning(o, f->error);
    if (r->listener->error != 0) {
        say(o, ": ", strerror(r->listener->error), "");
    }
}

static void explain_advice(const struct acme_failure *f, struct acme_out *o)
{
    if (f->retry_s > 0) {
        acme_out_text(o, "; try again in ");
        acme_out_u32(o, f->retry_s);
        acme_out_text(o, " s");
    } else if (!acme_error_text(f->error).retry) {
        acme_out_text(o, "; trying again without a change will not help");
    }
}

void acme_explain(const struct acme_report *r, struct acme_out *o)
{
    const struct acme_failure *f = acme_failure(r->client);
    bool in_step = f->error > ACME_E_STORE_READ || f->error < ACME_E_KEY;

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
        say_meaning(o, f->error);
    }
    if (!r->problem_said && (f->type[0] != '\0' || f->detail[0] != '\0')) {
        say(o, "; the CA says: ", f->type, f->type[0] != '\0' && f->detail[0] != '\0' ? ": " : "");
        acme_out_text(o, f->detail);
    }
    if (f->http_status != 0) {
        acme_out_text(o, ", HTTP status ");
        acme_out_u32(o, f->http_status);
    }
    explain_advice(f, o);
}
