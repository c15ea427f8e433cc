/* status.c - the verb `status`: what the state directory holds. Reads only. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "adopt.h"
#include "check.h"
#include "program.h"
#include "report.h"
#include "lifecycle/renew.h"

/* Text of a certificate as printable ASCII, cut at 255 characters. Valid until the next call. */
static struct acme_slice printable(struct acme_der text)
{
    static char copy[255];
    size_t len = text.len < sizeof copy ? text.len : sizeof copy;
    for (size_t i = 0; i < len; i++) {
        copy[i] = text.at[i] >= 0x20 && text.at[i] < 0x7f ? (char)text.at[i] : '?';
    }
    return acme_slice(copy, len);
}

/* The issuer's common name, else its organization: the last value of that attribute (RFC 5280, 4.1.2.4). */
static struct acme_slice issuer_word(struct acme_der issuer)
{
    static const uint8_t organization[] = {0x55, 0x04, 0x0a}, common[] = {0x55, 0x04, 0x03};
    struct acme_der words[2] = {{NULL, 0}, {NULL, 0}};
    struct acme_der set, pair, type, value;
    uint8_t tag;

    while (acme_der_next(&issuer, &tag, &set)) {
        while (acme_der_next(&set, &tag, &pair)) {
            if (acme_der_next(&pair, &tag, &type) && acme_der_next(&pair, &tag, &value) && type.len == 3) {
                if (memcmp(type.at, common, 3) == 0) {
                    words[0] = value;
                } else if (memcmp(type.at, organization, 3) == 0) {
                    words[1] = value;
                }
            }
        }
    }
    return printable(words[0].len > 0 ? words[0] : words[1]);
}

/* What there is to say of one name. */
struct found {
    const char *name;
    struct acme_leaf leaf;
    const char *wrong; /* NULL: there is a certificate, `leaf` */
    const char *sign;  /* NULL: it is in its place */
    bool revoked, order;
    int64_t until_utc; /* the CA is not asked before; 0: it may be */
    struct acme_told told;
};

/* Reads the order's record: an order, and a time before which the CA is not asked; each may be there without the other. */
static void look_at_order(struct acme_posix_store *s, struct found *f)
{
    static char record[16384];
    int len = s->store.get(s, ACME_RECORD_ORDER, record, sizeof record);
    struct acme_slice rest = acme_slice(record, len > 0 && len <= (int)sizeof record ? (size_t)len : 0);

    while (rest.len > 0) {
        struct acme_slice line = acme_slice_cut(&rest, '\n');
        struct acme_slice word = acme_slice_cut(&line, ' ');
        f->order = f->order || acme_slice_is(word, "order");
        f->until_utc = acme_slice_is(word, "retry") ? acme_slice_decimal(line) : f->until_utc;
    }
    int64_t left = f->until_utc - (int64_t)time(NULL);
    f->until_utc = left > 0 && left <= 86400 ? f->until_utc : 0; /* as the core takes it */
    if (f->until_utc > 0) {
        (void)acme_told_read(s, f->until_utc, &f->told);
    }
}

/* A pair that a copy has put beside its place. Opens its folder; -1: there is none. */
static int open_stray(struct acme_posix_store *s, struct found *f)
{
    static const char *const slots[] = {NULL, ".a", ".b"};
    for (size_t i = 0; i < 3; i++) {
        int at = acme_posix_pair_open(s, slots[i]);
        if (at >= 0 && acme_adopt_whole(at, &f->leaf)) {
            f->sign = slots[i] == NULL ? "a folder, not the link nanoacme makes; the next issue puts it in order"
                                       : "the link to it is lost or leads elsewhere; the next issue puts it in order";
            return at;
        }
        if (at >= 0) {
            (void)close(at);
        }
    }
    return -1;
}

