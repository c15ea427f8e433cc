/* secrets.h - no private key where it does not belong. */
#ifndef TESTS_FAULT_SECRETS_H
#define TESTS_FAULT_SECRETS_H

#include "fake/device.h"

/* Fails when `bytes` hold 8 bytes of any key of the device, however written (fake/scan.h). */
void secrets_judge(const struct device *d, const void *bytes, size_t len);

/* The same for what an event tells, */
void secrets_judge_event(struct device *d, const struct acme_event *event);

/* and for what the program keeps between ticks, and for the records that are no keys. */
void secrets_judge_memory(const struct device *d);

#endif
