/* pem.c - see pem.h. */
#include "pem.h"

#include "base64.h"

enum state { OUTSIDE, LABEL, CONTENTS, END_LINE };

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";
static const char dashes[] = "-----";

/* `matched` outside of a block: how much of a BEGIN line there is; */
#define OF_END    0x10      /* with this: of an END line, behind the dashes */
#define TEXT_LINE UINT8_MAX /* the line is neither */

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

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

/* The line turned out to be no line of ours. */
static void is_text(struct acme_pem *p, char c)
{
    p->state = OUTSIDE;
    p->matched = ends_line(c) ? 0 : TEXT_LINE;
}

/* True for what may stand before a line: blanks, and the bytes of a byte order mark. */
static bool is_lead(char c)
{
    return acme_is_blank(c) || c == '\xef' || c == '\xbb' || c == '\xbf';
}

/* Bytes before a block: text, but for a line that begins as BEGIN does. An END line is one whose BEGIN line was
 * damaged: what it would have ended must not be left out silently. */
static int before_block(struct acme_pem *p, char c)
{
    size_t at = p->matched & (OF_END - 1);

    if ((p->matched == 0 && is_lead(c)) || (p->matched == sizeof dashes - 1 && c == '-')) {
        return ACME_PEM_MORE;
    }
    if (p->matched == sizeof dashes - 1 && c == end[sizeof dashes - 1]) {
        p->matched |= OF_END;
    }
    if (p->matched == TEXT_LINE || c != (p->matched < OF_END ? begin : end)[at]) {
        is_text(p, c);
    } else if (++p->matched == (OF_END | (sizeof end - 1))) {
        p->matched = TEXT_LINE;
        return ACME_E_CERT_SYNTAX;
    } else if (p->matched == sizeof begin - 1) {
        p->state = LABEL;
        p->matched = 0;
        p->label_len = 0;
    }
    return ACME_PEM_MORE;
}

/* The label, of which the beginning is kept, and the dashes behind it, of which the last begins the block. */
static int label(struct acme_pem *p, char c)
{
    if (c == '-') {
        p->matched++;
    } else if (p->matched > 0 || ends_line(c)) {
        is_text(p, c);
    } else if (p->label_len < sizeof p->label - 1) {
        p->label[p->label_len++] = c;
    }
    if (p->matched < sizeof dashes - 1 || p->state != LABEL) {
        return ACME_PEM_MORE;
    }
    p->label[p->label_len] = '\0';
    p->state = CONTENTS;
    p->matched = 0;
    p->len = 0;
    p->quad = 0;
    p->pads = 0;
    return ACME_PEM_BEGIN;
}

/* What is left of a block that is damaged, or too long, is read over. */
static int give_up(struct acme_pem *p, int error)
{
    p->der = NULL;
    p->quad = 0;
    return error;
}

static int contents(struct acme_pem *p, char c)
{
    unsigned value = acme_base64_value(c);
    size_t bytes;

    if (p->der == NULL || (value == ACME_BASE64_SPACE)) {
        return ACME_PEM_MORE;
    }
    if (value == ACME_BASE64_BAD || (value == ACME_BASE64_PADDING ? p->quad < 2 : p->pads > 0)) {
        return give_up(p, ACME_E_CERT_SYNTAX);
    }
    p->bits = p->bits << 6 | (value & 63u);
    p->pads = (uint8_t)(p->pads + (value == ACME_BASE64_PADDING));
    if (++p->quad < 4) {
        return ACME_PEM_MORE;
    }
    p->quad = 0;
    bytes = 3u - p->pads;
    if (bytes > p->cap - p->len) {
        return give_up(p, ACME_E_CERT_BIG);
    }
    for (size_t i = 0; i < bytes; i++) {
        p->der[p->len++] = (uint8_t)(p->bits >> (16 - 8 * i));
    }
    return ACME_PEM_MORE;
}

/* Not the END line that was due: a dash in what is contents, the BEGIN line of the next block, or another END line. */
static int not_the_end(struct acme_pem *p, size_t at, char c)
{
    if (at < sizeof dashes - 1) {
        p->state = CONTENTS;
        p->matched = 0;
        return p->der == NULL ? ACME_PEM_MORE : give_up(p, ACME_E_CERT_SYNTAX);
    }
    is_text(p, c);
    if (at == sizeof dashes - 1 && c == begin[at]) {
        p->matched = (uint8_t)(at + 1);
    }
    return ACME_E_CERT_SYNTAX;
}

/* The END line, which must repeat the label; the block is over with its last dash, and another line may follow at once. */
static int end_line(struct acme_pem *p, char c)
{
    size_t at = p->matched++;
    size_t of_label = at - (sizeof end - 1); /* wraps before the label */
    char want = '-';

    if (at < sizeof end - 1) {
        want = end[at];
    } else if (of_label < p->label_len) {
        want = p->label[of_label];
    } else if (of_label == sizeof p->label - 1 && c != '-') {
        p->matched--; /* what was not kept of a long label */
        return ends_line(c) ? not_the_end(p, at, c) : ACME_PEM_MORE;
    }
    if (c != want) {
        return not_the_end(p, at, c);
    }
    if (p->matched < sizeof end - 1 + p->label_len + sizeof dashes - 1) {
        return ACME_PEM_MORE;
    }
    p->state = OUTSIDE;
    p->matched = 0;
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
        } else if (p->state == LABEL) {
            event = label(p, c);
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

enum acme_pem_kind acme_pem_kind(const struct acme_pem *p)
{
    static const char certificate[] = "CERTIFICATE";
    size_t head = p->label_len - (sizeof certificate - 1); /* wraps when shorter */

    if (p->label_len >= sizeof certificate - 1 && strcmp(p->label + head, certificate) == 0) {
        return head == 0 || p->label[0] == 'X' ? ACME_PEM_CERTIFICATE : ACME_PEM_WRAPPED;
    }
    return strcmp(p->label, "PKCS7") == 0 || strcmp(p->label, "CMS") == 0 ? ACME_PEM_WRAPPED : ACME_PEM_OTHER;
}

void acme_pem_edge(struct acme_out *o, enum acme_pem_event edge, const char *name)
{
    acme_out_text(o, edge == ACME_PEM_BEGIN ? begin : end);
    acme_out_text(o, name);
    acme_out_text(o, dashes);
    acme_out_text(o, "\n");
}

void acme_pem_line(struct acme_out *o, const uint8_t *der, size_t len)
{
    acme_out_base64(o, der, len, "+/");
    acme_out_bytes(o, "==", (3 - len % 3) % 3);
    acme_out_text(o, "\n");
}

void acme_pem_write(struct acme_out *o, const char *name, const void *der, size_t len)
{
    const uint8_t *at = der;

    acme_pem_edge(o, ACME_PEM_BEGIN, name);
    for (size_t i = 0; i < len; i += ACME_PEM_LINE) {
        acme_pem_line(o, at + i, len - i < ACME_PEM_LINE ? len - i : ACME_PEM_LINE);
    }
    acme_pem_edge(o, ACME_PEM_END, name);
}
