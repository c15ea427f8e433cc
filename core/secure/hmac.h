/* hmac.h - HMAC with SHA-256 (RFC 2104; FIPS 198-1). */
#ifndef ACME_SECURE_HMAC_H
#define ACME_SECURE_HMAC_H

#include "digest.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_HMAC_PARTS_MAX 8

/* The MAC of at most ACME_HMAC_PARTS_MAX parts, one after the other, under a key of any length. What was derived from the key is wiped from the stack;
 * the key itself is borrowed for the call. Work: the bytes of both. */
void acme_hmac_sha256(struct acme_slice key, const struct acme_slice *parts, size_t count,
                      uint8_t mac[ACME_SHA256_LEN]);

#ifdef __cplusplus
}
#endif

#endif
