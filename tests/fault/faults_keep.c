/* faults_keep.c - a certificate kept for ever (ACME_KEEP), over several days: a first issue while the network is down at first,
 * renewal information, a renewal at the moment chosen while the network is down, and an application that cannot take a new pair
 * over at once. In this the power goes: after every tick, at every call of the store, at every pair of them, inside every
 * byte of what is remembered of renewing; the clock jumps; the counter of milliseconds wraps; records are as another
 * image left them.
 *
 * What must hold: one account, one order and one finalize a certificate; an attempt never comes sooner than was stored
 * before; the pair in use fits at every boot; there are two certificates in the end, in time, and the application has taken
 * the newest over. */
#include "plans.h"

#include "fake/ca_more.h"
#include "fastkey.h"
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR      INT64_C(3600)
#define DAY       INT64_C(86400)
#define LIFE      (160 * HOUR)
#define CHOSEN_AT (LIFE / 2 - HOUR) /* in the middle of the window, from the issue */
#define CUTS      20
#define TICKS     60000u

static const struct ca_plan plan = {{"a.example"},
                                    1,
                                    .authz_looks = 1,
                                    .processing = 1,
                                    .reuse = true,
                                    .ari = true,
                                    .ari_of_life = true,
                                    .ari_start = LIFE / 2 - 5760,
                                    .ari_end = LIFE / 2 + 5760,
                                    .starts_before_s = HOUR,
                                    .life_s = LIFE};

/* The world. */
static struct {
    struct trial *t;
    unsigned ticks, store, written, boots; /* so far */
    unsigned cut[CUTS], cut_count, cut_at;
    bool torn, spoiled; /* this write; the record was */
    int64_t committed;  /* when the last pair was put in use: the application cannot take it for a while */
    unsigned commits;
    uint64_t taken;   /* the chain that was taken over last */
    int64_t tried_at; /* by the right time */
    struct acme_renewal stored;
    int64_t off;       /* the clock's error */
    uint32_t off_till; /* in ms                */
    bool was_off;
} k;

static struct {
    unsigned ticks, store, written;
} honest;

static jmp_buf keep_power;
static struct device start;

static int64_t right_utc(const struct device *d)
{
    return d->utc;
}

static bool net_is_down(const struct device *d)
{
    int64_t age = right_utc(d) - MAKER_NOW;
    return age < 1000 || (age > CHOSEN_AT - 2 * HOUR && age < CHOSEN_AT + 3 * HOUR);
}

static bool is_store(enum device_seam seam)
{
    return seam >= DEVICE_GET && seam <= DEVICE_STORED;
}

/* Of what is remembered of renewing, the first bytes get through. */
static void tear(enum acme_record record, size_t *len)
{
    unsigned first = k.written;
    if (record != ACME_RECORD_RENEWAL) {
        return;
    }
    k.written += (unsigned)*len + 1;
    if (k.torn && !k.spoiled && k.t->point >= first && k.t->point < k.written) {
        *len = k.t->point - first;
        k.spoiled = true;
    }
}

static int keep_hook(struct device *d, enum device_seam seam, enum acme_record record, size_t *len)
{
    if (seam == DEVICE_OPEN && net_is_down(d)) {
        return ACME_E_UNREACHABLE;
    }
    if (seam == DEVICE_RANDOM) {
        dice_fill(d->random_to, *len);
        return 0;
    }
    if (seam == DEVICE_UTC) {
        *d->utc_to += k.off;
        return 1;
    }
    if (is_store(seam)) {
        bool was_spoiled = k.spoiled;
        if (seam == DEVICE_PUT) {
            tear(record, len);
        }
        bool after = seam == DEVICE_STORED && k.torn && k.spoiled && was_spoiled && k.cut_at == 0;
        if (after || (k.cut_at < k.cut_count && k.store >= k.cut[k.cut_at])) {
            k.cut_at++;
            k.store++;
            longjmp(keep_power, 1);
        }
        k.store++;
    }
    return DEVICE_GO;
}

static int offered(void *ctx, const struct acme_offer *offer)
{
    const struct device *d = ctx;
    assert_true(offer->not_after > right_utc(d) || k.was_off);
    return 1;
}

