/* record.h - what is remembered of account and order, as text records that a reset cannot tear.
 *
 * A record is lines "key value", a version first and "end" last; a record that is not whole, or of another
 * version, is taken as absent: both can be had again from the CA. Private keys are records of their own
 * (secure/key_p256.h) and are never taken as absent when they are damaged. */
#ifndef ACME_LIFECYCLE_RECORD_H
#define ACME_LIFECYCLE_RECORD_H

#include "../protocol/flow.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes, or reads back, account URL and directory. Reading returns true only for a whole record of the same
 * directory URL whose URLs are all allowed. Memory: `text` is borrowed for the call. */
void acme_record_account_write(struct acme_out *o, const struct acme_flow *flow);
bool acme_record_account_read(struct acme_flow *flow, struct acme_slice text);

/* The same for the order in progress: its URL, and the earliest time of a next attempt the CA asked for (0:
 * none). Reading returns true only for the same directory and the same names in the same order. */
void acme_record_order_write(struct acme_out *o, const struct acme_flow *flow, uint32_t retry_utc);
bool acme_record_order_read(struct acme_flow *flow, struct acme_slice text, uint32_t *retry_utc);

#ifdef __cplusplus
}
#endif

#endif
