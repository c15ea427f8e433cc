/* rfc2136.c - see rfc2136.h. One exchange at a time: find the zone, change the record, watch for it at other servers. */
#include "rfc2136.h"

#if ACME_CFG_CHOICE

#define PORT    53
#define TTL_S   60
#define ALIASES 8
#define TRIES   4     /* of a question                                  */
#define TRY_MS  3000u /* for an answer to one, and before a further try  */
#define WATCH_S 60

/* --- words --- */

static void begin_words(struct acme_rfc2136 *r, struct acme_out *o)
{
    acme_out_init(o, r->words, sizeof(r->words) - 1);
}

/* What did not fit is left out whole. */
static void end_words(struct acme_rfc2136 *r, const struct acme_out *o)
{
    r->words[o->len] = '\0';
}

/* Says two times, which a person has to compare. */
static void say_clocks(struct acme_rfc2136 *r, int64_t theirs, int64_t ours)
{
    struct acme_out o;
    begin_words(r, &o);
    acme_out_text(&o, "seconds since 1970: its clock ");
    acme_out_u32(&o, (uint32_t)theirs);
    acme_out_text(&o, ", ours ");
    acme_out_u32(&o, (uint32_t)ours);
    end_words(r, &o);
}

/* Says which record was meant, and in which zone. */
static void say_record(struct acme_rfc2136 *r)
{
    struct acme_out o;
    begin_words(r, &o);
    acme_dns_out_text(&o, r->record.at);
    if (r->apex < r->record.len) {
        acme_out_text(&o, " in ");
        acme_dns_out_text(&o, r->record.at + r->apex);
    }
    end_words(r, &o);
}

static void say_late(struct acme_rfc2136 *r)
{
    struct acme_out o;
    begin_words(r, &o);
    acme_out_text(&o, "not shown yet by ");
    acme_out_text(&o, r->zone->watch[r->watched]);
    end_words(r, &o);
}

/* --- asking --- */

static void ask(struct acme_rfc2136 *r, enum acme_rfc2136_work work)
{
    r->work = work;
    r->tries = 0;
    r->hint = 0;
    r->sent = false;
    r->since_ms = r->now_ms;
    r->zone->udp->close(r->zone->udp->ctx);
}

#if ACME_CFG_DNS_DRAFTS
static bool is_by_account(const struct acme_challenge *challenge)
{
    return strcmp(challenge->type, ACME_DNSACCOUNT01_TYPE) == 0;
}

static const char *label_of(const struct acme_rfc2136 *r)
{
    return r->entry->by_account ? r->label : ACME_DNS01_LABEL;
}

static void keep_label(struct acme_rfc2136 *r, struct acme_rfc2136_entry *e, const struct acme_challenge *challenge)
{
    e->by_account = is_by_account(challenge);
    if (e->by_account) { /* all of a run are of one account */
        acme_dnsaccount01_label(challenge->account, r->label);
    }
}

static void keep_found(struct acme_rfc2136 *r)
{
    r->found = r->entry->name;
    r->found_account = r->entry->by_account;
}

/* The place of the entry in hand is known. */
static bool is_found(const struct acme_rfc2136 *r)
{
    return r->found != NULL && strcmp(r->found, r->entry->name) == 0 && r->found_account == r->entry->by_account;
}

static void add_account(struct acme_rfc2136 *r)
{
    r->account = r->solver;
    r->account.type = ACME_DNSACCOUNT01_TYPE;
}
#else
#define label_of(r)                 ACME_DNS01_LABEL
#define keep_label(r, e, challenge) ((void)0)
#define keep_found(r)               ((void)((r)->found = (r)->entry->name))
#define is_found(r)                 ((r)->found != NULL && strcmp((r)->found, (r)->entry->name) == 0)
#define add_account(r)              ((void)0)
#endif

/* The name that is written, before aliases are followed. */
static bool begin_record(struct acme_rfc2136 *r)
{
    const char *own = r->zone->record;
    return acme_dns_name_make(&r->record, own != NULL ? "" : label_of(r), own != NULL ? own : r->entry->name);
}

