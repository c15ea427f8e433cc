/* acme_flash.h - struct acme_store on raw flash: NOR inside or outside the chip, or a block device.
 *
 * The memory is divided into four places of equal size, each of whole sectors:
 *
 *   the log       the small records, one behind the other: the last one of a kind counts. All but ORDER are written twice.
 *   the pair      key and chain in use, each twice when there is room.
 *   the others    free: for the next chain, or for the next log when this one is full. Then what counts is copied.
 *
 * Small records of kinds that are not known here, of an image to come that was put aside again, go on from log to log as far as
 * there is room behind the others.
 *
 * A place begins with a header that is written last, twice: from then on it counts. The header of a record is written
 * behind its contents, too. A loss of power at any moment leaves the old record or the new one, the old pair or the new one.
 *
 * All that is written is read back. A record that does not stay makes a new log; a place that does not take something,
 * wherever in it, is left, with what it holds already, for another. The place that rests longest comes next, so wear is
 * spread; one that was begun and never finished comes last, for it may be worn.
 *
 * One bit that fades costs nothing: the other copy serves, and the next record makes a new log. When both copies of a key are
 * damaged the answer is ACME_E_STORE_READ, never "absent". What was removed or replaced, keys too, stays readable in
 * the memory until its place is used again.
 */
#ifndef ACME_FLASH_H
#define ACME_FLASH_H

#include "acme_config.h"
#include "acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_FLASH_BLOCK     32                         /* bytes: what is programmed is whole blocks  */
#define ACME_FLASH_PLACES    4                          /* three when there are three sectors: none to spare */
#define ACME_FLASH_PLACE_MIN (2 * ACME_WORK_MIN + 2048) /* holds every small record at its longest    */
#define ACME_FLASH_RECORDS   8                          /* all of enum acme_record */
#define ACME_FLASH_KINDS     16                         /* and those of images to come */

/* The memory. Addresses are bytes from its beginning; calls are whole when they return. Erased bytes read 0xff: where
 * they do not the driver inverts, and a medium that overwrites is overwritten with 0xff. */
struct acme_flash_device {
    void *ctx;
    uint32_t size;        /* bytes for the store, a fourth of it a place: 64 KiB hold every chain known in 2026 */
    uint32_t sector_size; /* bytes erased at once                                                              */
    uint32_t prog_size;   /* bytes programmed at once: 1, 2, 4, 8, 16 or 32                                     */

    /* Return 0, or anything else when it did not work. What cannot be read, ECC errors among it, is an error, not a trap. */
    int (*read)(void *ctx, uint32_t at, void *buf, size_t len);
    /* `at` and `len` are multiples of ACME_FLASH_BLOCK. No byte is programmed twice without an erase in between. */
    int (*program)(void *ctx, uint32_t at, const void *data, size_t len);
    int (*erase)(void *ctx, uint32_t sector);
};

/* A place while it is written. */
struct acme_flash_writer {
    uint32_t at;   /* next block, from the beginning of the place */
    uint32_t item; /* header of the record begun                  */
    uint32_t len;  /* of its contents so far                      */
    uint32_t crc;
    uint8_t place;
    uint8_t tried; /* a bit a place: not to be gone to            */
    uint8_t fill;  /* bytes in block                              */
    uint8_t block[ACME_FLASH_BLOCK];
};

struct acme_flash_store {
    struct acme_store store; /* give &this.store to acme_setup::store */
    const struct acme_flash_device *device;
    uint32_t place_size;
    uint32_t log_end;                     /* where the next record goes                             */
    uint32_t latest;                      /* sequence number: places count upwards                  */
    uint32_t sequence[ACME_FLASH_PLACES]; /* of what is or was there                                */
    uint8_t places, log, pair;            /* how many; which ones, or `places` when there is none   */
    bool receiving;                       /* a chain, into `incoming`                               */
    struct acme_flash_item {
        uint32_t at; /* address of its header    */
        uint32_t len;
        uint32_t crc;
        bool damaged; /* no copy of it is whole */
    } record[ACME_FLASH_KINDS];
    struct acme_flash_writer incoming;
};

/* Finds what is stored. `device` is borrowed for good. Work: reads the log and the pair once.
 * Returns 0; ACME_E_WORK_SMALL when a place is smaller than ACME_FLASH_PLACE_MIN or prog_size is none of the above;
 * ACME_E_STORE_READ when the memory has the layout of before 2026-12: no released version had it. Erase it to begin anew,
 * with a new account key. What is damaged is no error here. No limit of acme_config.h changes the size of the struct. */
int acme_flash_init(struct acme_flash_store *s, const struct acme_flash_device *device);

/* CRC-32 (ISO 3309) of the bytes, continued from `crc`; 0 begins. */
uint32_t acme_flash_crc(uint32_t crc, const void *data, size_t len);

#ifdef __cplusplus
}
#endif

#endif
