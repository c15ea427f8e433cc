/* soak.c - ten years of one device in virtual time, with certificates of 90, 64, 45 and 6 days, with and without renewal
 * information: one exchange in five fails, the CA is away for 30 days, its root changes a week before the device's anchors
 * do, and every week the device is switched off and on. `soak [years [plot.svg]]`.
 *
 * Signatures are real, and verified, but made by OpenSSL: tests/fault/fastkey.h. */
#include "plot.h"
#include "world.h"

#include "fault/fastkey.h"
#include "fault/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIVES     4
#define YEAR_S    31557600LL
#define OUTAGE_S  (30LL * WORLD_DAY_S)
#define ANCHORS_S (7LL * WORLD_DAY_S)
#define RETRY_S   (WORLD_DAY_S * 11 / 10) /* no attempt comes later than this after the one before */
#define USES      2000
#define WRITES    10000

static const int64_t lives_s[LIVES] = {90 * WORLD_DAY_S, 64 * WORLD_DAY_S, 45 * WORLD_DAY_S, 160 * 3600};
static const char *const names[LIVES] = {"90 d", "64 d", "45 d", "6 d"};

static struct track {
    struct world_use use[USES];
    unsigned uses;
    unsigned weeks[530]; /* requests in each */
} tracks[LIVES];

static struct track *track;
static unsigned tests, failed;

static void keep_use(struct world *w, const struct actor *a, const struct world_use *use)
{
    if (track->uses < USES) {
        track->use[track->uses++] = *use;
    }
}

static void result(bool good, const char *what)
{
    printf("%sok %u - %s\n", good ? "" : "not ", ++tests, what);
    failed += !good;
}

/* Seconds with a certificate that had ended, and of them those in which the CA had been there for so long that three
 * attempts failed: one in five or so does. */
static void count_expired(const struct world *w, int64_t *expired_s, int64_t *needless_s)
{
    *expired_s = *needless_s = 0;
    for (unsigned i = 0; i < track->uses; i++) {
        const struct world_use *u = &track->use[i];
        for (int64_t t = u->to - MAKER_NOW; t < u->end_s; t += 60) {
            *expired_s += 60;
            *needless_s += world_was_away(w, t - 3 * RETRY_S, t) ? 0 : 60;
        }
    }
}

/* How long a certificate may have ended because the CA was away: what was left of it when renewal fell due is half its life or
 * a third, less half the width of a window; and three attempts afterwards. */
