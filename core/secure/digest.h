/* digest.h - SHA-256. */
#ifndef ACME_SECURE_DIGEST_H
#define ACME_SECURE_DIGEST_H

#include <stdint.h>

#include "../wire/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_SHA256_LEN 32

/* Digest of the parts, one after the other. Work: their bytes. */
void acme_sha256(const struct acme_slice *parts, size_t count, uint8_t digest[ACME_SHA256_LEN]);

#ifdef __cplusplus
}
#endif

#endif
