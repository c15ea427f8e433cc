/* shelf.h - what tests of stores have in common: a store's calls with texts, and a story of such calls, each of which can be cut. */
#ifndef TESTS_UNIT_SHELF_H
#define TESTS_UNIT_SHELF_H

#include "acme_port.h"

#define SHELF_KINDS 16 /* of records, at most */

struct op {
    enum { PUT, APPEND, COMMIT } what;
    enum acme_record record;
    const char *text; /* of a COMMIT: the whole chain */
};

/* The store at work. */
extern struct shelf {
    const struct acme_store *store;
    unsigned kinds; /* of records                                       */
    const struct op *story;
    size_t length;           /* of the story                            */
    void (*restart)(void);   /* the power comes again                   */
    const unsigned *misused; /* calls that break the medium's contract  */
    unsigned which;          /* of several stores: for messages         */
} shelf;

int put(enum acme_record record, const char *text);
int append(const char *text);
int commit(void);
int get(enum acme_record record, char *text, size_t cap);

/* A key and a chain of one piece, put in use. */
int bring(const char *key, const char *chain);

/* The record is this text, and its length is told alone, too. */
bool holds(enum acme_record record, const char *text);

int carry_out(const struct op *op);

/* All of the story. */
void carry_out_all(void);

/* What should be there after the first `count` of them. */
void tell(const char *want[SHELF_KINDS], size_t count);
void check_all(size_t count);

/* That all of the story is there, also after a restart. */
void check_end(void);

/* After a cut within number `at` everything is as before it or as after it. */
void check_cut(size_t at);

/* From there on it goes on as the client does: a chain is received anew. */
void go_on(size_t at);

#endif
