/* report.c - a line for each event, and the end of a run. */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

#include "report.h"
#include "config.h"

static const char *const kinds[] = {"step", "connected", "request", "answer", "wait", "problem", "terms", "stored",
                                    "unreadable"};

static void event_json(const struct acme_event *e, struct acme_out *o)
{
    acme_line_object(o, kinds[e->kind]);
    if (e->kind < ACME_EVENT_STORED) {
        acme_line_text(o, "step", acme_slice_of(acme_step_word(e->step)));
    }
    acme_line_text(o, "name", e->name);
    switch (e->kind) {
    case ACME_EVENT_STEP:
        break;
    case ACME_EVENT_CONNECTED:
        acme_line_text(o, "host", e->text);
        break;
    case ACME_EVENT_REQUEST:
        acme_line_text(o, "method", e->text);
        acme_line_text(o, "url", e->detail);
        break;
    case ACME_EVENT_ANSWER:
        acme_line_number(o, "http_status", e->http_status);
        acme_line_text(o, "status", acme_slice_of(acme_status_word(e->status)));
        acme_line_number(o, "polls", e->polls);
        break;
    case ACME_EVENT_WAIT:
        acme_line_number(o, "wait_ms", e->wait_ms);
        acme_line_number(o, "polls", e->polls);
        acme_line_text(o, "error", acme_slice_of(e->error != 0 ? acme_error_text(e->error).name : ""));
        break;
    case ACME_EVENT_PROBLEM:
        acme_line_text(o, "type", e->text);
        acme_line_text(o, "detail", e->detail);
        acme_line_number(o, "http_status", e->http_status);
        acme_line_number(o, "subproblem", e->subproblem);
        break;
    case ACME_EVENT_TERMS:
        acme_line_text(o, "url", e->text);
        break;
    case ACME_EVENT_UNREADABLE:
        acme_line_text(o, "error", acme_slice_of(acme_error_text(e->error).name));
        acme_line_text(o, "record", acme_slice_of(acme_record_word(e->record)));
        break;
    case ACME_EVENT_STORED:
        acme_line_text(o, "record", acme_slice_of(acme_record_word(e->record)));
        break;
    }
    acme_line_close(o);
}

static void say(struct acme_out *o, const char *before, struct acme_slice text)
{
    if (text.len > 0) {
        acme_out_text(o, before);
        acme_out_slice(o, text);
    }
}

static void say_wait(const struct acme_event *e, struct acme_out *o)
{
    char text[48];
    if (e->error != 0) {
        acme_out_text(o, acme_error_text(e->error).meaning);
    } else {
        acme_out_text(o, acme_status_word(e->status));
    }
    (void)snprintf(text, sizeof text, ", %s in %u.%u s", e->error != 0 ? "again" : "next look", e->wait_ms / 1000,
                   e->wait_ms % 1000 / 100);
    acme_out_text(o, text);
}

static void say_answer(const struct acme_event *e, struct acme_out *o)
{
    acme_out_text(o, e->status != ACME_STATUS_NONE ? acme_status_word(e->status) : "done");
    if (e->polls > 0) {
        acme_out_text(o, ", poll ");
        acme_out_u32(o, e->polls);
    }
}

/* Each line begins with the step, and the DNS name it is about. */
static void say_where(const struct acme_event *e, struct acme_out *o)
{
    char text[280];
    const char *word = e->kind >= ACME_EVENT_STORED ? kinds[e->kind] : acme_step_word(e->step);
    (void)snprintf(text, sizeof text, "%-14s %.*s%s", word, (int)e->name.len, e->name.len > 0 ? e->name.at : "",
                   e->name.len > 0 ? " " : "");
    acme_out_text(o, text);
}

