/* page.c - see page.h. */
#include "page.h"

#include "words.h"
#include "wire/date.h"
#include "x509/leaf.h"

/* The common name of the issuer: the last attribute of type 2.5.4.3. */
static void read_issuer(struct page *p, struct acme_der name)
{
    static const uint8_t type[] = {0x06, 0x03, 0x55, 0x04, 0x03};

    for (size_t i = 0; i + sizeof type + 2 < name.len; i++) {
        size_t len = name.at[i + sizeof type + 1];
        if (memcmp(name.at + i, type, sizeof type) != 0 || len > name.len - i - sizeof type - 2) {
            continue;
        }
        len = len < sizeof p->issuer - 1 ? len : sizeof p->issuer - 1;
        for (size_t k = 0; k < len; k++) {
            char c = (char)name.at[i + sizeof type + 2 + k];
            p->issuer[k] = c < ' ' || c > '~' ? '?' : c;
        }
        p->issuer[len] = '\0';
    }
}

void page_certificate(struct page *p, const uint8_t *der, size_t len)
{
    struct acme_leaf leaf;

    p->not_before = p->not_after = 0;
    p->issuer[0] = '\0';
    if (acme_leaf_parse(&leaf, der, len) == 0) {
        p->not_before = acme_moment(leaf.not_before);
        p->not_after = acme_moment(leaf.not_after);
        read_issuer(p, leaf.issuer);
    }
}

/* --- the texts --- */

/* In pieces, each ended by a 0. $ and a letter stand for what field() writes, | and ^ for the cells of a row. */
static const char head_html[] =
    "<!doctype html><html lang=en><meta name=viewport content=\"width=device-width\"><link rel=icon "
    "href=\"data:,\"><style>"
    "html{color-scheme:light dark;background:#fff;color:#222;--c:#176f3f}"
    "body{font:1em/1.5 system-ui;max-width:30em;margin:auto;padding:1em;overflow-wrap:anywhere}"
    "h1{font-size:1.5em}h1,p{margin:0}h2{font-size:1em;margin:1em 0 0}\0"
    "table{width:100%;border-collapse:collapse}th,td{border-top:1px solid #8886;padding:.25em 0}"
    "th{font-weight:400;text-align:left;white-space:nowrap}td{text-align:right}"
    "b,progress{color:var(--c);accent-color:var(--c)}progress{width:100%}.x{--c:#b3261e}"
    "@media(prefers-color-scheme:dark){html{background:#111;color:#ddd;--c:#5ad08f}.x{--c:#ff8a80}}</"
    "style><title>\0";
static const char missing_html[] = "Not found</title><h1>Not found</h1><p><a href=/>Status</a>\n";
static const char begin_html[] = "$n: $s\0"
                                 "</title><h1>$n</h1>\0"
                                 "<p$x>Certificate <b>$s</b>$l$p.<p><label><progress max=100 value=$c></progress>$c "
                                 "% of its life has passed$r</label>\0"
                                 "<h2>Certificate</h2><table>|Issued by^$i\0"
                                 "$V$v|Last error^$e$d\0";
static const char end_html[] = "</table><h2>Device</h2><table>|Board^$b|Software^nanoacme " ACME_VERSION
                               "$t|Flash^$k0|Static RAM^$k1|Stack, deepest^$k2|Heap^$h\0"
                               "|Since boot^$4 request$m4, $5 handshake$m5$g</table>\n\0";
static const char end_json[] =
    "],\"state\":\"$s\",\"issuer\":\"$j\",\"now\":\"$A\",\"valid_from\":\"$B\",\"valid_to\":\"$C\",\"last_error\":\"$"
    "e\"\0"
    ",\"why\":\"$w\"$y\0"
    ",\"flash\":$0,\"ram\":$1,\"stack_peak\":$2,\"heap\":$3,\"requests\":$4,\"handshakes\":$5,\"polls\":$6,"
    "\"longest_tick_kilo\":$7}\n\0";
static const char plan_json[] =
    ",\"due\":$q,\"next_renewal\":\"$D\",\"renewal_in_s\":$u,\"next_attempt\":\"$E\",\"window_from\":\"$F\","
    "\"window_to\":\"$G\",\"chosen\":\"$H\",\"failures\":$f,\"stopped\":\"$z\",\"deploy_pending\":$o";

/* --- what stands in them --- */

static bool is_valid(const struct page *p)
{
    return p->utc >= p->not_before && p->utc < p->not_after;
}

