/* eab.h - the key of an external account, from its file. */
#ifndef ACME_POSIX_EAB_H
#define ACME_POSIX_EAB_H

#include <stddef.h>
#include <stdint.h>

#define ACME_EAB_TEXT_MAX 1024 /* bytes of the file */
#define ACME_EAB_KEY_MAX  (ACME_EAB_TEXT_MAX / 4 * 3)

/* Decodes what CAs give as base64url or base64, with or without padding, or, behind "hex:", as hexadecimal. One end of line behind
 * it is left out. Returns the key's length, or 0 with *wrong telling why it is none; the text itself is in no message. */
size_t acme_eab_decode(uint8_t key[ACME_EAB_KEY_MAX], const char *text, size_t len, const char **wrong);

/* Reads the file, which nobody but owner and group may read. Returns the key's length, or 0 with *wrong, and *code, an errno that
 * it came from or 0. What was read is wiped but for the key. */
size_t acme_eab_read(uint8_t key[ACME_EAB_KEY_MAX], const char *path, const char **wrong, int *code);

#endif
