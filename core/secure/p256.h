/* p256.h - the arithmetic of a private key in RAM (key_p256.h), apart, so that another library can take its place by being
 * linked before this one: port/mbedtls. */
#ifndef ACME_SECURE_P256_H
#define ACME_SECURE_P256_H

#include "../acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Draws a scalar, which need not be one of P-256 yet. False: no entropy, or a source that is stuck (seed.h). */
bool acme_p256_draw(const struct acme_sys *sys, uint8_t scalar[32]);

/* The public point, uncompressed. False when scalar is not 1..n-1: `point` then means nothing. Takes the same time for every
 * scalar. Work: one public-key operation. */
bool acme_p256_public(const uint8_t scalar[32], uint8_t point[65]);

/* ECDSA of a SHA-256 digest with a deterministic nonce (RFC 6979); r and s, 32 bytes each. Scalar: 1..n-1. Returns 0 or ACME_E_KEY.
 * Work: one public-key operation. */
int acme_p256_sign(const uint8_t scalar[32], const uint8_t digest[32], uint8_t signature[64]);

#ifdef __cplusplus
}
#endif

#endif
