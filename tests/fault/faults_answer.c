/* faults_answer.c - the bytes of an answer are others than the CA sent, or fewer. */
#include "answers.h"
#include "plans.h"

#include <string.h>

#define BOTH(name) name, name "-on"

/* --- anstrunc: an answer ends at every byte, and seems whole. A head ends with a blank line; a body is shorter, and what
 * frames it agrees. (A connection that is lost is rxcut's.) --- */

enum { WHOLE, CLOSED, TRUNC_WAYS };

static const char *const trunc_kinds[] = {BOTH("whole"), BOTH("closed"), NULL};

static unsigned bytes_decoded(const struct answer *a)
{
    return (unsigned)(a->head_len + a->body_len);
}

static bool truncate_at(const struct answer *a, unsigned item, unsigned way, struct changed *c)
{
    if (item >= a->head_len + a->body_len) {
        return false;
    }
    if (item < a->head_len) { /* nothing follows, or the body */
        put(c, a->text, item);
        put_text(c, "\r\n\r\n");
        put(c, a->body, way == WHOLE ? 0 : a->body_len);
        c->close = way == CLOSED || c->close;
        return true;
    }
    if (way == WHOLE) {
        put_answer(c, a, a->body, item - a->head_len);
        return true;
    }
    size_t start = c->len; /* ends with the connection, cleanly: HTTP as of old */
    put_answer(c, a, "", 0);
    char *framing = strstr(c->text + start, a->chunked ? "Transfer-Encoding" : "Content-Length");
    c->len = (size_t)(framing - c->text);
    put_text(c, "\r\n");
    put(c, a->body, item - a->head_len);
    c->close = true;
    return true;
}

/* --- ansbyte: a byte is another. These eight: NUL, where C ends a string; LF and CR, where HTTP and PEM end a line; the
 * quote and the backslash, where JSON ends a string or begins an escape; the brace, which nests, and is in no URL, nonce or
 * base64; 0xff, which is no text, negative as a char, and in DER a length of 127 bytes; and the byte's neighbour, by one
 * bit: all looks well, but it is another object, length, nonce, name, date or key. --- */

static const char *const byte_kinds[] = {BOTH("nul"),   BOTH("lf"),        BOTH("cr"),
                                         BOTH("quote"), BOTH("backslash"), BOTH("brace"),
                                         BOTH("ff"),    BOTH("neighbour"), NULL};

enum { NEIGHBOUR = 7, BYTE_WAYS };

static unsigned bytes_sent(const struct answer *a)
{
    return (unsigned)a->len;
}

static bool replace(const struct answer *a, unsigned item, unsigned way, struct changed *c)
{
    static const char values[NEIGHBOUR] = {'\0', '\n', '\r', '"', '\\', '{', '\xff'};
    if (item >= a->len) {
        return false;
    }
    char value = way == NEIGHBOUR ? (char)(a->text[item] ^ 1) : values[way];
    put(c, a->text, item);
    put(c, &value, 1);
    put(c, a->text + item + 1, a->len - item - 1);
    return value != a->text[item];
}

/* --- the dimensions --- */

static const struct mutation shorter = {bytes_decoded, truncate_at, TRUNC_WAYS, ROUGH};
static const struct mutation other = {bytes_sent, replace, BYTE_WAYS, RENEWAL};

static unsigned trunc_points(const struct honest *honest)
{
    return answers_points(&shorter, honest);
}

static unsigned byte_points(const struct honest *honest)
{
    return answers_points(&other, honest);
}

static void trunc_prepare(struct trial *t)
{
    answers_prepare(t, &shorter);
}

static void byte_prepare(struct trial *t)
{
    answers_prepare(t, &other);
}

const struct dimension dimension_anstrunc = {
    "anstrunc", trunc_kinds, trunc_points, answers_hook, .prepare = trunc_prepare, .last_scene = EIGHT};
const struct dimension dimension_ansbyte = {
    "ansbyte", byte_kinds, byte_points, answers_hook, .prepare = byte_prepare, .last_scene = EIGHT};
