/* metrics.c - a table of metrics, and what each is for each certificate. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "list.h"
#include "metrics.h"

enum { NOT_AFTER, NOT_BEFORE, RENEWAL, NEXT_ATTEMPT, LAST_SUCCESS, FAILURES, DEPLOY, VALUES };

/* Times are seconds since 1970, as exporters advise: what is left is for who asks to compute. */
static const struct row {
    const char *name, *help;
} rows[VALUES] = {
    [NOT_AFTER] = {"not_after_timestamp_seconds", "When the certificate in use expires."},
    [NOT_BEFORE] = {"not_before_timestamp_seconds", "When the certificate in use became valid."},
    [RENEWAL] = {"renewal_timestamp_seconds", "When it is due to be renewed."},
    [NEXT_ATTEMPT] = {"next_attempt_timestamp_seconds", "The earliest moment of the next attempt."},
    [LAST_SUCCESS] = {"last_success_timestamp_seconds", "When the certificate in use was put in place."},
    [FAILURES] = {"failures", "Attempts in a row that have failed."},
    [DEPLOY] = {"deploy_pending", "1: the certificate in use has not been taken over yet."},
};

#define NOTHING INT64_MIN

struct metric {
    char name[254];
    char directory[ACME_URL_MAX + 1];
    int64_t values[VALUES]; /* NOTHING: it has none */
    enum acme_health health;
};
static struct metric metrics[ACME_LIST_MAX];
static size_t count;

static int64_t moment(int64_t utc)
{
    return utc == ACME_TIME_NOW || utc == ACME_TIME_NEVER || utc <= 0 ? NOTHING : utc;
}

void acme_metrics_add(const struct acme_look *l, enum acme_health health)
{
    const struct acme_plan *p = &l->plan;
    struct metric *m = &metrics[count];

    if (count == ACME_LIST_MAX) {
        return;
    }
    count++;
    (void)snprintf(m->name, sizeof m->name, "%s", l->name);
    (void)snprintf(m->directory, sizeof m->directory, "%s", l->setup ? l->config->directory_url : "");
    m->health = health;
    m->values[NOT_AFTER] = moment(p->not_after);
    m->values[NOT_BEFORE] = moment(p->not_before);
    m->values[RENEWAL] = moment(p->due);
    m->values[NEXT_ATTEMPT] =
        p->hold_until == ACME_TIME_NEVER ? NOTHING : moment(p->due > p->hold_until ? p->due : p->hold_until);
    m->values[LAST_SUCCESS] = l->wrong == NULL ? moment(l->since) : NOTHING;
    m->values[FAILURES] = acme_look_failures(l);
    m->values[DEPLOY] = p->deploy_pending;
}

void acme_metrics_label(struct acme_out *o, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n') {
            acme_out_text(o, "\\");
        }
        acme_out_bytes(o, *value == '\n' ? "n" : value, 1);
    }
}

static void head(const char *before, const char *name, const char *help)
{
    struct acme_out *o = acme_line();
    acme_out_text(o, "# HELP nanoacme_");
    acme_out_text(o, before);
    acme_out_text(o, name);
    acme_out_text(o, " ");
    acme_out_text(o, help);
    acme_out_text(o, "\n# TYPE nanoacme_");
    acme_out_text(o, before);
    acme_out_text(o, name);
    acme_out_text(o, " gauge");
    acme_line_end(STDOUT_FILENO);
}

static void sample(const struct metric *m, const char *name, const char *state, int64_t value)
{
    struct acme_out *o = acme_line();
    char text[32];

    acme_out_text(o, "nanoacme_certificate_");
    acme_out_text(o, name);
    acme_out_text(o, "{name=\"");
    acme_metrics_label(o, m->name);
    acme_out_text(o, "\",directory=\"");
    acme_metrics_label(o, m->directory);
    if (state != NULL) {
        acme_out_text(o, "\",state=\"");
        acme_metrics_label(o, state);
    }
    (void)snprintf(text, sizeof text, "\"} %lld", (long long)value);
    acme_out_text(o, text);
    acme_line_end(STDOUT_FILENO);
}

/* When the last run took hold of the state directory: it marks its lock. */
static void write_last_run(const char *state)
{
    int fd = acme_posix_folder(state, NULL);
    struct stat is;
    char text[80];

    if (fd >= 0 && fstatat(fd, ".lock", &is, AT_SYMLINK_NOFOLLOW) == 0) {
        head("", "last_run_timestamp_seconds", "When a run last took hold of the state directory.");
        (void)snprintf(text, sizeof text, "nanoacme_last_run_timestamp_seconds %lld", (long long)is.st_mtime);
        acme_out_text(acme_line(), text);
        acme_line_end(STDOUT_FILENO);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

void acme_metrics_write(const char *state)
{
    for (size_t r = 0; r < VALUES; r++) {
        head("certificate_", rows[r].name, rows[r].help);
        for (size_t i = 0; i < count; i++) {
            if (metrics[i].values[r] != NOTHING) {
                sample(&metrics[i], rows[r].name, NULL, metrics[i].values[r]);
            }
        }
    }
    head("certificate_", "state", "1 for the state the certificate is in.");
    for (size_t i = 0; i < count; i++) {
        for (unsigned h = ACME_HEALTH_OK; h <= ACME_HEALTH_NONE; h++) {
            sample(&metrics[i], "state", acme_health_word((enum acme_health)h), metrics[i].health == h);
        }
    }
    write_last_run(state);
    head("", "build_info", "The version, as a label.");
    acme_out_text(acme_line(), "nanoacme_build_info{version=\"" ACME_VERSION "\"} 1");
    acme_line_end(STDOUT_FILENO);
}
