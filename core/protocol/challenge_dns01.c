/* challenge_dns01.c - see challenge_dns01.h. */
#include "challenge_dns01.h"

#include "../jose/b64url.h"
#include "../secure/digest.h"

#if ACME_CFG_CHOICE

void acme_dns01_value(const struct acme_challenge *challenge, char value[ACME_DNS01_VALUE_LEN + 1])
{
    const struct acme_slice parts[] = {
        acme_slice_of(challenge->token),
        acme_slice_of("."),
        acme_slice_of(challenge->thumbprint),
    };
    uint8_t digest[ACME_SHA256_LEN];
    struct acme_out o;
    acme_sha256(parts, sizeof(parts) / sizeof(parts[0]), digest);
    acme_out_init(&o, value, ACME_DNS01_VALUE_LEN + 1);
    acme_out_b64url(&o, digest, sizeof(digest));
    acme_out_bytes(&o, "", 1);
}

#endif
