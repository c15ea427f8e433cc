/* challenge_dnspersist01.h - dns-persist-01 (draft-ietf-acme-dns-persist-01 of 2025, which CAs speak in 2026-11, and -02 of
 * 2026-09-20): a TXT record that is put into the zone once, by a person, and proves the name for one account of one CA from then
 * on. A run publishes nothing. Needs ACME_CFG_DNS_DRAFTS.
 *
 * Whoever has the account key can then get certificates for that name, without another look at the zone: guard it. */
#ifndef ACME_PROTOCOL_CHALLENGE_DNSPERSIST01_H
#define ACME_PROTOCOL_CHALLENGE_DNSPERSIST01_H

#include "../acme_setup.h"
#include "../wire/json.h"
#include "../wire/out.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_DNSPERSIST01_TYPE  "dns-persist-01"
#define ACME_DNSPERSIST01_LABEL "_validation-persist." /* in front of the name, that of a wildcard without "*." */
#define ACME_ISSUERS_MAX        10                     /* names that a CA may go by                        */
#define ACME_ISSUER_NAME_MAX    253

/* The solver: the answer is there already. Constant, without memory. */
extern const struct acme_solver acme_dnspersist01;

/* Reads the names that a CA goes by: a list of 1 to 10 DNS names in small letters, without a dot at the end, of which the record
 * has one. Returns how many, and the first; 0: it is none, or malformed, and then the challenge is not to be answered. */
unsigned acme_dnspersist01_issuers(const struct acme_json *json, acme_json_value list, struct acme_slice *first);

/* Reads the list of a challenge, which the drafts call by different names. */
unsigned acme_dnspersist01_challenge(const struct acme_json *json, acme_json_value challenge,
                                     struct acme_slice *first);

/* A record. */
struct acme_dnspersist01 {
    const char *name;         /* DNS name, without "*."                                          */
    struct acme_slice issuer; /* the CA's                                                        */
    const char *account;      /* its URL                                                         */
    struct acme_slice hashed; /* -02: the directory's accountHashPrefix; empty: the URL as it is */
    const char *thumbprint;   /* of the account key, with `hashed`                               */
    bool wildcard;            /* for all names below this one, too                               */
    uint32_t until;           /* seconds since 1970; 0: for ever                                 */
};

/* Appends the record's value. Returns 0, or ACME_E_TEXT: the account's URL, or the prefix, has something in it that would end the
 * value. Work: one SHA-256 with `hashed`. */
int acme_dnspersist01_value(struct acme_out *o, const struct acme_dnspersist01 *record);

#ifdef __cplusplus
}
#endif

#endif
