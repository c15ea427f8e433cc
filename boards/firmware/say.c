/* say.c - see say.h. */
#include "say.h"

#include "board.h"
#include "words.h"

static char memory[240];
static struct acme_out line;

static const char *const steps[] = {
    "directory",     "account",    "order",      "authorization", "challenge", "challenge",
    "authorization", "order",      "finalize",   "certificate",
#if ACME_CFG_RENEWAL
    "renewal info",
#endif
#if ACME_CFG_MANAGE
    "revoke",        "deactivate", "change key", "account",       "account"
#endif
};

static const char *const statuses[] = {"",      "unknown", "pending",     "processing", "ready",
                                       "valid", "invalid", "deactivated", "expired",    "revoked"};

static const char *const records[] = {"account key", "account",          "order",  "next key", "key",
                                      "chain",       "next account key", "renewal"};

/* A word for each. */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])
typedef char every_step_has_a_word[COUNT(steps) == ACME_STEP_COUNT ? 1 : -1];
typedef char every_status_has_a_word[COUNT(statuses) == ACME_STATUS_REVOKED + 1 ? 1 : -1];
typedef char every_record_has_a_word[COUNT(records) == ACME_RECORD_COUNT ? 1 : -1];

struct acme_out *say_begin(void)
{
    uint32_t now = board_now_ms();

    acme_out_init(&line, memory, sizeof memory);
    acme_out_text(&line, "[");
    acme_out_u32(&line, now / 1000);
    acme_out_text(&line, now % 1000 < 10 ? ".00" : now % 1000 < 100 ? ".0" : ".");
    acme_out_u32(&line, now % 1000);
    acme_out_text(&line, "] ");
    return &line;
}

void say_end(void)
{
    for (size_t i = 0; i < line.len; i++) {
        board_put(line.at[i]);
    }
    if (line.overflow) {
        board_put('~');
    }
    board_put('\r');
    board_put('\n');
}

void say(const char *text, const char *more)
{
    struct acme_out *o = say_begin();
    acme_out_text(o, text);
    acme_out_text(o, more);
    say_end();
}

void say_figure(const char *label, uint32_t value)
{
    struct acme_out *o = say_begin();
    acme_out_text(o, label);
    acme_out_text(o, " ");
    acme_out_u32(o, value);
    say_end();
}

/* A piece of the CA's words: the line has an end. */
static void words(struct acme_out *o, struct acme_slice text)
{
    if (text.len > 120) {
        text.len = 120;
    }
    acme_out_slice(o, text);
}

static void answer(struct acme_out *o, const struct acme_event *e)
{
    acme_out_text(o, steps[e->step]);
    acme_out_text(o, " ");
    acme_out_slice(o, e->name);
    acme_out_text(o, e->name.len > 0 ? ": " : "");
    acme_out_text(o, e->status != ACME_STATUS_NONE ? statuses[e->status] : "ok");
    if (e->polls > 0) {
        acme_out_text(o, ", poll ");
        acme_out_u32(o, e->polls);
    }
}

void say_event(void *ctx, const struct acme_event *e)
{
    struct acme_out *o;

    (void)ctx;
    if (e->kind == ACME_EVENT_STEP || e->kind == ACME_EVENT_REQUEST ||
        (e->kind == ACME_EVENT_WAIT && e->error == 0)) {
        return; /* the answers tell the story */
    }
    o = say_begin();
    switch (e->kind) {
    case ACME_EVENT_CONNECTED:
        acme_out_text(o, "TLS with ");
        words(o, e->text);
        break;
    case ACME_EVENT_ANSWER:
        answer(o, e);
        break;
    case ACME_EVENT_WAIT:
        acme_out_text(o, words_error(e->error));
        acme_out_text(o, "; again in ");
        acme_out_u32(o, e->wait_ms);
        acme_out_text(o, " ms");
        break;
    case ACME_EVENT_PROBLEM:
    case ACME_EVENT_SOLVER: /* its own words, for there are none of a CA yet */
        acme_out_text(o, ACME_CFG_CHOICE && e->kind == ACME_EVENT_SOLVER ? "" : "the CA says ");
        words(o, e->text);
        acme_out_text(o, ": ");
        words(o, e->detail);
        break;
    case ACME_EVENT_TERMS:
        acme_out_text(o, "terms of service: ");
        words(o, e->text);
        break;
    case ACME_EVENT_EXPLAINED:
    case ACME_EVENT_PROFILE:
        acme_out_text(o, e->kind == ACME_EVENT_PROFILE ? "the CA has the profile " : "the CA tells why at ");
        words(o, e->text);
        break;
    case ACME_EVENT_STORED:
    case ACME_EVENT_UNREADABLE:
        acme_out_text(o, e->kind == ACME_EVENT_STORED ? "stored: " : "unreadable: ");
        acme_out_text(o, records[e->record]);
        break;
    case ACME_EVENT_STEP:
    case ACME_EVENT_CHAIN:
    case ACME_EVENT_REQUEST:
        break;
    }
    say_end();
}

void say_failure(const struct acme_failure *f)
{
    struct acme_out *o = say_begin();

    acme_out_text(o, "failed at ");
    acme_out_text(o, f->step < ACME_STEP_COUNT ? steps[f->step] : "?");
    acme_out_text(o, ": ");
    acme_out_text(o, words_error(f->error));
    if (f->tls_code != 0) {
        acme_out_text(o, ", BearSSL ");
        acme_out_u32(o, (uint32_t)f->tls_code);
    }
    if (f->type[0] != '\0') {
        acme_out_text(o, ", ");
        acme_out_text(o, f->type);
    }
    say_end();
    if (f->error == ACME_E_TLS_RECORD_BIG) {
        say("this CA needs FIRMWARE_RECORD_BUFFER as large as ACME_TLS_BUFFER_MIN: build without SMALL=1", "");
    }
    if (f->detail[0] != '\0') {
        say(f->error == ACME_E_TLS_UNTRUSTED && f->type[0] == '\0' ? "no anchor for " : "the CA's words: ",
            f->detail);
    }
}