/* Where the zone that was named begins in it. */
static int begin_apex(struct acme_rfc2136 *r)
{
    struct acme_dns_name zone;
    if (!acme_dns_name_make(&zone, "", r->zone->zone)) {
        return ACME_E_DNS_NAME;
    }
    r->apex = acme_dns_within(&r->record, &zone);
    return r->apex < r->record.len ? 0 : ACME_E_DNS_NOTZONE;
}

/* Writes the question into r->message. Returns its length, or an error. */
static int write_question(struct acme_rfc2136 *r)
{
    bool update = r->work == ACME_RFC2136_CHANGE;
    const struct acme_sys *sys = r->zone->sys;
    const char *value = r->entry->value;
    struct acme_out o;
    int64_t utc = 0;
    size_t from = update ? r->apex : 0;
    int error = sys->random(sys->ctx, &r->id, sizeof(r->id));
    if (error != 0) {
        return error;
    }
    acme_out_init(&o, r->message, sizeof(r->message));
    acme_dns_put32(&o, r->id, (update ? ACME_DNS_UPDATE : 0u) << 11);
    acme_dns_put32(&o, 1, 0);
    acme_dns_put32(&o, update ? 1 : 0, 0);
    acme_out_bytes(&o, r->record.at + from, r->record.len - from);
    acme_dns_put32(&o, r->work == ACME_RFC2136_WATCH ? ACME_DNS_TXT : ACME_DNS_SOA, ACME_DNS_IN);
    if (update) { /* add to a set (RFC 2136, 2.5.1), or delete from it (2.5.4) */
        acme_out_bytes(&o, r->record.at, r->record.len);
        acme_dns_put32(&o, ACME_DNS_TXT, r->deleting ? ACME_DNS_NONE : ACME_DNS_IN);
        acme_dns_put32(&o, 0, r->deleting ? 0 : TTL_S);
        acme_dns_put16(&o, ACME_DNS01_VALUE_LEN + 1);
        acme_dns_put16(&o, (unsigned)(ACME_DNS01_VALUE_LEN << 8 | (uint8_t)value[0]));
        acme_out_text(&o, value + 1);
    }
    if (r->work != ACME_RFC2136_WATCH) {
        if (sys->utc(sys->ctx, &utc) != 1) {
            return ACME_E_CLOCK;
        }
        acme_tsig_sign(&o, &r->zone->key, utc, r->mac);
    }
    return o.overflow ? ACME_E_DNS_NAME : (int)o.len;
}

/* Returns 1 when the question has gone out, 0 not yet, an error. */
static int put_question(struct acme_rfc2136 *r)
{
    const struct acme_udp *udp = r->zone->udp;
    const char *host = r->work == ACME_RFC2136_WATCH ? r->zone->watch[r->watched] : r->zone->server;
    int done = udp->open(udp->ctx, host, r->zone->port != 0 ? r->zone->port : PORT);
    if (done != 1) {
        return done < 0 ? ACME_E_DNS_SILENT : 0;
    }
    int len = write_question(r);
    if (len < 0) {
        return len;
    }
    if (r->work == ACME_RFC2136_CHANGE) {
        r->entry->sent = true;
    }
    done = udp->send(udp->ctx, r->message, (size_t)len);
    return done < 0 ? ACME_E_DNS_SILENT : done > 0;
}

/* --- what was answered --- */

/* What an answer's code, or its TSIG, stands for. */
static int error_of(unsigned rcode, unsigned tsig)
{
    if (tsig != 0) {
        return tsig == ACME_TSIG_BADSIG    ? ACME_E_DNS_SIGNATURE
               : tsig == ACME_TSIG_BADKEY  ? ACME_E_DNS_KEY
               : tsig == ACME_TSIG_BADTIME ? ACME_E_DNS_TIME
                                           : ACME_E_DNS_ANSWER;
    }
    return rcode == ACME_DNS_NOERROR   ? 0
           : rcode == ACME_DNS_REFUSED ? ACME_E_DNS_REFUSED
           : rcode == ACME_DNS_NOTAUTH ? ACME_E_DNS_NOTAUTH
           : rcode == ACME_DNS_NOTZONE ? ACME_E_DNS_NOTZONE
                                       : ACME_E_DNS_FAILED;
}

