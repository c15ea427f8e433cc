/* replay.c - see replay.h. */
#define _GNU_SOURCE /* memrchr */
#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/pem.h>

#include "deeds_v1.h"
#include "fault/fastkey.h"
#include "replay_story.h"
#include "script.h"
#include "wire/url.h"

#define ONCE_REQUESTS 60
#define ONCE_MINUTES  30
#define EVER_MINUTES  120
#define WORK          8192 /* as the program has */

static struct engine e;
static struct boulder b;
static bool begun;
static char asked[4000];

/* --- one answer where it hurts */

static const struct exchange *one_answer(void *ctx, const struct v1_request *q)
{
    bool now = replay.how == REPLAY_EVER ? q->nth >= replay.nth : q->nth == replay.nth;
    return q->kind == replay.x->kind && now ? replay.x : NULL;
}

/* --- a run */

static void (*engine_trace)(void *ctx, const struct acme_event *event);

static void listen(void *ctx, const struct acme_event *event)
{
    engine_trace(ctx, event);
    if (event->kind == ACME_EVENT_PROBLEM && replay.told_count < 64) {
        snprintf(replay.told[replay.told_count].type, sizeof replay.told[0].type, "%.*s", (int)event->text.len,
                 event->text.len > 0 ? event->text.at : "");
        snprintf(replay.told[replay.told_count++].detail, sizeof replay.told[0].detail, "%.*s",
                 (int)event->detail.len, event->detail.len > 0 ? event->detail.at : "");
    }
}

static void begin(struct engine *engine)
{
    static char host[200];
    snprintf(host, sizeof host, "%.*s", (int)strcspn(replay.recording->host, ":"), replay.recording->host);
#if ACME_CFG_PLAIN_HTTP
    engine->setup.ca.plain_host = host;
#endif
    engine->setup.contacts = replay.contacts;
    engine->setup.contact_count = replay.contact_count;
    engine_trace = engine->setup.trace;
    engine->setup.trace = listen;
}

static struct ca_answer serve(struct engine *engine)
{
    struct ca_answer answer = boulder_answer(&b, engine);
    size_t at = strlen(asked);
    engine->ca.requests++;
    if (b.last_recorded != NULL) {
        snprintf(asked + at, sizeof asked - at, "#   %s <- line %u\n", v1_word(b.last_kind), b.last_recorded->line);
    } else {
        snprintf(asked + at, sizeof asked - at, "#   %s\n", v1_word(b.last_kind));
    }
    return answer;
}

/* The certificate stored is for our key and names, and the issuer's follows. */
static void judge_chain(void)
{
    BIO *bio = BIO_new_mem_buf(e.chain, (int)e.chain_len);
    X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL), *issuer = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    X509 *more = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    uint8_t point[65];
    size_t len = 0;
    if (leaf == NULL || (issuer != NULL) != (b.issuer != NULL) || more != NULL) {
        fail_msg("%s: the chain is not the certificates that were sent", b.where);
    }
    assert_int_equal(e.setup.certificate_key.ops->point(&e.certificate, point), 0);
    EVP_PKEY *key = maker_public(point);
    uint8_t *der = issuer != NULL ? maker_der(issuer, &len) : NULL;
    if (EVP_PKEY_eq(key, X509_get0_pubkey(leaf)) != 1) {
        fail_msg("%s: the certificate is for another key", b.where);
    }
    if (issuer != NULL && (len != b.issuer_len || memcmp(der, b.issuer, len) != 0)) {
        fail_msg("%s: the issuer's certificate is not as it was sent", b.where);
    }
    for (unsigned i = 0; i < replay.names.count; i++) {
        if (X509_check_host(leaf, replay.names.name[i], 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1) {
            fail_msg("%s: the certificate is not for %s", b.where, replay.names.name[i]);
        }
    }
    free(der);
    EVP_PKEY_free(key);
    X509_free(leaf);
    X509_free(issuer);
    BIO_free(bio);
}

/* As the client may say it: printable, on one line. */
static bool same_words(const char *told, const char *theirs, size_t cap)
{
    size_t i = 0;
    for (; theirs[i] != '\0' && i < cap - 1; i++) {
        char c = theirs[i] == '\n' || theirs[i] == '\t' ? ' '
                 : theirs[i] < 0x20 || theirs[i] > 0x7e ? '?'
                                                        : theirs[i];
        if (told[i] != c) {
            return false;
        }
    }
    return told[i] == '\0';
}

