/* asker.h - a small ACME client made of OpenSSL, for the tests of the scripted CA: it asks one thing at a time. */
#ifndef TESTS_UNIT_ASKER_H
#define TESTS_UNIT_ASKER_H

#include "fake/ca_more.h"

/* What may be wrong with a request; all zero: nothing. */
struct wrong {
    bool signature, url, nonce, both, media, kid;
};

extern struct ca ca;
extern EVP_PKEY *account, *certificate;
extern char said[16384]; /* the CA's last answer */
extern size_t said_len;
extern struct wrong wrong;

/* The keys, for a group of tests; and a CA of its own for each test. */
int asker_keys(void **state);
int asker_no_keys(void **state);
void asker_begin(const struct ca_plan *plan);
void asker_end(void);

/* Asks, and returns the code. */
int asker_get(const char *method, const char *path);
int asker_post(const char *path, const char *payload);

/* Of the last answer. */
void asker_says(const char *text);
void asker_says_not(const char *text);

/* A mistake of a client: a request with something wrong in it, or what a function does. */
struct mistake {
    struct wrong wrong;
    const char *path, *payload; /* no payload: a GET */
    void (*does)(void);
};

/* The CA fails the test whose client makes a mistake: seen from outside, in a process of its own, each of them. */
void asker_is_noticed(const struct mistake *mistakes, size_t count);

void asker_b64url(const void *in, size_t len, char *out);
void asker_jwk_of(EVP_PKEY *key, char *out, size_t cap);

#endif
