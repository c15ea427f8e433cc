/* player.c - see player.h. */
#include "player.h"
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault/fastkey.h"

struct player_counts player_counts;

static struct engine bytewise, e; /* e: in whole pieces, and cut in two */
static const char *mode = "";

/* --- the same bytes, cut in two */

/* All an engine's state in receiving; only these change. */
struct state {
    struct acme_exchange x;
    struct acme_flow flow;
    struct acme_chain judge;
    char work[sizeof e.work];
    char chain[sizeof e.chain];
    size_t chain_len;
    int error;
};

static void save(struct state *s)
{
    s->x = e.x;
    s->flow = e.flow;
    s->judge = e.judge;
    memcpy(s->work, e.work, e.setup.work_len);
    s->chain_len = e.chain_len;
    memcpy(s->chain, e.chain, e.chain_len);
}

static void restore(const struct state *s)
{
    e.x = s->x;
    e.flow = s->flow;
    e.judge = s->judge;
    memcpy(e.work, s->work, e.setup.work_len);
    e.chain_len = s->chain_len;
    memcpy(e.chain, s->chain, s->chain_len);
}

static int input(const char *at, size_t len)
{
    return e.x.state == ACME_EXCHANGE_RECEIVE ? acme_exchange_input(&e.x, at, len) : 0;
}

static bool same_state(const struct state *s)
{
    /* what follows the end of an answer is seen only when it comes with it: the connection is not kept then */
    e.x.http.answer.close = s->x.http.answer.close;
    return memcmp(&e.x, &s->x, sizeof e.x) == 0 && memcmp(&e.flow, &s->flow, sizeof e.flow) == 0 &&
           memcmp(&e.judge, &s->judge, sizeof e.judge) == 0 && memcmp(e.work, s->work, e.setup.work_len) == 0 &&
           e.chain_len == s->chain_len && memcmp(e.chain, s->chain, e.chain_len) == 0;
}

static void answer_in_two(void)
{
    static struct state before, whole, split;
    const char *at = e.answer.at;
    size_t len = e.answer.len;
    save(&before);
    whole.error = input(at, len);
    save(&whole);
    for (size_t cut = 1; cut < len; cut++) {
        restore(&before);
        split.error = input(at, cut);
        if (split.error == 0) {
            split.error = input(at + cut, len - cut);
        }
        player_counts.splits++;
        if (split.error != whole.error || (whole.error == 0 && !same_state(&whole))) {
            fail_msg("answer %u (%s) cut in two after %zu of %zu bytes is understood otherwise", e.ca.requests,
                     script_kind(e.asked[e.ca.requests - 1]), cut, len);
        }
    }
    restore(&before);
}

/* An answer that was taken apart in the same place before needs no other time: what is read depends on nothing else. */
static bool seen_before(void)
{
    static uint64_t seen[1 << 16];
    uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)e.flow.step << 1 ^ (uint64_t)e.x.for_nonce;
    for (size_t i = 0; i < e.answer.len; i++) {
        hash = (hash ^ (uint8_t)e.answer.at[i]) * 0x100000001b3u;
    }
    uint64_t *slot = &seen[hash >> 48];
    bool again = *slot == hash;
    *slot = hash;
    return again;
}

static void request_in_two(void)
{
    struct acme_exchange kept = e.x;
    size_t len = e.x.output_len[0] + e.x.output_len[1];
    static char whole[sizeof e.request];
    bool last = false;
    for (size_t cut = 0; cut < len; cut++) {
        char split[sizeof e.request];
        size_t at = 0;
        for (e.x.sent = 0;;) {
            struct acme_slice out = acme_exchange_output(&e.x, &last);
            size_t n = at < cut && out.len > cut - at ? cut - at : out.len;
            if (n == 0) {
                break;
            }
            memcpy(split + at, out.at, n);
            at += n;
            acme_exchange_sent(&e.x, n);
        }
        player_counts.splits++;
        if (cut == 0) {
            memcpy(whole, split, at);
        }
        assert_true(last);
        assert_int_equal(at, len);
        assert_memory_equal(split, whole, len);
    }
    e.x = kept;
}

static void before_step(struct engine *engine)
{
    if (e.x.state == ACME_EXCHANGE_RECEIVE && e.answer_at == 0 && e.answer.len > 0 && !seen_before()) {
        answer_in_two();
    } else if (e.x.state == ACME_EXCHANGE_SEND && e.x.sent == 0 && e.request_len == 0) {
        request_in_two();
    }
}

/* --- what has to be seen */

