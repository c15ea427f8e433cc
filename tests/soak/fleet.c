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

#define BINS    20
#define MANY    1000 /* what the figures of the pages are for */
#define HOUR_MS 3600000LL
#define AGES    300
#define SPREAD_S                                                                                                     \
    43200 /* a first order for each of a thousand devices, and no more than 300 of an account in three hours */

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

/* The most that will meet in one of `bins` by chance, when each comes whenever it likes, `mean` in each: exceeded once in a
 * thousand times. Who knows of nobody else can do no better. */
static unsigned by_chance(double mean, unsigned bins)
{
    double term = exp(-mean), sum = term;
    unsigned k = 0;
    while (pow(sum, bins) < 0.999) {
        term *= mean / ++k;
        sum += term;
    }
    return k;
}

/* How the devices come: each minute's connections against chance, each quarter of an hour against the mean. */
static bool no_rush(const char *what, int64_t from_ms, int64_t to_ms)
{
    unsigned busiest, none, minutes = (unsigned)((to_ms - from_ms) / 60000);
    double mean = (double)asked(w.knocks, from_ms, to_ms, &busiest) / minutes, quarter = 0;
    unsigned requests = asked(w.minutes, from_ms, to_ms, &none), chance = by_chance(mean, minutes);
    for (int64_t at = from_ms; at < to_ms; at += 15 * 60000) {
        double in_it = asked(w.knocks, at, at + 15 * 60000, &none);
        quarter = in_it > quarter ? in_it : quarter;
    }
    bool good = (busiest <= 3 * mean || busiest <= chance) && (quarter <= 45 * mean || devices < MANY);
    printf(
        "#   %s: %u requests; %.2f connections a minute, at most %u (%u by chance), at most %.1f times the mean in a "
        "quarter of an hour\n",
        what, requests, mean, busiest, chance, quarter / 15 / mean);
    return good;
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
    printf("# %-34s %6u certificates, %6u orders, %8u looks, %8u requests, %7u handshakes; 503: %u, 429: %u; failed "
           "rounds: %u; "
           "%.0f s\n",
           what, w.sum.certificates, w.sum.orders, w.sum.looks, w.sum.exchanges, w.sum.handshakes, w.sum.balancer,
           w.sum.limits, w.sum.rounds_failed, seconds() - began);
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
    struct world_plan plan = {
        .devices = devices, .life_s = 90 * WORLD_DAY_S, .ari = true, .accounts = WORLD_SHARED, .spread_s = SPREAD_S};
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
    struct world_plan plan = {
        .devices = devices, .life_s = 90 * WORLD_DAY_S, .ari = true, .accounts = WORLD_OWN, .spread_s = SPREAD_S};
    double began = seconds();
    unsigned days = 0;
    begin(&plan);
    while (with_certificate() < devices && days < 60) {
        world_run(&w, ++days * WORLD_DAY_MS);
    }
    tell("the same, an account each", began);
    double each = (double)(w.sum.balancer + w.sum.limits) / devices / days;
    /* The CA names the same moment to all that wait; they do not all come then. */
    result(with_certificate() == devices && each <= 1 && w.sum.balancer < 3 * devices,
           "an account each: all have a certificate after %u days, %.2f refusals a device and day", days, each);
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
#define RETRY_MS        (WORLD_DAY_MS * 11 / 10) /* no attempt comes later than this after the one before */

static unsigned still_ended(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < devices; i++) {
        n += w.actors[i].use.to < MAKER_NOW + w.now_ms / 1000;
    }
    return n;
}

