/* trial.c - see trial.h. */
#define _GNU_SOURCE /* memmem */
#include "trial.h"

#include "fastkey.h"
#include "judge.h"
#include "secrets.h"
#include "visitors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOURS(n)     ((uint64_t)(n)*3600u * 1000u)
#define TICKS_MAX    400000u
#define REQUESTS_MAX 900u

static const struct ca_twist patience[] = {{CA_AUTHZ, 1, CA_FOREVER, CA_ADD, "Retry-After: 3\r\n"},
                                           {CA_ORDER, 1, CA_FOREVER, CA_ADD, "Retry-After: 2\r\n"}};
#define PATIENCE .twists = patience, .twist_count = LEN(patience)

#define LONG(x)                                                                                                      \
    x "-gateway-with-a-long-name.in-the-cellar-of-a-large-building.somewhere-far-out-in-the-country.devices.example"

const struct scene scenes[SCENES] = {
    {"issue", {{"a.example", "b.example"}, 2, .authz_looks = 1, .processing = 1, .reuse = true, PATIENCE}, false, 1},
    {"renewal", {{"a.example", "b.example"}, 2, .authz_looks = 1, .processing = 1, .reuse = true, PATIENCE}, true, 1},
    {"no-reuse", {{"a.example"}, 1, .lag = 1}, false, 2},
    {"rough", /* a connection for each request, chunks, lists in any order, and what fails to be validated is lost */
     {{"a.example", "b.example"},
      2,
      .authz_looks = 1,
      .lag = 1,
      .reversed = true,
      .shuffled = true,
      .minimal = true,
      .code202 = true,
      .forgetful = true,
      .one_shot = true,
      .close = true,
      .chunked = true,
      .not_pending = "conflict",
      .reuse = true},
     false,
     2},
    {"three-names", /* one is valid from the start, the others take turns, and their order differs from ours */
     {{"a.example", "b.example", "c.example"},
      3,
      .born_valid = 1,
      .authz_looks = 2,
      .reversed = true,
      .tidy = true,
      .shows_processing = true,
      .reuse = true},
     false,
     1},
    {"eight-names", /* long ones: requests do not fit the smallest work buffer */
     {{LONG("a"), LONG("b"), LONG("c"), LONG("d"), LONG("e"), LONG("f"), LONG("g"), LONG("h")},
      8,
      .processing = 1,
      .reuse = true},
     false,
     1},
    /* A bound account; http-01 for one name, dns-01 for two values at one name, which are there for others to see behind a reset. */
    {"solvers",
     {{"example.org", "*.example.org", "b.example"},
      3,
      .authz_looks = 1,
      .processing = 1,
      .types = "tls-alpn-01 dns-01 http-01",
      .zone = true,
      .tidy = true,
      .eab_kid = "customer-7",
      .eab_key = DEVICE_SECRET_B64,
      .reuse = true},
     false,
     1},
    /* ACME v1, as Boulder spoke it, then as its drafts did. A new-cert whose answer is lost has made a certificate. */
    {"v1", {{"a.example", "b.example"}, 2, .authz_looks = 1, .v1 = true}, false, 2},
    {"v1-renewal", {{"a.example", "b.example"}, 2, .authz_looks = 1, .v1 = true}, true, 2},
    {"v1-draft",
     {{"a.example", "b.example"},
      2,
      .authz_looks = 1,
      .processing = 1,
      .shuffled = true,
      .close = true,
      .chunked = true,
      .v1 = true,
      .draft = true,
      .up = "/acme/issuer-cert"},
     false,
     2}};

/* By scene and mode: how the device is before, and what an honest run shows. */
static struct {
    struct device device;
    struct honest honest;
} base[SCENES][MODES];

static jmp_buf power;

static enum trial_mode mode_of(const struct dimension *m)
{
    return m->listens ? LISTENS : m->real_keys ? OWN_KEYS : FAST_KEYS;
}