static void event_text(const struct acme_event *e, struct acme_out *o)
{
    say_where(e, o);
    switch (e->kind) {
    case ACME_EVENT_STEP:
        acme_out_text(o, "begins");
        break;
    case ACME_EVENT_CONNECTED:
        say(o, "connected to ", e->text);
        break;
    case ACME_EVENT_REQUEST:
        say(o, "", e->text);
        say(o, " ", e->detail);
        break;
    case ACME_EVENT_ANSWER:
        say_answer(e, o);
        break;
    case ACME_EVENT_WAIT:
        say_wait(e, o);
        break;
    case ACME_EVENT_PROBLEM:
        acme_out_text(o, e->subproblem ? "part of it: " : "the CA says ");
        acme_out_slice(o, e->text);
        say(o, ": ", e->detail);
        break;
    case ACME_EVENT_TERMS:
        say(o, "terms of service: ", e->text);
        break;
    case ACME_EVENT_STORED:
        acme_out_text(o, acme_record_word(e->record));
        break;
    case ACME_EVENT_UNREADABLE:
        acme_out_text(o, acme_record_word(e->record));
        acme_out_text(o, " cannot be read: taken as absent");
        break;
    }
}

/* What only -v shows. */
static bool extra(const struct acme_event *e)
{
    bool nonce = e->kind == ACME_EVENT_PROBLEM && acme_slice_is(e->text, "urn:ietf:params:acme:error:badNonce");
    return e->kind == ACME_EVENT_REQUEST || e->kind == ACME_EVENT_CONNECTED || e->kind == ACME_EVENT_STORED ||
           nonce || (e->kind == ACME_EVENT_WAIT && e->wait_ms == 0);
}

void acme_report_event(void *ctx, const struct acme_event *e)
{
    struct acme_report *r = ctx;
    struct acme_out *o;

    if (e->kind == ACME_EVENT_REQUEST) {
        r->problem_said = false;
    }
    if (!r->verbose && extra(e)) {
        return;
    }
    if (!r->json && e->kind == ACME_EVENT_STEP && e->step != ACME_STEP_PRESENT) {
        if (r->terminal) {
            acme_line_hold(acme_step_word(e->step));
        }
        return; /* its first answer or wait says as much */
    }
    o = acme_line();
    if (r->json) {
        event_json(e, o);
    } else {
        event_text(e, o);
        if (r->verbose && e->kind == ACME_EVENT_ANSWER) {
            acme_out_text(o, ", HTTP ");
            acme_out_u32(o, e->http_status);
        }
    }
    /* A refusal is for whoever reads the errors, where the end of the run need not repeat it. */
    bool refusal = !r->json && e->kind == ACME_EVENT_PROBLEM;
    r->problem_said = r->problem_said || refusal;
    acme_line_end(refusal ? STDERR_FILENO : STDOUT_FILENO);
}

struct figure {
    const char *word;
    int64_t value;
};

/* Counts, then sizes in bytes. Returns how many. */
static size_t figures(const struct acme_report *r, struct figure *f)
{
    struct acme_stats s = acme_stats(r->client);
    const struct figure all[] = {
        {"requests", s.requests},
        {"handshakes", s.handshakes},
        {"bytes_up", s.bytes_up},
        {"bytes_down", s.bytes_down},
        {"signatures", s.signatures},
        {"keys", s.keys},
        {"polls", s.polls},
        {"rejections", s.rejections},
        {"writes", s.writes},
        {"ticks", s.ticks},
        {"longest_tick_us", r->longest_tick_us},
        {"client_bytes", (int64_t)sizeof(struct acme_client)},
        {"work_bytes", (int64_t)r->client->setup->work_len},
        {"tls_bytes", (int64_t)sizeof(struct acme_tls)},
        {"tls_buffer_bytes", (int64_t)r->client->setup->tls_buffer_len},
        {"http01_bytes", r->webroot != NULL ? 0 : (int64_t)sizeof(struct acme_http01)},
        {"anchors_bytes", (int64_t)r->anchors_len},
    };
    memcpy(f, all, sizeof all);
    return sizeof all / sizeof *all;
}

