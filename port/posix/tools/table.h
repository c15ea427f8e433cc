/* table.h - makes the signed table of trust anchors that roots/anchor_table.h reads. */
#ifndef ACME_POSIX_TOOLS_TABLE_H
#define ACME_POSIX_TOOLS_TABLE_H

#include "roots/anchor_table.h"
#include "secure/key_p256.h"
#include "wire/out.h"

/* Appends the table of these anchors to o and signs it. Returns 0, ACME_E_WORK_SMALL (o is full) or ACME_E_KEY. */
int acme_table_write(struct acme_out *o, const struct acme_trust *trust, uint32_t serial, bool replaces,
                     struct acme_key_p256 *key);

#endif
