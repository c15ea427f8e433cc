/* maker.h - keys and certificates made by OpenSSL, which judges and feeds what the core's jose, x509 and
 * secure rooms do. */
#ifndef TESTS_UNIT_MAKER_H
#define TESTS_UNIT_MAKER_H

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "unit.h"

#include "secure/key_p256.h"

#define MAKER_NOW 1790000000 /* 2026-09-21: the time it is in tests */
#define MAKER_DAY 86400

enum maker_ca { MAKER_LEAF, MAKER_CA, MAKER_CA_FALSE, MAKER_CA_ABSENT };

struct maker_spec {
    const char *name; /* common name; NULL: empty subject                   */
    const char *san;  /* as in openssl.cnf: "DNS:a,DNS:b"; NULL: none         */
    enum maker_ca ca;
    int64_t from, to; /* 0: a day ago, in 90 days                             */
    EVP_PKEY *key;
    const char *key_id; /* authorityKeyIdentifier, as in openssl.cnf; NULL: none  */
    X509 *issuer;       /* NULL: self-signed                                    */
    EVP_PKEY *issuer_key;
    const EVP_MD *digest; /* NULL: SHA-256                                        */
};

EVP_PKEY *maker_ec(const char *curve);
EVP_PKEY *maker_rsa(int bits);
extern long maker_serial; /* of the next certificate */
X509 *maker_certificate(const struct maker_spec *spec);

/* A root with a key of P-256, and a leaf for a TLS server under it: chain[0] is the leaf. */
struct maker_chain {
    EVP_PKEY *root_key, *leaf_key;
    X509 *chain[2];
};
struct maker_chain maker_server(const char *san);
void maker_chain_free(struct maker_chain *c);

/* Encodings, in memory the caller frees with free(). The PEM is NUL-terminated. */
uint8_t *maker_der(X509 *certificate, size_t *len);
char *maker_pem(X509 *certificate);
char *maker_key_pem(EVP_PKEY *key, int pkcs8);

/* OpenSSL's view of a key of ours, and ours of OpenSSL's. */
EVP_PKEY *maker_public(const uint8_t point[65]);
void maker_import(struct acme_key_p256 *ours, EVP_PKEY *theirs);
int maker_verify(EVP_PKEY *key, const uint8_t digest[32], const uint8_t signature[64]);

/* A key in hardware that does not answer: point() and sign() say ACME_E_KEY. */
extern const struct acme_key_ops maker_mute_ops;

/* A system with bytes from a fixed sequence and MAKER_NOW. */
extern const struct acme_sys maker_sys;

#endif
