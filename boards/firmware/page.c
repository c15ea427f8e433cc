/* page.c - what the board knows about itself, for a browser and for a program. */
#include <string.h>

#include "board.h"
#include "firmware.h"
#include "lifecycle/renew.h"
#include "say.h"
#include "system.h"
#include "x509/leaf.h"

static struct {
    struct acme_leaf leaf;
    char issuer[48];
} page;

/* The common name of the issuer: the last attribute of type 2.5.4.3, made harmless for HTML and JSON. */
static void read_issuer(struct acme_der name)
{
    static const uint8_t type[] = {0x06, 0x03, 0x55, 0x04, 0x03};

    page.issuer[0] = '\0';
    for (size_t i = 0; i + sizeof type + 2 < name.len; i++) {
        size_t len = name.at[i + sizeof type + 1];
        if (memcmp(name.at + i, type, sizeof type) != 0 || len > name.len - i - sizeof type - 2) {
            continue;
        }
        len = len < sizeof page.issuer - 1 ? len : sizeof page.issuer - 1;
        for (size_t k = 0; k < len; k++) {
            char c = (char)name.at[i + sizeof type + 2 + k];
            page.issuer[k] = c < ' ' || c > '~' || strchr("<>&\"'\\", c) != NULL ? '?' : c;
        }
        page.issuer[len] = '\0';
    }
}

void page_certificate(const uint8_t *der, size_t len)
{
    if (acme_leaf_parse(&page.leaf, der, len) != 0) {
        memset(&page, 0, sizeof page);
        return;
    }
    read_issuer(page.leaf.issuer);
}

/* One figure: member of the JSON object, words for a person, unit. */
static const struct figure {
    const char *member, *label, *unit;
} figures[] = {
    {"flash", "Flash", " bytes"},
    {"ram", "Static RAM", " bytes"},
    {"stack_peak", "Stack, deepest", " bytes"},
    {"heap", "Heap", " bytes"},
    {"requests", "Requests to the CA", ""},
    {"handshakes", "TLS handshakes", ""},
    {"polls", "Polls of an authorization or order", ""},
    {"longest_tick_kilo", "Longest tick", " thousand instructions"},
};

static uint32_t value(unsigned i)
{
    const struct acme_stats stats = acme_stats(&firmware.client);
    const uint32_t values[] = {firmware_flash(), firmware_ram(),   system_stack_peak(), 0,
                               stats.requests,   stats.handshakes, stats.polls,         firmware.longest_tick};
    return values[i];
}

static void names(struct acme_out *o, bool json)
{
    for (size_t i = 0; i < firmware_site.name_count; i++) {
        acme_out_text(o, i > 0 ? json ? "\",\"" : "<br>" : "");
        acme_out_text(o, firmware_site.names[i]);
    }
}

/* How much of its life has passed, in percent. */
static uint32_t passed(void)
{
    int64_t now = 0;
    uint32_t life = (uint32_t)(page.leaf.not_after - page.leaf.not_before), gone;

    if (board_utc(NULL, &now) != 1 || now <= page.leaf.not_before || life < 100) {
        return 0;
    }
    gone = now >= page.leaf.not_after ? life : (uint32_t)(now - page.leaf.not_before);
    return gone / (life / 100);
}

static void head_html(struct acme_out *o)
{
    acme_out_text(
        o, "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
           "<link rel=icon href=\"data:,\"><title>");
    acme_out_text(o, board_name);
    acme_out_text(
        o, "</title><style>body{font:1em/1.5 system-ui,sans-serif;max-width:30em;margin:auto;padding:1em}"
           "h1{font-size:1.4em}table{width:100%;border-collapse:collapse}td{border-top:1px solid #ccc;padding:.3em 0}"
           "td+td{text-align:right}.b{background:#ddd;height:1em}.b div{background:#2a7;height:1em}</style><h1>");
    acme_out_text(o, board_name);
    acme_out_text(o, "</h1><p>");
    names(o, false);
}

static void life_html(struct acme_out *o)
{
    acme_out_text(o, "<p>Issued by ");
    acme_out_text(o, page.issuer);
    acme_out_text(o, "<div class=b><div style=\"width:");
    acme_out_u32(o, passed());
    acme_out_text(o, "%\"></div></div><table><tr><td>Valid from<td>");
    say_date(o, page.leaf.not_before);
    acme_out_text(o, "<tr><td>Valid to<td>");
    say_date(o, page.leaf.not_after);
    acme_out_text(o, "<tr><td>Next renewal<td>");
    say_date(o, acme_renew_at(page.leaf.not_before, page.leaf.not_after));
    acme_out_text(o, "<tr><td>Last error<td>");
    acme_out_text(o, firmware.last_error != 0 ? say_error(firmware.last_error) : "none");
}

static void figure_html(struct acme_out *o, unsigned i)
{
    acme_out_text(o, "<tr><td>");
    acme_out_text(o, figures[i].label);
    acme_out_text(o, "<td>");
    acme_out_u32(o, value(i));
    acme_out_text(o, figures[i].unit);
}

static void head_json(struct acme_out *o)
{
    acme_out_text(o, "{\"board\":\"");
    acme_out_text(o, board_name);
    acme_out_text(o, "\",\"names\":[\"");
    names(o, true);
    acme_out_text(o, "\"],\"issuer\":\"");
    acme_out_text(o, page.issuer);
}

static void life_json(struct acme_out *o)
{
    acme_out_text(o, "\",\"valid_from\":\"");
    say_date(o, page.leaf.not_before);
    acme_out_text(o, "\",\"valid_to\":\"");
    say_date(o, page.leaf.not_after);
    acme_out_text(o, "\",\"next_renewal\":\"");
    say_date(o, acme_renew_at(page.leaf.not_before, page.leaf.not_after));
    acme_out_text(o, "\",\"last_error\":\"");
    acme_out_text(o, firmware.last_error != 0 ? say_error(firmware.last_error) : "none");
    acme_out_text(o, "\"");
}

static void figure_json(struct acme_out *o, unsigned i)
{
    acme_out_text(o, ",\"");
    acme_out_text(o, figures[i].member);
    acme_out_text(o, "\":");
    acme_out_u32(o, value(i));
}

bool page_piece(struct acme_out *o, unsigned piece, bool json)
{
    const unsigned count = sizeof figures / sizeof figures[0];

    if (piece == 0) {
        (json ? head_json : head_html)(o);
    } else if (piece == 1) {
        (json ? life_json : life_html)(o);
    } else if (piece < 2 + count) {
        (json ? figure_json : figure_html)(o, piece - 2);
    } else if (piece == 2 + count) {
        acme_out_text(o, json ? "}\n" : "</table></html>\n");
    } else {
        return false;
    }
    return true;
}
