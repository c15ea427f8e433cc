/* flash.h - memory for port/flash, whose power can go at any byte: NOR flash (bits only fall, a sector is erased at once,
 * nothing is programmed twice), or a medium that overwrites, as a card or a file does. */
#ifndef TESTS_FAKE_FLASH_H
#define TESTS_FAKE_FLASH_H

#include "acme_flash.h"

#define FLASH_SECTOR  (ACME_WORK_MIN + ACME_FLASH_HEADER)
#define FLASH_PAIR    2
#define FLASH_SECTORS ACME_FLASH_SECTORS(FLASH_PAIR)

/* Where a cut happens: in front of a byte, or within it; in front of an erase, or within. */
enum flash_cut { FLASH_BEFORE, FLASH_TORN, FLASH_TORN_OTHERWISE, FLASH_CUTS };

struct flash {
    struct acme_flash_device device; /* give &this.device to acme_flash_init() */
    bool overwrites;
    uint8_t bytes[FLASH_SECTORS * FLASH_SECTOR];
    unsigned erases[FLASH_SECTORS];
    unsigned steps;  /* done since the power came: a byte programmed, a sector erased */
    unsigned cut_at; /* the power goes at this step, from 1; 0: never                 */
    enum flash_cut how;
    bool off;
    unsigned misused; /* bytes programmed that were not erased                         */
    unsigned failing; /* this step fails and all goes on; 0: none                      */
    bool unreadable;
    uint32_t worn; /* bit 0 of the byte at this address, from 1, stays 0 and nobody says so; 0: none */
};

/* A new one, all of it `blank`; blank 0xff is what NOR flash is when it is new. */
void flash_new(struct flash *f, bool overwrites, uint8_t blank);

/* The power comes again. */
void flash_on(struct flash *f);

#endif
