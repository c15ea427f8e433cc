/* several.c - one to four faults in up to six runs of one device, each at a step, a run and as often as a seed says; then the
 * world is well again. What is judged is what a user pays:
 *
 *   - certificates: each one the CA made is used, or a fault destroyed the only way to it (struct made);
 *   - validations: one that finds nobody, though the client could have left its answer there, is the client's;
 *   - one account; nothing asked to be signed before each name was seen valid; key, certificate and names fit;
 *   - no answer on show after a run; so many requests, orders and hours a run at most, and a wait that fits the fault;
 *   - a certificate within two runs once all is well, and after a reset it is found current.
 *
 * The program that runs the client keeps to acme.h: it waits as long as acme_failure::retry_s says, and where that says
 * nothing a minute, an hour or a day. A pair that was issued is two months old at the next run. */
#define _GNU_SOURCE /* memmem */
#include "several.h"

#include "fastkey.h"
#include "judge.h"
#include "plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#define HOUR_MS      3600000u
#define RUN_MS       (3 * HOUR_MS)
#define RUN_REQUESTS 300u
#define RUN_TICKS    60000u
#define GIVEN_UP     3      /* a certificate that was denied in so many runs may be */
#define KEPT_S       129600 /* so long it is tried at least, however often it is denied */
#define LONGEST_S                                                                                                    \
    (MAKER_DAY + MAKER_DAY / 8) /* between two runs: the last that keeps it, one that gives it up, the next */
#define PASSING 3               /* a fault that strikes so often passes within a run    */

struct several several;

/* --- the dice and the story --- */

/* Bits of the case's own dice. */
static unsigned below(unsigned n)
{
    several.dice ^= several.dice >> 12;
    several.dice ^= several.dice << 25;
    several.dice ^= several.dice >> 27;
    return (unsigned)((several.dice * 0x2545f4914f6cdd1du) >> 33) % n;
}

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *format, ...)
{
    struct several *s = &several;
    size_t room = sizeof s->story - s->story_len;
    va_list list;
    va_start(list, format);
    int len = vsnprintf(s->story + s->story_len, room, format, list);
    va_end(list);
    s->story_len = (size_t)len < room ? s->story_len + (size_t)len : sizeof s->story - 1;
}

static void charge(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the client is to blame for. The case goes on, so that all of it is told. */
static void charge(const char *format, ...)
{
    char text[400];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (strcmp(text, several.last) == 0) { /* again */
        return;
    }
    strcpy(several.last, text);
    if (several.charges++ == 0) {
        snprintf(several.first, sizeof several.first, "%s", text);
    }
    tell("#   !! run %u: %s\n", several.run + 1, text);
}

/* The names of a table's requests, for stories. */
static const char *step_name(enum ca_kind kind)
{
    static const char *const names[CA_KINDS] = {
        "directory", "nonce", "newAccount", "newOrder", "order",  "authz",  "challenge", "finalize", "certificate",
        "new-reg",   "reg",   "new-authz",  "new-cert", "issuer", "revoke", "account",   "keyChange"};
    return names[kind];
}

/* --- certificates --- */

char *several_chain(const uint8_t point[65], const char *san)
{
    struct ca *ca = &several.d->ca;
    EVP_PKEY *key = maker_public(point);
    struct maker_spec spec = {.san = san,
                              .from = ca->utc - MAKER_DAY,
                              .to = ca->utc + 90 * MAKER_DAY,
                              .key = key,
                              .issuer = ca->issuer,
                              .issuer_key = ca->issuer_key};
    X509 *leaf = maker_certificate(&spec);
    char *pem = maker_pem(leaf), *root = maker_pem(ca->issuer), *chain = NULL;
    if (asprintf(&chain, "%s%s", pem, root) < 0) {
        abort();
    }
    free(pem);
    free(root);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return chain;
}

static X509 *first_of(const char *pem, size_t len)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return leaf;
}

/* Another is made. Those that were tried for long enough may be given up. */
static void give_up(void)
{
    for (unsigned i = 0; i < SEVERAL_ORDERS; i++) {
        struct made *m = &several.made[i];
        if (m->counted && !m->used && m->lost == NULL && several.d->ca.utc - m->utc >= KEPT_S) {
            m->lost = "it was tried for a day and a half";
        }
    }
}

