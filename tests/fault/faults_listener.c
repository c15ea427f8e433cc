/* faults_listener.c - validators and others at the client's own http-01 responder. */
#include "plans.h"
#include "visitors.h"

/* --- listener: how they behave. The point is a seed; whatever they do, the run itself gets its certificate. --- */

static const char *const crowds[] = {"bytewise", "split", "slow", "sixteen", "silent-strangers", "garbage",
                                     "curious",  "leave", "deaf", "drip",    "all-at-once",      NULL};

static unsigned seeds(const struct honest *honest)
{
    return 50;
}

static const char *const sayings[] = {
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET %s/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET %s?a HTTP/1.1\r\n\r\n",
    "GET %t HTTP/1.1\r\n\r\n",
    "GET %tx HTTP/1.1\r\n\r\n",
    "HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST %s HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    "GET http://a.example%s HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "GET /.well-known/acme-challenge/ HTTP/1.1\r\n\r\n",
    "GET /.well-known/acme-challenge/../../etc/passwd HTTP/1.1\r\n\r\n",
    "\x16\x03\x01\x02\x01\x01\xfc\x03\x03\x80\x7f\xff\r\n\r\n",
    "\r\n\r\n\r\n",
    "\xff\xfe\xfd\n\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET %s HTTP/1.1\r\nHost: x\r\n",
    "G",
};
#define CURIOUS 10 /* of them speak HTTP */

static void invite(struct trial *t)
{
    uint64_t mix = trial_mix(t->point);
    unsigned small = 1 + (unsigned)(mix >> 60);
    struct crowd c = {.validators = 3, .validator = {.piece = 1000}, .stranger = {.piece = 1000}, .seed = t->point};
    c.sayings = sayings;
    c.saying_count = LEN(sayings);
    switch (t->kind) {
    case 0:
        c.validator.piece = 1;
        break;
    case 1:
        c.validator = (struct manner){.piece = small * 7, .pause_ms = small};
        break;
    case 2:
        c.validator = (struct manner){.piece = 8, .pause_ms = 50 + (unsigned)(mix >> 32) % 100};
        break;
    case 3:
        c.validators = 16;
        break;
    case 4:
        c.strangers = 4 + small * 4;
        c.stranger.silent_at = 1 + (unsigned)(mix >> 32) % 40;
        break;
    case 5:
    case 6:
        c.strangers = 20 + small;
        c.stranger = (struct manner){.piece = small, .pause_ms = t->point % 20};
        c.saying_count = t->kind == 6 ? CURIOUS : c.saying_count;
        break;
    case 7:
        c.strangers = 20 + small;
        c.stranger = (struct manner){.piece = small, .leaves = true};
        break;
    case 8:
        c.strangers = 4 + small;
        c.stranger = (struct manner){.piece = 1000, .deaf = true};
        break;
    case 9:
        c.strangers = 12 + small;
        c.stranger = (struct manner){.piece = 1, .pause_ms = 450};
        break;
    default:
        c.validators = t->scene->plan.name_count > 2 ? 5 : 16; /* of each name; CAs have five */
        c.validator = (struct manner){.piece = small, .pause_ms = t->point % 8};
        c.strangers = 40;
        c.stranger = (struct manner){.piece = small, .pause_ms = 100, .silent_at = 1 + (unsigned)(mix >> 32) % 60};
    }
    visitors_invite(&c);
    t->extra[0] = c.strangers;
    t->fired = true;
}

/* How long the CA may have to wait. Of all names the validators come at once, three of each and more, and slow ones need a
 * slot for up to 8 s. Who has waited for one for 10 s goes, and comes again 5 s later. */
static bool in_time(struct trial *t)
{
    static const uint32_t most_ms[] = {350, 3000, 10000, 1000, 4000, 4000, 4000, 4000, 4000, 4000, 20000};
    unsigned names = t->scene->plan.name_count;
    uint32_t most = most_ms[t->kind];
    if (t->kind == 0) {
        most *= names;
    } else if (t->kind == 2 || t->kind == 10) {
        most += 15000 * ((3 * names - 1) / ACME_HTTP01_SLOTS);
    }
    assert_true(visitors_waited_ms() <= most);
    return false;
}

