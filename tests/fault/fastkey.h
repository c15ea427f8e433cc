/* fastkey.h - P-256 keys by OpenSSL: real signatures in a fraction of the time, for the large sweeps. And dice: every
 * random byte in the process, OpenSSL's too, from a seed, so that a case is the same each time. */
#ifndef TESTS_FAULT_FASTKEY_H
#define TESTS_FAULT_FASTKEY_H

#include "secure/key_p256.h"

/* The handle is a struct acme_key_p256; the record is of its own kind. */
extern const struct acme_key_ops fastkey_ops;

void dice_seed(uint64_t seed);
void dice_fill(void *buf, size_t len);
uint32_t dice_below(uint32_t n);

/* fastkey_ops.generate by the dice, whatever `sys` has: the same keys for the same seed. */
int fastkey_by_dice(void *handle, const struct acme_sys *sys);

#endif