static void count_made(void)
{
    for (unsigned i = 0; i < several.d->ca.order_count; i++) {
        if (several.d->ca.order[i].chain != NULL && !several.made[i].counted) {
            give_up();
            several.made[i].counted = true;
            several.made[i].utc = several.d->ca.utc;
            several.made[i].lost = several.skew > 80 * MAKER_DAY ? "the clock says that it is old" : NULL;
            tell("#     certificate %u is made\n", i + 1);
        }
    }
}

void several_lost(const char *why)
{
    count_made();
    for (unsigned i = 0; i < SEVERAL_ORDERS; i++) {
        if (several.made[i].counted && !several.made[i].used && several.made[i].lost == NULL) {
            several.made[i].lost = why;
        }
    }
}

/* A fault stands before what leads to a certificate that was made. */
static void note_denial(void)
{
    for (unsigned i = 0; i < SEVERAL_ORDERS; i++) {
        struct made *m = &several.made[i];
        if (m->counted && !m->used && m->denied_run != several.run + 1) {
            m->denied_run = several.run + 1;
            m->denied_runs++;
        }
    }
}

static void note_use(void)
{
    struct device *d = several.d;
    X509 *leaf = first_of(d->record[ACME_RECORD_CHAIN].data, d->record[ACME_RECORD_CHAIN].len);
    for (unsigned i = 0; i < d->ca.order_count; i++) {
        bool may_be = d->ca.order[i].chain != NULL && !several.made[i].used;
        X509 *made = may_be ? first_of(d->ca.order[i].chain, strlen(d->ca.order[i].chain)) : NULL;
        if (made != NULL && X509_cmp(leaf, made) == 0) {
            several.made[i].used = true;
            tell("#     certificate %u is in use\n", i + 1);
        }
        X509_free(made);
    }
    X509_free(leaf);
}

static void judge_certificates(void)
{
    unsigned wasted = 0, number = 0;
    count_made();
    for (unsigned i = 0; i < SEVERAL_ORDERS; i++) {
        const struct made *m = &several.made[i];
        if (m->counted && !m->used && m->lost == NULL && m->denied_runs < GIVEN_UP) {
            wasted++;
            number = i + 1;
        } else if (m->counted && !m->used) {
            tell("#     certificate %u was lost: %s\n", i + 1, m->lost != NULL ? m->lost : "denied in many runs");
        }
    }
    several.wasted = wasted;
    if (wasted > 0) {
        charge("waste: %u certificate(s) made and never used, the last is number %u", wasted, number);
    }
}

/* ACME v1 never tells where a certificate is but in the answer to new-cert. */
static void judge_told(const struct reply *p, enum ca_meddled how)
{
    unsigned number = several.d->ca.order_count;
    bool told = how != CA_SEVERED && p->code < 400 && strstr(p->head, "Location: ") != NULL;
    if (number > 0 && !told && several.made[number - 1].lost == NULL) {
        several.made[number - 1].lost = "the answer that told its URL was lost";
    }
}

/* What only the client knows, and cannot be stored, or is gone with its power. */
static void judge_unstored(void)
{
    char line[200];
    const struct device *d = several.d;
    count_made();
    for (unsigned i = 0; i < d->ca.order_count; i++) {
        struct made *m = &several.made[i];
        snprintf(line, sizeof line, "/acme/cert/ff%034x\n", i + 1);
        bool stored =
            memmem(d->record[ACME_RECORD_ORDER].data, d->record[ACME_RECORD_ORDER].len, line, strlen(line)) != NULL;
        if (several.v1 && m->counted && !m->used && !stored && m->lost == NULL) {
            m->lost = "its URL was not stored in time";
        }
    }
}

static void judge_power(void)
{
    judge_unstored();
    for (unsigned i = 0; i < LEN(several.visit); i++) {
        several.visit[i].cut = several.visit[i].cut || several.visit[i].open;
    }
}

/* --- validations --- */

static struct ca_authz *authz_at(unsigned number)
{
    struct ca *ca = &several.d->ca;
    return several.v1 ? &ca->v1.authz[number] : &ca->order[number / CA_NAMES].authz[number % CA_NAMES];
}

