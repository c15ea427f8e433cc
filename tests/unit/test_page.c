/* test_page.c - the boards' status page: its size, what it says, its colours, and that an issuer's name is no markup. */
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* As on a board. */
#include "../../boards/firmware/words.c"
#include "../../boards/firmware/page.c"

#define A_DAY   86400
#define Y2027   1798761600 /* 2027-01-01 00:00 */
#define HTML_KB 1600

static const char *const names[] = {"board.example", "second.example"};
static char all[16384];

/* A certificate of 90 days, a month old, with a window. */
static struct page good(void)
{
    struct page p = {.board = "lm3s6965evb", .names = names, .name_count = 1, .utc = Y2027, .planned = true};
    p.not_before = Y2027 - 29 * A_DAY;
    p.not_after = Y2027 + 61 * A_DAY;
    strcpy(p.issuer, "Pebble Intermediate CA 08fdfd");
    p.plan.due = p.plan.chosen = Y2027 + 33 * A_DAY + 7 * 3600 + 12 * 60;
    p.plan.start = Y2027 + 32 * A_DAY;
    p.plan.end = Y2027 + 34 * A_DAY;
    p.plan.why = ACME_WHY_WINDOW;
    p.plan.hold_until = ACME_TIME_NOW;
    p.plan.look = p.plan.deploy = ACME_TIME_NEVER;
    p.figures[PAGE_FLASH] = 118884;
    p.figures[PAGE_RAM] = 42756;
    p.figures[PAGE_STACK_PEAK] = 3304;
    p.figures[PAGE_REQUESTS] = 9;
    p.figures[PAGE_HANDSHAKES] = 1;
    p.figures[PAGE_POLLS] = 2;
    p.figures[PAGE_LONGEST_TICK] = 4803;
    return p;
}

/* All pieces, each of which must fit and say something. */
static size_t render(const struct page *p, bool json)
{
    char text[PAGE_PIECE_MAX];
    struct acme_out o;
    size_t len = 0;
    unsigned piece = 0;

    for (;; piece++) {
        acme_out_init(&o, text, sizeof text);
        if (!page_piece(&o, p, piece, json)) {
            break;
        }
        assert_false(o.overflow);
        assert_true(o.len > 0 && len + o.len < sizeof all);
        memcpy(all + len, text, o.len);
        len += o.len;
    }
    assert_int_equal(o.len, 0);
    all[len] = '\0';
    return len;
}

static void expect(const char *text)
{
    if (strstr(all, text) == NULL) {
        fail_msg("not there: %s\n%s", text, all);
    }
}

static void expect_not(const char *text)
{
    if (strstr(all, text) != NULL) {
        fail_msg("there: %s\n%s", text, all);
    }
}

/* Writes what was rendered into $PAGE_FOLDER, for a person who wants to look at it in a browser. */
static void keep(const char *name)
{
    const char *folder = getenv("PAGE_FOLDER");
    char path[300];
    if (folder != NULL) {
        snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(all, f);
        fclose(f);
    }
}

