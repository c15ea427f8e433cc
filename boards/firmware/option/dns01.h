/* dns01.h - what site.sh writes into site.c for an image made with DNS01=1. */
#ifndef FIRMWARE_OPTION_DNS01_H
#define FIRMWARE_OPTION_DNS01_H

#include "dns/rfc2136.h"
#include "firmware.h"

/* The zone's primary and the key it takes updates with; a generated file, site.c, has it. */
extern const struct acme_rfc2136_zone firmware_zone;

extern struct acme_lwip_udp firmware_udp;

#endif