/* Certificates in the stored chain. */
static long chain_count(void)
{
    long n = 0;
    for (const char *at = e.chain; (at = strstr(at, "-----BEGIN")) != NULL; at++) {
        n++;
    }
    return n;
}

static bool quantity(const char *what, long *n)
{
    unsigned finalized = 0;
    for (unsigned i = 0; i < e.ca.order_count; i++) {
        finalized += e.ca.order[i].finalized;
    }
    const struct {
        const char *name;
        long n;
    } all[] = {{"requests", e.ca.requests},
               {"accounts", e.ca.accounts},
               {"orders", e.ca.order_count},
               {"finalized", finalized},
               {"connections", e.connections},
               {"problems", e.problems},
               {"elapsed", (long)e.elapsed_ms},
               {"presents", e.presents},
               {"terms", e.terms},
               {"waits", e.waits},
               {"retry_s", (long)e.x.retry_s},
               {"drop_order", e.dropped || e.flow.drop_order},
               {"repeats", e.ca.repeats},
               {"deactivated", e.ca.deactivated},
               {"chain", chain_count()},
               {"chains", e.chains},
               {"taken", e.taken},
               {"early", e.ca.early},
               {"profiles", e.profiles},
               {"spend", e.flow.info.spend},
               {"authorizations", e.ca.v1.authz_count}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i].name, what) == 0) {
            *n = all[i].n;
            return true;
        }
    }
    for (unsigned k = 0; k < CA_KINDS; k++) {
        if (strcmp(script_kind((enum ca_kind)k), what) == 0) {
            *n = e.ca.count[k];
            return true;
        }
    }
    return false;
}

static void asked(char *out, size_t cap)
{
    size_t at = 0;
    out[0] = '\0';
    for (unsigned i = 0, n = 1; i < e.ca.requests && at < cap; i += n) {
        for (n = 1; i + n < e.ca.requests && e.asked[i + n] == e.asked[i]; n++) {
        }
        at += (size_t)snprintf(out + at, cap - at, n > 1 ? "%s%s*%u" : "%s%s", i > 0 ? " " : "",
                               script_kind(e.asked[i]), n);
    }
}

/* The text that stands for what the script calls `what`; NULL: no such thing. */
static const char *text_of(const char *what, unsigned nth)
{
    static char text[8000];
    size_t at = 0;
    if (strcmp(what, "asked") == 0) {
        asked(text, sizeof text);
    } else if (strcmp(what, "waits") == 0) {
        text[0] = '\0';
        for (unsigned i = 0; i < e.waits; i++) {
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%u", i > 0 ? " " : "", e.wait[i].ms);
        }
    } else if (strcmp(what, "type") == 0) {
        return e.failure_type;
    } else if (strcmp(what, "detail") == 0) {
        return e.failure_detail;
    } else if (strcmp(what, "last_detail") == 0) {
        return e.problem_detail;
    } else if (strcmp(what, "replaces") == 0) {
        return e.ca.order[e.ca.order_count - 1].replaces;
    } else if (strcmp(what, "profile") == 0) {
        return e.ca.order[e.ca.order_count - 1].profile;
    } else if (strcmp(what, "told") == 0) {
        return e.told;
    } else if (strcmp(what, "wait_error") == 0) {
        return script_error(e.waits > 0 ? e.wait[0].error : 0);
    } else if (strcmp(what, "chain_error") == 0) {
        return script_error(e.chain_error);
    } else if (strcmp(what, "problem") == 0) {
        snprintf(text, sizeof text, "%s%s%s", e.problem_type[nth % 8], e.problem_name[nth % 8][0] ? " " : "",
                 e.problem_name[nth % 8]);
    } else {
        return NULL;
    }
    return text;
}

static void check(struct script *s, const struct script_expect *x, unsigned *problems)
{
    long n = 0;
    if (x->op != 0) {
        if (!quantity(x->what, &n)) {
            fail_msg("%s:%u: nothing is called %s", s->path, x->line, x->what);
        }
        if ((x->op == '=' && n != x->number) || (x->op == '<' && n > x->number) || (x->op == '>' && n < x->number)) {
            fail_msg("%s:%u: %s was %ld", s->path, x->line, x->what, n);
        }
        return;
    }
    const char *text = text_of(x->what, *problems);
    *problems += strcmp(x->what, "problem") == 0;
    if (text == NULL) {
        fail_msg("%s:%u: nothing is called %s", s->path, x->line, x->what);
    } else if (strcmp(text, x->value) != 0) {
        fail_msg("%s:%u: %s was \"%s\"", s->path, x->line, x->what, text);
    }
}