static uint64_t chain_in_use(const struct device *d)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < d->record[ACME_RECORD_CHAIN].len; i++) {
        sum = (sum ^ (uint8_t)d->record[ACME_RECORD_CHAIN].data[i]) * 1099511628211u;
    }
    return sum;
}

static int taken(void *ctx)
{
    const struct device *d = ctx;
    device_check_pair(d);
    if (right_utc(d) < k.committed + 900) {
        return ACME_E_NET;
    }
    k.taken = chain_in_use(d);
    return 1;
}

static void keep_boot(struct device *d)
{
    k.boots++;
    d->ca.power_cut = true;
    d->keys = &fastkey_ops;
    assert_int_equal(device_boot(d), 0);
    d->setup.deploy = (struct acme_deploy){d, offered, taken};
    if (d->record[ACME_RECORD_CHAIN].len > 0) {
        device_check_pair(d);
    }
    assert_int_equal(acme_start(&d->client, ACME_KEEP, d->now_ms), 0);
}

static void judge(struct device *d)
{
    struct acme_renewal now;
    assert_true(d->ca.accounts <= 1);
    assert_true(d->account_keys <= 1);
    unsigned most =
        k.was_off ? 5
        : k.boots > 4
            ? 3
            : 2; /* so many cuts take longer than a life; and a clock that is years ahead says that the pair is over, each time */
    assert_true(d->ca.order_count <= most);
    for (unsigned i = 0; i < d->ca.order_count; i++) {
        assert_true(d->ca.order[i].finalized <= 1);
    }
    if (d->commits != k.commits) {
        device_check_pair(d);
        k.commits = d->commits;
        k.committed = right_utc(d);
    }
    acme_renewal_read(&now, acme_slice(d->record[ACME_RECORD_RENEWAL].data, d->record[ACME_RECORD_RENEWAL].len));
    if (now.tried != k.stored.tried && now.tried != 0 && k.stored.tried != 0) {
        bool again = k.stored.failures > 0 && strcmp(now.pair.text, k.stored.pair.text) == 0;
        assert_true(!again || k.spoiled || k.was_off || now.tried >= k.stored.next);
        assert_true(!again || k.spoiled || right_utc(d) - k.tried_at >= 58); /* whatever the clock says */
        assert_true(!again || k.spoiled || now.failures == k.stored.failures + 1);
    }
    k.tried_at = now.tried != k.stored.tried ? right_utc(d) : k.tried_at;
    k.stored = now;
}

static bool is_done(const struct device *d)
{
    struct acme_plan p;
    bool ended = d->ca.order_count >= 2 && d->ca.order[1].finalized > 0 && d->record[ACME_RECORD_ORDER].len == 0;
    /* A commit that was cut may be done twice. */
    bool renewed =
        d->commits >= 2 && (k.was_off || k.spoiled || d->ca.order[d->ca.order_count - 1].replaces[0] != '\0');
    return ended && renewed && (k.spoiled || k.taken == chain_in_use(d)) && k.off == 0 && acme_plan(&d->client, &p) &&
           p.due > right_utc(d) && !p.deploy_pending && acme_sleep_s(&d->client) > 0;
}

/* Twenty cuts may cost the first order so many days that its certificate is no good any more: the renewal is the last one. */
static bool replaces_the_one_before(const struct ca *ca)
{
    char id[128];
    ca_certid(&ca->order[ca->order_count - 2], id, sizeof id);
    return strcmp(ca->order[ca->order_count - 1].replaces, id) == 0;
}