static void begin_visit(const struct request *r)
{
    unsigned number = several.v1 ? r->authz : (r->order - 1) * CA_NAMES + r->authz;
    struct visit *v = &several.visit[number];
    const struct ca_authz *a = authz_at(number);
    if (a->responded && a->visit == CA_NOBODY_YET && !v->open) {
        *v = (struct visit){.open = true,
                            .since_ms = several.t->virtual_ms,
                            .due_ms = several.t->virtual_ms + several.delay_ms,
                            .run = several.run};
    }
}

static bool may_have_gone(const struct visit *v)
{
    bool ended = v->run != several.run || several.t->over;
    return v->cut || (several.struck & ENDS_RUN) != 0 || (ended && several.lasting);
}

/* The validators whose time has come look for the answer. */
static void visits(void)
{
    const struct ca *ca = &several.d->ca;
    for (unsigned i = 0; i < LEN(several.visit); i++) {
        struct visit *v = &several.visit[i];
        if (!v->open || several.t->virtual_ms < v->due_ms) {
            continue;
        }
        struct ca_authz *a = authz_at(i);
        v->open = false;
        several.visits++;
        a->visit = ca_shows(ca, a->wanted) && !v->broken && !a->astray ? CA_READ_IT : CA_FOUND_NOBODY;
        if (a->visit == CA_READ_IT) {
            continue;
        }
        several.real_failures += v->broken || v->cut;
        tell("#     validation %u finds nobody%s\n", i,
             v->broken ? ", as it should"
             : v->cut  ? " after a power cut"
                       : "");
        if (!v->broken && !may_have_gone(v)) {
            several.wasted_validations++;
            charge("validation: it finds nobody %.1f s after the answer to the challenge",
                   (double)(several.t->virtual_ms - v->since_ms) / 1000);
        }
    }
}

/* --- what the CA hears and says --- */

static bool strikes(struct fault *f, enum moment when)
{
    if (f->kind->when != when || f->run != several.run || f->done >= f->times) {
        return false;
    }
    if (f->met++ < f->skip) {
        return false;
    }
    f->done++;
    return true;
}

static void note_strike(const struct fault *f, const char *where)
{
    several.struck |= f->kind->excuses;
    several.struck |= (f->kind->excuses & LASTS_PERSON) != 0 && f->done >= PASSING ? NEEDS_PERSON : 0;
    several.struck_any = true;
    if (f->kind->when == AT_ANSWER && f->step == CA_CHALLENGE) { /* whether it was answered cannot be known */
        several.struck |= ANSWERS_TWICE;
    }
    several.lasting = several.lasting || f->times > PASSING;
    several.t->fault_ms = several.t->virtual_ms;
    if (f->done <= 3) {
        tell("#     %.1f s: %s at %s%s\n", (double)several.t->virtual_ms / 1000, f->kind->name, where,
             f->done == 3 && f->times > 3 ? ", and so on" : "");
    }
}

static enum ca_meddled say(const struct fault *f, struct reply *p)
{
    p->head[0] = '\0';
    p->body_len = 0;
    if (f->kind->type != NULL) {
        refuse(p, f->kind->code, f->kind->type, "told by the CA");
    } else {
        p->code = f->kind->code;
        p->no_nonce = true;
        snprintf(p->head, sizeof p->head, "Content-Type: text/html\r\n");
        snprintf(p->body, sizeof p->body, "<html><head><title>%d</title></head></html>", f->kind->code);
    }
    strcat(p->head, f->kind->head != NULL ? f->kind->head : "");
    return CA_MEDDLED;
}

static void put_true_chain_back(void)
{
    if (several.true_chain != NULL) {
        struct ca_order *o = &several.d->ca.order[several.true_order - 1];
        free(o->chain);
        o->chain = several.true_chain;
        several.true_chain = NULL;
    }
}

/* Each name the client may know to be valid, from what it was told. */
static void note_told(const struct request *r, const struct reply *p)
{
    unsigned number = r->kind == CA_NEW_ORDER ? several.d->ca.order_count : r->order;
    if (p->code >= 400) {
        return;
    }
    if (r->kind == CA_AUTHZ || r->kind == CA_NEW_AUTHZ) {
        for (unsigned i = 0; i < several.plan.name_count; i++) {
            char value[300];
            snprintf(value, sizeof value, "\"%s\"", several.plan.names[i]);
            bool valid = strstr(p->body, "},\"status\":\"valid\"") != NULL ||
                         strstr(p->body, "},\n  \"status\": \"valid\"") != NULL;
            several.told_valid[several.v1 ? 0 : r->order - 1] |=
                valid && strstr(p->body, value) != NULL ? 1u << i : 0;
        }
    } else if ((r->kind == CA_ORDER || r->kind == CA_NEW_ORDER) && strstr(p->body, "{\"status\":\"ready\"") != NULL) {
        several.told_valid[number - 1] = ~0u;
    }
    bool whole = strstr(p->head, "Location: ") != NULL && strstr(p->body, "\"finalize\"") != NULL;
    if (r->kind == CA_NEW_ORDER && whole && several.last_told != number) {
        several.last_told = number;
        several.orders_told++;
    }
}

