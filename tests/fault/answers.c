/* answers.c - see answers.h. */
#define _GNU_SOURCE /* memmem */
#include "answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWERS_MAX 48

/* What an honest run is told, by scene. */
static struct {
    struct answer answer[ANSWERS_MAX];
    unsigned count;
} told[SCENES];

/* The case at hand. */
static struct {
    const struct mutation *m;
    unsigned answer, item, way;
    bool on;
    enum ca_kind kind; /* of the answer */
    unsigned seen;     /* answers so far */
    unsigned count[CA_KINDS];
    size_t left; /* bytes of the answer before that the client has not taken */
    uint32_t connection;
    struct changed changed;
} now;

/* --- writing --- */

void put(struct changed *c, const char *bytes, size_t len)
{
    assert_true(c->len + len <= sizeof c->text);
    memcpy(c->text + c->len, bytes, len);
    c->len += len;
}

void put_text(struct changed *c, const char *text)
{
    put(c, text, strlen(text));
}

void put_many(struct changed *c, const char *text, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        put_text(c, text);
    }
}

static bool is_framing(const char *line)
{
    return strncmp(line, "Content-Length:", 15) == 0 || strncmp(line, "Transfer-Encoding:", 18) == 0;
}

void put_answer(struct changed *c, const struct answer *a, const char *body, size_t body_len)
{
    char line[64];
    const char *end = a->text + a->head_len - 2;
    for (const char *at = a->text; at < end;) {
        const char *next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
        if (!is_framing(at)) {
            put(c, at, (size_t)(next - at));
        }
        at = next;
    }
    snprintf(line, sizeof line,
             a->chunked ? "Transfer-Encoding: chunked\r\n\r\n%zx\r\n" : "Content-Length: %zu\r\n\r\n", body_len);
    put_text(c, a->chunked && body_len == 0 ? "Transfer-Encoding: chunked\r\n\r\n" : line);
    put(c, body, body_len);
    put_text(c, !a->chunked ? "" : body_len > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
}

/* --- taking apart --- */

static void take_chunks(struct answer *a)
{
    const char *at = a->text + a->head_len;
    unsigned long size;
    while ((size = strtoul(at, NULL, 16)) > 0) {
        at = strchr(at, '\n') + 1;
        memcpy(a->body + a->body_len, at, size);
        a->body_len += size;
        at += size + 2;
    }
}

static void take_apart(struct answer *a, enum ca_kind kind, const struct ca_answer *from)
{
    assert_true(from->len < sizeof a->text);
    memcpy(a->text, from->at, from->len);
    a->text[from->len] = '\0';
    a->kind = kind;
    a->len = from->len;
    a->close = from->close;
    a->head_len = (size_t)((const char *)memmem(a->text, a->len, "\r\n\r\n", 4) + 4 - a->text);
    a->body_len = 0;
    a->chunked = memmem(a->text, a->head_len, "Transfer-Encoding: chunked", 26) != NULL && a->len > a->head_len;
    if (a->chunked) {
        take_chunks(a);
    } else {
        a->body_len = a->len - a->head_len;
        memcpy(a->body, a->text + a->head_len, a->body_len);
    }
    a->body[a->body_len] = '\0';
}

/* --- listening to an honest run --- */

static enum ca_kind kind_asked(const struct device *d)
{
    enum ca_kind kind = CA_DIRECTORY;
    while (kind < CA_KINDS && d->ca.count[kind] == now.count[kind]) {
        kind++;
    }
    memcpy(now.count, d->ca.count, sizeof now.count);
    return kind;
}

static void forget(struct trial *t)
{
    memset(&now, 0, offsetof(__typeof__(now), changed));
    memcpy(now.count, t->d.ca.count, sizeof now.count);
}

static int listen(struct trial *t, enum device_seam seam, size_t *len)
{
    unsigned scene = (unsigned)(t->scene - scenes);
    if (seam == DEVICE_FLUSHED) {
        assert_true(told[scene].count < ANSWERS_MAX);
        take_apart(&told[scene].answer[told[scene].count++], kind_asked(&t->d), &t->d.answer);
    }
    return DEVICE_GO;
}

static unsigned tell_all(unsigned scene)
{
    static const struct dimension listener = {"listen", .hook = listen, .prepare = forget};
    static struct trial t;
    if (told[scene].count == 0 && !trial_play(&t, &scenes[scene], &listener, 0, 0)) {
        fprintf(stderr, "an honest run fails\n");
        exit(1);
    }
    return told[scene].count;
}

static unsigned all_items(const struct mutation *m, unsigned scene)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < tell_all(scene); i++) {
        sum += m->items(&told[scene].answer[i]);
    }
    return sum;
}

