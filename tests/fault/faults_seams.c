/* faults_seams.c - connections that do not come about, keys that fail, and faults in two seams at once. */
#include "plans.h"

/* --- connect: what becomes of connection number n, as a port goes through a host's addresses. A silent one takes it 15 s.
 * The client sees "not yet" and how it ends; it gives up by itself after ACME_NET_TIMEOUT_MS. --- */

#define SILENT 15000u
#define ONE_MS 1u
#define EVER   UINT32_MAX

static const struct address_list {
    uint32_t silent_ms;
    int end; /* DEVICE_GO: connected */
} address_lists[] = {{0, ACME_E_HOST},         {10000, ACME_E_HOST},     {ONE_MS, DEVICE_GO},
                     {10000, DEVICE_GO},       {0, ACME_E_REFUSED},      {SILENT, DEVICE_GO},
                     {SILENT, ACME_E_REFUSED}, {2 * SILENT, DEVICE_GO},  {3 * SILENT - 500, DEVICE_GO},
                     {4 * SILENT, DEVICE_GO},  {SILENT, ACME_E_TIMEOUT}, {0, ACME_E_UNREACHABLE},
                     {0, ACME_E_NET},          {EVER, DEVICE_GO}};

static const char *const connect_kinds[] = {"no-such-name",
                                            "name-server-slow,no-such-name",
                                            "not-now-once",
                                            "name-server-slow,good",
                                            "refused",
                                            "silent,good",
                                            "silent,refused",
                                            "silent,silent,good",
                                            "silent,silent,just-in-time",
                                            "silent,silent,silent,too-late",
                                            "silent",
                                            "unreachable",
                                            "no-socket",
                                            "for-ever",
                                            NULL};

static unsigned connections(const struct honest *honest)
{
    return honest->connects;
}

static int attempt(struct trial *t)
{
    const struct address_list *list = &address_lists[t->kind];
    uint32_t since_ms = t->d.client.channel.moved_ms;
    t->fired = true;
    return t->d.now_ms - since_ms < list->silent_ms ? 0 : list->end;
}

static int connect_once(struct trial *t, enum device_seam seam, size_t *len)
{
    return seam == DEVICE_CONNECT && t->number == t->point ? attempt(t) : DEVICE_GO;
}

/* From there on, until the run has given up. */
static int offline(struct trial *t, enum device_seam seam, size_t *len)
{
    return seam == DEVICE_CONNECT && t->number >= t->point ? attempt(t) : DEVICE_GO;
}

/* --- keyfail: an operation of a key fails, as in a secure element; or all from there on, until the run has given up --- */

static const char *const key_kinds[] = {"once", "on", NULL};

static unsigned key_calls(const struct honest *honest)
{
    return honest->keys;
}

static int key_error(enum device_seam seam)
{
    return seam == DEVICE_KEY_IMPORT ? ACME_E_KEY_CORRUPT : ACME_E_KEY;
}

static int keyfail(struct trial *t, enum device_seam seam, size_t *len)
{
    if (seam < DEVICE_KEY_POINT || (t->kind == 0 ? t->number != t->point : t->number < t->point)) {
        return DEVICE_GO;
    }
    t->fired = true;
    return key_error(seam);
}

/* --- solver: a call of present() fails, or all from there on; it declines from there on; it takes two minutes --- */

static const char *const solver_kinds[] = {"once", "on", "declines", "slow", NULL};

static unsigned presents(const struct honest *honest)
{
    return honest->solvers;
}

static int solver(struct trial *t, enum device_seam seam, size_t *len)
{
    if (seam != DEVICE_PRESENT || (t->kind == 0 ? t->number != t->point : t->number < t->point)) {
        return DEVICE_GO;
    }
    t->extra[0] = t->fired ? t->extra[0] : t->d.now_ms;
    t->fired = true;
    return t->kind < 2                          ? ACME_E_SOLVER
           : t->kind == 2                       ? ACME_E_DECLINED
           : t->d.now_ms - t->extra[0] < 120000 ? 0
                                                : DEVICE_GO;
}

/* --- seampair: a call of one seam fails, and later or sooner one of another. The point is a seed. --- */

static const char *const once[] = {"once", NULL};

enum seam_class { NET, CONNECT, STORE, RANDOM, CLOCK, SOLVER, KEY, CLASSES };

