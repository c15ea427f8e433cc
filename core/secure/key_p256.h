/* key_p256.h - a P-256 private key in RAM. Linking this file is what brings it into an image. */
#ifndef ACME_SECURE_KEY_P256_H
#define ACME_SECURE_KEY_P256_H

#include "key.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The caller's memory for one key; wipe it with acme_key_p256_wipe() when it is no longer needed. */
struct acme_key_p256 {
    uint8_t scalar[32];
    uint8_t point[65];
    bool ready;
};

/* Longest record save writes: PEM of an RFC 5915 ECPrivateKey with named curve and public key. */
#define ACME_KEY_P256_RECORD_MAX 256

/* Operations for struct acme_key_p256.
 * generate: refuses entropy that is constant or repeats itself (ACME_E_RANDOM).
 * load: PEM "EC PRIVATE KEY" (RFC 5915) or "PRIVATE KEY" (PKCS #8), as OpenSSL writes them; the scalar must
 *         be in range and a public key in the record must belong to it.
 * sign: deterministic nonce (RFC 6979), so weak entropy at signing time cannot leak the key. */
extern const struct acme_key_ops acme_key_p256_ops;

/* Overwrites the key in a way the compiler keeps. */
void acme_key_p256_wipe(struct acme_key_p256 *key);

#ifdef __cplusplus
}
#endif

#endif
