/* nameserver.h - what an administrator says of a name server: where it is, and the TSIG key it takes updates with. */
#ifndef ACME_POSIX_NAMESERVER_H
#define ACME_POSIX_NAMESERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "dns/tsig.h"

#define ACME_TSIG_NAME_MAX   254 /* characters */
#define ACME_TSIG_SECRET_MAX 128 /* bytes      */

struct acme_nameserver_key {
    char name[ACME_TSIG_NAME_MAX + 1];
    uint8_t secret[ACME_TSIG_SECRET_MAX];
    size_t secret_len;
};

/* Splits HOST, HOST:PORT, an IPv4 address likewise, an IPv6 address bare, or in brackets with a port or without. *port: 0 when
 * none is given. Returns NULL, or what is wrong. */
const char *acme_nameserver_split(const char *word, char host[254], uint16_t *port);

/* Reads the text of a key: what tsig-keygen(8) prints, or [hmac-sha256:]NAME:SECRET. It is changed. Returns NULL, or what is
 * wrong. */
const char *acme_nameserver_key_parse(struct acme_nameserver_key *key, char *text);

/* The same from a file, which others must not be able to read. Returns 0 or an exit code; a message was given. */
int acme_nameserver_key_read(struct acme_nameserver_key *key, const char *path);

#endif
