/* fleet.c - a thousand devices behind one address, and a CA with Let's Encrypt's rate limits and load balancer, in virtual
 * time: power-up at once, a 30-day outage, a recall, and quiet times. `fleet [devices [plot.svg]]`.
 *
 * Each device is a client of its own with real signatures, made by OpenSSL: tests/fault/fastkey.h. */
#include "plot.h"
#include "world.h"

#include "fault/fastkey.h"
#include "fault/judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BINS     20
#define MANY     1000 /* what the figures of the pages are for */
#define HOUR_MS  3600000LL
#define AGES     400
#define SPREAD_S 43200 /* a first order for each of a thousand devices, and no more than 300 of an account in three hours */

static unsigned tests, failed, devices = MANY;
static struct world w;

/* Of one scenario: where in its window each renewal was ordered, and in which second of the minute. */
static struct {
    unsigned inside, outside, bin[BINS], second[60];
} seen;

/* For the picture. */
static struct {
    unsigned power_up[144], recall[144]; /* requests in 10 minutes */
    double low[AGES], middle[AGES], high[AGES], requests[AGES];
    unsigned ages;
    unsigned bin[3][BINS], renewals[3];
} drawn;

static unsigned expired; /* devices whose certificate ended in use */
static int64_t expired_s;

static void note_order(struct world *world, const struct actor *a, int64_t at_s)
{
    (void)world;
    int64_t at = at_s + MAKER_NOW;
    if (!a->had_certificate) {
        return;
    }
    seen.second[at_s % 60]++;
    if (at < a->start || at >= a->end) {
        seen.outside++;
        return;
    }
    seen.inside++;
    seen.bin[(at - a->start) * BINS / (a->end - a->start)]++;
}

static void note_use(struct world *world, const struct actor *a, const struct world_use *use)
{
    (void)world;
    (void)a;
    int64_t late_s = use->end_s + MAKER_NOW - use->to;
    expired += late_s > 0;
    expired_s = late_s > expired_s ? late_s : expired_s;
}

static bool result(bool good, const char *format, ...)
{
    char what[300];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    printf("%sok %u - %s\n", good ? "" : "not ", ++tests, what);
    fflush(stdout);
    failed += !good;
    return good;
}

/* The chance that so uneven a count comes of an even one: Pearson's test, by Wilson and Hilferty's approximation. */
static double even(const unsigned *count, unsigned bins)
{
    double sum = 0, square = 0, k = bins - 1;
    for (unsigned i = 0; i < bins; i++) {
        sum += count[i];
    }
    for (unsigned i = 0; i < bins; i++) {
        square += (count[i] - sum / bins) * (count[i] - sum / bins) / (sum / bins);
    }
    double z = (cbrt(square / k) - (1 - 2 / (9 * k))) / sqrt(2 / (9 * k));
    return 0.5 * erfc(z / sqrt(2));
}

static unsigned asked(const uint16_t *minutes, int64_t from_ms, int64_t to_ms, unsigned *busiest)
{
    unsigned sum = 0;
    *busiest = 0;
    for (int64_t m = from_ms / 60000; m < to_ms / 60000; m++) {
        sum += minutes[m];
        *busiest = minutes[m] > *busiest ? minutes[m] : *busiest;
    }
    return sum;
}

static void begin(const struct world_plan *plan)
{
    memset(&seen, 0, sizeof seen);
    expired = 0;
    expired_s = 0;
    dice_seed((uint64_t)plan->life_s + plan->accounts);
    world_begin(&w, plan);
    w.ordered = note_order;
    w.used = note_use;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(const char *what, double began)
{
    printf("# %-34s %6u certificates, %6u orders, %8u looks, %8u requests, %7u handshakes; 503: %u, 429: %u; failed rounds: %u; "
           "%.0f s\n",
           what, w.sum.certificates, w.sum.orders, w.sum.looks, w.sum.exchanges, w.sum.handshakes, w.sum.balancer, w.sum.limits,
           w.sum.rounds_failed, seconds() - began);
    fflush(stdout);
}

static unsigned with_certificate(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < devices; i++) {
        n += w.actors[i].had_certificate;
    }
    return n;
}

/* --- the scenarios --- */

