/* random.c - random numbers for Mbed TLS from struct acme_sys. */
#include "acme_mbedtls.h"

#include <psa/crypto.h>

static const struct acme_sys *source;

bool acme_mbedtls_random_from(const struct acme_sys *sys)
{
    source = sys;
    return psa_crypto_init() == PSA_SUCCESS;
}

#ifndef ACME_MBEDTLS_RANDOM /* 0: the firmware has the function below, as ESP-IDF's and Zephyr's Mbed TLS bring it */
#define ACME_MBEDTLS_RANDOM 1
#endif

#if defined(MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG) && ACME_MBEDTLS_RANDOM

/* The library calls this where it was configured to have no generator of its own. */
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context, uint8_t *output,
                                             size_t output_size, size_t *output_length)
{
    (void)context;
    *output_length = 0;
    if (source == NULL || source->random(source->ctx, output, output_size) != 0) {
        return PSA_ERROR_INSUFFICIENT_ENTROPY;
    }
    *output_length = output_size;
    return PSA_SUCCESS;
}

#endif
