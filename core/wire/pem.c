/* pem.c - see pem.h. */
#include "pem.h"

#include "base64.h"

enum state { OUTSIDE, CONTENTS, END_LINE };

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";
static const char dashes[] = "-----";

#define TEXT_LINE UINT8_MAX /* `matched` on a line that begins no block */

void acme_pem_init(struct acme_pem *p, void *der, size_t cap)
{
    memset(p, 0, sizeof *p);
    p->der = der;
    p->cap = cap;
}

bool acme_pem_outside(const struct acme_pem *p)
{
    return p->state == OUTSIDE;
}

/* Judges the line gathered in `label`, and leaves only its label there. */
static bool begins(struct acme_pem *p)
{
    size_t head = sizeof begin - 1;

    if (p->matched == TEXT_LINE || p->matched < head || memcmp(p->label, begin, head) != 0) {
        return false;
    }
    struct acme_slice rest = acme_slice(p->label + head, p->matched - head);
    size_t len = acme_slice_find(rest, '-');
    rest = acme_slice(rest.at + len, rest.len - len);
    acme_slice_trim(&rest);
    if (!acme_slice_is(rest, dashes)) {
        return false;
    }
    memmove(p->label, p->label + head, len);
    p->label[len] = '\0';
    p->label_len = (uint8_t)len;
    return true;
}

/* Bytes before a block: nothing here is an error, what is not a BEGIN line is text. */
static int before_block(struct acme_pem *p, char c)
{
    if (c == '\n' || c == '\r') {
        bool block = begins(p);
        p->matched = 0;
        if (!block) {
            return ACME_PEM_MORE;
        }
        p->state = CONTENTS;
        p->len = 0;
        p->quad = 0;
        p->pads = 0;
        return ACME_PEM_BEGIN;
    }
    if (p->matched < sizeof p->label) {
        p->label[p->matched++] = c;
    } else if (!acme_is_blank(c)) {
        p->matched = TEXT_LINE;
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
    p->state = OUTSIDE;
    p->matched = TEXT_LINE;
    return p->quad == 0 ? ACME_PEM_END : ACME_E_CERT_SYNTAX;
}

int acme_pem_read(struct acme_pem *p, const char *in, size_t len, size_t *used)
{
    int event = ACME_PEM_MORE;
    size_t i = 0;

    while (i < len && event == ACME_PEM_MORE) {
        char c = in[i++];
        if (p->state == OUTSIDE) {
            event = before_block(p, c);
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

void acme_pem_edge(struct acme_out *o, enum acme_pem_event edge, const char *label)
{
    acme_out_text(o, edge == ACME_PEM_BEGIN ? begin : end);
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

    acme_pem_edge(o, ACME_PEM_BEGIN, label);
    for (size_t i = 0; i < len; i += ACME_PEM_LINE) {
        acme_pem_line(o, at + i, len - i < ACME_PEM_LINE ? len - i : ACME_PEM_LINE);
    }
    acme_pem_edge(o, ACME_PEM_END, label);
}