static void end_json(const struct acme_report *r, const char *result, bool failed)
{
    const struct acme_failure *f = acme_failure(r->client);
    struct figure all[24];
    size_t count = figures(r, all);
    int64_t from, to, renew;
    char message[1800];
    struct acme_out words, *o = acme_line();

    acme_line_object(o, "end");
    acme_line_text(o, "result", acme_slice_of(result));
    if (failed) {
        acme_out_init(&words, message, sizeof message);
        acme_explain(r, &words);
        acme_line_text(o, "error", acme_slice_of(acme_error_text(f->error).name));
        acme_line_number(o, "code", f->error);
        acme_line_text(o, "message", acme_slice(words.at, words.len));
        acme_line_text(o, "step", acme_slice_of(acme_step_word(f->step)));
        acme_line_text(o, "name", acme_slice_of(f->name));
        acme_line_text(o, "type", acme_slice_of(f->type));
        acme_line_text(o, "detail", acme_slice_of(f->detail));
        acme_line_number(o, "tls_code", f->tls_code);
        acme_line_number(o, "http_status", f->http_status);
        acme_line_number(o, "retry_s", f->retry_s);
    } else if (acme_validity(r->client, &from, &to, &renew)) {
        (void)acme_posix_place_record(r->store, ACME_RECORD_CHAIN);
        acme_line_text(o, "certificate", acme_slice_of(r->store->path));
        (void)acme_posix_place_record(r->store, ACME_RECORD_KEY);
        acme_line_text(o, "key", acme_slice_of(r->store->path));
        acme_line_number(o, "not_before", from);
        acme_line_number(o, "not_after", to);
        acme_line_number(o, "renew_at", renew);
    }
    acme_out_text(o, ",\"stats\":{");
    for (size_t i = 0; i < count; i++) {
        acme_line_number(o, all[i].word, all[i].value);
    }
    acme_line_close(o);
    acme_line_close(o);
    acme_line_end(STDOUT_FILENO);
}

static void end_text(const struct acme_report *r, enum acme_progress result)
{
    static const struct {
        const char *word;
        enum acme_record record;
    } files[] = {{"certificate  ", ACME_RECORD_CHAIN}, {"key          ", ACME_RECORD_KEY}};
    int64_t from, to, renew;
    struct acme_out *o;

    if (!acme_validity(r->client, &from, &to, &renew)) {
        return; /* beside issuing: the last answer has said it */
    }
    for (size_t i = 0; i < 2 && result == ACME_ISSUED; i++) {
        o = acme_line();
        (void)acme_posix_place_record(r->store, files[i].record);
        acme_out_text(o, files[i].word);
        acme_out_text(o, r->store->path);
        acme_line_end(STDOUT_FILENO);
    }
    o = acme_line();
    acme_out_text(o, result == ACME_ISSUED ? "valid        " : "nothing to do: valid ");
    acme_say_date(o, from);
    acme_out_text(o, " to ");
    acme_say_date(o, to);
    acme_out_text(o, " UTC, to be renewed from ");
    acme_say_date(o, renew);
    acme_line_end(STDOUT_FILENO);
}

static void end_figures(const struct acme_report *r)
{
    struct figure all[24];
    size_t count = figures(r, all);

    for (size_t i = 0; i < count; i++) {
        char text[64];
        struct acme_out *o = acme_line();
        (void)snprintf(text, sizeof text, "    %-17s %10lld", all[i].word, (long long)all[i].value);
        acme_out_text(o, text);
        acme_line_end(STDOUT_FILENO);
    }
}

void acme_report_end(const struct acme_report *r, enum acme_progress result, bool stopped)
{
    bool failed = !stopped && result == ACME_FAILED;
    char message[1800];
    struct acme_out words;

    acme_out_init(&words, message, sizeof message);
    if (failed) {
        acme_explain(r, &words);
        acme_report_error("%.*s", (int)words.len, words.at);
    } else if (stopped) {
        acme_report_error("stopped by a signal; the next run goes on with the same account and order");
    } else if (!r->json) {
        end_text(r, result);
    }
    if (r->json) {
        end_json(r,
                 stopped                  ? "stopped"
                 : failed                 ? "failed"
                 : result == ACME_ISSUED  ? "issued"
                 : result == ACME_CURRENT ? "current"
                                          : "done",
                 failed);
    } else if (r->verbose) {
        end_figures(r);
    }
}