TEST(test_html)
{
    static const char *const words[] = {
        "<html lang=en>",
        "<meta name=viewport content=\"width=device-width\">",
        "<title>board.example: valid</title><h1>board.example</h1>",
        "<b>valid</b>, 61 days left;<br>renews 2027-02-03 07:12 UTC because of the CA's window.",
        "<label><progress max=100 value=32></progress>32 % of its life has passed; renewal at 69 %</label>",
        "<h2>Certificate</h2>",
        "<th>Issued by<td>Pebble Intermediate CA 08fdfd<",
        "<th>Valid from<td>2026-12-03 00:00 UTC<",
        "<th>Valid to<td>2027-03-03 00:00 UTC<",
        "<th>CA's window<td>2027-02-02 00:00 UTC<br>to 2027-02-04 00:00 UTC<",
        "<th>Last error<td>none<",
        "<h2>Device</h2>",
        "<th>Board<td>lm3s6965evb<",
        "<th>Software<td>nanoacme " ACME_VERSION "<",
        "<th>Time<td>2027-01-01 00:00 UTC<",
        "<td>116 KiB<",
        "<td>41.7 KiB<",
        "<td>3.2 KiB<",
        "<th>Heap<td>none<",
        "<th>Since boot<td>9 requests, 1 handshake<",
        "<td>4.8 million instructions<",
    };
    struct page p = good();
    size_t len = render(&p, false);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        expect(words[i]);
    }
    expect_not("class=x");
    expect_not("New pair");
    expect_not("Also for");
    printf("# %zu bytes of HTML\n", len);
    assert_true(len <= HTML_KB);
    keep("good.html");

    p.planned = false; /* not known yet */
    render(&p, false);
    expect("61 days left.<p>");
    p.name_count = 2;
    p.figures[PAGE_LONGEST_TICK] = 0;
    p.figures[PAGE_HEAP] = p.figures[PAGE_REQUESTS] = 1;
    p.figures[PAGE_HANDSHAKES] = 0;
    render(&p, false);
    expect("<th>Also for<td>second.example");
    expect_not("instructions");
    expect("<th>Heap<td>some");
    expect("<td>1 request, 0 handshakes<");
}

/* Every state has words, in the title, too; what is not well has another colour. */
TEST(test_states)
{
    static const struct {
        int64_t utc;
        const char *word, *more;
        bool well;
    } rows[] = {
        {Y2027 + 61 * A_DAY - 1, "valid", "0 minutes left", true},
        {Y2027 + 61 * A_DAY - 7199, "valid", "119 minutes left", true},
        {Y2027 + 61 * A_DAY - 2 * 3600, "valid", "2 hours left", true},
        {Y2027 + 59 * A_DAY + 1, "valid", "47 hours left", true},
        {Y2027 + 59 * A_DAY, "valid", "2 days left", true},
        {Y2027 + 61 * A_DAY, "expired", "value=100", false},
        {Y2027 + 6100 * (int64_t)A_DAY, "expired", "value=100", false},
        {Y2027 - 29 * A_DAY, "valid", "value=0", true},
        {Y2027 - 29 * A_DAY - 1, "not valid yet", "value=0", false},
        {0, "of unknown age", "value=0", false},
    };
    struct page p = good();
    char text[100];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        p.utc = rows[i].utc;
        assert_true(render(&p, false) <= HTML_KB);
        snprintf(text, sizeof text, "<title>board.example: %s</title>", rows[i].word);
        expect(text);
        snprintf(text, sizeof text, "<b>%s</b>", rows[i].word);
        expect(text);
        expect(rows[i].more);
        assert_int_equal(strstr(all, "class=x") == NULL, rows[i].well);
        render(&p, true);
        snprintf(text, sizeof text, "\"state\":\"%s\"", rows[i].word);
        expect(text);
    }
    p = good();
    p.not_before = p.not_after = 0; /* not to be read */
    render(&p, false);
    expect("unreadable");
    expect("value=0");
    expect_not("Valid from"); /* no date of 1970 */
    p.not_before = Y2027;     /* no life at all */
    p.not_after = Y2027 + 1;
    render(&p, false);
    expect("value=0");
}

