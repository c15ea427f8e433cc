/* challenge_hook.c - solvers whose answers a program of the administrator's publishes. */
#include <stdio.h>
#include <string.h>

#include "challenge_hook.h"
#include "protocol/challenge_dnsaccount01.h"
#include "wire/out.h"

static struct acme_hooked *find(struct acme_challenge_hook *h, const struct acme_challenge *of)
{
    for (size_t i = 0; i < sizeof h->all / sizeof *h->all; i++) {
        if (h->all[i].state != ACME_HOOKED_FREE && h->all[i].of == of) {
            return &h->all[i];
        }
    }
    return NULL;
}

/* A new one, in its own words. NULL: there is no room for it. */
static struct acme_hooked *note(struct acme_challenge_hook *h, const struct acme_challenge *challenge)
{
    struct acme_hooked *a = NULL;
    struct acme_out auth;

    for (size_t i = 0; a == NULL && i < sizeof h->all / sizeof *h->all; i++) {
        a = h->all[i].state == ACME_HOOKED_FREE ? &h->all[i] : NULL;
    }
    if (a == NULL) {
        return NULL;
    }
    memset(a, 0, sizeof *a);
    a->number = h->count++;
    (void)snprintf(a->go.type, sizeof a->go.type, "%s", challenge->type);
    (void)snprintf(a->go.name, sizeof a->go.name, "%s", challenge->name);
    (void)snprintf(a->go.token, sizeof a->go.token, "%s", challenge->token);
    acme_out_init(&auth, a->go.auth, sizeof a->go.auth - 1);
    if (strcmp(challenge->type, h->dns01.type) == 0) {
        (void)snprintf(a->go.label, sizeof a->go.label, "%s", ACME_DNS01_LABEL);
    } else if (strcmp(challenge->type, h->dns_account01.type) == 0) {
        acme_dnsaccount01_label(challenge->account, a->go.label);
    }
    if (strcmp(challenge->type, h->http01.type) == 0) {
        acme_out_text(&auth, challenge->token);
        acme_out_text(&auth, ".");
        acme_out_text(&auth, challenge->thumbprint);
    } else { /* RFC 8555, 8.4, and RFC 8737, 3: uacme has this form for both */
        char value[ACME_DNS01_VALUE_LEN + 1];
        acme_dns01_value(challenge, value);
        acme_out_text(&auth, value);
    }
    return a;
}

/* What the run has ended with, of the one that had its turn. */
static void ended(struct acme_challenge_hook *h, int result)
{
    struct acme_hooked *a = h->running;
    bool begin = a->state == ACME_HOOKED_BEGIN;

    h->running = NULL;
    if (result < 0 && !(begin && h->hook.status == 1)) {
        (void)snprintf(h->words, sizeof h->words, "hook %s: %s", a->go.verb, h->hook.words);
    }
    if (!begin || (a->of == NULL && h->hook.status == 1)) {
        a->state = ACME_HOOKED_FREE;
    } else if (a->of == NULL) { /* withdrawn meanwhile: whatever it has published is taken away */
        a->state = ACME_HOOKED_END;
    } else {
        a->state = result > 0 ? ACME_HOOKED_SHOWN : h->hook.status == 1 ? ACME_HOOKED_DECLINED : ACME_HOOKED_FAILED;
    }
}

static struct acme_hooked *next(struct acme_challenge_hook *h)
{
    struct acme_hooked *first = NULL;

    for (size_t i = 0; i < sizeof h->all / sizeof *h->all; i++) {
        struct acme_hooked *a = &h->all[i];
        bool waits = a->state == ACME_HOOKED_BEGIN || a->state == ACME_HOOKED_END;
        first = waits && (first == NULL || a->number < first->number) ? a : first;
    }
    return first;
}

static bool tick(void *ctx, uint32_t now_ms)
{
    struct acme_challenge_hook *h = ctx;
    bool moved = false;
    int result;

    (void)now_ms;
    if (h->running == NULL) {
        h->running = next(h);
        moved = h->running != NULL;
        if (moved) {
            (void)snprintf(h->running->go.verb, sizeof h->running->go.verb, "%s",
                           h->running->state == ACME_HOOKED_BEGIN ? "begin"
                           : h->running->valid                    ? "done"
                                                                  : "failed");
        }
    }
    if (h->running != NULL && (result = acme_hook_tick(&h->hook, &h->running->go)) != 0) {
        ended(h, result);
        moved = true;
    }
    return moved;
}

static int present(void *ctx, struct acme_challenge *challenge)
{
    struct acme_challenge_hook *h = ctx;
    struct acme_hooked *a = find(h, challenge);

    if (a == NULL && (a = note(h, challenge)) != NULL) {
        a->state = ACME_HOOKED_BEGIN;
        a->of = challenge;
        h->words[0] = '\0';
    }
    (void)tick(h, 0);
    switch (a != NULL ? a->state : ACME_HOOKED_BEGIN) {
    case ACME_HOOKED_SHOWN:
        return 1;
    case ACME_HOOKED_DECLINED:
        return ACME_E_DECLINED;
    case ACME_HOOKED_FAILED:
        return ACME_E_SOLVER;
    default:
        return 0;
    }
}

static void withdraw(void *ctx, struct acme_challenge *challenge)
{
    struct acme_challenge_hook *h = ctx;
    struct acme_hooked *a = find(h, challenge);

    if (a == NULL) { /* an earlier run may have left it */
        if ((a = note(h, challenge)) == NULL) {
            return;
        }
        a->state = ACME_HOOKED_END;
    }
    a->of = NULL;
    a->valid = challenge->valid;
    if (a->state == ACME_HOOKED_SHOWN ||
        a->state == ACME_HOOKED_FAILED) { /* one that failed may have done half of it */
        a->state = ACME_HOOKED_END;
        a->number = h->count++;
    } else if (a->state == ACME_HOOKED_DECLINED || (a->state == ACME_HOOKED_BEGIN && a != h->running)) {
        a->state = ACME_HOOKED_FREE;
    }
}

static bool clearing(const void *ctx)
{
    const struct acme_challenge_hook *h = ctx;

    for (size_t i = 0; i < sizeof h->all / sizeof *h->all; i++) {
        if (h->all[i].state != ACME_HOOKED_FREE && h->all[i].of == NULL) {
            return true;
        }
    }
    return false;
}

static const char *words_of(void *ctx)
{
    const struct acme_challenge_hook *h = ctx;
    return h->words;
}

static struct acme_solver solver(struct acme_challenge_hook *h, const char *type, bool wildcards)
{
    return (struct acme_solver){.ctx = h,
                                .type = type,
                                .present = present,
                                .withdraw = withdraw,
                                .tick = tick,
                                .wildcards = wildcards,
                                .lasts = true,
                                .clearing = clearing,
                                .words = words_of};
}

void acme_challenge_hook_init(struct acme_challenge_hook *h)
{
    memset(h, 0, sizeof *h);
    h->hook.fd = -1;
    h->http01 = solver(h, "http-01", false);
    h->dns01 = solver(h, "dns-01", true);
    h->tls_alpn01 = solver(h, "tls-alpn-01", false);
    h->dns_account01 = solver(h, ACME_DNSACCOUNT01_TYPE, true);
}
