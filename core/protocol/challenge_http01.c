#include "challenge_http01.h"

#include "../wire/out.h"

/* A connection open for OPEN_MS is closed in any case. When every slot is taken, others may be waiting, and then: one
 * that asked for the live path keeps its slot until nothing has moved for ASKED_MS; one that has not said its path yet for
 * PATIENCE_MS, three times that when all it has said is a live path's beginning. PATIENCE_MS is halved with each that ends
 * without having asked, down to HASTE_MS, until nobody new has come for QUIET_MS. A validator's request comes in one piece
 * right behind its connection, so it sees none of them, unless its line is very slow.
 * In haste it is as if every slot were taken: a stack without a queue drops whom it has no slot for, and who was dropped
 * comes again after seconds. */
#define OPEN_MS     10000u
#define ASKED_MS    3000u
#define QUIET_MS    1000u
#define PATIENCE_MS 512u
#define HASTE_MS    8u
#define LOOKS       2 /* at least, and not all in one tick that lasted long */

#define HEAD_BYTES_MAX 8192u /* of one request; more is not a validator */

static const char prefix[] = "GET /.well-known/acme-challenge/";
#define PREFIX_LEN (sizeof(prefix) - 1)

/* Where in a request a slot is. It is compared as it comes, so only positions are kept. */
enum line_state {
    LINE_REQUEST,
    LINE_REST, /* version and headers, up to the empty line            */
    LINE_DONE
};

/* --- the request --- */

/* Character number i of the request line that asks for this answer: the last one is the blank behind the token. */
static char wanted(const struct acme_challenge *c, size_t i)
{
    if (i < PREFIX_LEN) {
        return prefix[i];
    }
    return i - PREFIX_LEN < strlen(c->token) ? c->token[i - PREFIX_LEN] : ' ';
}

/* Goes on with an answer on show that is asked for by all that has come so far, and by this. */
static void read_path(const struct acme_http01 *h, struct acme_http01_slot *s, char c)
{
    size_t known = s->matched > PREFIX_LEN ? s->matched - PREFIX_LEN : 0; /* characters of the token */
    const struct acme_challenge *live = h->live;
    while (live != NULL &&
           (wanted(live, s->matched) != c || (known > 0 && strncmp(live->token, s->asked->token, known) != 0))) {
        live = live->next;
    }
    s->asked = live;
    s->matched++;
    if (live == NULL || s->matched > PREFIX_LEN + strlen(live->token)) {
        s->found = live != NULL;
        s->line_state = LINE_REST;
    }
}

static void read_byte(const struct acme_http01 *h, struct acme_http01_slot *s, char c)
{
    if (s->line_state == LINE_REQUEST) {
        read_path(h, s, c);
    }
    if (c == '\n') {
        s->blank++;
        s->line_state = s->blank == 2 ? LINE_DONE : LINE_REST; /* a request line may lack its version */
    } else if (c != '\r') {
        s->blank = 0;
    }
    if (++s->head_bytes >= HEAD_BYTES_MAX) {
        s->found = false;
        s->line_state = LINE_DONE;
    }
}

/* --- the answer --- */

