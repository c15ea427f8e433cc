/* challenge_tlsalpn01.c - see challenge_tlsalpn01.h. */
#include "challenge_tlsalpn01.h"

#include "../wire/address.h"
#include "../wire/out.h"
#include "../x509/alpn.h"

/* A visit of OPEN_MS is over in any case. When every slot is taken, others may be waiting, and then he loses his who has had the
 * word for longer than this: who has not called for a live name yet, PATIENCE_MS, halved with each who ends so, down to
 * HASTE_MS; who was shown a certificate, ANSWER_MS, halved with each who does not finish, down to ANSWER_LEAST_MS, for
 * whoever knows the name can do that. Both are as before when nobody has come for QUIET_MS.
 * A validator's first flight comes right behind its connection, and the second one way there and back later.
 * In haste it is as if every slot were taken: a stack without a queue drops whom it has no slot for, and who was dropped
 * comes again after seconds. */
#define OPEN_MS         10000u
#define QUIET_MS        1000u
#define PATIENCE_MS     512u
#define HASTE_MS        8u
#define ANSWER_MS       3000u
#define ANSWER_LEAST_MS 400u
#define LOOKS           2 /* for bytes, at least, and not all in one tick that lasted long */
#define PIECES          8 /* of what he says or takes, in one tick */

/* show() writes for acme_alpn_write(). */
typedef char acme_tlsalpn01_room[ACME_VISIT_CERTIFICATE_MAX == ACME_ALPN_CERTIFICATE_MAX ? 1 : -1];

/* --- names and certificates --- */

struct acme_slice acme_tlsalpn01_host(char text[ACME_ARPA_MAX], const char *name)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t address[ACME_ADDRESS_MAX];
    const int len = acme_address_parse(acme_slice_of(name), address);
    struct acme_out o;

    if (len == 0) {
        return acme_slice_of(name);
    }
    acme_out_init(&o, text, ACME_ARPA_MAX);
    for (int i = len; i-- > 0;) {
        if (len == 4) {
            acme_out_u32(&o, address[i]);
        } else {
            acme_out_bytes(&o, &hex[address[i] & 15], 1);
            acme_out_text(&o, ".");
            acme_out_bytes(&o, &hex[address[i] >> 4], 1);
        }
        acme_out_text(&o, ".");
    }
    acme_out_text(&o, len == 4 ? "in-addr.arpa" : "ip6.arpa");
    return acme_slice(text, o.len);
}

/* True when this name is called for: in any case, with a dot behind or without. */
static bool is_called(const char *name, struct acme_slice sni)
{
    char text[ACME_ARPA_MAX];

    sni.len -= sni.len > 0 && sni.at[sni.len - 1] == '.' ? 1 : 0;
    return acme_slice_is_nocase(sni, acme_tlsalpn01_host(text, name));
}

/* The slot that is looked at. */
static unsigned in_hand(const struct acme_tlsalpn01 *t)
{
    return ACME_TLSALPN01_SLOTS > 1 ? t->next : 0;
}

/* For the visitor whose slot is looked at. */
static int show(void *ctx, const char *name, uint8_t *buf)
{
    struct acme_tlsalpn01 *t = ctx;

    for (struct acme_tlsalpn01_live *live = t->live; live < t->live + ACME_NAMES_MAX; live++) {
        if (live->challenge != NULL && is_called(live->challenge->name, acme_slice_of(name))) {
            t->slots[in_hand(t)].shown = live->challenge;
            return acme_alpn_write(buf, live->challenge, &t->host.key, live->signature, false);
        }
    }
    return 0;
}

/* --- slots --- */

static void be_patient(struct acme_tlsalpn01 *t)
{
    t->grace_ms[false] = PATIENCE_MS;
    t->grace_ms[true] = ANSWER_MS;
}

static void free_slot(struct acme_tlsalpn01 *t, unsigned i)
{
    struct acme_tlsalpn01_slot *s = &t->slots[i];

    t->listener->close(t->listener->ctx, i);
    s->taken = false;
    t->taken--;
    if (s->visit.done) {
        t->answered++;
    } else {
        uint16_t *grace_ms = &t->grace_ms[s->shown != NULL];
        uint16_t least_ms = s->shown != NULL ? ANSWER_LEAST_MS : HASTE_MS;
        *grace_ms = *grace_ms / 2 > least_ms ? *grace_ms / 2 : least_ms;
    }
}

static bool fill_slot(struct acme_tlsalpn01 *t, unsigned i, uint32_t now_ms)
{
    struct acme_tlsalpn01_slot *s = &t->slots[i];

    if (t->listener->accept(t->listener->ctx, i) != 1) {
        if (now_ms - t->came_ms >= QUIET_MS) {
            be_patient(t);
        }
        return false;
    }
    s->taken = true;
    t->taken++;
    s->looks = 0;
    s->shown = NULL;
    s->opened_ms = s->since_ms = t->came_ms = now_ms;
    if (acme_visit_start(&s->visit, &t->host) != 0) {
        free_slot(t, i);
    }
    return true;
}