/* What is due, why, and why it waits. */
TEST(test_plans)
{
    static const char *const whys[] = {
        [ACME_WHY_LIFE] = "its age",
        [ACME_WHY_WINDOW] = "the CA's window",
        [ACME_WHY_BACKSTOP] = "before the CA's window",
        [ACME_WHY_ORDER] = "an order in progress",
        [ACME_WHY_EXPIRED] = "its expiry",
        [ACME_WHY_NO_PAIR] = "no certificate",
        [ACME_WHY_NAMES] = "other names",
        [ACME_WHY_SETUP] = "another setup",
    };
    struct page p = good();
    struct acme_out o;
    char text[100];
    for (size_t i = 0; i < sizeof whys / sizeof whys[0]; i++) {
        p.plan.why = (enum acme_why)i;
        assert_true(render(&p, false) <= HTML_KB);
        expect(whys[i]);
        render(&p, true);
        expect(whys[i]);
    }
    assert_string_equal(words_why((enum acme_why)99), "?");
    p.plan.why = ACME_WHY_EXPIRED;
    p.plan.due = ACME_TIME_NOW;
    p.plan.failures = 3;
    p.plan.hold = ACME_HOLD_FAILURES;
    p.plan.hold_until = Y2027 + 6000;
    p.plan.deploy_pending = true;
    p.error = "connection refused";
    render(&p, false);
    expect(
        "left;<br>renewal is due because of its expiry; next attempt 2027-01-01 01:40 UTC because of 3 failures.<p>");
    expect("has passed</label>");
    expect("<th>Last error<td>connection refused");
    expect("<th>New pair<td>not yet taken over");
    keep("failing.html");
    p.plan.failures = 1;
    render(&p, false);
    expect("of 1 failure.");
    p.plan.hold = ACME_HOLD_CA;
    render(&p, false);
    expect("UTC because of the CA's wish.");
    p.plan.hold = ACME_HOLD_SPREAD;
    render(&p, false);
    expect("UTC because of the fleet's spread.");
    p.plan.hold = ACME_HOLD_STOPPED;
    p.plan.hold_until = ACME_TIME_NEVER;
    p.plan.error = ACME_E_TERMS;
    render(&p, false);
    expect("; stopped until the setup changes because of ");
    p.plan.hold = ACME_HOLD_FAILURES;
    p.plan.hold_until = Y2027; /* over */
    render(&p, false);
    expect("renewal is due because of its expiry.<p>");
    acme_out_init(&o, text, sizeof text);
    p = good();
    words_plan(&o, &p.plan, p.utc, ": ");
    o.at[o.len] = '\0';
    assert_string_equal(text, "renews 2027-02-03 07:12 UTC: the CA's window");
    assert_string_equal(words_error(-9999), "unknown error");
}

static void expect_member(json_t *object, const char *name, const char *want)
{
    const char *have = json_string_value(json_object_get(object, name));
    if (have == NULL || strcmp(have, want) != 0) {
        fail_msg("%s is %s, not %s", name, have, want);
    }
}

static json_t *read_json(const struct page *p)
{
    render(p, true);
    json_t *object = json_loads(all, JSON_REJECT_DUPLICATES, NULL);
    if (object == NULL) {
        fail_msg("no JSON: %s", all);
    }
    return object;
}

TEST(test_json)
{
    struct page p = good();
    p.name_count = 2;
    json_t *o = read_json(&p);
    expect_member(o, "board", "lm3s6965evb");
    assert_int_equal(json_array_size(json_object_get(o, "names")), 2);
    expect_member(o, "state", "valid");
    expect_member(o, "issuer", "Pebble Intermediate CA 08fdfd");
    expect_member(o, "now", "2027-01-01 00:00");
    expect_member(o, "valid_from", "2026-12-03 00:00");
    expect_member(o, "valid_to", "2027-03-03 00:00");
    expect_member(o, "last_error", "none");
    expect_member(o, "why", "the CA's window");
    expect_member(o, "next_renewal", "2027-02-03 07:12");
    expect_member(o, "next_attempt", "2027-02-03 07:12");
    assert_int_equal(json_integer_value(json_object_get(o, "renewal_in_s")), 33 * A_DAY + 7 * 3600 + 12 * 60);
    expect_member(o, "window_from", "2027-02-02 00:00");
    expect_member(o, "window_to", "2027-02-04 00:00");
    expect_member(o, "chosen", "2027-02-03 07:12");
    expect_member(o, "stopped", "");
    assert_true(json_is_false(json_object_get(o, "due")) && json_is_false(json_object_get(o, "deploy_pending")));
    assert_int_equal(json_integer_value(json_object_get(o, "failures")), 0);
    assert_int_equal(json_integer_value(json_object_get(o, "flash")), 118884);
    assert_int_equal(json_integer_value(json_object_get(o, "longest_tick_kilo")), 4803);
    json_decref(o);

    p.plan = (struct acme_plan){.due = ACME_TIME_NOW, .hold = ACME_HOLD_STOPPED, .hold_until = ACME_TIME_NEVER};
    p.plan.failures = 4000000000u;
    p.plan.error = ACME_E_TERMS;
    p.plan.deploy_pending = true;
    p.error = words_error(ACME_E_TERMS);
    o = read_json(&p);
    assert_true(json_is_true(json_object_get(o, "due")) && json_is_true(json_object_get(o, "deploy_pending")));
    expect_member(o, "next_renewal", "2027-01-01 00:00");
    assert_int_equal(json_integer_value(json_object_get(o, "renewal_in_s")), 0);
    expect_member(o, "next_attempt", "");
    expect_member(o, "window_from", "");
    expect_member(o, "stopped", words_error(ACME_E_TERMS));
    expect_member(o, "last_error", words_error(ACME_E_TERMS));
    assert_int_equal(json_integer_value(json_object_get(o, "failures")), 4000000000u);
    json_decref(o);

    p.plan = (struct acme_plan){.due = ACME_TIME_NOW, .hold_until = ACME_TIME_NOW};
    o = read_json(&p);
    expect_member(o, "next_attempt", "2027-01-01 00:00");
    json_decref(o);

    p.planned = false;
    o = read_json(&p);
    expect_member(o, "why", "not known yet");
    json_decref(o);
}

