/* key_uri.h - where a key in a token is: a URI as RFC 7512 has it.
 *
 *     pkcs11:token=gateway;object=tls?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/nanoacme/pin
 *
 * Token by token, serial, manufacturer, model; key by object, id. The module is always named, and the PIN is in a file. */
#ifndef ACME_POSIX_KEY_URI_H
#define ACME_POSIX_KEY_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACME_KEY_URI_PATH_MAX 512

struct acme_key_uri {
    char token[33], manufacturer[33], model[17], serial[17]; /* empty: any */
    char object[129];                                        /* label of the key; empty: any */
    uint8_t id[64];
    size_t id_len; /* 0: any */
    char module[ACME_KEY_URI_PATH_MAX];
    char pin_source[ACME_KEY_URI_PATH_MAX]; /* empty: none */
};

/* Reads one. Returns NULL, or what is wrong with it: static text without any of the URI's. */
const char *acme_key_uri_read(struct acme_key_uri *u, const char *text);

#endif