/* He has had the word for longer than he may, and others want the slot, or may. */
static bool is_over(const struct acme_tlsalpn01 *t, const struct acme_tlsalpn01_slot *s, uint32_t now_ms)
{
    uint32_t grace_ms = t->grace_ms[s->shown != NULL];
    return s->looks >= LOOKS && now_ms - s->since_ms >= grace_ms &&
           (t->taken == ACME_TLSALPN01_SLOTS || grace_ms == HASTE_MS);
}

/* Goes on with a visit. Returns true when something moved. What the visitor says earns him nothing, anybody can drip bytes; what
 * he takes gives him the word anew. */
static bool serve_slot(struct acme_tlsalpn01 *t, unsigned i, uint32_t now_ms)
{
    struct acme_tlsalpn01_slot *s = &t->slots[i];
    int moved = 1;
    bool any = false;

    for (unsigned n = 0; n < PIECES && moved > 0 && !t->worked; n++) {
        moved = acme_visit_pump(&s->visit, t->listener, i);
        t->worked = s->visit.worked;
        s->since_ms = s->visit.took ? now_ms : s->since_ms;
        any = any || moved != 0;
    }
    s->looks = s->looks < LOOKS ? (uint8_t)(s->looks + 1) : LOOKS;
    if (moved < 0 || now_ms - s->opened_ms >= OPEN_MS || is_over(t, s, now_ms)) {
        free_slot(t, i);
        return true;
    }
    return any;
}

/* --- the solver --- */

/* Only who could be heard in this tick is judged: others' public-key operations are not his fault. */
static bool tlsalpn01_tick(void *ctx, uint32_t now_ms)
{
    struct acme_tlsalpn01 *t = ctx;
    bool moved = t->worked; /* of present(), which goes on */

    t->worked = false;
    for (unsigned n = 0; n < ACME_TLSALPN01_SLOTS && t->count > 0 && !t->worked; n++) {
        unsigned i = in_hand(t);
        moved = (t->slots[i].taken ? serve_slot(t, i, now_ms) : fill_slot(t, i, now_ms)) || moved;
        t->next = (uint8_t)((t->next + 1u) % ACME_TLSALPN01_SLOTS);
    }
    return moved;
}

/* The place of this challenge; NULL for one that is free. Returns NULL when there is none. */
static struct acme_tlsalpn01_live *find(struct acme_tlsalpn01 *t, const struct acme_challenge *challenge)
{
    for (size_t i = 0; i < ACME_NAMES_MAX; i++) {
        if (t->live[i].challenge == challenge) {
            return &t->live[i];
        }
    }
    return NULL;
}

/* One public-key operation a tick: the key, then a signature for each name. */
static int tlsalpn01_present(void *ctx, struct acme_challenge *challenge)
{
    struct acme_tlsalpn01 *t = ctx;
    struct acme_tlsalpn01_live *live = find(t, NULL);
    uint8_t scratch[ACME_ALPN_CERTIFICATE_MAX];
    int done = t->listener->start(t->listener->ctx);

    if (done != 1 || find(t, challenge) != NULL) {
        return done;
    }
    if (live == NULL) {
        return ACME_E_SOLVER;
    }
    if (t->worked) {
        return 0;
    }
    t->worked = true;
    if (!t->key.ready) {
        return t->host.key.ops->generate(&t->key, t->host.sys);
    }
    done = acme_alpn_write(scratch, challenge, &t->host.key, live->signature, true);
    if (done != 0) {
        return done;
    }
    live->challenge = challenge;
    t->count++;
    return 1;
}

/* Who was shown its certificate has to come again; with the last one nobody is listened to any more. */
static void tlsalpn01_withdraw(void *ctx, struct acme_challenge *challenge)
{
    struct acme_tlsalpn01 *t = ctx;
    struct acme_tlsalpn01_live *live = find(t, challenge);

    if (live != NULL) {
        live->challenge = NULL;
        t->count--;
    }
    for (unsigned i = 0; i < ACME_TLSALPN01_SLOTS; i++) {
        struct acme_tlsalpn01_slot *s = &t->slots[i];
        if (s->taken && (t->count == 0 || s->shown == challenge)) {
            free_slot(t, i);
        }
    }
    if (t->count == 0) {
        t->listener->stop(t->listener->ctx);
        acme_key_p256_wipe(&t->key);
        t->worked = false;
    }
}

int acme_tlsalpn01_init_sized(struct acme_tlsalpn01 *t, size_t size, const struct acme_listener *listener,
                              const struct acme_sys *sys)
{
    if (size != sizeof(*t)) {
        return ACME_E_SIZE;
    }
    memset(t, 0, sizeof(*t));
    t->listener = listener;
    t->host = (struct acme_visit_host){sys, {&acme_key_p256_ops, &t->key}, show, t};
    t->solver.ctx = t;
    t->solver.type = "tls-alpn-01";
    t->solver.present = tlsalpn01_present;
    t->solver.withdraw = tlsalpn01_withdraw;
    t->solver.tick = tlsalpn01_tick;
    be_patient(t);
    return 0;
}
