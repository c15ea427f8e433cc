/* status.c - the verb `status`: what the state directory holds. Reads only. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "list.h"
#include "look.h"
#include "program.h"
#include "report.h"
#include "lifecycle/renew.h"

static void say_json(const struct acme_look *f)
{
    struct acme_out *o = acme_line();

    acme_line_object(o, "certificate");
    acme_line_text(o, "certificate", acme_slice_of(f->name));
    if (f->wrong != NULL) {
        acme_line_text(o, "error", acme_slice_of(f->wrong));
    } else {
        acme_out_text(o, ",\"names\":[");
        acme_look_names(&f->leaf, o, true);
        acme_out_text(o, "]");
        acme_line_text(o, "issuer", acme_look_issuer(&f->leaf));
        acme_line_number(o, "not_before", f->leaf.not_before);
        acme_line_number(o, "not_after", f->leaf.not_after);
        acme_line_number(o, "days_left", (f->leaf.not_after - (int64_t)time(NULL)) / 86400);
        acme_line_number(o, "renew_at", acme_renew_at(f->leaf.not_before, f->leaf.not_after));
        acme_line_number(o, "revoked", f->revoked);
        acme_line_text(o, "sign", acme_slice_of(f->sign != NULL ? f->sign : ""));
    }
    acme_line_number(o, "order_in_progress", f->order);
    if (f->until_utc > 0) {
        acme_line_number(o, "held_until", f->until_utc);
        acme_line_text(o, "type", acme_slice_of(f->told.type));
        acme_line_text(o, "detail", acme_slice_of(f->told.detail));
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

static void say_moment(const char *before, int64_t utc, const char *after)
{
    struct acme_out *o = acme_line();
    acme_out_text(o, before);
    acme_say_date(o, utc);
    acme_out_text(o, after);
    acme_line_end(STDOUT_FILENO);
}

static void say_certificate(const struct acme_look *f)
{
    int64_t left = f->leaf.not_after - (int64_t)time(NULL);
    char text[48];
    struct acme_out *o = acme_line();

    acme_out_text(o, "    names    ");
    acme_look_names(&f->leaf, o, false);
    acme_line_end(STDOUT_FILENO);
    say_row("    issuer   ", acme_look_issuer(&f->leaf));
    o = acme_line();
    acme_out_text(o, "    valid    ");
    acme_say_date(o, f->leaf.not_before);
    acme_out_text(o, " to ");
    acme_say_date(o, f->leaf.not_after);
    (void)snprintf(text, sizeof text, left < 0 ? " UTC, expired" : " UTC, %lld days left", (long long)(left / 86400));
    acme_out_text(o, text);
    acme_line_end(STDOUT_FILENO);
    if (f->revoked) {
        say_row("    revoked  the next issue gets a new one", acme_slice("", 0));
    } else {
        say_moment("    renewal  from ", acme_renew_at(f->leaf.not_before, f->leaf.not_after), " UTC");
    }
    if (f->sign != NULL) {
        say_row("    place    ", acme_slice_of(f->sign));
    }
}

static void say_text(const struct acme_look *f)
{
    say_row("", acme_slice_of(f->name));
    if (f->wrong != NULL) {
        say_row("    ", acme_slice_of(f->wrong));
    } else {
        say_certificate(f);
    }
    if (f->order) {
        say_row("    order    in progress", acme_slice("", 0));
    }
    if (f->until_utc > 0) {
        say_moment("    waiting  until ", f->until_utc, " UTC: the CA is not asked before, but with --force");
        if (f->told.detail[0] != '\0') {
            say_row("    CA said  ", acme_slice_of(f->told.detail));
        }
    }
}

/* Shows one certificate. Returns true when there is one. */
static bool show(const struct acme_config *config, const char *name)
{
    static struct acme_look f;

    acme_look(&f, config, name);
    if (config->json) {
        say_json(&f);
    } else {
        say_text(&f);
    }
    return f.wrong == NULL;
}

/* Shows all certificates. Returns an exit code. */
static int show_all(const struct acme_config *config)
{
    static struct acme_list list;
    int code = acme_list_open(&list, config->state);

    for (size_t i = 0; i < list.count; i++) {
        (void)show(config, acme_list_name(&list, i));
    }
    if (code != 0) {
        acme_report_error("cannot read %s: %s", config->state, strerror(code));
    }
    return code == 0 ? 0 : ACME_EXIT_FAILED;
}

int acme_program_status(const struct acme_config *config)
{
    bool all = true;
    char name[254];

    /* Of the file's names only the first one is a certificate; on the command line each is one. */
    if (acme_config_blame(config, ACME_KEY_NAMES) == ACME_EXIT_CONFIG || config->names.count == 0) {
        return show_all(config);
    }
    for (size_t i = 0; i < config->names.count; i++) {
        const char *why = acme_check_name(name, config->names.at[i]);
        if (why != NULL) {
            acme_report_error("names: \"%.260s\": %s", config->names.at[i], why);
            return ACME_EXIT_USAGE;
        }
        acme_small_letters(name);
        all = show(config, name) && all;
    }
    return all ? 0 : ACME_EXIT_FAILED;
}