/* Reads where the zone begins: in the SOA of the answer, or beside it; on the way aliases are followed. Returns 0, 1: the name
 * an alias leads to is to be asked for, or an error. */
static int read_zone(struct acme_rfc2136 *r, size_t len)
{
    struct acme_dns_reader in = {r->message, len, 0};
    struct acme_dns_record record;
    unsigned count = (unsigned)acme_dns_get16(r->message + 6) + acme_dns_get16(r->message + 8);
    uint8_t before = r->aliases;
    (void)acme_dns_read_questions(&in); /* it was read before, when its signature was looked for */
    for (unsigned i = 0; i < count; i++) {
        (void)acme_dns_read_record(&in, &record);
        struct acme_dns_reader target = {r->message, len, record.data};
        if (record.type == ACME_DNS_CNAME && acme_dns_same(&record.owner, &r->record)) {
            if (++r->aliases > ALIASES || !acme_dns_read_name(&target, &r->record)) {
                return ACME_E_DNS_NO_ZONE;
            }
        } else if (record.type == ACME_DNS_SOA) {
            r->apex = acme_dns_within(&r->record, &record.owner);
            if (r->apex < r->record.len) {
                return 0;
            }
        }
    }
    return r->aliases > before ? 1 : ACME_E_DNS_NO_ZONE;
}

/* True when one of the TXT records is ours. */
static bool shows(const struct acme_rfc2136 *r, size_t len)
{
    struct acme_dns_reader in = {r->message, len, 0};
    struct acme_dns_record record;
    bool good = acme_dns_read_questions(&in), found = false;
    for (unsigned i = 0; good && i < acme_dns_get16(r->message + 6); i++) {
        good = acme_dns_read_record(&in, &record);
        found = found || (good && record.type == ACME_DNS_TXT && record.data_len == ACME_DNS01_VALUE_LEN + 1 &&
                          memcmp(r->message + record.data + 1, r->entry->value, ACME_DNS01_VALUE_LEN) == 0);
    }
    return found;
}

/* Judges a datagram. Returns 1: it is the answer, and good; 0: it is none, or nobody's word; an error. */
static int judge(struct acme_rfc2136 *r, size_t len)
{
    uint8_t *m = r->message;
    struct acme_tsig_said said;
    unsigned kind = r->work == ACME_RFC2136_CHANGE ? ACME_DNS_UPDATE : ACME_DNS_QUERY;
    if (len < ACME_DNS_HEAD || acme_dns_get16(m) != r->id || (m[2] & 0xf8) != (0x80 | kind << 3)) {
        return 0;
    }
    if (r->work == ACME_RFC2136_WATCH) {
        return shows(r, len);
    }
    unsigned rcode = m[3] & 0x0f;
    int good = acme_tsig_check(m, len, &r->zone->key, r->mac, &said), error = error_of(rcode, said.error);
    if (good != 1) {
        error = good < 0 || error == 0 ? ACME_E_DNS_ANSWER : error;
        r->hint = r->hint != 0 ? r->hint : error;
        return 0;
    }
    if (error == ACME_E_DNS_TIME) {
        int64_t utc = 0;
        (void)r->zone->sys->utc(r->zone->sys->ctx, &utc);
        say_clocks(r, said.their_utc, utc);
        return error;
    }
    bool cut = (m[2] & 0x02) != 0;
    if (r->work != ACME_RFC2136_FIND) {
        return error != 0 ? error : 1;
    }
    if (cut || (error != 0 && rcode != ACME_DNS_NXDOMAIN)) {
        return cut ? ACME_E_DNS_ANSWER : error;
    }
    error = read_zone(r, len);
    if (error == 1) {
        ask(r, ACME_RFC2136_FIND);
        return 0;
    }
    return error != 0 ? error : 1;
}

/* --- from one exchange to the next --- */

static void rest(struct acme_rfc2136 *r)
{
    r->work = ACME_RFC2136_IDLE;
    r->zone->udp->close(r->zone->udp->ctx);
}

