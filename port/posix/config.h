/* config.h - what the admin wants: the config file and the flags, one table for both. */
#ifndef ACME_POSIX_CONFIG_H
#define ACME_POSIX_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acme_config.h"
#include "wire/out.h"

/* Exit codes, of which the last two are those of sysexits(3). */
enum { ACME_EXIT_NEW = 0, ACME_EXIT_FAILED = 1, ACME_EXIT_CURRENT = 2, ACME_EXIT_USAGE = 64, ACME_EXIT_CONFIG = 78 };

#define ACME_CONFIG_WORDS 16

struct acme_words {
    const char *at[ACME_CONFIG_WORDS];
    size_t count;
};

struct acme_config {
    const char *directory_url, *ca_file, *state, *webroot, *user, *tls_name, *product, *plain_host, *profile;
    const char *deploy_hook, *key_mode, *key_group;
    const char *challenge, *hook, *dns_server, *tsig_key, *dns_zone, *dns_record;
    const char *eab_kid, *eab_key_file;
    const char *issuer, *until;    /* of dns-record */
    const char *account_key, *key; /* URIs of keys in tokens */
    const char *preferred_chain, *csr;
    struct acme_words contacts, names, more_hosts, dns_watch;
    uint16_t http_port;
    uint16_t tls_port; /* answers by tls-alpn-01; 0: it does not */
    uint16_t reason;   /* of a revocation; 0: not told */
    uint16_t format;   /* of a kept file; 0: not told  */
    bool accept_terms, more_names, reuse_key, deactivate_authz, force, json, verbose, quiet, yes, profile_optional,
        staging, dry_run, metrics;

    uint64_t by_flag, in_file, in_kept; /* bits of rows: where a value came from; each counts more than the next */
    /* Reads flags and file again, as they were given to the program, into another. Returns 0 or an exit code, and then a message
     * was given. */
    int (*again)(struct acme_config *fresh);
    const char *file;    /* the config file; NULL: none                                           */
    const char *reading; /* the file being read, for words                                        */
    char pool[8192];     /* texts of the file                                                     */
    size_t pool_len;
    char error[512]; /* the message after a failure */
};

/* Rows of the table. */
enum acme_config_key {
    ACME_KEY_DIRECTORY_URL,
    ACME_KEY_CA_FILE,
    ACME_KEY_STATE,
    ACME_KEY_HTTP_PORT,
    ACME_KEY_WEBROOT,
    ACME_KEY_USER,
    ACME_KEY_CONTACT,
    ACME_KEY_ACCEPT_TERMS,
    ACME_KEY_MORE_NAMES,
    ACME_KEY_REUSE_KEY,
    ACME_KEY_FORCE,
    ACME_KEY_JSON,
    ACME_KEY_VERBOSE,
    ACME_KEY_NAMES,
    ACME_KEY_TLS_NAME,
    ACME_KEY_MORE_HOST,
    ACME_KEY_ALLOW_PLAIN_HTTP,
    ACME_KEY_PRODUCT,
    ACME_KEY_REASON,
    ACME_KEY_YES,
    ACME_KEY_PROFILE,
    ACME_KEY_PROFILE_OPTIONAL,
    ACME_KEY_STAGING,
    ACME_KEY_DRY_RUN,
    ACME_KEY_QUIET,
    ACME_KEY_METRICS,
    ACME_KEY_FORMAT,
    ACME_KEY_DEPLOY_HOOK,
    ACME_KEY_KEY_MODE,
    ACME_KEY_KEY_GROUP,
    ACME_KEY_CHALLENGE,
    ACME_KEY_DNS_SERVER,
    ACME_KEY_TSIG_KEY,
    ACME_KEY_DNS_ZONE,
    ACME_KEY_DNS_RECORD,
    ACME_KEY_DNS_WATCH,
    ACME_KEY_TLS_PORT,
    ACME_KEY_HOOK,
    ACME_KEY_EAB_KID,
    ACME_KEY_EAB_KEY_FILE,
    ACME_KEY_ISSUER,
    ACME_KEY_UNTIL,
    ACME_KEY_ACCOUNT_KEY,
    ACME_KEY_KEY,
    ACME_KEY_PREFERRED_CHAIN,
    ACME_KEY_CSR,
    ACME_KEY_DEACTIVATE_AUTHZ,
    ACME_KEY_COUNT
};

/* Sets everything to its default. */
void acme_config_init(struct acme_config *c);

/* The row whose flag this is ("--directory", "-v"); ACME_KEY_COUNT: none. */
enum acme_config_key acme_config_flag(const char *flag, size_t len);

/* The row's flag, and what its argument is called; NULL: none. */
const char *acme_config_flag_name(enum acme_config_key key);
const char *acme_config_argument(enum acme_config_key key);

/* What --help says of the flag if it is (`in_file`) or is not a key of the config file too; NULL: nothing. */
const char *acme_config_help(enum acme_config_key key, bool in_file);

/* Takes a flag's value (NULL for one without), or a NAME of the command line. Texts are borrowed.
 * Returns 0 or ACME_EXIT_USAGE with the message in c->error. */
int acme_config_take(struct acme_config *c, enum acme_config_key key, const char *value);

/* Opens a file that was named, for reading. A FIFO that nobody writes to is empty, and not waited for. -1: errno. */
int acme_config_open(const char *path);

/* Reads a config file; what flags have set stays. Returns 0 or ACME_EXIT_CONFIG with the message in c->error. */
int acme_config_read(struct acme_config *c, const char *path);

/* Reads a config file that is kept beside a certificate, open as `fd`; what flags and the config file have set stays. `path` is
 * for words. Texts go into the pool, which has to be empty. Returns as acme_config_read(). */
int acme_config_kept(struct acme_config *c, int fd, const char *path);

/* Writes what has been set, as a config file that acme_config_kept() reads; paths are made absolute. NULL, or the key whose
 * value a config file cannot hold. */
const char *acme_config_write(const struct acme_config *c, struct acme_out *o);

/* Let's Encrypt has another directory for trials; other CAs have not. */
void acme_config_for_trial(struct acme_config *c);

/* Checks what belongs together, after flags and file, and again after a kept file. Returns 0, ACME_EXIT_USAGE or ACME_EXIT_CONFIG. */
int acme_config_check(struct acme_config *c);

/* The exit code when this row's value is wrong: by where it came from. */
int acme_config_blame(const struct acme_config *c, enum acme_config_key key);

/* True when what is reached from outside is reached by TLS, and not at port 80. */
bool acme_config_only_tls(const struct acme_config *c);

#endif
