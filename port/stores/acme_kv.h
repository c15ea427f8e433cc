/* acme_kv.h - struct acme_store on keys and values: NVS of ESP-IDF, settings, NVS or ZMS of Zephyr. README.md beside this has their
 * lines.
 *
 * Every record, and key and chain together, is values of at most ACME_KV_VALUE bytes, and one of 16 that says which of two sets of them
 * counts, how long and what checksum: it is set last. All that is set is read back.
 *
 * A loss of power at any moment leaves the old record or the new one, the old pair or the new one, if each single value is the
 * old or the new one then. What is damaged or cannot be read is ACME_E_STORE_READ, never "absent". */
#ifndef ACME_KV_H
#define ACME_KV_H

#include "acme_config.h"
#include "acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Longest value, in bytes. RAM: two. NVS has pages of 4,000 bytes and writes the new value before it drops the old one. */
#ifndef ACME_KV_VALUE
#define ACME_KV_VALUE 1024
#endif
#if ACME_KV_VALUE < 512 || ACME_KV_VALUE > 1900
#error "ACME_KV_VALUE: 512 to 1900 bytes, so that a key fits into one"
#endif

#define ACME_KV_NONE (-1000) /* there is no such key */

/* The memory. Keys have at most 11 characters, letters, digits and dots. Calls are whole and durable when they return. */
struct acme_kv {
    void *ctx;
    int (*get)(void *ctx, const char *key, void *buf,
               size_t cap); /* the value's length, ACME_KV_NONE, or another negative number:
                                                                     it cannot be read, or is longer than cap */
    int (*set)(void *ctx, const char *key, const void *value, size_t len); /* 0, or anything else: it did not work */
    int (*erase)(void *ctx, const char *key);                              /* 0, too, when it is not there */
};

struct acme_kv_store {
    struct acme_store store; /* give &this.store to acme_setup::store */
    const struct acme_kv *kv;
    char key[12];
    bool receiving; /* a chain, into the set `next` */
    uint8_t next;
    uint32_t len, crc;
    uint8_t out[ACME_KV_VALUE];   /* the piece of the chain in hand */
    uint8_t value[ACME_KV_VALUE]; /* what was read                  */
};

/* Prepares; no I/O. `kv` is borrowed for good. Returns 0, or ACME_E_SIZE: compiled with another ACME_KV_VALUE. */
#define acme_kv_init(s, kv) acme_kv_init_sized((s), sizeof(struct acme_kv_store), (kv))
int acme_kv_init_sized(struct acme_kv_store *s, size_t size, const struct acme_kv *kv);

#ifdef __cplusplus
}
#endif

#endif