static void judge_early(const struct request *r)
{
    unsigned all = (1u << several.plan.name_count) - 1;
    bool makes = r->kind == CA_FINALIZE || r->kind == CA_NEW_CERT;
    if (makes && (several.told_valid[several.v1 ? 0 : r->order - 1] & all) != all) {
        charge("early: %s before each name was seen valid", step_name(r->kind));
    }
}

static bool is_purged(const struct request *r)
{
    bool object = r->kind == CA_CERTIFICATE || r->kind == CA_AUTHZ || r->kind == CA_CHALLENGE;
    bool of_order = r->kind == CA_CERTIFICATE || !several.v1;
    object = object || r->kind == CA_ORDER || r->kind == CA_FINALIZE;
    return object && (of_order ? r->order <= several.purged_orders : r->authz < several.purged_authz);
}

static enum ca_meddled meddle(struct ca *ca, struct request *r, struct reply *p, bool done)
{
    enum ca_meddled how = CA_UNTOUCHED;
    ca->utc = several.d->utc - several.skew;
    put_true_chain_back();
    if (!done) {
        judge_early(r);
        if (is_purged(r)) {
            refuse(p, 404, "malformed", "No such thing any more");
            several.struck |= NEEDS_PERSON;
            return CA_MEDDLED;
        }
    } else {
        if (r->kind == CA_CHALLENGE) {
            begin_visit(r);
        }
        count_made();
    }
    for (unsigned i = 0; i < several.fault_count && how == CA_UNTOUCHED; i++) {
        struct fault *f = &several.fault[i];
        if (f->step != r->kind || !strikes(f, done ? AT_ANSWER : AT_REQUEST)) {
            continue;
        }
        unsigned struck = f->done;
        how = f->kind->act != NULL ? f->kind->act(f, r, p) : say(f, p);
        if (f->done == struck) {
            note_strike(f, step_name(r->kind));
            if (r->kind == CA_ORDER || r->kind == CA_CERTIFICATE || r->kind == CA_ISSUER || r->kind == CA_FINALIZE) {
                note_denial();
            }
        }
    }
    if (done && how != CA_SEVERED) {
        note_told(r, p);
    }
    if (done && several.v1 && r->kind == CA_NEW_CERT && ca->order_count > 0 &&
        !several.made[ca->order_count - 1].used) {
        judge_told(p, how);
    }
    return how;
}

/* --- the device --- */

static int on_seam(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    static const char *const words[] = {"a connection", "present()", "a tick", "a record read", "a record written"};
    bool cache = record == ACME_RECORD_ACCOUNT || record == ACME_RECORD_ORDER;
    bool write = seam == DEVICE_PUT || seam == DEVICE_APPEND || seam == DEVICE_COMMIT;
    enum moment now = seam == DEVICE_CONNECT                                               ? AT_CONNECT
                      : seam == DEVICE_GET && cache && d->record[record].len > 0           ? AT_GET
                      : write && (seam != DEVICE_PUT || record != ACME_RECORD_ACCOUNT_KEY) ? AT_PUT
                                                                                           : BEFORE_RUN;
    for (unsigned i = 0; now != BEFORE_RUN && i < several.fault_count; i++) {
        struct fault *f = &several.fault[i];
        if (strikes(f, now)) {
            note_strike(f, words[now - AT_CONNECT]);
            if (now == AT_GET && record == ACME_RECORD_ORDER) {
                several_lost("the order's record could not be read");
            } else if (now == AT_PUT) {
                judge_unstored();
            }
            return f->kind->error;
        }
    }
    return DEVICE_GO;
}