uint64_t trial_mix(unsigned seed)
{
    uint64_t mix = (seed + 1) * 0x9e3779b97f4a7c15u;
    mix ^= mix >> 29;
    return mix * 0xbf58476d1ce4e5b9u;
}

void trial_power_off(struct trial *t)
{
    t->powered_off = true;
    longjmp(power, 1);
}

/* --- seams: counting, recording, judging --- */

static void record_request(struct trial *t)
{
    struct device *d = &t->d;
    char *to = t->message[d->ca.requests % 2].request;
    size_t cap = sizeof t->message[0].request - 1;
    size_t len = d->request_len < cap ? d->request_len : cap;
    memcpy(to, d->request, len);
    to[len] = '\0';
    t->message[d->ca.requests % 2].answer[0] = '\0';
    for (size_t i = 0; i < d->request_len; i++) {
        t->seen.output = (t->seen.output ^ (uint8_t)d->request[i]) * 1099511628211u;
    }
}

/* A request, sent or tried, other than the one that was told to come back later: that is then of no more use. */
static void judge_patience(struct trial *t, bool sent)
{
    struct device *d = &t->d;
    bool of_v1 = d->ca.plan->v1 && strncmp(d->asked, "GET", 3) == 0;
    if (strncmp(d->asked, "POST", 4) != 0 && !of_v1) {
        return;
    }
    if (strcmp(d->asked, t->polled) != 0) {
        strcpy(t->polled, d->asked);
        t->retry_after_ms = 0;
    }
    assert_true(!sent || d->now_ms - t->polled_ms >= t->retry_after_ms); /* waits for Retry-After */
}

static void answer_taken(struct trial *t)
{
    const char *at = memmem(t->d.answer.at, t->d.answer.len, "\r\nRetry-After: ", 15);
    /* A list that was made to name an object twice leads to it again when it is done with. */
    bool done =
        t->d.ca.tampered && memmem(t->d.answer.at, t->d.answer.len, "\"status\":\"valid\",\"chall", 23) != NULL;
    if (at != NULL && !t->tampered && !done) {
        t->retry_after_ms = (uint32_t)strtoul(at + 15, NULL, 10) * 1000u;
        t->polled_ms = t->d.now_ms;
    }
}

/* The key of a certificate request is the one stored for it. */
static void judge_finalize(struct trial *t)
{
    struct device *d = &t->d;
    struct acme_key_p256 key = {.ready = false};
    for (unsigned i = t->base_orders; i < d->ca.order_count; i++) {
        if (d->ca.order[i].finalized == 0 || (t->finalized_checked & 1u << i) != 0) {
            continue;
        }
        assert_int_equal(
            d->keys->load(&key, d->record[ACME_RECORD_KEY_NEXT].data, d->record[ACME_RECORD_KEY_NEXT].len), 0);
        assert_memory_equal(key.point, d->ca.order[i].point, sizeof key.point);
        assert_true(memcmp(d->ca.point, key.point, sizeof key.point) != 0); /* RFC 8555, 11.1 */
        assert_true(d->record[ACME_RECORD_KEY].len == 0 ||
                    memcmp(d->record[ACME_RECORD_KEY].data, d->record[ACME_RECORD_KEY_NEXT].data, 80) != 0);
        t->finalized_checked |= 1u << i;
    }
}

/* ACME v1: once the certificate's URL is known, which is when it is first asked for, no second one may be made. */
static void judge_new_cert(struct trial *t)
{
    static const char fetch[] = "GET /acme/cert/", make[] = "POST /acme/new-cert";
    if (!t->d.ca.plan->v1 || t->dimension->spare_orders > 0 || t->spare_orders > 0 || t->d.ca.tampered) {
        return;
    }
    t->fetched = t->fetched || strncmp(t->d.request, fetch, strlen(fetch)) == 0;
    assert_true(!t->fetched || strncmp(t->d.request, make, strlen(make)) != 0);
}

static bool is_net(enum device_seam seam)
{
    return seam <= DEVICE_RECV;
}

