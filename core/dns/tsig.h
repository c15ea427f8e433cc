/* tsig.h - signed DNS messages (RFC 8945), HMAC-SHA256. */
#ifndef ACME_DNS_TSIG_H
#define ACME_DNS_TSIG_H

#include "message.h"
#include "../secure/digest.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ACME_TSIG_BADSIG = 16, ACME_TSIG_BADKEY = 17, ACME_TSIG_BADTIME = 18 };

struct acme_tsig_key {
    const char *name; /* as a domain name, in any case                 */
    const void *secret;
    size_t secret_len;
};

/* Signs the message o->at[0..o->len), as of `utc` (seconds since 1970): its TSIG is appended. o->overflow when there is no room,
 * or the key's name is none. `mac` is what the answer's signature covers. Work: one HMAC. */
void acme_tsig_sign(struct acme_out *o, const struct acme_tsig_key *key, int64_t utc, uint8_t mac[ACME_SHA256_LEN]);

/* What an answer's TSIG says; without a good signature anybody can have written it. */
struct acme_tsig_said {
    uint16_t error;    /* 0: none, or there is no TSIG                       */
    int64_t their_utc; /* with ACME_TSIG_BADTIME: the server's clock; else 0 */
};

/* Looks at the answer to a request with that MAC; it is changed. Returns 1 when its signature is good, 0 when it has none, -1
 * when it is wrong, another's, or the message is malformed. */
int acme_tsig_check(uint8_t *answer, size_t len, const struct acme_tsig_key *key, const uint8_t mac[ACME_SHA256_LEN],
                    struct acme_tsig_said *said);

#ifdef __cplusplus
}
#endif

#endif
