/* faults_member.c - a member of a JSON answer, at whatever depth, is gone, there twice, of another type, empty, too long or
 * nested too deep. Elements of arrays are members without a name. */
#include "answers.h"
#include "plans.h"

#include <string.h>

#define BOTH(name) name, name "-on"

#define ELSEWHERE "\"https://elsewhere.test/x\""

/* What comes in a member's place. M is all of it, K its name in quotes and the colon, V its value; X is 300 characters, Y 8
 * KiB of them, Q 1,500 numbers, D 40 arrays in each other, O 40 objects, Z a NUL, F the byte 0xff, P the name with its first
 * character escaped; all other characters are themselves. */
#define WAYS(X)                                                                                                      \
    X("removed", "")                                                                                                 \
    X("doubled", "M,M")                                                                                              \
    X("rival-before", "K" ELSEWHERE ",M")                                                                            \
    X("rival-behind", "M,K" ELSEWHERE)                                                                               \
    X("elsewhere", "K" ELSEWHERE)                                                                                    \
    X("no-object", "K\"https://ca.test/order/77\"")                                                                  \
    X("plain-http", "K\"http://ca.test/order/1\"")                                                                   \
    X("string", "K\"x\"")                                                                                            \
    X("emptied", "K\"\"")                                                                                            \
    X("empty-array", "K[]")                                                                                          \
    X("empty-object", "K{}")                                                                                         \
    X("number", "K0")                                                                                                \
    X("huge-number", "K-1e999999")                                                                                   \
    X("null", "Knull")                                                                                               \
    X("true", "Ktrue")                                                                                               \
    X("false", "Kfalse")                                                                                             \
    X("in-array", "K[V]")                                                                                            \
    X("in-object", "K{\"a\":V}")                                                                                     \
    X("300", "K\"X\"")                                                                                               \
    X("300-url", "K\"https://ca.test/X\"")                                                                           \
    X("8k", "K\"Y\"")                                                                                                \
    X("8k-of-escapes", "K\"\\u0041Y\"")                                                                              \
    X("many", "K[Q]")                                                                                                \
    X("deep-arrays", "KD")                                                                                           \
    X("deep-objects", "KO")                                                                                          \
    X("nul-escaped", "K\"a\\u0000b\"")                                                                               \
    X("nul", "K\"aZb\"")                                                                                             \
    X("line-inside", "K\"a\nb\"")                                                                                    \
    X("surrogate", "K\"\\ud800\"")                                                                                   \
    X("not-utf-8", "K\"aFb\"")                                                                                       \
    X("bare", "Kvalid")                                                                                              \
    X("no-value", "K")                                                                                               \
    X("no-name", "\"\":V")                                                                                           \
    X("name-escaped", "P")                                                                                           \
    X("comma", "M,")                                                                                                 \
    X("unclosed", "K[V")                                                                                             \
    X("closed-twice", "M}")

#define KINDS(name, form) BOTH(name),
#define FORM(name, form)  form,

static const char *const kinds[] = {WAYS(KINDS) NULL};
static const char *const forms[] = {WAYS(FORM)};

/* --- finding --- */

#define PARTS_MAX 64
#define DEPTH_MAX 8

/* Of a body: name (or value) from, value from, behind the value. */
struct part {
    size_t start, value, end;
};

static size_t over_string(const char *text, size_t at)
{
    for (at++; text[at] != '"'; at++) {
        at += text[at] == '\\';
    }
    return at + 1;
}

static size_t over_blanks(const char *text, size_t at)
{
    return at + strspn(text + at, " \t\r\n");
}

