/* check.h - what of the configuration can be judged before anything is touched. */
#ifndef ACME_POSIX_CHECK_H
#define ACME_POSIX_CHECK_H

#include <netinet/in.h>
#include <sys/types.h>

#include "config.h"

/* What a run goes by: as configured, or put right. */
struct acme_checked {
    char names[ACME_NAMES_MAX][254]; /* without a dot at the end */
    const char *name_at[ACME_NAMES_MAX];
    size_t name_count;
    char first[254];                       /* the first name in small letters: what the certificate is stored as */
    char contacts[ACME_CONFIG_WORDS][272]; /* with a scheme */
    const char *contact_at[ACME_CONFIG_WORDS];
    mode_t key_mode;      /* 0: not told                   */
    gid_t key_group;      /* ACME_POSIX_NO_GROUP: not told */
    char plain_host[254]; /* the CA's, when it is spoken to without TLS; empty: it is not */
};

/* Writes 4 or 16 bytes of an address as CAs take it; nothing for any other length. */
void acme_address_text(const uint8_t *address, size_t len, char text[INET6_ADDRSTRLEN]);

/* Copies a DNS name, without the dot at its end, or an address. Returns NULL, or why it cannot be asked for. */
const char *acme_check_name(char name[254], const char *word);

/* A certificate is stored as its first name in small letters; that of *.example.org as _.example.org. */
void acme_small_letters(char *name);
bool acme_is_stored_name(const char *name);

/* Makes that of a name on the command line, with a message for one that cannot be. Returns 0 or ACME_EXIT_USAGE. */
int acme_check_stored(char name[254], const char *word);

/* Checks names, contacts and hosts for a verb, with a message for what is wrong. Returns 0 or an exit code. */
int acme_check(struct acme_checked *c, const struct acme_config *config, const char *verb);

/* The same for what becomes of a new pair: rights of its files, the deploy hook. */
int acme_check_deploy(struct acme_checked *c, const struct acme_config *config);

/* Checks that the first name can be a file's in the state directory, which is open. Returns 0 or an exit code. */
int acme_check_room(const struct acme_checked *c, const struct acme_config *config, int state);

#endif