/* The story, until all is done. */
static void keep(struct trial *t)
{
    struct device *volatile d = &t->d;
    volatile bool on = true;
    keep_boot(d);
    while (!is_done(d)) {
        if (_setjmp(keep_power) == 0) {
            (void)device_tick(d);
        } else {
            keep_boot(d);
        }
        k.ticks++;
        judge(d);
        if (k.off != 0 && d->now_ms - k.off_till < UINT32_MAX / 2) {
            k.off = 0;
        }
        if (on && t->dimension->after_tick != NULL && t->dimension->after_tick(t)) {
            keep_boot(d);
        }
        uint32_t sleep_s = acme_sleep_s(&d->client);
        if (sleep_s > 60 && k.off == 0) { /* to the next moment that matters, or when the world changes */
            int64_t age = right_utc(d) - MAKER_NOW, stop = CHOSEN_AT + 3 * HOUR;
            d->utc += age < stop && age + sleep_s > stop ? stop - age : sleep_s - 30;
        }
        assert_true(k.ticks < TICKS);
        /* An attempt that was cut short counts as a failure: each may cost a day and a tenth. */
        int64_t most = CHOSEN_AT + 3 * HOUR + 26 * HOUR + 27 * HOUR * k.boots + (k.was_off ? 4 * DAY : 0);
        assert_true(right_utc(d) - MAKER_NOW < most);
    }
    assert_int_equal(d->ca.accounts, 1);
    size_t left = d->record[ACME_RECORD_KEY_NEXT].len; /* by a commit that was cut */
    assert_true(left == 0 ||
                memcmp(d->record[ACME_RECORD_KEY_NEXT].data, d->record[ACME_RECORD_KEY].data, left) == 0);
    assert_int_equal(d->record[ACME_RECORD_ORDER].len, 0);
    device_check_pair(d);
    assert_true(k.was_off || k.spoiled || replaces_the_one_before(&d->ca));
}

static void begin(struct trial *t)
{
    memset(&k, 0, sizeof k);
    if (start.ca.plan == NULL) {
        dice_seed(11);
        maker_serial = 1000;
        device_new(&start, &plan);
    }
    t->d = start;
    t->d.hook = keep_hook;
    t->d.hook_ctx = t;
    k.t = t;
    dice_seed(7);
    maker_serial = 3000;
}

/* --- sizes: an honest run is counted once */

static void count_honest(void)
{
    static struct trial t;
    static const struct dimension none = {"keep"};
    if (honest.ticks > 0) {
        return;
    }
    if (setjmp(judge_end) != 0) {
        printf("Bail out! an honest run fails: keep: %s\n", judge_words);
        exit(1);
    }
    begin(&t);
    t.dimension = &none;
    keep(&t);
    honest.ticks = k.ticks;
    honest.store = k.store;
    honest.written = k.written;
    for (unsigned i = 0; i < t.d.ca.order_count; i++) {
        free(t.d.ca.order[i].chain);
    }
    printf("# keep: %u ticks, %u store calls, %u bytes of what is remembered of renewing, %u requests, %u looks\n",
           honest.ticks, honest.store, honest.written, t.d.ca.requests, t.d.ca.renewal_infos);
}

static unsigned ticks(const struct honest *h)
{
    count_honest();
    return honest.ticks;
}

static unsigned store_calls(const struct honest *h)
{
    count_honest();
    return honest.store;
}

static unsigned pairs(const struct honest *h)
{
    return store_calls(h) * (store_calls(h) - 1) / 2;
}

static unsigned written(const struct honest *h)
{
    count_honest();
    return honest.written;
}

static unsigned seeds(const struct honest *h)
{
    (void)store_calls(h); /* at_any_calls() spreads its cuts over them */
    return 20000;
}

static unsigned wraps(const struct honest *h)
{
    return 400;
}

/* --- the dimensions */

static const char *const once[] = {"once", NULL};

static bool cut_after_tick(struct trial *t)
{
    return k.ticks == t->point + 1;
}

static void at_a_tick(struct trial *t)
{
    begin(t);
    keep(t);
}

static void at_a_call(struct trial *t)
{
    begin(t);
    k.cut[0] = t->point;
    k.cut_count = 1;
    keep(t);
}

/* Point number p is the pair (i, j), i < j, counted along j. */
static void at_two_calls(struct trial *t)
{
    unsigned j = 1, at = t->point;
    begin(t);
    while (at >= j) {
        at -= j++;
    }
    k.cut[0] = at;
    k.cut[1] = j;
    k.cut_count = 2;
    keep(t);
}