/* Finds the members of a body of the scripted CA, which is good JSON; of anything else there are none. */
static unsigned find_parts(const struct answer *a, struct part part[PARTS_MAX])
{
    unsigned count = 0, depth = 0, open[DEPTH_MAX];
    char text[sizeof a->body + 1];
    memcpy(text, a->body, a->body_len);
    text[a->body_len] = '\0';
    if (text[0] != '{') {
        return 0;
    }
    bool in_object[DEPTH_MAX] = {true};
    size_t at = over_blanks(text, 1);
    for (;;) {
        /* here a member begins, or its container ends */
        if (text[at] != '}' && text[at] != ']') {
            assert_true(count < PARTS_MAX);
            open[depth] = count;
            part[count].start = at;
            if (in_object[depth]) {
                at = over_blanks(text, over_blanks(text, over_string(text, at)) + 1);
            }
            part[count++].value = at;
            if (text[at] == '{' || text[at] == '[') {
                assert_true(depth + 1 < DEPTH_MAX);
                in_object[++depth] = text[at] == '{';
                at = over_blanks(text, at + 1);
                continue;
            }
            at = text[at] == '"' ? over_string(text, at) : at + strcspn(text + at, ",]} \t\r\n");
            part[open[depth]].end = at;
        }
        for (at = over_blanks(text, at); text[at] == '}' || text[at] == ']'; at = over_blanks(text, at)) {
            at++;
            if (depth-- == 0) {
                return count;
            }
            part[open[depth]].end = at;
        }
        at = over_blanks(text, at + (text[at] == ','));
    }
}

static unsigned members(const struct answer *a)
{
    struct part part[PARTS_MAX];
    return find_parts(a, part);
}

/* --- writing --- */

static void put_escaped(struct changed *c, const char *name)
{
    static const char digits[] = "0123456789abcdef";
    char escape[7] = {'\\', 'u', '0', '0', digits[(name[1] >> 4) & 7], digits[name[1] & 15], '\0'};
    put_text(c, "\"");
    put_text(c, escape);
}

static void put_letter(struct changed *c, char letter, const char *text, const struct part *p)
{
    switch (letter) {
    case 'M':
        put(c, text + p->start, p->end - p->start);
        break;
    case 'K':
        put(c, text + p->start, p->value - p->start);
        break;
    case 'V':
        put(c, text + p->value, p->end - p->value);
        break;
    case 'P':
        if (text[p->start] == '"') {
            put_escaped(c, text + p->start);
            put(c, text + p->start + 2, p->end - p->start - 2);
        } else {
            put(c, text + p->start, p->end - p->start);
        }
        break;
    case 'X':
        put_many(c, "0123456789", 30);
        break;
    case 'Y':
        put_many(c, "0123456789abcdef", 512);
        break;
    case 'Q':
        put_many(c, "1,", 1499);
        put_text(c, "1");
        break;
    case 'D':
        put_many(c, "[", 40);
        put_many(c, "]", 40);
        break;
    case 'O':
        put_many(c, "{\"a\":", 40);
        put_text(c, "1");
        put_many(c, "}", 40);
        break;
    case 'Z':
        put(c, "", 1);
        break;
    case 'F':
        put(c, "\xff", 1);
        break;
    default:
        put(c, &letter, 1);
        break;
    }
}

/* Nothing takes one comma with it. */
static void take_comma(const char *body, struct part *p)
{
    size_t at = over_blanks(body, p->end);
    if (body[at] == ',') {
        p->end = at + 1;
        return;
    }
    for (at = p->start; at > 0 && strchr(" \t\r\n", body[at - 1]) != NULL; at--) {
    }
    p->start = at > 0 && body[at - 1] == ',' ? at - 1 : p->start;
}

static bool rewrite(const struct answer *a, unsigned item, unsigned way, struct changed *c)
{
    static struct changed body;
    struct part part[PARTS_MAX];
    if (item >= find_parts(a, part)) {
        return false;
    }
    struct part *p = &part[item];
    if (forms[way][0] == '\0') {
        take_comma(a->body, p);
    }
    body.len = 0;
    put(&body, a->body, p->start);
    for (const char *form = forms[way]; *form != '\0'; form++) {
        put_letter(&body, *form, a->body, p);
    }
    put(&body, a->body + p->end, a->body_len - p->end);
    put_answer(c, a, body.text, body.len);
    return true;
}

/* --- the dimension --- */

static const struct mutation member = {members, rewrite, sizeof forms / sizeof forms[0], ROUGH};

static unsigned points(const struct honest *honest)
{
    return answers_points(&member, honest);
}

static void prepare(struct trial *t)
{
    answers_prepare(t, &member);
}

const struct dimension dimension_member = {"member",           kinds, points, answers_hook, .prepare = prepare,
                                           .last_scene = EIGHT};
