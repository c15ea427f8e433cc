/* pem.c - see pem.h. */
#include "pem.h"

#include "base64.h"

enum state { OUTSIDE, TEXT_LINE, LABEL, DASHES, CONTENTS, END_LINE };

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";
static const char dashes[] = "-----";

void acme_pem_init(struct acme_pem *p, void *der, size_t cap)
{
    memset(p, 0, sizeof *p);
    p->der = der;
    p->cap = cap;
    p->state = OUTSIDE;
}

bool acme_pem_outside(const struct acme_pem *p)
{
    return p->state < CONTENTS;
}

static void to(struct acme_pem *p, enum state state)
{
    p->state = (uint8_t)state;
    p->matched = 0;
}

/* Bytes before a block: nothing here is an error, what is not a BEGIN line is text. */
static int before_block(struct acme_pem *p, char c)
{
    if (c == '\n' || c == '\r') {
        bool begins = p->state == DASHES && p->matched == sizeof dashes - 1;
        to(p, begins ? CONTENTS : OUTSIDE);
        return begins ? ACME_PEM_BEGIN : ACME_PEM_MORE;
    }
    if (p->state == OUTSIDE) {
        if (c != begin[p->matched]) {
            to(p, TEXT_LINE);
        } else if (++p->matched == sizeof begin - 1) {
            to(p, LABEL);
            p->label_len = 0;
        }
    } else if (p->state == LABEL && c != '-') {
        p->label[p->label_len++] = c;
        if (p->label_len == sizeof p->label) {
            to(p, TEXT_LINE);
        }
    } else if (p->state == LABEL) {
        p->label[p->label_len] = '\0';
        to(p, DASHES);
        p->matched = 1;
    } else if (p->state == DASHES && c == '-' && p->matched < sizeof dashes - 1) {
        p->matched++;
    } else if (p->state == DASHES && c != ' ' && c != '\t') {
        to(p, TEXT_LINE);
    }
    return ACME_PEM_MORE;
}

static int contents(struct acme_pem *p, char c)
{
    unsigned value = acme_base64_value(c);
    size_t bytes;

    if (p->der == NULL || (value == ACME_BASE64_SPACE)) {
        return ACME_PEM_MORE;
    }
    if (value == ACME_BASE64_BAD || (value == ACME_BASE64_PADDING ? p->quad < 2 : p->pads > 0)) {
        return ACME_E_CERT_SYNTAX;
    }
    p->bits = p->bits << 6 | (value & 63u);
    p->pads = (uint8_t)(p->pads + (value == ACME_BASE64_PADDING));
    if (++p->quad < 4) {
        return ACME_PEM_MORE;
    }
    p->quad = 0;
    bytes = 3u - p->pads;
    if (bytes > p->cap - p->len) {
        return ACME_E_CERT_BIG;
    }
    for (size_t i = 0; i < bytes; i++) {
        p->der[p->len++] = (uint8_t)(p->bits >> (16 - 8 * i));
    }
    return ACME_PEM_MORE;
}

/* The END line, which must repeat the label; the block is over with its last dash. */
static int end_line(struct acme_pem *p, char c)
{
    size_t at = p->matched++;
    char want;

    if (at < sizeof end - 1) {
        want = end[at];
    } else if (at - (sizeof end - 1) < p->label_len) {
        want = p->label[at - (sizeof end - 1)];
    } else {
        want = '-';
    }
    if (c != want) {
        return ACME_E_CERT_SYNTAX;
    }
    if (p->matched < sizeof end - 1 + p->label_len + sizeof dashes - 1) {
        return ACME_PEM_MORE;
    }
    to(p, TEXT_LINE);
    return p->quad == 0 ? ACME_PEM_END : ACME_E_CERT_SYNTAX;
}

int acme_pem_read(struct acme_pem *p, const char *in, size_t len, size_t *used)
{
    int event = ACME_PEM_MORE;
    size_t i = 0;

    while (i < len && event == ACME_PEM_MORE) {
        char c = in[i++];
        if (p->state < CONTENTS) {
            event = before_block(p, c);
            if (event == ACME_PEM_BEGIN) {
                p->len = 0;
                p->quad = 0;
                p->pads = 0;
            }
        } else if (p->state == END_LINE || c == '-') {
            p->state = END_LINE;
            event = end_line(p, c);
        } else {
            event = contents(p, c);
        }
    }
    *used = i;
    return event;
}

void acme_pem_edge(struct acme_out *o, const char *edge, const char *label)
{
    acme_out_text(o, dashes);
    acme_out_text(o, edge);
    acme_out_text(o, " ");
    acme_out_text(o, label);
    acme_out_text(o, dashes);
    acme_out_text(o, "\n");
}

void acme_pem_line(struct acme_out *o, const uint8_t *der, size_t len)
{
    acme_out_base64(o, der, len, "+/");
    acme_out_bytes(o, "==", (3 - len % 3) % 3);
    acme_out_text(o, "\n");
}

void acme_pem_write(struct acme_out *o, const char *label, const void *der, size_t len)
{
    const uint8_t *at = der;

    acme_pem_edge(o, "BEGIN", label);
    for (size_t i = 0; i < len; i += ACME_PEM_LINE) {
        acme_pem_line(o, at + i, len - i < ACME_PEM_LINE ? len - i : ACME_PEM_LINE);
    }
    acme_pem_edge(o, "END", label);
}
