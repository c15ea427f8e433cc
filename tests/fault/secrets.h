/* secrets.h - no private key where it does not belong. */
#ifndef TESTS_FAULT_SECRETS_H
#define TESTS_FAULT_SECRETS_H

#include "fake/device.h"

/* Fails when `bytes` hold a part of a key: raw, or as its record has it (PEM, hexadecimal). */
void secrets_judge(const struct device *d, const void *bytes, size_t len);

/* The same for what the program keeps between ticks, and for the records that are no keys. */
void secrets_judge_memory(const struct device *d);

#endif