/* An issuer that calls itself markup, with everything as long as it can be. */
TEST(test_escape)
{
    static const char *const odd[] = {"<script>alert(1)</script>&\"'\\", "</td></table><h1>hello&lt;", "a\"b\\c",
                                      "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<"};
    EVP_PKEY *key = maker_ec("P-256");
    struct page p = good();
    size_t len;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct maker_spec spec = {.name = odd[i], .san = "DNS:board.example", .key = key};
        X509 *made = maker_certificate(&spec); /* its own issuer */
        uint8_t *der = maker_der(made, &len);
        page_certificate(&p, der, len);
        assert_string_equal(p.issuer, odd[i]);
        assert_int_equal(p.not_before, MAKER_NOW - MAKER_DAY);
        render(&p, false);
        const char *at = strstr(all, "Issued by<td>");
        assert_non_null(at);
        at += strlen("Issued by<td>");
        for (const char *c = at; c < strstr(at, "<tr>"); c++) {
            assert_true(*c != '<');
            assert_true(*c != '&' || strncmp(c, "&lt;", 4) == 0 || strncmp(c, "&amp;", 5) == 0);
        }
        json_t *o = read_json(&p);
        expect_member(o, "issuer", odd[i]);
        json_decref(o);
        /* cut anywhere, it is unreadable, or another's; never read beyond */
        for (size_t cut = 0; cut < len; cut += 7) {
            uint8_t *part = malloc(cut + 1);
            memcpy(part, der, cut);
            page_certificate(&p, part, cut);
            free(part);
            assert_int_equal(p.not_after, 0);
            assert_string_equal(p.issuer, "");
        }
        free(der);
        X509_free(made);
    }
    EVP_PKEY_free(key);
    /* what is not ASCII */
    static const uint8_t name[] = {0x30, 14,   0x31, 12, 0x30, 10,   0x06, 0x03, 0x55,
                                   0x04, 0x03, 0x0c, 4,  'G',  0x7f, 0xc3, 0xa4};
    read_issuer(&p, (struct acme_der){name, sizeof name});
    assert_string_equal(p.issuer, "G???");
    /* a length that leads out of it, and one that ends with the type */
    p.issuer[0] = '\0';
    read_issuer(&p, (struct acme_der){name, sizeof name - 1});
    read_issuer(&p, (struct acme_der){name, 13});
    read_issuer(&p, (struct acme_der){name, 12});
    assert_string_equal(p.issuer, "");
}

TEST(test_longest)
{
    static char name[254];
    const char *const longest[] = {name, name, name};
    struct page p = good();
    memset(name, 'x', 253);
    p.names = longest;
    p.name_count = 3;
    memset(p.issuer, '<', sizeof p.issuer - 1);
    p.error = words_error(ACME_E_OFFER);
    for (int error = 0; error > -100; error--) { /* the longest of all */
        p.error = strlen(words_error(error)) > strlen(p.error) ? words_error(error) : p.error;
        p.plan.error = strcmp(p.error, words_error(error)) == 0 ? error : p.plan.error;
    }
    p.plan.deploy_pending = true;
    p.plan.why = ACME_WHY_BACKSTOP;
    p.plan.hold = ACME_HOLD_STOPPED;
    p.plan.hold_until = ACME_TIME_NEVER;
    memset(p.figures, 0xff, sizeof p.figures);
    render(&p, false);
    json_decref(read_json(&p));
}