/* Three to twenty cuts, near each other or not. */
static void at_any_calls(struct trial *t)
{
    uint64_t mix = trial_mix(t->point);
    begin(t);
    k.cut_count = 3 + (unsigned)(mix >> 40) % (CUTS - 2);
    for (unsigned i = 0, at = 0; i < k.cut_count; i++) {
        mix = mix * 6364136223846793005u + 1442695040888963407u;
        unsigned far = (mix >> 33) % 4 == 0 ? honest.store / 4 + 2 : 12;
        at += 1 + (unsigned)(mix >> 36) % far;
        k.cut[i] = at;
    }
    keep(t);
}

static void inside_a_write(struct trial *t)
{
    begin(t);
    k.torn = true;
    keep(t);
}

static const char *const jump_kinds[] = {"+20y", "+1y", "+3d", "+1h", "-1h", "-3d", "-100d", "-20y", NULL};

static bool jump(struct trial *t)
{
    static const int64_t by[] = {7300 * DAY, 365 * DAY, 3 * DAY, HOUR, -HOUR, -3 * DAY, -100 * DAY, -7300 * DAY};
    if (k.ticks == t->point + 1) {
        k.off = by[t->kind];
        k.off_till = t->d.now_ms + 2 * 3600 * 1000; /* then it is right again */
        k.was_off = true;
    }
    return false;
}

static void before_wrap(struct trial *t)
{
    begin(t);
    t->d.now_ms = 0u - 311u * t->point;
    keep(t);
}

/* As the image before this one left it, which knows nothing of renewing; as a later one did, with lines of its own; torn. */
static const char *const image_kinds[] = {"before", "after", "again-and-again", "unreadable", NULL};

static void put_line_into(struct device *d, enum acme_record record, const char *line)
{
    char *data = d->record[record].data;
    size_t len = d->record[record].len;
    if (len > 4 && memcmp(data + len - 4, "end\n", 4) == 0) {
        memcpy(data + len - 4, line, strlen(line));
        memcpy(data + len - 4 + strlen(line), "end\n", 4);
        d->record[record].len += strlen(line);
    }
}

static void take_line_from(struct device *d, enum acme_record record, const char *key)
{
    char *data = d->record[record].data;
    data[d->record[record].len] = '\0';
    char *at = strstr(data, key);
    if (at != NULL) {
        size_t len = strcspn(at, "\n") + 1;
        memmove(at, at + len, strlen(at + len) + 1);
        d->record[record].len -= len;
    }
}

static bool other_image(struct trial *t)
{
    bool here =
        t->kind == 2 ? k.ticks > t->point && k.ticks % 7 == 0 && k.ticks < t->point + 70 : k.ticks == t->point + 1;
    if (!here) {
        return false;
    }
    struct device *d = &t->d;
    if (t->kind == 0) {
        d->record[ACME_RECORD_RENEWAL].len = 0;
        take_line_from(d, ACME_RECORD_ACCOUNT, "renewalInfo ");
    } else if (t->kind == 1 || t->kind == 2) {
        put_line_into(d, ACME_RECORD_RENEWAL, t->kind == 1 ? "colour blue\n" : "x 1\n");
    } else {
        d->record[ACME_RECORD_RENEWAL].len /= 2;
    }
    k.spoiled = t->kind != 1 && t->kind != 2;
    if (k.spoiled) { /* nobody knows any more that it was not taken over, nor when it was tried last */
        memset(&k.stored, 0, sizeof k.stored);
    }
    return true;
}

const struct dimension dimension_keep_tick = {"keep-tick", once, ticks, .after_tick = cut_after_tick,
                                              .play = at_a_tick};
const struct dimension dimension_keep_store = {"keep-store", once, store_calls, .play = at_a_call};
const struct dimension dimension_keep_pair = {"keep-pair", once, pairs, .play = at_two_calls};
const struct dimension dimension_keep_many = {"keep-many", once, seeds, .play = at_any_calls};
const struct dimension dimension_keep_torn = {"keep-torn", once, written, .play = inside_a_write};
const struct dimension dimension_keep_clock = {"keep-clock", jump_kinds, ticks, .after_tick = jump,
                                               .play = at_a_tick};
const struct dimension dimension_keep_wrap = {"keep-wrap", once, wraps, .play = before_wrap};
const struct dimension dimension_keep_image = {"keep-image", image_kinds, ticks, .after_tick = other_image,
                                               .play = at_a_tick};
