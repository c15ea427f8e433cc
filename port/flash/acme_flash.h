/* acme_flash.h - struct acme_store on raw flash: NOR inside or outside the chip, or a block device.
 *
 * Every record has two places. A record is written into the place that does not count, behind a header that is
 * written last: sequence number, lengths, checksums. The whole place with the higher number is the record. So a loss of
 * power at any byte leaves the old record or the new one, and each place is erased only every second time.
 *
 * A place that was whole and fades later is found when it is read. At the next start the record before it counts again,
 * and when there is none the answer is ACME_E_STORE_READ, never "absent". What was removed or replaced, keys too, stays
 * readable in the memory until its place is used again.
 *
 *   sectors   0          ACCOUNT_KEY, first place          the pair in use has places of its own, which hold
 *             1          ACCOUNT_KEY, second place         key and chain behind one header: that is the one
 *             2, 3       ACCOUNT                           moment at which both change
 *             4, 5       ORDER
 *             6, 7       KEY_NEXT
 *             8 ..       pair, first place: pair_sectors sectors
 *             8 + p ..   pair, second place
 *             8 + 2p ..  with ACME_CFG_MANAGE: ACCOUNT_KEY_NEXT, two sectors
 */
#ifndef ACME_FLASH_H
#define ACME_FLASH_H

#include "acme_config.h"
#include "acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_FLASH_HEADER 64 /* in front of each place: the header twice */

/* The memory. Addresses are bytes from its beginning; calls are whole when they return. What was being written when the
 * power went may read as anything, but must be readable. A medium that overwrites begins blank: all bits alike. */
struct acme_flash_device {
    void *ctx;
    uint32_t sector_size;  /* one or several pages; at least ACME_WORK_MIN + ACME_FLASH_HEADER */
    uint32_t pair_sectors; /* for key and chain: 16 KiB serve every CA known in 2026            */

    /* Return 0, or anything else when it did not work. */
    int (*read)(void *ctx, uint32_t at, void *buf, size_t len);
    int (*erase)(void *ctx, uint32_t sector); /* a medium that overwrites may do nothing               */
    int (*program)(void *ctx, uint32_t at, const void *data, size_t len); /* erased bytes, any alignment */
};

/* How many sectors the store takes. */
#define ACME_FLASH_SECTORS(pair_sectors) (8 + 2 * (pair_sectors) + 2 * ACME_CFG_MANAGE)

struct acme_flash_store {
    struct acme_store store; /* give &this.store to acme_setup::store */
    const struct acme_flash_device *device;
    struct acme_flash_place {
        uint32_t sequence;         /* 0: nothing was ever written    */
        uint32_t key_len;          /* of a pair; 0 in other records  */
        uint32_t len;              /* of the record, or of the chain */
        uint32_t crc;              /* of the contents                */
        uint8_t place;             /* 0 or 1: which one counts       */
        bool damaged;              /* it was written, and cannot be read */
    } record[5 + ACME_CFG_MANAGE]; /* the four small ones, the pair, the account's next key */
    uint32_t chain_len;            /* received so far                   */
    uint32_t chain_crc;
    bool receiving;
};

/* Finds what is stored. `device` is borrowed for good. Work: reads all that is valid once.
 * Returns 0, or ACME_E_STORE_READ when the memory cannot be read, ACME_E_WORK_SMALL when a sector is too small, ACME_E_SIZE
 * when this file was compiled with another ACME_CFG_MANAGE than the caller. */
#define acme_flash_init(s, device) acme_flash_init_sized((s), sizeof(struct acme_flash_store), (device))
int acme_flash_init_sized(struct acme_flash_store *s, size_t size, const struct acme_flash_device *device);

/* CRC-32 (ISO 3309) of the bytes, continued from `crc`; 0 begins. */
uint32_t acme_flash_crc(uint32_t crc, const void *data, size_t len);

#ifdef __cplusplus
}
#endif

#endif
