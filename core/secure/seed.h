/* seed.h - random bytes to make keys and TLS sessions of. */
#ifndef ACME_SECURE_SEED_H
#define ACME_SECURE_SEED_H

#include "../acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_SEED_LEN 64

/* Draws twice, so that a source that is stuck, whole or in one byte, is noticed before anything is made of it. Returns
 * false when it fails or is stuck; the caller wipes `seed` in either case. */
bool acme_seed_draw(const struct acme_sys *sys, uint8_t seed[ACME_SEED_LEN]);

#ifdef __cplusplus
}
#endif

#endif
