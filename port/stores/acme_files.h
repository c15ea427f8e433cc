/* acme_files.h - struct acme_store on a file system, which the caller brings as seven functions: littlefs, FatFs, SPIFFS, an SD
 * card. README.md beside this has their lines.
 *
 * Every record is two files of short names, ACMEx.A and ACMEx.B, and so are key and chain together, whose change is one. Each
 * file ends with a checksum.
 *
 *   rename replaces       (littlefs, POSIX) what is new is written into B, closed, and renamed to A. B counts where there is no A:
 *                         some systems' rename removes A first (NuttX's, whatever the file system), and the power may go then.
 *   rename does not, NULL (FAT, SPIFFS) what is new is written beside what counts, with a higher sequence number, and then once
 *                         more in place of that: the newest whole one wins. Key and chain are written once.
 *
 * A loss of power at any moment leaves the old record or the new one, the old pair or the new one, if a file that is not being
 * written stays as it is. FAT does not promise that of its own tables: README.md.
 *
 * What is damaged is a record of nothing when it is a cache, and ACME_E_STORE_READ when it is a key or the pair: never "absent".
 * What cannot be read is always an error. */
#ifndef ACME_FILES_H
#define ACME_FILES_H

#include "acme_config.h"
#include "acme_port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ACME_FILES_NONE (-1000) /* there is no such file */

/* A file system. Names have at most 7 characters; a folder is for these functions to add. Calls are whole when they return, and
 * return 0 when all is well, or anything else. Two files at most are open, by their handles 0 and 1, and for writing only. */
struct acme_files {
    void *ctx;
    int (*size)(void *ctx, const char *name); /* bytes, ACME_FILES_NONE, or another negative number: not known */
    int (*read)(void *ctx, const char *name, uint32_t at, void *buf, size_t len); /* opens, reads all of it, closes */
    int (*create)(void *ctx, unsigned handle, const char *name);                  /* empties what is there */
    int (*write)(void *ctx, unsigned handle, const void *data, size_t len);       /* at its end */
    int (*close)(void *ctx, unsigned handle);                                     /* it is durable then */
    int (*rename)(void *ctx, const char *from,
                  const char *to);              /* `to` is replaced, or removed first. NULL: cannot be */
    int (*remove)(void *ctx, const char *name); /* 0 when it is not there, too */
};

struct acme_files_store {
    struct acme_store store; /* give &this.store to acme_setup::store */
    const struct acme_files *files;
    char name[8];   /* of the file in hand             */
    char copy;      /* of the pair being received: A, B */
    bool receiving; /* a chain, by handle 1            */
    uint32_t len, crc;
};

/* Prepares; no I/O. `files` is borrowed for good. Work of a call: a read looks through the record's files, 10 KiB at most. */
void acme_files_init(struct acme_files_store *s, const struct acme_files *files);

#ifdef __cplusplus
}
#endif

#endif
