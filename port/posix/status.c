/* status.c - the verb `status`: what the state directory holds, for people and as JSON. Reads only, and asks nobody. */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "due.h"
#include "list.h"
#include "look.h"
#include "metrics.h"
#include "program.h"

static void say_json_plan(const struct acme_look *l)
{
    const struct acme_plan *p = &l->plan;
    struct acme_out *o = acme_line_now();

    acme_line_text(o, "why", acme_slice_of(acme_due_word(p->why)));
    acme_line_number(o, "renew_at", p->due == ACME_TIME_NOW ? 0 : p->due);
    if (p->start < p->end) {
        acme_line_number(o, "window_start", p->start);
        acme_line_number(o, "window_end", p->end);
        acme_line_number(o, "chosen", p->chosen);
    }
    acme_line_text(o, "hold", acme_slice_of(acme_due_hold_word(p->hold)));
    if (p->hold != ACME_HOLD_NONE && p->hold_until != ACME_TIME_NEVER && p->hold_until != ACME_TIME_NOW) {
        acme_line_number(o, "next_attempt", p->hold_until);
    }
    acme_line_number(o, "failures", acme_look_failures(l));
    acme_line_number(o, "deploy_pending", p->deploy_pending);
    acme_line_text(o, "health", acme_slice_of(acme_health_word(acme_look_health(l, (int64_t)time(NULL)))));
}

static void say_json(const struct acme_look *l)
{
    struct acme_out *o = acme_line();

    acme_line_object(o, "certificate");
    acme_line_text(o, "certificate", acme_slice_of(l->name));
    if (l->wrong != NULL) {
        acme_line_text(o, "error", acme_slice_of(l->wrong));
    } else {
        acme_out_text(o, ",\"names\":[");
        acme_look_names(&l->leaf, o, true);
        acme_out_text(o, "]");
        acme_line_text(o, "issuer", acme_look_issuer(&l->leaf));
        acme_line_number(o, "not_before", l->leaf.not_before);
        acme_line_number(o, "not_after", l->leaf.not_after);
        acme_line_number(o, "days_left", (l->leaf.not_after - (int64_t)time(NULL)) / 86400);
        acme_line_number(o, "revoked", l->revoked);
        acme_line_text(o, "path", acme_slice_of(l->path));
        if (l->setup && l->config->key != NULL) {
            acme_line_text(o, "key", acme_slice_of(l->config->key));
        }
        acme_line_text(o, "sign", acme_slice_of(l->sign != NULL ? l->sign : ""));
    }
    acme_line_text(o, "directory", acme_slice_of(l->setup ? l->config->directory_url : ""));
    acme_line_text(o, "setup_error", acme_slice_of(l->setup_wrong != NULL ? l->setup_wrong : ""));
    say_json_plan(l);
    acme_line_number(o, "order_in_progress", l->order);
    if (l->until_utc > 0) {
        acme_line_number(o, "held_until", l->until_utc);
    }
    if (l->until_utc > 0 || l->told_at > 0) {
        acme_line_text(o, "last_error", acme_slice_of(l->told.error != 0 ? acme_error_text(l->told.error).name : ""));
        acme_line_text(o, "type", acme_slice_of(l->told.type));
        acme_line_text(o, "detail", acme_slice_of(l->told.detail));
    }
    acme_line_close(o);
    acme_line_end(STDOUT_FILENO);
}

static void say_row(const char *word, struct acme_slice text)
{
    struct acme_out *o = acme_line();
    acme_out_text(o, word);
    acme_out_slice(o, text);
    acme_line_end(STDOUT_FILENO);
}

static void say_validity(const struct acme_look *l)
{
    int64_t left = l->leaf.not_after - (int64_t)time(NULL);
    char text[48];
    struct acme_out *o = acme_line();

    acme_out_text(o, "    valid    ");
    acme_say_date(o, l->leaf.not_before);
    acme_out_text(o, " to ");
    acme_say_date(o, l->leaf.not_after);
    if (left >= 0 && left < 2 * 86400) {
        (void)snprintf(text, sizeof text, " UTC, %lld hours left", (long long)(left / 3600));
    } else {
        (void)snprintf(text, sizeof text, left < 0 ? " UTC, expired" : " UTC, %lld days left",
                       (long long)(left / 86400));
    }
    acme_out_text(o, text);
    acme_line_end(STDOUT_FILENO);
}

static void say_certificate(const struct acme_look *l)
{
    struct acme_out *o = acme_line();

    acme_out_text(o, "    names    ");
    acme_look_names(&l->leaf, o, false);
    acme_line_end(STDOUT_FILENO);
    say_row("    issuer   ", acme_look_issuer(&l->leaf));
    say_validity(l);
    if (l->revoked) {
        say_row("    revoked  the next run gets a new one", acme_slice("", 0));
    }
    say_row("    path     ", acme_slice_of(l->path));
    if (l->setup && l->config->key != NULL) {
        say_row("    key      ", acme_slice_of(l->config->key));
    }
    if (l->sign != NULL) {
        say_row("    place    ", acme_slice_of(l->sign));
    }
}

