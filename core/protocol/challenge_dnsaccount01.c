/* challenge_dnsaccount01.c - see challenge_dnsaccount01.h. */
#include "challenge_dnsaccount01.h"

#include "../secure/digest.h"

#if ACME_CFG_DNS_DRAFTS

#define HASHED 10 /* bytes; two times five, so base32 needs no padding */

void acme_dnsaccount01_label(const char *account, char label[ACME_DNSACCOUNT01_LABEL_LEN + 1])
{
    static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
    const struct acme_slice part = acme_slice_of(account);
    uint8_t digest[ACME_SHA256_LEN];
    uint32_t bits = 0;
    unsigned have = 0;

    acme_sha256(&part, 1, digest);
    *label++ = '_';
    for (size_t i = 0; i < HASHED; i++) {
        bits = bits << 8 | digest[i];
        for (have += 8; have >= 5; have -= 5) {
            *label++ = base32[bits >> (have - 5) & 31];
        }
    }
    *label++ = '.';
    memcpy(label, ACME_DNS01_LABEL, sizeof(ACME_DNS01_LABEL));
}

#endif
