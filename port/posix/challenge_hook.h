/* challenge_hook.h - a program of the administrator's that publishes answers to challenges, of any type, by any means: the API of a
 * DNS host, a file on another machine. It is called as uacme(1) calls its own, so programs made for that one serve here too:
 *
 *     CMD begin  TYPE NAME TOKEN AUTH     publish it. Exit status 0: done, it may be looked at; 1: not this type, the next one
 *     CMD done   TYPE NAME TOKEN AUTH     take it away; it was valid
 *     CMD failed TYPE NAME TOKEN AUTH     take it away; it was not, or is not needed any more, or was left by an earlier run
 *
 * With a dns type its environment has NANOACME_RECORD, the name of the TXT record.
 *
 * One at a time, since not every such program may run twice at once. No shell; see hook.h for who starts it, and with which
 * rights. */
#ifndef ACME_POSIX_CHALLENGE_HOOK_H
#define ACME_POSIX_CHALLENGE_HOOK_H

#include "hook.h"

#define ACME_CHALLENGE_HOOK_LIMIT_S 600 /* that long one call may take: new records of a DNS zone take their time */

/* One answer. */
struct acme_hooked {
    enum acme_hooked_state {
        ACME_HOOKED_FREE,
        ACME_HOOKED_BEGIN, /* waits for its turn, or has it */
        ACME_HOOKED_SHOWN,
        ACME_HOOKED_DECLINED,
        ACME_HOOKED_FAILED,
        ACME_HOOKED_END /* to be taken away: waits for its turn, or has it */
    } state;
    uint32_t number;                 /* who came first                              */
    const struct acme_challenge *of; /* NULL: withdrawn                             */
    bool valid;                      /* then: the CA has validated it                */
    struct acme_hook_go go;
};

struct acme_challenge_hook {
    struct acme_hook hook;
    struct acme_solver http01, dns01, tls_alpn01, dns_account01;
    struct acme_hooked all[2 * ACME_NAMES_MAX]; /* those of one order, while those of the one before are taken away */
    struct acme_hooked *running;                /* NULL: none                                                       */
    uint32_t count;                             /* numbers given                                                    */
    char words[sizeof((struct acme_hook *)0)->words + 32];
};

/* Prepares the solvers. The hook is started by acme_hook_start(&h->hook, ...) with `challenges`, and closed likewise. */
void acme_challenge_hook_init(struct acme_challenge_hook *h);

#endif
