/* script.c - see script.h. */
#include "script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme_error.h"

#define SPACES " \t"

static const char *const kinds[CA_KINDS] = {
    "directory", "newNonce", "newAccount", "newOrder", "order",  "authz",  "challenge", "finalize", "certificate",
    "newReg",    "reg",      "newAuthz",   "newCert",  "issuer", "revoke", "account",   "keyChange"};

static const struct {
    const char *name;
    int value;
} errors[] = {
#define ROW(name, value, retry, meaning, cause) {#name, value},
    ACME_ERRORS(ROW)
#undef ROW
        {"endless", ENGINE_ENDLESS}};

enum type { FLAG, NUMBER, TEXT };

/* What `ca` and `client` can set: members of struct ca_plan and struct engine_way by their names. */
struct setting {
    const char *name;
    enum type type;
    size_t at;
};

#define OF_CA(member, type)                                                                                          \
    {                                                                                                                \
#member, type, offsetof(struct ca_plan, member)                                                              \
    }
#define OF_CLIENT(member, type)                                                                                      \
    {                                                                                                                \
#member, type, offsetof(struct engine_way, member)                                                           \
    }

static const struct setting of_ca[] = {OF_CA(born_valid, NUMBER),
                                       OF_CA(authz_looks, NUMBER),
                                       OF_CA(authz_end, TEXT),
                                       OF_CA(challenge, TEXT),
                                       OF_CA(failures, NUMBER),
                                       OF_CA(lag, NUMBER),
                                       OF_CA(processing, NUMBER),
                                       OF_CA(born, TEXT),
                                       OF_CA(not_pending, TEXT),
                                       OF_CA(reversed, FLAG),
                                       OF_CA(forgetful, FLAG),
                                       OF_CA(code202, FLAG),
                                       OF_CA(shuffled, FLAG),
                                       OF_CA(minimal, FLAG),
                                       OF_CA(one_shot, FLAG),
                                       OF_CA(close, FLAG),
                                       OF_CA(mute, FLAG),
                                       OF_CA(chunked, FLAG),
                                       OF_CA(reuse, FLAG),
                                       OF_CA(nonce_len, NUMBER),
                                       OF_CA(other_host, TEXT),
                                       OF_CA(eab_kid, TEXT),
                                       OF_CA(eab_key, TEXT),
                                       OF_CA(manage, FLAG),
                                       OF_CA(shows_contact, FLAG),
                                       OF_CA(profiles, TEXT),
                                       OF_CA(ari, FLAG),
                                       OF_CA(issued, TEXT),
                                       OF_CA(account_limit, NUMBER),
                                       OF_CA(order_limit, NUMBER),
                                       OF_CA(limit_s, NUMBER),
                                       OF_CA(limit_lasts, NUMBER),
                                       OF_CA(stale, NUMBER),
                                       OF_CA(stranger, FLAG),
                                       OF_CA(begun, FLAG),
                                       OF_CA(starts_in, NUMBER),
                                       OF_CA(shows_processing, FLAG),
                                       OF_CA(v1, FLAG),
                                       OF_CA(draft, FLAG),
                                       OF_CA(account, TEXT),
                                       OF_CA(up, TEXT),
                                       OF_CA(redirects, NUMBER)};

static const struct setting of_client[] = {
    OF_CLIENT(directory_url, TEXT), OF_CLIENT(resumed, TEXT),    OF_CLIENT(down_after, NUMBER),
    OF_CLIENT(unclean, FLAG),       OF_CLIENT(no_terms, FLAG),   OF_CLIENT(contact, TEXT),
    OF_CLIENT(work, NUMBER),        OF_CLIENT(unanswered, FLAG), OF_CLIENT(finalized, FLAG),
    OF_CLIENT(known, FLAG),         OF_CLIENT(certid, TEXT),     OF_CLIENT(profile, TEXT),
    OF_CLIENT(optional, FLAG),      OF_CLIENT(old_key, FLAG),    OF_CLIENT(eab_kid, TEXT),
    OF_CLIENT(eab_secret, TEXT),    OF_CLIENT(told, TEXT),       OF_CLIENT(prefers, TEXT),
    OF_CLIENT(tidy, FLAG)};

const char *script_kind(enum ca_kind kind)
{
    return kinds[kind];
}