static void power_up(void)
{
    struct world_plan plan = {.devices = devices, .life_s = 90 * WORLD_DAY_S, .ari = true, .accounts = WORLD_SHARED, .spread_s = SPREAD_S};
    double began = seconds();
    begin(&plan);
    world_run(&w, WORLD_DAY_MS);
    tell("power-up at once, one account", began);
    for (unsigned m = 0; m < 1440; m++) {
        drawn.power_up[m / 10] += w.minutes[m];
    }
    result(with_certificate() == devices && w.sum.balancer + w.sum.limits == 0 && w.sum.orders == devices,
           "power-up of %u devices within a second: all have a certificate within a day, %u refusals", devices,
           w.sum.balancer + w.sum.limits);
    world_end(&w);
}

/* The limits of a registered domain and of new accounts cannot be known to a device that does not know of the others. */
static void power_up_alone(void)
{
    struct world_plan plan = {.devices = devices, .life_s = 90 * WORLD_DAY_S, .ari = true, .accounts = WORLD_OWN, .spread_s = SPREAD_S};
    double began = seconds();
    unsigned days = 0;
    begin(&plan);
    while (with_certificate() < devices && days < 60) {
        world_run(&w, ++days * WORLD_DAY_MS);
    }
    tell("the same, an account each", began);
    double each = (double)(w.sum.balancer + w.sum.limits) / devices / days;
    result(with_certificate() == devices && each <= 1.5, "an account each: all have a certificate after %u days, %.2f refusals a device and day",
           days, each);
    world_end(&w);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* How old the certificates are, as shares of their lives. */
static void note_ages(int64_t step_ms)
{
    double *ages = malloc(devices * sizeof *ages);
    unsigned busiest;
    for (unsigned i = 0; i < devices; i++) {
        const struct world_use *u = &w.actors[i].use;
        ages[i] = 100.0 * (double)(w.now_ms / 1000 + MAKER_NOW - u->from) / (double)(u->to - u->from);
    }
    qsort(ages, devices, sizeof *ages, by_size);
    if (drawn.ages < AGES) {
        drawn.low[drawn.ages] = ages[0];
        drawn.middle[drawn.ages] = ages[devices / 2];
        drawn.high[drawn.ages] = ages[devices - 1];
        drawn.requests[drawn.ages++] = asked(w.knocks, w.now_ms - step_ms, w.now_ms, &busiest);
    }
    free(ages);
}

#define OUTAGE_BEFORE_D 20
#define OUTAGE_DAYS     30
#define OUTAGE_AFTER_D  20

/* Devices in service for some time, with certificates of every age. */
static void outage(int64_t life_s, const char *life, bool draws)
{
    int64_t third_s = life_s < 10 * WORLD_DAY_S ? life_s / 2 : life_s * 2 / 3;
    int64_t from_ms = 2 * third_s * 1000 + OUTAGE_BEFORE_D * WORLD_DAY_MS, to_ms = from_ms + OUTAGE_DAYS * WORLD_DAY_MS;
    struct world_plan plan = {.devices = devices, .life_s = life_s, .ari = true, .accounts = WORLD_SHARED, .power_up_s = third_s,
                              .span = {{from_ms, to_ms, ACME_E_TIMEOUT}}};
    char what[80];
    double began = seconds();
    unsigned busiest, knocks;
    begin(&plan);
    for (int64_t t = 0; t < to_ms + OUTAGE_AFTER_D * WORLD_DAY_MS; t += 4 * HOUR_MS) {
        world_run(&w, t);
        if (draws && t > from_ms - OUTAGE_BEFORE_D * WORLD_DAY_MS) {
            note_ages(4 * HOUR_MS);
        }
    }
    snprintf(what, sizeof what, "30 days without the CA, %s", life);
    tell(what, began);
    knocks = asked(w.knocks, from_ms + WORLD_DAY_MS, to_ms, &busiest);
    printf("#   in the outage: %.2f connections tried a device and day, %u in the busiest minute\n",
           (double)knocks / devices / (OUTAGE_DAYS - 1), busiest);
    int64_t end_ms = to_ms + WORLD_DAY_MS * 11 / 10;
    unsigned sum = asked(w.minutes, to_ms, end_ms, &busiest);
    double mean = (double)sum * 60000 / (double)(end_ms - to_ms);
    printf("#   recovery: %u requests in 26.4 h, %.1f a minute, %u in the busiest; %u certificates had ended, the last by %.1f d\n", sum, mean,
           busiest, expired, (double)expired_s / WORLD_DAY_S);
    result(w.sum.balancer + w.sum.limits == 0, "30 days without the CA, %s: %u refusals", life, w.sum.balancer + w.sum.limits);
    world_end(&w);
}

static void recall(void)
{
    int64_t at_ms = 150 * WORLD_DAY_MS;
    struct world_plan plan = {.devices = devices, .life_s = 90 * WORLD_DAY_S, .ari = true, .accounts = WORLD_SHARED,
                              .power_up_s = 60 * WORLD_DAY_S, .recall_ms = at_ms};
    double began = seconds();
    unsigned busiest, old = 0;
    begin(&plan);
    world_run(&w, at_ms);
    unsigned before = w.sum.orders;
    world_run(&w, at_ms + WORLD_DAY_MS);
    tell("recall by ARI", began);
    for (unsigned i = 0; i < devices; i++) {
        old += w.actors[i].use.since_s * 1000 < at_ms;
    }
    unsigned sum = asked(w.minutes, at_ms, at_ms + 8 * HOUR_MS, &busiest);
    printf("#   %u requests in 8 h, %.1f a minute, %u in the busiest\n", sum, sum / 480.0, busiest);
    for (unsigned m = 0; m < 1440; m++) {
        drawn.recall[m / 10] += w.minutes[at_ms / 60000 + m];
    }
    result(old == 0 && w.sum.orders - before <= devices * 11 / 10 && w.sum.balancer + w.sum.limits == 0,
           "all certificates recalled: replaced within a day by %u orders, %u refusals", w.sum.orders - before, w.sum.balancer + w.sum.limits);
    world_end(&w);
}

static void quiet(unsigned number, int64_t life_s, const char *life, unsigned days)
{
    int64_t third_s = life_s < 10 * WORLD_DAY_S ? life_s / 2 : life_s * 2 / 3;
    struct world_plan plan = {.devices = devices, .life_s = life_s, .ari = true, .accounts = WORLD_SHARED, .power_up_s = third_s};
    double began = seconds();
    char what[80];
    begin(&plan);
    world_run(&w, days * WORLD_DAY_MS);
    snprintf(what, sizeof what, "%u quiet days, %s", days, life);
    tell(what, began);
    memcpy(drawn.bin[number], seen.bin, sizeof seen.bin);
    drawn.renewals[number] = seen.inside;
    unsigned most = 0;
    for (unsigned i = 0; i < 60; i++) {
        most = seen.second[i] > most ? seen.second[i] : most;
    }
    double p = even(seen.bin, BINS);
    result(seen.inside > 0 && seen.outside == 0 && p > 0.01 && expired == 0, "%u renewals at %s: %u outside their windows, uniform within: p = %.3f",
           seen.inside, life, seen.outside, p);
    result(w.sum.balancer + w.sum.limits == 0 && most * 60 <= 2 * (seen.inside + seen.outside) + 600,
           "%u quiet days at %s: %u refusals, %.2f of the mean in the busiest second of the minute", days, life,
           w.sum.balancer + w.sum.limits, most * 60.0 / (seen.inside + seen.outside + 1));
    world_end(&w);
}

int main(int argc, char **argv)
{
    devices = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : MANY;
    if (setjmp(judge_end) != 0) {
        printf("#   %s\n", judge_words);
        result(false, "the CA's and the device's own rules");
        return 1;
    }
    printf("# %zu bytes a device, of them the client %zu\n", sizeof(struct actor), sizeof(struct acme_client));
    power_up();
    power_up_alone();
    outage(90 * WORLD_DAY_S, "90 days", true);
    outage(45 * WORLD_DAY_S, "45 days", false);
    outage(160 * 3600, "6 days", false);
    recall();
    quiet(0, 90 * WORLD_DAY_S, "90 days", 365);
    quiet(1, 45 * WORLD_DAY_S, "45 days", 365);
    quiet(2, 160 * 3600, "6 days", 60);
    printf("1..%u\n", tests);
    return failed > 0;
}