/* Every length a record may be cut to, its own included; and three for a line of the chain. */
static unsigned units_of(enum device_seam seam, const size_t *len)
{
    return seam == DEVICE_PUT ? (unsigned)*len + 1 : seam == DEVICE_APPEND && *len > 0 ? 3 : 0;
}

static int on_seam(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    struct trial *t = d->hook_ctx;
    unsigned *count = is_net(seam)               ? &t->seen.net
                      : seam == DEVICE_RANDOM    ? &t->seen.random
                      : seam == DEVICE_UTC       ? &t->seen.utc
                      : seam == DEVICE_CONNECT   ? &d->attempts /* however often it is asked how it goes */
                      : seam == DEVICE_PRESENT   ? &t->seen.solvers
                      : seam >= DEVICE_KEY_POINT ? &t->seen.keys
                                                 : &t->seen.store;
    t->number = seam == DEVICE_CONNECT ? *count - 1 : (*count)++;
    t->seen.connects = d->attempts;
    t->record = record;
    t->place = t->seen.written;
    t->units = units_of(seam, len);
    t->seen.written += t->units;
    bool key_record =
        record == ACME_RECORD_ACCOUNT_KEY || record == ACME_RECORD_KEY || record == ACME_RECORD_KEY_NEXT;
    t->key_touched = t->key_touched || (key_record && seam >= DEVICE_GET && seam <= DEVICE_STORED);
    if (seam == DEVICE_FLUSH) {
        record_request(t);
        judge_patience(t, true);
        judge_new_cert(t);
        secrets_judge(d, d->request, d->request_len);
    } else if (seam == DEVICE_FLUSHED) {
        memcpy(t->message[(d->ca.requests - 1) % 2].answer, d->answer.at,
               d->answer.len < 1599 ? d->answer.len : 1599);
        t->message[(d->ca.requests - 1) % 2].answer[d->answer.len < 1599 ? d->answer.len : 1599] = '\0';
        judge_finalize(t);
        if (t->dimension->listens) {
            visitors_called(d);
        }
    }
    const struct dimension *m = t->dimension;
    bool on = m->hook != NULL && !t->over;
    if (seam == DEVICE_RANDOM) {
        t->fill = d->random_to;
        dice_fill(d->random_to, *len);
    }
    if (seam == DEVICE_FLUSHED) {
        t->seen.sent += (unsigned)d->request_len + 1;
        d->request_len = 0;
        t->answering = true;
    }
    int answer = on ? m->hook(t, seam, len) : DEVICE_GO;
    if (seam == DEVICE_RECV && answer == DEVICE_GO && *len > 0 && d->answer_at + *len == d->answer.len) {
        answer_taken(t);
        t->seen.received += (unsigned)d->answer.len + 1;
        t->answering = false;
    }
    if (is_net(seam) && (answer < 0 || (seam == DEVICE_FLUSH && answer == 1))) {
        judge_patience(t, false);
        secrets_judge(d, d->request, d->request_len);
        ca_lost(&d->ca, d->request, d->request_len); /* the CA has seen a part of it, or others have */
        d->request_len = 0;
    }
    return seam == DEVICE_RANDOM && answer == DEVICE_GO ? 0 : answer;
}

/* --- invariants --- */

static unsigned finalized(const struct ca *ca)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < ca->order_count; i++) {
        sum += ca->order[i].finalized;
    }
    return sum;
}

void trial_cache_lost(struct trial *t)
{
    t->cache_lost = true;
    t->spare_orders++;
    t->spare_finalized++;
}

