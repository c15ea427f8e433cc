/* digest.c - see digest.h. */
#include "digest.h"

#include <bearssl.h>

void acme_sha256(const struct acme_slice *parts, size_t count, uint8_t digest[ACME_SHA256_LEN])
{
    br_sha256_context sha;

    br_sha256_init(&sha);
    for (size_t i = 0; i < count; i++) {
        br_sha256_update(&sha, parts[i].at, parts[i].len);
    }
    br_sha256_out(&sha, digest);
}