/* The entry in hand is as it was to be, or cannot be. */
static void finish(struct acme_rfc2136 *r, int error)
{
    struct acme_rfc2136_entry *e = r->entry;
    rest(r);
    r->error = error;
    if (error != 0) {
        r->found = NULL;
    }
    if (error != 0 && error != ACME_E_DNS_TIME) { /* which has words of its own */
        say_record(r);
    }
    if (r->deleting) {
        e->stage = ACME_RFC2136_FREE;
        for (size_t i = 0; error == ACME_E_DNS_SILENT && i < ACME_NAMES_MAX;
             i++) { /* nor will it hear of the others */
            e = &r->entries[i];
            e->stage = e->stage == ACME_RFC2136_UNWANTED ? ACME_RFC2136_FREE : e->stage;
        }
        return;
    }
    /* Whatever is unsure may have been done. */
    e->sent = e->sent && (error == 0 || error == ACME_E_DNS_SILENT || error == ACME_E_DNS_ANSWER || r->hint != 0);
    e->error = error;
    if (e->stage == ACME_RFC2136_WANTED) {
        e->stage = error == 0 ? ACME_RFC2136_DONE : ACME_RFC2136_FAILED;
    } else if (!e->sent) { /* not wanted any more, meanwhile */
        e->stage = ACME_RFC2136_FREE;
    }
}

static void change(struct acme_rfc2136 *r)
{
    if (r->zone->zone != NULL) {
        int error = begin_apex(r);
        if (error != 0) {
            finish(r, error);
            return;
        }
    }
    keep_found(r);
    ask(r, ACME_RFC2136_CHANGE);
}

/* Takes an entry in hand: those that are to go first. */
static bool begin(struct acme_rfc2136 *r)
{
    bool used = false;
    r->entry = NULL;
    for (size_t i = 0; i < ACME_NAMES_MAX; i++) {
        struct acme_rfc2136_entry *e = &r->entries[i];
        used = used || e->stage != ACME_RFC2136_FREE;
        if (e->stage == ACME_RFC2136_UNWANTED || (e->stage == ACME_RFC2136_WANTED && r->entry == NULL)) {
            r->entry = e;
            r->deleting = e->stage == ACME_RFC2136_UNWANTED;
        }
    }
    r->found = used ? r->found : NULL; /* by the next time it may be elsewhere */
    if (r->entry == NULL) {
        return false;
    }
    r->aliases = r->watched = 0;
    if (is_found(r)) {
        ask(r, ACME_RFC2136_CHANGE);
        return true;
    }
    r->apex = SIZE_MAX;
    if (!begin_record(r)) {
        r->record.len = 0;
        r->record.at[0] = 0;
        finish(r, ACME_E_DNS_NAME);
    } else if (r->zone->record != NULL && r->zone->zone != NULL) {
        change(r);
    } else {
        ask(r, ACME_RFC2136_FIND);
    }
    return true;
}

/* The answer in hand is good. */
static void go_on(struct acme_rfc2136 *r)
{
    if (r->work == ACME_RFC2136_FIND) {
        change(r);
        return;
    }
    if (r->work == ACME_RFC2136_WATCH) {
        r->watched++;
    } else {
        r->watch_ms = r->now_ms;
        if (r->aliases > 0) {
            say_record(r); /* it is not where one would look */
        }
    }
    if (r->deleting || r->entry->stage != ACME_RFC2136_WANTED || r->watched == r->zone->watch_count) {
        finish(r, 0);
    } else {
        ask(r, ACME_RFC2136_WATCH);
    }
}

/* No answer to this try. */
static void again(struct acme_rfc2136 *r, int error)
{
    bool watching = r->work == ACME_RFC2136_WATCH;
    uint32_t most_ms = (r->zone->watch_s != 0 ? r->zone->watch_s : WATCH_S) * 1000u;
    if (watching && r->now_ms - r->watch_ms >= most_ms) {
        say_late(r);
        finish(r, 0);
    } else if (!watching && (r->hint != 0 || ++r->tries == TRIES)) {
        finish(r, r->hint != 0 ? r->hint : error);
    } else {
        r->zone->udp->close(r->zone->udp->ctx);
        r->sent = false;
        r->since_ms = r->now_ms;
    }
}