static void judge_tick(struct trial *t)
{
    struct device *d = &t->d;
    /* Each time a newOrder's answer, or a validation, is lost, some CAs make another order. */
    unsigned spare = t->dimension->spare_orders + t->spare_orders;
    unsigned more = t->dimension->goes_on ? 4 : t->dimension->twice ? 1 : 0;
    unsigned orders = t->scene->orders + spare + (t->scene->orders > 1 ? more : 0);
    assert_true(d->ca.accounts <= 1);
    assert_true(d->account_keys <= 1);
    assert_true(d->ca.order_count - t->base_orders <= orders);
    unsigned certificates = d->ca.plan->v1 ? orders : 1 + t->dimension->spare_orders + t->spare_finalized;
    assert_true(finalized(&d->ca) - t->base_finalized <= certificates);
    assert_int_equal(d->ca.early, 0);
    /* no second validation beside one that runs; but who has lost an order and got it again does not know of it, and who was
     * told a wrong URL sees nothing come of it, for 45 s */
    bool misled = d->ca.tampered && (d->ca.count[CA_NEW_ORDER] - t->base_asked > 1 || t->virtual_ms > 45000);
    assert_true(d->ca.repeats == 0 || t->dimension->spare_orders > 0 || t->cache_lost || t->dimension->goes_on ||
                misled);
    assert_true(t->seen.ticks < TICKS_MAX);
    assert_true(d->ca.requests < REQUESTS_MAX);
    assert_true(t->virtual_ms - t->fault_ms < HOURS(96));
    if (t->key_touched) { /* in this tick: the other ticks have no key to leave behind */
        secrets_judge_memory(d);
        t->key_touched = false;
    }
    if (d->commits != t->checked_commits) {
        device_check_pair(d);
        t->checked_commits = d->commits;
    }
}

static void pass(struct trial *t, uint32_t ms)
{
    t->d.now_ms += ms;
    t->d.utc += ms / 1000;
    t->virtual_ms += ms;
}

static void boot(struct trial *t)
{
    struct device *d = &t->d;
    t->boots++;
    t->dead = false;
    t->retry_after_ms = 0;
    d->ca.power_cut = t->boots > 1;
    d->keys = t->dimension->real_keys ? &acme_key_p256_ops : &fastkey_ops;
    (void)device_boot(d);
    if (t->dimension->listens) {
        visitors_boot(d);
    }
}

static void start(struct trial *t)
{
    t->runs++;
    t->retry_after_ms = 0;
    assert_int_equal(acme_start(&t->d.client, ACME_IF_DUE, t->d.now_ms), 0);
}

void trial_stop_and_start(struct trial *t)
{
    acme_stop(&t->d.client);
    assert_true(t->d.ca.published == NULL || t->d.ca.plan->zone);
    t->d.ca.power_cut = true; /* what was on show is gone */
    t->fired = true;
    start(t);
}

/* One run, through power cuts, to its end. */
static enum acme_progress run(struct trial *t)
{
    struct device *d = &t->d;
    volatile enum acme_progress progress = ACME_BUSY;
    start(t);
    while (!acme_is_over(progress)) {
        uint32_t before_ms = d->now_ms;
        t->seen.ticks++;
        if (_setjmp(power) == 0) {
            progress = device_tick(d);
        }
        t->virtual_ms += (uint32_t)(d->now_ms - before_ms);
        if (t->fired && !t->over) {
            t->fault_ms = t->virtual_ms;
        }
        if (t->powered_off) {
            t->powered_off = false;
            t->over = t->over || !t->dimension->goes_on;
            boot(t);
            start(t);
            progress = ACME_BUSY;
        }
        judge_tick(t);
        bool last = t->dimension->to_the_end && progress == ACME_ISSUED;
        bool going = !acme_is_over(progress) || last;
        if (going && !t->over && t->dimension->after_tick != NULL && t->dimension->after_tick(t)) {
            t->fired = true;
            boot(t);
            start(t);
            progress = ACME_BUSY;
        }
    }
    return progress;
}

static bool is_defined(int error)
{
#define IS(name, value, retry, meaning, cause) || error == (name)
    return false ACME_ERRORS(IS);
#undef IS
}

static bool out_of_room(int error)
{
    return error == ACME_E_REQUEST_BIG || error == ACME_E_BODY_BIG || error == ACME_E_JSON_TOKENS ||
           error == ACME_E_CERT_BIG;
}

