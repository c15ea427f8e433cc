/* address.h - IP addresses as text (RFC 8738). */
#ifndef ACME_WIRE_ADDRESS_H
#define ACME_WIRE_ADDRESS_H

#include <stdint.h>

#include "slice.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_ADDRESS_MAX 16 /* bytes of an address: 4 or 16 */

/* Reads an address in its one canonical text, the only one CAs take: four decimal numbers without leading zeros, or
 * RFC 5952, 4: small letters, no leading zeros, "::" for the longest run of two or more zero groups, the first among equals.
 * No zone, no brackets, no IPv4 inside: an IPv4 address written as IPv6 (::ffff:0:0/96) has its canonical text in IPv4.
 * Memory: `address` takes the bytes, most significant first; what is in it after a 0 means nothing. Work: one pass.
 * Returns 4 or 16, the bytes written; 0 when text is no such thing. */
int acme_address_parse(struct acme_slice text, uint8_t address[ACME_ADDRESS_MAX]);

#ifdef __cplusplus
}
#endif

#endif
