#include "renewal.h"

#include "../jose/b64url.h"
#include "../jose/jwk.h"
#include "../secure/digest.h"
#include "../secure/hmac.h"

#if ACME_CFG_RENEWAL

#define HEAD "nanoacme-renewal 1"

/* --- marks --- */

static struct acme_mark mark_of(const uint8_t digest[ACME_SHA256_LEN])
{
    struct acme_mark mark;
    struct acme_out o;
    acme_out_init(&o, mark.text, sizeof(mark.text));
    acme_out_b64url(&o, digest, ACME_MARK_LEN * 3 / 4);
    acme_out_bytes(&o, "", 1);
    return mark;
}

struct acme_mark acme_mark_of_leaf(const void *der, size_t len)
{
    struct acme_slice part = acme_slice(der, len);
    uint8_t digest[ACME_SHA256_LEN];
    acme_sha256(&part, 1, digest);
    return mark_of(digest);
}

/* Adds a name, in small letters since capitals are no other name, to a sum that has no order. */
static void add_digest(uint8_t sum[ACME_SHA256_LEN], const char *name)
{
    char text[254];
    uint8_t digest[ACME_SHA256_LEN];
    struct acme_out o;
    acme_out_init(&o, text, sizeof(text));
    acme_out_lower(&o, acme_slice_of(name));
    struct acme_slice part = acme_slice(text, o.len);
    acme_sha256(&part, 1, digest);
    for (size_t at = 0; at < sizeof(digest); at++) {
        sum[at] ^= digest[at];
    }
}

struct acme_mark acme_mark_of_setup(const struct acme_setup *s)
{
    uint8_t names[ACME_SHA256_LEN] = {0}, digest[ACME_SHA256_LEN];
    for (size_t i = 0; i < s->name_count; i++) {
        add_digest(names, s->names[i]);
    }
    const struct acme_slice parts[] = {
        acme_slice(names, sizeof(names)),
        acme_slice_of("P-256 "), /* the key */
        acme_slice_of(s->profile != NULL ? s->profile : ""),
        acme_slice_of(" "),
        acme_slice_of(s->ca.directory_url),
    };
    acme_sha256(parts, sizeof(parts) / sizeof(parts[0]), digest);
    return mark_of(digest);
}

#if ACME_CFG_EAB
/* Another secret is another cause. What is stored tells nothing of it, nor whether two devices have the same. */
static void add_binding(uint8_t sum[ACME_SHA256_LEN], const struct acme_setup *s)
{
    const struct acme_binding *b = &s->binding;
    if (acme_is_bound(b)) {
        const struct acme_slice parts[2] = {acme_slice(sum, ACME_SHA256_LEN), acme_slice_of(b->kid)};
        acme_hmac_sha256(acme_slice(b->mac_key, b->mac_key_len), parts, 2, sum);
    }
}
#else
#define add_binding(sum, s) ((void)(sum))
#endif

struct acme_mark acme_mark_of_cause(const struct acme_setup *s)
{
    uint8_t point[ACME_POINT_LEN] = {0}, types[ACME_SHA256_LEN] = {0}, digest[ACME_SHA256_LEN];
    const uint8_t agreed[] = {s->accept_terms, s->profile_optional};
    for (size_t i = 0; i < s->solver_count; i++) {
        add_digest(types, s->solvers[i]->type);
    }
    add_binding(types, s);
    (void)s->account_key.ops->point(s->account_key.handle, point); /* a key that does not answer is a change, too */
    const struct acme_slice parts[] = {
        acme_slice(agreed, sizeof(agreed)),
        acme_slice(types, sizeof(types)),
        acme_slice(point, sizeof(point)),
    };
    acme_sha256(parts, sizeof(parts) / sizeof(parts[0]), digest);
    return mark_of(digest);
}

#define KEY_IDENTIFIER_MAX 32
#define SERIAL_MAX         21

void acme_certid_write(struct acme_out *o, const struct acme_leaf *leaf)
{
    const struct acme_der *key = &leaf->authority, *serial = &leaf->serial;
    if (key->len > 0 && key->len <= KEY_IDENTIFIER_MAX && serial->len > 0 && serial->len <= SERIAL_MAX) {
        acme_out_b64url(o, key->at, key->len);
        acme_out_text(o, ".");
        acme_out_b64url(o, serial->at, serial->len);
    }
}

/* --- the record --- */

/* The lines, in the order they are written. A reader looks for the key, so another image may have others between them. */
enum kind { MARK, NUMBER, FLAG };

#if ACME_CFG_CHOICE
#define TURN_LINE  LINE("turn", NUMBER, turn),
#define no_turn(r) ((r)->turn = 0)
#else
#define TURN_LINE
#define no_turn(r) ((void)0)
#endif