/* Looks at one name. */
static void look(const struct acme_config *config, const char *name, struct found *f)
{
    static struct acme_posix_store store;
    const char *slot;
    int at, code;

    memset(f, 0, sizeof *f);
    acme_posix_store_init(&store, config->state, name);
    code = acme_posix_store_open(&store);
    f->name = name;
    if (code != 0) {
        f->wrong = code == ENOENT ? "no certificate" : strerror(code);
        return;
    }
    code = acme_posix_pair_in_use(&store, &slot);
    at = code != 0 || slot == NULL ? open_stray(&store, f) : acme_posix_pair_open(&store, slot);
    if (at < 0) {
        f->wrong = code == EEXIST ? "not made by nanoacme: move it away"
                   : code != 0    ? strerror(code)
                                  : "no certificate";
    } else {
        f->wrong = acme_adopt_leaf(at, &f->leaf);
        f->revoked = faccessat(at, "revoked", F_OK, 0) == 0;
        (void)close(at);
    }
    look_at_order(&store, f);
    acme_posix_store_close(&store);
}

/* Writes the certificate's DNS names. */
static void each_name(const struct acme_leaf *leaf, struct acme_out *o, bool json)
{
    struct acme_der names = leaf->names, name;
    const char *between = "";
    uint8_t tag;

    while (acme_der_next(&names, &tag, &name)) {
        if (tag == 0x82) { /* dNSName */
            acme_out_text(o, between);
            acme_out_text(o, json ? "\"" : "");
            acme_out_json(o, printable(name));
            acme_out_text(o, json ? "\"" : "");
            between = json ? "," : " ";
        }
    }
}

static void say_json(const struct found *f)
{
    struct acme_out *o = acme_line();

    acme_line_object(o, "certificate");
    acme_line_text(o, "certificate", acme_slice_of(f->name));
    if (f->wrong != NULL) {
        acme_line_text(o, "error", acme_slice_of(f->wrong));
    } else {
        acme_out_text(o, ",\"names\":[");
        each_name(&f->leaf, o, true);
        acme_out_text(o, "]");
        acme_line_text(o, "issuer", issuer_word(f->leaf.issuer));
        acme_line_number(o, "not_before", f->leaf.not_before);
        acme_line_number(o, "not_after", f->leaf.not_after);
        acme_line_number(o, "days_left", (f->leaf.not_after - (int64_t)time(NULL)) / 86400);
        acme_line_number(o, "renew_at", acme_renew_at(f->leaf.not_before, f->leaf.not_after));
        acme_line_number(o, "revoked", f->revoked);
        acme_line_text(o, "sign", acme_slice_of(f->sign != NULL ? f->sign : ""));
    }
    acme_line_number(o, "order_in_progress", f->order);
    if (f->until_utc > 0) {
        acme_line_number(o, "held_until", f->until_utc);
        acme_line_text(o, "type", acme_slice_of(f->told.type));
        acme_line_text(o, "detail", acme_slice_of(f->told.detail));
    }
    acme_line_close(o);
    acme_line_end(STDOUT_FILENO);
}

static void say_row(const char *word, struct acme_slice text)
{
    struct acme_out *o = acme_line();
    acme_out_text(o, word);
    acme_out_slice(o, text);
    acme_line_end(STDOUT_FILENO);
}

static void say_moment(const char *before, int64_t utc, const char *after)
{
    struct acme_out *o = acme_line();
    acme_out_text(o, before);
    acme_say_date(o, utc);
    acme_out_text(o, after);
    acme_line_end(STDOUT_FILENO);
}

static void say_certificate(const struct found *f)
{
    int64_t left = f->leaf.not_after - (int64_t)time(NULL);
    char text[48];
    struct acme_out *o = acme_line();

    acme_out_text(o, "    names    ");
    each_name(&f->leaf, o, false);
    acme_line_end(STDOUT_FILENO);
    say_row("    issuer   ", issuer_word(f->leaf.issuer));
    o = acme_line();
    acme_out_text(o, "    valid    ");
    acme_say_date(o, f->leaf.not_before);
    acme_out_text(o, " to ");
    acme_say_date(o, f->leaf.not_after);
    (void)snprintf(text, sizeof text, left < 0 ? " UTC, expired" : " UTC, %lld days left", (long long)(left / 86400));
    acme_out_text(o, text);
    acme_line_end(STDOUT_FILENO);
    if (f->revoked) {
        say_row("    revoked  the next issue gets a new one", acme_slice("", 0));
    } else {
        say_moment("    renewal  from ", acme_renew_at(f->leaf.not_before, f->leaf.not_after), " UTC");
    }
    if (f->sign != NULL) {
        say_row("    place    ", acme_slice_of(f->sign));
    }
}