/* Devices in service for some time, with certificates of every age. */
static void outage(int64_t life_s, bool ari, const char *life, bool draws)
{
    int64_t third_s = life_s < 10 * WORLD_DAY_S ? life_s / 2 : life_s * 2 / 3;
    int64_t from_ms = 2 * third_s * 1000 + OUTAGE_BEFORE_D * WORLD_DAY_MS,
            to_ms = from_ms + OUTAGE_DAYS * WORLD_DAY_MS;
    struct world_plan plan = {.devices = devices,
                              .life_s = life_s,
                              .ari = ari,
                              .accounts = WORLD_SHARED,
                              .power_up_s = third_s,
                              .span = {{from_ms, to_ms, ACME_E_TIMEOUT}}};
    char what[80];
    double began = seconds();
    unsigned busiest, knocks;
    begin(&plan);
    for (int64_t t = 0; t < to_ms + OUTAGE_AFTER_D * WORLD_DAY_MS; t += 6 * HOUR_MS) {
        world_run(&w, t);
        if (draws && t > from_ms - OUTAGE_BEFORE_D * WORLD_DAY_MS) {
            note_ages(6 * HOUR_MS);
        }
    }
    snprintf(what, sizeof what, "30 days without the CA, %s", life);
    tell(what, began);
    knocks = asked(w.knocks, from_ms + WORLD_DAY_MS, to_ms, &busiest);
    printf("#   without the CA: %.2f connections tried a device and day, %u in the busiest minute; %u certificates "
           "ended, the last by %.1f d\n",
           (double)knocks / devices / (OUTAGE_DAYS - 1), busiest, expired, (double)expired_s / WORLD_DAY_S);
    bool steady = no_rush("recovery", to_ms, to_ms + RETRY_MS);
    unsigned refusals = w.sum.balancer + w.sum.limits;
    /* What was left when renewal fell due: at most a window's half less than a third. */
    int64_t left_s = (life_s < 10 * WORLD_DAY_S ? life_s / 2 : life_s / 3) - (ari ? life_s / 100 : 0);
    int64_t over_s = OUTAGE_DAYS * WORLD_DAY_S - left_s;
    result(steady && refusals == 0 && still_ended() == 0 && (over_s > 0 || expired == 0) &&
               expired_s <= over_s + RETRY_MS / 1000,
           "30 days without the CA, %s: no rush back, %u refusals, %u certificates ended%s", life, refusals, expired,
           over_s > 0 ? ", by the outage" : "");
    world_end(&w);
}

static void recall(void)
{
    int64_t at_ms = 150 * WORLD_DAY_MS;
    struct world_plan plan = {.devices = devices,
                              .life_s = 90 * WORLD_DAY_S,
                              .ari = true,
                              .accounts = WORLD_SHARED,
                              .power_up_s = 60 * WORLD_DAY_S,
                              .recall_ms = at_ms};
    double began = seconds();
    unsigned old = 0;
    begin(&plan);
    world_run(&w, at_ms);
    unsigned before = w.sum.orders;
    world_run(&w, at_ms + 2 * WORLD_DAY_MS);
    tell("recall by ARI", began);
    for (unsigned i = 0; i < devices; i++) {
        old += w.actors[i].use.since_s * 1000 < at_ms;
    }
    bool steady = no_rush("the first six hours", at_ms, at_ms + 6 * HOUR_MS);
    for (unsigned m = 0; m < 1440; m++) {
        drawn.recall[m / 10] += w.minutes[at_ms / 60000 + m];
    }
    /* One that is younger than a sixty-fourth of its life has to reach that age first. */
    result(steady && old == 0 && w.sum.orders - before <= devices * 11 / 10 && w.sum.balancer + w.sum.limits == 0,
           "all certificates recalled: replaced within two days by %u orders, %u refusals", w.sum.orders - before,
           w.sum.balancer + w.sum.limits);
    world_end(&w);
}

static void quiet(unsigned number, int64_t life_s, const char *life, unsigned days)
{
    int64_t third_s = life_s < 10 * WORLD_DAY_S ? life_s / 2 : life_s * 2 / 3;
    struct world_plan plan = {
        .devices = devices, .life_s = life_s, .ari = true, .accounts = WORLD_SHARED, .power_up_s = third_s};
    double began = seconds();
    char what[80];
    begin(&plan);
    world_run(&w, days * WORLD_DAY_MS);
    snprintf(what, sizeof what, "%u quiet days, %s", days, life);
    tell(what, began);
    memcpy(drawn.bin[number], seen.bin, sizeof seen.bin);
    drawn.renewals[number] = seen.inside;
    double p_second = even(seen.second, 60);
    double p = even(seen.bin, BINS);
    result(seen.inside > 0 && seen.outside == 0 && p > 0.01 && expired == 0,
           "%u renewals at %s: %u outside their windows, uniform within: p = %.3f", seen.inside, life, seen.outside,
           p);
    result(w.sum.balancer + w.sum.limits == 0 && p_second > 0.001 && w.sum.orders == w.sum.certificates,
           "%u quiet days at %s: %u refusals, %.2f writes a certificate, no second of the minute preferred: p = %.3f",
           days, life, w.sum.balancer + w.sum.limits, (double)w.sum.writes / w.sum.certificates, p_second);
    world_end(&w);
}