/* --- crowd: so many want to keep the CA's validators out, at any pace, and come back at once. The point says how. --- */

static const char *const numbers[] = {"8", "40", "200", NULL};

static const char *const openings[] = {
    "GET / HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "GET /.well-known/acme-challenge/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "GET %t",
    "GET http://a.exampleeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee%t",
    "GET %tx HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
static const uint32_t paces_ms[] = {100, 300, 1000, 5000, 15, 60};
static const struct {
    bool leaves, deaf;
    size_t burst, silent_at;
} ways[] = {{.burst = 0},
            {.burst = 32},
            {.burst = 73},
            {.silent_at = 1},
            {.burst = 300, .deaf = true},
            {.burst = 30, .leaves = true}};

static unsigned ways_to_come(const struct honest *honest)
{
    return 2 * LEN(openings) * LEN(paces_ms) * LEN(ways);
}

static void invite_crowd(struct trial *t)
{
    static const unsigned strangers[] = {8, 40, 200};
    unsigned at = t->point / 2;
    struct crowd c = {
        .validators = t->point % 2 == 0 ? 4 : 16, .validator = {.piece = 1000}, .hot = true, .strict = true};
    c.strangers = strangers[t->kind];
    c.sayings = &openings[at % LEN(openings)];
    c.saying_count = 1;
    at /= LEN(openings);
    c.stranger = (struct manner){.piece = 1, .pause_ms = paces_ms[at % LEN(paces_ms)]};
    at /= LEN(paces_ms);
    c.stranger.burst = ways[at].burst;
    c.stranger.silent_at = ways[at].silent_at;
    c.stranger.deaf = ways[at].deaf;
    c.stranger.leaves = ways[at].leaves;
    c.spread_ms = (unsigned)(trial_mix(t->point) >> 32) % 4000;
    visitors_invite(&c);
    t->fired = true;
}

static bool soon(struct trial *t)
{
    assert_true(visitors_stayed_ms() <= 8000);
    return false;
}

/* --- listencut, listenlost: the validators' connections end, stop or halt for a moment at every place in what is said and
 * heard. The CA asks again; or it does not, and the order is lost. --- */

static const char *const cuts[] = {"rst", "fin", "stall", "pause", NULL};
static const char *const losses[] = {"rst", NULL};

static unsigned visited(const struct honest *honest)
{
    return honest->visited;
}

static void cut(struct trial *t)
{
    static const enum visit_end ends[] = {VISIT_RST, VISIT_FIN, VISIT_STALL, VISIT_PAUSE};
    struct crowd c = {.validators = 3, .validator = {.piece = 1000}, .end_at = t->point, .end = ends[t->kind]};
    c.strict = !t->dimension->one_run;
    visitors_invite(&c);
    t->fired = true;
}

/* --- listentick: power off, or acme_stop(), after every tick, with validators under way --- */

static const char *const tick_kinds[] = {"power", "stop", NULL};

static unsigned ticks(const struct honest *honest)
{
    return honest->ticks;
}

static bool listentick(struct trial *t)
{
    if (t->seen.ticks != t->point + 1) {
        return false;
    }
    t->over = true;
    if (t->kind == 1) {
        trial_stop_and_start(t);
    }
    return t->kind == 0;
}

/* --- the dimensions --- */

const struct dimension dimension_listener = {
    "listener", crowds, seeds, NULL, in_time, invite, .last_scene = EIGHT, .listens = true, .one_run = true};
const struct dimension dimension_crowd = {"crowd", numbers,      ways_to_come,    NULL,
                                          soon,    invite_crowd, .listens = true, .one_run = true};
const struct dimension dimension_listencut = {
    "listencut", cuts, visited, .prepare = cut, .last_scene = THREE, .listens = true, .one_run = true};
const struct dimension dimension_listenlost = {"listenlost",        losses,          visited,          .prepare = cut,
                                               .last_scene = THREE, .listens = true, .spare_orders = 1};
const struct dimension dimension_listentick = {"listentick",        tick_kinds,     ticks, .after_tick = listentick,
                                               .last_scene = THREE, .listens = true};
