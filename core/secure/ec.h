/* ec.h - which of BearSSL's engines are used, and elliptic curves for TLS.
 *
 * ACME_BEARSSL_I15 chooses the 15-bit engines, ACME_BEARSSL_ONE_EC the smaller ones. This header is for the secure room only. */
#ifndef ACME_SECURE_EC_H
#define ACME_SECURE_EC_H

#include <bearssl.h>

#include "../acme_config.h"

#if ACME_BEARSSL_I15
#define ACME_EC_P256          br_ec_p256_m15
#define ACME_EC_PRIME         br_ec_prime_i15
#define ACME_ECDSA_SIGN       br_ecdsa_i15_sign_raw
#define ACME_ECDSA_VERIFY     br_ecdsa_i15_vrfy_asn1
#define ACME_ECDSA_VERIFY_RAW br_ecdsa_i15_vrfy_raw
#define ACME_RSA_VERIFY       br_rsa_i15_pkcs1_vrfy
#else
#define ACME_EC_P256          br_ec_p256_m31
#define ACME_EC_PRIME         br_ec_prime_i31
#define ACME_ECDSA_SIGN       br_ecdsa_i31_sign_raw
#define ACME_ECDSA_VERIFY     br_ecdsa_i31_vrfy_asn1
#define ACME_ECDSA_VERIFY_RAW br_ecdsa_i31_vrfy_raw
#define ACME_RSA_VERIFY       br_rsa_i31_pkcs1_vrfy
#endif

#if ACME_BEARSSL_ONE_EC
#undef ACME_EC_P256
#define ACME_EC_P256 ACME_EC_PRIME
#endif

/* P-256 by its own fast code (unless ACME_BEARSSL_ONE_EC), P-384 by the general one, nothing else. Points of a wrong length are refused
 * here, because BearSSL 0.6's implementations do not agree on them. */
extern const br_ec_impl acme_ec;

#if ACME_BEARSSL_I15
/* A BearSSL built without BR_LOMUL would multiply to 64 bits here. */
static inline void acme_engine_multipliers(br_ssl_engine_context *eng)
{
    br_ssl_engine_set_ghash(eng, &br_ghash_ctmul32);
    br_ssl_engine_set_poly1305(eng, &br_poly1305_ctmul32_run);
}
#else
static inline void acme_engine_multipliers(br_ssl_engine_context *eng)
{
    (void)eng;
}
#endif

/* BearSSL knows which of its ciphers are the fastest on the machine it was built for; all take constant time. */
static inline void acme_engine_ciphers(br_ssl_engine_context *eng)
{
    br_ssl_engine_set_default_aes_gcm(eng);
    br_ssl_engine_set_default_chapol(eng);
    acme_engine_multipliers(eng);
}

#endif
