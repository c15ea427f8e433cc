/* media.h - what port/stores stands on, in memory, and its power can go at any byte: a file system, and keys with values. */
#ifndef TESTS_FAKE_MEDIA_H
#define TESTS_FAKE_MEDIA_H

#include "acme_files.h"
#include "acme_kv.h"

#define MEDIA_FILES 24
#define MEDIA_BYTES 12000
#define MEDIA_KEYS  64

/* What a file that was being written is after a cut: as far as it came; empty, as its entry was when it was made; as long as it
 * came, but its last cluster was never written; as it was before (littlefs). */
enum media_cut { MEDIA_PREFIX, MEDIA_EMPTY, MEDIA_GARBAGE, MEDIA_AS_BEFORE, MEDIA_CUTS };

struct media {
    struct acme_files files; /* give one of the two to the store */
    struct acme_kv kv;
    struct media_file {
        char name[12]; /* "": none */
        uint8_t bytes[MEDIA_BYTES], before[MEDIA_BYTES];
        uint32_t len, len_before;
        bool open;
    } file[MEDIA_FILES];
    struct media_value {
        char key[12];
        uint8_t bytes[1900];
        uint32_t len;
    } value[MEDIA_KEYS];
    int handle[2];      /* files, -1 */
    unsigned steps;     /* bytes written, and calls that change anything, since the power came */
    unsigned cut_at;    /* the power goes at this one, from 1; 0: never */
    enum media_cut how; /* of calls that happen at one moment: odd numbers have happened */
    unsigned failing;   /* this step fails and all goes on; 0: none */
    unsigned spoiled;   /* what this step writes is not what is there afterwards, and nobody says so; 0: none */
    bool off, unreadable;
    bool removes_first; /* rename removes what it is to replace, and the power may go between the two: NuttX's */
    unsigned misused;   /* calls that break the contract of acme_files.h or acme_kv.h */
};

/* A new one; `renames`: rename replaces. */
void media_new(struct media *m, bool renames);

/* The power comes again. */
void media_on(struct media *m);

#endif
