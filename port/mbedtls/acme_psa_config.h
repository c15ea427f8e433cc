/* acme_psa_config.h - the cryptography that goes with acme_mbedtls_config.h where Mbed TLS has it in a library of its own, from 4.0 on:
 * -DTF_PSA_CRYPTO_CONFIG_FILE='"acme_psa_config.h"' beside -DMBEDTLS_CONFIG_FILE='"acme_mbedtls_config.h"'. */
#ifndef ACME_PSA_CONFIG_H
#define ACME_PSA_CONFIG_H

/* Memory from an arena (mbedtls_memory_buffer_alloc_init), nothing from malloc. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#define MBEDTLS_MEMORY_ALIGN_MULTIPLE 8 /* 64-bit pointers want it */

/* Random numbers come from struct acme_sys. */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
#define MBEDTLS_PSA_KEY_SLOT_COUNT 8

#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_MD_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_ECP_NIST_OPTIM

#define PSA_WANT_ALG_SHA_256 1
#define PSA_WANT_ALG_SHA_384 1
#define PSA_WANT_ALG_SHA_512 1
#define PSA_WANT_ALG_HMAC    1

/* Keys of ours; chains of P-256, P-384 and RSA. */
#define PSA_WANT_ALG_ECDSA                      1
#define PSA_WANT_ALG_DETERMINISTIC_ECDSA        1
#define PSA_WANT_ALG_RSA_PKCS1V15_SIGN          1
#define PSA_WANT_ALG_RSA_PSS                    1
#define PSA_WANT_ECC_SECP_R1_256                1
#define PSA_WANT_ECC_SECP_R1_384                1
#define PSA_WANT_KEY_TYPE_ECC_PUBLIC_KEY        1
#define PSA_WANT_KEY_TYPE_ECC_KEY_PAIR_BASIC    1
#define PSA_WANT_KEY_TYPE_ECC_KEY_PAIR_IMPORT   1
#define PSA_WANT_KEY_TYPE_ECC_KEY_PAIR_EXPORT   1
#define PSA_WANT_KEY_TYPE_ECC_KEY_PAIR_GENERATE 1
#define PSA_WANT_KEY_TYPE_RSA_PUBLIC_KEY        1
#define MBEDTLS_ECP_RESTARTABLE                 /* curves in pieces, so that a tick of TLS 1.2 stays short */

/* The library asks for these with RSA in TLS, and this client uses none of them. */
#define PSA_WANT_KEY_TYPE_RSA_KEY_PAIR_BASIC 1
#define PSA_WANT_ALG_RSA_PKCS1V15_CRYPT      1
#define PSA_WANT_ALG_RSA_OAEP                1

/* TLS 1.2 and 1.3. */
#define PSA_WANT_ALG_ECDH              1
#define PSA_WANT_ALG_GCM               1
#define PSA_WANT_ALG_CHACHA20_POLY1305 1
#define PSA_WANT_ALG_TLS12_PRF         1
#define PSA_WANT_ALG_HKDF_EXTRACT      1
#define PSA_WANT_ALG_HKDF_EXPAND       1
#define PSA_WANT_KEY_TYPE_AES          1
#define PSA_WANT_KEY_TYPE_CHACHA20     1
#define PSA_WANT_KEY_TYPE_DERIVE       1
#define PSA_WANT_KEY_TYPE_HMAC         1
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES

#ifdef ACME_MBEDTLS_MEASURE /* what the arena's peak was: on a host, for README.md's figures */
#define MBEDTLS_MEMORY_DEBUG
#endif

#endif
