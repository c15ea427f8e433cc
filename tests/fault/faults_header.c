/* faults_header.c - a line of an answer's head is gone, there twice, empty, endless, or written as nobody should. */
#define _GNU_SOURCE /* memmem */
#include "answers.h"
#include "plans.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define BOTH(name) name, name "-on"

/* What comes in a line's place. L is the line without its end, N its name and V its value, U and I the name in capital and
 * small letters, R a value that says something else, K 8 KiB of x, B 8 KiB of blanks, Z a NUL; E is CR LF; all other
 * characters are themselves. */
#define WAYS(X)                                                                                                      \
    X("removed", "")                                                                                                 \
    X("doubled", "LELE")                                                                                             \
    X("rival", "N: RE")                                                                                              \
    X("rival-before", "N: RELE")                                                                                     \
    X("rival-behind", "LEN: RE")                                                                                     \
    X("emptied", "N:E")                                                                                              \
    X("blank", "N: \t E")                                                                                            \
    X("8k", "N: KE")                                                                                                 \
    X("8k-behind", "LKE")                                                                                            \
    X("8k-of-blanks-before", "N:BVE")                                                                                \
    X("8k-of-blanks-behind", "LBE")                                                                                  \
    X("8k-name", "NK: VE")                                                                                           \
    X("8k-line-before", "x-new: KELE")                                                                               \
    X("folded", "N:E VE")                                                                                            \
    X("folded-behind", "LE xE")                                                                                      \
    X("folded-empty", "LE E")                                                                                        \
    X("blank-first", " LE")                                                                                          \
    X("nul-behind", "LZxE")                                                                                          \
    X("nul-before", "N: ZVE")                                                                                        \
    X("nul-in-name", "NZ: VE")                                                                                       \
    X("bare-lf", "L\n")                                                                                              \
    X("bare-cr", "L\r")                                                                                              \
    X("cr-cr-lf", "L\rE")                                                                                            \
    X("cr-inside", "N: \rVE")                                                                                        \
    X("lf-inside", "N: \nVE")                                                                                        \
    X("upper", "U: VE")                                                                                              \
    X("lower", "I: VE")                                                                                              \
    X("blanks-around", "N: \t V \t E")                                                                               \
    X("blank-before-colon", "N : VE")                                                                                \
    X("no-blank", "N:VE")                                                                                            \
    X("no-colon", "N VE")                                                                                            \
    X("no-name", ": VE")                                                                                             \
    X("listed", "N: V, VE")                                                                                          \
    X("listed-rival", "N: R, VE")                                                                                    \
    X("quoted", "N: \"V\"E")                                                                                         \
    X("minus", "N: -VE")                                                                                             \
    X("plus", "N: +VE")                                                                                              \
    X("hex", "N: 0xVE")                                                                                              \
    X("digits", "N: 18446744073709551616E")                                                                          \
    X("high", "N: V\xff"                                                                                             \
              "E")

#define KINDS(name, form) BOTH(name),
#define FORM(name, form)  form,

static const char *const kinds[] = {WAYS(KINDS) NULL};
static const char *const forms[] = {WAYS(FORM)};

/* --- finding --- */

static unsigned lines(const struct answer *a)
{
    unsigned n = 0;
    for (size_t i = 0; i + 2 < a->head_len; i++) {
        n += a->text[i] == '\n';
    }
    return n;
}

struct line {
    char name[64], value[4096], other[64];
};

/* A value that says something else. */
static void set_rival(struct line *l)
{
    static const char *const rivals[][2] = {{"content-length", "0"},
                                            {"replay-nonce", "rival_nonce-AAAA"},
                                            {"location", "https://elsewhere.test/x"},
                                            {"retry-after", "999999999999"},
                                            {"content-type", "application/problem+json"},
                                            {"connection", "keep-alive"},
                                            {"transfer-encoding", "gzip"}};
    strcpy(l->other, "404 Rival");
    for (unsigned i = 0; i < sizeof rivals / sizeof rivals[0]; i++) {
        if (strcasecmp(l->name, rivals[i][0]) == 0) {
            strcpy(l->other, rivals[i][1]);
        }
    }
}

/* The status line counts as one whose name ends with its first blank. */
static void split(struct line *l, const char *at, size_t len)
{
    size_t name = strcspn(at, ": ");
    memcpy(l->name, at, name);
    l->name[name] = '\0';
    at += name + 1;
    len -= name + 1;
    while (len > 0 && strchr(" \t", *at) != NULL) {
        at++;
        len--;
    }
    memcpy(l->value, at, len);
    l->value[len] = '\0';
    set_rival(l);
}

/* --- writing --- */

static void put_name(struct changed *c, const char *name, bool upper)
{
    for (; *name != '\0'; name++) {
        char letter = (char)(upper ? toupper((unsigned char)*name) : tolower((unsigned char)*name));
        put(c, &letter, 1);
    }
}

static void put_letter(struct changed *c, char letter, const struct line *l, const char *line, size_t len)
{
    switch (letter) {
    case 'L':
        put(c, line, len);
        break;
    case 'N':
        put_text(c, l->name);
        break;
    case 'V':
        put_text(c, l->value);
        break;
    case 'U':
    case 'I':
        put_name(c, l->name, letter == 'U');
        break;
    case 'R':
        put_text(c, l->other);
        break;
    case 'K':
        put_many(c, "xxxxxxxxxxxxxxxx", 512);
        break;
    case 'B':
        put_many(c, " \t              ", 512);
        break;
    case 'Z':
        put(c, "", 1);
        break;
    case 'E':
        put_text(c, "\r\n");
        break;
    default:
        put(c, &letter, 1);
        break;
    }
}

static bool rewrite(const struct answer *a, unsigned item, unsigned way, struct changed *c)
{
    static struct line l;
    const char *at = a->text;
    if (item >= lines(a)) {
        return false;
    }
    for (; item > 0; item--) {
        at = strchr(at, '\n') + 1;
    }
    size_t len = strcspn(at, "\r");
    split(&l, at, len);
    put(c, a->text, (size_t)(at - a->text));
    for (const char *form = forms[way]; *form != '\0'; form++) {
        put_letter(c, *form, &l, at, len);
    }
    put(c, at + len + 2, a->len - (size_t)(at + len + 2 - a->text));
    return true;
}

/* --- the dimension --- */

static const struct mutation header = {lines, rewrite, sizeof forms / sizeof forms[0], ROUGH};

static unsigned points(const struct honest *honest)
{
    return answers_points(&header, honest);
}

static void prepare(struct trial *t)
{
    answers_prepare(t, &header);
}

const struct dimension dimension_header = {"header",           kinds, points, answers_hook, .prepare = prepare,
                                           .last_scene = EIGHT};
