/* look.c - looks at a certificate and all that lies beside it. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "adopt.h"
#include "check.h"
#include "due.h"
#include "kept.h"
#include "look.h"
#include "wire/date.h"

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

/* The last value of that attribute counts (RFC 5280, 4.1.2.4). */
struct acme_slice acme_look_issuer(const struct acme_leaf *leaf)
{
    struct acme_der issuer = leaf->issuer;
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

/* Reads the order's record: an order, and a time before which the CA is not asked; each may be there without the other. */
static bool read_order(struct acme_posix_store *s, int64_t *until_utc)
{
    static char record[16384];
    int len = s->store.get(s, ACME_RECORD_ORDER, record, sizeof record);
    struct acme_slice rest = acme_slice(record, len > 0 && len <= (int)sizeof record ? (size_t)len : 0);
    bool order = false;

    while (rest.len > 0) {
        struct acme_slice line = acme_slice_cut(&rest, '\n');
        struct acme_slice word = acme_slice_cut(&line, ' ');
        order = order || acme_slice_is(word, "order");
        *until_utc = acme_slice_is(word, "retry") ? acme_slice_decimal(line) : *until_utc;
    }
    int64_t left = *until_utc - (int64_t)time(NULL);
    *until_utc = left > 0 && left <= 86400 ? *until_utc : 0; /* as the core takes it */
    return order;
}

bool acme_look_order(struct acme_posix_store *s)
{
    int64_t until_utc = 0;
    return read_order(s, &until_utc);
}

/* A pair that a copy has put beside its place. Opens its folder; -1: there is none. */
static int open_stray(struct acme_posix_store *s, struct acme_look *l)
{
    static const char *const slots[] = {NULL, ".a", ".b"};
    for (size_t i = 0; i < 3; i++) {
        int at = acme_posix_pair_open(s, slots[i]);
        if (at >= 0 && acme_adopt_whole(s, at, &l->leaf)) {
            l->sign = slots[i] == NULL ? "a folder, not the link nanoacme makes; the next issue puts it in order"
                                       : "the link to it is lost or leads elsewhere; the next issue puts it in order";
            return at;
        }
        if (at >= 0) {
            (void)close(at);
        }
    }
    return -1;
}

/* What is kept of its setup. */
static void look_at_setup(struct acme_look *l, const struct acme_config *config, int state)
{
    static struct acme_config own;

    acme_config_init(&own);
    own.state = config->state;
    int code = acme_kept_read(&own, state, l->name);
    l->config = &own;
    l->setup = code > 0;
    l->setup_wrong = code < 0 ? own.error : NULL;
}

/* Whether a run has hold of the state directory. */
static bool is_running(const struct acme_posix_store *s)
{
    int fd = openat(s->dir, ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    bool running = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;

    if (fd >= 0) {
        (void)close(fd);
    }
    return running;
}

uint32_t acme_look_failures(const struct acme_look *l)
{
    return l->plan.failures - (l->running && l->plan.failures > 0 ? 1 : 0);
}

enum acme_health acme_look_health(const struct acme_look *l, int64_t now)
{
    const struct acme_plan *p = &l->plan;
    int64_t late = p->due > 0 ? acme_later(p->due, acme_until_s(p->not_before, p->not_after) / 10) : 0;

    if (l->wrong != NULL || l->revoked || p->not_after <= now) {
        return l->wrong == NULL || l->damaged ? ACME_HEALTH_EXPIRED
               : acme_look_failures(l) > 0    ? ACME_HEALTH_FAILING
                                              : ACME_HEALTH_NONE;
    }
    return acme_look_failures(l) > 0 || l->setup_wrong != NULL || (p->deploy_pending && !l->running)
               ? ACME_HEALTH_FAILING
           : late > 0 && now > late ? ACME_HEALTH_LATE
                                    : ACME_HEALTH_OK;
}

const char *acme_health_word(enum acme_health health)
{
    static const char *const words[] = {"ok", "late", "failing", "expired", "none"};
    return words[health];
}

void acme_look(struct acme_look *l, const struct acme_config *config, const char *name)
{
    static struct acme_posix_store store;
    struct stat is;
    const char *slot;
    int at, code;

    memset(l, 0, sizeof *l);
    acme_posix_store_init(&store, config->state, name);
    code = acme_posix_store_open(&store);
    l->name = name;
    if (code == 0) {
        look_at_setup(l, config, store.dir);
        store.key_elsewhere = l->setup && l->config->key != NULL;
    }
    if (code != 0) {
        l->wrong = code == ENOENT ? "no certificate" : strerror(code);
        return;
    }
    code = acme_posix_pair_in_use(&store, &slot);
    at = code != 0 || slot == NULL ? open_stray(&store, l) : acme_posix_pair_open(&store, slot);
    if (at < 0) {
        l->damaged = code != 0;
        l->wrong = code == EEXIST ? "not made by nanoacme: move it away"
                   : code != 0    ? strerror(code)
                                  : "no certificate";
    } else {
        l->wrong = acme_adopt_leaf(at, &l->leaf);
        l->damaged = l->wrong != NULL;
        l->revoked = faccessat(at, "revoked", F_OK, 0) == 0;
        l->since = fstatat(at, "fullchain.pem", &is, AT_SYMLINK_NOFOLLOW) == 0 ? is.st_mtime : 0;
        (void)close(at);
    }
    l->order = read_order(&store, &l->until_utc);
    if (l->until_utc > 0) {
        (void)acme_told_read(&store, l->until_utc, &l->told);
    }
    l->running = is_running(&store);
    acme_due_make(l, &store, l->setup ? l->config : config);
    if (l->until_utc == 0 && acme_look_failures(l) > 0) {
        l->told_at = acme_told_last(&store, &l->told);
    }
    (void)acme_posix_place_record(&store, ACME_RECORD_CHAIN);
    (void)snprintf(l->path, sizeof l->path, "%s", store.path);
    acme_posix_store_close(&store);
}

void acme_look_names(const struct acme_leaf *leaf, struct acme_out *o, bool json)
{
    struct acme_der names = leaf->names, name;
    const char *between = "";
    uint8_t tag;

    while (acme_der_next(&names, &tag, &name)) {
        char address[INET6_ADDRSTRLEN] = "";
        if (tag == ACME_DER_IP_ADDRESS) {
            acme_address_text(name.at, name.len, address);
        }
        if (tag == ACME_DER_DNS_NAME || address[0] != '\0') {
            acme_out_text(o, between);
            acme_out_text(o, json ? "\"" : "");
            acme_out_json(o, address[0] != '\0' ? acme_slice_of(address) : printable(name));
            acme_out_text(o, json ? "\"" : "");
            between = json ? "," : " ";
        }
    }
}