const char *script_error(int error)
{
    for (size_t i = 0; i < LEN(errors); i++) {
        if (errors[i].value == error) {
            return errors[i].name;
        }
    }
    return error == 0 ? "certificate" : "?";
}

/* --- texts */

static bool wrong(struct script *s, unsigned line, const char *what, const char *about)
{
    snprintf(s->error, sizeof s->error, "%s:%u: %s%s%.100s", s->path, line, what, about[0] ? ": " : "", about);
    return false;
}

static char *keep(struct script *s, const char *text, size_t len)
{
    char *at = s->arena + s->used;
    if (s->used + len + 1 > sizeof s->arena) {
        return NULL;
    }
    memcpy(at, text, len);
    at[len] = '\0';
    s->used += len + 1;
    return at;
}

/* The next word of *at, which moves behind it; NULL at the end. */
static const char *word(struct script *s, const char **at)
{
    *at += strspn(*at, SPACES);
    size_t len = strcspn(*at, SPACES);
    const char *w = len > 0 ? keep(s, *at, len) : NULL;
    *at += len;
    *at += strspn(*at, SPACES);
    return w;
}

static bool blank(const char *line)
{
    return line[strspn(line, SPACES)] == '\0';
}

static bool inner(const char *line)
{
    return line[0] == ' ' || line[0] == '\t';
}

/* <x*N> stands for N times x. */
static size_t repeat(char *out, size_t cap, const char *at, size_t *used)
{
    const char *star = at[0] == '<' ? strchr(at, '*') : NULL;
    char *end = NULL;
    unsigned long times = star == NULL || star - at > 20 ? 0 : strtoul(star + 1, &end, 10);
    size_t len = star == NULL ? 0 : (size_t)(star - at) - 1;
    *used = 0;
    if (times == 0 || *end != '>' || memchr(at + 1, '<', len) != NULL || times * len >= cap) {
        return 0;
    }
    for (unsigned long i = 0; i < times; i++) {
        memcpy(out + i * len, at + 1, len);
    }
    *used = (size_t)(end + 1 - at);
    return times * len;
}

/* The cell of this variant that $name stands for. */
static const char *cell(const struct script *s, unsigned variant, const char *name, size_t len)
{
    for (unsigned t = 0; t < s->table_count; variant /= s->table[t++].rows) {
        for (unsigned c = 0; c < s->table[t].columns; c++) {
            if (strlen(s->table[t].name[c]) == len && memcmp(s->table[t].name[c], name, len) == 0) {
                return s->table[t].cell[variant % s->table[t].rows][c];
            }
        }
    }
    return NULL;
}

/* A line with all its $names and <x*N> written out; NULL: error. */
static const char *expand(struct script *s, unsigned variant, unsigned number, const char *line)
{
    static char out[20000];
    size_t at = 0;
    while (*line != '\0' && at < sizeof out - 1) {
        size_t used = 0, len = 1;
        if (*line == '$') {
            for (len = 1; isalpha((unsigned char)line[len]) || line[len] == '_'; len++) {
            }
            const char *text = cell(s, variant, line + 1, len - 1);
            if (text == NULL || strlen(text) >= sizeof out - at) {
                (void)wrong(s, number, "no table has this name", line);
                return NULL;
            }
            at += (size_t)snprintf(out + at, sizeof out - at, "%s", text);
            line += len;
            continue;
        }
        len = repeat(out + at, sizeof out - at, line, &used);
        at += len;
        if (used == 0) {
            out[at++] = *line;
            used = 1;
        }
        line += used;
    }
    const char *kept = keep(s, out, at);
    if (kept == NULL) {
        (void)wrong(s, number, "the script is too long", "");
    }
    return kept;
}

/* --- whole files */

static bool table_row(struct script *s, struct script_table *t, unsigned number, char *line, const char **cells)
{
    unsigned count = 0;
    for (char *at = line; at != NULL;) {
        char *bar = strstr(at, " | ");
        bar = bar == NULL && strlen(at) >= 2 && strcmp(at + strlen(at) - 2, " |") == 0 ? at + strlen(at) - 2 : bar;
        if (count == SCRIPT_COLUMNS) {
            return wrong(s, number, "too many columns", "");
        }
        char *next = bar == NULL ? NULL : bar + strlen(bar) < bar + 3 ? bar + strlen(bar) : bar + 3;
        if (bar != NULL) {
            *bar = '\0';
        }
        size_t len = strlen(at), skip = strspn(at, SPACES);
        while (len > skip && strchr(SPACES, at[len - 1]) != NULL) {
            at[--len] = '\0';
        }
        cells[count++] = at + skip;
        at = next;
    }
    return t->columns == 0 || count == t->columns || wrong(s, number, "another number of columns than above", "");
}