static bool was_told(const json_t *problem)
{
    const char *type = json_string_value(json_object_get(problem, "type"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    bool told = type == NULL;
    for (unsigned i = 0; i < replay.told_count && !told; i++) {
        told = same_words(replay.told[i].type, type, sizeof replay.told[0].type) &&
               same_words(replay.told[i].detail, detail != NULL ? detail : "", sizeof replay.told[0].detail);
    }
    return told;
}

/* A run that ends with a refusal tells the CA's own words. */
static void judge_words(void)
{
    const struct exchange *x = b.last_recorded;
    size_t i;
    json_t *challenge;
    bool of_acme = e.error <= ACME_E_PROBLEM || e.error == ACME_E_HTTP_STATUS;
    if (x == NULL || x->document == NULL || b.last_lost || !of_acme || e.error == ACME_E_NONCE) { /* that says all */
        return;
    }
    if (json_is_integer(json_object_get(x->document, "status")) && !was_told(x->document)) {
        fail_msg("%s: ends with %s, and line %u's type and detail are not told", b.where, script_error(e.error),
                 x->line);
    }
    json_array_foreach(json_object_get(x->document, "challenges"), i, challenge)
    {
        const json_t *error = json_object_get(challenge, "error");
        if (error != NULL && strcmp(exchange_status(x), "invalid") == 0 && !was_told(error)) {
            fail_msg("%s: ends with %s, and the challenge's error in line %u is not told", b.where,
                     script_error(e.error), x->line);
        }
    }
}

/* Bounds of what was done last, and what came of it. */
static void judge_part(struct replay_sum *sum)
{
    unsigned minutes = (e.elapsed_ms - replay.elapsed_before) / 60000u,
             requests = b.requests - replay.requests_before;
    unsigned most = replay.how == REPLAY_EVER ? EVER_MINUTES : ONCE_MINUTES;
    if (e.error == ENGINE_ENDLESS || (replay.how != REPLAY_EVER && requests >= ONCE_REQUESTS * replay.names.count)) {
        fail_msg("%s: %u requests", b.where, requests);
    }
    if (minutes > most) {
        fail_msg("%s: it took %u minutes", b.where, minutes);
    }
    if (replay.deed != NULL) {
        deeds_v1_end(&b, &e);
    } else if (e.error == 0) {
        judge_chain();
    }
    sum->requests_most = requests > sum->requests_most ? requests : sum->requests_most;
    sum->minutes_most = minutes > sum->minutes_most ? minutes : sum->minutes_most;
}

/* At a good end: is there more to do? */
static bool then(struct engine *engine)
{
    size_t at = strlen(asked);
    judge_part(replay.sum);
    replay.sum->done += replay.deed != NULL;
    const struct exchange *x = replay_next_deed();
    if (x == NULL) {
        replay.sum->certificates += replay.deed == NULL;
        return false;
    }
    replay.deed = x;
    replay.requests_before = b.requests;
    deeds_v1_begin(&b, engine, x);
    replay.elapsed_before = engine->elapsed_ms;
    snprintf(asked + at, sizeof asked - at, "#   -- line %u (%.100s)\n", x->line, x->step);
    return true;
}

static void judge_end(struct replay_sum *sum)
{
    if (e.error != 0) {
        judge_part(sum);
        assert_true(e.error < 0 && e.error > -256);
        judge_words();
        sum->error[-e.error]++;
    }
    sum->runs++;
    sum->own_answers += b.own_answers;
    sum->new_certs += b.count[V1_NEW_CERT];
}

static void go(struct replay_sum *sum)
{
    static const char *const words[] = {"as a story", "once", "for ever"};
    static struct acme_key_ops keys;
    static char url[300];
    keys = fastkey_ops;
    keys.generate = fastkey_by_dice;
    struct ca_plan plan = {.name_count = replay.names.count, .shared = true};
    for (unsigned i = 0; i < replay.names.count; i++) {
        plan.names[i] = replay.names.name[i];
    }
    snprintf(url, sizeof url, "%s/directory", replay.recording->base);
    struct engine_way way = {.directory_url = url,
                             .judged = true,
                             .whole = true,
                             .work = WORK,
                             .keys = &keys,
                             .begun = begin,
                             .then = then,
                             .server = serve};
    replay.sum = sum;
    dice_seed(1);
    maker_serial = 1000;
    asked[0] = '\0';
    boulder_start(&b, replay.recording);
    snprintf(b.where, sizeof b.where, "%.300s:%u (%.100s) %s", replay.recording->path,
             replay.x != NULL ? replay.x->line : 1, replay.x != NULL ? replay.x->step : "all of it",
             words[replay.how]);
    b.recorded = replay.how == REPLAY_STORY ? replay_next : one_answer;
    b.ctx = (void *)(uintptr_t)replay.recording;
    b.dry = replay.how != REPLAY_STORY && replay.x->kind == V1_NONCE;
    b.leaf_bytes = replay.x != NULL && replay.x->kind == V1_CERT ? replay.x->body_len : 0;
    begun = true;
    engine_play(&e, &plan, &way);
    judge_end(sum);
    if (getenv("TELL") != NULL) {
        print_message("# %s: %s, %u requests, %u s\n%s", b.where,
                      e.error != 0          ? script_error(e.error)
                      : replay.deed != NULL ? "done"
                                            : "certificate",
                      b.requests, e.elapsed_ms / 1000, asked);
    }
    begun = false;
    engine_free(&e);
    boulder_end(&b);
}

/* --- what is played */

static void one_name(struct v1_names *names, const char *name)
{
    names->count = 1;
    snprintf(names->name[0], sizeof names->name[0], "%s", name);
}

static bool good_names(const struct v1_names *names)
{
    bool good = names->count > 0 && names->count <= ACME_NAMES_MAX;
    for (unsigned i = 0; good && i < names->count; i++) {
        good = acme_dns_name_ok(acme_slice_of(names->name[i]));
    }
    return good;
}

/* A name the recording is about. */
static void usual_name(const struct recording *r, struct v1_names *names)
{
    one_name(names, "le.wtf");
    for (unsigned i = 0; i < r->count; i++) {
        const struct exchange *x = &r->exchange[i];
        if (x->kind == V1_NEW_AUTHZ && x->not_ours == NULL && x->status == 201) {
            *names = x->names;
            return;
        }
    }
}

static void start_run(const struct recording *r, enum replay_how how, const struct exchange *x)
{
    memset(&replay, 0, sizeof replay);
    replay.recording = r;
    replay.boulder = &b;
    replay.how = how;
    replay.x = x;
    replay.account_at = replay.furthest = -1;
}

static bool among(const struct v1_names *names, const char *name)
{
    for (unsigned i = 0; i < names->count; i++) {
        if (strcasecmp(names->name[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The names the recorded client went on to want a certificate for; else the one name. */
static void names_of_story(const struct recording *r, const struct exchange *from)
{
    replay.names = from->names;
    for (unsigned i = (unsigned)(from - r->exchange); i < r->count; i++) {
        const struct exchange *x = &r->exchange[i];
        if (x->kind == V1_NEW_CERT && x->not_ours == NULL && x->status == 201 && replay_same_account(x) &&
            good_names(&x->names) && among(&x->names, from->names.name[0])) {
            replay.names = x->names;
            return;
        }
    }
}

static void contacts_of_story(const struct recording *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        const struct exchange *x = &r->exchange[i];
        if (x->kind == V1_NEW_REG && x->not_ours == NULL && x->answered && replay_same_account(x)) {
            const json_t *contact = json_object_get(x->payload, "contact");
            for (size_t k = 0; k < json_array_size(contact) && k < 4; k++) {
                replay.contacts[replay.contact_count++] = json_string_value(json_array_get(contact, k));
            }
            return;
        }
    }
}

static void story(const struct recording *r, const struct exchange *from, bool *had, struct replay_sum *sum)
{
    start_run(r, REPLAY_STORY, from);
    replay.account = from != NULL ? from->jwk : NULL;
    if (from != NULL && from->kind == V1_NEW_AUTHZ) {
        names_of_story(r, from);
    } else if (from != NULL && from->kind == V1_REVOKE) {
        replay.names = from->names;
    } else {
        usual_name(r, &replay.names);
    }
    contacts_of_story(r);
    go(sum);
    for (unsigned i = 0; i < r->count; i++) {
        had[i] = had[i] || replay.had[i];
    }
}

/* The names of authorizations that an answer tells to be valid; a challenge tells of the one it belongs to. */
static void note_valid(const struct recording *r, const struct exchange *x, struct v1_names *valid)
{
    const char *status = json_string_value(json_object_get(x->document, "status"));
    const json_t *name = json_object_get(json_object_get(x->document, "identifier"), "value");
    char id[600];
    if (status == NULL || strcmp(status, "valid") != 0) {
        return;
    }
    bool known = replay_object_id(x->path, id, sizeof id);
    for (unsigned i = 0; name == NULL && known && i < r->count; i++) { /* the authorization of this challenge */
        const struct exchange *other = &r->exchange[i];
        name = other->kind == V1_AUTHZ && replay_same_object(other, id)
                   ? json_object_get(json_object_get(other->document, "identifier"), "value")
                   : NULL;
    }
    if (json_is_string(name) && !among(valid, json_string_value(name)) && valid->count < CA_NAMES) {
        snprintf(valid->name[valid->count++], sizeof valid->name[0], "%s", json_string_value(name));
    }
}

/* Refusals of a new-cert at a time when no answer had told that all its names are valid. */
static void find_early(const struct recording *r, struct replay_sum *sum)
{
    static struct v1_names valid;
    memset(&valid, 0, sizeof valid);
    memset(replay_early, 0, sizeof replay_early);
    for (unsigned i = 0; i < r->count; i++) {
        const struct exchange *x = &r->exchange[i];
        bool all = true;
        note_valid(r, x, &valid);
        for (unsigned k = 0; k < x->names.count; k++) {
            all = all && among(&valid, x->names.name[k]);
        }
        replay_early[i] = x->kind == V1_NEW_CERT && x->status == 403 && !all;
        sum->early += replay_early[i];
    }
}

static void tell_not_ours(const struct exchange *x, bool had)
{
    if (!had && getenv("TELL") != NULL) {
        print_message("# line %u (%s): not ours: %s\n", x->line, x->step,
                      x->not_ours != NULL ? x->not_ours
                      : !x->answered      ? "no answer in it that could be given again"
                                          : "no story of ours comes there");
    }
}

void replay_stories(const struct recording *r, struct replay_sum *sum)
{
    static bool had[RECORDING_MAX];
    memset(had, 0, sizeof had);
    find_early(r, sum);
    for (unsigned pass = 0; pass < 3; pass++) { /* each authorization, each account without one, what is left to do */
        for (unsigned i = 0; i < r->count; i++) {
            const struct exchange *x = &r->exchange[i];
            unsigned turn = x->kind == V1_NEW_AUTHZ ? 0 : x->kind == V1_NEW_REG ? 1 : x->kind >= V1_REVOKE ? 2 : 3;
            if (turn == pass && x->kind != V1_KINDS && x->not_ours == NULL && x->answered && !had[i]) {
                story(r, x, had, sum);
            }
        }
    }
    if (sum->runs == 0) {
        story(r, NULL, had, sum);
    }
    for (unsigned i = 0; i < r->count; i++) {
        sum->ours += had[i];
        tell_not_ours(&r->exchange[i], had[i]);
    }
}

static void answer(const struct recording *r, enum replay_how how, const struct exchange *x, unsigned nth,
                   struct replay_sum *sum)
{
    const char *told = json_string_value(json_object_get(json_object_get(x->document, "identifier"), "value"));
    start_run(r, how, x);
    replay.nth = nth;
    if (good_names(&x->names)) {
        replay.names = x->names;
    } else if (told != NULL && acme_dns_name_ok(acme_slice_of(told))) {
        one_name(&replay.names, told);
    } else {
        usual_name(r, &replay.names);
    }
    go(sum);
}

void replay_answers(const struct recording *r, enum replay_how how, struct replay_sum *sum)
{
    for (unsigned i = 0; i < r->count; i++) {
        const struct exchange *x = &r->exchange[i];
        if (x->kind == V1_KINDS || !x->answered) {
            continue;
        }
        answer(r, how, x, 1, sum);
        if (x->kind == V1_AUTHZ) { /* and while it is polled */
            answer(r, how, x, 2, sum);
        }
    }
}

void replay_tell(void)
{
    if (!begun) {
        return;
    }
    print_message("# %s\n%s", b.where, asked);
    print_message("# the last request: %.*s\n", (int)e.request_len, e.request);
    print_message("# its answer: %.*s\n", (int)e.answer.len, e.answer.at != NULL ? e.answer.at : "");
    begun = false;
}