#define PAIRS 4000

static unsigned pairs(const struct honest *honest)
{
    return PAIRS;
}

static enum seam_class class_of(enum device_seam seam)
{
    return seam <= DEVICE_RECV        ? NET
           : seam == DEVICE_CONNECT   ? CONNECT
           : seam == DEVICE_RANDOM    ? RANDOM
           : seam == DEVICE_UTC       ? CLOCK
           : seam == DEVICE_PRESENT   ? SOLVER
           : seam >= DEVICE_KEY_POINT ? KEY
                                      : STORE;
}

/* extra: class, number of the call and fault, twice. */
static void draw_pair(struct trial *t)
{
    const struct honest *h = trial_honest_of(t->scene, t->dimension);
    const unsigned calls[CLASSES] = {h->net, h->connects, h->store, h->random, h->utc, h->solvers, h->keys};
    uint64_t mix = trial_mix(t->point), more = trial_mix(t->point + 1000003u);
    t->extra[0] = (unsigned)(mix >> 58) % CLASSES;
    t->extra[3] = (t->extra[0] + 1 + (unsigned)(mix >> 52 & 63) % (CLASSES - 1)) % CLASSES;
    for (unsigned i = 0; i < 2; i++, mix >>= 16, more >>= 16) {
        unsigned all = calls[t->extra[3 * i]];
        t->extra[3 * i + 1] = (unsigned)(mix >> 16 & 0xffff) % (all > 0 ? all : 1);
        t->extra[3 * i + 2] = (unsigned)(more >> 16 & 0xffff);
    }
}

static int pair_fault(struct trial *t, enum device_seam seam, unsigned draw)
{
    static const int net[] = {ACME_E_CLOSED, ACME_E_NET, ACME_E_TIMEOUT, ACME_E_TLS_RECORD};
    static const int connecting[] = {ACME_E_HOST, ACME_E_REFUSED, ACME_E_TIMEOUT, ACME_E_UNREACHABLE};
    if (draw % 5 == 4) {
        trial_power_off(t);
    }
    switch (class_of(seam)) {
    case NET:
        return net[draw / 5 % LEN(net)];
    case CONNECT:
        return connecting[draw / 5 % LEN(connecting)];
    case STORE: /* what has taken effect has not failed */
        if (seam == DEVICE_GET) {
            trial_cache_lost(t);
        }
        return seam == DEVICE_GET                                     ? ACME_E_STORE_READ
               : seam >= DEVICE_COMMIT_ORDER && seam <= DEVICE_STORED ? DEVICE_GO
                                                                      : ACME_E_STORE_WRITE;
    case RANDOM:
        return ACME_E_RANDOM;
    case CLOCK:
        return draw & 64 ? 0 : ACME_E_CLOCK;
    case SOLVER: /* who declines has the list of challenges read again at once, which is no poll */
        t->retry_after_ms = 0;
        return draw & 64 ? ACME_E_DECLINED : ACME_E_SOLVER;
    case KEY: /* a key that cannot be read leads to another order: keyfail */
    case CLASSES:
        break;
    }
    return seam == DEVICE_KEY_IMPORT ? DEVICE_GO : key_error(seam);
}

static int seampair(struct trial *t, enum device_seam seam, size_t *len)
{
    for (unsigned i = 0; i < 6; i += 3) {
        if (t->extra[i] == (unsigned)class_of(seam) && t->number == t->extra[i + 1]) {
            t->fired = true;
            return pair_fault(t, seam, t->extra[i + 2]);
        }
    }
    return DEVICE_GO;
}

/* --- the dimensions --- */

const struct dimension dimension_connect = {"connect",    connect_kinds,       connections,
                                            connect_once, .last_scene = THREE, .one_run = true};
const struct dimension dimension_offline = {"offline", connect_kinds, connections, offline, .last_scene = THREE};
const struct dimension dimension_keyfail = {"keyfail", key_kinds,           key_calls,
                                            keyfail,   .last_scene = THREE, .spare_orders = 1};
const struct dimension dimension_solver = {"solver", solver_kinds,           presents,
                                           solver,   .first_scene = SOLVERS, .last_scene = SOLVERS};
const struct dimension dimension_seampair = {
    "seampair", once, pairs, seampair, .prepare = draw_pair, .last_scene = THREE, .twice = true, .two_runs = true};
