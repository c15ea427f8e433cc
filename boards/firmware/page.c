/* page.c - see page.h. */
#include "page.h"

#include "words.h"
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
        p->not_before = leaf.not_before;
        p->not_after = leaf.not_after;
        read_issuer(p, leaf.issuer);
    }
}

/* --- what both kinds need --- */

/* Bytes, as people read them; the 31 KiB a small part may have are told to a tenth. */
static void kib(struct acme_out *o, uint32_t bytes)
{
    acme_out_u32(o, bytes >> 10);
    if (bytes < 100 << 10) {
        acme_out_text(o, ".");
        acme_out_u32(o, (bytes & 1023) * 10 >> 10);
    }
    acme_out_text(o, " KiB");
}

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
static uint32_t share(const struct page *p, int64_t utc)
{
    uint32_t life = (uint32_t)(p->not_after - p->not_before);

    if (utc <= p->not_before || life < 100) {
        return 0;
    }
    return utc >= p->not_after ? 100 : (uint32_t)(utc - p->not_before) / (life / 100);
}

/* --- for a person --- */

static void escaped(struct acme_out *o, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            acme_out_text(o, "&lt;");
            break;
        case '&':
            acme_out_text(o, "&amp;");
            break;
        default:
            acme_out_bytes(o, text, 1);
            break;
        }
    }
}

static void row(struct acme_out *o, const char *label)
{
    acme_out_text(o, "<tr><th>");
    acme_out_text(o, label);
    acme_out_text(o, "<td>");
}

static void date_row(struct acme_out *o, const char *label, int64_t utc)
{
    row(o, label);
    words_date(o, utc);
    acme_out_text(o, " UTC");
}

/* The beginning of every page, in two pieces. */
static void head_html(struct acme_out *o, unsigned piece)
{
    static const char *const halves[] = {
        "<!doctype html><html lang=en><meta name=viewport content=\"width=device-width\"><link rel=icon "
        "href=\"data:,\"><style>"
        "html{color-scheme:light dark;background:#fff;color:#222;--c:#176f3f}"
        "body{font:1em/1.5 system-ui;max-width:30em;margin:auto;padding:1em;overflow-wrap:anywhere}"
        "h1{font-size:1.5em}h1,p{margin:0}h2{font-size:1em;margin:1em 0 0}",
        "table{width:100%;border-collapse:collapse}th,td{border-top:1px solid #8886;padding:.25em 0}"
        "th{font-weight:400;text-align:left;white-space:nowrap}td{text-align:right}"
        "b,progress{color:var(--c);accent-color:var(--c)}progress{width:100%}.x{--c:#b3261e}"
        "@media(prefers-color-scheme:dark){html{background:#111;color:#ddd;--c:#5ad08f}.x{--c:#ff8a80}}</"
        "style><title>",
    };

    acme_out_text(o, halves[piece]);
}

/* The unit that tells most: an hour counts when it is the last. */
static void time_html(struct acme_out *o, int64_t seconds)
{
    uint32_t minutes = (uint32_t)(seconds >> 2) / 15, hours = minutes / 60;

    acme_out_u32(o, hours >= 48 ? hours / 24 : minutes >= 120 ? hours : minutes);
    acme_out_text(o, hours >= 48 ? " days" : minutes >= 120 ? " hours" : " minutes");
}

/* Is it well, and what comes next? */
static void state_html(struct acme_out *o, const struct page *p)
{
    acme_out_text(o, is_valid(p) ? "<p>Certificate <b>" : "<p class=x>Certificate <b>");
    acme_out_text(o, state(p));
    acme_out_text(o, "</b>");
    if (is_valid(p)) {
        acme_out_text(o, ", ");
        time_html(o, p->not_after - p->utc);
        acme_out_text(o, " left");
    }
    if (p->planned) {
        acme_out_text(o, ";<br>");
        words_plan(o, &p->plan, p->utc, " because of ");
    }
    acme_out_text(o, ".<p><label><progress max=100 value=");
    acme_out_u32(o, share(p, p->utc));
    acme_out_text(o, "></progress>");
    acme_out_u32(o, share(p, p->utc));
    acme_out_text(o, " % of its life has passed");
    if (p->planned && p->plan.due > p->not_before) {
        acme_out_text(o, "; renewal at ");
        acme_out_u32(o, share(p, p->plan.due));
        acme_out_text(o, " %");
    }
    acme_out_text(o, "</label>");
}