static const char *state(const struct page *p)
{
    return p->not_after == 0        ? "unreadable"
           : p->utc == 0            ? "of unknown age"
           : is_valid(p)            ? "valid"
           : p->utc < p->not_before ? "not valid yet"
                                    : "expired";
}

/* How much of its life has passed at that time, in percent. */
static uint32_t share(const struct page *p, uint32_t utc)
{
    uint32_t life = acme_until_s(p->not_before, p->not_after);

    if (utc <= p->not_before || life < 100) {
        return 0;
    }
    return utc >= p->not_after ? 100 : (utc - p->not_before) / (life / 100);
}

/* UTC; nothing: there is none. */
static void moment(struct acme_out *o, const struct page *p, char name)
{
    const struct acme_plan *plan = &p->plan;
    const uint32_t due = plan->due > p->utc ? plan->due : p->utc;
    uint32_t utc;

    switch (name) {
    case 'A':
        utc = p->utc;
        break;
    case 'B':
        utc = p->not_before;
        break;
    case 'C':
        utc = p->not_after;
        break;
    case 'D':
        utc = due;
        break;
    case 'E':
        utc = plan->hold == ACME_HOLD_STOPPED ? 0 : plan->hold_until > due ? plan->hold_until : due;
        break;
    case 'F':
        utc = plan->start;
        break;
    case 'G':
        utc = plan->end;
        break;
    default:
        utc = plan->chosen;
        break;
    }
    if (utc > 0) {
        words_date(o, utc);
    }
}

/* In thousands of a unit, to a tenth where that says something. */
static void tenths(struct acme_out *o, uint32_t value, uint32_t unit)
{
    acme_out_u32(o, value / unit);
    if (value < 100 * unit) {
        acme_out_text(o, ".");
        acme_out_u32(o, value % unit * 10 / unit);
    }
}

static void escaped(struct acme_out *o, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<' || *text == '&') {
            acme_out_text(o, *text == '<' ? "&lt;" : "&amp;");
        } else {
            acme_out_bytes(o, text, 1);
        }
    }
}

/* The unit that tells most: an hour counts when it is the last. */
static void left(struct acme_out *o, const struct page *p)
{
    if (is_valid(p)) {
        uint32_t minutes = (p->not_after - p->utc) / 60, hours = minutes / 60;
        acme_out_text(o, ", ");
        acme_out_u32(o, hours >= 48 ? hours / 24 : minutes >= 120 ? hours : minutes);
        acme_out_text(o, hours >= 48 ? " days left" : minutes >= 120 ? " hours left" : " minutes left");
    }
}

/* Writes what *at names. Returns its last character. *part is a text with fields of its own that comes next, if there is one.
 *
 *   0 to 7     figures[]; with k before it as KiB, with m the "s" of its plural; M: the longest tick in millions
 *   A to H     moments, see above
 *   n b s i j  first name, board, state, issuer (for HTML, for JSON)
 *   x l c      class for "not well", what is left of its life, percent of it that have passed
 *   p w a      plan in words, why, percent of the life that will have passed then
 *   q u f z o  of the plan, for JSON: due, seconds until then, failures, error that stopped it, pair not taken over
 *   e h        last error, heap
 *   V v r d    parts for a person that may be missing: validity, CA's window, renewal, new pair
 *   t g y      likewise: time, longest tick; for JSON: the plan */