/* `each name | name`, and its rows below. */
static bool read_table(struct script *s, unsigned *i)
{
    if (s->table_count == SCRIPT_TABLES) {
        return wrong(s, *i + 1, "too many tables", "");
    }
    struct script_table *t = &s->table[s->table_count++];
    char *head = keep(s, s->line[*i] + 5, strlen(s->line[*i] + 5));
    if (!table_row(s, t, *i + 1, head, t->name)) {
        return false;
    }
    while (t->columns < SCRIPT_COLUMNS && t->name[t->columns] != NULL) {
        t->columns++;
    }
    for (++*i; *i < s->line_count && inner(s->line[*i]); ++*i) {
        if (t->rows == SCRIPT_ROWS) {
            return wrong(s, *i + 1, "too many rows", "");
        }
        char *row = keep(s, s->line[*i], strlen(s->line[*i]));
        if (!table_row(s, t, *i + 1, row, t->cell[t->rows++])) {
            return false;
        }
    }
    return t->rows > 0 || wrong(s, *i, "a table without rows", "");
}

static bool read_covers(struct script *s, unsigned number, const char *at)
{
    const char *w = word(s, &at);
    while (w != NULL) {
        char *end;
        unsigned long n = strtoul(w, &end, 10);
        if (*end != '\0' || n >= LEN(s->covers)) {
            return wrong(s, number, "not the number of a behaviour", w);
        }
        s->covers[n] = true;
        w = word(s, &at);
    }
    return true;
}

static bool read_file(struct script *s, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return wrong(s, 0, "cannot be read", "");
    }
    size_t len = fread(s->text, 1, sizeof s->text - 1, f);
    (void)fclose(f);
    s->text[len] = '\0';
    return (len < sizeof s->text - 1 && strlen(s->text) == len) || wrong(s, 0, "too long, or not a text", "");
}

bool script_load(struct script *s, const char *path, const char *text)
{
    memset(s, 0, sizeof *s);
    snprintf(s->path, sizeof s->path, "%s", path);
    if (text != NULL) {
        snprintf(s->text, sizeof s->text, "%s", text);
    } else if (!read_file(s, path)) {
        return false;
    }
    for (char *at = s->text; *at != '\0';) {
        char *end = at + strcspn(at, "\n");
        if (s->line_count == SCRIPT_LINES) {
            return wrong(s, s->line_count, "too many lines", "");
        }
        s->line[s->line_count++] = at;
        at = *end != '\0' ? end + 1 : end;
        *end = '\0';
    }
    if (s->line_count == 0 || s->line[0][0] != '#' || strlen(s->line[0]) < 20) {
        return wrong(s, 1, "a script begins with a comment that says what it is", "");
    }
    for (unsigned i = 0; i < s->line_count;) {
        if (strncmp(s->line[i], "each ", 5) == 0) {
            if (!read_table(s, &i)) {
                return false;
            }
        } else if (strncmp(s->line[i], "covers ", 7) == 0) {
            if (!read_covers(s, i + 1, s->line[i] + 7)) {
                return false;
            }
            i++;
        } else {
            i++;
        }
    }
    return true;
}

unsigned script_variants(const struct script *s)
{
    unsigned n = 1;
    for (unsigned t = 0; t < s->table_count; t++) {
        n *= s->table[t].rows;
    }
    return n;
}

/* --- one variant */

static bool read_setting(struct script *s, unsigned number, const struct setting *settings, size_t count, void *to,
                         const char *rest)
{
    const char *name = word(s, &rest);
    for (size_t i = 0; name != NULL && i < count; i++) {
        if (strcmp(settings[i].name, name) != 0) {
            continue;
        }
        char *at = (char *)to + settings[i].at, *end = NULL;
        unsigned n = strcmp(rest, "forever") == 0 ? CA_FOREVER : (unsigned)strtoul(rest, &end, 10);
        if (settings[i].type == FLAG) {
            *(bool *)(void *)at = true;
            return rest[0] == '\0' || wrong(s, number, "takes no value", name);
        }
        if (rest[0] == '\0' || (settings[i].type == NUMBER && end != NULL && *end != '\0')) {
            return wrong(s, number, "a value is missing or is no number", name);
        }
        if (settings[i].type == NUMBER) {
            *(unsigned *)(void *)at = n;
        } else {
            *(const char **)(void *)at = keep(s, rest, strlen(rest));
        }
        return true;
    }
    return wrong(s, number, "no such setting", name != NULL ? name : "");
}

