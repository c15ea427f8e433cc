/* signer.h - keys in PKCS #11 tokens: the process that signs with them, and the run's end of it.
 *
 * A module may do anything: start threads, wait for seconds, fall. So it is loaded by a small process of its own, forked before
 * the run changes its user and gives up its rights (enter.h), which then knows which keys it signs with, logs in once, and keeps
 * its session. The run sends it digests and has signatures back, without waiting; no private key and no PIN is ever in the run's
 * memory, and nothing of the module is inherited by anybody. */
#ifndef ACME_POSIX_SIGNER_H
#define ACME_POSIX_SIGNER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config.h"
#include "posix.h"
#include "token.h"
#include "secure/key.h"

#define ACME_SIGNER_LIMIT_S 60 /* that long one piece of a module's work may take */

enum { ACME_SIGNER_ACCOUNT, ACME_SIGNER_CERTIFICATE, ACME_SIGNER_KEYS };

/* What goes to the process: find all keys, or sign this with that one. */
struct acme_signer_task {
    bool open;
    unsigned which;
    uint8_t digest[32];
};

/* What comes back for each. */
struct acme_signer_result {
    struct acme_signer_task task;
    enum acme_token_fault fault;
    unsigned failed; /* the key it was with */
    uint8_t points[ACME_SIGNER_KEYS][65];
    uint8_t signature[64];
    char words[400]; /* of a fault */
};

struct acme_signer {
    int fd; /* to the process that signs; -1: there is none */
    pid_t process;
    struct acme_signer_key {
        struct acme_signer *signer;
        const char *text; /* its URI; NULL: the key is not in a token */
        struct acme_key_uri uri;
        uint8_t pin_file[32]; /* tells one state of the PIN file from others */
        uint8_t point[65];
        bool asked; /* for this digest, whose signature is to come */
        uint8_t digest[32];
    } keys[ACME_SIGNER_KEYS];
    int refused;     /* the key whose PIN was refused after the run had begun; -1: none */
    char words[600]; /* of the last failure */
};

/* The keys' operations; a handle is a struct acme_signer_key. They live elsewhere: the core neither makes nor stores them. */
extern const struct acme_key_ops acme_signer_ops;

/* Reads the URIs, and looks at the modules' files as at a hook's. Returns 0 or an exit code; the messages have been given. */
int acme_signer_check(struct acme_signer *s, const struct acme_config *config);

/* Forks the process, if a key is in a token. Returns 0 or errno. To be closed. */
int acme_signer_start(struct acme_signer *s);

/* Has the keys found: waits for it, until a signal sets *stop. A PIN that was refused before, as is noted in the folder `state`
 * (-1: there is none), is not tried again before its file is another, or with config->force. Returns 0, or an exit code with
 * s->words. */
int acme_signer_open(struct acme_signer *s, const struct acme_config *config, int state,
                     const volatile sig_atomic_t *stop);

/* Notes in that folder what was refused after the run had begun. */
void acme_signer_note(const struct acme_signer *s, int state);

/* Ends the process; waits for it for two seconds, and when we end it ends in any case. */
void acme_signer_close(struct acme_signer *s);

#endif
