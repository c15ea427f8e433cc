/* chain.c - see chain.h. */
#include "chain.h"

#include "../wire/date.h"

static const char label[] = "CERTIFICATE";

void acme_chain_init(struct acme_chain *c, const struct acme_chain_want *want, void *memory, size_t cap,
                     int (*sink)(void *ctx, const void *data, size_t len), void *sink_ctx)
{
    memset(c, 0, sizeof *c);
    c->want = *want;
    c->sink = sink;
    c->sink_ctx = sink_ctx;
    c->memory = memory;
    c->cap = cap;
    acme_pem_init(&c->pem, NULL, 0);
}

#if ACME_CFG_ALTERNATE
/* One more is at the top. */
static void count_one(struct acme_chain *c, const struct acme_leaf *top)
{
    c->count++;
    if (c->want.choice.rank != NULL) {
        c->rank = c->want.choice.rank(c->want.choice.ctx, acme_slice(top->issuer.at, top->issuer.len), c->count);
    }
}

#define only_counts(c) ((c)->counting)
#else
#define count_one(c, top) ((c)->count++)
#define only_counts(c)    false
#endif

/* Writes one certificate to the sink, a line at a time. */
static int emit(struct acme_chain *c, struct acme_der der, const struct acme_leaf *parsed)
{
    char line[ACME_PEM_LINE / 3 * 4 + 2];
    struct acme_out o;
    int err;

    (void)parsed; /* without ACME_CFG_ALTERNATE */
    if (only_counts(c)) {
        count_one(c, parsed);
        return 0;
    }
    acme_out_init(&o, line, sizeof line);
    acme_pem_edge(&o, ACME_PEM_BEGIN, label);
    err = c->sink(c->sink_ctx, line, o.len);
    while (err == 0 && der.len > 0) {
        size_t len = der.len < ACME_PEM_LINE ? der.len : ACME_PEM_LINE;
        o.len = 0;
        acme_pem_line(&o, der.at, len);
        der.at += len;
        der.len -= len;
        err = c->sink(c->sink_ctx, line, o.len);
    }
    if (err == 0) {
        o.len = 0;
        acme_pem_edge(&o, ACME_PEM_END, label);
        err = c->sink(c->sink_ctx, line, o.len);
        count_one(c, parsed);
    }
    return err;
}

/* Finds the held certificate with this subject. */
static bool find_held(const struct acme_chain *c, struct acme_der name, struct acme_der *found,
                      struct acme_leaf *parsed)
{
    struct acme_der held;
    struct acme_der body;

    held.at = c->memory;
    held.len = c->held;
    for (;;) {
        found->at = held.at;
        if (!acme_der_expect(&held, ACME_DER_SEQUENCE, &body)) {
            return false;
        }
        found->len = (size_t)(held.at - found->at);
        (void)acme_leaf_parse(parsed, found->at, found->len); /* take() has done it before it was held */
        if (acme_der_is(&parsed->subject, name.at, name.len)) {
            return true;
        }
    }
}

/* Writes the certificates that came before the leaf in the order they certify each other (RFC 5246, 7.4.2),
 * whatever order they came in; one that leads nowhere is left out. */
static int emit_held(struct acme_chain *c, struct acme_der issuer)
{
    struct acme_leaf parsed;
    struct acme_der der;
    size_t written = 0;
    int err = 0;

    /* Names that go in a circle would be written for ever; together the certificates are not longer than
     * `held`. */
    while (err == 0 && find_held(c, issuer, &der, &parsed) && written + der.len <= c->held) {
        written += der.len;
        err = emit(c, der, &parsed);
        if (acme_der_is(&parsed.issuer, issuer.at, issuer.len)) {
            break; /* a root */
        }
        issuer = parsed.issuer;
    }
    c->held = 0;
    return err;
}

/* Writes a chain as far as it has come in. */
static int emit_from_leaf(struct acme_chain *c, struct acme_der der, const struct acme_leaf *leaf)
{
    int err = emit(c, der, leaf);
    return err == 0 ? emit_held(c, leaf->issuer) : err;
}

#if ACME_CFG_ALTERNATE

static void digest(struct acme_der der, uint8_t sum[ACME_SHA256_LEN])
{
    struct acme_slice whole = acme_slice(der.at, der.len);
    acme_sha256(&whole, 1, sum);
}

#define note_leaf(c, der) digest((der), (c)->leaf)
#define is_again(c)       ((c)->again)

void acme_chain_again(struct acme_chain *c)
{
    c->again = true;
    c->held = 0;
    acme_pem_init(&c->pem, NULL, 0);
}

