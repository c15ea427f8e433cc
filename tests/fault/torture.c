/* torture.c - every way the world can fail, one at a time: `torture` runs all dimensions, `torture rxcut` one, and
 * `torture rxcut:3412` one case, loudly. --at-most N: so many cases of each, evenly spread, fewer of what is played in other
 * scenes again. --jobs N.
 *
 * A case is an index into a dimension: scene by scene, point by point, kind by kind, as an honest run has counted them. */
#define _GNU_SOURCE 1
#include "judge.h"
#include "plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX 64
#define REPORTS  5 /* failed cases told of one dimension, unless --reports says otherwise */

static unsigned reports = REPORTS;
static struct trial trial;

/* Between the processes. */
static struct shared {
    unsigned cases, failed;
    struct tally tally[JOBS_MAX];
} * shared;

static unsigned kinds_of(const struct dimension *m)
{
    unsigned n = 0;
    while (m->kinds[n] != NULL) {
        n++;
    }
    return n;
}

static unsigned cases_in(const struct dimension *m, unsigned scene)
{
    return kinds_of(m) * m->size(trial_honest_of(&scenes[scene], m));
}

static unsigned cases_of(const struct dimension *m)
{
    unsigned sum = 0;
    for (unsigned scene = (unsigned)m->first_scene; scene <= (unsigned)m->last_scene; scene++) {
        sum += cases_in(m, scene);
    }
    return sum;
}

static bool play(const struct dimension *m, unsigned index)
{
    unsigned scene = (unsigned)m->first_scene;
    while (index >= cases_in(m, scene)) {
        index -= cases_in(m, scene++);
    }
    return trial_play(&trial, &scenes[scene], m, index / kinds_of(m), index % kinds_of(m));
}

static void tell(const struct dimension *m, unsigned index, bool good)
{
    printf("# %s:%u  scene %s, point %u, %s\n", m->name, index, trial.scene->name, trial.point, m->kinds[trial.kind]);
    printf("#   %s\n", good ? "all invariants hold" : judge_words);
    if (m->tell != NULL) {
        m->tell();
        return;
    }
    printf("#   exchange %u of this CA, tick %u, %u runs, %u boots, %.1f s virtual, last error %d at step %d\n",
           trial.d.ca.requests, trial.seen.ticks, trial.runs, trial.boots, (double)trial.virtual_ms / 1000,
           acme_failure(&trial.d.client)->error, acme_failure(&trial.d.client)->step);
}

static void tell_messages(void)
{
    for (unsigned i = 0; i < 2; i++) {
        printf("#   --- request\n%s\n#   --- answer\n%s\n", trial.message[(trial.d.ca.requests + i) % 2].request,
               trial.message[(trial.d.ca.requests + i) % 2].answer);
    }
}