static int present(void *ctx, struct acme_challenge *challenge)
{
    struct device *d = ctx;
    for (unsigned i = 0; i < several.fault_count; i++) {
        if (strikes(&several.fault[i], AT_PRESENT)) {
            note_strike(&several.fault[i], "present()");
            return several.fault[i].kind->error;
        }
    }
    ca_publish(&d->ca, challenge);
    return 1;
}

static void heard(struct device *d, const struct acme_event *event)
{
    if (event->kind == ACME_EVENT_REQUEST) {
        tell("#       %8.1f s  %.*s %.*s\n", (double)several.t->virtual_ms / 1000, (int)event->text.len,
             event->text.at, (int)event->detail.len, event->detail.at);
    }
}

static void boot(void)
{
    struct device *d = several.d;
    several.t->boots++;
    d->keys = &fastkey_ops;
    assert_int_equal(device_boot(d), 0);
    d->solver.present = present;
}

static void pass(uint64_t ms)
{
    struct trial *t = several.t;
    t->d.now_ms += (uint32_t)ms;
    t->d.utc += (int64_t)(ms / 1000);
    t->virtual_ms += ms;
}

/* --- the case --- */

static void make_plan(void)
{
    static const char *const names[] = {"a.example", "b.example", "c.example"};
    struct several *s = &several;
    s->plan = (struct ca_plan){.name_count = 1 + below(3),
                               .timed = true,
                               .trusting = true,
                               .one_shot = true,
                               .v1 = s->v1,
                               .draft = s->v1 && below(3) == 0,
                               .reuse = below(5) > 0,
                               .processing = below(3) == 0 ? 1 + below(2) : 0,
                               .lag = below(4) == 0,
                               .reversed = below(2) == 0,
                               .shuffled = below(2) == 0,
                               .minimal = below(2) == 0,
                               .forgetful = below(4) == 0,
                               .code202 = below(3) == 0,
                               .close = below(3) == 0,
                               .chunked = below(3) == 0,
                               .not_pending = below(2) == 0 ? "conflict" : NULL};
    memcpy(s->plan.names, names, sizeof names);
    s->plan.processing = s->v1 && !s->plan.draft ? 0 : s->plan.processing;
    s->plan.minimal = s->plan.minimal && !s->v1;
    s->delay_ms = below(4) == 0 ? below(6000) : below(900);
    s->plan.tidy = s->delay_ms % 2 == 0;
    static const unsigned patience_s[] = {60, 3600, MAKER_DAY};
    s->patience_s = patience_s[below(3)];
    static const char *const waits[] = {"a minute", "an hour", "a day"};
    tell("#   %u names, validators after %u ms, waits %s%s%s%s%s%s%s\n", s->plan.name_count, s->delay_ms,
         waits[s->patience_s == 60     ? 0
               : s->patience_s == 3600 ? 1
                                       : 2],
         s->plan.reuse ? ", orders reused" : "", s->plan.draft ? ", draft" : "", s->plan.lag ? ", lag" : "",
         s->plan.processing ? ", processing" : "", s->plan.forgetful ? ", forgetful" : "",
         s->plan.code202 ? ", 202" : "");
}

static unsigned times(void)
{
    switch (below(6)) {
    case 0:
    case 1:
        return 1;
    case 2:
        return 2;
    case 3:
        return 3 + below(7);
    default:
        return CA_FOREVER;
    }
}

static void make_fault(struct fault *f)
{
    static const enum ca_kind steps[2][14] = {
        {CA_DIRECTORY, CA_NONCE, CA_NEW_ACCOUNT, CA_NEW_ORDER, CA_ORDER, CA_AUTHZ, CA_CHALLENGE, CA_FINALIZE,
         CA_CERTIFICATE, CA_NEW_ORDER, CA_AUTHZ, CA_CHALLENGE, CA_FINALIZE, CA_CERTIFICATE},
        {CA_DIRECTORY, CA_NONCE, CA_NEW_REG, CA_REG, CA_NEW_AUTHZ, CA_AUTHZ, CA_CHALLENGE, CA_NEW_CERT,
         CA_CERTIFICATE, CA_ISSUER, CA_AUTHZ, CA_CHALLENGE, CA_NEW_CERT, CA_CERTIFICATE}};
    for (;;) {
        f->kind = &fault_kinds[below(fault_kind_count)];
        f->step = steps[several.v1][below(14)];
        bool table = (f->kind->tables & (several.v1 ? OF_V1 : OF_8555)) != 0;
        if (table && (f->kind->steps == 0 || (f->kind->steps & 1u << f->step) != 0)) {
            break;
        }
    }
    bool once = f->kind->when == AT_TICK || f->kind->when == BEFORE_RUN;
    f->run = below(several.ill_runs);
    f->times = once ? 1 : times();
    f->skip = f->kind->when == AT_TICK ? below(160) : once || below(3) > 0 ? 0 : below(3);
    f->seed = below(1u << 20);
    char often[40] = "for the whole run";
    if (f->times < CA_FOREVER) {
        snprintf(often, sizeof often, "%u time(s)", f->times);
    }
    bool at_step = f->kind->when == AT_REQUEST || f->kind->when == AT_ANSWER;
    tell("#   fault: %s%s%s, run %u, after %u, %s (dice %u)\n", f->kind->name, at_step ? " at " : "",
         at_step ? step_name(f->step) : "", f->run + 1, f->skip, often, f->seed);
}

