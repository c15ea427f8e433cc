/* challenge_dnsaccount01.h - dns-account-01 (draft-ietf-acme-dns-account-label-02 of 2025-11-16; -03 has the same form): dns-01 at a name that belongs to one
 * account, so several clients can prove one name at once, each in a zone of its own if need be. The record's value is dns-01's.
 * Needs ACME_CFG_DNS_DRAFTS. */
#ifndef ACME_PROTOCOL_CHALLENGE_DNSACCOUNT01_H
#define ACME_PROTOCOL_CHALLENGE_DNSACCOUNT01_H

#include "challenge_dns01.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_DNSACCOUNT01_TYPE      "dns-account-01"
#define ACME_DNSACCOUNT01_LABEL_LEN (1 + 16 + 1 + sizeof(ACME_DNS01_LABEL) - 1)

/* What stands in front of the name: "_", ten bytes of the SHA-256 of the account's URL in base32, "._acme-challenge.";
 * NUL-terminated. Work: one SHA-256. */
void acme_dnsaccount01_label(const char *account, char label[ACME_DNSACCOUNT01_LABEL_LEN + 1]);

#ifdef __cplusplus
}
#endif

#endif
