/* mbedtls_more.h - what Zephyr's Kconfig does not say of Mbed TLS; included behind its config-tls-generic.h. port/mbedtls/README.md has
 * the whole list. */
#ifndef MBEDTLS_X509_CHECK_KEY_USAGE /* they were options up to 2.28 */
#define MBEDTLS_X509_CHECK_KEY_USAGE
#define MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE
#endif

/* Keys are in our store, and random numbers come from struct acme_sys: port/mbedtls/random.c. */
#undef MBEDTLS_PSA_CRYPTO_STORAGE_C
#undef MBEDTLS_PSA_ITS_FILE_C
#undef MBEDTLS_PSA_KEY_SLOT_COUNT
#define MBEDTLS_PSA_KEY_SLOT_COUNT 8
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG

/* Requests are short. */
#undef MBEDTLS_SSL_OUT_CONTENT_LEN
#define MBEDTLS_SSL_OUT_CONTENT_LEN 2048
