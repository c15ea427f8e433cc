/* report.c - a line for each event, and the end of a run. */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

#include "due.h"
#include "report.h"
#include "config.h"

static const char *const kinds[] = {"step",      "connected", "request", "answer", "wait",   "problem",   "terms",
                                    "explained", "profile",   "solver",  "chain",  "stored", "unreadable"};

/* It comes behind what the run has failed with, and is no part of that. */
#if ACME_CFG_DEACTIVATE_AUTHZ
static bool tidies(const struct acme_event *e)
{
    return e->kind < ACME_EVENT_STORED && e->step == ACME_STEP_DEACTIVATE_AUTHZ;
}
#else
#define tidies(e) false
#endif

/* Only these are asked for again and again. */
static bool is_polled(const struct acme_event *e)
{
    return e->step == ACME_STEP_AUTHZ_POLL || e->step == ACME_STEP_ORDER_POLL;
}

/* ACME v1: the certificate may have been made; nobody tells where it is. */
static bool is_paid(const struct acme_event *e)
{
    return e->step == ACME_STEP_FINALIZE && e->error != 0 && e->error != ACME_E_RATE_LIMITED &&
           e->error != ACME_E_NONCE && e->wait_ms >= 300000;
}

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
        acme_line_number(o, "polls", is_polled(e) ? e->polls : 0);
        acme_line_text(o, "error", acme_slice_of(e->error != 0 ? acme_error_text(e->error).name : ""));
        break;
    case ACME_EVENT_WAIT:
        acme_line_number(o, "wait_ms", e->wait_ms);
        acme_line_number(o, "polls", e->polls);
        acme_line_text(o, "error", acme_slice_of(e->error != 0 ? acme_error_text(e->error).name : ""));
        break;
    case ACME_EVENT_PROBLEM:
        acme_line_text(o, "type", e->text);
        acme_line_text(o, "detail", e->detail);
        acme_line_number(o, "problem_status", e->http_status);
        acme_line_number(o, "subproblem", e->subproblem);
        break;
    case ACME_EVENT_TERMS:
    case ACME_EVENT_EXPLAINED:
        acme_line_text(o, "url", e->text);
        break;
    case ACME_EVENT_PROFILE:
        acme_line_text(o, "profile", e->text);
        break;
    case ACME_EVENT_SOLVER:
        acme_line_text(o, "type", e->text);
        acme_line_text(o, "detail", e->detail);
        acme_line_text(o, "error", acme_slice_of(e->error != 0 ? acme_error_text(e->error).name : ""));
        break;
    case ACME_EVENT_CHAIN:
        acme_line_number(o, "alternate", e->polls);
        acme_line_text(o, "error", acme_slice_of(e->error != 0 ? acme_error_text(e->error).name : ""));
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
    bool trouble = e->error == ACME_E_PROBLEM || e->error == ACME_E_HTTP_STATUS; /* others are not waited for */
    char text[48];

    acme_out_text(o, trouble         ? "the CA has trouble of its own"
                     : e->error != 0 ? acme_error_text(e->error).meaning
                                     : acme_status_word(e->status));
    if (is_paid(e)) {
        acme_out_text(o, "; the certificate may have been made all the same, and asking too soon could cost another");
    }
    acme_out_text(o, e->error != 0 ? ", again in " : ", next look in ");
    if (e->wait_ms >= 10000) {
        (void)snprintf(text, sizeof text, "%u s", (e->wait_ms + 500) / 1000);
    } else {
        (void)snprintf(text, sizeof text, "%u.%u s", e->wait_ms / 1000, e->wait_ms % 1000 / 100);
    }
    acme_out_text(o, text);
}

