/* flash.h - memory for port/flash, whose power can go at any unit: NOR flash (bits only fall, a sector is erased at once,
 * a unit is programmed once), with ECC or without, or a medium that overwrites, as a card or a file does. */
#ifndef TESTS_FAKE_FLASH_H
#define TESTS_FAKE_FLASH_H

#include "acme_flash.h"

#define FLASH_SECTOR  2048
#define FLASH_SECTORS 12 /* places of three sectors */
#define FLASH_BYTES   (FLASH_SECTORS * FLASH_SECTOR)
#define FLASH_PLACE   (FLASH_BYTES / ACME_FLASH_PLACES)

/* Where a cut happens: in front of a unit or an erase; within; within, and nothing of it is to be seen afterwards. */
enum flash_cut { FLASH_BEFORE, FLASH_TORN, FLASH_TORN_OTHERWISE, FLASH_UNSEEN, FLASH_CUTS };

/* What a worn-out sector does: its erase fails; programs fail; or they do nothing and say so to nobody. */
enum flash_wear { FLASH_GOOD, FLASH_NO_ERASE, FLASH_NO_PROGRAM, FLASH_SILENT, FLASH_WEARS };

struct flash {
    struct acme_flash_device device; /* give &this.device to acme_flash_init(); its sizes may be changed before */
    bool overwrites;
    bool ecc; /* a unit that is torn, worn or faded cannot be read */
    uint8_t bytes[FLASH_BYTES];
    bool programmed[FLASH_BYTES]; /* or begun to be, since the last whole erase */
    bool broken[FLASH_BYTES];     /* cannot be read                             */
    unsigned erases[FLASH_SECTORS];
    unsigned steps;  /* done since the power came: a unit programmed, a sector erased */
    unsigned cut_at; /* the power goes at this step, from 1; 0: never                 */
    enum flash_cut how;
    bool off;
    unsigned misused; /* units programmed twice, calls that are not of whole units  */
    unsigned failing; /* this step fails and all goes on; 0: none                   */
    bool unreadable;
    uint32_t worn;        /* a bit of the byte at this address, from 1, stays 0 and nobody says so; 0: none */
    unsigned sector_worn; /* from 1; 0: none */
    enum flash_wear wear;
};

/* A new one, all of it `blank`; blank 0xff is what NOR flash is when it is new. */
void flash_new(struct flash *f, bool overwrites, uint8_t blank);

/* The power comes again. */
void flash_on(struct flash *f);

/* A bit fades. */
void flash_flip(struct flash *f, uint32_t at, unsigned bit);

#endif