static void issuer_html(struct acme_out *o, const struct page *p)
{
    acme_out_text(o, "<h2>Certificate</h2><table>");
    row(o, "Issued by");
    escaped(o, p->issuer);
}

static void certificate_html(struct acme_out *o, const struct page *p)
{
    date_row(o, "Valid from", p->not_before);
    date_row(o, "Valid to", p->not_after);
    if (p->planned && p->plan.start != 0) {
        date_row(o, "CA's window", p->plan.start);
        acme_out_text(o, "<br>to ");
        words_date(o, p->plan.end);
        acme_out_text(o, " UTC");
    }
    row(o, "Last error");
    acme_out_text(o, p->error != NULL ? p->error : "none");
    if (p->planned && p->plan.deploy_pending) {
        row(o, "New pair");
        acme_out_text(o, "not yet taken over");
    }
}

static void device_html(struct acme_out *o, const struct page *p)
{
    acme_out_text(o, "</table><h2>Device</h2><table>");
    row(o, "Board");
    acme_out_text(o, p->board);
    row(o, "Software");
    acme_out_text(o, "nanoacme " ACME_VERSION);
    if (p->utc != 0) {
        date_row(o, "Time", p->utc);
    }
    row(o, "Flash");
    kib(o, p->figures[PAGE_FLASH]);
    row(o, "Static RAM");
    kib(o, p->figures[PAGE_RAM]);
    row(o, "Stack, deepest");
    kib(o, p->figures[PAGE_STACK_PEAK]);
    row(o, "Heap");
    acme_out_text(o, p->figures[PAGE_HEAP] == 0 ? "none" : "some");
}

static void counts_html(struct acme_out *o, const struct page *p)
{
    const uint32_t tick = p->figures[PAGE_LONGEST_TICK];

    row(o, "Since boot");
    acme_out_u32(o, p->figures[PAGE_REQUESTS]);
    acme_out_text(o, p->figures[PAGE_REQUESTS] == 1 ? " request, " : " requests, ");
    acme_out_u32(o, p->figures[PAGE_HANDSHAKES]);
    acme_out_text(o, p->figures[PAGE_HANDSHAKES] == 1 ? " handshake" : " handshakes");
    if (tick != 0) {
        row(o, "Longest tick");
        acme_out_u32(o, tick / 1000);
        acme_out_text(o, ".");
        acme_out_u32(o, tick / 100 % 10);
        acme_out_text(o, " million instructions");
    }
    acme_out_text(o, "</table>\n");
}

/* --- for a program --- */

static void member(struct acme_out *o, const char *name)
{
    acme_out_text(o, ",\"");
    acme_out_text(o, name);
    acme_out_text(o, "\":");
}

static void text_member(struct acme_out *o, const char *name, const char *value)
{
    member(o, name);
    acme_out_text(o, "\"");
    acme_out_json(o, acme_slice_of(value));
    acme_out_text(o, "\"");
}

/* UTC; empty: there is none. */
static void date_member(struct acme_out *o, const char *name, int64_t utc)
{
    member(o, name);
    acme_out_text(o, "\"");
    if (utc > 0 && utc < ACME_TIME_NEVER) {
        words_date(o, utc);
    }
    acme_out_text(o, "\"");
}

static void number_member(struct acme_out *o, const char *name, uint32_t value)
{
    member(o, name);
    acme_out_u32(o, value);
}

static void life_json(struct acme_out *o, const struct page *p)
{
    acme_out_text(o, "]");
    text_member(o, "state", state(p));
    text_member(o, "issuer", p->issuer);
    date_member(o, "now", p->utc);
    date_member(o, "valid_from", p->not_before);
    date_member(o, "valid_to", p->not_after);
    text_member(o, "last_error", p->error != NULL ? p->error : "none");
}

