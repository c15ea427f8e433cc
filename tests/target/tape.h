/* tape.h - what tests/dialogue recorded on the host, run by run. A mismatch fails the running test. */
#ifndef TESTS_TARGET_TAPE_H
#define TESTS_TARGET_TAPE_H

#include <stdbool.h>
#include <stdio.h>

#include "wire/slice.h"

/* Reads the next run into memory. False: there is none, or the file is not what it should be (tape_broken). */
bool tape_next(FILE *file);
extern bool tape_broken;

/* "path of the script, what its tables say" of that run. */
const char *tape_name(void);

/* Back to the beginning of the run. */
void tape_rewind(void);

/* The next item: whether it is this one, what it says, its text with a NUL behind it; it has to be this one. */
bool tape_is(const char *word);
struct acme_slice tape_take(const char *word);
char *tape_text(const char *word);

/* Takes an item and compares. */
void tape_same(const char *word, const char *data, size_t len);

#endif