static void say_plan(const struct acme_look *l)
{
    const struct acme_plan *p = &l->plan;
    char text[80];
    struct acme_out *o;

    if (!l->revoked && (l->wrong == NULL || l->setup)) {
        o = acme_line();
        acme_out_text(o, "    renewal  ");
        acme_due_say(o, p);
        acme_line_end(STDOUT_FILENO);
    }
    if (acme_look_failures(l) > 0) {
        (void)snprintf(text, sizeof text, "    failed   %u attempt%s in a row", (unsigned)acme_look_failures(l),
                       acme_look_failures(l) == 1 ? "" : "s");
        say_row(text, acme_slice("", 0));
    }
    o = acme_line();
    acme_out_text(o, "    next try ");
    if (acme_due_say_hold(o, p, (int64_t)time(NULL))) {
        acme_line_end(STDOUT_FILENO);
    }
    if (p->deploy_pending) {
        say_row("    deploy   pending: the hook has not succeeded for the certificate in use", acme_slice("", 0));
    }
}

static void say_problem(const struct acme_look *l)
{
    struct acme_out *o = acme_line();

    if (l->until_utc > 0) {
        acme_out_text(o, "    waiting  until ");
        acme_say_date(o, l->until_utc);
        acme_out_text(o, " UTC: the CA is not asked before, but with --force");
        acme_line_end(STDOUT_FILENO);
    } else if (l->told_at > 0 && l->told.error != 0) {
        acme_out_text(o, "    problem  ");
        acme_say_date(o, l->told_at);
        acme_out_text(o, " UTC: ");
        acme_out_text(o, acme_error_text(l->told.error).meaning);
        acme_line_end(STDOUT_FILENO);
    }
    if (l->told.detail[0] != '\0') {
        say_row("    CA said  ", acme_slice_of(l->told.detail));
    }
}

static void say_text(const struct acme_look *l)
{
    say_row("", acme_slice_of(l->name));
    if (l->wrong != NULL) {
        say_row("    ", acme_slice_of(l->wrong));
    } else {
        say_certificate(l);
    }
    if (l->setup) {
        say_row("    CA       ", acme_slice_of(l->config->directory_url));
    } else {
        say_row("    setup    ",
                acme_slice_of(l->setup_wrong != NULL ? l->setup_wrong : "none is kept, as by an earlier nanoacme"));
    }
    say_plan(l);
    if (l->order) {
        say_row("    order    in progress", acme_slice("", 0));
    }
    say_problem(l);
}

/* Shows one certificate. Returns whether all is well. */
static bool show(const struct acme_config *config, const char *name)
{
    static struct acme_look look;
    enum acme_health health;

    acme_look(&look, config, name);
    health = acme_look_health(&look, (int64_t)time(NULL));
    if (config->metrics) {
        acme_metrics_add(&look, health);
    } else if (config->json) {
        say_json(&look);
    } else if (!config->quiet) {
        say_text(&look);
    }
    return health == ACME_HEALTH_OK || health == ACME_HEALTH_LATE;
}

/* Shows all certificates. Returns an exit code. */
static int show_all(const struct acme_config *config)
{
    static struct acme_list list;
    int code = acme_list_open(&list, config->state);
    bool all = true;

    if (code != 0) {
        acme_report_error("cannot read %s: %s", config->state, strerror(code));
        return ACME_EXIT_FAILED;
    }
    for (size_t i = 0; i < list.count; i++) {
        all = show(config, acme_list_name(&list, i)) && all;
    }
    if (list.more) {
        acme_report_error("more than %zu certificates in %s: name them", list.count, config->state);
    }
    return all && !list.more ? 0 : ACME_EXIT_FAILED;
}

/* Shows those named on the command line. Returns an exit code. */
static int show_named(const struct acme_config *config)
{
    bool all = true;
    char name[254];

    for (size_t i = 0; i < config->names.count; i++) {
        int code = acme_check_stored(name, config->names.at[i]);
        if (code != 0) {
            return code;
        }
        all = show(config, name) && all;
    }
    return all ? 0 : ACME_EXIT_FAILED;
}

int acme_program_status(const struct acme_config *config)
{
    int code;

    if (config->metrics && config->json) {
        acme_report_error("--json and --metrics exclude each other");
        return ACME_EXIT_USAGE;
    }
    /* Of the file's names only the first one is a certificate; on the command line each is one. */
    code = acme_config_blame(config, ACME_KEY_NAMES) == ACME_EXIT_CONFIG || config->names.count == 0
               ? show_all(config)
               : show_named(config);
    if (config->metrics && code != ACME_EXIT_USAGE) {
        acme_metrics_write(config->state);
        return 0; /* who collects them wants them above all when something is wrong */
    }
    return code;
}