static bool speaks_of(const struct script *s, const char *what)
{
    for (unsigned i = 0; i < s->expect_count; i++) {
        if (strcmp(s->expect[i].what, what) == 0) {
            return true;
        }
    }
    return false;
}

static void check_all(struct script *s)
{
    static const char *const once[] = {"accounts", "orders", "finalized", "early"};
    unsigned problems = 0;
    if (e.error != s->outcome) {
        fail_msg("%s: it ends with %s, not with %s", s->path, script_error(e.error), script_error(s->outcome));
    }
    if (s->outcome == 0) {
        const struct ca_order *o = &e.ca.order[e.ca.order_count - 1];
        assert_true(o->finalized == 1 && o->chain != NULL);
        size_t len = e.taken > 0 ? (size_t)(strstr(o->chain, "-----END") - o->chain) : strlen(o->chain);
        assert_memory_equal(e.chain, o->chain, len); /* leaf and root, or another; more only if the script says so */
        assert_true(speaks_of(s, "chain") || e.chain_len == strlen(o->chain));
    }
    for (unsigned i = 0; i < s->expect_count; i++) {
        check(s, &s->expect[i], &problems);
    }
    for (unsigned i = 0; i < 4; i++) { /* unless it says otherwise */
        long n = 0;
        (void)quantity(once[i], &n);
        if (n > (i < 3) && !speaks_of(s, once[i])) {
            fail_msg("%s: %ld %s", s->path, n, once[i]);
        }
    }
}

static void same(const char *what, bool is)
{
    if (!is) {
        fail_msg("a byte at a time, %s differs", what);
    }
}

static void check_same(void)
{
    const struct engine *a = &bytewise, *b = &e;
    same("how it ends", a->error == b->error);
    same("what is asked", a->ca.requests == b->ca.requests && memcmp(a->asked, b->asked, sizeof a->asked) == 0);
    same("what is sent", a->sent_hash == b->sent_hash);
    same("the time", a->elapsed_ms == b->elapsed_ms && memcmp(a->wait, b->wait, sizeof a->wait) == 0);
    same("the problem",
         a->problems == b->problems && memcmp(a->problem_type, b->problem_type, sizeof a->problem_type) == 0);
    same("the chain", a->chain_len == b->chain_len && memcmp(a->chain, b->chain, a->chain_len) == 0);
    same("the connections", a->connections == b->connections);
    same("the flow", memcmp(&a->flow, &b->flow, sizeof a->flow) == 0);
    if (b->x.state != ACME_EXCHANGE_RECEIVE) { /* an answer that was given up halfway leaves what it had taken */
        same("the engine", memcmp(&a->x, &b->x, sizeof a->x) == 0);
        same("the work buffer", memcmp(a->work, b->work, sizeof a->work) == 0);
    }
}

/* --- running */

static void run(struct script *s, bool by_byte)
{
    static struct acme_key_ops keys;
    keys = fastkey_ops;
    keys.generate = fastkey_by_dice; /* the same keys each time */
    dice_seed(1);
    maker_serial = 1000;
    mode = by_byte ? "a byte at a time" : "in whole pieces";
    s->way.keys = &keys;
    s->way.judged = true;
    s->way.before_step = by_byte || getenv("NO_SWEEPS") != NULL || record_wanted() ? NULL : before_step;
    if (record_wanted()) {
        record_begin(s, &keys, !by_byte);
    }
    engine_run(&e, &s->plan, &s->way, by_byte);
    if (record_wanted() && !by_byte) {
        record_end(&e);
    }
    player_counts.runs++;
}

void player_play(struct script *s)
{
    unsigned n = script_variants(s);
    for (unsigned v = 0; v < n; v++) {
        mode = "read";
        if (!script_variant(s, v)) {
            fail_msg("%s", s->error);
        }
        if (s->plan.name_count > ACME_NAMES_MAX) { /* who builds with smaller limits is spared */
            skip();
        }
        run(s, true);
        bytewise = e;
        engine_free(&e);
        run(s, false);
        check_all(s);
        check_same();
        engine_free(&e);
    }
}

void player_tell(const struct script *s)
{
    char text[4000];
    asked(text, sizeof text);
    print_message("# %s, %s, with%s\n# asked: %s\n", s->path, mode, s->table_count > 0 ? s->variant : " no table",
                  text);
    print_message("# the last request: %.*s\n", (int)e.request_len, e.request);
    print_message("# its answer: %.*s\n", (int)e.answer.len, e.answer.at != NULL ? e.answer.at : "");
}
