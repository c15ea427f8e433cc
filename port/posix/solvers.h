/* solvers.h - which challenges a run can answer, in which order, and with what. */
#ifndef ACME_POSIX_SOLVERS_H
#define ACME_POSIX_SOLVERS_H

#include "config.h"
#include "challenge_hook.h"
#include "nameserver.h"
#include "posix.h"
#include "dns/rfc2136.h"
#include "protocol/challenge_dnspersist01.h"

#define ACME_SOLVERS_MAX 8

/* The solvers of a run, and what those for dns-01 and by hook need. */
struct acme_solvers {
    struct acme_challenge_hook hook;
    struct acme_posix_udp udp;
    struct acme_rfc2136 rfc2136;
    struct acme_rfc2136_zone zone;
    struct acme_nameserver_key key;
    char server[254], watch[ACME_CONFIG_WORDS][254];
    const char *watch_at[ACME_CONFIG_WORDS];
    bool http, dns, tls; /* which types we answer ourselves    */
    bool hooks;          /* the hook answers for some          */
    bool persists;       /* a record that stands in the zone answers */
    const struct acme_solver *at[ACME_SOLVERS_MAX];
    size_t count;
};

/* The types, with commas between, in their order. */
const char *acme_solvers_list(const struct acme_config *config);

/* Judges what is said of challenges, and reads what is needed for them. Returns 0 or an exit code; a message was given. */
int acme_solvers_check(struct acme_solvers *s, const struct acme_config *config);

/* Prepares them; `http` and `tls` are ours for http-01 and tls-alpn-01. No I/O. */
void acme_solvers_fill(struct acme_solvers *s, const struct acme_config *config, const struct acme_solver *http,
                       const struct acme_solver *tls);

#endif
