/* files_part.h - one file of a store on files, and which of two counts; between the files of port/stores. */
#ifndef ACME_FILES_PART_H
#define ACME_FILES_PART_H

#include "acme_files.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PIECE 64U /* bytes moved at a time */
#define PAIR  '1' /* key and chain; a record's letter is A, B ... */

/* What a file holds; behind it come, as little-endian words, a magic number and these but for the first, and the checksum of that. */
struct acme_files_part {
    uint32_t len, key; /* bytes, and how many of them at the end are the pair's key */
    uint32_t sequence, crc;
};

/* Puts the file's name into s->name. */
const char *acme_files_name(struct acme_files_store *s, char kind, char copy);

/* The copy that counts, A or B; 0: there is none, ACME_E_STORE_READ: there was one. Without rename B is begun only when A is
 * whole, so an A that is damaged and alone was never finished. With rename B counts where there is no A: the power went while one
 * was to take the other's place, or before there ever was an A. */
int acme_files_in_use(struct acme_files_store *s, char kind, struct acme_files_part *p);

/* Ends a file and reads it back. */
bool acme_files_finish(struct acme_files_store *s, unsigned handle, char kind, char copy,
                       const struct acme_files_part *p);

/* Writes a whole file. */
bool acme_files_write(struct acme_files_store *s, char kind, char copy, uint32_t sequence, const void *data,
                      size_t len);

/* Puts B in the place of A. */
bool acme_files_replace(struct acme_files_store *s, char kind);

/* Before another B is begun: with rename, a B that counts (`now`) becomes A. */
bool acme_files_settle(struct acme_files_store *s, char kind, int now);

#ifdef __cplusplus
}
#endif

#endif