/* An account key that is torn was never used: whoever looks at it takes it away. The client does not. */
static void tend(struct trial *t, const struct acme_failure *failure)
{
    struct device *d = &t->d;
    if (t->dimension->tears && failure->error == ACME_E_KEY_CORRUPT && failure->record == ACME_RECORD_ACCOUNT_KEY) {
        assert_int_equal(d->ca.accounts, 0);
        d->record[ACME_RECORD_ACCOUNT_KEY].len = 0;
        d->account_keys = 0;
    }
}

/* What there is after a reset: it is current, and the next renewal makes a key of its own. */
static void judge_lasting(struct trial *t)
{
    struct device *d = &t->d;
    bool due = d->ca.tampered && device_pair_is_due(d); /* a byte of its dates is another */
    unsigned requests = d->ca.requests;
    boot(t);
    if (due) {
        t->base_orders = d->ca.order_count;
        t->base_finalized = finalized(&d->ca);
        t->fetched = false;
        t->fault_ms = t->virtual_ms;
        assert_int_equal(run(t), ACME_ISSUED);
        requests = d->ca.requests;
    }
    assert_int_equal(run(t), ACME_CURRENT);
    assert_int_equal(d->ca.requests, requests);
    assert_int_equal(d->record[ACME_RECORD_ORDER].len, 0);
    size_t left = d->record[ACME_RECORD_KEY_NEXT].len; /* what a commit that was cut leaves until the next renewal */
    assert_true(left == 0 || (t->boots > 2 && memcmp(d->record[ACME_RECORD_KEY_NEXT].data,
                                                     d->record[ACME_RECORD_KEY].data, left) == 0));
    if (left > 0) { /* which makes a key of its own nevertheless: see judge_finalize() */
        t->base_orders = d->ca.order_count;
        t->base_finalized = finalized(&d->ca);
        t->fetched = false;
        d->utc += 61 * MAKER_DAY;
        t->fault_ms = t->virtual_ms;
        assert_int_equal(run(t), ACME_ISSUED);
        assert_int_equal(d->record[ACME_RECORD_KEY_NEXT].len, 0);
    }
}

/* What was withdrawn goes out of the zone behind the end of a run as well. Who has lost what was stored of an order does not
 * know what it left there. */
static void judge_zone(struct trial *t)
{
    struct device *d = &t->d;
    for (unsigned i = 0; i < 10 && d->ca.plan->zone; i++) {
        (void)device_tick(d);
    }
    assert_true(device_zone_is_clear(d) || t->dimension->spare_orders > 0);
}

static void play(struct trial *t)
{
    struct device *d = &t->d;
    enum acme_progress progress;
    size_t work_len = d->setup.work_len;
    if (work_len < ACME_WORK_MIN) {
        assert_int_equal(acme_init(&d->client, &d->setup), ACME_E_WORK_SMALL);
        return;
    }
    bool clean = false; /* the fault was gone before this run */
    while ((progress = run(t)) != ACME_ISSUED && (progress != ACME_CURRENT || (t->fired && !clean))) {
        clean = t->over;
        if (progress == ACME_CURRENT) { /* so it seemed; programs ask again */
            t->over = true;
            continue;
        }
        const struct acme_failure *failure = acme_failure(&d->client);
        assert_true(failure->error < 0 && is_defined(failure->error));
        secrets_judge_memory(d);
        if (out_of_room(failure->error) && work_len < 4096) {
            return;
        }
        assert_true(t->fired); /* nothing fails by itself */
        bool insists = t->dimension->insists && d->ca.bad_nonce_percent < 100;
        if (!t->dimension->goes_on && !insists) {
            t->over = !t->dimension->two_runs || t->runs > 1;
            d->ca.bad_nonce_percent = 0;
        }
        tend(t, failure);
        d->ca.power_cut = true; /* what was on show is gone */
        assert_true(d->ca.published == NULL || d->ca.plan->zone);
        pass(t, (failure->retry_s > 60 ? failure->retry_s : 60) * 1000u);
        judge_tick(t);
    }
    assert_true(!t->dimension->one_run || t->runs == 1);
    assert_true(!t->dimension->must_fail || t->over || !t->fired); /* a key was made of bad bytes */
    if (t->dimension->insists) {
        unsigned most = t->runs > 1 ? t->scene->orders : 1; /* a validation may be lost between two runs */
        assert_true(d->ca.order_count - t->base_orders <= most);
        assert_int_equal(finalized(&d->ca) - t->base_finalized, 1);
    }
    t->over = true;
    d->ca.bad_nonce_percent = 0;
    t->end = t->seen;
    t->end.visited = visitors_places();
    if (t->dimension->same) {
        assert_int_equal(t->runs, 1);
        assert_true(t->end.output == trial_honest_of(t->scene, t->dimension)->output);
    }
    device_check_pair(d);
    secrets_judge_memory(d);
    assert_int_equal(d->ca.accounts, 1);
    judge_zone(t);
    assert_true(d->ca.published == NULL || !device_zone_is_clear(d)); /* see there */
    judge_lasting(t);
}

