/* run.h - one run of the client: all its memory, what it is set up with, and its loop. */
#ifndef ACME_POSIX_RUN_H
#define ACME_POSIX_RUN_H

#include "check.h"
#include "eab.h"
#include "report.h"
#include "signer.h"
#include "solvers.h"
#include "webroot.h"
#include "protocol/challenge_http01.h"
#include "protocol/challenge_tlsalpn01.h"
#include "secure/anchors.h"
#include "csr.h"
#include "secure/key_p256.h"
#include "secure/tls.h"

#if !ACME_CFG_RENEWAL || !ACME_CFG_TRACE || !ACME_CFG_CHECK || !ACME_CFG_EAB
#error "the program has verbs and words for all of the core: firmware may be without these"
#endif

/* All memory of a run. */
struct acme_run {
    struct acme_client client;
    struct acme_setup setup;
    struct acme_posix_net net;
    struct acme_posix_listener listener, tls_listener;
    struct acme_posix_store store;
    struct acme_http01 http01;
    struct acme_tlsalpn01 tlsalpn01;
    struct acme_webroot webroot;
    const struct acme_solver
        *solver; /* for http-01; for tls-alpn-01 where that is the only one of ours that is reached */
    struct acme_solvers solvers;
    struct acme_key_p256 account_key, certificate_key;
    struct acme_signer signer; /* or where they are instead */
    struct acme_csr csr;
    uint8_t eab_key[ACME_EAB_KEY_MAX]; /* of an external account */
    struct acme_tls tls;
    struct acme_trust trust;
    struct acme_report report;
    struct acme_checked checked;
    uint8_t work[8192];
    uint8_t tls_buffer[ACME_TLS_BUFFER_MIN];
    uint8_t anchors[256 * 1024];
};

/* What is to be done, and how it is told. */
struct acme_run_how {
    enum acme_task when;
    const char *verb;
    const char *about; /* one of several certificates: its name; NULL: it is the only one                 */
    bool trial;        /* nothing of it will be in use                                                     */
    bool once;         /* ACME_KEEP, until the first round has ended                                      */
    enum {
        ACME_KEEPS_NOTHING,
        ACME_KEEPS_NEW,
        ACME_KEEPS_ALL
    } keep; /* of the setup, beside the certificate: that of a new
                                                                         one, or also of one that is not due */
};

/* Reads the roots, if there is a use for them. Returns 0 or an exit code. */
int acme_run_roots(struct acme_run *run, const struct acme_config *config);

/* Reads the key of the external account, if there is a use for it. Returns 0 or an exit code. */
int acme_run_binding(struct acme_run *run, const struct acme_config *config);

/* Reads the certificate request that was made elsewhere, if one is given. Behind acme_run_fill(). Returns 0 or an exit code. */
int acme_run_csr(struct acme_run *run, const struct acme_config *config);

/* Fills in setup and report; run->checked is. */
void acme_run_fill(struct acme_run *run, const struct acme_config *config);

/* The listener whose connections a wait ends for. Where both are in use that is http-01's: the other is looked at in each tick. */
struct acme_posix_listener *acme_run_listener(struct acme_run *run);

/* Says what acme_init() did not like, with the value. Returns the exit code. */
int acme_run_explain(const struct acme_config *config, int error);

/* A whole run, from names and hosts to the last line. Returns the exit code. What it holds, such as the lock, it holds until
 * the process ends, so a second run takes a second process. */
int acme_run(const struct acme_config *config, const struct acme_run_how *how);

/* The same; or with --dry-run all of it in STATE/.dry-run, of which only the account there stays. */
int acme_run_or_try(const struct acme_config *config, const struct acme_run_how *how);

/* Signals that end a run in good order: the challenge answer is taken back. What whoever started us has had ignored stays so.
 * acme_signalled tells that one has come. */
extern volatile sig_atomic_t acme_signalled;
void acme_catch_signals(void);

#endif