static const char *field(struct acme_out *o, const struct page *p, const char *at, const char **part)
{
    const struct acme_plan *plan = &p->plan;
    const bool due = plan->due <= p->utc;
    const char *text = "";
    uint32_t value;

    if (*at < 'I') {
        if (*at >= 'A') {
            moment(o, p, *at);
        } else {
            acme_out_u32(o, p->figures[*at - '0']);
        }
        return at;
    }
    switch (*at) {
    case 'n':
        text = p->names[0];
        break;
    case 's':
        text = state(p);
        break;
    case 'b':
        text = p->board;
        break;
    case 'e':
        text = p->error != NULL ? p->error : "none";
        break;
    case 'w':
        text = p->planned ? words_why(plan->why) : "not known yet";
        break;
    case 'x':
        text = is_valid(p) ? "" : " class=x";
        break;
    case 'd':
        *part = p->planned && plan->deploy_pending ? "|New pair^not yet taken over" : NULL;
        break;
    case 'h':
        text = p->figures[PAGE_HEAP] == 0 ? "none" : "some";
        break;
    case 'q':
        text = due ? "true" : "false";
        break;
    case 'o':
        text = plan->deploy_pending ? "true" : "false";
        break;
    case 'z':
        text = plan->hold == ACME_HOLD_STOPPED ? words_error(plan->error) : "";
        break;
    case 'r':
        *part = p->planned && plan->due > p->not_before ? "; renewal at $a %" : NULL;
        break;
    case 'V':
        *part = p->not_after != 0 ? "|Valid from^$B UTC|Valid to^$C UTC" : NULL;
        break;
    case 'v':
        *part = p->planned && plan->start != 0 ? "|CA's window^$F UTC<br>to $G UTC" : NULL;
        break;
    case 't':
        *part = p->utc != 0 ? "|Time^$A UTC" : NULL;
        break;
    case 'g':
        *part = p->figures[PAGE_LONGEST_TICK] != 0 ? "|Longest tick^$M million instructions" : NULL;
        break;
    case 'y':
        *part = p->planned ? plan_json : NULL;
        break;
    case 'k':
        tenths(o, p->figures[*++at - '0'], 1024);
        text = " KiB";
        break;
    case 'm':
        text = p->figures[*++at - '0'] == 1 ? "" : "s";
        break;
    case 'M':
        tenths(o, p->figures[PAGE_LONGEST_TICK], 1000);
        break;
    case 'i':
        escaped(o, p->issuer);
        break;
    case 'j':
        acme_out_json(o, acme_slice_of(p->issuer));
        break;
    case 'l':
        left(o, p);
        break;
    case 'p':
        if (p->planned) {
            acme_out_text(o, ";<br>");
            words_plan(o, plan, p->utc, " because of ");
        }
        break;
    default:
        value = *at == 'f'   ? plan->failures
                : *at != 'u' ? share(p, *at == 'c' ? p->utc : plan->due)
                : due        ? 0
                             : plan->due - p->utc;
        acme_out_u32(o, value);
        break;
    }
    acme_out_text(o, text);
    return at;
}

static void fill(struct acme_out *o, const struct page *p, const char *at)
{
    const char *part = NULL, *back = NULL; /* from a part to what it stands in */

    for (;;) {
        if (*at == '\0' && back != NULL) {
            at = back;
            back = NULL;
            continue;
        } else if (*at == '\0') {
            return;
        } else if (*at == '$') {
            at = field(o, p, at + 1, &part);
            if (part != NULL) {
                back = at + 1;
                at = part;
                part = NULL;
                continue;
            }
        } else if (*at == '|') {
            acme_out_text(o, "<tr><th>");
        } else if (*at == '^') {
            acme_out_text(o, "<td>");
        } else {
            acme_out_bytes(o, at, 1);
        }
        at++;
    }
}

/* --- one piece behind the other --- */

/* Fills in piece number `piece` of the text. */
static void fill_piece(struct acme_out *o, const struct page *p, const char *text, unsigned piece)
{
    for (; piece > 0; piece--) {
        text += strlen(text) + 1;
    }
    fill(o, p, text);
}

bool page_piece(struct acme_out *o, const struct page *p, unsigned piece, bool json)
{
    const unsigned begin = json ? 1 : 7,
                   count = json ? 3 : 2; /* pieces before the names, or the other names; after */
    const unsigned named = (unsigned)p->name_count - (json ? 0 : 1);

    if (piece < begin) {
        if (json) {
            fill(o, p, "{\"board\":\"$b\",\"names\":[");
        } else if (piece < 2) {
            fill_piece(o, p, head_html, piece);
        } else {
            fill_piece(o, p, begin_html, piece - 2);
        }
    } else if (piece - begin < named) {
        piece -= begin;
        acme_out_text(o, !json ? "<tr><th>Also for<td>" : piece > 0 ? ",\"" : "\"");
        acme_out_text(o, p->names[json ? piece : piece + 1]);
        acme_out_text(o, json ? "\"" : "");
    } else if (piece - begin - named < count) {
        fill_piece(o, p, json ? end_json : end_html, piece - begin - named);
    } else {
        return false;
    }
    return true;
}

bool page_missing(struct acme_out *o, unsigned piece)
{
    if (piece < 2) {
        fill_piece(o, NULL, head_html, piece);
    } else if (piece == 2) {
        acme_out_text(o, missing_html);
    }
    return piece < 3;
}
