/* acme_mbedtls_config.h - Mbed TLS 2.28, 3.6 or 4.0 with what this port needs and no more:
 * -DMBEDTLS_CONFIG_FILE='"acme_mbedtls_config.h"'; with 4.0, acme_psa_config.h as well. It has a name of its own: 3.6 would take its mbedtls/mbedtls_config.h for one of that
 * name. Who has a configuration of their own compares: README.md tells what must be in it. */
#ifndef ACME_MBEDTLS_CONFIG_H
#define ACME_MBEDTLS_CONFIG_H

/* TLS 1.2 for a client. Dates are judged by struct acme_sys, so MBEDTLS_HAVE_TIME_DATE need not be there. */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_SERVER_NAME_INDICATION
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_SSL_IN_CONTENT_LEN  16384
#define MBEDTLS_SSL_OUT_CONTENT_LEN 2048
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED

/* TLS 1.3 too, where the library has it: 3.6 tells its version before it reads this, 2.28 does not. */
#if defined(MBEDTLS_VERSION_NUMBER)
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE
#define MBEDTLS_X509_RSASSA_PSS_SUPPORT
#endif

#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_CHECK_KEY_USAGE
#define MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE
#define MBEDTLS_X509_REMOVE_INFO

/* All below is of the library of cryptography, which 4.0 configures by acme_psa_config.h. */
#if !defined(TF_PSA_CRYPTO_VERSION_NUMBER)

/* Memory from an arena (mbedtls_memory_buffer_alloc_init), nothing from malloc. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#define MBEDTLS_MEMORY_ALIGN_MULTIPLE 8 /* 64-bit pointers want it */
#define MBEDTLS_NO_PLATFORM_ENTROPY
#define MBEDTLS_HAVE_ASM /* with 3.6 a piece of work with a curve is a fifth shorter */

#if defined(MBEDTLS_VERSION_NUMBER) /* for TLS 1.3 */
#define MBEDTLS_HKDF_C              /* PSA has its two halves with it */
#define MBEDTLS_PKCS1_V21
#endif

#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_PK_WRITE_C /* PSA with RSA demands it */

#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_CIPHER_C
#define MBEDTLS_GCM_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA384_C /* of its own in 3.6 */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MPI_MAX_SIZE 512
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15

/* Curves in pieces, so that a tick stays short. It wants the legacy context, whatever its comment says. */
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_RESTARTABLE
#define MBEDTLS_ECDH_LEGACY_CONTEXT
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECDSA_DETERMINISTIC
#define MBEDTLS_HMAC_DRBG_C

/* Keys and digests. Random numbers come from struct acme_sys. */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
#define MBEDTLS_PSA_KEY_SLOT_COUNT 8

#ifdef ACME_MBEDTLS_MEASURE /* what the arena's peak was: on a host, for README.md's figures */
#define MBEDTLS_MEMORY_DEBUG
#endif

#endif

#if !defined(MBEDTLS_VERSION_NUMBER) /* 3.6 does so by itself, when all that follows from this is known */
#include "mbedtls/check_config.h"
#endif

#endif