static void make_case(struct trial *t)
{
    struct several *s = &several;
    memset(s, 0, sizeof *s);
    s->t = t;
    s->d = &t->d;
    s->v1 = t->scene->plan.v1;
    s->dice = trial_mix(t->point * 2 + s->v1) | 1;
    for (unsigned i = 0; i < 8; i++) {
        (void)below(2);
    }
    make_plan();
    s->ill_runs = 1 + below(SEVERAL_RUNS);
    s->fault_count = 1 + below(SEVERAL_FAULTS);
    for (unsigned i = 0; i < s->fault_count; i++) {
        make_fault(&s->fault[i]);
    }
}

/* --- a run --- */

static void before_run(void)
{
    struct several *s = &several;
    struct device *d = s->d;
    for (unsigned i = 0; i < s->fault_count; i++) {
        if (strikes(&s->fault[i], BEFORE_RUN)) {
            note_strike(&s->fault[i], "the start");
            (void)s->fault[i].kind->act(&s->fault[i], NULL, NULL);
        }
    }
    if (s->run < SEVERAL_RUNS) {
        s->before[s->run].there = true;
        for (unsigned i = 0; i < DEVICE_RECORDS; i++) {
            assert_true(d->record[i].len <= sizeof s->before[0].record[0]);
            s->before[s->run].len[i] = d->record[i].len;
            memcpy(s->before[s->run].record[i], d->record[i].data, d->record[i].len);
        }
    }
}

static void restart(void)
{
    several.restarts = false;
    judge_power();
    if (below(3) == 0) { /* the program ends the run, and begins another */
        acme_stop(&several.d->client);
        assert_null(several.d->ca.published);
        pass(below(5000));
    } else {
        several.d->ca.published = NULL;
        pass(below(3) == 0 ? below(2 * HOUR_MS) : below(5000));
        boot();
    }
    visits();
    assert_int_equal(acme_start(&several.d->client, ACME_IF_DUE, several.d->now_ms), 0);
}

static enum acme_progress run(void)
{
    struct several *s = &several;
    struct device *d = s->d;
    enum acme_progress progress = ACME_BUSY;
    s->struck = 0;
    s->lasting = false;
    s->tick = 0;
    s->seen_count = 0;
    s->t->over = false;
    s->t->runs++;
    d->ca.power_cut = true; /* validations are judged here */
    before_run();
    s->orders_told = 0;
    s->requests_before = d->ca.requests;
    s->repeats_before = d->ca.repeats;
    for (unsigned i = 0; i < LEN(s->visit); i++) { /* it cannot know of one that an earlier run has asked for */
        s->struck |= s->visit[i].open ? ANSWERS_TWICE : 0;
    }
    uint64_t began_ms = s->t->virtual_ms;
    tell("#   run %u, hour %.1f\n", s->run + 1, (double)s->t->virtual_ms / HOUR_MS);
    boot();
    assert_int_equal(acme_start(&d->client, ACME_IF_DUE, d->now_ms), 0);
    while (!acme_is_over(progress)) {
        uint32_t before_ms = d->now_ms;
        unsigned commits = d->commits;
        s->tick++;
        progress = device_tick(d);
        s->t->virtual_ms += (uint32_t)(d->now_ms - before_ms);
        count_made();
        if (d->commits != commits) {
            device_check_pair(d);
            note_use();
        }
        bool goes_on = !acme_is_over(progress);
        s->t->over = !goes_on;
        visits();
        for (unsigned i = 0; goes_on && i < s->fault_count; i++) {
            if (strikes(&s->fault[i], AT_TICK)) {
                note_strike(&s->fault[i], "a tick");
                (void)s->fault[i].kind->act(&s->fault[i], NULL, NULL);
            }
        }
        if (s->restarts) {
            restart();
        }
        assert_true(s->tick < RUN_TICKS); /* the run ends */
        assert_true(d->ca.requests - s->requests_before < RUN_REQUESTS);
        assert_true(s->t->virtual_ms - began_ms < RUN_MS + 2 * HOUR_MS);
    }
    assert_null(d->ca.published); /* no answer is left on show */
    return progress;
}