static void say_text(const struct found *f)
{
    say_row("", acme_slice_of(f->name));
    if (f->wrong != NULL) {
        say_row("    ", acme_slice_of(f->wrong));
    } else {
        say_certificate(f);
    }
    if (f->order) {
        say_row("    order    in progress", acme_slice("", 0));
    }
    if (f->until_utc > 0) {
        say_moment("    waiting  until ", f->until_utc, " UTC: the CA is not asked before, but with --force");
        if (f->told.detail[0] != '\0') {
            say_row("    CA said  ", acme_slice_of(f->told.detail));
        }
    }
}

/* Shows one certificate. Returns true when there is one. */
static bool show(const struct acme_config *config, const char *name)
{
    struct found f;

    look(config, name, &f);
    if (config->json) {
        say_json(&f);
    } else {
        say_text(&f);
    }
    return f.wrong == NULL;
}

/* What getdents64 fills in; opendir() would allocate. */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t len;
    uint8_t type;
    char name[];
};

/* The certificate's name that an entry of the state directory is there for, into `name`: a link or a folder of the name itself,
 * else what begins with a dot: an order, or a slot. False: it is for none, or another entry shows the same. */
static bool is_certificate(int state, const char *entry, char name[254])
{
    static const char *const ends[] = {".order", ".a", ".b"};
    size_t len = strlen(entry);
    char other[264];
    struct stat is;

    if (entry[0] != '.' && len < 254) {
        memcpy(name, entry, len + 1);
        return acme_dns_name_ok(acme_slice_of(name)) && fstatat(state, entry, &is, AT_SYMLINK_NOFOLLOW) == 0 &&
               (S_ISLNK(is.st_mode) || S_ISDIR(is.st_mode));
    }
    for (size_t i = 0; i < 3; i++) {
        size_t end = strlen(ends[i]);
        if (len <= end + 1 || len - end > 254 || strcmp(entry + len - end, ends[i]) != 0) {
            continue;
        }
        memcpy(name, entry + 1, len - end - 1);
        name[len - end - 1] = '\0';
        for (size_t k = 0; k <= i; k++) { /* shown by its name, or by the first of its entries */
            (void)snprintf(other, sizeof other, k == 0 ? "%s" : ".%s%s", name, ends[k > 0 ? k - 1 : 0]);
            if (fstatat(state, other, &is, AT_SYMLINK_NOFOLLOW) == 0) {
                return false;
            }
        }
        return acme_dns_name_ok(acme_slice_of(name));
    }
    return false;
}

/* Shows all certificates. Returns an exit code. */
static int show_all(const struct acme_config *config)
{
    static uint64_t memory[1024];
    char name[254];
    long n = 1;
    int code, state = acme_posix_folder(config->state, NULL);

    while (state >= 0 && (n = syscall(SYS_getdents64, state, memory, sizeof memory)) > 0) {
        for (long at = 0; at < n;) {
            const struct entry *e = (const void *)((const char *)memory + at);
            at += e->len;
            if (is_certificate(state, e->name, name)) {
                (void)show(config, name);
            }
        }
    }
    code = state < 0 || n < 0 ? errno : 0;
    if (state >= 0) {
        (void)close(state);
    }
    if (code != 0) {
        acme_report_error("cannot read %s: %s", config->state, strerror(code));
    }
    return code == 0 ? 0 : ACME_EXIT_FAILED;
}

int acme_program_status(const struct acme_config *config)
{
    bool all = true;
    char name[254];

    /* Of the file's names only the first one is a certificate; on the command line each is one. */
    if (acme_config_blame(config, ACME_KEY_NAMES) == ACME_EXIT_CONFIG || config->names.count == 0) {
        return show_all(config);
    }
    for (size_t i = 0; i < config->names.count; i++) {
        const char *why = acme_check_name(name, config->names.at[i]);
        if (why != NULL) {
            acme_report_error("names: \"%.260s\": %s", config->names.at[i], why);
            return ACME_EXIT_USAGE;
        }
        for (size_t k = 0; name[k] != '\0'; k++) {
            name[k] = acme_lower(name[k]);
        }
        all = show(config, name) && all;
    }
    return all ? 0 : ACME_EXIT_FAILED;
}
