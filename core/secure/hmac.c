/* hmac.c - see hmac.h. */
#include "hmac.h"

#include <bearssl.h>

#include "wipe.h"

void acme_hmac_sha256(struct acme_slice key, const struct acme_slice *parts, size_t count,
                      uint8_t mac[ACME_SHA256_LEN])
{
    br_hmac_key_context keyed;
    br_hmac_context hmac;

    br_hmac_key_init(&keyed, &br_sha256_vtable, key.at, key.len);
    br_hmac_init(&hmac, &keyed, 0);
    for (size_t i = 0; i < count; i++) {
        br_hmac_update(&hmac, parts[i].at, parts[i].len);
    }
    br_hmac_out(&hmac, mac);
    acme_wipe(&keyed, sizeof(keyed));
    acme_wipe(&hmac, sizeof(hmac));
}