static bool needs_person(int error)
{
#define ROW(name, value, retry, meaning, cause) || (error == (name) && (retry) == 0)
    return false ACME_ERRORS(ROW);
#undef ROW
}

static const char *word(int error)
{
#define ROW(name, value, retry, meaning, cause) : error == (name) ? #name
    return error == 0 ? "" ACME_ERRORS(ROW) : "?";
#undef ROW
}

/* What is the same for all runs, and what a failed one says. */
static void judge_run(enum acme_progress progress)
{
    struct several *s = &several;
    const struct device *d = s->d;
    const struct acme_failure *failure = acme_failure(&d->client);
    bool failed = progress == ACME_FAILED;
    tell("#   run %u ends: %s%s%s, %u requests, retry_s %u, http %u, step %d\n", s->run + 1,
         progress == ACME_ISSUED    ? "issued"
         : progress == ACME_CURRENT ? "current"
                                    : word(failure->error),
         failed && failure->type[0] != '\0' ? " " : "", failed ? failure->type : "",
         d->ca.requests - s->requests_before, failed ? failure->retry_s : 0, failed ? failure->http_status : 0,
         failed ? (int)failure->step : 0);
    if (d->ca.accounts > 1 + s->accounts_lost || d->account_keys > 1) {
        charge("account: %u accounts and %u account keys", d->ca.accounts, d->account_keys);
    }
    unsigned spare =
        ((s->struck & LOSES_POWER) != 0 ? 1 : 0) + ((s->struck & LEAVES_ORDERS) != 0 ? ACME_FAULT_TRIES : 0);
    if (s->orders_told > 2 + spare + s->accounts_lost) {
        charge("orders: %u in one run", s->orders_told);
    }
    if (d->ca.repeats > s->repeats_before && (s->struck & (ANSWERS_TWICE | LOSES_POWER | OLD_STATE)) == 0) {
        charge("twice: a challenge is answered again while its validation is under way");
    }
    if (!failed) {
        return;
    }
    if (!s->struck_any) {
        charge("fails by itself: %s", word(failure->error));
    }
    if (failure->error == ACME_E_STORE_READ) {
        charge("cache: the run ends because record %d cannot be read", (int)failure->record);
    }
    if (failure->retry_s > LONGEST_S) { /* a day, and a tenth more by chance after four failures */
        charge("wait: %u s", failure->retry_s);
    }
    /* ACME_E_WAIT is the rest of what failures before have earned. */
    bool excused = (s->struck & A_DAY) != 0 || s->jumped || failure->error == ACME_E_WAIT;
    if (failure->retry_s > 7200 && !excused && !needs_person(failure->error)) {
        charge("wait: %u s advised after %s, and nobody asked for it", failure->retry_s, word(failure->error));
    }
    bool wrong_leaf = failure->error == ACME_E_CERT_KEY || failure->error == ACME_E_CERT_NAMES ||
                      failure->error == ACME_E_CERT_DATES;
    bool of_order = failure->error == ACME_E_AUTHZ || failure->error == ACME_E_ORDER || needs_person(failure->error);
    if (failure->retry_s == 0 && (wrong_leaf || of_order)) {
        charge("wait: none advised after %s, and a minute later it will be the same", word(failure->error));
    }
    /* A leaf with other names is of the CA's making, and nobody but a person can have it made otherwise. */
    if (needs_person(failure->error) && failure->error != ACME_E_CERT_NAMES && failure->retry_s > 7200 &&
        (s->struck & NEEDS_PERSON) == 0) {
        charge("words: %s (%s) wants a person, and a day", word(failure->error), failure->type);
    }
}

