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

#include "program.h"
#include "report.h"
#include "lifecycle/renew.h"
#include "x509/leaf.h"

static char chain[16384];
static uint8_t der[8192];

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

/* Reads the leaf of the chain in use. Returns what is wrong with it, or NULL. */
static const char *read_leaf(struct acme_posix_store *s, struct acme_leaf *leaf)
{
    struct acme_pem pem;
    size_t at = 0, used = 0;
    int event = 0;
    int len = s->store.get(s, ACME_RECORD_CHAIN, chain, sizeof chain);

    if (len <= 0) {
        return len == 0              ? "no certificate"
               : s->error == EEXIST  ? "not made by nanoacme"
               : s->error == ENODATA ? "damaged: empty"
                                     : strerror(s->error);
    }
    len = len < (int)sizeof chain ? len : (int)sizeof chain;
    acme_pem_init(&pem, der, sizeof der);
    while (event != ACME_PEM_END && event >= 0 && at < (size_t)len) {
        event = acme_pem_read(&pem, chain + at, (size_t)len - at, &used);
        at += used;
    }
    return event == ACME_PEM_END && acme_leaf_parse(leaf, der, pem.len) == 0 ? NULL : "damaged: not a certificate";
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

/* What is under way: an order, and a time before which the CA is not asked; each may be there without the other. */
struct under_way {
    bool order;
    int64_t until_utc; /* 0: it may be asked */
    struct acme_told told;
};

static void read_under_way(struct acme_posix_store *s, struct under_way *u)
{
    static char record[16384];
    int len = s->store.get(s, ACME_RECORD_ORDER, record, sizeof record);

    memset(u, 0, sizeof *u);
    struct acme_slice rest = acme_slice(record, len > 0 && len <= (int)sizeof record ? (size_t)len : 0);
    while (rest.len > 0) {
        struct acme_slice line = acme_slice_cut(&rest, '\n');
        struct acme_slice word = acme_slice_cut(&line, ' ');
        u->order = u->order || acme_slice_is(word, "order");
        u->until_utc = acme_slice_is(word, "retry") ? acme_slice_decimal(line) : u->until_utc;
    }
    int64_t left = u->until_utc - (int64_t)time(NULL);
    u->until_utc = left > 0 && left <= 86400 ? u->until_utc : 0; /* as the core takes it */
    if (u->until_utc > 0) {
        (void)acme_told_read(s, u->until_utc, &u->told);
    }
}

static void say_json(const struct acme_posix_store *s, const struct acme_leaf *leaf, const char *wrong,
                     const struct under_way *u)
{
    struct acme_out *o = acme_line();

    acme_line_object(o, "certificate");
    acme_line_text(o, "certificate", acme_slice_of(s->name));
    if (wrong != NULL) {
        acme_line_text(o, "error", acme_slice_of(wrong));
    } else {
        acme_out_text(o, ",\"names\":[");
        each_name(leaf, o, true);
        acme_out_text(o, "]");
        acme_line_text(o, "issuer", issuer_word(leaf->issuer));
        acme_line_number(o, "not_before", leaf->not_before);
        acme_line_number(o, "not_after", leaf->not_after);
        acme_line_number(o, "days_left", (leaf->not_after - (int64_t)time(NULL)) / 86400);
        acme_line_number(o, "renew_at", acme_renew_at(leaf->not_before, leaf->not_after));
    }
    acme_line_number(o, "order_in_progress", u->order);
    if (u->until_utc > 0) {
        acme_line_number(o, "held_until", u->until_utc);
        acme_line_text(o, "type", acme_slice_of(u->told.type));
        acme_line_text(o, "detail", acme_slice_of(u->told.detail));
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

static void say_under_way(const struct under_way *u)
{
    struct acme_out *o;

    if (u->order) {
        say_row("    order    in progress", acme_slice("", 0));
    }
    if (u->until_utc > 0) {
        o = acme_line();
        acme_out_text(o, "    waiting  until ");
        acme_say_date(o, u->until_utc);
        acme_out_text(o, " UTC: the CA is not asked before, but with --force");
        acme_line_end(STDOUT_FILENO);
        if (u->told.detail[0] != '\0') {
            say_row("    CA said  ", acme_slice_of(u->told.detail));
        }
    }
}

static void say_text(const struct acme_posix_store *s, const struct acme_leaf *leaf, const char *wrong,
                     const struct under_way *u)
{
    int64_t left;
    char text[48];
    struct acme_out *o;

    say_row("", acme_slice_of(s->name));
    if (wrong != NULL) {
        say_row("    ", acme_slice_of(wrong));
    } else {
        left = leaf->not_after - (int64_t)time(NULL);
        o = acme_line();
        acme_out_text(o, "    names    ");
        each_name(leaf, o, false);
        acme_line_end(STDOUT_FILENO);
        say_row("    issuer   ", issuer_word(leaf->issuer));
        o = acme_line();
        acme_out_text(o, "    valid    ");
        acme_say_date(o, leaf->not_before);
        acme_out_text(o, " to ");
        acme_say_date(o, leaf->not_after);
        (void)snprintf(text, sizeof text, left < 0 ? " UTC, expired" : " UTC, %lld days left",
                       (long long)(left / 86400));
        acme_out_text(o, text);
        acme_line_end(STDOUT_FILENO);
        o = acme_line();
        acme_out_text(o, "    renewal  from ");
        acme_say_date(o, acme_renew_at(leaf->not_before, leaf->not_after));
        acme_out_text(o, " UTC");
        acme_line_end(STDOUT_FILENO);
    }
    say_under_way(u);
}

/* Shows one certificate. Returns true when there is one. */
static bool show(const struct acme_config *config, const char *name)
{
    static struct acme_posix_store store;
    struct acme_leaf leaf;
    const char *wrong;
    static struct under_way under_way;

    acme_posix_store_init(&store, config->state, name);
    wrong = read_leaf(&store, &leaf);
    read_under_way(&store, &under_way);
    if (config->json) {
        say_json(&store, &leaf, wrong, &under_way);
    } else {
        say_text(&store, &leaf, wrong, &under_way);
    }
    return wrong == NULL;
}

/* What getdents64 fills in; opendir() would allocate. */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t len;
    uint8_t type;
    char name[];
};

/* A certificate shows as a link of ours, or, before the first one, as the order in progress. Puts its name
 * into `name`. */
static bool is_certificate(int state, const char *entry, char name[254])
{
    static const char order[] = ".order";
    size_t len = strlen(entry);
    struct stat is;

    if (entry[0] != '.' && len < 254) {
        memcpy(name, entry, len + 1);
        return acme_dns_name_ok(acme_slice_of(name)) && fstatat(state, entry, &is, AT_SYMLINK_NOFOLLOW) == 0 &&
               S_ISLNK(is.st_mode);
    }
    if (len <= sizeof order || len >= 254 || strcmp(entry + len - (sizeof order - 1), order) != 0) {
        return false;
    }
    memcpy(name, entry + 1, len - sizeof order);
    name[len - sizeof order] = '\0';
    return acme_dns_name_ok(acme_slice_of(name)) && fstatat(state, name, &is, AT_SYMLINK_NOFOLLOW) != 0;
}

/* Shows all certificates. Returns an exit code. */
static int show_all(const struct acme_config *config)
{
    static uint64_t memory[1024];
    char name[254];
    long n = 1;
    int code, state = open(config->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

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
        const char *word = config->names.at[i];
        if (!acme_dns_name_ok(acme_slice_of(word))) {
            acme_report_error("names: \"%.260s\" is not a DNS name", word);
            return ACME_EXIT_USAGE;
        }
        for (size_t k = 0; k <= strlen(word); k++) {
            name[k] = acme_lower(word[k]);
        }
        all = show(config, name) && all;
    }
    return all ? 0 : ACME_EXIT_FAILED;
}