static int64_t excused_s(const struct world_plan *plan, int64_t away_s)
{
    int64_t life_s = plan->life_s, left_s = (life_s < 10 * WORLD_DAY_S ? life_s / 2 : life_s / 3);
    int64_t over_s = away_s - left_s + (plan->ari ? life_s / 100 : 0);
    return over_s > 0 ? over_s + 3 * RETRY_S : 0;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One device. The outage is in the fourth tenth of the time, the other root in the sixth. */
static void soak(unsigned life, bool ari, unsigned years)
{
    static struct world w;
    int64_t all_s = (int64_t)years * YEAR_S, outage_s = all_s * 3 / 10 + 11 * WORLD_DAY_S, root_s = all_s * 11 / 20;
    struct world_plan plan = {.devices = 1,
                              .life_s = lives_s[life],
                              .ari = ari,
                              .fail_percent = 20,
                              .reboot_s = 7 * WORLD_DAY_S,
                              .span = {{outage_s * 1000, (outage_s + OUTAGE_S) * 1000, ACME_E_REFUSED},
                                       {root_s * 1000, (root_s + ANCHORS_S) * 1000, ACME_E_TLS_UNTRUSTED}}};
    char what[200];
    int64_t expired_s, needless_s;
    double began = seconds();
    track = &tracks[life];
    memset(track, 0, sizeof *track);
    dice_seed(life * 2 + ari + 1);
    snprintf(what, sizeof what, "%s, ARI %s", names[life], ari ? "on" : "off");
    if (setjmp(judge_end) != 0) {
        printf("#   %s\n", judge_words);
        result(false, what);
        return;
    }
    world_begin(&w, &plan);
    w.used = keep_use;
    world_run(&w, all_s * 1000);
    const struct actor *a = &w.actors[0];
    struct world_use last = a->use;
    last.end_s = all_s;
    keep_use(&w, a, &last);
    for (unsigned m = 0; m < all_s / 60 && m < WORLD_MINUTES; m++) {
        track->weeks[m / (7 * 1440)] += w.minutes[m];
    }
    count_expired(&w, &expired_s, &needless_s);
    double took = seconds() - began;
    printf("# %-4s %-3s %5u certificates, %.2f orders each; a year: %4.0f looks, %4.0f handshakes, %4.0f requests, "
           "of which "
           "%.1f %% failed; %4u writes, %.1f each; expired %4.1f d; %u account; %.1f s\n",
           names[life], ari ? "ARI" : "-", w.sum.certificates, (double)w.sum.orders / w.sum.certificates,
           (double)w.sum.looks / years, (double)w.sum.handshakes / years, (double)w.sum.exchanges / years,
           100.0 * w.sum.failed / (w.sum.exchanges + 1), w.sum.writes, (double)w.sum.writes / w.sum.certificates,
           (double)expired_s / WORLD_DAY_S, w.sum.accounts, took);
    bool good = needless_s == 0 && expired_s <= excused_s(&plan, OUTAGE_S) + excused_s(&plan, ANCHORS_S) &&
                w.sum.writes < WRITES / 10 * years && w.sum.accounts == 1 && w.sum.certificates > 0 &&
                w.sum.orders * 10 <= w.sum.certificates * 12 + 10;
    snprintf(what, sizeof what,
             "%u years of %s certificates, ARI %s: %.1f days expired, by the outages; %u writes, %u account", years,
             names[life], ari ? "on" : "off", (double)expired_s / WORLD_DAY_S, w.sum.writes, w.sum.accounts);
    result(good, what);
    world_end(&w);
}

static void draw(const char *path, unsigned years)
{
    int height = 150;
    FILE *f = plot_begin(path, 800, LIVES * 2 * height + 20, "Ten years of one device");
    if (f == NULL) {
        perror(path);
        failed++;
        return;
    }
    for (unsigned life = 0; life < LIVES; life++) {
        char title[100];
        double per_week[530], most = 1;
        unsigned weeks = (unsigned)(years * YEAR_S / (7 * WORLD_DAY_S));
        struct plot p = {f, 60, 40 + 2.0 * height * life, 720, height - 70, 0, years, 0, 125};
        snprintf(title, sizeof title, "Certificates of %s: their age when they were replaced", names[life]);
        plot_axes(&p, title, "years", "% of life", 10);
        double outage = years * 0.3 + 11.0 * WORLD_DAY_S / YEAR_S, root = years * 0.55;
        plot_shade(&p, outage, outage + (double)OUTAGE_S / YEAR_S, "CA away");
        plot_shade(&p, root, root + (double)ANCHORS_S / YEAR_S, "another root");
        plot_rule(&p, 100, PLOT_RED, "expired");
        track = &tracks[life];
        for (unsigned i = 0; i + 1 < track->uses; i++) {
            const struct world_use *u = &track->use[i];
            plot_dot(&p, (double)u->end_s / YEAR_S,
                     100.0 * (double)(u->end_s + MAKER_NOW - u->from) / (double)(u->to - u->from), PLOT_BLUE);
        }
        for (unsigned i = 0; i < weeks; i++) {
            per_week[i] = track->weeks[i];
            most = per_week[i] > most ? per_week[i] : most;
        }
        p = (struct plot){f, 60, 40 + 2.0 * height * life + height, 720, height - 70, 0, years, 0, most};
        plot_axes(&p, "Requests", "years", "a week", 10);
        plot_bars(&p, per_week, weeks, PLOT_ORANGE);
    }
    plot_end(f);
}

int main(int argc, char **argv)
{
    unsigned years = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10;
    printf("1..%u\n", 2 * LIVES);
    for (unsigned life = 0; life < LIVES; life++) {
        soak(life, false, years);
        soak(life, true, years);
    }
    if (argc > 2) {
        draw(argv[2], years);
    }
    return failed > 0;
}