/* --- the picture --- */

static double most_of(const double *y, unsigned count)
{
    double most = 1;
    for (unsigned i = 0; i < count; i++) {
        most = y[i] > most ? y[i] : most;
    }
    return most;
}

static void draw_day(FILE *f, double left, double top, const unsigned *tens, const char *title)
{
    double y[144];
    for (unsigned i = 0; i < 144; i++) {
        y[i] = tens[i] / 10.0;
    }
    struct plot p = {f, left, top, 330, 90, 0, 24, 0, most_of(y, 144) * 1.1};
    plot_axes(&p, title, "hours", "requests a minute", 6);
    plot_bars(&p, y, 144, PLOT_BLUE);
}

static void draw(const char *path)
{
    static const char *const lives[3] = {"90 days", "45 days", "6 days"};
    char title[100];
    FILE *f = plot_begin(path, 800, 690, "A thousand devices behind one address");
    if (f == NULL) {
        perror(path);
        failed++;
        return;
    }
    draw_day(f, 50, 45, drawn.power_up, "Switched on at once");
    draw_day(f, 450, 45, drawn.recall, "All certificates recalled by ARI at 0 h");

    double to = OUTAGE_DAYS + OUTAGE_AFTER_D;
    struct plot p = {f, 50, 220, 730, 110, -OUTAGE_BEFORE_D, to, 0, 125};
    plot_axes(&p, "30 days without the CA: age of the certificates of 90 days, oldest, median and youngest", "days",
              "% of life", 10);
    plot_shade(&p, 0, OUTAGE_DAYS, "no CA");
    plot_rule(&p, 100, PLOT_RED, "expired");
    plot_area(&p, drawn.low, drawn.high, drawn.ages, PLOT_BLUE);
    plot_line(&p, drawn.middle, drawn.ages, PLOT_BLUE);
    p = (struct plot){f, 50, 395, 730, 90, -OUTAGE_BEFORE_D, to, 0, most_of(drawn.requests, drawn.ages) * 1.1};
    plot_axes(&p, "The same: connections, looks for renewal information included", "days", "in six hours", 10);
    plot_shade(&p, 0, OUTAGE_DAYS, "no CA");
    plot_bars(&p, drawn.requests, drawn.ages, PLOT_ORANGE);

    for (unsigned i = 0; i < 3; i++) {
        double share[BINS];
        for (unsigned bin = 0; bin < BINS; bin++) {
            share[bin] = 100.0 * drawn.bin[i][bin] / (drawn.renewals[i] + 1);
        }
        p = (struct plot){f, 50 + 255.0 * i, 560, 220, 80, 0, 100, 0, 8};
        snprintf(title, sizeof title, "%u renewals at %s", drawn.renewals[i], lives[i]);
        plot_axes(&p, title, "% of the CA's window", "% of the renewals", 5);
        plot_bars(&p, share, BINS, PLOT_BLUE);
        plot_rule(&p, 100.0 / BINS, PLOT_GREY, "");
    }
    plot_end(f);
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
    bool whole = devices >= MANY;
    power_up();
    outage(90 * WORLD_DAY_S, true, "90 days", true);
    outage(160 * 3600, true, "6 days", false);
    recall();
    if (whole) {
        power_up_alone();
        outage(90 * WORLD_DAY_S, false, "90 days, no ARI", false);
        outage(45 * WORLD_DAY_S, true, "45 days", false);
        quiet(0, 90 * WORLD_DAY_S, "90 days", 365);
        quiet(1, 45 * WORLD_DAY_S, "45 days", 183);
    }
    quiet(2, 160 * 3600, "6 days", whole ? 60 : 15);
    if (argc > 2) {
        draw(argv[2]);
    }
    printf("1..%u\n", tests);
    return failed > 0;
}