static bool read_client(struct script *s, unsigned number, const char *rest)
{
    if (strncmp(rest, "more_hosts ", 11) != 0) {
        return read_setting(s, number, of_client, LEN(of_client), &s->way, rest);
    }
    rest += 11;
    const char *host = word(s, &rest);
    while (host != NULL && s->way.more_host_count < LEN(s->more_hosts)) {
        s->more_hosts[s->way.more_host_count++] = host;
        host = word(s, &rest);
    }
    s->way.more_hosts = s->more_hosts;
    return host == NULL || wrong(s, number, "too many hosts", host);
}

static bool read_names(struct script *s, unsigned number, const char *rest)
{
    s->plan.name_count = 0;
    const char *name = word(s, &rest);
    while (name != NULL && s->plan.name_count < CA_NAMES) {
        s->plan.names[s->plan.name_count++] = name;
        name = word(s, &rest);
    }
    return name == NULL || wrong(s, number, "too many names", name);
}

static bool kind_of(const char *w, enum ca_kind *kind)
{
    for (unsigned k = 0; w != NULL && k < CA_KINDS; k++) {
        if (strcmp(kinds[k], w) == 0) {
            *kind = (enum ca_kind)k;
            return true;
        }
    }
    return false;
}

/* "3", "2-5", "2-" (and all later ones); nothing: the first. */
static bool read_range(struct ca_twist *t, const char *text)
{
    char *end;
    t->first = t->last = 1;
    if (text[0] == '\0') {
        return true;
    }
    t->first = t->last = (unsigned)strtoul(text, &end, 10);
    if (*end == '-') {
        t->last = end[1] == '\0' ? CA_FOREVER : (unsigned)strtoul(end + 1, &end, 10);
        end = t->last == CA_FOREVER ? end + strlen(end) : end;
    }
    return t->first > 0 && t->last >= t->first && *end == '\0';
}

/* The lines below, written out: status line and header lines, each with CR LF, a blank one, and the body, whose lines
 * are divided by `eol`. Lines that a table leaves empty are left out; "." is an empty line. */
static bool read_block(struct script *s, unsigned variant, unsigned *i, const char *eol, struct ca_twist *t)
{
    static char head[9000], body[20000];
    size_t head_len = 0, body_len = 0;
    bool in_body = false, first = true;
    for (; *i < s->line_count && (inner(s->line[*i]) || s->line[*i][0] == '\0'); ++*i) {
        const char *written = s->line[*i] + strspn(s->line[*i], SPACES);
        if (written[0] == '\0') { /* between the lines of a block, or behind it */
            in_body = true;
            continue;
        }
        const char *line = expand(s, variant, *i + 1, written);
        if (line == NULL) {
            return false;
        }
        if (line[0] == '\0' && written[0] != '\0') {
            continue;
        }
        bool empty = strcmp(line, ".") == 0;
        if (empty && !in_body) {
            in_body = true;
        } else if (in_body) {
            body_len += (size_t)snprintf(body + body_len, sizeof body - body_len, "%s%s", first ? "" : eol,
                                         empty ? "" : line);
            first = false;
        } else {
            head_len += (size_t)snprintf(head + head_len, sizeof head - head_len, "%s\r\n", line);
        }
        if (head_len >= sizeof head || body_len >= sizeof body) {
            return wrong(s, *i + 1, "too long", "");
        }
    }
    t->head = head_len > 0 ? keep(s, head, head_len) : NULL;
    t->body = !first ? keep(s, body, body_len) : NULL;
    return true;
}