static void write_answer(const struct acme_http01_slot *s, struct acme_out *o)
{
    const struct acme_challenge *live = s->found ? s->asked : NULL;
    size_t len = live != NULL ? strlen(live->token) + 1 + strlen(live->thumbprint) : 0;
    acme_out_text(o, live != NULL ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 404 Not Found\r\n");
    acme_out_text(o, "Content-Type: application/octet-stream\r\nConnection: close\r\nContent-Length: ");
    acme_out_u32(o, (uint32_t)len);
    acme_out_text(o, "\r\n\r\n");
    if (live != NULL) {
        acme_out_text(o, live->token);
        acme_out_text(o, ".");
        acme_out_text(o, live->thumbprint);
    }
}

/* --- slots --- */

static void free_slot(struct acme_http01 *h, unsigned i)
{
    if (h->slots[i].state != ACME_SLOT_FREE) {
        h->listener->close(h->listener->ctx, i);
        h->slots[i].state = ACME_SLOT_FREE;
        if (!h->slots[i].found && h->patience_ms > HASTE_MS) {
            h->patience_ms /= 2;
        }
    }
}

static bool read_slot(struct acme_http01 *h, unsigned i)
{
    struct acme_http01_slot *s = &h->slots[i];
    char piece[64];
    s->looks = s->looks < LOOKS ? (uint8_t)(s->looks + 1) : LOOKS;
    int got = h->listener->recv(h->listener->ctx, i, piece, sizeof(piece));
    if (got <= 0) {
        if (got < 0) {
            free_slot(h, i);
        }
        return got < 0;
    }
    for (int at = 0; at < got && s->line_state != LINE_DONE; at++) {
        read_byte(h, s, piece[at]);
    }
    if (s->line_state == LINE_DONE) {
        s->state = ACME_SLOT_ANSWERING;
    }
    return true;
}

static bool answer_slot(struct acme_http01 *h, unsigned i)
{
    struct acme_http01_slot *s = &h->slots[i];
    char answer[160 + ACME_KEY_AUTHORIZATION_MAX];
    struct acme_out o;

    acme_out_init(&o, answer, sizeof(answer));
    write_answer(s, &o);
    int put = h->listener->send(h->listener->ctx, i, o.at + s->sent, o.len - s->sent);
    if (put > 0) {
        s->sent = (uint16_t)(s->sent + put);
    }
    if (put < 0 || s->sent == o.len) {
        h->answered += s->found && s->sent == o.len ? 1u : 0u;
        free_slot(h, i);
    }
    return put != 0;
}

static bool fill_slot(struct acme_http01 *h, unsigned i, uint32_t now_ms)
{
    if (h->listener->accept(h->listener->ctx, i) != 1) {
        if (now_ms - h->came_ms >= QUIET_MS) {
            h->patience_ms = PATIENCE_MS;
        }
        return false;
    }
    h->came_ms = now_ms;
    h->slots[i] = (struct acme_http01_slot){.state = ACME_SLOT_READING, .since_ms = now_ms};
    return true;
}

/* What such a connection has still to say changes nothing. */
static bool is_settled(const struct acme_http01_slot *s)
{
    return s->state == ACME_SLOT_READING && s->line_state >= LINE_REST;
}

/* How long a connection may keep its slot while others may be waiting. Bytes as such earn nothing, and the path's
 * beginning little: anybody can send those, as slowly as he likes. Only who was sent by the CA knows the token. */
static uint32_t grace_ms(const struct acme_http01 *h, const struct acme_http01_slot *s)
{
    if (s->found) {
        return s->moved_ms - s->since_ms + ASKED_MS;
    }
    if (is_settled(s)) {
        return 0;
    }
    if (s->state == ACME_SLOT_READING && s->looks < LOOKS) {
        return OPEN_MS;
    }
    return s->asked != NULL ? 3u * h->patience_ms : h->patience_ms;
}

/* Closes what was open too long, in haste all that are over their time, and when every slot is taken the one that is it
 * longest. In haste a wrong path has no answer: who has one is back at once. */
static bool make_room(struct acme_http01 *h, uint32_t now_ms)
{
    const bool haste = h->patience_ms == HASTE_MS;
    unsigned taken = 0;
    struct acme_http01_slot *last = NULL;
    uint32_t most_ms = 0;
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        struct acme_http01_slot *s = &h->slots[i];
        uint32_t open_ms = now_ms - s->since_ms, grace = grace_ms(h, s);
        if (s->state == ACME_SLOT_FREE || open_ms >= (haste ? grace : OPEN_MS)) {
            free_slot(h, i);
            continue;
        }
        if (open_ms >= grace && open_ms - grace >= most_ms) {
            most_ms = open_ms - grace;
            last = s;
        }
        taken++;
    }
    if (taken < ACME_HTTP01_SLOTS || last == NULL) {
        return false;
    }
    if (is_settled(last)) {
        last->state = ACME_SLOT_ANSWERING;
    } else {
        free_slot(h, (unsigned)(last - h->slots));
    }
    return true;
}

/* --- the solver --- */

static bool http01_tick(void *ctx, uint32_t now_ms)
{
    struct acme_http01 *h = ctx;
    bool moved = false;

    if (h->live == NULL) {
        return false;
    }
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        struct acme_http01_slot *s = &h->slots[i];
        bool went = s->state == ACME_SLOT_FREE      ? fill_slot(h, i, now_ms)
                    : s->state == ACME_SLOT_READING ? read_slot(h, i)
                                                    : false;
        if (s->state == ACME_SLOT_ANSWERING) {
            went = answer_slot(h, i) || went;
        }
        if (went) {
            s->moved_ms = now_ms;
            moved = true;
        }
    }
    return make_room(h, now_ms) || moved; /* last: who could be heard at last has been */
}

/* The place in the list of what is on show that leads to this one, or its end. */
static struct acme_challenge **find(struct acme_http01 *h, const struct acme_challenge *challenge)
{
    struct acme_challenge **at = &h->live;
    while (*at != NULL && *at != challenge) {
        at = &(*at)->next;
    }
    return at;
}

static int http01_present(void *ctx, struct acme_challenge *challenge)
{
    struct acme_http01 *h = ctx;
    int done = h->listener->start(h->listener->ctx);
    struct acme_challenge **at = find(h, challenge);
    if (done == 1 && *at == NULL) {
        *at = challenge;
        challenge->next = NULL;
    }
    return done;
}

/* Who asks for it, or could, has to come again; with the last one nobody is listened to any more. */
static void http01_withdraw(void *ctx, struct acme_challenge *challenge)
{
    struct acme_http01 *h = ctx;
    struct acme_challenge **at = find(h, challenge);
    if (*at != NULL) {
        *at = challenge->next;
    }
    for (unsigned i = 0; i < ACME_HTTP01_SLOTS; i++) {
        if (h->live == NULL || (h->slots[i].asked == challenge && h->slots[i].matched > PREFIX_LEN)) {
            free_slot(h, i);
        }
    }
    if (h->live == NULL) {
        h->listener->stop(h->listener->ctx);
    }
}

int acme_http01_init_sized(struct acme_http01 *h, size_t size, const struct acme_listener *listener)
{
    if (size != sizeof(*h)) {
        return ACME_E_SIZE;
    }
    memset(h, 0, sizeof(*h));
    h->listener = listener;
    h->solver.ctx = h;
    h->solver.type = "http-01";
    h->solver.present = http01_present;
    h->solver.withdraw = http01_withdraw;
    h->solver.tick = http01_tick;
    h->patience_ms = PATIENCE_MS;
    return 0;
}