static void plan_json(struct acme_out *o, const struct page *p)
{
    const struct acme_plan *plan = &p->plan;
    const bool due = plan->due <= p->utc;

    if (!p->planned) {
        text_member(o, "why", "not known yet");
        return;
    }
    member(o, "due");
    acme_out_text(o, due ? "true" : "false");
    text_member(o, "why", words_why(plan->why));
    date_member(o, "next_renewal", due ? p->utc : plan->due);
    number_member(o, "renewal_in_s", due ? 0 : (uint32_t)(plan->due - p->utc));
    date_member(o, "next_attempt", plan->hold_until > plan->due ? plan->hold_until : due ? p->utc : plan->due);
    date_member(o, "window_from", plan->start);
    date_member(o, "window_to", plan->end);
    date_member(o, "chosen", plan->chosen);
    number_member(o, "failures", plan->failures);
    text_member(o, "stopped", plan->hold == ACME_HOLD_STOPPED ? words_error(plan->error) : "");
    member(o, "deploy_pending");
    acme_out_text(o, plan->deploy_pending ? "true" : "false");
}

static void figures_json(struct acme_out *o, const struct page *p)
{
    static const char *const members[PAGE_FIGURES] = {
        [PAGE_FLASH] = "flash",           [PAGE_RAM] = "ram",
        [PAGE_STACK_PEAK] = "stack_peak", [PAGE_HEAP] = "heap",
        [PAGE_REQUESTS] = "requests",     [PAGE_HANDSHAKES] = "handshakes",
        [PAGE_POLLS] = "polls",           [PAGE_LONGEST_TICK] = "longest_tick_kilo",
    };

    for (unsigned i = 0; i < PAGE_FIGURES; i++) {
        number_member(o, members[i], p->figures[i]);
    }
    acme_out_text(o, "}\n");
}

/* --- one piece behind the other --- */

static bool piece_html(struct acme_out *o, const struct page *p, unsigned piece)
{
    switch (piece) {
    case 0:
    case 1:
        head_html(o, piece);
        break;
    case 2:
        acme_out_text(o, p->names[0]);
        acme_out_text(o, ": ");
        acme_out_text(o, state(p));
        break;
    case 3:
        acme_out_text(o, "</title><h1>");
        acme_out_text(o, p->names[0]);
        acme_out_text(o, "</h1>");
        break;
    case 4:
        state_html(o, p);
        break;
    case 5:
        issuer_html(o, p);
        break;
    case 6:
        certificate_html(o, p);
        break;
    default:
        piece -= 6;
        if (piece < p->name_count) { /* the names but the first */
            row(o, "Also for");
            acme_out_text(o, p->names[piece]);
        } else if (piece == p->name_count) {
            device_html(o, p);
        } else if (piece == p->name_count + 1) {
            counts_html(o, p);
        } else {
            return false;
        }
    }
    return true;
}

static bool piece_json(struct acme_out *o, const struct page *p, unsigned piece)
{
    if (piece == 0) {
        acme_out_text(o, "{\"board\":\"");
        acme_out_text(o, p->board);
        acme_out_text(o, "\",\"names\":[");
    } else if (piece <= p->name_count) {
        acme_out_text(o, piece > 1 ? ",\"" : "\"");
        acme_out_text(o, p->names[piece - 1]);
        acme_out_text(o, "\"");
    } else if (piece == p->name_count + 1) {
        life_json(o, p);
    } else if (piece == p->name_count + 2) {
        plan_json(o, p);
    } else if (piece == p->name_count + 3) {
        figures_json(o, p);
    } else {
        return false;
    }
    return true;
}

bool page_piece(struct acme_out *o, const struct page *p, unsigned piece, bool json)
{
    return json ? piece_json(o, p, piece) : piece_html(o, p, piece);
}

bool page_missing(struct acme_out *o, unsigned piece)
{
    if (piece < 2) {
        head_html(o, piece);
    } else if (piece == 2) {
        acme_out_text(o, "Not found</title><h1>Not found</h1><p><a href=/>Status</a>\n");
    }
    return piece < 3;
}