/* refuse 400 badNonce -- detail */
static bool make_refusal(struct script *s, unsigned number, struct ca_twist *t, const char *rest)
{
    char text[1200];
    const char *code = word(s, &rest), *type = word(s, &rest);
    if (code == NULL || type == NULL || strtoul(code, NULL, 10) < 200) {
        return wrong(s, number, "refuse CODE TYPE", "");
    }
    const char *detail = strncmp(rest, "-- ", 3) == 0 ? rest + 3 : "";
    const char *urn = strchr(type, ':') != NULL ? "" : "urn:ietf:params:acme:error:";
    int len = snprintf(text, sizeof text, "HTTP/1.1 %s No\r\nContent-Type: application/problem+json\r\n", code);
    t->head = keep(s, text, (size_t)len);
    len = snprintf(text, sizeof text, "{\"type\":\"%s%s\",\"status\":%s%s%s%s}", urn, type, code,
                   detail[0] ? ",\"detail\":\"" : "", detail, detail[0] ? "\"" : "");
    t->body = len < (int)sizeof text ? keep(s, text, (size_t)len) : NULL;
    return t->body != NULL || wrong(s, number, "too long", "");
}

/* A whole answer out of head and body. */
static bool make_raw(struct script *s, struct ca_twist *t, bool lf)
{
    static char raw[30000];
    size_t len =
        (size_t)snprintf(raw, sizeof raw, "%s\r\n%s", t->head != NULL ? t->head : "", t->body != NULL ? t->body : "");
    for (size_t i = 0; lf && i < len; i++) {
        if (raw[i] == '\r') {
            memmove(raw + i, raw + i + 1, len-- - i);
        }
    }
    t->raw = keep(s, raw, len);
    t->head = t->body = NULL;
    return t->raw != NULL;
}

/* What is done: the words behind the colon. */
static bool read_act(struct script *s, unsigned variant, unsigned *i, struct ca_twist *t, char *act)
{
    unsigned number = *i;
    char *nonce = strstr(act, ", nonce ");
    if (nonce != NULL) {
        *nonce = '\0';
        t->nonce = strcmp(nonce + 8, "none") == 0 ? "" : nonce + 8;
    }
    bool done = strncmp(act, "do, ", 4) == 0;
    act += done ? 4 : 0;
    bool lf = strcmp(act, "raw lf") == 0, raw = lf || strcmp(act, "raw") == 0;
    t->act = done ? CA_DO_AND_SAY : CA_SAY;
    if (strcmp(act, "cut") == 0) {
        t->act = done ? CA_DO_AND_CUT : CA_CUT;
        return true;
    }
    if (strncmp(act, "refuse ", 7) == 0) {
        return make_refusal(s, number, t, act + 7);
    }
    if (strcmp(act, "add") == 0) {
        t->act = CA_ADD;
    } else if (!raw && strcmp(act, "say") != 0) {
        return wrong(s, number, "not a thing a CA can do", act);
    }
    if (!read_block(s, variant, i, raw ? "\r\n" : "\n", t)) {
        return false;
    }
    if (t->act != CA_ADD && (t->head == NULL || (!raw && strncmp(t->head, "HTTP/", 5) != 0))) {
        return wrong(s, number, "an answer begins with a status line", "");
    }
    if (t->act == CA_ADD && t->head == NULL && t->body == NULL && t->nonce == NULL) {
        return wrong(s, number, "nothing is added", "");
    }
    return !raw || make_raw(s, t, lf) || wrong(s, number, "too long", "");
}

/* on KIND [RANGE]: ACT[, nonce VALUE] */
static bool read_twist(struct script *s, unsigned variant, unsigned *i, const char *line)
{
    unsigned number = ++*i;
    if (s->twist_count == SCRIPT_TWISTS) {
        return wrong(s, number, "too many answers", "");
    }
    struct ca_twist *t = &s->twist[s->twist_count++];
    memset(t, 0, sizeof *t);
    const char *colon = strstr(line, ": ");
    if (colon == NULL) {
        return wrong(s, number, "on KIND [RANGE]: ACT", line);
    }
    const char *at = keep(s, line, (size_t)(colon - line));
    const char *kind = word(s, &at);
    if (!kind_of(kind, &t->kind)) {
        return wrong(s, number, "not a kind of request", kind != NULL ? kind : "");
    }
    if (!read_range(t, at)) {
        return wrong(s, number, "not a range of requests", at);
    }
    char *act = keep(s, colon + 2, strlen(colon + 2));
    return read_act(s, variant, i, t, act);
}