static void say_answer(const struct acme_event *e, struct acme_out *o)
{
    acme_out_text(o, e->status != ACME_STATUS_NONE ? acme_status_word(e->status) : "done");
    if (e->polls > 0 && is_polled(e)) {
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
    case ACME_EVENT_EXPLAINED:
        say(o, "the CA tells why at ", e->text);
        break;
    case ACME_EVENT_PROFILE:
        say(o, "the CA has the profile ", e->text);
        break;
    case ACME_EVENT_SOLVER:
        acme_out_slice(o, e->text);
        say(o, ": ", e->detail);
        break;
    case ACME_EVENT_CHAIN:
        acme_out_text(o, e->polls > 0 ? "as preferred" : "the CA's own choice");
        if (e->error != 0) {
            acme_out_text(o, ": ");
            acme_out_text(o, acme_error_text(e->error).meaning);
        }
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

/* An answer that is refused: the end of the run says what is wrong with it, and "done" it is not. */
static bool says_nothing(const struct acme_event *e)
{
    return e->kind == ACME_EVENT_ANSWER && e->error != 0 &&
           (e->status == ACME_STATUS_NONE || e->status == ACME_STATUS_UNKNOWN);
}

/* --- what the CA refuses */

/* A refusal is only told when something comes of it: some are answers, such as "the key is in use" to whoever looks for
 * its account. So its lines wait here for what follows: a wait for its sake, an object that is refused, or the end. */
static char held_memory[40960], last_memory[sizeof held_memory];
static struct acme_out held;
static size_t last_len;

static void hold(const struct acme_report *r, const struct acme_event *e)
{
    if (held.at == NULL) {
        acme_out_init(&held, held_memory, sizeof held_memory);
    }
    size_t start = held.len;
    if (r->json) {
        event_json(e, &held);
    } else {
        event_text(e, &held);
    }
    acme_out_text(&held, "\n");
    if (held.overflow) { /* a subproblem too many: whole lines only */
        held.len = start;
        held.overflow = false;
    }
}

/* Says what waits; not when it was the last thing said, as by a CA that is asked again and again. */
static void release(struct acme_report *r)
{
    bool again = held.len == last_len && memcmp(held_memory, last_memory, last_len) == 0;

    if (held.len == 0) {
        return;
    }
    if (!again || r->verbose) {
        acme_lines_write(r->json ? STDOUT_FILENO : STDERR_FILENO, &held);
        memcpy(last_memory, held_memory, held.len);
        last_len = held.len;
    }
    r->problem_said = !r->json;
    held.len = 0;
}

static void copy(char *to, size_t cap, struct acme_slice text)
{
    (void)snprintf(to, cap, "%.*s", (int)text.len, text.len > 0 ? text.at : "");
}

static bool comes_of_refusal(const struct acme_event *e)
{
    return e->kind == ACME_EVENT_WAIT
               ? e->error == ACME_E_PROBLEM || e->error == ACME_E_HTTP_STATUS || e->error == ACME_E_RATE_LIMITED
               : e->kind == ACME_EVENT_ANSWER && e->error != 0;
}

/* Keeps what the end of the run may have to tell. */
static void note(struct acme_report *r, const struct acme_event *e)
{
    if (tidies(e)) {
        return;
    }
    switch (e->kind) {
    case ACME_EVENT_REQUEST:
        r->problem_said = false;
        r->paid = false;
        memset(&r->told, 0, sizeof r->told);
        r->shown[0] = '\0';
        held.len = 0; /* it was an answer: the run goes on */
        break;
    case ACME_EVENT_PROBLEM:
        if (!e->subproblem) {
            copy(r->told.type, sizeof r->told.type, e->text);
            copy(r->told.detail, sizeof r->told.detail, e->detail);
        }
        break;
    case ACME_EVENT_TERMS:
        copy(r->shown, sizeof r->shown, e->text);
        break;
    case ACME_EVENT_ANSWER:
        acme_evidence_look(r, e);
        break;
    case ACME_EVENT_WAIT:
        r->paid = is_paid(e);
        break;
    default:
        break;
    }
}

void acme_report_event(void *ctx, const struct acme_event *e)
{
    struct acme_report *r = ctx;
    struct acme_out *o;

    note(r, e);
    if (r->quiet || (r->about != NULL && !r->verbose)) {
        return; /* what a failure was is told at the end */
    }
    if (e->kind == ACME_EVENT_PROBLEM && (r->verbose || !(extra(e) || tidies(e)))) {
        hold(r, e);
    }
    if (r->verbose || comes_of_refusal(e)) {
        release(r);
    }
    if (e->kind == ACME_EVENT_PROBLEM || (!r->verbose && extra(e))) {
        return;
    }
    if (!r->json && (says_nothing(e) || (e->kind == ACME_EVENT_STEP && e->step != ACME_STEP_PRESENT))) {
        if (r->terminal && e->kind == ACME_EVENT_STEP) {
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
    acme_line_end(STDOUT_FILENO);
}

/* --- the end of a run */

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
        {"http01_bytes",
         r->webroot != NULL || acme_config_only_tls(r->config) ? 0 : (int64_t)sizeof(struct acme_http01)},
        {"tlsalpn01_bytes", !acme_config_only_tls(r->config) ? 0 : (int64_t)sizeof(struct acme_tlsalpn01)},
        {"anchors_bytes", (int64_t)r->anchors_len},
    };
    memcpy(f, all, sizeof all);
    return sizeof all / sizeof *all;
}

static void end_json(const struct acme_report *r, const char *result, bool failed)
{
    const struct acme_failure *f = acme_failure(r->client);
    struct figure all[25];
    size_t count = figures(r, all);
    int64_t from, to, renew;
    struct acme_plan plan;
    static char message[9216];
    struct acme_out words, *o = acme_line();

    acme_line_object(o, r->about != NULL ? "certificate_end" : "end");
    acme_line_text(o, "name", acme_slice_of(r->about != NULL ? r->about : ""));
    acme_line_text(o, "result", acme_slice_of(result));
    if (failed) {
        acme_out_init(&words, message, sizeof message);
        acme_explain(r, &words);
        acme_line_text(o, "error", acme_slice_of(acme_error_text(f->error).name));
        acme_line_number(o, "code", f->error);
        acme_line_text(o, "message", acme_slice(words.at, words.len));
        acme_out_init(&words, message, sizeof message);
        acme_hint(r, &words);
        acme_line_text(o, "hint", acme_slice(words.at, words.len));
        acme_line_text(o, "step", acme_slice_of(acme_step_word(f->step)));
        acme_line_text(o, "name", acme_slice_of(f->name));
        acme_line_text(o, "type", acme_slice_of(r->told.type));
        acme_line_text(o, "detail", acme_slice_of(r->told.detail));
        acme_line_number(o, "tls_code", f->tls_code);
        bool worded = r->told.type[0] != '\0' || r->told.detail[0] != '\0';
        acme_line_number(o, worded ? "problem_status" : "http_status", f->http_status);
        acme_line_number(o, "retry_s", f->retry_s);
        if (r->held_back) {
            acme_line_number(o, "held_until", r->told.until_utc);
        }
    } else if (r->waits != NULL) {
        acme_line_text(o, "message", acme_slice_of(r->waits));
    } else if (acme_validity(r->client, &from, &to, &renew)) {
        (void)acme_posix_place_record(r->store, ACME_RECORD_CHAIN);
        acme_line_text(o, "certificate", acme_slice_of(r->store->path));
        acme_line_text(o, "key", acme_slice_of(acme_report_key(r, ACME_RECORD_KEY)));
        acme_line_number(o, "not_before", from);
        acme_line_number(o, "not_after", to);
        if (acme_plan(r->client, &plan)) { /* of a new one it knows in the next round */
            acme_line_number(o, "renew_at", plan.due == ACME_TIME_NOW ? 0 : plan.due);
            acme_line_text(o, "why", acme_slice_of(acme_due_word(plan.why)));
        } else {
            acme_line_number(o, "renew_at", renew);
        }
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
    struct acme_plan plan;
    struct acme_out *o;

    if (!acme_validity(r->client, &from, &to, &renew)) {
        return; /* beside issuing: the last answer has said it */
    }
    for (size_t i = 0; i < 2 && result == ACME_ISSUED && r->about == NULL && !r->trial; i++) {
        o = acme_line();
        acme_out_text(o, files[i].word);
        acme_out_text(o, acme_report_key(r, files[i].record));
        acme_line_end(STDOUT_FILENO);
    }
    o = acme_line();
    if (r->about != NULL) {
        acme_out_text(o, r->about);
        acme_out_text(o, ": ");
    }
    acme_out_text(o, r->trial                ? "a trial, and it went well: valid "
                     : result != ACME_ISSUED ? "nothing to do: valid "
                     : r->about != NULL      ? "renewed: valid "
                                             : "valid        ");
    acme_say_date(o, from);
    acme_out_text(o, " to ");
    acme_say_date(o, to);
    if (acme_plan(r->client, &plan)) { /* of a new one it knows in the next round */
        acme_out_text(o, " UTC, to be renewed ");
        acme_due_say(o, &plan);
    } else {
        acme_out_text(o, " UTC, to be renewed from ");
        acme_say_date(o, renew);
    }
    acme_line_end(STDOUT_FILENO);
}

static void end_figures(const struct acme_report *r)
{
    struct figure all[25];
    size_t count = figures(r, all);

    for (size_t i = 0; i < count; i++) {
        char text[64];
        struct acme_out *o = acme_line();
        (void)snprintf(text, sizeof text, "    %-17s %10lld", all[i].word, (long long)all[i].value);
        acme_out_text(o, text);
        acme_line_end(STDOUT_FILENO);
    }
}

#if ACME_CFG_MANAGE
/* Beside issuing: what was asked for is so, whichever of the CA's answers said it. */
static void end_managed(const struct acme_report *r)
{
    struct acme_out *o = acme_line();
    if (r->client->when == ACME_REVOKE) {
        acme_out_text(o, "revoked      ");
        (void)acme_posix_place_record(r->store, ACME_RECORD_CHAIN);
        acme_out_text(o, r->store->path);
        acme_out_text(o, "; it stays in use here: nanoacme issue --force gets another");
    } else if (r->client->when == ACME_DEACTIVATE) {
        acme_out_text(o, "deactivated  the account; its key is kept: ");
        acme_out_text(o, acme_report_key(r, ACME_RECORD_ACCOUNT_KEY));
    } else if (r->client->when == ACME_UPDATE) {
        acme_out_text(o, "updated      the account: contacts are ");
        for (size_t i = 0; i < r->client->setup->contact_count; i++) {
            acme_out_text(o, i > 0 ? " " : "");
            acme_out_text(o, r->client->setup->contacts[i]);
        }
        acme_out_text(o, r->client->setup->contact_count == 0 ? "none, for want of --contact" : "");
    } else {
        acme_out_text(o, "changed      the account's key: ");
        (void)acme_posix_place_record(r->store, ACME_RECORD_ACCOUNT_KEY);
        acme_out_text(o, r->store->path);
    }
    acme_line_end(STDOUT_FILENO);
}
#endif

void acme_report_end(struct acme_report *r, enum acme_progress result, bool stopped)
{
    bool failed = !stopped && result == ACME_FAILED;
    static char message[9216];
    struct acme_out words;

    acme_out_init(&words, message, sizeof message);
    if (failed) {
        const struct acme_failure *f = acme_failure(r->client);
        if (f->type[0] != '\0' || (f->detail[0] != '\0' && f->error != ACME_E_TLS_UNTRUSTED)) {
            release(r);
        } else { /* the failure came after it */
            memset(&r->told, 0, sizeof r->told);
        }
        acme_told_recall(r);
        acme_evidence_late(r);
        acme_explain(r, &words);
        acme_report_error("%.*s", (int)words.len, words.at);
    } else if (stopped) {
        acme_report_error("stopped by a signal; the next run goes on with the same account and order%s",
                          r->paid ? ", and asks for the certificate at once: if it has been made, that is another one"
                                  : "");
#if ACME_CFG_MANAGE
    } else if (!r->json && !r->quiet && result == ACME_DONE) {
        end_managed(r);
#endif
    } else if (!r->json && !r->quiet && r->waits == NULL) {
        end_text(r, result);
    }
    if (failed || result == ACME_ISSUED) {
        acme_told_keep(r, failed);
    }
    if (r->json && (!r->quiet || failed || stopped)) {
        end_json(r,
                 stopped                      ? "stopped"
                 : failed || r->waits != NULL ? "failed"
                 : result == ACME_ISSUED      ? "issued"
                 : result == ACME_CURRENT     ? "current"
                                              : "done",
                 failed);
    } else if (!r->json && r->verbose) {
        end_figures(r);
    }
}