static bool is_whole(const struct mutation *m, unsigned scene)
{
    return scene <= (unsigned)m->whole || ((scene == V1_ISSUE || scene == SOLVERS) && m->whole >= ROUGH);
}

unsigned answers_points(const struct mutation *m, const struct honest *honest)
{
    static const struct dimension plain; /* one that neither listens nor has keys of its own, as those here */
    unsigned scene = 0, kinds = 2 * m->ways;
    while (trial_honest_of(&scenes[scene], &plain) != honest) {
        scene++;
    }
    unsigned items = all_items(m, scene);
    return is_whole(m, scene) ? items : (items + kinds - 1) / kinds;
}

/* --- changing --- */

void answers_prepare(struct trial *t, const struct mutation *m)
{
    unsigned scene = (unsigned)(t->scene - scenes), kind = t->kind, item = t->point;
    unsigned count = tell_all(scene);
    if (!is_whole(m, scene)) { /* each item once, and all kinds in turn */
        item = t->point * 2 * m->ways + t->kind;
        kind = (item * 7 + t->point) % (2 * m->ways);
    }
    forget(t);
    now.m = m;
    now.way = kind / 2;
    now.on = kind % 2 == 1;
    while (now.answer < count && item >= m->items(&told[scene].answer[now.answer])) {
        item -= m->items(&told[scene].answer[now.answer++]);
    }
    now.item = item;
    now.kind = now.answer < count ? told[scene].answer[now.answer].kind : CA_KINDS;
    /* A run may end with one order dead: it was told of a wrong URL, key or name. Told so again and again it may give up
     * a second one, which is all it does in a run; and where newOrder is not answered with the order that is open, an
     * answer that cannot be read leaves an order each time it is asked for. */
    t->spare_finalized = now.on ? 2 : 1;
    t->spare_orders = t->spare_finalized + (now.on && !t->scene->plan.reuse ? ACME_FAULT_TRIES : 0);
}

/* What the client has not read of an answer comes before the next one on the same connection. */
static void keep_left(const struct device *d)
{
    now.left = d->answer.len - d->answer_at;
    if (now.left > 0 && now.connection == d->client.channel.handshakes) {
        memmove(now.changed.text, d->answer.at + d->answer_at, now.left);
    } else {
        now.left = 0;
    }
}

static void show(struct trial *t)
{
    char *to = t->message[(t->d.ca.requests - 1) % 2].answer;
    size_t cap = sizeof t->message[0].answer - 1;
    size_t len = now.changed.len < cap ? now.changed.len : cap;
    memcpy(to, now.changed.text, len);
    to[len] = '\0';
}

int answers_hook(struct trial *t, enum device_seam seam, size_t *len)
{
    static struct answer a;
    struct device *d = &t->d;
    if (seam == DEVICE_FLUSH) {
        keep_left(d);
    }
    if (seam != DEVICE_FLUSHED) {
        return DEVICE_GO;
    }
    enum ca_kind kind = kind_asked(d);
    unsigned number = now.seen++;
    bool changed = false;
    now.connection = d->client.channel.handshakes;
    now.changed.len = now.left;
    now.changed.close = d->answer.close;
    t->tampered = now.left > 0;
    if (number == now.answer || (now.on && number > now.answer && kind == now.kind)) {
        take_apart(&a, kind, &d->answer);
        changed = now.m->change(&a, now.item, now.way, &now.changed);
    }
    if (changed) {
        t->fired = t->tampered = d->ca.tampered = true;
    } else if (t->tampered) {
        put(&now.changed, d->answer.at, d->answer.len);
    }
    if (t->tampered) {
        d->answer = (struct ca_answer){now.changed.text, now.changed.len, now.changed.close};
        show(t);
    }
    return DEVICE_GO;
}