static bool read_outcome(struct script *s, unsigned number, const char *line)
{
    if (s->outcome != 1) {
        return wrong(s, number, "it can end in one way only", line);
    }
    if (strcmp(line, "certificate") == 0) {
        s->outcome = 0;
        return true;
    }
    for (size_t i = 0; strncmp(line, "error ", 6) == 0 && i < LEN(errors); i++) {
        if (strcmp(errors[i].name, line + 6) == 0) {
            s->outcome = errors[i].value;
            return true;
        }
    }
    return wrong(s, number, "no such error", line);
}

/* expect certificate | expect error NAME | expect WHAT = N | expect WHAT TEXT */
static bool read_expect(struct script *s, unsigned number, const char *line)
{
    if (strncmp(line, "error ", 6) == 0 || strcmp(line, "certificate") == 0) {
        return read_outcome(s, number, line);
    }
    if (s->expect_count == SCRIPT_EXPECTS) {
        return wrong(s, number, "too many expectations", "");
    }
    struct script_expect *x = &s->expect[s->expect_count++];
    memset(x, 0, sizeof *x);
    x->line = number;
    x->what = word(s, &line);
    if (x->what == NULL) {
        return wrong(s, number, "expect what?", "");
    }
    size_t op = strspn(line, "<=>");
    if (op > 0 && op <= 2 && line[op] == ' ') {
        char *end;
        x->op = line[0];
        x->value = keep(s, line + op + 1, strlen(line + op + 1));
        x->number = strtol(x->value, &end, 10) * (strchr(x->value, 's') != NULL ? 1000 : 1);
        if (end == x->value || (strcmp(end, "s") != 0 && *end != '\0') || (op == 2 && line[1] != '=')) {
            return wrong(s, number, "not a number, or a number with s for seconds", x->value);
        }
    } else {
        x->value = keep(s, line, strlen(line));
    }
    return true;
}

static bool read_line(struct script *s, unsigned variant, unsigned *i)
{
    unsigned number = *i + 1;
    const char *raw = s->line[*i];
    if (raw[0] == '#' || blank(raw) || strncmp(raw, "covers ", 7) == 0) {
        ++*i;
        return true;
    }
    if (strncmp(raw, "each ", 5) == 0) {
        for (++*i; *i < s->line_count && inner(s->line[*i]); ++*i) {
        }
        return true;
    }
    if (inner(raw)) {
        return wrong(s, number, "a line that belongs to nothing", raw);
    }
    const char *line = expand(s, variant, number, raw);
    if (line == NULL) {
        return false;
    }
    if (strncmp(line, "on ", 3) == 0) {
        return read_twist(s, variant, i, line + 3);
    }
    ++*i;
    if (strncmp(line, "ca ", 3) == 0) {
        return read_setting(s, number, of_ca, LEN(of_ca), &s->plan, line + 3);
    }
    if (strncmp(line, "client ", 7) == 0) {
        return read_client(s, number, line + 7);
    }
    if (strncmp(line, "names ", 6) == 0) {
        return read_names(s, number, line + 6);
    }
    if (strncmp(line, "expect ", 7) == 0) {
        return read_expect(s, number, line + 7);
    }
    return wrong(s, number, "not a word of the format", line);
}

/* Which rows, for whoever looks at a failure. */
static void describe(struct script *s, unsigned variant)
{
    size_t at = 0;
    s->variant[0] = '\0';
    for (unsigned t = 0; t < s->table_count; variant /= s->table[t++].rows) {
        for (unsigned c = 0; c < s->table[t].columns && at < sizeof s->variant - 1; c++) {
            at += (size_t)snprintf(s->variant + at, sizeof s->variant - at, " %s=%.60s", s->table[t].name[c],
                                   s->table[t].cell[variant % s->table[t].rows][c]);
        }
    }
}

bool script_variant(struct script *s, unsigned number)
{
    memset(&s->plan, 0, sizeof s->plan);
    memset(&s->way, 0, sizeof s->way);
    s->plan.names[0] = "a.example";
    s->plan.name_count = 1;
    s->twist_count = s->expect_count = 0;
    s->outcome = 1;
    describe(s, number);
    size_t used = s->used;
    for (unsigned i = 0; i < s->line_count;) {
        if (!read_line(s, number, &i)) {
            return false;
        }
    }
    s->used = used; /* what lies behind it stays until the next variant */
    s->plan.twists = s->twist;
    s->plan.twist_count = s->twist_count;
    return s->outcome != 1 || wrong(s, s->line_count, "it is not said how it ends", "");
}
