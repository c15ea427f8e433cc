/* address.h - IP addresses as text, and names that may be one (RFC 8738). Without ACME_CFG_ADDRESSES nothing is one. */
#ifndef ACME_WIRE_ADDRESS_H
#define ACME_WIRE_ADDRESS_H

#include <stdint.h>

#include "slice.h"
#include "../acme_config.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_ADDRESS_MAX 16 /* bytes of an address: 4 or 16 */

#if ACME_CFG_ADDRESSES

/* Reads an address: four decimal numbers, or RFC 4291, 2.2, without brackets, zone and IPv4 inside.
 * Memory: `address` takes the bytes, most significant first; what is in it after a 0 means nothing. Work: one pass.
 * Returns 4 or 16, the bytes written, when this is the one text of it that CAs take: no leading zeros; RFC 5952, 4: small
 * letters, "::" for the longest run of two or more zero groups, the first among equals. An IPv4 address written as IPv6
 * (::ffff:0:0/96) has that text in IPv4. -4 or -16 when it is another text; 0 when it is no address. */
int acme_address_read(struct acme_slice text, uint8_t address[ACME_ADDRESS_MAX]);

/* True for a name that is an address, in the text that CAs take. */
bool acme_is_address(const char *name);

/* True when both are the same name: a DNS name in any ASCII case, or an address in any text. */
bool acme_name_is(struct acme_slice theirs, const char *ours);

#else

static inline int acme_address_read(struct acme_slice text, uint8_t *address)
{
    (void)text, (void)address;
    return 0;
}

static inline bool acme_is_address(const char *name)
{
    (void)name;
    return false;
}

static inline bool acme_name_is(struct acme_slice theirs, const char *ours)
{
    return acme_slice_is_word(theirs, ours);
}

#endif

/* The same for the one text only: 0 for any other. */
static inline int acme_address_parse(struct acme_slice text, uint8_t address[ACME_ADDRESS_MAX])
{
    int len = acme_address_read(text, address);

    return len > 0 ? len : 0;
}

#ifdef __cplusplus
}
#endif

#endif