static void work(const struct dimension *m, unsigned first, unsigned step, unsigned count, struct tally *sum)
{
    for (unsigned index = first; index < count; index += step) {
        bool good = play(m, index);
        if (m->add != NULL) {
            m->add(sum);
        }
        __atomic_add_fetch(&shared->cases, 1, __ATOMIC_RELAXED);
        if (!good && __atomic_add_fetch(&shared->failed, 1, __ATOMIC_RELAXED) <= reports) {
            tell(m, index, false);
            fflush(stdout);
        }
    }
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool have_common_factor(unsigned a, unsigned b)
{
    while (b != 0) {
        unsigned rest = a % b;
        a = b;
        b = rest;
    }
    return a > 1;
}

static void tell_tally(unsigned jobs)
{
    struct tally sum = {0};
    for (unsigned job = 0; job < jobs; job++) {
        const unsigned *from = (const unsigned *)&shared->tally[job];
        for (size_t i = 0; i < sizeof sum / sizeof(unsigned); i++) {
            ((unsigned *)&sum)[i] += from[i];
        }
    }
    printf("#   %u runs, %u requests, %u orders; certificates: %u made, %u used, %u lost by the CA or the device, %u "
           "wasted; "
           "validations: %u, %u in vain, %u of them for us\n",
           sum.runs, sum.requests, sum.orders, sum.made, sum.used, sum.lost, sum.wasted, sum.visits,
           sum.unreachable + sum.wasted_visits, sum.wasted_visits);
}

/* Runs one dimension in `jobs` processes. Returns how many cases failed, or processes died. */
static unsigned sweep(const struct dimension *m, unsigned jobs, unsigned at_most)
{
    unsigned count = cases_of(m), died = 0;
    at_most = m->thin > 0 ? (at_most + m->thin - 1) / m->thin : at_most;
    unsigned step = at_most > 0 && count > at_most ? (count + at_most - 1) / at_most : 1;
    while (step > 1 && have_common_factor(step, kinds_of(m))) { /* or a sample would miss some kinds */
        step++;
    }
    double began = now_s();
    *shared = (struct shared){0};
    fflush(stdout);
    for (unsigned job = 0; job < jobs; job++) {
        if (fork() == 0) {
            work(m, job * step, jobs * step, count, &shared->tally[job]);
            fflush(stdout);
            exit(0); /* not _exit: coverage counts are written on the way out */
        }
    }
    for (unsigned job = 0; job < jobs; job++) {
        int status = 0;
        wait(&status);
        died += status != 0;
    }
    static unsigned number;
    double took = now_s() - began;
    printf("%sok %u - %s: %u of %u cases, %u failed, %.1f s, %.0f/s\n", shared->failed + died > 0 ? "not " : "",
           ++number, m->name, shared->cases, count, shared->failed, took, shared->cases / (took > 0 ? took : 1));
    if (m->add != NULL) {
        tell_tally(jobs);
    }
    fflush(stdout);
    return shared->failed + died;
}

static const struct dimension *find(const char *name)
{
    for (unsigned i = 0; i < dimension_count; i++) {
        if (strncmp(name, dimensions[i]->name, strlen(dimensions[i]->name)) == 0 &&
            strchr(":", name[strlen(dimensions[i]->name)]) != NULL) {
            return dimensions[i];
        }
    }
    fprintf(stderr, "torture: no dimension %s; there are:", name);
    for (unsigned i = 0; i < dimension_count; i++) {
        fprintf(stderr, " %s", dimensions[i]->name);
    }
    fprintf(stderr, "\n");
    exit(2);
}

static bool one_case(const struct dimension *m, unsigned index)
{
    if (index >= cases_of(m)) {
        fprintf(stderr, "torture: %s has %u cases\n", m->name, cases_of(m));
        exit(2);
    }
    bool good = play(m, index);
    tell(m, index, good);
    if (m->tell == NULL) {
        tell_messages();
    }
    return good;
}

static void count_honest(enum trial_mode mode, const char *with)
{
    const struct dimension any = {.real_keys = mode == OWN_KEYS, .listens = mode == LISTENS};
    unsigned end = mode == LISTENS
                       ? SOLVERS
                       : SCENES; /* the responder is the same in both protocols, and beside other solvers */
    for (unsigned scene = 0; scene < end; scene++) {
        if (!trial_honest(&trial, (enum scene_name)scene, mode)) {
            printf("Bail out! an honest run fails: %s: %s\n", scenes[scene].name, judge_words);
            exit(1);
        }
        const struct honest *h = trial_honest_of(&scenes[scene], &any);
        printf("# %s, %s: %u requests, %u ticks, %u + %u bytes, %u network and %u store calls\n", scenes[scene].name,
               with, h->requests, h->ticks, h->sent, h->received, h->net, h->store);
    }
}

int main(int argc, char **argv)
{
    unsigned jobs = 2, at_most = 0, failed = 0;
    static char buffer[1u << 18]; /* a case is told at once, whatever other processes tell */
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    int at = 1;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        unsigned value = (unsigned)strtoul(argv[at + 1], NULL, 10);
        if (strcmp(argv[at], "--jobs") == 0) {
            jobs = value > 0 && value < JOBS_MAX ? value : 1;
        } else if (strcmp(argv[at], "--at-most") == 0) {
            at_most = value;
        } else if (strcmp(argv[at], "--reports") == 0) {
            reports = value;
        } else {
            fprintf(stderr, "usage: torture [--at-most N] [--jobs N] [--reports N] [DIMENSION[:INDEX]...]\n");
            return 2;
        }
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    plans_make();
    count_honest(FAST_KEYS, "fast keys");
    count_honest(OWN_KEYS, "own keys");
    count_honest(LISTENS, "own responder");
    for (unsigned i = 0; at == argc && i < dimension_count; i++) {
        failed += sweep(dimensions[i], jobs, at_most);
    }
    for (; at < argc; at++) {
        const struct dimension *m = find(argv[at]);
        const char *index = strchr(argv[at], ':');
        failed += index != NULL ? !one_case(m, (unsigned)strtoul(index + 1, NULL, 10)) : sweep(m, jobs, at_most);
    }
    return failed > 0;
}