static int hold(struct acme_chain *c, struct acme_der der)
{
    uint8_t sum[ACME_SHA256_LEN];

    if (c->held == 0) {
        digest(der, sum);
        if (memcmp(sum, c->leaf, sizeof sum) != 0) {
            return ACME_E_CERT_KEY;
        }
    }
    c->held += der.len;
    return 0;
}

/* The alternate has come in. */
static int end_again(struct acme_chain *c)
{
    struct acme_der rest = {c->memory, c->held}, der = rest;
    struct acme_leaf leaf;
    unsigned rank = c->rank, length = c->count;
    size_t held = c->held;

    if (!acme_der_expect(&rest, ACME_DER_SEQUENCE, &der)) {
        return ACME_E_CERT_SYNTAX; /* nothing has */
    }
    der = (struct acme_der){c->memory, (size_t)(rest.at - c->memory)};
    (void)acme_leaf_parse(&leaf, der.at, der.len); /* take() has done it */
    c->count = 0;
    c->counting = true;
    (void)emit_from_leaf(c, der, &leaf);
    c->counting = false;
    if (c->rank >= rank) {
        c->rank = rank;
        c->count = length;
        return 0;
    }
    c->held = held;
    c->count = 0;
    c->torn = true;
    int err = c->sink(c->sink_ctx, NULL, 0);
    err = err == 0 ? emit_from_leaf(c, der, &leaf) : err;
    c->torn = err != 0;
    return err;
}

#else
#define note_leaf(c, der) ((void)0)
#define is_again(c)       false
#define hold(c, der)      0
#define end_again(c)      0
#endif

static int take_leaf(struct acme_chain *c, const struct acme_leaf *leaf, struct acme_der der)
{
    if (!acme_leaf_names_are(leaf, c->want.names, c->want.name_count, c->want.or_more)) {
        return ACME_E_CERT_NAMES;
    }
    if (leaf->not_after <= leaf->not_before || (c->want.utc != ACME_DATE_NONE && leaf->not_after <= c->want.utc)) {
        return ACME_E_CERT_DATES;
    }
    /* Once in use it is read back as text into no more memory than this: one that does not fit must not be used. */
    if (der.len / 3 * 4 + der.len / ACME_PEM_LINE + 72 > c->cap) {
        return ACME_E_CERT_BIG;
    }
    c->have_leaf = true;
    c->not_before = leaf->not_before;
    c->not_after = leaf->not_after;
    note_leaf(c, der);
    return emit_from_leaf(c, der, leaf);
}

/* Judges a decoded certificate. */
static int take(struct acme_chain *c, struct acme_der der)
{
    struct acme_leaf leaf;
    bool ours;
    int err;

    err = acme_leaf_parse(&leaf, der.at, der.len);
    if (err < 0) {
        return err;
    }
    if (is_again(c)) {
        return hold(c, der);
    }
    ours = acme_leaf_is_for(&leaf, c->want.point);
    if (!c->have_leaf) {
        if (ours) {
            return take_leaf(c, &leaf, der);
        }
        c->held += der.len;
        return 0;
    }
    return ours ? 0 : emit(c, der, &leaf); /* some servers repeat the leaf */
}

int acme_chain_read(struct acme_chain *c, const char *in, size_t len)
{
    size_t used;
    int event = 0;

    for (; len > 0 && event >= 0; in += used, len -= used) {
        event = acme_pem_read(&c->pem, in, len, &used);
        if (event == ACME_PEM_BEGIN) {
            enum acme_pem_kind kind = acme_pem_kind(&c->pem);
            c->pem.der = kind == ACME_PEM_CERTIFICATE ? c->memory + c->held : NULL;
            c->pem.cap = c->cap - c->held;
            event = kind == ACME_PEM_WRAPPED ? ACME_E_CERT_SYNTAX : event;
        } else if (event == ACME_PEM_END && c->pem.der != NULL) {
            struct acme_der der = {c->pem.der, c->pem.len};
            event = take(c, der);
        }
    }
    return event < 0 ? event : 0;
}

#if ACME_CFG_V1 /* or the linker drops it, but the compiler will not inline take() */
int acme_chain_der(struct acme_chain *c, const void *der, size_t len)
{
    struct acme_der whole = {der, len};
    int err = take(c, whole);
    return err == 0 && !c->have_leaf ? ACME_E_CERT_KEY : err;
}
#endif

int acme_chain_end(struct acme_chain *c)
{
    if (!acme_pem_outside(&c->pem)) {
        return ACME_E_CERT_SYNTAX;
    }
    if (is_again(c)) {
        return end_again(c);
    }
    if (c->have_leaf) {
        return 0;
    }
    return c->held > 0 ? ACME_E_CERT_KEY : ACME_E_CERT_SYNTAX;
}
