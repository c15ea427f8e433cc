/* kv_part.h - the values of a record; between the files of port/stores. */
#ifndef ACME_KV_PART_H
#define ACME_KV_PART_H

#include "acme_kv.h"

#ifdef __cplusplus
extern "C" {
#endif

#define KEY_PIECE 999 /* the pair's key is a piece of its own */
#define PAIR      '1' /* key and chain; a record's letter is A, B ... */

/* A head's value, as little-endian words: which set, bytes of the record or the chain, of the pair's key, checksum of both. */
struct acme_kv_head {
    uint32_t set, len, key, crc;
};

/* Puts a key into s->key. "acme.K": a head; "acme.Kannn": piece n of set a or b. */
const char *acme_kv_key(struct acme_kv_store *s, char kind, int set, uint32_t piece);

/* Sets the value that s->key names, and reads it back. */
bool acme_kv_set(struct acme_kv_store *s, const void *value, size_t len);

/* Returns 1, 0 when there is no such record, ACME_E_STORE_READ. */
int acme_kv_head_read(struct acme_kv_store *s, char kind, struct acme_kv_head *h);

/* Sets it. When that does not stay, the one before counts again, as far as that can be had: `was`
 * and `old` are what reading it said. */
bool acme_kv_head_write(struct acme_kv_store *s, char kind, const struct acme_kv_head *h, int was,
                        const struct acme_kv_head *old);

/* Reads a record whole, for its checksum; `cap` bytes from `from` on go to buf. */
bool acme_kv_read(struct acme_kv_store *s, char kind, const struct acme_kv_head *h, uint32_t from, uint8_t *buf,
                  size_t cap);

/* Room is given back; what stays is written over. */
void acme_kv_drop(struct acme_kv_store *s, char kind, const struct acme_kv_head *h);

#ifdef __cplusplus
}
#endif

#endif