static const struct line {
    const char *key;
    enum kind kind;
    size_t at; /* in struct acme_renewal */
} lines[] = {
#define LINE(key, kind, member)                                                                                      \
    {                                                                                                                \
        key, kind, offsetof(struct acme_renewal, member)                                                             \
    }
    LINE("setup", MARK, setup),
    LINE("wants", MARK, wants),
    LINE("pair", MARK, pair),
    LINE("tried", NUMBER, tried),
    LINE("next", NUMBER, next),
    LINE("failures", NUMBER, failures),
    LINE("stopped", NUMBER, stopped),
    LINE("cause", MARK, cause),
    LINE("urgent", NUMBER, urgent),
    TURN_LINE LINE("window", MARK, window),
    LINE("start", NUMBER, start),
    LINE("end", NUMBER, end),
    LINE("chosen", NUMBER, chosen),
    LINE("look", NUMBER, look),
    LINE("spent", FLAG, spent),
    LINE("deploys", FLAG, deploys),
    LINE("deployed", MARK, deployed),
    LINE("deploy-failures", NUMBER, deploy_failures),
    LINE("deploy-next", NUMBER, deploy_next),
#undef LINE
};
#define LINES (sizeof(lines) / sizeof(lines[0]))

static const struct line *line_of(struct acme_slice key)
{
    for (size_t i = 0; i < LINES; i++) {
        if (acme_slice_is(key, lines[i].key)) {
            return &lines[i];
        }
    }
    return NULL;
}

/* What is no value of the line's kind is left out: the others may still be good. A larger number than ours are, as one of
 * another image, is the largest. */
static void take(struct acme_renewal *r, const struct line *line, struct acme_slice value)
{
    char *to = (char *)r + line->at;
    int64_t number = acme_slice_decimal(value);
    if (line->kind == MARK) {
        if (value.len == ACME_MARK_LEN && acme_b64url_ok(value, ACME_MARK_LEN)) {
            memcpy(to, value.at, ACME_MARK_LEN);
        }
    } else if (number >= 0 && line->kind == NUMBER) {
        uint32_t kept = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
        memcpy(to, &kept, sizeof(kept));
    } else if (number == 1) {
        *(bool *)to = true;
    }
}

/* Whether it is a record at all: one that was cut is none. */
static bool is_whole(struct acme_slice *text)
{
    static const char end[] = "\nend\n";
    size_t tail = sizeof(end) - 1;
    struct acme_slice rest = *text;
    if (text->len < tail || memcmp(text->at + text->len - tail, end, tail) != 0 ||
        !acme_slice_is(acme_slice_cut(&rest, '\n'), HEAD)) {
        return false;
    }
    *text = acme_slice(rest.at, rest.len - (tail - 1)); /* the lines, each with its end */
    return true;
}

void acme_renewal_read(struct acme_renewal *r, struct acme_slice text)
{
    memset(r, 0, sizeof(*r));
    if (!is_whole(&text)) {
        return;
    }
    while (text.len > 0) {
        struct acme_slice value = acme_slice_cut(&text, '\n');
        struct acme_slice key = acme_slice_cut(&value, ' ');
        const struct line *line = line_of(key);
        if (line != NULL) {
            take(r, line, value);
        }
    }
}

/* A line for each member that is not zero. */
static void put_line(struct acme_out *o, const struct acme_renewal *r, const struct line *line)
{
    const char *from = (const char *)r + line->at;
    uint32_t number = 0;
    if (line->kind == NUMBER) {
        memcpy(&number, from, sizeof(number));
    } else {
        number = from[0] != 0; /* the first character, or true */
    }
    if (number == 0) {
        return;
    }
    acme_out_text(o, line->key);
    acme_out_text(o, " ");
    if (line->kind == MARK) {
        acme_out_text(o, from);
    } else {
        acme_out_u32(o, number);
    }
    acme_out_text(o, "\n");
}

void acme_renewal_write(struct acme_out *o, const struct acme_renewal *r, struct acme_slice before)
{
    size_t start = o->len;
    acme_out_text(o, HEAD "\n");
    for (size_t i = 0; i < LINES; i++) {
        put_line(o, r, &lines[i]);
    }
    if (is_whole(&before)) {
        while (before.len > 0) {
            struct acme_slice line = acme_slice_cut(&before, '\n'), rest = line;
            size_t len = o->len - start + line.len + sizeof("\nend\n") - 1;
            if (line_of(acme_slice_cut(&rest, ' ')) == NULL && len <= ACME_RENEWAL_MAX) {
                acme_out_slice(o, line);
                acme_out_text(o, "\n");
            }
        }
    }
    acme_out_text(o, "end\n");
}

void acme_renewal_settle(struct acme_renewal *r, const struct acme_mark *leaf, const struct acme_mark *setup)
{
    if (r->tried != 0 && acme_mark_known(leaf) && !acme_mark_same(leaf, &r->pair)) { /* the last attempt succeeded */
        r->setup = r->wants;
        r->pair = *leaf;
        r->failures = r->stopped = r->deploy_failures = 0;
        no_turn(r);
        r->next = r->deploy_next = 0;
    }
    if (!acme_mark_same(&r->wants, setup)) { /* what failed was something else */
        r->failures = r->stopped = 0;
        r->next = 0;
        no_turn(r);
    }
    if (!acme_mark_same(&r->window, leaf)) {
        r->window = *leaf;
        r->start = r->end = r->chosen = r->look = 0;
        r->spent = false;
    }
}

#endif
