/* p256.h - the arithmetic of a private key in RAM (key_p256.h), apart, so that another library can take its place by being
 * linked before this one: port/mbedtls. */
#ifndef ACME_SECURE_P256_H
#define ACME_SECURE_P256_H

#include "../acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The three answer 1, not yet, where the library does its work in pieces: they are called again with the same memory and
 * content on later ticks. Work: one public-key operation, or a piece of it. */

/* Draws a scalar and gives its public point. Returns 0, 1, ACME_E_RANDOM (no entropy, or a source that is stuck: seed.h), or
 * ACME_E_KEY: it is not 1..n-1, once in 2^32. */
int acme_p256_make(const struct acme_sys *sys, uint8_t scalar[32], uint8_t point[65]);

/* The public point, uncompressed. Returns 0, 1, or ACME_E_KEY when scalar is not 1..n-1: `point` then means nothing. Takes the same
 * time for every scalar. */
int acme_p256_public(const uint8_t scalar[32], uint8_t point[65]);

/* ECDSA of a SHA-256 digest with a deterministic nonce (RFC 6979); r and s, 32 bytes each. Scalar: 1..n-1. Returns 0, 1 or ACME_E_KEY. */
int acme_p256_sign(const uint8_t scalar[32], const uint8_t digest[32], uint8_t signature[64]);

/* The key is wiped: what is under way for the scalar at this place ends, and nothing of it stays. NULL: for any. */
void acme_p256_forget(const uint8_t scalar[32]);

#ifdef __cplusplus
}
#endif

#endif