/* --- a case --- */

static void begin(struct trial *t, const struct scene *scene, const struct dimension *dimension)
{
    static const struct crowd three = {.validators = 3, .validator = {.piece = 1000}};
    struct device *d = &t->d;
    memset((char *)t + sizeof t->d, 0, sizeof *t - sizeof t->d);
    *d = base[scene - scenes][mode_of(dimension)].device;
    t->scene = scene;
    t->dimension = dimension;
    t->base_orders = d->ca.order_count;
    t->base_finalized = finalized(&d->ca);
    t->base_asked = d->ca.count[CA_NEW_ORDER];
    t->checked_commits = d->commits;
    t->seen.output = 14695981039346656037u;
    d->hook = on_seam;
    d->heard = secrets_judge_event;
    d->attempts = 0;
    d->sleeps = NULL;
    visitors_invite(&three);
    d->hook_ctx = t;
    dice_seed((uint64_t)(scene - scenes));
    maker_serial = 2000;
}

static void end(struct trial *t)
{
    for (unsigned i = 0; i < t->d.ca.order_count; i++) {
        free(t->d.ca.order[i].chain);
        t->d.ca.order[i].chain = NULL;
    }
}

bool trial_play(struct trial *t, const struct scene *scene, const struct dimension *dimension, unsigned point,
                unsigned kind)
{
    begin(t, scene, dimension);
    t->point = point;
    t->kind = kind;
    bool good = setjmp(judge_end) == 0;
    if (good && dimension->play != NULL) {
        dimension->play(t);
    } else if (good) {
        boot(t);
        if (dimension->prepare != NULL) {
            dimension->prepare(t);
        }
        play(t);
    }
    end(t);
    return good;
}

bool trial_honest(struct trial *t, enum scene_name name, enum trial_mode mode)
{
    static const struct dimension honest[MODES] = {
        {"honest"}, {"honest", .real_keys = true}, {"honest", .listens = true}};
    const struct scene *scene = &scenes[name];
    struct device *d = &base[name][mode].device;
    dice_seed(5);
    maker_serial = 1000;
    if (!scene->renewal) {
        device_new(d, &scene->plan);
    } else { /* as the device is after the first issue, two months later */
        if (!trial_play(t, &scenes[scene->plan.v1 ? V1_ISSUE : ISSUE], &honest[mode], 0, 0)) {
            return false;
        }
        *d = t->d;
        d->ca.plan = &scene->plan;
        d->utc += 61 * MAKER_DAY;
        d->ca.power_cut = false;
    }
    if (!trial_play(t, scene, &honest[mode], 0, 0)) {
        return false;
    }
    base[name][mode].honest = t->end;
    base[name][mode].honest.requests = t->d.ca.requests - d->ca.requests;
    return true;
}

const struct honest *trial_honest_of(const struct scene *scene, const struct dimension *dimension)
{
    return &base[scene - scenes][mode_of(dimension)].honest;
}