static bool rfc2136_tick(void *ctx, uint32_t now_ms)
{
    struct acme_rfc2136 *r = ctx;
    const struct acme_udp *udp = r->zone->udp;
    r->now_ms = now_ms;
    if (r->work == ACME_RFC2136_IDLE) {
        return begin(r);
    }
    if (now_ms - r->since_ms >= TRY_MS) {
        again(r, ACME_E_DNS_SILENT);
        return true;
    }
    if (!r->sent) {
        int done = put_question(r);
        r->sent = done != 0; /* where it could not be sent, a moment later may do better */
        if (done < 0 && done != ACME_E_DNS_SILENT) {
            finish(r, done);
        }
        return done != 0;
    }
    int len = udp->recv(udp->ctx, r->message, sizeof(r->message));
    if (len <= 0) {
        return false;
    }
    int done = judge(r, (size_t)len);
    if (done == 1) {
        go_on(r);
    } else if (done < 0) {
        finish(r, done);
    }
    return true;
}

/* --- the solver --- */

/* The entry of a challenge, or one that is free for it; NULL: none is. */
static struct acme_rfc2136_entry *entry_of(struct acme_rfc2136 *r, const struct acme_challenge *challenge)
{
    struct acme_rfc2136_entry *free = NULL;
    char value[ACME_DNS01_VALUE_LEN + 1];
    acme_dns01_value(challenge, value);
    for (size_t i = 0; i < ACME_NAMES_MAX; i++) {
        struct acme_rfc2136_entry *e = &r->entries[i];
        if (e->stage == ACME_RFC2136_FREE) {
            free = free == NULL ? e : free;
        } else if (strcmp(e->value, value) == 0 && strcmp(e->name, challenge->name) == 0) {
            return e;
        }
    }
    if (free != NULL) {
        free->name = challenge->name;
        free->error = 0;
        free->sent = false;
        memcpy(free->value, value, sizeof(value));
        keep_label(r, free, challenge);
    }
    return free;
}

static int rfc2136_present(void *ctx, struct acme_challenge *challenge)
{
    struct acme_rfc2136 *r = ctx;
    struct acme_rfc2136_entry *e = entry_of(r, challenge);
    if (e == NULL || e->stage == ACME_RFC2136_UNWANTED) {
        return 0; /* something is still being taken away */
    }
    if (e->stage == ACME_RFC2136_FREE) {
        e->stage = ACME_RFC2136_WANTED;
        r->words[0] = '\0';
    }
    return e->stage == ACME_RFC2136_WANTED ? 0 : e->stage == ACME_RFC2136_DONE ? 1 : e->error;
}

/* What is in hand is ended by finish(). One that was never presented was left by a reset. */
static void rfc2136_withdraw(void *ctx, struct acme_challenge *challenge)
{
    struct acme_rfc2136 *r = ctx;
    struct acme_rfc2136_entry *e = entry_of(r, challenge);
    if (e == NULL) {
        return;
    }
    bool in_hand = r->work != ACME_RFC2136_IDLE && r->entry == e;
    bool left = e->stage == ACME_RFC2136_FREE;
    e->stage = e->sent || left || in_hand ? ACME_RFC2136_UNWANTED : ACME_RFC2136_FREE;
}

static bool rfc2136_clearing(const void *ctx)
{
    const struct acme_rfc2136 *r = ctx;
    for (size_t i = 0; i < ACME_NAMES_MAX; i++) {
        if (r->entries[i].stage == ACME_RFC2136_UNWANTED) {
            return true;
        }
    }
    return false;
}

static const char *rfc2136_words(void *ctx)
{
    return ((struct acme_rfc2136 *)ctx)->words;
}

int acme_rfc2136_init_sized(struct acme_rfc2136 *r, size_t size, const struct acme_rfc2136_zone *zone)
{
    if (size != sizeof(*r)) {
        return ACME_E_SIZE;
    }
    memset(r, 0, sizeof(*r));
    r->zone = zone;
    r->solver.ctx = r;
    r->solver.type = "dns-01";
    r->solver.present = rfc2136_present;
    r->solver.withdraw = rfc2136_withdraw;
    r->solver.tick = rfc2136_tick;
    r->solver.wildcards = r->solver.lasts = true;
    r->solver.clearing = rfc2136_clearing;
    r->solver.words = rfc2136_words;
    add_account(r);
    return 0;
}

#endif
