/* token.h - one key in a PKCS #11 token: finds it, and signs with it. Runs in the process that signs (signer.h); calls of a module
 * may take seconds. */
#ifndef ACME_POSIX_TOKEN_H
#define ACME_POSIX_TOKEN_H

#include "cryptoki.h"
#include "key_uri.h"

enum acme_token_fault {
    ACME_TOKEN_OK,
    ACME_TOKEN_SETUP,  /* a person has to change something: module, key, rights            */
    ACME_TOKEN_PIN,    /* the token has refused the PIN: to try it again would lock it     */
    ACME_TOKEN_TROUBLE /* may go by: no token in the slot, one that does not answer        */
};

struct acme_token {
    const struct ck_functions *f;
    const struct acme_key_uri *uri;
    char pin[128];
    size_t pin_len;
    ck_ulong slot, session, key;
    bool open;         /* the session                                   */
    bool always;       /* each signature wants the PIN again            */
    uint8_t point[65]; /* the public key                                */
    char words[400];   /* of the last fault: printable ASCII            */
};

/* Loads a module and makes it ready. Returns its functions, or NULL: words. One that is ready already is as good. */
const struct ck_functions *acme_token_load(const char *path, char words[400]);

/* Reads a PIN file: one line. Returns NULL, or what is wrong with it. */
const char *acme_token_pin(struct acme_token *t, const char *path);

/* Finds token and key, by one session that stays open; a PIN is tried once. f, uri and PIN are given. */
enum acme_token_fault acme_token_open(struct acme_token *t);

/* Signs a SHA-256 digest: r and s. A session or handle that has been lost meanwhile is sought again, once. */
enum acme_token_fault acme_token_sign(struct acme_token *t, const uint8_t digest[32], uint8_t signature[64]);

#endif