TEST(test_missing)
{
    char text[PAGE_PIECE_MAX];
    struct acme_out o;
    size_t len = 0;
    for (unsigned piece = 0;; piece++) {
        acme_out_init(&o, text, sizeof text);
        if (!page_missing(&o, piece)) {
            break;
        }
        assert_false(o.overflow);
        memcpy(all + len, text, o.len);
        len += o.len;
    }
    all[len] = '\0';
    expect("<meta name=viewport content=\"width=device-width\">");
    expect("<html lang=en>");
    expect("<title>Not found</title><h1>Not found</h1>");
    expect("<a href=/>");
    keep("missing.html");
}

/* --- colours: WCAG 2.2, 1.4.3 --- */

/* 2.4 as a root of a power: the host's libm is not linked. */
static double power_2_4(double x)
{
    double root = x; /* fifth root of x^12 */
    const double want = x * x * x * x * x * x * x * x * x * x * x * x;
    for (int i = 0; i < 200; i++) {
        root -= (root * root * root * root * root - want) / (5 * root * root * root * root + 1e-30);
    }
    return root;
}

static double luminance(const char *colour)
{
    static const double weights[] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    const bool brief = strspn(colour, "0123456789abcdef") == 3;
    for (size_t i = 0; i < 3; i++) {
        char digits[3] = {colour[brief ? i : 2 * i], colour[brief ? i : 2 * i + 1], '\0'};
        double c = (double)strtoul(digits, NULL, 16) / 255;
        sum += weights[i] * (c <= 0.04045 ? c / 12.92 : power_2_4((c + 0.055) / 1.055));
    }
    return sum;
}

static double contrast(const char *a, const char *b)
{
    double x = luminance(a), y = luminance(b);
    return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

/* The colour behind `name`, from there on. */
static const char *colour(const char *from, const char *name)
{
    const char *at = strstr(from, name);
    assert_non_null(at);
    return at + strlen(name);
}

TEST(test_contrast)
{
    struct page p = good();
    assert_in_range((unsigned)(100 * contrast("000", "ffffff")), 2099, 2101);
    assert_in_range((unsigned)(100 * contrast("777777", "fff")), 446, 449);
    assert_in_range((unsigned)(100 * contrast("22aa77", "fff")), 285, 300); /* the green of a draft */
    render(&p, false);
    const char *dark = strstr(all, "prefers-color-scheme:dark");
    assert_non_null(dark);
    expect("color-scheme:light dark");
    const char *from[] = {all, dark};
    for (size_t i = 0; i < 2; i++) {
        const char *ground = colour(from[i], "background:#");
        const char *const used[] = {colour(from[i], ";color:#"), colour(from[i], "--c:#"),
                                    colour(from[i], ".x{--c:#")};
        for (size_t k = 0; k < 3; k++) {
            double ratio = contrast(used[k], ground);
            printf("# %s, #%.6s on #%.3s: %.1f\n", i == 0 ? "light" : "dark", used[k], ground, ratio);
            assert_true(ratio >= 4.5);
        }
    }
}

TEST(test_dates)
{
    static const struct {
        uint32_t utc;
        const char *text;
    } rows[] = {
        {0, "1970-01-01 00:00"},          {951868799, "2000-02-29 23:59"},  {2147483648, "2038-01-19 03:14"},
        {4107542400, "2100-03-01 00:00"}, {4294967295, "2106-02-07 06:28"},
    };
    char text[40];
    struct acme_out o;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        acme_out_init(&o, text, sizeof text);
        words_date(&o, rows[i].utc);
        text[o.len] = '\0';
        assert_string_equal(text, rows[i].text);
    }
}