static void wait_for_next(enum acme_progress progress)
{
    const struct acme_failure *failure = acme_failure(&several.d->client);
    uint64_t s = progress == ACME_ISSUED    ? 61 * MAKER_DAY
                 : progress == ACME_CURRENT ? MAKER_DAY
                 : failure->retry_s > 0     ? failure->retry_s
                                            : several.patience_s;
    uint64_t end_ms = several.t->virtual_ms + s * 1000;
    while (several.t->virtual_ms < end_ms) { /* validators come meanwhile */
        uint64_t step_ms = end_ms - several.t->virtual_ms < HOUR_MS ? end_ms - several.t->virtual_ms : HOUR_MS;
        pass(progress == ACME_ISSUED ? end_ms - several.t->virtual_ms : step_ms);
        visits();
    }
}

/* The world is well: the time is the true one again. */
static void judge_recovery(void)
{
    struct several *s = &several;
    enum acme_progress progress = ACME_FAILED;
    uint64_t well_ms = s->t->virtual_ms;
    bool stuck = s->purged_orders > 0; /* with an order that will never do, and how should it know */
    for (unsigned i = 0; i < SEVERAL_ORDERS; i++) {
        stuck = stuck || (s->made[i].counted && !s->made[i].used);
    }
    s->d->utc -= s->skew;
    s->skew = 0;
    for (s->run = s->ill_runs; progress == ACME_FAILED; s->run++) {
        bool soon = stuck && s->t->virtual_ms - well_ms < ((s->jumped ? 2ull : 1ull) * KEPT_S + 2 * LONGEST_S) * 1000;
        if (s->good_runs++ >= SEVERAL_GOOD_RUNS && !soon) {
            charge("recovery: no certificate in %u good runs, %.0f hours", s->good_runs - 1,
                   (double)(s->t->virtual_ms - well_ms) / HOUR_MS);
            return;
        }
        progress = run();
        judge_run(progress);
        s->patience_s = stuck ? HOUR_MS / 1000 : s->patience_s; /* a few hundred runs tell nothing more */
        wait_for_next(progress);
    }
    if (progress == ACME_CURRENT) { /* until it is due */
        tell("#   two months later\n");
        pass(61 * MAKER_DAY * 1000ull);
        progress = run();
        judge_run(progress);
        if (progress != ACME_ISSUED) {
            charge("recovery: no renewal");
        }
    }
}

static void play_several(struct trial *t)
{
    struct several *s = &several;
    make_case(t);
    t->d.hook = on_seam;
    t->d.heard = heard;
    t->d.ca.plan = &s->plan;
    t->d.ca.meddle = meddle;
    for (s->run = 0; s->run < s->ill_runs; s->run++) {
        enum acme_progress progress = run();
        judge_run(progress);
        wait_for_next(progress);
    }
    judge_recovery();
    judge_certificates();
    t->d.ca.meddle = NULL;
    put_true_chain_back();
    if (s->charges > 0) {
        fail_msg("%s", s->first);
    }
}

static void add_several(struct tally *sum)
{
    const struct several *s = &several;
    const struct ca *ca = &s->d->ca;
    sum->runs += s->run;
    sum->requests += ca->requests;
    sum->orders += ca->order_count;
    sum->accounts += ca->accounts;
    sum->visits += s->visits;
    sum->unreachable += s->real_failures;
    sum->wasted_visits += s->wasted_validations;
    sum->wasted += s->wasted;
    for (unsigned i = 0; i < SEVERAL_ORDERS; i++) {
        sum->made += s->made[i].counted;
        sum->used += s->made[i].used;
        sum->lost += s->made[i].counted && !s->made[i].used;
    }
    sum->lost -= s->wasted;
}

static void tell_several(void)
{
    printf("%s", several.story);
}

/* --- the dimensions --- */

static const char *const kinds[] = {"a seed", NULL};

static unsigned seeds(const struct honest *honest)
{
    return 20000;
}

const struct dimension dimension_several = {
    "several", kinds, seeds, NULL, .play = play_several, .tell = tell_several, .add = add_several};
const struct dimension dimension_v1_several = {"v1-several",
                                               kinds,
                                               seeds,
                                               NULL,
                                               .play = play_several,
                                               .tell = tell_several,
                                               .add = add_several,
                                               .first_scene = V1_ISSUE,
                                               .last_scene = V1_ISSUE};
