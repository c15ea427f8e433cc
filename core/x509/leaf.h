/* leaf.h - what an ACME client must know of a certificate it was given. */
#ifndef ACME_X509_LEAF_H
#define ACME_X509_LEAF_H

#include "../acme_error.h"
#include "../wire/der.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Characters: 32 bytes of key identifier, a dot, 21 of serial number. RFC 5280 allows 20, and a leading zero. */
#define ACME_CERTID_MAX 72

struct acme_leaf {
    int64_t not_before, not_after; /* seconds since 1970; 9999-12-31 for "no expiry"            */
    const uint8_t *point;          /* the P-256 public point, 65 bytes, or NULL: another key    */
    struct acme_der names;         /* contents of subjectAltName's GeneralNames; may be empty    */
    struct acme_der serial;        /* contents octets, leading zero kept (RFC 9773, 4.1)         */
    struct acme_der issuer;        /* contents of the issuer Name                               */
    struct acme_der subject;       /* contents of the subject Name                              */
#if ACME_CFG_CSR
    struct acme_der key; /* contents of SubjectPublicKeyInfo                                    */
#endif
#if ACME_CFG_RENEWAL
    struct acme_der authority; /* keyIdentifier of its issuer's key; empty: it does not say      */
#endif
};

/* Reads a DER certificate. Memory: the pointers lead into `der`. Work: one pass. Signatures are not checked.
 * Returns 0 or ACME_E_CERT_SYNTAX. */
int acme_leaf_parse(struct acme_leaf *leaf, const uint8_t *der, size_t len);

#define ACME_LEAF_KEY_LEN 65

#if ACME_CFG_CSR
/* Writes the public point of a P-256 key, or what stands for another one: a zero, SHA-256 of the contents of its SubjectPublicKeyInfo, and
 * 32 zeros. Work: one SHA-256. */
void acme_leaf_key(const struct acme_leaf *leaf, uint8_t key[ACME_LEAF_KEY_LEN]);

/* Whether the certificate is for this key. */
bool acme_leaf_is_for(const struct acme_leaf *leaf, const uint8_t key[ACME_LEAF_KEY_LEN]);

/* Whether its key is one to go on with. */
#define acme_leaf_has_key(leaf) true
#else
#define acme_leaf_key(leaf, key)    ((void)memcpy((key), (leaf)->point, ACME_LEAF_KEY_LEN))
#define acme_leaf_is_for(leaf, key) ((leaf)->point != NULL && memcmp((leaf)->point, (key), ACME_LEAF_KEY_LEN) == 0)
#define acme_leaf_has_key(leaf)     ((leaf)->point != NULL)
#endif

/* True when the certificate's names are exactly these, in any order, DNS names in any ASCII case and addresses as bytes, and
 * nothing else; with `or_more` all
 * of these, whatever else it is for. */
bool acme_leaf_names_are(const struct acme_leaf *leaf, const char *const *names, size_t name_count, bool or_more);

#ifdef __cplusplus
}
#endif

#endif
