/* challenge_dns01.h - dns-01 (RFC 8555, 8.4): what every solver that writes into the DNS has to know. One of ours is
 * dns/rfc2136.h. */
#ifndef ACME_PROTOCOL_CHALLENGE_DNS01_H
#define ACME_PROTOCOL_CHALLENGE_DNS01_H

#include "../acme_setup.h"

#ifdef __cplusplus
extern "C" {
#endif

#if ACME_CFG_CHOICE

/* The TXT record stands at this, with the challenge's name behind it: for "example.org" and for "*.example.org" at the same
 * one, with a value each. */
#define ACME_DNS01_LABEL     "_acme-challenge."
#define ACME_DNS01_VALUE_LEN 43

/* Its value: base64url of the SHA-256 of the key authorization; NUL-terminated. */
void acme_dns01_value(const struct acme_challenge *challenge, char value[ACME_DNS01_VALUE_LEN + 1]);

#endif

#ifdef __cplusplus
}
#endif

#endif
